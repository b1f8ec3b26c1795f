//! The report: one HTML file without anything from elsewhere, with the run in it as JSON so that it can be run again.

use super::fire::Fired;
use super::machine::Machine;
use super::{Outcome, PERCENTILES, Run, micros};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// What a report holds for programs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(super) version: u32,
    pub(super) run: Run,
    /// Whether the exchange was one of its own.
    pub(super) own: bool,
    pub(super) machine: Machine,
    pub(super) outcomes: Vec<Outcome>,
}

/// The version of what is kept.
pub(super) const VERSION: u32 = 1;
const BEGIN: &str = "<script type=\"application/json\" id=\"run\">";
const END: &str = "</script>";
/// A plot's size.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 60.0;

/// What is kept in a page.
pub(super) fn read(page: &str) -> Result<Kept> {
    let kept = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let (json, _) = kept.context("there is no run in it: give a report of `rialto load --report`")?;
    let kept: Kept = serde_json::from_str(json).context("the run in it cannot be read")?;
    anyhow::ensure!(
        kept.version == VERSION,
        "its version is {}, this build reads {VERSION}",
        kept.version
    );
    Ok(kept)
}

pub(super) fn page(run: &Run, own: bool, machine: &Machine, fired: &[Fired], outcomes: &[Outcome]) -> Result<String> {
    let kept = Kept {
        version: VERSION,
        run: run.clone(),
        own,
        machine: machine.clone(),
        outcomes: outcomes.to_vec(),
    };
    // A closing tag cannot stand in a string of the JSON.
    let json = serde_json::to_string(&kept)?.replace('<', "\\u003c");
    let mut html = String::new();
    html.push_str("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>rialto load</title><style>");
    html.push_str("body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:60em;color:#222}table{border-collapse:collapse}");
    html.push_str(
        "td,th{padding:.15em .9em;text-align:right;border-bottom:1px solid #ddd}svg{display:block;margin:.5em 0 1.5em}",
    );
    html.push_str(".a{stroke:#0b62a4;fill:none;stroke-width:1.6}.b{stroke:#d9822b;fill:none;stroke-width:1.6;stroke-dasharray:5 3}");
    html.push_str("text{font-size:12px;fill:#555}.g{stroke:#ddd}</style><h1>Order to acknowledgement over OUCH</h1>");
    let Machine {
        cpu,
        cores,
        kernel,
        governor,
        build,
    } = machine;
    write!(
        html,
        "<p>{} &middot; {cores} cores of {} &middot; Linux {} &middot; governor {} &middot; {} orders, {} s a rate, seed {}, durability {}, layout {}, idle {}</p>",
        text(build),
        text(cpu),
        text(kernel),
        text(governor),
        run.shape,
        run.seconds,
        run.seed,
        text(&run.durability),
        text(&run.layout),
        text(&run.idle),
    )?;
    html.push_str("<p>Corrected (solid): from the moment an order was to be sent. Uncorrected (dashed): from the moment it was sent; what it hides is coordinated omission.</p>");
    for (fired, outcome) in fired.iter().zip(outcomes) {
        write!(
            html,
            "<h2>{} orders a second</h2><p>{} acknowledged a second, {} orders; the sender was at most {} µs behind its plan.</p>",
            outcome.rate, outcome.achieved, outcome.orders, outcome.late_max_us
        )?;
        html.push_str("<table><tr><th>percentile<th>corrected µs<th>uncorrected µs");
        for ((percentile, one), other) in PERCENTILES
            .iter()
            .zip(outcome.corrected.all())
            .zip(outcome.uncorrected.all())
        {
            write!(html, "<tr><td>{percentile}<td>{one}<td>{other}")?;
        }
        html.push_str("</table><h3>Latency by percentile</h3>");
        html.push_str(&by_percentile(fired));
        html.push_str("<h3>Latency over time, corrected: the 99th percentile and the median of each 100 ms</h3>");
        html.push_str(&over_time(fired));
    }
    if outcomes.len() > 1 {
        html.push_str("<h2>Latency against load: the 99th percentile, corrected and not</h2>");
        html.push_str(&against_load(outcomes));
    }
    write!(html, "{BEGIN}{json}{END}</html>")?;
    Ok(html)
}

