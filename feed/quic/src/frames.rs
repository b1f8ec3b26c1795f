//! The frames of the QUIC feed; `SPEC.md` has the tables. What begins with a type of the conflated feed is that message.

use rialto_conflate::{Depth, Pace};
use rialto_itch::Stock;
use rialto_itch::mold::Session;

use crate::limits::SYMBOLS_MAX;

/// The application protocol.
pub const PROTOCOL: &[u8] = b"rialto-md/1";
/// The bytes before each frame: its length.
pub const LENGTH_LEN: usize = 2;
/// A login without symbols.
pub const LOGIN_LEN: usize = 118;
/// A recovery.
pub const RECOVERY_LEN: usize = 23;
const NAME_LEN: usize = 40;
/// Where a login says whether it may be sent on.
const MOVABLE_AT: usize = 112;
const VERSION: u16 = 1;

/// Full depth or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every message.
    Full,
    /// Books and trades.
    Conflated {
        /// How much of a book.
        depth: Depth,
        /// How often.
        pace: Pace,
    },
}

/// Where full depth begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With a snapshot of the books as they are.
    Snapshot,
    /// With this message.
    At {
        /// The session.
        session: Session,
        /// The number.
        next: u64,
    },
}

/// What a client asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Its session's name.
    pub user: String,
    /// The password.
    pub password: String,
    /// Full depth or less.
    pub mode: Mode,
    /// Where full depth begins.
    pub start: Start,
    /// The instruments wanted; none for all.
    pub stocks: Vec<Stock>,
}

/// A wish for messages of the full feed once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The session.
    pub session: Session,
    /// The first number.
    pub first: u64,
    /// How many.
    pub count: u32,
}

/// Why a mode changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// As asked.
    Asked = b'A',
    /// Fell behind.
    Slow = b'S',
    /// Has caught up.
    Current = b'U',
}

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reject {
    /// Name and password do not belong together.
    NotAuthorised = b'N',
    /// Try again.
    Busy = b'B',
    /// A field that cannot be.
    Field = b'F',
    /// Another process of this machine tells this subscriber: the text is its port. Only to who says that it may be sent on.
    Elsewhere = b'E',
}

/// Why a recovery is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// Over the budget.
    Budget = b'B',
    /// Not the session of the day.
    Session = b'S',
    /// No longer in memory.
    Old = b'O',
    /// Not sent yet.
    NotSent = b'N',
    /// A field that cannot be.
    Field = b'F',
}

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFrame<'a> {
    /// Come in.
    Accepted,
    /// Stay out.
    Rejected {
        /// Why.
        code: u8,
        /// In words.
        text: &'a [u8],
    },
    /// A MoldUDP64 packet.
    Packet(&'a [u8]),
    /// From here on full depth, or not.
    Mode {
        /// Whether full depth.
        full: bool,
        /// Why.
        reason: u8,
        /// Everything up to this number was told before.
        number: u64,
    },
    /// A snapshot of the books at this number begins.
    SnapshotBegins {
        /// The session.
        session: Session,
        /// The number.
        number: u64,
    },
    /// An ITCH message of it.
    SnapshotMessage(&'a [u8]),
    /// It is over.
    SnapshotEnds {
        /// The next number of the full feed.
        next: u64,
    },
    /// A message of the conflated feed.
    Conflated(&'a [u8]),
    /// A recovery is done.
    Done {
        /// The number behind its last message.
        next: u64,
    },
    /// A recovery is refused.
    Refused {
        /// Why.
        code: u8,
        /// When to ask again; 0 for never.
        after_ms: u32,
    },
    /// The subscription is over.
    Cut(&'a [u8]),
}

/// What is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a frame of type 0x{kind:02x} and {length} bytes is none of this protocol; is the other end of another version?"
)]
pub struct FrameError {
    /// Its type; 0 for none.
    pub kind: u8,
    /// Its bytes.
    pub length: usize,
}

/// Appends a frame: its length, then what is appended by `body`.
pub(crate) fn frame(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_LEN]);
    body(out);
    let length = (out.len() - start - LENGTH_LEN) as u16;
    if let Some(place) = out.get_mut(start..).and_then(|from| from.first_chunk_mut()) {
        *place = length.to_be_bytes();
    }
}

/// Appends the frame of a type and its parts.
pub(crate) fn put(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    frame(out, |out| {
        out.push(kind);
        parts.iter().for_each(|part| out.extend_from_slice(part));
    });
}

/// Takes the first whole frame off the bytes.
#[must_use]
pub fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_LEN>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

pub(crate) fn accepted(out: &mut Vec<u8>) {
    put(out, b'A', &[&VERSION.to_be_bytes()]);
}

pub(crate) fn mode(out: &mut Vec<u8>, full: bool, reason: Reason, number: u64) {
    let mode = if full { b'F' } else { b'C' };
    put(out, b'F', &[&[mode, reason as u8], &number.to_be_bytes()]);
}

