//! One input, one stream: batches of 1, 7 and 4,096 commands, rings and segments of any size give the same records, the
//! same messages and the same hashes, live and replayed under every layout.

mod venue;

use rialto_flow::{Flow, Shape};
use rialto_journal::{Durability, MemDisk, Reader};
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::{Command, Epoch, Sequenced, Timestamp};
use rialto_replay::replay;
use rialto_ring::Layout;
use venue::{Sizes, Venue};

const SEED: u64 = 7;
/// Commands that come at one moment.
const MOMENT: usize = 4_096;

/// A run's stream, its messages and its hashes.
type Run = (Vec<Sequenced<Command>>, Vec<String>, [String; 2]);

fn run(flow: &[Command], sizes: &Sizes) -> Run {
    let disk = MemDisk::new();
    let mut venue = Venue::sized(&disk, Durability::Disk, sizes).expect("an empty disk");
    for (moment, commands) in (1..).zip(flow.chunks(MOMENT)) {
        venue.at(Timestamp(moment * 1_000_000_000));
        for command in commands {
            while !venue.offer(*command) {
                venue.poll();
            }
        }
        while venue.poll() > 0 {}
        assert_eq!(venue.failure(), None);
    }
    let released = venue.close().expect("room");
    let records: Result<Vec<_>, _> = Reader::open(&disk).expect("a journal").collect();
    let records = records.expect("sound");
    let live = [released.state_hash.to_string(), released.event_hash.to_string()];
    for layout in [Layout::One, Layout::Two, Layout::PerCore] {
        let source = Reader::open(&disk).expect("a journal");
        let replayed = replay(Engine::new(Limits::default()), source, layout).expect("sound");
        let engine = Engine::import(&replayed.state).expect("its own state");
        let again = [engine.state_hash().to_string(), replayed.hashes.total().to_string()];
        assert_eq!(again, live, "{layout:?}");
    }
    let messages = released.outputs.iter().map(|output| format!("{output:?}")).collect();
    let records = records.into_iter().map(|record| Sequenced {
        epoch: Epoch(0),
        ..record
    });
    (records.collect(), messages, live)
}

#[test]
fn batches_rings_and_segments_change_nothing() {
    let flow = Flow::new(Shape::Base, 6_000, SEED);
    let commands: Vec<Command> = flow.prelude.iter().chain(&flow.commands).map(|one| one.body).collect();
    let sizes = |batch, commands, events, segment_bytes, block_bytes| Sizes {
        batch,
        commands,
        events,
        segment_bytes,
        block_bytes,
    };
    let expected = run(&commands, &sizes(1, 16, 1_024, 1 << 16, 2_048));
    assert_eq!(expected.0.len(), commands.len());
    for other in [
        sizes(7, 64, 4_096, 1 << 18, 8_192),
        sizes(4_096, 4_096, 65_536, 1 << 21, 512 * 1_024),
    ] {
        let found = run(&commands, &other);
        assert_eq!(found.2, expected.2, "seed {SEED}, batch {}", other.batch);
        assert!(
            found.0 == expected.0,
            "seed {SEED}, batch {}: other records",
            other.batch
        );
        assert!(
            found.1 == expected.1,
            "seed {SEED}, batch {}: other messages",
            other.batch
        );
    }
    println!("seed {SEED}: state and events {:?}", expected.2);
}
