//! Orders with instructions and the rules that offer them, as event tables. How to read one is said in
//! `support/script.rs`; `p1` is a public reference, and an order that the feed does not see has no "rests" or "booked".

mod support;

use support::script::play;

#[test]
fn without_a_rulebook_an_instrument_offers_plain_orders_only() {
    play(&[
        ("A buy 10 @50 #1 hidden", &["A1 rejected InstructionNotOffered"]),
        ("A buy 10 @50 #2 display 10", &["A2 rejected InstructionNotOffered"]),
        ("A buy 10 #3 market stop 50", &["A3 rejected TypeNotOffered"]),
        ("A buy 10 @50 #4 stop 50", &["A4 rejected TypeNotOffered"]),
        ("A buy 10 @50 #5 gtc until 900", &["A5 rejected LifetimeNotOffered"]),
        ("A buy 10 @50 #6 group 1", &["A6 rejected InstructionNotOffered"]),
        ("A buy 10 @50 #7 gtc", &["A7 accepted buy 10 @50 p1 gtc rests"]),
    ]);
}

#[test]
fn rules_come_version_by_version_and_fit_the_definition() {
    play(&[
        ("ticks 1 0:5", &["schema 13 rejected BadDefinition"]),
        ("rulebook 2", &["schema 12 rejected BadDefinition"]),
        ("rulebook 1 lot 20 min 40 max 100", &["rulebook 1 of 1"]),
        ("rulebook 1", &["schema 12 rejected BadDefinition"]),
        ("A buy 10 @50 #1", &["A1 rejected QuantityOffLot"]),
        ("A buy 20 @50 #2", &["A2 rejected QuantityTooSmall"]),
        ("A buy 120 @50 #3", &["A3 rejected QuantityTooLarge"]),
        ("A buy 40 @50 #4", &["A4 accepted buy 40 @50 p1 rests"]),
        ("rulebook 2 lot 15", &["schema 12 rejected BadDefinition"]),
        ("rulebook 2 lot 0", &["schema 12 rejected BadDefinition"]),
        ("rulebook 2 max 1010", &["schema 12 rejected BadDefinition"]),
        ("rulebook 2 protection 7", &["schema 12 rejected BadDefinition"]),
        ("rulebook 2 without 0", &["rulebook 2 of 1"]),
        ("A buy 40 @50 #5", &["A5 rejected TypeNotOffered"]),
        (
            "A replace #4 by #6 to 40 @55",
            &["A replace by #6 of #4 rejected TypeNotOffered"],
        ),
        ("A cancel #4", &["A4 cancelled 40 Requested off p1"]),
    ]);
}

#[test]
fn the_tick_size_depends_on_the_price() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("ticks 2 0:5 100:10", &["ticks 2 of 1"]),
        ("ticks 3 5:5", &["schema 13 rejected BadDefinition"]),
        ("ticks 3 0:5 102:10", &["schema 13 rejected BadDefinition"]),
        ("ticks 3 0:7", &["schema 13 rejected BadDefinition"]),
        ("ticks 3 0:5 100:10 100:20", &["schema 13 rejected BadDefinition"]),
        ("A buy 10 @95 #1", &["A1 accepted buy 10 @95 p1 rests"]),
        ("A buy 10 @105 #2", &["A2 rejected PriceOffTick"]),
        ("A sell 10 @110 #3", &["A3 accepted sell 10 @110 p2 rests"]),
        // A slide goes by the tick of the price it comes to.
        (
            "C buy 10 @120 #1 post-only slide",
            &["C1 accepted buy 10 @100 p3 rests", "C1 asks post-only slide"],
        ),
    ]);
}

