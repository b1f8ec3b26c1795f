//! Asking for messages again. A request looks like a header; the answer is an ordinary packet to the asker.

use super::{HEADER_LEN, Header, SequenceNumber, Session};

/// Asks for `count` messages from `sequence` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// The session they belong to.
    pub session: Session,
    /// The number of the first.
    pub sequence: SequenceNumber,
    /// How many.
    pub count: u16,
}

/// Why bytes are not a request. The protocol has no reject: a server counts and drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It has another length.
    #[error(
        "a MoldUDP64 request is {HEADER_LEN} bytes long, this one {actual}; check that the port is meant for requests"
    )]
    Length {
        /// Bytes there are.
        actual: usize,
    },
    /// It asks for nothing.
    #[error("the request asks for no message; ask for at least one")]
    Nothing,
    /// It asks for numbers that no message has.
    #[error("no session has {count} messages from number {sequence} on; numbers begin at 1 and fit 64 bits")]
    Range {
        /// The number of the first.
        sequence: SequenceNumber,
        /// How many.
        count: u16,
    },
}

impl Request {
    /// The request's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        Header {
            session: self.session,
            sequence: self.sequence,
            count: self.count,
        }
        .to_bytes()
    }

    /// Reads a request, which the datagram must hold exactly.
    ///
    /// # Errors
    /// [`RequestError`] names what is wrong with it.
    pub fn parse(datagram: &[u8]) -> Result<Self, RequestError> {
        let bytes = datagram
            .try_into()
            .map_err(|_| RequestError::Length { actual: datagram.len() })?;
        let Header {
            session,
            sequence,
            count,
        } = Header::from_bytes(bytes);
        if count == 0 {
            return Err(RequestError::Nothing);
        }
        if sequence < SequenceNumber::FIRST || sequence.checked_add(count.into()).is_none() {
            return Err(RequestError::Range { sequence, count });
        }
        Ok(Self {
            session,
            sequence,
            count,
        })
    }

    /// The number behind the last one asked for.
    #[must_use]
    pub const fn end(&self) -> SequenceNumber {
        SequenceNumber(self.sequence.0.saturating_add(self.count as u64))
    }
}
