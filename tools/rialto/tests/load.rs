//! Load and measurements end to end, small: what they print, the report and its second run, and what they refuse. How fast
//! anything is decides nothing here.

mod support;

use serde_json::Value;
use support::{ask, complaint};

fn number(object: &Value, path: &[&str]) -> f64 {
    let found = path.iter().fold(object, |value, name| &value[name]);
    found
        .as_f64()
        .unwrap_or_else(|| panic!("no number {path:?} in {object}"))
}

#[test]
fn a_report_holds_its_run_and_can_be_run_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (report, log) = (path("report.html"), path("latency.hlog"));
    let outcomes = ask(&[
        "load",
        "--rate",
        "100,300",
        "--seconds",
        "1",
        "--shape",
        "burst:10",
        "--dir",
        &path(""),
        "--report",
        &report,
        "--hdr",
        &log,
    ]);
    assert_eq!(outcomes.len(), 2);
    for (outcome, orders) in outcomes.iter().zip([100.0, 300.0]) {
        assert_eq!(
            (number(outcome, &["rate"]), number(outcome, &["orders"])),
            (orders, orders)
        );
        for kind in ["corrected", "uncorrected"] {
            let at = |name: &str| number(outcome, &[kind, name]);
            assert!(
                at("p50_us") > 0.0 && at("p50_us") <= at("p99_us") && at("p99_us") <= at("max_us"),
                "{outcome}"
            );
        }
        // What is counted from an earlier moment is no shorter.
        assert!(number(outcome, &["corrected", "max_us"]) >= number(outcome, &["uncorrected", "max_us"]));
    }
    let page = std::fs::read_to_string(&report).expect("a report");
    assert!(page.contains("<svg") && page.contains("99.9 %") && page.contains("Latency against load"));
    assert!(
        !page.contains("http://") && !page.contains("https://") && !page.contains(" src="),
        "it stands alone"
    );
    let log = std::fs::read_to_string(&log).expect("a log");
    assert!(log.contains("Tag=corrected") && log.contains("HISTFAA"), "{log}");

    let again = ask(&["bench", "verify", &report, "--within", "1000000"]);
    assert_eq!(
        again.iter().map(|one| &one["same"]).collect::<Vec<_>>(),
        [&Value::Bool(true), &Value::Bool(true)]
    );

    std::fs::write(path("other.html"), "<html>").expect("written");
    assert!(complaint(&["bench", "verify", &path("other.html")]).contains("there is no run in it"));
}

#[test]
fn thresholds_and_bad_wishes_fail_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("UTF-8");
    let said = complaint(&[
        "load",
        "--rate",
        "50",
        "--seconds",
        "1",
        "--dir",
        dir,
        "--max-p99-us",
        "0.001",
    ]);
    assert!(
        said.contains("p99 at 50 orders a second") && said.contains("over the threshold"),
        "{said}"
    );
    for (arguments, words) in [
        (&["load", "--rate", "0"][..], "give 1 to 1,000,000"),
        (&["load", "--rate", "900000", "--seconds", "600"], "ORDERS_MAX"),
        (&["load", "--shape", "sine"], "use constant, poisson or burst:N"),
        (&["load", "--ouch", "127.0.0.1:1"], "--user"),
        (
            &["load", "--ouch", "127.0.0.1:1", "--user", "a", "--password", "b"],
            "is the exchange up",
        ),
    ] {
        let said = complaint(arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn each_measurement_stands_beside_its_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("UTF-8");
    let journal = ask(&["bench", "journal", "--ops", "2000", "--commits", "3", "--dir", dir]).remove(0);
    let kept = journal["kept"].as_array().expect("a list");
    assert_eq!(kept.len(), 6);
    for one in kept {
        assert!(
            number(one, &["times_raw"]) > 0.0 && number(one, &["raw_ns_per_command"]) > 0.0,
            "{one}"
        );
        // A count, not a time: what an order costs in the journal where sixteen or more share a block.
        if number(one, &["batch"]) >= 16.0 {
            assert!(number(one, &["bytes_per_command"]) <= 96.0, "{one}");
        }
    }
    assert!(number(&journal, &["verify_bytes_per_second"]) > 0.0);

    let replay = ask(&["bench", "replay", "--ops", "5000", "--dir", dir]).remove(0);
    assert!(
        number(&replay, &["share"]) > 0.0 && number(&replay, &["read_only_per_second"]) > 0.0,
        "{replay}"
    );

    for durability in ["memory", "disk"] {
        let small = [
            "--ops",
            "20",
            "--flood",
            "300",
            "--window",
            "32",
            "--dir",
            dir,
            "--durability",
            durability,
        ];
        let pipeline = ask(&[&["bench", "pipeline"][..], &small[..]].concat()).remove(0);
        assert_eq!(number(&pipeline, &["one_outstanding", "orders"]), 60.0);
        assert!(
            number(&pipeline, &["one_outstanding", "times_limit"]) > 0.0,
            "{pipeline}"
        );
        assert!(number(&pipeline, &["many_outstanding", "share"]) > 0.0, "{pipeline}");
    }
}
