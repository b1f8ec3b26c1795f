//! What an agent decides: functions of what it sees, what it has and its own chance, without clock or socket.

use super::crash::{Patient, Seller};
use super::desk::{Desk, State};
use super::dice::Dice;
use super::door::OrderNumber;
use super::hawkes::Clusters;
use super::maker::MarketMaker;
use super::market::{Quote, Stage};
use super::momentum::Momentum;
use super::noise::Noise;
use super::queue::QueueReactive;
use super::{AgentInstrument, Climate};
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
    /// Adds, cancels and takes by the length of the queues.
    QueueReactive,
    /// Takes in clusters.
    Clusters,
    /// Sells a great deal of the first instrument between two moments, in milliseconds from the start.
    Seller(u64, u64),
    /// Waits far from the first instrument's value, and from a moment on, in milliseconds, buys it back up.
    Patient(u64),
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
    pub(super) quote: &'a Quote,
    pub(super) desk: &'a Desk,
    /// Since the agents began.
    pub(super) now_ns: u64,
}

/// Orders that somebody who only takes leaves in an auction of an instrument.
const AUCTION_MAX: usize = 8;

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
    QueueReactive(QueueReactive),
    Clusters(Clusters),
    Seller(Seller),
    Patient(Patient),
}

impl Mind {
    /// Whether its orders are never to rest while orders trade as they come.
    const fn only_takes(&self) -> bool {
        matches!(self, Self::Momentum(_) | Self::Clusters(_) | Self::Seller(_))
    }
}

impl Trader {
    pub(super) fn new(role: Role, seed: u64, agent: usize, instruments: &[AgentInstrument], climate: Climate) -> Self {
        let mut dice = Dice::new(seed, agent);
        let mind = match role {
            Role::MarketMaker => Mind::MarketMaker(MarketMaker::new(instruments, climate, &mut dice)),
            Role::Noise => Mind::Noise(Noise),
            Role::Momentum => Mind::Momentum(Momentum::new(instruments.len())),
            Role::QueueReactive => Mind::QueueReactive(QueueReactive::new(instruments.len(), climate)),
            Role::Clusters => Mind::Clusters(Clusters::new(instruments.len(), climate)),
            Role::Seller(from_ms, until_ms) => Mind::Seller(Seller::new(from_ms, until_ms, climate)),
            Role::Patient(from_ms) => Mind::Patient(Patient::new(from_ms, climate)),
        };
        Self {
            mind,
            dice,
            turn: agent,
        }
    }

    /// A step of time: opinions change.
    pub(super) fn step(&mut self, instruments: &[AgentInstrument], quotes: &[Quote], desk: &Desk) {
        match &mut self.mind {
            Mind::Seller(seller) => return seller.step(),
            Mind::Patient(patient) => return patient.step(),
            _ => {}
        }
        for (index, (terms, quote)) in instruments.iter().zip(quotes).enumerate() {
            match &mut self.mind {
                Mind::MarketMaker(maker) => maker.step(index, terms, quote, desk.position(index), &mut self.dice),
                Mind::Momentum(momentum) => momentum.step(index, terms, quote),
                _ => {}
            }
        }
    }

    /// The agent's turn: the first instrument, in rotation, in which it wants something done.
    pub(super) fn decide(
        &mut self,
        instruments: &[AgentInstrument],
        quotes: &[Quote],
        desk: &Desk,
        now_ns: u64,
    ) -> Option<Intent> {
        (0..instruments.len()).find_map(|_| {
            self.turn = (self.turn + 1) % instruments.len();
            let index = self.turn;
            self.decide_in(Sight {
                index,
                terms: instruments.get(index)?,
                quote: quotes.get(index)?,
                desk,
                now_ns,
            })
        })
    }

    fn decide_in(&mut self, sight: Sight<'_>) -> Option<Intent> {
        let stage = sight.quote.stage;
        if stage == Stage::Halted {
            return None;
        }
        if self.mind.only_takes() {
            let mut orders = sight.desk.orders(sight.index);
            // What an auction has left of them goes.
            if stage == Stage::Trading {
                if let Some((number, _)) = orders.find(|(_, order)| order.state == State::Standing) {
                    return Some(Intent::Cancel { number });
                }
            } else if orders.count() >= AUCTION_MAX {
                return None;
            }
        }
        let mut intent = match &mut self.mind {
            Mind::MarketMaker(maker) => maker.decide(sight),
            Mind::Noise(noise) => noise.decide(sight, &mut self.dice),
            Mind::Momentum(momentum) => momentum.decide(sight),
            Mind::QueueReactive(queues) => queues.decide(sight, &mut self.dice),
            Mind::Clusters(clusters) => clusters.decide(sight, &mut self.dice),
            Mind::Seller(seller) => seller.decide(sight),
            Mind::Patient(patient) => patient.decide(sight, &mut self.dice),
        };
        // Nothing is immediate while orders are collected.
        if let (Stage::Collecting, Some(Intent::Enter { immediate, .. })) = (stage, &mut intent) {
            *immediate = false;
        }
        intent
    }
}
