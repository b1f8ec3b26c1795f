//! Flags of a running exchange by the command line: switched, explained, retired, refused where a process does not know them;
//! and those of its edge over HTTP. The replay needs nothing but the stream.

mod support;

use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{Up, ask, complaint, rialto, until};

/// A follower of a running exchange, killed with the test.
struct Follower(Child);

impl Follower {
    fn start(ready: &Value, name: &str) -> Self {
        let text = |name: &str| ready[name].as_str().expect("in the ready line").to_owned();
        let child = Command::new(env!("CARGO_BIN_EXE_rialto"))
            .args([
                "follow",
                &text("follow"),
                "--key",
                &text("follow_key"),
                "--json",
                "--name",
                name,
            ])
            .stdout(Stdio::null())
            .spawn();
        Self(child.expect("the binary starts"))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const FLAG: &str = "matching.self-trade-by-account";

#[test]
fn a_flag_is_set_explained_cleared_and_retired_and_the_replay_sees_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0"]);
    assert_eq!(up.ready["flags"], ask(&["flag", "hash"]).remove(0)["flag_table"]);
    let flag = |words: &[&str]| ask(&[&["flag"], words, &["--data", place]].concat());
    let refused = |words: &[&str]| complaint(&[&["flag"], words, &["--data", place]].concat());
    let explain = |session: &str, at: &[&str]| {
        let line = flag(&[&["explain", FLAG, "--session", session], at].concat()).remove(0);
        (
            line["is"].clone(),
            line["since"].as_u64(),
            line["because"].as_str().expect("why").to_owned(),
        )
    };
    assert_eq!(explain("alpha1", &[]).0, "off");
    let set = flag(&["set", FLAG, "on", "--firm", "ALFA"]).remove(0);
    assert_eq!(set["events"], json!(["FlagSwitched"]));
    let since = set["seq"].as_u64();
    let (is, told, why) = explain("alpha1", &[]);
    assert_eq!((is, told), (json!("on"), since));
    assert!(why.contains("firm ALFA"), "{why}");
    assert_eq!(explain("beta1", &[]).0, "off");
    // In front of the switch.
    let before = (since.expect("a number") - 1).to_string();
    assert_eq!(explain("alpha1", &["--at", &before]).0, "off");
    flag(&["set", FLAG, "on", "--percent", "100"]);
    assert_eq!(explain("beta1", &[]).0, "on");
    flag(&["clear", FLAG, "--percent", "0"]);
    assert_eq!(explain("beta1", &[]).0, "off");
    let listed = flag(&["ls"]);
    let own = listed.iter().find(|line| line["key"] == FLAG).expect("it");
    assert_eq!(own["rules"][0]["target"], "firm ALFA", "{own}");
    assert_eq!((&own["owner"], &own["retired"]), (&json!("matching"), &json!(false)));

    assert!(refused(&["set", FLAG, "maybe"]).contains("off or on"));
    assert!(refused(&["set", "no.such", "on"]).contains(FLAG));
    assert!(refused(&["set", FLAG, "on", "--instrument", "ACME"]).contains("decided for a session"));
    assert!(refused(&["set", FLAG, "on", "--percent", "101"]).contains("no percentage"));
    assert!(refused(&["set", "feed.heartbeat-ms", "100"]).contains("at the edge"));
    assert!(refused(&["explain", "bands.collar-rounding"]).contains("--instrument"));
    flag(&["retire", FLAG]);
    assert!(refused(&["set", FLAG, "on"]).contains("retired"));

    let ended = up.stop();
    // On the stopped folder the past is still explained; a flag is not set there.
    assert_eq!(
        explain("alpha1", &["--at", &since.expect("a number").to_string()]).0,
        "on"
    );
    assert!(explain("alpha1", &[]).2.contains("retired"));
    assert!(refused(&["set", FLAG, "on"]).contains("start it"));
    // Whatever a flag service says: absent, reversed, lying, broken.
    for service in [
        None,
        Some("[\"console.order-entry\"]\nis = \"off\"\n"),
        Some("[\"feed.heartbeat-ms\"]\nis = 60000\n"),
        Some("no"),
    ] {
        let file = data.join("edge-flags.toml");
        match service {
            Some(says) => std::fs::write(&file, says).expect("written"),
            None => assert!(!file.exists()),
        }
        let replayed = ask(&["replay", place]).remove(0);
        for name in ["last_seq", "state_hash", "event_hash"] {
            assert_eq!(replayed[name], ended[name], "{name}");
        }
    }
}

/// SEC release 34-70694, as it should have been: eight servers, and one of them without the new code.
#[test]
fn one_of_eight_processes_with_a_stale_table_is_refused_and_so_is_the_flag_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0", "--follow-listen", "127.0.0.1:0"]);
    let text = |name: &str| up.ready[name].as_str().expect("in the ready line").to_owned();
    let mut followers: Vec<Follower> = (1..=7)
        .map(|one| Follower::start(&up.ready, &format!("SMARS{one}")))
        .collect();
    let status = || ask(&["status", "--data", place]).remove(0);
    until("seven processes that have said who they are", || {
        let status = status();
        let named = status["followers"]
            .as_array()?
            .iter()
            .filter(|one| one["flag_table"] == up.ready["flags"]);
        (named.count() == 7).then_some(())
    });
    let set = || ["flag", "set", FLAG, "on", "--data", place];
    assert_eq!(ask(&set()).remove(0)["events"], json!(["FlagSwitched"]));
    ask(&["flag", "clear", FLAG, "--data", place]);

