//! Quotes and market-maker protection in the naive engine.

use super::orders::Terms;
use super::trade::{Incoming, lower, lowered};
use super::{Engine, Live, broken, ignored};
use crate::state::{Fill, OrderState, QuoterState};
use alloc::vec::Vec;
use rialto_model::command::{CancelQuotes, MassQuote, ResetProtection, SetProtection};
use rialto_model::event::{
    MassQuoteRejected, MassQuoted, ProtectionReset, ProtectionSet, ProtectionTripped, QuoteRejected, Quoted,
    QuotesCancelled,
};
use rialto_model::limits::{QUOTE_FILLS_MAX, USER_REF_JUMP_MAX};
use rialto_model::{
    CancelReason, Event, IgnoreReason, Instructions, InstrumentId, Offers, OrderId, OrderKind, Policy, Price, Quantity,
    Quote, QuoteLimits, RejectReason, SequenceNumber, SessionId, ShortSale, Side, TimeInForce, UserRef,
};

impl Engine {
    pub(super) fn mass_quote(&mut self, seq: SequenceNumber, c: &MassQuote, events: &mut Vec<Event>) {
        let refused = |reason| -> Event {
            MassQuoteRejected {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                reason,
                client_id: c.client_id,
            }
            .into()
        };
        if let Err(reason) = self.check_session(c.session, c.incarnation, false) {
            return events.push(refused(reason));
        }
        let last = self.last_user_ref(c.session);
        if c.user_ref <= last {
            return events.push(ignored(c.session, c.inbound, IgnoreReason::Resent));
        }
        if c.user_ref.0 > last.0 + USER_REF_JUMP_MAX {
            return events.push(refused(RejectReason::UserRefJump));
        }
        self.consume(c.session, c.user_ref);
        if !self.state.day_open {
            return events.push(refused(RejectReason::MarketClosed));
        }
        if self.state.cancel_only {
            return events.push(refused(RejectReason::CancelOnly));
        }
        events.push(
            MassQuoted {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                client_id: c.client_id,
            }
            .into(),
        );
        for (entry, quote) in c.quotes.0.iter().enumerate() {
            if quote.instrument == InstrumentId(0) {
                continue;
            }
            if let Err(reason) = self.check_quote(c.session, quote) {
                events.push(
                    QuoteRejected {
                        session: c.session,
                        user_ref: c.user_ref,
                        instrument: quote.instrument,
                        reason,
                    }
                    .into(),
                );
                continue;
            }
            let places = 2 * entry as u64;
            self.requote(seq, c, places, quote, events);
        }
    }

    fn check_quote(&self, session: SessionId, quote: &Quote) -> Result<(), RejectReason> {
        let listed = self.listed(quote.instrument).ok_or(RejectReason::UnknownInstrument)?;
        let offered = listed
            .rules
            .is_some_and(|rules| rules.rulebook.offers.has(Offers::QUOTES));
        if !offered {
            return Err(RejectReason::TypeNotOffered);
        }
        let sides = sides(quote);
        let stated = |(_, _, quantity): &&(Side, Price, Quantity)| *quantity > Quantity(0);
        let both = sides.iter().filter(stated).count() == 2;
        if both && sides[0].1 >= sides[1].1 {
            return Err(RejectReason::QuoteCrossed);
        }
        let tripped = |one: &QuoterState| one.instrument == quote.instrument && one.session == session && one.tripped;
        if self.state.quoters.iter().any(tripped) {
            return Err(RejectReason::ProtectionTripped);
        }
        let standing = self.quotes_of(session, quote.instrument);
        let mut new = 0;
        for (side, price, quantity) in sides.iter().filter(stated) {
            let terms = Terms {
                side: *side,
                kind: OrderKind::Limit,
                tif: TimeInForce::Day,
                price: *price,
                quantity: *quantity,
                instructions: Instructions::NONE,
            };
            self.check_terms(listed, self.firm_of(session), &terms)?;
            if standing.iter().all(|live| live.side != *side) {
                new += 1;
            }
        }
        let most = self.state.live_orders_max as usize;
        if new > 0 && self.state.live_orders() + new > most {
            return Err(RejectReason::BookFull);
        }
        Ok(())
    }

