//! Making downstream packets: messages are packed until the next would not fit the datagram.

use alloc::vec::Vec;

use super::{BLOCK_LENGTH_LEN, HEADER_LEN, Header, SequenceNumber, Session};

/// The largest datagram by default: with UDP and IP headers it stays under an Ethernet frame.
pub const DATAGRAM_MAX_DEFAULT: usize = 1_400;
/// The largest datagram that UDP over IPv4 carries. Since a message takes at least two bytes, a packet of this size
/// cannot hold so many that its count would read as the end of the session.
pub const DATAGRAM_MAX_LIMIT: usize = 65_507;

/// Why no builder can be made for a datagram size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("datagrams of {datagram_max} bytes cannot carry MoldUDP64; choose {} to {DATAGRAM_MAX_LIMIT}", HEADER_LEN + BLOCK_LENGTH_LEN)]
pub struct BuilderError {
    /// The size asked for.
    pub datagram_max: usize,
}

/// Why a message was not packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The packet has no room left for it.
    #[error("the packet has no room for another {length} bytes; seal and send it, then push again")]
    Full {
        /// Bytes of the message.
        length: usize,
    },
    /// No packet of this size could carry it.
    #[error(
        "a message of {length} bytes fits no packet, the longest may have {max}; raise the datagram size or split the message"
    )]
    TooLong {
        /// Bytes of the message.
        length: usize,
        /// The most an empty packet takes.
        max: usize,
    },
    /// 64 bits are used up.
    #[error("the session has used up its sequence numbers; begin another")]
    Exhausted,
}

/// Packs the messages of one session into datagrams.
///
/// Push until [`PushError::Full`], [`seal`](Self::seal), send, push again. Its one buffer is bounded by the datagram
/// size and allocated once.
#[derive(Clone, Debug)]
pub struct PacketBuilder {
    session: Session,
    first: SequenceNumber,
    count: u16,
    datagram_max: usize,
    buffer: Vec<u8>,
}

impl PacketBuilder {
    /// A builder whose next message has number `next`, for datagrams of [`DATAGRAM_MAX_DEFAULT`] bytes.
    #[must_use]
    pub fn new(session: Session, next: SequenceNumber) -> Self {
        Self::sized(session, next, DATAGRAM_MAX_DEFAULT)
    }

    /// A builder whose next message has number `next`, for datagrams of at most `datagram_max` bytes.
    ///
    /// # Errors
    /// [`BuilderError`] for a size that has no room for any message, or that UDP does not carry.
    pub fn with_datagram_max(
        session: Session,
        next: SequenceNumber,
        datagram_max: usize,
    ) -> Result<Self, BuilderError> {
        if !(HEADER_LEN + BLOCK_LENGTH_LEN..=DATAGRAM_MAX_LIMIT).contains(&datagram_max) {
            return Err(BuilderError { datagram_max });
        }
        Ok(Self::sized(session, next, datagram_max))
    }

    fn sized(session: Session, next: SequenceNumber, datagram_max: usize) -> Self {
        let mut buffer = Vec::with_capacity(datagram_max);
        buffer.resize(HEADER_LEN, 0);
        Self {
            session,
            first: next,
            count: 0,
            datagram_max,
            buffer,
        }
    }

    /// Packs one message.
    ///
    /// # Errors
    /// As [`block`](Self::block).
    #[inline]
    pub fn push(&mut self, message: &[u8]) -> Result<SequenceNumber, PushError> {
        let (sequence, block) = self.block(message.len())?;
        block.copy_from_slice(message);
        Ok(sequence)
    }

    /// Packs one message of `length` bytes, to be written into what is returned, and says its number.
    ///
    /// # Errors
    /// [`PushError::Full`]: seal first. [`PushError::TooLong`]: it fits no packet. [`PushError::Exhausted`]: the
    /// session has no number for it. Nothing has changed then.
    #[inline]
    pub fn block(&mut self, length: usize) -> Result<(SequenceNumber, &mut [u8]), PushError> {
        let max = self.datagram_max - HEADER_LEN - BLOCK_LENGTH_LEN;
        if length > max {
            return Err(PushError::TooLong { length, max });
        }
        // The number behind the message must exist as well: it is what the next heartbeat states.
        let sequence = self.first.checked_add(self.count.into()).ok_or(PushError::Exhausted)?;
        sequence.checked_add(1).ok_or(PushError::Exhausted)?;
        if self.count == 0 {
            self.buffer.truncate(HEADER_LEN);
        }
        let start = self.buffer.len() + BLOCK_LENGTH_LEN;
        if start + length > self.datagram_max {
            return Err(PushError::Full { length });
        }
        self.buffer.extend_from_slice(&(length as u16).to_be_bytes());
        self.buffer.resize(start + length, 0);
        self.count += 1;
        let block = self.buffer.get_mut(start..).unwrap_or_default();
        Ok((sequence, block))
    }

    /// The packet, if it holds any message. The next one pushed begins the next packet.
    pub fn seal(&mut self) -> Option<&[u8]> {
        if self.count == 0 {
            return None;
        }
        let header = Header {
            session: self.session,
            sequence: self.first,
            count: self.count,
        };
        if let Some(place) = self.buffer.first_chunk_mut() {
            *place = header.to_bytes();
        }
        self.first = self.next();
        self.count = 0;
        Some(&self.buffer)
    }

    /// The number of the next message pushed.
    #[inline]
    #[must_use]
    pub const fn next(&self) -> SequenceNumber {
        SequenceNumber(self.first.0.saturating_add(self.count as u64))
    }

    /// How many messages wait for [`seal`](Self::seal).
    #[must_use]
    pub const fn pending(&self) -> u16 {
        self.count
    }

    /// The packet that says that nothing was sent since the last sealed one.
    #[must_use]
    pub fn heartbeat(&self) -> [u8; HEADER_LEN] {
        Header::heartbeat(self.session, self.first).to_bytes()
    }

    /// The packet that says that the session ended with the last sealed packet.
    #[must_use]
    pub fn end_of_session(&self) -> [u8; HEADER_LEN] {
        Header::end_of_session(self.session, self.first).to_bytes()
    }
}
