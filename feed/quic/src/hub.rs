//! The feed as the server has it: the messages of late, and the books for who is told less.

use rialto_conflate::{Conflation, Interest, Numbered};
use rialto_itch::mold::{self, BLOCK_LENGTH_LEN, HEADER_LEN, SequenceNumber, Session};
use rialto_itch::{Header, Message, StockLocate};
use rialto_publisher::{HistoryAnswer, Tick, TickKind};
use std::collections::VecDeque;

use crate::frames::{frame, put};
use crate::limits::{CHUNK_BYTES, LOG_MESSAGES_MAX, PACKET_BYTES_MAX};

#[derive(Debug, Default)]
pub(crate) struct Hub {
    pub(crate) conflation: Conflation,
    log: VecDeque<Logged>,
    /// The number of the first message in the log.
    first: u64,
    /// The messages of the command that is coming in, and what was the number behind the last whole one.
    command: Vec<Numbered>,
    next: u64,
    session: Option<Session>,
    /// The session has ended, and nothing more comes of it.
    ended: bool,
    /// Where the session before ended.
    previous_next: u64,
    /// Sessions begun: tells one from the next.
    days: u64,
    /// Messages of the session are missing: nothing can be told of it.
    broken: bool,
    time: Header,
    packed: Packed,
    pub(crate) messages: u64,
    pub(crate) gone: u64,
}

