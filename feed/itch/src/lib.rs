//! ITCH 5.0 messages and the MoldUDP64 packets that carry them: bytes to values and back, nothing else.
//!
//! The crate is pure: no socket, no clock, no allocation while encoding or decoding, and no byte from outside can make
//! it panic. It knows the formats and not the market: whether a message is *consistent* with those before it is for a
//! book builder to say. `SPEC.md` beside this crate has one table per message, and the tests read those tables.
//!
//! - [`Message`] and the structs it wraps: one type per ITCH message, [`Message::decode`] and [`Message::encode`].
//! - [`values`], [`text`], [`codes`]: what their fields are made of.
//! - [`mold`]: downstream packets, heartbeats, end of session, re-requests.
//!
//! ```
//! use rialto_itch::mold::{Packet, PacketBuilder, SequenceNumber, Session};
//! use rialto_itch::{AddOrder, Header, Message, OrderReference, Price4, Shares, Side, Stock, StockLocate, TimeOfDay};
//!
//! let order = AddOrder {
//!     header: Header { locate: StockLocate(1), timestamp: TimeOfDay::new(34_200_000_000_000).unwrap(), ..Header::default() },
//!     reference: OrderReference(7),
//!     side: Side::Buy,
//!     shares: Shares(100),
//!     stock: Stock::new("GOOG").unwrap(),
//!     price: Price4::new(5_856_600).unwrap(),
//! };
//! let mut builder = PacketBuilder::new(Session::new("20120621").unwrap(), SequenceNumber::FIRST);
//! builder.push(&order.to_bytes()).unwrap();
//!
//! let packet = Packet::parse(builder.seal().unwrap()).unwrap();
//! let (sequence, bytes) = packet.blocks().next().unwrap();
//! assert_eq!(sequence, SequenceNumber(1));
//! assert_eq!(Message::decode(bytes), Ok(Message::AddOrder(order)));
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod codes;
pub mod error;
pub mod message;
pub mod messages;
pub mod mold;
pub mod text;
pub mod values;
mod wire;

pub use codes::Side;
pub use error::{DecodeError, EncodeError, ValueError};
pub use message::Message;
pub use messages::{
    AddOrder, AddOrderAttributed, BrokenTrade, CapitalRaiseDiscovery, CrossTrade, IpoQuotingPeriod, LuldAuctionCollar,
    MarketParticipantPosition, MwcbDeclineLevels, MwcbStatus, NetOrderImbalance, OperationalHalt, OrderCancel,
    OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReplace, RegShoRestriction, RetailInterest,
    StockDirectory, StockTradingAction, SystemEvent, Trade,
};
pub use text::{IssueSubType, Mpid, Stock, TradingReason};
pub use values::{
    Header, MatchNumber, OrderReference, Price4, Price8, Shares, StockLocate, TimeOfDay, TotalShares, TrackingNumber,
};
pub use wire::Encode;
