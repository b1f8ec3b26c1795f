//! `rialto up`: a development exchange with a market that moves, in one process.

mod company;
pub(crate) mod demo;
mod paste;
pub(crate) mod scenario;

use crate::agents;
use crate::announce;
use crate::console::Console;
use crate::console::members::QUESTIONS_PER_SECOND;
use crate::exchange::{Controls, Exchange, today};
use crate::out;
use crate::play::{Assumption, Speed};
use crate::serve::{credentials_path, own_credentials_path, trading_day, watch};
use crate::shutdown::Interrupt;
use crate::view::View;
use anyhow::{Context as _, Result, ensure};
use demo::Ports;
use rialto_members::{Credentials, Verifier};
use rialto_model::{TradingDay, VenueId};
use rialto_ring::Stop;
use scenario::{Scenario, Script};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The prefix of a scenario that is a recorded day.
const DAY: &str = "day:";
/// Background agents where nobody says how many.
const AGENTS: usize = 6;
/// How often the controlling thread looks at everything.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stop after so many seconds; without it, on Ctrl-C
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// What the background agents do is a function of this
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Where journal and credentials live: made where it is not, recovered where it is; without it a fresh folder under the
    /// user's state directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A ready market
    #[arg(long, value_name = "NAME", value_parser = crate::choices::Scenarios { days: true })]
    scenario: Option<String>,
    /// How much the agents display, as a multiple: less is thinner and wider
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = liquidity)]
    liquidity: f64,
    /// How many background agents trade; 0 leaves the market to you [default: 6, or the scenario's]
    #[arg(long, value_name = "N")]
    agents: Option<usize>,
    /// What makes an event safe to release
    #[arg(long, default_value = "memory", value_parser = crate::choices::DURABILITIES)]
    durability: String,
    /// Take a snapshot every so many commands; 0: none
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    snapshot_every: u64,
    /// Megabytes of a journal segment
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=1_024))]
    segment_mb: u64,
    /// Megabytes that the journal may take: then only cancels are taken [default: 4096]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(4..))]
    journal_mb: Option<u64>,
    /// Let other processes follow the stream from here; port 0 lets the system choose
    #[arg(long, value_name = "ADDR")]
    follow_listen: Option<SocketAddr>,
    /// Milliseconds that an event waits for another engine's word at most [default: 20; 500 on fewer than four cores]
    #[arg(long, value_name = "N")]
    candidate_wait_ms: Option<u64>,
    /// How stages are laid onto threads
    #[arg(long, default_value = "auto", value_parser = crate::choices::LAYOUTS)]
    layout: String,
    /// What an idle thread does
    #[arg(long, default_value = "park", value_parser = crate::choices::IDLES)]
    idle: String,
    /// Open this trading day and stay in it, instead of following the clock
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = trading_day)]
    trading_day: Option<TradingDay>,
    /// Play this recorded day, a LOBSTER tape or an ITCH 5.0 file, while you trade in it; no agents then, unless you ask for some
    #[arg(long, value_name = "TAPE")]
    with_me: Option<PathBuf>,
    /// The archive of a LOBSTER day, whose message file has the times
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    /// Only this instrument of that day; may be given again
    #[arg(long, value_name = "SYMBOL")]
    day_symbol: Vec<String>,
    /// How fast the day goes by: real, max or so many times as fast
    #[arg(long, default_value = "real")]
    speed: Speed,
    /// What you may change of that day: market (you really trade with it) or tape (what it traded is traded again exactly so, and
    /// you meet what is left)
    #[arg(long, value_enum, default_value_t)]
    policy: Assumption,
    /// HTTP gateways side by side: the first is the console, the others have ports that the system chooses
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    gateways: u8,
    /// Print one JSON object when it is open and one when it has ended
    #[arg(long)]
    json: bool,
    /// What makes it a venue of its own
    #[arg(skip)]
    private: Option<Private>,
}

