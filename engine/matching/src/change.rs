//! Changes to resting orders: who may ask, which order is meant, and the two that keep the place: reduce and cancel.

use crate::engine::{Engine, VENUE, ignored};
use crate::order::Order;
use crate::pool::NONE;
use rialto_model::command::{Cancel, Reduce};
use rialto_model::event::{ChangeRejected, Reduced};
use rialto_model::{
    CancelReason, EventSink, IgnoreReason, Incarnation, MsgSeqNum, Policy, Quantity, RejectReason, SessionId,
    ShortSale, Side, Target, Text, UserRef,
};

/// What a reduce, cancel and replace have in common.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) session: SessionId,
    pub(crate) incarnation: Incarnation,
    pub(crate) inbound: MsgSeqNum,
    pub(crate) client_id: &'a Text,
    pub(crate) target: Target,
    pub(crate) policy: Policy,
    /// The new reference of a replace, zero otherwise.
    pub(crate) user_ref: UserRef,
    pub(crate) replace: bool,
}

/// Why a change is not made.
pub(crate) enum Refusal {
    /// The client is told.
    Rejected(RejectReason),
    /// Nobody is told.
    Ignored(IgnoreReason),
}

impl Request<'_> {
    /// What an event about an order of `owner` says of the request: under what it came if its owner asked; nothing if
    /// another session or the venue did, whose numbers are not the owner's.
    #[inline]
    pub(crate) fn asked(&self, owner: SessionId) -> (Incarnation, MsgSeqNum, &Text) {
        if self.session == owner {
            (self.incarnation, self.inbound, self.client_id)
        } else {
            (Incarnation(0), MsgSeqNum(0), &Text::EMPTY)
        }
    }

    #[cold]
    pub(crate) fn refuse(&self, refusal: Refusal, sink: &mut impl EventSink) {
        match refusal {
            Refusal::Ignored(reason) => sink.emit(ignored(self.session, self.inbound, reason).into()),
            Refusal::Rejected(reason) => sink.emit(
                ChangeRejected {
                    session: self.session,
                    incarnation: self.incarnation,
                    inbound: self.inbound,
                    target: self.target,
                    user_ref: self.user_ref,
                    replace: self.replace,
                    reason,
                    client_id: *self.client_id,
                }
                .into(),
            ),
        }
    }
}

impl From<RejectReason> for Refusal {
    fn from(reason: RejectReason) -> Self {
        Self::Rejected(reason)
    }
}

