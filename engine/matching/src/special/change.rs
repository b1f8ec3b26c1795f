//! Reduce, cancel and replace where the book or the firm is not plain.

use crate::change::{Refusal, Request, new_leaves};
use crate::engine::Engine;
use crate::order::Order;
use crate::pool::NONE;
use rialto_model::command::{Reduce, Replace, ReplaceSpecial};
use rialto_model::event::{Cancelled, Reduced, Replaced};
use rialto_model::{
    CancelReason, EventSink, IgnoreReason, OrderKind, Policy, PublicRef, Quantity, RejectReason, ShortSale, Side,
    TimeInForce, Timestamp,
};

use super::enter::Incoming;
use super::judge::Wish;
use super::{is_pegged, price, quantity};

impl Engine {
    /// As a plain cancel, wherever the order stands.
    #[cold]
    #[inline(never)]
    pub(crate) fn cancel_special(
        &mut self,
        handle: u32,
        request: &Request<'_>,
        reason: CancelReason,
        sink: &mut impl EventSink,
    ) {
        let (incarnation, inbound, client_id) = request.asked(self.orders[handle].session());
        sink.emit(
            Cancelled {
                incarnation,
                inbound,
                client_id: *client_id,
                ..self.ended(handle, reason)
            }
            .into(),
        );
        let at = usize::from(self.orders[handle].instrument.0) - 1;
        self.take_off_any(handle);
        self.conclude(at, sink);
    }

