//! Rules of instruments and firms in the naive engine, and what is due at a time.

use super::{Engine, broken};
use crate::state::{InstrumentState, Rules};
use alloc::vec::Vec;
use rialto_model::command::{DefineInstrument, MassCancel, SetKillSwitch, SetRulebook, SetSelfTrade, SetTicks};
use rialto_model::event::{KillSwitchSet, MassCancelRejected, MassCancelled, RulebookSet, SelfTradeSet, TicksSet};
use rialto_model::{
    AccountId, Allocation, Bands, CancelReason, Event, Fees, FirmId, InstrumentId, Offers, Price, RejectReason,
    Rulebook, SelfTrade, SessionId, TickTable,
};

impl Engine {
    pub(super) fn set_rulebook(&mut self, c: &SetRulebook) -> Event {
        let Some(listed) = self.listed_mut(c.instrument) else {
            return broken(SetRulebook::SCHEMA);
        };
        let before = listed.rules.map_or(0, |rules| rules.version);
        let (one, new) = (&listed.definition, &c.rulebook);
        let faults = [
            c.version != before + 1,
            new.lot.0 == 0 || !new.lot.0.is_multiple_of(one.lot.0),
            new.quantity_max > one.quantity_max || new.quantity_max < new.lot,
            new.quantity_min > new.quantity_max,
            new.protection.0 < 0 || new.protection > one.price_max || new.protection.0 % one.tick.0 != 0,
            new.offers.0 & !Offers::ALL.0 != 0,
        ];
        if faults.contains(&true) {
            return broken(SetRulebook::SCHEMA);
        }
        listed.rules = Some(Rules {
            version: c.version,
            rulebook: c.rulebook,
            ..listed.rules.unwrap_or(Rules {
                version: 0,
                rulebook: Rulebook::default(),
                ticks: TickTable::default(),
                bands: Bands::default(),
                fees: Fees::default(),
                allocation: Allocation::default(),
            })
        });
        RulebookSet {
            instrument: c.instrument,
            version: c.version,
            rulebook: c.rulebook,
        }
        .into()
    }

    pub(super) fn set_ticks(&mut self, c: &SetTicks) -> Event {
        let Some(listed) = self.listed_mut(c.instrument) else {
            return broken(SetTicks::SCHEMA);
        };
        let one = listed.definition;
        let Some(rules) = &mut listed.rules else {
            return broken(SetTicks::SCHEMA);
        };
        let rows = c.ticks.0;
        let used = rows.iter().position(|row| row.tick == 0).unwrap_or(rows.len());
        let unused_is_empty = rows[used..].iter().all(|row| row.tick == 0 && row.from == 0);
        let on_tick = rows[..used]
            .iter()
            .all(|row| i64::from(row.tick) % one.tick.0 == 0 && i64::from(row.tick) <= one.price_max.0);
        let begins = used == 0 || rows[0].from == 0;
        let rises = rows[..used].windows(2).all(|pair| {
            let (low, high) = (pair[0], pair[1]);
            high.from > low.from && high.from % low.tick == 0 && high.from % high.tick == 0
        });
        if c.version != rules.version + 1 || !unused_is_empty || !on_tick || !begins || !rises {
            return broken(SetTicks::SCHEMA);
        }
        rules.version = c.version;
        rules.ticks = c.ticks;
        TicksSet {
            instrument: c.instrument,
            version: c.version,
            ticks: c.ticks,
        }
        .into()
    }

    pub(super) fn set_self_trade(&mut self, c: &SetSelfTrade) -> Event {
        let mut firms = self.state.firms.iter_mut();
        let Some(firm) = firms.find(|firm| firm.definition.firm == c.firm) else {
            return broken(SetSelfTrade::SCHEMA);
        };
        firm.self_trade = c.mode;
        SelfTradeSet {
            firm: c.firm,
            mode: c.mode,
        }
        .into()
    }

