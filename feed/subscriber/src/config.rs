//! The bounds and times of a receiver, all in one place.

use rialto_itch::mold::{SequenceNumber, Session};

/// The most messages a request may ask for: what re-request servers commonly grant.
pub const REQUEST_COUNT_LIMIT: u16 = 2_000;

/// The bounds and times of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many numbers ahead of the next one a message may be and still be held. One that is further ahead is dropped
    /// and counted, and asked for again when the gap before it has closed.
    pub reorder_max: usize,
    /// How long a gap may close by itself, by the other line or a late packet, before anything is asked for.
    pub request_delay_ns: u64,
    /// The most messages one request asks for. Many servers answer a request with one packet: more than fit one packet
    /// are then asked for a second time after [`retry_ns`](Self::retry_ns).
    pub request_count_max: u16,
    /// How many numbers from the next one on may be asked for and not yet there: bounds the requests under way. No more
    /// than [`reorder_max`](Self::reorder_max) whatever is set.
    pub request_window: u64,
    /// How long nothing may come before everything missing is asked for again. Doubles each time.
    pub retry_ns: u64,
    /// What the doubling stops at.
    pub retry_max_ns: u64,
    /// How often the same gap is asked for in vain before it is given up as [`Lost`](crate::Delivery::Lost).
    pub attempts_max: u32,
}

/// For a feed on one host or one network: about five seconds of trying before a gap is given up.
impl Default for Config {
    fn default() -> Self {
        Self {
            reorder_max: 16_384,
            request_delay_ns: 1_000_000,
            request_count_max: 32,
            request_window: 2_048,
            retry_ns: 10_000_000,
            retry_max_ns: 1_000_000_000,
            attempts_max: 11,
        }
    }
}

/// Why there is no receiver with such bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A bound that nothing passes.
    #[error("{name} is 0 and nothing would ever be received again after a gap; set at least 1")]
    Zero {
        /// The field of [`Config`].
        name: &'static str,
    },
    /// More than servers grant.
    #[error("request_count_max is {asked}, servers grant at most {REQUEST_COUNT_LIMIT}; lower it")]
    RequestCount {
        /// What was set.
        asked: u16,
    },
}

impl Config {
    pub(crate) fn check(self) -> Result<Self, ConfigError> {
        let Self {
            reorder_max,
            request_count_max,
            request_window,
            retry_ns,
            attempts_max,
            ..
        } = self;
        for (name, is_zero) in [
            ("reorder_max", reorder_max == 0),
            ("request_count_max", request_count_max == 0),
            ("request_window", request_window == 0),
            ("retry_ns", retry_ns == 0),
            ("attempts_max", attempts_max == 0),
        ] {
            if is_zero {
                return Err(ConfigError::Zero { name });
            }
        }
        if request_count_max > REQUEST_COUNT_LIMIT {
            return Err(ConfigError::RequestCount {
                asked: request_count_max,
            });
        }
        Ok(self)
    }
}

/// Where a receiver begins. A session that follows another always begins at its first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first message of whatever session comes: what was sent before is asked for.
    Beginning,
    /// At the first packet that comes: what was sent before is left out.
    Live,
    /// At this message, as a snapshot states it.
    At {
        /// The session.
        session: Session,
        /// The first message wanted.
        next: SequenceNumber,
    },
}
