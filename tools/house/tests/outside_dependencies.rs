//! Core crates carry no network, TLS, database or async dependency: `cargo tree` shows it.

use rialto_house::fault::assert_found;
use rialto_house::outside::{CORE, brings, faults};
use rialto_house::{Tree, assert_none};
use std::process::Command;

/// What ships with a crate, every feature of it on, by the lock file. All of it was fetched to build this test, but for what only an
/// optional feature brings.
fn cargo_tree(core: &str) -> String {
    let arguments = [
        "tree",
        "--locked",
        "--all-features",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--package",
        core,
    ];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(Tree::open().root())
        .output();
    let output = output.expect("cargo can be started");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "`cargo {}` failed; see that Cargo.lock is up to date:\n{complaint}",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

#[test]
fn core_crates_carry_nothing_of_the_outside() {
    let found: Vec<_> = CORE.iter().flat_map(|core| faults(core, &cargo_tree(core))).collect();
    assert_none(&found);
}

#[test]
fn what_comes_from_outside_is_found() {
    let tree = "rialto-ring v0.1.0 (/x)\nrtrb v0.4.0\nrialto-model v0.1.0 (/x)\ntokio-util v0.7.0\nring v0.17.0\nring v0.17.0 (*)\n";
    assert_found(
        &faults("rialto-ring", tree),
        &[
            ("rialto-ring", "ring brings TLS"),
            ("rialto-ring", "tokio-util brings async"),
        ],
    );
    assert_found(
        &faults("rialto-ring", ""),
        &[("rialto-ring", "did not begin with it: nothing")],
    );
    assert_found(
        &faults("rialto-ring", "rialto-model v0.1.0\n"),
        &[("rialto-ring", "did not begin with it: rialto-model v0.1.0")],
    );
}

#[test]
fn a_name_stands_for_its_family_and_for_no_other() {
    let table = [
        ("tokio", Some("async")),
        ("futures-core", Some("async")),
        ("quinn-proto", Some("network")),
        ("aws-lc-rs", Some("TLS")),
        ("libsqlite3-sys", Some("database")),
        ("rialto-ring", None),
        ("stringify", None),
        ("httparse", None),
        ("zerocopy", None),
    ];
    for (package, kind) in table {
        assert_eq!(brings(package), kind, "{package}");
    }
}
