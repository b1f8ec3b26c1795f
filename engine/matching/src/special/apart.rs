//! Orders that are kept apart ([`SelfTrade::Apart`]): they trade within their group, all others among themselves, and the book
//! is never crossed for it.

use crate::engine::Engine;
use crate::pool::NONE;
use alloc::vec::Vec;
use rialto_model::{CancelReason, EventSink, FirmId, Instructions, SelfTrade, Side};

use super::enter::Incoming;
use super::index;

/// Whose order may be traded with: none for all that are not kept apart.
type Circle = Option<(FirmId, u16)>;

/// How far an order came.
pub(super) enum Reached {
    /// As far as it goes.
    End,
    /// To a trade that would be out of range.
    Range,
    /// Self-trade prevention has ended it.
    Prevented,
}

impl Engine {
    /// Whether any order of a book may be kept apart.
    pub(super) fn keeps_apart(&self, at: usize) -> bool {
        self.apart || self.books[at].rules().self_trade == SelfTrade::Apart
    }

    /// Whether a firm has chosen to be kept apart; asked again whenever one chooses.
    pub(crate) fn is_any_apart(&self) -> bool {
        self.firms.iter().any(|firm| firm.self_trade == SelfTrade::Apart)
    }

    /// What prevents a firm from trading with itself on a book: being kept apart does not.
    pub(super) fn prevention(&self, at: usize, firm: FirmId) -> SelfTrade {
        match self.self_trade(at, firm) {
            SelfTrade::Apart => SelfTrade::Allowed,
            mode => mode,
        }
    }

    fn circle(&self, at: usize, firm: FirmId, instructions: &Instructions) -> Circle {
        let apart = instructions.group != 0 && self.self_trade(at, firm) == SelfTrade::Apart;
        apart.then_some((firm, instructions.group))
    }

    fn circle_of(&self, at: usize, handle: u32) -> Circle {
        self.circle(at, self.orders[handle].firm(), &self.instructions(handle))
    }

    fn circle_of_incoming(&self, incoming: &Incoming) -> Circle {
        self.circle(incoming.at(), incoming.order.firm(), &incoming.instructions)
    }

    /// Whether an incoming order may trade with a resting one.
    pub(super) fn may_meet(&self, incoming: &Incoming, handle: u32) -> bool {
        let at = incoming.at();
        !self.keeps_apart(at) || self.circle_of(at, handle) == self.circle_of_incoming(incoming)
    }

    /// Trades an order as far as it goes, with orders of its own circle one after the other.
    pub(super) fn run_apart(&mut self, incoming: &mut Incoming, reach: u32, sink: &mut impl EventSink) -> Reached {
        let at = incoming.at();
        let own = self.circle_of_incoming(incoming);
        let mode = self.prevention(at, incoming.order.firm());
        let last = self.books[at].last_price;
        while incoming.order.leaves > 0 {
            let others = self.others(at, incoming.order.side, reach);
            let Some(maker) = others.into_iter().find(|maker| self.circle_of(at, *maker) == own) else {
                break;
            };
            if !self.books[at].is_in_range(last, self.rungs.levels[self.orders[maker].level].price) {
                return Reached::Range;
            }
            if mode == SelfTrade::Allowed || !self.is_own(incoming, maker) {
                self.execute_special(incoming, maker, u32::MAX, sink);
            } else if self.prevent(incoming, maker, mode, sink) {
                return Reached::Prevented;
            }
        }
        Reached::End
    }

    /// Lets what is left of an order stand only where nothing is crossed by it. Whether it may.
    pub(super) fn clear_the_way(&mut self, incoming: &Incoming, reach: u32, sink: &mut impl EventSink) -> bool {
        let at = incoming.at();
        let own = self.circle_of_incoming(incoming);
        let crossed = self.others(at, incoming.order.side, reach);
        let blocked = |handle: &u32| own.is_none() || self.circle_of(at, *handle).is_some();
        if crossed.iter().any(blocked) {
            sink.emit(incoming.order.cancelled(CancelReason::KeptApart, false).into());
            return false;
        }
        for handle in crossed {
            self.end(handle, CancelReason::KeptApart, sink);
        }
        true
    }

    /// The orders of the other side within reach, in the order in which an order of `side` meets them: by price, displayed
    /// before hidden, then as they stand.
    fn others(&self, at: usize, side: Side, reach: u32) -> Vec<u32> {
        let book = &self.books[at];
        let displayed = book.side(side.opposite()).levels(&self.rungs);
        let mut levels: Vec<(u32, bool, u32)> = displayed
            .take_while(|level| level.rank <= reach)
            .map(|level| (level.rank, false, level.head))
            .collect();
        if let Some(special) = &book.special {
            let hidden = special.hidden[index(side.opposite())].levels(&self.rungs);
            levels.extend(
                hidden
                    .take_while(|level| level.rank <= reach)
                    .map(|level| (level.rank, true, level.head)),
            );
            levels.sort_unstable();
        }
        let mut orders = Vec::new();
        for (.., head) in levels {
            let mut next = head;
            while next != NONE {
                orders.push(next);
                next = self.orders[next].next;
            }
        }
        orders
    }
}
