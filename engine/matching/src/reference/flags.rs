//! Flags and what firms may send in the naive engine: every question is asked of the rules themselves.

use super::{Engine, broken, ignored};
use crate::state::FlagState;
use alloc::vec::Vec;
use rialto_model::command::{RefuseProcess, SetKillSwitch, SetParent, SetRunawayLimits, SwitchFlag, TripRunaway};
use rialto_model::event::{CommandRejected, FlagSwitched, ParentSet, ProcessRefused, RunawayLimitsSet, RunawayTripped};
use rialto_model::flags::{Rule, Scope, TABLE, TOMBSTONES, bucket};
use rialto_model::limits::{FLAG_RULES_MAX, PARENTS_MAX};
use rialto_model::{
    Event, FirmId, FlagAct, FlagChange, FlagTarget, IgnoreReason, InstrumentId, MsgSeqNum, RejectReason, RunawayLimits,
    SequenceNumber, SessionId,
};

impl Engine {
    pub(super) fn switch_flag(&mut self, seq: SequenceNumber, change: &FlagChange) -> Event {
        if let Err(reason) = self.judge_change(change) {
            let schema = SwitchFlag::SCHEMA;
            return CommandRejected { schema, reason }.into();
        }
        let known = self.state.flags.iter().find(|state| state.number == change.flag);
        let before = known.cloned().unwrap_or(FlagState {
            number: change.flag,
            ..FlagState::default()
        });
        let mut state = before.clone();
        let same =
            |rule: &Rule| rule.target == change.target && (rule.id == change.id || rule.target == FlagTarget::Share);
        let stands = |rule: &Rule| same(rule) && rule.id == change.id && rule.value == change.value;
        match change.act {
            FlagAct::Retire => {
                state.retired = true;
                state.rules.clear();
            }
            FlagAct::Clear => state.rules.retain(|rule| !same(rule)),
            FlagAct::Set if before.rules.iter().any(stands) => {}
            FlagAct::Set => {
                state.rules.retain(|rule| !same(rule));
                state.rules.push(Rule {
                    target: change.target,
                    id: change.id,
                    value: change.value,
                    since: seq,
                });
                state.rules.sort_by_key(|rule| (rule.target, rule.id));
            }
        }
        if state == before {
            return ignored(SessionId(0), MsgSeqNum(0), IgnoreReason::Superfluous);
        }
        self.state.flags.retain(|one| one.number != change.flag);
        self.state.flags.push(state);
        self.state.flags.sort_by_key(|one| one.number);
        FlagSwitched { change: *change }.into()
    }

    fn judge_change(&self, change: &FlagChange) -> Result<(), RejectReason> {
        let state = self.state.flags.iter().find(|state| state.number == change.flag);
        if TOMBSTONES.iter().any(|gone| gone.number == change.flag) {
            return Err(RejectReason::FlagRetired);
        }
        let mut table = TABLE.iter();
        let flag = table
            .find(|flag| flag.number == change.flag && flag.scope != Scope::Edge)
            .ok_or(RejectReason::UnknownFlag)?;
        let of_instruments = flag.scope == Scope::Instrument;
        let set = change.act == FlagAct::Set;
        let aimed = match change.target {
            FlagTarget::Everyone => change.id == 0,
            FlagTarget::Share => change.id <= 10_000,
            FlagTarget::Instrument => {
                of_instruments && (!set || self.listed(InstrumentId(change.id as u16)).is_some() && change.id < 65_536)
            }
            FlagTarget::Firm => !of_instruments && (!set || self.has_firm(FirmId(change.id))),
            FlagTarget::Session => !of_instruments && (!set || self.session(SessionId(change.id)).is_some()),
        };
        let fits = match change.act {
            FlagAct::Set => usize::from(change.value) < flag.kind.variants(),
            FlagAct::Clear => change.value == 0,
            FlagAct::Retire => change.value == 0 && change.target == FlagTarget::Everyone,
        };
        if !aimed || !fits {
            return Err(RejectReason::FlagMisaimed);
        }
        if state.is_some_and(|state| state.retired) {
            return Err(RejectReason::FlagRetired);
        }
        let rules = state.map_or(&[][..], |state| &state.rules);
        let there = rules
            .iter()
            .any(|rule| rule.target == change.target && (rule.target == FlagTarget::Share || rule.id == change.id));
        if set && !there && rules.len() >= FLAG_RULES_MAX {
            return Err(RejectReason::FlagFull);
        }
        Ok(())
    }

