//! A rehearsal: the agents and an engine alone, on virtual time. No door, no feed and no clock: the same seed gives the same
//! commands and events on every machine, a minute of the market in a moment.
//!
//! The agents are those of a running exchange. What differs is the way: here a request is a command at once, and everybody has
//! seen everything by the next one.

use super::desk::{Desk, OpenOrder, State};
use super::door::{OrderNumber, Report};
use super::market::{Quote, Stage, fill};
use super::trader::{Intent, Trader};
use super::{AgentInstrument, Climate, Pacer, Role, STEP_NS};
use anyhow::{Context as _, Result};
use rialto_matching::{Engine, EngineState, Limits, Matching as _};
use rialto_model::command::{Cancel, Enter, Replace, SessionUp};
use rialto_model::{
    Capacity, Command, Event, EventSink, Incarnation, InstrumentId, MsgSeqNum, OrderKind, Phase, Policy, Price,
    Quantity, SequenceNumber, Sequenced, SessionId, ShortSale, Side, Target, Text, TimeInForce, Timestamp, UserRef,
};

/// How long the agents sleep between two looks.
const TICK_NS: u64 = 5_000_000;
/// Between two commands at least.
const COMMAND_NS: u64 = 1_000;
/// Every session's only connection.
const INCARNATION: Incarnation = Incarnation(1);

/// Who rehearses.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) seed: u64,
    pub(crate) instruments: Vec<AgentInstrument>,
    /// Each with the name of its session.
    pub(crate) agents: Vec<(Role, String)>,
    pub(crate) messages_per_second: u32,
    pub(crate) climate: Climate,
}

struct Actor {
    trader: Trader,
    desk: Desk,
    session: SessionId,
    last_ref: u32,
}

/// Sees each command with what came of it.
pub(crate) type Show<'a> = dyn FnMut(&Sequenced<Command>, &[Event]) + 'a;

/// The engine and those who trade on it.
pub(crate) struct Rehearsal {
    engine: Engine,
    instruments: Vec<AgentInstrument>,
    ids: Vec<InstrumentId>,
    quotes: Vec<Quote>,
    actors: Vec<Actor>,
    pacer: Pacer,
    turn: usize,
    steps: u64,
    seq: u64,
    begun: Timestamp,
    stamp: Timestamp,
    now_ns: u64,
    events: Events,
}

#[derive(Debug, Default)]
struct Events(Vec<Event>);

impl EventSink for Events {
    fn emit(&mut self, event: Event) {
        self.0.push(event);
    }
}

impl Rehearsal {
    /// A venue that begins with these commands at this time, and has a session for everybody.
    ///
    /// # Errors
    /// The commands define no such instrument or session.
    pub(crate) fn new(cast: &Cast, opening: &[Command], begun: Timestamp, show: &mut Show<'_>) -> Result<Self> {
        let mut rehearsal = Self {
            engine: Engine::new(Limits::default()),
            instruments: cast.instruments.clone(),
            ids: Vec::new(),
            quotes: vec![Quote::default(); cast.instruments.len()],
            actors: Vec::new(),
            pacer: Pacer::new(cast.messages_per_second),
            turn: 0,
            steps: 0,
            seq: 0,
            begun,
            stamp: begun,
            now_ns: 0,
            events: Events::default(),
        };
        for command in opening {
            rehearsal.command(*command, show);
        }
        let state = rehearsal.engine.export();
        for one in &cast.instruments {
            let mut known = state.instruments.iter().map(|known| known.definition);
            let found = known.find(|known| known.symbol == one.symbol);
            rehearsal
                .ids
                .push(found.context("an instrument is not defined")?.instrument);
        }
        for (index, (role, name)) in cast.agents.iter().enumerate() {
            let mut known = state.sessions.iter().map(|known| known.definition);
            let found = known.find(|known| known.name.as_bytes() == name.as_bytes());
            let session = found.with_context(|| format!("session {name} is not defined"))?.session;
            rehearsal.actors.push(Actor {
                trader: Trader::new(*role, cast.seed, index, &cast.instruments, cast.climate),
                desk: Desk::new(cast.instruments.len()),
                session,
                last_ref: 0,
            });
            let up = SessionUp {
                session,
                incarnation: INCARNATION,
                inbound: MsgSeqNum(0),
                reset: false,
            };
            rehearsal.command(up.into(), show);
        }
        Ok(rehearsal)
    }

