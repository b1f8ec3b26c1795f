//! Counts: allocations and instructions for each command, by a program of its own.
//!
//! `rialto-counts` stands beside `rialto` and carries the allocator that counts, so that the exchange does not. It runs the
//! same flow: as it is, for the allocations, and under callgrind, twice, for the instructions. What cannot be counted here
//! is none, and stderr says why.

use super::timing::rounded;
use crate::{callgrind, out};
use anyhow::{Context as _, Result, ensure};
use rialto_flow::Shape;
use rialto_model::EventHash;
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = "rialto-counts";
/// Commands whose instructions are counted, between the same number to warm and the end. Few: under callgrind everything
/// takes some fifty times as long.
const COUNTED_OPS: usize = 50_000;
/// The function whose instructions count, calls included.
const COUNTED_FUNCTION: &str = "rialto_flow::lane::Lane::apply*";

/// What there is of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) allocs_per_op: Option<f64>,
    pub(super) instructions_per_op: Option<f64>,
}

/// What the program prints.
#[derive(Debug, Deserialize)]
struct Counted {
    allocations: u64,
    event_hash: String,
}

/// Counts over a flow of `2 * ops` commands, and the first `ops` of them warm.
pub(super) fn count(shape: Shape, ops: usize, seed: u64, event_hash: EventHash) -> Result<Counts> {
    let program = std::env::current_exe()?.with_file_name(PROGRAM);
    if !program.is_file() {
        out::complain(format_args!(
            "rialto: nothing can be counted: {} is absent; build the whole package (cargo build --release --package rialto)",
            program.display()
        ));
        return Ok(Counts::default());
    }
    let output = run(Command::new(&program).args(arguments(shape, seed, 2 * ops, 2 * ops)))?;
    let counted: Counted = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{PROGRAM} is of another build: build the whole package again"))?;
    ensure!(
        counted.event_hash == event_hash.to_string(),
        "{PROGRAM} made other events of the same flow ({} instead of {event_hash}): it is of another build, so build the whole package again",
        counted.event_hash
    );
    Ok(Counts {
        allocs_per_op: Some(rounded(counted.allocations as f64 / ops as f64)),
        instructions_per_op: instructions(&program, shape, seed)?,
    })
}

/// The difference of two runs of the same flow, one of which stops half way.
fn instructions(program: &Path, shape: Shape, seed: u64) -> Result<Option<f64>> {
    let Some(valgrind) = callgrind::valgrind() else {
        out::complain(format_args!(
            "rialto: no valgrind, so instructions are not counted; apt-get install valgrind"
        ));
        return Ok(None);
    };
    let collected = |run_ops| collect(&valgrind, program, shape, seed, run_ops);
    let (half, whole) = std::thread::scope(|scope| {
        let half = scope.spawn(|| collected(COUNTED_OPS));
        (collected(2 * COUNTED_OPS), half.join())
    });
    let (half, whole) = (half?, whole.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
    ensure!(
        whole != half,
        "callgrind did not see {COUNTED_FUNCTION}: the release build must keep its symbols"
    );
    Ok(Some(rounded(whole.abs_diff(half) as f64 / COUNTED_OPS as f64)))
}

/// Instructions in the counted function over a run of `run_ops` commands.
fn collect(valgrind: &Path, program: &Path, shape: Shape, seed: u64, run_ops: usize) -> Result<u64> {
    let mut command = callgrind::command(valgrind, COUNTED_FUNCTION, program);
    let output = run(command.args(arguments(shape, seed, 2 * COUNTED_OPS, run_ops)))?;
    callgrind::collected(&output.stderr)
}

fn arguments(shape: Shape, seed: u64, flow_ops: usize, run_ops: usize) -> [String; 4] {
    [
        shape.to_string(),
        seed.to_string(),
        flow_ops.to_string(),
        run_ops.to_string(),
    ]
}

/// Runs to the end, in an empty environment: its size moves the stack and with it what is counted.
fn run(command: &mut Command) -> Result<Output> {
    let output = command
        .env_clear()
        .output()
        .with_context(|| format!("{command:?} does not start"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed, {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output)
}
