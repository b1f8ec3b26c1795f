//! The price levels of one side of a book, best first.
//!
//! A level is found by its *rank*, the distance from the best price there can be, in a 64-ary trie: six bits of the rank a
//! step. The leaves that were used last are remembered by their ranks ([`FINGERS`]), which serves nearly every order; any
//! other price costs the height of the trie and no more, near or far, however wide the book. Levels are chained in order
//! of price, so the next best is one step.
//!
//! Levels and nodes are in pools that all books share. A level exists while an order rests in it. A leaf that has lost its
//! last level stays where it is, for prices come back, and the nodes above it learn of it only when a search comes by.
//! When more than [`IDLE_MIN`] leaves of a side stand empty, and more than do not, all of them are given back: a side
//! takes at most twice the memory that its levels need.

use crate::pool::{NONE, Pool};

/// Bits of a rank that one node resolves.
const BITS: u32 = 6;
/// The rank of an empty side's best: worse than any order can reach.
pub(crate) const RANK_NONE: u32 = u32::MAX;
/// Leaves that are remembered, each at its number modulo this.
const FINGERS: usize = 8;
/// Empty leaves that a side may always keep.
const IDLE_MIN: u32 = 64;

/// The orders at one price, first in, first out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// The quantity of all its orders. 2^24 orders of 10^9 stay below 2^54.
    pub(crate) total: u64,
    pub(crate) price: u32,
    pub(crate) rank: u32,
    /// The oldest order.
    pub(crate) head: u32,
    /// The youngest order.
    pub(crate) tail: u32,
    /// The next better level.
    better: u32,
    /// The next worse level.
    pub(crate) worse: u32,
}

/// A node of the trie.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// In a leaf, the levels that there are; above, the children below which there may be one: no other has any.
    used: u64,
    /// Children that exist. Nothing in a leaf.
    made: u64,
    parent: u32,
    children: [u32; 64],
}

/// The pools that ladders are built in.
#[derive(Clone, Debug)]
pub(crate) struct Rungs {
    pub(crate) levels: Pool<Level>,
    nodes: Pool<Node>,
}

/// A leaf by the upper bits of its ranks.
#[derive(Clone, Copy, Debug)]
struct Finger {
    number: u32,
    leaf: u32,
}

/// One side of a book.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    /// The best level, or [`NONE`].
    pub(crate) best: u32,
    /// Its rank, or [`RANK_NONE`].
    pub(crate) best_rank: u32,
    root: u32,
    /// Nodes on a path from root to leaf, at least 1.
    height: u32,
    /// Leaves, and those of them that are empty.
    leaves: u32,
    idle: u32,
    fingers: [Finger; FINGERS],
}

impl Rungs {
    pub(crate) fn new() -> Self {
        Self {
            levels: Pool::new(0),
            nodes: Pool::new(0),
        }
    }
}

impl Node {
    /// A new one, or one that was given back, for a new place.
    fn place(parent: u32, nodes: &mut Pool<Self>) -> u32 {
        let handle = nodes.reuse(|| Self {
            used: 0,
            made: 0,
            parent,
            children: [NONE; 64],
        });
        let node = &mut nodes[handle];
        (node.used, node.made, node.parent) = (0, 0, parent);
        handle
    }

    #[inline]
    const fn level(&self, digit: u32) -> Option<u32> {
        if self.used >> digit & 1 == 1 {
            Some(self.children[digit as usize % 64])
        } else {
            None
        }
    }

    /// The used child with the highest digit below this one.
    #[inline]
    const fn before(&self, digit: u32) -> Option<u32> {
        match self.used & ((1 << digit) - 1) {
            0 => None,
            below => Some(self.children[below.ilog2() as usize % 64]),
        }
    }
}

impl Finger {
    /// Remembers nothing: the number of a leaf has at most 26 bits.
    const NONE: Self = Self {
        number: u32::MAX,
        leaf: NONE,
    };
}

impl Ladder {
    /// An empty side with ranks up to `rank_max`.
    pub(crate) fn new(rank_max: u32, rungs: &mut Rungs) -> Self {
        let bits = u32::BITS - rank_max.leading_zeros();
        let height = bits.div_ceil(BITS).max(1);
        let leaves = u32::from(height == 1);
        Self {
            best: NONE,
            best_rank: RANK_NONE,
            root: Node::place(NONE, &mut rungs.nodes),
            height,
            leaves,
            idle: leaves,
            fingers: [Finger::NONE; FINGERS],
        }
    }

    /// The level of a rank, made where there is none.
    #[inline]
    pub(crate) fn level(&mut self, rank: u32, price: u32, rungs: &mut Rungs) -> u32 {
        if rank == self.best_rank {
            return self.best;
        }
        let leaf = self.leaf(rank, rungs);
        match rungs.nodes[leaf].level(rank & 63) {
            Some(level) => level,
            None => self.add(rank, price, leaf, rungs),
        }
    }

