//! What a member and a subscriber see of faults on the way to them, by their own sockets: messages lost, doubled, overtaken and
//! late on a session, and a subscriber that is not written to. Afterwards everything is there, and the stream replays.

mod support;

use rialto_ouch::messages::{
    Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, Price, Quantity, Side, Symbol,
    TimeInForce, UserRefNum,
};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use support::{PATIENCE, Up, ask, until};

/// A SoupBinTCP session written by hand, so that nothing between it and the socket tidies up.
struct Raw(TcpStream);

impl Raw {
    /// Logs in and asks for everything from message `from` on.
    fn login(door: &str, user: &str, from: u32) -> Self {
        let stream = TcpStream::connect(door).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut raw = Self(stream);
        let login = format!("L{user:<6}{:<10}{:<10}{from:>20}", "rialto", "");
        raw.send(login.as_bytes());
        loop {
            let packet = raw.packet();
            match packet.first() {
                Some(b'A') => return raw,
                Some(b'J') => panic!("the login was refused: {packet:?}"),
                _ => {}
            }
        }
    }

    fn send(&mut self, packet: &[u8]) {
        let length = u16::try_from(packet.len()).expect("a short packet").to_be_bytes();
        self.0.write_all(&[&length, packet].concat()).expect("it is sent");
    }

    fn packet(&mut self) -> Vec<u8> {
        let mut length = [0; 2];
        self.0.read_exact(&mut length).expect("a packet");
        let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
        self.0.read_exact(&mut packet).expect("a whole packet");
        packet
    }

    fn enter(&mut self, user_ref: u32) {
        self.enter_at(user_ref, 100_000);
    }

    fn enter_at(&mut self, user_ref: u32, price: u64) {
        let order = EnterOrder {
            user_ref: UserRefNum(user_ref),
            side: Side::Buy,
            quantity: Quantity(1),
            symbol: Symbol::new("ACME").expect("a symbol"),
            price: Price(price),
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            capacity: Capacity::Principal,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            cl_ord_id: ClOrdId::BLANK,
            appendage: Appendage::EMPTY,
        };
        let mut packet = vec![b'U'];
        order.encode(&mut packet);
        self.send(&packet);
    }

    /// The references of the next orders that were accepted, in the order they come.
    fn accepted(&mut self, count: usize) -> Vec<u32> {
        let mut found = Vec::new();
        while found.len() < count {
            let packet = self.packet();
            // Sequenced, Order Accepted, behind an eight-byte timestamp the reference.
            if packet.starts_with(b"SA") {
                found.push(u32::from_be_bytes(packet[10..14].try_into().expect("four bytes")));
            }
        }
        found
    }
}

