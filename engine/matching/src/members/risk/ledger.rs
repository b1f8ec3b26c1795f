//! What is counted: every event is taken in on its way out.

use super::exposures::Exposures;
use super::meters::Meters;
use super::recents::Recents;
use super::standing::Standing;
use super::{Owner, Sessions};
use crate::members::{Gauge, Likeness, MembersState};
use alloc::collections::BTreeMap;
use rialto_model::event::{Accepted, Executed, Replaced, TradeCorrected};
use rialto_model::{
    AccountId, Deal, Event, EventSink, FeeTier, FirmId, InstrumentId, Money, Notional, OrderId, Price, Quantity,
    RiskLimits, SessionId, Side, Timestamp,
};

/// Everything that limits and tiers go by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    meters: Meters,
    tiers: BTreeMap<FirmId, FeeTier>,
    standing: Standing,
    pub(super) sessions: Sessions,
    /// The stamp of the command that is applied.
    pub(super) now: Timestamp,
}

/// What is counted for one firm or account.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    pub(super) limits: RiskLimits,
    pub(super) paid: i128,
    pub(super) reserved: u128,
    pub(super) orders: u64,
    pub(super) exposures: Exposures,
    pub(super) recent: Recents,
}

/// An order that stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Working {
    pub(super) firm: FirmId,
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) price: Price,
    pub(super) leaves: u64,
}

impl Working {
    pub(super) const fn worth(&self) -> u128 {
        match self.side {
            Side::Buy => Notional::worth(self.price, Quantity(self.leaves)),
            Side::Sell => 0,
        }
    }
}

impl Meter {
    #[inline]
    fn count(&mut self, order: &Working) {
        self.orders += 1;
        self.reserved += order.worth();
        *self.exposures.of(order.instrument).side(order.side) += order.leaves;
    }

    #[inline]
    fn uncount(&mut self, order: &Working) {
        self.orders -= 1;
        self.lower(order);
    }

    /// Takes off what an order has lost.
    #[inline]
    fn lower(&mut self, order: &Working) {
        self.reserved -= order.worth();
        *self.exposures.of(order.instrument).side(order.side) -= order.leaves;
    }

    /// Takes in what was bought or sold.
    #[inline]
    fn fill(&mut self, fill: &Fill) {
        let position = &mut self.exposures.of(fill.instrument).position;
        match fill.side {
            Side::Buy => {
                *position += fill.amount;
                self.paid += fill.worth;
            }
            Side::Sell => {
                *position -= fill.amount;
                self.paid -= fill.worth;
            }
        }
    }
}

/// What was bought or sold at once.
struct Fill {
    instrument: InstrumentId,
    side: Side,
    amount: i64,
    worth: i128,
}

impl Fill {
    const fn new(instrument: InstrumentId, side: Side, price: Price, quantity: Quantity) -> Self {
        Self {
            instrument,
            side,
            amount: quantity.0 as i64,
            worth: Notional::worth(price, quantity) as i128,
        }
    }
}

/// What an event says of an order that stands from then on.
macro_rules! working {
    ($event:expr) => {
        Working {
            firm: $event.firm,
            account: $event.account,
            instrument: $event.instrument,
            side: $event.side,
            price: $event.price,
            leaves: $event.quantity.0,
        }
    };
}

impl Ledger {
    /// Whether nobody has limits or a tier.
    pub(crate) fn is_idle(&self) -> bool {
        self.meters.is_empty() && self.tiers.is_empty()
    }

    pub(crate) fn limit(&mut self, firm: FirmId, account: AccountId, limits: RiskLimits) {
        if limits == RiskLimits::default() {
            self.meters.remove((firm, account));
        } else {
            self.meters.entry((firm, account)).limits = limits;
        }
    }

    pub(crate) fn tier(&mut self, firm: FirmId, tier: FeeTier) {
        if tier == FeeTier::WHOLE {
            self.tiers.remove(&firm);
        } else {
            self.tiers.insert(firm, tier);
        }
    }

    /// The meters that an order of this account is counted on: its firm's, then its own.
    #[inline]
    pub(super) fn meters(&self, owner: Owner) -> impl Iterator<Item = &Meter> {
        let places = self.meters.places(owner);
        places.into_iter().filter_map(|place| self.meters.get(place))
    }

    #[inline]
    fn each(&mut self, owner: Owner, mut change: impl FnMut(&mut Meter)) {
        for place in self.meters.places(owner) {
            if let Some(meter) = self.meters.get_mut(place) {
                change(meter);
            }
        }
    }

