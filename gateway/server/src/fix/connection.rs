//! One connection at the FIX door: the sans-IO session and how far its owner has let it in.

use std::collections::VecDeque;
use std::sync::Arc;

use rialto_fix::message::{FieldWriter, Message};
use rialto_fix::session::{BusinessRejectReason, Session, SessionConfig};
use rialto_fix::{Monotonic, MsgSeqNum, MsgType, Now, UtcTimestamp, tags};
use rialto_model::{InstrumentId, RejectReason, SessionId, Timestamp};

use super::market::Subscription;
use super::order_table::Order;
use super::store::Store;
use crate::door::Peer;
use crate::floor::Moment;

/// Answers that wait for their number, from which on nothing more is read. One question may have more.
pub(super) const PENDING_ANSWERS: usize = 64;

/// Who wants to log on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Logon {
    pub(super) name: Vec<u8>,
    /// MsgSeqNum(34) of the Logon.
    pub(super) inbound: u32,
    /// ResetSeqNumFlag(141).
    pub(super) reset: bool,
}

/// How far a connection has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody yet.
    Stranger,
    /// The verifier has been asked.
    Checking(Logon),
    /// May come in as soon as the connection before has left.
    Granted { session: SessionId, logon: Logon },
    /// The session's coming up is on its way through the stream.
    Coming { session: SessionId },
    /// Logged on.
    In { session: SessionId },
    /// Nothing more to do but write.
    Done,
}

/// An answer that waits for its number.
#[derive(Debug)]
pub(super) enum Pending {
    /// It stands as it is.
    Message {
        msg_type: MsgType<'static>,
        header: Vec<u8>,
        body: Vec<u8>,
    },
    /// How this order stands by then; as it stood here, where it has ended.
    Status(Box<Order>, Option<MassPart>),
    /// How this instrument stands by then.
    State(Vec<u8>, InstrumentId),
    /// A snapshot of this instrument for the subscription of this id.
    Book(Vec<u8>, InstrumentId),
}

/// The place of a status among the answers to a mass status request.
#[derive(Debug)]
pub(super) struct MassPart {
    pub(super) request: Vec<u8>,
    pub(super) of: u64,
    pub(super) last: bool,
}

impl Pending {
    /// A message that stands as it is.
    pub(super) const fn new(msg_type: MsgType<'static>, body: Vec<u8>) -> Self {
        Self::Message {
            msg_type,
            header: Vec::new(),
            body,
        }
    }

    /// The note by which it takes its number, where it goes alone.
    pub(super) fn note(&self) -> u8 {
        let msg_type = match self {
            Self::Message { msg_type, .. } => *msg_type,
            Self::Status(..) => MsgType::EXECUTION_REPORT,
            Self::State(..) => MsgType::SECURITY_STATUS,
            Self::Book(..) => MsgType::MARKET_DATA_SNAPSHOT,
        };
        msg_type.0.first().copied().unwrap_or_default()
    }
}

/// Messages over the rate, one behind the other.
#[derive(Debug)]
pub(super) struct OverRate {
    first: u64,
    last: u64,
    /// Over the session's rate or the firm's budget.
    reason: RejectReason,
    msg_type: Vec<u8>,
}

impl OverRate {
    pub(super) fn of(message: &Message<'_>, reason: RejectReason) -> Self {
        let number = message.msg_seq_num().map_or(0, |number| number.0);
        Self {
            first: number,
            last: number,
            reason,
            msg_type: message.msg_type().0.to_vec(),
        }
    }
}

/// What a connection is told of the market.
#[derive(Debug, Default)]
pub(super) struct Interests {
    pub(super) market: Vec<Subscription>,
    /// Instruments whose state is told when it changes, by request.
    pub(super) states: Vec<(Vec<u8>, InstrumentId)>,
    /// The next news have a number on the way.
    pub(super) asked: bool,
}

impl Interests {
    pub(super) fn has_news(&self) -> bool {
        self.market.iter().any(Subscription::has_news)
    }

    /// How many requests stand.
    pub(super) fn count(&self) -> usize {
        self.market.len() + self.states.len()
    }
}

