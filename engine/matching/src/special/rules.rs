//! Rules of instruments and firms: taken in by command, in force from the next one on.

use crate::book::Book;
use crate::engine::Engine;
use crate::ladder::{Ladder, Rungs};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use rialto_model::command::{DefineInstrument, SetKillSwitch, SetRulebook, SetSelfTrade, SetTicks};
use rialto_model::event::{CommandRejected, KillSwitchSet, RulebookSet, SelfTradeSet, TicksSet};
use rialto_model::flags::Bits;
use rialto_model::{
    Allocation, Bands, BreakerLevel, CancelReason, Event, EventSink, Fees, FirmId, InstrumentId, Offers, Phase,
    PublicRef, RejectReason, Rulebook, SelfTrade, SessionId, Side, TickRow, TickTable,
};

use super::{FirmRules, index};
use crate::state::{FaultState, Guard, Outlook};

/// What a book with a rulebook has beyond a plain one.
#[derive(Clone, Debug)]
pub(crate) struct SpecialBook {
    pub(crate) version: u32,
    pub(crate) rulebook: Rulebook,
    pub(crate) ticks: TickTable,
    pub(crate) bands: Bands,
    pub(crate) fees: Fees,
    pub(crate) allocation: Allocation,
    /// What the bounds go by.
    pub(crate) guard: Guard,
    /// Pegged orders that have a price, in the order they got it.
    pub(crate) pegged: BTreeMap<PublicRef, u32>,
    /// Pegged orders that have none, in the order they lost it.
    pub(crate) unpriced: BTreeMap<PublicRef, u32>,
    /// A quote has traded: protection is looked at when the command is done.
    pub(crate) quote_traded: bool,
    /// An order would have traded out of range: trading is interrupted when it is done.
    pub(crate) interrupted: bool,
    /// The queues of hidden orders, bids and asks.
    pub(crate) hidden: [Ladder; 2],
    /// Stop orders that wait, buys and sells, by stop price and then in the order they came.
    pub(crate) stops: [BTreeMap<(i64, PublicRef), u32>; 2],
    pub(crate) phase: Phase,
    /// The flags of its instrument.
    pub(crate) flags: Bits,
    /// What was last published of its auction.
    pub(crate) outlook: Outlook,
    /// Orders for the closing auction before it, in the order they came.
    pub(crate) waiting: BTreeMap<PublicRef, u32>,
    /// Market orders while orders are collected, buys and sells, in the order they came.
    pub(crate) markets: [BTreeMap<PublicRef, u32>; 2],
}

impl SpecialBook {
    pub(crate) fn new(ticks_max: u32, rungs: &mut Rungs) -> Self {
        Self {
            version: 0,
            rulebook: Rulebook::default(),
            ticks: TickTable::default(),
            bands: Bands::default(),
            fees: Fees::default(),
            allocation: Allocation::default(),
            guard: Guard::default(),
            pegged: BTreeMap::new(),
            unpriced: BTreeMap::new(),
            quote_traded: false,
            interrupted: false,
            hidden: [Ladder::new(ticks_max, rungs), Ladder::new(ticks_max, rungs)],
            stops: [BTreeMap::new(), BTreeMap::new()],
            phase: Phase::Continuous,
            flags: Bits::default(),
            outlook: Outlook::default(),
            waiting: BTreeMap::new(),
            markets: [BTreeMap::new(), BTreeMap::new()],
        }
    }

    pub(crate) fn add_stop(&mut self, side: Side, trigger: i64, public_ref: PublicRef, handle: u32) {
        self.stops[index(side)].insert((trigger, public_ref), handle);
    }

    /// Takes off an order that stands in no queue, whichever it is.
    pub(crate) fn remove_aside(&mut self, side: Side, trigger: i64, public_ref: PublicRef) {
        self.stops[index(side)].remove(&(trigger, public_ref));
        self.waiting.remove(&public_ref);
        self.unpriced.remove(&public_ref);
        self.markets[index(side)].remove(&public_ref);
    }