    fn requote(&mut self, seq: SequenceNumber, c: &MassQuote, places: u64, quote: &Quote, events: &mut Vec<Event>) {
        let instrument = quote.instrument;
        let standing = self.quotes_of(c.session, instrument);
        let mut new = Vec::new();
        for (side, price, quantity) in sides(quote) {
            let old = standing.iter().find(|live| live.side == side);
            match old {
                None if quantity > Quantity(0) => new.push((side, price, quantity)),
                None => {}
                Some(old) if quantity == Quantity(0) => self.end(old, CancelReason::Requested, events),
                Some(old) if old.order.price == price && quantity == old.order.leaves => {}
                Some(old) if old.order.price == price && quantity < old.order.leaves => {
                    let by = old.order.leaves.saturating_sub(quantity);
                    self.change(old.order.order_id, |order| lower(order, by));
                    events.push(lowered(instrument, side, &old.order, by, by));
                }
                Some(old) => {
                    self.end(old, CancelReason::Requoted, events);
                    new.push((side, price, quantity));
                }
            }
        }
        for (side, price, quantity) in new {
            let account = self.session(c.session).map(|session| session.definition.account);
            let order = OrderState {
                order_id: OrderId::quote(seq, places + u64::from(side == Side::Sell)),
                public_ref: self.next_public_ref(instrument),
                session: c.session,
                user_ref: c.user_ref,
                carried: true,
                account: account.unwrap_or_default(),
                price,
                leaves: quantity,
                executed: Quantity(0),
                tif: TimeInForce::Day,
                short: ShortSale::None,
                policy: Policy::NONE,
                special: None,
            };
            let incoming = Incoming {
                instrument,
                side,
                kind: OrderKind::Limit,
                instructions: Instructions::NONE,
                order,
            };
            let rests = self.rests_at_once(&incoming);
            events.push(
                Quoted {
                    session: c.session,
                    user_ref: c.user_ref,
                    order_id: order.order_id,
                    public_ref: order.public_ref,
                    firm: self.firm_of(c.session),
                    account: order.account,
                    instrument,
                    side,
                    price,
                    quantity,
                    rests,
                }
                .into(),
            );
            if self.phase(instrument).is_call() {
                self.set_down(incoming, rests, events);
            } else {
                self.trade(incoming, rests, events);
            }
            self.go_on(instrument, events);
        }
        self.go_on(instrument, events);
    }

    /// A session's quotes on an instrument, or on all, in order of id.
    pub(super) fn quotes_of(&self, session: SessionId, instrument: InstrumentId) -> Vec<Live> {
        let mut quotes = self.live();
        quotes.retain(|live| live.order.order_id.is_quote() && live.order.session == session);
        if instrument != InstrumentId(0) {
            quotes.retain(|live| live.instrument == instrument);
        }
        quotes.sort_by_key(|live| live.order.order_id);
        quotes
    }

    pub(super) fn cancel_quotes(&mut self, c: &CancelQuotes, events: &mut Vec<Event>) {
        if let Err(reason) = self.check_session(c.session, c.incarnation, false) {
            return events.push(
                MassQuoteRejected {
                    session: c.session,
                    incarnation: c.incarnation,
                    inbound: c.inbound,
                    user_ref: UserRef(0),
                    reason,
                    client_id: c.client_id,
                }
                .into(),
            );
        }
        let quotes = self.quotes_of(c.session, c.instrument);
        events.push(
            QuotesCancelled {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                cancelled: quotes.len() as u32,
                client_id: c.client_id,
            }
            .into(),
        );
        self.end_all(quotes, CancelReason::Requested, events);
    }

