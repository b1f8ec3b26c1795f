//! The shape of the repository: what stands at the top, how long a file may be, what it opens with, which crates have a specification,
//! which files can be run.

use crate::Fault;
use crate::source::{Kind, tokens};

/// The longest a Rust file may be.
pub const LINES_MAX: usize = 800;

/// The crates that define bytes others read: each has its specification beside it.
pub const WIRE_FORMATS: &[&str] = &[
    "engine/model",
    "gateway/ouch",
    "gateway/fix",
    "feed/itch",
    "feed/conflate",
    "feed/quic",
    "sequencer/journal",
    "sequencer/follow",
    "replay/past",
];

/// The names that stand at the top level; dot files and the build folder may stand beside them.
pub const TOP_LEVEL: [&str; 17] = [
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "clippy.toml",
    "deny.toml",
    "engine",
    "feed",
    "gateway",
    "replay",
    "rustfmt.toml",
    "sequencer",
    "target",
    "tools",
];

/// Judges the names at the top level.
pub fn top_level_faults<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Fault> {
    let strange = names
        .into_iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(name));
    strange
        .map(|name| {
            Fault::new(
                name,
                "is no name of the top level",
                "put it into the folder of the stage it belongs to",
            )
        })
        .collect()
}

/// Judges a Rust file: its length, and that the root of a crate opens by saying what it is.
pub fn source_faults(path: &str, source: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let lines = source.lines().count();
    if lines > LINES_MAX {
        faults.push(Fault::new(
            path,
            format!("has {lines} lines, over {LINES_MAX}"),
            "cut it where a second idea begins",
        ));
    }
    let root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs") || path.contains("/src/bin/");
    let opens = tokens(source)
        .first()
        .is_some_and(|first| first.kind == Kind::Comment && first.text.starts_with("//!"));
    if root && !opens {
        faults.push(Fault::new(
            path,
            "does not say what it is",
            "open with `//!`: what it is and what it must never do",
        ));
    }
    faults
}

/// Judges that every wire format has its specification.
pub fn specification_faults(exists: impl Fn(&str) -> bool) -> Vec<Fault> {
    let missing = WIRE_FORMATS
        .iter()
        .map(|folder| format!("{folder}/SPEC.md"))
        .filter(|path| !exists(path));
    missing
        .map(|path| {
            Fault::new(
                path,
                "is absent",
                "write it: a table per message, offset, length, name, meaning",
            )
        })
        .collect()
}

/// Judges that a file which opens as a script can be run as one.
pub fn script_fault(path: &str, text: &str, executable: bool) -> Option<Fault> {
    (text.starts_with("#!/") && !executable)
        .then(|| Fault::new(path, "is a script that cannot be run", "chmod +x, and commit its mode"))
}
