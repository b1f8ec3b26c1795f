//! The naive engine: its data is the canonical [`EngineState`], and everything is found by looking from one end to the other.
//!
//! It exists to be obviously right, and to be written in another style than [`crate::Engine`], so that the two do not
//! share a mistake. It must never be made fast. Rules are documented with their sources at the fast engine.

mod after;
mod bounds;
mod changes;
mod faults;
mod flags;
mod orders;
mod pegs;
mod phases;
mod quotes;
mod risk;
mod rules;
mod trade;

use crate::state::{FirmState, Guard, InstrumentState, OrderState, Outlook, SessionState};
use crate::{CURRENT_RELEASE, EngineState, ImportError, Limits, Matching};
use alloc::vec::Vec;
use rialto_model::command::{
    CancelOnly, DefineAccount, DefineFirm, DefineInstrument, DefineSession, Refuse, Release, SessionLost, SessionNote,
    SessionUp, StartOfDay,
};
use rialto_model::event::{
    AccountDefined, CancelOnlyChanged, Cancelled, CommandRejected, DayEnded, DayStarted, FirmDefined, Ignored,
    InstrumentListed, Rejected, Released, Restated, SessionClosed, SessionDefined, SessionNoted, SessionOpened, Ticked,
};
use rialto_model::limits::{ACCOUNT_MAX, FIRM_MAX, LIVE_ORDERS_MAX, PRICE_MAX, QUANTITY_MAX, SESSION_MAX};
use rialto_model::{
    BreakerLevel, CancelReason, Command, Event, EventSink, FirmId, IgnoreReason, Incarnation, InstrumentId, LossCause,
    Mpid, MsgSeqNum, OrderId, Phase, Policy, Price, Quantity, RejectReason, SelfTrade, Sequenced, SessionId, Side,
    TimeInForce, UserRef,
};

/// The naive engine.
#[derive(Clone, Debug)]
pub struct Engine {
    state: EngineState,
}

impl Engine {
    /// A venue before its first command.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let live_orders_max = limits.live_orders_max.min(LIVE_ORDERS_MAX);
        Self {
            state: EngineState {
                live_orders_max,
                ..EngineState::default()
            },
        }
    }
}

impl Matching for Engine {
    fn apply(&mut self, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        assert!(
            command.seq > self.state.last_seq,
            "commands come in order of their sequence number"
        );
        self.state.last_seq = command.seq;
        self.state.last_stamp = command.stamp;
        let mut events = Vec::new();
        let fired = self.fire(&mut events);
        let due = events.len();
        self.count(&events);
        if let Some(answer) = self.risks(&command.body) {
            events.push(answer);
        } else {
            self.carry_out(command, &mut events);
        }
        // What fired and what the command did are said together, when every book has come to rest.
        if fired {
            self.go_on_everywhere(&mut events);
        }
        self.conclude(&mut events);
        self.count(&events[due..]);
        events.iter_mut().for_each(|event| self.discount(event));
        for event in events {
            sink.emit(event);
        }
    }

    fn export(&self) -> EngineState {
        self.state.clone()
    }

    fn import(state: &EngineState) -> Result<Self, ImportError> {
        state.check()?;
        Ok(Self { state: state.clone() })
    }
}

