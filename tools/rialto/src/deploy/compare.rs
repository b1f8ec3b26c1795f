//! The messages of two other feeds beside the exchange's own, one by one: the same session, the same number, the same bytes, each
//! once and none left out. It knows nothing of connections and reads no clock.
//!
//! Bounds: [`KEPT`] messages of the exchange's own are kept for a feed that is behind, and as many of a feed that is ahead.

use rialto_itch::mold::Session;
use std::collections::VecDeque;

/// Messages kept for who is behind.
pub(super) const KEPT: usize = 65_536;
/// Kept while nobody is compared: who joins begins with the oldest.
const KEPT_FOR_NOBODY: usize = 1_024;
/// How long a message may be missing on either side; and on the candidate's while the old build's own feed is late too: that the
/// machine is slow is not the candidate's doing, until it goes on for too long to tell.
const MISSING_NS: u64 = 5_000_000_000;
const MISSING_TOO_NS: u64 = 30_000_000_000;
/// The old build's feed is late too.
const LATE_TOO_NS: u64 = 1_000_000_000;
/// Messages of one window of delay.
const WINDOW: u32 = 16;

/// A message as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) session: Session,
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) at_ns: u64,
}

/// What is wrong with a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) why: String,
    /// The first message that was not as the exchange's own, if one came.
    pub(super) first: Option<(Session, u64)>,
    /// What the exchange told, and what came, in hexadecimal.
    pub(super) told: Option<(String, String)>,
}

impl Wrong {
    pub(super) const fn missing(why: String) -> Self {
        Self {
            why,
            first: None,
            told: None,
        }
    }
}

/// One of the other feeds.
#[derive(Debug, Default)]
struct Ear {
    /// Which of the exchange's own messages comes next; `None`: it has not joined.
    at: Option<u64>,
    ahead: VecDeque<Heard>,
    compared: u64,
    lag_us: f64,
    in_window: u32,
    windows: Vec<f64>,
}

#[derive(Debug, Default)]
pub(super) struct Comparison {
    own: VecDeque<Heard>,
    /// How many of the exchange's own came before the oldest that is kept.
    gone: u64,
    /// What the exchange tells next.
    next: Option<(Session, u64)>,
    ears: [Ear; 2],
}

impl Comparison {
    /// Where the exchange's own feed begins to be heard.
    pub(super) fn begin(&mut self, session: Session, next: u64) {
        self.next = Some((session, next));
    }

    /// Takes in a message of the exchange's own.
    pub(super) fn own(&mut self, heard: Heard) {
        self.next = Some((heard.session, heard.number + 1));
        self.own.push_back(heard);
    }

    /// Where a feed has to begin to be compared from here on; `None` before the exchange's own is heard.
    pub(super) fn join(&mut self, place: usize) -> Option<(Session, u64)> {
        let first = self.own.front().map(|oldest| (oldest.session, oldest.number));
        let begin = first.or(self.next)?;
        let gone = self.gone;
        *self.ears.get_mut(place)? = Ear {
            at: Some(gone),
            ..Ear::default()
        };
        Some(begin)
    }

    /// It is compared no more.
    pub(super) fn leave(&mut self, place: usize) {
        if let Some(ear) = self.ears.get_mut(place) {
            *ear = Ear::default();
        }
    }

    /// Takes in a message of another feed.
    pub(super) fn other(&mut self, place: usize, heard: Heard) {
        if let Some(ear) = self.ears.get_mut(place) {
            ear.ahead.push_back(heard);
        }
    }

    /// The last of the exchange's own.
    pub(super) fn told(&self) -> Option<(Session, u64)> {
        self.next.map(|(session, next)| (session, next.saturating_sub(1)))
    }

    /// What a feed has to tell next, as far as it was heard.
    pub(super) fn wanted(&self, place: usize) -> Option<(Session, u64)> {
        let ear = self.ears.get(place)?;
        if let Some(last) = ear.ahead.back() {
            return Some((last.session, last.number + 1));
        }
        let index = ear.at?.checked_sub(self.gone)?;
        let own = self.own.get(index as usize);
        own.map(|wanted| (wanted.session, wanted.number)).or(self.next)
    }

