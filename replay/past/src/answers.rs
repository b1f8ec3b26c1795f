//! Questions to the venue as it was at one place: books, an order, a member, the whole in numbers.
//!
//! All of them read the engine's canonical state and nothing else of it. Prices are decimals in their instrument's scale.

use crate::limits::LEVELS_MAX;
use crate::names::{Names, decimal};
use crate::past::Past;
use rialto_matching::EngineState;
use rialto_matching::state::{InstrumentState, OrderState};
use rialto_model::{FirmId, OrderId, Side};
use serde::Serialize;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No such instrument at that place.
    #[error("no instrument is called {name:?} at sequence number {seq}: there are {there}")]
    Instrument {
        /// What was asked for.
        name: String,
        /// The place.
        seq: u64,
        /// Those there are.
        there: String,
    },
    /// The order is in no book.
    #[error(
        "order {id} rests in no book at sequence number {seq}: `rialto order history {id}` tells what became of it"
    )]
    Order {
        /// What was asked for.
        id: OrderId,
        /// The place.
        seq: u64,
    },
    /// No such member.
    #[error("no firm, identifier or session is called {name:?} at sequence number {seq}: there are {there}")]
    Member {
        /// What was asked for.
        name: String,
        /// The place.
        seq: u64,
        /// Those there are.
        there: String,
    },
}

/// One price level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Level {
    /// At which price.
    pub price: String,
    /// The open quantity of all orders there.
    pub quantity: u64,
    /// How many there are.
    pub orders: usize,
}

/// A book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BookAnswer {
    /// The place.
    pub seq: u64,
    /// Which book.
    pub symbol: String,
    /// Resting orders in it.
    pub orders: usize,
    /// Trades in it so far.
    pub trades: u64,
    /// The best levels of the buy side, the highest price first.
    pub bids: Vec<Level>,
    /// The best levels of the sell side, the lowest price first.
    pub asks: Vec<Level>,
}

/// A resting order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderAnswer {
    /// The place.
    pub seq: u64,
    /// The venue's name of it.
    pub order: u64,
    /// In which book.
    pub symbol: String,
    /// On which side.
    pub side: String,
    /// At which price.
    pub price: String,
    /// What is open.
    pub leaves: u64,
    /// Executed so far in the chain.
    pub executed: u64,
    /// How long it stands.
    pub time_in_force: String,
    /// Whose.
    pub firm: String,
    /// By which session.
    pub session: String,
    /// The client's name of it.
    pub user_ref: u32,
    /// Its reference on the feed.
    pub public_ref: u64,
    /// Orders in front of it at its price.
    pub orders_ahead: usize,
    /// Their open quantity.
    pub quantity_ahead: u64,
    /// Open quantity at better prices.
    pub quantity_better: u64,
}

/// A session of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionAnswer {
    /// What it logs on as.
    pub session: String,
    /// By which door.
    pub door: String,
    /// Whether it is up.
    pub up: bool,
    /// Its connection, or the last one.
    pub incarnation: u32,
    /// The highest reference it used today.
    pub last_user_ref: u32,
    /// Its resting orders.
    pub orders: usize,
}

/// A member firm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberAnswer {
    /// The place.
    pub seq: u64,
    /// What people call it.
    pub firm: String,
    /// Its identifier.
    pub mpid: String,
    /// Its resting orders.
    pub orders: usize,
    /// Their open quantity to buy.
    pub open_to_buy: u64,
    /// Their open quantity to sell.
    pub open_to_sell: u64,
    /// Its sessions.
    pub sessions: Vec<SessionAnswer>,
}

