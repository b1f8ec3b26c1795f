//! The member's end of the feed on real sockets: two multicast lines and a re-request server in, each message once and in
//! order out.
//!
//! All judgement is [`rialto_subscriber`]'s; here is nothing but sockets and a clock. It knows nothing of the exchange
//! beyond the packets.

use anyhow::{Context as _, Result};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use rialto_feed::multicast;
use rialto_itch::mold::{SequenceNumber, Session};
use rialto_subscriber::{Config, Counters, Delivery, Line, Receiver, Start};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

/// Where a feed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FeedAddresses {
    /// Multicast group and port of line A.
    pub(crate) line_a: SocketAddrV4,
    /// Multicast group and port of line B, if it is to be joined.
    pub(crate) line_b: Option<SocketAddrV4>,
    /// The re-request server; without one a gap is given up after it could not be asked for.
    pub(crate) rerequest: Option<SocketAddr>,
    /// The interface the groups are joined on, named by its address.
    pub(crate) interface: Ipv4Addr,
}

/// Packets taken from one socket before the next has its turn, so that a busy line starves no other.
const BURST: usize = 64;
/// Room for the largest UDP datagram: nothing is cut off unseen.
const DATAGRAM_MAX: usize = 65_536;

/// A subscriber on real sockets.
#[derive(Debug)]
pub(crate) struct FeedClient {
    receiver: Receiver,
    lines: Vec<(Line, UdpSocket)>,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    start: Instant,
}

impl FeedClient {
    /// Joins the feed at the first message of whatever session it is in.
    pub(crate) fn join(addresses: FeedAddresses) -> Result<Self> {
        Self::join_at(addresses, Config::default(), Start::Beginning)
    }

    /// Joins the feed where `start` says.
    pub(crate) fn join_at(addresses: FeedAddresses, config: Config, start: Start) -> Result<Self> {
        let mut lines = vec![(Line::A, group(addresses.line_a, addresses.interface)?)];
        if let Some(line_b) = addresses.line_b {
            lines.push((Line::B, group(line_b, addresses.interface)?));
        }
        if let Some(server) = addresses.rerequest {
            lines.push((Line::Recovery, asker(server)?));
        }
        let poll = Poll::new().context("cannot wait on sockets")?;
        for (index, (_, socket)) in lines.iter_mut().enumerate() {
            poll.registry()
                .register(socket, Token(index), Interest::READABLE)
                .context("cannot wait on a socket")?;
        }
        Ok(Self {
            receiver: Receiver::new(config, start)?,
            lines,
            poll,
            events: Events::with_capacity(8),
            buffer: vec![0; DATAGRAM_MAX],
            start: Instant::now(),
        })
    }

    /// Takes the packets that are there, hands on the messages whose turn has come, and asks for what is missing. Where
    /// nothing is there it waits for at most `timeout`. Returns how many packets it took.
    pub(crate) fn poll(&mut self, timeout: Duration, sink: &mut impl FnMut(Delivery<'_>)) -> Result<usize> {
        let mut taken = self.take(sink)?;
        if taken == 0 && !timeout.is_zero() {
            let wait = self.until_due().map_or(timeout, |due| due.min(timeout));
            match self.poll.poll(&mut self.events, Some(wait)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    return Err(error).context("cannot wait for packets");
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
    pub(crate) fn counters(&self) -> Counters {
        *self.receiver.counters()
    }

    /// The session, and the number of the next message to be handed on.
    pub(crate) fn position(&self) -> Option<(Session, SequenceNumber)> {
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
                    Err(error) => return Err(error).with_context(|| format!("line {line:?} of the feed failed")),
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
    let socket = multicast::receiver(group, interface).with_context(|| {
        format!("cannot join {group} on {interface}: name an interface of this machine that has multicast")
    })?;
    socket.set_nonblocking(true)?;
    Ok(UdpSocket::from_std(socket))
}

/// A socket that speaks with the server alone: a connected one takes nobody else's packets.
fn asker(server: SocketAddr) -> Result<UdpSocket> {
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).context("cannot open a socket for re-requests")?;
    socket
        .connect(server)
        .with_context(|| format!("the re-request server {server} cannot be reached from here"))?;
    Ok(socket)
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
