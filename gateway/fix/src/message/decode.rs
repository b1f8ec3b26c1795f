//! A frame to a table of fields, in one pass over its bytes.
//!
//! A plain byte loop: FIX fields are too short for a vector search to pay. The checksum is summed apart, many bytes at a time.

use alloc::vec::Vec;

use super::SOH;
use super::data_fields::data_tag;
use super::view::{FieldSpan, Message, TagFilter, parse_unsigned, span_value};
use crate::limits::{MAX_FIELDS, MAX_FRAME_BYTES};
use crate::tag::{Tag, tags};

/// Why bytes are no message. A garbled message is ignored and its number is not consumed (FIX 4.4 volume 2, message
/// integrity), so that the next good one opens a gap and brings it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    /// Bytes that belong to no message.
    #[error("{bytes} bytes of no message: start every message with 8=")]
    Stray {
        /// How many were skipped.
        bytes: usize,
    },
    /// 8, 9 and 35 are not the first three fields.
    #[error("BeginString(8), BodyLength(9) and MsgType(35) must be the first three fields, in this order")]
    FirstFields,
    /// BodyLength(9) does not lead to CheckSum(10).
    #[error("BodyLength(9) is wrong: count the bytes from 35= up to and including the delimiter before 10=")]
    BodyLength,
    /// CheckSum(10) is not the sum of the bytes before it modulo 256, in three digits.
    #[error("CheckSum(10) is wrong: send the sum of all bytes before 10= modulo 256 as three digits")]
    CheckSum,
    /// Something other than `number=value`.
    #[error("field {index} is not tag=value with a tag number of at most 9 digits")]
    Field {
        /// Position in the message, from 0.
        index: usize,
    },
    /// A length field that does not lead to the end of its data field.
    #[error("tag {0} does not give the length of the data field that must follow it")]
    DataLength(Tag),
    /// More than [`MAX_FIELDS`].
    #[error("more than {MAX_FIELDS} fields (MAX_FIELDS): split the message")]
    TooManyFields,
    /// More than [`MAX_FRAME_BYTES`].
    #[error("more than {MAX_FRAME_BYTES} bytes (MAX_FRAME_BYTES): split the message")]
    TooLong,
}

/// The reusable field table. Once it has grown to the longest message it allocates no more.
#[derive(Debug, Default)]
pub struct Decoder {
    spans: Vec<FieldSpan>,
    tags: TagFilter,
}

impl Decoder {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            spans: Vec::new(),
            tags: TagFilter::NONE,
        }
    }

    /// Reads one whole frame, `8=` to the delimiter behind `10=`.
    ///
    /// # Errors
    /// [`Garbled`], with the first thing wrong.
    pub fn decode<'a>(&'a mut self, frame: &'a [u8]) -> Result<Message<'a>, Garbled> {
        self.read(frame)?;
        Ok(self.view(frame))
    }

    /// The message last read from these bytes, without reading them again.
    pub(crate) fn view<'a>(&'a self, frame: &'a [u8]) -> Message<'a> {
        Message::new(frame, &self.spans, &self.tags)
    }

    pub(crate) fn read(&mut self, frame: &[u8]) -> Result<(), Garbled> {
        self.spans.clear();
        self.tags = TagFilter::NONE;
        if frame.len() > MAX_FRAME_BYTES {
            return Err(Garbled::TooLong);
        }
        let mut left = frame;
        let mut last_field = 0;
        // Where the last field was the length of a data field: its tag, that field's tag, and its length.
        let mut data: Option<(Tag, Tag, u64)> = None;
        while !left.is_empty() {
            let index = self.spans.len();
            if index == MAX_FIELDS {
                return Err(Garbled::TooManyFields);
            }
            last_field = frame.len() - left.len();
            let (tag, value) = split_tag(left).ok_or(Garbled::Field { index })?;
            let behind = match data.take() {
                Some((length_tag, data_tag, length)) => (tag == data_tag)
                    .then(|| behind_data(value, length))
                    .flatten()
                    .ok_or(Garbled::DataLength(length_tag))?,
                None => behind_value(value).ok_or(Garbled::Field { index })?,
            };
            let span = FieldSpan {
                tag,
                start: (frame.len() - value.len()) as u32,
                end: (frame.len() - behind.len() - 1) as u32,
            };
            if let Some(data_tag) = data_tag(tag)
                && let Some(length) = parse_unsigned(span_value(frame, &span))
            {
                data = Some((tag, data_tag, length));
            }
            self.tags.note(tag);
            self.spans.push(span);
            left = behind;
        }
        let summed = frame.get(..last_field).unwrap_or(b"");
        let sum = summed.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        self.check_envelope(frame, sum)
    }

    /// 8, 9, 35 first and 10 last; the length and the sum as they must be.
    fn check_envelope(&self, frame: &[u8], sum: u8) -> Result<(), Garbled> {
        let [begin_string, body_length, msg_type, .., check_sum] = self.spans.as_slice() else {
            return Err(Garbled::FirstFields);
        };
        if begin_string.tag != tags::BEGIN_STRING
            || body_length.tag != tags::BODY_LENGTH
            || msg_type.tag != tags::MSG_TYPE
        {
            return Err(Garbled::FirstFields);
        }
        if check_sum.tag != tags::CHECK_SUM {
            return Err(Garbled::CheckSum);
        }
        // `10=` is as long as `35=`: the distance of the values is the distance of the fields.
        let length = u64::from(check_sum.start.saturating_sub(msg_type.start));
        if parse_unsigned(span_value(frame, body_length)) != Some(length) {
            return Err(Garbled::BodyLength);
        }
        let value = span_value(frame, check_sum);
        if value.len() != 3 || parse_unsigned(value) != Some(u64::from(sum)) {
            return Err(Garbled::CheckSum);
        }
        Ok(())
    }
}

/// `tag=`, and what comes behind it.
fn split_tag(bytes: &[u8]) -> Option<(Tag, &[u8])> {
    const MOST_DIGITS: u32 = 9;
    let (negative, mut rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut number, mut digits) = (0, 0);
    loop {
        let (&byte, behind) = rest.split_first()?;
        rest = behind;
        if byte.is_ascii_digit() && digits < MOST_DIGITS {
            number = number * 10 + i32::from(byte - b'0');
            digits += 1;
        } else if byte == b'=' && digits > 0 {
            return Some((Tag(if negative { -number } else { number }), rest));
        } else {
            return None;
        }
    }
}

/// What comes behind a value and its delimiter.
fn behind_value(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|&byte| byte == SOH)?;
    bytes.get(end + 1..)
}

/// What comes behind so many bytes and a delimiter.
fn behind_data(bytes: &[u8], length: u64) -> Option<&[u8]> {
    match bytes.get(usize::try_from(length).ok()?..)? {
        [SOH, behind @ ..] => Some(behind),
        _ => None,
    }
}
