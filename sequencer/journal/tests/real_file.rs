//! The same on a real file system, with writer and syncer on threads of their own.

mod common;

use common::{Session, VENUE, assert_holds, record, small};
use rialto_journal::{Config, Durability, LockError, OsDisk, Reader, RecoverError, recover, repair_cut, verify};
use rialto_model::SequenceNumber;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_journal_on_disk_lives_through_both_modes_and_a_damaged_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a/b/journal");
    let disk = OsDisk::create_dir(&path).expect("it can be made");
    for durability in [Durability::Memory, Durability::Disk] {
        let mut session = Session::open(&disk, small(durability, 8_192));
        for _ in 0..100 {
            session.block(5);
        }
        // As after kill -9: nothing is closed.
    }
    assert_holds(&disk, 1_000);
    let mut session = Session::open(&disk, small(Durability::Disk, 8_192));
    session.block(5);
    let text = match recover(&disk, VENUE) {
        Err(RecoverError::Lock(error @ LockError::InUse { .. })) => error.to_string(),
        _ => panic!("two writers"),
    };
    let pid = std::process::id();
    assert!(
        text.contains(&format!("journal is in use by another process (pid {pid})")),
        "{text}"
    );
    session.settle();
    session.writer.close(session.syncer).expect("room");
    assert_holds(&disk, 1_005);

    let victim = path.join(common::segment_name(2, 1));
    let mut bytes = fs::read(&victim).expect("the second segment");
    bytes[700] ^= 4;
    fs::write(&victim, bytes).expect("it can be written");
    let report = verify(&disk).expect("the disk answers");
    let (last, text) = (report.last_seq.0, report.damage.expect("found"));
    assert!(text.contains("0000000002-0000000001.journal at byte"), "{text}");
    assert!(matches!(recover(&disk, VENUE), Err(RecoverError::Damaged { .. })));
    let named = match Reader::open(&disk).expect("a journal").find_map(Result::err) {
        Some(rialto_journal::ReadError::Damage(damage)) => damage.seq,
        other => panic!("{other:?}"),
    };
    assert!(named.0 > last && named.0 <= last + 5);
    let repair = repair_cut(&disk, named).expect("at the damage");
    assert_eq!(repair.last_seq.0 + repair.lost, 1_005);
    assert!(repair.kept.iter().all(|kept| path.join(kept).exists()));
    assert_holds(&disk, named.0 - 1);
}

#[test]
fn a_path_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    fs::write(&file, "in the way").expect("it can be written");
    for path in [file.join("journal"), file] {
        let error = OsDisk::create_dir(&path).expect_err("a file is in the way");
        let text = error.to_string();
        assert!(text.contains("cannot make directory"), "{text}");
        assert!(text.contains("each part of it must be a directory"), "{text}");
    }
    assert!(OsDisk::open_dir(&folder.path().join("absent")).is_err());
}

#[test]
fn writer_syncer_and_follower_on_three_threads() {
    const RECORDS: u64 = 200_000;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = OsDisk::create_dir(folder.path()).expect("it can be made");
    let config = Config {
        segment_bytes: 2 << 20,
        block_bytes: 64 << 10,
        ..Config::default()
    };
    let Session {
        mut writer, mut syncer, ..
    } = Session::open(&disk, config);
    let frontier = writer.frontier();
    let stop = AtomicBool::new(false);
    let (writer, syncer) = std::thread::scope(|scope| {
        let syncing = scope.spawn(|| {
            while !stop.load(Ordering::Acquire) {
                if syncer.poll() == 0 {
                    std::thread::yield_now();
                }
            }
            syncer
        });
        let following = scope.spawn(|| {
            let mut reader = Reader::open(&disk).expect("a journal");
            let mut read = 0;
            while read < RECORDS {
                reader.set_limit(frontier.released_up_to().1);
                match reader.read().expect("sound up to the frontier") {
                    Some(found) => {
                        read += 1;
                        assert_eq!(found, record(read, found.epoch));
                    }
                    None => std::thread::yield_now(),
                }
            }
        });
        while writer.next_seq() <= SequenceNumber(RECORDS) {
            let next = record(writer.next_seq().0, writer.epoch());
            writer.append(&next).expect("room");
            // Blocks of every size.
            if writer.is_full() || next.seq.0.is_multiple_of(next.seq.0 % 61 + 1) {
                while writer.commit().is_err() {
                    std::thread::yield_now();
                }
            }
        }
        while writer.commit().is_err() {
            std::thread::yield_now();
        }
        following.join().expect("the follower read everything");
        stop.store(true, Ordering::Release);
        (writer, syncing.join().expect("the syncer ends"))
    });
    let closed = writer.close(syncer).expect("room");
    assert_eq!(closed.last_seq.0, RECORDS);
    assert_holds(&disk, RECORDS);
}
