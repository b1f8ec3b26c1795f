//! A bounded piece of a file in memory, read ahead: a little at first, more the longer the reading goes straight on.

use crate::disk::DiskFile;
use crate::limits::WINDOW_BYTES;
use std::io::Result as IoResult;

/// What is read ahead at first, and after something was forgotten: a follower at the tail needs no more.
const AHEAD_LEAST: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Window<F> {
    file: F,
    start: u64,
    bytes: Vec<u8>,
    filled: usize,
    ahead: usize,
}

impl<F: DiskFile> Window<F> {
    pub(crate) const fn new(file: F) -> Self {
        Self {
            file,
            start: 0,
            bytes: Vec::new(),
            filled: 0,
            ahead: AHEAD_LEAST,
        }
    }

    pub(crate) const fn file(&self) -> &F {
        &self.file
    }

    /// The `len` bytes at `offset`; fewer where the file ends.
    pub(crate) fn view(&mut self, offset: u64, len: usize) -> IoResult<&[u8]> {
        if self.held(offset).is_none_or(|held| held.len() < len) {
            let wanted = len.max(self.ahead);
            if self.bytes.len() < wanted {
                self.bytes.resize(wanted, 0);
            }
            self.start = offset;
            self.filled = 0;
            let room = self.bytes.get_mut(..wanted).unwrap_or_default();
            self.filled = self.file.read_full_at(offset, room)?;
            self.ahead = (self.ahead * 2).min(WINDOW_BYTES);
        }
        let held = self.held(offset).unwrap_or_default();
        Ok(held.get(..len).unwrap_or(held))
    }

    /// What is held from `offset` on.
    fn held(&self, offset: u64) -> Option<&[u8]> {
        let skipped = offset.checked_sub(self.start)?;
        self.bytes.get(..self.filled)?.get(usize::try_from(skipped).ok()?..)
    }

    /// Whether what is held was read for `offset` itself, and not ahead for an earlier one.
    pub(crate) const fn is_fresh(&self, offset: u64) -> bool {
        self.start == offset
    }

    /// Forgets what was read ahead: the writer may have come further since.
    pub(crate) const fn forget(&mut self) {
        self.filled = 0;
        self.ahead = AHEAD_LEAST;
    }
}
