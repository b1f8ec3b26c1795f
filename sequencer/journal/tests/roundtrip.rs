//! What is written is read: any commands, in any blocks and segments, from anywhere; and any bytes are survived.

mod common;

use common::{Session, VENUE, assert_holds, record, segment_name, small};
use proptest::prelude::*;
use rialto_journal::{Config, Durability, MemDisk, ReadError, Reader, recover, verify};
use rialto_model::codec::Encoder;
use rialto_model::{Command, SequenceNumber, Sequenced, Timestamp};

/// Any command that its own bytes can say: the schema's block from arbitrary bytes where those are one.
fn any_command() -> impl Strategy<Value = Command> {
    let schema = prop::sample::select(Command::SCHEMAS);
    (schema, prop::collection::vec(any::<u8>(), 0..39), any::<u64>()).prop_map(|(schema, text, n)| {
        let (id, block, texts) = (schema.id, schema.block_len(), !schema.text.is_empty());
        // Small values are members of every enum of one byte more often than not.
        let mut bytes: Vec<u8> = (0..block).map(|at| ((n >> (at % 60)) & 1) as u8).collect();
        if texts {
            bytes.push(text.len() as u8);
            bytes.extend_from_slice(&text);
        }
        Command::decode(id, block, &bytes).unwrap_or_else(|_| common::command(n % 1_000))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(0x0a11), ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        steps in prop::collection::vec((any_command(), 0u64..5, 0u8..6), 1..200),
        segment_bytes in 1_400u64..6_000,
        from in 1u64..250,
    ) {
        let disk = MemDisk::new();
        let config = small(Durability::Memory, segment_bytes);
        let mut session = Session::open(&disk, config);
        let mut written: Vec<Sequenced<Command>> = Vec::new();
        let mut stamp = 0;
        for (body, later, what) in steps {
            stamp += later;
            let record = Sequenced { seq: session.writer.next_seq(), stamp: Timestamp(stamp), epoch: session.writer.epoch(), body };
            if what == 0 || session.writer.is_full() {
                session.block(0);
            }
            session.writer.append(&record).expect("room");
            written.push(record);
            if what == 1 {
                // The process ends with a block that was committed, and another lives on.
                session.block(0);
                drop(session);
                session = Session::open(&disk, config);
            }
        }
        session.block(0);
        let all: Result<Vec<_>, _> = Reader::open(&disk).expect("a journal").collect();
        prop_assert_eq!(&all.expect("sound"), &written);
        let tail: Result<Vec<_>, _> = Reader::open_at(&disk, SequenceNumber(from)).expect("a journal").collect();
        let tail = tail.expect("sound");
        let skipped = written.get(from as usize - 1..).unwrap_or_default();
        prop_assert_eq!(tail.as_slice(), skipped);
        let closed = session.writer.close(session.syncer).expect("room");
        let report = verify(&disk).expect("the disk answers");
        prop_assert_eq!((report.chain_hash, report.last_seq), (closed.chain, closed.last_seq));
        prop_assert_eq!((report.torn, report.damage), (None, None));
    }

    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..3_000),
        at in 0usize..2_000,
        own in any::<bool>(),
    ) {
        let disk = MemDisk::new();
        let mut session = Session::open(&disk, small(Durability::Disk, 2_048));
        (0..4).for_each(|_| session.block(3));
        session.settle();
        drop(session);
        let name = segment_name(1, 1);
        let mut file = if own { disk.bytes(&name).expect("the segment") } else { Vec::new() };
        file.truncate(at);
        file.extend_from_slice(&bytes);
        disk.put(&name, &file);
        let report = verify(&disk).expect("the disk answers");
        for (index, found) in Reader::open(&disk).into_iter().flatten().enumerate() {
            if let Ok(found) = found {
                prop_assert_eq!(found, record(index as u64 + 1, found.epoch));
                prop_assert!(found.seq <= report.last_seq);
            }
        }
        if let Ok(recovered) = recover(&disk, VENUE) {
            let last = recovered.recovery().last_seq;
            drop(recovered);
            assert_holds(&disk, last.0);
        }
    }
}

#[test]
fn every_command_has_a_record() {
    let disk = MemDisk::new();
    let mut session = Session::open(
        &disk,
        Config {
            block_bytes: 65_536,
            segment_bytes: 1 << 20,
            ..Config::default()
        },
    );
    let mut written = Vec::new();
    for schema in Command::SCHEMAS {
        let (name, len) = (schema.name, schema.block_len());
        let read = |block_len, bytes: &[u8]| {
            Command::decode(schema.id, block_len, bytes).unwrap_or_else(|e| panic!("{name}: {e}"))
        };
        // Every field at its default, then with the longest text behind.
        let plain = read(0, &[]);
        let mut bytes = vec![0; 300];
        let mut out = Encoder::new(&mut bytes);
        plain.encode(&mut out);
        let encoded = out.len();
        assert_eq!(encoded, len + schema.text.len(), "{name}");
        bytes.truncate(len);
        if !schema.text.is_empty() {
            bytes.push(39);
            bytes.extend_from_slice(&[b'x'; 39]);
        }
        for body in [plain, read(len, &bytes)] {
            let record = Sequenced {
                seq: session.writer.next_seq(),
                stamp: Timestamp(0),
                epoch: session.writer.epoch(),
                body,
            };
            session.writer.append(&record).expect("room");
            written.push(record);
        }
    }
    session.block(0);
    let all: Result<Vec<_>, _> = Reader::open(&disk).expect("a journal").collect();
    assert_eq!(all.expect("sound"), written);
}

