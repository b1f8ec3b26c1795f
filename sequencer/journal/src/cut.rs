//! What lies behind a place in the journal, and taking it away without losing a byte of it.

use crate::disk::{Access, Disk, DiskError, DiskFile};
use crate::format::SegmentId;
use crate::limits::WINDOW_BYTES;
use crate::lineup::{Lineup, Name, Segment};
use crate::scan;
use rialto_model::{Epoch, SequenceNumber};
use std::io::Result as IoResult;
use std::ops::Range;

/// A place: a segment by its index in the lineup and a byte of it. `None` is before the first.
pub(crate) type At = Option<(usize, u64)>;

/// What can be told of the bytes behind a place that cannot be read in order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Behind {
    /// The highest durable mark that stands there.
    pub(crate) durable: SequenceNumber,
    /// The first and the highest number that a sound block there holds.
    pub(crate) first_seq: Option<SequenceNumber>,
    pub(crate) last_seq: SequenceNumber,
    /// Bytes there, from the first to the last that is not zero, over all files.
    pub(crate) bytes: u64,
}

/// Looks through everything behind a place: the rest of its segment from `skip` bytes on, later segments, spares.
pub(crate) fn behind<D: Disk>(disk: &D, lineup: &Lineup, at: At, skip: u64) -> Result<Behind, DiskError> {
    let mut all = Behind::default();
    let (first, offset) = at.map_or((0, 0), |(index, offset)| (index, offset + skip));
    for (index, segment) in lineup.segments.iter().enumerate().skip(first) {
        let from = if index == first { offset } else { 0 };
        // What an earlier epoch holds behind the point of a take-over says nothing about the journal.
        let next = lineup.segments.get(index + 1);
        let taken_over = next.filter(|next| next.name.epoch > segment.name.epoch);
        let most = taken_over.map_or(u64::MAX, |next| next.first_seq.0.saturating_sub(1));
        let mark = segment.header.ok().filter(|_| from == 0);
        if let Some(mark) = mark.map(|header| header.mark).filter(|mark| mark.durable) {
            all.durable = all.durable.max(mark.up_to);
        }
        all.look(disk, segment.name, from, most)?;
    }
    for name in &lineup.behind {
        all.look(disk, *name, 0, u64::MAX)?;
    }
    Ok(all)
}

impl Behind {
    fn look<D: Disk>(&mut self, disk: &D, name: Name, from: u64, most: u64) -> Result<(), DiskError> {
        let text = name.to_string();
        let found = disk
            .open(&text, Access::Read)
            .and_then(|file| scan::survey(&file, name.seed(), from))
            .map_err(DiskError::of("read", &text))?;
        let first = found.first_block.map(|block| block.first_seq);
        self.first_seq = self.first_seq.or(first.filter(|first| first.0 <= most));
        self.durable.0 = self.durable.0.max(found.durable.0.min(most));
        self.last_seq.0 = self.last_seq.0.max(found.last_seq.0.min(most));
        self.bytes += found.bytes();
        Ok(())
    }
}

/// What was taken away, and where it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) bytes: u64,
    pub(crate) kept: Vec<String>,
}

/// Takes everything behind a place out of the journal, the last file first, so that to be interrupted and to begin again
/// comes to the same. Whole files are renamed, the rest of the place's own segment is copied and then zeroed; files that
/// hold nothing are removed. `epoch` is the one claimed for this, and makes the names unique.
pub(crate) fn cut<D: Disk>(disk: &D, lineup: &Lineup, at: At, epoch: Epoch) -> Result<Removed, DiskError> {
    let mut removed = Removed::default();
    let first = at.map_or(0, |(index, _)| index + 1);
    let later = lineup.segments.iter().skip(first).map(|s| s.name);
    let mut files: Vec<Name> = later.chain(lineup.behind.iter().copied()).collect();
    files.sort_unstable();
    for name in files.into_iter().rev() {
        set_aside(disk, name, epoch, &mut removed)?;
    }
    if let Some((index, offset)) = at
        && let Some(segment) = lineup.segments.get(index)
    {
        zero_tail(disk, segment, offset, epoch, &mut removed)?;
    }
    Ok(removed)
}

