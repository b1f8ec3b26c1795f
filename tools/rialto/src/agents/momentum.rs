//! The momentum trader: follows the feed, buys what rises and sells what falls, and closes its position when the movement
//! is over.

use super::AgentInstrument;
use super::market::Quote;
use super::trader::{Intent, Sight};
use rialto_model::{Quantity, Side};

/// Averages are held in this fraction of a tick.
const FINE: i64 = 256;
/// The fast average closes one part in so many of its distance to the market in a step of time.
const FAST: i64 = 4;
/// The slow one.
const SLOW: i64 = 16;
/// How far the averages must be apart to act, in fine ticks.
const ENTRY: i64 = FINE / 2;
/// How near they must be for the movement to be over.
const EXIT: i64 = FINE / 8;
/// Lots traded at once.
const LOTS: u64 = 2;
/// The largest position in lots.
const POSITION_LOTS: i64 = 20;

/// What a momentum trader remembers of each instrument.
#[derive(Debug)]
pub(super) struct Momentum {
    trends: Vec<Trend>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Trend {
    /// The fast and the slow average in fine ticks; none before the first quote.
    averages: Option<(i64, i64)>,
    /// Whether it may act: once in a step of time.
    fresh: bool,
}

impl Momentum {
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            trends: vec![Trend::default(); instruments],
        }
    }

    /// The averages follow the market.
    pub(super) fn step(&mut self, index: usize, terms: &AgentInstrument, quote: &Quote) {
        let (Some(trend), Some(halves)) = (self.trends.get_mut(index), quote.middle_halves()) else {
            return;
        };
        let market = halves.saturating_mul(FINE / 2) / terms.tick.0.max(1);
        let (fast, slow) = trend.averages.unwrap_or((market, market));
        trend.averages = Some((fast + (market - fast) / FAST, slow + (market - slow) / SLOW));
        trend.fresh = true;
    }

    /// With the movement, or out of the position when the movement is over.
    pub(super) fn decide(&mut self, sight: Sight<'_>) -> Option<Intent> {
        let Sight {
            index,
            terms,
            quote,
            desk,
            ..
        } = sight;
        let trend = self.trends.get_mut(index)?;
        let (fast, slow) = trend.averages?;
        if !trend.fresh || !desk.may_enter() {
            return None;
        }
        let movement = fast - slow;
        let position = desk.position(index);
        let bound = POSITION_LOTS.saturating_mul(i64::try_from(terms.lot.0).unwrap_or(i64::MAX));
        let side = if movement > ENTRY && position < bound {
            Side::Buy
        } else if movement < -ENTRY && position > -bound {
            Side::Sell
        } else if movement.abs() < EXIT && position != 0 {
            if position > 0 { Side::Sell } else { Side::Buy }
        } else {
            return None;
        };
        let price = match side {
            Side::Buy => quote.ask?,
            Side::Sell => quote.bid?,
        };
        trend.fresh = false;
        let quantity = Quantity(terms.lot.0.saturating_mul(LOTS));
        Some(Intent::Enter {
            instrument: index,
            side,
            price,
            quantity,
            immediate: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::desk::Desk;
    use super::super::door::{OrderNumber, Report};
    use super::super::tests::instruments;
    use super::*;
    use rialto_model::Price;

    fn quote(bid: i64) -> Quote {
        Quote {
            bid: Some(Price(bid)),
            ask: Some(Price(bid + 100)),
            last: None,
            ..Quote::default()
        }
    }

    fn holding(position: i64) -> Desk {
        let mut desk = Desk::new(2);
        let side = if position > 0 { Side::Buy } else { Side::Sell };
        let (number, quantity) = (OrderNumber(1), Quantity(position.unsigned_abs()));
        desk.handle(Report::Standing {
            number,
            instrument: 0,
            side,
            price: Price(1),
            open: quantity,
        });
        desk.handle(Report::Executed { number, quantity });
        desk
    }

    /// (bids step by step, position held, what is done at the end)
    type Row = (&'static [i64], i64, Option<(Side, i64)>);

    #[test]
    fn it_follows_the_movement_and_leaves_with_its_end() {
        let table: [Row; 8] = [
            (&[10_000], 0, None),
            (&[10_000, 10_000, 10_000], 0, None),
            (&[10_000, 10_300, 10_600], 0, Some((Side::Buy, 10_700))),
            (&[10_000, 9_700, 9_400], 0, Some((Side::Sell, 9_400))),
            (&[10_000, 10_300, 10_600], 2_000, None),
            (&[10_000, 9_700, 9_400], -2_000, None),
            (&[10_000, 10_000], 400, Some((Side::Sell, 10_000))),
            (&[10_000, 10_000], -400, Some((Side::Buy, 10_100))),
        ];
        let instruments = instruments();
        for (bids, position, expected) in table {
            let mut momentum = Momentum::new(2);
            for &bid in bids {
                momentum.step(0, &instruments[0], &quote(bid));
            }
            let desk = if position == 0 { Desk::new(2) } else { holding(position) };
            let quote = quote(*bids.last().unwrap());
            let sight = Sight {
                index: 0,
                terms: &instruments[0],
                quote: &quote,
                desk: &desk,
                now_ns: 0,
            };
            let expected = expected.map(|(side, price)| {
                let (price, quantity) = (Price(price), Quantity(200));
                Intent::Enter {
                    instrument: 0,
                    side,
                    price,
                    quantity,
                    immediate: true,
                }
            });
            assert_eq!(momentum.decide(sight), expected, "{bids:?} holding {position}");
            assert_eq!(momentum.decide(sight), None, "once in a step of time");
        }
    }
}
