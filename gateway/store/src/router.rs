//! Whose each event is: the stream's events name orders and sessions, the store keeps accounts.

use crate::account::Leg;
use crate::limits::TRADES_MAX;
use rialto_model::event::Executed;
use rialto_model::{AccountId, Deal, Event, FirmId, InstrumentId, OrderId, Quantity, SessionId, Side, TradeId};
use std::collections::BTreeMap;

/// An account of a firm.
pub type Owner = (FirmId, AccountId);

/// What happens to an account.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// An event of one of its orders.
    Event(Event),
    /// One of its orders traded; what is left of it, unless the trade replaces one that was undone.
    Traded { leg: Leg, leaves: Option<Quantity> },
    /// A trade of one of its orders is undone.
    Undone { leg: Leg },
}

/// What has to be known of everybody to know whose an event is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Router {
    sessions: BTreeMap<SessionId, Owner>,
    orders: BTreeMap<OrderId, Owner>,
    /// Owners of today's trades, maker and taker.
    trades: BTreeMap<TradeId, [Owner; 2]>,
}

impl Router {
    /// Gives each account what it takes of an event.
    pub(crate) fn route(&mut self, event: &Event, mut give: impl FnMut(Owner, Change)) {
        match event {
            Event::SessionDefined(e) => {
                self.sessions.insert(e.session, (e.firm, e.account));
            }
            Event::DayStarted(_) => self.trades.clear(),
            Event::Accepted(e) => {
                self.orders.insert(e.order_id, (e.firm, e.account));
                give((e.firm, e.account), Change::Event(*event));
            }
            Event::Quoted(e) => {
                self.orders.insert(e.order_id, (e.firm, e.account));
                give((e.firm, e.account), Change::Event(*event));
            }
            Event::Replaced(e) => give((e.firm, e.account), Change::Event(*event)),
            Event::Reduced(e) => {
                if let Some(owner) = self.orders.get(&e.order_id) {
                    give(*owner, Change::Event(*event));
                }
            }
            Event::Cancelled(e) => {
                if let Some(owner) = self.orders.remove(&e.order_id) {
                    give(owner, Change::Event(*event));
                }
            }
            Event::Rejected(e) => {
                if let Some(owner) = self.sessions.get(&e.session) {
                    give(*owner, Change::Event(*event));
                }
            }
            Event::ChangeRejected(e) => {
                if let Some(owner) = self.sessions.get(&e.session) {
                    give(*owner, Change::Event(*event));
                }
            }
            Event::Executed(e) => self.execute(e, give),
            Event::TradeBusted(e) => {
                let owners = self.owners(&e.deal);
                for (owner, leg) in owners.into_iter().zip(legs(e.instrument, &e.deal)) {
                    give(owner, Change::Undone { leg });
                }
            }
            Event::TradeCorrected(e) => {
                let owners = self.owners(&e.deal);
                self.remember(e.trade, owners);
                let (undone, again) = (legs(e.instrument, &e.deal), legs(e.instrument, &e.deal()));
                for ((owner, undone), mut leg) in owners.into_iter().zip(undone).zip(again) {
                    leg.fee = if leg.maker { e.maker_fee } else { e.taker_fee };
                    give(owner, Change::Undone { leg: undone });
                    give(owner, Change::Traded { leg, leaves: None });
                }
            }
            _ => {}
        }
    }

    fn execute(&mut self, e: &Executed, mut give: impl FnMut(Owner, Change)) {
        let owners = [(e.maker_firm, e.maker_account), (e.taker_firm, e.taker_account)];
        self.remember(e.trade, owners);
        let leaves = [e.maker_leaves, e.taker_leaves];
        for ((owner, leg), leaves) in owners.into_iter().zip(legs(e.instrument, &e.deal())).zip(leaves) {
            if leaves.is_zero() {
                self.orders.remove(&leg.order);
            }
            give(
                owner,
                Change::Traded {
                    leg,
                    leaves: Some(leaves),
                },
            );
        }
    }

    fn remember(&mut self, trade: TradeId, owners: [Owner; 2]) {
        if self.trades.len() >= TRADES_MAX {
            self.trades.pop_first();
        }
        self.trades.insert(trade, owners);
    }

    fn owners(&self, deal: &Deal) -> [Owner; 2] {
        let own = |id| self.sessions.get(&id).copied().unwrap_or_default();
        let known = self.trades.get(&deal.trade).copied();
        known.unwrap_or_else(|| [own(deal.maker_session), own(deal.taker_session)])
    }
}

/// The resting order's side of a trade, then the incoming one's.
fn legs(instrument: InstrumentId, deal: &Deal) -> [Leg; 2] {
    let leg = |(order, session, user_ref), side: Side, maker, fee| Leg {
        trade: deal.trade,
        order,
        session,
        user_ref,
        instrument,
        side,
        price: deal.price,
        quantity: deal.quantity,
        maker,
        fee,
    };
    [
        leg(
            (deal.maker, deal.maker_session, deal.maker_user_ref),
            deal.aggressor.opposite(),
            true,
            deal.maker_fee,
        ),
        leg(
            (deal.taker, deal.taker_session, deal.taker_user_ref),
            deal.aggressor,
            false,
            deal.taker_fee,
        ),
    ]
}
