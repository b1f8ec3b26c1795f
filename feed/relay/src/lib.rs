//! What a bad network does to packets: loss, bursts of it, duplication, reordering, delay, corruption, partition. All of it is
//! decided from a seed and the packets' order and times, so that a run can be had again.
//!
//! The crate is pure: it moves no packet. Its owner asks [`Relay::decide`] for the fate of each and carries it out.
//! Chances are in parts of a million, times in nanoseconds.
//!
//! ```
//! use rialto_relay::{Faults, Relay};
//!
//! let faults = Faults { loss_ppm: 300_000, ..Faults::NONE };
//! let mut relay = Relay::new(faults, 7).unwrap();
//! let came = (0..1_000).filter(|&at| relay.decide(at, 100).copies().count() == 1).count();
//! assert!((600..800).contains(&came));
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod counters;
mod dice;
mod faults;
mod relay;

pub use counters::Counters;
pub use faults::{Faults, FaultsError, PARTS};
pub use relay::{Copy, Fate, Relay};
