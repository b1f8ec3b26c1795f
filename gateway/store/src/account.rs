//! What is kept of one account.

use crate::limits::{DONE_MAX, FILLS_MAX};
use crate::router::Change;
use rialto_model::{
    Event, InstrumentId, Money, OrderId, Price, Quantity, SequenceNumber, SessionId, Side, Timestamp, TradeId, UserRef,
};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// An account of a firm. Two that took the same changes are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub(crate) orders: BTreeMap<OrderId, OrderRecord>,
    pub(crate) done: VecDeque<OrderRecord>,
    pub(crate) fills: VecDeque<Fill>,
    pub(crate) positions: BTreeMap<InstrumentId, Position>,
}

/// An order, open or over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OrderRecord {
    /// The command that changed it last.
    pub seq: u64,
    /// The venue's name of it.
    pub order: u64,
    /// Whose.
    pub session: u32,
    /// The client's name of it.
    pub user_ref: u32,
    /// The account.
    pub account: u32,
    /// What.
    pub instrument: u16,
    /// `"buy"` or `"sell"`.
    pub side: &'static str,
    /// The limit in price units; zero for a market order.
    pub price: i64,
    /// What is open.
    pub leaves: u64,
    /// Executed so far.
    pub executed: u64,
    /// `"open"`, `"filled"` or `"cancelled"`.
    pub state: &'static str,
}

/// One side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fill {
    /// The command that caused it.
    pub seq: u64,
    /// When, venue time in ns.
    pub stamp_ns: u64,
    /// The trade.
    pub trade: u64,
    /// The order.
    pub order: u64,
    /// The account.
    pub account: u32,
    /// What.
    pub instrument: u16,
    /// `"buy"` or `"sell"`.
    pub side: &'static str,
    /// At which price, in price units.
    pub price: i64,
    /// How much.
    pub quantity: u64,
    /// Whether the order rested.
    pub maker: bool,
    /// What was paid for it, in hundredths of a price unit; a rebate below zero.
    pub fee: i64,
    /// Undone since.
    pub busted: bool,
}

/// What was traded of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Bought in all.
    pub bought: u64,
    /// Sold in all.
    pub sold: u64,
    /// Paid for purchases less received for sales, in price units.
    pub paid: i128,
    /// Fees less rebates, in hundredths of a price unit.
    pub fees: i128,
}

impl Position {
    /// What is held; sold short below zero.
    #[must_use]
    pub const fn net(&self) -> i128 {
        self.bought as i128 - self.sold as i128
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            bought: self.bought + other.bought,
            sold: self.sold + other.sold,
            paid: self.paid + other.paid,
            fees: self.fees + other.fees,
        }
    }
}

/// A trade as one side of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) trade: TradeId,
    pub(crate) order: OrderId,
    pub(crate) session: SessionId,
    pub(crate) user_ref: UserRef,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    pub(crate) maker: bool,
    pub(crate) fee: Money,
}

pub(crate) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

impl Account {
    /// Takes in what the router says is this account's.
    pub(crate) fn take(&mut self, seq: SequenceNumber, stamp: Timestamp, account: u32, change: &Change) {
        match change {
            Change::Event(event) => self.take_event(seq, account, event),
            Change::Traded { leg, leaves } => {
                self.trade(leg, 1);
                if self.fills.len() >= FILLS_MAX {
                    self.fills.pop_front();
                }
                self.fills.push_back(Fill {
                    seq: seq.0,
                    stamp_ns: stamp.0,
                    trade: leg.trade.0,
                    order: leg.order.0,
                    account,
                    instrument: leg.instrument.0,
                    side: side_name(leg.side),
                    price: leg.price.0,
                    quantity: leg.quantity.0,
                    maker: leg.maker,
                    fee: leg.fee.0,
                    busted: false,
                });
                if let Some(leaves) = leaves {
                    self.execute(seq, leg, *leaves);
                }
            }
            Change::Undone { leg } => {
                self.trade(leg, -1);
                let fill = self
                    .fills
                    .iter_mut()
                    .rev()
                    .find(|fill| fill.trade == leg.trade.0 && fill.side == side_name(leg.side));
                if let Some(fill) = fill {
                    fill.busted = true;
                }
            }
        }
    }

    fn take_event(&mut self, seq: SequenceNumber, account: u32, event: &Event) {
        match event {
            Event::Accepted(e) => self.open(
                seq,
                account,
                e.order_id,
                e.session,
                e.user_ref,
                e.instrument,
                e.side,
                e.price,
                e.quantity,
            ),
            Event::Quoted(e) => self.open(
                seq,
                account,
                e.order_id,
                e.session,
                e.user_ref,
                e.instrument,
                e.side,
                e.price,
                e.quantity,
            ),
            Event::Replaced(e) => {
                let executed = e.executed.0;
                self.open(
                    seq,
                    account,
                    e.order_id,
                    e.session,
                    e.user_ref,
                    e.instrument,
                    e.side,
                    e.price,
                    e.quantity,
                );
                if let Some(order) = self.orders.get_mut(&e.order_id) {
                    order.executed = executed;
                }
            }
            Event::Reduced(e) => {
                if let Some(order) = self.orders.get_mut(&e.order_id) {
                    (order.seq, order.leaves) = (seq.0, e.leaves.0);
                }
            }
            Event::Cancelled(e) => self.close(seq, e.order_id, "cancelled"),
            _ => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields that three events have in common")]
    fn open(
        &mut self,
        seq: SequenceNumber,
        account: u32,
        order: OrderId,
        session: SessionId,
        user_ref: UserRef,
        instrument: InstrumentId,
        side: Side,
        price: Price,
        leaves: Quantity,
    ) {
        self.orders.insert(
            order,
            OrderRecord {
                seq: seq.0,
                order: order.0,
                session: session.0,
                user_ref: user_ref.0,
                account,
                instrument: instrument.0,
                side: side_name(side),
                price: price.0,
                leaves: leaves.0,
                executed: 0,
                state: "open",
            },
        );
    }

    fn execute(&mut self, seq: SequenceNumber, leg: &Leg, leaves: Quantity) {
        let Some(order) = self.orders.get_mut(&leg.order) else {
            return;
        };
        order.seq = seq.0;
        order.executed += leg.quantity.0;
        order.leaves = leaves.0;
        if leaves.is_zero() {
            self.close(seq, leg.order, "filled");
        }
    }

    fn close(&mut self, seq: SequenceNumber, order: OrderId, state: &'static str) {
        let Some(order) = self.orders.remove(&order) else {
            return;
        };
        if self.done.len() >= DONE_MAX {
            self.done.pop_front();
        }
        self.done.push_back(OrderRecord {
            seq: seq.0,
            leaves: 0,
            state,
            ..order
        });
    }

    fn trade(&mut self, leg: &Leg, sign: i128) {
        let position = self.positions.entry(leg.instrument).or_default();
        let worth = i128::from(leg.price.0) * i128::from(leg.quantity.0) * sign;
        let (total, worth) = match leg.side {
            Side::Buy => (&mut position.bought, worth),
            Side::Sell => (&mut position.sold, -worth),
        };
        *total = if sign > 0 {
            *total + leg.quantity.0
        } else {
            total.saturating_sub(leg.quantity.0)
        };
        position.paid += worth;
        position.fees += i128::from(leg.fee.0) * sign;
    }
}
