//! Changes of live orders in the naive engine: cancel, reduce, replace.

use super::orders::{Terms, stated_price};
use super::rules::rulebook;
use super::trade::{Incoming, lower};
use super::{Engine, Live, Place, ignored};
use crate::state::OrderState;
use alloc::vec::Vec;
use rialto_model::command::{Cancel, Reduce, Replace, ReplaceSpecial};
use rialto_model::event::{Cancelled, ChangeRejected, Reduced, Replaced};
use rialto_model::limits::USER_REF_JUMP_MAX;
use rialto_model::{
    CancelReason, Event, IgnoreReason, Incarnation, Instructions, MsgSeqNum, OrderKind, Policy, PublicRef, Quantity,
    RejectReason, SessionId, ShortSale, Side, Target, Text, TimeInForce, Timestamp, UserRef,
};

/// Who asks for a change, under what, of which order.
#[derive(Clone, Copy)]
pub(super) struct Request {
    session: SessionId,
    incarnation: Incarnation,
    inbound: MsgSeqNum,
    client_id: Text,
    target: Target,
    policy: Policy,
    /// The new reference of a replace.
    user_ref: Option<UserRef>,
}

impl Engine {
    pub(super) fn cancel(&mut self, c: &Cancel) -> Event {
        let request = Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id: c.client_id,
            target: c.target,
            policy: c.policy,
            user_ref: None,
        };
        match self.find(&request) {
            Ok(live) => self.take_off(&live, &request, CancelReason::Requested),
            Err(answer) => answer,
        }
    }

    pub(super) fn reduce(&mut self, c: &Reduce) -> Event {
        let request = Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id: c.client_id,
            target: c.target,
            policy: c.policy,
            user_ref: None,
        };
        let live = match self.find(&request) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        let Live { order, side, .. } = live;
        let leaves = new_leaves(c.policy, c.quantity, order.executed);
        if c.remark && c.short != ShortSale::None && side == Side::Buy {
            return request.rejected(RejectReason::ShortSaleOnBuy);
        }
        if leaves.is_zero() {
            return self.take_off(&live, &request, CancelReason::Requested);
        }
        let lot = self.listed(live.instrument).map_or(1, |listed| rulebook(listed).lot.0);
        if !leaves.0.is_multiple_of(lot) {
            return request.rejected(RejectReason::QuantityOffLot);
        }
        let remarks = c.remark && c.short != order.short;
        if leaves >= order.leaves && !remarks {
            return ignored(c.session, c.inbound, IgnoreReason::Superfluous);
        }
        let mut after = live;
        lower(&mut after.order, order.leaves.saturating_sub(leaves));
        if remarks {
            after.order.short = c.short;
        }
        self.change(order.order_id, |one| *one = after.order);
        let asked = request.asked(order.session);
        Reduced {
            session: order.session,
            incarnation: asked.incarnation,
            inbound: asked.inbound,
            user_ref: order.user_ref,
            order_id: order.order_id,
            public_ref: order.public_ref,
            instrument: live.instrument,
            side,
            short: after.order.short,
            remark: c.remark,
            removed: order.leaves.saturating_sub(after.order.leaves),
            leaves: after.order.leaves,
            removed_shown: live.shown().saturating_sub(after.shown()),
            client_id: asked.client_id,
        }
        .into()
    }

    pub(super) fn replace(&mut self, c: &Replace, events: &mut Vec<Event>) {
        self.change_order(&ReplaceSpecial::plain(c, Instructions::NONE), false, events);
    }

    pub(super) fn replace_special(&mut self, c: &ReplaceSpecial, events: &mut Vec<Event>) {
        self.change_order(c, true, events);
    }

    /// The order that a replace means, where it may be replaced, and how to refuse it.
    pub(super) fn wanted_replace(&self, c: &ReplaceSpecial) -> Option<(Live, Request)> {
        let request = Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id: c.client_id,
            target: c.target,
            policy: c.policy,
            user_ref: Some(c.user_ref),
        };
        self.find(&request).ok().map(|live| (live, request))
    }

    pub(super) fn take_off_instead(&mut self, live: &Live, request: &Request) -> Event {
        self.take_off(live, request, CancelReason::InvalidReplace)
    }

    fn change_order(&mut self, c: &ReplaceSpecial, stated: bool, events: &mut Vec<Event>) {
        let request = Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id: c.client_id,
            target: c.target,
            policy: c.policy,
            user_ref: Some(c.user_ref),
        };
        let live = match self.find(&request) {
            Ok(found) => found,
            Err(answer) => return events.push(answer),
        };
        let Live {
            instrument,
            side,
            order: old,
            ..
        } = live;
        let last = self.last_user_ref(c.session);
        if c.user_ref <= last {
            return events.push(ignored(c.session, c.inbound, IgnoreReason::Resent));
        }
        if c.user_ref.0 - last.0 > USER_REF_JUMP_MAX {
            return events.push(request.rejected(RejectReason::UserRefJump));
        }
        if self.state.cancel_only {
            self.consume(c.session, c.user_ref);
            return events.push(request.rejected(RejectReason::CancelOnly));
        }
        let mut instructions = if stated { c.instructions } else { old.instructions() };
        if !stated && c.tif != TimeInForce::GoodTillCancel {
            instructions.expires = Timestamp(0);
        }
        let terms = Terms {
            side,
            kind: c.kind,
            tif: c.tif,
            price: stated_price(c.kind, c.price),
            quantity: c.quantity,
            instructions,
        };
        let Some(listed) = self.listed(instrument) else {
            return events.push(request.rejected(RejectReason::UnknownInstrument));
        };
        let price = match self.check_terms(listed, self.firm_of(c.session), &terms) {
            Ok(price) => price,
            Err(_) if c.policy.has(Policy::INVALID_REPLACE_CANCELS) => {
                let answer = self.take_off(&live, &request, CancelReason::InvalidReplace);
                return events.push(answer);
            }
            Err(reason) => {
                self.consume(c.session, c.user_ref);
                return events.push(request.rejected(reason));
            }
        };
        let leaves = new_leaves(c.policy, c.quantity, old.executed);
        self.consume(c.session, c.user_ref);
        if leaves.is_zero() {
            let answer = self.take_off(&live, &request, CancelReason::ReplacedToNothing);
            return events.push(answer);
        }

        let keeps_place = c.policy.has(Policy::KEEP_PRIORITY_ON_REDUCE)
            && old.special.is_none()
            && instructions.is_none()
            && c.kind == OrderKind::Limit
            && c.tif.rests()
            && price == old.price
            && leaves <= old.leaves;
        let mut order = OrderState {
            session: c.session,
            user_ref: c.user_ref,
            carried: false,
            price,
            leaves,
            tif: c.tif,
            policy: c.policy,
            special: None,
            ..old
        };
        if keeps_place {
            self.change(old.order_id, |one| *one = order);
        } else {
            order.public_ref = self.next_public_ref(instrument);
            self.remove(old.order_id);
        }
        let incoming = Incoming {
            instrument,
            side,
            kind: c.kind,
            instructions,
            order,
        };
        let rests = keeps_place || self.rests_at_once(&incoming);
        events.push(
            Replaced {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                old_user_ref: old.user_ref,
                user_ref: c.user_ref,
                order_id: old.order_id,
                old_public_ref: if live.place == Place::Displayed {
                    old.public_ref
                } else {
                    PublicRef(0)
                },
                public_ref: order.public_ref,
                firm: self.firm_of(c.session),
                account: old.account,
                instrument,
                side,
                kind: c.kind,
                tif: c.tif,
                short: old.short,
                policy: c.policy,
                price,
                quantity: leaves,
                old_quantity: old.leaves,
                executed: old.executed,
                rests,
                mpid: self.mpid(c.session, c.policy),
                client_id: c.client_id,
            }
            .into(),
        );
        if !keeps_place {
            self.follow(incoming, rests, events);
        }
    }

    /// The order that a request means and where it stands, or the answer where it may not be changed.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the answer, and nothing here is fast"
    )]
    fn find(&self, request: &Request) -> Result<Live, Event> {
        let venue = request.user_ref.is_none();
        self.check_session(request.session, request.incarnation, venue)
            .map_err(|reason| request.rejected(reason))?;
        if !self.state.day_open {
            return Err(request.rejected(RejectReason::MarketClosed));
        }
        let meant = |order: &OrderState| match request.target {
            Target::UserRef(name) => order.session == request.session && order.user_ref == name && !order.carried,
            Target::OrderId(name) => order.order_id == name && (venue || !name.is_quote()),
        };
        let mut books = self.state.instruments.iter();
        if books.any(|listed| listed.orders().any(|(_, order)| meant(order)))
            && let Some(live) = self.live().into_iter().find(|live| meant(&live.order))
        {
            let theirs = self.firm_of(live.order.session) == self.firm_of(request.session);
            if request.session != SessionId(0) && !theirs {
                return Err(request.rejected(RejectReason::NotYours));
            }
            return Ok(live);
        }
        if request.policy.has(Policy::DEAD_ORDER_SILENT) {
            return Err(ignored(request.session, request.inbound, IgnoreReason::DeadOrder));
        }
        Err(request.rejected(match request.target {
            Target::UserRef(UserRef(1..)) if self.named_before(request) => RejectReason::TooLate,
            _ => RejectReason::UnknownOrder,
        }))
    }

    fn named_before(&self, request: &Request) -> bool {
        match request.target {
            Target::UserRef(name) => name <= self.last_user_ref(request.session),
            Target::OrderId(_) => false,
        }
    }

    fn take_off(&mut self, live: &Live, request: &Request, reason: CancelReason) -> Event {
        self.remove(live.order.order_id);
        let asked = request.asked(live.order.session);
        Cancelled {
            incarnation: asked.incarnation,
            inbound: asked.inbound,
            client_id: asked.client_id,
            ..live.ended(reason)
        }
        .into()
    }
}

impl Request {
    /// What an event about an order of `owner` may say of this request: everything if its owner asked, nothing if
    /// another session or the venue did.
    fn asked(&self, owner: SessionId) -> Self {
        if self.session == owner {
            *self
        } else {
            Self {
                incarnation: Incarnation(0),
                inbound: MsgSeqNum(0),
                client_id: Text::EMPTY,
                ..*self
            }
        }
    }

    pub(super) fn rejected(&self, reason: RejectReason) -> Event {
        ChangeRejected {
            session: self.session,
            incarnation: self.incarnation,
            inbound: self.inbound,
            target: self.target,
            user_ref: self.user_ref.unwrap_or_default(),
            replace: self.user_ref.is_some(),
            reason,
            client_id: self.client_id,
        }
        .into()
    }
}

fn new_leaves(policy: Policy, quantity: Quantity, executed: Quantity) -> Quantity {
    if policy.has(Policy::QUANTITY_COUNTS_EXECUTED) {
        quantity.saturating_sub(executed)
    } else {
        quantity
    }
}
