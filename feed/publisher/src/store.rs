//! The day's messages, kept to be packed, and to be packed again for whoever missed them.
//!
//! A ring of equal slots, each as large as the longest message: the place of a number is known without an index. When
//! all are taken the oldest message goes.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rialto_itch::Message;
use rialto_itch::mold::{BLOCK_LENGTH_LEN, SequenceNumber};

#[derive(Clone, Debug)]
pub(crate) struct Store {
    slots: VecDeque<Slot>,
    capacity: usize,
    next: SequenceNumber,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The message's length; with [`COMMAND_END`] where it is the last of its command.
    len: u8,
    bytes: [u8; Message::LEN_MAX],
}
const COMMAND_END: u8 = 0x80;
const _: () = assert!(Message::LEN_MAX < COMMAND_END as usize);

/// What a push did, in bytes of MoldUDP64 blocks.
pub(crate) struct Pushed {
    pub(crate) block: usize,
    /// The oldest message's, if it had to go.
    pub(crate) overwritten: Option<usize>,
}

impl Store {
    /// An empty store within so many bytes, for at least one message.
    pub(crate) fn new(bytes_max: usize) -> Self {
        let capacity = (bytes_max / size_of::<Slot>()).max(1);
        Self {
            slots: VecDeque::with_capacity(capacity),
            capacity,
            next: SequenceNumber::FIRST,
        }
    }

    /// Bytes that this many messages take.
    pub(crate) const fn bytes_for(messages: usize) -> usize {
        messages * size_of::<Slot>()
    }

    /// Forgets everything; the next message is the first again.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.next = SequenceNumber::FIRST;
    }

    /// Forgets everything; the next message is `next`.
    pub(crate) fn resume(&mut self, next: SequenceNumber) {
        self.slots.clear();
        self.next = next;
    }

    /// Numbers and keeps a message.
    #[inline]
    pub(crate) fn push(&mut self, message: &Message) -> Pushed {
        let overwritten = if self.slots.len() == self.capacity {
            self.slots.pop_front()
        } else {
            None
        };
        let mut bytes = [0; Message::LEN_MAX];
        // A slot holds the longest message.
        let len = message.encode(&mut bytes).unwrap_or_default();
        let slot = Slot { len: len as u8, bytes };
        self.slots.push_back(slot);
        self.next.0 += 1;
        Pushed {
            block: slot.block_len(),
            overwritten: overwritten.map(|slot| slot.block_len()),
        }
    }

    /// Takes note that the newest message is the last of its command.
    pub(crate) fn end_command(&mut self) {
        if let Some(slot) = self.slots.back_mut() {
            slot.len |= COMMAND_END;
        }
    }

    /// The messages from `from` on, as long as `show` takes them: bytes, and whether the command ends there. `from` is no
    /// less than the floor.
    pub(crate) fn visit(&self, from: SequenceNumber, mut show: impl FnMut(SequenceNumber, &[u8], bool) -> bool) {
        let behind = self.next.since(from).min(self.slots.len() as u64);
        let start = self.slots.len() - behind as usize;
        for (number, slot) in (from.0..).zip(self.slots.range(start..)) {
            if !show(SequenceNumber(number), slot.message(), slot.len & COMMAND_END != 0) {
                return;
            }
        }
    }

    /// The number of the next message.
    pub(crate) const fn next(&self) -> SequenceNumber {
        self.next
    }

    /// The number of the oldest message that is still there; of the next one where there is none.
    pub(crate) fn floor(&self) -> SequenceNumber {
        SequenceNumber(self.next.0 - self.slots.len() as u64)
    }

    /// Appends the blocks of the messages from `from` on to a packet, at most `count_max` and as long as the packet has
    /// no more than `packet_max` bytes. Returns how many.
    pub(crate) fn pack(&self, from: SequenceNumber, count_max: u64, packet_max: usize, packet: &mut Vec<u8>) -> u16 {
        let behind = self.next.since(from).min(self.slots.len() as u64);
        let start = self.slots.len() - behind as usize;
        let mut count = 0;
        for slot in self.slots.range(start..) {
            // A packet has at most 65,507 bytes and a block at least two, or `count_max` is a u16: the count fits.
            if u64::from(count) >= count_max || packet.len() + slot.block_len() > packet_max {
                break;
            }
            packet.extend_from_slice(&(slot.len() as u16).to_be_bytes());
            packet.extend_from_slice(slot.message());
            count += 1;
        }
        count
    }
}

impl Slot {
    const fn len(&self) -> usize {
        (self.len & !COMMAND_END) as usize
    }

    fn message(&self) -> &[u8] {
        self.bytes.get(..self.len()).unwrap_or(&self.bytes)
    }

    const fn block_len(&self) -> usize {
        BLOCK_LENGTH_LEN + self.len()
    }
}
