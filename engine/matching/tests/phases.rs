//! Phases, auctions and the uncross, as event tables. How to read one is said in `support/script.rs`.

mod support;

use support::script::play;

#[test]
fn an_opening_collects_publishes_and_trades_at_one_price() {
    play(&[
        ("phase PreOpen", &["schema 16 rejected BadDefinition"]),
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("phase PreOpen", &["phase PreOpen"]),
        ("phase PreOpen", &["schema 16 rejected BadDefinition"]),
        // Crossed, and nothing trades or is published.
        ("A buy 50 @60 #1", &["A1 accepted buy 50 @60 p1 rests"]),
        ("C sell 30 @50 #1", &["C1 accepted sell 30 @50 p2 rests"]),
        ("A buy 10 @60 #2 ioc", &["A2 rejected NotInThisPhase"]),
        ("A buy 10 @60 #3 post-only", &["A3 rejected NotInThisPhase"]),
        ("A buy 10 @60 #4 minimum 10", &["A4 rejected NotInThisPhase"]),
        // Buyers are left over everywhere from 50 to 60: the highest.
        (
            "phase OpeningAuction",
            &["phase OpeningAuction", "indicates 30 @60 buy 20 over"],
        ),
        (
            "C sell 20 #2 market",
            &["C2 accepted sell 20 market p3", "indicates 50 @50"],
        ),
        ("A buy 10 @40 #5", &["A5 accepted buy 10 @40 p4 rests"]),
        (
            "A buy 20 @55 #6 at-open",
            &["A6 accepted buy 20 @55 p5 rests", "A6 asks at-open", "indicates 50 @60"],
        ),
        (
            "phase Continuous",
            &[
                "cross trade 1 20 @60 C2 p3 leaves 0, A1 leaves 30",
                "cross trade 2 30 @60 C1 p2 leaves 0, A1 leaves 0",
                "uncrossed OpeningAuction 50 @60",
                "official open @60",
                "A6 cancelled 20 AuctionOver off p5",
                "phase Continuous",
            ],
        ),
        ("A buy 10 @55 #7 at-open", &["A7 rejected NotInThisPhase"]),
        (
            "C sell 10 @40 #3",
            &[
                "C3 accepted sell 10 @40 p6",
                "trade 4 10 @40 A5 p4 leaves 0, C3 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn the_price_is_found_by_volume_then_by_what_is_left_over() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("phase VolatilityAuction", &["phase VolatilityAuction"]),
        ("A buy 100 @60 #1", &["A1 accepted buy 100 @60 p1 rests"]),
        ("A buy 50 @40 #2", &["A2 accepted buy 50 @40 p2 rests"]),
        (
            "C sell 100 @40 #1",
            &["C1 accepted sell 100 @40 p3 rests", "indicates 100 @45"],
        ),
        // A hundred trade at 40 and at 60 too, but not without something left over; of the ticks between, the one
        // nearest to the last trade: there was none, so the lowest.
        ("C sell 50 @60 #2", &["C2 accepted sell 50 @60 p4 rests"]),
        (
            "phase Continuous",
            &[
                "cross trade 1 100 @45 C1 p3 leaves 0, A1 leaves 0",
                "uncrossed VolatilityAuction 100 @45",
                "phase Continuous",
            ],
        ),
        ("phase VolatilityAuction", &["phase VolatilityAuction"]),
        // More volume wins over all else.
        (
            "A buy 30 @70 #3",
            &["A3 accepted buy 30 @70 p5 rests", "indicates 30 @60 sell 20 over"],
        ),
        (
            "A buy 30 @65 #4",
            &["A4 accepted buy 30 @65 p6 rests", "indicates 50 @65 buy 10 over"],
        ),
        (
            "A cancel #3",
            &["A3 cancelled 30 Requested off p5", "indicates 30 @60 sell 20 over"],
        ),
    ]);
}

#[test]
fn pressure_decides_between_prices_with_as_much_left_over() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        (
            "C sell 10 @50 #1",
            &[
                "C1 accepted sell 10 @50 p2",
                "trade 1 10 @50 A1 p1 leaves 0, C1 leaves 0",
            ],
        ),
        ("phase ClosingAuction", &["phase ClosingAuction"]),
        ("C sell 20 @40 #2", &["C2 accepted sell 20 @40 p3 rests"]),
        // Sellers are left over from 40 to 60: the lowest.
        (
            "A buy 10 @60 #2",
            &["A2 accepted buy 10 @60 p4 rests", "indicates 10 @40 sell 10 over"],
        ),
        // Nobody is: nearest to the last trade.
        (
            "A buy 10 @60 #3",
            &["A3 accepted buy 10 @60 p5 rests", "indicates 20 @50"],
        ),
        // Buyers are: the highest.
        (
            "A buy 10 #4 market",
            &["A4 accepted buy 10 market p6", "indicates 20 @60 buy 10 over"],
        ),
        (
            "phase Closed",
            &[
                "cross trade 2 10 @60 C2 p3 leaves 10, A4 leaves 0",
                "cross trade 3 10 @60 C2 p3 leaves 0, A2 leaves 0",
                "uncrossed ClosingAuction 20 @60",
                "official close @60",
                "phase Closed",
            ],
        ),
        ("A buy 10 @60 #5", &["A5 rejected NotInThisPhase"]),
        ("A cancel #3", &["A3 cancelled 10 Requested off p5"]),
    ]);
}

