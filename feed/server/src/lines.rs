//! Line A and line B: the same packets to two groups.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use crate::config::StartError;
use crate::counters::{Cell, Cells};
use crate::multicast;
use crate::segments::Segments;

#[derive(Debug)]
pub(crate) struct Lines {
    a: Line,
    b: Option<Line>,
}

#[derive(Debug)]
struct Line {
    group: SocketAddrV4,
    socket: UdpSocket,
    /// Where packets wait for those that leave with them.
    segments: Option<Segments>,
}

impl Lines {
    pub(crate) fn open(
        (a, b): (SocketAddrV4, Option<SocketAddrV4>),
        interface: Ipv4Addr,
        ttl: u32,
        segmented: bool,
    ) -> Result<Self, StartError> {
        let open = |what, group| match multicast::sender(group, interface, ttl) {
            Ok(socket) => Ok(Line {
                group,
                segments: if segmented { Segments::open(&socket) } else { None },
                socket,
            }),
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

    /// Sends a packet on both lines, or counts that the system did not take it. Where packets leave together it may wait for
    /// [`flush`](Self::flush).
    pub(crate) fn send(&mut self, packet: &[u8], counters: &Cells) {
        self.a.send(packet, &counters.datagrams_a, counters);
        if let Some(b) = &mut self.b {
            b.send(packet, &counters.datagrams_b, counters);
        }
    }

    /// Sends what waits.
    pub(crate) fn flush(&mut self, counters: &Cells) {
        self.a.flush(&counters.datagrams_a, counters);
        if let Some(b) = &mut self.b {
            b.flush(&counters.datagrams_b, counters);
        }
    }

    /// Whether packets leave together.
    pub(crate) const fn is_segmented(&self) -> bool {
        self.a.segments.is_some()
    }

    pub(crate) const fn group_a(&self) -> SocketAddrV4 {
        self.a.group
    }

    pub(crate) fn group_b(&self) -> Option<SocketAddrV4> {
        self.b.as_ref().map(|line| line.group)
    }
}

impl Line {
    fn send(&mut self, packet: &[u8], datagrams: &Cell, counters: &Cells) {
        if let Some(segments) = &mut self.segments {
            if !segments.push(packet) {
                self.flush(datagrams, counters);
                if let Some(segments) = &mut self.segments {
                    segments.push(packet);
                }
            }
            return;
        }
        counters.calls.add(1);
        match self.socket.send(packet) {
            Ok(bytes) => {
                datagrams.add(1);
                counters.bytes.add(bytes as u64);
            }
            Err(_) => counters.send_errors.add(1),
        }
    }

    fn flush(&mut self, datagrams: &Cell, counters: &Cells) {
        let waiting = self.segments.as_mut();
        if let Some((count, bytes, taken)) = waiting.and_then(|segments| segments.flush(&self.socket, self.group)) {
            counters.calls.add(1);
            if taken {
                datagrams.add(count as u64);
                counters.bytes.add(bytes as u64);
            } else {
                counters.send_errors.add(count as u64);
            }
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
        let mut lines = Lines::open((group, Some(group)), Ipv4Addr::LOCALHOST, 0, false).expect("two lines");
        let cells = Arc::default();
        // UDP over IPv4 carries no more than 65,507 bytes.
        lines.send(&[0; 65_508], &cells);
        lines.send(&[0; 20], &cells);
        let counters = CountersHandle(cells).read();
        assert_eq!(counters.send_errors, 2);
        assert_eq!((counters.datagrams_a, counters.datagrams_b, counters.bytes), (1, 1, 40));
    }
}
