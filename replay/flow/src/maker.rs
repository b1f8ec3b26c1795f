//! Makes the commands of a flow one by one, by following what an engine does with them.

use crate::Shape;
use crate::random::Random;
use rialto_matching::{Engine, Limits, Matching};
use rialto_model::command::{
    Cancel, DefineAccount, DefineFirm, DefineInstrument, DefineSession, Enter, Release, Replace, SessionUp, StartOfDay,
};
use rialto_model::{
    AccountId, Command, Epoch, Event, EventSink, FirmId, Incarnation, InstrumentId, OrderId, Policy, Price, PriceScale,
    Quantity, ReleaseNumber, SequenceNumber, Sequenced, SessionId, Side, Symbol, Target, Text, TimeInForce, Timestamp,
    TradingDay, UserRef, VenueId,
};

const SESSIONS: usize = 4;
const TICK: i64 = 100;
/// Where every instrument begins to trade, in ticks.
const MIDDLE: i64 = 500_000;
/// How many ticks a resting order stands away from the middle, on average.
const DEPTH_MEAN: u64 = 12;
/// How many ticks a marketable order reaches past the middle.
const REACH: i64 = 3;
/// How many younger orders there are than the one cancelled or replaced, on average.
const AGE_MEAN: u64 = 300;
const QUANTITY_MAX: u64 = 500;
const STEP_NS: u64 = 1_000;

/// The source of a flow.
pub(crate) struct Maker {
    random: Random,
    shape: Shape,
    engine: Engine,
    seq: u64,
    user_refs: [u32; SESSIONS],
    middles: Vec<i64>,
    live: Names,
}

/// Orders that may be live, the youngest last.
#[derive(Default)]
struct Names(Vec<(OrderId, SessionId, UserRef)>);

impl EventSink for Names {
    fn emit(&mut self, event: Event) {
        match event {
            Event::Accepted(e) => self.0.push((e.order_id, e.session, e.user_ref)),
            Event::Replaced(e) => self.0.push((e.order_id, e.session, e.user_ref)),
            Event::Rejected(_) | Event::ChangeRejected(_) | Event::CommandRejected(_) | Event::Ignored(_) => {
                panic!("every command of a flow is valid: {event:?}")
            }
            _ => {}
        }
    }
}

impl Maker {
    pub(crate) fn new(shape: Shape, seed: u64) -> Self {
        Self {
            random: Random(seed),
            shape,
            engine: Engine::new(Limits::default()),
            seq: 0,
            user_refs: [0; SESSIONS],
            middles: vec![MIDDLE; usize::from(shape.books())],
            live: Names::default(),
        }
    }

    pub(crate) fn live_orders(&self) -> usize {
        self.engine.live_orders()
    }

    /// Stamps a command and follows what it does.
    pub(crate) fn apply(&mut self, body: Command) -> Sequenced<Command> {
        self.seq += 1;
        let command = Sequenced {
            seq: SequenceNumber(self.seq),
            stamp: Timestamp(self.seq * STEP_NS),
            epoch: Epoch(1),
            body,
        };
        self.engine.apply(&command, &mut self.live);
        command
    }

    /// The next command, by the shares that [`crate::Flow`] states.
    pub(crate) fn command(&mut self) -> Command {
        let (live, target) = (self.live_orders(), self.shape.live_orders());
        let (full, short) = (live > target, live < target - target / 50);
        match self.random.below(1_000) {
            950.. => self.enter(true),
            900..950 => self.replace(),
            0..370 if !short => self.cancel(),
            370..530 if full => self.cancel(),
            _ => self.enter(false),
        }
    }

