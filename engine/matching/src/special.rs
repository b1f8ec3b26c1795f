//! What a rulebook brings: orders with instructions, rules by instrument and by firm, timers.
//!
//! None of it is on the path of a plain order. An instrument without a rulebook has no [`SpecialBook`], and a session whose
//! firm has chosen nothing is not marked: one branch for each command keeps the two worlds apart. What an order has beyond a
//! plain one is in an [`Extra`] beside the pool of orders.
//!
//! [`rules`] takes rules in, [`judge`] says what is valid under them, [`enter`], [`trade`] and [`change`] are the paths of
//! a new order, of the trade and of changes; [`phase`] and [`uncross`] are calls and auctions; [`mass`] takes off many at a
//! time; [`timers`] fires what is due; [`guard`] keeps price bounds and halts; [`share`] allocates, [`after`] is
//! fees and trades undone; [`peg`] follows prices;
//! [`quote`] is market making; [`flags`] switches variants of all that; [`runaway`] keeps what a firm may send.

mod after;
mod apart;
mod change;
mod enter;
mod flags;
mod guard;
mod judge;
mod mass;
mod peg;
mod phase;
mod quote;
mod rules;
mod runaway;
mod share;
mod timers;
mod trade;
mod uncross;

pub(crate) use after::are_sound_fees;
pub(crate) use flags::{Flags, are_sound_flags};
pub(crate) use guard::are_sound_bands;
pub(crate) use peg::is_pegged;
pub(crate) use quote::Quoter;
pub(crate) use rules::{SpecialBook, are_sound_rules, are_sound_ticks};
pub(crate) use runaway::{Runaways, is_parent_name};
pub(crate) use share::is_sound_allocation;

use crate::book::{queue_of, unlink_from};
use crate::engine::Engine;
use crate::order::Order;
use crate::pool::NONE;
use rialto_model::event::{Cancelled, Instructed};
use rialto_model::{CancelReason, EventSink, Handling, Instructions, OrderKind, Price, Quantity, SelfTrade, Side};

/// What an order has beyond a plain one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extra {
    pub(crate) kind: OrderKind,
    pub(crate) instructions: Instructions,
    /// How much of what is open an iceberg does not display.
    pub(crate) reserve: u32,
    /// The stop price that holds now, while it stands aside. A trailing one may fall below zero, where it never triggers.
    pub(crate) trigger: i64,
    /// Its limit while it stands aside; zero for a market order.
    pub(crate) price: u32,
    /// Whether it waits for its auction to begin.
    pub(crate) waits: bool,
    /// The limit of a pegged order; zero otherwise.
    pub(crate) cap: u32,
}

/// What is chosen for a firm.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirmRules {
    pub(crate) self_trade: SelfTrade,
    pub(crate) killed: bool,
}

/// Both sides in the order in which everything walks over them.
pub(crate) const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

/// The place of a side in a pair.
pub(crate) const fn index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

impl Engine {
    /// Whether orders of this book take the special path.
    #[inline]
    pub(crate) fn is_special(&self, handle: u32) -> bool {
        let at = usize::from(self.orders[handle].instrument.0) - 1;
        self.books[at].special.is_some()
    }

    /// What an order asks for beyond a plain one.
    pub(crate) fn instructions(&self, handle: u32) -> Instructions {
        match self.orders[handle].extra {
            NONE => Instructions::NONE,
            extra => self.extras[extra].instructions,
        }
    }

    pub(crate) fn reserve(&self, handle: u32) -> u32 {
        match self.orders[handle].extra {
            NONE => 0,
            extra => self.extras[extra].reserve,
        }
    }

    /// What is open of an order, displayed or not.
    pub(crate) fn open(&self, handle: u32) -> u32 {
        self.orders[handle].leaves + self.reserve(handle)
    }

    /// Whether an order stands in no queue.
    pub(crate) fn is_aside(&self, handle: u32) -> bool {
        self.orders[handle].level == NONE
    }

    pub(crate) fn is_hidden(&self, handle: u32) -> bool {
        self.instructions(handle).handling.has(Handling::HIDDEN)
    }

