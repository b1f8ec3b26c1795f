//! Messages out: numbers, administrative messages that wait for one, resends, and bytes that wait for the socket.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::config::{SessionConfig, Translate};
use super::event::{AdminKind, DisconnectReason, NotLoggedOn};
use super::store::{MessageStore, SentMessage};
use crate::limits::{MAX_PENDING_ADMIN, MAX_RESENDS, MAX_TRANSMIT_BYTES, TRANSMIT_CHUNK_BYTES};
use crate::message::{FieldWriter, MessageHeader, encode};
use crate::tag::tags;
use crate::time::{Monotonic, Now, TimePrecision, UtcTimestamp};
use crate::transmit::TransmitBuffer;
use crate::version::Version;
use crate::words::{MsgSeqNum, MsgType};

/// An administrative message without its number.
#[derive(Debug)]
pub(super) struct Admin {
    pub(super) kind: AdminKind,
    pub(super) header: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) then: Then,
}

/// What happens to the session once an administrative message is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    AwaitLogout,
    Disconnect(DisconnectReason),
}

impl Admin {
    /// A message with this body.
    pub(super) fn new(kind: AdminKind, write: impl FnOnce(&mut FieldWriter<'_>)) -> Self {
        let mut body = Vec::new();
        write(&mut FieldWriter::new(&mut body));
        Self {
            kind,
            header: Vec::new(),
            body,
            then: Then::GoOn,
        }
    }

    /// A Logout; without text where the suites want none.
    pub(super) fn logout(text: &str, then: Then) -> Self {
        Self {
            then,
            ..Self::new(AdminKind::Logout, |body| _ = body.text(tags::TEXT, text))
        }
    }
}

impl AdminKind {
    const fn msg_type(self) -> MsgType<'static> {
        match self {
            Self::Logon { .. } => MsgType::LOGON,
            Self::Heartbeat => MsgType::HEARTBEAT,
            Self::TestRequest => MsgType::TEST_REQUEST,
            Self::ResendRequest => MsgType::RESEND_REQUEST,
            Self::Reject => MsgType::REJECT,
            Self::Logout => MsgType::LOGOUT,
        }
    }
}

/// A bad message costs a Reject and a Logout; a timer or the owner may add one more.
const MOST_ADMIN_AT_ONCE: usize = 3;

/// How far a resend has come.
#[derive(Debug)]
struct Resend {
    next: MsgSeqNum,
    last: MsgSeqNum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// Only administrative messages go out: the Logon's answer has not.
    BeforeLogon,
    LoggedOn,
    /// Numbers are still given, nothing goes out.
    Closed,
}

#[derive(Debug)]
pub(super) struct Outbox<S> {
    version: Version,
    translate: Option<Translate>,
    /// Reused for each translated body.
    translated: Vec<u8>,
    time_precision: TimePrecision,
    pub(super) ours: Vec<u8>,
    pub(super) theirs: Vec<u8>,
    next: MsgSeqNum,
    store: Option<S>,
    pending: VecDeque<Admin>,
    /// How many of the pending, from the oldest, the owner was told of.
    announced: usize,
    resends: VecDeque<Resend>,
    transmit: TransmitBuffer,
    /// More than the bound waited once: what followed was not encoded.
    overfull: bool,
    link: Link,
    pub(super) last_sent: Monotonic,
}

impl<S: MessageStore> Outbox<S> {
    pub(super) fn new(config: &SessionConfig, now: Now) -> Self {
        Self {
            version: config.version,
            translate: config.translate,
            translated: Vec::new(),
            time_precision: config.time_precision,
            ours: Vec::new(),
            theirs: Vec::new(),
            next: MsgSeqNum::FIRST,
            store: None,
            pending: VecDeque::new(),
            announced: 0,
            resends: VecDeque::new(),
            transmit: TransmitBuffer::new(),
            overfull: false,
            link: Link::BeforeLogon,
            last_sent: now.monotonic,
        }
    }

    /// From here on everything is said as this profile has it.
    pub(super) const fn speak(&mut self, config: &SessionConfig) {
        self.version = config.version;
        self.translate = config.translate;
        self.time_precision = config.time_precision;
    }

    /// The session becomes the one of this peer.
    pub(super) fn begin(&mut self, ours: Vec<u8>, theirs: Vec<u8>, next: MsgSeqNum, store: S) {
        self.ours = ours;
        self.theirs = theirs;
        self.next = next;
        self.store = Some(store);
    }

    pub(super) const fn next(&self) -> MsgSeqNum {
        self.next
    }

    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn is_logged_on(&self) -> bool {
        self.link == Link::LoggedOn
    }

    pub(super) fn into_store(self) -> Option<S> {
        self.store
    }

    pub(super) const fn close(&mut self) {
        self.link = Link::Closed;
    }

    /// True while there is room for what one more inbound message may cause.
    pub(super) fn has_room(&self) -> bool {
        self.pending.len() + MOST_ADMIN_AT_ONCE <= MAX_PENDING_ADMIN && self.resends.len() < MAX_RESENDS
    }

    pub(super) const fn is_overfull(&self) -> bool {
        self.overfull
    }

    pub(super) fn queue(&mut self, admin: Admin) {
        self.pending.push_back(admin);
    }

    /// The next pending message that the owner has not been told of.
    pub(super) fn announce(&mut self) -> Option<AdminKind> {
        let kind = self.pending.get(self.announced)?.kind;
        self.announced += 1;
        Some(kind)
    }

