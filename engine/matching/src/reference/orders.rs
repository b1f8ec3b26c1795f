//! Orders in the naive engine: entry, changes, and the trade between them.

use super::{Engine, ignored};
use crate::state::{InstrumentState, OrderState};
use alloc::vec::Vec;
use rialto_model::command::{Cancel, Enter, Reduce, Replace};
use rialto_model::event::{Accepted, Booked, Cancelled, ChangeRejected, Executed, Reduced, Rejected, Replaced};
use rialto_model::limits::USER_REF_JUMP_MAX;
use rialto_model::{
    AccountId, CancelReason, Event, IgnoreReason, Incarnation, InstrumentId, MsgSeqNum, OrderId, OrderKind, Policy,
    Price, PublicRef, Quantity, RejectReason, SequenceNumber, SessionId, ShortSale, Side, Target, Text, TimeInForce,
    TradeId, UserRef,
};

/// Who asks for a change, under what, of which order.
#[derive(Clone, Copy)]
struct Request {
    session: SessionId,
    incarnation: Incarnation,
    inbound: MsgSeqNum,
    client_id: Text,
    target: Target,
    policy: Policy,
    /// The new reference of a replace.
    user_ref: Option<UserRef>,
}

/// An order off the book on its way to trade.
#[derive(Clone, Copy)]
struct Incoming {
    instrument: InstrumentId,
    side: Side,
    kind: OrderKind,
    order: OrderState,
}

impl Engine {
    pub(super) fn enter(&mut self, seq: SequenceNumber, c: &Enter, events: &mut Vec<Event>) {
        let price = stated_price(c.kind, c.price);
        let rejected = |reason| -> Event {
            Rejected {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                instrument: c.instrument,
                side: c.side,
                reason,
                price,
                quantity: c.quantity,
                client_id: c.client_id,
            }
            .into()
        };
        if let Err(reason) = self.check_session(c.session, c.incarnation, false) {
            return events.push(rejected(reason));
        }
        let last = self.last_user_ref(c.session);
        if c.user_ref <= last {
            return events.push(ignored(c.session, c.inbound, IgnoreReason::Resent));
        }
        if c.user_ref.0 - last.0 > USER_REF_JUMP_MAX {
            return events.push(rejected(RejectReason::UserRefJump));
        }
        self.consume(c.session, c.user_ref);
        let account = match self.check_enter(c, price) {
            Ok(account) => account,
            Err(reason) => return events.push(rejected(reason)),
        };

        let public_ref = self.next_public_ref(c.instrument);
        let order = OrderState {
            order_id: OrderId(seq.0),
            public_ref,
            session: c.session,
            user_ref: c.user_ref,
            carried: false,
            account,
            price,
            leaves: c.quantity,
            executed: Quantity(0),
            tif: c.tif,
            short: c.short,
            policy: c.policy,
        };
        let incoming = Incoming {
            instrument: c.instrument,
            side: c.side,
            kind: c.kind,
            order,
        };
        let rests = self.rests_at_once(&incoming);
        events.push(
            Accepted {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                order_id: order.order_id,
                public_ref,
                firm: self.firm_of(c.session),
                account,
                instrument: c.instrument,
                side: c.side,
                kind: c.kind,
                tif: c.tif,
                short: c.short,
                capacity: c.capacity,
                policy: c.policy,
                price,
                quantity: c.quantity,
                rests,
                mpid: self.mpid(c.session, c.policy),
                client_id: c.client_id,
            }
            .into(),
        );
        self.trade(incoming, rests, events);
    }

