//! The feed of an engine through a bad network: both lines and the way of the answers lose, double and reorder, on virtual time.
//! Every subscriber's books are the engine's, at the end and at a thousand numbers on the way.
//!
//! `RIALTO_MESSAGES` sets how many messages at least; the seed is fixed and printed.

use rialto_flow::{Flow, Shape};
use rialto_itch::mold::{Request, Session};
use rialto_itch::{Message, StockLocate};
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::{Command, Event, EventSink, Output, Sequenced};
use rialto_publisher::{Config as PublisherConfig, Publisher};
use rialto_relay::{Faults, Relay};
use rialto_subscriber::{Book, Books, Config, Delivery, Line, Receiver, Start};
use std::collections::BTreeMap;

const SEED: u64 = 20_120_621;
const SUBSCRIBERS: u64 = 8;
const SAMPLES: u64 = 1_000;
/// The one instrument of the flow.
const LOCATE: StockLocate = StockLocate(1);
/// Commands whose messages leave at once, and the time between two departures.
const BATCH: usize = 12;
const STEP_NS: u64 = 20_000;

/// A third is lost, on both lines and of the answers.
fn faults() -> Faults {
    Faults {
        loss_ppm: 300_000,
        duplicate_ppm: 200_000,
        reorder_ppm: 200_000,
        reorder_ns_max: 2_000_000,
        delay_ns: 50_000,
        ..Faults::NONE
    }
}

/// Price, shares and orders of each level, best first: bids, asks.
type Levels = [Vec<(u32, u64, u32)>; 2];

/// The engine and its publisher.
struct Venue {
    engine: Engine,
    publisher: Publisher,
}

struct Sink<'a> {
    command: &'a Sequenced<Command>,
    outputs: Vec<Output>,
}

impl EventSink for Sink<'_> {
    fn emit(&mut self, body: Event) {
        let Sequenced { seq, stamp, epoch, .. } = *self.command;
        let event = Sequenced {
            seq,
            stamp,
            epoch,
            body,
        };
        self.outputs.push(Output { event, last: false });
    }
}

impl Venue {
    fn apply(&mut self, command: &Sequenced<Command>) {
        let mut sink = Sink {
            command,
            outputs: Vec::new(),
        };
        self.engine.apply(command, &mut sink);
        if let Some(output) = sink.outputs.last_mut() {
            output.last = true;
        }
        sink.outputs.iter().for_each(|output| self.publisher.follow(output));
    }

    fn packets(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut packet = Vec::new();
        while self.publisher.poll_packet(true, &mut packet).is_some() {
            packets.push(packet.clone());
        }
        packets
    }

    fn levels(&self) -> Levels {
        let state = self.engine.export();
        let instrument = &state.instruments[usize::from(LOCATE.0) - 1];
        [&instrument.bids, &instrument.asks].map(|orders| {
            let mut levels: Vec<(u32, u64, u32)> = Vec::new();
            for order in orders {
                match levels.last_mut().filter(|level| i64::from(level.0) == order.price.0) {
                    Some(level) => (level.1, level.2) = (level.1 + order.leaves.0, level.2 + 1),
                    None => levels.push((order.price.0 as u32, order.leaves.0, 1)),
                }
            }
            levels
        })
    }
}

fn levels(book: Option<&Book>) -> Levels {
    let Some(book) = book else { return Levels::default() };
    let parts = |level: rialto_subscriber::Level| (level.price.units(), level.shares.0, level.orders);
    [book.bids().map(parts).collect(), book.asks().map(parts).collect()]
}

struct Subscriber {
    receiver: Receiver,
    books: Books,
    relays: [Relay; 3],
    /// What is under way: by when it comes.
    coming: BTreeMap<(u64, u64), (Line, Vec<u8>)>,
    sent: u64,
    compared: u64,
    /// The number that is missing, and since when nothing was handed on for want of it.
    gap: Option<(u64, u64)>,
    gaps_ns: Vec<u64>,
}

impl Subscriber {
    fn new(place: u64) -> Self {
        let config = Config {
            attempts_max: 100,
            ..Config::default()
        };
        Self {
            receiver: Receiver::new(config, Start::Beginning).expect("bounds"),
            books: Books::new(10_000_000),
            relays: [0, 1, 2].map(|line| Relay::new(faults(), SEED + 10 * place + line).expect("faults")),
            coming: BTreeMap::new(),
            sent: 0,
            compared: 0,
            gap: None,
            gaps_ns: Vec::new(),
        }
    }

    fn send(&mut self, now_ns: u64, line: Line, bytes: &[u8]) {
        for copy in self.relays[line as usize].decide(now_ns, bytes.len()).copies() {
            self.sent += 1;
            self.coming
                .insert((now_ns + copy.delay_ns, self.sent), (line, bytes.to_vec()));
        }
    }

