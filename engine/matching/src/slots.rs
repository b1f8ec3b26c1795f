//! From a rising number to a pool slot: user references of a session, order ids of the venue.
//!
//! Both kinds of number only ever rise, so the live ones crowd at the recent end. A window over the most recent numbers is
//! indexed directly; a number that is still live when the window has moved on is in a sorted list. No number is hashed.
//!
//! **Memory** is bounded by the live numbers, whatever numbers a client chooses: a window doubles only while at least one
//! in [`SPARSE`] of its numbers is live, so it takes at most 64 bytes for each that was ever live at one time, and never
//! more than four megabytes ([`WINDOW_MAX`]); an older number takes at most 32 bytes. A jump costs one walk over the window.

use crate::pool::NONE;
use alloc::vec;
use alloc::vec::Vec;

/// Numbers that a new table's window has.
const WINDOW_FIRST: usize = 64;
/// Numbers that a window has at most.
const WINDOW_MAX: usize = 1 << 20;
/// Numbers that may be skipped at no more cost than a look at each.
const GAP_MAX: u64 = 16;
/// A window in which fewer than one in this many numbers is live lets the oldest go instead of growing.
const SPARSE: usize = 8;

/// A table from rising numbers to slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlotTable {
    /// Number `n` is at `n` modulo the length, for the `length` numbers up to `newest`; [`NONE`] where it is dead. The length
    /// is a power of two.
    window: Vec<u32>,
    /// The highest number so far.
    newest: u64,
    /// How many numbers in the window are live.
    live: usize,
    /// Live numbers that fell out of the window, in order; [`NONE`] where one has died since.
    old: Vec<(u64, u32)>,
    /// How many of `old` are dead.
    dead: usize,
}

impl SlotTable {
    /// The slot of a number, or [`NONE`].
    #[inline]
    pub(crate) fn get(&self, number: u64) -> u32 {
        if self.covers(number) {
            self.window[self.at(number)]
        } else {
            self.get_old(number)
        }
    }

    /// Gives a slot to a number that is above every number before it.
    #[inline]
    pub(crate) fn insert(&mut self, number: u64, slot: u32) {
        let mask = self.window.len().wrapping_sub(1);
        let is_near = number - self.newest <= GAP_MAX;
        let mut skipped = self.newest + 1..number;
        if is_near
            && skipped.all(|number| self.window.get(number as usize & mask) == Some(&NONE))
            && let Some(place) = self.window.get_mut(number as usize & mask)
            && *place == NONE
        {
            *place = slot;
            self.newest = number;
            self.live += 1;
        } else {
            self.insert_behind_gap(number, slot);
        }
    }

    /// The window is moved up first.
    #[inline(never)]
    fn insert_behind_gap(&mut self, number: u64, slot: u32) {
        self.move_up(number);
        let at = self.at(number);
        self.window[at] = slot;
        self.live += 1;
    }

    /// Forgets a number that has a slot.
    #[inline]
    pub(crate) fn remove(&mut self, number: u64) {
        if self.covers(number) {
            let at = self.at(number);
            if let Some(place) = self.window.get_mut(at) {
                *place = NONE;
            }
            self.live -= 1;
        } else {
            self.remove_old(number);
        }
    }

