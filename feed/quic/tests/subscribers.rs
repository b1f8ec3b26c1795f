//! Subscribers that keep to the rules: each is told what it asked for, and its books are the venue's.

mod common;

use common::{CONFLATED, PATIENCE, STOCKS, Venue, stock};
use rialto_conflate::{Depth, Pace};
use rialto_itch::Side;
use rialto_itch::mold::Packet;
use rialto_quic::frames::{Login, Mode, Recovery, ServerFrame, Start};
use rialto_quic::{ClientError, Config};
use std::time::Instant;

fn equal(venue: &Venue, subscriber: &common::Subscriber, depth: usize) {
    for instrument in 0..STOCKS.len() {
        for side in [Side::Buy, Side::Sell] {
            let told = subscriber.levels(instrument, side);
            assert_eq!(told, venue.levels(instrument, side, depth), "{instrument} {side:?}");
        }
    }
}

#[test]
fn full_and_conflated_books_are_the_venues() {
    let mut venue = Venue::open(Config::default());
    venue.trade(2_000);
    let top = Mode::Conflated {
        depth: Depth::Levels(1),
        pace: Pace::WhenSlow,
    };
    let budget = Mode::Conflated {
        depth: Depth::Levels(5),
        pace: Pace::Budget {
            bytes_per_second: 200_000,
        },
    };
    let mut subscribers = [(Mode::Full, usize::MAX), (CONFLATED, usize::MAX), (top, 1), (budget, 5)]
        .map(|(mode, depth)| (venue.subscribe("alpha", mode), depth));
    for _ in 0..20 {
        venue.trade(200);
        for (subscriber, _) in &mut subscribers {
            subscriber.poll().unwrap();
        }
    }
    for (subscriber, depth) in &mut subscribers {
        subscriber.read_all(&venue);
        equal(&venue, subscriber, *depth);
    }
    assert_eq!(subscribers[0].0.seen.modes, [(true, 'A')]);
    assert_eq!(subscribers[0].0.seen.snapshots, 1);
    for (subscriber, _) in &subscribers[1..] {
        assert_eq!(subscriber.seen.modes, [(false, 'A')]);
        assert!(subscriber.seen.verified() > 0);
    }
    // A day ends and another begins; whoever stays follows.
    venue.begin("DAY2");
    venue.trade(300);
    for (subscriber, depth) in &mut subscribers {
        subscriber.read_all(&venue);
        equal(&venue, subscriber, *depth);
    }
}

#[test]
fn a_firm_sees_what_it_may_and_every_number() {
    let mut venue = Venue::open(Config::default());
    venue.trade(500);
    let mut full = venue.subscribe("half", Mode::Full);
    let mut conflated = venue.subscribe("half", CONFLATED);
    venue.trade(500);
    for subscriber in [&mut full, &mut conflated] {
        subscriber.read_all(&venue);
        for side in [Side::Buy, Side::Sell] {
            assert_eq!(subscriber.levels(0, side), venue.levels(0, side, usize::MAX));
            assert_eq!(subscriber.levels(1, side), []);
        }
    }
    assert!(full.seen.withheld > 100, "{}", full.seen.withheld);
}

#[test]
fn logins_are_refused_with_a_reason() {
    let mut venue = Venue::open(Config::default());
    venue.trade(10);
    let good = venue.login("alpha", Mode::Full);
    let with = |change: &dyn Fn(&mut Login)| {
        let mut login = good.clone();
        change(&mut login);
        match venue.connect(&login) {
            Err(ClientError::Rejected { code, .. }) => code,
            other => panic!("{:?}", other.map(|_| ())),
        }
    };
    assert_eq!(with(&|login| login.password = "wrong".to_owned()), 'N');
    assert_eq!(with(&|login| login.user = "busy".to_owned()), 'B');
    let deep = Mode::Conflated {
        depth: Depth::Levels(9_999),
        pace: Pace::WhenSlow,
    };
    assert_eq!(with(&|login| login.mode = deep), 'F');
    let session = venue.session;
    let from = |next| Start::At { session, next };
    assert_eq!(with(&|login| login.start = from(999_999)), 'F');
    assert_eq!(with(&|login| login.start = from(0)), 'F');
}

