//! The trade of an incoming order under a rulebook, and the stop orders that it triggers.

use crate::engine::Engine;
use crate::order::Order;
use crate::pool::NONE;
use alloc::vec::Vec;
use rialto_model::event::{Executed, Reduced};
use rialto_model::flags;
use rialto_model::{
    CancelReason, EventSink, Handling, Incarnation, MsgSeqNum, OrderKind, Phase, PublicRef, SelfTrade, Side, Text,
    TimeInForce,
};

use super::apart::Reached;
use super::enter::{Incoming, is_reached};
use super::{Extra, SIDES, index, price, quantity};

impl Engine {
    /// Trades an order as far as it goes. Whether what is left of it is to stand in the book.
    pub(super) fn run(&mut self, incoming: &mut Incoming, sink: &mut impl EventSink) -> bool {
        let reach = self.terms(incoming).reach;
        if let Some(reason) = self.lacks_quantity(incoming, reach) {
            sink.emit(incoming.order.cancelled(reason, false).into());
            return false;
        }
        let at = incoming.at();
        if self.keeps_apart(at) {
            match self.run_apart(incoming, reach, sink) {
                Reached::Prevented => return false,
                Reached::Range => self.special_book(at).interrupted = true,
                Reached::End => {
                    let stands = incoming.order.leaves > 0 && incoming.could_rest();
                    if stands && !self.clear_the_way(incoming, reach, sink) {
                        return false;
                    }
                }
            }
        } else if self.run_together(incoming, reach, sink) {
            return false;
        }
        if incoming.order.leaves == 0 {
            return false;
        }
        if !incoming.could_rest() {
            sink.emit(incoming.order.cancelled(CancelReason::Unfilled, false).into());
            return false;
        }
        true
    }

    /// Trades an order with all that it reaches. Whether self-trade prevention has ended it.
    fn run_together(&mut self, incoming: &mut Incoming, reach: u32, sink: &mut impl EventSink) -> bool {
        let at = incoming.at();
        let mode = self.self_trade(at, incoming.order.firm());
        let last = self.books[at].last_price;
        while incoming.order.leaves > 0 {
            let Some(level) = self.next_level(at, incoming.order.side, reach) else {
                break;
            };
            if !self.books[at].is_in_range(last, self.rungs.levels[level].price) {
                self.special_book(at).interrupted = true;
                break;
            }
            if self.is_shared(at, level, incoming.order.leaves) {
                if self.share(incoming, level, mode, sink) {
                    return true;
                }
                continue;
            }
            let maker = self.rungs.levels[level].head;
            if mode != SelfTrade::Allowed && self.is_own(incoming, maker) {
                if self.prevent(incoming, maker, mode, sink) {
                    return true;
                }
            } else {
                self.execute_special(incoming, maker, u32::MAX, sink);
            }
        }
        false
    }

    /// The level that an order of `side` trades with next: the best price, and at one price the displayed orders first
    /// (hidden ones stand behind them: Nasdaq Rule 4757, price, display, time).
    pub(super) fn next_level(&self, at: usize, side: Side, reach: u32) -> Option<u32> {
        let book = &self.books[at];
        let mut ladder = book.side(side.opposite());
        if let Some(special) = &book.special {
            let hidden = &special.hidden[index(side.opposite())];
            if hidden.best_rank < ladder.best_rank {
                ladder = hidden;
            }
        }
        (ladder.best != NONE && ladder.best_rank <= reach).then_some(ladder.best)
    }

    /// FIX 59 = 4 and FIX 110: the reason to end an order of which less than it needs could trade at once.
    fn lacks_quantity(&self, incoming: &Incoming, reach: u32) -> Option<CancelReason> {
        let leaves = u64::from(incoming.order.leaves);
        let (needed, reason) = if incoming.order.tif == TimeInForce::FillOrKill {
            (leaves, CancelReason::NotFillable)
        } else {
            let minimum = u64::from(incoming.instructions.minimum.0);
            (leaves.min(minimum), CancelReason::MinimumNotMet)
        };
        (needed > 0 && self.available(incoming, reach) < needed).then_some(reason)
    }

