//! A message held against the dictionaries.
//!
//! The order of the checks decides which fault is named when there are several: type of message, order of header, body
//! and trailer, required fields (header, trailer, body), then each field as it comes: repeated, empty, shape, value,
//! known at all, known in this message, group count.

use super::{Dictionaries, Dictionary, FieldDefinition, FieldType, Layout, Positions};
use crate::message::{FieldSpan, Message, parse_unsigned, span_value};
use crate::tag::{Tag, tags};
use crate::words::MsgType;

/// SessionRejectReason(373).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RejectReason {
    /// No version of FIX we speak has the tag.
    InvalidTagNumber = 0,
    /// A field that the message must have is not there.
    RequiredTagMissing = 1,
    /// The version has the field, not in this message.
    TagNotDefinedForMessage = 2,
    /// `tag=` alone.
    TagWithoutValue = 4,
    /// Not one of the permitted values.
    ValueOutOfRange = 5,
    /// Not of the field's type.
    IncorrectDataFormat = 6,
    /// SenderCompID(49) or TargetCompID(56) is not the session's.
    CompIdProblem = 9,
    /// SendingTime(52) too far from our clock, or OrigSendingTime(122) after it.
    SendingTimeAccuracy = 10,
    /// The version has no such MsgType(35).
    InvalidMsgType = 11,
    /// A field outside of a group, twice.
    TagAppearsMoreThanOnce = 13,
    /// Header, body and trailer are mixed.
    TagOutOfOrder = 14,
    /// An entry of a group does not start with the group's first field.
    GroupFieldsOutOfOrder = 15,
    /// A group's count is not the number of its entries.
    IncorrectGroupCount = 16,
}

impl RejectReason {
    /// The words that go into Text(58).
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::InvalidTagNumber => "Invalid tag number",
            Self::RequiredTagMissing => "Required tag missing",
            Self::TagNotDefinedForMessage => "Tag not defined for this message type",
            Self::TagWithoutValue => "Tag specified without a value",
            Self::ValueOutOfRange => "Value is incorrect (out of range) for this tag",
            Self::IncorrectDataFormat => "Incorrect data format for value",
            Self::CompIdProblem => "CompID problem",
            Self::SendingTimeAccuracy => "SendingTime accuracy problem",
            Self::InvalidMsgType => "Invalid MsgType",
            Self::TagAppearsMoreThanOnce => "Tag appears more than once",
            Self::TagOutOfOrder => "Tag specified out of required order",
            Self::GroupFieldsOutOfOrder => "Repeating group fields out of order",
            Self::IncorrectGroupCount => "Incorrect NumInGroup count for repeating group",
        }
    }
}

/// What is wrong with a message that is well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// SessionRejectReason(373).
    pub reason: RejectReason,
    /// RefTagID(371), where one field is to blame.
    pub tag: Option<Tag>,
}

impl Rejection {
    pub(crate) const fn of(reason: RejectReason, tag: Tag) -> Self {
        Self { reason, tag: Some(tag) }
    }
}

/// What becomes of tags from 5000 on that the dictionary does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserDefinedFields {
    /// Refused like any unknown tag.
    Reject,
    /// Passed to the application unchecked, in its messages and in a Logon. The rest of the session layer has no use for any
    /// and refuses them, as the public suites want it.
    Accept,
}

/// The first tag that FIX leaves to its users.
const FIRST_USER_DEFINED: Tag = Tag(5000);

/// Holds messages against a version's dictionaries.
#[derive(Clone, Debug)]
pub struct Validator {
    dictionaries: Dictionaries,
    user_defined_fields: UserDefinedFields,
}

impl Validator {
    /// A check against these dictionaries.
    #[must_use]
    pub const fn new(dictionaries: Dictionaries, user_defined_fields: UserDefinedFields) -> Self {
        Self {
            dictionaries,
            user_defined_fields,
        }
    }

    /// The facts it checks against.
    #[must_use]
    pub const fn dictionaries(&self) -> &Dictionaries {
        &self.dictionaries
    }

    /// Checks a whole message.
    ///
    /// # Errors
    /// The first [`Rejection`] in the order stated above.
    pub fn validate(&self, message: &Message<'_>) -> Result<(), Rejection> {
        let msg_type = message.msg_type();
        if msg_type == MsgType(b"") {
            return Err(Rejection::of(RejectReason::TagWithoutValue, tags::MSG_TYPE));
        }
        let (body_dictionary, body_layout) = self.dictionaries.layout(msg_type).ok_or(Rejection {
            reason: RejectReason::InvalidMsgType,
            tag: None,
        })?;
        let session = &*self.dictionaries.session;
        let spans = message.spans();
        let header_length = spans.iter().take_while(|span| span.tag.is_header()).count();
        let (header, rest) = spans.split_at_checked(header_length).unwrap_or((spans, &[]));
        let trailer_length = rest.iter().rev().take_while(|span| span.tag.is_trailer()).count();
        let (body, trailer) = rest
            .split_at_checked(rest.len() - trailer_length)
            .unwrap_or((rest, &[]));
        if let Some(misplaced) = body.iter().find(|span| span.tag.is_header() || span.tag.is_trailer()) {
            return Err(Rejection::of(RejectReason::TagOutOfOrder, misplaced.tag));
        }
        let frame = message.frame();
        let of_application = !msg_type.is_admin() || msg_type == MsgType::LOGON;
        let header = Part {
            user_defined: of_application && self.user_defined_fields == UserDefinedFields::Accept,
            dictionary: session,
            layout: &session.header,
            frame,
            spans: header,
        };
        let trailer = Part {
            layout: &session.trailer,
            spans: trailer,
            ..header
        };
        let body = Part {
            dictionary: body_dictionary,
            layout: body_layout,
            spans: body,
            ..header
        };
        for part in [header, trailer, body] {
            part.check_required()?;
        }
        for part in [header, body, trailer] {
            part.check_fields()?;
        }
        Ok(())
    }
}

