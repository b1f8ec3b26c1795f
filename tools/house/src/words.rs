//! The project speaks of itself alone: no file tells of the place, the people or the errands by which it came about.
//!
//! The terms are kept in pieces, so that this file does not contain them.

use crate::Fault;

/// Terms that stand as whole words, compared without case; the pieces are joined.
const TERMS: [[&str; 2]; 14] = [
    ["/wo", "rk/"],
    ["/fa", "rm/"],
    ["fa", "rm-"],
    [".lib", "rary/"],
    [".mir", "ror/"],
    ["/tmp/br", "ief"],
    ["sub", "agent"],
    ["sub", "agents"],
    ["clau", "de"],
    ["anth", "ropic"],
    ["chat", "gpt"],
    ["the issue ", "asks"],
    ["session of ", "work"],
    ["co-authored", "-by"],
];

/// What numbers a piece of somebody's work list.
const NUMBERED: [&str; 2] = ["iss", "ue"];

/// Judges the text of a file.
pub fn faults(path: &str, text: &str) -> Vec<Fault> {
    let terms: Vec<String> = TERMS.iter().map(|pieces| pieces.concat()).collect();
    let numbered = NUMBERED.concat();
    let mut faults = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.to_lowercase();
        let mut found: Vec<&str> = terms
            .iter()
            .map(String::as_str)
            .filter(|term| stands(&line, term, |_| true))
            .collect();
        if stands(&line, &numbered, is_number) {
            found.push("a numbered entry of a work list");
        }
        let fault = |term| {
            Fault::in_line(
                path,
                at + 1,
                format!("speaks of {term}"),
                "say what holds of the project itself",
            )
        };
        faults.extend(found.into_iter().map(fault));
    }
    faults
}

/// Whether a term stands in the line as whole words, and what follows it fits.
fn stands(line: &str, term: &str, follows: impl Fn(&str) -> bool) -> bool {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(term).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + term.len()..]);
        let opens = !term.starts_with(char::is_alphanumeric) || !inside(before.chars().next_back());
        let closes = !term.ends_with(char::is_alphanumeric) || !inside(after.chars().next());
        opens && closes && follows(after)
    })
}

fn is_number(after: &str) -> bool {
    after
        .trim_start_matches([' ', '#'])
        .starts_with(|c: char| c.is_ascii_digit())
        && after.starts_with([' ', '#'])
}
