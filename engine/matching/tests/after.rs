//! Who trades, what it costs and how it is undone, as event tables. How to read one is said in `support/script.rs`.

mod support;

use support::script::play;

#[test]
fn each_side_pays_its_fee_in_the_event() {
    play(&[
        ("fees 1 maker -20", &["schema 18 rejected BadDefinition"]),
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("fees 2 taker 1000000001", &["schema 18 rejected BadDefinition"]),
        ("fees 2 taker-rate -10001", &["schema 18 rejected BadDefinition"]),
        // A rebate of 20 a unit for the maker; 30 a unit and 25 basis points for the taker.
        ("fees 2 maker -20 taker 30 taker-rate 2500 cross 5", &["fees 2 of 1"]),
        ("A sell 20 @55 #1", &["A1 accepted sell 20 @55 p1 rests"]),
        (
            "C buy 10 @55 #1",
            &[
                "C1 accepted buy 10 @55 p2",
                // 10 * 30, and 550 * 0.0025 = 1.375 price units: 137.5 hundredths, which round to 138.
                "trade 1 10 @55 A1 p1 leaves 10, C1 leaves 0 for -200 and 438",
            ],
        ),
        ("fees 3 maker-rate -2500", &["fees 3 of 1"]),
        (
            "C buy 10 @55 #2",
            &[
                "C2 accepted buy 10 @55 p3",
                "trade 2 10 @55 A1 p1 leaves 0, C2 leaves 0 for -138 and 0",
            ],
        ),
        ("fees 4 cross 5 cross-rate 100", &["fees 4 of 1"]),
        ("phase OpeningAuction", &["phase OpeningAuction"]),
        ("A sell 10 @50 #2", &["A2 accepted sell 10 @50 p4 rests"]),
        (
            "C buy 10 @50 #3",
            &["C3 accepted buy 10 @50 p5 rests", "indicates 10 @50"],
        ),
        (
            "phase Continuous",
            &[
                "cross trade 3 10 @50 A2 p4 leaves 0, C3 leaves 0 for 55 and 55",
                "uncrossed OpeningAuction 10 @50",
                "official open @50",
                "phase Continuous",
            ],
        ),
    ]);
}

#[test]
fn a_trade_of_today_is_undone_once() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("fees 2 taker 30", &["fees 2 of 1"]),
        ("A sell 20 @55 #1", &["A1 accepted sell 20 @55 p1 rests"]),
        ("bust 1", &["schema 31 rejected UnknownTrade"]),
        (
            "C buy 20 @55 #1",
            &[
                "C1 accepted buy 20 @55 p2",
                "trade 1 20 @55 A1 p1 leaves 0, C1 leaves 0 for 0 and 600",
            ],
        ),
        ("correct 1 to 15 @50", &["schema 32 rejected QuantityOffLot"]),
        ("correct 1 to 10 @51", &["schema 32 rejected PriceOffTick"]),
        // The fees are those in force now.
        ("fees 3 taker 20", &["fees 3 of 1"]),
        (
            "correct 1 to 10 @50",
            &["trade 1 corrected: trade 2 10 @50 for 0 and 200"],
        ),
        ("bust 1", &["schema 31 rejected TradeUndone"]),
        ("bust 2", &["trade 2 busted"]),
        ("correct 2 to 10 @50", &["schema 32 rejected TradeUndone"]),
        // What was executed is not open again.
        ("A cancel #1", &["A change of #1 rejected TooLate"]),
        ("A sell 10 @55 #2", &["A2 accepted sell 10 @55 p3 rests"]),
        (
            "C buy 10 @55 #2",
            &[
                "C2 accepted buy 10 @55 p4",
                "trade 3 10 @55 A2 p3 leaves 0, C2 leaves 0 for 0 and 200",
            ],
        ),
        ("end", &["day 1 ends"]),
        ("bust 3", &["schema 31 rejected MarketClosed"]),
        ("day 2", &["day 2 starts", "listed XYZ trading"]),
        ("bust 3", &["schema 31 rejected UnknownTrade"]),
    ]);
}

#[test]
fn an_allocation_states_what_its_rule_has_a_use_for() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("allocation 2 Fifo minimum 10", &["schema 19 rejected BadDefinition"]),
        ("allocation 2 ProRata top 10", &["schema 19 rejected BadDefinition"]),
        ("allocation 2 ProRata minimum 15", &["schema 19 rejected BadDefinition"]),
        ("allocation 2 ProRata fifo 10", &["schema 19 rejected BadDefinition"]),
        ("allocation 2 Split fifo 101", &["schema 19 rejected BadDefinition"]),
        ("allocation 2 Split fifo 40", &["allocation 2 of 1"]),
    ]);
}