#[test]
fn faults_on_the_way_to_a_member_and_a_subscriber_are_what_they_are_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0"]);
    let door = up.ready["ouch"].as_str().expect("the door").to_owned();
    let fault = |words: &[&str]| ask(&[&["fault"], words, &["--data", place]].concat());
    let add = |words: &[&str]| {
        let told = fault(&[&["add"], words].concat()).remove(0);
        assert_eq!(told["events"][0], "FaultAdded", "{told}");
    };
    let mend = |name: &str| {
        let told = fault(&["rm", name]).remove(0);
        assert_eq!(told["events"][0], "FaultRemoved", "{told}");
    };
    let struck = |name: &str| {
        let standing = fault(&["ls"]);
        let one = standing.iter().find(|one| one["name"] == name).expect("it stands");
        one["struck"].as_u64().expect("a number")
    };

    // Doubled: every message comes twice.
    let mut raw = Raw::login(&door, "alpha1", 1);
    add(&["twice", "duplicate", "--session", "alpha1"]);
    raw.enter(1);
    raw.enter(2);
    assert_eq!(raw.accepted(4), [1, 1, 2, 2]);
    assert!(struck("twice") >= 2);
    mend("twice");
    raw.enter(3);
    assert_eq!(raw.accepted(1), [3]);

    // Overtaken: all of them come, in another order.
    add(&[
        "over",
        "reorder",
        "--session",
        "alpha1",
        "--chance",
        "500000",
        "--delay-us",
        "400000",
        "--seed",
        "3",
    ]);
    (4..24).for_each(|user_ref| raw.enter(user_ref));
    let mut came = raw.accepted(20);
    assert!(!came.is_sorted(), "{came:?}");
    came.sort_unstable();
    assert!(came.iter().copied().eq(4..24), "{came:?}");
    mend("over");

    // Late by chance too, and still in order.
    add(&[
        "late",
        "latency",
        "--session",
        "alpha1",
        "--delay-us",
        "1000",
        "--jitter-us",
        "50000",
    ]);
    (24..34).for_each(|user_ref| raw.enter(user_ref));
    assert!(raw.accepted(10).into_iter().eq(24..34));
    assert!(struck("late") > 0);
    mend("late");

    // Lost: the order stands, and its owner hears of the next one only.
    add(&["lost", "drop", "--session", "alpha1"]);
    raw.enter(34);
    until("a lost message", || (struck("lost") > 0).then_some(()));
    mend("lost");
    raw.enter(35);
    assert_eq!(raw.accepted(1), [35]);
    // Who asks again is told everything, once.
    drop(raw);
    let mut again = until("the session's place to be free", || {
        std::panic::catch_unwind(|| Raw::login(&door, "alpha1", 1)).ok()
    });
    assert!(again.accepted(35).into_iter().eq(1..36));

    a_stalled_subscriber(&up, &struck, &add, &mend, &mut again);

    let ended = up.stop();
    let replayed = ask(&["replay", place]).remove(0);
    for name in ["last_seq", "state_hash", "event_hash"] {
        assert_eq!(replayed[name], ended[name], "{name}");
    }
}

/// Nothing is written to it while others go on, however often the venue looks; afterwards it is told everything.
fn a_stalled_subscriber(
    up: &Up,
    struck: &dyn Fn(&str) -> u64,
    add: &dyn Fn(&[&str]),
    mend: &dyn Fn(&str),
    member: &mut Raw,
) {
    let said = |name: &str| up.ready[name].as_str().expect("an address").to_owned();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(["md", "tail", "--via", "quic", "--mode", "full", "--json"])
        .args(["--user", "alpha2", "--password", "rialto"])
        .args(["--quic", &said("quic"), "--cert", &said("quic_cert")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (sender, told) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        lines
            .map_while(Result::ok)
            .filter(|line| line.contains(r#""type":"A""#))
            .for_each(|line| drop(sender.send(line)));
    });
    // It is told of what there is.
    let mut next = 36;
    let mut enter = |member: &mut Raw, price| {
        member.enter_at(next, price);
        assert_eq!(member.accepted(1), [next], "others go on");
        next += 1;
    };
    enter(member, 100_000);
    told.recv_timeout(PATIENCE).expect("an order on the feed");

    add(&["still", "stalled-subscriber", "--session", "alpha2"]);
    enter(member, 100_000);
    // From the first look on at which something waits for it, it hears of nothing more.
    let first = until("a look at the fault", || {
        Some(struck("still")).filter(|count| *count > 0)
    });
    (0..5).for_each(|_| enter(member, 99_900));
    until("more looks", || (struck("still") >= first + 10).then_some(()));
    let is_late = |line: &String| line.contains(r#""price":"9.99"#);
    assert!(!told.try_iter().any(|line| is_late(&line)), "it was written to");
    mend("still");
    let mut late = 0;
    while late < 5 {
        let line = told.recv_timeout(PATIENCE).expect("what came meanwhile");
        late += usize::from(is_late(&line));
    }
    child.kill().expect("kill");
    child.wait().expect("it ends");
    reader.join().expect("it read");
}
