//! Late joiners of a running exchange: by a snapshot, and from the first message when memory holds only the last ones.

mod support;

use serde_json::Value;
use std::fmt::Write as _;
use support::{Up, ask};

const AGENTS: &str = "6";

fn text<'a>(ready: &'a Value, key: &str) -> &'a str {
    ready[key].as_str().unwrap_or_else(|| panic!("no {key} in {ready}"))
}

/// The last line of a tail that ends after so many messages.
fn tail(ready: &Value, options: &[&str], messages: &str) -> Value {
    let lines = [
        "md",
        "tail",
        "--group",
        text(ready, "mold_a"),
        "--group-b",
        text(ready, "mold_b"),
        "--rerequest",
        text(ready, "rerequest"),
        "--messages",
        messages,
        "--seconds",
        "100",
    ];
    ask(&[&lines, options].concat()).pop().expect("a summary")
}

#[test]
fn who_joins_by_a_snapshot_needs_no_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::open(folder.path(), &["--agents", AGENTS]);
    let glimpse = text(&up.ready, "glimpse");
    let login = ["--glimpse", glimpse, "--user", "alpha1", "--password", "rialto"];
    // Something has gone by.
    tail(&up.ready, &["--join", "beginning"], "2000");
    let joined = tail(&up.ready, &login, "1500");
    assert_eq!(
        (joined["refused"].as_u64(), joined["lost"].as_u64()),
        (Some(0), Some(0)),
        "{joined}"
    );
    assert_eq!(joined["messages"], 1_500);
    assert_eq!(joined["instruments"].as_array().map(Vec::len), Some(3));
    assert!(joined["last_seq"].as_u64() > Some(2_000), "{joined}");
}

#[test]
fn what_memory_does_not_hold_comes_from_the_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::open(folder.path(), &["--agents", AGENTS]);
    tail(&up.ready, &["--join", "beginning"], "6000");
    let stopped = up.stop();
    assert_eq!(stopped["stopped"], true);
    // The same stream, by an exchange that remembers some 700 messages of it.
    let mut config = String::from("data = \".\"\ndurability = \"memory\"\nsegment_bytes = 16777216\n");
    config += "[ouch]\nlisten = \"127.0.0.1:0\"\n[fix]\nlisten = \"127.0.0.1:0\"\n";
    config += "[feed]\nline_a = \"239.192.77.3:0\"\nline_b = \"239.192.77.4:0\"\nrerequest = \"127.0.0.1:0\"\nmemory_bytes = 40000\n";
    for symbol in ["ACME", "BOLT", "COGS"] {
        writeln!(config, "[[instrument]]\nsymbol = \"{symbol}\"").expect("a string has room");
    }
    let path = folder.path().join("rialto.toml");
    std::fs::write(&path, config).expect("a file");
    let serve = Up::serve(&path);
    let told = tail(&serve.ready, &["--join", "beginning"], "6000");
    assert_eq!(
        (told["refused"].as_u64(), told["lost"].as_u64()),
        (Some(0), Some(0)),
        "{told}"
    );
    assert_eq!(
        (told["messages"].as_u64(), told["last_seq"].as_u64()),
        (Some(6_000), Some(6_000))
    );
    serve.stop();
}
