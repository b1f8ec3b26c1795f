//! What commands cost this build's engine, in thread CPU.
//!
//! More engines apply the same commands once more, some whole windows at a time: so a window costs the same however its
//! commands came in, and windows of two processes are pairs of the same work by their number. That it is done again is the
//! price, and only engine processes pay it. Inside: the matching of plain and special commands, events made and dropped.
//! Not inside: hashing, encoding, sockets.

use super::brain::Brain;
use nix::time::{ClockId, clock_gettime};
use rialto_engine::talk::{Cost, WINDOW};
use rialto_model::{Command, Event, EventSink, SequenceNumber, Sequenced};
use std::hint::black_box;

/// Windows that are applied in one go: a window takes 50 us where the caches are warm, and three times that where others had
/// them since the last one.
const RUN: u64 = 8;
/// Engines that apply each run, one after the other: what a window costs is the least of them, for whatever else the machine
/// does only adds, and seldom to all. Each takes the memory of an engine.
const TAKES: usize = 5;

pub(super) struct Meter {
    brains: Vec<Brain>,
    pending: Vec<Sequenced<Command>>,
    costs: Vec<Cost>,
}

impl Meter {
    /// Goes on from where the engine is.
    pub(super) fn new(brain: &Brain) -> Self {
        Self {
            brains: vec![brain.clone(); TAKES],
            pending: Vec::new(),
            costs: Vec::new(),
        }
    }

    /// Takes the next command.
    pub(super) fn take(&mut self, command: &Sequenced<Command>) {
        let of = |seq: SequenceNumber| window(seq) / RUN;
        if let Some(first) = self.pending.first()
            && of(first.seq) != of(command.seq)
        {
            self.measure();
        }
        self.pending.push(*command);
    }

    /// Applies a run of windows.
    fn measure(&mut self) {
        let takes = self.brains.iter_mut().map(|brain| apply(brain, &self.pending));
        let least = takes.reduce(|mut least, take| {
            for (cost, other) in least.iter_mut().zip(take) {
                cost.cpu_ns = cost.cpu_ns.min(other.cpu_ns);
            }
            least
        });
        self.costs.extend(least.into_iter().flatten());
        self.pending.clear();
    }

    /// What is measured since this was last asked.
    pub(super) fn costs(&mut self) -> Vec<Cost> {
        std::mem::take(&mut self.costs)
    }
}

/// What each window costs, and the one place where instructions are counted. One that is not whole, because the meter began in it or passed over one, is not told.
#[inline(never)]
pub(super) fn apply(brain: &mut Brain, run: &[Sequenced<Command>]) -> Vec<Cost> {
    let windows = run.chunk_by(|one, next| window(one.seq) == window(next.seq));
    let costs = windows.map(|commands| {
        let begun = thread_cpu_ns();
        for command in commands {
            brain.apply(command, &mut Drop);
        }
        brain.rest(thread_cpu_ns() - begun);
        let cpu_ns = thread_cpu_ns() - begun;
        let whole = commands.first().filter(|_| commands.len() as u64 == WINDOW);
        whole.map(|first| Cost {
            window: window(first.seq),
            cpu_ns,
        })
    });
    costs.flatten().collect()
}

/// The window of a command.
const fn window(seq: SequenceNumber) -> u64 {
    seq.0 / WINDOW
}

/// Drops events once they are made.
pub(super) struct Drop;

impl EventSink for Drop {
    fn emit(&mut self, event: Event) {
        black_box(&event);
    }
}

/// What this thread has used of its cores.
fn thread_cpu_ns() -> u64 {
    let spec = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    spec.map_or(0, |spec| spec.tv_sec() as u64 * 1_000_000_000 + spec.tv_nsec() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Args;
    use clap::Parser as _;
    use rialto_model::{Epoch, Timestamp};

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn meter() -> Meter {
        let line = Line::parse_from(["engine", "--follow", "127.0.0.1:1", "--key", "none"]);
        Meter::new(&Brain::of(&line.args))
    }

    /// Takes ticks with these numbers, and gives the windows that are told.
    fn told(numbers: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut meter = meter();
        for number in numbers {
            meter.take(&Sequenced {
                seq: SequenceNumber(number),
                stamp: Timestamp(number),
                epoch: Epoch(0),
                body: Command::Tick(rialto_model::command::Tick {}),
            });
        }
        let costs = meter.costs();
        assert!(costs.iter().all(|cost| cost.cpu_ns > 0), "{costs:?}");
        costs.iter().map(|cost| cost.window).collect()
    }

    #[test]
    fn only_whole_windows_of_a_run_that_is_over_are_told() {
        let run = RUN * WINDOW;
        // It begins in the third window, and the last run is not over.
        assert_eq!(told(2 * WINDOW + 5..2 * run - 1), [3, 4, 5, 6, 7]);
        // Each once, however many engines applied it.
        assert_eq!(told(run..2 * run + 1), [8, 9, 10, 11, 12, 13, 14, 15]);
        // A command that was passed over.
        assert_eq!(
            told((run..=2 * run).filter(|number| *number != run + 7)),
            [9, 10, 11, 12, 13, 14, 15]
        );
    }
}
