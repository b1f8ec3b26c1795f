//! What a second engine says of each command, and its bytes: `SPEC.md` beside this crate has the table.

use rialto_model::codec::{DecodeError, Decoder, Field as _};
use rialto_model::hash::HASHED_BYTES_MAX;
use rialto_model::{Event, EventHash, Output, SequenceNumber};

/// Bytes of one body at which it is time to send it.
pub const ANSWERS_BYTES: usize = 32 * 1024;
/// Bytes of the events of one command that are sent; of more the hash alone is.
pub const EVENTS_BYTES_MAX: usize = 24 * 1024;
/// Bytes in front of an event: its length.
const LENGTH: usize = 2;

/// What came of one command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Which command.
    pub seq: SequenceNumber,
    /// The hash over all events of the venue's life up to here.
    pub total: EventHash,
    /// Its events: the bytes that the hash takes in, each behind its length (two bytes); empty where they are more than
    /// [`EVENTS_BYTES_MAX`].
    pub events: Vec<u8>,
}

impl Answer {
    /// Appends an event; past the bound it keeps none.
    pub fn push(&mut self, output: &Output, over: &mut bool) {
        let mut bytes = [0; HASHED_BYTES_MAX];
        let length = output.event.encode_hashed(&mut bytes);
        if *over || self.events.len() + LENGTH + length > EVENTS_BYTES_MAX {
            *over = true;
            self.events.clear();
            return;
        }
        self.events.extend_from_slice(&(length as u16).to_le_bytes());
        self.events.extend_from_slice(bytes.get(..length).unwrap_or_default());
    }
}

/// The events of an answer, each by its bytes.
pub fn events(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
        let (event, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        bytes = rest;
        Some(event)
    })
}

/// An event from the bytes that the hash takes in.
///
/// # Errors
/// [`DecodeError`].
pub fn event(bytes: &[u8]) -> Result<Event, DecodeError> {
    let mut input = Decoder::new(bytes);
    let (_seq, _stamp) = (u64::get(&mut input)?, u64::get(&mut input)?);
    let schema = u16::get(&mut input)?;
    let known = Event::SCHEMAS.iter().find(|known| known.id == schema);
    let block = known.map_or(0, |known| known.block_len());
    Event::decode(schema, block, input.take(input.remaining())?)
}

/// Answers to commands in dense order, as one body.
#[derive(Clone, Debug, Default)]
pub struct AnswersBuilder {
    body: Vec<u8>,
}

impl AnswersBuilder {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Whether it is time to send it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.body.len() >= ANSWERS_BYTES
    }

    /// Appends one.
    pub fn push(&mut self, answer: &Answer) {
        self.body.extend_from_slice(&answer.seq.0.to_le_bytes());
        self.body.extend_from_slice(&answer.total.0.to_le_bytes());
        self.body.extend_from_slice(&(answer.events.len() as u32).to_le_bytes());
        self.body.extend_from_slice(&answer.events);
    }

    /// The body, and begins another.
    pub fn finish(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.body)
    }
}

/// Reads a body.
///
/// # Errors
/// [`DecodeError`].
pub fn decode(body: &[u8]) -> Result<Vec<Answer>, DecodeError> {
    let mut input = Decoder::new(body);
    let mut answers = Vec::new();
    while input.remaining() > 0 {
        let seq = SequenceNumber(u64::get(&mut input)?);
        let total = EventHash(u64::get(&mut input)?);
        let length = u32::get(&mut input)?;
        let events = input.take(length as usize)?.to_vec();
        answers.push(Answer { seq, total, events });
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::event::{Booked, Ticked};
    use rialto_model::{Epoch, Sequenced, Timestamp};

    fn output(body: Event) -> Output {
        let (seq, stamp, epoch) = (SequenceNumber(7), Timestamp(9), Epoch(1));
        Output {
            event: Sequenced {
                seq,
                stamp,
                epoch,
                body,
            },
            last: false,
        }
    }

    #[test]
    fn answers_and_their_events_come_back() {
        let bodies = [Ticked {}.into(), Booked::default().into()];
        let mut answer = Answer {
            seq: SequenceNumber(7),
            total: EventHash(3),
            ..Answer::default()
        };
        for body in bodies {
            answer.push(&output(body), &mut false);
        }
        let mut builder = AnswersBuilder::default();
        builder.push(&answer);
        builder.push(&Answer {
            seq: SequenceNumber(8),
            ..Answer::default()
        });
        let body = builder.finish();
        let golden = [7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 79, 0, 0, 0, 18, 0, 7];
        assert_eq!(body.get(..23), Some(&golden[..]));
        let read = decode(&body).unwrap();
        assert_eq!(read.first(), Some(&answer));
        assert_eq!(read.len(), 2);
        let back: Vec<Event> = events(&answer.events).map(|bytes| event(bytes).unwrap()).collect();
        assert_eq!(back, bodies);
        assert!(decode(&body[..body.len() - 1]).is_err());
        assert!(event(&[0; 3]).is_err());
    }

    #[test]
    fn a_command_with_more_events_than_are_sent_keeps_none() {
        let (mut answer, mut over) = (Answer::default(), false);
        for _ in 0..1_000 {
            answer.push(&output(Booked::default().into()), &mut over);
        }
        assert!(over && answer.events.is_empty());
    }
}
