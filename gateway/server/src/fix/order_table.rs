//! What the reports of an order say of it beside the event at hand: filled by events alone, bounded by the engine's live
//! orders.

use std::collections::hash_map::Entry;

use foldhash::HashMap;
use rialto_model::event::{Accepted, Quoted, Replaced, Triggered};
use rialto_model::{
    AccountId, FirmId, Handling, Instructions, InstrumentId, OrderId, OrderKind, Price, Quantity, SessionId, ShortSale,
    Side, Text, TimeInForce, UserRef,
};

use super::codes::OrdStatus;
use super::names::Ended;
use crate::shelf::Shelf;

/// A live order of a FIX session, or of a firm that has a drop copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) session: SessionId,
    pub(super) firm: FirmId,
    pub(super) order_id: OrderId,
    pub(super) user_ref: UserRef,
    pub(super) client_id: Text,
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) short: ShortSale,
    pub(super) kind: OrderKind,
    pub(super) tif: TimeInForce,
    pub(super) price: Price,
    pub(super) leaves: Quantity,
    pub(super) executed: Executed,
    pub(super) instructions: Instructions,
    /// Where a peg stands; zero: nowhere.
    pub(super) pegged: Price,
    /// Executed, and undone since: not open again, so the total still has it.
    pub(super) undone: u64,
}

/// What of an order was executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Executed {
    pub(super) quantity: u64,
    /// Price times quantity, summed: at most 2^32 times 2^30 each, and no order trades 2^60 times.
    notional: i128,
}

/// Digits of AvgPx(6) beyond those of the instrument's prices.
const AVERAGE_DIGITS: u32 = 4;

impl Executed {
    pub(super) fn add(&mut self, quantity: Quantity, price: Price) {
        self.quantity = self.quantity.saturating_add(quantity.0);
        self.notional = self
            .notional
            .saturating_add(i128::from(price.0) * i128::from(quantity.0));
    }

    /// Takes back what a trade added.
    pub(super) fn take_back(&mut self, quantity: Quantity, price: Price) {
        self.quantity = self.quantity.saturating_sub(quantity.0);
        self.notional = self
            .notional
            .saturating_sub(i128::from(price.0) * i128::from(quantity.0));
    }

    /// The average price, rounded half up, and the digits it has at an instrument of this scale.
    pub(super) fn average(&self, scale: u8) -> (i64, u32) {
        let quantity = i128::from(self.quantity.max(1));
        let average = (self.notional * 10_i128.pow(AVERAGE_DIGITS) + quantity / 2).div_euclid(quantity);
        (
            i64::try_from(average).unwrap_or(i64::MAX),
            u32::from(scale) + AVERAGE_DIGITS,
        )
    }
}

impl Order {
    pub(super) fn accepted(event: &Accepted) -> Self {
        Self {
            session: event.session,
            firm: event.firm,
            order_id: event.order_id,
            user_ref: event.user_ref,
            client_id: event.client_id,
            account: event.account,
            instrument: event.instrument,
            side: event.side,
            short: event.short,
            kind: event.kind,
            tif: event.tif,
            price: event.price,
            leaves: event.quantity,
            executed: Executed::default(),
            instructions: Instructions::NONE,
            pegged: Price(0),
            undone: 0,
        }
    }

    /// A side of a quote. `name`: QuoteID and QuoteEntryID.
    pub(super) fn quoted(event: &Quoted, name: Text) -> Self {
        Self {
            session: event.session,
            firm: event.firm,
            order_id: event.order_id,
            user_ref: event.user_ref,
            client_id: name,
            account: event.account,
            instrument: event.instrument,
            side: event.side,
            short: ShortSale::None,
            kind: OrderKind::Limit,
            tif: TimeInForce::Day,
            price: event.price,
            leaves: event.quantity,
            executed: Executed::default(),
            instructions: Instructions::NONE,
            pegged: Price(0),
            undone: 0,
        }
    }

    /// The order as it is from a replace on.
    pub(super) fn replaced(&mut self, event: &Replaced) {
        self.session = event.session;
        self.user_ref = event.user_ref;
        self.client_id = event.client_id;
        self.kind = event.kind;
        self.tif = event.tif;
        self.price = event.price;
        self.leaves = event.quantity;
        // Those that it has from here on follow.
        self.instructions = Instructions::NONE;
        self.pegged = Price(0);
    }

    /// The order as it is once its stop price was reached.
    pub(super) fn triggered(&mut self, event: &Triggered) {
        self.kind = event.kind;
        self.price = event.price;
        self.instructions.trigger = Price(0);
        self.instructions.handling.0 &= !Handling::TRAILING.0;
    }

