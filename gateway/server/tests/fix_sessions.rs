//! Comings and goings at the FIX door: logons, numbers, resends, losses, crashes, the end.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use rialto_fix::MsgSeqNum;
use rialto_fix::client::{ClientConfig, Credentials};
use rialto_gateway::SessionSettings;
use rialto_model::command::{SessionLost, SessionNote};
use rialto_model::{Command, Door, LossCause};

use support::fix_client::{FixClient, config};
use support::{Exchange, FIX_ONE, FIX_RIVAL, Setup};

fn losses(x: &Exchange) -> Vec<LossCause> {
    x.commands
        .iter()
        .filter_map(|command| match command {
            Command::SessionLost(SessionLost {
                session: FIX_ONE,
                cause,
                ..
            }) => Some(*cause),
            _ => None,
        })
        .collect()
}

/// The notes of the session since the beginning, as their MsgTypes.
fn notes(x: &Exchange) -> String {
    x.commands
        .iter()
        .filter_map(|command| match command {
            Command::SessionNote(SessionNote {
                session: FIX_ONE, what, ..
            }) => Some(char::from(*what)),
            _ => None,
        })
        .collect()
}

/// A client that resumes where another ended.
fn resumed(of: &FixClient) -> ClientConfig {
    ClientConfig {
        next_outbound: of.client.next_outbound(),
        next_inbound: of.client.next_inbound(),
        ..config("FIXONE")
    }
}

/// A connection without a library: bytes as written here.
struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
    hung_up: bool,
}

impl Raw {
    fn connect(x: &Exchange) -> Self {
        let stream = TcpStream::connect(x.address(Door::Fix)).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self {
            stream,
            read: Vec::new(),
            hung_up: false,
        }
    }

    /// Sends `35=D|34=2|...` with all that frames it; `52` and the names are added.
    fn send(&mut self, fields: &str) {
        let (kind, rest) = fields.split_once('|').unwrap_or((fields, ""));
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!("{rest}|")
        };
        let body = format!("{kind}|49=FIXONE|52=20241004-10:00:00.000|56=RIALTO|{rest}").replace('|', "\x01");
        let framed = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
        let sum = framed.bytes().fold(0_u8, u8::wrapping_add);
        self.stream
            .write_all(format!("{framed}10={sum:03}\x01").as_bytes())
            .unwrap();
    }

    fn poll(&mut self) {
        let mut bytes = [0; 4096];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return self.hung_up = true,
                Ok(count) => self.read.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.hung_up = true,
            }
        }
    }

    /// What came, with bars, and forgets it.
    fn taken(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.read))
            .unwrap()
            .replace('\x01', "|")
    }

    /// Waits until every one of these fields has come, and forgets what came.
    #[track_caller]
    fn expect(&mut self, x: &mut Exchange, fields: &[&str]) {
        x.until(&fields.join("|"), |_| {
            self.poll();
            let text = String::from_utf8_lossy(&self.read).replace('\x01', "|");
            let whole = text.rfind("|10=").is_some_and(|at| text[at + 4..].len() == 4);
            whole && fields.iter().all(|field| text.contains(&format!("|{field}|")))
        });
        self.read.clear();
    }

    #[track_caller]
    fn expect_silence_and_end(&mut self, x: &mut Exchange) {
        x.until("the end", |_| {
            self.poll();
            self.hung_up
        });
        assert_eq!(self.taken(), "", "not a word");
    }
}

const LOGON: &str = "35=A|34=1|98=0|108=30|553=FIXONE|554=secret";

