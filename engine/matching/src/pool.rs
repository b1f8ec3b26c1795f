//! Items of one kind in one place, addressed by a 32-bit handle.
//!
//! A released slot is the next one given out, while it is still in the cache. The pool grows when it must and never
//! shrinks, so once it has held as much as it ever will it does not allocate.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// No item.
pub(crate) const NONE: u32 = u32::MAX;

/// A growing array with a stack of free slots.
#[derive(Clone, Debug)]
pub(crate) struct Pool<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T> Pool<T> {
    /// With room for `reserved` items before it allocates again.
    pub(crate) fn new(reserved: usize) -> Self {
        Self {
            items: Vec::with_capacity(reserved),
            free: Vec::with_capacity(reserved),
        }
    }

    /// How many items are given out.
    #[inline]
    pub(crate) fn live(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Stores an item.
    #[inline]
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        if let Some(handle) = self.free.pop() {
            self[handle] = item;
            handle
        } else {
            self.grow(item)
        }
    }

    /// Gives out an item as it was left when it was released, or a new one.
    #[inline]
    pub(crate) fn reuse(&mut self, make: impl FnOnce() -> T) -> u32 {
        match self.free.pop() {
            Some(handle) => handle,
            None => self.grow(make()),
        }
    }

    /// Takes an item back. Its handle must not be used any more.
    #[inline]
    pub(crate) fn release(&mut self, handle: u32) {
        self.free.push(handle);
    }

    /// Handles stay below [`NONE`]: orders are bounded by `LIVE_ORDERS_MAX`, and nothing else is more numerous than
    /// eight for each of them.
    #[cold]
    fn grow(&mut self, item: T) -> u32 {
        let handle = self.items.len() as u32;
        self.items.push(item);
        // Releasing must not allocate either, however many items come back at once.
        self.free.reserve(self.items.capacity());
        handle
    }
}

impl<T> Index<u32> for Pool<T> {
    type Output = T;
    #[inline]
    fn index(&self, handle: u32) -> &T {
        &self.items[handle as usize]
    }
}

impl<T> IndexMut<u32> for Pool<T> {
    #[inline]
    fn index_mut(&mut self, handle: u32) -> &mut T {
        &mut self.items[handle as usize]
    }
}
