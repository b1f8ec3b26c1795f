//! Random commands, biased so that every path of the rulebook is taken often.

use super::Random;
use rialto_model::command::*;
use rialto_model::limits::*;
use rialto_model::*;
use std::collections::BTreeMap;

/// Sessions 1 and 2 are of firm 1, 3 of firm 2, 4 of firm 3.
const SESSIONS: [(u32, u32, u32); 4] = [(1, 1, 1), (2, 1, 2), (3, 2, 3), (4, 3, 4)];
/// Tick, highest price, lot, highest quantity: plain, wide, narrow, coarse.
pub(super) const INSTRUMENTS: [(i64, i64, u64, u64); 4] = [
    (100, 1_000_000_000, 1, 1_000_000),
    (1, PRICE_MAX, 1, QUANTITY_MAX),
    (5, 50, 10, 1_000),
    (25, 10_000, 100, 10_000),
];
const TIFS: [TimeInForce; 4] = [
    TimeInForce::Day,
    TimeInForce::GoodTillCancel,
    TimeInForce::ImmediateOrCancel,
    TimeInForce::FillOrKill,
];
/// Reasons under which a reference is not consumed.
const UNCONSUMED: [RejectReason; 3] = [
    RejectReason::UnknownSession,
    RejectReason::SessionNotUp,
    RejectReason::UserRefJump,
];
/// Reasons under which a replace's is.
const TERMS: [RejectReason; 28] = [
    RejectReason::RiskOrderQuantity,
    RejectReason::RiskOrderNotional,
    RejectReason::RiskCollar,
    RejectReason::RiskOpenOrders,
    RejectReason::RiskPosition,
    RejectReason::RiskCredit,
    RejectReason::RiskUnpriced,
    RejectReason::DiscretionNotOffered,
    RejectReason::PriceOutsideBands,
    RejectReason::CircuitBroken,
    RejectReason::CancelOnly,
    RejectReason::NotInThisPhase,
    RejectReason::TypeNotOffered,
    RejectReason::LifetimeNotOffered,
    RejectReason::InstructionNotOffered,
    RejectReason::InstructionConflict,
    RejectReason::QuantityTooSmall,
    RejectReason::DisplayInvalid,
    RejectReason::MinimumInvalid,
    RejectReason::TriggerInvalid,
    RejectReason::ExpiryInvalid,
    RejectReason::PostOnlyWouldTrade,
    RejectReason::FirmKilled,
    RejectReason::QuantityZero,
    RejectReason::QuantityTooLarge,
    RejectReason::QuantityOffLot,
    RejectReason::PriceOutOfRange,
    RejectReason::PriceOffTick,
];
const SHORTS: [ShortSale; 3] = [ShortSale::None, ShortSale::Short, ShortSale::Exempt];

#[derive(Clone, Debug, Default)]
struct Member {
    up: bool,
    incarnation: u32,
    last_user_ref: u32,
}

/// A source of commands that learns from the events they cause.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(super) random: Random,
    pub(super) seq: u64,
    commands: u64,
    calm: bool,
    /// With rulebooks and everything that they bring.
    pub(crate) ruled: bool,
    /// Among that, with times of cancels alone.
    pub(crate) cancels_only: bool,
    /// With flags that are switched.
    pub(crate) flagged: bool,
    /// Flags are retired now and then, until none is left.
    pub(crate) retires: bool,
    /// Whether sessions are also lost by forks, which cancels nothing.
    pub(crate) forks: bool,
    /// With limits and tiers of members.
    pub(crate) limited: bool,
    /// The version of the directory of the member store.
    pub(crate) directory: u32,
    /// The version of each instrument's rules.
    pub(crate) versions: [u32; 4],
    /// The whole market is halted.
    pub(crate) halted: bool,
    /// Some of the last trades.
    pub(crate) deals: Vec<Deal>,
    /// The phase of each instrument.
    pub(crate) phases: [Phase; 4],
    setup: Vec<Command>,
    day: u32,
    open: bool,
    members: Vec<Member>,
    /// Names of live orders.
    names: Vec<(SessionId, UserRef, OrderId)>,
    /// Names of some that have lived.
    dead: Vec<(SessionId, UserRef, OrderId)>,
    /// At which price they came.
    prices: BTreeMap<OrderId, Price>,
    /// Where each instrument trades, in ticks.
    pub(super) middle: [i64; 4],
}

