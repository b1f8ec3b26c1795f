//! Packets through a bad network: two lines that lose, double and delay, and a re-request server that does not always
//! answer. Whatever happens, the books at the end are those of a perfect network.

use std::collections::BTreeMap;

use rialto_itch::mold::{PacketBuilder, Request, SequenceNumber, Session};
use rialto_itch::{
    AddOrder, Header, Message, OrderCancel, OrderDelete, OrderExecuted, OrderReference, OrderReplace, Price4, Shares,
    Side, Stock, StockLocate,
};
use rialto_subscriber::{Books, Config, Counters, Delivery, Line, Receiver, Start};

const SEEDS: std::ops::Range<u64> = 0..40;
const MESSAGES: usize = 3_000;

/// SplitMix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Whether something of this many percent happens.
    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A sound flow of order messages of three instruments.
fn flow(random: &mut Random) -> Vec<Message> {
    let mut live: Vec<(u64, StockLocate, u32)> = Vec::new();
    let mut reference = 0;
    let mut messages = Vec::new();
    while messages.len() < MESSAGES {
        let price = Price4::new(1_000_000 + random.below(40) as i64 * 100).expect("a price");
        let shares = 1 + random.below(500) as u32;
        if live.len() < 20 || random.percent(40) {
            reference += 1;
            let header = Header {
                locate: StockLocate(1 + random.below(3) as u16),
                ..Header::default()
            };
            let side = if random.percent(50) { Side::Buy } else { Side::Sell };
            live.push((reference, header.locate, shares));
            let (reference, shares, stock) = (OrderReference(reference), Shares(shares), Stock::default());
            messages.push(
                AddOrder {
                    header,
                    reference,
                    side,
                    shares,
                    stock,
                    price,
                }
                .into(),
            );
            continue;
        }
        let place = random.below(live.len() as u64) as usize;
        let (known, locate, left) = live.swap_remove(place);
        let header = Header {
            locate,
            ..Header::default()
        };
        let part = 1 + random.below(u64::from(left)) as u32;
        let some = Shares(part);
        messages.push(match random.below(4) {
            0 => OrderDelete {
                header,
                reference: OrderReference(known),
            }
            .into(),
            1 => {
                reference += 1;
                live.push((reference, locate, shares));
                let (original_reference, new_reference) = (OrderReference(known), OrderReference(reference));
                OrderReplace {
                    header,
                    original_reference,
                    new_reference,
                    shares: Shares(shares),
                    price,
                }
                .into()
            }
            kind => {
                if part < left {
                    live.push((known, locate, left - part));
                }
                let reference = OrderReference(known);
                if kind == 2 {
                    let match_number = rialto_itch::MatchNumber(0);
                    OrderExecuted {
                        header,
                        reference,
                        shares: some,
                        match_number,
                    }
                    .into()
                } else {
                    OrderCancel {
                        header,
                        reference,
                        shares: some,
                    }
                    .into()
                }
            }
        });
    }
    messages
}

/// How bad the network is, in percent and nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Weather {
    lost: u64,
    doubled: u64,
    delay_ns: u64,
    /// Whether the server answers a request with one packet or with as many as it takes.
    one_packet_answers: bool,
}

/// The network: packets on their way, by when they arrive.
struct Network {
    random: Random,
    weather: Weather,
    under_way: BTreeMap<(u64, u64), (Line, Vec<u8>)>,
    sent: u64,
    lost: u64,
}

impl Network {
    fn send(&mut self, now_ns: u64, line: Line, packet: &[u8]) {
        if self.random.percent(self.weather.lost) {
            self.lost += 1;
            return;
        }
        let copies = 1 + u64::from(self.random.percent(self.weather.doubled));
        for _ in 0..copies {
            let arrival = now_ns + 1 + self.random.below(self.weather.delay_ns);
            self.sent += 1;
            self.under_way.insert((arrival, self.sent), (line, packet.to_vec()));
        }
    }
}

struct Outcome {
    books: Books,
    counters: Counters,
    network_lost: u64,
    trace: String,
}

