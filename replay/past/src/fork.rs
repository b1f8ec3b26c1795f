//! Another stream from this one: a copy up to a moment, with single commands changed.
//!
//! The copy is a whole journal of its own, written record by record with the stamps of the old one and a first epoch, so
//! that an exchange goes on with it as with any other. No number moves: a command that is dropped gives its place to a
//! [`Tick`], which changes nothing, because orders are named by the numbers of their commands.

use crate::past::Past;
use rialto_journal::{
    AppendError, CommitError, Config, Disk, Durability, OpenError, ReadError, Reader, RecoverError, recover,
};
use rialto_model::command::Tick;
use rialto_model::{Command, EventHash, SequenceNumber, Sequenced, StateHash, VenueId};
use std::collections::BTreeMap;

/// Commands in one commit block of the copy.
const BLOCK: u64 = 256;

/// What is done to one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A tick in its place.
    Drop,
    /// Another command in its place, under its number and stamp.
    Replace(Command),
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Forked {
    /// The last command of the copy.
    pub last_seq: SequenceNumber,
    /// The state behind it.
    pub state_hash: StateHash,
    /// The hash over all events of the copy.
    pub event_hash: EventHash,
}

/// Why there is no fork.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// The old journal ends earlier.
    #[error("the journal ends at sequence number {last}: it has no {wanted} to fork at")]
    NotYet {
        /// What was asked for.
        wanted: SequenceNumber,
        /// What it has.
        last: SequenceNumber,
    },
    /// A change of what is not in the copy, or of the release, which says how everything behind it is read.
    #[error("command {seq} cannot be changed: give a number from 2 up to that of --at")]
    Edit {
        /// Which.
        seq: SequenceNumber,
    },
    /// The place of the copy holds something.
    #[error("{place} holds files already: give a new folder")]
    NotEmpty {
        /// Where.
        place: String,
    },
    /// The old journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The new one cannot be begun.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// As before.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be written.
    #[error("cannot write the copy: {0}")]
    Append(#[from] AppendError),
    /// As before.
    #[error("cannot write the copy: {0}")]
    Commit(#[from] CommitError),
    /// The disk refused.
    #[error("cannot write the copy: {0}")]
    Disk(String),
}

/// Copies `from` up to and with command `at` into the empty folder `into`, with `edits` by number. Everything in the copy
/// is durable when this returns.
///
/// # Errors
/// [`ForkError`]; the folder then holds a beginning of the copy.
pub fn fork<D: Disk>(
    from: &D,
    into: &D,
    at: SequenceNumber,
    edits: &BTreeMap<SequenceNumber, Edit>,
    segment_bytes: u64,
) -> Result<Forked, ForkError> {
    if let Some(seq) = edits.keys().find(|seq| seq.0 < 2 || **seq > at) {
        return Err(ForkError::Edit { seq: *seq });
    }
    let files = into.list().map_err(|error| ForkError::Disk(error.to_string()))?;
    if !files.is_empty() {
        return Err(ForkError::NotEmpty { place: into.place() });
    }
    let mut reader = Reader::open(from)?;
    let mut next = reader.read()?;
    let venue = reader.venue().unwrap_or(VenueId(1));
    let config = Config {
        durability: Durability::Disk,
        segment_bytes,
        ..Config::default()
    };
    let (mut writer, mut syncer) = recover(into, venue)?.into_writer(config)?;
    let mut past = Past::new();
    while let Some(command) = next.filter(|command| command.seq <= at) {
        let body = match edits.get(&command.seq) {
            None => command.body,
            Some(Edit::Drop) => Command::Tick(Tick {}),
            Some(Edit::Replace(other)) => *other,
        };
        let copied = Sequenced {
            epoch: writer.epoch(),
            body,
            ..command
        };
        past.apply(&copied);
        writer.append(&copied)?;
        if writer.is_full() || copied.seq.0.is_multiple_of(BLOCK) {
            // Segments are made ahead by the syncer; here it has no thread of its own.
            syncer.poll();
            while let Err(error) = writer.commit() {
                if !matches!(error, CommitError::NoSegment { .. }) || syncer.poll() == 0 {
                    return Err(error.into());
                }
            }
        }
        next = reader.read()?;
    }
    let last = past.seq();
    if last < at {
        return Err(ForkError::NotYet { wanted: at, last });
    }
    let closed = writer.close(syncer)?;
    Ok(Forked {
        last_seq: closed.last_seq,
        state_hash: past.state_hash(),
        event_hash: past.event_hash(),
    })
}
