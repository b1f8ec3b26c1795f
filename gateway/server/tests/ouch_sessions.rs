//! Comings and goings at the OUCH door: logins, replays, losses, days, crashes, back-pressure, the end.

mod support;

use rialto_gateway::SessionSettings;
use rialto_model::command::SessionLost;
use rialto_model::{Command, Door, LossCause, SessionId, TradingDay};
use rialto_ouch::soup::{CloseReason, LoginRejectCode};

use support::ouch_client::{OuchClient, login};
use support::{DAY, Exchange, OUCH_ONE, Setup};

/// The losses of a session that were sequenced, by cause.
fn losses(x: &Exchange, session: SessionId) -> Vec<LossCause> {
    x.commands
        .iter()
        .filter_map(|command| match command {
            Command::SessionLost(SessionLost {
                session: lost, cause, ..
            }) if *lost == session => Some(*cause),
            _ => None,
        })
        .collect()
}

#[track_caller]
fn until_lost(x: &mut Exchange, session: SessionId, causes: &[LossCause]) {
    x.until("the session to be lost", |x| x.up(session).is_none());
    assert_eq!(losses(x, session), causes);
}

#[test]
fn who_comes_in_and_who_does_not() {
    let not_authorised = CloseReason::LoginRejected(LoginRejectCode::NotAuthorised);
    let not_available = CloseReason::LoginRejected(LoginRejectCode::SessionNotAvailable);
    let in_session = Some(("0720241004".to_owned(), 1));
    let table = [
        ("OUCH01", "secret", "", 1, in_session.clone(), None),
        ("ouch01", "SeCrEt", "", 1, in_session.clone(), None),
        ("OUCH01", "secret", "0720241004", 1, in_session.clone(), None),
        ("OUCH01", "secret", "", 99, Some(("0720241004".to_owned(), 2)), None),
        ("OUCH01", "secret", "", 0, in_session, None),
        ("OUCH01", "hunter2", "", 1, None, Some(not_authorised)),
        ("OUCH01", "", "", 1, None, Some(not_authorised)),
        ("NOBODY", "secret", "", 1, None, Some(not_authorised)),
        ("FIXONE", "secret", "", 1, None, Some(not_authorised)),
        ("OUCH01", "secret", "0720241003", 1, None, Some(not_available)),
    ];
    let mut x = Exchange::new();
    for (user, password, session, sequence, accepted, closed) in table {
        let row = format!("{user} {password} {session} {sequence}");
        let mut client = OuchClient::connect(&x, login(user, password, session, sequence));
        x.until("an answer", |x| {
            client.poll(x);
            client.accepted.is_some() || client.closed.is_some()
        });
        assert_eq!((client.accepted, client.closed), (accepted, closed), "{row}");
        assert!(
            !x.lines
                .concat()
                .contains(if password.is_empty() { "\n" } else { password }),
            "{row}: {:?}",
            x.lines
        );
    }
    assert_eq!(x.counts(Door::Ouch).logins_refused, 5);
}

#[test]
fn the_second_login_is_refused_and_the_first_lives_on() {
    let mut x = Exchange::new();
    let mut first = OuchClient::enter(&mut x, "OUCH01");
    let mut second = OuchClient::connect(&x, login("OUCH01", "secret", "", 1));
    second.until_closed(&mut x);
    assert_eq!(
        second.closed,
        Some(CloseReason::LoginRejected(LoginRejectCode::SessionNotAvailable))
    );
    assert!(x.said("logged in already"));
    first.play(&mut x, "< S S\n> O 1 B 1 ABC 10.00\n< A 1 B 1 ABC 10.00 ref=1");
    assert_eq!(x.counts(Door::Ouch).sessions_up, 1);
}

#[test]
fn without_a_trading_day_there_is_no_session() {
    let mut x = Exchange::with(Setup {
        open: false,
        ..Setup::default()
    });
    let mut client = OuchClient::connect(&x, login("OUCH01", "secret", "", 1));
    client.until_closed(&mut x);
    assert_eq!(
        client.closed,
        Some(CloseReason::LoginRejected(LoginRejectCode::SessionNotAvailable))
    );
    assert_eq!(losses(&x, OUCH_ONE), []);
}

