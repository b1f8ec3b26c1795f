//! Time in which somebody looked: what patience with another process is measured in.
//!
//! Who waits for another looks every so often. Where the machine lets nobody run, the looks come late, and the other had no more
//! of that time than who waits: so a stretch between two looks counts for [`STRETCH_MAX`] at most. A machine that stands still for a
//! minute costs nobody the minute; one that is busy makes every patience as much longer.

use std::time::{Duration, Instant};

/// What a stretch between two looks counts for at most: many times what a look waits for.
const STRETCH_MAX: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Attention {
    last: Instant,
    seen: Duration,
}

impl Attention {
    pub(super) fn begin() -> Self {
        Self {
            last: Instant::now(),
            seen: Duration::ZERO,
        }
    }

    /// A look: how much has been seen since the beginning.
    pub(super) fn look(&mut self) -> Duration {
        self.look_at(Instant::now())
    }

    fn look_at(&mut self, now: Instant) -> Duration {
        self.seen += now.saturating_duration_since(self.last).min(STRETCH_MAX);
        self.last = now;
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_nobody_looked_in_does_not_count() {
        let mut attention = Attention::begin();
        let mut now = attention.last;
        let mut after = |millis| {
            now += Duration::from_millis(millis);
            attention.look_at(now).as_millis()
        };
        assert_eq!([after(2), after(2), after(40)], [2, 4, 44]);
        assert_eq!(after(60_000), 94, "the machine stood still for a minute");
        assert_eq!(after(2), 96);
    }
}
