//! Price bounds: collars, volatility interruptions, limit bands with their pauses, and the halt of the whole market.
//!
//! - **Collar** (ESMA RTS 7 Article 20; CME Globex price banding): judged when an order comes or is replaced; a market order
//!   trades no further. Its reference is stated with the bounds and set anew by each uncross. It ends at the last tick within
//!   the width; by a flag at the first one beyond, or at the nearest, halves up.
//! - **Interruption** (Xetra Market Model Equities, volatility interruption): an order trades while prices lie in the range
//!   around the last trade before it. Where its next trade would not, what is left of it stands or goes as ever, and a
//!   volatility auction begins.
//! - **Limit bands** (Plan to Address Extraordinary Market Volatility, sections V to VII): around the mean price of the trades
//!   of a window, taken every tenth of it and replaced where it has moved by one per cent, rounded to the nearest tick, halves
//!   up. In continuous trading nothing is taken or stands beyond. A displayed bid at the upper or offer at the lower band is a
//!   limit state; one that lasts too long pauses trading, and the pause ends by its uncross, which is the next reference.
//! - **Circuit breaker** (NYSE Rule 7.12; Nasdaq Equity 4 Rule 4121): nothing but cancels is taken in the whole market, and
//!   no call ends. Pauses that it falls into end by the venue's command.

use crate::book::Book;
use crate::engine::Engine;
use crate::pool::NONE;
use crate::state::{Guard, Tally};
use rialto_model::command::{BreakCircuit, SetBands};
use rialto_model::event::{BandsSet, CircuitBroken, LimitStateChanged, PriceBands};
use rialto_model::flags;
use rialto_model::{
    Bands, BreakerLevel, CancelReason, EventSink, OrderId, Phase, Price, Side, Timestamp, command::DefineInstrument,
};

use super::rules::refused;
use super::{is_pegged, price};

/// Nanoseconds in a millisecond.
const MILLISECOND: u64 = 1_000_000;
/// Basis points in a whole.
const WHOLE: u64 = 10_000;
/// Variants of [`flags::COLLAR_ROUNDING`]; the first is the tick within.
const BEYOND: u8 = 1;
const NEAREST: u8 = 2;

/// Whether bounds fit the definition: the reference a price, widths and times in range, and no width without its times.
pub(crate) fn are_sound_bands(one: &DefineInstrument, bands: &Bands) -> bool {
    use rialto_model::rulebook::{BAND_TIME_MAX, BAND_WIDTH_MAX};
    let widths = [bands.collar, bands.interruption, bands.limit];
    let times = [bands.window, bands.limit_state, bands.pause];
    let reference = bands.reference.0;
    let limits = bands.limit == 0 || (bands.window >= 10 && bands.limit_state > 0);
    let pauses = (bands.limit == 0 && bands.interruption == 0) || bands.pause > 0;
    (0..=one.price_max.0).contains(&reference)
        && reference % one.tick.0 == 0
        && widths.iter().all(|width| *width <= BAND_WIDTH_MAX)
        && times.iter().all(|time| *time <= BAND_TIME_MAX)
        && bands.window.is_multiple_of(10)
        && limits
        && pauses
}

impl Engine {
    /// New bounds: the limit bands begin again.
    #[cold]
    pub(crate) fn set_bands(&mut self, c: &SetBands, sink: &mut impl EventSink) {
        let version = self.version(c.instrument);
        let one = self.registry.instruments.get(&c.instrument);
        if version == 0 || c.version != version + 1 || !one.is_some_and(|one| are_sound_bands(one, &c.bands)) {
            return sink.emit(refused(SetBands::SCHEMA));
        }
        let at = usize::from(c.instrument.0) - 1;
        self.end_limit_state(at, sink);
        let phase = self.books[at].phase();
        self.time_guard(at, |guard| {
            guard.boundary = Timestamp(0);
            if phase == Phase::Continuous {
                guard.deadline = Timestamp(0);
            }
        });
        let special = self.special_book(at);
        special.version = c.version;
        special.bands = c.bands;
        special.guard.tallies = Default::default();
        if c.bands.reference.0 > 0 {
            special.guard.reference = c.bands.reference;
            special.guard.average = c.bands.reference;
        }
        if c.bands.limit == 0 {
            special.guard.average = Price(0);
        }
        sink.emit(
            BandsSet {
                instrument: c.instrument,
                version: c.version,
                bands: c.bands,
            }
            .into(),
        );
        if phase == Phase::Continuous && self.day_open {
            self.start_guard(at, self.last_stamp, sink);
        }
        self.conclude(at, sink);
    }