#[test]
fn every_way_to_go_is_one_loss_with_its_cause() {
    let mut x = Exchange::new();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.logout(&x);
    until_lost(&mut x, OUCH_ONE, &[LossCause::Logout]);

    let client = OuchClient::enter(&mut x, "OUCH01");
    drop(client);
    until_lost(&mut x, OUCH_ONE, &[LossCause::Logout, LossCause::Disconnected]);

    let client = OuchClient::enter(&mut x, "OUCH01");
    x.pass_seconds(16);
    until_lost(
        &mut x,
        OUCH_ONE,
        &[LossCause::Logout, LossCause::Disconnected, LossCause::Silent],
    );
    drop(client);

    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.send_raw(b"\x00\x01?");
    client.until_closed(&mut x);
    let all = [
        LossCause::Logout,
        LossCause::Disconnected,
        LossCause::Silent,
        LossCause::ProtocolError,
    ];
    until_lost(&mut x, OUCH_ONE, &all);
    assert_eq!(x.counts(Door::Ouch).sessions_up, 0);
    assert!(x.said("unknown packet type 0x3f"));
}

#[test]
fn heartbeats_keep_a_quiet_session_up() {
    let mut x = Exchange::new();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    for _ in 0..40 {
        x.pass_seconds(1);
        client.poll(&x);
    }
    client.play(&mut x, "< S S\n> O 1 B 1 ABC 10.00\n< A 1 B 1 ABC 10.00 ref=1");
    let beats = x
        .counts(Door::Ouch)
        .frames_out_by_type
        .iter()
        .find(|(kind, _)| *kind == 'H')
        .unwrap()
        .1;
    assert!((35..=41).contains(&beats), "one a second: {beats}");
}

#[test]
fn who_connects_and_says_nothing_is_cut_off() {
    let mut x = Exchange::new();
    let mut client = OuchClient::connect(&x, login("OUCH01", "secret", "", 1));
    x.until("accepted by the socket", |x| x.counts(Door::Ouch).accepted == 1);
    x.pass_seconds(3);
    client.until_closed(&mut x);
    assert!(
        client.accepted.is_none() && client.words.contains("no login in time"),
        "{}",
        client.words
    );
}

#[test]
fn a_reconnect_is_served_from_the_number_it_asks_for() {
    let mut x = Exchange::new();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.play(&mut x, "< S S\n> O 1 B 100 ABC 10.00\n< A 1 B 100 ABC 10.00 ref=1");
    let resume = client.resume();
    drop(client);
    let mut rival = OuchClient::enter(&mut x, "RIVAL1");
    rival.send(&x, "O 1 S 40 ABC 10.00");
    x.until("the loss", |x| x.up(OUCH_ONE).is_none());
    let mut client = OuchClient::connect(&x, resume);
    client.play(&mut x, "< E 1 40 10.00 A trade=1");
    assert_eq!(client.accepted, Some(("0720241004".to_owned(), 3)));
    drop(client);
    x.until("the loss", |x| x.up(OUCH_ONE).is_none());
    let mut client = OuchClient::enter_from(&mut x, "OUCH01", 0);
    client.play(&mut x, "< E 1 40 10.00 A trade=1");
    drop(client);
    x.until("the loss", |x| x.up(OUCH_ONE).is_none());
    let mut client = OuchClient::enter_from(&mut x, "OUCH01", 1);
    client.play(&mut x, "< S S\n< A 1 B 100 ABC 10.00 ref=1\n< E 1 40 10.00 A trade=1");
    client.expect_nothing(&mut x);
}

#[test]
fn who_relogs_at_once_waits_for_the_loss_and_comes_in() {
    let mut x = Exchange::new();
    let mut first = OuchClient::enter(&mut x, "OUCH01");
    x.hold_events = true;
    first.logout(&x);
    first.until_closed(&mut x);
    let mut second = OuchClient::connect(&x, login("OUCH01", "secret", "", 1));
    for _ in 0..200 {
        second.poll(&x);
        x.step();
    }
    assert!(
        second.accepted.is_none() && second.closed.is_none(),
        "the loss is not released yet"
    );
    x.hold_events = false;
    second.play(&mut x, "< S S");
}

