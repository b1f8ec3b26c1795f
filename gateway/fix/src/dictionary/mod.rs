//! Data dictionaries: which fields, values, messages and groups a version of FIX has.
//!
//! The facts stand as text in `dictionaries/`, in a form of our own (see [`parse`](Dictionary::parse)), and are read once
//! at start. A [`Validator`] holds a message against them. It must never change a message, and knows no session state.

mod field_type;
mod parse;
mod validate;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use parse::MAX_MEMBERS;

pub use field_type::FieldType;
pub use parse::DictionaryError;
pub use validate::{RejectReason, Rejection, UserDefinedFields, Validator};

use crate::message::{FieldSpan, Message};
use crate::tag::Tag;
use crate::version::Version;
use crate::words::MsgType;

/// One version's facts.
#[derive(Debug)]
pub struct Dictionary {
    version: &'static str,
    fields: Vec<FieldDefinition>,
    /// Position + 1 in `fields`, by tag.
    by_tag: Vec<u16>,
    header: Layout,
    trailer: Layout,
    messages: BTreeMap<&'static [u8], Layout>,
    groups: Vec<Layout>,
}

/// Permitted values of one byte, a bit each.
type Bytes = [u64; 4];

/// What a version says of one field.
#[derive(Debug)]
pub struct FieldDefinition {
    tag: Tag,
    name: &'static str,
    field_type: FieldType,
    /// Permitted values, sorted; empty where any value of the type is.
    values: Vec<&'static [u8]>,
    /// Those of one byte, as nearly all are, once more.
    bytes: Bytes,
    /// True where a value outside the list is permitted too.
    open: bool,
}

/// The members of a message, of the header or of a group's entry, components opened.
#[derive(Debug, Default)]
struct Layout {
    /// Ascending by tag.
    members: Vec<Member>,
    /// Position + 1 in `members`, by tag from the first member's on.
    by_tag: Vec<u16>,
    /// The members that are required, as their positions.
    required: Positions,
    /// A group's first field, which starts each entry.
    first: Option<Tag>,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    tag: Tag,
    required: bool,
    /// Position of the entry's layout in `Dictionary::groups`, where the field counts a repeating group.
    group: Option<u32>,
}

/// Members of a layout by their positions.
#[derive(Clone, Copy, Debug, Default)]
struct Positions([u64; MAX_MEMBERS / 64]);

impl Positions {
    /// Notes a member; true where it was noted before.
    fn insert(&mut self, position: usize) -> bool {
        let bit = 1 << (position % 64);
        let Some(word) = self.0.get_mut(position / 64) else {
            return false;
        };
        let before = *word & bit != 0;
        *word |= bit;
        before
    }

    /// The first position of these `members` that is here and not there.
    fn first_beyond(&self, other: &Self, members: usize) -> Option<usize> {
        let words = self.0.iter().zip(&other.0).take(members.div_ceil(64));
        words.zip(0..).find_map(|((here, there), word)| {
            let beyond = here & !there;
            (beyond != 0).then(|| word * 64 + beyond.trailing_zeros() as usize)
        })
    }
}

impl Layout {
    fn position(&self, tag: Tag) -> Option<usize> {
        let first = self.members.first()?.tag.0;
        let at = self.by_tag.get(usize::try_from(tag.0.checked_sub(first)?).ok()?)?;
        usize::from(*at).checked_sub(1)
    }

    fn member(&self, tag: Tag) -> Option<&Member> {
        self.members.get(self.position(tag)?)
    }
}

