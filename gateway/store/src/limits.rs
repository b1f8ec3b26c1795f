//! Bounds of the store.

/// Fills of an account that are kept; beyond it the oldest is forgotten, positions and fees are not.
pub const FILLS_MAX: usize = 10_000;
/// Orders of an account that are over and still kept; beyond it the oldest is forgotten.
pub const DONE_MAX: usize = 1_000;
/// Trades of the day whose owners are known; beyond it the oldest is forgotten, and undone on its session's account.
pub const TRADES_MAX: usize = 4_000_000;
/// Executions of a firm that are kept; beyond it the oldest is forgotten, and who asks for it is told which are missing.
pub const EXECUTIONS_MAX: usize = 10_000;
/// Rows of one page of an answer.
pub const PAGE_MAX: usize = 1_000;
