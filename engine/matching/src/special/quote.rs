//! Quotes and market-maker protection.
//!
//! FIX 35 = i and Z; CME Globex mass quotes. A session has one quote on an instrument; a new one takes its place side by side: a
//! side of the same price that does not grow keeps its place, any other goes and comes anew. Quotes are DAY orders that have no
//! name but their order id, and go with their session.
//!
//! Protection (CME Globex Market Maker Protections; Eurex Advanced Market Maker Protection): trades of quotes are counted over a
//! rolling window; a limit that is reached takes the session's quotes on the instrument off behind the command, and none is
//! taken there until the session asks for it.

use super::trade::unasked_reduction;
use crate::engine::Engine;
use crate::engine::ignored;
use crate::enter::Numbering;
use crate::order::Order;
use crate::pool::NONE;
use crate::state::Fill;
use alloc::vec::Vec;
use rialto_model::command::{CancelQuotes, MassQuote, ResetProtection, SetProtection};
use rialto_model::event::{
    MassQuoteRejected, MassQuoted, ProtectionReset, ProtectionSet, ProtectionTripped, QuoteRejected, Quoted,
    QuotesCancelled,
};
use rialto_model::limits::QUOTE_FILLS_MAX;
use rialto_model::{
    CancelReason, EventSink, IgnoreReason, Instructions, InstrumentId, Offers, OrderId, OrderKind, Part, Policy,
    Quantity, Quote, QuoteLimits, RejectReason, SequenceNumber, SessionId, ShortSale, Side, TimeInForce,
};

use super::enter::Incoming;
use super::judge::Wish;
use super::rules::refused;
use super::{SIDES, price, quantity};

/// What is counted of a session's quotes on an instrument.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quoter {
    /// Oldest first.
    pub(crate) fills: Vec<Fill>,
    pub(crate) tripped: bool,
}

impl Engine {
    #[cold]
    pub(crate) fn mass_quote(&mut self, seq: SequenceNumber, c: &MassQuote, sink: &mut impl EventSink) {
        let last = match self.session_up(c.session, c.incarnation) {
            Ok(session) => session.last_user_ref,
            Err(reason) => return reject(c, reason, sink),
        };
        match Numbering::of(c.user_ref, last) {
            Numbering::New => {}
            Numbering::Resent => return sink.emit(ignored(c.session, c.inbound, IgnoreReason::Resent).into()),
            Numbering::Jump => return reject(c, RejectReason::UserRefJump, sink),
        }
        self.sessions[c.session.0 as usize].last_user_ref = c.user_ref;
        if let Err(reason) = self.judge_open() {
            return reject(c, reason, sink);
        }
        sink.emit(
            MassQuoted {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                client_id: c.client_id,
            }
            .into(),
        );
        let deferred = core::mem::replace(&mut self.deferred, true);
        for (entry, quote) in (0..).zip(&c.quotes.0) {
            if quote.instrument.0 == 0 {
                continue;
            }
            match self.judge_quote(c.session, quote) {
                Ok(at) => self.quote(seq, c, entry, at, quote, sink),
                Err(reason) => sink.emit(
                    QuoteRejected {
                        session: c.session,
                        user_ref: c.user_ref,
                        instrument: quote.instrument,
                        reason,
                    }
                    .into(),
                ),
            }
        }
        self.deferred = deferred;
        self.conclude_all(sink);
    }

    /// Both sides of a quote, as orders; what stands of it stays where one of them is refused.
    fn judge_quote(&self, session: SessionId, quote: &Quote) -> Result<usize, RejectReason> {
        let book = self.book(quote.instrument).ok_or(RejectReason::UnknownInstrument)?;
        if !book.rules().offers.has(Offers::QUOTES) {
            return Err(RejectReason::TypeNotOffered);
        }
        let at = usize::from(quote.instrument.0) - 1;
        let both = !quote.bid_quantity.is_zero() && !quote.ask_quantity.is_zero();
        if both && quote.bid >= quote.ask {
            return Err(RejectReason::QuoteCrossed);
        }
        let quoter = self.quoters.get(&(quote.instrument, session));
        if quoter.is_some_and(|quoter| quoter.tripped) {
            return Err(RejectReason::ProtectionTripped);
        }
        let firm = self.sessions[session.0 as usize].firm;
        let mut more = 0;
        for side in SIDES {
            let (limit, stated) = side_of(quote, side);
            if stated.is_zero() {
                continue;
            }
            let wish = Wish {
                side,
                kind: OrderKind::Limit,
                tif: TimeInForce::Day,
                price: price(limit),
                quantity: stated.quantity(),
                instructions: Instructions::NONE,
            };
            self.judge_wish(at, firm, &wish)?;
            more += usize::from(!self.quotes.contains_key(&(session, quote.instrument, side)));
        }
        if more > 0 && self.orders.live() + more > self.live_orders_max as usize {
            return Err(RejectReason::BookFull);
        }
        Ok(at)
    }

