//! A venue whose sessions come in by another process, or are told by one.

use super::{Up, ask, until};
use rialto_members::{Credentials, Password};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub(crate) fn names(sessions: usize) -> impl Iterator<Item = String> {
    (0..sessions).map(|at| format!("s{at:02}"))
}

/// A venue of one instrument, which is followed, with so many sessions of firms with so many each.
pub(crate) struct Venue {
    pub(crate) up: Up,
    pub(crate) data: PathBuf,
    /// Whose processes are asked about.
    role: &'static str,
    /// It goes with its folder.
    _folder: tempfile::TempDir,
}

impl Venue {
    /// `more` is for the file's end, `each` for each session.
    pub(crate) fn open(role: &'static str, (sessions, firm): (usize, usize), each: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = String::from("data = \"data\"\ndurability = \"memory\"\nsegment_bytes = 16777216\n");
        config +=
            "[ouch]\nlisten = \"127.0.0.1:0\"\n[fix]\nlisten = \"127.0.0.1:0\"\n[follow]\nlisten = \"127.0.0.1:0\"\n";
        config += "[feed]\nline_a = \"239.192.77.5:0\"\nline_b = \"239.192.77.6:0\"\nrerequest = \"127.0.0.1:0\"\n";
        config += "[[instrument]]\nsymbol = \"ACME\"\n";
        let mut credentials = Credentials::new();
        for (at, name) in names(sessions).enumerate() {
            if at % firm == 0 {
                let firm = at / firm;
                writeln!(config, "[[firm]]\nname = \"Firm {firm}\"\nmpid = \"FRM{firm}\"").expect("room");
            }
            writeln!(config, "[[firm.session]]\nname = \"{name}\"\n{each}").expect("room");
            let password = Password::new(b"secret").expect("a password");
            credentials.add(&name, &password).expect("a member");
        }
        config += more;
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).expect("a folder");
        credentials.save(&data.join("credentials.toml")).expect("a file");
        let path = folder.path().join("rialto.toml");
        std::fs::write(&path, config).expect("a file");
        let up = Up::serve(&path);
        Self {
            up,
            data,
            role,
            _folder: folder,
        }
    }

    pub(crate) fn place(&self) -> &str {
        self.data.to_str().expect("UTF-8")
    }

    /// `rialto deploy door` or `feed`.
    #[track_caller]
    pub(crate) fn deploy(&self, act: &[&str]) -> Value {
        ask(&[&["deploy", self.role], act, &["--data", self.place()]].concat()).remove(0)
    }

    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.deploy(&["status"])
    }

    /// Waits for a candidate that takes somebody.
    pub(crate) fn until_open(&self) {
        until("a candidate that is open", || {
            (self.status()["candidate"]["open"] == true).then_some(())
        });
    }

    /// The verdicts and routes of its stream, once it is closed: it is left with its folder.
    pub(crate) fn stop(self) -> Closed {
        let Self { up, data, _folder, .. } = self;
        let ended = up.stop();
        let place = data.to_str().expect("UTF-8");
        let replayed = ask(&["replay", place]).remove(0);
        assert_eq!(replayed["state_hash"], ended["state_hash"]);
        Closed(ask(&["journal", "tail", place, "--count", "100000"]))
    }
}

/// The commands of a stream.
pub(crate) struct Closed(Vec<Value>);

impl Closed {
    pub(crate) fn all(&self, command: &str) -> Vec<&Value> {
        self.0.iter().filter(|line| line["command"] == command).collect()
    }

    pub(crate) fn count(&self, command: &str) -> usize {
        self.all(command).len()
    }
}

/// `rialto door` or `rialto feed` as a process of its own.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(venue: &Venue, options: &[&str]) -> Self {
        let text = |name: &str| venue.up.ready[name].as_str().expect("in the ready line").to_owned();
        let child = Command::new(env!("CARGO_BIN_EXE_rialto"))
            .args([venue.role, "--follow", &text("follow"), "--key", &text("follow_key")])
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        Self(child)
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A test that fails leaves nothing running.
impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
