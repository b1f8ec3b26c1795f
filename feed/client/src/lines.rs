//! The member's end of the feed on real sockets: two multicast lines and a re-request server in, each message once and in
//! order out.
//!
//! All judgement is [`rialto_subscriber`]'s; here is nothing but sockets and a clock. It knows nothing of the exchange
//! beyond the packets.

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use rialto_feed::multicast;
use rialto_glimpse::Login;
use rialto_itch::mold::{SequenceNumber, Session};
use rialto_subscriber::{Config, Counters, Delivery, Line, Receiver, Start};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use crate::error::ClientError;

type Result<T> = std::result::Result<T, ClientError>;

/// Where a feed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedAddresses {
    /// Multicast group and port of line A.
    pub line_a: SocketAddrV4,
    /// Multicast group and port of line B, if it is to be joined.
    pub line_b: Option<SocketAddrV4>,
    /// The re-request server; without one a gap is given up after it could not be asked for.
    pub rerequest: Option<SocketAddr>,
    /// The interface the groups are joined on, named by its address.
    pub interface: Ipv4Addr,
}

/// Where snapshots are to be had, and by whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Glimpse {
    /// The server.
    pub server: SocketAddr,
    /// Who joins.
    pub login: Login,
}

impl Glimpse {
    /// This server, by this login.
    #[must_use]
    pub const fn new(server: SocketAddr, login: Login) -> Self {
        Self { server, login }
    }
}

/// Hands a snapshot on, and says where the feed goes on.
fn snapshot(glimpse: &Glimpse, time: Duration, sink: &mut impl FnMut(Delivery<'_>)) -> Result<Start> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let joined = rialto_glimpse::fetch(glimpse.server, &glimpse.login, time, |message| {
        messages.push(message.to_vec());
    })?;
    let sequence = SequenceNumber(joined.next.0.saturating_sub(1));
    sink(Delivery::SessionStarted(joined.session));
    for bytes in &messages {
        sink(Delivery::Message { sequence, bytes });
    }
    Ok(Start::At {
        session: joined.session,
        next: joined.next,
    })
}

/// The sockets of a feed, open.
struct Sockets {
    lines: Vec<(Line, UdpSocket)>,
    poll: Poll,
}

impl Sockets {
    fn open(addresses: FeedAddresses) -> Result<Self> {
        let mut lines = vec![(Line::A, group(addresses.line_a, addresses.interface)?)];
        if let Some(line_b) = addresses.line_b {
            lines.push((Line::B, group(line_b, addresses.interface)?));
        }
        if let Some(server) = addresses.rerequest {
            lines.push((Line::Recovery, asker(server)?));
        }
        let poll = Poll::new().map_err(ClientError::Wait)?;
        for (index, (_, socket)) in lines.iter_mut().enumerate() {
            poll.registry()
                .register(socket, Token(index), Interest::READABLE)
                .map_err(ClientError::Wait)?;
        }
        Ok(Self { lines, poll })
    }
}

/// Packets taken from one socket before the next has its turn, so that a busy line starves no other.
const BURST: usize = 64;
/// Room for the largest UDP datagram: nothing is cut off unseen.
const DATAGRAM_MAX: usize = 65_536;

/// A subscriber on real sockets.
#[derive(Debug)]
pub struct FeedClient {
    receiver: Receiver,
    lines: Vec<(Line, UdpSocket)>,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    start: Instant,
}

impl FeedClient {
    /// Joins the feed at the first message of whatever session it is in.
    ///
    /// # Errors
    /// [`ClientError`]: no sockets.
    pub fn join(addresses: FeedAddresses) -> Result<Self> {
        Self::join_at(addresses, Config::default(), Start::Beginning)
    }

    /// Joins the feed where `start` says.
    ///
    /// # Errors
    /// [`ClientError`]: no sockets, or a configuration that cannot be kept.
    pub fn join_at(addresses: FeedAddresses, config: Config, start: Start) -> Result<Self> {
        Self::over(Sockets::open(addresses)?, config, start)
    }

