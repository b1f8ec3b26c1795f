//! Many subscribers of one thread: they come in one after another, stay up while others are read, and cost nothing while there
//! is nothing for them.

mod common;

use common::{CONFLATED, LOOK, PATIENCE, Subscriber, Venue, stock};
use rialto_conflate::{Depth, Pace};
use rialto_itch::Side;
use rialto_quic::frames::Mode;
use rialto_quic::limits::IDLE_TIME;
use rialto_quic::{Client, Config, Reactor};
use std::time::{Duration, Instant};

const MANY: usize = 100;

fn levels(venue: &Venue, subscriber: &Subscriber) {
    for side in [Side::Buy, Side::Sell] {
        assert_eq!(subscriber.levels(0, side), venue.levels(0, side, usize::MAX));
    }
}

#[test]
fn many_stay_up_while_one_is_read_for_longer_than_anybody_may_be_idle() {
    let mut venue = Venue::open(Config::default());
    venue.trade(200);
    let reactor = Reactor::new().unwrap();
    let mut many: Vec<Subscriber> = (0..MANY)
        .map(|place| {
            let mode = if place % 2 == 0 { Mode::Full } else { CONFLATED };
            let login = venue.login("alpha", mode);
            let client = Client::connect_on(&reactor, venue.server.address(), &venue.trust, &login);
            Subscriber::new(client.unwrap())
        })
        .collect();
    venue.trade(200);
    // Nobody but the first asks for anything.
    let begun = Instant::now();
    while begun.elapsed() < IDLE_TIME + Duration::from_secs(1) {
        many[0].poll().unwrap();
    }
    assert_eq!(venue.server.counters().read().subscribers.len(), MANY);
    venue.trade(200);
    let begun = Instant::now();
    while many.iter().any(|one| one.seen.told < venue.next - 1) {
        assert!(begun.elapsed() < PATIENCE, "not everybody was told");
        reactor.turn();
        for one in &mut many {
            one.ready().unwrap();
        }
    }
    many.iter().for_each(|one| levels(&venue, one));
    drop(many);
    let begun = Instant::now();
    while !venue.server.counters().read().subscribers.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "a goodbye did not arrive");
        std::thread::sleep(LOOK);
    }
}

#[test]
fn who_is_cut_is_told_why() {
    let mut venue = Venue::open(Config {
        lag_max: 1_000,
        stale_max: Duration::from_secs(2),
        ..Config::default()
    });
    venue.trade(200);
    let mut deaf = venue.subscribe("deaf", CONFLATED);
    let begun = Instant::now();
    while venue.server.counters().read().cut == 0 {
        assert!(begun.elapsed() < PATIENCE, "never cut");
        venue.trade(1_000);
        deaf.client.pause(LOOK);
    }
    let begun = Instant::now();
    let why = loop {
        assert!(begun.elapsed() < PATIENCE, "it never heard of it");
        if let Err(error) = deaf.poll() {
            break error.to_string();
        }
    };
    assert!(why.contains("not read in time") && why.contains("code 3"), "{why}");
}

#[test]
fn who_is_told_later_is_left_alone_until_then() {
    let mut venue = Venue::open(Config::default());
    venue.quote(10);
    let paced = |pace| Mode::Conflated {
        depth: Depth::Levels(10),
        pace,
    };
    let later = Pace::Interval { ns: 3_600_000_000_000 };
    let mut later = venue.subscribe("later", paced(later));
    let mut at_once = venue.subscribe("at once", paced(Pace::WhenSlow));
    later.read_all(&venue);
    at_once.read_all(&venue);
    // The interval has begun: nothing of the book is told any more, whatever becomes of it.
    let told = venue.next - 1;
    const CHANGES: u64 = 400;
    for _ in 0..CHANGES {
        venue.quote(1);
        // The server takes them in one by one, more or less.
        std::thread::sleep(Duration::from_millis(2));
    }
    at_once.read_all(&venue);
    later.poll().unwrap();
    assert_eq!(later.seen.told, told, "{}", stock(0));
    let looks = |user: &str| {
        let counters = venue.server.counters().read();
        let one = counters.subscribers.iter().find(|one| one.user == user);
        one.expect("it is there").looks
    };
    let begun = Instant::now();
    while looks("at once") < CHANGES / 4 {
        assert!(begun.elapsed() < PATIENCE, "{} looks", looks("at once"));
        std::thread::sleep(LOOK);
    }
    // One each second for its heartbeat.
    assert!(looks("later") < CHANGES / 4, "{} looks", looks("later"));
}
