//! Orders that the duplicate-order guard goes by: as they came, and by what they ask for.

use crate::members::{Likeness, Recent};
use alloc::collections::{BTreeMap, VecDeque};
use rialto_model::Timestamp;
use rialto_model::member::RECENT_ORDERS_MAX;

/// At most [`RECENT_ORDERS_MAX`]; at the bound the oldest is forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Recents {
    /// Oldest first: stamps never fall.
    orders: VecDeque<Recent>,
    /// When the last of each kind came.
    last: BTreeMap<Likeness, Timestamp>,
}

impl Recents {
    /// Those of a state.
    pub(super) fn of(recents: &[Recent]) -> Self {
        Self {
            orders: recents.iter().copied().collect(),
            last: recents.iter().map(|recent| (recent.order, recent.stamp)).collect(),
        }
    }

    /// As they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Recent> {
        self.orders.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.orders.clear();
        self.last.clear();
    }

    /// Whether an order like this came within a window of milliseconds before now.
    pub(super) fn has(&self, order: &Likeness, window: u32, now: Timestamp) -> bool {
        let last = self.last.get(order);
        last.is_some_and(|stamp| is_recent(*stamp, window, now))
    }

    /// Takes one in, and forgets those that came before the window.
    pub(super) fn remember(&mut self, now: Timestamp, order: Likeness, window: u32) {
        while let Some(oldest) = self.orders.front().copied()
            && (self.orders.len() >= RECENT_ORDERS_MAX || !is_recent(oldest.stamp, window, now))
        {
            self.orders.pop_front();
            if self.last.get(&oldest.order) == Some(&oldest.stamp) {
                self.last.remove(&oldest.order);
            }
        }
        self.orders.push_back(Recent { stamp: now, order });
        self.last.insert(order, now);
    }
}

/// Whether a stamp lies within a window of milliseconds before now.
const fn is_recent(stamp: Timestamp, window: u32, now: Timestamp) -> bool {
    stamp.0.saturating_add(window as u64 * 1_000_000) > now.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use rialto_model::Quantity;

    fn order(quantity: u64) -> Likeness {
        Likeness {
            quantity: Quantity(quantity),
            ..Likeness::default()
        }
    }

    proptest! {
        #![proptest_config(crate::test_seed())]
        #[test]
        fn it_is_a_list_that_is_searched(steps in prop::collection::vec((0u64..3_000_000, 0u64..6, 1u32..9), 1..900)) {
            let (mut recents, mut list, mut now) = (Recents::default(), Vec::<Recent>::new(), Timestamp(0));
            for (passes, quantity, window) in steps {
                now = Timestamp(now.0 + passes);
                let order = order(quantity);
                let known = list.iter().any(|one| one.order == order && is_recent(one.stamp, window, now));
                prop_assert_eq!(recents.has(&order, window, now), known);
                list.retain(|one| is_recent(one.stamp, window, now));
                if list.len() >= RECENT_ORDERS_MAX {
                    list.remove(0);
                }
                list.push(Recent { stamp: now, order });
                recents.remember(now, order, window);
                prop_assert!(recents.iter().eq(&list));
            }
        }
    }
}
