//! The ends that a replay has in place of doors and durability.

use crate::source::Source;
use rialto_engine::Applier;
use rialto_matching::Matching;
use rialto_model::{Command, Output, Sequenced};
use rialto_ring::Stage;
use rialto_ring::broadcast::Gate;
use rialto_ring::spsc::Producer;

/// Commands taken in one poll at most.
const BATCH: usize = 512;
/// Events released in one poll at most.
const EVENT_BATCH: usize = 4_096;

/// A source until it ends or fails, and how many commands it gave.
pub(crate) struct Feed<S: Source> {
    /// `None` once it has ended or failed.
    source: Option<S>,
    commands: u64,
    failure: Option<S::Error>,
}

impl<S: Source> Feed<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self {
            source: Some(source),
            commands: 0,
            failure: None,
        }
    }

    /// Shows up to `most` commands to `take`, which says how many it took.
    fn poll(&mut self, most: usize, take: impl FnOnce(&[Sequenced<Command>]) -> usize) -> usize {
        let Some(source) = &mut self.source else { return 0 };
        match source.fill() {
            Ok([]) => self.source = None,
            Ok(commands) => {
                let taken = take(commands.get(..most).unwrap_or(commands));
                source.consume(taken);
                self.commands += taken as u64;
                return taken;
            }
            Err(failure) => {
                self.failure = Some(failure);
                self.source = None;
            }
        }
        0
    }

    /// How many commands were taken, or why not all were.
    pub(crate) fn finish(self) -> Result<u64, S::Error> {
        self.failure.map_or(Ok(self.commands), Err)
    }
}

/// Applies recorded commands where they were read: on one thread no ring is needed between.
pub(crate) struct Rebuild<M, S: Source> {
    pub(crate) feed: Feed<S>,
    pub(crate) applier: Applier<M>,
}

impl<M: Matching + Send, S: Source> Stage for Rebuild<M, S> {
    fn name(&self) -> &'static str {
        "rebuild"
    }

    fn poll(&mut self) -> usize {
        let drained = self.applier.drain();
        let applier = &mut self.applier;
        let taken = self.feed.poll(BATCH, |commands| applier.apply(commands));
        self.applier.publish();
        drained + taken
    }

    fn is_drained(&self) -> bool {
        self.feed.source.is_none() && self.applier.spilled() == 0
    }
}

/// Puts recorded commands into the ring of an engine on another thread, as fast as there is room.
pub(crate) struct Feeder<S: Source> {
    pub(crate) feed: Feed<S>,
    pub(crate) engine: Producer<Sequenced<Command>>,
}

impl<S: Source> Stage for Feeder<S> {
    fn name(&self) -> &'static str {
        "feeder"
    }

    fn poll(&mut self) -> usize {
        let Self { feed, engine } = self;
        let room = engine.slots().min(BATCH);
        if room == 0 {
            return 0;
        }
        feed.poll(room, |commands| match engine.write_chunk_uninit(commands.len()) {
            Ok(chunk) => chunk.fill_from_iter(commands.iter().copied()),
            Err(_) => unreachable!("room was counted above, and nobody else pushes"),
        })
    }

    fn is_drained(&self) -> bool {
        self.feed.source.is_none()
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
