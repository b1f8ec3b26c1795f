//! An engine's day, command by command, and what the feed says of each: every message about trades without an order, auctions,
//! pauses and halts comes from a real engine, not from an event made for the test.

mod common;

use common::{messages, say};
use rialto_matching::{Engine, Limits, Matching};
use rialto_model::command::{
    BreakCircuit, BustTrade, CorrectTrade, DefineAccount, DefineFirm, DefineInstrument, DefineSession, EndOfDay, Enter,
    EnterSpecial, Release, SessionUp, SetBands, SetPhase, SetRulebook, StartOfDay, Tick,
};
use rialto_model::{
    AccountId, Bands, BreakerLevel, Command, Deal, Epoch, Event, EventSink, FirmId, Handling, Incarnation,
    Instructions, InstrumentId, Mpid, Offers, Output, Phase, Price, PriceScale, Quantity, ReleaseNumber, Rulebook,
    SequenceNumber, Sequenced, SessionId, Side, Symbol, UserRef, VenueId,
};
use rialto_publisher::{Config, Publisher};

const GOOG: InstrumentId = InstrumentId(1);
const SECOND_NS: u64 = 1_000_000_000;

#[derive(Default)]
struct Events(Vec<Event>);

impl EventSink for Events {
    fn emit(&mut self, event: Event) {
        self.0.push(event);
    }
}

struct Venue {
    engine: Engine,
    publisher: Publisher,
    seq: u64,
    now_ns: u64,
    user_ref: u32,
    /// The last trade.
    deal: Deal,
}

/// Without the instrument in the upper bits of references and trade numbers.
fn plain(said: &str) -> String {
    let word = |word: &str| {
        let digits = word.trim_start_matches('#');
        match digits.parse::<u64>() {
            Ok(number) if number >> 48 == 1 => word.replace(digits, &(number & 0xffff_ffff_ffff).to_string()),
            _ => word.to_owned(),
        }
    };
    said.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

impl Venue {
    fn new() -> Self {
        Self {
            engine: Engine::new(Limits::default()),
            publisher: Publisher::new(Config::default()).expect("bounds that can be kept"),
            seq: 0,
            now_ns: common::DAY.midnight_utc().0 + common::OPEN_NS,
            user_ref: 0,
            deal: Deal::default(),
        }
    }

    /// Applies a command, so many seconds after the last, and says what the feed says of it.
    fn apply(&mut self, later_s: u64, body: Command) -> Vec<String> {
        self.seq += 1;
        self.now_ns += later_s * SECOND_NS + 1_000;
        let (seq, epoch) = (SequenceNumber(self.seq), Epoch(1));
        let stamp = rialto_model::Timestamp(self.now_ns);
        let mut events = Events::default();
        self.engine.apply(
            &Sequenced {
                seq,
                stamp,
                epoch,
                body,
            },
            &mut events,
        );
        let count = events.0.len();
        let mut said = Vec::new();
        for (place, body) in events.0.into_iter().enumerate() {
            if let Event::Executed(e) = &body {
                self.deal = e.deal();
            }
            let output = Output {
                event: Sequenced {
                    seq,
                    stamp,
                    epoch,
                    body,
                },
                last: place + 1 == count,
            };
            said.extend(
                messages(&mut self.publisher, &output)
                    .iter()
                    .map(|message| plain(&say(message))),
            );
        }
        said
    }

    fn enter(&mut self, side: Side, quantity: u64, price: i64) -> Command {
        self.user_ref += 1;
        Command::Enter(Enter {
            session: SessionId(1),
            incarnation: Incarnation(1),
            user_ref: UserRef(self.user_ref),
            instrument: GOOG,
            side,
            price: Price(price),
            quantity: Quantity(quantity),
            ..Enter::default()
        })
    }

    fn hidden(&mut self, side: Side, quantity: u64, price: i64) -> Command {
        let Command::Enter(plain) = self.enter(side, quantity, price) else {
            unreachable!("enter makes an order")
        };
        Command::EnterSpecial(EnterSpecial {
            session: plain.session,
            incarnation: plain.incarnation,
            user_ref: plain.user_ref,
            instrument: GOOG,
            side,
            price: plain.price,
            quantity: plain.quantity,
            instructions: Instructions {
                handling: Handling::HIDDEN,
                ..Instructions::NONE
            },
            ..EnterSpecial::default()
        })
    }
}

fn opening(venue: &mut Venue) {
    let (firm, account) = (FirmId(1), AccountId(1));
    for command in [
        Command::Release(Release {
            venue: VenueId(1),
            release: ReleaseNumber(1),
        }),
        Command::DefineInstrument(DefineInstrument {
            instrument: GOOG,
            symbol: Symbol::new("GOOG").expect("a symbol"),
            scale: PriceScale(4),
            tick: Price(100),
            price_max: Price(1_000_000),
            lot: Quantity(1),
            quantity_max: Quantity(1_000_000),
        }),
        Command::DefineFirm(DefineFirm {
            firm,
            mpid: Mpid::new("RIAL").expect("an mpid"),
            ..DefineFirm::default()
        }),
        Command::DefineAccount(DefineAccount { account, firm }),
        Command::DefineSession(DefineSession {
            session: SessionId(1),
            firm,
            account,
            ..DefineSession::default()
        }),
        Command::SetRulebook(SetRulebook {
            instrument: GOOG,
            version: 1,
            rulebook: Rulebook {
                offers: Offers::PLAIN.with(Offers::HIDDEN),
                lot: Quantity(1),
                quantity_max: Quantity(1_000_000),
                ..Rulebook::default()
            },
        }),
        // Orders within 10 per cent of 5.0000, in continuous trading within 5; 15 seconds at a limit pause for 5 minutes.
        Command::SetBands(SetBands {
            instrument: GOOG,
            version: 2,
            bands: Bands {
                reference: Price(50_000),
                collar: 1_000,
                interruption: 0,
                limit: 500,
                window: 300_000,
                limit_state: 15_000,
                pause: 300_000,
            },
        }),
    ] {
        assert_eq!(venue.apply(0, command), [""; 0], "nothing is on the feed between days");
    }
}

/// What the row does, how many seconds after the one before it, and what the feed says of it.
type Row = (u64, fn(&mut Venue) -> Command, &'static [&'static str]);

