//! Messages of the feed made again from the journal are those that were told, byte by byte, wherever one begins.

mod common;

use common::{cancel, day, enter, opening, write};
use rialto_itch::mold::{SequenceNumber as MoldNumber, Session};
use rialto_journal::disk::MemDisk;
use rialto_model::command::{EndOfDay, SessionLost, SetBands, SetPhase, SetRulebook};
use rialto_model::{
    Bands, Command, Incarnation, InstrumentId, Offers, Phase, Price, Quantity, Rulebook, SequenceNumber, SessionId,
    Side,
};
use rialto_past::{FeedHistory, Past, Snapshots, Stream};
use rialto_publisher::{Config, Publisher};
use std::collections::BTreeMap;

/// Orders of a day, some of which trade or are cancelled.
fn orders(from: u32, count: u32) -> Vec<Command> {
    let mut commands = Vec::new();
    for number in from..from + count {
        let mixed = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let (side, off) = if mixed & 1 == 0 {
            (Side::Buy, -200)
        } else {
            (Side::Sell, 200)
        };
        let price = 1_000_000 + off + 100 * (mixed % 7) as i64 - 300;
        commands.push(enter(1 + number % 2, number, side, price, 1 + mixed % 90));
        if number > 3 && mixed % 3 == 0 {
            commands.push(cancel(1 + (number - 3) % 2, number - 3));
        }
    }
    commands
}

fn lost(session: u32) -> Command {
    SessionLost {
        session: SessionId(session),
        incarnation: Incarnation(1),
        ..SessionLost::default()
    }
    .into()
}

/// A collar, which stands over the days.
fn rules() -> [Command; 2] {
    let instrument = InstrumentId(1);
    let rulebook = Rulebook {
        offers: Offers::PLAIN,
        lot: Quantity(1),
        quantity_max: Quantity(1_000),
        ..Rulebook::default()
    };
    let bands = Bands {
        reference: Price(1_000_000),
        collar: 1_000,
        ..Bands::default()
    };
    [
        SetRulebook {
            instrument,
            version: 1,
            rulebook,
        }
        .into(),
        SetBands {
            instrument,
            version: 2,
            bands,
        }
        .into(),
    ]
}

fn phase(phase: Phase) -> Command {
    SetPhase {
        instrument: InstrumentId(1),
        phase,
    }
    .into()
}

struct Told {
    journal: MemDisk,
    snapshots: Snapshots<MemDisk>,
    last: SequenceNumber,
    /// The blocks of every message by session.
    sessions: BTreeMap<Session, Vec<Vec<u8>>>,
}

/// Two days and what the feed told of each.
fn told(snapshots_every: u64) -> Told {
    let mut commands = opening();
    commands.extend(rules());
    commands.extend(orders(1, 300));
    commands.extend([
        EndOfDay {}.into(),
        day(20_001),
        lost(1),
        lost(2),
        common::up(1, 2),
        common::up(2, 2),
    ]);
    commands.extend(orders(1_000, 2_000).into_iter().map(|command| match command {
        Command::Enter(mut enter) => {
            enter.incarnation = Incarnation(2);
            enter.into()
        }
        Command::Cancel(mut cancel) => {
            cancel.incarnation = Incarnation(2);
            cancel.into()
        }
        other => other,
    }));
    // The collar of the day before is told; the uncross makes another.
    let pauses = [Phase::VolatilityAuction, Phase::Continuous];
    commands.extend(pauses.into_iter().chain(pauses).map(phase));
    let journal = MemDisk::new();
    write(&journal, &commands, 7);
    let snapshots = Snapshots::new(MemDisk::new());
    let mut publisher = Publisher::new(Config::default()).expect("bounds");
    let mut sessions: BTreeMap<Session, Vec<Vec<u8>>> = BTreeMap::new();
    let mut past = Past::new();
    for record in rialto_journal::Reader::open(&journal).expect("a journal") {
        for output in past.apply(&record.expect("sound")) {
            publisher.follow(output);
            let Some(session) = publisher.session() else { continue };
            let blocks = sessions.entry(session).or_default();
            while (blocks.len() as u64) + 1 < publisher.next_sequence().0 {
                let mut block = Vec::new();
                assert_eq!(publisher.blocks(MoldNumber(blocks.len() as u64 + 1), 1, &mut block), 1);
                blocks.push(block);
            }
        }
        if past.seq().0.is_multiple_of(snapshots_every) {
            snapshots.take(&past.snapshot().expect("a command")).expect("room");
        }
    }
    Told {
        journal,
        snapshots,
        last: past.seq(),
        sessions,
    }
}

fn history(told: &Told, with_snapshots: bool) -> FeedHistory<MemDisk> {
    let snapshots = with_snapshots.then(|| told.snapshots.clone());
    let last = told.last;
    FeedHistory::new(Stream::at_rest(told.journal.clone(), snapshots), move || last).with_places_every(100)
}

#[test]
fn every_stretch_is_what_was_told() {
    let told = told(250);
    assert_eq!(told.sessions.len(), 2);
    assert!(told.sessions.values().all(|messages| messages.len() > 300));
    let collars = |messages: &Vec<Vec<u8>>| messages.iter().filter(|block| block[2] == b'J').count();
    let collars: Vec<usize> = told.sessions.values().map(collars).collect();
    assert_eq!(collars, [0, 2]);
    for with_snapshots in [true, false] {
        let mut history = history(&told, with_snapshots);
        let mut state = 20_260_101_u64;
        for round in 0..200 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // The day before is asked for now and then; it costs a new beginning.
            let place = usize::from(round % 40 != 7);
            let (session, messages) = told.sessions.iter().nth(place).expect("two days");
            let mut first = 1 + (state >> 33) % messages.len() as u64;
            let count = 1 + (state >> 20) as u16 % 300;
            if round % 40 == 8 {
                // Where the collars are.
                first = first.max(messages.len() as u64 - 9);
            }
            let end = messages.len().min(first as usize - 1 + usize::from(count));
            let expected = messages[first as usize - 1..end].concat();
            let mut blocks = Vec::new();
            let found = history
                .find(*session, first, count, &mut blocks, || false)
                .expect("sound");
            assert_eq!(usize::from(found), end + 1 - first as usize, "{count} from {first}");
            assert_eq!(blocks, expected, "{count} from {first} of {session}");
        }
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let told = told(250);
    let mut history = history(&told, true);
    let (session, messages) = told.sessions.iter().next_back().expect("two days");
    let end = messages.len() as u64 + 1;
    let other = Session::new("0119990101").expect("a name");
    let never = Session::new("0120990101").expect("a name");
    for (session, first, count) in [
        (*session, 0, 5),
        (*session, 5, 0),
        (*session, end, 1),
        (other, 1, 1),
        (never, 1, 1),
    ] {
        let mut blocks = Vec::new();
        let found = history
            .find(session, first, count, &mut blocks, || false)
            .expect("sound");
        assert_eq!((found, blocks.len()), (0, 0), "{count} from {first} of {session}");
    }
    let mut blocks = Vec::new();
    assert_eq!(
        history.find(*session, 1, 2_000, &mut blocks, || true).expect("sound"),
        0
    );
    assert_eq!(
        history
            .find(*session, end - 1, 9, &mut blocks, || false)
            .expect("sound"),
        1
    );
}