impl Flow {
    pub(crate) fn new(seed: u64) -> Self {
        let mut setup: Vec<Command> = vec![
            Release {
                venue: VenueId(7),
                release: ReleaseNumber(1),
            }
            .into(),
        ];
        for firm in 1..=3 {
            let mpid = Mpid::new(&format!("MP{firm}")).expect("short");
            let name = Text::new(format!("Firm {firm}").as_bytes()).expect("short");
            setup.push(
                DefineFirm {
                    firm: FirmId(firm),
                    mpid,
                    name,
                }
                .into(),
            );
        }
        for (session, firm, account) in SESSIONS {
            let (firm, account) = (FirmId(firm), AccountId(account));
            setup.push(DefineAccount { account, firm }.into());
            let name = Text::new(format!("S{session}").as_bytes()).expect("short");
            let session = SessionId(session);
            setup.push(
                DefineSession {
                    session,
                    firm,
                    account,
                    door: Door::Ouch,
                    name,
                }
                .into(),
            );
        }
        for (id, (tick, price_max, lot, quantity_max)) in (1..).zip(INSTRUMENTS) {
            setup.push(
                DefineInstrument {
                    instrument: InstrumentId(id),
                    symbol: Symbol::new(&format!("SYM{id}")).expect("short"),
                    scale: PriceScale::DEFAULT,
                    tick: Price(tick),
                    price_max: Price(price_max),
                    lot: Quantity(lot),
                    quantity_max: Quantity(quantity_max),
                }
                .into(),
            );
        }
        setup.reverse();
        Self {
            random: Random(seed),
            seq: 0,
            commands: 0,
            calm: false,
            ruled: false,
            cancels_only: false,
            flagged: false,
            retires: false,
            forks: false,
            limited: false,
            directory: 0,
            versions: [0; 4],
            halted: false,
            deals: Vec::new(),
            phases: [Phase::Continuous; 4],
            setup,
            day: 0,
            open: false,
            members: vec![Member::default(); SESSIONS.len()],
            names: Vec::new(),
            dead: Vec::new(),
            prices: BTreeMap::new(),
            middle: [100_000, 1_500_000_000, 5, 200],
        }
    }

    /// With fewer ends of days and sessions, so that the books grow.
    pub(crate) fn growing(seed: u64) -> Self {
        Self {
            calm: true,
            ..Self::new(seed)
        }
    }

    /// With rulebooks on all instruments but the first, and every instruction and rule that they bring.
    pub(crate) fn ruled(seed: u64) -> Self {
        Self {
            ruled: true,
            ..Self::new(seed)
        }
    }

    pub(crate) fn next(&mut self) -> Sequenced<Command> {
        // Order ids that lie far apart reach the older parts of the tables.
        self.seq += if self.random.one_in(5_000) {
            1 + self.random.below(3 << 20)
        } else {
            1
        };
        self.commands += 1;
        let body = match self.setup.pop() {
            Some(definition) => definition,
            None => self.body(),
        };
        super::sequenced(self.seq, body)
    }

    /// Takes note of what came of a command.
    pub(crate) fn learn(&mut self, event: &Event) {
        match event {
            Event::Accepted(e) => {
                self.consumed(e.session, e.user_ref);
                self.names.push((e.session, e.user_ref, e.order_id));
                self.prices.insert(e.order_id, e.price);
            }
            Event::Replaced(e) => {
                self.consumed(e.session, e.user_ref);
                self.dead(e.order_id);
                self.names.push((e.session, e.user_ref, e.order_id));
            }
            Event::MassQuoted(e) => self.consumed(e.session, e.user_ref),
            Event::MassQuoteRejected(e) if !UNCONSUMED.contains(&e.reason) => {
                self.consumed(e.session, e.user_ref);
            }
            Event::Quoted(e) => self.names.push((e.session, e.user_ref, e.order_id)),
            Event::Rejected(e) if !UNCONSUMED.contains(&e.reason) => self.consumed(e.session, e.user_ref),
            Event::ChangeRejected(e) if TERMS.contains(&e.reason) => self.consumed(e.session, e.user_ref),
            Event::Cancelled(e) => self.dead(e.order_id),
            Event::Executed(e) => {
                self.note_deal(e.deal());
                for (order_id, leaves) in [(e.maker, e.maker_leaves), (e.taker, e.taker_leaves)] {
                    if leaves.is_zero() {
                        self.dead(order_id);
                    }
                }
            }
            Event::SessionOpened(e) => {
                let member = &mut self.members[e.session.0 as usize - 1];
                member.up = true;
                member.incarnation = e.incarnation.0;
            }
            Event::SessionClosed(e) => self.members[e.session.0 as usize - 1].up = false,
            Event::RulebookSet(e) => self.versions[usize::from(e.instrument.0) - 1] = e.version,
            Event::TicksSet(e) => self.versions[usize::from(e.instrument.0) - 1] = e.version,
            Event::TradeCorrected(e) => self.note_deal(e.deal()),
            Event::FeesSet(e) => self.versions[usize::from(e.instrument.0) - 1] = e.version,
            Event::AllocationSet(e) => self.versions[usize::from(e.instrument.0) - 1] = e.version,
            Event::BandsSet(e) => self.versions[usize::from(e.instrument.0) - 1] = e.version,
            Event::CircuitBroken(e) => self.halted = e.level != BreakerLevel::None,
            Event::PhaseChanged(e) => self.phases[usize::from(e.instrument.0) - 1] = e.phase,
            Event::ShardSet(e) => self.directory = e.version,
            Event::DayEnded(_) => self.open = false,
            Event::DayStarted(e) => {
                self.open = true;
                self.day = e.day.0;
                for member in &mut self.members {
                    member.last_user_ref = 0;
                }
            }
            _ => {}
        }
    }

