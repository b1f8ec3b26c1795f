//! The initiator's side of a connection, as small as tools and tests need it, without I/O.
//!
//! It logs on, keeps alive, answers test requests, asks again for what it missed, and gives each application message
//! once and in sequence. It never sends anything twice: a ResendRequest of the acceptor is answered by one gap fill, so
//! that no order is entered again. Whoever is unsure of an order sends it anew under its ClOrdID, with PossResend(97)=Y.
//!
//! Call [`Client::handle_bytes`] and [`Client::handle_timer`], then [`Client::poll_event`] until it has none, then write
//! [`Client::transmit`] and say [`Client::transmitted`].

use alloc::vec::Vec;

use crate::message::{Decoder, FieldWriter, Framer, Garbled, Message, MessageHeader, encode};
use crate::tag::tags;
use crate::time::{Monotonic, Now, TimePrecision};
use crate::transmit::TransmitBuffer;
use crate::version::Version;
use crate::words::{MsgSeqNum, MsgType};

/// Who logs on, and how.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The version spoken.
    pub version: Version,
    /// SenderCompID(49): the client.
    pub sender_comp_id: Vec<u8>,
    /// TargetCompID(56): the acceptor.
    pub target_comp_id: Vec<u8>,
    /// Not sent in FIX 4.2, whose Logon has neither field.
    pub credentials: Option<Credentials>,
    /// HeartBtInt(108) in seconds; 0 for none.
    pub heart_bt_int_seconds: u64,
    /// ResetSeqNumFlag(141)=Y: both sides start at 1.
    pub reset_numbers: bool,
    /// The first number to send; ignored with `reset_numbers`.
    pub next_outbound: MsgSeqNum,
    /// The first number to expect; ignored with `reset_numbers`.
    pub next_inbound: MsgSeqNum,
}

/// What a Logon proves an identity by; in FIX 4.2, which has no fields for it, the password goes as RawData(96).
#[derive(Clone)]
pub struct Credentials {
    /// Username(553).
    pub username: Vec<u8>,
    /// Password(554).
    pub password: Vec<u8>,
}

impl core::fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Credentials({})", self.username.escape_ascii())
    }
}

impl ClientConfig {
    /// A client that starts both numbers at 1 without a reset, with a heartbeat every 30 s and no credentials.
    #[must_use]
    pub fn new(version: Version, sender_comp_id: &str, target_comp_id: &str) -> Self {
        Self {
            version,
            sender_comp_id: sender_comp_id.into(),
            target_comp_id: target_comp_id.into(),
            credentials: None,
            heart_bt_int_seconds: 30,
            reset_numbers: false,
            next_outbound: MsgSeqNum::FIRST,
            next_inbound: MsgSeqNum::FIRST,
        }
    }
}

/// What a client is told; it borrows the client until it is dealt with.
#[derive(Debug)]
pub enum ClientEvent<'a> {
    /// The acceptor answered our Logon: application messages may be sent.
    LoggedOn,
    /// An application message, or a Reject (35=3) of one of ours, in sequence.
    Message(Message<'a>),
    /// The acceptor logged out, with this Text(58) or none. Write what is left and close the connection.
    LoggedOut(&'a [u8]),
    /// Nothing was heard for 2.4 times HeartBtInt(108). Close the connection.
    Silence,
    /// Bytes were ignored.
    Garbled(Garbled),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    LoggingOn,
    LoggedOn,
    LoggingOut,
    Ended,
}

enum Step {
    LoggedOn,
    Message,
    LoggedOut,
    Garbled(Garbled),
}

/// One connection of an initiator.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    framer: Framer,
    decoder: Decoder,
    current: core::ops::Range<usize>,
    state: State,
    next_inbound: MsgSeqNum,
    next_outbound: MsgSeqNum,
    /// A ResendRequest is open: what comes too early is dropped, because it will come again.
    resend_requested: bool,
    silent: bool,
    last_sent: Monotonic,
    last_heard: Monotonic,
    transmit: TransmitBuffer,
}

impl Client {
    /// A client whose connection was just made.
    #[must_use]
    pub const fn new(config: ClientConfig, now: Now) -> Self {
        let reset = config.reset_numbers;
        Self {
            next_inbound: if reset { MsgSeqNum::FIRST } else { config.next_inbound },
            next_outbound: if reset { MsgSeqNum::FIRST } else { config.next_outbound },
            config,
            framer: Framer::new(),
            decoder: Decoder::new(),
            current: 0..0,
            state: State::Idle,
            resend_requested: false,
            silent: false,
            last_sent: now.monotonic,
            last_heard: now.monotonic,
            transmit: TransmitBuffer::new(),
        }
    }

