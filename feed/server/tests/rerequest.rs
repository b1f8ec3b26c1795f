//! Who gets what at the re-request socket, by real sockets on loopback.

mod common;

use common::*;
use rialto_feed::{Config, Counters};
use rialto_itch::mold::Packet;
use rialto_model::time::SECOND_NS;
use rialto_ring::Stage;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const SESSION: &str = "0720120621";

/// A bench whose day has so many messages, all sent and none of them looked at.
fn bench(config: &Config, messages: usize) -> Bench {
    let mut bench = Bench::new(config);
    bench.stream.release(&Script::default().opening(messages - 7));
    bench.settle();
    bench
}

#[test]
fn what_a_receiver_dropped_it_gets_again_byte_by_byte() {
    let mut bench = bench(&config(), 1_000);
    let asker = Asker::entitled(bench.stage.rerequest());
    // Everything that was sent, from line B; from line A only some of it arrives.
    let mut sent = BTreeMap::new();
    let mut got = BTreeMap::new();
    for place in 0..bench.counters().packets {
        sent.extend(numbered(&bench.b.next()));
        let datagram = bench.a.next();
        if place % 3 != 1 {
            got.extend(numbered(&datagram));
        }
    }
    assert_eq!(sent.len(), 1_000);
    assert!(got.len() < 800);
    let mut requests = 0;
    while let Some(missing) = (1..=1_000).find(|sequence| !got.contains_key(sequence)) {
        let end = (missing..=1_000)
            .find(|sequence| got.contains_key(sequence))
            .unwrap_or(1_001);
        asker.ask(SESSION, missing, (end - missing) as u16);
        requests += 1;
        bench.settle_requests(requests);
        while (missing..end).any(|sequence| !got.contains_key(&sequence)) {
            got.extend(numbered(&asker.next()));
        }
    }
    assert_eq!(got, sent);
    asker.nothing_more();
    let counters = bench.counters();
    assert_eq!((counters.requests, counters.served), (requests, requests));
    assert_eq!((counters.refused(), counters.capped, counters.over_budget), (0, 0, 0));
    bench.a.nothing_more(); // what one asks for is not told to all
}

#[test]
fn a_request_gets_no_more_than_2000_messages() {
    let mut bench = bench(&config(), 5_000);
    let asker = Asker::entitled(bench.stage.rerequest());
    asker.ask(SESSION, 101, 60_000);
    bench.settle_requests(1);
    let mut numbers = Vec::new();
    while numbers.len() < 2_000 {
        let datagram = asker.next();
        assert!(datagram.len() <= 1_400);
        numbers.extend(numbered(&datagram).into_iter().map(|(sequence, _)| sequence));
    }
    assert_eq!(numbers, (101..=2_100).collect::<Vec<u64>>());
    asker.nothing_more();
    let counters = bench.counters();
    assert_eq!((counters.capped, counters.served, counters.refused()), (1, 1, 0));
    assert_eq!(counters.answers, 2_000_u64.div_ceil(1_380 / 38));
}

#[test]
fn strangers_get_nothing_and_are_counted() {
    let mut bench = bench(
        &Config {
            entitled: [5, 3, 1, 3].map(loopback).to_vec(),
            ..config()
        },
        10,
    );
    let server = bench.stage.rerequest();
    let strangers = [2, 4].map(|last| Asker::new(Ipv4Addr::new(127, 0, 0, last), server));
    let entitled = [1, 3, 5].map(|last| Asker::new(Ipv4Addr::new(127, 0, 0, last), server));
    for asker in strangers.iter().chain(&entitled) {
        asker.ask(SESSION, 1, 10);
    }
    strangers[0].send(b"neither is what they say looked at");
    bench.settle_requests(6);
    for asker in &entitled {
        assert_eq!(numbered(&asker.next()).len(), 10);
        asker.nothing_more();
    }
    for asker in &strangers {
        asker.nothing_more();
    }
    let counters = bench.counters();
    assert_eq!((counters.strangers, counters.malformed), (3, 0));
    assert_eq!((counters.served, counters.refused()), (3, 3));
}

/// A message's count by which it was refused.
type Count = fn(&Counters) -> u64;

