//! The order-entry doors as stages: sockets around the sans-IO sessions of `rialto-ouch` and `rialto-fix`.
//!
//! On the way in a door turns messages into commands for the sequencer; on the way out it is a follower of released events
//! and nothing else: one function takes in each event, live as on recovery, so that what a member was told is told again
//! under the same numbers after a restart. `SPEC.md` beside this crate states each door's meanings.
//!
//! ```text
//! socket -> Hub -> session (sans-IO) -> orders -> Outlet -> command ring
//!                                                             |  sequencer, engine, gate
//! socket <- Hub <- session (sans-IO) <- log <- answers <- released events
//! ```
#![forbid(unsafe_code)]

mod budget;
mod config;
mod control;
mod counters;
mod depth;
mod directory;
mod door;
mod faults;
mod fix;
mod floor;
mod front;
mod guard;
pub mod limits;
mod message_log;
mod net;
mod ouch;
mod outlet;
mod ports;
#[cfg(test)]
mod rejects;
mod roster;
mod say;
mod shelf;
mod stages;
mod throttle;
mod transcript;

pub use budget::FirmBudgets;
pub use config::{DoorConfig, FixConfig, OuchConfig, SessionSettings};
pub use control::DoorControl;
pub use counters::{Counters, Counts};
pub use front::{Front, Handed};
pub use guard::GuardConfig;
pub use ports::FirmPorts;
pub use say::Say;
pub use stages::{DoorError, FixDoor, OuchDoor, Parts};
pub use throttle::{Rate, Throttles};
