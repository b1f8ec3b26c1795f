//! From bytes in pieces to whole packets.
//!
//! TCP cuts and joins packets at will. The framer never holds more than its capacity: `feed` takes what fits, and the
//! caller keeps the rest until it has taken packets out. A stream that once broke the framing has no next packet: the
//! error stays.

use alloc::vec::Vec;
use core::ops::Range;

use super::packet::{LENGTH_WIDTH, PacketError};

/// Bytes buffered at least, so that one read of a busy socket fits.
const MIN_CAPACITY: usize = 16 * 1024;

/// Cuts a byte stream into packets.
#[derive(Debug)]
pub struct Framer {
    /// Bytes received; those before `start` are taken.
    buffer: Vec<u8>,
    start: usize,
    /// The largest packet length taken (type and payload).
    packet_limit: u16,
    capacity: usize,
}

impl Framer {
    /// A framer that takes packets of at most `packet_limit` bytes (type and payload).
    #[must_use]
    pub fn new(packet_limit: u16) -> Self {
        let capacity = MIN_CAPACITY.max(LENGTH_WIDTH + usize::from(packet_limit));
        Self {
            buffer: Vec::new(),
            start: 0,
            packet_limit,
            capacity,
        }
    }

    /// Takes bytes, as many as there is room for, and says how many. 0 of some means: take packets first.
    #[must_use = "the bytes that were not taken must be fed again"]
    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        self.buffer.drain(..self.start);
        self.start = 0;
        let taken = bytes.len().min(self.capacity - self.buffer.len());
        self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        taken
    }

    /// The next whole packet without its length: type, then payload.
    ///
    /// # Errors
    /// [`PacketError::Empty`] and [`PacketError::TooLong`]; every later call gives the same error.
    pub fn next_packet(&mut self) -> Result<Option<&[u8]>, PacketError> {
        let packet = self.next_range()?;
        Ok(packet.map(|range| self.bytes(range)))
    }

    /// Whether a whole packet, or an error in its place, waits to be taken.
    #[must_use]
    pub fn has_packet(&self) -> bool {
        !matches!(self.peek(), Ok(None))
    }

    /// Like [`Framer::next_packet`], for a caller that looks at the bytes later: the range is good until the next
    /// `feed`.
    pub(super) fn next_range(&mut self) -> Result<Option<Range<usize>>, PacketError> {
        let packet = self.peek()?;
        if let Some(range) = &packet {
            self.start = range.end;
        }
        Ok(packet)
    }

    /// The bytes of a range that `next_range` gave.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    fn peek(&self) -> Result<Option<Range<usize>>, PacketError> {
        let waiting = self.buffer.get(self.start..).unwrap_or_default();
        let Some((length, rest)) = waiting.split_first_chunk::<LENGTH_WIDTH>() else {
            return Ok(None);
        };
        let length = u16::from_be_bytes(*length);
        if length == 0 {
            return Err(PacketError::Empty);
        }
        if length > self.packet_limit {
            return Err(PacketError::TooLong {
                length: usize::from(length),
                limit: usize::from(self.packet_limit),
            });
        }
        let start = self.start + LENGTH_WIDTH;
        Ok((rest.len() >= usize::from(length)).then(|| start..start + usize::from(length)))
    }
}
