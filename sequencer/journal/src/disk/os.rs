//! The operating system's disk: `std::fs`, positioned reads and writes, flock(2), and memory for what is written in small pieces.

use super::map::Map;
use super::{Access, Disk, DiskError, DiskFile, LockError};
use crate::retention::ARCHIVE;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Read, Result as IoResult, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A directory of the file system. Where it names an archive ([`ARCHIVE`]) the files there are read as if they were here.
#[derive(Clone, Debug)]
pub struct OsDisk {
    path: Arc<PathBuf>,
    archive: Option<Arc<PathBuf>>,
}

/// An open file of it.
#[derive(Debug)]
pub struct OsFile {
    file: File,
    /// Its beginning as memory, where it is.
    map: Option<Map>,
}

/// The lock file, locked while this lives. The kernel lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct OsLock {
    _held: File,
}

impl OsDisk {
    /// Makes the directory where there is none.
    ///
    /// # Errors
    /// [`DiskError`] when it cannot be made, or is no directory.
    pub fn create_dir(path: &Path) -> Result<Self, DiskError> {
        fs::create_dir_all(path).map_err(DiskError::of("make directory", &path.to_string_lossy()))?;
        Self::open_dir(path)
    }

    /// A directory that exists.
    ///
    /// # Errors
    /// [`DiskError`] when there is none.
    pub fn open_dir(path: &Path) -> Result<Self, DiskError> {
        fs::read_dir(path).map_err(DiskError::of("open directory", &path.to_string_lossy()))?;
        let named = path.join(ARCHIVE);
        let archive = match fs::read_to_string(&named) {
            // Joined: a relative name is one beside the files here.
            Ok(name) => Some(Arc::new(path.join(name.trim_end_matches('\n')))),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(DiskError::of("read", &named.to_string_lossy())(error)),
        };
        Ok(Self {
            path: Arc::new(path.to_owned()),
            archive,
        })
    }

    /// Makes the directory, and another one where its files may go when they are over; from now on whoever opens this one reads
    /// both.
    ///
    /// # Errors
    /// [`DiskError`] when one cannot be made, or another archive is named: its files would be lost sight of.
    pub fn create_with_archive(path: &Path, archive: &Path) -> Result<Self, DiskError> {
        let named = path.join(ARCHIVE);
        let refused = |error| DiskError::of("name the archive in", &named.to_string_lossy())(error);
        let disk = Self::create_dir(path)?;
        fs::create_dir_all(archive).map_err(DiskError::of("make directory", &archive.to_string_lossy()))?;
        let archive = archive.canonicalize().map_err(refused)?;
        if path.canonicalize().is_ok_and(|path| path == archive) {
            return Err(refused(Error::new(ErrorKind::InvalidInput, "it is the folder itself")));
        }
        match &disk.archive {
            Some(before) if before.canonicalize().ok().as_ref() == Some(&archive) => return Ok(disk),
            Some(before) => {
                let why = format!(
                    "{} is named already: move its files before you name another",
                    before.display()
                );
                return Err(refused(Error::new(ErrorKind::AlreadyExists, why)));
            }
            None => {}
        }
        let name = archive
            .to_str()
            .ok_or_else(|| refused(Error::new(ErrorKind::InvalidInput, "the archive's path is not UTF-8")))?;
        let unfinished = path.join(format!("{ARCHIVE}.tmp"));
        let write = || {
            let mut file = File::create(&unfinished)?;
            writeln!(file, "{name}")?;
            file.sync_all()?;
            fs::rename(&unfinished, &named)?;
            disk.sync_dir()
        };
        write().map_err(refused)?;
        Self::open_dir(path)
    }

    /// The directory where files go that are over.
    ///
    /// # Errors
    /// [`DiskError`] when it is not there.
    pub fn archive(&self) -> Result<Option<Self>, DiskError> {
        self.archive.as_deref().map(|path| Self::open_dir(path)).transpose()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Disk for OsDisk {
    type File = OsFile;
    type Lock = OsLock;

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn list(&self) -> IoResult<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&*self.path)? {
            // A name that is no UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        // Behind the files here: one that leaves meanwhile is seen twice rather than never.
        if let Some(archive) = &self.archive {
            match fs::read_dir(&**archive) {
                // Taken away: the journal then begins later, and says where to whoever asks for more.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                listed => {
                    for entry in listed? {
                        names.extend(entry?.file_name().into_string().ok());
                    }
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn create(&self, name: &str) -> IoResult<OsFile> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(self.path.join(name))
            .map(OsFile::new)
    }

    fn open(&self, name: &str, access: Access) -> IoResult<OsFile> {
        let open = |folder: &Path| {
            let mut options = OpenOptions::new();
            options.read(true).write(access == Access::Write);
            options.open(folder.join(name)).map(OsFile::new)
        };
        match (open(&self.path), &self.archive) {
            // What is over is never written.
            (Err(error), Some(archive)) if error.kind() == ErrorKind::NotFound && access == Access::Read => {
                open(archive)
            }
            (opened, _) => opened,
        }
    }

    fn rename(&self, from: &str, to: &str) -> IoResult<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> IoResult<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_dir(&self) -> IoResult<()> {
        File::open(&*self.path)?.sync_all()
    }

    fn lock(&self, name: &str) -> Result<OsLock, LockError> {
        let path = self.path.join(name);
        let refused = |error| DiskError::of("lock", &path.to_string_lossy())(error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let pid = file.read_to_string(&mut holder).ok();
                return Err(LockError::InUse {
                    pid: pid.and_then(|_| holder.trim().parse().ok()),
                });
            }
            Err(TryLockError::Error(error)) => return Err(refused(error).into()),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(refused)?;
        Ok(OsLock { _held: file })
    }
}

impl OsFile {
    const fn new(file: File) -> Self {
        Self { file, map: None }
    }

    #[cfg(test)]
    pub(super) const fn is_at_hand(&self) -> bool {
        self.map.is_some()
    }
}

impl DiskFile for OsFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> IoResult<usize> {
        match &self.map {
            Some(map) if map.store(offset, bytes) => Ok(bytes.len()),
            _ => FileExt::write_at(&self.file, bytes, offset),
        }
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> IoResult<usize> {
        match &self.map {
            Some(map) if map.load(offset, into) => Ok(into.len()),
            _ => FileExt::read_at(&self.file, into, offset),
        }
    }

    fn len(&self) -> IoResult<u64> {
        self.file.metadata().map(|metadata| metadata.len())
    }

    fn sync_data(&self) -> IoResult<()> {
        self.file.sync_data()
    }

    fn keep_at_hand(&mut self, bytes: u64) -> bool {
        self.map = Map::of(&self.file, bytes);
        self.map.is_some()
    }
}
