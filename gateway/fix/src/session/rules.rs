//! What a message from the peer means for the session (FIX 4.4 volume 2, and the public acceptance suites).
//!
//! The order of the checks: version, contents, time, identity, copies, number. Each answer is queued, none is sent here.

use alloc::format;
use alloc::sync::Arc;

use super::config::SessionConfig;
use super::event::{AdminKind, DisconnectReason};
use super::logon::Offer;
use super::outbox::{Admin, Outbox, Then};
use super::reject::reject;
use super::store::MessageStore;
use crate::dictionary::{RejectReason, Rejection};
use crate::message::{Garbled, Message};
use crate::tag::{Tag, tags};
use crate::time::{Monotonic, Now, UtcTimestamp};
use crate::version::Version;
use crate::words::{MsgSeqNum, MsgType};

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    AwaitingLogon {
        deadline: Monotonic,
    },
    /// The owner decides on a Logon.
    LogonOffered {
        relogon: bool,
    },
    Established,
    /// Our Logout is queued, and sent once there is a deadline.
    LoggingOut {
        deadline: Option<Monotonic>,
    },
    /// Our last word is queued; nothing is read.
    Closing,
    Closed,
}

/// What becomes of the current message, and what the owner is told.
#[derive(Debug)]
pub(super) enum Verdict {
    Done,
    Hold(MsgSeqNum),
    HoldSeen(MsgSeqNum),
    Deliver,
    Rejected,
    OfferLogon { relogon: bool },
    Garbled(Garbled),
}

/// The fields that every message is judged by.
struct Essentials {
    number: MsgSeqNum,
    sending_time: UtcTimestamp,
    poss_dup: bool,
}

#[derive(Debug)]
pub(super) struct Core<S> {
    pub(super) config: SessionConfig,
    /// What the Logon may choose from.
    pub(super) offered: Arc<[SessionConfig]>,
    pub(super) phase: Phase,
    pub(super) outbox: Outbox<S>,
    pub(super) offer: Option<Offer>,
    pub(super) heart_bt_int_ns: u64,
    pub(super) last_heard: Monotonic,
    /// A TestRequest of ours waits for any answer.
    pub(super) test_request_open: bool,
    pub(super) next_inbound: MsgSeqNum,
    /// A ResendRequest of ours is open until this number is reached.
    pub(super) gap_until: Option<MsgSeqNum>,
    disconnect: Option<DisconnectReason>,
}

impl<S: MessageStore> Core<S> {
    pub(super) fn new(offered: Arc<[SessionConfig]>, now: Now) -> Self {
        let config = offered.first().cloned();
        let config = config.unwrap_or(const { SessionConfig::new(Version::Fix44) });
        let outbox = Outbox::new(&config, now);
        let deadline = Monotonic(now.monotonic.0.saturating_add(config.logon_timeout_ns));
        Self {
            config,
            offered,
            phase: Phase::AwaitingLogon { deadline },
            outbox,
            offer: None,
            heart_bt_int_ns: 0,
            last_heard: now.monotonic,
            test_request_open: false,
            next_inbound: MsgSeqNum::FIRST,
            gap_until: None,
            disconnect: None,
        }
    }

    pub(super) const fn next_inbound(&self) -> MsgSeqNum {
        self.next_inbound
    }

    /// True where the next inbound message may be read.
    pub(super) fn reads(&self) -> bool {
        let listens = matches!(
            self.phase,
            Phase::AwaitingLogon { .. } | Phase::Established | Phase::LoggingOut { .. }
        );
        listens && self.outbox.has_room()
    }

    /// The number of which a held message may be taken up.
    pub(super) fn next_held(&self) -> Option<MsgSeqNum> {
        (self.phase == Phase::Established).then_some(self.next_inbound)
    }

