//! Pegged orders: their price follows the best displayed ones.
//!
//! IEX Rule 11.190(b), primary peg and midpoint peg, without their discretion; Nasdaq Rule 4703(d), pegging. A pegged order is
//! hidden, so that no peg follows another. A primary peg has the best displayed price of its own side; a midpoint peg the
//! mean of both, rounded away from the other side to the instrument's smallest tick; neither goes beyond its limit. Where
//! there is no such price, and outside of continuous trading, it stands aside. A new price is a new place in the queue, and
//! the order trades at it like one that comes in. Pegs are priced behind each command, when stops have had their turn, the
//! longest unchanged first.

use crate::engine::Engine;
use crate::pool::NONE;
use rialto_model::event::Pegged;
use rialto_model::{BreakerLevel, EventSink, Handling, Instructions, Phase, Price, Side};

use super::Extra;
use super::enter::Incoming;

/// Both pegs.
const PEGS: u16 = Handling::PEG_PRIMARY.0 | Handling::PEG_MIDPOINT.0;

/// Whether an order follows the market.
pub(crate) const fn is_pegged(instructions: &Instructions) -> bool {
    instructions.handling.0 & PEGS != 0
}

impl Engine {
    /// Where a peg stands now; zero for nowhere.
    fn peg_price(&self, at: usize, side: Side, handling: Handling, cap: u32) -> u32 {
        let book = &self.books[at];
        let best = |side| {
            let level = book.side(side).best;
            (level != NONE).then(|| self.rungs.levels[level].price)
        };
        let follows = match (best(side), best(side.opposite())) {
            _ if book.phase() != Phase::Continuous => None,
            (Some(own), _) if handling.has(Handling::PEG_PRIMARY) => Some(own),
            (Some(own), Some(other)) if handling.has(Handling::PEG_MIDPOINT) => {
                let (sum, step) = (u64::from(own) + u64::from(other), 2 * u64::from(book.tick));
                let ticks = if side == Side::Buy {
                    sum / step
                } else {
                    sum.div_ceil(step)
                };
                Some((ticks * u64::from(book.tick)) as u32)
            }
            _ => None,
        };
        follows.map_or(0, |price| {
            if side == Side::Buy {
                price.min(cap)
            } else {
                price.max(cap)
            }
        })
    }

    /// Gives a peg on its way its price, and says it.
    pub(super) fn peg(&mut self, incoming: &mut Incoming, sink: &mut impl EventSink) {
        let handling = incoming.instructions.handling;
        incoming.price = self.peg_price(incoming.at(), incoming.order.side, handling, incoming.cap);
        let order = &incoming.order;
        sink.emit(
            Pegged {
                session: order.session(),
                user_ref: order.user_ref,
                order_id: order.order_id,
                public_ref: order.public_ref,
                instrument: order.instrument,
                side: order.side,
                price: Price(i64::from(incoming.price)),
            }
            .into(),
        );
    }

    /// The peg that is out of step the longest.
    pub(super) fn next_peg(&self, at: usize) -> Option<u32> {
        let special = self.books[at].special.as_ref()?;
        if self.breaker != BreakerLevel::None {
            return None;
        }
        let all = special.pegged.iter().chain(&special.unpriced);
        let mut stale = all.filter(|(_, handle)| {
            let order = &self.orders[**handle];
            let extra = &self.extras[order.extra];
            self.peg_price(at, order.side, extra.instructions.handling, extra.cap) != self.price_of(**handle)
        });
        // Both are in order: the first of each, and of them the older.
        let first = stale.next()?;
        let rest = special.unpriced.iter().find(|(public_ref, handle)| {
            *public_ref < first.0 && {
                let order = &self.orders[**handle];
                let extra = &self.extras[order.extra];
                self.peg_price(at, order.side, extra.instructions.handling, extra.cap) != 0
            }
        });
        Some(*rest.unwrap_or(first).1)
    }

    /// Takes a peg to its new price.
    pub(super) fn reprice(&mut self, handle: u32, sink: &mut impl EventSink) {
        let Extra {
            kind,
            instructions,
            cap,
            ..
        } = self.extras[self.orders[handle].extra];
        self.unlink_any(handle);
        self.drop_extra(handle);
        let at = usize::from(self.orders[handle].instrument.0) - 1;
        let public_ref = self.books[at].next_public_ref();
        self.orders[handle].public_ref = public_ref;
        let mut incoming = Incoming {
            order: self.orders[handle],
            kind,
            price: 0,
            cap,
            instructions,
        };
        self.peg(&mut incoming, sink);
        if incoming.price == 0 || self.run(&mut incoming, sink) {
            self.stand(handle, &incoming, false, sink);
        } else {
            self.forget(handle);
        }
    }

    /// Takes all pegs of a book aside: continuous trading is over.
    pub(super) fn unpeg(&mut self, at: usize, sink: &mut impl EventSink) {
        while let Some(special) = &self.books[at].special
            && let Some((_, handle)) = special.pegged.first_key_value()
        {
            self.reprice(*handle, sink);
        }
    }
}
