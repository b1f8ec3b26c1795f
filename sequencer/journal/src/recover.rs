//! Takes the journal over: what is on the disk becomes the past, and a new epoch begins behind it.
//!
//! Damage at or below the highest durable mark stops the start with the record named: something was lost that had been
//! promised. Above it, it is what a crash leaves: the journal is cut there, zeroed, and it is said. In `memory` no mark is
//! durable except where a start or a close made it so, hence a start is never refused for what a power loss took.

use crate::block::Place;
use crate::config::{Config, ConfigError};
use crate::cut::{self, At};
use crate::damage::{Damage, Defect, ReadError};
use crate::disk::{Access, Disk, DiskError, DiskFile, LockError};
use crate::fence::Fence;
use crate::format::{ChainHash, Mark, SEGMENT_HEADER, SegmentHeader, SegmentId};
use crate::frontier::Shared;
use crate::limits::WINDOW_BYTES;
use crate::lineup::{Lineup, Name};
use crate::reader::Reader;
use crate::syncer::{Syncer, make_segment};
use crate::writer::{OpenSegment, Writer};
use rialto_model::{Epoch, SequenceNumber, Timestamp, TradingDay, VenueId};
use std::sync::Arc;

/// The name of the lock file.
pub(crate) const LOCK: &str = "lock";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The last record; zero in an empty journal.
    pub last_seq: SequenceNumber,
    /// Its stamp.
    pub last_stamp: Timestamp,
    /// The epoch of the last segment; zero in an empty journal.
    pub last_epoch: Epoch,
    /// The epoch claimed by this start: above every one before.
    pub epoch: Epoch,
    /// The trading day in force; zero before the first.
    pub day: TradingDay,
    /// The hash of everything up to there.
    pub chain: ChainHash,
    /// What was cut off, if anything.
    pub cut: Option<Cut>,
}

/// What a start cut off above the highest durable mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The last record that stays.
    pub after: SequenceNumber,
    /// What was wrong behind it.
    pub damage: Damage,
    /// Bytes that were taken out.
    pub bytes: u64,
    /// The files of the directory that keep them.
    pub kept: Vec<String>,
}

impl core::fmt::Display for Cut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self {
            after,
            damage,
            bytes,
            kept,
        } = self;
        write!(
            f,
            "the journal was cut behind sequence number {after}: {} at byte {}: {}; nothing stated as durable is lost",
            damage.file, damage.offset, damage.defect
        )?;
        if !kept.is_empty() {
            write!(f, "; {bytes} bytes were taken out and are kept in {}", kept.join(", "))?;
        }
        Ok(())
    }
}

/// Why the journal cannot be taken over. No record was touched, unless it says that the disk refused.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// Another process has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Something that was durable is damaged.
    #[error("{damage}; records up to {durable} were stated as durable, so this start cuts nothing")]
    Damaged {
        /// What and where.
        damage: Damage,
        /// The highest durable mark.
        durable: SequenceNumber,
    },
    /// It cannot be read by this build or for this venue, or the disk refused.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<DiskError> for RecoverError {
    fn from(error: DiskError) -> Self {
        Self::Read(error.into())
    }
}

/// Why no segment could be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is out of its bounds.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// A journal that was taken over and not yet written to. Read it back with a [`Reader`], then go on writing.
pub struct Recovered<D: Disk> {
    disk: D,
    venue: VenueId,
    recovery: Recovery,
    place: Place,
    next_id: SegmentId,
    fence: Fence<D::File>,
    lock: Arc<D::Lock>,
}

/// Takes the journal of `venue` in this directory over. An empty directory is a journal before its first record.
///
/// # Errors
/// [`RecoverError`].
pub fn recover<D: Disk>(disk: &D, venue: VenueId) -> Result<Recovered<D>, RecoverError> {
    let lock = disk.lock(LOCK)?;
    let lineup = Lineup::read(disk)?;
    check_venue(&lineup, venue)?;
    let (fence, epoch) = Fence::claim(disk, lineup.epoch)?;

    let mut reader = Reader::open_oldest(disk)?;
    let damage = read_to_end(&mut reader)?;
    let place = *reader.place();
    let at: At = reader.segment().map(|index| (index, place.offset));
    let lineup = reader.lineup();
    let mut durable = place.durable;
    if let Some(damage) = &damage {
        durable = durable.max(cut::behind(disk, lineup, at, 0)?.durable);
        if durable >= place.next_seq {
            return Err(RecoverError::Damaged {
                damage: damage.clone(),
                durable,
            });
        }
    }
    cut::clear(disk, lineup, epoch)?;
    let removed = cut::cut(disk, lineup, at, epoch)?;
    sync_above(disk, lineup, at, &place, durable)?;

    Ok(Recovered {
        recovery: Recovery {
            last_seq: place.last_seq(),
            last_stamp: place.last_stamp,
            last_epoch: place.epoch,
            epoch,
            day: place.day,
            chain: place.chain,
            cut: damage.map(|damage| Cut {
                after: place.last_seq(),
                damage,
                bytes: removed.bytes,
                kept: removed.kept,
            }),
        },
        disk: disk.clone(),
        venue,
        next_id: cut::next_id(lineup, at),
        place,
        fence,
        lock: Arc::new(lock),
    })
}

