//! What a rule found: where, what is wrong, and how to mend it. A fault without a mend is not worth a red test.

use std::fmt;

/// One breach of a house rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The crate, or the file and line, that breaks the rule.
    pub place: String,
    /// What is wrong there.
    pub cause: String,
    /// What to do about it.
    pub mend: String,
}

impl Fault {
    /// A fault at `place`.
    pub fn new(place: impl Into<String>, cause: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            cause: cause.into(),
            mend: mend.into(),
        }
    }

    /// A fault in a line (counted from 1) of a file.
    pub fn in_line(path: &str, line: usize, cause: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(format!("{path}:{line}"), cause, mend)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.cause, self.mend)
    }
}

/// Passes if there is no fault.
///
/// # Panics
/// With every fault on a line of its own, if there is one.
#[track_caller]
pub fn assert_none(faults: &[Fault]) {
    let list: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
    assert!(
        faults.is_empty(),
        "{} broken house rule(s):\n{}",
        faults.len(),
        list.join("\n")
    );
}

/// Passes if the faults stand at exactly these places with these causes, each given as `(place, part of the cause)`: how a rule proves
/// that it can fail.
///
/// # Panics
/// With both lists, if they differ.
#[track_caller]
pub fn assert_found(faults: &[Fault], expected: &[(&str, &str)]) {
    let same = faults.len() == expected.len()
        && (faults.iter().zip(expected))
            .all(|(fault, (place, cause))| fault.place == *place && fault.cause.contains(cause));
    assert!(same, "expected {expected:#?}\nfound {faults:#?}");
}
