//! The doors as agents see them: intents out, reports in, the same by OUCH and by FIX.
//!
//! A line connects by itself, again and again with growing pauses, and resumes its session where the connection was lost.

mod fix;
mod ouch;

use super::desk::{Desk, OpenOrder, State};
use super::trader::Intent;
use super::{AgentInstrument, Seat, SeatDoor};
use fix::FixLine;
use ouch::OuchLine;
use rialto_model::{Price, Quantity, Side, Symbol};

/// The agent's own number of an order: the UserRefNum, or what its ClOrdID ends in. Orders with larger ones are younger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OrderNumber(pub(super) u32);

/// What the exchange says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// It was entered, or took another's place, and stands.
    Standing {
        number: OrderNumber,
        instrument: usize,
        side: Side,
        price: Price,
        open: Quantity,
    },
    /// It traded.
    Executed { number: OrderNumber, quantity: Quantity },
    /// So much was taken off it without a trade.
    Reduced { number: OrderNumber, quantity: Quantity },
    /// Nothing is left of it.
    Gone { number: OrderNumber },
    /// It was not entered, or did not take the other's place.
    Refused { number: OrderNumber },
}

/// What a line has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// Orders may be sent.
    Ready,
    /// Nothing of before stands: a new day.
    Fresh,
    /// Of an order.
    Of(Report),
    /// The connection is gone.
    Lost,
}

#[derive(Debug)]
enum Wire {
    Ouch(OuchLine),
    Fix(FixLine),
}

/// An agent's connection to its door, whether it is there or not.
#[derive(Debug)]
pub(super) struct Line {
    wire: Wire,
    news: Vec<News>,
    ready: bool,
    pause: Pause,
    reconnects: u64,
}

impl Line {
    pub(super) fn new(seat: &Seat, instruments: &[AgentInstrument]) -> Self {
        let symbols: Vec<Symbol> = instruments.iter().map(|instrument| instrument.symbol).collect();
        let wire = match &seat.door {
            SeatDoor::Ouch(address) => Wire::Ouch(OuchLine::new(*address, seat, symbols)),
            SeatDoor::Fix { address, comp_id } => Wire::Fix(FixLine::new(*address, comp_id, seat, symbols)),
        };
        Self {
            wire,
            news: Vec::new(),
            ready: false,
            pause: Pause::default(),
            reconnects: 0,
        }
    }

    /// Whether orders may be sent.
    pub(super) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// How often it connected again.
    pub(super) const fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// Connects where it is time to, moves what is to be moved, and tells the desk.
    pub(super) fn poll(&mut self, now_ns: u64, desk: &mut Desk) {
        let connected = match &self.wire {
            Wire::Ouch(line) => line.is_connected(),
            Wire::Fix(line) => line.is_connected(),
        };
        if !connected && !self.pause.is_over(now_ns) {
            return;
        }
        let polled = match (&mut self.wire, connected) {
            (Wire::Ouch(line), false) => line.connect(),
            (Wire::Ouch(line), true) => line.poll(&mut self.news),
            (Wire::Fix(line), false) => line.connect(),
            (Wire::Fix(line), true) => {
                line.poll(&mut self.news);
                Ok(())
            }
        };
        if polled.is_err() {
            self.news.push(News::Lost);
        }
        for news in self.news.drain(..) {
            match news {
                News::Ready => {
                    self.ready = true;
                    self.pause = Pause::default();
                }
                News::Fresh => desk.clear(),
                News::Of(report) => desk.handle(report),
                News::Lost => {
                    self.ready = false;
                    self.reconnects += 1;
                    self.pause.begin(now_ns);
                    desk.lose_connection();
                    match &mut self.wire {
                        Wire::Ouch(line) => line.drop_connection(),
                        Wire::Fix(line) => line.drop_connection(),
                    }
                }
            }
        }
    }

    /// Sends what the agent wants and notes it on its desk. Says whether it was sent: not while the line is down or full.
    pub(super) fn send(&mut self, intent: Intent, now_ns: u64, desk: &mut Desk) -> bool {
        // The terms of the order that is to change.
        let target = match intent {
            Intent::Enter { .. } => None,
            Intent::Replace { number, .. } | Intent::Cancel { number } => desk.order(number).copied(),
        };
        let number = match &mut self.wire {
            Wire::Ouch(line) => line.send(intent, target),
            Wire::Fix(line) => line.send(intent, target),
        };
        let Some(sent) = number else { return false };
        match intent {
            Intent::Enter {
                instrument,
                side,
                price,
                quantity,
                ..
            } => {
                let state = State::Entering { since_ns: now_ns };
                let traded = Quantity::ZERO;
                desk.entered(
                    sent,
                    OpenOrder {
                        instrument,
                        side,
                        price,
                        open: quantity,
                        traded,
                        state,
                    },
                );
            }
            Intent::Replace { number, price } => desk.replaced(number, sent, price, now_ns),
            Intent::Cancel { number } => desk.cancelled(number, now_ns),
        }
        true
    }

    /// Says goodbye.
    pub(super) fn close(&mut self) {
        match &mut self.wire {
            Wire::Ouch(line) => line.logout(),
            Wire::Fix(line) => line.logout(),
        }
    }
}

/// The pause before the next connection: twice as long after each failure.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    failures: u32,
    until_ns: u64,
}

const PAUSE_FIRST_NS: u64 = 50_000_000;
const PAUSE_MAX_NS: u64 = 5_000_000_000;

impl Pause {
    const fn is_over(&self, now_ns: u64) -> bool {
        now_ns >= self.until_ns
    }

    fn begin(&mut self, now_ns: u64) {
        let pause_ns = PAUSE_FIRST_NS
            .saturating_mul(1 << self.failures.min(16))
            .min(PAUSE_MAX_NS);
        self.until_ns = now_ns.saturating_add(pause_ns);
        self.failures += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut pause = Pause::default();
        assert!(pause.is_over(0));
        let mut lengths = Vec::new();
        for _ in 0..9 {
            pause.begin(1_000);
            lengths.push((pause.until_ns - 1_000) / 1_000_000);
            assert!(!pause.is_over(pause.until_ns - 1) && pause.is_over(pause.until_ns));
        }
        assert_eq!(lengths, [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    }
}
