//! New orders, and the trade of whatever comes in.

use crate::book::{Place, Terms, join};
use crate::engine::{Engine, ignored, mpid};
use crate::order::Order;
use crate::pool::NONE;
use rialto_model::command::{Enter, EnterSpecial, Refuse};
use rialto_model::event::{Accepted, Booked, Executed, Rejected};
use rialto_model::limits::USER_REF_JUMP_MAX;
use rialto_model::{
    AccountId, CancelReason, EventSink, FirmId, IgnoreReason, Money, Mpid, OrderId, OrderKind, Price, PublicRef,
    Quantity, RejectReason, SequenceNumber, ShortSale, Side, TimeInForce, UserRef,
};

/// How a client's new reference stands to the last one.
pub(crate) enum Numbering {
    /// The next, or one behind a gap.
    New,
    /// Seen before: a resend (OUCH 5.0, UserRefNum).
    Resent,
    /// Over [`USER_REF_JUMP_MAX`] ahead.
    Jump,
}

impl Numbering {
    #[inline]
    pub(crate) const fn of(user_ref: UserRef, last: UserRef) -> Self {
        if user_ref.0 <= last.0 {
            Self::Resent
        } else if user_ref.0 - last.0 > USER_REF_JUMP_MAX {
            Self::Jump
        } else {
            Self::New
        }
    }
}

impl Engine {
    /// OUCH 5.0 Enter Order, FIX D. The session is judged first, then the reference; from there on the reference is
    /// consumed whatever comes (OUCH 5.0: a reject consumes it), so that a resend of a refused order is ignored too.
    #[inline]
    pub(crate) fn enter(&mut self, seq: SequenceNumber, c: &Enter, sink: &mut impl EventSink) {
        let session = match self.sessions.get_mut(c.session.0 as usize) {
            Some(session) if session.is_up(c.incarnation) => session,
            _ => return self.reject_session(c, sink),
        };
        match Numbering::of(c.user_ref, session.last_user_ref) {
            Numbering::New => {}
            Numbering::Resent => return sink.emit(ignored(c.session, c.inbound, IgnoreReason::Resent).into()),
            Numbering::Jump => return reject(c, RejectReason::UserRefJump, sink),
        }
        session.last_user_ref = c.user_ref;
        let firm = session.firm;
        let account = if c.account.0 == 0 { session.account } else { c.account };
        let book = self.books.get_mut(usize::from(c.instrument.0).wrapping_sub(1));
        if session.special || book.as_ref().is_some_and(|book| book.special.is_some()) {
            return self.enter_numbered(seq, &EnterSpecial::plain(c), firm, account, sink);
        }
        if !(self.day_open & !self.cancel_only) {
            return self.reject_closed(c, sink);
        }
        let Some(book) = book else {
            return reject(c, RejectReason::UnknownInstrument, sink);
        };
        if c.account.0 != 0 && self.accounts.get(account.0 as usize) != Some(&firm) {
            return reject(c, RejectReason::UnknownAccount, sink);
        }
        if c.side == Side::Buy && c.short != ShortSale::None {
            return reject(c, RejectReason::ShortSaleOnBuy, sink);
        }
        let terms = match book.terms(c.side, c.kind, c.price, c.quantity) {
            Ok(terms) => terms,
            Err(reason) => return reject(c, reason, sink),
        };
        let could_rest = c.kind == OrderKind::Limit && c.tif.rests();
        if could_rest && self.orders.live() >= self.live_orders_max as usize {
            return reject(c, RejectReason::BookFull, sink);
        }
        if !could_rest || book.counterpart(c.side, terms) != NONE {
            return self.enter_trading(seq, c, firm, account, terms, could_rest, sink);
        }

        // It rests at once, as nearly every order does.
        let public_ref = book.next_public_ref();
        let handle = self.orders.reuse(Order::blank);
        session.names.insert(u64::from(c.user_ref.0), handle);
        self.order_ids.insert(seq.0, handle);
        let side = book.side_mut(c.side);
        let place = join(side, handle, terms, terms.quantity, &mut self.orders, &mut self.rungs);
        self.orders[handle] = order(seq, c, firm, account, public_ref, terms, place);
        let mpid = mpid(&self.mpids, firm, c.policy);
        sink.emit(accepted(seq, c, firm, account, public_ref, terms, true, mpid).into());
    }

