//! What a session tells its owner.

use crate::message::{Garbled, Message};
use crate::tag::tags;

/// The next thing to know or decide; it borrows the session until it is dealt with.
#[derive(Debug)]
pub enum Event<'a> {
    /// A valid Logon waits for a decision. Check the credentials, then accept or refuse.
    Logon(LogonRequest<'a>),
    /// A valid application message, in sequence. PossResend(97) is the application's to judge.
    Application(Message<'a>),
    /// The peer rejected (35=3) something we sent.
    Rejected(Message<'a>),
    /// An administrative message waits for its number: call `release_admin`, once for each of these, in order.
    AdminWanted(AdminKind),
    /// Bytes were ignored.
    Garbled(Garbled),
    /// Write what is left to transmit, then close the connection. The last event.
    Disconnect(DisconnectReason),
}

/// The administrative messages that take a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminKind {
    /// The answer to a Logon. With `reset` it restarts the outbound numbers at 1.
    Logon {
        /// ResetSeqNumFlag(141)
        reset: bool,
    },
    /// Heartbeat
    Heartbeat,
    /// TestRequest
    TestRequest,
    /// ResendRequest
    ResendRequest,
    /// Reject (session level)
    Reject,
    /// Logout
    Logout,
}

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisconnectReason {
    /// The first message was no message.
    #[error("the first message is garbled: {0}")]
    GarbledLogon(Garbled),
    /// The first message was not an acceptable Logon.
    #[error("no acceptable Logon: {0}")]
    InvalidLogon(&'static str),
    /// The owner said no.
    #[error("the Logon was refused: check identity and credentials")]
    LogonRefused,
    /// No Logon in time.
    #[error("no Logon in time: send one as the first message")]
    LogonTimeout,
    /// The peer went back in its numbers.
    #[error("MsgSeqNum(34) too low without PossDupFlag(43)=Y")]
    MsgSeqNumTooLow,
    /// The peer logged out, or answered our Logout.
    #[error("logged out")]
    LoggedOut,
    /// The peer did not answer our Logout.
    #[error("no answer to our Logout in time")]
    LogoutTimeout,
    /// The peer did not answer our TestRequest.
    #[error("silent for 2.4 times HeartBtInt(108)")]
    Silence,
    /// The peer does not read what we send.
    #[error("more than MAX_TRANSMIT_BYTES wait to be sent: read faster")]
    TransmitFull,
}

/// There is no Logon to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no Logon waits for this decision: answer Event::Logon once, by accept_relogon where it is a second one")]
pub struct NoLogonOffered;

/// No Logon was accepted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no Logon was accepted: send after accept_logon")]
pub struct NotLoggedOn;

/// A Logon that is valid in itself: right version, plausible time, a heartbeat interval we can keep.
#[derive(Clone, Copy)]
pub struct LogonRequest<'a> {
    message: Message<'a>,
    relogon: bool,
}

impl core::fmt::Debug for LogonRequest<'_> {
    /// Without the fields, among which is the password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "LogonRequest({})", self.sender_comp_id().escape_ascii())
    }
}

impl<'a> LogonRequest<'a> {
    pub(super) const fn new(message: Message<'a>, relogon: bool) -> Self {
        Self { message, relogon }
    }

    /// The whole message.
    #[must_use]
    pub const fn message(&self) -> &Message<'a> {
        &self.message
    }

    /// True for a Logon inside an established session; its identity is the session's.
    #[must_use]
    pub const fn is_relogon(&self) -> bool {
        self.relogon
    }

    /// SenderCompID(49): who the peer says it is.
    #[must_use]
    pub fn sender_comp_id(&self) -> &'a [u8] {
        self.message.get(tags::SENDER_COMP_ID).unwrap_or(b"")
    }

    /// TargetCompID(56): who the peer thinks we are.
    #[must_use]
    pub fn target_comp_id(&self) -> &'a [u8] {
        self.message.get(tags::TARGET_COMP_ID).unwrap_or(b"")
    }

    /// Username(553).
    #[must_use]
    pub fn username(&self) -> Option<&'a [u8]> {
        self.message.get(tags::USERNAME)
    }

    /// Password(554), or RawData(96) in versions that have no field for it (FIX 4.2 and before use it so by agreement).
    #[must_use]
    pub fn password(&self) -> Option<&'a [u8]> {
        self.message
            .get(tags::PASSWORD)
            .or_else(|| self.message.get(tags::RAW_DATA))
    }

    /// ResetSeqNumFlag(141)=Y: both sequences restart if it is accepted.
    #[must_use]
    pub fn resets_numbers(&self) -> bool {
        self.message.is_set(tags::RESET_SEQ_NUM_FLAG)
    }
}