/// A venue of its own, beside the one that `rialto up` is.
#[derive(Clone, Debug)]
pub(crate) struct Private {
    pub(crate) venue: VenueId,
    pub(crate) data: PathBuf,
    pub(crate) ports: Ports,
    pub(crate) agents: usize,
    pub(crate) seed: u64,
    pub(crate) scenario: Option<String>,
    pub(crate) durability: String,
    /// The day that it stays in; without one it follows the clock.
    pub(crate) day: Option<TradingDay>,
    pub(crate) clock_behind_ns: u64,
    /// Whether its stream defines what is traded already.
    pub(crate) forked: bool,
}

impl Private {
    /// FIX clients of one venue are strangers to another.
    fn comp_id(&self) -> String {
        format!("RIALTO{:02}", self.venue.0)
    }
}

/// A private venue until it is asked to end, on the same terms as a development exchange.
pub(crate) fn run_private(private: Private) -> Result<()> {
    run(Args {
        seconds: None,
        seed: private.seed,
        data: Some(private.data.clone()),
        scenario: private.scenario.clone(),
        liquidity: 1.0,
        agents: Some(private.agents),
        durability: private.durability.clone(),
        snapshot_every: 100_000,
        segment_mb: 16,
        journal_mb: None,
        follow_listen: None,
        candidate_wait_ms: None,
        layout: "auto".to_owned(),
        idle: "park".to_owned(),
        trading_day: private.day,
        with_me: None,
        book: None,
        day_symbol: Vec::new(),
        speed: Speed::REAL,
        policy: Assumption::Market,
        gateways: 1,
        json: true,
        private: Some(private),
    })
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    let scenario = match args.scenario.clone() {
        Some(name) if name == "help" => {
            out::say(format_args!("{}", scenario::list()));
            return Ok(());
        }
        Some(name) => match name.strip_prefix(DAY) {
            Some(tape) => {
                ensure!(args.with_me.is_none(), "a day is named already: leave out --with-me");
                ensure!(
                    Path::new(tape).is_file(),
                    "there is no file {tape}: give a LOBSTER tape or an ITCH 5.0 file"
                );
                args.with_me = Some(tape.into());
                None
            }
            None => Some(Scenario::of(&name)?),
        },
        None => None,
    };
    let says_how = args.book.is_some()
        || args.speed != Speed::REAL
        || args.policy != Assumption::Market
        || !args.day_symbol.is_empty();
    let needless = args.with_me.is_none() && says_how;
    ensure!(
        !needless,
        "--book, --day-symbol, --policy and --speed are for a recorded day: name one with --with-me"
    );
    let data = match &args.data {
        Some(data) => data.clone(),
        None => fresh_folder()?,
    };
    // Lines to paste hold in whatever folder they are pasted.
    let data = std::path::absolute(data)?;
    std::fs::create_dir_all(&data).with_context(|| format!("cannot make the data folder {}", data.display()))?;
    let recorded = args
        .with_me
        .as_deref()
        .map(|tape| company::recorded(tape, &args))
        .transpose()?;
    let agents = args.agents.unwrap_or(match scenario {
        Some(scenario) => scenario.agents(),
        None if recorded.is_some() => 0,
        None => AGENTS,
    });
    let ports = args.private.as_ref().map_or(Ports::DOCUMENTED, |private| private.ports);
    let mut config = demo::config(&data, agents, &ports)?;
    if let Some(private) = &args.private {
        config.venue = private.venue.0;
        config.fix.comp_id = private.comp_id();
        config.clock_behind_ns = private.clock_behind_ns;
        if private.forked {
            config.instruments.clear();
        }
    }
    if let Some(day) = &recorded {
        company::invite(day, &mut config)?;
    }
    config.durability.clone_from(&args.durability);
    config.layout.clone_from(&args.layout);
    config.idle.clone_from(&args.idle);
    config.snapshot_every = args.snapshot_every;
    config.segment_bytes = args.segment_mb << 20;
    if let Some(megabytes) = args.journal_mb {
        config.journal_bytes_max = Some(megabytes << 20);
    }
    config.follow_at(args.follow_listen);
    config.candidate_wait_ms = args.candidate_wait_ms;
    config.check()?;

    let interrupt = Interrupt::listen()?;
    let verifier = Verifier::start(credentials(&data, &config)?)?;
    let exchange = Exchange::open(&config, verifier, args.trading_day.unwrap_or_else(today))?;
    // Here the gateway's sessions have the password of all others; another exchange may have left some.
    let _ = std::fs::remove_file(own_credentials_path(&data));
    let deadline = args
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (ended, sent) = exchange.run(|controls| {
        let console = Console::open(
            demo::console_address(&ports),
            controls,
            &data,
            demo::hands(),
            args.gateways,
            QUESTIONS_PER_SECOND,
        )?;
        announce(controls, &console, &data, args.json)?;
        let mut script = scenario.map(|scenario| begin(controls, scenario)).transpose()?;
        let opened = Instant::now();
        let stop_agents = Stop::new();
        let mut player = recorded.map(|day| company::begin(day, controls.addresses.ouch, stop_agents.clone()));
        let agents = match agents {
            0 => None,
            count => Some(agents::spawn(
                demo::agents(controls, count, args.seed, scenario, args.liquidity)?,
                stop_agents.clone(),
            )),
        };
        let mut view = View::open(&controls.addresses.feed, console.url(), args.json);
        let mut watched = Ok(());
        while watched.is_ok()
            && !interrupt.is_set()
            && controls.stop.failure().is_none()
            && deadline.is_none_or(|deadline| Instant::now() < deadline)
            && !view.wants_to_quit()
        {
            watched = watch(controls, args.trading_day, &mut |line| view.hear(line));
            if let Some(player) = &mut player {
                player.hear(args.json, &mut |line| view.hear(line));
            }
            if let Some(script) = &mut script {
                let now_ms = u64::try_from(opened.elapsed().as_millis()).unwrap_or(u64::MAX);
                for command in script.due(now_ms) {
                    controls.act(command, ACTOR, &script.why())?;
                }
            }
            view.draw(controls);
            std::thread::sleep(LOOK);
        }
        view.close();
        stop_agents.drain();
        if let Some(player) = player {
            player.end(args.json, &mut |line| out::complain(format_args!("{line}")));
        }
        console.close();
        if let Some(agents) = agents {
            let _ = agents.join();
        }
        watched
    })?;
    announce::stopped(&ended, sent, &data, args.json);
    Ok(())
}

