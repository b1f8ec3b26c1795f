//! The public acceptance suites, played in this process against the echo application: no socket, and a clock that moves
//! only when a scenario waits for something. Real data: skipped where it is absent.
#![expect(clippy::print_stderr, reason = "says what it skips")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use rialto_fix::dictionary::Dictionaries;
use rialto_fix::echo::{EchoConnection, echo_config};
use rialto_fix::message::Framer;
use rialto_fix::session::SessionConfig;
use rialto_fix::{Monotonic, Now, TimePrecision, UtcTimestamp, Version};

const SECOND_NS: u64 = 1_000_000_000;
/// 2026-01-05T09:30:00Z
const START_NS: u64 = 1_767_605_400 * SECOND_NS;
/// How long a scenario may wait for one thing.
const PATIENCE_NS: u64 = 30 * SECOND_NS;

fn suite(folder: &str) -> Option<Vec<PathBuf>> {
    let data = std::env::var_os("RIALTO_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = data.join("fix-at").join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no acceptance definitions in {}", folder.display());
        return None;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "def"));
    files.sort();
    Some(files)
}

struct Peer {
    echo: EchoConnection,
    framer: Framer,
    ended: bool,
    holds_identity: bool,
}

struct Player<'a> {
    config: &'a (SessionConfig, Dictionaries),
    target: &'a str,
    elapsed_ns: u64,
    peers: BTreeMap<u8, Peer>,
}

impl Player<'_> {
    fn now(&self) -> Now {
        Now {
            monotonic: Monotonic(self.elapsed_ns),
            utc: UtcTimestamp(START_NS + self.elapsed_ns),
        }
    }

    fn run(&mut self, id: u8) {
        let (now, target) = (self.now(), self.target);
        let identity_live = self
            .peers
            .iter()
            .any(|(&other, peer)| other != id && peer.holds_identity && !peer.ended);
        let peer = self.peers.get_mut(&id).expect("the scenario opened it");
        peer.echo.session.handle_timer(now);
        let mut took = false;
        let ended = peer.echo.handle_events(now, |request| {
            took =
                !identity_live && request.sender_comp_id() == target.as_bytes() && request.target_comp_id() == b"ISLD";
            took
        });
        peer.holds_identity |= took;
        let bytes = peer.echo.session.transmit(now).to_vec();
        assert_eq!(peer.framer.feed(&bytes), bytes.len());
        peer.echo.session.transmitted(bytes.len());
        peer.ended |= ended;
    }

    /// Lets time pass until something happens on this connection; false when nothing does in time.
    fn wait(&mut self, id: u8, patience_ends_ns: u64) -> bool {
        match self.peers[&id].echo.session.next_deadline() {
            Some(Monotonic(deadline)) if deadline <= patience_ends_ns => {
                self.elapsed_ns = self.elapsed_ns.max(deadline);
                self.run(id);
                true
            }
            _ => false,
        }
    }

    fn receive(&mut self, id: u8) -> Result<String, String> {
        let patience_ends_ns = self.elapsed_ns + PATIENCE_NS;
        loop {
            let peer = self.peers.get_mut(&id).expect("the scenario opened it");
            match peer.framer.next_frame() {
                Some(Ok(place)) => {
                    return Ok(peer
                        .framer
                        .frame(place)
                        .escape_ascii()
                        .to_string()
                        .replace("\\x01", "|"));
                }
                Some(Err(garbled)) => return Err(format!("sent to the peer: {garbled}")),
                None if peer.ended => return Err("disconnected, a message was expected".to_owned()),
                None if self.wait(id, patience_ends_ns) => {}
                None => return Err("nothing came in time".to_owned()),
            }
        }
    }

    fn expect_end(&mut self, id: u8) -> Result<(), String> {
        let patience_ends_ns = self.elapsed_ns + PATIENCE_NS;
        loop {
            let peer = self.peers.get_mut(&id).expect("the scenario opened it");
            if let Some(frame) = peer.framer.next_frame() {
                let text = frame.map(|place| peer.framer.frame(place).escape_ascii().to_string());
                return Err(format!("a disconnect was expected, not {text:?}"));
            }
            if peer.ended {
                self.peers.remove(&id);
                return Ok(());
            }
            if !self.wait(id, patience_ends_ns) {
                return Err("no disconnect in time".to_owned());
            }
        }
    }

    fn step(&mut self, line: &str) -> Result<(), String> {
        let (operation, rest) = line.split_at(1);
        let (id, rest) = match rest.as_bytes() {
            [digit @ b'0'..=b'9', b',', ..] => (digit - b'0', &rest[2..]),
            _ => (1, rest),
        };
        match (operation, rest.trim()) {
            ("i", "CONNECT") => {
                let peer = Peer {
                    echo: EchoConnection::new(self.config, self.now()),
                    framer: Framer::new(),
                    ended: false,
                    holds_identity: false,
                };
                self.peers.insert(id, peer);
            }
            ("i", _) => _ = self.peers.remove(&id),
            ("e", _) => self.expect_end(id)?,
            ("I", _) => {
                let bytes = complete(rest, self.now());
                let peer = self.peers.get_mut(&id).ok_or("not connected")?;
                assert_eq!(peer.echo.session.handle_bytes(&bytes), bytes.len());
                self.run(id);
            }
            ("E", _) => compare(&stamp(rest, self.now()), &self.receive(id)?)?,
            _ => return Err("unknown step".to_owned()),
        }
        Ok(())
    }
}