    /// How much of an order would trade: self-trade prevention ends or lowers it on the way, and takes own orders out of it.
    fn available(&self, incoming: &Incoming, reach: u32) -> u64 {
        let at = incoming.at();
        let side = incoming.order.side.opposite();
        let mode = self.prevention(at, incoming.order.firm());
        let mut levels: Vec<(u32, bool, u32, u32)> = Vec::new();
        let displayed = self.books[at].side(side).levels(&self.rungs);
        levels.extend(
            displayed
                .take_while(|level| level.rank <= reach)
                .map(|level| (level.rank, false, level.head, level.price)),
        );
        if let Some(special) = &self.books[at].special {
            let hidden = special.hidden[index(side)].levels(&self.rungs);
            levels.extend(
                hidden
                    .take_while(|level| level.rank <= reach)
                    .map(|level| (level.rank, true, level.head, level.price)),
            );
            levels.sort_unstable();
        }
        let mut remaining = u64::from(incoming.order.leaves);
        let mut traded = 0;
        let book = &self.books[at];
        let last = book.last_price;
        let in_range = levels
            .into_iter()
            .take_while(|(.., price)| book.is_in_range(last, *price));
        for (_, _, head, _) in in_range {
            // First what stands in the queue, one behind the other or shared, then what icebergs show behind all of it.
            let shared = self.may_share(at, head) && !self.keeps_apart(at);
            let mut queue = self.queue_of_level(incoming, head, mode);
            let mut displayed: u64 = queue.iter().map(|(_, displayed, _)| displayed).sum();
            let mut reserves = 0;
            while !queue.is_empty() {
                let first = if shared && remaining < displayed {
                    match queue.iter().position(|(own, ..)| *own) {
                        Some(own) => own,
                        None => return traded + remaining,
                    }
                } else {
                    0
                };
                let (own, shown, open) = queue.remove(first);
                displayed -= shown;
                if own {
                    match mode {
                        SelfTrade::CancelOldest => {}
                        SelfTrade::Decrement => remaining = remaining.saturating_sub(open),
                        _ => return traded,
                    }
                } else {
                    let part = remaining.min(shown);
                    traded += part;
                    remaining -= part;
                    reserves += open - shown;
                }
                if remaining == 0 {
                    return traded;
                }
            }
            let part = remaining.min(reserves);
            traded += part;
            remaining -= part;
        }
        traded
    }

    /// The orders behind `head`: whether each is own, how much of it is displayed, how much open.
    fn queue_of_level(&self, incoming: &Incoming, head: u32, mode: SelfTrade) -> Vec<(bool, u64, u64)> {
        let mut queue = Vec::new();
        let mut next = head;
        while next != NONE {
            let order = &self.orders[next];
            if self.may_meet(incoming, next) {
                let own = mode != SelfTrade::Allowed && self.is_own(incoming, next);
                queue.push((own, u64::from(order.leaves), u64::from(self.open(next))));
            }
            next = order.next;
        }
        queue
    }

    /// Whether a resting order is of the same firm and self-trade group; by a flag of the incoming one's session, of the same
    /// account too.
    pub(super) fn is_own(&self, incoming: &Incoming, maker: u32) -> bool {
        let by_account = || {
            let flags = self.flags.of_session(incoming.order.session());
            flags.is_on(flags::SELF_TRADE_BY_ACCOUNT)
        };
        self.orders[maker].firm == incoming.order.firm
            && self.instructions(maker).group == incoming.instructions.group
            && (self.orders[maker].account == incoming.order.account || !by_account())
    }

    /// Keeps two orders of one firm from trading. Whether that was the end of the incoming one.
    pub(super) fn prevent(
        &mut self,
        incoming: &mut Incoming,
        maker: u32,
        mode: SelfTrade,
        sink: &mut impl EventSink,
    ) -> bool {
        let reason = CancelReason::SelfTrade;
        let cancels_maker = matches!(mode, SelfTrade::CancelOldest | SelfTrade::CancelBoth);
        let cancels_taker = matches!(mode, SelfTrade::CancelNewest | SelfTrade::CancelBoth);
        if cancels_maker {
            self.end(maker, reason, sink);
        }
        if cancels_taker {
            sink.emit(incoming.order.cancelled(reason, false).into());
        }
        if mode != SelfTrade::Decrement {
            return cancels_taker;
        }
        let lowered = incoming.order.leaves.min(self.open(maker));
        if lowered == self.open(maker) {
            self.end(maker, reason, sink);
        } else {
            let shown = self.lower(maker, lowered);
            sink.emit(self.lowered(maker, lowered, shown).into());
        }
        let order = &mut incoming.order;
        if lowered == order.leaves {
            sink.emit(order.cancelled(reason, false).into());
            return true;
        }
        order.leaves -= lowered;
        sink.emit(unasked_reduction(order, lowered, 0, order.leaves).into());
        false
    }

