//! Over real sockets: a stream that grows is followed without a gap, through lost connections and a stalled follower.

use rialto_follow::wire::Stand;
use rialto_follow::{Engines, Follower, Key, News, Seat, Server, Source};
use rialto_journal::disk::MemDisk;
use rialto_journal::{Config, Durability, Syncer, Writer, recover};
use rialto_model::command::Enter;
use rialto_model::flags::table_hash;
use rialto_model::{Command, Epoch, SequenceNumber, Sequenced, Text, Timestamp, UserRef, VenueId};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn body(seq: u64) -> Command {
    Enter {
        user_ref: UserRef(seq as u32),
        client_id: Text::new(b"ORDER000000014").expect("short"),
        ..Default::default()
    }
    .into()
}

/// Receives engines that are polite, and hears each testimony at the second offer.
#[derive(Default)]
struct Office;

struct Chair {
    offered: u32,
}

impl Engines for Office {
    fn receive(&self, _: SocketAddr, introduction: &[u8]) -> Result<(Box<dyn Seat>, Vec<u8>), String> {
        match introduction {
            b"good day" => Ok((Box::new(Chair { offered: 0 }), b"welcome".to_vec())),
            _ => Err("it does not say good day".to_owned()),
        }
    }
}

impl Seat for Chair {
    fn hear(&mut self, testimony: &[u8]) -> Result<bool, String> {
        self.offered += 1;
        match testimony {
            b"end" => Err(format!("it was offered {} times", self.offered)),
            _ => Ok(self.offered.is_multiple_of(2)),
        }
    }
}

/// A journal that is being written.
struct Journal {
    disk: MemDisk,
    writer: Writer<MemDisk>,
    syncer: Syncer<MemDisk>,
}

impl Journal {
    fn open(disk: &MemDisk) -> Self {
        let config = Config {
            durability: Durability::Disk,
            segment_bytes: 256 * 1024,
            block_bytes: 16 * 1024,
            reserve_segments: 2,
            bytes_max: None,
        };
        let (writer, syncer) = recover(disk, VenueId(5))
            .expect("sound")
            .into_writer(config)
            .expect("room");
        let disk = disk.clone();
        Self { disk, writer, syncer }
    }

    /// Writes `count` more; they are released only by `sync`.
    fn write(&mut self, count: u64) {
        for index in 0..count {
            let seq = self.writer.next_seq();
            let record = Sequenced {
                seq,
                stamp: Timestamp(seq.0),
                epoch: self.writer.epoch(),
                body: body(seq.0),
            };
            self.writer.append(&record).expect("room in the block");
            if self.writer.is_full() || index + 1 == count {
                while self.writer.commit().is_err() {
                    self.syncer.poll();
                }
            }
        }
    }

    fn sync(&mut self) {
        while self.syncer.poll() > 0 {}
    }

    fn serve(&self, snapshot: Option<(u64, Vec<u8>)>) -> Server {
        let source = Source {
            venue: VenueId(5),
            journal: self.disk.clone(),
            frontier: self.writer.frontier(),
            snapshot: Box::new(move |_| snapshot.clone().map(|(seq, bytes)| (SequenceNumber(seq), bytes))),
            table: table_hash(),
            refused: Box::new(|_| {}),
            stale: Vec::new(),
            admitted: Box::new(|_| {}),
            engines: Some(std::sync::Arc::new(Office)),
        };
        Server::open(SocketAddr::from(([127, 0, 0, 1], 0)), key(), source).expect("a free port")
    }
}

fn key() -> Key {
    Key::new([7; 32])
}

fn follower(server: &Server) -> Follower {
    Follower::new(server.address(), key(), Stand::default(), Epoch(0), false)
}

/// Takes news until a command of this number has come; every command must be the next one.
fn take_up_to(follower: &mut Follower, last: &mut u64, wanted: u64) {
    let begun = Instant::now();
    while *last < wanted {
        assert!(begun.elapsed() < PATIENCE, "{last} of {wanted} came");
        if let Some(News::Command(command)) = follower.next(Duration::from_millis(200)).expect("it goes on") {
            assert_eq!(command.seq.0, *last + 1);
            assert_eq!(command.body, body(command.seq.0));
            *last += 1;
        }
    }
}

#[test]
fn a_stream_is_followed_up_to_what_is_released_and_no_further() {
    let mut journal = Journal::open(&MemDisk::new());
    journal.write(5_000);
    journal.sync();
    let server = journal.serve(None);
    let mut one = follower(&server);
    let mut last = 0;
    take_up_to(&mut one, &mut last, 5_000);
    // Written, and not safe yet.
    journal.write(10);
    for _ in 0..50 {
        assert!(!matches!(
            one.next(Duration::from_millis(2)).expect("it goes on"),
            Some(News::Command(_))
        ));
    }
    journal.sync();
    take_up_to(&mut one, &mut last, 5_010);
    let status = server.statuses().read();
    assert_eq!((status.len(), status[0].sent), (1, SequenceNumber(5_010)));
    // Everything that is released is sent before the server ends, and it says that it does.
    journal.write(3_000);
    journal.sync();
    let ending = std::thread::spawn(move || drop(server));
    take_up_to(&mut one, &mut last, 8_010);
    let begun = Instant::now();
    let why = loop {
        assert!(begun.elapsed() < PATIENCE);
        if let Some(News::Lost(why)) = one.next(Duration::from_millis(200)).expect("it goes on") {
            break why;
        }
    };
    assert!(why.to_string().contains("good order"), "{why}");
    ending.join().expect("it ends");
}