/// Sends `messages` of each session through the network and applies what comes out.
fn transmit(seed: u64, weather: Weather, config: Config, sessions: &[(Session, Vec<Message>)]) -> Outcome {
    let mut network = Network {
        random: Random(seed),
        weather,
        under_way: BTreeMap::new(),
        sent: 0,
        lost: 0,
    };
    let mut receiver = Receiver::new(config, Start::Beginning).expect("bounds");
    let mut books = Books::new(100_000);
    let mut trace = String::new();
    let mut expected = 1;
    let mut now_ns = 0;
    for (session, messages) in sessions {
        let encoded: Vec<Vec<u8>> = messages.iter().map(bytes_of).collect();
        let mut builder = PacketBuilder::with_datagram_max(*session, SequenceNumber::FIRST, 300).expect("a size");
        let mut unsent = encoded.iter();
        let mut waiting = unsent.next();
        let mut ended = false;
        while !ended {
            // The transmitter: a packet a microsecond, then the end of the session again and again.
            now_ns += 1_000;
            for _ in 0..=network.random.below(5) {
                match waiting.map(|message| builder.push(message)) {
                    Some(Ok(_)) => waiting = unsent.next(),
                    Some(Err(_)) | None => break,
                }
            }
            let packet = match builder.seal() {
                Some(packet) => packet.to_vec(),
                None => builder.end_of_session().to_vec(),
            };
            network.send(now_ns, Line::A, &packet);
            network.send(now_ns, Line::B, &packet);

            // The receiver: what has arrived, then what is due.
            let mut sink = |delivery: Delivery<'_>| match delivery {
                Delivery::SessionStarted(started) => {
                    assert_eq!(started, *session);
                    expected = 1;
                    books.clear();
                }
                Delivery::Message { sequence, bytes } => {
                    assert_eq!(sequence.0, expected, "in order and once");
                    expected += 1;
                    books
                        .apply(&Message::decode(bytes).expect("a message"))
                        .expect("consistent");
                    if sequence.0.is_multiple_of(500) {
                        trace += &format!("{now_ns}:{sequence} ");
                    }
                }
                Delivery::Lost { first, count } => panic!("{count} from {first} given up"),
                Delivery::SessionEnded { next } => {
                    assert_eq!(next.0, encoded.len() as u64 + 1);
                    ended = true;
                }
            };
            while let Some(entry) = network.under_way.first_entry() {
                if entry.key().0 > now_ns {
                    break;
                }
                let (line, packet) = entry.remove();
                receiver
                    .handle_packet(now_ns, line, &packet, &mut sink)
                    .expect("sound packets");
            }
            receiver.handle_timeout(now_ns, &mut sink);
            while let Some(request) = receiver.poll_request(now_ns) {
                answer(&mut network, now_ns, &request.to_bytes(), &encoded);
            }
            assert!(
                now_ns < 60_000_000_000,
                "{session} does not end: {:?}",
                receiver.counters()
            );
        }
    }
    let counters = *receiver.counters();
    Outcome {
        books,
        counters,
        network_lost: network.lost,
        trace,
    }
}

/// The re-request server. Requests are lost like packets.
fn answer(network: &mut Network, now_ns: u64, request: &[u8], messages: &[Vec<u8>]) {
    if network.random.percent(network.weather.lost) {
        return;
    }
    let request = Request::parse(request).expect("a sound request");
    assert!(
        request.end().0 <= messages.len() as u64 + 1,
        "asks for what was never sent: {request:?}"
    );
    let mut builder = PacketBuilder::with_datagram_max(request.session, request.sequence, 300).expect("a size");
    for message in &messages[request.sequence.0 as usize - 1..request.end().0 as usize - 1] {
        if builder.push(message).is_err() {
            let packet = builder.seal().expect("full").to_vec();
            network.send(now_ns, Line::Recovery, &packet);
            if network.weather.one_packet_answers {
                return;
            }
            builder.push(message).expect("room");
        }
    }
    let packet = builder.seal().expect("asked for something").to_vec();
    network.send(now_ns, Line::Recovery, &packet);
}

fn bytes_of(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.append_to(&mut bytes);
    bytes
}

/// Everything a book says.
fn content(books: &Books) -> Vec<(StockLocate, rialto_subscriber::Book)> {
    books.iter().map(|(locate, book)| (locate, book.clone())).collect()
}

