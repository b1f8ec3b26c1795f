//! New orders in the naive engine: what is valid, and where an order goes.

use super::bounds::is_allowed;
use super::pegs::is_peg;
use super::rules::{is_on_tick, rulebook};
use super::trade::Incoming;
use super::{Engine, ignored};
use crate::state::{Aside, InstrumentState, OrderState, Special};
use alloc::vec::Vec;
use rialto_model::command::{Enter, EnterSpecial};
use rialto_model::event::{Accepted, Booked, Cancelled, Instructed, Rejected, Triggered};
use rialto_model::limits::USER_REF_JUMP_MAX;
use rialto_model::{
    AccountId, AuctionOnly, BreakerLevel, CancelReason, Event, FirmId, Handling, IgnoreReason, Incarnation,
    Instructions, InstrumentId, MsgSeqNum, Offers, OrderId, OrderKind, Part, Phase, Price, PublicRef, Quantity,
    RejectReason, SequenceNumber, ShortSale, Side, Text, TimeInForce, Timestamp,
};

/// What an order wants, new or replaced.
pub(super) struct Terms {
    pub(super) side: Side,
    pub(super) kind: OrderKind,
    pub(super) tif: TimeInForce,
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) instructions: Instructions,
}

impl Engine {
    pub(super) fn enter(&mut self, seq: SequenceNumber, c: &Enter, events: &mut Vec<Event>) {
        self.enter_special(seq, &EnterSpecial::plain(c), events);
    }

