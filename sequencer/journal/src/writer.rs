//! Appends records, one write a commit block, and never waits for the disk to sync.
//!
//! Owned by the sequencer's thread. [`Writer::append`] encodes into the block being built, [`Writer::commit`] writes it.
//! In `memory` the frontier moves when the write returned, which is stores into the file's pages where the system lets them be
//! memory ([`DiskFile::keep_at_hand`]); in `disk` the [`Syncer`](crate::Syncer) moves it. When a block
//! does not fit any more the segment is sealed and the next one, which the syncer has made ahead, is taken; while there is
//! none the commit is refused, the records stay, and the caller commits again later.

use crate::block::{Place, order};
use crate::config::{Config, Durability};
use crate::disk::{Disk, DiskError, DiskFile};
use crate::fence::Fence;
use crate::format::{
    BLOCK_HEADER, BlockHeader, ChainHash, FOOTER, Mark, SEGMENT_HEADER, Seed, SegmentHeader, SegmentId,
};
use crate::frontier::{Failure, Frontier, Shared};
use crate::limits::{BLOCK_RECORDS_MAX, IDLE_MARK_AFTER_NS, LAST_PART, RECORD_BYTES_MAX};
use crate::lineup::Name;
use crate::record;
use crate::syncer::{Spare, Syncer};
use crossbeam_channel::Receiver;
use rialto_model::{Command, Epoch, Monotonic, SequenceNumber, Sequenced, Timestamp, TradingDay, VenueId};
use std::sync::Arc;

/// Why a record was not taken. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The block is full.
    #[error("the commit block is full: commit it, then append again")]
    Full,
    /// Not the writer's epoch.
    #[error("a record of epoch {given} for a writer of epoch {own}: stamp records with the writer's epoch")]
    Epoch {
        /// The record's.
        given: Epoch,
        /// The writer's.
        own: Epoch,
    },
    /// Not the next number.
    #[error("sequence number {given} where {expected} is next: the stream is dense")]
    Sequence {
        /// The record's.
        given: SequenceNumber,
        /// The next one.
        expected: SequenceNumber,
    },
    /// A stamp before the last one.
    #[error("stamp {given} before {last}: stamps never go back")]
    Stamp {
        /// The record's.
        given: Timestamp,
        /// The last one.
        last: Timestamp,
    },
}

/// Why a block was not written. Its records are kept; commit again when the cause is gone.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// No segment is ready.
    #[error("the segment is full and no other is ready ({why}): the records wait, commit again")]
    NoSegment {
        /// What the disk said to the last attempt to make one.
        why: String,
    },
    /// The write failed.
    #[error("{0}; the records wait, commit again")]
    Disk(#[from] DiskError),
    /// This writer has come to its end.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// The room that is certain: what is left of the segment being written, and the reserve of segments made ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The reserve is whole.
    Whole,
    /// A segment of it is being made.
    Making,
    /// The disk refuses to make one: what is left is for what takes orders off.
    Low,
    /// And there is none left, nor much of the segment being written.
    Spent,
}

/// A journal sealed in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The last record; all are durable.
    pub last_seq: SequenceNumber,
    /// The hash of everything up to there.
    pub chain: ChainHash,
}

/// Appends records.
pub struct Writer<D: Disk> {
    shared: Arc<Shared>,
    venue: VenueId,
    config: Config,
    segment: OpenSegment<D::File>,
    spares: Receiver<Spare<D::File>>,
    /// Taken from the spares for a rotation that the disk then interrupted.
    taken: Option<Spare<D::File>>,
    /// Looked at before a release, where this is the one who releases.
    fence: Arc<Fence<D::File>>,
    /// Behind the last block written.
    place: Place,
    /// The block being built, its header's room first, and what will hold behind it.
    block: Box<[u8]>,
    filled: usize,
    count: u32,
    last_stamp: Timestamp,
    day: TradingDay,
    /// The last mark written, and since when the frontier is known to be beyond it.
    marked: SequenceNumber,
    /// Bytes of the blocks written.
    bytes_written: u64,
    unmarked_since: Option<Monotonic>,
}

/// The segment being written.
pub(crate) struct OpenSegment<F> {
    pub(crate) name: Name,
    pub(crate) file: Arc<F>,
    pub(crate) seed: Seed,
}

