//! Faults on purpose at a running exchange: each kind that touches a member is felt while it stands and not afterwards, and
//! the stream replays to the same hashes.

mod support;

use serde_json::{Value, json};
use std::time::Instant;
use support::{Up, ask, complaint, rialto, until};

#[test]
fn faults_are_felt_while_they_stand_and_replay_to_the_same_hashes() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0"]);
    let fault = |words: &[&str]| ask(&[&["fault"], words, &["--data", place]].concat());
    let add = |words: &[&str]| {
        let told = fault(&[&["add"], words].concat()).remove(0);
        assert_eq!(told["events"][0], "FaultAdded", "{told}");
        told
    };
    let mend = |name: &str| {
        let told = fault(&["rm", name]).remove(0);
        assert_eq!(told["events"][0], "FaultRemoved", "{told}");
    };
    let struck = |name: &str| {
        let standing = fault(&["ls"]);
        let one = standing.iter().find(|one| one["name"] == name).expect("it stands");
        one["struck"].as_u64().expect("a number")
    };
    let door = up.ready["ouch"].as_str().expect("the door").to_owned();
    // An order of alpha1: what the exchange said of it.
    let order = |symbol: &str| {
        let words = [
            "order",
            "--ouch",
            &door,
            "--user",
            "alpha1",
            "--password",
            "rialto",
            "--json",
        ];
        let output = rialto(&[&words[..], &["buy", "1", symbol, "--price", "10.00"]].concat());
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    assert!(order("ACME").contains("accepted"));

    add(&["no", "reject", "--session", "alpha1", "--seed", "7"]);
    assert!(order("ACME").contains("reject"), "{}", order("ACME"));
    mend("no");
    assert!(order("ACME").contains("accepted"));

    let halted = add(&["halt", "halted-symbol", "--symbol", "BOLT"]);
    assert_eq!(halted["events"], json!(["FaultAdded", "PhaseChanged"]));
    assert!(order("BOLT").contains("reject"));
    assert!(order("ACME").contains("accepted"));
    mend("halt");
    assert!(order("BOLT").contains("accepted"));

    // Late at the edge of the venue: nobody is told before.
    for (name, kind) in [("far", "latency"), ("disk", "slow-disk")] {
        add(&[name, kind, "--delay-us", "700000"]);
        let begun = Instant::now();
        assert!(order("ACME").contains("accepted"));
        assert!(begun.elapsed().as_millis() >= 700, "{kind}");
        assert!(struck(name) > 0, "{kind}");
        mend(name);
    }
    add(&["gone", "disconnect", "--session", "alpha1"]);
    assert!(!order("ACME").contains("accepted"));
    assert!(struck("gone") > 0);
    mend("gone");
    assert!(order("ACME").contains("accepted"));
    for kind in ["duplicate", "drop"] {
        add(&["line", kind, "--session", "alpha2"]);
        assert!(order("ACME").contains("accepted"), "another session has the fault");
        assert_eq!(struck("line"), 0, "{kind}");
        mend("line");
    }
    add(&["gap", "multicast-gap", "--line", "b", "--chance", "1000000"]);
    until("a gap on line B", || (struck("gap") > 0).then_some(()));
    mend("gap");

    // An hour ahead, and no way back for the stamps.
    add(&["ahead", "clock-step", "--delay-us", "3600000000"]);
    order("ACME");
    let tail = ask(&["journal", "tail", place, "--count", "1"]);
    let stamp = tail.last().expect("a command")["stamp"].as_u64().expect("a stamp");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    assert!(u128::from(stamp) > now.as_nanos() + 3_000_000_000_000, "{stamp}");
    assert!(struck("ahead") > 0);

    let refused = |words: &[&str]| complaint(&[&["fault"], words, &["--data", place]].concat());
    assert!(refused(&["add", "x", "meteor"]).contains("latency"));
    assert!(refused(&["add", "x", "latency"]).contains("takes --delay-us"));
    assert!(refused(&["add", "x", "drop", "--session", "nobody"]).contains("nobody"));
    assert!(refused(&["rm", "nothing"]).contains("there are ahead"));
    assert!(refused(&["add", "ahead", "clock-step", "--delay-us", "1"]).contains("rialto fault ls"));

    // What stands is there again after a crash, and the whole replays.
    up.kill();
    let up = Up::open(&data, &["--agents", "0"]);
    let standing: Vec<Value> = fault(&["ls"]);
    assert_eq!(standing.len(), 1);
    assert_eq!(
        (&standing[0]["name"], &standing[0]["kind"]),
        (&json!("ahead"), &json!("clock-step"))
    );
    let ended = up.stop();
    let replayed = ask(&["replay", place]).remove(0);
    for name in ["last_seq", "state_hash", "event_hash"] {
        assert_eq!(replayed[name], ended[name], "{name}");
    }
    assert_eq!(fault(&["ls"])[0]["struck"], Value::Null, "at rest nothing strikes");
}