    /// As a plain reduce: the order keeps its place, and of an iceberg the part that nobody sees goes first.
    #[cold]
    #[inline(never)]
    pub(crate) fn reduce_special(
        &mut self,
        c: &Reduce,
        handle: u32,
        request: &Request<'_>,
        sink: &mut impl EventSink,
    ) -> Result<(), Refusal> {
        let order = self.orders[handle];
        if c.remark && c.short != ShortSale::None && order.side == Side::Buy {
            return Err(RejectReason::ShortSaleOnBuy.into());
        }
        let asked = new_leaves(c.policy, c.quantity, order.executed);
        if asked.is_zero() {
            self.cancel_special(handle, request, CancelReason::Requested, sink);
            return Ok(());
        }
        let lot = self.books[usize::from(order.instrument.0) - 1].rules().lot;
        if !asked.0.is_multiple_of(lot.0) {
            return Err(RejectReason::QuantityOffLot.into());
        }
        let open = quantity(self.open(handle));
        let remarks = c.remark && c.short != order.short;
        if asked >= open && !remarks {
            return Err(Refusal::Ignored(IgnoreReason::Superfluous));
        }
        if remarks {
            self.orders[handle].short = c.short;
        }
        let removed = open.saturating_sub(asked);
        let shown = self.lower(handle, removed.0 as u32);
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
                short: self.orders[handle].short,
                remark: c.remark,
                removed,
                leaves: quantity(self.open(handle)),
                removed_shown: quantity(shown),
                client_id: *client_id,
            }
            .into(),
        );
        self.conclude(usize::from(order.instrument.0) - 1, sink);
        Ok(())
    }

    /// A replace that states instructions.
    #[cold]
    pub(crate) fn replace_special(&mut self, c: &ReplaceSpecial, sink: &mut impl EventSink) {
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
        let done = self.find(&request).and_then(|handle| {
            self.number(c.session, c.user_ref)?;
            self.replace_numbered(c, handle, &request, sink)
        });
        if let Err(refusal) = done {
            request.refuse(refusal, sink);
        }
    }

    /// A plain replace leaves the instructions as they are; but an expiry goes with good-till-cancel only.
    #[cold]
    #[inline(never)]
    pub(crate) fn replace_keeping(
        &mut self,
        c: &Replace,
        handle: u32,
        request: &Request<'_>,
        sink: &mut impl EventSink,
    ) -> Result<(), Refusal> {
        let mut instructions = self.instructions(handle);
        if c.tif != TimeInForce::GoodTillCancel {
            instructions.expires = Timestamp(0);
        }
        self.replace_numbered(&ReplaceSpecial::plain(c, instructions), handle, request, sink)
    }

    /// As a plain replace; an order with instructions, before or after, always loses its place.
    fn replace_numbered(
        &mut self,
        c: &ReplaceSpecial,
        handle: u32,
        request: &Request<'_>,
        sink: &mut impl EventSink,
    ) -> Result<(), Refusal> {
        let old = self.orders[handle];
        let at = usize::from(old.instrument.0) - 1;
        let wish = Wish {
            side: old.side,
            kind: c.kind,
            tif: c.tif,
            price: c.price,
            quantity: c.quantity,
            instructions: c.instructions,
        };
        let limit = match self.judge_wish(at, old.firm(), &wish) {
            Ok(limit) => limit,
            Err(_) if c.policy.has(Policy::INVALID_REPLACE_CANCELS) => {
                self.cancel_special(handle, request, CancelReason::InvalidReplace, sink);
                return Ok(());
            }
            Err(reason) => {
                self.sessions[c.session.0 as usize].last_user_ref = c.user_ref;
                return Err(reason.into());
            }
        };
        self.sessions[c.session.0 as usize].last_user_ref = c.user_ref;
        // Not above the stated quantity, which the rules keep in 32 bits.
        let leaves = new_leaves(c.policy, c.quantity, old.executed).0 as u32;
        if leaves == 0 {
            self.cancel_special(handle, request, CancelReason::ReplacedToNothing, sink);
            return Ok(());
        }
        let before = Before {
            order: old,
            open: quantity(self.open(handle)),
            shown: self.shown(handle) > 0,
        };
        let plain = old.extra == NONE && c.instructions.is_none();
        let keeps_place = plain
            && c.policy.has(Policy::KEEP_PRIORITY_ON_REDUCE)
            && c.kind == OrderKind::Limit
            && c.tif.rests()
            && limit == self.price_of(handle)
            && leaves <= old.leaves;
        self.rename(handle, c.user_ref, c.session.0 as u16);
        let order = &mut self.orders[handle];
        order.policy = c.policy;
        order.tif = c.tif;
        if keeps_place {
            self.lower(handle, old.leaves - leaves);
            self.name(c.session, c.user_ref, handle);
            sink.emit(
                self.replaced_special(c, &before, limit, leaves, old.public_ref, true)
                    .into(),
            );
            self.conclude(at, sink);
            return Ok(());
        }

        self.unlink_any(handle);
        self.drop_extra(handle);
        let public_ref = self.books[at].next_public_ref();
        let mut incoming = Incoming {
            order: Order {
                public_ref,
                leaves,
                ..self.orders[handle]
            },
            kind: c.kind,
            price: limit,
            cap: if is_pegged(&c.instructions) { limit } else { 0 },
            instructions: c.instructions,
        };
        let rests = self.rests_whole(&incoming);
        sink.emit(
            self.replaced_special(c, &before, limit, leaves, public_ref, rests)
                .into(),
        );
        Self::instruct(&incoming.order, incoming.instructions, sink);
        if self.goes_on(&mut incoming, rests, sink) {
            self.name(c.session, c.user_ref, handle);
            self.stand(handle, &incoming, rests, sink);
        } else {
            self.order_ids.remove(old.order_id.0);
            self.orders.release(handle);
        }
        self.conclude(at, sink);
        Ok(())
    }

    fn replaced_special(
        &self,
        c: &ReplaceSpecial,
        before: &Before,
        limit: u32,
        leaves: u32,
        public_ref: PublicRef,
        rests: bool,
    ) -> Replaced {
        let old = &before.order;
        Replaced {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            old_user_ref: old.user_ref,
            user_ref: c.user_ref,
            order_id: old.order_id,
            old_public_ref: if before.shown { old.public_ref } else { PublicRef(0) },
            public_ref,
            firm: old.firm(),
            account: old.account,
            instrument: old.instrument,
            side: old.side,
            kind: c.kind,
            tif: c.tif,
            short: old.short,
            policy: c.policy,
            price: price(limit),
            quantity: quantity(leaves),
            old_quantity: before.open,
            executed: Quantity(old.executed),
            rests,
            mpid: self.mpid(old.firm(), c.policy),
            client_id: c.client_id,
        }
    }
}

/// An order as it stood before its replace.
struct Before {
    order: Order,
    open: Quantity,
    shown: bool,
}
