//! A machine that stops at every moment, a disk that fails, and two who would write.

mod common;

use common::{Seeded, Session, VENUE, assert_holds, record, segment_name, small};
use rialto_journal::{CommitError, Durability, Failure, LockError, MemDisk, RecoverError, recover};
use rialto_model::{Monotonic, SequenceNumber, VenueId};
use std::error::Error;

/// What the outside has seen of a journal over all its lives.
#[derive(Debug, Default)]
struct Seen {
    released: u64,
    appended: u64,
}

/// Three writers one after the other, with a syncer that comes when it comes; ends at the first thing the disk refuses.
fn workload(disk: &MemDisk, seed: u64, seen: &mut Seen) -> Result<(), Box<dyn Error>> {
    let mut random = Seeded(seed);
    for life in 0..3 {
        let recovered = recover(disk, VENUE)?;
        let last = recovered.recovery().last_seq.0;
        assert!(
            (seen.released..=seen.appended).contains(&last),
            "{last} found, {seen:?}"
        );
        seen.appended = last;
        let (mut writer, mut syncer) = recovered.into_writer(small(Durability::Disk, 2_048))?;
        let mut now = 0;
        for _ in 0..25 {
            for _ in 0..random.below(6) {
                let next = record(writer.next_seq().0, writer.epoch());
                if writer.append(&next).is_ok() {
                    seen.appended = next.seq.0;
                }
            }
            match writer.commit() {
                Ok(_) | Err(CommitError::NoSegment { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            if random.below(3) > 0 {
                syncer.poll();
            }
            if let Some(failure) = syncer.failure() {
                return Err(failure.clone().into());
            }
            seen.released = writer.frontier().released_up_to().1.0;
            now += random.below(8_000_000);
            match writer.mark(Monotonic(now)) {
                Ok(_) | Err(CommitError::NoSegment { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if life == 1 {
            let closed = writer.close(syncer)?;
            seen.released = closed.last_seq.0;
        }
    }
    Ok(())
}

#[test]
fn nothing_released_is_lost_wherever_the_machine_stops() {
    for seed in 1..=4 {
        println!("seed {seed}");
        let whole = MemDisk::new();
        workload(&whole, seed, &mut Seen::default()).expect("no fault was set");
        assert!(whole.operations() > 200);
        for operation in 0..whole.operations() {
            // Coin 0 loses everything unsynced.
            for coin in 0..4 {
                let disk = MemDisk::new();
                disk.stop_at(operation);
                let mut seen = Seen::default();
                assert!(workload(&disk, seed, &mut seen).is_err(), "it did not stop");
                if coin == 0 {
                    disk.crash();
                } else {
                    disk.crash_keeping(operation * 4 + coin);
                }
                let case = format!("seed {seed}, operation {operation}, coin {coin}, {seen:?}");
                let recovered = recover(&disk, VENUE).unwrap_or_else(|e| panic!("{case}: {e}"));
                let last = recovered.recovery().last_seq.0;
                assert!((seen.released..=seen.appended).contains(&last), "{last}: {case}");
                drop(recovered);
                assert_holds(&disk, last);
                let mut session = Session::open(&disk, small(Durability::Disk, 2_048));
                session.block(2);
                drop(session);
                assert_holds(&disk, last + 2);
            }
        }
    }
}

#[test]
fn in_memory_mode_everything_written_survives_the_process() {
    let disk = MemDisk::new();
    let mut last = 0;
    for _ in 0..5 {
        let mut session = Session::open(&disk, small(Durability::Memory, 2_048));
        assert_eq!(session.writer.next_seq().0, last + 1);
        for _ in 0..20 {
            session.block(3);
            assert_eq!(session.released(), session.writer.next_seq().0 - 1);
        }
        last = session.released();
        session.append(2);
    }
    assert_holds(&disk, 300);
    // The power goes: a start is not refused, whatever is left.
    disk.crash();
    recover(&disk, VENUE).expect("no mark of this mode blocks a start");
}

#[test]
fn after_a_failed_fsync_nothing_more_is_released() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 65_536));
    while session.syncer.poll() > 0 {}
    session.block(3);
    session.syncer.poll();
    assert_eq!(session.released(), 3);
    session.block(3);
    disk.fail_sync(disk.syncs());
    session.syncer.poll();
    for _ in 0..3 {
        assert_eq!(session.syncer.poll(), 0);
        assert_eq!(session.released(), 3);
    }
    let failure = session.syncer.failure().expect("it failed").clone();
    assert!(matches!(&failure, Failure::Sync { file, .. } if *file == segment_name(1, 1)));
    assert!(failure.to_string().contains("nothing more is released"), "{failure}");
    assert_eq!(session.writer.frontier().failure(), Some(&failure));
    session.append(1);
    assert!(matches!(session.writer.commit(), Err(CommitError::Failed(f)) if f == failure));
    assert!(session.writer.close(session.syncer).is_err());
    disk.crash();
    assert_holds(&disk, 3);
}

#[test]
fn what_a_failed_fsync_left_in_the_systems_memory_is_written_again_by_the_next_start() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 65_536));
    while session.syncer.poll() > 0 {}
    session.block(3);
    disk.fail_sync(disk.syncs());
    session.syncer.poll();
    assert!(session.syncer.failure().is_some());
    drop(session);
    // The process starts again on the same machine: the records are read, though the disk never got them.
    let mut session = Session::open(&disk, small(Durability::Disk, 65_536));
    assert_eq!(session.released(), 3);
    session.block(2);
    session.settle();
    drop(session);
    disk.crash();
    assert_holds(&disk, 5);
}

#[test]
fn a_footer_that_was_not_synced_is_synced_by_the_next_start() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 1_400));
    session.block(8);
    session.settle();
    // Into the next segment, which states a mark that reaches just to the end of this one.
    while !disk
        .bytes(&segment_name(2, 1))
        .is_some_and(|bytes| bytes.starts_with(b"RIALTOJ"))
    {
        session.block(4);
    }
    let last = session.writer.next_seq().0 - 1;
    drop(session);
    drop(Session::open(&disk, small(Durability::Disk, 1_400)));
    disk.crash();
    assert_holds(&disk, last);
}