    /// Says Logon. Once, and first.
    pub fn logon(&mut self, now: Now) {
        let mut body = Vec::new();
        let mut fields = FieldWriter::new(&mut body);
        let credentials = self.config.credentials.as_ref();
        let has_fields = self.config.version.has_credentials();
        if let Some(Credentials { password, .. }) = credentials.filter(|_| !has_fields) {
            fields.data(tags::RAW_DATA_LENGTH, tags::RAW_DATA, password);
        }
        fields
            .character(tags::ENCRYPT_METHOD, b'0')
            .unsigned(tags::HEART_BT_INT, self.config.heart_bt_int_seconds);
        if self.config.reset_numbers {
            fields.boolean(tags::RESET_SEQ_NUM_FLAG, true);
        }
        if let Some(Credentials { username, password }) = credentials.filter(|_| has_fields) {
            fields.bytes(tags::USERNAME, username).bytes(tags::PASSWORD, password);
        }
        fields.bytes(
            tags::DEFAULT_APPL_VER_ID,
            self.config.version.default_appl_ver_id().unwrap_or(b""),
        );
        self.state = State::LoggingOn;
        self.last_heard = now.monotonic;
        self.send(now, MsgType::LOGON, &body);
    }

    /// Says Logout; [`ClientEvent::LoggedOut`] follows.
    pub fn logout(&mut self, now: Now) {
        self.state = State::LoggingOut;
        self.send(now, MsgType::LOGOUT, b"");
    }

    /// Numbers and encodes a message; `body` is as [`FieldWriter`] wrote it.
    pub fn send(&mut self, now: Now, msg_type: MsgType<'_>, body: &[u8]) -> MsgSeqNum {
        self.send_with_header(now, msg_type, b"", body)
    }

    /// The same with further header fields, such as PossResend(97).
    pub fn send_with_header(&mut self, now: Now, msg_type: MsgType<'_>, extra: &[u8], body: &[u8]) -> MsgSeqNum {
        let number = self.next_outbound;
        self.next_outbound = number.next();
        self.encode(now, number, msg_type, false, extra, body);
        number
    }

    fn encode(&mut self, now: Now, number: MsgSeqNum, msg_type: MsgType<'_>, copy: bool, extra: &[u8], body: &[u8]) {
        let header = MessageHeader {
            begin_string: self.config.version.begin_string(),
            msg_type,
            msg_seq_num: number,
            sender_comp_id: &self.config.sender_comp_id,
            target_comp_id: &self.config.target_comp_id,
            sending_time: now.utc,
            orig_sending_time: copy.then_some(now.utc),
            time_precision: TimePrecision::Milliseconds,
            extra,
        };
        encode(&header, body, &mut self.transmit.bytes);
        self.last_sent = now.monotonic;
    }

    /// Takes what the socket read, and says how much. Give the rest again after [`Client::poll_event`].
    #[must_use = "bytes that were not taken must be given again"]
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> usize {
        self.framer.feed(bytes)
    }

    /// Sends a Heartbeat where one is due, and notices silence.
    pub fn handle_timer(&mut self, now: Now) {
        let interval_ns = self.config.heart_bt_int_seconds.saturating_mul(1_000_000_000);
        if interval_ns == 0 || matches!(self.state, State::Idle | State::Ended) {
            return;
        }
        let since = |then: Monotonic| now.monotonic.0.saturating_sub(then.0);
        if since(self.last_heard) >= interval_ns / 5 * 12 {
            self.silent = true;
        } else if since(self.last_sent) >= interval_ns && self.state == State::LoggedOn {
            self.send(now, MsgType::HEARTBEAT, b"");
        }
    }

