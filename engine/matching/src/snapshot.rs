//! The fast engine's state out and in. Handles, pools and caches stay behind.

use crate::engine::{Engine, Limits};
use crate::order::Order;
use crate::pool::NONE;
use crate::state::{InstrumentState, OrderState, SessionState};
use crate::{EngineState, ImportError};
use alloc::vec::Vec;
use rialto_model::{InstrumentId, OrderId, Price, Quantity, SessionId, Side, UserRef};

impl Engine {
    pub(crate) fn take_out(&self) -> EngineState {
        let sessions = self
            .registry
            .sessions
            .values()
            .zip(self.sessions.iter().filter(|one| one.defined));
        let instruments = self.registry.instruments.values().zip(&self.books);
        EngineState {
            venue: self.venue,
            release: self.release,
            last_seq: self.last_seq,
            last_stamp: self.last_stamp,
            live_orders_max: self.live_orders_max,
            day: self.day,
            midnight: self.midnight,
            day_open: self.day_open,
            firms: self.registry.firms.values().copied().collect(),
            accounts: self.registry.accounts.values().copied().collect(),
            sessions: sessions
                .map(|(definition, session)| SessionState {
                    definition: *definition,
                    up: session.up.0 != 0,
                    incarnation: session.last_incarnation,
                    last_user_ref: session.last_user_ref,
                })
                .collect(),
            instruments: instruments
                .map(|(definition, book)| {
                    let orders = |side| {
                        let queue = book.queue(side, &self.orders, &self.rungs);
                        queue.map(|(handle, price)| self.orders[handle].state(price)).collect()
                    };
                    InstrumentState {
                        definition: *definition,
                        public_refs: book.public_refs,
                        trades: book.trades,
                        bids: orders(Side::Buy),
                        asks: orders(Side::Sell),
                    }
                })
                .collect(),
        }
    }

    pub(crate) fn take_in(state: &EngineState) -> Result<Self, ImportError> {
        state.check()?;
        let mut engine = Self::new(Limits {
            live_orders_max: state.live_orders_max,
            orders_reserved: state.live_orders() as u32,
        });
        engine.venue = state.venue;
        engine.release = state.release;
        engine.last_seq = state.last_seq;
        engine.last_stamp = state.last_stamp;
        engine.day = state.day;
        engine.midnight = state.midnight;
        engine.day_open = state.day_open;
        for firm in &state.firms {
            engine.add_firm(firm);
        }
        for account in &state.accounts {
            engine.add_account(account);
        }
        for session in &state.sessions {
            engine.take_in_session(session);
        }
        for (book, listed) in state.instruments.iter().enumerate() {
            engine.add_instrument(&listed.definition);
            engine.books[book].public_refs = listed.public_refs;
            engine.books[book].trades = listed.trades;
            for (side, orders) in [(Side::Buy, &listed.bids), (Side::Sell, &listed.asks)] {
                for order in orders {
                    engine.take_in_order(order, side, listed.definition.instrument);
                }
            }
        }
        engine.name_all();
        Ok(engine)
    }

    fn take_in_session(&mut self, one: &SessionState) {
        self.add_session(&one.definition);
        let session = &mut self.sessions[one.definition.session.0 as usize];
        session.last_incarnation = one.incarnation;
        session.last_user_ref = one.last_user_ref;
        if one.up {
            session.up = one.incarnation;
        }
    }

    /// Orders come in price-time order, so each goes behind the one before.
    fn take_in_order(&mut self, one: &OrderState, side: Side, instrument: InstrumentId) {
        let order = Order {
            order_id: one.order_id,
            public_ref: one.public_ref,
            executed: one.executed.0,
            leaves: one.leaves.0 as u32,
            level: NONE,
            next: NONE,
            prev: NONE,
            user_ref: one.user_ref,
            account: one.account,
            session: one.session.0 as u16,
            firm: self.sessions[one.session.0 as usize].firm.0 as u16,
            instrument,
            policy: one.policy,
            side,
            tif: one.tif,
            short: one.short,
            carried: one.carried,
        };
        let leaves = order.leaves;
        let handle = self.orders.insert(order);
        let book = &mut self.books[usize::from(instrument.0) - 1];
        let terms = book.resting_terms(side, one.price.0 as u32, leaves);
        book.push(handle, terms, &mut self.orders, &mut self.rungs);
    }

    /// Both tables of names are filled in rising order, as live ones are.
    fn name_all(&mut self) {
        let mut order_ids: Vec<(OrderId, u32)> = Vec::with_capacity(self.orders.live());
        let mut user_refs: Vec<(SessionId, UserRef, u32)> = Vec::new();
        for handle in 0..self.orders.live() as u32 {
            let order = &self.orders[handle];
            order_ids.push((order.order_id, handle));
            if !order.carried {
                user_refs.push((order.session(), order.user_ref, handle));
            }
        }
        order_ids.sort_unstable();
        user_refs.sort_unstable();
        for (order_id, handle) in order_ids {
            self.order_ids.insert(order_id.0, handle);
        }
        for (session, user_ref, handle) in user_refs {
            self.name(session, user_ref, handle);
        }
    }
}

impl Order {
    /// As canonical data; the price is its level's.
    pub(crate) fn state(&self, price: u32) -> OrderState {
        OrderState {
            order_id: self.order_id,
            public_ref: self.public_ref,
            session: self.session(),
            user_ref: self.user_ref,
            carried: self.carried,
            account: self.account,
            price: Price(i64::from(price)),
            leaves: self.leaves(),
            executed: Quantity(self.executed),
            tif: self.tif,
            short: self.short,
            policy: self.policy,
        }
    }
}
