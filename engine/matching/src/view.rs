//! Questions to the fast engine between two commands.

use crate::engine::Engine;
use crate::pool::NONE;
use crate::state::OrderState;
use rialto_model::command::DefineInstrument;
use rialto_model::{Incarnation, InstrumentId, OrderId, Price, Quantity, SequenceNumber, SessionId, Side, TradingDay};

/// A live order with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// In which book.
    pub instrument: InstrumentId,
    /// On which side.
    pub side: Side,
    /// What it is.
    pub order: OrderState,
}

impl Engine {
    /// The best `levels` price levels of a side with the displayed quantity of each, best first. Nothing for an
    /// instrument that is not defined.
    pub fn depth(
        &self,
        instrument: InstrumentId,
        side: Side,
        levels: usize,
    ) -> impl Iterator<Item = (Price, Quantity)> + '_ {
        let book = self.book(instrument).into_iter();
        book.flat_map(move |book| book.side(side).levels(&self.rungs))
            .take(levels)
            .map(|level| (Price(i64::from(level.price)), Quantity(level.total)))
    }

    /// A live order by the venue's name of it.
    #[must_use]
    pub fn order(&self, order_id: OrderId) -> Option<OrderView> {
        let handle = if order_id.is_quote() {
            self.find_quote(order_id)
        } else {
            self.order_ids.get(order_id.0)
        };
        if handle == NONE {
            return None;
        }
        let order = &self.orders[handle];
        Some(OrderView {
            instrument: order.instrument,
            side: order.side,
            order: self.order_state(handle),
        })
    }

    /// How many orders live in the venue.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.orders.live()
    }

    /// The sessions that are up, in order of id: a recovery sequences the loss of each.
    pub fn sessions_up(&self) -> impl Iterator<Item = (SessionId, Incarnation)> + '_ {
        let sessions = (0..).map(SessionId).zip(&self.sessions);
        sessions
            .filter(|(_, session)| session.up.0 != 0)
            .map(|(id, session)| (id, session.up))
    }

    /// The defined instruments, in order of id.
    pub fn instruments(&self) -> impl Iterator<Item = &DefineInstrument> {
        self.registry.instruments.values()
    }

    /// The trading day, while one is open.
    #[must_use]
    pub fn open_day(&self) -> Option<TradingDay> {
        self.day_open.then_some(self.day)
    }

    /// Whether cancels and reductions are taken alone.
    #[must_use]
    pub const fn is_cancel_only(&self) -> bool {
        self.cancel_only
    }

    /// The last trading day that was opened, open or not; zero before the first.
    #[must_use]
    pub const fn last_day(&self) -> TradingDay {
        self.day
    }

    /// The number of the last command.
    #[must_use]
    pub const fn last_seq(&self) -> SequenceNumber {
        self.last_seq
    }
}
