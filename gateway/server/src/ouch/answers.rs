//! From an event to the OUCH messages that members are sent (OUCH 5.0, section 3).
//!
//! Each function appends one message to its session's log and nothing else: what a member is told, and under which number,
//! follows from the stream alone.

use rialto_model::event::{
    Accepted, Booked, Cancelled, ChangeRejected, Executed, Pegged, Reduced, Rejected, Replaced, SessionNoted,
};
use rialto_model::{
    AuctionOnly, Deal, Handling, Instructions, OrderId, OrderKind, Part, Policy, PublicRef, Quantity, RejectReason,
    Symbol, Target, Text, TimeInForce, UserRef,
};
use rialto_ouch::messages::{
    self as ouch, AcceptedDisplay, AccountQuery, AccountQueryResponse, Appendage, AppendageBuffer, BrokenTrade,
    BrokenTradeReason, CancelReject, ClOrdId, CrossType, EventCode, GroupId, InterMarketSweep, LiquidityFlag,
    MatchNumber, Options, OrderAccepted, OrderCanceled, OrderExecuted, OrderModified, OrderPriorityUpdate,
    OrderReference, OrderRejected, OrderReplaced, OrderRestated, OrderState, Outbound, PostOnly, PriceType,
    RestatedReason, SystemEvent, Timestamp, UserRefNum,
};

use super::account::{Account, Special};
use super::codes::{cancel_reason, capacity_out, reject_reason, side_out, time_in_force_out};

/// Nanoseconds since the day's midnight.
pub(super) type At = Timestamp;

impl Account {
    pub(super) fn tell_day(&mut self, at: At, event_code: EventCode) {
        self.tell(SystemEvent {
            timestamp: at,
            event_code,
        });
    }

    pub(super) fn tell_accepted(&mut self, at: At, event: &Accepted, symbol: Symbol, asked: &Instructions) {
        self.refs.use_up(event.user_ref);
        self.capacities.insert(event.order_id, event.capacity);
        self.note_special(event.order_id, event.user_ref, event.public_ref, event.price, asked);
        let options = options_of(event.tif, event.quantity, asked);
        self.tell(OrderAccepted {
            timestamp: at,
            user_ref: user_ref(event.user_ref),
            side: side_out(event.side, event.short),
            quantity: quantity(event.quantity),
            symbol: symbol_out(symbol),
            price: price(event.kind, event.price),
            time_in_force: time_in_force_out(event.tif),
            display: display(event.policy, asked),
            order_reference: OrderReference(event.public_ref.0),
            capacity: capacity_out(event.capacity),
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: cross_type(asked),
            order_state: OrderState::Live,
            cl_ord_id: cl_ord_id(event.client_id),
            appendage: options.as_ref().map_or(Appendage::EMPTY, AppendageBuffer::as_appendage),
        });
    }

    pub(super) fn tell_replaced(&mut self, at: At, event: &Replaced, symbol: Symbol, asked: &Instructions) {
        if !self.special.is_empty() {
            self.special.remove(&event.order_id);
        }
        self.note_special(event.order_id, event.user_ref, event.public_ref, event.price, asked);
        self.refs.use_up(event.user_ref);
        let capacity = self.capacities.get(event.order_id);
        let options = options_of(event.tif, event.quantity, asked);
        self.tell(OrderReplaced {
            timestamp: at,
            orig_user_ref: user_ref(event.old_user_ref),
            user_ref: user_ref(event.user_ref),
            side: side_out(event.side, event.short),
            quantity: quantity(event.quantity),
            symbol: symbol_out(symbol),
            price: price(event.kind, event.price),
            time_in_force: time_in_force_out(event.tif),
            display: display(event.policy, asked),
            order_reference: OrderReference(event.public_ref.0),
            capacity: capacity_out(capacity),
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: cross_type(asked),
            order_state: OrderState::Live,
            cl_ord_id: cl_ord_id(event.client_id),
            appendage: options.as_ref().map_or(Appendage::EMPTY, AppendageBuffer::as_appendage),
        });
    }

    fn note_special(
        &mut self,
        order_id: OrderId,
        user_ref: UserRef,
        public_ref: PublicRef,
        price: rialto_model::Price,
        asked: &Instructions,
    ) {
        if !asked.is_none() {
            self.refs.note_special(user_ref);
            let special = Special {
                user_ref,
                public_ref,
                price,
            };
            self.special.insert(order_id, special);
        }
    }

