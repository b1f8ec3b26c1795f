//! A journal with its snapshots, and how far it may be read: the way to any place of the stream.

use crate::past::Past;
use crate::snapshot::{Snapshot, SnapshotError, link};
use crate::store::{Snapshots, StoreError};
use rialto_journal::{Disk, ReadError, Reader};
use rialto_model::{Command, SequenceNumber, Sequenced};

/// A journal, its snapshots if there is a folder of them, and how far it may be read.
#[derive(Clone, Debug)]
pub struct Stream<D: Disk> {
    /// The journal's folder.
    pub journal: D,
    /// The snapshots beside it.
    pub snapshots: Option<Snapshots<D>>,
    /// Behind which number the writer is still at work; `None` where nobody writes.
    pub limit: Option<SequenceNumber>,
    /// How many commands one visit may replay. A person's own process may take its time; one that others wait for may not.
    pub replay_max: u64,
}

/// A place of the stream, from which one can go on.
pub struct Visit<D: Disk> {
    /// The venue there.
    pub past: Past,
    /// Snapshots that were not believed, and why.
    pub passed_over: Vec<String>,
    reader: Reader<D>,
    end: SequenceNumber,
    replay_max: u64,
}

/// Why a place cannot be visited.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// It has not been yet.
    #[error("the stream ends at sequence number {last}: {wanted} has not been yet")]
    NotYet {
        /// What was asked for.
        wanted: SequenceNumber,
        /// The last that may be read.
        last: SequenceNumber,
    },
    /// Nothing is there.
    #[error("there is no command in {place}: an exchange writes its first when it opens")]
    Empty {
        /// The folder.
        place: String,
    },
    /// Before the first command.
    #[error("the first command has sequence number 1: nothing stands at 0")]
    Nought,
    /// Too far from a snapshot for a process that others wait for.
    #[error(
        "more than {most} commands lie between the nearest snapshot and sequence number {wanted}: take one with `rialto snapshot take`, or ask when the exchange is stopped"
    )]
    TooFar {
        /// What was asked for.
        wanted: SequenceNumber,
        /// The bound.
        most: u64,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The snapshots cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<D: Disk> Stream<D> {
    /// A journal that nobody writes, and its snapshots.
    #[must_use]
    pub const fn at_rest(journal: D, snapshots: Option<Snapshots<D>>) -> Self {
        Self {
            journal,
            snapshots,
            limit: None,
            replay_max: u64::MAX,
        }
    }

    /// The venue behind command `seq`; `None`: behind the last one.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn at(&self, seq: Option<SequenceNumber>) -> Result<Visit<D>, PastError> {
        let wanted = seq.unwrap_or(SequenceNumber(u64::MAX));
        if wanted.0 == 0 {
            return Err(PastError::Nought);
        }
        if let (Some(seq), Some(limit)) = (seq, self.limit)
            && seq > limit
        {
            return Err(PastError::NotYet {
                wanted: seq,
                last: limit,
            });
        }
        let mut visit = self.near(wanted)?;
        while visit.past.seq() < wanted {
            let Some(command) = visit.read()? else { break };
            visit.past.apply(&command);
        }
        let last = visit.past.seq();
        match seq {
            _ if last.0 == 0 => Err(PastError::Empty {
                place: self.journal.place(),
            }),
            Some(wanted) if last < wanted => Err(PastError::NotYet { wanted, last }),
            _ => Ok(visit),
        }
    }

    /// The nearest place at or before `wanted` that needs no replay: a snapshot, or before the first command. Goes on up to
    /// `wanted` at most.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn near(&self, wanted: SequenceNumber) -> Result<Visit<D>, PastError> {
        let end = self.limit.map_or(wanted, |limit| limit.min(wanted));
        let mut passed_over = Vec::new();
        let numbers = match &self.snapshots {
            Some(snapshots) => snapshots.numbers()?,
            None => Vec::new(),
        };
        for seq in numbers.into_iter().rev().filter(|seq| *seq <= wanted) {
            match self.begin_at(seq, end)? {
                Ok((past, reader)) => return Ok(self.visit(past, reader, end, passed_over)),
                Err(why) => passed_over.push(format!("snapshot {seq} is passed over: {why}")),
            }
        }
        let reader = Reader::open(&self.journal)?;
        Ok(self.visit(Past::new(), reader, end, passed_over))
    }

    /// Goes on from a place of this journal, up to `wanted` at most. `None`: the place is not one of this journal, or is behind
    /// `wanted`. What was replayed on the way to the place does not count any more.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn onward(&self, past: Past, wanted: SequenceNumber) -> Result<Option<Visit<D>>, PastError> {
        let end = self.limit.map_or(wanted, |limit| limit.min(wanted));
        let reader = match past.last() {
            None => Some(Reader::open(&self.journal)?),
            Some(last) => self.reader_from(last, past.link(), end)?,
        };
        let before = past.applied();
        Ok(reader.map(|reader| {
            let mut visit = self.visit(past, reader, end, Vec::new());
            visit.replay_max = self.replay_max.saturating_add(before);
            visit
        }))
    }

    /// The newest snapshot behind a command no later than `wanted` that is one of this journal: its number and its file's
    /// bytes, for who has no journal to begin with.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn newest_snapshot(&self, wanted: SequenceNumber) -> Result<Option<(SequenceNumber, Vec<u8>)>, PastError> {
        let Some(snapshots) = &self.snapshots else {
            return Ok(None);
        };
        let end = self.limit.map_or(wanted, |limit| limit.min(wanted));
        for seq in snapshots.numbers()?.into_iter().rev().filter(|seq| *seq <= end) {
            let bytes = match snapshots.bytes(seq) {
                Ok(bytes) => bytes,
                // Dropped since the folder was read.
                Err(StoreError::NoSuch { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let Ok(snapshot) = Snapshot::decode(&bytes) else {
                continue;
            };
            if snapshot.seq == seq && self.reader_behind(&snapshot, end)?.is_some() {
                return Ok(Some((seq, bytes)));
            }
        }
        Ok(None)
    }

    /// The newest snapshot that is one of this journal and of which `holds` is true, or before the first command. Goes on up to
    /// the limit.
    ///
    /// # Errors
    /// [`PastError`].
    pub(crate) fn newest(&self, holds: impl Fn(&Past) -> bool) -> Result<Visit<D>, PastError> {
        let end = self.limit.unwrap_or(SequenceNumber(u64::MAX));
        let numbers = match &self.snapshots {
            Some(snapshots) => snapshots.numbers()?,
            None => Vec::new(),
        };
        for seq in numbers.into_iter().rev() {
            if let Ok((past, reader)) = self.begin_at(seq, end)?
                && holds(&past)
            {
                return Ok(self.visit(past, reader, end, Vec::new()));
            }
        }
        let reader = Reader::open(&self.journal)?;
        Ok(self.visit(Past::new(), reader, end, Vec::new()))
    }

    fn visit(&self, past: Past, mut reader: Reader<D>, end: SequenceNumber, passed_over: Vec<String>) -> Visit<D> {
        if self.limit.is_some() {
            reader.set_limit(end);
        }
        Visit {
            past,
            passed_over,
            reader,
            end,
            replay_max: self.replay_max,
        }
    }

    /// From a snapshot, if it is one of this journal.
    fn begin_at(&self, seq: SequenceNumber, end: SequenceNumber) -> Result<Begun<D>, PastError> {
        let Some(snapshots) = &self.snapshots else {
            return Ok(Err(SnapshotError::Damaged));
        };
        let snapshot = match snapshots.load(seq) {
            Ok(Ok(snapshot)) => snapshot,
            Ok(Err(why)) => return Ok(Err(why)),
            // Dropped since the folder was read.
            Err(StoreError::NoSuch { .. }) => return Ok(Err(SnapshotError::Damaged)),
            Err(error) => return Err(error.into()),
        };
        let Some(reader) = self.reader_behind(&snapshot, end)? else {
            return Ok(Err(SnapshotError::OfAnotherStream { seq }));
        };
        Ok(Past::from_snapshot(&snapshot).map(|past| (past, reader)))
    }

    /// A reader whose next record is the one behind the snapshot, where the journal has the snapshot's own record.
    fn reader_behind(&self, snapshot: &Snapshot, end: SequenceNumber) -> Result<Option<Reader<D>>, PastError> {
        let Snapshot { seq, stamp, epoch, .. } = *snapshot;
        let own = Sequenced {
            seq,
            stamp,
            epoch,
            body: (),
        };
        self.reader_from(own, snapshot.link, end)
    }

    /// A reader whose next record is the one behind this one, where the journal has it.
    fn reader_from(
        &self,
        own: Sequenced<()>,
        own_link: u64,
        end: SequenceNumber,
    ) -> Result<Option<Reader<D>>, PastError> {
        if own.seq > end {
            return Ok(None);
        }
        let mut reader = match Reader::open_at(&self.journal, own.seq) {
            Ok(reader) => reader,
            Err(ReadError::TooOld { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if self.limit.is_some() {
            reader.set_limit(end);
        }
        let is_its_own = |record: &Sequenced<Command>| {
            (record.seq, record.epoch, record.stamp, link(record)) == (own.seq, own.epoch, own.stamp, own_link)
        };
        Ok(reader
            .read()?
            .is_some_and(|record| is_its_own(&record))
            .then_some(reader))
    }
}

/// A place from a snapshot, or why not.
type Begun<D> = Result<(Past, Reader<D>), SnapshotError>;

impl<D: Disk> Visit<D> {
    /// The next command, not yet applied; `None` at the end of what was asked for or may be read.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn read(&mut self) -> Result<Option<Sequenced<Command>>, PastError> {
        if self.past.seq() >= self.end {
            return Ok(None);
        }
        if self.past.applied() >= self.replay_max {
            return Err(PastError::TooFar {
                wanted: self.end,
                most: self.replay_max,
            });
        }
        Ok(self.reader.read()?)
    }

    /// Goes on up to `end` from here on: a frontier that has moved, or the end of a way that was begun without knowing it.
    pub const fn reach(&mut self, end: SequenceNumber, limited: bool) {
        self.end = end;
        if limited {
            self.reader.set_limit(end);
        }
    }

    /// The venue there, alone.
    #[must_use]
    pub fn into_past(self) -> Past {
        self.past
    }
}
