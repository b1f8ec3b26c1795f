//! `unsafe` lives in few places, and each is argued for where it stands.

use crate::Fault;
use crate::source::{Kind, Token, tokens};

/// The places that may hold `unsafe`, as the beginnings of their paths, each with its reason.
pub const HOMES: &[(&str, &str)] = &[
    (
        "sequencer/ring/src/broadcast.rs",
        "slots that one thread writes and others read in place",
    ),
    (
        "sequencer/ring/src/ticks.rs",
        "the processor's own counter: every stage of the path notes its time with it",
    ),
    (
        "sequencer/journal/src/crc.rs",
        "the processor's own CRC32C: every record pays for it twice",
    ),
    (
        "sequencer/journal/src/disk/map.rs",
        "the journal's segment as memory: a call to the system for each commit was the dearest step of an order's path",
    ),
    (
        "tools/rialto/src/bin/rialto-counts/main.rs",
        "a counting allocator proves that the warm engine allocates nothing",
    ),
    (
        "benches/challenge/src/abi.rs",
        "the C ABI of the public matching-engine challenge",
    ),
    (
        "benches/challenge/examples/acknowledge.rs",
        "the C ABI of the public matching-engine challenge",
    ),
];

/// Judges the `unsafe` in a file.
pub fn faults(path: &str, source: &str, homes: &[(&str, &str)]) -> Vec<Fault> {
    let tokens = tokens(source);
    let mut faults = Vec::new();
    for (at, token) in tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.kind == Kind::Word && token.text == "unsafe")
    {
        if !homes.iter().any(|(home, _)| path.starts_with(home)) {
            let mend = "do without, or argue for the place in HOMES of tools/house/src/unsafe_code.rs";
            faults.push(Fault::in_line(path, token.line, "unsafe outside of its homes", mend));
        }
        if !argued(&tokens[..at]) {
            faults.push(Fault::in_line(
                path,
                token.line,
                "unsafe without an argument",
                "say above it why it is sound, after `SAFETY:` or `# Safety`",
            ));
        }
    }
    faults
}

/// Whether the comments above the statement, walked backwards, hold the argument.
fn argued(before: &[Token<'_>]) -> bool {
    let statement = |token: &&Token<'_>| token.kind == Kind::Comment || !matches!(token.text, ";" | "{" | "}");
    let comments = before
        .iter()
        .rev()
        .take_while(statement)
        .filter(|token| token.kind == Kind::Comment);
    comments
        .into_iter()
        .any(|comment| comment.text.contains("SAFETY:") || comment.text.contains("# Safety"))
}
