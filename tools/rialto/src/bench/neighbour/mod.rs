//! `rialto bench neighbour`: does a quiet firm notice a noisy one, with the venue's controls and without?
//!
//! One firm sends orders at a steady rate, whether or not they are answered, and each is timed (`steady.rs`). The other one does its worst in one of six ways. Each way is run with controls
//! and without, beside a run in which there is nobody else; quiet runs among themselves show what the machine does by itself.
//! Every run has an exchange of its own, in this process, and its journal is replayed behind it.
//!
//! Controls: a budget of the noisy firm, a limit of its open orders, a second before a session that was put out may come
//! again, and a rate of questions over HTTP. Without them the firms still take turns at the door, and what is beside the
//! path is still behind it: there is no exchange without these. The programs of the noisy firm run on this machine too,
//! nicer than the exchange.
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

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Orders a second of the quiet firm
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=20_000))]
    rate: u64,
    /// Orders a second that the noisy firm may send where there are controls
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(100..=20_000))]
    limit: u32,
    /// Milliseconds that are measured in each run
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    measure_ms: u64,
    /// Milliseconds before, which are not
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    warm_ms: u64,
    /// Rounds; each runs everything once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=50))]
    rounds: u64,
    /// Only these ways to be noisy
    #[arg(long, value_name = "WAY,WAY..", value_delimiter = ',', value_enum)]
    only: Vec<Way>,
    /// What an idle thread of the exchange does
    #[arg(long, default_value = "yield")]
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
    /// A hundred times its limit, orders of a symbol that there is not
    Rejects,
    /// A huge book, whose connection it drops, again and again
    Book,
    /// Queries of its own and exports of the past over HTTP
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
    /// Medians over the rounds of how many times the quiet run beside it.
    on_times_p50: f64,
    on_times_p99: f64,
    off_times_p50: f64,
    off_times_p99: f64,
    /// `within`, `beyond` or `INCONCLUSIVE`: quiet runs differ by as much among themselves.
    on: &'static str,
    /// `bad`, `harmless` or `INCONCLUSIVE`.
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
    /// Over quiet runs that follow each other, the most that one was of the other.
    noise_p50: f64,
    noise_p99: f64,
    within: usize,
    beyond: usize,
    inconclusive: usize,
    harmless: usize,
}

/// A quiet run, and the noisy ones behind it.
struct Round {
    way: Way,
    quiet: Seen,
    on: Seen,
    off: Seen,
}

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
    let mut one = |noisy: Option<Way>, controls: bool| {
        number += 1;
        let data = folder.0.join(number.to_string());
        let seen = venue::run(args, &data, credentials.clone(), noisy, controls);
        let _ = std::fs::remove_dir_all(&data);
        seen.map_err(|error| error.context(describe(noisy, controls)))
    };
    let bar = out::progress(args.rounds * ways.len() as u64 * 3 + 1, "runs", args.json);
    let mut rounds = Vec::new();
    for _ in 0..args.rounds {
        for way in &ways {
            let quiet = one(None, true)?;
            bar.inc(1);
            let on = one(Some(*way), true)?;
            bar.inc(1);
            let off = one(Some(*way), false)?;
            bar.inc(1);
            rounds.push(Round {
                way: *way,
                quiet,
                on,
                off,
            });
        }
    }
    let last = one(None, true)?;
    bar.finish_and_clear();
    report(args, &ways, &rounds, &last);
    Ok(())
}

fn describe(noisy: Option<Way>, controls: bool) -> String {
    let how = if controls { "with" } else { "without" };
    noisy.map_or_else(
        || "nobody else".to_owned(),
        |way| format!("{} {how} controls", way.name()),
    )
}

fn report(args: &Args, ways: &[Way], rounds: &[Round], last: &Seen) {
    let quiet: Vec<&Seen> = rounds.iter().map(|round| &round.quiet).chain([last]).collect();
    let noise = |of: fn(&Seen) -> f64| {
        let pairs = quiet.iter().zip(quiet.iter().skip(1));
        let moves = pairs.map(|(one, other)| times(of(other), of(one)).max(times(of(one), of(other))));
        moves.fold(1.0, f64::max)
    };
    let (noise_p50, noise_p99) = (noise(|seen| seen.p50_us), noise(|seen| seen.p99_us));
    let rows: Vec<Row> = ways
        .iter()
        .map(|way| {
            let own: Vec<&Round> = rounds.iter().filter(|round| round.way == *way).collect();
            row(*way, &own, noise_p50, noise_p99)
        })
        .collect();
    let all = rounds
        .iter()
        .flat_map(|round| [&round.quiet, &round.on, &round.off])
        .chain([last]);
    let summary = Summary {
        runs: rounds.len() * 3 + 1,
        orders: all.map(|seen| seen.orders).sum(),
        refused: rows
            .iter()
            .flat_map(|row| &row.noise_on)
            .map(|(word, count)| if word.starts_with("refused") { *count } else { 0 })
            .sum(),
        noise_p50: rounded(noise_p50),
        noise_p99: rounded(noise_p99),
        within: rows.iter().filter(|row| row.on == "within").count(),
        beyond: rows.iter().filter(|row| row.on == "beyond").count(),
        inconclusive: rows.iter().filter(|row| row.on == "INCONCLUSIVE").count(),
        harmless: rows.iter().filter(|row| row.off != "bad").count(),
    };
    if args.json {
        rows.iter().for_each(out::json_line);
        out::json_line(&summary);
        return;
    }
    table(args, &rows);
    out::say(format_args!("{}", out::pairs(&summary)));
}

fn row(way: Way, rounds: &[&Round], noise_p50: f64, noise_p99: f64) -> Row {
    let middle = |of: &dyn Fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(|round| of(round)).collect();
        values.sort_unstable_by(f64::total_cmp);
        rounded(values.get(values.len() / 2).copied().unwrap_or_default())
    };
    let on_times_p50 = middle(&|round| times(round.on.p50_us, round.quiet.p50_us));
    let on_times_p99 = middle(&|round| times(round.on.p99_us, round.quiet.p99_us));
    let off_times_p50 = middle(&|round| times(round.off.p50_us, round.quiet.p50_us));
    let off_times_p99 = middle(&|round| times(round.off.p99_us, round.quiet.p99_us));
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
        "harmless"
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
        on,
        off,
        noise_on: noise(|round| &round.on),
        noise_off: noise(|round| &round.off),
    }
}

fn times(one: f64, other: f64) -> f64 {
    one / other.max(0.1)
}

fn table(args: &Args, rows: &[Row]) {
    out::say(format_args!(
        "{} orders a second of the quiet firm; the noisy one's limit is {} orders a second; {} s, {} rounds",
        args.rate,
        args.limit,
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
        line("quiet", (row.quiet_p50_us, 1.0), (row.quiet_p99_us, 1.0), "");
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
