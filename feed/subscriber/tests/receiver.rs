//! The receiver as scripts: what happens on the left, what it hands on or asks for on the right.
//!
//! `A S 3 x y`: on line A, session S, messages x and y numbered from 3. `A S 5 heartbeat`, `A S 5 end`: no messages, 5 is
//! next. `R` is the re-request server. `timeout`: handle_timeout. `poll`: all requests due. Times are nanoseconds.

use rialto_itch::mold::{Header, PacketBuilder, PacketError, SequenceNumber, Session};
use rialto_subscriber::{Config, ConfigError, Counters, Delivery, Line, ReceiveError, Receiver, Start};

const CONFIG: Config = Config {
    reorder_max: 8,
    request_delay_ns: 10,
    request_count_max: 3,
    request_window: 6,
    retry_ns: 100,
    retry_max_ns: 300,
    attempts_max: 4,
};

fn session(name: &str) -> Session {
    Session::new(name).expect("a session")
}

fn datagram(words: &[&str]) -> Vec<u8> {
    let sequence = SequenceNumber(words[1].parse().expect("a number"));
    match words[2..] {
        ["heartbeat"] => Header::heartbeat(session(words[0]), sequence).to_bytes().to_vec(),
        ["end"] => Header::end_of_session(session(words[0]), sequence).to_bytes().to_vec(),
        ref messages => {
            let mut builder = PacketBuilder::new(session(words[0]), sequence);
            for message in messages {
                builder.push(message.as_bytes()).expect("room");
            }
            builder.seal().expect("messages").to_vec()
        }
    }
}

fn say(delivery: Delivery<'_>) -> String {
    match delivery {
        Delivery::SessionStarted(session) => format!("start {session}"),
        Delivery::Message { sequence, bytes } => format!("{sequence}:{}", bytes.escape_ascii()),
        Delivery::Lost { first, count } => format!("lost {first}+{count}"),
        Delivery::SessionEnded { next } => format!("end {next}"),
    }
}

fn run(start: Start, script: &[(u64, &str, &str)]) -> Receiver {
    run_with(CONFIG, start, script)
}

fn run_with(config: Config, start: Start, script: &[(u64, &str, &str)]) -> Receiver {
    let mut receiver = Receiver::new(config, start).expect("bounds");
    for (step, &(now_ns, event, expected)) in script.iter().enumerate() {
        let mut said = Vec::new();
        let mut sink = |delivery: Delivery<'_>| said.push(say(delivery));
        let words: Vec<_> = event.split(' ').collect();
        let line = match words[0] {
            "A" => Some(Line::A),
            "B" => Some(Line::B),
            "R" => Some(Line::Recovery),
            _ => None,
        };
        match (line, words[0]) {
            (Some(line), _) => {
                assert_eq!(
                    receiver.handle_packet(now_ns, line, &datagram(&words[1..]), &mut sink),
                    Ok(())
                );
            }
            (None, "timeout") => receiver.handle_timeout(now_ns, &mut sink),
            (None, "poll") => {
                while let Some(request) = receiver.poll_request(now_ns) {
                    said.push(format!(
                        "ask {} {}+{}",
                        request.session, request.sequence, request.count
                    ));
                }
            }
            (None, other) => panic!("{other}"),
        }
        assert_eq!(said.join(", "), expected, "step {step} at {now_ns}: {event}");
    }
    receiver
}

#[test]
fn packets_in_order_on_two_lines_are_delivered_once() {
    let receiver = run(
        Start::Beginning,
        &[
            (0, "A S 1 a b", "start S, 1:a, 2:b"),
            (1, "B S 1 a b", ""),
            (2, "B S 3 c", "3:c"),
            (3, "A S 3 c d", "4:d"),
            (4, "A S 5 heartbeat", ""),
            (5, "timeout", ""),
            (5, "poll", ""),
        ],
    );
    assert_eq!(receiver.poll_timeout(), None);
    assert_eq!(receiver.position(), Some((session("S"), SequenceNumber(5))));
    let expected = Counters {
        packets_a: 3,
        packets_b: 2,
        first_a: 3,
        first_b: 1,
        heartbeats: 1,
        sessions: 1,
        messages: 4,
        duplicates: 3,
        ..Counters::default()
    };
    assert_eq!(*receiver.counters(), expected);
}

#[test]
fn a_gap_that_the_other_line_closes_in_time_is_not_asked_for() {
    let receiver = run(
        Start::Beginning,
        &[
            (0, "A S 1 a", "start S, 1:a"),
            (5, "A S 3 c", ""),
            (14, "poll", ""),
            (14, "B S 2 b", "2:b, 3:c"),
            (99, "poll", ""),
        ],
    );
    let expected = Counters {
        packets_a: 2,
        packets_b: 1,
        sessions: 1,
        messages: 3,
        held: 1,
        gaps: 1,
        missing: 1,
        first_a: 2,
        first_b: 1,
        skipped_a: 1,
        gap_ns_max: 9,
        ..Counters::default()
    };
    assert_eq!(*receiver.counters(), expected);
}

