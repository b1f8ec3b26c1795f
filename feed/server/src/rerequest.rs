//! The re-request socket: messages once more for those who are entitled, within their budget.
//!
//! MoldUDP64 has no reject and no cookie. Whoever may not ask, asks wrongly or too much gets nothing and is counted, so a
//! forged source address never makes the feed send to someone who is not entitled. Requests wait in the socket's own
//! buffer; what does not fit there the system drops, and the asker asks again.

use rialto_itch::mold::{HEADER_LEN, Request, SequenceNumber};
use rialto_model::Monotonic;
use rialto_model::time::SECOND_NS;
use rialto_publisher::{Absent, Publisher};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::config::{Config, StartError};
use crate::counters::Cells;
use crate::history::{Asker, Found, History};

/// Requests looked at and answer packets sent in one poll at most: new messages never wait for more than these.
const WORK_PER_POLL: usize = 32;

#[derive(Debug)]
pub(crate) struct Rerequest {
    socket: UdpSocket,
    address: SocketAddr,
    /// Who is entitled, in order of address.
    sources: Vec<Source>,
    bytes_per_second: u64,
    messages_max: u16,
    datagram_max: usize,
    /// The one request being answered.
    answer: Option<Answer>,
    /// Who has what has gone from memory, if anybody.
    history: Option<History>,
    packet: Vec<u8>,
}

#[derive(Debug)]
struct Answer {
    who: Asker,
    /// What is still to be sent.
    rest: Rest,
    begun: bool,
}

#[derive(Debug)]
enum Rest {
    Memory(Request),
    History(Found),
}

/// An entitled source with what it may still get: a bucket that holds a second's bytes and fills in a second.
#[derive(Clone, Copy, Debug)]
struct Source {
    address: IpAddr,
    bytes: u64,
    filled_ns: u64,
}

