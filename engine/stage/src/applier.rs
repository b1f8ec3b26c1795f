//! An engine and its way out: commands in order in, events with their command's envelope to a ring.

use rialto_matching::Matching;
use rialto_model::{Command, Event, EventSink, Output, Sequenced};
use rialto_ring::broadcast::Writer;
use std::collections::VecDeque;

/// Applies commands to an engine and writes what came of them to a ring.
#[derive(Debug)]
pub struct Applier<M> {
    engine: M,
    events: EventQueue,
}

impl<M: Matching> Applier<M> {
    /// An engine before a ring.
    #[must_use]
    pub const fn new(engine: M, events: Writer<Output>) -> Self {
        Self {
            engine,
            events: EventQueue {
                ring: events,
                spill: VecDeque::new(),
            },
        }
    }

    /// Applies commands until they end or the ring is full, and says how many. The others are to come again after a
    /// [`drain`](Self::drain).
    #[inline]
    pub fn apply(&mut self, commands: &[Sequenced<Command>]) -> usize {
        for (taken, command) in commands.iter().enumerate() {
            if !self.events.spill.is_empty() {
                return taken;
            }
            self.engine.apply(
                command,
                &mut CommandSink {
                    command,
                    queue: &mut self.events,
                },
            );
            self.events.end_of_command();
        }
        commands.len()
    }

    /// Writes what found the ring full, as far as there is room now, and says how many events.
    pub fn drain(&mut self) -> usize {
        self.events.drain_spill()
    }

    /// Lets the gate see everything written so far.
    pub fn publish(&mut self) {
        self.events.ring.publish();
    }

    /// Events that wait because the ring was full when they came.
    #[must_use]
    pub fn spilled(&self) -> usize {
        self.events.spill.len()
    }

    /// The engine, for questions about its state between commands.
    pub const fn engine(&self) -> &M {
        &self.engine
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
