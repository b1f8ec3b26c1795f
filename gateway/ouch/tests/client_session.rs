//! The client's session as event tables, and both ends against each other over a connection that breaks.

mod support;

use rialto_ouch::soup::*;
use support::{Random, bytes, server};

const MS: u64 = 1_000_000;

/// What happens to the session.
#[derive(Clone, Copy, Debug)]
enum In {
    /// The server's packet arrives.
    Server(ServerPacket<'static>),
    /// Bytes arrive.
    Bytes(&'static str),
    /// Time passes.
    Timer,
    /// The owner sends a message.
    Send(&'static str),
    Logout,
    Disconnect,
}
use In::*;

fn login() -> LoginRequest {
    LoginRequest {
        user: UserName::new("BOB").expect("fits"),
        password: Password::new("SECRET").expect("fits"),
        session: None,
        sequence: RequestedSequence::From(SequenceNumber::FIRST),
    }
}

fn day() -> SessionName {
    SessionName::new("DAY1").expect("fits")
}

fn number(number: u64) -> SequenceNumber {
    SequenceNumber::new(number).expect("above 0")
}

fn accepted(next: u64) -> In {
    Server(ServerPacket::LoginAccepted(LoginAccepted {
        session: day(),
        next: number(next),
    }))
}

fn outcome(session: &mut ClientSession, now_ns: u64) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut seen = Vec::new();
    while let Some(event) = session.poll_event() {
        seen.push(match event {
            ClientEvent::LoggedIn(accepted) => format!("logged in {} {}", accepted.session, accepted.next),
            ClientEvent::Sequenced(number, message) => format!("{number} {}", text(message)),
            ClientEvent::Unsequenced(message) => format!("aside {}", text(message)),
            ClientEvent::Debug(message) => format!("debug {}", text(message)),
            ClientEvent::Closed(reason) => format!("closed {reason:?}"),
        });
    }
    let mut framer = Framer::new(1_024);
    assert_eq!(framer.feed(session.poll_output()), session.poll_output().len());
    while let Some(packet) = framer.next_packet().expect("sound output") {
        seen.push(match ClientPacket::decode(packet).expect("a client's packet") {
            ClientPacket::Debug(_) => "> +".to_owned(),
            ClientPacket::LoginRequest(login) => {
                format!("> L {} {:?} {:?}", login.user, login.session, login.sequence)
            }
            ClientPacket::Unsequenced(message) => format!("> U {}", text(message)),
            ClientPacket::Heartbeat => "> R".to_owned(),
            ClientPacket::LogoutRequest => "> O".to_owned(),
        });
    }
    session.handle_sent(now_ns, session.poll_output().len());
    seen
}

/// When (milliseconds), what happens, what comes of it.
type Row<'a> = (u64, In, &'a [&'a str]);

/// Runs a table; a session begins with its login, at 0.
fn play(table: &[Row<'_>]) -> ClientSession {
    let mut session = ClientSession::new(SoupConfig::default(), login(), 0);
    assert_eq!(outcome(&mut session, 0), ["> L BOB None From(SequenceNumber(1))"]);
    for &(at_ms, what, expected) in table {
        let now_ns = at_ms * MS;
        match what {
            Server(packet) => {
                let bytes = server(packet);
                assert_eq!(session.handle_bytes(now_ns, &bytes), bytes.len());
            }
            Bytes(table) => {
                let bytes = bytes(table);
                assert_eq!(session.handle_bytes(now_ns, &bytes), bytes.len());
            }
            Timer => session.handle_timer(now_ns),
            Send(message) => session.send(message.as_bytes()).expect("logged in"),
            Logout => session.logout(),
            Disconnect => session.handle_disconnect(),
        }
        assert_eq!(outcome(&mut session, now_ns), expected, "at {at_ms} ms: {what:?}");
        if let (Timer, Some(timeout_ns)) = (what, session.poll_timeout()) {
            assert!(
                timeout_ns > now_ns,
                "at {at_ms} ms the timer was handled and is wanted again at once"
            );
        }
    }
    session
}

#[test]
fn a_day_in_the_life() {
    let session = play(&[
        (900, Timer, &[]),
        (1_100, Timer, &[]),
        (1_200, accepted(5), &["logged in DAY1 5"]),
        (1_200, Timer, &["> R"]),
        (1_300, Server(ServerPacket::Sequenced(b"five")), &["5 five"]),
        (1_300, Server(ServerPacket::Unsequenced(b"news")), &["aside news"]),
        (1_300, Server(ServerPacket::Debug(b"hello")), &["debug hello"]),
        (1_400, Server(ServerPacket::Sequenced(b"six")), &["6 six"]),
        (1_500, Send("order"), &["> U order"]),
        (2_499, Timer, &[]),
        (2_500, Timer, &["> R"]),
        (2_600, Server(ServerPacket::Heartbeat), &[]),
        (2_700, Logout, &["closed Logout", "> O"]),
        (2_800, Server(ServerPacket::Sequenced(b"late")), &[]),
        (2_900, Disconnect, &[]),
    ]);
    let resume = LoginRequest {
        session: Some(day()),
        sequence: RequestedSequence::From(number(7)),
        ..login()
    };
    assert_eq!(session.resume(), resume);
}

#[test]
fn each_end_has_its_reason() {
    let table: &[(&[Row<'_>], LoginRequest)] = &[
        (
            &[(
                0,
                Server(ServerPacket::LoginRejected(LoginRejectCode::NotAuthorised)),
                &["closed LoginRejected(NotAuthorised)"],
            )],
            login(),
        ),
        (
            &[(14_999, Timer, &[]), (15_000, Timer, &["closed Silence", "> +"])],
            login(),
        ),
        (
            &[(
                0,
                Server(ServerPacket::Sequenced(b"x")),
                &["closed OutOfPlace { packet_type: 83 }", "> +"],
            )],
            login(),
        ),
        (
            &[(
                0,
                Server(ServerPacket::Unsequenced(b"x")),
                &["closed OutOfPlace { packet_type: 85 }", "> +"],
            )],
            login(),
        ),
        (
            &[(
                0,
                Bytes("0001 'R'"),
                &["closed BadPacket(UnknownType { packet_type: 82 })", "> +"],
            )],
            login(),
        ),
        (
            &[
                (15_000, Timer, &["closed Silence", "> +"]),
                (15_000, Disconnect, &[]),
                (15_001, Logout, &[]),
            ],
            login(),
        ),
        (
            &[(
                0,
                Bytes("0001 'R' 0001 'R'"),
                &["closed BadPacket(UnknownType { packet_type: 82 })", "> +"],
            )],
            login(),
        ),
        (&[(0, Disconnect, &["closed Disconnected"])], login()),
        (
            &[
                (0, accepted(2), &["logged in DAY1 2"]),
                (0, accepted(2), &["closed OutOfPlace { packet_type: 65 }", "> +"]),
            ],
            LoginRequest {
                session: Some(day()),
                sequence: RequestedSequence::From(number(2)),
                ..login()
            },
        ),
        (
            &[
                (0, accepted(2), &["logged in DAY1 2"]),
                (1, Server(ServerPacket::EndOfSession), &["closed EndOfSession"]),
            ],
            login(),
        ),
    ];
    for (rows, resume) in table {
        assert_eq!(play(rows).resume(), *resume);
    }
}

#[test]
fn nothing_is_sent_before_the_answer_or_beyond_the_bounds() {
    let config = SoupConfig {
        packet_limit: 100,
        output_limit: 300,
        ..SoupConfig::default()
    };
    let mut session = ClientSession::new(config, login(), 0);
    assert_eq!(session.send(b"order"), Err(SessionError::NotLoggedIn));
    outcome(&mut session, 0);
    let answer = server(ServerPacket::LoginAccepted(LoginAccepted {
        session: day(),
        next: number(1),
    }));
    assert_eq!(session.handle_bytes(0, &answer), answer.len());
    outcome(&mut session, 0);
    assert_eq!(
        session.send(&[0; 100]),
        Err(SessionError::MessageTooLong { length: 100, limit: 99 })
    );
    for _ in 0..2 {
        assert_eq!(session.send(&[0; 99]), Ok(()));
    }
    assert_eq!(session.send(&[0; 99]), Err(SessionError::OutputFull { limit: 300 }));
}

/// The server's messages: each its own number.
struct Store(u64);

impl SequencedStore for Store {
    fn message(&mut self, number: SequenceNumber) -> Option<&[u8]> {
        const TEXT: [&[u8]; 10] = [
            b"0", b"1", b"22", b"333", b"4444", b"55555", b"6", b"77", b"888", b"9999",
        ];
        (number.get() <= self.0).then(|| TEXT[(number.get() % 10) as usize])
    }
}

#[test]
fn over_breaking_connections_every_message_arrives_once_and_in_order() {
    const SEED: u64 = 17;
    const LAST: u64 = 5_000;
    let config = SoupConfig {
        packet_limit: 100,
        output_limit: 300,
        ..SoupConfig::default()
    };
    let mut random = Random(SEED);
    let mut store = Store(0);
    let (mut resume, mut received, mut connections, mut now_ns) = (login(), 0, 0, 0);
    while received < LAST {
        connections += 1;
        assert!(
            connections < 10_000,
            "seed {SEED}: only {received} of {LAST} messages arrived"
        );
        let mut server = ServerSession::new(config, now_ns);
        let mut client = ClientSession::new(config, resume, now_ns);
        for _ in 0..random.below(400) {
            now_ns += MS;
            store.0 = LAST.min(store.0 + random.below(3) as u64);
            // The connection takes some bytes of either end, cut anywhere.
            let count = random.below(40).min(client.poll_output().len());
            let taken = server.handle_bytes(now_ns, &client.poll_output()[..count]);
            client.handle_sent(now_ns, taken);
            while let Some(event) = server.poll_event() {
                let ServerEvent::Login(login) = event else {
                    panic!("seed {SEED}: {event:?}")
                };
                let first = login.sequence.resolve(number(store.0 + 1));
                server.accept(day(), first).expect("a login waits");
            }
            server.pull(&mut store, 5).expect("messages fit");
            let count = random.below(40).min(server.poll_output().len());
            let taken = client.handle_bytes(now_ns, &server.poll_output()[..count]);
            server.handle_sent(now_ns, taken);
            while let Some(event) = client.poll_event() {
                match event {
                    ClientEvent::LoggedIn(accepted) => assert_eq!(accepted.next.get(), received + 1, "seed {SEED}"),
                    ClientEvent::Sequenced(number, message) => {
                        received += 1;
                        assert_eq!(number.get(), received, "seed {SEED}");
                        assert_eq!(Some(message), Store(LAST).message(number), "seed {SEED}");
                    }
                    other => panic!("seed {SEED}: {other:?}"),
                }
            }
            server.handle_timer(now_ns);
            client.handle_timer(now_ns);
        }
        resume = client.resume();
    }
    assert!(
        connections > 10,
        "the connection broke only {connections} times: the test shows little"
    );
}