#[test]
fn a_request_that_cannot_be_answered_is_counted_by_its_reason() {
    let mut bench = bench(
        &Config {
            publisher: rialto_publisher::Config {
                store_bytes_max: 56 * 1_000,
                ..rialto_publisher::Config::default()
            },
            ..config()
        },
        1_500,
    );
    let request = |session: &[u8; 10], sequence: u64, count: u16| {
        let mut bytes = session.to_vec();
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        bytes
    };
    let whole = request(b"0720120621", 600, 1);
    let table: [(&str, Vec<u8>, Count); 12] = [
        ("empty", vec![], |c| c.malformed),
        ("short", whole[..19].to_vec(), |c| c.malformed),
        ("long", [&whole[..], b"!"].concat(), |c| c.malformed),
        ("very long", vec![b'0'; 60_000], |c| c.malformed),
        ("nothing asked for", request(b"0720120621", 600, 0), |c| c.malformed),
        ("number zero", request(b"0720120621", 0, 1), |c| c.malformed),
        ("beyond 64 bits", request(b"0720120621", u64::MAX, 1), |c| c.malformed),
        ("another session", request(b"0720120620", 600, 1), |c| c.other_session),
        ("no session", request(b"          ", 600, 1), |c| c.other_session),
        ("gone", request(b"0720120621", 500, 1_000), |c| c.beyond_memory),
        ("not sent", request(b"0720120621", 1_501, 1), |c| c.not_sent),
        ("far ahead", request(b"0720120621", u64::MAX - 1, 1), |c| c.not_sent),
    ];
    let asker = Asker::entitled(bench.stage.rerequest());
    for (place, (what, datagram, count)) in table.iter().enumerate() {
        let before = bench.counters();
        asker.send(datagram);
        bench.settle_requests(place as u64 + 1);
        let after = bench.counters();
        assert_eq!(count(&after), count(&before) + 1, "{what}");
        assert_eq!(after.refused(), before.refused() + 1, "{what}");
    }
    assert_eq!(bench.counters().served, 0);
    // It lives on.
    asker.send(&whole);
    bench.settle_requests(table.len() as u64 + 1);
    assert_eq!(numbered(&asker.next())[0].0, 600);
    asker.nothing_more();
}

#[test]
fn a_source_is_held_to_its_budget_and_no_other_suffers() {
    let mut bench = bench(
        &Config {
            entitled: vec![loopback(1), loopback(2)],
            answer_bytes_per_second: 3_000,
            ..config()
        },
        1_000,
    );
    let server = bench.stage.rerequest();
    let [greedy, modest] = [1, 2].map(|last| Asker::new(Ipv4Addr::new(127, 0, 0, last), server));
    bench.clock.advance_ns(SECOND_NS);
    greedy.ask(SESSION, 1, 1_000);
    greedy.ask(SESSION, 1, 100);
    bench.settle_requests(2);
    // Two packets of nearly 1,400 bytes are within 3,000; the third is not, and neither is anything like it.
    let first = [greedy.next(), greedy.next()];
    let given: usize = first.iter().map(Vec::len).sum();
    assert!(given <= 3_000);
    assert_eq!(numbered(&first[1])[0].0, numbered(&first[0]).len() as u64 + 1);
    greedy.nothing_more();
    let counters = bench.counters();
    assert_eq!((counters.served, counters.over_budget, counters.answers), (1, 2, 2));

    modest.ask(SESSION, 1, 10);
    bench.settle_requests(3);
    assert_eq!(numbered(&modest.next()).len(), 10);

    bench.clock.advance_ns(SECOND_NS);
    greedy.ask(SESSION, 900, 10);
    bench.settle_requests(4);
    assert_eq!(numbered(&greedy.next())[0].0, 900);
    assert_eq!(bench.counters().over_budget, 2);
}

#[test]
fn new_messages_wait_for_no_more_than_a_bounded_answer() {
    let mut bench = bench(&config(), 5_000);
    let asker = Asker::entitled(bench.stage.rerequest());
    for _ in 0..20 {
        asker.ask(SESSION, 1, 2_000);
    }
    let before = bench.counters();
    while bench.counters().requests == before.requests {
        bench.stage.poll();
    }
    let during = bench.counters();
    assert!(
        during.answers - before.answers < 32,
        "one poll sends no more than its share"
    );
    assert!(!bench.stage.is_drained(), "a request is half answered");
    bench.settle_requests(20);
    assert_eq!(bench.counters().served, 20);
    let datagram = asker.next();
    assert_eq!(Packet::parse(&datagram).expect("a packet").sequence().0, 1);
}
