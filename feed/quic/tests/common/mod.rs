//! A market that moves, a server that tells of it, and subscribers that build books by what they are told.
#![allow(dead_code, reason = "each test takes what it needs")]

use rialto_conflate::{Books as Conflated, Conflation, Depth, Interest, Numbered, Pace, Told};
use rialto_itch::codes::EventCode;
use rialto_itch::mold::{Packet, Session};
use rialto_itch::{
    AddOrder, Header, MatchNumber, Message, OrderDelete, OrderExecuted, OrderReference, Price4, Shares, Side, Stock,
    StockLocate, SystemEvent, TimeOfDay,
};
use rialto_publisher::{HistoryAnswer, HistoryRequest, Tick};
use rialto_quic::frames::{Login, Mode, ServerFrame, Start};
use rialto_quic::{Certificate, Client, ClientError, Config, Door, Entitlement, FeedRings, Server, Trust};
use rialto_ring::spsc::{Consumer, Producer, RingBuffer};
use rialto_subscriber::Books;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Long enough for any machine; passed only when something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const LOOK: Duration = Duration::from_millis(5);
pub(crate) const STOCKS: [&str; 2] = ["ONE", "TWO"];

/// Everyone whose password is "right"; "half" may see the first instrument only.
struct Everyone(VecDeque<(u64, Option<Entitlement>)>);

impl Door for Everyone {
    fn ask(&mut self, user: &str, password: &str, ticket: u64) -> bool {
        let instruments = match user {
            "half" => Interest::Stocks(vec![stock(0)]),
            _ => Interest::All,
        };
        let firm = "FIRM".to_owned();
        let granted = (password == "right").then_some(Entitlement { firm, instruments });
        self.0.push_back((ticket, granted));
        user != "busy"
    }

    fn poll(&mut self) -> Option<(u64, Option<Entitlement>)> {
        self.0.pop_front()
    }
}

pub(crate) fn stock(instrument: usize) -> Stock {
    Stock::new(STOCKS[instrument]).unwrap()
}

pub(crate) fn locate(instrument: usize) -> StockLocate {
    StockLocate(instrument as u16 + 1)
}

/// The market, its server, and what is true.
pub(crate) struct Venue {
    ring: Producer<Tick>,
    pub(crate) truth: Conflation,
    pub(crate) session: Session,
    pub(crate) next: u64,
    orders: Vec<(usize, u64, u32)>,
    dice: u64,
    pub(crate) server: Server,
    pub(crate) trust: Trust,
    pub(crate) trades: u64,
    pub(crate) volume: u64,
    /// Every message of the session as a block, for who answers in place of a journal.
    pub(crate) blocks: Vec<Vec<u8>>,
    asked: Consumer<HistoryRequest>,
    answers: Producer<HistoryAnswer>,
}

