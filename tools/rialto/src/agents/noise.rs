//! The noise trader: buys and sells for no reason, sometimes at once, sometimes by waiting near the market.

use super::desk::State;
use super::dice::Dice;
use super::trader::{Intent, Sight};
use rialto_model::{Price, Quantity, Side};

/// Orders it leaves open in an instrument; past it the oldest is cancelled.
const OPEN_MAX: usize = 8;
/// How often it takes what is there, of a hundred.
const TAKE_PERCENT: u32 = 35;
/// How often it cancels its oldest order, of a hundred.
const CANCEL_PERCENT: u32 = 25;
/// The furthest from the best price of its own side that it waits, in ticks.
const REACH: u32 = 5;
/// The most lots it trades at once.
const LOTS_MAX: u32 = 5;

/// A noise trader has no memory.
#[derive(Debug)]
pub(super) struct Noise;

impl Noise {
    /// One random thing; nothing while a side of the market is empty, for then there is no price to be near.
    pub(super) fn decide(&mut self, sight: Sight<'_>, dice: &mut Dice) -> Option<Intent> {
        let Sight {
            index,
            terms,
            quote,
            desk,
            ..
        } = sight;
        let (bid, ask) = (quote.bid?, quote.ask?);
        let standing = || desk.orders(index).filter(|(_, order)| order.state == State::Standing);
        let oldest = standing().map(|(number, _)| number).next();
        if let Some(number) = oldest
            && (desk.orders(index).count() >= OPEN_MAX || dice.percent(CANCEL_PERCENT))
        {
            return Some(Intent::Cancel { number });
        }
        if !desk.may_enter() || desk.orders(index).count() >= OPEN_MAX {
            return None;
        }
        let side = if dice.percent(50) { Side::Buy } else { Side::Sell };
        let quantity = Quantity(terms.lot.0.saturating_mul(u64::from(1 + dice.below(LOTS_MAX))));
        let immediate = dice.percent(TAKE_PERCENT);
        let behind = i64::from(dice.below(REACH + 1)) * terms.tick.0;
        // Waiting, it stays on its own side of the market, one tick inside where there is room.
        let price = match (side, immediate) {
            (Side::Buy, true) => ask,
            (Side::Sell, true) => bid,
            (Side::Buy, false) => Price((bid.0 + terms.tick.0 - behind).min(ask.0 - terms.tick.0)),
            (Side::Sell, false) => Price((ask.0 - terms.tick.0 + behind).max(bid.0 + terms.tick.0)),
        };
        (price.0 > 0).then_some(Intent::Enter {
            instrument: index,
            side,
            price,
            quantity,
            immediate,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::desk::Desk;
    use super::super::door::{OrderNumber, Report};
    use super::super::market::Quote;
    use super::super::tests::instruments;
    use super::*;

    fn quote() -> Quote {
        Quote {
            bid: Some(Price(9_900)),
            ask: Some(Price(10_100)),
            last: None,
            ..Quote::default()
        }
    }

    #[test]
    fn it_waits_on_its_own_side_and_takes_from_the_other() {
        let instruments = instruments();
        let desk = Desk::new(2);
        let mut dice = Dice::new(11, 0);
        let mut kinds = [0_u32; 4];
        for _ in 0..1_000 {
            let sight = Sight {
                index: 0,
                terms: &instruments[0],
                quote: &quote(),
                desk: &desk,
                now_ns: 0,
            };
            let Some(Intent::Enter {
                side,
                price,
                quantity,
                immediate,
                ..
            }) = Noise.decide(sight, &mut dice)
            else {
                panic!("nothing to cancel, and a market to trade in");
            };
            assert!((100..=500).contains(&quantity.0) && quantity.0.is_multiple_of(100));
            assert_eq!(price.0 % 100, 0, "on the tick");
            let (kind, range) = match (side, immediate) {
                (Side::Buy, true) => (0, 10_100..=10_100),
                (Side::Sell, true) => (1, 9_900..=9_900),
                (Side::Buy, false) => (2, 9_500..=10_000),
                (Side::Sell, false) => (3, 10_000..=10_500),
            };
            assert!(range.contains(&price.0), "{side:?} {immediate} at {price}");
            kinds[kind] += 1;
        }
        assert!(kinds.iter().all(|&count| count > 100), "{kinds:?}");
    }

    #[test]
    fn it_waits_for_a_market_and_cancels_at_its_bound() {
        let instruments = instruments();
        let mut dice = Dice::new(11, 0);
        let mut desk = Desk::new(2);
        for (bid, ask) in [(None, None), (Some(Price(1)), None), (None, Some(Price(1)))] {
            let sight = Sight {
                index: 0,
                terms: &instruments[0],
                quote: &Quote {
                    bid,
                    ask,
                    ..Quote::default()
                },
                desk: &desk,
                now_ns: 0,
            };
            assert_eq!(Noise.decide(sight, &mut dice), None);
        }
        for number in 1..=OPEN_MAX as u32 {
            let (side, price, open) = (Side::Buy, Price(9_500), Quantity(100));
            desk.handle(Report::Standing {
                number: OrderNumber(number),
                instrument: 0,
                side,
                price,
                open,
            });
        }
        let sight = Sight {
            index: 0,
            terms: &instruments[0],
            quote: &quote(),
            desk: &desk,
            now_ns: 0,
        };
        assert_eq!(
            Noise.decide(sight, &mut dice),
            Some(Intent::Cancel { number: OrderNumber(1) })
        );
    }
}
