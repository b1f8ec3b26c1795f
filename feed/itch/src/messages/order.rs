//! The life of a displayed order: these seven messages, and no others, change a book.

use crate::codes::{Side, YesNo};
use crate::text::{Mpid, Stock};
use crate::values::{MatchNumber, OrderReference, Price4, Shares};
use crate::wire::message;

message! {
    /// Add Order: an order joins the book behind all others at its price.
    AddOrder = b'A', 36 {
        /// Its name from now on.
        reference: OrderReference,
        /// Its side.
        side: Side,
        /// Its displayed shares.
        shares: Shares,
        /// The instrument.
        stock: Stock,
        /// Its price.
        price: Price4,
    }
}

message! {
    /// Add Order with MPID Attribution: as [`AddOrder`], and its owner wants to be named.
    AddOrderAttributed = b'F', 40 {
        /// Its name from now on.
        reference: OrderReference,
        /// Its side.
        side: Side,
        /// Its displayed shares.
        shares: Shares,
        /// The instrument.
        stock: Stock,
        /// Its price.
        price: Price4,
        /// Its owner.
        attribution: Mpid,
    }
}

message! {
    /// Order Executed: shares of a resting order traded at its own price.
    OrderExecuted = b'E', 31 {
        /// The resting order.
        reference: OrderReference,
        /// Shares that traded; the order has so many fewer, and is gone at zero.
        shares: Shares,
        /// The name of the execution.
        match_number: MatchNumber,
    }
}

message! {
    /// Order Executed with Price: shares of a resting order traded at another price than its own, or in a cross.
    OrderExecutedWithPrice = b'C', 36 {
        /// The resting order.
        reference: OrderReference,
        /// Shares that traded; the order has so many fewer, and is gone at zero.
        shares: Shares,
        /// The name of the execution.
        match_number: MatchNumber,
        /// Whether to count it as volume; a cross is told once more by its own message.
        printable: YesNo,
        /// The price it traded at.
        price: Price4,
    }
}

message! {
    /// Order Cancel: part of a resting order is taken out; the rest keeps its place.
    OrderCancel = b'X', 23 {
        /// The order.
        reference: OrderReference,
        /// Shares taken out.
        shares: Shares,
    }
}

message! {
    /// Order Delete: a resting order is gone.
    OrderDelete = b'D', 19 {
        /// The order.
        reference: OrderReference,
    }
}

message! {
    /// Order Replace: a resting order is gone, and a new one of the same side and instrument joins the book behind all
    /// others at its price.
    OrderReplace = b'U', 35 {
        /// The order that is gone.
        original_reference: OrderReference,
        /// The new order's name.
        new_reference: OrderReference,
        /// Its displayed shares.
        shares: Shares,
        /// Its price.
        price: Price4,
    }
}