    fn note_deal(&mut self, deal: Deal) {
        if self.deals.len() >= 20 {
            self.deals.remove(0);
        }
        self.deals.push(deal);
    }

    fn consumed(&mut self, session: SessionId, user_ref: UserRef) {
        if let Some(member) = self.members.get_mut(session.0.wrapping_sub(1) as usize) {
            member.last_user_ref = member.last_user_ref.max(user_ref.0);
        }
    }

    /// A few dead orders are asked for again.
    fn dead(&mut self, order_id: OrderId) {
        let Some(at) = self.names.iter().position(|(_, _, name)| *name == order_id) else {
            return;
        };
        let name = self.names.swap_remove(at);
        if self.dead.len() < 30 {
            self.dead.push(name);
        } else {
            *self.dead.get_mut(self.random.below(30) as usize).expect("thirty") = name;
        }
    }

    fn body(&mut self) -> Command {
        if !self.open && self.random.one_in(30) {
            let day = TradingDay(self.day + 1);
            return StartOfDay {
                day,
                midnight: Timestamp(u64::from(day.0) * 1_000),
            }
            .into();
        }
        let down = self.members.iter().position(|member| !member.up);
        if let Some(at) = down.filter(|_| self.random.one_in(30)) {
            let incarnation = Incarnation(self.members[at].incarnation + 1);
            let session = SessionId(at as u32 + 1);
            return SessionUp {
                session,
                incarnation,
                inbound: self.inbound(),
                reset: self.random.one_in(2),
            }
            .into();
        }
        if self.limited
            && let Some(command) = self.limited_body()
        {
            return command;
        }
        if self.ruled
            && let Some(command) = self.ruled_body()
        {
            return command;
        }
        match self.random.below(1_000) {
            0..=5 if self.calm && self.open && !self.random.one_in(20) => self.enter(),
            451.. if self.calm && !self.random.one_in(4) => self.enter(),
            0 if self.random.one_in(3) => EndOfDay {}.into(),
            1 => {
                let day = TradingDay(self.day + self.random.below(3) as u32);
                StartOfDay {
                    day,
                    midnight: Timestamp(u64::from(day.0) * 1_000),
                }
                .into()
            }
            2 => Tick {}.into(),
            3..=4 => self.session_up(),
            5 => self.session_lost(),
            6..=7 => self.session_note(),
            8..=10 => self.definition(),
            11..=16 => self.refuse(),
            // Every other stretch builds the books up until the venue is full.
            451.. if self.commands / 3_000 % 2 == 1 && !self.random.one_in(4) => self.enter(),
            17..=450 => self.enter(),
            451..=600 => self.cancel(),
            601..=750 => self.reduce(),
            _ => self.replace(),
        }
    }

    /// Mostly a session that is up under its incarnation, now and then one that is not, or the venue.
    pub(super) fn from(&mut self) -> (SessionId, Incarnation) {
        if self.random.one_in(60) {
            return (
                SessionId(self.random.below(7) as u32),
                Incarnation(self.random.below(4) as u32),
            );
        }
        let at = self.random.below(4) as usize;
        (SessionId(at as u32 + 1), Incarnation(self.members[at].incarnation))
    }