impl Venue {
    pub(crate) fn open(config: Config) -> Self {
        let (ring, taken) = RingBuffer::new(1 << 16);
        let (ask, asked) = RingBuffer::new(16);
        let (answers, answered) = RingBuffer::new(16);
        let rings = FeedRings {
            messages: taken,
            history: Some((ask, answered)),
        };
        let certificate = Certificate::development().unwrap();
        let trust = Trust {
            pem: certificate.chain_pem().to_owned(),
            name: "localhost".to_owned(),
        };
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..config
        };
        let door = Box::new(Everyone(VecDeque::new()));
        let server = Server::start(config, &certificate, door, rings).unwrap();
        let mut venue = Self {
            ring,
            truth: Conflation::new(),
            session: Session::new("DAY1").unwrap(),
            next: 1,
            orders: Vec::new(),
            dice: 7,
            server,
            trust,
            trades: 0,
            volume: 0,
            blocks: Vec::new(),
            asked,
            answers,
        };
        venue.begin("DAY1");
        venue
    }

    pub(crate) fn begin(&mut self, name: &str) {
        self.session = Session::new(name).unwrap();
        self.push(Tick::session(self.session));
        self.truth.begin(self.session);
        (self.next, self.trades, self.volume) = (1, 0, 0);
        self.orders.clear();
        self.blocks.clear();
        let header = Header::default();
        let event = EventCode::StartOfMessages;
        self.command(&[SystemEvent { header, event }.into()]);
    }

    fn push(&mut self, mut tick: Tick) {
        let begun = Instant::now();
        while let Err(rialto_ring::spsc::PushError::Full(back)) = self.ring.push(tick) {
            assert!(begun.elapsed() < PATIENCE, "the server takes nothing in");
            tick = back;
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// Answers who asks for messages beyond memory, in place of a journal, until `done`.
    pub(crate) fn remember(&mut self, done: impl Fn() -> bool) -> Vec<(u64, u16)> {
        let mut asked = Vec::new();
        while !done() {
            std::thread::sleep(Duration::from_millis(1));
            while let Ok(request) = self.asked.pop() {
                asked.push((request.first, request.count));
                let first = request.first as usize - 1;
                let end = self.blocks.len().min(first + usize::from(request.count));
                let answer = HistoryAnswer {
                    ticket: request.ticket,
                    count: (end - first) as u16,
                    blocks: self.blocks[first..end].concat(),
                };
                self.answers.push(answer).expect("room for who waits");
            }
        }
        asked
    }

    pub(crate) fn gone(&mut self, count: u64) {
        self.push(Tick::gone(self.next, count));
    }

    fn command(&mut self, messages: &[Message]) {
        let numbered: Vec<Numbered> = (self.next..)
            .zip(messages)
            .map(|(sequence, &message)| Numbered { sequence, message })
            .collect();
        self.truth.follow(&numbered);
        for (place, numbered) in numbered.iter().enumerate() {
            let mut bytes = Vec::new();
            numbered.message.append_to(&mut bytes);
            let length = (bytes.len() as u16).to_be_bytes();
            self.blocks.push([&length, bytes.as_slice()].concat());
            self.push(Tick::message(numbered.sequence, &bytes, place + 1 == messages.len()));
        }
        self.next += messages.len() as u64;
    }

    fn below(&mut self, below: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % below
    }

    /// So many commands of one or two messages.
    pub(crate) fn trade(&mut self, commands: u64) {
        for _ in 0..commands {
            let mut messages = Vec::new();
            for _ in 0..1 + self.below(2) {
                let message = self.message(self.next + messages.len() as u64);
                messages.push(message);
            }
            self.command(&messages);
        }
    }

    /// So many commands that move a book, and no trade.
    pub(crate) fn quote(&mut self, commands: u64) {
        for _ in 0..commands {
            let sequence = self.next;
            let order = AddOrder {
                header: Header {
                    locate: locate(0),
                    ..Header::default()
                },
                reference: OrderReference(sequence),
                side: Side::Buy,
                shares: Shares(1 + (sequence % 900) as u32),
                stock: stock(0),
                price: Price4::new(1_000_000 - 100 * (sequence as i64 % 20)).unwrap(),
            };
            self.command(&[order.into()]);
        }
    }

    fn message(&mut self, sequence: u64) -> Message {
        let header = |instrument| Header {
            locate: locate(instrument),
            timestamp: TimeOfDay::new(sequence).unwrap(),
            ..Header::default()
        };
        let many = self.orders.len() > 200;
        if self.orders.is_empty() || (!many && self.below(2) == 0) {
            let instrument = self.below(2) as usize;
            let shares = 1 + self.below(900) as u32;
            let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
            let away = 100 * (1 + self.below(20) as i64);
            let price = 1_000_000 + if side == Side::Buy { -away } else { away };
            self.orders.push((instrument, sequence, shares));
            return AddOrder {
                header: header(instrument),
                reference: OrderReference(sequence),
                side,
                shares: Shares(shares),
                stock: stock(instrument),
                price: Price4::new(price).unwrap(),
            }
            .into();
        }
        let place = self.below(self.orders.len() as u64) as usize;
        let (instrument, reference, shares) = self.orders.swap_remove(place);
        if self.below(4) > 0 {
            return OrderDelete {
                header: header(instrument),
                reference: OrderReference(reference),
            }
            .into();
        }
        self.trades += 1;
        self.volume += u64::from(shares);
        OrderExecuted {
            header: header(instrument),
            reference: OrderReference(reference),
            shares: Shares(shares),
            match_number: MatchNumber(sequence),
        }
        .into()
    }

    pub(crate) fn login(&self, user: &str, mode: Mode) -> Login {
        Login {
            user: user.to_owned(),
            password: "right".to_owned(),
            mode,
            start: Start::Snapshot,
            stocks: Vec::new(),
        }
    }

    pub(crate) fn connect(&self, login: &Login) -> Result<Client, ClientError> {
        Client::connect(self.server.address(), &self.trust, login)
    }

    pub(crate) fn subscribe(&self, user: &str, mode: Mode) -> Subscriber {
        let client = self.connect(&self.login(user, mode)).expect("a subscription");
        Subscriber::new(client)
    }

    /// A subscriber that has read everything of the session up to now. Who comes before the server has heard of the session
    /// is told to come again, and does.
    pub(crate) fn subscribe_again(&self, user: &str, mode: Mode) -> Subscriber {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "told to come again for too long");
            if let Ok(client) = self.connect(&self.login(user, mode)) {
                let mut subscriber = Subscriber::new(client);
                if subscriber.read_until_lost(self).is_ok() {
                    return subscriber;
                }
            }
        }
    }

    pub(crate) fn levels(&self, instrument: usize, side: Side, depth: usize) -> Vec<(u32, u64)> {
        self.truth
            .market()
            .levels(locate(instrument), side)
            .take(depth)
            .collect()
    }
}