    pub(crate) fn enter(&mut self, marketable: bool) -> Command {
        let at = self.random.below(SESSIONS as u64) as usize;
        let (session, user_ref) = (SessionId(at as u32 + 1), self.next_user_ref(at));
        let book = self.random.below(u64::from(self.shape.books())) as usize;
        if self.random.one_in(200) {
            self.middles[book] += self.random.below(3) as i64 - 1;
        }
        let side = [Side::Buy, Side::Sell][self.random.below(2) as usize];
        let depth = 1 + self.random.geometric(DEPTH_MEAN);
        let (away, tif) = match marketable {
            true => (-REACH, TimeInForce::ImmediateOrCancel),
            false => (depth, TimeInForce::Day),
        };
        Enter {
            session,
            incarnation: Incarnation(1),
            user_ref,
            instrument: InstrumentId(book as u16 + 1),
            side,
            tif,
            policy: Policy::QUANTITY_COUNTS_EXECUTED.with(Policy::DEAD_ORDER_SILENT),
            price: self.price(book, side, away),
            quantity: self.quantity(),
            client_id: Text::new(b"ORDER-00000042").expect("it fits"),
            ..Enter::default()
        }
        .into()
    }

    fn cancel(&mut self) -> Command {
        let Some((_, session, user_ref)) = self.recent() else {
            return self.enter(false);
        };
        Cancel {
            session,
            incarnation: Incarnation(1),
            target: Target::UserRef(user_ref),
            ..Cancel::default()
        }
        .into()
    }

    fn replace(&mut self) -> Command {
        let Some((order_id, session, old)) = self.recent() else {
            return self.enter(false);
        };
        let view = self.engine.order(order_id).expect("a live order");
        let book = usize::from(view.instrument.0) - 1;
        let away = 1 + self.random.geometric(DEPTH_MEAN);
        Replace {
            session,
            incarnation: Incarnation(1),
            target: Target::UserRef(old),
            user_ref: self.next_user_ref(session.0 as usize - 1),
            price: self.price(book, view.side, away),
            quantity: self.quantity(),
            ..Replace::default()
        }
        .into()
    }

    /// A live order, mostly a young one.
    fn recent(&mut self) -> Option<(OrderId, SessionId, UserRef)> {
        loop {
            let back = self.random.geometric(AGE_MEAN) as usize;
            let last = self.live.0.len().checked_sub(1)?;
            let name = self.live.0.remove(last.checked_sub(back).unwrap_or(last));
            let view = self.engine.order(name.0);
            if view.is_some_and(|view| view.order.session == name.1 && view.order.user_ref == name.2) {
                return Some(name);
            }
        }
    }

    fn next_user_ref(&mut self, session_at: usize) -> UserRef {
        self.user_refs[session_at] += 1;
        UserRef(self.user_refs[session_at])
    }

    fn price(&self, book: usize, side: Side, away: i64) -> Price {
        let signed = if side == Side::Buy { -away } else { away };
        Price((self.middles[book] + signed) * TICK)
    }

    fn quantity(&mut self) -> Quantity {
        Quantity(1 + self.random.below(QUANTITY_MAX))
    }
}

/// A market on its first morning: a firm, an account and a session for each of four members, all up.
pub(crate) fn definitions(shape: Shape) -> Vec<Command> {
    let (venue, release) = (VenueId(1), ReleaseNumber(1));
    let mut commands: Vec<Command> = vec![Release { venue, release }.into()];
    for id in 1..=SESSIONS as u32 {
        let (firm, account, session) = (FirmId(id), AccountId(id), SessionId(id));
        let (of_firm, of_session) = (DefineFirm::default(), DefineSession::default());
        commands.push(DefineFirm { firm, ..of_firm }.into());
        commands.push(DefineAccount { account, firm }.into());
        commands.push(
            DefineSession {
                session,
                firm,
                account,
                ..of_session
            }
            .into(),
        );
    }
    for id in 1..=shape.books() {
        let instrument = DefineInstrument {
            instrument: InstrumentId(id),
            symbol: Symbol::new(&format!("S{id}")).expect("it fits"),
            scale: PriceScale::DEFAULT,
            tick: Price(TICK),
            price_max: Price(1_000_000_000),
            lot: Quantity(1),
            quantity_max: Quantity(1_000_000),
        };
        commands.push(instrument.into());
    }
    let (day, midnight) = (TradingDay(1), Timestamp(0));
    commands.push(StartOfDay { day, midnight }.into());
    for id in 1..=SESSIONS as u32 {
        let (session, incarnation) = (SessionId(id), Incarnation(1));
        commands.push(
            SessionUp {
                session,
                incarnation,
                ..SessionUp::default()
            }
            .into(),
        );
    }
    commands
}
