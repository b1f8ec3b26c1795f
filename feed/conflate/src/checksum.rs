//! The checksum of a book: which levels it has and what stands at each, whatever the order they are added up in.
//!
//! A sum of one hash a level can be kept up to date level by level, on both ends. The hash is the finalizer of SplitMix64
//! (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), which any language writes in five lines. It
//! finds mistakes, not forgeries: those are for the transport to find.

use rialto_itch::Side;

const fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// What a level adds to the checksum of its book; a level without shares adds nothing.
#[must_use]
pub const fn level_hash(side: Side, price: u32, shares: u64) -> u64 {
    if shares == 0 {
        return 0;
    }
    mix(mix((side.byte() as u64) << 32 | price as u64) ^ shares)
}

/// The checksum of these levels: side, price in units of 0.0001, shares.
#[must_use]
pub fn checksum(levels: impl IntoIterator<Item = (Side, u32, u64)>) -> u64 {
    levels.into_iter().fold(0, |sum, (side, price, shares)| {
        sum.wrapping_add(level_hash(side, price, shares))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_values() {
        assert_eq!(checksum([]), 0);
        assert_eq!(checksum([(Side::Buy, 10_000, 0)]), 0);
        let bid = level_hash(Side::Buy, 1_850_000, 300);
        let ask = level_hash(Side::Sell, 1_850_100, 200);
        assert_eq!((bid, ask), (0x0ADAE0AF318A2381, 0x6DEBAA02141E0742));
        assert_eq!(
            checksum([(Side::Sell, 1_850_100, 200), (Side::Buy, 1_850_000, 300)]),
            bid.wrapping_add(ask)
        );
    }
}
