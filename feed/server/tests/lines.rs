//! What goes out on the lines, received by real sockets on loopback.

mod common;

use common::*;
use rialto_feed::{Config, FeedStage};
use rialto_itch::mold::{Content, Packet};
use rialto_model::time::SECOND_NS;
use rialto_model::{Output, SequenceNumber, TradingDay};
use rialto_publisher::Publisher;
use rialto_ring::{Idle, Stage, Stop, SystemClock, run};

/// The packets that leave for outputs that are followed in one poll.
fn packets(publisher: &mut Publisher, outputs: &[Output]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut packet = Vec::new();
    for output in outputs {
        publisher.follow(output);
        while publisher.poll_packet(false, &mut packet).is_some() {
            packets.push(packet.clone());
        }
    }
    while publisher.poll_packet(true, &mut packet).is_some() {
        packets.push(packet.clone());
    }
    packets
}

fn publisher() -> Publisher {
    Publisher::new(rialto_publisher::Config::default()).expect("bounds that can be kept")
}

#[test]
fn both_lines_carry_exactly_the_packets() {
    let mut bench = Bench::new(&config());
    let mut script = Script::default();
    let mut publisher = publisher();
    let mut expected = Vec::new();
    // Each round is one poll: full packets, and one of what is left over.
    for outputs in [
        script.opening(100),
        script.orders(1),
        script.orders(36),
        script.orders(200),
    ] {
        bench.stream.release(&outputs);
        assert_eq!(bench.stage.poll(), outputs.len());
        expected.extend(packets(&mut publisher, &outputs));
    }
    assert!(expected.iter().any(|packet| packet.len() > 1_360) && expected.iter().any(|packet| packet.len() < 100));
    for packet in &expected {
        assert_eq!(bench.a.next(), *packet);
        assert_eq!(bench.b.next(), *packet);
    }
    bench.a.nothing_more();
    bench.b.nothing_more();

    let counters = bench.counters();
    let bytes: usize = expected.iter().map(Vec::len).sum();
    assert_eq!(counters.packets, expected.len() as u64);
    assert_eq!(
        (counters.datagrams_a, counters.datagrams_b),
        (counters.packets, counters.packets)
    );
    assert_eq!((counters.messages, counters.bytes), (344, 2 * bytes as u64));
    assert_eq!((counters.heartbeats, counters.send_errors), (0, 0));
    assert_eq!(bench.stage.progress().followed(), SequenceNumber(339));
}

#[test]
fn silence_is_broken_by_a_heartbeat_with_the_next_number() {
    let mut bench = Bench::new(&config());
    let mut script = Script::default();
    bench.clock.advance_ns(SECOND_NS);
    bench.settle();
    bench.a.nothing_more(); // before the first day there is no session to speak of

    bench.stream.release(&script.opening(1));
    bench.settle();
    for listener in [&bench.a, &bench.b] {
        assert_eq!(numbered(&listener.next()).len(), 8);
    }
    for (advance_ns, heartbeats) in [
        (0, 0),
        (SECOND_NS - 1, 0),
        (1, 1),
        (0, 1),
        (SECOND_NS, 2),
        (SECOND_NS * 5, 3),
    ] {
        bench.clock.advance_ns(advance_ns);
        bench.settle();
        assert_eq!(bench.counters().heartbeats, heartbeats, "after {advance_ns} ns more");
    }
    for _ in 0..3 {
        for listener in [&bench.a, &bench.b] {
            let datagram = listener.next();
            let packet = Packet::parse(&datagram).expect("a packet");
            assert_eq!((packet.content(), packet.sequence().0), (Content::Heartbeat, 9));
            assert_eq!(packet.session().to_string(), "0720120621");
        }
    }
    // What breaks the silence puts the next heartbeat off.
    bench.clock.advance_ns(SECOND_NS - 1);
    bench.stream.release(&script.orders(1));
    bench.settle();
    bench.clock.advance_ns(SECOND_NS - 1);
    bench.settle();
    assert_eq!(bench.counters().heartbeats, 3);
    assert_eq!(numbered(&bench.a.next())[0].0, 9);
    bench.a.nothing_more();
}

