//! The beginning of a file as memory: a write of it is a store, a read of it is a load, and neither is a call to the system.
//!
//! What was stored has reached the file for everybody but a power loss: the pages are the ones that write(2) would have copied
//! into, so it is there for who reads the file, and when this process has ended, however it ended.
//!
//! A store whose page the disk then has no room for is a signal, not an error. So only those files are mapped whose blocks are
//! there and stay where they are when they are written again ([`holds_its_blocks`]); no other is, and none where the system refuses.

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::fs::File;
use std::ptr::{NonNull, copy_nonoverlapping, null_mut};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Mutex, PoisonError};

/// Bytes that the processor fetches together, and how many of them an order's block has.
#[cfg(target_arch = "x86_64")]
const LINE: u64 = 64;
#[cfg(target_arch = "x86_64")]
const EXPECTED_LINES: u64 = 4;

/// The first bytes of a file, mapped until this is dropped.
#[derive(Debug)]
pub(super) struct Map {
    start: NonNull<u8>,
    len: usize,
    /// Held by who stores or loads: without it two threads could do so in one place at once.
    turn: Mutex<()>,
}

// SAFETY: the pages belong to this value alone until it is dropped, wherever that is; every access to them holds `turn`.
#[allow(unsafe_code, reason = "the argument stands above")]
unsafe impl Send for Map {}
// SAFETY: as above.
#[allow(unsafe_code, reason = "the argument stands above")]
unsafe impl Sync for Map {}

impl Map {
    /// `None` where the file is shorter, lies where it must not be mapped, or the system refuses.
    pub(super) fn of(file: &File, bytes: u64) -> Option<Self> {
        let len = usize::try_from(bytes).ok().filter(|len| *len > 0)?;
        if file.metadata().ok()?.len() < bytes || !holds_its_blocks(file) {
            return None;
        }
        // SAFETY: no address is asked for, so nothing that is mapped is touched; the answer is held by this value alone.
        #[allow(unsafe_code, reason = "the argument stands above")]
        let start = unsafe {
            mmap(
                null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                file,
                0,
            )
        };
        Some(Self {
            start: NonNull::new(start.ok()?.cast())?,
            len,
            turn: Mutex::new(()),
        })
    }

    /// Where these bytes are, if all of them are mapped.
    fn place(&self, offset: u64, len: usize) -> Option<NonNull<u8>> {
        let offset = usize::try_from(offset).ok()?;
        let fits = offset.checked_add(len).is_some_and(|end| end <= self.len);
        // SAFETY: `offset` is at most `self.len`, and that many bytes are mapped from `start` on.
        #[allow(unsafe_code, reason = "the argument stands above")]
        fits.then(|| unsafe { self.start.add(offset) })
    }

    /// Stores all of `bytes`, or none where not all of their place is mapped. Whatever this thread loads next it loads behind
    /// that, as behind a call to the system.
    pub(super) fn store(&self, offset: u64, bytes: &[u8]) -> bool {
        let Some(place) = self.place(offset, bytes.len()) else {
            return false;
        };
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: as many bytes are mapped from `place` on, to be written; `bytes` are not among them, for no reference to mapped
        // memory ever leaves this value; and `turn` keeps every other thread of this process out. The file is not cut shorter:
        // its folder is locked by who mapped it.
        #[allow(unsafe_code, reason = "the argument stands above")]
        unsafe {
            copy_nonoverlapping(bytes.as_ptr(), place.as_ptr(), bytes.len());
        }
        drop(turn);
        fence(Ordering::SeqCst);
        self.expect(offset + bytes.len() as u64);
        true
    }

