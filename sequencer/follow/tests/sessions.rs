//! Both ends without a socket: the handshake, who is refused, and what a changed byte does.

use rialto_follow::wire::{RecordsBuilder, Stand, Welcome};
use rialto_follow::{FollowerSession, Heard, Key, Reason, Refused, ServerSession};
use rialto_model::command::Tick;
use rialto_model::{Epoch, Monotonic, SequenceNumber, Sequenced, Timestamp, VenueId};

const NOW: Monotonic = Monotonic(0);

fn key(byte: u8) -> Key {
    Key::new([byte; 32])
}

fn record(seq: u64, epoch: u32) -> Sequenced<rialto_model::Command> {
    Sequenced {
        seq: SequenceNumber(seq),
        stamp: Timestamp(seq),
        epoch: Epoch(epoch),
        body: Tick {}.into(),
    }
}

fn begin(after: u64, snapshot_bytes: u64) -> Welcome {
    Welcome {
        venue: VenueId(1),
        epoch: Epoch(1),
        after: SequenceNumber(after),
        frontier: SequenceNumber(9),
        snapshot_bytes,
    }
}

fn ends(server_key: u8, follower_key: u8) -> (ServerSession, FollowerSession) {
    let follower = FollowerSession::new(key(follower_key), [2; 16], Stand::default(), Epoch(0), true, NOW);
    (ServerSession::new(key(server_key), [1; 16], NOW), follower)
}

/// A connection behind its handshake, welcomed.
fn connected(begin: &Welcome) -> (ServerSession, FollowerSession) {
    let (mut server, mut follower) = ends(7, 7);
    follower
        .handle_bytes(NOW, &std::mem::take(server.output()))
        .expect("a challenge");
    let hello = server
        .handle_bytes(NOW, &std::mem::take(follower.output()))
        .expect("a proof");
    assert_eq!(
        hello.map(|hello| (hello.after, hello.snapshot)),
        Some((Stand::default(), true))
    );
    server.welcome(begin);
    follower
        .handle_bytes(NOW, &std::mem::take(server.output()))
        .expect("a welcome");
    assert_eq!(follower.poll(), Some(Heard::Welcome(*begin)));
    (server, follower)
}

fn send(server: &mut ServerSession, records: &[Sequenced<rialto_model::Command>]) -> Vec<u8> {
    let mut builder = RecordsBuilder::new();
    records.iter().for_each(|record| builder.push(record));
    server.records(NOW, &mut builder, SequenceNumber(9));
    std::mem::take(server.output())
}

#[test]
fn a_snapshot_then_records_then_how_far_it_is() {
    let (mut server, mut follower) = connected(&begin(4, 5));
    server.snapshot_part(NOW, b"abc");
    server.snapshot_part(NOW, b"de");
    let mut bytes = std::mem::take(server.output());
    bytes.extend(send(&mut server, &[record(5, 1), record(6, 2)]));
    for byte in bytes {
        follower.handle_bytes(NOW, &[byte]).expect("sound");
    }
    let heard: Vec<Heard> = std::iter::from_fn(|| follower.poll()).collect();
    let (seq, up_to) = (SequenceNumber(4), SequenceNumber(9));
    assert_eq!(
        heard,
        [
            Heard::Snapshot {
                seq,
                bytes: b"abcde".to_vec()
            },
            Heard::Command(record(5, 1)),
            Heard::Command(record(6, 2)),
            Heard::Frontier { epoch: Epoch(2), up_to },
        ]
    );
    follower.tick(Monotonic(600_000_000)).expect("not silent yet");
    server
        .handle_bytes(NOW, &std::mem::take(follower.output()))
        .expect("sound");
    assert_eq!(server.taken(), SequenceNumber(6));
}

