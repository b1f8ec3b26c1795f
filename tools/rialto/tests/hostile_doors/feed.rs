//! The feed by every way it is taken: the lines, re-requests, GLIMPSE snapshots and QUIC.

use crate::entry::{Door, guess};
use crate::support::hostile::{Dice, Ear, Soup};
use crate::support::until;
use crate::{Firm, Heard, Place, STEMS, seed};
use rialto_conflate::{Depth, Pace};
use rialto_feed::multicast::receiver;
use rialto_itch::mold;
use rialto_quic::frames::{Login, Mode, Recovery, ServerFrame, Start};
use rialto_quic::{Client, ClientError, Trust};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An ear for everything by which anybody could be known.
pub(crate) fn public(who: &str) -> Ear {
    Ear::new(who, &STEMS.map(str::to_owned))
}

pub(crate) const MOLD: [u8; 10] = *b"0120260622";

/// A request for messages of the feed, of whatever session.
pub(crate) fn request(session: [u8; 10], first: u64, count: u16) -> Vec<u8> {
    [&session[..], &first.to_be_bytes(), &count.to_be_bytes()].concat()
}

pub(crate) fn rerequests(place: &Place<'_>, own: Firm, calls: usize) -> Heard {
    let (mut dice, mut ear) = (Dice(seed() + 2), public("who asks again"));
    let socket = asking(place);
    for _ in 0..calls {
        let session = *dice.of(&[MOLD, MOLD, MOLD, *b"0120260621", *b"ZQAX01    ", [0; 10]]);
        let first = match dice.below(4) {
            0 => dice.next(),
            1 => 0,
            _ => dice.below(2_000) as u64,
        };
        let bytes = match dice.below(8) {
            0 => dice.bytes(40),
            1 => own.session(1).into_bytes(),
            _ => request(session, first, dice.below(60) as u16),
        };
        socket.send(&bytes).expect("a socket");
        take(&socket, &mut ear);
    }
    Heard {
        door: "re-request",
        calls,
        ear,
    }
}

pub(crate) fn asking(place: &Place<'_>) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.connect(place.at("rerequest")).expect("an address");
    socket
        .set_read_timeout(Some(Duration::from_millis(1)))
        .expect("a bound");
    socket
}

/// The number behind the datagram that has come, if one has.
pub(crate) fn take(socket: &UdpSocket, ear: &mut Ear) -> Option<u64> {
    let mut bytes = [0; 9_000];
    let count = socket.recv(&mut bytes).ok()?;
    ear.hear(&bytes[..count]);
    let first = u64::from_be_bytes(bytes.get(10..18)?.try_into().ok()?);
    Some(first + u64::from(u16::from_be_bytes([bytes[18], bytes[19]])))
}

/// The whole day so far, asked for again.
pub(crate) fn day_again(place: &Place<'_>, ear: &mut Ear) -> u64 {
    let end = snapshot(place, Firm::BOTH[0], ear);
    let socket = asking(place);
    let mut next = 1;
    while next < end {
        next = until("messages asked for again", || {
            socket.send(&request(MOLD, next, 1_000)).expect("a socket");
            std::iter::from_fn(|| take(&socket, ear))
                .filter(|behind| *behind > next)
                .max()
        });
    }
    end
}

/// A snapshot of the books; the number of the message behind it.
pub(crate) fn snapshot(place: &Place<'_>, own: Firm, ear: &mut Ear) -> u64 {
    let mut soup = Soup::login(place.at("glimpse"), &own.session(4), &own.password(), "", "1");
    let mut end = None;
    soup.hears(ear, |_, payload| {
        if let [b'G', number @ ..] = payload {
            end = std::str::from_utf8(number)
                .ok()
                .and_then(|number| number.trim().parse().ok());
        }
        end.is_some()
    });
    end.expect("a whole snapshot")
}

pub(crate) fn glimpse(place: &Place<'_>, own: Firm, other: Firm, calls: usize) -> Heard {
    let (mut dice, mut ear) = (Dice(seed() + 3), public("who joins by snapshot"));
    for _ in 0..calls {
        let (mut name, mut password) = (own.session(4), own.password());
        if dice.below(20) == 0 {
            (name, password) = (other.session(1), guess(&mut dice, own, other, Door::Real));
        }
        let session = *dice.of(&["", "", "0120260622", "0120260621", own.stem]);
        let number = *dice.of(&["1", "1", "0", "17"]);
        let mut soup = Soup::login(place.at("glimpse"), &name, &password, session, number);
        if dice.below(10) == 0 {
            soup.raw(&dice.bytes(60));
        }
        soup.hears(&mut ear, |kind, payload| kind == b'J' || payload.first() == Some(&b'G'));
    }
    Heard {
        door: "GLIMPSE",
        calls,
        ear,
    }
}

