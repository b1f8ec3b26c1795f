//! The uncross: one price for a call, and the trades at it.
//!
//! The price is the one at which most trades; among those, at which least is left over; among those, the highest where buyers
//! are left over at all of them and the lowest where sellers are (market pressure); among those, the one nearest to the last
//! trade's, and of two the higher (Xetra Market Model Equities, price determination in auctions; Euronext Harmonised Rules,
//! call phase). Every tick between the lowest and the highest limit is judged, and no other. Icebergs take part with all
//! they have, hidden orders behind displayed ones of their price, and self-trade prevention does not apply.

use crate::book::{Book, queue_of};
use crate::engine::Engine;
use crate::pool::NONE;
use crate::state::Outlook;
use alloc::vec::Vec;
use core::cmp::Reverse;
use rialto_model::event::{Executed, Uncrossed};
use rialto_model::{EventSink, Phase, PublicRef, Quantity, Side, TradeId};

use super::{index, price, quantity};

/// How much each side would trade at a price.
#[derive(Clone, Copy)]
struct Demand {
    price: u32,
    buys: u64,
    sells: u64,
}

impl Demand {
    fn volume(&self) -> u64 {
        self.buys.min(self.sells)
    }

    fn imbalance(&self) -> u64 {
        self.buys.abs_diff(self.sells)
    }
}

impl Engine {
    /// What the orders of a call would do, were it over now.
    pub(super) fn outlook(&self, at: usize) -> Outlook {
        let Some(best) = self.best_demand(at).filter(|best| best.volume() > 0) else {
            return Outlook::default();
        };
        Outlook {
            price: price(best.price),
            volume: Quantity(best.volume()),
            imbalance: Quantity(best.imbalance()),
            side: if best.sells > best.buys { Side::Sell } else { Side::Buy },
        }
    }

    fn best_demand(&self, at: usize) -> Option<Demand> {
        let (bids, asks) = (self.limits(at, Side::Buy), self.limits(at, Side::Sell));
        let (market_buys, market_sells) = (self.market_open(at, Side::Buy), self.market_open(at, Side::Sell));
        let book = &self.books[at];
        let demands = book.candidates(&bids, &asks).into_iter().map(|price| Demand {
            price,
            buys: market_buys + sum(bids.iter().filter(|(limit, _)| *limit >= price)),
            sells: market_sells + sum(asks.iter().filter(|(limit, _)| *limit <= price)),
        });
        let mut demands: Vec<Demand> = demands.collect();
        let best = demands
            .iter()
            .map(|one| (one.volume(), Reverse(one.imbalance())))
            .max()?;
        demands.retain(|one| (one.volume(), Reverse(one.imbalance())) == best);
        if demands.iter().all(|one| one.buys > one.sells) {
            return demands.into_iter().max_by_key(|one| one.price);
        }
        if demands.iter().all(|one| one.sells > one.buys) {
            return demands.into_iter().min_by_key(|one| one.price);
        }
        let reference = book.last_price;
        demands
            .into_iter()
            .min_by_key(|one| (one.price.abs_diff(reference), Reverse(one.price)))
    }

    /// The limits of a side with all that is open at each.
    fn limits(&self, at: usize, side: Side) -> Vec<(u32, u64)> {
        let book = &self.books[at];
        let mut limits: Vec<(u32, u64)> = Vec::new();
        let hidden = book.special.as_ref().map(|special| &special.hidden[index(side)]);
        for ladder in hidden.into_iter().chain([book.side(side)]) {
            for (handle, limit) in queue_of(ladder, &self.orders, &self.rungs) {
                let open = u64::from(self.open(handle));
                match limits.last_mut() {
                    Some((last, total)) if *last == limit => *total += open,
                    _ => limits.push((limit, open)),
                }
            }
        }
        limits
    }

    fn market_open(&self, at: usize, side: Side) -> u64 {
        let markets = self.books[at]
            .special
            .iter()
            .flat_map(|special| special.markets[index(side)].values());
        markets.map(|handle| u64::from(self.open(*handle))).sum()
    }

