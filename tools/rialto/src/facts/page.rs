//! The report: one HTML file with the numbers, what real markets are like, and plots.

use super::gather::Seen;
use super::measure::{autocorrelation, quantile};
use super::{Facts, MEASURES, Range, returns, told};
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use std::fmt::Write as _;

/// A plot's size.
const SIZE: (u32, u32) = (860, 260);
/// Points of a line in a plot at most: more are thinned, for a screen shows no more.
const POINTS: usize = 2_000;
/// Lags in a plot of memory.
const LAGS: usize = 30;

/// `what` was measured, in words.
pub(super) fn page(what: &str, facts: &[Facts], seen: &[Seen], stated: &[Range]) -> Result<String> {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>rialto facts</title><style>:root{color-scheme:light dark}\
         body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;padding:0 1em;max-width:60em}\
         h2{margin-top:2em}h3{margin:1.4em 0 .2em;font-size:1em}p{color:GrayText}\
         table{border-collapse:collapse;font-variant-numeric:tabular-nums}th{font-weight:600;vertical-align:bottom}\
         td,th{padding:.2em .9em;text-align:right;border-bottom:1px solid #8885}\
         td:first-child,th:first-child{padding-left:0}:is(td,th):is(:first-child,:last-child){text-align:left}\
         svg{width:100%;height:auto}svg text{fill:currentColor}</style>\
         <h1>What kind of market this is</h1>",
    );
    write!(html, "<p>{}</p>", what.replace('&', "&amp;").replace('<', "&lt;"))?;
    for (facts, seen) in facts.iter().zip(seen) {
        write!(
            html,
            "<h2>{}</h2><p>{} orders, {} changes, {} cancels, {} trades of {} shares; {} moments with both sides of the book</p>\
             <table><tr><th>measure<th>here<th>{}in real markets",
            facts.symbol,
            facts.orders,
            facts.changes,
            facts.cancels,
            facts.trades,
            facts.volume,
            facts.moments,
            if stated.is_empty() { "" } else { "the scenario says<th>" },
        )?;
        for measure in MEASURES {
            let here = told((measure.of)(facts));
            write!(html, "<tr><td>{}<td>{here}", measure.name)?;
            if !stated.is_empty() {
                write!(html, "<td>{}", measure.stated(stated))?;
            }
            write!(html, "<td>{}", measure.real)?;
        }
        html.push_str("</table>");
        let middle = seen.moments.iter().map(|one| (one.at, one.middle / 10_000.0)).collect();
        plot(&mut html, "Mid price over time, s", middle, false)?;
        let spread = seen.moments.iter().map(|one| (one.at, one.spread / 10_000.0)).collect();
        plot(&mut html, "Spread over time, s", spread, false)?;
        let waits = (0..=100).filter_map(|percent| {
            let share = f64::from(percent) / 100.0;
            Some((share * 100.0, quantile(&seen.waits, share)? * 1e3))
        });
        plot(
            &mut html,
            "Time between messages, ms, by percentile",
            waits.collect(),
            false,
        )?;
        let sizes: Vec<f64> = returns(seen).iter().map(|one| one.abs()).collect();
        let memory = (1..=LAGS).filter_map(|lag| Some((lag as f64, autocorrelation(&sizes, lag)?)));
        plot(
            &mut html,
            "Autocorrelation of absolute returns by lag",
            memory.collect(),
            true,
        )?;
        let memory = (1..=LAGS).filter_map(|lag| Some((lag as f64, autocorrelation(&seen.signs, lag)?)));
        plot(
            &mut html,
            "Autocorrelation of trade signs by lag",
            memory.collect(),
            true,
        )?;
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
            .bold_line_style(RGBColor(136, 136, 136).mix(0.3))
            .draw()?;
        chart.draw_series(LineSeries::new(points.iter().copied(), &RGBColor(31, 119, 190)))?;
        area.present()?;
        drop(chart);
        Ok(())
    };
    drawn().map_err(|error| anyhow!("{title} cannot be drawn: {error}"))?;
    write!(html, "<h3>{title}</h3>{svg}")?;
    Ok(())
}
