//! MoldUDP64 1.00: packets of numbered messages, and the request that asks for some of them again.
//!
//! Nothing here knows a socket or a clock: [`PacketBuilder`] makes the packets a transmitter sends, [`Packet`] reads
//! what a receiver got, [`Request`] goes the other way. What a gap means and when to ask is the receiver's business.

mod builder;
mod packet;
mod request;

pub use builder::{BuilderError, DATAGRAM_MAX_DEFAULT, DATAGRAM_MAX_LIMIT, PacketBuilder, PushError};
pub use packet::{Blocks, Content, Packet, PacketError};
pub use request::{Request, RequestError};

use core::fmt;

use zerocopy::byteorder::big_endian::{U16, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::ValueError;

/// Bytes of a header, and of a request.
pub const HEADER_LEN: usize = 20;
/// Bytes that say how long a message is.
pub const BLOCK_LENGTH_LEN: usize = 2;
/// The count that says that a session is over.
pub const END_OF_SESSION: u16 = 0xFFFF;

/// A run of numbered messages, usually a trading day: ten printable characters, padded with spaces on the right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session(pub [u8; 10]);

/// The place of a message in its session. The first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(pub u64);

/// What a packet begins with. A heartbeat and an end of session are nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The session.
    pub session: Session,
    /// The number of the first message in the packet, or of the next one to come where it holds none.
    pub sequence: SequenceNumber,
    /// How many messages follow; 0 in a heartbeat, [`END_OF_SESSION`] at the end.
    pub count: u16,
}

impl SequenceNumber {
    /// The number of a session's first message.
    pub const FIRST: Self = Self(1);

    /// The number `count` messages later; `None` beyond what 64 bits hold.
    #[inline]
    #[must_use]
    pub const fn checked_add(self, count: u64) -> Option<Self> {
        match self.0.checked_add(count) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// How many messages there are from `earlier` up to this one, this one left out; 0 where `earlier` is later.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Session {
    /// From 1 to 10 printable ASCII characters, none of them a space.
    ///
    /// # Errors
    /// [`ValueError::Text`] for anything else.
    pub fn new(text: &str) -> Result<Self, ValueError> {
        let refused = ValueError::Text { max: 10 };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused);
        }
        let mut bytes = [b' '; 10];
        bytes
            .get_mut(..text.len())
            .ok_or(refused)?
            .copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }
}

/// Without the padding; bytes that are not printable ASCII are shown escaped.
impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.trim_ascii_end().escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct HeaderWire {
    session: [u8; 10],
    sequence: U64,
    count: U16,
}
const _: () = assert!(size_of::<HeaderWire>() == HEADER_LEN);

impl Header {
    /// The packet that says that nothing was sent and `next` is the next number to come.
    #[must_use]
    pub const fn heartbeat(session: Session, next: SequenceNumber) -> Self {
        Self {
            session,
            sequence: next,
            count: 0,
        }
    }

    /// The packet that says that the session ended before `next`.
    #[must_use]
    pub const fn end_of_session(session: Session, next: SequenceNumber) -> Self {
        Self {
            session,
            sequence: next,
            count: END_OF_SESSION,
        }
    }

    /// The header's bytes.
    #[inline]
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        zerocopy::transmute!(HeaderWire {
            session: self.session.0,
            sequence: U64::new(self.sequence.0),
            count: U16::new(self.count),
        })
    }

    /// The header's value: any twenty bytes have one.
    #[inline]
    fn from_bytes(bytes: [u8; HEADER_LEN]) -> Self {
        let wire: HeaderWire = zerocopy::transmute!(bytes);
        Self {
            session: Session(wire.session),
            sequence: SequenceNumber(wire.sequence.get()),
            count: wire.count.get(),
        }
    }
}
