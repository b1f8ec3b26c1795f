//! One interface over both transports, against a publisher in this process: books, trades and notices are the venue's.

#[allow(dead_code, reason = "its main is for the command line")]
#[path = "../examples/top_of_book.rs"]
mod top_of_book;

use rialto_client::{BookDepth, FeedAddresses, Glimpse, GlimpseLogin, Multicast, Notice, Subscription, What};
use rialto_conflate::{Depth, Interest, Pace};
use rialto_feed::{Config as FeedConfig, FeedStage};
use rialto_flow::{Flow, Shape};
use rialto_itch::{Side, Stock};
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::{Command, Event, EventSink, Output, Price, Sequenced};
use rialto_quic::frames::{Login, Mode, Start};
use rialto_quic::{Certificate, Entitlement, Trust};
use rialto_ring::broadcast::{Gate, Writer, broadcast};
use rialto_ring::spsc::RingBuffer;
use rialto_ring::{Stage as _, SystemClock};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Long enough for any machine; passed only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);
const SEED: u64 = 7;

struct Everyone<T>(VecDeque<(u64, T)>);

impl rialto_glimpse::Door for Everyone<bool> {
    fn ask(&mut self, _: &str, _: &str, ticket: u64) -> bool {
        self.0.push_back((ticket, true));
        true
    }

    fn poll(&mut self) -> Option<(u64, bool)> {
        self.0.pop_front()
    }
}

impl rialto_quic::Door for Everyone<Option<Entitlement>> {
    fn ask(&mut self, _: &str, _: &str, ticket: u64) -> bool {
        let granted = Entitlement {
            firm: "FIRM".to_owned(),
            instruments: Interest::All,
        };
        self.0.push_back((ticket, Some(granted)));
        true
    }

    fn poll(&mut self) -> Option<(u64, Option<Entitlement>)> {
        self.0.pop_front()
    }
}

/// An engine, its feed on real sockets, and the servers beside it.
struct Venue {
    engine: Engine,
    ring: Writer<Output>,
    gate: Gate<Output>,
    stage: FeedStage<SystemClock>,
    glimpse: rialto_glimpse::Server,
    quic: rialto_quic::Server,
    trust: Trust,
    trades: u64,
}

struct Sink<'a> {
    command: &'a Sequenced<Command>,
    ring: &'a mut Writer<Output>,
    trades: &'a mut u64,
}

impl EventSink for Sink<'_> {
    fn emit(&mut self, body: Event) {
        *self.trades += u64::from(matches!(body, Event::Executed(_)));
        let Sequenced { seq, stamp, epoch, .. } = *self.command;
        let event = Sequenced {
            seq,
            stamp,
            epoch,
            body,
        };
        self.ring
            .write(Output { event, last: false })
            .expect("room for one command");
    }
}

