//! The day's messages, kept to be sent, and to be sent again for whoever missed them.
//!
//! A message is written once, as the block that it is in a packet, behind the one before it: a packet's blocks lie side by side
//! and are copied in one piece. Where each number lies stands in a ring beside them. When all its places are taken the oldest
//! message goes.

use alloc::vec;
use alloc::vec::Vec;

use rialto_itch::mold::{BLOCK_LENGTH_LEN, SequenceNumber};
use rialto_itch::{Encode, Message};

/// The longest block.
const BLOCK_MAX: usize = BLOCK_LENGTH_LEN + Message::LEN_MAX;
/// What a message may take: its block and its place.
const MESSAGE_BYTES: usize = BLOCK_MAX + size_of::<Place>();
/// More messages than these would lie beyond the 31 bits of a place.
const CAPACITY_MAX: usize = (1 << 31) / BLOCK_MAX - 2;

#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// Blocks in a ring. None is cut in two: what is left at the end where the next does not fit stays empty. Two blocks more than
    /// there are places, so that what is written never meets what is kept.
    bytes: Vec<u8>,
    /// Where the next block goes.
    head: usize,
    /// Behind the last block before the ring began again.
    edge: usize,
    /// Where each message lies, in a ring.
    places: Vec<Place>,
    /// The next message's place.
    slot: usize,
    len: usize,
    next: SequenceNumber,
}

/// Where a block begins; with [`COMMAND_END`] where its message is the last of its command.
#[derive(Clone, Copy, Debug, Default)]
struct Place(u32);
const COMMAND_END: u32 = 1 << 31;

/// What a push did.
pub(crate) struct Pushed {
    /// Bytes of the message's block.
    pub(crate) block: usize,
    /// The oldest message had to go.
    pub(crate) overwritten: bool,
}

/// Messages side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) count: u16,
    /// Of all their blocks.
    pub(crate) bytes: usize,
}

impl Store {
    /// An empty store within so many bytes, for at least one message.
    pub(crate) fn new(bytes_max: usize) -> Self {
        let capacity = (bytes_max / MESSAGE_BYTES).clamp(1, CAPACITY_MAX);
        Self {
            // Neither is touched before it is used.
            bytes: vec![0; (capacity + 2) * BLOCK_MAX],
            head: 0,
            edge: 0,
            places: vec![Place::default(); capacity],
            slot: 0,
            len: 0,
            next: SequenceNumber::FIRST,
        }
    }

    /// Touches every page, and changes nothing.
    pub(crate) fn touch(&mut self) {
        const PAGE: usize = 4_096;
        for byte in self.bytes.iter_mut().step_by(PAGE) {
            *byte = core::hint::black_box(*byte);
        }
        for place in self.places.iter_mut().step_by(PAGE / size_of::<Place>()) {
            *place = core::hint::black_box(*place);
        }
    }

    /// Bytes that this many messages take.
    pub(crate) const fn bytes_for(messages: usize) -> usize {
        messages * MESSAGE_BYTES
    }

    /// Forgets everything; the next message is the first again.
    pub(crate) fn clear(&mut self) {
        self.resume(SequenceNumber::FIRST);
    }

    /// Forgets everything; the next message is `next`.
    pub(crate) fn resume(&mut self, next: SequenceNumber) {
        (self.head, self.edge, self.slot, self.len) = (0, 0, 0, 0);
        self.next = next;
    }

    /// Numbers and keeps a message.
    #[inline]
    pub(crate) fn push(&mut self, message: &impl Encode) -> Pushed {
        let length = message.encoded_len();
        let block = BLOCK_LENGTH_LEN + length;
        if self.bytes.len() - self.head < block {
            (self.edge, self.head) = (self.head, 0);
        }
        if let Some(place) = self.bytes.get_mut(self.head..self.head + block)
            && let Some((stated, body)) = place.split_first_chunk_mut()
        {
            *stated = (length as u16).to_be_bytes();
            // It has the room that it asked for.
            let _ = message.encode(body);
        }
        if let Some(place) = self.places.get_mut(self.slot) {
            *place = Place(self.head as u32);
        }
        self.head += block;
        self.slot += 1;
        if self.slot == self.places.len() {
            self.slot = 0;
        }
        let overwritten = self.len == self.places.len();
        self.len += usize::from(!overwritten);
        self.next.0 += 1;
        Pushed { block, overwritten }
    }