impl Engine {
    fn carry_out(&mut self, command: &Sequenced<Command>, events: &mut Vec<Event>) {
        match &command.body {
            Command::Release(c) => events.push(self.release(c)),
            Command::DefineInstrument(c) => events.push(self.define_instrument(c)),
            Command::DefineFirm(c) => events.push(self.define_firm(c)),
            Command::DefineAccount(c) => events.push(self.define_account(c)),
            Command::DefineSession(c) => events.push(self.define_session(c)),
            Command::StartOfDay(c) => self.start_of_day(c, events),
            Command::EndOfDay(_) => self.end_of_day(events),
            Command::Tick(_) => events.push(Ticked {}.into()),
            Command::SessionUp(c) => events.push(self.session_up(c)),
            Command::SessionLost(c) => self.session_lost(c, events),
            Command::SessionNote(c) => events.push(self.session_note(c)),
            Command::Enter(c) => self.enter(command.seq, c, events),
            Command::EnterSpecial(c) => self.enter_special(command.seq, c, events),
            Command::ReplaceSpecial(c) => self.replace_special(c, events),
            Command::MassCancel(c) => self.mass_cancel(c, events),
            Command::SetRulebook(c) => events.push(self.set_rulebook(c)),
            Command::SetTicks(c) => events.push(self.set_ticks(c)),
            Command::MassQuote(c) => self.mass_quote(command.seq, c, events),
            Command::CancelQuotes(c) => self.cancel_quotes(c, events),
            Command::SetProtection(c) => events.push(self.set_protection(c)),
            Command::ResetProtection(c) => events.push(self.reset_protection(c)),
            Command::SetFees(c) => events.push(self.set_fees(c)),
            Command::SetAllocation(c) => events.push(self.set_allocation(c)),
            Command::BustTrade(c) => events.push(self.bust_trade(c)),
            Command::CorrectTrade(c) => events.push(self.correct_trade(c)),
            Command::SetBands(c) => self.set_bands(c, events),
            Command::BreakCircuit(c) => self.break_circuit(c, events),
            Command::SetPhase(c) => self.set_phase(c, events),
            Command::SetSelfTrade(c) => events.push(self.set_self_trade(c)),
            Command::SetKillSwitch(c) => self.set_kill_switch(c, events),
            Command::Reduce(c) => events.push(self.reduce(c)),
            Command::Cancel(c) => events.push(self.cancel(c)),
            Command::Replace(c) => self.replace(c, events),
            Command::Refuse(c) => events.push(self.refuse(c)),
            Command::CancelOnly(c) => events.push(self.cancel_only(c)),
            Command::AddFault(c) => self.add_fault(c, events),
            Command::RemoveFault(c) => self.remove_fault(c, events),
            Command::CutOver(c) => events.push((*c).into()),
            Command::Route(c) => events.push((*c).into()),
            Command::Judge(c) => events.push((*c).into()),
            Command::Quarantine(c) => events.push((*c).into()),
            Command::RouteDoor(c) => events.push((*c).into()),
            Command::JudgeDoor(c) => events.push((*c).into()),
            Command::RouteFeed(c) => events.push((*c).into()),
            Command::JudgeFeed(c) => events.push((*c).into()),
            Command::Recall(c) => events.push((*c).into()),
            Command::SwitchFlag(c) => events.push(self.switch_flag(command.seq, &c.change)),
            Command::RefuseProcess(c) => events.push(flags::refuse_process(c)),
            Command::SetRunawayLimits(c) => events.push(self.set_runaway_limits(c)),
            Command::SetParent(c) => events.push(self.set_parent(c)),
            Command::TripRunaway(c) => self.trip_runaway(c, events),
            Command::SetRiskLimits(c) => events.push(self.set_risk_limits(c)),
            Command::SetFeeTier(c) => events.push(self.set_fee_tier(c)),
            Command::Act(c) => events.push(self.act(c)),
            Command::SetShard(c) => events.push(self.set_shard(c)),
            Command::SetUser(c) => events.push(self.set_user(c)),
            Command::SetService(c) => events.push(self.set_service(c)),
            Command::SetBudgets(c) => events.push(self.set_budgets(c)),
        }
    }

    fn release(&mut self, c: &Release) -> Event {
        let first = self.state.release.0 == 0;
        let fits = c.release.0 >= 1 && c.release <= CURRENT_RELEASE;
        if !fits || (!first && (c.release < self.state.release || c.venue != self.state.venue)) {
            return broken(Release::SCHEMA);
        }
        self.state.venue = c.venue;
        self.state.release = c.release;
        Released {
            venue: c.venue,
            release: c.release,
        }
        .into()
    }

    fn define_instrument(&mut self, c: &DefineInstrument) -> Event {
        let next = self.state.instruments.len() + 1;
        let known = self
            .state
            .instruments
            .iter()
            .any(|listed| listed.definition.symbol == c.symbol);
        let priced = c.tick.0 >= 1 && c.price_max.0 <= PRICE_MAX && c.tick <= c.price_max;
        let sized = c.lot.0 >= 1 && c.quantity_max.0 <= QUANTITY_MAX && c.lot <= c.quantity_max;
        if usize::from(c.instrument.0) != next || known || !priced || !sized {
            return broken(DefineInstrument::SCHEMA);
        }
        self.state.instruments.push(InstrumentState {
            definition: *c,
            public_refs: 0,
            trades: 0,
            trades_at_open: 0,
            last_price: Price(0),
            rules: None,
            phase: Phase::Continuous,
            outlook: Outlook::default(),
            guard: Guard::default(),
            bids: Vec::new(),
            asks: Vec::new(),
            hidden_bids: Vec::new(),
            hidden_asks: Vec::new(),
            aside: Vec::new(),
        });
        listed(c, self.state.day_open)
    }

