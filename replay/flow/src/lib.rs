//! Order flows to measure with, and the lane they are measured on: one definition for the command line, the counting
//! program and the benches, so that their figures are of the same thing.
//!
//! - [`Flow`]: commands made ahead of time from a [`Shape`] and a seed, so that making them is inside no figure.
//! - [`Lane`]: an engine that writes its events to a broadcast ring, as in the exchange, and the reader behind it.
//!
//! It must never read a clock or count anything: whoever measures brings the instrument.
#![forbid(unsafe_code)]

mod flow;
mod lane;
mod maker;
mod random;
mod shape;

pub use flow::Flow;
pub use lane::{BATCH, Lane, Tally};
pub use shape::{Shape, UnknownShape};