impl Engine {
    /// FIX F; OUCH 5.0 Cancel Order with a quantity of zero comes as a reduce to nothing.
    #[inline]
    pub(crate) fn cancel(&mut self, c: &Cancel, sink: &mut impl EventSink) {
        let request = || Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id: &c.client_id,
            target: c.target,
            policy: c.policy,
            user_ref: UserRef(0),
            replace: false,
        };
        // A session's plain order of today under its own name, as nearly every one is; all others are found below.
        if let Some(session) = self.sessions.get_mut(c.session.0 as usize)
            && session.is_up(c.incarnation)
            && self.day_open
            && let Target::UserRef(name) = c.target
            && let handle = session.names.get(u64::from(name.0))
            && handle != NONE
            && let order = &self.orders[handle]
            && let book = &mut self.books[usize::from(order.instrument.0) - 1]
            && book.special.is_none()
        {
            let asked = (c.incarnation, c.inbound, &c.client_id);
            sink.emit(order.cancelled_by(asked, CancelReason::Requested).into());
            session.names.remove(u64::from(name.0));
            self.order_ids.remove(order.order_id.0);
            book.unlink(handle, &mut self.orders, &mut self.rungs);
            self.orders.release(handle);
            return;
        }
        let request = request();
        match self.find(&request) {
            Ok(handle) if self.is_special(handle) => {
                self.cancel_special(handle, &request, CancelReason::Requested, sink);
            }
            Ok(handle) => self.cancel_for(handle, &request, CancelReason::Requested, sink),
            Err(refusal) => request.refuse(refusal, sink),
        }
    }

    /// OUCH 5.0 Cancel Order (X: the new intended quantity, place kept, zero cancels, a superfluous one has no answer)
    /// and Modify Order (M: the same with a new short-sale mark).
    pub(crate) fn reduce(&mut self, c: &Reduce, sink: &mut impl EventSink) {
        let request = Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id: &c.client_id,
            target: c.target,
            policy: c.policy,
            user_ref: UserRef(0),
            replace: false,
        };
        if let Err(refusal) = self
            .find(&request)
            .and_then(|handle| self.reduce_found(c, handle, &request, sink))
        {
            request.refuse(refusal, sink);
        }
    }

    fn reduce_found(
        &mut self,
        c: &Reduce,
        handle: u32,
        request: &Request<'_>,
        sink: &mut impl EventSink,
    ) -> Result<(), Refusal> {
        if self.is_special(handle) {
            return self.reduce_special(c, handle, request, sink);
        }
        let order = &mut self.orders[handle];
        let book = &self.books[usize::from(order.instrument.0) - 1];
        if c.remark && c.short != ShortSale::None && order.side == Side::Buy {
            return Err(RejectReason::ShortSaleOnBuy.into());
        }
        let asked_leaves = new_leaves(c.policy, c.quantity, order.executed);
        if asked_leaves.is_zero() {
            self.cancel_instead(handle, request, CancelReason::Requested, sink);
            return Ok(());
        }
        if !book.is_lots(asked_leaves) {
            return Err(RejectReason::QuantityOffLot.into());
        }
        let remarks = c.remark && c.short != order.short;
        if asked_leaves >= order.leaves() && !remarks {
            return Err(Refusal::Ignored(IgnoreReason::Superfluous));
        }
        if remarks {
            order.short = c.short;
        }
        // Not above what is open, so it fits.
        let leaves = asked_leaves.min(order.leaves()).0 as u32;
        let removed = order.leaves - leaves;
        order.leaves = leaves;
        self.rungs.levels[order.level].total -= u64::from(removed);
        let (incarnation, inbound, client_id) = request.asked(order.session());
        sink.emit(
            Reduced {
                session: order.session(),
                incarnation,
                inbound,
                user_ref: order.user_ref,
                order_id: order.order_id,
                public_ref: order.public_ref,
                instrument: order.instrument,
                side: order.side,
                short: order.short,
                remark: c.remark,
                removed: Quantity(u64::from(removed)),
                leaves: order.leaves(),
                removed_shown: Quantity(u64::from(removed)),
                client_id: *client_id,
            }
            .into(),
        );
        Ok(())
    }

    /// The order that a request means, if whoever asks may change it: DESIGN 4, three names of an order. A member's session
    /// must be up; the venue always is, and may mean any firm's order but not replace it. The answers to a dead order are
    /// OUCH 5.0's silence, and FIX 102 = 0 (too late) or 1 (unknown order).
    #[inline(always)]
    pub(crate) fn find(&self, request: &Request<'_>) -> Result<u32, Refusal> {
        let venue = request.session == VENUE && !request.replace;
        let session = match self.session_up(request.session, request.incarnation) {
            Ok(session) => session,
            Err(_) if venue => &self.sessions[0],
            Err(reason) => return Err(reason.into()),
        };
        if !self.day_open {
            return Err(RejectReason::MarketClosed.into());
        }
        let handle = match request.target {
            Target::UserRef(name) => session.names.get(u64::from(name.0)),
            Target::OrderId(name) => self.order_ids.get(name.0),
        };
        let handle = if handle == NONE {
            self.find_other(request, session.last_user_ref)?
        } else {
            handle
        };
        if self.orders[handle].firm() != session.firm && !venue {
            return Err(RejectReason::NotYours.into());
        }
        Ok(handle)
    }

    /// A quote, which only its order id names and which is not replaced, or the answer where there is no order.
    #[cold]
    fn find_other(&self, request: &Request<'_>, last: UserRef) -> Result<u32, Refusal> {
        match request.target {
            Target::OrderId(name) if name.is_quote() && !request.replace => match self.find_quote(name) {
                NONE => Err(dead(request, last)),
                handle => Ok(handle),
            },
            _ => Err(dead(request, last)),
        }
    }

    /// Cancels a resting order in answer to a request for something else.
    #[inline(never)]
    pub(crate) fn cancel_instead(
        &mut self,
        handle: u32,
        request: &Request<'_>,
        reason: CancelReason,
        sink: &mut impl EventSink,
    ) {
        self.cancel_for(handle, request, reason, sink);
    }

    /// Cancels a resting order in answer to a request.
    #[inline(always)]
    fn cancel_for(&mut self, handle: u32, request: &Request<'_>, reason: CancelReason, sink: &mut impl EventSink) {
        let order: &Order = &self.orders[handle];
        let asked = request.asked(order.session());
        sink.emit(order.cancelled_by(asked, reason).into());
        self.take_off(handle);
    }
}

/// What a stated quantity leaves open: DESIGN 7, the door says whether it counts executions (FIX 38 and OUCH do).
#[inline]
pub(crate) const fn new_leaves(policy: Policy, quantity: Quantity, executed: u64) -> Quantity {
    if policy.has(Policy::QUANTITY_COUNTS_EXECUTED) {
        quantity.saturating_sub(Quantity(executed))
    } else {
        quantity
    }
}

#[cold]
fn dead(request: &Request<'_>, last: UserRef) -> Refusal {
    if request.policy.has(Policy::DEAD_ORDER_SILENT) {
        return Refusal::Ignored(IgnoreReason::DeadOrder);
    }
    match request.target {
        Target::UserRef(name) if name.0 > 0 && name <= last => RejectReason::TooLate.into(),
        _ => RejectReason::UnknownOrder.into(),
    }
}