#[test]
fn a_server_that_dies_and_comes_again_leaves_no_gap() {
    let disk = MemDisk::new();
    let mut journal = Journal::open(&disk);
    journal.write(1_000);
    journal.sync();
    let server = journal.serve(None);
    let address = server.address();
    let mut one = follower(&server);
    let mut last = 0;
    for round in 1..=5 {
        take_up_to(&mut one, &mut last, round * 500);
        journal.write(1_000);
        journal.sync();
    }
    drop(server);
    drop(journal);
    disk.crash();
    let mut journal = Journal::open(&disk);
    journal.write(500);
    journal.sync();
    let source = Source {
        venue: VenueId(5),
        journal: disk.clone(),
        frontier: journal.writer.frontier(),
        snapshot: Box::new(|_| None),
        table: table_hash(),
        refused: Box::new(|_| {}),
        stale: Vec::new(),
        admitted: Box::new(|_| {}),
        engines: None,
    };
    let server = Server::open(address, key(), source).expect("the port is free again");
    take_up_to(&mut one, &mut last, 6_500);
    drop(server);
}

#[test]
fn a_follower_that_takes_nothing_holds_nobody_up() {
    let mut journal = Journal::open(&MemDisk::new());
    journal.write(100_000);
    journal.sync();
    let server = journal.serve(None);
    let mut stalled = follower(&server);
    let mut taken = 0;
    take_up_to(&mut stalled, &mut taken, 1);
    // It reads no more. Another one gets everything, and the writer writes on.
    let (mut other, mut last) = (follower(&server), 0);
    take_up_to(&mut other, &mut last, 100_000);
    journal.write(50_000);
    journal.sync();
    take_up_to(&mut other, &mut last, 150_000);
    // When it reads again, it misses nothing.
    take_up_to(&mut stalled, &mut taken, 150_000);
}

#[test]
fn who_has_another_stream_or_more_of_it_is_refused() {
    let mut journal = Journal::open(&MemDisk::new());
    journal.write(10);
    journal.sync();
    let server = journal.serve(None);
    let refusal = |key: Key, after: Stand| {
        let mut follower = Follower::new(server.address(), key, after, Epoch(1), false);
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE);
            if let Err(error) = follower.next(Duration::from_millis(200)) {
                return error.to_string();
            }
        }
    };
    let stand = |seq: u64, stamp: u64| {
        Stand::behind(&Sequenced {
            seq: SequenceNumber(seq),
            stamp: Timestamp(stamp),
            epoch: Epoch(1),
            body: body(seq),
        })
    };
    assert!(refusal(Key::new([8; 32]), Stand::default()).contains("WrongKey"));
    assert!(refusal(key(), stand(11, 11)).contains("Ahead"));
    assert!(refusal(key(), stand(9, 8)).contains("OtherStream"));
    let mut good = Follower::new(server.address(), key(), stand(9, 9), Epoch(1), false);
    take_up_to(&mut good, &mut 9, 10);
}

#[test]
fn one_may_begin_with_a_snapshot() {
    let mut journal = Journal::open(&MemDisk::new());
    journal.write(1_000);
    journal.sync();
    let file: Vec<u8> = (0..200_000u32).map(|at| at as u8).collect();
    let server = journal.serve(Some((700, file.clone())));
    let mut one = Follower::new(server.address(), key(), Stand::default(), Epoch(0), true);
    let begun = Instant::now();
    let mut last = loop {
        assert!(begun.elapsed() < PATIENCE);
        match one.next(Duration::from_millis(200)).expect("it goes on") {
            Some(News::Snapshot { seq, bytes }) => {
                assert_eq!(bytes, file);
                break seq.0;
            }
            Some(News::Command(command)) => panic!("{} came before the snapshot", command.seq),
            _ => {}
        }
    };
    assert_eq!(last, 700);
    take_up_to(&mut one, &mut last, 1_000);
}

#[test]
fn no_more_than_so_many_may_follow() {
    let mut journal = Journal::open(&MemDisk::new());
    journal.write(10);
    journal.sync();
    let server = journal.serve(None);
    let mut all: Vec<Follower> = (0..rialto_follow::limits::FOLLOWERS_MAX)
        .map(|_| follower(&server))
        .collect();
    for one in &mut all {
        take_up_to(one, &mut 0, 10);
    }
    let mut late = follower(&server);
    let begun = Instant::now();
    let why = loop {
        assert!(begun.elapsed() < PATIENCE);
        if let Some(News::Lost(why)) = late.next(Duration::from_millis(200)).expect("it may come again") {
            break why;
        }
    };
    assert!(why.to_string().contains("FOLLOWERS_MAX"), "{why}");
    drop(all);
    take_up_to(&mut late, &mut 0, 10);
}

#[test]
fn an_engine_introduces_itself_is_briefed_and_heard() {
    let mut journal = Journal::open(&MemDisk::new());
    journal.write(10);
    journal.sync();
    let server = journal.serve(None);
    let talk = |introduction: &[u8], testimonies: &[&[u8]]| {
        let mut engine = follower(&server);
        let (begun, mut briefed) = (Instant::now(), None);
        loop {
            assert!(begun.elapsed() < PATIENCE);
            match engine.next(Duration::from_millis(200)) {
                Ok(Some(News::Connected(_))) => engine.introduce(introduction),
                Ok(Some(News::Briefed(brief))) => {
                    briefed = Some(brief);
                    for testimony in testimonies {
                        engine.testify(testimony);
                    }
                }
                Ok(_) => {}
                Err(why) => return (briefed, why.to_string()),
            }
        }
    };
    let (briefed, why) = talk(b"good day", &[b"one", b"two", b"end"]);
    assert_eq!(briefed.as_deref(), Some(&b"welcome"[..]));
    assert!(why.contains("it was offered 5 times (Declined)"), "{why}");
    let (briefed, why) = talk(b"hey", &[]);
    assert!(briefed.is_none() && why.contains("it does not say good day"), "{why}");
}
