//! When each order came to each stage: kept and counted beside the path, from the marks that the stages write.
//!
//! A stage writes one mark for a batch, so a time is that of the batch in which the order was: of the first mark at or beyond its
//! number. That a door took it in is the beginning of the poll that read its bytes, that it was sequenced the batch's beginning; every
//! other time is the end of the batch's work, or that of the stage behind it where that one came to say so first.
//! The thread takes the marks from the stages' rings into memory, [`MARKS_KEPT`] for each stage, the oldest go; what was lost
//! between, or was before this process began, has no time. None of it is part of the stream.

mod table;

use self::table::{PERCENTILES, Table};
use super::core::Pens;
use rialto_model::{Clock as _, SequenceNumber};
use rialto_ring::spsc::Consumer;
use rialto_ring::{Mark, Origin, Pen, Scale, SystemClock, Ticks, pen};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Marks of a stage that are kept: batches, the newest. Two minutes of a thousand a second, and 2 MB.
const MARKS_KEPT: usize = 131_072;
/// The stages, in the order of the flow.
const STAGES: [&str; 6] = ["gateway", "sequenced", "journaled", "matched", "released", "published"];
/// Those that have a mark for each number of the stream, behind the sequencer.
const BEHIND: usize = 4;
/// Between two looks at the rings.
const LOOK: Duration = Duration::from_millis(10);
/// A clock that differs from what it was by more was set, or has drifted.
const CLOCK_SET_NS: u64 = 1_000_000;
/// What is recent, at least; at most it is twice that.
const RECENT: Duration = Duration::from_secs(10);

/// The pens of one exchange.
pub(crate) struct AllPens {
    /// For the core.
    pub(crate) core: Pens,
    /// For the feed.
    pub(crate) feed: Pen,
    /// For the doors, OUCH and FIX.
    pub(crate) doors: [Pen; 2],
}

/// What the doors' inputs of the sequencer are called there: the venue's own commands come by the first.
const DOOR_INPUTS: [u32; 2] = [1, 2];

/// Pens for stages that go on behind a number, and the other end of them.
pub(crate) fn open(clock: SystemClock, last: SequenceNumber) -> (AllPens, StageThread) {
    let ticks = Ticks::new(clock);
    let (sequenced, of_sequencer) = pen(ticks, last.0);
    let [journaled, matched, released, feed] = std::array::from_fn(|_| pen::<()>(ticks, last.0));
    let [ouch, fix] = std::array::from_fn(|_| pen::<()>(ticks, 0));
    let stages = Arc::new(Stages {
        clock,
        kept: Mutex::new(Kept::behind(last.0, began(clock))),
    });
    let ends = Ends {
        sequenced: of_sequencer,
        behind: [journaled.1, matched.1, released.1, feed.1],
        doors: [ouch.1, fix.1],
    };
    let pens = AllPens {
        core: Pens {
            sequenced,
            journaled: journaled.0,
            matched: matched.0,
            released: released.0,
        },
        feed: feed.0,
        doors: [ouch.0, fix.0],
    };
    let scale = Scale::new(ticks);
    (pens, StageThread { ends, scale, stages })
}

/// Where marks are read.
struct Ends {
    sequenced: Consumer<Mark<Origin>>,
    behind: [Consumer<Mark>; BEHIND],
    doors: [Consumer<Mark>; 2],
}

/// Takes in the marks.
pub(crate) struct StageThread {
    ends: Ends,
    /// What the marks say, but those of the doors, which are in nanoseconds as they come.
    scale: Scale,
    stages: Arc<Stages>,
}

impl StageThread {
    /// What it makes of them.
    pub(super) fn stages(&self) -> Arc<Stages> {
        Arc::clone(&self.stages)
    }

    /// Until told to stop.
    pub(super) fn run(mut self, stop: &AtomicBool) {
        rialto_ring::layout::beside_the_path();
        let mut turned = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
            self.scale.look();
            let mut kept = self.stages.kept();
            kept.take(&mut self.ends, |ticks| self.scale.ns(ticks));
            kept.settle();
            if turned.elapsed() >= RECENT {
                turned = Instant::now();
                kept.recent.swap(0, 1);
                kept.recent[0].clear();
                let began = began(self.stages.clock);
                if began.abs_diff(kept.began) > CLOCK_SET_NS {
                    kept.began = began;
                }
            }
        }
    }
}

/// What is known of the stages, for who asks.
pub(crate) struct Stages {
    clock: SystemClock,
    kept: Mutex<Kept>,
}

