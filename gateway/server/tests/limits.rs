//! Limits around the sessions: rates, bad logons, slow and silent strangers, waiting after a loss; and who is told more than
//! others: drop copies.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use rialto_gateway::{GuardConfig, Rate, SessionSettings, Throttles};
use rialto_model::command::Refuse;
use rialto_model::{Command, Door, LossCause, RejectReason};

use support::fix_client::{FixClient, config};
use support::ouch_client::{OuchClient, login};
use support::{Exchange, Setup};

fn with(name: &str, settings: SessionSettings) -> Setup {
    let mut setup = Setup::default();
    setup.door.settings.insert(name.to_owned(), settings);
    setup
}

fn limited(name: &str, orders: Rate, cancels: Rate) -> Setup {
    with(
        name,
        SessionSettings {
            throttles: Throttles { orders, cancels },
            ..SessionSettings::default()
        },
    )
}

const TEN: Rate = Rate {
    per_second: 10,
    burst: 10,
};

fn over_rate(x: &Exchange) -> Vec<Refuse> {
    x.commands
        .iter()
        .filter_map(|command| match command {
            Command::Refuse(refuse) if refuse.reason == RejectReason::OverRate => Some(*refuse),
            _ => None,
        })
        .collect()
}

#[test]
fn fix_orders_over_the_rate_are_refused_in_one_answer_and_cancels_pass() {
    let mut x = Exchange::with(limited("FIXONE", TEN, Rate::NONE));
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    for number in 0..30 {
        client.send(&x, &format!("D 11={number} 55=ABC 54=1 38=1 40=2 44=9.00"));
    }
    client.send(&x, "F 11=F 41=0 55=ABC 54=1");
    for number in 0..10 {
        client.expect(&mut x, &format!("8 150=0 11={number}"));
    }
    // The Logon was message 1.
    let text = "58=messages_12_to_31_were_over_the_rate_of_this_session_and_not_taken:_send_slower";
    let mut told = [client.expect_any(&mut x), client.expect_any(&mut x)];
    told.sort_by_key(|message| message.contains(&"35=j".to_owned()));
    assert!(
        told[0].contains(&"150=4".to_owned()) && told[1].contains(&text.replace('_', " ")),
        "{told:?}"
    );
    client.expect_nothing(&mut x, "Z");
    assert_eq!(x.counts(Door::Fix).throttled, 20);
    // The names were not taken: later they are as good as new.
    x.pass_seconds(1);
    client.play(&mut x, "> D 11=29 55=ABC 54=1 38=1 40=2 44=9.00\n< 8 150=0 11=29");
    client.expect_nothing(&mut x, "Y");
}

#[test]
fn ouch_orders_over_the_rate_are_one_record_and_told_each_also_after_a_restart() {
    let setup = limited("OUCH01", TEN, Rate::NONE);
    let mut x = Exchange::with(setup.clone());
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    for number in 1..=30 {
        client.send(&x, &format!("O {number} B 5 ABC 10.00"));
    }
    let told = |x: &mut Exchange, client: &mut OuchClient| {
        x.until("thirty answers", |x| {
            client.poll(x);
            client.messages.len() >= 31
        });
        client.messages.clone()
    };
    let first = told(&mut x, &mut client);
    let rejects = first.iter().filter(|(_, text)| text.starts_with('J')).count();
    assert_eq!(rejects, 20, "{first:?}");
    let records = over_rate(&x);
    assert_eq!(records.iter().map(|record| record.quantity.0).sum::<u64>(), 20);
    assert!(records.len() <= 2, "a run is one record: {records:?}");
    // References that were refused are used up.
    client.send(&x, "O 20 B 5 ABC 10.00");
    x.pass_seconds(1);
    client.send(&x, "O 31 B 5 ABC 10.00");
    x.until("the next order", |x| {
        client.poll(x);
        client.messages.len() == 32
    });
    let mut crashed = x.crashed(setup);
    let mut again = OuchClient::enter(&mut crashed, "OUCH01");
    assert_eq!(told(&mut crashed, &mut again)[..31], first[..]);
}

