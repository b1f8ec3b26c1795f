//! Why bytes are not a message, why a message does not go into a buffer, why a value is not one of ITCH's.

/// Why bytes are not an ITCH message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// There is no type byte.
    #[error("an ITCH message has at least a type byte, this one is empty; the sender must leave empty blocks out")]
    Empty,
    /// The type byte is none of the specification's.
    #[error("{:?} is no ITCH 5.0 message type; skip the message, or check that the feed speaks ITCH 5.0", char::from(*.message_type))]
    UnknownType {
        /// The first byte.
        message_type: u8,
    },
    /// Each type has one length.
    #[error("ITCH message {:?} is {expected} bytes long, this one {actual}; check the framing and the feed's version", char::from(*.message_type))]
    Length {
        /// The first byte.
        message_type: u8,
        /// What the specification says.
        expected: usize,
        /// What came.
        actual: usize,
    },
    /// A field of fixed values holds another one.
    #[error("field {field} of ITCH message {:?} holds byte {byte:#04x}, which the specification does not list; skip the message, or add the value to the field's codes", char::from(*.message_type))]
    Code {
        /// The first byte.
        message_type: u8,
        /// The field as it is named in the message's struct and in SPEC.md.
        field: &'static str,
        /// What it holds.
        byte: u8,
    },
}

/// Why a message was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message takes {needed} bytes and the buffer has room for {room}; give it at least {needed}")]
pub struct EncodeError {
    /// Bytes the message takes.
    pub needed: usize,
    /// Bytes the buffer has.
    pub room: usize,
}

/// Why a value does not fit its ITCH field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Prices are 0 to 200,000.0000.
    #[error(
        "price {units} (in units of 0.0001) is not one of 0 to 2000000000; instruments on ITCH must trade below 200,000.0000"
    )]
    Price {
        /// The price in units of 0.0001.
        units: i64,
    },
    /// Times are 48 bits wide.
    #[error("{ns} ns since midnight take more than 48 bits; count from the midnight of the trading day")]
    Time {
        /// Nanoseconds since midnight.
        ns: u64,
    },
    /// Text fields hold printable ASCII and are padded with spaces.
    #[error(
        "text must be 1 to {max} printable ASCII characters without spaces; shorten it or replace what is not ASCII"
    )]
    Text {
        /// The field's width.
        max: usize,
    },
}