/// What the venue's clock showed when local time was nought.
fn began(mut clock: SystemClock) -> u64 {
    clock.now().0.saturating_sub(clock.monotonic().0)
}

/// An order's time at a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct At {
    pub(crate) stage: &'static str,
    /// Since 1970, by the venue's clock without the faults that stand.
    pub(crate) at_ns: u64,
    /// Since the first of them.
    pub(crate) after_ns: u64,
}

impl Stages {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a command was at each stage, in the order of time; none where one of the times is not kept. What came by no
    /// door of this process has no time at the gateway.
    pub(crate) fn of(&self, seq: u64) -> Option<Vec<At>> {
        let (times, began) = {
            let kept = self.kept();
            (kept.of(seq)?, kept.began)
        };
        let first = times.iter().flatten().min().copied().unwrap_or_default();
        let mut all: Vec<At> = std::iter::zip(STAGES, times)
            .filter_map(|(stage, ns)| {
                let ns = ns?;
                let at_ns = began.saturating_add(ns);
                let after_ns = ns - first;
                Some(At { stage, at_ns, after_ns })
            })
            .collect();
        all.sort_by_key(|at| at.after_ns);
        Some(all)
    }

    /// How long orders took, in percentiles: those of the last seconds, and of all since the start.
    pub(crate) fn report(&self) -> Value {
        let kept = self.kept();
        let mut recent = kept.recent[0].clone();
        recent.add(&kept.recent[1]);
        let rows = STAGES.iter().enumerate().skip(1);
        let stages: Vec<Value> = rows
            .map(|(index, stage)| {
                json!({ "stage": stage, "recent": recent.describe(index), "all": kept.all.describe(index) })
            })
            .collect();
        json!({
            "seq": kept.settled,
            "kept_from": kept.kept_from(),
            "orders": kept.all.count(),
            "recent_orders": recent.count(),
            "recent_seconds": 2 * RECENT.as_secs(),
            "percentiles": PERCENTILES,
            "stages": stages,
        })
    }

    /// The same as histograms in the Prometheus text format.
    pub(crate) fn metrics(&self, text: &mut String) {
        let kept = self.kept();
        for (name, help, took) in [
            ("took", "How long commands of the doors were in a stage.", true),
            (
                "after",
                "How long after the gateway commands of the doors were through a stage.",
                false,
            ),
        ] {
            let _ = writeln!(
                text,
                "# HELP rialto_order_{name}_seconds {help}\n# TYPE rialto_order_{name}_seconds histogram"
            );
            for (index, stage) in STAGES.iter().enumerate().skip(1) {
                kept.all
                    .expose(&format!("rialto_order_{name}_seconds"), stage, index, took, text);
            }
        }
    }
}

/// Marks and counts.
struct Kept {
    /// See [`began`]; what is said twice is said alike, unless the machine's clock was set meanwhile.
    began: u64,
    sequenced: Lane<Origin>,
    behind: [Lane<()>; BEHIND],
    doors: [Lane<()>; 2],
    /// Up to here commands are counted.
    settled: u64,
    all: Table,
    recent: [Table; 2],
}

impl Kept {
    fn behind(last: u64, began: u64) -> Self {
        Self {
            began,
            sequenced: Lane::behind(last),
            behind: std::array::from_fn(|_| Lane::behind(last)),
            doors: std::array::from_fn(|_| Lane::behind(0)),
            settled: last,
            all: Table::default(),
            recent: [Table::default(), Table::default()],
        }
    }

    /// Takes in what waits, with what makes nanoseconds of ticks.
    fn take(&mut self, ends: &mut Ends, ns: impl Fn(u64) -> u64) {
        // What is late in the flow first: of a command that is published every other mark is then there, too.
        for (lane, marks) in std::iter::zip(&mut self.behind, &mut ends.behind).rev() {
            lane.drain(marks, &ns);
        }
        self.sequenced.drain(&mut ends.sequenced, &ns);
        for (lane, marks) in std::iter::zip(&mut self.doors, &mut ends.doors) {
            lane.drain(marks, |ns| ns);
        }
    }

    fn kept_from(&self) -> u64 {
        let floors = self.behind.iter().map(|lane| lane.floor);
        floors.fold(self.sequenced.floor, u64::max) + 1
    }

    /// The place at the door where a command came in: which door, and the number there. None for the venue's own.
    fn door_of(run: &Found<Origin>, seq: u64) -> Option<(usize, u64)> {
        let door = DOOR_INPUTS.iter().position(|input| run.of.input == Some(*input))?;
        Some((door, run.of.taken - (run.upto - seq)))
    }

