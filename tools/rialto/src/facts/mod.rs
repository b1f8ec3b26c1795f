//! `rialto facts`: what kind of market a journal holds, beside what is known of real ones.
//!
//! The stylised facts are those of Cont (2001, "Empirical properties of asset returns"), Engle and Russell (1998, waiting
//! times), Lillo and Farmer (2004, "The long memory of the efficient market") and Bouchaud, Farmer and Lillo (2009, depth and
//! order flow). A number that a short or quiet journal does not give is none, never zero.

mod gather;
mod measure;
mod page;

use crate::out;
use crate::replay::open;
use crate::up::scenario::{Range, Scenario};
use anyhow::{Context as _, Result, bail, ensure};
use gather::{Gathering, POINTS_MAX, Seen};
use measure::{autocorrelation, excess_kurtosis, mean, quantile, variation};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Lags over which the memory of the size of returns is averaged.
const LAGS: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data folder of an exchange, or its journal folder
    #[arg(required_unless_present = "scenario")]
    data: Option<PathBuf>,
    /// Instead of a journal a rehearsal of this scenario of `rialto up`, on virtual time
    #[arg(long, value_name = "NAME", conflicts_with = "data", value_parser = crate::choices::Scenarios { days: false })]
    scenario: Option<String>,
    /// What the rehearsed agents do is a function of this
    #[arg(long, value_name = "S", default_value_t = 1, requires = "scenario")]
    seed: u64,
    /// Seconds of the rehearsal
    #[arg(long, value_name = "N", default_value_t = 600, requires = "scenario", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Look at the books every so many milliseconds of the stream's own time
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    every: u64,
    /// Write a report with plots: one HTML file without anything from elsewhere
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print one JSON object an instrument
    #[arg(long)]
    json: bool,
}

/// What was measured of one instrument.
#[derive(Clone, Debug, Serialize)]
struct Facts {
    symbol: String,
    orders: u64,
    changes: u64,
    cancels: u64,
    trades: u64,
    volume: u64,
    /// Moments at which both sides of the book had orders.
    moments: usize,
    /// Some series has more points than are kept: what is told is of the first of them.
    cut: bool,
    /// In the currency.
    spread_mean: Option<f64>,
    spread_median: Option<f64>,
    /// Of the middle, in hundredths of a per cent.
    spread_bps: Option<f64>,
    /// Shares at the best price of a side.
    depth_best: Option<f64>,
    /// Orders, changes and cancels for each trade.
    order_to_trade: Option<f64>,
    wait_mean_ms: Option<f64>,
    /// 1: a Poisson process; real markets are above, for messages come in clusters.
    wait_variation: Option<f64>,
    /// Of returns between two moments; real markets are above 0 (heavy tails).
    return_kurtosis: Option<f64>,
    /// Real markets are near 0, or below it at short times (bid-ask bounce).
    return_memory: Option<f64>,
    /// Of their size, averaged over ten lags; real markets are above 0 (volatility clusters).
    size_memory: Option<f64>,
    /// Of the sides of takers; real markets are above 0 (orders are split).
    sign_memory: Option<f64>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let bar = out::progress(0, "commands", args.json);
    let mut gathering = Gathering::new(args.every * 1_000_000);
    let mut commands = 0u64;
    let mut take = |command: &_| {
        gathering.take(command);
        commands += 1;
        if commands.is_multiple_of(65_536) {
            bar.set_position(commands);
        }
    };
    let scenario = args.scenario.as_deref().map(Scenario::of).transpose()?;
    match (scenario, &args.data) {
        (Some(scenario), _) => {
            scenario.rehearse(args.seed, 1.0, args.seconds * 1_000, &mut |command, _| take(command))?;
        }
        (None, Some(data)) => {
            for command in open(data)? {
                take(&command?);
            }
        }
        (None, None) => bail!("give a data folder, or a scenario with --scenario"),
    }
    bar.finish_and_clear();
    let seen: Vec<Seen> = gathering.finish();
    ensure!(
        !seen.is_empty(),
        "no order has come to any instrument of this journal: let it trade first"
    );
    let facts: Vec<Facts> = seen.iter().map(Facts::of).collect();
    let stated = scenario.map_or(&[][..], |scenario| scenario.facts);
    let what = match (scenario, &args.data) {
        (Some(scenario), _) => format!(
            "Scenario {}, seed {}, {} s rehearsed on virtual time",
            scenario.name, args.seed, args.seconds
        ),
        (None, data) => format!("The journal of {}", data.as_deref().unwrap_or(Path::new("-")).display()),
    };
    let what = format!("{what}; the books seen every {} ms of its own time.", args.every);
    if args.json {
        facts.iter().for_each(out::json_line);
    } else {
        out::say(format_args!("{what}\n\n{}", table(&facts, stated)));
    }
    if let Some(path) = &args.html {
        let page = page::page(&what, &facts, &seen, stated)?;
        std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
        if !args.json {
            out::say(format_args!("\nwith plots: {}", path.display()));
        }
    }
    Ok(())
}

