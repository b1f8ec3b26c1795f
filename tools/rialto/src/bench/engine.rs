//! `rialto bench engine`: how long does the engine take for a command?
//!
//! The load is a flow of `rialto-flow`, made ahead of time. Half of it warms, the other half is measured: validation,
//! matching, and events written to a broadcast ring and published batch by batch. Not inside: decode, journal, network,
//! and the reader that hashes the events.

use super::counts::{self, Counts};
use super::timing::{self, Cost, Latency};
use crate::out;
use anyhow::{Result, ensure};
use rialto_flow::{Flow, Lane, Shape};
use serde::Serialize;

/// Commands that can be measured: with as many to warm, they and their flow take some six gigabytes of memory.
const OPS_MAX: u64 = 10_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flow: base (one book, 10,000 live), deep (one book, a million live) or multi (100 books)
    #[arg(long, default_value_t = Shape::Base)]
    flow: Shape,
    /// Commands to measure; as many come before them to warm
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=OPS_MAX))]
    ops: u64,
    /// The seed of the flow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    flow: &'static str,
    ops: u64,
    seed: u64,
    live_orders: usize,
    /// Thread CPU time, the median of rounds, the clock's own cost taken off.
    ns_per_op: f64,
    ns_per_op_min: f64,
    ns_per_op_max: f64,
    ops_per_second: u64,
    /// One command at a time between two reads of the clock, whose own cost (`timer_ns`) is taken off.
    p50_ns: u64,
    p99_ns: u64,
    timer_ns: u64,
    /// Once warm; null where the counting program is not beside this one.
    allocs_per_op: Option<f64>,
    /// Inside the engine and its writes to the ring; null without valgrind.
    instructions_per_op: Option<f64>,
    events_per_op: f64,
    trades: u64,
    /// Over every event since the first definition.
    event_hash: String,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let bar = out::progress(4, "steps: flow, time, latency, counts", args.json);
    let (ops, seed, shape) = (args.ops as usize, args.seed, args.flow);
    let flow = Flow::new(shape, 2 * ops, seed);
    bar.inc(1);

    let (mut lane, before) = warm(&flow, ops);
    let cost = timing::cost(&mut lane, &flow.commands[ops..])?;
    let (live_orders, after) = (lane.live_orders(), lane.tally().clone());
    let event_hash = after.event_hash();
    bar.inc(1);

    let (mut lane, _) = warm(&flow, ops);
    let latency = timing::latency(&mut lane, &flow.commands[ops..]);
    ensure!(
        lane.tally().event_hash() == event_hash,
        "two runs of one flow gave different events: the engine is not deterministic"
    );
    bar.inc(1);

    drop((lane, flow));
    let Counts {
        allocs_per_op,
        instructions_per_op,
    } = counts::count(shape, ops, seed, event_hash)?;
    bar.finish_and_clear();

    let Cost {
        ns_per_op,
        ns_per_op_min,
        ns_per_op_max,
    } = cost;
    let Latency {
        p50_ns,
        p99_ns,
        timer_ns,
    } = latency;
    let summary = Summary {
        flow: shape.name(),
        ops: args.ops,
        seed,
        live_orders,
        ns_per_op,
        ns_per_op_min,
        ns_per_op_max,
        ops_per_second: (1e9 / ns_per_op) as u64,
        p50_ns,
        p99_ns,
        timer_ns,
        allocs_per_op,
        instructions_per_op,
        events_per_op: timing::rounded((after.events - before.events) as f64 / ops as f64),
        trades: after.trades - before.trades,
        event_hash: event_hash.to_string(),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

/// A lane that has run the prelude and the first `ops` commands, and what its reader has seen by then.
fn warm(flow: &Flow, ops: usize) -> (Lane, rialto_flow::Tally) {
    let mut lane = Lane::new();
    lane.run(&flow.prelude);
    lane.run(&flow.commands[..ops]);
    let before = lane.tally().clone();
    (lane, before)
}