#[test]
fn the_end_of_a_day_is_said_at_once_and_again_for_a_while() {
    let mut bench = Bench::new(&Config {
        end_of_session_count: 3,
        ..config()
    });
    let mut script = Script::default();
    let outputs = [script.opening(1), script.end_of_day(DAY)].concat();
    bench.stream.release(&outputs);
    bench.settle();
    assert_eq!(numbered(&bench.a.next()).len(), 11);
    for seconds in 0..10 {
        assert_eq!(bench.counters().ends_of_session, (1 + seconds).min(3));
        bench.clock.advance_ns(SECOND_NS);
        bench.settle();
    }
    for _ in 0..3 {
        let datagram = bench.a.next();
        let packet = Packet::parse(&datagram).expect("a packet");
        assert_eq!((packet.content(), packet.sequence().0), (Content::EndOfSession, 12));
    }
    bench.a.nothing_more();
    assert_eq!(bench.counters().heartbeats, 0);
}

#[test]
fn a_day_leaves_whole_before_the_next_begins_in_the_same_poll() {
    let mut bench = Bench::new(&config());
    let mut script = Script::default();
    let next_day = TradingDay(DAY.0 + 1);
    let outputs = [
        script.opening(1),
        script.end_of_day(DAY),
        script.start_of_day(next_day),
        script.orders(2),
    ]
    .concat();
    bench.stream.release(&outputs);
    assert_eq!(bench.stage.poll(), outputs.len());
    for (session, content, first, count) in [
        ("0720120621", Content::Messages, 1, 11),
        ("0720120621", Content::EndOfSession, 12, 0),
        ("0720120622", Content::Messages, 1, 9),
    ] {
        let datagram = bench.a.next();
        let packet = Packet::parse(&datagram).expect("a packet");
        assert_eq!(packet.session().to_string(), session);
        assert_eq!(
            (packet.content(), packet.sequence().0, packet.count()),
            (content, first, count)
        );
        assert_eq!(bench.b.next(), datagram);
    }
    bench.a.nothing_more();
    // The old day's end is not said in the new day.
    bench.clock.advance_ns(SECOND_NS);
    bench.settle();
    let counters = bench.counters();
    assert_eq!((counters.ends_of_session, counters.heartbeats), (1, 1));
}

#[test]
fn after_a_restart_numbers_go_on_and_nothing_is_sent_twice() {
    let mut script = Script::default();
    let before = script.opening(500);
    let after = script.orders(3);
    let mut bench = Bench::new(&config());
    for output in &before {
        bench.stage.replay(output);
    }
    assert_eq!(bench.stage.progress().followed(), before[before.len() - 1].event.seq);
    assert_eq!(bench.counters(), rialto_feed::Counters::default());

    // The first thing said is how far the day is, so that whoever missed the last packets asks for them.
    bench.settle();
    let datagram = bench.a.next();
    let packet = Packet::parse(&datagram).expect("a packet");
    assert_eq!((packet.content(), packet.sequence().0), (Content::Heartbeat, 508));
    let asker = Asker::entitled(bench.stage.rerequest());
    asker.ask("0720120621", 507, 1);
    bench.settle_requests(1);

    bench.stream.release(&after);
    bench.settle();
    let live = numbered(&bench.a.next());
    let mut publisher = publisher();
    let whole: Vec<_> = packets(&mut publisher, &[before, after].concat())
        .iter()
        .flat_map(|packet| numbered(packet))
        .collect();
    assert_eq!(live, whole[507..]);
    assert_eq!(numbered(&asker.next()), whole[506..507]);
}

