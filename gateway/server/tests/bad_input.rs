//! Bad input: bytes on the left, what the client sees on the right. Whatever comes, the door lives, says why, and the next
//! client trades as if nothing had been.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use rialto_model::command::{Cancel, Enter, SessionLost};
use rialto_model::{
    Command, Door, Incarnation, InstrumentId, LossCause, MsgSeqNum, OrderKind, Price, Quantity, Side, Target,
    TimeInForce, UserRef,
};

use support::fix_client::{FixClient, config};
use support::ouch_client::{OuchClient, login};
use support::{Exchange, FIX_ONE, OUCH_ONE};

/// A socket without a protocol.
struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
    hung_up: bool,
}

impl Raw {
    fn connect(x: &Exchange, door: Door) -> Self {
        let stream = TcpStream::connect(x.address(door)).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self {
            stream,
            read: Vec::new(),
            hung_up: false,
        }
    }

    /// Sends what the door still takes.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    fn poll(&mut self) {
        let mut bytes = [0; 4096];
        while !self.hung_up {
            match self.stream.read(&mut bytes) {
                Ok(0) => self.hung_up = true,
                Ok(count) => self.read.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.hung_up = true,
            }
        }
    }
}

/// Both doors still do what they are for.
#[track_caller]
fn still_trades(x: &mut Exchange, user_ref: u32) {
    let mut ouch = OuchClient::enter_from(x, "OUCH02", 0);
    ouch.messages.clear();
    ouch.send(x, &format!("O {user_ref} B 1 XYZ 1.00"));
    x.until("an answer", |x| {
        ouch.poll(x);
        ouch.messages
            .iter()
            .any(|(_, text)| text.starts_with(&format!("A {user_ref} ")))
    });
    ouch.logout(x);
    let mut fix = FixClient::connect(
        x,
        rialto_fix::client::ClientConfig {
            reset_numbers: true,
            ..config("FIXTWO")
        },
    );
    x.until("logon answered", |x| {
        fix.poll(x);
        fix.logged_on
    });
    fix.send(x, &format!("D 11=sane-{user_ref} 55=XYZ 54=2 38=1 40=2 44=1.00"));
    fix.expect(x, &format!("8 150=0 11=sane-{user_ref}"));
    fix.logout(x);
    fix.until_closed(x);
    x.until("both to be gone", |x| {
        x.counts(Door::Fix).sessions_up == 0 && x.counts(Door::Ouch).sessions_up == 0
    });
}

#[test]
fn soup_frames_that_are_none_end_the_connection_with_a_reason() {
    let mut login_packet = Vec::new();
    rialto_ouch::soup::ClientPacket::LoginRequest(login("OUCH01", "secret", "", 1))
        .encode(&mut login_packet)
        .unwrap();
    let mut not_a_number = login_packet.clone();
    *not_a_number.last_mut().unwrap() = b'x';
    let table: [(&[u8], &str); 8] = [
        (b"\x00\x00", "packet length 0"),
        (b"\xff\xff", "above the packet limit"),
        (b"\x04\x01U", "above the packet limit"),
        (b"GET / HTTP/1.1\r\n\r\n", "above the packet limit"),
        (b"\x00\x01Z", "unknown packet type"),
        (b"\x00\x02Ux", "message before login"),
        (b"\x00\x05Lshrt", "its length is 47"),
        (&not_a_number, "sequence number is not a number"),
    ];
    let mut x = Exchange::new();
    for (bytes, says) in table {
        let mut raw = Raw::connect(&x, Door::Ouch);
        raw.send(bytes);
        x.until(says, |_| {
            raw.poll();
            raw.hung_up
        });
        assert_eq!(
            raw.read.get(2),
            Some(&b'+'),
            "a Debug packet: {}",
            raw.read.escape_ascii()
        );
        let text = String::from_utf8_lossy(&raw.read).into_owned();
        assert!(text.contains(says), "{says} not in {text}");
        assert!(x.said(says), "{says}: {:?}", x.lines);
    }
    assert_eq!(x.counts(Door::Ouch).protocol_errors, 8);
    still_trades(&mut x, 1);
}