    fn session_up(&mut self) -> Command {
        let (session, _) = self.from();
        let last = self
            .members
            .get(session.0.wrapping_sub(1) as usize)
            .map_or(0, |member| member.incarnation);
        let incarnation =
            Incarnation((last + self.random.below(3) as u32).saturating_sub(u32::from(self.random.one_in(4))));
        SessionUp {
            session,
            incarnation,
            inbound: self.inbound(),
            reset: self.random.one_in(2),
        }
        .into()
    }

    fn session_lost(&mut self) -> Command {
        let (session, incarnation) = self.from();
        let (forked, others) = LossCause::ALL.split_last().expect("causes");
        assert_eq!(*forked, LossCause::Forked);
        SessionLost {
            session,
            incarnation,
            cause: *self.random.pick(if self.forks { LossCause::ALL } else { others }),
        }
        .into()
    }

    fn session_note(&mut self) -> Command {
        let (session, incarnation) = self.from();
        SessionNote {
            session,
            incarnation,
            inbound: self.inbound(),
            what: b'0',
        }
        .into()
    }

    fn definition(&mut self) -> Command {
        let id = self.random.below(6) as u32;
        match self.random.below(5) {
            0 => Release {
                venue: VenueId(7),
                release: ReleaseNumber(id % 3),
            }
            .into(),
            1 => DefineFirm {
                firm: FirmId(id),
                ..DefineFirm::default()
            }
            .into(),
            2 => DefineAccount {
                account: AccountId(id),
                firm: FirmId(id / 2),
            }
            .into(),
            3 => DefineSession {
                session: SessionId(id % 5),
                ..DefineSession::default()
            }
            .into(),
            _ => DefineInstrument {
                instrument: InstrumentId(id as u16),
                ..DefineInstrument::default()
            }
            .into(),
        }
    }

    fn refuse(&mut self) -> Command {
        let (session, incarnation) = self.from();
        Refuse {
            session,
            incarnation,
            inbound: self.inbound(),
            user_ref: UserRef(self.random.below(9) as u32),
            instrument: InstrumentId(self.random.below(6) as u16),
            side: Side::Sell,
            price: Price(5),
            quantity: Quantity(1),
            reason: *self.random.pick(RejectReason::ALL),
            client_id: self.client_id(),
        }
        .into()
    }

    pub(super) fn enter(&mut self) -> Command {
        let (session, incarnation) = self.from();
        let at = self.random.below(4) as usize;
        let side = *self.random.pick(&[Side::Buy, Side::Sell]);
        let instrument = if self.random.one_in(200) {
            5 * self.random.below(2) as u16
        } else {
            at as u16 + 1
        };
        let short = if side == Side::Sell || self.random.one_in(100) {
            *self.random.pick(&SHORTS)
        } else {
            ShortSale::None
        };
        Enter {
            session,
            incarnation,
            inbound: self.inbound(),
            user_ref: self.user_ref(session),
            account: AccountId(if self.random.one_in(10) {
                self.random.below(6) as u32
            } else {
                0
            }),
            instrument: InstrumentId(instrument),
            side,
            kind: if self.random.one_in(25) {
                OrderKind::Market
            } else {
                OrderKind::Limit
            },
            tif: if self.random.one_in(4) {
                *self.random.pick(&TIFS)
            } else {
                TimeInForce::Day
            },
            short,
            capacity: *self.random.pick(Capacity::ALL),
            policy: self.policy(),
            price: self.price(at, side),
            quantity: self.quantity(at),
            client_id: self.client_id(),
        }
        .into()
    }

    fn cancel(&mut self) -> Command {
        let (session, incarnation, target) = self.target();
        Cancel {
            session,
            incarnation,
            inbound: self.inbound(),
            target,
            policy: self.policy(),
            client_id: self.client_id(),
        }
        .into()
    }

    fn reduce(&mut self) -> Command {
        let (session, incarnation, target) = self.target();
        let at = self.random.below(4) as usize;
        Reduce {
            session,
            incarnation,
            inbound: self.inbound(),
            target,
            short: *self.random.pick(&SHORTS),
            remark: self.random.one_in(4),
            policy: self.policy(),
            quantity: if self.random.one_in(6) {
                Quantity(0)
            } else {
                self.quantity(at)
            },
            client_id: self.client_id(),
        }
        .into()
    }

