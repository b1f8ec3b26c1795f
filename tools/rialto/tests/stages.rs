//! When an order was at each stage of a running exchange: told with its story and counted, under every layout; and no longer once
//! the process is another.

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::caller::Caller;
use support::{Up, ask, until};

const STAGES: [&str; 6] = ["gateway", "sequenced", "journaled", "matched", "released", "published"];

/// Enters an order and gives the number of its command.
fn enter(trader: &Caller<'_>, place: &str, key: &str) -> String {
    let order = json!({ "symbol": "ACME", "side": "buy", "quantity": 100, "price": "1.00" });
    let said = trader.place(key, &order);
    assert_eq!(said.status, 200, "{}", said.text);
    let commands = ask(&["journal", "tail", place, "--from", "1", "-n", "1000"]);
    let entered = commands.iter().rfind(|one| one["command"] == "Enter");
    entered.expect("the order")["seq"].to_string()
}

/// The time at each stage, in the order of [`STAGES`], and in the order told.
fn times(change: &Value) -> Option<([u64; 6], Vec<u64>)> {
    let told = change["stages"].as_array()?;
    let at = |stage: &str| {
        let one = told.iter().find(|one| one["stage"] == stage).expect("each stage");
        one["at_ns"].as_u64().expect("a time")
    };
    let after = told.iter().map(|one| one["after_ns"].as_u64().expect("a time"));
    assert_eq!(told.len(), STAGES.len(), "{told:?}");
    Some((STAGES.map(at), after.collect()))
}

fn story(order: &str, place: &str) -> Vec<Value> {
    ask(&["order", "history", order, "--data", place])
}

#[test]
fn an_order_is_seen_at_six_stages_one_behind_the_other() {
    for (layout, durability) in [("one", "memory"), ("two", "disk"), ("per-core", "memory")] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let place = data.to_str().expect("UTF-8");
        let options = ["--agents", "0", "--layout", layout, "--durability", durability];
        let up = Up::open(&data, &options);
        let trader = Caller::new(&up, place, "tina", "1", "trader");
        let order = enter(&trader, place, "first");
        let (times, told) = until("times of an order", || times(&story(&order, place)[0]));
        let [gateway, sequenced, journaled, matched, released, published] = times;
        // The engine does not wait for the journal, and the gate waits for both.
        let ordered = gateway <= sequenced
            && sequenced <= journaled.min(matched)
            && journaled.max(matched) <= released
            && released <= published;
        assert!(ordered, "{layout}: {times:?}");
        assert!(told.is_sorted() && told[0] == 0, "{layout}: {told:?}");
        if layout == "one" {
            assert!(times.is_sorted(), "{times:?}");
        }
        let explained = &ask(&["explain", &order, "--data", place])[0];
        assert_eq!(explained["stages"], story(&order, place)[0]["stages"]);

        let report = until("a count", || {
            let said = trader.call("GET", "/api/v1/stages", None, &Value::Null);
            (said.body["orders"].as_u64() > Some(0)).then_some(said.body)
        });
        let percentiles = report["percentiles"].as_array().expect("percentiles").len();
        let stages = report["stages"].as_array().expect("stages");
        assert_eq!(stages.len(), STAGES.len() - 1);
        for (stage, name) in std::iter::zip(stages, &STAGES[1..]) {
            assert_eq!(stage["stage"], *name);
            for times in ["took_ns", "after_ns"] {
                let of: Vec<u64> = serde_json::from_value(stage["all"][times].clone()).expect("numbers");
                assert!(of.len() == percentiles && of.is_sorted(), "{name}: {of:?}");
            }
        }
        let metrics = trader.call("GET", "/metrics", None, &Value::Null).text;
        assert!(
            metrics.contains("rialto_order_took_seconds_bucket{stage=\"matched\",le=\"0.001\"}"),
            "{metrics}"
        );
        assert!(
            metrics.contains("rialto_order_after_seconds_count{stage=\"published\"}"),
            "{metrics}"
        );
        restarted(up, &data, &order, &options);
    }
}

/// What was before is known no more, and what comes is.
fn restarted(up: Up, data: &Path, order: &str, options: &[&str]) {
    let place = data.to_str().expect("UTF-8");
    up.stop();
    assert_eq!(story(order, place)[0]["stages"], Value::Null, "at rest");
    let up = Up::open(data, options);
    assert_eq!(story(order, place)[0]["stages"], Value::Null, "of another process");
    let trader = Caller::new(&up, place, "tom", "1", "trader");
    let next = enter(&trader, place, "next");
    until("times of the next", || times(&story(&next, place)[0]));
    up.stop();
}
