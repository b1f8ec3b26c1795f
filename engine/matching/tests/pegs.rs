//! Pegged orders as event tables. How to read one is said in `support/script.rs`.

mod support;

use support::script::play;

#[test]
fn a_peg_is_offered_hidden_and_alone() {
    play(&[
        ("rulebook 1 without 21", &["rulebook 1 of 1"]),
        (
            "A buy 10 @50 #1 hidden primary-peg",
            &["A1 rejected InstructionNotOffered"],
        ),
        ("A buy 10 @50 #2 midpoint-peg", &["A2 rejected InstructionConflict"]),
        ("rulebook 2", &["rulebook 2 of 1"]),
        (
            "A buy 10 @50 #3 hidden primary-peg midpoint-peg",
            &["A3 rejected InstructionConflict"],
        ),
        (
            "A buy 10 @50 #4 hidden primary-peg stop 50",
            &["A4 rejected InstructionConflict"],
        ),
        (
            "A buy 10 @50 #5 hidden primary-peg minimum 10",
            &["A5 rejected InstructionConflict"],
        ),
        (
            "A buy 10 @50 #6 hidden primary-peg discretion",
            &["A6 rejected DiscretionNotOffered"],
        ),
        ("phase OpeningAuction", &["phase OpeningAuction"]),
        ("A buy 10 @50 #7 hidden primary-peg", &["A7 rejected NotInThisPhase"]),
    ]);
}

#[test]
fn a_primary_peg_follows_the_best_price_of_its_side_up_to_its_limit() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A buy 10 @60 #1 hidden primary-peg",
            &[
                "A1 accepted buy 10 @60 p1",
                "A1 asks hidden primary-peg",
                "A1 follows nothing p1",
            ],
        ),
        (
            "B buy 10 @50 #1",
            &["B1 accepted buy 10 @50 p2 rests", "A1 follows @50 p3"],
        ),
        (
            "B buy 10 @55 #2",
            &["B2 accepted buy 10 @55 p4 rests", "A1 follows @55 p5"],
        ),
        (
            "B buy 10 @70 #3",
            &["B3 accepted buy 10 @70 p6 rests", "A1 follows @60 p7"],
        ),
        (
            "B cancel #3",
            &["B3 cancelled 10 Requested off p6", "A1 follows @55 p8"],
        ),
        // Behind the displayed order of its price.
        (
            "C sell 20 @55 #1",
            &[
                "C1 accepted sell 20 @55 p9",
                "trade 1 10 @55 B2 p4 leaves 0, C1 leaves 10",
                "hidden trade 2 10 @55 A1 p8 leaves 0, C1 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn midpoint_pegs_meet_in_the_middle() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("B buy 10 @50 #1", &["B1 accepted buy 10 @50 p1 rests"]),
        ("B sell 10 @70 #2", &["B2 accepted sell 10 @70 p2 rests"]),
        (
            "A buy 20 @100 #1 hidden midpoint-peg",
            &[
                "A1 accepted buy 20 @100 p3",
                "A1 asks hidden midpoint-peg",
                "A1 follows @60 p3",
            ],
        ),
        (
            "C sell 10 @5 #1 hidden midpoint-peg",
            &[
                "C1 accepted sell 10 @5 p4",
                "C1 asks hidden midpoint-peg",
                "C1 follows @60 p4",
                "hidden trade 1 10 @60 A1 p3 leaves 10, C1 leaves 0",
            ],
        ),
        // Between two ticks each keeps away from the other.
        (
            "B cancel #2",
            &["B2 cancelled 10 Requested off p2", "A1 follows nothing p5"],
        ),
        (
            "B sell 10 @75 #3",
            &["B3 accepted sell 10 @75 p6 rests", "A1 follows @60 p7"],
        ),
        (
            "C sell 10 @5 #2 hidden midpoint-peg",
            &[
                "C2 accepted sell 10 @5 p8",
                "C2 asks hidden midpoint-peg",
                "C2 follows @65 p8",
            ],
        ),
        // A price that moves over a hidden order trades with it.
        (
            "C sell 10 @65 #3 hidden",
            &["C3 accepted sell 10 @65 p9", "C3 asks hidden"],
        ),
        (
            "B replace #1 by #4 to 10 @60",
            &[
                "B1 replaced #1 -> #4 10 -> 10 @60 p1 -> p10 rests",
                "A1 follows @65 p11",
                "hidden trade 2 10 @65 C2 p8 leaves 0, A1 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn pegs_stand_aside_outside_of_continuous_trading() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("B buy 10 @50 #1 gtc", &["B1 accepted buy 10 @50 p1 gtc rests"]),
        (
            "A buy 10 @60 #1 gtc hidden primary-peg",
            &[
                "A1 accepted buy 10 @60 p2 gtc",
                "A1 asks hidden primary-peg",
                "A1 follows @50 p2",
            ],
        ),
        (
            "phase OpeningAuction",
            &["phase OpeningAuction", "A1 follows nothing p3"],
        ),
        (
            "C sell 20 @50 #1",
            &["C1 accepted sell 20 @50 p4 rests", "indicates 10 @50 sell 10 over"],
        ),
        ("B buy 10 @45 #2", &["B2 accepted buy 10 @45 p5 rests"]),
        (
            "phase Continuous",
            &[
                "cross trade 1 10 @50 C1 p4 leaves 10, B1 leaves 0",
                "uncrossed OpeningAuction 10 @50",
                "official open @50",
                "phase Continuous",
                "A1 follows @45 p6",
            ],
        ),
        ("A reduce #1 to 10", &["A ignored Superfluous"]),
        (
            "end",
            &[
                "B2 cancelled 10 DayEnded off p5",
                "C1 cancelled 10 DayEnded off p4",
                "day 1 ends",
                "A1 follows nothing p7",
            ],
        ),
        (
            "day 2",
            &[
                "day 2 starts",
                "listed XYZ trading",
                "A1 stands 10 @0 p7 shows 0",
                "A1 asks hidden primary-peg",
            ],
        ),
        (
            "A/1 buy 10 @40 #1",
            &["A1 accepted buy 10 @40 p8 rests", "A1 follows @40 p9"],
        ),
    ]);
}
