//! Releases, definitions, trading days and sessions as event tables. How to read one is said in `support/script.rs`.

mod support;

use rialto_matching::{Engine, Limits, Matching, reference};
use rialto_model::command::*;
use rialto_model::limits::*;
use rialto_model::*;
use support::script::{play, world_commands, xyz};

#[test]
fn day_orders_expire_and_the_others_keep_their_place_over_the_night() {
    play(&[
        ("A buy 100 @50 #1 gtc", &["A1 accepted buy 100 @50 p1 gtc rests"]),
        ("B buy 30 @50 #1", &["B1 accepted buy 30 @50 p2 rests"]),
        ("C sell 50 @60 #1", &["C1 accepted sell 50 @60 p3 rests"]),
        ("A buy 20 @55 #2", &["A2 accepted buy 20 @55 p4 rests"]),
        (
            "B buy 40 @50 #2 gtc attributed",
            &["B2 accepted buy 40 @50 p5 gtc rests as ONE"],
        ),
        ("C sell 60 @60 #2 gtc", &["C2 accepted sell 60 @60 p6 gtc rests"]),
        (
            "C sell 30 @50 #3",
            &[
                "C3 accepted sell 30 @50 p7",
                "trade 1 20 @55 A2 p4 leaves 0, C3 leaves 10",
                "trade 2 10 @50 A1 p1 leaves 90, C3 leaves 0",
            ],
        ),
        ("day 2", &["V ignored OutOfPlace"]),
        (
            "end",
            &[
                "B1 cancelled 30 DayEnded off p2",
                "C1 cancelled 50 DayEnded off p3",
                "day 1 ends",
            ],
        ),
        ("end", &["V ignored OutOfPlace"]),
        ("A cancel #1", &["A change of #1 rejected MarketClosed"]),
        ("A cancel A1", &["A change of A1 rejected MarketClosed"]),
        ("V cancel A1", &["V change of A1 rejected MarketClosed"]),
        (
            "A replace A1 by #9 to 10 @50",
            &["A replace by #9 of A1 rejected MarketClosed"],
        ),
        ("day 1", &["V ignored OutOfPlace"]),
        (
            "day 3",
            &[
                "day 3 starts",
                "listed XYZ trading",
                "A1 stands 90 @50 p1 executed 10",
                "B2 stands 40 @50 p5 as ONE",
                "C2 stands 60 @60 p6",
            ],
        ),
        // References begin again; a carried order is named by its id only, and public references go on.
        ("A cancel #1", &["A change of #1 rejected UnknownOrder"]),
        ("A buy 10 @40 #1", &["A1 accepted buy 10 @40 p8 rests"]),
        ("A cancel #1", &["A1 cancelled 10 Requested off p8"]),
        ("B cancel B2 in 4 id c", &["B2 cancelled 40 Requested off p5 in 4 id c"]),
    ]);
}

#[test]
fn while_cancels_are_taken_alone_orders_stand_and_may_only_shrink() {
    play(&[
        ("A buy 100 @50 #1", &["A1 accepted buy 100 @50 p1 rests"]),
        ("V all-orders", &["V ignored Superfluous"]),
        ("V only-cancels", &["cancels only true"]),
        ("V only-cancels", &["V ignored Superfluous"]),
        ("A buy 100 @50 #2", &["A2 rejected CancelOnly"]),
        // The reference is consumed, as by any refusal.
        ("A buy 100 @50 #2", &["A ignored Resent"]),
        (
            "A replace #1 by #3 to 10 @50",
            &["A replace by #3 of #1 rejected CancelOnly"],
        ),
        ("B sell 10 @50 #1", &["B1 rejected CancelOnly"]),
        ("A reduce #1 to 40", &["A1 reduced by 60 to 40"]),
        ("A cancel #1", &["A1 cancelled 40 Requested off p1"]),
        ("end", &["day 1 ends"]),
        ("A buy 100 @50 #4", &["A4 rejected MarketClosed"]),
        ("day 2", &["day 2 starts", "listed XYZ trading"]),
        ("A buy 100 @50 #1", &["A1 rejected CancelOnly"]),
        ("V all-orders", &["cancels only false"]),
        ("A buy 100 @50 #2", &["A2 accepted buy 100 @50 p2 rests"]),
    ]);
}

#[test]
fn a_carried_order_and_an_order_of_today_may_have_one_reference() {
    play(&[
        ("A buy 100 @50 #1 gtc", &["A1 accepted buy 100 @50 p1 gtc rests"]),
        ("end", &["day 1 ends"]),
        ("day 2", &["day 2 starts", "listed XYZ trading", "A1 stands 100 @50 p1"]),
        ("A sell 10 @60 #1", &["A1 accepted sell 10 @60 p2 rests"]),
        // Filling the carried one leaves the name of today's alone.
        (
            "C sell 100 @50 #1",
            &[
                "C1 accepted sell 100 @50 p3",
                "trade 1 100 @50 A1 p1 leaves 0, C1 leaves 0",
            ],
        ),
        ("A cancel #1", &["A1 cancelled 10 Requested off p2"]),
    ]);
}

