//! Trades that the exchange undoes or corrects: told to both parties by an ExecutionReport of their orders, which names the
//! report that is taken back in ExecRefID(19).
//!
//! What was executed is not open again, so LeavesQty(151) stays; CumQty(14) and AvgPx(6) go back. An order that had ended may
//! have its trade undone too: it is remembered until the day ends. One that was filled and is so no more has ended cancelled.

use std::collections::VecDeque;

use foldhash::HashMap;
use rialto_model::event::{TradeBusted, TradeCorrected};
use rialto_model::{Deal, InstrumentId, OrderId, OrderKind, Price, Quantity};

use super::answers::At;
use super::codes::{ExecType, LastLiquidity, OrdStatus};
use super::connection::Connection as Peer;
use super::order_table::{Executed, Order};
use super::protocol::Fix;
use super::reports::{Last, Report};
use crate::floor::Floor;
use crate::limits::ENDED_ORDERS_KEPT;
use crate::net::Hub;

/// Orders that traded and ended today.
#[derive(Debug, Default)]
pub(super) struct EndedOrders {
    orders: HashMap<OrderId, (Order, OrdStatus)>,
    /// Oldest first.
    kept: VecDeque<OrderId>,
}

impl EndedOrders {
    /// The order has ended like this.
    pub(super) fn keep(&mut self, order: Order, status: OrdStatus) {
        if self.kept.len() >= ENDED_ORDERS_KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            self.orders.remove(&oldest);
        }
        self.kept.push_back(order.order_id);
        self.orders.insert(order.order_id, (order, status));
    }

    /// A day begins: trades of before are not undone.
    pub(super) fn clear(&mut self) {
        self.orders.clear();
        self.kept.clear();
    }
}

/// A trade's two parts: who had the resting order and who the incoming one.
const PARTS: [LastLiquidity; 2] = [LastLiquidity::Added, LastLiquidity::Removed];

impl Fix {
    pub(super) fn trade_busted(&mut self, event: &TradeBusted, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        for part in PARTS {
            let undone = last_of(&event.deal, part);
            let report = Report {
                last: Some(undone),
                undone: Some(undone),
                text: "the exchange has undone the trade: what it executed is not open again",
                ..Report::of(ExecType::TradeCancel, OrdStatus::New)
            };
            self.take_back(&event.deal, event.instrument, part, &report, at, floor, hub);
        }
    }

    pub(super) fn trade_corrected(&mut self, event: &TradeCorrected, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        for part in PARTS {
            let report = Report {
                last: Some(Last {
                    quantity: event.quantity,
                    price: event.price,
                    liquidity: part,
                    trade: event.trade,
                }),
                undone: Some(last_of(&event.deal, part)),
                text: "the exchange has corrected the trade",
                ..Report::of(ExecType::TradeCorrect, OrdStatus::New)
            };
            self.take_back(&event.deal, event.instrument, part, &report, at, floor, hub);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the last three are the door")]
    fn take_back(
        &mut self,
        deal: &Deal,
        instrument: InstrumentId,
        part: LastLiquidity,
        report: &Report<'_>,
        at: At,
        floor: &Floor,
        hub: &mut Hub<Peer>,
    ) {
        let order_id = match part {
            LastLiquidity::Added => deal.maker,
            LastLiquidity::Removed => deal.taker,
        };
        let stands = (report.exec_type == ExecType::TradeCorrect)
            .then_some(report.last)
            .flatten();
        if let Some(order) = self.orders.get_mut(&order_id) {
            settle(order, deal, stands);
            let order = *order;
            let report = Report {
                status: order.status(),
                ..*report
            };
            self.report(&order, &report, at, floor, hub);
        } else if let Some((order, status)) = self.ended.orders.get_mut(&order_id) {
            settle(order, deal, stands);
            if *status == OrdStatus::Filled && order.undone > 0 {
                *status = OrdStatus::Canceled;
            }
            let (order, status) = (*order, *status);
            self.report(&order, &Report { status, ..*report }, at, floor, hub);
        } else if let Some(order) = self.forgotten(deal, instrument, part) {
            let report = Report {
                status: OrdStatus::Canceled,
                text: "the trade is undone; the totals of its order are not known any more",
                ..*report
            };
            self.report(&order, &report, at, floor, hub);
        }
    }

    /// What the trade itself says of an order of this door that is not remembered.
    fn forgotten(&self, deal: &Deal, instrument: InstrumentId, part: LastLiquidity) -> Option<Order> {
        let (session, order_id, user_ref, side) = match part {
            LastLiquidity::Added => (
                deal.maker_session,
                deal.maker,
                deal.maker_user_ref,
                deal.aggressor.opposite(),
            ),
            LastLiquidity::Removed => (deal.taker_session, deal.taker, deal.taker_user_ref, deal.aggressor),
        };
        let reference = self.accounts.get(&session)?.names.reference(user_ref);
        Some(Order {
            session,
            firm: rialto_model::FirmId::default(),
            order_id,
            user_ref,
            client_id: reference.map(|reference| reference.client_id).unwrap_or_default(),
            account: rialto_model::AccountId::default(),
            instrument,
            side,
            short: rialto_model::ShortSale::None,
            kind: OrderKind::Limit,
            tif: rialto_model::TimeInForce::Day,
            price: deal.price,
            leaves: Quantity(0),
            executed: Executed::default(),
            instructions: rialto_model::Instructions::NONE,
            pegged: Price(0),
            undone: deal.quantity.0,
        })
    }
}

/// The part that is taken back, as it was told.
const fn last_of(deal: &Deal, part: LastLiquidity) -> Last {
    Last {
        quantity: deal.quantity,
        price: deal.price,
        liquidity: part,
        trade: deal.trade,
    }
}

/// Takes the trade out of an order, and puts what stands in its place in.
fn settle(order: &mut Order, deal: &Deal, stands: Option<Last>) {
    let before = order.executed.quantity;
    order.executed.take_back(deal.quantity, deal.price);
    if let Some(last) = stands {
        order.executed.add(last.quantity, last.price);
    }
    // More than was executed cannot have been asked for before: then the total grows with it.
    order.undone = (order.undone + before).saturating_sub(order.executed.quantity);
}