    fn of(&self, seq: u64) -> Option<[Option<u64>; 6]> {
        let run = self.sequenced.find(seq)?;
        let gateway = match Self::door_of(&run, seq) {
            Some((door, number)) => Some(self.doors.get(door)?.find(number)?.ns),
            None => None,
        };
        let mut times = [gateway, Some(run.ns), None, None, None, None];
        let mut behind = [0; BEHIND];
        for (time, lane) in std::iter::zip(&mut behind, &self.behind) {
            *time = lane.find(seq)?.ns;
        }
        for (time, ns) in std::iter::zip(&mut times[2..], no_later(behind)) {
            *time = Some(ns);
        }
        Some(times)
    }

    /// Counts what has been through all stages. Commands that share all their marks are counted at once.
    fn settle(&mut self) {
        let ends = self.behind.iter().map(|lane| lane.newest);
        let end = ends.fold(self.sequenced.newest, u64::min);
        while self.settled < end {
            let seq = self.settled + 1;
            let mut upto = end;
            let Some(run) = self.sequenced.covers(seq, &mut upto) else {
                self.settled = upto;
                continue;
            };
            let mut behind = [0; BEHIND];
            let mut known = true;
            for (time, lane) in std::iter::zip(&mut behind, &self.behind) {
                match lane.covers(seq, &mut upto) {
                    Some(found) => *time = found.ns,
                    None => known = false,
                }
            }
            let Some((door, number)) = Self::door_of(&run, seq) else {
                self.settled = upto;
                continue;
            };
            let Some(lane) = self.doors.get(door) else { return };
            if number > lane.newest {
                // The poll that sent it has not ended yet.
                return;
            }
            let mut of_door = number + (upto - seq);
            let gateway = lane.covers(number, &mut of_door);
            upto = seq + (of_door - number);
            if let Some(gateway) = gateway
                && known
            {
                let [journaled, matched, released, published] = no_later(behind);
                let ns = [gateway.ns, run.ns, journaled, matched, released, published];
                let count = upto - self.settled;
                self.all.record(&ns, count);
                self.recent[0].record(&ns, count);
            }
            self.settled = upto;
        }
    }
}

/// A thread may be interrupted between what it does and its mark: a stage was done at the latest when the one was that waits for it.
fn no_later([journaled, matched, released, published]: [u64; BEHIND]) -> [u64; BEHIND] {
    let released = released.min(published);
    [journaled.min(released), matched.min(released), released, published]
}

/// The marks of one stage, rising.
struct Lane<T> {
    /// Up to here nothing is kept.
    floor: u64,
    newest: u64,
    marks: VecDeque<Found<T>>,
}

/// A mark that is kept: for the numbers behind the one before it, up to its own.
#[derive(Clone, Copy)]
struct Found<T> {
    upto: u64,
    ns: u64,
    of: T,
    /// A hole: when these were there is not known.
    lost: bool,
}

impl<T: Copy> Lane<T> {
    fn behind(last: u64) -> Self {
        Self {
            floor: last,
            newest: last,
            marks: VecDeque::new(),
        }
    }

    fn drain(&mut self, marks: &mut Consumer<Mark<T>>, ns: impl Fn(u64) -> u64) {
        while let Ok(mark) = marks.pop() {
            self.push(mark, &ns);
        }
    }

    fn push(&mut self, mark: Mark<T>, ns: impl Fn(u64) -> u64) {
        let Mark { from, upto, at, of } = mark;
        let ns = ns(at);
        let mut keep = |upto, lost| {
            if self.marks.len() == MARKS_KEPT
                && let Some(oldest) = self.marks.pop_front()
            {
                self.floor = oldest.upto;
            }
            self.marks.push_back(Found { upto, ns, of, lost });
        };
        if from > self.newest {
            keep(from, true);
        }
        keep(upto, false);
        self.newest = upto;
    }

    fn place(&self, number: u64) -> Option<&Found<T>> {
        if number <= self.floor {
            return None;
        }
        self.marks.get(self.marks.partition_point(|mark| mark.upto < number))
    }

    fn find(&self, number: u64) -> Option<Found<T>> {
        self.place(number).filter(|mark| !mark.lost).copied()
    }

