//! Replace: an order under a new reference, in its place or as if it came anew.

use crate::book::Terms;
use crate::change::{Refusal, Request, new_leaves};
use crate::engine::Engine;
use crate::enter::Numbering;
use crate::order::Order;
use crate::pool::NONE;
use rialto_model::command::Replace;
use rialto_model::event::Replaced;
use rialto_model::{
    CancelReason, EventSink, IgnoreReason, OrderKind, Policy, PublicRef, Quantity, RejectReason, SessionId, UserRef,
};

impl Engine {
    /// FIX G, OUCH 5.0 Replace Order. The target is found first: a replace of a dead order does not consume its
    /// reference (OUCH 5.0), nor does one that is ignored or invalid under the policy that cancels the original then.
    #[inline]
    pub(crate) fn replace(&mut self, c: &Replace, sink: &mut impl EventSink) {
        let request = Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id: &c.client_id,
            target: c.target,
            policy: c.policy,
            user_ref: c.user_ref,
            replace: true,
        };
        if let Err(refusal) = self
            .find(&request)
            .and_then(|handle| self.replace_found(c, handle, &request, sink))
        {
            request.refuse(refusal, sink);
        }
    }

    #[inline]
    fn replace_found(
        &mut self,
        c: &Replace,
        handle: u32,
        request: &Request<'_>,
        sink: &mut impl EventSink,
    ) -> Result<(), Refusal> {
        let asker = c.session.0 as usize;
        self.number(c.session, c.user_ref)?;
        if self.sessions[asker].special || self.is_special(handle) {
            return self.replace_keeping(c, handle, request, sink);
        }
        let old = self.orders[handle];
        let at = usize::from(old.instrument.0) - 1;
        let terms = match self.books[at].terms(old.side, c.kind, c.price, c.quantity) {
            Ok(terms) => terms,
            Err(_) if c.policy.has(Policy::INVALID_REPLACE_CANCELS) => {
                self.cancel_instead(handle, request, CancelReason::InvalidReplace, sink);
                return Ok(());
            }
            Err(reason) => {
                self.sessions[asker].last_user_ref = c.user_ref;
                return Err(reason.into());
            }
        };
        self.sessions[asker].last_user_ref = c.user_ref;
        // Not above the stated quantity, which the terms keep in 32 bits.
        let leaves = new_leaves(c.policy, c.quantity, old.executed).0 as u32;
        if leaves == 0 {
            self.cancel_instead(handle, request, CancelReason::ReplacedToNothing, sink);
            return Ok(());
        }
        let could_rest = c.kind == OrderKind::Limit && c.tif.rests();
        let keeps_place = c.policy.has(Policy::KEEP_PRIORITY_ON_REDUCE)
            && could_rest
            && terms.price == self.rungs.levels[old.level].price
            && leaves <= old.leaves;
        self.rename(handle, c.user_ref, c.session.0 as u16);
        let order = &mut self.orders[handle];
        order.policy = c.policy;
        order.tif = c.tif;
        if keeps_place {
            order.leaves = leaves;
            self.rungs.levels[old.level].total -= u64::from(old.leaves - leaves);
            self.name(c.session, c.user_ref, handle);
            sink.emit(self.replaced(c, &old, terms, leaves, old.public_ref, true).into());
            return Ok(());
        }

        self.books[at].unlink(handle, &mut self.orders, &mut self.rungs);
        let public_ref = self.books[at].next_public_ref();
        let rests = could_rest && self.books[at].counterpart(old.side, terms) == NONE;
        sink.emit(self.replaced(c, &old, terms, leaves, public_ref, rests).into());
        let order = Order {
            public_ref,
            leaves,
            ..self.orders[handle]
        };
        let order = if rests {
            Some(order)
        } else {
            self.trade(order, terms, could_rest, sink)
        };
        if let Some(order) = order {
            self.orders[handle] = order;
            self.name(c.session, c.user_ref, handle);
            self.books[at].push(handle, terms, &mut self.orders, &mut self.rungs);
        } else {
            self.order_ids.remove(old.order_id.0);
            self.orders.release(handle);
        }
        Ok(())
    }

    /// Judges the new reference of a replace, and whether there may be one now. As with any refusal from here on, the
    /// reference is consumed and the order stays as it is.
    #[inline]
    pub(crate) fn number(&mut self, session: SessionId, user_ref: UserRef) -> Result<(), Refusal> {
        match Numbering::of(user_ref, self.sessions[session.0 as usize].last_user_ref) {
            Numbering::New if self.cancel_only => {
                self.sessions[session.0 as usize].last_user_ref = user_ref;
                Err(RejectReason::CancelOnly.into())
            }
            Numbering::New => Ok(()),
            Numbering::Resent => Err(Refusal::Ignored(IgnoreReason::Resent)),
            Numbering::Jump => Err(RejectReason::UserRefJump.into()),
        }
    }

    /// Gives an order its new name: the chain goes to the session that replaces, where that is another of its firm.
    #[inline]
    pub(crate) fn rename(&mut self, handle: u32, user_ref: UserRef, session: u16) {
        let order = &mut self.orders[handle];
        if !order.carried {
            let names = &mut self.sessions[usize::from(order.session)].names;
            names.remove(u64::from(order.user_ref.0));
        }
        order.user_ref = user_ref;
        order.session = session;
        order.carried = false;
    }

    #[inline]
    fn replaced(
        &self,
        c: &Replace,
        old: &Order,
        terms: Terms,
        leaves: u32,
        public_ref: PublicRef,
        rests: bool,
    ) -> Replaced {
        Replaced {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            old_user_ref: old.user_ref,
            user_ref: c.user_ref,
            order_id: old.order_id,
            old_public_ref: old.public_ref,
            public_ref,
            firm: old.firm(),
            account: old.account,
            instrument: old.instrument,
            side: old.side,
            kind: c.kind,
            tif: c.tif,
            short: old.short,
            policy: c.policy,
            price: terms.price(),
            quantity: Quantity(u64::from(leaves)),
            old_quantity: old.leaves(),
            executed: Quantity(old.executed),
            rests,
            mpid: self.mpid(old.firm(), c.policy),
            client_id: c.client_id,
        }
    }
}
