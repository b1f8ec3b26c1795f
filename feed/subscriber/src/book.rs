//! The order book of one instrument: shares and orders at each price.

use alloc::collections::BTreeMap;

use rialto_itch::{OrderReference, Price4, Shares, Side, Stock, TotalShares};

/// All orders at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price4,
    /// Their shares together.
    pub shares: TotalShares,
    /// How many they are.
    pub orders: u32,
}

/// The order book of one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    stock: Option<Stock>,
    bids: BTreeMap<Price4, Level>,
    asks: BTreeMap<Price4, Level>,
    /// Every order by price and reference, where it was asked for. References of one instrument grow with each insertion, so
    /// within a price they are in the order of priority.
    queues: Option<BTreeMap<(Price4, OrderReference), (Side, Shares)>>,
}

impl Book {
    /// The instrument's symbol, once a message has stated it.
    #[must_use]
    pub const fn stock(&self) -> Option<Stock> {
        self.stock
    }

    /// The levels to buy at, best first.
    pub fn bids(&self) -> impl Iterator<Item = Level> + '_ {
        self.bids.values().rev().copied()
    }

    /// The levels to sell at, best first.
    pub fn asks(&self) -> impl Iterator<Item = Level> + '_ {
        self.asks.values().copied()
    }

    /// The best `levels` of both sides: bids, asks.
    pub fn top(
        &self,
        levels: usize,
    ) -> (
        impl Iterator<Item = (Price4, TotalShares)> + '_,
        impl Iterator<Item = (Price4, TotalShares)> + '_,
    ) {
        let price_and_shares = |level: Level| (level.price, level.shares);
        (
            self.bids().take(levels).map(price_and_shares),
            self.asks().take(levels).map(price_and_shares),
        )
    }

    /// The orders of one side by price, best first, and at one price by priority. None where the books were not made with
    /// [`Books::with_queues`](crate::Books::with_queues).
    pub fn orders(&self, side: Side) -> impl Iterator<Item = (Price4, OrderReference, Shares)> + '_ {
        let levels = match side {
            Side::Buy => Either::Down(self.bids.keys().rev()),
            Side::Sell => Either::Up(self.asks.keys()),
        };
        levels.flat_map(move |price| {
            let at = (*price, OrderReference(0))..=(*price, OrderReference(u64::MAX));
            let queue = self.queues.iter().flat_map(move |queues| queues.range(at.clone()));
            // A crossed book has both sides at one price.
            queue
                .filter(move |(_, (of, _))| *of == side)
                .map(|((price, reference), (_, shares))| (*price, *reference, *shares))
        })
    }

    /// The best bid and the best offer.
    #[must_use]
    pub fn best(&self) -> (Option<Level>, Option<Level>) {
        (self.bids().next(), self.asks().next())
    }

    /// Whether it has no order.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }

    pub(crate) fn with_queues(&mut self) {
        self.queues.get_or_insert_with(BTreeMap::new);
    }

    /// States what is left of an order, where orders are kept.
    pub(crate) fn queue(&mut self, reference: OrderReference, side: Side, price: Price4, left: Shares) {
        let Some(queues) = &mut self.queues else { return };
        if left.0 == 0 {
            queues.remove(&(price, reference));
        } else {
            queues.insert((price, reference), (side, left));
        }
    }

    pub(crate) fn name(&mut self, stock: Stock) {
        self.stock = Some(stock);
    }

    fn side(&mut self, side: Side) -> &mut BTreeMap<Price4, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Counts an order in. Its level cannot overflow: fewer than 2^32 orders of fewer than 2^32 shares.
    pub(crate) fn insert(&mut self, side: Side, price: Price4, shares: Shares) {
        let level = self.side(side).entry(price).or_insert(Level {
            price,
            shares: TotalShares(0),
            orders: 0,
        });
        level.shares.0 += u64::from(shares.0);
        level.orders += 1;
    }

    /// Takes `shares` of an order off its level, and the order itself where it is `gone`.
    pub(crate) fn reduce(&mut self, side: Side, price: Price4, shares: Shares, gone: bool) {
        let levels = self.side(side);
        let Some(level) = levels.get_mut(&price) else {
            debug_assert!(false, "an order known by reference stands at a level");
            return;
        };
        level.shares.0 -= u64::from(shares.0);
        level.orders -= u32::from(gone);
        if level.orders == 0 {
            levels.remove(&price);
        }
    }
}

/// One of two ways through the prices.
enum Either<D, U> {
    Down(D),
    Up(U),
}

impl<T, D: Iterator<Item = T>, U: Iterator<Item = T>> Iterator for Either<D, U> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::Down(down) => down.next(),
            Self::Up(up) => up.next(),
        }
    }
}