impl<D: Disk> Writer<D> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        venue: VenueId,
        config: Config,
        segment: OpenSegment<D::File>,
        spares: Receiver<Spare<D::File>>,
        fence: Arc<Fence<D::File>>,
        place: Place,
    ) -> Self {
        Self {
            venue,
            segment,
            spares,
            taken: None,
            fence,
            place,
            block: vec![0; config.block_bytes].into_boxed_slice(),
            filled: BLOCK_HEADER,
            count: 0,
            last_stamp: place.last_stamp,
            day: place.day,
            marked: shared.released(),
            bytes_written: 0,
            unmarked_since: None,
            config,
            shared,
        }
    }

    /// The number that stamps each record of this writer.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    /// The number of the next record.
    #[must_use]
    pub const fn next_seq(&self) -> SequenceNumber {
        SequenceNumber(self.place.next_seq.0 + self.count as u64)
    }

    /// Records appended and not committed.
    #[must_use]
    pub const fn pending(&self) -> u32 {
        self.count
    }

    /// Whether the next append will be refused as [`AppendError::Full`].
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.filled + RECORD_BYTES_MAX > self.block.len() || self.count == BLOCK_RECORDS_MAX
    }

    /// Up to where events may leave.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        Frontier(Arc::clone(&self.shared))
    }

    /// The segment being written.
    #[must_use]
    pub const fn segment(&self) -> SegmentId {
        self.segment.name.id
    }

    /// Bytes of the blocks that this writer has written, idle marks included.
    #[must_use]
    pub const fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    /// Segments that are ready behind the one being written: the room that is certain.
    #[must_use]
    pub fn spare_segments(&self) -> usize {
        self.spares.len() + usize::from(self.taken.is_some())
    }

    /// How much room is certain.
    #[must_use]
    pub fn room(&self) -> Room {
        let spares = self.spare_segments();
        if spares >= self.config.reserve_segments {
            return Room::Whole;
        }
        if !self.shared.reserve_refused() {
            return Room::Making;
        }
        let left = self.config.segment_bytes.saturating_sub(self.place.offset);
        if spares > 0 || left > self.config.segment_bytes / LAST_PART {
            Room::Low
        } else {
            Room::Spent
        }
    }

    /// What the disk said when it last refused to make a segment, while that stands.
    #[must_use]
    pub fn reserve_problem(&self) -> Option<String> {
        self.shared.reserve_problem()
    }

    /// Adds a record to the block being built.
    ///
    /// # Errors
    /// [`AppendError`]; nothing has changed then.
    #[inline]
    pub fn append(&mut self, command: &Sequenced<Command>) -> Result<(), AppendError> {
        if self.is_full() {
            return Err(AppendError::Full);
        }
        if command.epoch != self.shared.epoch {
            return Err(AppendError::Epoch {
                given: command.epoch,
                own: self.shared.epoch,
            });
        }
        if order(self.next_seq(), command.seq).is_some() {
            return Err(AppendError::Sequence {
                given: command.seq,
                expected: self.next_seq(),
            });
        }
        if command.stamp < self.last_stamp {
            return Err(AppendError::Stamp {
                given: command.stamp,
                last: self.last_stamp,
            });
        }
        let room = self.block.get_mut(self.filled..).unwrap_or_default();
        self.filled += record::encode(room, command, self.segment.seed);
        self.count += 1;
        self.last_stamp = command.stamp;
        if let Command::StartOfDay(start) = command.body {
            self.day = start.day;
        }
        Ok(())
    }

    /// Writes what was appended, as one block. Without records it does nothing. Returns the last number written.
    ///
    /// # Errors
    /// [`CommitError`]; the records are kept.
    pub fn commit(&mut self) -> Result<SequenceNumber, CommitError> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure.clone().into());
        }
        if self.count > 0 {
            self.write_block()?;
        }
        Ok(self.place.last_seq())
    }

    /// Writes an idle mark where the frontier has moved beyond every mark written, nothing waits to be committed, and no
    /// commit has said so for a while. The caller calls it whenever it is idle, at least every few milliseconds. Returns
    /// whether a mark was written.
    ///
    /// # Errors
    /// [`CommitError`]; the mark is tried again at the next call.
    pub fn mark(&mut self, now: Monotonic) -> Result<bool, CommitError> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure.clone().into());
        }
        if self.count > 0 || self.shared.released() <= self.marked {
            return Ok(false);
        }
        let since = *self.unmarked_since.get_or_insert(now);
        if now.0.saturating_sub(since.0) < IDLE_MARK_AFTER_NS {
            return Ok(false);
        }
        self.write_block()?;
        Ok(true)
    }

    /// Commits, syncs everything and seals the segment. The next start finds nothing to cut.
    ///
    /// # Errors
    /// [`CommitError`]; what was released stays safe, and the next start recovers as after a crash.
    pub fn close(mut self, mut syncer: Syncer<D>) -> Result<Closed, CommitError> {
        while let Err(error) = self.commit() {
            let waits = matches!(error, CommitError::NoSegment { .. });
            if !waits || syncer.prepare_now().is_err() {
                return Err(error);
            }
        }
        syncer.sync_all()?;
        let mark = Mark {
            durable: true,
            up_to: self.place.last_seq(),
        };
        self.write_footer(mark)?;
        self.shared.wrote(mark.up_to);
        syncer.sync_all()?;
        Ok(Closed {
            last_seq: mark.up_to,
            chain: self.place.chain,
        })
    }

    fn current_mark(&self) -> Mark {
        Mark {
            durable: self.shared.durability == Durability::Disk,
            up_to: self.shared.released(),
        }
    }

    fn write_block(&mut self) -> Result<(), CommitError> {
        let end = self.place.offset + (self.filled + FOOTER) as u64;
        if end > self.config.segment_bytes {
            self.rotate()?;
        }
        let header = BlockHeader {
            chain: ChainHash(0),
            length: self.filled as u32,
            count: self.count,
            epoch: self.shared.epoch,
            day: self.day,
            first_seq: self.place.next_seq,
            mark: self.current_mark(),
        };
        let bytes = self.block.get_mut(..self.filled).unwrap_or_default();
        let chain = header.seal(bytes, self.place.chain, self.segment.seed);
        self.segment
            .file
            .write_all_at(self.place.offset, bytes)
            .map_err(|source| refused(self.segment.name, source))?;
        self.place = Place {
            offset: self.place.offset + self.filled as u64,
            next_seq: header.next_seq(),
            last_stamp: self.last_stamp,
            day: self.day,
            chain,
            blocks: self.place.blocks + 1,
            ..self.place
        };
        self.filled = BLOCK_HEADER;
        self.count = 0;
        self.marked = header.mark.up_to;
        self.bytes_written += u64::from(header.length);
        self.unmarked_since = None;
        let last = self.place.last_seq();
        self.shared.wrote(last);
        if self.shared.durability == Durability::Memory {
            self.release(last)?;
        }
        Ok(())
    }

    /// In `memory`: what was written may leave, unless a successor may not have read it.
    fn release(&self, last: SequenceNumber) -> Result<(), Failure> {
        self.fence
            .check(self.shared.epoch)
            .inspect_err(|failure| self.shared.fail(failure.clone()))?;
        match self.shared.failure() {
            Some(failure) => Err(failure.clone()),
            None => {
                self.shared.release(last);
                Ok(())
            }
        }
    }

    /// Seals the segment and goes over to the next. Until the last step nothing is lost by doing it all again.
    fn rotate(&mut self) -> Result<(), CommitError> {
        let ready = self.taken.take().or_else(|| self.spares.try_recv().ok());
        let Some(spare) = ready else {
            let why = self.shared.reserve_problem();
            return Err(CommitError::NoSegment {
                why: why.unwrap_or_else(|| "it is still being made".to_owned()),
            });
        };
        self.taken = Some(spare.clone());
        let name = spare.name;
        let header = SegmentHeader {
            header_bytes: SEGMENT_HEADER as u32,
            id: name.id,
            epoch: name.epoch,
            previous_epoch: self.place.epoch,
            venue: self.venue,
            day: self.place.day,
            first_seq: self.place.next_seq,
            last_stamp: self.place.last_stamp,
            chain: self.place.chain,
            mark: self.current_mark(),
            segment_bytes: self.config.segment_bytes,
        };
        self.write_footer(header.mark)?;
        spare
            .file
            .write_all_at(0, &header.encode())
            .map_err(|source| refused(name, source))?;
        let seed = header.seed();
        self.reseed(seed);
        self.taken = None;
        self.segment = OpenSegment {
            name,
            file: spare.file,
            seed,
        };
        self.place = self.place.in_segment(&header);
        self.shared.enter_segment(name.id.0);
        Ok(())
    }

    /// Moves the records that wait under another segment's seed.
    fn reseed(&mut self, seed: Seed) {
        let mut rest = self.block.get_mut(BLOCK_HEADER..self.filled).unwrap_or_default();
        while !rest.is_empty() {
            rest = record::reseal(rest, seed);
        }
    }

    fn write_footer(&self, mark: Mark) -> Result<(), DiskError> {
        let footer = self.place.footer(mark).encode(self.segment.seed);
        self.segment
            .file
            .write_all_at(self.place.offset, &footer)
            .map_err(|source| refused(self.segment.name, source))
    }
}

fn refused(name: Name, source: std::io::Error) -> DiskError {
    DiskError::of("write", &name.to_string())(source)
}