#[test]
fn market_orders_alone_trade_at_the_last_price() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("phase OpeningAuction", &["phase OpeningAuction"]),
        ("A buy 10 #1 market", &["A1 accepted buy 10 market p1"]),
        // No price to trade at yet.
        ("C sell 20 #1 market", &["C1 accepted sell 20 market p2"]),
        (
            "phase Continuous",
            &[
                "uncrossed OpeningAuction 0 @0",
                "A1 cancelled 10 Unfilled",
                "C1 cancelled 20 Unfilled",
                "phase Continuous",
            ],
        ),
        ("A buy 10 @50 #2", &["A2 accepted buy 10 @50 p3 rests"]),
        (
            "C sell 10 @50 #2",
            &[
                "C2 accepted sell 10 @50 p4",
                "trade 1 10 @50 A2 p3 leaves 0, C2 leaves 0",
            ],
        ),
        ("phase OpeningAuction", &["phase OpeningAuction"]),
        ("A buy 10 #3 market", &["A3 accepted buy 10 market p5"]),
        (
            "C sell 20 #3 market",
            &["C3 accepted sell 20 market p6", "indicates 10 @50 sell 10 over"],
        ),
        (
            "C reduce #3 to 10",
            &["C3 reduced by 10 to 10 shown 0", "indicates 10 @50"],
        ),
        (
            "phase Continuous",
            &[
                "cross trade 2 10 @50 C3 p6 leaves 0, A3 leaves 0",
                "uncrossed OpeningAuction 10 @50",
                "official open @50",
                "phase Continuous",
            ],
        ),
    ]);
}

#[test]
fn hidden_orders_and_icebergs_take_part_with_all_they_have() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("phase OpeningAuction", &["phase OpeningAuction"]),
        (
            "A buy 30 @50 #1 hidden",
            &["A1 accepted buy 30 @50 p1", "A1 asks hidden"],
        ),
        (
            "B buy 30 @50 #1 display 20",
            &["B1 accepted buy 30 @50 p2", "B1 asks display 20", "B1 booked 20 @50 p2"],
        ),
        (
            "C sell 40 @50 #1",
            &["C1 accepted sell 40 @50 p3 rests", "indicates 40 @50 buy 20 over"],
        ),
        (
            "phase Continuous",
            &[
                "cross trade 1 20 @50 C1 p3 leaves 20, B1 leaves 10",
                "B1 booked 10 @50 p4",
                "cross trade 2 10 @50 C1 p3 leaves 10, B1 leaves 0",
                "cross trade 3 10 @50 C1 p3 leaves 0, A1 leaves 20",
                "uncrossed OpeningAuction 40 @50",
                "official open @50",
                "phase Continuous",
            ],
        ),
    ]);
}

