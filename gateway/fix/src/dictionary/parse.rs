//! The text form of a dictionary.
//!
//! ```text
//! version FIX.4.4
//! field 54 Side CHAR 1 2 3 4            tag, name, type, permitted values; `*` among them: others too
//! header 8! 9! 35! 627(628 629 630)     members in their order; `!` = required; ( ) = a group counted by the tag
//! trailer 93 89 10!
//! component Parties 453(448 447 452)    a named list of members
//! message D NewOrderSingle app 11! @Parties 55!    `@` = the members of a component, required ones only with `@Name!`
//! ```
//!
//! One fact a line, `#` starts a comment line. A component stands before whoever names it. Fields may stand in any order.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::{Dictionary, FieldDefinition, FieldType, Layout, Member, Positions};
use crate::limits::MAX_DICTIONARY_TAG;
use crate::tag::Tag;

/// Most members of one message, header or group entry, components opened. FIX 5.0 SP2 needs some 300.
pub(super) const MAX_MEMBERS: usize = 1024;

/// A line of a dictionary that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dictionary line {line}: {problem}")]
pub struct DictionaryError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it and what to write.
    pub problem: &'static str,
}

/// A component's members, groups already opened, with the marks they had.
type Components = BTreeMap<&'static str, Layout>;

impl Dictionary {
    /// Reads a dictionary.
    ///
    /// # Errors
    /// [`DictionaryError`] names the first line that is wrong.
    pub fn parse(text: &'static str) -> Result<Self, DictionaryError> {
        let mut dictionary = Self {
            version: "",
            fields: Vec::new(),
            by_tag: Vec::new(),
            header: Layout::default(),
            trailer: Layout::default(),
            messages: BTreeMap::new(),
            groups: Vec::new(),
        };
        let mut components = Components::new();
        for (index, line) in text.lines().enumerate() {
            let line_error = |problem| DictionaryError {
                line: index + 1,
                problem,
            };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (kind, rest) = line
                .split_once(' ')
                .ok_or(line_error("write a kind, a space and what it says"))?;
            dictionary.read_line(kind, rest, &mut components).map_err(line_error)?;
        }
        dictionary.index_fields()?;
        Ok(dictionary)
    }

    fn read_line(&mut self, kind: &str, rest: &'static str, components: &mut Components) -> Result<(), &'static str> {
        match kind {
            "version" => self.version = rest,
            "field" => self.fields.push(read_field(rest)?),
            "header" => self.header = self.layout(rest, components)?,
            "trailer" => self.trailer = self.layout(rest, components)?,
            "component" => {
                let (name, members) = rest.split_once(' ').ok_or("write a component's name and its members")?;
                let layout = self.layout(members, components)?;
                components.insert(name, layout);
            }
            "message" => {
                let mut words = rest.splitn(4, ' ');
                let msg_type = words.next().ok_or("write a message's type")?;
                words.next().ok_or("write a message's name")?;
                words.next().ok_or("write admin or app")?;
                let layout = self.layout(words.next().unwrap_or(""), components)?;
                self.messages.insert(msg_type.as_bytes(), layout);
            }
            _ => return Err("a line starts with version, field, header, trailer, component or message"),
        }
        Ok(())
    }

    /// Opens a list of members.
    fn layout(&mut self, text: &'static str, components: &Components) -> Result<Layout, &'static str> {
        // The lists that are open, innermost last; below each inner one stands the member that counts it.
        let mut open = vec![Layout::default()];
        let mut counts: Vec<(Tag, bool)> = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches(' ');
            let list = open.last_mut().ok_or("more ) than (")?;
            if rest.is_empty() {
                break;
            }
            if let Some(behind) = rest.strip_prefix(')') {
                rest = behind;
                let (tag, required) = counts.pop().ok_or("more ) than (")?;
                let mut group = open.pop().ok_or("more ) than (")?;
                sort(&mut group)?;
                group.first.ok_or("a group needs a first field")?;
                let position = u32::try_from(self.groups.len()).map_err(|_| "too many groups")?;
                self.groups.push(group);
                add(
                    open.last_mut().ok_or("more ) than (")?,
                    Member {
                        tag,
                        required,
                        group: Some(position),
                    },
                );
                continue;
            }
            let end = rest.find([' ', '!', '(', ')']).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            let (required, behind) = behind
                .strip_prefix('!')
                .map_or((false, behind), |behind| (true, behind));
            rest = behind;
            if let Some(name) = word.strip_prefix('@') {
                let component = components
                    .get(name)
                    .ok_or("a component stands before whoever names it")?;
                list.first = list.first.or(component.first);
                for member in &component.members {
                    add(
                        list,
                        Member {
                            required: member.required && required,
                            ..*member
                        },
                    );
                }
                continue;
            }
            let tag = read_tag(word)?;
            if let Some(behind) = rest.strip_prefix('(') {
                rest = behind;
                list.first = list.first.or(Some(tag));
                counts.push((tag, required));
                open.push(Layout::default());
            } else {
                add(
                    list,
                    Member {
                        tag,
                        required,
                        group: None,
                    },
                );
            }
        }
        let mut layout = open.pop().ok_or("more ) than (")?;
        if !open.is_empty() {
            return Err("more ( than )");
        }
        sort(&mut layout)?;
        Ok(layout)
    }

    fn index_fields(&mut self) -> Result<(), DictionaryError> {
        let whole = |problem| DictionaryError { line: 0, problem };
        for (position, field) in self.fields.iter().enumerate() {
            let at = usize::try_from(field.tag.0).map_err(|_| whole("a field has a positive tag"))?;
            if self.by_tag.len() <= at {
                self.by_tag.resize(at + 1, 0);
            }
            let place = self.by_tag.get_mut(at).ok_or(whole("a tag is out of range"))?;
            if *place != 0 {
                return Err(whole("a tag is defined twice"));
            }
            *place = u16::try_from(position + 1).map_err(|_| whole("more than 65,534 fields"))?;
        }
        Ok(())
    }
}

fn add(list: &mut Layout, member: Member) {
    list.first = list.first.or(Some(member.tag));
    list.members.push(member);
}

fn sort(layout: &mut Layout) -> Result<(), &'static str> {
    layout.members.sort_by_key(|member| member.tag);
    // Some messages name a field both directly and in a component.
    layout.members.dedup_by(|later, kept| {
        let same = later.tag == kept.tag;
        if same {
            kept.required |= later.required;
            kept.group = kept.group.or(later.group);
        }
        same
    });
    if layout.members.len() > MAX_MEMBERS {
        return Err("more members than MAX_MEMBERS");
    }
    let tag_of = |member: Option<&Member>| member.map_or(0, |member| member.tag.0 as usize);
    let (first, last) = (tag_of(layout.members.first()), tag_of(layout.members.last()));
    layout.by_tag = vec![0; last - first + 1];
    layout.required = Positions::default();
    for (position, member) in layout.members.iter().enumerate() {
        if let Some(place) = layout.by_tag.get_mut(member.tag.0 as usize - first) {
            *place = (position + 1) as u16;
        }
        if member.required {
            layout.required.insert(position);
        }
    }
    Ok(())
}

