//! One session after another as MoldUDP64 packets: what was sent, what waits, what may be asked for again.

use alloc::vec::Vec;

use rialto_itch::Encode;
use rialto_itch::mold::{HEADER_LEN, Header, Request, SequenceNumber, Session};

use crate::store::{Span, Store};

/// Why there is nothing to answer a request with. The protocol has no reject: a server counts and drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Absent {
    /// The request names a session that is not the day's.
    #[error("messages of another session were asked for; only the session of the current trading day is kept")]
    OtherSession,
    /// The messages have gone from memory.
    #[error("messages before number {floor} are no longer in memory; take a snapshot, or raise store_bytes_max")]
    BeyondMemory {
        /// The oldest there is.
        floor: SequenceNumber,
    },
    /// The messages have not been sent yet: nobody gets them by asking earlier than all others.
    #[error("message {next} and those after it have not been sent yet; wait for them on the lines")]
    NotSent {
        /// The next one that will be.
        next: SequenceNumber,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Downstream {
    datagram_max: usize,
    session: Option<Session>,
    store: Store,
    /// The first message that was in no packet yet.
    unsent: SequenceNumber,
    /// What of those fits the next packet.
    packet: Span,
    /// One more has come that does not.
    is_full: bool,
    unsent_dropped: u64,
}

impl Downstream {
    pub(crate) fn new(datagram_max: usize, store: Store) -> Self {
        Self {
            datagram_max,
            session: None,
            store,
            unsent: SequenceNumber::FIRST,
            packet: Span::default(),
            is_full: false,
            unsent_dropped: 0,
        }
    }

    pub(crate) fn touch(&mut self) {
        self.store.touch();
    }

    /// Begins a session; the messages of the one before are gone.
    pub(crate) fn begin(&mut self, session: Session) {
        self.unsent_dropped += self.next().since(self.unsent);
        self.session = Some(session);
        self.store.clear();
        self.skip_unsent();
    }

    /// Goes on in a session of which it has nothing.
    pub(crate) fn resume(&mut self, session: Option<Session>, next: SequenceNumber) {
        self.session = session;
        self.store.resume(next);
        self.skip_unsent();
    }

    pub(crate) fn blocks(&self, first: SequenceNumber, count_max: u16, blocks: &mut Vec<u8>) -> u16 {
        if first < self.store.floor() {
            return 0;
        }
        let span = self.store.span(first, count_max.into(), usize::MAX);
        self.store.copy(first, span, blocks);
        span.count
    }

    #[inline]
    pub(crate) fn push(&mut self, message: &impl Encode) {
        let pushed = self.store.push(message);
        self.is_full |= HEADER_LEN + self.packet.bytes + pushed.block > self.datagram_max;
        if !self.is_full {
            self.packet.count += 1;
            self.packet.bytes += pushed.block;
        }
        if pushed.overwritten && self.unsent < self.store.floor() {
            self.unsent = self.store.floor();
            self.unsent_dropped += 1;
            self.plan();
        }
    }

    /// Sees anew what fits the next packet.
    fn plan(&mut self) {
        let behind = self.next().since(self.unsent);
        self.packet = self.store.span(self.unsent, behind, self.datagram_max - HEADER_LEN);
        self.is_full = u64::from(self.packet.count) < behind;
    }

    #[inline]
    pub(crate) fn end_command(&mut self) {
        self.store.end_command();
    }

    pub(crate) fn visit(&self, from: SequenceNumber, show: impl FnMut(SequenceNumber, &[u8], bool) -> bool) {
        self.store.visit(from, show);
    }

    pub(crate) fn floor(&self) -> SequenceNumber {
        self.store.floor()
    }

    /// The next packet of messages that were in none yet, if one is full or `flush` asks for whatever there is.
    #[inline]
    pub(crate) fn poll_packet(&mut self, flush: bool, packet: &mut Vec<u8>) -> Option<u16> {
        if !self.is_full && (!flush || self.packet.count == 0) {
            return None;
        }
        self.next_packet(packet)
    }

    fn next_packet(&mut self, packet: &mut Vec<u8>) -> Option<u16> {
        let count = self.packet.count;
        self.pack(self.unsent, self.packet, packet)?;
        self.unsent.0 += u64::from(count);
        self.plan();
        Some(count)
    }

    /// Takes all messages so far as sent.
    pub(crate) fn skip_unsent(&mut self) {
        self.unsent = self.next();
        (self.packet, self.is_full) = (Span::default(), false);
    }

    /// A packet of messages asked for, as many as it holds, at most `count_max`.
    pub(crate) fn answer(&self, request: &Request, count_max: u16, packet: &mut Vec<u8>) -> Result<u16, Absent> {
        if self.session != Some(request.session) {
            return Err(Absent::OtherSession);
        }
        let floor = self.store.floor();
        if request.sequence < floor {
            return Err(Absent::BeyondMemory { floor });
        }
        let sent = self.unsent.since(request.sequence);
        let count_max = sent.min(request.count.min(count_max).into());
        let span = self
            .store
            .span(request.sequence, count_max, self.datagram_max - HEADER_LEN);
        self.pack(request.sequence, span, packet)
            .ok_or(Absent::NotSent { next: self.unsent })?;
        Ok(span.count)
    }

    /// A packet of these messages, the first of which is `from`, unless there are none.
    #[inline]
    fn pack(&self, from: SequenceNumber, span: Span, packet: &mut Vec<u8>) -> Option<()> {
        let header = Header {
            session: self.session.filter(|_| span.count > 0)?,
            sequence: from,
            count: span.count,
        };
        packet.clear();
        packet.extend_from_slice(&header.to_bytes());
        self.store.copy(from, span, packet);
        Some(())
    }

    pub(crate) const fn session(&self) -> Option<Session> {
        self.session
    }

    /// The number of the next message.
    pub(crate) const fn next(&self) -> SequenceNumber {
        self.store.next()
    }

    /// The number of the next message to be in a packet.
    pub(crate) const fn unsent(&self) -> SequenceNumber {
        self.unsent
    }

    pub(crate) const fn unsent_dropped(&self) -> u64 {
        self.unsent_dropped
    }
}