    /// When [`Client::handle_timer`] has something to do next.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Monotonic> {
        let interval_ns = self.config.heart_bt_int_seconds.saturating_mul(1_000_000_000);
        if interval_ns == 0 || matches!(self.state, State::Idle | State::Ended) {
            return None;
        }
        let silence = self.last_heard.0.saturating_add(interval_ns / 5 * 12);
        let heartbeat = self.last_sent.0.saturating_add(interval_ns);
        let heartbeat_first = heartbeat < silence && matches!(self.state, State::LoggedOn);
        Some(Monotonic(if heartbeat_first { heartbeat } else { silence }))
    }

    /// The next thing to know.
    pub fn poll_event(&mut self, now: Now) -> Option<ClientEvent<'_>> {
        if core::mem::take(&mut self.silent) {
            self.state = State::Ended;
            return Some(ClientEvent::Silence);
        }
        let step = self.advance(now)?;
        let message = self.decoder.view(self.framer.frame(self.current.clone()));
        Some(match step {
            Step::LoggedOn => ClientEvent::LoggedOn,
            Step::Message => ClientEvent::Message(message),
            Step::LoggedOut => ClientEvent::LoggedOut(message.get(tags::TEXT).unwrap_or(b"")),
            Step::Garbled(garbled) => ClientEvent::Garbled(garbled),
        })
    }

    fn advance(&mut self, now: Now) -> Option<Step> {
        while !matches!(self.state, State::Idle | State::Ended) {
            let read = self.framer.next_frame()?.and_then(|place| {
                self.decoder.read(self.framer.frame(place.clone()))?;
                self.current = place;
                Ok(())
            });
            if let Err(garbled) = read {
                return Some(Step::Garbled(garbled));
            }
            self.last_heard = now.monotonic;
            // The framer and the table are put back below: the answer is written while the message is read.
            let (framer, decoder) = (core::mem::take(&mut self.framer), core::mem::take(&mut self.decoder));
            let step = self.receive(now, &decoder.view(framer.frame(self.current.clone())));
            (self.framer, self.decoder) = (framer, decoder);
            if step.is_some() {
                return step;
            }
        }
        None
    }

    fn receive(&mut self, now: Now, message: &Message<'_>) -> Option<Step> {
        let number = message.msg_seq_num().ok()?;
        let msg_type = message.msg_type();
        match msg_type {
            MsgType::LOGOUT => return Some(self.logged_out(now)),
            MsgType::SEQUENCE_RESET if !message.is_set(tags::GAP_FILL_FLAG) => {
                self.go_on_from(message);
                return None;
            }
            MsgType::RESEND_REQUEST => self.fill_gap(now, message),
            MsgType::LOGON if message.is_set(tags::RESET_SEQ_NUM_FLAG) => self.next_inbound = number,
            _ => {}
        }
        let logs_on = msg_type == MsgType::LOGON && self.state == State::LoggingOn;
        if logs_on {
            self.state = State::LoggedOn;
        }
        if number > self.next_inbound {
            self.request_resend(now);
            return logs_on.then_some(Step::LoggedOn);
        }
        if number < self.next_inbound {
            return logs_on.then_some(Step::LoggedOn);
        }
        self.resend_requested = false;
        self.next_inbound = number.next();
        match msg_type {
            MsgType::LOGON => logs_on.then_some(Step::LoggedOn),
            MsgType::SEQUENCE_RESET => {
                self.go_on_from(message);
                None
            }
            MsgType::TEST_REQUEST => {
                let mut body = Vec::new();
                FieldWriter::new(&mut body).bytes(tags::TEST_REQ_ID, message.get(tags::TEST_REQ_ID).unwrap_or(b""));
                self.send(now, MsgType::HEARTBEAT, &body);
                None
            }
            MsgType::HEARTBEAT | MsgType::RESEND_REQUEST => None,
            _ => Some(Step::Message),
        }
    }

    fn logged_out(&mut self, now: Now) -> Step {
        if self.state != State::LoggingOut {
            self.send(now, MsgType::LOGOUT, b"");
        }
        self.state = State::Ended;
        Step::LoggedOut
    }

    fn go_on_from(&mut self, message: &Message<'_>) {
        if let Ok(new) = message.unsigned(tags::NEW_SEQ_NO) {
            self.next_inbound = self.next_inbound.max(MsgSeqNum(new));
        }
    }

    /// One gap fill over all that is asked for.
    fn fill_gap(&mut self, now: Now, message: &Message<'_>) {
        let first = MsgSeqNum(message.unsigned(tags::BEGIN_SEQ_NO).unwrap_or(1).max(1));
        if first < self.next_outbound {
            let mut body = Vec::new();
            FieldWriter::new(&mut body)
                .unsigned(tags::NEW_SEQ_NO, self.next_outbound.0)
                .boolean(tags::GAP_FILL_FLAG, true);
            self.encode(now, first, MsgType::SEQUENCE_RESET, true, b"", &body);
        }
    }

    fn request_resend(&mut self, now: Now) {
        if !core::mem::replace(&mut self.resend_requested, true) {
            let mut body = Vec::new();
            FieldWriter::new(&mut body)
                .unsigned(tags::BEGIN_SEQ_NO, self.next_inbound.0)
                .unsigned(tags::END_SEQ_NO, 0);
            self.send(now, MsgType::RESEND_REQUEST, &body);
        }
    }

    /// What the socket shall write now. It is not bounded here: write it before sending more.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        self.transmit.waiting()
    }

    /// The socket took so many of [`Client::transmit`]'s bytes.
    pub fn transmitted(&mut self, bytes: usize) {
        self.transmit.taken(bytes);
    }

    /// True between the acceptor's Logon and the end.
    #[must_use]
    pub const fn is_logged_on(&self) -> bool {
        matches!(self.state, State::LoggedOn)
    }

    /// The number expected next, to resume from.
    #[must_use]
    pub const fn next_inbound(&self) -> MsgSeqNum {
        self.next_inbound
    }

    /// The number to be sent next, to resume from.
    #[must_use]
    pub const fn next_outbound(&self) -> MsgSeqNum {
        self.next_outbound
    }
}
