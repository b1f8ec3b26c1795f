//! The runaway guard: what a firm may send before it is taken for a program that has run away.
//!
//! SEC release 34-70694: one server sent child orders without end for parents that were filled long before, and nothing in
//! front of the market compared the two, nor what was sent with what the firm could mean to send. The limits and parents are
//! sequenced; who watches them follows the released stream, judges by its stamps, and has what it finds sequenced.

use crate::codec::{byte_enum, composite};
use crate::ids::{FirmId, SequenceNumber};

/// The longest window, in milliseconds.
pub const RUNAWAY_WINDOW_MAX: u32 = 60_000;

composite! {
    /// What a firm may send within a window of sequenced time. Zero: no such limit.
    RunawayLimits {
        /// How long the window is, in milliseconds, a multiple of 10; it moves on by a tenth of itself.
        window: u32,
        /// How many orders, new or replaced.
        orders: u32,
        /// For how much, in price units times units of quantity.
        notional: u64,
    }
}

byte_enum! {
    /// Which limit was passed.
    RunawayCause {
        /// Children of a parent ask for more than the parent.
        Parent = 0,
        /// Too many orders within the window.
        Orders = 1,
        /// Orders for too much within the window.
        Notional = 2,
    }
}

composite! {
    /// A firm has passed a limit.
    RunawayTrip {
        /// Which firm.
        firm: FirmId,
        /// Which limit.
        cause: RunawayCause,
        /// By which command.
        judged: SequenceNumber,
        /// How much there was behind it.
        measured: u64,
        /// How much may be.
        limit: u64,
    }
}

impl RunawayLimits {
    /// Whether they can be watched.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        let none = self.orders == 0 && self.notional == 0;
        let window = self.window > 0 && self.window <= RUNAWAY_WINDOW_MAX && self.window.is_multiple_of(10);
        (none && self.window == 0) || (!none && window)
    }
}
