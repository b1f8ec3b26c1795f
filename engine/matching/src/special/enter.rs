//! A new order under a rulebook: accepted, then waiting for its trigger, trading, or resting.

use crate::book::{REACH_ALL, Terms, push_to};
use crate::engine::{Engine, ignored};
use crate::enter::Numbering;
use crate::order::Order;
use crate::pool::NONE;
use rialto_model::command::EnterSpecial;
use rialto_model::event::{Accepted, Booked, Rejected, Triggered};
use rialto_model::{
    AccountId, AuctionOnly, EventSink, FirmId, Handling, IgnoreReason, Instructions, OrderId, OrderKind, Phase, Price,
    RejectReason, SequenceNumber, Side,
};

use super::{Extra, index, is_pegged, price, quantity};

/// An order on its way to the book: all that is open is in `order.leaves`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incoming {
    pub(super) order: Order,
    pub(super) kind: OrderKind,
    /// Zero for a market order.
    pub(super) price: u32,
    /// The limit of a pegged order, whose price is what it follows; zero otherwise.
    pub(super) cap: u32,
    pub(super) instructions: Instructions,
}

impl Incoming {
    pub(super) fn could_rest(&self) -> bool {
        self.kind == OrderKind::Limit && self.order.tif.rests()
    }

    pub(super) fn at(&self) -> usize {
        usize::from(self.order.instrument.0) - 1
    }

    fn is_displayed_whole(&self) -> bool {
        !self.instructions.handling.has(Handling::HIDDEN) && self.instructions.display.is_zero()
    }
}

impl Engine {
    /// As [`Engine::enter`], with instructions.
    #[cold]
    pub(crate) fn enter_special(&mut self, seq: SequenceNumber, c: &EnterSpecial, sink: &mut impl EventSink) {
        let session = match self.session_up(c.session, c.incarnation) {
            Ok(session) => session,
            Err(reason) => return reject(c, reason, sink),
        };
        match Numbering::of(c.user_ref, session.last_user_ref) {
            Numbering::New => {}
            Numbering::Resent => return sink.emit(ignored(c.session, c.inbound, IgnoreReason::Resent).into()),
            Numbering::Jump => return reject(c, RejectReason::UserRefJump, sink),
        }
        let firm = session.firm;
        let account = if c.account.0 == 0 { session.account } else { c.account };
        self.sessions[c.session.0 as usize].last_user_ref = c.user_ref;
        self.enter_numbered(seq, c, firm, account, sink);
    }

    /// The order behind its reference: where a plain order comes in too, when its book or its firm is not plain.
    #[cold]
    #[inline(never)]
    pub(crate) fn enter_numbered(
        &mut self,
        seq: SequenceNumber,
        c: &EnterSpecial,
        firm: FirmId,
        account: AccountId,
        sink: &mut impl EventSink,
    ) {
        let limit = match self.judge_special(c, firm, account) {
            Ok(limit) => limit,
            Err(reason) => return reject(c, reason, sink),
        };
        let at = usize::from(c.instrument.0) - 1;
        let public_ref = self.books[at].next_public_ref();
        let mut incoming = Incoming {
            order: Order {
                order_id: OrderId(seq.0),
                public_ref,
                executed: 0,
                leaves: c.quantity.0 as u32,
                level: NONE,
                next: NONE,
                prev: NONE,
                user_ref: c.user_ref,
                account,
                session: c.session.0 as u16,
                firm: firm.0 as u16,
                instrument: c.instrument,
                policy: c.policy,
                side: c.side,
                tif: c.tif,
                short: c.short,
                carried: false,
                extra: NONE,
            },
            kind: c.kind,
            price: limit,
            cap: if is_pegged(&c.instructions) { limit } else { 0 },
            instructions: c.instructions,
        };
        let rests = self.rests_whole(&incoming);
        sink.emit(
            Accepted {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                order_id: incoming.order.order_id,
                public_ref,
                firm,
                account,
                instrument: c.instrument,
                side: c.side,
                kind: c.kind,
                tif: c.tif,
                short: c.short,
                capacity: c.capacity,
                policy: c.policy,
                price: price(limit),
                quantity: c.quantity,
                rests,
                mpid: self.mpid(firm, c.policy),
                client_id: c.client_id,
            }
            .into(),
        );
        Self::instruct(&incoming.order, incoming.instructions, sink);
        if self.goes_on(&mut incoming, rests, sink) {
            let handle = self.orders.insert(incoming.order);
            self.order_ids.insert(seq.0, handle);
            self.name(c.session, c.user_ref, handle);
            self.stand(handle, &incoming, rests, sink);
        }
        self.conclude(at, sink);
    }

