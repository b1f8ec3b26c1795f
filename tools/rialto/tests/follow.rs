//! The stream in other processes, over real sockets: followers and exchange are killed and come again, and every follower
//! ends with the exchange's own hash, having missed nothing and seen nothing twice.

mod support;

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use support::{Up, ask, complaint, until};

/// `rialto follow` as a process of its own, and what it has said.
struct Follow {
    child: Child,
    said: Arc<Mutex<Vec<Value>>>,
    reading: Option<JoinHandle<()>>,
}

impl Follow {
    fn start(ready: &Value, options: &[&str]) -> Self {
        let text = |name: &str| ready[name].as_str().expect("in the ready line").to_owned();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rialto"))
            .args(["follow", &text("follow"), "--key", &text("follow_key")])
            .args(["--json", "--every", "0.05", "--until-end"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let reading = std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("JSON");
                heard.lock().expect("no panic").push(line);
            }
        });
        Self {
            child,
            said,
            reading: Some(reading),
        }
    }

    fn last(&self) -> Option<Value> {
        self.said.lock().expect("no panic").last().cloned()
    }

    /// Waits until it has come to a number and stands at the frontier.
    fn reaches(&self, seq: u64) {
        until("a follower that is close behind", || {
            let line = self.last()?;
            (line["seq"].as_u64()? >= seq && line["behind"].as_u64()? < 1_000).then_some(())
        });
    }

    fn kill(&mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("it ends");
    }

    /// Its last words, once it has ended by itself.
    fn ends(mut self) -> Value {
        assert!(self.child.wait().expect("it ends").success());
        self.reading.take().expect("once").join().expect("read");
        self.last().expect("last words")
    }
}

/// A test that fails leaves nothing running.
impl Drop for Follow {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn killed_followers_and_a_killed_exchange_leave_no_gap_and_one_hash() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let options = ["--agents", "4", "--snapshot-every", "200", "--follow-listen"];
    let up = Up::open(&data, &[&options[..], &["127.0.0.1:0"]].concat());
    let mode = std::fs::metadata(data.join("follow.key"))
        .expect("a key")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let address = up.ready["follow"].as_str().expect("an address").to_owned();

    let steady = Follow::start(&up.ready, &["--from-start"]);
    let mut mortal = Follow::start(&up.ready, &["--from-start"]);
    steady.reaches(450);
    mortal.reaches(100);
    let place = data.to_str().expect("UTF-8");
    let status = ask(&["status", "--data", place]).remove(0);
    assert_eq!(status["followers"].as_array().map(Vec::len), Some(2), "{status}");
    mortal.kill();
    let before = steady.last().expect("a line")["frontier"].as_u64().expect("a number");

    // The exchange dies without a word. Behind its restart the steady follower goes on by itself.
    up.kill();
    let up = Up::open(&data, &[&options[..], &[&address]].concat());
    let again = Follow::start(&up.ready, &[]);
    steady.reaches(before + 300);
    again.reaches(before + 300);
    let ended = up.stop();
    let (steady, again) = (steady.ends(), again.ends());
    for follower in [&steady, &again] {
        for (own, exchange) in [
            ("seq", "last_seq"),
            ("event_hash", "event_hash"),
            ("state_hash", "state_hash"),
        ] {
            assert_eq!(follower[own], ended[exchange], "{own}: {follower} {ended}");
        }
        assert_eq!(
            (&follower["behind"], &follower["events"]),
            (&0.into(), &ended["events"])
        );
    }
    assert_eq!(steady["commands"], ended["last_seq"], "each command once");
    assert!(steady["reconnects"].as_u64() >= Some(1), "{steady}");
    let began = again["from_snapshot"].as_u64().expect("a number");
    assert!(began > 0, "it began with a snapshot: {again}");
    let came = again["commands"].as_u64().map(|commands| began + commands);
    assert_eq!(came, ended["last_seq"].as_u64());
}

#[test]
fn a_wrong_key_and_an_open_one_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let up = Up::open(&data, &["--agents", "0", "--follow-listen", "127.0.0.1:0"]);
    let address = up.ready["follow"].as_str().expect("an address");
    let follow = |key: &Path| complaint(&["follow", address, "--key", key.to_str().expect("UTF-8")]);
    let other = folder.path().join("other.key");
    assert!(follow(&other).contains("copy the file"));
    std::fs::write(&other, "0".repeat(64)).expect("written");
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    assert!(follow(&other).contains("chmod 600"));
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    let said = follow(&other);
    assert!(said.contains("proof") || said.contains("copy the key again"), "{said}");
    // By people: without JSON, one that has seen what there is.
    let own = up.ready["follow_key"].as_str().expect("a path");
    let output = support::rialto(&["follow", address, "--key", own, "--until", "3", "--every", "0.01"]);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("following venue") && text.contains("event_hash"),
        "{text}"
    );
    up.stop();
}
