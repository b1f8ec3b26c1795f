//! The engine's whole state as plain canonical data: what a snapshot holds and what the state hash is taken over.
//!
//! Two engines that went through the same commands have equal states, whatever they are made of. Internal handles, pool
//! orders and caches are not in it, and must never be.

use alloc::vec::Vec;
use rialto_model::command::{DefineAccount, DefineFirm, DefineInstrument, DefineSession};
use rialto_model::limits::LIVE_ORDERS_MAX;
use rialto_model::{
    AccountId, Incarnation, OrderId, Policy, Price, PublicRef, Quantity, ReleaseNumber, SequenceNumber, SessionId,
    ShortSale, StateHash, TimeInForce, Timestamp, TradingDay, UserRef, VenueId,
};

/// Everything an engine knows. Lists are in order of id; orders are in price-time order, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineState {
    /// Whose stream this is; zero before the first release.
    pub venue: VenueId,
    /// The behaviour in force; zero before the first release.
    pub release: ReleaseNumber,
    /// The number of the last command.
    pub last_seq: SequenceNumber,
    /// Its stamp.
    pub last_stamp: Timestamp,
    /// How many orders may rest at one time, at most [`LIVE_ORDERS_MAX`].
    pub live_orders_max: u32,
    /// The last trading day that was opened; zero before the first.
    pub day: TradingDay,
    /// The midnight from which it counts nanoseconds.
    pub midnight: Timestamp,
    /// Whether it is still open.
    pub day_open: bool,
    /// The member firms.
    pub firms: Vec<DefineFirm>,
    /// Their accounts.
    pub accounts: Vec<DefineAccount>,
    /// Their sessions.
    pub sessions: Vec<SessionState>,
    /// The instruments with their books, dense from 1.
    pub instruments: Vec<InstrumentState>,
}

/// A session and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionState {
    /// As it was defined.
    pub definition: DefineSession,
    /// Whether it is up.
    pub up: bool,
    /// Its connection, or the last one where it is down; zero before the first.
    pub incarnation: Incarnation,
    /// The highest user reference it consumed on the current trading day.
    pub last_user_ref: UserRef,
}

/// An instrument and its book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentState {
    /// As it was defined.
    pub definition: DefineInstrument,
    /// How many public references it has given.
    pub public_refs: u64,
    /// How many trades it has seen.
    pub trades: u64,
    /// Resting buy orders: highest price first, then in the order they came.
    pub bids: Vec<OrderState>,
    /// Resting sell orders: lowest price first, then in the order they came.
    pub asks: Vec<OrderState>,
}

/// A resting order. Its firm is that of its session; only limit orders rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderState {
    /// The venue's name of it.
    pub order_id: OrderId,
    /// Its reference on the feed.
    pub public_ref: PublicRef,
    /// Whose.
    pub session: SessionId,
    /// The client's name of it.
    pub user_ref: UserRef,
    /// Whether it came on an earlier day, so that its user reference names nothing today.
    pub carried: bool,
    /// For whom.
    pub account: AccountId,
    /// At which price.
    pub price: Price,
    /// What is open.
    pub leaves: Quantity,
    /// Executed so far in the chain.
    pub executed: Quantity,
    /// How long it stands: DAY or GTC.
    pub tif: TimeInForce,
    /// How a sale is marked.
    pub short: ShortSale,
    /// The meanings it stands under.
    pub policy: Policy,
}

impl Default for EngineState {
    /// A venue before its first command.
    fn default() -> Self {
        Self {
            venue: VenueId(0),
            release: ReleaseNumber(0),
            last_seq: SequenceNumber(0),
            last_stamp: Timestamp(0),
            live_orders_max: LIVE_ORDERS_MAX,
            day: TradingDay(0),
            midnight: Timestamp(0),
            day_open: false,
            firms: Vec::new(),
            accounts: Vec::new(),
            sessions: Vec::new(),
            instruments: Vec::new(),
        }
    }
}

impl EngineState {
    /// The hash of the canonical bytes ([`EngineState::encode`]).
    #[must_use]
    pub fn state_hash(&self) -> StateHash {
        StateHash::of(&self.encode())
    }

    /// How many orders rest.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        let resting = |listed: &InstrumentState| listed.bids.len() + listed.asks.len();
        self.instruments.iter().map(resting).sum()
    }
}
