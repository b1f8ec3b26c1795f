//! The trade in the naive engine: one maker at a time, each time looked for anew.

use super::Engine;
use super::after::fees;
use super::bounds::{bands, interrupts, is_allowed};
use super::orders::{unasked, worth};
use super::rules::rulebook;
use crate::state::{InstrumentState, OrderState};
use alloc::vec::Vec;
use rialto_model::event::{Executed, Reduced};
use rialto_model::{
    AllocationRule, CancelReason, Event, FirmId, Handling, Incarnation, Instructions, InstrumentId, Money, MsgSeqNum,
    OrderId, OrderKind, Part, Price, PublicRef, Quantity, SelfTrade, Side, Text, TimeInForce, TradeId,
};

/// An order off the book on its way to trade.
#[derive(Clone, Copy)]
pub(super) struct Incoming {
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) kind: OrderKind,
    pub(super) instructions: Instructions,
    pub(super) order: OrderState,
}

/// How far an order came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// As far as it goes.
    Done,
    /// To a trade that would be out of range.
    Interrupted,
    /// Self-trade prevention has ended it.
    Prevented,
}

impl Engine {
    /// The orders of the other side that an order of `side` may trade with, best first: by price, displayed before hidden,
    /// then in the order they came.
    pub(super) fn makers(&self, listed: &InstrumentState, side: Side, limit: Option<Price>) -> Vec<OrderState> {
        let (displayed, hidden) = match side {
            Side::Buy => (&listed.asks, &listed.hidden_asks),
            Side::Sell => (&listed.bids, &listed.hidden_bids),
        };
        let mut makers: Vec<OrderState> = displayed.iter().chain(hidden).copied().collect();
        makers.retain(|maker| match (limit, side) {
            (None, _) => true,
            (Some(limit), Side::Buy) => maker.price <= limit,
            (Some(limit), Side::Sell) => maker.price >= limit,
        });
        if !hidden.is_empty() {
            makers.sort_by_key(|maker| {
                let hidden = maker.instructions().handling.has(Handling::HIDDEN);
                (worth(side.opposite(), maker.price), hidden, maker.public_ref)
            });
        }
        makers
    }

    /// The worst price that an order may trade at; none for any.
    fn limit(&self, incoming: &Incoming) -> Option<Price> {
        if incoming.kind == OrderKind::Limit {
            return Some(incoming.order.price);
        }
        let listed = self.listed(incoming.instrument)?;
        let range = rulebook(listed).protection;
        let best = self.makers(listed, incoming.side, None).first()?.price;
        let worst = match incoming.side {
            Side::Buy => Price(best.0 + range.0),
            Side::Sell => Price(best.0 - range.0),
        };
        let is_price = worst > Price(0) && worst <= listed.definition.price_max;
        (range > Price(0) && is_price).then_some(worst)
    }

    /// Whether the whole of an incoming order comes to rest without a trade, for all to see.
    pub(super) fn rests_at_once(&self, incoming: &Incoming) -> bool {
        let Some(listed) = self.listed(incoming.instrument) else {
            return false;
        };
        let asked = &incoming.instructions;
        incoming.kind == OrderKind::Limit
            && incoming.order.tif.rests()
            && !self.waits(incoming)
            && asked.trigger == Price(0)
            && asked.minimum == Part(0)
            && asked.display == Part(0)
            && !asked.handling.has(Handling::HIDDEN)
            && (listed.phase.is_call()
                || self
                    .makers(listed, incoming.side, Some(incoming.order.price))
                    .is_empty())
    }

    pub(super) fn trade(&mut self, mut incoming: Incoming, announced: bool, events: &mut Vec<Event>) {
        let Incoming {
            instrument, side, kind, ..
        } = incoming;
        let leaves = incoming.order.leaves;
        let (needed, reason) = if incoming.order.tif == TimeInForce::FillOrKill {
            (leaves, CancelReason::NotFillable)
        } else {
            (
                incoming.instructions.minimum.quantity().min(leaves),
                CancelReason::MinimumNotMet,
            )
        };
        if needed > Quantity(0) && self.would_trade(&incoming) < needed {
            return events.push(unasked(&incoming.order, instrument, side, reason, false).into());
        }
        let run = self.exhaust(&mut incoming, events);
        if run == Run::Prevented || incoming.order.leaves.is_zero() {
            return;
        }
        let stands = kind == OrderKind::Limit && incoming.order.tif.rests();
        if run == Run::Done && stands && !self.make_way(&incoming, events) {
            return;
        }
        if kind == OrderKind::Market || !incoming.order.tif.rests() {
            events.push(unasked(&incoming.order, instrument, side, CancelReason::Unfilled, false).into());
        } else {
            self.come_to_rest(&incoming, announced, events);
        }
        if run == Run::Interrupted {
            self.pause(instrument, self.state.last_stamp, events);
        }
    }

