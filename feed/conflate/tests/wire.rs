//! The bytes: golden ones, there and back, and what is refused.

mod common;

use common::{Dice, encode};
use rialto_conflate::wire::{
    Cause, Levels, Message, Missed, Passed, Range, Snapshot, Trade, TradeKind, Update, WireError,
};
use rialto_itch::mold::Session;
use rialto_itch::{Side, Stock, StockLocate};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn update(levels: &[(Side, u32, u64)], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    let update = Update {
        locate: StockLocate(dice.next() as u16),
        range: range(dice),
        conflated: dice.chance(50),
        more: dice.chance(50),
        checksum: dice.next(),
        levels: Levels::NONE,
    };
    update.append_with(levels, &mut bytes);
    bytes
}

fn range(dice: &mut Dice) -> Range {
    Range {
        first: dice.next(),
        last: dice.next(),
    }
}

#[test]
fn golden_bytes() {
    let range = Range { first: 7, last: 9 };
    let locate = StockLocate(3);
    let mut bytes = Vec::new();
    Update {
        locate,
        range,
        conflated: true,
        more: false,
        checksum: 0x0ADA_E0AF_318A_2381,
        levels: Levels::NONE,
    }
    .append_with(&[(Side::Buy, 1_850_000, 300), (Side::Sell, 1_850_100, 0)], &mut bytes);
    let level = "42001c3a90000000000000012c53001c3af40000000000000000";
    let expected = format!("55010003{:016x}{:016x}0adae0af318a23810002{level}", 7, 9);
    assert_eq!(hex(&bytes), expected);

    let trade = encode(&Message::Trade(Trade {
        kind: TradeKind::Executed,
        locate,
        range,
        number: 8,
        time_ns: 0x1234,
        match_number: 5,
        price: 1_850_000,
        shares: 100,
        side: Some(Side::Sell),
        printable: true,
    }));
    let numbers = format!("{:016x}{:016x}{:016x}{:016x}{:016x}", 7, 9, 8, 0x1234, 5);
    assert_eq!(
        hex(&trade),
        format!("54450003{numbers}001c3a90{:016x}53060000000000000000", 100)
    );

    let snapshot = encode(&Message::Snapshot(Snapshot {
        cause: Cause::Resync,
        locate,
        stock: Stock::new("ACME").unwrap(),
        range,
        missed: Missed {
            first: 7,
            last: 8,
            trades: 2,
            volume: 300,
            others: 1,
        },
        levels: 2,
    }));
    let missed = format!("{:016x}{:016x}{:016x}{:016x}{:016x}", 7, 8, 2, 300, 1);
    let head = format!("4e52000341434d4520202020{:016x}{:016x}", 7, 9);
    assert_eq!(hex(&snapshot), format!("{head}{missed}000000020000000000000000"));

    let passed = encode(&Message::Passed(Passed {
        locate,
        range,
        itch: b"S",
    }));
    assert_eq!(hex(&passed), format!("50000003{:016x}{:016x}53", 7, 9));
    let session = encode(&Message::Session(Session::new("0120120621").unwrap()));
    assert_eq!(hex(&session), "5330313230313230363231");
    assert_eq!(hex(&encode(&Message::Position(258))), "480000000000000102");
}

#[test]
fn there_and_back() {
    let mut dice = Dice(1);
    for _ in 0..100_000 {
        let locate = StockLocate(dice.next() as u16);
        let side = if dice.chance(50) { Side::Buy } else { Side::Sell };
        let bytes = match dice.below(4) {
            0 => {
                let levels: Vec<_> = (0..dice.below(4))
                    .map(|_| (side, dice.next() as u32, dice.next()))
                    .collect();
                update(&levels, &mut dice)
            }
            1 => encode(&Message::Trade(Trade {
                kind: [
                    TradeKind::Executed,
                    TradeKind::ExecutedWithPrice,
                    TradeKind::NonDisplayed,
                    TradeKind::Cross,
                ][dice.below(4) as usize],
                locate,
                range: range(&mut dice),
                number: dice.next(),
                time_ns: dice.next(),
                match_number: dice.next(),
                price: dice.next() as u32,
                shares: dice.next(),
                side: dice.chance(70).then_some(side),
                printable: dice.chance(50),
            })),
            2 => encode(&Message::Snapshot(Snapshot {
                cause: [Cause::Join, Cause::Resync, Cause::Abandoned][dice.below(3) as usize],
                locate,
                stock: Stock(dice.next().to_be_bytes()),
                range: range(&mut dice),
                missed: Missed {
                    first: dice.next(),
                    last: dice.next(),
                    trades: dice.next(),
                    volume: dice.next(),
                    others: dice.next(),
                },
                levels: dice.next() as u32,
            })),
            _ => encode(&Message::Passed(Passed {
                locate,
                range: range(&mut dice),
                itch: &dice.next().to_be_bytes(),
            })),
        };
        let message = Message::decode(&bytes).expect("one of ours");
        assert_eq!(encode(&message), bytes);
        // Any byte cut off or put on is seen; so is any other that comes: no panic, and never another message's bytes.
        if bytes[0] != b'P' {
            assert!(Message::decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(Message::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
        let mut noise = bytes.clone();
        let place = dice.below(noise.len() as u64) as usize;
        noise[place] = dice.next() as u8;
        if let Ok(message) = Message::decode(&noise) {
            assert_eq!(encode(&message).len(), noise.len());
        }
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let trade = encode(&Message::Trade(Trade::default()));
    let with = |place: usize, byte: u8| {
        let mut bytes = trade.clone();
        bytes[place] = byte;
        bytes
    };
    let mut side = Vec::new();
    Update {
        locate: StockLocate(1),
        range: Range::default(),
        conflated: false,
        more: false,
        checksum: 0,
        levels: Levels::NONE,
    }
    .append_with(&[(Side::Buy, 1, 1)], &mut side);
    side[30] = b'X';
    for (bytes, error) in [
        (Vec::new(), WireError::Empty),
        (vec![b'?'], WireError::Kind { kind: b'?' }),
        (vec![b'S'; 12], WireError::Length { kind: b'S', length: 12 }),
        (vec![b'H'; 8], WireError::Length { kind: b'H', length: 8 }),
        (vec![b'P'; 20], WireError::Length { kind: b'P', length: 20 }),
        (with(1, b'X'), WireError::Code { kind: b'T', byte: b'X' }),
        (with(56, b'X'), WireError::Code { kind: b'T', byte: b'X' }),
        (side, WireError::Code { kind: b'U', byte: b'X' }),
    ] {
        assert_eq!(Message::decode(&bytes), Err(error));
    }
}
