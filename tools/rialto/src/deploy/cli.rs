//! `rialto deploy` and `rialto canary`: asked of a running exchange over its administration socket.

use super::DeployAct;
use super::canary::{Bake, CanaryAct, Start};
use super::doors::DoorAct;
use super::edge_run::Plan;
use super::feeds::FeedAct;
use super::pick::Step;
use crate::ask::{Place, Request};
use crate::door::Which;
use anyhow::Result;
use std::path::PathBuf;

/// Another build's engine on the stream of a running exchange.
#[derive(Debug, clap::Args)]
pub(crate) struct Deploy {
    #[command(subcommand)]
    act: Deed,
    #[command(flatten)]
    place: Place,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Deed {
    /// Up to where both engines agree, how far behind the other is, and the first difference
    Status,
    /// Release every event by the other engine's word from behind a command on
    CutOver {
        /// The last command that is released as before [default: the command of the cut-over itself]
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
    /// Go back to this exchange's own word everywhere
    Rollback,
    /// Release one instrument's events by the other engine's word
    Route {
        /// The instrument
        symbol: String,
        /// Go back to this exchange's own word there
        #[arg(long)]
        back: bool,
    },
    /// A door in a process of its own, for a share of the sessions
    #[command(subcommand)]
    Door(DoorDeed),
    /// A feed in a process of its own, for a share of the QUIC subscribers
    #[command(subcommand)]
    Feed(FeedDeed),
}

/// A door's share, from a percentage with at most two decimals.
fn share(text: &str) -> Result<u16, String> {
    let hundredths = crate::ask::flags::share(text).map_err(|error| error.to_string())?;
    Ok(hundredths as u16)
}

#[derive(Clone, Debug, clap::Subcommand)]
enum DoorDeed {
    /// Which doors are there, whose sessions come in by them, and what was found
    Status,
    /// Start a candidate and, beside it, the old build as a measure; give the candidate share after share while the judge
    /// lets it
    Start {
        /// The candidate's executable: a `rialto` of another build
        #[arg(long, value_name = "PATH")]
        build: PathBuf,
        #[arg(long, value_enum, default_value = "ouch")]
        door: Which,
        /// Percentages of the sessions, in order, 50 at most
        #[arg(long, value_name = "P,P..", value_delimiter = ',', value_parser = share, default_values = ["5", "20", "50"])]
        shares: Vec<u16>,
        /// How long each lasts: seconds, such as 30s
        #[arg(long, default_value = "30s")]
        bake: Bake,
        /// All sessions of a firm come in by the same door
        #[arg(long)]
        by_firm: bool,
        /// More arguments for the candidate's `door`; may be given more than once
        #[arg(long = "door-arg", value_name = "ARG", allow_hyphen_values = true)]
        door_args: Vec<String>,
    },
    /// Send a share of new connections to the candidate that is there
    Share {
        /// In per cent of the sessions, always the same ones
        #[arg(value_parser = share)]
        percent: u16,
        #[arg(long, value_enum, default_value = "ouch")]
        door: Which,
        /// All sessions of a firm come in by the same door
        #[arg(long)]
        by_firm: bool,
    },
    /// Judge the candidate by what is known now, and record it
    Judge {
        #[arg(long, value_enum, default_value = "ouch")]
        door: Which,
    },
    /// Let everybody come in by the exchange's own door, from the next connection on
    Back {
        #[arg(long, value_enum, default_value = "ouch")]
        door: Which,
    },
}

#[derive(Clone, Debug, clap::Subcommand)]
enum FeedDeed {
    /// Which feeds are there, whom they tell, and what was found
    Status,
    /// Start a candidate and, beside it, the old build as a measure; give the candidate share after share while the judge
    /// lets it
    Start {
        /// The candidate's executable: a `rialto` of another build
        #[arg(long, value_name = "PATH")]
        build: PathBuf,
        /// Percentages of the subscribers, in order, 50 at most
        #[arg(long, value_name = "P,P..", value_delimiter = ',', value_parser = share, default_values = ["5", "20", "50"])]
        shares: Vec<u16>,
        /// How long each lasts: seconds, such as 30s
        #[arg(long, default_value = "30s")]
        bake: Bake,
        /// All sessions of a firm are told by the same process
        #[arg(long)]
        by_firm: bool,
        /// More arguments for the candidate's `feed`; may be given more than once
        #[arg(long = "feed-arg", value_name = "ARG", allow_hyphen_values = true)]
        feed_args: Vec<String>,
    },
    /// Send a share of new subscribers to the candidate that is there
    Share {
        /// In per cent of the subscribers, always the same ones
        #[arg(value_parser = share)]
        percent: u16,
        /// All sessions of a firm are told by the same process
        #[arg(long)]
        by_firm: bool,
    },
    /// Judge the candidate by what is known now, and record it
    Judge,
    /// Let the exchange tell everybody again, and dismiss the candidate
    Back,
}

impl FeedDeed {
    fn act(self) -> Result<FeedAct> {
        Ok(match self {
            Self::Status => FeedAct::Status,
            Self::Start {
                build,
                shares,
                bake,
                by_firm,
                feed_args,
            } => FeedAct::Start {
                plan: Plan {
                    build: std::path::absolute(build)?,
                    shares,
                    bake,
                    by_firm,
                    args: feed_args,
                },
            },
            Self::Share { percent, by_firm } => FeedAct::Share {
                ten_thousandths: percent,
                by_firm,
            },
            Self::Judge => FeedAct::Judge,
            Self::Back => FeedAct::Back,
        })
    }
}

impl DoorDeed {
    fn act(self) -> Result<DoorAct> {
        Ok(match self {
            Self::Status => DoorAct::Status,
            Self::Start {
                build,
                door,
                shares,
                bake,
                by_firm,
                door_args,
            } => DoorAct::Start {
                door,
                plan: Plan {
                    build: std::path::absolute(build)?,
                    shares,
                    bake,
                    by_firm,
                    args: door_args,
                },
            },
            Self::Share { percent, door, by_firm } => DoorAct::Share {
                door,
                ten_thousandths: percent,
                by_firm,
            },
            Self::Judge { door } => DoorAct::Judge { door },
            Self::Back { door } => DoorAct::Back { door },
        })
    }
}

impl Deploy {
    pub(crate) fn run(self) -> Result<()> {
        let act = match self.act {
            Deed::Status => DeployAct::Status,
            Deed::CutOver { after } => DeployAct::CutOver { after },
            Deed::Rollback => DeployAct::Rollback,
            Deed::Route { symbol, back } => DeployAct::Route { symbol, back },
            Deed::Feed(deed) => return self.place.put(&Request::Feeds { act: deed.act()? }, self.json),
            Deed::Door(deed) => return self.place.put(&Request::Doors { act: deed.act()? }, self.json),
        };
        self.place.put(&Request::Deploy { act }, self.json)
    }
}

/// A candidate that goes live instrument by instrument, and back by itself when it is wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct Canary {
    #[command(subcommand)]
    act: Move,
    #[command(flatten)]
    place: Place,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Move {
    /// Begin
    Start {
        /// The candidate's executable: a `rialto` of another build
        #[arg(long, value_name = "PATH")]
        build: PathBuf,
        /// test, symbols, and percentages of the instruments, in order
        #[arg(long, value_name = "STEP,STEP..", value_delimiter = ',', default_values = ["test", "1", "5", "20", "100"])]
        steps: Vec<Step>,
        /// How long each step lasts: seconds (30s) or commands (200000c)
        #[arg(long, default_value = "30s")]
        bake: Bake,
        /// More arguments for the candidate's `engine`; may be given more than once
        #[arg(long = "engine-arg", value_name = "ARG", allow_hyphen_values = true)]
        engine_args: Vec<String>,
        /// Do not count instructions before the first step, which takes some seconds of two cores where valgrind is at hand
        #[arg(long)]
        no_instructions: bool,
    },
    /// How it stands
    Status,
    /// Everything that is known of the last one: steps, verdict and its numbers, who was affected
    Report,
    /// Release every event by its word, once it has come through
    Promote,
    /// End it, and go back everywhere
    Rollback,
}

impl Canary {
    pub(crate) fn run(self) -> Result<()> {
        let act = match self.act {
            Move::Start {
                build,
                steps,
                bake,
                engine_args,
                no_instructions,
            } => CanaryAct::Start(Start {
                build: std::path::absolute(build)?,
                steps,
                bake,
                args: engine_args,
                instructions: !no_instructions,
            }),
            Move::Status => CanaryAct::Status,
            Move::Report => CanaryAct::Report,
            Move::Promote => CanaryAct::Promote,
            Move::Rollback => CanaryAct::Rollback,
        };
        self.place.put(&Request::Canary { act }, self.json)
    }
}
