//! FIX: codec, data dictionaries, a sans-IO acceptor session and a small initiator.
//!
//! | module | holds |
//! |---|---|
//! | [`message`] | bytes to fields and back: framing, decoding, encoding, decimals, UTC time |
//! | [`dictionary`] | what each version of FIX permits, as data, and the check of a message against it |
//! | [`session`] | the acceptor side of one connection: logon, numbers, resends, liveness |
//! | [`client`] | a small initiator for tools and tests |
//! | [`echo`] | an application for conformance suites, which send back what they get |
//! | [`scenario`] | the steps of those suites |
//!
//! It knows no socket, clock, thread or order: bytes and times come in as arguments, bytes and events are taken out.
//! It must never trust what a peer sent: every length is checked, every table is bounded ([`limits`]), nothing panics.
//! `SPEC.md` beside this crate states each message that the exchange speaks.
//!
//! ```
//! use rialto_fix::message::{Decoder, FieldWriter, MessageHeader, encode};
//! use rialto_fix::{MsgSeqNum, MsgType, TimePrecision, UtcTimestamp, Version, tags};
//!
//! let mut body = Vec::new();
//! FieldWriter::new(&mut body).text(tags::CL_ORD_ID, "c-1").unsigned(tags::ORDER_QTY, 100).decimal(tags::PRICE, 1_002_500, 4);
//! let header = MessageHeader {
//!     begin_string: Version::Fix44.begin_string(),
//!     msg_type: MsgType::NEW_ORDER_SINGLE,
//!     msg_seq_num: MsgSeqNum(2),
//!     sender_comp_id: b"FIRM1",
//!     target_comp_id: b"RIALTO",
//!     sending_time: UtcTimestamp::parse(b"20260105-09:30:00.123")?,
//!     orig_sending_time: None,
//!     time_precision: TimePrecision::Milliseconds,
//!     extra: b"",
//! };
//! let mut wire = Vec::new();
//! encode(&header, &body, &mut wire);
//!
//! let mut decoder = Decoder::new();
//! let message = decoder.decode(&wire)?;
//! assert_eq!(message.get(tags::CL_ORD_ID), Some(&b"c-1"[..]));
//! assert_eq!(message.decimal(tags::PRICE, 4), Ok(1_002_500));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod client;
pub mod dictionary;
pub mod echo;
pub mod limits;
pub mod message;
pub mod scenario;
pub mod session;
mod tag;
mod time;
mod transmit;
mod version;
mod words;

pub use tag::{Tag, tags};
pub use time::{Monotonic, Now, TimeError, TimePrecision, UtcTimestamp};
pub use version::Version;
pub use words::{MsgSeqNum, MsgType};
