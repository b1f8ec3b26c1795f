//! Instead of an engine on the stream: the commands up to one of a number, from the exchange's newest snapshot on, the last of them
//! in one go, for callgrind to count the instructions of.

use super::brain::Brain;
use super::{Args, LOOK, ORPHAN_MAX, meter};
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result, bail, ensure};
use rialto_follow::wire::Stand;
use rialto_follow::{Follower, Key, News, Reason, Refused};
use rialto_model::Epoch;
use rialto_past::Snapshot;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// The function in which instructions count.
pub(crate) const FUNCTION: &str = "rialto::engine::meter::apply*";
/// The most commands that are counted.
const COMMANDS: u64 = 8_192;

/// What was applied: two builds are held against each other by the same commands only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counted {
    /// The last command before.
    pub(crate) after: u64,
    pub(crate) commands: usize,
}

pub(super) fn run(args: &Args, key: Key, to: u64, interrupt: &Interrupt) -> Result<()> {
    let mut follower = Follower::new(args.follow, key, Stand::default(), Epoch(0), true);
    let (mut brain, mut after, mut pending) = (Brain::of(args), 0, Vec::new());
    let (mut last, mut heard) = (0, Instant::now());
    while last < to {
        ensure!(!interrupt.is_set(), "interrupted");
        ensure!(
            heard.elapsed() < ORPHAN_MAX,
            "the exchange stands at {last} of {to} commands for {ORPHAN_MAX:?}"
        );
        match follower.next(LOOK)? {
            Some(News::Snapshot { seq, bytes }) => {
                ensure!(seq.0 < to, "there is a snapshot at {seq}, behind {to}");
                let snapshot = Snapshot::decode(&bytes).with_context(|| format!("the exchange's snapshot at {seq}"))?;
                brain.import(&snapshot.state)?;
                (after, last) = (seq.0, seq.0);
            }
            Some(News::Command(command)) => {
                last = command.seq.0;
                if last + COMMANDS <= to {
                    brain.apply(&command, &mut meter::Drop);
                    after = last;
                } else if last <= to {
                    pending.push(command);
                }
            }
            Some(News::Lost(Refused::Farewell(Reason::Ended, _))) => bail!("the exchange has ended"),
            _ => continue,
        }
        heard = Instant::now();
    }
    meter::apply(&mut brain, &pending);
    let commands = pending.len();
    out::json_line(&Counted { after, commands });
    Ok(())
}
