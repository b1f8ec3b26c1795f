//! The two sides of a crash: somebody who must sell a great deal whatever the price, and somebody who knows what the instrument
//! is worth and waits far away, until the fall is over (CFTC and SEC, "Findings regarding the market events of May 6, 2010").

use super::Climate;
use super::desk::State;
use super::dice::Dice;
use super::trader::{Intent, Sight};
use rialto_model::{Price, Quantity, Side};

/// The instrument that falls: the first.
const INSTRUMENT: usize = 0;
/// Lots of each sale.
const SALE_LOTS: u64 = 120;
/// How far below the best bid it sells, in hundredths.
const SALE_REACH: i64 = 3;
/// Sales come one in so many steps of time.
const SALE_STEPS: u32 = 3;

/// Who sells a great deal between two moments.
#[derive(Debug)]
pub(super) struct Seller {
    from_ns: u64,
    until_ns: u64,
    steps: u32,
    fresh: bool,
    lots: u64,
}

impl Seller {
    pub(super) fn new(from_ms: u64, until_ms: u64, climate: Climate) -> Self {
        Self {
            from_ns: from_ms.saturating_mul(1_000_000),
            until_ns: until_ms.saturating_mul(1_000_000),
            steps: 0,
            fresh: false,
            lots: (SALE_LOTS as f64 * climate.liquidity).max(1.0) as u64,
        }
    }

    pub(super) fn step(&mut self) {
        self.steps = self.steps.wrapping_add(1);
        self.fresh |= self.steps.is_multiple_of(SALE_STEPS);
    }

    pub(super) fn decide(&mut self, sight: Sight<'_>) -> Option<Intent> {
        let is_time = (self.from_ns..self.until_ns).contains(&sight.now_ns);
        if sight.index != INSTRUMENT || !is_time || !self.fresh || !sight.desk.may_enter() {
            return None;
        }
        let bid = sight.quote.bid?.0;
        let tick = sight.terms.tick.0.max(1);
        let price = Price((bid - bid / 100 * SALE_REACH) / tick * tick);
        self.fresh = false;
        Some(Intent::Enter {
            instrument: INSTRUMENT,
            side: Side::Sell,
            price,
            quantity: Quantity(sight.terms.lot.0.saturating_mul(self.lots)),
            immediate: true,
        })
    }
}

/// Orders that wait far away, on each side.
const FAR_ORDERS: i64 = 8;
/// How far apart they are, in thousandths of the value.
const FAR_STEP: i64 = 4;
/// Lots of each.
const FAR_LOTS: u64 = 8;
/// How often a step of time brings one that is missing, of a hundred.
const RETURN_PERCENT: u32 = 40;
/// Below the value by so many thousandths it buys.
const CHEAP: i64 = 1;
/// Ticks above the best offer that it bids, and lots.
const BID_TICKS: i64 = 10;
const BID_LOTS: u64 = 90;

/// Who knows the value of the first instrument, and from a moment on buys it back up to there.
#[derive(Debug)]
pub(super) struct Patient {
    from_ns: u64,
    fresh: bool,
    liquidity: f64,
}

impl Patient {
    pub(super) const fn new(from_ms: u64, climate: Climate) -> Self {
        Self {
            from_ns: from_ms.saturating_mul(1_000_000),
            fresh: false,
            liquidity: climate.liquidity,
        }
    }

    pub(super) const fn step(&mut self) {
        self.fresh = true;
    }

    pub(super) fn decide(&mut self, sight: Sight<'_>, dice: &mut Dice) -> Option<Intent> {
        let Sight {
            index,
            terms,
            quote,
            desk,
            now_ns,
        } = sight;
        if index != INSTRUMENT || !self.fresh || !desk.may_ask() {
            return None;
        }
        let value = terms.opening.0;
        let enter = |side, price, lots: u64| Intent::Enter {
            instrument: INSTRUMENT,
            side,
            price: Price(price),
            quantity: Quantity(
                terms
                    .lot
                    .0
                    .saturating_mul(((lots as f64 * self.liquidity) as u64).max(1)),
            ),
            immediate: false,
        };
        let is_time = now_ns >= self.from_ns;
        let far = |price: i64| (price - value).abs() >= value / 1_000 * FAR_STEP;
        if is_time && let Some(ask) = quote.ask {
            // Bids of before that have been left behind.
            let stale = desk.orders(INSTRUMENT).find(|(_, order)| {
                order.state == State::Standing
                    && order.side == Side::Buy
                    && quote.bid.is_some_and(|bid| order.price < bid)
                    && (!far(order.price.0) || order.open.0 > terms.lot.0 * FAR_LOTS)
            });
            if let Some((number, _)) = stale {
                return Some(Intent::Cancel { number });
            }
            if ask.0 < value - value / 1_000 * CHEAP {
                self.fresh = false;
                return Some(enter(
                    Side::Buy,
                    (ask.0 + BID_TICKS * terms.tick.0).min(value),
                    BID_LOTS,
                ));
            }
        }
        // What waits far away, a missing one at a time, and not at once.
        let missing = (1..=FAR_ORDERS).find_map(|step| {
            let away = value / 1_000 * FAR_STEP * step / terms.tick.0 * terms.tick.0;
            let wanted = [(Side::Buy, value - away), (Side::Sell, value + away)];
            wanted.into_iter().find(|(side, price)| {
                let beyond = match side {
                    Side::Buy => quote.ask.is_none_or(|ask| *price < ask.0),
                    Side::Sell => quote.bid.is_none_or(|bid| *price > bid.0),
                };
                let there = desk
                    .orders(INSTRUMENT)
                    .any(|(_, order)| order.side == *side && order.price.0 == *price);
                beyond && !there
            })
        });
        let (side, price) = missing?;
        self.fresh = false;
        (desk.may_enter() && dice.percent(RETURN_PERCENT)).then(|| enter(side, price, FAR_LOTS))
    }
}