fn check_venue(lineup: &Lineup, expected: VenueId) -> Result<(), ReadError> {
    let headers = lineup.segments.iter();
    let headers = headers.filter_map(|segment| segment.header.ok().map(|h| (segment.name, h)));
    for (name, header) in headers {
        if header.venue != expected {
            return Err(ReadError::Damage(Damage {
                file: name.to_string(),
                offset: 0,
                seq: header.first_seq,
                defect: Defect::Venue {
                    found: header.venue,
                    expected,
                },
            }));
        }
    }
    Ok(())
}

/// Reads to the end, or to the first damage.
pub(crate) fn read_to_end<D: Disk>(reader: &mut Reader<D>) -> Result<Option<Damage>, ReadError> {
    loop {
        match reader.read_block() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(ReadError::Damage(damage)) if !damage.defect.is_foreign() => {
                return Ok(Some(damage));
            }
            Err(error) => return Err(error),
        }
    }
}

/// What was read may still be only in the system's memory; from here on it is the past that everything builds on.
///
/// It is written again before it is synced: where an fsync of an earlier life failed, the system may hold for clean what
/// never came to the disk, and another fsync alone would say that all is well.
fn sync_above<D: Disk>(
    disk: &D,
    lineup: &Lineup,
    at: At,
    place: &Place,
    durable: SequenceNumber,
) -> Result<(), DiskError> {
    let Some((last, offset)) = at else {
        return Ok(());
    };
    for (index, segment) in lineup.segments.iter().enumerate().take(last + 1) {
        let next = lineup.segments.get(index + 1).filter(|_| index < last);
        let end = next.map_or(place.next_seq, |next| next.first_seq);
        // Where the mark reaches just to its end, its footer may still have been on the way.
        if end.0 > durable.0 || index == last {
            let name = segment.name.to_string();
            let most = if index == last { offset } else { u64::MAX };
            disk.open(&name, Access::Write)
                .and_then(|file| write_again(&file, most).and_then(|()| file.sync_data()))
                .map_err(DiskError::of("sync", &name))?;
        }
    }
    disk.sync_dir().map_err(DiskError::of("sync", &disk.place()))
}

/// Writes the first `most` bytes of a file over themselves.
fn write_again(file: &impl DiskFile, most: u64) -> std::io::Result<()> {
    let end = file.len()?.min(most);
    let mut piece = vec![0; end.min(WINDOW_BYTES as u64) as usize];
    let mut at = 0;
    while at < end {
        let room = piece.len().min((end - at) as usize);
        let came = file.read_full_at(at, piece.get_mut(..room).unwrap_or_default())?;
        file.write_all_at(at, piece.get(..came).unwrap_or_default())?;
        at += came.max(1) as u64;
    }
    Ok(())
}

impl<D: Disk> Recovered<D> {
    /// What was found.
    #[must_use]
    pub const fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Opens a segment of the new epoch, which states where the old one ends, and goes on from there.
    ///
    /// # Errors
    /// [`OpenError`]; the journal is as it was.
    pub fn into_writer(self, config: Config) -> Result<(Writer<D>, Syncer<D>), OpenError> {
        config.check()?;
        let name = Name {
            id: self.next_id,
            epoch: self.recovery.epoch,
        };
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
            mark: Mark {
                durable: true,
                up_to: self.place.last_seq(),
            },
            segment_bytes: config.segment_bytes,
        };
        let file = make_segment(&self.disk, name, &config)?;
        file.write_all_at(0, &header.encode())
            .and_then(|()| file.sync_data())
            .and_then(|()| self.disk.sync_dir())
            .map_err(DiskError::of("write", &name.to_string()))?;
        let file = Arc::new(file);
        let (ready, spares) = crossbeam_channel::bounded(config.reserve_segments);
        let shared = Arc::new(Shared::new(
            name.epoch,
            config.durability,
            name.id.0,
            self.place.last_seq(),
        ));
        let segment = OpenSegment {
            name,
            file: Arc::clone(&file),
            seed: header.seed(),
        };
        let fence = Arc::new(self.fence);
        let writer = Writer::new(
            Arc::clone(&shared),
            self.venue,
            config,
            segment,
            spares,
            Arc::clone(&fence),
            self.place.in_segment(&header),
        );
        let syncer = Syncer::new(self.disk, shared, config, fence, self.lock, name, file, ready);
        Ok((writer, syncer))
    }
}
