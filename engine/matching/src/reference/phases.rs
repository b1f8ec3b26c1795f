//! Phases and the uncross in the naive engine: every tick is tried, one execution at a time.

use super::after::fees;
use super::bounds::bands;
use super::orders::{special_of, worth};
use super::rules::is_on_tick;
use super::trade::Incoming;
use super::{Engine, Live, broken};
use crate::state::{Aside, InstrumentState, OrderState, Outlook, Special};
use alloc::vec::Vec;
use rialto_model::command::SetPhase;
use rialto_model::event::{CommandRejected, Executed, Indicative, OfficialPrice, PhaseChanged, Uncrossed};
use rialto_model::{
    AuctionOnly, BreakerLevel, CancelReason, Event, Handling, InstrumentId, OrderKind, Phase, Price, PublicRef,
    Quantity, RejectReason, Side, Timestamp, TradeId,
};

impl Engine {
    pub(super) fn phase(&self, instrument: InstrumentId) -> Phase {
        self.listed(instrument).map_or(Phase::Continuous, |listed| listed.phase)
    }

    /// Whether an order is for a closing auction that has not begun.
    pub(super) fn waits(&self, incoming: &Incoming) -> bool {
        let closing = incoming.instructions.auction == AuctionOnly::Closing;
        closing && self.phase(incoming.instrument) != Phase::ClosingAuction
    }

    pub(super) fn set_phase(&mut self, c: &SetPhase, events: &mut Vec<Event>) {
        let instrument = c.instrument;
        let old = match self.listed(instrument) {
            Some(listed) if listed.rules.is_some() => listed.phase,
            _ => return events.push(broken(SetPhase::SCHEMA)),
        };
        if old == c.phase || old == Phase::Delisted {
            return events.push(broken(SetPhase::SCHEMA));
        }
        if !self.state.day_open {
            let closed = CommandRejected {
                schema: SetPhase::SCHEMA,
                reason: RejectReason::MarketClosed,
            };
            return events.push(closed.into());
        }
        let matches_again = c.phase == Phase::Continuous || c.phase == Phase::Closed;
        if matches_again && old != Phase::Continuous && self.state.breaker != BreakerLevel::None {
            let halted = CommandRejected {
                schema: SetPhase::SCHEMA,
                reason: RejectReason::CircuitBroken,
            };
            return events.push(halted.into());
        }
        self.change_phase(instrument, c.phase, self.state.last_stamp, events);
    }

    pub(super) fn change_phase(
        &mut self,
        instrument: InstrumentId,
        phase: Phase,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) {
        let old = self.phase(instrument);
        let matches_again = phase == Phase::Continuous || phase == Phase::Closed;
        if matches_again && old != Phase::Continuous {
            let traded = self.uncross(instrument, old, events);
            if traded && (old == Phase::PreOpen || old == Phase::OpeningAuction) {
                self.official(instrument, false, events);
            }
            self.end_auction_orders(instrument, events);
        }
        if phase == Phase::Closed {
            self.official(instrument, true, events);
        }
        self.end_bounds(instrument);
        if let Some(listed) = self.listed_mut(instrument) {
            listed.phase = phase;
            listed.outlook = Outlook::default();
        }
        events.push(PhaseChanged { instrument, phase }.into());
        if phase != Phase::Continuous {
            self.stop_following(instrument, events);
        }
        if phase == Phase::ClosingAuction {
            self.begin_close(instrument, events);
        }
        if phase == Phase::Delisted {
            let mut all = self.live();
            all.retain(|live| live.instrument == instrument);
            self.end_all(all, CancelReason::Delisted, events);
        }
        self.begin_bounds(instrument, now, events);
    }

    fn official(&self, instrument: InstrumentId, closing: bool, events: &mut Vec<Event>) {
        let price = self.listed(instrument).map_or(Price(0), |listed| listed.last_price);
        if price > Price(0) {
            events.push(
                OfficialPrice {
                    instrument,
                    closing,
                    price,
                }
                .into(),
            );
        }
    }

    /// Ends what was there for the auction: whatever is bound to one and did not wait, and market orders.
    fn end_auction_orders(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) {
        let mut all = self.live();
        all.sort_by_key(|live| live.order.order_id);
        for live in all.into_iter().filter(|live| live.instrument == instrument) {
            let Some(special) = live.order.special else { continue };
            if special.waits {
                continue;
            }
            if special.instructions.auction != AuctionOnly::Any {
                self.end(&live, CancelReason::AuctionOver, events);
            } else if special.kind == OrderKind::Market && special.instructions.trigger == Price(0) {
                self.end(&live, CancelReason::Unfilled, events);
            }
        }
    }