#[test]
fn orders_at_the_close_wait_for_their_auction() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A buy 10 @50 #1 at-close",
            &["A1 accepted buy 10 @50 p1", "A1 asks at-close"],
        ),
        (
            "A buy 10 #2 market at-close",
            &["A2 accepted buy 10 market p2", "A2 asks at-close"],
        ),
        ("A buy 10 @50 #3 gtc at-close", &["A3 rejected InstructionConflict"]),
        ("A buy 10 @50 #4 hidden at-close", &["A4 rejected InstructionConflict"]),
        ("C sell 10 @50 #1", &["C1 accepted sell 10 @50 p3 rests"]),
        (
            "phase ClosingAuction",
            &[
                "phase ClosingAuction",
                "A1 booked 10 @50 p4",
                "indicates 10 @50 buy 10 over",
            ],
        ),
        (
            "A buy 10 @45 #5 at-close",
            &["A5 accepted buy 10 @45 p6 rests", "A5 asks at-close"],
        ),
        (
            "phase Closed",
            &[
                "cross trade 1 10 @50 C1 p3 leaves 0, A2 leaves 0",
                "uncrossed ClosingAuction 10 @50",
                "A1 cancelled 10 AuctionOver off p4",
                "A5 cancelled 10 AuctionOver off p6",
                "official close @50",
                "phase Closed",
            ],
        ),
    ]);
}

#[test]
fn stops_wait_until_trading_goes_on() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A buy 10 @70 #1 stop 50",
            &["A1 accepted buy 10 @70 p1", "A1 asks stop 50"],
        ),
        ("phase OpeningAuction", &["phase OpeningAuction"]),
        ("A buy 10 @50 #2", &["A2 accepted buy 10 @50 p2 rests"]),
        (
            "C sell 10 @50 #1",
            &["C1 accepted sell 10 @50 p3 rests", "indicates 10 @50"],
        ),
        (
            "phase Continuous",
            &[
                "cross trade 1 10 @50 C1 p3 leaves 0, A2 leaves 0",
                "uncrossed OpeningAuction 10 @50",
                "official open @50",
                "phase Continuous",
                "A1 triggered buy 10 @70 p4",
                "A1 booked 10 @70 p4",
            ],
        ),
    ]);
}

#[test]
fn a_halt_takes_cancels_only_and_a_delisting_takes_everything_off() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        ("A buy 20 @50 #2 gtc", &["A2 accepted buy 20 @50 p2 gtc rests"]),
        ("phase Halt", &["phase Halt"]),
        ("C sell 10 @50 #1", &["C1 rejected NotInThisPhase"]),
        (
            "A replace #1 by #3 to 10 @55",
            &["A replace by #3 of #1 rejected NotInThisPhase"],
        ),
        ("A reduce #2 to 10", &["A2 reduced by 10 to 10"]),
        ("A cancel #1", &["A1 cancelled 10 Requested off p1"]),
        ("phase Suspended", &["phase Suspended"]),
        ("end", &["day 1 ends"]),
        ("phase Continuous", &["schema 16 rejected MarketClosed"]),
        ("day 2", &["day 2 starts", "listed XYZ closed", "A2 stands 10 @50 p2"]),
        ("phase Continuous", &["phase Continuous"]),
        ("phase Delisted", &["phase Delisted", "A2 cancelled 10 Delisted off p2"]),
        ("phase Continuous", &["schema 16 rejected BadDefinition"]),
        ("A buy 10 @50 #1", &["A1 rejected NotInThisPhase"]),
    ]);
}
