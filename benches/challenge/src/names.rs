//! The client's order ids and the references that its session gives to the venue.
//!
//! Small ids, which the challenge uses, are indexed directly; others are in a map, so that no choice of ids claims more
//! memory than the orders that bear them.

use rialto_model::UserRef;
use std::collections::HashMap;

/// Ids below this are indexed directly: eight bytes each, as far as they come.
const DIRECT_MAX: u64 = 1 << 24;

/// What is known of the last order that bore an id.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named {
    /// Its reference; zero: there was none.
    user_ref: UserRef,
    /// Its price when it was entered or modified last.
    price: i32,
}

impl Named {
    /// Its reference: no order's where there was none.
    #[inline]
    #[must_use]
    pub const fn user_ref(self) -> UserRef {
        self.user_ref
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
    /// The client's id of an order, by its reference.
    clients: Vec<u64>,
}

impl Names {
    /// With room for so many ids and commands before it allocates.
    #[must_use]
    pub fn with_capacity(ids: usize) -> Self {
        Self {
            direct: vec![Named::default(); ids],
            far: HashMap::new(),
            clients: vec![0; 2 * ids],
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

    /// From here on this id is that order's, at this price.
    #[inline]
    pub fn name(&mut self, client: u64, user_ref: UserRef, price: i64) {
        self.know(
            client,
            Named {
                user_ref,
                price: price as i32,
            },
        );
        let at = user_ref.0 as usize;
        if at >= self.clients.len() {
            self.clients.resize(2 * at, 0);
        }
        self.clients[at] = client;
    }

    /// What is known from here on.
    #[inline]
    fn know(&mut self, client: u64, named: Named) {
        if let Some(known) = self.direct.get_mut(client as usize) {
            *known = named;
        } else {
            self.widen(client, named);
        }
    }

    /// The client's id of an order.
    #[inline]
    #[must_use]
    pub fn client(&self, user_ref: UserRef) -> u64 {
        self.clients.get(user_ref.0 as usize).copied().unwrap_or_default()
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