#[test]
fn neither_end_speaks_to_one_without_the_key() {
    let (mut server, mut follower) = ends(7, 8);
    follower
        .handle_bytes(NOW, &std::mem::take(server.output()))
        .expect("a challenge");
    let refused = server
        .handle_bytes(NOW, &std::mem::take(follower.output()))
        .expect_err("another key");
    assert!(matches!(refused, Refused::Farewell(Reason::WrongKey, _)), "{refused}");
    let told = follower
        .handle_bytes(NOW, &std::mem::take(server.output()))
        .expect_err("it says so");
    assert!(!told.may_come_again(), "{told}");

    // A server that takes every proof cannot make its own.
    let (mut real, mut follower) = ends(7, 7);
    follower
        .handle_bytes(NOW, &std::mem::take(real.output()))
        .expect("a challenge");
    let (mut impostor, mut other) = ends(8, 8);
    other
        .handle_bytes(NOW, &std::mem::take(impostor.output()))
        .expect("a challenge");
    impostor
        .handle_bytes(NOW, &std::mem::take(other.output()))
        .expect("its own key");
    impostor.welcome(&begin(0, 0));
    let refused = follower.handle_bytes(NOW, impostor.output()).expect_err("no proof");
    assert_eq!(refused, Refused::WrongServer);
}

#[test]
fn a_proof_is_good_for_one_connection() {
    let (mut server, mut follower) = ends(7, 7);
    follower
        .handle_bytes(NOW, &std::mem::take(server.output()))
        .expect("a challenge");
    let recorded = std::mem::take(follower.output());
    let mut later = ServerSession::new(key(7), [9; 16], NOW);
    let refused = later.handle_bytes(NOW, &recorded).expect_err("another nonce");
    assert!(matches!(refused, Refused::Farewell(Reason::WrongKey, _)), "{refused}");
}

#[test]
fn every_changed_byte_is_found() {
    let sound = {
        let (mut server, _) = connected(&begin(0, 0));
        send(&mut server, &[record(1, 1), record(2, 1)])
    };
    for at in 0..sound.len() {
        for bit in 0..8 {
            let (_, mut follower) = connected(&begin(0, 0));
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << bit;
            let taken = follower.handle_bytes(NOW, &bytes);
            // A length that became larger waits for more; nothing is told before the tag has come.
            assert!(taken.is_err() || at < 4, "byte {at}, bit {bit}");
            assert_eq!(follower.poll(), None, "byte {at}, bit {bit}");
        }
    }
    let (_, mut follower) = connected(&begin(0, 0));
    follower.handle_bytes(NOW, &sound).expect("sound");
    assert!(follower.handle_bytes(NOW, &sound).is_err(), "the same frame again");
}

#[test]
fn what_does_not_follow_is_refused() {
    let cases: [(&[Sequenced<rialto_model::Command>], &str); 3] = [
        (&[record(2, 1)], "not the next one"),
        (&[record(0, 1)], "not the next one"),
        (&[record(1, 2), record(2, 1)], "epoch that has ended"),
    ];
    for (records, word) in cases {
        let (mut server, mut follower) = connected(&begin(0, 0));
        let bytes = send(&mut server, records);
        let refused = follower.handle_bytes(NOW, &bytes).expect_err(word);
        assert!(refused.to_string().contains(word), "{refused}");
    }
    let (mut server, mut follower) = connected(&begin(0, 0));
    server.snapshot_part(NOW, b"x");
    assert!(
        follower.handle_bytes(NOW, server.output()).is_err(),
        "a snapshot that was not announced"
    );
    let (mut server, _) = connected(&begin(0, 0));
    assert!(server.handle_bytes(NOW, &[255; 64]).is_err(), "an impossible length");
    assert!(ends(7, 7).0.handle_bytes(NOW, &[1, 0, 0, 0, 7]).is_err(), "no Hello");
}

#[test]
fn silence_ends_it_on_either_side() {
    let (mut server, mut follower) = connected(&begin(0, 0));
    // A look every half second; one behind a minute in which nobody looked is one more.
    let looks = (0..20).map(|at| Monotonic(60_000_000_000 + at * 500_000_000));
    for look in looks {
        assert_eq!(follower.tick(look), Ok(()));
        assert_eq!(server.tick(look, Epoch(1), SequenceNumber(9)), Ok(()));
    }
    let later = Monotonic(70_000_000_000);
    assert_eq!(follower.tick(later), Err(Refused::Silent));
    assert_eq!(server.tick(later, Epoch(1), SequenceNumber(9)), Err(Refused::Silent));
    let (mut server, mut follower) = connected(&begin(0, 0));
    server
        .tick(Monotonic(600_000_000), Epoch(1), SequenceNumber(12))
        .expect("not silent yet");
    follower.handle_bytes(NOW, server.output()).expect("sound");
    let up_to = SequenceNumber(12);
    assert_eq!(follower.poll(), Some(Heard::Frontier { epoch: Epoch(1), up_to }));
}
