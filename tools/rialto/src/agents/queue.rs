//! The queue-reactive trader: what it does next depends on how long the queues around the reference price are (Huang,
//! Lehalle, Rosenbaum 2015, "Simulating and analyzing order book data: the queue-reactive model", model I).
//!
//! Queue `i` of a side lies `i - 1/2` ticks from the reference price. In each queue limit orders, cancels and market orders
//! come with intensities that are functions of its size, shaped as the paper estimates them: limit orders come less to a
//! long queue, cancels grow with it but slower than it does, and market orders to the best queue fade exponentially
//! with its length. The reference price is the paper's: the middle where the spread is an odd number of ticks, and half a tick
//! beside it, nearer to where it was, where it is even.

use super::AgentInstrument;
use super::Climate;
use super::desk::State;
use super::dice::Dice;
use super::market::Quote;
use super::trader::{Intent, Sight};
use rialto_model::{Price, Quantity, Side};

/// Queues of a side.
const QUEUES: usize = 3;
/// Limit orders a second into an empty queue, the best first.
const LIMIT: [f64; QUEUES] = [1.8, 1.3, 0.9];
/// Cancels a second for each square root of a unit that it has there.
const CANCEL: [f64; QUEUES] = [0.8, 0.6, 0.5];
/// Market orders a second to a best queue that is nearly empty.
const MARKET: f64 = 0.12;
/// The most of all that may come in a second: what is held beyond it is not cancelled faster.
const BOUND: f64 = 40.0;
/// Units in a queue at which limit orders come half as often.
const LONG: f64 = 20.0;
/// Units in a queue at which market orders come e times less often.
const DEEP: f64 = 12.0;
/// The logarithm of the activity changes this often, keeps this part of itself and gains so much by chance: it comes to a
/// standard deviation of 0.75, and is forgotten in five seconds.
const MOOD_STEP_NS: u64 = 100_000_000;
const MOOD_MEMORY: f64 = 0.98;
const MOOD_STEP: f64 = 0.15;
const MOOD_MAX: f64 = 2.0;
/// What it does not live through.
const MOOD_LAPSE_NS: u64 = 1_000_000_000;
/// Lots in a unit, which is an order's usual size.
const UNIT_LOTS: f64 = 2.0;
/// Time that passes at once at most: whoever was away does not make up for it.
const LAPSE_MAX_NS: u64 = 100_000_000;
/// Orders that it leaves in an instrument.
const OPEN_MAX: usize = 28;

/// What it remembers, an instrument each.
#[derive(Debug)]
pub(super) struct QueueReactive {
    places: Vec<Place>,
    climate: Climate,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The reference price in halves of a tick, always odd: it lies between two prices.
    reference: Option<i64>,
    /// When it last threw its dice.
    last_ns: u64,
    /// The logarithm of how active it is, less or more than usual, and when that last changed.
    mood: f64,
    mood_ns: u64,
}

impl Place {
    /// Activity wanders: messages come in busy and in quiet times (Engle, Russell 1998).
    fn activity(&mut self, now_ns: u64, dice: &mut Dice) -> f64 {
        while self.mood_ns + MOOD_STEP_NS <= now_ns {
            // Whoever was away goes on with what is usual.
            self.mood_ns = if now_ns - self.mood_ns > MOOD_LAPSE_NS {
                now_ns
            } else {
                self.mood_ns + MOOD_STEP_NS
            };
            self.mood = (MOOD_MEMORY * self.mood + MOOD_STEP * dice.normal()).clamp(-MOOD_MAX, MOOD_MAX);
        }
        self.mood.exp()
    }
}

/// What may come, and how often in a second.
#[derive(Clone, Copy, Debug)]
struct Chance {
    intensity: f64,
    intent: Intent,
}

impl QueueReactive {
    pub(super) fn new(instruments: usize, climate: Climate) -> Self {
        Self {
            places: vec![Place::default(); instruments],
            climate,
        }
    }

