//! Which events wait for another engine's word, as the stream says, and for how long at most.
//!
//! The standing engine's bytes are what leaves, always: the other's are equal to them or nobody waits for it. So all that
//! can go wrong here is time, and that is bounded: one wait of [`Word::bound`], after which whoever waited returns to the
//! standing engine and, until the other has caught up, whoever would wait next returns at once.

use rialto_model::{Event, InstrumentId, Output, SequenceNumber};
use rialto_ring::Word;
use rialto_ring::word::{Returned, Stand};
use std::collections::VecDeque;
use std::time::Instant;

const WORDS: usize = 1 << 10;

/// The gate's memory of it.
#[derive(Debug)]
pub(crate) struct Hold {
    word: Word,
    /// Whether anything can wait: nothing below is looked at otherwise.
    active: bool,
    /// Every event waits.
    all: bool,
    /// Behind this command every event waits.
    cut: Option<SequenceNumber>,
    /// A bit for each instrument.
    routed: Box<[u64]>,
    /// Who waits, and since when.
    waiting: Option<(SequenceNumber, Instant)>,
    /// Somebody waited for the whole bound, and the other engine has not caught up since.
    silent: bool,
    /// Since when commands up to a number are safe: a wait counts from there, also one behind another's.
    safe: VecDeque<(SequenceNumber, Instant)>,
}

/// Moments kept of how far was safe when. Beyond, a wait counts from a later moment.
const SAFE_MAX: usize = 4_096;

impl Hold {
    pub(crate) fn new(word: Word) -> Self {
        Self {
            word,
            active: false,
            all: false,
            cut: None,
            routed: Box::default(),
            waiting: None,
            silent: false,
            safe: VecDeque::new(),
        }
    }

    /// Commands up to here are safe by now.
    #[inline]
    pub(crate) fn note_safe(&mut self, safe: SequenceNumber) {
        if self.active && self.safe.len() < SAFE_MAX && self.safe.back().is_none_or(|(last, _)| *last < safe) {
            self.safe.push_back((safe, Instant::now()));
        }
    }

    /// Whether an event that is safe may leave. It is asked again about one that may not.
    #[inline]
    pub(crate) fn admits(&mut self, output: &Output) -> bool {
        match &output.event.body {
            Event::CutOverSet(_) | Event::Routed(_) => self.switch(output),
            _ => {}
        }
        !self.active || self.judge(output)
    }

    /// A change of who waits holds from the moment that it is seen: it waits for nobody itself, so that the way back is
    /// open however silent the other engine is.
    #[cold]
    fn switch(&mut self, output: &Output) {
        let seq = output.event.seq;
        match &output.event.body {
            Event::CutOverSet(e) => {
                self.all = false;
                self.cut = e.cut.green.then(|| e.cut.after.max(seq));
                self.silent = false;
            }
            Event::Routed(e) => self.route(e.way.instrument, e.way.candidate),
            _ => {}
        }
        self.rest();
        self.word.switch(seq);
    }

    fn route(&mut self, instrument: InstrumentId, candidate: bool) {
        if instrument.0 == 0 {
            self.routed = if candidate {
                vec![u64::MAX; WORDS].into()
            } else {
                Box::default()
            };
            return;
        }
        if self.routed.is_empty() && candidate {
            self.routed = vec![0; WORDS].into();
        }
        if let Some(bits) = self.routed.get_mut(usize::from(instrument.0) / 64) {
            let bit = 1 << (instrument.0 % 64);
            *bits = if candidate { *bits | bit } else { *bits & !bit };
        }
    }

    fn is_routed(&self, instrument: Option<InstrumentId>) -> bool {
        let bits = |id: InstrumentId| self.routed.get(usize::from(id.0) / 64).copied().unwrap_or_default();
        instrument.is_some_and(|id| bits(id) & (1 << (id.0 % 64)) != 0)
    }

    /// Works out whether anything can wait.
    fn rest(&mut self) {
        if self.routed.iter().all(|bits| *bits == 0) {
            self.routed = Box::default();
        }
        self.safe.clear();
        self.active = self.all || self.cut.is_some() || !self.routed.is_empty();
    }

    fn judge(&mut self, output: &Output) -> bool {
        let seq = output.event.seq;
        if self.cut.is_some_and(|after| seq > after) {
            (self.all, self.cut) = (true, None);
        }
        let instrument = output.event.body.instrument();
        if matches!(output.event.body, Event::CutOverSet(_) | Event::Routed(_))
            || !(self.all || self.is_routed(instrument))
        {
            return true;
        }
        match self.word.stand() {
            Stand::Agreed(agreed) if agreed >= seq => {
                if let Some((_, since)) = self.waiting.take() {
                    self.word.waited(since.elapsed());
                }
                self.silent = false;
                self.word.release();
                true
            }
            Stand::Nobody => {
                // Who brought the other engine knows why, and says so in the stream.
                (self.all, self.routed, self.waiting, self.silent) = (false, Box::default(), None, false);
                self.rest();
                true
            }
            Stand::Agreed(_) => !self.wait(seq, instrument),
        }
    }

