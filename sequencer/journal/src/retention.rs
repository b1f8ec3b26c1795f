//! Which segments leave the journal's folder for its archive, and how they go.
//!
//! The rule, oldest first, up to the first segment that stays: a segment leaves when
//! - it is over: another follows it, so nobody writes it any more;
//! - it ended on an earlier trading day than the journal's last segment began on: what members and subscribers may ask for
//!   again is of the current day;
//! - a snapshot at its last number or later will be there after the next one is taken: two are kept behind it;
//! - and it is older than the bound of days, or the folder holds more bytes than its bound.
//!
//! A segment is moved, never only removed: an exchange starts from its first command, so a start needs all of them. It is
//! copied under another name, synced, read back and named, and only then removed, so that at every moment, and after a kill at
//! any, the journal is in the folder and the archive together. A folder names its archive in the file [`ARCHIVE`], and whoever
//! opens it ([`OsDisk`](crate::OsDisk)) reads both as one.

use crate::damage::ReadError;
use crate::disk::{Access, Disk, DiskError, DiskFile};
use crate::limits::WINDOW_BYTES;
use crate::lineup::Lineup;
use rialto_model::{SequenceNumber, Timestamp, TradingDay};
use std::io::{Error, ErrorKind, Result as IoResult};

/// The file of a journal's folder that names its archive.
pub const ARCHIVE: &str = "archive";
/// Behind the name of a segment that is being copied.
const UNFINISHED: &str = ".tmp";
const DAY_NS: u64 = 24 * 60 * 60 * 1_000_000_000;
/// Snapshots that must be behind a segment before it leaves.
pub const SNAPSHOTS_BEHIND: usize = 2;

/// How much of the past stays in the journal's folder. Without either bound all of it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// A segment whose last record is so many days old leaves.
    pub days: Option<u32>,
    /// While the folder's segments take more bytes the oldest leaves.
    pub bytes: Option<u64>,
}

/// A segment of the journal, or a file made ahead for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its file.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// Whether it is in the archive and no longer in the folder.
    pub archived: bool,
    /// The first number it can hold.
    pub first_seq: SequenceNumber,
    /// Where it ended; `None` for the last one, which may be being written.
    pub end: Option<End>,
    /// The trading day in force at its beginning.
    pub day: TradingDay,
}

/// Where a segment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its last number; below `first_seq` where it holds none.
    pub seq: SequenceNumber,
    /// The stamp of it.
    pub stamp: Timestamp,
    /// The trading day in force behind it.
    pub day: TradingDay,
}

/// Whether a segment leaves, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the archive.
    Gone,
    /// It is older than the bound.
    TooOld,
    /// The folder holds more than the bound.
    TooMuch,
    /// It is within the bounds, or there are none.
    WithinBounds,
    /// It may still be written.
    Written,
    /// It holds a part of the current trading day.
    CurrentDay,
    /// Fewer than [`SNAPSHOTS_BEHIND`] snapshots are behind it.
    NoSnapshot,
    /// One before it stays.
    BehindOneThatStays,
}

impl Verdict {
    /// Whether the segment is to be moved.
    #[must_use]
    pub const fn leaves(self) -> bool {
        matches!(self, Self::TooOld | Self::TooMuch)
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Gone => "in the archive",
            Self::TooOld => "leaves: older than the bound of days",
            Self::TooMuch => "leaves: the folder holds more than the bound of bytes",
            Self::WithinBounds => "stays: within the bounds",
            Self::Written => "stays: it may still be written",
            Self::CurrentDay => "stays: it holds a part of the current trading day",
            Self::NoSnapshot => "stays: fewer than two snapshots are behind it",
            Self::BehindOneThatStays => "stays: an older one stays",
        }
    }
}

/// Every segment of the journal, in order.
///
/// # Errors
/// What is wrong with the directory.
pub fn segments<D: Disk>(disk: &D) -> Result<Vec<Kept>, ReadError> {
    let lineup = Lineup::read(disk)?;
    let mut kept = Vec::with_capacity(lineup.segments.len());
    for (index, segment) in lineup.segments.iter().enumerate() {
        let file = segment.name.to_string();
        let header = segment.header.as_ref().ok();
        let next = lineup.segments.get(index + 1);
        let end = next.and_then(|next| {
            next.header.as_ref().ok().map(|header| End {
                seq: SequenceNumber(header.first_seq.0.saturating_sub(1)),
                stamp: header.last_stamp,
                day: header.day,
            })
        });
        let here = bytes_here(disk, &file);
        kept.push(Kept {
            bytes: match here {
                Some(bytes) => bytes,
                None => disk
                    .open(&file, Access::Read)
                    .and_then(|file| file.len())
                    .map_err(DiskError::of("open", &file))?,
            },
            archived: here.is_none(),
            first_seq: segment.first_seq,
            end,
            day: header.map_or(TradingDay(0), |header| header.day),
            file,
        });
    }
    Ok(kept)
}

