//! What the exchange sends (OUCH 5.0, section 3). All of it travels as sequenced messages.

use super::codes::{
    AcceptedDisplay, BrokenTradeReason, CancelReason, Capacity, CrossType, EventCode, InterMarketSweep, LiquidityFlag,
    OrderState, RejectReason, RestatedReason, Side, TimeInForce,
};
use super::table::{direction, message};
use super::value::{AiqStrategy, ClOrdId, MatchNumber, OrderReference, Price, Quantity, Symbol, Timestamp, UserRefNum};

message! {
    /// System Event (`S`, section 3.1): the trading day begins or ends.
    SystemEvent b'S' 10 {
        /// When.
        1 8 timestamp: Timestamp,
        /// What.
        9 1 event_code: EventCode,
    }
}

message! {
    /// Order Accepted (`A`, section 3.2): the order as it was taken, which may differ from the order as entered.
    OrderAccepted b'A' 64 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order's reference as entered.
        9 4 user_ref: UserRefNum,
        /// Side as entered.
        13 1 side: Side,
        /// Shares accepted.
        14 4 quantity: Quantity,
        /// Stock symbol as entered.
        18 8 symbol: Symbol,
        /// The accepted price, never worse for the client than the entered one.
        26 8 price: Price,
        /// The accepted time in force, never longer than the entered one.
        34 1 time_in_force: TimeInForce,
        /// How the order is shown.
        35 1 display: AcceptedDisplay,
        /// The order's public reference.
        36 8 order_reference: OrderReference,
        /// Capacity as entered.
        44 1 capacity: Capacity,
        /// Intermarket sweep as entered.
        45 1 inter_market_sweep: InterMarketSweep,
        /// Cross type as entered.
        46 1 cross_type: CrossType,
        /// Whether the order lives; a dead one gets no further message.
        47 1 order_state: OrderState,
        /// The client's order identifier.
        48 14 cl_ord_id: ClOrdId,
        @ 62 2 appendage [2 3 4 5 6 7 9 10 11 12 13 14 15 16 17 18 24 25]
    }
}

message! {
    /// Order Replaced (`U`, section 3.3): the replacement as it was taken.
    OrderReplaced b'U' 68 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order that was replaced.
        9 4 orig_user_ref: UserRefNum,
        /// The replacement's reference.
        13 4 user_ref: UserRefNum,
        /// Side of the first order of the chain.
        17 1 side: Side,
        /// Shares that are open now.
        18 4 quantity: Quantity,
        /// Stock symbol as entered.
        22 8 symbol: Symbol,
        /// The accepted price, never worse for the client than the entered one.
        30 8 price: Price,
        /// The accepted time in force, never longer than the entered one.
        38 1 time_in_force: TimeInForce,
        /// How the order is shown.
        39 1 display: AcceptedDisplay,
        /// The replacement's public reference.
        40 8 order_reference: OrderReference,
        /// Capacity as entered.
        48 1 capacity: Capacity,
        /// Intermarket sweep as entered.
        49 1 inter_market_sweep: InterMarketSweep,
        /// Cross type as entered.
        50 1 cross_type: CrossType,
        /// Whether the replacement lives; a dead one gets no further message.
        51 1 order_state: OrderState,
        /// The client's identifier of the replacement.
        52 14 cl_ord_id: ClOrdId,
        @ 66 2 appendage [2 3 5 6 12 15 16 17 18]
    }
}

message! {
    /// Order Canceled (`C`, section 3.4): an order was reduced or cancelled; it may still be alive in part.
    OrderCanceled b'C' 18 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order.
        9 4 user_ref: UserRefNum,
        /// Shares taken off by this message alone.
        13 4 quantity: Quantity,
        /// Why.
        17 1 reason: CancelReason,
    }
}

message! {
    /// AIQ Canceled (`D`, section 3.5): an order was reduced because it would have traded with its own member.
    AiqCanceled b'D' 32 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order.
        9 4 user_ref: UserRefNum,
        /// Shares taken off by this message alone.
        13 4 decrement_shares: Quantity,
        /// Always [`CancelReason::SelfMatchPrevention`].
        17 1 reason: CancelReason,
        /// Shares that would have traded.
        18 4 quantity_prevented: Quantity,
        /// The price at which they would have traded.
        22 8 execution_price: Price,
        /// The liquidity flag the order would have had.
        30 1 liquidity_flag: LiquidityFlag,
        /// The strategy that was applied.
        31 1 strategy: AiqStrategy,
    }
}

