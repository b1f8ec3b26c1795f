//! The feed without lines: for who tells it over another transport alone, in a process of its own.

use rialto_model::Output;
use rialto_publisher::{ConfigError, Publisher, Tick};
use rialto_ring::spsc::Producer;

use crate::tap::Tap;

/// Follows the released stream and copies the feed's messages into a ring, as [`FeedStage`](crate::FeedStage) does: the same
/// session, the same numbers, the same bytes.
#[derive(Debug)]
pub struct Teller {
    publisher: Publisher,
    tap: Tap,
}

impl Teller {
    /// One that has followed nothing.
    ///
    /// # Errors
    /// [`ConfigError`] for bounds that cannot be kept.
    pub fn new(config: rialto_publisher::Config, ring: Producer<Tick>) -> Result<Self, ConfigError> {
        Ok(Self {
            publisher: Publisher::new(config)?,
            tap: Tap::new(ring),
        })
    }

    /// Takes in the next released output.
    pub fn follow(&mut self, output: &Output) {
        self.tap.follow(output, &self.publisher);
        self.publisher.follow(output);
        self.publisher.skip_unsent();
    }

    /// Copies messages of whole commands as far as there is room. Returns how many.
    pub fn copy(&mut self) -> usize {
        self.tap.copy(&self.publisher)
    }

    /// Copies everything, waiting for room a bounded time: while the past is taken in.
    pub fn copy_waiting(&mut self) {
        self.tap.copy_waiting(&self.publisher);
    }
}
