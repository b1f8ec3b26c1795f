//! A disk in memory that crashes, fails and fills up when it is told to.
//!
//! It is deterministic, and harsher than a real one in one respect: what was not synced is lost by [`MemDisk::crash`]
//! without exception. [`MemDisk::crash_keeping`] keeps an arbitrary part of it, as a real one may.

use super::{Access, Disk, DiskFile, LockError};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result as IoResult};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a real disk writes in one piece.
const SECTOR: usize = 512;

/// The disk. All clones are one; so are the files opened from it.
#[derive(Clone, Debug, Default)]
pub struct MemDisk {
    state: Arc<Mutex<State>>,
    view: View,
}

/// What is seen of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum View {
    /// What was written.
    #[default]
    Written,
    /// What a power loss at this moment would leave.
    Durable,
}

/// What goes on elsewhere while a sync is under way.
struct Meanwhile(Box<dyn FnOnce() + Send>);

impl core::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Meanwhile")
    }
}

#[derive(Debug, Default)]
struct State {
    /// Names as they are seen, and as they would be after a crash.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    inodes: Vec<Inode>,
    /// The number of the lock that is held, if one is, and how many were given.
    locked: Option<u64>,
    locks: u64,
    /// Counts crashes: files and locks of an earlier life are dead.
    life: u64,
    operations: u64,
    writes: u64,
    short_writes: u64,
    syncs: u64,
    stop_at: Option<u64>,
    write_faults: BTreeMap<u64, WriteFault>,
    sync_faults: Vec<u64>,
    /// From this sync on all fail.
    sync_broken_at: Option<u64>,
    lies: bool,
    meanwhile: Option<Meanwhile>,
    room: Option<u64>,
}

#[derive(Debug, Default)]
struct Inode {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug)]
enum WriteFault {
    Fail,
    Short(usize),
}

/// An open file of a [`MemDisk`].
#[derive(Debug)]
pub struct MemFile {
    disk: MemDisk,
    inode: usize,
    life: u64,
    access: Access,
}

/// The lock of a [`MemDisk`].
#[derive(Debug)]
pub struct MemLock {
    disk: MemDisk,
    number: u64,
}

impl MemDisk {
    /// An empty disk without bound.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test thread that failed leaves a state that is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power fails and comes back: everything not synced is gone, open files are dead, faults are forgotten.
    pub fn crash(&self) {
        self.state().restart(|| false);
    }

    /// As [`crash`](Self::crash), but each sector not synced is kept or lost by a coin thrown from `seed`, in any order;
    /// so are the names, together.
    pub fn crash_keeping(&self, seed: u64) {
        let mut coin = seed | 1;
        self.state().restart(|| {
            // xorshift64
            coin ^= coin << 13;
            coin ^= coin >> 7;
            coin ^= coin << 17;
            coin & 1 == 1
        });
    }

    /// Operations so far that change anything: create, write, sync, rename, remove.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Syncs of files so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Writes so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Writes so far that took a part only.
    #[must_use]
    pub fn short_writes(&self) -> u64 {
        self.state().short_writes
    }

    /// From the operation with this index on (from 0) nothing happens any more and everything fails, until a crash.
    pub fn stop_at(&self, operation: u64) {
        self.state().stop_at = Some(operation);
    }

    /// The write with this index (from 0) fails and changes nothing.
    pub fn fail_write(&self, write: u64) {
        self.state().write_faults.insert(write, WriteFault::Fail);
    }

    /// The write with this index takes no more than `bytes`.
    pub fn short_write(&self, write: u64, bytes: usize) {
        self.state().write_faults.insert(write, WriteFault::Short(bytes));
    }

    /// The sync with this index fails; what it should have kept is lost in a crash, whatever later syncs say.
    pub fn fail_sync(&self, sync: u64) {
        self.state().sync_faults.push(sync);
    }

    /// The sync with this index fails, and so does every later one.
    pub fn break_syncs_at(&self, sync: u64) {
        self.state().sync_broken_at = Some(sync);
    }

    /// Takes back every fault that was set and has not come yet.
    pub fn mend(&self) {
        self.state().mend();
    }

    /// From here on syncs say that they are done and do nothing: a drive that lies, until a crash.
    pub fn lie(&self) {
        self.state().lies = true;
    }

