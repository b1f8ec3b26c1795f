//! The acceptor's side of one FIX connection, without I/O (FIX 4.4 volume 2, FIXT 1.1).
//!
//! # Kinds of methods
//! - **in**: [`Session::handle_bytes`] what the socket read, [`Session::handle_timer`] when [`Session::next_deadline`] has come;
//! - **out**: [`Session::poll_event`] until it has none, then [`Session::transmit`] what the socket shall write and
//!   [`Session::transmitted`] what it took;
//! - **decide**: [`Session::accept_logon`], [`Session::accept_relogon`] or [`Session::refuse_logon`] answer [`Event::Logon`],
//!   at once or later; until then nothing is read and no state has changed;
//! - **send**: [`Session::send`] an application message, [`Session::release_admin`] the session's own, [`Session::logout`].
//!
//! # Who numbers
//! Whatever takes an outbound MsgSeqNum is emitted at a moment that the owner chooses. The session never numbers an
//! administrative message by itself: it queues it and says [`Event::AdminWanted`], and the owner calls
//! [`Session::release_admin`] once for each, in order. An owner whose numbers must survive a crash first writes that fact to
//! its log; any other owner releases at once. Gap fills and copies take no number and pass without asking.
//!
//! # What it must never do
//! Read a clock, do I/O, judge an order, keep more than [`crate::limits`] permits, or act on a Logon before its owner did.

mod config;
mod event;
mod inbox;
mod liveness;
mod logon;
mod outbox;
mod reject;
mod rules;
mod store;

pub use config::{SessionConfig, Translate};
pub use event::{AdminKind, DisconnectReason, Event, LogonRequest, NoLogonOffered, NotLoggedOn};
pub use reject::{BusinessRejectReason, write_business_reject};
pub use store::{BoundedStore, MessageStore, SentMessage};

use alloc::sync::Arc;

use crate::message::Garbled;
use crate::time::{Monotonic, Now};
use crate::version::Version;
use crate::words::{MsgSeqNum, MsgType};
use inbox::{Inbox, Taken};
use rules::{Core, Verdict};

/// One connection from its first byte to its last. See the module for the order of calls.
#[derive(Debug)]
pub struct Session<S> {
    inbox: Inbox,
    core: Core<S>,
}

/// [`Event`] without what it borrows.
enum Step {
    Logon { relogon: bool },
    Application,
    Rejected,
    AdminWanted(AdminKind),
    Garbled(Garbled),
    Disconnect(DisconnectReason),
}

impl<S: MessageStore> Session<S> {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(config: SessionConfig, now: Now) -> Self {
        Self::offering(Arc::new([config]), now)
    }

    /// A connection that was just accepted by somebody who speaks several versions: the Logon's BeginString(8) chooses. The
    /// first of them rules until then; with none, no Logon is acceptable.
    #[must_use]
    pub fn offering(configs: Arc<[SessionConfig]>, now: Now) -> Self {
        Self {
            inbox: Inbox::default(),
            core: Core::new(configs, now),
        }
    }