#[test]
fn after_a_restart_between_days_the_end_is_said_again() {
    let mut script = Script::default();
    let mut bench = Bench::new(&config());
    for output in [script.opening(1), script.end_of_day(DAY)].concat() {
        bench.stage.replay(&output);
    }
    bench.settle();
    let datagram = bench.a.next();
    let packet = Packet::parse(&datagram).expect("a packet");
    assert_eq!((packet.content(), packet.sequence().0), (Content::EndOfSession, 12));
}

#[test]
fn on_a_thread_of_its_own_it_drains_what_was_released() {
    const ORDERS: usize = 20_000;
    let (mut stream, reader) = Stream::new(64);
    let mut stage = FeedStage::new(&config(), reader, SystemClock::new()).expect("a feed");
    let (progress, counters) = (stage.progress(), stage.counters());
    let outputs = Script::default().opening(ORDERS);
    let last = outputs[outputs.len() - 1].event.seq;
    let stop = Stop::new();
    std::thread::scope(|scope| {
        scope.spawn(|| run(&mut [&mut stage], Idle::Yield, &stop));
        stream.release(&outputs);
        stop.drain();
    });
    assert_eq!(progress.followed(), last);
    let counters = counters.read();
    assert_eq!(counters.messages, ORDERS as u64 + 7);
    assert_eq!(counters.send_errors, 0);
    assert_eq!(counters.datagrams_a, counters.packets + counters.heartbeats);
    assert_eq!(counters.datagrams_b, counters.datagrams_a);
}

#[test]
fn messages_wait_for_their_packet_no_longer_than_the_bound() {
    let config = Config {
        flush_ns: 50_000,
        ..config()
    };
    let mut bench = Bench::new(&config);
    let mut script = Script::default();
    // They fill no packet: they wait, and others join them.
    for (outputs, later_ns) in [
        (script.opening(10), 0),
        (script.orders(5), 30_000),
        (Vec::new(), 19_999),
    ] {
        bench.clock.advance_ns(later_ns);
        bench.stream.release(&outputs);
        bench.stage.poll();
        assert_eq!(bench.counters().packets, 0);
        assert!(!bench.stage.is_drained());
    }
    bench.clock.advance_ns(1);
    bench.stage.poll();
    assert!(bench.stage.is_drained());
    let heartbeat = bench.a.next();
    assert_eq!(
        Packet::parse(&heartbeat).expect("a packet").content(),
        Content::Heartbeat
    );
    let packet = bench.a.next();
    assert_eq!(Packet::parse(&packet).expect("a packet").content(), Content::Messages);
    assert_eq!(numbered(&packet).len(), 22);
    // A full packet waits for nothing, and what came with it waits from then on.
    let outputs = script.orders(40);
    bench.stream.release(&outputs);
    bench.stage.poll();
    assert_eq!((bench.counters().packets, bench.counters().messages), (2, 58));
    bench.clock.advance_ns(50_000);
    bench.stage.poll();
    assert_eq!((bench.counters().packets, bench.counters().messages), (3, 62));
}

#[test]
fn packets_that_leave_together_are_the_packets() {
    let segmented = Config {
        segmented: true,
        ..config()
    };
    let mut bench = Bench::new(&segmented);
    let mut script = Script::default();
    let mut publisher = publisher();
    let mut expected = Vec::new();
    for outputs in [
        script.opening(100),
        script.orders(250),
        script.orders(1),
        script.end_of_day(DAY),
    ] {
        bench.stream.release(&outputs);
        bench.stage.poll();
        expected.extend(packets(&mut publisher, &outputs));
    }
    for packet in &expected {
        assert_eq!(bench.a.next(), *packet);
        assert_eq!(bench.b.next(), *packet);
    }
    let end = bench.a.next();
    assert_eq!(Packet::parse(&end).expect("a packet").content(), Content::EndOfSession);
    let counters = bench.counters();
    assert_eq!(counters.datagrams_a, expected.len() as u64 + 1);
    if counters.calls >= counters.datagrams_a + counters.datagrams_b {
        println!("SKIPPED: this kernel does not cut segments");
    }
}
