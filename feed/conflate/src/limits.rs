//! The bounds of conflation, by name, and what happens at each.

/// Bytes that may wait for a subscriber before what it is told is held back. Book changes then wait where they are, as
/// levels of the book; a trade or a status that has no room makes its instrument due for a snapshot that states what was
/// missed. One message more may go over it.
pub const OUTBOX_BYTES_MAX: usize = 64 << 10;
/// Below so many waiting bytes a subscriber that is conflated only when slow is not slow.
pub const SLOW_BYTES: usize = 16 << 10;
/// Levels in one message; a change or a snapshot of more is told in parts of one range.
pub const LEVELS_PER_MESSAGE: usize = 1_000;
/// The most levels a side that a subscriber may ask for short of all of them.
pub const DEPTH_MAX: u16 = 1_000;
/// Levels of one instrument that are gone and still remembered, so that who was told of them can be told that they are gone.
/// Beyond it the one that went first is forgotten, and who was not told by then gets a snapshot.
pub const GONE_LEVELS_MAX: usize = 4_096;
/// Orders of one venue that are followed; a message that would add one more is refused and counted.
pub const ORDERS_MAX: usize = 1 << 24;
/// The shortest interval between two updates of the same book.
pub const INTERVAL_NS_MIN: u64 = 100_000;
/// The smallest budget in bytes a second.
pub const BUDGET_MIN: u64 = 1_000;