pub(crate) struct Connection {
    /// Gone once the line was given back.
    pub(super) fix: Option<Box<Session<Store>>>,
    pub(super) stage: Stage,
    /// Whose line it has, or had.
    pub(super) held: Option<SessionId>,
    pub(super) answers: VecDeque<Pending>,
    /// How many of the answers, from the oldest, have their number on the way.
    pub(super) asked: usize,
    pub(super) interests: Interests,
    /// Messages that were refused one behind the other and not yet answered.
    over_rate: Option<OverRate>,
    /// The exchange has said Logout, so the end is its doing.
    pub(super) dismissed: bool,
    /// The other end has hung up.
    pub(super) lost: bool,
    sent: SentMessages,
}

impl Connection {
    pub(super) fn new(versions: Arc<[SessionConfig]>, now: Moment) -> Self {
        Self {
            fix: Some(Box::new(Session::offering(versions, fix_now(now)))),
            stage: Stage::Stranger,
            held: None,
            answers: VecDeque::new(),
            asked: 0,
            interests: Interests::default(),
            over_rate: None,
            dismissed: false,
            lost: false,
            sent: SentMessages::default(),
        }
    }

    /// The session that this connection has, is getting or may get.
    pub(super) fn session(&self) -> Option<SessionId> {
        match self.stage {
            Stage::Coming { session } | Stage::In { session } => Some(session),
            Stage::Stranger | Stage::Checking(_) | Stage::Granted { .. } | Stage::Done => None,
        }
    }

    pub(super) fn send(&mut self, now: Moment, stamp: Timestamp, msg_type: MsgType<'_>, header: &[u8], body: &[u8]) {
        if let Some(fix) = &mut self.fix {
            let now = Now {
                utc: UtcTimestamp(stamp.0),
                ..fix_now(now)
            };
            // Whoever has the line was let in.
            let _ = fix.send(now, msg_type, header, body);
        }
    }

    pub(super) fn send_once(
        &mut self,
        now: Moment,
        stamp: Timestamp,
        msg_type: MsgType<'_>,
        header: &[u8],
        body: &[u8],
    ) {
        if let Some(fix) = &mut self.fix {
            let now = Now {
                utc: UtcTimestamp(stamp.0),
                ..fix_now(now)
            };
            // Whoever has the line was let in.
            let _ = fix.send_once(now, msg_type, header, body);
        }
    }

    pub(super) fn next_inbound(&self) -> MsgSeqNum {
        self.fix.as_ref().map_or(MsgSeqNum::FIRST, |fix| fix.next_inbound())
    }

    /// Notes a message that is over the session's rate or the firm's budget.
    pub(super) fn over_rate(&mut self, refused: OverRate) {
        if self.over_rate.as_ref().is_some_and(|run| run.reason != refused.reason) {
            self.tell_over_rate();
        }
        match &mut self.over_rate {
            Some(run) => run.last = refused.last,
            none => *none = Some(refused),
        }
    }

    /// Answers the messages that were over the rate: one answer for a run of them.
    pub(super) fn tell_over_rate(&mut self) {
        if let Some(run) = self.over_rate.take() {
            let mut body = Vec::new();
            let which = match run.reason {
                RejectReason::FirmOverRate => "budget of this firm, all its sessions together,",
                _ => "rate of this session",
            };
            let text = format!(
                "messages {} to {} were over the {which} and not taken: send slower",
                run.first, run.last
            );
            FieldWriter::new(&mut body)
                .unsigned(tags::REF_SEQ_NUM, run.first)
                .text(tags::TEXT, &text)
                .bytes(tags::REF_MSG_TYPE, &run.msg_type)
                .unsigned(tags::BUSINESS_REJECT_REASON, BusinessRejectReason::Other as u64);
            self.answers
                .push_back(Pending::new(MsgType::BUSINESS_MESSAGE_REJECT, body));
        }
    }

