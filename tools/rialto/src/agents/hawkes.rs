//! The clustered taker: its trades come by a Hawkes process with exponential kernels, a buy exciting further buys more than
//! sells and the other way round, so that trades come in clusters of one side, as those of split orders do (Bacry,
//! Mastromatteo, Muzy 2015, "Hawkes processes in finance"). Sizes have the tail of the half-cubic law (Gopikrishnan, Plerou,
//! Gabaix, Stanley 2000).
//!
//! The times are drawn by thinning (Ogata 1981): between two events the intensity only falls, so that what it is at one moment
//! bounds it until the next.

use super::Climate;
use super::dice::Dice;
use super::trader::{Intent, Sight};
use rialto_model::{Price, Quantity, Side};

/// Spontaneous trades of a side in a second.
const BASE: f64 = 0.1;
/// What a trade adds to the intensity of its own side, and of the other.
const OWN: f64 = 2.2;
const CROSS: f64 = 0.6;
/// How fast that fades, in a second: a trade causes (OWN + CROSS) / FADE = 0.7 others.
const FADE: f64 = 4.0;
/// The exponent of the sizes' tail.
const TAIL: f64 = 1.5;
/// The most lots of a trade.
const LOTS_MAX: f64 = 30.0;
/// Ticks beyond the best price that it takes up to.
const REACH: i64 = 2;
/// Trades that it is late with are left out beyond this: whoever was away does not make up for all of it at once.
const LATE_MAX_NS: u64 = 500_000_000;

/// A pair of processes, buys and sells, that excite themselves and each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hawkes {
    base: f64,
    /// What is left of the excitation of either side at `now`.
    excited: [f64; 2],
    /// In seconds.
    now: f64,
}

impl Hawkes {
    pub(super) const fn new(base: f64) -> Self {
        Self {
            base,
            excited: [0.0; 2],
            now: 0.0,
        }
    }

    /// When the next event comes, in seconds, and of which side.
    pub(super) fn next(&mut self, dice: &mut Dice) -> (f64, Side) {
        loop {
            let bound = 2.0 * self.base + self.excited[0] + self.excited[1];
            let wait = dice.exponential(bound);
            self.now += wait;
            let faded = (-FADE * wait).exp();
            self.excited = self.excited.map(|excited| excited * faded);
            let chosen = dice.unit() * bound;
            let buys = self.base + self.excited[0];
            let all = buys + self.base + self.excited[1];
            if chosen < all {
                let side = usize::from(chosen >= buys);
                self.excited[side] += OWN;
                self.excited[1 - side] += CROSS;
                return (self.now, if side == 0 { Side::Buy } else { Side::Sell });
            }
        }
    }
}

/// A clustered taker, an instrument each.
#[derive(Debug)]
pub(super) struct Clusters {
    series: Vec<Series>,
    liquidity: f64,
}

#[derive(Debug)]
struct Series {
    process: Hawkes,
    /// What comes next, and when.
    next: Option<(u64, Side)>,
}

impl Clusters {
    pub(super) fn new(instruments: usize, climate: Climate) -> Self {
        let series = |_| Series {
            process: Hawkes::new(BASE * climate.pace),
            next: None,
        };
        Self {
            series: (0..instruments).map(series).collect(),
            liquidity: climate.liquidity,
        }
    }

    /// The trade whose time has come, if one has.
    pub(super) fn decide(&mut self, sight: Sight<'_>, dice: &mut Dice) -> Option<Intent> {
        let Sight {
            index, terms, quote, ..
        } = sight;
        let series = self.series.get_mut(index)?;
        let side = loop {
            let process = &mut series.process;
            let (due_ns, side) = *series.next.get_or_insert_with(|| {
                let (due, side) = process.next(dice);
                ((due * 1e9) as u64, side)
            });
            if due_ns > sight.now_ns {
                return None;
            }
            series.next = None;
            if sight.now_ns - due_ns <= LATE_MAX_NS {
                break side;
            }
        };
        let lots = dice.tail(TAIL).min(LOTS_MAX * self.liquidity.max(1.0));
        let beyond = REACH * terms.tick.0;
        let price = match side {
            Side::Buy => Price(quote.ask?.0 + beyond),
            Side::Sell => Price(quote.bid?.0 - beyond),
        };
        (price.0 > 0 && sight.desk.may_enter()).then_some(Intent::Enter {
            instrument: index,
            side,
            price,
            quantity: Quantity(terms.lot.0.saturating_mul(lots as u64)),
            immediate: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of a fixed seed.
    fn events(count: usize) -> Vec<(f64, Side)> {
        let (mut process, mut dice) = (Hawkes::new(0.5), Dice::new(20_150_601, 0));
        (0..count).map(|_| process.next(&mut dice)).collect()
    }

    #[test]
    fn the_mean_intensity_is_the_theorys() {
        let events = events(100_000);
        let rate = events.len() as f64 / events.last().unwrap().0;
        // Both bases over one less the branching ratio.
        let expected = 2.0 * 0.5 / (1.0 - (OWN + CROSS) / FADE);
        assert!((rate / expected - 1.0).abs() < 0.05, "{rate} a second, not {expected}");
    }

    #[test]
    fn events_cluster_and_sides_repeat() {
        let events = events(20_000);
        let waits: Vec<f64> = events.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        let mean = waits.iter().sum::<f64>() / waits.len() as f64;
        let variance = waits.iter().map(|wait| (wait - mean).powi(2)).sum::<f64>() / waits.len() as f64;
        let variation = variance.sqrt() / mean;
        assert!(variation > 1.3, "a Poisson process has 1, this one {variation}");
        let repeated = events.windows(2).filter(|pair| pair[0].1 == pair[1].1).count();
        let share = repeated as f64 / waits.len() as f64;
        assert!(share > 0.57, "{share} of the sides repeat");
        let buys = events.iter().filter(|event| event.1 == Side::Buy).count() as f64;
        assert!((buys / events.len() as f64 - 0.5).abs() < 0.05, "{buys} buys");
        assert!(events.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