    /// The whole market halts, or goes on.
    #[cold]
    pub(crate) fn break_circuit(&mut self, c: &BreakCircuit, sink: &mut impl EventSink) {
        if c.level == self.breaker {
            return sink.emit(refused(BreakCircuit::SCHEMA));
        }
        self.set_breaker(c.level, sink);
        self.conclude_all(sink);
    }

    /// A halt ends with its day.
    pub(crate) fn lift_breaker(&mut self, sink: &mut impl EventSink) {
        if self.breaker != BreakerLevel::None {
            self.set_breaker(BreakerLevel::None, sink);
        }
    }

    fn set_breaker(&mut self, level: BreakerLevel, sink: &mut impl EventSink) {
        self.breaker = level;
        self.mark_all_sessions();
        for at in 0..self.books.len() {
            self.time_guard(at, |guard| {
                guard.limit = None;
                guard.deadline = Timestamp(0);
            });
        }
        sink.emit(CircuitBroken { level }.into());
    }

    /// Continuous trading begins, or its bounds do.
    pub(crate) fn start_guard(&mut self, at: usize, now: Timestamp, sink: &mut impl EventSink) {
        let bands = self.books[at].bands();
        if bands.limit == 0 || self.books[at].phase() != Phase::Continuous {
            return;
        }
        self.time_guard(at, |guard| {
            guard.tallies = Default::default();
            guard.boundary = after(now, bands.window / 10);
        });
        self.state_bands(at, sink);
    }

    /// Continuous trading ends, or the day does.
    pub(crate) fn stop_guard(&mut self, at: usize) {
        self.time_guard(at, |guard| {
            guard.tallies = Default::default();
            guard.boundary = Timestamp(0);
            guard.deadline = Timestamp(0);
            guard.limit = None;
        });
    }

    /// Changes what bounds go by, and keeps the timer in step with it.
    fn time_guard(&mut self, at: usize, change: impl FnOnce(&mut Guard)) {
        let book = &mut self.books[at];
        let instrument = book.instrument;
        let Some(special) = &mut book.special else { return };
        let before = special.guard.due();
        change(&mut special.guard);
        let due = special.guard.due();
        self.unset_timer(before, instrument, OrderId(0));
        self.set_timer(due, instrument, OrderId(0));
    }

    /// What is due on a book at this time.
    pub(super) fn fire_guard(&mut self, at: usize, due: Timestamp, sink: &mut impl EventSink) {
        let Some(special) = &self.books[at].special else {
            return;
        };
        let phase = special.phase;
        if special.guard.deadline != due {
            return self.fire_boundary(at, due, sink);
        }
        if phase == Phase::Continuous {
            self.pause(at, due, sink);
        } else {
            self.change_phase(at, Phase::Continuous, due, sink);
        }
    }

    /// Trading stops for an auction that ends by itself.
    pub(super) fn pause(&mut self, at: usize, now: Timestamp, sink: &mut impl EventSink) {
        let pause = self.books[at].bands().pause;
        self.change_phase(at, Phase::VolatilityAuction, now, sink);
        self.time_guard(at, |guard| guard.deadline = after(now, pause));
    }

    /// A tenth of the window is over: the oldest goes. Where no command came for longer, so do more.
    fn fire_boundary(&mut self, at: usize, due: Timestamp, sink: &mut impl EventSink) {
        let step = u64::from(self.books[at].bands().window / 10) * MILLISECOND;
        let passed = (self.last_stamp.0 - due.0) / step + 1;
        self.time_guard(at, |guard| {
            let keeps = guard.tallies.len() - (passed.min(10) as usize);
            guard.tallies.copy_within(10 - keeps.., 0);
            guard.tallies[keeps..].fill(Tally::default());
            let next = step.checked_mul(passed).and_then(|passed| due.0.checked_add(passed));
            guard.boundary = Timestamp(next.unwrap_or(0));
        });
        let Some(special) = &self.books[at].special else {
            return;
        };
        let (old, Some(mean)) = (special.guard.average.0, special.guard.mean()) else {
            return;
        };
        if old == 0 || (mean - old).abs() * 100 >= old {
            self.move_bands(at, mean, sink);
        }
    }

