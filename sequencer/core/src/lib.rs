//! The sequencer: the one place that stamps number, epoch and time; and the release gate.
//!
//! ```text
//! doors --spsc--> Sequencer --spsc--> engine --broadcast ring--> ReleaseGate --> doors, feed, hash
//!                     |                                              ^
//!                  journal ----------------- frontier ---------------+
//! ```
//!
//! Nothing leaves before it is safe: [`ReleaseGate`] opens for an event only when the journal's frontier has passed its
//! command. That is the one line of wiring between durability and everybody who is told anything.
#![forbid(unsafe_code)]

mod gate;
mod hold;
mod room;
mod sequencer;
mod slow;

pub use gate::ReleaseGate;
pub use room::{Standing, StandingHandle};
pub use sequencer::{Sequencer, SequencerConfig};
