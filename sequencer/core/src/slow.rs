//! A slow disk on purpose: the gate sees late how far the journal is safe.

use rialto_model::{FaultKind, SequenceNumber};
use rialto_ring::{FaultBoard, FaultSight};
use std::collections::VecDeque;
use std::fmt;

/// Steps of the frontier that are waited for at one time; what comes beyond is seen with the last of them.
const STEPS_MAX: usize = 1_024;

/// What the gate sees of the frontier.
pub(crate) struct SlowDisk {
    faults: FaultSight,
    monotonic: Box<dyn Fn() -> u64 + Send>,
    /// How far it is safe, and when that is seen.
    steps: VecDeque<(u64, SequenceNumber)>,
    shown: SequenceNumber,
}

impl fmt::Debug for SlowDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlowDisk")
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl SlowDisk {
    pub(crate) fn new(board: FaultBoard, monotonic: Box<dyn Fn() -> u64 + Send>) -> Self {
        Self {
            faults: FaultSight::new(board, &[FaultKind::SlowDisk]),
            monotonic,
            steps: VecDeque::new(),
            shown: SequenceNumber(0),
        }
    }

    /// How far it is seen to be safe where it is safe up to `safe`.
    #[inline]
    pub(crate) fn seen(&mut self, safe: SequenceNumber) -> SequenceNumber {
        self.faults.look();
        if self.faults.faults().is_empty() {
            return safe;
        }
        self.seen_late(safe)
    }

    #[cold]
    fn seen_late(&mut self, safe: SequenceNumber) -> SequenceNumber {
        let now = (self.monotonic)();
        let last = self.steps.back().map_or(self.shown, |(_, step)| *step);
        if safe > last {
            let mut due = now;
            for one in self.faults.faults() {
                due = due
                    .saturating_add(one.fault.delay)
                    .saturating_add(one.fault.jitter_at(safe));
                one.strike();
            }
            let is_full = self.steps.len() >= STEPS_MAX;
            match self.steps.back_mut() {
                Some(step) if is_full => step.1 = safe,
                last => {
                    let before = last.map_or(0, |step| step.0);
                    self.steps.push_back((due.max(before), safe));
                }
            }
        }
        while let Some((due, step)) = self.steps.front().copied()
            && due <= now
        {
            self.shown = step;
            self.steps.pop_front();
        }
        self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::Text;
    use rialto_model::command::AddFault;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn what_is_safe_is_seen_late_and_at_once_when_the_disk_is_mended() {
        let board = FaultBoard::default();
        let time = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&time);
        let mut disk = SlowDisk::new(board.clone(), Box::new(move || clock.load(Ordering::Relaxed)));
        let mut seen = |now, safe| {
            time.store(now, Ordering::Relaxed);
            disk.seen(SequenceNumber(safe)).0
        };
        assert_eq!(seen(0, 5), 5);
        let fault = AddFault {
            kind: FaultKind::SlowDisk,
            delay: 100,
            jitter: 50,
            seed: 3,
            ..AddFault::default()
        };
        board.set([(fault, Text::EMPTY)]);
        assert_eq!((seen(0, 7), seen(99, 9)), (0, 0));
        assert_eq!(seen(150, 9), 7);
        assert_eq!(seen(249, 9), 9);
        assert_eq!(board.read()[0].struck(), 2);
        board.set([]);
        assert_eq!(seen(250, 20), 20);
    }
}
