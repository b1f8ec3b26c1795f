//! Moves that even out the heat of shards.

use crate::router::Owner;
use rialto_model::{AccountId, FirmId, ShardId};
use serde::Serialize;
use std::collections::BTreeMap;

/// How much an account causes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Heat {
    /// The firm.
    pub firm: u32,
    /// The account.
    pub account: u32,
    /// Where it is kept.
    pub shard: u16,
    /// Events taken since the store began.
    pub events: u64,
}

/// An entry that the directory should get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The firm.
    pub firm: u32,
    /// The account; zero: the firm as a whole.
    pub account: u32,
    /// From where.
    pub from: u16,
    /// To where.
    pub to: u16,
}

/// The accounts of one entry of the directory.
struct Unit {
    owner: Owner,
    from: ShardId,
    heat: u64,
}

/// What to move so that `shards` shards, from zero on, are about equally hot: the hottest first, each to where it is if that
/// is not too hot yet, and to the coolest shard otherwise. A firm that alone is hotter than a shard's part is a whale: it is
/// split by account where it has several, and has a shard of its own where it has one.
#[must_use]
pub fn plan(heats: &[Heat], shards: u16) -> Vec<Move> {
    let shards = shards.max(1);
    let total: u64 = heats.iter().map(|heat| heat.events).sum();
    let part = total / u64::from(shards);
    let mut units = units(heats, part);
    units.sort_by_key(|unit| (core::cmp::Reverse(unit.heat), unit.owner));
    let mut loads: BTreeMap<ShardId, u64> = (0..shards).map(|shard| (ShardId(shard), 0)).collect();
    let mut moves = Vec::new();
    for unit in units {
        let here = loads.get(&unit.from).copied();
        let stays = here.is_some_and(|load| load == 0 || load + unit.heat <= part + part / 20);
        let coolest = loads.iter().min_by_key(|(shard, load)| (**load, **shard));
        let to = match coolest {
            Some((shard, _)) if !stays => *shard,
            _ => unit.from,
        };
        *loads.entry(to).or_default() += unit.heat;
        if to != unit.from {
            moves.push(Move {
                firm: unit.owner.0.0,
                account: unit.owner.1.0,
                from: unit.from.0,
                to: to.0,
            });
        }
    }
    moves
}

/// Firms as a whole, whales and those that are in several shards already by account.
fn units(heats: &[Heat], part: u64) -> Vec<Unit> {
    let mut firms: BTreeMap<u32, Vec<&Heat>> = BTreeMap::new();
    for heat in heats {
        firms.entry(heat.firm).or_default().push(heat);
    }
    let mut units = Vec::new();
    for (firm, accounts) in firms {
        let heat: u64 = accounts.iter().map(|one| one.events).sum();
        let apart = accounts
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one.shard != other.shard));
        if accounts.len() > 1 && (heat > part || apart) {
            units.extend(accounts.iter().map(|one| Unit {
                owner: (FirmId(firm), AccountId(one.account)),
                from: ShardId(one.shard),
                heat: one.events,
            }));
        } else if let Some(first) = accounts.first() {
            units.push(Unit {
                owner: (FirmId(firm), AccountId(0)),
                from: ShardId(first.shard),
                heat,
            });
        }
    }
    units
}