    /// How much of an order the feed sees.
    pub(crate) fn shown(&self, handle: u32) -> u32 {
        if self.is_aside(handle) || self.is_hidden(handle) {
            0
        } else {
            self.orders[handle].leaves
        }
    }

    /// The limit of an order, wherever it stands; zero for a market order.
    pub(crate) fn price_of(&self, handle: u32) -> u32 {
        let order = &self.orders[handle];
        if order.level == NONE {
            self.extras[order.extra].price
        } else {
            self.rungs.levels[order.level].price
        }
    }

    /// Every order of a book: bids, asks, hidden bids, hidden asks, those that stand aside.
    pub(crate) fn collect(&mut self, at: usize) {
        let book = &self.books[at];
        for side in SIDES {
            for (handle, _) in book.queue(side, &self.orders, &self.rungs) {
                self.leaving.push((self.orders[handle].order_id, handle));
            }
        }
        let Some(special) = &book.special else { return };
        for side in SIDES {
            for (handle, _) in queue_of(&special.hidden[index(side)], &self.orders, &self.rungs) {
                self.leaving.push((self.orders[handle].order_id, handle));
            }
        }
        for handle in special.aside() {
            self.leaving.push((self.orders[handle].order_id, handle));
        }
    }

    /// Takes an order out of where it stands: a displayed or hidden queue, or the stops.
    pub(crate) fn unlink_any(&mut self, handle: u32) {
        let Order {
            instrument,
            side,
            level,
            public_ref,
            extra,
            ..
        } = self.orders[handle];
        let hidden = self.is_hidden(handle);
        let book = &mut self.books[usize::from(instrument.0) - 1];
        match &mut book.special {
            Some(special) if level == NONE => special.remove_aside(side, self.extras[extra].trigger, public_ref),
            Some(special) if hidden => {
                special.pegged.remove(&public_ref);
                unlink_from(
                    &mut special.hidden[index(side)],
                    handle,
                    &mut self.orders,
                    &mut self.rungs,
                );
            }
            _ => book.unlink(handle, &mut self.orders, &mut self.rungs),
        }
        self.orders[handle].level = NONE;
    }

    /// Lets go of what an order has beyond a plain one.
    pub(crate) fn drop_extra(&mut self, handle: u32) {
        let Order {
            extra,
            instrument,
            order_id,
            ..
        } = self.orders[handle];
        if extra == NONE {
            return;
        }
        self.unset_timer(self.extras[extra].instructions.expires, instrument, order_id);
        self.extras.release(extra);
        self.orders[handle].extra = NONE;
    }

    /// Takes a live order off wherever it stands, and forgets it.
    pub(crate) fn take_off_any(&mut self, handle: u32) {
        self.unlink_any(handle);
        self.drop_extra(handle);
        let order = &self.orders[handle];
        if order.order_id.is_quote() {
            self.quotes.remove(&(order.session(), order.instrument, order.side));
            self.orders.release(handle);
        } else {
            self.forget(handle);
        }
    }

    /// The event of the end of a live order when nobody asked for it.
    pub(crate) fn ended(&self, handle: u32, reason: CancelReason) -> Cancelled {
        Cancelled {
            removed: Quantity(u64::from(self.open(handle))),
            ..self.orders[handle].cancelled(reason, self.shown(handle) > 0)
        }
    }

    /// Cancels a live order that nobody asked to cancel.
    pub(crate) fn end(&mut self, handle: u32, reason: CancelReason, sink: &mut impl EventSink) {
        sink.emit(self.ended(handle, reason).into());
        self.take_off_any(handle);
    }

    /// States what an order asks for, if anything.
    pub(crate) fn instruct(order: &Order, instructions: Instructions, sink: &mut impl EventSink) {
        if instructions.is_none() {
            return;
        }
        sink.emit(
            Instructed {
                session: order.session(),
                user_ref: order.user_ref,
                order_id: order.order_id,
                instrument: order.instrument,
                instructions,
            }
            .into(),
        );
    }
}

/// A price in the model's width.
pub(crate) const fn price(units: u32) -> Price {
    Price(units as i64)
}

/// A quantity in the model's width.
pub(crate) const fn quantity(units: u32) -> Quantity {
    Quantity(units as u64)
}
