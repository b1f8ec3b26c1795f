//! The fast engine: its parts, and which rule answers which command.
//!
//! Each family of commands has a module of its own: [`crate::definitions`] (releases and definitions),
//! [`crate::lifecycle`] (days and sessions), [`crate::enter`] (new orders and the trade), [`crate::change`] (reduce and
//! cancel), [`crate::replace`], and [`crate::special`] for whatever a rulebook brings. [`crate::snapshot`] takes the state out and in, [`crate::view`] answers questions.

use crate::book::Book;
use crate::ladder::Rungs;
use crate::members::{Ledger, Office};
use crate::order::Order;
use crate::pool::Pool;
use crate::registry::Registry;
use crate::slots::SlotTable;
use crate::special::{Extra, FirmRules, Flags, Quoter, Runaways};
use crate::state::FaultState;
use crate::{EngineState, ImportError, Matching};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use rialto_model::event::{Ignored, Ticked};
use rialto_model::limits::LIVE_ORDERS_MAX;
use rialto_model::{
    AccountId, BreakerLevel, Command, EventSink, FirmId, IgnoreReason, Incarnation, InstrumentId, Mpid, MsgSeqNum,
    OrderId, Policy, QuoteLimits, RejectReason, ReleaseNumber, SequenceNumber, Sequenced, SessionId, Side, Timestamp,
    TradeId, TradingDay, UserRef, VenueId,
};

/// The venue itself, which is always up, may change any firm's order and enters none.
pub(crate) const VENUE: SessionId = SessionId(0);

/// What an engine may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Orders resting at one time in the whole venue, at most [`LIVE_ORDERS_MAX`]; an order beyond is rejected. It is
    /// part of the state, so a replay has to begin with the same one: leave it alone outside of tests.
    pub live_orders_max: u32,
    /// Orders to have room for from the start. Changes no output.
    pub orders_reserved: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            live_orders_max: LIVE_ORDERS_MAX,
            orders_reserved: 0,
        }
    }
}

/// The fast engine.
///
/// Besides [`Matching`] it answers questions: [`Engine::depth`], [`Engine::order`], [`Engine::sessions_up`],
/// [`Engine::instruments`], [`Engine::open_day`], [`Engine::last_seq`].
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) venue: VenueId,
    pub(crate) release: ReleaseNumber,
    pub(crate) last_seq: SequenceNumber,
    pub(crate) last_stamp: Timestamp,
    pub(crate) live_orders_max: u32,
    pub(crate) day: TradingDay,
    pub(crate) midnight: Timestamp,
    pub(crate) day_open: bool,
    /// Cancels and reductions are taken alone.
    pub(crate) cancel_only: bool,
    pub(crate) registry: Registry,
    /// By session id; the venue itself is at zero and no member's session.
    pub(crate) sessions: Vec<Session>,
    /// The firm of each account by id; zero where there is none.
    pub(crate) accounts: Vec<FirmId>,
    /// The identifier of each firm by id.
    pub(crate) mpids: Vec<Mpid>,
    /// What is chosen for each firm by id.
    pub(crate) firms: Vec<FirmRules>,
    /// Whether any of them has chosen that its orders are kept apart.
    pub(crate) apart: bool,
    /// By instrument id, the first at zero.
    pub(crate) books: Vec<Book>,
    pub(crate) orders: Pool<Order>,
    /// What orders with instructions have beyond plain ones.
    pub(crate) extras: Pool<Extra>,
    /// What is due.
    pub(crate) timers: BTreeSet<(Timestamp, InstrumentId, OrderId)>,
    pub(crate) flags: Flags,
    pub(crate) runaways: Runaways,
    /// The halt of the whole market.
    pub(crate) breaker: BreakerLevel,
    /// The sides of every quote.
    pub(crate) quotes: BTreeMap<(SessionId, InstrumentId, Side), u32>,
    /// The protection of sessions that have one.
    pub(crate) quote_limits: BTreeMap<SessionId, QuoteLimits>,
    /// What is counted for it.
    pub(crate) quoters: BTreeMap<(InstrumentId, SessionId), Quoter>,
    /// Trades of today that are undone.
    pub(crate) undone: BTreeSet<TradeId>,
    /// What a command did to limit states and auctions is said at its very end.
    pub(crate) deferred: bool,
    /// Faults that stand, in the order they came.
    pub(crate) faults: Vec<FaultState>,
    /// Directory, users, services.
    pub(crate) office: Office,
    /// Where any firm has limits or a fee tier: commands are applied under watch ([`Engine::apply_limited`]).
    pub(crate) ledger: Option<Box<Ledger>>,
    /// From which stamp on a command takes the watched path ([`Engine::watch`]).
    pub(crate) watched_from: Timestamp,
    pub(crate) rungs: Rungs,
    /// Live orders by their id.
    pub(crate) order_ids: SlotTable,
    /// Orders to take off, collected first. Kept so that it need not be allocated again.
    pub(crate) leaving: Vec<(OrderId, u32)>,
}

