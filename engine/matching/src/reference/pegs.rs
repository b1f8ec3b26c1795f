//! Pegged orders in the naive engine.

use super::Engine;
use super::trade::Incoming;
use crate::state::{Aside, InstrumentState, OrderState};
use alloc::vec::Vec;
use rialto_model::event::Pegged;
use rialto_model::{BreakerLevel, Event, Handling, Instructions, InstrumentId, OrderKind, Phase, Price, Side};

impl Engine {
    /// Lets an order follow the market from where it is: the price it follows is its price from here on.
    pub(super) fn peg(&mut self, mut incoming: Incoming, events: &mut Vec<Event>) {
        let Incoming { instrument, side, .. } = incoming;
        let Some(listed) = self.listed_mut(instrument) else {
            return;
        };
        let price = follows(listed, side, &incoming.order);
        let order = &mut incoming.order;
        order.price = price;
        events.push(
            Pegged {
                session: order.session,
                user_ref: order.user_ref,
                order_id: order.order_id,
                public_ref: order.public_ref,
                instrument,
                side,
                price,
            }
            .into(),
        );
        if price == Price(0) {
            let order = *order;
            listed.aside.push(Aside { side, order });
        } else {
            self.trade(incoming, false, events);
        }
    }

    /// Takes the peg that is out of step the longest to its price, if there is one.
    pub(super) fn follow_market(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) -> bool {
        if self.state.breaker != BreakerLevel::None {
            return false;
        }
        let Some(listed) = self.listed(instrument) else {
            return false;
        };
        let mut pegs = pegs(listed);
        pegs.retain(|(side, order)| follows(listed, *side, order) != order.price);
        match pegs.first() {
            Some((side, order)) => {
                self.move_peg(instrument, *side, *order, events);
                true
            }
            None => false,
        }
    }

    /// Takes every peg that has a price aside.
    pub(super) fn stop_following(&mut self, instrument: InstrumentId, events: &mut Vec<Event>) {
        let Some(listed) = self.listed(instrument) else { return };
        let mut pegs = pegs(listed);
        pegs.retain(|(_, order)| order.price != Price(0));
        for (side, order) in pegs {
            self.move_peg(instrument, side, order, events);
        }
    }

    fn move_peg(&mut self, instrument: InstrumentId, side: Side, order: OrderState, events: &mut Vec<Event>) {
        self.remove(order.order_id);
        let public_ref = self.next_public_ref(instrument);
        let incoming = Incoming {
            instrument,
            side,
            kind: OrderKind::Limit,
            instructions: order.instructions(),
            order: OrderState { public_ref, ..order },
        };
        self.peg(incoming, events);
    }
}

pub(super) fn is_peg(asked: &Instructions) -> bool {
    asked.handling.has(Handling::PEG_PRIMARY) || asked.handling.has(Handling::PEG_MIDPOINT)
}

/// Every pegged order, the one that has its price the longest first.
fn pegs(listed: &InstrumentState) -> Vec<(Side, OrderState)> {
    let all = listed.orders().map(|(side, order)| (side, *order));
    let mut pegs: Vec<(Side, OrderState)> = all.filter(|(_, order)| is_peg(&order.instructions())).collect();
    pegs.sort_by_key(|(_, order)| order.public_ref);
    pegs
}

/// The price that an order follows, within its limit; zero for none.
fn follows(listed: &InstrumentState, side: Side, order: &OrderState) -> Price {
    let limit = order.special.map_or(Price(0), |special| special.limit);
    let (bid, ask) = (listed.bids.first(), listed.asks.first());
    let own = match side {
        Side::Buy => bid,
        Side::Sell => ask,
    };
    let tick = listed.definition.tick.0;
    let primary = order.instructions().handling.has(Handling::PEG_PRIMARY);
    let price = match (own, bid, ask) {
        _ if listed.phase != Phase::Continuous => return Price(0),
        (Some(own), ..) if primary => own.price.0,
        (_, Some(bid), Some(ask)) if !primary => {
            // Twice the mean; from there to a tick away from the other side.
            let twice = bid.price.0 + ask.price.0;
            let below = twice / (2 * tick) * tick;
            if side == Side::Buy || 2 * below == twice {
                below
            } else {
                below + tick
            }
        }
        _ => return Price(0),
    };
    Price(match side {
        Side::Buy => price.min(limit.0),
        Side::Sell => price.max(limit.0),
    })
}