#[test]
fn a_post_only_order_never_takes() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("A sell 10 @50 #1", &["A1 accepted sell 10 @50 p1 rests"]),
        ("C buy 10 @50 #1 post-only", &["C1 rejected PostOnlyWouldTrade"]),
        (
            "C buy 10 @45 #2 post-only",
            &["C2 accepted buy 10 @45 p2 rests", "C2 asks post-only"],
        ),
        (
            "C buy 10 @90 #3 post-only slide",
            &["C3 accepted buy 10 @45 p3 rests", "C3 asks post-only slide"],
        ),
        ("C buy 10 @50 #4 ioc post-only", &["C4 rejected InstructionConflict"]),
        ("C buy 10 @50 #5 slide", &["C5 rejected InstructionConflict"]),
        // Hidden orders count too.
        (
            "A sell 10 @40 #2 ioc",
            &[
                "A2 accepted sell 10 @40 p4 ioc",
                "trade 1 10 @45 C2 p2 leaves 0, A2 leaves 0",
            ],
        ),
        ("A cancel #1", &["A1 cancelled 10 Requested off p1"]),
        (
            "A sell 10 @50 #3 hidden",
            &["A3 accepted sell 10 @50 p5", "A3 asks hidden"],
        ),
        ("C buy 10 @50 #6 post-only", &["C6 rejected PostOnlyWouldTrade"]),
        (
            "C replace #3 by #7 to 10 @55",
            &[
                "C3 replaced #3 -> #7 10 -> 10 @45 p3 -> p6 rests",
                "C3 asks post-only slide",
            ],
        ),
        // Nowhere to slide to.
        ("C cancel #7", &["C3 cancelled 10 Requested off p6"]),
        ("A sell 10 @5 #4", &["A4 accepted sell 10 @5 p7 rests"]),
        ("C buy 10 @5 #8 post-only slide", &["C8 rejected PostOnlyWouldTrade"]),
    ]);
}

#[test]
fn a_hidden_order_stands_behind_displayed_ones_of_its_price() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A sell 30 @50 #1 hidden",
            &["A1 accepted sell 30 @50 p1", "A1 asks hidden"],
        ),
        ("A sell 10 @50 #2", &["A2 accepted sell 10 @50 p2 rests"]),
        (
            "A sell 10 @45 #3 hidden",
            &["A3 accepted sell 10 @45 p3", "A3 asks hidden"],
        ),
        (
            "C buy 30 @50 #1",
            &[
                "C1 accepted buy 30 @50 p4",
                "hidden trade 1 10 @45 A3 p3 leaves 0, C1 leaves 20",
                "trade 2 10 @50 A2 p2 leaves 0, C1 leaves 10",
                "hidden trade 3 10 @50 A1 p1 leaves 20, C1 leaves 0",
            ],
        ),
        ("A reduce #1 to 10", &["A1 reduced by 10 to 10 shown 0"]),
        (
            "A sell 10 @60 #4 hidden display 10",
            &["A4 rejected InstructionConflict"],
        ),
        (
            "A replace #1 by #5 to 20 @55 plainly",
            &["A1 replaced #1 -> #5 10 -> 20 @55 unseen -> p5 rests executed 10"],
        ),
        (
            "A replace #5 by #6 to 20 @55 hidden",
            &[
                "A1 replaced #5 -> #6 20 -> 20 @55 p5 -> p6 executed 10",
                "A1 asks hidden",
            ],
        ),
        ("A cancel #6", &["A1 cancelled 20 Requested"]),
    ]);
}