/// What the order path needs of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) defined: bool,
    /// The incarnation that is up; zero while none is, which no command's incarnation matches.
    pub(crate) up: Incarnation,
    pub(crate) last_incarnation: Incarnation,
    pub(crate) last_user_ref: UserRef,
    pub(crate) firm: FirmId,
    pub(crate) account: AccountId,
    /// Its firm has chosen rules, so that its orders do not take the plain path.
    pub(crate) special: bool,
    /// Its live orders of today by user reference.
    pub(crate) names: SlotTable,
}

impl Session {
    /// Whether this connection of it is up.
    #[inline]
    pub(crate) fn is_up(&self, incarnation: Incarnation) -> bool {
        self.up == incarnation && incarnation.0 != 0
    }
}

impl Engine {
    /// A venue before its first command.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let live_orders_max = limits.live_orders_max.min(LIVE_ORDERS_MAX);
        Self {
            venue: VenueId(0),
            release: ReleaseNumber(0),
            last_seq: SequenceNumber(0),
            last_stamp: Timestamp(0),
            live_orders_max,
            day: TradingDay(0),
            midnight: Timestamp(0),
            day_open: false,
            cancel_only: false,
            registry: Registry::default(),
            sessions: alloc::vec![Session::default()],
            accounts: Vec::new(),
            mpids: Vec::new(),
            firms: Vec::new(),
            apart: false,
            books: Vec::new(),
            orders: Pool::new(limits.orders_reserved.min(live_orders_max) as usize),
            extras: Pool::new(0),
            timers: BTreeSet::new(),
            flags: Flags::default(),
            runaways: Runaways::default(),
            breaker: BreakerLevel::None,
            quotes: BTreeMap::new(),
            quote_limits: BTreeMap::new(),
            quoters: BTreeMap::new(),
            undone: BTreeSet::new(),
            deferred: false,
            faults: Vec::new(),
            office: Office::default(),
            ledger: None,
            watched_from: Timestamp(u64::MAX),
            rungs: Rungs::new(),
            order_ids: SlotTable::default(),
            leaving: Vec::new(),
        }
    }
}

impl Matching for Engine {
    #[inline]
    fn apply(&mut self, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        assert!(
            command.seq > self.last_seq,
            "commands come in order of their sequence number"
        );
        self.last_seq = command.seq;
        self.last_stamp = command.stamp;
        if self.ledger.is_some() {
            return self.apply_limited(command, sink);
        }
        if command.stamp >= self.watched_from {
            return self.apply_watched(command, sink);
        }
        self.dispatch(command, sink);
    }

    fn export(&self) -> EngineState {
        self.take_out()
    }

    fn import(state: &EngineState) -> Result<Self, ImportError> {
        Self::take_in(state)
    }
}

