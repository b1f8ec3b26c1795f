//! Packets: when they are full, what is asked for again, what a restart brings back.

mod common;

use common::*;
use rialto_itch::mold::{Content, Packet, Request, SequenceNumber, Session};
use rialto_model::Side::Buy;
use rialto_model::{Event, Output, TradingDay};
use rialto_publisher::{Absent, Config, ConfigError, Publisher};

const HEADER: usize = 20;
/// A resting order is an `A` of 36 bytes behind 2 of length.
const ADD: usize = 38;

fn publisher(datagram_max: usize, store_bytes_max: usize) -> Publisher {
    let config = Config {
        datagram_max,
        store_bytes_max,
    };
    Publisher::new(config).expect("bounds that can be kept")
}

/// An opening (7 messages) and then `orders` orders (a message each).
fn outputs(script: &mut Script, orders: u64) -> Vec<Output> {
    let mut outputs = script.opening();
    for reference in 1..=orders {
        outputs.extend(script.command(&[Event::Accepted(accepted(Buy, reference, 100, 50_000, true))]));
    }
    outputs
}

fn session(name: &str) -> Session {
    Session::new(name).expect("a session name")
}

/// Everything from `from` on, asked for again.
fn asked(publisher: &Publisher, from: u64) -> Vec<(u64, Vec<u8>)> {
    let mut messages = Vec::new();
    let mut packet = Vec::new();
    let mut request = Request {
        session: publisher.session().expect("a session"),
        sequence: SequenceNumber(from),
        count: u16::MAX,
    };
    while publisher.answer(&request, u16::MAX, &mut packet).is_ok() {
        let got = numbered(&packet);
        request.sequence.0 += got.len() as u64;
        messages.extend(got);
    }
    messages
}

#[test]
fn a_packet_leaves_when_the_next_message_does_not_fit_or_when_it_is_flushed() {
    let datagram_max = HEADER + 5 * ADD;
    let mut publisher = publisher(datagram_max, 64 << 10);
    let mut script = Script::new();
    let mut packet = Vec::new();
    for output in outputs(&mut script, 0) {
        publisher.follow(&output);
    }
    // S S V R H Y S: 14 + 14 + 37 + 41 + 27 + 22 + 14 bytes fit.
    assert_eq!(publisher.poll_packet(false, &mut packet), None);
    assert_eq!(publisher.poll_packet(true, &mut packet), Some(7));
    assert_eq!(publisher.poll_packet(true, &mut packet), None, "nothing is sent twice");

    let mut follow = |publisher: &mut Publisher, reference| {
        for output in script.command(&[Event::Accepted(accepted(Buy, reference, 1, 50_000, true))]) {
            publisher.follow(&output);
        }
    };
    for reference in 1..=5 {
        follow(&mut publisher, reference);
        assert_eq!(publisher.poll_packet(false, &mut packet), None, "{reference} fit");
    }
    follow(&mut publisher, 6);
    assert_eq!(publisher.poll_packet(false, &mut packet), Some(5));
    assert_eq!(packet.len(), datagram_max);
    let sequences: Vec<u64> = numbered(&packet).iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(sequences, [8, 9, 10, 11, 12]);
    assert_eq!(
        Packet::parse(&packet).expect("a packet").session(),
        session("0720120621")
    );
    assert_eq!(publisher.poll_packet(false, &mut packet), None);
    assert_eq!(publisher.poll_packet(true, &mut packet), Some(1));
    assert_eq!(numbered(&packet)[0].0, 13);
    assert_eq!(publisher.next_sequence(), SequenceNumber(14));
}

