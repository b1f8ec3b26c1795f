//! Price bounds in the naive engine: every question is asked of the prices themselves.

use super::pegs::is_peg;
use super::{Engine, Live, Place, broken};
use crate::state::{Guard, InstrumentState, OrderState, Tally};
use alloc::vec::Vec;
use rialto_model::command::{BreakCircuit, SetBands};
use rialto_model::event::{BandsSet, CircuitBroken, LimitStateChanged, PriceBands};
use rialto_model::{Bands, BreakerLevel, CancelReason, Event, InstrumentId, OrderId, Phase, Price, Side, Timestamp};

/// Something that is due on an instrument or an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Timestamp,
    instrument: InstrumentId,
    /// Zero: the instrument itself.
    order: OrderId,
}

impl Engine {
    pub(super) fn set_bands(&mut self, c: &SetBands, events: &mut Vec<Event>) {
        let Some(listed) = self.listed(c.instrument) else {
            return events.push(broken(SetBands::SCHEMA));
        };
        let Some(rules) = listed.rules else {
            return events.push(broken(SetBands::SCHEMA));
        };
        let (new, one, phase) = (c.bands, listed.definition, listed.phase);
        let faults = [
            c.version != rules.version + 1,
            new.reference < Price(0) || new.reference > one.price_max || new.reference.0 % one.tick.0 != 0,
            new.collar > 10_000 || new.interruption > 10_000 || new.limit > 10_000,
            new.window > 86_400_000 || new.limit_state > 86_400_000 || new.pause > 86_400_000,
            new.window % 10 != 0,
            new.limit != 0 && (new.window == 0 || new.limit_state == 0 || new.pause == 0),
            new.interruption != 0 && new.pause == 0,
        ];
        if faults.contains(&true) {
            return events.push(broken(SetBands::SCHEMA));
        }
        self.end_limit_state(c.instrument, events);
        let continuous = phase == Phase::Continuous;
        if let Some(listed) = self.listed_mut(c.instrument) {
            let old = listed.guard;
            listed.guard = Guard {
                reference: if new.reference > Price(0) {
                    new.reference
                } else {
                    old.reference
                },
                average: match new {
                    Bands { limit: 0, .. } => Price(0),
                    Bands {
                        reference: Price(1..), ..
                    } => new.reference,
                    _ => old.average,
                },
                deadline: if continuous { Timestamp(0) } else { old.deadline },
                ..Guard::default()
            };
            if let Some(rules) = &mut listed.rules {
                rules.version = c.version;
                rules.bands = new;
            }
        }
        events.push(
            BandsSet {
                instrument: c.instrument,
                version: c.version,
                bands: new,
            }
            .into(),
        );
        if self.state.day_open {
            self.begin_bounds(c.instrument, self.state.last_stamp, events);
        }
    }

    pub(super) fn break_circuit(&mut self, c: &BreakCircuit, events: &mut Vec<Event>) {
        if c.level == self.state.breaker {
            return events.push(broken(BreakCircuit::SCHEMA));
        }
        self.halt_all(c.level, events);
    }

    pub(super) fn halt_all(&mut self, level: BreakerLevel, events: &mut Vec<Event>) {
        self.state.breaker = level;
        for listed in &mut self.state.instruments {
            listed.guard.limit = None;
            listed.guard.deadline = Timestamp(0);
        }
        events.push(CircuitBroken { level }.into());
    }

    /// The limit bands begin to count, if there are any and trading is continuous.
    pub(super) fn begin_bounds(&mut self, instrument: InstrumentId, now: Timestamp, events: &mut Vec<Event>) {
        let Some(listed) = self.listed_mut(instrument) else {
            return;
        };
        let bands = bands(listed);
        if bands.limit == 0 || listed.phase != Phase::Continuous {
            return;
        }
        listed.guard.tallies = [Tally::default(); 10];
        listed.guard.boundary = later(now, bands.window / 10);
        self.say_bands(instrument, events);
    }

    pub(super) fn end_bounds(&mut self, instrument: InstrumentId) {
        if let Some(listed) = self.listed_mut(instrument) {
            listed.guard = Guard {
                reference: listed.guard.reference,
                average: listed.guard.average,
                ..Guard::default()
            };
        }
    }

    /// Stops trading for an auction that ends by itself.
    pub(super) fn pause(&mut self, instrument: InstrumentId, now: Timestamp, events: &mut Vec<Event>) {
        self.change_phase(instrument, Phase::VolatilityAuction, now, events);
        if let Some(listed) = self.listed_mut(instrument) {
            listed.guard.deadline = later(now, bands(listed).pause);
        }
    }

