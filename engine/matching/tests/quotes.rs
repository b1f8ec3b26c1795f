//! Quotes and market-maker protection as event tables. How to read one is said in `support/script.rs`.

mod support;

use support::script::play;

#[test]
fn a_quote_is_two_orders_and_a_new_one_takes_its_place() {
    play(&[
        (
            "A quote #1 10@50/10@60",
            &["A quotes #1", "A quote #1 rejected TypeNotOffered"],
        ),
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A quote #2 20@50/20@60",
            &[
                "A quotes #2",
                "A2bid quoted 20 @50 p1 rests",
                "A2ask quoted 20 @60 p2 rests",
            ],
        ),
        // A side that does not grow keeps its place.
        (
            "A quote #3 10@50/20@65",
            &[
                "A quotes #3",
                "A2bid reduced by 10 to 10",
                "A2ask cancelled 20 Requoted off p2",
                "A3ask quoted 20 @65 p3 rests",
            ],
        ),
        ("A quote #4 10@50/20@65", &["A quotes #4"]),
        ("A quote #4 10@50/20@70", &["A ignored Resent"]),
        // What goes goes first, so that the new bid does not meet the old ask.
        (
            "A quote #5 20@65/20@70",
            &[
                "A quotes #5",
                "A2bid cancelled 10 Requoted off p1",
                "A3ask cancelled 20 Requoted off p3",
                "A5bid quoted 20 @65 p4 rests",
                "A5ask quoted 20 @70 p5 rests",
            ],
        ),
        // One quote that is refused leaves what stands, and the others of its message are judged by themselves.
        (
            "A quote #6 20@70/20@70 20@60/0@0",
            &[
                "A quotes #6",
                "A quote #6 rejected QuoteCrossed",
                "A5bid cancelled 20 Requoted off p4",
                "A5ask cancelled 20 Requested off p5",
                "A6bid quoted 20 @60 p6 rests",
            ],
        ),
        (
            "A quote #7 15@60/0@0",
            &["A quotes #7", "A quote #7 rejected QuantityOffLot"],
        ),
        (
            "C sell 30 @60 #1",
            &[
                "C1 accepted sell 30 @60 p7",
                "trade 1 20 @60 A6bid p6 leaves 0, C1 leaves 10",
                "C1 booked 10 @60 p7",
            ],
        ),
        // A quote that meets another order trades like one.
        (
            "A quote #8 20@60/20@70",
            &[
                "A quotes #8",
                "A8bid quoted 20 @60 p8",
                "trade 2 10 @60 C1 p7 leaves 0, A8bid leaves 10",
                "A8bid booked 10 @60 p8",
                "A8ask quoted 20 @70 p9 rests",
            ],
        ),
        // Its id names it, and it is not replaced.
        ("V cancel A8ask", &["A8ask cancelled 20 Requested off p9"]),
        (
            "A replace A8bid by #9 to 10 @55",
            &["A replace by #9 of A8bid rejected UnknownOrder"],
        ),
        ("A unquote", &["A unquotes 1", "A8bid cancelled 10 Requested off p8"]),
        ("A/9 unquote", &["A quotes #0 rejected SessionNotUp"]),
        (
            "A quote #9 10@50/10@60",
            &[
                "A quotes #9",
                "A9bid quoted 10 @50 p10 rests",
                "A9ask quoted 10 @60 p11 rests",
            ],
        ),
        (
            "A lost",
            &[
                "A down 1",
                "A9bid cancelled 10 SessionLost off p10",
                "A9ask cancelled 10 SessionLost off p11",
            ],
        ),
    ]);
}

#[test]
fn protection_takes_the_quotes_off_behind_the_command_that_reached_a_limit() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("V protects D window 1000", &["schema 35 rejected BadDefinition"]),
        (
            "V protects A window 1000 quantity 30 count 3 delta 25",
            &["A is protected"],
        ),
        (
            "A quote #1 50@50/50@60",
            &[
                "A quotes #1",
                "A1bid quoted 50 @50 p1 rests",
                "A1ask quoted 50 @60 p2 rests",
            ],
        ),
        (
            "C sell 10 @50 #1",
            &[
                "C1 accepted sell 10 @50 p3",
                "trade 1 10 @50 A1bid p1 leaves 40, C1 leaves 0",
            ],
        ),
        // Ten bought and ten sold are no delta; a second later the first does not count any more.
        (
            "C buy 10 @60 #2",
            &[
                "C2 accepted buy 10 @60 p4",
                "trade 2 10 @60 A1ask p2 leaves 40, C2 leaves 0",
            ],
        ),
        (
            "+1000 C sell 20 @50 #3",
            &[
                "C3 accepted sell 20 @50 p5",
                "trade 3 20 @50 A1bid p1 leaves 20, C3 leaves 0",
            ],
        ),
        // The incoming order is done before the protection trips.
        (
            "C sell 20 @50 #4",
            &[
                "C4 accepted sell 20 @50 p6",
                "trade 4 20 @50 A1bid p1 leaves 0, C4 leaves 0",
                "A protection trips: bought 40 sold 0 in 2",
                "A1ask cancelled 40 MarketMakerProtection off p2",
            ],
        ),
        (
            "A quote #2 10@40/10@60",
            &["A quotes #2", "A quote #2 rejected ProtectionTripped"],
        ),
        ("C resets", &["C ignored OutOfPlace"]),
        ("A resets", &["A quotes again"]),
        ("A resets", &["A ignored OutOfPlace"]),
        ("V protects A window 1000 count 2", &["A is protected"]),
        (
            "A quote #3 10@40/30@60",
            &[
                "A quotes #3",
                "A3bid quoted 10 @40 p7 rests",
                "A3ask quoted 30 @60 p8 rests",
            ],
        ),
        (
            "C buy 10 @60 #5",
            &[
                "C5 accepted buy 10 @60 p9",
                "trade 5 10 @60 A3ask p8 leaves 20, C5 leaves 0",
            ],
        ),
        (
            "C buy 10 @60 #6",
            &[
                "C6 accepted buy 10 @60 p10",
                "trade 6 10 @60 A3ask p8 leaves 10, C6 leaves 0",
                "A protection trips: bought 0 sold 20 in 2",
                "A3bid cancelled 10 MarketMakerProtection off p7",
                "A3ask cancelled 10 MarketMakerProtection off p8",
            ],
        ),
        ("V protects A delta 10", &["A is protected"]),
        (
            "A quote #4 10@40/30@60",
            &[
                "A quotes #4",
                "A4bid quoted 10 @40 p11 rests",
                "A4ask quoted 30 @60 p12 rests",
            ],
        ),
    ]);
}
