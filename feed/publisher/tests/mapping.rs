//! Events on the left, the feed's messages on the right.

mod common;

use common::*;
use rialto_itch::Message;
use rialto_itch::codes::{
    Authenticity, FinancialStatus, Flag, IssueClassification, LuldTier, MarketCategory, RegShoAction, YesNo,
};
use rialto_itch::{Stock, StockLocate, TimeOfDay, TrackingNumber};
use rialto_model::Side::{Buy, Sell};
use rialto_model::event::*;
use rialto_model::{
    Bands, BreakerLevel, Event, InstrumentId, Mpid, Phase, Price, PriceScale, PublicRef, Quantity, Symbol, Timestamp,
    TradeId, TradingDay,
};
use rialto_publisher::{Config, Publisher};

fn publisher() -> Publisher {
    Publisher::new(Config::default()).expect("bounds that can be kept")
}

/// Commands, and what each of their events comes to.
type Table = Vec<Vec<(Event, &'static [&'static str])>>;

fn holds(publisher: &mut Publisher, script: &mut Script, table: Table) {
    for (place, command) in table.into_iter().enumerate() {
        let (events, expected): (Vec<_>, Vec<_>) = command.into_iter().unzip();
        for (output, expected) in script.command(&events).iter().zip(expected) {
            let said: Vec<String> = messages(publisher, output).iter().map(say).collect();
            assert_eq!(said, expected, "command {place}: {:?}", output.event.body);
        }
    }
}

#[test]
fn a_day_opens_with_its_directory_and_closes_behind_its_last_order() {
    let table: Table = vec![
        vec![(released(7), &[])],
        // Between days: known, and not told.
        vec![(listed(1, "GOOG", 4), &[])],
        vec![(
            Event::Accepted(accepted(Buy, 1, 100, 50_000, true)),
            &[], // no engine does that between days
        )],
        vec![
            (
                day_started(DAY),
                &["S0 start of messages", "S0 start of system hours", "V0 levels 93 87 80"],
            ),
            (
                listed(1, "GOOG", 4),
                &["R1 GOOG lot 1", "H1 GOOG trading", "Y1 GOOG NoTest"],
            ),
            (
                listed(2, "AAPL", 4),
                &["R2 AAPL lot 1", "H2 AAPL trading", "Y2 AAPL NoTest"],
            ),
            (
                Event::Restated(Restated {
                    instrument: InstrumentId(1),
                    public_ref: PublicRef(11),
                    side: Sell,
                    price: Price(50_100),
                    leaves: Quantity(30),
                    shown: Quantity(30),
                    executed: Quantity(70),
                    ..Restated::default()
                }),
                &["A1 #11 sell 30 GOOG 50100"],
            ),
            (
                Event::Restated(Restated {
                    instrument: InstrumentId(2),
                    public_ref: PublicRef(12),
                    side: Buy,
                    price: Price(100),
                    leaves: Quantity(1),
                    shown: Quantity(1),
                    mpid: mpid("ABCD"),
                    ..Restated::default()
                }),
                &["F2 #12 buy 1 AAPL 100 ABCD", "S0 start of market hours"],
            ),
        ],
        // Listed in the middle of the day: told at once.
        vec![(
            listed(3, "MSFT", 4),
            &["R3 MSFT lot 1", "H3 MSFT trading", "Y3 MSFT NoTest"],
        )],
        vec![
            (cancelled(11, true), &["D1 #11"]),
            (
                day_ended(),
                &["S0 end of market hours", "S0 end of system hours", "S0 end of messages"],
            ),
        ],
        vec![(executed(12, 1, 1), &[])],
        // A day without instruments opens all the same.
        vec![(
            day_started(TradingDay(DAY.0 + 1)),
            &[
                "S0 start of messages",
                "S0 start of system hours",
                "V0 levels 93 87 80",
                "S0 start of market hours",
            ],
        )],
    ];
    holds(&mut publisher(), &mut Script::new(), table);
}