    fn come_to_rest(&mut self, incoming: &Incoming, announced: bool, events: &mut Vec<Event>) {
        let Incoming { instrument, side, .. } = *incoming;
        self.queue(incoming);
        if announced || incoming.instructions.handling.has(Handling::HIDDEN) {
            return;
        }
        let shown = match incoming.instructions.display.quantity() {
            Quantity(0) => incoming.order.leaves,
            display => display.min(incoming.order.leaves),
        };
        events.push(self.booked(instrument, side, &incoming.order, shown));
    }

    /// How much an order would trade, found by letting it on a copy of everything.
    fn would_trade(&self, incoming: &Incoming) -> Quantity {
        let mut trial = Self {
            state: crate::EngineState {
                instruments: self.listed(incoming.instrument).into_iter().cloned().collect(),
                firms: self.state.firms.clone(),
                flags: self.state.flags.clone(),
                sessions: self.state.sessions.clone(),
                ..crate::EngineState::default()
            },
        };
        let mut incoming = *incoming;
        let before = incoming.order.executed;
        trial.exhaust(&mut incoming, &mut Vec::new());
        incoming.order.executed.saturating_sub(before)
    }

    /// Trades an order as far as it goes.
    fn exhaust(&mut self, incoming: &mut Incoming, events: &mut Vec<Event>) -> Run {
        let limit = self.limit(incoming);
        let firm = self.firm_of(incoming.order.session);
        let by_account = self.session_variant("matching.self-trade-by-account", incoming.order.session) == 1;
        let to_largest = self.variant("allocation.leftover-to-largest", incoming.instrument) == 1;
        let last = self
            .listed(incoming.instrument)
            .map_or(Price(0), |listed| listed.last_price);
        loop {
            let Some(listed) = self.listed(incoming.instrument) else {
                return Run::Done;
            };
            let mode = self.prevention(listed, firm);
            let mut makers = self.makers(listed, incoming.side, limit);
            makers.retain(|maker| self.is_one_circle(listed, incoming, maker));
            if incoming.kind == OrderKind::Market {
                let rounding = self.variant("bands.collar-rounding", incoming.instrument);
                makers.retain(|maker| is_allowed(listed, rounding, incoming.side, maker.price));
            }
            let (Some(maker), 1..) = (makers.first().copied(), incoming.order.leaves.0) else {
                return Run::Done;
            };
            if interrupts(listed, last, maker.price) {
                return Run::Interrupted;
            }
            let own = |maker: &OrderState| {
                !matches!(mode, SelfTrade::Allowed | SelfTrade::Apart)
                    && self.firm_of(maker.session) == firm
                    && maker.instructions().group == incoming.instructions.group
                    && !(by_account && maker.account != incoming.order.account)
            };
            // Those that share the order, if it is not enough for all of them.
            makers.retain(|one| one.price == maker.price && is_hidden(one) == is_hidden(&maker));
            let rule = listed.rules.map_or(AllocationRule::Fifo, |rules| rules.allocation.rule);
            let all: u64 = makers.iter().map(|one| one.displayed().0).sum();
            let together = !self.keeps_any_apart(listed);
            let shared =
                together && rule != AllocationRule::Fifo && !is_hidden(&maker) && incoming.order.leaves.0 < all;
            let prevented = match shared {
                true => makers.iter().find(|maker| own(maker)).copied(),
                false => own(&maker).then_some(maker),
            };
            if let Some(own) = prevented {
                if !self.keep_apart(incoming, &own, mode, events) {
                    return Run::Prevented;
                }
            } else if shared {
                for (maker, share) in allocated(listed, to_largest, incoming.order.leaves, makers) {
                    self.match_one(incoming, maker, share, events);
                }
            } else {
                self.match_one(incoming, maker, maker.leaves, events);
            }
        }
    }

    fn keeps_any_apart(&self, listed: &InstrumentState) -> bool {
        rulebook(listed).self_trade == SelfTrade::Apart
            || self.state.firms.iter().any(|one| one.self_trade == SelfTrade::Apart)
    }

    /// The group within which an order is kept, by firm; zero for no group.
    fn circle(&self, listed: &InstrumentState, order: &OrderState, group: u16) -> (FirmId, u16) {
        let firm = self.firm_of(order.session);
        match self.prevention(listed, firm) {
            SelfTrade::Apart if group > 0 => (firm, group),
            _ => (FirmId(0), 0),
        }
    }

    fn is_one_circle(&self, listed: &InstrumentState, incoming: &Incoming, maker: &OrderState) -> bool {
        self.circle(listed, maker, maker.instructions().group)
            == self.circle(listed, &incoming.order, incoming.instructions.group)
    }

