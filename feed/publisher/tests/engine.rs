//! A book built from the messages alone is the engine's book, order by order and place by place, whenever a command is
//! through: on several instruments with prices of different scales, and over days with orders carried over.

mod common;

use common::{Random, numbered, packets};
use rialto_itch::{Message, Side as ItchSide};
use rialto_matching::{Engine, Limits, Matching};
use rialto_model::command::{
    Cancel, DefineAccount, DefineFirm, DefineInstrument, DefineSession, EndOfDay, Enter, Reduce, Release, Replace,
    SessionLost, SessionUp, StartOfDay,
};
use rialto_model::{
    AccountId, Command, Epoch, Event, EventSink, FirmId, Incarnation, InstrumentId, Mpid, OrderKind, Output, Policy,
    Price, PriceScale, Quantity, ReleaseNumber, SequenceNumber, Sequenced, SessionId, Side, Symbol, Target,
    TimeInForce, TradingDay, UserRef, VenueId,
};
use rialto_publisher::{Config, Publisher};
use std::collections::BTreeMap;

/// Symbol, digits of the price scale, tick in that scale, and what a tick is in units of 0.0001.
const INSTRUMENTS: [(&str, u8, i64, u32); 3] = [("GOOG", 4, 100, 100), ("CENT", 2, 1, 100), ("MICRO", 6, 5_000, 50)];
const SESSION: SessionId = SessionId(1);
/// Attributed orders are this firm's.
const FIRM: &str = "RIAL";

/// The orders of one venue as the feed shows them.
#[derive(Default)]
struct Books {
    /// By reference: instrument, side, price, when it came, shares.
    orders: BTreeMap<u64, (u16, ItchSide, u32, u64, u32)>,
    came: u64,
    counts: BTreeMap<char, u64>,
}

impl Books {
    fn add(&mut self, reference: u64, instrument: u16, side: ItchSide, price: u32, shares: u32) {
        self.came += 1;
        let order = (instrument, side, price, self.came, shares);
        assert_eq!(
            self.orders.insert(reference, order),
            None,
            "a reference is never repeated"
        );
    }

    fn take(&mut self, reference: u64, shares: u32) {
        let order = self.orders.get_mut(&reference).expect("a known reference");
        order.4 = order.4.checked_sub(shares).expect("no more than there is");
        if order.4 == 0 {
            self.orders.remove(&reference);
        }
    }

    fn apply(&mut self, message: &Message) {
        *self.counts.entry(char::from(message.message_type())).or_default() += 1;
        let instrument = message.header().locate.0;
        match message {
            Message::AddOrder(m) => self.add(m.reference.0, instrument, m.side, m.price.units(), m.shares.0),
            Message::AddOrderAttributed(m) => {
                assert_eq!(m.attribution.as_str(), Some(FIRM));
                self.add(m.reference.0, instrument, m.side, m.price.units(), m.shares.0);
            }
            Message::OrderExecuted(m) => self.take(m.reference.0, m.shares.0),
            Message::OrderCancel(m) => {
                assert_ne!(m.shares.0, 0);
                self.take(m.reference.0, m.shares.0);
            }
            Message::OrderDelete(m) => {
                self.orders.remove(&m.reference.0).expect("a known reference");
            }
            Message::OrderReplace(m) => {
                let (instrument, side, ..) = self.orders.remove(&m.original_reference.0).expect("a known reference");
                self.add(m.new_reference.0, instrument, side, m.price.units(), m.shares.0);
            }
            _ => {}
        }
    }

    /// Reference, price and shares of each order, best price first, then in the order they came.
    fn side(&self, instrument: u16, side: ItchSide) -> Vec<(u64, u32, u32)> {
        let of_side = self.orders.iter().filter(|(_, o)| (o.0, o.1) == (instrument, side));
        let mut orders: Vec<_> = of_side.map(|(reference, o)| (o.2, o.3, *reference, o.4)).collect();
        orders.sort_unstable_by_key(|(price, came, ..)| {
            let price = i64::from(*price);
            (if side == ItchSide::Buy { -price } else { price }, *came)
        });
        orders
            .into_iter()
            .map(|(price, _, reference, shares)| (reference, price, shares))
            .collect()
    }
}