    /// What is stored next stands behind what was stored last, in memory that nobody has touched for long: it is asked for now, so
    /// that the next store need not wait for it.
    #[cfg(target_arch = "x86_64")]
    fn expect(&self, offset: u64) {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        for line in 0..EXPECTED_LINES {
            if let Some(place) = self.place(offset + line * LINE, 1) {
                // SAFETY: the place is mapped; and a processor asked for a line that it cannot have does nothing.
                #[allow(unsafe_code, reason = "the argument stands above")]
                unsafe {
                    _mm_prefetch::<_MM_HINT_ET0>(place.as_ptr().cast());
                }
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    const fn expect(&self, _: u64) {}

    /// Loads into all of `into`, or nothing where not all of the place is mapped.
    pub(super) fn load(&self, offset: u64, into: &mut [u8]) -> bool {
        let Some(place) = self.place(offset, into.len()) else {
            return false;
        };
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, byte) in into.iter_mut().enumerate() {
            // SAFETY: mapped to be read, as above. Another process may be writing the file: each byte is loaded once, as it is
            // then, and what they make together is the caller's to judge, as it is of read(2).
            #[allow(unsafe_code, reason = "the argument stands above")]
            let loaded = unsafe { place.add(at).read_volatile() };
            *byte = loaded;
        }
        true
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: this value mapped them, and no reference to them has left it.
        #[allow(unsafe_code, reason = "the argument stands above")]
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
        debug_assert!(unmapped.is_ok(), "what was mapped can be unmapped");
    }
}

/// Whether a block that was written once is written again in its place: not where every write is a copy, nor over a network.
#[cfg(target_os = "linux")]
fn holds_its_blocks(file: &File) -> bool {
    const EXT4: u64 = 0xef53;
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::fstatfs(file).is_ok_and(|found| matches!(found.f_type as u64, EXT4 | TMPFS))
}

/// Elsewhere nobody has looked.
#[cfg(not(target_os = "linux"))]
const fn holds_its_blocks(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::Map;
    use crate::disk::{Access, Disk, DiskFile, OsDisk};
    use std::os::unix::fs::FileExt;

    #[test]
    fn what_is_stored_is_in_the_file_and_what_is_written_there_is_loaded() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = OsDisk::create_dir(folder.path()).expect("a disk");
        let mut file = disk.create("one").expect("a file");
        file.write_all_at(0, &[0; 10_000]).expect("it takes them");
        file.keep_at_hand(10_000);
        println!("mapped: {}", file.is_at_hand());
        let bytes: Vec<u8> = (0..9_000u32).map(|n| (n * 7 + 1) as u8).collect();
        for (offset, len) in [(0, 1), (3, 8_990), (4_095, 2), (9_993, 7)] {
            let written = &bytes[..len];
            file.write_all_at(offset, written).expect("it takes them");
            let mut read = vec![0; len];
            let other = disk.open("one", Access::Read).expect("it is there");
            assert_eq!(other.read_full_at(offset, &mut read).expect("it gives them"), len);
            assert_eq!(read, written, "{len} bytes at {offset}");
        }
        let other = disk.open("one", Access::Write).expect("it is there");
        other.write_all_at(4_090, b"another's").expect("it takes them");
        let mut read = [0; 9];
        assert_eq!(file.read_full_at(4_090, &mut read).expect("it gives them"), 9);
        assert_eq!(&read, b"another's");
        // Beyond what is mapped a write is a write, and makes the file longer.
        file.write_all_at(9_999, b"end").expect("it takes them");
        assert_eq!(file.len().expect("it has one"), 10_002);
        assert_eq!(other.read_full_at(9_999, &mut read).expect("it gives them"), 3);
        assert_eq!(&read[..3], b"end");
    }

    #[test]
    fn nothing_is_mapped_that_is_not_there() {
        let file = tempfile::tempfile().expect("a file");
        assert!(Map::of(&file, 0).is_none() && Map::of(&file, 1).is_none());
        file.write_all_at(&[1; 11], 0).expect("it takes them");
        assert!(Map::of(&file, 12).is_none());
        if let Some(map) = Map::of(&file, 11) {
            let mut into = [0; 4];
            assert!(!map.load(8, &mut into) && !map.load(u64::MAX, &mut into) && !map.store(8, &into));
            assert!(map.store(7, &[2; 4]) && map.load(6, &mut into));
            assert_eq!(into, [1, 2, 2, 2]);
        }
    }
}