    /// Gives the numbers and messages back; nothing more is read or said here.
    pub(super) fn hang_up(&mut self) -> Option<(MsgSeqNum, Store)> {
        self.stage = Stage::Done;
        let fix = self.fix.take()?;
        Some((fix.next_outbound(), fix.into_store()?))
    }
}

/// The door's time as the session takes it.
pub(super) fn fix_now(now: Moment) -> Now {
    Now {
        monotonic: Monotonic(now.monotonic_ns),
        utc: UtcTimestamp(now.wall.0),
    }
}

impl Peer for Connection {
    fn handle_bytes(&mut self, _: Moment, bytes: &[u8]) -> usize {
        match (&mut self.fix, &self.stage) {
            (Some(fix), stage) if *stage != Stage::Done => fix.handle_bytes(bytes),
            _ => bytes.len(),
        }
    }

    fn handle_timer(&mut self, now: Moment) {
        if let Some(fix) = &mut self.fix {
            fix.handle_timer(fix_now(now));
        }
    }

    fn handle_disconnect(&mut self) {
        self.lost = true;
    }

    fn output(&mut self, now: Moment) -> &[u8] {
        self.fix.as_mut().map_or(&[], |fix| fix.transmit(fix_now(now)))
    }

    fn handle_sent(&mut self, now: Moment, count: usize, sent: impl FnMut(u8)) {
        if let Some(fix) = &mut self.fix {
            let bytes = fix.transmit(fix_now(now));
            self.sent.pass(bytes.get(..count).unwrap_or(bytes), sent);
            fix.transmitted(count);
        }
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

/// Follows the bytes that the socket took, so that messages are counted when their last byte is out.
#[derive(Debug, Default)]
struct SentMessages {
    state: SentState,
    /// BodyLength(9) as far as it was read, then the bytes that are still to come.
    left: usize,
    kind: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SentState {
    /// In `8=...`.
    #[default]
    Begin,
    /// In `9=...`.
    Length,
    /// In the body, so many bytes behind its first, of which the type is one.
    Body(usize),
}

/// `35=` stands before the type.
const TYPE_AT: usize = 3;
/// `10=nnn` and its delimiter.
const TRAILER: usize = 7;

impl SentMessages {
    fn pass(&mut self, mut bytes: &[u8], mut message: impl FnMut(u8)) {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.state {
                SentState::Begin => {
                    if byte == rialto_fix::message::SOH {
                        self.state = SentState::Length;
                        self.left = 0;
                    }
                    bytes = rest;
                }
                SentState::Length => {
                    match byte {
                        b'=' => self.left = 0,
                        b'0'..=b'9' => {
                            self.left = self.left.saturating_mul(10).saturating_add(usize::from(byte - b'0'));
                        }
                        _ => {
                            self.left = self.left.saturating_add(TRAILER);
                            self.state = SentState::Body(0);
                        }
                    }
                    bytes = rest;
                }
                // Its length is known, so its bytes are passed over together.
                SentState::Body(at) => {
                    let count = self.left.min(bytes.len());
                    if let Some(&kind) = TYPE_AT.checked_sub(at).and_then(|type_at| bytes.get(type_at)) {
                        self.kind = kind;
                    }
                    self.left -= count;
                    self.state = SentState::Body(at + count);
                    if self.left == 0 {
                        message(self.kind);
                        self.state = SentState::Begin;
                    }
                    bytes = bytes.get(count..).unwrap_or_default();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_counted_with_its_last_byte_however_it_is_cut() {
        let bytes = b"8=FIX.4.4\x019=5\x0135=0\x0110=161\x018=FIX.4.4\x019=10\x0135=8\x0137=1\x0110=001\x01";
        for cut in 1..bytes.len() {
            let (mut sent, mut seen) = (SentMessages::default(), String::new());
            for piece in bytes.chunks(cut) {
                sent.pass(piece, |kind| seen.push(char::from(kind)));
            }
            assert_eq!(seen, "08", "pieces of {cut}");
        }
        let (mut sent, mut seen) = (SentMessages::default(), 0);
        sent.pass(&bytes[..bytes.len() - 1], |_| seen += 1);
        assert_eq!(seen, 1, "the last byte is not out");
    }
}