    // The eighth comes with the table of another build: it is refused at the door, with cause and mend.
    let (address, key) = (text("follow"), text("follow_key"));
    let said = complaint(&[
        "follow",
        &address,
        "--key",
        &key,
        "--name",
        "SMARS8",
        "--flag-table",
        "00000000deadbeef",
    ]);
    assert!(
        said.contains("00000000deadbeef") && said.contains("from the build of the exchange"),
        "{said}"
    );
    // And the flag is refused by its name.
    let said = complaint(&set());
    assert!(said.contains("SMARS8") && said.contains("00000000deadbeef"), "{said}");
    assert_eq!(status()["refused"][0]["name"], "SMARS8");
    // To turn it off is never refused.
    let off = ["flag", "set", FLAG, "off", "--data", place];
    assert_eq!(ask(&off).remove(0)["command"], "SwitchFlag");
    // The refusal is in the record.
    until("the refusal in the journal", || {
        let lines = ask(&["journal", "tail", &Path::new(place).display().to_string()]);
        let found = lines.iter().find(|line| line["command"] == "RefuseProcess")?;
        (found["fields"]["name"] == "SMARS8").then_some(())
    });
    // It comes again from the right build, and the flag may be turned on.
    let eighth = Follower::start(&up.ready, "SMARS8");
    until("the eighth process", || {
        (status()["followers"].as_array()?.len() == 8).then_some(())
    });
    until("that nobody is refused", || {
        (status()["refused"] == json!([])).then_some(())
    });
    assert_eq!(ask(&set()).remove(0)["events"], json!(["FlagSwitched"]));
    // Or it is said to be gone. One of the others leaves: eight may follow at a time.
    drop(followers.pop());
    until("room at the door", || {
        (status()["followers"].as_array()?.len() == 7).then_some(())
    });
    complaint(&["follow", &address, "--key", &key, "--name", "old", "--flag-table", "1"]);
    assert!(complaint(&["flag", "set", FLAG, "on", "--firm", "ALFA", "--data", place]).contains("old at"));
    // It is remembered by an exchange that is started again, and named.
    complaint(&["follow", &address, "--key", &key, "--name", "gone", "--flag-table", "2"]);
    drop((followers, eighth));
    up.stop();
    let up = Up::open(&data, &["--agents", "0", "--follow-listen", "127.0.0.1:0"]);
    let said = complaint(&["flag", "set", FLAG, "on", "--firm", "ALFA", "--data", place]);
    assert!(
        said.contains("old at an exchange before this one") && said.contains("gone at"),
        "{said}"
    );
    assert!(!said.contains("SMARS8"), "it has come from the right build: {said}");
    let listed = rialto(&["flag", "ls", "--data", place]);
    let listed = [listed.stdout, listed.stderr].concat();
    assert!(String::from_utf8_lossy(&listed).contains("refused: old at"));
    let deployed = ask(&["deploy", "status", "--data", place]).remove(0);
    assert_eq!(deployed["refused"].as_array().map(Vec::len), Some(2), "{deployed}");
    ask(&["flag", "forget", "gone", "--data", place]);
    ask(&["flag", "forget", "old", "--data", place]);
    assert!(complaint(&["flag", "forget", "old", "--data", place]).contains("was refused"));
    assert_eq!(
        ask(&["flag", "set", FLAG, "on", "--firm", "ALFA", "--data", place]).remove(0)["events"],
        json!(["FlagSwitched"])
    );
    // Nor is what was said to be gone remembered.
    up.stop();
    let up = Up::open(&data, &["--agents", "0", "--follow-listen", "127.0.0.1:0"]);
    assert_eq!(status()["refused"], json!([]));
    let ended = up.stop();
    let replayed = ask(&["replay", place]).remove(0);
    assert_eq!(replayed["state_hash"], ended["state_hash"]);
}

