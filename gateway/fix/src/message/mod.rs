//! FIX tag=value messages: bytes to fields and back.
//!
//! Inbound: [`Framer`] cuts a byte stream into frames, [`Decoder`] turns a frame into a [`Message`] that borrows it.
//! Outbound: [`FieldWriter`] writes fields, [`encode`] puts a header before them and the checksum behind.
//! It knows where a field starts and ends, never what a message means or which fields it may have.

mod data_fields;
mod decimal;
mod decode;
mod encode;
mod fields;
mod framer;
mod view;

pub use decimal::{DecimalError, parse_decimal, write_decimal};
pub use decode::{Decoder, Garbled};
pub use encode::{MessageHeader, encode};
pub use fields::{FieldWriter, write_reversed_route};
pub use framer::Framer;
pub use view::{Field, FieldError, Fields, GroupEntry, Message, parse_unsigned};
pub(crate) use view::{FieldSpan, span_value};

/// The field delimiter.
pub const SOH: u8 = 0x01;
