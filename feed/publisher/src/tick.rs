//! A message on its way, by a ring, to who tells the feed further: over other transports, or less of it.

use rialto_itch::Message;
use rialto_itch::mold::Session;

/// What a [`Tick`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickKind {
    /// A message.
    Message {
        /// Whether it is the last of its command.
        last: bool,
    },
    /// A session begins; its name stands in the bytes.
    Session,
    /// The session is over.
    Ended,
    /// Messages that had gone from memory before they could be copied.
    Gone {
        /// How many, from the number on.
        count: u64,
    },
}

/// One message, or what became of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// What it is.
    pub kind: TickKind,
    /// The message's MoldUDP64 number; the next one's where it is none.
    pub sequence: u64,
    len: u8,
    bytes: [u8; Message::LEN_MAX],
}

impl Tick {
    /// A message of the feed.
    #[must_use]
    pub fn message(sequence: u64, message: &[u8], last: bool) -> Self {
        Self::new(TickKind::Message { last }, sequence, message)
    }

    /// A session's beginning.
    #[must_use]
    pub fn session(session: Session) -> Self {
        Self::new(TickKind::Session, 1, &session.0)
    }

    /// A session's end; `next` is the number behind its last message.
    #[must_use]
    pub fn ended(next: u64) -> Self {
        Self::new(TickKind::Ended, next, &[])
    }

    /// Messages that cannot be copied any more: `count` from `sequence` on.
    #[must_use]
    pub fn gone(sequence: u64, count: u64) -> Self {
        Self::new(TickKind::Gone { count }, sequence, &[])
    }

    /// The message, or the session's name.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    fn new(kind: TickKind, sequence: u64, from: &[u8]) -> Self {
        let mut bytes = [0; Message::LEN_MAX];
        let len = from.len().min(bytes.len());
        bytes.iter_mut().zip(from).for_each(|(place, byte)| *place = *byte);
        Self {
            kind,
            sequence,
            len: len as u8,
            bytes,
        }
    }
}
