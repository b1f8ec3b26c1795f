//! The disk as the journal sees it: one directory, and files that are written and read at offsets.
//!
//! Journal code names only these traits, so that a test or a simulator can put a disk under it that crashes, fails and
//! fills up at a chosen moment.

mod map;
mod mem;
mod os;

pub use mem::{MemDisk, MemFile, MemLock};
pub use os::{OsDisk, OsFile, OsLock};

use std::io::{Error, ErrorKind, Result as IoResult};

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read it.
    Read,
    /// To read and to write it.
    Write,
}

/// A directory. Clones are the same directory.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;
    /// The exclusive right to write in the directory, until dropped.
    type Lock: Send + Sync + 'static;

    /// Where it is, for people.
    fn place(&self) -> String;
    /// The names of its files, sorted.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn list(&self) -> IoResult<Vec<String>>;
    /// Makes a new file and opens it for writing.
    ///
    /// # Errors
    /// `AlreadyExists` when there is one of that name; else whatever the disk says.
    fn create(&self, name: &str) -> IoResult<Self::File>;
    /// Opens a file that exists.
    ///
    /// # Errors
    /// `NotFound` when there is none; else whatever the disk says.
    fn open(&self, name: &str, access: Access) -> IoResult<Self::File>;
    /// Gives a file another name.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn rename(&self, from: &str, to: &str) -> IoResult<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn remove(&self, name: &str) -> IoResult<()>;
    /// Makes names durable: what was created, renamed or removed.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn sync_dir(&self) -> IoResult<()>;
    /// Takes the exclusive right to write, at once or not at all.
    ///
    /// # Errors
    /// [`LockError::InUse`] when another holds it.
    fn lock(&self, name: &str) -> Result<Self::Lock, LockError>;
}

/// An open file. One thread may write while another syncs.
pub trait DiskFile: Send + Sync + 'static {
    /// Writes at an offset and says how many bytes it took, which may be fewer than given.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> IoResult<usize>;
    /// Reads at an offset and says how many bytes came, which may be fewer than asked for; none at the end.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> IoResult<usize>;
    /// Its length in bytes.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn len(&self) -> IoResult<u64>;
    /// Whether it has no bytes.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn is_empty(&self) -> IoResult<bool> {
        self.len().map(|len| len == 0)
    }
    /// Makes what was written durable, and the length that reading it back needs.
    ///
    /// # Errors
    /// Whatever the disk says. What was written before is then in doubt for good: asking again proves nothing.
    fn sync_data(&self) -> IoResult<()>;

    /// Its first `bytes`, which are there, will be written or read often and little at a time: a disk that can do so without a
    /// call to the system for each does from here on, and says whether it can. What a write that returned means stays what it was.
    fn keep_at_hand(&mut self, bytes: u64) -> bool {
        let _ = bytes;
        false
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at); a part may have been written.
    fn write_all_at(&self, mut offset: u64, mut bytes: &[u8]) -> IoResult<()> {
        while !bytes.is_empty() {
            match self.write_at(offset, bytes) {
                Ok(0) => return Err(Error::from(ErrorKind::WriteZero)),
                Ok(taken) => {
                    bytes = bytes.get(taken..).unwrap_or_default();
                    offset += taken as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until `into` is full or the file ends, and says how many bytes came.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at).
    fn read_full_at(&self, offset: u64, into: &mut [u8]) -> IoResult<usize> {
        let mut filled = 0;
        while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.read_at(offset + filled as u64, room) {
                Ok(0) => break,
                Ok(came) => filled += came,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// The disk refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {file}: {source}; {}", mend(.source.kind()))]
pub struct DiskError {
    /// What was wanted, as a verb.
    pub action: &'static str,
    /// Of which file or directory.
    pub file: String,
    /// What the disk said.
    pub source: Error,
}

impl DiskError {
    /// For `map_err`.
    pub(crate) fn of(action: &'static str, file: &str) -> impl FnOnce(Error) -> Self {
        move |source| Self {
            action,
            file: file.to_owned(),
            source,
        }
    }
}

/// What a person can do about it.
fn mend(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free room on the journal's disk or give another directory"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give the exchange's user the right to write there or give another directory"
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "check the journal's path: each part of it must be a directory"
        }
        _ => "check the disk (its log, its cables, its mount) before the exchange starts again",
    }
}

/// The directory could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another holds it.
    #[error("journal is in use by another process (pid {}): stop that one or give another directory", .pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string()))]
    InUse {
        /// Who, where it says so.
        pid: Option<u32>,
    },
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
