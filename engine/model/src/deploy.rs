//! Two engines on one stream, doors and feeds in other processes: what the stream says of it. Every engine says it again as it stands.
//!
//! None of it is part of an engine's state: both engines hold all of that, and who waits for whom is the release gate's to
//! know. A build is named by the 64-bit xxh3 of its executable.

use crate::codec::composite;
use crate::command::{CutOver, Judge, JudgeDoor, JudgeFeed, Quarantine, Recall, Route, RouteDoor, RouteFeed};
use crate::event::{
    CutOverSet, DoorJudged, DoorRouted, Event, FeedJudged, FeedRouted, Judged, Quarantined, Recalled, Routed,
};
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

composite! {
    /// Which subscribers of the feed are told it by another process. Each has a place among ten thousand by its name or its
    /// firm's, which never changes: places below `share` are the candidate's, those from `10,000 - baseline` on the
    /// baseline's, so a share that grows takes nobody back.
    Audience {
        /// Which build the candidate is.
        build: u64,
        /// The candidate's share, in ten-thousandths; zero: none.
        share: u16,
        /// The share of the standing build's own process, in ten-thousandths: what the candidate is measured against.
        baseline: u16,
        /// Whether the sessions of a firm have one place.
        by_firm: bool,
    }
}

composite! {
    /// A verdict about a feed and its numbers.
    Hearing {
        /// Which build.
        build: u64,
        /// At which share, in ten-thousandths.
        share: u16,
        /// Whether it goes on.
        passed: bool,
        /// Messages that were compared byte for byte.
        compared: u64,
        /// The number of the first message that was not the exchange's own; zero: none.
        wrong: u64,
        /// Windows of cost of the candidate.
        windows: u32,
        /// Those of the standing build's own process.
        baseline: u32,
        /// The candidate's median cost by the baseline's, in millionths; zero: not measured.
        ratio_ppm: u32,
        /// How likely such a difference is by chance, in thousand millionths.
        p_ppb: u32,
        /// How much later than the baseline's its messages come, in microseconds of the medians; zero also where they do not.
        later_us: u32,
        /// How likely such a delay is by chance, in thousand millionths.
        later_p_ppb: u32,
    }
}

composite! {
    /// Whom and what a candidate reached that was taken back, in numbers. Who they are by name its exchange says when it takes it
    /// back; who was up where, and what was asked for, is in the stream.
    Reach {
        /// Which build.
        build: u64,
        /// Of which kind it was: 1 an engine, 2 a door, 3 a feed.
        kind: u8,
        /// Sessions or subscribers.
        sessions: u32,
        /// Their firms.
        firms: u32,
        /// Instruments.
        instruments: u32,
        /// The last command before anybody was reached.
        after: SequenceNumber,
        /// The last command by whose time somebody may have been; the candidate is taken back behind it.
        up_to: SequenceNumber,
    }
}

/// Stand where a flag's number would: places at doors and feeds are no flag's.
const DOORS: u16 = u16::MAX;
const FEEDS: u16 = u16::MAX - 1;

/// Where a session comes in, or a subscriber is told the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By the exchange itself.
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
        within(bucket(DOORS, subject), self.share, self.baseline)
    }
}

impl Audience {
    /// Who tells a subscriber the feed: the same for as long as the share stands, and on every machine.
    #[must_use]
    pub fn place(&self, session: &str, firm: &str) -> Place {
        let subject = if self.by_firm { firm } else { session };
        within(bucket(FEEDS, number(subject)), self.share, self.baseline)
    }
}

const fn within(place: u32, share: u16, baseline: u16) -> Place {
    if place < share as u32 {
        Place::Candidate
    } else if place >= 10_000_u32.saturating_sub(baseline as u32) {
        Place::Baseline
    } else {
        Place::Own
    }
}

/// A name as a number, whatever its case: FNV-1a of 32 bits.
fn number(name: &str) -> u32 {
    let bytes = name.bytes().map(|byte| byte.to_ascii_uppercase());
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

impl From<RouteFeed> for Event {
    fn from(RouteFeed { audience, why }: RouteFeed) -> Self {
        FeedRouted { audience, why }.into()
    }
}

impl From<JudgeFeed> for Event {
    fn from(JudgeFeed { hearing, why }: JudgeFeed) -> Self {
        FeedJudged { hearing, why }.into()
    }
}

impl From<Recall> for Event {
    fn from(Recall { reach, why }: Recall) -> Self {
        Recalled { reach, why }.into()
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

    #[test]
    fn a_subscriber_has_one_place_whatever_its_case_and_those_of_a_firm_are_one() {
        let audience = |share, by_firm| Audience {
            share,
            baseline: share,
            by_firm,
            ..Audience::default()
        };
        let names: Vec<String> = (0..2_000).map(|at| format!("s{at}")).collect();
        let count = |audience: Audience, wanted| {
            let of = |name: &&String| audience.place(name, "one") == wanted;
            names.iter().filter(of).count()
        };
        let five = audience(500, false);
        assert_eq!((count(five, Place::Candidate), count(five, Place::Baseline)), (114, 90));
        for name in &names {
            assert_eq!(five.place(name, ""), five.place(&name.to_uppercase(), ""));
            if five.place(name, "") == Place::Candidate {
                assert_eq!(audience(2_000, false).place(name, ""), Place::Candidate);
            }
        }
        let firm = audience(5_000, true);
        assert!(
            names
                .iter()
                .all(|name| firm.place(name, "one") == firm.place("other", "one"))
        );
        assert_eq!(audience(0, false).place("s1", "one"), Place::Own);
    }
}