    fn define_firm(&mut self, c: &DefineFirm) -> Event {
        let known = self.state.firms.iter().any(|firm| firm.definition.firm == c.firm);
        if c.firm.0 == 0 || c.firm.0 > FIRM_MAX || known {
            return broken(DefineFirm::SCHEMA);
        }
        self.state.firms.push(FirmState {
            definition: *c,
            self_trade: SelfTrade::Allowed,
            killed: false,
        });
        self.state.firms.sort_by_key(|firm| firm.definition.firm);
        FirmDefined {
            firm: c.firm,
            mpid: c.mpid,
            name: c.name,
        }
        .into()
    }

    fn define_account(&mut self, c: &DefineAccount) -> Event {
        let known = self.state.accounts.iter().any(|account| account.account == c.account);
        let firm = self.state.firms.iter().any(|firm| firm.definition.firm == c.firm);
        if c.account.0 == 0 || c.account.0 > ACCOUNT_MAX || known || !firm {
            return broken(DefineAccount::SCHEMA);
        }
        self.state.accounts.push(*c);
        self.state.accounts.sort_by_key(|account| account.account);
        AccountDefined {
            account: c.account,
            firm: c.firm,
        }
        .into()
    }

    fn define_session(&mut self, c: &DefineSession) -> Event {
        let known = self.session(c.session).is_some();
        let account = DefineAccount {
            account: c.account,
            firm: c.firm,
        };
        if c.session.0 == 0 || c.session.0 > SESSION_MAX || known || !self.state.accounts.contains(&account) {
            return broken(DefineSession::SCHEMA);
        }
        self.state.sessions.push(SessionState {
            definition: *c,
            up: false,
            incarnation: Incarnation(0),
            last_user_ref: UserRef(0),
        });
        self.state.sessions.sort_by_key(|session| session.definition.session);
        SessionDefined {
            session: c.session,
            firm: c.firm,
            account: c.account,
            door: c.door,
            name: c.name,
        }
        .into()
    }

    fn start_of_day(&mut self, c: &StartOfDay, events: &mut Vec<Event>) {
        if self.state.day_open || c.day <= self.state.day {
            return events.push(ignored(SessionId(0), MsgSeqNum(0), IgnoreReason::OutOfPlace));
        }
        self.state.day = c.day;
        self.state.midnight = c.midnight;
        self.state.day_open = true;
        self.state.undone.clear();
        for listed in &mut self.state.instruments {
            listed.trades_at_open = listed.trades;
        }
        for session in &mut self.state.sessions {
            session.last_user_ref = UserRef(0);
        }
        events.push(
            DayStarted {
                day: c.day,
                midnight: c.midnight,
            }
            .into(),
        );
        if self.state.breaker != BreakerLevel::None {
            self.halt_all(BreakerLevel::None, events);
        }
        for one in &self.state.instruments {
            events.push(listed(&one.definition, one.phase == Phase::Continuous));
        }
        for live in self.live() {
            let Live { order, instrument, .. } = live;
            events.push(
                Restated {
                    session: order.session,
                    user_ref: order.user_ref,
                    order_id: order.order_id,
                    public_ref: order.public_ref,
                    firm: self.firm_of(order.session),
                    account: order.account,
                    instrument,
                    side: live.side,
                    price: order.price,
                    leaves: order.leaves,
                    executed: order.executed,
                    mpid: self.mpid(order.session, order.policy),
                    shown: live.shown(),
                }
                .into(),
            );
            orders::instruct(instrument, &order, events);
        }
        for instrument in self.everywhere() {
            self.begin_bounds(instrument, self.state.last_stamp, events);
        }
    }

    fn end_of_day(&mut self, events: &mut Vec<Event>) {
        if !self.state.day_open {
            return events.push(ignored(SessionId(0), MsgSeqNum(0), IgnoreReason::OutOfPlace));
        }
        for live in self.live() {
            if live.order.tif == TimeInForce::Day {
                self.end(&live, CancelReason::DayEnded, events);
            } else {
                self.change(live.order.order_id, |order| order.carried = true);
            }
        }
        self.state.quoters.clear();
        self.state.parents.clear();
        for instrument in self.everywhere() {
            self.end_bounds(instrument);
        }
        self.state.day_open = false;
        events.push(DayEnded { day: self.state.day }.into());
    }

