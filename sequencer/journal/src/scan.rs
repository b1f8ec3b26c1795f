//! Looks through bytes that cannot be read in order: is there anything, and does any of it say what was durable?
//!
//! Finds sound headers at any offset. What it finds is evidence about damage, never a record to hand out.

use crate::disk::DiskFile;
use crate::format::{
    BLOCK_HEADER, BLOCK_MARKER, BlockHeader, FOOTER, FOOTER_MARKER, Footer, Mark, SEGMENT_HEADER, Seed,
};
use crate::limits::WINDOW_BYTES;
use rialto_model::SequenceNumber;
use std::io::Result as IoResult;
use std::ops::Range;

/// What stands in a part of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    /// From the first byte that is not zero to behind the last one.
    pub(crate) nonzero: Option<Range<u64>>,
    /// The first sound block header.
    pub(crate) first_block: Option<BlockHeader>,
    /// The highest sequence number that any sound block says it holds.
    pub(crate) last_seq: SequenceNumber,
    /// The highest durable mark.
    pub(crate) durable: SequenceNumber,
}

impl Survey {
    /// Bytes between the first and the last that are not zero.
    pub(crate) fn bytes(&self) -> u64 {
        self.nonzero.as_ref().map_or(0, |extent| extent.end - extent.start)
    }

    fn mark(&mut self, mark: Mark) {
        if mark.durable {
            self.durable = self.durable.max(mark.up_to);
        }
    }

    fn block(&mut self, block: BlockHeader) {
        self.mark(block.mark);
        self.first_block.get_or_insert(block);
        self.last_seq = self.last_seq.max(SequenceNumber(block.next_seq().0.saturating_sub(1)));
    }
}

/// Bytes that are looked at together where all of them are zero.
const STRIDE: usize = 4096;
/// What two reads have in common, so that a header across their border is seen.
const OVERLAP: usize = if BLOCK_HEADER > FOOTER { BLOCK_HEADER } else { FOOTER } - 1;

/// Looks through the bytes of `file` from `from` on.
pub(crate) fn survey(file: &impl DiskFile, seed: Seed, from: u64) -> IoResult<Survey> {
    let mut found = Survey::default();
    // One byte more than there should be shows the end without another read.
    let left = file.len()?.saturating_sub(from).saturating_add(1);
    let mut window = vec![0; left.clamp(STRIDE as u64, WINDOW_BYTES as u64) as usize];
    let mut at = from;
    loop {
        let came = file.read_full_at(at, &mut window)?;
        let bytes = window.get(..came).unwrap_or_default();
        look(bytes, at, seed, &mut found);
        if came < window.len() {
            return Ok(found);
        }
        at += (came - OVERLAP) as u64;
    }
}

fn look(bytes: &[u8], at: u64, seed: Seed, found: &mut Survey) {
    for (index, stride) in bytes.chunks(STRIDE).enumerate() {
        // Taken together rather than one by one: the tail of a journal is mostly zeros.
        if stride.iter().fold(0, |all, byte| all | byte) == 0 {
            continue;
        }
        let begins = index * STRIDE;
        let somewhere = |byte: &u8| *byte != 0;
        if let (Some(first), Some(last)) = (stride.iter().position(somewhere), stride.iter().rposition(somewhere)) {
            let position = |place: usize| at + (begins + place) as u64;
            let extent = found.nonzero.get_or_insert(position(first)..position(first));
            extent.end = extent.end.max(position(last) + 1);
        }
        let marked = |byte: u8| byte == BLOCK_MARKER[0] || byte == FOOTER_MARKER[0];
        for (place, _) in stride.iter().enumerate().filter(|(_, byte)| marked(**byte)) {
            let here = bytes.get(begins + place..).unwrap_or_default();
            if here.starts_with(&BLOCK_MARKER) {
                if let Ok(block) = BlockHeader::decode(here, seed) {
                    found.block(block);
                }
            } else if here.starts_with(&FOOTER_MARKER)
                && let Ok(footer) = Footer::decode(here, seed)
            {
                found.mark(footer.mark);
            }
        }
    }
}

/// The first sound block of a file whose header is not: the first one at all where `thorough`, else the one right behind
/// the header.
pub(crate) fn first_block(file: &impl DiskFile, seed: Seed, thorough: bool) -> IoResult<Option<BlockHeader>> {
    if thorough {
        return survey(file, seed, 0).map(|found| found.first_block);
    }
    let mut bytes = [0; BLOCK_HEADER];
    let came = file.read_full_at(SEGMENT_HEADER as u64, &mut bytes)?;
    Ok(BlockHeader::decode(bytes.get(..came).unwrap_or_default(), seed).ok())
}
