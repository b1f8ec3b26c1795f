//! The rulebook for orders as event tables: commands on the left, the events expected on the right. How to read one is
//! said in `support/script.rs`.

mod support;

use rialto_matching::Limits;
use support::script::{play, play_with};

#[test]
fn orders_trade_by_price_then_time_at_the_resting_price() {
    play(&[
        ("A buy 100 @50 #1", &["A1 accepted buy 100 @50 p1 rests"]),
        ("B buy 50 @55 #1", &["B1 accepted buy 50 @55 p2 rests"]),
        ("A buy 70 @55 #2", &["A2 accepted buy 70 @55 p3 rests"]),
        (
            "C sell 90 @45 #1",
            &[
                "C1 accepted sell 90 @45 p4",
                "trade 1 50 @55 B1 p2 leaves 0, C1 leaves 40",
                "trade 2 40 @55 A2 p3 leaves 30, C1 leaves 0",
            ],
        ),
        (
            "C sell 200 @50 #2",
            &[
                "C2 accepted sell 200 @50 p5",
                "trade 3 30 @55 A2 p3 leaves 0, C2 leaves 170",
                "trade 4 100 @50 A1 p1 leaves 0, C2 leaves 70",
                "C2 booked 70 @50 p5",
            ],
        ),
        ("A buy 10 @45 #3", &["A3 accepted buy 10 @45 p6 rests"]),
        (
            "B buy 100 @1000 #2",
            &[
                "B2 accepted buy 100 @1000 p7",
                "trade 5 70 @50 C2 p5 leaves 0, B2 leaves 30",
                "B2 booked 30 @1000 p7",
            ],
        ),
    ]);
}