    /// An order that is kept apart takes those off that it would cross; any other gives way. Whether it is to stand.
    fn make_way(&mut self, incoming: &Incoming, events: &mut Vec<Event>) -> bool {
        let Incoming { instrument, side, .. } = *incoming;
        let Some(listed) = self.listed(instrument) else {
            return true;
        };
        let crossed = self.makers(listed, side, Some(incoming.order.price));
        let in_a_group = |order: &OrderState, group| self.circle(listed, order, group).1 > 0;
        let goes_first = in_a_group(&incoming.order, incoming.instructions.group);
        let blocked = crossed
            .iter()
            .any(|one| in_a_group(one, one.instructions().group) || !goes_first);
        if blocked {
            events.push(unasked(&incoming.order, instrument, side, CancelReason::KeptApart, false).into());
            return false;
        }
        for one in crossed {
            events.push(
                unasked(
                    &one,
                    instrument,
                    side.opposite(),
                    CancelReason::KeptApart,
                    !is_hidden(&one),
                )
                .into(),
            );
            self.remove(one.order_id);
        }
        true
    }

    fn keep_apart(
        &mut self,
        incoming: &mut Incoming,
        maker: &OrderState,
        mode: SelfTrade,
        events: &mut Vec<Event>,
    ) -> bool {
        let Incoming { instrument, side, .. } = *incoming;
        let hidden = maker.instructions().handling.has(Handling::HIDDEN);
        let maker_ends = unasked(maker, instrument, side.opposite(), CancelReason::SelfTrade, !hidden);
        let taker_ends = unasked(&incoming.order, instrument, side, CancelReason::SelfTrade, false);
        match mode {
            SelfTrade::Allowed | SelfTrade::Apart => {}
            SelfTrade::CancelNewest => events.push(taker_ends.into()),
            SelfTrade::CancelOldest => events.push(maker_ends.into()),
            SelfTrade::CancelBoth => events.extend([Event::from(maker_ends), taker_ends.into()]),
            SelfTrade::Decrement => {
                let by = maker.leaves.min(incoming.order.leaves);
                let reserve = maker.leaves.saturating_sub(maker.displayed());
                let shown = if hidden {
                    Quantity(0)
                } else {
                    by.saturating_sub(reserve)
                };
                if by == maker.leaves {
                    events.push(maker_ends.into());
                    self.remove(maker.order_id);
                } else {
                    self.change(maker.order_id, |order| lower(order, by));
                    events.push(lowered(instrument, side.opposite(), maker, by, shown));
                }
                if by == incoming.order.leaves {
                    events.push(taker_ends.into());
                    return false;
                }
                events.push(lowered(instrument, side, &incoming.order, by, Quantity(0)));
                incoming.order.leaves.0 -= by.0;
                return true;
            }
        }
        if matches!(mode, SelfTrade::CancelOldest | SelfTrade::CancelBoth) {
            self.remove(maker.order_id);
        }
        mode == SelfTrade::CancelOldest
    }

    fn match_one(&mut self, incoming: &mut Incoming, maker: OrderState, most: Quantity, events: &mut Vec<Event>) {
        let Incoming { instrument, side, .. } = *incoming;
        let hidden = maker.instructions().handling.has(Handling::HIDDEN);
        let quantity = maker.displayed().min(incoming.order.leaves).min(most);
        let mut paid = (Money(0), Money(0));
        let trade = match self.listed_mut(instrument) {
            Some(listed) => {
                listed.trades += 1;
                listed.last_price = maker.price;
                paid = fees(listed, maker.price, quantity, false);
                if bands(listed).limit > 0 {
                    listed.guard.tallies[9].sum += maker.price.0 as u64;
                    listed.guard.tallies[9].count += 1;
                }
                TradeId::new(instrument, listed.trades)
            }
            None => TradeId(0),
        };
        let taker = &mut incoming.order;
        taker.leaves.0 -= quantity.0;
        taker.executed.0 += quantity.0;
        let maker_leaves = Quantity(maker.leaves.0 - quantity.0);
        events.push(
            Executed {
                trade,
                instrument,
                aggressor: side,
                price: maker.price,
                quantity,
                maker: maker.order_id,
                maker_public_ref: maker.public_ref,
                maker_session: maker.session,
                maker_user_ref: maker.user_ref,
                maker_firm: self.firm_of(maker.session),
                maker_account: maker.account,
                maker_leaves,
                taker: taker.order_id,
                taker_session: taker.session,
                taker_user_ref: taker.user_ref,
                taker_firm: self.firm_of(taker.session),
                taker_account: taker.account,
                taker_leaves: taker.leaves,
                maker_hidden: hidden,
                cross: false,
                taker_public_ref: PublicRef(0),
                maker_fee: paid.0,
                taker_fee: paid.1,
            }
            .into(),
        );
        let taker = incoming.order;
        self.count_fill(instrument, side.opposite(), &maker, quantity);
        self.count_fill(instrument, side, &taker, quantity);
        self.take_from(instrument, side.opposite(), &maker, quantity, events);
    }

