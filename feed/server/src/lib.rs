//! The feed as a stage: a publisher, two multicast lines and the re-request socket.
//!
//! [`FeedStage`] follows the released stream and sends what a [`Publisher`](rialto_publisher::Publisher) makes of it. It
//! waits for nobody: a datagram that the system does not take is counted and gone, and whoever misses it asks for its
//! messages again. It never learns of an event before the gate has let it out.
//!
//! - [`Config`]: addresses, bounds and times, with their defaults.
//! - [`FeedStage`]: the stage; [`CountersHandle`] and [`Progress`] show from other threads what it does.
//! - [`Teller`]: the same messages without lines, for another transport in another process.
//! - [`multicast`]: sockets made right, for tools as well.
#![forbid(unsafe_code)]

mod config;
mod counters;
mod gaps;
mod history;
mod lines;
pub mod multicast;
mod progress;
mod rerequest;
mod segments;
mod stage;
mod tap;
mod teller;

pub use config::{Config, ENTITLED_MAX, StartError};
pub use counters::{Counters, CountersHandle};
pub use history::HISTORY_WAITING_MAX;
pub use progress::Progress;
pub use stage::FeedStage;
pub use teller::Teller;
