//! The client's end of one connection, for tools, agents and tests.
//!
//! It counts the sequenced messages, so that its owner can log in again where the connection was lost:
//! [`ClientSession::resume`] gives the login of the next connection. It never connects by itself.

use core::ops::Range;

use super::link::{CloseReason, Link, SessionError, SoupConfig};
use super::login::{LoginAccepted, LoginRequest, RequestedSequence, SequenceNumber};
use super::packet::{ClientPacket, ServerPacket};

/// What the owner of a client session is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEvent<'a> {
    /// The login was accepted: messages may be sent, sequenced ones come from `next` on.
    LoggedIn(LoginAccepted),
    /// A sequenced message and its number.
    Sequenced(SequenceNumber, &'a [u8]),
    /// A message that is not counted.
    Unsequenced(&'a [u8]),
    /// Text for people.
    Debug(&'a [u8]),
    /// The session is over: write out what [`ClientSession::poll_output`] still has, then close the connection. Told
    /// once, and last.
    Closed(CloseReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    AwaitingAnswer,
    LoggedIn,
    Closed { reason: CloseReason, told: bool },
}

/// What one packet comes to, before the borrow of its bytes is given out.
enum Step {
    Ignore,
    LoggedIn(LoginAccepted),
    Sequenced(SequenceNumber, Range<usize>),
    Unsequenced(Range<usize>),
    Debug(Range<usize>),
    EndOfSession,
    Close(CloseReason),
}

/// The client's end of one connection. See the [module](super) for the loop that drives it.
///
/// Input: [`handle_bytes`](Self::handle_bytes), [`handle_timer`](Self::handle_timer),
/// [`handle_sent`](Self::handle_sent), [`handle_disconnect`](Self::handle_disconnect). Output:
/// [`poll_event`](Self::poll_event), [`poll_output`](Self::poll_output), [`poll_timeout`](Self::poll_timeout). Commands
/// of the owner: [`send`](Self::send), [`logout`](Self::logout).
#[derive(Debug)]
pub struct ClientSession {
    link: Link,
    state: State,
    /// The login of the next connection.
    resume: LoginRequest,
}

impl ClientSession {
    /// A session on a connection that was opened at `now_ns`. The login is queued at once.
    #[must_use]
    pub fn new(config: SoupConfig, login: LoginRequest, now_ns: u64) -> Self {
        let mut link = Link::new(config, now_ns);
        link.queue(|out| ClientPacket::LoginRequest(login).encode(out));
        Self {
            link,
            state: State::AwaitingAnswer,
            resume: login,
        }
    }

    /// Takes bytes from the connection, as many as there is room for, and says how many.
    #[must_use = "the bytes that were not taken must be given again"]
    pub fn handle_bytes(&mut self, now_ns: u64, bytes: &[u8]) -> usize {
        match self.state {
            State::Closed { .. } => bytes.len(),
            _ => self.link.receive(now_ns, bytes),
        }
    }

    /// Ends the session where the server was silent too long, and queues a heartbeat where one is due. Early and late
    /// calls are fine.
    pub fn handle_timer(&mut self, now_ns: u64) {
        if self.closed().is_some() {
            return;
        }
        if self.link.is_silent(now_ns) {
            self.shut(CloseReason::Silence);
        } else if self.is_logged_in() && self.link.is_heartbeat_due(now_ns) {
            self.link.queue(|out| ClientPacket::Heartbeat.encode(out));
        }
    }

    /// States that the connection took the first `count` bytes of [`poll_output`](Self::poll_output).
    pub fn handle_sent(&mut self, now_ns: u64, count: usize) {
        self.link.mark_sent(now_ns, count);
    }

    /// States that the connection is gone. Poll the events first: packets that were not polled are dropped.
    pub fn handle_disconnect(&mut self) {
        self.shut(CloseReason::Disconnected);
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ClientEvent<'_>> {
        loop {
            if let State::Closed { reason, told } = &mut self.state {
                let first = !core::mem::replace(told, true);
                return first.then_some(ClientEvent::Closed(*reason));
            }
            match self.step()? {
                Step::Ignore => {}
                Step::LoggedIn(accepted) => {
                    self.state = State::LoggedIn;
                    self.resume.session = Some(accepted.session);
                    self.resume.sequence = RequestedSequence::From(accepted.next);
                    return Some(ClientEvent::LoggedIn(accepted));
                }
                Step::Sequenced(number, range) => {
                    self.resume.sequence = RequestedSequence::From(number.next());
                    return Some(ClientEvent::Sequenced(number, self.link.framer.bytes(range)));
                }
                Step::Unsequenced(range) => return Some(ClientEvent::Unsequenced(self.link.framer.bytes(range))),
                Step::Debug(range) => return Some(ClientEvent::Debug(self.link.framer.bytes(range))),
                Step::EndOfSession => {
                    self.resume.session = None;
                    self.resume.sequence = RequestedSequence::From(SequenceNumber::FIRST);
                    self.shut(CloseReason::EndOfSession);
                }
                Step::Close(reason) => self.shut(reason),
            }
        }
    }

    /// Bytes for the connection; state what it took with [`handle_sent`](Self::handle_sent).
    #[must_use]
    pub fn poll_output(&self) -> &[u8] {
        self.link.output()
    }

    /// When [`handle_timer`](Self::handle_timer) is wanted next; `None` where never.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let silence_ns = self.link.silence_deadline_ns();
        match self.state {
            State::AwaitingAnswer => Some(silence_ns),
            State::LoggedIn => Some(self.link.heartbeat_deadline_ns().unwrap_or(silence_ns).min(silence_ns)),
            State::Closed { .. } => None,
        }
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`SessionError`] where the session is not logged in, the message is too long or the output is full.
    pub fn send(&mut self, message: &[u8]) -> Result<(), SessionError> {
        if !self.is_logged_in() {
            return Err(SessionError::NotLoggedIn);
        }
        self.link.admits(message)?;
        self.link.queue(|out| ClientPacket::Unsequenced(message).encode(out));
        Ok(())
    }

    /// Ends the session: the server is asked to close the connection.
    pub fn logout(&mut self) {
        if self.closed().is_none() {
            self.link.queue(|out| ClientPacket::LogoutRequest.encode(out));
            self.shut(CloseReason::Logout);
        }
    }

    /// The login for the next connection: before the first answer the one that was sent, then this session from the
    /// next message on, after the end of the session the next session from its first message on.
    #[must_use]
    pub fn resume(&self) -> LoginRequest {
        self.resume
    }

    /// Whether the login was accepted and the session is not over.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.state == State::LoggedIn
    }

    /// Why the session is over, or `None` while it is not.
    #[must_use]
    pub fn closed(&self) -> Option<CloseReason> {
        match self.state {
            State::Closed { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// What the next packet comes to.
    fn step(&mut self) -> Option<Step> {
        let range = match self.link.framer.next_range() {
            Ok(range) => range?,
            Err(error) => return Some(Step::Close(error.into())),
        };
        let bytes = self.link.framer.bytes(range.clone());
        let packet = match ServerPacket::decode(bytes) {
            Ok(packet) => packet,
            Err(error) => return Some(Step::Close(error.into())),
        };
        let out_of_place = CloseReason::OutOfPlace {
            packet_type: bytes.first().copied().unwrap_or_default(),
        };
        // The payload stands behind the type byte.
        let payload = range.start + 1..range.end;
        Some(match (packet, self.resume.sequence) {
            (ServerPacket::Debug(_), _) => Step::Debug(payload),
            (ServerPacket::LoginAccepted(accepted), _) if !self.is_logged_in() => Step::LoggedIn(accepted),
            (ServerPacket::LoginRejected(code), _) if !self.is_logged_in() => {
                Step::Close(CloseReason::LoginRejected(code))
            }
            (ServerPacket::LoginAccepted(_) | ServerPacket::LoginRejected(_), _) => Step::Close(out_of_place),
            (ServerPacket::Sequenced(_), RequestedSequence::From(number)) if self.is_logged_in() => {
                Step::Sequenced(number, payload)
            }
            (ServerPacket::Unsequenced(_), _) if self.is_logged_in() => Step::Unsequenced(payload),
            (ServerPacket::Sequenced(_) | ServerPacket::Unsequenced(_), _) => Step::Close(out_of_place),
            (ServerPacket::Heartbeat, _) => Step::Ignore,
            (ServerPacket::EndOfSession, _) => Step::EndOfSession,
        })
    }

    /// The first reason stands.
    fn shut(&mut self, reason: CloseReason) {
        if self.closed().is_some() {
            return;
        }
        if let Some(text) = Link::last_words(reason) {
            self.link.queue(|out| ClientPacket::Debug(text.as_bytes()).encode(out));
        }
        self.state = State::Closed { reason, told: false };
    }
}
