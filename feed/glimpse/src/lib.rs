//! GLIMPSE 5.0: the books as they stand, over SoupBinTCP, so that who joins the feed late need not ask for the whole day.
//!
//! [`Server`] runs on one thread of its own and takes the feed's messages from a bounded ring: the engine never hears of a
//! snapshot, and the stage that fills the ring never waits. [`fetch`] is the other end. `SPEC.md` has what is said; every
//! bound is in [`limits`].
#![forbid(unsafe_code)]

mod client;
mod connection;
mod door;
mod end;
pub mod limits;
mod server;
mod snapshot;

pub use client::{FetchError, Joined, Login, fetch};
pub use door::Door;
pub use end::EndOfSnapshot;
pub use server::{Config, Counters, CountersHandle, Server, StartError};
