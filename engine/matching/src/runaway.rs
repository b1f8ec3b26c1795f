//! Who watches what firms send ([`rialto_model::runaway`]): a follower of the released events, and no part of the engine.
//!
//! It is a function of the stream, judged by its stamps: whoever follows the same events finds the same trips by the same
//! commands. What it finds is sequenced as [`TripRunaway`]; until that has come back, it stays [`pending`](RunawayWatch::pending).
//! Begin with the first command, or in front of the first that states a limit: what was sent before counts for nothing.

use alloc::collections::{BTreeMap, BTreeSet};
use rialto_model::command::TripRunaway;
use rialto_model::event::{Accepted, Replaced};
use rialto_model::{
    Event, FirmId, InstrumentId, OrderId, Price, Quantity, RunawayCause, RunawayLimits, RunawayTrip, SequenceNumber,
    Sequenced, Text, Timestamp,
};

/// Parts of a window: it moves on by one of them.
const PARTS: usize = 10;
/// Nanoseconds in a tenth of a millisecond.
const TENTH_NS: u64 = 100_000;

/// Follows events in order. Memory is bounded by the firms, the parents and their live children.
#[derive(Clone, Debug, Default)]
pub struct RunawayWatch {
    firms: BTreeMap<FirmId, Watched>,
    parents: BTreeMap<(FirmId, Text), Parent>,
    /// Live children, and whose.
    children: BTreeMap<OrderId, (FirmId, Text)>,
    /// Where each instrument traded last: what a market order is worth.
    last: BTreeMap<InstrumentId, Price>,
    killed: BTreeSet<FirmId>,
    pending: BTreeMap<FirmId, TripRunaway>,
}

/// What a firm has sent of late.
#[derive(Clone, Copy, Debug)]
struct Watched {
    limits: RunawayLimits,
    /// Which part of time the last order came in.
    part: u64,
    orders: [u64; PARTS],
    notional: [u64; PARTS],
}

/// What the children of a parent ask for together, executed or open.
#[derive(Clone, Copy, Debug)]
struct Parent {
    quantity: u64,
    asked: u64,
}

impl RunawayWatch {
    /// Takes the next event.
    pub fn follow(&mut self, event: &Sequenced<Event>) {
        let (seq, stamp) = (event.seq, event.stamp);
        match &event.body {
            Event::Accepted(e) => self.accepted(seq, stamp, e),
            Event::Replaced(e) => self.replaced(seq, stamp, e),
            Event::Executed(e) => {
                self.last.insert(e.instrument, e.price);
                for (order, leaves) in [(e.maker, e.maker_leaves), (e.taker, e.taker_leaves)] {
                    if leaves.is_zero() {
                        self.children.remove(&order);
                    }
                }
            }
            Event::Reduced(e) => self.returned(e.order_id, e.removed),
            Event::Cancelled(e) => {
                self.returned(e.order_id, e.removed);
                self.children.remove(&e.order_id);
            }
            Event::RunawayLimitsSet(e) => {
                self.firms.remove(&e.firm);
                if e.limits != RunawayLimits::default() {
                    self.firms.insert(e.firm, Watched::new(e.limits));
                }
            }
            Event::ParentSet(e) => {
                let key = (e.firm, e.name);
                if e.quantity.is_zero() {
                    self.parents.remove(&key);
                } else {
                    let asked = self.parents.get(&key).map_or(0, |parent| parent.asked);
                    let quantity = e.quantity.0;
                    self.parents.insert(key, Parent { quantity, asked });
                }
            }
            Event::KillSwitchSet(e) if e.killed => {
                self.killed.insert(e.firm);
                self.pending.remove(&e.firm);
            }
            // Who is let in again begins anew; a parent stays as it was stated.
            Event::KillSwitchSet(e) => {
                self.killed.remove(&e.firm);
                self.pending.remove(&e.firm);
                if let Some(watched) = self.firms.get_mut(&e.firm) {
                    *watched = Watched::new(watched.limits);
                }
            }
            Event::DayEnded(_) => {
                self.parents.clear();
                self.children.clear();
            }
            _ => {}
        }
    }

    /// What was found and has not led to a kill yet, a firm at most once.
    pub fn pending(&self) -> impl Iterator<Item = &TripRunaway> {
        self.pending.values()
    }

