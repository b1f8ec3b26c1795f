//! What a receiver has seen, for whoever watches it.

/// Counted since the receiver was made. All in messages unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets on line A, whatever was in them.
    pub packets_a: u64,
    /// Packets on line B.
    pub packets_b: u64,
    /// Messages that line A brought first.
    pub first_a: u64,
    /// Messages that line B brought first.
    pub first_b: u64,
    /// Numbers that line A left out, as it stood when a packet came behind them: lost there, or late.
    pub skipped_a: u64,
    /// The same of line B.
    pub skipped_b: u64,
    /// Packets without messages: silence, and how far the sender is.
    pub heartbeats: u64,
    /// Packets from the re-request server.
    pub packets_recovery: u64,
    /// Packets refused as no MoldUDP64.
    pub malformed: u64,
    /// Packets of a session that is over, or from the re-request server about a session that is not the current one.
    pub stale: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Delivered.
    pub messages: u64,
    /// That came again after they had been delivered or were held.
    pub duplicates: u64,
    /// Held until those before them came.
    pub held: u64,
    /// Too far ahead to be held; they are asked for later.
    pub dropped: u64,
    /// How often a packet showed that numbers before it had not come on any line.
    pub gaps: u64,
    /// Numbers so shown to be missing.
    pub missing: u64,
    /// The longest time that a gap was open before all that was missing had come or was given up, in nanoseconds.
    pub gap_ns_max: u64,
    /// Requests made.
    pub requests: u64,
    /// Asked for by them, again and again included.
    pub requested: u64,
    /// Given up.
    pub lost: u64,
}