fn phase(phase: Phase) -> Command {
    Command::SetPhase(SetPhase {
        instrument: GOOG,
        phase,
    })
}

fn breaks(level: BreakerLevel) -> Command {
    Command::BreakCircuit(BreakCircuit { level })
}

fn tick(_: &mut Venue) -> Command {
    Command::Tick(Tick {})
}

fn start_of_day(_: &mut Venue) -> Command {
    let day = common::DAY;
    let midnight = day.midnight_utc();
    Command::StartOfDay(StartOfDay { day, midnight })
}

fn session_up(_: &mut Venue) -> Command {
    Command::SessionUp(SessionUp {
        session: SessionId(1),
        incarnation: Incarnation(1),
        ..SessionUp::default()
    })
}

fn bust(venue: &mut Venue) -> Command {
    Command::BustTrade(BustTrade {
        instrument: GOOG,
        deal: venue.deal,
    })
}

fn correct(venue: &mut Venue) -> Command {
    Command::CorrectTrade(CorrectTrade {
        instrument: GOOG,
        deal: venue.deal,
        price: Price(49_800),
        quantity: Quantity(5),
    })
}

#[test]
fn what_happens_at_a_venue_is_what_the_feed_says() {
    use Side::{Buy, Sell};
    let rows: &[Row] = &[
        (
            0,
            start_of_day,
            &[
                "S0 start of messages",
                "S0 start of system hours",
                "V0 levels 93 87 80",
                "R1 GOOG lot 1",
                "H1 GOOG trading",
                "Y1 GOOG NoTest",
                "S0 start of market hours",
            ],
        ),
        (0, session_up, &[]),
        // Orders that are shown, one that is not, and trades undone and replaced.
        (0, |v| v.enter(Sell, 100, 50_000), &["A1 #1 sell 100 GOOG 50000"]),
        (0, |v| v.enter(Buy, 40, 50_000), &["E1 #1 40 trade 1"]),
        (0, |v| v.hidden(Sell, 10, 49_900), &[]),
        (0, |v| v.enter(Buy, 10, 49_900), &["P1 10 GOOG 49900 trade 2"]),
        (0, bust, &["B1 trade 2"]),
        (0, |v| v.enter(Buy, 20, 50_000), &["E1 #1 20 trade 3"]),
        (0, correct, &["B1 trade 3", "P1 5 GOOG 49800 trade 4"]),
        // A bid at the upper band: a limit state, which no message tells before it has lasted too long.
        (
            0,
            |v| v.enter(Buy, 50, 52_500),
            &["E1 #1 40 trade 5", "A1 #6 buy 10 GOOG 52500"],
        ),
        (0, |v| v.enter(Buy, 10, 52_600), &[]),
        (14, tick, &[]),
        (1, tick, &["H1 GOOG paused LUDP", "J1 GOOG 45000 to 55000 around 50000"]),
        // Between those prices it reopens: a tick beyond is refused. The uncross is where the next collar lies.
        (0, |v| v.enter(Buy, 30, 55_100), &[]),
        (0, |v| v.enter(Sell, 25, 44_900), &[]),
        (0, |v| v.enter(Buy, 30, 55_000), &["A1 #7 buy 30 GOOG 55000"]),
        (
            0,
            |v| v.enter(Sell, 25, 54_000),
            &[
                "A1 #8 sell 25 GOOG 54000",
                "I1 Halted 25 paired 5 over Buy near 55000 reference 50000 From10",
            ],
        ),
        (
            300,
            tick,
            &[
                "C1 #8 25 55000 trade 6 No",
                "C1 #7 25 55000 trade 6 No",
                "Q1 Halted 25 55000 trade 7",
                "H1 GOOG trading",
            ],
        ),
        // The whole market halts, takes nothing, and goes on.
        (
            0,
            |_| breaks(BreakerLevel::One),
            &["W0 Level1", "H1 GOOG not trading MWC1"],
        ),
        (0, |v| v.enter(Buy, 1, 50_000), &[]),
        (0, |_| breaks(BreakerLevel::None), &["H1 GOOG trading"]),
        // The close: an auction, its cross, and the end of the day.
        (0, |_| phase(Phase::ClosingAuction), &["H1 GOOG quoting"]),
        (
            0,
            |v| v.enter(Sell, 50, 50_000),
            &[
                "A1 #9 sell 50 GOOG 50000",
                "I1 Closing 15 paired 35 over Sell near 50000 reference 55000 From9",
            ],
        ),
        (
            0,
            |_| phase(Phase::Closed),
            &[
                "C1 #9 5 50000 trade 8 No",
                "C1 #7 5 50000 trade 8 No",
                "C1 #9 10 50000 trade 9 No",
                "C1 #6 10 50000 trade 9 No",
                "Q1 Closing 15 50000 trade 10",
                "H1 GOOG not trading",
            ],
        ),
        (
            0,
            |_| Command::EndOfDay(EndOfDay {}),
            &[
                "D1 #9",
                "S0 end of market hours",
                "S0 end of system hours",
                "S0 end of messages",
            ],
        ),
    ];
    let mut venue = Venue::new();
    opening(&mut venue);
    for (place, (later_s, command, expected)) in rows.iter().enumerate() {
        let command = command(&mut venue);
        assert_eq!(venue.apply(*later_s, command), *expected, "row {place}");
    }
    let counters = venue.publisher.counters();
    assert_eq!((counters.instruments_refused, counters.events_left_out), (0, 0));
}
