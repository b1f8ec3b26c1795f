//! The book of one instrument: what is valid on it, and the queues of its two sides.
//!
//! It moves orders in and out of queues and knows nothing of who owns them, of names or of events.

use crate::ladder::{Ladder, Rungs};
use crate::order::Order;
use crate::pool::{NONE, Pool};
use crate::special::SpecialBook;
use alloc::boxed::Box;
use rialto_model::command::DefineInstrument;
use rialto_model::{InstrumentId, OrderKind, Price, PublicRef, Quantity, RejectReason, Side, TradeId};

/// How far an order reaches that has no price: over every rank there is, and not to an empty side.
pub(crate) const REACH_ALL: u32 = u32::MAX - 1;

/// An instrument's rules in narrow fields (`limits.rs` keeps prices and quantities in 32 bits), counters and queues.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) instrument: InstrumentId,
    /// What a rulebook brings; without one the book is plain, and so is every order in it.
    pub(crate) special: Option<Box<SpecialBook>>,
    pub(crate) tick: u32,
    pub(crate) price_max: u32,
    pub(crate) lot: u32,
    pub(crate) quantity_max: u32,
    /// The number of ticks in the highest price.
    pub(crate) ticks_max: u32,
    /// The price of the last trade; zero before the first.
    pub(crate) last_price: u32,
    pub(crate) public_refs: u64,
    pub(crate) trades: u64,
    /// Trades of earlier days.
    pub(crate) trades_at_open: u64,
    bids: Ladder,
    asks: Ladder,
}

/// A valid price and quantity on a book.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Zero for a market order.
    pub(crate) price: u32,
    pub(crate) quantity: u32,
    /// Its rank on its own side; meaningless for a market order, which never rests.
    pub(crate) rank: u32,
    /// The worst rank of the other side that it trades with.
    pub(crate) reach: u32,
}

impl Terms {
    /// A reach over every rank there is.
    pub(crate) const REACH_ALL: u32 = REACH_ALL;
}

impl Book {
    /// An empty book of a sound instrument.
    pub(crate) fn new(one: &DefineInstrument, rungs: &mut Rungs) -> Self {
        let (tick, price_max) = (one.tick.0 as u32, one.price_max.0 as u32);
        let ticks_max = price_max / tick;
        Self {
            instrument: one.instrument,
            tick,
            price_max,
            lot: one.lot.0 as u32,
            quantity_max: one.quantity_max.0 as u32,
            ticks_max,
            special: None,
            last_price: 0,
            public_refs: 0,
            trades: 0,
            trades_at_open: 0,
            bids: Ladder::new(ticks_max, rungs),
            asks: Ladder::new(ticks_max, rungs),
        }
    }

    /// Judges quantity and price: FIX 38 and 44, OUCH 5.0 Enter Order fields Quantity and Price; the bounds are the
    /// instrument's own definition. The first breach in this order is the reason.
    #[inline]
    pub(crate) fn terms(
        &self,
        side: Side,
        kind: OrderKind,
        price: Price,
        quantity: Quantity,
    ) -> Result<Terms, RejectReason> {
        if quantity.is_zero() {
            return Err(RejectReason::QuantityZero);
        }
        if quantity.0 > u64::from(self.quantity_max) {
            return Err(RejectReason::QuantityTooLarge);
        }
        if !self.is_lots(quantity) {
            return Err(RejectReason::QuantityOffLot);
        }
        let quantity = quantity.0 as u32;
        if kind == OrderKind::Market {
            return Ok(Terms {
                price: 0,
                quantity,
                rank: 0,
                reach: REACH_ALL,
            });
        }
        if price.0 <= 0 || price.0 > i64::from(self.price_max) {
            return Err(RejectReason::PriceOutOfRange);
        }
        let price = price.0 as u32;
        let ticks = price / self.tick;
        if ticks * self.tick != price {
            return Err(RejectReason::PriceOffTick);
        }
        let rank = self.rank(side, ticks);
        Ok(Terms {
            price,
            quantity,
            rank,
            reach: self.ticks_max - rank,
        })
    }

    /// Whether a quantity is a number of whole lots.
    #[inline]
    pub(crate) const fn is_lots(&self, quantity: Quantity) -> bool {
        self.lot == 1 || quantity.0.is_multiple_of(self.lot as u64)
    }

    /// The distance of a price from the best there can be on its side. The ranks of a price on both sides add up to
    /// `ticks_max`, so a price reaches exactly the ranks of the other side up to `ticks_max - rank`.
    #[inline]
    pub(crate) const fn rank(&self, side: Side, ticks: u32) -> u32 {
        match side {
            Side::Buy => self.ticks_max - ticks,
            Side::Sell => ticks,
        }
    }

    /// One side.
    #[inline]
    pub(crate) const fn side(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline]
    pub(crate) const fn side_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The level that an order of `side` on these terms trades with next, or [`NONE`].
    #[inline]
    pub(crate) const fn counterpart(&self, side: Side, terms: Terms) -> u32 {
        let other = self.side(side.opposite());
        if other.best_rank <= terms.reach {
            other.best
        } else {
            NONE
        }
    }