    /// A trade of continuous trading, for the mean.
    #[inline]
    pub(super) fn note_trade(&mut self, at: usize, traded: u32) {
        let Some(special) = &mut self.books[at].special else {
            return;
        };
        if special.bands.limit > 0 {
            let tally = &mut special.guard.tallies[9];
            tally.sum += u64::from(traded);
            tally.count += 1;
        }
    }

    fn move_bands(&mut self, at: usize, average: i64, sink: &mut impl EventSink) {
        self.special_book(at).guard.average = Price(average);
        self.state_bands(at, sink);
    }

    /// Says where the limit bands lie, and takes off what stands beyond.
    fn state_bands(&mut self, at: usize, sink: &mut impl EventSink) {
        let book = &self.books[at];
        let (Some((low, high)), Some(special)) = (book.limit_bands(), &book.special) else {
            return;
        };
        sink.emit(
            PriceBands {
                instrument: book.instrument,
                reference: special.guard.average,
                low: price(low),
                high: price(high),
            }
            .into(),
        );
        self.leaving.clear();
        self.collect(at);
        self.keep_leaving(|engine, handle| {
            let order = &engine.orders[handle];
            order.level != NONE
                && !is_pegged(&engine.instructions(handle))
                && match order.side {
                    Side::Buy => engine.price_of(handle) > high,
                    Side::Sell => engine.price_of(handle) < low,
                }
        });
        self.end_leaving(CancelReason::OutsideBands, sink);
    }

    /// Behind a command: the first trade makes the first bands. Whether it did.
    pub(super) fn first_bands(&mut self, at: usize, sink: &mut impl EventSink) -> bool {
        let guard = self.books[at].special.as_ref().map(|special| special.guard);
        let first = guard.filter(|guard| guard.boundary.0 > 0 && guard.average.0 == 0);
        let Some(mean) = first.and_then(|guard| guard.mean()) else {
            return false;
        };
        self.move_bands(at, mean, sink);
        true
    }

    /// Behind a command: the best displayed prices make or end a limit state.
    pub(super) fn watch_limits(&mut self, at: usize, sink: &mut impl EventSink) {
        let Some(special) = &self.books[at].special else {
            return;
        };
        if special.guard.boundary.0 == 0 || self.breaker != BreakerLevel::None {
            return;
        }
        let book = &self.books[at];
        let Some((low, high)) = book.limit_bands() else { return };
        let best = |side| {
            let level = book.side(side).best;
            (level != NONE).then(|| self.rungs.levels[level].price)
        };
        let limit = if best(Side::Buy) == Some(high) {
            Some(Side::Buy)
        } else if best(Side::Sell) == Some(low) {
            Some(Side::Sell)
        } else {
            None
        };
        let bands = book.bands();
        let before = book.special.as_ref().and_then(|special| special.guard.limit);
        if limit == before {
            return;
        }
        self.end_limit_state(at, sink);
        if let Some(side) = limit {
            let deadline = after(self.last_stamp, bands.limit_state);
            self.time_guard(at, |guard| {
                guard.limit = limit;
                guard.deadline = deadline;
            });
            self.say_limit_state(at, side, true, sink);
        }
    }

    fn end_limit_state(&mut self, at: usize, sink: &mut impl EventSink) {
        let special = self.books[at].special.as_ref();
        let Some(side) = special.and_then(|special| special.guard.limit) else {
            return;
        };
        self.time_guard(at, |guard| {
            guard.limit = None;
            guard.deadline = Timestamp(0);
        });
        self.say_limit_state(at, side, false, sink);
    }

    fn say_limit_state(&self, at: usize, side: Side, entered: bool, sink: &mut impl EventSink) {
        sink.emit(
            LimitStateChanged {
                instrument: self.books[at].instrument,
                side,
                entered,
            }
            .into(),
        );
    }
}