    /// Lets the orders for the closing auction into it.
    fn begin_close(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) {
        let waiting = |live: &Live| live.order.special.is_some_and(|special| special.waits);
        let mut all = self.live();
        all.retain(|live| live.instrument == instrument && waiting(live));
        for live in all {
            self.remove(live.order.order_id);
            let Some(special) = live.order.special else { continue };
            let mut order = live.order;
            order.public_ref = self.next_public_ref(instrument);
            let incoming = Incoming {
                instrument,
                side: live.side,
                kind: special.kind,
                instructions: special.instructions,
                order,
            };
            self.set_down(
                Incoming {
                    order: OrderState {
                        special: special_of(&incoming),
                        ..order
                    },
                    ..incoming
                },
                false,
                events,
            );
        }
    }

    /// Puts an order down without letting it trade.
    pub(super) fn set_down(&mut self, incoming: Incoming, announced: bool, events: &mut Vec<Event>) {
        let Incoming {
            instrument,
            side,
            kind,
            instructions,
            mut order,
        } = incoming;
        let stop = instructions.trigger != Price(0);
        let waits = self.waits(&incoming);
        if stop || waits || kind == OrderKind::Market {
            order.special = Some(Special {
                kind,
                instructions,
                reserve: Quantity(0),
                trigger: if stop { self.first_trigger(&incoming) } else { Price(0) },
                waits,
                limit: Price(0),
            });
            if let Some(listed) = self.listed_mut(instrument) {
                listed.aside.push(Aside { side, order });
            }
            return;
        }
        self.queue(&incoming);
        if !announced && !instructions.handling.has(Handling::HIDDEN) {
            let display = instructions.display.quantity();
            let shown = if display.is_zero() {
                order.leaves
            } else {
                display.min(order.leaves)
            };
            events.push(self.booked(instrument, side, &order, shown));
        }
    }

    /// Says what an auction would do where that has changed.
    pub(super) fn publish(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) {
        if let Some(listed) = self.listed_mut(instrument) {
            if !listed.phase.is_indicative() {
                return;
            }
            let outlook = outlook(listed);
            if outlook == listed.outlook {
                return;
            }
            listed.outlook = outlook;
            events.push(
                Indicative {
                    instrument: listed.definition.instrument,
                    phase: listed.phase,
                    price: outlook.price,
                    volume: outlook.volume,
                    imbalance: outlook.imbalance,
                    side: outlook.side,
                    reference: listed.last_price,
                }
                .into(),
            );
        }
    }

    fn uncross(&mut self, instrument: InstrumentId, phase: Phase, events: &mut Vec<Event>) -> bool {
        let Some(listed) = self.listed(instrument) else {
            return false;
        };
        let Outlook { price, volume, .. } = outlook(listed);
        let mut left = volume;
        while !left.is_zero() {
            let Some(listed) = self.listed(instrument) else { break };
            let (buys, sells) = (participants(listed, Side::Buy), participants(listed, Side::Sell));
            let (Some((buy, buy_seen)), Some((sell, sell_seen))) = (buys.first(), sells.first()) else {
                break;
            };
            let quantity = left.min(buy.displayed()).min(sell.displayed());
            left.0 -= quantity.0;
            let (maker_fee, taker_fee) = fees(listed, price, quantity, true);
            let trade = self.next_trade(instrument);
            let after = |order: &OrderState| order.leaves.saturating_sub(quantity);
            events.push(
                Executed {
                    trade,
                    instrument,
                    aggressor: Side::Buy,
                    price,
                    quantity,
                    maker: sell.order_id,
                    maker_public_ref: sell.public_ref,
                    maker_session: sell.session,
                    maker_user_ref: sell.user_ref,
                    maker_firm: self.firm_of(sell.session),
                    maker_account: sell.account,
                    maker_leaves: after(sell),
                    taker: buy.order_id,
                    taker_session: buy.session,
                    taker_user_ref: buy.user_ref,
                    taker_firm: self.firm_of(buy.session),
                    taker_account: buy.account,
                    taker_leaves: after(buy),
                    maker_hidden: !sell_seen,
                    cross: true,
                    taker_public_ref: if *buy_seen { buy.public_ref } else { PublicRef(0) },
                    maker_fee,
                    taker_fee,
                }
                .into(),
            );
            for (side, order) in [(Side::Buy, buy), (Side::Sell, sell)] {
                self.count_fill(instrument, side, order, quantity);
                self.take_from(instrument, side, order, quantity, events);
            }
            if let Some(listed) = self.listed_mut(instrument) {
                listed.last_price = price;
            }
        }
        if !volume.is_zero() || phase.is_call() {
            let trade = if volume.is_zero() {
                TradeId(0)
            } else {
                self.next_trade(instrument)
            };
            if let Some(listed) = self.listed_mut(instrument)
                && !volume.is_zero()
            {
                listed.guard.reference = price;
                if bands(listed).limit > 0 {
                    listed.guard.average = price;
                }
            }
            events.push(
                Uncrossed {
                    instrument,
                    phase,
                    trade,
                    price,
                    volume,
                }
                .into(),
            );
        }
        !volume.is_zero()
    }

