//! What a subscriber asks for.

use alloc::vec::Vec;

use rialto_itch::Stock;

use crate::limits::{BUDGET_MIN, DEPTH_MAX, INTERVAL_NS_MIN, OUTBOX_BYTES_MAX};

/// How much of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The best so many levels of each side; 1 is the top of the book.
    Levels(u16),
    /// All levels.
    Full,
}

/// How often. Trades and statuses are told at once whatever the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A book no more often than this.
    Interval {
        /// Nanoseconds between two updates.
        ns: u64,
    },
    /// As often as so many bytes allow. Trades and statuses count, and do not wait.
    Budget {
        /// Bytes a second; a second's worth may come at once.
        bytes_per_second: u64,
    },
    /// After each command, as long as the subscriber keeps up.
    WhenSlow,
}

/// Which instruments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interest {
    /// All.
    All,
    /// These symbols.
    Stocks(Vec<Stock>),
}

impl Interest {
    /// Whether an instrument is among them. Messages about the whole venue are for everyone.
    #[must_use]
    pub fn includes(&self, stock: Stock) -> bool {
        match self {
            Self::All => true,
            Self::Stocks(stocks) => stocks.contains(&stock),
        }
    }
}

/// What a subscriber asks for, and the room it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How much of a book.
    pub depth: Depth,
    /// How often.
    pub pace: Pace,
    /// Which instruments.
    pub interest: Interest,
    /// Bytes that may wait for it; see [`OUTBOX_BYTES_MAX`].
    pub outbox_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            depth: Depth::Full,
            pace: Pace::WhenSlow,
            interest: Interest::All,
            outbox_bytes_max: OUTBOX_BYTES_MAX,
        }
    }
}

/// Why a subscriber cannot have what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No level, or too many.
    #[error("{levels} levels were asked for; ask for 1 to DEPTH_MAX ({DEPTH_MAX}), or for all")]
    Depth {
        /// What was asked.
        levels: u16,
    },
    /// Too often.
    #[error("an interval of {ns} ns was asked for; ask for at least INTERVAL_NS_MIN ({INTERVAL_NS_MIN})")]
    Interval {
        /// What was asked.
        ns: u64,
    },
    /// Too little to tell anything.
    #[error("a budget of {bytes_per_second} bytes a second was asked for; ask for at least BUDGET_MIN ({BUDGET_MIN})")]
    Budget {
        /// What was asked.
        bytes_per_second: u64,
    },
    /// No room.
    #[error("a subscriber without an outbox is told nothing; set outbox_bytes_max to at least 1")]
    Outbox,
}

impl Settings {
    pub(crate) fn check(self) -> Result<Self, SettingsError> {
        match self.depth {
            Depth::Levels(levels) if !(1..=DEPTH_MAX).contains(&levels) => return Err(SettingsError::Depth { levels }),
            _ => {}
        }
        match self.pace {
            Pace::Interval { ns } if ns < INTERVAL_NS_MIN => return Err(SettingsError::Interval { ns }),
            Pace::Budget { bytes_per_second } if bytes_per_second < BUDGET_MIN => {
                return Err(SettingsError::Budget { bytes_per_second });
            }
            _ => {}
        }
        if self.outbox_bytes_max == 0 {
            return Err(SettingsError::Outbox);
        }
        Ok(self)
    }
}
