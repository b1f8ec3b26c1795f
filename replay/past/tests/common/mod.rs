//! What these tests share: journals in memory, and a small market with a known course.
#![allow(dead_code, reason = "each test file uses its part")]

use rialto_journal::disk::MemDisk;
use rialto_journal::{CommitError, Config, Durability, recover};
use rialto_model::command::*;
use rialto_model::*;

/// Small segments, so that a short journal has several.
pub(crate) const CONFIG: Config = Config {
    durability: Durability::Disk,
    segment_bytes: 64 * 1024,
    block_bytes: 16 * 1024,
    reserve_segments: 2,
    bytes_max: None,
};

/// A journal of these commands, a second apart from a fixed hour on, `batch` in a block; goes on where it ends.
pub(crate) fn write(disk: &MemDisk, commands: &[Command], batch: usize) {
    let recovered = recover(disk, VenueId(1)).expect("sound");
    let last = recovered.recovery().last_stamp.0.max(1_700_000_000_000_000_000);
    let (mut writer, mut syncer) = recovered.into_writer(CONFIG).expect("room");
    let mut waiting = 0;
    for (index, body) in commands.iter().enumerate() {
        let command = Sequenced {
            seq: writer.next_seq(),
            stamp: Timestamp(last + (index as u64 + 1) * 1_000_000_000),
            epoch: writer.epoch(),
            body: *body,
        };
        writer.append(&command).expect("room in the block");
        waiting += 1;
        if waiting == batch || writer.is_full() || index + 1 == commands.len() {
            waiting = 0;
            syncer.poll();
            while let Err(error) = writer.commit() {
                assert!(matches!(error, CommitError::NoSegment { .. }), "{error}");
                syncer.poll();
            }
        }
    }
    writer.close(syncer).expect("room");
}

pub(crate) fn day(number: u32) -> Command {
    StartOfDay {
        day: TradingDay(number),
        midnight: TradingDay(number).midnight_utc(),
    }
    .into()
}

fn session(id: u32, firm: u32, name: &str) -> Command {
    DefineSession {
        session: SessionId(id),
        firm: FirmId(firm),
        account: AccountId(firm),
        door: Door::Ouch,
        name: Text::new(name.as_bytes()).expect("short"),
    }
    .into()
}

pub(crate) fn up(id: u32, incarnation: u32) -> Command {
    SessionUp {
        session: SessionId(id),
        incarnation: Incarnation(incarnation),
        ..Default::default()
    }
    .into()
}

/// Two firms with a session each, one instrument, an open day: commands 1 to 10.
pub(crate) fn opening() -> Vec<Command> {
    let firm = |id: u32, mpid: &str, name: &str| {
        DefineFirm {
            firm: FirmId(id),
            mpid: Mpid::new(mpid).expect("four letters"),
            name: Text::new(name.as_bytes()).expect("short"),
        }
        .into()
    };
    let account = |id| {
        DefineAccount {
            account: AccountId(id),
            firm: FirmId(id),
        }
        .into()
    };
    vec![
        Release {
            venue: VenueId(1),
            release: rialto_matching::CURRENT_RELEASE,
        }
        .into(),
        DefineInstrument {
            instrument: InstrumentId(1),
            symbol: Symbol::new("ACME").expect("short"),
            scale: PriceScale::DEFAULT,
            tick: Price(100),
            price_max: Price(100_000_000),
            lot: Quantity(1),
            quantity_max: Quantity(1_000_000),
        }
        .into(),
        firm(1, "ALFA", "Alpha"),
        account(1),
        session(1, 1, "alpha1"),
        firm(2, "BETA", "Beta"),
        account(2),
        session(2, 2, "beta1"),
        day(20_000),
        up(1, 1),
        up(2, 1),
    ]
}

pub(crate) fn enter(session: u32, user_ref: u32, side: Side, price: i64, quantity: u64) -> Command {
    Enter {
        session: SessionId(session),
        incarnation: Incarnation(1),
        user_ref: UserRef(user_ref),
        instrument: InstrumentId(1),
        side,
        tif: TimeInForce::Day,
        price: Price(price),
        quantity: Quantity(quantity),
        ..Default::default()
    }
    .into()
}

pub(crate) fn cancel(session: u32, user_ref: u32) -> Command {
    Cancel {
        session: SessionId(session),
        incarnation: Incarnation(1),
        target: Target::UserRef(UserRef(user_ref)),
        ..Default::default()
    }
    .into()
}

/// Orders 12 to 14 of alpha1 rest at one price; 15 takes the first whole; 16 cancels the second; 17 takes half of the
/// third; 18 is refused; 19 ends the day.
pub(crate) fn market() -> Vec<Command> {
    let mut commands = opening();
    commands.extend([
        enter(1, 1, Side::Sell, 1_000_000, 100),
        enter(1, 2, Side::Sell, 1_000_000, 200),
        enter(1, 3, Side::Sell, 1_000_000, 300),
        enter(2, 1, Side::Buy, 1_000_100, 100),
        cancel(1, 2),
        enter(2, 2, Side::Buy, 1_000_000, 150),
        enter(2, 3, Side::Buy, 1_000_050, 10),
        EndOfDay {}.into(),
    ]);
    commands
}

/// A flow of a few thousand valid commands over one book.
pub(crate) fn flow(count: usize) -> Vec<Command> {
    let flow = rialto_flow::Flow::new(rialto_flow::Shape::Base, 0, 7);
    flow.prelude.iter().take(count).map(|command| command.body).collect()
}
