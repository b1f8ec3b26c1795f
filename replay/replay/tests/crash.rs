//! The production stages on one thread, over a disk that loses what was not synced: the power fails at every single
//! operation of the disk through two trading days, and nothing that was released is lost, doubled or changed.

mod venue;

use rialto_journal::{Durability, MemDisk};
use rialto_model::command::{Cancel, EndOfDay, Enter, StartOfDay};
use rialto_model::*;
use venue::{Released, Venue, opening};

fn enter(user_ref: u32, side: Side, tif: TimeInForce, price: i64, quantity: u64) -> Command {
    Command::Enter(Enter {
        session: SessionId(1),
        incarnation: Incarnation(1),
        user_ref: UserRef(user_ref),
        instrument: InstrumentId(1),
        side,
        kind: OrderKind::Limit,
        tif,
        price: Price(price),
        quantity: Quantity(quantity),
        ..Default::default()
    })
}

/// Two trading days: a GTC order that is carried and trades on the second, a DAY order that expires, and the roll between.
fn two_days() -> Vec<Command> {
    let mut commands = opening();
    commands.extend([
        enter(1, Side::Sell, TimeInForce::GoodTillCancel, 101, 50), // number 8 is its name for ever
        enter(2, Side::Sell, TimeInForce::Day, 102, 70),
        enter(3, Side::Buy, TimeInForce::Day, 101, 20),
        EndOfDay {}.into(),
        StartOfDay {
            day: TradingDay(20_001),
            midnight: TradingDay(20_001).midnight_utc(),
        }
        .into(),
        enter(1, Side::Buy, TimeInForce::Day, 103, 10),
        Cancel {
            session: SessionId(1),
            incarnation: Incarnation(1),
            target: Target::OrderId(OrderId(8)),
            ..Default::default()
        }
        .into(),
        enter(2, Side::Buy, TimeInForce::Day, 103, 5),
    ]);
    commands
}

fn run(durability: Durability) -> (u64, Released) {
    let disk = MemDisk::new();
    let mut venue = Venue::open(&disk, durability).unwrap();
    venue.play(&two_days()).unwrap();
    (disk.operations(), venue.close().unwrap())
}

#[test]
fn the_days_come_out_as_a_person_would_say() {
    let (_, whole) = run(Durability::Memory);
    let said: Vec<(u64, &str)> = whole
        .outputs
        .iter()
        .map(|o| (o.event.seq.0, o.event.body.name()))
        .collect();
    assert_eq!(
        &said[8..],
        [
            (8, "Accepted"),
            (9, "Accepted"),
            (10, "Accepted"),
            (10, "Executed"),
            (11, "Cancelled"), // the DAY order
            (11, "DayEnded"),
            (12, "DayStarted"),
            (12, "InstrumentListed"),
            (12, "Restated"), // the GTC order, 30 left
            (13, "Accepted"),
            (13, "Executed"),
            (14, "Cancelled"),
            (15, "Accepted"),
        ]
    );
    let Event::Restated(restated) = whole.outputs[16].event.body else {
        panic!("{:?}", whole.outputs[16])
    };
    assert_eq!((restated.order_id, restated.leaves), (OrderId(8), Quantity(30)));
}

#[test]
fn power_failures_at_every_operation_lose_nothing_that_was_released() {
    for durability in [Durability::Disk, Durability::Memory] {
        let (operations, whole) = run(durability);
        let mut crashes = 0;
        for stop_at in 0..operations {
            for keep in [None, Some(stop_at)] {
                let disk = MemDisk::new();
                disk.stop_at(stop_at);
                let mut told = Vec::new();
                if let Ok(mut venue) = Venue::open(&disk, durability) {
                    let _ = venue.play(&two_days());
                    told = venue.released();
                }
                match keep {
                    None => disk.crash(),
                    Some(seed) => disk.crash_keeping(seed),
                }
                // `memory` promises to survive the end of a process, not of the power: there the promise is only that
                // what is found is a beginning of the stream.
                let found = resume(&disk, durability, &whole, stop_at);
                if durability == Durability::Disk {
                    assert!(
                        found.starts_with(&told),
                        "operation {stop_at}: released before the crash, gone after it"
                    );
                }
                crashes += 1;
            }
        }
        println!("{durability:?}: {crashes} crashes over {operations} operations");
    }
}

#[test]
fn killed_processes_lose_nothing_in_either_mode() {
    // What the process had written stays: the disk stops, is synced as the kernel would, and is opened again.
    let (operations, whole) = run(Durability::Memory);
    for stop_at in 0..operations {
        let disk = MemDisk::new();
        disk.stop_at(stop_at);
        let mut told = Vec::new();
        if let Ok(mut venue) = Venue::open(&disk, Durability::Memory) {
            let _ = venue.play(&two_days());
            told = venue.released();
        }
        let found = resume(&disk.copy(), Durability::Memory, &whole, stop_at);
        assert!(
            found.starts_with(&told),
            "operation {stop_at}: released before the kill, gone after it"
        );
    }
}

/// Opens what a crash left, checks that it is a beginning of the whole stream, plays the rest, and checks that all came
/// out as if nothing had happened. Returns what was found.
fn resume(disk: &MemDisk, durability: Durability, whole: &Released, stop_at: u64) -> Vec<Output> {
    let commands = two_days();
    let mut venue = Venue::open(disk, durability).unwrap_or_else(|error| panic!("operation {stop_at}: {error}"));
    let found = venue.released();
    assert!(
        whole.outputs.starts_with(&found),
        "operation {stop_at}: what is found is no beginning of the stream"
    );
    venue.play(&commands[venue.last_seq().0 as usize..]).unwrap();
    let after = venue.close().unwrap();
    assert_eq!(after.state_hash, whole.state_hash, "operation {stop_at}");
    assert_eq!(after.event_hash, whole.event_hash, "operation {stop_at}");
    found
}