#[test]
fn messages_that_are_no_ouch_end_the_session_and_say_so() {
    let order = order();
    let long = [&order[..], b"?"].concat();
    let mut appendage = order.clone();
    appendage[45..47].copy_from_slice(&3_u16.to_be_bytes());
    appendage.extend_from_slice(&[9, 3, 0]);
    let table: [(&[u8], &str); 7] = [
        (b"", "empty message"),
        (b"?", "unknown inbound message type 0x3f"),
        (b"A", "unknown inbound message type"),
        (b"O", "EnterOrder of 1 bytes"),
        (&long, "EnterOrder of 48 bytes"),
        (&appendage, "appendage broken at byte 0"),
        (b"X12345678901", "CancelOrder of 12 bytes"),
    ];
    let mut x = Exchange::new();
    for (message, says) in table {
        let mut client = OuchClient::enter(&mut x, "OUCH01");
        client.send_raw(&[&(message.len() as u16 + 1).to_be_bytes(), &b"U"[..], message].concat());
        client.until_closed(&mut x);
        assert!(x.said(says), "{says}: {:?}", x.lines);
        assert!(client.words.contains("closed"), "{}", client.words);
        x.until("the loss", |x| x.up(OUCH_ONE).is_none());
        let last = x
            .commands
            .iter()
            .rev()
            .find(|command| matches!(command, Command::SessionLost(_)));
        assert!(matches!(
            last,
            Some(Command::SessionLost(SessionLost {
                cause: LossCause::ProtocolError,
                ..
            }))
        ));
        x.lines.clear();
    }
    assert_eq!(x.counts(Door::Ouch).protocol_errors, 7);
    assert!(!x.outputs.iter().any(|output| output.event.body.name() == "Accepted"));
    still_trades(&mut x, 1);
}

#[test]
fn fix_bytes_that_are_no_message_are_ignored_in_session() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    for garbage in [
        &b"8=FIX.4.4\x019=5\x0135=0\x0110=000\x01"[..],
        b"8=FIX.4.4\x019=9999999999\x0135=0\x01",
        b"\x00\x01\x02\x03",
        b"8=FIX.4.4\x0135=0\x019=5\x0110=000\x01",
        b"not FIX at all",
        &[b'x'; 100_000],
    ] {
        client.send_raw_slowly(&mut x, garbage);
    }
    client.play(&mut x, "> D 11=A 55=ABC 54=1 38=1 40=2 44=10.00\n< 8 150=0 11=A");
    assert!(x.counts(Door::Fix).protocol_errors > 0, "and counted");
    assert!(x.said("garbled message ignored"));
    drop(client);
    x.until("the loss", |x| x.up(FIX_ONE).is_none());
    still_trades(&mut x, 1);
}

#[test]
fn an_order_of_a_lost_connection_that_comes_late_is_refused_and_nobody_is_told() {
    let mut x = Exchange::new();
    let mut ouch = OuchClient::enter(&mut x, "OUCH01");
    let mut fix = FixClient::enter(&mut x, config("FIXONE"));
    ouch.expect(&mut x, "S S");
    for session in [OUCH_ONE, FIX_ONE] {
        x.sequence(Enter {
            session,
            incarnation: Incarnation(9),
            inbound: MsgSeqNum(50),
            user_ref: UserRef(1),
            instrument: InstrumentId(1),
            side: Side::Buy,
            kind: OrderKind::Limit,
            tif: TimeInForce::Day,
            price: Price(100_000),
            quantity: Quantity(1),
            ..Enter::default()
        });
        x.sequence(Cancel {
            session,
            incarnation: Incarnation(9),
            target: Target::UserRef(UserRef(1)),
            ..Cancel::default()
        });
    }
    ouch.play(&mut x, "> O 1 B 1 ABC 10.00\n< A 1 B 1 ABC 10.00 ref=1");
    ouch.expect_nothing(&mut x);
    fix.play(&mut x, "> D 11=A 55=ABC 54=1 38=1 40=2 44=10.00\n< 8 150=0 11=A");
    fix.expect_nothing(&mut x, "Z");
}