#[test]
fn pro_rata_shares_by_size_and_gives_the_rest_by_age() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("allocation 2 ProRata minimum 20", &["allocation 2 of 1"]),
        ("A sell 30 @50 #1", &["A1 accepted sell 30 @50 p1 rests"]),
        ("B sell 100 @50 #1", &["B1 accepted sell 100 @50 p2 rests"]),
        ("A sell 70 @50 #2", &["A2 accepted sell 70 @50 p3 rests"]),
        // Of 90: 13.5, 45 and 31.5, in lots 10, 40 and 30; ten is below the minimum, and the 20 left over go to the oldest.
        (
            "C buy 90 @50 #1",
            &[
                "C1 accepted buy 90 @50 p4",
                "trade 1 20 @50 A1 p1 leaves 10, C1 leaves 70",
                "trade 2 40 @50 B1 p2 leaves 60, C1 leaves 30",
                "trade 3 30 @50 A2 p3 leaves 40, C1 leaves 0",
            ],
        ),
        // Enough for all: nothing to share.
        (
            "C buy 120 @50 #2",
            &[
                "C2 accepted buy 120 @50 p5",
                "trade 4 10 @50 A1 p1 leaves 0, C2 leaves 110",
                "trade 5 60 @50 B1 p2 leaves 0, C2 leaves 50",
                "trade 6 40 @50 A2 p3 leaves 0, C2 leaves 10",
                "C2 booked 10 @50 p5",
            ],
        ),
    ]);
}

#[test]
fn the_top_order_comes_before_the_shares() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("allocation 2 TopProRata top 20", &["allocation 2 of 1"]),
        ("A sell 40 @50 #1", &["A1 accepted sell 40 @50 p1 rests"]),
        ("B sell 60 @50 #1", &["B1 accepted sell 60 @50 p2 rests"]),
        // Twenty for the first, then 60 by 20 and 60.
        (
            "C buy 80 @50 #1",
            &[
                "C1 accepted buy 80 @50 p3",
                "trade 1 40 @50 A1 p1 leaves 0, C1 leaves 40",
                "trade 2 40 @50 B1 p2 leaves 20, C1 leaves 0",
            ],
        ),
        ("allocation 3 TopProRata", &["allocation 3 of 1"]),
        ("A sell 60 @50 #2", &["A2 accepted sell 60 @50 p4 rests"]),
        (
            "C buy 40 @50 #2",
            &[
                "C2 accepted buy 40 @50 p5",
                "trade 3 20 @50 B1 p2 leaves 0, C2 leaves 20",
                "trade 4 20 @50 A2 p4 leaves 40, C2 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn a_split_gives_a_part_by_age_and_the_rest_by_size() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("allocation 2 Split fifo 40", &["allocation 2 of 1"]),
        ("A sell 30 @50 #1", &["A1 accepted sell 30 @50 p1 rests"]),
        (
            "B sell 100 @50 #1 display 70",
            &[
                "B1 accepted sell 100 @50 p2",
                "B1 asks display 70",
                "B1 booked 70 @50 p2",
            ],
        ),
        // Forty by age: 30 and 10. Of the other 50 all by size. A hidden order behind them gets nothing.
        (
            "A sell 50 @50 #2 hidden",
            &["A2 accepted sell 50 @50 p3", "A2 asks hidden"],
        ),
        (
            "C buy 90 @50 #1",
            &[
                "C1 accepted buy 90 @50 p4",
                "trade 1 30 @50 A1 p1 leaves 0, C1 leaves 60",
                "trade 2 60 @50 B1 p2 leaves 40, C1 leaves 0",
            ],
        ),
        // Own orders are kept apart before anything is shared.
        ("V prevents oldest firm 1", &["firm 1 self-trade CancelOldest"]),
        ("C sell 100 @50 #2", &["C2 accepted sell 100 @50 p5 rests"]),
        (
            "A buy 20 @50 #3",
            &[
                "A3 accepted buy 20 @50 p6",
                "B1 cancelled 40 SelfTrade off p2",
                "trade 3 20 @50 C2 p5 leaves 80, A3 leaves 0",
            ],
        ),
    ]);
}
