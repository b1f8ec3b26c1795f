//! Orders that stand and are counted, by their ids. The engine's live orders bound them.

use super::ledger::Working;
use crate::pool::{NONE, Pool};
use crate::slots::SlotTable;
use alloc::collections::BTreeMap;
use rialto_model::OrderId;

/// What stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// Orders' ids only rise ([`SlotTable`]), and those of the sides of quotes have a numbering of their own.
    orders: SlotTable,
    quotes: BTreeMap<OrderId, u32>,
    all: Pool<Working>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            orders: SlotTable::default(),
            quotes: BTreeMap::new(),
            all: Pool::new(0),
        }
    }
}

impl Standing {
    #[inline]
    fn slot(&self, id: OrderId) -> u32 {
        if id.is_quote() {
            self.quotes.get(&id).copied().unwrap_or(NONE)
        } else {
            self.orders.get(id.0)
        }
    }

    #[inline]
    pub(super) fn get(&self, id: OrderId) -> Option<&Working> {
        let slot = self.slot(id);
        (slot != NONE).then(|| &self.all[slot])
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: OrderId) -> Option<&mut Working> {
        let slot = self.slot(id);
        (slot != NONE).then(|| &mut self.all[slot])
    }

    /// One that has come to stand: an order with an id above those of all before it, or a side of a quote.
    #[inline]
    pub(super) fn insert(&mut self, id: OrderId, order: Working) {
        let slot = self.all.insert(order);
        if id.is_quote() {
            self.quotes.insert(id, slot);
        } else {
            self.orders.insert(id.0, slot);
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, id: OrderId) -> Option<Working> {
        let slot = self.slot(id);
        if slot == NONE {
            return None;
        }
        if id.is_quote() {
            self.quotes.remove(&id);
        } else {
            self.orders.remove(id.0);
        }
        let order = self.all[slot];
        self.all.release(slot);
        Some(order)
    }

    /// Nothing stands, and ids may begin again from the lowest.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
