//! The meters of firms and accounts, found by their ids without a search: each order asks for them several times.

use super::Owner;
use super::ledger::Meter;
use alloc::vec::Vec;
use rialto_model::AccountId;

/// Where there is no meter.
const NONE: u32 = u32::MAX;

/// At most one for each firm and account that is defined.
#[derive(Clone, Debug, Default)]
pub(super) struct Meters {
    /// In order of owner.
    all: Vec<(Owner, Meter)>,
    /// Places by firm and by account, up to the highest id that has one.
    firms: Vec<u32>,
    accounts: Vec<u32>,
}

impl Meters {
    /// Those of a state, in order of owner.
    pub(super) fn of(meters: impl Iterator<Item = (Owner, Meter)>) -> Self {
        let mut meters = Self {
            all: meters.collect(),
            ..Self::default()
        };
        meters.index();
        meters
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Owner, &Meter)> {
        self.all.iter().map(|(owner, meter)| (owner, meter))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Meter> {
        self.all.iter_mut().map(|(_, meter)| meter)
    }

    /// The owner's own, made where there is none.
    pub(super) fn entry(&mut self, owner: Owner) -> &mut Meter {
        let at = match self.all.binary_search_by_key(&owner, |(owner, _)| *owner) {
            Ok(at) => at,
            Err(at) => {
                self.all.insert(at, (owner, Meter::default()));
                self.index();
                at
            }
        };
        &mut self.all[at].1
    }

    pub(super) fn remove(&mut self, owner: Owner) {
        self.all.retain(|(one, _)| *one != owner);
        self.index();
    }

    /// Where the meters are that an order of this account is counted on: its firm's, then its own.
    #[inline]
    pub(super) fn places(&self, (firm, account): Owner) -> [u32; 2] {
        let place = |places: &[u32], id: u32| places.get(id as usize).copied().unwrap_or(NONE);
        let of_firm = place(&self.firms, firm.0);
        let own = if account.0 == 0 {
            of_firm
        } else {
            let own = place(&self.accounts, account.0);
            let is_its = self.all.get(own as usize).is_some_and(|((owner, _), _)| *owner == firm);
            if is_its { own } else { NONE }
        };
        [of_firm, own]
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&Meter> {
        self.all.get(place as usize).map(|(_, meter)| meter)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Meter> {
        self.all.get_mut(place as usize).map(|(_, meter)| meter)
    }

    /// Limits change rarely, so the places are made anew.
    fn index(&mut self) {
        for (places, of_firms) in [(&mut self.firms, true), (&mut self.accounts, false)] {
            places.clear();
            for (at, ((firm, account), _)) in (0..).zip(&self.all) {
                if of_firms != (*account == AccountId(0)) {
                    continue;
                }
                let id = if of_firms { firm.0 } else { account.0 } as usize;
                if places.len() <= id {
                    places.resize(id + 1, NONE);
                }
                places[id] = at;
            }
        }
    }
}
