//! A released stream to follow, and the other end of the lines.
#![allow(dead_code, reason = "each test takes what it needs")]

use rialto_feed::{Config, Counters, FeedStage, multicast};
use rialto_itch::mold::{Packet, Request, SequenceNumber, Session};
use rialto_model::event::{Accepted, DayEnded, DayStarted, InstrumentListed, Released};
use rialto_model::{
    Epoch, Event, InstrumentId, Output, Price, PublicRef, Quantity, ReleaseNumber, Sequenced, Symbol, Timestamp,
    TradingDay, VenueId,
};
use rialto_ring::broadcast::{Gate, Reader, Writer, broadcast};
use rialto_ring::{Stage, VirtualClock};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

/// 2012-06-21.
pub(crate) const DAY: TradingDay = TradingDay(15_512);
/// Long enough for any machine; passed only when something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The events of a venue, numbered.
#[derive(Default)]
pub(crate) struct Script(u64);

impl Script {
    /// The outputs of the next command.
    pub(crate) fn command(&mut self, events: &[Event]) -> Vec<Output> {
        self.0 += 1;
        let output = |(place, body): (usize, &Event)| Output {
            event: Sequenced {
                seq: rialto_model::SequenceNumber(self.0),
                stamp: Timestamp(DAY.midnight_utc().0 + self.0),
                epoch: Epoch(1),
                body: *body,
            },
            last: place + 1 == events.len(),
        };
        events.iter().enumerate().map(output).collect()
    }

    /// Five messages.
    pub(crate) fn start_of_day(&mut self, day: TradingDay) -> Vec<Output> {
        let started = Event::DayStarted(DayStarted {
            day,
            midnight: day.midnight_utc(),
        });
        let listed = Event::InstrumentListed(InstrumentListed {
            instrument: InstrumentId(1),
            symbol: Symbol::new("GOOG").expect("a symbol"),
            tick: Price(100),
            price_max: Price(10_000_000),
            lot: Quantity(1),
            trading: true,
            ..InstrumentListed::default()
        });
        self.command(&[started, listed])
    }

    /// No message.
    pub(crate) fn release(&mut self) -> Vec<Output> {
        let (venue, release) = (VenueId(7), ReleaseNumber(1));
        self.command(&[Event::Released(Released { venue, release })])
    }

    /// A message each.
    pub(crate) fn orders(&mut self, count: usize) -> Vec<Output> {
        let mut outputs = Vec::new();
        for _ in 0..count {
            let order = Event::Accepted(Accepted {
                instrument: InstrumentId(1),
                public_ref: PublicRef(self.0 + 1),
                price: Price(100),
                quantity: Quantity(1),
                rests: true,
                ..Accepted::default()
            });
            outputs.extend(self.command(&[order]));
        }
        outputs
    }

    /// Three messages.
    pub(crate) fn end_of_day(&mut self, day: TradingDay) -> Vec<Output> {
        self.command(&[Event::DayEnded(DayEnded { day })])
    }

    /// A release, a start of day and so many orders: 5 messages more than orders.
    pub(crate) fn opening(&mut self, orders: usize) -> Vec<Output> {
        [self.release(), self.start_of_day(DAY), self.orders(orders)].concat()
    }
}

/// The ring up to its gate.
pub(crate) struct Stream {
    writer: Writer<Output>,
    gate: Gate<Output>,
}

impl Stream {
    pub(crate) fn new(capacity: usize) -> (Self, Reader<Output>) {
        let (writer, gate, mut readers) = broadcast(capacity, 1);
        (Self { writer, gate }, readers.remove(0))
    }

    /// Lets outputs out; waits where the ring is full.
    pub(crate) fn release(&mut self, outputs: &[Output]) {
        for output in outputs {
            while self.writer.write(*output).is_err() {
                self.writer.publish();
                self.gate.poll(usize::MAX >> 1, |_| true);
                std::thread::yield_now();
            }
        }
        self.writer.publish();
        self.gate.poll(usize::MAX >> 1, |_| true);
    }
}

