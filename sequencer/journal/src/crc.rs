//! CRC32C of a few dozen bytes: a record's, taken once when it is written and once when it is read.
//!
//! The crate `crc32c` is made for long runs: it goes by aligned words, one byte at a time before and behind them, which for a
//! record is most of the work. Here words are taken as they lie. Where the processor has no such instruction, and for other
//! processors, it is the crate that computes; both are held against each other.

/// Goes on from `crc`, the CRC of what came before.
#[inline]
pub(crate) fn append(crc: u32, bytes: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor has SSE 4.2, which is all the function asks for.
        #[allow(unsafe_code, reason = "the argument stands above")]
        return unsafe { by_words(crc, bytes) };
    }
    crc32c::crc32c_append(crc, bytes)
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse4.2")]
fn by_words(crc: u32, bytes: &[u8]) -> u32 {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u16, _mm_crc32_u32, _mm_crc32_u64};
    let (words, mut rest) = bytes.as_chunks();
    let mut wide = u64::from(!crc);
    for word in words {
        wide = _mm_crc32_u64(wide, u64::from_le_bytes(*word));
    }
    let mut crc = wide as u32;
    if let Some((four, behind)) = rest.split_first_chunk() {
        crc = _mm_crc32_u32(crc, u32::from_le_bytes(*four));
        rest = behind;
    }
    if let Some((two, behind)) = rest.split_first_chunk() {
        crc = _mm_crc32_u16(crc, u16::from_le_bytes(*two));
        rest = behind;
    }
    if let [last] = rest {
        crc = _mm_crc32_u8(crc, *last);
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::append;

    #[test]
    fn it_is_the_crc_of_the_crate_at_every_length_and_alignment() {
        let bytes: Vec<u8> = (0..600u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for start in 0..9 {
            for len in 0..300 {
                let piece = &bytes[start..start + len];
                for crc in [0, 1, 0xdead_beef, u32::MAX] {
                    assert_eq!(
                        append(crc, piece),
                        crc32c::crc32c_append(crc, piece),
                        "{len} bytes at {start}"
                    );
                }
            }
        }
    }
}