#[test]
fn an_iceberg_shows_a_part_and_its_next_part_stands_behind_the_others() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A sell 50 @50 #1 display 20",
            &[
                "A1 accepted sell 50 @50 p1",
                "A1 asks display 20",
                "A1 booked 20 @50 p1",
            ],
        ),
        ("B sell 10 @50 #1", &["B1 accepted sell 10 @50 p2 rests"]),
        (
            "C buy 40 @50 #1",
            &[
                "C1 accepted buy 40 @50 p3",
                "trade 1 20 @50 A1 p1 leaves 30, C1 leaves 20",
                "A1 booked 20 @50 p4",
                "trade 2 10 @50 B1 p2 leaves 0, C1 leaves 10",
                "trade 3 10 @50 A1 p4 leaves 20, C1 leaves 0",
            ],
        ),
        // Ten shown and ten behind: what nobody sees goes first.
        ("A reduce #1 to 15", &["A change of #1 rejected QuantityOffLot"]),
        ("A reduce #1 to 10", &["A1 reduced by 10 to 10 shown 0"]),
        (
            "C buy 20 @50 #2 fok",
            &["C2 accepted buy 20 @50 p5 fok", "C2 cancelled 20 NotFillable"],
        ),
        ("A sell 10 @50 #2 display 20", &["A2 rejected DisplayInvalid"]),
        ("A sell 20 @50 #3 display 5", &["A3 rejected DisplayInvalid"]),
        // Any replace loses its place.
        (
            "A replace #1 by #4 to 40 @50 keep counts",
            &[
                "A1 replaced #1 -> #4 10 -> 10 @50 p4 -> p6 executed 30",
                "A1 asks display 20",
                "A1 booked 10 @50 p6",
            ],
        ),
    ]);
}

#[test]
fn a_minimum_trades_at_once_or_the_order_goes() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("A sell 20 @50 #1", &["A1 accepted sell 20 @50 p1 rests"]),
        (
            "C buy 50 @50 #1 minimum 30",
            &[
                "C1 accepted buy 50 @50 p2",
                "C1 asks minimum 30",
                "C1 cancelled 50 MinimumNotMet",
            ],
        ),
        (
            "C buy 50 @50 #2 minimum 20",
            &[
                "C2 accepted buy 50 @50 p3",
                "C2 asks minimum 20",
                "trade 1 20 @50 A1 p1 leaves 0, C2 leaves 30",
                "C2 booked 30 @50 p3",
            ],
        ),
        ("C buy 10 @50 #3 minimum 20", &["C3 rejected MinimumInvalid"]),
        ("C buy 10 @50 #4 minimum 10 fok", &["C4 rejected InstructionConflict"]),
    ]);
}

#[test]
fn a_market_order_trades_within_the_protection_range() {
    play(&[
        ("rulebook 1 protection 10", &["rulebook 1 of 1"]),
        ("A sell 10 @50 #1", &["A1 accepted sell 10 @50 p1 rests"]),
        ("A sell 10 @60 #2", &["A2 accepted sell 10 @60 p2 rests"]),
        ("A sell 10 @65 #3", &["A3 accepted sell 10 @65 p3 rests"]),
        (
            "C buy 30 #1 market",
            &[
                "C1 accepted buy 30 market p4",
                "trade 1 10 @50 A1 p1 leaves 0, C1 leaves 20",
                "trade 2 10 @60 A2 p2 leaves 0, C1 leaves 10",
                "C1 cancelled 10 Unfilled",
            ],
        ),
        (
            "C sell 10 #2 market",
            &["C2 accepted sell 10 market p5", "C2 cancelled 10 Unfilled"],
        ),
    ]);
}