    /// Takes an executed quantity from a resting order, of which an iceberg then shows its next part.
    pub(super) fn take_from(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        maker: &OrderState,
        quantity: Quantity,
        events: &mut Vec<Event>,
    ) {
        let leaves = maker.leaves.saturating_sub(quantity);
        if leaves.is_zero() {
            return self.remove(maker.order_id);
        }
        self.change(maker.order_id, |order| {
            order.leaves = leaves;
            order.executed.0 += quantity.0;
        });
        if quantity < maker.displayed() {
            return;
        }
        // What was displayed is gone: the rest comes anew.
        let rest = OrderState {
            leaves,
            executed: Quantity(maker.executed.0 + quantity.0),
            public_ref: self.next_public_ref(instrument),
            ..*maker
        };
        let again = Incoming {
            instrument,
            side,
            kind: OrderKind::Limit,
            instructions: maker.instructions(),
            order: rest,
        };
        self.remove(maker.order_id);
        self.queue(&again);
        let shown = maker.instructions().display.quantity().min(leaves);
        events.push(self.booked(instrument, side, &rest, shown));
    }
}

fn is_hidden(order: &OrderState) -> bool {
    order.instructions().handling.has(Handling::HIDDEN)
}

/// Who gets how much of a quantity that is not enough for all of these: by rule, then by size, then by age.
fn allocated(
    listed: &InstrumentState,
    to_largest: bool,
    quantity: Quantity,
    makers: Vec<OrderState>,
) -> Vec<(OrderState, Quantity)> {
    let Some(rules) = listed.rules else {
        return Vec::new();
    };
    let (asked, lot) = (rules.allocation, rules.rulebook.lot.0);
    let lots = |exact: u64| exact - exact % lot;
    let mut got: Vec<(OrderState, Quantity)> = makers.into_iter().map(|maker| (maker, Quantity(0))).collect();
    let given = |got: &[(OrderState, Quantity)]| -> u64 { got.iter().map(|(_, part)| part.0).sum() };
    // Up to a total, the oldest first.
    let by_age = |got: &mut Vec<(OrderState, Quantity)>, most: &mut u64| {
        for (maker, part) in got {
            let more = (*most).min(maker.displayed().0 - part.0);
            part.0 += more;
            *most -= more;
        }
    };
    if asked.rule == AllocationRule::TopProRata
        && let Some((top, part)) = got.first_mut()
    {
        let most = if asked.top_max == Part(0) {
            u64::MAX
        } else {
            u64::from(asked.top_max.0)
        };
        part.0 = quantity.0.min(top.displayed().0).min(most);
    }
    if asked.rule == AllocationRule::Split {
        by_age(&mut got, &mut lots(quantity.0 * u64::from(asked.fifo_percent) / 100));
    }
    let left = quantity.0 - given(&got);
    let open: Vec<u64> = got.iter().map(|(maker, part)| maker.displayed().0 - part.0).collect();
    let all: u64 = open.iter().sum();
    for ((_, part), open) in got.iter_mut().zip(open) {
        let share = lots((left * open).checked_div(all).unwrap_or(0));
        part.0 += if share < u64::from(asked.minimum.0) { 0 } else { share };
    }
    let mut rest = quantity.0 - given(&got);
    if to_largest {
        let order: Vec<OrderId> = got.iter().map(|(maker, _)| maker.order_id).collect();
        got.sort_by_key(|(maker, _)| core::cmp::Reverse(maker.displayed()));
        by_age(&mut got, &mut rest);
        got.sort_by_key(|(maker, _)| order.iter().position(|id| *id == maker.order_id));
    } else {
        by_age(&mut got, &mut rest);
    }
    got.retain(|(_, part)| *part > Quantity(0));
    got
}

/// Takes a part off an order: what is not displayed first.
pub(super) fn lower(order: &mut OrderState, by: Quantity) {
    order.leaves.0 -= by.0;
    if let Some(special) = &mut order.special {
        special.reserve = special.reserve.saturating_sub(by);
    }
}

pub(super) fn lowered(
    instrument: InstrumentId,
    side: Side,
    before: &OrderState,
    by: Quantity,
    shown: Quantity,
) -> Event {
    Reduced {
        session: before.session,
        incarnation: Incarnation(0),
        inbound: MsgSeqNum(0),
        user_ref: before.user_ref,
        order_id: before.order_id,
        public_ref: before.public_ref,
        instrument,
        side,
        short: before.short,
        remark: false,
        removed: by,
        leaves: before.leaves.saturating_sub(by),
        removed_shown: shown,
        client_id: Text::EMPTY,
    }
    .into()
}
