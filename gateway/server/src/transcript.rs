//! What sessions were told, as hashes: of two doors of one stream, in whatever process, that is the same.
//!
//! FNV-1a of 64 bits. What differs in one byte, or in its number, is another.

use rialto_model::SessionId;

/// A running hash of messages with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transcript(u64);

impl Transcript {
    pub(crate) const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    /// Takes in a message of this type.
    pub(crate) fn add(&mut self, number: u64, kind: &[u8], message: &[u8]) {
        for byte in number.to_be_bytes().iter().chain(kind).chain(message) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// One hash over those of all sessions.
    pub(crate) fn over(all: impl Iterator<Item = (SessionId, Option<Self>)>) -> u64 {
        let mut whole = Self::EMPTY;
        for (session, one) in all {
            let of = one.map_or(0, |one| one.0);
            whole.add(session.0.into(), &[], &of.to_be_bytes());
        }
        whole.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_is_another_for_another_byte_number_or_order() {
        let of = |messages: &[(u64, &[u8])]| {
            let mut transcript = Transcript::EMPTY;
            let all = messages.iter();
            all.for_each(|(number, message)| transcript.add(*number, b"", message));
            transcript
        };
        let one = of(&[(1, b"A"), (2, b"J")]);
        assert_eq!(one, of(&[(1, b"A"), (2, b"J")]));
        assert_ne!(one, of(&[(1, b"A"), (2, b"K")]));
        assert_ne!(one, of(&[(1, b"A"), (3, b"J")]));
        assert_ne!(one, of(&[(2, b"J"), (1, b"A")]));
        assert_ne!(one, of(&[(1, b"A")]));
        let all =
            |first, second| Transcript::over([(SessionId(1), Some(first)), (SessionId(2), Some(second))].into_iter());
        assert_ne!(all(one, Transcript::EMPTY), all(Transcript::EMPTY, one));
    }
}
