//! Once warm, the engine allocates nothing, and nor does the way to the ring and the reader behind it.
//!
//! Warm means: so many commands of the flow have come that pools, windows and tables have reached their size; with a
//! hundred thousand live orders in a hundred books that takes two million of them.

use std::process::Command;

const SEED: &str = "9";

fn counts(flow: &str, ops: &str) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_rialto-counts"))
        .args([flow, SEED, ops, ops])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints an object")
}

#[test]
fn a_warm_engine_allocates_nothing() {
    for (flow, ops) in [("base", "2000000"), ("multi", "4000000")] {
        let counts = counts(flow, ops);
        assert_eq!(counts["allocations"], 0, "{flow}, seed {SEED}: {counts}");
    }
}

#[test]
fn the_count_counts() {
    let cold = counts("base", "2");
    let before = cold["allocations_before"].as_u64().expect("a number");
    assert!(before > 100, "a venue cannot be made without allocations: {cold}");
}

#[test]
fn wrong_arguments_are_refused_with_the_right_ones() {
    let table: &[(&[&str], &str)] = &[
        (&[], "usage: rialto-counts"),
        (&["wide", "1", "2", "2"], "use base, deep or multi"),
        (&["base", "x", "2", "2"], "SEED is a number"),
        (&["base", "1", "2", "3"], "RUN_OPS is at most FLOW_OPS"),
    ];
    for (args, expected) in table {
        let output = Command::new(env!("CARGO_BIN_EXE_rialto-counts"))
            .args(*args)
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected), "{args:?}: {said}");
    }
}