#[test]
fn a_crash_changes_nothing_that_was_told() {
    let mut x = Exchange::new();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    let mut rival = OuchClient::enter(&mut x, "RIVAL1");
    client.play(
        &mut x,
        "< S S
         > O 1 B 100 ABC 10.00 id=one capacity=P
         < A 1 B 100 ABC 10.00 ref=1 id=one
         > O 2 B 100 NOPE 10.00
         < J 2 0x17
         > O 3 B 100 ABC 10.00 display=N
         < J 3 0x0f
         > X 1 80
         < C 1 20 U
         > Q
         < Q 4",
    );
    rival.play(
        &mut x,
        "< S S\n> O 1 S 30 ABC 10.00\n< A 1 S 30 ABC 10.00 ref=2\n< E 1 30 10.00 R trade=1",
    );
    client.play(&mut x, "< E 1 30 10.00 A trade=1");
    // Sent, and the crash comes before it is sequenced; and sequenced, but not released to the member.
    x.hold_commands = true;
    client.send(&x, "O 4 B 5 ABC 9.00");
    x.until("the order to be read", |x| {
        client.poll(x);
        x.counts(Door::Ouch).frames_in >= 7
    });

    let mut y = x.crashed(Setup::default());
    assert_eq!(losses(&y, OUCH_ONE), [LossCause::Recovery]);
    let mut again = OuchClient::enter(&mut y, "OUCH01");
    y.until("everything again", |y| {
        again.poll(y);
        again.bytes.len() >= client.bytes.len()
    });
    assert_eq!(again.bytes, client.bytes, "byte for byte");
    again.messages.clear();
    again.play(
        &mut y,
        "> O 1 B 100 ABC 10.00 id=one capacity=P
         > O 2 B 100 ABC 10.00
         > O 3 B 100 ABC 10.00
         > O 4 B 5 ABC 9.00
         < A 4 B 5 ABC 9.00 ref=3
         > O 4 B 5 ABC 9.00
         > U 1 5 90 10.00
         < U 1 5 B 60 ABC 10.00 ref=4 capacity=P",
    );
    again.expect_nothing(&mut y);
    assert_eq!(y.up(OUCH_ONE).unwrap().0, 2, "a new incarnation");
}

#[test]
fn what_the_log_no_longer_has_is_refused_with_the_reason() {
    let mut setup = Setup::default();
    setup.door.log_bytes_max = 2 * rialto_gateway::limits::LOG_CHUNK_BYTES;
    let mut x = Exchange::with(setup);
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    for user_ref in 1..=3_000 {
        client.send(&x, &format!("O {user_ref} B 1 ABC 10.00"));
        if user_ref % 50 == 0 {
            x.step();
            client.poll(&x);
        }
    }
    x.until("all answers", |x| {
        client.poll(x);
        client.messages.len() == 3_001
    });
    drop(client);
    x.until("the loss", |x| x.up(OUCH_ONE).is_none());
    let mut late = OuchClient::connect(&x, login("OUCH01", "secret", "", 1));
    late.until_closed(&mut x);
    assert_eq!(
        late.closed,
        Some(CloseReason::LoginRejected(LoginRejectCode::SessionNotAvailable))
    );
    assert!(x.said("message 1 is no longer kept: the oldest is"));
    let mut late = OuchClient::enter_from(&mut x, "OUCH01", 3_001);
    late.play(&mut x, "< A 3000 B 1 ABC 10.00 ref=3000");
}

#[test]
fn a_day_ends_for_everyone_and_the_next_counts_from_one() {
    let mut x = Exchange::new();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.play(&mut x, "< S S\n> O 1 B 100 ABC 10.00\n< A 1 B 100 ABC 10.00 ref=1");
    // Both in one breath: who is still reading yesterday's messages gets them all.
    x.end_day();
    x.start_day(TradingDay(DAY.0 + 1));
    client.play(&mut x, "< C 1 100 T\n< S E");
    client.until_closed(&mut x);
    assert_eq!(client.closed, Some(CloseReason::EndOfSession));
    until_lost(&mut x, OUCH_ONE, &[LossCause::Shutdown]);

    let mut client = OuchClient::connect(&x, client.resume());
    client.play(
        &mut x,
        "< S S
         > Q
         < Q 1
         > O 1 B 100 ABC 10.00
         < A 1 B 100 ABC 10.00 ref=2",
    );
    assert_eq!(client.accepted, Some(("0720241005".to_owned(), 1)));

    // A day that is over is still served, then ends.
    x.end_day();
    client.until_closed(&mut x);
    let mut late = OuchClient::enter(&mut x, "OUCH01");
    late.play(&mut x, "< S S\n< Q 1\n< A 1 B 100 ABC 10.00 ref=2\n< C 1 100 T\n< S E");
    late.until_closed(&mut x);
    assert_eq!(late.closed, Some(CloseReason::EndOfSession));
}

