//! Allocation: how displayed orders at one price share an incoming order that is not enough for all of them.
//!
//! CME Globex, matching algorithms: pro-rata (C), allocation (A: the top order, then pro-rata) and split (K: a part first in,
//! first out, the rest pro-rata). Shares by size are rounded down to lots, those below the minimum are none, and what is left
//! over goes in the order they came; by a flag, to the largest first. The top order is the oldest of its price. An own order of the level is kept apart before
//! anything is shared there.

use crate::engine::Engine;
use crate::pool::NONE;
use alloc::vec::Vec;
use rialto_model::command::{DefineInstrument, SetAllocation};
use rialto_model::event::AllocationSet;
use rialto_model::flags;
use rialto_model::{Allocation, AllocationRule, Event, EventSink, SelfTrade};

use super::enter::Incoming;
use super::rules::refused;

/// Whether an allocation fits the definition: parts in lots and within its bounds, and nothing that its rule has no use for.
pub(crate) fn is_sound_allocation(one: &DefineInstrument, allocation: &Allocation) -> bool {
    let part = |part: rialto_model::Part| {
        let quantity = part.quantity();
        quantity <= one.quantity_max && quantity.0.is_multiple_of(one.lot.0)
    };
    let rule = allocation.rule;
    part(allocation.minimum)
        && part(allocation.top_max)
        && allocation.fifo_percent <= 100
        && (rule != AllocationRule::Fifo || allocation.minimum.is_zero())
        && (rule == AllocationRule::TopProRata || allocation.top_max.is_zero())
        && (rule == AllocationRule::Split || allocation.fifo_percent == 0)
}

impl Engine {
    #[cold]
    pub(crate) fn set_allocation(&mut self, c: &SetAllocation) -> Event {
        let version = self.version(c.instrument);
        let one = self.registry.instruments.get(&c.instrument);
        let fits = one.is_some_and(|one| is_sound_allocation(one, &c.allocation));
        if version == 0 || c.version != version + 1 || !fits {
            return refused(SetAllocation::SCHEMA);
        }
        let special = self.special_book(usize::from(c.instrument.0) - 1);
        special.version = c.version;
        special.allocation = c.allocation;
        AllocationSet {
            instrument: c.instrument,
            version: c.version,
            allocation: c.allocation,
        }
        .into()
    }

    /// Whether an order with so much open shares the orders of a level instead of trading with one after the other.
    pub(super) fn is_shared(&self, at: usize, level: u32, leaves: u32) -> bool {
        let level = &self.rungs.levels[level];
        u64::from(leaves) < level.total && self.may_share(at, level.head)
    }

    /// Whether the level that begins with this order is shared where an order is not enough for all of it.
    pub(super) fn may_share(&self, at: usize, head: u32) -> bool {
        let special = self.books[at].special.as_ref();
        let rule = special.map_or(AllocationRule::Fifo, |special| special.allocation.rule);
        rule != AllocationRule::Fifo && !self.is_hidden(head)
    }

    /// Trades an order with a level that it shares. Whether self-trade prevention has ended it.
    pub(super) fn share(
        &mut self,
        incoming: &mut Incoming,
        level: u32,
        mode: SelfTrade,
        sink: &mut impl EventSink,
    ) -> bool {
        let makers = self.level_queue(level);
        if mode != SelfTrade::Allowed
            && let Some(own) = makers.iter().find(|maker| self.is_own(incoming, **maker))
        {
            return self.prevent(incoming, *own, mode, sink);
        }
        let sizes: Vec<u32> = makers.iter().map(|maker| self.orders[*maker].leaves).collect();
        let special = self.special_book(incoming.at());
        let lot = special.rulebook.lot.0 as u32;
        let to_largest = special.flags.is_on(flags::LEFTOVER_TO_LARGEST);
        let shares = shares(&special.allocation, lot, incoming.order.leaves, &sizes, to_largest);
        for (maker, share) in makers.into_iter().zip(shares) {
            if share > 0 {
                self.execute_special(incoming, maker, share, sink);
            }
        }
        false
    }

    fn level_queue(&self, level: u32) -> Vec<u32> {
        let mut queue = Vec::new();
        let mut next = self.rungs.levels[level].head;
        while next != NONE {
            queue.push(next);
            next = self.orders[next].next;
        }
        queue
    }
}

/// What each of these open quantities, oldest first, gets of a quantity that is less than their sum.
fn shares(allocation: &Allocation, lot: u32, quantity: u32, sizes: &[u32], to_largest: bool) -> Vec<u32> {
    let mut shares = alloc::vec![0; sizes.len()];
    let mut left = quantity;
    match allocation.rule {
        AllocationRule::TopProRata => {
            let most = match allocation.top_max.0 {
                0 => u32::MAX,
                most => most,
            };
            if let (Some(share), Some(size)) = (shares.first_mut(), sizes.first()) {
                *share = left.min(*size).min(most);
                left -= *share;
            }
        }
        AllocationRule::Split => {
            let part = (u64::from(quantity) * u64::from(allocation.fifo_percent) / 100) as u32 / lot * lot;
            left -= part;
            let over = in_order(&mut shares, sizes, part);
            left += over;
        }
        AllocationRule::Fifo | AllocationRule::ProRata => {}
    }
    let open = |share: u32, size: u32| u64::from(size - share);
    let all: u64 = shares.iter().zip(sizes).map(|(share, size)| open(*share, *size)).sum();
    let to_share = u64::from(left);
    for (share, size) in shares.iter_mut().zip(sizes) {
        let exact = to_share * open(*share, *size) / all.max(1);
        let part = exact as u32 / lot * lot;
        if part >= allocation.minimum.0 {
            *share += part;
            left -= part;
        }
    }
    if to_largest {
        by_size(&mut shares, sizes, left);
    } else {
        in_order(&mut shares, sizes, left);
    }
    shares
}

/// Gives a quantity to the largest first, of two as large to the older.
fn by_size(shares: &mut [u32], sizes: &[u32], mut quantity: u32) {
    let mut places: Vec<usize> = (0..sizes.len()).collect();
    places.sort_by_key(|at| core::cmp::Reverse(sizes[*at]));
    for at in places {
        let part = quantity.min(sizes[at] - shares[at]);
        shares[at] += part;
        quantity -= part;
    }
}

/// Gives a quantity in the order they came. What nobody had room for.
fn in_order(shares: &mut [u32], sizes: &[u32], mut quantity: u32) -> u32 {
    for (share, size) in shares.iter_mut().zip(sizes) {
        let part = quantity.min(size - *share);
        *share += part;
        quantity -= part;
    }
    quantity
}