#[test]
fn short_and_failed_writes_lose_nothing() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Memory, 65_536));
    for taken in [1, 47, 48, 100] {
        disk.short_write(disk.writes(), taken);
        session.block(2);
    }
    session.append(2);
    disk.short_write(disk.writes(), 60);
    disk.fail_write(disk.writes() + 1);
    let error = session.writer.commit().expect_err("the second half failed");
    assert!(matches!(error, CommitError::Disk(_)), "{error}");
    assert_eq!((session.released(), session.writer.pending()), (8, 2));
    // More comes, and then the same place is written again.
    session.append(1);
    session.writer.commit().expect("the disk is well again");
    assert_eq!(session.released(), 11);
    drop(session);
    assert_holds(&disk, 11);
}

#[test]
fn a_full_disk_holds_up_the_commit_and_nothing_is_lost() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 2_048));
    disk.set_room(Some(disk.used()));
    let mut refused = None;
    for _ in 0..40 {
        session.append(3);
        if let Err(error) = session.writer.commit() {
            refused = Some(error);
            break;
        }
        session.syncer.poll();
    }
    let error = refused.expect("the room ends");
    assert!(
        matches!(&error, CommitError::NoSegment { why } if why.contains("free room")),
        "{error}"
    );
    assert_eq!((session.writer.pending(), session.writer.spare_segments()), (3, 0));
    assert!(session.writer.reserve_problem().is_some());
    let last = session.writer.next_seq().0 - 1;
    for _ in 0..3 {
        session.syncer.poll();
        assert!(session.writer.commit().is_err());
    }
    disk.set_room(None);
    let mut polls = 0;
    while session.writer.commit().is_err() {
        session.syncer.poll();
        polls += 1;
        assert!(polls < 3_000, "it never resumed");
    }
    session.settle();
    assert_eq!((session.released(), session.writer.reserve_problem()), (last, None));
    drop(session);
    disk.crash();
    assert_holds(&disk, last);
}

