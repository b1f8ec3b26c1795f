//! What is told of an order: every change, by whom, why, and who stood ahead.

mod common;

use common::{day, market, write};
use rialto_journal::disk::MemDisk;
use rialto_model::{OrderId, SequenceNumber};
use rialto_past::{Snapshots, Stream, book, explain, history, member, order};

fn stream() -> Stream<MemDisk> {
    let journal = MemDisk::new();
    write(&journal, &market(), 3);
    Stream::at_rest(journal, None)
}

/// `seq event by command leaves`, a line a change.
fn lines(id: u64) -> Vec<String> {
    let told = history(&stream(), OrderId(id)).expect("it is an order");
    let line =
        |one: &rialto_past::Change| format!("{} {} {} {} {}", one.seq, one.event, one.by, one.command, one.leaves);
    told.changes.iter().map(line).collect()
}

#[test]
fn every_change_is_there_with_who_and_how_much_is_left() {
    assert_eq!(lines(12), ["12 Accepted alpha1 Enter 100", "15 Executed beta1 Enter 0"]);
    assert_eq!(
        lines(13),
        ["13 Accepted alpha1 Enter 200", "16 Cancelled alpha1 Cancel 0"]
    );
    assert_eq!(
        lines(14),
        [
            "14 Accepted alpha1 Enter 300",
            "17 Executed beta1 Enter 150",
            "19 Cancelled the venue EndOfDay 0"
        ]
    );
    assert_eq!(lines(15), ["15 Accepted beta1 Enter 100", "15 Executed beta1 Enter 0"]);
    assert_eq!(lines(18), ["18 Rejected beta1 Enter 0"]);
}

#[test]
fn a_history_begins_at_a_snapshot_and_tells_the_same() {
    let plain = stream();
    let folder = MemDisk::new();
    let snapshots = Snapshots::new(folder);
    for seq in [11, 13, 17] {
        let visit = plain.at(Some(SequenceNumber(seq))).expect("it was");
        snapshots
            .take(&visit.past.snapshot().expect("behind a command"))
            .expect("room");
    }
    let with = Stream {
        snapshots: Some(snapshots),
        ..plain.clone()
    };
    for id in [12, 13, 14, 15, 17, 18] {
        assert_eq!(
            history(&plain, OrderId(id)).expect("an order"),
            history(&with, OrderId(id)).expect("an order")
        );
        assert_eq!(
            explain(&plain, OrderId(id)).expect("an order"),
            explain(&with, OrderId(id)).expect("an order")
        );
    }
}

#[test]
fn a_cause_is_given_for_each_change() {
    let cases: [(u64, usize, &[&str]); 7] = [
        (
            14,
            0,
            &["alpha1", "behind 2 orders", "order 12 with 100, order 13 with 200"],
        ),
        (
            14,
            1,
            &[
                "command 17 (Enter) of beta1",
                "order 12 traded in full by command 15",
                "order 13 was cancelled by command 16",
            ],
        ),
        (14, 2, &["command 19 ended the trading day"]),
        (12, 1, &["it was first at its price from the start"]),
        (
            15,
            1,
            &[
                "limit 100.0100 reaches the best sell price left, 100.0000",
                "order 12 stood first",
            ],
        ),
        (13, 1, &["command 16 (Cancel) of alpha1 asked"]),
        (18, 0, &["PriceOffTick", "tick 0.0100", "beta1 up"]),
    ];
    for (id, at, words) in cases {
        let told = explain(&stream(), OrderId(id)).expect("an order");
        let because = told[at].because.join("; ");
        for word in words {
            assert!(
                because.contains(word),
                "order {id}, change {at}: no {word:?} in {because:?}"
            );
        }
    }
}

#[test]
fn what_is_no_order_is_said() {
    let error = |id| history(&stream(), OrderId(id)).expect_err("no order").to_string();
    assert!(error(16).contains("is a Cancel and no order"), "{}", error(16));
    assert!(
        error(0).contains("no order") || error(0).contains("has not been"),
        "{}",
        error(0)
    );
    assert!(error(77).contains("ends at sequence number 19"), "{}", error(77));
}

#[test]
fn the_past_answers() {
    let stream = stream();
    let past = |seq| stream.at(Some(SequenceNumber(seq))).expect("it was").into_past();
    let books = book(&past(14), Some("ACME"), 10).expect("it is listed");
    assert_eq!(books[0].asks.len(), 1);
    assert_eq!(
        (
            books[0].asks[0].price.as_str(),
            books[0].asks[0].quantity,
            books[0].asks[0].orders
        ),
        ("100.0000", 600, 3)
    );
    assert!(
        book(&past(14), Some("NONE"), 10)
            .expect_err("no such book")
            .to_string()
            .contains("there are ACME")
    );
    let third = order(&past(14), OrderId(14)).expect("it rests");
    assert_eq!(
        (third.orders_ahead, third.quantity_ahead, third.session.as_str()),
        (2, 300, "alpha1")
    );
    let third = order(&past(17), OrderId(14)).expect("it rests");
    assert_eq!((third.orders_ahead, third.leaves, third.executed), (0, 150, 150));
    assert!(order(&past(17), OrderId(13)).is_err());
    for name in ["Alpha", "ALFA", "alpha1", "1"] {
        let alpha = member(&past(14), name).expect("it is there");
        assert_eq!(
            (alpha.orders, alpha.open_to_sell, alpha.sessions[0].up),
            (3, 600, true),
            "{name}"
        );
    }
    assert!(
        member(&past(14), "gamma")
            .expect_err("nobody")
            .to_string()
            .contains("BETA (Beta)")
    );
}

#[test]
fn an_order_that_is_carried_is_followed_into_the_next_day() {
    let mut commands = common::opening();
    let rialto_model::Command::Enter(mut gtc) = common::enter(1, 1, rialto_model::Side::Buy, 500_000, 10) else {
        unreachable!("it enters")
    };
    gtc.tif = rialto_model::TimeInForce::GoodTillCancel;
    commands.extend([gtc.into(), rialto_model::command::EndOfDay {}.into(), day(20_001)]);
    let journal = MemDisk::new();
    write(&journal, &commands, 1);
    let told = history(&Stream::at_rest(journal, None), OrderId(12)).expect("an order");
    let events: Vec<&str> = told.changes.iter().map(|one| one.event).collect();
    assert_eq!(
        (events, told.live, told.up_to),
        (vec!["Accepted", "Restated"], true, 14)
    );
}
