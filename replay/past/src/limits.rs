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
