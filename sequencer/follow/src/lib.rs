//! Follows a stream from another process, from a snapshot or its first command to live, and comes back without a gap.
//!
//! The exchange serves its journal: each follower has a thread that reads the files up to the frontier and writes to one
//! socket. So no stage knows how many follow, a slow one is at most behind in the journal, and what may not be released yet
//! is never sent. `SPEC.md` beside this crate has the protocol.
//!
//! - [`wire`]: frames and their bytes.
//! - [`ServerSession`], [`FollowerSession`]: both ends without a socket. `handle_bytes` takes what came, `take_output` gives
//!   what is to be sent, and local time is an argument.
//! - [`Server`]: sockets and threads around the one, over a [`Source`].
//! - [`Follower`]: a socket around the other, which connects again where it broke off.
//!
//! It never hands a follower a command that is not the next one, or of an older epoch than the one before.
#![forbid(unsafe_code)]

mod follower;
mod follower_session;
mod key;
pub mod limits;
mod roster;
mod server;
mod server_session;
mod silence;
pub mod wire;

pub use follower::{FollowError, Follower, News};
pub use follower_session::{FollowerSession, Heard, Refused};
pub use key::{Key, KeyError, Nonce};
pub use roster::{Process, Roster, Stale};
pub use server::{
    Engines, FollowerStatus, NewestSnapshot, OnAdmitted, OnRefused, Seat, Server, Source, SourceError, Statused,
};
pub use server_session::{Begin, ServerSession, Told};
pub use wire::{Reason, link};
