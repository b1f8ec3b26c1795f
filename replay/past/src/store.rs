//! The folder of snapshots.

use crate::limits::{SNAPSHOT_BYTES_MAX, SNAPSHOTS_KEPT_MAX};
use crate::snapshot::{Snapshot, SnapshotError};
use rialto_journal::disk::{Access, Disk, DiskError, DiskFile as _};
use rialto_model::{EventHash, SequenceNumber, StateHash};
use std::io::{Error, ErrorKind};

const SUFFIX: &str = ".snapshot";
/// What the name of a file that is being written has behind the suffix, and then the writer's process id.
const UNFINISHED: &str = ".tmp-";
/// Digits of the number in a name: all of a u64, so that names sort as numbers do.
const DIGITS: usize = 20;

/// A folder of snapshots.
#[derive(Clone, Debug)]
pub struct Snapshots<D: Disk> {
    disk: D,
}

/// What a file of the folder is.
#[derive(Debug)]
pub struct Listed {
    /// The number in its name.
    pub seq: SequenceNumber,
    /// Its name.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// The hashes of state and events that it states, or why it is none.
    pub hashes: Result<(StateHash, EventHash), SnapshotError>,
}

/// Why the folder does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// No such snapshot.
    #[error("there is no snapshot at sequence number {seq} in {place}: `rialto snapshot ls` lists those there are")]
    NoSuch {
        /// What was asked for.
        seq: SequenceNumber,
        /// The folder.
        place: String,
    },
    /// The state is too large.
    #[error("the snapshot would have {bytes} bytes, over SNAPSHOT_BYTES_MAX: the journal is enough without it")]
    TooLarge {
        /// Its bytes.
        bytes: u64,
    },
}

impl<D: Disk> Snapshots<D> {
    /// The snapshots in a folder.
    #[must_use]
    pub const fn new(disk: D) -> Self {
        Self { disk }
    }

    /// The numbers of all files that are named as snapshots, rising.
    ///
    /// # Errors
    /// The disk's.
    pub fn numbers(&self) -> Result<Vec<SequenceNumber>, StoreError> {
        let names = self.list()?;
        let mut numbers: Vec<_> = names.iter().filter_map(|name| parse(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Every snapshot, the oldest first, with what it states or what is wrong with it.
    ///
    /// # Errors
    /// The disk's.
    pub fn ls(&self) -> Result<Vec<Listed>, StoreError> {
        let mut listed = Vec::new();
        for seq in self.numbers()? {
            let bytes = match self.bytes(seq) {
                Ok(bytes) => bytes,
                // Dropped since the folder was read.
                Err(StoreError::NoSuch { .. }) => continue,
                Err(error) => return Err(error),
            };
            let hashes = match Snapshot::head(&bytes) {
                Ok(head) if head.seq != seq => Err(SnapshotError::Damaged),
                head => head.map(|head| (head.state_hash, head.event_hash)),
            };
            listed.push(Listed {
                seq,
                file: name(seq),
                bytes: bytes.len() as u64,
                hashes,
            });
        }
        Ok(listed)
    }

    /// Reads one, whole and checked.
    ///
    /// # Errors
    /// The disk's; in the inner result what is wrong with it.
    pub fn load(&self, seq: SequenceNumber) -> Result<Result<Snapshot, SnapshotError>, StoreError> {
        let bytes = self.bytes(seq)?;
        Ok(Snapshot::decode(&bytes).and_then(|snapshot| {
            if snapshot.seq == seq {
                Ok(snapshot)
            } else {
                Err(SnapshotError::Damaged)
            }
        }))
    }

    /// The bytes of one as they are.
    ///
    /// # Errors
    /// [`StoreError::NoSuch`], or the disk's.
    pub fn bytes(&self, seq: SequenceNumber) -> Result<Vec<u8>, StoreError> {
        let file = name(seq);
        let read = || {
            let open = self.disk.open(&file, Access::Read)?;
            let len = open.len()?;
            if len > SNAPSHOT_BYTES_MAX {
                return Err(Error::new(ErrorKind::InvalidData, "over SNAPSHOT_BYTES_MAX"));
            }
            let mut bytes = vec![0; len as usize];
            let came = open.read_full_at(0, &mut bytes)?;
            bytes.truncate(came);
            Ok(bytes)
        };
        read().map_err(|error: Error| match error.kind() {
            ErrorKind::NotFound => StoreError::NoSuch {
                seq,
                place: self.disk.place(),
            },
            _ => refused("read", &file)(error).into(),
        })
    }

    /// Writes one under another name, syncs it and gives it its own; then drops the oldest beyond
    /// [`SNAPSHOTS_KEPT_MAX`]. Leaves nothing behind where the disk refuses.
    ///
    /// # Errors
    /// The disk's, or [`StoreError::TooLarge`].
    pub fn take(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let bytes = snapshot.encode();
        if bytes.len() as u64 > SNAPSHOT_BYTES_MAX {
            return Err(StoreError::TooLarge {
                bytes: bytes.len() as u64,
            });
        }
        for leftover in self.list()?.iter().filter(|name| name.contains(UNFINISHED)) {
            let _ = self.disk.remove(leftover);
        }
        let file = name(snapshot.seq);
        let unfinished = format!("{file}{UNFINISHED}{}", std::process::id());
        let write = || {
            let open = self.disk.create(&unfinished)?;
            open.write_all_at(0, &bytes)?;
            open.sync_data()?;
            self.disk.rename(&unfinished, &file)?;
            self.disk.sync_dir()
        };
        write().map_err(|error| {
            let _ = self.disk.remove(&unfinished);
            refused("write", &file)(error)
        })?;
        let numbers = self.numbers()?;
        for oldest in numbers.iter().take(numbers.len().saturating_sub(SNAPSHOTS_KEPT_MAX)) {
            self.drop_one(*oldest)?;
        }
        Ok(())
    }

    /// Removes one.
    ///
    /// # Errors
    /// [`StoreError::NoSuch`], or the disk's.
    pub fn drop_one(&self, seq: SequenceNumber) -> Result<(), StoreError> {
        let file = name(seq);
        let removed = self.disk.remove(&file).and_then(|()| self.disk.sync_dir());
        removed.map_err(|error| match error.kind() {
            ErrorKind::NotFound => StoreError::NoSuch {
                seq,
                place: self.disk.place(),
            },
            _ => refused("remove", &file)(error).into(),
        })
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.disk.list().map_err(refused("list", &self.disk.place()))?)
    }
}

/// The name of the snapshot at a number.
fn name(seq: SequenceNumber) -> String {
    format!("{:0DIGITS$}{SUFFIX}", seq.0)
}

/// Takes no other spelling than [`name`]'s.
fn parse(text: &str) -> Option<SequenceNumber> {
    let digits = text.strip_suffix(SUFFIX)?;
    let decimal = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    decimal.then(|| digits.parse().ok().map(SequenceNumber)).flatten()
}

fn refused(action: &'static str, file: &str) -> impl FnOnce(Error) -> DiskError {
    let file = file.to_owned();
    move |source| DiskError { action, file, source }
}