fn read_tag(word: &str) -> Result<Tag, &'static str> {
    let tag: u32 = word.parse().map_err(|_| "a tag is a number")?;
    if tag == 0 || tag > MAX_DICTIONARY_TAG {
        return Err("a tag is 1 to 65,535 (MAX_DICTIONARY_TAG)");
    }
    i32::try_from(tag).map(Tag).map_err(|_| "a tag is a number")
}

fn read_field(rest: &'static str) -> Result<FieldDefinition, &'static str> {
    let mut words = rest.split(' ');
    let tag = read_tag(words.next().ok_or("write a field's tag")?)?;
    let name = words.next().ok_or("write a field's name")?;
    let field_type = words
        .next()
        .and_then(FieldType::from_name)
        .ok_or("write a field's type as FIX names it")?;
    let mut values: Vec<&'static [u8]> = words.map(str::as_bytes).collect();
    let listed = values.len();
    values.retain(|&value| value != b"*");
    let open = values.len() < listed;
    values.sort_unstable();
    let mut bytes = [0; 4];
    for value in &values {
        if let [byte] = *value {
            bytes[usize::from(byte / 64)] |= 1 << (byte % 64);
        }
    }
    Ok(FieldDefinition {
        tag,
        name,
        field_type,
        values,
        bytes,
        open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named() {
        let table: &[(&str, usize)] = &[
            ("version", 1),
            ("# ok\nfield x Account STRING", 2),
            ("field 1 Account NOTYPE", 1),
            ("field 0 Account STRING", 1),
            ("field 70000 Account STRING", 1),
            ("header 8! 9(1", 1),
            ("header 8! 9 1)", 1),
            ("header 453()", 1),
            ("version V\n\nmessage D New app @Parties", 3),
            ("nonsense here", 1),
            ("field 1 A STRING\nfield 1 B STRING", 0),
        ];
        for &(text, line) in table {
            assert_eq!(
                Dictionary::parse(text).map(|_| ()).map_err(|error| error.line),
                Err(line),
                "{text}"
            );
        }
    }

    #[test]
    fn components_groups_and_marks() {
        let text =
            "version V\ncomponent C 7! 453(448! 802(523))\nmessage D New app 11! @C\nmessage E Other app @C! 12(13)";
        let dictionary = Dictionary::parse(text).unwrap();
        let required = |msg_type: &[u8]| -> Vec<i32> {
            let members = &dictionary.messages[msg_type].members;
            members
                .iter()
                .filter(|member| member.required)
                .map(|member| member.tag.0)
                .collect()
        };
        assert_eq!(required(b"D"), [11]);
        assert_eq!(required(b"E"), [7]);
        let parties = dictionary
            .group(dictionary.messages[b"D".as_slice()].member(Tag(453)).unwrap())
            .unwrap();
        assert_eq!(parties.first, Some(Tag(448)));
        assert!(parties.member(Tag(448)).unwrap().required);
        assert_eq!(
            dictionary.group(parties.member(Tag(802)).unwrap()).unwrap().first,
            Some(Tag(523))
        );
    }
}
