//! Two engines on one stream, and doors in other processes: what the stream says of it. Every engine says it again as it stands.
//!
//! None of it is part of an engine's state: both engines hold all of that, and who waits for whom is the release gate's to
//! know. A build is named by the 64-bit xxh3 of its executable.

use crate::codec::composite;
use crate::command::{CutOver, Judge, JudgeDoor, Quarantine, Route, RouteDoor};
use crate::event::{CutOverSet, DoorJudged, DoorRouted, Event, Judged, Quarantined, Routed};
use crate::flags::bucket;
use crate::ids::{FirmId, InstrumentId, SequenceNumber, SessionId};
use crate::order::Door;

composite! {
    /// A cut-over: where the word that events wait for changes.
    Cut {
        /// Which build's word.
        build: u64,
        /// The build of the exchange itself, which holds the books all the while.
        standing: u64,
        /// The last command whose events are released as before; this one where it names an earlier one.
        after: SequenceNumber,
        /// Whether that word is waited for from there on, or no more.
        green: bool,
    }
}

composite! {
    /// Where an instrument's events take their way.
    Way {
        /// Which build's word.
        build: u64,
        /// Which instrument; zero: all of them.
        instrument: InstrumentId,
        /// Whether that word is waited for, or no more.
        candidate: bool,
    }
}

composite! {
    /// A verdict and its numbers.
    Finding {
        /// Which build.
        build: u64,
        /// At which step, in percent of the instruments; zero: in front of the first percentage.
        step: u8,
        /// Whether it goes on.
        passed: bool,
        /// Commands whose events were compared.
        compared: u64,
        /// Pairs of cost windows.
        windows: u32,
        /// The median ratio of its cost to that of the old build, in millionths; zero: not measured.
        ratio_ppm: u32,
        /// How likely such a difference is by chance, in thousand millionths.
        p_ppb: u32,
        /// Bytes that it holds beyond what the old build does.
        memory: u64,
    }
}

composite! {
    /// A command that brought a build down.
    Poison {
        /// Which build.
        build: u64,
        /// The command.
        seq: SequenceNumber,
        /// Its instrument; zero: none.
        instrument: InstrumentId,
    }
}

composite! {
    /// Which sessions of a door come in by another process. Each has a place among ten thousand, its own or its firm's, which
    /// never changes: places below `share` are the candidate's, those from `10,000 - baseline` on the baseline's, so a share
    /// that grows takes nobody back.
    Lane {
        /// Which build the candidate is.
        build: u64,
        /// Which door.
        door: Door,
        /// The candidate's share, in ten-thousandths; zero: none.
        share: u16,
        /// The share of the standing build's own process, in ten-thousandths: what the candidate is measured against.
        baseline: u16,
        /// Whether the sessions of a firm have one place.
        by_firm: bool,
    }
}

composite! {
    /// A verdict about a door and its numbers.
    Opinion {
        /// Which build.
        build: u64,
        /// Which door.
        door: Door,
        /// At which share, in ten-thousandths.
        share: u16,
        /// Whether it goes on.
        passed: bool,
        /// Windows of cost of the candidate.
        windows: u32,
        /// Those of the standing build's own process.
        baseline: u32,
        /// The candidate's median cost by the baseline's, in millionths; zero: not measured.
        ratio_ppm: u32,
        /// How likely such a difference is by chance, in thousand millionths.
        p_ppb: u32,
        /// The effect: how likely a window of the candidate is dearer than one of the baseline, in millionths.
        dearer_ppm: u32,
    }
}

/// Stands where a flag's number would: places at doors are no flag's.
const DOORS: u16 = u16::MAX;

/// Where a session comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By the exchange's own door.
    Own,
    /// By the candidate.
    Candidate,
    /// By the standing build's process.
    Baseline,
}

impl Lane {
    /// Where a session comes in: the same for as long as the share stands, and on every machine.
    #[must_use]
    pub const fn place(&self, session: SessionId, firm: FirmId) -> Place {
        let subject = if self.by_firm { firm.0 } else { session.0 };
        let place = bucket(DOORS, subject);
        if place < self.share as u32 {
            Place::Candidate
        } else if place >= 10_000_u32.saturating_sub(self.baseline as u32) {
            Place::Baseline
        } else {
            Place::Own
        }
    }
}

impl From<RouteDoor> for Event {
    fn from(RouteDoor { lane, why }: RouteDoor) -> Self {
        DoorRouted { lane, why }.into()
    }
}

impl From<JudgeDoor> for Event {
    fn from(JudgeDoor { opinion, why }: JudgeDoor) -> Self {
        DoorJudged { opinion, why }.into()
    }
}

impl From<CutOver> for Event {
    fn from(CutOver { cut, why }: CutOver) -> Self {
        CutOverSet { cut, why }.into()
    }
}

impl From<Route> for Event {
    fn from(Route { way, why }: Route) -> Self {
        Routed { way, why }.into()
    }
}

impl From<Judge> for Event {
    fn from(Judge { finding, why }: Judge) -> Self {
        Judged { finding, why }.into()
    }
}

impl From<Quarantine> for Event {
    fn from(Quarantine { poison }: Quarantine) -> Self {
        Quarantined { poison }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_stable_nested_and_those_of_a_firm_are_one() {
        let lane = |share, baseline, by_firm| Lane {
            share,
            baseline,
            by_firm,
            ..Lane::default()
        };
        let count = |lane: Lane, wanted| {
            let of = |session| lane.place(SessionId(session), FirmId(session / 10));
            (1..=2_000).filter(|session| of(*session) == wanted).count()
        };
        let five = count(lane(500, 500, false), Place::Candidate);
        assert_eq!((five, count(lane(500, 500, false), Place::Baseline)), (105, 114));
        let twenty = lane(2_000, 2_000, false);
        for session in 1..=2_000 {
            let place = |lane: Lane| lane.place(SessionId(session), FirmId(7));
            if place(lane(500, 500, false)) == Place::Candidate {
                assert_eq!(place(twenty), Place::Candidate);
            }
            assert_eq!(place(lane(0, 0, false)), Place::Own);
            assert_eq!(place(lane(10_000, 0, true)), Place::Candidate);
            assert_eq!(
                place(lane(500, 500, true)),
                lane(500, 500, true).place(SessionId(1), FirmId(7))
            );
        }
    }
}
