//! What firms may send, kept for who watches it ([`rialto_model::runaway`]), and what follows when one has sent more.

use super::rules::refused;
use crate::engine::{Engine, VENUE, ignored};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use rialto_model::command::{RefuseProcess, SetKillSwitch, SetParent, SetRunawayLimits, TripRunaway};
use rialto_model::event::{CommandRejected, ParentSet, ProcessRefused, RunawayLimitsSet, RunawayTripped};
use rialto_model::limits::PARENTS_MAX;
use rialto_model::{Event, EventSink, FirmId, IgnoreReason, MsgSeqNum, RejectReason, RunawayLimits, Text};

/// Limits and parents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runaways {
    limits: BTreeMap<FirmId, RunawayLimits>,
    pub(crate) parents: BTreeMap<(FirmId, Text), SetParent>,
}

impl Runaways {
    pub(crate) fn limits(&self) -> Vec<(FirmId, RunawayLimits)> {
        self.limits.iter().map(|(firm, limits)| (*firm, *limits)).collect()
    }

    pub(crate) fn take_in(&mut self, limits: &[(FirmId, RunawayLimits)], parents: &[SetParent]) {
        self.limits = limits.iter().copied().collect();
        self.parents = parents.iter().map(|one| ((one.firm, one.name), *one)).collect();
    }
}

/// Whether a parent can have children.
pub(crate) fn is_parent_name(name: &Text) -> bool {
    !name.is_empty() && !name.as_bytes().contains(&b'/')
}

impl Engine {
    /// For the record alone: the door has refused it already.
    #[cold]
    pub(crate) fn refuse_process(&self, c: &RefuseProcess) -> Event {
        ProcessRefused {
            table: c.table,
            wanted: c.wanted,
            name: c.name,
        }
        .into()
    }

    #[cold]
    pub(crate) fn set_runaway_limits(&mut self, c: &SetRunawayLimits) -> Event {
        if !self.registry.firms.contains_key(&c.firm) || !c.limits.is_sound() {
            return refused(SetRunawayLimits::SCHEMA);
        }
        if c.limits == RunawayLimits::default() {
            self.runaways.limits.remove(&c.firm);
        } else {
            self.runaways.limits.insert(c.firm, c.limits);
        }
        RunawayLimitsSet {
            firm: c.firm,
            limits: c.limits,
        }
        .into()
    }

    #[cold]
    pub(crate) fn set_parent(&mut self, c: &SetParent) -> Event {
        if !self.registry.firms.contains_key(&c.firm) || !is_parent_name(&c.name) {
            return refused(SetParent::SCHEMA);
        }
        let parents = &mut self.runaways.parents;
        let key = (c.firm, c.name);
        if c.quantity.is_zero() {
            if parents.remove(&key).is_none() {
                return ignored(VENUE, MsgSeqNum(0), IgnoreReason::Superfluous).into();
            }
        } else if parents.len() >= PARENTS_MAX && !parents.contains_key(&key) {
            return CommandRejected {
                schema: SetParent::SCHEMA,
                reason: RejectReason::ParentsFull,
            }
            .into();
        } else {
            parents.insert(key, *c);
        }
        ParentSet {
            firm: c.firm,
            quantity: c.quantity,
            name: c.name,
        }
        .into()
    }

    /// SEC release 34-70694: what has run away is stopped as a whole, at once, and by a command that says why.
    #[cold]
    pub(crate) fn trip_runaway(&mut self, c: &TripRunaway, sink: &mut impl EventSink) {
        let firm = c.trip.firm;
        if !self.registry.firms.contains_key(&firm) {
            return sink.emit(refused(TripRunaway::SCHEMA));
        }
        if self.firm_rules(firm).killed {
            return sink.emit(ignored(VENUE, MsgSeqNum(0), IgnoreReason::Superfluous).into());
        }
        sink.emit(
            RunawayTripped {
                trip: c.trip,
                parent: c.parent,
            }
            .into(),
        );
        self.set_kill_switch(&SetKillSwitch { firm, killed: true }, sink);
    }
}
