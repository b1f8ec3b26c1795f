//! One run: an exchange, the quiet firm's orders, the noisy firm beside it, and what must hold of all of it.

use super::noise::{self, Tally};
use super::steady::Steady;
use super::{Args, Way, check, made, web};
use crate::bench::member::PATIENCE;
use crate::config::{Config, FirmConfig, SessionConfig};
use crate::console::{Console, Hands, Seat, members};
use crate::exchange::core::Ended;
use crate::exchange::{Exchange, today};
use crate::replay;
use anyhow::{Context as _, Result, bail};
use rialto_journal::Reader;
use rialto_matching::{Engine, Limits};
use rialto_members::{Credentials, KeyRole, Keyring, Verifier};
use rialto_model::command::{SetBudgets, SetRiskLimits};
use rialto_model::{AccountId, Budgets, Command, FirmId, RejectReason, RiskLimits};
use rialto_ring::Layout;
use rialto_ring::layout::{Cores, behind_the_path, keep_beside};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Everybody's password.
pub(super) const PASSWORD: &str = "bench";
/// The quiet firm's session, those of the gateway, and how many the noisy firm has.
pub(super) const QUIET: &str = "quiet";
const DESK: &str = "desk";
const NOISY_WEB: &str = "noisyh";
pub(super) const NOISY: usize = 50;
/// The second that the configuration defines.
const NOISY_FIRM: FirmId = FirmId(2);
/// What there is to trade.
pub(super) const SYMBOL: &str = "ACME";
/// The noisy firm's keys over HTTP, and the secret of each.
pub(super) const KEYS: usize = 8;
pub(super) const SECRET: &str = "secret-of-the-noisy-firm";
/// Its open orders, where there are controls.
const OPEN_ORDERS: u32 = 1_000;
/// What it may send at once, as a part of a second's worth.
const BURSTS_PER_SECOND: u32 = 100;
/// How long a noisy firm may take to begin.
const BEGIN_MAX: Duration = PATIENCE;

/// As many orders a second as one firm may ask for who is to learn what there is to have.
const WITHOUT_END: u32 = 50_000;

/// What one run showed.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) orders: u64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// Orders of the noisy firm that were accepted in a second.
    pub(super) accepted_per_second: f64,
    /// What the noisy firm did and was told.
    pub(super) noise: BTreeMap<String, u64>,
}

/// The names of all sessions.
pub(super) fn sessions() -> Vec<String> {
    let own = [QUIET, DESK, NOISY_WEB].map(str::to_owned);
    own.into_iter().chain((0..NOISY).map(noisy_session)).collect()
}

/// The name of one of the noisy firm's sessions.
pub(super) fn noisy_session(index: usize) -> String {
    format!("n{index}")
}

/// The name of one of its keys.
pub(super) fn key(index: usize) -> String {
    format!("noisy{index}")
}

fn config(args: &Args, data: &Path, controls: bool) -> Result<Config> {
    let text = r#"
        data = ""
        durability = "memory"
        snapshot_every = 0
        ouch = { listen = "127.0.0.1:0" }
        fix = { listen = "127.0.0.1:0" }
        feed = { rerequest = "127.0.0.1:0", line_a = "239.192.77.1:0", line_b = "239.192.77.2:0" }
        [[instrument]]
        symbol = "ACME"
    "#;
    let mut config: Config = toml::from_str(text)?;
    config.data = data.to_owned();
    config.idle.clone_from(&args.idle);
    let ouch = |name: String| SessionConfig::new(name, "ouch", true);
    let noisy = (0..NOISY).map(|index| SessionConfig {
        reconnect_after_seconds: u32::from(controls),
        ..ouch(noisy_session(index))
    });
    let firm = |name: &str, mpid: &str, sessions: Vec<SessionConfig>| FirmConfig {
        name: name.to_owned(),
        mpid: mpid.to_owned(),
        market_data: Vec::new(),
        ports: crate::config::PortsConfig::default(),
        sessions,
    };
    config.firms = vec![
        firm("Quiet", "QUIE", vec![ouch(QUIET.to_owned()), ouch(DESK.to_owned())]),
        firm("Noisy", "NOIS", noisy.chain([ouch(NOISY_WEB.to_owned())]).collect()),
    ];
    config.check()?;
    Ok(config)
}

