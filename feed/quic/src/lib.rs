//! The feed over QUIC: authenticated subscribers that are told everything in full, or less of it, and never hold anybody up.
//!
//! [`Server`] runs on one thread of its own. It takes the feed's messages from a bounded ring, keeps the books of
//! [`rialto_conflate`] by them, and tells each subscriber what it asked for, as fast as it takes it. Who falls behind on full
//! depth is moved to the conflated feed and back, and told so; who stays behind is cut, and told why. The stage that fills
//! the ring never waits for it.
//!
//! [`Client`] is the other end, for tools and members. The bytes are in `SPEC.md`; every bound is in [`limits`].
#![forbid(unsafe_code)]

mod certificate;
mod client;
mod config;
mod counters;
mod door;
pub mod frames;
mod hub;
pub mod limits;
mod server;
mod subscription;
mod wake;
mod writer;

pub use certificate::{Certificate, CertificateError};
pub use client::{Client, ClientError, Reactor, Trust};
pub use config::{Config, StartError};
pub use counters::{Counters, CountersHandle, SubscriberCounters};
pub use door::{Door, Entitlement};
pub use server::{FeedRings, Server};
