//! Cuts the journal knowingly, above or below any mark, and says what is lost.

use crate::block::Place;
use crate::cut;
use crate::damage::{Damage, ReadError};
use crate::disk::{Access, Disk, DiskError, DiskFile, LockError};
use crate::fence::Fence;
use crate::format::{BLOCK_HEADER, BlockHeader, Seed};
use crate::limits::BLOCK_BYTES_MAX;
use crate::lineup::Lineup;
use crate::reader::Reader;
use crate::recover::LOCK;
use rialto_model::SequenceNumber;

/// What a cut took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The first record that is no longer there.
    pub cut: SequenceNumber,
    /// The last record that is.
    pub last_seq: SequenceNumber,
    /// Records known to be lost with it; more may have stood in bytes that could not be read.
    pub lost: u64,
    /// Of these, whether some had been stated as durable.
    pub durable_lost: bool,
    /// Bytes that were taken out.
    pub bytes: u64,
    /// The files of the directory that keep them.
    pub kept: Vec<String>,
}

impl core::fmt::Display for Repair {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "the journal now ends at sequence number {}: {} records from {} on are lost{}; {} bytes are kept in {}",
            self.last_seq,
            self.lost,
            self.cut,
            if self.durable_lost {
                ", some of which had been stated as durable and may have been acknowledged"
            } else {
                ", none of which had been stated as durable"
            },
            self.bytes,
            self.kept.join(", ")
        )
    }
}

/// Why nothing was cut.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// Another process has the journal.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Nothing stands there.
    #[error("cannot cut at sequence number {cut}: the journal ends at {last}")]
    Beyond {
        /// Where the cut was wanted.
        cut: SequenceNumber,
        /// The last record.
        last: SequenceNumber,
    },
    /// The journal begins later.
    #[error("cannot cut at sequence number {cut}: the journal begins at {first}")]
    Before {
        /// Where the cut was wanted.
        cut: SequenceNumber,
        /// The first record.
        first: SequenceNumber,
    },
    /// Damage stands before the place of the cut, so that it would mend nothing.
    #[error("cannot cut at sequence number {cut}, the damage is before it: {damage}")]
    DamagedBefore {
        /// Where the cut was wanted.
        cut: SequenceNumber,
        /// What and where.
        damage: Damage,
    },
    /// It cannot be read, or the disk refused.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<DiskError> for RepairError {
    fn from(error: DiskError) -> Self {
        Self::Read(error.into())
    }
}

/// Removes record `cut` and everything behind it. The removed bytes are kept in files beside the journal.
///
/// # Errors
/// [`RepairError`]; unless the disk refused, nothing was changed.
pub fn repair_cut<D: Disk>(disk: &D, cut: SequenceNumber) -> Result<Repair, RepairError> {
    let _lock = disk.lock(LOCK)?;
    let claimed = Lineup::read(disk)?.epoch;
    let mut reader = Reader::open_oldest(disk)?;
    let place = find(&mut reader, cut)?;
    let at = reader.segment().map(|index| (index, place.offset));
    let lineup = reader.lineup();
    let kept_part = match at {
        Some((index, _)) if place.next_seq < cut => Some(shorten(disk, lineup, index, &place, cut)?),
        _ => None,
    };
    let behind = cut::behind(disk, lineup, at, 0)?;
    let durable = behind.durable.max(reader.place().durable);

    let (_fence, epoch) = Fence::claim(disk, claimed)?;
    cut::clear(disk, lineup, epoch)?;
    let removed = cut::cut(disk, lineup, at, epoch)?;
    if let (Some((index, offset)), Some(block)) = (at, kept_part)
        && let Some(segment) = lineup.segments.get(index)
    {
        let name = segment.name.to_string();
        disk.open(&name, Access::Write)
            .and_then(|file| {
                file.write_all_at(offset, &block)?;
                file.sync_data()
            })
            .map_err(DiskError::of("write", &name))?;
    }
    Ok(Repair {
        cut,
        last_seq: SequenceNumber(cut.0.saturating_sub(1)),
        lost: (behind.last_seq.0 + 1).saturating_sub(cut.0),
        durable_lost: durable >= cut,
        bytes: removed.bytes,
        kept: removed.kept,
    })
}

/// Reads on to the block that holds `cut`, or would, and returns what is known before it.
fn find<D: Disk>(reader: &mut Reader<D>, cut: SequenceNumber) -> Result<Place, RepairError> {
    loop {
        match reader.read_block() {
            Ok(true) => {
                let before = reader.before();
                if cut < before.next_seq {
                    return Err(RepairError::Before {
                        cut,
                        first: before.next_seq,
                    });
                }
                if cut < reader.place().next_seq {
                    return Ok(*before);
                }
            }
            Ok(false) => {
                return Err(RepairError::Beyond {
                    cut,
                    last: reader.place().last_seq(),
                });
            }
            Err(ReadError::Damage(damage)) if !damage.defect.is_foreign() => {
                return if damage.seq < cut {
                    Err(RepairError::DamagedBefore { cut, damage })
                } else {
                    Ok(*reader.place())
                };
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The block at `place` with its records below `cut` only. They were read, so they are sound.
fn shorten<D: Disk>(
    disk: &D,
    lineup: &Lineup,
    index: usize,
    place: &Place,
    cut: SequenceNumber,
) -> Result<Vec<u8>, RepairError> {
    let Some(segment) = lineup.segments.get(index) else {
        return Ok(Vec::new());
    };
    let name = segment.name.to_string();
    let mut bytes = vec![0; BLOCK_BYTES_MAX];
    let came = disk
        .open(&name, Access::Read)
        .and_then(|file| file.read_full_at(place.offset, &mut bytes))
        .map_err(DiskError::of("read", &name))?;
    bytes.truncate(came);
    let wrong = |at: usize, seq, defect| {
        RepairError::Read(ReadError::Damage(Damage {
            file: name.clone(),
            offset: place.offset + at as u64,
            seq,
            defect,
        }))
    };
    shorten_block(&mut bytes, segment.name.seed(), place, cut).map_err(|(at, seq, defect)| wrong(at, seq, defect))?;
    Ok(bytes)
}

fn shorten_block(
    bytes: &mut Vec<u8>,
    seed: Seed,
    place: &Place,
    cut: SequenceNumber,
) -> Result<(), (usize, SequenceNumber, crate::damage::Defect)> {
    let header = place
        .header(bytes, seed)
        .map_err(|fault| (fault.at, fault.seq, fault.defect))?;
    let mut after = *place;
    let mut rest = bytes.get(BLOCK_HEADER..).unwrap_or_default();
    while after.next_seq < cut {
        let at = bytes.len() - rest.len();
        after
            .take_record(&mut rest, seed, &mut Vec::new())
            .map_err(|defect| (at, after.next_seq, defect))?;
    }
    let length = bytes.len() - rest.len();
    bytes.truncate(length);
    let shorter = BlockHeader {
        length: length as u32,
        count: (cut.0 - place.next_seq.0) as u32,
        day: after.day,
        ..header
    };
    shorter.seal(bytes, place.chain, seed);
    Ok(())
}