    /// Takes a part off a live order: of an iceberg the reserve first. How much of it was shown.
    pub(super) fn lower(&mut self, handle: u32, by: u32) -> u32 {
        let was_shown = self.shown(handle);
        let extra = self.orders[handle].extra;
        let from_reserve = if extra == NONE {
            0
        } else {
            let reserve = &mut self.extras[extra].reserve;
            let part = by.min(*reserve);
            *reserve -= part;
            part
        };
        let rest = by - from_reserve;
        let order = &mut self.orders[handle];
        order.leaves -= rest;
        if order.level != NONE {
            self.rungs.levels[order.level].total -= u64::from(rest);
        }
        if was_shown > 0 { rest } else { 0 }
    }

    fn lowered(&self, handle: u32, removed: u32, shown: u32) -> Reduced {
        unasked_reduction(&self.orders[handle], removed, shown, self.open(handle))
    }

    /// One execution against an order of a queue, of at most so much.
    pub(super) fn execute_special(
        &mut self,
        incoming: &mut Incoming,
        handle: u32,
        most: u32,
        sink: &mut impl EventSink,
    ) {
        let hidden = self.is_hidden(handle);
        let reserve = self.reserve(handle);
        let level = self.orders[handle].level;
        let at = incoming.at();
        let limit = self.rungs.levels[level].price;
        let (taker, maker) = (&mut incoming.order, &mut self.orders[handle]);
        let traded = taker.leaves.min(maker.leaves).min(most);
        for order in [&mut *taker, maker] {
            order.leaves -= traded;
            order.executed += u64::from(traded);
        }
        self.rungs.levels[level].total -= u64::from(traded);
        let maker = &self.orders[handle];
        let book = &mut self.books[at];
        book.last_price = limit;
        let (maker_fee, taker_fee) = book.fees(price(limit), quantity(traded), false);
        sink.emit(
            Executed {
                trade: book.next_trade(),
                instrument: taker.instrument,
                aggressor: taker.side,
                price: price(limit),
                quantity: quantity(traded),
                maker: maker.order_id,
                maker_public_ref: maker.public_ref,
                maker_session: maker.session(),
                maker_user_ref: maker.user_ref,
                maker_firm: maker.firm(),
                maker_account: maker.account,
                maker_leaves: quantity(maker.leaves + reserve),
                taker: taker.order_id,
                taker_session: taker.session(),
                taker_user_ref: taker.user_ref,
                taker_firm: taker.firm(),
                taker_account: taker.account,
                taker_leaves: taker.leaves(),
                maker_hidden: hidden,
                cross: false,
                taker_public_ref: PublicRef(0),
                maker_fee,
                taker_fee,
            }
            .into(),
        );
        let rests = maker.leaves > 0;
        self.note_trade(at, limit);
        let maker = self.orders[handle];
        self.note_fill(at, &maker, traded);
        self.note_fill(at, &incoming.order, traded);
        if rests {
            return;
        }
        if reserve == 0 {
            self.take_off_any(handle);
        } else {
            self.refill(handle, limit, sink);
        }
    }

    /// An iceberg shows its next part behind all others at its price, under a new public reference (ITCH 5.0: a reserve
    /// order's new display is a new order; Xetra: a new time stamp).
    pub(super) fn refill(&mut self, handle: u32, limit: u32, sink: &mut impl EventSink) {
        self.unlink_any(handle);
        let at = usize::from(self.orders[handle].instrument.0) - 1;
        let public_ref = self.books[at].next_public_ref();
        let order = &mut self.orders[handle];
        let Extra {
            reserve, instructions, ..
        } = &mut self.extras[order.extra];
        let part = (*reserve).min(instructions.display.0);
        *reserve -= part;
        order.leaves = part;
        order.public_ref = public_ref;
        let terms = self.books[at].resting_terms(order.side, limit, part);
        self.books[at].push(handle, terms, &mut self.orders, &mut self.rungs);
        self.show(handle, limit, sink);
    }

    /// What a finished order sets off: trailing stops follow the last trade, and stops that it has reached go live, each to
    /// its end before the next, the oldest first.
    pub(super) fn settle(&mut self, at: usize, sink: &mut impl EventSink) {
        while self.books[at].phase() == Phase::Continuous {
            if self.is_interrupted(at) {
                return self.pause(at, self.last_stamp, sink);
            }
            self.trail(at);
            if let Some(handle) = self.next_triggered(at) {
                self.activate(handle, sink);
            } else if let Some(handle) = self.next_peg(at) {
                self.reprice(handle, sink);
            } else {
                return;
            }
        }
    }

