//! One writer, one gate, many readers, one copy of each value.
//!
//! The shape is that of a Disruptor: values are written once into slots and read in place. Three kinds of cursors order
//! everything, each written by one thread only:
//!
//! ```text
//! readers  <=  released (the gate)  <=  published (the writer)  <=  min(readers, released) + capacity
//! ```
//!
//! A reader never sees a value that the gate has not released. The writer never overwrites a value that the gate or a
//! reader has yet to see: a full ring refuses, and the writer waits. A dropped reader holds nobody up; a reader that
//! merely stops polling does, so who may be slow copies out to a bounded place of its own.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keeps a cursor on cache lines of its own (two, as x86 prefetches pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cursor(AtomicU64);

/// The cursor of a dropped reader: ahead of everything.
const GONE: u64 = u64::MAX;

struct Shared<T> {
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    mask: u64,
    published: Cursor,
    released: Cursor,
    readers: Box<[Cursor]>,
}

// SAFETY: a slot is written only by the one `Writer`, and only while no gate or reader may read it; it is read only
// between the reader's cursor and a cursor that was stored with Release after the write. `T: Copy` has no destructor and
// is handed out by shared reference, hence `Send + Sync` of `T` is what is wanted.
#[allow(unsafe_code, reason = "the argument stands above")]
unsafe impl<T: Copy + Send + Sync> Sync for Shared<T> {}
// SAFETY: as above; ownership of the slots moves with the value.
#[allow(unsafe_code, reason = "the argument stands above")]
unsafe impl<T: Copy + Send + Sync> Send for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// The value at `position`.
    ///
    /// # Safety
    /// `position` is at or above the caller's own cursor and below a cursor that the caller loaded with Acquire and that
    /// orders it behind the write (`published` for the gate, `released` for a reader).
    #[allow(unsafe_code, reason = "the contract stands above")]
    #[inline]
    unsafe fn value(&self, position: u64) -> &T {
        let slot = &self.slots[(position & self.mask) as usize];
        // SAFETY: by the caller's promise the slot was initialised, and the writer does not touch it again before the
        // caller's cursor has passed it.
        unsafe { (*slot.get()).assume_init_ref() }
    }
}

/// The one who writes.
pub struct Writer<T> {
    shared: Arc<Shared<T>>,
    /// The next position to write; ahead of `published` by what was written and not published yet.
    next: u64,
    /// What the shared cursor says: only this writer moves it.
    published: u64,
    /// The slowest follower as last seen, and the capacity: no position from here on has room.
    full_at: u64,
    /// The ring's own, at hand.
    mask: u64,
}

/// The one who releases. Sees every published value once, in order, and passes it on to the readers.
pub struct Gate<T> {
    shared: Arc<Shared<T>>,
    next: u64,
}

/// One who reads what was released; or, by the gate's own leave, what was published ([`Gate::preview`]).
pub struct Reader<T> {
    shared: Arc<Shared<T>>,
    index: usize,
    next: u64,
    early: bool,
}

