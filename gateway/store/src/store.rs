//! The shards, the questions, and moves between them.

use crate::account::{Account, Fill, OrderRecord, Position};
use crate::directory::Directory;
use crate::executions::{Log, Told};
use crate::limits::PAGE_MAX;
use crate::plan::Heat;
use crate::router::{Owner, Router};
use rialto_members::{Firm, Scoped};
use rialto_model::{AccountId, Event, FirmId, InstrumentId, Output, SequenceNumber, ShardId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Why a question has no answer, or a move is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Who asks has read a directory that does not stand any more.
    #[error("directory version {asked} is not the one that stands, {stands}: read it again")]
    OldDirectory {
        /// The version that was stated.
        asked: u32,
        /// The one that stands.
        stands: u32,
    },
    /// No account of the firm, whoever's else it is.
    #[error("the firm has no account {account}: use one of its own")]
    NoAccount {
        /// What was asked for.
        account: u32,
    },
    /// What was built for a move is not what the flip wants.
    #[error("built up to command {built}, and the directory flips at {flip}: build it again")]
    OffFlip {
        /// Up to where it was built.
        built: u64,
        /// Where the directory flips.
        flip: u64,
    },
    /// What was built for a move is not what is kept.
    #[error("firm {firm} account {account} built from the journal is not what its shard keeps: look at the journal")]
    Differs {
        /// The firm.
        firm: u32,
        /// The account.
        account: u32,
    },
}

/// What an account holds of an instrument.
pub type Held = (AccountId, InstrumentId, Position);

/// How an answer was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Behind which command.
    pub seq: u64,
    /// The version of the directory.
    pub directory: u32,
    /// The shards that were touched.
    pub shards: BTreeSet<u16>,
}

/// How much a firm does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The firm.
    pub firm: u32,
    /// Events of its orders.
    pub events: u64,
    /// Executions it was told.
    pub executions: u64,
    /// Orders that are open.
    pub open_orders: u64,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows, in order of the stream.
    pub rows: Vec<T>,
    /// Where the next part begins; none behind the last.
    pub next: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Shard {
    accounts: BTreeMap<Owner, Account>,
    heat: BTreeMap<Owner, u64>,
}

/// Everything that is kept of members.
#[derive(Clone, Debug, Default)]
pub struct Store {
    seq: SequenceNumber,
    router: Router,
    directory: Directory,
    shards: BTreeMap<ShardId, Shard>,
    /// Beside the shards: a firm that is moved goes on being told, by the same numbers.
    logs: BTreeMap<FirmId, Log>,
}

/// Accounts on their way to another shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    seq: SequenceNumber,
    accounts: BTreeMap<Owner, Account>,
}

impl Store {
    /// A store before the first command.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event of the released stream. What a new entry of the directory moves goes over at its command.
    pub fn take(&mut self, output: &Output) {
        for (owner, from, to) in self.begin(output) {
            self.carry(owner, from, to);
        }
        self.follow(output);
    }

    /// As [`Store::take`] where the event flips the directory and the accounts were built from the journal: they go into
    /// their new shard, and what the old one kept goes.
    ///
    /// # Errors
    /// [`StoreError`] where the part ends elsewhere or is not what was kept; the accounts go over as they were kept then.
    pub fn flip(&mut self, output: &Output, part: Part) -> Result<(), StoreError> {
        let mut fault = None;
        for (owner, from, to) in self.begin(output) {
            let built = part.accounts.get(&owner).cloned().unwrap_or_default();
            let kept = self
                .shards
                .get(&from)
                .and_then(|shard| shard.accounts.get(&owner))
                .cloned();
            if part.seq.next() != output.event.seq {
                fault = Some(StoreError::OffFlip {
                    built: part.seq.0,
                    flip: output.event.seq.0,
                });
            } else if built != kept.unwrap_or_default() {
                fault = Some(StoreError::Differs {
                    firm: owner.0.0,
                    account: owner.1.0,
                });
            } else if let Some(account) = self
                .shards
                .get_mut(&from)
                .and_then(|shard| shard.accounts.get_mut(&owner))
            {
                *account = built;
            }
            self.carry(owner, from, to);
        }
        self.follow(output);
        fault.map_or(Ok(()), Err)
    }

    fn begin(&mut self, output: &Output) -> Vec<(Owner, ShardId, ShardId)> {
        self.seq = output.event.seq;
        self.directory.take(&output.event.body)
    }

