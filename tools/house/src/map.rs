//! The map is true: every path that ARCHITECTURE.md names exists, and what it names inside a file (`file.rs::function`) stands there.
//!
//! Only words in backticks are judged, and of those only the ones that begin with a name of the top level.

use crate::shape::TOP_LEVEL;
use crate::source::{Kind, tokens};
use crate::{Fault, Tree};

/// The two commands a stranger needs.
pub const COMMANDS: [&str; 2] = ["cargo run --release -- up", "tools/test"];

/// Judges every path in a page.
pub fn path_faults(page: &str, text: &str, tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let quoted = line.split('`').skip(1).step_by(2);
        for reference in quoted
            .filter_map(|words| words.split_whitespace().next())
            .filter(|word| is_reference(word))
        {
            let (path, items) = reference.split_once("::").unwrap_or((reference, ""));
            let path = path.split(':').next().unwrap_or(path);
            let mut fault = |cause: String, mend| faults.push(Fault::in_line(page, at + 1, cause, mend));
            if path.contains(|c: char| !(c.is_ascii_alphanumeric() || "/._-*".contains(c))) {
                fault(
                    format!("`{reference}` is no plain path"),
                    "write each path out, or with `*` for a part of a name",
                );
            } else if !tree.exists(path) {
                fault(format!("`{path}` does not exist"), "name what is there now");
            } else if let Some(item) = missing_item(path, items, tree) {
                fault(format!("`{item}` does not stand in `{path}`"), "name what is there now");
            }
        }
    }
    faults
}

/// Whether words in backticks mean a place in the repository.
fn is_reference(word: &str) -> bool {
    let first = word.split(['/', ':']).next().unwrap_or(word);
    let folder = word.contains('/') && (TOP_LEVEL.contains(&first) || first == ".ci");
    folder || (first.contains('.') && TOP_LEVEL.contains(&first))
}

/// The first part of `Type::function` that is no word of the sources at the path.
fn missing_item<'a>(path: &str, items: &'a str, tree: &Tree) -> Option<&'a str> {
    if items.is_empty() {
        return None;
    }
    let folder = format!("{}/", path.trim_end_matches('/'));
    let sources: Vec<String> = (tree.rust_sources())
        .filter_map(|(file, source)| (file == path || file.starts_with(&folder)).then_some(source))
        .collect();
    let stands = |item: &str| {
        sources.iter().any(|source| {
            tokens(source)
                .iter()
                .any(|token| token.kind == Kind::Word && token.text == item)
        })
    };
    items
        .split("::")
        .map(|item| item.trim_end_matches("()"))
        .find(|item| !stands(item))
}

/// Judges that a page names both commands.
pub fn command_faults(page: &str, text: &str) -> Vec<Fault> {
    let missing = COMMANDS.iter().filter(|command| !text.contains(*command));
    missing
        .map(|command| {
            Fault::new(
                page,
                format!("does not name `{command}`"),
                "say both commands near the top",
            )
        })
        .collect()
}