#[test]
fn heartbeats_and_ends_of_session_tell_the_number_behind_what_was_sent() {
    let mut publisher = publisher(1_400, 64 << 10);
    let mut script = Script::new();
    assert_eq!((publisher.heartbeat(), publisher.end_of_session()), (None, None));
    assert_eq!(publisher.session(), None);

    for output in outputs(&mut script, 2) {
        publisher.follow(&output);
    }
    let told = |bytes: Option<[u8; 20]>, content| {
        let bytes = bytes.expect("a packet");
        let packet = Packet::parse(&bytes).expect("sound framing");
        assert_eq!(packet.content(), content);
        assert_eq!(packet.session(), session("0720120621"));
        packet.sequence().0
    };
    assert_eq!(
        told(publisher.heartbeat(), Content::Heartbeat),
        1,
        "nothing was sent yet"
    );
    packets(&mut publisher);
    assert_eq!(told(publisher.heartbeat(), Content::Heartbeat), 10);
    assert_eq!(publisher.end_of_session(), None);

    for output in script.command(&[day_ended()]) {
        publisher.follow(&output);
    }
    assert_eq!(publisher.heartbeat(), None);
    packets(&mut publisher);
    assert_eq!(told(publisher.end_of_session(), Content::EndOfSession), 13);
}

#[test]
fn a_new_day_is_a_new_session_numbered_from_one() {
    let mut publisher = publisher(1_400, 64 << 10);
    let mut script = Script::new();
    for output in outputs(&mut script, 2) {
        publisher.follow(&output);
    }
    for output in script.command(&[day_ended()]) {
        publisher.follow(&output);
    }
    packets(&mut publisher);
    assert_eq!(
        asked(&publisher, 1).len(),
        12,
        "the day that ended can still be asked for"
    );
    assert_eq!(publisher.last_sequence_of_command(), Some(SequenceNumber(12)));

    let next_day = TradingDay(DAY.0 + 1);
    let opening = script.command(&[day_started(next_day), listed(1, "GOOG", 4)]);
    publisher.follow(&opening[0]);
    assert_eq!(publisher.last_sequence_of_command(), None, "the command is not whole");
    publisher.follow(&opening[1]);
    assert_eq!(publisher.session(), Some(session("0720120622")));
    assert_eq!(publisher.last_sequence_of_command(), Some(SequenceNumber(7)));
    let sent = packets(&mut publisher);
    assert_eq!(
        Packet::parse(&sent[0]).expect("a packet").session(),
        session("0720120622")
    );
    assert_eq!(numbered(&sent[0])[0].0, 1);
    let old = Request {
        session: session("0720120621"),
        sequence: SequenceNumber(1),
        count: 1,
    };
    assert_eq!(publisher.answer(&old, 1, &mut Vec::new()), Err(Absent::OtherSession));
    assert_eq!(publisher.counters().unsent_dropped, 0);
}

#[test]
fn what_was_not_polled_before_the_next_day_is_counted() {
    let mut publisher = publisher(1_400, 64 << 10);
    let mut script = Script::new();
    for output in outputs(&mut script, 2) {
        publisher.follow(&output);
    }
    for output in script.command(&[day_started(TradingDay(DAY.0 + 1))]) {
        publisher.follow(&output);
    }
    assert_eq!(publisher.counters().unsent_dropped, 9);
    assert_eq!(numbered(&packets(&mut publisher)[0]).len(), 4);
}

#[test]
fn a_book_may_be_stated_where_a_command_ends() {
    let mut publisher = publisher(1_400, 64 << 10);
    let mut script = Script::new();
    for output in outputs(&mut script, 2) {
        publisher.follow(&output);
    }
    let sweep = script.command(&[
        Event::Accepted(accepted(rialto_model::Side::Sell, 3, 300, 50_000, false)),
        executed(1, 100, 1),
        executed(2, 100, 2),
        Event::Booked(booked(rialto_model::Side::Sell, 3, 100, 50_000)),
    ]);
    for (output, expected) in sweep.iter().zip([9, 9, 9, 12]) {
        publisher.follow(output);
        assert_eq!(publisher.last_sequence_of_command(), Some(SequenceNumber(expected)));
        assert_eq!(
            publisher.last_command().0,
            if output.last { script.seq } else { script.seq - 1 }
        );
    }
    // A command that says nothing in public ends where the one before it did.
    for output in script.command(&[Event::Ticked(rialto_model::event::Ticked::default())]) {
        publisher.follow(&output);
    }
    assert_eq!(publisher.last_sequence_of_command(), Some(SequenceNumber(12)));
    assert_eq!(publisher.last_command().0, script.seq);
}

