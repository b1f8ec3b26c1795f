//! What the journal's tests share: commands from a seed, and small journals.
#![allow(dead_code, reason = "each test file uses its part")]

use rialto_journal::{Config, Disk, Durability, MemDisk, Reader, Syncer, Writer, recover, verify};
use rialto_model::command::{Enter, StartOfDay, Tick};
use rialto_model::{
    Command, Epoch, Monotonic, Price, Quantity, SequenceNumber, Sequenced, Text, Timestamp, TradingDay, UserRef,
    VenueId,
};

pub(crate) const VENUE: VenueId = VenueId(7);

/// splitmix64: the same numbers for the same seed, everywhere.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// The command that every test sequences under this number.
pub(crate) fn command(seq: u64) -> Command {
    match seq % 10 {
        1 => Command::StartOfDay(StartOfDay {
            day: TradingDay(15_000 + (seq / 10) as u32),
            midnight: Timestamp(seq),
        }),
        2 => Command::Tick(Tick {}),
        _ => Command::Enter(Enter {
            user_ref: UserRef(seq as u32),
            price: Price(1_000_000 + seq as i64),
            quantity: Quantity(100),
            client_id: Text::new(b"ORDER000000014").expect("14 bytes"),
            ..Enter::default()
        }),
    }
}

pub(crate) fn record(seq: u64, epoch: Epoch) -> Sequenced<Command> {
    Sequenced {
        seq: SequenceNumber(seq),
        stamp: Timestamp(1_000 * (seq / 3)),
        epoch,
        body: command(seq),
    }
}

/// Small blocks and segments, so that a few records fill them.
pub(crate) const fn small(durability: Durability, segment_bytes: u64) -> Config {
    Config {
        durability,
        segment_bytes,
        block_bytes: 1_024,
        reserve_segments: 2,
        bytes_max: None,
    }
}

/// A writer that was opened on a disk, and what it does in one line each.
pub(crate) struct Session<D: Disk> {
    pub(crate) writer: Writer<D>,
    pub(crate) syncer: Syncer<D>,
    pub(crate) now: u64,
}

impl<D: Disk> Session<D> {
    pub(crate) fn open(disk: &D, config: Config) -> Self {
        let recovered = recover(disk, VENUE).expect("nothing durable is damaged");
        let (writer, syncer) = recovered.into_writer(config).expect("room for a segment");
        Self { writer, syncer, now: 0 }
    }

    /// Appends the next `count` records without committing them.
    pub(crate) fn append(&mut self, count: u64) {
        for _ in 0..count {
            let record = record(self.writer.next_seq().0, self.writer.epoch());
            self.writer.append(&record).expect("room in the block");
        }
    }

    /// One block of `count` records, written. Makes a segment where one is missing.
    pub(crate) fn block(&mut self, count: u64) {
        self.append(count);
        while self.writer.commit().is_err() {
            assert_eq!(self.syncer.failure(), None);
            self.syncer.poll();
        }
    }

    /// Everything written becomes safe, and an idle mark says so.
    pub(crate) fn settle(&mut self) {
        while self.syncer.poll() > 0 {}
        for _ in 0..2 {
            self.now += 10_000_000;
            self.writer.mark(Monotonic(self.now)).expect("room for a mark");
        }
        while self.syncer.poll() > 0 {}
    }

    pub(crate) fn released(&self) -> u64 {
        self.writer.frontier().released_up_to().1.0
    }
}

/// Every record, in order, checked against what was sequenced.
pub(crate) fn assert_holds<D: Disk>(disk: &D, last: u64) {
    let mut expected = 0;
    for found in Reader::open(disk).expect("a journal") {
        let found = found.expect("a sound record");
        expected += 1;
        assert_eq!(found, record(expected, found.epoch));
    }
    assert_eq!(expected, last);
    let report = verify(disk).expect("the disk answers");
    assert_eq!(
        (report.records, report.last_seq, report.gaps, report.duplicates),
        (last, SequenceNumber(last), 0, 0)
    );
    assert_eq!((report.torn_bytes, report.torn, report.damage), (0, None, None));
}

pub(crate) fn segment_name(id: u32, epoch: u32) -> String {
    format!("{id:010}-{epoch:010}.journal")
}

/// The same files with one of them changed.
pub(crate) fn with(disk: &MemDisk, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> MemDisk {
    let copy = disk.copy();
    let mut bytes = copy.bytes(name).expect("a file of that name");
    change(&mut bytes);
    copy.put(name, &bytes);
    copy
}

/// Where each block of a segment begins, by the lengths that its bytes state.
pub(crate) fn blocks(bytes: &[u8]) -> Vec<Block> {
    let mut found = Vec::new();
    let mut at = 80;
    while bytes[at..].starts_with(b"RJBK") {
        let word = |from: usize| u64::from_le_bytes(bytes[at + from..at + from + 8].try_into().expect("8 bytes"));
        let length = word(16) as u32 as usize;
        found.push(Block {
            begins: at,
            ends: at + length,
            first_seq: word(32),
            count: word(20) as u32 as u64,
            durable: if word(40) >> 63 == 1 { word(40) << 1 >> 1 } else { 0 },
        });
        at += length;
    }
    found
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) begins: usize,
    pub(crate) ends: usize,
    pub(crate) first_seq: u64,
    pub(crate) count: u64,
    pub(crate) durable: u64,
}
