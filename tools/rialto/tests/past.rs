//! The past by the command line, on a running exchange and on a stopped one: the same answers, and clear complaints.

mod support;

use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use support::{Up, ask, complaint, until};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// An answer without what depends on the snapshots there are.
fn plain(mut answer: Value) -> Value {
    for name in ["from_snapshot", "replayed"] {
        answer.as_object_mut().expect("an object").remove(name);
    }
    answer
}

#[test]
fn a_running_exchange_and_its_files_say_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    // A path that is too long for a socket's address by itself.
    let data = folder.path().join("d".repeat(150));
    let place = text(&data);
    let up = Up::open(&data, &["--agents", "4", "--snapshot-every", "150"]);
    let mode = std::fs::metadata(data.join("admin.sock"))
        .expect("the socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let status = until("two snapshots and 400 commands", || {
        let status = ask(&["status", "--data", place]).remove(0);
        let enough = status["snapshots"].as_u64() >= Some(2) && status["released_up_to"].as_u64() >= Some(400);
        enough.then_some(status)
    });
    assert_eq!(
        (&status["live"], &status["snapshots_follow"]["problem"]),
        (&Value::Bool(true), &Value::Null)
    );
    let taken = ask(&["snapshot", "take", place]).remove(0);

    let commands = ask(&["journal", "tail", place, "--from", "1", "-n", "400"]);
    let entered = commands
        .iter()
        .filter(|one| one["command"] == "Enter")
        .map(|one| one["seq"].to_string());
    let orders: Vec<String> = entered.take(20).collect();
    assert!(!orders.is_empty(), "agents enter orders");
    let order = text(Path::new(&orders[0]));
    let questions: Vec<Vec<&str>> = vec![
        vec!["at", "400", "stats", "--data", place],
        vec!["at", "155", "stats", "--data", place],
        vec!["at", "300", "book", "ACME", "--data", place],
        vec!["at", "300", "member", "Alpha Securities", "--data", place],
        vec!["at", "20", "stats", "--data", place],
    ];
    let live: Vec<Value> = questions
        .iter()
        .map(|question| plain(ask(question).remove(0)))
        .collect();
    assert!(!ask(&["order", "history", order, "--data", place]).is_empty());
    assert!(complaint(&["at", "999999999", "stats", "--data", place]).contains("has not been yet"));

    let ended = up.stop();
    assert!(!data.join("admin.sock").exists());
    let last = ask(&["at", "end", "stats", "--data", place]).remove(0);
    for name in ["state_hash", "event_hash"] {
        assert_eq!(last[name], ended[name], "{name}");
    }
    assert_eq!(last["seq"], ended["last_seq"]);
    let listed = ask(&["snapshot", "ls", place]);
    let own = listed
        .iter()
        .find(|one| one["seq"] == taken["seq"])
        .expect("the one that was asked for");
    assert_eq!(own["state_hash"], taken["state_hash"]);
    let then: Vec<Value> = questions
        .iter()
        .map(|question| plain(ask(question).remove(0)))
        .collect();
    assert_eq!(then, live);
    let stories: Vec<Vec<Value>> = orders.iter().map(|id| ask(&["explain", id, "--data", place])).collect();
    for one in listed {
        ask(&["snapshot", "drop", place, "--seq", &one["seq"].to_string()]);
    }
    assert!(ask(&["snapshot", "ls", place]).is_empty());
    let without: Vec<Value> = questions
        .iter()
        .map(|question| plain(ask(question).remove(0)))
        .collect();
    assert_eq!(without, live);
    let again: Vec<Vec<Value>> = orders.iter().map(|id| ask(&["explain", id, "--data", place])).collect();
    assert_eq!(again, stories);
    // For people, too.
    for question in &questions {
        assert!(support::rialto(question).status.success());
    }
    assert!(support::rialto(&["explain", order, "--data", place]).status.success());
}

#[test]
fn bad_requests_are_answered_and_hold_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let up = Up::open(&data, &["--agents", "0"]);
    let socket = data.join("admin.sock");
    let said = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&socket).expect("it listens");
        stream.set_read_timeout(Some(support::PATIENCE)).expect("a timeout");
        // It may answer and close before it has read everything.
        let _ = stream.write_all(bytes);
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    };
    for (request, word) in [
        (&b"nonsense\n"[..], "error"),
        (b"{\"ask\":\"everything\"}\n", "unknown variant"),
        (b"\xff\xfe\n", "error"),
        (
            b"{\"ask\":\"at\",\"seq\":1,\"what\":{\"book\":{\"symbol\":null,\"levels\":18446744073709551615}}}\n",
            "ok",
        ),
        (&[b' '; 10_000], "longer than 4096 bytes"),
    ] {
        assert!(said(request).contains(word), "{:?}", said(request));
    }
    // Who says nothing takes one of four places, and only for so long.
    let silent: Vec<_> = (0..4)
        .map(|_| UnixStream::connect(&socket).expect("it listens"))
        .collect();
    until("a place", || {
        said(b"{\"ask\":\"status\"}\n").contains("\"live\":true").then_some(())
    });
    drop(silent);
    up.kill();

    // A killed exchange leaves its socket behind: the files answer, and the next one takes the socket's place.
    assert!(socket.exists());
    let place = text(&data);
    assert_eq!(ask(&["status", "--data", place])[0]["live"], Value::Bool(false));
    let up = Up::open(&data, &["--agents", "0"]);
    assert_eq!(ask(&["status", "--data", place])[0]["live"], Value::Bool(true));
    std::thread::sleep(Duration::from_millis(1));
    up.stop();
}