    /// The next sync of a file is slow: `meanwhile` runs after it has begun and before it ends. What is written meanwhile it
    /// does not cover.
    pub fn during_next_sync(&self, meanwhile: impl FnOnce() + Send + 'static) {
        self.state().meanwhile = Some(Meanwhile(Box::new(meanwhile)));
    }

    /// The same disk as a power loss at each moment would leave it, with everything lost that was not synced. To read.
    #[must_use]
    pub fn durable(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            view: View::Durable,
        }
    }

    /// Bounds the bytes of all files together; `None` lifts the bound.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// Bytes of all files together.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Takes the lock away from whoever holds it: a lock service that lost its memory.
    pub fn break_lock(&self) {
        self.state().locked = None;
    }

    /// The bytes of a file, if there is one.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let inode = *state.names.get(name)?;
        state.inodes.get(inode).map(|inode| inode.bytes.clone())
    }

    /// Turns one bit of a file over, on the disk, too.
    pub fn flip(&self, name: &str, bit: usize) {
        let mut state = self.state();
        let inode = state.names.get(name).copied();
        if let Some(inode) = inode.and_then(|inode| state.inodes.get_mut(inode)) {
            for bytes in [&mut inode.bytes, &mut inode.durable] {
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }
        }
    }

    /// Puts a file there, durable, in place of any other of that name.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let inode = state.inodes.len();
        state.inodes.push(Inode {
            bytes: bytes.to_vec(),
            durable: bytes.to_vec(),
            unsynced: Vec::new(),
        });
        state.names.insert(name.to_owned(), inode);
        state.durable_names.insert(name.to_owned(), inode);
    }

    /// A disk of its own with the same files, all of them durable.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        let state = self.state();
        for (name, inode) in &state.names {
            copy.put(name, state.bytes(*inode));
        }
        copy
    }

    /// Counts an operation that changes something, in the life it was begun in.
    fn begin(&self, life: u64) -> IoResult<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.alive(life)?;
        if state.stop_at.is_some_and(|at| state.operations >= at) {
            return Err(Error::other("the machine has stopped"));
        }
        state.operations += 1;
        Ok(state)
    }

    fn life(&self) -> u64 {
        self.state().life
    }
}

impl State {
    fn alive(&self, life: u64) -> IoResult<()> {
        if life == self.life {
            Ok(())
        } else {
            Err(Error::other("opened before the crash"))
        }
    }

    fn bytes(&self, inode: usize) -> &[u8] {
        self.inodes.get(inode).map_or(&[], |inode| &inode.bytes)
    }

    fn seen(&self, inode: usize, view: View) -> &[u8] {
        self.inodes.get(inode).map_or(&[], |inode| match view {
            View::Written => &inode.bytes,
            View::Durable => &inode.durable,
        })
    }

    fn names(&self, view: View) -> &BTreeMap<String, usize> {
        match view {
            View::Written => &self.names,
            View::Durable => &self.durable_names,
        }
    }

    fn inode(&mut self, index: usize) -> IoResult<&mut Inode> {
        self.inodes.get_mut(index).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn find(&self, name: &str) -> IoResult<usize> {
        let found = self.names.get(name).copied();
        found.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn used(&self) -> u64 {
        let sizes = self.names.values().map(|inode| self.bytes(*inode).len());
        sizes.sum::<usize>() as u64
    }

    fn restart(&mut self, mut keeps: impl FnMut() -> bool) {
        for inode in &mut self.inodes {
            for (offset, bytes) in std::mem::take(&mut inode.unsynced) {
                for (index, sector) in sectors(offset, &bytes) {
                    if keeps() {
                        put(&mut inode.durable, index, sector);
                    }
                }
            }
            inode.bytes.clone_from(&inode.durable);
        }
        if keeps() {
            self.durable_names.clone_from(&self.names);
        } else {
            self.names.clone_from(&self.durable_names);
        }
        self.locked = None;
        self.life += 1;
        self.mend();
    }

    fn mend(&mut self) {
        self.stop_at = None;
        self.write_faults.clear();
        self.sync_faults.clear();
        self.sync_broken_at = None;
        self.lies = false;
        self.meanwhile = None;
    }
}

/// The pieces of a write at `offset` that lie in one sector each.
fn sectors(offset: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = offset;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at((SECTOR - at % SECTOR).min(rest.len()));
        let begins = at;
        at += piece.len();
        rest = after;
        (!piece.is_empty()).then_some((begins, piece))
    })
}

