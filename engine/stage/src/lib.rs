//! The engine as a stage: commands from a ring in, events to a broadcast ring out.
//!
//! [`EngineStage`] runs ahead of the durable frontier and knows nothing of it: what it writes waits at the release gate.
//! It never waits for a reader in the middle of a command, because on one thread the reader could then never run.
//! [`HashStage`] does the hashing of events on whatever thread reads the ring, never on the matching thread; where another
//! engine is on the stream, a [`Witness`] beside it compares both, command by command (`SPEC.md`).
#![forbid(unsafe_code)]

pub mod answers;
mod applier;
mod hash_stage;
pub mod talk;
mod witness;

pub use applier::Applier;
pub use hash_stage::{HashStage, Hashes};
pub use witness::{BYTES_MAX, COMMANDS_MAX, Testimony, Witness};

use rialto_matching::Matching;
use rialto_model::{Command, Output, Sequenced};
use rialto_ring::broadcast::Writer;
use rialto_ring::spsc::Consumer;
use rialto_ring::{Pen, Stage};

/// Commands applied in one poll at most; their events are published together.
const BATCH: usize = 256;

/// Applies sequenced commands in order.
#[derive(Debug)]
pub struct EngineStage<M> {
    applier: Applier<M>,
    commands: Consumer<Sequenced<Command>>,
    marks: Option<Pen>,
}

impl<M: Matching> EngineStage<M> {
    /// An engine between two rings.
    #[must_use]
    pub fn new(engine: M, commands: Consumer<Sequenced<Command>>, events: Writer<Output>) -> Self {
        Self {
            applier: Applier::new(engine, events),
            commands,
            marks: None,
        }
    }

    /// Writes when it was how far, behind each batch: a measurement beside the engine, which knows nothing of it.
    #[must_use]
    pub fn marking(self, pen: Pen) -> Self {
        Self {
            marks: Some(pen),
            ..self
        }
    }

    /// Events that wait because the ring was full when they came.
    #[must_use]
    pub fn spilled(&self) -> usize {
        self.applier.spilled()
    }

    /// The engine, for questions about its state between polls.
    pub const fn engine(&self) -> &M {
        self.applier.engine()
    }
}

impl<M: Matching + Send> Stage for EngineStage<M> {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn poll(&mut self) -> usize {
        let drained = self.applier.drain();
        let waiting = self.commands.slots().min(BATCH);
        let (mut taken, mut last_seq) = (0, 0);
        if let Ok(commands) = self.commands.read_chunk(waiting) {
            // In place: a command is no small thing to copy.
            let (first, second) = commands.as_slices();
            taken = self.applier.apply(first);
            if taken == first.len() {
                taken += self.applier.apply(second);
            }
            if self.marks.is_some() {
                let (half, at) = if taken > first.len() {
                    (second, taken - first.len())
                } else {
                    (first, taken)
                };
                last_seq = half[..at].last().map_or(0, |command| command.seq.0);
            }
            commands.commit(taken);
        }
        self.applier.publish();
        if let Some(pen) = &mut self.marks {
            pen.note(last_seq);
        }
        drained + taken
    }

    fn is_drained(&self) -> bool {
        self.applier.spilled() == 0 && self.commands.is_empty()
    }
}
