//! One packet: a two-byte big-endian length (of all that follows), a type byte, a payload.
//!
//! `decode` takes a packet without its length, as the framer gives it; `encode` writes it with its length.

use alloc::vec::Vec;

use super::login::{
    LoginAccepted, LoginRejectCode, LoginRequest, Password, RequestedSequence, SequenceNumber, SessionName, UserName,
    number_from_ascii, number_to_ascii,
};
use crate::TextError;
use crate::fixed::get;

/// Width of the packet length in bytes.
pub(super) const LENGTH_WIDTH: usize = 2;
/// Width of the packet type in bytes; the packet length counts it.
pub(super) const TYPE_WIDTH: usize = 1;

/// Packet length of a Login Request, the longest packet of fixed length.
pub(super) const LOGIN_REQUEST_LENGTH: u16 = 47;

/// Why bytes are not a SoupBinTCP packet. Lengths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// A packet length of 0: not even a type.
    #[error("packet length 0: a packet has at least its type, state 1 or more")]
    Empty,
    /// A packet longer than this end takes.
    #[error("packet length {length} is above the packet limit {limit}: send smaller packets or raise the limit")]
    TooLong {
        /// The packet length (type and payload).
        length: usize,
        /// The limit on it.
        limit: usize,
    },
    /// A packet type that this end does not take.
    #[error("unknown packet type {packet_type:#04x}: send a type that SoupBinTCP defines for this direction")]
    UnknownType {
        /// The type byte.
        packet_type: u8,
    },
    /// A packet of fixed length with another length.
    #[error("packet type {packet_type:#04x} of length {actual}: its length is {expected}")]
    WrongLength {
        /// The type byte.
        packet_type: u8,
        /// The packet length it must have.
        expected: usize,
        /// The packet length found.
        actual: usize,
    },
    /// Bytes that are not text in a text field.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A sequence number that is no number.
    #[error("sequence number is not a number: send ASCII digits padded with spaces, at most 18446744073709551615")]
    BadNumber,
    /// A session name that is blank where it must name a session.
    #[error("login accepted for a blank session: name the session")]
    BlankSession,
    /// A next sequence number of 0.
    #[error("login accepted with sequence number 0: the first message of a session is 1")]
    ZeroSequence,
    /// A login reject code that is not defined.
    #[error("unknown login reject code {code:#04x}: send A or S")]
    UnknownRejectCode {
        /// The code.
        code: u8,
    },
}