#[test]
fn what_is_asked_for_again_is_what_was_sent() {
    let mut publisher = publisher(HEADER + 4 * ADD, 64 << 10);
    for output in outputs(&mut Script::new(), 100) {
        publisher.follow(&output);
    }
    let mut packet = Vec::new();
    let request = |sequence, count| Request {
        session: session("0720120621"),
        sequence: SequenceNumber(sequence),
        count,
    };
    assert_eq!(
        publisher.answer(&request(1, 1), 9, &mut packet),
        Err(Absent::NotSent {
            next: SequenceNumber(1)
        }),
        "nobody gets by asking what nobody was sent"
    );
    let sent: Vec<_> = packets(&mut publisher)
        .iter()
        .flat_map(|packet| numbered(packet))
        .collect();
    assert_eq!(asked(&publisher, 1), sent);

    for (sequence, count, count_max, got) in [
        (1, 1, 100, Ok(1)),
        (8, 3, 100, Ok(3)),
        (8, 4, 100, Ok(4)),
        (8, 60_000, 60_000, Ok(4)), // what fits the packet
        (8, 60_000, 2, Ok(2)),
        (106, 60_000, 60_000, Ok(2)), // what there is
        (107, 1, 100, Ok(1)),
        (
            108,
            1,
            100,
            Err(Absent::NotSent {
                next: SequenceNumber(108),
            }),
        ),
        (
            u64::MAX - 1,
            1,
            100,
            Err(Absent::NotSent {
                next: SequenceNumber(108),
            }),
        ),
    ] {
        assert_eq!(
            publisher.answer(&request(sequence, count), count_max, &mut packet),
            got,
            "{count} from {sequence} on"
        );
        if let Ok(count) = got {
            let start = sequence as usize - 1;
            assert_eq!(numbered(&packet), sent[start..start + usize::from(count)]);
        }
    }
}

#[test]
fn memory_is_bounded_and_the_oldest_messages_go() {
    const ROOM: u64 = 2_000;
    let mut publisher = publisher(200, 56 * ROOM as usize);
    let mut sent = Vec::new();
    let mut packet = Vec::new();
    for output in outputs(&mut Script::new(), 5_000) {
        publisher.follow(&output);
        while publisher.poll_packet(false, &mut packet).is_some() {
            sent.extend(numbered(&packet));
        }
    }
    sent.extend(packets(&mut publisher).iter().flat_map(|packet| numbered(packet)));
    let numbers: Vec<u64> = sent.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(numbers, (1..=5_007).collect::<Vec<_>>());
    let floor = 5_008 - ROOM;
    assert_eq!(asked(&publisher, floor), sent[floor as usize - 1..]);
    let below = Request {
        session: session("0720120621"),
        sequence: SequenceNumber(floor - 1),
        count: 10,
    };
    assert_eq!(
        publisher.answer(&below, 10, &mut packet),
        Err(Absent::BeyondMemory {
            floor: SequenceNumber(floor)
        })
    );
    assert_eq!(publisher.counters().unsent_dropped, 0);
}

#[test]
fn an_owner_that_does_not_poll_loses_the_oldest_and_is_told() {
    const ROOM: u64 = 2_000;
    let mut publisher = publisher(200, 56 * ROOM as usize);
    let mut script = Script::new();
    for output in outputs(&mut script, 5_000) {
        publisher.follow(&output);
    }
    assert_eq!(publisher.counters().unsent_dropped, 5_007 - ROOM);
    let numbers: Vec<u64> = packets(&mut publisher)
        .iter()
        .flat_map(|packet| numbered(packet))
        .map(|(sequence, _)| sequence)
        .collect();
    assert_eq!(numbers, (5_008 - ROOM..=5_007).collect::<Vec<_>>());
    // What is full is still judged by what waits.
    publisher.follow(&script.command(&[Event::Accepted(accepted(Buy, 5_001, 1, 50_000, true))])[0]);
    assert_eq!(publisher.poll_packet(false, &mut Vec::new()), None);
}

