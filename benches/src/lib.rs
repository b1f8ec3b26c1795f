//! Measurements beside the machine's limits: `cargo bench --package rialto-benches`.
//!
//! Each bench opens with the question it answers, the load, and what is excluded. Criterion's times on a shared machine
//! scatter by 8 to 25 %: they are to look at, never a gate. What is counted, and what gates, is in `rialto bench engine`.
//! Here are the loads that several benches share.
#![forbid(unsafe_code)]

pub mod messages;

use rialto_flow::{Flow, Shape};
use rialto_matching::{Engine, Limits, Matching};
use rialto_model::{Command, Event, EventSink, Sequenced};

/// The seed of every load.
pub const SEED: u64 = 1;

/// The events of the first `count` commands of the base flow, its prelude left out.
#[must_use]
pub fn events(count: usize) -> Vec<Sequenced<Event>> {
    let flow = Flow::new(Shape::Base, count, SEED);
    let mut engine = Engine::new(Limits::default());
    let mut events = Vec::new();
    for (commands, keep) in [(&flow.prelude, false), (&flow.commands, true)] {
        for command in commands {
            let mut kept = Kept {
                command,
                keep,
                events: &mut events,
            };
            engine.apply(command, &mut kept);
        }
    }
    events
}

/// Puts a command's envelope around its events.
struct Kept<'a> {
    command: &'a Sequenced<Command>,
    keep: bool,
    events: &'a mut Vec<Sequenced<Event>>,
}

impl EventSink for Kept<'_> {
    fn emit(&mut self, body: Event) {
        if self.keep {
            let Sequenced { seq, stamp, epoch, .. } = *self.command;
            self.events.push(Sequenced {
                seq,
                stamp,
                epoch,
                body,
            });
        }
    }
}
