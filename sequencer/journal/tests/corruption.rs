//! What a broken journal does: every bit, every cut, stale bytes, holes. At or below the highest durable mark it is named
//! and the start refused; above it, it is cut, said, and kept.

mod common;

use common::{Seeded, Session, VENUE, assert_holds, blocks, record, segment_name, small, with};
use rialto_journal::{Durability, MemDisk, ReadError, Reader, RecoverError, recover, repair_cut, verify};
use rialto_model::SequenceNumber;

/// One segment: blocks up to a durable mark, then blocks that no mark covers.
fn journal(settled: &[u64], unsettled: &[u64], segment_bytes: u64) -> MemDisk {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, segment_bytes));
    for count in settled {
        session.block(*count);
        session.syncer.poll();
    }
    session.settle();
    for count in unsettled {
        session.block(*count);
    }
    drop(session);
    disk
}

/// What a start makes of it: the last record, or the number that it names and refuses for.
fn start(disk: &MemDisk) -> Result<u64, u64> {
    match recover(disk, VENUE) {
        Ok(recovered) => Ok(recovered.recovery().last_seq.0),
        Err(RecoverError::Damaged { damage, durable }) => {
            assert!(damage.seq <= SequenceNumber(durable.0 + 1), "{damage}");
            Err(damage.seq.0)
        }
        Err(other) => panic!("neither cut nor named: {other}"),
    }
}

#[test]
fn every_bit_of_a_segment() {
    let disk = journal(&[3, 4, 1], &[2, 5], 4_096);
    let name = segment_name(1, 1);
    let bytes = disk.bytes(&name).expect("the segment");
    let blocks = blocks(&bytes);
    let last = blocks.last().expect("blocks");
    let (total, end) = (last.first_seq + last.count - 1, last.ends);
    let (mut named, mut cut) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        let byte = bit / 8;
        let broken = with(&disk, &name, |bytes| bytes[byte] ^= 1 << (bit % 8));
        let report = verify(&broken).expect("the disk answers");
        // What the other blocks still say, and what is lost with this one.
        let hit = blocks.iter().position(|b| (b.begins..b.ends).contains(&byte));
        let others = blocks.iter().enumerate().filter(|(index, _)| Some(*index) != hit);
        let durable = others.map(|(_, block)| block.durable).max().unwrap_or(0);
        let first_lost = match hit {
            Some(index) => blocks[index].first_seq,
            None if byte < end => 1,
            None => total + 1,
        };
        let what = format!("bit {bit}: {report:?}");
        match start(&broken) {
            Err(seq) => {
                assert!(durable >= first_lost, "{what}");
                let count = hit.map_or(1, |index| blocks[index].count.max(1));
                assert!((first_lost..first_lost + count).contains(&seq), "{seq} named, {what}");
                assert!(report.damage.is_some_and(|text| text.contains(&name)), "bit {bit}");
                named += 1;
            }
            Ok(last) => {
                assert!(durable < first_lost, "{what}");
                assert_eq!(last, first_lost - 1, "{what}");
                assert!(report.torn.is_some(), "{what}");
                assert!(report.torn_bytes > 0, "{what}");
                assert_holds(&broken, last);
                cut += 1;
            }
        }
    }
    assert_eq!(named + cut, bytes.len() * 8);
    assert!(named > 4_000 && cut > 4_000, "{named} named, {cut} cut");
}

/// Does something to the bytes of a segment.
type Tear<'a> = &'a dyn Fn(&mut Vec<u8>);