/// Posts with the console's key; status and body.
fn post(ready: &Value, path: &str, body: &str) -> (u16, String) {
    let address = ready["http"].as_str().expect("an address");
    let (_, key) = ready["console"]
        .as_str()
        .and_then(|url| url.split_once("#key="))
        .expect("a key");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a socket");
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-API-Key: {key}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

#[test]
fn flags_of_the_edge_are_read_from_a_file_and_told_over_http() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    let file = data.join("edge-flags.toml");
    std::fs::write(&file, "[\"feed.heartbeat-ms\"]\nis = 100\n").expect("written");
    let up = Up::open(&data, &["--agents", "0"]);
    let flag = |key: &str| {
        let (status, body) = post(&up.ready, &format!("/ofrep/v1/evaluate/flags/{key}"), "{}");
        (status, serde_json::from_str::<Value>(&body).expect("JSON"))
    };
    let (status, told) = flag("feed.heartbeat-ms");
    assert_eq!(
        (status, &told["value"], &told["reason"]),
        (200, &json!(100), &json!("STATIC"))
    );
    let (status, told) = flag("console.order-entry");
    assert_eq!(
        (status, &told["value"], &told["reason"]),
        (200, &json!(true), &json!("DEFAULT"))
    );
    assert_eq!(flag("bands.collar-rounding").0, 404);
    let order = r#"{"symbol":"ACME","side":"buy","quantity":100,"price":"1.00"}"#;
    let (status, said) = post(&up.ready, "/api/v1/orders", order);
    assert!(status != 403, "{said}");
    std::fs::write(&file, "[\"console.order-entry\"]\nis = \"off\"\n").expect("written");
    until("the file to be read again", || {
        (flag("console.order-entry").1["value"] == false).then_some(())
    });
    until("a desk that takes no orders", || {
        let (status, said) = post(&up.ready, "/api/v1/orders", order);
        (status == 403 && said.contains("console.order-entry")).then_some(())
    });
    up.stop();
}

/// A firm that sends more than it may is killed by a command that says why, and the story of its order says so.
#[test]
fn a_runaway_is_killed_and_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0"]);
    let operate = |act: &[&str]| ask(&[&["operate"], act, &["--data", place]].concat()).remove(0);
    let set = operate(&["limit", "ALFA", "--window", "60000", "--orders", "2"]);
    assert_eq!(set["events"], json!(["RunawayLimitsSet"]));
    assert_eq!(operate(&["parent", "ALFA", "P", "500"])["events"], json!(["ParentSet"]));
    let door = up.ready["ouch"].as_str().expect("the door");
    let order = || {
        let order = [
            "order",
            "--ouch",
            door,
            "--user",
            "alpha1",
            "--password",
            "rialto",
            "buy",
            "100",
            "ACME",
        ];
        rialto(&[&order[..], &["--price", "90.00", "--json"]].concat())
    };
    let first = order();
    let first: Value =
        serde_json::from_slice(first.stdout.split(|byte| *byte == b'\n').next().expect("a line")).expect("JSON");
    order();
    order();
    let tail = || ask(&["journal", "tail", place]);
    let trip = until("the kill", || {
        tail().into_iter().find(|line| line["command"] == "TripRunaway")
    });
    assert_eq!(
        (&trip["fields"]["trip"]["cause"], &trip["fields"]["trip"]["measured"]),
        (&json!("Orders"), &json!(3))
    );
    let said = String::from_utf8_lossy(&order().stderr).into_owned() + &String::from_utf8_lossy(&order().stdout);
    assert!(said.contains("not authorized") || said.contains("kill"), "{said}");
    let entered = tail()
        .into_iter()
        .find(|line| line["command"] == "Enter")
        .expect("an order");
    let id = entered["seq"].to_string();
    let story = ask(&["explain", &id, "--data", place]);
    let last = story.last().expect("its end").to_string();
    assert!(last.contains("runaway"), "{last} {first}");
    let ended = up.stop();
    let replayed = ask(&["replay", place]).remove(0);
    assert_eq!(replayed["state_hash"], ended["state_hash"]);
}
