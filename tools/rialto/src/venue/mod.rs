//! `rialto venue`: private venues, each with an id, sequencer, engine, journal, clock, ports and process of its own, made by one
//! command and thrown away by another. [`place`] is where they live.

mod place;

use crate::ask::{Request, admin};
use crate::exchange::core::journal_folder;
use crate::fork::{SEGMENT_BYTES, copy_credentials};
use crate::out;
use crate::replay::disk;
use crate::serve::trading_day;
use crate::up::demo::{Ports, agents_trade};
use crate::up::scenario::Scenario;
use crate::up::{Private, run_private};
use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use place::{Charter, Held, Origin, Place, Standing, Venues};
use rialto_journal::OsDisk;
use rialto_model::{SequenceNumber, Timestamp, TradingDay, VenueId};
use rialto_past::found;
use serde::Serialize;
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// How often one looks whether a process has opened or ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long a venue may take to open: a long history is replayed first.
const OPEN_MAX: Duration = Duration::from_secs(900);
/// How long it may take to end in good order.
const STOP_MAX: Duration = Duration::from_secs(60);
/// Lines of its log that are told where it did not open.
const LOG_LINES: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// The folder that venues live in [default: rialto/venues under XDG_DATA_HOME or ~/.local/share]
    #[arg(long, value_name = "DIR", global = true)]
    venues: Option<PathBuf>,
    /// Print JSON, an object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a venue, start it, and print where it is to be found
    Create(Create),
    /// All of them, how they stand and where they are to be found
    Ls,
    /// End a venue's process in good order; what it was stays
    Stop {
        /// Which
        name: String,
    },
    /// Start a venue that is stopped, on the ports it had where they are free
    Start {
        /// Which
        name: String,
    },
    /// Throw a venue away, with everything it was
    Drop {
        /// Which
        name: String,
        /// Also where it runs
        #[arg(long)]
        now: bool,
    },
    /// Be the venue, in the foreground: what create and start run
    Run {
        /// Which
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// 1 to 32 of a-z, 0-9, - and _
    name: String,
    /// Begin as the market of this data folder stood, of an exchange that runs or of one that is stopped; without it empty
    #[arg(long, visible_alias = "from", value_name = "DIR")]
    fork: Option<PathBuf>,
    /// The last command to begin with; without it the last there is
    #[arg(long, value_name = "SEQ", requires = "fork")]
    at: Option<u64>,
    /// How many background agents trade in it
    #[arg(long, value_name = "N")]
    agents: Option<usize>,
    /// What they do is a function of this
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// A ready market, as of rialto up
    #[arg(long, value_name = "NAME", conflicts_with = "fork", value_parser = crate::choices::Scenarios { days: false })]
    scenario: Option<String>,
    /// Open this trading day and stay in it, instead of following the clock; a fork stays in the day it was made in
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = trading_day, conflicts_with = "fork")]
    trading_day: Option<TradingDay>,
    /// What makes an event safe to release
    #[arg(long, default_value = "memory", value_parser = crate::choices::DURABILITIES)]
    durability: String,
}

/// A venue as `ls` and others tell of it.
#[derive(Debug, Serialize)]
struct Told {
    name: String,
    venue: u32,
    standing: Standing,
    pid: Option<i32>,
    /// The data folder that it began as a copy of, and where.
    forked_from: Option<PathBuf>,
    forked_at: Option<u64>,
    /// The state of that market there.
    origin_state_hash: Option<String>,
    trading_day: Option<String>,
    data: PathBuf,
    /// What `rialto up --json` prints when it is open; null where it is not.
    endpoints: Value,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let venues = Venues::at(args.venues.as_deref())?;
    match args.what {
        What::Create(create) => print(&create.run(&venues)?, args.json),
        What::Ls => return ls(&venues, args.json),
        What::Start { name } => print(&start(&venues, &venues.find(&name)?)?, args.json),
        What::Stop { name } => {
            let place = venues.find(&name)?;
            ensure!(end(&place)?, "venue {name:?} does not run");
            match place.ended() {
                Some(ended) if args.json => out::json_line(&ended),
                Some(ended) => out::say(format_args!(
                    "{name} is stopped at sequence number {}, state hash {}",
                    ended["last_seq"],
                    ended["state_hash"].as_str().unwrap_or("-")
                )),
                None => bail!(
                    "venue {name:?} ended, and not in good order: see {}",
                    place.log_path().display()
                ),
            }
        }
        What::Drop { name, now } => {
            drop_one(venues.find(&name)?, now)?;
            if args.json {
                out::json_line(&serde_json::json!({ "name": name, "dropped": true }));
            } else {
                out::say(format_args!("{name} is gone"));
            }
        }
        What::Run { name } => return be(&venues.find(&name)?),
    }
    Ok(())
}

