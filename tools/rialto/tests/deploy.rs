//! A second engine on the stream of a running exchange, over real sockets: compared at every number, cut over to and
//! rolled back, refused where it has no business, and never missed when it dies.

mod support;

use serde_json::Value;
use std::process::{Child, Command, Stdio};
use support::{Up, ask, complaint, until};

/// `rialto engine` as a process of its own.
struct Engine(Child);

impl Engine {
    fn start(ready: &Value) -> Self {
        let text = |name: &str| ready[name].as_str().expect("in the ready line").to_owned();
        let child = Command::new(env!("CARGO_BIN_EXE_rialto"))
            .args(["engine", "--follow", &text("follow"), "--key", &text("follow_key")])
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        Self(child)
    }
}

/// A test that fails leaves nothing running.
impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_second_engine_is_compared_cut_over_to_rolled_back_and_not_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    // Nobody returns because this machine is busy.
    let options = [
        "--agents",
        "4",
        "--follow-listen",
        "127.0.0.1:0",
        "--candidate-wait-ms",
        "600000",
    ];
    let up = Up::open(&data, &options);
    let deploy = |act: &[&str]| ask(&[&["deploy"], act, &["--data", place]].concat()).remove(0);
    let number = |line: &Value, name: &str| line[name].as_u64().unwrap_or_default();

    let none = complaint(&["deploy", "cut-over", "--data", place]);
    assert!(none.contains("rialto engine --follow"), "{none}");
    let engine = Engine::start(&up.ready);
    let agrees_beyond = |seq: u64| {
        until("a second engine that agrees", || {
            let status = deploy(&["status"]);
            assert_eq!(status["difference"], Value::Null, "{status}");
            (number(&status, "agreed") > seq && number(&status, "missed") == 0).then_some(status)
        })
    };
    let status = agrees_beyond(200);
    assert!(
        status["green"]["name"] == "green" && status["live"] == Value::Null,
        "{status}"
    );

    let routed = deploy(&["route", "ACME"]);
    assert_eq!(routed["routed"], 1, "{routed}");
    until("events by its word", || {
        (number(&deploy(&["status"]), "released_by_its_word") > 0).then_some(())
    });
    let after = number(&deploy(&["status"]), "frontier") + 50;
    let cut = deploy(&["cut-over", "--after", &after.to_string()]);
    assert_eq!(number(&cut, "after"), after, "{cut}");
    let status = agrees_beyond(after + 200);
    assert_eq!(status["live"], status["green"]["build"], "{status}");
    let back = deploy(&["rollback"]);
    let affected = &back["affected"];
    let names = |of: &str| affected[of].as_array().map_or(0, Vec::len);
    assert!(
        back["was_live"] == true && names("firms") > 0 && names("sessions") > 0 && names("instruments") > 0,
        "{back}"
    );
    // Since the first instrument waited for its word, which was before the cut-over.
    assert!(
        number(affected, "after") < after && number(affected, "up_to") > after,
        "{back}"
    );
    assert_eq!(deploy(&["status"])["live"], Value::Null);

    // It dies while it is waited for: the exchange goes on by its own word, and says so.
    deploy(&["cut-over"]);
    drop(engine);
    let status = until("a return", || {
        let status = deploy(&["status"]);
        (status["green"] == Value::Null && status["live"] == Value::Null).then_some(status)
    });
    assert!(status["last_return"]["was_live"] == true, "{status}");
    let before = number(&status, "frontier");
    until("an exchange that goes on", || {
        (number(&deploy(&["status"]), "frontier") > before + 100).then_some(())
    });

    // Had it ended in the middle of a command, the next one would say so before anything else, and be passed it over: here
    // one that never comes.
    let build = u64::from_str_radix(cut["cut_over"].as_str().expect("a build"), 16).expect("a number");
    let mut left = [build.to_le_bytes(), 999_999_999_999_u64.to_le_bytes()].concat();
    left.extend_from_slice(&0_u16.to_le_bytes());
    std::fs::write(data.join("follow.green.breath"), left).expect("a file");

    // It comes again, and the exchange ends while it is waited for.
    let again = Engine::start(&up.ready);
    until("it agrees again", || {
        let status = deploy(&["status"]);
        (status["green"] != Value::Null && number(&status, "agreed") > before).then_some(())
    });
    assert_eq!(deploy(&["status"])["quarantined"][0]["seq"], 999_999_999_999_u64);
    deploy(&["cut-over"]);
    let ended = up.stop();
    drop(again);
    let replayed = ask(&["replay", place]).remove(0);
    assert_eq!(replayed["state_hash"], ended["state_hash"]);
    let ranges = replayed["live"].as_array().expect("ranges");
    assert_eq!(ranges.len(), 5, "{replayed}");
    assert!(
        ranges[0]["green"] == cut["cut_over"] && ranges[0]["after"] == cut["after"],
        "{replayed}"
    );
    assert!(ranges[0]["this_build"] == true, "{replayed}");
}

#[cfg(not(feature = "defects"))]
#[test]
fn an_ordinary_build_has_no_prepared_defects() {
    let help = support::rialto(&["engine", "--help"]);
    assert!(!String::from_utf8_lossy(&help.stdout).contains("defect"));
    let binary = std::fs::read(env!("CARGO_BIN_EXE_rialto")).expect("the binary");
    // Words and symbols that only they bring.
    for symbol in [
        "a prepared crash on instrument",
        "reject-code",
        "6engine6defect",
        "engine::defect",
    ] {
        let found = binary.windows(symbol.len()).any(|bytes| bytes == symbol.as_bytes());
        assert!(!found, "{symbol} is in an ordinary build");
    }
}
