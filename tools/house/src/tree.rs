//! The repository as the rules see it: its files by name, their text. Read only.
//!
//! Build output and what version control keeps for itself are no part of it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const NOT_OURS: [&str; 3] = [".git", "target", "__pycache__"];

/// The files of the workspace this crate was built in.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    files: Vec<String>,
}

impl Tree {
    /// Lists the workspace.
    ///
    /// # Panics
    /// If a folder cannot be read.
    pub fn open() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root
            .canonicalize()
            .expect("the workspace root is two folders above this crate");
        let mut files = Vec::new();
        list(&root, "", &mut files);
        files.sort();
        Self { root, files }
    }

    /// The workspace root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every file, by its path from the root with `/` between the parts, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Every Rust source file with its text.
    pub fn rust_sources(&self) -> impl Iterator<Item = (&str, String)> {
        (self.files().filter(|path| path.ends_with(".rs"))).filter_map(|path| Some((path, self.text(path)?)))
    }

    /// The names that stand in the root folder, files and folders, sorted.
    ///
    /// # Panics
    /// If the root cannot be read.
    pub fn top_level(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).expect("the workspace root can be read");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry of the root")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    /// The text of a file; `None` if it is absent or no UTF-8.
    ///
    /// # Panics
    /// If the file is there and cannot be read.
    pub fn text(&self, path: &str) -> Option<String> {
        match fs::read(self.root.join(path)) {
            Ok(bytes) => String::from_utf8(bytes).ok(),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{path} cannot be read: {error}; mend its permissions"),
        }
    }

    /// Whether a file is there and may be executed.
    pub fn is_executable(&self, path: &str) -> bool {
        fs::metadata(self.root.join(path)).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
    }

    /// Whether a file or folder of this path exists; `*` stands for any part of one name.
    pub fn exists(&self, pattern: &str) -> bool {
        let pattern: Vec<&str> = pattern.trim_end_matches('/').split('/').collect();
        self.files().any(|path| {
            let names: Vec<&str> = path.split('/').collect();
            names.len() >= pattern.len() && pattern.iter().zip(names).all(|(pattern, name)| matches(pattern, name))
        })
    }
}

fn list(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{} cannot be listed: {error}", folder.display()));
    for entry in entries {
        let entry = entry.unwrap_or_else(|error| panic!("{} cannot be listed: {error}", folder.display()));
        let name = entry.file_name().to_string_lossy().into_owned();
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        // A link is neither followed nor listed: it could lead out of the repository or back into itself.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&entry.path(), &path, files),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for any run of characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => {
            let Some(rest) = name.strip_prefix(head) else {
                return false;
            };
            (0..=rest.len()).any(|cut| rest.get(cut..).is_some_and(|rest| matches(tail, rest)))
        }
    }
}