    /// A reserve order displays its next part, under a reference that its owner does not know yet.
    pub(super) fn tell_booked(&mut self, at: At, event: &Booked) {
        let Some(special) = self.special.get_mut(&event.order_id) else {
            return;
        };
        if special.public_ref == event.public_ref {
            return;
        }
        special.public_ref = event.public_ref;
        special.price = event.price;
        let order = special.user_ref;
        let options = Options {
            secondary_order_reference: Some(OrderReference(event.public_ref.0)),
            display_quantity: Some(quantity(event.quantity)),
            ..Options::NONE
        };
        let options = options.to_appendage();
        self.tell(OrderRestated {
            timestamp: at,
            user_ref: user_ref(order),
            reason: RestatedReason::RefreshOfDisplay,
            appendage: options.as_appendage(),
        });
    }

    /// A peg stands at another price, under a reference that its owner does not know yet. Price 0: there is none to follow.
    pub(super) fn tell_pegged(&mut self, at: At, event: &Pegged) {
        let Some(special) = self.special.get_mut(&event.order_id) else {
            return;
        };
        if special.public_ref == event.public_ref {
            return;
        }
        special.public_ref = event.public_ref;
        self.tell(OrderPriorityUpdate {
            timestamp: at,
            user_ref: user_ref(event.user_ref),
            price: price(OrderKind::Limit, event.price),
            display: AcceptedDisplay::Hidden,
            order_reference: OrderReference(event.public_ref.0),
        });
    }

    pub(super) fn tell_reduced(&mut self, at: At, event: &Reduced) {
        if event.remark {
            self.tell(OrderModified {
                timestamp: at,
                user_ref: user_ref(event.user_ref),
                side: side_out(event.side, event.short),
                quantity: quantity(event.leaves),
            });
        } else {
            let by_owner = event.incarnation.0 != 0;
            self.tell(OrderCanceled {
                timestamp: at,
                user_ref: user_ref(event.user_ref),
                quantity: quantity(event.removed),
                reason: cancel_reason(rialto_model::CancelReason::Requested, by_owner),
            });
        }
    }

    pub(super) fn tell_cancelled(&mut self, at: At, event: &Cancelled) {
        self.forget(event.order_id);
        self.tell(OrderCanceled {
            timestamp: at,
            user_ref: user_ref(event.user_ref),
            quantity: quantity(event.removed),
            reason: cancel_reason(event.reason, event.incarnation.0 != 0),
        });
    }

    pub(super) fn tell_maker(&mut self, at: At, event: &Executed) {
        if event.maker_leaves.is_zero() {
            self.forget(event.maker);
        }
        self.tell_executed(at, event, event.maker_user_ref, LiquidityFlag::Added);
    }

    pub(super) fn tell_taker(&mut self, at: At, event: &Executed) {
        if event.taker_leaves.is_zero() {
            self.forget(event.taker);
        }
        self.tell_executed(at, event, event.taker_user_ref, LiquidityFlag::Removed);
    }

    fn tell_executed(&mut self, at: At, event: &Executed, order: UserRef, liquidity_flag: LiquidityFlag) {
        self.tell(OrderExecuted {
            timestamp: at,
            user_ref: user_ref(order),
            quantity: quantity(event.quantity),
            price: price(OrderKind::Limit, event.price),
            liquidity_flag,
            match_number: MatchNumber(event.trade.0),
            appendage: Appendage::EMPTY,
        });
    }

    /// OUCH has no correction: the trade in its place is settled outside of the session.
    pub(super) fn tell_broken(&mut self, at: At, deal: &Deal, order: UserRef) {
        self.tell(BrokenTrade {
            timestamp: at,
            user_ref: user_ref(order),
            match_number: MatchNumber(deal.trade.0),
            reason: BrokenTradeReason::Supervisory,
            cl_ord_id: cl_ord_id(Text::EMPTY),
        });
    }

    /// Whether anybody was told.
    pub(super) fn tell_rejected(&mut self, at: At, event: &Rejected) -> bool {
        self.refs.rejected(event.user_ref, event.reason);
        let Some(reason) = reject_reason(event.reason) else {
            return false;
        };
        if matches!(event.reason, RejectReason::OverRate | RejectReason::FirmOverRate) {
            // One record for a run of references; only the last one's id is in it.
            let before = u32::try_from(event.quantity.0).unwrap_or(1).saturating_sub(1);
            for earlier in event.user_ref.0.saturating_sub(before)..event.user_ref.0 {
                let message = OrderRejected {
                    timestamp: at,
                    user_ref: UserRefNum(earlier),
                    reason,
                    cl_ord_id: ClOrdId::BLANK,
                };
                self.log_as(|out| message.encode(out));
            }
        }
        self.tell(OrderRejected {
            timestamp: at,
            user_ref: user_ref(event.user_ref),
            reason,
            cl_ord_id: cl_ord_id(event.client_id),
        });
        true
    }