impl Create {
    fn run(self, venues: &Venues) -> Result<Told> {
        if let Some(name) = &self.scenario {
            Scenario::of(name)?;
        }
        let fork = self.fork.as_deref().map(|from| source(from, self.at)).transpose()?;
        let scenario = self.scenario.as_deref().map(Scenario::of).transpose()?;
        let agents = self.agents.unwrap_or_else(|| scenario.map_or(0, Scenario::agents));
        let (place, charter, held) = venues.reserve(&self.name, |venue| Charter {
            venue,
            made: false,
            origin: None,
            agents,
            seed: self.seed,
            scenario: self.scenario.clone(),
            durability: self.durability.clone(),
            day: self.trading_day.map(|day| day.0),
            clock_behind_ns: 0,
            ports: Ports::ANY,
        })?;
        let made = make(&place, charter, fork.as_ref());
        let opened = made.and_then(|()| {
            // From here on it is the process's.
            drop(held);
            start(venues, &place)
        });
        if opened.is_err()
            && let Ok(place) = venues.find(&self.name)
            && let Ok(Some(held)) = place.hold_soon()
        {
            // The reason why there is none is the first one.
            let _ = place.remove(held);
        }
        opened
    }
}

/// A market to begin as.
struct Source {
    data: PathBuf,
    journal: OsDisk,
    at: Option<SequenceNumber>,
}

/// Looks whether it has been: of an exchange that runs only what is safe may be read.
fn source(data: &Path, at: Option<u64>) -> Result<Source> {
    let journal = disk(data)?;
    let running = admin::ask(data, &Request::Status)?;
    let safe = running.map(|answer| {
        let status = answer.lines.first().and_then(|line| line["released_up_to"].as_u64());
        status.context("the exchange does not say how far its stream is safe")
    });
    let at = match (at, safe.transpose()?) {
        (Some(at), Some(safe)) => {
            ensure!(
                at <= safe,
                "the exchange is at sequence number {safe}: {at} has not been yet"
            );
            Some(at)
        }
        (at, safe) => at.or(safe),
    };
    Ok(Source {
        data: std::path::absolute(data)?,
        journal,
        at: at.map(SequenceNumber),
    })
}

/// Makes what it begins with.
fn make(place: &Place, mut charter: Charter, source: Option<&Source>) -> Result<()> {
    fs::create_dir(place.data()).with_context(|| format!("cannot make {}", place.data().display()))?;
    if let Some(source) = source {
        let into = OsDisk::create_dir(&journal_folder(&place.data()))?;
        let founded = found(&source.journal, &into, source.at, VenueId(charter.venue), SEGMENT_BYTES)?;
        copy_credentials(&source.data, &place.data())?;
        let state = &founded.state;
        let mut symbols = state.instruments.iter().map(|one| one.definition.symbol.to_string());
        ensure!(
            charter.agents == 0 || state.instruments.is_empty() || symbols.any(|symbol| agents_trade(&symbol)),
            "none of the instruments of {} is one that agents know: leave out --agents",
            source.data.display()
        );
        charter.origin = Some(Origin {
            data: source.data.clone(),
            at: founded.at.0,
            state_hash: founded.origin.to_string(),
        });
        charter.day = match state.day.0 {
            0 => None,
            day if state.day_open => Some(day),
            // It was over: the next one is its first.
            day => Some(day + 1),
        };
        charter.clock_behind_ns = behind(founded.stamp);
        if !state.day_open
            && let Some(day) = charter.day
        {
            charter.clock_behind_ns = behind(TradingDay(day).midnight_utc().max(founded.stamp));
        }
    }
    charter.made = true;
    place.write(&charter)
}

