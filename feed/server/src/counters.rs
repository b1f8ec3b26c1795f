//! What the feed counts, for other threads to read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the feed has counted since it started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The same, where the stage counts.
        #[derive(Debug, Default)]
        pub(crate) struct Cells {
            $(pub(crate) $name: Cell,)*
        }

        impl CountersHandle {
            /// All of them as they stand, each by itself: they are not of one instant.
            #[must_use]
            pub fn read(&self) -> Counters {
                Counters { $($name: self.0.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Packets of new messages. Each goes out on every line.
    packets,
    /// Messages in them.
    messages,
    /// Heartbeats, each on every line.
    heartbeats,
    /// End-of-session packets, each on every line.
    ends_of_session,
    /// Datagrams of any kind that the system took for line A.
    datagrams_a,
    /// Datagrams of any kind that the system took for line B.
    datagrams_b,
    /// Bytes of datagrams that the system took: both lines and answers, without UDP and IP headers.
    bytes,
    /// Calls to the system that sent them on the lines: fewer than datagrams where packets leave together.
    calls,
    /// Datagrams that the system did not take. Messages in them can be asked for again.
    send_errors,
    /// Datagrams that came in at the re-request socket, whatever they were.
    requests,
    /// Requests that got messages.
    served,
    /// Requests that asked for more messages than one request gets; they got the first of them.
    capped,
    /// Packets of messages that went to askers.
    answers,
    /// Requests from a source that is not entitled.
    strangers,
    /// Datagrams that are no request.
    malformed,
    /// Requests for a session that is not the day's.
    other_session,
    /// Requests for messages that are no longer in memory, and that nobody has who was asked.
    beyond_memory,
    /// Requests for such messages that were answered from history.
    from_history,
    /// Requests for such messages that came when too many waited for history.
    history_busy,
    /// Requests for messages that have not been sent yet.
    not_sent,
    /// Requests that were cut off, or got nothing, because their source's budget was used up.
    over_budget,
    /// Failures to receive a request.
    receive_errors,
    /// Listings of instruments that ITCH cannot state.
    instruments_refused,
    /// Events left out because their instrument is not on the feed.
    events_left_out,
}

/// Reads the feed's counters from any thread. All clones are one.
#[derive(Clone, Debug)]
pub struct CountersHandle(pub(crate) Arc<Cells>);

impl Counters {
    /// Requests that got no message at all for a reason of their own: strangers, malformed ones, and those for messages
    /// that cannot be had.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.strangers + self.malformed + self.other_session + self.beyond_memory + self.history_busy + self.not_sent
    }
}

/// A count that one thread writes and any may read.
#[derive(Debug, Default)]
pub(crate) struct Cell(AtomicU64);

impl Cell {
    pub(crate) fn add(&self, more: u64) {
        // Only the stage writes, so no read-modify-write is needed.
        self.0
            .store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}
