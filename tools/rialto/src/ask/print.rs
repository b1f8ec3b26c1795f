//! Answers for people.

use super::{Request, What};
use crate::out;
use serde_json::Value;

/// One line of an answer.
pub(crate) fn print(request: &Request, line: &Value) {
    match request {
        Request::At {
            what: What::Book { .. },
            ..
        } => book(line),
        Request::History { .. } => {
            change(line);
            stages(line);
        }
        Request::Explain { .. } => {
            change(line);
            for because in list(line, "because") {
                out::say(format_args!("            {}", because.as_str().unwrap_or_default()));
            }
            stages(line);
        }
        Request::Operate { .. } => {
            let events: Vec<&str> = list(line, "events").iter().filter_map(Value::as_str).collect();
            out::say(format_args!(
                "command {} ({}): {}",
                number(line, "seq"),
                text(line, "command"),
                events.join(", ")
            ));
        }
        Request::FlagLs { .. } => flag(line),
        Request::FlagExplain { .. } => out::say(format_args!(
            "{} is {} for {}: {}{}",
            text(line, "key"),
            text(line, "is"),
            text(line, "subject"),
            text(line, "because"),
            match line["since"].as_u64() {
                Some(since) => format!(", since command {since}"),
                None => String::new(),
            }
        )),
        Request::SnapshotLs => out::say(format_args!(
            "{:>12}  {:>12} bytes  {}",
            number(line, "seq"),
            number(line, "bytes"),
            match text(line, "damage") {
                "" => format!(
                    "state {}  events {}",
                    text(line, "state_hash"),
                    text(line, "event_hash")
                ),
                damage => format!("DAMAGED: {damage}"),
            }
        )),
        _ => out::say(format_args!("{}", out::pairs(line))),
    }
}

/// A flag and its rules.
pub(crate) fn flag(line: &Value) {
    let key = text(line, "key");
    if line["retired"] == true {
        return out::say(format_args!("{key:<34}  retired"));
    }
    out::say(format_args!(
        "{key:<34}  {} by default, decided for {}; of {} until {}: {}",
        line["default"]
            .as_str()
            .map_or_else(|| line["default"].to_string(), str::to_owned),
        text(line, "for"),
        text(line, "owner"),
        text(line, "expires"),
        text(line, "purpose")
    ));
    for rule in list(line, "rules") {
        out::say(format_args!(
            "{:>36}{} for {}, since command {}",
            "",
            text(rule, "is"),
            text(rule, "target"),
            number(rule, "since")
        ));
    }
}

fn change(line: &Value) {
    out::say(format_args!(
        "{:>10}  {:<14}  {} by {}: {}; open {}",
        number(line, "seq"),
        text(line, "event"),
        text(line, "command"),
        text(line, "by"),
        text(line, "why"),
        number(line, "leaves"),
    ));
}

/// When a change's command was at each stage, in microseconds behind the first.
fn stages(line: &Value) {
    let after = |one: &Value| {
        let us = number(one, "after_ns") as f64 / 1e3;
        match us {
            0.0 => text(one, "stage").to_owned(),
            us => format!("{} +{us:.1} us", text(one, "stage")),
        }
    };
    let told: Vec<String> = list(line, "stages").iter().map(after).collect();
    if !told.is_empty() {
        out::say(format_args!("            {}", told.join(", ")));
    }
}

/// Bids on the left, asks on the right, the best on top.
fn book(line: &Value) {
    out::say(format_args!(
        "{} behind command {}: {} orders, {} trades",
        text(line, "symbol"),
        number(line, "seq"),
        number(line, "orders"),
        number(line, "trades")
    ));
    let (bids, asks) = (list(line, "bids"), list(line, "asks"));
    for at in 0..bids.len().max(asks.len()) {
        let bid = bids.get(at).map(|level| {
            format!(
                "{:>6} {:>10} {:>12}",
                number(level, "orders"),
                number(level, "quantity"),
                text(level, "price")
            )
        });
        let ask = asks.get(at).map(|level| {
            format!(
                "{:<12} {:<10} {:<6}",
                text(level, "price"),
                number(level, "quantity"),
                number(level, "orders")
            )
        });
        let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
        out::say(format_args!("{bid:>30}  |  {}", ask.trim_end()));
    }
}

fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(line: &Value, name: &str) -> u64 {
    line.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'a>(line: &'a Value, name: &str) -> &'a [Value] {
    line.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
