//! The levels of one book, each with when it last changed, and those that are gone and were not told of everywhere yet.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rialto_itch::Side;

use crate::checksum::level_hash;
use crate::limits::GONE_LEVELS_MAX;
use crate::recency::Recency;

/// A level as it is told: absolute shares, none where it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) side: Side,
    pub(crate) price: u32,
    pub(crate) shares: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Levels {
    slots: Vec<Level>,
    free: Vec<u32>,
    bids: BTreeMap<u32, u32>,
    asks: BTreeMap<u32, u32>,
    /// The place of each level that is gone, by side and price, and in the order they went.
    gone: BTreeMap<(Side, u32), u32>,
    gone_order: BTreeMap<u64, u32>,
    recency: Recency,
    /// The stamp of the last level that was forgotten: who was told no later must be told everything anew.
    forgotten: u64,
    checksum: u64,
}

impl Levels {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            gone: BTreeMap::new(),
            gone_order: BTreeMap::new(),
            recency: Recency::new(),
            forgotten: 0,
            checksum: 0,
        }
    }

    /// The stamp of the last change.
    pub(crate) const fn stamp(&self) -> u64 {
        self.recency.stamp()
    }

    /// Whether who was told everything up to `stamp` can be told the rest as changes.
    pub(crate) const fn remembers(&self, stamp: u64) -> bool {
        stamp >= self.forgotten
    }

    /// The checksum of all levels.
    pub(crate) const fn checksum(&self) -> u64 {
        self.checksum
    }

    /// The shares at a price.
    pub(crate) fn shares(&self, side: Side, price: u32) -> u64 {
        let place = self
            .side(side)
            .get(&price)
            .and_then(|&place| self.slots.get(place as usize));
        place.map_or(0, |level| level.shares)
    }

    /// Adds shares to a level.
    pub(crate) fn add(&mut self, side: Side, price: u32, shares: u32) {
        let now = self.shares(side, price).saturating_add(shares.into());
        self.set(side, price, now);
    }

    /// Takes shares off a level.
    pub(crate) fn take(&mut self, side: Side, price: u32, shares: u32) {
        let now = self.shares(side, price).saturating_sub(shares.into());
        self.set(side, price, now);
    }

    /// The best levels of a side, best first.
    pub(crate) fn best(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        let (bids, asks) = match side {
            Side::Buy => (Some(self.bids.values().rev()), None),
            Side::Sell => (None, Some(self.asks.values())),
        };
        let places = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        places.filter_map(|&place| self.slots.get(place as usize).copied())
    }

    /// The levels that changed after `stamp`, as they are now.
    pub(crate) fn since(&self, stamp: u64) -> impl Iterator<Item = Level> + '_ {
        self.recency
            .since(stamp)
            .filter_map(|place| self.slots.get(place as usize).copied())
    }

    const fn side(&self, side: Side) -> &BTreeMap<u32, u32> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn set(&mut self, side: Side, price: u32, shares: u64) {
        let levels = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        let place = match levels.get(&price) {
            Some(&place) => place,
            None if shares == 0 => return,
            None => {
                let place = match self.gone.remove(&(side, price)) {
                    Some(place) => {
                        self.gone_order.remove(&self.recency.stamp_of(place));
                        place
                    }
                    None => self.free.pop().unwrap_or_else(|| {
                        self.slots.push(Level { side, price, shares: 0 });
                        self.slots.len() as u32 - 1
                    }),
                };
                levels.insert(price, place);
                place
            }
        };
        let stamp = self.recency.touch(place);
        if let Some(level) = self.slots.get_mut(place as usize) {
            // A place that stood for another level has none.
            self.checksum = self.checksum.wrapping_sub(level_hash(side, price, level.shares));
            self.checksum = self.checksum.wrapping_add(level_hash(side, price, shares));
            *level = Level { side, price, shares };
        }
        if shares == 0 {
            levels.remove(&price);
            self.gone.insert((side, price), place);
            self.gone_order.insert(stamp, place);
            self.forget();
        }
    }

    /// Forgets the level that went first, where too many are gone.
    fn forget(&mut self) {
        if self.gone.len() <= GONE_LEVELS_MAX {
            return;
        }
        if let Some((stamp, place)) = self.gone_order.pop_first() {
            if let Some(level) = self.slots.get(place as usize) {
                self.gone.remove(&(level.side, level.price));
            }
            self.recency.remove(place);
            self.free.push(place);
            self.forgotten = stamp;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::checksum;

    fn sum(levels: &Levels) -> u64 {
        let all = levels.best(Side::Buy).chain(levels.best(Side::Sell));
        checksum(all.map(|level| (level.side, level.price, level.shares)))
    }

    #[test]
    fn a_level_is_told_as_it_is_now_and_gone_ones_until_they_are_forgotten() {
        let mut levels = Levels::new();
        levels.add(Side::Buy, 100, 5);
        levels.add(Side::Sell, 101, 7);
        let told = levels.stamp();
        levels.add(Side::Buy, 100, 5);
        levels.take(Side::Buy, 100, 10);
        levels.take(Side::Sell, 999, 1);
        let since = |levels: &Levels, stamp| levels.since(stamp).map(|l| (l.price, l.shares)).collect::<Vec<_>>();
        assert_eq!(since(&levels, told), [(100, 0)]);
        assert_eq!((levels.best(Side::Sell).count(), levels.checksum()), (1, sum(&levels)));
        for price in 200..200 + GONE_LEVELS_MAX as u32 {
            assert!(levels.remembers(told));
            levels.add(Side::Buy, price, 1);
            levels.take(Side::Buy, price, 1);
        }
        assert!(!levels.remembers(told), "the level at 100 was forgotten");
        levels.add(Side::Buy, 100, 3);
        assert_eq!(levels.shares(Side::Buy, 100), 3);
        assert_eq!(levels.checksum(), sum(&levels));
        let best: Vec<u32> = levels.best(Side::Buy).map(|level| level.price).collect();
        assert_eq!(best, [100]);
    }
}
