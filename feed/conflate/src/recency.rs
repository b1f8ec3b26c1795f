//! Which of many things changed last: a list through a table, newest at its end. Touching one costs the same however many
//! there are, and asking costs as much as there is to be told.

use alloc::vec::Vec;

/// No neighbour.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
    /// When it last changed; 0 for never, and then it is not in the list.
    stamp: u64,
}

/// Things by number, in the order of their last change.
#[derive(Clone, Debug)]
pub(crate) struct Recency {
    links: Vec<Link>,
    oldest: u32,
    newest: u32,
    /// The stamp of the last change.
    stamp: u64,
}

impl Recency {
    pub(crate) const fn new() -> Self {
        Self {
            links: Vec::new(),
            oldest: NONE,
            newest: NONE,
            stamp: 0,
        }
    }

    /// The stamp of the last change of any.
    pub(crate) const fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Forgets what changed; stamps go on from where they are.
    pub(crate) fn clear(&mut self) {
        self.links.clear();
        self.oldest = NONE;
        self.newest = NONE;
    }

    /// Takes note that a thing has changed, and gives the stamp of that.
    pub(crate) fn touch(&mut self, index: u32) -> u64 {
        let place = index as usize;
        if self.links.len() <= place {
            self.links.resize(
                place + 1,
                Link {
                    older: NONE,
                    newer: NONE,
                    stamp: 0,
                },
            );
        }
        self.remove(index);
        self.stamp += 1;
        let link = Link {
            older: self.newest,
            newer: NONE,
            stamp: self.stamp,
        };
        if let Some(slot) = self.links.get_mut(place) {
            *slot = link;
        }
        match self.links.get_mut(self.newest as usize) {
            Some(before) => before.newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
        self.stamp
    }

    /// Takes a thing out of the list.
    pub(crate) fn remove(&mut self, index: u32) {
        let Some(slot) = self.links.get_mut(index as usize).filter(|link| link.stamp > 0) else {
            return;
        };
        slot.stamp = 0;
        let Link { older, newer, .. } = *slot;
        match self.links.get_mut(older as usize) {
            Some(link) => link.newer = newer,
            None => self.oldest = newer,
        }
        match self.links.get_mut(newer as usize) {
            Some(link) => link.older = older,
            None => self.newest = older,
        }
    }

    /// When a thing last changed; 0 for never.
    pub(crate) fn stamp_of(&self, index: u32) -> u64 {
        self.links.get(index as usize).map_or(0, |link| link.stamp)
    }

    /// Those that changed after `stamp`, the last change first.
    pub(crate) fn since(&self, stamp: u64) -> impl Iterator<Item = u32> + '_ {
        let mut next = self.newest;
        core::iter::from_fn(move || {
            let link = self.links.get(next as usize).filter(|link| link.stamp > stamp)?;
            let index = next;
            next = link.older;
            Some(index)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_comes_first() {
        let mut recency = Recency::new();
        for index in [3, 1, 2, 3, 0] {
            recency.touch(index);
        }
        let since = |recency: &Recency, stamp| recency.since(stamp).collect::<Vec<_>>();
        assert_eq!(since(&recency, 0), [0, 3, 2, 1]);
        assert_eq!(since(&recency, 3), [0, 3]);
        assert_eq!(since(&recency, 5), [0u32; 0]);
        recency.remove(3);
        recency.remove(1);
        recency.remove(1);
        assert_eq!(since(&recency, 0), [0, 2]);
        recency.remove(0);
        recency.remove(2);
        assert_eq!(since(&recency, 0), [0u32; 0]);
        assert_eq!(recency.touch(2), 6);
        recency.clear();
        assert_eq!((since(&recency, 0), recency.stamp()), (Vec::new(), 6));
    }
}
