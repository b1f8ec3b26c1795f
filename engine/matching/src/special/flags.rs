//! Sequenced flags: which variant of a rule holds for an instrument or a session ([`rialto_model::flags`]).
//!
//! The rules change by command alone, and are compiled into a word for each subject when they do. A rule of the engine that
//! has variants reads that word and takes a bit of it; none of them is on the path of a plain order.

use super::rules::SpecialBook;
use crate::engine::{Engine, VENUE, ignored};
use crate::state::FlagState;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use rialto_model::command::SwitchFlag;
use rialto_model::event::{CommandRejected, FlagSwitched};
use rialto_model::flags::{Bits, Flag, Rule, Scope, Subject, TABLE, TOMBSTONES, by_number};
use rialto_model::limits::FLAG_RULES_MAX;
use rialto_model::{
    Event, FirmId, FlagAct, FlagChange, FlagTarget, IgnoreReason, InstrumentId, MsgSeqNum, RejectReason,
    SequenceNumber, SessionId,
};

/// The rules of every flag that was ever switched, and the words of the sessions. An instrument's word is in its
/// [`SpecialBook`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    states: BTreeMap<u16, FlagState>,
    /// By session id.
    sessions: Vec<Bits>,
}

impl Flags {
    /// What holds for a session.
    #[inline]
    pub(crate) fn of_session(&self, session: SessionId) -> Bits {
        self.sessions.get(session.0 as usize).copied().unwrap_or_default()
    }

    /// What holds for an instrument, worked out.
    pub(crate) fn of_instrument(&self, instrument: InstrumentId) -> Bits {
        self.compile(Subject::Instrument(instrument))
    }

    /// A session is there from here on.
    pub(crate) fn add_session(&mut self, session: SessionId, firm: FirmId) {
        let bits = self.compile(Subject::Session(session, firm));
        let at = session.0 as usize;
        if self.sessions.len() <= at {
            self.sessions.resize(at + 1, Bits::default());
        }
        self.sessions[at] = bits;
    }

    fn compile(&self, subject: Subject) -> Bits {
        if self.states.is_empty() {
            return Bits::default();
        }
        Bits::compile(subject, |number| {
            self.states.get(&number).map_or(&[][..], |state| &state.rules)
        })
    }

    pub(crate) fn take_out(&self) -> Vec<FlagState> {
        self.states.values().cloned().collect()
    }

    /// Comes before the sessions and instruments.
    pub(crate) fn take_in(&mut self, states: &[FlagState]) {
        self.states = states.iter().map(|state| (state.number, state.clone())).collect();
    }

    /// Does what a sound change says; nothing where that is so already.
    fn change(&mut self, seq: SequenceNumber, change: &FlagChange) -> Result<bool, RejectReason> {
        let number = change.flag;
        let fresh = || FlagState {
            number,
            ..FlagState::default()
        };
        let state = self.states.get(&number);
        let rules = state.map_or(&[][..], |state| &state.rules);
        if state.is_some_and(|state| state.retired) {
            return Err(RejectReason::FlagRetired);
        }
        let key = key(change.target, change.id);
        let found = rules.binary_search_by_key(&key, |rule| self::key(rule.target, rule.id));
        match change.act {
            FlagAct::Retire => {
                let state = self.states.entry(number).or_insert_with(fresh);
                state.retired = true;
                state.rules = Vec::new();
            }
            FlagAct::Clear => {
                let (Ok(at), Some(state)) = (found, self.states.get_mut(&number)) else {
                    return Ok(false);
                };
                state.rules.remove(at);
            }
            FlagAct::Set => {
                let rule = Rule {
                    target: change.target,
                    id: change.id,
                    value: change.value,
                    since: seq,
                };
                match found {
                    Ok(at) if (rules[at].id, rules[at].value) == (rule.id, rule.value) => return Ok(false),
                    Err(_) if rules.len() >= FLAG_RULES_MAX => return Err(RejectReason::FlagFull),
                    _ => {}
                }
                let state = self.states.entry(number).or_insert_with(fresh);
                match found {
                    Ok(at) => state.rules[at] = rule,
                    Err(at) => state.rules.insert(at, rule),
                }
            }
        }
        Ok(true)
    }
}

/// What a rule takes the place of: one aimed at the same; of shares there is one.
const fn key(target: FlagTarget, id: u32) -> (FlagTarget, u32) {
    match target {
        FlagTarget::Share => (target, 0),
        _ => (target, id),
    }
}

