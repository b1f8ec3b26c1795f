//! What ARCHITECTURE.md names exists; README.md names the two commands.

use rialto_house::fault::assert_found;
use rialto_house::map::{COMMANDS, command_faults, path_faults};
use rialto_house::{Tree, assert_none};

#[test]
fn the_map_names_what_exists() {
    let tree = Tree::open();
    match tree.text("ARCHITECTURE.md") {
        Some(text) => assert_none(&path_faults("ARCHITECTURE.md", &text, &tree)),
        None => eprintln!("SKIPPED: ARCHITECTURE.md is absent"),
    }
}

#[test]
fn the_first_page_names_the_two_commands() {
    match Tree::open().text("README.md") {
        Some(text) => assert_none(&command_faults("README.md", &text)),
        None => eprintln!("SKIPPED: README.md is absent"),
    }
}

#[test]
fn what_does_not_exist_is_found() {
    let table: &[(&str, &str)] = &[
        (
            "see `tools/house/src/gone.rs`",
            "`tools/house/src/gone.rs` does not exist",
        ),
        ("`a` and `tools/gone/` too", "`tools/gone/` does not exist"),
        ("`tools/house/src/gone*.rs`", "does not exist"),
        (
            "`deny.toml:1` `deny.toml.old` `Cargo.lock/x`",
            "`Cargo.lock/x` does not exist",
        ),
        ("`tools/house/src/{map,words}.rs`", "is no plain path"),
        (
            "`tools/house/src/map.rs::gone`",
            "`gone` does not stand in `tools/house/src/map.rs`",
        ),
        ("`tools/house::Tree::gone()`", "`gone` does not stand in `tools/house`"),
    ];
    let tree = Tree::open();
    for (text, cause) in table {
        assert_found(
            &path_faults("MAP.md", &format!("# A map\n{text}"), &tree),
            &[("MAP.md:2", cause)],
        );
    }
}

#[test]
fn what_exists_or_is_no_path_passes() {
    let text = "`tools/house` `tools/house/` `tools/*/Cargo.toml` `tools/house/src/map.rs` `tools/house/src/map.rs:3` `Cargo.toml`
        `tools/house/src/map.rs::path_faults` `tools/house::Fault::in_line()` `tools/test --fast` `bytes/second` `engine` `feed`
        tools/gone in prose
        ```
        `tools/gone` in a drawing
        ```";
    assert_none(&path_faults("MAP.md", text, &Tree::open()));
}

#[test]
fn a_missing_command_is_found() {
    assert_none(&command_faults("README.md", &COMMANDS.join(" and ")));
    assert_found(
        &command_faults("README.md", "run tools/test"),
        &[("README.md", "cargo run --release -- up")],
    );
}