    /// A valid order that meets another, or may not rest.
    #[inline(never)]
    #[allow(
        clippy::too_many_arguments,
        reason = "what was judged already, so that it is not judged again"
    )]
    fn enter_trading(
        &mut self,
        seq: SequenceNumber,
        c: &Enter,
        firm: FirmId,
        account: AccountId,
        terms: Terms,
        could_rest: bool,
        sink: &mut impl EventSink,
    ) {
        let at = usize::from(c.instrument.0) - 1;
        let public_ref = self.books[at].next_public_ref();
        let mpid = self.mpid(firm, c.policy);
        sink.emit(accepted(seq, c, firm, account, public_ref, terms, false, mpid).into());
        let order = order(seq, c, firm, account, public_ref, terms, Place::NOWHERE);
        let Some(rest) = self.trade(order, terms, could_rest, sink) else {
            return;
        };
        let handle = self.orders.insert(rest);
        self.order_ids.insert(seq.0, handle);
        self.name(c.session, c.user_ref, handle);
        self.books[at].push(handle, terms, &mut self.orders, &mut self.rungs);
    }

    /// FIX 103, OUCH 5.0 Rejected: no member's session that is up under this incarnation.
    #[cold]
    fn reject_session(&self, c: &Enter, sink: &mut impl EventSink) {
        let reason = self.session_up(c.session, c.incarnation).err();
        reject(c, reason.unwrap_or(RejectReason::UnknownSession), sink);
    }

    #[cold]
    fn reject_closed(&self, c: &Enter, sink: &mut impl EventSink) {
        reject(c, self.judge_open().err().unwrap_or(RejectReason::MarketClosed), sink);
    }

    /// Trades an order by price, then time, each time at the resting order's price, and says what becomes of the rest:
    /// it comes to a queue where it may (FIX 59 = 0, 1), and is cancelled otherwise (FIX 59 = 3, 4; FIX 40 = 1). An order
    /// that must be filled at once and in full (FIX 59 = 4) trades with nobody where it cannot be.
    ///
    /// What of it is to rest now.
    #[inline(never)]
    pub(crate) fn trade(
        &mut self,
        mut taker: Order,
        terms: Terms,
        could_rest: bool,
        sink: &mut impl EventSink,
    ) -> Option<Order> {
        let at = usize::from(taker.instrument.0) - 1;
        if taker.tif == TimeInForce::FillOrKill
            && !self.books[at].is_fillable(taker.side, terms, taker.leaves, &self.rungs)
        {
            sink.emit(taker.cancelled(CancelReason::NotFillable, false).into());
            return None;
        }
        while taker.leaves > 0 {
            let level = self.books[at].counterpart(taker.side, terms);
            if level == NONE {
                break;
            }
            self.execute(&mut taker, level, sink);
        }
        if taker.leaves == 0 {
            return None;
        }
        if !could_rest {
            sink.emit(taker.cancelled(CancelReason::Unfilled, false).into());
            return None;
        }
        sink.emit(
            Booked {
                order_id: taker.order_id,
                public_ref: taker.public_ref,
                instrument: taker.instrument,
                side: taker.side,
                price: terms.price(),
                quantity: taker.leaves(),
                mpid: self.mpid(taker.firm(), taker.policy),
            }
            .into(),
        );
        Some(taker)
    }

    /// One execution against the oldest order of a level. Executed quantities cannot overflow: each execution adds at
    /// most 10^9 (`QUANTITY_MAX`), and a chain would need 2^63 / 10^9 of them.
    #[inline]
    fn execute(&mut self, taker: &mut Order, level: u32, sink: &mut impl EventSink) {
        let book = &mut self.books[usize::from(taker.instrument.0) - 1];
        let level = &mut self.rungs.levels[level];
        let handle = level.head;
        let maker = &mut self.orders[handle];
        let quantity = taker.leaves.min(maker.leaves);
        taker.leaves -= quantity;
        taker.executed += u64::from(quantity);
        book.last_price = level.price;
        sink.emit(
            Executed {
                trade: book.next_trade(),
                instrument: taker.instrument,
                aggressor: taker.side,
                price: Price(i64::from(level.price)),
                quantity: Quantity(u64::from(quantity)),
                maker: maker.order_id,
                maker_public_ref: maker.public_ref,
                maker_session: maker.session(),
                maker_user_ref: maker.user_ref,
                maker_firm: maker.firm(),
                maker_account: maker.account,
                maker_leaves: Quantity(u64::from(maker.leaves - quantity)),
                taker: taker.order_id,
                taker_session: taker.session(),
                taker_user_ref: taker.user_ref,
                taker_firm: taker.firm(),
                taker_account: taker.account,
                taker_leaves: taker.leaves(),
                maker_hidden: false,
                cross: false,
                taker_public_ref: PublicRef(0),
                maker_fee: Money(0),
                taker_fee: Money(0),
            }
            .into(),
        );
        if quantity == maker.leaves {
            book.unlink(handle, &mut self.orders, &mut self.rungs);
            self.forget(handle);
        } else {
            maker.leaves -= quantity;
            maker.executed += u64::from(quantity);
            level.total -= u64::from(quantity);
        }
    }

    /// An order that its door refused: the answer is sequenced, nothing else happens. The session is judged as for an
    /// order.
    pub(crate) fn refuse(&self, c: &Refuse, sink: &mut impl EventSink) {
        let reason = self.session_up(c.session, c.incarnation).err().unwrap_or(c.reason);
        sink.emit(
            Rejected {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                instrument: c.instrument,
                side: c.side,
                reason,
                price: c.price,
                quantity: c.quantity,
                client_id: c.client_id,
            }
            .into(),
        );
    }
}

impl Terms {
    /// Zero for a market order.
    #[inline]
    pub(crate) const fn price(self) -> Price {
        Price(self.price as i64)
    }
}

/// What the engine keeps of an order that came as `c`.
#[inline(always)]
fn order(
    seq: SequenceNumber,
    c: &Enter,
    firm: FirmId,
    account: AccountId,
    public_ref: PublicRef,
    terms: Terms,
    place: Place,
) -> Order {
    Order {
        order_id: OrderId(seq.0),
        public_ref,
        executed: 0,
        leaves: terms.quantity,
        level: place.level,
        next: NONE,
        prev: place.prev,
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
    }
}

/// What is said of it.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "an event is its fields")]
fn accepted(
    seq: SequenceNumber,
    c: &Enter,
    firm: FirmId,
    account: AccountId,
    public_ref: PublicRef,
    terms: Terms,
    rests: bool,
    mpid: Mpid,
) -> Accepted {
    Accepted {
        session: c.session,
        incarnation: c.incarnation,
        inbound: c.inbound,
        user_ref: c.user_ref,
        order_id: OrderId(seq.0),
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
        price: terms.price(),
        quantity: c.quantity,
        rests,
        mpid,
        client_id: c.client_id,
    }
}

#[cold]
fn reject(c: &Enter, reason: RejectReason, sink: &mut impl EventSink) {
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