    pub(super) fn close(&mut self, reason: DisconnectReason) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            self.disconnect = Some(reason);
            self.outbox.close();
        }
    }

    pub(super) fn take_disconnect(&mut self) -> Option<DisconnectReason> {
        if self.outbox.is_overfull() {
            self.close(DisconnectReason::TransmitFull);
        }
        self.disconnect.take()
    }

    pub(super) fn release_admin(&mut self, now: Now) -> Option<MsgSeqNum> {
        let (number, then) = self.outbox.release(now)?;
        match then {
            Then::GoOn => {}
            Then::AwaitLogout => {
                if let Phase::LoggingOut { deadline } = &mut self.phase {
                    *deadline = Some(Monotonic(now.monotonic.0.saturating_add(self.config.logout_timeout_ns)));
                }
            }
            Then::Disconnect(reason) => self.close(reason),
        }
        Some(number)
    }

    pub(super) fn logout(&mut self, text: &str) {
        match self.phase {
            Phase::Established => self.start_logout(text),
            Phase::AwaitingLogon { .. } | Phase::LogonOffered { .. } => self.close(DisconnectReason::LoggedOut),
            Phase::LoggingOut { .. } | Phase::Closing | Phase::Closed => {}
        }
    }

    fn start_logout(&mut self, text: &str) {
        self.outbox.queue(Admin::logout(text, Then::AwaitLogout));
        self.phase = Phase::LoggingOut { deadline: None };
    }

    pub(super) fn garbled(&mut self, garbled: Garbled) -> Verdict {
        if matches!(self.phase, Phase::AwaitingLogon { .. }) {
            self.close(DisconnectReason::GarbledLogon(garbled));
        }
        Verdict::Garbled(garbled)
    }

    /// The expected number was taken.
    pub(super) fn consume(&mut self) -> Verdict {
        self.expect(self.next_inbound.next());
        Verdict::Done
    }

    pub(super) fn expect(&mut self, number: MsgSeqNum) {
        self.next_inbound = number;
        if self.gap_until.is_some_and(|until| number >= until) {
            self.gap_until = None;
        }
    }

    fn consume_if_expected(&mut self, number: MsgSeqNum) {
        if number == self.next_inbound {
            self.consume();
        }
    }

    /// A message that just came.
    pub(super) fn receive(&mut self, now: Now, message: &Message<'_>) -> Verdict {
        if matches!(self.phase, Phase::AwaitingLogon { .. }) {
            return self.first_message(now, message);
        }
        self.last_heard = now.monotonic;
        self.test_request_open = false;
        let msg_type = message.msg_type();
        if matches!(self.phase, Phase::LoggingOut { .. })
            && msg_type != MsgType::LOGOUT
            && msg_type != MsgType::RESEND_REQUEST
        {
            return Verdict::Done;
        }
        if message.begin_string() != self.config.version.begin_string() {
            return self.wrong_begin_string(message);
        }
        match self.judge(now, message) {
            Ok(essentials) => self.by_number(message, &essentials),
            Err(Refusal { rejection, end }) => self.refuse(message, rejection, end),
        }
    }

    fn wrong_begin_string(&mut self, message: &Message<'_>) -> Verdict {
        let number = message.msg_seq_num();
        if message.msg_type() == MsgType::LOGOUT {
            return self.logged_out(number.unwrap_or(self.next_inbound));
        }
        if let Ok(number) = number {
            self.consume_if_expected(number);
        }
        if self.phase == Phase::Established {
            self.start_logout("Incorrect BeginString");
        }
        Verdict::Done
    }

    fn judge(&self, now: Now, message: &Message<'_>) -> Result<Essentials, Refusal> {
        let essentials = self.check_contents(message)?;
        if essentials.sending_time.distance_ns(now.utc) > self.config.sending_time_tolerance_ns {
            return Err(Refusal::ends(RejectReason::SendingTimeAccuracy));
        }
        if message.get(tags::SENDER_COMP_ID) != Some(&self.outbox.theirs)
            || message.get(tags::TARGET_COMP_ID) != Some(&self.outbox.ours)
        {
            return Err(Refusal::ends(RejectReason::CompIdProblem));
        }
        // Gap fills are new messages in old places: they need no original.
        if essentials.poss_dup && message.msg_type() != MsgType::SEQUENCE_RESET {
            let original = read_time(message, tags::ORIG_SENDING_TIME)?;
            if original > essentials.sending_time {
                return Err(Refusal::ends(RejectReason::SendingTimeAccuracy));
            }
        }
        Ok(essentials)
    }

    /// By the dictionaries where validation is on, and in any case what the session itself reads.
    fn check_contents(&self, message: &Message<'_>) -> Result<Essentials, Rejection> {
        match &self.config.validator {
            Some(validator) => validator.validate(message)?,
            None => {
                if let Some(field) = message.fields().find(|field| field.value.is_empty()) {
                    return Err(Rejection::of(RejectReason::TagWithoutValue, field.tag));
                }
                for tag in [tags::SENDER_COMP_ID, tags::TARGET_COMP_ID] {
                    message
                        .get(tag)
                        .ok_or(Rejection::of(RejectReason::RequiredTagMissing, tag))?;
                }
            }
        }
        match message.msg_type() {
            MsgType::TEST_REQUEST => {
                let tag = tags::TEST_REQ_ID;
                message
                    .get(tag)
                    .ok_or(Rejection::of(RejectReason::RequiredTagMissing, tag))?;
            }
            MsgType::RESEND_REQUEST => {
                read_number(message, tags::BEGIN_SEQ_NO)?;
                read_number(message, tags::END_SEQ_NO)?;
            }
            MsgType::SEQUENCE_RESET => _ = read_number(message, tags::NEW_SEQ_NO)?,
            _ => {}
        }
        Ok(Essentials {
            number: read_number(message, tags::MSG_SEQ_NUM)?,
            sending_time: read_time(message, tags::SENDING_TIME)?,
            poss_dup: message.is_set(tags::POSS_DUP_FLAG),
        })
    }

    /// Answers a bad message. Its number is consumed, unless it is one of those that move numbers themselves, or a copy
    /// that lacks its original time.
    fn refuse(&mut self, message: &Message<'_>, rejection: Rejection, end: bool) -> Verdict {
        let msg_type = message.msg_type();
        let moves_numbers = msg_type == MsgType::LOGON || msg_type == MsgType::SEQUENCE_RESET;
        let lacks_original = rejection == Rejection::of(RejectReason::RequiredTagMissing, tags::ORIG_SENDING_TIME);
        if let Ok(number) = message.msg_seq_num()
            && !moves_numbers
            && !lacks_original
        {
            self.consume_if_expected(number);
        }
        // A Reject is never answered by a Reject: two sessions would never end.
        if msg_type != MsgType::REJECT {
            self.outbox.queue(reject(self.config.version, message, rejection));
        }
        if end && self.phase == Phase::Established {
            self.start_logout("");
        }
        Verdict::Done
    }

    /// A good message: its number decides whether its turn has come. Some do not wait for their turn.
    fn by_number(&mut self, message: &Message<'_>, essentials: &Essentials) -> Verdict {
        let number = essentials.number;
        let is_old_copy = number < self.next_inbound && essentials.poss_dup;
        match message.msg_type() {
            // Without GapFillFlag(123) its own number does not count.
            MsgType::SEQUENCE_RESET if !message.is_set(tags::GAP_FILL_FLAG) => return self.move_expected(message),
            _ if is_old_copy => return Verdict::Done,
            MsgType::LOGOUT => return self.logged_out(number),
            MsgType::RESEND_REQUEST => return self.resend_request(message, number),
            MsgType::LOGON if message.is_set(tags::RESET_SEQ_NUM_FLAG) => return self.offer_relogon(message),
            _ => {}
        }
        if number < self.next_inbound {
            self.too_low(number);
            return Verdict::Done;
        }
        if number > self.next_inbound {
            self.request_resend(number);
            return Verdict::Hold(number);
        }
        self.act(message)
    }

    pub(super) fn too_low(&mut self, number: MsgSeqNum) {
        let text = format!(
            "MsgSeqNum too low, expecting {} but received {number}",
            self.next_inbound
        );
        self.outbox.queue(Admin::logout(
            &text,
            Then::Disconnect(DisconnectReason::MsgSeqNumTooLow),
        ));
        self.phase = Phase::Closing;
    }

    /// Asks for all from the expected number, once for a gap.
    pub(super) fn request_resend(&mut self, number: MsgSeqNum) {
        if self.gap_until.is_none() {
            self.gap_until = Some(number);
            let from = self.next_inbound;
            self.outbox.queue(Admin::new(AdminKind::ResendRequest, |body| {
                body.unsigned(tags::BEGIN_SEQ_NO, from.0).unsigned(tags::END_SEQ_NO, 0);
            }));
        }
    }

    /// A message whose turn has come.
    pub(super) fn act(&mut self, message: &Message<'_>) -> Verdict {
        match message.msg_type() {
            MsgType::SEQUENCE_RESET => return self.move_expected(message),
            MsgType::LOGON => return self.offer_relogon(message),
            _ => _ = self.consume(),
        }
        match message.msg_type() {
            MsgType::HEARTBEAT => Verdict::Done,
            MsgType::TEST_REQUEST => {
                let id = message.get(tags::TEST_REQ_ID).unwrap_or(b"");
                self.outbox.queue(Admin::new(AdminKind::Heartbeat, |body| {
                    _ = body.bytes(tags::TEST_REQ_ID, id)
                }));
                Verdict::Done
            }
            MsgType::REJECT => Verdict::Rejected,
            _ => Verdict::Deliver,
        }
    }

    /// SequenceReset, in either mode: NewSeqNo(36) may not go back. Its own number is never consumed.
    fn move_expected(&mut self, message: &Message<'_>) -> Verdict {
        match message.unsigned(tags::NEW_SEQ_NO).map(MsgSeqNum) {
            Ok(new) if new >= self.next_inbound => self.expect(new),
            _ => {
                let rejection = Rejection {
                    reason: RejectReason::ValueOutOfRange,
                    tag: None,
                };
                self.outbox.queue(reject(self.config.version, message, rejection));
            }
        }
        Verdict::Done
    }

    /// Served whatever its number is, so that two peers that both miss something do not wait for each other.
    fn resend_request(&mut self, message: &Message<'_>, number: MsgSeqNum) -> Verdict {
        let sent = self.outbox.next().0.saturating_sub(1);
        let first = message.unsigned(tags::BEGIN_SEQ_NO).unwrap_or(0);
        let last = match message.unsigned(tags::END_SEQ_NO) {
            Ok(0) | Err(_) => sent,
            Ok(last) => last.min(sent),
        };
        if first == 0 || first > last {
            let rejection = Rejection::of(RejectReason::ValueOutOfRange, tags::BEGIN_SEQ_NO);
            return self.refuse(message, rejection, false);
        }
        self.outbox.resend(MsgSeqNum(first), MsgSeqNum(last));
        if number > self.next_inbound && self.phase == Phase::Established {
            self.request_resend(number);
            return Verdict::HoldSeen(number);
        }
        self.consume_if_expected(number);
        Verdict::Done
    }

    /// A Logout counts whatever its number is.
    fn logged_out(&mut self, number: MsgSeqNum) -> Verdict {
        self.consume_if_expected(number);
        if matches!(self.phase, Phase::LoggingOut { .. }) {
            self.close(DisconnectReason::LoggedOut);
        } else {
            self.outbox
                .queue(Admin::logout("", Then::Disconnect(DisconnectReason::LoggedOut)));
            self.phase = Phase::Closing;
        }
        Verdict::Done
    }
}

