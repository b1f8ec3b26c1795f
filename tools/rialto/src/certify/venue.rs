//! The venue that a case is played on: a `rialto serve` of its own in a folder of its own, which can be killed.

use crate::ask::{Act, Request, What, admin};
use crate::serve::credentials_path;
use anyhow::{Context as _, Result, bail};
use rialto_members::{Credentials, Password};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::case::Rival;

/// Everybody's password.
pub(super) const PASSWORD: &str = "rialto";
/// The day that is played; it does not end in the middle of a case.
const DAY: &str = "2026-06-22";

/// Who the client is.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// SenderCompID(49) and Username(553) on the FIX door.
    pub(super) fix: String,
    /// User name on the OUCH door.
    pub(super) ouch: String,
    /// TargetCompID(56).
    pub(super) venue: String,
}

/// The venue of one case.
pub(super) struct Venue {
    folder: PathBuf,
    running: Option<Running>,
}

struct Running {
    child: Child,
    fix: SocketAddr,
    ouch: SocketAddr,
}

/// A child is not left behind, whatever happens.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everybody's password, hashed once for all cases.
pub(super) fn credentials(client: &Client) -> Result<Credentials> {
    let mut credentials = Credentials::new();
    for name in [&client.fix, &client.ouch, "RIVAL"] {
        credentials.add(name, &Password::new(PASSWORD.as_bytes())?)?;
    }
    Ok(credentials)
}

impl Venue {
    /// Writes its configuration and starts it.
    pub(super) fn open(
        folder: PathBuf,
        client: &Client,
        credentials: &Credentials,
        cancel_on_disconnect: bool,
    ) -> Result<Self> {
        let data = folder.join("data");
        fs::create_dir_all(&data)?;
        credentials.save(&credentials_path(&data))?;
        let text = |text: &str| Value::from(text).to_string();
        let session = |name: &str, door: &str, cancel: bool| {
            let name = text(name);
            format!("[[firm.session]]\nname = {name}\ndoor = \"{door}\"\ncancel_on_disconnect = {cancel}\n")
        };
        let config = [
            format!("data = {}\n", text(&data.to_string_lossy())),
            "durability = \"memory\"\nsegment_bytes = 4194304\nsnapshot_every = 0\nlogon_guard = false\n".to_owned(),
            "ouch = { listen = \"127.0.0.1:0\" }\n".to_owned(),
            format!(
                "fix = {{ listen = \"127.0.0.1:0\", comp_id = {} }}\n",
                text(&client.venue)
            ),
            "[feed]\nline_a = \"239.192.77.1:0\"\nline_b = \"239.192.77.2:0\"\nrerequest = \"127.0.0.1:0\"\n"
                .to_owned(),
            "[[instrument]]\nsymbol = \"ACME\"\nrulebook = \"full\"\n".to_owned(),
            "[[firm]]\nname = \"Client\"\nmpid = \"CLNT\"\n".to_owned(),
            session(&client.fix, "fix", cancel_on_disconnect),
            session(&client.ouch, "ouch", cancel_on_disconnect),
            "[[firm]]\nname = \"Rival\"\nmpid = \"RIVL\"\n".to_owned(),
            session("RIVAL", "ouch", false),
        ];
        fs::write(folder.join("rialto.toml"), config.concat())?;
        let mut venue = Self { folder, running: None };
        venue.start()?;
        Ok(venue)
    }

    /// Starts it on what is there.
    pub(super) fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            bail!("the venue runs already");
        }
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("venue.log"))?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--json", "--trading-day", DAY, "--config"])
            .arg(self.folder.join("rialto.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("cannot start the venue")?;
        let mut line = String::new();
        let said = child.stdout.take().context("the venue's output")?;
        let mut running = Running {
            child,
            fix: SocketAddr::from(([127, 0, 0, 1], 0)),
            ouch: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        BufReader::new(said).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).with_context(|| {
            format!(
                "the venue did not start: see {}",
                self.folder.join("venue.log").display()
            )
        })?;
        let address = |door: &str| -> Result<SocketAddr> {
            let address = ready.get(door).and_then(Value::as_str).context("the venue's address")?;
            Ok(address.parse()?)
        };
        running.fix = address("fix")?;
        running.ouch = address("ouch")?;
        self.running = Some(running);
        Ok(())
    }

    /// Kills it, as by `kill -9`.
    pub(super) fn kill(&mut self) -> Result<()> {
        let running = self.running.take();
        drop(running.context("the venue does not run")?);
        Ok(())
    }

    pub(super) fn fix(&self) -> Option<SocketAddr> {
        self.running.as_ref().map(|running| running.fix)
    }

    pub(super) fn ouch(&self) -> Option<SocketAddr> {
        self.running.as_ref().map(|running| running.ouch)
    }

    /// An act of its operator.
    pub(super) fn operate(&self, act: &Act) -> Result<()> {
        self.ask(&Request::Operate {
            act: act.clone(),
            who: String::new(),
            why: String::new(),
        })?;
        Ok(())
    }

    /// How many price levels a book has: bids, then asks.
    pub(super) fn book(&self, symbol: &str) -> Result<(usize, usize)> {
        let what = What::Book {
            symbol: Some(symbol.to_owned()),
            levels: 100,
        };
        let line = self.ask(&Request::At { seq: None, what })?;
        let count = |side: &str| line.get(side).and_then(Value::as_array).map_or(0, Vec::len);
        Ok((count("bids"), count("asks")))
    }

    fn ask(&self, request: &Request) -> Result<Value> {
        let answer = admin::ask(&self.folder.join("data"), request)?.context("the venue does not run")?;
        answer.lines.into_iter().next().context("the venue said nothing")
    }

    /// An order of the rival: sent, answered and left there.
    pub(super) fn rival(&self, order: &Rival) -> Result<()> {
        let door = self.ouch().context("the venue does not run")?.to_string();
        let quantity = order.quantity.to_string();
        let sent = Command::new(std::env::current_exe()?)
            .args(["order", "--ouch", &door, "--user", "RIVAL", "--password", PASSWORD])
            .args([&order.side, &quantity, &order.symbol, "--price", &order.price])
            .stdin(Stdio::null())
            .output()?;
        if !sent.status.success() {
            bail!(
                "the rival's order failed: {}",
                String::from_utf8_lossy(&sent.stderr).trim()
            );
        }
        Ok(())
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}
