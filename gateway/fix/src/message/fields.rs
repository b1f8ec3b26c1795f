//! Writing fields: values become `tag=value` and the delimiter, in the order they are given.

use alloc::vec::Vec;

use super::SOH;
use super::decimal::{write_decimal, write_unsigned};
use super::view::Message;
use crate::tag::{Tag, tags};
use crate::time::{TimePrecision, UtcTimestamp};

/// Appends fields to a buffer that is reused. Give the fields of a body (and the entries' fields of a group, after their
/// count) in ascending order of tags: that is the form on our wire, and debug builds check it.
///
/// An empty value writes nothing, because FIX has no empty value; a delimiter inside a value is written as a space.
#[derive(Debug)]
pub struct FieldWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The tag written last; none inside a group, whose entries repeat their tags.
    last: Option<Tag>,
}

impl<'a> FieldWriter<'a> {
    /// Appends to `out`.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            last: Some(Tag(i32::MIN)),
        }
    }

    fn tag(&mut self, tag: Tag) {
        if let Some(last) = self.last {
            debug_assert!(
                last < tag,
                "fields must be written in ascending order: {tag} after {last}"
            );
            self.last = Some(tag);
        }
        write_tag(tag, self.out);
    }

    /// Any text.
    pub fn bytes(&mut self, tag: Tag, value: &[u8]) -> &mut Self {
        if !value.is_empty() {
            self.tag(tag);
            self.out
                .extend(value.iter().map(|&byte| if byte == SOH { b' ' } else { byte }));
            self.out.push(SOH);
        }
        self
    }

    /// Any text.
    pub fn text(&mut self, tag: Tag, value: &str) -> &mut Self {
        self.bytes(tag, value.as_bytes())
    }

    /// One character.
    pub fn character(&mut self, tag: Tag, value: u8) -> &mut Self {
        self.tag(tag);
        let value = if value == SOH { b' ' } else { value };
        self.out.extend_from_slice(&[value, SOH]);
        self
    }

    /// An unsigned integer.
    pub fn unsigned(&mut self, tag: Tag, value: u64) -> &mut Self {
        self.tag(tag);
        write_unsigned(value, self.out);
        self.out.push(SOH);
        self
    }

    /// Two unsigned integers with a dash between.
    pub fn numbers(&mut self, tag: Tag, first: u64, second: u64) -> &mut Self {
        self.tag(tag);
        write_unsigned(first, self.out);
        self.out.push(b'-');
        write_unsigned(second, self.out);
        self.out.push(SOH);
        self
    }

    /// `Y` or `N`.
    pub fn boolean(&mut self, tag: Tag, value: bool) -> &mut Self {
        self.character(tag, if value { b'Y' } else { b'N' })
    }

    /// A count of `10^-scale` as a decimal.
    pub fn decimal(&mut self, tag: Tag, value: i64, scale: u32) -> &mut Self {
        self.tag(tag);
        write_decimal(value, scale, self.out);
        self.out.push(SOH);
        self
    }

    /// A UTCTimestamp.
    pub fn timestamp(&mut self, tag: Tag, value: UtcTimestamp, precision: TimePrecision) -> &mut Self {
        self.tag(tag);
        value.write(precision, self.out);
        self.out.push(SOH);
        self
    }

    /// A length field and the data field it announces; the data may hold any byte.
    pub fn data(&mut self, length_tag: Tag, data_tag: Tag, value: &[u8]) -> &mut Self {
        if !value.is_empty() {
            self.unsigned(length_tag, value.len() as u64);
            write_tag(data_tag, self.out);
            self.out.extend_from_slice(value);
            self.out.push(SOH);
        }
        self
    }

    /// The count of a repeating group; `entries` writes the entries' fields, each entry in the dictionary's order.
    pub fn group(&mut self, count_tag: Tag, count: u64, entries: impl FnOnce(&mut FieldWriter<'_>)) -> &mut Self {
        self.unsigned(count_tag, count);
        entries(&mut FieldWriter {
            out: self.out,
            last: None,
        });
        self
    }
}

fn write_tag(tag: Tag, out: &mut Vec<u8>) {
    let digit = |number: i32| b'0' + (number % 10) as u8;
    // Arrays of a known length are a store or two; nearly every tag has two digits or three.
    match tag.0 {
        number @ 0..10 => out.extend_from_slice(&[digit(number), b'=']),
        number @ 10..100 => out.extend_from_slice(&[digit(number / 10), digit(number), b'=']),
        number @ 100..1000 => {
            out.extend_from_slice(&[digit(number / 100), digit(number / 10), digit(number), b'=']);
        }
        number => {
            if number < 0 {
                out.push(b'-');
            }
            write_unsigned(u64::from(number.unsigned_abs()), out);
            out.push(b'=');
        }
    }
}

/// Where each routing field of an answer comes from in the message it answers, in the order of the answer's header.
const REVERSED_ROUTE: [(Tag, Tag); 6] = [
    (tags::ON_BEHALF_OF_COMP_ID, tags::DELIVER_TO_COMP_ID),
    (tags::ON_BEHALF_OF_SUB_ID, tags::DELIVER_TO_SUB_ID),
    (tags::DELIVER_TO_COMP_ID, tags::ON_BEHALF_OF_COMP_ID),
    (tags::DELIVER_TO_SUB_ID, tags::ON_BEHALF_OF_SUB_ID),
    (tags::ON_BEHALF_OF_LOCATION_ID, tags::DELIVER_TO_LOCATION_ID),
    (tags::DELIVER_TO_LOCATION_ID, tags::ON_BEHALF_OF_LOCATION_ID),
];

/// Appends the header fields that send an answer back the way the message came (115 and 128, 116 and 129, 144 and 145
/// change places); empty ones are left out.
pub fn write_reversed_route(message: &Message<'_>, out: &mut Vec<u8>) {
    let mut writer = FieldWriter::new(out);
    for (to, from) in REVERSED_ROUTE {
        writer.bytes(to, message.get(from).unwrap_or(b""));
    }
}