#[test]
fn who_floods_is_read_less_and_then_put_out() {
    for (name, door) in [("FIXONE", Door::Fix), ("OUCH01", Door::Ouch)] {
        let mut x = Exchange::with(limited(name, TEN, Rate::NONE));
        let mut number = 0_u32;
        if door == Door::Fix {
            let mut client = FixClient::enter(&mut x, config(name));
            x.until("it to be put out", |x| {
                for _ in 0..100 {
                    number += 1;
                    client.send(x, &format!("D 11={number} 55=ABC 54=1 38=1 40=2 44=9.00"));
                }
                x.clock.advance_ns(50_000_000);
                client.poll(x);
                client.hung_up
            });
        } else {
            let mut client = OuchClient::enter(&mut x, name);
            x.until("it to be put out", |x| {
                for _ in 0..100 {
                    number += 1;
                    client.send(x, &format!("O {number} B 5 ABC 10.00"));
                }
                x.clock.advance_ns(50_000_000);
                client.poll(x);
                client.hung_up
            });
        }
        x.until("the loss", |x| {
            x.commands.iter().any(|command| match command {
                Command::SessionLost(lost) => lost.cause == LossCause::ProtocolError,
                _ => false,
            })
        });
    }
}

#[test]
fn cancels_have_a_budget_of_their_own_and_are_late_but_not_lost() {
    let mut x = Exchange::with(limited("FIXONE", Rate::NONE, TEN));
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    for number in 0..40 {
        client.send(&x, &format!("D 11={number} 55=ABC 54=1 38=1 40=2 44=9.00"));
    }
    for number in 0..40 {
        client.expect(&mut x, &format!("8 150=0 11={number}"));
        client.send(&x, &format!("F 11=c{number} 41={number} 55=ABC 54=1"));
    }
    for number in 0..11 {
        client.expect(&mut x, &format!("8 150=4 11=c{number}"));
    }
    x.step();
    client.poll(&x);
    assert!(client.messages.is_empty(), "the others are not read yet");
    for number in 11..40 {
        x.pass_seconds(1);
        client.expect(&mut x, &format!("8 150=4 11=c{number}"));
    }
}

#[test]
fn five_bad_logons_close_the_door_to_their_address_and_to_nobody_else() {
    let mut setup = Setup::default();
    setup.door.listen = "0.0.0.0:0".parse().unwrap();
    setup.door.guard = Some(GuardConfig::default());
    let mut x = Exchange::with(setup);
    // A member that was in, from the address of the attacker, and one from elsewhere.
    let mut live = OuchClient::enter(&mut x, "OUCH01");
    let mut known = OuchClient::enter(&mut x, "OUCH02");
    known.logout(&x);
    x.until("its loss", |x| x.counts(Door::Ouch).sessions_up == 1);
    let bad = |x: &mut Exchange| {
        let mut client = OuchClient::connect(x, login("RIVAL1", "guess", "", 1));
        client.until_closed(x);
    };
    for _ in 0..5 {
        bad(&mut x);
    }
    assert_eq!(x.counts(Door::Ouch).logons_barred, 0);
    for _ in 0..20 {
        bad(&mut x);
    }
    assert_eq!(x.counts(Door::Ouch).logons_barred, 20, "no password was looked at");
    live.play(&mut x, "< S S\n> O 1 B 5 ABC 10.00\n< A 1 B 5 ABC 10.00 ref=1");
    let mut again = OuchClient::enter(&mut x, "OUCH02");
    again.play(&mut x, "< S S");
    // After a minute the address is as good as any.
    drop((live, again));
    x.pass_seconds(61);
    bad(&mut x);
    assert_eq!(x.counts(Door::Ouch).logons_barred, 20);
}

#[test]
fn strangers_have_two_seconds_however_slowly_they_speak() {
    let mut x = Exchange::new();
    let connect = |x: &Exchange, door: Door| {
        let port = x.address(door).port();
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream
    };
    for door in [Door::Fix, Door::Ouch] {
        let (mut slow, mut silent) = (connect(&x, door), connect(&x, door));
        x.until("both to be there", |x| x.counts(door).connections == 2);
        // The first bytes of a Logon and of a Login Request, one a second.
        for byte in [b"8=", b"\x00\x2f"][usize::from(door == Door::Ouch)] {
            slow.write_all(&[*byte]).unwrap();
            x.pass_seconds(1);
        }
        x.pass_seconds(1);
        for stream in [&mut slow, &mut silent] {
            x.until(
                "it to be closed",
                |_| !matches!(stream.read(&mut [0; 64]), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock),
            );
        }
        assert!(
            x.commands
                .iter()
                .all(|command| !matches!(command, Command::SessionUp(_)))
        );
    }
}

