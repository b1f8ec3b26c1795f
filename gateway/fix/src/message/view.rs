//! A decoded message: a table of fields over the bytes it came in.

use super::decimal::{DecimalError, parse_decimal};
use crate::tag::{Tag, tags};
use crate::time::{TimeError, UtcTimestamp};
use crate::words::{MsgSeqNum, MsgType};

/// Where a field stands in its frame. 32-bit offsets: a frame is shorter than [`crate::limits::MAX_FRAME_BYTES`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldSpan {
    pub(crate) tag: Tag,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

pub(crate) fn span_value<'a>(frame: &'a [u8], span: &FieldSpan) -> &'a [u8] {
    frame.get(span.start as usize..span.end as usize).unwrap_or(b"")
}

/// Which tags a message can have: one bit for all tags of one remainder by [`TagFilter::BITS`]. Most questions about a message
/// are for fields that it has not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TagFilter([u64; 4]);

impl TagFilter {
    const BITS: u32 = 256;
    /// Of an empty message.
    pub(crate) const NONE: Self = Self([0; 4]);
    /// Of a message of which nothing is known.
    pub(crate) const ANY: Self = Self([u64::MAX; 4]);

    const fn place(tag: Tag) -> (usize, u64) {
        let bit = tag.0 as u32 % Self::BITS;
        ((bit / u64::BITS) as usize, 1 << (bit % u64::BITS))
    }

    pub(crate) const fn note(&mut self, tag: Tag) {
        let (word, bit) = Self::place(tag);
        self.0[word] |= bit;
    }

    pub(crate) const fn may_have(&self, tag: Tag) -> bool {
        let (word, bit) = Self::place(tag);
        self.0[word] & bit != 0
    }
}

/// One field: its tag, and its value without the delimiter (empty where the peer sent none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The number to the left of `=`.
    pub tag: Tag,
    /// The bytes to the right of it.
    pub value: &'a [u8],
}

/// Why a field's value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The message has no such field.
    #[error("tag {0} is missing: send it")]
    Missing(Tag),
    /// Not a number of digits only, or more than 18 of them.
    #[error("tag {0} is not an unsigned integer: send at most 18 digits")]
    Integer(Tag),
    /// Not exactly one character.
    #[error("tag {0} is not one character: send exactly one")]
    Character(Tag),
    /// No exact decimal.
    #[error("tag {0}: {1}")]
    Decimal(Tag, DecimalError),
    /// No UTC time.
    #[error("tag {0}: {1}")]
    Time(Tag, TimeError),
}

/// A message whose framing, length and checksum are right; its contents are not judged. Borrowed from the frame.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    frame: &'a [u8],
    spans: &'a [FieldSpan],
    tags: &'a TagFilter,
}

impl<'a> Message<'a> {
    pub(crate) const fn new(frame: &'a [u8], spans: &'a [FieldSpan], tags: &'a TagFilter) -> Self {
        Self { frame, spans, tags }
    }

