//! The bytes of the protocol: the tables of the specification, golden frames, round trips, and hostile bytes.

use proptest::prelude::*;
use rialto_follow::Process;
use rialto_follow::wire::*;
use rialto_model::command::{Cancel, Enter, Tick};
use rialto_model::{
    Command, Epoch, Price, Quantity, SequenceNumber, Sequenced, SessionId, TableHash, Text, Timestamp, UserRef, VenueId,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn command(seq: u64, epoch: u32, body: Command) -> Sequenced<Command> {
    Sequenced {
        seq: SequenceNumber(seq),
        stamp: Timestamp(1_340_285_400_000_000_000 + seq),
        epoch: Epoch(epoch),
        body,
    }
}

fn hello() -> Hello {
    Hello {
        version: 1,
        nonce: [0xAB; 16],
        after: Stand {
            seq: SequenceNumber(7),
            stamp: Timestamp(9),
            link: 0x0102_0304_0506_0708,
        },
        snapshot: true,
        process: Process {
            name: Text::new(b"F1").expect("short"),
            table: TableHash(0x1122),
        },
    }
}

fn welcome() -> Welcome {
    Welcome {
        venue: VenueId(3),
        epoch: Epoch(2),
        after: SequenceNumber(7),
        frontier: SequenceNumber(99),
        snapshot_bytes: 4,
    }
}

#[test]
fn bodies_have_these_bytes() {
    let challenge = Challenge {
        version: 1,
        nonce: [0xCD; 16],
    };
    let mut records = RecordsBuilder::new();
    records.push(&command(8, 2, Tick {}.into()));
    let cancel = Cancel {
        session: SessionId(1),
        client_id: Text::new(b"c").expect("short"),
        ..Default::default()
    };
    records.push(&command(9, 2, cancel.into()));
    let found = [
        hex(&challenge.encode()),
        hex(&hello().encode()),
        hex(&welcome().encode()),
        hex(&records.finish(SequenceNumber(99))),
        hex(&encode_frontier(Epoch(2), SequenceNumber(99))),
        hex(&encode_farewell(Reason::TooOld, "later")),
    ];
    assert_eq!(found[0], format!("5249414c544f465701000000{}", "cd".repeat(16)));
    assert_eq!(
        found[1],
        format!(
            "01000000{}07000000000000000900000000000000080706050403020101{}024631{}",
            "ab".repeat(16),
            "2211000000000000",
            "00".repeat(37)
        )
    );
    assert_eq!(
        found[2],
        format!(
            "030000000200000007000000000000006300000000000000 0400000000000000{}",
            "00".repeat(12)
        )
        .replace(' ', "")
    );
    assert!(
        found[3].starts_with("0800000000000000020000006300000000000000"),
        "{}",
        found[3]
    );
    assert!(
        found[3].contains("02000000080000000000"),
        "epoch 2, schema 8, an empty block and message: {}",
        found[3]
    );
    assert!(
        found[3].ends_with("0163"),
        "the text of the second message: {}",
        found[3]
    );
    assert_eq!(found[4], "020000006300000000000000");
    assert_eq!(found[5], "086c61746572");
}

#[test]
fn the_tables_of_the_spec_are_gapless_and_end_where_the_code_says() {
    let spec = include_str!("../SPEC.md");
    let tables = [
        ("### Challenge, kind 1, 28 bytes", CHALLENGE),
        ("### Hello, kind 2, 125 bytes", HELLO + PROOF),
        ("### Welcome, kind 3, 76 bytes", WELCOME + PROOF),
        ("### Records, kind 5", RECORDS),
        ("and each record:", RECORD),
        ("### Frontier, kind 6, 12 bytes", FRONTIER),
        ("### Taken, kind 7, 8 bytes", TAKEN),
    ];
    for (heading, bytes) in tables {
        let (_, section) = spec.split_once(heading).expect(heading);
        let table = section.lines().skip_while(|line| !line.starts_with("| 0 |"));
        let mut end = 0;
        for row in table.take_while(|line| line.starts_with('|')) {
            let mut cells = row.split('|').skip(1).map(str::trim);
            assert_eq!(cells.next(), Some(end.to_string().as_str()), "{heading}: {row}");
            match cells.next().and_then(|cell| cell.parse::<usize>().ok()) {
                Some(length) => end += length,
                None => break,
            }
        }
        assert_eq!(end, bytes, "{heading}");
    }
}

#[test]
fn frames_are_cut_wherever_the_bytes_are() {
    let mut stream = Vec::new();
    for body in [&b"a"[..], b"bcd", &[9; 300]] {
        stream.extend_from_slice(&(body.len() as u32).to_le_bytes());
        stream.extend_from_slice(body);
    }
    for piece in 1..stream.len() {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for bytes in stream.chunks(piece) {
            frames.push(bytes);
            while let Some(frame) = frames.take().expect("sound lengths") {
                found.push(frame.to_vec());
            }
        }
        assert_eq!(
            found,
            [b"a".to_vec(), b"bcd".to_vec(), vec![9; 300]],
            "pieces of {piece}"
        );
    }
    for length in [0u32, 65_537, u32::MAX] {
        let mut frames = Frames::default();
        frames.push(&length.to_le_bytes());
        assert_eq!(frames.take(), Err(length as usize));
    }
}

fn commands() -> impl Strategy<Value = Command> {
    let text = prop::collection::vec(any::<u8>(), 0..=39);
    (any::<(u32, u32, i64, u64, bool)>(), text).prop_map(|((session, user_ref, price, quantity, tick), text)| {
        if tick {
            return Tick {}.into();
        }
        Enter {
            session: SessionId(session),
            user_ref: UserRef(user_ref),
            price: Price(price),
            quantity: Quantity(quantity),
            client_id: Text::new(&text).expect("at most TEXT_MAX"),
            ..Default::default()
        }
        .into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20_120_621),
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn records_come_out_as_they_went_in(
        bodies in prop::collection::vec(commands(), 1..200), first in 1u64..1 << 60, epoch: u32, frontier: u64,
    ) {
        let mut records = RecordsBuilder::new();
        let mut sent = Vec::new();
        for (index, body) in bodies.into_iter().enumerate() {
            let command = command(first + index as u64, epoch, body);
            let command = Sequenced { stamp: Timestamp(first), ..command };
            records.push(&command);
            sent.push(command);
        }
        let body = records.finish(SequenceNumber(frontier));
        prop_assert_eq!(decode_records(&body), Ok((sent, SequenceNumber(frontier))));
        prop_assert!(records.is_empty());
    }

    #[test]
    fn bodies_come_out_as_they_went_in(nonce: [u8; 16], numbers: [u64; 4], ids: [u32; 3], snapshot: bool, text: String) {
        let hello = Hello {
            version: ids[0],
            nonce,
            after: Stand { seq: SequenceNumber(numbers[0]), stamp: Timestamp(numbers[1]), link: numbers[2] },
            snapshot,
            process: Process { name: Text::new(&nonce).expect("short"), table: TableHash(numbers[3]) },
        };
        prop_assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
        let challenge = Challenge { version: ids[0], nonce };
        prop_assert_eq!(Challenge::decode(&challenge.encode()), Ok(challenge));
        let welcome = Welcome {
            venue: VenueId(ids[1]),
            epoch: Epoch(ids[2]),
            after: SequenceNumber(numbers[0]),
            frontier: SequenceNumber(numbers[1]),
            snapshot_bytes: numbers[3],
        };
        prop_assert_eq!(Welcome::decode(&welcome.encode()), Ok(welcome));
        let read = decode_farewell(&encode_farewell(Reason::Ended, &text)).expect("sound");
        prop_assert!(read.0 == Reason::Ended && text.starts_with(&read.1));
    }

    #[test]
    fn hostile_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = (decode_records(&bytes), Hello::decode(&bytes), Welcome::decode(&bytes), Challenge::decode(&bytes));
        let _ = (decode_farewell(&bytes), decode_frontier(&bytes));
        let mut frames = Frames::default();
        frames.push(&bytes);
        while let Ok(Some(_)) = frames.take() {}
    }
}
