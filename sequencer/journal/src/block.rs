//! Whether a block, or a footer, follows on what was read before. Bytes in, verdict out: no file is touched here.

use crate::damage::Defect;
use crate::format::{BLOCK_HEADER, BlockHeader, ChainHash, FOOTER, Footer, HeaderFault, Mark, Seed, SegmentHeader};
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX};
use crate::record;
use rialto_model::{Command, Epoch, SequenceNumber, Sequenced, Timestamp, TradingDay};

/// What is known behind the last block that was sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where the next block begins in the segment.
    pub(crate) offset: u64,
    /// Whether the footer was read: no block follows.
    pub(crate) sealed: bool,
    pub(crate) next_seq: SequenceNumber,
    pub(crate) last_stamp: Timestamp,
    pub(crate) day: TradingDay,
    pub(crate) epoch: Epoch,
    pub(crate) chain: ChainHash,
    /// The highest durable mark so far.
    pub(crate) durable: SequenceNumber,
    /// The first number in the segment, and its blocks so far.
    pub(crate) first_seq: SequenceNumber,
    pub(crate) blocks: u32,
}

/// Where in a block something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Bytes from the block's beginning.
    pub(crate) at: usize,
    /// The record, or the next in line.
    pub(crate) seq: SequenceNumber,
    pub(crate) defect: Defect,
}

impl Place {
    /// Before the first record of a journal's life.
    pub(crate) const GENESIS: Self = Self {
        offset: 0,
        sealed: false,
        next_seq: SequenceNumber(1),
        last_stamp: Timestamp(0),
        day: TradingDay(0),
        epoch: Epoch(0),
        chain: ChainHash(0),
        durable: SequenceNumber(0),
        first_seq: SequenceNumber(1),
        blocks: 0,
    };

    pub(crate) fn last_seq(&self) -> SequenceNumber {
        SequenceNumber(self.next_seq.0.saturating_sub(1))
    }

    pub(crate) fn note(&mut self, mark: Mark) {
        if mark.durable {
            self.durable = self.durable.max(mark.up_to);
        }
    }

    /// At the first block of a segment that follows.
    pub(crate) fn in_segment(&self, header: &SegmentHeader) -> Self {
        let mut place = Self {
            offset: u64::from(header.header_bytes),
            sealed: false,
            epoch: header.epoch,
            first_seq: header.first_seq,
            blocks: 0,
            ..*self
        };
        place.note(header.mark);
        place
    }

    const fn fault(&self, defect: Defect) -> Fault {
        Fault {
            at: 0,
            seq: self.next_seq,
            defect,
        }
    }

    /// The header of the block that `bytes` begin with.
    pub(crate) fn header(&self, bytes: &[u8], seed: Seed) -> Result<BlockHeader, Fault> {
        let header = BlockHeader::decode(bytes, seed).map_err(|fault| {
            self.fault(match fault {
                HeaderFault::Short => Defect::BlockCut,
                HeaderFault::Checksum | HeaderFault::Version(_) => Defect::BlockChecksum,
            })
        })?;
        let length = header.length;
        if !(BLOCK_HEADER..=BLOCK_BYTES_MAX).contains(&(length as usize)) {
            return Err(self.fault(Defect::BlockLength { length }));
        }
        if header.epoch != self.epoch {
            return Err(self.fault(Defect::StaleEpoch {
                found: header.epoch,
                expected: self.epoch,
            }));
        }
        if let Some(defect) = order(self.next_seq, header.first_seq) {
            return Err(self.fault(defect));
        }
        if header.mark.up_to >= header.first_seq {
            return Err(self.fault(Defect::MarkAhead {
                up_to: header.mark.up_to,
            }));
        }
        Ok(header)
    }