#[test]
fn a_fork_goes_on_and_its_change_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let data = path("data");
    let up = Up::open(Path::new(&data), &["--agents", "4", "--snapshot-every", "0"]);
    until("200 commands", || {
        let released = ask(&["status", "--data", &data])[0]["released_up_to"].as_u64();
        (released >= Some(200)).then_some(())
    });
    assert!(complaint(&["fork", &data, "--at", "100", "--into", &path("live")]).contains("stop it before"));
    up.stop();

    let there = ask(&["at", "150", "stats", "--data", &data]).remove(0);
    let copied = ask(&["fork", &data, "--at", "150", "--into", &path("copy")]).remove(0);
    assert_eq!(
        (&copied["last_seq"], &copied["state_hash"], &copied["event_hash"]),
        (&Value::from(150), &there["state_hash"], &there["event_hash"])
    );
    let replayed = ask(&["replay", &path("copy")]).remove(0);
    assert_eq!(replayed["state_hash"], there["state_hash"]);

    let commands = ask(&["journal", "tail", &data, "--from", "1", "-n", "150"]);
    let order = commands
        .iter()
        .find(|one| one["command"] == "Enter")
        .expect("agents enter orders");
    let number = order["seq"].to_string();
    ask(&[
        "fork",
        &data,
        "--at",
        "150",
        "--into",
        &path("dropped"),
        "--drop",
        &number,
    ]);
    let compared = ask(&["journal", "diff", &data, &path("dropped")]).remove(0);
    assert_eq!(
        (&compared["equal"], &compared["first_difference"]),
        (&Value::Bool(false), &order["seq"])
    );
    assert_eq!(&compared["left"]["record"]["fields"], &order["fields"]);
    assert_eq!(compared["right"]["record"]["command"], "Tick");

    let mut other = order.clone();
    other["fields"]["quantity"] = Value::from(7);
    std::fs::write(path("other.json"), other.to_string()).expect("room");
    let number = number.as_str();
    let other = path("other.json");
    ask(&[
        "fork",
        &data,
        "--at",
        "150",
        "--into",
        &path("replaced"),
        "--replace",
        number,
        &other,
    ]);
    let found = ask(&["journal", "tail", &path("replaced"), "--from", number, "-n", "1"]).remove(0);
    assert_eq!(
        (&found["fields"]["quantity"], &found["stamp"]),
        (&Value::from(7), &order["stamp"])
    );
    assert_eq!(ask(&["journal", "diff", &data, &data])[0]["equal"], Value::Bool(true));

    // An exchange goes on with a fork.
    let ended = Up::open(Path::new(&path("replaced")), &["--agents", "0"]).stop();
    assert!(ended["last_seq"].as_u64() >= Some(150));
    assert!(complaint(&["fork", &data, "--at", "150", "--into", &path("copy")]).contains("not empty"));
    assert!(complaint(&["fork", &data, "--at", "99999999", "--into", &path("far")]).contains("ends at"));
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    std::fs::create_dir_all(path("empty/journal")).expect("a folder");
    let cases: &[(&[&str], &str)] = &[
        (&["at", "1", "stats", "--data", &path("none")], "no journal at"),
        (&["at", "1", "stats", "--data", &path("empty")], "no command"),
        (&["at", "1", "stats"], "--data DIR"),
        (
            &["at", "soon", "stats", "--data", &path("empty")],
            "give a sequence number",
        ),
        (&["order", "history", "1", "--data", &path("empty")], "has not been yet"),
        (&["explain", "1", "--data", &path("none")], "no journal at"),
        (&["snapshot", "take", &path("empty")], "no command"),
        (
            &["snapshot", "drop", &path("empty"), "--seq", "4"],
            "no folder of snapshots",
        ),
        (
            &["fork", &path("none"), "--at", "1", "--into", &path("x")],
            "no journal at",
        ),
        (&["journal", "diff", &path("none"), &path("empty")], "no journal at"),
        (&["order", "buy", "1", "ACME"], "--ouch HOST:PORT"),
    ];
    for (arguments, word) in cases {
        let said = complaint(arguments);
        assert!(said.contains(word), "{arguments:?}: no {word:?} in {said:?}");
    }

    let data = path("data");
    Up::open(Path::new(&data), &["--agents", "0"]).stop();
    let segment = std::fs::read_dir(path("data/journal"))
        .expect("the journal")
        .map(|entry| entry.expect("an entry").path())
        .filter(|file| file.extension().is_some_and(|kind| kind == "journal"))
        .min()
        .expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("it reads");
    bytes[150] ^= 1;
    std::fs::write(&segment, bytes).expect("room");
    for arguments in [
        &["at", "end", "stats", "--data", &data][..],
        &["order", "history", "9", "--data", &data],
        &["fork", &data, "--at", "5", "--into", &path("y")],
    ] {
        let said = complaint(arguments);
        assert!(said.contains("0000000001.journal at byte"), "{said}");
    }
}