    pub(super) fn set_protection(&mut self, c: &SetProtection) -> Event {
        if self.session(c.session).is_none() {
            return broken(SetProtection::SCHEMA);
        }
        self.state.quoters.retain(|one| one.session != c.session);
        self.state.protections.retain(|(session, _)| *session != c.session);
        if c.limits != QuoteLimits::default() {
            self.state.protections.push((c.session, c.limits));
            self.state.protections.sort_by_key(|(session, _)| *session);
        }
        ProtectionSet {
            session: c.session,
            limits: c.limits,
        }
        .into()
    }

    pub(super) fn reset_protection(&mut self, c: &ResetProtection) -> Event {
        let meant = |one: &QuoterState| one.session == c.session && one.instrument == c.instrument && one.tripped;
        let up = self.check_session(c.session, c.incarnation, false).is_ok();
        let before = self.state.quoters.len();
        if up {
            self.state.quoters.retain(|one| !meant(one));
        }
        if before == self.state.quoters.len() {
            return ignored(c.session, c.inbound, IgnoreReason::OutOfPlace);
        }
        ProtectionReset {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            instrument: c.instrument,
        }
        .into()
    }

    /// Counts a trade of an order, if it is a quote under protection.
    pub(super) fn count_fill(&mut self, instrument: InstrumentId, side: Side, order: &OrderState, quantity: Quantity) {
        let session = order.session;
        let limits = self.state.protections.iter().find(|(one, _)| *one == session);
        let (true, Some((_, limits))) = (order.order_id.is_quote(), limits) else {
            return;
        };
        let now = self.state.last_stamp;
        let window = u128::from(limits.window) * 1_000_000;
        let counts = |fill: &Fill| u128::from(fill.stamp.0) + window > u128::from(now.0);
        let quoters = &mut self.state.quoters;
        if !quoters
            .iter()
            .any(|one| (one.instrument, one.session) == (instrument, session))
        {
            quoters.push(QuoterState {
                instrument,
                session,
                tripped: false,
                fills: Vec::new(),
            });
            quoters.sort_by_key(|one| (one.instrument, one.session));
        }
        for one in quoters
            .iter_mut()
            .filter(|one| (one.instrument, one.session) == (instrument, session))
        {
            one.fills.retain(counts);
            one.fills.push(Fill {
                stamp: now,
                side,
                quantity,
            });
        }
    }

    /// Takes off the quotes on an instrument whose sessions have reached a limit; whether there were any.
    pub(super) fn protect(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) -> bool {
        let mut any = false;
        for at in 0..self.state.quoters.len() {
            let one = &self.state.quoters[at];
            let protection = self
                .state
                .protections
                .iter()
                .find(|(session, _)| *session == one.session);
            let Some((session, limits)) = protection.copied() else {
                continue;
            };
            if one.instrument != instrument || one.tripped {
                continue;
            }
            let mut sums = [0, 0];
            for fill in &one.fills {
                sums[usize::from(fill.side == Side::Sell)] += fill.quantity.0;
            }
            let [bought, sold] = sums;
            let count = one.fills.len();
            let reached = [
                (u64::from(limits.quantity.0), bought + sold),
                (u64::from(limits.count), count as u64),
                (u64::from(limits.delta.0), bought.max(sold) - bought.min(sold)),
                (QUOTE_FILLS_MAX as u64, count as u64),
            ];
            if !reached.into_iter().any(|(limit, value)| limit != 0 && limit <= value) {
                continue;
            }
            any = true;
            self.state.quoters[at].tripped = true;
            self.state.quoters[at].fills.clear();
            events.push(
                ProtectionTripped {
                    session,
                    instrument,
                    bought: Quantity(bought),
                    sold: Quantity(sold),
                    count: count as u32,
                }
                .into(),
            );
            let quotes = self.quotes_of(session, instrument);
            self.end_all(quotes, CancelReason::MarketMakerProtection, events);
        }
        any
    }
}

fn sides(quote: &Quote) -> [(Side, Price, Quantity); 2] {
    [
        (Side::Buy, Price(i64::from(quote.bid)), quote.bid_quantity.quantity()),
        (Side::Sell, Price(i64::from(quote.ask)), quote.ask_quantity.quantity()),
    ]
}