    /// What comes within the time since the last look, if anything does.
    pub(super) fn decide(&mut self, sight: Sight<'_>, dice: &mut Dice) -> Option<Intent> {
        let Sight {
            index,
            terms,
            quote,
            desk,
            now_ns,
        } = sight;
        let climate = self.climate;
        let place = self.places.get_mut(index)?;
        let lapse = now_ns.saturating_sub(place.last_ns).min(LAPSE_MAX_NS) as f64 / 1e9;
        place.last_ns = now_ns;
        let activity = place.activity(now_ns, dice);
        let reference = reference(quote, terms, place.reference)?;
        place.reference = Some(reference);
        // Where the reference has moved on the queue is another one.
        let far = |price: Price| (2 * price.0 / terms.tick.0.max(1) - reference).abs() > 2 * QUEUES as i64;
        let standing = || desk.orders(index).filter(|(_, order)| order.state == State::Standing);
        if let Some((number, _)) = standing().find(|(_, order)| far(order.price)) {
            return Some(Intent::Cancel { number });
        }
        // By thinning: something may come this often at most, and then comes with its share of that.
        if !dice.chance(1.0 - (-BOUND * climate.pace * activity * lapse).exp()) {
            return None;
        }
        let mut left = dice.unit() * BOUND;
        let chosen = chances(sight, reference, climate).into_iter().find(|chance| {
            left -= chance.intensity;
            left < 0.0
        })?;
        match chosen.intent {
            Intent::Enter { immediate, .. }
                if !desk.may_enter() || (!immediate && desk.orders(index).count() >= OPEN_MAX) =>
            {
                None
            }
            intent => Some(resized(intent, terms, climate, dice)),
        }
    }
}

/// The paper's reference price in halves of a tick; none while a side is empty.
fn reference(quote: &Quote, terms: &AgentInstrument, before: Option<i64>) -> Option<i64> {
    let middle = quote.middle_halves()? / terms.tick.0.max(1);
    if middle % 2 != 0 {
        return Some(middle);
    }
    let below = before.is_some_and(|before| before < middle);
    Some(if below { middle - 1 } else { middle + 1 })
}

/// Everything that may come.
fn chances(sight: Sight<'_>, reference: i64, climate: Climate) -> Vec<Chance> {
    let Sight {
        index,
        terms,
        quote,
        desk,
        ..
    } = sight;
    let unit = UNIT_LOTS * terms.lot.0 as f64 * climate.liquidity;
    let mut chances = Vec::with_capacity(6 * QUEUES);
    for side in [Side::Buy, Side::Sell] {
        let best = if side == Side::Buy { quote.bid } else { quote.ask };
        let other = if side == Side::Buy { quote.ask } else { quote.bid };
        for (queue, (&limit, &cancel)) in LIMIT.iter().zip(&CANCEL).enumerate() {
            let halves = 2 * queue as i64 + 1;
            let ticks = (if side == Side::Buy {
                reference - halves
            } else {
                reference + halves
            })
            .div_euclid(2);
            let price = Price(ticks * terms.tick.0);
            let length = quote.shares_at(side, price) as f64 / unit;
            let enter = |side, price, immediate| Intent::Enter {
                instrument: index,
                side,
                price,
                quantity: Quantity::ZERO,
                immediate,
            };
            let crosses = match (side, other) {
                (Side::Buy, Some(ask)) => price >= ask,
                (Side::Sell, Some(bid)) => price <= bid,
                _ => true,
            };
            if price.0 > 0 && !crosses {
                chances.push(Chance {
                    intensity: limit / (1.0 + length / LONG),
                    intent: enter(side, price, false),
                });
            }
            let own = || {
                let orders = desk.orders(index);
                orders.filter(|(_, order)| (order.side, order.price, order.state) == (side, price, State::Standing))
            };
            if let Some((number, _)) = own().next() {
                let held: u64 = own().map(|(_, order)| order.open.0).sum();
                chances.push(Chance {
                    intensity: cancel * (held as f64 / unit).sqrt(),
                    intent: Intent::Cancel { number },
                });
            }
            if best == Some(price) {
                chances.push(Chance {
                    intensity: MARKET * (-length / DEEP).exp(),
                    intent: enter(side.opposite(), price, true),
                });
            }
        }
    }
    chances
}