    fn follow(&mut self, output: &Output) {
        let (seq, stamp) = (output.event.seq, output.event.stamp);
        let Self {
            router,
            directory,
            shards,
            logs,
            ..
        } = self;
        router.route(&output.event.body, |owner, change| {
            logs.entry(owner.0).or_default().take(seq, stamp, owner.1, &change);
            let shard = shards.entry(directory.shard_of(owner)).or_default();
            let account = shard.accounts.entry(owner).or_default();
            account.take(seq, stamp, owner.1.0, &change);
            *shard.heat.entry(owner).or_default() += 1;
        });
    }

    fn carry(&mut self, owner: Owner, from: ShardId, to: ShardId) {
        let Some(source) = self.shards.get_mut(&from) else {
            return;
        };
        let (account, heat) = (source.accounts.remove(&owner), source.heat.remove(&owner));
        let target = self.shards.entry(to).or_default();
        target.accounts.extend(account.map(|account| (owner, account)));
        target.heat.extend(heat.map(|heat| (owner, heat)));
    }

    /// Behind which command it stands.
    #[must_use]
    pub const fn seq(&self) -> SequenceNumber {
        self.seq
    }

    /// The directory there.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// How hot each account is. Of no firm's business but the venue's.
    #[must_use]
    pub fn heat(&self) -> Vec<Heat> {
        let places = self.directory.places();
        places
            .into_iter()
            .map(|place| {
                let owner = (FirmId(place.firm), AccountId(place.account));
                let shard = self.shards.get(&ShardId(place.shard));
                Heat {
                    firm: place.firm,
                    account: place.account,
                    shard: place.shard,
                    events: shard.and_then(|shard| shard.heat.get(&owner)).copied().unwrap_or(0),
                }
            })
            .collect()
    }

    /// How much each firm does. Of no firm's business but the venue's.
    #[must_use]
    pub fn census(&self) -> Vec<Census> {
        let mut firms: BTreeMap<FirmId, Census> = BTreeMap::new();
        for shard in self.shards.values() {
            for ((firm, _), events) in &shard.heat {
                firms.entry(*firm).or_default().events += events;
            }
            for ((firm, _), account) in &shard.accounts {
                firms.entry(*firm).or_default().open_orders += account.orders.len() as u64;
            }
        }
        for (firm, log) in &self.logs {
            firms.entry(*firm).or_default().executions = log.last();
        }
        let told = firms.into_iter().map(|(firm, one)| Census { firm: firm.0, ..one });
        told.collect()
    }

