//! The client side of the feed: from MoldUDP64 packets, lost and doubled as networks do, to order books.
//!
//! The crate is pure and sans-IO: it opens no socket and reads no clock. Its owner hands it packets and the time, and
//! carries out what it asks for. It uses nothing but the packets, so what it builds is what any member could build.
//!
//! - [`Receiver`]: packets of two lines and of the re-request server in, each message once and in order out.
//! - [`Books`]: messages in, order books out.
//!
//! ```
//! use rialto_itch::Message;
//! use rialto_subscriber::{Books, Config, Delivery, Line, Receiver, Start};
//!
//! let mut receiver = Receiver::new(Config::default(), Start::Beginning).unwrap();
//! let mut books = Books::new(1_000_000);
//! # use rialto_itch::mold::{PacketBuilder, SequenceNumber, Session};
//! # let mut builder = PacketBuilder::new(Session::new("S").unwrap(), SequenceNumber::FIRST);
//! # builder.push(b"S\0\0\0\0\0\0\0\0\0\0O").unwrap();
//! # let (now_ns, datagram) = (0, builder.seal().unwrap());
//! let outcome = receiver.handle_packet(now_ns, Line::A, datagram, &mut |delivery| match delivery {
//!     Delivery::SessionStarted(_) => books.clear(),
//!     Delivery::Message { bytes, .. } => {
//!         if let Ok(message) = Message::decode(bytes) {
//!             // A refused message is counted by the books and leaves them as they were.
//!             let _ = books.apply(&message);
//!         }
//!     }
//!     Delivery::Lost { .. } => { /* the books are wrong from here on: take a snapshot */ }
//!     Delivery::SessionEnded { .. } => {}
//! });
//! assert!(outcome.is_ok());
//! while let Some(request) = receiver.poll_request(now_ns) {
//!     // send request.to_bytes() to the re-request server, and hand its answers in as Line::Recovery
//! }
//! assert_eq!(receiver.counters().messages, 1);
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod book;
mod books;
mod config;
mod counters;
mod receiver;
mod recovery;
mod reorder;

pub use book::{Book, Level};
pub use books::{BookCounters, BookError, Books, Order};
pub use config::{Config, ConfigError, REQUEST_COUNT_LIMIT, Start};
pub use counters::Counters;
pub use receiver::{Delivery, Line, ReceiveError, Receiver};
