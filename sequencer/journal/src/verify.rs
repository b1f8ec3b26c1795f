//! Reports on a journal without changing it. Needs no lock; over a journal that is being written it may call the block
//! being written torn.

use crate::cut;
use crate::damage::{Damage, Defect, ReadError};
use crate::disk::{Disk, DiskError};
use crate::format::ChainHash;
use crate::reader::Reader;
use rialto_model::{Epoch, SequenceNumber};

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Sound records, from the first on without interruption.
    pub records: u64,
    /// The first of them; zero where there is none.
    pub first_seq: SequenceNumber,
    /// The last of them; zero where there is none.
    pub last_seq: SequenceNumber,
    /// Numbers left out where the sound records end and others stand behind.
    pub gaps: u64,
    /// Numbers that come again there.
    pub duplicates: u64,
    /// Bytes above the highest durable mark that are no sound records: the next start cuts them.
    pub torn_bytes: u64,
    /// What the next start will cut, in words.
    pub torn: Option<String>,
    /// What stops the next start, in words.
    pub damage: Option<String>,
    /// Segments read.
    pub segments: u64,
    /// The epoch of the last of them; zero where there is none.
    pub last_epoch: Epoch,
    /// The highest number stated as durable.
    pub durable_up_to: SequenceNumber,
    /// The hash of everything sound.
    pub chain_hash: ChainHash,
}

/// Reads everything and says what is there.
///
/// # Errors
/// [`DiskError`] when the disk refuses; whatever is wrong with the bytes is in the report.
pub fn verify<D: Disk>(disk: &D) -> Result<Report, DiskError> {
    let mut report = Report::default();
    let mut reader = match Reader::open_oldest(disk) {
        Ok(reader) => reader,
        Err(error) => return report.stopped(error),
    };
    let damage = loop {
        match reader.read_block() {
            Ok(true) => {
                let records = reader.block();
                if let (0, Some(first)) = (report.records, records.first()) {
                    report.first_seq = first.seq;
                }
                report.records += records.len() as u64;
                report.last_seq = records.last().map_or(report.last_seq, |last| last.seq);
            }
            Ok(false) => break None,
            Err(ReadError::Damage(damage)) if !damage.defect.is_foreign() => break Some(damage),
            Err(error) => {
                report.sum_up(&reader);
                return report.stopped(error);
            }
        }
    };
    report.sum_up(&reader);
    if let Some(damage) = damage {
        report.judge(disk, &reader, &damage)?;
    }
    Ok(report)
}

impl Report {
    fn sum_up<D: Disk>(&mut self, reader: &Reader<D>) {
        self.segments = reader.segment().map_or(0, |index| index as u64 + 1);
        self.last_epoch = reader.epoch();
        self.chain_hash = reader.chain();
        self.durable_up_to = reader.place().durable;
    }

    fn stopped(mut self, error: ReadError) -> Result<Self, DiskError> {
        match error {
            ReadError::Disk(error) => Err(error),
            other => {
                self.damage = Some(other.to_string());
                Ok(self)
            }
        }
    }

    /// The same rule as a start's: see [`recover`](crate::recover()).
    fn judge<D: Disk>(&mut self, disk: &D, reader: &Reader<D>, damage: &Damage) -> Result<(), DiskError> {
        let next = reader.place().next_seq;
        let at = reader.segment().map(|index| (index, reader.place().offset));
        let behind = cut::behind(disk, reader.lineup(), at, 0)?;
        // The block that is damaged may itself still say where it belongs: what counts is what stands behind it.
        let after = cut::behind(disk, reader.lineup(), at, 1)?;
        let found = match damage.defect {
            Defect::Gap { found, .. } | Defect::Duplicate { found, .. } => Some(found),
            _ => after.first_seq,
        };
        if let Some(found) = found {
            self.gaps = found.0.saturating_sub(next.0);
            self.duplicates = next.0.saturating_sub(found.0);
        }
        self.durable_up_to = self.durable_up_to.max(behind.durable);
        if self.durable_up_to >= next {
            self.damage = Some(damage.to_string());
        } else {
            self.torn_bytes = behind.bytes;
            self.torn = Some(damage.to_string());
        }
        Ok(())
    }
}