    /// Joins the feed by a snapshot: opens the lines, takes the books as they stand from a GLIMPSE server, hands them on as the
    /// beginning of a session and messages with the snapshot's number, and goes on behind it.
    ///
    /// # Errors
    /// [`ClientError`]: no sockets, or no snapshot within `time`.
    pub fn join_by_snapshot(
        addresses: FeedAddresses,
        config: Config,
        glimpse: &Glimpse,
        time: Duration,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<Self> {
        // The lines first: what they bring from now on waits in the sockets.
        let sockets = Sockets::open(addresses)?;
        let start = snapshot(glimpse, time, sink)?;
        Self::over(sockets, config, start)
    }

    /// Takes the books anew from a GLIMPSE server, as after messages that are lost for good, and goes on behind it. What was
    /// held back of the session is asked for again.
    ///
    /// # Errors
    /// [`ClientError`]: no snapshot within `time`.
    pub fn rejoin(
        &mut self,
        config: Config,
        glimpse: &Glimpse,
        time: Duration,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<()> {
        let start = snapshot(glimpse, time, sink)?;
        self.receiver = Receiver::new(config, start)?;
        Ok(())
    }

    fn over(sockets: Sockets, config: Config, start: Start) -> Result<Self> {
        Ok(Self {
            receiver: Receiver::new(config, start)?,
            lines: sockets.lines,
            poll: sockets.poll,
            events: Events::with_capacity(8),
            buffer: vec![0; DATAGRAM_MAX],
            start: Instant::now(),
        })
    }

    /// Takes the packets that are there, hands on the messages whose turn has come, and asks for what is missing. Where
    /// nothing is there it waits for at most `timeout`. Returns how many packets it took.
    ///
    /// # Errors
    /// [`ClientError`]: a socket failed.
    pub fn poll(&mut self, timeout: Duration, sink: &mut impl FnMut(Delivery<'_>)) -> Result<usize> {
        let mut taken = self.take(sink)?;
        if taken == 0 && !timeout.is_zero() {
            let wait = self.until_due().map_or(timeout, |due| due.min(timeout));
            match self.poll.poll(&mut self.events, Some(wait)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    return Err(ClientError::Wait(error));
                }
                _ => {}
            }
            taken = self.take(sink)?;
        }
        let now_ns = self.now_ns();
        self.receiver.handle_timeout(now_ns, sink);
        self.ask(now_ns);
        Ok(taken)
    }

    /// What was received and asked for.
    #[must_use]
    pub fn counters(&self) -> Counters {
        *self.receiver.counters()
    }

    /// The session, and the number of the next message to be handed on.
    #[must_use]
    pub fn position(&self) -> Option<(Session, SequenceNumber)> {
        self.receiver.position()
    }

    /// Sockets report only that something has come since they were last empty, so they are read before any wait.
    fn take(&mut self, sink: &mut impl FnMut(Delivery<'_>)) -> Result<usize> {
        let mut taken = 0;
        let now_ns = self.now_ns();
        for (line, socket) in &self.lines {
            for _ in 0..BURST {
                match socket.recv(&mut self.buffer) {
                    Ok(length) => {
                        taken += 1;
                        let datagram = self.buffer.get(..length).unwrap_or_default();
                        // A packet that is none is counted by the receiver, and the next one may be sound.
                        let _ = self.receiver.handle_packet(now_ns, *line, datagram, sink);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if is_passing(*line, &error) => {}
                    Err(source) => return Err(ClientError::Line { line: *line, source }),
                }
            }
        }
        Ok(taken)
    }

    /// Sends the requests that are due. One that cannot be sent is one that got lost: it is repeated later.
    fn ask(&mut self, now_ns: u64) {
        let server = self.lines.iter().find(|(line, _)| *line == Line::Recovery);
        while let Some(request) = self.receiver.poll_request(now_ns) {
            if let Some((_, socket)) = server {
                let _ = socket.send(&request.to_bytes());
            }
        }
    }

    fn until_due(&self) -> Option<Duration> {
        let due_ns = self.receiver.poll_timeout()?;
        Some(Duration::from_nanos(due_ns.saturating_sub(self.now_ns())))
    }

    fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

fn group(group: SocketAddrV4, interface: Ipv4Addr) -> Result<UdpSocket> {
    let open = || {
        let socket = multicast::receiver(group, interface)?;
        socket.set_nonblocking(true)?;
        Ok(UdpSocket::from_std(socket))
    };
    open().map_err(|source| ClientError::Group {
        group,
        interface,
        source,
    })
}

/// A socket that speaks with the server alone: a connected one takes nobody else's packets.
fn asker(server: SocketAddr) -> Result<UdpSocket> {
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 0)),
    };
    let open = || {
        let socket = UdpSocket::bind(any)?;
        socket.connect(server)?;
        Ok(socket)
    };
    open().map_err(|source| ClientError::Rerequest { server, source })
}

/// An interrupted read, and a re-request server that is not there now, whose absence comes back as an error of a later
/// read.
fn is_passing(line: Line, error: &io::Error) -> bool {
    error.kind() == ErrorKind::Interrupted || (line == Line::Recovery && error.kind() == ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_itch::codes::EventCode;
    use rialto_itch::mold::{PacketBuilder, Request};
    use rialto_itch::{Header, SystemEvent};
    use std::net::UdpSocket as StdSocket;

    /// A generous bound: what is waited for is there within milliseconds.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn message(nanoseconds: u64) -> Vec<u8> {
        let header = Header {
            timestamp: rialto_itch::TimeOfDay::new(nanoseconds).unwrap(),
            ..Header::default()
        };
        SystemEvent {
            header,
            event: EventCode::StartOfMessages,
        }
        .to_bytes()
        .to_vec()
    }

    fn packet(session: Session, first: u64, count: u64) -> Vec<u8> {
        let mut builder = PacketBuilder::new(session, SequenceNumber(first));
        for number in first..first + count {
            builder.push(&message(number)).unwrap();
        }
        builder.seal().unwrap().to_vec()
    }

    /// A port that was free a moment ago, for a group: groups cannot be given port 0.
    fn free_port() -> u16 {
        StdSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    }

    fn send(group: SocketAddrV4, datagram: &[u8]) {
        multicast::sender(group, Ipv4Addr::LOCALHOST, 0)
            .unwrap()
            .send(datagram)
            .unwrap();
    }

    #[test]
    fn a_gap_on_both_lines_is_asked_for_and_filled() {
        let server = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        let line_a = SocketAddrV4::new(Ipv4Addr::new(239, 192, 78, 1), free_port());
        let line_b = SocketAddrV4::new(Ipv4Addr::new(239, 192, 78, 2), free_port());
        let mut client = FeedClient::join(FeedAddresses {
            line_a,
            line_b: Some(line_b),
            rerequest: Some(server.local_addr().unwrap()),
            interface: Ipv4Addr::LOCALHOST,
        })
        .unwrap();

        let session = Session::new("TEST").unwrap();
        send(line_a, &packet(session, 1, 2));
        send(line_b, &packet(session, 1, 2));
        // 3 to 5 are sent by nobody.
        send(line_a, b"noise");
        send(line_b, &packet(session, 6, 1));

        let answering = std::thread::spawn(move || {
            let mut bytes = [0; 64];
            let (length, from) = server.recv_from(&mut bytes).unwrap();
            let request = Request::parse(&bytes[..length]).unwrap();
            assert_eq!((request.sequence, request.count), (SequenceNumber(3), 3));
            server.send_to(&packet(session, 3, 3), from).unwrap();
        });
        let mut seen = Vec::new();
        let begun = Instant::now();
        while seen.len() < 6 && begun.elapsed() < PATIENCE {
            let mut sink = |delivery: Delivery<'_>| {
                if let Delivery::Message { sequence, bytes } = delivery {
                    assert_eq!(bytes, message(sequence.0));
                    seen.push(sequence.0);
                }
            };
            client.poll(Duration::from_millis(5), &mut sink).unwrap();
        }
        answering.join().unwrap();
        assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
        let counters = client.counters();
        assert_eq!(
            (counters.duplicates, counters.malformed, counters.gaps, counters.lost),
            (2, 1, 1, 0)
        );
        assert_eq!(client.position(), Some((session, SequenceNumber(7))));
    }
}
