//! Line A and line B: the same packets to two groups.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use crate::config::StartError;
use crate::counters::{Cell, Cells};
use crate::multicast;

#[derive(Debug)]
pub(crate) struct Lines {
    a: Line,
    b: Option<Line>,
}

#[derive(Debug)]
struct Line {
    group: SocketAddrV4,
    socket: UdpSocket,
}

impl Lines {
    pub(crate) fn open(
        (a, b): (SocketAddrV4, Option<SocketAddrV4>),
        interface: Ipv4Addr,
        ttl: u32,
    ) -> Result<Self, StartError> {
        let open = |what, group| match multicast::sender(group, interface, ttl) {
            Ok(socket) => Ok(Line { group, socket }),
            Err(source) => Err(StartError::Socket {
                what,
                address: SocketAddr::V4(group),
                source,
            }),
        };
        Ok(Self {
            a: open("line A", a)?,
            b: b.map(|group| open("line B", group)).transpose()?,
        })
    }

    /// Sends a packet on both lines, or counts that the system did not take it.
    pub(crate) fn send(&self, packet: &[u8], counters: &Cells) {
        self.a.send(packet, &counters.datagrams_a, counters);
        if let Some(b) = &self.b {
            b.send(packet, &counters.datagrams_b, counters);
        }
    }

    pub(crate) const fn group_a(&self) -> SocketAddrV4 {
        self.a.group
    }

    pub(crate) fn group_b(&self) -> Option<SocketAddrV4> {
        self.b.as_ref().map(|line| line.group)
    }
}

impl Line {
    fn send(&self, packet: &[u8], datagrams: &Cell, counters: &Cells) {
        match self.socket.send(packet) {
            Ok(bytes) => {
                datagrams.add(1);
                counters.bytes.add(bytes as u64);
            }
            Err(_) => counters.send_errors.add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::CountersHandle;
    use std::sync::Arc;

    #[test]
    fn a_datagram_that_the_system_refuses_is_counted_and_the_next_goes_out() {
        let group = SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 5), 26_499);
        let lines = Lines::open((group, Some(group)), Ipv4Addr::LOCALHOST, 0).expect("two lines");
        let cells = Arc::default();
        // UDP over IPv4 carries no more than 65,507 bytes.
        lines.send(&[0; 65_508], &cells);
        lines.send(&[0; 20], &cells);
        let counters = CountersHandle(cells).read();
        assert_eq!(counters.send_errors, 2);
        assert_eq!((counters.datagrams_a, counters.datagrams_b, counters.bytes), (1, 1, 40));
    }
}
