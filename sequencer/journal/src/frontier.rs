//! Up to where events may leave, and what writer and syncer tell each other.

use crate::config::Durability;
use rialto_model::{Epoch, SequenceNumber};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The end of this writer: nothing more is released, ever.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// What was written may or may not be on the disk, and asking again proves nothing.
    #[error(
        "fdatasync of {file} failed ({cause}): nothing more is released; check the disk, then start the exchange again, which recovers what is on it"
    )]
    Sync {
        /// Which segment.
        file: String,
        /// What the disk said.
        cause: String,
    },
    /// Another took the journal.
    #[error(
        "epoch {by} has taken the journal: this writer of epoch {own} is fenced off and nothing more of it is released; stop this process"
    )]
    Fenced {
        /// This writer's epoch.
        own: Epoch,
        /// The other's.
        by: Epoch,
    },
}

/// How far the stream is safe by the configured rule. All clones are one; reading it costs one load.
#[derive(Clone, Debug)]
pub struct Frontier(pub(crate) Arc<Shared>);

/// What writer, syncer and gate share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) epoch: Epoch,
    pub(crate) durability: Durability,
    /// Stored by the writer in `memory`, by the syncer in `disk`, by nobody else.
    released: AtomicU64,
    /// Stored by the writer only, in this order at each write: segment, written, writes.
    segment: AtomicU32,
    written: AtomicU64,
    writes: AtomicU64,
    failure: OnceLock<Failure>,
    reserve_problem: Mutex<Option<String>>,
    /// Whether there is one: asked for in passing, so without the lock.
    reserve_refused: AtomicBool,
}

impl Frontier {
    /// Every event caused by a command up to this number may leave, if it is of this epoch. It never goes back.
    #[inline]
    #[must_use]
    pub fn released_up_to(&self) -> (Epoch, SequenceNumber) {
        (self.0.epoch, self.0.released())
    }

    /// What the disk said when it last refused to make a segment, while that stands.
    #[must_use]
    pub fn reserve_problem(&self) -> Option<String> {
        self.0.reserve_problem()
    }

    /// Why the frontier will not move again, if so.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.0.failure()
    }
}

impl Shared {
    pub(crate) fn new(epoch: Epoch, durability: Durability, segment: u32, last: SequenceNumber) -> Self {
        Self {
            epoch,
            durability,
            released: AtomicU64::new(last.0),
            segment: AtomicU32::new(segment),
            written: AtomicU64::new(last.0),
            writes: AtomicU64::new(0),
            failure: OnceLock::new(),
            reserve_problem: Mutex::new(None),
            reserve_refused: AtomicBool::new(false),
        }
    }

    pub(crate) fn released(&self) -> SequenceNumber {
        SequenceNumber(self.released.load(Ordering::Acquire))
    }

    /// Only by the one whose frontier it is, see [`Shared::released`].
    pub(crate) fn release(&self, up_to: SequenceNumber) {
        self.released.store(up_to.0, Ordering::Release);
    }

    /// By the writer: from here on it writes there.
    pub(crate) fn enter_segment(&self, id: u32) {
        self.segment.store(id, Ordering::Release);
    }

    /// By the writer: the write that ends with this number returned.
    pub(crate) fn wrote(&self, up_to: SequenceNumber) {
        self.written.store(up_to.0, Ordering::Release);
        self.writes.fetch_add(1, Ordering::Release);
    }

    /// By the syncer: writes so far, the last number they reach at least, and the segment that number is in at most.
    /// Read in the opposite order to that in which the writer stores them, so that the later ones are never behind.
    pub(crate) fn progress(&self) -> (u64, SequenceNumber, u32) {
        let writes = self.writes.load(Ordering::Acquire);
        let written = SequenceNumber(self.written.load(Ordering::Acquire));
        (writes, written, self.segment.load(Ordering::Acquire))
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.get()
    }

    /// The first failure stays.
    pub(crate) fn fail(&self, failure: Failure) {
        let _ = self.failure.set(failure);
    }

    /// Why no segment is ready, if the disk refused one. Not on the order path.
    pub(crate) fn reserve_problem(&self) -> Option<String> {
        let problem = self.reserve_problem.lock();
        problem.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn reserve_refused(&self) -> bool {
        self.reserve_refused.load(Ordering::Acquire)
    }

    pub(crate) fn set_reserve_problem(&self, problem: Option<String>) {
        self.reserve_refused.store(problem.is_some(), Ordering::Release);
        let kept = self.reserve_problem.lock();
        *kept.unwrap_or_else(PoisonError::into_inner) = problem;
    }
}