    fn advance(&mut self, now_ns: u64, venue: &Venue, samples: &BTreeMap<u64, Levels>) {
        let Self {
            receiver,
            books,
            compared,
            ..
        } = self;
        let mut sink = |delivery: Delivery<'_>| match delivery {
            Delivery::Message { sequence, bytes } => {
                books.apply(&Message::decode(bytes).expect("ITCH")).expect("it fits");
                if let Some(expected) = samples.get(&sequence.0) {
                    assert_eq!(levels(books.book(LOCATE)), *expected, "at {sequence}");
                    *compared += 1;
                }
            }
            Delivery::Lost { first, count } => panic!("{count} lost from {first} on"),
            _ => {}
        };
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= now_ns) {
            let (line, bytes) = entry.remove();
            receiver
                .handle_packet(now_ns, line, &bytes, &mut sink)
                .expect("a packet");
        }
        receiver.handle_timeout(now_ns, &mut sink);
        let mut requests: Vec<Request> = Vec::new();
        while let Some(request) = receiver.poll_request(now_ns) {
            requests.push(request);
        }
        // How long each number that was missing held up those behind it.
        let missing = receiver.poll_timeout().and(receiver.position()).map(|(_, next)| next.0);
        if self.gap.map(|(number, _)| number) != missing {
            self.gaps_ns.extend(self.gap.map(|(_, since_ns)| now_ns - since_ns));
            self.gap = missing.map(|number| (number, now_ns));
        }
        let mut packet = Vec::new();
        for mut request in requests {
            // The request goes through the same network as its answer: what is lost of either is asked for again.
            while request.count > 0
                && let Ok(count) = venue.publisher.answer(&request, request.count, &mut packet)
            {
                self.send(now_ns, Line::Recovery, &packet);
                request.sequence.0 += u64::from(count);
                request.count -= count;
            }
        }
    }
}

#[test]
fn books_are_the_engines_behind_a_network_that_loses_a_third() {
    let asked = std::env::var("RIALTO_MESSAGES").ok();
    let wanted: u64 = asked.map_or(100_000, |asked| asked.parse().expect("RIALTO_MESSAGES is a number"));
    println!("seed {SEED} (fixed)");
    // A command has a message or more.
    let flow = Flow::new(Shape::Base, wanted as usize, SEED);
    let mut venue = Venue {
        engine: Engine::new(Limits::default()),
        publisher: Publisher::new(PublisherConfig {
            store_bytes_max: 56 * 2 * (wanted as usize + flow.prelude.len()),
            ..PublisherConfig::default()
        })
        .expect("bounds"),
    };
    let mut subscribers: Vec<Subscriber> = (0..SUBSCRIBERS).map(Subscriber::new).collect();
    let mut samples: BTreeMap<u64, Levels> = BTreeMap::new();
    let mut commands = flow.prelude.iter().chain(&flow.commands);
    let (mut now_ns, mut sample_at) = (0, 1);
    loop {
        now_ns += STEP_NS;
        let mut is_over = true;
        for command in commands.by_ref().take(BATCH) {
            is_over = false;
            venue.apply(command);
            // A book is stated between two commands.
            let last = venue.publisher.next_sequence().0 - 1;
            if last >= sample_at {
                samples.insert(last, venue.levels());
                sample_at = last + wanted / SAMPLES;
            }
        }
        let mut packets = venue.packets();
        if packets.is_empty() {
            packets.extend(venue.publisher.heartbeat().map(|heartbeat| heartbeat.to_vec()));
        }
        for one in &mut subscribers {
            for packet in &packets {
                for line in [Line::A, Line::B] {
                    one.send(now_ns, line, packet);
                }
            }
            one.advance(now_ns, &venue, &samples);
        }
        let end = venue.publisher.next_sequence();
        let has_all = |one: &Subscriber| one.receiver.position().is_some_and(|(_, at)| at == end);
        if is_over && subscribers.iter().all(has_all) {
            break;
        }
        assert!(now_ns < 10_000_000_000_000, "some never get there");
    }
    let messages = venue.publisher.next_sequence().0 - 1;
    assert!(messages >= wanted);
    let truth = venue.levels();
    let mut gaps: Vec<u64> = Vec::new();
    for one in &mut subscribers {
        assert_eq!(levels(one.books.book(LOCATE)), truth);
        assert_eq!(
            (one.receiver.counters().messages, one.compared),
            (messages, samples.len() as u64)
        );
        gaps.append(&mut one.gaps_ns);
    }
    gaps.sort_unstable();
    let at = |hundredths: usize| gaps[gaps.len() * hundredths / 100] / 1_000;
    println!(
        "{messages} messages of session {} to {SUBSCRIBERS} subscribers, {} samples each, every book the engine's; {} gaps closed, p50 {} us, p99 {} us",
        venue.publisher.session().unwrap_or(Session([b' '; 10])),
        samples.len(),
        gaps.len(),
        at(50),
        at(99)
    );
    assert!(gaps.len() > 100 && samples.len() as u64 > SAMPLES / 2);
}
