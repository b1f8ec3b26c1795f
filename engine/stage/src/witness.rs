//! Compares the events of this exchange's engine with those of another on the same stream, command by command.
//!
//! It sits beside the hashing, on whatever thread that is, and sees events before they are released: the gate waits for
//! what it says ([`Word`]). While no other engine is there it does nothing.
//!
//! Bounds: what the other engine has not answered yet is kept for [`COMMANDS_MAX`] commands and [`BYTES_MAX`] bytes; the
//! oldest goes, and a command so lost is counted as missed. While the other engine still catches up nothing is missed: the
//! first command that both have is compared by the hash over everything before it.

use crate::answers::{Answer, event, events};
use rialto_model::{Event, EventHash, InstrumentId, Output};
use rialto_ring::Word;
use rialto_ring::spsc::Consumer;
use rialto_ring::word::Difference;
use std::collections::{BTreeSet, VecDeque};

/// Commands kept for an engine that is behind.
pub const COMMANDS_MAX: usize = 1 << 18;
/// Bytes of their events.
pub const BYTES_MAX: usize = 64 << 20;
/// Answers taken in one poll at most.
const BATCH: usize = 1_024;

/// What the other engine's connection brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Testimony {
    /// Another engine has come, and passes over what brought it down before.
    Begins {
        /// The number of its arrival, by [`Word::attach`]: what is still to come of another's is dropped.
        generation: u64,
        /// Of these instruments nothing is compared.
        passed_over: Vec<InstrumentId>,
    },
    /// Its answers, in order.
    Answers(Vec<Answer>),
}

/// The comparison.
#[derive(Debug)]
pub struct Witness {
    word: Word,
    testimony: Consumer<Testimony>,
    own: VecDeque<Answer>,
    bytes: usize,
    /// The command whose events come, if its first was seen.
    open: Option<Answer>,
    over: bool,
    answers: VecDeque<Answer>,
    passed_over: BTreeSet<InstrumentId>,
    /// Whose answers these are.
    generation: u64,
    joined: bool,
    done: bool,
}

impl Witness {
    /// One that takes what the other engine says from `testimony`.
    #[must_use]
    pub fn new(word: Word, testimony: Consumer<Testimony>) -> Self {
        Self {
            word,
            testimony,
            own: VecDeque::new(),
            bytes: 0,
            open: None,
            over: false,
            answers: VecDeque::new(),
            passed_over: BTreeSet::new(),
            generation: 0,
            joined: false,
            done: false,
        }
    }

