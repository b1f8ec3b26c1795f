//! Both lines and the way of the answers through a bad network, on virtual time: every subscriber's books are the venue's, at
//! the end and at numbers on the way.
//!
//! `RIALTO_MESSAGES` sets how many messages; the seed is fixed and printed.

use rialto_itch::mold::{PacketBuilder, Request, SequenceNumber, Session};
use rialto_itch::{AddOrder, Header, Message, OrderDelete, OrderReference, Price4, Shares, Side, Stock, StockLocate};
use rialto_relay::{Faults, Relay};
use rialto_subscriber::{Book, Books, Config, Delivery, Line, Receiver, Start};
use std::collections::BTreeMap;

const SEED: u64 = 20_120_621;
const SUBSCRIBERS: u64 = 8;
const LOCATE: StockLocate = StockLocate(1);
/// Between two packets.
const STEP_NS: u64 = 20_000;
const PACKET: usize = 10;

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

fn message(number: u64) -> Message {
    let header = Header {
        locate: LOCATE,
        ..Header::default()
    };
    // Every third message deletes the order of the one two before it.
    if number.is_multiple_of(3) {
        let reference = OrderReference(number - 2);
        return OrderDelete { header, reference }.into();
    }
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let side = if mixed & 1 == 0 { Side::Buy } else { Side::Sell };
    AddOrder {
        header,
        reference: OrderReference(number),
        side,
        shares: Shares(1 + (mixed % 900) as u32),
        stock: Stock::new("ACME").unwrap(),
        price: Price4::new(10_000 + 100 * (mixed % 50) as i64).unwrap(),
    }
    .into()
}

fn packet(session: Session, first: u64, count: usize, last: u64) -> Vec<u8> {
    let mut builder = PacketBuilder::new(session, SequenceNumber(first));
    for number in (first..=last).take(count) {
        let mut bytes = Vec::new();
        message(number).append_to(&mut bytes);
        if builder.push(&bytes).is_err() {
            break;
        }
    }
    builder.seal().unwrap_or_default().to_vec()
}

struct Subscriber {
    receiver: Receiver,
    books: Books,
    relays: [Relay; 3],
    /// What is under way: by when it comes.
    coming: BTreeMap<(u64, u64), (Line, Vec<u8>)>,
    sent: u64,
    /// The number that is missing, and since when nothing was handed on for want of it.
    gap: Option<(u64, u64)>,
    gaps_ns: Vec<u64>,
}

impl Subscriber {
    fn send(&mut self, now_ns: u64, line: Line, bytes: &[u8]) {
        for copy in self.relays[line as usize].decide(now_ns, bytes.len()).copies() {
            self.sent += 1;
            self.coming
                .insert((now_ns + copy.delay_ns, self.sent), (line, bytes.to_vec()));
        }
    }

    fn advance(&mut self, now_ns: u64, session: Session, last: u64, samples: &BTreeMap<u64, Book>) {
        let Self { receiver, books, .. } = self;
        let mut sink = |delivery: Delivery<'_>| match delivery {
            Delivery::Message { sequence, bytes } => {
                books.apply(&Message::decode(bytes).unwrap()).unwrap();
                if let Some(expected) = samples.get(&sequence.0) {
                    assert_eq!(books.book(LOCATE), Some(expected), "at {sequence}");
                }
            }
            Delivery::Lost { first, count } => panic!("{count} lost from {first} on"),
            _ => {}
        };
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= now_ns) {
            let (line, bytes) = entry.remove();
            receiver.handle_packet(now_ns, line, &bytes, &mut sink).unwrap();
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
        for request in requests {
            // The request goes through the same network as its answer: what is lost of either is asked for again.
            let answer = packet(session, request.sequence.0, request.count.into(), last);
            self.send(now_ns, Line::Recovery, &answer);
        }
    }
}

#[test]
fn books_are_the_venues_behind_a_network_that_loses_a_third() {
    let asked = std::env::var("RIALTO_MESSAGES").ok();
    let messages: u64 = asked.map_or(200_000, |asked| asked.parse().expect("RIALTO_MESSAGES is a number"));
    let session = Session::new("DAY1").unwrap();
    let mut subscribers: Vec<Subscriber> = (0..SUBSCRIBERS)
        .map(|place| Subscriber {
            receiver: Receiver::new(
                Config {
                    attempts_max: 100,
                    ..Config::default()
                },
                Start::Beginning,
            )
            .unwrap(),
            books: Books::new(10_000_000),
            relays: [0, 1, 2].map(|line| Relay::new(faults(), SEED + 10 * place + line).unwrap()),
            coming: BTreeMap::new(),
            sent: 0,
            gap: None,
            gaps_ns: Vec::new(),
        })
        .collect();
    let mut truth = Books::new(10_000_000);
    let mut samples = BTreeMap::new();
    let (mut now_ns, mut next) = (0, 1);
    let end = messages + 1;
    while subscribers
        .iter()
        .any(|one| one.receiver.position().is_none_or(|(_, at)| at.0 < end))
    {
        assert!(now_ns < 1_000_000_000_000, "some never get there");
        now_ns += STEP_NS;
        let last = (next + PACKET as u64 - 1).min(messages);
        for number in next..=last {
            truth.apply(&message(number)).unwrap();
            if number.is_multiple_of((messages / 1_000).max(1)) {
                samples.insert(number, truth.book(LOCATE).unwrap().clone());
            }
        }
        let sent = if next <= messages {
            packet(session, next, PACKET, last)
        } else {
            rialto_itch::mold::Header::heartbeat(session, SequenceNumber(end))
                .to_bytes()
                .to_vec()
        };
        next = last + 1;
        for one in &mut subscribers {
            for line in [Line::A, Line::B] {
                one.send(now_ns, line, &sent);
            }
            one.advance(now_ns, session, last, &samples);
        }
    }
    let mut gaps: Vec<u64> = Vec::new();
    for one in &mut subscribers {
        assert_eq!(one.books.book(LOCATE), truth.book(LOCATE));
        assert_eq!(one.receiver.counters().messages, messages);
        gaps.append(&mut one.gaps_ns);
    }
    gaps.sort_unstable();
    let at = |hundredths: usize| gaps[gaps.len() * hundredths / 100] / 1_000;
    println!(
        "seed {SEED}: {messages} messages to {SUBSCRIBERS} subscribers, {} samples each; {} gaps closed, p50 {} us, p99 {} us",
        samples.len(),
        gaps.len(),
        at(50),
        at(99)
    );
    assert!(gaps.len() > 100);
}
