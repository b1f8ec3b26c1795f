//! Faults on purpose ([`rialto_model::fault`]): which stand, and what those do that the engine itself feels.
//!
//! Who judges an order asks only where a session is marked for it, so that the plain path knows nothing of faults.

use crate::engine::Engine;
use crate::state::FaultState;
use rialto_model::command::{AddFault, RemoveFault};
use rialto_model::event::{CommandRejected, FaultAdded, FaultRemoved};
use rialto_model::limits::FAULTS_MAX;
use rialto_model::{BreakerLevel, Event, EventSink, FaultKind, Phase, RejectReason, SessionId};

impl Engine {
    #[cold]
    pub(crate) fn add_fault(&mut self, c: &AddFault, sink: &mut impl EventSink) {
        let before = match self.judge_fault(c) {
            Ok(before) => before,
            Err(reason) => return sink.emit(refused(AddFault::SCHEMA, reason)),
        };
        self.faults.push(FaultState { definition: *c, before });
        sink.emit(added(c));
        match c.kind {
            FaultKind::Reject => self.mark_all_sessions(),
            FaultKind::HaltedSymbol => {
                self.change_phase(usize::from(c.instrument.0) - 1, Phase::Halt, self.last_stamp, sink);
                self.conclude_all(sink);
            }
            _ => {}
        }
    }

    /// Gives the phase that an instrument had before it is halted.
    fn judge_fault(&self, c: &AddFault) -> Result<Phase, RejectReason> {
        if !c.is_sound() {
            return Err(RejectReason::FaultUnsound);
        }
        if self.faults.len() >= FAULTS_MAX || self.faults.iter().any(|one| one.definition.name == c.name) {
            return Err(RejectReason::FaultOutOfPlace);
        }
        let known = self.sessions.get(c.session.0 as usize).is_some_and(|one| one.defined);
        if c.session.0 != 0 && !known {
            return Err(RejectReason::UnknownSession);
        }
        if c.kind != FaultKind::HaltedSymbol {
            return Ok(Phase::Continuous);
        }
        let book = self.book(c.instrument).ok_or(RejectReason::UnknownInstrument)?;
        if !self.day_open {
            return Err(RejectReason::MarketClosed);
        }
        let phase = book.phase();
        let trades = !matches!(phase, Phase::Halt | Phase::Closed | Phase::Suspended | Phase::Delisted);
        if book.special.is_some() && trades {
            Ok(phase)
        } else {
            Err(RejectReason::NotInThisPhase)
        }
    }

    #[cold]
    pub(crate) fn remove_fault(&mut self, c: &RemoveFault, sink: &mut impl EventSink) {
        let Some(place) = self.faults.iter().position(|one| one.definition.name == c.name) else {
            return sink.emit(refused(RemoveFault::SCHEMA, RejectReason::FaultOutOfPlace));
        };
        let FaultState { definition, before } = self.faults[place];
        let halts = definition.kind == FaultKind::HaltedSymbol;
        if halts && !self.day_open {
            return sink.emit(refused(RemoveFault::SCHEMA, RejectReason::MarketClosed));
        }
        if halts && before == Phase::Continuous && self.breaker != BreakerLevel::None {
            return sink.emit(refused(RemoveFault::SCHEMA, RejectReason::CircuitBroken));
        }
        self.faults.remove(place);
        sink.emit(removed(&definition));
        match definition.kind {
            FaultKind::Reject => self.mark_all_sessions(),
            FaultKind::HaltedSymbol => {
                let at = usize::from(definition.instrument.0) - 1;
                // The operator may have done otherwise meanwhile.
                if self.books[at].phase() == Phase::Halt {
                    self.change_phase(at, before, self.last_stamp, sink);
                    self.conclude_all(sink);
                }
            }
            _ => {}
        }
    }

    /// Whether a fault refuses a new order of this session at this command.
    pub(crate) fn judge_faults(&self, session: SessionId) -> Result<(), RejectReason> {
        let strikes = |one: &FaultState| {
            let fault = &one.definition;
            fault.refuses(session) && fault.strikes(self.last_seq)
        };
        match self.faults.iter().any(strikes) {
            false => Ok(()),
            true => Err(RejectReason::FaultInjected),
        }
    }
}

fn refused(schema: u16, reason: RejectReason) -> Event {
    CommandRejected { schema, reason }.into()
}

/// What is said of a fault that stands from here on.
pub(crate) fn added(c: &AddFault) -> Event {
    FaultAdded {
        kind: c.kind,
        seed: c.seed,
        session: c.session,
        instrument: c.instrument,
        line: c.line,
        chance: c.chance,
        delay: c.delay,
        jitter: c.jitter,
        back: c.back,
        name: c.name,
    }
    .into()
}

/// What is said of one that is mended.
pub(crate) fn removed(c: &AddFault) -> Event {
    FaultRemoved {
        kind: c.kind,
        session: c.session,
        name: c.name,
    }
    .into()
}