    /// The venue as it stands.
    pub(crate) fn state(&self) -> EngineState {
        self.engine.export()
    }

    /// Lets the agents trade until so long after the beginning.
    pub(crate) fn run(&mut self, until_ns: u64, show: &mut Show<'_>) {
        while self.now_ns < until_ns {
            self.now_ns += TICK_NS;
            if self.now_ns / STEP_NS > self.steps {
                self.steps = self.now_ns / STEP_NS;
                for actor in &mut self.actors {
                    actor.desk.expire(self.now_ns);
                    actor.trader.step(&self.instruments, &self.quotes, &actor.desk);
                }
            }
            let mut idle = 0;
            while idle < self.actors.len() && self.pacer.may_send(self.now_ns) {
                self.turn = (self.turn + 1) % self.actors.len();
                idle += 1;
                if let Some(command) = self.wish() {
                    self.pacer.sent();
                    self.command(command, show);
                    idle = 0;
                }
            }
        }
    }

    /// A command of the venue's own.
    pub(crate) fn command(&mut self, body: Command, show: &mut Show<'_>) {
        self.seq += 1;
        let now = Timestamp(self.begun.0 + self.now_ns);
        self.stamp = now.max(Timestamp(self.stamp.0 + COMMAND_NS));
        let command = Sequenced {
            seq: SequenceNumber(self.seq),
            stamp: self.stamp,
            epoch: Default::default(),
            body,
        };
        self.events.0.clear();
        self.engine.apply(&command, &mut self.events);
        let events = std::mem::take(&mut self.events);
        for event in &events.0 {
            self.hear(event);
        }
        for (quote, id) in self.quotes.iter_mut().zip(&self.ids) {
            let levels = |side| self.engine.depth(*id, side, super::market::LEVELS);
            let shown = |side| levels(side).map(|(price, quantity)| (price, quantity.0));
            let [bids, asks] = &mut quote.levels;
            fill(bids, shown(Side::Buy));
            fill(asks, shown(Side::Sell));
            quote.bid = levels(Side::Buy).next().map(|level| level.0);
            quote.ask = levels(Side::Sell).next().map(|level| level.0);
        }
        show(&command, &events.0);
        self.events = events;
    }

    /// What the actor whose turn it is wants done, as a command.
    fn wish(&mut self) -> Option<Command> {
        let actor = self.actors.get_mut(self.turn)?;
        if !actor.desk.may_ask() {
            return None;
        }
        let now_ns = self.now_ns;
        let intent = actor
            .trader
            .decide(&self.instruments, &self.quotes, &actor.desk, now_ns)?;
        let (session, incarnation, inbound, policy) = (actor.session, INCARNATION, MsgSeqNum(0), Policy::NONE);
        let client_id = Text::EMPTY;
        Some(match intent {
            Intent::Enter {
                instrument,
                side,
                price,
                quantity,
                immediate,
            } => {
                actor.last_ref += 1;
                let order = OpenOrder {
                    instrument,
                    side,
                    price,
                    open: quantity,
                    traded: Default::default(),
                    state: State::Entering { since_ns: now_ns },
                };
                actor.desk.entered(OrderNumber(actor.last_ref), order);
                Command::Enter(Enter {
                    session,
                    incarnation,
                    inbound,
                    user_ref: UserRef(actor.last_ref),
                    account: Default::default(),
                    instrument: *self.ids.get(instrument)?,
                    side,
                    kind: OrderKind::Limit,
                    tif: if immediate {
                        TimeInForce::ImmediateOrCancel
                    } else {
                        TimeInForce::Day
                    },
                    short: ShortSale::None,
                    capacity: Capacity::Unspecified,
                    policy,
                    price,
                    quantity,
                    client_id,
                })
            }
            Intent::Replace { number, price } => {
                let open = actor.desk.order(number)?.open;
                actor.last_ref += 1;
                actor.desk.replaced(number, OrderNumber(actor.last_ref), price, now_ns);
                Command::Replace(Replace {
                    session,
                    incarnation,
                    inbound,
                    target: Target::UserRef(UserRef(number.0)),
                    user_ref: UserRef(actor.last_ref),
                    kind: OrderKind::Limit,
                    tif: TimeInForce::Day,
                    policy,
                    price,
                    quantity: open,
                    client_id,
                })
            }
            Intent::Cancel { number } => {
                actor.desk.cancelled(number, now_ns);
                Command::Cancel(Cancel {
                    session,
                    incarnation,
                    inbound,
                    target: Target::UserRef(UserRef(number.0)),
                    policy,
                    client_id,
                })
            }
        })
    }

