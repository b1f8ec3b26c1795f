//! Questions about the stream, past and present, and their answers.
//!
//! A [`Request`] is answered by [`World::answer`] from the files alone, whoever asks: a person's own process where the
//! exchange is stopped, or the exchange over its administration socket ([`admin`]) where it runs. So both say the same, but for what the stream does not
//! hold: when an order was at each stage.

pub(crate) mod admin;
mod cli;
pub(crate) mod fault;
pub(crate) mod flags;
mod member;
pub(crate) mod operate;
mod print;
mod world;

pub(crate) use cli::{At, Explain, Fault, History, Operate, Place, Snapshot, Status};
pub(crate) use member::Member;
pub(crate) use operate::Act;
pub(crate) use print::flag as print_flag;
pub(crate) use world::{Live, REJECTED, World, snapshot_numbers};

use crate::deploy::{CanaryAct, DeployAct, DoorAct, FeedAct};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How long an operator's act may be on its way, and how often one looks whether it has come back.
const OPERATE_MAX: Duration = Duration::from_secs(60);
const OPERATE_LOOK: Duration = Duration::from_millis(5);

/// A question or an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// How it stands.
    Status,
    /// The venue behind a command; without a number behind the last one.
    At { seq: Option<u64>, what: What },
    /// The venue's name of the order that a session calls so.
    Find { session: String, user_ref: u32 },
    /// Every change of an order.
    History { order: u64 },
    /// The causes of every change of an order.
    Explain { order: u64 },
    /// The snapshots there are.
    SnapshotLs,
    /// Take one behind the last command.
    SnapshotTake,
    /// Remove one.
    SnapshotDrop { seq: u64 },
    /// The flags behind a command; without a number behind the last one.
    FlagLs { seq: Option<u64> },
    /// Which answer a flag gives for a subject, and why.
    FlagExplain {
        key: String,
        aim: flags::Aim,
        seq: Option<u64>,
    },
    /// A process that was refused is gone for good.
    FlagForget { name: String },
    /// The faults that stand.
    Faults,
    /// Give the stream a command of the venue's own under a name and a reason, and say what came of it.
    Operate {
        act: Act,
        #[serde(default)]
        who: String,
        #[serde(default)]
        why: String,
    },
    /// Something about members, under a name and a reason.
    Member {
        about: Member,
        #[serde(default)]
        who: String,
        #[serde(default)]
        why: String,
    },
    /// Another engine on the stream.
    Deploy { act: DeployAct },
    /// Doors in other processes.
    Doors { act: DoorAct },
    /// Feeds in other processes.
    Feeds { act: FeedAct },
    /// A candidate on its way.
    Canary { act: CanaryAct },
}

/// What of the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum What {
    /// One book, or all of them.
    Book { symbol: Option<String>, levels: usize },
    /// A resting order.
    Order { order: u64 },
    /// A member firm.
    Member { name: String },
    /// The whole in numbers.
    Stats,
}

/// What there is to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// An object a line.
    pub(crate) lines: Vec<Value>,
    /// What else is to be known, for people.
    pub(crate) notes: Vec<String>,
}
