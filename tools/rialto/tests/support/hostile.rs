//! What the tests of hostile members share: dice, ears that know what must not be heard, and both order-entry protocols byte by byte,
//! for who means to break them.

use super::PATIENCE;
use rialto_fix::message::{FieldWriter, MessageHeader, encode};
use rialto_fix::{MsgSeqNum, MsgType, Tag, TimePrecision, UtcTimestamp};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long one look at a connection waits.
const LOOK: Duration = Duration::from_millis(2);
const SOH: u8 = 1;

pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// splitmix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("small")
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    pub(crate) fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most) + 1;
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// Searches everything that somebody hears for what must not be in it, however it is cut into pieces.
pub(crate) struct Ear {
    who: String,
    /// Each marker as it is, in lower and in upper case.
    markers: Vec<Vec<u8>>,
    /// Whether a marker begins with these two bytes.
    beginnings: Vec<bool>,
    /// The last bytes heard, with which a marker may have begun.
    tail: Vec<u8>,
    pub(crate) bytes: u64,
    /// The first marker that was found, with what stood about it.
    pub(crate) found: Option<String>,
}

impl Ear {
    pub(crate) fn new(who: &str, markers: &[String]) -> Self {
        let cased = markers
            .iter()
            .flat_map(|marker| [marker.clone(), marker.to_lowercase(), marker.to_uppercase()]);
        let markers: BTreeSet<Vec<u8>> = cased.map(String::into_bytes).collect();
        let mut beginnings = vec![false; 1 << 16];
        for marker in &markers {
            beginnings[pair(marker)] = true;
        }
        Self {
            who: who.to_owned(),
            markers: markers.into_iter().collect(),
            beginnings,
            tail: Vec::new(),
            bytes: 0,
            found: None,
        }
    }

    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.tail.extend_from_slice(bytes);
        if self.found.is_none() {
            let begins = (1..self.tail.len()).filter(|end| self.beginnings[pair(&self.tail[end - 1..])]);
            let mut places = begins.map(|end| end - 1);
            let found = places.find_map(|at| {
                let marker = self.markers.iter().find(|marker| self.tail[at..].starts_with(marker))?;
                Some((at, marker))
            });
            if let Some((at, marker)) = found {
                let about = &self.tail[at.saturating_sub(80)..(at + 80).min(self.tail.len())];
                self.found = Some(format!(
                    "{} hears {} of another: {}",
                    self.who,
                    marker.escape_ascii(),
                    about.escape_ascii()
                ));
            }
        }
        let longest = self.markers.iter().map(Vec::len).max().unwrap_or_default();
        let done = self.tail.len().saturating_sub(longest);
        self.tail.drain(..done);
    }

    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.found, None, "after {} bytes", self.bytes);
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// What has come of a connection, if anything; `None` once it has ended.
fn read(stream: &mut TcpStream, received: &mut Vec<u8>, ear: &mut Ear) -> Option<()> {
    let mut chunk = [0; 16 << 10];
    match stream.read(&mut chunk) {
        Ok(0) => None,
        Ok(count) => {
            ear.hear(&chunk[..count]);
            received.extend_from_slice(&chunk[..count]);
            Some(())
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Some(()),
        Err(_) => None,
    }
}

pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the door listens");
    stream.set_read_timeout(Some(LOOK)).expect("a bound");
    stream.set_nodelay(true).expect("a socket");
    stream
}

/// A SoupBinTCP connection, in whoever's name.
pub(crate) struct Soup {
    stream: TcpStream,
    received: Vec<u8>,
    pub(crate) over: bool,
}

impl Soup {
    /// Connects and says a login; blank session and number are the current ones.
    pub(crate) fn login(address: &str, user: &str, password: &str, session: &str, number: &str) -> Self {
        let mut soup = Self {
            stream: connect(address),
            received: Vec::new(),
            over: false,
        };
        let login = format!("{user:<6}{password:<10}{session:>10}{number:>20}");
        soup.send(b'L', login.as_bytes());
        soup
    }

    pub(crate) fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut bytes = (payload.len() as u16 + 1).to_be_bytes().to_vec();
        bytes.push(kind);
        bytes.extend_from_slice(payload);
        self.raw(&bytes);
    }

    /// Whatever it is. A connection that has ended is found by reading.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Hears what has come, packet by packet.
    pub(crate) fn hear(&mut self, ear: &mut Ear, mut each: impl FnMut(u8, &[u8])) {
        self.over |= read(&mut self.stream, &mut self.received, ear).is_none();
        let mut rest = self.received.as_slice();
        while let [high, low, behind @ ..] = rest
            && let Some((packet, more)) = behind.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))
        {
            if let Some((kind, payload)) = packet.split_first() {
                each(*kind, payload);
            }
            rest = more;
        }
        let done = self.received.len() - rest.len();
        self.received.drain(..done);
    }

    /// Hears until it is told this; whether it was, before the connection ended.
    #[track_caller]
    pub(crate) fn hears(&mut self, ear: &mut Ear, mut wanted: impl FnMut(u8, &[u8]) -> bool) -> bool {
        let begun = Instant::now();
        let mut came = false;
        while !came && !self.over {
            assert!(begun.elapsed() < PATIENCE, "nothing comes that was waited for");
            self.hear(ear, |kind, payload| came |= wanted(kind, payload));
        }
        came
    }
}

