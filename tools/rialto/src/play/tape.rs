//! The policy *tape*: what the day traded is traded again exactly so, and company meets only what is left.
//!
//! The day is read twice. The first time tells how much of each order somebody traded with ([`Foresight`]); the second time
//! each order is sent in two parts: what nobody will trade with, which is anybody's, and what somebody will, in a group that
//! the instrument keeps apart ([`rialto_model::SelfTrade::Apart`]). Recorded takers are of that group, so whoever else is there
//! changes nothing of what they find.

use super::company::Sent;
use super::source::Source;
use super::{Live, Player, cancel, shares};
use crate::lobster::Operation;
use anyhow::{Context as _, Result, bail};
use rialto_model::{Price, Side};
use rialto_ouch::messages::{GroupId, Symbol, TimeInForce};
use std::collections::HashMap;

/// The group of what the day trades with itself.
pub(super) const GROUP: GroupId = GroupId(1);

/// How many shares of each order the day trades with, by the order in which they come: four bytes for each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Foresight(Vec<u32>);

impl Foresight {
    /// Reads so many rows ahead, or all.
    pub(super) fn of(source: &mut Source, rows: Option<usize>, bar: &indicatif::ProgressBar) -> Result<Self> {
        let (mut executed, mut live, mut seen) = (Vec::new(), HashMap::new(), 0);
        while rows.is_none_or(|rows| seen < rows)
            && let Some(row) = source.next()?
        {
            for operation in row.operations {
                note(operation, &mut executed, &mut live)?;
            }
            seen += 1;
            bar.inc(1);
        }
        Ok(Self(executed))
    }

    fn executed(&self, nth: usize) -> u32 {
        self.0.get(nth).copied().unwrap_or_default()
    }
}

/// Takes one operation into the executed shares of orders so far, of which the live ones are found by their ids.
fn note(operation: Operation, executed: &mut Vec<u32>, live: &mut HashMap<String, usize>) -> Result<()> {
    let mut comes = |id| {
        live.insert(id, executed.len());
        executed.push(0);
    };
    match operation {
        Operation::Add { id, .. } => comes(id),
        Operation::Replace { new, .. } => comes(new),
        Operation::Take { maker, quantity, .. } => {
            let nth = live
                .get(&maker)
                .with_context(|| format!("the tape takes unknown order {maker}"))?;
            executed[*nth] = executed[*nth].saturating_add(shares(quantity)?);
        }
        Operation::Reduce { .. } | Operation::Delete { .. } | Operation::Row(_) => {}
    }
    Ok(())
}

/// A live order of the tape, in its parts.
#[derive(Clone, Copy, Debug)]
struct Parts {
    side: Side,
    /// What the day trades with.
    kept: Option<u32>,
    /// What nobody does.
    free: Option<Live>,
}

/// What the policy has to know.
#[derive(Debug)]
pub(super) struct Parted {
    foresight: Foresight,
    /// Orders of the tape so far.
    orders: usize,
    live: HashMap<String, Parts>,
}

impl Parted {
    pub(super) fn new(foresight: Foresight) -> Self {
        Self {
            foresight,
            orders: 0,
            live: HashMap::new(),
        }
    }
}

/// An order of the tape as it comes.
struct Coming {
    id: String,
    side: Side,
    price: Price,
    shares: u32,
}