#[test]
fn every_cut_of_the_last_two_hundred_records() {
    const SEED: u64 = 0x0c07;
    println!("seed {SEED:#x}");
    let disk = journal(&[5, 5], &[9; 23], 65_536);
    let name = segment_name(1, 1);
    let bytes = disk.bytes(&name).expect("the segment");
    let blocks = blocks(&bytes);
    let end = blocks.last().expect("blocks").ends;
    let begin = blocks[blocks.len() - 23].begins;
    let mut garbage = Seeded(SEED);
    let noise: Vec<u8> = (0..end).map(|_| garbage.next() as u8 | 1).collect();
    for at in begin..end {
        let whole = blocks.iter().rfind(|block| block.ends <= at).expect("settled blocks");
        let expected = whole.first_seq + whole.count - 1;
        // A message may end in zeros, which zeros do not tear.
        let torn_block = blocks.iter().find(|block| block.ends > at);
        let untorn = torn_block.is_some_and(|block| bytes[at..block.ends].iter().all(|b| *b == 0));
        let zeroed = expected + torn_block.filter(|_| untorn).map_or(0, |block| block.count);
        let torn: [(&str, u64, Tear<'_>); 3] = [
            ("cut off", expected, &|bytes| bytes.truncate(at)),
            ("zeros", zeroed, &|bytes| bytes[at..].fill(0)),
            ("noise", expected, &|bytes| bytes[at..end].copy_from_slice(&noise[at..])),
        ];
        for (how, expected, tear) in torn {
            let broken = with(&disk, &name, tear);
            assert_eq!(start(&broken), Ok(expected), "{how} at byte {at}");
            if at % 101 == 0 {
                let config = small(Durability::Disk, 65_536);
                let mut session = Session::open(&broken, config);
                session.block(4);
                let Session { writer, syncer, .. } = session;
                writer.close(syncer).expect("room");
                assert_holds(&broken, expected + 4);
            }
        }
    }
}

#[test]
fn every_cut_below_the_mark_is_refused() {
    let disk = journal(&[2, 3], &[1], 4_096);
    let name = segment_name(1, 1);
    let bytes = disk.bytes(&name).expect("the segment");
    let settled = blocks(&bytes)[1];
    for at in 80..settled.ends {
        // What the cut reaches is zeros, what lies behind the settled blocks still stands: a hole.
        let broken = with(&disk, &name, |bytes| bytes[at..settled.ends].fill(0));
        let named = start(&broken).expect_err("a hole below the mark");
        assert!((1..=5).contains(&named), "{named} at byte {at}");
    }
}

#[test]
fn stale_bytes_behind_the_tail_resurrect_nothing() {
    // Another life of the same file: the same records, in the same blocks, under another segment id or epoch.
    let disk = journal(&[4], &[4, 4], 4_096);
    let name = segment_name(1, 1);
    let bytes = disk.bytes(&name).expect("the segment");
    let other = MemDisk::new();
    for _ in 0..3 {
        // Ids and epochs 2 and 3: nothing is written in the first two.
        drop(Session::open(&other, small(Durability::Disk, 4_096)));
    }
    let mut session = Session::open(&other, small(Durability::Disk, 4_096));
    (0..3).for_each(|_| session.block(4));
    let stale = other.bytes(&segment_name(4, 4)).expect("the fourth segment");
    let end = blocks(&bytes)[1].ends;
    for at in end..bytes.len() {
        // At every place, also where a block of this life ends and one of the other begins.
        let broken = with(&disk, &name, |bytes| {
            bytes[end..].fill(0);
            bytes[at..].copy_from_slice(&stale[at..]);
        });
        assert_eq!(start(&broken), Ok(4), "stale from byte {at}");
        assert_holds(&broken, 4);
    }
}

#[test]
fn sound_records_behind_a_hole_are_cut_above_the_mark_and_kept() {
    let disk = journal(&[4], &[4, 4, 4], 4_096);
    let name = segment_name(1, 1);
    let block = blocks(&disk.bytes(&name).expect("the segment"))[3];
    assert_eq!((block.first_seq, block.count), (9, 4));
    let broken = with(&disk, &name, |bytes| bytes[block.begins..block.ends].fill(0));
    let report = verify(&broken).expect("the disk answers");
    assert_eq!((report.last_seq.0, report.gaps), (8, 4));
    let recovered = recover(&broken, VENUE).expect("above the mark");
    let cut = recovered.recovery().cut.clone().expect("something was cut");
    assert_eq!(cut.after, SequenceNumber(8));
    let text = cut.to_string();
    assert!(text.contains("sound records from 13 on stand behind it"), "{text}");
    let kept = broken.bytes(&cut.kept[0]).expect("kept beside it");
    let before = disk.bytes(&name).expect("the segment");
    assert!(kept.ends_with(&before[block.ends..block.begins + kept.len()]));
    assert_holds(&broken, 8);
}

#[test]
fn the_reader_stops_at_damage_and_hands_out_nothing_of_the_block() {
    let disk = journal(&[4], &[4, 4], 4_096);
    let name = segment_name(1, 1);
    let block = blocks(&disk.bytes(&name).expect("the segment"))[2];
    let broken = with(&disk, &name, |bytes| bytes[block.ends - 1] ^= 1);
    let mut reader = Reader::open_at(&broken, SequenceNumber(3)).expect("a journal");
    for seq in 3..=4 {
        let found = reader.read().expect("sound").expect("there");
        assert_eq!(found, record(seq, found.epoch));
    }
    for _ in 0..2 {
        match reader.read() {
            Err(ReadError::Damage(damage)) => {
                assert_eq!((damage.seq.0, damage.file.as_str()), (8, name.as_str()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(reader.next().is_some_and(|last| last.is_err()));
    assert!(reader.next().is_none());
}

#[test]
fn what_a_close_or_a_start_made_durable_is_never_cut() {
    // In `memory` no block has a durable mark: only a footer and the header of a take-over have.
    for closed in [true, false] {
        let disk = MemDisk::new();
        let mut session = Session::open(&disk, small(Durability::Memory, 4_096));
        session.block(4);
        session.block(4);
        let name = segment_name(1, 1);
        let block = blocks(&disk.bytes(&name).expect("the segment"))[1];
        if closed {
            session.writer.close(session.syncer).expect("room");
        } else {
            drop(session);
        }
        let flip = |bytes: &mut Vec<u8>| bytes[block.ends - 1] ^= 1;
        if !closed {
            // Before the take-over nothing says so, and it is cut.
            assert_eq!(start(&with(&disk, &name, flip)), Ok(4));
            drop(Session::open(&disk, small(Durability::Memory, 4_096)));
        }
        let report = verify(&disk).expect("the disk answers");
        assert_eq!(report.durable_up_to, SequenceNumber(8), "closed: {closed}");
        assert_eq!(start(&with(&disk, &name, flip)), Err(8), "closed: {closed}");
    }
}

#[test]
fn the_report_states_the_highest_durable_mark() {
    let disk = journal(&[3, 4, 1], &[2, 5], 4_096);
    let report = verify(&disk).expect("the disk answers");
    assert_eq!((report.last_seq.0, report.durable_up_to.0), (15, 8));
}

#[test]
fn a_missing_or_exchanged_segment_is_named() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 2_048));
    for _ in 0..12 {
        session.block(8);
        session.syncer.poll();
    }
    session.settle();
    drop(session);
    let [second, third] = [2, 3].map(|id| segment_name(id, 1));
    let [second_bytes, third_bytes] = [&second, &third].map(|n| disk.bytes(n).expect("filled"));
    let first = blocks(&second_bytes)[0].first_seq;

    let gone = disk.copy();
    rialto_journal::Disk::remove(&gone, &second).expect("it is there");
    let text = verify(&gone).expect("the disk answers").damage.expect("found");
    assert!(text.contains("segment 2 is missing"), "{text}");
    assert_eq!(start(&gone), Err(first));

    let exchanged = disk.copy();
    exchanged.put(&second, &third_bytes);
    match recover(&exchanged, VENUE) {
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("the header is that of segment 3 of epoch 1"), "{text}");
        }
        Ok(_) => panic!("a file in the place of another was taken"),
    }
}

#[test]
fn a_repair_cuts_at_any_record_keeps_the_bytes_and_states_the_loss() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 2_048));
    for _ in 0..8 {
        session.block(8);
        session.syncer.poll();
    }
    session.settle();
    drop(session);
    for cut in 1..=64 {
        let copy = disk.copy();
        let repair = repair_cut(&copy, SequenceNumber(cut)).expect("a record is there");
        assert_eq!((repair.last_seq.0, repair.lost), (cut - 1, 65 - cut));
        assert!(repair.durable_lost);
        let text = repair.to_string();
        assert!(
            text.contains(&format!("{} records from {cut} on are lost", 65 - cut)),
            "{text}"
        );
        for kept in &repair.kept {
            assert!(
                copy.bytes(kept)
                    .is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0))
            );
        }
        assert_holds(&copy, cut - 1);
        let mut session = Session::open(&copy, small(Durability::Disk, 2_048));
        session.block(3);
        drop(session);
        assert_holds(&copy, cut + 2);
    }
    let beyond = repair_cut(&disk, SequenceNumber(65)).expect_err("nothing is there");
    assert!(beyond.to_string().contains("the journal ends at 64"), "{beyond}");
}

#[test]
fn a_repair_mends_what_a_start_refuses() {
    let disk = journal(&[4, 4, 4], &[], 4_096);
    let name = segment_name(1, 1);
    let block = blocks(&disk.bytes(&name).expect("the segment"))[1];
    // In the last record of the second block.
    let broken = with(&disk, &name, |bytes| bytes[block.ends - 1] ^= 1);
    let named = start(&broken).expect_err("below the mark");
    assert_eq!(named, 8);
    let early = repair_cut(&broken, SequenceNumber(9)).expect_err("the damage is before");
    assert!(early.to_string().contains("the damage is before it"), "{early}");
    let repair = repair_cut(&broken, SequenceNumber(named)).expect("at the damage");
    assert_eq!((repair.last_seq.0, repair.lost), (7, 5));
    assert_eq!(start(&broken), Ok(7));
    assert_holds(&broken, 7);
}