    /// For how long the next message of a feed has been missing.
    fn missing_ns(&self, place: usize, now_ns: u64) -> u64 {
        let at = self.ears.get(place).and_then(|ear| ear.at);
        let index = at.and_then(|at| at.checked_sub(self.gone));
        let wanted = index.and_then(|index| self.own.get(index as usize));
        wanted.map_or(0, |wanted| now_ns.saturating_sub(wanted.at_ns))
    }

    /// Compares what both have by now.
    pub(super) fn compare(&mut self, place: usize, now_ns: u64) -> Result<(), Wrong> {
        let late_too = place == 0 && self.missing_ns(1, now_ns) > LATE_TOO_NS;
        let Self { own, gone, ears, .. } = self;
        let Some(ear) = ears.get_mut(place) else { return Ok(()) };
        let Some(at) = &mut ear.at else { return Ok(()) };
        let Some(mut index) = at.checked_sub(*gone) else {
            return Err(Wrong::missing(format!(
                "missing data: more than {KEPT} messages behind"
            )));
        };
        while let (Some(wanted), Some(came)) = (own.get(index as usize), ear.ahead.front()) {
            if (wanted.session, wanted.number, &wanted.bytes) != (came.session, came.number, &came.bytes) {
                return Err(wrong(wanted, came));
            }
            ear.lag_us += (came.at_ns as f64 - wanted.at_ns as f64) / 1e3;
            ear.in_window += 1;
            if ear.in_window == WINDOW {
                ear.windows.push(ear.lag_us / f64::from(WINDOW));
                (ear.lag_us, ear.in_window) = (0.0, 0);
            }
            ear.ahead.pop_front();
            ear.compared += 1;
            index += 1;
        }
        *at = *gone + index;
        let most_ns = if place > 0 || late_too {
            MISSING_TOO_NS
        } else {
            MISSING_NS
        };
        let overdue = |heard: Option<&Heard>| heard.is_some_and(|one| now_ns.saturating_sub(one.at_ns) > most_ns);
        if overdue(own.get(index as usize)) {
            return Err(Wrong::missing(format!(
                "missing data: silent for {} s",
                most_ns / 1_000_000_000
            )));
        }
        if overdue(ear.ahead.front()) || ear.ahead.len() > KEPT {
            let first = ear.ahead.front().map(|one| (one.session, one.number));
            let number = first.map_or(0, |(_, number)| number);
            return Err(Wrong {
                why: format!("{number} is not the exchange's"),
                first,
                told: None,
            });
        }
        Ok(())
    }

    /// Forgets what everybody has passed, and what is too old.
    pub(super) fn forget(&mut self) {
        let slowest = self.ears.iter().filter_map(|ear| ear.at).min();
        let most = if slowest.is_some() { KEPT } else { KEPT_FOR_NOBODY };
        let passed = slowest.map_or(0, |at| at.saturating_sub(self.gone)) as usize;
        let over = self.own.len().saturating_sub(most).max(passed.min(self.own.len()));
        self.own.drain(..over);
        self.gone += over as u64;
    }

    pub(super) fn compared(&self, place: usize) -> u64 {
        self.ears.get(place).map_or(0, |ear| ear.compared)
    }

    /// How much later than the exchange's own its messages came, in microseconds, by windows since this was last asked.
    pub(super) fn take_windows(&mut self, place: usize) -> Vec<f64> {
        let ear = self.ears.get_mut(place);
        ear.map(|ear| std::mem::take(&mut ear.windows)).unwrap_or_default()
    }
}