/// The venue: an engine, its publisher, and who listens to nothing but the packets.
struct Venue {
    engine: Engine,
    publisher: Publisher,
    books: Books,
    seq: u64,
    day: TradingDay,
}

#[derive(Default)]
struct Events(Vec<Event>);

impl EventSink for Events {
    fn emit(&mut self, event: Event) {
        self.0.push(event);
    }
}

impl Venue {
    fn apply(&mut self, command: Command) {
        self.seq += 1;
        let mut stamp = self.day.midnight_utc();
        stamp.0 += 34_200_000_000_000 + 1_000 * self.seq;
        let command = Sequenced {
            seq: SequenceNumber(self.seq),
            stamp,
            epoch: Epoch(1),
            body: command,
        };
        let mut events = Events::default();
        self.engine.apply(&command, &mut events);
        let count = events.0.len();
        for (place, body) in events.0.into_iter().enumerate() {
            if matches!(body, Event::DayStarted(_)) {
                self.books.orders.clear();
            }
            let Sequenced { seq, stamp, epoch, .. } = command;
            self.publisher.follow(&Output {
                event: Sequenced {
                    seq,
                    stamp,
                    epoch,
                    body,
                },
                last: place + 1 == count,
            });
        }
        for packet in packets(&mut self.publisher) {
            for (_, bytes) in numbered(&packet) {
                self.books.apply(&Message::decode(&bytes).expect("a message"));
            }
        }
    }

    fn agrees(&self) {
        let state = self.engine.export();
        for (instrument, (.., units_per_tick)) in state.instruments.iter().zip(INSTRUMENTS) {
            let id = instrument.definition.instrument.0;
            let units = |price: Price| (price.0 / instrument.definition.tick.0) as u32 * units_per_tick;
            for (orders, side) in [(&instrument.bids, ItchSide::Buy), (&instrument.asks, ItchSide::Sell)] {
                let engine: Vec<(u64, u32, u32)> = orders
                    .iter()
                    .map(|o| (o.public_ref.0, units(o.price), o.leaves.0 as u32))
                    .collect();
                assert_eq!(
                    self.books.side(id, side),
                    engine,
                    "instrument {id} after command {}",
                    self.seq
                );
            }
        }
    }
}

fn setup() -> Venue {
    let mut venue = Venue {
        engine: Engine::new(Limits::default()),
        publisher: Publisher::new(Config::default()).expect("bounds that can be kept"),
        books: Books::default(),
        seq: 0,
        day: common::DAY,
    };
    let firm = FirmId(1);
    let account = AccountId(1);
    venue.apply(Command::Release(Release {
        venue: VenueId(1),
        release: ReleaseNumber(1),
    }));
    for (place, (symbol, scale, tick, _)) in INSTRUMENTS.into_iter().enumerate() {
        venue.apply(Command::DefineInstrument(DefineInstrument {
            instrument: InstrumentId(place as u16 + 1),
            symbol: Symbol::new(symbol).expect("a symbol"),
            scale: PriceScale(scale),
            tick: Price(tick),
            price_max: Price(tick * 10_000),
            lot: Quantity(1),
            quantity_max: Quantity(1_000_000),
        }));
    }
    venue.apply(Command::DefineFirm(DefineFirm {
        firm,
        mpid: Mpid::new(FIRM).expect("an mpid"),
        ..DefineFirm::default()
    }));
    venue.apply(Command::DefineAccount(DefineAccount { account, firm }));
    venue.apply(Command::DefineSession(DefineSession {
        session: SESSION,
        firm,
        account,
        ..DefineSession::default()
    }));
    venue
}

