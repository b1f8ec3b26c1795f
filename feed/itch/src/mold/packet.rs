//! Reading a downstream packet. The framing is checked whole before the first message is handed out, so that a damaged
//! packet is refused as one and never half delivered.

use super::{BLOCK_LENGTH_LEN, END_OF_SESSION, HEADER_LEN, Header, SequenceNumber, Session};

/// Why bytes are not a downstream packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// There is no whole header.
    #[error(
        "a MoldUDP64 packet has a header of {HEADER_LEN} bytes, this one has {actual} in all; check that the port carries MoldUDP64"
    )]
    Header {
        /// Bytes there are.
        actual: usize,
    },
    /// The packet ends inside a message's length.
    #[error("the packet ends before the length of message {index} of {count}; it was cut, ask for it again")]
    BlockLength {
        /// Which message, from 0.
        index: u16,
        /// How many the header says there are.
        count: u16,
    },
    /// The packet ends inside a message.
    #[error(
        "message {index} of {count} is said to be {length} bytes long and {left} are left; the packet was cut, ask for it again"
    )]
    Block {
        /// Which message, from 0.
        index: u16,
        /// How many the header says there are.
        count: u16,
        /// How long the message is said to be.
        length: u16,
        /// Bytes there are.
        left: usize,
    },
    /// Bytes follow the last message.
    #[error("{bytes} bytes follow the last message of the packet; the sender must count its messages right")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The numbers of its messages do not fit 64 bits.
    #[error("{count} messages from number {sequence} on go beyond 64 bits; check that the port carries MoldUDP64")]
    Sequence {
        /// The number of the first message.
        sequence: SequenceNumber,
        /// How many the header says there are.
        count: u16,
    },
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// It carries messages.
    Messages,
    /// It carries none and says which number comes next.
    Heartbeat,
    /// It carries none and says that the session ended before the number it states.
    EndOfSession,
}

/// A downstream packet whose framing is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    header: Header,
    blocks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet, which the datagram must hold exactly.
    ///
    /// # Errors
    /// [`PacketError`] names the first thing wrong with it.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PacketError> {
        let (header, blocks) = datagram
            .split_first_chunk()
            .ok_or(PacketError::Header { actual: datagram.len() })?;
        let packet = Self {
            header: Header::from_bytes(*header),
            blocks,
        };
        let count = packet.count();
        let sequence = packet.header.sequence;
        sequence
            .checked_add(count.into())
            .ok_or(PacketError::Sequence { sequence, count })?;

        let mut rest = blocks;
        for index in 0..count {
            let (length, behind) = rest
                .split_first_chunk()
                .ok_or(PacketError::BlockLength { index, count })?;
            let length = u16::from_be_bytes(*length);
            let left = behind.len();
            rest = behind.get(length.into()..).ok_or(PacketError::Block {
                index,
                count,
                length,
                left,
            })?;
        }
        if rest.is_empty() {
            Ok(packet)
        } else {
            Err(PacketError::Trailing { bytes: rest.len() })
        }
    }

    /// The session it belongs to.
    #[must_use]
    pub const fn session(&self) -> Session {
        self.header.session
    }

    /// The number of its first message, or of the next one to come where it holds none.
    #[must_use]
    pub const fn sequence(&self) -> SequenceNumber {
        self.header.sequence
    }

    /// How many messages it holds.
    #[must_use]
    pub const fn count(&self) -> u16 {
        match self.content() {
            Content::Messages => self.header.count,
            Content::Heartbeat | Content::EndOfSession => 0,
        }
    }

    /// The number behind its last message. [`Packet::parse`] has seen that there is one.
    #[must_use]
    pub const fn end(&self) -> SequenceNumber {
        SequenceNumber(self.header.sequence.0.saturating_add(self.count() as u64))
    }

    /// What it is for.
    #[must_use]
    pub const fn content(&self) -> Content {
        match self.header.count {
            0 => Content::Heartbeat,
            END_OF_SESSION => Content::EndOfSession,
            _ => Content::Messages,
        }
    }

    /// Its messages with their numbers.
    #[must_use]
    pub const fn blocks(&self) -> Blocks<'a> {
        Blocks {
            next: self.header.sequence,
            rest: self.blocks,
        }
    }
}

/// The messages of a packet, in order.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    next: SequenceNumber,
    rest: &'a [u8],
}

impl<'a> Iterator for Blocks<'a> {
    type Item = (SequenceNumber, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (length, behind) = self.rest.split_first_chunk::<BLOCK_LENGTH_LEN>()?;
        let (message, rest) = behind.split_at_checked(u16::from_be_bytes(*length).into())?;
        let sequence = self.next;
        self.rest = rest;
        self.next = SequenceNumber(sequence.0.saturating_add(1));
        Some((sequence, message))
    }
}
