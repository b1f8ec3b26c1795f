//! Another stream from this one: a copy up to a moment, with single commands changed.
//!
//! The copy is a whole journal of its own, written record by record with the stamps of the old one and a first epoch, so
//! that an exchange goes on with it as with any other. No number moves: a command that is dropped gives its place to a
//! [`Tick`], which changes nothing, because orders are named by the numbers of their commands.
//!
//! A copy may be another venue's ([`found`]). Then it says so from its first command on, for a venue's id is in the header of
//! every segment and in the names of all sessions, and nothing else of its history differs. What was connected at the moment
//! of the fork is connected elsewhere: behind the last copied command every session that was up is lost as
//! [`LossCause::Forked`], which cancels nothing.

use crate::past::Past;
use rialto_journal::{
    AppendError, CommitError, Config, Disk, Durability, OpenError, ReadError, Reader, RecoverError, Syncer, Writer,
    recover,
};
use rialto_matching::EngineState;
use rialto_model::command::{SessionLost, Tick};
use rialto_model::{Command, EventHash, LossCause, SequenceNumber, Sequenced, StateHash, Timestamp, VenueId};
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

/// A venue that began as a copy of another.
#[derive(Clone, Debug)]
pub struct Founded {
    /// The last command that was copied.
    pub at: SequenceNumber,
    /// The state of the old venue behind it.
    pub origin: StateHash,
    /// The last command of the copy: the losses of the sessions that were up come behind [`Founded::at`].
    pub last_seq: SequenceNumber,
    /// When it was.
    pub stamp: Timestamp,
    /// The new venue behind it.
    pub state: EngineState,
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
    let mut copy = Copy::begin(from, into, None, segment_bytes)?;
    copy.take_up_to(at, |command| match edits.get(&command.seq) {
        None => command.body,
        Some(Edit::Drop) => Command::Tick(Tick {}),
        Some(Edit::Replace(other)) => *other,
    })?;
    let last = copy.past.seq();
    if last < at {
        return Err(ForkError::NotYet { wanted: at, last });
    }
    let past = copy.close()?;
    Ok(Forked {
        last_seq: past.seq(),
        state_hash: past.state_hash(),
        event_hash: past.event_hash(),
    })
}

/// Copies `from` up to and with command `at`, or all of it, into the empty folder `into` as the journal of `venue`, with
/// every session that was up lost behind it. Nothing of `from` is read beyond the block of `at`, so it may still be written to.
///
/// # Errors
/// [`ForkError`]; the folder then holds a beginning of the copy.
pub fn found<D: Disk>(
    from: &D,
    into: &D,
    at: Option<SequenceNumber>,
    venue: VenueId,
    segment_bytes: u64,
) -> Result<Founded, ForkError> {
    let mut copy = Copy::begin(from, into, Some(venue), segment_bytes)?;
    copy.take_up_to(at.unwrap_or(SequenceNumber(u64::MAX)), |command| match command.body {
        Command::Release(release) => Command::Release(rialto_model::command::Release { venue, ..release }),
        other => other,
    })?;
    let last = copy.past.seq();
    if last.0 == 0 || at.is_some_and(|at| last < at) {
        let wanted = at.unwrap_or(SequenceNumber(1));
        return Err(ForkError::NotYet { wanted, last });
    }
    let mut state = copy.past.state();
    state.venue = copy.from_venue;
    let origin = state.state_hash();
    let up = state.sessions.iter().filter(|session| session.up);
    for session in up {
        copy.append_next(
            SessionLost {
                session: session.definition.session,
                incarnation: session.incarnation,
                cause: LossCause::Forked,
            }
            .into(),
        )?;
    }
    let past = copy.close()?;
    Ok(Founded {
        at: last,
        origin,
        last_seq: past.seq(),
        stamp: past.last().map_or(Timestamp(0), |last| last.stamp),
        state: past.state(),
    })
}

/// A copy on its way.
struct Copy<D: Disk> {
    reader: Reader<D>,
    /// Read and not yet taken.
    next: Option<Sequenced<Command>>,
    from_venue: VenueId,
    writer: Writer<D>,
    syncer: Syncer<D>,
    past: Past,
}

impl<D: Disk> Copy<D> {
    fn begin(from: &D, into: &D, venue: Option<VenueId>, segment_bytes: u64) -> Result<Self, ForkError> {
        let files = into.list().map_err(|error| ForkError::Disk(error.to_string()))?;
        if !files.is_empty() {
            return Err(ForkError::NotEmpty { place: into.place() });
        }
        let mut reader = Reader::open(from)?;
        // The journal's venue is known once it has a segment that was read.
        let next = reader.read()?;
        let from_venue = reader.venue().unwrap_or(VenueId(1));
        let config = Config {
            durability: Durability::Disk,
            segment_bytes,
            ..Config::default()
        };
        let (writer, syncer) = recover(into, venue.unwrap_or(from_venue))?.into_writer(config)?;
        Ok(Self {
            reader,
            next,
            from_venue,
            writer,
            syncer,
            past: Past::new(),
        })
    }

    /// Goes on up to and with command `at`, and reads no further.
    fn take_up_to(
        &mut self,
        at: SequenceNumber,
        body: impl Fn(&Sequenced<Command>) -> Command,
    ) -> Result<(), ForkError> {
        while let Some(command) = self.next.take().filter(|command| command.seq <= at) {
            self.append(Sequenced {
                body: body(&command),
                ..command
            })?;
            if command.seq < at {
                self.next = self.reader.read()?;
            }
        }
        Ok(())
    }

    /// A command of the copy's own, under the next number and the last stamp.
    fn append_next(&mut self, body: Command) -> Result<(), ForkError> {
        let stamp = self.past.last().map_or(Timestamp(0), |last| last.stamp);
        let (seq, epoch) = (self.past.seq().next(), self.writer.epoch());
        self.append(Sequenced {
            seq,
            stamp,
            epoch,
            body,
        })
    }

    fn append(&mut self, command: Sequenced<Command>) -> Result<(), ForkError> {
        let copied = Sequenced {
            epoch: self.writer.epoch(),
            ..command
        };
        self.past.apply(&copied);
        self.writer.append(&copied)?;
        if self.writer.is_full() || copied.seq.0.is_multiple_of(BLOCK) {
            // Segments are made ahead by the syncer; here it has no thread of its own.
            self.syncer.poll();
            while let Err(error) = self.writer.commit() {
                if !matches!(error, CommitError::NoSegment { .. }) || self.syncer.poll() == 0 {
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    fn close(self) -> Result<Past, ForkError> {
        self.writer.close(self.syncer)?;
        Ok(self.past)
    }
}