    /// Takes away a level without orders.
    #[inline]
    pub(crate) fn remove(&mut self, handle: u32, rungs: &mut Rungs) {
        let Level {
            rank, better, worse, ..
        } = rungs.levels[handle];
        if worse != NONE {
            rungs.levels[worse].better = better;
        }
        if better == NONE {
            self.best = worse;
            self.best_rank = if worse == NONE {
                RANK_NONE
            } else {
                rungs.levels[worse].rank
            };
        } else {
            rungs.levels[better].worse = worse;
        }
        rungs.levels.release(handle);

        let leaf = self.leaf(rank, rungs);
        let node = &mut rungs.nodes[leaf];
        node.used &= !(1 << (rank & 63));
        if node.used == 0 {
            self.idle += 1;
            if self.idle > IDLE_MIN && self.idle > self.leaves / 2 {
                self.sweep(rungs);
            }
        }
    }

    /// The levels, best first.
    pub(crate) fn levels<'a>(&self, rungs: &'a Rungs) -> impl Iterator<Item = &'a Level> + use<'a> {
        let mut next = self.best;
        core::iter::from_fn(move || {
            if next == NONE {
                return None;
            }
            let level = &rungs.levels[next];
            next = level.worse;
            Some(level)
        })
    }

    /// The leaf of a rank, made where there is none.
    #[inline]
    fn leaf(&mut self, rank: u32, rungs: &mut Rungs) -> u32 {
        let number = rank >> BITS;
        let finger = self.fingers[number as usize % FINGERS];
        if finger.number == number {
            finger.leaf
        } else {
            self.descend(rank, rungs)
        }
    }

    /// Finds or makes the leaf of a rank from the root and remembers it.
    #[inline(never)]
    fn descend(&mut self, rank: u32, rungs: &mut Rungs) -> u32 {
        let mut leaf = self.root;
        for depth in (1..self.height).rev() {
            let digit = digit(rank, depth);
            let node = &rungs.nodes[leaf];
            leaf = if node.made >> digit & 1 == 1 {
                node.children[digit as usize % 64]
            } else {
                self.make_child(leaf, depth, digit, rungs)
            };
        }
        let number = rank >> BITS;
        self.fingers[number as usize % FINGERS] = Finger { number, leaf };
        leaf
    }

    /// A new node below one that is `depth` steps above the leaves.
    #[cold]
    fn make_child(&mut self, parent: u32, depth: u32, digit: u32, rungs: &mut Rungs) -> u32 {
        let child = Node::place(parent, &mut rungs.nodes);
        let node = &mut rungs.nodes[parent];
        node.made |= 1 << digit;
        node.children[digit as usize % 64] = child;
        if depth == 1 {
            self.leaves += 1;
            self.idle += 1;
        }
        child
    }

    /// Makes a level and puts it in its place in the chain.
    #[inline(never)]
    fn add(&mut self, rank: u32, price: u32, leaf: u32, rungs: &mut Rungs) -> u32 {
        let better = if rank < self.best_rank {
            NONE
        } else {
            self.next_better(rank, leaf, rungs)
        };
        let worse = if better == NONE {
            self.best
        } else {
            rungs.levels[better].worse
        };
        let level = Level {
            total: 0,
            price,
            rank,
            head: NONE,
            tail: NONE,
            better,
            worse,
        };
        let handle = rungs.levels.insert(level);
        if better == NONE {
            self.best = handle;
            self.best_rank = rank;
        } else {
            rungs.levels[better].worse = handle;
        }
        if worse != NONE {
            rungs.levels[worse].better = handle;
        }
        let node = &mut rungs.nodes[leaf];
        let was_empty = node.used == 0;
        node.used |= 1 << (rank & 63);
        node.children[rank as usize & 63] = handle;
        if was_empty {
            self.idle -= 1;
            self.tell(leaf, rank, rungs);
        }
        handle
    }

    /// A leaf has its first level: the nodes above it learn of it, up to the first that knows.
    #[inline]
    fn tell(&self, leaf: u32, rank: u32, rungs: &mut Rungs) {
        let mut node = leaf;
        for depth in 1..self.height {
            node = rungs.nodes[node].parent;
            let above = &mut rungs.nodes[node];
            let bit = 1 << digit(rank, depth);
            if above.used & bit != 0 {
                return;
            }
            above.used |= bit;
        }
    }

    /// Gives back every empty leaf, and what is above empty leaves alone. Each was made or emptied since the last time, so
    /// it costs them a walk each.
    #[cold]
    fn sweep(&mut self, rungs: &mut Rungs) {
        self.give_back(self.root, self.height - 1, rungs);
        self.fingers = [Finger::NONE; FINGERS];
    }

    /// Gives back what is empty below a node that is `depth` steps above the leaves. Whether the node is empty itself.
    fn give_back(&mut self, node: u32, depth: u32, rungs: &mut Rungs) -> bool {
        if depth == 0 {
            return rungs.nodes[node].used == 0;
        }
        let mut left = rungs.nodes[node].made;
        while left != 0 {
            let digit = left.trailing_zeros();
            left &= left - 1;
            let child = rungs.nodes[node].children[digit as usize % 64];
            if self.give_back(child, depth - 1, rungs) {
                rungs.nodes.release(child);
                let node = &mut rungs.nodes[node];
                node.made &= !(1 << digit);
                node.used &= !(1 << digit);
                if depth == 1 {
                    self.leaves -= 1;
                    self.idle -= 1;
                }
            }
        }
        rungs.nodes[node].made == 0
    }

    /// The level before a rank that has none, seen from its leaf.
    fn next_better(&self, rank: u32, leaf: u32, rungs: &mut Rungs) -> u32 {
        if let Some(level) = rungs.nodes[leaf].before(rank & 63) {
            return level;
        }
        let mut above = leaf;
        for depth in 1..self.height {
            above = rungs.nodes[above].parent;
            let level = last_below(above, depth, (1 << digit(rank, depth)) - 1, &mut rungs.nodes);
            if level != NONE {
                return level;
            }
        }
        NONE
    }
}