#[test]
fn orders_go_with_their_session_where_it_is_so_set() {
    let mut setup = Setup::default();
    setup.door.settings.insert(
        "ouch01".to_owned(),
        SessionSettings {
            cancel_on_disconnect: true,
            ..SessionSettings::default()
        },
    );
    let mut x = Exchange::with(setup);
    for (user, told) in [
        ("OUCH01", "< S S\n< A 1 B 5 ABC 10.00 ref=1\n< C 1 5 Z"),
        ("OUCH02", "< S S\n< A 1 B 5 ABC 10.00 ref=2"),
    ] {
        let mut client = OuchClient::enter(&mut x, user);
        client.send(&x, "O 1 B 5 ABC 10.00");
        x.until("accepted", |x| {
            client.poll(x);
            client.messages.len() == 2
        });
        drop(client);
        x.until("the loss", |x| x.counts(Door::Ouch).sessions_up == 0);
        let mut client = OuchClient::enter(&mut x, user);
        client.play(&mut x, told);
        client.expect_nothing(&mut x);
        client.logout(&x);
        x.until("the loss", |x| x.counts(Door::Ouch).sessions_up == 0);
    }
}

#[test]
fn a_full_ring_holds_the_client_back_and_loses_nothing() {
    let mut x = Exchange::with(Setup {
        ring: 16,
        ..Setup::default()
    });
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.expect(&mut x, "S S");
    x.hold_commands = true;
    let before = x.commands.len();
    for user_ref in 1..=500 {
        client.send(&x, &format!("O {user_ref} B 1 ABC 10.00"));
    }
    x.until("the door to hold back", |x| {
        client.poll(x);
        x.counts(Door::Ouch).held_back > 0
    });
    let commands = x.counts(Door::Ouch).commands;
    for _ in 0..100 {
        x.step();
        client.poll(&x);
    }
    assert_eq!(
        x.counts(Door::Ouch).commands,
        commands,
        "nothing is taken in without room"
    );
    assert_eq!(x.commands.len(), before);
    assert!(
        client.messages.is_empty() && client.closed.is_none(),
        "nothing is rejected"
    );
    x.hold_commands = false;
    for user_ref in 1..=500 {
        client.expect(&mut x, &format!("A {user_ref} B 1 ABC 10.00 ref={user_ref}"));
    }
}

#[test]
fn a_client_that_is_lost_while_the_ring_is_full_is_lost_once_there_is_room() {
    let mut x = Exchange::with(Setup {
        ring: 8,
        ..Setup::default()
    });
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.expect(&mut x, "S S");
    x.hold_commands = true;
    for user_ref in 1..=100 {
        client.send(&x, &format!("O {user_ref} B 1 ABC 10.00"));
    }
    x.until("the ring to fill", |x| x.counts(Door::Ouch).held_back > 0);
    drop(client);
    for _ in 0..100 {
        x.step();
    }
    x.hold_commands = false;
    until_lost(&mut x, OUCH_ONE, &[LossCause::Disconnected]);
    let entered = x
        .commands
        .iter()
        .filter(|command| matches!(command, Command::Enter(_)))
        .count();
    assert_eq!(entered, 100, "what was sent before the end is taken in first");
    x.until("the connection to be gone", |x| x.counts(Door::Ouch).connections == 0);
}

#[test]
fn a_client_that_does_not_read_costs_a_number_and_gets_everything_later() {
    let mut x = Exchange::new();
    let mut deaf = OuchClient::enter(&mut x, "OUCH01");
    let mut other = OuchClient::enter(&mut x, "OUCH02");
    deaf.deaf = true;
    for round in 0..400_u32 {
        for step in 1..=50 {
            deaf.send(&x, &format!("O {} B 1 ABC 9.00", round * 50 + step));
        }
        x.step();
    }
    x.until("all orders to be in", |x| {
        deaf.poll(x);
        x.counts(Door::Ouch).frames_in >= 20_000
    });
    other.play(&mut x, "< S S\n> O 1 B 1 XYZ 1.00\n< A 1 B 1 XYZ 1.00 ref=1");
    deaf.deaf = false;
    x.until("everything", |x| {
        deaf.poll(x);
        deaf.messages.len() == 20_001
    });
    assert!(
        deaf.messages
            .iter()
            .zip(1..)
            .all(|((number, _), expected)| *number == expected)
    );
}

#[test]
fn a_client_that_never_reads_is_cut_off_in_the_end() {
    let mut x = Exchange::new();
    let mut deaf = OuchClient::enter(&mut x, "OUCH01");
    deaf.deaf = true;
    let mut user_ref = 0;
    // More than the socket's buffers and the door's together.
    while x.counts(Door::Ouch).bytes_out < 1 << 16 || deaf_is_behind(&x, user_ref) < 4_000 {
        for _ in 0..200 {
            user_ref += 1;
            deaf.send(&x, &format!("O {user_ref} B 1 ABC 9.00 ioc"));
        }
        x.step();
        assert!(user_ref < 2_000_000, "the door sends without end");
    }
    for _ in 0..20 {
        deaf.poll(&x);
        x.pass_seconds(1);
    }
    until_lost(&mut x, OUCH_ONE, &[LossCause::Disconnected]);
}

