//! Encoded bytes that wait for the socket.

use alloc::vec::Vec;

use crate::limits::TRANSMIT_CHUNK_BYTES;

/// Appended at the end, taken from the front.
#[derive(Debug, Default)]
pub(crate) struct TransmitBuffer {
    pub(crate) bytes: Vec<u8>,
    taken: usize,
}

impl TransmitBuffer {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            taken: 0,
        }
    }

    pub(crate) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or(b"")
    }

    /// The front may be forgotten up to here.
    pub(crate) fn taken(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_add(bytes).min(self.bytes.len());
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        } else if self.taken > TRANSMIT_CHUNK_BYTES {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }
}
