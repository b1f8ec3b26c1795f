//! The engine behind the C ABI of the public matching-engine challenge (github.com/flash1-dev/matching-engine-benchmark,
//! arXiv 2606.01183): a harness loads `librialto_challenge.so`, sends it two million messages of one instrument and
//! judges every report.
//!
//! Nothing here matches. [`Book`] turns each message into the command that a door would make of it, applies it to the
//! engine through its public interface, and turns the engine's events into reports; depth is answered from the live book.
//! What it keeps beside the engine is names: the challenge lets a client choose its order ids and use them again, so they
//! are mapped to the venue's.
//!
//! - [`reports`]: messages and reports as the ABI lays them out.
//! - [`book`]: from messages to commands, from events to reports.
//! - [`abi`]: the exported functions, the only place with `unsafe`.
//!
//! README.md beside this crate says how to run it.

pub mod abi;
pub mod book;
pub mod names;
pub mod reports;

pub use book::Book;
