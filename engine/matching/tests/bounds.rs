//! Price bounds and halts as event tables. How to read one is said in `support/script.rs`; times are milliseconds.

mod support;

use support::script::play;

#[test]
fn bounds_come_under_a_version_and_fit_the_definition() {
    play(&[
        ("bands 1 collar 1000", &["schema 17 rejected BadDefinition"]),
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("bands 1 collar 1000", &["schema 17 rejected BadDefinition"]),
        ("bands 2 collar 10001", &["schema 17 rejected BadDefinition"]),
        ("bands 2 reference 7", &["schema 17 rejected BadDefinition"]),
        ("bands 2 limit 500 window 15", &["schema 17 rejected BadDefinition"]),
        ("bands 2 limit 500 limit-state 0", &["schema 17 rejected BadDefinition"]),
        (
            "bands 2 interruption 500 pause 0",
            &["schema 17 rejected BadDefinition"],
        ),
        ("bands 2 collar 1000 reference 100", &["bands 2 of 1"]),
    ]);
}

#[test]
fn a_collar_refuses_what_is_too_aggressive() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("bands 2 collar 1000 reference 100", &["bands 2 of 1"]),
        ("A buy 10 @110 #1", &["A1 accepted buy 10 @110 p1 rests"]),
        ("A buy 10 @115 #2", &["A2 rejected PriceOutsideBands"]),
        ("A buy 10 @20 #3", &["A3 accepted buy 10 @20 p2 rests"]),
        ("C sell 10 @85 #1", &["C1 rejected PriceOutsideBands"]),
        (
            "A replace #3 by #4 to 10 @115",
            &["A replace by #4 of #3 rejected PriceOutsideBands"],
        ),
        ("A cancel #1", &["A1 cancelled 10 Requested off p1"]),
        // A market order trades no further than the collar.
        (
            "C sell 10 #2 market",
            &["C2 accepted sell 10 market p3", "C2 cancelled 10 Unfilled"],
        ),
        ("A buy 10 @90 #5", &["A5 accepted buy 10 @90 p4 rests"]),
        (
            "C sell 20 #3 market",
            &[
                "C3 accepted sell 20 market p5",
                "trade 1 10 @90 A5 p4 leaves 0, C3 leaves 10",
                "C3 cancelled 10 Unfilled",
            ],
        ),
        // An uncross is the next reference.
        ("phase OpeningAuction", &["phase OpeningAuction"]),
        ("A buy 10 @105 #6", &["A6 accepted buy 10 @105 p6 rests"]),
        (
            "C sell 10 @105 #4",
            &["C4 accepted sell 10 @105 p7 rests", "indicates 10 @105"],
        ),
        (
            "phase Continuous",
            &[
                "cross trade 2 10 @105 C4 p7 leaves 0, A6 leaves 0",
                "uncrossed OpeningAuction 10 @105",
                "official open @105",
                "phase Continuous",
            ],
        ),
        ("A buy 10 @115 #7", &["A7 accepted buy 10 @115 p8 rests"]),
    ]);
}

#[test]
fn a_trade_out_of_range_begins_a_volatility_auction_that_ends_by_itself() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("bands 2 interruption 1000 pause 2000", &["bands 2 of 1"]),
        ("C sell 10 @100 #1", &["C1 accepted sell 10 @100 p1 rests"]),
        (
            "A buy 10 @100 #1",
            &[
                "A1 accepted buy 10 @100 p2",
                "trade 1 10 @100 C1 p1 leaves 0, A1 leaves 0",
            ],
        ),
        ("C sell 10 @110 #2", &["C2 accepted sell 10 @110 p3 rests"]),
        ("C sell 10 @120 #3", &["C3 accepted sell 10 @120 p4 rests"]),
        // Nothing is filled where not all could be in range, and nothing is interrupted by it.
        (
            "A buy 20 @120 #2 fok",
            &["A2 accepted buy 20 @120 p5 fok", "A2 cancelled 20 NotFillable"],
        ),
        (
            "A buy 20 @120 #3",
            &[
                "A3 accepted buy 20 @120 p6",
                "trade 2 10 @110 C2 p3 leaves 0, A3 leaves 10",
                "A3 booked 10 @120 p6",
                "phase VolatilityAuction",
                "indicates 10 @120",
            ],
        ),
        ("A buy 10 @120 #4 ioc", &["A4 rejected NotInThisPhase"]),
        (
            "+2000 tick",
            &[
                "cross trade 3 10 @120 C3 p4 leaves 0, A3 leaves 0",
                "uncrossed VolatilityAuction 10 @120",
                "phase Continuous",
                "ticked",
            ],
        ),
        // What does not rest goes, and trading is interrupted all the same.
        ("C sell 10 @150 #4", &["C4 accepted sell 10 @150 p7 rests"]),
        (
            "A buy 10 #5 market",
            &[
                "A5 accepted buy 10 market p8",
                "A5 cancelled 10 Unfilled",
                "phase VolatilityAuction",
            ],
        ),
        // The venue may end it at once.
        (
            "phase Continuous",
            &["uncrossed VolatilityAuction 0 @0", "phase Continuous"],
        ),
        ("+2000 tick", &["ticked"]),
    ]);
}