    /// What is kept of it when it ends.
    pub(super) const fn ended(&self, status: OrdStatus) -> Ended {
        Ended {
            status,
            client_id: self.client_id,
            executed: self.executed.quantity,
        }
    }

    /// Whether it waits for its stop price.
    pub(super) const fn is_waiting_stop(&self) -> bool {
        self.instructions.trigger.0 != 0
    }

    /// OrderQty(38): the total, what was executed included, undone or not.
    pub(super) fn total(&self) -> u64 {
        self.leaves
            .0
            .saturating_add(self.executed.quantity)
            .saturating_add(self.undone)
    }

    /// Its status while it lives, or when it has just been executed in full.
    pub(super) fn status(&self) -> OrdStatus {
        match (self.executed.quantity, self.leaves.is_zero()) {
            (0, _) => OrdStatus::New,
            (_, false) => OrdStatus::PartiallyFilled,
            (_, true) => OrdStatus::Filled,
        }
    }
}

/// Whether such an order follows the market.
pub(super) const fn is_pegged(instructions: &Instructions) -> bool {
    let handling = instructions.handling;
    handling.has(Handling::PEG_PRIMARY) || handling.has(Handling::PEG_MIDPOINT)
}

/// The orders that live, by their ids. They are large, so what is looked through is their places.
#[derive(Debug, Default)]
pub(super) struct OrderTable {
    places: HashMap<OrderId, u32>,
    orders: Shelf<Order>,
    free: Vec<u32>,
}

impl OrderTable {
    pub(super) fn get(&self, order_id: &OrderId) -> Option<&Order> {
        self.orders.get(*self.places.get(order_id)?)
    }

    pub(super) fn get_mut(&mut self, order_id: &OrderId) -> Option<&mut Order> {
        self.orders.get_mut(*self.places.get(order_id)?)
    }

    /// Puts an order in, in the place of the one of this id where there is one.
    pub(super) fn insert(&mut self, order_id: OrderId, order: Order) {
        match self.places.entry(order_id) {
            Entry::Occupied(known) => {
                if let Some(place) = self.orders.get_mut(*known.get()) {
                    *place = order;
                }
            }
            Entry::Vacant(vacant) => match self.free.pop() {
                Some(free) => {
                    vacant.insert(free);
                    if let Some(place) = self.orders.get_mut(free) {
                        *place = order;
                    }
                }
                None => _ = vacant.insert(self.orders.push(order)),
            },
        }
    }

    pub(super) fn remove(&mut self, order_id: &OrderId) -> Option<Order> {
        let place = self.places.remove(order_id)?;
        self.free.push(place);
        self.orders.get(place).copied()
    }

    /// All of them, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &Order> {
        self.places.values().filter_map(|place| self.orders.get(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_found_until_it_ends_and_its_place_is_used_again() {
        let mut orders = OrderTable::default();
        let order = |id| Order {
            leaves: Quantity(id),
            ..Order::accepted(&Accepted {
                order_id: OrderId(id),
                ..Accepted::default()
            })
        };
        for id in 1..=100 {
            orders.insert(OrderId(id), order(id));
        }
        orders.insert(OrderId(7), order(70));
        assert_eq!(orders.remove(&OrderId(50)).map(|order| order.leaves.0), Some(50));
        assert!(orders.get(&OrderId(50)).is_none() && orders.remove(&OrderId(50)).is_none());
        orders.insert(OrderId(101), order(101));
        let leaves = |id| orders.get(&OrderId(id)).map(|order| order.leaves.0);
        assert_eq!((leaves(7), leaves(101), leaves(100)), (Some(70), Some(101), Some(100)));
        assert_eq!((orders.values().count(), orders.orders.len()), (100, 100));
    }

    #[test]
    fn the_average_price_is_exact_up_to_its_last_digit() {
        for (fills, average) in [
            (&[][..], 0),
            (&[(100, 100_000)][..], 1_000_000_000),
            (&[(1, 1), (2, 2)][..], 16_667),
            (&[(1, 1), (1, 2)][..], 15_000),
            (&[(3, 1), (4, 3)][..], 21_429),
            (&[(1_000_000_000, 4_294_967_294); 8][..], 42_949_672_940_000),
        ] {
            let mut executed = Executed::default();
            for (quantity, price) in fills {
                executed.add(Quantity(*quantity), Price(*price));
            }
            assert_eq!(executed.average(4), (average, 8), "{fills:?}");
        }
    }
}
