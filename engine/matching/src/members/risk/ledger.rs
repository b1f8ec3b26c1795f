//! What is counted: every event is taken in on its way out.

use super::meters::Meters;
use super::recents::Recents;
use super::standing::Standing;
use super::{Owner, Sessions};
use crate::members::{Gauge, Likeness, MembersState};
use alloc::collections::BTreeMap;
use rialto_model::event::{Executed, TradeCorrected};
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
    pub(super) exposures: BTreeMap<InstrumentId, Exposure>,
    pub(super) recent: Recents,
}

/// What is held of an instrument, and what stands on each side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exposure {
    pub(super) position: i64,
    pub(super) buys: u64,
    pub(super) sells: u64,
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
    fn count(&mut self, order: &Working) {
        self.orders += 1;
        self.reserved += order.worth();
        *self.exposures.entry(order.instrument).or_default().side(order.side) += order.leaves;
    }

    fn uncount(&mut self, order: &Working) {
        self.orders -= 1;
        self.lower(order);
    }

    /// Takes off what an order has lost.
    fn lower(&mut self, order: &Working) {
        self.reserved -= order.worth();
        *self.exposures.entry(order.instrument).or_default().side(order.side) -= order.leaves;
    }
}

impl Exposure {
    fn side(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }
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
        self.standing.get(&order_id)
    }

    pub(super) fn forget_working(&mut self) {
        self.standing.clear();
        for meter in self.meters.iter_mut() {
            meter.reserved = 0;
            meter.orders = 0;
            for exposure in meter.exposures.values_mut() {
                (exposure.buys, exposure.sells) = (0, 0);
            }
        }
    }

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

    fn remove(&mut self, order_id: OrderId) -> Option<Working> {
        let order = self.standing.remove(&order_id)?;
        self.each((order.firm, order.account), |meter| meter.uncount(&order));
        Some(order)
    }

    fn lower(&mut self, order_id: OrderId, leaves: Quantity) {
        if leaves.is_zero() {
            self.remove(order_id);
            return;
        }
        let Some(order) = self.standing.get_mut(&order_id) else {
            return;
        };
        let gone = Working {
            leaves: order.leaves - leaves.0,
            ..*order
        };
        order.leaves = leaves.0;
        self.each((gone.firm, gone.account), |meter| meter.lower(&gone));
    }

    /// Takes in one event.
    fn take(&mut self, event: &Event) {
        match event {
            Event::Accepted(e) => {
                let order = Likeness {
                    instrument: e.instrument,
                    side: e.side,
                    kind: e.kind,
                    price: e.price,
                    quantity: e.quantity,
                };
                let now = self.now;
                self.each((e.firm, e.account), |meter| meter.remember(now, order));
                self.add(
                    e.order_id,
                    Working {
                        firm: e.firm,
                        account: e.account,
                        instrument: e.instrument,
                        side: e.side,
                        price: e.price,
                        leaves: e.quantity.0,
                    },
                );
            }
            Event::Quoted(e) => self.add(
                e.order_id,
                Working {
                    firm: e.firm,
                    account: e.account,
                    instrument: e.instrument,
                    side: e.side,
                    price: e.price,
                    leaves: e.quantity.0,
                },
            ),
            Event::Replaced(e) => {
                self.remove(e.order_id);
                self.add(
                    e.order_id,
                    Working {
                        firm: e.firm,
                        account: e.account,
                        instrument: e.instrument,
                        side: e.side,
                        price: e.price,
                        leaves: e.quantity.0,
                    },
                );
            }
            Event::Reduced(e) => self.lower(e.order_id, e.leaves),
            Event::Cancelled(e) => {
                self.remove(e.order_id);
            }
            Event::Executed(e) => self.execute(e),
            Event::TradeBusted(e) => self.undo(e.instrument, &e.deal),
            Event::TradeCorrected(e) => {
                self.undo(e.instrument, &e.deal);
                let again = e.deal();
                for (session, side) in parties(&again) {
                    let owner = self.owner(session);
                    self.fill(owner, e.instrument, side, again.price, again.quantity);
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
        let maker = (e.maker_firm, e.maker_account);
        self.fill(maker, e.instrument, e.aggressor.opposite(), e.price, e.quantity);
        self.lower(e.maker, e.maker_leaves);
        let taker = (e.taker_firm, e.taker_account);
        self.fill(taker, e.instrument, e.aggressor, e.price, e.quantity);
        self.lower(e.taker, e.taker_leaves);
    }

    fn undo(&mut self, instrument: InstrumentId, deal: &Deal) {
        for (session, side) in parties(deal) {
            let owner = self.owner(session);
            self.fill(owner, instrument, side.opposite(), deal.price, deal.quantity);
        }
    }

    fn owner(&self, session: SessionId) -> Owner {
        self.sessions.get(&session).copied().unwrap_or_default()
    }

    fn fill(&mut self, owner: Owner, instrument: InstrumentId, side: Side, price: Price, quantity: Quantity) {
        let worth = Notional::worth(price, quantity) as i128;
        let amount = quantity.0 as i64;
        self.each(owner, |meter| {
            let position = &mut meter.exposures.entry(instrument).or_default().position;
            match side {
                Side::Buy => {
                    *position += amount;
                    meter.paid += worth;
                }
                Side::Sell => {
                    *position -= amount;
                    meter.paid -= worth;
                }
            }
        });
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
            positions: meter
                .exposures
                .iter()
                .filter(|(_, exposure)| exposure.position != 0)
                .map(|(instrument, exposure)| (*instrument, exposure.position))
                .collect(),
            recent: meter.recent.iter().copied().collect(),
        });
        state.gauges = gauges.collect();
        state.tiers = self.tiers.iter().map(|(firm, tier)| (*firm, *tier)).collect();
    }

    pub(crate) fn take_in(state: &MembersState) -> Self {
        let meter = |gauge: &Gauge| Meter {
            limits: gauge.limits,
            paid: gauge.paid,
            exposures: gauge
                .positions
                .iter()
                .map(|(instrument, position)| {
                    let exposure = Exposure {
                        position: *position,
                        ..Exposure::default()
                    };
                    (*instrument, exposure)
                })
                .collect(),
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
    fn remember(&mut self, now: Timestamp, order: Likeness) {
        if self.limits.duplicate_window == 0 {
            if !self.recent.is_empty() {
                self.recent.clear();
            }
            return;
        }
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
pub(super) struct Watch<'a> {
    pub(super) ledger: &'a mut Ledger,
    pub(super) out: &'a mut dyn EventSink,
}

impl EventSink for Watch<'_> {
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