#[test]
fn limit_bands_follow_the_mean_of_the_trades() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("bands 2 limit 1000", &["bands 2 of 1"]),
        ("C sell 100 @200 #1", &["C1 accepted sell 100 @200 p1 rests"]),
        ("C sell 10 @300 #2", &["C2 accepted sell 10 @300 p2 rests"]),
        ("A buy 10 @150 #1", &["A1 accepted buy 10 @150 p3 rests"]),
        // The first trade makes the bands.
        (
            "A buy 10 @200 #2",
            &[
                "A2 accepted buy 10 @200 p4",
                "trade 1 10 @200 C1 p1 leaves 90, A2 leaves 0",
                "bands 180 to 220 around 200",
            ],
        ),
        ("A buy 10 @225 #3", &["A3 rejected PriceOutsideBands"]),
        ("C sell 10 @175 #3", &["C3 rejected PriceOutsideBands"]),
        (
            "C replace #1 by #4 to 10 @210",
            &["C1 replaced #1 -> #4 90 -> 10 @210 p1 -> p5 rests executed 10"],
        ),
        (
            "A buy 10 @210 #4",
            &[
                "A4 accepted buy 10 @210 p6",
                "trade 2 10 @210 C1 p5 leaves 0, A4 leaves 0",
            ],
        ),
        // Offers below the new lower band go; bids below it stand.
        ("C sell 10 @185 #5", &["C5 accepted sell 10 @185 p7 rests"]),
        (
            "+30000 tick",
            &["bands 185 to 225 around 205", "ticked", "limit state sell begins"],
        ),
        // A mean that moves by less than one per cent changes nothing.
        (
            "A buy 10 @210 #5",
            &[
                "A5 accepted buy 10 @210 p8",
                "trade 3 10 @185 C5 p7 leaves 0, A5 leaves 0",
                "limit state sell ends",
            ],
        ),
        ("+30000 tick", &["bands 180 to 220 around 198", "ticked"]),
        // Ten tenths later none of those trades counts, and the bands stand where they are.
        ("+400000 tick", &["ticked"]),
        (
            "A buy 10 @220 #6",
            &["A6 accepted buy 10 @220 p9 rests", "limit state buy begins"],
        ),
    ]);
}

#[test]
fn a_limit_state_that_lasts_pauses_trading() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "bands 2 limit 1000 reference 100",
            &["bands 2 of 1", "bands 90 to 110 around 100"],
        ),
        (
            "A buy 20 @110 #1",
            &["A1 accepted buy 20 @110 p1 rests", "limit state buy begins"],
        ),
        ("A reduce #1 to 10", &["A1 reduced by 10 to 10"]),
        (
            "A cancel #1",
            &["A1 cancelled 10 Requested off p1", "limit state buy ends"],
        ),
        ("+20000 tick", &["ticked"]),
        (
            "C sell 10 @90 #1",
            &["C1 accepted sell 10 @90 p2 rests", "limit state sell begins"],
        ),
        ("+14000 tick", &["ticked"]),
        ("+1000 tick", &["phase VolatilityAuction", "ticked"]),
        ("A buy 10 @75 #2", &["A2 accepted buy 10 @75 p3 rests"]),
        (
            "C sell 20 @75 #2",
            &["C2 accepted sell 20 @75 p4 rests", "indicates 10 @75 sell 10 over"],
        ),
        // The pause ends with its uncross, whose price the bands lie around from then on.
        (
            "+300000 tick",
            &[
                "cross trade 1 10 @75 C2 p4 leaves 10, A2 leaves 0",
                "uncrossed VolatilityAuction 10 @75",
                "phase Continuous",
                "bands 70 to 85 around 75",
                "ticked",
            ],
        ),
        // A stop whose limit lies beyond the bands that hold when it goes live is over.
        (
            "A buy 10 @85 #3 stop 80",
            &["A3 accepted buy 10 @85 p5", "A3 asks stop 80"],
        ),
        (
            "bands 3 limit 500 reference 75",
            &["bands 3 of 1", "bands 70 to 80 around 75"],
        ),
        (
            "A buy 10 @80 #4",
            &[
                "A4 accepted buy 10 @80 p6",
                "trade 3 10 @75 C2 p4 leaves 0, A4 leaves 0",
            ],
        ),
        ("C sell 10 @80 #3", &["C3 accepted sell 10 @80 p7 rests"]),
        (
            "A buy 10 @80 #5",
            &[
                "A5 accepted buy 10 @80 p8",
                "trade 4 10 @80 C3 p7 leaves 0, A5 leaves 0",
                "A3 triggered buy 10 @85 p9",
                "A3 cancelled 10 OutsideBands",
            ],
        ),
    ]);
}

