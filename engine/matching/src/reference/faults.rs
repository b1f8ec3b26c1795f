//! Faults on purpose in the naive engine.

use super::Engine;
use crate::faults::{added, removed};
use crate::state::FaultState;
use alloc::vec::Vec;
use rialto_model::command::{AddFault, RemoveFault};
use rialto_model::event::CommandRejected;
use rialto_model::limits::FAULTS_MAX;
use rialto_model::{BreakerLevel, Event, FaultKind, Phase, RejectReason, SessionId};

impl Engine {
    pub(super) fn add_fault(&mut self, c: &AddFault, events: &mut Vec<Event>) {
        let halts = c.kind == FaultKind::HaltedSymbol;
        let before = self.phase(c.instrument);
        let checks = [
            (!c.is_sound(), RejectReason::FaultUnsound),
            (
                self.state.faults.len() >= FAULTS_MAX || self.fault(c.name.as_bytes()).is_some(),
                RejectReason::FaultOutOfPlace,
            ),
            (
                c.session != SessionId(0) && self.session(c.session).is_none(),
                RejectReason::UnknownSession,
            ),
            (
                halts && self.listed(c.instrument).is_none(),
                RejectReason::UnknownInstrument,
            ),
            (halts && !self.state.day_open, RejectReason::MarketClosed),
            (
                halts
                    && (self.listed(c.instrument).is_none_or(|listed| listed.rules.is_none())
                        || [Phase::Halt, Phase::Closed, Phase::Suspended, Phase::Delisted].contains(&before)),
                RejectReason::NotInThisPhase,
            ),
        ];
        if let Some((_, reason)) = checks.into_iter().find(|(fails, _)| *fails) {
            let schema = AddFault::SCHEMA;
            return events.push(CommandRejected { schema, reason }.into());
        }
        let before = if halts { before } else { Phase::Continuous };
        self.state.faults.push(FaultState { definition: *c, before });
        events.push(added(c));
        if halts {
            self.change_phase(c.instrument, Phase::Halt, self.state.last_stamp, events);
        }
    }

    pub(super) fn remove_fault(&mut self, c: &RemoveFault, events: &mut Vec<Event>) {
        let schema = RemoveFault::SCHEMA;
        let mut refuse = |reason| events.push(CommandRejected { schema, reason }.into());
        let Some(one) = self.fault(c.name.as_bytes()) else {
            return refuse(RejectReason::FaultOutOfPlace);
        };
        let halts = one.definition.kind == FaultKind::HaltedSymbol;
        if halts && !self.state.day_open {
            return refuse(RejectReason::MarketClosed);
        }
        if halts && one.before == Phase::Continuous && self.state.breaker != BreakerLevel::None {
            return refuse(RejectReason::CircuitBroken);
        }
        self.state.faults.retain(|other| other.definition.name != c.name);
        events.push(removed(&one.definition));
        let instrument = one.definition.instrument;
        if halts && self.phase(instrument) == Phase::Halt {
            self.change_phase(instrument, one.before, self.state.last_stamp, events);
        }
    }

    fn fault(&self, name: &[u8]) -> Option<FaultState> {
        let found = self
            .state
            .faults
            .iter()
            .find(|one| one.definition.name.as_bytes() == name);
        found.copied()
    }

    /// Whether a fault refuses a new order of this session at the last command.
    pub(super) fn is_faulty(&self, session: SessionId) -> bool {
        let faults = self.state.faults.iter().map(|one| one.definition);
        let mut rejects = faults.filter(|one| one.kind == FaultKind::Reject && one.is_of(session));
        rejects.any(|one| one.strikes(self.state.last_seq))
    }
}
