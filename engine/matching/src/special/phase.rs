//! Phases: what an instrument does from one command on.

use crate::book::Terms;
use crate::engine::Engine;
use crate::pool::NONE;
use crate::state::Outlook;
use alloc::vec::Vec;
use rialto_model::command::SetPhase;
use rialto_model::event::{CommandRejected, Indicative, OfficialPrice, PhaseChanged};
use rialto_model::{AuctionOnly, BreakerLevel, CancelReason, EventSink, OrderKind, Phase, RejectReason, Timestamp};

use super::enter::Incoming;
use super::{index, price};

impl Engine {
    /// FIX 35 = h (TradSesStatus 340) and f (SecurityTradingStatus 326) as practised: pre-open, calls, continuous trading,
    /// interruptions, the end. Going on to continuous trading, or closing, ends a call with its uncross.
    #[cold]
    pub(crate) fn set_phase(&mut self, c: &SetPhase, sink: &mut impl EventSink) {
        let at = usize::from(c.instrument.0).wrapping_sub(1);
        let special = self.books.get(at).and_then(|book| book.special.as_ref());
        let old = match special.map(|special| special.phase) {
            Some(old) if old != c.phase && old != Phase::Delisted => old,
            _ => return sink.emit(super::rules::refused(SetPhase::SCHEMA)),
        };
        if !self.day_open {
            return sink.emit(
                CommandRejected {
                    schema: SetPhase::SCHEMA,
                    reason: RejectReason::MarketClosed,
                }
                .into(),
            );
        }
        let ends = matches!(c.phase, Phase::Continuous | Phase::Closed);
        if ends && old != Phase::Continuous && self.breaker != BreakerLevel::None {
            return sink.emit(
                CommandRejected {
                    schema: SetPhase::SCHEMA,
                    reason: RejectReason::CircuitBroken,
                }
                .into(),
            );
        }
        self.change_phase(at, c.phase, self.last_stamp, sink);
        self.conclude_all(sink);
    }

    /// Brings a book with a rulebook into another phase, as of `now`.
    pub(crate) fn change_phase(&mut self, at: usize, phase: Phase, now: Timestamp, sink: &mut impl EventSink) {
        let old = self.books[at].phase();
        let ends = matches!(phase, Phase::Continuous | Phase::Closed);
        if ends && old != Phase::Continuous {
            self.end_call(at, old, sink);
        }
        let last_price = self.books[at].last_price;
        if phase == Phase::Closed && last_price > 0 {
            self.official(at, true, sink);
        }
        self.stop_guard(at);
        let special = self.special_book(at);
        special.phase = phase;
        special.outlook = Outlook::default();
        let instrument = self.books[at].instrument;
        sink.emit(PhaseChanged { instrument, phase }.into());
        if phase != Phase::Continuous {
            self.unpeg(at, sink);
        }
        match phase {
            Phase::Continuous => self.start_guard(at, now, sink),
            Phase::ClosingAuction => self.release_waiting(at, sink),
            Phase::Delisted => {
                self.leaving.clear();
                self.collect(at);
                self.leaving.sort_unstable();
                self.end_leaving(CancelReason::Delisted, sink);
            }
            _ => {}
        }
    }

    /// The uncross, and the end of every order that was there for it alone: market orders, and those for an auction only.
    fn end_call(&mut self, at: usize, old: Phase, sink: &mut impl EventSink) {
        let volume = self.uncross(at, old, sink);
        if volume > 0 && matches!(old, Phase::PreOpen | Phase::OpeningAuction) {
            self.official(at, false, sink);
        }
        self.leaving.clear();
        self.collect(at);
        self.keep_leaving(|engine, handle| {
            let extra = engine.orders[handle].extra;
            if extra == NONE {
                return false;
            }
            let extra = &engine.extras[extra];
            let stop = extra.instructions.trigger.0 != 0;
            let market = extra.kind == OrderKind::Market && !stop;
            (market || extra.instructions.auction != AuctionOnly::Any) && !extra.waits
        });
        for place in 0..self.leaving.len() {
            let (_, handle) = self.leaving[place];
            let reason = match self.instructions(handle).auction {
                AuctionOnly::Any => CancelReason::Unfilled,
                _ => CancelReason::AuctionOver,
            };
            self.end(handle, reason, sink);
        }
    }

    fn official(&self, at: usize, closing: bool, sink: &mut impl EventSink) {
        let book = &self.books[at];
        sink.emit(
            OfficialPrice {
                instrument: book.instrument,
                closing,
                price: price(book.last_price),
            }
            .into(),
        );
    }

    /// Orders for the closing auction join it, in the order they came and behind those that stand already.
    fn release_waiting(&mut self, at: usize, sink: &mut impl EventSink) {
        let waiting: Vec<u32> = self.special_book(at).waiting.values().copied().collect();
        for handle in waiting {
            self.unlink_any(handle);
            let extra = self.extras[self.orders[handle].extra];
            self.drop_extra(handle);
            let public_ref = self.books[at].next_public_ref();
            let order = &mut self.orders[handle];
            order.public_ref = public_ref;
            let incoming = Incoming {
                order: *order,
                kind: extra.kind,
                price: extra.price,
                cap: 0,
                instructions: extra.instructions,
            };
            self.stand(handle, &incoming, false, sink);
        }
    }

    /// Says what an auction would do where that has changed.
    pub(crate) fn publish(&mut self, at: usize, sink: &mut impl EventSink) {
        let outlook = self.outlook(at);
        let book = &mut self.books[at];
        let Some(special) = &mut book.special else { return };
        if outlook == special.outlook {
            return;
        }
        special.outlook = outlook;
        sink.emit(
            Indicative {
                instrument: book.instrument,
                phase: special.phase,
                price: outlook.price,
                volume: outlook.volume,
                imbalance: outlook.imbalance,
                side: outlook.side,
                reference: price(book.last_price),
            }
            .into(),
        );
    }

    /// The first order of a side of a call: market orders, then by price, display and time.
    pub(super) fn first_of(&self, at: usize, side: rialto_model::Side) -> Option<u32> {
        let special = self.books[at].special.as_ref()?;
        let market = special.markets[index(side)]
            .first_key_value()
            .map(|(_, handle)| *handle);
        let limit = || {
            let level = self.next_level(at, side.opposite(), Terms::REACH_ALL)?;
            Some(self.rungs.levels[level].head)
        };
        market.or_else(limit)
    }
}
