//! A whole exchange in the test's thread: real doors on real loopback sockets, the naive engine, and in between a loop that
//! stamps, applies and releases. Time is virtual and moves only when a test says so.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part of it")]

pub mod fix_client;
pub mod ouch_client;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rialto_gateway::{
    Counts, DoorConfig, DoorControl, FirmBudgets, FirmPorts, FixConfig, FixDoor, OuchConfig, OuchDoor, Parts, Say,
};
use rialto_matching::{Limits, Matching, reference};
use rialto_members::{Credentials, Password, Verifier};
use rialto_model::command::{
    DefineAccount, DefineFirm, DefineInstrument, DefineSession, EndOfDay, Release, SessionLost, SetRulebook, StartOfDay,
};
use rialto_model::{
    AccountId, Clock, Command, Door, Epoch, Event, EventSink, FirmId, Incarnation, InstrumentId, LossCause, Mpid,
    Offers, Output, Price, PriceScale, Quantity, ReleaseNumber, Rulebook, SequenceNumber, Sequenced, SessionId, Symbol,
    Text, Timestamp, TradingDay, VenueId,
};
use rialto_ring::broadcast::{Gate, Writer, broadcast};
use rialto_ring::spsc::{Consumer, RingBuffer};
use rialto_ring::{Stage, VirtualClock};

/// The day that tests begin on, and its midnight.
pub const DAY: TradingDay = TradingDay(20_000);
/// The OUCH sessions: two of firm 1, one of firm 2. Their passwords are `secret`.
pub const OUCH_ONE: SessionId = SessionId(1);
pub const OUCH_TWO: SessionId = SessionId(2);
pub const OUCH_RIVAL: SessionId = SessionId(3);
/// The FIX sessions: of firm 1 and of firm 2.
pub const FIX_ONE: SessionId = SessionId(4);
pub const FIX_RIVAL: SessionId = SessionId(5);

/// Name, session, firm, door.
const SESSIONS: [(&str, SessionId, u32, Door); 5] = [
    ("OUCH01", OUCH_ONE, 1, Door::Ouch),
    ("OUCH02", OUCH_TWO, 1, Door::Ouch),
    ("RIVAL1", OUCH_RIVAL, 2, Door::Ouch),
    ("FIXONE", FIX_ONE, 1, Door::Fix),
    ("FIXTWO", FIX_RIVAL, 2, Door::Fix),
];

/// How the exchange of a test differs from the usual one.
#[derive(Clone)]
pub struct Setup {
    /// Commands that each ring holds.
    pub ring: usize,
    pub door: DoorConfig,
    /// Bytes of the OUCH door's output buffer per connection.
    pub soup: rialto_ouch::soup::SoupConfig,
    /// Open the first trading day at once.
    pub open: bool,
    /// What sessions are told is hashed.
    pub transcribe: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            ring: 1024,
            // All clients of a test come from one address; whoever wants a guard asks for it.
            door: DoorConfig {
                guard: None,
                ..DoorConfig::new("127.0.0.1:0".parse().unwrap())
            },
            soup: OuchConfig::new("127.0.0.1:0".parse().unwrap()).soup,
            open: true,
            transcribe: false,
        }
    }
}

pub struct Exchange {
    pub clock: VirtualClock,
    pub ouch: OuchDoor<VirtualClock>,
    pub fix: FixDoor<VirtualClock>,
    pub lines: Vec<String>,
    /// Every command that was sequenced.
    pub commands: Vec<Command>,
    /// Every event that was released.
    pub outputs: Vec<Output>,
    /// Commands stay in their rings.
    pub hold_commands: bool,
    /// Events are not released.
    pub hold_events: bool,
    said: crossbeam_channel::Receiver<String>,
    engine: reference::Engine,
    seq: u64,
    stamp: Timestamp,
    rings: [Consumer<Command>; 2],
    writer: Writer<Output>,
    gate: Gate<Output>,
    ports: FirmPorts,
}

/// One verifier for all tests: hashing passwords is what takes time here.
fn verifier() -> &'static Verifier {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let mut credentials = Credentials::new();
        for (name, ..) in SESSIONS {
            credentials.add(name, &Password::new(b"secret").unwrap()).unwrap();
        }
        Verifier::start(credentials).unwrap()
    })
}

impl Exchange {
    pub fn new() -> Self {
        Self::with(Setup::default())
    }

