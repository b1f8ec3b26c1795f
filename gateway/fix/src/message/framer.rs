//! A byte stream to frames.
//!
//! Where a message ends is known by BodyLength(9) alone, so a wrong length would swallow the stream. The rule (the one
//! that the public acceptance suites demand): a message ends at the first `10=` field at or behind the end that its
//! length states. Too short a length thus costs that message; too long a one also the message it runs into.

use alloc::vec::Vec;
use core::ops::Range;

use super::SOH;
use super::decode::Garbled;
use crate::limits::{MAX_FRAME_BYTES, MAX_INBOUND_BYTES};

/// Cuts a byte stream into frames. [`Framer::feed`] bytes, then take frames by [`Framer::next_frame`] until it has none.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes at the front that were taken already.
    taken: usize,
}

/// What stands at the front of the buffer.
enum Front {
    /// A frame of so many bytes.
    Frame(usize),
    /// So many bytes to skip.
    Garbled(usize, Garbled),
    /// Not all of it is here.
    Incomplete,
}

impl Framer {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            taken: 0,
        }
    }

    /// Takes bytes in, up to [`MAX_INBOUND_BYTES`] waiting, and says how many. Frames taken before are gone now.
    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        let room = MAX_INBOUND_BYTES.saturating_sub(self.buffer.len());
        let accepted = bytes.get(..room).unwrap_or(bytes);
        self.buffer.extend_from_slice(accepted);
        accepted.len()
    }

    /// The next frame's place for [`Framer::frame`], an account of bytes that were skipped, or nothing until more comes.
    pub fn next_frame(&mut self) -> Option<Result<Range<usize>, Garbled>> {
        let start = self.taken;
        match front(self.buffer.get(start..)?) {
            Front::Incomplete => None,
            Front::Frame(length) => {
                self.taken = start + length;
                Some(Ok(start..self.taken))
            }
            Front::Garbled(length, garbled) => {
                self.taken = start + length;
                Some(Err(garbled))
            }
        }
    }

    /// The bytes of a frame taken since the last [`Framer::feed`].
    #[must_use]
    pub fn frame(&self, place: Range<usize>) -> &[u8] {
        self.buffer.get(place).unwrap_or(b"")
    }
}

fn front(bytes: &[u8]) -> Front {
    if !bytes.starts_with(b"8=") {
        return stray(bytes);
    }
    match stated_end(bytes) {
        Ok(Some(end)) => at_stated_end(bytes, end),
        Ok(None) if bytes.len() < MAX_FRAME_BYTES => Front::Incomplete,
        Ok(None) => skip(bytes, Garbled::TooLong),
        Err(garbled) => skip(bytes, garbled),
    }
}

/// Bytes before the next `8=`. The last ones stay while they may be the beginning of a start.
fn stray(bytes: &[u8]) -> Front {
    if b"8=".starts_with(bytes) {
        return Front::Incomplete;
    }
    let length = find_start(bytes).unwrap_or_else(|| {
        let may_begin = |tail: &[u8]| b"\x018=".starts_with(tail) || b"8=FIX".starts_with(tail);
        (bytes.len().saturating_sub(4)..bytes.len())
            .find(|&from| bytes.get(from..).is_some_and(may_begin))
            .unwrap_or(bytes.len())
    });
    if length == 0 {
        Front::Incomplete
    } else {
        Front::Garbled(length, Garbled::Stray { bytes: length })
    }
}

/// The place of the next message behind the first byte: `8=` behind a delimiter, or `8=FIX` anywhere.
fn find_start(bytes: &[u8]) -> Option<usize> {
    let delimited = find(bytes, b"\x018=").map(|at| at + 1);
    let anywhere = find(bytes.get(1..)?, b"8=FIX").map(|at| at + 1);
    match (delimited, anywhere) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Where the body ends by BodyLength(9), if that much of the front is here.
fn stated_end(bytes: &[u8]) -> Result<Option<usize>, Garbled> {
    /// `8=FIXT.1.1` and some room.
    const LONGEST_BEGIN_STRING: usize = 24;
    let Some(begin_string_end) = bytes.iter().take(LONGEST_BEGIN_STRING).position(|&byte| byte == SOH) else {
        return if bytes.len() < LONGEST_BEGIN_STRING {
            Ok(None)
        } else {
            Err(Garbled::FirstFields)
        };
    };
    let rest = bytes.get(begin_string_end + 1..).unwrap_or(b"");
    let Some(value) = rest.strip_prefix(b"9=") else {
        return if b"9=".starts_with(rest) {
            Ok(None)
        } else {
            Err(Garbled::FirstFields)
        };
    };
    let mut length = 0;
    for (index, &byte) in value.iter().enumerate() {
        match byte {
            b'0'..=b'9' if length <= MAX_FRAME_BYTES => length = length * 10 + usize::from(byte - b'0'),
            b'0'..=b'9' => return Err(Garbled::TooLong),
            SOH if index > 0 => {
                let end = begin_string_end + 1 + 2 + index + 1 + length;
                return if end <= MAX_FRAME_BYTES {
                    Ok(Some(end))
                } else {
                    Err(Garbled::TooLong)
                };
            }
            _ => return Err(Garbled::BodyLength),
        }
    }
    Ok(None)
}

/// The front has a length; its message ends at the first `10=` field at or behind it.
fn at_stated_end(bytes: &[u8], end: usize) -> Front {
    let Some(behind) = bytes.get(end - 1..).filter(|behind| behind.len() >= 4) else {
        return Front::Incomplete;
    };
    let stated = behind.starts_with(b"\x0110=");
    let Some(check_sum) = (if stated { Some(0) } else { find(behind, b"\x0110=") }) else {
        return if bytes.len() < MAX_FRAME_BYTES {
            Front::Incomplete
        } else {
            skip(bytes, Garbled::BodyLength)
        };
    };
    let value = behind.get(check_sum + 4..).unwrap_or(b"");
    match value.iter().position(|&byte| byte == SOH) {
        Some(length) => {
            let frame_length = end - 1 + check_sum + 4 + length + 1;
            if stated {
                Front::Frame(frame_length)
            } else {
                Front::Garbled(frame_length, Garbled::BodyLength)
            }
        }
        None if bytes.len() < MAX_FRAME_BYTES => Front::Incomplete,
        None => skip(bytes, Garbled::CheckSum),
    }
}

/// A front without a usable length: skipped up to the next start, or else through the first `10=` field, or else wholly
/// once it is longer than any message.
fn skip(bytes: &[u8], garbled: Garbled) -> Front {
    let next_start = find_start(bytes);
    let trailer_end = find(bytes, b"\x0110=").and_then(|at| {
        let value = bytes.get(at + 4..)?;
        Some(at + 4 + value.iter().position(|&byte| byte == SOH)? + 1)
    });
    match (next_start, trailer_end) {
        (Some(a), Some(b)) => Front::Garbled(a.min(b), garbled),
        (Some(end), None) | (None, Some(end)) => Front::Garbled(end, garbled),
        (None, None) if bytes.len() >= MAX_FRAME_BYTES => Front::Garbled(bytes.len(), Garbled::TooLong),
        (None, None) => Front::Incomplete,
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