    /// Whether it still waits.
    fn wait(&mut self, seq: SequenceNumber, instrument: Option<InstrumentId>) -> bool {
        let since = match self.waiting {
            Some((waiting, since)) if waiting == seq => since,
            _ => {
                let now = Instant::now();
                self.waiting = Some((seq, now));
                now
            }
        };
        while self.safe.front().is_some_and(|(safe, _)| *safe < seq) {
            self.safe.pop_front();
        }
        let safe_since = self
            .safe
            .front()
            .map_or(since, |(_, safe_since)| since.min(*safe_since));
        let waited = safe_since.elapsed();
        if !self.silent && waited < self.word.bound() {
            return true;
        }
        self.word.waited(waited);
        self.silent = true;
        self.waiting = None;
        let instrument = if self.all {
            InstrumentId(0)
        } else {
            instrument.unwrap_or_default()
        };
        self.word.give_back(Returned { instrument, seq });
        if self.all {
            self.all = false;
        } else {
            self.route(instrument, false);
        }
        self.rest();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::event::{Booked, CutOverSet, Routed, Ticked};
    use rialto_model::{Cut, Epoch, Sequenced, Timestamp, Way};
    use rialto_ring::word::Difference;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(seq: u64, event: Event) -> Output {
        Output {
            event: Sequenced {
                seq: SequenceNumber(seq),
                stamp: Timestamp(seq),
                epoch: Epoch(1),
                body: event,
            },
            last: true,
        }
    }

    fn booked(seq: u64, instrument: u16) -> Output {
        let instrument = InstrumentId(instrument);
        at(
            seq,
            Booked {
                instrument,
                ..Booked::default()
            }
            .into(),
        )
    }

    fn route(seq: u64, instrument: u16, candidate: bool) -> Output {
        let way = Way {
            build: 7,
            instrument: InstrumentId(instrument),
            candidate,
        };
        at(
            seq,
            Routed {
                way,
                ..Routed::default()
            }
            .into(),
        )
    }

    fn cut(seq: u64, after: u64, green: bool) -> Output {
        let cut = Cut {
            after: SequenceNumber(after),
            green,
            ..Cut::default()
        };
        at(
            seq,
            CutOverSet {
                cut,
                ..CutOverSet::default()
            }
            .into(),
        )
    }

    fn held(bound: Duration) -> (Word, Hold) {
        let word = Word::new(bound);
        word.attach();
        (word.clone(), Hold::new(word))
    }

    #[test]
    fn only_routed_instruments_wait_and_only_for_their_own_command() {
        let (word, mut hold) = held(HOUR);
        assert!(hold.admits(&booked(1, 5)));
        assert!(hold.admits(&route(2, 5, true)));
        assert!(hold.admits(&booked(3, 4)));
        assert!(hold.admits(&at(4, Ticked {}.into())));
        assert!(!hold.admits(&booked(5, 5)) && !hold.admits(&booked(5, 5)));
        word.agree(SequenceNumber(4));
        assert!(!hold.admits(&booked(5, 5)));
        word.agree(SequenceNumber(5));
        assert!(hold.admits(&booked(5, 5)));
        assert!(hold.admits(&route(6, 5, false)));
        assert!(hold.admits(&booked(7, 5)) && !hold.active);
        assert_eq!((word.counts().released, word.switched()), (1, SequenceNumber(6)));
    }

    #[test]
    fn a_cut_over_holds_from_behind_the_command_it_names_and_the_way_back_waits_for_nobody() {
        let (word, mut hold) = held(HOUR);
        assert!(hold.admits(&cut(1, 3, true)));
        assert!(hold.admits(&booked(2, 1)) && hold.admits(&booked(3, 1)));
        assert!(!hold.admits(&at(4, Ticked {}.into())), "every event waits");
        word.agree(SequenceNumber(4));
        assert!(hold.admits(&at(4, Ticked {}.into())));
        assert!(!hold.admits(&booked(5, 1)));
        word.agree(SequenceNumber(5));
        assert!(hold.admits(&booked(5, 1)));
        assert!(hold.admits(&cut(6, 0, false)));
        assert!(hold.admits(&booked(7, 1)));
    }

    #[test]
    fn who_has_waited_for_the_whole_bound_returns_and_nobody_waits_again_for_the_same_silence() {
        let (word, mut hold) = held(Duration::ZERO);
        for instrument in [5, 6] {
            assert!(hold.admits(&route(1, instrument, true)));
        }
        assert!(hold.admits(&booked(3, 5)));
        word.set_bound(HOUR);
        assert!(hold.admits(&booked(4, 6)), "it is still silent");
        assert!(
            hold.admits(&booked(5, 5)) && hold.admits(&booked(6, 6)),
            "both have returned"
        );
        let returned: Vec<(u16, u64)> = word
            .take_returned()
            .iter()
            .map(|one| (one.instrument.0, one.seq.0))
            .collect();
        assert_eq!(returned, [(5, 3), (6, 4)]);
        assert_eq!(word.counts().silences, 2);
        assert!(hold.admits(&route(7, 5, true)));
        word.agree(SequenceNumber(8));
        assert!(hold.admits(&booked(8, 5)));
        assert!(
            !hold.admits(&booked(9, 5)),
            "it has spoken since, and is waited for again"
        );
    }

    #[test]
    fn nobody_waits_for_an_engine_that_has_differed_or_is_gone() {
        for gone in [false, true] {
            let (word, mut hold) = held(HOUR);
            assert!(hold.admits(&route(1, 5, true)));
            assert!(!hold.admits(&booked(2, 5)));
            if gone {
                word.detach();
            } else {
                let seq = SequenceNumber(2);
                word.differ(Difference {
                    seq,
                    index: 0,
                    blue: None,
                    green: None,
                });
            }
            assert!(hold.admits(&booked(2, 5)) && !hold.active);
            assert!(word.take_returned().is_empty(), "that is no silence");
        }
    }
}
