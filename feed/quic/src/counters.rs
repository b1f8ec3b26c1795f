//! What the server counts, for other threads to read.

use std::sync::{Arc, Mutex, PoisonError};

/// One subscriber as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberCounters {
    /// The session it logged in as.
    pub user: String,
    /// Its firm.
    pub firm: String,
    /// Whether it is on full depth now.
    pub full: bool,
    /// Bytes written to it.
    pub bytes: u64,
    /// How often the server's thread looked whether there was something for it: what it costs beside its bytes.
    pub looks: u64,
    /// Messages of the full feed it is behind.
    pub behind: u64,
    /// Memory kept for it: what waits, and what is known of what it was told. The transport keeps up to its windows more.
    pub memory_bytes: u64,
    /// The most of that so far.
    pub memory_bytes_max: u64,
    /// How often it was moved to the conflated feed, and back.
    pub demotions: u64,
    /// See above.
    pub returns: u64,
    /// What its conflator has counted.
    pub conflated: rialto_conflate::Counters,
}

/// The server as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages of the feed taken in.
    pub messages: u64,
    /// The last number of the last whole command.
    pub sequence: u64,
    /// Connections that came.
    pub connections: u64,
    /// Connections refused for a bound.
    pub refused: u64,
    /// Logins refused.
    pub rejected: u64,
    /// Logins sent to another process.
    pub elsewhere: u64,
    /// Connections that broke a rule.
    pub violations: u64,
    /// Subscribers cut because they were too far behind.
    pub cut: u64,
    /// Recoveries answered.
    pub recoveries: u64,
    /// Recoveries refused.
    pub recoveries_refused: u64,
    /// Messages that were lost on the way to the server.
    pub gone: u64,
    /// Everyone who is logged in.
    pub subscribers: Vec<SubscriberCounters>,
}

/// Reads the server's counters from any thread: as they stood a moment ago.
#[derive(Clone, Debug, Default)]
pub struct CountersHandle(Arc<Mutex<Counters>>);

impl CountersHandle {
    /// The last ones stated.
    #[must_use]
    pub fn read(&self) -> Counters {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn state(&self, counters: Counters) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counters;
    }
}
