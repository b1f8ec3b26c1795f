//! The transmitting side of the feed, sans-IO: released events in, ITCH 5.0 messages in MoldUDP64 packets out.
//!
//! The crate is pure: it opens no socket and reads no clock, and a [`Publisher`] is a function of the outputs it has
//! followed. After a restart the journal goes through the same [`Publisher::follow`], so messages keep their numbers and
//! whatever was lost on the way is asked for as if nothing had happened. It keeps no book: every event says by itself
//! what the feed needs.
//!
//! - [`Publisher`]: follows, packs, answers requests.
//! - [`Tick`]: a message on its way to who tells it further, by a ring.
//! - [`Place`]: where a publisher stands, to go on from later.
//! - [`HistoryRequest`], [`HistoryAnswer`]: messages beyond memory, of whoever has the journal.
//! - [`session_name`]: the MoldUDP64 session of a venue's trading day.
//!
//! ```
//! use rialto_itch::mold::Packet;
//! use rialto_model::event::DayStarted;
//! use rialto_model::{Epoch, Event, Output, SequenceNumber, Sequenced, Timestamp, TradingDay};
//! use rialto_publisher::{Config, Publisher};
//!
//! let mut publisher = Publisher::new(Config::default()).unwrap();
//! let day = TradingDay::from_civil(2012, 6, 21).unwrap();
//! let midnight = day.midnight_utc();
//! publisher.follow(&Output {
//!     event: Sequenced {
//!         seq: SequenceNumber(1),
//!         stamp: Timestamp(midnight.0 + 34_200_000_000_000),
//!         epoch: Epoch(1),
//!         body: Event::DayStarted(DayStarted { day, midnight }),
//!     },
//!     last: true,
//! });
//!
//! let mut packet = Vec::new();
//! assert_eq!(publisher.poll_packet(false, &mut packet), None, "not full yet");
//! assert_eq!(publisher.poll_packet(true, &mut packet), Some(4), "system events O and S, V, and Q");
//! let packet = Packet::parse(&packet).unwrap();
//! assert_eq!(packet.session().to_string(), "0020120621");
//! assert_eq!(packet.sequence().0, 1);
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod collar;
mod config;
mod counters;
mod directory;
mod downstream;
mod history;
mod place;
mod publisher;
mod session;
mod store;
mod tick;
mod translator;

pub use collar::{Carried, Collar};
pub use config::{Config, ConfigError};
pub use counters::Counters;
pub use downstream::Absent;
pub use history::{HistoryAnswer, HistoryRequest};
pub use place::Place;
pub use publisher::Publisher;
pub use session::session_name;
pub use tick::{Tick, TickKind};