    fn accepted(&mut self, seq: SequenceNumber, stamp: Timestamp, e: &Accepted) {
        let worth = self.worth(e.instrument, e.price, e.quantity);
        self.count(e.firm, seq, stamp, worth);
        let id = e.client_id.as_bytes();
        let name = id.iter().position(|byte| *byte == b'/').and_then(|end| id.get(..end));
        let Some(key) = name.and_then(Text::new).map(|name| (e.firm, name)) else {
            return;
        };
        if self.parents.contains_key(&key) {
            self.children.insert(e.order_id, key);
            self.ask(key, seq, e.quantity.0, 0);
        }
    }

    fn replaced(&mut self, seq: SequenceNumber, stamp: Timestamp, e: &Replaced) {
        let worth = self.worth(e.instrument, e.price, e.quantity);
        self.count(e.firm, seq, stamp, worth);
        if let Some(key) = self.children.get(&e.order_id).copied() {
            self.ask(key, seq, e.quantity.0, e.old_quantity.0);
        }
    }

    /// A market order is worth what it would be at the last price.
    fn worth(&self, instrument: InstrumentId, price: Price, quantity: Quantity) -> u64 {
        let last = self.last.get(&instrument).copied().unwrap_or_default();
        let price = if price.0 > 0 { price } else { last };
        (price.0.max(0) as u64).saturating_mul(quantity.0)
    }

    fn count(&mut self, firm: FirmId, seq: SequenceNumber, stamp: Timestamp, worth: u64) {
        let Some(watched) = self.firms.get_mut(&firm) else {
            return;
        };
        watched.move_to(stamp);
        if let (Some(orders), Some(notional)) = (watched.orders.last_mut(), watched.notional.last_mut()) {
            *orders += 1;
            *notional = notional.saturating_add(worth);
        }
        let RunawayLimits { orders, notional, .. } = watched.limits;
        let sums = [
            (RunawayCause::Orders, watched.orders, u64::from(orders)),
            (RunawayCause::Notional, watched.notional, notional),
        ];
        for (cause, parts, limit) in sums {
            let measured = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
            if limit > 0 && measured > limit {
                let trip = RunawayTrip {
                    firm,
                    cause,
                    judged: seq,
                    measured,
                    limit,
                };
                self.trip(trip, Text::EMPTY);
            }
        }
    }

    fn ask(&mut self, key: (FirmId, Text), seq: SequenceNumber, more: u64, less: u64) {
        let Some(parent) = self.parents.get_mut(&key) else {
            return;
        };
        parent.asked = parent.asked.saturating_add(more).saturating_sub(less);
        let (measured, limit) = (parent.asked, parent.quantity);
        if measured > limit && more > less {
            let trip = RunawayTrip {
                firm: key.0,
                cause: RunawayCause::Parent,
                judged: seq,
                measured,
                limit,
            };
            self.trip(trip, key.1);
        }
    }

    /// What a child did not come to use is the parent's again.
    fn returned(&mut self, order: OrderId, quantity: Quantity) {
        let key = self.children.get(&order);
        if let Some(parent) = key.and_then(|key| self.parents.get_mut(key)) {
            parent.asked = parent.asked.saturating_sub(quantity.0);
        }
    }

    /// The first that is found of a firm is the one that is told.
    fn trip(&mut self, trip: RunawayTrip, parent: Text) {
        if !self.killed.contains(&trip.firm) {
            self.pending.entry(trip.firm).or_insert(TripRunaway { trip, parent });
        }
    }
}

impl Watched {
    const fn new(limits: RunawayLimits) -> Self {
        Self {
            limits,
            part: 0,
            orders: [0; PARTS],
            notional: [0; PARTS],
        }
    }

    /// Parts that are over go.
    fn move_to(&mut self, stamp: Timestamp) {
        let part = stamp.0 / (u64::from(self.limits.window) * TENTH_NS).max(1);
        let passed = part.saturating_sub(self.part).min(PARTS as u64) as usize;
        self.part = part;
        for parts in [&mut self.orders, &mut self.notional] {
            parts.copy_within(passed.., 0);
            parts[PARTS - passed..].fill(0);
        }
    }
}
