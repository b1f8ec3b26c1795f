//! A feed in another process: a share of the subscribers is told by it, always the same ones; what they are told is what the
//! exchange tells, message by message; and they come back without a gap, whatever becomes of it.

mod support;

use rialto_itch::mold::Packet;
use rialto_quic::frames::{Login, Mode, ServerFrame, Start};
use rialto_quic::{Client, Reactor, Trust};
use serde_json::Value;
use std::time::{Duration, Instant};
use support::edge::{Process, Venue};
use support::member::Member;
use support::{PATIENCE, complaint, until};

const SESSIONS: usize = 10;

fn names() -> impl Iterator<Item = String> {
    support::edge::names(SESSIONS)
}

/// Ten sessions of two firms, with a QUIC server.
fn venue(more: &str) -> Venue {
    let each = "door = \"ouch\"\norders_per_second = 1000000\norders_burst = 1000000";
    Venue::open("feed", (SESSIONS, SESSIONS / 2), each, more)
}

const QUIC: &str = "[quic]\nlisten = \"127.0.0.1:0\"\n";

/// Somebody who wants every message, and writes down each.
struct Subscriber {
    client: Client,
    next: u64,
    told: Vec<(u64, Vec<u8>)>,
    snapshots: usize,
}

impl Subscriber {
    fn take(&mut self) {
        let Self {
            client,
            next,
            told,
            snapshots,
        } = self;
        let take = &mut |frame: ServerFrame<'_>| match frame {
            ServerFrame::SnapshotEnds { next: number } => {
                *snapshots += 1;
                *next = number;
            }
            ServerFrame::Packet(bytes) => {
                let packet = Packet::parse(bytes).expect("a packet");
                for (number, bytes) in packet.blocks() {
                    assert_eq!(number.0, *next, "a gap, or told twice");
                    told.push((number.0, bytes.to_vec()));
                    *next += 1;
                }
            }
            ServerFrame::Mode { full, .. } => assert!(full),
            _ => {}
        };
        client.poll(Duration::ZERO, take).expect("a subscription that lives");
    }
}

struct Crowd {
    reactor: Reactor,
    all: Vec<Subscriber>,
}

impl Crowd {
    /// Everybody subscribes. Says whom another process tells.
    fn come(ready: &Value) -> (Self, Vec<bool>) {
        let text = |name: &str| ready[name].as_str().expect("in the ready line");
        let trust = Trust {
            pem: std::fs::read_to_string(text("quic_cert")).expect("a certificate"),
            name: "localhost".to_owned(),
        };
        let address = text("quic").parse().expect("an address");
        let reactor = Reactor::new().expect("a reactor");
        let join = |user: String| {
            let login = Login {
                user,
                password: "secret".to_owned(),
                mode: Mode::Full,
                start: Start::Snapshot,
                stocks: Vec::new(),
            };
            Subscriber {
                client: Client::connect_on(&reactor, address, &trust, &login).expect("a subscription"),
                next: 0,
                told: Vec::new(),
                snapshots: 0,
            }
        };
        let all: Vec<Subscriber> = names().map(join).collect();
        let away = all.iter().map(|one| one.client.is_elsewhere()).collect();
        (Self { reactor, all }, away)
    }

    /// Reads until everybody has been told everything, and compares what they were told with one another.
    fn hear(&mut self, until_number: u64) {
        let begun = Instant::now();
        while self.all.iter().any(|one| one.next < until_number) {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.nexts());
            self.reactor.turn();
            self.all.iter_mut().for_each(Subscriber::take);
        }
        let [first, rest @ ..] = self.all.as_slice() else {
            return;
        };
        for other in rest {
            let from = first
                .told
                .first()
                .max(other.told.first())
                .map_or(0, |(number, _)| *number);
            let since = |one: &Subscriber| {
                one.told
                    .iter()
                    .filter(|(number, _)| *number >= from)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            assert_eq!(since(first), since(other));
        }
    }

    fn nexts(&self) -> Vec<u64> {
        self.all.iter().map(|one| one.next).collect()
    }