#[test]
fn what_was_missed_is_asked_for_within_a_budget() {
    let mut venue = Venue::open(Config::default());
    venue.trade(3_000);
    let login = Login {
        start: Start::At {
            session: venue.session,
            next: 1,
        },
        ..venue.login("alpha", Mode::Full)
    };
    // What was pushed may still be in the ring.
    let begun = Instant::now();
    while venue.server.counters().read().sequence < venue.next - 1 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(common::LOOK);
    }
    let mut all = common::Subscriber::new(venue.connect(&login).unwrap());
    all.read_all(&venue);
    equal(&venue, &all, usize::MAX);

    let mut asked = venue.subscribe("alpha", CONFLATED).client;
    let ask = |client: &mut rialto_quic::Client, session, first, count| {
        let (mut messages, mut end) = (0, None);
        let mut sink = |frame: ServerFrame<'_>| match frame {
            ServerFrame::Packet(packet) => {
                let packet = Packet::parse(packet).unwrap();
                assert_eq!(packet.sequence().0, first + messages);
                messages += packet.blocks().count() as u64;
            }
            ServerFrame::Done { next } => end = Some(Ok(next)),
            ServerFrame::Refused { code, after_ms } => end = Some(Err((char::from(code), after_ms > 0))),
            other => panic!("{other:?}"),
        };
        client.recover(&Recovery { session, first, count }, &mut sink).unwrap();
        (messages, end.expect("an end"))
    };
    let session = venue.session;
    let other = rialto_itch::mold::Session::new("OTHER").unwrap();
    assert_eq!(ask(&mut asked, session, 7, 2_000), (2_000, Ok(2_007)));
    assert_eq!(ask(&mut asked, session, 1, 1), (1, Ok(2)));
    assert_eq!(ask(&mut asked, session, venue.next - 2, 100), (2, Ok(venue.next)));
    assert_eq!(ask(&mut asked, session, 1, 2_001), (0, Err(('F', false))));
    assert_eq!(ask(&mut asked, session, venue.next, 1), (0, Err(('N', true))));
    assert_eq!(ask(&mut asked, other, 1, 1), (0, Err(('S', false))));
    let over = (0..200).map(|_| ask(&mut asked, session, 1, 1).1).find(Result::is_err);
    assert_eq!(
        over,
        Some(Err(('B', true))),
        "more than the budget is refused, and told when to ask again"
    );
    // Who does not wait is made to: nothing more of it is read until there is something for it again.
    let answers: Vec<bool> = (0..12).map(|_| ask(&mut asked, session, 1, 1).1.is_ok()).collect();
    assert!(
        answers[0] && answers.windows(2).all(|pair| pair[0] || pair[1]),
        "{answers:?}"
    );
    let only = stock(0);
    let narrow = Login {
        stocks: vec![only],
        ..venue.login("alpha", CONFLATED)
    };
    let mut narrow = common::Subscriber::new(venue.connect(&narrow).unwrap());
    narrow.read_all(&venue);
    assert_eq!(narrow.levels(1, Side::Buy), []);
}

#[test]
fn who_falls_behind_on_full_depth_is_conflated_and_comes_back() {
    let mut venue = Venue::open(Config {
        lag_max: 500,
        ..Config::default()
    });
    venue.trade(300);
    let mut slow = venue.subscribe("alpha", Mode::Full);
    slow.read_all(&venue);
    let begun = Instant::now();
    // It does not read until the server has moved it.
    while venue
        .server
        .counters()
        .read()
        .subscribers
        .first()
        .is_none_or(|one| one.demotions == 0)
    {
        assert!(begun.elapsed() < PATIENCE, "never conflated");
        venue.trade(5_000);
        slow.client.pause(common::LOOK);
    }
    let begun = Instant::now();
    while slow.seen.modes != [(true, 'A'), (false, 'S'), (true, 'U')] {
        assert!(begun.elapsed() < PATIENCE, "{:?}", slow.seen.modes);
        slow.poll().unwrap();
    }
    venue.trade(50);
    slow.read_all(&venue);
    equal(&venue, &slow, usize::MAX);
    assert!(slow.seen.verified() > 0 && slow.seen.snapshots == 2);
    let counters = venue.server.counters().read();
    assert_eq!((counters.gone, counters.violations, counters.cut), (0, 0, 0));
}

#[test]
fn a_stream_with_a_hole_is_not_told_as_if_it_were_whole() {
    let mut venue = Venue::open(Config::default());
    venue.trade(100);
    let mut subscriber = venue.subscribe("alpha", CONFLATED);
    venue.gone(3);
    let begun = Instant::now();
    let error = loop {
        assert!(begun.elapsed() < PATIENCE);
        if let Err(error) = subscriber.poll() {
            break error;
        }
    };
    assert!(error.to_string().contains("lost on the way"), "{error}");
    venue.begin("DAY2");
    venue.trade(100);
    let again = venue.subscribe_again("alpha", CONFLATED);
    equal(&venue, &again, usize::MAX);
}