    /// Takes note that the newest message is the last of its command.
    #[inline]
    pub(crate) fn end_command(&mut self) {
        let newest = self.slot.checked_sub(1).unwrap_or(self.places.len() - 1);
        if self.len > 0
            && let Some(place) = self.places.get_mut(newest)
        {
            place.0 |= COMMAND_END;
        }
    }

    /// The messages from `from` on, as long as `show` takes them: bytes, and whether the command ends there. `from` is no
    /// less than the floor.
    pub(crate) fn visit(&self, from: SequenceNumber, mut show: impl FnMut(SequenceNumber, &[u8], bool) -> bool) {
        for (number, place) in (from.0..).zip(self.places(from)) {
            let block = self.block(place.start()).get(BLOCK_LENGTH_LEN..);
            if !show(SequenceNumber(number), block.unwrap_or_default(), place.ends_command()) {
                return;
            }
        }
    }

    /// The number of the next message.
    pub(crate) const fn next(&self) -> SequenceNumber {
        self.next
    }

    /// The number of the oldest message that is still there; of the next one where there is none.
    pub(crate) const fn floor(&self) -> SequenceNumber {
        SequenceNumber(self.next.0 - self.len as u64)
    }

    /// The messages from `from` on that are no more than so many, with blocks of no more than so many bytes.
    pub(crate) fn span(&self, from: SequenceNumber, count_max: u64, bytes_max: usize) -> Span {
        let mut span = Span::default();
        for place in self.places(from) {
            let bytes = span.bytes + self.block(place.start()).len();
            // A packet has at most 65,507 bytes and a block at least two, or `count_max` is a u16: the count fits.
            if u64::from(span.count) >= count_max || bytes > bytes_max {
                break;
            }
            span = Span {
                count: span.count + 1,
                bytes,
            };
        }
        span
    }

    /// Appends the blocks of messages side by side, the first of which is `from`.
    #[inline]
    pub(crate) fn copy(&self, from: SequenceNumber, span: Span, out: &mut Vec<u8>) {
        let Some(place) = self.places(from).next() else { return };
        let start = place.start();
        // Of what lies before the head everything is newer than the edge.
        let end = if start < self.head { self.head } else { self.edge };
        let whole = span.bytes.min(end - start);
        out.extend_from_slice(self.bytes.get(start..start + whole).unwrap_or_default());
        out.extend_from_slice(self.bytes.get(..span.bytes - whole).unwrap_or_default());
    }

    /// The places of messages from `from` on, which is no less than the floor.
    fn places(&self, from: SequenceNumber) -> impl Iterator<Item = Place> {
        let behind = self.next.since(from).min(self.len as u64) as usize;
        let (before, after) = self.places.split_at(self.slot);
        let wrapped = behind.saturating_sub(before.len());
        let old = after.get(after.len() - wrapped..).unwrap_or_default();
        let new = before.get(before.len() - (behind - wrapped)..).unwrap_or_default();
        old.iter().chain(new).copied()
    }

    fn block(&self, start: usize) -> &[u8] {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest.first_chunk().map_or(0, |stated| u16::from_be_bytes(*stated));
        rest.get(..BLOCK_LENGTH_LEN + usize::from(length)).unwrap_or_default()
    }
}

impl Place {
    const fn start(self) -> usize {
        (self.0 & !COMMAND_END) as usize
    }

    const fn ends_command(self) -> bool {
        self.0 & COMMAND_END != 0
    }
}
