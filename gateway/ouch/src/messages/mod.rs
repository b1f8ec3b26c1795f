//! OUCH 5.0 (April 2023): every message as a struct, from bytes and to bytes.
//!
//! [`Inbound`] is what a client sends, [`Outbound`] what the exchange sends. A message is a fixed part, followed in
//! some types by an appendage of optional fields ([`Appendage`], [`Options`]). Nothing is allocated on decode; `encode`
//! appends to a `Vec` of the caller.
//!
//! This module never judges an order. It says only whether the bytes are a message of the format; every bad byte is a
//! [`DecodeError`] that names its field.

mod codes;
mod error;
mod inbound;
mod options;
mod outbound;
mod table;
mod value;

pub use codes::{
    AcceptedDisplay, BboWeight, BrokenTradeReason, CancelReason, Capacity, CrossType, CustomerType,
    DiscretionPriceType, Display, EventCode, HandleInst, InterMarketSweep, LiquidityFlag, OrderState, PostOnly,
    PriceType, RejectReason, RestatedReason, SharesLocated, Side, TimeInForce, TradeNow,
};
pub use error::{DecodeError, Direction};
pub use inbound::{AccountQuery, Addressee, CancelOrder, EnterOrder, Inbound, ModifyOrder, ReplaceOrder};
pub use options::{Appendage, AppendageBuffer, Options, TagValue, TagValues};
pub use outbound::{
    AccountQueryResponse, AiqCanceled, BrokenTrade, CancelPending, CancelReject, OrderAccepted, OrderCanceled,
    OrderExecuted, OrderModified, OrderPriorityUpdate, OrderRejected, OrderReplaced, OrderRestated, Outbound,
    SystemEvent,
};
pub use value::{
    AiqStrategy, ClOrdId, ExpireTime, Firm, GroupId, MatchNumber, OrderReference, Price, Quantity, Route, SignedPrice,
    Symbol, Timestamp, UserRefNum,
};