/// What the noisy firm may do, where there are controls.
fn limits(limit: u32) -> [Command; 2] {
    let budgets = Budgets {
        orders_per_second: limit,
        orders_burst: (limit / BURSTS_PER_SECOND).max(1),
        cancels_per_second: 2 * limit,
        cancels_burst: (2 * limit / BURSTS_PER_SECOND).max(1),
        questions_per_second: 100,
        questions_burst: 100,
        weight: 1,
    };
    let limits = RiskLimits {
        open_orders: OPEN_ORDERS,
        ..RiskLimits::default()
    };
    [
        SetBudgets {
            firm: NOISY_FIRM,
            budgets,
        }
        .into(),
        SetRiskLimits {
            firm: NOISY_FIRM,
            account: AccountId(0),
            limits,
        }
        .into(),
    ]
}

/// Orders a second that an exchange takes of one firm that sends as fast as it can, beside the quiet one.
pub(super) fn capacity(args: &Args, data: &Path, credentials: Credentials) -> Result<f64> {
    let seen = run(args, WITHOUT_END, data, credentials, Some(Way::Hundred), false)?;
    Ok(seen.accepted_per_second)
}

/// Runs an exchange with this way to be noisy, or with nobody else. `limit`: orders a second of the noisy firm.
pub(super) fn run(
    args: &Args,
    limit: u32,
    data: &Path,
    credentials: Credentials,
    noisy: Option<Way>,
    controls: bool,
) -> Result<Seen> {
    made(data)?;
    let config = config(args, data, controls)?;
    write_keys(data)?;
    // What followers, questions and exports do is kept off the order path's core, and nicer than it.
    keep_beside(controls);
    let exchange = Exchange::open(&config, Verifier::start(credentials)?, today())?;
    let mut measured = None;
    let (ended, _) = exchange.run(|venue| {
        let questions = if controls { members::QUESTIONS_PER_SECOND } else { 0 };
        let seat = |user: &str| Seat {
            user: user.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let hands = Hands {
            desk: Some(seat(DESK)),
            firms: vec![seat(NOISY_WEB)],
        };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let console = Console::open(listen, venue, data, hands, 1, questions)?;
        if controls {
            for command in limits(limit) {
                venue.act(command, "bench", "a noisy firm is limited")?;
            }
        }
        let (door, http) = (venue.addresses.ouch, console.address());
        // On a thread of its own: where it runs is not where the next exchange is to run.
        let seen = std::thread::scope(|scope| {
            let members = scope.spawn(|| beside(args, limit, door, http, noisy));
            members.join().unwrap_or_else(|_| bail!("the members' thread panicked"))
        });
        console.close();
        measured = Some(seen?);
        Ok(())
    })?;
    keep_beside(true);
    let (mut seen, tally) = measured.context("nothing was measured")?;
    let refused = refusals(data)?;
    replays(data, &ended)?;
    judge(limit, noisy, controls, &tally, &refused)?;
    seen.noise = tally.words();
    for (reason, (records, refusals)) in refused {
        seen.noise.insert(format!("refused: {reason:?}"), refusals);
        seen.noise.insert(format!("records: {reason:?}"), records);
    }
    Ok(seen)
}

/// The quiet firm's orders, and the noisy firm beside them.
fn beside(args: &Args, limit: u32, door: SocketAddr, http: SocketAddr, noisy: Option<Way>) -> Result<(Seen, Tally)> {
    // The members' programs have one core of two, and the order path has the other.
    let cores = Cores::read();
    let _ = cores.count() > 1 && cores.pin(1);
    let mut member = Steady::log_on(door)?;
    let (stop, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let noise = noisy
        .map(|way| {
            let (stop, begun) = (Arc::clone(&stop), Arc::clone(&begun));
            std::thread::Builder::new().name("noisy".to_owned()).spawn(move || {
                behind_the_path();
                match way {
                    Way::Http => web::ask(door, http, &stop, &begun),
                    _ => noise::make(way, door, limit, &stop, &begun),
                }
            })
        })
        .transpose()?;
    let since = Instant::now();
    while noise.as_ref().is_some_and(|thread| !thread.is_finished())
        && begun.load(Ordering::Relaxed) == 0
        && since.elapsed() < BEGIN_MAX
    {
        // The session lives meanwhile.
        member.idle()?;
    }
    let lasts = Duration::from_millis(args.warm_ms + args.measure_ms);
    let noisy_since = Instant::now();
    let gap = Duration::from_secs(1) / u32::try_from(args.rate).unwrap_or(u32::MAX);
    let count = u32::try_from(lasts.as_nanos() / gap.as_nanos().max(1)).unwrap_or(u32::MAX);
    let plan: Vec<Duration> = (0..count).map(|index| gap * index).collect();
    let timed = member.fire(&plan, Duration::from_millis(args.warm_ms));
    let noisy_for = noisy_since.elapsed();
    stop.store(true, Ordering::Relaxed);
    let tally = noise.map_or_else(
        || Ok(Tally::default()),
        |thread| {
            thread
                .join()
                .unwrap_or_else(|_| bail!("the noisy firm's thread panicked"))
        },
    );
    let timed = timed.context("the quiet firm")?;
    let tally = tally.context("the noisy firm")?;
    let at = |quantile: f64| (timed.latencies.value_at_quantile(quantile) as f64 / 100.0).round() / 10.0;
    let seen = Seen {
        orders: timed.orders,
        p50_us: at(0.5),
        p99_us: at(0.99),
        accepted_per_second: tally.in_time as f64 / noisy_for.as_secs_f64(),
        noise: BTreeMap::new(),
    };
    Ok((seen, tally))
}

fn write_keys(data: &Path) -> Result<()> {
    let mut keys = Keyring::new();
    for index in 0..KEYS {
        keys.add(&key(index), SECRET, KeyRole::ReadOnly, NOISY_FIRM, AccountId(0))?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(data.join(members::KEYS))?;
    file.write_all(keys.to_toml().as_bytes())?;
    Ok(())
}

/// What the door refused, in the stream: records, and the messages that they stand for, by reason.
fn refusals(data: &Path) -> Result<BTreeMap<RejectReason, (u64, u64)>> {
    let mut found: BTreeMap<RejectReason, (u64, u64)> = BTreeMap::new();
    for command in replay::open(data)? {
        if let Command::Refuse(refuse) = command?.body {
            let (records, refusals) = found.entry(refuse.reason).or_default();
            *records += 1;
            *refusals += refuse.quantity.0.max(1);
        }
    }
    Ok(found)
}

fn replays(data: &Path, ended: &Ended) -> Result<()> {
    let journal = Reader::open(&replay::disk(data)?)?;
    let replayed = rialto_replay::replay(Engine::new(Limits::default()), journal, Layout::One)?;
    let (state, events) = (replayed.state.state_hash(), replayed.hashes.total());
    check((state, events) == (ended.state_hash, ended.event_hash), || {
        format!(
            "the replay has state hash {state} and event hash {events}, the exchange had {} and {}",
            ended.state_hash, ended.event_hash
        )
    })
}

/// What must hold whatever anything took.
fn judge(
    limit: u32,
    noisy: Option<Way>,
    controls: bool,
    tally: &Tally,
    refused: &BTreeMap<RejectReason, (u64, u64)>,
) -> Result<()> {
    let Some(way) = noisy else { return Ok(()) };
    let expected: &[&str] = match (way, controls) {
        (Way::Http, true) => &["200", "429", "503"],
        (Way::Http, false) => &["200", "503"],
        (Way::Rejects, true) => &["InvalidSymbol", "Other"],
        (Way::Rejects, false) => &["InvalidSymbol"],
        // Over the budget, and over the open orders.
        (_, true) => &["Other", "RiskAggregateExposure"],
        (_, false) => &[],
    };
    for told in tally.told.keys() {
        check(expected.contains(&told.as_str()), || {
            format!("the noisy firm was told {told}, and should be told {expected:?}")
        })?;
    }
    check(tally.asked > 0, || "the noisy firm made no noise".to_owned())?;
    if way == Way::Http {
        return check(!controls || tally.told.contains_key("429"), || {
            "questions over the rate were answered".to_owned()
        });
    }
    let (_, over) = refused.get(&RejectReason::FirmOverRate).copied().unwrap_or_default();
    check(
        refused.keys().all(|reason| *reason == RejectReason::FirmOverRate),
        || {
            format!(
                "the door refused for other reasons than the firm's budget: {:?}",
                refused.keys()
            )
        },
    )?;
    check(controls == (over > 0), || {
        format!("{over} messages were refused over a budget of {limit} a second")
    })
}