    /// What a firm holds of each instrument, by account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn positions(
        &self,
        who: &Scoped<Firm>,
        account: Option<AccountId>,
        version: Option<u32>,
    ) -> Result<(Vec<Held>, Explained), StoreError> {
        self.visit(who, account, version, |owner, kept, rows: &mut Vec<_>| {
            let held = kept.positions.iter();
            rows.extend(held.map(|(instrument, position)| (owner.1, *instrument, *position)));
        })
    }

    /// The same from cursor `after` on: in order of account and instrument, which the cursor names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn positions_page(
        &self,
        who: &Scoped<Firm>,
        account: Option<AccountId>,
        version: Option<u32>,
        after: Option<u64>,
        most: usize,
    ) -> Result<(Page<Held>, Explained), StoreError> {
        let (rows, explained) = self.positions(who, account, version)?;
        let cursor = |row: &Held| u64::from(row.0.0) << u16::BITS | u64::from(row.1.0);
        Ok((page(rows, after, most, cursor), explained))
    }

    /// What a firm, or the account that its key is for, holds in all of each instrument, from cursor `after` on: the
    /// instrument's number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn portfolio(
        &self,
        who: &Scoped<Firm>,
        after: Option<u64>,
        most: usize,
    ) -> Result<(Page<(InstrumentId, Position)>, Explained), StoreError> {
        let (rows, explained) = self.positions(who, None, None)?;
        let mut held: BTreeMap<InstrumentId, Position> = BTreeMap::new();
        for (_, instrument, position) in rows {
            let of_it = held.entry(instrument).or_default();
            *of_it = of_it.and(position);
        }
        let rows = held.into_iter().collect();
        Ok((page(rows, after, most, |row| u64::from(row.0.0)), explained))
    }

    /// A firm's orders, open ones and the last that are over, from cursor `after` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn orders(
        &self,
        who: &Scoped<Firm>,
        account: Option<AccountId>,
        version: Option<u32>,
        after: Option<u64>,
        most: usize,
    ) -> Result<(Page<OrderRecord>, Explained), StoreError> {
        let (rows, explained) = self.visit(who, account, version, |_, kept, rows: &mut Vec<OrderRecord>| {
            rows.extend(kept.orders.values().chain(&kept.done).copied());
        })?;
        Ok((page(rows, after, most, |row| row.order), explained))
    }

    /// A firm's fills from cursor `after` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn fills(
        &self,
        who: &Scoped<Firm>,
        account: Option<AccountId>,
        version: Option<u32>,
        after: Option<u64>,
        most: usize,
    ) -> Result<(Page<Fill>, Explained), StoreError> {
        let (rows, explained) = self.visit(who, account, version, |_, kept, rows: &mut Vec<Fill>| {
            rows.extend(kept.fills.iter().copied());
        })?;
        Ok((page(rows, after, most, |row| row.seq), explained))
    }

    /// What a firm, or the account that its key is for, was told of its orders behind a number.
    #[must_use]
    pub fn executions(&self, who: &Scoped<Firm>, after: u64, most: usize) -> Told {
        let log = self.logs.get(&who.firm());
        log.map_or_else(Told::default, |log| {
            log.told(who.account(), after, most.clamp(1, PAGE_MAX))
        })
    }

    fn visit<T>(
        &self,
        who: &Scoped<Firm>,
        account: Option<AccountId>,
        version: Option<u32>,
        mut look: impl FnMut(Owner, &Account, &mut Vec<T>),
    ) -> Result<(Vec<T>, Explained), StoreError> {
        let stands = self.directory.version();
        if let Some(asked) = version.filter(|asked| *asked != stands) {
            return Err(StoreError::OldDirectory { asked, stands });
        }
        let firm = who.firm();
        let allowed = |account: &AccountId| {
            self.directory.has((firm, *account)) && who.account().is_none_or(|own| own == *account)
        };
        let accounts: Vec<AccountId> = match account {
            Some(account) if !allowed(&account) => return Err(StoreError::NoAccount { account: account.0 }),
            Some(account) => vec![account],
            None => self.directory.accounts_of(firm).filter(allowed).collect(),
        };
        let mut explained = Explained {
            seq: self.seq.0,
            directory: stands,
            shards: BTreeSet::new(),
        };
        let mut rows = Vec::new();
        for owner in accounts.into_iter().map(|account| (firm, account)) {
            let at = self.directory.shard_of(owner);
            explained.shards.insert(at.0);
            if let Some(kept) = self.shards.get(&at).and_then(|shard| shard.accounts.get(&owner)) {
                look(owner, kept, &mut rows);
            }
        }
        Ok((rows, explained))
    }
}

/// A page in order of its cursor. Rows of one cursor stay together, so that none is passed over.
fn page<T>(mut rows: Vec<T>, after: Option<u64>, most: usize, cursor: impl Fn(&T) -> u64) -> Page<T> {
    rows.sort_by_key(|row| cursor(row));
    rows.retain(|row| after.is_none_or(|after| cursor(row) > after));
    let most = most.clamp(1, PAGE_MAX);
    let last = rows.get(most - 1).map(&cursor);
    let Some(last) = last.filter(|_| rows.len() > most) else {
        return Page { rows, next: None };
    };
    let whole = rows.partition_point(|row| cursor(row) <= last);
    let more = whole < rows.len();
    rows.truncate(whole);
    Page {
        rows,
        next: more.then_some(last),
    }
}

/// A firm or account, built from the stream again.
#[derive(Clone, Debug)]
pub struct Builder {
    owner: Owner,
    router: Router,
    part: Part,
}

impl Builder {
    /// Of a firm (account zero) or an account. To be given the stream from its first command on.
    #[must_use]
    pub fn new(owner: Owner) -> Self {
        Self {
            owner,
            router: Router::default(),
            part: Part::default(),
        }
    }

    /// Takes the next event.
    pub fn take(&mut self, output: &Output) {
        let Self { owner, router, part } = self;
        part.seq = output.event.seq;
        let (seq, stamp) = (output.event.seq, output.event.stamp);
        router.route(&output.event.body, |of, change| {
            if of.0 == owner.0 && (owner.1.0 == 0 || of.1 == owner.1) {
                let account = part.accounts.entry(of).or_default();
                account.take(seq, stamp, of.1.0, &change);
            }
        });
    }

    /// The command behind which it stands.
    #[must_use]
    pub const fn seq(&self) -> SequenceNumber {
        self.part.seq
    }

    /// What was built.
    #[must_use]
    pub fn part(self) -> Part {
        self.part
    }
}

/// Whether an event flips the directory.
#[must_use]
pub const fn is_flip(event: &Event) -> bool {
    matches!(event, Event::ShardSet(_))
}