/// Why a message is refused, and whether the session ends with it.
struct Refusal {
    rejection: Rejection,
    end: bool,
}

impl Refusal {
    const fn ends(reason: RejectReason) -> Self {
        Self {
            rejection: Rejection { reason, tag: None },
            end: true,
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self { rejection, end: false }
    }
}

fn read_number(message: &Message<'_>, tag: Tag) -> Result<MsgSeqNum, Rejection> {
    message
        .get(tag)
        .ok_or(Rejection::of(RejectReason::RequiredTagMissing, tag))?;
    message
        .unsigned(tag)
        .map(MsgSeqNum)
        .map_err(|_| Rejection::of(RejectReason::IncorrectDataFormat, tag))
}

fn read_time(message: &Message<'_>, tag: Tag) -> Result<UtcTimestamp, Rejection> {
    message
        .get(tag)
        .ok_or(Rejection::of(RejectReason::RequiredTagMissing, tag))?;
    message
        .timestamp(tag)
        .map_err(|_| Rejection::of(RejectReason::IncorrectDataFormat, tag))
}

impl<S: MessageStore> Core<S> {
    /// What a Logon must have besides being one.
    pub(super) fn check_logon(&self, now: Now, message: &Message<'_>) -> Result<MsgSeqNum, &'static str> {
        let essentials = self
            .check_contents(message)
            .map_err(|rejection| rejection.reason.text())?;
        if essentials.sending_time.distance_ns(now.utc) > self.config.sending_time_tolerance_ns {
            return Err(RejectReason::SendingTimeAccuracy.text());
        }
        Ok(essentials.number)
    }
}
