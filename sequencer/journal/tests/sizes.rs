//! What an order takes on the disk, to the byte: a door's plain order at 1, 16 and 256 a commit block.

mod common;

use common::VENUE;
use rialto_journal::format::{BLOCK_HEADER, RECORD_HEADER};
use rialto_journal::{Config, MemDisk, recover};
use rialto_model::command::Enter;
use rialto_model::{Command, Sequenced, Text, Timestamp};

/// The most that an OUCH order may take where 16 or more share a block.
const OUCH_BYTES_MAX: u64 = 96;
const ORDERS: u64 = 256;

/// Bytes that so many orders with client ids of `id` bytes take, at `batch` a block.
fn bytes(id: usize, batch: u64) -> u64 {
    let (mut writer, _syncer) = recover(&MemDisk::new(), VENUE)
        .expect("an empty journal")
        .into_writer(Config::default())
        .expect("room");
    let before = writer.bytes_written();
    for at in 1..=ORDERS {
        let order = Enter {
            client_id: Text::new(&b"ORDER-00000000000000000000000000000000"[..id]).expect("short enough"),
            ..Enter::default()
        };
        let record = Sequenced {
            seq: writer.next_seq(),
            stamp: Timestamp(at),
            epoch: writer.epoch(),
            body: Command::Enter(order),
        };
        writer.append(&record).expect("room in the block");
        if at % batch == 0 {
            writer.commit().expect("room in the segment");
        }
    }
    writer.bytes_written() - before
}

#[test]
fn an_order_takes_what_the_tables_say() {
    // OUCH ids have 14 bytes; FIX ones as many as the client likes: short, and a UUID's.
    for (door, id) in [("OUCH", 14), ("FIX, short id", 8), ("FIX, UUID", 36)] {
        for batch in [1, 16, 256] {
            let record = (RECORD_HEADER + Enter::BLOCK + 1 + id) as u64;
            let total = bytes(id, batch);
            println!(
                "{door}, {batch} a block: {} bytes an order",
                total as f64 / ORDERS as f64
            );
            assert_eq!(
                total,
                ORDERS * record + ORDERS / batch * BLOCK_HEADER as u64,
                "{door}, {batch}"
            );
            if door == "OUCH" && batch >= 16 {
                assert!(total <= ORDERS * OUCH_BYTES_MAX, "{total} bytes for {ORDERS} orders");
            }
        }
    }
}
