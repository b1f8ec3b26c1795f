//! The market maker: quotes several levels on both sides of a fair value that wanders, lower when it has bought too much and
//! higher when it has sold too much: the reservation price of Avellaneda and Stoikov (2008, "High-frequency trading in a limit
//! order book") with a day that never nears its end, so that the shift is proportional to what is held.

use super::desk::{OpenOrder, State};
use super::dice::Dice;
use super::door::OrderNumber;
use super::market::Quote;
use super::trader::{Intent, Sight};
use super::{AgentInstrument, Climate};
use rialto_model::{Price, Quantity, Side};

/// Opinions are held in this fraction of a tick.
const FINE: i64 = 16;
/// Levels quoted on each side, a tick apart.
const LEVELS: i64 = 5;
/// A fair value closes one part in so many of its distance to the market, so that makers stay together.
const PULL: i64 = 12;
/// What a lot that it trades teaches, in fine ticks, and a step of time at most: less than two makers quote apart, so that
/// they do not teach each other in turn.
const LESSON: f64 = 0.5;
const LESSON_MAX: f64 = (FINE / 2) as f64;
/// Lots held that move the quotes by one tick.
const LOTS_PER_TICK: i64 = 20;
/// The furthest that holdings move the quotes, in fine ticks.
const SKEW_MAX: i64 = 2 * FINE;

/// What a market maker believes of each instrument.
#[derive(Debug)]
pub(super) struct MarketMaker {
    /// Fair values in fine ticks.
    fair: Vec<i64>,
    /// From the fair value to either quote, in fine ticks.
    half_spread: i64,
    /// What it held at the last step.
    held: Vec<i64>,
    climate: Climate,
}

impl MarketMaker {
    pub(super) fn new(instruments: &[AgentInstrument], climate: Climate, dice: &mut Dice) -> Self {
        let fair: Vec<i64> = instruments
            .iter()
            .map(|terms| fine_ticks(2 * terms.opening.0, terms))
            .collect();
        // Between half a tick and nearly one: alone it quotes one to three ticks wide, and wider where there is less liquidity.
        let half_spread = FINE / 2 + i64::from(dice.below(7));
        Self {
            held: vec![0; fair.len()],
            fair,
            half_spread: ((half_spread as f64 / climate.liquidity) as i64).max(FINE / 2),
            climate,
        }
    }

    /// The fair value wanders, is drawn to where the market is, and learns from who has traded with the maker: somebody who buys
    /// may know why.
    pub(super) fn step(
        &mut self,
        index: usize,
        terms: &AgentInstrument,
        quote: &Quote,
        position: i64,
        dice: &mut Dice,
    ) {
        let (Some(fair), Some(held)) = (self.fair.get_mut(index), self.held.get_mut(index)) else {
            return;
        };
        let sold = std::mem::replace(held, position) - position;
        if let Some(halves) = quote.middle_halves() {
            *fair += (fine_ticks(halves, terms) - *fair) / PULL;
        }
        let lots = sold as f64 / (terms.lot.0.max(1) as f64 * self.climate.liquidity);
        let learnt = (lots * LESSON).clamp(-LESSON_MAX, LESSON_MAX) as i64;
        let opening = fine_ticks(2 * terms.opening.0, terms);
        *fair = (*fair + learnt + dice.step(self.climate.restless)).clamp(opening / 2, opening * 2);
    }

    /// The most urgent thing to do about the quotes in one instrument.
    pub(super) fn decide(&self, sight: Sight<'_>) -> Option<Intent> {
        let Sight { index, terms, desk, .. } = sight;
        let (bid, ask) = self.best(index, terms, desk.position(index))?;
        let wanted = |side| (0..LEVELS).map(move |level| level_price(side, bid, ask, level, terms.tick));
        let standing = |side| -> Vec<(OrderNumber, OpenOrder)> {
            desk.orders(index)
                .filter(|(_, order)| order.side == side)
                .map(|(number, order)| (number, *order))
                .collect()
        };
        let sides = [(Side::Buy, standing(Side::Buy)), (Side::Sell, standing(Side::Sell))];
        let is_wanted = |side, price| wanted(side).any(|level| level == price);
        let missing = |side: Side, orders: &[(OrderNumber, OpenOrder)]| {
            wanted(side).find(|price| orders.iter().all(|(_, order)| order.price != *price))
        };
        // What is dearer than the best quote goes first: retreat before advance, so that it never trades with itself.
        let mut stale: Vec<(bool, Side, OrderNumber, OpenOrder)> = Vec::new();
        for (side, orders) in &sides {
            for (number, order) in orders {
                if order.state == State::Standing && !is_wanted(*side, order.price) {
                    let exposed = match side {
                        Side::Buy => order.price > bid,
                        Side::Sell => order.price < ask,
                    };
                    stale.push((!exposed, *side, *number, *order));
                }
            }
        }
        if let Some((_, side, number, order)) = stale.into_iter().min_by_key(|&(calm, _, number, _)| (calm, number)) {
            let orders = if side == Side::Buy { &sides[0].1 } else { &sides[1].1 };
            return Some(match missing(side, orders) {
                Some(price) if order.traded == Quantity::ZERO => Intent::Replace { number, price },
                _ => Intent::Cancel { number },
            });
        }
        if !desk.may_enter() {
            return None;
        }
        // What is under way to somewhere else may still stand where it was: nothing new is sent into it.
        let crossing = |side: Side, price: Price| {
            desk.orders(index).any(|(_, order)| match (side, order.side) {
                (Side::Buy, Side::Sell) => lowest(order) <= price,
                (Side::Sell, Side::Buy) => highest(order) >= price,
                _ => false,
            })
        };
        let mut gaps: Vec<(i64, Side, Price)> = Vec::new();
        for (side, orders) in &sides {
            if let Some(price) = missing(*side, orders).filter(|&price| !crossing(*side, price)) {
                gaps.push((
                    (price.0 - if *side == Side::Buy { bid.0 } else { ask.0 }).abs(),
                    *side,
                    price,
                ));
            }
        }
        let (distance, side, price) = gaps.into_iter().min_by_key(|&(distance, ..)| distance)?;
        let level = distance / terms.tick.0.max(1);
        let lots = ((2 + level) as f64 * self.climate.liquidity).round().max(1.0);
        let quantity = Quantity(terms.lot.0.saturating_mul(lots as u64));
        Some(Intent::Enter {
            instrument: index,
            side,
            price,
            quantity,
            immediate: false,
        })
    }

