//! The binary under bad circumstances: each gets an exit code that is not 0 and a line that names cause and mend.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn rialto(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(arguments)
        .output()
        .unwrap()
}

/// An exchange that is open, and its first line.
fn up(data: &Path) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(["up", "--json", "--agents", "0", "--durability", "disk", "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (child, line)
}

#[track_caller]
fn complains(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it succeeded: {said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in {said:?}");
    }
}

#[test]
fn bad_folders_and_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("file"), "not a folder").unwrap();
    std::fs::create_dir(path("full")).unwrap();
    std::fs::write(path("full/something"), "").unwrap();
    std::fs::write(path("tape"), "A g1 1 100 5\n= 1\nQ\n").unwrap();
    std::fs::write(path("crossed"), "A g1 1 100 5\nM 1 100 5 g1\n= 1\n").unwrap();
    std::fs::write(path("colour.toml"), "data = \"d\"\ncolour = 1\n").unwrap();
    let firm = "[[firm]]\nname = \"Alpha\"\nmpid = \"ALFA\"\n[[firm.session]]\nname = \"alpha1\"\ndoor = \"ouch\"\n";
    std::fs::write(path("bare.toml"), format!("data = \"d\"\n{firm}")).unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["up", "--seconds", "0", "--data", &path("file/under")],
            &["cannot make the data folder"],
        ),
        (
            &["up", "--seconds", "0", "--layout", "three"],
            &["possible values: auto, one, two, per-core"],
        ),
        (
            &["up", "--seconds", "0", "--durability", "hope", "--data", &path("u1")],
            &["possible values: memory, disk"],
        ),
        (
            &["up", "--seconds", "0", "--idle", "nap", "--data", &path("u2")],
            &["possible values: park, yield, spin"],
        ),
        (&["up", "--trading-day", "2026-02-30"], &["no such day"]),
        (&["replay", &path("nothing")], &["no journal at"]),
        (&["journal", "verify", &path("nothing")], &["no journal at"]),
        (
            &["ingest", "lobster", "--tape", &path("tape"), "--data", &path("full")],
            &["not empty", "new folder"],
        ),
        (
            &["ingest", "lobster", "--tape", &path("absent")],
            &["cannot open the tape"],
        ),
        (
            &["ingest", "lobster", "--tape", &path("tape")],
            &["tape line 3", "expected A, X, D, M or ="],
        ),
        (
            &["ingest", "lobster", "--tape", &path("crossed")],
            &["did not come out"],
        ),
        (
            &["serve", "--config", &path("absent.toml")],
            &["cannot read the configuration"],
        ),
        (&["serve", "--config", &path("colour.toml")], &["colour"]),
        (
            &["serve", "--config", &path("bare.toml")],
            &[
                "no password for session alpha1",
                "rialto member session password alpha1",
            ],
        ),
    ];
    for (arguments, words) in cases {
        complains(&rialto(arguments), words);
    }
}

#[test]
fn a_journal_is_taken_once_and_a_foreign_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (mut child, ready) = up(&data);
    assert!(ready.starts_with("{\"ready\":true"), "{ready}");
    let again = rialto(&[
        "up",
        "--json",
        "--seconds",
        "0",
        "--agents",
        "0",
        "--data",
        data.to_str().unwrap(),
    ]);
    complains(&again, &["in use"]);
    // Looking needs no lock. The opening commands and a mark behind them are there soon.
    let begun = Instant::now();
    loop {
        let looked = rialto(&["journal", "verify", data.to_str().unwrap(), "--json"]);
        assert!(looked.status.success());
        let said = String::from_utf8_lossy(&looked.stdout).into_owned();
        if !said.contains("\"durable_up_to\":0,") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no mark in {said}");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    // Another format version in the header of each segment, with the checksum that such a build would have written.
    for file in std::fs::read_dir(data.join("journal"))
        .unwrap()
        .map(|file| file.unwrap().path())
    {
        let mut bytes = std::fs::read(&file).unwrap();
        if bytes.starts_with(b"RIALTOJ\0") {
            bytes[8] = 99;
            let length = u32::from_le_bytes(bytes[16..20].try_into().unwrap()) as usize;
            let checksum = crc32c::crc32c(&[&bytes[..12], &bytes[16..length]].concat());
            bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let data = data.to_str().unwrap();
    for arguments in [
        &["up", "--seconds", "0", "--data", data][..],
        &["replay", data],
        &["journal", "verify", data],
    ] {
        complains(&rialto(arguments), &["version"]);
    }
}
