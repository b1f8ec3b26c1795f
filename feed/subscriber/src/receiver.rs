//! From packets to messages: each once, in order, whatever the network did to the packets.

use rialto_itch::mold::{Content, Packet, PacketError, Request, SequenceNumber, Session};

use crate::config::{Config, ConfigError, Start};
use crate::counters::Counters;
use crate::recovery::Recovery;
use crate::reorder::Reorder;

/// Where a packet came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The first multicast line.
    A,
    /// The second, which carries the same packets.
    B,
    /// The re-request server. It fills gaps and never begins a session.
    Recovery,
}

/// What a receiver hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// A session has begun, and nothing of what was said before holds. Not said of the session a receiver was told to
    /// begin in.
    SessionStarted(Session),
    /// The next message.
    Message {
        /// Its number.
        sequence: SequenceNumber,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// Messages that will not come: they were asked for in vain, or their session was followed by another.
    Lost {
        /// The number of the first.
        first: SequenceNumber,
        /// How many.
        count: u64,
    },
    /// The session is over and everything of it has been said.
    SessionEnded {
        /// The number behind its last message.
        next: SequenceNumber,
    },
}

/// Why a packet was refused. Nothing of it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// It is no MoldUDP64 packet.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// Numbers begin at 1.
    #[error("the packet states sequence number 0, and numbers begin at 1; check what sends on this port")]
    SequenceZero,
}

/// Puts the packets of two lines and a re-request server together into one stream of messages.
///
/// - `handle_*` takes what happened: a packet ([`handle_packet`](Self::handle_packet)), or that it is time
///   ([`handle_timeout`](Self::handle_timeout)). What follows from it is handed to the given sink before the call ends.
/// - `poll_*` gives what to do: requests to send ([`poll_request`](Self::poll_request), call until `None` after each
///   `handle_*`), and when to call `handle_timeout` and `poll_request` again ([`poll_timeout`](Self::poll_timeout)).
///
/// A sound packet is believed: one that states a number far ahead opens a gap up to it, which is asked for in vain and then
/// given up. Only let packets in that come from the venue.
///
/// Times are nanoseconds of one clock that never steps back. Memory is bounded by [`Config::reorder_max`] messages.
/// A message is delivered from the packet it came in; only what came before its turn is copied.
#[derive(Clone, Debug)]
pub struct Receiver {
    config: Config,
    start: Start,
    stream: Option<Stream>,
    /// The session before: its packets still on their way must not begin it again. Older ones are not remembered.
    finished: Option<Session>,
    reorder: Reorder,
    counters: Counters,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug)]
struct Stream {
    session: Session,
    /// The next number to deliver.
    next: SequenceNumber,
    /// The number behind the last one that is known to have been sent.
    known_end: SequenceNumber,
    /// Whether the sender said that nothing will come behind `known_end`.
    ended: bool,
    /// Set while `next` is behind `known_end`.
    recovery: Option<Recovery>,
    /// Since when it is.
    gap_since_ns: Option<u64>,
    /// Of each line, the number behind the last one it brought; zero before the first.
    line_ends: [SequenceNumber; 2],
}

impl Receiver {
    /// A receiver that has seen nothing.
    ///
    /// # Errors
    /// [`ConfigError`] for a bound of zero or a request count beyond [`REQUEST_COUNT_LIMIT`](crate::REQUEST_COUNT_LIMIT).
    pub fn new(config: Config, start: Start) -> Result<Self, ConfigError> {
        let config = config.check()?;
        let stream = match start {
            Start::At { session, next } => Some(Stream::new(session, next)),
            Start::Beginning | Start::Live => None,
        };
        let reorder = Reorder::new(config.reorder_max);
        Ok(Self {
            config,
            start,
            stream,
            finished: None,
            reorder,
            counters: Counters::default(),
        })
    }