    fn session_up(&mut self, c: &SessionUp) -> Event {
        match self.session_mut(c.session) {
            Some(session) if !session.up && c.incarnation > session.incarnation => {
                session.up = true;
                session.incarnation = c.incarnation;
                SessionOpened {
                    session: c.session,
                    incarnation: c.incarnation,
                    inbound: c.inbound,
                    reset: c.reset,
                }
                .into()
            }
            _ => ignored(c.session, c.inbound, IgnoreReason::OutOfPlace),
        }
    }

    fn session_lost(&mut self, c: &SessionLost, events: &mut Vec<Event>) {
        match self.session_mut(c.session) {
            Some(session) if session.up && session.incarnation == c.incarnation => session.up = false,
            _ => return events.push(ignored(c.session, MsgSeqNum(0), IgnoreReason::OutOfPlace)),
        }
        events.push(
            SessionClosed {
                session: c.session,
                incarnation: c.incarnation,
                cause: c.cause,
            }
            .into(),
        );
        if c.cause == LossCause::Forked {
            return;
        }
        let mut leaving = self.live();
        leaving.retain(|live| {
            live.order.session == c.session
                && live.order.tif == TimeInForce::Day
                && live.order.policy.has(Policy::CANCEL_ON_DISCONNECT)
                && !live.order.order_id.is_quote()
        });
        leaving.extend(self.quotes_of(c.session, InstrumentId(0)));
        self.end_all(leaving, CancelReason::SessionLost, events);
    }

    fn session_note(&self, c: &SessionNote) -> Event {
        if self.check_session(c.session, c.incarnation, true).is_err() {
            return ignored(c.session, c.inbound, IgnoreReason::SessionNotUp);
        }
        SessionNoted {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            what: c.what,
        }
        .into()
    }

    fn cancel_only(&mut self, c: &CancelOnly) -> Event {
        if self.state.cancel_only == c.on {
            return ignored(SessionId(0), MsgSeqNum(0), IgnoreReason::Superfluous);
        }
        self.state.cancel_only = c.on;
        CancelOnlyChanged { on: c.on }.into()
    }

    fn refuse(&self, c: &Refuse) -> Event {
        let reason = self
            .check_session(c.session, c.incarnation, false)
            .err()
            .unwrap_or(c.reason);
        Rejected {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            user_ref: c.user_ref,
            instrument: c.instrument,
            side: c.side,
            reason,
            price: c.price,
            quantity: c.quantity,
            client_id: c.client_id,
        }
        .into()
    }

    fn everywhere(&self) -> Vec<InstrumentId> {
        let listed = self.state.instruments.iter();
        listed.map(|listed| listed.definition.instrument).collect()
    }

    /// What a command did to the books beyond its orders.
    fn conclude(&mut self, events: &mut Vec<Event>) {
        for instrument in self.everywhere() {
            self.go_on(instrument, events);
            while self.protect(instrument, events) {
                self.go_on(instrument, events);
            }
            if self.first_bounds(instrument, events) {
                self.go_on(instrument, events);
            }
            self.watch_bounds(instrument, events);
            self.publish(instrument, events);
        }
    }

    fn go_on_everywhere(&mut self, events: &mut Vec<Event>) {
        for instrument in self.everywhere() {
            self.go_on(instrument, events);
        }
    }

    /// Every live order with its place.
    fn live(&self) -> Vec<Live> {
        let mut found = Vec::new();
        for listed in &self.state.instruments {
            let instrument = listed.definition.instrument;
            let queues = [
                (Side::Buy, Place::Displayed, &listed.bids),
                (Side::Sell, Place::Displayed, &listed.asks),
                (Side::Buy, Place::Hidden, &listed.hidden_bids),
                (Side::Sell, Place::Hidden, &listed.hidden_asks),
            ];
            for (side, place, queue) in queues {
                found.extend(queue.iter().map(|order| Live {
                    instrument,
                    side,
                    place,
                    order: *order,
                }));
            }
            found.extend(listed.aside.iter().map(|one| Live {
                instrument,
                side: one.side,
                place: Place::Aside,
                order: one.order,
            }));
        }
        found
    }

    /// Changes a live order where it stands.
    fn change(&mut self, order_id: OrderId, change: impl FnOnce(&mut OrderState)) {
        for listed in &mut self.state.instruments {
            let queues = [
                &mut listed.bids,
                &mut listed.asks,
                &mut listed.hidden_bids,
                &mut listed.hidden_asks,
            ];
            let queued = queues.into_iter().flatten();
            let aside = listed.aside.iter_mut().map(|one| &mut one.order);
            if let Some(order) = queued.chain(aside).find(|order| order.order_id == order_id) {
                return change(order);
            }
        }
    }