pub(crate) const CONFLATED: Mode = Mode::Conflated {
    depth: Depth::Full,
    pace: Pace::Interval { ns: 5_000_000 },
};

/// Builds books by whatever it is told, and remembers what else it was told.
pub(crate) struct Subscriber {
    pub(crate) client: Client,
    pub(crate) seen: Seen,
}

#[derive(Default)]
pub(crate) struct Seen {
    full: Option<Books>,
    conflated: Conflated,
    is_full: bool,
    next: u64,
    /// Everything up to this number was told.
    pub(crate) told: u64,
    pub(crate) trades: u64,
    pub(crate) missed: u64,
    pub(crate) volume: u64,
    pub(crate) modes: Vec<(bool, char)>,
    pub(crate) withheld: u64,
    pub(crate) snapshots: u64,
    pub(crate) cut: Option<String>,
    pub(crate) ended: bool,
    pub(crate) session: Option<Session>,
}

impl Subscriber {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            seen: Seen::default(),
        }
    }

    pub(crate) fn poll(&mut self) -> Result<usize, ClientError> {
        let seen = &mut self.seen;
        self.client.poll(LOOK, &mut |frame| seen.take(frame))
    }

    /// Takes what the last turn of its reactor brought.
    pub(crate) fn ready(&mut self) -> Result<usize, ClientError> {
        let seen = &mut self.seen;
        self.client.ready(&mut |frame| seen.take(frame))
    }

    /// Until everything of the session up to now was told.
    pub(crate) fn read_all(&mut self, venue: &Venue) {
        read_all(std::slice::from_mut(self), venue);
    }

    fn read_until_lost(&mut self, venue: &Venue) -> Result<(), ClientError> {
        let begun = Instant::now();
        while !self.was_told(venue) {
            assert!(begun.elapsed() < PATIENCE, "told up to {}", self.seen.told);
            self.poll()?;
        }
        Ok(())
    }

    fn was_told(&self, venue: &Venue) -> bool {
        self.seen.told >= venue.next - 1 && self.seen.session == Some(venue.session)
    }

    pub(crate) fn levels(&self, instrument: usize, side: Side) -> Vec<(u32, u64)> {
        self.seen.levels(instrument, side)
    }
}

