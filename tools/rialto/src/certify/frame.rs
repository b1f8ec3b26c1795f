//! Messages as a judge reads them: a type, and fields by name. Whatever the bytes, reading them never fails.

use super::case::{From, Want};
use std::collections::BTreeMap;
use std::fmt;

/// A message that was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) from: From,
    pub(super) kind: String,
    pub(super) fields: Vec<(String, String)>,
    /// It was taken off the wire on purpose.
    pub(super) lost: bool,
}

/// Values that got names in the course of a case.
pub(super) type Names = BTreeMap<String, String>;

impl Frame {
    /// A FIX message: its fields by their tags.
    pub(super) fn fix(from: From, bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        for field in bytes.split(|byte| *byte == 1) {
            let mut parts = field.splitn(2, |byte| *byte == b'=');
            if let (Some(tag), Some(value)) = (parts.next(), parts.next()) {
                fields.push((text(tag), text(value)));
            }
        }
        let kind = fields.iter().find(|(tag, _)| tag == "35");
        Self {
            from,
            kind: kind.map(|(_, kind)| kind.clone()).unwrap_or_default(),
            fields,
            lost: false,
        }
    }

    /// A SoupBinTCP packet without its length. OUCH messages in it go by their own type; their fields are those that cases
    /// ask for, at the places where OUCH 5.0 has them.
    pub(super) fn soup(from: From, packet: &[u8]) -> Self {
        let (packet_type, payload) = packet.split_first().unwrap_or((&b'?', &[]));
        let carries = matches!(packet_type, b'S' | b'U') && !payload.is_empty();
        let kind = if carries {
            payload.first().copied().unwrap_or(b'?')
        } else {
            *packet_type
        };
        let mut fields = Vec::new();
        let mut field = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                fields.push((name.to_owned(), value));
            }
        };
        let words = |from: usize, to: usize| payload.get(from..to).map(text);
        let number = |from: usize, to: usize| {
            let bytes = payload.get(from..to)?;
            let value = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            Some(value.to_string())
        };
        match (from, carries, kind) {
            (From::Client, false, b'L') => {
                field("user", words(0, 6));
                field("session", words(16, 26));
                field("sequence", words(26, 46));
            }
            (From::Venue, false, b'A') => {
                field("session", words(0, 10));
                field("sequence", words(10, 30));
            }
            (From::Client, true, b'O') => {
                field("user_ref", number(1, 5));
                field("side", words(5, 6));
                field("quantity", number(6, 10));
                field("symbol", words(10, 18));
                field("price", number(18, 26));
            }
            (From::Client, true, b'U') => {
                field("original_ref", number(1, 5));
                field("user_ref", number(5, 9));
                field("quantity", number(9, 13));
                field("price", number(13, 21));
            }
            (From::Client, true, _) => field("user_ref", number(1, 5)),
            (From::Venue, true, b'S') => field("event", words(9, 10)),
            (From::Venue, true, b'J') => {
                field("user_ref", number(9, 13));
                field("reason", number(13, 15));
            }
            (From::Venue, true, _) => field("user_ref", number(9, 13)),
            (_, false, _) => {}
        }
        Self {
            from,
            kind: char::from(kind).to_string(),
            fields,
            lost: false,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it is as wanted. Gives names to values where it is, and to none where it is not.
    pub(super) fn fits(&self, want: &Want, names: &mut Names) -> bool {
        let mut named = names.clone();
        let fits = self.kind == want.kind
            && want
                .with
                .iter()
                .all(|(name, pattern)| value_fits(pattern, self.get(name), &mut named));
        if fits {
            *names = named;
        }
        fits
    }
}