    fn quote(
        &mut self,
        seq: SequenceNumber,
        c: &MassQuote,
        entry: u64,
        at: usize,
        quote: &Quote,
        sink: &mut impl EventSink,
    ) {
        // What goes goes first, so that no new side meets the old one of the other.
        let mut comes = [false; 2];
        for (side, comes) in SIDES.into_iter().zip(&mut comes) {
            let (limit, stated) = side_of(quote, side);
            let standing = self.quotes.get(&(c.session, quote.instrument, side)).copied();
            let Some(handle) = standing else {
                *comes = !stated.is_zero();
                continue;
            };
            let open = self.orders[handle].leaves;
            if stated.is_zero() {
                self.end(handle, CancelReason::Requested, sink);
            } else if limit != self.price_of(handle) || stated.0 > open {
                self.end(handle, CancelReason::Requoted, sink);
                *comes = true;
            } else if stated.0 < open {
                self.lower(handle, open - stated.0);
                let (order, removed) = (&self.orders[handle], open - stated.0);
                sink.emit(unasked_reduction(order, removed, removed, order.leaves).into());
            }
        }
        for (side, _) in SIDES.into_iter().zip(comes).filter(|(_, comes)| *comes) {
            let order_id = OrderId::quote(seq, entry * 2 + u64::from(side == Side::Sell));
            self.enter_quote(c, at, side, order_id, quote, sink);
            self.settle(at, sink);
        }
        self.settle(at, sink);
    }

    fn enter_quote(
        &mut self,
        c: &MassQuote,
        at: usize,
        side: Side,
        order_id: OrderId,
        quote: &Quote,
        sink: &mut impl EventSink,
    ) {
        let (limit, stated) = side_of(quote, side);
        let session = &self.sessions[c.session.0 as usize];
        let (firm, account) = (session.firm, session.account);
        let public_ref = self.books[at].next_public_ref();
        let mut incoming = Incoming {
            order: Order {
                order_id,
                public_ref,
                executed: 0,
                leaves: stated.0,
                level: NONE,
                next: NONE,
                prev: NONE,
                user_ref: c.user_ref,
                account,
                session: c.session.0 as u16,
                firm: firm.0 as u16,
                instrument: quote.instrument,
                policy: Policy::NONE,
                side,
                tif: TimeInForce::Day,
                short: ShortSale::None,
                carried: true,
                extra: NONE,
            },
            kind: OrderKind::Limit,
            price: limit,
            cap: 0,
            instructions: Instructions::NONE,
        };
        let rests = self.rests_whole(&incoming);
        sink.emit(
            Quoted {
                session: c.session,
                user_ref: c.user_ref,
                order_id,
                public_ref,
                firm,
                account,
                instrument: quote.instrument,
                side,
                price: price(limit),
                quantity: stated.quantity(),
                rests,
            }
            .into(),
        );
        if self.goes_on(&mut incoming, rests, sink) {
            let handle = self.orders.insert(incoming.order);
            self.quotes.insert((c.session, quote.instrument, side), handle);
            self.stand(handle, &incoming, rests, sink);
        }
    }

    /// FIX 35 = Z: takes off a session's quotes, on one instrument or on all.
    #[cold]
    pub(crate) fn cancel_quotes(&mut self, c: &CancelQuotes, sink: &mut impl EventSink) {
        if let Err(reason) = self.session_up(c.session, c.incarnation) {
            return sink.emit(
                MassQuoteRejected {
                    session: c.session,
                    incarnation: c.incarnation,
                    inbound: c.inbound,
                    user_ref: rialto_model::UserRef(0),
                    reason,
                    client_id: c.client_id,
                }
                .into(),
            );
        }
        self.collect_quotes(c.session, c.instrument);
        sink.emit(
            QuotesCancelled {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                cancelled: self.leaving.len() as u32,
                client_id: c.client_id,
            }
            .into(),
        );
        self.end_leaving(CancelReason::Requested, sink);
        self.conclude_all(sink);
    }

    /// A session's quotes on an instrument, or on all, into the list of orders to take off.
    pub(crate) fn collect_quotes(&mut self, session: SessionId, instrument: InstrumentId) {
        self.leaving.clear();
        let from = (session, InstrumentId(0), Side::Buy)..(SessionId(session.0 + 1), InstrumentId(0), Side::Buy);
        for ((_, on, _), handle) in self.quotes.range(from) {
            if instrument.0 == 0 || *on == instrument {
                self.leaving.push((self.orders[*handle].order_id, *handle));
            }
        }
        self.leaving.sort_unstable();
    }

    /// The quote side of an order id, or [`NONE`].
    pub(crate) fn find_quote(&self, order_id: OrderId) -> u32 {
        let mut sides = self.quotes.values().copied();
        sides
            .find(|handle| self.orders[*handle].order_id == order_id)
            .unwrap_or(NONE)
    }