    /// Takes in an event of this exchange's engine, behind which the hash over all events is `total`.
    #[inline]
    pub(crate) fn note(&mut self, output: &Output, first: bool, total: EventHash) {
        if self.word.is_attached() {
            self.keep(output, first, total);
        } else if !self.own.is_empty() {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.own = VecDeque::new();
        self.bytes = 0;
        self.open = None;
        self.answers.clear();
    }

    fn keep(&mut self, output: &Output, first: bool, total: EventHash) {
        if first {
            self.over = false;
            self.open = Some(Answer {
                seq: output.event.seq,
                ..Answer::default()
            });
        }
        let Some(open) = &mut self.open else { return };
        open.push(output, &mut self.over);
        if !output.last {
            return;
        }
        open.total = total;
        if let Some(whole) = self.open.take() {
            self.bytes += whole.events.len();
            self.own.push_back(whole);
        }
        while self.own.len() > COMMANDS_MAX || self.bytes > BYTES_MAX {
            let Some(lost) = self.own.pop_front() else { break };
            self.bytes -= lost.events.len();
        }
    }

    /// Compares what both have by now. Returns how many commands.
    pub(crate) fn compare(&mut self) -> usize {
        let mut moved = 0;
        // Of an engine that is gone nothing is waited for, or an exchange that ends would wait for it.
        if !self.word.is_attached() && !self.answers.is_empty() {
            self.answers.clear();
        }
        while moved < BATCH {
            let Some(answer) = self.answers.pop_front() else {
                match self.testimony.pop() {
                    Ok(Testimony::Begins {
                        generation,
                        passed_over,
                    }) => {
                        self.forget();
                        self.generation = generation;
                        self.passed_over = passed_over.into_iter().collect();
                        (self.joined, self.done) = (false, false);
                    }
                    Ok(Testimony::Answers(answers)) if self.is_heard() => self.answers.extend(answers),
                    Ok(Testimony::Answers(_)) => {}
                    Err(_) => return moved,
                }
                moved += 1;
                continue;
            };
            match self.own.front() {
                Some(own) if own.seq == answer.seq => {
                    moved += 1;
                    self.judge(&answer);
                }
                // It was lost here, or is from before this began to keep.
                Some(own) if own.seq > answer.seq => {
                    if self.joined {
                        self.word.miss();
                    }
                    moved += 1;
                }
                // It has passed over one.
                Some(_) => {
                    self.drop_own();
                    self.word.miss();
                    self.answers.push_front(answer);
                }
                None => {
                    self.answers.push_front(answer);
                    return moved;
                }
            }
        }
        moved
    }

    /// Whether it is of use to know more of the engine that speaks.
    fn is_heard(&self) -> bool {
        !self.done && self.word.is_attached() && self.word.generation() == self.generation
    }

    fn drop_own(&mut self) -> Option<Answer> {
        let own = self.own.pop_front()?;
        self.bytes -= own.events.len();
        Some(own)
    }

    fn judge(&mut self, answer: &Answer) {
        let Some(own) = self.drop_own() else { return };
        let found = if self.passed_over.is_empty() {
            (own.total != answer.total).then(|| first_difference(&own, answer, &self.passed_over))
        } else {
            let difference = first_difference(&own, answer, &self.passed_over);
            (difference.blue != difference.green).then_some(difference)
        };
        match found {
            None => {
                self.joined = true;
                self.word.agree(own.seq);
            }
            Some(difference) => {
                self.word.differ(difference);
                self.done = true;
                self.answers.clear();
            }
        }
    }

    /// Whether nothing waits here for what has come already.
    pub(crate) fn is_drained(&self) -> bool {
        self.testimony.is_empty()
    }
}

/// The first event that differs, counted without those that are passed over. Where none does, something before this
/// command did, or the events are too many to be kept: both sides are then told by their hashes.
fn first_difference(own: &Answer, other: &Answer, passed_over: &BTreeSet<InstrumentId>) -> Difference {
    let (blue, green) = (of_each(&own.events), of_each(&other.events));
    let is_over = |instrument: Option<InstrumentId>| instrument.is_some_and(|one| passed_over.contains(&one));
    let touched = blue.iter().chain(&green).any(|(_, instrument)| is_over(*instrument));
    // What a command says of no instrument may count what is passed over.
    let kept = |all: Vec<_>| -> Vec<&[u8]> {
        let kept = all
            .into_iter()
            .filter(|(_, of): &(_, Option<_>)| !touched || of.is_some() && !is_over(*of));
        kept.map(|(bytes, _)| bytes).collect()
    };
    let (blue, green) = (kept(blue), kept(green));
    let index = blue
        .iter()
        .zip(&green)
        .take_while(|(blue, green)| blue == green)
        .count();
    let (mut blue, mut green) = (told(blue.get(index).copied()), told(green.get(index).copied()));
    if blue.is_none() && green.is_none() && passed_over.is_empty() {
        blue = Some(format!("event hash {}", own.total));
        green = Some(format!("event hash {}", other.total));
    }
    Difference {
        seq: own.seq,
        index,
        blue,
        green,
    }
}

/// Each event with its instrument.
fn of_each(bytes: &[u8]) -> Vec<(&[u8], Option<InstrumentId>)> {
    let instrument = |bytes| event(bytes).ok().and_then(|event| event.instrument());
    events(bytes).map(|bytes| (bytes, instrument(bytes))).collect()
}

fn told(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| event(bytes).map_or_else(|error| format!("bytes that are no event: {error}"), named))
}

fn named(event: Event) -> String {
    format!("{event:?}")
}