impl Venue {
    fn open() -> Self {
        let (ring, gate, mut readers) = broadcast(1 << 12, 1);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = FeedConfig {
            line_a: SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 31), 0),
            line_b: Some(SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 32), 0)),
            rerequest: any,
            ..FeedConfig::default()
        };
        let mut stage = FeedStage::new(&config, readers.remove(0), SystemClock::new()).expect("a feed");
        let (tap, taken) = RingBuffer::new(1 << 14);
        stage.tap(tap);
        let config = rialto_glimpse::Config { listen: any };
        let glimpse = rialto_glimpse::Server::start(config, Box::new(Everyone(VecDeque::new())), taken);
        let (tap, taken) = RingBuffer::new(1 << 14);
        stage.tap(tap);
        let certificate = Certificate::development().expect("a certificate");
        let trust = Trust {
            pem: certificate.chain_pem().to_owned(),
            name: "localhost".to_owned(),
        };
        let config = rialto_quic::Config {
            listen: any,
            ..rialto_quic::Config::default()
        };
        let quic = rialto_quic::Server::start(config, &certificate, Box::new(Everyone(VecDeque::new())), taken);
        Self {
            engine: Engine::new(Limits::default()),
            ring,
            gate,
            stage,
            glimpse: glimpse.expect("a server"),
            quic: quic.expect("a server"),
            trust,
            trades: 0,
        }
    }

    fn apply(&mut self, commands: &[Sequenced<Command>]) {
        for command in commands {
            let sink = &mut Sink {
                command,
                ring: &mut self.ring,
                trades: &mut self.trades,
            };
            self.engine.apply(command, sink);
            if let Some(output) = self.ring.unpublished() {
                output.last = true;
            }
            self.ring.publish();
            self.gate.poll(usize::MAX >> 1, |_| true);
            self.stage.poll();
        }
    }

    /// Until both servers have taken everything in.
    fn settle(&mut self) {
        let begun = Instant::now();
        let next = self.stage.publisher().next_sequence().0;
        while self.glimpse.counters().read().next < next || self.quic.counters().read().sequence + 1 < next {
            assert!(begun.elapsed() < PATIENCE);
            self.stage.poll();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn addresses(&self) -> FeedAddresses {
        FeedAddresses {
            line_a: self.stage.line_a(),
            line_b: self.stage.line_b(),
            rerequest: Some(self.stage.rerequest()),
            interface: Ipv4Addr::LOCALHOST,
        }
    }

    fn multicast(&self, depth: BookDepth, by_snapshot: bool) -> Subscription {
        let glimpse = Glimpse::new(self.glimpse.address(), GlimpseLogin::new("alpha1", "rialto"));
        let multicast = Multicast {
            addresses: self.addresses(),
            glimpse: by_snapshot.then_some(glimpse),
            receiver: rialto_subscriber::Config::default(),
        };
        Subscription::multicast(multicast, depth).expect("a subscription")
    }

    fn over_quic(&self, mode: Mode) -> Subscription {
        let login = Login {
            user: "alpha1".to_owned(),
            password: "rialto".to_owned(),
            mode,
            start: Start::Snapshot,
            stocks: Vec::new(),
        };
        Subscription::quic(self.quic.address(), &self.trust, &login, BookDepth::Price).expect("a subscription")
    }

    fn symbol(&self) -> Stock {
        Stock(self.engine.export().instruments[0].definition.symbol.0)
    }

    /// Price and shares of each level, best first.
    fn levels(&self, side: Side) -> Vec<(u32, u64)> {
        let state = self.engine.export();
        let orders = match side {
            Side::Buy => &state.instruments[0].bids,
            Side::Sell => &state.instruments[0].asks,
        };
        let mut levels: Vec<(Price, u64)> = Vec::new();
        for order in orders {
            match levels.last_mut() {
                Some((price, shares)) if *price == order.price => *shares += order.leaves.0,
                _ => levels.push((order.price, order.leaves.0)),
            }
        }
        levels
            .into_iter()
            .map(|(price, shares)| (price.0 as u32, shares))
            .collect()
    }
}

/// Until everything of the venue's was told.
fn read_all(venue: &mut Venue, subscriptions: &mut [Subscription]) {
    let begun = Instant::now();
    let last = venue.stage.publisher().next_sequence().0 - 1;
    while subscriptions.iter().any(|one| one.counters().sequence < last) {
        assert!(
            begun.elapsed() < PATIENCE,
            "{:?}",
            subscriptions.iter().map(Subscription::counters).collect::<Vec<_>>()
        );
        venue.stage.poll();
        for one in &mut *subscriptions {
            one.poll(Duration::from_millis(2)).expect("more");
        }
    }
}

#[test]
fn books_trades_and_notices_are_the_same_over_every_transport() {
    println!("seed {SEED}");
    let flow = Flow::new(Shape::Base, 6_000, SEED);
    let mut venue = Venue::open();
    venue.apply(&flow.prelude);
    venue.apply(&flow.commands[..1_000]);
    venue.settle();
    let before = venue.trades;
    let conflated = Mode::Conflated {
        depth: Depth::Full,
        pace: Pace::Interval { ns: 5_000_000 },
    };
    let mut subscriptions = [
        venue.multicast(BookDepth::Orders, true),
        venue.multicast(BookDepth::Price, false),
        venue.multicast(BookDepth::Top, true),
        venue.over_quic(Mode::Full),
        venue.over_quic(conflated),
    ];
    let symbol = venue.symbol();
    let seen: Vec<_> = subscriptions
        .iter_mut()
        .map(|one| {
            let seen: Rc<RefCell<BTreeMap<&str, u64>>> = Rc::default();
            let (by_symbol, by_any, by_notice) = (Rc::clone(&seen), Rc::clone(&seen), Rc::clone(&seen));
            one.on(symbol, move |update| {
                let what = match update.what {
                    What::Book(_) => "book",
                    What::Trade(_) => "trade",
                    What::Status(_) => "status",
                };
                *by_symbol.borrow_mut().entry(what).or_default() += 1;
            });
            one.on(Stock::new("NONE").expect("a symbol"), |_| panic!("nobody trades this"));
            one.on_any(move |_| *by_any.borrow_mut().entry("any").or_default() += 1);
            one.on_notice(move |notice| {
                assert!(!matches!(notice, Notice::Lost { .. }), "{notice:?}");
                if let Notice::Missed { trades, .. } = notice {
                    *by_notice.borrow_mut().entry("trade").or_default() += trades;
                }
            });
            seen
        })
        .collect();
    for chunk in flow.commands[1_000..].chunks(200) {
        venue.apply(chunk);
        for one in &mut subscriptions {
            one.poll(Duration::from_millis(1)).expect("more");
        }
    }
    read_all(&mut venue, &mut subscriptions);
    let trades = venue.trades - before;
    assert!(trades > 100);
    for (place, (one, seen)) in subscriptions.iter().zip(&seen).enumerate() {
        let book = one.book(symbol).expect("a book");
        for side in [Side::Buy, Side::Sell] {
            let levels: Vec<(u32, u64)> = book
                .levels(side)
                .map(|(price, shares)| (price.units(), shares))
                .collect();
            assert_eq!(levels, venue.levels(side), "{place} {side:?}");
        }
        let seen = seen.borrow();
        let expected = if place == 1 { venue.trades } else { trades };
        assert_eq!(seen["trade"], expected, "{place}");
        assert!(seen["book"] > 0 && seen["any"] >= seen["book"], "{place}");
        assert_eq!(one.counters().refused, 0);
    }
    let tops = seen[2].borrow()["book"];
    assert!(tops < seen[0].borrow()["book"], "only changes of the top are told");
    assert!(subscriptions[4].counters().verified > 0);
    // Orders stand as in the engine: by priority.
    let state = venue.engine.export();
    for (side, expected) in [
        (Side::Buy, &state.instruments[0].bids),
        (Side::Sell, &state.instruments[0].asks),
    ] {
        let orders = subscriptions[0].book(symbol).expect("a book").orders(side);
        let orders: Vec<(u64, u64)> = orders.map(|(_, order, shares)| (order.0, shares.0.into())).collect();
        let expected: Vec<(u64, u64)> = expected.iter().map(|one| (one.public_ref.0, one.leaves.0)).collect();
        assert_eq!(orders, expected, "{side:?}");
    }
}

#[test]
fn the_example_runs() {
    let flow = Flow::new(Shape::Base, 3_000, SEED);
    let mut venue = Venue::open();
    venue.apply(&flow.prelude);
    venue.settle();
    let addresses = venue.addresses();
    let symbol = String::from_utf8(venue.symbol().0.to_vec()).expect("ASCII");
    let args = [
        addresses.line_a.to_string(),
        addresses.line_b.expect("a line").to_string(),
        addresses.rerequest.expect("a server").to_string(),
        venue.glimpse.address().to_string(),
        symbol.trim().to_owned(),
        "2".to_owned(),
    ];
    let running = std::thread::spawn(move || {
        let (say, said) = std::sync::mpsc::channel();
        top_of_book::run(&args, move |line| say.send(line).expect("a listener")).expect("it runs");
        said.iter().collect::<Vec<String>>()
    });
    let mut chunks = flow.commands.chunks(10);
    while !running.is_finished() {
        match chunks.next() {
            Some(chunk) => venue.apply(chunk),
            None => {
                venue.stage.poll();
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let said = running.join().expect("no panic");
    assert!(said.iter().any(|line| line.contains("Some")), "{said:?}");
}
