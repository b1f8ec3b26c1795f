//! The faults are as often as asked, the same from the same seed, and do not disturb each other.

use rialto_relay::{Counters, Fate, Faults, FaultsError, Relay};

const PACKETS: u64 = 100_000;

fn run(faults: Faults, seed: u64) -> (Vec<Fate>, Counters) {
    let mut relay = Relay::new(faults, seed).unwrap();
    let fates = (0..PACKETS).map(|at| relay.decide(at * 1_000, 100)).collect();
    (fates, *relay.counters())
}

fn near(count: u64, expected: u64) {
    assert!(
        count.abs_diff(expected) < PACKETS / 100,
        "{count}, not about {expected}"
    );
}

#[test]
fn a_fault_is_as_often_as_asked() {
    let (_, counters) = run(Faults::NONE, 1);
    assert_eq!((counters.packets, counters.passed), (PACKETS, PACKETS));
    let faults = Faults {
        loss_ppm: 300_000,
        duplicate_ppm: 500_000,
        reorder_ppm: 200_000,
        reorder_ns_max: 50_000_000,
        corrupt_ppm: 100_000,
        ..Faults::NONE
    };
    let (_, counters) = run(faults, 1);
    near(counters.lost, PACKETS * 3 / 10);
    near(counters.duplicated, PACKETS * 7 / 20);
    near(counters.passed, PACKETS * 21 / 20);
    near(counters.reordered, PACKETS * 21 / 100);
    near(counters.corrupted, PACKETS * 21 / 200);
    let all = Faults {
        loss_ppm: 1_000_000,
        ..Faults::NONE
    };
    assert_eq!(run(all, 1).1.lost, PACKETS);
}

#[test]
fn bursts_are_as_long_as_asked_and_partitions_as_well() {
    let faults = Faults {
        burst_ppm: 10_000,
        burst_packets: 5,
        ..Faults::NONE
    };
    let (fates, counters) = run(faults, 3);
    let lost: Vec<bool> = fates.iter().map(|fate| fate.copies().count() == 0).collect();
    let runs: Vec<usize> = lost
        .split(|lost| !lost)
        .map(<[bool]>::len)
        .filter(|&run| run > 0)
        .collect();
    assert!(runs.iter().rev().skip(1).all(|run| run % 5 == 0), "{runs:?}");
    assert_eq!(counters.lost_in_bursts, runs.iter().sum::<usize>() as u64);
    assert!(runs.len() > 500);

    let faults = Faults {
        partition_ns: 10_000,
        partition_period_ns: 100_000,
        ..Faults::NONE
    };
    let (fates, counters) = run(faults, 3);
    assert_eq!(counters.parted, PACKETS / 10);
    for (at, fate) in fates.iter().enumerate() {
        assert_eq!(fate.copies().count() == 0, at % 100 >= 90, "{at}");
    }
}

#[test]
fn a_seed_is_a_run_and_one_fault_more_changes_no_other() {
    let faults = Faults {
        loss_ppm: 100_000,
        duplicate_ppm: 100_000,
        ..Faults::NONE
    };
    assert_eq!(run(faults, 5), run(faults, 5));
    assert_ne!(run(faults, 5).0, run(faults, 6).0);
    let more = Faults { delay_ns: 7, ..faults };
    let (a, b) = (run(faults, 5), run(more, 5));
    assert_eq!(a.1, b.1);
    for (a, b) in a.0.iter().zip(b.0) {
        let delays = |fate: &Fate| fate.copies().map(|copy| copy.delay_ns).collect::<Vec<_>>();
        assert_eq!(delays(a).iter().map(|delay| delay + 7).collect::<Vec<_>>(), delays(&b));
    }
}

#[test]
fn a_changed_byte_is_within_the_packet_and_another() {
    let faults = Faults {
        corrupt_ppm: 1_000_000,
        ..Faults::NONE
    };
    let mut relay = Relay::new(faults, 9).unwrap();
    for length in 1..1_000 {
        let copy = relay.decide(0, length).copies().next().unwrap();
        let (place, bits) = copy.corrupt.unwrap();
        assert!(place < length && bits != 0);
    }
    assert_eq!(relay.decide(0, 0).copies().next().unwrap().corrupt, None);
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |faults| Relay::new(faults, 0).unwrap_err();
    let sure = Faults {
        loss_ppm: 1_000_001,
        ..Faults::NONE
    };
    assert!(matches!(refused(sure), FaultsError::Chance { name: "loss", .. }));
    let late = Faults {
        delay_ns: u64::MAX,
        ..Faults::NONE
    };
    assert!(matches!(refused(late), FaultsError::Delay { name: "delay", .. }));
    let parted = Faults {
        partition_ns: 2,
        partition_period_ns: 1,
        ..Faults::NONE
    };
    assert_eq!(refused(parted), FaultsError::Partition);
}
