//! Days that are over leave the journal's folder: by hand and by a running exchange, and nobody misses them.

mod support;

use serde_json::Value;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use support::{Up, ask, complaint, until};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn configure(folder: &Path, more: &str) {
    let mut config = String::from("data = \"data\"\ndurability = \"memory\"\nsegment_bytes = 1048576\n");
    config.push_str("snapshot_every = 4\n[ouch]\nlisten = \"127.0.0.1:0\"\n[fix]\nlisten = \"127.0.0.1:0\"\n");
    config.push_str("[feed]\nline_a = \"239.192.77.5:0\"\n");
    config.push_str("line_b = \"239.192.77.6:0\"\nrerequest = \"127.0.0.1:0\"\n");
    for symbol in ["ACME", "BOLT", "COGS", "DELT", "ECHO"] {
        writeln!(config, "[[instrument]]\nsymbol = \"{symbol}\"").expect("a string has room");
    }
    config.push_str(more);
    std::fs::write(folder.join("rialto.toml"), config).expect("it can be written");
    // Nobody logs on.
    let credentials = folder.join("data/credentials.toml");
    std::fs::create_dir_all(folder.join("data")).expect("a folder");
    std::fs::write(&credentials, "[sessions]\n").expect("it can be written");
    std::fs::set_permissions(&credentials, Permissions::from_mode(0o600)).expect("it is ours");
}

/// Opens on a day, takes a snapshot behind what is defined, and ends in good order.
fn a_day(folder: &Path, day: &str, during: impl FnOnce(&str)) -> Value {
    let data = folder.join("data");
    let up = Up::serve_on(day, &folder.join("rialto.toml"));
    ask(&["snapshot", "take", text(&data)]);
    during(text(&data));
    up.stop()
}

fn listed(data: &str, archived: bool) -> Vec<String> {
    let all = ask(&["journal", "ls", data]);
    let those = all.iter().filter(|one| one["archived"] == archived);
    those
        .map(|one| one["file"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn days_that_are_over_leave_and_are_not_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (folder, data) = (folder.path(), folder.path().join("data"));
    let data = text(&data);
    configure(folder, "");
    for day in ["2026-06-22", "2026-06-23", "2026-06-24"] {
        a_day(folder, day, |_| {});
    }
    let before = ask(&["replay", data]).remove(0);
    let hashes = |of: &Value| ["last_seq", "state_hash", "event_hash"].map(|name| of[name].clone());
    let files = listed(data, false);
    assert_eq!(files.len(), 3, "one segment a start: {files:?}");

    // Nothing is changed before it is said that it shall.
    let said = complaint(&["journal", "prune", data]);
    assert!(said.contains("give --days or --bytes"), "{said}");
    let dry = ask(&["journal", "prune", data, "--bytes", "0", "--dry-run"]);
    let leaves: Vec<&Value> = dry.iter().map(|one| &one["leaves"]).collect();
    // Each start's segment begins on the day before: the second holds a part of the day on which the last one began.
    assert_eq!(leaves, [true, false, false], "{dry:?}");
    assert_eq!(dry[1]["verdict"], "stays: it holds a part of the current trading day");
    assert_eq!(dry[2]["verdict"], "stays: it may still be written");
    assert_eq!(listed(data, false), files);
    let dry = ask(&["journal", "prune", data, "--days", "20000", "--dry-run"]);
    assert_eq!(dry[0]["verdict"], "stays: within the bounds");
    let said = complaint(&["journal", "prune", data, "--bytes", "0"]);
    assert!(said.contains("give --archive DIR"), "{said}");

    // By hand, the first.
    let archive = folder.join("old");
    let bytes = dry
        .iter()
        .map(|one| one["bytes"].as_u64().expect("a number"))
        .sum::<u64>()
        - 1;
    let bytes = bytes.to_string();
    ask(&["journal", "prune", data, "--bytes", &bytes, "--archive", text(&archive)]);
    assert_eq!(listed(data, true), files[..1]);
    assert!(archive.join(&files[0]).exists());
    assert_eq!(hashes(&ask(&["replay", data]).remove(0)), hashes(&before));

    // By the exchange, what is over then; and it starts from its first command as ever.
    configure(folder, "[retention]\narchive = \"old\"\nbytes = 0\n");
    let ended = a_day(folder, "2026-06-25", |data| {
        until("one more in the archive", || {
            (listed(data, true) == files[..2]).then_some(())
        });
        let said = complaint(&["journal", "prune", data, "--bytes", "0"]);
        assert!(said.contains("journal is in use by another process"), "{said}");
        let first = ask(&["at", "2", "stats", "--data", data]).remove(0);
        assert_eq!(first["seq"], 2, "the past is all there: {first}");
    });
    let after = ask(&["replay", data]).remove(0);
    assert_eq!(after["state_hash"], ended["state_hash"]);
    assert_eq!(ask(&["journal", "verify", data])[0]["first_seq"], 1);

    // Where the archive is gone it is said from which number on there is something.
    std::fs::rename(&archive, folder.join("away")).expect("taken away");
    let first = ask(&["journal", "ls", data])[0]["first_seq"]
        .as_u64()
        .expect("a number");
    let says = format!("begins at sequence number {first}, 1 was asked for");
    assert!(complaint(&["replay", data]).contains(&says));
    let config = folder.join("rialto.toml");
    std::fs::remove_file(folder.join("data/journal/archive")).expect("it was named");
    configure(folder, "");
    let said = complaint(&["serve", "--config", text(&config)]);
    assert!(said.contains(&says), "{said}");
    // From the last snapshot on there is no need of it.
    let last = ended["last_seq"].to_string();
    let stats = ask(&["at", &last, "stats", "--data", data]).remove(0);
    assert_eq!(stats["state_hash"], ended["state_hash"], "{stats}");
}