    /// Orders that stand in no queue, in the order they came.
    pub(crate) fn aside(&self) -> Vec<u32> {
        let stops = self.stops.iter().flatten();
        let mut aside: Vec<(PublicRef, u32)> = stops.map(|((_, public_ref), handle)| (*public_ref, *handle)).collect();
        let others = self.markets.iter().flatten().chain(&self.waiting).chain(&self.unpriced);
        aside.extend(others.map(|(public_ref, handle)| (*public_ref, *handle)));
        aside.sort_unstable();
        aside.into_iter().map(|(_, handle)| handle).collect()
    }
}

impl Book {
    /// The rules in force; those of a plain instrument where there is no rulebook.
    pub(crate) fn rules(&self) -> Rulebook {
        match &self.special {
            Some(special) => special.rulebook,
            None => Rulebook {
                offers: Offers::PLAIN,
                lot: super::quantity(self.lot),
                quantity_max: super::quantity(self.quantity_max),
                ..Rulebook::default()
            },
        }
    }

    /// The phase it is in.
    pub(crate) fn phase(&self) -> Phase {
        self.special.as_ref().map_or(Phase::Continuous, |special| special.phase)
    }

    /// The tick size at a price.
    pub(crate) fn tick_at(&self, price: u32) -> u32 {
        let by_table = self.special.as_ref().map_or(0, |special| special.ticks.at(price));
        if by_table == 0 { self.tick } else { by_table }
    }
}

/// Whether rules fit the definition of their instrument: lots of lots, bounds within bounds, prices on its tick.
pub(crate) fn are_sound_rules(one: &DefineInstrument, rules: &Rulebook) -> bool {
    let lot = rules.lot.0;
    let sized = lot > 0
        && lot.is_multiple_of(one.lot.0)
        && lot <= rules.quantity_max.0
        && rules.quantity_max <= one.quantity_max
        && rules.quantity_min <= rules.quantity_max;
    let priced = rules.protection.0 >= 0 && rules.protection <= one.price_max && rules.protection.0 % one.tick.0 == 0;
    let known = Offers::ALL.has(rules.offers);
    sized && priced && known
}

/// Whether tick sizes fit the definition: rows rise from zero, each on multiples of its tick and the one before, and unused
/// rows are empty and last.
pub(crate) fn are_sound_ticks(one: &DefineInstrument, ticks: &TickTable) -> bool {
    let used = ticks.rows().count();
    let (rows, rest) = ticks.0.split_at(used);
    let mut before: Option<&TickRow> = None;
    for row in rows {
        let follows = match before {
            None => row.from == 0,
            Some(last) => row.from > last.from && row.from.is_multiple_of(last.tick),
        };
        let fits = i64::from(row.tick) % one.tick.0 == 0 && i64::from(row.tick) <= one.price_max.0;
        if !follows || !fits || !row.from.is_multiple_of(row.tick) {
            return false;
        }
        before = Some(row);
    }
    rest.iter().all(|row| *row == TickRow::default())
}

impl Engine {
    /// The issue's own rule: rules are data under a version, and each set states the version after the one in force, so
    /// that two who set rules at one time cannot overwrite each other unseen.
    #[cold]
    pub(crate) fn set_rulebook(&mut self, c: &SetRulebook) -> Event {
        let Some(one) = self.registry.instruments.get(&c.instrument) else {
            return refused(SetRulebook::SCHEMA);
        };
        if !are_sound_rules(one, &c.rulebook) || c.version != self.version(c.instrument) + 1 {
            return refused(SetRulebook::SCHEMA);
        }
        let special = self.special_book(usize::from(c.instrument.0) - 1);
        special.version = c.version;
        special.rulebook = c.rulebook;
        RulebookSet {
            instrument: c.instrument,
            version: c.version,
            rulebook: c.rulebook,
        }
        .into()
    }

    /// Tick sizes by price: ESMA RTS 11; SEC Rule 612.
    #[cold]
    pub(crate) fn set_ticks(&mut self, c: &SetTicks) -> Event {
        let version = self.version(c.instrument);
        let Some(one) = self.registry.instruments.get(&c.instrument) else {
            return refused(SetTicks::SCHEMA);
        };
        if version == 0 || c.version != version + 1 || !are_sound_ticks(one, &c.ticks) {
            return refused(SetTicks::SCHEMA);
        }
        let special = self.special_book(usize::from(c.instrument.0) - 1);
        special.version = c.version;
        special.ticks = c.ticks;
        TicksSet {
            instrument: c.instrument,
            version: c.version,
            ticks: c.ticks,
        }
        .into()
    }