    /// An exchange with two instruments, two firms and five sessions.
    pub fn with(setup: Setup) -> Self {
        let mut exchange = Self::empty(&setup);
        exchange.sequence(Release {
            venue: VenueId(7),
            release: ReleaseNumber(1),
        });
        for (id, symbol) in [(1, "ABC"), (2, "XYZ")] {
            exchange.sequence(DefineInstrument {
                instrument: InstrumentId(id),
                symbol: Symbol::new(symbol).unwrap(),
                scale: PriceScale(4),
                tick: Price(100),
                price_max: Price(10_000_000),
                lot: Quantity(1),
                quantity_max: Quantity(100_000),
            });
        }
        for (firm, mpid) in [(1, "ONEF"), (2, "RIVL")] {
            let name = Text::new(mpid.as_bytes()).unwrap();
            exchange.sequence(DefineFirm {
                firm: FirmId(firm),
                mpid: Mpid::new(mpid).unwrap(),
                name,
            });
            exchange.sequence(DefineAccount {
                account: AccountId(firm),
                firm: FirmId(firm),
            });
        }
        for (name, session, firm, door) in SESSIONS {
            let name = Text::new(name.as_bytes()).unwrap();
            exchange.sequence(DefineSession {
                session,
                firm: FirmId(firm),
                account: AccountId(firm),
                door,
                name,
            });
        }
        if setup.open {
            exchange.start_day(DAY);
        }
        exchange.step();
        exchange
    }

    /// The same, whose ABC offers everything.
    pub fn ruled() -> Self {
        let mut exchange = Self::new();
        exchange.sequence(SetRulebook {
            instrument: InstrumentId(1),
            version: 1,
            rulebook: Rulebook {
                offers: Offers::ALL,
                lot: Quantity(1),
                quantity_max: Quantity(100_000),
                ..Rulebook::default()
            },
        });
        exchange.step();
        exchange
    }

    fn empty(setup: &Setup) -> Self {
        let clock = VirtualClock::at(Timestamp(DAY.midnight_utc().0 + 10 * 3_600_000_000_000));
        let (writer, gate, mut readers) = broadcast(1 << 16, 2);
        let (say, said) = Say::channel(1 << 12);
        let (to_ouch, from_ouch) = RingBuffer::new(setup.ring);
        let (to_fix, from_fix) = RingBuffer::new(setup.ring);
        let (budgets, ports) = (FirmBudgets::default(), FirmPorts::default());
        let mut parts = |commands| Parts {
            clock: clock.clone(),
            budgets: budgets.clone(),
            ports: ports.clone(),
            commands,
            outputs: readers.pop().unwrap(),
            desk: verifier().desk(),
            say: say.clone(),
        };
        let ouch = OuchConfig {
            door: setup.door.clone(),
            soup: setup.soup,
        };
        let fix = FixConfig {
            door: setup.door.clone(),
            ..FixConfig::new(setup.door.listen)
        };
        let mut ouch = OuchDoor::open(ouch, parts(to_ouch)).unwrap();
        let mut fix = FixDoor::open(fix, parts(to_fix)).unwrap();
        if setup.transcribe {
            ouch.transcribe();
            fix.transcribe();
        }
        Self {
            ouch,
            fix,
            clock,
            lines: Vec::new(),
            commands: Vec::new(),
            outputs: Vec::new(),
            hold_commands: false,
            hold_events: false,
            said,
            engine: reference::Engine::new(Limits::default()),
            seq: 0,
            stamp: Timestamp(0),
            rings: [from_ouch, from_fix],
            writer,
            gate,
            ports,
        }
    }

    /// What the doors of another process say that sessions were told by these events: it follows them, and nobody is connected.
    pub fn transcripts(outputs: &[Output]) -> [Vec<(u64, u64)>; 2] {
        let mut other = Self::empty(&Setup {
            transcribe: true,
            ..Setup::default()
        });
        for output in outputs {
            other.writer.write(*output).expect("the test's ring is large enough");
        }
        other.writer.publish();
        while other.outputs.len() < outputs.len() || !other.ouch.is_drained() || !other.fix.is_drained() {
            other.step();
        }
        [other.ouch.take_transcripts(), other.fix.take_transcripts()]
    }