#[test]
fn who_was_lost_waits_before_it_is_let_in_again() {
    let settings = SessionSettings {
        reconnect_after_ns: 10_000_000_000,
        ..SessionSettings::default()
    };
    let mut setup = with("FIXONE", settings);
    setup.door.settings.insert("OUCH01".to_owned(), settings);
    let mut x = Exchange::with(setup);
    let fix = FixClient::enter(&mut x, config("FIXONE"));
    let ouch = OuchClient::enter(&mut x, "OUCH01");
    let resumed = rialto_fix::client::ClientConfig {
        next_outbound: fix.client.next_outbound(),
        next_inbound: fix.client.next_inbound(),
        ..config("FIXONE")
    };
    drop((fix, ouch));
    let is_down = |x: &mut Exchange| x.counts(Door::Fix).sessions_up + x.counts(Door::Ouch).sessions_up == 0;
    x.until("both losses", is_down);
    x.pass_seconds(5);
    let mut early = FixClient::connect(&x, resumed.clone());
    early.until_closed(&mut x);
    assert!(!early.logged_on);
    let mut early = OuchClient::connect(&x, login("OUCH01", "secret", "", 1));
    early.until_closed(&mut x);
    assert!(early.accepted.is_none());
    x.pass_seconds(6);
    let mut fix = FixClient::enter(&mut x, resumed);
    let mut ouch = OuchClient::enter(&mut x, "OUCH01");
    // A logout in good order is no loss.
    fix.logout(&x);
    ouch.logout(&x);
    x.until("both logouts", is_down);
    OuchClient::enter(&mut x, "OUCH01");
}

#[test]
fn a_drop_copy_is_told_of_its_firms_orders_and_catches_up_after_a_crash() {
    let setup = with(
        "FIXONE",
        SessionSettings {
            drop_copy: true,
            ..SessionSettings::default()
        },
    );
    let mut x = Exchange::with(setup.clone());
    let mut copy = FixClient::enter(&mut x, config("FIXONE"));
    let mut member = OuchClient::enter(&mut x, "OUCH01");
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    member.send(&x, "O 1 B 5 ABC 10.00");
    copy.play(&mut x, "< 8 150=0 39=0 55=ABC 54=1 38=5 44=10 1=1");
    rival.play(&mut x, "> D 11=A 55=ABC 54=2 38=2 40=2 44=10.00\n< 8 150=0\n< 8 150=F");
    copy.play(
        &mut x,
        "< 8 150=F 39=1 32=2 31=10 14=2 151=3
         > D 11=X 55=ABC 54=1 38=1 40=2 44=9.00
         < j 372=D 380=6",
    );
    member.send(&x, "X 1 0");
    copy.play(&mut x, "< 8 150=4 39=4 14=2 151=0");
    // It misses a trade, and the exchange dies: both are there again.
    let resumed = rialto_fix::client::ClientConfig {
        next_outbound: copy.client.next_outbound(),
        next_inbound: copy.client.next_inbound(),
        ..config("FIXONE")
    };
    drop(copy);
    x.until("its loss", |x| x.counts(Door::Fix).sessions_up == 1);
    member.send(&x, "O 2 B 5 ABC 10.00");
    rival.play(&mut x, "> D 11=B 55=ABC 54=2 38=5 40=2 44=10.00\n< 8 150=0\n< 8 150=F");
    let mut crashed = x.crashed(setup);
    let mut copy = FixClient::enter(&mut crashed, resumed);
    copy.play(&mut crashed, "< 8 150=0 43=Y 38=5\n< 8 150=F 43=Y 39=2 32=5 14=5");
}

#[test]
fn a_session_whose_name_is_enough_needs_no_password() {
    let mut x = Exchange::with(with(
        "FIXONE",
        SessionSettings {
            no_password: true,
            ..SessionSettings::default()
        },
    ));
    let open = |name: &str| rialto_fix::client::ClientConfig {
        credentials: None,
        ..config(name)
    };
    FixClient::enter(&mut x, open("FIXONE"));
    let mut other = FixClient::connect(&x, open("FIXTWO"));
    other.until_closed(&mut x);
    assert!(!other.logged_on);
}