#[test]
fn a_follower_reads_up_to_the_frontier_through_every_rotation() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 1_400));
    let mut reader = Reader::open(&disk).expect("an empty journal");
    let mut read = 0;
    for round in 0..60 {
        session.block(round % 7);
        if round % 3 == 0 {
            session.settle();
        } else {
            session.syncer.poll();
        }
        // Something is written behind the frontier that the follower may not see yet.
        session.block(1);
        let released = session.released();
        reader.set_limit(SequenceNumber(released));
        while let Some(found) = reader.read().expect("sound") {
            read += 1;
            assert_eq!(found, record(read, found.epoch));
        }
        assert_eq!(read, released);
    }
    assert!(read > 150);
}

#[test]
fn records_at_hand_are_those_that_come_one_by_one() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 1_400));
    // Blocks of every size up to six, idle marks between them, and more than one segment.
    for count in 0..40 {
        session.block(count % 7);
        session.settle();
    }
    let all: Result<Vec<_>, _> = Reader::open(&disk).expect("a journal").collect();
    let all = all.expect("sound");
    let last = all.len() as u64;
    for from in 1..=last + 1 {
        for limit in [from - 1, from, from + 2, last / 2, last] {
            // What is behind the limit must be there.
            let limit = limit.min(last);
            for step in [1, 2, usize::MAX] {
                let mut reader = Reader::open_at(&disk, SequenceNumber(from)).expect("a journal");
                reader.set_limit(SequenceNumber(limit));
                let mut found = Vec::new();
                loop {
                    let at_hand = reader.fill().expect("sound").to_vec();
                    assert_eq!(
                        reader.fill().expect("sound"),
                        at_hand,
                        "the same until they are consumed"
                    );
                    if at_hand.is_empty() {
                        break;
                    }
                    let taken = at_hand.len().min(step);
                    found.extend_from_slice(&at_hand[..taken]);
                    reader.consume(taken);
                    // By ones, by twos, in turn with single reads.
                    if step == 2
                        && let Some(one) = reader.read().expect("sound")
                    {
                        found.push(one);
                    }
                }
                let wanted = all.iter().filter(|record| (from..=limit).contains(&record.seq.0));
                assert!(found.iter().eq(wanted), "from {from} to {limit} by {step}");
            }
        }
    }
}

#[test]
fn what_was_read_ahead_while_it_was_being_written_is_read_again() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Memory, 4_096));
    session.block(3);
    // Half of the next block is there when the follower reads the first, and ahead.
    session.append(3);
    disk.short_write(disk.writes(), 100);
    disk.fail_write(disk.writes() + 1);
    assert!(session.writer.commit().is_err());
    let mut reader = Reader::open(&disk).expect("a journal");
    let expect = |reader: &mut Reader<MemDisk>, up_to: u64| {
        reader.set_limit(SequenceNumber(up_to));
        let mut last = None;
        while let Some(found) = reader.read().expect("sound up to the frontier") {
            last = Some(found.seq.0);
        }
        assert_eq!(last, Some(up_to));
    };
    expect(&mut reader, session.released());
    session.writer.commit().expect("the disk is well again");
    expect(&mut reader, session.released());
}

#[test]
fn what_is_gone_cannot_be_asked_for() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 1_400));
    (0..12).for_each(|_| session.block(6));
    drop(session);
    // Retention took the first segment.
    rialto_journal::Disk::remove(&disk, &segment_name(1, 1)).expect("it is there");
    let report = verify(&disk).expect("the disk answers");
    assert_eq!((report.damage, report.last_seq.0), (None, 72));
    let first = report.first_seq;
    match Reader::open(&disk) {
        Err(ReadError::TooOld {
            wanted, first: oldest, ..
        }) => assert_eq!((wanted.0, oldest), (1, first)),
        other => panic!("{:?}", other.err()),
    }
    let mut reader = Reader::open_at(&disk, first).expect("the second segment");
    assert_eq!(reader.read().expect("sound").map(|record| record.seq), Some(first));
    assert_eq!(recover(&disk, VENUE).expect("sound").recovery().last_seq.0, 72);
}