    /// Every live slot, in order of number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let old = self.old.iter().map(|(_, slot)| *slot);
        let window = self.numbers().map(|number| self.window[self.at(number)]);
        old.chain(window).filter(|slot| *slot != NONE)
    }

    /// Forgets every number, so that they may begin again from the lowest.
    pub(crate) fn clear(&mut self) {
        self.window.fill(NONE);
        self.newest = 0;
        self.live = 0;
        self.old.clear();
        self.dead = 0;
    }

    #[inline]
    fn covers(&self, number: u64) -> bool {
        self.newest.wrapping_sub(number) < self.window.len() as u64
    }

    #[inline]
    fn at(&self, number: u64) -> usize {
        number as usize & self.window.len().wrapping_sub(1)
    }

    /// The numbers that the window covers.
    fn numbers(&self) -> core::ops::RangeInclusive<u64> {
        (self.newest + 1).saturating_sub(self.window.len() as u64)..=self.newest
    }

    /// Moves the window up to a number behind a gap, or to one that a live number is in the way of.
    fn move_up(&mut self, number: u64) {
        let is_free = |number| self.window.get(self.at(number)) == Some(&NONE);
        if (self.newest + 1..=number).take(self.window.len().max(1)).all(is_free) {
            self.newest = number;
        } else {
            self.make_way(number);
        }
    }

    /// The window grows while it is well used, and lets the oldest go where it is not.
    #[cold]
    fn make_way(&mut self, number: u64) {
        while number - self.newest > 0 {
            let next = self.newest + 1;
            let at = self.at(next);
            match self.window.get(at).copied() {
                Some(NONE) => {}
                Some(slot) if self.is_sparse() => {
                    self.window[at] = NONE;
                    self.live -= 1;
                    self.old.push((next - self.window.len() as u64, slot));
                }
                _ => {
                    self.grow();
                    continue;
                }
            }
            self.newest = next;
            if self.live == 0 {
                self.newest = number;
            }
        }
    }

    fn is_sparse(&self) -> bool {
        self.live * SPARSE < self.window.len() || self.window.len() >= WINDOW_MAX
    }

    /// Doubles the window, which takes back what it covers again.
    fn grow(&mut self) {
        let mut window = vec![NONE; (self.window.len() * 2).max(WINDOW_FIRST)];
        let mask = window.len() - 1;
        if !self.window.is_empty() {
            for number in self.numbers() {
                window[number as usize & mask] = self.window[self.at(number)];
            }
        }
        self.window = window;
        while let Some((number, slot)) = self.old.pop_if(|(number, _)| self.newest - *number <= mask as u64) {
            if slot == NONE {
                self.dead -= 1;
            } else {
                let at = self.at(number);
                self.window[at] = slot;
                self.live += 1;
            }
        }
    }

    fn get_old(&self, number: u64) -> u32 {
        self.old_position(number).map_or(NONE, |at| self.old[at].1)
    }

    fn old_position(&self, number: u64) -> Option<usize> {
        self.old.binary_search_by_key(&number, |(number, _)| *number).ok()
    }

    /// Dead entries are swept when they are the greater part, so that each costs its share of one move.
    #[cold]
    fn remove_old(&mut self, number: u64) {
        let Some(at) = self.old_position(number) else { return };
        self.old[at].1 = NONE;
        self.dead += 1;
        if self.dead * 2 > self.old.len() {
            self.old.retain(|(_, slot)| *slot != NONE);
            self.dead = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Gives rising numbers, far apart now and then, and forgets some, next to a map that does the same.
    fn compare(steps: &[(u32, u8, u16)]) {
        let mut table = SlotTable::default();
        let mut model = BTreeMap::new();
        let mut number = 0;
        for (at, (gap, forget, which)) in (0..).zip(steps) {
            number += u64::from(*gap) + 1;
            table.insert(number, at);
            model.insert(number, at);
            for _ in 0..forget % 3 {
                let Some(name) = model.keys().nth(usize::from(*which) % model.len().max(1)).copied() else {
                    break;
                };
                model.remove(&name);
                table.remove(name);
                assert_eq!(table.get(name), NONE, "{name} was forgotten");
            }
            for missing in [0, number - 1, number + 1, number + (1 << 40), u64::MAX] {
                assert_eq!(
                    table.get(missing),
                    model.get(&missing).copied().unwrap_or(NONE),
                    "{missing}"
                );
            }
        }
        for (name, slot) in &model {
            assert_eq!(table.get(*name), *slot, "{name}");
        }
        assert!(table.iter().eq(model.values().copied()), "in order of number");
        table.clear();
        assert_eq!(table.iter().next(), None);
        table.insert(1, 9);
        assert_eq!(table.get(1), 9, "numbers begin again");
    }

    proptest! {
        #![proptest_config(crate::test_seed())]
        #[test]
        fn a_table_is_a_map(steps in prop::collection::vec(
            (prop_oneof![12 => 0u32..3, 3 => 0u32..200, 1 => 0u32..5_000_000], any::<u8>(), any::<u16>()), 1..600,
        )) {
            compare(&steps);
        }
    }

    #[test]
    fn memory_is_bounded_by_what_is_live_however_the_numbers_jump() {
        let mut table = SlotTable::default();
        let mut number = 0;
        for slot in 0..4_000 {
            number += 1 << 20;
            table.insert(number, slot);
        }
        assert_eq!(table.get(1 << 20), 0);
        assert_eq!(table.get(4_000 << 20), 3_999);
        let bytes = table.window.len() * 4 + table.old.capacity() * 16;
        assert!(bytes <= 4_000 * 64, "{bytes} bytes for 4,000 numbers");
    }

    #[test]
    fn a_jump_costs_one_walk_however_far_it_is() {
        let mut table = SlotTable::default();
        for (slot, number) in [(1, 1), (2, 1 << 50), (3, 1 << 60)] {
            table.insert(number, slot);
        }
        table.remove(1 << 60);
        table.insert(1 << 61, 4);
        assert_eq!(
            [1, 1 << 50, 1 << 60, 1 << 61].map(|number| table.get(number)),
            [1, 2, NONE, 4]
        );
    }

    #[test]
    fn a_window_grows_while_it_is_well_used_and_no_further_than_its_bound() {
        let mut table = SlotTable::default();
        for number in 1..=3 * WINDOW_MAX as u64 {
            table.insert(number, number as u32);
        }
        assert_eq!(table.window.len(), WINDOW_MAX);
        assert_eq!(table.old.len(), 2 * WINDOW_MAX);
        for number in [1, WINDOW_MAX as u64, 3 * WINDOW_MAX as u64] {
            assert_eq!(table.get(number), number as u32);
        }
        for number in 1..=2 * WINDOW_MAX as u64 {
            table.remove(number);
        }
        assert_eq!(table.old.len(), 0, "the dead are swept");
    }
}