/// Who acts for a scenario, as the stream says.
const ACTOR: &str = "scenario";

/// The rules of a scenario and its first beats, before any agent is there.
fn begin(controls: &Controls, scenario: &'static Scenario) -> Result<Script> {
    let state = controls.world.stream()?.at(None)?.past.state();
    let instruments = state.instruments.iter().map(|one| one.definition.instrument);
    let mut script = scenario.script(instruments.collect());
    for command in scenario.rules(&state)?.into_iter().chain(script.due(0)) {
        controls.act(command, ACTOR, &script.why())?;
    }
    Ok(script)
}

fn liquidity(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| (0.05..=20.0).contains(x));
    number.ok_or_else(|| "a multiple from 0.05 to 20".to_owned())
}

fn announce(controls: &Controls, console: &Console, data: &Path, json: bool) -> Result<()> {
    let quickfix = paste::write_quickfix(controls, data)?;
    if json {
        announce::ready_json(controls, Some(console), data);
        return Ok(());
    }
    out::say(format_args!("Rialto is open.\n"));
    announce::ready_table(controls, Some(console), data);
    let lines = paste::lines(controls, console, data, &quickfix);
    out::say(format_args!("\n{lines}\n{}", paste::SAFETY));
    Ok(())
}

/// Everybody's password, hashed; what is there already stays.
fn credentials(data: &Path, config: &crate::config::Config) -> Result<Credentials> {
    let path = credentials_path(data);
    let mut credentials = if path.exists() {
        Credentials::load(&path)?
    } else {
        Credentials::new()
    };
    let mut added = false;
    for session in config.firms.iter().flat_map(|firm| &firm.sessions) {
        if !credentials.contains(&session.name) {
            credentials.add(&session.name, &demo::password()?)?;
            added = true;
        }
    }
    if added {
        credentials.save(&path)?;
    }
    Ok(credentials)
}

/// A folder of its own for each run, under the user's state directory.
fn fresh_folder() -> Result<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".local/state"))
    });
    let state = state.unwrap_or_else(std::env::temp_dir).join("rialto");
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)?
        .as_secs();
    Ok(state.join(format!("up-{seconds}-{}", std::process::id())))
}