#[test]
fn the_best_price_is_found_again_over_wide_gaps() {
    play(&[
        ("C sell 10 @1000 #1", &["C1 accepted sell 10 @1000 p1 rests"]),
        ("C sell 10 @500 #2", &["C2 accepted sell 10 @500 p2 rests"]),
        ("C sell 10 @505 #3", &["C3 accepted sell 10 @505 p3 rests"]),
        ("C sell 10 @200 #4", &["C4 accepted sell 10 @200 p4 rests"]),
        ("C cancel #4", &["C4 cancelled 10 Requested off p4"]),
        ("A buy 40 @999 #1", &["A1 rejected PriceOffTick"]),
        (
            "A buy 40 @995 #2",
            &[
                "A2 accepted buy 40 @995 p5",
                "trade 1 10 @500 C2 p2 leaves 0, A2 leaves 30",
                "trade 2 10 @505 C3 p3 leaves 0, A2 leaves 20",
                "A2 booked 20 @995 p5",
            ],
        ),
        (
            "C sell 10 @5 #5",
            &[
                "C5 accepted sell 10 @5 p6",
                "trade 3 10 @995 A2 p5 leaves 10, C5 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn immediate_or_cancel_and_market_orders_never_rest() {
    play(&[
        (
            "A buy 30 @50 #1 ioc",
            &["A1 accepted buy 30 @50 p1 ioc", "A1 cancelled 30 Unfilled"],
        ),
        (
            "A buy 30 #2 market",
            &["A2 accepted buy 30 market p2", "A2 cancelled 30 Unfilled"],
        ),
        ("C sell 20 @50 #1", &["C1 accepted sell 20 @50 p3 rests"]),
        ("C sell 20 @900 #2", &["C2 accepted sell 20 @900 p4 rests"]),
        (
            "A buy 30 @50 #3 ioc",
            &[
                "A3 accepted buy 30 @50 p5 ioc",
                "trade 1 20 @50 C1 p3 leaves 0, A3 leaves 10",
                "A3 cancelled 10 Unfilled",
            ],
        ),
        // A market order has no price, whatever stands in the field.
        (
            "A buy 30 @7 #4 market gtc",
            &[
                "A4 accepted buy 30 market p6 gtc",
                "trade 2 20 @900 C2 p4 leaves 0, A4 leaves 10",
                "A4 cancelled 10 Unfilled",
            ],
        ),
    ]);
}

#[test]
fn fill_or_kill_trades_in_full_or_with_nobody() {
    play(&[
        ("C sell 20 @50 #1", &["C1 accepted sell 20 @50 p1 rests"]),
        ("C sell 20 @55 #2", &["C2 accepted sell 20 @55 p2 rests"]),
        (
            "A buy 30 @50 #1 fok",
            &["A1 accepted buy 30 @50 p3 fok", "A1 cancelled 30 NotFillable"],
        ),
        (
            "A buy 50 @60 #2 fok",
            &["A2 accepted buy 50 @60 p4 fok", "A2 cancelled 50 NotFillable"],
        ),
        (
            "A buy 40 @55 #3 fok",
            &[
                "A3 accepted buy 40 @55 p5 fok",
                "trade 1 20 @50 C1 p1 leaves 0, A3 leaves 20",
                "trade 2 20 @55 C2 p2 leaves 0, A3 leaves 0",
            ],
        ),
        (
            "A buy 10 #4 market fok",
            &["A4 accepted buy 10 market p6 fok", "A4 cancelled 10 NotFillable"],
        ),
        ("C sell 20 @60 #3", &["C3 accepted sell 20 @60 p7 rests"]),
        (
            "A buy 10 #5 market fok",
            &[
                "A5 accepted buy 10 market p8 fok",
                "trade 3 10 @60 C3 p7 leaves 10, A5 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn a_firm_may_trade_with_itself() {
    play(&[
        ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        (
            "A sell 10 @50 #2",
            &[
                "A2 accepted sell 10 @50 p2",
                "trade 1 10 @50 A1 p1 leaves 0, A2 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn an_order_is_refused_for_the_first_reason_that_holds() {
    play(&[
        ("D buy 10 @50 #1", &["D1 rejected UnknownSession"]),
        ("V buy 10 @50 #1", &["V1 rejected UnknownSession"]),
        ("A/2 buy 10 @50 #1", &["A1 rejected SessionNotUp"]),
        // Not consumed so far: the reference is still free.
        (
            "A buy 0 @7 #1 on 9 account 9 short in 5 id x",
            &["A1 rejected UnknownInstrument in 5 id x"],
        ),
        ("A buy 0 @7 #2 account 9 short", &["A2 rejected UnknownAccount"]),
        ("A buy 0 @7 #3 account 3 short", &["A3 rejected UnknownAccount"]),
        ("A buy 0 @7 #4 short", &["A4 rejected ShortSaleOnBuy"]),
        ("A buy 0 @7 #5", &["A5 rejected QuantityZero"]),
        ("A buy 1005 @7 #6", &["A6 rejected QuantityTooLarge"]),
        ("A buy 18446744073709551615 @7 #7", &["A7 rejected QuantityTooLarge"]),
        ("A buy 15 @0 #8", &["A8 rejected QuantityOffLot"]),
        ("A buy 10 @0 #9", &["A9 rejected PriceOutOfRange"]),
        ("A buy 10 @-5 #10", &["A10 rejected PriceOutOfRange"]),
        ("A buy 10 @1003 #11", &["A11 rejected PriceOutOfRange"]),
        ("A buy 10 @9223372036854775807 #12", &["A12 rejected PriceOutOfRange"]),
        ("A buy 10 @7 #13", &["A13 rejected PriceOffTick"]),
        ("A buy 10 @1000 #14", &["A14 accepted buy 10 @1000 p1 rests"]),
        (
            "A buy 1000 @5 #15 account 2",
            &["A15 accepted buy 1000 @5 p2 rests account 2"],
        ),
        (
            "end",
            &[
                "A14 cancelled 10 DayEnded off p1",
                "A15 cancelled 1000 DayEnded off p2",
                "day 1 ends",
            ],
        ),
        ("A buy 0 @7 #16 on 9", &["A16 rejected MarketClosed"]),
        ("A buy 0 @7 #16 on 9", &["A ignored Resent"]),
    ]);
}

#[test]
fn short_sales_are_marked_on_the_sell_side() {
    play(&[
        ("A sell 10 @50 #1 short", &["A1 accepted sell short 10 @50 p1 rests"]),
        ("A sell 10 @50 #2 exempt", &["A2 accepted sell exempt 10 @50 p2 rests"]),
        ("A buy 10 @45 #3 exempt", &["A3 rejected ShortSaleOnBuy"]),
    ]);
}

#[test]
fn references_rise_gaps_are_allowed_resends_are_silent_and_jumps_are_not_consumed() {
    play(&[
        ("A buy 10 @50 #0", &["A ignored Resent"]),
        ("A buy 10 @50 #7", &["A7 accepted buy 10 @50 p1 rests"]),
        ("A buy 10 @50 #7", &["A ignored Resent"]),
        ("A buy 10 @50 #3", &["A ignored Resent"]),
        // USER_REF_JUMP_MAX is 1,048,576.
        ("A buy 10 @50 #1048584", &["A1048584 rejected UserRefJump"]),
        ("A buy 10 @50 #4000000000", &["A4000000000 rejected UserRefJump"]),
        ("A buy 10 @50 #8", &["A8 accepted buy 10 @50 p2 rests"]),
        ("A buy 10 @50 #1048584", &["A1048584 accepted buy 10 @50 p3 rests"]),
        ("B buy 10 @50 #8", &["B8 accepted buy 10 @50 p4 rests"]),
        ("A cancel #7", &["A7 cancelled 10 Requested off p1"]),
        ("A cancel #1048584", &["A1048584 cancelled 10 Requested off p3"]),
    ]);
}

#[test]
fn a_full_venue_refuses_what_could_rest_and_nothing_else() {
    let limits = Limits {
        live_orders_max: 2,
        orders_reserved: 0,
    };
    play_with(
        limits,
        &[
            ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
            ("A buy 10 @50 #2", &["A2 accepted buy 10 @50 p2 rests"]),
            ("A buy 10 @50 #3", &["A3 rejected BookFull"]),
            ("A buy 10 @50 #4 gtc", &["A4 rejected BookFull"]),
            (
                "A buy 10 @50 #5 ioc",
                &["A5 accepted buy 10 @50 p3 ioc", "A5 cancelled 10 Unfilled"],
            ),
            (
                "C sell 10 #1 market",
                &[
                    "C1 accepted sell 10 market p4",
                    "trade 1 10 @50 A1 p1 leaves 0, C1 leaves 0",
                ],
            ),
            ("A buy 20 @50 #6", &["A6 accepted buy 20 @50 p5 rests"]),
            (
                "A replace #6 by #7 to 20 @55",
                &["A6 replaced #6 -> #7 20 -> 20 @55 p5 -> p6 rests"],
            ),
        ],
    );
}

#[test]
fn a_reduce_keeps_the_place_and_states_the_new_quantity() {
    play(&[
        ("A buy 100 @50 #1", &["A1 accepted buy 100 @50 p1 rests"]),
        ("B buy 100 @50 #1", &["B1 accepted buy 100 @50 p2 rests"]),
        ("A reduce #1 to 55", &["A change of #1 rejected QuantityOffLot"]),
        ("A reduce #1 to 60 in 4 id r", &["A1 reduced by 40 to 60 in 4 id r"]),
        ("A reduce #1 to 60", &["A ignored Superfluous"]),
        ("A reduce #1 to 70", &["A ignored Superfluous"]),
        (
            "C sell 70 @50 #1",
            &[
                "C1 accepted sell 70 @50 p3",
                "trade 1 60 @50 A1 p1 leaves 0, C1 leaves 10",
                "trade 2 10 @50 B1 p2 leaves 90, C1 leaves 0",
            ],
        ),
        // Ten are executed: 60 in all leaves 50, and 60 open leaves 60.
        ("B reduce #1 to 60 counts", &["B1 reduced by 40 to 50"]),
        ("B reduce #1 to 40", &["B1 reduced by 10 to 40"]),
        ("B reduce #1 to 10 counts", &["B1 cancelled 40 Requested off p2"]),
        ("A buy 50 @50 #2", &["A2 accepted buy 50 @50 p4 rests"]),
        (
            "A reduce #2 to 0 in 9 id z",
            &["A2 cancelled 50 Requested off p4 in 9 id z"],
        ),
    ]);
}

#[test]
fn a_reduce_may_change_the_short_sale_mark() {
    play(&[
        ("C sell 50 @60 #1 short", &["C1 accepted sell short 50 @60 p1 rests"]),
        ("C reduce #1 to 50 mark exempt", &["C1 reduced by 0 to 50 mark Exempt"]),
        ("C reduce #1 to 50 mark exempt", &["C ignored Superfluous"]),
        ("C reduce #1 to 90 mark plain", &["C1 reduced by 0 to 50 mark None"]),
        ("C reduce #1 to 20 mark plain", &["C1 reduced by 30 to 20 mark None"]),
        ("C reduce #1 to 10 short", &["C1 reduced by 10 to 10"]),
        ("A buy 50 @55 #1", &["A1 accepted buy 50 @55 p2 rests"]),
        (
            "A reduce #1 to 0 mark short",
            &["A change of #1 rejected ShortSaleOnBuy"],
        ),
        ("A reduce #1 to 20 mark plain", &["A1 reduced by 30 to 20 mark None"]),
    ]);
}

#[test]
fn a_change_finds_its_order_by_reference_or_by_id() {
    play(&[
        ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        ("A buy 10 @50 #2", &["A2 accepted buy 10 @50 p2 rests"]),
        ("C buy 10 @50 #1", &["C1 accepted buy 10 @50 p3 rests"]),
        ("D cancel #1", &["D change of #1 rejected UnknownSession"]),
        ("A/2 cancel #1", &["A change of #1 rejected SessionNotUp"]),
        (
            "A cancel #3 in 3 id q",
            &["A change of #3 rejected UnknownOrder in 3 id q"],
        ),
        ("A cancel #0", &["A change of #0 rejected UnknownOrder"]),
        ("A cancel ?", &["A change of ? rejected UnknownOrder"]),
        ("A cancel C1", &["A change of C1 rejected NotYours"]),
        ("A cancel C1 silent", &["A change of C1 rejected NotYours"]),
        ("A cancel #1 in 3 id q", &["A1 cancelled 10 Requested off p1 in 3 id q"]),
        ("A cancel #1", &["A change of #1 rejected TooLate"]),
        ("A cancel #1 silent", &["A ignored DeadOrder"]),
        ("A cancel #9 silent", &["A ignored DeadOrder"]),
        ("A cancel A1 silent", &["A ignored DeadOrder"]),
        ("A reduce #1 to 5 silent", &["A ignored DeadOrder"]),
        ("A cancel A1", &["A change of A1 rejected UnknownOrder"]),
        // Another session of the firm may; it is not the owner's request, so it goes without its numbers.
        ("B cancel A2 in 8 id b", &["A2 cancelled 10 Requested off p2"]),
        ("V cancel #1", &["V change of #1 rejected UnknownOrder"]),
        ("V cancel C1 in 8 id v", &["C1 cancelled 10 Requested off p3"]),
    ]);
}

#[test]
fn the_venue_changes_any_order_but_replaces_none() {
    play(&[
        ("A buy 30 @50 #1", &["A1 accepted buy 30 @50 p1 rests"]),
        ("V/77 reduce A1 to 20 in 2 id v", &["A1 reduced by 10 to 20"]),
        (
            "V replace A1 by #1 to 10 @55",
            &["V replace by #1 of A1 rejected UnknownSession"],
        ),
        ("V note in 3", &["V notes 0"]),
        ("V up 1", &["V ignored OutOfPlace"]),
        ("V lost", &["V ignored OutOfPlace"]),
    ]);
}

#[test]
fn a_replace_goes_to_the_end_of_the_queue_unless_it_only_reduces_and_may_keep_its_place() {
    play(&[
        ("A buy 100 @50 #1", &["A1 accepted buy 100 @50 p1 rests"]),
        ("B buy 10 @50 #1", &["B1 accepted buy 10 @50 p2 rests"]),
        (
            "A replace #1 by #2 to 80 @50 keep in 5 id g",
            &["A1 replaced #1 -> #2 100 -> 80 @50 keeps p1 rests in 5 id g"],
        ),
        (
            "A replace #2 by #3 to 80 @50 keep",
            &["A1 replaced #2 -> #3 80 -> 80 @50 keeps p1 rests"],
        ),
        (
            "C sell 10 @50 #1",
            &[
                "C1 accepted sell 10 @50 p3",
                "trade 1 10 @50 A1 p1 leaves 70, C1 leaves 0",
            ],
        ),
        (
            "A replace #3 by #4 to 70 @50",
            &["A1 replaced #3 -> #4 70 -> 70 @50 p1 -> p4 rests executed 10"],
        ),
        (
            "C sell 10 @50 #2",
            &[
                "C2 accepted sell 10 @50 p5",
                "trade 2 10 @50 B1 p2 leaves 0, C2 leaves 0",
            ],
        ),
        ("B buy 10 @50 #2", &["B2 accepted buy 10 @50 p6 rests"]),
        (
            "A replace #4 by #5 to 80 @50 keep",
            &["A1 replaced #4 -> #5 70 -> 80 @50 p4 -> p7 rests executed 10"],
        ),
        (
            "C sell 10 @50 #3",
            &[
                "C3 accepted sell 10 @50 p8",
                "trade 3 10 @50 B2 p6 leaves 0, C3 leaves 0",
            ],
        ),
        // A new price is a new queue, and a new time in force may keep the place.
        (
            "A replace #5 by #6 to 80 @45 keep",
            &["A1 replaced #5 -> #6 80 -> 80 @45 p7 -> p9 rests executed 10"],
        ),
        (
            "A replace #6 by #7 to 70 @45 keep gtc",
            &["A1 replaced #6 -> #7 80 -> 70 @45 keeps p9 gtc rests executed 10"],
        ),
        (
            "A replace #7 by #8 to 70 @45 keep ioc",
            &[
                "A1 replaced #7 -> #8 70 -> 70 @45 p9 -> p10 ioc executed 10",
                "A1 cancelled 70 Unfilled",
            ],
        ),
        ("A cancel #8", &["A change of #8 rejected TooLate"]),
        ("A cancel A1", &["A change of A1 rejected UnknownOrder"]),
    ]);
}

#[test]
fn a_replace_that_crosses_trades_like_a_new_order() {
    play(&[
        ("C sell 30 @55 #1", &["C1 accepted sell 30 @55 p1 rests"]),
        ("A buy 50 @50 #1", &["A1 accepted buy 50 @50 p2 rests"]),
        (
            "A replace #1 by #2 to 50 @55",
            &[
                "A1 replaced #1 -> #2 50 -> 50 @55 p2 -> p3",
                "trade 1 30 @55 C1 p1 leaves 0, A1 leaves 20",
                "A1 booked 20 @55 p3",
            ],
        ),
        ("A cancel #1", &["A change of #1 rejected TooLate"]),
        ("C sell 10 @60 #2", &["C2 accepted sell 10 @60 p4 rests"]),
        (
            "A replace #2 by #3 to 20 @60 fok",
            &[
                "A1 replaced #2 -> #3 20 -> 20 @60 p3 -> p5 fok executed 30",
                "A1 cancelled 20 NotFillable",
            ],
        ),
        ("A buy 50 @50 #4", &["A4 accepted buy 50 @50 p6 rests"]),
        (
            "A replace #4 by #5 to 50 market",
            &[
                "A4 replaced #4 -> #5 50 -> 50 market p6 -> p7",
                "trade 2 10 @60 C2 p4 leaves 0, A4 leaves 40",
                "A4 cancelled 40 Unfilled",
            ],
        ),
    ]);
}

#[test]
fn a_replaced_quantity_counts_executions_where_the_door_says_so() {
    play(&[
        ("A buy 100 @50 #1", &["A1 accepted buy 100 @50 p1 rests"]),
        (
            "C sell 20 @50 #1",
            &[
                "C1 accepted sell 20 @50 p2",
                "trade 1 20 @50 A1 p1 leaves 80, C1 leaves 0",
            ],
        ),
        (
            "A replace #1 by #2 to 50 @50 counts keep",
            &["A1 replaced #1 -> #2 80 -> 30 @50 keeps p1 rests executed 20"],
        ),
        (
            "A replace #2 by #3 to 50 @50 keep",
            &["A1 replaced #2 -> #3 30 -> 50 @50 p1 -> p3 rests executed 20"],
        ),
        (
            "A replace #3 by #4 to 20 @50 counts in 6 id n",
            &["A1 cancelled 50 ReplacedToNothing off p3 in 6 id n"],
        ),
        // Its reference was consumed.
        ("A buy 10 @50 #4", &["A ignored Resent"]),
    ]);
}

#[test]
fn an_invalid_replace_cancels_or_is_refused_by_policy() {
    play(&[
        ("A buy 100 @50 #1", &["A1 accepted buy 100 @50 p1 rests"]),
        (
            "A replace #1 by #2 to 15 @50 in 5 id i",
            &["A replace by #2 of #1 rejected QuantityOffLot in 5 id i"],
        ),
        ("A replace #1 by #2 to 10 @50", &["A ignored Resent"]),
        (
            "A replace #1 by #3 to 0 @50",
            &["A replace by #3 of #1 rejected QuantityZero"],
        ),
        (
            "A replace #1 by #4 to 2000 @50",
            &["A replace by #4 of #1 rejected QuantityTooLarge"],
        ),
        (
            "A replace #1 by #5 to 10 @0",
            &["A replace by #5 of #1 rejected PriceOutOfRange"],
        ),
        (
            "A replace #1 by #6 to 10 @51",
            &["A replace by #6 of #1 rejected PriceOffTick"],
        ),
        (
            "A replace #1 by #9000000 to 10 @50",
            &["A replace by #9000000 of #1 rejected UserRefJump"],
        ),
        (
            "A replace #1 by #7 to 0 @50 cancels in 5 id i",
            &["A1 cancelled 100 InvalidReplace off p1 in 5 id i"],
        ),
        // Its reference was not consumed, nor is that of a replace of a dead order.
        (
            "A replace #1 by #7 to 10 @50",
            &["A replace by #7 of #1 rejected TooLate"],
        ),
        ("A replace #1 by #7 to 10 @50 silent", &["A ignored DeadOrder"]),
        ("A buy 10 @50 #7", &["A7 accepted buy 10 @50 p2 rests"]),
    ]);
}

#[test]
fn an_order_goes_to_the_session_that_replaces_it() {
    play(&[
        ("A buy 100 @50 #5", &["A5 accepted buy 100 @50 p1 rests"]),
        (
            "C replace A5 by #1 to 50 @50",
            &["C replace by #1 of A5 rejected NotYours"],
        ),
        (
            "B replace A5 by #1 to 50 @50 keep in 2 id b",
            &["A5 replaced by B #5 -> #1 100 -> 50 @50 keeps p1 rests in 2 id b"],
        ),
        ("A cancel #5", &["A change of #5 rejected TooLate"]),
        ("B cancel #1 in 3", &["A5 cancelled 50 Requested off p1 in 3"]),
    ]);
}

#[test]
fn attribution_names_the_firm() {
    play(&[
        (
            "A buy 100 @50 #1 attributed",
            &["A1 accepted buy 100 @50 p1 rests as ONE"],
        ),
        (
            "C sell 150 @50 #1 attributed",
            &[
                "C1 accepted sell 150 @50 p2 as TWO",
                "trade 1 100 @50 A1 p1 leaves 0, C1 leaves 50",
                "C1 booked 50 @50 p2 as TWO",
            ],
        ),
        (
            "C replace #1 by #2 to 50 @55",
            &["C1 replaced #1 -> #2 50 -> 50 @55 p2 -> p3 rests executed 100"],
        ),
        (
            "C replace #2 by #3 to 50 @60 attributed",
            &["C1 replaced #2 -> #3 50 -> 50 @60 p3 -> p4 rests executed 100 as TWO"],
        ),
    ]);
}

#[test]
fn what_a_door_refused_is_answered_and_consumes_nothing() {
    play(&[
        ("A refuse #4 in 7 id n", &["A4 rejected NotSupported in 7 id n"]),
        ("A/3 refuse #4", &["A4 rejected SessionNotUp"]),
        ("D refuse #4", &["D4 rejected UnknownSession"]),
        ("V refuse #4", &["V4 rejected UnknownSession"]),
        ("A buy 10 @50 #4", &["A4 accepted buy 10 @50 p1 rests"]),
    ]);
}