#[test]
fn a_stop_waits_for_a_trade_at_its_price() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A buy 10 #1 market stop 60",
            &["A1 accepted buy 10 market p1", "A1 asks stop 60"],
        ),
        (
            "B buy 20 @65 #1 stop 55 display 10",
            &["B1 accepted buy 20 @65 p2", "B1 asks display 10 stop 55"],
        ),
        ("A buy 10 @50 #2 stop 53", &["A2 rejected TriggerInvalid"]),
        ("A buy 10 @50 #3 stop 50 ioc", &["A3 rejected InstructionConflict"]),
        ("C sell 10 @60 #1", &["C1 accepted sell 10 @60 p3 rests"]),
        ("C sell 10 @70 #2", &["C2 accepted sell 10 @70 p4 rests"]),
        // The trade at 60 reaches both; the older goes first, and each to its end.
        (
            "A buy 10 @60 #4",
            &[
                "A4 accepted buy 10 @60 p5",
                "trade 1 10 @60 C1 p3 leaves 0, A4 leaves 0",
                "A1 triggered buy 10 market p6",
                "trade 2 10 @70 C2 p4 leaves 0, A1 leaves 0",
                "B1 triggered buy 20 @65 p7",
                "B1 booked 10 @65 p7",
            ],
        ),
        // Reached already: live at once.
        (
            "A sell 10 @80 #5 stop 70",
            &[
                "A5 accepted sell 10 @80 p8",
                "A5 asks stop 70",
                "A5 triggered sell 10 @80 p9",
                "A5 booked 10 @80 p9",
            ],
        ),
        // From then on it is a limit order like any other.
        (
            "A replace #5 by #6 to 10 @85",
            &["A5 replaced #5 -> #6 10 -> 10 @85 p9 -> p10 rests"],
        ),
        (
            "C sell 10 @60 #3 stop 20",
            &["C3 accepted sell 10 @60 p11", "C3 asks stop 20"],
        ),
        ("C reduce #3 to 5", &["C change of #3 rejected QuantityOffLot"]),
        ("C cancel #3", &["C3 cancelled 10 Requested"]),
    ]);
}

#[test]
fn a_trailing_stop_follows_the_market_and_never_steps_back() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("A sell 10 #1 market trailing stop 10", &["A1 rejected TriggerInvalid"]),
        ("C buy 100 @50 #1", &["C1 accepted buy 100 @50 p1 rests"]),
        (
            "A sell 10 @50 #2",
            &[
                "A2 accepted sell 10 @50 p2",
                "trade 1 10 @50 C1 p1 leaves 90, A2 leaves 0",
            ],
        ),
        (
            "A sell 10 #3 market trailing stop 10",
            &["A3 accepted sell 10 market p3", "A3 asks trailing stop 10"],
        ),
        ("C buy 10 @60 #2", &["C2 accepted buy 10 @60 p4 rests"]),
        // At 60 the stop is at 50.
        (
            "B sell 10 @60 #1",
            &[
                "B1 accepted sell 10 @60 p5",
                "trade 2 10 @60 C2 p4 leaves 0, B1 leaves 0",
            ],
        ),
        (
            "B sell 10 @50 #2",
            &[
                "B2 accepted sell 10 @50 p6",
                "trade 3 10 @50 C1 p1 leaves 80, B2 leaves 0",
                "A3 triggered sell 10 market p7",
                "trade 4 10 @50 C1 p1 leaves 70, A3 leaves 0",
            ],
        ),
        (
            "A sell 10 @50 #4 trailing stop 10",
            &["A4 rejected InstructionConflict"],
        ),
    ]);
}

#[test]
fn an_order_stands_until_its_date() {
    // Each line comes a microsecond behind the one before, the first at the fifteenth.
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A buy 10 @50 #1 gtc until 21",
            &["A1 accepted buy 10 @50 p1 gtc rests", "A1 asks until 21000"],
        ),
        (
            "A buy 10 @50 #2 gtc until 20",
            &["A2 accepted buy 10 @50 p2 gtc rests", "A2 asks until 20000"],
        ),
        ("A buy 10 @50 #3 gtc until 18", &["A3 rejected ExpiryInvalid"]),
        ("A buy 10 @50 #4 until 90", &["A4 rejected InstructionConflict"]),
        ("tick", &["A2 cancelled 10 Expired off p2", "ticked"]),
        // Before the command that comes then: it finds nothing to trade with.
        (
            "C sell 30 @50 #1",
            &["A1 cancelled 10 Expired off p1", "C1 accepted sell 30 @50 p3 rests"],
        ),
    ]);
}

