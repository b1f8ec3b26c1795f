//! Why bytes are not an OUCH 5.0 message.

use core::fmt;

use super::codes::{CrossType, Display, PriceType, RejectReason, Side};
use super::value::{Route, Symbol};
use crate::TextError;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Client to exchange.
    Inbound,
    /// Exchange to client.
    Outbound,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        })
    }
}

/// Why bytes are not an OUCH 5.0 message. Lengths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No bytes at all.
    #[error("empty message: an OUCH message begins with its type byte, send at least that")]
    Empty,
    /// A type byte that the format does not define for this direction.
    #[error(
        "unknown {direction} message type {message_type:#04x}: send a type that OUCH 5.0 (April 2023) defines for this direction"
    )]
    UnknownType {
        /// The direction in which the message came.
        direction: Direction,
        /// The type byte.
        message_type: u8,
    },
    /// The type byte of another message.
    #[error("message type {actual:#04x} is not {message}: decode it by its own type byte {expected:#04x}")]
    OtherType {
        /// The message that was to be decoded.
        message: &'static str,
        /// Its type byte.
        expected: u8,
        /// The type byte found.
        actual: u8,
    },
    /// Fewer or more bytes than the message has.
    #[error("{message} of {actual} bytes: its length is {expected}, the appendage included; send exactly that")]
    WrongLength {
        /// The message.
        message: &'static str,
        /// The length it must have: the fixed part, with the stated appendage where there is one.
        expected: usize,
        /// The length found.
        actual: usize,
    },
    /// A code that the field does not define.
    #[error("{field} has the undefined value {value:#04x}: send one of the values that the specification lists for it")]
    UnknownValue {
        /// The field's name.
        field: &'static str,
        /// The code found.
        value: u16,
    },
    /// Bytes that are not text in a text field.
    #[error(transparent)]
    Text(#[from] TextError),
    /// An appendage that does not divide into whole TagValue elements.
    #[error(
        "appendage broken at byte {at}: each element is a length byte (counting tag and value, at least 1), a tag and a value; mend the length"
    )]
    BrokenAppendage {
        /// Offset of the broken element in the appendage.
        at: usize,
    },
    /// An appendage longer than its u16 length can state.
    #[error("appendage of {actual} bytes is too long: at most 65535 can be stated")]
    AppendageTooLong {
        /// The length given.
        actual: usize,
    },
    /// An option tag that the format does not define.
    #[error("unknown option tag {tag}: leave it out, OUCH 5.0 (April 2023) defines tags 1 to 7, 9 to 18 and 22 to 25")]
    UnknownOption {
        /// The tag.
        tag: u8,
    },
    /// An option whose value has another length than its type.
    #[error("option tag {tag} has a value of {actual} bytes: send {expected}")]
    OptionLength {
        /// The tag.
        tag: u8,
        /// The length of this option's value.
        expected: usize,
        /// The length found.
        actual: usize,
    },
    /// An option given twice in one appendage.
    #[error("option tag {tag} is given twice: send it once")]
    RepeatedOption {
        /// The tag.
        tag: u8,
    },
}

impl DecodeError {
    /// The reject reason (Appendix D) that fits best, for the answer to an Enter or Replace Order that did not decode.
    #[must_use]
    pub fn reject_reason(&self) -> RejectReason {
        let (Self::UnknownValue { field, .. } | Self::Text(TextError::NotPrintable { field, .. })) = self else {
            return RejectReason::Other;
        };
        match *field {
            Side::FIELD => RejectReason::InvalidSide,
            Display::FIELD => RejectReason::InvalidDisplay,
            CrossType::FIELD => RejectReason::InvalidCrossOrder,
            PriceType::FIELD => RejectReason::InvalidPegType,
            Symbol::FIELD => RejectReason::InvalidSymbol,
            Route::FIELD => RejectReason::InvalidDestination,
            _ => RejectReason::Other,
        }
    }
}