/// What was packed last for somebody who may see everything: whoever stands at the same number is told the same bytes.
#[derive(Debug, Default)]
struct Packed {
    /// The session's count, the first number, and the number behind the last whole command when it was packed.
    key: (u64, u64, u64),
    /// Where to go on.
    next: u64,
    frames: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Logged {
    len: u8,
    bytes: [u8; Message::LEN_MAX],
}

impl Logged {
    fn message(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl Hub {
    pub(crate) const fn session(&self) -> Option<Session> {
        self.session
    }

    /// The number behind the last whole command.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// The oldest number that is still there.
    pub(crate) const fn first(&self) -> u64 {
        self.first
    }

    pub(crate) const fn is_ended(&self) -> bool {
        self.ended
    }

    pub(crate) const fn is_broken(&self) -> bool {
        self.broken
    }

    pub(crate) const fn days(&self) -> u64 {
        self.days
    }

    pub(crate) const fn previous_next(&self) -> u64 {
        self.previous_next
    }

    /// Takes in what the ring brought.
    pub(crate) fn take(&mut self, tick: &Tick) {
        match tick.kind {
            TickKind::Session => self.begin(tick),
            TickKind::Ended => self.ended = true,
            TickKind::Gone { count } => {
                self.gone += count;
                self.broken = true;
            }
            TickKind::Message { .. } if self.broken => {}
            TickKind::Message { last } => self.message(tick, last),
        }
    }

    fn begin(&mut self, tick: &Tick) {
        let mut name = [b' '; 10];
        name.iter_mut()
            .zip(tick.bytes())
            .for_each(|(place, byte)| *place = *byte);
        let session = Session(name);
        self.previous_next = self.next;
        self.days += 1;
        self.session = Some(session);
        self.broken = false;
        self.ended = false;
        self.log.clear();
        self.command.clear();
        (self.first, self.next) = (1, 1);
        self.conflation.begin(session);
    }

    fn message(&mut self, tick: &Tick, last: bool) {
        self.messages += 1;
        let mut logged = Logged {
            len: tick.bytes().len() as u8,
            bytes: [0; Message::LEN_MAX],
        };
        logged
            .bytes
            .iter_mut()
            .zip(tick.bytes())
            .for_each(|(place, byte)| *place = *byte);
        if self.log.len() == LOG_MESSAGES_MAX {
            self.log.pop_front();
            self.first += 1;
        }
        self.log.push_back(logged);
        // What the publisher wrote is ITCH.
        if let Ok(message) = Message::decode(tick.bytes()) {
            self.time = *message.header();
            self.command.push(Numbered {
                sequence: tick.sequence,
                message,
            });
        }
        if last {
            self.conflation.follow(&self.command);
            self.command.clear();
            self.next = tick.sequence + 1;
        }
    }

    /// Appends what [`packets`](Self::packets) would up to the last whole command; packs it once for all who may see everything
    /// and stand at this number.
    pub(crate) fn packets_for_all(&mut self, from: u64, interest: &Interest, out: &mut Vec<u8>) -> u64 {
        if *interest != Interest::All || from >= self.next {
            return self.packets(from, u64::MAX, interest, out);
        }
        let key = (self.days, from, self.next);
        if self.packed.key != key {
            let mut frames = std::mem::take(&mut self.packed.frames);
            frames.clear();
            let next = self.packets(from, u64::MAX, interest, &mut frames);
            self.packed = Packed { key, next, frames };
        }
        out.extend_from_slice(&self.packed.frames);
        self.packed.next
    }

    /// Appends frames of packets with the messages of whole commands from `from` to before `end`, as many as one writing
    /// takes, and says where to go on.
    pub(crate) fn packets(&self, from: u64, end: u64, interest: &Interest, out: &mut Vec<u8>) -> u64 {
        let end = end.min(self.next);
        let Some(session) = self.session else { return from };
        let mut number = from;
        let full = out.len() + CHUNK_BYTES;
        while number < end && out.len() < full {
            frame(out, |out| {
                out.push(b'M');
                let start = out.len();
                out.extend_from_slice(&[0; HEADER_LEN]);
                let sequence = SequenceNumber(number);
                let mut count = 0;
                let behind = (number - self.first) as usize;
                for logged in self.log.range(behind..) {
                    let message = if self.may_see(logged.message(), interest) {
                        logged.message()
                    } else {
                        &[]
                    };
                    let room = out.len() - start + BLOCK_LENGTH_LEN + message.len() <= PACKET_BYTES_MAX;
                    if number >= end || !room {
                        break;
                    }
                    out.extend_from_slice(&(message.len() as u16).to_be_bytes());
                    out.extend_from_slice(message);
                    number += 1;
                    count += 1;
                }
                let header = mold::Header {
                    session,
                    sequence,
                    count,
                };
                if let Some(place) = out.get_mut(start..).and_then(|from| from.first_chunk_mut()) {
                    *place = header.to_bytes();
                }
            });
        }
        number
    }

    /// Appends frames of packets with the messages of `blocks`, the first of which has number `from`; messages that may not be
    /// seen have their number and no bytes. Says where to go on.
    pub(crate) fn packets_of(
        &self,
        session: Session,
        from: u64,
        mut blocks: &[u8],
        interest: &Interest,
        out: &mut Vec<u8>,
    ) -> u64 {
        let mut number = from;
        while !blocks.is_empty() {
            frame(out, |out| {
                out.push(b'M');
                let start = out.len();
                out.extend_from_slice(&[0; HEADER_LEN]);
                let sequence = SequenceNumber(number);
                let mut count = 0;
                while let Some((block, more)) = HistoryAnswer::split(blocks) {
                    let message = block.get(BLOCK_LENGTH_LEN..).unwrap_or_default();
                    let block = if self.may_see(message, interest) {
                        block
                    } else {
                        &[0; BLOCK_LENGTH_LEN]
                    };
                    if out.len() - start + block.len() > PACKET_BYTES_MAX {
                        break;
                    }
                    out.extend_from_slice(block);
                    blocks = more;
                    number += 1;
                    count += 1;
                }
                if count == 0 {
                    // Blocks come whole from the journal's side; what is none ends them.
                    blocks = &[];
                }
                let header = mold::Header {
                    session,
                    sequence,
                    count,
                };
                if let Some(place) = out.get_mut(start..).and_then(|from| from.first_chunk_mut()) {
                    *place = header.to_bytes();
                }
            });
        }
        number
    }

    /// Whether the message is about an instrument that may be seen.
    fn may_see(&self, message: &[u8], interest: &Interest) -> bool {
        let locate = match message {
            [_, high, low, ..] => StockLocate(u16::from_be_bytes([*high, *low])),
            _ => StockLocate(0),
        };
        *interest == Interest::All || locate.0 == 0 || interest.includes(self.conflation.market().stock(locate))
    }

    /// Appends the frame of a packet without messages: a heartbeat, or the end of the session.
    pub(crate) fn heartbeat(&self, out: &mut Vec<u8>) {
        let Some(session) = self.session else { return };
        let next = SequenceNumber(self.next);
        let header = if self.ended {
            mold::Header::end_of_session(session, next)
        } else {
            mold::Header::heartbeat(session, next)
        };
        put(out, b'M', &[&header.to_bytes()]);
    }

    /// Appends the frames of a snapshot of everything that may be seen, and gives the number it stands at.
    pub(crate) fn snapshot(&self, interest: &Interest, out: &mut Vec<u8>) -> u64 {
        let market = self.conflation.market();
        let number = self.next.saturating_sub(1);
        let session = self.session.unwrap_or(Session([b' '; 10]));
        put(out, b'B', &[&session.0, &number.to_be_bytes()]);
        let mut say = |message: &Message| {
            frame(out, |out| {
                out.push(b'I');
                message.append_to(out);
            });
        };
        market.venue_wide().for_each(&mut say);
        for locate in market.locates() {
            if interest.includes(market.stock(locate)) {
                market.restate(locate, self.time, &mut say);
            }
        }
        put(out, b'G', &[&self.next.to_be_bytes()]);
        number
    }
}
