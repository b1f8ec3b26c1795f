//! The price levels of one side of a book, best first.
//!
//! A level is found by its *rank*, the distance from the best price there can be, in a 64-ary trie: a bitmap and 64
//! children a node, six bits of the rank a step. The leaf that was used last is remembered, which serves most orders near
//! the touch; any other price costs the height of the trie and no more, near or far, however wide the book. Levels are chained in order of price, so the next best is one step.
//!
//! Levels and nodes are in pools that all books share. A level exists while an order rests in it.

use crate::pool::{NONE, Pool};

/// Bits of a rank that one node resolves.
const BITS: u32 = 6;
/// Nodes on the longest path: 32 bits of rank.
const HEIGHT_MAX: usize = 6;
/// The rank of an empty side's best: worse than any order can reach.
pub(crate) const RANK_NONE: u32 = u32::MAX;

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

/// A node of the trie. Children that the bitmap does not name are stale.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    bits: u64,
    children: [u32; 64],
}

/// The pools that ladders are built in.
#[derive(Clone, Debug)]
pub(crate) struct Rungs {
    pub(crate) levels: Pool<Level>,
    nodes: Pool<Node>,
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
    /// The leaf that was used last, and the upper bits of its ranks.
    finger: u32,
    finger_rank: u32,
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
    const EMPTY: Self = Self {
        bits: 0,
        children: [NONE; 64],
    };

    #[inline]
    const fn child(&self, digit: u32) -> Option<u32> {
        if self.bits >> digit & 1 == 1 {
            Some(self.children[digit as usize % 64])
        } else {
            None
        }
    }

    #[inline]
    const fn set(&mut self, digit: u32, child: u32) {
        self.bits |= 1 << digit;
        self.children[digit as usize % 64] = child;
    }

    #[inline]
    const fn clear(&mut self, digit: u32) {
        self.bits &= !(1 << digit);
    }

    /// The last child before `digit`.
    #[inline]
    const fn before(&self, digit: u32) -> Option<u32> {
        match self.bits & ((1 << digit) - 1) {
            0 => None,
            below => Some(self.children[below.ilog2() as usize % 64]),
        }
    }
}

impl Ladder {
    /// An empty side for ranks up to `rank_max`.
    pub(crate) fn new(rank_max: u32, rungs: &mut Rungs) -> Self {
        let bits = u32::BITS - rank_max.leading_zeros();
        let root = rungs.nodes.reuse(|| Node::EMPTY);
        Self {
            best: NONE,
            best_rank: RANK_NONE,
            root,
            height: bits.div_ceil(BITS).max(1),
            finger: NONE,
            finger_rank: RANK_NONE,
        }
    }

    /// The level of a rank, made where there is none.
    #[inline]
    pub(crate) fn level(&mut self, rank: u32, price: u32, rungs: &mut Rungs) -> u32 {
        if rank == self.best_rank {
            return self.best;
        }
        let leaf = self.leaf(rank, rungs);
        match rungs.nodes[leaf].child(digit(rank, 0)) {
            Some(level) => level,
            None => self.add(rank, price, leaf, rungs),
        }
    }

    /// Takes off a level that has no order any more.
    pub(crate) fn remove(&mut self, handle: u32, rungs: &mut Rungs) {
        let Level {
            rank, better, worse, ..
        } = rungs.levels[handle];
        match better {
            NONE => {
                self.best = worse;
                self.best_rank = if worse == NONE {
                    RANK_NONE
                } else {
                    rungs.levels[worse].rank
                };
            }
            better => rungs.levels[better].worse = worse,
        }
        if worse != NONE {
            rungs.levels[worse].better = better;
        }
        rungs.levels.release(handle);

        let leaf = self.leaf(rank, rungs);
        rungs.nodes[leaf].clear(digit(rank, 0));
        if rungs.nodes[leaf].bits == 0 {
            self.prune(rank, rungs);
        }
    }

    /// Every level, best first.
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
        if rank >> BITS != self.finger_rank {
            self.move_finger(rank, rungs);
        }
        self.finger
    }

    #[inline(never)]
    fn move_finger(&mut self, rank: u32, rungs: &mut Rungs) {
        let mut node = self.root;
        for depth in (1..self.height).rev() {
            node = child_or_new(node, digit(rank, depth), &mut rungs.nodes);
        }
        self.finger = node;
        self.finger_rank = rank >> BITS;
    }

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
        rungs.nodes[leaf].set(digit(rank, 0), handle);
        handle
    }

    /// The level before a rank that is not the best: in its leaf, or the last one below the nearest branch before its path.
    fn next_better(&self, rank: u32, leaf: u32, rungs: &Rungs) -> u32 {
        if let Some(level) = rungs.nodes[leaf].before(digit(rank, 0)) {
            return level;
        }
        let path = self.path(rank, rungs);
        for depth in 1..self.height {
            if let Some(mut node) = rungs.nodes[path[depth as usize]].before(digit(rank, depth)) {
                for _ in 0..depth {
                    let node_bits = &rungs.nodes[node];
                    node = node_bits.children[node_bits.bits.ilog2() as usize % 64];
                }
                return node;
            }
        }
        NONE
    }

    /// Frees the empty leaf of a rank and every node above it that it leaves empty, except the root.
    #[cold]
    fn prune(&mut self, rank: u32, rungs: &mut Rungs) {
        let path = self.path(rank, rungs);
        for depth in 1..self.height {
            let below = path[depth as usize - 1];
            if rungs.nodes[below].bits != 0 {
                return;
            }
            rungs.nodes.release(below);
            if below == self.finger {
                self.finger_rank = RANK_NONE;
            }
            rungs.nodes[path[depth as usize]].clear(digit(rank, depth));
        }
    }

    /// The nodes to a rank that has a leaf; the leaf is the first.
    fn path(&self, rank: u32, rungs: &Rungs) -> [u32; HEIGHT_MAX] {
        let mut path = [self.root; HEIGHT_MAX];
        for depth in (0..self.height - 1).rev() {
            let above = &rungs.nodes[path[depth as usize + 1]];
            path[depth as usize] = above.children[digit(rank, depth + 1) as usize];
        }
        path
    }
}

/// Six bits of a rank; depth 0 is the leaf's.
#[inline]
const fn digit(rank: u32, depth: u32) -> u32 {
    rank >> (depth * BITS) & 63
}

#[inline]
fn child_or_new(node: u32, digit: u32, nodes: &mut Pool<Node>) -> u32 {
    if let Some(child) = nodes[node].child(digit) {
        return child;
    }
    let child = nodes.reuse(|| Node::EMPTY);
    nodes[node].set(digit, child);
    child
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
        assert_eq!(
            (rungs.levels.live(), rungs.nodes.live()),
            (0, 2),
            "only the roots are left"
        );
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
