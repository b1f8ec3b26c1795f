//! The two ends that a replay has in place of doors and durability.

use rialto_model::{Command, Output, Sequenced};
use rialto_ring::Stage;
use rialto_ring::broadcast::Gate;
use rialto_ring::spsc::Producer;

/// Commands read in one poll at most.
const BATCH: usize = 512;
/// Events released in one poll at most.
const EVENT_BATCH: usize = 4_096;

/// Puts recorded commands into the engine's ring, as fast as there is room.
pub(crate) struct Feeder<I, E> {
    /// `None` once it has ended or failed.
    source: Option<I>,
    engine: Producer<Sequenced<Command>>,
    commands: u64,
    failure: Option<E>,
}

impl<I, E> Feeder<I, E> {
    pub(crate) const fn new(source: I, engine: Producer<Sequenced<Command>>) -> Self {
        Self {
            source: Some(source),
            engine,
            commands: 0,
            failure: None,
        }
    }

    /// How many commands were fed, or why not all were.
    pub(crate) fn finish(self) -> Result<u64, E> {
        self.failure.map_or(Ok(self.commands), Err)
    }
}

impl<I: Iterator<Item = Result<Sequenced<Command>, E>> + Send, E: Send> Stage for Feeder<I, E> {
    fn name(&self) -> &'static str {
        "feeder"
    }

    fn poll(&mut self) -> usize {
        let Some(source) = &mut self.source else { return 0 };
        let room = self.engine.slots().min(BATCH);
        for moved in 0..room {
            match source.next() {
                Some(Ok(command)) => {
                    if self.engine.push(command).is_err() {
                        unreachable!("room was counted above, and nobody else pushes");
                    }
                    self.commands += 1;
                }
                end => {
                    self.failure = end.and_then(Result::err);
                    self.source = None;
                    return moved;
                }
            }
        }
        room
    }

    fn is_drained(&self) -> bool {
        self.source.is_none()
    }
}

/// Releases everything: a journal holds only what is safe.
pub(crate) struct OpenGate(pub(crate) Gate<Output>);

impl Stage for OpenGate {
    fn name(&self) -> &'static str {
        "open gate"
    }

    fn poll(&mut self) -> usize {
        self.0.poll(EVENT_BATCH, |_| true)
    }

    fn is_drained(&self) -> bool {
        self.0.is_drained()
    }
}
