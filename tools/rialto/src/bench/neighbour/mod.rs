//! `rialto bench neighbour`: does a quiet firm notice a noisy one, with the venue's controls and without?
//!
//! One firm sends orders at a steady rate, whether or not they are answered, and each is timed (`steady.rs`). The other one does
//! its worst in one of six ways. What this machine carries is measured first, and the noisy firm's limit is a share of it, so that ten
//! times the limit is more than there is to have. Then, in turn and again and again: nobody else, the noise with controls, the
//! noise without. A noisy run is compared with the quiet ones before and behind it, and of all rounds the median is taken; quiet runs
//! are compared the same way with those before and behind them, which is what the machine does by itself to the very number that is
//! judged. Every run has an exchange of its own, in this process, and its journal is replayed behind it.
//!
//! Controls: a budget of the noisy firm, a limit of its open orders, a second before a session that was put out may come
//! again, a rate of questions over HTTP, and whatever is beside the path kept off its core and nicer than it. Without them
//! the firms still take turns at the door, and questions have threads of their own: there is no exchange without these. The
//! programs of the noisy firm run on this machine too, nicer than the exchange.
//!
//! Times decide nothing here but the words of the verdict. What fails the command: an order of the quiet firm that was refused or not
//! answered, a refusal of the noisy firm that is not the one it should be, a replay with another hash.

mod noise;
mod steady;
mod venue;
mod web;

use crate::bench::journal::Scratch;
use crate::bench::timing::rounded;
use crate::out;
use anyhow::{Result, bail};
use rialto_members::{Credentials, Password};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use venue::Seen;

/// By how many times the quiet firm's latency may move.
const BOUND: f64 = 1.5;
/// The noisy firm's limit, as a part of what the machine carries: ten times that is twice as much as there is.
const SHARE: f64 = 5.0;
/// The least and the most that a limit may be.
const LIMIT: std::ops::RangeInclusive<u32> = 100..=1_000_000;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Orders a second of the quiet firm
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=20_000))]
    rate: u64,
    /// Orders a second that the noisy firm may send where there are controls [default: a fifth of what this machine carries]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    limit: Option<u32>,
    /// Milliseconds that are measured in each run
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    measure_ms: u64,
    /// Milliseconds before, which are not
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    warm_ms: u64,
    /// Rounds; each runs everything once, and the median of all is taken
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=50))]
    rounds: u64,
    /// Only these ways to be noisy
    #[arg(long, value_name = "WAY,WAY..", value_delimiter = ',', value_enum)]
    only: Vec<Way>,
    /// What an idle thread of the exchange does
    #[arg(long, default_value = "yield", value_parser = crate::choices::IDLES)]
    idle: String,
    /// Where the journals lie [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print one JSON object a way
    #[arg(long)]
    json: bool,
}

/// What the noisy firm does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// Ten times its limit, by one session
    Ten,
    /// A hundred times its limit, by one session
    Hundred,
    /// Its limit by each of fifty sessions
    Sessions,
    /// A hundred times its limit by fifty sessions, orders of a symbol that there is not
    Rejects,
    /// A huge book, whose connection it drops, again and again
    Book,
    /// Queries of its own and exports of the past over HTTP, by many keys
    Http,
}

impl Way {
    const ALL: [Self; 6] = [
        Self::Ten,
        Self::Hundred,
        Self::Sessions,
        Self::Rejects,
        Self::Book,
        Self::Http,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Ten => "ten",
            Self::Hundred => "hundred",
            Self::Sessions => "sessions",
            Self::Rejects => "rejects",
            Self::Book => "book",
            Self::Http => "http",
        }
    }
}