    /// Whether an order on these terms would find its whole quantity on the other side. Looks at no more levels than it
    /// would trade with.
    pub(crate) fn is_fillable(&self, side: Side, terms: Terms, quantity: u32, rungs: &Rungs) -> bool {
        let mut missing = u64::from(quantity);
        for level in self.side(side.opposite()).levels(rungs) {
            if level.rank > terms.reach {
                return false;
            }
            if missing <= level.total {
                return true;
            }
            missing -= level.total;
        }
        false
    }

    /// The next public reference: given at every insertion into a queue and to every order that might come to one.
    #[inline]
    pub(crate) const fn next_public_ref(&mut self) -> PublicRef {
        self.public_refs += 1;
        PublicRef::new(self.instrument, self.public_refs)
    }

    /// The next trade's number.
    #[inline]
    pub(crate) const fn next_trade(&mut self) -> TradeId {
        self.trades += 1;
        TradeId::new(self.instrument, self.trades)
    }

    /// The terms of an order that rests already at a valid price.
    pub(crate) fn resting_terms(&self, side: Side, price: u32, quantity: u32) -> Terms {
        let rank = self.rank(side, price / self.tick);
        Terms {
            price,
            quantity,
            rank,
            reach: self.ticks_max - rank,
        }
    }

    /// Puts an order behind the others of its price.
    #[inline(always)]
    pub(crate) fn push(&mut self, handle: u32, terms: Terms, orders: &mut Pool<Order>, rungs: &mut Rungs) {
        let side = orders[handle].side;
        push_to(self.side_mut(side), handle, terms, orders, rungs);
    }

    /// Takes an order out of its queue, and the level off if it was the last.
    #[inline(always)]
    pub(crate) fn unlink(&mut self, handle: u32, orders: &mut Pool<Order>, rungs: &mut Rungs) {
        let side = orders[handle].side;
        unlink_from(self.side_mut(side), handle, orders, rungs);
    }

    /// Every resting order of a side, best price first and in the order they came.
    pub(crate) fn queue<'a>(
        &self,
        side: Side,
        orders: &'a Pool<Order>,
        rungs: &'a Rungs,
    ) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        queue_of(self.side(side), orders, rungs)
    }
}

/// Puts an order behind the others of its price in a ladder.
#[inline(always)]
pub(crate) fn push_to(ladder: &mut Ladder, handle: u32, terms: Terms, orders: &mut Pool<Order>, rungs: &mut Rungs) {
    let place = join(ladder, handle, terms, orders[handle].leaves, orders, rungs);
    let order = &mut orders[handle];
    order.level = place.level;
    order.next = NONE;
    order.prev = place.prev;
}

/// Where an order that joined a queue stands: last, in this level and behind this order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) level: u32,
    pub(crate) prev: u32,
}

impl Place {
    /// In no queue.
    pub(crate) const NOWHERE: Self = Self {
        level: NONE,
        prev: NONE,
    };
}

/// Makes room behind the others of a price. The order itself has yet to be told.
#[inline(always)]
pub(crate) fn join(
    ladder: &mut Ladder,
    handle: u32,
    terms: Terms,
    leaves: u32,
    orders: &mut Pool<Order>,
    rungs: &mut Rungs,
) -> Place {
    let at = ladder.level(terms.rank, terms.price, rungs);
    let level = &mut rungs.levels[at];
    level.total += u64::from(leaves);
    let prev = core::mem::replace(&mut level.tail, handle);
    match prev {
        NONE => level.head = handle,
        last => orders[last].next = handle,
    }
    Place { level: at, prev }
}

/// Takes an order out of its queue, and the level off the ladder if it was the last.
#[inline(always)]
pub(crate) fn unlink_from(ladder: &mut Ladder, handle: u32, orders: &mut Pool<Order>, rungs: &mut Rungs) {
    let Order {
        level: at,
        next,
        prev,
        leaves,
        ..
    } = orders[handle];
    let level = &mut rungs.levels[at];
    level.total -= u64::from(leaves);
    match prev {
        NONE => level.head = next,
        prev => orders[prev].next = next,
    }
    match next {
        NONE => level.tail = prev,
        next => orders[next].prev = prev,
    }
    if level.head == NONE {
        ladder.remove(at, rungs);
    }
}

/// Every order of a ladder with its price, best first and in the order they came.
pub(crate) fn queue_of<'a>(
    ladder: &Ladder,
    orders: &'a Pool<Order>,
    rungs: &'a Rungs,
) -> impl Iterator<Item = (u32, u32)> + use<'a> {
    ladder.levels(rungs).flat_map(move |level| {
        let mut next = level.head;
        core::iter::from_fn(move || {
            let handle = next;
            if handle == NONE {
                return None;
            }
            next = orders[handle].next;
            Some((handle, level.price))
        })
    })
}
