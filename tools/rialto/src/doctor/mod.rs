//! `rialto doctor`: what this machine lacks for low latency, and how to mend it.
//!
//! It changes nothing. Facts are read in one place ([`facts`]) and judged in another ([`judge`]), which is pure.

mod facts;
mod judge;

use crate::out::{self, Colour};
use anyhow::Result;
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    /// What to do about it; none where nothing is to be done.
    mend: Option<String>,
}

/// The object that `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    warnings: usize,
    checks: Vec<Check>,
}

/// Warnings are findings, not failures: the exit code says only whether the machine could be looked at.
pub(crate) fn run(args: Args) -> Result<()> {
    let checks = judge::judge(&facts::Facts::read());
    let warnings = checks.iter().filter(|check| check.state == State::Warn).count();
    let report = Report { warnings, checks };
    if args.json {
        out::json_line(&report);
        return Ok(());
    }
    for check in &report.checks {
        let state = match check.state {
            State::Ok => out::coloured(Colour::Green, "ok  "),
            State::Warn => out::coloured(Colour::Yellow, "warn"),
        };
        out::say(format_args!("{state}  {:<18}  {}", check.name, check.found));
        if let Some(mend) = &check.mend {
            out::say(format_args!("{:24}  {mend}", ""));
        }
    }
    Ok(())
}