impl Player<'_> {
    /// Sends one operation in parts.
    pub(super) fn send_parted(&mut self, operation: Operation, symbol: Symbol, row: usize) -> Result<()> {
        let parted = self.parted.as_mut().context("the day was not read ahead")?;
        match operation {
            Operation::Add {
                id,
                side,
                price,
                quantity,
            } => {
                let shares = shares(quantity)?;
                let coming = Coming {
                    id,
                    side,
                    price,
                    shares,
                };
                self.add_parted(coming, symbol, row)
            }
            Operation::Take {
                side,
                price,
                quantity,
                maker,
            } => {
                let shares = shares(quantity)?;
                let parts = parted.live.get(&maker);
                let kept = parts.and_then(|parts| parts.kept);
                let maker = kept.with_context(|| format!("the tape takes unknown order {maker}"))?;
                let user_ref = self.company.sends(Sent::Take { maker, shares }, row);
                let terms = (side, price, shares, TimeInForce::ImmediateOrCancel);
                self.enter(user_ref, symbol, terms, Some(GROUP))
            }
            Operation::Reduce { id, by } => {
                let by = shares(by)?;
                let parts = parted.live.get_mut(&id);
                let parts = parts.with_context(|| format!("the tape reduces unknown order {id}"))?;
                let Some(free) = &mut parts.free else {
                    bail!("the tape takes back shares of order {id} that it trades with");
                };
                free.total = free.total.saturating_sub(by);
                let cancel = cancel(free.user_ref, free.total);
                if free.total == 0 {
                    parts.free = None;
                }
                self.request(cancel)
            }
            Operation::Delete { id } => {
                let parts = parted.live.remove(&id);
                let parts = parts.with_context(|| format!("the tape deletes unknown order {id}"))?;
                self.take_back(parts)
            }
            Operation::Replace {
                id,
                new,
                price,
                quantity,
            } => {
                let parts = parted.live.remove(&id);
                let parts = parts.with_context(|| format!("the tape replaces unknown order {id}"))?;
                self.take_back(parts)?;
                let coming = Coming {
                    id: new,
                    side: parts.side,
                    price,
                    shares: shares(quantity)?,
                };
                self.add_parted(coming, symbol, row)
            }
            Operation::Row(row) => bail!("row {row} is no order"),
        }
    }

    /// First what is anybody's, so that whoever stands in the way of the rest has met it before.
    fn add_parted(&mut self, coming: Coming, symbol: Symbol, row: usize) -> Result<()> {
        let Coming {
            id,
            side,
            price,
            shares,
        } = coming;
        let parted = self.parted.as_mut().context("the day was not read ahead")?;
        let kept = parted.foresight.executed(parted.orders);
        parted.orders += 1;
        let free = shares.checked_sub(kept);
        let free = free.with_context(|| format!("the tape trades with {kept} of the {shares} shares of order {id}"))?;
        let part = |player: &mut Self, shares, group| {
            let user_ref = player.company.sends(
                Sent::Add {
                    kept: group == Some(GROUP),
                },
                row,
            );
            player.enter(user_ref, symbol, (side, price, shares, TimeInForce::Day), group)?;
            Ok::<_, anyhow::Error>(user_ref)
        };
        let mut parts = Parts {
            side,
            kept: None,
            free: None,
        };
        if free > 0 {
            parts.free = Some(Live {
                user_ref: part(self, free, None)?,
                total: free,
                executed: 0,
            });
        }
        if kept > 0 {
            parts.kept = Some(part(self, kept, Some(GROUP))?);
        }
        if let Some(parted) = &mut self.parted {
            parted.live.insert(id, parts);
        }
        Ok(())
    }

    /// What is left of an order goes. Of the kept part that is nothing, unless the day ends before it is traded.
    fn take_back(&mut self, parts: Parts) -> Result<()> {
        let left = parts.free.map(|free| free.user_ref).into_iter().chain(parts.kept);
        left.into_iter()
            .try_for_each(|user_ref| self.request(cancel(user_ref, 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lobster::Tape;

    #[test]
    fn what_is_traded_is_known_before_by_the_order_in_which_orders_come() {
        let tape = "A a 1 100 50\nA b -1 110 20\nM -1 100 30 a\nD a\nA a 1 100 40\nM -1 100 5 a\nM 1 110 20 b\n";
        let (mut executed, mut live) = (Vec::new(), HashMap::new());
        for operation in Tape::new(tape.as_bytes()) {
            note(operation.unwrap(), &mut executed, &mut live).unwrap();
        }
        let replace = Operation::Replace {
            id: "a".to_owned(),
            new: "c".to_owned(),
            price: Price(101),
            quantity: rialto_model::Quantity(9),
        };
        note(replace, &mut executed, &mut live).unwrap();
        assert_eq!(executed, [30, 20, 5, 0]);
        let stray = Tape::new("M 1 5 5 z\n".as_bytes()).next().unwrap().unwrap();
        assert!(note(stray, &mut executed, &mut live).is_err());
    }
}
