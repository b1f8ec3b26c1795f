//! Which files of the directory are the journal, in which order.
//!
//! A file is named by segment id and epoch (`0000000007-0000000003.journal`), so that a writer that lost the journal to a
//! later epoch can neither name nor overwrite a file of its successor. Walking the ids upward the epoch never goes down;
//! of two files with one id the later epoch's is the journal's, and everything of an earlier epoch behind it is *fenced
//! off*: never read. A file that has no header yet is a *spare*.

use crate::damage::{Damage, Defect, ReadError};
use crate::disk::{Access, Disk, DiskError, DiskFile};
use crate::format::{HeaderFault, SEGMENT_HEADER, Seed, SegmentHeader, SegmentId};
use crate::scan;
use rialto_model::{Epoch, SequenceNumber};
use std::io::ErrorKind;

/// Behind the name of a segment.
const SUFFIX: &str = ".journal";
/// Digits of each number in a name: all of a u32, so that names sort as numbers do.
const DIGITS: usize = 10;

/// The name of a segment's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) id: SegmentId,
    pub(crate) epoch: Epoch,
}

impl Name {
    /// Takes no other spelling than its own.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (id, epoch) = text.strip_suffix(SUFFIX)?.split_once('-')?;
        let number = |digits: &str| {
            let decimal = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
            decimal.then(|| digits.parse().ok()).flatten()
        };
        Some(Self {
            id: SegmentId(number(id)?),
            epoch: Epoch(number(epoch)?),
        })
    }

    pub(crate) fn seed(self) -> Seed {
        Seed::of(self.id, self.epoch)
    }
}

impl core::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:0DIGITS$}-{:0DIGITS$}{SUFFIX}", self.id.0, self.epoch.0)
    }
}

/// A file that is part of the journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) name: Name,
    /// Its header, or what is wrong with it.
    pub(crate) header: Result<SegmentHeader, Defect>,
    /// The first number it can hold; where the header is no use, that of its first sound block.
    pub(crate) first_seq: SequenceNumber,
}

/// The directory, sorted out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineup {
    /// The journal, in order.
    pub(crate) segments: Vec<Segment>,
    /// Files without a usable header or any block right behind it, of the journal's last epoch and behind its last
    /// segment: spares, if they are zeros.
    pub(crate) behind: Vec<Name>,
    /// Never read: fenced off, or spares of earlier epochs.
    pub(crate) stale: Vec<Name>,
    /// The highest epoch in any name.
    pub(crate) epoch: Epoch,
}

impl Lineup {
    /// Reads the directory and every segment's header.
    pub(crate) fn read<D: Disk>(disk: &D) -> Result<Self, ReadError> {
        let names = disk.list().map_err(DiskError::of("list", &disk.place()))?;
        let mut names: Vec<Name> = names.iter().filter_map(|name| Name::parse(name)).collect();
        names.sort_unstable();
        let mut lineup = Self::default();
        let mut unused = Vec::new();
        for name in names {
            lineup.epoch = lineup.epoch.max(name.epoch);
            match look(disk, name)? {
                Look::Segment(segment) => lineup.take(segment),
                Look::Unused => unused.push(name),
                Look::Gone => {}
            }
        }
        let last = lineup.segments.last().map(|segment| segment.name);
        for name in unused {
            let follows = last.is_none_or(|last| name.id > last.id && name.epoch >= last.epoch);
            let list = if follows { &mut lineup.behind } else { &mut lineup.stale };
            list.push(name);
        }
        Ok(lineup)
    }

    /// Adds the next segment by (id, epoch).
    fn take(&mut self, segment: Segment) {
        if let Some(last) = self.segments.last().map(|last| last.name) {
            if segment.name.epoch < last.epoch {
                self.stale.push(segment.name);
                return;
            }
            if segment.name.id == last.id {
                self.segments.pop();
                self.stale.push(last);
            }
        }
        self.segments.push(segment);
    }
}

/// What a file of the directory is.
enum Look {
    /// A part of the journal, unless another takes its place.
    Segment(Segment),
    /// A spare, or one that a crash tore before it was used.
    Unused,
    /// Taken away since the directory was listed.
    Gone,
}

fn look<D: Disk>(disk: &D, name: Name) -> Result<Look, ReadError> {
    let text = name.to_string();
    let file = match disk.open(&text, Access::Read) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Look::Gone),
        opened => opened.map_err(DiskError::of("open", &text))?,
    };
    let segment = |header, first_seq| {
        Look::Segment(Segment {
            name,
            header,
            first_seq,
        })
    };
    let mut bytes = [0; SEGMENT_HEADER];
    let came = file.read_full_at(0, &mut bytes).map_err(DiskError::of("read", &text))?;
    let defect = match SegmentHeader::decode(bytes.get(..came).unwrap_or_default()) {
        Ok(header) => {
            let (id, epoch) = (header.id, header.epoch);
            let own = (id, epoch) == (name.id, name.epoch);
            let header_or_other = if own {
                Ok(header)
            } else {
                Err(Defect::HeaderOfAnother { id, epoch })
            };
            return Ok(segment(header_or_other, header.first_seq));
        }
        Err(HeaderFault::Version(version)) => {
            return Err(ReadError::Damage(Damage {
                file: text,
                offset: 0,
                seq: SequenceNumber(0),
                defect: Defect::FormatVersion { version },
            }));
        }
        Err(_) if bytes == [0; SEGMENT_HEADER] => Defect::HeaderMissing,
        Err(HeaderFault::Short) => Defect::HeaderCut,
        Err(HeaderFault::Checksum) => Defect::HeaderChecksum,
    };
    // Only a file that was used has blocks: a header that a crash tore before it was used does not fence off anything.
    let thorough = defect != Defect::HeaderMissing;
    let block = scan::first_block(&file, name.seed(), thorough).map_err(DiskError::of("read", &text))?;
    Ok(block.map_or(Look::Unused, |block| segment(Err(defect), block.first_seq)))
}