impl<'a> ServerFrame<'a> {
    /// Reads the frame that these bytes are, without their length.
    ///
    /// # Errors
    /// [`FrameError`]: they are none.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let error = FrameError {
            kind: bytes.first().copied().unwrap_or_default(),
            length: bytes.len(),
        };
        let (&kind, body) = bytes.split_first().ok_or(error)?;
        let number = |at: usize| -> Result<u64, FrameError> {
            let bytes = body.get(at..at + 8).filter(|_| body.len() == at + 8).ok_or(error)?;
            Ok(u64::from_be_bytes(bytes.try_into().map_err(|_| error)?))
        };
        match kind {
            b'S' | b'N' | b'U' | b'T' | b'P' | b'H' => Ok(Self::Conflated(bytes)),
            b'M' => Ok(Self::Packet(body)),
            b'I' => Ok(Self::SnapshotMessage(body)),
            b'A' => (body == VERSION.to_be_bytes()).then_some(Self::Accepted).ok_or(error),
            b'J' => {
                let (&code, text) = body.split_first().ok_or(error)?;
                Ok(Self::Rejected { code, text })
            }
            b'F' => match *body {
                [full @ (b'F' | b'C'), reason, ..] => Ok(Self::Mode {
                    full: full == b'F',
                    reason,
                    number: number(2)?,
                }),
                _ => Err(error),
            },
            b'B' => {
                let session = Session(*body.first_chunk().ok_or(error)?);
                let number = number(10)?;
                Ok(Self::SnapshotBegins { session, number })
            }
            b'G' => Ok(Self::SnapshotEnds { next: number(0)? }),
            b'D' => Ok(Self::Done { next: number(0)? }),
            b'Z' => match *body {
                [code, a, b, c, d] => Ok(Self::Refused {
                    code,
                    after_ms: u32::from_be_bytes([a, b, c, d]),
                }),
                _ => Err(error),
            },
            b'X' => Ok(Self::Cut(body)),
            _ => Err(error),
        }
    }
}

impl Login {
    /// Appends the frame of a login that may be sent to another port of the same host: by [`Reject::Elsewhere`].
    pub fn append_movable_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        self.append_to(out);
        if let Some(place) = out.get_mut(start + LENGTH_LEN + MOVABLE_AT) {
            *place = 1;
        }
    }

    /// Whether the login that these bytes are, without their length, may be sent on.
    #[must_use]
    pub fn is_movable(bytes: &[u8]) -> bool {
        bytes.get(MOVABLE_AT) == Some(&1)
    }

    /// Appends the frame.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        frame(out, |out| {
            out.push(b'L');
            text(out, &self.user);
            text(out, &self.password);
            let (mode, depth, pace, value) = match self.mode {
                Mode::Full => (b'F', 0, b'W', 0),
                Mode::Conflated { depth, pace } => {
                    let depth = match depth {
                        Depth::Levels(levels) => levels,
                        Depth::Full => 0,
                    };
                    let (pace, value) = match pace {
                        Pace::Interval { ns } => (b'I', ns),
                        Pace::Budget { bytes_per_second } => (b'B', bytes_per_second),
                        Pace::WhenSlow => (b'W', 0),
                    };
                    (b'C', depth, pace, value)
                }
            };
            out.push(mode);
            out.extend_from_slice(&depth.to_be_bytes());
            out.push(pace);
            out.extend_from_slice(&value.to_be_bytes());
            let (start, session, next) = match self.start {
                Start::Snapshot => (b'S', [b' '; 10], 0),
                Start::At { session, next } => (b'N', session.0, next),
            };
            out.push(start);
            out.extend_from_slice(&session);
            out.extend_from_slice(&next.to_be_bytes());
            out.extend_from_slice(&[0; 4]);
            let stocks = self.stocks.get(..SYMBOLS_MAX).unwrap_or(&self.stocks);
            out.extend_from_slice(&(stocks.len() as u16).to_be_bytes());
            stocks.iter().for_each(|stock| out.extend_from_slice(&stock.0));
        });
    }

    /// Reads a login, without its length.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let error = FrameError {
            kind: bytes.first().copied().unwrap_or_default(),
            length: bytes.len(),
        };
        let (head, stocks) = bytes.split_first_chunk::<LOGIN_LEN>().ok_or(error)?;
        let count = u16::from_be_bytes([head[116], head[117]]);
        if head[0] != b'L' || stocks.len() != usize::from(count) * 8 || usize::from(count) > SYMBOLS_MAX {
            return Err(error);
        }
        let name = |from: usize| {
            let field = head.get(from..from + NAME_LEN).unwrap_or_default();
            std::str::from_utf8(field).map(|name| name.trim_end_matches(' ').to_owned())
        };
        let value = be(head, 85);
        let pace = match head[84] {
            b'I' => Pace::Interval { ns: value },
            b'B' => Pace::Budget {
                bytes_per_second: value,
            },
            b'W' => Pace::WhenSlow,
            _ => return Err(error),
        };
        let depth = match u16::from_be_bytes([head[82], head[83]]) {
            0 => Depth::Full,
            levels => Depth::Levels(levels),
        };
        let mode = match head[81] {
            b'F' => Mode::Full,
            b'C' => Mode::Conflated { depth, pace },
            _ => return Err(error),
        };
        let start = match head[93] {
            b'S' => Start::Snapshot,
            b'N' => Start::At {
                session: Session(*head.get(94..).and_then(|from| from.first_chunk()).ok_or(error)?),
                next: be(head, 104),
            },
            _ => return Err(error),
        };
        Ok(Self {
            user: name(1).map_err(|_| error)?,
            password: name(41).map_err(|_| error)?,
            mode,
            start,
            stocks: stocks
                .chunks_exact(8)
                .filter_map(|stock| Some(Stock(stock.try_into().ok()?)))
                .collect(),
        })
    }
}