    /// The best bid and ask it wants to quote.
    fn best(&self, index: usize, terms: &AgentInstrument, position: i64) -> Option<(Price, Price)> {
        let middle = self.fair.get(index)? - self.skew(terms, position)?;
        let bid = (middle - self.half_spread).div_euclid(FINE);
        let ask = -(-(middle + self.half_spread)).div_euclid(FINE);
        Some((
            Price(bid.checked_mul(terms.tick.0)?),
            Price(ask.checked_mul(terms.tick.0)?),
        ))
    }

    /// How far its holdings move its quotes down, in fine ticks.
    fn skew(&self, terms: &AgentInstrument, position: i64) -> Option<i64> {
        let lots = position / i64::try_from(terms.lot.0.max(1)).unwrap_or(i64::MAX);
        let per_tick = ((LOTS_PER_TICK as f64 * self.climate.liquidity) as i64).max(1);
        let skew = lots.saturating_mul(FINE).checked_div(per_tick)?;
        Some(skew.clamp(-SKEW_MAX, SKEW_MAX))
    }
}

/// Halves of a price unit as fine ticks.
fn fine_ticks(halves: i64, terms: &AgentInstrument) -> i64 {
    halves.saturating_mul(FINE / 2) / terms.tick.0.max(1)
}

fn level_price(side: Side, bid: Price, ask: Price, level: i64, tick: Price) -> Price {
    match side {
        Side::Buy => Price(bid.0 - level * tick.0),
        Side::Sell => Price(ask.0 + level * tick.0),
    }
}

/// The lowest price at which an order may stand at the exchange.
fn lowest(order: &OpenOrder) -> Price {
    match order.state {
        State::Replacing { old_price, .. } => old_price.min(order.price),
        _ => order.price,
    }
}

fn highest(order: &OpenOrder) -> Price {
    match order.state {
        State::Replacing { old_price, .. } => old_price.max(order.price),
        _ => order.price,
    }
}

#[cfg(test)]
mod tests {
    use super::super::desk::Desk;
    use super::super::door::Report;
    use super::super::tests::instruments;
    use super::*;

    /// Half a tick on either side of a fair value in ticks: quotes at the ticks around it.
    fn maker(fair_fine: i64) -> MarketMaker {
        MarketMaker {
            fair: vec![fair_fine; 2],
            held: vec![0; 2],
            half_spread: FINE / 2,
            climate: Climate::default(),
        }
    }

    fn desk(orders: &[(u32, Side, i64)], sold: u64) -> Desk {
        let mut desk = Desk::new(2);
        let stand = |number, side, price, open| Report::Standing {
            number: OrderNumber(number),
            instrument: 0,
            side,
            price: Price(price),
            open: Quantity(open),
        };
        if sold > 0 {
            desk.handle(stand(99, Side::Sell, 1, sold));
            desk.handle(Report::Executed {
                number: OrderNumber(99),
                quantity: Quantity(sold),
            });
        }
        for &(number, side, price) in orders {
            desk.handle(stand(number, side, price, 200));
        }
        desk
    }

    fn decide(maker: &MarketMaker, desk: &Desk) -> Option<Intent> {
        let instruments = instruments();
        maker.decide(Sight {
            index: 0,
            terms: &instruments[0],
            quote: &Quote::default(),
            desk,
            now_ns: 0,
        })
    }

    fn enter(side: Side, price: i64, quantity: u64) -> Option<Intent> {
        let (price, quantity) = (Price(price), Quantity(quantity));
        Some(Intent::Enter {
            instrument: 0,
            side,
            price,
            quantity,
            immediate: false,
        })
    }