    fn next_trade(&mut self, instrument: InstrumentId) -> TradeId {
        let count = self.listed_mut(instrument).map_or(0, |listed| {
            listed.trades += 1;
            listed.trades
        });
        TradeId::new(instrument, count)
    }
}

/// The orders of a side that may trade in an uncross, in their order, and whether the feed sees each.
fn participants(listed: &InstrumentState, side: Side) -> Vec<(OrderState, bool)> {
    let (displayed, hidden) = match side {
        Side::Buy => (&listed.bids, &listed.hidden_bids),
        Side::Sell => (&listed.asks, &listed.hidden_asks),
    };
    let market = |special: Special| {
        special.kind == OrderKind::Market && special.instructions.trigger == Price(0) && !special.waits
    };
    let markets = listed
        .aside
        .iter()
        .filter(|one| one.side == side && one.order.special.is_some_and(market));
    let mut limits: Vec<(OrderState, bool)> = displayed.iter().map(|order| (*order, true)).collect();
    limits.extend(hidden.iter().map(|order| (*order, false)));
    limits.sort_by_key(|(order, seen)| (worth(side, order.price), !seen, order.public_ref));
    markets.map(|one| (one.order, false)).chain(limits).collect()
}

/// What a call would do: volume, imbalance, pressure, reference, tried at every tick.
fn outlook(listed: &InstrumentState) -> Outlook {
    let (buys, sells) = (participants(listed, Side::Buy), participants(listed, Side::Sell));
    let limits = buys
        .iter()
        .chain(&sells)
        .map(|(order, _)| order.price.0)
        .filter(|price| *price > 0);
    let (lowest, highest) = match (limits.clone().min(), limits.clone().max()) {
        (Some(lowest), Some(highest)) => (lowest, highest),
        _ if listed.last_price > Price(0) => (listed.last_price.0, listed.last_price.0),
        _ => return Outlook::default(),
    };
    let total = |orders: &[(OrderState, bool)], takes: &dyn Fn(i64) -> bool| -> u64 {
        let taken = orders
            .iter()
            .filter(|(order, _)| order.price == Price(0) || takes(order.price.0));
        taken.map(|(order, _)| order.leaves.0).sum()
    };
    // Best first: more volume, less left over.
    let mut found: Vec<(i64, u64, u64)> = Vec::new();
    let mut price = lowest;
    while price <= highest {
        if limits.clone().any(|limit| limit == price) || is_on_tick(listed, price) || lowest == highest {
            let bought = total(&buys, &|limit| limit >= price);
            let sold = total(&sells, &|limit| limit <= price);
            found.push((price, bought, sold));
        }
        price += listed.definition.tick.0;
    }
    let most = found.iter().map(|(_, buy, sell)| *buy.min(sell)).max().unwrap_or(0);
    if most == 0 {
        return Outlook::default();
    }
    found.retain(|(_, buy, sell)| *buy.min(sell) == most);
    let least = found
        .iter()
        .map(|(_, buy, sell)| buy.abs_diff(*sell))
        .min()
        .unwrap_or(0);
    found.retain(|(_, buy, sell)| buy.abs_diff(*sell) == least);
    if found.iter().all(|(_, buy, sell)| buy > sell) {
        found.reverse();
    } else if found.iter().any(|(_, buy, sell)| buy >= sell) {
        let reference = listed.last_price.0;
        found.sort_by_key(|(price, ..)| ((price - reference).abs(), -price));
    }
    found.first().map_or(Outlook::default(), |(price, buy, sell)| Outlook {
        price: Price(*price),
        volume: Quantity(most),
        imbalance: Quantity(buy.abs_diff(*sell)),
        side: if sell > buy { Side::Sell } else { Side::Buy },
    })
}
