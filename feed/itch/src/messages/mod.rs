//! One struct per ITCH 5.0 message. `SPEC.md` has a table of each with its offsets.

mod admin;
mod auction;
mod order;
mod trade;

pub use admin::{
    IpoQuotingPeriod, LuldAuctionCollar, MarketParticipantPosition, MwcbDeclineLevels, MwcbStatus, OperationalHalt,
    RegShoRestriction, StockDirectory, StockTradingAction, SystemEvent,
};
pub use auction::{CapitalRaiseDiscovery, NetOrderImbalance, RetailInterest};
pub use order::{
    AddOrder, AddOrderAttributed, OrderCancel, OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReplace,
};
pub use trade::{BrokenTrade, CrossTrade, Trade};