#[test]
fn a_firm_is_kept_from_trading_with_itself_as_it_chose() {
    play(&[
        ("rulebook 1 self-trade 1", &["rulebook 1 of 1"]),
        ("A sell 10 @50 #1", &["A1 accepted sell 10 @50 p1 rests"]),
        ("C sell 10 @50 #1", &["C1 accepted sell 10 @50 p2 rests"]),
        // The instrument's rule: newest.
        (
            "B buy 20 @50 #1",
            &["B1 accepted buy 20 @50 p3", "B1 cancelled 20 SelfTrade"],
        ),
        // Another group may.
        (
            "B buy 10 @50 #2 group 7",
            &[
                "B2 accepted buy 10 @50 p4",
                "B2 asks group 7",
                "trade 1 10 @50 A1 p1 leaves 0, B2 leaves 0",
            ],
        ),
        ("V prevents oldest firm 1", &["firm 1 self-trade CancelOldest"]),
        ("A sell 10 @45 #2", &["A2 accepted sell 10 @45 p5 rests"]),
        (
            "B buy 20 @50 #3",
            &[
                "B3 accepted buy 20 @50 p6",
                "A2 cancelled 10 SelfTrade off p5",
                "trade 2 10 @50 C1 p2 leaves 0, B3 leaves 10",
                "B3 booked 10 @50 p6",
            ],
        ),
        ("V prevents both firm 1", &["firm 1 self-trade CancelBoth"]),
        (
            "A sell 30 @50 #3",
            &[
                "A3 accepted sell 30 @50 p7",
                "B3 cancelled 10 SelfTrade off p6",
                "A3 cancelled 30 SelfTrade",
            ],
        ),
        ("V prevents decrement firm 1", &["firm 1 self-trade Decrement"]),
        (
            "A sell 50 @50 #4 display 20",
            &[
                "A4 accepted sell 50 @50 p8",
                "A4 asks display 20",
                "A4 booked 20 @50 p8",
            ],
        ),
        (
            "B buy 40 @50 #4",
            &[
                "B4 accepted buy 40 @50 p9",
                "A4 reduced by 40 to 10 shown 10",
                "B4 cancelled 40 SelfTrade",
            ],
        ),
        (
            "B buy 30 @50 #5",
            &[
                "B5 accepted buy 30 @50 p10",
                "A4 cancelled 10 SelfTrade off p8",
                "B5 reduced by 10 to 20 shown 0",
                "B5 booked 20 @50 p10",
            ],
        ),
        ("V prevents nothing firm 9", &["schema 14 rejected BadDefinition"]),
    ]);
}

