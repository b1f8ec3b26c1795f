//! `rialto load`: orders at a chosen rate whether or not the exchange keeps up, and how long each took.
//!
//! The load is open: every order has its moment, drawn before the run, and latency is counted from that moment (*corrected*)
//! as a member would feel it. Counted from the moment the order really left (*uncorrected*) it is printed beside it: where
//! the two differ, the sender was held up and a closed loop would have hidden it (coordinated omission). One session, one
//! thread, orders that rest. Not inside: logging on, and a first second that warms.

mod fire;
mod machine;
mod report;
mod shape;
pub(crate) mod verify;

use crate::bench::journal::Scratch;
use crate::bench::member::{Member, Own};
use crate::out;
use anyhow::{Context as _, Result, bail, ensure};
use fire::Fired;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;
use machine::Machine;
use serde::{Deserialize, Serialize};
use shape::Shape;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Orders that all runs of one call may hold: each is a moment in memory.
const ORDERS_MAX: u64 = 20_000_000;
/// The percentiles that are printed.
const PERCENTILES: [f64; 7] = [50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 100.0];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    run: Run,
    /// The OUCH door of a running exchange; without it one of its own is opened in this process
    #[arg(long, value_name = "HOST:PORT", requires = "user", requires = "password", value_parser = crate::choices::address)]
    ouch: Option<SocketAddr>,
    /// The session's user name there
    #[arg(long)]
    user: Option<String>,
    /// Its password
    #[arg(long)]
    password: Option<String>,
    /// What to trade there
    #[arg(long, default_value = "ACME")]
    symbol: String,
    /// Where the own exchange's journal lies [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Write a report: one HTML file with the plots and everything to run it again
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the corrected latencies as an HdrHistogram interval log (V2, compressed)
    #[arg(long, value_name = "FILE")]
    hdr: Option<PathBuf>,
    /// Fail where the corrected median is above so many microseconds
    #[arg(long, value_name = "US")]
    max_p50_us: Option<f64>,
    /// Fail where the corrected 99th percentile is above so many microseconds
    #[arg(long, value_name = "US")]
    max_p99_us: Option<f64>,
    /// Fail where the corrected 99.9th percentile is above so many microseconds
    #[arg(long, value_name = "US")]
    max_p999_us: Option<f64>,
    /// Print one JSON object a rate
    #[arg(long)]
    json: bool,
}

/// What is run: in the report, so that it can be run again.
#[derive(Clone, Debug, PartialEq, clap::Args, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Orders a second; several, one run after the other, show latency against load
    #[arg(long, value_name = "N,N..", value_delimiter = ',', default_values_t = [5_000])]
    rate: Vec<u64>,
    /// Seconds at each rate
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// When orders come: constant, poisson, or burst:N (so many at one moment)
    #[arg(long, default_value = "constant")]
    shape: Shape,
    /// The moments are a function of this
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Of the own exchange: what makes an event safe to release
    #[arg(long, default_value = "memory", value_parser = crate::choices::DURABILITIES)]
    durability: String,
    /// Of the own exchange: how stages are laid onto threads
    #[arg(long, default_value = "auto", value_parser = crate::choices::LAYOUTS)]
    layout: String,
    /// Of the own exchange: what an idle thread does
    #[arg(long, default_value = "yield", value_parser = crate::choices::IDLES)]
    idle: String,
}

/// Percentiles in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    p999_us: f64,
    p9999_us: f64,
    p99999_us: f64,
    max_us: f64,
}

