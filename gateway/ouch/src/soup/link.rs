//! What both ends of a connection have in common: bytes in, bytes out, and the two timers.
//!
//! The link knows neither logins nor sequence numbers.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::frame::Framer;
use super::login::{LoginRejectCode, SequenceNumber};
use super::packet::{LENGTH_WIDTH, LOGIN_REQUEST_LENGTH, PacketError, TYPE_WIDTH};

/// The bounds and timers of a session. Times are in nanoseconds, lengths in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoupConfig {
    /// The server closes where no login came within this time. Default 2 s.
    pub login_timeout_ns: u64,
    /// The connection is closed after this time without a byte from the other end. Default 15 s.
    pub silence_timeout_ns: u64,
    /// A heartbeat follows this time without a byte sent. Default 1 s.
    pub heartbeat_interval_ns: u64,
    /// The largest packet length (type and payload) taken and sent; a larger one is an error. Raised to that of a Login
    /// Request (47) where it is less. Default 1,024.
    pub packet_limit: u16,
    /// Bytes waiting to be sent at which no further message is taken: the server stops pulling, `send` is refused.
    /// Raised to two packets where it is less. Packets of the session itself (login answer, heartbeat, end, last words)
    /// may exceed it by less than one packet each. Default 64 KiB.
    pub output_limit: usize,
}

impl Default for SoupConfig {
    fn default() -> Self {
        const SECOND_NS: u64 = 1_000_000_000;
        Self {
            login_timeout_ns: 2 * SECOND_NS,
            silence_timeout_ns: 15 * SECOND_NS,
            heartbeat_interval_ns: SECOND_NS,
            packet_limit: 1_024,
            output_limit: 64 * 1_024,
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// No login came in time.
    #[error("no login in time: send a Login Request first, as soon as the connection is open")]
    LoginTimeout,
    /// A message came before a login.
    #[error("message before login: send a Login Request first and wait for its answer")]
    NotLoggedIn,
    /// A Login Request came on a session that is logged in.
    #[error("second login on one connection: open a new connection for it")]
    SecondLogin,
    /// The server answered a login that is already answered, or sent data before its answer.
    #[error("packet type {packet_type:#04x} out of place: the server's login answer comes first and once")]
    OutOfPlace {
        /// The type byte.
        packet_type: u8,
    },
    /// Bytes that are not a packet, or no packet of this direction.
    #[error(transparent)]
    BadPacket(#[from] PacketError),
    /// Nothing came from the other end for too long.
    #[error("nothing received for too long: send heartbeats, check the network")]
    Silence,
    /// The login was rejected.
    #[error("login rejected: {0}")]
    LoginRejected(LoginRejectCode),
    /// The client logged out.
    #[error("logged out")]
    Logout,
    /// The session's last message is sent: the day is over.
    #[error("end of session: log in again for the next one")]
    EndOfSession,
    /// The other end closed the connection.
    #[error("connection closed by the other end: connect again and ask for the next sequence number")]
    Disconnected,
    /// The owner closed the session.
    #[error("closed by the owner of this end: connect again later")]
    ClosedHere,
}

impl CloseReason {
    /// Whether the other end is told in a Debug packet: where it did something that it can mend, or may wonder.
    pub(super) const fn is_told(self) -> bool {
        matches!(
            self,
            Self::LoginTimeout
                | Self::NotLoggedIn
                | Self::SecondLogin
                | Self::OutOfPlace { .. }
                | Self::BadPacket(_)
                | Self::Silence
                | Self::ClosedHere
        )
    }
}

/// Why a session did not do what its owner asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// No login is open, so there is nothing to answer.
    #[error("no login is waiting for an answer: answer each Login event once, and not after Closed")]
    NoLoginWaiting,
    /// The session is not logged in, or no longer.
    #[error("the session is not logged in: send after the login is accepted and before the session is closed")]
    NotLoggedIn,
    /// A sequenced message with another number than the next.
    #[error("sequenced message {given} given where {wanted} is next: send the number that next_wanted states")]
    OutOfSequence {
        /// The number that is next.
        wanted: SequenceNumber,
        /// The number given.
        given: SequenceNumber,
    },
    /// No room in the output.
    #[error("output full at {limit} bytes: keep the message and send it again when poll_output has drained")]
    OutputFull {
        /// The limit in bytes.
        limit: usize,
    },
    /// A message that no packet of this session holds.
    #[error("message of {length} bytes is above the packet limit: send at most {limit} bytes or raise packet_limit")]
    MessageTooLong {
        /// The message's length in bytes.
        length: usize,
        /// The largest message in bytes.
        limit: usize,
    },
}

/// Bytes in, bytes out, and when either last happened.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) framer: Framer,
    /// Bytes to be sent; those before `sent` are sent.
    output: Vec<u8>,
    sent: usize,
    last_heard_ns: u64,
    last_sent_ns: u64,
    pub(super) config: SoupConfig,
}

impl Link {
    pub(super) fn new(config: SoupConfig, now_ns: u64) -> Self {
        let packet_limit = config.packet_limit.max(LOGIN_REQUEST_LENGTH);
        let output_limit = config.output_limit.max(2 * (LENGTH_WIDTH + usize::from(packet_limit)));
        let config = SoupConfig {
            packet_limit,
            output_limit,
            ..config
        };
        Self {
            framer: Framer::new(packet_limit),
            output: Vec::new(),
            sent: 0,
            last_heard_ns: now_ns,
            last_sent_ns: now_ns,
            config,
        }
    }

