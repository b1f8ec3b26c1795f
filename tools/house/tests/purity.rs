//! Pure crates are functions of their input, and `unsafe` lives where it is argued for.

use rialto_house::fault::assert_found;
use rialto_house::purity::{EXCEPTIONS, Exception, PURE, head_faults, word_faults};
use rialto_house::unsafe_code::{self, HOMES};
use rialto_house::{Fault, Tree, assert_none};

#[test]
fn pure_crates_open_by_saying_so() {
    let tree = Tree::open();
    let heads = PURE.iter().map(|folder| format!("{folder}/src/lib.rs"));
    let found: Vec<Fault> = heads
        .flat_map(|path| head_faults(&path, &tree.text(&path).unwrap_or_default()))
        .collect();
    assert_none(&found);
}

#[test]
fn pure_crates_hold_no_impure_word() {
    let tree = Tree::open();
    let pure = |path: &str| {
        PURE.iter().any(|folder| path.starts_with(&format!("{folder}/src/"))) && !path.contains("/src/bin/")
    };
    assert_none(&word_faults(
        tree.rust_sources().filter(|(path, _)| pure(path)),
        EXCEPTIONS,
    ));
}

#[test]
fn unsafe_is_at_home_and_argued_for() {
    let tree = Tree::open();
    let found: Vec<Fault> = tree
        .rust_sources()
        .flat_map(|(path, source)| unsafe_code::faults(path, &source, HOMES))
        .collect();
    assert_none(&found);
}

#[test]
fn a_head_that_says_less_is_found() {
    for no_std in ["#![no_std]", "#![cfg_attr(not(test), no_std)]"] {
        assert_none(&head_faults(
            "lib.rs",
            &format!("//! A crate.\n{no_std}\n#![forbid(unsafe_code)]\nfn a() {{}}"),
        ));
    }
    let both = [("lib.rs", "links std"), ("lib.rs", "may hold unsafe code")];
    assert_found(&head_faults("lib.rs", "// #![no_std] #![forbid(unsafe_code)]"), &both);
    assert_found(
        &head_faults("lib.rs", "#![cfg_attr(test, no_std)]\n#![deny(unsafe_code)]"),
        &both,
    );
}

#[test]
fn impure_words_are_found() {
    let table: &[(&str, &str)] = &[
        ("fn a(x: f64) {}", "`f64`"),
        ("fn a(x: f32) {}", "`f32`"),
        ("let a = 1.5;", "`1.5`"),
        ("let a = 1e9;", "`1e9`"),
        ("let a = 1f64;", "`1f64`"),
        ("use std::time::Instant;", "`std`"),
        ("extern crate std;", "`std`"),
        ("use hashbrown::HashMap;", "`HashMap`"),
        ("let a: HashSet<u8>;", "`HashSet`"),
        ("libc::getpid();", "`libc`"),
        ("nix::unistd::getpid();", "`nix`"),
        ("rand::random();", "`rand`"),
        ("getrandom::fill(&mut a);", "`getrandom`"),
        ("thread_local! {}", "`thread_local`"),
        ("static A: AtomicU64 = x;", "`AtomicU64`"),
        ("static mut A: u8 = 0;", "`static`"),
    ];
    for (source, word) in table {
        let source = format!("//! A file.\n{source}");
        assert_found(&word_faults([("a/src/b.rs", source)], &[]), &[("a/src/b.rs:2", word)]);
    }
}

#[test]
fn what_only_looks_impure_passes() {
    let table = [
        "// f64 and std::time\n/* HashMap */",
        "const A: &str = \"std::f64 1.5\";",
        "let a = x.0.1 + 0x1e5 + 1_000 + 0b1 + 10u64; for _ in 0..5 {}",
        "static A: u8 = 0; fn b() -> &'static mut u8 {}",
        "let a = x.std;",
        "#[cfg(test)] mod tests { use std::collections::HashMap; const A: f64 = 1.5; }",
    ];
    for source in table {
        assert_none(&word_faults([("a.rs", source.to_owned())], &[]));
    }
}

#[test]
fn test_modules_in_files_of_their_own_pass() {
    let float = || "const A: f64 = 1.5;".to_owned();
    let head = || "#[cfg(test)] mod checks; mod b;".to_owned();
    let sources = [
        ("a/src/lib.rs", head()),
        ("a/src/checks.rs", float()),
        ("a/src/checks/deep.rs", float()),
        ("a/src/b.rs", head()),
        ("a/src/b/checks.rs", float()),
    ];
    assert_none(&word_faults(sources, &[]));
    let stray = [("a/src/b.rs", head()), ("a/src/checks.rs", "type A = f64;".to_owned())];
    assert_found(&word_faults(stray, &[]), &[("a/src/checks.rs:1", "`f64`")]);
}

#[test]
fn an_exception_holds_for_one_word_of_one_file_and_is_still_needed() {
    let map = |reason| Exception {
        path: "a.rs",
        word: "HashMap",
        reason,
    };
    let source = |path| [(path, "use hashbrown::HashMap;".to_owned())];
    let argued = map("looked up, never iterated");
    assert_none(&word_faults(source("a.rs"), &[argued]));
    assert_found(
        &word_faults(source("a.rs"), &[map("")]),
        &[("a.rs", "without a reason")],
    );
    assert_found(
        &word_faults(source("b.rs"), &[argued]),
        &[("b.rs:1", "`HashMap`"), ("a.rs", "no longer needed")],
    );
}

#[test]
fn unsafe_away_from_home_or_without_argument_is_found() {
    let homes = [("ring/src/", "shared memory")];
    let argued = [
        "// SAFETY: one writer.\nunsafe { a() }",
        "// SAFETY: one writer.\nlet a = unsafe { a() };",
        "// SAFETY: one\n// writer.\n#[inline]\nunsafe impl Send for A {}",
        "/// # Safety\n/// One writer.\npub unsafe fn a() {}",
        "#![deny(unsafe_code)] // unsafe",
    ];
    for source in argued {
        assert_none(&unsafe_code::faults("ring/src/a.rs", source, &homes));
    }
    let bare = [
        "unsafe { a() }",
        "// one writer\nunsafe { a() }",
        "// SAFETY: one writer.\na();\nunsafe { a() }",
        "// SAFETY: one writer.\nfn a() {\nunsafe { a() } }",
    ];
    for source in bare {
        let line = source.lines().count();
        assert_found(
            &unsafe_code::faults("ring/src/a.rs", source, &homes),
            &[(&format!("ring/src/a.rs:{line}"), "without an argument")],
        );
    }
    assert_found(
        &unsafe_code::faults("feed/src/a.rs", argued[0], &homes),
        &[("feed/src/a.rs:2", "outside of its homes")],
    );
}
