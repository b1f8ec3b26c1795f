//! The client under test, where the runner starts it: a command with its places filled, told on stdin what to do.

use anyhow::{Context as _, Result};
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a client may take to end once its stdin is closed.
const GOODBYE_MAX: Duration = Duration::from_secs(5);

/// What the places in the command are filled with.
pub(super) struct Places<'a> {
    pub(super) fix: SocketAddr,
    pub(super) ouch: SocketAddr,
    pub(super) fix_user: &'a str,
    pub(super) ouch_user: &'a str,
    pub(super) venue: &'a str,
    pub(super) password: &'a str,
    pub(super) case: &'a str,
    pub(super) folder: &'a Path,
}

impl Places<'_> {
    fn fill(&self, command: &str) -> String {
        let folder = self.folder.to_string_lossy();
        let (fix, ouch) = (self.fix.to_string(), self.ouch.to_string());
        let (fix_host, ouch_host) = (self.fix.ip().to_string(), self.ouch.ip().to_string());
        let (fix_port, ouch_port) = (self.fix.port().to_string(), self.ouch.port().to_string());
        let places = [
            ("{fix}", fix.as_str()),
            ("{fix_host}", &fix_host),
            ("{fix_port}", &fix_port),
            ("{fix_user}", self.fix_user),
            ("{ouch}", &ouch),
            ("{ouch_host}", &ouch_host),
            ("{ouch_port}", &ouch_port),
            ("{ouch_user}", self.ouch_user),
            ("{venue}", self.venue),
            ("{password}", self.password),
            ("{case}", self.case),
            ("{folder}", &folder),
        ];
        places.iter().fold(command.to_owned(), |command, (place, value)| {
            command.replace(place, value)
        })
    }
}

/// A client that runs, until dropped.
pub(super) struct Started {
    child: Child,
    /// What it says.
    log: PathBuf,
}

/// Bytes of what a client said last that are told of it.
const LAST_WORDS: usize = 300;

impl Started {
    pub(super) fn start(command: &str, places: &Places<'_>) -> Result<Self> {
        let command = places.fill(command);
        let path = places.folder.join("client.log");
        let log = File::create(&path)?;
        // The shell becomes the client, so that the client is what is ended.
        let child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start the client: {command}"))?;
        Ok(Self { child, log: path })
    }

    /// How it ended, where it has, with its last words: a client that did not start is not to be sought in the messages.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        let said = std::fs::read(&self.log).unwrap_or_default();
        let last = said.get(said.len().saturating_sub(LAST_WORDS)..).unwrap_or_default();
        let last = String::from_utf8_lossy(last);
        Some(match last.trim() {
            "" => format!("the client has ended by itself ({status}) and said nothing"),
            last => format!("the client has ended by itself ({status}): {last}"),
        })
    }

    /// Says what to do. A client that does not listen is judged by what it does.
    pub(super) fn tell(&mut self, what: &str) {
        if let Some(stdin) = &mut self.child.stdin {
            let _ = writeln!(stdin, "{what}").and_then(|()| stdin.flush());
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < GOODBYE_MAX && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(folder: &Path) -> Places<'_> {
        Places {
            fix: "127.0.0.1:7".parse().unwrap(),
            ouch: "127.0.0.1:8".parse().unwrap(),
            fix_user: "CLIENT",
            ouch_user: "clnt",
            venue: "RIALTO",
            password: "p",
            case: "c",
            folder,
        }
    }

    #[test]
    fn a_client_that_did_not_start_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let mut client = Started::start("/absent/client", &places(folder.path())).unwrap();
        let _ = client.child.wait();
        let how = client.ended().unwrap();
        assert!(how.contains("127") && how.contains("/absent/client"), "{how}");
    }

    #[test]
    fn places_are_filled() {
        let filled = places(Path::new("/f"))
            .fill("x {fix} {fix_host} {fix_port} {ouch} {ouch_port} {fix_user} {folder}/{case} {other}");
        assert_eq!(filled, "x 127.0.0.1:7 127.0.0.1 7 127.0.0.1:8 8 CLIENT /f/c {other}");
    }
}
