//! Session scripts: lines in, lines out, a clock that stands where the script puts it.
//!
//! | line | means |
//! |---|---|
//! | `> 35=0\|34=2\|` | the peer sends this, completed by 8, 9, 49, 52, 56 and 10 |
//! | `>> text` | the peer sends exactly this |
//! | `< 35=0\|34=2\|` | the session sends this next; 8, 9, 49, 52, 56 and 10 are right and left out, 122 is a time |
//! | `! text` | the session says this event next |
//! | `@ 6.5` | the clock moves on to that second, and the timer fires |
//! | `. text` | the owner does this: `accept 1 1`, `relogon`, `refuse`, `release`, `send D\|11=x\|`, `logout why` |
//!
//! Whatever a line leads to must be named by the next lines, all of it, in order: bytes first, then events.

use std::collections::VecDeque;

use rialto_fix::message::{Decoder, Framer};
use rialto_fix::session::{BoundedStore, Event, Session, SessionConfig};
use rialto_fix::{Monotonic, MsgSeqNum, MsgType, Now, TimePrecision, UtcTimestamp, tags};

const START_NS: u64 = 1_767_605_400_000_000_000;

/// A session, its owner, and what the peer has received.
pub(crate) struct Script {
    session: Session<BoundedStore>,
    begin_string: String,
    now_ns: u64,
    received: Framer,
    said: VecDeque<String>,
    /// Releases each administrative message at once.
    releases: bool,
}

impl Script {
    /// An owner that releases at once, or one that waits for `. release`.
    pub(crate) fn new(config: SessionConfig, releases: bool) -> Self {
        let begin_string = config.version.begin_string().escape_ascii().to_string();
        let session = Session::new(config, at(0));
        Self {
            session,
            begin_string,
            now_ns: 0,
            received: Framer::new(),
            said: VecDeque::new(),
            releases,
        }
    }

