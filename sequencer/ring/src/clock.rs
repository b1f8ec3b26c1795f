//! Clocks: the machine's, and one that a test or a recorded day moves by hand.

use rialto_model::{Clock, Monotonic, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
    behind_ns: u64,
}

impl SystemClock {
    /// Local time counts from here.
    #[must_use]
    pub fn new() -> Self {
        Self::behind(0)
    }

    /// A venue's clock that stands so many nanoseconds behind the machine's: that of a market that goes on from its past.
    #[must_use]
    pub fn behind(behind_ns: u64) -> Self {
        Self {
            start: Instant::now(),
            behind_ns,
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    /// A machine whose clock stands before 1970 reads as 1970; the sequencer keeps stamps from going back.
    fn now(&mut self) -> Timestamp {
        Timestamp(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| d.as_nanos() as u64)
                .saturating_sub(self.behind_ns),
        )
    }

    fn monotonic(&mut self) -> Monotonic {
        Monotonic(self.start.elapsed().as_nanos() as u64)
    }
}

/// A clock that moves only when told; all clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// A clock that shows `time`.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(time.0)))
    }

    /// Sets the time.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.0, Ordering::Release);
    }

    /// Moves the time on.
    pub fn advance_ns(&self, ns: u64) {
        self.0.fetch_add(ns, Ordering::AcqRel);
    }
}

impl Clock for VirtualClock {
    fn now(&mut self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Acquire))
    }

    fn monotonic(&mut self) -> Monotonic {
        Monotonic(self.0.load(Ordering::Acquire))
    }
}