    /// The bytes on the wire.
    #[must_use]
    pub const fn frame(&self) -> &'a [u8] {
        self.frame
    }

    /// Every field in wire order, 8, 9 and 10 included.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields {
            frame: self.frame,
            spans: self.spans.iter(),
        }
    }

    pub(crate) const fn spans(&self) -> &'a [FieldSpan] {
        self.spans
    }

    /// BeginString(8).
    #[must_use]
    pub fn begin_string(&self) -> &'a [u8] {
        self.fields().next().map_or(b"", |field| field.value)
    }

    /// MsgType(35), the third field.
    #[must_use]
    pub fn msg_type(&self) -> MsgType<'a> {
        MsgType(self.fields().nth(2).map_or(b"", |field| field.value))
    }

    /// The value of the first field with this tag; empty where the peer sent `tag=` alone.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&'a [u8]> {
        if !self.tags.may_have(tag) {
            return None;
        }
        let span = self.spans.iter().find(|span| span.tag == tag)?;
        Some(span_value(self.frame, span))
    }

    /// True where a Y/N field says `Y`; absent means no.
    #[must_use]
    pub fn is_set(&self, tag: Tag) -> bool {
        self.get(tag) == Some(b"Y")
    }

    /// MsgSeqNum(34).
    ///
    /// # Errors
    /// [`FieldError`] where it is missing or no number.
    pub fn msg_seq_num(&self) -> Result<MsgSeqNum, FieldError> {
        self.unsigned(tags::MSG_SEQ_NUM).map(MsgSeqNum)
    }

    /// The value of a field, which has to be there.
    ///
    /// # Errors
    /// [`FieldError::Missing`].
    pub fn required(&self, tag: Tag) -> Result<&'a [u8], FieldError> {
        self.get(tag).ok_or(FieldError::Missing(tag))
    }

    /// An unsigned integer of at most 18 digits.
    ///
    /// # Errors
    /// [`FieldError`] where it is missing or another shape.
    pub fn unsigned(&self, tag: Tag) -> Result<u64, FieldError> {
        parse_unsigned(self.required(tag)?).ok_or(FieldError::Integer(tag))
    }

    /// A field of exactly one character.
    ///
    /// # Errors
    /// [`FieldError`] where it is missing or another length.
    pub fn character(&self, tag: Tag) -> Result<u8, FieldError> {
        match self.required(tag)? {
            &[character] => Ok(character),
            _ => Err(FieldError::Character(tag)),
        }
    }

    /// A decimal as an exact count of `10^-scale`.
    ///
    /// # Errors
    /// [`FieldError`] where it is missing, or not exact at this scale.
    pub fn decimal(&self, tag: Tag, scale: u32) -> Result<i64, FieldError> {
        parse_decimal(self.required(tag)?, scale).map_err(|error| FieldError::Decimal(tag, error))
    }

    /// A UTCTimestamp.
    ///
    /// # Errors
    /// [`FieldError`] where it is missing or no time.
    pub fn timestamp(&self, tag: Tag) -> Result<UtcTimestamp, FieldError> {
        UtcTimestamp::parse(self.required(tag)?).map_err(|error| FieldError::Time(tag, error))
    }

    /// The entries of the repeating group counted by `count_tag`. An entry starts at the group's first field and ends
    /// before its next occurrence, or before the first field that is not in `members`; nested groups list theirs too.
    pub fn group<'m>(&self, count_tag: Tag, members: &'m [Tag]) -> impl Iterator<Item = GroupEntry<'a>> + use<'a, 'm> {
        let frame = self.frame;
        let after_count = self
            .spans
            .iter()
            .position(|span| span.tag == count_tag)
            .map_or(self.spans.len(), |at| at + 1);
        let mut rest = self.spans.get(after_count..).unwrap_or(&[]);
        let first = members.first().copied();
        core::iter::from_fn(move || {
            let first = first?;
            if rest.first()?.tag != first {
                return None;
            }
            let length = 1 + rest
                .iter()
                .skip(1)
                .take_while(|span| span.tag != first && members.contains(&span.tag))
                .count();
            let (entry, behind) = rest.split_at_checked(length)?;
            rest = behind;
            Some(GroupEntry(Message::new(frame, entry, &TagFilter::ANY)))
        })
    }
}

/// One entry of a repeating group: the fields of that entry and no others.
#[derive(Clone, Copy, Debug)]
pub struct GroupEntry<'a>(Message<'a>);

impl<'a> GroupEntry<'a> {
    /// The fields of the entry in wire order.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        self.0.fields()
    }

    /// The value of the entry's first field with this tag.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&'a [u8]> {
        self.0.get(tag)
    }
}

/// Fields in wire order.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    frame: &'a [u8],
    spans: core::slice::Iter<'a, FieldSpan>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let span = self.spans.next()?;
        Some(Field {
            tag: span.tag,
            value: span_value(self.frame, span),
        })
    }
}

/// Reads one to 18 digits.
#[must_use]
pub fn parse_unsigned(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
    })
}