impl Engine {
    /// Which rule answers which command.
    #[inline(always)]
    pub(crate) fn dispatch(&mut self, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        match &command.body {
            Command::Enter(c) => self.enter(command.seq, c, sink),
            Command::Cancel(c) => self.cancel(c, sink),
            Command::Replace(c) => self.replace(c, sink),
            Command::Reduce(c) => self.reduce(c, sink),
            Command::Refuse(c) => self.refuse(c, sink),
            Command::EnterSpecial(c) => self.enter_special(command.seq, c, sink),
            Command::ReplaceSpecial(c) => self.replace_special(c, sink),
            Command::MassCancel(c) => self.mass_cancel(c, sink),
            Command::Tick(_) => sink.emit(Ticked {}.into()),
            Command::Release(c) => sink.emit(self.begin_release(c)),
            Command::DefineInstrument(c) => sink.emit(self.define_instrument(c)),
            Command::DefineFirm(c) => sink.emit(self.define_firm(c)),
            Command::DefineAccount(c) => sink.emit(self.define_account(c)),
            Command::DefineSession(c) => sink.emit(self.define_session(c)),
            Command::SetRulebook(c) => sink.emit(self.set_rulebook(c)),
            Command::SetTicks(c) => {
                sink.emit(self.set_ticks(c));
                self.conclude_all(sink);
            }
            Command::MassQuote(c) => self.mass_quote(command.seq, c, sink),
            Command::CancelQuotes(c) => self.cancel_quotes(c, sink),
            Command::SetProtection(c) => self.set_protection(c, sink),
            Command::ResetProtection(c) => self.reset_protection(c, sink),
            Command::SetFees(c) => sink.emit(self.set_fees(c)),
            Command::SetAllocation(c) => sink.emit(self.set_allocation(c)),
            Command::BustTrade(c) => sink.emit(self.bust_trade(c)),
            Command::CorrectTrade(c) => sink.emit(self.correct_trade(c)),
            Command::SetBands(c) => self.set_bands(c, sink),
            Command::BreakCircuit(c) => self.break_circuit(c, sink),
            Command::SetPhase(c) => self.set_phase(c, sink),
            Command::SetSelfTrade(c) => sink.emit(self.set_self_trade(c)),
            Command::SetKillSwitch(c) => self.set_kill_switch(c, sink),
            Command::StartOfDay(c) => self.start_of_day(c, sink),
            Command::EndOfDay(_) => self.end_of_day(sink),
            Command::SessionUp(c) => sink.emit(self.session_opens(c)),
            Command::SessionLost(c) => self.session_lost(c, sink),
            Command::SessionNote(c) => sink.emit(self.session_note(c)),
            Command::SetRiskLimits(c) => sink.emit(self.set_risk_limits(c)),
            Command::SetFeeTier(c) => sink.emit(self.set_fee_tier(c)),
            Command::Act(c) => sink.emit(Self::act(c)),
            Command::SetShard(c) => sink.emit(self.set_shard(c)),
            Command::SetUser(c) => sink.emit(self.set_user(c)),
            Command::SetService(c) => sink.emit(self.set_service(c)),
            Command::SetBudgets(c) => sink.emit(self.set_budgets(c)),
            Command::CancelOnly(c) => sink.emit(self.set_cancel_only(*c)),
            Command::SwitchFlag(c) => sink.emit(self.switch_flag(command.seq, c)),
            Command::RefuseProcess(c) => sink.emit(self.refuse_process(c)),
            Command::SetRunawayLimits(c) => sink.emit(self.set_runaway_limits(c)),
            Command::SetParent(c) => sink.emit(self.set_parent(c)),
            Command::TripRunaway(c) => self.trip_runaway(c, sink),
            Command::AddFault(c) => self.add_fault(c, sink),
            Command::RemoveFault(c) => self.remove_fault(c, sink),
            Command::CutOver(c) => sink.emit((*c).into()),
            Command::Route(c) => sink.emit((*c).into()),
            Command::Judge(c) => sink.emit((*c).into()),
            Command::Quarantine(c) => sink.emit((*c).into()),
            Command::RouteDoor(c) => sink.emit((*c).into()),
            Command::JudgeDoor(c) => sink.emit((*c).into()),
            Command::RouteFeed(c) => sink.emit((*c).into()),
            Command::JudgeFeed(c) => sink.emit((*c).into()),
            Command::Recall(c) => sink.emit((*c).into()),
        }
    }

    /// A member's session that is up under this incarnation: what a command must come from (FIX session layer,
    /// SoupBinTCP login; DESIGN 4: an order of an ended incarnation is refused). The venue itself is no member.
    #[inline]
    pub(crate) fn session_up(&self, id: SessionId, incarnation: Incarnation) -> Result<&Session, RejectReason> {
        match self.sessions.get(id.0 as usize) {
            Some(session) if session.is_up(incarnation) => Ok(session),
            Some(session) if session.defined => Err(RejectReason::SessionNotUp),
            _ => Err(RejectReason::UnknownSession),
        }
    }

    /// The book of an instrument.
    #[inline]
    pub(crate) fn book(&self, instrument: InstrumentId) -> Option<&Book> {
        self.books.get(usize::from(instrument.0).wrapping_sub(1))
    }

    /// The firm's name on the feed where it asked for attribution (ITCH `F`), blank otherwise.
    #[inline]
    pub(crate) fn mpid(&self, firm: FirmId, policy: Policy) -> Mpid {
        mpid(&self.mpids, firm, policy)
    }

    /// Makes an order known by the name that its session gave it today.
    #[inline]
    pub(crate) fn name(&mut self, session: SessionId, user_ref: UserRef, handle: u32) {
        let names = &mut self.sessions[session.0 as usize].names;
        names.insert(u64::from(user_ref.0), handle);
    }

    /// Forgets an order that is in no queue any more.
    #[inline]
    pub(crate) fn forget(&mut self, handle: u32) {
        let Order {
            order_id,
            user_ref,
            session,
            carried,
            ..
        } = self.orders[handle];
        if !carried {
            let names = &mut self.sessions[usize::from(session)].names;
            names.remove(u64::from(user_ref.0));
        }
        self.order_ids.remove(order_id.0);
        self.orders.release(handle);
    }

    /// Takes a plain order off its book and forgets it.
    #[inline]
    pub(crate) fn take_off(&mut self, handle: u32) {
        let at = usize::from(self.orders[handle].instrument.0) - 1;
        self.books[at].unlink(handle, &mut self.orders, &mut self.rungs);
        self.forget(handle);
    }
}

/// As [`Engine::mpid`], of these firms.
#[inline]
pub(crate) fn mpid(mpids: &[Mpid], firm: FirmId, policy: Policy) -> Mpid {
    if policy.has(Policy::ATTRIBUTED) {
        mpids.get(firm.0 as usize).copied().unwrap_or_default()
    } else {
        Mpid::default()
    }
}

/// A command that changes nothing and that nobody is told of.
pub(crate) fn ignored(session: SessionId, inbound: MsgSeqNum, reason: IgnoreReason) -> Ignored {
    Ignored {
        session,
        inbound,
        reason,
    }
}