/// Takes away what is never read: files fenced off, spares of earlier epochs.
pub(crate) fn clear<D: Disk>(disk: &D, lineup: &Lineup, epoch: Epoch) -> Result<(), DiskError> {
    for name in &lineup.stale {
        set_aside(disk, *name, epoch, &mut Removed::default())?;
    }
    Ok(())
}

fn kept_name(name: Name, epoch: Epoch, offset: u64) -> String {
    format!("{name}.removed-{epoch}-at-{offset}")
}

fn set_aside<D: Disk>(disk: &D, name: Name, epoch: Epoch, removed: &mut Removed) -> Result<(), DiskError> {
    let text = name.to_string();
    let found = disk
        .open(&text, Access::Read)
        .and_then(|file| scan::survey(&file, name.seed(), 0))
        .map_err(DiskError::of("read", &text))?;
    if found.nonzero.is_none() {
        disk.remove(&text).map_err(DiskError::of("remove", &text))?;
    } else {
        let kept = kept_name(name, epoch, 0);
        disk.rename(&text, &kept).map_err(DiskError::of("rename", &text))?;
        removed.bytes += found.bytes();
        removed.kept.push(kept);
    }
    disk.sync_dir().map_err(DiskError::of("sync", &disk.place()))
}

fn zero_tail<D: Disk>(
    disk: &D,
    segment: &Segment,
    offset: u64,
    epoch: Epoch,
    removed: &mut Removed,
) -> Result<(), DiskError> {
    let text = segment.name.to_string();
    let refused = |error| DiskError::of("cut", &text)(error);
    let file = disk.open(&text, Access::Write).map_err(refused)?;
    let found = scan::survey(&file, segment.name.seed(), offset).map_err(refused)?;
    let len = file.len().map_err(refused)?;
    let made = segment.header.map_or(0, |header| header.segment_bytes);
    let end = found.nonzero.map_or(offset, |extent| extent.end);
    if end > offset {
        let kept = kept_name(segment.name, epoch, offset);
        keep(disk, &file, offset..end, &kept)?;
        removed.bytes += end - offset;
        removed.kept.push(kept);
        write_zeros(&file, offset..end).map_err(refused)?;
    }
    // A file that someone cut short gets the length back that it was made with.
    if len < made {
        write_zeros(&file, len..made).map_err(refused)?;
    }
    if end > offset || len < made {
        file.sync_data().map_err(refused)?;
    }
    Ok(())
}

/// Copies a part of a file into a new one, durably.
fn keep<D: Disk>(disk: &D, file: &D::File, part: Range<u64>, kept: &str) -> Result<(), DiskError> {
    let copied = || {
        let copy = disk.create(kept)?;
        let mut piece = vec![0; part.end.saturating_sub(part.start).min(WINDOW_BYTES as u64) as usize];
        let mut at = part.start;
        while at < part.end {
            let most = (part.end - at).min(WINDOW_BYTES as u64) as usize;
            let room = piece.get_mut(..most).unwrap_or_default();
            let came = file.read_full_at(at, room)?;
            copy.write_all_at(at - part.start, room.get(..came).unwrap_or_default())?;
            at += most as u64;
        }
        copy.sync_data()?;
        disk.sync_dir()
    };
    copied().map_err(DiskError::of("write", kept))
}

fn write_zeros(file: &impl DiskFile, part: Range<u64>) -> IoResult<()> {
    let zeros = vec![0; part.end.saturating_sub(part.start).min(WINDOW_BYTES as u64) as usize];
    let mut at = part.start;
    while at < part.end {
        let most = (part.end - at).min(WINDOW_BYTES as u64);
        file.write_all_at(at, zeros.get(..most as usize).unwrap_or_default())?;
        at += most;
    }
    Ok(())
}

/// The id of the segment that follows on a place.
pub(crate) fn next_id(lineup: &Lineup, at: At) -> SegmentId {
    let here = at.and_then(|(index, _)| lineup.segments.get(index));
    SegmentId(here.map_or(1, |segment| segment.name.id.0 + 1))
}