/// Until everything of the session up to now was told to each. All of them read: who waits for another's turn without
/// reading is stale.
pub(crate) fn read_all(subscribers: &mut [Subscriber], venue: &Venue) {
    let begun = Instant::now();
    while let Some(behind) = subscribers.iter().find(|one| !one.was_told(venue)) {
        let told = behind.seen.told;
        assert!(begun.elapsed() < PATIENCE, "told up to {told} of {}", venue.next - 1);
        for subscriber in &mut *subscribers {
            subscriber.poll().expect("a subscription that lasts");
        }
    }
}

impl Seen {
    fn take(&mut self, frame: ServerFrame<'_>) {
        match frame {
            ServerFrame::Mode { full, reason, number } => {
                self.modes.push((full, reason.into()));
                self.is_full = full;
                self.next = number + 1;
                self.full.get_or_insert_with(|| Books::new(100_000));
            }
            ServerFrame::Packet(packet) => {
                let packet = Packet::parse(packet).expect("a packet");
                self.session = Some(packet.session());
                self.ended |= packet.content() == rialto_itch::mold::Content::EndOfSession;
                assert!(self.is_full);
                if packet.sequence().0 == 1 && self.next != 1 {
                    self.next = 1;
                    self.told = 0;
                    self.full = Some(Books::new(100_000));
                }
                assert_eq!(packet.sequence().0, self.next, "packets follow each other");
                for (sequence, message) in packet.blocks() {
                    self.next = sequence.0 + 1;
                    if message.is_empty() {
                        self.withheld += 1;
                    } else {
                        self.apply(message);
                    }
                }
                self.told = self.next - 1;
            }
            ServerFrame::SnapshotBegins { session, .. } => {
                self.session = Some(session);
                self.snapshots += 1;
                self.full = Some(Books::new(100_000));
            }
            ServerFrame::SnapshotMessage(message) => self.apply(message),
            ServerFrame::SnapshotEnds { next } => {
                self.next = next;
                self.told = next - 1;
            }
            ServerFrame::Conflated(bytes) => {
                assert!(!self.is_full);
                match self.conflated.apply(bytes).expect("a promise kept") {
                    Told::Trade(trade) => {
                        self.trades += 1;
                        self.volume += trade.shares;
                    }
                    Told::Snapshot(snapshot) => {
                        self.missed += snapshot.missed.trades;
                        self.volume += snapshot.missed.volume;
                    }
                    Told::Session(session) => (self.session, self.told) = (Some(session), 0),
                    Told::Position(last) => self.told = last,
                    _ => {}
                }
            }
            ServerFrame::Cut(text) => self.cut = Some(String::from_utf8_lossy(text).into_owned()),
            _ => {}
        }
    }

    fn apply(&mut self, message: &[u8]) {
        let message = Message::decode(message).expect("ITCH");
        let books = self.full.as_mut().expect("a mode was told");
        books.apply(&message).expect("a message that fits");
    }

    pub(crate) fn levels(&self, instrument: usize, side: Side) -> Vec<(u32, u64)> {
        if !self.is_full {
            let book = self.conflated.get(locate(instrument));
            return book.map(|book| book.levels(side).collect()).unwrap_or_default();
        }
        let Some(book) = self.full.as_ref().and_then(|books| books.book(locate(instrument))) else {
            return Vec::new();
        };
        let levels: Vec<_> = match side {
            Side::Buy => book.bids().collect(),
            Side::Sell => book.asks().collect(),
        };
        levels
            .iter()
            .map(|level| (level.price.units(), level.shares.0))
            .collect()
    }

    pub(crate) fn verified(&self) -> u64 {
        self.conflated.verified()
    }
}
