//! Orders that are kept apart: event tables, and that what they trade among themselves does not depend on anybody else.

mod support;

use rialto_matching::{Engine, Limits, Matching};
use rialto_model::command::{Cancel, Release, SetRulebook, StartOfDay};
use rialto_model::command::{DefineAccount, DefineFirm, DefineInstrument, DefineSession, EnterSpecial, SessionUp};
use rialto_model::*;
use support::script::play;
use support::{Events, Random};

#[test]
fn an_order_of_a_group_trades_with_its_group_alone() {
    play(&[
        ("rulebook 1 self-trade 5", &["rulebook 1 of 1"]),
        (
            "A sell 30 @50 #1 group 7",
            &["A1 accepted sell 30 @50 p1 rests", "A1 asks group 7"],
        ),
        ("C sell 10 @55 #1", &["C1 accepted sell 10 @55 p2 rests"]),
        // The better offer is kept apart from a buyer without a group, and an order to rest would cross it.
        (
            "C buy 20 @55 #2",
            &[
                "C2 accepted buy 20 @55 p3",
                "trade 1 10 @55 C1 p2 leaves 0, C2 leaves 10",
                "C2 cancelled 10 KeptApart",
            ],
        ),
        (
            "C buy 10 @50 #3 ioc",
            &["C3 accepted buy 10 @50 p4 ioc", "C3 cancelled 10 Unfilled"],
        ),
        (
            "C buy 10 @50 #4 fok",
            &["C4 accepted buy 10 @50 p5 fok", "C4 cancelled 10 NotFillable"],
        ),
        // Another group of the same firm, and the same group of another firm, are others too.
        (
            "A buy 10 @50 #2 ioc group 8",
            &[
                "A2 accepted buy 10 @50 p6 ioc",
                "A2 asks group 8",
                "A2 cancelled 10 Unfilled",
            ],
        ),
        (
            "C buy 10 @50 #5 ioc group 7",
            &[
                "C5 accepted buy 10 @50 p7 ioc",
                "C5 asks group 7",
                "C5 cancelled 10 Unfilled",
            ],
        ),
        (
            "B buy 10 @50 #1 ioc group 7",
            &[
                "B1 accepted buy 10 @50 p8 ioc",
                "B1 asks group 7",
                "trade 2 10 @50 A1 p1 leaves 20, B1 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn an_order_of_a_group_takes_off_what_stands_in_its_way() {
    play(&[
        ("rulebook 1 self-trade 5", &["rulebook 1 of 1"]),
        ("C buy 10 @50 #1", &["C1 accepted buy 10 @50 p1 rests"]),
        ("B buy 10 @45 #1", &["B1 accepted buy 10 @45 p2 rests"]),
        (
            "C buy 10 @55 #2 hidden",
            &["C2 accepted buy 10 @55 p3", "C2 asks hidden"],
        ),
        (
            "A sell 10 @50 #1 group 7",
            &[
                "A1 accepted sell 10 @50 p4",
                "A1 asks group 7",
                "C2 cancelled 10 KeptApart",
                "C1 cancelled 10 KeptApart off p1",
                "A1 booked 10 @50 p4",
            ],
        ),
        // Of two groups the one that stands goes first.
        (
            "A buy 10 @50 #2 group 8",
            &[
                "A2 accepted buy 10 @50 p5",
                "A2 asks group 8",
                "A2 cancelled 10 KeptApart",
            ],
        ),
        ("B cancel #1", &["B1 cancelled 10 Requested off p2"]),
    ]);
}

#[test]
fn self_trade_prevention_holds_within_a_firm_that_chose_it() {
    play(&[
        ("rulebook 1 self-trade 5", &["rulebook 1 of 1"]),
        ("V prevents newest firm 1", &["firm 1 self-trade CancelNewest"]),
        // A choice of its own is not the instrument's: its groups are kept from each other's trades as ever.
        (
            "A sell 10 @50 #1 group 7",
            &["A1 accepted sell 10 @50 p1 rests", "A1 asks group 7"],
        ),
        (
            "B buy 10 @50 #1 group 7",
            &[
                "B1 accepted buy 10 @50 p2",
                "B1 asks group 7",
                "B1 cancelled 10 SelfTrade",
            ],
        ),
        (
            "C buy 10 @50 #1",
            &[
                "C1 accepted buy 10 @50 p3",
                "trade 1 10 @50 A1 p1 leaves 0, C1 leaves 0",
            ],
        ),
    ]);
}

/// A trade: maker, taker, quantity, price.
type Trade = (UserRef, UserRef, Quantity, Price);

/// The sessions: the tape's, and two of the company's.
const TAPE: SessionId = SessionId(1);

fn opening() -> Vec<Command> {
    let mut commands = vec![
        Release {
            venue: VenueId(1),
            release: rialto_matching::CURRENT_RELEASE,
        }
        .into(),
        DefineInstrument {
            instrument: InstrumentId(1),
            symbol: Symbol::new("ACME").unwrap(),
            scale: PriceScale::DEFAULT,
            tick: Price(1),
            price_max: Price(1_000),
            lot: Quantity(1),
            quantity_max: Quantity(1_000_000),
        }
        .into(),
    ];
    for id in 1..=3 {
        let (firm, account, session) = (FirmId(id), AccountId(id), SessionId(id));
        let firm_is = DefineFirm {
            firm,
            ..DefineFirm::default()
        };
        let session_is = DefineSession {
            session,
            firm,
            account,
            ..DefineSession::default()
        };
        commands.extend::<[Command; 3]>([
            firm_is.into(),
            DefineAccount { account, firm }.into(),
            session_is.into(),
        ]);
    }
    commands.push(
        StartOfDay {
            day: TradingDay(20_000),
            midnight: TradingDay(20_000).midnight_utc(),
        }
        .into(),
    );
    commands.extend((1..=3).map(|id| {
        Command::from(SessionUp {
            session: SessionId(id),
            incarnation: Incarnation(1),
            inbound: MsgSeqNum(0),
            reset: false,
        })
    }));
    let rulebook = Rulebook {
        offers: Offers::ALL,
        lot: Quantity(1),
        quantity_min: Quantity(0),
        quantity_max: Quantity(1_000_000),
        self_trade: SelfTrade::Apart,
        protection: Price(0),
    };
    commands.push(
        SetRulebook {
            instrument: InstrumentId(1),
            version: 1,
            rulebook,
        }
        .into(),
    );
    commands
}

/// An order around a price that wanders.
fn order(random: &mut Random, session: SessionId, user_ref: u32, middle: i64) -> EnterSpecial {
    let side = *random.pick(&[Side::Buy, Side::Sell]);
    let mut order = EnterSpecial {
        session,
        incarnation: Incarnation(1),
        user_ref: UserRef(user_ref),
        instrument: InstrumentId(1),
        side,
        kind: OrderKind::Limit,
        tif: *random.pick(&[TimeInForce::Day, TimeInForce::Day, TimeInForce::ImmediateOrCancel]),
        price: Price(middle + random.below(12) as i64 - 6),
        quantity: Quantity(1 + random.below(40)),
        ..EnterSpecial::default()
    };
    if session == TAPE {
        order.instructions.group = 1;
    } else if order.tif == TimeInForce::Day && random.one_in(4) {
        order.instructions.handling = Handling::HIDDEN;
    }
    order
}

/// What the tape traded with itself, and how often anybody was told that an order was in the way.
fn run(commands: &[Command]) -> (Vec<Trade>, u64, u64) {
    let mut engine = Engine::new(Limits::default());
    let (mut trades, mut in_the_way, mut company) = (Vec::new(), 0, 0);
    for (seq, command) in (1..).zip(commands) {
        let command = Sequenced {
            seq: SequenceNumber(seq),
            stamp: Timestamp(seq),
            epoch: Epoch(1),
            body: *command,
        };
        let mut events = Events::default();
        engine.apply(&command, &mut events);
        for event in events.0 {
            match event {
                Event::Executed(e) if e.maker_session == TAPE || e.taker_session == TAPE => {
                    assert_eq!(e.maker_session, e.taker_session, "the tape traded with company: {e:?}");
                    trades.push((e.maker_user_ref, e.taker_user_ref, e.quantity, e.price));
                }
                Event::Executed(_) => company += 1,
                Event::Cancelled(e) if e.reason == CancelReason::KeptApart => {
                    assert_ne!(e.session, TAPE, "the tape gave way: {e:?}");
                    in_the_way += 1;
                }
                _ => {}
            }
        }
        let best = |side| engine.depth(InstrumentId(1), side, 1).next().map(|level| level.0);
        if let (Some(bid), Some(offer)) = (best(Side::Buy), best(Side::Sell)) {
            assert!(bid < offer, "crossed at {seq}: {bid} {offer}");
        }
    }
    (trades, in_the_way, company)
}

#[test]
fn what_a_group_trades_is_the_same_whoever_else_is_there() {
    for seed in 1..=20 {
        let mut random = Random(seed);
        let (mut alone, mut together) = (opening(), opening());
        let (mut refs, mut middle) = ([0u32; 4], 500i64);
        for _ in 0..2_000 {
            middle = (middle + random.below(5) as i64 - 2).clamp(20, 900);
            let session = SessionId(1 + random.below(3) as u32);
            let last = &mut refs[session.0 as usize];
            let command: Command = if *last > 3 && random.one_in(4) {
                Cancel {
                    session,
                    incarnation: Incarnation(1),
                    target: Target::UserRef(UserRef(*last - random.below(4) as u32)),
                    ..Cancel::default()
                }
                .into()
            } else {
                *last += 1;
                order(&mut random, session, *last, middle).into()
            };
            together.push(command);
            if session == TAPE {
                alone.push(command);
            }
        }
        let (expected, _, _) = run(&alone);
        let (found, in_the_way, company) = run(&together);
        assert!(
            expected.len() > 50 && in_the_way > 20 && company > 20,
            "seed {seed} shows nothing: {in_the_way} {company}"
        );
        assert_eq!(found, expected, "seed {seed}");
    }
}