    fn check_enter(&self, c: &Enter, price: Price) -> Result<AccountId, RejectReason> {
        if !self.state.day_open {
            return Err(RejectReason::MarketClosed);
        }
        let listed = self.listed(c.instrument).ok_or(RejectReason::UnknownInstrument)?;
        let session = self.session(c.session).ok_or(RejectReason::UnknownSession)?;
        let account = if c.account == AccountId(0) {
            session.definition.account
        } else {
            c.account
        };
        let firm = self
            .state
            .accounts
            .iter()
            .find(|one| one.account == account)
            .map(|one| one.firm);
        if firm != Some(session.definition.firm) {
            return Err(RejectReason::UnknownAccount);
        }
        if c.side == Side::Buy && c.short != ShortSale::None {
            return Err(RejectReason::ShortSaleOnBuy);
        }
        check_terms(listed, c.kind, price, c.quantity)?;
        let could_rest = c.kind == OrderKind::Limit && c.tif.rests();
        if could_rest && self.state.live_orders() >= self.state.live_orders_max as usize {
            return Err(RejectReason::BookFull);
        }
        Ok(account)
    }

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
            Ok((instrument, side, at)) => self.take_off(instrument, side, at, &request, CancelReason::Requested),
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
        let (instrument, side, at) = match self.find(&request) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        let Some(listed) = self.listed_mut(instrument) else {
            return request.rejected(RejectReason::UnknownInstrument);
        };
        let lot = listed.definition.lot.0;
        let order = &mut orders(listed, side)[at];
        let leaves = new_leaves(c.policy, c.quantity, order.executed);
        if c.remark && c.short != ShortSale::None && side == Side::Buy {
            return request.rejected(RejectReason::ShortSaleOnBuy);
        }
        if leaves.is_zero() {
            return self.take_off(instrument, side, at, &request, CancelReason::Requested);
        }
        if !leaves.0.is_multiple_of(lot) {
            return request.rejected(RejectReason::QuantityOffLot);
        }
        let remarks = c.remark && c.short != order.short;
        if leaves >= order.leaves && !remarks {
            return ignored(c.session, c.inbound, IgnoreReason::Superfluous);
        }
        if remarks {
            order.short = c.short;
        }
        let before = order.leaves;
        order.leaves = leaves.min(before);
        let asked = request.asked(order.session);
        Reduced {
            session: order.session,
            incarnation: asked.incarnation,
            inbound: asked.inbound,
            user_ref: order.user_ref,
            order_id: order.order_id,
            public_ref: order.public_ref,
            instrument,
            side,
            short: order.short,
            remark: c.remark,
            removed: before.saturating_sub(order.leaves),
            leaves: order.leaves,
            client_id: asked.client_id,
        }
        .into()
    }

    pub(super) fn replace(&mut self, c: &Replace, events: &mut Vec<Event>) {
        let price = stated_price(c.kind, c.price);
        let request = Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id: c.client_id,
            target: c.target,
            policy: c.policy,
            user_ref: Some(c.user_ref),
        };
        let (instrument, side, at) = match self.find(&request) {
            Ok(found) => found,
            Err(answer) => return events.push(answer),
        };
        let last = self.last_user_ref(c.session);
        if c.user_ref <= last {
            return events.push(ignored(c.session, c.inbound, IgnoreReason::Resent));
        }
        if c.user_ref.0 - last.0 > USER_REF_JUMP_MAX {
            return events.push(request.rejected(RejectReason::UserRefJump));
        }
        let Some(listed) = self.listed(instrument) else {
            return events.push(request.rejected(RejectReason::UnknownInstrument));
        };
        if let Err(reason) = check_terms(listed, c.kind, price, c.quantity) {
            if c.policy.has(Policy::INVALID_REPLACE_CANCELS) {
                let answer = self.take_off(instrument, side, at, &request, CancelReason::InvalidReplace);
                return events.push(answer);
            }
            self.consume(c.session, c.user_ref);
            return events.push(request.rejected(reason));
        }
        let old = orders_of(listed, side)[at];
        let leaves = new_leaves(c.policy, c.quantity, old.executed);
        self.consume(c.session, c.user_ref);
        if leaves.is_zero() {
            let answer = self.take_off(instrument, side, at, &request, CancelReason::ReplacedToNothing);
            return events.push(answer);
        }

        let keeps_place = c.policy.has(Policy::KEEP_PRIORITY_ON_REDUCE)
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
            ..old
        };
        if !keeps_place {
            order.public_ref = self.next_public_ref(instrument);
        }
        if let Some(listed) = self.listed_mut(instrument) {
            if keeps_place {
                orders(listed, side)[at] = order;
            } else {
                orders(listed, side).remove(at);
            }
        }
        let incoming = Incoming {
            instrument,
            side,
            kind: c.kind,
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
                old_public_ref: old.public_ref,
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
            self.trade(incoming, rests, events);
        }
    }

    /// Where the order that a request means stands, or the answer where it may not be changed.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the answer, and nothing here is fast"
    )]
    fn find(&self, request: &Request) -> Result<(InstrumentId, Side, usize), Event> {
        let venue = request.user_ref.is_none();
        self.check_session(request.session, request.incarnation, venue)
            .map_err(|reason| request.rejected(reason))?;
        if !self.state.day_open {
            return Err(request.rejected(RejectReason::MarketClosed));
        }
        for listed in &self.state.instruments {
            for side in [Side::Buy, Side::Sell] {
                for (at, order) in orders_of(listed, side).iter().enumerate() {
                    let meant = match request.target {
                        Target::UserRef(name) => {
                            order.session == request.session && order.user_ref == name && !order.carried
                        }
                        Target::OrderId(name) => order.order_id == name,
                    };
                    if !meant {
                        continue;
                    }
                    let theirs = self.firm_of(order.session) == self.firm_of(request.session);
                    if request.session != SessionId(0) && !theirs {
                        return Err(request.rejected(RejectReason::NotYours));
                    }
                    return Ok((listed.definition.instrument, side, at));
                }
            }
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

    fn take_off(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        at: usize,
        request: &Request,
        reason: CancelReason,
    ) -> Event {
        let Some(listed) = self.listed_mut(instrument) else {
            return request.rejected(RejectReason::UnknownInstrument);
        };
        let order = orders(listed, side).remove(at);
        let asked = request.asked(order.session);
        Cancelled {
            incarnation: asked.incarnation,
            inbound: asked.inbound,
            client_id: asked.client_id,
            ..unasked(&order, instrument, side, reason, true)
        }
        .into()
    }

    fn next_public_ref(&mut self, instrument: InstrumentId) -> PublicRef {
        let count = self.listed_mut(instrument).map_or(0, |listed| {
            listed.public_refs += 1;
            listed.public_refs
        });
        PublicRef::new(instrument, count)
    }

    /// Whether the whole of an incoming order comes to rest without a trade.
    fn rests_at_once(&self, incoming: &Incoming) -> bool {
        let could_rest = incoming.kind == OrderKind::Limit && incoming.order.tif.rests();
        could_rest && self.counterparts(incoming).is_empty()
    }

    /// The resting orders that an incoming one may trade with, best first.
    fn counterparts(&self, incoming: &Incoming) -> Vec<OrderState> {
        let Some(listed) = self.listed(incoming.instrument) else {
            return Vec::new();
        };
        let mut found = orders_of(listed, incoming.side.opposite()).to_vec();
        found.retain(|maker| match (incoming.kind, incoming.side) {
            (OrderKind::Market, _) => true,
            (OrderKind::Limit, Side::Buy) => maker.price <= incoming.order.price,
            (OrderKind::Limit, Side::Sell) => maker.price >= incoming.order.price,
        });
        found
    }

    fn trade(&mut self, incoming: Incoming, announced: bool, events: &mut Vec<Event>) {
        let Incoming {
            instrument,
            side,
            kind,
            mut order,
        } = incoming;
        let makers = self.counterparts(&incoming);
        let fillable: u64 = makers.iter().map(|maker| maker.leaves.0).sum();
        if order.tif == TimeInForce::FillOrKill && fillable < order.leaves.0 {
            return events.push(unasked(&order, instrument, side, CancelReason::NotFillable, false).into());
        }
        let firms: Vec<_> = makers.iter().map(|maker| self.firm_of(maker.session)).collect();
        let firm = self.firm_of(order.session);
        let Some(listed) = self.listed_mut(instrument) else {
            return;
        };
        for (mut maker, maker_firm) in makers.into_iter().zip(firms) {
            if order.leaves.is_zero() {
                break;
            }
            let quantity = order.leaves.min(maker.leaves);
            for one in [&mut order, &mut maker] {
                one.leaves = Quantity(one.leaves.0 - quantity.0);
                one.executed = Quantity(one.executed.0 + quantity.0);
            }
            listed.trades += 1;
            events.push(
                Executed {
                    trade: TradeId::new(instrument, listed.trades),
                    instrument,
                    aggressor: side,
                    price: maker.price,
                    quantity,
                    maker: maker.order_id,
                    maker_public_ref: maker.public_ref,
                    maker_session: maker.session,
                    maker_user_ref: maker.user_ref,
                    maker_firm,
                    maker_account: maker.account,
                    maker_leaves: maker.leaves,
                    taker: order.order_id,
                    taker_session: order.session,
                    taker_user_ref: order.user_ref,
                    taker_firm: firm,
                    taker_account: order.account,
                    taker_leaves: order.leaves,
                }
                .into(),
            );
            let queue = orders(listed, side.opposite());
            if maker.leaves.is_zero() {
                queue.remove(0);
            } else {
                queue[0] = maker;
            }
        }
        if order.leaves.is_zero() {
            return;
        }
        if kind == OrderKind::Market || !order.tif.rests() {
            return events.push(unasked(&order, instrument, side, CancelReason::Unfilled, false).into());
        }
        let queue = orders(listed, side);
        let behind = queue.iter().position(|other| match side {
            Side::Buy => other.price < order.price,
            Side::Sell => other.price > order.price,
        });
        queue.insert(behind.unwrap_or(queue.len()), order);
        if !announced {
            let mpid = self.mpid(order.session, order.policy);
            events.push(
                Booked {
                    order_id: order.order_id,
                    public_ref: order.public_ref,
                    instrument,
                    side,
                    price: order.price,
                    quantity: order.leaves,
                    mpid,
                }
                .into(),
            );
        }
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

    fn rejected(&self, reason: RejectReason) -> Event {
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

/// The end of an order that nobody asked for.
pub(super) fn unasked(
    order: &OrderState,
    instrument: InstrumentId,
    side: Side,
    reason: CancelReason,
    rested: bool,
) -> Cancelled {
    Cancelled {
        session: order.session,
        incarnation: Incarnation(0),
        inbound: MsgSeqNum(0),
        user_ref: order.user_ref,
        order_id: order.order_id,
        public_ref: order.public_ref,
        instrument,
        side,
        removed: order.leaves,
        reason,
        rested,
        client_id: Text::EMPTY,
    }
}

fn check_terms(
    listed: &InstrumentState,
    kind: OrderKind,
    price: Price,
    quantity: Quantity,
) -> Result<(), RejectReason> {
    let rules = &listed.definition;
    let limit = kind == OrderKind::Limit;
    let checks = [
        (quantity.0 == 0, RejectReason::QuantityZero),
        (quantity > rules.quantity_max, RejectReason::QuantityTooLarge),
        (!quantity.0.is_multiple_of(rules.lot.0), RejectReason::QuantityOffLot),
        (
            limit && (price.0 <= 0 || price > rules.price_max),
            RejectReason::PriceOutOfRange,
        ),
        (limit && price.0 % rules.tick.0 != 0, RejectReason::PriceOffTick),
    ];
    checks
        .into_iter()
        .find(|(broken, _)| *broken)
        .map_or(Ok(()), |(_, reason)| Err(reason))
}

fn stated_price(kind: OrderKind, price: Price) -> Price {
    if kind == OrderKind::Market { Price(0) } else { price }
}

fn new_leaves(policy: Policy, quantity: Quantity, executed: Quantity) -> Quantity {
    if policy.has(Policy::QUANTITY_COUNTS_EXECUTED) {
        quantity.saturating_sub(executed)
    } else {
        quantity
    }
}

fn orders(listed: &mut InstrumentState, side: Side) -> &mut Vec<OrderState> {
    match side {
        Side::Buy => &mut listed.bids,
        Side::Sell => &mut listed.asks,
    }
}

fn orders_of(listed: &InstrumentState, side: Side) -> &[OrderState] {
    match side {
        Side::Buy => &listed.bids,
        Side::Sell => &listed.asks,
    }
}