    /// A second exchange after a crash of this one: everything released is replayed, sessions that were up are lost first,
    /// and what was on its way through the rings is gone.
    pub fn crashed(&self, setup: Setup) -> Self {
        let mut next = Self::empty(&setup);
        next.clock = self.clock.clone();
        let state = self.engine.export();
        next.engine = reference::Engine::import(&state).unwrap();
        (next.seq, next.stamp) = (self.seq, self.stamp);
        for output in &self.outputs {
            next.ouch.replay(output);
            next.fix.replay(output);
        }
        next.outputs = self.outputs.clone();
        let lost: Vec<_> = SESSIONS
            .iter()
            .filter_map(|(_, session, ..)| Some((*session, next.up(*session)?)))
            .collect();
        for (session, incarnation) in lost {
            next.sequence(SessionLost {
                session,
                incarnation,
                cause: LossCause::Recovery,
            });
        }
        next.step();
        next
    }

    /// The incarnation of a session that the released events have up.
    pub fn up(&self, session: SessionId) -> Option<Incarnation> {
        let mut up = None;
        for output in &self.outputs {
            match output.event.body {
                Event::SessionOpened(e) if e.session == session => up = Some(e.incarnation),
                Event::SessionClosed(e) if e.session == session => up = None,
                _ => {}
            }
        }
        up
    }

    pub fn start_day(&mut self, day: TradingDay) {
        self.sequence(StartOfDay {
            day,
            midnight: day.midnight_utc(),
        });
    }

    pub fn end_day(&mut self) {
        self.sequence(EndOfDay {});
    }

    /// Stamps a command and applies it, as the sequencer and the engine would.
    pub fn sequence(&mut self, command: impl Into<Command>) {
        let body = command.into();
        self.commands.push(body);
        self.seq += 1;
        self.stamp = self.stamp.max(self.clock.now());
        let command = Sequenced {
            seq: SequenceNumber(self.seq),
            stamp: self.stamp,
            epoch: Epoch(1),
            body,
        };
        let mut events = Events(Vec::new());
        self.engine.apply(&command, &mut events);
        let last = events.0.len() - 1;
        for (index, body) in events.0.into_iter().enumerate() {
            let event = Sequenced {
                seq: command.seq,
                stamp: command.stamp,
                epoch: command.epoch,
                body,
            };
            self.writer
                .write(Output {
                    event,
                    last: index == last,
                })
                .expect("the test's ring is large enough");
        }
        self.writer.publish();
    }

    /// One round of everything.
    pub fn step(&mut self) {
        self.ouch.poll();
        self.fix.poll();
        if !self.hold_commands {
            for ring in 0..2 {
                while let Ok(command) = self.rings[ring].pop() {
                    self.sequence(command);
                }
            }
        }
        if !self.hold_events {
            let outputs = &mut self.outputs;
            self.gate.poll(usize::MAX >> 1, |output| {
                outputs.push(*output);
                true
            });
        }
        self.ouch.poll();
        self.fix.poll();
        self.lines.extend(self.said.try_iter());
    }

    /// Rounds until `done`, which may drive clients. Fails after half a minute: a bound, not a measure.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            self.step();
            if done(self) {
                return;
            }
            assert!(
                Instant::now() < end,
                "waited in vain for: {what}; said: {:#?}",
                self.lines
            );
            std::thread::yield_now();
        }
    }

    /// Moves the time in steps that no timer is jumped over by.
    pub fn pass_seconds(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.clock.advance_ns(100_000_000);
            self.step();
        }
    }

    pub fn now_ns(&self) -> u64 {
        self.clock.clone().monotonic().0
    }

    pub fn counts(&self, door: Door) -> Counts {
        match door {
            Door::Fix => self.fix.counters().read(),
            _ => self.ouch.counters().read(),
        }
    }

    pub fn address(&self, door: Door) -> SocketAddr {
        match door {
            Door::Fix => self.fix.address(),
            _ => self.ouch.address(),
        }
    }

    /// The port of its own that a firm has at a door.
    pub fn port(&self, firm: FirmId, door: Door) -> Option<SocketAddr> {
        self.ports.of(firm, if door == Door::Fix { "fix" } else { "ouch" })
    }

    pub fn controls(&self) -> [DoorControl; 2] {
        [self.ouch.control(), self.fix.control()]
    }

    /// Whether a line with this text was said.
    pub fn said(&self, text: &str) -> bool {
        self.lines.iter().any(|line| line.contains(text))
    }
}

struct Events(Vec<Event>);

impl EventSink for Events {
    fn emit(&mut self, event: Event) {
        self.0.push(event);
    }
}
