//! Virtual time: a wall clock that may step back and a local one that never does.

use rialto_model::{Clock, Monotonic, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// All clones show the same times.
#[derive(Clone, Debug)]
pub(crate) struct SimClock {
    wall: Arc<AtomicU64>,
    local: Arc<AtomicU64>,
}

impl SimClock {
    pub(crate) fn at(wall: Timestamp) -> Self {
        Self {
            wall: Arc::new(AtomicU64::new(wall.0)),
            local: Arc::default(),
        }
    }

    pub(crate) fn advance_ns(&self, ns: u64) {
        self.wall.fetch_add(ns, Ordering::Relaxed);
        self.local.fetch_add(ns, Ordering::Relaxed);
    }

    /// The wall clock alone is set back, as by a time service.
    pub(crate) fn step_back_ns(&self, ns: u64) {
        self.wall.fetch_sub(ns, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&mut self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::Relaxed))
    }

    fn monotonic(&mut self) -> Monotonic {
        Monotonic(self.local.load(Ordering::Relaxed))
    }
}
