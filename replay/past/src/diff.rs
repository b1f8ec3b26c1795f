//! Where two journals part, with the state around it.

use crate::past::Past;
use crate::{BookAnswer, book, text};
use rialto_journal::{Disk, ReadError, Reader};
use rialto_model::{Command, Event, InstrumentId, SequenceNumber, Sequenced, StateHash};
use serde_json::Value;

/// Levels of a side that are shown of the book in question.
const LEVELS: usize = 5;

/// The first command that is not the same in both.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Its number.
    pub seq: SequenceNumber,
    /// The state in front of it, which both share.
    pub state_before: StateHash,
    /// The books that it touches on either side, as both have them in front of it.
    pub books_before: Vec<BookAnswer>,
    /// What the first journal has there; `None`: it ends.
    pub left: Option<Outcome>,
    /// What the second one has.
    pub right: Option<Outcome>,
}

/// A command and what came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The command, as in [`text::record`].
    pub record: Value,
    /// Its events, for people.
    pub events: Vec<String>,
    /// The state behind it.
    pub state_after: StateHash,
}

/// Why two journals cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// The first one.
    #[error("in the first journal: {0}")]
    Left(ReadError),
    /// The second one.
    #[error("in the second journal: {0}")]
    Right(ReadError),
}

/// How many commands two journals have in common, and what comes behind them where they are not the same to the end.
/// Commands are the same when number, stamp and everything in them is; epochs and blocks are no part of it.
///
/// # Errors
/// [`DiffError`].
pub fn diff<D: Disk>(left: &D, right: &D) -> Result<(SequenceNumber, Option<Difference>), DiffError> {
    let mut one = Reader::open(left).map_err(DiffError::Left)?;
    let mut other = Reader::open(right).map_err(DiffError::Right)?;
    let mut past = Past::new();
    loop {
        let here = one.read().map_err(DiffError::Left)?;
        let there = other.read().map_err(DiffError::Right)?;
        match (here, there) {
            (None, None) => return Ok((past.seq(), None)),
            (Some(here), Some(there)) if is_same(&here, &there) => {
                past.apply(&here);
            }
            (here, there) => return Ok((past.seq(), Some(difference(&past, here, there)))),
        }
    }
}

fn is_same(one: &Sequenced<Command>, other: &Sequenced<Command>) -> bool {
    (one.seq, one.stamp, one.body) == (other.seq, other.stamp, other.body)
}

fn difference(past: &Past, here: Option<Sequenced<Command>>, there: Option<Sequenced<Command>>) -> Difference {
    let mut touched = Vec::new();
    let mut outcome = |command: Sequenced<Command>| {
        let mut branch = past.clone();
        let outputs = branch.apply(&command);
        touched.extend(outputs.iter().filter_map(|output| output.event.body.instrument()));
        let events = outputs.iter().map(|output| described(&output.event.body)).collect();
        Outcome {
            record: text::record(&command),
            events,
            state_after: branch.state_hash(),
        }
    };
    let (left, right) = (here.map(&mut outcome), there.map(&mut outcome));
    touched.sort_unstable();
    touched.dedup();
    Difference {
        seq: past.seq().next(),
        state_before: past.state_hash(),
        books_before: touched.iter().flat_map(|id| shown(past, *id)).collect(),
        left,
        right,
    }
}

fn shown(past: &Past, id: InstrumentId) -> Vec<BookAnswer> {
    let symbol = past.engine().instruments().find(|one| one.instrument == id);
    let answer = symbol.map(|one| book(past, Some(one.symbol.as_str()), LEVELS));
    answer.and_then(Result::ok).unwrap_or_default()
}

fn described(event: &Event) -> String {
    let fields = format!("{event:?}");
    // `Name(Name { .. })` says its name twice.
    let inner = fields
        .split_once('(')
        .map(|(_, rest)| rest.trim_end_matches(')').to_owned());
    inner.unwrap_or(fields)
}
