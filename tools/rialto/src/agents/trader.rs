//! What an agent decides: functions of what it sees, what it has and its own chance, without clock or socket.

use super::AgentInstrument;
use super::desk::Desk;
use super::dice::Dice;
use super::door::OrderNumber;
use super::maker::MarketMaker;
use super::market::Quote;
use super::momentum::Momentum;
use super::noise::Noise;
use rialto_model::{Price, Quantity, Side};

/// What kind of trader an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Quotes both sides around a slowly moving fair value.
    MarketMaker,
    /// Buys and sells for no reason.
    Noise,
    /// Buys what rises and sells what falls.
    Momentum,
}

impl Role {
    /// A mixture that makes a market with any number of agents: the first makes it, the second trades with it.
    pub(crate) const fn of(index: usize) -> Self {
        match index % 5 {
            0 | 2 => Self::MarketMaker,
            3 => Self::Momentum,
            _ => Self::Noise,
        }
    }
}

/// What an agent wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// A new order; an immediate one never rests.
    Enter {
        instrument: usize,
        side: Side,
        price: Price,
        quantity: Quantity,
        immediate: bool,
    },
    /// Another price for an order that has not traded.
    Replace { number: OrderNumber, price: Price },
    /// An end to an order.
    Cancel { number: OrderNumber },
}

/// What an agent decides by, one instrument at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight<'a> {
    /// Index of the instrument.
    pub(super) index: usize,
    pub(super) terms: &'a AgentInstrument,
    pub(super) quote: Quote,
    pub(super) desk: &'a Desk,
}

/// A trader with its chance and its memory.
#[derive(Debug)]
pub(super) struct Trader {
    mind: Mind,
    dice: Dice,
    /// The instrument whose turn it is, so that none is forgotten.
    turn: usize,
}

#[derive(Debug)]
enum Mind {
    MarketMaker(MarketMaker),
    Noise(Noise),
    Momentum(Momentum),
}

impl Trader {
    pub(super) fn new(role: Role, seed: u64, agent: usize, instruments: &[AgentInstrument]) -> Self {
        let mut dice = Dice::new(seed, agent);
        let mind = match role {
            Role::MarketMaker => Mind::MarketMaker(MarketMaker::new(instruments, &mut dice)),
            Role::Noise => Mind::Noise(Noise),
            Role::Momentum => Mind::Momentum(Momentum::new(instruments.len())),
        };
        Self {
            mind,
            dice,
            turn: agent,
        }
    }

    /// A step of time: opinions change.
    pub(super) fn step(&mut self, instruments: &[AgentInstrument], quotes: &[Quote]) {
        for (index, (terms, &quote)) in instruments.iter().zip(quotes).enumerate() {
            match &mut self.mind {
                Mind::MarketMaker(maker) => maker.step(index, terms, quote, &mut self.dice),
                Mind::Momentum(momentum) => momentum.step(index, terms, quote),
                Mind::Noise(_) => {}
            }
        }
    }

    /// The agent's turn: the first instrument, in rotation, in which it wants something done.
    pub(super) fn decide(&mut self, instruments: &[AgentInstrument], quotes: &[Quote], desk: &Desk) -> Option<Intent> {
        (0..instruments.len()).find_map(|_| {
            self.turn = (self.turn + 1) % instruments.len();
            let index = self.turn;
            let sight = Sight {
                index,
                terms: instruments.get(index)?,
                quote: *quotes.get(index)?,
                desk,
            };
            match &mut self.mind {
                Mind::MarketMaker(maker) => maker.decide(sight),
                Mind::Noise(noise) => noise.decide(sight, &mut self.dice),
                Mind::Momentum(momentum) => momentum.decide(sight),
            }
        })
    }
}