/// What one rate came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    rate: u64,
    orders: u64,
    /// Orders a second that were really acknowledged.
    achieved: u64,
    corrected: Table,
    uncorrected: Table,
    /// The furthest that the sender was behind its own plan.
    late_max_us: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    args.run.check()?;
    let target = match &args.ouch {
        Some(door) => Target::There {
            door: *door,
            user: args.user.clone().context("--ouch needs --user")?,
            password: args.password.clone().context("--ouch needs --password")?,
            symbol: args.symbol.clone(),
        },
        None => Target::Own(args.dir.clone()),
    };
    let fired = target.fire(&args.run, args.json)?;
    let outcomes: Vec<Outcome> = fired.iter().map(Outcome::of).collect();
    for outcome in &outcomes {
        if args.json {
            out::json_line(outcome);
        } else {
            outcome.say();
        }
    }
    if let Some(path) = &args.hdr {
        write_log(path, &fired).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &args.report {
        let page = report::page(&args.run, args.ouch.is_none(), &Machine::here(), &fired, &outcomes)?;
        std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    args.judge(&outcomes)
}

impl Args {
    /// The thresholds.
    fn judge(&self, outcomes: &[Outcome]) -> Result<()> {
        for outcome in outcomes {
            let Table {
                p50_us,
                p99_us,
                p999_us,
                ..
            } = outcome.corrected;
            for (name, found, most) in [
                ("p50", p50_us, self.max_p50_us),
                ("p99", p99_us, self.max_p99_us),
                ("p99.9", p999_us, self.max_p999_us),
            ] {
                if let Some(most) = most.filter(|most| found > *most) {
                    bail!(
                        "{name} at {} orders a second is {found} µs, over the threshold of {most} µs",
                        outcome.rate
                    );
                }
            }
        }
        Ok(())
    }
}

impl Run {
    fn check(&self) -> Result<()> {
        ensure!(
            self.rate.iter().all(|rate| (1..=1_000_000).contains(rate)),
            "--rate: give 1 to 1,000,000 orders a second"
        );
        let orders: u64 = self.rate.iter().map(|rate| rate * (self.seconds + 1)).sum();
        ensure!(
            orders <= ORDERS_MAX,
            "{orders} orders are over ORDERS_MAX ({ORDERS_MAX}): give a lower rate or fewer seconds"
        );
        Ok(())
    }
}

/// Where the load goes.
enum Target {
    There {
        door: SocketAddr,
        user: String,
        password: String,
        symbol: String,
    },
    Own(Option<PathBuf>),
}

impl Target {
    fn fire(&self, run: &Run, quiet: bool) -> Result<Vec<Fired>> {
        let all = |member: &mut Member| {
            let bar = out::progress(run.rate.len() as u64, "rates", quiet);
            let fired = run.rate.iter().map(|rate| {
                let plan = run.shape.moments(*rate, Duration::from_secs(run.seconds), run.seed);
                let fired = fire::fire(member, *rate, &plan);
                bar.inc(1);
                fired
            });
            fired.collect::<Result<Vec<_>>>()
        };
        match self {
            Self::There {
                door,
                user,
                password,
                symbol,
            } => all(&mut Member::log_on(*door, user, password, symbol)?),
            Self::Own(dir) => {
                let folder = Scratch::new(&dir.clone().unwrap_or_else(std::env::temp_dir))?;
                let own = Own {
                    durability: run.durability.clone(),
                    layout: run.layout.clone(),
                    idle: run.idle.clone(),
                };
                own.with(&folder.0, |door| all(&mut Member::log_on_own(door)?))
            }
        }
    }
}

impl Outcome {
    fn of(fired: &Fired) -> Self {
        Self {
            rate: fired.rate,
            orders: fired.corrected.len(),
            achieved: fired.achieved,
            corrected: Table::of(&fired.corrected),
            uncorrected: Table::of(&fired.uncorrected),
            late_max_us: micros(fired.late_max_ns),
        }
    }

    fn say(&self) {
        out::say(format_args!(
            "{} orders a second wanted, {} acknowledged; {} orders",
            self.rate, self.achieved, self.orders
        ));
        out::say(format_args!("  percentile   corrected µs   uncorrected µs"));
        for ((percentile, one), other) in PERCENTILES.iter().zip(self.corrected.all()).zip(self.uncorrected.all()) {
            out::say(format_args!("  {percentile:<10}   {one:>12}   {other:>14}"));
        }
    }
}

impl Table {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |percentile| micros(histogram.value_at_percentile(percentile));
        Self {
            p50_us: at(50.0),
            p90_us: at(90.0),
            p99_us: at(99.0),
            p999_us: at(99.9),
            p9999_us: at(99.99),
            p99999_us: at(99.999),
            max_us: micros(histogram.max()),
        }
    }

    /// In the order of [`PERCENTILES`].
    const fn all(&self) -> [f64; 7] {
        [
            self.p50_us,
            self.p90_us,
            self.p99_us,
            self.p999_us,
            self.p9999_us,
            self.p99999_us,
            self.max_us,
        ]
    }
}

/// Nanoseconds as microseconds with one digit: the histogram keeps three.
fn micros(ns: u64) -> f64 {
    (ns as f64 / 100.0).round() / 10.0
}

fn write_log(path: &Path, fired: &[Fired]) -> Result<()> {
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("rialto load: corrected latency, nanoseconds")
        .begin_log_with(&mut bytes, &mut serializer)?;
    let mut begun = Duration::ZERO;
    for fired in fired {
        for interval in &fired.intervals {
            let tag = hdrhistogram::serialization::interval_log::Tag::new("corrected");
            log.write_histogram(&interval.histogram, begun + interval.begins, fire::INTERVAL, tag)
                .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        }
        begun += fired.lasted;
    }
    drop(log);
    std::fs::write(path, bytes)?;
    Ok(())
}
