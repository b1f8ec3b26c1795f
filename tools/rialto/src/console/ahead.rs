//! Where the desk's orders stand in their queues: the desk says which orders, whoever has the books says what is before each.
//! It is told to who has the venue's key alone, with the orders.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Shares before each order at its price, by its reference on the feed; `None` until it was seen there. As many as the desk has
/// orders.
#[derive(Default)]
pub(super) struct Ahead(Mutex<Known>);

#[derive(Default)]
struct Known {
    orders: BTreeMap<u64, Option<u64>>,
    news: bool,
}

impl Ahead {
    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// These orders are wanted from now on, and no others.
    pub(super) fn want(&self, orders: impl Iterator<Item = u64>) {
        self.known(|known| {
            let before = std::mem::take(&mut known.orders);
            known.orders = orders.map(|one| (one, before.get(&one).copied().flatten())).collect();
        });
    }

    /// Looks into the books.
    pub(super) fn look(&self, find: impl Fn(u64) -> Option<u64>) {
        self.known(|known| {
            for (order, ahead) in &mut known.orders {
                let found = find(*order);
                known.news |= found != *ahead;
                *ahead = found;
            }
        });
    }

    /// Whether anything is new since this was asked last.
    pub(super) fn take_news(&self) -> bool {
        self.known(|known| std::mem::take(&mut known.news))
    }

    pub(super) fn of(&self, order: u64) -> Option<u64> {
        self.known(|known| known.orders.get(&order).copied().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_looked_up_and_news_are_told_once() {
        let ahead = Ahead::default();
        ahead.want([7, 9].into_iter());
        assert!(!ahead.take_news());
        ahead.look(|order| (order == 7).then_some(300));
        assert!(ahead.take_news() && !ahead.take_news());
        assert_eq!((ahead.of(7), ahead.of(9), ahead.of(8)), (Some(300), None, None));
        ahead.look(|order| (order == 7).then_some(300));
        assert!(!ahead.take_news());
        // What is known of an order stays while it is wanted.
        ahead.want([7].into_iter());
        assert_eq!(ahead.of(7), Some(300));
        ahead.want([9].into_iter());
        assert_eq!(ahead.of(7), None);
    }
}