    /// Takes the records of the block that `bytes` are the whole of, or what the file has of it, and moves on behind it.
    /// Where anything is wrong the place stays what it was, and what `into` then holds is not to be used.
    pub(crate) fn take_block(
        &mut self,
        header: &BlockHeader,
        bytes: &[u8],
        seed: Seed,
        into: &mut Vec<Sequenced<Command>>,
    ) -> Result<(), Fault> {
        let mut after = *self;
        let whole = header.length as usize;
        // A cut block still shows which of its records are whole, and so which is the first that is not.
        let mut rest = bytes.get(BLOCK_HEADER..).unwrap_or_default();
        while !rest.is_empty() {
            let at = bytes.len() - rest.len();
            after.take_record(&mut rest, seed, into).map_err(|defect| Fault {
                at,
                seq: after.next_seq,
                defect,
            })?;
        }
        if bytes.len() < whole {
            return Err(Fault {
                at: bytes.len(),
                ..after.fault(Defect::BlockCut)
            });
        }
        let taken = after.next_seq.0 - self.next_seq.0;
        if taken != u64::from(header.count) || header.count > BLOCK_RECORDS_MAX {
            return Err(self.fault(Defect::BlockCount { stated: header.count }));
        }
        let computed = BlockHeader::chain_of(bytes, self.chain);
        if computed != header.chain {
            return Err(self.fault(Defect::Chain {
                stated: header.chain,
                computed,
            }));
        }
        if header.day != after.day {
            return Err(self.fault(Defect::Day {
                stated: header.day,
                found: after.day,
            }));
        }
        after.chain = computed;
        after.offset += u64::from(header.length);
        after.blocks = after.blocks.saturating_add(1);
        after.note(header.mark);
        *self = after;
        Ok(())
    }

    /// Takes the first record off `rest`, puts it behind those in `into`, and moves number, stamp and day on. Where anything
    /// is wrong what was put into `into` is not to be used.
    #[inline]
    pub(crate) fn take_record(
        &mut self,
        rest: &mut &[u8],
        seed: Seed,
        into: &mut Vec<Sequenced<Command>>,
    ) -> Result<(), Defect> {
        let record = record::decode(rest, seed, self.epoch, into)?;
        if let Some(defect) = order(self.next_seq, record.seq) {
            return Err(defect);
        }
        if record.stamp < self.last_stamp {
            return Err(Defect::StampBack {
                before: self.last_stamp,
                found: record.stamp,
            });
        }
        self.next_seq = SequenceNumber(record.seq.0.saturating_add(1));
        self.last_stamp = record.stamp;
        if let Command::StartOfDay(start) = record.body {
            self.day = start.day;
        }
        Ok(())
    }

    /// Checks the footer that `bytes` begin with, and moves on behind it.
    pub(crate) fn take_footer(&mut self, bytes: &[u8], seed: Seed) -> Result<(), Fault> {
        let footer = Footer::decode(bytes, seed).map_err(|fault| {
            self.fault(match fault {
                HeaderFault::Short => Defect::FooterCut,
                HeaderFault::Checksum | HeaderFault::Version(_) => Defect::FooterChecksum,
            })
        })?;
        let sums = [
            ("chain hash", footer.chain != self.chain),
            ("first sequence number", footer.first_seq != self.first_seq),
            ("last sequence number", footer.last_seq != self.last_seq()),
            ("last stamp", footer.last_stamp != self.last_stamp),
            ("count of records", footer.records != self.records()),
            ("count of blocks", footer.blocks != self.blocks),
            ("epoch", footer.epoch != self.epoch),
            ("trading day", footer.day != self.day),
            ("mark", footer.mark.up_to > self.last_seq()),
        ];
        if let Some((what, _)) = sums.into_iter().find(|(_, differs)| *differs) {
            return Err(self.fault(Defect::FooterWrong { what }));
        }
        self.note(footer.mark);
        self.offset += FOOTER as u64;
        self.sealed = true;
        Ok(())
    }

    /// The footer that seals a segment here.
    pub(crate) fn footer(&self, mark: Mark) -> Footer {
        Footer {
            chain: self.chain,
            first_seq: self.first_seq,
            last_seq: self.last_seq(),
            last_stamp: self.last_stamp,
            mark,
            records: self.records(),
            blocks: self.blocks,
            epoch: self.epoch,
            day: self.day,
        }
    }

    fn records(&self) -> u32 {
        (self.next_seq.0 - self.first_seq.0) as u32
    }
}

/// What is wrong when `found` stands where `expected` must.
pub(crate) fn order(expected: SequenceNumber, found: SequenceNumber) -> Option<Defect> {
    match found.cmp(&expected) {
        core::cmp::Ordering::Equal => None,
        core::cmp::Ordering::Greater => Some(Defect::Gap { expected, found }),
        core::cmp::Ordering::Less => Some(Defect::Duplicate { expected, found }),
    }
}