    #[cold]
    pub(crate) fn set_protection(&mut self, c: &SetProtection, sink: &mut impl EventSink) {
        if !self.registry.sessions.contains_key(&c.session) {
            return sink.emit(refused(SetProtection::SCHEMA));
        }
        self.quoters.retain(|(_, session), _| *session != c.session);
        if c.limits == QuoteLimits::default() {
            self.quote_limits.remove(&c.session);
        } else {
            self.quote_limits.insert(c.session, c.limits);
        }
        sink.emit(
            ProtectionSet {
                session: c.session,
                limits: c.limits,
            }
            .into(),
        );
    }

    /// Quotes are taken again on an instrument whose protection has tripped.
    #[cold]
    pub(crate) fn reset_protection(&mut self, c: &ResetProtection, sink: &mut impl EventSink) {
        let up = self.session_up(c.session, c.incarnation).is_ok();
        let key = (c.instrument, c.session);
        if !up || !self.quoters.get(&key).is_some_and(|quoter| quoter.tripped) {
            return sink.emit(ignored(c.session, c.inbound, IgnoreReason::OutOfPlace).into());
        }
        self.quoters.remove(&key);
        sink.emit(
            ProtectionReset {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                instrument: c.instrument,
            }
            .into(),
        );
    }

    /// A trade of an order that may be a quote.
    #[inline]
    pub(super) fn note_fill(&mut self, at: usize, order: &Order, traded: u32) {
        if order.order_id.is_quote() {
            self.note_quote_fill(at, order.session(), order.side, traded);
        }
    }

    #[cold]
    fn note_quote_fill(&mut self, at: usize, session: SessionId, side: Side, traded: u32) {
        let Some(limits) = self.quote_limits.get(&session) else {
            return;
        };
        let now = self.last_stamp.0;
        let window = u64::from(limits.window) * 1_000_000;
        let instrument = self.books[at].instrument;
        let quoter = self.quoters.entry((instrument, session)).or_default();
        quoter.fills.retain(|fill| fill.stamp.0.saturating_add(window) > now);
        quoter.fills.push(Fill {
            stamp: self.last_stamp,
            side,
            quantity: quantity(traded),
        });
        self.special_book(at).quote_traded = true;
    }

    /// Behind a command: takes the quotes off whose session has reached a limit. Whether any was.
    pub(super) fn protect(&mut self, at: usize, sink: &mut impl EventSink) -> bool {
        let book = &mut self.books[at];
        let instrument = book.instrument;
        let Some(special) = &mut book.special else { return false };
        if !core::mem::take(&mut special.quote_traded) {
            return false;
        }
        let on_it = (instrument, SessionId(0))..(InstrumentId(instrument.0.saturating_add(1)), SessionId(0));
        let quoters = self.quoters.range(on_it).filter(|(_, quoter)| !quoter.tripped);
        let reached: Vec<(SessionId, ProtectionTripped)> = quoters
            .filter_map(|((_, session), quoter)| {
                let limits = self.quote_limits.get(session)?;
                let sum = |side| -> u64 {
                    let fills = quoter.fills.iter().filter(|fill| fill.side == side);
                    fills.map(|fill| fill.quantity.0).sum()
                };
                let (bought, sold) = (sum(Side::Buy), sum(Side::Sell));
                let count = quoter.fills.len();
                let over = |limit: u32, value: u64| limit > 0 && value >= u64::from(limit);
                let is_reached = over(limits.quantity.0, bought + sold)
                    || over(limits.count, count as u64)
                    || over(limits.delta.0, bought.abs_diff(sold))
                    || count >= QUOTE_FILLS_MAX;
                is_reached.then_some((
                    *session,
                    ProtectionTripped {
                        session: *session,
                        instrument,
                        bought: Quantity(bought),
                        sold: Quantity(sold),
                        count: count as u32,
                    },
                ))
            })
            .collect();
        for (session, tripped) in &reached {
            self.quoters.insert(
                (instrument, *session),
                Quoter {
                    fills: Vec::new(),
                    tripped: true,
                },
            );
            sink.emit((*tripped).into());
            self.collect_quotes(*session, instrument);
            self.end_leaving(CancelReason::MarketMakerProtection, sink);
        }
        !reached.is_empty()
    }
}

const fn side_of(quote: &Quote, side: Side) -> (u32, Part) {
    match side {
        Side::Buy => (quote.bid, quote.bid_quantity),
        Side::Sell => (quote.ask, quote.ask_quantity),
    }
}

#[cold]
fn reject(c: &MassQuote, reason: RejectReason, sink: &mut impl EventSink) {
    sink.emit(
        MassQuoteRejected {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            user_ref: c.user_ref,
            reason,
            client_id: c.client_id,
        }
        .into(),
    );
}