    /// A replace is answered as a new order is. For a cancel or modify that its order cannot follow OUCH has one message
    /// that names no reason (section 3.10). Whether anybody was told.
    pub(super) fn tell_change_rejected(&mut self, at: At, event: &ChangeRejected) -> bool {
        if event.replace {
            self.refs.rejected(event.user_ref, event.reason);
        }
        match (reject_reason(event.reason), event.replace, event.target) {
            (Some(reason), true, _) => self.tell(OrderRejected {
                timestamp: at,
                user_ref: user_ref(event.user_ref),
                reason,
                cl_ord_id: cl_ord_id(event.client_id),
            }),
            (Some(_), false, Target::UserRef(order)) => self.tell(CancelReject {
                timestamp: at,
                user_ref: user_ref(order),
            }),
            _ => return false,
        }
        true
    }

    pub(super) fn tell_noted(&mut self, at: At, event: &SessionNoted) {
        if event.what == AccountQuery::TYPE {
            self.tell(AccountQueryResponse {
                timestamp: at,
                next_user_ref: UserRefNum(self.refs.next()),
            });
        }
    }

    fn tell<'a>(&mut self, message: impl Into<Outbound<'a>>) {
        let message = message.into();
        self.log_as(|out| message.encode(out));
    }

    #[inline]
    fn log_as(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let number = self.log.push(encode);
        if let Some(transcript) = &mut self.transcript {
            transcript.add(number, b"", self.log.get(number).unwrap_or_default());
        }
    }
}

/// What the order asks for in options; fill-or-kill says itself by its minimum.
fn options_of(tif: TimeInForce, whole: Quantity, asked: &Instructions) -> Option<AppendageBuffer> {
    if asked.is_none() && tif != TimeInForce::FillOrKill {
        return None;
    }
    let part = |part: Part| (!part.is_zero()).then(|| quantity(part.quantity()));
    let options = Options {
        min_quantity: if tif == TimeInForce::FillOrKill {
            Some(quantity(whole))
        } else {
            part(asked.minimum)
        },
        max_floor: part(asked.display),
        post_only: asked.handling.has(Handling::POST_ONLY).then_some(PostOnly::PostOnly),
        group_id: (asked.group != 0).then_some(GroupId(asked.group)),
        price_type: if asked.handling.has(Handling::PEG_PRIMARY) {
            Some(PriceType::PrimaryPeg)
        } else {
            (asked.handling.has(Handling::PEG_MIDPOINT)).then_some(PriceType::MidpointPeg)
        },
        ..Options::NONE
    };
    Some(options.to_appendage())
}

fn display(policy: Policy, asked: &Instructions) -> AcceptedDisplay {
    if asked.handling.has(Handling::HIDDEN) {
        AcceptedDisplay::Hidden
    } else if policy.has(Policy::ATTRIBUTED) {
        AcceptedDisplay::Attributable
    } else {
        AcceptedDisplay::Visible
    }
}

const fn cross_type(asked: &Instructions) -> CrossType {
    match asked.auction {
        AuctionOnly::Any => CrossType::Continuous,
        AuctionOnly::Opening => CrossType::Opening,
        AuctionOnly::Closing => CrossType::Closing,
    }
}

/// The engine's quantities are below 2^32 by `QUANTITY_MAX`.
fn quantity(quantity: Quantity) -> ouch::Quantity {
    ouch::Quantity(u32::try_from(quantity.0).unwrap_or(u32::MAX))
}

/// All instruments at this door have OUCH's unit, and no price is negative.
fn price(kind: OrderKind, price: rialto_model::Price) -> ouch::Price {
    match kind {
        OrderKind::Market => ouch::Price::MARKET,
        OrderKind::Limit => ouch::Price(u64::try_from(price.0).unwrap_or(0)),
    }
}

fn user_ref(user_ref: UserRef) -> UserRefNum {
    UserRefNum(user_ref.0)
}

fn symbol_out(symbol: Symbol) -> ouch::Symbol {
    ouch::Symbol::from_wire(symbol.0).unwrap_or(ouch::Symbol::BLANK)
}

/// The client's bytes came by OUCH and fit; those that an operator gave may not.
fn cl_ord_id(text: Text) -> ClOrdId {
    ClOrdId::from_bytes(text.as_bytes()).unwrap_or(ClOrdId::BLANK)
}
