//! How a journal is written. Nothing here changes how it is read.

use crate::format::{BLOCK_HEADER, FOOTER, SEGMENT_HEADER};
use crate::limits::{BLOCK_BYTES_MAX, RECORD_BYTES_MAX, RESERVE_SEGMENTS_MAX, SEGMENT_BYTES_MAX};

/// What has happened to a record before anything it caused may be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The system has it, by write(2) or as stores into the file's own pages: what was released survives the end of the process,
    /// not a power loss.
    Memory,
    /// fdatasync(2) returned: what was released survives a power loss.
    Disk,
}

/// How a journal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// When a record may be released.
    pub durability: Durability,
    /// Bytes of a segment, filled with zeros before it is used.
    pub segment_bytes: u64,
    /// Bytes of a commit block; when the next record might not fit, the caller commits.
    pub block_bytes: usize,
    /// Segments kept ready ahead, at least one.
    pub reserve_segments: usize,
    /// Bytes that all segments together may take before no other is made ahead: a cap for a machine that has other uses for
    /// its disk. A start takes its own segment all the same.
    pub bytes_max: Option<u64>,
}

impl Default for Config {
    /// `disk`, segments of 64 MiB, two of them in reserve, blocks up to the bound.
    fn default() -> Self {
        Self {
            durability: Durability::Disk,
            segment_bytes: 64 * 1024 * 1024,
            block_bytes: BLOCK_BYTES_MAX,
            reserve_segments: 2,
            bytes_max: None,
        }
    }
}

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A block that holds no record, or more than a reader takes.
    #[error("block_bytes is {given}; give {least} to {most}")]
    BlockBytes {
        /// What was given.
        given: usize,
        /// The lowest.
        least: usize,
        /// The highest.
        most: usize,
    },
    /// A segment that does not hold a block, or too large a one.
    #[error("segment_bytes is {given}; with this block_bytes give {least} to {most}")]
    SegmentBytes {
        /// What was given.
        given: u64,
        /// The lowest.
        least: u64,
        /// The highest.
        most: u64,
    },
    /// No segment in reserve, or too many.
    #[error("reserve_segments is {given}; give 1 to {most}")]
    ReserveSegments {
        /// What was given.
        given: usize,
        /// The highest.
        most: usize,
    },
    /// A cap under which no reserve could be made.
    #[error("bytes_max is {given}; with these segments and this reserve give at least {least}")]
    BytesMax {
        /// What was given.
        given: u64,
        /// The lowest.
        least: u64,
    },
}

impl Config {
    /// Whether a journal can be written so.
    ///
    /// # Errors
    /// The first setting that is out of its bounds.
    pub fn check(&self) -> Result<(), ConfigError> {
        let least = BLOCK_HEADER + RECORD_BYTES_MAX;
        if !(least..=BLOCK_BYTES_MAX).contains(&self.block_bytes) {
            return Err(ConfigError::BlockBytes {
                given: self.block_bytes,
                least,
                most: BLOCK_BYTES_MAX,
            });
        }
        let least = (SEGMENT_HEADER + self.block_bytes + FOOTER) as u64;
        if !(least..=SEGMENT_BYTES_MAX).contains(&self.segment_bytes) {
            return Err(ConfigError::SegmentBytes {
                given: self.segment_bytes,
                least,
                most: SEGMENT_BYTES_MAX,
            });
        }
        if !(1..=RESERVE_SEGMENTS_MAX).contains(&self.reserve_segments) {
            return Err(ConfigError::ReserveSegments {
                given: self.reserve_segments,
                most: RESERVE_SEGMENTS_MAX,
            });
        }
        let least = self.segment_bytes.saturating_mul(self.reserve_segments as u64 + 2);
        if let Some(given) = self.bytes_max.filter(|most| *most < least) {
            return Err(ConfigError::BytesMax { given, least });
        }
        Ok(())
    }
}
