//! `rialto certify`: scripted cases against a client under test.
//!
//! The runner is the venue. Each case is played on an exchange of its own; the client comes by a [`tap::Tap`], which notes
//! every message and can lose one; and what is judged is what was on the wire and what stands in the book, never what the
//! client says of itself.

mod case;
mod client;
mod frame;
mod play;
mod report;
mod tap;
mod venue;

use self::case::{Case, Door};
use self::client::{Places, Started};
use self::play::{Failure, Stage};
use self::report::Outcome;
use self::tap::Tap;
use self::venue::{Client, PASSWORD, Venue};
use crate::out;
use anyhow::{Context as _, Result, bail};
use rialto_members::Credentials;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Anywhere on this machine.
const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder of cases, a case, or the beginning of the names of some that come with rialto, as `fix` or `ouch-halt`;
    /// without it, all that come with it
    cases: Option<PathBuf>,
    /// Start the client for each case by this shell command, with {fix} {fix_host} {fix_port} {fix_user} {ouch} {ouch_host}
    /// {ouch_port} {ouch_user} {venue} {password} {case} {folder} filled in, and tell it on stdin what to do; without it the
    /// client is yours to start, and you are told
    #[arg(long, value_name = "COMMAND")]
    client: Option<String>,
    /// Where the client finds the FIX door; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value_t = ANYWHERE)]
    fix: SocketAddr,
    /// Where the client finds the OUCH door; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value_t = ANYWHERE)]
    ouch: SocketAddr,
    /// The client's SenderCompID and Username
    #[arg(long, value_name = "NAME", default_value = "CLIENT")]
    fix_user: String,
    /// The client's OUCH user name, at most six characters
    #[arg(long, value_name = "NAME", default_value = "CLNT")]
    ouch_user: String,
    /// The venue's CompID
    #[arg(long, value_name = "NAME", default_value = "RIALTO")]
    venue: String,
    /// Seconds that anything is waited for
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,
    /// Keep what the venue and the client of each case left, in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Write the outcome as JUnit has it
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Say which cases there are, and play none
    #[arg(long)]
    list: bool,
    /// Print one JSON object when the client may come, one a case, and one at the end
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let cases = Case::find(args.cases.as_deref())?;
    if args.list {
        for case in &cases {
            if args.json {
                out::json_line(&json!({ "case": case.name, "title": case.title, "door": case.door.name() }));
            } else {
                out::say(format_args!("{:<26} {}", case.name, case.title));
            }
        }
        return Ok(());
    }
    let runner = Runner::open(args)?;
    runner.announce();
    let bar = out::progress(cases.len() as u64, "cases", args.json);
    let mut outcomes = Vec::new();
    for case in &cases {
        let outcome = runner.play(case)?;
        bar.suspend(|| outcome.print(args.json));
        bar.inc(1);
        outcomes.push(outcome);
    }
    bar.finish_and_clear();
    if let Some(file) = &args.junit {
        std::fs::write(file, report::junit(&outcomes)).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    let passed = outcomes.len() - failed;
    if args.json {
        out::json_line(&json!({ "passed": passed, "failed": failed }));
    } else {
        out::say(format_args!("{passed} passed, {failed} failed"));
    }
    if failed > 0 {
        bail!(
            "the client is not certified: {failed} of {} cases failed",
            outcomes.len()
        );
    }
    Ok(())
}

/// What lasts over all cases.
struct Runner<'a> {
    args: &'a Args,
    fix: Tap,
    ouch: Tap,
    who: Client,
    credentials: Credentials,
    folder: PathBuf,
    /// Removes the folder in the end, where nobody wants it.
    _temporary: Option<tempfile::TempDir>,
}

impl<'a> Runner<'a> {
    fn open(args: &'a Args) -> Result<Self> {
        let who = Client {
            fix: args.fix_user.clone(),
            ouch: args.ouch_user.clone(),
            venue: args.venue.clone(),
        };
        let temporary = match args.keep {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("rialto-certify-").tempdir()?),
        };
        let folder = match (&args.keep, &temporary) {
            (Some(folder), _) => std::path::absolute(folder)?,
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => bail!("no folder"),
        };
        Ok(Self {
            args,
            fix: Tap::open(Door::Fix, args.fix)?,
            ouch: Tap::open(Door::Ouch, args.ouch)?,
            credentials: venue::credentials(&who)?,
            who,
            folder,
            _temporary: temporary,
        })
    }

    /// Where the client has to come.
    fn announce(&self) {
        let (fix, ouch) = (self.fix.address(), self.ouch.address());
        let Client {
            fix: sender,
            ouch: user,
            venue,
        } = &self.who;
        if self.args.json {
            out::json_line(&json!({
                "ready": true, "fix": fix.to_string(), "fix_user": sender, "venue": venue,
                "ouch": ouch.to_string(), "ouch_user": user, "password": PASSWORD,
            }));
            return;
        }
        out::say(format_args!(
            "FIX 4.2, 4.4, 5.0SP2     {fix}  SenderCompID {sender}  TargetCompID {venue}  Username {sender}  Password {PASSWORD}"
        ));
        out::say(format_args!(
            "OUCH 5.0 / SoupBinTCP    {ouch}  user {user}  password {PASSWORD}\n"
        ));
    }

    fn play(&self, case: &Case) -> Result<Outcome> {
        let folder = self.folder.join(&case.name);
        if folder.exists() {
            bail!("{} is there already: name another folder with --keep", folder.display());
        }
        let begun = Instant::now();
        let mut venue = Venue::open(folder, &self.who, &self.credentials, case.cancel_on_disconnect)?;
        for (tap, address) in [(&self.fix, venue.fix()), (&self.ouch, venue.ouch())] {
            tap.begin(address.context("the venue has no address")?);
        }
        let client = match &self.args.client {
            Some(command) => Some(Started::start(command, &self.places(case, venue.folder()))?),
            None => None,
        };
        let told = client.is_some();
        if !told {
            out::complain(format_args!(
                "{}: {}. Connect anew by {}, with both sequences from 1.",
                case.name,
                case.title,
                case.door.name()
            ));
        }
        let stage = Stage {
            case,
            venue: &mut venue,
            tap: match case.door {
                Door::Fix => &self.fix,
                Door::Ouch => &self.ouch,
            },
            client,
            patience: Duration::from_secs(self.args.patience),
            say: &|what| {
                if !told {
                    out::complain(format_args!("  your client, please: {what}"));
                }
            },
        };
        let failure: Option<Failure> = stage.play().err();
        Ok(Outcome {
            name: case.name.clone(),
            title: case.title.clone(),
            door: case.door.name(),
            took: begun.elapsed(),
            failure,
        })
    }

    fn places<'p>(&'p self, case: &'p Case, folder: &'p Path) -> Places<'p> {
        Places {
            fix: self.fix.address(),
            ouch: self.ouch.address(),
            fix_user: &self.who.fix,
            ouch_user: &self.who.ouch,
            venue: &self.who.venue,
            password: PASSWORD,
            case: &case.name,
            folder,
        }
    }
}
