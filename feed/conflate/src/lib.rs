//! The conflated feed, both ends of it, sans-IO: how much of the full feed a subscriber is told, and what it may rely on.
//!
//! The crate is pure: it opens no socket and reads no clock. [`Conflation`] follows the messages of the full feed command
//! by command and gives each [`Conflator`] what its subscriber is to be told; the owner carries the bytes as fast as the
//! subscriber takes them, and nobody waits for anybody. [`Books`] is the subscriber's side of it.
//!
//! What a subscriber may rely on (the bytes are in `SPEC.md`):
//!
//! 1. A book is stated between commands only, never in the middle of a sweep, at a number S: the last of a command.
//! 2. It equals the full book at S as far as the subscriber's depth goes, and says so by a checksum.
//! 3. Each range begins behind the one before it of the same instrument, and says whether more than one change went into it.
//! 4. No trade is merged with another. The book as it was before the trade's command is told first.
//! 5. Status and definitions are told as they are, behind what was waiting.
//! 6. Who is too slow for that is told so: a snapshot states which trades are missing, how many, and their volume.
//!
//! What one subscriber costs is bounded by [`limits`] and by the levels of the books it follows; what a change costs does
//! not grow with the subscribers who have not asked for it yet: a level remembers when it last changed, and whoever is told
//! next looks from there.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod books;
mod checksum;
mod conflation;
mod conflator;
mod counters;
mod instrument;
mod levels;
pub mod limits;
mod market;
mod recency;
mod settings;
pub mod wire;

pub use books::{Book, Books, BooksError, Told};
pub use checksum::{checksum, level_hash};
pub use conflation::{Conflation, SubscriberId};
pub use conflator::Conflator;
pub use counters::Counters;
pub use instrument::Order;
pub use market::{Market, Numbered};
pub use settings::{Depth, Interest, Pace, Settings, SettingsError};
