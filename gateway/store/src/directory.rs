//! Which shard keeps whom.

use crate::router::Owner;
use rialto_model::event::ShardSet;
use rialto_model::{AccountId, Event, FirmId, ShardId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The directory behind one command. What is said of an account goes before what is said of its firm; of whom nothing is
/// said is in shard zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    version: u32,
    entries: BTreeMap<Owner, ShardId>,
    accounts: BTreeMap<FirmId, BTreeSet<AccountId>>,
}

/// A line of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The firm.
    pub firm: u32,
    /// The account.
    pub account: u32,
    /// Where it is kept.
    pub shard: u16,
}

impl Directory {
    /// Its version; zero before the first entry.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Where an account is kept.
    #[must_use]
    pub fn shard_of(&self, (firm, account): Owner) -> ShardId {
        let own = self.entries.get(&(firm, account));
        let whole = || self.entries.get(&(firm, AccountId(0)));
        own.or_else(whole).copied().unwrap_or_default()
    }

    /// The shards of a firm: those that keep one of its accounts.
    #[must_use]
    pub fn shards_of(&self, firm: FirmId) -> BTreeSet<ShardId> {
        self.accounts_of(firm)
            .map(|account| self.shard_of((firm, account)))
            .collect()
    }

    /// The accounts of a firm.
    pub fn accounts_of(&self, firm: FirmId) -> impl Iterator<Item = AccountId> {
        self.accounts.get(&firm).into_iter().flatten().copied()
    }

    /// Whether an account is a firm's.
    #[must_use]
    pub fn has(&self, (firm, account): Owner) -> bool {
        self.accounts
            .get(&firm)
            .is_some_and(|accounts| accounts.contains(&account))
    }

    /// Every account and where it is kept.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let owners = self
            .accounts
            .iter()
            .flat_map(|(firm, accounts)| accounts.iter().map(|account| (*firm, *account)));
        owners
            .map(|owner| Place {
                firm: owner.0.0,
                account: owner.1.0,
                shard: self.shard_of(owner).0,
            })
            .collect()
    }

    /// Takes an event; an entry of the directory gives the accounts that it moves, and from where.
    pub(crate) fn take(&mut self, event: &Event) -> Vec<(Owner, ShardId, ShardId)> {
        match event {
            Event::AccountDefined(e) => {
                self.accounts.entry(e.firm).or_default().insert(e.account);
                Vec::new()
            }
            Event::ShardSet(e) => self.set(e),
            _ => Vec::new(),
        }
    }

    fn set(&mut self, e: &ShardSet) -> Vec<(Owner, ShardId, ShardId)> {
        let before: Vec<(Owner, ShardId)> = self
            .accounts_of(e.firm)
            .map(|account| ((e.firm, account), self.shard_of((e.firm, account))))
            .collect();
        self.version = e.version;
        self.entries.insert((e.firm, e.account), e.shard);
        let moved = before
            .into_iter()
            .map(|(owner, from)| (owner, from, self.shard_of(owner)));
        moved.filter(|(_, from, to)| from != to).collect()
    }
}