#[test]
fn each_event_of_an_order_comes_to_its_message() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let table: Table = vec![
        // Entry.
        vec![(
            Event::Accepted(accepted(Buy, 1, 100, 50_000, true)),
            &["A1 #1 buy 100 GOOG 50000"],
        )],
        vec![(
            Event::Accepted(accepted(Sell, 2, 999_999_999, 1_999_999_900, true)),
            &["A1 #2 sell 999999999 GOOG 1999999900"],
        )],
        vec![(
            Event::Accepted(Accepted {
                mpid: mpid("MEMB"),
                ..accepted(Sell, 3, 5, 60_000, true)
            }),
            &["F1 #3 sell 5 GOOG 60000 MEMB"],
        )],
        // Entry that trades first; what rests comes behind.
        vec![
            (Event::Accepted(accepted(Sell, 4, 150, 50_000, false)), &[]),
            (executed(1, 60, 21), &["E1 #1 60 trade 21"]),
            (executed(1, 40, 22), &["E1 #1 40 trade 22"]),
            (
                Event::Booked(booked(Sell, 4, 50, 50_000)),
                &["A1 #4 sell 50 GOOG 50000"],
            ),
        ],
        vec![
            (
                Event::Accepted(Accepted {
                    mpid: mpid("MEMB"),
                    ..accepted(Buy, 5, 60, 50_000, false)
                }),
                &[],
            ),
            (executed(4, 50, 23), &["E1 #4 50 trade 23"]),
            (
                Event::Booked(Booked {
                    mpid: mpid("MEMB"),
                    ..booked(Buy, 5, 10, 50_000)
                }),
                &["F1 #5 buy 10 GOOG 50000 MEMB"],
            ),
        ],
        // Entry of which nothing ever rests.
        vec![
            (Event::Accepted(accepted(Buy, 6, 50, 40_000, false)), &[]),
            (cancelled(6, false), &[]),
        ],
        // Reduce and cancel.
        vec![(reduced(2, 99), &["X1 #2 99"])],
        vec![(reduced(2, 0), &[])],
        vec![(cancelled(2, true), &["D1 #2"])],
        // Replace: in place, elsewhere, and into the other side.
        vec![(replaced((3, 5), (3, 2), true), &["X1 #3 3"])],
        vec![(replaced((3, 2), (3, 2), true), &[])],
        vec![(replaced((3, 2), (7, 8), true), &["U1 #3 #7 8 50000"])],
        vec![
            (replaced((7, 8), (8, 15), false), &["D1 #7"]),
            (executed(5, 10, 24), &["E1 #5 10 trade 24"]),
            (Event::Booked(booked(Sell, 8, 5, 50_000)), &["A1 #8 sell 5 GOOG 50000"]),
        ],
        vec![
            (replaced((8, 5), (9, 5), false), &["D1 #8"]),
            (cancelled(9, false), &[]),
        ],
    ];
    holds(&mut publisher, &mut script, table);
    assert_eq!(publisher.counters().events_left_out, 0);
}

#[test]
fn of_an_order_that_is_not_shown_only_its_trades_are_told() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let Event::Executed(hidden) = executed(1, 60, 21) else {
        unreachable!("executed makes an execution")
    };
    let Event::Reduced(partly) = reduced(3, 30) else {
        unreachable!("reduced makes a reduction")
    };
    let Event::Replaced(unseen) = replaced((0, 60), (5, 60), true) else {
        unreachable!("replaced makes a replace")
    };
    let table: Table = vec![
        vec![(Event::Accepted(accepted(Sell, 1, 100, 50_000, false)), &[])],
        vec![
            (Event::Accepted(accepted(Buy, 2, 60, 50_000, false)), &[]),
            (
                Event::Executed(Executed {
                    maker_hidden: true,
                    price: Price(50_000),
                    ..hidden
                }),
                &["P1 60 GOOG 50000 trade 21"],
            ),
        ],
        vec![(cancelled(1, false), &[])],
        // An iceberg: what is behind its display is nobody's business.
        vec![
            (Event::Accepted(accepted(Sell, 3, 100, 50_000, false)), &[]),
            (
                Event::Booked(booked(Sell, 3, 20, 50_000)),
                &["A1 #3 sell 20 GOOG 50000"],
            ),
        ],
        vec![(
            Event::Reduced(Reduced {
                removed_shown: Quantity(10),
                ..partly
            }),
            &["X1 #3 10"],
        )],
        // A hidden order that becomes a displayed one, and the other way round.
        vec![(Event::Replaced(unseen), &["A1 #5 buy 60 GOOG 50000"])],
        vec![(replaced((5, 60), (6, 60), false), &["D1 #5"])],
        vec![(replaced((0, 60), (7, 60), false), &[])],
    ];
    holds(&mut publisher, &mut script, table);
}

