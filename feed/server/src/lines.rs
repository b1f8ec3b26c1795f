//! Line A and line B: the same packets to two groups.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use crate::config::StartError;
use crate::counters::{Cell, Cells};
use crate::gaps::Gaps;
use crate::multicast;
use crate::segments::Segments;

#[derive(Debug)]
pub(crate) struct Lines {
    a: Line,
    b: Option<Line>,
    /// Where packets wait for those that leave with them: the same bytes for both lines.
    segments: Option<Segments>,
    /// Packets that do not leave, on purpose.
    gaps: Option<Box<Gaps>>,
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
        segmented: bool,
    ) -> Result<Self, StartError> {
        let open = |what, group| match multicast::sender(group, interface, ttl) {
            Ok(socket) => Ok(Line { group, socket }),
            Err(source) => Err(StartError::Socket {
                what,
                address: SocketAddr::V4(group),
                source,
            }),
        };
        let a = open("line A", a)?;
        Ok(Self {
            b: b.map(|group| open("line B", group)).transpose()?,
            segments: if segmented { Segments::open(&a.socket) } else { None },
            a,
            gaps: None,
        })
    }

    /// Sends a packet on both lines, or counts that the system did not take it. Where packets leave together it may wait for
    /// [`flush`](Self::flush).
    #[inline]
    pub(crate) fn send(&mut self, packet: &[u8], counters: &Cells) {
        if self.segments.is_some() || self.gaps.is_some() {
            return self.send_otherwise(packet, counters);
        }
        self.a.send(packet, &counters.datagrams_a, counters);
        if let Some(b) = &self.b {
            b.send(packet, &counters.datagrams_b, counters);
        }
    }

    /// Where packets leave together, or some do not leave.
    #[cold]
    fn send_otherwise(&mut self, packet: &[u8], counters: &Cells) {
        let Some(gaps) = &mut self.gaps else {
            return self.gather(packet, counters);
        };
        let [leaves_by_a, leaves_by_b] = gaps.decide(packet.len());
        self.flush(counters);
        if leaves_by_a {
            self.a.send(packet, &counters.datagrams_a, counters);
        }
        if leaves_by_b && let Some(b) = &self.b {
            b.send(packet, &counters.datagrams_b, counters);
        }
    }

    /// Only these gaps are torn from now on.
    pub(crate) fn set_gaps(&mut self, gaps: Option<Gaps>) {
        self.gaps = gaps.map(Box::new);
    }

    /// Puts a packet behind those that wait, which leave first where it does not fit them.
    fn gather(&mut self, packet: &[u8], counters: &Cells) {
        let fits = |lines: &mut Self| lines.segments.as_mut().is_none_or(|segments| segments.push(packet));
        if !fits(self) {
            self.flush(counters);
            fits(self);
        }
    }

    /// Sends what waits.
    pub(crate) fn flush(&mut self, counters: &Cells) {
        let Some(segments) = self.segments.as_mut().filter(|segments| segments.count() > 0) else {
            return;
        };
        self.a.send_together(segments, &counters.datagrams_a, counters);
        if let Some(b) = &self.b {
            b.send_together(segments, &counters.datagrams_b, counters);
        }
        segments.clear();
    }

    /// Whether packets leave together.
    pub(crate) const fn is_segmented(&self) -> bool {
        self.segments.is_some()
    }

    pub(crate) const fn group_a(&self) -> SocketAddrV4 {
        self.a.group
    }

    pub(crate) fn group_b(&self) -> Option<SocketAddrV4> {
        self.b.as_ref().map(|line| line.group)
    }
}

impl Line {
    #[inline]
    fn send(&self, packet: &[u8], datagrams: &Cell, counters: &Cells) {
        counters.calls.add(1);
        match self.socket.send(packet) {
            Ok(bytes) => {
                datagrams.add(1);
                counters.bytes.add(bytes as u64);
            }
            Err(_) => counters.send_errors.add(1),
        }
    }

    fn send_together(&self, segments: &Segments, datagrams: &Cell, counters: &Cells) {
        let count = segments.count() as u64;
        counters.calls.add(1);
        if segments.send(&self.socket, self.group) {
            datagrams.add(count);
            counters.bytes.add(segments.bytes() as u64);
        } else {
            counters.send_errors.add(count);
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
