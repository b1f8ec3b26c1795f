//! Time: what a command costs in a stream of them, and how long it takes alone.

use anyhow::{Context as _, Result};
use nix::time::{ClockId, clock_gettime};
use rialto_flow::{BATCH, Lane};
use rialto_model::{Command, Sequenced};
use std::time::{Duration, Instant};

/// The measured commands are cut into so many rounds, and the median of them counts.
const ROUNDS: usize = 5;
/// Empty measurements that tell what a measurement costs.
const EMPTY: usize = 10_001;

/// The CPU time of a command among others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) ns_per_op: f64,
    pub(super) ns_per_op_min: f64,
    pub(super) ns_per_op_max: f64,
}

/// How long a command takes by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latency {
    pub(super) p50_ns: u64,
    pub(super) p99_ns: u64,
    pub(super) timer_ns: u64,
}

/// Two digits behind the point: more would claim what no machine repeats.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Runs the commands batch by batch. The reader works between two batches, outside of the time that counts.
pub(super) fn cost(lane: &mut Lane, commands: &[Sequenced<Command>]) -> Result<Cost> {
    let mut empty = Vec::with_capacity(EMPTY);
    for _ in 0..EMPTY {
        let begun = cpu_time()?;
        empty.push(cpu_time()? - begun);
    }
    let clock = median(empty);
    let mut rounds = Vec::with_capacity(ROUNDS);
    for round in commands.chunks(commands.len().div_ceil(ROUNDS).max(1)) {
        let mut spent = Duration::ZERO;
        for batch in round.chunks(BATCH) {
            let begun = cpu_time()?;
            lane.apply(batch);
            spent += (cpu_time()? - begun).saturating_sub(clock);
            lane.drain();
        }
        rounds.push(rounded(spent.as_nanos() as f64 / round.len() as f64));
    }
    rounds.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| rounds.get(index).copied().unwrap_or_default();
    Ok(Cost {
        ns_per_op: at(rounds.len() / 2),
        ns_per_op_min: at(0),
        ns_per_op_max: at(rounds.len() - 1),
    })
}

/// Runs the commands one by one between two reads of the clock, which the processor does not reorder around: the misses of
/// one command are not hidden behind the work of the next.
pub(super) fn latency(lane: &mut Lane, commands: &[Sequenced<Command>]) -> Latency {
    let empty = (0..EMPTY).map(|_| {
        let begun = Instant::now();
        begun.elapsed()
    });
    let clock = median(empty.collect());
    let mut samples = Vec::with_capacity(commands.len());
    for batch in commands.chunks(BATCH) {
        for command in batch {
            let begun = Instant::now();
            lane.apply(std::slice::from_ref(command));
            samples.push(begun.elapsed().saturating_sub(clock));
        }
        lane.drain();
    }
    samples.sort_unstable();
    let percentile = |hundredths: usize| {
        let at = (samples.len() * hundredths / 100).min(samples.len().saturating_sub(1));
        samples.get(at).map_or(0, |sample| sample.as_nanos() as u64)
    };
    Latency {
        p50_ns: percentile(50),
        p99_ns: percentile(99),
        timer_ns: clock.as_nanos() as u64,
    }
}

/// The CPU time of this thread: what other threads and other machines on the core take is not in it.
pub(super) fn cpu_time() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).context("the system tells no CPU time of a thread")?;
    Ok(Duration::from(time))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
