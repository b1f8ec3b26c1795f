//! What a publisher counts.

/// What a publisher has counted since it was made, over all days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages numbered.
    pub messages: u64,
    /// Listings of an instrument that ITCH cannot state: a price scale, tick or highest price that four decimals up to
    /// 200,000.0000 do not hold exactly, or a lot beyond 32 bits. Such an instrument is not on the feed.
    pub instruments_refused: u64,
    /// Events that a book would show and that were left out, because their instrument is not on the feed.
    pub events_left_out: u64,
    /// Events of an older epoch than the newest seen: their writer was fenced off, and they were not followed.
    pub stale_epochs: u64,
    /// Messages that were overwritten, or whose session was over, before the owner had polled them as packets. None are
    /// where it polls after each event, and flushes at the end of a day.
    pub unsent_dropped: u64,
}
