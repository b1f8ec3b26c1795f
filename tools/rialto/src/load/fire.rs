//! Sends each order at its moment and takes the times.

use crate::bench::member::{Member, PATIENCE};
use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// The first second warms and is not counted.
const WARM: Duration = Duration::from_secs(1);
/// What one point of latency over time covers.
pub(super) const INTERVAL: Duration = Duration::from_millis(100);
/// Longer than this is as good as this.
const LATENCY_MAX_NS: u64 = 60_000_000_000;
/// Orders sent before answers are looked for, where many are due at once.
const SEND_AT_ONCE: usize = 32;

/// What came of one rate.
pub(super) struct Fired {
    pub(super) rate: u64,
    /// Counted from the moment that an order was to be sent.
    pub(super) corrected: Histogram<u64>,
    /// Counted from the moment that it was sent.
    pub(super) uncorrected: Histogram<u64>,
    /// Corrected, by the moment that the order was to be sent.
    pub(super) intervals: Vec<Interval>,
    pub(super) achieved: u64,
    pub(super) late_max_ns: u64,
    pub(super) lasted: Duration,
}

/// A piece of time.
pub(super) struct Interval {
    pub(super) begins: Duration,
    pub(super) histogram: Histogram<u64>,
}

fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LATENCY_MAX_NS, 3).context("the histogram's bounds")
}

/// Sends an order at each of the moments.
pub(super) fn fire(member: &mut Member, rate: u64, plan: &[Duration]) -> Result<Fired> {
    let first = member.next;
    let mut sent_at: Vec<Duration> = Vec::with_capacity(plan.len());
    let mut done_at = vec![Duration::ZERO; plan.len()];
    let mut done = 0;
    let begun = Instant::now();
    while done < plan.len() {
        let now = begun.elapsed();
        let due = plan.iter().skip(sent_at.len()).take(SEND_AT_ONCE);
        let due = due.take_while(|moment| **moment <= now).count();
        for _ in 0..due {
            sent_at.push(begun.elapsed());
            member.send()?;
        }
        let mut came = 0;
        member.acknowledge(|user_ref| {
            let index = user_ref.wrapping_sub(first) as usize;
            if let Some(at) = done_at.get_mut(index) {
                *at = begun.elapsed();
                came += 1;
            }
        })?;
        done += came;
        if came == 0 && due == 0 {
            std::thread::yield_now();
        }
        let last = plan.last().copied().unwrap_or_default();
        ensure!(
            begun.elapsed() < last + PATIENCE * 2,
            "{done} of {} orders were acknowledged: the exchange is far behind, give a lower rate",
            plan.len()
        );
    }
    let lasted = begun.elapsed();
    let mut fired = Fired {
        rate,
        corrected: histogram()?,
        uncorrected: histogram()?,
        intervals: Vec::new(),
        achieved: 0,
        late_max_ns: 0,
        lasted,
    };
    for ((moment, sent), done) in plan.iter().zip(&sent_at).zip(&done_at) {
        if *moment < WARM {
            continue;
        }
        let since = |from: &Duration| (done.saturating_sub(*from).as_nanos() as u64).clamp(1, LATENCY_MAX_NS);
        fired.corrected.saturating_record(since(moment));
        fired.uncorrected.saturating_record(since(sent));
        let late = sent.saturating_sub(*moment).as_nanos() as u64;
        fired.late_max_ns = fired.late_max_ns.max(late);
        let index = (moment.as_nanos() / INTERVAL.as_nanos()) as u32;
        let begins = INTERVAL * index;
        if fired.intervals.last().is_none_or(|last| last.begins != begins) {
            let histogram = histogram()?;
            fired.intervals.push(Interval { begins, histogram });
        }
        if let Some(interval) = fired.intervals.last_mut() {
            interval.histogram.saturating_record(since(moment));
        }
    }
    let counted = lasted.saturating_sub(WARM).as_secs_f64().max(f64::MIN_POSITIVE);
    fired.achieved = (fired.corrected.len() as f64 / counted).round() as u64;
    Ok(fired)
}
