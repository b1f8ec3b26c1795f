//! What the tests of this crate share: hexadecimal tables, packets as bytes, and seeded random numbers.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod golden;

use rialto_ouch::soup::{ClientPacket, ServerPacket};

/// Bytes of a table: hexadecimal digits with spaces at the borders of fields, text in single quotes.
pub(crate) fn bytes(table: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in table.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u8> = part
            .chars()
            .filter(|digit| !digit.is_whitespace())
            .map(|digit| u8::try_from(digit.to_digit(16).expect("a hexadecimal digit")).expect("below 16"))
            .collect();
        assert!(digits.len().is_multiple_of(2), "half a byte in {table:?}");
        bytes.extend(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    }
    bytes
}

/// A client's packet with its length.
pub(crate) fn client(packet: ClientPacket<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    packet.encode(&mut out).expect("a packet of a test fits");
    out
}

/// A server's packet with its length.
pub(crate) fn server(packet: ServerPacket<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    packet.encode(&mut out).expect("a packet of a test fits");
    out
}

/// SplitMix64: small, seeded, the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn fill(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}