#[test]
fn who_may_not_come_in_is_cut_off_without_a_word() {
    let table = [
        ("wrong password", "35=A|34=1|98=0|108=30|554=hunter2"),
        ("no password", "35=A|34=1|98=0|108=30"),
        ("another's user name", "35=A|34=1|98=0|108=30|553=FIXTWO|554=secret"),
        (
            "an order first",
            "35=D|34=1|11=A|54=1|60=20241004-10:00:00|40=1|38=1|55=ABC",
        ),
        ("number 0", "35=A|34=0|98=0|108=30|141=Y|554=secret"),
    ];
    let mut x = Exchange::new();
    for (what, message) in table {
        let mut raw = Raw::connect(&x);
        raw.send(message);
        raw.expect_silence_and_end(&mut x);
        assert_eq!(x.up(FIX_ONE), None, "{what}");
    }
    let unknown = [
        "35=A|34=1|98=0|108=30|554=secret".replace("35=A", "35=A|115=X"),
        String::from("garbage"),
    ];
    let mut raw = Raw::connect(&x);
    raw.stream.write_all(unknown[1].as_bytes()).unwrap();
    raw.stream.write_all(b"8=FIX.4.4\x019=5\x0135=0\x0110=000\x01").unwrap();
    raw.expect_silence_and_end(&mut x);
    let names = ["SECRET", "OUCH01", ""].map(|name| ClientConfig {
        credentials: Some(Credentials {
            username: name.into(),
            password: b"secret".to_vec(),
        }),
        ..ClientConfig::new(rialto_fix::Version::Fix44, name, "RIALTO")
    });
    for name in names {
        let mut client = FixClient::connect(&x, name);
        client.until_closed(&mut x);
        assert!(!client.logged_on && client.messages.is_empty());
    }
    let mut elsewhere = FixClient::connect(
        &x,
        ClientConfig {
            target_comp_id: b"OTHER".to_vec(),
            ..config("FIXONE")
        },
    );
    elsewhere.until_closed(&mut x);
    assert!(!elsewhere.logged_on);
    assert!(!x.lines.concat().contains("hunter2"), "no password is ever said");

    // Nothing of all this has moved the session's numbers.
    let mut raw = Raw::connect(&x);
    raw.send(LOGON);
    raw.expect(&mut x, &["35=A", "34=1", "98=0", "108=30", "49=RIALTO", "56=FIXONE"]);
}

#[test]
fn the_second_logon_is_closed_and_the_first_lives_on() {
    let mut x = Exchange::new();
    let mut first = FixClient::enter(&mut x, config("FIXONE"));
    let mut second = Raw::connect(&x);
    second.send(LOGON);
    second.expect_silence_and_end(&mut x);
    assert!(x.said("logged on already"));
    first.play(&mut x, "> D 11=A 55=ABC 54=1 38=1 40=2 44=10.00\n< 8 150=0 11=A");
}

#[test]
fn who_connects_and_says_nothing_is_cut_off() {
    let mut x = Exchange::new();
    let mut raw = Raw::connect(&x);
    x.until("accepted", |x| x.counts(Door::Fix).accepted == 1);
    x.pass_seconds(11);
    raw.expect_silence_and_end(&mut x);
}

#[test]
fn every_way_to_go_is_one_loss_with_its_cause() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.logout(&x);
    client.until_closed(&mut x);
    assert!(client.logged_out.is_some());
    x.until("the loss", |x| x.up(FIX_ONE).is_none());
    assert_eq!(losses(&x), [LossCause::Logout]);

    let client = FixClient::enter(&mut x, resumed(&client));
    let next = resumed(&client);
    drop(client);
    x.until("the loss", |x| x.up(FIX_ONE).is_none());
    assert_eq!(losses(&x), [LossCause::Logout, LossCause::Disconnected]);

    let client = FixClient::enter(&mut x, next);
    x.pass_seconds(75);
    x.until("the loss", |x| x.up(FIX_ONE).is_none());
    assert_eq!(losses(&x)[2..], [LossCause::Silent]);
    assert!(
        notes(&x).ends_with("01"),
        "a heartbeat, then a test request: {}",
        notes(&x)
    );

    let mut low = FixClient::connect(
        &x,
        ClientConfig {
            next_outbound: MsgSeqNum(1),
            ..resumed(&client)
        },
    );
    low.until_closed(&mut x);
    assert!(
        low.logged_out.as_deref().unwrap().contains("MsgSeqNum too low"),
        "{:?}",
        low.logged_out
    );
    x.until("the loss", |x| x.up(FIX_ONE).is_none());
    assert_eq!(losses(&x)[3..], [LossCause::ProtocolError]);
}

