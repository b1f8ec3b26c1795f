//! Every way bytes of a journal can be wrong, and what a person can do about each.
//!
//! | where | found as |
//! |---|---|
//! | segment | header cut, zeros, checksum or size; another file's header; a number missing; a restatement that is not what came before |
//! | commit block | missing, cut, no marker, checksum, length, count, stale epoch, chain, mark ahead of itself, day |
//! | record | cut, length, checksum, number left out or repeated, stamp going back |
//! | footer | cut, checksum, counts |
//! | behind the end | sound blocks behind a hole, bytes that are nothing, a file shorter than it was made |
//!
//! Bytes that are sound but not to be read here (another format version, another venue, a message of a newer build, a file
//! in the place of another) are [foreign](Defect::is_foreign): no damage, and never cut away.

use crate::disk::DiskError;
use crate::format::{ChainHash, SegmentId};
use rialto_model::codec::DecodeError;
use rialto_model::{Epoch, SequenceNumber, Timestamp, TradingDay, VenueId};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The file ends inside the segment header.
    #[error("the segment header is cut short")]
    HeaderCut,
    /// Zeros where a segment header must be.
    #[error("the segment header is zeros, though blocks stand behind it")]
    HeaderMissing,
    /// Not what was written.
    #[error("the segment header's checksum is wrong")]
    HeaderChecksum,
    /// No writer makes such a segment.
    #[error("the segment header states a size out of bounds")]
    HeaderBounds,
    /// A file was copied or renamed over another.
    #[error("the header is that of segment {id} of epoch {epoch}")]
    HeaderOfAnother {
        /// The id it states.
        id: SegmentId,
        /// The epoch it states.
        epoch: Epoch,
    },
    /// A file is gone.
    #[error("segment {id} is missing")]
    SegmentMissing {
        /// Its number.
        id: SegmentId,
    },
    /// A header restates something that is not so.
    #[error("the segment header states another {what} than the journal before it has")]
    Restated {
        /// What it restates.
        what: &'static str,
    },
    /// Nothing stands where more must.
    #[error("nothing stands where the next block must")]
    BlockMissing,
    /// The file ends inside a block.
    #[error("the block is cut short")]
    BlockCut,
    /// Neither a block nor a footer.
    #[error("neither a block nor a footer begins here")]
    BlockMarker,
    /// Not what was written.
    #[error("the block header's checksum is wrong")]
    BlockChecksum,
    /// No writer makes such a block.
    #[error("a block of {length} bytes is out of bounds")]
    BlockLength {
        /// Its length.
        length: u32,
    },
    /// The block holds another number of records than it says.
    #[error("the block states {stated} records and holds another number")]
    BlockCount {
        /// What it says.
        stated: u32,
    },
    /// Written by who was no longer, or not yet, the writer.
    #[error("the block is of epoch {found}, the segment of epoch {expected}")]
    StaleEpoch {
        /// The block's.
        found: Epoch,
        /// The segment's.
        expected: Epoch,
    },
    /// The block does not follow on the one before.
    #[error("the chain breaks: {stated} is stated, {computed} follows from what is there")]
    Chain {
        /// What stands there.
        stated: ChainHash,
        /// What the bytes make.
        computed: ChainHash,
    },
    /// No writer can know that.
    #[error("states safe up to {up_to}, beyond everything written before it")]
    MarkAhead {
        /// What it states.
        up_to: SequenceNumber,
    },
    /// The day does not follow from the commands.
    #[error("states trading day {stated} where {found} is in force")]
    Day {
        /// What it states.
        stated: TradingDay,
        /// What the commands made it.
        found: TradingDay,
    },
    /// The block ends inside a record.
    #[error("the record is cut short")]
    RecordCut,
    /// No writer makes such a record.
    #[error("a record of {length} bytes is out of bounds")]
    RecordLength {
        /// Its length.
        length: usize,
    },
    /// Not what was written.
    #[error("the record's checksum is wrong")]
    RecordChecksum,
    /// Numbers are left out.
    #[error("sequence gap: {found} stands where {expected} must")]
    Gap {
        /// The next in line.
        expected: SequenceNumber,
        /// What stands there.
        found: SequenceNumber,
    },
    /// Numbers come again.
    #[error("sequence repeated: {found} stands where {expected} must")]
    Duplicate {
        /// The next in line.
        expected: SequenceNumber,
        /// What stands there.
        found: SequenceNumber,
    },
    /// Time runs backwards.
    #[error("the stamp goes back from {before} to {found}")]
    StampBack {
        /// The last one.
        before: Timestamp,
        /// This one.
        found: Timestamp,
    },
    /// The file ends inside the footer.
    #[error("the footer is cut short")]
    FooterCut,
    /// Not what was written.
    #[error("the footer's checksum is wrong")]
    FooterChecksum,
    /// The footer sums up another segment.
    #[error("the footer's {what} is not the segment's")]
    FooterWrong {
        /// What differs.
        what: &'static str,
    },
    /// Something is missing in between.
    #[error("a hole: sound records from {first_seq} on stand behind it")]
    Hole {
        /// The first number behind it.
        first_seq: SequenceNumber,
    },
    /// Bytes behind the end.
    #[error("bytes behind the journal's end that are no part of it")]
    Garbage,
    /// Someone cut the file.
    #[error("the file has {len} bytes of the {made} it was made with")]
    FileShort {
        /// Bytes it has.
        len: u64,
        /// Bytes it was made with.
        made: u64,
    },
    /// Sound, of another format.
    #[error(
        "format version {version}, where this build reads version {}",
        crate::format::FORMAT_VERSION
    )]
    FormatVersion {
        /// The version.
        version: u32,
    },
    /// Sound, of another venue.
    #[error("the journal of venue {found}, not of venue {expected}")]
    Venue {
        /// Whose it is.
        found: VenueId,
        /// Whose it should be.
        expected: VenueId,
    },
    /// Sound, and not understood.
    #[error("a sound record that this build does not understand: {0}")]
    Message(#[from] DecodeError),
}

