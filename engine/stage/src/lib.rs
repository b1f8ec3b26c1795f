//! The engine as a stage: commands from a ring in, events to a broadcast ring out.
//!
//! [`EngineStage`] runs ahead of the durable frontier and knows nothing of it: what it writes waits at the release gate.
//! It never waits for a reader in the middle of a command, because on one thread the reader could then never run.
//! [`HashStage`] does the hashing of events on whatever thread reads the ring, never on the matching thread; where another
//! engine is on the stream, a [`Witness`] beside it compares both, command by command (`SPEC.md`).
#![forbid(unsafe_code)]

pub mod answers;
mod hash_stage;
pub mod talk;
mod witness;

pub use hash_stage::{HashStage, Hashes};
pub use witness::{BYTES_MAX, COMMANDS_MAX, Testimony, Witness};

use rialto_matching::Matching;
use rialto_model::{Command, Event, EventSink, Output, Sequenced};
use rialto_ring::Stage;
use rialto_ring::broadcast::Writer;
use rialto_ring::spsc::Consumer;
use std::collections::VecDeque;

/// Commands applied in one poll at most; their events are published together.
const BATCH: usize = 256;

/// Applies sequenced commands in order.
#[derive(Debug)]
pub struct EngineStage<M> {
    engine: M,
    commands: Consumer<Sequenced<Command>>,
    events: EventQueue,
}

impl<M: Matching> EngineStage<M> {
    /// An engine between two rings.
    #[must_use]
    pub fn new(engine: M, commands: Consumer<Sequenced<Command>>, events: Writer<Output>) -> Self {
        Self {
            engine,
            commands,
            events: EventQueue {
                ring: events,
                spill: VecDeque::new(),
            },
        }
    }

    /// Events that wait because the ring was full when they came.
    #[must_use]
    pub fn spilled(&self) -> usize {
        self.events.spill.len()
    }

    /// The engine, for questions about its state between polls.
    pub const fn engine(&self) -> &M {
        &self.engine
    }
}

impl<M: Matching + Send> Stage for EngineStage<M> {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn poll(&mut self) -> usize {
        let mut moved = self.events.drain_spill();
        for _ in 0..BATCH {
            if !self.events.spill.is_empty() {
                break;
            }
            let Ok(command) = self.commands.pop() else { break };
            self.engine.apply(
                &command,
                &mut CommandSink {
                    command: &command,
                    queue: &mut self.events,
                },
            );
            self.events.end_of_command();
            moved += 1;
        }
        self.events.ring.publish();
        moved
    }

    fn is_drained(&self) -> bool {
        self.events.spill.is_empty() && self.commands.is_empty()
    }
}

/// The way out. Events that find the ring full spill into a queue that holds the rest of one command's events, at most
/// one per live order and a few: the next command is not taken before the spill is empty.
#[derive(Debug)]
struct EventQueue {
    ring: Writer<Output>,
    spill: VecDeque<Output>,
}

impl EventQueue {
    fn push(&mut self, output: Output) {
        if !self.spill.is_empty() || self.ring.write(output).is_err() {
            self.spill.push_back(output);
        }
    }

    /// Marks the newest event as the last of its command. It is not published yet: that happens at the end of a poll.
    fn end_of_command(&mut self) {
        if let Some(output) = self.spill.back_mut().or_else(|| self.ring.unpublished()) {
            output.last = true;
        }
    }

    fn drain_spill(&mut self) -> usize {
        let mut moved = 0;
        while let Some(output) = self.spill.front() {
            if self.ring.write(*output).is_err() {
                break;
            }
            self.spill.pop_front();
            moved += 1;
        }
        moved
    }
}

/// Puts a command's envelope around its events.
struct CommandSink<'a> {
    command: &'a Sequenced<Command>,
    queue: &'a mut EventQueue,
}

impl EventSink for CommandSink<'_> {
    #[inline]
    fn emit(&mut self, event: Event) {
        let Sequenced { seq, stamp, epoch, .. } = *self.command;
        self.queue.push(Output {
            event: Sequenced {
                seq,
                stamp,
                epoch,
                body: event,
            },
            last: false,
        });
    }
}
