//! What has gone from memory comes from who has the journal: the same packets, by the same budgets.

mod common;

use common::*;
use rialto_feed::{Config, HISTORY_WAITING_MAX};
use rialto_itch::mold::SequenceNumber;
use rialto_publisher::{HistoryAnswer, HistoryRequest, Publisher};
use rialto_ring::Stage as _;
use rialto_ring::spsc::{Consumer, Producer, RingBuffer};
use std::net::Ipv4Addr;
use std::time::Instant;

const SESSION: &str = "0720120621";
const MESSAGES: usize = 3_000;

/// Who has everything: a publisher with room for it, in place of a journal.
struct Keeper {
    publisher: Publisher,
    asked: Consumer<HistoryRequest>,
    answers: Producer<HistoryAnswer>,
}

impl Keeper {
    /// Answers what waits; says how many.
    fn answer(&mut self) -> usize {
        let mut answered = 0;
        while let Ok(request) = self.asked.pop() {
            let mut blocks = Vec::new();
            let first = SequenceNumber(request.first);
            let count = self.publisher.blocks(first, request.count, &mut blocks);
            let ticket = request.ticket;
            let answer = HistoryAnswer { ticket, count, blocks };
            self.answers.push(answer).expect("room for every waiting request");
            answered += 1;
        }
        answered
    }
}

/// A feed that remembers 700 messages of 3,000, and a keeper of all; another feed that remembers all.
fn benches(bytes_per_second: u64) -> (Bench, Keeper, Bench) {
    let outputs = Script::default().opening(MESSAGES - 7);
    let large = Config {
        answer_bytes_per_second: bytes_per_second,
        ..config()
    };
    let mut small = large.clone();
    small.publisher.store_bytes_max = 56 * 700;
    let [mut forgetful, mut whole] = [&small, &large].map(Bench::new);
    let (ask, asked) = RingBuffer::new(HISTORY_WAITING_MAX);
    let (answers, answered) = RingBuffer::new(HISTORY_WAITING_MAX);
    forgetful.stage.history(ask, answered);
    for bench in [&mut forgetful, &mut whole] {
        bench.stream.release(&outputs);
        while bench.stage.poll() > 0 {}
    }
    let mut publisher = Publisher::new(large.publisher).expect("bounds");
    outputs.iter().for_each(|output| publisher.follow(output));
    let keeper = Keeper {
        publisher,
        asked,
        answers,
    };
    (forgetful, keeper, whole)
}

/// Lets stage and keeper work until so many requests came in and nothing waits.
fn settle(bench: &mut Bench, keeper: &mut Keeper, requests: u64) {
    let start = Instant::now();
    while bench.stage.poll() + keeper.answer() > 0 || bench.counters().requests < requests {
        assert!(start.elapsed() < PATIENCE, "requests are not answered");
    }
}

#[test]
fn packets_beyond_memory_are_those_of_memory_byte_by_byte() {
    let (mut forgetful, mut keeper, mut whole) = benches(1 << 30);
    let asker = Asker::entitled(forgetful.stage.rerequest());
    let of_memory = Asker::entitled(whole.stage.rerequest());
    let mut requests = 0;
    for (first, count) in [(1, 1), (1, 2_000), (777, 36), (1_500, 2_000), (2_290, 40), (2_999, 2)] {
        asker.ask(SESSION, first, count);
        of_memory.ask(SESSION, first, count);
        requests += 1;
        settle(&mut forgetful, &mut keeper, requests);
        whole.settle_requests(requests);
        let end = (MESSAGES as u64 + 1).min(first + u64::from(count));
        let mut next = first;
        while next < end {
            let packet = asker.next();
            let messages = numbered(&packet);
            assert_eq!(messages[0].0, next);
            next += messages.len() as u64;
            // At the border of memory a packet ends; elsewhere they are the same.
            if first + u64::from(count) < 2_301 || first > 2_300 {
                assert_eq!(packet, of_memory.next(), "{count} from {first}");
            }
        }
        asker.nothing_more();
        while first + u64::from(count) >= 2_301 && first <= 2_300 {
            let packet = of_memory.next();
            if numbered(&packet).last().is_some_and(|(last, _)| *last + 1 == end) {
                break;
            }
        }
    }
    let counters = forgetful.counters();
    assert_eq!((counters.served, counters.from_history), (requests, 5));
    assert_eq!((counters.refused(), counters.over_budget), (0, 0));
}

#[test]
fn no_more_than_a_bound_wait_and_budgets_hold() {
    let (mut forgetful, mut keeper, _) = benches(20_000);
    let asker = Asker::entitled(forgetful.stage.rerequest());
    let stranger = Asker::new(Ipv4Addr::new(127, 0, 0, 9), forgetful.stage.rerequest());
    for _ in 0..HISTORY_WAITING_MAX + 3 {
        asker.ask(SESSION, 1, 10);
    }
    stranger.ask(SESSION, 1, 10);
    let start = Instant::now();
    while forgetful.counters().requests < HISTORY_WAITING_MAX as u64 + 4 {
        assert!(start.elapsed() < PATIENCE, "requests do not come in");
        forgetful.stage.poll();
    }
    let counters = forgetful.counters();
    assert_eq!((counters.history_busy, counters.strangers), (3, 1));
    settle(&mut forgetful, &mut keeper, HISTORY_WAITING_MAX as u64 + 4);
    assert_eq!(forgetful.counters().from_history, HISTORY_WAITING_MAX as u64);
    for _ in 0..HISTORY_WAITING_MAX {
        assert_eq!(numbered(&asker.next()).len(), 10);
    }
    // Sixteen answers took some 6,400 bytes of 20,000; one of 2,000 messages takes the rest and stops.
    asker.ask(SESSION, 1, 2_000);
    settle(&mut forgetful, &mut keeper, HISTORY_WAITING_MAX as u64 + 5);
    assert_eq!(forgetful.counters().over_budget, 1);
    // Without budget nobody makes the journal be read.
    asker.ask(SESSION, 1, 2_000);
    let start = Instant::now();
    while forgetful.counters().requests < HISTORY_WAITING_MAX as u64 + 6 {
        assert!(start.elapsed() < PATIENCE, "requests do not come in");
        forgetful.stage.poll();
    }
    assert_eq!(keeper.answer(), 0);
    assert_eq!(forgetful.counters().over_budget, 2);
    stranger.nothing_more();
}

#[test]
fn what_nobody_has_is_counted_as_before() {
    let (mut forgetful, mut keeper, _) = benches(1 << 30);
    keeper.publisher = Publisher::new(config().publisher).expect("bounds");
    let asker = Asker::entitled(forgetful.stage.rerequest());
    asker.ask(SESSION, 1, 10);
    settle(&mut forgetful, &mut keeper, 1);
    let counters = forgetful.counters();
    assert_eq!((counters.beyond_memory, counters.served, counters.answers), (1, 0, 0));
    asker.nothing_more();
}
