//! `rialto simulate`: the exchange's own stages on one thread from a seed, on a disk and a clock that misbehave.

use crate::out;
use anyhow::{Result, bail, ensure};
use rialto_simulator::{RarePath, RarePaths, Violation, Wiring};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// Failures that are made small; the seeds of all are printed.
const SHRUNK_MAX: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    seeds: u64,
    /// The first seed, or with nothing else the only one
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Threads to run on; what a seed comes to does not depend on it
    #[arg(long, default_value_t = 1)]
    jobs: u64,
    /// How the stages are wired: production, or broken on purpose (release-before-durable, lying-sync, recovery-forgets-last)
    #[arg(long, default_value = "production", value_name = "NAME")]
    wiring: Wiring,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    seeds: u64,
    first_seed: u64,
    failed: usize,
    failed_seeds: Vec<u64>,
    failures: Vec<Failure>,
    rare_paths: BTreeMap<&'static str, u64>,
    rare_paths_missed: Vec<&'static str>,
    seconds: f64,
    seeds_per_second: f64,
}

/// A failure, made small.
#[derive(Debug, Serialize)]
struct Failure {
    seed: u64,
    rule: &'static str,
    what: String,
    steps: Vec<String>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    ensure!(args.jobs > 0, "--jobs is 0: give at least 1");
    let alone = args.seed.is_some() && !std::env::args().any(|given| given.starts_with("--seeds"));
    let seeds = if alone { 1 } else { args.seeds };
    let first = args.seed.unwrap_or(1);
    let bar = out::progress(seeds, "seeds", args.json);
    let begun = Instant::now();
    let (rare, failed) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..args.jobs)
            .map(|job| {
                let bar = bar.clone();
                scope.spawn(move || {
                    let mine = (first..first.saturating_add(seeds)).skip(job as usize);
                    some_seeds(mine.step_by(args.jobs as usize), args.wiring, || bar.inc(1))
                })
            })
            .collect();
        let mut all = (RarePaths::default(), Vec::new());
        for thread in threads {
            let (rare, failed) = thread.join().expect("a run that panics has printed why");
            all.0.add(&rare);
            all.1.extend(failed);
        }
        all
    });
    let seconds = begun.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let mut failed_seeds = failed;
    failed_seeds.sort_unstable();
    let summary = Summary {
        seeds,
        first_seed: first,
        failed: failed_seeds.len(),
        failures: smallest(&failed_seeds, args.wiring),
        failed_seeds,
        rare_paths: RarePath::ALL
            .iter()
            .map(|path| (path.name(), rare.count(*path)))
            .collect(),
        rare_paths_missed: rare.missed().map(RarePath::name).collect(),
        seconds,
        seeds_per_second: seeds as f64 / seconds.max(f64::MIN_POSITIVE),
    };
    print(&summary, args.json);
    if summary.failed > 0 {
        bail!("{} of {seeds} seeds failed: run one with --seed S", summary.failed);
    }
    Ok(())
}

fn some_seeds(seeds: impl Iterator<Item = u64>, wiring: Wiring, done: impl Fn()) -> (RarePaths, Vec<u64>) {
    let mut rare = RarePaths::default();
    let mut failed = Vec::new();
    for seed in seeds {
        let report = rialto_simulator::simulate(seed, wiring);
        rare.add(&report.rare);
        if report.failure.is_some() {
            failed.push(seed);
        }
        done();
    }
    (rare, failed)
}

fn smallest(failed: &[u64], wiring: Wiring) -> Vec<Failure> {
    let some = failed.iter().take(SHRUNK_MAX);
    some.filter_map(|seed| {
        let (plan, Violation { rule, what }) = rialto_simulator::shrink(*seed, wiring)?;
        Some(Failure {
            seed: *seed,
            rule,
            what,
            steps: plan.steps.iter().map(|step| format!("{step:?}")).collect(),
        })
    })
    .collect()
}

fn print(summary: &Summary, json: bool) {
    if json {
        out::json_line(summary);
        return;
    }
    for failure in &summary.failures {
        out::say(format_args!(
            "seed {} breaks the rule {:?} in {} steps: {}",
            failure.seed,
            failure.rule,
            failure.steps.len(),
            failure.what
        ));
        for step in &failure.steps {
            out::say(format_args!("    {step}"));
        }
    }
    for (path, count) in &summary.rare_paths {
        out::say(format_args!("{count:>9} {path}"));
    }
    out::say(format_args!(
        "{} seeds, {} failed, {:.1} s, {:.0} seeds a second",
        summary.seeds, summary.failed, summary.seconds, summary.seeds_per_second
    ));
}
