//! A FIX client for tests: one socket, the library's initiator, and messages as lists of `tag=value`.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;

use rialto_fix::client::{Client, ClientConfig, ClientEvent, Credentials};
use rialto_fix::dictionary::{Dictionaries, UserDefinedFields, Validator};
use rialto_fix::message::Message;
use rialto_fix::{Monotonic, MsgSeqNum, MsgType, Now, UtcTimestamp, Version};
use rialto_model::Door;

use super::Exchange;

pub struct FixClient {
    stream: TcpStream,
    version: Version,
    pub client: Client,
    pub logged_on: bool,
    /// Application messages and Rejects: `tag=value` in wire order.
    pub messages: Vec<Vec<String>>,
    /// The exchange said Logout, with this text.
    pub logged_out: Option<String>,
    pub hung_up: bool,
    /// Do not read from the socket.
    pub deaf: bool,
}

/// What a client of each version checks of what it is told: all of it against its dictionary, nothing of its own accepted.
fn judge(version: Version) -> &'static Validator {
    static JUDGES: OnceLock<[Validator; 3]> = OnceLock::new();
    let judges = JUDGES.get_or_init(|| {
        [Version::Fix42, Version::Fix44, Version::Fix50Sp2]
            .map(|version| Validator::new(Dictionaries::load(version).unwrap(), UserDefinedFields::Reject))
    });
    &judges[version as usize]
}

/// A client of this name with the right password.
pub fn config(name: &str) -> ClientConfig {
    spoken(Version::Fix44, name)
}

/// The same in another version.
pub fn spoken(version: Version, name: &str) -> ClientConfig {
    ClientConfig {
        credentials: Some(Credentials {
            username: name.into(),
            password: b"secret".to_vec(),
        }),
        ..ClientConfig::new(version, name, "RIALTO")
    }
}

pub fn now(exchange: &Exchange) -> Now {
    Now {
        monotonic: Monotonic(exchange.now_ns()),
        utc: UtcTimestamp(exchange.now_ns()),
    }
}

impl FixClient {
    pub fn connect(exchange: &Exchange, config: ClientConfig) -> Self {
        Self::connect_at(exchange, exchange.address(Door::Fix), config)
    }