    pub(super) fn enter_special(&mut self, seq: SequenceNumber, c: &EnterSpecial, events: &mut Vec<Event>) {
        let rejected = |reason| -> Event {
            Rejected {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                instrument: c.instrument,
                side: c.side,
                reason,
                price: stated_price(c.kind, c.price),
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
        let (account, price) = match self.check_enter(c) {
            Ok(valid) => valid,
            Err(reason) => return events.push(rejected(reason)),
        };

        let public_ref = self.next_public_ref(c.instrument);
        let incoming = Incoming {
            instrument: c.instrument,
            side: c.side,
            kind: c.kind,
            instructions: c.instructions,
            order: OrderState {
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
                special: None,
            },
        };
        let rests = self.rests_at_once(&incoming);
        events.push(
            Accepted {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                user_ref: c.user_ref,
                order_id: incoming.order.order_id,
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
        self.follow(incoming, rests, events);
    }

    /// What becomes of an accepted or replaced order, and of the stops that it sets off.
    pub(super) fn follow(&mut self, mut incoming: Incoming, announced: bool, events: &mut Vec<Event>) {
        let instrument = incoming.instrument;
        incoming.order.special = special_of(&incoming);
        instruct(instrument, &incoming.order, events);
        if is_peg(&incoming.instructions) {
            if let Some(special) = &mut incoming.order.special {
                special.limit = incoming.order.price;
            }
            self.peg(incoming, events);
            return self.go_on(instrument, events);
        }
        let phase = self.phase(instrument);
        if phase.is_call() || self.waits(&incoming) {
            return self.set_down(incoming, announced, events);
        }
        if incoming.instructions.trigger == Price(0) {
            self.trade(incoming, announced, events);
        } else {
            let trigger = self.first_trigger(&incoming);
            if self.is_reached(instrument, incoming.side, trigger) {
                self.go_live(incoming, true, events);
            } else if let Some(listed) = self.listed_mut(instrument) {
                if let Some(special) = &mut incoming.order.special {
                    special.trigger = trigger;
                }
                listed.aside.push(Aside {
                    side: incoming.side,
                    order: incoming.order,
                });
            }
        }
        self.go_on(instrument, events);
    }

    /// Sets off the stops that the last trade has reached.
    pub(super) fn go_on(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) {
        if self.phase(instrument) != Phase::Continuous {
            return;
        }
        while let Some(one) = self.next_stop(instrument) {
            self.remove(one.order.order_id);
            let instructions = one.order.instructions();
            let kind = one.order.special.map_or(OrderKind::Limit, |special| special.kind);
            let incoming = Incoming {
                instrument,
                side: one.side,
                kind,
                instructions,
                order: one.order,
            };
            let allowed = self.listed(instrument).is_some_and(|listed| {
                let rounding = self.variant("bands.collar-rounding", instrument);
                kind == OrderKind::Market || is_allowed(listed, rounding, one.side, one.order.price)
            });
            self.go_live(incoming, allowed, events);
            if self.phase(instrument) != Phase::Continuous {
                return;
            }
        }
        if self.follow_market(instrument, events) {
            self.go_on(instrument, events);
        }
    }

    /// A stop becomes what it is behind its trigger, and trades.
    fn go_live(&mut self, mut incoming: Incoming, allowed: bool, events: &mut Vec<Event>) {
        incoming.order.public_ref = self.next_public_ref(incoming.instrument);
        incoming.instructions.trigger = Price(0);
        incoming.instructions.handling.0 &= !Handling::TRAILING.0;
        incoming.order.special = special_of(&incoming);
        let order = &incoming.order;
        events.push(
            Triggered {
                session: order.session,
                user_ref: order.user_ref,
                order_id: order.order_id,
                public_ref: order.public_ref,
                instrument: incoming.instrument,
                side: incoming.side,
                kind: incoming.kind,
                price: order.price,
                quantity: order.leaves,
            }
            .into(),
        );
        if allowed {
            return self.trade(incoming, false, events);
        }
        let Incoming {
            order,
            instrument,
            side,
            ..
        } = incoming;
        events.push(unasked(&order, instrument, side, CancelReason::OutsideBands, false).into());
    }

    pub(super) fn first_trigger(&self, incoming: &Incoming) -> Price {
        let asked = incoming.instructions.trigger;
        if !incoming.instructions.handling.has(Handling::TRAILING) {
            return asked;
        }
        let last = self.last_price(incoming.instrument);
        trailed(incoming.side, last, asked)
    }

    fn last_price(&self, instrument: InstrumentId) -> Price {
        self.listed(instrument).map_or(Price(0), |listed| listed.last_price)
    }

    fn is_reached(&self, instrument: InstrumentId, side: Side, trigger: Price) -> bool {
        let last = self.last_price(instrument);
        let reached = if side == Side::Buy {
            trigger <= last
        } else {
            trigger >= last
        };
        last > Price(0) && reached
    }

    /// Lets trailing stops follow, then finds the oldest that the last trade has reached.
    fn next_stop(&mut self, instrument: InstrumentId) -> Option<Aside> {
        let last = self.last_price(instrument);
        let listed = self.listed_mut(instrument)?;
        for one in &mut listed.aside {
            let Some(special) = &mut one.order.special else {
                continue;
            };
            if special.instructions.handling.has(Handling::TRAILING) {
                let follows = trailed(one.side, last, special.instructions.trigger);
                special.trigger = match one.side {
                    Side::Buy => special.trigger.min(follows),
                    Side::Sell => special.trigger.max(follows),
                };
            }
        }
        let listed = self.listed(instrument)?;
        let reached = |one: &&Aside| {
            let trigger = one.order.special.map_or(Price(0), |special| special.trigger);
            one.order.instructions().trigger != Price(0) && self.is_reached(instrument, one.side, trigger)
        };
        listed.aside.iter().find(reached).copied()
    }

    fn check_enter(&self, c: &EnterSpecial) -> Result<(AccountId, Price), RejectReason> {
        if self.is_faulty(c.session) {
            return Err(RejectReason::FaultInjected);
        }
        if !self.state.day_open {
            return Err(RejectReason::MarketClosed);
        }
        if self.state.cancel_only {
            return Err(RejectReason::CancelOnly);
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
        let terms = Terms {
            side: c.side,
            kind: c.kind,
            tif: c.tif,
            price: c.price,
            quantity: c.quantity,
            instructions: c.instructions,
        };
        let price = self.check_terms(listed, session.definition.firm, &terms)?;
        let stop = c.instructions.trigger != Price(0);
        let set_aside = stop || c.instructions.auction != AuctionOnly::Any || listed.phase.is_call();
        let could_stand = set_aside || (c.kind == OrderKind::Limit && c.tif.rests());
        if could_stand && self.state.live_orders() >= self.state.live_orders_max as usize {
            return Err(RejectReason::BookFull);
        }
        Ok((account, price))
    }

    /// What is wrong with an order, first fault first, or its price.
    pub(super) fn check_terms(
        &self,
        listed: &InstrumentState,
        firm: FirmId,
        terms: &Terms,
    ) -> Result<Price, RejectReason> {
        let rules = rulebook(listed);
        let Terms {
            side, kind, quantity, ..
        } = *terms;
        let asked = terms.instructions;
        let limit = kind == OrderKind::Limit;
        let price = stated_price(kind, terms.price);
        let lots = |quantity: Quantity| quantity.0.is_multiple_of(rules.lot.0);
        let range = |price: Price| price.0 > 0 && price <= listed.definition.price_max;
        let tick = |price: Price| is_on_tick(listed, price.0);
        let trailing = asked.handling.has(Handling::TRAILING);
        let trigger_fits = match asked.trigger {
            Price(0) => true,
            distance if trailing => {
                range(distance) && distance.0 % listed.definition.tick.0 == 0 && listed.last_price > Price(0)
            }
            trigger => range(trigger) && tick(trigger),
        };
        let (wanted_type, wanted_lifetime, wanted) = wanted(terms);
        let rounding = self.variant("bands.collar-rounding", listed.definition.instrument);
        let checks = [
            (self.is_killed(firm), RejectReason::FirmKilled),
            (self.state.breaker != BreakerLevel::None, RejectReason::CircuitBroken),
            (
                asked.handling.has(Handling::DISCRETION),
                RejectReason::DiscretionNotOffered,
            ),
            (!rules.offers.has(wanted_type), RejectReason::TypeNotOffered),
            (!rules.offers.has(wanted_lifetime), RejectReason::LifetimeNotOffered),
            (
                !rules.offers.has(wanted) || asked.handling.0 > 127 || (listed.rules.is_none() && !asked.is_none()),
                RejectReason::InstructionNotOffered,
            ),
            (conflicts(terms), RejectReason::InstructionConflict),
            (is_out_of_phase(listed.phase, terms), RejectReason::NotInThisPhase),
            (quantity.0 == 0, RejectReason::QuantityZero),
            (quantity > rules.quantity_max, RejectReason::QuantityTooLarge),
            (!lots(quantity), RejectReason::QuantityOffLot),
            (quantity < rules.quantity_min, RejectReason::QuantityTooSmall),
            (
                asked.display.quantity() > quantity || !lots(asked.display.quantity()),
                RejectReason::DisplayInvalid,
            ),
            (
                asked.minimum.quantity() > quantity || !lots(asked.minimum.quantity()),
                RejectReason::MinimumInvalid,
            ),
            (limit && !range(price), RejectReason::PriceOutOfRange),
            (limit && !tick(price), RejectReason::PriceOffTick),
            (
                limit && !is_allowed(listed, rounding, side, price),
                RejectReason::PriceOutsideBands,
            ),
            (!trigger_fits, RejectReason::TriggerInvalid),
            (
                asked.expires > Timestamp(0) && asked.expires <= self.state.last_stamp,
                RejectReason::ExpiryInvalid,
            ),
        ];
        if let Some((_, reason)) = checks.into_iter().find(|(broken, _)| *broken) {
            return Err(reason);
        }
        if !asked.handling.has(Handling::POST_ONLY) {
            return Ok(price);
        }
        let valid = |price: &Price| range(*price) && tick(*price);
        let makers = self.makers(listed, side, None);
        let Some(best) = makers.first().map(|maker| maker.price) else {
            return Ok(price);
        };
        if (side == Side::Buy && price < best) || (side == Side::Sell && price > best) {
            return Ok(price);
        }
        if !asked.handling.has(Handling::SLIDE) {
            return Err(RejectReason::PostOnlyWouldTrade);
        }
        // Step by step, by the smallest tick.
        let step = listed.definition.tick.0;
        let mut slid = best;
        loop {
            slid.0 += if side == Side::Buy { -step } else { step };
            if !range(slid) {
                return Err(RejectReason::PostOnlyWouldTrade);
            }
            if valid(&slid) {
                return Ok(slid);
            }
        }
    }

    pub(super) fn next_public_ref(&mut self, instrument: InstrumentId) -> PublicRef {
        let count = self.listed_mut(instrument).map_or(0, |listed| {
            listed.public_refs += 1;
            listed.public_refs
        });
        PublicRef::new(instrument, count)
    }

    /// Puts an order into its queue: behind everything of its price or better.
    pub(super) fn queue(&mut self, incoming: &Incoming) {
        let Incoming {
            side,
            instructions,
            mut order,
            ..
        } = *incoming;
        if let Some(special) = &mut order.special
            && instructions.display > Part(0)
        {
            special.reserve = order.leaves.saturating_sub(instructions.display.quantity());
        }
        let Some(listed) = self.listed_mut(incoming.instrument) else {
            return;
        };
        let queue = match (instructions.handling.has(Handling::HIDDEN), side) {
            (false, Side::Buy) => &mut listed.bids,
            (false, Side::Sell) => &mut listed.asks,
            (true, Side::Buy) => &mut listed.hidden_bids,
            (true, Side::Sell) => &mut listed.hidden_asks,
        };
        queue.push(order);
        queue.sort_by_key(|one| (worth(side, one.price), one.public_ref));
    }

    pub(super) fn booked(&self, instrument: InstrumentId, side: Side, order: &OrderState, quantity: Quantity) -> Event {
        Booked {
            order_id: order.order_id,
            public_ref: order.public_ref,
            instrument,
            side,
            price: order.price,
            quantity,
            mpid: self.mpid(order.session, order.policy),
        }
        .into()
    }
}

/// The best price of a resting side is the lowest number.
pub(super) const fn worth(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => -price.0,
        Side::Sell => price.0,
    }
}

fn trailed(side: Side, last: Price, distance: Price) -> Price {
    match side {
        Side::Buy => Price(last.0 + distance.0),
        Side::Sell => Price(last.0 - distance.0),
    }
}

pub(super) fn special_of(incoming: &Incoming) -> Option<Special> {
    (!incoming.instructions.is_none()).then_some(Special {
        kind: incoming.kind,
        instructions: incoming.instructions,
        reserve: Quantity(0),
        trigger: Price(0),
        waits: false,
        limit: Price(0),
    })
}

/// The order type, the lifetime and the instructions that an order needs to be offered.
fn wanted(terms: &Terms) -> (Offers, Offers, Offers) {
    let asked = terms.instructions;
    let kinds = [
        (
            asked.handling.has(Handling::TRAILING),
            Offers::TRAILING_STOP,
            Offers::TRAILING_STOP,
        ),
        (asked.trigger != Price(0), Offers::STOP_LIMIT, Offers::STOP),
        (true, Offers::LIMIT, Offers::MARKET),
    ];
    let kind = kinds.into_iter().find(|(holds, ..)| *holds);
    let kind = kind.map_or(Offers::NONE, |(_, limit, market)| match terms.kind {
        OrderKind::Limit => limit,
        OrderKind::Market => market,
    });
    let lifetime = match (terms.tif, asked.expires) {
        _ if asked.auction == AuctionOnly::Opening => Offers::AT_THE_OPENING,
        _ if asked.auction == AuctionOnly::Closing => Offers::AT_THE_CLOSE,
        (TimeInForce::Day, _) => Offers::DAY,
        (TimeInForce::GoodTillCancel, Timestamp(0)) => Offers::GOOD_TILL_CANCEL,
        (TimeInForce::GoodTillCancel, _) => Offers::GOOD_TILL_DATE,
        (TimeInForce::ImmediateOrCancel, _) => Offers::IMMEDIATE_OR_CANCEL,
        (TimeInForce::FillOrKill, _) => Offers::FILL_OR_KILL,
    };
    let each = [
        (asked.handling.has(Handling::POST_ONLY), Offers::POST_ONLY),
        (asked.handling.has(Handling::SLIDE), Offers::SLIDE),
        (asked.handling.has(Handling::HIDDEN), Offers::HIDDEN),
        (asked.handling.has(Handling::PEG_PRIMARY), Offers::PEG_PRIMARY),
        (asked.handling.has(Handling::PEG_MIDPOINT), Offers::PEG_MIDPOINT),
        (asked.display > Part(0), Offers::ICEBERG),
        (asked.minimum > Part(0), Offers::MINIMUM),
    ];
    let set = each.iter().filter(|(asked, _)| *asked);
    (
        kind,
        lifetime,
        set.fold(Offers::NONE, |all, (_, one)| Offers(all.0 | one.0)),
    )
}

/// Pairs of things that an order cannot be at once.
fn conflicts(terms: &Terms) -> bool {
    let asked = terms.instructions;
    let has = |handling| asked.handling.has(handling);
    let bound = asked.auction != AuctionOnly::Any;
    let never_rests = terms.kind == OrderKind::Market || !terms.tif.rests();
    let (stop, minimum, iceberg) = (
        asked.trigger != Price(0),
        asked.minimum > Part(0),
        asked.display > Part(0),
    );
    [
        (has(Handling::POST_ONLY), never_rests),
        (has(Handling::POST_ONLY), stop),
        (has(Handling::POST_ONLY), minimum),
        (has(Handling::PEG_PRIMARY), has(Handling::PEG_MIDPOINT)),
        (is_peg(&asked), !has(Handling::HIDDEN) || has(Handling::POST_ONLY)),
        (is_peg(&asked), stop || minimum),
        (has(Handling::SLIDE), !has(Handling::POST_ONLY)),
        (has(Handling::HIDDEN), never_rests),
        (has(Handling::HIDDEN), iceberg),
        (iceberg, never_rests),
        (has(Handling::TRAILING), !stop),
        (has(Handling::TRAILING), terms.kind == OrderKind::Limit),
        (stop, !terms.tif.rests()),
        (stop, minimum),
        (minimum, terms.tif == TimeInForce::FillOrKill),
        (asked.expires > Timestamp(0), terms.tif != TimeInForce::GoodTillCancel),
        (bound, terms.tif != TimeInForce::Day),
        (bound, stop || minimum || iceberg || asked.handling != Handling::NONE),
    ]
    .into_iter()
    .any(|(one, other)| one && other)
}

/// Whether an order has no business in a phase.
fn is_out_of_phase(phase: Phase, terms: &Terms) -> bool {
    let asked = terms.instructions;
    let now_or_never = matches!(terms.tif, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill)
        || asked.minimum > Part(0)
        || asked.handling.has(Handling::POST_ONLY)
        || is_peg(&asked);
    match phase {
        Phase::Continuous => asked.auction == AuctionOnly::Opening,
        Phase::PreOpen | Phase::OpeningAuction => now_or_never,
        Phase::VolatilityAuction | Phase::ClosingAuction => now_or_never || asked.auction == AuctionOnly::Opening,
        Phase::Halt | Phase::Closed | Phase::Suspended | Phase::Delisted => true,
    }
}

/// States what an order asks for, if anything.
pub(super) fn instruct(instrument: InstrumentId, order: &OrderState, events: &mut Vec<Event>) {
    if let Some(special) = order.special.filter(|special| !special.instructions.is_none()) {
        events.push(
            Instructed {
                session: order.session,
                user_ref: order.user_ref,
                order_id: order.order_id,
                instrument,
                instructions: special.instructions,
            }
            .into(),
        );
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

pub(super) fn stated_price(kind: OrderKind, price: Price) -> Price {
    if kind == OrderKind::Market { Price(0) } else { price }
}
