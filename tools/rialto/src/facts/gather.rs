//! From commands and events to series, an instrument each.

use rialto_matching::{Engine, Matching as _};
use rialto_model::{Command, Event, EventSink, InstrumentId, Sequenced, Side, Timestamp};
use std::collections::BTreeMap;

/// Moments without a command are passed over beyond this many: a night is no market.
const IDLE_MAX: u64 = 600;
/// Points of a series that are kept; then nothing more is sampled, and it is said.
pub(super) const POINTS_MAX: usize = 1 << 20;

/// What was seen of one instrument.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) symbol: String,
    /// Orders that entered, changed and left by request or at their end.
    pub(super) orders: u64,
    pub(super) changes: u64,
    pub(super) cancels: u64,
    pub(super) trades: u64,
    pub(super) volume: u64,
    /// Seconds between two messages that changed or could have changed the book.
    pub(super) waits: Vec<f64>,
    /// The side of each taker: 1 bought, -1 sold; a sweep counts once.
    pub(super) signs: Vec<f64>,
    /// At each moment with both sides: seconds since the first, middle, spread (both in 0.0001), shares at the two best.
    pub(super) moments: Vec<Moment>,
    last: Option<Timestamp>,
    last_taker: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: f64,
    pub(super) middle: f64,
    pub(super) spread: f64,
    pub(super) depth: f64,
    /// The moment before it was sampled too, so that the two make a return.
    pub(super) follows: bool,
}

/// Gathers from the commands of a journal, in their order.
pub(super) struct Gathering {
    engine: Engine,
    every_ns: u64,
    next: Option<Timestamp>,
    begun: Timestamp,
    seen: BTreeMap<InstrumentId, Seen>,
}

impl Gathering {
    /// Samples books every so many nanoseconds of the stream's own time.
    pub(super) fn new(every_ns: u64) -> Self {
        Self {
            engine: Engine::new(rialto_matching::Limits::default()),
            every_ns,
            next: None,
            begun: Timestamp(0),
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, command: &Sequenced<Command>) {
        self.sample(command.stamp);
        let Self { engine, seen, .. } = self;
        engine.apply(
            command,
            &mut Counter {
                seen,
                stamp: command.stamp,
            },
        );
    }

    pub(super) fn finish(mut self) -> Vec<Seen> {
        for one in self.engine.instruments() {
            if let Some(seen) = self.seen.get_mut(&one.instrument) {
                seen.symbol = one.symbol.as_str().trim_end().to_owned();
            }
        }
        self.seen.into_values().collect()
    }

    /// The books as they stood at every moment before this command.
    fn sample(&mut self, now: Timestamp) {
        let Some(mut next) = self.next else {
            self.begun = now;
            self.next = Some(Timestamp(now.0 + self.every_ns));
            return;
        };
        let mut idle = 0;
        while next.0 <= now.0 && idle < IDLE_MAX {
            for (instrument, seen) in &mut self.seen {
                let best = |side| self.engine.depth(*instrument, side, 1).next();
                let (Some(bid), Some(ask)) = (best(Side::Buy), best(Side::Sell)) else {
                    continue;
                };
                if seen.moments.len() == POINTS_MAX {
                    continue;
                }
                let at = (next.0 - self.begun.0) as f64 / 1e9;
                let before = at - self.every_ns as f64 / 1e9;
                let follows = seen.moments.last().is_some_and(|last| (last.at - before).abs() < 1e-6);
                seen.moments.push(Moment {
                    at,
                    middle: (bid.0.0 + ask.0.0) as f64 / 2.0,
                    spread: (ask.0.0 - bid.0.0) as f64,
                    depth: (bid.1.0 + ask.1.0) as f64 / 2.0,
                    follows,
                });
            }
            next.0 += self.every_ns;
            idle += 1;
        }
        if next.0 <= now.0 {
            next = Timestamp(now.0 + self.every_ns);
        }
        self.next = Some(next);
    }
}

struct Counter<'a> {
    seen: &'a mut BTreeMap<InstrumentId, Seen>,
    stamp: Timestamp,
}

impl Counter<'_> {
    fn message(&mut self, instrument: InstrumentId) -> &mut Seen {
        let seen = self.seen.entry(instrument).or_default();
        let last = seen.last.replace(self.stamp);
        if let Some(last) = last
            && seen.waits.len() < POINTS_MAX
        {
            seen.waits.push((self.stamp.0 - last.0) as f64 / 1e9);
        }
        seen
    }
}

impl EventSink for Counter<'_> {
    fn emit(&mut self, event: Event) {
        match event {
            Event::Accepted(e) => self.message(e.instrument).orders += 1,
            Event::Replaced(e) => self.message(e.instrument).changes += 1,
            Event::Reduced(e) => self.message(e.instrument).changes += 1,
            Event::Cancelled(e) => self.message(e.instrument).cancels += 1,
            Event::Executed(e) => {
                let seen = self.seen.entry(e.instrument).or_default();
                seen.trades += 1;
                seen.volume += e.quantity.0;
                if !e.cross && seen.last_taker != e.taker.0 && seen.signs.len() < POINTS_MAX {
                    seen.last_taker = e.taker.0;
                    seen.signs.push(if e.aggressor == Side::Buy { 1.0 } else { -1.0 });
                }
            }
            _ => {}
        }
    }
}