/// Bytes of a segment's file in the folder itself: what is in the archive cannot be opened to be written.
pub(crate) fn bytes_here<D: Disk>(disk: &D, file: &str) -> Option<u64> {
    disk.open(file, Access::Write).and_then(|file| file.len()).ok()
}

/// What the rule says of each segment. `snapshots` are the numbers behind which there is one, rising.
#[must_use]
pub fn judge(kept: &[Kept], retention: Retention, snapshots: &[SequenceNumber], now: Timestamp) -> Vec<Verdict> {
    let current = kept.last().map_or(TradingDay(0), |last| last.day);
    let mut bytes: u64 = kept.iter().filter(|one| !one.archived).map(|one| one.bytes).sum();
    let mut stays = false;
    let one = |one: &Kept| {
        if one.archived {
            return Verdict::Gone;
        }
        let Some(end) = one.end else { return Verdict::Written };
        let behind = snapshots.iter().filter(|snapshot| **snapshot >= end.seq).count();
        let old = |days: u32| now.0.saturating_sub(end.stamp.0) > u64::from(days).saturating_mul(DAY_NS);
        let verdict = if stays {
            Verdict::BehindOneThatStays
        } else if end.day >= current {
            Verdict::CurrentDay
        } else if behind < SNAPSHOTS_BEHIND {
            Verdict::NoSnapshot
        } else if retention.days.is_some_and(old) {
            Verdict::TooOld
        } else if retention.bytes.is_some_and(|most| bytes > most) {
            Verdict::TooMuch
        } else {
            Verdict::WithinBounds
        };
        if verdict.leaves() {
            bytes = bytes.saturating_sub(one.bytes);
        } else {
            stays = true;
        }
        verdict
    };
    kept.iter().map(one).collect()
}

/// Moves a segment's file to the archive. Done again it is whole, wherever an earlier attempt ended.
///
/// # Errors
/// The disk's: the file is then still in the folder.
pub fn move_out<D: Disk, A: Disk>(journal: &D, archive: &A, file: &str) -> Result<(), DiskError> {
    copy(journal, archive, file).map_err(DiskError::of("archive", file))?;
    journal
        .remove(file)
        .and_then(|()| journal.sync_dir())
        .map_err(DiskError::of("remove", file))
}

fn copy<D: Disk, A: Disk>(journal: &D, archive: &A, file: &str) -> IoResult<()> {
    let unfinished = format!("{file}{UNFINISHED}");
    // To be written, though nobody does: what a disk only reads through to is not what is wanted, on either side.
    let from = journal.open(file, Access::Write)?;
    match archive.open(file, Access::Write) {
        // An earlier attempt came as far as the name.
        Ok(there) => {
            return compare(
                &from,
                &there,
                "the archive has another file of this name: give one of its own",
            );
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match archive.remove(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let to = archive.create(&unfinished)?;
    each_piece(&from, |at, piece| to.write_all_at(at, piece))?;
    to.sync_data()?;
    compare(&from, &to, "the copy reads back otherwise")?;
    archive.rename(&unfinished, file)?;
    archive.sync_dir()
}

/// That both files hold the same.
fn compare(one: &impl DiskFile, other: &impl DiskFile, otherwise: &'static str) -> IoResult<()> {
    let mut room = vec![0; WINDOW_BYTES];
    let differs = || Error::new(ErrorKind::InvalidData, otherwise);
    if one.len()? != other.len()? {
        return Err(differs());
    }
    each_piece(one, |at, piece| {
        let room = room.get_mut(..piece.len()).unwrap_or_default();
        let came = other.read_full_at(at, room)?;
        if room.get(..came) == Some(piece) {
            Ok(())
        } else {
            Err(differs())
        }
    })
}

fn each_piece(file: &impl DiskFile, mut take: impl FnMut(u64, &[u8]) -> IoResult<()>) -> IoResult<()> {
    let mut piece = vec![0; WINDOW_BYTES];
    let mut at = 0;
    loop {
        let came = file.read_full_at(at, &mut piece)?;
        take(at, piece.get(..came).unwrap_or_default())?;
        if came < piece.len() {
            return Ok(());
        }
        at += came as u64;
    }
}
