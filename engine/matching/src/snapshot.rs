//! The fast engine's state out and in. Handles, pools and caches stay behind.

use crate::book::{Book, push_to, queue_of};
use crate::engine::{Engine, Limits};
use crate::ladder::Ladder;
use crate::members::{Ledger, MembersState, Office};
use crate::order::Order;
use crate::pool::NONE;
use crate::special::{Extra, FirmRules, Quoter, SpecialBook, index, price, quantity};
use crate::state::{
    Aside, FirmState, Guard, InstrumentState, OrderState, Outlook, QuoterState, Rules, SessionState, Special,
};
use crate::{EngineState, ImportError};
use alloc::boxed::Box;
use alloc::vec::Vec;
use rialto_model::command::{DefineFirm, DefineInstrument};
use rialto_model::{InstrumentId, OrderId, OrderKind, Price, Quantity, SessionId, Side, UserRef};

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
            breaker: self.breaker,
            protections: self
                .quote_limits
                .iter()
                .map(|(session, limits)| (*session, *limits))
                .collect(),
            quoters: self
                .quoters
                .iter()
                .map(|((instrument, session), quoter)| QuoterState {
                    instrument: *instrument,
                    session: *session,
                    tripped: quoter.tripped,
                    fills: quoter.fills.clone(),
                })
                .collect(),
            undone: self.undone.iter().copied().collect(),
            faults: self.faults.clone(),
            cancel_only: self.cancel_only,
            flags: self.flags.take_out(),
            runaways: self.runaways.limits(),
            parents: self.runaways.parents.values().copied().collect(),
            firms: self.registry.firms.values().map(|one| self.firm_state(one)).collect(),
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
                .map(|(definition, book)| self.take_out_book(definition, book))
                .collect(),
            members: self.take_out_members(),
        }
    }

    fn take_out_members(&self) -> MembersState {
        let mut members = MembersState::default();
        self.office.take_out(&mut members);
        if let Some(ledger) = &self.ledger {
            ledger.take_out(&mut members);
        }
        members
    }

    fn firm_state(&self, one: &DefineFirm) -> FirmState {
        let FirmRules { self_trade, killed } = self.firm_rules(one.firm);
        FirmState {
            definition: *one,
            self_trade,
            killed,
        }
    }

    fn take_out_book(&self, definition: &DefineInstrument, book: &Book) -> InstrumentState {
        let queue = |ladder: &Ladder| {
            let queue = queue_of(ladder, &self.orders, &self.rungs);
            queue.map(|(handle, _)| self.order_state(handle)).collect::<Vec<_>>()
        };
        let special = book.special.as_deref();
        let hidden = |side| special.map_or(Vec::new(), |special| queue(&special.hidden[index(side)]));
        let aside = special.map_or(Vec::new(), SpecialBook::aside).into_iter();
        InstrumentState {
            definition: *definition,
            public_refs: book.public_refs,
            trades: book.trades,
            trades_at_open: book.trades_at_open,
            last_price: price(book.last_price),
            phase: book.phase(),
            outlook: special.map_or(Outlook::default(), |special| special.outlook),
            guard: special.map_or(Guard::default(), |special| special.guard),
            rules: special.map(|special| Rules {
                version: special.version,
                rulebook: special.rulebook,
                ticks: special.ticks,
                bands: special.bands,
                fees: special.fees,
                allocation: special.allocation,
            }),
            bids: queue(book.side(Side::Buy)),
            asks: queue(book.side(Side::Sell)),
            hidden_bids: hidden(Side::Buy),
            hidden_asks: hidden(Side::Sell),
            aside: aside
                .map(|handle| Aside {
                    side: self.orders[handle].side,
                    order: self.order_state(handle),
                })
                .collect(),
        }
    }

    /// A live order as canonical data.
    pub(crate) fn order_state(&self, handle: u32) -> OrderState {
        let order = &self.orders[handle];
        let special = (order.extra != NONE).then(|| {
            let extra = &self.extras[order.extra];
            Special {
                kind: extra.kind,
                instructions: extra.instructions,
                reserve: quantity(extra.reserve),
                trigger: Price(extra.trigger),
                waits: extra.waits,
                limit: price(extra.cap),
            }
        });
        OrderState {
            order_id: order.order_id,
            public_ref: order.public_ref,
            session: order.session(),
            user_ref: order.user_ref,
            carried: order.carried,
            account: order.account,
            price: price(self.price_of(handle)),
            leaves: quantity(self.open(handle)),
            executed: Quantity(order.executed),
            tif: order.tif,
            short: order.short,
            policy: order.policy,
            special,
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
        engine.breaker = state.breaker;
        engine.undone = state.undone.iter().copied().collect();
        engine.quote_limits = state.protections.iter().copied().collect();
        for quoter in &state.quoters {
            let Quoter { fills, tripped } = engine.quoters.entry((quoter.instrument, quoter.session)).or_default();
            (*fills, *tripped) = (quoter.fills.clone(), quoter.tripped);
        }
        engine.cancel_only = state.cancel_only;
        engine.flags.take_in(&state.flags);
        engine.runaways.take_in(&state.runaways, &state.parents);
        engine.faults.clone_from(&state.faults);
        for firm in &state.firms {
            engine.add_firm(&firm.definition);
            engine.firms[firm.definition.firm.0 as usize] = FirmRules {
                self_trade: firm.self_trade,
                killed: firm.killed,
            };
        }
        engine.apart = engine.is_any_apart();
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
            engine.books[book].trades_at_open = listed.trades_at_open;
            engine.books[book].last_price = listed.last_price.0 as u32;
            if let Some(rules) = &listed.rules {
                let special = engine.special_book(book);
                special.version = rules.version;
                special.rulebook = rules.rulebook;
                special.ticks = rules.ticks;
                special.phase = listed.phase;
                special.outlook = listed.outlook;
                special.bands = rules.bands;
                special.fees = rules.fees;
                special.allocation = rules.allocation;
                special.guard = listed.guard;
                engine.set_timer(listed.guard.due(), listed.definition.instrument, OrderId(0));
            }
            for (side, order) in listed.orders() {
                engine.take_in_order(order, side, listed.definition.instrument);
            }
        }
        engine.mark_all_sessions();
        engine.watch();
        engine.name_all();
        engine.office = Office::take_in(&state.members);
        let mut ledger = Box::new(Ledger::take_in(&state.members));
        if !ledger.is_idle() {
            engine.recount(&mut ledger);
            engine.ledger = Some(ledger);
        }
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

    /// Orders come in the order of their queue, so each goes behind the one before.
    fn take_in_order(&mut self, one: &OrderState, side: Side, instrument: InstrumentId) {
        let order = Order {
            order_id: one.order_id,
            public_ref: one.public_ref,
            executed: one.executed.0,
            leaves: one.displayed().0 as u32,
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
            extra: NONE,
        };
        let leaves = order.leaves;
        let limit = one.price.0 as u32;
        let handle = self.orders.insert(order);
        if one.order_id.is_quote() {
            self.quotes.insert((one.session, instrument, side), handle);
        }
        let at = usize::from(instrument.0) - 1;
        let mut hidden = false;
        if let Some(special) = &one.special {
            let extra = Extra {
                kind: special.kind,
                instructions: special.instructions,
                reserve: special.reserve.0 as u32,
                trigger: special.trigger.0,
                price: limit,
                waits: special.waits,
                cap: special.limit.0 as u32,
            };
            self.orders[handle].extra = self.extras.insert(extra);
            self.set_timer(special.instructions.expires, instrument, one.order_id);
            if special.instructions.trigger.0 != 0 {
                let special_book = self.special_book(at);
                return special_book.add_stop(side, special.trigger.0, one.public_ref, handle);
            }
            if special.waits {
                self.special_book(at).waiting.insert(one.public_ref, handle);
                return;
            }
            if special.kind == OrderKind::Market {
                self.special_book(at).markets[index(side)].insert(one.public_ref, handle);
                return;
            }
            if special.limit.0 != 0 {
                let book = self.special_book(at);
                if limit == 0 {
                    book.unpriced.insert(one.public_ref, handle);
                    return;
                }
                book.pegged.insert(one.public_ref, handle);
            }
            hidden = self.is_hidden(handle);
        }
        let book = &mut self.books[at];
        let terms = book.resting_terms(side, limit, leaves);
        match &mut book.special {
            Some(special) if hidden => {
                push_to(
                    &mut special.hidden[index(side)],
                    handle,
                    terms,
                    &mut self.orders,
                    &mut self.rungs,
                );
            }
            _ => book.push(handle, terms, &mut self.orders, &mut self.rungs),
        }
    }

    /// Both tables of names are filled in rising order, as live ones are.
    fn name_all(&mut self) {
        let mut order_ids: Vec<(OrderId, u32)> = Vec::with_capacity(self.orders.live());
        let mut user_refs: Vec<(SessionId, UserRef, u32)> = Vec::new();
        for handle in 0..self.orders.live() as u32 {
            let order = &self.orders[handle];
            if order.order_id.is_quote() {
                continue;
            }
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