/// How many answers the door has not written: two for each order, which never rests, so that the naive engine stays quick.
fn deaf_is_behind(x: &Exchange, sent: u32) -> u64 {
    let counts = x.counts(Door::Ouch);
    let written = counts
        .frames_out_by_type
        .iter()
        .find(|(kind, _)| *kind == 'S')
        .map_or(0, |(_, count)| *count);
    (2 * u64::from(sent).min(counts.frames_in)).saturating_sub(written)
}

#[test]
fn the_door_closes_in_good_order() {
    let mut setup = Setup::default();
    setup.door.default_settings.cancel_on_disconnect = true;
    let mut x = Exchange::with(setup);
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    let mut stranger = OuchClient::connect(&x, login("OUCH02", "wrong", "", 1));
    client.play(&mut x, "< S S\n> O 1 B 5 ABC 10.00\n< A 1 B 5 ABC 10.00 ref=1");
    let [ouch, fix] = x.controls();
    assert!(!ouch.is_closed());
    ouch.close();
    fix.close();
    x.until("the doors to close", |x| {
        client.poll(x);
        stranger.poll(x);
        ouch.is_closed() && fix.is_closed()
    });
    client.play(&mut x, "< C 1 5 Z");
    client.until_closed(&mut x);
    assert_eq!(client.closed, Some(CloseReason::EndOfSession));
    until_lost(&mut x, OUCH_ONE, &[LossCause::Shutdown]);
    assert!(
        std::net::TcpStream::connect(x.address(Door::Ouch)).is_err(),
        "nobody listens"
    );
    assert_eq!(x.counts(Door::Ouch).connections, 0);
}

#[test]
fn a_client_that_does_not_read_does_not_keep_the_door_open() {
    let mut x = Exchange::new();
    let mut deaf = OuchClient::enter(&mut x, "OUCH01");
    deaf.deaf = true;
    let mut user_ref = 0;
    while deaf_is_behind(&x, user_ref) < 4_000 {
        for _ in 0..200 {
            user_ref += 1;
            deaf.send(&x, &format!("O {user_ref} B 1 ABC 9.00 ioc"));
        }
        x.step();
    }
    let control = x.ouch.control();
    control.close();
    x.step();
    assert!(!control.is_closed());
    x.pass_seconds(5);
    x.until("the door to close", |_| control.is_closed());
    assert_eq!(losses(&x, OUCH_ONE), [LossCause::Shutdown]);
}

#[test]
fn the_end_of_session_comes_behind_the_last_message_however_many_there_are() {
    let orders = 2 * rialto_gateway::limits::EVENTS_PER_POLL as u32 + 10;
    let mut setup = Setup::default();
    setup.door.default_settings.cancel_on_disconnect = true;
    let mut x = Exchange::with(setup);
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.expect(&mut x, "S S");
    for user_ref in 1..=orders {
        client.send(&x, &format!("O {user_ref} B 1 ABC 10.00"));
        x.step();
        client.poll(&x);
    }
    x.until("all orders to stand", |x| {
        client.poll(x);
        client.messages.len() == orders as usize
    });
    client.messages.clear();
    x.ouch.control().close();
    client.until_closed(&mut x);
    assert_eq!(client.closed, Some(CloseReason::EndOfSession));
    let cancelled: Vec<_> = client.messages.iter().map(|(_, text)| text.as_str()).collect();
    let expected: Vec<_> = (1..=orders).map(|user_ref| format!("C {user_ref} 1 Z")).collect();
    assert_eq!(cancelled, expected);
}

#[test]
fn a_full_door_turns_the_next_one_away() {
    let mut setup = Setup::default();
    setup.door.connections_max = 2;
    let mut x = Exchange::with(setup);
    let _one = OuchClient::enter(&mut x, "OUCH01");
    let two = OuchClient::enter(&mut x, "OUCH02");
    let mut three = OuchClient::connect(&x, login("RIVAL1", "secret", "", 1));
    three.until_closed(&mut x);
    assert_eq!(x.counts(Door::Ouch).turned_away, 1);
    assert!(x.said("connections_max (2)"));
    drop(two);
    x.until("a place", |x| x.counts(Door::Ouch).connections == 1);
    let mut three = OuchClient::enter(&mut x, "RIVAL1");
    three.expect(&mut x, "S S");
}