    /// Trades the orders of a call at one price, in their order, and says what came of it. How much traded.
    pub(super) fn uncross(&mut self, at: usize, phase: Phase, sink: &mut impl EventSink) -> u64 {
        let outlook = self.outlook(at);
        let limit = outlook.price.0 as u32;
        let mut left = outlook.volume.0;
        while left > 0 {
            let (Some(buy), Some(sell)) = (self.first_of(at, Side::Buy), self.first_of(at, Side::Sell)) else {
                break;
            };
            let most = self.orders[buy].leaves.min(self.orders[sell].leaves);
            let traded = left.min(u64::from(most));
            self.cross(buy, sell, limit, traded as u32, sink);
            left -= traded;
        }
        let book = &mut self.books[at];
        let volume = outlook.volume.0;
        if volume > 0 || phase.is_call() {
            let trade = if volume > 0 { book.next_trade() } else { TradeId(0) };
            if volume > 0 {
                book.refer_to(limit);
            }
            sink.emit(
                Uncrossed {
                    instrument: book.instrument,
                    phase,
                    trade,
                    price: outlook.price,
                    volume: outlook.volume,
                }
                .into(),
            );
        }
        volume
    }

    fn cross(&mut self, buy: u32, sell: u32, limit: u32, traded: u32, sink: &mut impl EventSink) {
        let seen = [buy, sell].map(|handle| self.shown(handle) > 0);
        for handle in [buy, sell] {
            let order = &mut self.orders[handle];
            order.leaves -= traded;
            order.executed += u64::from(traded);
            if order.level != NONE {
                self.rungs.levels[order.level].total -= u64::from(traded);
            }
        }
        let (taker, maker) = (&self.orders[buy], &self.orders[sell]);
        let book = &mut self.books[usize::from(taker.instrument.0) - 1];
        book.last_price = limit;
        let (maker_fee, taker_fee) = book.fees(price(limit), quantity(traded), true);
        sink.emit(
            Executed {
                trade: book.next_trade(),
                instrument: taker.instrument,
                aggressor: Side::Buy,
                price: price(limit),
                quantity: quantity(traded),
                maker: maker.order_id,
                maker_public_ref: maker.public_ref,
                maker_session: maker.session(),
                maker_user_ref: maker.user_ref,
                maker_firm: maker.firm(),
                maker_account: maker.account,
                maker_leaves: quantity(self.open(sell)),
                taker: taker.order_id,
                taker_session: taker.session(),
                taker_user_ref: taker.user_ref,
                taker_firm: taker.firm(),
                taker_account: taker.account,
                taker_leaves: quantity(self.open(buy)),
                maker_hidden: !seen[1],
                cross: true,
                taker_public_ref: if seen[0] { taker.public_ref } else { PublicRef(0) },
                maker_fee,
                taker_fee,
            }
            .into(),
        );
        for handle in [buy, sell] {
            let order = self.orders[handle];
            self.note_fill(usize::from(order.instrument.0) - 1, &order, traded);
            if order.leaves > 0 {
                continue;
            }
            if self.reserve(handle) > 0 {
                let limit = self.price_of(handle);
                self.refill(handle, limit, sink);
            } else {
                self.take_off_any(handle);
            }
        }
    }
}

impl Book {
    /// The prices at which the demand can differ, and of each stretch between two limits, over which it is one, the ends
    /// and what lies nearest to the last trade. Without a limit the last trade's price, if there is one.
    fn candidates(&self, bids: &[(u32, u64)], asks: &[(u32, u64)]) -> Vec<u32> {
        let mut limits: Vec<u32> = bids.iter().chain(asks).map(|(limit, _)| *limit).collect();
        limits.sort_unstable();
        limits.dedup();
        if limits.is_empty() && self.last_price > 0 {
            return [self.last_price].into();
        }
        let mut candidates = limits.clone();
        for pair in limits.windows(2) {
            let [low, high] = *pair else { continue };
            let last = self.last_price;
            let floor = last / self.tick_at(last) * self.tick_at(last);
            let nearest = [Some(floor), self.price_above(floor)].into_iter().flatten();
            let ends = [self.price_above(low), self.price_below(high)].into_iter().flatten();
            candidates.extend(ends.chain(nearest).filter(|price| *price > low && *price < high));
        }
        candidates
    }
}

fn sum<'a>(limits: impl Iterator<Item = &'a (u32, u64)>) -> u64 {
    limits.map(|(_, open)| *open).sum()
}