#[test]
fn session_messages_take_their_numbers_in_the_stream() {
    let mut x = Exchange::new();
    let mut raw = Raw::connect(&x);
    raw.send(LOGON);
    raw.expect(&mut x, &["35=A", "34=1"]);
    raw.send("35=1|34=2|112=hello");
    raw.expect(&mut x, &["35=0", "34=2", "112=hello"]);
    raw.send("35=D|34=3|11=A|55=ABC|54=1|38=1|40=2|44=10|60=20241004-10:00:00");
    raw.expect(&mut x, &["35=8", "34=3", "11=A"]);
    raw.send("35=D|34=4|11=B|55=ABC|54=1|38=1|40=2|44=10|60=yesterday");
    raw.expect(&mut x, &["35=3", "34=4", "45=4", "371=60", "373=6"]);
    raw.send("35=R|34=5|131=q|146=1|55=ABC");
    raw.expect(&mut x, &["35=j", "34=5", "45=5", "380=3"]);
    raw.send("35=2|34=6|7=1|16=0");
    x.until("the resend", |_| {
        raw.poll();
        raw.read
            .windows(7)
            .any(|window| window == b"\x0136=6\x01\x31".as_slice())
            || raw.read.ends_with(b"\x01") && raw.read.len() > 300
    });
    let resent = raw.taken();
    let told: Vec<&str> = resent.split("8=FIX.4.4|").skip(1).collect();
    assert_eq!(told.len(), 3, "{resent}");
    for (message, fields) in told.iter().zip([
        &["35=4", "34=1", "36=3", "43=Y", "123=Y"][..],
        &["35=8", "34=3", "43=Y", "11=A"][..],
        &["35=4", "34=4", "36=6", "43=Y", "123=Y"][..],
    ]) {
        for field in fields {
            assert!(message.contains(&format!("{field}|")), "{field} not in {message}");
        }
    }
    raw.send("35=0|34=9");
    raw.expect(&mut x, &["35=2", "34=6", "7=7", "16=0"]);
    raw.send("35=4|34=7|43=Y|122=20241004-10:00:00.000|36=10|123=Y");
    raw.send("35=A|34=1|98=0|108=30|141=Y|554=secret");
    raw.expect(&mut x, &["35=A", "34=1", "141=Y"]);
    raw.send("35=1|34=2|112=again");
    raw.expect(&mut x, &["35=0", "34=2", "112=again"]);
    raw.send("35=5|34=3");
    raw.expect(&mut x, &["35=5", "34=3"]);
    raw.expect_silence_and_end(&mut x);
    assert_eq!(notes(&x), "03j2!05");
    assert_eq!(losses(&x), [LossCause::Logout]);
    let types = x.counts(Door::Fix).frames_out_by_type;
    assert_eq!(
        types,
        [
            ('0', 2),
            ('2', 1),
            ('3', 1),
            ('4', 2),
            ('5', 1),
            ('8', 2),
            ('A', 2),
            ('j', 1)
        ]
    );
}

#[test]
fn a_reconnect_fetches_what_it_missed() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    client.play(&mut x, "> D 11=A 55=ABC 54=1 38=100 40=2 44=10.00\n< 8 150=0 11=A");
    let next = resumed(&client);
    drop(client);
    x.until("the loss", |x| x.up(FIX_ONE).is_none());
    rival.play(
        &mut x,
        "> D 11=A 55=ABC 54=2 38=40 40=2 44=10.00\n< 8 150=0\n< 8 150=F 14=40",
    );
    let mut client = FixClient::enter(&mut x, next);
    client.play(
        &mut x,
        "< 8 150=F 11=A 14=40 43=Y\n> F 11=B 41=A 55=ABC 54=1 38=100\n< 8 150=4 11=B 14=40",
    );
    client.expect_nothing(&mut x, "Z");
}