#[test]
fn a_gap_is_asked_for_in_bounded_requests_within_the_window() {
    let receiver = run(
        Start::Beginning,
        &[
            (0, "A S 1 a", "start S, 1:a"),
            // 2 to 9 are missing, except that 5 is held; 10 is as far ahead as the ring of eight goes.
            (1, "A S 5 e", ""),
            (2, "A S 9 i j", ""),
            (10, "poll", ""),
            (11, "poll", "ask S 2+3, ask S 6+2"),
            (12, "poll", ""),
            (20, "R S 2 b", "2:b"),
            (20, "poll", "ask S 8+1"),
            (21, "R S 3 c d", "3:c, 4:d, 5:e"),
            // 10 came too early to be held, and the window has only now come so far.
            (21, "poll", "ask S 10+1"),
            (22, "R S 6 f g h i", "6:f, 7:g, 8:h, 9:i"),
            (22, "poll", ""),
            (23, "R S 10 j", "10:j"),
        ],
    );
    let expected = Counters {
        packets_a: 3,
        packets_recovery: 4,
        sessions: 1,
        messages: 10,
        held: 2,
        dropped: 1,
        duplicates: 1,
        gaps: 2,
        missing: 6,
        first_a: 3,
        skipped_a: 6,
        gap_ns_max: 22,
        requests: 4,
        requested: 7,
        ..Counters::default()
    };
    assert_eq!(*receiver.counters(), expected);
    assert_eq!(receiver.poll_timeout(), None);
}

#[test]
fn no_more_is_asked_for_than_can_be_held() {
    let config = Config {
        request_window: 1_000,
        request_count_max: 100,
        ..CONFIG
    };
    run_with(
        config,
        Start::Beginning,
        &[
            (0, "A S 500 heartbeat", "start S"),
            (10, "poll", "ask S 1+8"),
            (11, "R S 1 a b", "1:a, 2:b"),
            (11, "poll", "ask S 9+2"),
        ],
    );
}

#[test]
fn an_unanswered_request_is_repeated_ever_more_slowly_and_then_given_up() {
    let receiver = run(
        Start::Beginning,
        &[
            (0, "A S 1 a", "start S, 1:a"),
            (0, "A S 4 d", ""),
            (10, "poll", "ask S 2+2"),
            (109, "poll", ""),
            (110, "poll", "ask S 2+2"),
            (309, "poll", ""),
            (310, "poll", "ask S 2+2"),
            (609, "poll", ""),
            (610, "poll", "ask S 2+2"),
            (909, "timeout", ""),
            (910, "poll", ""),
            (910, "timeout", "lost 2+2, 4:d"),
            (911, "B S 2 b c", ""),
        ],
    );
    assert_eq!((receiver.counters().lost, receiver.counters().duplicates), (2, 2));
    assert_eq!(receiver.poll_timeout(), None);
}

#[test]
fn what_comes_starts_the_patience_anew() {
    run(
        Start::Beginning,
        &[
            (0, "A S 4 heartbeat", "start S"),
            (10, "poll", "ask S 1+3"),
            (110, "poll", "ask S 1+3"),
            (300, "R S 1 a", "1:a"),
            (399, "poll", ""),
            (400, "poll", "ask S 2+2"),
            (599, "poll", ""),
            (600, "poll", "ask S 2+2"),
        ],
    );
}

#[test]
fn the_next_gap_behind_one_given_up_is_asked_for_as_well() {
    run(
        Start::Beginning,
        &[
            (0, "A S 2 b", "start S"),
            (0, "A S 4 d", ""),
            (10, "poll", "ask S 1+1, ask S 3+1"),
            (110, "poll", "ask S 1+1, ask S 3+1"),
            (310, "poll", "ask S 1+1, ask S 3+1"),
            (610, "poll", "ask S 1+1, ask S 3+1"),
            (910, "timeout", "lost 1+1, 2:b"),
            (919, "poll", ""),
            (920, "poll", "ask S 3+1"),
            (921, "R S 3 c", "3:c, 4:d"),
        ],
    );
}

#[test]
fn heartbeats_and_the_end_reveal_what_is_missing_at_the_tail() {
    let receiver = run(
        Start::Beginning,
        &[
            (0, "A S 1 a", "start S, 1:a"),
            (1, "A S 3 heartbeat", ""),
            (11, "poll", "ask S 2+1"),
            (12, "A S 4 end", ""),
            (12, "poll", "ask S 3+1"),
            (13, "R S 2 b c", "2:b, 3:c, end 4"),
            (14, "A S 4 end", ""),
            (14, "B S 3 c", ""),
            (15, "timeout", ""),
            (15, "poll", ""),
        ],
    );
    assert_eq!(
        (
            receiver.counters().gaps,
            receiver.counters().missing,
            receiver.counters().stale
        ),
        (2, 2, 2)
    );
    assert_eq!(receiver.position(), None);
}