/// The whole in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatsAnswer {
    /// The place.
    pub seq: u64,
    /// The stamp of its command, ns since 1970.
    pub stamp: u64,
    /// The trading day.
    pub trading_day: String,
    /// Whether it is open.
    pub day_open: bool,
    /// The behaviour in force.
    pub release: u32,
    /// The hash of the whole state.
    pub state_hash: String,
    /// The hash over all events.
    pub event_hash: String,
    /// How many events there were.
    pub events: u64,
    /// Resting orders.
    pub live_orders: usize,
    /// Trades so far.
    pub trades: u64,
    /// Defined instruments.
    pub instruments: usize,
    /// Defined firms.
    pub firms: usize,
    /// Defined sessions.
    pub sessions: usize,
    /// Those that are up.
    pub sessions_up: usize,
    /// The snapshot that the answer began from; zero: the first command.
    pub from_snapshot: u64,
    /// Commands applied since.
    pub replayed: u64,
}

/// The book of `symbol`, or every book; `levels` a side at most, bounded by [`LEVELS_MAX`].
///
/// # Errors
/// [`NoAnswer::Instrument`].
pub fn book(past: &Past, symbol: Option<&str>, levels: usize) -> Result<Vec<BookAnswer>, NoAnswer> {
    let state = past.state();
    let levels = levels.min(LEVELS_MAX);
    let is_meant = |one: &&InstrumentState| symbol.is_none_or(|name| one.definition.symbol.as_str() == name);
    let meant: Vec<_> = state.instruments.iter().filter(is_meant).collect();
    if let (true, Some(name)) = (meant.is_empty(), symbol) {
        let there = state.instruments.iter().map(|one| one.definition.symbol.to_string());
        return Err(NoAnswer::Instrument {
            name: name.to_owned(),
            seq: past.seq().0,
            there: listed(there),
        });
    }
    let answer = |one: &&InstrumentState| BookAnswer {
        seq: past.seq().0,
        symbol: one.definition.symbol.to_string(),
        orders: one.bids.len() + one.asks.len(),
        trades: one.trades,
        bids: side_levels(one, &one.bids, levels),
        asks: side_levels(one, &one.asks, levels),
    };
    Ok(meant.iter().map(answer).collect())
}

fn side_levels(one: &InstrumentState, orders: &[OrderState], levels: usize) -> Vec<Level> {
    let level = |orders: &[OrderState]| Level {
        price: orders
            .first()
            .map(|order| decimal(order.price, one.definition.scale))
            .unwrap_or_default(),
        quantity: orders.iter().map(|order| order.leaves.0).sum(),
        orders: orders.len(),
    };
    let at_one_price = orders.chunk_by(|a, b| a.price == b.price);
    at_one_price.take(levels).map(level).collect()
}

/// A resting order and its place in the queue.
///
/// # Errors
/// [`NoAnswer::Order`].
pub fn order(past: &Past, id: OrderId) -> Result<OrderAnswer, NoAnswer> {
    let state = past.state();
    let names = Names::of(&state);
    let nowhere = NoAnswer::Order { id, seq: past.seq().0 };
    let (listed, side, queue, at) = find(&state, id).ok_or(nowhere)?;
    let (before, order) = match queue.split_at_checked(at) {
        Some((before, [order, ..])) => (before, order),
        _ => unreachable!("the index was found in this queue"),
    };
    let ahead: Vec<_> = before.iter().filter(|other| other.price == order.price).collect();
    let better = before.iter().filter(|other| other.price != order.price);
    let firm = state
        .sessions
        .iter()
        .find(|one| one.definition.session == order.session);
    Ok(OrderAnswer {
        seq: past.seq().0,
        order: id.0,
        symbol: listed.definition.symbol.to_string(),
        side: format!("{side:?}"),
        price: decimal(order.price, listed.definition.scale),
        leaves: order.leaves.0,
        executed: order.executed.0,
        time_in_force: format!("{:?}", order.tif),
        firm: names.firm(firm.map_or(FirmId(0), |one| one.definition.firm)),
        session: names.session(order.session),
        user_ref: order.user_ref.0,
        public_ref: order.public_ref.0,
        orders_ahead: ahead.len(),
        quantity_ahead: ahead.iter().map(|other| other.leaves.0).sum(),
        quantity_better: better.map(|other| other.leaves.0).sum(),
    })
}

