//! Journals that no writer makes: one wrong thing each, everything else sound and sealed.

use crate::block::Place;
use crate::disk::MemDisk;
use crate::format::{
    BLOCK_HEADER, BlockHeader, ChainHash, FOOTER, Footer, Mark, SEGMENT_HEADER, Seed, SegmentHeader, SegmentId,
};
use crate::lineup::Name;
use crate::{ReadError, Reader, RecoverError, record, recover, verify};
use rialto_model::command::{StartOfDay, Tick};
use rialto_model::{Command, Epoch, SequenceNumber, Sequenced, Timestamp, TradingDay, VenueId};

const VENUE: VenueId = VenueId(7);
const SEGMENT_BYTES: u64 = 4_096;

fn tick(seq: u64, stamp: u64) -> Sequenced<Command> {
    Sequenced {
        seq: SequenceNumber(seq),
        stamp: Timestamp(stamp),
        epoch: Epoch(1),
        body: Command::Tick(Tick {}),
    }
}

fn start_of_day(seq: u64, day: u32) -> Sequenced<Command> {
    Sequenced {
        body: Command::StartOfDay(StartOfDay {
            day: TradingDay(day),
            midnight: Timestamp(0),
        }),
        ..tick(seq, 0)
    }
}

/// A segment in the making.
struct Segment {
    name: Name,
    place: Place,
    bytes: Vec<u8>,
}

impl Segment {
    fn new(id: u32, epoch: u32, before: Place, change: impl FnOnce(&mut SegmentHeader)) -> Self {
        let mut header = SegmentHeader {
            header_bytes: SEGMENT_HEADER as u32,
            id: SegmentId(id),
            epoch: Epoch(epoch),
            previous_epoch: before.epoch,
            venue: VENUE,
            day: before.day,
            first_seq: before.next_seq,
            last_stamp: before.last_stamp,
            chain: before.chain,
            mark: Mark::default(),
            segment_bytes: SEGMENT_BYTES,
        };
        let place = before.in_segment(&header);
        change(&mut header);
        Self {
            name: Name {
                id: SegmentId(id),
                epoch: Epoch(epoch),
            },
            place,
            bytes: header.encode().to_vec(),
        }
    }

    fn first() -> Self {
        Self::new(1, 1, Place::GENESIS, |_| {})
    }

    fn block(mut self, records: &[Sequenced<Command>]) -> Self {
        self.wrong(records, |_, _| {});
        self
    }

    /// A block whose header and record bytes are changed before it is sealed.
    fn wrong(
        &mut self,
        records: &[Sequenced<Command>],
        change: impl FnOnce(&mut BlockHeader, &mut Vec<u8>),
    ) -> &mut Self {
        let seed = self.seed();
        let mut bytes = vec![0; BLOCK_HEADER];
        for record in records {
            let mut room = [0; 512];
            let len = record::encode(&mut room, record, seed);
            bytes.extend_from_slice(&room[..len]);
            if let Command::StartOfDay(start) = record.body {
                self.place.day = start.day;
            }
            self.place.last_stamp = record.stamp;
        }
        let mut header = BlockHeader {
            chain: ChainHash(0),
            length: bytes.len() as u32,
            count: records.len() as u32,
            epoch: self.place.epoch,
            day: self.place.day,
            first_seq: self.place.next_seq,
            mark: Mark::default(),
        };
        change(&mut header, &mut bytes);
        self.place.chain = header.seal(&mut bytes, self.place.chain, seed);
        self.place.next_seq = header.next_seq();
        self.place.blocks += 1;
        self.bytes.extend_from_slice(&bytes);
        self
    }

    fn footer(&mut self, change: impl FnOnce(&mut Footer)) -> &mut Self {
        let mut footer = self.place.footer(Mark::default());
        change(&mut footer);
        self.bytes.extend_from_slice(&footer.encode(self.seed()));
        self
    }

    fn seed(&self) -> Seed {
        self.name.seed()
    }

