//! How long orders took, stage by stage, as histograms of a bounded size.

use super::STAGES;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The parts of a hundred that are told; the last is the slowest of all.
pub(super) const PERCENTILES: [f64; 12] = [0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.99, 100.0];
/// What takes longer counts as this: a minute.
const NS_MAX: u64 = 60_000_000_000;
/// Two digits: a value is told to one part in a hundred, and a histogram has 30 kB.
const DIGITS: u8 = 2;
/// Bounds of the buckets that are exposed, in nanoseconds: a microsecond to ten seconds.
const BUCKETS: [u64; 15] = [
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Of one stage.
#[derive(Clone)]
struct Row {
    /// Since it was through the stages that it waits for.
    took: Counted,
    /// Since the gateway.
    after: Counted,
}

#[derive(Clone)]
struct Counted {
    histogram: Histogram<u64>,
    sum_ns: u128,
}

impl Counted {
    fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, NS_MAX, DIGITS);
        Self {
            histogram: histogram.expect("bounds and digits that a histogram may have"),
            sum_ns: 0,
        }
    }

    fn record(&mut self, ns: u64, count: u64) {
        self.histogram.saturating_record_n(ns.clamp(1, NS_MAX), count);
        self.sum_ns += u128::from(ns) * u128::from(count);
    }

    fn add(&mut self, other: &Self) {
        // Both have the same bounds.
        let _ = self.histogram.add(&other.histogram);
        self.sum_ns += other.sum_ns;
    }

    fn describe(&self) -> Vec<u64> {
        if self.histogram.is_empty() {
            return Vec::new();
        }
        let of = |percentile: &f64| {
            self.histogram
                .value_at_percentile(*percentile)
                .min(self.histogram.max())
        };
        PERCENTILES.iter().map(of).collect()
    }
}

/// All stages behind the gateway.
#[derive(Clone)]
pub(super) struct Table([Row; STAGES.len() - 1]);

impl Default for Table {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Row {
            took: Counted::new(),
            after: Counted::new(),
        }))
    }
}

impl Table {
    /// So many commands with the same times.
    pub(super) fn record(&mut self, ns: &[u64; 6], count: u64) {
        let [gateway, sequenced, journaled, matched, released, published] = *ns;
        // The engine does not wait for the journal, and the gate waits for both.
        let legs = [
            (gateway, sequenced),
            (sequenced, journaled),
            (sequenced, matched),
            (journaled.max(matched), released),
            (released, published),
        ];
        for (row, (begun, ended)) in std::iter::zip(&mut self.0, legs) {
            row.took.record(ended.saturating_sub(begun), count);
            row.after.record(ended.saturating_sub(gateway), count);
        }
    }

    pub(super) fn clear(&mut self) {
        for row in &mut self.0 {
            for counted in [&mut row.took, &mut row.after] {
                counted.histogram.reset();
                counted.sum_ns = 0;
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (row, other) in std::iter::zip(&mut self.0, &other.0) {
            row.took.add(&other.took);
            row.after.add(&other.after);
        }
    }

    /// Commands that are counted.
    pub(super) fn count(&self) -> u64 {
        self.0.first().map_or(0, |row| row.took.histogram.len())
    }

    /// A stage's percentiles in nanoseconds; empty where nothing is counted.
    pub(super) fn describe(&self, stage: usize) -> Value {
        let row = stage.checked_sub(1).and_then(|index| self.0.get(index));
        row.map_or(
            Value::Null,
            |row| json!({ "took_ns": row.took.describe(), "after_ns": row.after.describe() }),
        )
    }

    /// A stage's histogram in the Prometheus text format.
    pub(super) fn expose(&self, name: &str, label: &str, stage: usize, took: bool, text: &mut String) {
        let Some(row) = stage.checked_sub(1).and_then(|index| self.0.get(index)) else {
            return;
        };
        let counted = if took { &row.took } else { &row.after };
        let histogram = &counted.histogram;
        for bound in BUCKETS {
            let seconds = bound as f64 / 1e9;
            let below = histogram.count_between(0, bound);
            let _ = writeln!(text, "{name}_bucket{{stage=\"{label}\",le=\"{seconds}\"}} {below}");
        }
        let (all, sum) = (histogram.len(), counted.sum_ns as f64 / 1e9);
        let _ = writeln!(text, "{name}_bucket{{stage=\"{label}\",le=\"+Inf\"}} {all}");
        let _ = writeln!(
            text,
            "{name}_sum{{stage=\"{label}\"}} {sum}\n{name}_count{{stage=\"{label}\"}} {all}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_begin_where_a_stage_could_begin() {
        let mut table = Table::default();
        assert_eq!(table.describe(1)["took_ns"], json!([]));
        table.record(&[1_000, 3_000, 9_000, 5_000, 10_000, 40_000], 7);
        assert_eq!(table.count(), 7);
        let median = |stage: usize, what: &str| table.describe(stage)[what][3].as_u64().unwrap();
        for (stage, took, after) in [
            (1, 2_000, 2_000),
            (2, 6_000, 8_000),
            (3, 2_000, 4_000),
            (4, 1_000, 9_000),
            (5, 30_000, 39_000),
        ] {
            let near = |told: u64, ns: u64| told.abs_diff(ns) * 100 <= ns;
            assert!(
                near(median(stage, "took_ns"), took),
                "stage {stage}: {}",
                table.describe(stage)
            );
            assert!(
                near(median(stage, "after_ns"), after),
                "stage {stage}: {}",
                table.describe(stage)
            );
        }
        let mut text = String::new();
        table.expose("x", "released", 4, true, &mut text);
        assert!(
            text.contains("x_bucket{stage=\"released\",le=\"0.000002\"} 7\n"),
            "{text}"
        );
        assert!(text.contains("x_count{stage=\"released\"} 7\n"), "{text}");
        table.clear();
        assert_eq!(table.count(), 0);
    }
}