    /// Takes a live order off.
    fn remove(&mut self, order_id: OrderId) {
        for listed in &mut self.state.instruments {
            for queue in [
                &mut listed.bids,
                &mut listed.asks,
                &mut listed.hidden_bids,
                &mut listed.hidden_asks,
            ] {
                queue.retain(|order| order.order_id != order_id);
            }
            listed.aside.retain(|one| one.order.order_id != order_id);
        }
    }

    /// Takes a live order off without its owner's request.
    fn end(&mut self, live: &Live, reason: CancelReason, events: &mut Vec<Event>) {
        events.push(live.ended(reason).into());
        self.remove(live.order.order_id);
    }

    fn end_all(&mut self, mut leaving: Vec<Live>, reason: CancelReason, events: &mut Vec<Event>) {
        leaving.sort_by_key(|live| live.order.order_id);
        for live in leaving {
            self.end(&live, reason, events);
        }
    }

    fn check_session(&self, id: SessionId, incarnation: Incarnation, venue: bool) -> Result<(), RejectReason> {
        if venue && id == SessionId(0) {
            return Ok(());
        }
        let session = self.session(id).ok_or(RejectReason::UnknownSession)?;
        if session.up && session.incarnation == incarnation {
            Ok(())
        } else {
            Err(RejectReason::SessionNotUp)
        }
    }

    fn session(&self, id: SessionId) -> Option<&SessionState> {
        self.state
            .sessions
            .iter()
            .find(|session| session.definition.session == id)
    }

    fn session_mut(&mut self, id: SessionId) -> Option<&mut SessionState> {
        self.state
            .sessions
            .iter_mut()
            .find(|session| session.definition.session == id)
    }

    fn last_user_ref(&self, id: SessionId) -> UserRef {
        self.session(id).map_or(UserRef(0), |session| session.last_user_ref)
    }

    fn consume(&mut self, id: SessionId, user_ref: UserRef) {
        if let Some(session) = self.session_mut(id) {
            session.last_user_ref = user_ref;
        }
    }

    fn firm_of(&self, id: SessionId) -> FirmId {
        self.session(id).map_or(FirmId(0), |session| session.definition.firm)
    }

    fn mpid(&self, session: SessionId, policy: Policy) -> Mpid {
        let firm = self.firm_of(session);
        let firm = self
            .state
            .firms
            .iter()
            .find(|one| one.definition.firm == firm && policy.has(Policy::ATTRIBUTED));
        firm.map_or(Mpid::default(), |firm| firm.definition.mpid)
    }

    fn listed(&self, id: InstrumentId) -> Option<&InstrumentState> {
        self.state
            .instruments
            .iter()
            .find(|listed| listed.definition.instrument == id)
    }

    fn listed_mut(&mut self, id: InstrumentId) -> Option<&mut InstrumentState> {
        self.state
            .instruments
            .iter_mut()
            .find(|listed| listed.definition.instrument == id)
    }
}

/// Where a live order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Displayed,
    Hidden,
    Aside,
}

/// A live order and where it stands.
#[derive(Clone, Copy, Debug)]
struct Live {
    instrument: InstrumentId,
    side: Side,
    place: Place,
    order: OrderState,
}

impl Live {
    /// What the feed sees of it.
    fn shown(&self) -> Quantity {
        if self.place == Place::Displayed {
            self.order.displayed()
        } else {
            Quantity(0)
        }
    }

    /// Its end when nobody asked for it.
    fn ended(&self, reason: CancelReason) -> Cancelled {
        orders::unasked(
            &self.order,
            self.instrument,
            self.side,
            reason,
            self.place == Place::Displayed,
        )
    }
}

fn listed(c: &DefineInstrument, trading: bool) -> Event {
    InstrumentListed {
        instrument: c.instrument,
        symbol: c.symbol,
        scale: c.scale,
        tick: c.tick,
        price_max: c.price_max,
        lot: c.lot,
        quantity_max: c.quantity_max,
        trading,
    }
    .into()
}

fn broken(schema: u16) -> Event {
    CommandRejected {
        schema,
        reason: RejectReason::BadDefinition,
    }
    .into()
}

fn ignored(session: SessionId, inbound: MsgSeqNum, reason: IgnoreReason) -> Event {
    Ignored {
        session,
        inbound,
        reason,
    }
    .into()
}
