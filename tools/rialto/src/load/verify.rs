//! `rialto bench verify`: runs again what a report says was run, and says whether it came out the same.

use super::machine::Machine;
use super::report::{self, Kept};
use super::{Outcome, Target};
use crate::out;
use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A report of `rialto load --report`, of an exchange of its own
    report: PathBuf,
    /// How many times as much, or as little, is still the same
    #[arg(long, value_name = "TIMES", default_value_t = 1.5)]
    within: f64,
    /// Where the exchange's journal lies [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print one JSON object a rate
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Compared {
    rate: u64,
    same: bool,
    p50_us: f64,
    p50_us_before: f64,
    p99_us: f64,
    p99_us_before: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(args.within >= 1.0, "--within: give at least 1");
    let page =
        std::fs::read_to_string(&args.report).with_context(|| format!("cannot read {}", args.report.display()))?;
    let kept = report::read(&page).with_context(|| format!("in {}", args.report.display()))?;
    let Kept {
        run,
        own,
        machine,
        outcomes,
        ..
    } = &kept;
    ensure!(
        *own,
        "it is of an exchange that ran elsewhere: only one of its own can be run again"
    );
    run.check()?;
    let here = Machine::here();
    if here != *machine {
        out::complain(format_args!("another machine or build: then {machine:?}, now {here:?}"));
    }
    let fired = Target::Own(args.dir.clone()).fire(run, args.json)?;
    let mut different = Vec::new();
    for (now, before) in fired.iter().map(Outcome::of).zip(outcomes) {
        let near = |a: f64, b: f64| a.max(0.1) / b.max(0.1) <= args.within && b.max(0.1) / a.max(0.1) <= args.within;
        let compared = Compared {
            rate: now.rate,
            same: near(now.corrected.p50_us, before.corrected.p50_us)
                && near(now.corrected.p99_us, before.corrected.p99_us),
            p50_us: now.corrected.p50_us,
            p50_us_before: before.corrected.p50_us,
            p99_us: now.corrected.p99_us,
            p99_us_before: before.corrected.p99_us,
        };
        if !compared.same {
            different.push(now.rate.to_string());
        }
        if args.json {
            out::json_line(&compared);
        } else {
            let verdict = if compared.same { "same" } else { "different" };
            out::say(format_args!(
                "{} orders a second: {verdict}; p50 {} µs (was {}), p99 {} µs (was {})",
                compared.rate, compared.p50_us, compared.p50_us_before, compared.p99_us, compared.p99_us_before
            ));
        }
    }
    if different.is_empty() {
        return Ok(());
    }
    bail!("different at {} orders a second", different.join(", "))
}
