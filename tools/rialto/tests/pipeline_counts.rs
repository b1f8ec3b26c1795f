//! What an order costs between the door's ring and everybody who is told, counted exactly at batches of 1, 16 and 256: a
//! change that adds a call to the system, a read of the clock or an allocation to the path fails here, on any machine.

use serde_json::Value;
use std::process::Command;

const SEED: &str = "9";

fn counts(durability: &str, batch: u64, orders: u64) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_rialto-counts"))
        .args([
            "pipeline",
            durability,
            &batch.to_string(),
            SEED,
            &(2 * orders).to_string(),
        ])
        .arg(folder.path())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints an object")
}

#[test]
fn a_batch_costs_one_write_or_none_one_sync_two_clock_reads_and_no_allocation() {
    for (batch, orders) in [(1, 1_000), (16, 16_000), (256, 64_000)] {
        for durability in ["memory", "disk"] {
            let orders = if durability == "disk" { orders / 10 } else { orders };
            let counts = counts(durability, batch, orders);
            println!("{durability}, batch {batch}: {counts}");
            let of = |name: &str| counts[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
            let batches = orders.div_ceil(batch);
            assert_eq!((of("orders"), of("batches")), (orders, batches));
            let disk = durability == "disk";
            // In `memory`, where the system lets a segment be memory, a block is no call to it at all.
            assert_eq!(
                of("writes") + of("stores"),
                batches,
                "{durability}, batch {batch}: pwrite"
            );
            assert!(
                of("stores") == 0 || of("writes") == 0 && !disk,
                "{durability}, batch {batch}: one or the other, and in `disk` the call"
            );
            assert_eq!(
                of("fdatasyncs"),
                if disk { batches } else { 0 },
                "{durability}, batch {batch}"
            );
            // The fence: by who releases, and in `memory` by the syncer, too.
            assert_eq!(
                of("reads") + of("loads"),
                if disk { batches } else { 2 * batches },
                "{durability}, batch {batch}: pread"
            );
            assert!(of("loads") == 0 || of("reads") == 0, "one or the other");
            // The sequencer's stamp, and the feed's.
            assert_eq!(of("clock_reads"), 2 * batches, "{durability}, batch {batch}");
            // The feed's memory of a day grows now and then.
            assert!(
                of("allocations") * 1_000 <= of("orders").max(8_000),
                "{durability}, batch {batch}: {counts}"
            );
            let (a, b) = (of("datagrams_a"), of("datagrams_b"));
            assert_eq!(a, b, "both lines are the same");
            // A message of an order has some 40 bytes and a datagram 1,400: what leaves together is packed.
            let most = if batch == 1 {
                orders
            } else {
                batches + orders * 48 / 1_400
            };
            assert!(
                a <= most,
                "{durability}, batch {batch}: {a} datagrams for {orders} orders"
            );
        }
    }
}

#[test]
fn the_counts_repeat_to_the_digit() {
    let (one, two) = (counts("memory", 16, 4_000), counts("memory", 16, 4_000));
    assert_eq!(one, two);
}

#[test]
fn another_engine_beside_changes_no_event() {
    let beside = |beside: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().to_str().expect("UTF-8");
        let output = Command::new(env!("CARGO_BIN_EXE_rialto-counts"))
            .args(["pipeline", "memory", "64", "7", "2000", folder, beside])
            .output()
            .expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{beside}: {said}");
        let counts: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (counts["event_hash"].clone(), counts["datagrams_a"].clone())
    };
    assert_eq!(beside("off"), beside("shadow"));
    assert_eq!(beside("routed").1, beside("off").1, "everything leaves");
    assert_ne!(beside("flags").0, beside("off").0, "they are in the stream");
}