    pub(super) fn standing(&self, order_id: OrderId) -> Option<&Working> {
        self.standing.get(order_id)
    }

    pub(super) fn forget_working(&mut self) {
        self.standing.clear();
        for meter in self.meters.iter_mut() {
            meter.reserved = 0;
            meter.orders = 0;
            meter.exposures.forget_standing();
        }
    }

    /// One more stands: an order that came after all others, or a side of a quote.
    pub(super) fn add(&mut self, order_id: OrderId, order: Working) {
        let mut counted = false;
        self.each((order.firm, order.account), |meter| {
            meter.count(&order);
            counted = true;
        });
        if counted {
            self.standing.insert(order_id, order);
        }
    }

    /// What such an order loses by what is left of it, and whether that ends it; nothing where it is not counted.
    #[inline]
    fn part(&mut self, order_id: OrderId, leaves: Quantity) -> Option<(Working, bool)> {
        if leaves.is_zero() {
            return Some((self.standing.remove(order_id)?, true));
        }
        let order = self.standing.get_mut(order_id)?;
        let gone = Working {
            leaves: order.leaves - leaves.0,
            ..*order
        };
        order.leaves = leaves.0;
        Some((gone, false))
    }

    #[inline]
    fn lower(&mut self, order_id: OrderId, leaves: Quantity) {
        let Some((gone, ended)) = self.part(order_id, leaves) else {
            return;
        };
        self.each((gone.firm, gone.account), |meter| {
            if ended {
                meter.uncount(&gone);
            } else {
                meter.lower(&gone);
            }
        });
    }

    fn accept(&mut self, e: &Accepted) {
        let (now, order) = (self.now, working!(e));
        let mut counted = false;
        self.each((e.firm, e.account), |meter| {
            if meter.limits.duplicate_window > 0 || !meter.recent.is_empty() {
                meter.remember(now, e);
            }
            meter.count(&order);
            counted = true;
        });
        if counted {
            self.standing.insert(e.order_id, order);
        }
    }

    /// Whoever has a meter has had all of its orders counted since it was set, so that this one stands if it is to be counted.
    fn replace(&mut self, e: &Replaced) {
        let order = working!(e);
        if let Some(standing) = self.standing.get_mut(e.order_id) {
            let gone = core::mem::replace(standing, order);
            self.each((order.firm, order.account), |meter| {
                meter.lower(&gone);
                meter.orders -= 1;
                meter.count(&order);
            });
        }
    }

    /// Takes in one event.
    #[inline]
    fn take(&mut self, event: &Event) {
        match event {
            Event::Accepted(e) => self.accept(e),
            Event::Cancelled(e) => self.lower(e.order_id, Quantity(0)),
            Event::Executed(e) => self.execute(e),
            Event::Replaced(e) => self.replace(e),
            Event::Reduced(e) => self.lower(e.order_id, e.leaves),
            Event::Quoted(e) => self.add(e.order_id, working!(e)),
            other => self.take_rarely(other),
        }
    }

    #[inline(never)]
    fn take_rarely(&mut self, event: &Event) {
        match event {
            Event::TradeBusted(e) => self.undo(e.instrument, &e.deal),
            Event::TradeCorrected(e) => {
                self.undo(e.instrument, &e.deal);
                let again = e.deal();
                for (session, side) in parties(&again) {
                    let owner = self.owner(session);
                    self.fill(owner, &Fill::new(e.instrument, side, again.price, again.quantity));
                }
            }
            Event::DayStarted(_) => self.meters.iter_mut().for_each(|meter| meter.paid = 0),
            Event::SessionDefined(e) => {
                self.sessions.insert(e.session, (e.firm, e.account));
            }
            _ => {}
        }
    }

    fn execute(&mut self, e: &Executed) {
        let fill = Fill::new(e.instrument, e.aggressor.opposite(), e.price, e.quantity);
        self.trade((e.maker_firm, e.maker_account), (e.maker, e.maker_leaves), &fill);
        let side = e.aggressor;
        self.trade(
            (e.taker_firm, e.taker_account),
            (e.taker, e.taker_leaves),
            &Fill { side, ..fill },
        );
    }

    /// One side of a trade: what was filled, and what its order lost by it.
    #[inline]
    fn trade(&mut self, owner: Owner, (order_id, leaves): (OrderId, Quantity), fill: &Fill) {
        let part = self.part(order_id, leaves);
        self.each(owner, |meter| {
            meter.fill(fill);
            match &part {
                Some((gone, true)) => meter.uncount(gone),
                Some((gone, false)) => meter.lower(gone),
                None => {}
            }
        });
    }