impl Defect {
    /// Whether the bytes are sound and only not for this build, this venue or this place.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        matches!(
            self,
            Self::HeaderOfAnother { .. } | Self::FormatVersion { .. } | Self::Venue { .. } | Self::Message(_)
        )
    }

    /// What a person can do.
    const fn mend(&self) -> &'static str {
        match self {
            Self::FormatVersion { .. } | Self::Message(_) => "read it with the build that wrote it, or a newer one",
            Self::Venue { .. } => "give the directory of this venue's own journal",
            Self::SegmentMissing { .. } | Self::HeaderOfAnother { .. } | Self::FileShort { .. } => {
                "put the file back as it was"
            }
            _ => "put the file back from a copy",
        }
    }
}

/// Where and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which file.
    pub file: String,
    /// At which byte of it.
    pub offset: u64,
    /// Which record it is, or the first that should follow here.
    pub seq: SequenceNumber,
    /// What is wrong.
    pub defect: Defect,
}

impl core::fmt::Display for Damage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self {
            file,
            offset,
            seq,
            defect,
        } = self;
        write!(
            f,
            "{file} at byte {offset}, sequence number {seq}: {defect}; {}",
            defect.mend()
        )?;
        if !defect.is_foreign() {
            write!(
                f,
                ", or give up everything from there on with `rialto journal repair DIR --cut {seq}`"
            )?;
        }
        Ok(())
    }
}

impl core::error::Error for Damage {}

/// Why the next record cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Something is wrong with the bytes.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The journal does not reach back that far.
    #[error(
        "the journal in {place} begins at sequence number {first}, {wanted} was asked for: start from a snapshot at {first} or later, or put the older segments back"
    )]
    TooOld {
        /// Which journal.
        place: String,
        /// What was asked for.
        wanted: SequenceNumber,
        /// What it has.
        first: SequenceNumber,
    },
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
