//! The Logon: offered to the owner first, in force only once accepted.

use alloc::vec::Vec;

use super::config::SessionConfig;
use super::event::{AdminKind, DisconnectReason, NoLogonOffered};
use super::outbox::Admin;
use super::rules::{Core, Phase, Verdict};
use super::store::MessageStore;
use crate::limits::{MAX_COMP_ID_BYTES, MAX_HEART_BT_INT_SECONDS};
use crate::message::Message;
use crate::tag::tags;
use crate::time::Now;
use crate::words::{MsgSeqNum, MsgType};

/// A Logon that waits for the owner.
#[derive(Debug)]
pub(super) struct Offer {
    number: MsgSeqNum,
    reset: bool,
    heart_bt_int_seconds: u64,
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

impl<S: MessageStore> Core<S> {
    /// The connection's first message: an acceptable Logon, or the end without a word.
    pub(super) fn first_message(&mut self, now: Now, message: &Message<'_>) -> Verdict {
        self.choose_version(message);
        match self.read_first(now, message) {
            Ok(offer) => {
                self.offer = Some(offer);
                self.phase = Phase::LogonOffered { relogon: false };
                Verdict::OfferLogon { relogon: false }
            }
            Err(why) => {
                self.close(DisconnectReason::InvalidLogon(why));
                Verdict::Done
            }
        }
    }

    /// The version that the peer speaks, if it is one of those offered.
    fn choose_version(&mut self, message: &Message<'_>) {
        let spoken = |config: &&SessionConfig| config.version.begin_string() == message.begin_string();
        if let Some(config) = self.offered.iter().find(spoken) {
            self.config = config.clone();
            self.outbox.speak(config);
        }
    }

    fn read_first(&self, now: Now, message: &Message<'_>) -> Result<Offer, &'static str> {
        if self.offered.is_empty() || message.begin_string() != self.config.version.begin_string() {
            return Err("BeginString(8) is of another version");
        }
        if message.msg_type() != MsgType::LOGON {
            return Err("the first message must be a Logon");
        }
        self.check_logon(now, message)?;
        self.read_offer(message)
    }

    fn read_offer(&self, message: &Message<'_>) -> Result<Offer, &'static str> {
        if message.get(tags::ENCRYPT_METHOD) != Some(b"0") {
            return Err("EncryptMethod(98) must be 0");
        }
        if message.get(tags::DEFAULT_APPL_VER_ID) != self.config.version.default_appl_ver_id()
            && self.config.version.default_appl_ver_id().is_some()
        {
            return Err("DefaultApplVerID(1137) must be that of the version spoken");
        }
        let heart_bt_int_seconds = message
            .unsigned(tags::HEART_BT_INT)
            .ok()
            .filter(|&seconds| seconds <= MAX_HEART_BT_INT_SECONDS)
            .ok_or("HeartBtInt(108) must be 0 to 86,400 seconds (MAX_HEART_BT_INT_SECONDS)")?;
        let comp_id = |tag| match message.get(tag) {
            Some(id) if id.len() <= MAX_COMP_ID_BYTES => Ok(id.to_vec()),
            _ => Err("SenderCompID(49) and TargetCompID(56) have at most 64 bytes (MAX_COMP_ID_BYTES)"),
        };
        Ok(Offer {
            number: message.msg_seq_num().map_err(|_| "MsgSeqNum(34) must be a number")?,
            reset: message.is_set(tags::RESET_SEQ_NUM_FLAG),
            heart_bt_int_seconds,
            ours: comp_id(tags::TARGET_COMP_ID)?,
            theirs: comp_id(tags::SENDER_COMP_ID)?,
        })
    }

    /// A Logon inside the session, in sequence or with ResetSeqNumFlag.
    pub(super) fn offer_relogon(&mut self, message: &Message<'_>) -> Verdict {
        match self.read_offer(message) {
            Ok(offer) => {
                self.offer = Some(offer);
                self.phase = Phase::LogonOffered { relogon: true };
                Verdict::OfferLogon { relogon: true }
            }
            Err(why) => {
                self.close(DisconnectReason::InvalidLogon(why));
                Verdict::Done
            }
        }
    }

    /// The Logon takes effect. Gives its number where it came ahead of its turn.
    pub(super) fn accept_logon(
        &mut self,
        now: Now,
        next_inbound: MsgSeqNum,
        next_outbound: MsgSeqNum,
        store: S,
    ) -> Result<Option<MsgSeqNum>, NoLogonOffered> {
        let offer = self.take_offer(false)?;
        self.next_inbound = next_inbound;
        self.outbox
            .begin(offer.ours.clone(), offer.theirs.clone(), next_outbound, store);
        Ok(self.answer(now, &offer))
    }

    pub(super) fn accept_relogon(&mut self, now: Now) -> Result<Option<MsgSeqNum>, NoLogonOffered> {
        let offer = self.take_offer(true)?;
        Ok(self.answer(now, &offer))
    }

    pub(super) fn refuse_logon(&mut self) -> Result<(), NoLogonOffered> {
        self.offer.take().ok_or(NoLogonOffered)?;
        self.close(DisconnectReason::LogonRefused);
        Ok(())
    }

    fn take_offer(&mut self, relogon: bool) -> Result<Offer, NoLogonOffered> {
        if self.phase != (Phase::LogonOffered { relogon }) {
            return Err(NoLogonOffered);
        }
        self.offer.take().ok_or(NoLogonOffered)
    }

    fn answer(&mut self, now: Now, offer: &Offer) -> Option<MsgSeqNum> {
        self.gap_until = None;
        if offer.reset {
            self.next_inbound = MsgSeqNum::FIRST;
        }
        if offer.number < self.next_inbound {
            self.too_low(offer.number);
            return None;
        }
        self.phase = Phase::Established;
        self.heart_bt_int_ns = offer.heart_bt_int_seconds * 1_000_000_000;
        self.last_heard = now.monotonic;
        self.outbox.last_sent = now.monotonic;
        let default_appl_ver_id = self.config.version.default_appl_ver_id().unwrap_or(b"");
        self.outbox
            .queue(Admin::new(AdminKind::Logon { reset: offer.reset }, |body| {
                body.character(tags::ENCRYPT_METHOD, b'0')
                    .unsigned(tags::HEART_BT_INT, offer.heart_bt_int_seconds);
                if offer.reset {
                    body.boolean(tags::RESET_SEQ_NUM_FLAG, true);
                }
                body.bytes(tags::DEFAULT_APPL_VER_ID, default_appl_ver_id);
            }));
        if offer.number > self.next_inbound {
            self.request_resend(offer.number);
            Some(offer.number)
        } else {
            self.consume();
            None
        }
    }
}
