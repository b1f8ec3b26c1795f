//! `rialto md` at a running exchange: full depth and conflated, by the lines and over QUIC, what a feed team watches, and what a
//! firm may see.

mod support;

use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use support::{Up, ask, complaint};

fn text<'a>(ready: &'a Value, key: &str) -> &'a str {
    ready[key].as_str().unwrap_or_else(|| panic!("no {key} in {ready}"))
}

fn lines(ready: &Value) -> [&str; 6] {
    let [a, b, rerequest] = ["mold_a", "mold_b", "rerequest"].map(|key| text(ready, key));
    ["--group", a, "--group-b", b, "--rerequest", rerequest]
}

fn over_quic(ready: &Value) -> [&str; 10] {
    let (quic, cert) = (text(ready, "quic"), text(ready, "quic_cert"));
    [
        "--via",
        "quic",
        "--quic",
        quic,
        "--cert",
        cert,
        "--user",
        "alpha1",
        "--password",
        "rialto",
    ]
}

fn count(line: &Value, key: &str) -> u64 {
    line[key].as_u64().unwrap_or_else(|| panic!("no {key} in {line}"))
}

#[test]
fn every_mode_that_there_is_and_its_counters() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::open(folder.path(), &["--agents", "6"]);
    let quic = over_quic(&up.ready);
    let tail = |options: &[&str]| ask(&[&["md", "tail", "--seconds", "100"], options].concat());

    let told = tail(&[&lines(&up.ready)[..], &["--messages", "500"]].concat());
    let summary = told.last().expect("a summary");
    assert_eq!((count(summary, "messages"), count(summary, "lost")), (500, 0));

    let told = tail(&[&quic[..], &["--mode", "full", "--messages", "500"]].concat());
    let summary = told.last().expect("a summary");
    assert_eq!((count(summary, "messages"), count(summary, "refused")), (500, 0));
    assert_eq!((&told[0]["type"], &told[0]["mode"]), (&"mode".into(), &"full".into()));

    for pace in [&["--interval-ms", "20"][..], &["--budget", "100000"], &["--depth", "5"]] {
        let conflated = [&quic[..], &["--mode", "conflated", "--messages", "100"], pace].concat();
        let told = tail(&conflated);
        let summary = told.last().expect("a summary");
        assert!(count(summary, "updates") >= 100, "{summary}");
        assert_eq!(count(summary, "verified"), count(summary, "updates"), "{summary}");
        let books = told.iter().filter(|line| line["type"] == "book");
        assert!(
            books.clone().all(|book| count(book, "first") <= count(book, "last")),
            "a range stands for numbers"
        );
        assert!(books.count() > 0);
    }
    let few = ["md", "tail", "--mode", "conflated"];
    let said = complaint(&[&few[..], &lines(&up.ready)].concat());
    assert!(said.contains("--via quic"), "{said}");

    let stats = |options: &[&str]| ask(&[&["md", "stats", "--seconds", "3"], options].concat());
    let told = stats(&lines(&up.ready));
    let summary = told.last().expect("a summary");
    assert!(
        told.len() > 1 && summary["summary"] == true,
        "a line each second, and the summary"
    );
    assert!(
        count(summary, "packets_a") > 0 && count(summary, "packets_b") > 0,
        "{summary}"
    );
    assert!(
        count(summary, "messages") > 0 && count(summary, "messages_per_second") > 0,
        "{summary}"
    );
    assert_eq!(count(summary, "lost"), 0, "{summary}");
    for key in [
        "gaps",
        "gap_us_max",
        "duplicates",
        "requests",
        "recovered",
        "silence_ms",
        "next_seq",
    ] {
        count(summary, key);
    }
    let told = stats(&[&quic[..], &["--mode", "conflated", "--interval-ms", "100"]].concat());
    let summary = told.last().expect("a summary");
    assert!(told.len() > 1 && summary["summary"] == true);
    assert!(
        count(summary, "updates") > 0 && count(summary, "bytes") > 0,
        "{summary}"
    );
    assert_eq!(summary["mode"], "conflated");
    for key in [
        "conflated",
        "trades",
        "resyncs",
        "missed_trades",
        "verified",
        "moved",
        "silence_ms",
    ] {
        count(summary, key);
    }
    let told = stats(&[&quic[..], &["--mode", "full"]].concat());
    let summary = told.last().expect("a summary");
    assert!(
        count(summary, "messages_per_second") > 0 && count(summary, "full_messages") > 0,
        "{summary}"
    );
    assert_eq!(summary["mode"], "full");
    up.stop();
}

/// The symbols that anything was said about, statuses of the whole venue aside.
fn symbols(told: &[Value]) -> Vec<&str> {
    let mut symbols: Vec<&str> = told.iter().filter_map(|line| line["symbol"].as_str()).collect();
    symbols.retain(|symbol| !symbol.is_empty());
    symbols.sort_unstable();
    symbols.dedup();
    symbols
}

#[test]
fn a_firm_sees_the_instruments_it_may_and_asks_for_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::open(folder.path(), &["--agents", "6"]);
    ask(&[
        &["md", "tail", "--messages", "1000", "--seconds", "100"],
        &lines(&up.ready)[..],
    ]
    .concat());
    up.stop();
    // The same market, where one firm may see two of three instruments.
    let path = folder.path().join("rialto.toml");
    std::fs::write(&path, config(folder.path())).expect("a file");
    let serve = Up::serve(&path);
    let quic = over_quic(&serve.ready);
    let seen = |options: &[&str]| {
        let told = ask(&[&["md", "tail", "--seconds", "3"], &quic[..], options].concat());
        symbols(&told).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(seen(&["--mode", "conflated"]), ["ACME", "COGS"]);
    assert_eq!(seen(&["--mode", "full"]), ["ACME", "COGS"]);
    assert_eq!(seen(&["--mode", "conflated", "--symbols", "BOLT,COGS"]), ["COGS"]);
    assert!(seen(&["--mode", "full", "--symbols", "BOLT"]).is_empty());
    serve.stop();
}

fn config(data: &Path) -> String {
    let mut config = format!("data = {:?}\ndurability = \"memory\"\nsegment_bytes = 16777216\n", data);
    config += "[ouch]\nlisten = \"127.0.0.1:0\"\n[fix]\nlisten = \"127.0.0.1:0\"\n[quic]\nlisten = \"127.0.0.1:0\"\n";
    config += "[feed]\nline_a = \"239.192.77.5:0\"\nline_b = \"239.192.77.6:0\"\nrerequest = \"127.0.0.1:0\"\n";
    for symbol in ["ACME", "BOLT", "COGS"] {
        writeln!(config, "[[instrument]]\nsymbol = \"{symbol}\"").expect("a string has room");
    }
    config += "[[firm]]\nname = \"Alpha Securities\"\nmpid = \"ALFA\"\nmarket_data = [\"ACME\", \"COGS\"]\n";
    config += "[[firm.session]]\nname = \"alpha1\"\ndoor = \"ouch\"\n";
    config
}