    pub(super) fn replace(&mut self) -> Command {
        let (session, incarnation, target) = self.target();
        let at = self.random.below(4) as usize;
        let side = *self.random.pick(&[Side::Buy, Side::Sell]);
        let price = match target {
            Target::OrderId(name) if self.random.one_in(2) => self.prices.get(&name).copied(),
            _ => None,
        };
        Replace {
            session,
            incarnation,
            inbound: self.inbound(),
            target,
            user_ref: self.user_ref(session),
            kind: if self.random.one_in(30) {
                OrderKind::Market
            } else {
                OrderKind::Limit
            },
            tif: if self.random.one_in(6) {
                *self.random.pick(&TIFS)
            } else {
                TimeInForce::Day
            },
            policy: self.policy(),
            price: price.unwrap_or_else(|| self.price(at, side)),
            quantity: self.quantity(at),
            client_id: self.client_id(),
        }
        .into()
    }

    /// Mostly an order of the session by its reference; otherwise by its id, another's, one of another day, or none.
    fn target(&mut self) -> (SessionId, Incarnation, Target) {
        let (session, incarnation) = self.from();
        if self.names.is_empty() || self.random.one_in(50) {
            return (
                session,
                incarnation,
                Target::UserRef(UserRef(self.random.below(50) as u32)),
            );
        }
        let dead = !self.dead.is_empty() && self.random.one_in(8);
        let (owner, user_ref, order_id) = *self.random.pick(if dead { &self.dead } else { &self.names });
        let stranger = self.random.one_in(8);
        let session = if stranger || owner.0 == 0 { session } else { owner };
        let incarnation = match self.members.get(session.0.wrapping_sub(1) as usize) {
            Some(member) if !self.random.one_in(100) => Incarnation(member.incarnation),
            _ => incarnation,
        };
        let by_id = self.random.one_in(4) || stranger;
        let target = if by_id {
            Target::OrderId(order_id)
        } else {
            Target::UserRef(user_ref)
        };
        (session, incarnation, target)
    }

    pub(super) fn user_ref(&mut self, session: SessionId) -> UserRef {
        let Some(member) = self.members.get(session.0.wrapping_sub(1) as usize) else {
            return UserRef(1);
        };
        let last = member.last_user_ref;
        let next = match self.random.below(400) {
            0 => last,
            1 => last.saturating_sub(3),
            2 => last.saturating_add(USER_REF_JUMP_MAX + 1),
            3 => last.saturating_add(USER_REF_JUMP_MAX),
            4..=9 => last.saturating_add(1 + self.random.below(100_000) as u32),
            _ => last.saturating_add(1 + self.random.below(2) as u32),
        };
        UserRef(next)
    }

    pub(super) fn price(&mut self, at: usize, side: Side) -> Price {
        let (tick, price_max, ..) = INSTRUMENTS[at];
        if self.random.one_in(50) {
            self.middle[at] = (self.middle[at] + self.random.below(7) as i64 - 3).clamp(1, price_max / tick);
        }
        let ticks = match self.random.below(200) {
            0 => return Price(0),
            1 => return Price(price_max + tick),
            2 => return Price(self.middle[at] * tick + 1),
            3..=12 => 1 + self.random.below((price_max / tick) as u64) as i64,
            // Aggressive or passive by a few ticks; passive orders lie further out.
            _ => {
                let away = self.random.below(12) as i64 - 2;
                let away = if self.random.one_in(20) { away * 70 } else { away };
                self.middle[at] + if side == Side::Buy { -away } else { away }
            }
        };
        Price(ticks.clamp(0, price_max / tick) * tick)
    }

    pub(super) fn quantity(&mut self, at: usize) -> Quantity {
        let (_, _, lot, quantity_max) = INSTRUMENTS[at];
        Quantity(match self.random.below(150) {
            0 => 0,
            1 => quantity_max + lot,
            2 => lot + lot / 2 + 1,
            3 => quantity_max,
            _ => lot * (1 + self.random.below(9)),
        })
    }

    fn policy(&mut self) -> Policy {
        let mut policy = Policy::NONE;
        for bit in [
            Policy::KEEP_PRIORITY_ON_REDUCE,
            Policy::INVALID_REPLACE_CANCELS,
            Policy::DEAD_ORDER_SILENT,
            Policy::QUANTITY_COUNTS_EXECUTED,
            Policy::CANCEL_ON_DISCONNECT,
            Policy::ATTRIBUTED,
        ] {
            if self.random.one_in(2) {
                policy = policy.with(bit);
            }
        }
        policy
    }

    pub(super) fn inbound(&mut self) -> MsgSeqNum {
        MsgSeqNum(self.random.below(1_000_000) as u32)
    }

    pub(super) fn client_id(&mut self) -> Text {
        let id = self.random.next().to_le_bytes();
        Text::new(&id[..self.random.below(9) as usize]).expect("short")
    }
}
