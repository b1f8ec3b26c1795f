//! What a session must be able to send again.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::limits::{MAX_STORED_BYTES, MAX_STORED_MESSAGES};
use crate::time::UtcTimestamp;
use crate::words::{MsgSeqNum, MsgType};

/// An application message as it was sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentMessage<'a> {
    /// MsgType(35).
    pub msg_type: MsgType<'a>,
    /// SendingTime(52) of the first copy, which becomes OrigSendingTime(122).
    pub sending_time: UtcTimestamp,
    /// Further header fields, encoded.
    pub header: &'a [u8],
    /// The body, encoded.
    pub body: &'a [u8],
}

/// Application messages sent, by number. Numbers it does not have were administrative, or are too old: they are gap-filled.
pub trait MessageStore {
    /// Keeps a message; numbers ascend.
    fn record(&mut self, number: MsgSeqNum, message: SentMessage<'_>);

    /// The first message kept with this number or a later one.
    fn next_from(&self, number: MsgSeqNum) -> Option<(MsgSeqNum, SentMessage<'_>)>;

    /// Forgets all: the numbers restart.
    fn clear(&mut self);
}

/// A store in memory that drops its oldest messages at its bounds.
#[derive(Debug)]
pub struct BoundedStore {
    messages: VecDeque<Stored>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Stored {
    number: MsgSeqNum,
    sending_time: UtcTimestamp,
    msg_type_length: usize,
    header_length: usize,
    /// Type, header, body.
    bytes: Box<[u8]>,
}

impl Default for BoundedStore {
    fn default() -> Self {
        Self::new(MAX_STORED_MESSAGES, MAX_STORED_BYTES)
    }
}

impl BoundedStore {
    /// A store of at most so many messages and bytes.
    #[must_use]
    pub const fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self {
            messages: VecDeque::new(),
            bytes: 0,
            max_messages,
            max_bytes,
        }
    }
}

impl MessageStore for BoundedStore {
    fn record(&mut self, number: MsgSeqNum, message: SentMessage<'_>) {
        let mut bytes = Vec::with_capacity(message.msg_type.0.len() + message.header.len() + message.body.len());
        bytes.extend_from_slice(message.msg_type.0);
        bytes.extend_from_slice(message.header);
        bytes.extend_from_slice(message.body);
        self.bytes += bytes.len();
        self.messages.push_back(Stored {
            number,
            sending_time: message.sending_time,
            msg_type_length: message.msg_type.0.len(),
            header_length: message.header.len(),
            bytes: bytes.into_boxed_slice(),
        });
        while self.messages.len() > self.max_messages || self.bytes > self.max_bytes {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= oldest.bytes.len();
        }
    }

    fn next_from(&self, number: MsgSeqNum) -> Option<(MsgSeqNum, SentMessage<'_>)> {
        let at = self.messages.partition_point(|stored| stored.number < number);
        let stored = self.messages.get(at)?;
        let (msg_type, rest) = stored.bytes.split_at_checked(stored.msg_type_length)?;
        let (header, body) = rest.split_at_checked(stored.header_length)?;
        Some((
            stored.number,
            SentMessage {
                msg_type: MsgType(msg_type),
                sending_time: stored.sending_time,
                header,
                body,
            },
        ))
    }

    fn clear(&mut self) {
        self.messages.clear();
        self.bytes = 0;
    }
}