#[test]
fn a_publisher_is_a_function_of_what_it_followed() {
    const SEED: u64 = 20_120_621;
    eprintln!("seed {SEED}");
    let mut random = Random(SEED);
    let outputs = outputs(&mut Script::new(), 3_000);
    for round in 0..20 {
        let stop = random.below(outputs.len() as u64) as usize;
        let mut lived = publisher(1_400, 1 << 20);
        let mut sent = Vec::new();
        let mut packet = Vec::new();
        for output in &outputs[..stop] {
            lived.follow(output);
            let flush = random.below(3) == 0;
            while lived.poll_packet(flush, &mut packet).is_some() {
                sent.extend(numbered(&packet));
            }
        }
        sent.extend(packets(&mut lived).iter().flat_map(|packet| numbered(packet)));

        // It dies; another follows the same outputs from the journal.
        let mut reborn = publisher(1_400, 1 << 20);
        for output in &outputs[..stop] {
            reborn.follow(output);
        }
        reborn.skip_unsent();
        assert_eq!(reborn.poll_packet(true, &mut packet), None, "nothing is sent again");
        assert_eq!(reborn.heartbeat(), lived.heartbeat());
        assert_eq!(reborn.session(), lived.session());
        assert_eq!(reborn.next_sequence(), lived.next_sequence());
        assert_eq!(reborn.last_sequence_of_command(), lived.last_sequence_of_command());
        if reborn.session().is_some() {
            assert_eq!(asked(&reborn, 1), sent, "round {round}: stopped at {stop}");
        }
        // And goes on as the other would have.
        for output in &outputs[stop..] {
            lived.follow(output);
            reborn.follow(output);
        }
        assert_eq!(packets(&mut lived), packets(&mut reborn));
    }
}

#[test]
fn a_writer_that_was_fenced_off_is_not_followed() {
    let mut publisher = publisher(1_400, 64 << 10);
    let mut script = Script::new();
    for output in outputs(&mut script, 1) {
        publisher.follow(&output);
    }
    script.epoch = 3;
    let order = |script: &mut Script, reference| {
        script.command(&[Event::Accepted(accepted(Buy, reference, 1, 50_000, true))])[0]
    };
    publisher.follow(&order(&mut script, 2));
    assert_eq!(publisher.next_sequence(), SequenceNumber(10));
    script.epoch = 2;
    publisher.follow(&order(&mut script, 3));
    assert_eq!(publisher.next_sequence(), SequenceNumber(10));
    assert_eq!(publisher.counters().stale_epochs, 1);
    assert_eq!(publisher.counters().messages, 9);
    script.epoch = 3;
    publisher.follow(&order(&mut script, 4));
    assert_eq!(publisher.next_sequence(), SequenceNumber(11));
}

#[test]
fn bounds_that_cannot_be_kept_are_refused_with_the_mend() {
    for (datagram_max, store_bytes_max, mend) in [
        (71, 1 << 20, Some("choose 72 to 65507")),
        (65_508, 1 << 30, Some("choose 72 to 65507")),
        (1_400, 700 * 56 - 1, Some("set at least 39200")),
        (72, 36 * 56, None),
        (65_507, 1 << 30, None),
        (1_400, 700 * 56, None),
    ] {
        let config = Config {
            datagram_max,
            store_bytes_max,
        };
        let refused: Option<ConfigError> = Publisher::new(config).err();
        let text = refused.map(|error| error.to_string());
        assert_eq!(text.is_some(), mend.is_some(), "{config:?}: {text:?}");
        if let (Some(text), Some(mend)) = (text, mend) {
            assert!(text.contains(mend), "{text}");
        }
    }
}
