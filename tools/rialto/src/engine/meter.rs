//! What commands cost this build's engine, in thread CPU.
//!
//! A second engine applies the same commands once more, a whole window at a time: so a window costs the same however its
//! commands came in, and windows of two processes are pairs of the same work by their number. That it is done twice is the
//! price, and only engine processes pay it. Inside: the matching of plain and special commands, events made and dropped.
//! Not inside: hashing, encoding, sockets.

use super::brain::Brain;
use nix::time::{ClockId, clock_gettime};
use rialto_engine::talk::{Cost, WINDOW};
use rialto_model::{Command, Event, EventSink, SequenceNumber, Sequenced};
use std::hint::black_box;

pub(super) struct Meter {
    brain: Brain,
    pending: Vec<Sequenced<Command>>,
    costs: Vec<Cost>,
}

impl Meter {
    /// Goes on from where the engine is.
    pub(super) const fn new(brain: Brain) -> Self {
        Self {
            brain,
            pending: Vec::new(),
            costs: Vec::new(),
        }
    }

    /// Takes the next command.
    pub(super) fn take(&mut self, command: &Sequenced<Command>) {
        let of = |seq: SequenceNumber| seq.0 / WINDOW;
        if let Some(first) = self.pending.first()
            && of(first.seq) != of(command.seq)
        {
            self.measure(of(first.seq));
        }
        self.pending.push(*command);
    }

    /// Applies a window. One that is not whole, because this began in it or passed over one, is not told.
    fn measure(&mut self, window: u64) {
        let begun = thread_cpu_ns();
        for command in &self.pending {
            self.brain.apply(command, &mut Drop);
        }
        self.brain.rest(thread_cpu_ns() - begun);
        let cpu_ns = thread_cpu_ns() - begun;
        if self.pending.len() as u64 == WINDOW {
            self.costs.push(Cost { window, cpu_ns });
        }
        self.pending.clear();
    }

    /// What is measured since this was last asked.
    pub(super) fn costs(&mut self) -> Vec<Cost> {
        std::mem::take(&mut self.costs)
    }
}

/// Drops events once they are made.
struct Drop;

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