#[test]
fn phases_auctions_and_crosses_are_told() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let phase = |phase| {
        Event::PhaseChanged(PhaseChanged {
            instrument: InstrumentId(1),
            phase,
        })
    };
    let indicative = |price, volume, imbalance, side, reference| {
        Event::Indicative(Indicative {
            instrument: InstrumentId(1),
            phase: Phase::OpeningAuction,
            price: Price(price),
            volume: Quantity(volume),
            imbalance: Quantity(imbalance),
            side,
            reference: Price(reference),
        })
    };
    let Event::Executed(e) = executed(2, 60, 21) else {
        unreachable!("executed makes an execution")
    };
    let cross = |maker_hidden, taker| {
        Event::Executed(Executed {
            cross: true,
            price: Price(50_000),
            maker_hidden,
            taker_public_ref: PublicRef(taker),
            ..e
        })
    };
    let busted = Event::TradeBusted(TradeBusted {
        instrument: InstrumentId(1),
        deal: e.deal(),
    });
    let corrected = Event::TradeCorrected(TradeCorrected {
        instrument: InstrumentId(1),
        deal: e.deal(),
        trade: TradeId(25),
        price: Price(49_000),
        quantity: Quantity(40),
        ..TradeCorrected::default()
    });
    let uncrossed = |price, volume, trade| {
        Event::Uncrossed(Uncrossed {
            instrument: InstrumentId(1),
            phase: Phase::ClosingAuction,
            trade: TradeId(trade),
            price: Price(price),
            volume: Quantity(volume),
        })
    };
    let table: Table = vec![
        vec![(phase(Phase::OpeningAuction), &["H1 GOOG quoting"])],
        vec![(
            indicative(50_000, 100, 20, Buy, 49_000),
            &["I1 Opening 100 paired 20 over Buy near 50000 reference 49000 From2"],
        )],
        vec![(
            indicative(50_000, 100, 0, Buy, 0),
            &["I1 Opening 100 paired 0 over None near 50000 reference 0 NotAvailable"],
        )],
        vec![(
            indicative(40_000, 100, 5, Sell, 60_000),
            &["I1 Opening 100 paired 5 over Sell near 40000 reference 60000 From30"],
        )],
        vec![(
            indicative(0, 0, 0, Buy, 49_000),
            &["I1 Opening 0 paired 0 over InsufficientOrders near 0 reference 49000 NotAvailable"],
        )],
        vec![
            (
                cross(false, 1),
                &["C1 #2 60 50000 trade 21 No", "C1 #1 60 50000 trade 21 No"],
            ),
            (cross(true, 1), &["C1 #1 60 50000 trade 21 No"]),
            (cross(true, 0), &[]),
            (uncrossed(50_000, 180, 24), &["Q1 Closing 180 50000 trade 24"]),
            (phase(Phase::Closed), &["H1 GOOG not trading"]),
        ],
        vec![(uncrossed(0, 0, 0), &["Q1 Closing 0 0 trade 0"])],
        vec![(phase(Phase::VolatilityAuction), &["H1 GOOG paused M"])],
        vec![(phase(Phase::Continuous), &["H1 GOOG trading"])],
        vec![(busted, &["B1 trade 21"])],
        vec![(corrected, &["B1 trade 21", "P1 40 GOOG 49000 trade 25"])],
    ];
    holds(&mut publisher, &mut script, table);
}