/// How far a moment is behind now.
fn behind(stamp: Timestamp) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| (now.as_nanos() as u64).saturating_sub(stamp.0))
}

/// Starts its process, and waits until its doors are open.
fn start(venues: &Venues, place: &Place) -> Result<Told> {
    let _turn = place.turn()?;
    let charter = place.charter()?;
    match place.standing(&charter)? {
        Standing::Stopped => {}
        Standing::Running | Standing::Opening => bail!("venue {:?} runs already", place.name),
        Standing::Unfinished => bail!(
            "the creation of venue {:?} was cut off: drop it and create it again",
            place.name
        ),
    }
    let mut child = spawn(venues, place)?;
    let begun = Instant::now();
    loop {
        if let Some(ready) = place.ready() {
            place.write(&Charter {
                ports: ports(&ready),
                ..charter
            })?;
            return told(place);
        }
        if let Some(status) = child.try_wait()? {
            let log = fs::read_to_string(place.log_path()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
            bail!("venue {:?} did not open ({status}): {}", place.name, last.join("; "));
        }
        if begun.elapsed() > OPEN_MAX {
            let _ = child.kill();
            bail!("venue {:?} did not open within {OPEN_MAX:?}", place.name);
        }
        std::thread::sleep(LOOK);
    }
}

/// A process that outlives this one and is not of its terminal's group.
fn spawn(venues: &Venues, place: &Place) -> Result<Child> {
    let open = |path: &Path| File::create(path).with_context(|| format!("cannot make {}", path.display()));
    let (said, log) = (open(&place.said_path())?, open(&place.log_path())?);
    let program = std::env::current_exe().context("this program cannot find itself")?;
    Command::new(program)
        .args(["venue", "run", &place.name, "--venues"])
        .arg(venues.folder())
        .current_dir(venues.folder())
        .stdin(Stdio::null())
        .stdout(said)
        .stderr(log)
        .process_group(0)
        .spawn()
        .context("cannot start a process for the venue")
}

/// The ports of a ready line; those it lacks are any.
fn ports(ready: &Value) -> Ports {
    let port = |name: &str| {
        let (_, port) = ready[name].as_str()?.trim_end_matches('/').rsplit_once(':')?;
        port.parse().ok()
    };
    let of = |name| port(name).unwrap_or(0);
    Ports {
        ouch: of("ouch"),
        fix: of("fix"),
        rerequest: of("rerequest"),
        quic: of("quic"),
        http: of("http"),
        glimpse: of("glimpse"),
    }
}

/// Be it.
fn be(place: &Place) -> Result<()> {
    let Some(mut held) = place.hold_soon()? else {
        bail!("venue {:?} runs already", place.name);
    };
    let charter = place.charter()?;
    ensure!(charter.made, "the creation of venue {:?} was cut off", place.name);
    held.sign()?;
    run_private(Private {
        venue: VenueId(charter.venue),
        data: place.data(),
        ports: charter.ports,
        agents: charter.agents,
        seed: charter.seed,
        scenario: charter.scenario,
        durability: charter.durability,
        day: charter.day.map(TradingDay),
        clock_behind_ns: charter.clock_behind_ns,
        forked: charter.origin.is_some(),
    })
}

fn ls(venues: &Venues, json: bool) -> Result<()> {
    for place in venues.all()? {
        match told(&place) {
            Ok(told) if json => out::json_line(&told),
            Ok(told) => out::say(format_args!("{}", line(&told))),
            // One that is being dropped, or that somebody damaged, hides no other.
            Err(error) => out::complain(format_args!("{}: {error:#}", place.name)),
        }
    }
    Ok(())
}

/// Asks its process to end and waits for it; whether there was one.
fn end(place: &Place) -> Result<bool> {
    let Some(pid) = place.process()? else {
        return Ok(false);
    };
    // One that has ended meanwhile is what was wanted.
    let _ = kill(pid, Signal::SIGTERM);
    let begun = Instant::now();
    while place.process()?.is_some() {
        ensure!(
            begun.elapsed() < STOP_MAX,
            "venue {:?} did not end within {STOP_MAX:?}: its process is {pid}",
            place.name
        );
        std::thread::sleep(LOOK);
    }
    Ok(true)
}

fn drop_one(place: Place, now: bool) -> Result<()> {
    if let Some(pid) = place.process()? {
        ensure!(now, "venue {:?} runs: stop it first, or drop it with --now", place.name);
        if end(&place).is_err() {
            kill(pid, Signal::SIGKILL).with_context(|| format!("cannot end process {pid}"))?;
        }
    }
    let begun = Instant::now();
    let held: Held = loop {
        if let Some(held) = place.hold()? {
            break held;
        }
        ensure!(
            begun.elapsed() < STOP_MAX,
            "venue {:?} is being made or started: try again",
            place.name
        );
        std::thread::sleep(LOOK);
    };
    place.remove(held)
}

fn told(place: &Place) -> Result<Told> {
    let charter = place.charter()?;
    let standing = place.standing(&charter)?;
    let running = standing == Standing::Running;
    Ok(Told {
        name: place.name.clone(),
        venue: charter.venue,
        standing,
        pid: place.process()?.map(nix::unistd::Pid::as_raw),
        forked_from: charter.origin.as_ref().map(|origin| origin.data.clone()),
        forked_at: charter.origin.as_ref().map(|origin| origin.at),
        origin_state_hash: charter.origin.map(|origin| origin.state_hash),
        trading_day: charter.day.map(|day| TradingDay(day).to_string()),
        data: place.data(),
        endpoints: place.ready().filter(|_| running).unwrap_or_default(),
    })
}

fn line(told: &Told) -> String {
    let standing = match told.standing {
        Standing::Running => "running",
        Standing::Opening => "opening",
        Standing::Stopped => "stopped",
        Standing::Unfinished => "unfinished",
    };
    let at = |name: &str| told.endpoints[name].as_str().unwrap_or("-").to_owned();
    let mut line = format!(
        "{:<16} venue {:<3} {standing:<10} ouch {}  fix {}  console {}",
        told.name,
        told.venue,
        at("ouch"),
        at("fix"),
        at("console")
    );
    if let (Some(from), Some(seq)) = (&told.forked_from, told.forked_at) {
        line.push_str(&format!("  from {} at {seq}", from.display()));
    }
    line
}

fn print(told: &Told, json: bool) {
    if json {
        return out::json_line(told);
    }
    let at = |name: &str| told.endpoints[name].as_str().unwrap_or("-");
    out::say(format_args!("{} is open, venue {}:\n", told.name, told.venue));
    for (what, name) in [
        ("OUCH 5.0 / SoupBinTCP", "ouch"),
        ("FIX 4.4", "fix"),
        ("  its TargetCompID", "fix_comp_id"),
        ("ITCH 5.0 line A", "mold_a"),
        ("ITCH 5.0 line B", "mold_b"),
        ("re-requests", "rerequest"),
        ("GLIMPSE 5.0 snapshots", "glimpse"),
        ("market data over QUIC", "quic"),
        ("console", "console"),
    ] {
        out::say(format_args!("  {what:<23} {}", at(name)));
    }
    out::say(format_args!("  {:<23} {}", "data", told.data.display()));
    if let (Some(from), Some(seq)) = (&told.forked_from, told.forked_at) {
        out::say(format_args!("  {:<23} {} at {seq}", "forked from", from.display()));
    }
    out::say(format_args!(
        "\n  throw it away            rialto venue drop {} --now",
        told.name
    ));
}