pub(crate) const GROUP_A: Ipv4Addr = Ipv4Addr::new(239, 255, 82, 3);
pub(crate) const GROUP_B: Ipv4Addr = Ipv4Addr::new(239, 255, 82, 4);

/// Every port is the system's choice.
pub(crate) fn config() -> Config {
    Config {
        line_a: SocketAddrV4::new(GROUP_A, 0),
        line_b: Some(SocketAddrV4::new(GROUP_B, 0)),
        rerequest: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        ..Config::default()
    }
}

/// A feed with a stream to follow and somebody who listens to both lines.
pub(crate) struct Bench {
    pub(crate) stream: Stream,
    pub(crate) stage: FeedStage<VirtualClock>,
    pub(crate) clock: VirtualClock,
    pub(crate) a: Listener,
    pub(crate) b: Listener,
}

impl Bench {
    pub(crate) fn new(config: &Config) -> Self {
        let clock = VirtualClock::default();
        let (stream, reader) = Stream::new(8_192);
        let stage = FeedStage::new(config, reader, clock.clone()).expect("a feed");
        let a = Listener::join(stage.line_a());
        let b = Listener::join(stage.line_b().expect("a line B"));
        Self {
            stream,
            stage,
            clock,
            a,
            b,
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.stage.counters().read()
    }

    /// Polls until all is followed.
    pub(crate) fn settle(&mut self) {
        while self.stage.poll() > 0 {}
        assert!(self.stage.is_drained());
    }

    /// Polls until so many datagrams have come in at the re-request socket and nothing is half answered.
    pub(crate) fn settle_requests(&mut self, requests: u64) {
        let start = Instant::now();
        while self.counters().requests < requests {
            assert!(start.elapsed() < PATIENCE, "requests do not come in");
            self.stage.poll();
        }
        self.settle();
    }
}

/// A receiver of one line.
pub(crate) struct Listener(UdpSocket);

impl Listener {
    pub(crate) fn join(group: SocketAddrV4) -> Self {
        let socket = multicast::receiver(group, Ipv4Addr::LOCALHOST).expect("a receiver");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self(socket)
    }

    pub(crate) fn next(&self) -> Vec<u8> {
        receive(&self.0)
    }

    pub(crate) fn nothing_more(&self) {
        nothing_more(&self.0);
    }
}

/// Somebody who asks for messages again.
pub(crate) struct Asker {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Asker {
    pub(crate) fn new(from: Ipv4Addr, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((from, 0)).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { socket, server }
    }

    pub(crate) fn entitled(server: SocketAddr) -> Self {
        Self::new(Ipv4Addr::LOCALHOST, server)
    }

    pub(crate) fn send(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.server).expect("a request leaves");
    }

    pub(crate) fn ask(&self, session: &str, sequence: u64, count: u16) {
        let request = Request {
            session: Session::new(session).expect("a session name"),
            sequence: SequenceNumber(sequence),
            count,
        };
        self.send(&request.to_bytes());
    }

    pub(crate) fn next(&self) -> Vec<u8> {
        receive(&self.socket)
    }

    pub(crate) fn nothing_more(&self) {
        nothing_more(&self.socket);
    }
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut datagram = vec![0; 65_536];
    let len = socket.recv(&mut datagram).expect("a datagram");
    datagram.truncate(len);
    datagram
}

fn nothing_more(socket: &UdpSocket) {
    socket.set_nonblocking(true).expect("a mode");
    let error = socket.recv(&mut [0; 64]).expect_err("nothing");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    socket.set_nonblocking(false).expect("a mode");
}

/// The messages of a packet with their numbers.
pub(crate) fn numbered(packet: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let packet = Packet::parse(packet).expect("a packet");
    packet
        .blocks()
        .map(|(sequence, bytes)| (sequence.0, bytes.to_vec()))
        .collect()
}

pub(crate) fn loopback(last: u8) -> IpAddr {
    IpAddr::from([127, 0, 0, last])
}