#[test]
fn a_new_session_begins_at_1_and_ends_the_one_before() {
    let receiver = run(
        Start::Beginning,
        &[
            (0, "A MON 1 a b", "start MON, 1:a, 2:b"),
            (1, "A MON 3 end", "end 3"),
            (2, "A TUE 1 c", "start TUE, 1:c"),
            (3, "B MON 1 a b", ""),
            (4, "B MON 3 end", ""),
            // TUE is not over: 2 and 4 are missing, 3 and 5 are held.
            (5, "A TUE 3 e", ""),
            (5, "A TUE 5 g", ""),
            (6, "R WED 1 x", ""),
            (7, "B WED 2 y", "lost 2+1, 3:e, lost 4+1, 5:g, end 6, start WED"),
            (8, "A TUE 2 d", ""),
            (17, "poll", "ask WED 1+1"),
            (18, "R WED 1 x", "1:x, 2:y"),
        ],
    );
    assert_eq!(
        (
            receiver.counters().sessions,
            receiver.counters().stale,
            receiver.counters().lost
        ),
        (3, 4, 2)
    );
}

#[test]
fn live_leaves_out_what_was_before_but_only_in_the_first_session() {
    run(
        Start::Live,
        &[
            (0, "R S 1 a", ""),
            (1, "A S 7 heartbeat", "start S"),
            (2, "A S 7 g", "7:g"),
            (3, "A S 9 i", ""),
            (13, "poll", "ask S 8+1"),
            (14, "R S 8 h", "8:h, 9:i"),
            (15, "A T 2 b", "end 10, start T"),
            (25, "poll", "ask T 1+1"),
        ],
    );
}

#[test]
fn a_snapshot_says_where_to_begin() {
    run(
        Start::At {
            session: session("S"),
            next: SequenceNumber(5),
        },
        &[
            (0, "A S 4 d e", "5:e"),
            (1, "A S 7 g", ""),
            (11, "poll", "ask S 6+1"),
            (12, "R S 5 e f", "6:f, 7:g"),
        ],
    );
}

#[test]
fn refused_packets_are_counted_and_change_nothing() {
    let mut receiver = run(Start::Beginning, &[(0, "A S 1 a", "start S, 1:a")]);
    let before = receiver.position();
    let zero = Header::heartbeat(session("S"), SequenceNumber(0)).to_bytes();
    let cut = &datagram(&["S", "2", "b"])[..22];
    let cases = [
        (&b"noise"[..], ReceiveError::Packet(PacketError::Header { actual: 5 })),
        (
            cut,
            ReceiveError::Packet(PacketError::Block {
                index: 0,
                count: 1,
                length: 1,
                left: 0,
            }),
        ),
        (&zero[..], ReceiveError::SequenceZero),
    ];
    for (bytes, error) in cases {
        let outcome = receiver.handle_packet(1, Line::B, bytes, &mut |delivery| panic!("{delivery:?}"));
        assert_eq!(outcome, Err(error));
    }
    assert_eq!(
        (
            receiver.position(),
            receiver.counters().malformed,
            receiver.counters().packets_b
        ),
        (before, 3, 3)
    );
}

#[test]
fn the_last_numbers_there_are_do_not_overflow() {
    let last = "18446744073709551615";
    run(
        Start::Live,
        &[
            (0, "A S 18446744073709551614 y", "start S, 18446744073709551614:y"),
            (u64::MAX, &format!("A S {last} heartbeat"), ""),
            (u64::MAX, "timeout", ""),
        ],
    );
    run(
        Start::Beginning,
        &[
            (u64::MAX, &format!("A S {last} heartbeat"), "start S"),
            (u64::MAX, "poll", "ask S 1+3, ask S 1+3, ask S 1+3, ask S 1+3"),
            (u64::MAX, "timeout", "lost 1+18446744073709551614"),
        ],
    );
}

#[test]
fn bounds_that_cannot_work_are_refused() {
    let zero = |name| Some(ConfigError::Zero { name });
    let cases = [
        (
            Config {
                reorder_max: 0,
                ..CONFIG
            },
            zero("reorder_max"),
        ),
        (
            Config {
                request_count_max: 0,
                ..CONFIG
            },
            zero("request_count_max"),
        ),
        (
            Config {
                request_window: 0,
                ..CONFIG
            },
            zero("request_window"),
        ),
        (Config { retry_ns: 0, ..CONFIG }, zero("retry_ns")),
        (
            Config {
                attempts_max: 0,
                ..CONFIG
            },
            zero("attempts_max"),
        ),
        (
            Config {
                request_count_max: 2_001,
                ..CONFIG
            },
            Some(ConfigError::RequestCount { asked: 2_001 }),
        ),
        (
            Config {
                request_count_max: 2_000,
                ..CONFIG
            },
            None,
        ),
        (Config::default(), None),
    ];
    for (config, refused) in cases {
        assert_eq!(Receiver::new(config, Start::Beginning).err(), refused);
    }
}
