//! What accidents do to a journal, counted: one test each prints its lines of the table
//!
//! ```text
//! accident | cases | acknowledged lost | phantom | wrong silence | what a person sees
//! ```
//!
//! *Acknowledged lost*: a record that had been released is not found by the next start. *Phantom*: a record is found that
//! was never appended, or not as it was. *Wrong silence*: something was cut, refused or given up and nobody is told. All
//! three are 0, always. `RIALTO_LONG=1` tears at every byte instead of every few, and turns every bit of a megabyte, in sixteen
//! segments, instead of one segment's; with `RIALTO_PART=3/10` the third of ten parts of that, spread over the whole, so that
//! machines or hours share it.

#![allow(clippy::print_stdout, reason = "the table is what these tests are for")]

mod common;

use common::{Block, Seeded, Session, VENUE, blocks, record, segment_name, small};
use rialto_journal::{CommitError, Disk as _, Durability, MemDisk, Reader, RecoverError, recover};
use rialto_model::{Monotonic, SequenceNumber};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A line of the table.
#[derive(Clone, Debug, Default)]
struct Line {
    cases: u64,
    lost: u64,
    phantom: u64,
    silent: u64,
    says: String,
}

impl Line {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.lost += other.lost;
        self.phantom += other.phantom;
        self.silent += other.silent;
        if self.says.len() < other.says.len() {
            self.says = other.says;
        }
    }

    #[track_caller]
    fn print(&self, accident: &str) {
        let Self {
            cases,
            lost,
            phantom,
            silent,
            says,
        } = self;
        println!("{accident} | {cases} | {lost} | {phantom} | {silent} | {says}");
        assert!(*cases > 0, "{accident}: no case");
        assert_eq!((*lost, *phantom, *silent), (0, 0, 0), "{accident}");
    }
}

fn long() -> bool {
    std::env::var_os("RIALTO_LONG").is_some_and(|value| value == "1")
}

/// Which part of how many: the first of one where nothing else is said.
fn part() -> (usize, usize) {
    let Some(said) = std::env::var_os("RIALTO_PART") else {
        return (0, 1);
    };
    let said = said.into_string().expect("RIALTO_PART is text");
    let (which, of) = said.split_once('/').expect("RIALTO_PART is like 3/10");
    let which: usize = which.parse().expect("RIALTO_PART is like 3/10");
    let of = of.parse().expect("RIALTO_PART is like 3/10");
    assert!((1..=of).contains(&which), "RIALTO_PART={said}: there is no such part");
    (which - 1, of)
}

/// Takes cases in turn on every core there is.
fn on_all_cores(cases: usize, piece: usize, run: impl Fn(std::ops::Range<usize>) -> Line + Sync) -> Line {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let (which, of) = part();
    let work = || {
        let mut sum = Line::default();
        loop {
            let begin = next.fetch_add(piece, Ordering::Relaxed);
            if begin >= cases {
                return sum;
            }
            if begin / piece % of == which {
                sum.add(run(begin..cases.min(begin + piece)));
            }
        }
    };
    let mut sum = Line::default();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for one in all {
            sum.add(one.join().expect("a case panicked; it says which"));
        }
    });
    sum
}

/// Counts what a start finds against what was appended and released.
fn start(disk: &MemDisk, acknowledged: u64, appended: u64, must_say: bool) -> Line {
    let mut line = Line {
        cases: 1,
        ..Line::default()
    };
    let recovered = match recover(disk, VENUE) {
        Ok(recovered) => recovered,
        Err(error) => {
            // Nothing that was released is damaged here, so a refusal is as bad as a loss.
            line.lost = acknowledged.max(1);
            line.says = error.to_string();
            return line;
        }
    };
    let last = recovered.recovery().last_seq.0;
    line.lost = acknowledged.saturating_sub(last);
    line.phantom = last.saturating_sub(appended);
    match &recovered.recovery().cut {
        Some(cut) => line.says = cut.to_string(),
        None => line.silent = u64::from(must_say),
    }
    for found in Reader::open(disk).expect("a journal that was taken over") {
        let found = found.expect("what a start leaves is sound");
        line.phantom += u64::from(found != record(found.seq.0, found.epoch));
    }
    line
}

/// A segment that a thousand records and a few nearly fill.
const TORN_BYTES: u64 = 88 * 1_024;