    /// Whether an order was to trade out of range; asked once.
    fn is_interrupted(&mut self, at: usize) -> bool {
        let special = self.books[at].special.as_mut();
        special.is_some_and(|special| core::mem::take(&mut special.interrupted))
    }

    /// The end of a command on a book: what it set off, what it did to limit states and to the outlook of an auction.
    pub(crate) fn conclude(&mut self, at: usize, sink: &mut impl EventSink) {
        self.settle(at, sink);
        if self.deferred {
            return;
        }
        while self.protect(at, sink) {
            self.settle(at, sink);
        }
        if self.first_bands(at, sink) {
            self.settle(at, sink);
        }
        self.watch_limits(at, sink);
        if self.books[at].phase().is_indicative() {
            self.publish(at, sink);
        }
    }

    /// The end of a command on all books.
    pub(crate) fn conclude_all(&mut self, sink: &mut impl EventSink) {
        for at in 0..self.books.len() {
            if self.books[at].special.is_some() {
                self.conclude(at, sink);
            }
        }
    }

    /// Moves the stop price of trailing stops after the last trade, never away from it.
    fn trail(&mut self, at: usize) {
        let last = i64::from(self.books[at].last_price);
        let Some(special) = &mut self.books[at].special else {
            return;
        };
        for side in SIDES {
            let stops = &mut special.stops[index(side)];
            let mut moved: Vec<((i64, PublicRef), i64, u32)> = Vec::new();
            for ((trigger, public_ref), handle) in stops.iter() {
                let instructions = &self.extras[self.orders[*handle].extra].instructions;
                if !instructions.handling.has(Handling::TRAILING) {
                    continue;
                }
                let follows = match side {
                    Side::Buy => (last + instructions.trigger.0).min(*trigger),
                    Side::Sell => (last - instructions.trigger.0).max(*trigger),
                };
                if follows != *trigger {
                    moved.push(((*trigger, *public_ref), follows, *handle));
                }
            }
            for (key, trigger, handle) in moved {
                stops.remove(&key);
                stops.insert((trigger, key.1), handle);
                self.extras[self.orders[handle].extra].trigger = trigger;
            }
        }
    }

    /// The oldest stop order that the last trade has reached.
    fn next_triggered(&self, at: usize) -> Option<u32> {
        let book = &self.books[at];
        let special = book.special.as_ref()?;
        let mut oldest: Option<(PublicRef, u32)> = None;
        for side in SIDES {
            let last = i64::from(book.last_price);
            let stops = &special.stops[index(side)];
            let range = match side {
                Side::Buy => stops.range(..(last + 1, PublicRef(0))),
                Side::Sell => stops.range((last, PublicRef(0))..),
            };
            for ((trigger, public_ref), handle) in range {
                let older = oldest.is_none_or(|(first, _)| *public_ref < first);
                if older && is_reached(side, *trigger, book.last_price) {
                    oldest = Some((*public_ref, *handle));
                }
            }
        }
        oldest.map(|(_, handle)| handle)
    }

    fn activate(&mut self, handle: u32, sink: &mut impl EventSink) {
        let Extra {
            kind,
            instructions,
            price,
            ..
        } = self.extras[self.orders[handle].extra];
        self.unlink_any(handle);
        self.drop_extra(handle);
        let mut incoming = Incoming {
            order: self.orders[handle],
            kind,
            price,
            cap: 0,
            instructions,
        };
        self.go_live(&mut incoming, sink);
        let Incoming { kind, price, order, .. } = incoming;
        if kind == OrderKind::Limit && !self.books[incoming.at()].is_within(order.side, price) {
            sink.emit(order.cancelled(CancelReason::OutsideBands, false).into());
            self.forget(handle);
            return;
        }
        if self.run(&mut incoming, sink) {
            self.stand(handle, &incoming, false, sink);
        } else {
            self.forget(handle);
        }
    }
}

/// A part of an order went without its owner's request.
pub(super) fn unasked_reduction(order: &Order, removed: u32, shown: u32, leaves: u32) -> Reduced {
    Reduced {
        session: order.session(),
        incarnation: Incarnation(0),
        inbound: MsgSeqNum(0),
        user_ref: order.user_ref,
        order_id: order.order_id,
        public_ref: order.public_ref,
        instrument: order.instrument,
        side: order.side,
        short: order.short,
        remark: false,
        removed: quantity(removed),
        leaves: quantity(leaves),
        removed_shown: quantity(shown),
        client_id: Text::EMPTY,
    }
}
