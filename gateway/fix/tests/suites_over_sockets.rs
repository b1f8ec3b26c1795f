//! The public acceptance suites over real sockets against `fix-echo`, as any suite's runner plays them: every scenario of the
//! three versions, with the system's time. Real data: skipped where it is absent.
#![expect(clippy::print_stderr, reason = "says what it skips, and the counts")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rialto_fix::UtcTimestamp;
use rialto_fix::message::Framer;
use rialto_fix::scenario::{self, Step};

/// How long a scenario waits for one thing: a bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(30);
/// Acceptors of one version. Their scenarios mostly wait for heartbeats, so several waits pass at once.
const ACCEPTORS: usize = 6;

/// A running `fix-echo`.
struct Acceptor {
    process: Child,
    address: String,
}

impl Acceptor {
    fn start(version: &str, target: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_fix-echo"))
            .args([
                "--port",
                "0",
                "--version",
                version,
                "--sender",
                "ISLD",
                "--target",
                target,
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, address }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Peer {
    stream: TcpStream,
    framer: Framer,
}

impl Peer {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            framer: Framer::new(),
        }
    }

    /// Hangs up, and waits until the acceptor has too.
    fn leave(mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        while matches!(self.receive(), Ok(Some(_))) {}
    }

    /// The next message; `None` where the acceptor hung up.
    fn receive(&mut self) -> Result<Option<String>, String> {
        let mut buffer = [0; 4096];
        loop {
            match self.framer.next_frame() {
                Some(Ok(place)) => return Ok(Some(String::from_utf8_lossy(self.framer.frame(place)).into_owned())),
                Some(Err(garbled)) => return Err(format!("sent to the peer: {garbled}")),
                None => {}
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => assert_eq!(self.framer.feed(&buffer[..count]), count),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(format!("nothing came in time: {error}")),
            }
        }
    }
}

fn now() -> UtcTimestamp {
    UtcTimestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64)
}

fn play(file: &Path, address: &str) -> Result<(), String> {
    let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    let mut peers = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        step(line, address, &mut peers).map_err(|why| format!("{}:{}: {why}", file.display(), index + 1))?;
    }
    // The next scenario has the same identity: it begins when the acceptor has let go of this one.
    peers.into_values().for_each(Peer::leave);
    Ok(())
}

fn step(line: &str, address: &str, peers: &mut BTreeMap<u8, Peer>) -> Result<(), String> {
    const CLOSED: &str = "this connection is not open";
    match Step::read(line)? {
        None => {}
        Some(Step::Connect(id)) => _ = peers.insert(id, Peer::connect(address)),
        Some(Step::HangUp(id)) => peers.remove(&id).ok_or(CLOSED)?.leave(),
        Some(Step::ExpectEnd(id)) => match peers.remove(&id).ok_or(CLOSED)?.receive()? {
            None => {}
            Some(message) => return Err(format!("a disconnect was expected, not {message}")),
        },
        Some(Step::Send(id, text)) => {
            let bytes = scenario::complete(text, now())?;
            let stream = &mut peers.get_mut(&id).ok_or(CLOSED)?.stream;
            stream.write_all(&bytes).map_err(|error| error.to_string())?;
        }
        Some(Step::Expect(id, text)) => {
            let received = peers.get_mut(&id).ok_or(CLOSED)?.receive()?;
            let received = received.ok_or("disconnected, a message was expected")?;
            scenario::compare(&scenario::stamp(text, now())?, &received)?;
        }
    }
    Ok(())
}

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

/// Plays a version's scenarios, dealt out to several acceptors.
fn play_suite(folder: &str, version: &str, target: &str, scenarios: usize) {
    let Some(files) = suite(folder) else { return };
    let begun = Instant::now();
    let failures: Vec<String> = thread::scope(|scope| {
        let players: Vec<_> = (0..ACCEPTORS)
            .map(|first| {
                let files = files.iter().skip(first).step_by(ACCEPTORS);
                scope.spawn(move || {
                    let acceptor = Acceptor::start(version, target);
                    files
                        .filter_map(|file| play(file, &acceptor.address).err())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        players.into_iter().flat_map(|player| player.join().unwrap()).collect()
    });
    let passed = files.len() - failures.len();
    eprintln!(
        "FIX {version} over sockets: {passed} of {} pass in {:?}",
        files.len(),
        begun.elapsed()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(files.len(), scenarios, "scenarios in {folder}");
}

#[test]
fn every_scenario_of_three_versions() {
    thread::scope(|scope| {
        scope.spawn(|| play_suite("fix44", "4.4", "TW44", 59));
        scope.spawn(|| play_suite("fix42", "4.2", "TW42", 58));
        scope.spawn(|| play_suite("fix50sp2", "5.0SP2", "TW50SP2", 60));
    });
}