fn wrong(wanted: &Heard, came: &Heard) -> Wrong {
    let number = wanted.number;
    let why = if wanted.session != came.session {
        format!("{} of another session", came.number)
    } else if came.number > number {
        format!("gap before {}: {number} is missing", came.number)
    } else if came.number < number {
        format!("{} came again", came.number)
    } else {
        format!("message {number} differs")
    };
    Wrong {
        why,
        first: Some((wanted.session, number.min(came.number))),
        told: Some((hex(&wanted.bytes), hex(&came.bytes))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(number: u64, byte: u8, at_ns: u64) -> Heard {
        Heard {
            session: Session(*b"0020260622"),
            number,
            bytes: vec![byte; 3],
            at_ns,
        }
    }

    fn joined() -> Comparison {
        let mut comparison = Comparison::default();
        assert_eq!(comparison.join(0), None);
        comparison.begin(heard(1, 0, 0).session, 7);
        assert_eq!(comparison.join(0), Some((heard(1, 0, 0).session, 7)));
        comparison
    }

    #[test]
    fn equal_streams_are_equal_whoever_is_ahead_and_the_delay_is_measured() {
        let mut comparison = joined();
        for number in 7..7 + 64 {
            let (own, other) = (
                heard(number, 1, number * 10_000),
                heard(number, 1, number * 10_000 + 3_000),
            );
            if number % 2 == 0 {
                comparison.own(own);
                comparison.other(0, other);
            } else {
                comparison.other(0, other);
                comparison.own(own);
            }
            if number % 5 == 0 {
                assert_eq!(comparison.compare(0, 0), Ok(()));
                comparison.forget();
            }
        }
        assert_eq!(comparison.compare(0, 0), Ok(()));
        assert_eq!(comparison.compared(0), 64);
        assert_eq!(comparison.take_windows(0), [3.0; 4]);
        comparison.forget();
        assert!(comparison.own.is_empty());
    }

    #[test]
    fn what_is_not_equal_is_named_with_its_first_message() {
        type Case<'a> = (&'a [(u64, u8)], &'a str, u64);
        let cases: [Case<'_>; 3] = [
            (&[(7, 1), (8, 2)], "message 8 differs", 8),
            (&[(7, 1), (9, 1)], "gap before 9: 8 is missing", 8),
            (&[(7, 1), (7, 1)], "7 came again", 7),
        ];
        for (came, why, first) in cases {
            let mut comparison = joined();
            for number in 7..10 {
                comparison.own(heard(number, 1, 0));
            }
            for (number, byte) in came {
                comparison.other(0, heard(*number, *byte, 0));
            }
            let found = comparison.compare(0, 0).unwrap_err();
            assert_eq!(
                (found.why.as_str(), found.first.map(|(_, number)| number)),
                (why, Some(first))
            );
            assert!(found.told.is_some());
        }
    }

    #[test]
    fn a_silence_of_the_old_build_too_is_the_machines_for_a_while() {
        let mut comparison = joined();
        assert!(comparison.join(1).is_some());
        comparison.own(heard(7, 1, 0));
        assert_eq!(comparison.compare(0, MISSING_NS + 1), Ok(()));
        let silent = comparison.compare(0, MISSING_TOO_NS + 1).unwrap_err();
        assert_eq!(silent.why, "missing data: silent for 30 s");
        comparison.other(1, heard(7, 1, 0));
        assert_eq!(comparison.compare(1, MISSING_NS + 1), Ok(()));
        let silent = comparison.compare(0, MISSING_NS + 1).unwrap_err();
        assert_eq!(silent.why, "missing data: silent for 5 s");
    }

    #[test]
    fn what_never_comes_is_missing_and_what_the_exchange_never_told_is_too_much() {
        let mut comparison = joined();
        comparison.own(heard(7, 1, 0));
        assert_eq!(comparison.compare(0, MISSING_NS), Ok(()));
        let silent = comparison.compare(0, MISSING_NS + 1).unwrap_err();
        assert_eq!(silent.why, "missing data: silent for 5 s");
        let mut comparison = joined();
        comparison.other(0, heard(7, 1, 0));
        assert_eq!(comparison.compare(0, MISSING_NS), Ok(()));
        let much = comparison.compare(0, MISSING_NS + 1).unwrap_err();
        assert_eq!(much.why, "7 is not the exchange's");
        let mut comparison = joined();
        for number in 7..7 + KEPT as u64 + 1 {
            comparison.own(heard(number, 1, 0));
        }
        comparison.forget();
        assert!(comparison.compare(0, 0).unwrap_err().why.contains("behind"));
        // Whoever joins now begins with the oldest that is kept.
        comparison.leave(0);
        comparison.forget();
        let (_, begin) = comparison.join(0).unwrap();
        assert_eq!(begin, 7 + (KEPT + 1 - KEPT_FOR_NOBODY) as u64);
    }
}
