//! What a client sends (OUCH 5.0, section 2). None of it is sequenced, all of it may be sent again without harm.

use super::codes::{Capacity, CrossType, Display, InterMarketSweep, Side, TimeInForce};
use super::table::{Field, direction, message};
use super::value::{ClOrdId, Price, Quantity, Symbol, UserRefNum};
use crate::fixed::get;

message! {
    /// Enter Order (`O`, section 2.1): a new order.
    EnterOrder b'O' 47 {
        /// The client's reference; strictly increasing, a lower or equal one is a retransmission.
        1 4 user_ref: UserRefNum,
        /// Side.
        5 1 side: Side,
        /// Shares; see [`Quantity::is_enterable`].
        6 4 quantity: Quantity,
        /// Stock symbol.
        10 8 symbol: Symbol,
        /// Limit price, or a price that means market ([`Price::is_market`]).
        18 8 price: Price,
        /// How long the order lives.
        26 1 time_in_force: TimeInForce,
        /// How the order is shown.
        27 1 display: Display,
        /// In what capacity the firm acts.
        28 1 capacity: Capacity,
        /// Whether the order is an intermarket sweep order.
        29 1 inter_market_sweep: InterMarketSweep,
        /// The cross in which the order takes part.
        30 1 cross_type: CrossType,
        /// The client's order identifier.
        31 14 cl_ord_id: ClOrdId,
        @ 45 2 appendage [2 3 4 5 6 7 9 10 11 12 13 14 15 16 17 24 25]
    }
}

message! {
    /// Replace Order Request (`U`, section 2.2): a new order in place of a live one, always with new time priority.
    ReplaceOrder b'U' 40 {
        /// The live order.
        1 4 orig_user_ref: UserRefNum,
        /// The replacement's reference.
        5 4 user_ref: UserRefNum,
        /// Shares for the whole chain, those already executed included.
        9 4 quantity: Quantity,
        /// Limit price, or a price that means market.
        13 8 price: Price,
        /// How long the replacement lives.
        21 1 time_in_force: TimeInForce,
        /// How the replacement is shown.
        22 1 display: Display,
        /// Whether the replacement is an intermarket sweep order.
        23 1 inter_market_sweep: InterMarketSweep,
        /// The client's identifier of the replacement.
        24 14 cl_ord_id: ClOrdId,
        @ 38 2 appendage [3 4 5 6 7 9 10 11 12 13 15 16 17 24 25]
    }
}

message! {
    /// Cancel Order Request (`X`, section 2.3): cancels or reduces, keeping priority.
    CancelOrder b'X' 9 {
        /// The order.
        1 4 user_ref: UserRefNum,
        /// The new intended total, executed shares included; 0 cancels what is open.
        5 4 quantity: Quantity,
    }
}

message! {
    /// Modify Order Request (`M`, section 2.4): changes the kind of sale (S to E, S to T, E to T) or reduces, keeping
    /// priority.
    ModifyOrder b'M' 10 {
        /// The order.
        1 4 user_ref: UserRefNum,
        /// The new side.
        5 1 side: Side,
        /// The new intended total, executed shares included; 0 cancels what is open.
        6 4 quantity: Quantity,
    }
}

message! {
    /// Account Query Request (`Q`, section 2.5): asks for the next UserRefNum to use.
    AccountQuery b'Q' 1 {}
}

direction! {
    /// A message from a client.
    Inbound(Inbound) {
        /// A new order.
        EnterOrder<'a>,
        /// A new order in place of a live one.
        ReplaceOrder<'a>,
        /// Cancels or reduces an order.
        CancelOrder,
        /// Changes the kind of sale or reduces.
        ModifyOrder,
        /// Asks for the next UserRefNum.
        AccountQuery,
    }
}

/// Whom an Order Rejected answers where an Enter or Replace Order has a whole fixed part but did not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The order that was to be replaced, where the message is a Replace Order.
    pub orig_user_ref: Option<UserRefNum>,
    /// The reference of the order or replacement.
    pub user_ref: UserRefNum,
    /// The client's identifier; blank where the bytes are not text.
    pub cl_ord_id: ClOrdId,
}

impl Addressee {
    /// The addressee of a message that may be broken in any other field.
    ///
    /// `None` for the other types, which have no reject, and for a message too short to hold its fixed part.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<Self> {
        match *message.first()? {
            EnterOrder::TYPE => {
                let fixed = message.first_chunk::<{ EnterOrder::LENGTH }>()?;
                Some(Self {
                    orig_user_ref: None,
                    user_ref: Field::from_wire(get::<47, 1, 4>(fixed)).ok()?,
                    cl_ord_id: ClOrdId::from_wire(get::<47, 31, 14>(fixed)).unwrap_or(ClOrdId::BLANK),
                })
            }
            ReplaceOrder::TYPE => {
                let fixed = message.first_chunk::<{ ReplaceOrder::LENGTH }>()?;
                Some(Self {
                    orig_user_ref: Some(Field::from_wire(get::<40, 1, 4>(fixed)).ok()?),
                    user_ref: Field::from_wire(get::<40, 5, 4>(fixed)).ok()?,
                    cl_ord_id: ClOrdId::from_wire(get::<40, 24, 14>(fixed)).unwrap_or(ClOrdId::BLANK),
                })
            }
            _ => None,
        }
    }
}
