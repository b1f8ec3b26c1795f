//! The report: one HTML file with the numbers, what real markets are like, and plots.

use super::gather::Seen;
use super::measure::{autocorrelation, quantile};
use super::{Facts, Range, returns};
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use std::fmt::Write as _;

/// A plot's size.
const SIZE: (u32, u32) = (860, 260);
/// Points of a line in a plot at most: more are thinned, for a screen shows no more.
const POINTS: usize = 2_000;
/// Lags in a plot of memory.
const LAGS: usize = 30;

pub(super) fn page(facts: &[Facts], seen: &[Seen], stated: &[Range]) -> Result<String> {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>rialto facts</title><style>\
         body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:60em;color:#222}table{border-collapse:collapse}\
         td,th{padding:.15em .9em;text-align:right;border-bottom:1px solid #ddd}td:last-child{text-align:left}</style>\
         <h1>What kind of market this is</h1>",
    );
    for (facts, seen) in facts.iter().zip(seen) {
        write!(
            html,
            "<h2>{}</h2><table><tr><th>measure<th>here<th>{}in real markets",
            facts.symbol,
            if stated.is_empty() { "" } else { "the scenario says<th>" },
        )?;
        let rows = [
            ("spread_mean", "spread, mean", facts.spread_mean, "one to a few ticks"),
            (
                "spread_bps",
                "spread, hundredths of a per cent",
                facts.spread_bps,
                "1 to 10 for large shares",
            ),
            (
                "depth_best",
                "shares at the best price",
                facts.depth_best,
                "more where the tick is large (Bouchaud, Farmer, Lillo 2009)",
            ),
            (
                "order_to_trade",
                "messages for each trade",
                facts.order_to_trade,
                "10 to 100",
            ),
            (
                "wait_mean_ms",
                "waiting time, mean (ms)",
                facts.wait_mean_ms,
                "well below a second for large shares",
            ),
            (
                "wait_variation",
                "waiting time, variation",
                facts.wait_variation,
                "above 1: clusters (Engle, Russell 1998)",
            ),
            (
                "return_kurtosis",
                "returns, excess kurtosis",
                facts.return_kurtosis,
                "above 0: heavy tails (Cont 2001)",
            ),
            (
                "return_memory",
                "returns, memory",
                facts.return_memory,
                "near 0 or below (Cont 2001)",
            ),
            (
                "size_memory",
                "size of returns, memory",
                facts.size_memory,
                "above 0: volatility clusters (Cont 2001)",
            ),
            (
                "sign_memory",
                "takers' sides, memory",
                facts.sign_memory,
                "above 0: split orders (Lillo, Farmer 2004)",
            ),
        ];
        for (measure, name, here, real) in rows {
            let here = here.map_or_else(|| "-".to_owned(), |here| here.to_string());
            write!(html, "<tr><td>{name}<td>{here}")?;
            if !stated.is_empty() {
                let range = stated.iter().find(|range| range.measure == measure);
                let said = range.map_or_else(String::new, |range| format!("{} to {}", range.low, range.high));
                write!(html, "<td>{said}")?;
            }
            write!(html, "<td>{real}")?;
        }
        html.push_str("</table>");
        let middle = seen.moments.iter().map(|one| (one.at, one.middle / 10_000.0)).collect();
        plot(&mut html, "Middle price over time (s)", middle, false)?;
        let spread = seen.moments.iter().map(|one| (one.at, one.spread / 10_000.0)).collect();
        plot(&mut html, "Spread over time (s)", spread, false)?;
        let waits = (0..=100).filter_map(|percent| {
            let share = f64::from(percent) / 100.0;
            Some((share * 100.0, quantile(&seen.waits, share)? * 1e3))
        });
        plot(&mut html, "Waiting time (ms) by percentile", waits.collect(), false)?;
        let sizes: Vec<f64> = returns(seen).iter().map(|one| one.abs()).collect();
        let memory = (1..=LAGS).filter_map(|lag| Some((lag as f64, autocorrelation(&sizes, lag)?)));
        plot(
            &mut html,
            "Memory of the size of returns by lag",
            memory.collect(),
            true,
        )?;
        let memory = (1..=LAGS).filter_map(|lag| Some((lag as f64, autocorrelation(&seen.signs, lag)?)));
        plot(&mut html, "Memory of takers' sides by lag", memory.collect(), true)?;
    }
    html.push_str("</html>");
    Ok(html)
}

/// Nothing where there are not two points.
fn plot(html: &mut String, title: &str, points: Vec<(f64, f64)>, from_zero: bool) -> Result<()> {
    let step = points.len().div_ceil(POINTS).max(1);
    let points: Vec<(f64, f64)> = points.into_iter().step_by(step).collect();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let (left, right) = range(&mut points.iter().map(|point| point.0));
    let (mut low, mut high) = range(&mut points.iter().map(|point| point.1));
    if from_zero {
        (low, high) = (low.min(0.0), high.max(0.0));
    }
    if points.len() < 2 || left >= right {
        return Ok(());
    }
    let room = ((high - low) * 0.05).max(1e-6);
    let mut svg = String::new();
    let mut drawn = || -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(64)
            .build_cartesian_2d(left..right, low - room..high + room)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(221, 221, 221))
            .draw()?;
        chart.draw_series(LineSeries::new(points.iter().copied(), &RGBColor(11, 98, 164)))?;
        area.present()?;
        drop(chart);
        Ok(())
    };
    drawn().map_err(|error| anyhow!("{title} cannot be drawn: {error}"))?;
    write!(html, "<h3>{title}</h3>{svg}")?;
    Ok(())
}
