//! Lines for people, from stages that must never wait: a bounded channel that the composition root empties.
//!
//! A line is lost when the channel is full; how many were lost is counted. No line ever holds a password.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender};

/// Where a stage says things to people. All clones are one.
#[derive(Clone, Debug)]
pub struct Say {
    lines: Sender<String>,
    lost: Arc<AtomicU64>,
}

impl Say {
    /// A channel that holds `capacity` lines, and where to take them out.
    #[must_use]
    pub fn channel(capacity: usize) -> (Self, Receiver<String>) {
        let (lines, receiver) = crossbeam_channel::bounded(capacity);
        let lost = Arc::default();
        (Self { lines, lost }, receiver)
    }

    /// To nobody: every line is lost and counted.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::channel(0).0
    }

    /// Says a line, or counts it where there is no room. The line is only made when there is.
    pub fn line(&self, line: impl FnOnce() -> String) {
        if self.lines.is_full() || self.lines.try_send(line()).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let (say, lines) = Say::channel(2);
        for number in 0..5 {
            say.line(|| format!("line {number}"));
        }
        assert_eq!(lines.try_iter().collect::<Vec<_>>(), ["line 0", "line 1"]);
        assert_eq!(say.lost(), 3);
        Say::nowhere().line(|| unreachable!("nobody listens, so the line is not made"));
    }
}