#[test]
fn pauses_their_collars_and_halts_of_the_whole_market_are_told() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let phase = |phase| {
        Event::PhaseChanged(PhaseChanged {
            instrument: InstrumentId(1),
            phase,
        })
    };
    let limit = |entered| {
        Event::LimitStateChanged(LimitStateChanged {
            instrument: InstrumentId(1),
            side: Buy,
            entered,
        })
    };
    let bands = |reference, collar| {
        Event::BandsSet(BandsSet {
            instrument: InstrumentId(1),
            version: 2,
            bands: Bands {
                reference: Price(reference),
                collar,
                ..Bands::default()
            },
        })
    };
    let uncrossed = |price, volume| {
        Event::Uncrossed(Uncrossed {
            instrument: InstrumentId(1),
            phase: Phase::VolatilityAuction,
            trade: TradeId(31),
            price: Price(price),
            volume: Quantity(volume),
        })
    };
    let moved = Event::PriceBands(PriceBands {
        instrument: InstrumentId(1),
        reference: Price(50_000),
        low: Price(47_500),
        high: Price(52_500),
    });
    let broken = |level| Event::CircuitBroken(CircuitBroken { level });
    let table: Table = vec![
        // A pause without a collar has nothing to reopen between; bands have no message, what they take off has.
        vec![(moved, &[])],
        vec![(phase(Phase::VolatilityAuction), &["H1 GOOG paused M"])],
        vec![
            (uncrossed(50_000, 10), &["Q1 Halted 10 50000 trade 31"]),
            (phase(Phase::Continuous), &["H1 GOOG trading"]),
        ],
        // A collar of 5 per cent around the last uncross, rounded inwards to ticks of 100.
        vec![(bands(0, 500), &[])],
        vec![(limit(true), &[])],
        vec![(
            phase(Phase::VolatilityAuction),
            &["H1 GOOG paused LUDP", "J1 GOOG 47500 to 52500 around 50000"],
        )],
        vec![(bands(50_300, 500), &["J1 GOOG 47800 to 52800 around 50300"])],
        vec![
            (uncrossed(52_000, 10), &["Q1 Halted 10 52000 trade 31"]),
            (phase(Phase::Continuous), &["H1 GOOG trading"]),
        ],
        // A limit state that ended by itself is no cause of a pause; an uncross without a trade moves nothing.
        vec![(limit(true), &[])],
        vec![(limit(false), &[])],
        vec![(
            phase(Phase::VolatilityAuction),
            &["H1 GOOG paused M", "J1 GOOG 49400 to 54600 around 52000"],
        )],
        vec![
            (uncrossed(0, 0), &["Q1 Halted 0 0 trade 31"]),
            (phase(Phase::Halt), &["H1 GOOG not trading"]),
        ],
        vec![(
            listed(2, "AAPL", 4),
            &["R2 AAPL lot 1", "H2 AAPL trading", "Y2 AAPL NoTest"],
        )],
        // The whole market: the level, and every instrument; then each as it stands.
        vec![(
            broken(BreakerLevel::One),
            &["W0 Level1", "H1 GOOG not trading MWC1", "H2 AAPL not trading MWC1"],
        )],
        vec![(phase(Phase::OpeningAuction), &["H1 GOOG not trading MWC1"])],
        vec![(
            broken(BreakerLevel::Two),
            &["W0 Level2", "H1 GOOG not trading MWC2", "H2 AAPL not trading MWC2"],
        )],
        vec![(broken(BreakerLevel::None), &["H1 GOOG quoting", "H2 AAPL trading"])],
        vec![(
            broken(BreakerLevel::Three),
            &["W0 Level3", "H1 GOOG not trading MWC3", "H2 AAPL not trading MWC3"],
        )],
        // The halt ends with its day, and the collar does not.
        vec![(
            day_ended(),
            &["S0 end of market hours", "S0 end of system hours", "S0 end of messages"],
        )],
        vec![
            (
                day_started(TradingDay(DAY.0 + 1)),
                &["S0 start of messages", "S0 start of system hours", "V0 levels 93 87 80"],
            ),
            (broken(BreakerLevel::None), &[]),
            (
                listed(1, "GOOG", 4),
                &[
                    "R1 GOOG lot 1",
                    "H1 GOOG trading",
                    "Y1 GOOG NoTest",
                    "S0 start of market hours",
                ],
            ),
        ],
        vec![(
            phase(Phase::VolatilityAuction),
            &["H1 GOOG paused M", "J1 GOOG 49400 to 54600 around 52000"],
        )],
    ];
    holds(&mut publisher, &mut script, table);
    assert_eq!(publisher.counters().events_left_out, 0);
}