    /// Does what is due at the stamp of the command that comes, the earliest first; whether anything was.
    pub(super) fn fire(&mut self, events: &mut Vec<Event>) -> bool {
        let mut any = false;
        while let Some(due) = self.next_due() {
            any = true;
            if due.order == OrderId(0) {
                self.fire_bounds(due, events);
            } else if let Some(live) = self.live().into_iter().find(|live| live.order.order_id == due.order) {
                self.end(&live, CancelReason::Expired, events);
            }
        }
        if any {
            self.go_on_everywhere(events);
        }
        any
    }

    fn next_due(&self) -> Option<Due> {
        let books = self.state.instruments.iter();
        let all = books.flat_map(|listed| {
            let instrument = listed.definition.instrument;
            let bounds = [listed.guard.boundary, listed.guard.deadline].into_iter();
            let bounds = bounds.map(|at| (at, OrderId(0)));
            let orders = listed.orders();
            let orders = orders.map(|(_, order)| (order.instructions().expires, order.order_id));
            bounds
                .chain(orders)
                .map(move |(at, order)| Due { at, instrument, order })
        });
        all.filter(|due| due.at > Timestamp(0) && due.at <= self.state.last_stamp)
            .min()
    }

    fn fire_bounds(&mut self, due: Due, events: &mut Vec<Event>) {
        let Due { at, instrument, .. } = due;
        let now = self.state.last_stamp;
        let Some(listed) = self.listed_mut(instrument) else {
            return;
        };
        if listed.guard.deadline == at {
            return match listed.phase {
                Phase::Continuous => self.pause(instrument, at, events),
                _ => self.change_phase(instrument, Phase::Continuous, at, events),
            };
        }
        // One tenth after the other, up to the first that lies ahead: none behind the end of time.
        let step = u128::from(bands(listed).window / 10) * 1_000_000;
        let guard = &mut listed.guard;
        let (mut passed, mut boundary) = (0, u128::from(guard.boundary.0));
        while passed < 10 && boundary <= u128::from(now.0) {
            guard.tallies.rotate_left(1);
            guard.tallies[9] = Tally::default();
            boundary += step;
            passed += 1;
        }
        if boundary <= u128::from(now.0) {
            boundary += ((u128::from(now.0) - boundary) / step + 1) * step;
        }
        guard.boundary = Timestamp(u64::try_from(boundary).unwrap_or(0));
        let Some(mean) = mean(guard) else { return };
        let moved = (mean.0 - guard.average.0).abs();
        if guard.average == Price(0) || 100 * moved >= guard.average.0 {
            guard.average = mean;
            self.say_bands(instrument, events);
        }
    }

    /// Says the limit bands and ends what lies beyond.
    fn say_bands(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) {
        let Some(listed) = self.listed(instrument) else { return };
        let Some((low, high)) = limit_bands(listed) else { return };
        events.push(
            PriceBands {
                instrument,
                reference: listed.guard.average,
                low,
                high,
            }
            .into(),
        );
        let beyond = |live: &Live| {
            live.instrument == instrument
                && live.place != Place::Aside
                && !is_peg(&live.order.instructions())
                && !(live.side == Side::Buy && live.order.price <= high)
                && !(live.side == Side::Sell && live.order.price >= low)
        };
        let mut leaving = self.live();
        leaving.retain(beyond);
        self.end_all(leaving, CancelReason::OutsideBands, events);
    }

    /// Makes the first bands of the first trades; whether it did.
    pub(super) fn first_bounds(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) -> bool {
        let Some(listed) = self.listed_mut(instrument) else {
            return false;
        };
        match mean(&listed.guard) {
            Some(first) if listed.guard.average == Price(0) && listed.guard.boundary > Timestamp(0) => {
                listed.guard.average = first;
                self.say_bands(instrument, events);
                true
            }
            _ => false,
        }
    }

