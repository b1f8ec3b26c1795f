//! How far the feed is, for who waits for it.

use rialto_model::SequenceNumber;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shows to any thread how far the feed is. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// The last command whose events have all been followed, and whose messages have all been handed to the lines; zero
    /// before the first.
    #[must_use]
    pub fn followed(&self) -> SequenceNumber {
        SequenceNumber(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, seq: SequenceNumber) {
        self.0.store(seq.0, Ordering::Release);
    }
}
