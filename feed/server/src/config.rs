//! Addresses, bounds and times of the feed, all in one place, and why it cannot start with them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

/// The most source addresses that may ask for messages again. Each has a budget of its own, so this also bounds what is
/// known of askers.
pub const ENTITLED_MAX: usize = 1_024;

/// Addresses, bounds and times of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Packet size and memory for the day's messages.
    pub publisher: rialto_publisher::Config,
    /// The multicast group and port of line A. Port 0 stands for the number of the re-request port, which no other
    /// exchange on this host has. By default 239.255.82.1:26400, a group that no router passes on (RFC 2365).
    pub line_a: SocketAddrV4,
    /// The same of line B, which carries the same packets; `None` for one line alone. By default 239.255.82.2:26401.
    pub line_b: Option<SocketAddrV4>,
    /// The address of the interface that both lines leave by. By default loopback. Always named: without it the system
    /// would take the default route.
    pub interface: Ipv4Addr,
    /// How many networks the lines' packets may pass; 0, the default, keeps them on this host.
    pub ttl: u32,
    /// Whether packets that come at once are sent by one call where the kernel cuts them apart (`UDP_SEGMENT`): fewer calls, the
    /// same packets. By default each packet is sent by itself.
    pub segmented: bool,
    /// How long messages may wait for their packet to fill, in nanoseconds. 0, the default: not beyond the batch they came in.
    pub flush_ns: u64,
    /// Where requests come in; port 0 lets the system choose. By default 127.0.0.1:26402.
    pub rerequest: SocketAddr,
    /// Who may ask for messages again, by source address; at most [`ENTITLED_MAX`]. Others get nothing and are counted.
    /// By default loopback.
    pub entitled: Vec<IpAddr>,
    /// Bytes of answers a source gets in a second; so many may come at once after a second of silence. At least a
    /// datagram. What goes beyond is not sent and counted. By default 16 MiB.
    pub answer_bytes_per_second: u64,
    /// The most messages that one request gets; the rest is to be asked for again. By default 2,000.
    pub answer_messages_max: u16,
    /// After how long a silence a packet without messages is sent, in nanoseconds. By default a second.
    pub heartbeat_ns: u64,
    /// How many end-of-session packets are sent after the end of a day, the first at once and one more after each
    /// heartbeat time, unless the next day begins before. By default 30.
    pub end_of_session_count: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            publisher: rialto_publisher::Config::default(),
            line_a: SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 1), 26_400),
            line_b: Some(SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 2), 26_401)),
            interface: Ipv4Addr::LOCALHOST,
            ttl: 0,
            segmented: false,
            flush_ns: 0,
            rerequest: SocketAddr::from((Ipv4Addr::LOCALHOST, 26_402)),
            entitled: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            answer_bytes_per_second: 16 << 20,
            answer_messages_max: 2_000,
            heartbeat_ns: rialto_model::time::SECOND_NS,
            end_of_session_count: 30,
        }
    }
}

/// Why the feed cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Packet size or memory.
    #[error(transparent)]
    Publisher(#[from] rialto_publisher::ConfigError),
    /// The address of a line is no group.
    #[error("line {line} is to go to {address}, which is no multicast group; choose one from 239.0.0.0/8")]
    NotMulticast {
        /// A or B.
        line: char,
        /// What was set.
        address: SocketAddrV4,
    },
    /// A line cannot borrow the port.
    #[error(
        "line {line} has port 0, which stands for the re-request port, but that one is bound to all addresses and a receiver on this host could not share it; give the line a port or bind requests to one address"
    )]
    PortTaken {
        /// A or B.
        line: char,
    },
    /// Too many sources.
    #[error("{count} sources are entitled to re-requests, at most {ENTITLED_MAX} can be; list fewer")]
    Entitled {
        /// How many were listed.
        count: usize,
    },
    /// No packet would ever be within the budget.
    #[error("answer_bytes_per_second is {bytes}, less than one datagram; set at least {least}")]
    Budget {
        /// What was set.
        bytes: u64,
        /// The size of a datagram.
        least: u64,
    },
    /// Every request would get nothing.
    #[error("answer_messages_max is 0 and no request would get a message; set at least 1")]
    AnswerMessages,
    /// Heartbeats would be sent without a pause.
    #[error("heartbeat_ns is 0 and heartbeats would never pause; set at least 1")]
    Heartbeat,
    /// The system refused a socket.
    #[error(
        "no socket for {what} at {address}: {source}; is the address in use, and is the interface one of this host?"
    )]
    Socket {
        /// What it is for.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Config {
    /// Whether a feed can run by it; what only the system knows is seen when it starts.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let least = self.publisher.datagram_max as u64;
        let lines = [('A', Some(self.line_a)), ('B', self.line_b)];
        for (line, address) in lines {
            if let Some(address) = address.filter(|address| !address.ip().is_multicast()) {
                return Err(StartError::NotMulticast { line, address });
            }
        }
        if self.entitled.len() > ENTITLED_MAX {
            let count = self.entitled.len();
            return Err(StartError::Entitled { count });
        }
        if self.answer_bytes_per_second < least {
            let bytes = self.answer_bytes_per_second;
            return Err(StartError::Budget { bytes, least });
        }
        if self.answer_messages_max == 0 {
            return Err(StartError::AnswerMessages);
        }
        if self.heartbeat_ns == 0 {
            return Err(StartError::Heartbeat);
        }
        Ok(())
    }

    /// The addresses of both lines, where `rerequest` is the bound address for requests.
    pub(crate) fn lines(&self, rerequest: SocketAddr) -> Result<(SocketAddrV4, Option<SocketAddrV4>), StartError> {
        let with_port = |line, address: SocketAddrV4| match address.port() {
            0 if rerequest.ip().is_unspecified() => Err(StartError::PortTaken { line }),
            0 => Ok(SocketAddrV4::new(*address.ip(), rerequest.port())),
            _ => Ok(address),
        };
        let line_b = self.line_b.map(|address| with_port('B', address)).transpose()?;
        Ok((with_port('A', self.line_a)?, line_b))
    }
}