/// Header, body, trailer, or one entry of a group.
#[derive(Clone, Copy)]
struct Part<'a> {
    /// Tags from 5000 on may be ones that the dictionary does not have.
    user_defined: bool,
    dictionary: &'a Dictionary,
    layout: &'a Layout,
    frame: &'a [u8],
    spans: &'a [FieldSpan],
}

impl Part<'_> {
    fn check_required(&self) -> Result<(), Rejection> {
        let mut seen = Positions::default();
        for span in self.spans {
            if let Some(position) = self.layout.position(span.tag) {
                seen.insert(position);
            }
        }
        let members = &self.layout.members;
        let missing = self.layout.required.first_beyond(&seen, members.len());
        match missing.and_then(|position| members.get(position)) {
            Some(member) => Err(Rejection::of(RejectReason::RequiredTagMissing, member.tag)),
            None => Ok(()),
        }
    }

    fn check_fields(&self) -> Result<(), Rejection> {
        let mut seen = Positions::default();
        let mut at = 0;
        while let Some(span) = self.spans.get(at) {
            let rejection = |reason| Rejection::of(reason, span.tag);
            let position = self.layout.position(span.tag);
            if position.is_some_and(|position| seen.insert(position)) {
                return Err(rejection(RejectReason::TagAppearsMoreThanOnce));
            }
            let value = span_value(self.frame, span);
            if value.is_empty() {
                return Err(rejection(RejectReason::TagWithoutValue));
            }
            at += 1;
            let Some(field) = self.dictionary.field(span.tag) else {
                if span.tag >= FIRST_USER_DEFINED && self.user_defined {
                    continue;
                }
                return Err(rejection(RejectReason::InvalidTagNumber));
            };
            field.check(value).map_err(rejection)?;
            let member = position
                .and_then(|position| self.layout.members.get(position))
                .ok_or(rejection(RejectReason::TagNotDefinedForMessage))?;
            if let Some(group) = self.dictionary.group(member) {
                let rest = self.spans.get(at..).unwrap_or(&[]);
                at += self.check_group(span.tag, value, group, rest)?;
            }
        }
        Ok(())
    }

    /// Checks a group whose entries start here, its count before their contents, and says how many fields they have.
    fn check_group(
        &self,
        count_tag: Tag,
        count: &[u8],
        group: &Layout,
        rest: &[FieldSpan],
    ) -> Result<usize, Rejection> {
        let length = self.dictionary.group_length(group, rest);
        let entries = || Entries {
            part: Part {
                layout: group,
                spans: rest.get(..length).unwrap_or(&[]),
                ..*self
            },
        };
        if parse_unsigned(count) != Some(entries().count() as u64) {
            return Err(match rest.first() {
                Some(span) if length == 0 && group.member(span.tag).is_some() => {
                    Rejection::of(RejectReason::GroupFieldsOutOfOrder, span.tag)
                }
                _ => Rejection::of(RejectReason::IncorrectGroupCount, count_tag),
            });
        }
        for entry in entries() {
            entry.check_required()?;
            entry.check_fields()?;
        }
        Ok(length)
    }
}

/// The entries of a group, one part each.
struct Entries<'a> {
    part: Part<'a>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Part<'a>;

    /// From an entry's first field to before the next entry's, nested groups passed over whole.
    fn next(&mut self) -> Option<Part<'a>> {
        let Part {
            dictionary,
            layout: group,
            spans,
            ..
        } = self.part;
        let mut at = 0;
        while let Some(span) = spans.get(at) {
            if at > 0 && Some(span.tag) == group.first {
                break;
            }
            at += 1;
            if let Some(nested) = group.member(span.tag).and_then(|member| dictionary.group(member)) {
                at += dictionary.group_length(nested, spans.get(at..).unwrap_or(&[]));
            }
        }
        let (entry, behind) = spans.split_at_checked(at).filter(|(entry, _)| !entry.is_empty())?;
        self.part.spans = behind;
        Some(Part {
            spans: entry,
            ..self.part
        })
    }
}

impl FieldDefinition {
    fn check(&self, value: &[u8]) -> Result<(), RejectReason> {
        if !self.field_type.accepts(value) {
            return Err(RejectReason::IncorrectDataFormat);
        }
        if self.values.is_empty() || self.open {
            return Ok(());
        }
        let permitted = |value: &[u8]| match *value {
            [byte] => self.bytes[usize::from(byte / 64)] >> (byte % 64) & 1 == 1,
            _ => self.values.binary_search(&value).is_ok(),
        };
        let good = match self.field_type {
            FieldType::MultipleValue => value.split(|&byte| byte == b' ').all(permitted),
            _ => permitted(value),
        };
        if good {
            Ok(())
        } else {
            Err(RejectReason::ValueOutOfRange)
        }
    }
}
