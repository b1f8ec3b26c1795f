//! The engine's whole state as plain canonical data: what a snapshot holds and what the state hash is taken over.
//!
//! Two engines that went through the same commands have equal states, whatever they are made of. Internal handles, pool
//! orders and caches are not in it, and must never be.

use crate::members::MembersState;
use alloc::vec::Vec;
use rialto_model::command::{AddFault, DefineAccount, DefineFirm, DefineInstrument, DefineSession, SetParent};
use rialto_model::flags::Rule;
use rialto_model::limits::LIVE_ORDERS_MAX;
use rialto_model::{
    AccountId, Allocation, Bands, BreakerLevel, Fees, FirmId, Incarnation, Instructions, InstrumentId, OrderId,
    OrderKind, Phase, Policy, Price, PublicRef, Quantity, QuoteLimits, ReleaseNumber, Rulebook, RunawayLimits,
    SelfTrade, SequenceNumber, SessionId, ShortSale, Side, StateHash, TickTable, TimeInForce, Timestamp, TradeId,
    TradingDay, UserRef, VenueId,
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
    /// The halt of the whole market.
    pub breaker: BreakerLevel,
    /// The market-maker protection of sessions that have one, in order of id.
    pub protections: Vec<(SessionId, QuoteLimits)>,
    /// What is counted for it, in order of instrument and session.
    pub quoters: Vec<QuoterState>,
    /// Trades of today that are undone, in rising order.
    pub undone: Vec<TradeId>,
    /// Whether cancels and reductions are taken alone.
    pub cancel_only: bool,
    /// Flags that were ever switched, in order of number.
    pub flags: Vec<FlagState>,
    /// What firms may send, of those that have limits, in order of id.
    pub runaways: Vec<(FirmId, RunawayLimits)>,
    /// The parents that are stated, in order of firm and name.
    pub parents: Vec<SetParent>,
    /// Faults that stand, in the order they came.
    pub faults: Vec<FaultState>,
    /// The member firms.
    pub firms: Vec<FirmState>,
    /// Their accounts.
    pub accounts: Vec<DefineAccount>,
    /// Their sessions.
    pub sessions: Vec<SessionState>,
    /// The instruments with their books, dense from 1.
    pub instruments: Vec<InstrumentState>,
    /// What is kept of members beyond their definitions.
    pub members: MembersState,
}

/// A firm and what is chosen for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirmState {
    /// As it was defined.
    pub definition: DefineFirm,
    /// Its self-trade prevention; `Allowed` leaves it to each instrument.
    pub self_trade: SelfTrade,
    /// Whether its kill switch is on.
    pub killed: bool,
}

/// A flag and how it is switched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagState {
    /// Its number.
    pub number: u16,
    /// Whether it is retired in this stream; it has no rule then.
    pub retired: bool,
    /// Its rules, in order of target and id; of shares one alone.
    pub rules: Vec<Rule>,
}

/// A fault that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultState {
    /// As it was added.
    pub definition: AddFault,
    /// The phase that a halted instrument goes back into; continuous where it halts none.
    pub before: Phase,
}

/// What is counted of a session's quotes on an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoterState {
    /// On which instrument.
    pub instrument: InstrumentId,
    /// Whose.
    pub session: SessionId,
    /// Its protection there has tripped.
    pub tripped: bool,
    /// Trades since the first that counted when the last one came, oldest first.
    pub fills: Vec<Fill>,
}

/// A trade of a quote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// When.
    pub stamp: Timestamp,
    /// On which side the quote stood.
    pub side: Side,
    /// How much.
    pub quantity: Quantity,
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
    /// How many of them on earlier days.
    pub trades_at_open: u64,
    /// The price of the last one; zero before the first.
    pub last_price: Price,
    /// Its rules, if it was given a rulebook.
    pub rules: Option<Rules>,
    /// In which phase it is; always in continuous trading without a rulebook.
    pub phase: Phase,
    /// What was last published of its auction.
    pub outlook: Outlook,
    /// What its price bounds go by; all zero without any.
    pub guard: Guard,
    /// Displayed buy orders: highest price first, then in the order they came.
    pub bids: Vec<OrderState>,
    /// Displayed sell orders: lowest price first, then in the order they came.
    pub asks: Vec<OrderState>,
    /// Hidden buy orders, in the same order.
    pub hidden_bids: Vec<OrderState>,
    /// Hidden sell orders, in the same order.
    pub hidden_asks: Vec<OrderState>,
    /// Orders that stand in no queue, in the order they came: stop orders before they are triggered, orders for the closing
    /// auction before it, market orders while orders are collected, pegged orders without a price to follow.
    pub aside: Vec<Aside>,
}