/// Ten records that are durable and said to be, and a thousand behind them that no mark covers.
fn torn_journal() -> (MemDisk, String, Vec<u8>, Vec<Block>) {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, TORN_BYTES));
    session.block(10);
    session.settle();
    for _ in 0..125 {
        session.block(8);
    }
    drop(session);
    let name = segment_name(1, 1);
    let bytes = disk.bytes(&name).expect("the segment");
    let blocks = blocks(&bytes);
    (disk, name, bytes, blocks)
}

/// What stood in the file before it was used for this segment: the same records under another segment's id and epoch.
fn recycled(length: usize) -> Vec<u8> {
    let other = MemDisk::new();
    for _ in 0..2 {
        drop(Session::open(&other, small(Durability::Disk, TORN_BYTES)));
    }
    let mut session = Session::open(&other, small(Durability::Disk, TORN_BYTES));
    session.block(10);
    session.settle();
    for _ in 0..125 {
        session.block(8);
    }
    let mut bytes = other.bytes(&segment_name(3, 3)).expect("the third segment");
    bytes.truncate(length);
    bytes
}

#[test]
fn every_byte_of_the_last_thousand_records() {
    const SEED: u64 = 0x70_12;
    println!("seed {SEED:#x}");
    let (disk, name, bytes, blocks) = torn_journal();
    let settled = blocks.iter().rfind(|block| block.first_seq <= 10 && block.count > 0);
    let begin = settled.expect("ten records").ends;
    let end = blocks.last().expect("blocks").ends;
    let mut random = Seeded(SEED);
    let garbage: Vec<u8> = (0..bytes.len()).map(|_| random.next() as u8).collect();
    let stale = recycled(bytes.len());
    type Tear<'a> = &'a (dyn Fn(&mut Vec<u8>, usize) + Sync);
    let tears: [(&str, usize, Tear<'_>); 4] = [
        ("cut off in the last 1,000 records", 2, &|torn, at| torn.truncate(at)),
        ("zeros behind it", 9, &|torn, at| torn[at..].fill(0)),
        ("stale garbage behind it", 9, &|torn, at| {
            torn[at..end].copy_from_slice(&garbage[at..end]);
        }),
        ("records of a recycled segment behind it", 9, &|torn, at| {
            torn[at..end].copy_from_slice(&stale[at..end]);
        }),
    ];
    for (accident, step, tear) in tears {
        let step = if long() { 1 } else { step };
        let line = on_all_cores((end - begin) / step, 64, |cases| {
            let mut line = Line::default();
            for case in cases {
                let at = begin + case * step;
                let mut torn = bytes.clone();
                tear(&mut torn, at);
                // Between two blocks nothing is torn, and a message may end in what the tear puts there.
                let torn_block = blocks.iter().find(|block| block.begins < at && at < block.ends);
                let said = torn_block.is_some_and(|block| torn.get(at..block.ends) != bytes.get(at..block.ends));
                let broken = disk.copy();
                broken.put(&name, &torn);
                line.add(start(&broken, 10, 1_010, said));
            }
            line
        });
        line.print(accident);
    }
    // Each block in turn is gone, and sound ones stand behind it.
    let unsettled: Vec<&Block> = blocks.iter().filter(|block| block.begins >= begin).collect();
    let line = on_all_cores(unsettled.len() - 1, 1, |cases| {
        let mut line = Line::default();
        for block in &unsettled[cases] {
            let mut torn = bytes.clone();
            torn[block.begins..block.ends].fill(0);
            let broken = disk.copy();
            broken.put(&name, &torn);
            let one = start(&broken, 10, block.first_seq - 1, true);
            assert!(one.says.contains("stand behind it"), "{}", one.says);
            line.add(one);
        }
        line
    });
    line.print("a hole with sound records behind it");
}

/// A segment of so many bytes, its first half settled, as full as whole blocks of so many records make it.
fn full_segment(segment_bytes: u64, records: u64) -> (MemDisk, String) {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, segment_bytes));
    let name = segment_name(1, 1);
    let filled = |disk: &MemDisk| {
        blocks(&disk.bytes(&name).expect("the segment"))
            .last()
            .map_or(0, |b| b.ends as u64)
    };
    while filled(&disk) < segment_bytes / 2 {
        session.block(records);
        session.syncer.poll();
    }
    session.settle();
    while filled(&disk) + 1_200 < segment_bytes {
        session.block(records);
    }
    drop(session);
    (disk, name)
}