#[test]
fn orders_beyond_new_limit_bands_are_taken_off() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("A buy 10 @100 #1", &["A1 accepted buy 10 @100 p1 rests"]),
        (
            "A buy 10 @80 #2 hidden",
            &["A2 accepted buy 10 @80 p2", "A2 asks hidden"],
        ),
        ("A buy 10 @50 #3", &["A3 accepted buy 10 @50 p3 rests"]),
        ("C sell 10 @200 #1", &["C1 accepted sell 10 @200 p4 rests"]),
        (
            "bands 2 limit 1000 reference 60",
            &[
                "bands 2 of 1",
                "bands 55 to 65 around 60",
                "A1 cancelled 10 OutsideBands off p1",
                "A2 cancelled 10 OutsideBands",
            ],
        ),
        (
            "end",
            &[
                "A3 cancelled 10 DayEnded off p3",
                "C1 cancelled 10 DayEnded off p4",
                "day 1 ends",
            ],
        ),
        ("+999999 tick", &["ticked"]),
        (
            "day 2",
            &["day 2 starts", "listed XYZ trading", "bands 55 to 65 around 60"],
        ),
    ]);
}

#[test]
fn a_broken_circuit_halts_the_whole_market() {
    play(&[
        // Instruments without a rulebook too.
        ("A buy 10 @100 #1", &["A1 accepted buy 10 @100 p1 rests"]),
        ("break 1", &["circuit One"]),
        ("break 1", &["schema 30 rejected BadDefinition"]),
        ("C sell 10 @100 #1", &["C1 rejected CircuitBroken"]),
        (
            "A replace #1 by #2 to 10 @90",
            &["A replace by #2 of #1 rejected CircuitBroken"],
        ),
        ("A reduce #1 to 10", &["A ignored Superfluous"]),
        ("break 2", &["circuit Two"]),
        ("break 0", &["circuit None"]),
        (
            "C sell 10 @100 #2",
            &[
                "C2 accepted sell 10 @100 p2",
                "trade 1 10 @100 A1 p1 leaves 0, C2 leaves 0",
            ],
        ),
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("bands 2 interruption 1000", &["bands 2 of 1"]),
        ("C sell 10 @200 #3", &["C3 accepted sell 10 @200 p3 rests"]),
        (
            "A buy 10 @200 #3",
            &[
                "A3 accepted buy 10 @200 p4",
                "A3 booked 10 @200 p4",
                "phase VolatilityAuction",
                "indicates 10 @200",
            ],
        ),
        ("break 3", &["circuit Three"]),
        ("phase Continuous", &["schema 16 rejected CircuitBroken"]),
        ("phase Closed", &["schema 16 rejected CircuitBroken"]),
        ("phase Halt", &["phase Halt"]),
        (
            "phase VolatilityAuction",
            &["phase VolatilityAuction", "indicates 10 @200"],
        ),
        // The interruption ends by the venue's command alone.
        ("+300000 tick", &["ticked"]),
        (
            "A cancel #3",
            &["A3 cancelled 10 Requested off p4", "indicates nothing"],
        ),
        ("end", &["C3 cancelled 10 DayEnded off p3", "day 1 ends"]),
        ("day 2", &["day 2 starts", "circuit None", "listed XYZ closed"]),
        (
            "phase Continuous",
            &["uncrossed VolatilityAuction 0 @0", "phase Continuous"],
        ),
        ("C sell 10 @100 #1", &["C1 accepted sell 10 @100 p5 rests"]),
    ]);
}
