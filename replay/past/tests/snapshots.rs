//! Snapshots save time and change nothing: every answer is the same with all of them, without any, and with damaged ones.

mod common;

use common::{enter, flow, market, write};
use rialto_journal::disk::{Disk as _, MemDisk};
use rialto_journal::repair_cut;
use rialto_model::{SequenceNumber, Side};
use rialto_past::{Past, Snapshot, Snapshots, Stream, stats};

/// The snapshot of a stream at a number, taken without any other.
fn taken(journal: &MemDisk, seq: u64) -> Snapshot {
    let visit = Stream::at_rest(journal.clone(), None).at(Some(SequenceNumber(seq)));
    visit
        .expect("it was")
        .into_past()
        .snapshot()
        .expect("a command was applied")
}

fn stream(journal: &MemDisk, folder: &MemDisk) -> Stream<MemDisk> {
    Stream::at_rest(journal.clone(), Some(Snapshots::new(folder.clone())))
}

/// What an answer says, without how it was found.
fn said(past: &Past) -> String {
    let mut answer = stats(past);
    (answer.from_snapshot, answer.replayed) = (0, 0);
    format!("{answer:?}")
}

#[test]
fn every_place_is_the_same_with_and_without_snapshots() {
    let (journal, folder, none) = (MemDisk::new(), MemDisk::new(), MemDisk::new());
    write(&journal, &flow(2_000), 7);
    let snapshots = Snapshots::new(folder.clone());
    for seq in [1, 500, 1_000, 1_999] {
        snapshots.take(&taken(&journal, seq)).expect("room");
    }
    for seq in [1, 2, 499, 500, 501, 1_000, 1_500, 1_999, 2_000] {
        let at = Some(SequenceNumber(seq));
        let with = stream(&journal, &folder).at(at).expect("it was");
        let without = stream(&journal, &none).at(at).expect("it was");
        assert_eq!(said(&with.past), said(&without.past), "{seq}");
        assert_eq!(
            with.past.begun().0,
            [1, 500, 1_000, 1_999].into_iter().rfind(|one| *one <= seq).unwrap_or(0)
        );
        assert!(
            with.past.applied() <= 500,
            "the replay is bounded by the distance of two snapshots"
        );
    }
}

/// Whoever keeps a place goes on from it, as far as is asked each time, and comes to what a replay from the first command says;
/// not from a place of another stream, nor back.
#[test]
fn a_kept_place_is_gone_on_from() {
    let (journal, none) = (MemDisk::new(), MemDisk::new());
    write(&journal, &flow(2_000), 7);
    let mut stream = stream(&journal, &none);
    stream.replay_max = 700;
    let mut past = Past::new();
    for seq in [1, 2, 499, 1_100, 1_100, 1_700, 2_000] {
        let seq = SequenceNumber(seq);
        let mut visit = stream.onward(past, seq).expect("it reads").expect("it is its own");
        while let Some(command) = visit.read().expect("not too far") {
            visit.past.apply(&command);
        }
        past = visit.into_past();
        let anew = Stream::at_rest(journal.clone(), None).at(Some(seq)).expect("it was");
        assert_eq!((past.seq(), past.state_hash()), (seq, anew.past.state_hash()));
        assert_eq!(past.event_hash(), anew.past.event_hash());
    }
    assert!(
        stream
            .onward(past.clone(), SequenceNumber(1_999))
            .expect("it reads")
            .is_none()
    );
    let other = MemDisk::new();
    write(&other, &flow(1_000), 7);
    write(&other, &[enter(1, 4_000, Side::Buy, 900_000, 7); 1_000], 7);
    let other = Stream::at_rest(other, None);
    assert!(other.onward(past, SequenceNumber(2_000)).expect("it reads").is_none());
}

#[test]
fn what_is_damaged_is_named_and_passed_over() {
    let journal = MemDisk::new();
    write(&journal, &flow(300), 7);
    let good = taken(&journal, 200).encode();
    let expected = said(
        &Stream::at_rest(journal.clone(), None)
            .at(Some(SequenceNumber(250)))
            .expect("it was")
            .past,
    );
    let name = format!("{:020}.snapshot", 200);
    let mut cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "checksum"),
        (good[..good.len() - 1].to_vec(), "checksum"),
        (b"RIALTOSN".to_vec(), "checksum"),
    ];
    for at in [0, 9, 13, 20, 30, 50, 60, 70, 90, good.len() / 2, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        cases.push((bytes, "checksum"));
    }
    let mut newer = good.clone();
    newer[8] = 9;
    let crc = crc32c::crc32c(&[&newer[..12], &newer[16..]].concat());
    newer[12..16].copy_from_slice(&crc.to_le_bytes());
    cases.push((newer, "format version 9"));
    for (bytes, word) in cases {
        let folder = MemDisk::new();
        folder.put(&name, &bytes);
        Snapshots::new(folder.clone())
            .take(&taken(&journal, 100))
            .expect("room");
        let visit = stream(&journal, &folder)
            .at(Some(SequenceNumber(250)))
            .expect("the others are enough");
        assert_eq!(visit.past.begun(), SequenceNumber(100));
        assert_eq!(said(&visit.past), expected);
        let [why] = &visit.passed_over[..] else {
            panic!("{:?}", visit.passed_over)
        };
        assert!(why.contains("snapshot 200") && why.contains(word), "{why}");
        let listed = Snapshots::new(folder).ls().expect("the disk answers");
        assert_eq!(
            listed.iter().map(|one| one.hashes.is_ok()).collect::<Vec<_>>(),
            [true, false]
        );
    }
}