impl Recovery {
    /// Appends the frame.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        put(
            out,
            b'R',
            &[&self.session.0, &self.first.to_be_bytes(), &self.count.to_be_bytes()],
        );
    }

    /// Reads a recovery, without its length.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let error = FrameError {
            kind: bytes.first().copied().unwrap_or_default(),
            length: bytes.len(),
        };
        let bytes: &[u8; RECOVERY_LEN] = bytes.try_into().map_err(|_| error)?;
        if bytes[0] != b'R' {
            return Err(error);
        }
        Ok(Self {
            session: Session(*bytes.get(1..).and_then(|from| from.first_chunk()).ok_or(error)?),
            first: be(bytes, 11),
            count: u32::from_be_bytes([bytes[19], bytes[20], bytes[21], bytes[22]]),
        })
    }
}

fn be(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes.get(at..).and_then(|from| from.first_chunk());
    eight.map_or(0, |eight| u64::from_be_bytes(*eight))
}

/// A field of text: longer text is cut, and so is refused as another name.
fn text(out: &mut Vec<u8>, text: &str) {
    let mut field = [b' '; NAME_LEN];
    field
        .iter_mut()
        .zip(text.bytes())
        .for_each(|(place, byte)| *place = byte);
    out.extend_from_slice(&field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_and_recoveries_go_there_and_back() {
        for mode in [
            Mode::Full,
            Mode::Conflated {
                depth: Depth::Levels(5),
                pace: Pace::Interval { ns: 1_000_000 },
            },
            Mode::Conflated {
                depth: Depth::Full,
                pace: Pace::Budget {
                    bytes_per_second: 9_999,
                },
            },
        ] {
            let login = Login {
                user: "alpha1".to_owned(),
                password: "secret".to_owned(),
                mode,
                start: Start::At {
                    session: Session::new("0120120621").unwrap(),
                    next: 7,
                },
                stocks: vec![Stock::new("ACME").unwrap(), Stock::new("GOOG").unwrap()],
            };
            let mut bytes = Vec::new();
            login.append_to(&mut bytes);
            let (frame, rest) = split(&bytes).unwrap();
            assert!(rest.is_empty() && frame.len() == LOGIN_LEN + 16);
            assert!(Login::decode(frame).unwrap() == login && !Login::is_movable(frame));
            let mut movable = Vec::new();
            login.append_movable_to(&mut movable);
            let (frame_of_it, _) = split(&movable).unwrap();
            assert!(Login::decode(frame_of_it).unwrap() == login && Login::is_movable(frame_of_it));
            assert!(Login::decode(&frame[..frame.len() - 1]).is_err());
            for place in [0, 81, 84, 93, 117] {
                let mut spoiled = frame.to_vec();
                spoiled[place] = b'?';
                assert!(Login::decode(&spoiled).is_err(), "{place}");
            }
        }
        let recovery = Recovery {
            session: Session::new("S").unwrap(),
            first: 3,
            count: 9,
        };
        let mut bytes = Vec::new();
        recovery.append_to(&mut bytes);
        let (frame, _) = split(&bytes).unwrap();
        assert_eq!(frame.len(), RECOVERY_LEN);
        assert_eq!(Recovery::decode(frame), Ok(recovery));
    }

    #[test]
    fn golden_frames() {
        let mut out = Vec::new();
        accepted(&mut out);
        mode(&mut out, false, Reason::Slow, 258);
        assert_eq!(out, b"\x00\x03A\x00\x01\x00\x0bFCS\x00\x00\x00\x00\x00\x00\x01\x02");
        let (_, rest) = split(&out).unwrap();
        let (frame, _) = split(rest).unwrap();
        let expected = ServerFrame::Mode {
            full: false,
            reason: b'S',
            number: 258,
        };
        assert_eq!(ServerFrame::decode(frame), Ok(expected));
        for bad in [&b""[..], b"?", b"A", b"Fxx12345678", b"G123", b"Z1", b"B1234567890"] {
            assert!(ServerFrame::decode(bad).is_err(), "{bad:?}");
        }
    }
}