    fn has_firm(&self, firm: FirmId) -> bool {
        self.state.firms.iter().any(|one| one.definition.firm == firm)
    }

    /// The variant of a flag for an instrument.
    pub(super) fn variant(&self, key: &str, instrument: InstrumentId) -> u8 {
        variant(
            &self.state.flags,
            key,
            u32::from(instrument.0),
            &[(FlagTarget::Instrument, u32::from(instrument.0))],
        )
    }

    /// The variant of a flag for a session.
    pub(super) fn session_variant(&self, key: &str, session: SessionId) -> u8 {
        let firm = self.firm_of(session);
        let closest = [(FlagTarget::Session, session.0), (FlagTarget::Firm, firm.0)];
        variant(&self.state.flags, key, session.0, &closest)
    }

    pub(super) fn set_runaway_limits(&mut self, c: &SetRunawayLimits) -> Event {
        let RunawayLimits {
            window,
            orders,
            notional,
        } = c.limits;
        let unlimited = (orders, notional) == (0, 0);
        let sound = if unlimited {
            window == 0
        } else {
            (10..=60_000).contains(&window) && window % 10 == 0
        };
        if !self.has_firm(c.firm) || !sound {
            return broken(SetRunawayLimits::SCHEMA);
        }
        self.state.runaways.retain(|(firm, _)| *firm != c.firm);
        if !unlimited {
            self.state.runaways.push((c.firm, c.limits));
            self.state.runaways.sort_by_key(|(firm, _)| *firm);
        }
        RunawayLimitsSet {
            firm: c.firm,
            limits: c.limits,
        }
        .into()
    }

    pub(super) fn set_parent(&mut self, c: &SetParent) -> Event {
        let name = c.name.as_bytes();
        if !self.has_firm(c.firm) || name.is_empty() || name.contains(&b'/') {
            return broken(SetParent::SCHEMA);
        }
        let others = |one: &SetParent| one.firm != c.firm || one.name != c.name;
        let known = !self.state.parents.iter().all(others);
        if c.quantity.is_zero() && !known {
            return ignored(SessionId(0), MsgSeqNum(0), IgnoreReason::Superfluous);
        }
        if !known && self.state.parents.len() == PARENTS_MAX {
            return CommandRejected {
                schema: SetParent::SCHEMA,
                reason: RejectReason::ParentsFull,
            }
            .into();
        }
        self.state.parents.retain(others);
        if !c.quantity.is_zero() {
            self.state.parents.push(*c);
            self.state.parents.sort_by_key(|one| (one.firm, one.name));
        }
        ParentSet {
            firm: c.firm,
            quantity: c.quantity,
            name: c.name,
        }
        .into()
    }

    pub(super) fn trip_runaway(&mut self, c: &TripRunaway, events: &mut Vec<Event>) {
        let firm = self.state.firms.iter().find(|one| one.definition.firm == c.trip.firm);
        match firm.map(|firm| firm.killed) {
            None => events.push(broken(TripRunaway::SCHEMA)),
            Some(true) => events.push(ignored(SessionId(0), MsgSeqNum(0), IgnoreReason::Superfluous)),
            Some(false) => {
                let (trip, parent) = (c.trip, c.parent);
                events.push(RunawayTripped { trip, parent }.into());
                let firm = trip.firm;
                self.set_kill_switch(&SetKillSwitch { firm, killed: true }, events);
            }
        }
    }
}

pub(super) fn refuse_process(c: &RefuseProcess) -> Event {
    ProcessRefused {
        table: c.table,
        wanted: c.wanted,
        name: c.name,
    }
    .into()
}

/// Of all rules that are aimed at a subject, the closest.
fn variant(flags: &[FlagState], key: &str, id: u32, closest: &[(FlagTarget, u32)]) -> u8 {
    let Some(flag) = TABLE.iter().find(|flag| flag.key == key) else {
        return 0;
    };
    let rules = flags.iter().filter(|state| state.number == flag.number);
    let aimed = rules.flat_map(|state| &state.rules).filter_map(|rule| {
        let rank = match rule.target {
            FlagTarget::Everyone => Some(9),
            FlagTarget::Share => (bucket(flag.number, id) < rule.id).then_some(8),
            _ => closest.iter().position(|one| *one == (rule.target, rule.id)),
        };
        rank.map(|rank| (rank, rule.value))
    });
    aimed.min().map_or(0, |(_, value)| value)
}