    /// Begins and ends limit states.
    pub(super) fn watch_bounds(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) {
        if self.state.breaker != BreakerLevel::None {
            return;
        }
        let Some(listed) = self.listed_mut(instrument) else {
            return;
        };
        if listed.guard.boundary == Timestamp(0) {
            return;
        }
        let Some(listed) = self.listed(instrument) else { return };
        let Some((low, high)) = limit_bands(listed) else { return };
        let at = |queue: &[OrderState], price| queue.iter().any(|order| order.price == price);
        let state = match (at(&listed.bids, high), at(&listed.asks, low)) {
            (true, _) => Some(Side::Buy),
            (false, true) => Some(Side::Sell),
            (false, false) => None,
        };
        let lasts = bands(listed).limit_state;
        if state == listed.guard.limit {
            return;
        }
        self.end_limit_state(instrument, events);
        let now = self.state.last_stamp;
        if let (Some(side), Some(listed)) = (state, self.listed_mut(instrument)) {
            listed.guard.limit = state;
            listed.guard.deadline = later(now, lasts);
            events.push(
                LimitStateChanged {
                    instrument,
                    side,
                    entered: true,
                }
                .into(),
            );
        }
    }

    fn end_limit_state(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) {
        let Some(listed) = self.listed_mut(instrument) else {
            return;
        };
        if let Some(side) = listed.guard.limit.take() {
            listed.guard.deadline = Timestamp(0);
            events.push(
                LimitStateChanged {
                    instrument,
                    side,
                    entered: false,
                }
                .into(),
            );
        }
    }
}

pub(super) fn bands(listed: &InstrumentState) -> Bands {
    listed.rules.map_or(Bands::default(), |rules| rules.bands)
}

/// The limit bands in force: of the two ticks around each, the nearer; of two as near, the higher.
fn limit_bands(listed: &InstrumentState) -> Option<(Price, Price)> {
    let width = i64::from(bands(listed).limit);
    let (average, tick) = (listed.guard.average.0, listed.definition.tick.0);
    if width == 0 || average == 0 || listed.phase != Phase::Continuous {
        return None;
    }
    let last = listed.definition.price_max.0 / tick * tick;
    let nearest = |exact: i64| {
        // `exact` is in ten-thousandths.
        let below = exact / 10_000 / tick * tick;
        let above = below + tick;
        if exact - below * 10_000 < above * 10_000 - exact {
            below
        } else {
            above
        }
    };
    let low = nearest(average * (10_000 - width)).max(tick).min(last);
    let high = nearest(average * (10_000 + width)).min(last);
    Some((Price(low), Price(high)))
}

/// Whether an order of this side may have this limit, or trade at this price: the collar, of this rounding, and the limit
/// bands.
pub(super) fn is_allowed(listed: &InstrumentState, rounding: u8, side: Side, price: Price) -> bool {
    let collar = i64::from(bands(listed).collar);
    let (reference, tick) = (listed.guard.reference.0, listed.definition.tick.0);
    let beyond = match side {
        Side::Buy => price.0 - reference,
        Side::Sell => reference - price.0,
    };
    // Both in twenty-thousandths, so that half a tick is whole.
    let (beyond, width, tick) = (
        i128::from(beyond) * 20_000,
        i128::from(reference * collar * 2),
        i128::from(tick * 20_000),
    );
    let outside = match (rounding, side) {
        (0, _) => beyond > width,
        // The next tick towards the reference is out already, or just in.
        (1, _) => beyond - tick >= width,
        (_, Side::Buy) => beyond - tick / 2 > width,
        (_, Side::Sell) => beyond - tick / 2 >= width,
    };
    let collared = collar > 0 && reference > 0 && outside;
    let banded = limit_bands(listed).is_some_and(|(low, high)| match side {
        Side::Buy => price > high,
        Side::Sell => price < low,
    });
    !collared && !banded
}

/// Whether a trade at this price interrupts trading; `last` is the last trade before the order.
pub(super) fn interrupts(listed: &InstrumentState, last: Price, price: Price) -> bool {
    let width = i64::from(bands(listed).interruption);
    let away = (price.0 - last.0).abs();
    width > 0 && last > Price(0) && away * 10_000 > last.0 * width
}

/// The mean of the prices, halves up.
fn mean(guard: &Guard) -> Option<Price> {
    let (sum, count) = guard
        .tallies
        .iter()
        .fold((0, 0), |(sum, count), tally| (sum + tally.sum, count + tally.count));
    if count == 0 {
        return None;
    }
    let (whole, rest) = (sum / count, sum % count);
    Some(Price((whole + u64::from(rest * 2 >= count)) as i64))
}

fn later(now: Timestamp, milliseconds: u32) -> Timestamp {
    let later = u128::from(now.0) + u128::from(milliseconds) * 1_000_000;
    Timestamp(u64::try_from(later).unwrap_or(0))
}