/// A packet from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerPacket<'a> {
    /// `+`: text for people; programs ignore it.
    Debug(&'a [u8]),
    /// `A`
    LoginAccepted(LoginAccepted),
    /// `J`
    LoginRejected(LoginRejectCode),
    /// `S`: one message, counted.
    Sequenced(&'a [u8]),
    /// `U`: one message, not counted, delivered at most once (4.00).
    Unsequenced(&'a [u8]),
    /// `H`
    Heartbeat,
    /// `Z`: nothing more comes in this session.
    EndOfSession,
}

/// A packet from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientPacket<'a> {
    /// `+`: text for people; programs ignore it.
    Debug(&'a [u8]),
    /// `L`
    LoginRequest(LoginRequest),
    /// `U`: one message.
    Unsequenced(&'a [u8]),
    /// `R`
    Heartbeat,
    /// `O`: the server closes the connection.
    LogoutRequest,
}

impl<'a> ServerPacket<'a> {
    /// Reads a packet without its length.
    ///
    /// # Errors
    /// [`PacketError`] names the type or the field that is wrong.
    pub fn decode(packet: &'a [u8]) -> Result<Self, PacketError> {
        let (&packet_type, payload) = packet.split_first().ok_or(PacketError::Empty)?;
        match packet_type {
            b'+' => Ok(Self::Debug(payload)),
            b'A' => {
                let payload = fixed::<30>(packet_type, payload)?;
                let session = SessionName::from_padded(get::<30, 0, 10>(payload))?.ok_or(PacketError::BlankSession)?;
                let next = SequenceNumber::new(number_from_ascii(get::<30, 10, 20>(payload))?)
                    .ok_or(PacketError::ZeroSequence)?;
                Ok(Self::LoginAccepted(LoginAccepted { session, next }))
            }
            b'J' => {
                let [code] = *fixed::<1>(packet_type, payload)?;
                LoginRejectCode::from_code(code).map(Self::LoginRejected)
            }
            b'S' => Ok(Self::Sequenced(payload)),
            b'U' => Ok(Self::Unsequenced(payload)),
            b'H' => fixed::<0>(packet_type, payload).map(|_| Self::Heartbeat),
            b'Z' => fixed::<0>(packet_type, payload).map(|_| Self::EndOfSession),
            _ => Err(PacketError::UnknownType { packet_type }),
        }
    }

    /// Appends the packet with its length.
    ///
    /// # Errors
    /// [`PacketError::TooLong`] where the payload does not fit the length; nothing is appended.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), PacketError> {
        match self {
            Self::Debug(text) => put(out, b'+', [text]),
            Self::LoginAccepted(accepted) => put(
                out,
                b'A',
                [&accepted.session.left_padded(), &number_to_ascii(accepted.next.get())],
            ),
            Self::LoginRejected(code) => put(out, b'J', [&[code.code()]]),
            Self::Sequenced(message) => put(out, b'S', [message]),
            Self::Unsequenced(message) => put(out, b'U', [message]),
            Self::Heartbeat => put(out, b'H', []),
            Self::EndOfSession => put(out, b'Z', []),
        }
    }
}

impl<'a> ClientPacket<'a> {
    /// Reads a packet without its length.
    ///
    /// # Errors
    /// [`PacketError`] names the type or the field that is wrong.
    pub fn decode(packet: &'a [u8]) -> Result<Self, PacketError> {
        let (&packet_type, payload) = packet.split_first().ok_or(PacketError::Empty)?;
        match packet_type {
            b'+' => Ok(Self::Debug(payload)),
            b'L' => {
                let payload = fixed::<46>(packet_type, payload)?;
                Ok(Self::LoginRequest(LoginRequest {
                    user: UserName::from_wire(get::<46, 0, 6>(payload))?,
                    password: Password::from_wire(get::<46, 6, 10>(payload))?,
                    session: SessionName::from_padded(get::<46, 16, 10>(payload))?,
                    sequence: match SequenceNumber::new(number_from_ascii(get::<46, 26, 20>(payload))?) {
                        None => RequestedSequence::MostRecent,
                        Some(number) => RequestedSequence::From(number),
                    },
                }))
            }
            b'U' => Ok(Self::Unsequenced(payload)),
            b'R' => fixed::<0>(packet_type, payload).map(|_| Self::Heartbeat),
            b'O' => fixed::<0>(packet_type, payload).map(|_| Self::LogoutRequest),
            _ => Err(PacketError::UnknownType { packet_type }),
        }
    }

    /// Appends the packet with its length.
    ///
    /// # Errors
    /// [`PacketError::TooLong`] where the payload does not fit the length; nothing is appended.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), PacketError> {
        match self {
            Self::Debug(text) => put(out, b'+', [text]),
            Self::LoginRequest(login) => put(
                out,
                b'L',
                [
                    &login.user.to_wire(),
                    &login.password.to_wire(),
                    &login.session.unwrap_or(SessionName::BLANK).left_padded(),
                    &number_to_ascii(match login.sequence {
                        RequestedSequence::MostRecent => 0,
                        RequestedSequence::From(number) => number.get(),
                    }),
                ],
            ),
            Self::Unsequenced(message) => put(out, b'U', [message]),
            Self::Heartbeat => put(out, b'R', []),
            Self::LogoutRequest => put(out, b'O', []),
        }
    }
}

/// The payload of a packet of fixed length.
fn fixed<const WIDTH: usize>(packet_type: u8, payload: &[u8]) -> Result<&[u8; WIDTH], PacketError> {
    payload.try_into().map_err(|_| PacketError::WrongLength {
        packet_type,
        expected: TYPE_WIDTH + WIDTH,
        actual: TYPE_WIDTH + payload.len(),
    })
}

/// Appends one packet.
#[inline]
fn put<const PARTS: usize>(out: &mut Vec<u8>, packet_type: u8, payload: [&[u8]; PARTS]) -> Result<(), PacketError> {
    let length = TYPE_WIDTH + payload.iter().map(|part| part.len()).sum::<usize>();
    let stated = u16::try_from(length).map_err(|_| PacketError::TooLong {
        length,
        limit: usize::from(u16::MAX),
    })?;
    out.reserve(LENGTH_WIDTH + length);
    let [high, low] = stated.to_be_bytes();
    out.extend_from_slice(&[high, low, packet_type]);
    for part in payload {
        out.extend_from_slice(part);
    }
    Ok(())
}