impl Dictionary {
    /// BeginString(8), or the name of the application version where that is FIXT.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        self.version
    }

    fn field(&self, tag: Tag) -> Option<&FieldDefinition> {
        let at = self.by_tag.get(usize::try_from(tag.0).ok()?)?;
        self.fields.get(usize::from(*at).checked_sub(1)?)
    }

    /// A field's name, for people.
    #[must_use]
    pub fn field_name(&self, tag: Tag) -> Option<&'static str> {
        self.field(tag).map(|field| field.name)
    }

    /// True where the version has such a message.
    #[must_use]
    pub fn has_message(&self, msg_type: MsgType<'_>) -> bool {
        self.messages.contains_key(msg_type.0)
    }

    fn group(&self, member: &Member) -> Option<&Layout> {
        self.groups.get(member.group? as usize)
    }

    /// How many of these fields belong to the entries of the group counted by the field before them: none unless the
    /// first of them is the group's first.
    fn group_length(&self, group: &Layout, spans: &[FieldSpan]) -> usize {
        if spans.first().map(|span| span.tag) != group.first {
            return 0;
        }
        let mut at = 0;
        while let Some(span) = spans.get(at)
            && let Some(member) = group.member(span.tag)
        {
            at += 1;
            if let Some(nested) = self.group(member) {
                at += self.group_length(nested, spans.get(at..).unwrap_or(&[]));
            }
        }
        at
    }
}

/// The dictionaries of a session: one before FIXT, then one for the session layer and one for the application's.
#[derive(Clone, Debug)]
pub struct Dictionaries {
    /// Header, trailer and administrative messages.
    pub session: Arc<Dictionary>,
    /// Application messages.
    pub application: Arc<Dictionary>,
}

impl Dictionaries {
    /// Reads the dictionaries of a version. Do it once: FIX 5.0 SP2 takes milliseconds.
    ///
    /// # Errors
    /// [`DictionaryError`], which would be a defect of the files that stand in this crate; a test reads them all.
    pub fn load(version: Version) -> Result<Self, DictionaryError> {
        let one = |text| Dictionary::parse(text).map(Arc::new);
        match version {
            Version::Fix42 => one(include_str!("../../dictionaries/fix42.txt")).map(Self::both),
            Version::Fix44 => one(include_str!("../../dictionaries/fix44.txt")).map(Self::both),
            Version::Fix50Sp2 => Ok(Self {
                session: one(include_str!("../../dictionaries/fixt11.txt"))?,
                application: one(include_str!("../../dictionaries/fix50sp2.txt"))?,
            }),
        }
    }

    fn both(dictionary: Arc<Dictionary>) -> Self {
        Self {
            session: Arc::clone(&dictionary),
            application: dictionary,
        }
    }

    /// The dictionary that has the body of a message.
    #[must_use]
    pub fn of(&self, msg_type: MsgType<'_>) -> &Dictionary {
        if self.session.has_message(msg_type) {
            &self.session
        } else {
            &self.application
        }
    }

    /// The body of a message, and the dictionary that has it.
    fn layout(&self, msg_type: MsgType<'_>) -> Option<(&Dictionary, &Layout)> {
        [&self.session, &self.application]
            .into_iter()
            .find_map(|dictionary| Some((&**dictionary, dictionary.messages.get(msg_type.0)?)))
    }

    /// Appends a message's body fields in ascending order, each repeating group as a whole behind its count: the form in
    /// which we send. Fields of unknown messages are sorted one by one.
    pub fn write_ascending_body(&self, message: &Message<'_>, out: &mut Vec<u8>) {
        let dictionary = self.of(message.msg_type());
        let layout = dictionary.messages.get(message.msg_type().0);
        let spans = message.spans();
        let mut units = Vec::new();
        let mut at = 0;
        while let Some(span) = spans.get(at) {
            let behind = spans.get(at + 1..).unwrap_or(&[]);
            let group = layout
                .and_then(|layout| layout.member(span.tag))
                .and_then(|member| dictionary.group(member));
            let length = 1 + group.map_or(0, |group| dictionary.group_length(group, behind));
            if !span.tag.is_header() && !span.tag.is_trailer() {
                units.push((span.tag, at, length));
            }
            at += length;
        }
        units.sort_by_key(|&(tag, at, _)| (tag, at));
        for (_, at, length) in units {
            for field in message.fields().skip(at).take(length) {
                out.extend_from_slice(alloc::format!("{}=", field.tag).as_bytes());
                out.extend_from_slice(field.value);
                out.push(crate::message::SOH);
            }
        }
    }
}
