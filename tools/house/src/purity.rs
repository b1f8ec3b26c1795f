//! Pure crates are functions of their input: no clock, randomness, thread, float, hash-map order, hidden state or operating system.
//!
//! `no_std` and `forbid(unsafe_code)` let the compiler hold most of it; the words below are what would still pass it. Test code and the
//! binaries beside a library (`src/bin`) are outside of the rule.

use crate::Fault;
use crate::source::{Kind, Token, shipped, starts_with};

/// The folders of the crates that are pure.
pub const PURE: [&str; 9] = [
    "engine/model",
    "engine/matching",
    "gateway/ouch",
    "gateway/fix",
    "feed/itch",
    "feed/publisher",
    "feed/relay",
    "feed/conflate",
    "feed/subscriber",
];

/// A word that may stand in one file all the same.
#[derive(Debug, Clone, Copy)]
pub struct Exception {
    /// The file.
    pub path: &'static str,
    /// The word.
    pub word: &'static str,
    /// Why it does no harm there.
    pub reason: &'static str,
}

/// The exceptions this repository makes.
pub const EXCEPTIONS: &[Exception] = &[Exception {
    path: "feed/subscriber/src/books.rs",
    word: "HashMap",
    reason: "orders are looked up by reference and never iterated",
}];

const FLOAT_LITERAL: &str = "a float literal";
const STATIC_MUT: &str = "static mut";

/// What is wrong, and the words that are: whole words, but for `Atomic`, which stands for all that begin so.
const BANNED: [(&str, &[&str]); 5] = [
    (
        "floats round by platform and order; use a scaled integer",
        &["f32", "f64", FLOAT_LITERAL],
    ),
    (
        "its order differs from run to run; use BTreeMap, a table, or state in an exception that it is never iterated",
        &["HashMap", "HashSet"],
    ),
    (
        "brings the operating system in; use core or alloc, or take the value as an argument",
        &["std", "libc", "nix"],
    ),
    ("is not replayed; take the value as an argument", &["rand", "getrandom"]),
    (
        "is state that a replay does not have; keep it in the struct",
        &["thread_local", "Atomic", STATIC_MUT],
    ),
];

/// Judges the head of a pure library: what the compiler is told to hold.
pub fn head_faults(path: &str, source: &str) -> Vec<Fault> {
    let code = shipped(source).tokens;
    let states = |attribute: &str| (0..code.len()).any(|at| starts_with(&code[at..], attribute));
    let mut faults = Vec::new();
    if !states("#![no_std]") && !states("#![cfg_attr(not(test),no_std)]") {
        faults.push(Fault::new(
            path,
            "a pure crate links std",
            "open with #![no_std] or #![cfg_attr(not(test), no_std)]",
        ));
    }
    if !states("#![forbid(unsafe_code)]") {
        faults.push(Fault::new(
            path,
            "a pure crate may hold unsafe code",
            "open with #![forbid(unsafe_code)]",
        ));
    }
    faults
}

/// Judges the words of pure sources, given as (path, text), and that every exception is argued for and still needed.
pub fn word_faults<'a>(sources: impl IntoIterator<Item = (&'a str, String)>, exceptions: &[Exception]) -> Vec<Fault> {
    let sources: Vec<(&str, String)> = sources.into_iter().collect();
    let tests = test_files(&sources);
    let is_test = |path: &str| {
        tests
            .iter()
            .any(|test| path == format!("{test}.rs") || path.starts_with(&format!("{test}/")))
    };
    let mut used = vec![false; exceptions.len()];
    let mut faults = Vec::new();
    for (path, source) in sources.iter().filter(|(path, _)| !is_test(path)) {
        let code = shipped(source).tokens;
        for (at, token) in code.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| code[before]);
            let Some((word, why)) = banned(&code[at..], before) else {
                continue;
            };
            let excepts = |one: &Exception| one.path == *path && one.word == word;
            match exceptions.iter().position(excepts) {
                Some(exception) => used[exception] = true,
                None => {
                    let cause = format!("`{}` in a pure crate", token.text);
                    faults.push(Fault::in_line(path, token.line, cause, why));
                }
            }
        }
    }
    faults.extend(exceptions.iter().zip(used).filter_map(exception_fault));
    faults
}

fn exception_fault((exception, used): (&Exception, bool)) -> Option<Fault> {
    let wrong = match (used, exception.reason) {
        (false, _) => "no longer needed",
        (true, "") => "without a reason",
        (true, _) => return None,
    };
    let cause = format!("the exception for `{}` is {wrong}", exception.word);
    let mend = "mend EXCEPTIONS in tools/house/src/purity.rs";
    Some(Fault::new(exception.path, cause, mend))
}

/// The banned word that begins here, with what is wrong with it.
fn banned(code: &[Token<'_>], before: Option<Token<'_>>) -> Option<(&'static str, &'static str)> {
    let token = code.first()?;
    // A field or method that happens to have the name is not the thing.
    let member = before.is_some_and(|before| before.text == ".");
    let is = |word: &str| match word {
        FLOAT_LITERAL => token.kind == Kind::Number && is_float(token.text),
        STATIC_MUT => starts_with(code, "staticmut"),
        "Atomic" => token.kind == Kind::Word && token.text.starts_with(word),
        _ => token.kind == Kind::Word && token.text == word && !member,
    };
    BANNED
        .iter()
        .find_map(|(why, words)| Some((*words.iter().find(|word| is(word))?, *why)))
}

fn is_float(number: &str) -> bool {
    let radix = ["0x", "0b", "0o"].iter().any(|prefix| number.starts_with(prefix));
    let exponent = || {
        number
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
            .starts_with(['e', 'E', '.'])
    };
    !radix && (exponent() || number.ends_with("f32") || number.ends_with("f64"))
}

/// The modules of other files that are compiled for tests only, as paths without `.rs`.
fn test_files(sources: &[(&str, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, source) in sources {
        let stem = path.trim_end_matches(".rs");
        let folder = ["/lib", "/main", "/mod"]
            .iter()
            .find_map(|root| stem.strip_suffix(root))
            .unwrap_or(stem);
        found.extend(
            shipped(source)
                .test_modules
                .iter()
                .map(|module| format!("{folder}/{module}")),
        );
    }
    found
}
