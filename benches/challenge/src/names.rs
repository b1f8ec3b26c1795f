//! The client's order ids and the venue's.
//!
//! Small ids, which the challenge uses, are indexed directly; others are in a map, so that no choice of ids claims more
//! memory than the orders that bear them.

use rialto_model::OrderId;
use std::collections::HashMap;

/// Ids below this are indexed directly: eight bytes each, as far as they come.
const DIRECT_MAX: u64 = 1 << 24;

/// What is known of the last order that bore an id.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named {
    /// The venue's name of it; zero: there was none.
    order: u32,
    /// Its price when it was entered or modified last.
    price: i32,
}

impl Named {
    /// The venue's name of it: no order's where there was none.
    #[inline]
    #[must_use]
    pub const fn order(self) -> OrderId {
        OrderId(self.order as u64)
    }

    /// Its price.
    #[inline]
    #[must_use]
    pub const fn price(self) -> i64 {
        self.price as i64
    }
}

/// Both ways.
#[derive(Debug, Default)]
pub struct Names {
    direct: Vec<Named>,
    far: HashMap<u64, Named>,
    /// The client's id of an order, by the venue's: that is the number of its command.
    clients: Vec<u64>,
}

impl Names {
    /// With room for so many ids and commands before it allocates.
    #[must_use]
    pub fn with_capacity(ids: usize) -> Self {
        Self {
            direct: vec![Named::default(); ids],
            far: HashMap::new(),
            clients: Vec::with_capacity(2 * ids),
        }
    }

    /// The last order that bore this id.
    #[inline]
    #[must_use]
    pub fn get(&self, client: u64) -> Named {
        match self.direct.get(client as usize) {
            Some(named) => *named,
            None => self.far.get(&client).copied().unwrap_or_default(),
        }
    }

    /// From here on this id is that order's.
    ///
    /// # Panics
    /// Beyond 2^32 commands: a run of the challenge has two million.
    #[inline]
    pub fn name(&mut self, client: u64, order: OrderId, price: i64) {
        self.price(
            client,
            Named {
                order: u32::try_from(order.0).expect("a run has fewer than 2^32 commands"),
                price: price as i32,
            },
        );
        self.clients.resize(order.0 as usize, 0);
        self.clients.push(client);
    }

    /// What is known from here on.
    #[inline]
    fn price(&mut self, client: u64, named: Named) {
        if let Some(known) = self.direct.get_mut(client as usize) {
            *known = named;
        } else {
            self.widen(client, named);
        }
    }

    /// The order of this id has another price.
    #[inline]
    pub fn reprice(&mut self, client: u64, price: i64) {
        let named = self.get(client);
        self.price(
            client,
            Named {
                price: price as i32,
                ..named
            },
        );
    }

    /// The client's id of an order.
    #[inline]
    #[must_use]
    pub fn client(&self, order: OrderId) -> u64 {
        self.clients.get(order.0 as usize).copied().unwrap_or_default()
    }

    #[cold]
    fn widen(&mut self, client: u64, named: Named) {
        if client < DIRECT_MAX {
            let ids = (client as usize + 1).next_power_of_two();
            self.direct.resize(ids, Named::default());
            self.direct[client as usize] = named;
        } else {
            self.far.insert(client, named);
        }
    }
}