    /// Whether an order comes to rest at once, as a whole and displayed.
    pub(super) fn rests_whole(&self, incoming: &Incoming) -> bool {
        let terms = self.terms(incoming);
        let phase = self.books[incoming.at()].phase();
        if waits_for_close(incoming, phase) {
            return false;
        }
        incoming.instructions.trigger.0 == 0
            && incoming.instructions.minimum.is_zero()
            && incoming.could_rest()
            && incoming.is_displayed_whole()
            && (phase.is_call()
                || self
                    .next_level(incoming.at(), incoming.order.side, terms.reach)
                    .is_none())
    }

    /// Follows an order until it stands somewhere (true) or is over (false).
    pub(super) fn goes_on(&mut self, incoming: &mut Incoming, rests: bool, sink: &mut impl EventSink) -> bool {
        if rests {
            return true;
        }
        let phase = self.books[incoming.at()].phase();
        if phase.is_call() || waits_for_close(incoming, phase) {
            return true;
        }
        if incoming.cap != 0 {
            self.peg(incoming, sink);
            if incoming.price == 0 {
                return true;
            }
        }
        if incoming.instructions.trigger.0 != 0 {
            let trigger = self.trigger(incoming);
            if !is_reached(incoming.order.side, trigger, self.books[incoming.at()].last_price) {
                return true;
            }
            self.go_live(incoming, sink);
        }
        self.run(incoming, sink)
    }

    /// A stop order becomes a limit or market order under a new public reference (FIX 150 = L), and is no stop any more.
    pub(super) fn go_live(&mut self, incoming: &mut Incoming, sink: &mut impl EventSink) {
        let instructions = &mut incoming.instructions;
        instructions.trigger = Price(0);
        instructions.handling = Handling(instructions.handling.0 & !Handling::TRAILING.0);
        let order = &mut incoming.order;
        order.public_ref = self.books[usize::from(order.instrument.0) - 1].next_public_ref();
        sink.emit(
            Triggered {
                session: order.session(),
                user_ref: order.user_ref,
                order_id: order.order_id,
                public_ref: order.public_ref,
                instrument: order.instrument,
                side: order.side,
                kind: incoming.kind,
                price: price(incoming.price),
                quantity: order.leaves(),
            }
            .into(),
        );
    }

    /// The stop price that a stop order begins with: a trailing one keeps its distance from the last trade.
    pub(super) fn trigger(&self, incoming: &Incoming) -> i64 {
        let Instructions { trigger, handling, .. } = incoming.instructions;
        if !handling.has(Handling::TRAILING) {
            return trigger.0;
        }
        let last = i64::from(self.books[incoming.at()].last_price);
        match incoming.order.side {
            Side::Buy => last + trigger.0,
            Side::Sell => last - trigger.0,
        }
    }

