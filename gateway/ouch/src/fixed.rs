//! Parts of a fixed-length record at offsets that are known when the crate is compiled.
//!
//! A range outside the record does not compile, so that no index here can fail on any input.

/// The bytes of one field.
#[inline(always)]
pub(crate) fn get<const LENGTH: usize, const OFFSET: usize, const WIDTH: usize>(record: &[u8; LENGTH]) -> [u8; WIDTH] {
    const { assert!(OFFSET + WIDTH <= LENGTH) };
    let mut part = [0; WIDTH];
    part.copy_from_slice(&record[OFFSET..OFFSET + WIDTH]);
    part
}

/// Writes the bytes of one field.
#[inline(always)]
pub(crate) fn put<const LENGTH: usize, const OFFSET: usize, const WIDTH: usize>(
    record: &mut [u8; LENGTH],
    part: [u8; WIDTH],
) {
    const { assert!(OFFSET + WIDTH <= LENGTH) };
    record[OFFSET..OFFSET + WIDTH].copy_from_slice(&part);
}
