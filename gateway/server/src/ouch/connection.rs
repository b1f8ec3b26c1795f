//! One connection at the OUCH door: the SoupBinTCP session and how far its owner has let it in.

use rialto_model::{RejectReason, SessionId, TradingDay, UserRef};
use rialto_ouch::messages::ClOrdId;
use rialto_ouch::soup::{LoginRequest, ServerSession};

use crate::door::Peer;
use crate::floor::Moment;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody yet.
    Stranger,
    /// The verifier has been asked.
    Checking(LoginRequest),
    /// May come in as soon as the connection before has left.
    Granted { session: SessionId, login: LoginRequest },
    /// The session's coming up is on its way through the stream.
    Coming { session: SessionId, login: LoginRequest },
    /// Logged in, reading the messages of this day.
    In { session: SessionId, date: TradingDay },
    /// The session's loss is on its way or done; the member is still sent what there is, then the end of session.
    Leaving {
        session: SessionId,
        date: TradingDay,
        since_ns: u64,
    },
    /// Nothing more to do but write.
    Done,
}

pub(crate) struct Connection {
    pub(super) soup: ServerSession,
    pub(super) stage: Stage,
    pub(super) sent: SentPackets,
    /// References that were over the session's rate or the firm's budget, one behind the other, and not yet refused in the stream.
    pub(super) over_rate: Option<OverRate>,
}

/// A run of references over the rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct OverRate {
    pub(super) count: u32,
    pub(super) last: UserRef,
    /// Over which rate.
    pub(super) reason: RejectReason,
    pub(super) client_id: ClOrdId,
}

impl Connection {
    pub(super) fn new(soup: ServerSession) -> Self {
        Self {
            soup,
            stage: Stage::Stranger,
            sent: SentPackets::default(),
            over_rate: None,
        }
    }

    /// The session that this connection has, is getting or is giving up.
    pub(super) fn session(&self) -> Option<SessionId> {
        match self.stage {
            Stage::Coming { session, .. } | Stage::In { session, .. } | Stage::Leaving { session, .. } => Some(session),
            Stage::Stranger | Stage::Checking(_) | Stage::Granted { .. } | Stage::Done => None,
        }
    }
}

impl Peer for Connection {
    fn handle_bytes(&mut self, now: Moment, bytes: &[u8]) -> usize {
        self.soup.handle_bytes(now.monotonic_ns, bytes)
    }

    fn handle_timer(&mut self, now: Moment) {
        self.soup.handle_timer(now.monotonic_ns);
    }

    fn handle_disconnect(&mut self) {
        self.soup.handle_disconnect();
    }

    fn output(&mut self, _: Moment) -> &[u8] {
        self.soup.poll_output()
    }

    fn handle_sent(&mut self, now: Moment, count: usize, sent: impl FnMut(u8)) {
        let bytes = self.soup.poll_output();
        self.sent.pass(bytes.get(..count).unwrap_or(bytes), sent);
        self.soup.handle_sent(now.monotonic_ns, count);
    }

    fn member(&self) -> Option<SessionId> {
        match self.stage {
            Stage::In { session, .. } => Some(session),
            _ => None,
        }
    }

    fn is_over(&self) -> bool {
        self.stage == Stage::Done
    }
}

/// Follows the bytes that the socket took, so that packets are counted when their last byte is out.
#[derive(Debug, Default)]
pub(super) struct SentPackets {
    /// The length and type of the packet under way, as far as they are out.
    head: [u8; 3],
    head_len: usize,
    /// Bytes of the packet under way that are still to come.
    left: usize,
}

impl SentPackets {
    fn pass(&mut self, mut bytes: &[u8], mut packet: impl FnMut(u8)) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let Some(place) = self.head.get_mut(self.head_len) {
                *place = byte;
                self.head_len += 1;
                bytes = rest;
                if self.head_len == self.head.len() {
                    // The length counts the type byte.
                    self.left = usize::from(u16::from_be_bytes([self.head[0], self.head[1]])).saturating_sub(1);
                }
            } else {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = bytes.get(taken..).unwrap_or_default();
            }
            if self.head_len == self.head.len() && self.left == 0 {
                packet(self.head[2]);
                self.head_len = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_counted_with_its_last_byte_however_it_is_cut() {
        let bytes = b"\x00\x01H\x00\x04Sabc\x00\x01Z\x00\x02Sx";
        for cut in 1..bytes.len() {
            let (mut sent, mut seen) = (SentPackets::default(), String::new());
            for piece in bytes.chunks(cut) {
                sent.pass(piece, |kind| seen.push(char::from(kind)));
            }
            assert_eq!(seen, "HSZS", "pieces of {cut}");
            let (mut sent, mut seen) = (SentPackets::default(), String::new());
            sent.pass(&bytes[..cut], |kind| seen.push(char::from(kind)));
            let whole = [3, 9, 12, 16].iter().filter(|end| **end <= cut).count();
            assert_eq!(seen.len(), whole, "the first {cut} bytes");
        }
    }
}