/// The last level below a node that is `depth` steps above the leaves, under the children that `mask` names. A node on the
/// way that turns out to be empty is not looked at again until it has a level.
fn last_below(node: u32, depth: u32, mask: u64, nodes: &mut Pool<Node>) -> u32 {
    loop {
        let below = nodes[node].used & mask;
        if below == 0 {
            return NONE;
        }
        let digit = below.ilog2();
        let child = nodes[node].children[digit as usize % 64];
        if depth == 0 {
            return child;
        }
        let level = last_below(child, depth - 1, u64::MAX, nodes);
        if level != NONE {
            return level;
        }
        nodes[node].used &= !(1 << digit);
    }
}

/// The six bits of a rank that a node `depth` steps above the leaves resolves.
#[inline]
const fn digit(rank: u32, depth: u32) -> u32 {
    rank >> (depth * BITS) & 63
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Adds and removes levels next to a map that does the same.
    fn compare(rank_max: u32, steps: &[(u32, bool)]) {
        let mut rungs = Rungs::new();
        let mut ladder = Ladder::new(rank_max, &mut rungs);
        let mut other = Ladder::new(rank_max, &mut rungs);
        let kept = other.level(rank_max / 2, 7, &mut rungs);
        let mut model = BTreeMap::new();
        for (rank, add) in steps {
            let rank = rank % (rank_max.saturating_add(1)).max(1);
            if *add {
                let level = ladder.level(rank, rank, &mut rungs);
                assert_eq!(*model.entry(rank).or_insert(level), level, "one level for a rank");
            } else if let Some(rank) = model.range(rank..).next().map(|(rank, _)| *rank) {
                ladder.remove(model.remove(&rank).expect("it is there"), &mut rungs);
            }
            assert_eq!(ladder.best_rank, model.keys().next().copied().unwrap_or(RANK_NONE));
            assert_eq!(ladder.best, model.values().next().copied().unwrap_or(NONE));
        }
        assert!(
            ladder.levels(&rungs).map(|level| level.price).eq(model.keys().copied()),
            "best first"
        );
        assert_eq!(rungs.levels.live(), model.len() + 1);
        for level in model.into_values() {
            ladder.remove(level, &mut rungs);
        }
        assert_eq!(ladder.best, NONE);
        assert_eq!(other.best, kept, "ladders share pools and nothing else");
        other.remove(kept, &mut rungs);
        assert_eq!(rungs.levels.live(), 0);
        for side in [&ladder, &other] {
            assert!(side.leaves <= IDLE_MIN, "no more is kept");
            assert_eq!(side.idle, side.leaves, "every leaf is empty");
        }
        ladder.sweep(&mut rungs);
        other.sweep(&mut rungs);
        assert_eq!(rungs.nodes.live(), 2, "only the roots are left");
    }

    proptest! {
        #![proptest_config(crate::test_seed())]
        #[test]
        fn a_ladder_is_a_sorted_map(
            rank_max in prop_oneof![Just(0), Just(63), Just(64), Just(4_095), Just(4_096), Just(20_000_000), Just(u32::MAX - 1)],
            middle in any::<u32>(),
            steps in prop::collection::vec(
                (prop_oneof![6 => 0u32..100, 2 => 0u32..10_000, 1 => any::<u32>()], prop::bool::weighted(0.6)), 1..400,
            ),
        ) {
            let steps: Vec<(u32, bool)> = steps.into_iter().map(|(rank, add)| (middle.wrapping_add(rank), add)).collect();
            compare(rank_max, &steps);
        }
    }
}