#[test]
fn a_start_on_a_full_disk_is_refused_and_leaves_the_journal_as_it_was() {
    let disk = MemDisk::new();
    let mut session = Session::open(&disk, small(Durability::Disk, 2_048));
    session.block(3);
    session.settle();
    drop(session);
    drop(recover(&disk, VENUE).expect("sound"));
    disk.set_room(Some(disk.used()));
    let recovered = recover(&disk, VENUE).expect("sound");
    let refused = recovered.into_writer(small(Durability::Disk, 2_048));
    let text = refused.err().expect("no room").to_string();
    assert!(text.contains("free room on the journal's disk"), "{text}");
    disk.set_room(None);
    assert_holds(&disk, 3);
}

#[test]
fn rotation_at_every_fill_of_a_segment() {
    for durability in [Durability::Memory, Durability::Disk] {
        for first in 1..=8 {
            let disk = MemDisk::new();
            let mut session = Session::open(&disk, small(durability, 1_400));
            session.block(first);
            for count in 1..=8 {
                session.block(count);
                session.syncer.poll();
            }
            session.settle();
            assert_eq!(session.released(), first + 36);
            let closed = session.writer.close(session.syncer).expect("room");
            assert_eq!(closed.last_seq.0, first + 36);
            disk.crash();
            assert_holds(&disk, first + 36);
        }
    }
}

#[test]
fn an_interrupted_rotation_is_done_again() {
    // The writes of a rotation: footer, header, block.
    for nth in 0..3 {
        let disk = MemDisk::new();
        let mut session = Session::open(&disk, small(Durability::Memory, 1_400));
        while session.syncer.poll() > 0 {}
        session.block(8);
        session.append(8);
        disk.fail_write(disk.writes() + nth);
        assert!(matches!(session.writer.commit(), Err(CommitError::Disk(_))));
        assert_eq!(session.released(), 8);
        session.append(1);
        session.writer.commit().expect("the disk is well again");
        drop(session);
        assert_holds(&disk, 17);
    }
}

#[test]
fn a_second_writer_is_refused() {
    let disk = MemDisk::new();
    let first = Session::open(&disk, small(Durability::Disk, 2_048));
    let Err(RecoverError::Lock(LockError::InUse { pid })) = recover(&disk, VENUE) else {
        panic!("two writers");
    };
    assert_eq!(pid, Some(std::process::id()));
    drop(first);
    recover(&disk, VENUE).expect("the first is gone");
}

#[test]
fn a_writer_that_lost_the_journal_extends_and_releases_nothing() {
    for durability in [Durability::Disk, Durability::Memory] {
        let disk = MemDisk::new();
        let mut old = Session::open(&disk, small(durability, 1_400));
        old.block(5);
        old.settle();
        disk.break_lock();
        let mut new = Session::open(&disk, small(durability, 1_400));
        assert!(new.writer.epoch() > old.writer.epoch());
        new.block(2);
        // It wakes: within its segment, and then into every segment that it had made ahead.
        let mut refused = false;
        while !refused {
            old.append(6);
            refused = old.writer.commit().is_err();
        }
        old.syncer.poll();
        let failure = old.syncer.failure().expect("fenced off");
        assert!(matches!(failure, Failure::Fenced { .. }), "{failure}");
        assert_eq!(old.released(), 5, "{durability:?}");
        new.block(3);
        new.settle();
        assert_eq!(new.released(), 10);
        assert_holds(&disk, 10);
        drop((new, old));
        assert_eq!(
            recover(&disk, VENUE).expect("sound").recovery().last_seq,
            SequenceNumber(10)
        );
        assert_holds(&disk, 10);
    }
}

#[test]
fn an_empty_directory_begins_at_zero_and_another_venue_is_refused() {
    let disk = MemDisk::new();
    let recovered = recover(&disk, VENUE).expect("nothing there");
    let found = recovered.recovery().clone();
    assert_eq!((found.last_seq.0, found.last_stamp.0, found.last_epoch.0), (0, 0, 0));
    assert_eq!((found.epoch.0, found.cut), (1, None));
    drop(recovered);
    let mut session = Session::open(&disk, small(Durability::Disk, 2_048));
    session.block(1);
    drop(session);
    let text = recover(&disk, VenueId(8)).err().expect("another venue").to_string();
    assert!(text.contains("the journal of venue 7, not of venue 8"), "{text}");
}