    pub(super) fn set_kill_switch(&mut self, c: &SetKillSwitch, events: &mut Vec<Event>) {
        let mut firms = self.state.firms.iter_mut();
        let Some(firm) = firms.find(|firm| firm.definition.firm == c.firm) else {
            return events.push(broken(SetKillSwitch::SCHEMA));
        };
        firm.killed = c.killed;
        events.push(
            KillSwitchSet {
                firm: c.firm,
                killed: c.killed,
            }
            .into(),
        );
        if c.killed {
            let mut leaving = self.live();
            leaving.retain(|live| self.firm_of(live.order.session) == c.firm);
            self.end_all(leaving, CancelReason::FirmKilled, events);
        }
    }

    pub(super) fn mass_cancel(&mut self, c: &MassCancel, events: &mut Vec<Event>) {
        if let Err(reason) = self.check_mass_cancel(c) {
            let refused = MassCancelRejected {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                reason,
                client_id: c.client_id,
            };
            return events.push(refused.into());
        }
        let mut leaving = self.live();
        if c.session != SessionId(0) {
            leaving.retain(|live| self.firm_of(live.order.session) == self.firm_of(c.session));
            if !c.whole_firm {
                leaving.retain(|live| live.order.session == c.session);
            }
        }
        if c.firm != FirmId(0) {
            leaving.retain(|live| self.firm_of(live.order.session) == c.firm);
        }
        if c.account != AccountId(0) {
            leaving.retain(|live| live.order.account == c.account);
        }
        if c.instrument != InstrumentId(0) {
            leaving.retain(|live| live.instrument == c.instrument);
        }
        leaving.retain(|live| c.side.takes(live.side));
        events.push(
            MassCancelled {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                cancelled: leaving.len() as u32,
                client_id: c.client_id,
            }
            .into(),
        );
        self.end_all(leaving, CancelReason::MassCancelled, events);
    }

    fn check_mass_cancel(&self, c: &MassCancel) -> Result<(), RejectReason> {
        let venue = c.session == SessionId(0);
        self.check_session(c.session, c.incarnation, true)?;
        let firm = if venue { c.firm } else { self.firm_of(c.session) };
        if c.firm != FirmId(0) && c.firm != firm {
            return Err(RejectReason::NotYours);
        }
        if !self.state.day_open {
            return Err(RejectReason::MarketClosed);
        }
        if c.instrument != InstrumentId(0) && self.listed(c.instrument).is_none() {
            return Err(RejectReason::UnknownInstrument);
        }
        let known = self
            .state
            .accounts
            .iter()
            .any(|one| one.account == c.account && (firm == FirmId(0) || one.firm == firm));
        if c.account != AccountId(0) && !known {
            return Err(RejectReason::UnknownAccount);
        }
        Ok(())
    }

    pub(super) fn prevention(&self, listed: &InstrumentState, firm: FirmId) -> SelfTrade {
        let chosen = self.state.firms.iter().find(|one| one.definition.firm == firm);
        match chosen.map(|one| one.self_trade) {
            Some(SelfTrade::Allowed) | None => rulebook(listed).self_trade,
            Some(mode) => mode,
        }
    }

    pub(super) fn is_killed(&self, firm: FirmId) -> bool {
        let mut firms = self.state.firms.iter();
        firms.any(|one| one.definition.firm == firm && one.killed)
    }
}

/// The rules of an instrument; without a rulebook those of its definition.
pub(super) fn rulebook(listed: &InstrumentState) -> Rulebook {
    match &listed.rules {
        Some(rules) => rules.rulebook,
        None => Rulebook {
            offers: Offers::PLAIN,
            lot: listed.definition.lot,
            quantity_min: listed.definition.lot,
            quantity_max: listed.definition.quantity_max,
            ..Rulebook::default()
        },
    }
}

/// Whether a price is a multiple of the definition's tick.
pub(super) fn is_on_definition_tick(one: &DefineInstrument, price: Price) -> bool {
    price.0 % one.tick.0 == 0
}

/// Whether a price is a multiple of the tick size that holds there.
pub(super) fn is_on_tick(listed: &InstrumentState, price: i64) -> bool {
    let mut rows = listed.rules.iter().flat_map(|rules| rules.ticks.0);
    let row = rows.rfind(|row| row.tick > 0 && i64::from(row.from) <= price);
    let tick = row.map_or(listed.definition.tick.0, |row| i64::from(row.tick));
    price % tick == 0
}