    /// Reads on until nobody is told by another process.
    fn come_back(&mut self) {
        let begun = Instant::now();
        while self.all.iter().any(|one| one.client.is_elsewhere()) {
            assert!(begun.elapsed() < PATIENCE, "somebody stays away");
            self.reactor.turn();
            self.all.iter_mut().for_each(Subscriber::take);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_share_of_the_subscribers_is_told_by_another_process_and_comes_back_without_a_gap() {
    let venue = venue(QUIC);
    let feed = |act: &[&str]| venue.deploy(act);
    let status = || venue.status();
    let none = complaint(&["deploy", "feed", "share", "50", "--data", venue.place()]);
    assert!(none.contains("rialto feed --follow"), "{none}");

    let mut member = Member::login(&venue.up.ready, "s00");
    member.hears(1);
    let mut orders = 0;
    let mut trade = |count: u32| {
        for _ in 0..count {
            orders += 1;
            member.order(orders, orders as usize + 1);
        }
        u64::from(orders)
    };
    let listed = {
        let (mut crowd, away) = Crowd::come(&venue.up.ready);
        assert_eq!(away, [false; SESSIONS]);
        let number = trade(1);
        until("the first message", || {
            crowd.reactor.turn();
            crowd.all.iter_mut().for_each(Subscriber::take);
            crowd.all.iter().all(|one| !one.told.is_empty()).then_some(())
        });
        crowd.all[0].next - number
    };
    // By an operator: a share, and back.
    let mut process = Process::start(&venue, &[]);
    venue.until_open();
    let share = feed(&["share", "50"]);
    assert_eq!(share["share"], 50.0, "{share}");
    let (mut crowd, away) = Crowd::come(&venue.up.ready);
    let sent = away.iter().filter(|away| **away).count();
    assert!(sent > 0 && sent < SESSIONS, "{away:?}");
    let told = listed + trade(300);
    crowd.hear(told);
    let (_, again) = Crowd::come(&venue.up.ready);
    assert_eq!(again, away, "the same ones again");
    // One or more of those who were sent have come twice.
    until("that nobody else is sent", || {
        let now = status();
        (now["candidate"]["sent"] == 2 * sent as u64 && now["candidate"]["compared"].as_u64() > Some(200)).then_some(())
    });
    let back = feed(&["back"]);
    let affected = &back["affected"];
    let wanted: Vec<Value> = names()
        .zip(&away)
        .filter(|(_, away)| **away)
        .map(|(name, _)| name.to_uppercase().into())
        .collect();
    assert_eq!(affected["sessions"], Value::from(wanted), "{back}");
    assert_eq!(
        (&affected["more_sessions"], &affected["instruments"][0]),
        (&0.into(), &"ACME".into())
    );
    assert!(affected["up_to_message"][1].as_u64() > Some(200), "{back}");
    assert!(
        affected["up_to"].as_u64() >= affected["after"].as_u64().map(|after| after + 300),
        "{back}"
    );
    crowd.come_back();
    crowd.hear(listed + trade(50));
    assert!(crowd.all.iter().all(|one| one.snapshots == 1), "nobody began anew");
    assert!(!process.0.wait().expect("it ends").success());

    // It dies without a word: whoever was told by it notices, and comes back.
    let mut process = Process::start(&venue, &[]);
    venue.until_open();
    feed(&["share", "100"]);
    let (mut crowd, away) = Crowd::come(&venue.up.ready);
    assert_eq!(away, [true; SESSIONS]);
    crowd.hear(listed + trade(20));
    process.0.kill().expect("kill -9");
    until("a verdict", || (status()["verdict"]["passed"] == false).then_some(()));
    let stopped = status();
    assert_eq!(stopped["audience"]["share"], 0.0, "{stopped}");
    assert_eq!(
        stopped["verdict"]["back"]["affected"]["sessions"]
            .as_array()
            .map(Vec::len),
        Some(SESSIONS)
    );
    let told = listed + trade(20);
    crowd.come_back();
    crowd.hear(told);
    assert!(crowd.all.iter().all(|one| one.snapshots == 1), "nobody began anew");

    // Nothing that could be judged is a verdict against it.
    let process = Process::start(&venue, &[]);
    venue.until_open();
    feed(&["share", "50", "--by-firm"]);
    let (_, away) = Crowd::come(&venue.up.ready);
    let together = away.iter().filter(|away| **away).count() as u64;
    for firm in away.chunks(SESSIONS / 2) {
        assert!(firm.iter().all(|one| *one == firm[0]), "{away:?}");
    }
    let verdict = feed(&["judge"]);
    assert!(
        verdict["passed"] == false
            && verdict["why"]
                .as_str()
                .is_some_and(|why| why.starts_with("missing data")),
        "{verdict}"
    );
    drop(process);

    drop(crowd);
    let stream = venue.stop();
    assert_eq!((stream.count("RouteFeed"), stream.count("JudgeFeed")), (6, 2));
    let recalls = stream.all("Recall").into_iter();
    let counts: Vec<_> = recalls
        .map(|line| line["fields"]["reach"]["sessions"].as_u64())
        .collect();
    assert_eq!(counts, [Some(sent as u64), Some(SESSIONS as u64), Some(together)]);
}

#[test]
fn a_candidate_is_judged_beside_the_old_build() {
    let venue = venue(QUIC);
    let feed = |act: &[&str]| venue.deploy(act);
    let status = || venue.status();
    let own = env!("CARGO_BIN_EXE_rialto");
    feed(&["start", "--build", own, "--shares", "50", "--bake", "2s"]);
    until("a share", || (status()["audience"]["share"] == 50.0).then_some(()));
    assert_eq!(status()["audience"]["baseline"], 50.0);
    let (mut crowd, away) = Crowd::come(&venue.up.ready);
    assert_eq!(away, [true; SESSIONS], "half by the candidate, half by the baseline");
    let mut member = Member::login(&venue.up.ready, "s00");
    member.hears(1);
    let begun = Instant::now();
    let mut orders = 0;
    let found = loop {
        assert!(begun.elapsed() < PATIENCE, "{}", status());
        let now = status();
        if now["run"]["phase"] != "baking" {
            break now;
        }
        for _ in 0..50 {
            orders += 1;
            member.order(orders, orders as usize + 1);
        }
        crowd.reactor.turn();
        crowd.all.iter_mut().for_each(Subscriber::take);
    };
    let verdict = until("a verdict", || {
        let verdict = status()["verdict"].clone();
        verdict.is_object().then_some(verdict)
    });
    let windows = verdict["windows"].as_array().expect("both");
    assert!(windows.iter().all(|count| count.as_u64() >= Some(20)), "{found}");
    assert!(
        verdict["cost"]["p"].is_number() && verdict["delay"]["p"].is_number(),
        "{verdict}"
    );
    assert!(verdict["compared"].as_u64() > Some(1_000), "{verdict}");
    assert_eq!(verdict["first_wrong"], Value::Null, "{verdict}");
    // What the judge says of this machine's cost is its own affair.
    feed(&["back"]);
    crowd.come_back();
    crowd.hear(crowd.all.iter().map(|one| one.next).max().expect("some"));
    assert!(crowd.all.iter().all(|one| one.snapshots == 1), "nobody began anew");
    drop(crowd);
    let stream = venue.stop();
    let judged = stream.all("JudgeFeed");
    assert_eq!(judged.len(), 1);
    assert_eq!(judged[0]["fields"]["hearing"]["passed"], verdict["passed"]);
}

#[test]
fn without_a_server_to_be_sent_on_by_there_is_no_such_feed() {
    let venue = venue("");
    let own = env!("CARGO_BIN_EXE_rialto");
    let refused = complaint(&["deploy", "feed", "start", "--build", own, "--data", venue.place()]);
    assert!(refused.contains("configure [quic]"), "{refused}");
    venue.stop();
}