/// The axis counts nines: 90, 99, 99.9 per cent are equally far apart.
fn by_percentile(fired: &Fired) -> String {
    let nines = |percentile: f64| -(1.0 - percentile / 100.0).max(1e-6).log10();
    let points = |histogram: &hdrhistogram::Histogram<u64>| {
        let percentiles = (0..=100).map(|step| 100.0 * (1.0 - 10f64.powf(-5.0 * f64::from(step) / 100.0)));
        let points = percentiles.map(|at| (nines(at), micros(histogram.value_at_percentile(at))));
        points.collect::<Vec<_>>()
    };
    let ticks = [
        (0.0, "0 %"),
        (1.0, "90 %"),
        (2.0, "99 %"),
        (3.0, "99.9 %"),
        (4.0, "99.99 %"),
        (5.0, "99.999 %"),
    ];
    plot(
        &points(&fired.corrected),
        &points(&fired.uncorrected),
        &ticks.map(|(at, name)| (at, name.to_owned())),
    )
}

fn over_time(fired: &Fired) -> String {
    let at = |percentile: f64| {
        let points = fired.intervals.iter().map(|interval| {
            let latency = micros(interval.histogram.value_at_percentile(percentile));
            (interval.begins.as_secs_f64(), latency)
        });
        points.collect::<Vec<_>>()
    };
    let last = fired
        .intervals
        .last()
        .map_or(1.0, |interval| interval.begins.as_secs_f64());
    let ticks: Vec<_> = (0..=4)
        .map(|step| last * f64::from(step) / 4.0)
        .map(|at| (at, format!("{at:.1} s")))
        .collect();
    plot(&at(99.0), &at(50.0), &ticks)
}

fn against_load(outcomes: &[Outcome]) -> String {
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by_key(|outcome| outcome.rate);
    let corrected: Vec<_> = sorted
        .iter()
        .map(|one| (one.rate as f64, one.corrected.p99_us))
        .collect();
    let uncorrected: Vec<_> = sorted
        .iter()
        .map(|one| (one.rate as f64, one.uncorrected.p99_us))
        .collect();
    let ticks: Vec<_> = sorted
        .iter()
        .map(|one| (one.rate as f64, format!("{}/s", one.rate)))
        .collect();
    plot(&corrected, &uncorrected, &ticks)
}

/// Two lines over a logarithmic axis of microseconds.
fn plot(solid: &[(f64, f64)], dashed: &[(f64, f64)], ticks: &[(f64, String)]) -> String {
    let all = || solid.iter().chain(dashed);
    let most = all().map(|(_, y)| *y).fold(1.0, f64::max).log10().ceil().max(1.0);
    let least = all()
        .map(|(_, y)| y.max(0.1))
        .fold(f64::MAX, f64::min)
        .log10()
        .floor()
        .min(most - 1.0);
    let xs = || all().map(|(x, _)| *x).chain(ticks.iter().map(|(x, _)| *x));
    let (from, to) = (xs().fold(f64::MAX, f64::min), xs().fold(f64::MIN, f64::max));
    let x = |value: f64| MARGIN + (value - from) / (to - from).max(f64::MIN_POSITIVE) * (WIDTH - 2.0 * MARGIN);
    let y = |value: f64| {
        let part = (value.max(0.1).log10() - least) / (most - least);
        HEIGHT - 30.0 - part * (HEIGHT - 50.0)
    };
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">");
    for power in least as i32..=most as i32 {
        let at = y(10f64.powi(power));
        let _ = write!(
            svg,
            "<line class=\"g\" x1=\"{MARGIN}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"4\" y=\"{:.1}\">{} µs</text>",
            WIDTH - MARGIN,
            at + 4.0,
            10f64.powi(power)
        );
    }
    for (at, name) in ticks {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            x(*at),
            HEIGHT - 8.0
        );
    }
    for (class, points) in [("a", solid), ("b", dashed)] {
        let line: Vec<String> = points
            .iter()
            .map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value)))
            .collect();
        let _ = write!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", line.join(" "));
    }
    svg.push_str("</svg>");
    svg
}

/// Text that means nothing to HTML.
fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