/// One way, all rounds of it.
#[derive(Debug, Serialize)]
struct Row {
    way: Way,
    quiet_p50_us: f64,
    quiet_p99_us: f64,
    on_p50_us: f64,
    on_p99_us: f64,
    off_p50_us: f64,
    off_p99_us: f64,
    /// Medians over the rounds of how many times the quiet runs before and behind it.
    on_times_p50: f64,
    on_times_p99: f64,
    off_times_p50: f64,
    off_times_p99: f64,
    /// The same of quiet runs: those behind each round, beside the ones before and behind them. Below one as well as above.
    noise_p50: f64,
    noise_p99: f64,
    /// `within`, `beyond` or `INCONCLUSIVE`: quiet runs differ by as much among themselves.
    on: &'static str,
    /// `bad`, `not shown` or `INCONCLUSIVE`.
    off: &'static str,
    /// What the noisy firm did and was told, by word, with controls and without.
    noise_on: BTreeMap<String, u64>,
    noise_off: BTreeMap<String, u64>,
}

/// All of it.
#[derive(Debug, Serialize)]
struct Summary {
    /// Runs, each replayed to the hashes that it ended with.
    runs: usize,
    /// Orders of the quiet firm, each acknowledged.
    orders: u64,
    refused: u64,
    /// Orders a second that the exchange took of one firm without controls; none where the limit was given.
    capacity: Option<u64>,
    /// Orders a second of the noisy firm.
    limit: u32,
    /// The most noise of any way, up or down.
    noise_p50: f64,
    noise_p99: f64,
    /// With controls.
    within: usize,
    beyond: usize,
    inconclusive: usize,
    /// Without.
    bad: usize,
    not_shown: usize,
    off_inconclusive: usize,
}

/// A quiet run, the noisy ones behind it, and the next quiet one.
struct Round {
    way: Way,
    quiet: Seen,
    on: Seen,
    off: Seen,
    behind: Seen,
}

impl Round {
    /// How many times the quiet runs about it a run is.
    fn times(&self, run: &Seen, of: fn(&Seen) -> f64) -> f64 {
        beside(run, (&self.quiet, &self.behind), of)
    }
}

/// How many times the two about it a run is.
fn beside(run: &Seen, (before, behind): (&Seen, &Seen), of: fn(&Seen) -> f64) -> f64 {
    of(run) / (of(before) * of(behind)).sqrt().max(0.1)
}

/// What the quiet runs behind the rounds of a way come to beside the quiet ones about them: median over the rounds, as a noisy way is
/// judged. One, where there are too few.
fn quiet_times(way: Way, rounds: &[Round], of: fn(&Seen) -> f64) -> f64 {
    let pairs = rounds
        .iter()
        .zip(rounds.iter().skip(1))
        .filter(|(round, _)| round.way == way);
    let times: Vec<f64> = pairs
        .map(|(round, next)| beside(&round.behind, (&round.quiet, &next.behind), of))
        .collect();
    if times.is_empty() {
        1.0
    } else {
        median(times.into_iter())
    }
}

const P50: fn(&Seen) -> f64 = |seen| seen.p50_us;
const P99: fn(&Seen) -> f64 = |seen| seen.p99_us;