message! {
    /// Order Executed (`E`, section 3.6): all or part of an order traded.
    OrderExecuted b'E' 36 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order.
        9 4 user_ref: UserRefNum,
        /// Shares of this execution alone.
        13 4 quantity: Quantity,
        /// The price of the trade.
        17 8 price: Price,
        /// Whether the order added or removed liquidity, and how.
        25 1 liquidity_flag: LiquidityFlag,
        /// The trade's number.
        26 8 match_number: MatchNumber,
        @ 34 2 appendage []
    }
}

message! {
    /// Broken Trade (`B`, section 3.7): an execution was undone; it will not clear.
    BrokenTrade b'B' 36 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order whose execution is broken.
        9 4 user_ref: UserRefNum,
        /// The trade's number as it stood in Order Executed.
        13 8 match_number: MatchNumber,
        /// Why.
        21 1 reason: BrokenTradeReason,
        /// The client's order identifier.
        22 14 cl_ord_id: ClOrdId,
    }
}

message! {
    /// Order Rejected (`J`, section 3.8): an Enter or Replace Order was refused; its UserRefNum is used up.
    OrderRejected b'J' 29 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The reference that was refused.
        9 4 user_ref: UserRefNum,
        /// Why.
        13 2 reason: RejectReason,
        /// The client's order identifier.
        15 14 cl_ord_id: ClOrdId,
    }
}

message! {
    /// Cancel Pending (`P`, section 3.9): a cross order cannot be cancelled now; what is left of it will be, after the
    /// cross.
    CancelPending b'P' 13 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order.
        9 4 user_ref: UserRefNum,
    }
}

message! {
    /// Cancel Reject (`I`, section 3.10): a cross order cannot be reduced now, and will not be later without a new
    /// request.
    CancelReject b'I' 13 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order.
        9 4 user_ref: UserRefNum,
    }
}

message! {
    /// Order Priority Update (`T`, section 3.11): the exchange changed the order's priority, and with it its public
    /// reference.
    OrderPriorityUpdate b'T' 30 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order.
        9 4 user_ref: UserRefNum,
        /// The order's limit price.
        13 8 price: Price,
        /// How the order is shown now.
        21 1 display: AcceptedDisplay,
        /// The order's new public reference.
        22 8 order_reference: OrderReference,
    }
}

message! {
    /// Order Modified (`M`, section 3.12): a Modify Order Request was carried out.
    OrderModified b'M' 18 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order.
        9 4 user_ref: UserRefNum,
        /// The side as requested.
        13 1 side: Side,
        /// Shares that are open now.
        14 4 quantity: Quantity,
    }
}

message! {
    /// Order Restated (`R`, section 3.13): the exchange changed an order of its own accord; the appendage says to what.
    OrderRestated b'R' 16 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The order.
        9 4 user_ref: UserRefNum,
        /// Why.
        13 1 reason: RestatedReason,
        @ 14 2 appendage [1 22 23]
    }
}

message! {
    /// Account Query Response (`Q`, section 3.14): the answer to an Account Query Request.
    AccountQueryResponse b'Q' 13 {
        /// When.
        1 8 timestamp: Timestamp,
        /// The lowest UserRefNum that a new order may use.
        9 4 next_user_ref: UserRefNum,
    }
}

direction! {
    /// A message from the exchange.
    Outbound(Outbound) {
        /// The trading day begins or ends.
        SystemEvent,
        /// An order was taken.
        OrderAccepted<'a>,
        /// A replacement was taken.
        OrderReplaced<'a>,
        /// An order was reduced or cancelled.
        OrderCanceled,
        /// An order was reduced to prevent a trade with its own member.
        AiqCanceled,
        /// All or part of an order traded.
        OrderExecuted<'a>,
        /// An execution was undone.
        BrokenTrade,
        /// An Enter or Replace Order was refused.
        OrderRejected,
        /// A cross order will be cancelled after the cross.
        CancelPending,
        /// A cross order cannot be reduced now.
        CancelReject,
        /// The order's priority and public reference changed.
        OrderPriorityUpdate,
        /// A Modify Order Request was carried out.
        OrderModified,
        /// The exchange changed an order of its own accord.
        OrderRestated<'a>,
        /// The next UserRefNum to use.
        AccountQueryResponse,
    }
}