#[test]
fn books_behind_a_bad_network_equal_those_behind_a_perfect_one() {
    let config = Config {
        reorder_max: 256,
        request_delay_ns: 20_000,
        retry_ns: 200_000,
        retry_max_ns: 400_000,
        attempts_max: 1_000,
        ..Config::default()
    };
    let mut total = Counters::default();
    let mut network_lost = 0;
    for seed in SEEDS {
        let mut random = Random(seed ^ 0x5eed_0004);
        let weather = Weather {
            lost: random.below(4) * 12,
            doubled: random.below(30),
            delay_ns: 1 + random.below(30_000),
            one_packet_answers: random.percent(50),
        };
        let sessions = ["MON", "TUE"].map(|name| (Session::new(name).expect("a session"), flow(&mut random)));
        let mut perfect = Books::new(100_000);
        for message in &sessions[1].1 {
            perfect.apply(message).expect("a sound flow");
        }
        assert!(!perfect.is_empty());

        let outcome = transmit(seed, weather, config, &sessions);
        assert_eq!(content(&outcome.books), content(&perfect), "seed {seed}, {weather:?}");
        assert_eq!(outcome.books.len(), perfect.len(), "seed {seed}, {weather:?}");
        let counters = outcome.counters;
        assert_eq!(
            (counters.messages, counters.lost, counters.sessions),
            (2 * MESSAGES as u64, 0, 2)
        );

        // Equal seeds, equal runs: neither the receiver nor the books have a clock or chance of their own.
        if seed % 10 == 0 {
            assert_eq!(transmit(seed, weather, config, &sessions).trace, outcome.trace);
        }
        network_lost += outcome.network_lost;
        total.duplicates += counters.duplicates;
        total.held += counters.held;
        total.dropped += counters.dropped;
        total.gaps += counters.gaps;
        total.requests += counters.requests;
        total.requested += counters.requested;
        total.stale += counters.stale;
    }
    eprintln!("seeds {SEEDS:?}: {network_lost} packets lost, {total:?}");
    // The test is only worth something if all of it happened.
    for (what, count) in [
        ("lost", network_lost),
        ("duplicates", total.duplicates),
        ("held", total.held),
        ("dropped", total.dropped),
        ("gaps", total.gaps),
        ("requests", total.requests),
        ("stale", total.stale),
    ] {
        assert!(count > 100, "{what} happened {count} times");
    }
}

#[test]
fn no_bytes_make_the_receiver_or_the_books_panic() {
    const SEED: u64 = 0x5eed_0005;
    eprintln!("seed {SEED:#x}");
    let mut random = Random(SEED);
    let config = Config {
        reorder_max: 64,
        request_delay_ns: 0,
        retry_ns: 1,
        attempts_max: 3,
        ..Config::default()
    };
    let mut receiver = Receiver::new(config, Start::Beginning).expect("bounds");
    let mut books = Books::new(50);
    let messages: Vec<_> = flow(&mut random).iter().map(bytes_of).collect();
    let (mut delivered, mut refused) = (0_u64, 0_u64);
    for now_ns in 0..100_000 {
        // Packets that begin anywhere, of ten sessions in turn and now and then the one before, sometimes damaged.
        let session = Session([b'A' + (now_ns / 10_000) as u8 - u8::from(random.percent(1)); 10]);
        let at = receiver.position().map_or(1, |(_, next)| next.0);
        let sequence = SequenceNumber((at + random.below(20)).saturating_sub(random.below(5)));
        let mut builder = PacketBuilder::new(session, sequence);
        for _ in 0..random.below(4) {
            let mut message = messages[random.below(MESSAGES as u64) as usize].clone();
            if random.percent(20) {
                let place = random.below(message.len() as u64) as usize;
                message[place] = random.next() as u8;
            }
            builder.push(&message).expect("room");
        }
        let heartbeat = builder.heartbeat();
        let mut packet = builder.seal().unwrap_or(&heartbeat).to_vec();
        if random.percent(10) {
            let place = random.below(packet.len() as u64) as usize;
            packet[place] = random.next() as u8;
        }
        let line = [Line::A, Line::B, Line::Recovery][random.below(3) as usize];
        let mut sink = |delivery: Delivery<'_>| {
            if let Delivery::Message { bytes, .. } = delivery {
                delivered += 1;
                refused += u64::from(Message::decode(bytes).is_ok_and(|message| books.apply(&message).is_err()));
            }
        };
        let _ = receiver.handle_packet(now_ns, line, &packet, &mut sink);
        receiver.handle_timeout(now_ns, &mut sink);
        let mut requests = 0;
        while let Some(request) = receiver.poll_request(now_ns) {
            assert!(request.count > 0 && request.count <= config.request_count_max);
            requests += 1;
        }
        assert!(requests <= config.request_window, "{requests} requests at once");
        assert!(books.len() <= 50);
        if random.percent(1) {
            books.clear();
        }
    }
    let counters = receiver.counters();
    assert_eq!(counters.messages, delivered);
    assert!(
        delivered > 10_000 && refused > 1_000 && counters.malformed > 1_000,
        "{delivered} {refused} {counters:?}"
    );
}