/// A measure as people are told of it.
struct Measure {
    /// Its name as JSON has it.
    key: &'static str,
    name: &'static str,
    real: &'static str,
    of: fn(&Facts) -> Option<f64>,
}

impl Measure {
    /// What a scenario says of it, if anything.
    fn stated(&self, stated: &[Range]) -> String {
        let range = stated.iter().find(|range| range.measure == self.key);
        range.map_or_else(String::new, |range| format!("{} to {}", range.low, range.high))
    }
}

const fn measure(key: &'static str, name: &'static str, real: &'static str, of: fn(&Facts) -> Option<f64>) -> Measure {
    Measure { key, name, real, of }
}

/// All of them, with what is known of real markets.
const MEASURES: [Measure; 10] = [
    measure("spread_mean", "spread, mean", "one to a few ticks", |one| {
        one.spread_mean
    }),
    measure(
        "spread_bps",
        "spread, basis points",
        "1 to 10 for large shares",
        |one| one.spread_bps,
    ),
    measure(
        "depth_best",
        "shares at the best price",
        "more where the tick is large (Bouchaud, Farmer, Lillo 2009)",
        |one| one.depth_best,
    ),
    measure("order_to_trade", "order-to-trade ratio", "10 to 100", |one| {
        one.order_to_trade
    }),
    measure(
        "wait_mean_ms",
        "time between messages, mean, ms",
        "well below a second for large shares",
        |one| one.wait_mean_ms,
    ),
    measure(
        "wait_variation",
        "time between messages, std dev / mean",
        "above 1: clusters (Engle, Russell 1998)",
        |one| one.wait_variation,
    ),
    measure(
        "return_kurtosis",
        "returns, excess kurtosis",
        "above 0: heavy tails (Cont 2001)",
        |one| one.return_kurtosis,
    ),
    measure(
        "return_memory",
        "returns, autocorrelation at lag 1",
        "near 0 or below (Cont 2001)",
        |one| one.return_memory,
    ),
    measure(
        "size_memory",
        "absolute returns, autocorrelation, lags 1-10",
        "above 0: volatility clusters (Cont 2001)",
        |one| one.size_memory,
    ),
    measure(
        "sign_memory",
        "trade signs, autocorrelation at lag 1",
        "above 0: split orders (Lillo, Farmer 2004)",
        |one| one.sign_memory,
    ),
];

/// A number to three digits or so, or that there is none.
fn told(value: Option<f64>) -> String {
    let digits = |value: f64| match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    value.map_or_else(|| "-".to_owned(), digits)
}

/// The instruments side by side, for people.
fn table(facts: &[Facts], stated: &[Range]) -> String {
    type Count = fn(&Facts) -> u64;
    let counts: [(&str, Count); 5] = [
        ("orders", |one| one.orders),
        ("changes", |one| one.changes),
        ("cancels", |one| one.cancels),
        ("trades", |one| one.trades),
        ("shares traded", |one| one.volume),
    ];
    let said = |text: String| {
        if stated.is_empty() {
            String::new()
        } else {
            format!("  {text:<17}")
        }
    };
    let mut lines = Vec::new();
    let mut line = |name: &str, cells: Vec<String>, scenario: String, real: &str| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>11}")).collect();
        lines.push(
            format!("{name:<45}{cells}{}  {real}", said(scenario))
                .trim_end()
                .to_owned(),
        );
    };
    let symbols = facts.iter().map(|one| one.symbol.clone()).collect();
    line("", symbols, "the scenario says".to_owned(), "in real markets");
    for (name, count) in counts {
        let cells = facts.iter().map(|one| count(one).to_string()).collect();
        line(name, cells, String::new(), "");
    }
    for measure in MEASURES {
        let cells = facts.iter().map(|one| told((measure.of)(one))).collect();
        line(measure.name, cells, measure.stated(stated), measure.real);
    }
    if facts.iter().any(|one| one.cut) {
        lines.push("Some series is longer than what is kept: what is told is of its first points.".to_owned());
    }
    lines.join("\n")
}