#[test]
fn what_the_public_need_not_know_is_not_told() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let private = [
        released(7),
        Event::FirmDefined(FirmDefined::default()),
        Event::AccountDefined(AccountDefined::default()),
        Event::SessionDefined(SessionDefined::default()),
        Event::Ticked(Ticked::default()),
        Event::SessionOpened(SessionOpened::default()),
        Event::SessionClosed(SessionClosed::default()),
        Event::SessionNoted(SessionNoted::default()),
        Event::CommandRejected(CommandRejected::default()),
        Event::Ignored(Ignored::default()),
        Event::Rejected(Rejected::default()),
        Event::ChangeRejected(ChangeRejected::default()),
        Event::RulebookSet(RulebookSet::default()),
        Event::TicksSet(TicksSet::default()),
        Event::SelfTradeSet(SelfTradeSet::default()),
        Event::KillSwitchSet(KillSwitchSet::default()),
        Event::CancelOnlyChanged(CancelOnlyChanged::default()),
        Event::CutOverSet(CutOverSet::default()),
        Event::Routed(Routed::default()),
        Event::Judged(Judged::default()),
        Event::Quarantined(Quarantined::default()),
        Event::DoorRouted(DoorRouted::default()),
        Event::DoorJudged(DoorJudged::default()),
        Event::FeedRouted(FeedRouted::default()),
        Event::FeedJudged(FeedJudged::default()),
        Event::Recalled(Recalled::default()),
        Event::Instructed(Instructed::default()),
        Event::Triggered(Triggered::default()),
        Event::MassCancelled(MassCancelled::default()),
        Event::MassCancelRejected(MassCancelRejected::default()),
        Event::OfficialPrice(OfficialPrice::default()),
        Event::BandsSet(BandsSet::default()),
        Event::FeesSet(FeesSet::default()),
        Event::MassQuoted(MassQuoted::default()),
        Event::Quoted(Quoted::default()),
        Event::QuoteRejected(QuoteRejected::default()),
        Event::MassQuoteRejected(MassQuoteRejected::default()),
        Event::QuotesCancelled(QuotesCancelled::default()),
        Event::ProtectionSet(ProtectionSet::default()),
        Event::ProtectionTripped(ProtectionTripped::default()),
        Event::ProtectionReset(ProtectionReset::default()),
        Event::FlagSwitched(FlagSwitched::default()),
        Event::ProcessRefused(ProcessRefused::default()),
        Event::RunawayLimitsSet(RunawayLimitsSet::default()),
        Event::ParentSet(ParentSet::default()),
        Event::RunawayTripped(RunawayTripped::default()),
        Event::Pegged(Pegged::default()),
        Event::AllocationSet(AllocationSet::default()),
        Event::PriceBands(PriceBands::default()),
        Event::LimitStateChanged(LimitStateChanged::default()),
    ];
    holds(
        &mut publisher,
        &mut script,
        private.into_iter().map(|event| vec![(event, &[][..])]).collect(),
    );
    assert_eq!(publisher.counters().events_left_out, 0);
}

#[test]
fn an_instrument_that_itch_cannot_state_is_left_out_whole_and_counted() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let fine = Event::InstrumentListed(InstrumentListed {
        instrument: InstrumentId(2),
        symbol: Symbol::new("FINE").expect("a symbol"),
        scale: PriceScale(6),
        tick: Price(50),
        price_max: Price(1_000_000),
        lot: Quantity(1),
        quantity_max: Quantity(1),
        trading: true,
    });
    let on_fine = |event: Event| match event {
        Event::Accepted(e) => Event::Accepted(Accepted {
            instrument: InstrumentId(2),
            ..e
        }),
        Event::Executed(e) => Event::Executed(Executed {
            instrument: InstrumentId(2),
            ..e
        }),
        Event::Cancelled(e) => Event::Cancelled(Cancelled {
            instrument: InstrumentId(2),
            ..e
        }),
        other => other,
    };
    let unknown = Event::Accepted(Accepted {
        instrument: InstrumentId(9),
        ..accepted(Buy, 3, 1, 100, true)
    });
    let table: Table = vec![
        vec![(fine, &[])],
        vec![(on_fine(Event::Accepted(accepted(Buy, 1, 1, 150, true))), &[])],
        vec![
            (on_fine(Event::Accepted(accepted(Sell, 2, 1, 150, false))), &[]),
            (on_fine(executed(1, 1, 1)), &[]),
        ],
        vec![(on_fine(cancelled(1, true)), &[])],
        vec![(unknown, &[])],
        // Its neighbours are on the feed as ever; in other scales the price is the same price.
        vec![(
            listed(3, "CENT", 2),
            &["R3 CENT lot 1", "H3 CENT trading", "Y3 CENT NoTest"],
        )],
        vec![(
            Event::Accepted(Accepted {
                instrument: InstrumentId(3),
                ..accepted(Buy, 4, 1, 12_300, true)
            }),
            &["A3 #4 buy 1 CENT 1230000"],
        )],
        vec![(
            listed(4, "MICRO", 6),
            &["R4 MICRO lot 1", "H4 MICRO trading", "Y4 MICRO NoTest"],
        )],
        vec![(
            Event::Booked(Booked {
                instrument: InstrumentId(4),
                ..booked(Sell, 5, 1, 12_300)
            }),
            &["A4 #5 sell 1 MICRO 123"],
        )],
    ];
    holds(&mut publisher, &mut script, table);
    let counters = publisher.counters();
    assert_eq!((counters.instruments_refused, counters.events_left_out), (1, 4));
}