#[test]
fn a_carried_order_is_replaced_into_a_name_of_today() {
    play(&[
        ("A buy 100 @50 #9 gtc", &["A9 accepted buy 100 @50 p1 gtc rests"]),
        ("end", &["day 1 ends"]),
        ("day 2", &["day 2 starts", "listed XYZ trading", "A9 stands 100 @50 p1"]),
        (
            "A replace A9 by #1 to 80 @50 keep",
            &["A9 replaced #9 -> #1 100 -> 80 @50 keeps p1 rests"],
        ),
        ("A reduce #1 to 50", &["A9 reduced by 30 to 50"]),
        // It became a DAY order by the replace.
        ("end", &["A9 cancelled 50 DayEnded off p1", "day 2 ends"]),
        ("day 3", &["day 3 starts", "listed XYZ trading"]),
    ]);
}

#[test]
fn a_session_has_one_connection_after_the_other() {
    play(&[
        ("D up 1", &["D ignored OutOfPlace"]),
        ("A up 2", &["A ignored OutOfPlace"]),
        ("A/2 lost", &["A ignored OutOfPlace"]),
        ("A/2 note", &["A ignored SessionNotUp"]),
        ("A/1 note", &["A notes 0"]),
        ("A/1 lost", &["A down 1"]),
        ("A/1 lost", &["A ignored OutOfPlace"]),
        ("A/1 note", &["A ignored SessionNotUp"]),
        ("A/1 buy 10 @50 #1", &["A1 rejected SessionNotUp"]),
        ("A up 1", &["A ignored OutOfPlace"]),
        ("A up 5", &["A up 5"]),
        // An order of an ended connection arrives late.
        ("A/1 buy 10 @50 #1", &["A1 rejected SessionNotUp"]),
        ("A/5 buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        ("tick", &["ticked"]),
    ]);
}

#[test]
fn a_lost_session_takes_its_day_orders_along_where_they_ask_for_it() {
    play(&[
        ("A buy 10 @50 #1 cod", &["A1 accepted buy 10 @50 p1 rests"]),
        ("A sell 20 @90 #2 cod", &["A2 accepted sell 20 @90 p2 rests"]),
        ("A buy 30 @50 #3", &["A3 accepted buy 30 @50 p3 rests"]),
        ("A buy 40 @50 #4 cod gtc", &["A4 accepted buy 40 @50 p4 gtc rests"]),
        ("B buy 50 @50 #1 cod", &["B1 accepted buy 50 @50 p5 rests"]),
        // The replace carries the policy, and the chain goes to the session that replaces.
        (
            "A replace #3 by #5 to 30 @55 cod",
            &["A3 replaced #3 -> #5 30 -> 30 @55 p3 -> p6 rests"],
        ),
        (
            "A replace #1 by #6 to 10 @50 cod",
            &["A1 replaced #1 -> #6 10 -> 10 @50 p1 -> p7 rests"],
        ),
        ("A buy 60 @50 #7 cod", &["A7 accepted buy 60 @50 p8 rests"]),
        (
            "B replace A7 by #2 to 60 @50",
            &["A7 replaced by B #7 -> #2 60 -> 60 @50 p8 -> p9 rests"],
        ),
        (
            "A lost",
            &[
                "A down 1",
                "A1 cancelled 10 SessionLost off p7",
                "A2 cancelled 20 SessionLost off p2",
                "A3 cancelled 30 SessionLost off p6",
            ],
        ),
        ("B cancel A4", &["A4 cancelled 40 Requested off p4"]),
        ("B lost", &["B down 1", "B1 cancelled 50 SessionLost off p5"]),
        ("V cancel A7", &["A7 cancelled 60 Requested off p9"]),
    ]);
}

#[test]
fn a_session_that_is_connected_elsewhere_since_a_fork_takes_nothing_along() {
    play(&[
        ("A buy 10 @50 #1 cod", &["A1 accepted buy 10 @50 p1 rests"]),
        ("A forked", &["A down 1"]),
        ("A buy 10 @50 #2", &["A2 rejected SessionNotUp"]),
        ("A forked", &["A ignored OutOfPlace"]),
        ("A up 2", &["A up 2"]),
        ("A lost", &["A down 2", "A1 cancelled 10 SessionLost off p1"]),
    ]);
}

#[test]
fn a_release_never_goes_back_and_never_beyond_this_build() {
    play(&[
        ("release 1", &["released 1"]),
        ("release 0", &["schema 1 rejected BadDefinition"]),
        ("release 2", &["schema 1 rejected BadDefinition"]),
    ]);
}

/// A definition, and whether it stands.
type Definitions = [(&'static str, Command, bool)];

#[test]
fn definitions_are_made_once_and_within_their_bounds() {
    let text = Text::EMPTY;
    let mpid = Mpid::default();
    let firm = |firm| -> Command {
        DefineFirm {
            firm: FirmId(firm),
            mpid,
            name: text,
        }
        .into()
    };
    let account = |account, firm| -> Command {
        DefineAccount {
            account: AccountId(account),
            firm: FirmId(firm),
        }
        .into()
    };
    let session = |session, firm, account| -> Command {
        let (session, firm, account) = (SessionId(session), FirmId(firm), AccountId(account));
        DefineSession {
            session,
            firm,
            account,
            door: Door::Ouch,
            name: text,
        }
        .into()
    };
    let abc = DefineInstrument {
        instrument: InstrumentId(2),
        symbol: Symbol::new("ABC").expect("short"),
        ..xyz()
    };
    let table: &Definitions = &[
        ("firm zero is the venue", firm(0), false),
        ("firm beyond FIRM_MAX", firm(FIRM_MAX + 1), false),
        ("firm twice", firm(1), false),
        ("firm", firm(FIRM_MAX), true),
        ("account zero is the session's", account(0, 1), false),
        ("account beyond ACCOUNT_MAX", account(ACCOUNT_MAX + 1, 1), false),
        ("account twice", account(1, 1), false),
        ("account of nobody", account(9, 9), false),
        ("account", account(ACCOUNT_MAX, 2), true),
        ("session zero is the venue", session(0, 1, 1), false),
        ("session beyond SESSION_MAX", session(SESSION_MAX + 1, 1, 1), false),
        ("session twice", session(1, 1, 1), false),
        ("session of nobody", session(9, 9, 1), false),
        ("session with another firm's account", session(9, 1, 3), false),
        ("session without account", session(9, 1, 0), false),
        ("session", session(SESSION_MAX, 2, ACCOUNT_MAX), true),
        (
            "instrument with a gap",
            DefineInstrument {
                instrument: InstrumentId(3),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "instrument zero",
            DefineInstrument {
                instrument: InstrumentId(0),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "instrument twice",
            DefineInstrument {
                instrument: InstrumentId(1),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "symbol twice",
            DefineInstrument {
                symbol: xyz().symbol,
                ..abc
            }
            .into(),
            false,
        ),
        ("no tick", DefineInstrument { tick: Price(0), ..abc }.into(), false),
        (
            "negative tick",
            DefineInstrument { tick: Price(-5), ..abc }.into(),
            false,
        ),
        (
            "no price",
            DefineInstrument {
                price_max: Price(0),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "price beyond PRICE_MAX",
            DefineInstrument {
                price_max: Price(PRICE_MAX + 1),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "tick above every price",
            DefineInstrument {
                tick: Price(1_001),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "no lot",
            DefineInstrument {
                lot: Quantity(0),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "no quantity",
            DefineInstrument {
                quantity_max: Quantity(0),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "quantity beyond QUANTITY_MAX",
            DefineInstrument {
                quantity_max: Quantity(QUANTITY_MAX + 1),
                ..abc
            }
            .into(),
            false,
        ),
        (
            "lot above every quantity",
            DefineInstrument {
                lot: Quantity(1_001),
                ..abc
            }
            .into(),
            false,
        ),
        ("instrument", abc.into(), true),
        (
            "another venue's release",
            Release {
                venue: VenueId(2),
                release: ReleaseNumber(1),
            }
            .into(),
            false,
        ),
    ];
    define(Engine::new(Limits::default()), table);
    define(reference::Engine::new(Limits::default()), table);
}

fn define(mut engine: impl Matching, table: &Definitions) {
    let mut seq = 0;
    let mut apply = |command| {
        seq += 1;
        support::apply(&mut engine, &support::sequenced(seq, command))
    };
    for command in world_commands() {
        apply(command);
    }
    for (what, command, stands) in table {
        let events = apply(*command);
        let rejected = event::CommandRejected {
            schema: command.schema(),
            reason: RejectReason::BadDefinition,
        };
        assert_eq!(events.len(), 1, "{what}");
        assert_eq!(events[0] != Event::from(rejected), *stands, "{what}: {events:?}");
        if *stands {
            assert_eq!(events[0].schema(), command.schema() + 1_000, "{what}");
        }
    }
}