#[test]
fn a_firms_choice_holds_on_instruments_without_a_rulebook() {
    play(&[
        ("V prevents newest firm 1", &["firm 1 self-trade CancelNewest"]),
        ("A sell 10 @50 #1", &["A1 accepted sell 10 @50 p1 rests"]),
        (
            "B buy 20 @50 #1",
            &["B1 accepted buy 20 @50 p2", "B1 cancelled 20 SelfTrade"],
        ),
        (
            "B buy 20 @50 #2 fok",
            &["B2 accepted buy 20 @50 p3 fok", "B2 cancelled 20 NotFillable"],
        ),
        ("B buy 10 @45 #3", &["B3 accepted buy 10 @45 p4 rests"]),
        (
            "B replace #3 by #4 to 10 @50",
            &[
                "B3 replaced #3 -> #4 10 -> 10 @50 p4 -> p5",
                "B3 cancelled 10 SelfTrade",
            ],
        ),
        ("V prevents nothing firm 1", &["firm 1 self-trade Allowed"]),
        (
            "B buy 10 @50 #5",
            &[
                "B5 accepted buy 10 @50 p6",
                "trade 1 10 @50 A1 p1 leaves 0, B5 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn a_mass_cancel_takes_what_fits_all_its_filters() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        (
            "A sell 10 @60 #2 hidden",
            &["A2 accepted sell 10 @60 p2", "A2 asks hidden"],
        ),
        (
            "A sell 10 @60 #3 account 2",
            &["A3 accepted sell 10 @60 p3 rests account 2"],
        ),
        ("B buy 10 @50 #1", &["B1 accepted buy 10 @50 p4 rests"]),
        (
            "C buy 10 @50 #1 stop 90",
            &["C1 accepted buy 10 @50 p5", "C1 asks stop 90"],
        ),
        (
            "A mass account 2",
            &["A mass cancels 1", "A3 cancelled 10 MassCancelled off p3"],
        ),
        ("A mass account 3", &["A mass cancel rejected UnknownAccount"]),
        ("A mass firm 2", &["A mass cancel rejected NotYours"]),
        ("A mass on 2", &["A mass cancel rejected UnknownInstrument"]),
        ("A/9 mass", &["A mass cancel rejected SessionNotUp"]),
        (
            "A mass sells on 1",
            &["A mass cancels 1", "A2 cancelled 10 MassCancelled"],
        ),
        ("B mass sells all", &["B mass cancels 0"]),
        (
            "B mass all",
            &[
                "B mass cancels 2",
                "A1 cancelled 10 MassCancelled off p1",
                "B1 cancelled 10 MassCancelled off p4",
            ],
        ),
        ("V mass firm 1", &["V mass cancels 0"]),
        ("V mass", &["V mass cancels 1", "C1 cancelled 10 MassCancelled"]),
    ]);
}

#[test]
fn a_kill_switch_takes_a_firms_orders_and_takes_no_more() {
    play(&[
        ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        ("B buy 10 @50 #1 gtc", &["B1 accepted buy 10 @50 p2 gtc rests"]),
        ("C sell 10 @60 #1", &["C1 accepted sell 10 @60 p3 rests"]),
        (
            "V kill firm 1",
            &[
                "firm 1 killed true",
                "A1 cancelled 10 FirmKilled off p1",
                "B1 cancelled 10 FirmKilled off p2",
            ],
        ),
        ("A buy 10 @50 #2", &["A2 rejected FirmKilled"]),
        ("C buy 10 @50 #2", &["C2 accepted buy 10 @50 p4 rests"]),
        ("V revive firm 1", &["firm 1 killed false"]),
        ("A buy 10 @50 #3", &["A3 accepted buy 10 @50 p5 rests"]),
        ("V kill firm 9", &["schema 15 rejected BadDefinition"]),
    ]);
}

#[test]
fn what_stands_overnight_is_stated_with_its_instructions() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        (
            "A sell 50 @50 #1 gtc display 20",
            &[
                "A1 accepted sell 50 @50 p1 gtc",
                "A1 asks display 20",
                "A1 booked 20 @50 p1",
            ],
        ),
        (
            "A sell 10 @50 #2 gtc hidden",
            &["A2 accepted sell 10 @50 p2 gtc", "A2 asks hidden"],
        ),
        (
            "A sell 10 #3 gtc market stop 40",
            &["A3 accepted sell 10 market p3 gtc", "A3 asks stop 40"],
        ),
        (
            "A sell 10 @60 #4 hidden",
            &["A4 accepted sell 10 @60 p4", "A4 asks hidden"],
        ),
        (
            "C buy 10 @40 #1 stop 90",
            &["C1 accepted buy 10 @40 p5", "C1 asks stop 90"],
        ),
        (
            "end",
            &["A4 cancelled 10 DayEnded", "C1 cancelled 10 DayEnded", "day 1 ends"],
        ),
        (
            "day 2",
            &[
                "day 2 starts",
                "listed XYZ trading",
                "A1 stands 50 @50 p1 shows 20",
                "A1 asks display 20",
                "A2 stands 10 @50 p2 shows 0",
                "A2 asks hidden",
                "A3 stands 10 @0 p3 shows 0",
                "A3 asks stop 40",
            ],
        ),
    ]);
}
