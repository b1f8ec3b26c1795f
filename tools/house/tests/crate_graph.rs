//! A crate names only crates of a smaller layer; a new edge between our crates is a visible diff.

use rialto_house::fault::assert_found;
use rialto_house::graph::{changes, faults, picture};
use rialto_house::manifest::{Crate, Use, default_faults, read};
use rialto_house::{Fault, Tree, assert_none};
use std::{env, fs};

const PICTURE: &str = "tools/house/crate-graph.txt";

fn workspace() -> (Vec<Crate>, Vec<Fault>) {
    let tree = Tree::open();
    let root = tree.text("Cargo.toml").expect("the root manifest");
    read(&root, |folder| tree.text(&format!("{folder}/Cargo.toml")))
}

#[test]
fn every_crate_names_only_what_lies_below() {
    let (crates, mut found) = workspace();
    found.extend(faults(&crates));
    assert_none(&found);
}

#[test]
fn no_edge_is_new() {
    let now = picture(&workspace().0);
    if env::var("RIALTO_BLESS").is_ok_and(|value| value == "1") {
        fs::write(Tree::open().root().join(PICTURE), &now).expect("the picture can be written");
    }
    let kept = Tree::open().text(PICTURE).unwrap_or_default();
    assert_none(&changes(&kept, &now));
}

const ROOT: &str = r#"
[workspace]
members = [
    # L0: words
    "model",
    # L3: stages
    "engine",
    "feed",
    # L5: the end
    "tools/rialto",
    "tools/house",
]
[workspace.dependencies]
words = { path = "model", package = "rialto-model" }
"#;

/// The workspace above, each crate with these lines in its manifest.
fn seeded(lines: &[(&str, &str)]) -> (Vec<Crate>, Vec<Fault>) {
    read(ROOT, |folder| {
        let name = folder.rsplit('/').next().expect("a folder has a name");
        let own = lines
            .iter()
            .find(|(of, _)| *of == folder)
            .map_or("", |(_, lines)| lines);
        Some(format!(
            "package.name = \"rialto-{name}\"\nlints.workspace = true\n{own}"
        ))
    })
}

#[test]
fn an_edge_is_seen_in_every_table_and_under_every_name() {
    let engine = r#"
        dependencies = { words.workspace = true, toml = "1" }
        dev-dependencies = { rialto-feed.workspace = true }
        build-dependencies = { x = { path = "../model", package = "rialto-model" } }
        target.'cfg(unix)'.dependencies = { rialto-house = "1" }
    "#;
    let (crates, found) = seeded(&[("engine", engine)]);
    assert_none(&found);
    let edges = [
        ("rialto-feed", Use::Dev),
        ("rialto-house", Use::Normal),
        ("rialto-model", Use::Normal),
        ("rialto-model", Use::Build),
    ];
    assert_eq!(crates[1].names, edges.map(|(name, kind)| (name.to_owned(), kind)));
}

#[test]
fn wrong_edges_are_found() {
    let names = |name: &str| format!("dependencies.{name} = \"1\"");
    let table: &[(&str, String, &str)] = &[
        (
            "model",
            names("rialto-feed"),
            "rialto-model (L0) names rialto-feed (L3)",
        ),
        (
            "engine",
            names("rialto-feed"),
            "rialto-engine (L3) names rialto-feed (L3)",
        ),
        (
            "engine",
            format!("dev-{}", names("rialto-feed")),
            "rialto-engine (L3) names rialto-feed (L3)",
        ),
        (
            "tools/rialto",
            names("rialto-house"),
            "rialto-rialto (L5) names rialto-house (L5)",
        ),
    ];
    for (folder, lines, cause) in table {
        let (crates, found) = seeded(&[(folder, lines)]);
        assert_none(&found);
        assert_found(&faults(&crates), &[(&format!("{folder}/Cargo.toml"), cause)]);
    }
}

#[test]
fn two_stages_meet_only_in_a_composition_root() {
    let both =
        "dependencies = { rialto-engine = \"1\", rialto-feed = \"1\" }\ndev-dependencies = { rialto-feed = \"1\" }";
    assert_none(&faults(&seeded(&[("tools/rialto", both)]).0));
    let (mut crates, _) = seeded(&[("tools/rialto", both)]);
    crates[3].folder = "gateway/both".to_owned();
    assert_found(
        &faults(&crates),
        &[("gateway/both/Cargo.toml", "the stages rialto-engine and rialto-feed")],
    );
}

#[test]
fn wrong_manifests_are_found() {
    let manifest = |_: &str| Some("package.name = \"a\"\nlints.workspace = true".to_owned());
    let table: &[(&str, &[(&str, &str)])] = &[
        (
            "[workspace]\nmembers = [\n\"a\",\n]",
            &[("Cargo.toml:3", "a stands under no layer")],
        ),
        (
            "[workspace]\nmembers = [\n# L1: x\n\"a\",\n# L0: y\n]",
            &[("Cargo.toml:5", "opens no layer above the last")],
        ),
        (
            "[workspace]\nmembers = [\n# L: x\n]",
            &[("Cargo.toml:3", "opens no layer")],
        ),
        (
            "[workspace]\nmembers = [\n# L0: x\n\"a\", \"b\",\n]",
            &[(
                "Cargo.toml",
                "1 members stand one to a line under a layer, 2 are listed",
            )],
        ),
        (
            "[workspace]\nmembers = [\"a\"]",
            &[("Cargo.toml", "0 members stand one to a line")],
        ),
    ];
    for (root, expected) in table {
        assert_found(&read(root, manifest).1, expected);
    }
    let root = "[workspace]\nmembers = [\n# L0: x\n\"a\",\n]";
    assert_found(&read(root, |_| None).1, &[("a/Cargo.toml", "absent")]);
    assert_found(
        &read(root, |_| Some("?".to_owned())).1,
        &[("a/Cargo.toml", "is no TOML"), ("a/Cargo.toml", "names no package")],
    );
    assert_found(
        &read(root, |_| Some("package.name = \"a\"".to_owned())).1,
        &[("a/Cargo.toml", "leaves the lints")],
    );
}

#[test]
fn cargo_run_means_the_command_line() {
    let text = |path| Tree::open().text(path).expect("a manifest");
    assert_none(&default_faults(&text("Cargo.toml"), &text("tools/rialto/Cargo.toml")));
}

#[test]
fn another_default_is_found() {
    let named = "package.default-run = \"rialto\"";
    assert_none(&default_faults("", named));
    assert_found(
        &default_faults("workspace.default-members = []", named),
        &[("Cargo.toml", "hides crates")],
    );
    for other in ["", "package.default-run = \"other\""] {
        assert_found(
            &default_faults("", other),
            &[("tools/rialto/Cargo.toml", "does not mean the command line")],
        );
    }
}

#[test]
fn a_changed_picture_is_found() {
    let (crates, _) = seeded(&[(
        "engine",
        "dependencies.words.workspace = true\ndev-dependencies.rialto-model = \"1\"",
    )]);
    let now = picture(&crates);
    assert!(
        now.ends_with("L3 rialto-engine -> L0 rialto-model\nL3 rialto-engine -> L0 rialto-model (tests)\n"),
        "{now}"
    );
    assert_none(&changes(&now, &now));
    let kept = format!(
        "# An older head.\n{}",
        now.replace("rialto-model (tests)", "rialto-feed")
    );
    let expected = [
        ("+ L3 rialto-engine -> L0 rialto-model (tests)", "a new edge"),
        ("- L3 rialto-engine -> L0 rialto-feed", "an edge that is gone"),
    ];
    assert_found(&changes(&kept, &now), &expected);
}
