//! The stream as a place one can visit: snapshots, the state at any sequence number, the story of an order, forks, and
//! where two journals part.
//!
//! Everything here follows the journal up to a limit and feeds an engine of its own: it never asks, pauses or shares
//! anything with the engine of a running exchange. A snapshot only saves time. It is believed when its bytes, its state
//! hash and the record it names agree with the journal, and passed over by name otherwise, so that deleting all of them
//! changes no answer.
//!
//! - [`Snapshot`], [`Snapshots`]: one file each (`SPEC.md`), and the folder of them.
//! - [`Stream`]: a journal, its snapshots and how far it may be read; gives the [`Past`] at a number.
//! - [`Snapshotter`]: follows a live journal and says every so many commands that a snapshot is due.
//! - [`FeedHistory`]: messages of the feed, made again.
//! - [`book`], [`order`], [`member`], [`stats`]: answers about a [`Past`].
//! - [`find`]: from the client's name of an order to the venue's.
//! - [`history`], [`explain`]: what happened to one order, and because of what.
//! - [`fork`], [`found`], [`diff`]: another stream from this one, the same as another venue, and the first difference of two.
//! - [`text`]: a command as JSON and back.
#![forbid(unsafe_code)]

mod answers;
mod cause;
mod diff;
mod feed;
mod find;
mod fork;
pub mod limits;
mod names;
mod past;
mod snapshot;
mod snapshotter;
mod store;
mod story;
mod stream;
pub mod text;

pub use answers::{
    BookAnswer, Level, MemberAnswer, NoAnswer, OrderAnswer, SessionAnswer, StatsAnswer, book, member, order, stats,
};
pub use cause::{Explanation, explain};
pub use diff::{DiffError, Difference, Outcome, diff};
pub use feed::FeedHistory;
pub use find::find;
pub use fork::{Edit, ForkError, Forked, Founded, fork, found};
pub use past::Past;
pub use snapshot::{Snapshot, SnapshotError, link};
pub use snapshotter::Snapshotter;
pub use store::{Listed, Snapshots, StoreError};
pub use story::{Change, History, StoryError, history};
pub use stream::{PastError, Stream, Visit};
