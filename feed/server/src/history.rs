//! Requests for what has gone from memory, on their way to who has the journal and back.
//!
//! The stage waits for nobody: a request goes into a bounded ring, its answer comes out of another, and in between others
//! are served. Whoever asks when too many wait gets nothing, is counted, and asks again.

use rialto_itch::mold::{HEADER_LEN, Header, Request, SequenceNumber, Session};
use rialto_publisher::{HistoryAnswer, HistoryRequest};
use rialto_ring::spsc::{Consumer, Producer};
use std::net::SocketAddr;

/// Requests that wait for history at one time; so many answers at most are in memory.
pub const HISTORY_WAITING_MAX: usize = 16;

/// Both rings, and who waits for what.
#[derive(Debug)]
pub(crate) struct History {
    ask: Producer<HistoryRequest>,
    answers: Consumer<HistoryAnswer>,
    waiting: Vec<Waiting>,
    next_ticket: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    ticket: u64,
    session: Session,
    who: Asker,
    first: SequenceNumber,
    /// What of the request is still in memory, behind what is asked for.
    rest: u16,
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) to: SocketAddr,
    /// Its place in the sources.
    pub(crate) source: usize,
}

/// Messages that were found, and what of them is still to be sent.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) who: Asker,
    session: Session,
    next: SequenceNumber,
    count: u16,
    blocks: Vec<u8>,
    sent: usize,
    rest: u16,
}

impl History {
    pub(crate) const fn new(ask: Producer<HistoryRequest>, answers: Consumer<HistoryAnswer>) -> Self {
        Self {
            ask,
            answers,
            waiting: Vec::new(),
            next_ticket: 0,
        }
    }

    /// Asks for what of a request lies before `floor`. `false`: too many wait.
    pub(crate) fn ask(&mut self, who: Asker, request: &Request, floor: SequenceNumber) -> bool {
        if self.waiting.len() >= HISTORY_WAITING_MAX {
            return false;
        }
        let count = floor.since(request.sequence).min(request.count.into()) as u16;
        self.next_ticket += 1;
        let asked = HistoryRequest {
            ticket: self.next_ticket,
            session: request.session,
            first: request.sequence.0,
            count,
        };
        if self.ask.push(asked).is_err() {
            return false;
        }
        self.waiting.push(Waiting {
            ticket: self.next_ticket,
            session: request.session,
            who,
            first: request.sequence,
            rest: request.count - count,
        });
        true
    }

    /// The next answer; with nothing in it where the messages cannot be had.
    pub(crate) fn poll(&mut self) -> Option<Found> {
        while let Ok(answer) = self.answers.pop() {
            let place = self.waiting.iter().position(|one| one.ticket == answer.ticket);
            let Some(place) = place else { continue };
            let waiting = self.waiting.swap_remove(place);
            return Some(Found {
                who: waiting.who,
                session: waiting.session,
                next: waiting.first,
                count: answer.count,
                blocks: answer.blocks,
                sent: 0,
                rest: waiting.rest,
            });
        }
        None
    }
}

impl Found {
    /// Writes the next packet over what `packet` held, as full as one from memory. Says whether there is one.
    pub(crate) fn poll_packet(&mut self, datagram_max: usize, packet: &mut Vec<u8>) -> bool {
        packet.clear();
        packet.resize(HEADER_LEN, 0);
        let mut rest = self.blocks.get(self.sent..).unwrap_or_default();
        let mut count = 0;
        while let Some((block, more)) = HistoryAnswer::split(rest)
            && count < self.count
            && packet.len() + block.len() <= datagram_max
        {
            packet.extend_from_slice(block);
            count += 1;
            rest = more;
        }
        let header = Header {
            session: self.session,
            sequence: self.next,
            count,
        };
        if let Some(place) = packet.first_chunk_mut() {
            *place = header.to_bytes();
        }
        self.sent = self.blocks.len() - rest.len();
        self.count -= count;
        self.next.0 += u64::from(count);
        count > 0
    }

    /// What to go on with from memory once all of this has been sent.
    pub(crate) fn rest(&self) -> Option<Request> {
        (self.count == 0 && self.rest > 0).then_some(Request {
            session: self.session,
            sequence: self.next,
            count: self.rest,
        })
    }
}
