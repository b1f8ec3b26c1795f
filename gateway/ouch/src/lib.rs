//! OUCH 5.0 over SoupBinTCP: the low-latency door's bytes and its session rules.
//!
//! - [`messages`]: every OUCH 5.0 message as a struct with `decode` and `encode`.
//! - [`soup`]: SoupBinTCP packets, a bounded framer, and the sans-IO sessions of both ends.
//!
//! The tables of both formats are in `SPEC.md` beside this crate.
//!
//! This crate never opens a socket, reads a clock, keeps a map or judges an order: bytes and times come in as
//! arguments, bytes and events go out. What an order may be (price limits, quantity, symbols, UserRefNum order) is the
//! owner's to judge.
//!
//! ```
//! use rialto_ouch::messages::{CancelOrder, Inbound, Quantity, UserRefNum};
//! use rialto_ouch::soup::{ClientPacket, Framer};
//!
//! // A client cancels order 7: the message in its envelope, as it goes to the socket.
//! let mut message = Vec::new();
//! CancelOrder { user_ref: UserRefNum(7), quantity: Quantity(0) }.encode(&mut message);
//! let mut stream = Vec::new();
//! ClientPacket::Unsequenced(&message).encode(&mut stream)?;
//! assert_eq!(stream, b"\x00\x0aUX\0\0\0\x07\0\0\0\0");
//!
//! // The other end, from the socket to the message.
//! let mut framer = Framer::new(1_024);
//! assert_eq!(framer.feed(&stream), stream.len());
//! let packet = framer.next_packet()?.expect("the packet is whole");
//! let ClientPacket::Unsequenced(message) = ClientPacket::decode(packet)? else { panic!("another packet") };
//! let Inbound::CancelOrder(cancel) = Inbound::decode(message)? else { panic!("another message") };
//! assert_eq!(cancel.user_ref, UserRefNum(7));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod messages;
pub mod soup;

mod fixed;
mod text;

pub use text::TextError;
