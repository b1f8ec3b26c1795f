//! One session after another as MoldUDP64 packets: what was sent, what waits, what may be asked for again.

use alloc::vec::Vec;

use rialto_itch::Message;
use rialto_itch::mold::{HEADER_LEN, Header, Request, SequenceNumber, Session};

use crate::store::Store;

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
    /// The first message that was in no packet yet, and the bytes of the blocks from there on.
    unsent: SequenceNumber,
    unsent_bytes: usize,
    unsent_dropped: u64,
}

impl Downstream {
    pub(crate) fn new(datagram_max: usize, store: Store) -> Self {
        Self {
            datagram_max,
            session: None,
            store,
            unsent: SequenceNumber::FIRST,
            unsent_bytes: 0,
            unsent_dropped: 0,
        }
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
        self.store.pack(first, count_max.into(), usize::MAX, blocks)
    }

    #[inline]
    pub(crate) fn push(&mut self, message: &Message) {
        let pushed = self.store.push(message);
        self.unsent_bytes += pushed.block;
        if let Some(block) = pushed.overwritten
            && self.unsent < self.store.floor()
        {
            self.unsent = self.store.floor();
            self.unsent_bytes -= block;
            self.unsent_dropped += 1;
        }
    }

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
        let is_full = HEADER_LEN + self.unsent_bytes > self.datagram_max;
        if !is_full && (!flush || self.unsent_bytes == 0) {
            return None;
        }
        let count = self.pack(self.unsent, u64::MAX, packet)?;
        self.unsent.0 += u64::from(count);
        self.unsent_bytes -= packet.len() - HEADER_LEN;
        Some(count)
    }

    /// Takes all messages so far as sent.
    pub(crate) fn skip_unsent(&mut self) {
        self.unsent = self.next();
        self.unsent_bytes = 0;
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
        self.pack(request.sequence, count_max, packet)
            .ok_or(Absent::NotSent { next: self.unsent })
    }

    /// A packet of the messages from `from` on, unless it would be empty.
    fn pack(&self, from: SequenceNumber, count_max: u64, packet: &mut Vec<u8>) -> Option<u16> {
        packet.clear();
        packet.resize(HEADER_LEN, 0);
        let count = self.store.pack(from, count_max, self.datagram_max, packet);
        let header = Header {
            session: self.session?,
            sequence: from,
            count,
        };
        *packet.first_chunk_mut()? = header.to_bytes();
        (count > 0).then_some(count)
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