/// Whether a change is one of a flag that this build has, aimed at what the flag is decided for.
fn judge(change: &FlagChange) -> Result<&'static Flag, RejectReason> {
    if TOMBSTONES.iter().any(|gone| gone.number == change.flag) {
        return Err(RejectReason::FlagRetired);
    }
    let flag = by_number(change.flag).filter(|flag| flag.scope != Scope::Edge);
    let flag = flag.ok_or(RejectReason::UnknownFlag)?;
    let aimed = match (change.act, change.target) {
        (FlagAct::Retire, target) => target == FlagTarget::Everyone && change.id == 0,
        (_, FlagTarget::Everyone) => change.id == 0,
        (_, FlagTarget::Share) => change.id <= 10_000 && flag.scope.takes(change.target),
        _ => flag.scope.takes(change.target),
    };
    let given = match change.act {
        FlagAct::Set => flag.kind.variant(change.value).is_some(),
        FlagAct::Clear | FlagAct::Retire => change.value == 0,
    };
    if aimed && given {
        Ok(flag)
    } else {
        Err(RejectReason::FlagMisaimed)
    }
}

/// Whether a state's flags are ones that this build can go on from; what is wrong otherwise.
pub(crate) fn are_sound_flags(states: &[FlagState]) -> Result<(), &'static str> {
    if !states.is_sorted_by(|one, other| one.number < other.number) {
        return Err("its flags are out of order");
    }
    for state in states {
        let known = by_number(state.number).is_some_and(|flag| flag.scope != Scope::Edge);
        // A flag that is retired in the stream may be gone from the source.
        let settled = state.retired && TOMBSTONES.iter().any(|gone| gone.number == state.number);
        if !known && !settled {
            return Err("it has a flag that this build does not know: use the build that wrote it");
        }
        let sorted = state
            .rules
            .is_sorted_by(|one, other| key(one.target, one.id) < key(other.target, other.id));
        let sound = |rule: &Rule| {
            judge(&FlagChange {
                flag: state.number,
                target: rule.target,
                id: rule.id,
                value: rule.value,
                ..FlagChange::default()
            })
            .is_ok()
        };
        if !sorted || !state.rules.iter().all(sound) || state.rules.len() > FLAG_RULES_MAX {
            return Err("the rules of a flag are out of order or not allowed");
        }
        if state.retired && !state.rules.is_empty() {
            return Err("a retired flag has rules");
        }
    }
    Ok(())
}

impl Engine {
    /// A flag is switched from the next command on. What stands is left as it is: no rule with a variant is one that
    /// standing orders are held to.
    #[cold]
    pub(crate) fn switch_flag(&mut self, seq: SequenceNumber, c: &SwitchFlag) -> Event {
        let rejected = |reason| {
            CommandRejected {
                schema: SwitchFlag::SCHEMA,
                reason,
            }
            .into()
        };
        let change = c.change;
        let flag = match judge(&change) {
            Ok(flag) if self.is_there(&change) => flag,
            Ok(_) => return rejected(RejectReason::FlagMisaimed),
            Err(reason) => return rejected(reason),
        };
        match self.flags.change(seq, &change) {
            Err(reason) => rejected(reason),
            Ok(false) => ignored(VENUE, MsgSeqNum(0), IgnoreReason::Superfluous).into(),
            Ok(true) => {
                self.compile_flags(flag.scope);
                FlagSwitched { change }.into()
            }
        }
    }

    /// Whether what a rule is to be aimed at is defined. One may be cleared in any case.
    fn is_there(&self, change: &FlagChange) -> bool {
        change.act != FlagAct::Set
            || match change.target {
                FlagTarget::Everyone | FlagTarget::Share => true,
                FlagTarget::Instrument => (1..=self.books.len() as u32).contains(&change.id),
                FlagTarget::Firm => self.registry.firms.contains_key(&FirmId(change.id)),
                FlagTarget::Session => self.registry.sessions.contains_key(&SessionId(change.id)),
            }
    }

    fn compile_flags(&mut self, scope: Scope) {
        match scope {
            Scope::Instrument => {
                for book in &mut self.books {
                    if let Some(special) = &mut book.special {
                        special.flags = self.flags.of_instrument(book.instrument);
                    }
                }
            }
            Scope::Session => {
                for one in self.registry.sessions.values() {
                    self.flags.add_session(one.session, one.firm);
                }
            }
            Scope::Edge => {}
        }
    }
}

impl SpecialBook {
    /// With the flags of its instrument.
    pub(super) fn flagged(self, flags: Bits) -> Self {
        Self { flags, ..self }
    }
}

const _: () = assert!(!TABLE.is_empty(), "the words would be read in vain");