    /// Puts an order where it stands from now on, and shows what is to be seen of it unless that was announced.
    pub(super) fn stand(&mut self, handle: u32, incoming: &Incoming, announced: bool, sink: &mut impl EventSink) {
        let at = incoming.at();
        let instructions = incoming.instructions;
        self.orders[handle] = incoming.order;
        let phase = self.books[at].phase();
        let waits = waits_for_close(incoming, phase);
        if !instructions.is_none() || incoming.kind == OrderKind::Market {
            self.orders[handle].extra = self.extras.insert(Extra {
                kind: incoming.kind,
                instructions,
                reserve: 0,
                trigger: 0,
                price: incoming.price,
                waits,
                cap: incoming.cap,
            });
            self.set_timer(instructions.expires, incoming.order.instrument, incoming.order.order_id);
        }
        let extra = self.orders[handle].extra;
        let Order { side, public_ref, .. } = incoming.order;
        if instructions.trigger.0 != 0 {
            let trigger = self.trigger(incoming);
            self.extras[extra].trigger = trigger;
            self.special_book(at).add_stop(side, trigger, public_ref, handle);
            return;
        }
        if waits {
            self.special_book(at).waiting.insert(public_ref, handle);
            return;
        }
        if incoming.kind == OrderKind::Market {
            self.special_book(at).markets[index(side)].insert(public_ref, handle);
            return;
        }
        if incoming.cap != 0 && incoming.price == 0 {
            self.special_book(at).unpriced.insert(public_ref, handle);
            return;
        }
        let display = instructions.display.0;
        if display > 0 {
            let leaves = incoming.order.leaves;
            self.orders[handle].leaves = leaves.min(display);
            self.extras[extra].reserve = leaves - leaves.min(display);
        }
        let terms = self.terms(incoming);
        if instructions.handling.has(Handling::HIDDEN) {
            self.push_hidden(at, handle, terms);
            if incoming.cap != 0 {
                self.special_book(at).pegged.insert(public_ref, handle);
            }
            return;
        }
        self.books[at].push(handle, terms, &mut self.orders, &mut self.rungs);
        if !announced {
            self.show(handle, incoming.price, sink);
        }
    }

    fn push_hidden(&mut self, at: usize, handle: u32, terms: Terms) {
        let side = self.orders[handle].side;
        if let Some(special) = &mut self.books[at].special {
            push_to(
                &mut special.hidden[index(side)],
                handle,
                terms,
                &mut self.orders,
                &mut self.rungs,
            );
        }
    }

    /// Tells the feed what it sees of an order from here on.
    pub(super) fn show(&self, handle: u32, limit: u32, sink: &mut impl EventSink) {
        let order = &self.orders[handle];
        sink.emit(
            Booked {
                order_id: order.order_id,
                public_ref: order.public_ref,
                instrument: order.instrument,
                side: order.side,
                price: price(limit),
                quantity: quantity(order.leaves),
                mpid: self.mpid(order.firm(), order.policy),
            }
            .into(),
        );
    }

    /// Where an order rests and how far it reaches. A market order reaches over the protection range from the best price of
    /// the other side (CME Globex, market orders with protection), within collar and limit bands; what is left beyond is
    /// cancelled.
    pub(super) fn terms(&self, incoming: &Incoming) -> Terms {
        let book = &self.books[incoming.at()];
        let Order { side, leaves, .. } = incoming.order;
        if incoming.kind == OrderKind::Limit {
            return book.resting_terms(side, incoming.price, leaves);
        }
        let range = book.rules().protection.0 as u32;
        let everything = Terms {
            price: 0,
            quantity: leaves,
            rank: 0,
            reach: REACH_ALL,
        };
        let best = self.best_price(incoming.at(), side.opposite()).filter(|_| range > 0);
        let protected = best.and_then(|best| match side {
            Side::Buy => best.checked_add(range).filter(|worst| *worst <= book.price_max),
            Side::Sell => best.checked_sub(range).filter(|worst| *worst > 0),
        });
        let worsts = [protected, book.worst_price(side)].into_iter().flatten();
        let worst = match side {
            Side::Buy => worsts.min(),
            Side::Sell => worsts.max(),
        };
        match worst {
            Some(worst) => book.resting_terms(side, worst, leaves),
            None => everything,
        }
    }
}

/// Whether an order is for a closing auction that has not begun.
pub(super) fn waits_for_close(incoming: &Incoming, phase: Phase) -> bool {
    incoming.instructions.auction == AuctionOnly::Closing && phase != Phase::ClosingAuction
}

/// Whether the last trade has reached a stop price: a buy stop at or above it, a sell stop at or below (FIX 99).
pub(super) const fn is_reached(side: Side, trigger: i64, last: u32) -> bool {
    let last = last as i64;
    last > 0
        && match side {
            Side::Buy => last >= trigger,
            Side::Sell => last <= trigger,
        }
}

#[cold]
fn reject(c: &EnterSpecial, reason: RejectReason, sink: &mut impl EventSink) {
    sink.emit(
        Rejected {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            user_ref: c.user_ref,
            instrument: c.instrument,
            side: c.side,
            reason,
            price: if c.kind == OrderKind::Market { Price(0) } else { c.price },
            quantity: c.quantity,
            client_id: c.client_id,
        }
        .into(),
    );
}