    /// The same, and shortens `upto` to where its mark ends, or what is not known.
    fn covers(&self, number: u64, upto: &mut u64) -> Option<Found<T>> {
        match self.place(number) {
            Some(mark) => *upto = mark.upto.min(*upto),
            None => *upto = self.floor.clamp(number, *upto),
        }
        self.find(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> (Kept, Ends, AllPens) {
        let (pens, thread) = open(SystemClock::new(), SequenceNumber(10));
        (Kept::behind(10, 0), thread.ends, pens)
    }

    /// A batch of commands 11 to 14: one of the venue's own, two by the OUCH door, one by FIX.
    fn batch(pens: &mut AllPens) {
        let [ouch, fix] = &mut pens.doors;
        ouch.note_at(2, 100);
        fix.note_at(1, 110);
        let from = |input, taken| Origin { input, taken };
        pens.core.sequenced.note_of(11, 200, from(Some(0), 1));
        pens.core.sequenced.note_of(13, 200, from(Some(1), 2));
        pens.core.sequenced.note_of(14, 200, from(Some(2), 1));
        pens.core.journaled.note_at(14, 400);
        pens.core.matched.note_at(12, 300);
        pens.core.matched.note_at(14, 310);
        pens.core.released.note_at(14, 500);
        pens.feed.note_at(14, 900);
    }

    #[test]
    fn each_command_has_the_times_of_its_own_batches() {
        let (mut kept, mut ends, mut pens) = kept();
        batch(&mut pens);
        kept.take(&mut ends, |ns| ns);
        let times =
            |gateway: Option<u64>, matched| Some([gateway, Some(200), Some(400), Some(matched), Some(500), Some(900)]);
        assert_eq!(kept.of(10), None, "before this process");
        assert_eq!(kept.of(11), times(None, 300), "by no door");
        assert_eq!(kept.of(12), times(Some(100), 300));
        assert_eq!(kept.of(13), times(Some(100), 310));
        assert_eq!(kept.of(14), times(Some(110), 310));
        assert_eq!(kept.of(15), None, "not yet");
        kept.settle();
        assert_eq!((kept.settled, kept.all.count()), (14, 3));
        kept.settle();
        assert_eq!(kept.all.count(), 3, "counted once");
    }

    #[test]
    fn a_door_that_is_late_with_its_mark_is_waited_for_and_a_hole_is_not_filled() {
        let (mut kept, mut ends, mut pens) = kept();
        let all = |pens: &mut AllPens, upto, ns| {
            pens.core.journaled.note_at(upto, ns);
            pens.core.matched.note_at(upto, ns);
            pens.core.released.note_at(upto, ns);
            pens.feed.note_at(upto, ns);
        };
        let by_ouch = |taken| Origin { input: Some(1), taken };
        pens.core.sequenced.note_of(11, 20, by_ouch(1));
        all(&mut pens, 11, 30);
        kept.take(&mut ends, |ns| ns);
        kept.settle();
        assert_eq!((kept.settled, kept.of(11)), (10, None));
        pens.doors[0].note_at(1, 10);
        kept.take(&mut ends, |ns| ns);
        kept.settle();
        assert_eq!((kept.settled, kept.all.count()), (11, 1));
        // More marks than the ring holds: one is lost.
        for number in 0..=rialto_ring::marks::MARKS as u64 {
            pens.core.sequenced.note_of(12 + number, 40, by_ouch(2 + number));
        }
        let lost = 12 + rialto_ring::marks::MARKS as u64;
        pens.doors[0].note_at(lost, 35);
        all(&mut pens, lost + 1, 50);
        kept.take(&mut ends, |ns| ns);
        pens.core.sequenced.note_of(lost + 1, 45, by_ouch(lost - 9));
        kept.take(&mut ends, |ns| ns);
        kept.settle();
        assert_eq!(kept.of(lost), None);
        assert!(kept.of(lost - 1).is_some() && kept.of(lost + 1).is_some());
        assert_eq!((kept.settled, kept.all.count()), (lost + 1, lost + 1 - 10 - 1));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut lane = Lane::behind(0);
        let most = MARKS_KEPT as u64;
        for number in 1..=most + 2 {
            let mark = Mark {
                from: number - 1,
                upto: number,
                at: number,
                of: (),
            };
            lane.push(mark, |ns| ns);
        }
        assert_eq!(lane.marks.len(), MARKS_KEPT);
        assert!(lane.find(2).is_none() && lane.find(3).is_some_and(|mark| mark.ns == 3));
        let mut upto = 10;
        assert!(lane.covers(1, &mut upto).is_none());
        assert_eq!(upto, 2);
    }
}