#[test]
fn a_session_may_be_set_to_begin_anew_with_each_logon() {
    let mut setup = Setup::default();
    setup.door.settings.insert(
        "FIXONE".to_owned(),
        SessionSettings {
            reset_on_logon: true,
            ..SessionSettings::default()
        },
    );
    let mut x = Exchange::with(setup.clone());
    for round in 0..3 {
        // Number 1 each time, without 141=Y; its answer is number 1 too, and nothing of before is missing.
        let mut client = FixClient::enter(&mut x, config("FIXONE"));
        client.play(
            &mut x,
            &format!("> D 11=A{round} 55=ABC 54=1 38=5 40=2 44=9.00\n< 8 34=2 150=0 11=A{round}"),
        );
        drop(client);
        x.until("its loss", |x| x.counts(Door::Fix).sessions_up == 0);
    }
    // Ahead of its turn it is asked for what is missing, from 1.
    let mut raw = Raw::connect(&x);
    raw.send("35=A|34=5|98=0|108=30|554=secret");
    raw.expect(&mut x, &["35=A", "34=1", "35=2", "34=2", "7=1"]);
    drop(raw);
    x.until("its loss", |x| x.counts(Door::Fix).sessions_up == 0);
    let mut crashed = x.crashed(setup);
    FixClient::enter(&mut crashed, config("FIXONE")).expect_nothing(&mut crashed, "LAST");
}

