//! Trades that no book shows.

use crate::codes::{CrossType, Side};
use crate::text::Stock;
use crate::values::{MatchNumber, OrderReference, Price4, Shares, TotalShares};
use crate::wire::message;

message! {
    /// Trade (not a cross): a non-displayed resting order traded. Changes no book.
    Trade = b'P', 44 {
        /// Zero on feeds of today.
        reference: OrderReference,
        /// The side of the resting order; always buy on feeds of today.
        side: Side,
        /// Shares that traded.
        shares: Shares,
        /// The instrument.
        stock: Stock,
        /// The price it traded at.
        price: Price4,
        /// The name of the execution.
        match_number: MatchNumber,
    }
}

message! {
    /// Cross Trade: the outcome of a cross, once for all its executions. Changes no book.
    CrossTrade = b'Q', 40 {
        /// Shares that traded; zero where there was nothing to match.
        shares: TotalShares,
        /// The instrument.
        stock: Stock,
        /// The price they traded at.
        price: Price4,
        /// The name of the execution.
        match_number: MatchNumber,
        /// Which cross.
        cross_type: CrossType,
    }
}

message! {
    /// Broken Trade: an execution is void. Changes no book.
    BrokenTrade = b'B', 19 {
        /// Which.
        match_number: MatchNumber,
    }
}