/// Orders are of half a unit to one and a half.
fn resized(intent: Intent, terms: &AgentInstrument, climate: Climate, dice: &mut Dice) -> Intent {
    match intent {
        Intent::Enter {
            instrument,
            side,
            price,
            immediate,
            ..
        } => {
            let lots = (UNIT_LOTS * climate.liquidity * (0.5 + dice.unit())).round().max(1.0);
            Intent::Enter {
                instrument,
                side,
                price,
                immediate,
                quantity: Quantity(terms.lot.0.saturating_mul(lots as u64)),
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::desk::Desk;
    use super::super::tests::instruments;
    use super::*;

    fn quote(bid: i64, ask: i64, shares: u64) -> Quote {
        let mut quote = Quote {
            bid: Some(Price(bid)),
            ask: Some(Price(ask)),
            ..Quote::default()
        };
        quote.levels[0][0] = (Price(bid), shares);
        quote.levels[1][0] = (Price(ask), shares);
        quote
    }

    #[test]
    fn the_reference_lies_between_two_prices_and_moves_as_the_paper_says() {
        let terms = instruments()[0];
        // Bid, ask, the reference before; the reference now: in halves of a tick of 100.
        let table = [
            (10_000, 10_100, None, 201),
            (10_000, 10_300, Some(199), 203),
            (10_000, 10_200, Some(201), 201),
            (10_000, 10_200, Some(203), 203),
            (10_000, 10_400, Some(209), 205),
            (10_000, 10_400, Some(201), 203),
        ];
        for (bid, ask, before, expected) in table {
            let found = reference(&quote(bid, ask, 100), &terms, before);
            assert_eq!(found, Some(expected), "{bid} {ask} {before:?}");
        }
        assert_eq!(reference(&Quote::default(), &terms, Some(201)), None);
    }

    /// How often in a second: limit orders at the best prices, and market orders.
    fn intensities(shares: u64) -> (f64, f64) {
        let instruments = instruments();
        let desk = Desk::new(2);
        let quote = quote(10_000, 10_100, shares);
        let sight = Sight {
            index: 0,
            terms: &instruments[0],
            quote: &quote,
            desk: &desk,
            now_ns: 0,
        };
        let chances = chances(sight, 201, Climate::default());
        let of = |wanted: bool| {
            let matching = chances.iter().filter(|chance| match chance.intent {
                Intent::Enter { immediate, price, .. } => immediate == wanted && [10_000, 10_100].contains(&price.0),
                _ => false,
            });
            matching.map(|chance| chance.intensity).sum()
        };
        (of(false), of(true))
    }

    #[test]
    fn long_queues_are_joined_and_taken_less() {
        let lengths = [0, 400, 4_000, 40_000].map(intensities);
        for pair in lengths.windows(2) {
            let [(joined, taken), (joined_longer, taken_longer)] = [pair[0], pair[1]];
            assert!(joined > joined_longer && taken > taken_longer, "{pair:?}");
        }
        // An empty queue at the best price cannot be: its shares are told.
        assert!((lengths[0].0 - 2.0 * LIMIT[0]).abs() < 1e-9);
    }

    #[test]
    fn over_time_it_enters_where_the_queues_are() {
        let instruments = instruments();
        let desk = Desk::new(2);
        let quote = quote(10_000, 10_100, 400);
        let mut trader = QueueReactive::new(2, Climate::default());
        let mut dice = Dice::new(5, 0);
        let mut entered = 0;
        for millisecond in 1..20_000_u64 {
            let sight = Sight {
                index: 0,
                terms: &instruments[0],
                quote: &quote,
                desk: &desk,
                now_ns: millisecond * 1_000_000,
            };
            let Some(Intent::Enter {
                side,
                price,
                quantity,
                immediate,
                ..
            }) = trader.decide(sight, &mut dice)
            else {
                continue;
            };
            entered += 1;
            assert!((100..=300).contains(&quantity.0) && quantity.0.is_multiple_of(100));
            let range = match (side, immediate) {
                (Side::Buy, false) => 9_800..=10_000,
                (Side::Sell, false) => 10_100..=10_300,
                (Side::Buy, true) => 10_100..=10_100,
                (Side::Sell, true) => 10_000..=10_000,
            };
            assert!(range.contains(&price.0), "{side:?} {immediate} at {price}");
        }
        // Seven a second of limit orders and somewhat less than one of market orders.
        assert!((100..200).contains(&entered), "{entered} in twenty seconds");
    }
}
