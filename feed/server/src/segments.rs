//! Several packets in one call to the system, where the kernel cuts them apart again (`UDP_SEGMENT` on Linux).
//!
//! The kernel cuts at one length: so packets of equal length go together, and one shorter one behind them. On the line they are
//! the packets they were.

use quinn_udp::{Transmit, UdpSocketState};
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};

/// The most bytes of one call; a datagram of the system's has no more.
const BYTES_MAX: usize = 65_000;

#[derive(Debug)]
pub(crate) struct Segments {
    state: UdpSocketState,
    most: usize,
    bytes: Vec<u8>,
    /// The length of all packets but the last.
    length: usize,
    count: usize,
    /// A shorter one has come: nothing may follow.
    closed: bool,
}

impl Segments {
    /// `None` where the kernel does not do it.
    pub(crate) fn open(socket: &UdpSocket) -> Option<Self> {
        let state = UdpSocketState::new(socket.into()).ok()?;
        let most = state.max_gso_segments();
        (most > 1).then_some(Self {
            state,
            most,
            bytes: Vec::with_capacity(BYTES_MAX),
            length: 0,
            count: 0,
            closed: false,
        })
    }

    /// Takes a packet in behind those that wait, if it fits them.
    pub(crate) fn push(&mut self, packet: &[u8]) -> bool {
        let fits = self.count == 0
            || (!self.closed
                && packet.len() <= self.length
                && self.count < self.most
                && self.bytes.len() + packet.len() <= BYTES_MAX);
        if !fits {
            return false;
        }
        if self.count == 0 {
            self.length = packet.len();
        }
        self.closed = packet.len() < self.length;
        self.bytes.extend_from_slice(packet);
        self.count += 1;
        true
    }

    /// How many packets wait.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// How many bytes they have.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Sends what waits in one call, and says whether the system took it. It waits still, for the other line.
    pub(crate) fn send(&self, socket: &UdpSocket, group: SocketAddrV4) -> bool {
        let transmit = Transmit {
            destination: SocketAddr::V4(group),
            ecn: None,
            contents: &self.bytes,
            segment_size: (self.count > 1).then_some(self.length),
            src_ip: None,
        };
        self.state.try_send(socket.into(), &transmit).is_ok()
    }

    /// Nothing waits any more.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        (self.count, self.closed) = (0, false);
    }
}