#[test]
fn a_session_that_an_operator_ends_is_closed_at_its_door() {
    let mut x = Exchange::new();
    let mut ouch = OuchClient::enter(&mut x, "OUCH01");
    let mut fix = FixClient::enter(&mut x, config("FIXONE"));
    for session in [OUCH_ONE, FIX_ONE] {
        let incarnation = x.up(session).unwrap();
        x.sequence(SessionLost {
            session,
            incarnation,
            cause: LossCause::Shutdown,
        });
    }
    ouch.until_closed(&mut x);
    fix.until_closed(&mut x);
    x.until("nobody to be left", |x| {
        x.counts(Door::Ouch).connections + x.counts(Door::Fix).connections == 0
    });
    let lost = x
        .commands
        .iter()
        .filter(|command| matches!(command, Command::SessionLost(_)))
        .count();
    assert_eq!(lost, 2, "and not lost a second time");
    still_trades(&mut x, 1);
}

/// A whole Enter Order.
fn order() -> Vec<u8> {
    let mut order = b"O\0\0\0\x01B\0\0\0\x64ABC     ".to_vec();
    order.extend_from_slice(&100_000_u64.to_be_bytes());
    order.extend_from_slice(b"0YANN              \0\0");
    assert_eq!(order.len(), 47);
    order
}

/// A small generator of its own (Marsaglia's xorshift), so that a seed means the same for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

#[test]
fn random_and_mutated_bytes_never_stop_a_door() {
    const SEED: u64 = 0x5eed_0000_cafe;
    eprintln!("seed {SEED:#x}");
    let mut random = Random(SEED);
    let mut x = Exchange::new();
    let mut soup_login = Vec::new();
    rialto_ouch::soup::ClientPacket::LoginRequest(login("OUCH01", "secret", "", 1))
        .encode(&mut soup_login)
        .unwrap();
    let order = [&[0, 48, b'U'][..], &order()].concat();
    let fix_logon = framed("35=A|34=1|49=FIXONE|52=20241004-10:00:00.000|56=RIALTO|98=0|108=30|141=Y|554=secret|");
    let fix_order = framed(
        "35=D|34=2|49=FIXONE|52=20241004-10:00:00.000|56=RIALTO|11=A|38=5|40=2|44=9|54=1|55=ABC|60=20241004-10:00:00|",
    );
    let mut logged_in = 0;
    for round in 0..400 {
        let door = if round % 2 == 0 { Door::Ouch } else { Door::Fix };
        let (greeting, message) = if door == Door::Ouch {
            (&soup_login, &order)
        } else {
            (&fix_logon, &fix_order)
        };
        let mut raw = Raw::connect(&x, door);
        let mut bytes = if round % 4 < 2 { greeting.clone() } else { Vec::new() };
        if random.below(4) == 0 {
            bytes.extend((0..random.below(2_000)).map(|_| random.next() as u8));
        } else {
            for _ in 0..random.below(6) {
                let mut mutated = message.clone();
                for _ in 0..random.below(4) {
                    let at = random.below(mutated.len());
                    mutated[at] = random.next() as u8;
                }
                mutated.truncate(mutated.len() - random.below(3) * random.below(10));
                bytes.extend_from_slice(&mutated);
            }
        }
        for piece in bytes.chunks(1 + random.below(200)) {
            raw.send(piece);
            x.step();
        }
        // Until the door has read it all or has hung up.
        let wanted = x.counts(door).accepted;
        for _ in 0..30 {
            x.step();
            raw.poll();
        }
        if !greeting.is_empty() && round % 4 < 2 && round % 16 < 2 {
            x.until("the greeting to be answered", |x| {
                raw.poll();
                raw.hung_up || !raw.read.is_empty() || x.counts(door).accepted < wanted
            });
        }
        logged_in += usize::from(!raw.read.is_empty());
        drop(raw);
        x.until("the connection to be gone", |x| {
            x.counts(door).connections == 0 && x.counts(door).sessions_up == 0
        });
    }
    assert!(logged_in > 20, "the greeting mostly gets through: {logged_in}");
    still_trades(&mut x, 1);
}

fn framed(body: &str) -> Vec<u8> {
    let body = body.replace('|', "\x01");
    let head = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
    let sum = head.bytes().fold(0_u8, u8::wrapping_add);
    format!("{head}10={sum:03}\x01").into_bytes()
}
