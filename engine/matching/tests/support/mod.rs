//! What the tests share: a sink that keeps events, a seeded generator of numbers, scripts and random flows.
#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod flagged;
pub(crate) mod flow;
pub(crate) mod limited;
pub(crate) mod print;
pub(crate) mod ruled;
pub(crate) mod script;

use rialto_matching::Matching;
use rialto_model::{Command, Epoch, Event, EventSink, SequenceNumber, Sequenced, Timestamp};

/// Keeps what is emitted.
#[derive(Debug, Default)]
pub(crate) struct Events(pub(crate) Vec<Event>);

impl EventSink for Events {
    fn emit(&mut self, event: Event) {
        self.0.push(event);
    }
}

/// Puts the envelope around a command.
pub(crate) fn sequenced(seq: u64, body: Command) -> Sequenced<Command> {
    Sequenced {
        seq: SequenceNumber(seq),
        stamp: Timestamp(seq.saturating_mul(1_000)),
        epoch: Epoch(1),
        body,
    }
}

/// Applies one command and returns its events.
pub(crate) fn apply(engine: &mut impl Matching, command: &Sequenced<Command>) -> Vec<Event> {
    let mut events = Events::default();
    engine.apply(command, &mut events);
    events.0
}

/// A seeded generator of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}