    /// Takes a packet, and hands on the messages whose turn has come.
    ///
    /// A packet of another session than the current one ends that one at once: what is missing of it is handed on as
    /// lost, and the new session begins at its first message.
    ///
    /// # Errors
    /// [`ReceiveError`]: it was no packet; it is counted and nothing has changed.
    pub fn handle_packet(
        &mut self,
        now_ns: u64,
        line: Line,
        datagram: &[u8],
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<(), ReceiveError> {
        *match line {
            Line::A => &mut self.counters.packets_a,
            Line::B => &mut self.counters.packets_b,
            Line::Recovery => &mut self.counters.packets_recovery,
        } += 1;
        let packet = match Packet::parse(datagram) {
            Ok(packet) if packet.sequence() >= SequenceNumber::FIRST => packet,
            outcome => {
                self.counters.malformed += 1;
                return Err(outcome.err().map_or(ReceiveError::SequenceZero, ReceiveError::Packet));
            }
        };
        let Some(before) = self.enter(line, &packet, sink) else {
            self.counters.stale += 1;
            return Ok(());
        };
        for (sequence, message) in packet.blocks() {
            self.take(line, sequence, message, sink);
        }
        self.settle(now_ns, before, sink);
        Ok(())
    }

    /// Takes note of the time: gives up a gap that was asked for often enough, and hands on what follows it.
    pub fn handle_timeout(&mut self, now_ns: u64, sink: &mut impl FnMut(Delivery<'_>)) {
        let Some(stream) = self.stream else { return };
        if stream
            .recovery
            .is_some_and(|recovery| recovery.is_hopeless(now_ns, &self.config))
        {
            self.give_up_first_gap(sink);
            if let Some(stream) = &mut self.stream {
                stream.recovery = None;
            }
            self.settle(now_ns, stream.next, sink);
        }
    }

    /// The next request to send now, if any. Call until `None`.
    pub fn poll_request(&mut self, now_ns: u64) -> Option<Request> {
        let stream = self.stream.as_mut()?;
        let recovery = stream.recovery.as_mut()?;
        let (sequence, count) = recovery.ask(now_ns, stream.next, stream.known_end, &self.reorder, &self.config)?;
        self.counters.requests += 1;
        self.counters.requested += u64::from(count);
        Some(Request {
            session: stream.session,
            sequence,
            count,
        })
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and [`poll_request`](Self::poll_request) if no packet comes
    /// before; `None` while no gap is open.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        Some(self.stream?.recovery?.due_ns())
    }

    /// The session and the number of the next message to be handed on; `None` before a session and after its end.
    #[must_use]
    pub fn position(&self) -> Option<(Session, SequenceNumber)> {
        self.stream.map(|stream| (stream.session, stream.next))
    }

    /// What it has seen.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Finds the session the packet belongs to, begins it where it is new, and learns from the packet which numbers were
    /// sent. Gives the next number as it was before the packet, or `None` where the packet is stale.
    fn enter(
        &mut self,
        line: Line,
        packet: &Packet<'_>,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Option<SequenceNumber> {
        let session = packet.session();
        if self.stream.is_none_or(|stream| stream.session != session) {
            if line == Line::Recovery || self.finished == Some(session) {
                return None;
            }
            self.abandon(sink);
            let next = match (self.start, self.finished) {
                (Start::Live, None) => packet.sequence(),
                _ => SequenceNumber::FIRST,
            };
            self.stream = Some(Stream::new(session, next));
            self.counters.sessions += 1;
            sink(Delivery::SessionStarted(session));
        }
        let stream = self.stream.as_mut()?;
        if packet.sequence() > stream.known_end {
            self.counters.gaps += 1;
            // A packet may state any number: what is counted by numbers saturates.
            let missing = packet.sequence().since(stream.known_end);
            self.counters.missing = self.counters.missing.saturating_add(missing);
        }
        stream.known_end = stream.known_end.max(packet.end());
        let counters = &mut self.counters;
        let of_line = match line {
            Line::A => Some((0, &mut counters.skipped_a)),
            Line::B => Some((1, &mut counters.skipped_b)),
            Line::Recovery => None,
        };
        if let Some((place, skipped)) = of_line
            && let Some(end) = stream.line_ends.get_mut(place)
        {
            if *end >= SequenceNumber::FIRST {
                *skipped = skipped.saturating_add(packet.sequence().since(*end));
            }
            *end = (*end).max(packet.end());
        }
        counters.heartbeats += u64::from(packet.content() == Content::Heartbeat);
        stream.ended |= packet.content() == Content::EndOfSession;
        Some(stream.next)
    }

    /// Delivers, holds or drops one message.
    fn take(&mut self, line: Line, sequence: SequenceNumber, message: &[u8], sink: &mut impl FnMut(Delivery<'_>)) {
        let Some(stream) = &mut self.stream else { return };
        if sequence < stream.next || self.reorder.holds(sequence) {
            self.counters.duplicates += 1;
            return;
        }
        let is_first = u64::from(sequence.since(stream.next) < self.reorder.size());
        match line {
            Line::A => self.counters.first_a += is_first,
            Line::B => self.counters.first_b += is_first,
            Line::Recovery => {}
        }
        if sequence == stream.next {
            self.counters.messages += 1;
            stream.step();
            sink(Delivery::Message {
                sequence,
                bytes: message,
            });
            self.deliver_held(sink);
        } else if sequence.since(stream.next) < self.reorder.size() {
            self.counters.held += 1;
            self.reorder.hold(sequence, message);
        } else {
            self.counters.dropped += 1;
        }
    }

    /// Delivers what was held and is next.
    fn deliver_held(&mut self, sink: &mut impl FnMut(Delivery<'_>)) {
        let Some(stream) = &mut self.stream else { return };
        while let Some(bytes) = self.reorder.take(stream.next) {
            self.counters.messages += 1;
            sink(Delivery::Message {
                sequence: stream.next,
                bytes,
            });
            stream.step();
        }
    }

    /// After a change: ends the session where all of it was said, else opens, moves or closes the gap at its front.
    fn settle(&mut self, now_ns: u64, before: SequenceNumber, sink: &mut impl FnMut(Delivery<'_>)) {
        let Some(stream) = &mut self.stream else { return };
        if stream.next >= stream.known_end {
            stream.recovery = None;
            if let Some(since_ns) = stream.gap_since_ns.take() {
                let open_ns = now_ns.saturating_sub(since_ns);
                self.counters.gap_ns_max = self.counters.gap_ns_max.max(open_ns);
            }
            if stream.ended {
                self.abandon(sink);
            }
            return;
        }
        match &mut stream.recovery {
            None => {
                stream.recovery = Some(Recovery::opened(now_ns, stream.next, &self.config));
                stream.gap_since_ns.get_or_insert(now_ns);
            }
            Some(recovery) if stream.next > before => recovery.progressed(now_ns, stream.next, &self.config),
            Some(_) => {}
        }
    }

    /// Ends the current session, if there is one: says what is missing of it, and everything that is held.
    fn abandon(&mut self, sink: &mut impl FnMut(Delivery<'_>)) {
        while self.stream.is_some_and(|stream| stream.next < stream.known_end) {
            self.give_up_first_gap(sink);
        }
        if let Some(stream) = self.stream.take() {
            self.finished = Some(stream.session);
            sink(Delivery::SessionEnded { next: stream.next });
        }
    }

    /// Says that the messages before the first held one are lost, and goes on behind them.
    fn give_up_first_gap(&mut self, sink: &mut impl FnMut(Delivery<'_>)) {
        let Some(stream) = &mut self.stream else { return };
        let first = stream.next;
        stream.next = self
            .reorder
            .first_held(first, stream.known_end)
            .unwrap_or(stream.known_end);
        let count = stream.next.since(first);
        self.counters.lost = self.counters.lost.saturating_add(count);
        sink(Delivery::Lost { first, count });
        self.deliver_held(sink);
    }
}

impl Stream {
    const fn new(session: Session, next: SequenceNumber) -> Self {
        Self {
            session,
            next,
            known_end: next,
            ended: false,
            recovery: None,
            gap_since_ns: None,
            line_ends: [SequenceNumber(0); 2],
        }
    }

    /// Moves on by one message. Saturating: [`Packet::parse`] refuses numbers that leave 64 bits.
    fn step(&mut self) {
        self.next = SequenceNumber(self.next.0.saturating_add(1));
    }
}