    /// Plays a script to its end.
    pub(crate) fn play(&mut self, script: &str) {
        let mut last = "";
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (operation, rest) = line.split_once(' ').unwrap_or((line, ""));
            if !matches!(operation, "<" | "!") {
                self.assert_quiet(last);
            }
            match operation {
                ">" => {
                    let bytes = self.complete(rest);
                    self.take_in(&bytes);
                }
                ">>" => self.take_in(&rest.replace('|', "\x01").into_bytes()),
                "<" => assert_eq!(
                    self.next_sent(),
                    Some(rest.to_owned()),
                    "after {last}, said {:?}",
                    self.said
                ),
                "!" => assert_eq!(self.said.pop_front().as_deref(), Some(rest), "after {last}"),
                "@" => {
                    self.now_ns = (rest.parse::<f64>().expect("seconds") * 1e9) as u64;
                    self.session.handle_timer(at(self.now_ns));
                }
                "." => self.owner(rest),
                _ => panic!("no such line: {line}"),
            }
            if !matches!(operation, "<" | "!") {
                self.run();
            }
            last = line;
        }
        self.assert_quiet(last);
    }

    /// The session itself, for its getters.
    pub(crate) fn session(&mut self) -> &mut Session<BoundedStore> {
        &mut self.session
    }

    /// The clock of the script.
    pub(crate) fn now(&self) -> Now {
        at(self.now_ns)
    }

    /// The store, at the end.
    pub(crate) fn into_store(self) -> BoundedStore {
        self.session.into_store().expect("a Logon was accepted")
    }

    fn assert_quiet(&mut self, last: &str) {
        assert_eq!(
            (self.next_sent(), self.said.pop_front()),
            (None, None),
            "not expected after {last}"
        );
    }

    fn take_in(&mut self, bytes: &[u8]) {
        assert_eq!(self.session.handle_bytes(bytes), bytes.len());
    }

    fn complete(&self, fields: &str) -> Vec<u8> {
        let mut time = Vec::new();
        at(self.now_ns).utc.write(TimePrecision::Milliseconds, &mut time);
        let time = String::from_utf8(time).unwrap();
        let mut body = fields.replace("<now>", &time);
        for (tag, field) in [
            ("49=", "49=FIRM1|".to_owned()),
            ("52=", format!("52={time}|")),
            ("56=", "56=RIALTO|".to_owned()),
        ] {
            if !body.contains(&format!("|{tag}")) {
                let from = body.find("34=").unwrap_or(0);
                let header_end = from + body[from..].find('|').unwrap() + 1;
                body.insert_str(header_end, &field);
            }
        }
        let body = body.replace('|', "\x01");
        let message = format!("8={}\x019={}\x01{body}", self.begin_string, body.len());
        let sum = message.bytes().fold(0u8, u8::wrapping_add);
        format!("{message}10={sum:03}\x01").into_bytes()
    }

    fn owner(&mut self, what: &str) {
        let now = at(self.now_ns);
        let words: Vec<&str> = what.split(' ').collect();
        match words.as_slice() {
            ["accept", inbound, outbound] => {
                let (inbound, outbound) = (inbound.parse().unwrap(), outbound.parse().unwrap());
                let accepted =
                    self.session
                        .accept_logon(now, MsgSeqNum(inbound), MsgSeqNum(outbound), BoundedStore::default());
                accepted.unwrap();
            }
            ["relogon"] => self.session.accept_relogon(now).unwrap(),
            ["refuse"] => self.session.refuse_logon().unwrap(),
            ["release"] => assert!(self.session.release_admin(now).is_some(), "something to release"),
            ["send", message] => {
                let (msg_type, body) = message.split_once('|').unwrap();
                let body = body.replace('|', "\x01");
                self.session
                    .send(now, MsgType(msg_type.as_bytes()), b"", body.as_bytes())
                    .unwrap();
            }
            ["logout", text @ ..] => self.session.logout(&text.join(" ")),
            _ => panic!("no such act: {what}"),
        }
    }

    /// Lets the session run until it has nothing to say.
    fn run(&mut self) {
        let now = at(self.now_ns);
        loop {
            let mut release = false;
            let said = match self.session.poll_event(now) {
                None => break,
                Some(Event::AdminWanted(_)) if self.releases => {
                    release = true;
                    None
                }
                Some(Event::AdminWanted(kind)) => Some(format!("wanted {kind:?}")),
                Some(Event::Logon(request)) => Some(format!(
                    "logon {}{}",
                    request.sender_comp_id().escape_ascii(),
                    if request.is_relogon() { " again" } else { "" }
                )),
                Some(Event::Application(message)) => Some(format!(
                    "application {} {}",
                    message.msg_type(),
                    message.msg_seq_num().unwrap()
                )),
                Some(Event::Rejected(message)) => Some(format!("rejected {}", message.msg_seq_num().unwrap())),
                Some(Event::Garbled(_)) => Some("garbled".to_owned()),
                Some(Event::Disconnect(reason)) => Some(format!("disconnect: {reason}")),
            };
            self.said.extend(said);
            if release {
                self.session.release_admin(now);
            }
        }
        loop {
            let bytes = self.session.transmit(now).to_vec();
            if bytes.is_empty() {
                break;
            }
            // A socket takes what it wants.
            let taken = bytes.len().min(50);
            assert_eq!(self.received.feed(&bytes[..taken]), taken);
            self.session.transmitted(taken);
        }
    }

    fn next_sent(&mut self) -> Option<String> {
        let place = self.received.next_frame()?.expect("we send no garbage");
        let mut decoder = Decoder::new();
        let message = decoder.decode(self.received.frame(place)).expect("we send no garbage");
        assert_eq!(
            (message.get(tags::SENDER_COMP_ID), message.get(tags::TARGET_COMP_ID)),
            (Some(&b"RIALTO"[..]), Some(&b"FIRM1"[..]))
        );
        message.timestamp(tags::SENDING_TIME).expect("a time");
        let mut out = String::new();
        for field in message
            .fields()
            .filter(|field| !matches!(field.tag.0, 8 | 9 | 10 | 49 | 52 | 56))
        {
            let value = field.value.escape_ascii().to_string();
            out += &format!("{}={}|", field.tag, if field.tag.0 == 122 { "T" } else { &value });
        }
        Some(out)
    }
}

fn at(now_ns: u64) -> Now {
    Now {
        monotonic: Monotonic(now_ns),
        utc: UtcTimestamp(START_NS + now_ns),
    }
}