/// Every bit of a segment: what it hits is named where a mark that still stands covers it, and else cut and said.
fn every_bit(segment_bytes: u64, records: u64) -> (Line, Line) {
    let (disk, name) = full_segment(segment_bytes, records);
    let bytes = disk.bytes(&name).expect("the segment");
    let blocks = blocks(&bytes);
    let last = blocks.last().expect("blocks");
    let (total, end) = (last.first_seq + last.count - 1, last.ends);
    let named = std::sync::Mutex::new(Line::default());
    let cut = on_all_cores(bytes.len(), 4, |cases| {
        let broken = disk.copy();
        let (mut named_here, mut cut) = (Line::default(), Line::default());
        for byte in cases {
            let hit = blocks.iter().position(|b| (b.begins..b.ends).contains(&byte));
            let others = blocks.iter().enumerate().filter(|(index, _)| Some(*index) != hit);
            let durable = others.map(|(_, block)| block.durable).max().unwrap_or(0);
            let (first_lost, count) = match hit {
                Some(index) => (blocks[index].first_seq, blocks[index].count.max(1)),
                None if byte < end => (1, 1),
                None => (total + 1, 1),
            };
            for bit in byte * 8..byte * 8 + 8 {
                broken.flip(&name, bit);
                match recover(&broken, VENUE) {
                    Err(RecoverError::Damaged { damage, durable: upto }) => {
                        let right = durable >= first_lost
                            && damage.file == name
                            && (first_lost..first_lost + count).contains(&damage.seq.0)
                            && upto == SequenceNumber(durable);
                        named_here.cases += 1;
                        named_here.silent += u64::from(!right);
                        if named_here.says.is_empty() {
                            named_here.says = RecoverError::Damaged { damage, durable: upto }.to_string();
                        }
                        broken.flip(&name, bit);
                    }
                    Err(other) => panic!("bit {bit}: neither cut nor named: {other}"),
                    Ok(recovered) => {
                        let found = recovered.recovery();
                        cut.cases += 1;
                        // Were it covered by a mark that stands, it should have been refused.
                        cut.lost += u64::from(durable >= first_lost);
                        cut.phantom += u64::from(found.last_seq.0 != first_lost - 1);
                        match &found.cut {
                            Some(one) if cut.says.is_empty() => cut.says = one.to_string(),
                            Some(_) => {}
                            None => cut.silent += 1,
                        }
                        for kept in found.cut.iter().flat_map(|one| &one.kept) {
                            broken.remove(kept).expect("it is there");
                        }
                        drop(recovered);
                        broken.put(&name, &bytes);
                    }
                }
            }
        }
        named.lock().expect("no panic").add(named_here);
        cut
    });
    (named.into_inner().expect("no panic"), cut)
}

#[test]
fn every_bit_of_a_whole_segment() {
    const BYTES: u64 = 1 << 16;
    let segments = if long() { 16 } else { 1 };
    let (mut named, mut cut) = (Line::default(), Line::default());
    for segment in 0..segments {
        let (below, above) = every_bit(BYTES, 9 - segment % 8);
        // Every part takes every so many pieces of four bytes.
        let (which, of) = part();
        let pieces = (0..BYTES / 4).filter(|piece| *piece as usize % of == which).count() as u64;
        assert_eq!(below.cases + above.cases, pieces * 4 * 8);
        named.add(below);
        cut.add(above);
    }
    named.print("a bit at or below the mark: named");
    cut.print("a bit above the mark: cut");
}

/// What the outside has seen of a writer.
#[derive(Debug, Default)]
struct Seen {
    released: u64,
    appended: u64,
}

