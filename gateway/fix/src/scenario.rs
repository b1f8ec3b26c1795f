//! The steps of the public acceptance suites (`.def` files), read and completed, without a way to play them.
//!
//! | step | means |
//! |---|---|
//! | `i[n,]CONNECT`, `i[n,]DISCONNECT` | the client opens or closes its connection n (1 where none is named) |
//! | `e[n,]DISCONNECT` | the acceptor closes it, without a word before |
//! | `I[n,]<message>` | the client sends this; 9 and 10 are computed where they are absent |
//! | `E[n,]<message>` | the acceptor's next message is this |
//! | `<TIME>`, `<TIME+n>`, `<TIME-n>` | UTC in seconds |
//!
//! It exists for conformance runs, as [`echo`](crate::echo) does, and must never soften a comparison: text and order of fields count.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::time::{TimePrecision, UtcTimestamp};

const SECOND_NS: u64 = 1_000_000_000;

/// One line of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The client connects.
    Connect(u8),
    /// The client hangs up.
    HangUp(u8),
    /// The acceptor must hang up.
    ExpectEnd(u8),
    /// The client sends what [`complete`] makes of this.
    Send(u8, &'a str),
    /// The acceptor's next message must [`compare`] to this.
    Expect(u8, &'a str),
}

impl<'a> Step<'a> {
    /// Reads a line; `None` for comments and empty lines.
    ///
    /// # Errors
    /// The line, where it is no step.
    pub fn read(line: &'a str) -> Result<Option<Self>, String> {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let unknown = || format!("no step: {line}");
        let (operation, rest) = line.split_at_checked(1).ok_or_else(unknown)?;
        let (id, rest) = match rest.as_bytes() {
            [digit @ b'0'..=b'9', b',', ..] => (digit - b'0', rest.get(2..).unwrap_or("")),
            _ => (1, rest),
        };
        Ok(Some(match (operation, rest.trim()) {
            ("i", "CONNECT") => Self::Connect(id),
            ("i", "DISCONNECT") => Self::HangUp(id),
            ("e", "DISCONNECT") => Self::ExpectEnd(id),
            ("I", _) => Self::Send(id, rest),
            ("E", _) => Self::Expect(id, rest),
            _ => return Err(unknown()),
        }))
    }
}

/// Replaces `<TIME>`, `<TIME+n>` and `<TIME-n>`.
///
/// # Errors
/// A time that is not closed, whose offset is no number, or that lies before 1970.
pub fn stamp(text: &str, now: UtcTimestamp) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("<TIME") {
        let bad = || format!("a bad <TIME> in {text}");
        let (offset, behind) = behind.split_once('>').ok_or_else(bad)?;
        let seconds: i64 = if offset.is_empty() {
            0
        } else {
            offset.parse().map_err(|_| bad())?
        };
        let offset_ns = seconds.checked_mul(SECOND_NS as i64).ok_or_else(bad)?;
        let nanoseconds = now.0.checked_add_signed(offset_ns).ok_or_else(bad)?;
        let mut time = Vec::new();
        UtcTimestamp(nanoseconds).write(TimePrecision::Seconds, &mut time);
        out.push_str(before);
        out.push_str(&String::from_utf8_lossy(&time));
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// The bytes of a message to send: times filled in, BodyLength and CheckSum added where the scenario does not spell them out.
///
/// # Errors
/// As [`stamp`].
pub fn complete(text: &str, now: UtcTimestamp) -> Result<Vec<u8>, String> {
    let mut text = stamp(text, now)?;
    if !text.starts_with("8=") {
        return Ok(text.into_bytes());
    }
    let trailer_at = text.rfind("\x0110=").map(|at| at + 1);
    if !text.contains("\x019=") {
        let head = text.find('\x01').map_or(text.len(), |at| at + 1);
        let length = trailer_at.unwrap_or(text.len()).saturating_sub(head);
        text.insert_str(head, &format!("9={length}\x01"));
    }
    if trailer_at.is_none() {
        let sum = text.bytes().fold(0u8, u8::wrapping_add);
        text.push_str(&format!("10={sum:03}\x01"));
    }
    Ok(text.into_bytes())
}

/// Whether a message is the expected one: the same tags in the same order with the same values. The values of times (42 52 60
/// 122) and what follows from them (9 10) may differ.
///
/// # Errors
/// Both messages, with `|` for the delimiter.
pub fn compare(expected: &str, received: &str) -> Result<(), String> {
    let is_time = |tag: &str| matches!(tag, "42" | "52" | "60" | "122");
    let split = |text: &str| -> Vec<(String, String)> {
        text.split('\x01')
            .filter_map(|field| field.split_once('='))
            .filter(|(tag, _)| !matches!(*tag, "9" | "10"))
            .map(|(tag, value)| {
                let value = if is_time(tag) { "" } else { value };
                (tag.to_owned(), value.to_owned())
            })
            .collect()
    };
    if split(expected) == split(received) {
        return Ok(());
    }
    let readable = |text: &str| text.replace('\x01', "|");
    Err(format!(
        "expected {}\n  received {}",
        readable(expected),
        readable(received)
    ))
}
