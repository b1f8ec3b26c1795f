//! The operator's acts by the command line: each is a command of the stream, and the running market obeys.

mod support;

use serde_json::{Value, json};
use support::{Up, ask, complaint, rialto};

#[test]
fn phases_rules_and_kill_switches_are_set_while_the_market_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0"]);
    let operate = |act: &[&str]| ask(&[&["operate"], act, &["--data", place]].concat()).remove(0);
    let refused = |act: &[&str]| complaint(&[&["operate"], act, &["--data", place]].concat());
    let door = up.ready["ouch"].as_str().expect("the door");
    // What became of an order of 100 ACME: its state or the exchange's reason.
    let order = |side: &str, user: &str, price: &str| {
        let order = ["order", "--ouch", door, "--user", user, "--password", "rialto"];
        let output = rialto(&[&order[..], &[side, "100", "ACME", "--price", price, "--json"]].concat());
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };

    let halted = operate(&["phase", "ACME", "halt"]);
    assert_eq!(
        (&halted["command"], &halted["events"][0]),
        (&json!("SetPhase"), &json!("PhaseChanged"))
    );
    let said = order("buy", "alpha1", "100.00");
    assert!(said.contains("phase") || said.contains("halt"), "{said}");
    assert_eq!(
        operate(&["phase", "ACME", "opening-auction"])["events"][0],
        "PhaseChanged"
    );
    assert!(!order("buy", "alpha1", "100.00").contains("rejected"));
    assert!(
        !order("sell", "beta1", "99.00").contains("rejected"),
        "crosses, and waits for the uncross"
    );
    let book = || ask(&["at", "end", "book", "ACME", "--data", place]).remove(0);
    assert_eq!(book()["trades"], 0);
    let opened = operate(&["phase", "ACME", "continuous"]);
    let events: Vec<&str> = opened["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(events.contains(&"Executed") || book()["trades"] == 1, "{events:?}");

    let ruled = operate(&[
        "rules",
        "ACME",
        r#"{"offers":["LIMIT","DAY","IMMEDIATE_OR_CANCEL"],"lot":100}"#,
    ]);
    assert_eq!(ruled["events"], json!(["RulebookSet"]));
    assert_eq!(operate(&["kill", "ALFA"])["command"], "SetKillSwitch");
    let said = order("buy", "alpha1", "99.00");
    assert!(said.contains("firm not authorized"), "{said}");
    operate(&["revive", "Alpha Securities"]);
    assert!(!order("buy", "alpha1", "98.00").contains("rejected"));
    assert_eq!(
        operate(&["cancel", "--symbol", "ACME", "--side", "buy"])["command"],
        "MassCancel"
    );
    assert_eq!(book()["bids"], json!([]));

    assert!(refused(&["phase", "ACME", "lunch"]).contains("pre-open"));
    assert!(refused(&["phase", "ACNE", "halt"]).contains("there are ACME"));
    assert!(refused(&["kill", "GAMA"]).contains("ALFA"));
    assert!(refused(&["rules", "ACME", r#"{"colour":1}"#]).contains("Rulebook"));
    let entry = r#"{"command":"Enter","fields":{"session":1}}"#;
    assert!(refused(&["command", entry]).contains("not for an operator"));
    let unknown = r#"{"command":"SetPhase","fields":{"instrument":99,"phase":"Halt"}}"#;
    assert!(refused(&["command", unknown]).contains("in the stream and was rejected: definition contradicts"));

    let ended = up.stop();
    assert!(refused(&["phase", "ACME", "halt"]).contains("start it"));
    let replayed = ask(&["replay", place]).remove(0);
    for name in ["last_seq", "state_hash", "event_hash"] {
        assert_eq!(replayed[name], ended[name], "{name}");
    }
}
