//! The directory of the member store, users, services and budgets: kept, and said, and of no other meaning to matching.

use super::{MembersState, Placed};
use crate::engine::Engine;
use alloc::collections::BTreeMap;
use rialto_model::command::{Act, SetBudgets, SetService, SetShard, SetUser};
use rialto_model::event::{Acted, BudgetsSet, CommandRejected, ServiceSet, ShardSet, UserSet};
use rialto_model::member::{SHARD_MAX, USER_MAX};
use rialto_model::{AccountId, Budgets, Event, FirmId, RejectReason, Service, ShardId, UserId};

/// What the office keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Office {
    directory: u32,
    shards: BTreeMap<(FirmId, AccountId), ShardId>,
    users: BTreeMap<UserId, SetUser>,
    services: BTreeMap<FirmId, Service>,
    budgets: BTreeMap<FirmId, Budgets>,
}

impl Office {
    pub(crate) fn take_out(&self, state: &mut MembersState) {
        state.directory = self.directory;
        let placed = |((firm, account), shard): (&(FirmId, AccountId), &ShardId)| Placed {
            firm: *firm,
            account: *account,
            shard: *shard,
        };
        state.shards = self.shards.iter().map(placed).collect();
        state.users = self.users.values().copied().collect();
        state.services = self.services.iter().map(|(firm, service)| (*firm, *service)).collect();
        state.budgets = self.budgets.iter().map(|(firm, budgets)| (*firm, *budgets)).collect();
    }

    pub(crate) fn take_in(state: &MembersState) -> Self {
        let placed = state.shards.iter();
        Self {
            directory: state.directory,
            shards: placed.map(|one| ((one.firm, one.account), one.shard)).collect(),
            users: state.users.iter().map(|one| (one.user, *one)).collect(),
            services: state.services.iter().copied().collect(),
            budgets: state.budgets.iter().copied().collect(),
        }
    }
}

impl Engine {
    /// DESIGN 1, rule 1: who acts for the venue, and why, is a command of the stream.
    #[cold]
    pub(crate) fn act(c: &Act) -> Event {
        Acted {
            actor: c.actor,
            subject: c.subject,
            digest: c.digest,
            why: c.why,
        }
        .into()
    }

    /// The directory changes under versions, so that two who move firms at one time cannot overwrite each other unseen.
    #[cold]
    pub(crate) fn set_shard(&mut self, c: &SetShard) -> Event {
        if c.shard.0 > SHARD_MAX || !self.is_member(c.firm, c.account) {
            return rejected(SetShard::SCHEMA, RejectReason::BadDefinition);
        }
        if Some(c.version) != self.office.directory.checked_add(1) {
            return rejected(SetShard::SCHEMA, RejectReason::OldDirectory);
        }
        self.office.directory = c.version;
        self.office.shards.insert((c.firm, c.account), c.shard);
        ShardSet {
            version: c.version,
            firm: c.firm,
            account: c.account,
            shard: c.shard,
        }
        .into()
    }

    /// A user stays with the firm of the first definition.
    #[cold]
    pub(crate) fn set_user(&mut self, c: &SetUser) -> Event {
        let moves = self.office.users.get(&c.user).is_some_and(|one| one.firm != c.firm);
        let venue = c.firm.0 == 0 && c.account.0 == 0;
        if c.user.0 == 0 || c.user.0 > USER_MAX || moves || !(venue || self.is_member(c.firm, c.account)) {
            return rejected(SetUser::SCHEMA, RejectReason::BadDefinition);
        }
        self.office.users.insert(c.user, *c);
        UserSet {
            user: c.user,
            firm: c.firm,
            account: c.account,
            role: c.role,
            name: c.name,
        }
        .into()
    }

    #[cold]
    pub(crate) fn set_service(&mut self, c: &SetService) -> Event {
        if !self.is_member(c.firm, AccountId(0)) {
            return rejected(SetService::SCHEMA, RejectReason::BadDefinition);
        }
        match c.service {
            Service::Pool => self.office.services.remove(&c.firm),
            Service::Bridge => self.office.services.insert(c.firm, c.service),
        };
        ServiceSet {
            firm: c.firm,
            service: c.service,
        }
        .into()
    }

    /// What a firm may send is judged by the doors, on the stream's time; here it is kept and said.
    #[cold]
    pub(crate) fn set_budgets(&mut self, c: &SetBudgets) -> Event {
        if !self.is_member(c.firm, AccountId(0)) {
            return rejected(SetBudgets::SCHEMA, RejectReason::BadDefinition);
        }
        if !c.budgets.is_sound() {
            return rejected(SetBudgets::SCHEMA, RejectReason::BudgetsUnsound);
        }
        if c.budgets == Budgets::default() {
            self.office.budgets.remove(&c.firm);
        } else {
            self.office.budgets.insert(c.firm, c.budgets);
        }
        BudgetsSet {
            firm: c.firm,
            budgets: c.budgets,
        }
        .into()
    }

    /// Whether a firm, or an account of it, is defined.
    pub(super) fn is_member(&self, firm: FirmId, account: AccountId) -> bool {
        let accounts = self.registry.accounts.get(&account).map(|one| one.firm);
        self.registry.firms.contains_key(&firm) && (account.0 == 0 || accounts == Some(firm))
    }
}

pub(super) fn rejected(schema: u16, reason: RejectReason) -> Event {
    CommandRejected { schema, reason }.into()
}