pub(crate) fn run(args: &Args) -> Result<()> {
    let ways: Vec<Way> = Way::ALL
        .into_iter()
        .filter(|way| args.only.is_empty() || args.only.contains(way))
        .collect();
    let folder = Scratch::new(&args.dir.clone().unwrap_or_else(std::env::temp_dir))?;
    let mut credentials = Credentials::new();
    for name in venue::sessions() {
        credentials.add(&name, &Password::new(venue::PASSWORD.as_bytes())?)?;
    }
    let mut number = 0;
    let mut fresh = || {
        number += 1;
        folder.0.join(number.to_string())
    };
    let (capacity, limit) = match args.limit {
        Some(limit) => (None, limit),
        None => {
            let data = fresh();
            let carried = venue::capacity(args, &data, credentials.clone());
            let _ = std::fs::remove_dir_all(&data);
            let carried = carried.map_err(|error| error.context("what this machine carries"))?;
            let limit = ((carried / SHARE) as u32).clamp(*LIMIT.start(), *LIMIT.end());
            (Some(carried as u64), limit)
        }
    };
    let mut one = |noisy: Option<Way>, controls: bool| {
        let data = fresh();
        let seen = venue::run(args, limit, &data, credentials.clone(), noisy, controls);
        let _ = std::fs::remove_dir_all(&data);
        seen.map_err(|error| error.context(describe(noisy, controls)))
    };
    let bar = out::progress(args.rounds * ways.len() as u64 * 3 + 1, "runs", args.json);
    let mut rounds: Vec<Round> = Vec::new();
    let mut quiet = one(None, true)?;
    bar.inc(1);
    for _ in 0..args.rounds {
        for way in &ways {
            let on = one(Some(*way), true)?;
            bar.inc(1);
            let off = one(Some(*way), false)?;
            bar.inc(1);
            let behind = one(None, true)?;
            bar.inc(1);
            let quiet = std::mem::replace(&mut quiet, behind.clone());
            rounds.push(Round {
                way: *way,
                quiet,
                on,
                off,
                behind,
            });
        }
    }
    bar.finish_and_clear();
    report(args, (capacity, limit), &ways, &rounds);
    Ok(())
}

fn describe(noisy: Option<Way>, controls: bool) -> String {
    let how = if controls { "with" } else { "without" };
    noisy.map_or_else(
        || "nobody else".to_owned(),
        |way| format!("{} {how} controls", way.name()),
    )
}

fn report(args: &Args, (capacity, limit): (Option<u64>, u32), ways: &[Way], rounds: &[Round]) {
    let noise = |of: fn(&Seen) -> f64| {
        let ways = ways.iter().map(|way| quiet_times(*way, rounds, of));
        ways.map(|times| times.max(times.recip())).fold(1.0, f64::max)
    };
    let (noise_p50, noise_p99) = (noise(P50), noise(P99));
    let rows: Vec<Row> = ways.iter().map(|way| row(*way, rounds, noise_p50, noise_p99)).collect();
    let first = rounds.first().map(|round| &round.quiet);
    let rest = rounds.iter().flat_map(|round| [&round.on, &round.off, &round.behind]);
    let count = |verdict: &str, of: fn(&Row) -> &'static str| rows.iter().filter(|row| of(row) == verdict).count();
    let summary = Summary {
        runs: rounds.len() * 3 + 1 + usize::from(capacity.is_some()),
        orders: first.into_iter().chain(rest).map(|seen| seen.orders).sum(),
        refused: rows
            .iter()
            .flat_map(|row| &row.noise_on)
            .map(|(word, count)| if word.starts_with("refused") { *count } else { 0 })
            .sum(),
        capacity,
        limit,
        noise_p50: rounded(noise_p50),
        noise_p99: rounded(noise_p99),
        within: count("within", |row| row.on),
        beyond: count("beyond", |row| row.on),
        inconclusive: count("INCONCLUSIVE", |row| row.on),
        bad: count("bad", |row| row.off),
        not_shown: count("not shown", |row| row.off),
        off_inconclusive: count("INCONCLUSIVE", |row| row.off),
    };
    if args.json {
        rows.iter().for_each(out::json_line);
        out::json_line(&summary);
        return;
    }
    table(args, (capacity, limit), &rows);
    out::say(format_args!("{}", out::pairs(&summary)));
}

