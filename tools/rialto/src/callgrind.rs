//! Instructions by valgrind's callgrind: counted, not timed, so they are the same on a busy machine as on a quiet one.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where valgrind is, if it is here.
pub(crate) fn valgrind() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("valgrind"))
        .find(|file| file.is_file())
}

/// A program under callgrind, which counts inside one function, calls included. `function` may end in `*`.
pub(crate) fn command(valgrind: &Path, function: &str, program: &Path) -> Command {
    let mut command = Command::new(valgrind);
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={function}"))
        .arg(program);
    command
}

/// The sum that callgrind says on stderr at the end.
pub(crate) fn collected(stderr: &[u8]) -> Result<u64> {
    let said = String::from_utf8_lossy(stderr);
    let number = said
        .lines()
        .find_map(|line| line.split_once("Collected :").map(|(_, number)| number.trim()));
    let number = number.with_context(|| format!("callgrind said no sum: {said}"))?;
    number
        .parse()
        .with_context(|| format!("callgrind's sum is no number: {number}"))
}
