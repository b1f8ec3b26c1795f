//! What is counted for each subscriber.

/// Counted since the subscriber came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages told.
    pub messages: u64,
    /// Bytes told.
    pub bytes: u64,
    /// Updates told.
    pub updates: u64,
    /// Updates into which the changes of more than one command went.
    pub conflated: u64,
    /// Commands whose changes were put together with later ones.
    pub merged: u64,
    /// Levels told.
    pub levels: u64,
    /// Trades told.
    pub trades: u64,
    /// Snapshots told, the first of each instrument included.
    pub snapshots: u64,
    /// Snapshots told because the subscriber was too slow, or was told too late.
    pub resyncs: u64,
    /// Trades that were not told one by one, but stated as missed.
    pub missed_trades: u64,
    /// Their shares.
    pub missed_volume: u64,
    /// Other messages not told.
    pub missed_others: u64,
}