/// Writes into a file's bytes, which grow by zeros where needed.
fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    file.resize(file.len().max(end), 0);
    if let Some(place) = file.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

impl Disk for MemDisk {
    type File = MemFile;
    type Lock = MemLock;

    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn list(&self) -> IoResult<Vec<String>> {
        Ok(self.state().names(self.view).keys().cloned().collect())
    }

    fn create(&self, name: &str) -> IoResult<MemFile> {
        let life = self.life();
        let mut state = self.begin(life)?;
        if state.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.names.insert(name.to_owned(), inode);
        Ok(MemFile {
            disk: self.clone(),
            inode,
            life,
            access: Access::Write,
        })
    }

    fn open(&self, name: &str, access: Access) -> IoResult<MemFile> {
        let state = self.state();
        let found = state.names(self.view).get(name).copied();
        Ok(MemFile {
            disk: self.clone(),
            inode: found.ok_or(ErrorKind::NotFound)?,
            life: state.life,
            access,
        })
    }

    fn rename(&self, from: &str, to: &str) -> IoResult<()> {
        let mut state = self.begin(self.life())?;
        let inode = state.find(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, name: &str) -> IoResult<()> {
        let mut state = self.begin(self.life())?;
        state.find(name)?;
        state.names.remove(name);
        Ok(())
    }

    fn sync_dir(&self) -> IoResult<()> {
        let mut state = self.begin(self.life())?;
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn lock(&self, _name: &str) -> Result<MemLock, LockError> {
        let mut state = self.state();
        if state.locked.is_some() {
            return Err(LockError::InUse {
                pid: Some(std::process::id()),
            });
        }
        state.locks += 1;
        state.locked = Some(state.locks);
        Ok(MemLock {
            disk: self.clone(),
            number: state.locks,
        })
    }
}

impl Drop for MemLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.locked == Some(self.number) {
            state.locked = None;
        }
    }
}

impl DiskFile for MemFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> IoResult<usize> {
        if self.access == Access::Read {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let mut state = self.disk.begin(self.life)?;
        let write = state.writes;
        state.writes += 1;
        let bytes = match state.write_faults.remove(&write) {
            None => bytes,
            Some(WriteFault::Short(most)) if most < bytes.len() => {
                state.short_writes += 1;
                bytes.get(..most).unwrap_or(bytes)
            }
            Some(WriteFault::Short(_)) => bytes,
            Some(WriteFault::Fail) => return Err(Error::other("write failed")),
        };
        let offset = offset as usize;
        let grows = (offset + bytes.len()).saturating_sub(state.bytes(self.inode).len()) as u64;
        if state.room.is_some_and(|room| state.used() + grows > room) {
            return Err(ErrorKind::StorageFull.into());
        }
        let inode = state.inode(self.inode)?;
        put(&mut inode.bytes, offset, bytes);
        inode.unsynced.push((offset, bytes.to_vec()));
        Ok(bytes.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> IoResult<usize> {
        let state = self.disk.state();
        state.alive(self.life)?;
        let bytes = state.seen(self.inode, self.disk.view);
        let from = bytes.get(offset as usize..).unwrap_or_default();
        let came = from.len().min(into.len());
        for (to, from) in into.iter_mut().zip(from) {
            *to = *from;
        }
        Ok(came)
    }

    fn len(&self) -> IoResult<u64> {
        let state = self.disk.state();
        state.alive(self.life)?;
        Ok(state.seen(self.inode, self.disk.view).len() as u64)
    }

    fn sync_data(&self) -> IoResult<()> {
        let mut state = self.disk.begin(self.life)?;
        let sync = state.syncs;
        state.syncs += 1;
        if state.lies {
            return Ok(());
        }
        let broken = state.sync_broken_at.is_some_and(|at| sync >= at);
        let fails = broken || state.sync_faults.contains(&sync);
        let unsynced = std::mem::take(&mut state.inode(self.inode)?.unsynced);
        if let Some(Meanwhile(meanwhile)) = state.meanwhile.take() {
            drop(state);
            meanwhile();
            state = self.disk.state();
            state.alive(self.life)?;
        }
        if fails {
            return Err(Error::other("sync failed"));
        }
        let inode = state.inode(self.inode)?;
        for (offset, bytes) in unsynced {
            put(&mut inode.durable, offset, &bytes);
        }
        Ok(())
    }
}