/// A writer that meets a fault: goes on until it is done or the journal has failed, and says what was said.
fn meet(disk: &MemDisk, seed: u64, seen: &mut Seen) -> Option<String> {
    let mut random = Seeded(seed);
    let recovered = match recover(disk, VENUE) {
        Ok(recovered) => recovered,
        Err(error) => return Some(error.to_string()),
    };
    let (mut writer, mut syncer) = match recovered.into_writer(small(Durability::Disk, 2_048)) {
        Ok(parts) => parts,
        Err(error) => return Some(error.to_string()),
    };
    let mut said = None;
    let mut now = 0;
    for _ in 0..40 {
        for _ in 0..1 + random.below(5) {
            let next = record(writer.next_seq().0, writer.epoch());
            if writer.append(&next).is_ok() {
                seen.appended = next.seq.0;
            }
        }
        match writer.commit() {
            Ok(_) => {}
            Err(error @ CommitError::NoSegment { .. }) => said = said.or_else(|| Some(error.to_string())),
            // The exchange stops here.
            Err(error) => return Some(error.to_string()),
        }
        if random.below(4) > 0 {
            syncer.poll();
        }
        seen.released = writer.frontier().released_up_to().1.0;
        if let Some(failure) = syncer.failure() {
            let failure = failure.to_string();
            // Nothing more is released, whatever comes.
            disk.mend();
            let before = seen.released;
            assert!(writer.commit().is_err());
            syncer.poll();
            assert_eq!(writer.frontier().released_up_to().1.0, before);
            return Some(failure);
        }
        now += random.below(8_000_000);
        if let Err(error) = writer.mark(Monotonic(now))
            && !matches!(error, CommitError::NoSegment { .. })
        {
            return Some(error.to_string());
        }
    }
    said
}

/// A fault at the given operation of its kind.
type Fault = fn(&MemDisk, u64, u64);

#[test]
fn every_fault_of_the_disk_at_every_moment() {
    // How many cases, whether it must be said by the writer, and the fault.
    let faults: [(&str, u64, bool, Fault); 9] = [
        ("one fsync fails", 60, true, |disk, at, _| disk.fail_sync(at)),
        ("every fsync fails from one on", 60, true, |disk, at, _| {
            disk.break_syncs_at(at)
        }),
        ("a slow fsync", 60, false, |disk, at, _| {
            // Whatever is written meanwhile is not covered by it.
            for _ in 0..at % 4 {
                disk.during_next_sync(std::thread::yield_now);
            }
        }),
        ("a write fails", 90, true, |disk, at, _| disk.fail_write(at)),
        ("a write takes a part", 90, false, |disk, at, coin| {
            disk.short_write(at, 1 + (coin % 300) as usize)
        }),
        ("a short write, and then a failed one", 90, true, |disk, at, coin| {
            disk.short_write(at, 1 + (coin % 90) as usize);
            disk.fail_write(at + 1);
        }),
        ("the disk is full at a start", 8, true, |disk, at, _| {
            disk.set_room(Some(at * 200))
        }),
        ("the disk is full when a segment is made", 30, true, |disk, at, _| {
            disk.set_room(Some(2_200 + at * 211))
        }),
        ("the machine stops", 160, true, |disk, at, _| disk.stop_at(4 + at)),
    ];
    let mut unsynced = Line::default();
    for (accident, moments, must_say, fault) in faults {
        let mut line = Line::default();
        for moment in 0..moments {
            for coin in 0..6 {
                let seed = 1 + coin % 3;
                let disk = MemDisk::new();
                fault(&disk, moment, coin * 37 + moment);
                let mut seen = Seen::default();
                let said = meet(&disk, seed, &mut seen);
                // A fault behind the end of the run hit nobody.
                let hit = said.is_some();
                disk.set_room(None);
                // The process ends, the power goes, and what was not synced is lost, all of it or by a coin for each sector.
                if coin == 0 {
                    disk.crash();
                } else {
                    disk.crash_keeping(moment * 6 + coin);
                }
                let mut one = start(&disk, seen.released, seen.appended, false);
                one.says.clear();
                if !hit && !must_say {
                    one.says = "nothing: it is taken up and nothing is lost".to_owned();
                }
                if let Some(said) = said {
                    one.silent += u64::from(said.is_empty());
                    one.says = said;
                }
                unsynced.add(Line {
                    says: String::new(),
                    ..one.clone()
                });
                line.add(one);
            }
        }
        assert!(!must_say || !line.says.is_empty(), "{accident}: nobody was told");
        line.print(accident);
    }
    unsynced.says = "above: what was not synced was lost or kept, sector by sector, in every case".to_owned();
    unsynced.print("lost and reordered unsynced writes");
}
