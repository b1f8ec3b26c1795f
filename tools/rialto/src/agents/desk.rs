//! An agent's own orders and positions, as far as the exchange has told.
//!
//! What is under way counts as done, so that an agent does not ask twice; the exchange's word replaces it when it comes. A
//! request that stays without an answer (OUCH answers none that is superfluous) is dropped after a while.

use super::door::{OrderNumber, Report};
use rialto_model::{Price, Quantity, Side};
use std::collections::BTreeMap;

/// After so long without an answer a request is believed to have been without effect.
pub(super) const ANSWER_TIMEOUT_NS: u64 = 2_000_000_000;
/// Requests under way at most, beyond which the agent waits.
pub(super) const OUTSTANDING_MAX: usize = 32;
/// Orders an agent may have open, those under way included.
pub(super) const OPEN_MAX: usize = 96;

/// One of the agent's orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenOrder {
    /// Index of its instrument.
    pub(super) instrument: usize,
    pub(super) side: Side,
    pub(super) price: Price,
    /// What is left of it.
    pub(super) open: Quantity,
    /// What of it has traded.
    pub(super) traded: Quantity,
    pub(super) state: State,
}

/// What the exchange has said of an order, and what it was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It stands.
    Standing,
    /// It was sent at this time and is not answered.
    Entering { since_ns: u64 },
    /// It was sent at this time to take another's place.
    Replacing {
        since_ns: u64,
        old: OrderNumber,
        old_price: Price,
    },
    /// Its cancel was sent at this time.
    Cancelling { since_ns: u64 },
}

/// What has come of an agent's orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) executions: u64,
    pub(super) refused: u64,
    pub(super) unanswered: u64,
}

/// An agent's own orders and positions.
#[derive(Debug)]
pub(super) struct Desk {
    orders: BTreeMap<OrderNumber, OpenOrder>,
    /// Bought minus sold, by instrument.
    positions: Vec<i64>,
    tally: Tally,
}

