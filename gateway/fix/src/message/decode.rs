//! A frame to a table of fields, in one pass over its bytes.
//!
//! A plain byte loop: FIX fields are too short for a vector search to pay. The pass also sums the checksum.

use alloc::vec::Vec;

use super::SOH;
use super::data_fields::data_tag;
use super::view::{FieldSpan, Message, parse_unsigned, span_value};
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
}

impl Decoder {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self { spans: Vec::new() }
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
        Message::new(frame, &self.spans)
    }

    pub(crate) fn read(&mut self, frame: &[u8]) -> Result<(), Garbled> {
        self.spans.clear();
        if frame.len() > MAX_FRAME_BYTES {
            return Err(Garbled::TooLong);
        }
        let mut bytes = Summed {
            bytes: frame.iter(),
            sum: 0,
        };
        let mut sum_before_field = 0;
        // Where the last field was the length of a data field: its tag, that field's tag, and its length.
        let mut data: Option<(Tag, Tag, u64)> = None;
        while !bytes.is_empty() {
            let index = self.spans.len();
            if index == MAX_FIELDS {
                return Err(Garbled::TooManyFields);
            }
            sum_before_field = bytes.sum;
            let tag = bytes.read_tag().ok_or(Garbled::Field { index })?;
            let start = frame.len() - bytes.len();
            match data.take() {
                Some((_, data_tag, length)) if tag == data_tag && bytes.skip_data(length) => {}
                Some((length_tag, ..)) => return Err(Garbled::DataLength(length_tag)),
                None => bytes.skip_value().ok_or(Garbled::Field { index })?,
            }
            let end = frame.len() - bytes.len() - 1;
            let span = FieldSpan {
                tag,
                start: start as u32,
                end: end as u32,
            };
            if let Some(data_tag) = data_tag(tag)
                && let Some(length) = parse_unsigned(span_value(frame, &span))
            {
                data = Some((tag, data_tag, length));
            }
            self.spans.push(span);
        }
        self.check_envelope(frame, sum_before_field)
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

/// The bytes that are left, and the sum of those that were read.
struct Summed<'a> {
    bytes: core::slice::Iter<'a, u8>,
    sum: u8,
}

impl Summed<'_> {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.next()?;
        self.sum = self.sum.wrapping_add(byte);
        Some(byte)
    }

    /// Reads `tag=`.
    fn read_tag(&mut self) -> Option<Tag> {
        const MOST_DIGITS: u32 = 9;
        let mut byte = self.next()?;
        let negative = byte == b'-';
        if negative {
            byte = self.next()?;
        }
        let (mut number, mut digits) = (0, 0);
        while byte.is_ascii_digit() && digits < MOST_DIGITS {
            number = number * 10 + i32::from(byte - b'0');
            digits += 1;
            byte = self.next()?;
        }
        (byte == b'=' && digits > 0).then_some(Tag(if negative { -number } else { number }))
    }

    /// Reads a value and its delimiter.
    fn skip_value(&mut self) -> Option<()> {
        while self.next()? != SOH {}
        Some(())
    }

    /// Reads so many bytes and the delimiter behind them; false where there is none.
    fn skip_data(&mut self, length: u64) -> bool {
        let Ok(length) = usize::try_from(length) else {
            return false;
        };
        if length >= self.len() {
            return false;
        }
        for _ in 0..length {
            self.next();
        }
        self.next() == Some(SOH)
    }
}