    /// Numbers and encodes the oldest pending message.
    pub(super) fn release(&mut self, now: Now) -> Option<(MsgSeqNum, Then)> {
        let admin = self.pending.pop_front()?;
        self.announced = self.announced.saturating_sub(1);
        if let AdminKind::Logon { reset: true } = admin.kind {
            self.next = MsgSeqNum::FIRST;
            self.resends.clear();
            if let Some(store) = &mut self.store {
                store.clear();
            }
        }
        let number = self.take_number();
        if self.link != Link::Closed {
            self.last_sent = now.monotonic;
            self.encode(number, admin.kind.msg_type(), now.utc, None, &admin.header, &admin.body);
            if let AdminKind::Logon { .. } = admin.kind {
                self.link = Link::LoggedOn;
            }
        }
        Some((number, admin.then))
    }

    pub(super) fn send(
        &mut self,
        now: Now,
        msg_type: MsgType<'_>,
        header: &[u8],
        body: &[u8],
    ) -> Result<MsgSeqNum, NotLoggedOn> {
        if self.store.is_none() {
            return Err(NotLoggedOn);
        }
        let number = self.next;
        if let Some(store) = &mut self.store {
            store.record(
                number,
                SentMessage {
                    msg_type,
                    sending_time: now.utc,
                    header,
                    body,
                },
            );
        }
        self.send_once(now, msg_type, header, body)
    }

    pub(super) fn send_once(
        &mut self,
        now: Now,
        msg_type: MsgType<'_>,
        header: &[u8],
        body: &[u8],
    ) -> Result<MsgSeqNum, NotLoggedOn> {
        if self.store.is_none() {
            return Err(NotLoggedOn);
        }
        let number = self.take_number();
        if self.link == Link::LoggedOn {
            self.last_sent = now.monotonic;
            self.encode_application(number, msg_type, now.utc, None, header, body);
        }
        Ok(number)
    }

    fn take_number(&mut self) -> MsgSeqNum {
        let number = self.next;
        self.next = number.next();
        number
    }

    /// Will send again what was sent from `first` to `last`, both included.
    pub(super) fn resend(&mut self, first: MsgSeqNum, last: MsgSeqNum) {
        self.resends.push_back(Resend { next: first, last });
    }

    /// Encodes a message whose body is in the form in which it is kept.
    fn encode_application(
        &mut self,
        number: MsgSeqNum,
        msg_type: MsgType<'_>,
        sending_time: UtcTimestamp,
        orig_sending_time: Option<UtcTimestamp>,
        extra: &[u8],
        body: &[u8],
    ) {
        let Some(translate) = self.translate else {
            return self.encode(number, msg_type, sending_time, orig_sending_time, extra, body);
        };
        let mut translated = core::mem::take(&mut self.translated);
        translated.clear();
        translate(self.version, msg_type, body, &mut translated);
        self.encode(number, msg_type, sending_time, orig_sending_time, extra, &translated);
        self.translated = translated;
    }

    fn encode(
        &mut self,
        number: MsgSeqNum,
        msg_type: MsgType<'_>,
        sending_time: UtcTimestamp,
        orig_sending_time: Option<UtcTimestamp>,
        extra: &[u8],
        body: &[u8],
    ) {
        let header = MessageHeader {
            begin_string: self.version.begin_string(),
            msg_type,
            msg_seq_num: number,
            sender_comp_id: &self.ours,
            target_comp_id: &self.theirs,
            sending_time,
            orig_sending_time,
            time_precision: self.time_precision,
            extra,
        };
        encode(&header, body, &mut self.transmit.bytes);
        if self.transmit.waiting().len() > MAX_TRANSMIT_BYTES {
            self.overfull = true;
            self.link = Link::Closed;
        }
    }

    pub(super) fn transmit(&mut self, now: Now) -> &[u8] {
        while self.link == Link::LoggedOn
            && self.transmit.waiting().len() < TRANSMIT_CHUNK_BYTES
            && let Some(resend) = self.resends.front()
        {
            let (next, last) = (resend.next, resend.last);
            let continued = self.resend_one(now, next, last);
            match self.resends.front_mut() {
                Some(resend) if continued <= last => resend.next = continued,
                _ => _ = self.resends.pop_front(),
            }
        }
        self.transmit.waiting()
    }

    /// Sends a copy of `next`, or one gap fill up to the next message that has one. Gives the number to go on from.
    fn resend_one(&mut self, now: Now, next: MsgSeqNum, last: MsgSeqNum) -> MsgSeqNum {
        self.last_sent = now.monotonic;
        // Taken out for the call: the store's message is borrowed while the encoder writes to another part of us.
        let store = self.store.take();
        let found = store
            .as_ref()
            .and_then(|store| store.next_from(next))
            .filter(|&(number, _)| number <= last);
        let continued = match found {
            Some((number, message)) if number == next => {
                let original = Some(message.sending_time);
                self.encode_application(
                    number,
                    message.msg_type,
                    now.utc,
                    original,
                    message.header,
                    message.body,
                );
                number.next()
            }
            found => {
                let new_seq_no = found.map_or(last.next(), |(number, _)| number);
                let mut body = Vec::new();
                FieldWriter::new(&mut body)
                    .unsigned(tags::NEW_SEQ_NO, new_seq_no.0)
                    .boolean(tags::GAP_FILL_FLAG, true);
                self.encode(next, MsgType::SEQUENCE_RESET, now.utc, Some(now.utc), b"", &body);
                new_seq_no
            }
        };
        self.store = store;
        continued
    }

    pub(super) fn transmitted(&mut self, bytes: usize) {
        self.transmit.taken(bytes);
    }
}