    fn undo(&mut self, instrument: InstrumentId, deal: &Deal) {
        for (session, side) in parties(deal) {
            let owner = self.owner(session);
            self.fill(
                owner,
                &Fill::new(instrument, side.opposite(), deal.price, deal.quantity),
            );
        }
    }

    fn owner(&self, session: SessionId) -> Owner {
        self.sessions.get(&session).copied().unwrap_or_default()
    }

    fn fill(&mut self, owner: Owner, fill: &Fill) {
        self.each(owner, |meter| meter.fill(fill));
    }

    /// The event as it goes out: fees by tier.
    fn price(&self, event: Event) -> Event {
        match event {
            Event::Executed(e) if !self.tiers.is_empty() => Executed {
                maker_fee: self.maker_fee(e.maker_firm, e.maker_fee),
                taker_fee: self.taker_fee(e.taker_firm, e.taker_fee),
                ..e
            }
            .into(),
            Event::TradeCorrected(e) if !self.tiers.is_empty() => TradeCorrected {
                maker_fee: self.maker_fee(self.owner(e.deal.maker_session).0, e.maker_fee),
                taker_fee: self.taker_fee(self.owner(e.deal.taker_session).0, e.taker_fee),
                ..e
            }
            .into(),
            other => other,
        }
    }

    fn maker_fee(&self, firm: FirmId, fee: Money) -> Money {
        self.tiers.get(&firm).map_or(fee, |tier| part(fee, tier.maker_percent))
    }

    fn taker_fee(&self, firm: FirmId, fee: Money) -> Money {
        self.tiers.get(&firm).map_or(fee, |tier| part(fee, tier.taker_percent))
    }

    pub(crate) fn take_out(&self, state: &mut MembersState) {
        let gauges = self.meters.iter().map(|((firm, account), meter)| Gauge {
            firm: *firm,
            account: *account,
            limits: meter.limits,
            paid: meter.paid,
            positions: meter.exposures.positions().collect(),
            recent: meter.recent.iter().copied().collect(),
        });
        state.gauges = gauges.collect();
        state.tiers = self.tiers.iter().map(|(firm, tier)| (*firm, *tier)).collect();
    }

    pub(crate) fn take_in(state: &MembersState) -> Self {
        let meter = |gauge: &Gauge| Meter {
            limits: gauge.limits,
            paid: gauge.paid,
            exposures: Exposures::holding(&gauge.positions),
            recent: Recents::of(&gauge.recent),
            ..Meter::default()
        };
        Self {
            meters: Meters::of(
                state
                    .gauges
                    .iter()
                    .map(|gauge| ((gauge.firm, gauge.account), meter(gauge))),
            ),
            tiers: state.tiers.iter().copied().collect(),
            ..Self::default()
        }
    }
}

impl Meter {
    /// For the duplicate-order guard, where there is one.
    #[inline(never)]
    fn remember(&mut self, now: Timestamp, e: &Accepted) {
        if self.limits.duplicate_window == 0 {
            self.recent.clear();
            return;
        }
        let order = Likeness {
            instrument: e.instrument,
            side: e.side,
            kind: e.kind,
            price: e.price,
            quantity: e.quantity,
        };
        self.recent.remember(now, order, self.limits.duplicate_window);
    }
}

/// Who traded, and on which side.
fn parties(deal: &Deal) -> [(SessionId, Side); 2] {
    [
        (deal.maker_session, deal.aggressor.opposite()),
        (deal.taker_session, deal.aggressor),
    ]
}

/// A part of a fee in per cent, rounded to the nearest, halves away from zero. Five times the highest fee fits 64 bits.
fn part(fee: Money, percent: u16) -> Money {
    let exact = i128::from(fee.0) * i128::from(percent);
    Money(((exact.abs() + 50) / 100 * exact.signum()) as i64)
}

/// Counts events on their way out.
pub(super) struct Watch<'a, S> {
    pub(super) ledger: &'a mut Ledger,
    pub(super) out: &'a mut S,
}

impl<S: EventSink> EventSink for Watch<'_, S> {
    #[inline]
    fn emit(&mut self, event: Event) {
        self.ledger.take(&event);
        if self.ledger.tiers.is_empty() {
            self.out.emit(event);
        } else {
            self.out.emit(self.ledger.price(event));
        }
    }
}
