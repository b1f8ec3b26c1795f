//! File sizes, opening words, specifications, scripts and the names at the top level.

use rialto_house::fault::assert_found;
use rialto_house::shape::{
    LINES_MAX, WIRE_FORMATS, script_fault, source_faults, specification_faults, top_level_faults,
};
use rialto_house::{Fault, Tree, assert_none};

#[test]
fn the_top_level_holds_its_given_names() {
    assert_none(&top_level_faults(Tree::open().top_level().iter().map(String::as_str)));
}

#[test]
fn every_source_is_short_and_every_crate_says_what_it_is() {
    let tree = Tree::open();
    let found: Vec<Fault> = tree
        .rust_sources()
        .flat_map(|(path, source)| source_faults(path, &source))
        .collect();
    assert_none(&found);
}

#[test]
fn every_wire_format_has_its_specification() {
    let tree = Tree::open();
    assert_none(&specification_faults(|path| tree.exists(path)));
}

#[test]
fn every_script_can_be_run() {
    let tree = Tree::open();
    let fault = |path| script_fault(path, &tree.text(path)?, tree.is_executable(path));
    let found: Vec<Fault> = tree.files().filter_map(fault).collect();
    assert_none(&found);
}

#[test]
fn a_script_that_cannot_be_run_is_found() {
    assert_eq!(script_fault("a.sh", "#!/bin/sh\n", true), None);
    assert_eq!(script_fault("lib.rs", "#![no_std]\n", false), None);
    let found = script_fault("a.sh", "#!/bin/sh\n", false);
    assert_found(found.as_slice(), &[("a.sh", "cannot be run")]);
}

#[test]
fn a_strange_name_is_found() {
    assert_found(
        &top_level_faults(["engine", ".ci", "utils", "Cargo.lock"]),
        &[("utils", "no name of the top level")],
    );
}

#[test]
fn a_long_file_and_a_silent_crate_are_found() {
    assert_none(&source_faults("a/src/b.rs", &"\n".repeat(LINES_MAX)));
    assert_found(
        &source_faults("a/src/b.rs", &"\n".repeat(LINES_MAX + 1)),
        &[("a/src/b.rs", "801 lines")],
    );
    for root in ["a/src/lib.rs", "a/src/main.rs", "a/src/bin/b.rs"] {
        assert_none(&source_faults(root, "//! A crate."));
        for silent in ["", "// A crate.", "#![no_std]\n//! A crate.", "/// A crate."] {
            assert_found(&source_faults(root, silent), &[(root, "does not say what it is")]);
        }
    }
}

#[test]
fn a_missing_specification_is_found() {
    assert_found(
        &specification_faults(|path| path != "gateway/ouch/SPEC.md"),
        &[("gateway/ouch/SPEC.md", "absent")],
    );
    assert_eq!(specification_faults(|_| false).len(), WIRE_FORMATS.len());
}