/// Book, side, queue and place of a resting order.
pub(crate) fn find(state: &EngineState, id: OrderId) -> Option<(&InstrumentState, Side, &[OrderState], usize)> {
    state.instruments.iter().find_map(|listed| {
        [(Side::Buy, &listed.bids), (Side::Sell, &listed.asks)]
            .into_iter()
            .find_map(|(side, queue)| {
                let at = queue.iter().position(|order| order.order_id == id)?;
                Some((listed, side, queue.as_slice(), at))
            })
    })
}

/// A member firm by its name, its identifier, its number, or the name of one of its sessions.
///
/// # Errors
/// [`NoAnswer::Member`].
pub fn member(past: &Past, name: &str) -> Result<MemberAnswer, NoAnswer> {
    let state = past.state();
    let by_session = state.sessions.iter().map(|one| &one.definition);
    let by_session = by_session
        .filter(|one| one.name.as_bytes() == name.as_bytes())
        .map(|one| one.firm);
    let mut firms = state.firms.iter().map(|one| &one.definition);
    let firm = firms.find(|one| {
        one.name.as_bytes() == name.as_bytes()
            || one.mpid.as_str() == name
            || name.parse() == Ok(one.firm.0)
            || by_session.clone().any(|firm| firm == one.firm)
    });
    let Some(firm) = firm else {
        let there = state
            .firms
            .iter()
            .map(|one| format!("{} ({})", one.definition.mpid, one.definition.name));
        return Err(NoAnswer::Member {
            name: name.to_owned(),
            seq: past.seq().0,
            there: listed(there),
        });
    };
    let own: Vec<_> = state
        .sessions
        .iter()
        .filter(|one| one.definition.firm == firm.firm)
        .collect();
    let is_own = |order: &&OrderState| own.iter().any(|one| one.definition.session == order.session);
    let bids: Vec<&OrderState> = state
        .instruments
        .iter()
        .flat_map(|one| &one.bids)
        .filter(is_own)
        .collect();
    let asks: Vec<&OrderState> = state
        .instruments
        .iter()
        .flat_map(|one| &one.asks)
        .filter(is_own)
        .collect();
    let sessions = own.iter().map(|one| SessionAnswer {
        session: one.definition.name.to_string(),
        door: format!("{:?}", one.definition.door),
        up: one.up,
        incarnation: one.incarnation.0,
        last_user_ref: one.last_user_ref.0,
        orders: bids
            .iter()
            .chain(&asks)
            .filter(|order| order.session == one.definition.session)
            .count(),
    });
    Ok(MemberAnswer {
        seq: past.seq().0,
        firm: firm.name.to_string(),
        mpid: firm.mpid.to_string(),
        orders: bids.len() + asks.len(),
        open_to_buy: bids.iter().map(|order| order.leaves.0).sum(),
        open_to_sell: asks.iter().map(|order| order.leaves.0).sum(),
        sessions: sessions.collect(),
    })
}

/// The whole in numbers.
#[must_use]
pub fn stats(past: &Past) -> StatsAnswer {
    let state = past.state();
    StatsAnswer {
        seq: past.seq().0,
        stamp: state.last_stamp.0,
        trading_day: state.day.to_string(),
        day_open: state.day_open,
        release: state.release.0,
        state_hash: state.state_hash().to_string(),
        event_hash: past.event_hash().to_string(),
        events: past.events(),
        live_orders: state.live_orders(),
        trades: state.instruments.iter().map(|one| one.trades).sum(),
        instruments: state.instruments.len(),
        firms: state.firms.len(),
        sessions: state.sessions.len(),
        sessions_up: state.sessions.iter().filter(|one| one.up).count(),
        from_snapshot: past.begun().0,
        replayed: past.applied(),
    }
}

/// Names for an error, or that there are none.
fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