    /// Self-match prevention is chosen by the firm (CME Globex Self-Match Prevention; Nasdaq OUCH 5.0, cancel reason `Q`).
    #[cold]
    pub(crate) fn set_self_trade(&mut self, c: &SetSelfTrade) -> Event {
        if !self.registry.firms.contains_key(&c.firm) {
            return refused(SetSelfTrade::SCHEMA);
        }
        self.firms[c.firm.0 as usize].self_trade = c.mode;
        self.apart = self.is_any_apart();
        self.mark_sessions(c.firm);
        SelfTradeSet {
            firm: c.firm,
            mode: c.mode,
        }
        .into()
    }

    /// A kill switch blocks new orders and changes of a firm and takes its orders off; cancels pass (CME and Eurex kill
    /// switches; PROTOCOLS 6).
    #[cold]
    pub(crate) fn set_kill_switch(&mut self, c: &SetKillSwitch, sink: &mut impl EventSink) {
        if !self.registry.firms.contains_key(&c.firm) {
            return sink.emit(refused(SetKillSwitch::SCHEMA));
        }
        self.firms[c.firm.0 as usize].killed = c.killed;
        self.mark_sessions(c.firm);
        sink.emit(
            KillSwitchSet {
                firm: c.firm,
                killed: c.killed,
            }
            .into(),
        );
        if c.killed {
            self.collect_all();
            self.keep_leaving(|engine, handle| engine.orders[handle].firm() == c.firm);
            self.end_leaving(CancelReason::FirmKilled, sink);
            self.conclude_all(sink);
        }
    }

    /// What is chosen for a firm.
    pub(crate) fn firm_rules(&self, firm: FirmId) -> FirmRules {
        self.firms.get(firm.0 as usize).copied().unwrap_or_default()
    }

    /// What prevents a firm from trading with itself on a book.
    pub(crate) fn self_trade(&self, at: usize, firm: FirmId) -> SelfTrade {
        match self.firm_rules(firm).self_trade {
            SelfTrade::Allowed => self.books[at].rules().self_trade,
            mode => mode,
        }
    }

    /// Marks the sessions of a firm whose orders may not take the plain path; those that a fault is about are marked as well.
    pub(crate) fn mark_sessions(&mut self, firm: FirmId) {
        let FirmRules { self_trade, killed } = self.firm_rules(firm);
        let special = killed || self_trade != SelfTrade::Allowed || self.breaker != BreakerLevel::None;
        let Self { sessions, faults, .. } = self;
        for (id, session) in (0u32..).zip(sessions) {
            if session.firm == firm {
                let refuses = |one: &FaultState| one.definition.refuses(SessionId(id));
                session.special = special || faults.iter().any(refuses);
            }
        }
    }

    /// Marks every session anew.
    pub(crate) fn mark_all_sessions(&mut self) {
        let firms: Vec<FirmId> = self.registry.firms.keys().copied().collect();
        for firm in firms {
            self.mark_sessions(firm);
        }
    }

    /// What a book has beyond a plain one, made where there is nothing yet.
    pub(crate) fn special_book(&mut self, at: usize) -> &mut SpecialBook {
        let book = &mut self.books[at];
        let (ticks_max, instrument) = (book.ticks_max, book.instrument);
        book.special.get_or_insert_with(|| {
            let flags = self.flags.of_instrument(instrument);
            Box::new(SpecialBook::new(ticks_max, &mut self.rungs).flagged(flags))
        })
    }

    pub(super) fn version(&self, instrument: InstrumentId) -> u32 {
        let special = self.book(instrument).and_then(|book| book.special.as_ref());
        special.map_or(0, |special| special.version)
    }
}

pub(crate) fn refused(schema: u16) -> Event {
    CommandRejected {
        schema,
        reason: RejectReason::BadDefinition,
    }
    .into()
}
