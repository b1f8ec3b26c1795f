//! Messages in: bytes not yet framed, and messages held behind a gap.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use crate::limits::{MAX_HELD_BYTES, MAX_HELD_MESSAGES};
use crate::message::{Decoder, Framer, Garbled, Message};
use crate::words::MsgSeqNum;

/// Frames in, one message at a time out.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    framer: Framer,
    decoder: Decoder,
    current: Current,
    held: BTreeMap<MsgSeqNum, Held>,
    held_bytes: usize,
}

/// Where the bytes of the current message are.
#[derive(Debug, Default)]
enum Current {
    #[default]
    None,
    Framed(Range<usize>),
    Held(Vec<u8>),
}

#[derive(Debug)]
enum Held {
    Frame(Vec<u8>),
    /// Acted on when it came; only its number still counts.
    Seen,
}

/// What [`Inbox::take`] found.
#[derive(Debug)]
pub(super) enum Taken {
    /// Bytes that are no message.
    Garbled(Garbled),
    /// The expected number, already acted on.
    Seen,
    /// The expected message, held until now; it is the current one.
    Held,
    /// A message from the peer; it is the current one.
    Arrived,
}

impl Inbox {
    pub(super) fn feed(&mut self, bytes: &[u8]) -> usize {
        self.current = Current::None;
        self.framer.feed(bytes)
    }

    /// The next message: the held one with the expected number, or else the next that came.
    pub(super) fn take(&mut self, expected: Option<MsgSeqNum>) -> Option<Taken> {
        if let Some(expected) = expected {
            self.drop_held_below(expected);
            match self.held.remove(&expected) {
                Some(Held::Seen) => return Some(Taken::Seen),
                Some(Held::Frame(frame)) => {
                    self.held_bytes -= frame.len();
                    if let Err(garbled) = self.decoder.read(&frame) {
                        return Some(Taken::Garbled(garbled));
                    }
                    self.current = Current::Held(frame);
                    return Some(Taken::Held);
                }
                None => {}
            }
        }
        let framed = self.framer.next_frame()?;
        let decoded = framed.and_then(|place| {
            self.decoder.read(self.framer.frame(place.clone()))?;
            self.current = Current::Framed(place);
            Ok(())
        });
        Some(match decoded {
            Ok(()) => Taken::Arrived,
            Err(garbled) => Taken::Garbled(garbled),
        })
    }

    /// The message last taken.
    pub(super) fn current(&self) -> Message<'_> {
        self.decoder.view(self.current_frame())
    }

    fn current_frame(&self) -> &[u8] {
        match &self.current {
            Current::None => b"",
            Current::Framed(place) => self.framer.frame(place.clone()),
            Current::Held(frame) => frame,
        }
    }

    /// Keeps the current message until its number is expected. At the bound it is dropped: it will be asked for again.
    pub(super) fn hold_current(&mut self, number: MsgSeqNum) {
        let length = self.current_frame().len();
        if self.held.len() < MAX_HELD_MESSAGES
            && self.held_bytes + length <= MAX_HELD_BYTES
            && !self.held.contains_key(&number)
        {
            self.held_bytes += length;
            self.held.insert(number, Held::Frame(self.current_frame().to_vec()));
        }
    }

    /// Notes a number whose message was acted on ahead of its turn.
    pub(super) fn hold_seen(&mut self, number: MsgSeqNum) {
        if self.held.len() < MAX_HELD_MESSAGES {
            self.held.entry(number).or_insert(Held::Seen);
        }
    }

    pub(super) fn drop_held_below(&mut self, number: MsgSeqNum) {
        while let Some(entry) = self.held.first_entry()
            && *entry.key() < number
        {
            if let Held::Frame(frame) = entry.remove() {
                self.held_bytes -= frame.len();
            }
        }
    }

    /// A Logon took effect: nothing is held but, where it came ahead of its turn, its own number.
    pub(super) fn begin(&mut self, seen: Option<MsgSeqNum>) {
        self.held.clear();
        self.held_bytes = 0;
        if let Some(number) = seen {
            self.hold_seen(number);
        }
    }
}
