//! The exchange that is measured: a process that can be stopped and goes with its owner.

use crate::serve::credentials_path;
use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rialto_members::{Credentials, Password};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Who logs on, by each door. Sessions have the names that `rialto up` gives them.
pub(super) const OUCH_USER: &str = "alpha1";
pub(super) const FIX_USER: &str = "ALPHA";
pub(super) const PASSWORD: &str = "rialto";

pub(super) struct Served {
    child: Child,
    ouch: SocketAddr,
    fix: SocketAddr,
    _data: tempfile::TempDir,
}

impl Served {
    /// With everything beside the path of an order, or with the path alone.
    pub(super) fn start(idle: &str, whole: bool) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        if whole {
            command
                .args(["up", "--agents", "0", "--durability", "memory", "--layout", "two"])
                .args(["--snapshot-every", "0", "--idle", idle, "--data"])
                .arg(data.path());
        } else {
            command.args(["serve", "--config"]).arg(configure(data.path(), idle)?);
        }
        let mut child = command
            .arg("--json")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("the exchange cannot be started")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the exchange has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line).context("the exchange did not open")?;
        let address = |door: &str| -> Result<SocketAddr> {
            let address = ready.get(door).and_then(|address| address.as_str());
            Ok(address.context("the exchange names no such door")?.parse()?)
        };
        Ok(Self {
            ouch: address("ouch")?,
            fix: address("fix")?,
            child,
            _data: data,
        })
    }

    pub(super) const fn ouch(&self) -> SocketAddr {
        self.ouch
    }

    pub(super) const fn fix(&self) -> SocketAddr {
        self.fix
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.child.id())?), signal)?)
    }

    pub(super) fn pause(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    pub(super) fn resume(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a venue of one instrument, one firm and a session for each door. Returns the file to serve.
fn configure(data: &Path, idle: &str) -> Result<std::path::PathBuf> {
    let mut credentials = Credentials::new();
    for name in [OUCH_USER, FIX_USER] {
        credentials.add(name, &Password::new(PASSWORD.as_bytes())?)?;
    }
    credentials.save(&credentials_path(data))?;
    let file = data.join("rialto.toml");
    let text = format!(
        r#"data = "."
durability = "memory"
layout = "two"
idle = "{idle}"
snapshot_every = 0

[ouch]
listen = "127.0.0.1:0"

[fix]
listen = "127.0.0.1:0"

[feed]
line_a = "239.192.77.7:26417"
line_b = "239.192.77.8:26418"
interface = "127.0.0.1"
ttl = 0
rerequest = "127.0.0.1:0"
entitled = ["127.0.0.1"]
segmented = false
flush_us = 0
memory_bytes = 268435456

[[instrument]]
symbol = "ACME"

[[firm]]
name = "Alpha Securities"
mpid = "ALFA"

[[firm.session]]
name = "{OUCH_USER}"
door = "ouch"

[[firm.session]]
name = "{FIX_USER}"
door = "fix"
"#
    );
    std::fs::write(&file, text)?;
    Ok(file)
}
