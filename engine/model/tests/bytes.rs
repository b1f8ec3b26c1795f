//! Golden bytes, the append rule, hostile bytes, golden hashes.

use proptest::prelude::*;
use rialto_model::codec::{DecodeError, Encoder};
use rialto_model::command::{DefineFirm, Enter, Tick};
use rialto_model::event::{Executed, Ticked};
use rialto_model::limits::{MESSAGE_BYTES_MAX, TEXT_MAX};
use rialto_model::*;

fn encode(command: &Command) -> Vec<u8> {
    let mut room = [0; MESSAGE_BYTES_MAX];
    let mut out = Encoder::new(&mut room);
    command.encode(&mut out);
    let len = out.len();
    room[..len].to_vec()
}

fn enter() -> Command {
    Command::Enter(Enter {
        session: SessionId(7),
        incarnation: Incarnation(2),
        inbound: MsgSeqNum(0x0102_0304),
        user_ref: UserRef(42),
        account: AccountId(9),
        instrument: InstrumentId(3),
        side: Side::Sell,
        kind: OrderKind::Limit,
        tif: TimeInForce::GoodTillCancel,
        short: ShortSale::Exempt,
        capacity: Capacity::Principal,
        policy: Policy::DEAD_ORDER_SILENT.with(Policy::ATTRIBUTED),
        price: Price(1_234_500),
        quantity: Quantity(500),
        client_id: Text::new(b"ORDER-1").unwrap(),
    })
}

#[test]
fn an_order_has_these_bytes() {
    let golden: &[u8] = &[
        7, 0, 0, 0, 2, 0, 0, 0, 4, 3, 2, 1, 42, 0, 0, 0, 9, 0, 0, 0, 3, 0, 2, 1, 2, 2, 2, 0b10_0100, 0, 0x44, 0xD6,
        0x12, 0, 0, 0, 0, 0, 0xF4, 1, 0, 0, 0, 0, 0, 0, 7, b'O', b'R', b'D', b'E', b'R', b'-', b'1',
    ];
    assert_eq!(encode(&enter()), golden);
    assert_eq!(Command::decode(Enter::SCHEMA, Enter::BLOCK, golden), Ok(enter()));
}

#[test]
fn a_reader_skips_what_a_newer_writer_appended_and_defaults_what_an_older_one_lacked() {
    let mut newer = encode(&enter());
    newer.splice(Enter::BLOCK..Enter::BLOCK, [0xEE; 5]);
    assert_eq!(Command::decode(Enter::SCHEMA, Enter::BLOCK + 5, &newer), Ok(enter()));

    let mut older = encode(&enter());
    older.drain(Enter::BLOCK - 8..Enter::BLOCK);
    let Command::Enter(expected) = enter() else {
        unreachable!()
    };
    assert_eq!(
        Command::decode(Enter::SCHEMA, Enter::BLOCK - 8, &older),
        Ok(Command::Enter(Enter {
            quantity: Quantity::ZERO,
            ..expected
        }))
    );
}

#[test]
fn broken_bytes_are_named() {
    let good = encode(&enter());
    let cases: &[(&str, u16, usize, Vec<u8>, DecodeError)] = &[
        (
            "unknown schema",
            999,
            0,
            vec![],
            DecodeError::UnknownSchema { schema: 999 },
        ),
        (
            "cut block",
            20,
            Enter::BLOCK,
            good[..10].to_vec(),
            DecodeError::Short { wanted: 45, left: 10 },
        ),
        (
            "block ends in a field",
            20,
            6,
            good[..6].to_vec(),
            DecodeError::Short { wanted: 4, left: 2 },
        ),
        (
            "cut text",
            20,
            45,
            good[..50].to_vec(),
            DecodeError::Short { wanted: 7, left: 4 },
        ),
        (
            "bytes behind",
            20,
            45,
            [&good[..], &[0]].concat(),
            DecodeError::Trailing { extra: 1 },
        ),
        (
            "no such side",
            20,
            45,
            [&good[..22], &[9], &good[23..]].concat(),
            DecodeError::UnknownValue { kind: "Side", value: 9 },
        ),
        (
            "long text",
            20,
            45,
            [&good[..45], &[40], &[0; 40][..]].concat(),
            DecodeError::TextTooLong { len: 40 },
        ),
    ];
    for (name, schema, block, bytes, expected) in cases {
        assert_eq!(Command::decode(*schema, *block, bytes), Err(*expected), "{name}");
    }
}

#[test]
fn hashes_are_fixed_with_the_first_record() {
    let event = |seq, body| Sequenced {
        seq: SequenceNumber(seq),
        stamp: Timestamp(1_000),
        epoch: Epoch(1),
        body,
    };
    let mut hash = EventHash::default();
    hash.update(&event(1, Event::Ticked(Ticked {})));
    assert_eq!(hash.to_string(), "a0ec671baf095bfc");
    hash.update(&event(
        2,
        Event::Executed(Executed {
            price: Price(5),
            quantity: Quantity(1),
            ..Default::default()
        }),
    ));
    assert_eq!(hash.to_string(), "a528afe5e8fc91fb");
    assert_eq!(StateHash::of(b"canonical").to_string(), "03f34438b9143253");

    let mut other_epoch = EventHash::default();
    other_epoch.update(&Sequenced {
        epoch: Epoch(9),
        ..event(1, Event::Ticked(Ticked {}))
    });
    let mut same = EventHash::default();
    same.update(&event(1, Event::Ticked(Ticked {})));
    assert_eq!(other_epoch, same, "the epoch is part of no hash");
}

#[test]
fn an_event_stays_within_three_cache_lines() {
    assert!(size_of::<Output>() <= 192, "{}", size_of::<Output>());
    assert!(size_of::<Command>() <= 128, "{}", size_of::<Command>());
}

proptest! {
    #[test]
    fn any_text_round_trips(bytes in prop::collection::vec(any::<u8>(), 0..=TEXT_MAX), firm: u32) {
        let command = Command::DefineFirm(DefineFirm {
            firm: FirmId(firm), mpid: Mpid::default(), name: Text::new(&bytes).unwrap(),
        });
        prop_assert_eq!(Command::decode(DefineFirm::SCHEMA, DefineFirm::BLOCK, &encode(&command)), Ok(command));
    }

    /// What decodes encodes to the same bytes, and nothing panics.
    #[test]
    fn any_bytes_decode_or_are_refused(pick in 0usize..100, mut bytes in prop::collection::vec(0u8..4, 0..120)) {
        let schema = &Command::SCHEMAS[pick % Command::SCHEMAS.len()];
        bytes.truncate(schema.block_len() + 8);
        if let Ok(command) = Command::decode(schema.id, schema.block_len().min(bytes.len()), &bytes)
            && bytes.len() > schema.block_len()
        {
            prop_assert_eq!(&encode(&command), &bytes);
        }
        let events = &Event::SCHEMAS[pick % Event::SCHEMAS.len()];
        let _ = Event::decode(events.id, events.block_len().min(bytes.len()), &bytes);
    }
}

#[test]
fn a_message_without_fields_is_empty() {
    assert_eq!(encode(&Command::Tick(Tick {})), [0u8; 0]);
}
