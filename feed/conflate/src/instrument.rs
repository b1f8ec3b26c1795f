//! One instrument as the full feed shows it: its orders, its levels, what was last said about it.

use alloc::collections::BTreeMap;

use rialto_itch::{Message, Mpid, OrderReference, Shares, Side, Stock};

use crate::levels::Levels;

/// A displayed order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its side.
    pub side: Side,
    /// Its price in units of 0.0001.
    pub price: u32,
    /// What is left of it.
    pub shares: Shares,
    /// Who asked to be named.
    pub attribution: Option<Mpid>,
}

#[derive(Clone, Debug)]
pub(crate) struct Instrument {
    pub(crate) stock: Stock,
    /// In the order of their references, which is the order they came to their price.
    pub(crate) orders: BTreeMap<OrderReference, Order>,
    pub(crate) levels: Levels,
    /// The last Stock Directory, Stock Trading Action, Reg SHO Restriction and LULD Auction Collar messages.
    pub(crate) directory: Option<Message>,
    pub(crate) action: Option<Message>,
    pub(crate) short_sale: Option<Message>,
    pub(crate) collar: Option<Message>,
    /// Commands that changed the book.
    pub(crate) commands: u64,
    /// Whether the command at hand has.
    pub(crate) changing: bool,
}

impl Instrument {
    /// What was last said about it beside its orders, as one says it anew.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = &Message> {
        let said = [&self.directory, &self.action, &self.short_sale, &self.collar];
        said.into_iter().flatten()
    }

    pub(crate) const fn new() -> Self {
        Self {
            stock: Stock([b' '; 8]),
            orders: BTreeMap::new(),
            levels: Levels::new(),
            directory: None,
            action: None,
            short_sale: None,
            collar: None,
            commands: 0,
            changing: false,
        }
    }

    pub(crate) fn add(&mut self, reference: OrderReference, order: Order) -> bool {
        if order.shares.0 == 0 || self.orders.contains_key(&reference) {
            return false;
        }
        self.orders.insert(reference, order);
        self.levels.add(order.side, order.price, order.shares.0);
        true
    }

    /// Takes shares off an order; all of them where `shares` is `None`. Gives the order as it was.
    pub(crate) fn take(&mut self, reference: OrderReference, shares: Option<Shares>) -> Option<Order> {
        let order = self.orders.get_mut(&reference)?;
        let before = *order;
        let taken = shares.unwrap_or(before.shares);
        let left = before.shares.0.checked_sub(taken.0).filter(|_| taken.0 > 0)?;
        order.shares = Shares(left);
        if left == 0 {
            self.orders.remove(&reference);
        }
        self.levels.take(before.side, before.price, taken.0);
        Some(before)
    }
}