impl Book {
    pub(super) fn bands(&self) -> Bands {
        self.special.as_ref().map_or(Bands::default(), |special| special.bands)
    }

    /// The limit bands in force, if there are any.
    pub(super) fn limit_bands(&self) -> Option<(u32, u32)> {
        let special = self.special.as_ref()?;
        let average = special.guard.average.0 as u64;
        let width = u64::from(special.bands.limit);
        if width == 0 || average == 0 || special.phase != Phase::Continuous {
            return None;
        }
        let tick = u64::from(self.tick);
        let nearest = |share: u64| (average * share + WHOLE / 2 * tick) / (WHOLE * tick) * tick;
        let (low, high) = (nearest(WHOLE - width).max(tick), nearest(WHOLE + width));
        let highest = u64::from(self.ticks_max) * tick;
        Some((low.min(highest) as u32, high.min(highest) as u32))
    }

    /// The highest price at which a buyer, or the lowest at which a seller, may be now.
    pub(super) fn worst_price(&self, side: Side) -> Option<u32> {
        let special = self.special.as_ref()?;
        let reference = special.guard.reference.0 as u64;
        let tick = u64::from(self.tick);
        let collar = (special.bands.collar > 0 && reference > 0).then(|| {
            let width = u64::from(special.bands.collar);
            let rounding = special.flags.value(flags::COLLAR_ROUNDING);
            // In ten-thousandths of a tick's multiples: the price that the width gives, and the tick it comes to.
            let (exact, whole) = match side {
                Side::Buy => (reference * (WHOLE + width), WHOLE * tick),
                Side::Sell => (reference * (WHOLE - width), WHOLE * tick),
            };
            let ticks = match (rounding, side) {
                (NEAREST, _) => (exact + whole / 2) / whole,
                (BEYOND, Side::Sell) => exact / whole,
                (BEYOND, Side::Buy) | (_, Side::Sell) => exact.div_ceil(whole),
                (_, Side::Buy) => exact / whole,
            };
            ticks.min(u64::from(self.ticks_max)) as u32 * self.tick
        });
        let bands = self.limit_bands();
        match side {
            Side::Buy => [collar, bands.map(|(_, high)| high)].into_iter().flatten().min(),
            Side::Sell => [collar, bands.map(|(low, _)| low)].into_iter().flatten().max(),
        }
    }

    /// Whether an order with this limit is taken, or stands, under collar and limit bands.
    pub(super) fn is_within(&self, side: Side, limit: u32) -> bool {
        self.worst_price(side).is_none_or(|worst| match side {
            Side::Buy => limit <= worst,
            Side::Sell => limit >= worst,
        })
    }

    /// Whether an order trades at a price without an interruption; `last` is that of the last trade before it.
    pub(super) fn is_in_range(&self, last: u32, price: u32) -> bool {
        let width = u64::from(self.bands().interruption);
        width == 0 || last == 0 || u64::from(price.abs_diff(last)) * WHOLE <= u64::from(last) * width
    }

    /// An uncross makes the next reference.
    pub(super) fn refer_to(&mut self, crossed: u32) {
        if let Some(special) = &mut self.special {
            special.guard.reference = price(crossed);
            if special.bands.limit > 0 {
                special.guard.average = price(crossed);
            }
        }
    }
}

impl Guard {
    /// When something is due next; zero: never.
    pub(crate) fn due(&self) -> Timestamp {
        let times = [self.boundary, self.deadline];
        let due = times.into_iter().filter(|time| time.0 > 0).min();
        due.unwrap_or(Timestamp(0))
    }

    /// The mean price of the trades that are still counted, halves up.
    fn mean(&self) -> Option<i64> {
        let sum: u64 = self.tallies.iter().map(|tally| tally.sum).sum();
        let count: u64 = self.tallies.iter().map(|tally| tally.count).sum();
        (count > 0).then(|| ((sum + count / 2) / count) as i64)
    }
}

/// So many milliseconds later; zero, never, behind the end of time.
fn after(now: Timestamp, milliseconds: u32) -> Timestamp {
    let later = now.0.checked_add(u64::from(milliseconds) * MILLISECOND);
    Timestamp(later.unwrap_or(0))
}