fn row(way: Way, all: &[Round], noise_p50: f64, noise_p99: f64) -> Row {
    let rounds: Vec<&Round> = all.iter().filter(|round| round.way == way).collect();
    let middle = |of: &dyn Fn(&Round) -> f64| rounded(median(rounds.iter().map(|round| of(round))));
    let on_times_p50 = middle(&|round| round.times(&round.on, P50));
    let on_times_p99 = middle(&|round| round.times(&round.on, P99));
    let off_times_p50 = middle(&|round| round.times(&round.off, P50));
    let off_times_p99 = middle(&|round| round.times(&round.off, P99));
    // What quiet runs differ by among themselves explains as much of a noisy one.
    let explained = |times: f64, noise: f64| times <= BOUND * noise;
    let on = if on_times_p50 <= BOUND && on_times_p99 <= BOUND {
        "within"
    } else if explained(on_times_p50, noise_p50) && explained(on_times_p99, noise_p99) {
        "INCONCLUSIVE"
    } else {
        "beyond"
    };
    let off = if !explained(off_times_p50, noise_p50) || !explained(off_times_p99, noise_p99) {
        "bad"
    } else if off_times_p50 <= BOUND && off_times_p99 <= BOUND {
        "not shown"
    } else {
        "INCONCLUSIVE"
    };
    let noise = |of: fn(&Round) -> &Seen| {
        let mut sum: BTreeMap<String, u64> = BTreeMap::new();
        for (word, count) in rounds.iter().flat_map(|round| &of(round).noise) {
            *sum.entry(word.clone()).or_default() += count;
        }
        sum
    };
    Row {
        way,
        quiet_p50_us: middle(&|round| round.quiet.p50_us),
        quiet_p99_us: middle(&|round| round.quiet.p99_us),
        on_p50_us: middle(&|round| round.on.p50_us),
        on_p99_us: middle(&|round| round.on.p99_us),
        off_p50_us: middle(&|round| round.off.p50_us),
        off_p99_us: middle(&|round| round.off.p99_us),
        on_times_p50,
        on_times_p99,
        off_times_p50,
        off_times_p99,
        noise_p50: rounded(quiet_times(way, all, P50)),
        noise_p99: rounded(quiet_times(way, all, P99)),
        on,
        off,
        noise_on: noise(|round| &round.on),
        noise_off: noise(|round| &round.off),
    }
}

/// The middle one; of an even number the higher.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn table(args: &Args, (capacity, limit): (Option<u64>, u32), rows: &[Row]) {
    if let Some(capacity) = capacity {
        out::say(format_args!(
            "this machine carries {capacity} orders a second of one firm; the noisy one's limit is {limit}, ten times that is {:.1} times \
             what there is",
            10.0 * f64::from(limit) / (capacity as f64).max(1.0)
        ));
    }
    out::say(format_args!(
        "{} orders a second of the quiet firm; the noisy one's limit is {limit} orders a second; {} s a run, {} rounds",
        args.rate,
        Duration::from_millis(args.measure_ms).as_secs_f64(),
        args.rounds
    ));
    out::say(format_args!(
        "noisy     controls   p50 µs    x quiet   p99 µs    x quiet   verdict"
    ));
    for row in rows {
        let line = |what: &str, (p50, p50_times): (f64, f64), (p99, p99_times): (f64, f64), verdict: &str| {
            out::say(format_args!(
                "{:<9} {what:<8} {p50:>9} {p50_times:>9} {p99:>10} {p99_times:>8}   {verdict}",
                row.way.name()
            ));
        };
        line(
            "quiet",
            (row.quiet_p50_us, row.noise_p50),
            (row.quiet_p99_us, row.noise_p99),
            "quiet beside quiet",
        );
        line(
            "on",
            (row.on_p50_us, row.on_times_p50),
            (row.on_p99_us, row.on_times_p99),
            row.on,
        );
        line(
            "off",
            (row.off_p50_us, row.off_times_p50),
            (row.off_p99_us, row.off_times_p99),
            row.off,
        );
        for (what, noise) in [("on", &row.noise_on), ("off", &row.noise_off)] {
            let words: Vec<String> = noise.iter().map(|(word, count)| format!("{word} {count}")).collect();
            out::say(format_args!("          {what}: {}", words.join(", ")));
        }
    }
}

/// What must hold of every run, whatever it took.
fn check(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds {
        return Ok(());
    }
    bail!("{}", what())
}

/// The data folder of an exchange, made.
fn made(data: &Path) -> Result<()> {
    std::fs::create_dir_all(data)?;
    Ok(())
}