    pub(super) fn receive(&mut self, now_ns: u64, bytes: &[u8]) -> usize {
        if !bytes.is_empty() {
            self.last_heard_ns = now_ns;
        }
        self.framer.feed(bytes)
    }

    pub(super) fn output(&self) -> &[u8] {
        self.output.get(self.sent..).unwrap_or_default()
    }

    pub(super) fn mark_sent(&mut self, now_ns: u64, count: usize) {
        if count == 0 {
            return;
        }
        self.last_sent_ns = now_ns;
        self.sent = self.output.len().min(self.sent + count);
        // Moving what is left only when it is the smaller part keeps the cost below one copy of each byte.
        if self.sent >= self.output.len() / 2 {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Whether any message up to the packet limit can be queued.
    pub(super) fn has_room(&self) -> bool {
        self.output().len() + LENGTH_WIDTH + usize::from(self.config.packet_limit) <= self.config.output_limit
    }

    /// Whether this message can be queued.
    pub(super) fn admits(&self, message: &[u8]) -> Result<(), SessionError> {
        let limit = usize::from(self.config.packet_limit).saturating_sub(TYPE_WIDTH);
        if message.len() > limit {
            return Err(SessionError::MessageTooLong {
                length: message.len(),
                limit,
            });
        }
        if self.output().len() + LENGTH_WIDTH + TYPE_WIDTH + message.len() > self.config.output_limit {
            return Err(SessionError::OutputFull {
                limit: self.config.output_limit,
            });
        }
        Ok(())
    }

    /// Queues a packet. Its payload is a message that was admitted, or one of the session's own, all of them below
    /// 65,535 bytes: the only error that encoding has cannot happen, and would leave nothing behind.
    pub(super) fn queue(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> Result<(), PacketError>) {
        let encoded = encode(&mut self.output);
        debug_assert!(
            encoded.is_ok(),
            "a packet was queued that was not admitted: {encoded:?}"
        );
    }

    /// The text of a reason that the other end is told.
    pub(super) fn last_words(reason: CloseReason) -> Option<alloc::string::String> {
        reason.is_told().then(|| reason.to_string())
    }

    /// Whether the other end was silent for too long. It is not silent while its packets wait here for the owner.
    pub(super) fn is_silent(&mut self, now_ns: u64) -> bool {
        if self.framer.has_packet() {
            self.last_heard_ns = now_ns;
        }
        now_ns >= self.silence_deadline_ns()
    }

    pub(super) fn silence_deadline_ns(&self) -> u64 {
        self.last_heard_ns.saturating_add(self.config.silence_timeout_ns)
    }

    /// When a heartbeat is due; `None` while bytes wait to be sent, for they will do.
    pub(super) fn heartbeat_deadline_ns(&self) -> Option<u64> {
        self.output()
            .is_empty()
            .then(|| self.last_sent_ns.saturating_add(self.config.heartbeat_interval_ns))
    }

    pub(super) fn is_heartbeat_due(&self, now_ns: u64) -> bool {
        self.heartbeat_deadline_ns()
            .is_some_and(|deadline_ns| now_ns >= deadline_ns)
    }
}
