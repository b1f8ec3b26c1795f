//! What everybody may see of the books: displayed orders, their levels, the last trades. Filled by released events as the feed
//! is (`feed/publisher` states which event shows what), and bounded by the engine's live orders.

mod pages;

use std::collections::BTreeMap;

use self::pages::Pages;
use rialto_model::{Event, InstrumentId, Phase, Price, PublicRef, Quantity, Side, Timestamp, TradeId};

/// A displayed order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
}

/// A price of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) quantity: u64,
    pub(crate) orders: u64,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    pub(crate) trade: TradeId,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    pub(crate) time: Timestamp,
}

/// One instrument.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) bids: BTreeMap<Price, Level>,
    pub(crate) asks: BTreeMap<Price, Level>,
    pub(crate) last: Option<Print>,
    pub(crate) phase: Option<Phase>,
}

impl Book {
    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Price, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The levels of a side, the best first.
    pub(crate) fn levels(&self, side: Side) -> Box<dyn Iterator<Item = (Price, Level)> + '_> {
        let pair = |(price, level): (&Price, &Level)| (*price, *level);
        match side {
            Side::Buy => Box::new(self.bids.iter().rev().map(pair)),
            Side::Sell => Box::new(self.asks.iter().map(pair)),
        }
    }
}

/// What an event changed for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// This displayed order, on this level.
    Order(PublicRef, Shown),
    /// A trade.
    Print(InstrumentId, Print),
    /// What may be done in an instrument.
    Phase(InstrumentId),
    /// Everything: a day has begun.
    All,
}

#[derive(Debug, Default)]
pub(crate) struct Depth {
    /// By reference, which begins with the instrument.
    orders: Pages,
    books: BTreeMap<InstrumentId, Book>,
}

impl Depth {
    pub(crate) fn book(&self, instrument: InstrumentId) -> Option<&Book> {
        self.books.get(&instrument)
    }

    pub(crate) fn order(&self, reference: PublicRef) -> Option<&Shown> {
        self.orders.get(reference)
    }

    /// The displayed orders of an instrument, by their references.
    pub(crate) fn orders_of(&self, instrument: InstrumentId) -> impl Iterator<Item = (PublicRef, Shown)> + '_ {
        self.orders.of(instrument)
    }

    /// Takes in one event and tells what it changed.
    pub(crate) fn follow(&mut self, event: &Event, stamp: Timestamp, mut changed: impl FnMut(Change)) {
        match event {
            Event::DayStarted(_) => {
                self.orders.clear();
                for book in self.books.values_mut() {
                    book.bids.clear();
                    book.asks.clear();
                }
                changed(Change::All);
            }
            Event::InstrumentListed(e) => {
                self.books.entry(e.instrument).or_default();
            }
            Event::PhaseChanged(e) => {
                self.books.entry(e.instrument).or_default().phase = Some(e.phase);
                changed(Change::Phase(e.instrument));
            }
            Event::Accepted(e) if e.rests => {
                self.add(e.public_ref, e.instrument, e.side, e.price, e.quantity, &mut changed);
            }
            Event::Booked(e) => self.add(e.public_ref, e.instrument, e.side, e.price, e.quantity, &mut changed),
            Event::Restated(e) if !e.shown.is_zero() => {
                self.add(e.public_ref, e.instrument, e.side, e.price, e.shown, &mut changed);
            }
            Event::Reduced(e) => self.take(e.public_ref, e.removed_shown, &mut changed),
            Event::Cancelled(e) if e.rested => self.remove(e.public_ref, &mut changed),
            Event::Replaced(e) if e.public_ref == e.old_public_ref => {
                self.take(e.public_ref, e.old_quantity.saturating_sub(e.quantity), &mut changed);
            }
            Event::Replaced(e) => {
                self.remove(e.old_public_ref, &mut changed);
                if e.rests {
                    self.add(e.public_ref, e.instrument, e.side, e.price, e.quantity, &mut changed);
                }
            }
            Event::Executed(e) => {
                self.take(e.maker_public_ref, e.quantity, &mut changed);
                if e.cross {
                    self.take(e.taker_public_ref, e.quantity, &mut changed);
                }
                let print = Print {
                    trade: e.trade,
                    price: e.price,
                    quantity: e.quantity,
                    time: stamp,
                };
                self.books.entry(e.instrument).or_default().last = Some(print);
                changed(Change::Print(e.instrument, print));
            }
            _ => {}
        }
    }

    fn add(
        &mut self,
        reference: PublicRef,
        instrument: InstrumentId,
        side: Side,
        price: Price,
        quantity: Quantity,
        changed: &mut impl FnMut(Change),
    ) {
        let shown = Shown {
            instrument,
            side,
            price,
            quantity,
        };
        self.orders.insert(reference, shown);
        let book = self.books.entry(instrument).or_default();
        let level = book.side_mut(side).entry(price).or_default();
        level.quantity += quantity.0;
        level.orders += 1;
        changed(Change::Order(reference, shown));
    }

    fn take(&mut self, reference: PublicRef, quantity: Quantity, changed: &mut impl FnMut(Change)) {
        let Some(shown) = self.orders.get_mut(reference).filter(|_| !quantity.is_zero()) else {
            return;
        };
        if quantity >= shown.quantity {
            return self.remove(reference, changed);
        }
        shown.quantity = shown.quantity.saturating_sub(quantity);
        let shown = *shown;
        if let Some(book) = self.books.get_mut(&shown.instrument)
            && let Some(level) = book.side_mut(shown.side).get_mut(&shown.price)
        {
            level.quantity = level.quantity.saturating_sub(quantity.0);
        }
        changed(Change::Order(reference, shown));
    }

    fn remove(&mut self, reference: PublicRef, changed: &mut impl FnMut(Change)) {
        let Some(shown) = self.orders.remove(reference) else {
            return;
        };
        if let Some(book) = self.books.get_mut(&shown.instrument) {
            let side = book.side_mut(shown.side);
            if let Some(level) = side.get_mut(&shown.price) {
                level.quantity = level.quantity.saturating_sub(shown.quantity.0);
                level.orders = level.orders.saturating_sub(1);
                if level.orders == 0 {
                    side.remove(&shown.price);
                }
            }
        }
        changed(Change::Order(reference, shown));
    }
}