/// Replaces `<TIME>`, `<TIME+n>` and `<TIME-n>`.
fn stamp(text: &str, now: Now) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("<TIME") {
        let (offset, behind) = behind.split_once('>').expect("a closed time");
        let offset: i64 = if offset.is_empty() {
            0
        } else {
            offset.parse().expect("an offset in seconds")
        };
        let mut time = Vec::new();
        let nanoseconds = now
            .utc
            .0
            .checked_add_signed(offset * SECOND_NS as i64)
            .expect("a time after 1970");
        UtcTimestamp(nanoseconds).write(TimePrecision::Seconds, &mut time);
        out.push_str(before);
        out.push_str(std::str::from_utf8(&time).expect("digits"));
        rest = behind;
    }
    out + rest
}

/// Adds BodyLength and CheckSum where the scenario does not spell them out.
fn complete(text: &str, now: Now) -> Vec<u8> {
    let mut text = stamp(text, now);
    if !text.starts_with("8=") {
        return text.into_bytes();
    }
    let trailer_at = text.rfind("\x0110=").map(|at| at + 1);
    if !text.contains("\x019=") {
        let head = text.find('\x01').expect("a delimiter") + 1;
        let length = trailer_at.unwrap_or(text.len()) - head;
        text.insert_str(head, &format!("9={length}\x01"));
    }
    if trailer_at.is_none() {
        let sum = text.bytes().fold(0u8, u8::wrapping_add);
        text.push_str(&format!("10={sum:03}\x01"));
    }
    text.into_bytes()
}

/// The same tags in the same order with the same values; times and what follows from them may differ.
fn compare(expected: &str, received: &str) -> Result<(), String> {
    let split = |text: &str, delimiter: char| -> Vec<(String, String)> {
        let fields = text.split(delimiter).filter_map(|field| field.split_once('='));
        fields
            .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
            .filter(|(tag, _)| tag != "10" && tag != "9")
            .collect()
    };
    let (expected_fields, received_fields) = (split(expected, '\x01'), split(received, '|'));
    let same = expected_fields.len() == received_fields.len()
        && expected_fields
            .iter()
            .zip(&received_fields)
            .all(|(expected, received)| {
                expected.0 == received.0
                    && (expected.1 == received.1 || matches!(expected.0.as_str(), "42" | "52" | "60" | "122"))
            });
    if same {
        Ok(())
    } else {
        Err(format!(
            "expected {}\n  received {received}",
            expected.replace('\x01', "|")
        ))
    }
}

fn play(folder: &str, version: Version, target: &str, scenarios: usize) {
    let Some(files) = suite(folder) else { return };
    let config = echo_config(version).unwrap();
    let mut failures = Vec::new();
    for file in &files {
        let mut player = Player {
            config: &config,
            target,
            elapsed_ns: 0,
            peers: BTreeMap::new(),
        };
        let text = std::fs::read(file).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end_matches('\r');
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(why) = player.step(line) {
                failures.push(format!("{}:{}: {why}", file.display(), index + 1));
                break;
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} failed:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
    assert_eq!(files.len(), scenarios, "scenarios in {folder}");
}

#[test]
fn fix_4_4() {
    play("fix44", Version::Fix44, "TW44", 59);
}

#[test]
fn fix_4_2() {
    play("fix42", Version::Fix42, "TW42", 58);
}

#[test]
fn fix_5_0_sp2() {
    play("fix50sp2", Version::Fix50Sp2, "TW50SP2", 60);
}
