//! Ready markets on a running exchange, and its essentials in a terminal.

mod support;

use support::{Up, ask, complaint, rialto, until};

/// One frame of `rialto top`, where the exchange answers in time.
fn frame(url: &str, options: &[&str]) -> Option<String> {
    let output = rialto(&[&["top", url, "--once"], options].concat());
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn an_auction_is_collected_and_uncrossed_as_top_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--scenario", "auction", "--liquidity", "2"]);
    let url = up.ready["console"].as_str().expect("the console").to_owned();
    let called = until("an indicative price", || {
        frame(&url, &["--symbol", "BOLT"]).filter(|frame| frame.contains("auction") && frame.contains(" BOLT "))
    });
    let lines: Vec<&str> = called.lines().collect();
    assert_eq!(lines.len(), 24, "{called}");
    assert!(
        lines[0].contains("sequence") && lines[0].contains("frontier"),
        "{called}"
    );
    for part in ["Instruments", "Trades", "Sessions", "OUCH", "Subscribers", "p50"] {
        assert!(called.contains(part), "no {part}:\n{called}");
    }
    // The uncross is a trade of no side, and trading goes on from there.
    let traded = until("trading behind the uncross", || {
        frame(&url, &["--size", "160x50"]).filter(|frame| frame.contains("trading") && frame.contains("ACME depth"))
    });
    assert_eq!(traded.lines().count(), 50);

    let wrong = format!("{}0", &url);
    assert!(complaint(&["top", &wrong, "--once"]).contains("another key"));
    assert!(complaint(&["top", "127.0.0.1:1", "--once"]).contains("rialto up"));

    let ended = up.stop();
    let replayed = ask(&["replay", place]).remove(0);
    for name in ["last_seq", "state_hash", "event_hash"] {
        assert_eq!(replayed[name], ended[name], "{name}");
    }
    let audited = ask(&["audit", "tail", place]);
    let by = audited.iter().filter(|act| act["who"] == "scenario");
    assert!(by.count() >= 6, "{audited:?}");
    assert!(complaint(&["top", &url, "--once"]).contains("is the exchange up?"));
}

#[test]
fn scenarios_are_listed_and_unknown_ones_refused() {
    let listed = rialto(&["up", "--scenario", "help"]);
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    for name in ["quiet", "busy", "thin", "flash-crash", "auction", "day:FILE"] {
        assert!(listed.contains(name), "{listed}");
    }
    assert!(complaint(&["up", "--scenario", "loud"]).contains("flash-crash"));
    assert!(complaint(&["up", "--scenario", "day:nowhere/X_1.tape"]).contains("X_1.tape"));
    assert!(complaint(&["up", "--liquidity", "0"]).contains("0.05"));
    assert!(complaint(&["up", "--speed", "max"]).contains("--with-me"));
}