#[test]
fn a_message_states_its_instrument_and_the_time_since_midnight() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let midnight = DAY.midnight_utc();
    let mut output = script.command(&[executed(1, 1, 1)])[0];
    for (stamp, expected_ns) in [
        (midnight.0 + OPEN_NS + 123_456_789, OPEN_NS + 123_456_789),
        (midnight.0, 0),
        // Stamps before the midnight stand at it, those beyond 48 bits at the last one there is.
        (midnight.0 - 1, 0),
        (midnight.0 + (1 << 48), TimeOfDay::MAX.ns()),
    ] {
        output.event.stamp = Timestamp(stamp);
        let [message] = messages(&mut publisher, &output)[..] else {
            panic!("one message for {stamp}");
        };
        let header = message.header();
        assert_eq!(header.timestamp.ns(), expected_ns, "{stamp}");
        assert_eq!((header.locate, header.tracking), (StockLocate(1), TrackingNumber(0)));
    }
}

#[test]
fn a_directory_entry_states_what_an_instrument_has() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let Event::InstrumentListed(mut definition) = listed(2, "LOTS", 4) else {
        unreachable!("listed makes a listing")
    };
    definition.lot = Quantity(100);
    let output = script.command(&[Event::InstrumentListed(definition)])[0];
    let [
        Message::StockDirectory(entry),
        Message::StockTradingAction(action),
        Message::RegShoRestriction(short_sale),
    ] = messages(&mut publisher, &output)[..]
    else {
        panic!("R, H and Y");
    };
    assert_eq!(
        (short_sale.stock, short_sale.action),
        (entry.stock, RegShoAction::NoTest)
    );
    assert_eq!(entry.stock, Stock::new("LOTS").expect("a symbol"));
    assert_eq!((entry.round_lot_size.0, entry.round_lots_only), (100, YesNo::Yes));
    assert_eq!(entry.market_category, MarketCategory::NotAvailable);
    assert_eq!(entry.financial_status, FinancialStatus::NotAvailable);
    assert_eq!(entry.issue_classification, IssueClassification::CommonStock);
    assert_eq!(entry.issue_sub_type.0, *b"Z ");
    assert_eq!(entry.authenticity, Authenticity::Live);
    assert_eq!(
        (entry.short_sale_threshold, entry.ipo, entry.etp),
        (Flag::NotAvailable, Flag::NotAvailable, Flag::NotAvailable)
    );
    assert_eq!(entry.luld_tier, LuldTier::NotAvailable);
    assert_eq!((entry.etp_leverage_factor.0, entry.inverse), (0, YesNo::No));
    assert_eq!((action.stock, action.reason.0), (entry.stock, *b"    "));
}

#[test]
fn identities_of_members_are_in_no_message() {
    let (mut publisher, mut script) = (publisher(), Script::new());
    for output in script.opening() {
        messages(&mut publisher, &output);
    }
    let base = Accepted {
        mpid: Mpid::default(),
        ..accepted(Buy, 1, 100, 50_000, true)
    };
    let told = Accepted {
        session: rialto_model::SessionId(77),
        user_ref: rialto_model::UserRef(78),
        order_id: rialto_model::OrderId(79),
        firm: rialto_model::FirmId(80),
        account: rialto_model::AccountId(81),
        ..base
    };
    let [mut a, mut b] = [base, told].map(|e| script.command(&[Event::Accepted(e)])[0]);
    a.event.stamp = Timestamp(1);
    b.event.stamp = Timestamp(1);
    assert_eq!(messages(&mut publisher, &a), messages(&mut publisher, &b));
    let base = executed(1, 1, 1);
    let Event::Executed(e) = base else {
        unreachable!("executed makes an execution")
    };
    let told = Event::Executed(Executed {
        maker: rialto_model::OrderId(1),
        maker_firm: rialto_model::FirmId(2),
        taker: rialto_model::OrderId(3),
        taker_firm: rialto_model::FirmId(4),
        trade: TradeId(1),
        ..e
    });
    let [mut a, mut b] = [base, told].map(|e| script.command(&[e])[0]);
    a.event.stamp = Timestamp(1);
    b.event.stamp = Timestamp(1);
    assert_eq!(messages(&mut publisher, &a), messages(&mut publisher, &b));
}
