//! The command that an engine has taken up, in a file: what is left of one that ends without a word.
//!
//! A panic is caught and says its own last words. An abort, a fault of memory or a stack that ends leaves nothing but this:
//! the number is written before the command is applied and taken away behind it, into the system's memory, which the end of a
//! process does not touch. Two writes a command are the price, and only engine processes pay it.
//!
//! Who is killed in the middle of a command leaves the same. A canary knows how its own process ended; whoever ends one by
//! hand ends it by Ctrl-C, or has that command passed over.

use rialto_engine::talk::PassedOver;
use rialto_model::{InstrumentId, SequenceNumber};
use std::fs::{File, OpenOptions};
use std::io::Result;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Build and number (u64 each), instrument (u16).
const BYTES: usize = 18;

pub(super) struct Breath {
    file: File,
    build: u64,
}

/// Where an engine of this name leaves it: beside the key, in a folder that only its owner reaches.
pub(crate) fn path(key: &Path, name: &str) -> PathBuf {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    key.with_extension(format!("{name}.breath"))
}

/// The command that an engine of this build had taken up when it ended; `None` where it ended between two, or was another.
pub(crate) fn unfinished(path: &Path, build: u64) -> Option<PassedOver> {
    let bytes: [u8; BYTES] = std::fs::read(path).ok()?.try_into().ok()?;
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let instrument = u16::from_le_bytes(bytes.get(16..)?.try_into().ok()?);
    let seq = word(8)?;
    (word(0)? == build && seq > 0).then_some((SequenceNumber(seq), InstrumentId(instrument)))
}

impl Breath {
    /// Begins anew.
    pub(super) fn open(path: &Path, build: u64) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)?;
        let breath = Self { file, build };
        breath.rest();
        Ok(breath)
    }

    /// A command is taken up.
    pub(super) fn take(&self, seq: SequenceNumber, instrument: InstrumentId) {
        let mut bytes = [0; BYTES];
        let (build, rest) = bytes.split_at_mut(8);
        let (number, id) = rest.split_at_mut(8);
        build.copy_from_slice(&self.build.to_le_bytes());
        number.copy_from_slice(&seq.0.to_le_bytes());
        id.copy_from_slice(&instrument.0.to_le_bytes());
        // A disk that takes nothing costs the pinpointing alone.
        let _ = self.file.write_all_at(&bytes, 0);
    }

    /// It is done.
    pub(super) fn rest(&self) {
        self.take(SequenceNumber(0), InstrumentId(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_up_and_not_done_is_found_by_the_same_build_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(&folder.path().join("follow.key"), "green/2");
        assert_eq!(path.file_name().unwrap(), "follow.green2.breath");
        assert_eq!(unfinished(&path, 7), None);
        let breath = Breath::open(&path, 7).unwrap();
        assert_eq!(unfinished(&path, 7), None);
        breath.take(SequenceNumber(41), InstrumentId(3));
        assert_eq!(unfinished(&path, 7), Some((SequenceNumber(41), InstrumentId(3))));
        assert_eq!(unfinished(&path, 8), None);
        breath.rest();
        assert_eq!(unfinished(&path, 7), None);
        breath.take(SequenceNumber(42), InstrumentId(0));
        Breath::open(&path, 7).unwrap();
        assert_eq!(unfinished(&path, 7), None, "it begins anew");
    }
}