    /// All five levels on both sides of bid 9,900 and ask 10,100 (tick 100).
    fn full() -> Vec<(u32, Side, i64)> {
        let bids = (0..5).map(|level| (1 + level, Side::Buy, 9_900 - 100 * i64::from(level)));
        let asks = (0..5).map(|level| (6 + level, Side::Sell, 10_100 + 100 * i64::from(level)));
        bids.chain(asks).collect()
    }

    fn without(numbers: &[u32]) -> Vec<(u32, Side, i64)> {
        full()
            .into_iter()
            .filter(|(number, ..)| !numbers.contains(number))
            .collect()
    }

    /// (why, fair value, own orders, sold before, what is done)
    type Row = (&'static str, i64, Vec<(u32, Side, i64)>, u64, Option<Intent>);

    #[test]
    fn quotes_are_mended_one_at_a_time() {
        use Intent::{Cancel, Replace};
        let fair = 100 * FINE;
        let half = FINE / 2;
        // With a half spread of half a tick a fair value on a tick quotes one tick to either side of it.
        let table: [Row; 9] = [
            (
                "nothing there: the best bid first",
                fair,
                vec![],
                0,
                enter(Side::Buy, 9_900, 200),
            ),
            (
                "the best ask next",
                fair,
                vec![(1, Side::Buy, 9_900)],
                0,
                enter(Side::Sell, 10_100, 200),
            ),
            (
                "the deepest level is the largest",
                fair,
                without(&[5]),
                0,
                enter(Side::Buy, 9_500, 600),
            ),
            ("all there", fair, full(), 0, None),
            (
                "up a tick: the best ask is exposed and goes to the back",
                fair + FINE,
                full(),
                0,
                Some(Replace {
                    number: OrderNumber(6),
                    price: Price(10_600),
                }),
            ),
            (
                "then the last bid comes to the front",
                fair + FINE,
                [without(&[6]), vec![(20, Side::Sell, 10_600)]].concat(),
                0,
                Some(Replace {
                    number: OrderNumber(5),
                    price: Price(10_000),
                }),
            ),
            (
                "down half a tick: narrower, the best bid stays",
                fair - half,
                full(),
                0,
                Some(Replace {
                    number: OrderNumber(10),
                    price: Price(10_000),
                }),
            ),
            (
                "an order too many",
                fair,
                [full(), vec![(30, Side::Buy, 9_000)]].concat(),
                0,
                Some(Cancel {
                    number: OrderNumber(30),
                }),
            ),
            (
                "sold twenty lots: a tick higher",
                fair,
                vec![],
                2_000,
                enter(Side::Buy, 10_000, 200),
            ),
        ];
        for (name, fair, orders, sold, expected) in table {
            assert_eq!(decide(&maker(fair), &desk(&orders, sold)), expected, "{name}");
        }
    }

    #[test]
    fn nothing_is_sent_into_its_own_order_on_the_move() {
        let mut desk = desk(&[(6, Side::Sell, 10_100)], 0);
        desk.replaced(OrderNumber(6), OrderNumber(7), Price(10_600), 0);
        // Fair is up two ticks and the wanted bid is where the ask may still stand.
        let up = maker(102 * FINE);
        assert_eq!(decide(&up, &desk), enter(Side::Sell, 10_300, 200));
        let (side, price, open) = (Side::Sell, Price(10_600), Quantity(200));
        desk.handle(Report::Standing {
            number: OrderNumber(7),
            instrument: 0,
            side,
            price,
            open,
        });
        assert_eq!(decide(&up, &desk), enter(Side::Buy, 10_100, 200));
    }

    #[test]
    fn a_traded_order_is_cancelled_and_not_replaced() {
        let mut desk = desk(&full(), 0);
        desk.handle(Report::Executed {
            number: OrderNumber(6),
            quantity: Quantity(100),
        });
        let decided = decide(&maker(100 * FINE + FINE), &desk);
        assert_eq!(decided, Some(Intent::Cancel { number: OrderNumber(6) }));
    }

    #[test]
    fn fair_values_wander_and_stay_near_the_market() {
        let instruments = instruments();
        let mut dice = Dice::new(3, 0);
        let mut maker = MarketMaker::new(&instruments, Climate::default(), &mut dice);
        let opening = maker.fair[0];
        let market = Quote {
            bid: Some(Price(20_000)),
            ask: Some(Price(20_100)),
            last: None,
            ..Quote::default()
        };
        let mut seen = Vec::new();
        for _ in 0..200 {
            maker.step(0, &instruments[0], &market, 0, &mut dice);
            seen.push(maker.fair[0]);
        }
        let middle = fine_ticks(40_100, &instruments[0]);
        assert_ne!(opening, middle);
        assert!(
            seen.iter().skip(60).all(|fair| (fair - middle).abs() < 6 * FINE),
            "{seen:?}"
        );
        assert!(seen.windows(2).any(|pair| pair[0] != pair[1]));
        assert!((FINE / 2..FINE).contains(&maker.half_spread));
    }
}