    fn put(&self, disk: &MemDisk) {
        let mut bytes = self.bytes.clone();
        bytes.resize(SEGMENT_BYTES as usize, 0);
        disk.put(&self.name.to_string(), &bytes);
    }
}

/// A journal and what the reader must say of it: segment, offset, number, words.
type Case = (MemDisk, u32, usize, u64, &'static str);

fn one(segment: &Segment, offset: usize, seq: u64, says: &'static str) -> Case {
    let disk = MemDisk::new();
    segment.put(&disk);
    (disk, segment.name.id.0, offset, seq, says)
}

/// A first segment of one sound record, and a wrong block behind it.
fn second_block(
    records: &[Sequenced<Command>],
    change: impl FnOnce(&mut BlockHeader, &mut Vec<u8>),
    offset: usize,
    seq: u64,
    says: &'static str,
) -> Case {
    let mut segment = Segment::first().block(&[tick(1, 10)]);
    let begins = segment.bytes.len();
    segment.wrong(records, change);
    one(&segment, begins + offset, seq, says)
}

/// A sealed first segment, and a second with a wrong header.
fn second_segment(
    footer: impl FnOnce(&mut Footer),
    header: impl FnOnce(&mut SegmentHeader),
    says: &'static str,
) -> Case {
    let mut first = Segment::first().block(&[start_of_day(1, 5), tick(2, 10)]);
    first.footer(footer);
    let disk = MemDisk::new();
    first.put(&disk);
    Segment::new(2, 1, first.place, header).block(&[tick(3, 10)]).put(&disk);
    (disk, 2, 0, 3, says)
}

fn cases() -> Vec<Case> {
    const TICK: usize = 28;
    const SECOND: usize = SEGMENT_HEADER + BLOCK_HEADER + TICK;
    let two = [tick(2, 10), tick(3, 11)];
    let sound = |_: &mut BlockHeader, _: &mut Vec<u8>| {};
    let footer = |change: fn(&mut Footer), says| {
        let mut segment = Segment::first().block(&[tick(1, 10)]);
        let offset = segment.bytes.len();
        segment.footer(change);
        one(&segment, offset, 2, says)
    };
    let changed = |change: fn(&mut [u8]), offset, seq, says| {
        let mut segment = Segment::first().block(&[tick(1, 10)]).block(&two);
        segment.footer(|_| {});
        change(&mut segment.bytes);
        one(&segment, offset, seq, says)
    };
    let shortened = |len, offset, seq, says| {
        let segment = Segment::first().block(&[tick(1, 10)]).block(&two);
        let disk = MemDisk::new();
        disk.put(&segment.name.to_string(), &segment.bytes[..len]);
        (disk, 1, offset, seq, says)
    };
    vec![
        // Segment headers.
        changed(|b| b[20] ^= 1, 0, 1, "segment header's checksum is wrong"),
        changed(|b| b[..80].fill(0), 0, 1, "segment header is zeros"),
        second_segment(|_| {}, |h| h.first_seq.0 = 4, "sequence gap: 4 stands where 3 must"),
        second_segment(|_| {}, |h| h.first_seq.0 = 2, "sequence repeated: 2 stands where 3"),
        second_segment(|_| {}, |h| h.chain.0 ^= 1, "the chain breaks"),
        second_segment(|_| {}, |h| h.previous_epoch.0 = 9, "another epoch than the journal"),
        second_segment(|_| {}, |h| h.day.0 = 6, "another trading day than the journal"),
        second_segment(|_| {}, |h| h.last_stamp.0 = 9, "another stamp than the journal"),
        second_segment(|_| {}, |h| h.mark.up_to.0 = 3, "another mark than the journal"),
        second_segment(|_| {}, |h| h.venue.0 = 8, "the journal of venue 8, not of venue 7"),
        second_segment(|_| {}, |h| h.id.0 = 3, "the header is that of segment 3 of epoch 1"),
        second_segment(|_| {}, |h| h.header_bytes = 81, "states a size out of bounds"),
        second_segment(|_| {}, |h| h.segment_bytes = 1 << 33, "states a size out of bounds"),
        // Blocks.
        changed(
            |b| b[SECOND] ^= 1,
            SECOND,
            2,
            "neither a block nor a footer begins here",
        ),
        changed(|b| b[SECOND + 20] ^= 1, SECOND, 2, "block header's checksum is wrong"),
        shortened(SECOND + 3, SECOND, 2, "the block is cut short"),
        shortened(SECOND + 40, SECOND, 2, "the block is cut short"),
        shortened(
            SECOND + BLOCK_HEADER,
            SECOND + BLOCK_HEADER,
            2,
            "the block is cut short",
        ),
        shortened(
            SECOND + BLOCK_HEADER + TICK,
            SECOND + BLOCK_HEADER + TICK,
            3,
            "the block is cut short",
        ),
        second_block(&two, |h, _| h.length = 47, 0, 2, "a block of 47 bytes is out of bounds"),
        second_block(&two, |h, _| h.length = 1 << 20, 0, 2, "a block of 1048576 bytes"),
        second_block(
            &two,
            |h, _| h.count = 3,
            0,
            2,
            "states 3 records and holds another number",
        ),
        second_block(
            &two,
            |h, _| h.count = 0,
            0,
            2,
            "states 0 records and holds another number",
        ),
        second_block(
            &two,
            |h, _| h.epoch.0 = 2,
            0,
            2,
            "the block is of epoch 2, the segment of epoch 1",
        ),
        second_block(&two, |h, _| h.first_seq.0 = 3, 0, 2, "sequence gap: 3 stands where 2"),
        second_block(
            &two,
            |h, _| h.first_seq.0 = 1,
            0,
            2,
            "sequence repeated: 1 stands where 2",
        ),
        second_block(
            &two,
            |h, _| h.mark.up_to.0 = 2,
            0,
            2,
            "states safe up to 2, beyond everything",
        ),
        second_block(
            &two,
            |h, _| h.day.0 = 6,
            0,
            2,
            "states trading day 1970-01-07 where 1970-01-01",
        ),
        {
            let mut segment = Segment::first().block(&[tick(1, 10)]);
            segment.place.chain.0 ^= 1;
            one(&segment.block(&two), SECOND, 2, "the chain breaks")
        },
        // Records.
        second_block(
            &two,
            |_, b| b[BLOCK_HEADER + TICK + 9] ^= 1,
            BLOCK_HEADER + TICK,
            3,
            "the record's checksum is wrong",
        ),
        second_block(
            &two,
            |_, b| b[BLOCK_HEADER + 4] = 27,
            BLOCK_HEADER,
            2,
            "a record of 27 bytes is out of bounds",
        ),
        second_block(
            &two,
            |_, b| b[BLOCK_HEADER + TICK + 4] = 29,
            BLOCK_HEADER + TICK,
            3,
            "the record is cut short",
        ),
        second_block(
            &[tick(2, 10), tick(4, 10)],
            sound,
            BLOCK_HEADER + TICK,
            3,
            "sequence gap: 4 stands where 3",
        ),
        second_block(
            &[tick(2, 10), tick(2, 10)],
            sound,
            BLOCK_HEADER + TICK,
            3,
            "sequence repeated: 2 stands where 3",
        ),
        second_block(
            &[tick(2, 9)],
            sound,
            BLOCK_HEADER,
            2,
            "the stamp goes back from 10 to 9",
        ),
        // Footers.
        changed(
            |b| {
                let at = b.len() - FOOTER + 9;
                b[at] ^= 1;
            },
            SECOND + BLOCK_HEADER + 2 * TICK,
            4,
            "the footer's checksum is wrong",
        ),
        footer(|f| f.records = 2, "the footer's count of records is not"),
        footer(|f| f.blocks = 2, "the footer's count of blocks is not"),
        footer(|f| f.chain.0 ^= 1, "the footer's chain hash is not"),
        footer(|f| f.first_seq.0 = 2, "the footer's first sequence number is not"),
        footer(|f| f.last_seq.0 = 2, "the footer's last sequence number is not"),
        footer(|f| f.last_stamp.0 = 2, "the footer's last stamp is not"),
        footer(|f| f.epoch.0 = 2, "the footer's epoch is not"),
        footer(|f| f.day.0 = 2, "the footer's trading day is not"),
        footer(|f| f.mark.up_to.0 = 2, "the footer's mark is not"),
        // Behind the end.
        shortened(
            SECOND + BLOCK_HEADER + 2 * TICK,
            SECOND + BLOCK_HEADER + 2 * TICK,
            4,
            "the file has 260 bytes of the 4096",
        ),
        changed(
            |b| b[SECOND..SECOND + BLOCK_HEADER].fill(0),
            SECOND + BLOCK_HEADER,
            2,
            "bytes behind the journal's end that are no part of it",
        ),
    ]
}

#[test]
fn every_way_a_journal_can_be_wrong_is_named() {
    for (number, (disk, id, offset, seq, says)) in cases().into_iter().enumerate() {
        let mut reader = Reader::open_oldest(&disk).expect("a directory");
        let found = recover::read_to_end(&mut reader);
        let damage = match found {
            Ok(Some(damage)) | Err(ReadError::Damage(damage)) => damage,
            other => panic!("case {number} ({says}): {other:?}"),
        };
        let text = damage.to_string();
        assert!(text.contains(says), "case {number} ({says}): {text}");
        assert!(
            damage.file.starts_with(&format!("{id:010}-")),
            "case {number} ({says}): {text}"
        );
        assert_eq!(
            (damage.offset, damage.seq.0),
            (offset as u64, seq),
            "case {number}: {text}"
        );
        // The same words in the report; and a start cuts it where it may, for nothing here is marked as durable.
        let report = verify(&disk).expect("the disk answers");
        assert_eq!(report.torn.or(report.damage), Some(text), "case {number}");
        match recover(&disk, VENUE) {
            Ok(recovered) => assert!(recovered.recovery().last_seq.0 < seq, "case {number}"),
            Err(RecoverError::Read(_)) => assert!(damage.defect.is_foreign(), "case {number}"),
            Err(error) => panic!("case {number}: {error}"),
        }
    }
}

#[test]
fn what_is_sound_but_foreign_is_refused_and_never_cut() {
    let newer_record = {
        let mut segment = Segment::first().block(&[tick(1, 10)]);
        let seed = segment.seed();
        segment.wrong(&[tick(2, 10)], |_, bytes| {
            let record = &mut bytes[BLOCK_HEADER..];
            record[6..8].copy_from_slice(&999u16.to_le_bytes());
            seed.seal(record, crate::format::RECORD_CRC_AT);
        });
        segment
    };
    let mut newer_format = Segment::first().block(&[tick(1, 10)]);
    newer_format.bytes[8..12].copy_from_slice(&2u32.to_le_bytes());
    Seed::UNSEEDED.seal(&mut newer_format.bytes[..SEGMENT_HEADER], crate::format::SEGMENT_CRC_AT);
    for (segment, says) in [
        (newer_record, "unknown schema 999: written by a newer build"),
        (
            newer_format,
            "format version 2, where this build reads version 1; read it with the build",
        ),
    ] {
        let disk = MemDisk::new();
        segment.put(&disk);
        let before = disk.bytes(&segment.name.to_string());
        let text = recover(&disk, VENUE).err().expect("foreign").to_string();
        assert!(text.contains(says), "{text}");
        assert!(!text.contains("repair"), "{text}");
        assert_eq!(disk.bytes(&segment.name.to_string()), before);
        assert!(verify(&disk).expect("the disk answers").damage.is_some());
    }
}

#[test]
fn a_message_with_fields_of_a_newer_version_is_read() {
    let mut segment = Segment::first();
    let seed = segment.seed();
    segment.wrong(&[start_of_day(1, 5)], |header, bytes| {
        bytes.extend_from_slice(&[9; 4]);
        header.length += 4;
        let record = &mut bytes[BLOCK_HEADER..];
        let (length, block) = (record.len() as u16, record.len() as u16 - 28);
        record[4..6].copy_from_slice(&length.to_le_bytes());
        record[24..26].copy_from_slice(&2u16.to_le_bytes());
        record[26..28].copy_from_slice(&block.to_le_bytes());
        seed.seal(record, crate::format::RECORD_CRC_AT);
    });
    let disk = MemDisk::new();
    segment.put(&disk);
    let mut reader = Reader::open(&disk).expect("a journal");
    assert_eq!(reader.read().expect("sound"), Some(start_of_day(1, 5)));
    assert_eq!(reader.read().expect("sound"), None);
    assert_eq!(reader.day(), TradingDay(5));
}

/// A first segment of epoch 1, taken over behind record 1 by epoch 2 in a second segment of record 2.
fn taken_over(stale: &[Sequenced<Command>], stale_mark: Mark) -> (MemDisk, Segment, Segment) {
    let mut first = Segment::first().block(&[tick(1, 10)]);
    let second = Segment::new(2, 2, first.place, |_| {}).block(&[tick(2, 10)]);
    // The old writer wakes and goes on in its segment.
    first.wrong(stale, |header, _| header.mark = stale_mark);
    let disk = MemDisk::new();
    first.put(&disk);
    second.put(&disk);
    (disk, first, second)
}

fn read_all(disk: &MemDisk) -> Vec<(u64, u32)> {
    let all = Reader::open(disk).expect("a journal");
    let all = all.map(|record| record.expect("sound"));
    all.map(|record| (record.seq.0, record.epoch.0)).collect()
}

#[test]
fn files_and_bytes_of_an_epoch_that_was_taken_over_are_never_read() {
    let (disk, first, _) = taken_over(&[tick(2, 99), tick(3, 99)], Mark::default());
    // And into files of its own: one with the successor's id, one behind it.
    for id in [2, 3] {
        let mut own = Segment::new(id, 1, first.place, |_| {}).block(&[tick(4, 99)]);
        own.footer(|_| {}).put(&disk);
    }
    assert_eq!(read_all(&disk), [(1, 1), (2, 2)]);
    let report = verify(&disk).expect("the disk answers");
    assert_eq!((report.torn, report.damage), (None, None));
    let recovered = recover(&disk, VENUE).expect("sound");
    assert_eq!(recovered.recovery().last_seq, SequenceNumber(2));
    drop(recovered);
    assert_eq!(read_all(&disk), [(1, 1), (2, 2)]);
}

#[test]
fn a_mark_of_an_epoch_that_was_taken_over_blocks_no_start() {
    let mark = Mark {
        durable: true,
        up_to: SequenceNumber(9),
    };
    let (disk, first, mut second) = taken_over(&[tick(2, 99)], mark);
    // Damage in the first block, below nothing that the new epoch states: the stale mark is capped at the take-over.
    let name = first.name.to_string();
    let mut bytes = disk.bytes(&name).expect("the first segment");
    bytes[SEGMENT_HEADER] ^= 1;
    disk.put(&name, &bytes);
    match recover(&disk, VENUE) {
        Err(RecoverError::Damaged { durable, .. }) => assert_eq!(durable, SequenceNumber(1)),
        other => panic!("the stale mark still says that record 1 was durable: {:?}", other.err()),
    }
    // Damage behind the take-over: nothing of the new epoch was durable, so it is cut.
    let (disk, ..) = taken_over(&[tick(2, 99)], mark);
    let end = second.bytes.len();
    second.bytes[end - 1] ^= 1;
    second.put(&disk);
    let recovered = recover(&disk, VENUE).expect("above every mark of its own");
    assert_eq!(recovered.recovery().last_seq, SequenceNumber(1));
}