/// Any order, near enough to others that one in a few trades.
fn any_command(random: &mut Random, user_ref: &mut u32, incarnation: Incarnation) -> Command {
    let session = SESSION;
    let target = |random: &mut Random, user_ref: u32| {
        let back = random.below(40) as u32;
        Target::UserRef(UserRef(user_ref.saturating_sub(back)))
    };
    let instrument = InstrumentId(1 + random.below(3) as u16);
    let price =
        |random: &mut Random| Price((500 + random.below(12) as i64) * INSTRUMENTS[usize::from(instrument.0) - 1].2);
    let quantity = Quantity(1 + random.below(300));
    let policy = [
        Policy::KEEP_PRIORITY_ON_REDUCE,
        Policy::ATTRIBUTED,
        Policy::INVALID_REPLACE_CANCELS,
        Policy::CANCEL_ON_DISCONNECT,
        Policy::QUANTITY_COUNTS_EXECUTED,
    ]
    .into_iter()
    .fold(Policy::NONE, |policy, bit| {
        if random.below(2) == 0 { policy.with(bit) } else { policy }
    });
    let tif = [
        TimeInForce::Day,
        TimeInForce::Day,
        TimeInForce::GoodTillCancel,
        TimeInForce::ImmediateOrCancel,
        TimeInForce::FillOrKill,
    ][random.below(5) as usize];
    let kind = if random.below(20) == 0 {
        OrderKind::Market
    } else {
        OrderKind::Limit
    };
    match random.below(10) {
        0 => Command::Cancel(Cancel {
            session,
            incarnation,
            target: target(random, *user_ref),
            policy,
            ..Cancel::default()
        }),
        1 => Command::Reduce(Reduce {
            session,
            incarnation,
            target: target(random, *user_ref),
            policy,
            quantity: Quantity(random.below(200)),
            ..Reduce::default()
        }),
        2 | 3 => {
            let target = target(random, *user_ref);
            *user_ref += 1;
            let price = price(random);
            Command::Replace(Replace {
                session,
                incarnation,
                target,
                user_ref: UserRef(*user_ref),
                kind,
                tif,
                policy,
                price,
                quantity,
                ..Replace::default()
            })
        }
        _ => {
            *user_ref += 1;
            Command::Enter(Enter {
                session,
                incarnation,
                user_ref: UserRef(*user_ref),
                instrument,
                side: if random.below(2) == 0 { Side::Buy } else { Side::Sell },
                kind,
                tif,
                policy,
                price: price(random),
                quantity,
                ..Enter::default()
            })
        }
    }
}

#[test]
fn a_book_from_the_messages_alone_is_the_engines() {
    const SEED: u64 = 3;
    eprintln!("seed {SEED}");
    let mut random = Random(SEED);
    let mut venue = setup();
    let mut incarnation = Incarnation(0);
    for _ in 0..3 {
        let day = venue.day;
        venue.apply(Command::StartOfDay(StartOfDay {
            day,
            midnight: day.midnight_utc(),
        }));
        venue.agrees();
        let mut user_ref = 0;
        for _ in 0..3 {
            incarnation.0 += 1;
            venue.apply(Command::SessionUp(SessionUp {
                session: SESSION,
                incarnation,
                ..SessionUp::default()
            }));
            for _ in 0..2_000 {
                let command = any_command(&mut random, &mut user_ref, incarnation);
                venue.apply(command);
                venue.agrees();
            }
            venue.apply(Command::SessionLost(SessionLost {
                session: SESSION,
                incarnation,
                ..SessionLost::default()
            }));
            venue.agrees();
        }
        venue.apply(Command::EndOfDay(EndOfDay {}));
        venue.day = TradingDay(day.0 + 1);
    }
    eprintln!("messages by type: {:?}", venue.books.counts);
    for message_type in "SRHAFEXDU".chars() {
        assert!(
            venue.books.counts.contains_key(&message_type),
            "the flow is to come to every kind of message, {message_type} is missing"
        );
    }
    let counters = venue.publisher.counters();
    assert_eq!((counters.instruments_refused, counters.events_left_out), (0, 0));
}
