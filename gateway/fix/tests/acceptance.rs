//! The public acceptance suites, played in this process against the echo application: no socket, and a clock that moves
//! only when a scenario waits for something. Real data: skipped where it is absent.
#![expect(clippy::print_stderr, reason = "says what it skips")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use rialto_fix::dictionary::Dictionaries;
use rialto_fix::echo::{EchoConnection, echo_config};
use rialto_fix::message::Framer;
use rialto_fix::scenario::{self, Step};
use rialto_fix::session::SessionConfig;
use rialto_fix::{Monotonic, Now, UtcTimestamp, Version};

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
                    return Ok(String::from_utf8_lossy(peer.framer.frame(place)).into_owned());
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
        match Step::read(line)? {
            None => {}
            Some(Step::Connect(id)) => {
                let peer = Peer {
                    echo: EchoConnection::new(self.config, self.now()),
                    framer: Framer::new(),
                    ended: false,
                    holds_identity: false,
                };
                self.peers.insert(id, peer);
            }
            Some(Step::HangUp(id)) => _ = self.peers.remove(&id),
            Some(Step::ExpectEnd(id)) => self.expect_end(id)?,
            Some(Step::Send(id, text)) => {
                let bytes = scenario::complete(text, self.now().utc)?;
                let peer = self.peers.get_mut(&id).ok_or("not connected")?;
                assert_eq!(peer.echo.session.handle_bytes(&bytes), bytes.len());
                self.run(id);
            }
            Some(Step::Expect(id, text)) => {
                let expected = scenario::stamp(text, self.now().utc)?;
                scenario::compare(&expected, &self.receive(id)?)?;
            }
        }
        Ok(())
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