impl Facts {
    fn of(seen: &Seen) -> Self {
        let currency = |units: Option<f64>| units.map(|units| rounded(units / 10_000.0));
        let spreads: Vec<f64> = seen.moments.iter().map(|one| one.spread).collect();
        let relative: Vec<f64> = seen
            .moments
            .iter()
            .map(|one| 10_000.0 * one.spread / one.middle)
            .collect();
        let depths: Vec<f64> = seen.moments.iter().map(|one| one.depth).collect();
        let returns = returns(seen);
        let sizes: Vec<f64> = returns.iter().map(|one| one.abs()).collect();
        let memories: Option<Vec<f64>> = (1..=LAGS).map(|lag| autocorrelation(&sizes, lag)).collect();
        let told = |value: Option<f64>| value.map(rounded);
        Self {
            symbol: seen.symbol.clone(),
            orders: seen.orders,
            changes: seen.changes,
            cancels: seen.cancels,
            trades: seen.trades,
            volume: seen.volume,
            moments: seen.moments.len(),
            cut: [seen.moments.len(), seen.waits.len(), seen.signs.len()].contains(&POINTS_MAX),
            spread_mean: currency(mean(&spreads)),
            spread_median: currency(quantile(&spreads, 0.5)),
            spread_bps: told(mean(&relative)),
            depth_best: told(mean(&depths)),
            order_to_trade: (seen.trades > 0)
                .then(|| rounded((seen.orders + seen.changes + seen.cancels) as f64 / seen.trades as f64)),
            wait_mean_ms: told(mean(&seen.waits).map(|seconds| seconds * 1e3)),
            wait_variation: told(variation(&seen.waits)),
            return_kurtosis: told(excess_kurtosis(&returns)),
            return_memory: told(autocorrelation(&returns, 1)),
            size_memory: told(memories.and_then(|memories| mean(&memories))),
            sign_memory: told(autocorrelation(&seen.signs, 1)),
        }
    }
}

/// Logarithmic returns of the middle between two moments that follow each other.
fn returns(seen: &Seen) -> Vec<f64> {
    let pairs = seen.moments.windows(2).filter(|pair| pair[1].follows);
    pairs.map(|pair| (pair[1].middle / pair[0].middle).ln()).collect()
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_flow::{Flow, Shape};

    #[test]
    fn a_random_walk_of_orders_is_measured() {
        let flow = Flow::new(Shape::Base, 20_000, 1);
        let mut gathering = Gathering::new(50_000);
        for command in flow.prelude.iter().chain(&flow.commands) {
            gathering.take(command);
        }
        let seen = gathering.finish();
        let facts = Facts::of(&seen[0]);
        assert!(facts.trades > 500 && facts.moments > 100, "{facts:?}");
        assert!(facts.spread_mean.is_some_and(|spread| spread > 0.0));
        assert!(facts.order_to_trade.is_some_and(|ratio| ratio > 5.0), "{facts:?}");
        // The walk moves by whole ticks, and the middle bounces between two sides.
        assert!(facts.return_kurtosis.is_some_and(|tails| tails > 0.0), "{facts:?}");
        assert!(facts.return_memory.is_some_and(|memory| memory < 0.0), "{facts:?}");
        assert!(facts.sign_memory.is_some_and(|memory| memory.abs() < 0.5), "{facts:?}");
        assert!(!facts.cut);
        let facts = [facts];
        let page = page::page("a walk", &facts, &seen, &[]).unwrap();
        assert!(page.matches("<svg").count() >= 4);
        let lines = table(&facts, &[]);
        assert_eq!(lines.lines().count(), 1 + 5 + MEASURES.len(), "{lines}");
    }

    /// The mean of a measure over instruments.
    fn mean_of(all: &[Facts], measure: &str) -> f64 {
        let told = all.iter().map(|one| {
            serde_json::to_value(one).unwrap()[measure]
                .as_f64()
                .expect("it is measured")
        });
        mean(&told.collect::<Vec<f64>>()).expect("there are instruments")
    }

    /// With seeds that nothing was tuned on, too.
    #[test]
    fn scenarios_have_the_facts_that_they_state() {
        for scenario in crate::up::scenario::SCENARIOS {
            if scenario.facts.is_empty() {
                continue;
            }
            for seed in [1, 2_026, 77] {
                let mut gathering = Gathering::new(1_000_000_000);
                let mut show = |command: &_, _: &[_]| gathering.take(command);
                scenario.rehearse(seed, 1.0, 120_000, &mut show).unwrap();
                let all: Vec<Facts> = gathering.finish().iter().map(Facts::of).collect();
                assert_eq!(all.len(), 3);
                for range in scenario.facts {
                    let found = mean_of(&all, range.measure);
                    assert!(
                        (range.low..=range.high).contains(&found),
                        "{}, seed {seed}: {found}, not {range:?}: {all:#?}",
                        scenario.name
                    );
                }
            }
        }
    }

    #[test]
    fn liquidity_is_one_knob() {
        let measured = [0.25, 1.0, 4.0].map(|liquidity| {
            let mut gathering = Gathering::new(1_000_000_000);
            let mut show = |command: &_, _: &[_]| gathering.take(command);
            let quiet = Scenario::of("quiet").unwrap();
            quiet.rehearse(1, liquidity, 40_000, &mut show).unwrap();
            let all: Vec<Facts> = gathering.finish().iter().map(Facts::of).collect();
            (mean_of(&all, "depth_best"), mean_of(&all, "spread_mean"))
        });
        assert!(
            measured
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 >= pair[1].1),
            "{measured:?}"
        );
    }
}
