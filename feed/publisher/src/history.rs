//! Messages beyond memory, asked of whoever has the journal. Both ways go by bounded rings: nobody waits.

use alloc::vec::Vec;

use rialto_itch::mold::{BLOCK_LENGTH_LEN, Session};

/// A wish for messages that have gone from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Comes back with the answer.
    pub ticket: u64,
    /// The session.
    pub session: Session,
    /// The number of the first.
    pub first: u64,
    /// How many at most.
    pub count: u16,
}

/// What there was, from the first message asked for on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryAnswer {
    /// The wish's.
    pub ticket: u64,
    /// How many messages; 0: they cannot be had.
    pub count: u16,
    /// Each as a block of a MoldUDP64 packet: its length in two bytes, then it.
    pub blocks: Vec<u8>,
}

impl HistoryAnswer {
    /// Takes the first block off some blocks: with its length, and the rest.
    #[must_use]
    pub fn split(blocks: &[u8]) -> Option<(&[u8], &[u8])> {
        let (length, _) = blocks.split_first_chunk::<BLOCK_LENGTH_LEN>()?;
        blocks.split_at_checked(BLOCK_LENGTH_LEN + usize::from(u16::from_be_bytes(*length)))
    }
}
