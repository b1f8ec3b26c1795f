//! The bytes that live for ever: a journal written by this build is, byte for byte, the one that stands here.

mod common;

use common::{Session, VENUE, segment_name, small};
use rialto_journal::format::{BLOCK_HEADER, FOOTER, RECORD_HEADER, SEGMENT_HEADER};
use rialto_journal::{Config, Durability, MemDisk, recover};
use rialto_model::command::{Enter, StartOfDay};
use rialto_model::{
    Command, Monotonic, Price, Quantity, SequenceNumber, Sequenced, Text, Timestamp, TradingDay, UserRef,
};

fn order() -> Command {
    Command::Enter(Enter {
        user_ref: UserRef(1),
        price: Price(1_000_000),
        quantity: Quantity(100),
        client_id: Text::new(b"ORDER000000014").expect("14 bytes"),
        ..Enter::default()
    })
}

fn day() -> Command {
    Command::StartOfDay(StartOfDay {
        day: TradingDay(15_512),
        midnight: Timestamp(1_340_251_200_000_000_000),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_journal_of_two_epochs_has_these_bytes() {
    let disk = MemDisk::new();
    let config = small(Durability::Disk, 2_048);
    let mut session = Session::open(&disk, config);
    for (index, body) in [day(), order()].into_iter().enumerate() {
        let seq = SequenceNumber(index as u64 + 1);
        let record = Sequenced {
            seq,
            stamp: Timestamp(1_340_285_400_000_000_000 + seq.0),
            epoch: session.writer.epoch(),
            body,
        };
        session.writer.append(&record).expect("room");
    }
    session.writer.commit().expect("room");
    session.syncer.poll();
    assert_eq!(session.writer.mark(Monotonic(0)).ok(), Some(false));
    assert_eq!(session.writer.mark(Monotonic(5_000_000)).ok(), Some(true));
    session.writer.close(session.syncer).expect("room");
    drop(recover(&disk, VENUE).expect("sound").into_writer(config).expect("room"));

    let first = disk.bytes(&segment_name(1, 1)).expect("the first segment");
    let mut rest = first.as_slice();
    let mut take = |len: usize| {
        let (taken, after) = rest.split_at(len);
        rest = after;
        hex(taken)
    };
    let parts = [
        ("segment header", SEGMENT_HEADER),
        ("block header", BLOCK_HEADER),
        ("record 1", RECORD_HEADER + 12),
        ("record 2", RECORD_HEADER + 45 + 15),
        ("idle mark", BLOCK_HEADER),
        ("footer", FOOTER),
    ];
    let mut found: Vec<(&str, String)> = parts.map(|(what, len)| (what, take(len))).into_iter().collect();
    assert!(rest.iter().all(|byte| *byte == 0));
    let second = disk.bytes(&segment_name(2, 2)).expect("the second segment");
    found.push(("take-over", hex(&second[..SEGMENT_HEADER])));
    let text: Vec<String> = found.iter().map(|(what, hex)| format!("{what}: {hex}\n")).collect();
    assert_eq!(text.concat(), include_str!("golden.txt"));
}

#[test]
fn an_ouch_order_takes_at_most_96_bytes_at_16_a_block() {
    let disk = MemDisk::new();
    let config = Config {
        durability: Durability::Memory,
        segment_bytes: 65_536,
        block_bytes: 4_096,
        reserve_segments: 1,
        bytes_max: None,
    };
    let mut session = Session::open(&disk, config);
    for block in 0..8 {
        for _ in 0..16 {
            let record = Sequenced {
                seq: session.writer.next_seq(),
                stamp: Timestamp(block),
                epoch: session.writer.epoch(),
                body: order(),
            };
            session.writer.append(&record).expect("room");
        }
        session.writer.commit().expect("room");
    }
    let bytes = disk.bytes(&segment_name(1, 1)).expect("the segment");
    let end = common::blocks(&bytes).last().expect("blocks").ends;
    let taken = end - SEGMENT_HEADER;
    assert!(taken <= 96 * 8 * 16, "{taken} bytes for 128 orders");
    println!("{} bytes an order at 16 a block", taken as f64 / 128.0);
}

#[test]
fn the_tables_of_the_spec_are_gapless_and_end_where_the_code_says() {
    let spec = include_str!("../SPEC.md");
    for (title, bytes) in [
        ("Segment header", SEGMENT_HEADER),
        ("Block header", BLOCK_HEADER),
        ("Record header", RECORD_HEADER),
        ("Footer", FOOTER),
    ] {
        let heading = format!("### {title}, {bytes} bytes\n");
        let (_, section) = spec.split_once(&heading).expect(&heading);
        let table = section.lines().skip_while(|line| !line.starts_with("| 0 |"));
        let mut end = 0;
        for row in table.take_while(|line| line.starts_with('|')) {
            let mut cells = row.split('|').skip(1).map(|cell| cell.trim().parse::<usize>());
            let (offset, len) = (cells.next(), cells.next());
            assert_eq!(offset, Some(Ok(end)), "{title}: {row}");
            end += len.and_then(Result::ok).expect("a length");
        }
        assert_eq!(end, bytes, "{title}");
    }
}