pub(crate) fn hear_frame(ear: &mut Ear, frame: ServerFrame<'_>) {
    match frame {
        ServerFrame::Packet(bytes)
        | ServerFrame::SnapshotMessage(bytes)
        | ServerFrame::Conflated(bytes)
        | ServerFrame::Cut(bytes)
        | ServerFrame::Rejected { text: bytes, .. } => ear.hear(bytes),
        ServerFrame::SnapshotBegins { session, .. } => ear.hear(&session.0),
        _ => {}
    }
}

pub(crate) fn subscribe(place: &Place<'_>, name: String, password: String, mode: Mode) -> Result<Client, ClientError> {
    let pem = std::fs::read_to_string(place.at("quic_cert")).expect("a certificate");
    let name_of_server = "localhost".to_owned();
    let login = Login {
        user: name,
        password,
        mode,
        start: Start::Snapshot,
        stocks: Vec::new(),
    };
    let trust = Trust {
        pem,
        name: name_of_server,
    };
    Client::connect(place.at("quic").parse().expect("an address"), &trust, &login)
}

pub(crate) fn quic(place: &Place<'_>, own: Firm, other: Firm, calls: usize) -> Heard {
    let (mut dice, mut ear) = (Dice(seed() + 4), public("a subscriber"));
    let own_feed = |mode| subscribe(place, own.session(4), own.password(), mode).expect("a subscription");
    let conflated = Mode::Conflated {
        depth: Depth::Full,
        pace: Pace::WhenSlow,
    };
    let mut client = own_feed(Mode::Full);
    for _ in 0..calls {
        let asked = match dice.below(40) {
            // In the other's name.
            0 => {
                let password = guess(&mut dice, own, other, Door::Real);
                let password = if password.is_empty() { "x".to_owned() } else { password };
                match subscribe(place, other.session(1), password, *dice.of(&[Mode::Full, conflated])) {
                    Err(ClientError::Rejected { text, .. }) => ear.hear(text.as_bytes()),
                    told => panic!("not refused: {told:?}"),
                }
                Ok(())
            }
            1 => {
                client = own_feed(*dice.of(&[Mode::Full, conflated]));
                Ok(())
            }
            2 => client.say(&dice.bytes(60)).map(|answer| ear.hear(&answer)),
            _ => {
                let session = *dice.of(&[MOLD, MOLD, *b"zqax01    ", [0xff; 10]]);
                let recovery = Recovery {
                    session: mold::Session(session),
                    first: dice.below(3_000) as u64,
                    count: dice.below(100) as u32,
                };
                client.recover(&recovery, &mut |frame| hear_frame(&mut ear, frame))
            }
        };
        let heard = client.poll(Duration::from_millis(1), &mut |frame| hear_frame(&mut ear, frame));
        // It may be put out for what it said, and comes again.
        if asked.is_err() || heard.is_err() {
            client = own_feed(Mode::Full);
        }
    }
    Heard {
        door: "QUIC",
        calls,
        ear,
    }
}

/// Both multicast lines, until it is stopped.
pub(crate) fn lines(place: &Place<'_>, ears: [&Mutex<Ear>; 2], stop: &AtomicBool) {
    let sockets = ["mold_a", "mold_b"].map(|line| {
        let line: SocketAddrV4 = place.at(line).parse().expect("an address");
        let socket = receiver(line, Ipv4Addr::LOCALHOST).expect("a group");
        socket
            .set_read_timeout(Some(Duration::from_millis(5)))
            .expect("a bound");
        socket
    });
    let mut bytes = [0; 9_000];
    while !stop.load(Ordering::Relaxed) {
        for socket in &sockets {
            while let Ok(count) = socket.recv(&mut bytes) {
                for ear in ears {
                    ear.lock().expect("an ear").hear(&bytes[..count]);
                }
            }
        }
    }
}
