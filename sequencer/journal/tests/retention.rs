//! Segments leave for the archive by the rule, and whoever reads has the whole journal at every moment.

mod common;

use common::{Session, VENUE, assert_holds, record, segment_name, small};
use rialto_journal::disk::Access;
use rialto_journal::retention::{ARCHIVE, Kept, Retention, Verdict, judge, move_out, segments};
use rialto_journal::{Disk, Durability, MemDisk, OsDisk, ReadError, Reader, recover, verify};
use rialto_model::{SequenceNumber, Timestamp};
use std::process::{Command, Stdio};
use std::time::Duration;

const DAY_NS: u64 = 86_400_000_000_000;
/// A new trading day begins with every tenth record.
const RECORDS: u64 = 200;

fn written<D: Disk>(disk: &D) -> Session<D> {
    let mut session = Session::open(disk, small(Durability::Disk, 2_048));
    for _ in 0..RECORDS / 5 {
        session.block(5);
    }
    session.settle();
    session
}

const ALL: Retention = Retention {
    days: None,
    bytes: Some(0),
};

fn leaving(kept: &[Kept], verdicts: &[Verdict]) -> Vec<String> {
    let both = kept.iter().zip(verdicts);
    both.filter(|(_, verdict)| verdict.leaves())
        .map(|(one, _)| one.file.clone())
        .collect()
}

#[test]
fn the_rule_in_cases() {
    let disk = MemDisk::new();
    drop(written(&disk));
    let kept = segments(&disk).expect("a journal");
    let count = kept.len();
    assert!(count >= 10, "{count} segments");
    let ends: Vec<_> = kept.iter().filter_map(|one| one.end).collect();
    assert_eq!(ends.len(), count - 1, "the last may still be written");
    for (one, next) in kept.iter().zip(&kept[1..]) {
        let end = one.end.expect("over");
        assert_eq!((end.seq.0 + 1, end.day), (next.first_seq.0, next.day));
    }
    let everything = [SequenceNumber(RECORDS), SequenceNumber(RECORDS)];
    let leave = |retention, snapshots: &[SequenceNumber], now| {
        let verdicts = judge(&kept, retention, snapshots, Timestamp(now));
        let leaves = verdicts.iter().filter(|verdict| verdict.leaves()).count();
        assert!(
            verdicts[..leaves].iter().all(|verdict| verdict.leaves()),
            "the oldest first"
        );
        assert_eq!(verdicts.last(), Some(&Verdict::Written));
        (leaves, verdicts[leaves])
    };
    // No bounds, or none that is passed.
    let bound = |days, bytes| Retention { days, bytes };
    assert_eq!(
        leave(bound(None, None), &everything, u64::MAX),
        (0, Verdict::WithinBounds)
    );
    assert_eq!(
        leave(bound(Some(1), None), &everything, DAY_NS),
        (0, Verdict::WithinBounds)
    );
    let bytes: u64 = kept.iter().map(|one| one.bytes).sum();
    assert_eq!(
        leave(bound(None, Some(bytes)), &everything, 0),
        (0, Verdict::WithinBounds)
    );
    // By days: those whose end is that old.
    let third = ends[2].stamp.0;
    let by_days = leave(bound(Some(3), None), &everything, third + 3 * DAY_NS);
    assert_eq!(by_days, (2, Verdict::WithinBounds), "one that ended just then stays");
    assert_eq!(leave(bound(Some(3), None), &everything, third + 3 * DAY_NS + 1).0, 3);
    // No number of days is too many.
    let ages = leave(bound(Some(u32::MAX), None), &everything, u64::MAX);
    assert_eq!(ages, (0, Verdict::WithinBounds));
    // By bytes: as many as it takes.
    let two = kept[0].bytes + kept[1].bytes;
    assert_eq!(
        leave(bound(None, Some(bytes - two)), &everything, 0),
        (2, Verdict::WithinBounds)
    );
    assert_eq!(leave(bound(None, Some(bytes - two - 1)), &everything, 0).0, 3);
    // Never what is of the current day.
    let current = kept[count - 1].day;
    let earlier = ends.iter().filter(|end| end.day < current).count();
    assert_eq!(leave(ALL, &everything, 0), (earlier, Verdict::CurrentDay));
    // Never what two snapshots are not behind.
    assert_eq!(leave(ALL, &[SequenceNumber(RECORDS)], 0), (0, Verdict::NoSnapshot));
    let [first, second] = [ends[1].seq, SequenceNumber(ends[3].seq.0 + 1)];
    assert_eq!(leave(ALL, &[first, second], 0), (2, Verdict::NoSnapshot));
}

#[test]
fn a_move_that_ends_anywhere_leaves_the_journal_whole() {
    let name = segment_name(1, 1);
    let whole = |journal: &MemDisk, archive: &MemDisk| {
        // Whoever reads both as one.
        let both = journal.copy();
        if both.bytes(&name).is_none() {
            both.put(&name, &archive.bytes(&name).expect("it is in one of the two"));
        }
        assert_holds(&both, RECORDS);
    };
    for on_archive in [true, false] {
        let mut reached = 0;
        for steps in 0.. {
            let (journal, archive) = (MemDisk::new(), MemDisk::new());
            drop(written(&journal));
            journal.crash();
            let struck = if on_archive { &archive } else { &journal };
            struck.stop_at(struck.operations() + steps);
            let done = move_out(&journal, &archive, &name).is_ok();
            // The machine loses its power as well.
            for disk in [&journal, &archive] {
                disk.mend();
                disk.crash();
            }
            whole(&journal, &archive);
            reached = steps;
            if done {
                break;
            }
            // Again, and it is whole.
            move_out(&journal, &archive, &name).expect("the disk is well");
            assert!(journal.bytes(&name).is_none());
            whole(&journal, &archive);
        }
        assert!(reached >= 2, "archive {on_archive}: {reached} places to stop at");
    }
}

