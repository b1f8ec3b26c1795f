//! Market data for who uses it: one subscription, over multicast or QUIC, that keeps the books and calls back.
//!
//! - [`Subscription`]: joins, repairs what the network lost, keeps books in full, by price or at the top, and calls who asked
//!   for an instrument. The same over [`Subscription::multicast`] and [`Subscription::quic`], full depth or conflated.
//! - [`FeedClient`]: what is below it on multicast: both lines, re-requests and snapshots to messages, once and in order.
//!
//! All judgement is in the sans-IO crates (`rialto-subscriber`, `rialto-conflate`); here are sockets, a clock and the wiring.
//! It knows nothing of the exchange but what any member hears. `examples/top_of_book.rs` is a whole program.
#![forbid(unsafe_code)]

mod error;
mod lines;
mod subscription;
mod update;

pub use error::ClientError;
pub use lines::{FeedAddresses, FeedClient, Glimpse};
pub use rialto_glimpse::Login as GlimpseLogin;
pub use subscription::{Counters, Multicast, Subscription};
pub use update::{Best, BookDepth, BookView, Notice, Trade, Update, What};
