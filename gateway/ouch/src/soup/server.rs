//! The server's end of one connection.
//!
//! It never checks a password, never stores a message and never numbers one: the owner answers the login, keeps the
//! sequenced messages and gives them out when the session asks. What waits for a slow client is therefore a number, not
//! a queue.
//!
//! | state | L | U | R | O | + | other or broken packet |
//! |---|---|---|---|---|---|---|
//! | before the login | `Login`, wait | close: not logged in | ignored | close: logout | ignored | close: bad packet |
//! | login waits for its answer | packets wait, unread, in the bounded framer | | | | | |
//! | logged in | close: second login | `Message` | ignored | close: logout | ignored | close: bad packet |
//! | closed | bytes are taken and dropped | | | | | |

use core::ops::Range;

use super::link::{CloseReason, Link, SessionError, SoupConfig};
use super::login::{LoginAccepted, LoginRejectCode, LoginRequest, SequenceNumber, SessionName};
use super::packet::{ClientPacket, ServerPacket};

/// Where the sequenced messages of a session are kept.
pub trait SequencedStore {
    /// The message of this number, or `None` where there is none yet.
    fn message(&mut self, number: SequenceNumber) -> Option<&[u8]>;
}

/// What the owner of a server session is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEvent<'a> {
    /// A client wants to log in: answer with [`ServerSession::accept`] or [`ServerSession::reject`], now or later.
    Login(LoginRequest),
    /// A message from the client, without its envelope.
    Message(&'a [u8]),
    /// The session is over: write out what [`ServerSession::poll_output`] still has, then close the connection. Told
    /// once, and last.
    Closed(CloseReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    AwaitingLogin { deadline_ns: u64 },
    LoginWaiting,
    LoggedIn { next: SequenceNumber },
    Closed { reason: CloseReason, told: bool },
}

/// What one packet comes to, before the borrow of its bytes is given out.
enum Step {
    Ignore,
    Login(LoginRequest),
    Message(Range<usize>),
    Close(CloseReason),
}

/// The server's end of one connection. See the [module](super) for the loop that drives it.
///
/// Input: [`handle_bytes`](Self::handle_bytes), [`handle_timer`](Self::handle_timer),
/// [`handle_sent`](Self::handle_sent), [`handle_disconnect`](Self::handle_disconnect). Output:
/// [`poll_event`](Self::poll_event), [`poll_output`](Self::poll_output), [`poll_timeout`](Self::poll_timeout),
/// [`next_wanted`](Self::next_wanted). Commands of the owner: [`accept`](Self::accept), [`reject`](Self::reject),
/// [`pull`](Self::pull), [`send_sequenced`](Self::send_sequenced), [`send_unsequenced`](Self::send_unsequenced),
/// [`end_session`](Self::end_session), [`close`](Self::close).
#[derive(Debug)]
pub struct ServerSession {
    link: Link,
    state: State,
}

impl ServerSession {
    /// A session on a connection that was accepted at `now_ns`.
    #[must_use]
    pub fn new(config: SoupConfig, now_ns: u64) -> Self {
        let deadline_ns = now_ns.saturating_add(config.login_timeout_ns);
        Self {
            link: Link::new(config, now_ns),
            state: State::AwaitingLogin { deadline_ns },
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

    /// Ends the session where a timeout passed, and queues a heartbeat where one is due. Early and late calls are fine.
    pub fn handle_timer(&mut self, now_ns: u64) {
        match self.state {
            State::AwaitingLogin { deadline_ns } => {
                if now_ns >= deadline_ns && !self.link.framer.has_packet() {
                    self.shut(CloseReason::LoginTimeout);
                }
            }
            State::LoginWaiting => {
                if self.link.is_silent(now_ns) {
                    self.shut(CloseReason::Silence);
                }
            }
            State::LoggedIn { .. } => {
                if self.link.is_silent(now_ns) {
                    self.shut(CloseReason::Silence);
                } else if self.link.is_heartbeat_due(now_ns) {
                    self.link.queue(|out| ServerPacket::Heartbeat.encode(out));
                }
            }
            State::Closed { .. } => {}
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

    /// The next event. While a login waits for its answer there is none but the end of the session.
    pub fn poll_event(&mut self) -> Option<ServerEvent<'_>> {
        loop {
            match &mut self.state {
                State::LoginWaiting => return None,
                State::Closed { reason, told } => {
                    let first = !core::mem::replace(told, true);
                    return first.then_some(ServerEvent::Closed(*reason));
                }
                State::AwaitingLogin { .. } | State::LoggedIn { .. } => {}
            }
            match self.step()? {
                Step::Ignore => {}
                Step::Login(login) => {
                    self.state = State::LoginWaiting;
                    return Some(ServerEvent::Login(login));
                }
                Step::Message(range) => return Some(ServerEvent::Message(self.link.framer.bytes(range))),
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
            State::AwaitingLogin { deadline_ns } => Some(deadline_ns),
            State::LoginWaiting => Some(silence_ns),
            State::LoggedIn { .. } => Some(self.link.heartbeat_deadline_ns().unwrap_or(silence_ns).min(silence_ns)),
            State::Closed { .. } => None,
        }
    }

    /// Lets the client in: it is told the session's name and the number of the message that comes next, which the
    /// session then wants.
    ///
    /// [`RequestedSequence::resolve`](super::RequestedSequence::resolve) gives `next` for what the client asked.
    ///
    /// # Errors
    /// [`SessionError::NoLoginWaiting`], also where the client has gone meanwhile.
    pub fn accept(&mut self, session: SessionName, next: SequenceNumber) -> Result<(), SessionError> {
        self.login_waiting()?;
        self.link
            .queue(|out| ServerPacket::LoginAccepted(LoginAccepted { session, next }).encode(out));
        self.state = State::LoggedIn { next };
        Ok(())
    }

    /// Turns the client away and ends the session.
    ///
    /// # Errors
    /// [`SessionError::NoLoginWaiting`], also where the client has gone meanwhile.
    pub fn reject(&mut self, code: LoginRejectCode) -> Result<(), SessionError> {
        self.login_waiting()?;
        self.link.queue(|out| ServerPacket::LoginRejected(code).encode(out));
        self.shut(CloseReason::LoginRejected(code));
        Ok(())
    }

    /// The number of the sequenced message that the session wants now; `None` while it is not logged in or its output
    /// is full.
    #[must_use]
    pub fn next_wanted(&self) -> Option<SequenceNumber> {
        match self.state {
            State::LoggedIn { next } if self.link.has_room() => Some(next),
            _ => None,
        }
    }

    /// Queues the sequenced message of this number. After [`next_wanted`](Self::next_wanted) stated the number there is
    /// room.
    ///
    /// # Errors
    /// [`SessionError`] where the session is not logged in, the number is not the next, the message is too long or the
    /// output is full; nothing is queued then, and the same number is still next.
    pub fn send_sequenced(&mut self, number: SequenceNumber, message: &[u8]) -> Result<(), SessionError> {
        let State::LoggedIn { next } = &mut self.state else {
            return Err(SessionError::NotLoggedIn);
        };
        if number != *next {
            return Err(SessionError::OutOfSequence {
                wanted: *next,
                given: number,
            });
        }
        self.link.admits(message)?;
        self.link.queue(|out| ServerPacket::Sequenced(message).encode(out));
        *next = number.next();
        Ok(())
    }

    /// Queues messages of the store while the session wants them, at most `budget`, and says how many.
    ///
    /// # Errors
    /// [`SessionError::MessageTooLong`] where the store holds a message that no packet takes.
    pub fn pull(&mut self, store: &mut impl SequencedStore, budget: usize) -> Result<usize, SessionError> {
        for pulled in 0..budget {
            let Some(number) = self.next_wanted() else {
                return Ok(pulled);
            };
            let Some(message) = store.message(number) else {
                return Ok(pulled);
            };
            self.send_sequenced(number, message)?;
        }
        Ok(budget)
    }

    /// Queues a message that is not counted and may be lost (SoupBinTCP 4.00).
    ///
    /// # Errors
    /// [`SessionError`] where the session is not logged in, the message is too long or the output is full.
    pub fn send_unsequenced(&mut self, message: &[u8]) -> Result<(), SessionError> {
        let State::LoggedIn { .. } = self.state else {
            return Err(SessionError::NotLoggedIn);
        };
        self.link.admits(message)?;
        self.link.queue(|out| ServerPacket::Unsequenced(message).encode(out));
        Ok(())
    }

    /// Ends the day's session: the client is told that nothing more comes. To be called when every sequenced message is
    /// sent.
    ///
    /// # Errors
    /// [`SessionError::NotLoggedIn`]: there is nobody to tell; use [`close`](Self::close).
    pub fn end_session(&mut self) -> Result<(), SessionError> {
        let State::LoggedIn { .. } = self.state else {
            return Err(SessionError::NotLoggedIn);
        };
        self.link.queue(|out| ServerPacket::EndOfSession.encode(out));
        self.shut(CloseReason::EndOfSession);
        Ok(())
    }

    /// Ends the session because the owner wants it. What is queued is still in [`poll_output`](Self::poll_output).
    pub fn close(&mut self) {
        self.shut(CloseReason::ClosedHere);
    }

    /// Why the session is over, or `None` while it is not.
    #[must_use]
    pub fn closed(&self) -> Option<CloseReason> {
        match self.state {
            State::Closed { reason, .. } => Some(reason),
            _ => None,
        }
    }

    fn login_waiting(&self) -> Result<(), SessionError> {
        if self.state == State::LoginWaiting {
            Ok(())
        } else {
            Err(SessionError::NoLoginWaiting)
        }
    }

    /// What the next packet comes to, by the table of this module.
    fn step(&mut self) -> Option<Step> {
        let logged_in = matches!(self.state, State::LoggedIn { .. });
        let range = match self.link.framer.next_range() {
            Ok(range) => range?,
            Err(error) => return Some(Step::Close(error.into())),
        };
        let packet = self.link.framer.bytes(range.clone());
        // The payload stands behind the type byte.
        if logged_in && packet.first() == Some(&b'U') {
            return Some(Step::Message(range.start + 1..range.end));
        }
        Some(match ClientPacket::decode(packet) {
            Ok(ClientPacket::Debug(_) | ClientPacket::Heartbeat) => Step::Ignore,
            Ok(ClientPacket::LogoutRequest) => Step::Close(CloseReason::Logout),
            Ok(ClientPacket::LoginRequest(_)) if logged_in => Step::Close(CloseReason::SecondLogin),
            Ok(ClientPacket::LoginRequest(login)) => Step::Login(login),
            Ok(ClientPacket::Unsequenced(_)) => Step::Close(CloseReason::NotLoggedIn),
            Err(error) => Step::Close(error.into()),
        })
    }

    /// The first reason stands.
    fn shut(&mut self, reason: CloseReason) {
        if matches!(self.state, State::Closed { .. }) {
            return;
        }
        if let Some(text) = Link::last_words(reason) {
            self.link.queue(|out| ServerPacket::Debug(text.as_bytes()).encode(out));
        }
        self.state = State::Closed { reason, told: false };
    }
}
