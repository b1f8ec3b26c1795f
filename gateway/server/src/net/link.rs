//! One TCP connection, non-blocking. It keeps what was read and not taken, and never more than one read of it.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd};

use mio::event::Event;
use mio::net::TcpStream;

use crate::limits::{HOT_GAP_NS, HOT_NS, HOT_READS, READ_BYTES, STALL_NS};

/// A connection's socket and what it is ready for, as the system last said.
#[derive(Debug)]
pub(crate) struct Link {
    pub(super) stream: TcpStream,
    peer: SocketAddr,
    readable: bool,
    writable: bool,
    /// The system said that the other end has sent its last byte; there may still be some to read.
    closing: bool,
    /// Every byte of the other end was read, or the connection failed.
    ended: bool,
    /// Bytes read that the session had no room for.
    left_over: Vec<u8>,
    /// How many of those were not counted by [`read`](Self::read) yet.
    ahead: usize,
    /// Since when bytes wait and the other end takes none.
    stalled_since_ns: Option<u64>,
    /// When bytes last came, and how many reads in a row found some soon behind those before.
    came_ns: u64,
    in_a_row: u32,
}

impl Link {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        // Orders are small and each matters: never wait to fill a segment. Without it they still arrive.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            peer,
            readable: true,
            writable: true,
            closing: false,
            ended: false,
            left_over: Vec::new(),
            ahead: 0,
            stalled_since_ns: None,
            came_ns: 0,
            in_a_row: 0,
        }
    }

    /// Shows what waits to be read and leaves it there: nothing, until the system says that more has come. `None`: there is
    /// an end or an error to be read.
    pub(crate) fn peek<'a>(&mut self, scratch: &'a mut [u8; READ_BYTES]) -> Option<&'a [u8]> {
        self.readable = false;
        match self.stream.peek(scratch) {
            Ok(0) => None,
            Ok(count) => scratch.get(..count),
            Err(error) => (error.kind() == ErrorKind::WouldBlock).then_some(&[]),
        }
    }

    /// What was looked at is to be read.
    pub(crate) fn unpeek(&mut self) {
        self.readable = true;
    }

    /// For another process.
    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(super) fn set_ready(&mut self, event: &Event) {
        self.closing |= event.is_read_closed() || event.is_error();
        self.readable |= event.is_readable() || self.closing;
        self.writable |= event.is_writable();
    }

    /// Whether there may be bytes to take in.
    pub(crate) fn has_input(&self) -> bool {
        !self.left_over.is_empty() || (self.readable && !self.ended)
    }

    /// Whether nothing more comes in and everything that came was taken.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.ended && self.left_over.is_empty()
    }

    /// Gives bytes to `take`, which says how many it took: what was left over, else those of one read. Returns how many
    /// were read from the socket.
    pub(crate) fn read(&mut self, scratch: &mut [u8; READ_BYTES], mut take: impl FnMut(&[u8]) -> usize) -> usize {
        if !self.left_over.is_empty() {
            let taken = take(&self.left_over).min(self.left_over.len());
            self.left_over.drain(..taken);
            return std::mem::take(&mut self.ahead);
        }
        if !self.readable || self.ended {
            return 0;
        }
        match self.stream.read(scratch) {
            Ok(0) => self.ended = true,
            Ok(count) => {
                let read = scratch.get(..count).unwrap_or_default();
                let taken = take(read).min(count);
                self.left_over.extend_from_slice(read.get(taken..).unwrap_or_default());
                // A short read says that the socket is empty: new bytes will be announced, the end perhaps was already.
                self.readable = count == READ_BYTES || self.closing;
                return count;
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => self.readable = false,
                ErrorKind::Interrupted => {}
                _ => self.ended = true,
            },
        }
        0
    }

    /// Reads once, whatever the system last said, and keeps what came for [`read`](Self::read). Whether there is something to do
    /// now: bytes, an end, or some that waited to be written.
    pub(super) fn try_read(&mut self, scratch: &mut [u8; READ_BYTES]) -> bool {
        let waits = !std::mem::replace(&mut self.writable, true);
        if self.ended || !self.left_over.is_empty() {
            return waits;
        }
        match self.stream.read(scratch) {
            Ok(0) => self.ended = true,
            Ok(count) => {
                self.left_over
                    .extend_from_slice(scratch.get(..count).unwrap_or_default());
                self.ahead = count;
                self.readable = count == READ_BYTES;
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted => return waits,
                _ => self.ended = true,
            },
        }
        true
    }

    /// Bytes have come.
    pub(crate) fn note_came(&mut self, now_ns: u64) {
        let soon = now_ns.saturating_sub(self.came_ns) <= HOT_GAP_NS;
        self.in_a_row = if soon { self.in_a_row.saturating_add(1) } else { 0 };
        self.came_ns = now_ns;
    }

    /// Whether bytes come so often that it is better to look than to ask.
    pub(super) const fn is_hot(&self) -> bool {
        self.in_a_row >= HOT_READS
    }

    /// Whether nothing has come for so long that it is better to ask than to look.
    pub(super) const fn has_cooled(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.came_ns) >= HOT_NS
    }

    /// The system will be asked for it no more, or again.
    pub(super) const fn reset_heat(&mut self) {
        self.in_a_row = 0;
    }

    /// It cannot be watched any more.
    pub(super) const fn give_up(&mut self) {
        self.ended = true;
    }

    /// Writes what the socket takes, and says how much.
    pub(crate) fn write(&mut self, now_ns: u64, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            self.stalled_since_ns = None;
            return 0;
        }
        if self.writable {
            match self.stream.write(bytes) {
                Ok(count) => {
                    self.writable = count == bytes.len();
                    self.stalled_since_ns = None;
                    return count;
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.writable = false,
                    ErrorKind::Interrupted => {}
                    _ => self.ended = true,
                },
            }
        }
        self.stalled_since_ns.get_or_insert(now_ns);
        0
    }

    /// Whether the other end has taken nothing of what waits for it for too long.
    pub(crate) fn is_stalled(&self, now_ns: u64) -> bool {
        self.stalled_since_ns
            .is_some_and(|since_ns| now_ns.saturating_sub(since_ns) >= STALL_NS)
    }
}