#[test]
fn a_crash_changes_nothing_that_was_told() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    let table = "> D 11=A 55=ABC 54=1 38=100 40=2 44=10.00
         < 8 150=0 11=A
         > D 11=A 55=ABC 54=1 38=100 40=2 44=10.00
         < 8 150=8 103=6
         > R 131=A 146=1 55=ABC
         < j 380=3
         > G 11=B 41=A 55=ABC 54=1 38=90 40=2 44=10.00
         < 8 150=5 11=B 41=A
         > F 11=C 41=none 55=ABC 54=1 38=90
         < 9 11=C 102=1
         > D 11=D 55=ABC 54=2 38=10 40=2 44=10.00
         < 8 150=0 11=D
         < 8 150=F 11=B
         < 8 150=F 11=D";
    client.play(&mut x, table);
    // Everything once more, as it is sent again before and after the crash.
    let resends = |x: &mut Exchange| {
        x.until("no session", |x| x.up(FIX_ONE).is_none());
        let again = ClientConfig {
            next_inbound: MsgSeqNum(1),
            ..resumed(&client)
        };
        let mut raw = FixClient::connect(x, again);
        x.until("all again", |x| {
            raw.poll(x);
            raw.messages.len() == 7
        });
        raw.messages
            .into_iter()
            // What belongs to the sending and not to the message.
            .map(|fields| {
                fields
                    .into_iter()
                    .filter(|field| !["52=", "10=", "9="].iter().any(|tag| field.starts_with(tag)))
                    .collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    let mut y = x.crashed(Setup::default());
    x.sequence(SessionLost {
        session: FIX_ONE,
        incarnation: x.up(FIX_ONE).unwrap(),
        cause: LossCause::Recovery,
    });
    let before = resends(&mut x);
    let after = resends(&mut y);
    assert_eq!(before, after);
    assert_eq!(before.len(), 7, "all but the business reject, which is a hole");

    y.until("no session", |y| y.up(FIX_ONE).is_none());
    let from = ClientConfig {
        next_outbound: MsgSeqNum(client.client.next_outbound().0 + 2),
        next_inbound: MsgSeqNum(11),
        ..config("FIXONE")
    };
    let mut client = FixClient::enter(&mut y, from);
    client.play(
        &mut y,
        "> D 11=A 55=ABC 54=1 38=100 40=2 44=10.00 97=Y
         > D 11=D 55=ABC 54=1 38=100 40=2 44=10.00
         < 8 150=8 11=D 103=6
         > D 11=E 55=ABC 54=1 38=100 40=2 44=9.00 97=Y
         < 8 150=0 11=E
         > F 11=F 41=B 55=ABC 54=1 38=90
         < 8 150=4 11=F 41=B 14=10",
    );
}

#[test]
fn what_was_missing_before_a_crash_is_asked_for_after_it() {
    let mut x = Exchange::new();
    let mut raw = Raw::connect(&x);
    raw.send(LOGON);
    raw.expect(&mut x, &["35=A", "34=1"]);
    drop(raw);
    x.until("the loss", |x| x.up(FIX_ONE).is_none());
    let mut raw = Raw::connect(&x);
    raw.send("35=A|34=5|98=0|108=30|554=secret");
    raw.expect(&mut x, &["35=A", "34=2", "35=2", "34=3", "7=2"]);
    let mut y = x.crashed(Setup::default());
    let mut raw = Raw::connect(&y);
    raw.send("35=A|34=6|98=0|108=30|554=secret");
    raw.expect(&mut y, &["35=A", "34=4", "35=2", "34=5", "7=2"]);
}

#[test]
fn orders_go_with_their_session_where_it_is_so_set() {
    let mut setup = Setup::default();
    setup.door.settings.insert(
        "FIXONE".to_owned(),
        SessionSettings {
            cancel_on_disconnect: true,
            ..SessionSettings::default()
        },
    );
    let mut x = Exchange::with(setup);
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.play(
        &mut x,
        "> D 11=day 55=ABC 54=1 38=5 40=2 44=10.00
         < 8 150=0 11=day
         > D 11=gtc 55=ABC 54=1 38=5 40=2 44=10.00 59=1
         < 8 150=0 11=gtc",
    );
    let next = resumed(&client);
    drop(client);
    x.until("the loss", |x| x.up(FIX_ONE).is_none());
    let mut client = FixClient::enter(&mut x, next);
    client.play(
        &mut x,
        "< 8 150=4 39=4 11=day 58=the_session_was_lost
         > F 11=C 41=gtc 55=ABC 54=1 38=5
         < 8 150=4 11=C 41=gtc",
    );
}

#[test]
fn a_full_ring_holds_the_client_back_and_loses_nothing() {
    let mut x = Exchange::with(Setup {
        ring: 16,
        ..Setup::default()
    });
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    x.hold_commands = true;
    for number in 1..=300 {
        client.send(&x, &format!("D 11={number} 55=ABC 54=1 38=1 40=2 44=10.00"));
    }
    x.until("the door to hold back", |x| {
        client.poll(x);
        x.counts(Door::Fix).held_back > 0
    });
    let commands = x.counts(Door::Fix).commands;
    for _ in 0..100 {
        x.step();
        client.poll(&x);
    }
    assert_eq!(x.counts(Door::Fix).commands, commands);
    assert!(client.messages.is_empty() && !client.hung_up);
    x.hold_commands = false;
    for number in 1..=300 {
        client.expect(&mut x, &format!("8 150=0 11={number}"));
    }
}

#[test]
fn the_door_closes_in_good_order() {
    let mut x = Exchange::new();
    let mut polite = FixClient::enter(&mut x, config("FIXONE"));
    let mut mute = FixClient::enter(&mut x, config("FIXTWO"));
    let raw = Raw::connect(&x);
    let [ouch, fix] = x.controls();
    ouch.close();
    fix.close();
    x.until("the polite one to be gone", |x| {
        polite.poll(x);
        x.up(FIX_ONE).is_none()
    });
    assert!(polite.logged_out.as_deref().unwrap().contains("the exchange closes"));
    assert_eq!(losses(&x), [LossCause::Shutdown]);
    assert!(!fix.is_closed(), "one has not answered");
    mute.deaf = true;
    x.pass_seconds(3);
    x.until("the door to close", |_| fix.is_closed() && ouch.is_closed());
    assert!(x.up(FIX_RIVAL).is_none());
    drop(raw);
}
