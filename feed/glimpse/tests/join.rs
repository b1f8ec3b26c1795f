//! Who joins by a snapshot and what follows has the books of who heard everything, wherever it joins; over real sockets.

use rialto_flow::{Flow, Shape};
use rialto_glimpse::{Config, Door, FetchError, Login, Server, fetch};
use rialto_itch::Message;
use rialto_itch::mold::SequenceNumber as MoldNumber;
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::{Command, Event, EventSink, Output, Sequenced};
use rialto_ouch::soup::{CloseReason, LoginRejectCode};
use rialto_publisher::{Publisher, Tick};
use rialto_ring::spsc::{Producer, RingBuffer};
use rialto_subscriber::Books;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Long enough for any machine; passed only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);
const SEED: u64 = 20_260_622;

/// Everybody whose password is "right".
struct Everyone(VecDeque<(u64, bool)>);

impl Door for Everyone {
    fn ask(&mut self, _: &str, password: &str, ticket: u64) -> bool {
        self.0.push_back((ticket, password == "RIGHT"));
        true
    }

    fn poll(&mut self) -> Option<(u64, bool)> {
        self.0.pop_front()
    }
}

#[derive(Default)]
struct Events(Vec<Event>);

impl EventSink for Events {
    fn emit(&mut self, event: Event) {
        self.0.push(event);
    }
}

/// A venue whose feed goes into the server's ring, and all it has told.
struct Venue {
    engine: Engine,
    publisher: Publisher,
    ring: Producer<Tick>,
    server: Server,
    copied: MoldNumber,
    /// Message and whether its command ends there, by number from 1 on.
    told: Vec<(Message, bool)>,
}

impl Venue {
    fn open() -> Self {
        let (ring, taken) = RingBuffer::new(1 << 14);
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let server = Server::start(config, Box::new(Everyone(VecDeque::new())), taken).expect("a server");
        Self {
            engine: Engine::new(Limits::default()),
            publisher: Publisher::new(rialto_publisher::Config::default()).expect("bounds"),
            ring,
            server,
            copied: MoldNumber::FIRST,
            told: Vec::new(),
        }
    }

    fn push(&mut self, mut tick: Tick) {
        let begun = Instant::now();
        while let Err(rialto_ring::spsc::PushError::Full(back)) = self.ring.push(tick) {
            assert!(begun.elapsed() < PATIENCE, "the server takes nothing in");
            tick = back;
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    fn apply(&mut self, command: &Sequenced<Command>) {
        let mut events = Events::default();
        self.engine.apply(command, &mut events);
        let count = events.0.len();
        let session = self.publisher.session();
        for (place, body) in events.0.into_iter().enumerate() {
            let Sequenced { seq, stamp, epoch, .. } = *command;
            self.publisher.follow(&Output {
                event: Sequenced {
                    seq,
                    stamp,
                    epoch,
                    body,
                },
                last: place + 1 == count,
            });
        }
        if self.publisher.session() != session {
            self.push(Tick::session(self.publisher.session().expect("a day")));
        }
        let mut ticks = Vec::new();
        self.copied = self.publisher.copy(self.copied, |tick| {
            ticks.push(tick);
            true
        });
        for tick in ticks {
            let message = Message::decode(tick.bytes()).expect("ITCH");
            let last = tick.kind == rialto_publisher::TickKind::Message { last: true };
            self.told.push((message, last));
            self.push(tick);
        }
    }

    /// Until the server has taken everything in.
    fn settle(&self) {
        let begun = Instant::now();
        while self.server.counters().read().next < self.told.len() as u64 + 1 {
            assert!(begun.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn login(password: &str) -> Login {
    Login {
        user: "alpha1".to_owned(),
        password: password.to_owned(),
    }
}

fn picture(books: &Books) -> Vec<String> {
    let books = books.iter().filter(|(_, book)| !book.is_empty());
    books.map(|(locate, book)| format!("{locate:?} {book:?}")).collect()
}

#[test]
fn a_snapshot_and_what_follows_are_the_whole_book() {
    println!("seed {SEED}");
    let flow = Flow::new(Shape::Base, 30_000, SEED);
    let mut venue = Venue::open();
    flow.prelude.iter().for_each(|command| venue.apply(command));
    let (address, counters) = (venue.server.address(), venue.server.counters());
    // Who joins while the feed goes on, and one who joins when it stands.
    let joining = std::thread::spawn(move || {
        let mut joined = Vec::new();
        for _ in 0..25 {
            let mut messages = Vec::new();
            let take = |bytes: &[u8]| messages.push(Message::decode(bytes).expect("ITCH"));
            let at = fetch(address, &login("right"), PATIENCE, take).expect("a snapshot");
            joined.push((at, messages));
        }
        joined
    });
    for chunk in flow.commands.chunks(50) {
        chunk.iter().for_each(|command| venue.apply(command));
        std::thread::sleep(Duration::from_micros(300));
    }
    let mut joined = joining.join().expect("no panic");
    venue.settle();
    let mut messages = Vec::new();
    let take = |bytes: &[u8]| messages.push(Message::decode(bytes).expect("ITCH"));
    let at = fetch(address, &login("RIGHT"), PATIENCE, take).expect("a snapshot");
    assert_eq!(at.next.0, venue.told.len() as u64 + 1);
    joined.push((at, messages));

    for (at, messages) in &joined {
        assert_eq!(Some(at.session), venue.publisher.session());
        let before = at.next.0 as usize - 1;
        assert!(
            before == 0 || venue.told[before - 1].1,
            "a book stands between two commands"
        );
        let (mut whole, mut late) = (Books::new(1_000_000), Books::new(1_000_000));
        messages.iter().for_each(|message| {
            late.apply(message).expect("it fits");
        });
        for (message, _) in &venue.told[..before] {
            whole.apply(message).expect("it fits");
        }
        assert_eq!(picture(&late), picture(&whole), "at {}", at.next);
        for (message, _) in &venue.told[before..] {
            whole.apply(message).expect("it fits");
            late.apply(message).expect("it fits");
        }
        assert_eq!(picture(&late), picture(&whole), "after {}", at.next);
        assert!(!late.is_empty());
    }
    let counters = counters.read();
    assert_eq!((counters.told, counters.rejected, counters.gone), (26, 0, 0));
    assert!(counters.made <= counters.told);
}

#[test]
fn who_may_not_or_asks_for_another_session_is_rejected() {
    let mut venue = Venue::open();
    let address = venue.server.address();
    let rejected = |password: &str| match fetch(address, &login(password), PATIENCE, |_| {}) {
        Err(FetchError::Closed {
            reason: CloseReason::LoginRejected(code),
            ..
        }) => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected("wrong"), LoginRejectCode::NotAuthorised);
    // There is no session yet.
    assert_eq!(rejected("right"), LoginRejectCode::SessionNotAvailable);
    let flow = Flow::new(Shape::Base, 0, SEED);
    flow.prelude.iter().take(500).for_each(|command| venue.apply(command));
    venue.settle();
    fetch(address, &login("right"), PATIENCE, |_| {}).expect("a snapshot");
    // Messages were lost on the way.
    venue.push(Tick::gone(venue.copied.0, 3));
    let begun = Instant::now();
    while venue.server.counters().read().gone == 0 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(rejected("right"), LoginRejectCode::SessionNotAvailable);
    assert!(matches!(
        fetch(address, &login("much too long"), PATIENCE, |_| {}),
        Err(FetchError::Login { .. })
    ));
    let counters = venue.server.counters().read();
    assert_eq!((counters.told, counters.rejected), (1, 3));
}
