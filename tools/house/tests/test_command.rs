//! The one test command can fail: it is run here over a small tree, with commands that only pretend.

use rialto_house::Tree;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Fails in the subcommand that SEEDED names; its tests skip something, its build makes the binary.
const CARGO: &str = r#"#!/bin/sh
[ "$2" != --version ] || exit 0
[ "$1" != "$SEEDED" ] || { echo "error: seeded"; exit 101; }
case $1 in
    test) echo "SKIPPED: no market data" ;;
    build) mkdir -p "$CARGO_TARGET_DIR/release" && cp "$0" "$CARGO_TARGET_DIR/release/rialto" ;;
esac
"#;

const CHECKS: [(&str, &str); 4] = [
    ("1-passes.sh", "#!/bin/sh\ntest -x \"$RIALTO_BIN\"\n"),
    ("2-needs.sh", "#!/bin/sh\n# needs: tshark data\nexit 1\n"),
    ("3-skips.sh", "#!/bin/sh\necho 'SKIPPED: one core only'\nexit 77\n"),
    ("4-fails.sh", "#!/bin/sh\necho 'two orders became three'\nexit 3\n"),
];

fn executable(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
    fs::write(&path, text).expect("the file can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file can be made executable");
}

/// Runs the command in a tree of its own.
fn run(name: &str, option: &str, seeded: &str) -> Output {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent_at_first = fs::remove_dir_all(&root);
    let script = Tree::open().text("tools/test").expect("tools/test is there");
    executable(root.join("tools/test"), &script);
    executable(root.join("stubs/cargo"), CARGO);
    for (check, text) in CHECKS {
        executable(root.join("tools/checks").join(check), text);
    }
    for command in [
        "stubs/cc",
        "stubs/tshark",
        "stubs/valgrind",
        "stubs/python3",
        "cache/rialto/venv/bin/python",
    ] {
        executable(root.join(command), "#!/bin/sh\n");
    }
    let mut command = Command::new(root.join("tools/test"));
    command.args(Some(option).filter(|option| !option.is_empty()));
    command.env("PATH", format!("{}:/usr/bin:/bin", root.join("stubs").display()));
    command
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("XDG_CACHE_HOME", root.join("cache"));
    command.env("RIALTO_DATA", root.join("absent")).env("SEEDED", seeded);
    command.output().expect("bash can run it")
}

struct Case {
    option: &'static str,
    seeded: &'static str,
    last_line: &'static str,
    told: &'static [&'static str],
}

const CASES: [Case; 5] = [
    Case {
        option: "--fast",
        seeded: "",
        last_line: "3 passed, 0 failed, 0 skipped",
        told: &["SKIPPED: no market data"],
    },
    Case {
        option: "--fast",
        seeded: "clippy",
        last_line: "2 passed, 1 failed, 0 skipped",
        told: &["error: seeded", "FAILED: clippy, exit code 101"],
    },
    Case {
        option: "--fast",
        seeded: "test",
        last_line: "2 passed, 1 failed, 0 skipped",
        told: &["FAILED: tests, exit code 101"],
    },
    Case {
        option: "",
        seeded: "",
        last_line: "6 passed, 1 failed, 4 skipped",
        told: &[
            "== dependencies\nSKIPPED: cargo-deny is not installed",
            "== tools/foreign/run\nSKIPPED: it is absent",
            "== tools/checks/1-passes.sh\npassed",
            "== tools/checks/2-needs.sh\nSKIPPED: it needs data",
            "== tools/checks/3-skips.sh\nSKIPPED: one core only",
            "two orders became three",
            "FAILED: tools/checks/4-fails.sh, exit code 3",
        ],
    },
    Case {
        option: "",
        seeded: "build",
        last_line: "4 passed, 1 failed, 6 skipped",
        told: &[
            "FAILED: release build",
            "== tools/checks/1-passes.sh\nSKIPPED: the release build failed",
        ],
    },
];

#[test]
fn every_end_of_a_step_is_counted_and_told() {
    for (at, case) in CASES.iter().enumerate() {
        let output = run(&format!("test-command-{at}"), case.option, case.seeded);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text.lines().last(), Some(case.last_line), "case {at}\n{text}");
        assert_eq!(
            output.status.success(),
            case.last_line.contains(" 0 failed"),
            "case {at}\n{text}"
        );
        for told in case.told {
            assert!(text.contains(told), "case {at}: no {told:?} in\n{text}");
        }
    }
}

#[test]
fn an_unknown_option_runs_nothing() {
    let output = run("test-command-option", "--quick", "");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("tools/test --fast"));
}
