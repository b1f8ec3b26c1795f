//! Exact counts. For `rialto bench engine`: what the engine allocates over a flow, and, run under callgrind, its instructions.
//!
//! ```text
//! rialto-counts base|deep|multi SEED FLOW_OPS RUN_OPS
//! rialto-counts pipeline memory|disk BATCH SEED OPS FOLDER [off|flags|shadow|routed|limits|stages]
//! ```
//! Makes a flow of `FLOW_OPS` commands, runs the first `RUN_OPS` of them, and counts over the second half of those: the
//! first half warms. The pipeline is the sequencer, its journal in an empty folder, engine, gate, hash and feed on one thread.
//! A program of its own, so that no user of the exchange pays for an allocator that counts.

mod pipeline;

use anyhow::{Context as _, Result, ensure};
use rialto_flow::{Flow, Lane, Shape};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Allocations and reallocations by any thread.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: every call goes to the system allocator with the arguments it came with and returns what that returned; the
// count is an atomic of its own, which allocates nothing and cannot unwind.
#[allow(unsafe_code, reason = "allocations can be counted in no other way")]
unsafe impl GlobalAlloc for Counting {
    // SAFETY: the contract is the system allocator's own, and its answer is returned as it came.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: the contract is the system allocator's own, and its answer is returned as it came.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    // SAFETY: the contract is the system allocator's own, and its answer is returned as it came.
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }

    // SAFETY: the contract is the system allocator's own, and its answer is returned as it came.
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let ["pipeline", rest @ ..] = args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        let object = pipeline::count(rest, &|| ALLOCATIONS.load(Ordering::Relaxed))?;
        writeln!(std::io::stdout(), "{object}")?;
        return Ok(());
    }
    let [shape, seed, flow_ops, run_ops] = args.as_slice() else {
        anyhow::bail!(
            "usage: rialto-counts base|deep|multi SEED FLOW_OPS RUN_OPS, or rialto-counts pipeline memory|disk BATCH SEED OPS FOLDER"
        );
    };
    let shape: Shape = shape.parse()?;
    let seed: u64 = seed.parse().context("SEED is a number")?;
    let flow_ops: usize = flow_ops.parse().context("FLOW_OPS is a number")?;
    let run_ops: usize = run_ops.parse().context("RUN_OPS is a number")?;
    ensure!(run_ops <= flow_ops, "RUN_OPS is at most FLOW_OPS");

    let flow = Flow::new(shape, flow_ops, seed);
    let (warm, counted) = flow.commands[..run_ops].split_at(run_ops / 2);
    let mut lane = Lane::new();
    lane.run(&flow.prelude);
    lane.run(warm);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    lane.run(counted);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let object = serde_json::json!({
        "allocations": allocations,
        "allocations_before": before,
        "event_hash": lane.tally().event_hash().to_string(),
    });
    writeln!(std::io::stdout(), "{object}")?;
    Ok(())
}