impl Rerequest {
    pub(crate) fn open(config: &Config) -> Result<Self, StartError> {
        let bind = || {
            let socket = UdpSocket::bind(config.rerequest)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        };
        let (socket, address) = bind().map_err(|source| StartError::Socket {
            what: "re-requests",
            address: config.rerequest,
            source,
        })?;
        let mut entitled: Vec<IpAddr> = config.entitled.iter().map(IpAddr::to_canonical).collect();
        entitled.sort_unstable();
        entitled.dedup();
        let full = |address| Source {
            address,
            bytes: config.answer_bytes_per_second,
            filled_ns: 0,
        };
        Ok(Self {
            socket,
            address,
            sources: entitled.into_iter().map(full).collect(),
            bytes_per_second: config.answer_bytes_per_second,
            messages_max: config.answer_messages_max,
            datagram_max: config.publisher.datagram_max,
            answer: None,
            history: None,
            packet: Vec::with_capacity(config.publisher.datagram_max),
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on what has gone from memory is asked for there.
    pub(crate) fn set_history(&mut self, history: History) {
        self.history = Some(history);
    }

    /// Whether no request is half answered.
    pub(crate) const fn is_idle(&self) -> bool {
        // Nobody waits for history, not even the end.
        self.answer.is_none()
    }

    /// Goes on with the request at hand, then takes the next, and so on. Returns how much was done.
    pub(crate) fn poll(&mut self, now: Monotonic, publisher: &Publisher, counters: &Cells) -> usize {
        for done in 0..WORK_PER_POLL {
            if let Some(answer) = self.answer.take() {
                self.answer = self.advance(answer, now, publisher, counters);
            } else if let Some(found) = self.history.as_mut().and_then(History::poll) {
                self.answer = Some(Answer {
                    who: found.who,
                    rest: Rest::History(found),
                    begun: false,
                });
            } else {
                match self.receive(counters) {
                    Received::Nothing => return done,
                    Received::Refused => {}
                    Received::Request(answer) => self.answer = Some(answer),
                }
            }
        }
        WORK_PER_POLL
    }

    fn receive(&self, counters: &Cells) -> Received {
        // Room for one byte more than a request has: a longer datagram is seen to be none.
        let mut datagram = [0; HEADER_LEN + 1];
        let (len, to) = match self.socket.recv_from(&mut datagram) {
            Ok(received) => received,
            Err(error) => {
                if error.kind() != ErrorKind::WouldBlock {
                    counters.receive_errors.add(1);
                }
                return Received::Nothing;
            }
        };
        counters.requests.add(1);
        let from = to.ip().to_canonical();
        let Ok(source) = self.sources.binary_search_by_key(&from, |source| source.address) else {
            counters.strangers.add(1);
            return Received::Refused;
        };
        let Ok(mut rest) = Request::parse(datagram.get(..len).unwrap_or(&datagram)) else {
            counters.malformed.add(1);
            return Received::Refused;
        };
        if rest.count > self.messages_max {
            counters.capped.add(1);
            rest.count = self.messages_max;
        }
        Received::Request(Answer {
            who: Asker { to, source },
            rest: Rest::Memory(rest),
            begun: false,
        })
    }

    /// Sends the answer's next packet. What is left of the answer, if anything.
    fn advance(
        &mut self,
        mut answer: Answer,
        now: Monotonic,
        publisher: &Publisher,
        counters: &Cells,
    ) -> Option<Answer> {
        let left = match &mut answer.rest {
            Rest::Memory(rest) => match publisher.answer(rest, rest.count, &mut self.packet) {
                Ok(count) => {
                    rest.sequence = SequenceNumber(rest.sequence.0 + u64::from(count));
                    rest.count -= count;
                    rest.count > 0
                }
                Err(absent) => {
                    // Behind a first packet the end of what there is was reached, or of what is kept: the asker sees it.
                    if !answer.begun {
                        let rest = *rest;
                        self.refuse(answer.who, &rest, absent, now, counters);
                    }
                    return None;
                }
            },
            Rest::History(found) => {
                if !found.poll_packet(self.datagram_max, &mut self.packet) {
                    if !answer.begun {
                        counters.beyond_memory.add(1);
                    }
                    return None;
                }
                if !answer.begun {
                    counters.from_history.add(1);
                }
                true
            }
        };
        let bytes = self.packet.len() as u64;
        let source = self.sources.get_mut(answer.who.source)?;
        if !source.take(bytes, now, self.bytes_per_second) {
            counters.over_budget.add(1);
            return None;
        }
        match self.socket.send_to(&self.packet, answer.who.to) {
            Ok(_) => {
                counters.answers.add(1);
                counters.bytes.add(bytes);
            }
            Err(_) => counters.send_errors.add(1),
        }
        if !answer.begun {
            counters.served.add(1);
            answer.begun = true;
        }
        if let Rest::History(found) = &answer.rest
            && let Some(rest) = found.rest()
        {
            answer.rest = Rest::Memory(rest);
        }
        left.then_some(answer)
    }

    /// Counts what cannot be had, or asks for it where it may still be.
    fn refuse(&mut self, who: Asker, request: &Request, absent: Absent, now: Monotonic, counters: &Cells) {
        let floor = match absent {
            Absent::OtherSession => return counters.other_session.add(1),
            Absent::NotSent { .. } => return counters.not_sent.add(1),
            Absent::BeyondMemory { floor } => floor,
        };
        let Some(history) = &mut self.history else {
            return counters.beyond_memory.add(1);
        };
        // Nobody makes the journal be read for an answer that could not be sent.
        let source = self.sources.get_mut(who.source);
        if !source.is_some_and(|source| source.has(self.datagram_max as u64, now, self.bytes_per_second)) {
            counters.over_budget.add(1);
        } else if !history.ask(who, request, floor) {
            counters.history_busy.add(1);
        }
    }
}

enum Received {
    Nothing,
    Refused,
    Request(Answer),
}

impl Source {
    /// Takes `bytes` from the bucket, if there are as many.
    fn take(&mut self, bytes: u64, now: Monotonic, bytes_per_second: u64) -> bool {
        let enough = self.has(bytes, now, bytes_per_second);
        if enough {
            self.bytes -= bytes;
        }
        enough
    }

    /// Whether the bucket, filled up to now, has as many.
    fn has(&mut self, bytes: u64, now: Monotonic, bytes_per_second: u64) -> bool {
        let elapsed_ns = now.0.saturating_sub(self.filled_ns).min(SECOND_NS);
        // No more than bytes_per_second, so it fits 64 bits again.
        let gained = (u128::from(elapsed_ns) * u128::from(bytes_per_second) / u128::from(SECOND_NS)) as u64;
        if gained > 0 {
            self.bytes = self.bytes.saturating_add(gained).min(bytes_per_second);
            self.filled_ns = now.0;
        }
        bytes <= self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_gets_a_second_of_bytes_at_once_and_its_rate_from_then_on() {
        const RATE: u64 = 1_000_000;
        let mut source = Source {
            address: IpAddr::from([127, 0, 0, 1]),
            bytes: RATE,
            filled_ns: 0,
        };
        for (at_ns, bytes, gets) in [
            (0, 600_000, true),
            (0, 400_001, false),
            (0, 400_000, true),
            (0, 1, false),
            (999, 1, false),
            (1_000, 1, true),
            (500_001_000, 500_000, true),
            (500_001_000, 1, false),
            // The clock never steps back; if it did, nothing would be gained.
            (0, 1, false),
            // However long the silence, no more than a second's bytes.
            (u64::MAX, RATE + 1, false),
            (u64::MAX, RATE, true),
            (u64::MAX, 1, false),
        ] {
            assert_eq!(source.take(bytes, Monotonic(at_ns), RATE), gets, "{bytes} at {at_ns}");
        }
        // What is gained in a long silence at a high rate does not wrap around.
        const HIGH: u64 = 1 << 60;
        source = Source {
            bytes: 0,
            filled_ns: 0,
            ..source
        };
        assert!(source.take(HIGH, Monotonic(16 * SECOND_NS), HIGH));
    }
}