/// A ring of `capacity` values (rounded up to a power of two, at least 2) with `readers` readers.
#[must_use]
pub fn broadcast<T: Copy + Send + Sync>(capacity: usize, readers: usize) -> (Writer<T>, Gate<T>, Vec<Reader<T>>) {
    let capacity = capacity.next_power_of_two().max(2);
    let shared = Arc::new(Shared {
        slots: (0..capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect(),
        mask: capacity as u64 - 1,
        published: Cursor::default(),
        released: Cursor::default(),
        readers: (0..readers).map(|_| Cursor::default()).collect(),
    });
    let readers = (0..readers)
        .map(|index| Reader {
            shared: Arc::clone(&shared),
            index,
            next: 0,
            early: false,
        })
        .collect();
    (
        Writer {
            shared: Arc::clone(&shared),
            next: 0,
            published: 0,
            full_at: capacity as u64,
            mask: capacity as u64 - 1,
        },
        Gate { shared, next: 0 },
        readers,
    )
}

impl<T: Copy> Writer<T> {
    /// Writes a value that nobody sees before [`publish`](Self::publish). Gives it back when the ring is full.
    ///
    /// # Errors
    /// The value itself: keep it and try again when a follower has moved.
    #[inline]
    pub fn write(&mut self, value: T) -> Result<(), T> {
        if self.next >= self.full_at && !self.refresh() {
            return Err(value);
        }
        // SAFETY: position `next` is below `slowest + capacity`, so the gate and every reader have passed the value that
        // stood in this slot, and they read no position at or above `published`, which is at most `next`.
        #[allow(unsafe_code, reason = "the argument stands above")]
        unsafe {
            (*self.slot(self.next)).write(value);
        }
        self.next += 1;
        Ok(())
    }

    /// The last value written, while it is not published yet.
    #[inline]
    pub fn unpublished(&mut self) -> Option<&mut T> {
        if self.next == self.published {
            return None;
        }
        // SAFETY: `next - 1` was written by this writer and is at or above `published`, so no one else may read it.
        #[allow(unsafe_code, reason = "the argument stands above")]
        Some(unsafe { (*self.slot(self.next - 1)).assume_init_mut() })
    }

    /// Where a position's value is.
    #[inline]
    fn slot(&self, position: u64) -> *mut MaybeUninit<T> {
        let at = (position & self.mask) as usize;
        debug_assert!(
            at < self.shared.slots.len(),
            "the mask is one less than the number of slots"
        );
        // SAFETY: there are `mask + 1` slots, a power of two, so no position under the mask lies behind the last.
        #[allow(unsafe_code, reason = "the argument stands above")]
        unsafe { self.shared.slots.get_unchecked(at) }.get()
    }

    /// Lets the gate see everything written so far.
    #[inline]
    pub fn publish(&mut self) {
        if self.published != self.next {
            self.expect();
        }
        self.published = self.next;
        self.shared.published.0.store(self.next, Ordering::Release);
    }

    /// Asks for the slot that is written next, which nobody has touched for a whole turn of the ring, so that the next write need
    /// not wait for it.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn expect(&self) {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        let slot = self.slot(self.next).cast::<i8>();
        for at in (0..size_of::<T>()).step_by(64) {
            // SAFETY: within the slot; nothing is read or written, and a reader that still has it loses nothing but time.
            #[allow(unsafe_code, reason = "the argument stands above")]
            unsafe {
                _mm_prefetch::<_MM_HINT_ET0>(slot.add(at));
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    const fn expect(&self) {}

    /// Looks again how far the slowest follower is. Whether there is room now.
    #[cold]
    fn refresh(&mut self) -> bool {
        let released = self.shared.released.0.load(Ordering::Acquire);
        let readers = self.shared.readers.iter().map(|r| r.0.load(Ordering::Acquire));
        self.full_at = readers.fold(released, u64::min) + self.mask + 1;
        self.next < self.full_at
    }
}

impl<T: Copy> Gate<T> {
    /// Shows up to `limit` published values to `open`, in order, and releases those before the first that it refuses.
    /// Returns how many were released.
    #[inline]
    pub fn poll(&mut self, limit: usize, open: impl FnMut(&T) -> bool) -> usize {
        self.poll_telling(limit, open, |_| ())
    }

    /// The same, and shows the last value that is released to `last`, just before it is.
    #[inline]
    pub fn poll_telling(&mut self, limit: usize, mut open: impl FnMut(&T) -> bool, last: impl FnOnce(&T)) -> usize {
        let published = self.shared.published.0.load(Ordering::Acquire);
        let end = published.min(self.next + limit as u64);
        let start = self.next;
        while self.next < end {
            // SAFETY: `next` is this gate's cursor and below `published`, loaded with Acquire above.
            #[allow(unsafe_code, reason = "the argument stands above")]
            let value = unsafe { self.shared.value(self.next) };
            if !open(value) {
                break;
            }
            self.next += 1;
        }
        if self.next != start {
            // SAFETY: below `published`, as above; and not yet released, so that nobody writes there.
            #[allow(unsafe_code, reason = "the argument stands above")]
            last(unsafe { self.shared.value(self.next - 1) });
            self.shared.released.0.store(self.next, Ordering::Release);
        }
        (self.next - start) as usize
    }

    /// Lets a reader that has read nothing yet see what is published and not released. Only for who helps the gate to
    /// decide and tells nobody: who holds the gate alone can give this leave.
    #[must_use]
    pub fn preview(&self, mut reader: Reader<T>) -> Reader<T> {
        assert!(
            Arc::ptr_eq(&self.shared, &reader.shared) && reader.next == 0,
            "a fresh reader of this ring"
        );
        reader.early = true;
        reader
    }

    /// Whether nothing that was published waits for release.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.next == self.shared.published.0.load(Ordering::Acquire)
    }
}

impl<T: Copy> Reader<T> {
    /// Up to where it may read.
    #[inline]
    fn end(&self) -> u64 {
        let end = if self.early {
            &self.shared.published
        } else {
            &self.shared.released
        };
        end.0.load(Ordering::Acquire)
    }

    /// Shows up to `limit` released values to `take`, in order, as long as it takes them; the first one refused is shown
    /// again at the next call. Returns how many were taken.
    #[inline]
    pub fn poll(&mut self, limit: usize, mut take: impl FnMut(&T) -> bool) -> usize {
        let end = self.end().min(self.next + limit as u64);
        let start = self.next;
        while self.next < end {
            // SAFETY: `next` is this reader's cursor and below `published`, loaded with Acquire above, or below `released`,
            // which the gate stored after it had loaded `published` with Acquire: the write happens before this read. The
            // writer counts every reader's cursor, early or not, before it writes a slot again.
            #[allow(unsafe_code, reason = "the argument stands above")]
            let value = unsafe { self.shared.value(self.next) };
            if !take(value) {
                break;
            }
            self.next += 1;
        }
        if self.next != start {
            self.shared.readers[self.index].0.store(self.next, Ordering::Release);
        }
        (self.next - start) as usize
    }

    /// Whether nothing that it may read waits for this reader.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.next == self.end()
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        self.shared.readers[self.index].0.store(GONE, Ordering::Release);
    }
}

impl<T> std::fmt::Debug for Writer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}
impl<T> std::fmt::Debug for Gate<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("next", &self.next).finish_non_exhaustive()
    }
}
impl<T> std::fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("index", &self.index)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(reader: &mut Reader<u64>) -> Vec<u64> {
        let mut seen = Vec::new();
        reader.poll(usize::MAX >> 1, |v| {
            seen.push(*v);
            true
        });
        seen
    }

    #[test]
    fn nothing_is_read_before_it_is_released() {
        let (mut writer, mut gate, mut readers) = broadcast::<u64>(8, 1);
        writer.write(1).unwrap();
        writer.write(2).unwrap();
        assert_eq!(gate.poll(8, |_| true), 0, "written is not published");
        writer.publish();
        assert_eq!(take_all(&mut readers[0]), [0u64; 0], "published is not released");
        assert_eq!(gate.poll(8, |v| *v < 2), 1);
        assert_eq!(take_all(&mut readers[0]), [1]);
        assert!(!gate.is_drained());
        assert_eq!(gate.poll(8, |_| true), 1);
        assert_eq!(take_all(&mut readers[0]), [2]);
        assert!(gate.is_drained() && readers[0].is_drained());
    }

    #[test]
    fn a_preview_sees_what_is_published_and_holds_the_writer_like_any_reader() {
        let (mut writer, mut gate, readers) = broadcast::<u64>(2, 2);
        let [early, mut late] = <[Reader<u64>; 2]>::try_from(readers).unwrap();
        let mut early = gate.preview(early);
        writer.write(1).unwrap();
        assert_eq!(take_all(&mut early), [0u64; 0], "written is not published");
        writer.publish();
        assert_eq!((take_all(&mut early), take_all(&mut late)), (vec![1], vec![]));
        assert!(early.is_drained() && !gate.is_drained());
        writer.write(2).unwrap();
        writer.publish();
        gate.poll(8, |_| true);
        assert_eq!(take_all(&mut late), [1, 2]);
        assert_eq!(writer.write(3), Ok(()));
        assert_eq!(writer.write(4), Err(4), "the preview has not seen 2");
        assert_eq!(take_all(&mut early), [2]);
    }

    #[test]
    fn a_full_ring_gives_the_value_back_until_the_slowest_has_moved() {
        let (mut writer, mut gate, mut readers) = broadcast::<u64>(4, 2);
        for v in 0..4 {
            writer.write(v).unwrap();
        }
        assert_eq!(writer.write(4), Err(4));
        writer.publish();
        assert_eq!(gate.poll(8, |_| true), 4);
        assert_eq!(writer.write(4), Err(4), "released but not read");
        assert_eq!(take_all(&mut readers[0]), [0, 1, 2, 3]);
        assert_eq!(writer.write(4), Err(4), "one reader is behind");
        readers.remove(1);
        writer.write(4).unwrap();
        writer.publish();
        gate.poll(8, |_| true);
        assert_eq!(take_all(&mut readers[0]), [4], "a dropped reader holds nobody up");
    }

    #[test]
    fn the_last_value_can_be_amended_until_it_is_published() {
        let (mut writer, mut gate, mut readers) = broadcast::<u64>(4, 1);
        assert!(writer.unpublished().is_none());
        writer.write(7).unwrap();
        *writer.unpublished().unwrap() += 1;
        writer.publish();
        assert!(writer.unpublished().is_none());
        gate.poll(1, |_| true);
        assert_eq!(take_all(&mut readers[0]), [8]);
    }

    #[test]
    fn every_reader_sees_every_value_once_and_in_order_across_threads() {
        const COUNT: u64 = 200_000;
        let (mut writer, mut gate, readers) = broadcast::<[u64; 4]>(64, 2);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut next = 0;
                while next < COUNT {
                    match writer.write([next; 4]) {
                        Ok(()) => next += 1,
                        Err(_) => std::thread::yield_now(),
                    }
                    writer.publish();
                }
            });
            scope.spawn(move || {
                let mut released = 0;
                while released < COUNT {
                    let moved = gate.poll(17, |_| true) as u64;
                    released += moved;
                    if moved == 0 {
                        std::thread::yield_now();
                    }
                }
            });
            for mut reader in readers {
                scope.spawn(move || {
                    let mut next = 0;
                    while next < COUNT {
                        let moved = reader.poll(31, |v| {
                            assert_eq!(*v, [next; 4]);
                            next += 1;
                            true
                        });
                        if moved == 0 {
                            std::thread::yield_now();
                        }
                    }
                });
            }
        });
    }
}