/// The commands that are kept, for tests.
#[cfg(test)]
impl Witness {
    fn kept(&self) -> Vec<rialto_model::SequenceNumber> {
        self.own.iter().map(|own| own.seq).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::SequenceNumber;
    use rialto_model::event::{Booked, MassCancelled};
    use rialto_model::{Epoch, Quantity, Sequenced, Timestamp};
    use rialto_ring::spsc::{Producer, RingBuffer};
    use rialto_ring::word::Stand;
    use std::time::Duration;

    struct Both {
        word: Word,
        witness: Witness,
        other: Producer<Testimony>,
        totals: [EventHash; 2],
    }

    fn booked(seq: u64, instrument: u16, quantity: u64) -> Output {
        let body = Booked {
            instrument: InstrumentId(instrument),
            quantity: Quantity(quantity),
            ..Booked::default()
        };
        output(seq, body.into())
    }

    fn output(seq: u64, body: Event) -> Output {
        let (seq, stamp, epoch) = (SequenceNumber(seq), Timestamp(seq), Epoch(1));
        Output {
            event: Sequenced {
                seq,
                stamp,
                epoch,
                body,
            },
            last: true,
        }
    }

    impl Both {
        fn new() -> Self {
            let (other, testimony) = RingBuffer::new(64);
            let word = Word::new(Duration::ZERO);
            Self {
                witness: Witness::new(word.clone(), testimony),
                word,
                other,
                totals: [EventHash(0); 2],
            }
        }

        fn attach(&mut self, passed_over: &[u16]) {
            let begins = Testimony::Begins {
                generation: self.word.attach(),
                passed_over: passed_over.iter().map(|id| InstrumentId(*id)).collect(),
            };
            self.other.push(begins).unwrap();
            self.witness.compare();
        }

        fn blue(&mut self, outputs: &[Output]) {
            for (index, output) in outputs.iter().enumerate() {
                self.totals[0].update(&output.event);
                let output = Output {
                    last: index + 1 == outputs.len(),
                    ..*output
                };
                self.witness.note(&output, index == 0, self.totals[0]);
            }
        }

        fn green(&mut self, outputs: &[Output]) {
            let mut answer = Answer {
                seq: outputs[0].event.seq,
                ..Answer::default()
            };
            for output in outputs {
                self.totals[1].update(&output.event);
                answer.push(output, &mut false);
            }
            answer.total = self.totals[1];
            self.other.push(Testimony::Answers(vec![answer])).unwrap();
            self.witness.compare();
        }
    }

    #[test]
    fn equal_events_are_agreed_to_in_whichever_order_they_come() {
        let mut both = Both::new();
        both.blue(&[booked(1, 1, 5)]);
        both.attach(&[]);
        both.blue(&[booked(2, 1, 5), booked(2, 2, 5)]);
        both.green(&[booked(1, 1, 5)]);
        assert_eq!(
            both.word.stand(),
            Stand::Agreed(SequenceNumber(0)),
            "from before it began to keep"
        );
        both.green(&[booked(2, 1, 5), booked(2, 2, 5)]);
        assert_eq!(both.word.stand(), Stand::Agreed(SequenceNumber(2)));
        both.green(&[booked(3, 1, 6)]);
        assert_eq!(both.word.agreed(), SequenceNumber(2));
        both.blue(&[booked(3, 1, 6)]);
        both.witness.compare();
        assert_eq!((both.word.agreed(), both.word.counts().missed), (SequenceNumber(3), 0));
        assert!(both.witness.kept().is_empty() && both.witness.is_drained());
    }

    #[test]
    fn the_first_event_that_differs_is_named_with_both() {
        let mut both = Both::new();
        both.attach(&[]);
        both.blue(&[booked(1, 1, 5), booked(1, 1, 6)]);
        both.green(&[booked(1, 1, 5), booked(1, 1, 7)]);
        let found = both.word.difference().unwrap();
        assert_eq!((found.seq, found.index), (SequenceNumber(1), 1));
        assert!(found.blue.unwrap().contains("Quantity(6)") && found.green.unwrap().contains("Quantity(7)"));
        assert_eq!(both.word.stand(), Stand::Nobody);
    }

    #[test]
    fn what_is_missing_or_differed_earlier_is_a_difference_too() {
        let mut both = Both::new();
        both.attach(&[]);
        both.blue(&[booked(1, 1, 5), booked(1, 1, 6)]);
        both.green(&[booked(1, 1, 5)]);
        let found = both.word.difference().unwrap();
        assert_eq!((found.index, found.green), (1, None));

        let mut both = Both::new();
        both.totals[1] = EventHash(9);
        both.attach(&[]);
        both.blue(&[booked(1, 1, 5)]);
        both.green(&[booked(1, 1, 5)]);
        assert!(both.word.difference().unwrap().blue.unwrap().starts_with("event hash"));
    }

    #[test]
    fn of_an_instrument_that_is_passed_over_nothing_is_compared() {
        let mut both = Both::new();
        both.attach(&[2]);
        both.blue(&[booked(1, 2, 5)]);
        both.green(&[booked(1, 2, 6)]);
        let counted = |cancelled| {
            output(
                2,
                MassCancelled {
                    cancelled,
                    ..MassCancelled::default()
                }
                .into(),
            )
        };
        both.blue(&[booked(2, 1, 5), booked(2, 2, 5), counted(2)]);
        both.green(&[booked(2, 1, 5), counted(1)]);
        assert_eq!((both.word.agreed(), both.word.difference()), (SequenceNumber(2), None));
        both.blue(&[booked(3, 1, 5)]);
        both.green(&[booked(3, 1, 6)]);
        assert_eq!(both.word.difference().unwrap().seq, SequenceNumber(3));
    }

    #[test]
    fn what_an_engine_said_that_is_gone_holds_nobody_up_and_is_not_taken_for_another_s() {
        let mut both = Both::new();
        both.attach(&[]);
        both.green(&[booked(1, 1, 5)]);
        both.word.detach();
        both.green(&[booked(2, 1, 6)]);
        assert!(both.witness.is_drained() && both.witness.answers.is_empty());
        let stale = Answer {
            seq: SequenceNumber(3),
            ..Answer::default()
        };
        both.other.push(Testimony::Answers(vec![stale])).unwrap();
        both.attach(&[]);
        both.totals = [EventHash(0); 2];
        both.blue(&[booked(3, 1, 5)]);
        both.green(&[booked(3, 1, 5)]);
        assert_eq!((both.word.agreed(), both.word.difference()), (SequenceNumber(3), None));
    }

    #[test]
    fn an_engine_too_far_behind_misses_what_is_no_longer_kept() {
        let mut both = Both::new();
        both.attach(&[]);
        both.blue(&[booked(1, 1, 5)]);
        both.green(&[booked(1, 1, 5)]);
        let last = COMMANDS_MAX as u64 + 2;
        for seq in 2..=last {
            both.blue(&[booked(seq, 1, 5)]);
        }
        both.green(&[booked(2, 1, 5)]);
        both.green(&[booked(3, 1, 5)]);
        assert_eq!((both.word.counts().missed, both.word.agreed()), (1, SequenceNumber(3)));
        assert_eq!(both.witness.kept().len(), COMMANDS_MAX - 1);
    }
}