    /// The same by another port.
    pub fn connect_at(exchange: &Exchange, address: SocketAddr, config: ClientConfig) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nonblocking(true).unwrap();
        let version = config.version;
        let mut client = Client::new(config, now(exchange));
        client.logon(now(exchange));
        Self {
            stream,
            version,
            client,
            logged_on: false,
            messages: Vec::new(),
            logged_out: None,
            hung_up: false,
            deaf: false,
        }
    }

    /// Connects and waits until it is in.
    #[track_caller]
    pub fn enter(exchange: &mut Exchange, config: ClientConfig) -> Self {
        let mut client = Self::connect(exchange, config);
        exchange.until("logon answered", |x| {
            client.poll(x);
            client.logged_on
        });
        client
    }

    pub fn poll(&mut self, exchange: &Exchange) {
        let now = now(exchange);
        let mut bytes = [0; 4096];
        while !self.deaf && !self.hung_up {
            match self.stream.read(&mut bytes) {
                Ok(0) => self.hung_up = true,
                Ok(count) => assert_eq!(self.client.handle_bytes(&bytes[..count]), count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.hung_up = true,
            }
            self.take_events(now);
        }
        self.client.handle_timer(now);
        self.take_events(now);
        while !self.client.transmit().is_empty() {
            match self.stream.write(self.client.transmit()) {
                Ok(count) => self.client.transmitted(count),
                Err(_) => break,
            }
        }
    }

    fn take_events(&mut self, now: Now) {
        while let Some(event) = self.client.poll_event(now) {
            match event {
                ClientEvent::LoggedOn => self.logged_on = true,
                ClientEvent::Message(message) => {
                    let verdict = judge(self.version).validate(&message);
                    let fields = fields(&message);
                    // The one field beyond a dictionary: the public FIXT suite wants it there.
                    let wanted = |field: &String| field == "1137=9" && fields.contains(&"380=3".to_owned());
                    let excused = self.version == Version::Fix50Sp2 && fields.iter().any(wanted);
                    assert!(
                        excused || verdict == Ok(()),
                        "against its dictionary: {verdict:?}, {fields:?}"
                    );
                    self.messages.push(fields);
                }
                ClientEvent::LoggedOut(text) => self.logged_out = Some(String::from_utf8_lossy(text).into_owned()),
                ClientEvent::Silence => panic!("the exchange is silent"),
                ClientEvent::Garbled(garbled) => panic!("the exchange sent garbage: {garbled}"),
            }
        }
    }

    /// Sends `D 11=A 55=ABC ...`; fields in any order. `60` is added; `97=Y` goes into the header.
    pub fn send(&mut self, exchange: &Exchange, text: &str) -> MsgSeqNum {
        let (msg_type, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut body: Vec<(u32, &str)> = rest
            .split_whitespace()
            .map(|field| field.split_once('=').unwrap())
            .map(|(tag, value)| (tag.parse().unwrap(), value))
            .collect();
        let header = if body.contains(&(97, "Y")) {
            &b"97=Y\x01"[..]
        } else {
            b""
        };
        body.retain(|(tag, _)| *tag != 97);
        if matches!(msg_type, "D" | "F" | "G" | "q") {
            body.push((60, "20241004-10:00:00.000"));
        }
        if !body.iter().any(|(tag, _)| matches!(tag, 146 | 267 | 295 | 296)) {
            body.sort_by_key(|(tag, _)| *tag);
        }
        // Several instructions stand in one field with spaces between them; a table has them with underscores.
        let value = |tag, value: &str| {
            if tag == 18 {
                value.replace('_', " ")
            } else {
                value.to_owned()
            }
        };
        let fields = body
            .iter()
            .map(|(tag, given)| format!("{tag}={}\x01", value(*tag, given)));
        let bytes: String = fields.collect();
        let number =
            self.client
                .send_with_header(now(exchange), MsgType(msg_type.as_bytes()), header, bytes.as_bytes());
        self.poll(exchange);
        number
    }

    /// Sends bytes as they are, past the protocol, as fast as the door takes them.
    pub fn send_raw_slowly(&mut self, exchange: &mut Exchange, mut bytes: &[u8]) {
        exchange.until("the bytes to be taken", |x| {
            self.poll(x);
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            bytes.is_empty()
        });
    }

    pub fn logout(&mut self, exchange: &Exchange) {
        self.client.logout(now(exchange));
        self.poll(exchange);
    }

    /// Plays a table: lines with `>` are sent; a line with `<` must come next: its type, with these fields (and without those
    /// behind a `!`).
    #[track_caller]
    pub fn play(&mut self, exchange: &mut Exchange, table: &str) {
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (direction, text) = line.split_at(1);
            match direction {
                ">" => _ = self.send(exchange, text.trim()),
                "<" => _ = self.expect(exchange, text.trim()),
                _ => panic!("a table line begins with < or >: {line}"),
            }
        }
    }

    /// The next message, whatever it is.
    #[track_caller]
    pub fn expect_any(&mut self, exchange: &mut Exchange) -> Vec<String> {
        self.expect(exchange, "")
    }

    #[track_caller]
    pub fn expect(&mut self, exchange: &mut Exchange, text: &str) -> Vec<String> {
        exchange.until(text, |x| {
            self.poll(x);
            !self.messages.is_empty() || self.hung_up
        });
        assert!(!self.messages.is_empty(), "closed, and not: {text}");
        let message = self.messages.remove(0);
        for (index, wanted) in text.split_whitespace().enumerate() {
            let wanted = if index == 0 {
                format!("35={wanted}")
            } else {
                wanted.replace('_', " ")
            };
            match wanted.strip_prefix('!') {
                Some(tag) => assert!(
                    !message.iter().any(|field| field.starts_with(&format!("{tag}="))),
                    "{tag} in {message:?}"
                ),
                None => assert!(message.contains(&wanted), "{wanted} not in {message:?}"),
            }
        }
        message
    }

    /// Nothing has come that was not looked at: an unknown order's cancel is answered behind everything else.
    #[track_caller]
    pub fn expect_nothing(&mut self, exchange: &mut Exchange, fresh_id: &str) {
        self.send(exchange, &format!("F 11={fresh_id} 41=never 55=ABC 54=1 38=1"));
        self.expect(exchange, &format!("9 11={fresh_id}"));
        assert!(self.messages.is_empty());
    }

    /// Everything below this number comes again, and the session goes on.
    #[track_caller]
    pub fn expect_nothing_but_copies(&mut self, exchange: &mut Exchange, below: u64) {
        self.send(exchange, "F 11=LAST 41=never 55=ABC 54=1 38=1");
        loop {
            let message = self.expect_any(exchange);
            if message.contains(&"11=LAST".to_owned()) {
                return;
            }
            let number = message.iter().find_map(|field| field.strip_prefix("34=")).unwrap();
            let copied = message.contains(&"43=Y".to_owned());
            assert!(copied || number.parse::<u64>().unwrap() >= below, "{message:?}");
        }
    }

    #[track_caller]
    pub fn until_closed(&mut self, exchange: &mut Exchange) {
        exchange.until("the connection to be closed", |x| {
            self.poll(x);
            self.hung_up
        });
    }
}

fn fields(message: &Message<'_>) -> Vec<String> {
    message
        .fields()
        .map(|field| format!("{}={}", field.tag, field.value.escape_ascii()))
        .collect()
}
