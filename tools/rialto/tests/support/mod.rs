//! What the tests of the running binary share.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod caller;
pub(crate) mod edge;
pub(crate) mod hostile;
pub(crate) mod member;
pub(crate) mod ouch;

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The binary, with these arguments.
pub(crate) fn rialto(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(arguments)
        .output()
        .expect("the binary starts")
}

/// The objects that a command prints with `--json`.
#[track_caller]
pub(crate) fn ask(arguments: &[&str]) -> Vec<Value> {
    let output = rialto(&[arguments, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// What a command complains of.
#[track_caller]
pub(crate) fn complaint(arguments: &[&str]) -> String {
    let output = rialto(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} succeeded: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// An exchange that is open.
pub(crate) struct Up {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) ready: Value,
}

impl Up {
    /// Two exchanges that look for free ports at one moment may find the same: the one that came late tries again.
    pub(crate) fn open(data: &Path, options: &[&str]) -> Self {
        until("an open exchange", || Self::try_open(data, options))
    }

    fn try_open(data: &Path, options: &[&str]) -> Option<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
        command
            .args(["up", "--json", "--trading-day", "2026-06-22", "--data"])
            .arg(data)
            .args(options);
        Self::start(command)
    }

    /// A configured exchange, on the same day.
    pub(crate) fn serve(config: &Path) -> Self {
        Self::serve_on("2026-06-22", config)
    }

    /// On another day.
    pub(crate) fn serve_on(day: &str, config: &Path) -> Self {
        let command = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
            command
                .args(["serve", "--json", "--trading-day", day, "--config"])
                .arg(config);
            command
        };
        until("an open exchange", || Self::start(command()))
    }

    /// A configured exchange, on the same day, whose complaints go into a file.
    pub(crate) fn serve_logged(config: &Path, log: &Path) -> Self {
        until("an open exchange", || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
            command
                .args(["serve", "--json", "--trading-day", "2026-06-22", "--config"])
                .arg(config)
                .stderr(std::fs::File::create(log).expect("a file"));
            Self::start(command)
        })
    }

    fn start(mut command: Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        if line.is_empty() {
            child.wait().expect("it ended");
            return None;
        }
        let ready = serde_json::from_str(&line).expect("the ready line");
        Some(Self { child, out, ready })
    }

    /// Asks it to end in good order; its last words.
    pub(crate) fn stop(mut self) -> Value {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-INT", &pid]).status().expect("kill");
        assert!(asked.success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("UTF-8");
        assert!(self.child.wait().expect("it ends").success(), "{rest}");
        serde_json::from_str(rest.lines().last().expect("last words")).expect("JSON")
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("it ends");
    }
}

/// A test that fails leaves nothing running.
impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `condition` gives something.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}