#[test]
fn a_journal_with_an_archive_is_read_as_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, beside) = (folder.path().join("journal"), folder.path().join("old"));
    let disk = OsDisk::create_with_archive(&path, &beside).expect("two folders");
    let mut session = written(&disk);
    let archive = disk.archive().expect("it is there").expect("it is named");
    let kept = segments(&disk).expect("a journal");
    let leaves = leaving(&kept, &judge(&kept, ALL, &[SequenceNumber(RECORDS); 2], Timestamp(0)));
    assert!(leaves.len() > 5, "{leaves:?}");
    // A reader that is under way, and a writer, notice nothing.
    let mut reader = Reader::open(&disk).expect("a journal");
    for (seq, file) in (1..).zip(&leaves) {
        move_out(&disk, &archive, file).expect("room");
        assert!(!path.join(file).exists() && beside.join(file).exists());
        let found = reader.read().expect("sound").expect("more");
        assert_eq!(found, record(seq, found.epoch));
        session.block(1);
    }
    let last = RECORDS + leaves.len() as u64;
    session.settle();
    assert_eq!(reader.count() as u64 + leaves.len() as u64, last);
    drop(session);
    assert_holds(&disk, last);
    let kept = segments(&disk).expect("a journal");
    assert_eq!(kept.iter().filter(|one| one.archived).count(), leaves.len());
    // One that is in both is one.
    std::fs::copy(beside.join(&leaves[0]), path.join(&leaves[0])).expect("room");
    assert_holds(&OsDisk::open_dir(&path).expect("a folder"), last);
    assert!(
        disk.open(&leaves[1], Access::Write).is_err(),
        "what is over is not written"
    );

    // Another archive would lose sight of the first.
    let other = OsDisk::create_with_archive(&path, &folder.path().join("other"));
    let text = other.expect_err("refused").to_string();
    assert!(text.contains("is named already"), "{text}");
    OsDisk::create_with_archive(&path, &beside).expect("the same again");
    assert!(path.join(ARCHIVE).exists());
    let itself = OsDisk::create_with_archive(&beside, &beside);
    assert!(
        itself
            .expect_err("refused")
            .to_string()
            .contains("it is the folder itself")
    );
    // What has the name of another's segment is not written over.
    let stranger = path.join(&leaves[0]);
    let mut bytes = std::fs::read(&stranger).expect("the copy");
    bytes[100] ^= 1;
    std::fs::write(&stranger, &bytes).expect("room");
    let text = move_out(&disk, &archive, &leaves[0])
        .expect_err("another's")
        .to_string();
    assert!(text.contains("the archive has another file of this name"), "{text}");
    assert!(stranger.exists());

    // Without the archive the journal begins later: it is said where, and from there on everything is as it was.
    std::fs::remove_file(path.join(&leaves[0])).expect("the copy");
    std::fs::rename(&beside, folder.path().join("away")).expect("taken away");
    let disk = OsDisk::open_dir(&path).expect("a folder");
    let report = verify(&disk).expect("the disk answers");
    let first = report.first_seq;
    assert_eq!((report.damage, report.last_seq.0), (None, last));
    match Reader::open(&disk) {
        Err(error @ ReadError::TooOld { .. }) => {
            let text = error.to_string();
            assert!(
                text.contains(&format!("begins at sequence number {first}, 1 was asked for")),
                "{text}"
            );
        }
        other => panic!("{:?}", other.err()),
    }
    let found = Reader::open_at(&disk, first).expect("the first that is kept").count() as u64;
    assert_eq!(found, last + 1 - first.0);
    assert_eq!(recover(&disk, VENUE).expect("sound").recovery().last_seq.0, last);
}

/// The process that is killed: moves what leaves and copies it back, over and over.
#[test]
fn pruning_child() {
    let Some(path) = std::env::var_os("RIALTO_PRUNING_CHILD") else {
        return;
    };
    let disk = OsDisk::open_dir(path.as_ref()).expect("a folder");
    let archive = disk.archive().expect("it is there").expect("it is named");
    loop {
        let kept = segments(&disk).expect("a journal");
        for file in leaving(&kept, &judge(&kept, ALL, &[SequenceNumber(RECORDS); 2], Timestamp(0))) {
            move_out(&disk, &archive, &file).expect("room");
        }
        for one in kept.iter().filter(|one| one.archived) {
            move_out(&archive, &disk, &one.file).expect("room");
        }
    }
}

#[test]
fn kill_9_in_the_middle_of_a_move_costs_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("journal");
    let disk = OsDisk::create_with_archive(&path, &folder.path().join("old")).expect("two folders");
    drop(written(&disk));
    let mut moved = 0;
    for round in 0..20u64 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "pruning_child", "--nocapture"])
            .env("RIALTO_PRUNING_CHILD", &path)
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        // Wherever it is by then.
        std::thread::sleep(Duration::from_millis(5 + 7 * round));
        child.kill().expect("SIGKILL");
        child.wait().expect("it is gone");
        assert_holds(&disk, RECORDS);
        let kept = segments(&disk).expect("a journal");
        moved += kept.iter().filter(|one| one.archived).count();
    }
    println!("{moved} segments were in the archive, all kills together");
    assert_eq!(recover(&disk, VENUE).expect("sound").recovery().last_seq.0, RECORDS);
}
