//! Every bound of this crate, by name.

/// The largest snapshot: some 30 million live orders. A larger file is not read, and a larger state not written.
pub const SNAPSHOT_BYTES_MAX: u64 = 2 << 30;
/// Snapshots kept in a folder; taking one more drops the oldest.
pub const SNAPSHOTS_KEPT_MAX: usize = 16;
/// Commands that one step of a [`Snapshotter`](crate::Snapshotter) applies before it comes back.
pub const FOLLOW_COMMANDS_PER_STEP: usize = 4_096;
/// Lines of a history or an explanation; what came later is left out, and it is said.
pub const STORY_LINES_MAX: usize = 10_000;
/// Orders named one by one where an explanation says who stood ahead; the others are counted.
pub const AHEAD_NAMED_MAX: usize = 8;
/// Levels of a side in a book.
pub const LEVELS_MAX: usize = 1_000;
/// Commands that a search for messages of the feed applies before it looks whether to give up.
pub const FEED_COMMANDS_PER_LOOK: u64 = 1_024;
/// Messages from one kept place of the feed to the next, at first.
pub const FEED_PLACES_EVERY: u64 = 16_384;
/// Places of the feed that are kept; one more, and every second one goes.
pub const FEED_PLACES_MAX: usize = 4_096;
/// Memory for the messages of the stretch at hand. A command with more messages than that has some that cannot be had.
pub const FEED_BYTES_MAX: usize = 8 << 20;
