//! Every bound of the journal, by name.

use crate::format::RECORD_HEADER;
use rialto_model::limits::MESSAGE_BYTES_MAX;

/// The largest record with its header.
pub const RECORD_BYTES_MAX: usize = RECORD_HEADER + MESSAGE_BYTES_MAX;
/// The largest commit block. A reader holds one at a time.
pub const BLOCK_BYTES_MAX: usize = 512 * 1024;
/// The most records in a commit block. At the bound the caller commits before it appends.
pub const BLOCK_RECORDS_MAX: u32 = 4_096;
/// The largest segment: its record count stays within 32 bits.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 32;
/// Segments kept ready ahead of the one being written. When none is left a commit is refused until one is ready.
pub const RESERVE_SEGMENTS_MAX: usize = 64;
/// How much of a coming segment one [`Syncer::poll`](crate::Syncer::poll) fills with zeros.
pub const FILL_BYTES_PER_POLL: usize = 1024 * 1024;
/// How much a reader or a scan reads ahead.
pub const WINDOW_BYTES: usize = 1024 * 1024;
/// How long a frontier may have moved without any block that says so before an idle mark is written. Half of the 10 ms
/// within which it is promised: the other half is the caller's, who may sleep between two calls.
pub const IDLE_MARK_AFTER_NS: u64 = 5_000_000;
/// Without a reserve, room is spent when less than this part of the segment being written is left: a quarter, for the losses
/// of all sessions and what they take off.
pub const LAST_PART: u64 = 4;
/// Polls skipped after the disk refused a coming segment: doubles from 1 up to this.
pub const RESERVE_BACKOFF_POLLS_MAX: u32 = 1_024;