impl Desk {
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            orders: BTreeMap::new(),
            positions: vec![0; instruments],
            tally: Tally::default(),
        }
    }

    /// The orders of an instrument, oldest first.
    pub(super) fn orders(&self, instrument: usize) -> impl Iterator<Item = (OrderNumber, &OpenOrder)> {
        self.orders
            .iter()
            .filter(move |(_, order)| order.instrument == instrument)
            .map(|(&number, order)| (number, order))
    }

    /// One of the orders.
    pub(super) fn order(&self, number: OrderNumber) -> Option<&OpenOrder> {
        self.orders.get(&number)
    }

    /// Bought minus sold.
    pub(super) fn position(&self, instrument: usize) -> i64 {
        self.positions.get(instrument).copied().unwrap_or(0)
    }

    pub(super) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether another request may be sent.
    pub(super) fn may_ask(&self) -> bool {
        self.orders
            .values()
            .filter(|order| order.state != State::Standing)
            .count()
            < OUTSTANDING_MAX
    }

    /// Whether another order may be sent.
    pub(super) fn may_enter(&self) -> bool {
        self.may_ask() && self.orders.len() < OPEN_MAX
    }

    /// An order was sent.
    pub(super) fn entered(&mut self, number: OrderNumber, order: OpenOrder) {
        self.orders.insert(number, order);
    }

    /// A replacement was sent.
    pub(super) fn replaced(&mut self, old: OrderNumber, new: OrderNumber, price: Price, now_ns: u64) {
        if let Some(order) = self.orders.remove(&old) {
            let state = State::Replacing {
                since_ns: now_ns,
                old,
                old_price: order.price,
            };
            self.orders.insert(new, OpenOrder { price, state, ..order });
        }
    }

    /// A cancel was sent.
    pub(super) fn cancelled(&mut self, number: OrderNumber, now_ns: u64) {
        if let Some(order) = self.orders.get_mut(&number) {
            order.state = State::Cancelling { since_ns: now_ns };
        }
    }

    /// The connection is gone, and with it what was under way: what took effect will be told after the next login.
    pub(super) fn lose_connection(&mut self) {
        self.orders.retain(|_, order| matches!(order.state, State::Standing));
    }

    /// A new day or a new session: nothing of before stands.
    pub(super) fn clear(&mut self) {
        self.orders.clear();
    }

    /// Drops requests that have had no answer for too long.
    pub(super) fn expire(&mut self, now_ns: u64) {
        let before = self.orders.len();
        self.orders.retain(|_, order| match order.state {
            State::Standing => true,
            State::Entering { since_ns } | State::Replacing { since_ns, .. } | State::Cancelling { since_ns } => {
                now_ns.saturating_sub(since_ns) < ANSWER_TIMEOUT_NS
            }
        });
        self.tally.unanswered += (before - self.orders.len()) as u64;
    }

    /// Takes the exchange's word.
    pub(super) fn handle(&mut self, report: Report) {
        match report {
            Report::Standing {
                number,
                instrument,
                side,
                price,
                open,
            } => {
                self.tally.accepted += 1;
                let traded = self.orders.get(&number).map_or(Quantity::ZERO, |order| order.traded);
                let order = OpenOrder {
                    instrument,
                    side,
                    price,
                    open,
                    traded,
                    state: State::Standing,
                };
                self.orders.insert(number, order);
            }
            Report::Executed { number, quantity } => self.execute(number, quantity),
            Report::Reduced { number, quantity } => {
                let number = self.current(number);
                self.reduce(number, quantity);
            }
            Report::Gone { number } => {
                let number = self.current(number);
                self.orders.remove(&number);
            }
            Report::Refused { number } => {
                self.tally.refused += 1;
                self.refuse(number);
            }
        }
    }

    /// An order that is to be replaced goes by its replacement's number already.
    fn current(&self, number: OrderNumber) -> OrderNumber {
        let replaces = |state: State| matches!(state, State::Replacing { old, .. } if old == number);
        let replacement = self
            .orders
            .iter()
            .find(|(_, order)| replaces(order.state))
            .map(|(&new, _)| new);
        if self.orders.contains_key(&number) {
            number
        } else {
            replacement.unwrap_or(number)
        }
    }

    fn execute(&mut self, number: OrderNumber, quantity: Quantity) {
        self.tally.executions += 1;
        let number = self.current(number);
        let Some(order) = self.orders.get_mut(&number) else {
            return;
        };
        order.traded.0 += quantity.0;
        let signed = i64::try_from(quantity.0).unwrap_or(i64::MAX);
        if let Some(position) = self.positions.get_mut(order.instrument) {
            *position = match order.side {
                Side::Buy => position.saturating_add(signed),
                Side::Sell => position.saturating_sub(signed),
            };
        }
        self.reduce(number, quantity);
    }

    fn reduce(&mut self, number: OrderNumber, quantity: Quantity) {
        if let Some(order) = self.orders.get_mut(&number) {
            order.open = order.open.saturating_sub(quantity);
            if order.open.is_zero() {
                self.orders.remove(&number);
            }
        }
    }

    /// The original of a refused replacement stands, until something else is said of it.
    fn refuse(&mut self, number: OrderNumber) {
        let Some(order) = self.orders.remove(&number) else {
            return;
        };
        if let State::Replacing { old, old_price, .. } = order.state {
            self.orders.insert(
                old,
                OpenOrder {
                    price: old_price,
                    state: State::Standing,
                    ..order
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: OrderNumber = OrderNumber(1);
    const TWO: OrderNumber = OrderNumber(2);

    enum Step {
        Enter(OrderNumber),
        Replace(OrderNumber, OrderNumber, i64),
        Cancel(OrderNumber),
        Lose,
        Wait(u64),
        Hear(Report),
    }

    fn standing(number: OrderNumber, price: i64, open: u64) -> Step {
        let (price, open) = (Price(price), Quantity(open));
        Step::Hear(Report::Standing {
            number,
            instrument: 0,
            side: Side::Sell,
            price,
            open,
        })
    }

    fn executed(number: OrderNumber, quantity: u64) -> Step {
        Step::Hear(Report::Executed {
            number,
            quantity: Quantity(quantity),
        })
    }

    fn reduced(number: OrderNumber, quantity: u64) -> Step {
        Step::Hear(Report::Reduced {
            number,
            quantity: Quantity(quantity),
        })
    }

    /// (what happens; then what is open as (number, price, open), and the position)
    type Row = (&'static str, Vec<Step>, &'static [(u32, i64, u64)], i64);

    #[test]
    fn the_desk_follows_the_exchange() {
        use Step::{Cancel, Enter, Hear, Lose, Replace, Wait};
        let table: Vec<Row> = vec![
            ("sent counts as open", vec![Enter(ONE)], &[(1, 50, 300)], 0),
            (
                "the accepted terms win",
                vec![Enter(ONE), standing(ONE, 51, 200)],
                &[(1, 51, 200)],
                0,
            ),
            (
                "refused",
                vec![Enter(ONE), Hear(Report::Refused { number: ONE })],
                &[],
                0,
            ),
            (
                "a part sold",
                vec![Enter(ONE), standing(ONE, 50, 300), executed(ONE, 100)],
                &[(1, 50, 200)],
                -100,
            ),
            ("all sold", vec![Enter(ONE), executed(ONE, 300)], &[], -300),
            (
                "the rest cancelled",
                vec![Enter(ONE), executed(ONE, 100), reduced(ONE, 200)],
                &[],
                -100,
            ),
            (
                "cancelled",
                vec![Enter(ONE), standing(ONE, 50, 300), Cancel(ONE), reduced(ONE, 300)],
                &[],
                0,
            ),
            (
                "a cancel that was too late",
                vec![Enter(ONE), Cancel(ONE), Hear(Report::Gone { number: ONE })],
                &[],
                0,
            ),
            (
                "replaced",
                vec![Enter(ONE), Replace(ONE, TWO, 60), standing(TWO, 60, 300)],
                &[(2, 60, 300)],
                0,
            ),
            (
                "a fill that overtook the replacement",
                vec![Enter(ONE), Replace(ONE, TWO, 60), executed(ONE, 100)],
                &[(2, 60, 200)],
                -100,
            ),
            (
                "the original filled before its replacement",
                vec![Enter(ONE), Replace(ONE, TWO, 60), executed(ONE, 300)],
                &[],
                -300,
            ),
            (
                "the original gone before its replacement",
                vec![Enter(ONE), Replace(ONE, TWO, 60), reduced(ONE, 300)],
                &[],
                0,
            ),
            (
                "a refused replacement",
                vec![Enter(ONE), Replace(ONE, TWO, 60), Hear(Report::Refused { number: TWO })],
                &[(1, 50, 300)],
                0,
            ),
            ("no answer", vec![Enter(ONE), Wait(ANSWER_TIMEOUT_NS)], &[], 0),
            (
                "no answer yet",
                vec![Enter(ONE), Wait(ANSWER_TIMEOUT_NS - 1)],
                &[(1, 50, 300)],
                0,
            ),
            (
                "an answer after all",
                vec![Enter(ONE), Wait(ANSWER_TIMEOUT_NS), standing(ONE, 50, 300)],
                &[(1, 50, 300)],
                0,
            ),
            (
                "a cancel without an answer",
                vec![Enter(ONE), standing(ONE, 50, 300), Cancel(ONE), Wait(ANSWER_TIMEOUT_NS)],
                &[],
                0,
            ),
            (
                "what stands outlives a connection",
                vec![Enter(ONE), standing(ONE, 50, 300), Enter(TWO), Lose],
                &[(1, 50, 300)],
                0,
            ),
            (
                "somebody else's number",
                vec![executed(TWO, 5), reduced(TWO, 5), Hear(Report::Gone { number: TWO })],
                &[],
                0,
            ),
        ];
        for (name, steps, open, position) in table {
            let mut desk = Desk::new(1);
            for step in steps {
                match step {
                    Enter(number) => {
                        let (price, open, traded) = (Price(50), Quantity(300), Quantity::ZERO);
                        let state = State::Entering { since_ns: 0 };
                        desk.entered(
                            number,
                            OpenOrder {
                                instrument: 0,
                                side: Side::Sell,
                                price,
                                open,
                                traded,
                                state,
                            },
                        );
                    }
                    Replace(old, new, price) => desk.replaced(old, new, Price(price), 0),
                    Cancel(number) => desk.cancelled(number, 0),
                    Lose => desk.lose_connection(),
                    Wait(now_ns) => desk.expire(now_ns),
                    Hear(report) => desk.handle(report),
                }
            }
            let found: Vec<_> = desk
                .orders(0)
                .map(|(number, order)| (number.0, order.price.0, order.open.0))
                .collect();
            assert_eq!((found.as_slice(), desk.position(0)), (open, position), "{name}");
        }
    }

    #[test]
    fn requests_and_orders_are_bounded() {
        let mut desk = Desk::new(1);
        let mut number = 0;
        let mut fill = |desk: &mut Desk, state, count: usize| {
            for _ in 0..count {
                assert!(desk.may_enter());
                number += 1;
                let (side, price, open, traded) = (Side::Buy, Price(1), Quantity(1), Quantity::ZERO);
                desk.entered(
                    OrderNumber(number),
                    OpenOrder {
                        instrument: 0,
                        side,
                        price,
                        open,
                        traded,
                        state,
                    },
                );
            }
        };
        fill(&mut desk, State::Standing, OPEN_MAX - OUTSTANDING_MAX);
        fill(&mut desk, State::Entering { since_ns: 0 }, OUTSTANDING_MAX);
        assert!(!desk.may_ask());
        desk.expire(ANSWER_TIMEOUT_NS);
        assert_eq!(desk.tally().unanswered, OUTSTANDING_MAX as u64);
        fill(&mut desk, State::Standing, OUTSTANDING_MAX);
        assert!(desk.may_ask() && !desk.may_enter());
    }
}