    /// The version spoken, once the Logon has chosen it.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.core.config.version
    }

    /// Takes what the socket read, and says how much: less than all where [`crate::limits::MAX_INBOUND_BYTES`] wait.
    /// Give the rest again after [`Session::poll_event`].
    #[must_use = "bytes that were not taken must be given again"]
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> usize {
        self.inbox.feed(bytes)
    }

    /// Does what is due: heartbeats, test requests, timeouts. Call it at [`Session::next_deadline`]; earlier does no harm.
    pub fn handle_timer(&mut self, now: Now) {
        self.core.handle_timer(now);
    }

    /// When [`Session::handle_timer`] has something to do next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Monotonic> {
        self.core.next_deadline()
    }

    /// The next thing the owner has to know or decide.
    pub fn poll_event(&mut self, now: Now) -> Option<Event<'_>> {
        Some(match self.advance(now)? {
            Step::Logon { relogon } => Event::Logon(LogonRequest::new(self.inbox.current(), relogon)),
            Step::Application => Event::Application(self.inbox.current()),
            Step::Rejected => Event::Rejected(self.inbox.current()),
            Step::AdminWanted(kind) => Event::AdminWanted(kind),
            Step::Garbled(garbled) => Event::Garbled(garbled),
            Step::Disconnect(reason) => Event::Disconnect(reason),
        })
    }

    fn advance(&mut self, now: Now) -> Option<Step> {
        loop {
            if let Some(kind) = self.core.outbox.announce() {
                return Some(Step::AdminWanted(kind));
            }
            if let Some(reason) = self.core.take_disconnect() {
                return Some(Step::Disconnect(reason));
            }
            if !self.core.reads() {
                return None;
            }
            let verdict = match self.inbox.take(self.core.next_held())? {
                Taken::Garbled(garbled) => self.core.garbled(garbled),
                Taken::Seen => self.core.consume(),
                Taken::Held => self.core.act(&self.inbox.current()),
                Taken::Arrived => self.core.receive(now, &self.inbox.current()),
            };
            match verdict {
                Verdict::Done => {}
                Verdict::Hold(number) => self.inbox.hold_current(number),
                Verdict::HoldSeen(number) => self.inbox.hold_seen(number),
                Verdict::Deliver => return Some(Step::Application),
                Verdict::Rejected => return Some(Step::Rejected),
                Verdict::OfferLogon { relogon } => return Some(Step::Logon { relogon }),
                Verdict::Garbled(garbled) => return Some(Step::Garbled(garbled)),
            }
        }
    }

    /// Accepts the Logon of [`Event::Logon`]: from here on the session is the one that these numbers and this store
    /// belong to. A Logon with ResetSeqNumFlag(141)=Y restarts both numbers and clears the store when it is released.
    ///
    /// # Errors
    /// [`NoLogonOffered`] where none waits, or the one that waits is a second one ([`Session::accept_relogon`]).
    pub fn accept_logon(
        &mut self,
        now: Now,
        next_inbound: MsgSeqNum,
        next_outbound: MsgSeqNum,
        store: S,
    ) -> Result<(), NoLogonOffered> {
        let seen = self.core.accept_logon(now, next_inbound, next_outbound, store)?;
        self.inbox.begin(seen);
        Ok(())
    }

    /// Accepts a Logon inside an established session ([`LogonRequest::is_relogon`]).
    ///
    /// # Errors
    /// [`NoLogonOffered`] where none waits.
    pub fn accept_relogon(&mut self, now: Now) -> Result<(), NoLogonOffered> {
        let seen = self.core.accept_relogon(now)?;
        self.inbox.begin(seen);
        Ok(())
    }

    /// Refuses the Logon: disconnects without a word, as FIX wants it for an unknown peer; no number is used.
    ///
    /// # Errors
    /// [`NoLogonOffered`] where none waits.
    pub fn refuse_logon(&mut self) -> Result<(), NoLogonOffered> {
        self.core.refuse_logon()
    }

    /// Gives the oldest waiting administrative message its number and encodes it. Call it once for each
    /// [`Event::AdminWanted`], also when the connection is gone: it then only uses the number.
    pub fn release_admin(&mut self, now: Now) -> Option<MsgSeqNum> {
        self.core.release_admin(now)
    }

    /// Numbers, stores and (while logged on) encodes an application message. `header` holds further header fields, `body`
    /// the body, both as [`crate::message::FieldWriter`] wrote them. Before the Logon's answer is released, and after a
    /// disconnect, the message is numbered and stored only: the peer asks for it again.
    ///
    /// # Errors
    /// [`NotLoggedOn`] before [`Session::accept_logon`]: whose numbers to use is unknown.
    pub fn send(
        &mut self,
        now: Now,
        msg_type: MsgType<'_>,
        header: &[u8],
        body: &[u8],
    ) -> Result<MsgSeqNum, NotLoggedOn> {
        self.core.outbox.send(now, msg_type, header, body)
    }

    /// The same for a message that is not to be sent again: it is numbered and not stored, and a peer that asks for it gets a
    /// gap fill.
    ///
    /// # Errors
    /// As [`Session::send`].
    pub fn send_once(
        &mut self,
        now: Now,
        msg_type: MsgType<'_>,
        header: &[u8],
        body: &[u8],
    ) -> Result<MsgSeqNum, NotLoggedOn> {
        self.core.outbox.send_once(now, msg_type, header, body)
    }

    /// Says Logout; the peer has [`SessionConfig::logout_timeout_ns`] to answer. Nothing but its Logout and its resend
    /// requests is read from here on. Without a session it disconnects at once.
    pub fn logout(&mut self, text: &str) {
        self.core.logout(text);
    }

    /// What the socket shall write now. A large resend is encoded piece by piece: call again after the socket took some.
    pub fn transmit(&mut self, now: Now) -> &[u8] {
        self.core.outbox.transmit(now)
    }

    /// The socket took so many of [`Session::transmit`]'s bytes.
    pub fn transmitted(&mut self, bytes: usize) {
        self.core.outbox.transmitted(bytes);
    }

    /// True between the release of the Logon's answer and the end of the session.
    #[must_use]
    pub fn is_logged_on(&self) -> bool {
        self.core.outbox.is_logged_on()
    }

    /// The MsgSeqNum expected from the peer.
    #[must_use]
    pub const fn next_inbound(&self) -> MsgSeqNum {
        self.core.next_inbound()
    }

    /// The MsgSeqNum that the next message sent will have.
    #[must_use]
    pub const fn next_outbound(&self) -> MsgSeqNum {
        self.core.outbox.next()
    }

    /// Administrative messages that were announced or will be, and not released.
    #[must_use]
    pub fn pending_admin(&self) -> usize {
        self.core.outbox.pending()
    }

    /// Gives the store back, for the peer's next connection.
    #[must_use]
    pub fn into_store(self) -> Option<S> {
        self.core.outbox.into_store()
    }
}
