//! The instructions of both builds over the same commands, where valgrind is at hand.
//!
//! Counted before the first step, in two more processes beside the path: what a candidate does more of is found out by one
//! count, on a busy machine too. What it does more slowly is not, which is why thread CPU is judged all the same. A count that
//! does not come about is no verdict: the report says why.

use super::children::{Pair, spawn_from};
use super::judge::RATIO_MAX;
use crate::callgrind;
use crate::engine::count::{Counted, FUNCTION};
use anyhow::{Context as _, Result, ensure};
use rialto_ring::layout::behind_the_path;
use serde::Serialize;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// How many commands that are still to come are counted too, so that there are some.
const AHEAD: u64 = 2_048;
/// How long both may take.
pub(super) const COUNT_MAX: Duration = Duration::from_secs(30);
/// What both builds need for the same commands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Instructions {
    commands: usize,
    candidate: u64,
    baseline: u64,
    pub(super) ratio: f64,
}

impl Instructions {
    pub(super) fn is_dear(&self) -> bool {
        self.ratio > RATIO_MAX
    }
}

/// Two processes that count. They end with it.
#[derive(Debug)]
pub(super) struct Counting([Child; 2]);

impl Counting {
    /// Starts them, where the exchange is at `frontier`; `None` without valgrind.
    pub(super) fn start(pair: &Pair, frontier: u64) -> Option<Result<Self>> {
        let valgrind = callgrind::valgrind()?;
        let start = |build: &Path, args: &[String]| {
            let mut command = callgrind::command(&valgrind, FUNCTION, build);
            command
                .arg("engine")
                .args(pair.at())
                .args(["--count-to", &(frontier + AHEAD).to_string()])
                .args(args)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            spawn_from(behind_the_path, &mut command)
        };
        let both = || {
            // By its name: what /proc/self/exe is under valgrind is valgrind.
            let own = std::env::current_exe()?;
            let mut candidate = start(&pair.build, &pair.args)?;
            match start(&own, &[]) {
                Ok(baseline) => Ok(Self([candidate, baseline])),
                Err(error) => {
                    end(&mut candidate);
                    Err(error)
                }
            }
        };
        Some(both())
    }

    /// What they have counted, once both have ended.
    pub(super) fn result(&mut self) -> Option<Result<Instructions>> {
        let is_there = |child: &mut Child| matches!(child.try_wait(), Ok(None));
        if self.0.iter_mut().any(is_there) {
            return None;
        }
        let [candidate, baseline] = &mut self.0;
        let mut both = || {
            let (new, candidate) = counted(candidate).context("the candidate")?;
            let (old, baseline) = counted(baseline).context("the old build")?;
            ensure!(
                new == old,
                "a snapshot came between: one counted behind {}, the other behind {}",
                new.after,
                old.after
            );
            ensure!(candidate > 0 && baseline > 0, "a build has no symbols to count by");
            Ok(Instructions {
                commands: new.commands,
                candidate,
                baseline,
                ratio: candidate as f64 / baseline as f64,
            })
        };
        Some(both())
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(end);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// What one that has ended says, and what callgrind says of it. Both are some lines, which a pipe holds.
fn counted(child: &mut Child) -> Result<(Counted, u64)> {
    let status = child.wait()?;
    let mut said = [Vec::new(), Vec::new()];
    let [stdout, stderr] = &mut said;
    if let Some(pipe) = &mut child.stdout {
        std::io::Read::read_to_end(pipe, stdout)?;
    }
    if let Some(pipe) = &mut child.stderr {
        std::io::Read::read_to_end(pipe, stderr)?;
    }
    ensure!(status.success(), "{status}: {}", String::from_utf8_lossy(stderr));
    let what =
        serde_json::from_slice(stdout).context("it does not say what it counted: it is of a build that cannot")?;
    Ok((what, callgrind::collected(stderr)?))
}
