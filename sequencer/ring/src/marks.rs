//! When a stage was how far: its own marks, for who measures beside the path.
//!
//! A stage that has moved something writes one [`Mark`] for the whole batch, into a bounded ring of its own ([`Pen`]). It never
//! waits: a full ring loses the mark, and the one behind it says from where it counts, so that a hole is seen and no number
//! gets a wrong time. Marks are measurements: none is part of the stream, and a stage without a pen is the same stage.

use crate::spsc::{Consumer, Producer, RingBuffer};
use crate::ticks::Ticks;

/// Marks between a stage and who reads them; one more is lost.
pub const MARKS: usize = 4_096;

/// A stage was as far as `upto` at `at`, and at the mark before as far as `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<T = ()> {
    /// The last number of the mark before, be it lost or not.
    pub from: u64,
    /// The last number of this batch.
    pub upto: u64,
    /// The pen's [`Ticks`]; of a stage that states the time itself, what it stated.
    pub at: u64,
    /// What else the stage says of these numbers.
    pub of: T,
}

/// From which input of the sequencer the commands of a mark came, and how many it has taken from there with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Which; `None`: the sequencer's own.
    pub input: Option<u32>,
    /// Commands taken from it since the start.
    pub taken: u64,
}

/// Writes a stage's marks.
#[derive(Debug)]
pub struct Pen<T = ()> {
    marks: Producer<Mark<T>>,
    ticks: Ticks,
    last: u64,
}

/// A pen for a stage that stands behind number `last`, and where its marks are read.
#[must_use]
pub fn pen<T>(ticks: Ticks, last: u64) -> (Pen<T>, Consumer<Mark<T>>) {
    let (marks, read) = RingBuffer::new(MARKS);
    (Pen { marks, ticks, last }, read)
}

impl<T> Pen<T> {
    /// What its counter shows.
    #[inline]
    pub fn now(&mut self) -> u64 {
        self.ticks.now()
    }

    /// The stage was as far as `upto` at `at`. A number that is marked already says nothing.
    #[inline]
    pub fn note_of(&mut self, upto: u64, at: u64, of: T) {
        if upto <= self.last {
            return;
        }
        let from = std::mem::replace(&mut self.last, upto);
        // Without room it is lost, which the next one shows.
        let _ = self.marks.push(Mark { from, upto, at, of });
    }
}

impl Pen {
    /// The stage was as far as `upto` at `at`.
    #[inline]
    pub fn note_at(&mut self, upto: u64, at: u64) {
        self.note_of(upto, at, ());
    }

    /// The stage is as far as `upto` now. The counter is read where that is news.
    #[inline]
    pub fn note(&mut self, upto: u64) {
        if upto > self.last {
            let at = self.now();
            self.note_of(upto, at, ());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_batch_is_one_mark_and_a_lost_one_leaves_a_hole_that_is_seen() {
        let (mut pen, mut read) = pen(Ticks::new(SystemClock::new()), 5);
        pen.note_at(5, 1);
        pen.note_at(9, 2);
        pen.note_at(9, 3);
        let mark = |from, upto, at| Mark { from, upto, at, of: () };
        assert_eq!(read.pop(), Ok(mark(5, 9, 2)));
        assert!(read.is_empty());
        for number in 0..=MARKS as u64 {
            pen.note_at(10 + number, number);
        }
        let mut last = 9;
        while let Ok(one) = read.pop() {
            assert_eq!(one.from, last);
            last = one.upto;
        }
        let lost = 10 + MARKS as u64;
        assert_eq!(last, lost - 1);
        pen.note(lost + 1);
        assert_eq!(read.pop().map(|one| (one.from, one.upto)), Ok((lost, lost + 1)));
    }
}