/// The fields of a FIX message.
pub(crate) struct Fields(Vec<(u32, String)>);

impl Fields {
    pub(crate) fn get(&self, tag: u32) -> &str {
        let mut own = self.0.iter().filter(|(of, _)| *of == tag);
        own.next().map_or("", |(_, value)| value)
    }

    fn read(message: &[u8]) -> Self {
        let fields = message.split(|byte| *byte == SOH).filter_map(|field| {
            let text = String::from_utf8_lossy(field);
            let (tag, value) = text.split_once('=')?;
            Some((tag.parse().ok()?, value.to_owned()))
        });
        Self(fields.collect())
    }
}

/// A FIX connection, in whoever's name.
pub(crate) struct Fix {
    stream: TcpStream,
    received: Vec<u8>,
    begin: &'static str,
    name: String,
    number: u64,
    pub(crate) over: bool,
}

impl Fix {
    /// Connects and says a Logon that begins both numbers anew.
    pub(crate) fn logon(address: &str, name: &str, password: &str, more: &str) -> Self {
        let mut fix = Self {
            stream: connect(address),
            received: Vec::new(),
            begin: "FIX.4.4",
            name: name.to_owned(),
            number: 1,
            over: false,
        };
        fix.send("A", &format!("98=0|108=30|141=Y|553={name}|554={password}|{more}"));
        fix
    }

    /// A message of its own; `|` ends a field, and 60 is added where it says so.
    pub(crate) fn send(&mut self, kind: &str, body: &str) {
        let name = self.name.clone();
        self.send_as(&name, "RIALTO", "", kind, body);
    }

    /// A message that says it is from and for whoever, with more fields in its header.
    pub(crate) fn send_as(&mut self, sender: &str, target: &str, header: &str, kind: &str, body: &str) {
        let number = self.number;
        self.number += 1;
        self.send_numbered(number, sender, target, header, kind, body);
    }

    fn send_numbered(&mut self, number: u64, sender: &str, target: &str, header: &str, kind: &str, body: &str) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
        let now = UtcTimestamp(u64::try_from(since.as_nanos()).expect("this century"));
        let fields = |text: &str| text.replace('|', "\x01").into_bytes();
        let mut body = fields(body);
        if matches!(kind, "D" | "F" | "G" | "q") {
            FieldWriter::new(&mut body).timestamp(Tag(60), now, TimePrecision::Milliseconds);
        }
        let header = MessageHeader {
            begin_string: self.begin.as_bytes(),
            msg_type: MsgType(kind.as_bytes()),
            msg_seq_num: MsgSeqNum(number),
            sender_comp_id: sender.as_bytes(),
            target_comp_id: target.as_bytes(),
            sending_time: now,
            orig_sending_time: None,
            time_precision: TimePrecision::Milliseconds,
            extra: &fields(header),
        };
        let mut out = Vec::new();
        encode(&header, &body, &mut out);
        self.raw(&out);
    }

    /// Whatever it is.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Hears what has come, message by message, and says what keeps the session alive.
    pub(crate) fn hear(&mut self, ear: &mut Ear, mut each: impl FnMut(&Fields)) {
        self.over |= read(&mut self.stream, &mut self.received, ear).is_none();
        while let Some(length) = framed(&self.received) {
            let message: Vec<u8> = self.received.drain(..length).collect();
            let fields = Fields::read(&message);
            match fields.get(35) {
                "1" => self.send("0", &format!("112={}|", fields.get(112))),
                // What was said before is not said again.
                "2" => {
                    let first = fields.get(7).parse().expect("a number");
                    let (name, next) = (self.name.clone(), self.number);
                    self.send_numbered(first, &name, "RIALTO", "", "4", &format!("36={next}|123=Y|"));
                }
                _ => {}
            }
            each(&fields);
        }
    }

    /// Hears until it is told this; whether it was, before the connection ended.
    #[track_caller]
    pub(crate) fn hears(&mut self, ear: &mut Ear, mut wanted: impl FnMut(&Fields) -> bool) -> bool {
        let begun = Instant::now();
        let mut came = false;
        while !came && !self.over {
            assert!(begun.elapsed() < PATIENCE, "nothing comes that was waited for");
            self.hear(ear, |fields| came |= wanted(fields));
        }
        came
    }
}

/// The length of the message that the bytes begin with, by its BodyLength(9), once it is whole.
fn framed(bytes: &[u8]) -> Option<usize> {
    let mut ends = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == SOH)
        .map(|(at, _)| at);
    let (first, second) = (ends.next()?, ends.next()?);
    let length = std::str::from_utf8(bytes.get(first + 3..second)?).ok()?;
    let whole = second + 1 + length.parse::<usize>().ok()? + 7;
    (bytes.len() >= whole).then_some(whole)
}
