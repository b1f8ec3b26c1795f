//! The vocabulary every part of Rialto shares: identities, commands, events, limits and their bytes.
//!
//! What stands here sets record layouts and keys that outlive any build, so it changes by appending only
//! (see [`codec`] for the rule and `SPEC.md` beside this crate for the tables). The crate holds no clock, no
//! randomness, no I/O, no floats and no hash maps: a stage may depend on it without losing determinism.
//!
//! - [`ids`]: who and what: venue, firm, account, session, instrument, the three names of an order.
//! - [`price`], [`time`], [`order`], [`instructions`], [`text`]: values; [`rulebook`]: the rules of an instrument;
//!   [`deal`]: money, and trades to be undone; [`quote`]: those of market makers; [`flags`]: variants of behaviour;
//!   [`runaway`]: what a firm may send; [`member`]: limits and users of firms.
//! - [`command`]: everything that can change an output; [`event`]: everything that came of it.
//! - [`sequenced`]: the envelope the sequencer stamps; [`hash`]: the one oracle; [`limits`]: every bound by name.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod codec;
pub mod command;
pub mod deal;
pub mod deploy;
pub mod event;
pub mod fault;
pub mod flags;
pub mod hash;
pub mod ids;
pub mod instructions;
pub mod limits;
pub mod member;
pub mod order;
pub mod price;
pub mod quote;
pub mod reason;
pub mod rulebook;
pub mod runaway;
pub mod sequenced;
pub mod text;
pub mod time;

pub use command::Command;
pub use deal::{Deal, Fees, Money, Rate};
pub use deploy::{Audience, Cut, Finding, Hearing, Lane, Opinion, Place, Poison, Reach, Way};
pub use event::Event;
pub use fault::FaultKind;
pub use flags::{FlagAct, FlagChange, FlagTarget, TableHash};
pub use hash::{EventHash, StateHash};
pub use ids::{
    AccountId, Epoch, FirmId, Incarnation, InstrumentId, MsgSeqNum, OrderId, PublicRef, ReleaseNumber, SequenceNumber,
    SessionId, TradeId, UserRef, VenueId,
};
pub use instructions::{AuctionOnly, Handling, Instructions};
pub use member::{Budgets, FeeTier, Notional, RiskLimits, Role, Service, ShardId, UserId};
pub use order::{
    Capacity, Door, LossCause, OrderKind, Phase, Policy, ShortSale, Side, SideFilter, Target, TimeInForce,
};
pub use price::{Part, Price, PriceScale, Quantity};
pub use quote::{Quote, QuoteLimits, Quotes};
pub use reason::{CancelReason, IgnoreReason, RejectReason};
pub use rulebook::{Allocation, AllocationRule, Bands, BreakerLevel, Offers, Rulebook, SelfTrade, TickRow, TickTable};
pub use runaway::{RunawayCause, RunawayLimits, RunawayTrip};
pub use sequenced::{EventSink, Output, Sequenced};
pub use text::{Actor, Mpid, Symbol, Text};
pub use time::{Clock, Monotonic, Timestamp, TradingDay};