    /// Tells those whom an event concerns.
    fn hear(&mut self, event: &Event) {
        let number = |user_ref: UserRef| OrderNumber(user_ref.0);
        match event {
            Event::Accepted(e) => {
                self.stands(e.session, e.user_ref, e.instrument, (e.side, e.price, e.quantity));
            }
            Event::Replaced(e) => {
                self.stands(e.session, e.user_ref, e.instrument, (e.side, e.price, e.quantity));
            }
            Event::Executed(e) => {
                for (session, user_ref) in [(e.maker_session, e.maker_user_ref), (e.taker_session, e.taker_user_ref)] {
                    let report = Report::Executed {
                        number: number(user_ref),
                        quantity: e.quantity,
                    };
                    self.report(session, report);
                }
                if let Some(quote) = self.index(e.instrument).and_then(|index| self.quotes.get_mut(index)) {
                    quote.last = Some(e.price);
                }
            }
            Event::Cancelled(e) => self.report(
                e.session,
                Report::Reduced {
                    number: number(e.user_ref),
                    quantity: e.removed,
                },
            ),
            Event::Rejected(e) => self.report(
                e.session,
                Report::Refused {
                    number: number(e.user_ref),
                },
            ),
            Event::ChangeRejected(e) if e.replace => self.report(
                e.session,
                Report::Refused {
                    number: number(e.user_ref),
                },
            ),
            Event::ChangeRejected(e) => {
                if let Target::UserRef(user_ref) = e.target {
                    let number = number(user_ref);
                    self.report(e.session, Report::Gone { number });
                }
            }
            Event::PhaseChanged(e) => {
                if let Some(quote) = self.index(e.instrument).and_then(|index| self.quotes.get_mut(index)) {
                    quote.stage = match e.phase {
                        Phase::Continuous => Stage::Trading,
                        phase if phase.is_call() => Stage::Collecting,
                        _ => Stage::Halted,
                    };
                }
            }
            _ => {}
        }
    }

    fn index(&self, instrument: InstrumentId) -> Option<usize> {
        self.ids.iter().position(|id| *id == instrument)
    }

    /// An order stands, as it was sent or as it was replaced.
    fn stands(
        &mut self,
        session: SessionId,
        user_ref: UserRef,
        instrument: InstrumentId,
        (side, price, open): (Side, Price, Quantity),
    ) {
        if let Some(instrument) = self.index(instrument) {
            let report = Report::Standing {
                number: OrderNumber(user_ref.0),
                instrument,
                side,
                price,
                open,
            };
            self.report(session, report);
        }
    }

    fn report(&mut self, session: SessionId, report: Report) {
        if let Some(actor) = self.actors.iter_mut().find(|actor| actor.session == session) {
            actor.desk.handle(report);
        }
    }
}