fn value_fits(pattern: &str, value: Option<&str>, names: &mut Names) -> bool {
    let Some(value) = value else {
        return pattern.starts_with(['-', '!']);
    };
    if pattern == "-" || pattern == "*" {
        return pattern == "*";
    }
    if let Some(other) = pattern.strip_prefix('!') {
        return known(other, names) != Some(value);
    }
    if let Some(bound) = pattern.strip_prefix('>') {
        let bound = known(bound, names).and_then(|bound| bound.parse::<u64>().ok());
        return matches!((bound, value.parse::<u64>()), (Some(bound), Ok(value)) if value > bound);
    }
    if let Some(name) = pattern.strip_prefix('$') {
        return names.entry(name.to_owned()).or_insert_with(|| value.to_owned()) == value;
    }
    pattern == value
}

/// A value, or what a name stands for.
fn known<'a>(word: &'a str, names: &'a Names) -> Option<&'a str> {
    match word.strip_prefix('$') {
        None => Some(word),
        Some(name) => names.get(name).map(String::as_str),
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().trim().to_owned()
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.from {
            From::Client => "client",
            From::Venue => "venue",
        };
        write!(f, "{who} {}", self.kind)?;
        for (name, value) in &self.fields {
            // Passwords, checksums and what every message has tell a reader nothing.
            if !matches!(
                name.as_str(),
                "8" | "9" | "10" | "35" | "49" | "56" | "52" | "96" | "554"
            ) {
                write!(f, " {name}={value}")?;
            }
        }
        if self.lost {
            write!(f, " [lost on purpose]")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(kind: &str, with: &[(&str, &str)]) -> Want {
        Want {
            kind: kind.to_owned(),
            with: with.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            why: String::new(),
        }
    }

    #[test]
    fn fields_are_compared_by_their_patterns() {
        let order = Frame::fix(
            From::Client,
            b"8=FIX.4.4\x0135=D\x0134=7\x0111=a\x0154=1\x01554=secret\x01",
        );
        let mut names = Names::new();
        for (with, fits) in [
            (vec![("54", "1"), ("11", "*"), ("43", "-")], true),
            (vec![("54", "2")], false),
            (vec![("43", "Y")], false),
            (vec![("11", "-")], false),
            (vec![("34", ">6")], true),
            (vec![("34", ">7")], false),
            (vec![("34", "$lost"), ("11", "$id")], true),
            (vec![("34", ">$lost")], false),
            (vec![("11", "!$id")], false),
            (vec![("11", "!$other"), ("141", "!Y")], true),
        ] {
            assert_eq!(order.fits(&want("D", &with), &mut names), fits, "{with:?}");
        }
        assert!(!order.fits(&want("F", &[]), &mut names));
        assert_eq!(names["lost"], "7");
        let later = Frame::fix(From::Client, b"35=D\x0134=8\x0111=b\x01");
        assert!(later.fits(&want("D", &[("34", ">$lost"), ("11", "!$id")]), &mut names));
        assert!(!later.fits(&want("D", &[("34", "$lost")]), &mut names));
        assert_eq!(order.to_string(), "client D 34=7 11=a 54=1");
    }

    #[test]
    fn packets_are_read_by_what_they_carry() {
        let login = [
            b"L".as_slice(),
            b"clnt  secret    ",
            b"          ",
            b"                   1",
        ]
        .concat();
        let login = Frame::soup(From::Client, &login);
        assert_eq!(
            (login.kind.as_str(), login.get("user"), login.get("sequence")),
            ("L", Some("clnt"), Some("1"))
        );
        assert!(!login.to_string().contains("secret"));
        let mut order = b"UO".to_vec();
        order.extend(7_u32.to_be_bytes());
        order.push(b'B');
        order.extend(100_u32.to_be_bytes());
        order.extend(b"ACME    ");
        order.extend(1_000_000_u64.to_be_bytes());
        let order = Frame::soup(From::Client, &order);
        assert_eq!(
            order.to_string(),
            "client O user_ref=7 side=B quantity=100 symbol=ACME price=1000000"
        );
        for bytes in [b"".as_slice(), b"U", b"UO", b"S", b"SJ\xff", b"L"] {
            for from in [From::Client, From::Venue] {
                let _ = Frame::soup(from, bytes).to_string();
            }
        }
    }
}