#[test]
fn a_snapshot_of_what_was_cut_away_is_none_of_the_new_stream() {
    let (journal, folder) = (MemDisk::new(), MemDisk::new());
    write(&journal, &market(), 3);
    Snapshots::new(folder.clone()).take(&taken(&journal, 17)).expect("room");
    repair_cut(&journal, SequenceNumber(16)).expect("it can be cut");
    // The same numbers come again, with other commands.
    write(
        &journal,
        &[enter(1, 4, Side::Buy, 900_000, 7), enter(1, 5, Side::Buy, 900_000, 7)],
        1,
    );
    let visit = stream(&journal, &folder).at(None).expect("it reads");
    assert_eq!(
        (visit.past.seq(), visit.past.begun()),
        (SequenceNumber(17), SequenceNumber(0))
    );
    assert!(
        visit.passed_over[0].contains("another command"),
        "{:?}",
        visit.passed_over
    );
}

#[test]
fn a_disk_that_refuses_leaves_no_half_snapshot_and_the_oldest_go() {
    let journal = MemDisk::new();
    write(&journal, &flow(300), 64);
    let snapshot = taken(&journal, 200);
    let folder = MemDisk::new();
    folder.set_room(Some(100));
    let refused = Snapshots::new(folder.clone())
        .take(&snapshot)
        .expect_err("the disk is full");
    assert!(refused.to_string().contains("free room"), "{refused}");
    folder.set_room(None);
    assert!(folder.list().expect("it answers").is_empty());

    let snapshots = Snapshots::new(folder.clone());
    for seq in 1..=20 {
        snapshots.take(&taken(&journal, seq)).expect("room");
    }
    let numbers: Vec<u64> = snapshots
        .numbers()
        .expect("it answers")
        .iter()
        .map(|seq| seq.0)
        .collect();
    assert_eq!(numbers, (5..=20).collect::<Vec<_>>());
    snapshots.drop_one(SequenceNumber(5)).expect("it is there");
    assert!(snapshots.drop_one(SequenceNumber(5)).is_err());

    // Power fails at every operation of the disk while one is written: it is whole afterwards, or not there.
    for operation in 1..12 {
        let folder = MemDisk::new();
        folder.stop_at(folder.operations() + operation);
        let took = Snapshots::new(folder.clone()).take(&snapshot);
        folder.crash();
        let listed = Snapshots::new(folder).ls().expect("it answers");
        assert!(
            listed.iter().all(|one| one.hashes.is_ok()),
            "at {operation}: {listed:?}"
        );
        assert!(took.is_err() || !listed.is_empty(), "at {operation}: taken and lost");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let journal = MemDisk::new();
    let empty = Stream::at_rest(journal.clone(), None);
    let error = |seq| empty.at(seq).err().expect("nothing is there").to_string();
    assert!(error(None).contains("no command"), "{}", error(None));
    write(&journal, &market(), 3);
    let beyond = Stream::at_rest(journal.clone(), None)
        .at(Some(SequenceNumber(900)))
        .err()
        .expect("it has not been");
    assert!(beyond.to_string().contains("ends at sequence number 19"), "{beyond}");
    let live = Stream {
        limit: Some(SequenceNumber(10)),
        ..Stream::at_rest(journal.clone(), None)
    };
    assert!(
        live.at(Some(SequenceNumber(11))).is_err(),
        "the frontier is the end of a live stream"
    );
    assert_eq!(live.at(None).expect("up to there").past.seq(), SequenceNumber(10));
    let busy = Stream {
        replay_max: 5,
        ..Stream::at_rest(journal, None)
    };
    assert!(
        busy.at(Some(SequenceNumber(9)))
            .err()
            .expect("too far")
            .to_string()
            .contains("snapshot take")
    );
}

#[test]
fn the_table_of_the_spec_is_gapless_and_a_snapshot_has_these_bytes() {
    let spec = include_str!("../SPEC.md");
    let (_, section) = spec.split_once("### Header, 88 bytes\n").expect("the heading");
    let mut end = 0;
    for row in section
        .lines()
        .skip_while(|line| !line.starts_with("| 0 |"))
        .take_while(|line| line.starts_with('|'))
    {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().parse::<usize>());
        assert_eq!(cells.next(), Some(Ok(end)), "{row}");
        end += cells.next().and_then(Result::ok).expect("a length");
    }
    assert_eq!(end, 88);

    let journal = MemDisk::new();
    write(&journal, &market()[..2], 1);
    let snapshot = taken(&journal, 2);
    let bytes = snapshot.encode();
    assert_eq!(Snapshot::decode(&bytes).expect("sound"), snapshot);
    let field = |at: usize, len: usize| {
        let mut wide = [0; 8];
        wide[..len].copy_from_slice(&bytes[at..at + len]);
        u64::from_le_bytes(wide)
    };
    assert_eq!(&bytes[..8], b"RIALTOSN");
    let expected = [
        (8, 4, 1),
        (16, 8, bytes.len() as u64),
        (24, 8, 2),
        (32, 8, 1_700_000_002_000_000_000),
        (40, 4, 1),
        (44, 4, 1),
        (48, 8, snapshot.link),
        (56, 8, snapshot.state_hash.0),
        (64, 8, snapshot.hasher.total().0),
        (72, 8, 2),
        (80, 8, bytes.len() as u64 - 96),
    ];
    for (at, len, value) in expected {
        assert_eq!(field(at, len), value, "at {at}");
    }
}