/// What the orders of an auction would do, were it over now; all zero for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// At which price they would trade.
    pub price: Price,
    /// How much.
    pub volume: Quantity,
    /// How much more could trade at that price, were there somebody on the other side.
    pub imbalance: Quantity,
    /// The side of the imbalance; buy where there is none.
    pub side: Side,
}

/// The rules of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Their version.
    pub version: u32,
    /// The rulebook.
    pub rulebook: Rulebook,
    /// The tick sizes.
    pub ticks: TickTable,
    /// The price bounds.
    pub bands: Bands,
    /// The fees.
    pub fees: Fees,
    /// The allocation.
    pub allocation: Allocation,
}

/// What price bounds go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// The reference of the collar; zero before there is one.
    pub reference: Price,
    /// The reference of the limit bands; zero before there is one.
    pub average: Price,
    /// The trades of each tenth of the window, oldest first.
    pub tallies: [Tally; 10],
    /// When the oldest tenth goes; zero where nothing is counted.
    pub boundary: Timestamp,
    /// The limit state: on which side.
    pub limit: Option<Side>,
    /// When a limit state becomes a pause, or a pause or interruption ends; zero: by the venue's command.
    pub deadline: Timestamp,
}

/// The trades of a tenth of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The sum of their prices.
    pub sum: u64,
    /// How many there were.
    pub count: u64,
}

/// An order that stands in no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aside {
    /// On which side.
    pub side: Side,
    /// The order.
    pub order: OrderState,
}

/// A live order. Its firm is that of its session; only limit orders rest in a queue.
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
    /// Whether it came on an earlier day, or is a side of a quote, so that its user reference names nothing today.
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
    /// What else it asks for; nothing for a plain order.
    pub special: Option<Special>,
}

/// What an order with instructions has beyond a plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Special {
    /// What it is, or becomes when it is triggered.
    pub kind: OrderKind,
    /// What it asks for.
    pub instructions: Instructions,
    /// How much of what is open an iceberg does not display.
    pub reserve: Quantity,
    /// The stop price that holds now, for an order that stands aside; zero otherwise.
    pub trigger: Price,
    /// Whether it waits for its auction to begin.
    pub waits: bool,
    /// The limit of a pegged order, whose price is what it follows; zero otherwise.
    pub limit: Price,
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
            breaker: BreakerLevel::None,
            protections: Vec::new(),
            quoters: Vec::new(),
            undone: Vec::new(),
            cancel_only: false,
            flags: Vec::new(),
            runaways: Vec::new(),
            parents: Vec::new(),
            faults: Vec::new(),
            firms: Vec::new(),
            accounts: Vec::new(),
            sessions: Vec::new(),
            instruments: Vec::new(),
            members: MembersState::default(),
        }
    }
}

impl EngineState {
    /// The hash of the canonical bytes ([`EngineState::encode`]).
    #[must_use]
    pub fn state_hash(&self) -> StateHash {
        StateHash::of(&self.encode())
    }

    /// How many orders live.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.instruments.iter().map(|listed| listed.orders().count()).sum()
    }
}

impl InstrumentState {
    /// Every live order: bids, asks, hidden bids, hidden asks, those that stand aside.
    pub fn orders(&self) -> impl Iterator<Item = (Side, &OrderState)> {
        let queues = [
            (Side::Buy, &self.bids),
            (Side::Sell, &self.asks),
            (Side::Buy, &self.hidden_bids),
            (Side::Sell, &self.hidden_asks),
        ];
        let queued = queues
            .into_iter()
            .flat_map(|(side, queue)| queue.iter().map(move |order| (side, order)));
        queued.chain(self.aside.iter().map(|one| (one.side, &one.order)))
    }
}

impl OrderState {
    /// Its instructions; none for a plain order.
    #[must_use]
    pub fn instructions(&self) -> Instructions {
        self.special.map_or(Instructions::NONE, |special| special.instructions)
    }

    /// How much of it is displayed, where it stands in a displayed queue.
    #[must_use]
    pub fn displayed(&self) -> Quantity {
        let reserve = self.special.map_or(Quantity::ZERO, |special| special.reserve);
        self.leaves.saturating_sub(reserve)
    }
}
