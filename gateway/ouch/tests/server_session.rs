//! The server's session as event tables: on the left what happens and when (milliseconds), on the right what comes of
//! it.

mod support;

use rialto_ouch::soup::*;
use support::{bytes, client};

const MS: u64 = 1_000_000;

/// What happens to the session.
#[derive(Clone, Copy, Debug)]
enum In {
    /// The client's packet arrives.
    Client(ClientPacket<'static>),
    /// Bytes arrive.
    Bytes(&'static str),
    /// Time passes.
    Timer,
    /// The owner lets the client in, from the number it asked for.
    Accept,
    Reject(LoginRejectCode),
    /// The owner has a new sequenced message.
    Store(&'static str),
    EndSession,
    Close,
    Disconnect,
}
use In::*;

/// A session with its owner: the store, and a socket that takes everything.
struct Rig {
    session: ServerSession,
    store: Vec<Vec<u8>>,
    asked: Option<RequestedSequence>,
}

struct Stored<'a>(&'a [Vec<u8>]);

impl SequencedStore for Stored<'_> {
    fn message(&mut self, number: SequenceNumber) -> Option<&[u8]> {
        self.0
            .get(usize::try_from(number.get()).expect("small") - 1)
            .map(Vec::as_slice)
    }
}

impl Rig {
    fn new(config: SoupConfig, store: &[&str]) -> Self {
        let store = store.iter().map(|message| message.as_bytes().to_vec()).collect();
        Self {
            session: ServerSession::new(config, 0),
            store,
            asked: None,
        }
    }

    fn happen(&mut self, now_ns: u64, what: In) {
        match what {
            Client(packet) => {
                let bytes = client(packet);
                assert_eq!(self.session.handle_bytes(now_ns, &bytes), bytes.len());
            }
            Bytes(table) => {
                let bytes = bytes(table);
                assert_eq!(self.session.handle_bytes(now_ns, &bytes), bytes.len());
            }
            Timer => self.session.handle_timer(now_ns),
            Accept => {
                let next = SequenceNumber::new(self.store.len() as u64 + 1).expect("above 0");
                let first = self.asked.expect("a login asked").resolve(next);
                self.session.accept(day(), first).expect("a login waits");
            }
            Reject(code) => self.session.reject(code).expect("a login waits"),
            Store(message) => self.store.push(message.as_bytes().to_vec()),
            EndSession => self.session.end_session().expect("logged in"),
            Close => self.session.close(),
            Disconnect => self.session.handle_disconnect(),
        }
    }

    /// The owner's loop: events, then messages of the store, then output.
    fn outcome(&mut self, now_ns: u64) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(event) = self.session.poll_event() {
            seen.push(match event {
                ServerEvent::Login(login) => {
                    self.asked = Some(login.sequence);
                    let session = login.session.map_or("current".to_owned(), |name| name.to_string());
                    format!("login {} {session} {:?}", login.user.normalised(), login.sequence)
                }
                ServerEvent::Message(message) => format!("message {}", String::from_utf8_lossy(message)),
                ServerEvent::Closed(reason) => format!("closed {reason:?}"),
            });
        }
        self.session.pull(&mut Stored(&self.store), 100).expect("messages fit");
        seen.extend(packets(self.session.poll_output()));
        self.session.handle_sent(now_ns, self.session.poll_output().len());
        assert_eq!(self.session.poll_output(), b"");
        seen
    }
}

/// The server's packets as text.
fn packets(output: &[u8]) -> Vec<String> {
    let mut framer = Framer::new(1_024);
    assert_eq!(framer.feed(output), output.len());
    let mut seen = Vec::new();
    while let Some(packet) = framer.next_packet().expect("sound output") {
        seen.push(match ServerPacket::decode(packet).expect("a server's packet") {
            ServerPacket::Debug(_) => "> +".to_owned(),
            ServerPacket::LoginAccepted(accepted) => format!("> A {} {}", accepted.session, accepted.next),
            ServerPacket::LoginRejected(code) => format!("> J {}", code.code() as char),
            ServerPacket::Sequenced(message) => format!("> S {}", String::from_utf8_lossy(message)),
            ServerPacket::Unsequenced(message) => format!("> U {}", String::from_utf8_lossy(message)),
            ServerPacket::Heartbeat => "> H".to_owned(),
            ServerPacket::EndOfSession => "> Z".to_owned(),
        });
    }
    seen
}

fn day() -> SessionName {
    SessionName::new("DAY1").expect("fits")
}

/// Runs a table against a session whose store holds some messages.
fn play(store: &[&str], table: &[(u64, In, &[&str])]) {
    let mut rig = Rig::new(SoupConfig::default(), store);
    for &(at_ms, what, expected) in table {
        let now_ns = at_ms * MS;
        rig.happen(now_ns, what);
        assert_eq!(rig.outcome(now_ns), expected, "at {at_ms} ms: {what:?}");
        if let (Timer, Some(timeout_ns)) = (what, rig.session.poll_timeout()) {
            assert!(
                timeout_ns > now_ns,
                "at {at_ms} ms the timer was handled and is wanted again at once"
            );
        }
    }
}

fn login(sequence: u64) -> In {
    login_to(None, sequence)
}

fn login_to(session: Option<SessionName>, sequence: u64) -> In {
    Client(ClientPacket::LoginRequest(LoginRequest {
        user: UserName::new(" bob").expect("fits"),
        password: Password::new("secret").expect("fits"),
        session,
        sequence: SequenceNumber::new(sequence).map_or(RequestedSequence::MostRecent, RequestedSequence::From),
    }))
}

const fn message(text: &'static str) -> In {
    Client(ClientPacket::Unsequenced(text.as_bytes()))
}

const HEARTBEAT: In = Client(ClientPacket::Heartbeat);
const FROM_1: &str = "login BOB current From(SequenceNumber(1))";

#[test]
fn a_day_in_the_life() {
    play(
        &[],
        &[
            (0, login(1), &[FROM_1]),
            (700, Accept, &["> A DAY1 1"]),
            (800, message("order"), &["message order"]),
            (900, Store("ack"), &["> S ack"]),
            (1_899, Timer, &[]),
            (1_900, Timer, &["> H"]),
            (2_899, Timer, &[]),
            (2_900, Timer, &["> H"]),
            (3_000, Store("fill"), &["> S fill"]),
            (3_900, Timer, &[]),
            (4_000, Timer, &["> H"]),
            (4_100, EndSession, &["closed EndOfSession", "> Z"]),
            (4_200, message("late"), &[]),
            (9_000, Timer, &[]),
        ],
    );
}

#[test]
fn replay_begins_where_the_client_asks() {
    let store = &["one", "two", "three"];
    let from = |number: u64, expected: &[&str]| {
        let mut rig = Rig::new(SoupConfig::default(), store);
        rig.happen(0, login_to(Some(day()), number));
        rig.outcome(0);
        rig.happen(0, Accept);
        assert_eq!(rig.outcome(0), expected, "from {number}");
    };
    from(0, &["> A DAY1 3", "> S three"]);
    from(1, &["> A DAY1 1", "> S one", "> S two", "> S three"]);
    from(3, &["> A DAY1 3", "> S three"]);
    from(4, &["> A DAY1 4"]);
    from(1_000, &["> A DAY1 4"]);

    // No turn does more than its budget.
    let mut rig = Rig::new(SoupConfig::default(), store);
    rig.happen(0, login(1));
    rig.outcome(0);
    rig.happen(0, Accept);
    for (budget, pulled, next) in [(0, 0, 1), (1, 1, 2), (2, 2, 4), (5, 0, 4)] {
        assert_eq!(rig.session.pull(&mut Stored(&rig.store), budget), Ok(pulled));
        assert_eq!(rig.session.next_wanted(), SequenceNumber::new(next), "after {budget}");
    }

    // Of a session without messages the first is the most recent.
    play(
        &[],
        &[
            (0, login(0), &["login BOB current MostRecent"]),
            (0, Accept, &["> A DAY1 1"]),
        ],
    );
}

#[test]
fn a_login_comes_in_time() {
    play(
        &[],
        &[(1_999, Timer, &[]), (2_000, Timer, &["closed LoginTimeout", "> +"])],
    );
    // Half a login is none.
    play(
        &[],
        &[
            (1_000, Bytes("002f 'L' 'bob'"), &[]),
            (2_000, Timer, &["closed LoginTimeout", "> +"]),
        ],
    );
    // The timeout is the client's: the owner may take longer.
    play(
        &[],
        &[
            (1_900, login(1), &[FROM_1]),
            (9_000, Timer, &[]),
            (10_000, Accept, &["> A DAY1 1"]),
        ],
    );
}

#[test]
fn a_login_is_answered_before_anything_else_is_read() {
    play(
        &["one"],
        &[
            (0, login(2), &["login BOB current From(SequenceNumber(2))"]),
            (1, message("early"), &[]),
            (2, message("bird"), &[]),
            (5, Accept, &["message early", "message bird", "> A DAY1 2"]),
        ],
    );
}

#[test]
fn a_rejected_login_gets_its_code_and_nothing_else() {
    for code in [LoginRejectCode::NotAuthorised, LoginRejectCode::SessionNotAvailable] {
        let closed = format!("closed LoginRejected({code:?})");
        let answer = format!("> J {}", code.code() as char);
        play(
            &["one"],
            &[
                (0, login(1), &[FROM_1]),
                (5, Reject(code), &[&closed, &answer]),
                (6, login(1), &[]),
                (9_000, Timer, &[]),
            ],
        );
    }
}

#[test]
fn silence_ends_the_session() {
    play(
        &[],
        &[
            (0, login(1), &[FROM_1]),
            (0, Accept, &["> A DAY1 1"]),
            (10_000, HEARTBEAT, &[]),
            (24_999, Timer, &["> H"]),
            (25_000, Timer, &["closed Silence", "> +"]),
        ],
    );
    // While the answer is awaited as well.
    play(
        &[],
        &[(0, login(1), &[FROM_1]), (15_000, Timer, &["closed Silence", "> +"])],
    );
}

#[test]
fn packets_out_of_place_are_defined() {
    let before: &[(In, &[&str])] = &[
        (HEARTBEAT, &[]),
        (Client(ClientPacket::Debug(b"hello")), &[]),
        (message("order"), &["closed NotLoggedIn", "> +"]),
        (Client(ClientPacket::LogoutRequest), &["closed Logout"]),
        (
            Bytes("0001 'S'"),
            &["closed BadPacket(UnknownType { packet_type: 83 })", "> +"],
        ),
        (Bytes("0000"), &["closed BadPacket(Empty)", "> +"]),
        (
            Bytes("0401"),
            &["closed BadPacket(TooLong { length: 1025, limit: 1024 })", "> +"],
        ),
        (
            Bytes("'GET / HTTP/1.1'"),
            &["closed BadPacket(TooLong { length: 18245, limit: 1024 })", "> +"],
        ),
        (
            Bytes("0002 'L' 'x'"),
            &[
                "closed BadPacket(WrongLength { packet_type: 76, expected: 47, actual: 2 })",
                "> +",
            ],
        ),
        (Disconnect, &["closed Disconnected"]),
        (Close, &["closed ClosedHere", "> +"]),
    ];
    for &(what, expected) in before {
        play(&[], &[(0, what, expected)]);
    }
    let after: &[(In, &[&str])] = &[
        (HEARTBEAT, &[]),
        (Client(ClientPacket::Debug(b"hello")), &[]),
        (message(""), &["message "]),
        (login(1), &["closed SecondLogin", "> +"]),
        (Client(ClientPacket::LogoutRequest), &["closed Logout"]),
        (
            Bytes("0001 'H'"),
            &["closed BadPacket(UnknownType { packet_type: 72 })", "> +"],
        ),
        (
            Bytes("0002 'R' 00"),
            &[
                "closed BadPacket(WrongLength { packet_type: 82, expected: 1, actual: 2 })",
                "> +",
            ],
        ),
        (Disconnect, &["closed Disconnected"]),
        (Close, &["closed ClosedHere", "> +"]),
    ];
    for &(what, expected) in after {
        play(
            &[],
            &[
                (0, login(1), &[FROM_1]),
                (0, Accept, &["> A DAY1 1"]),
                (1, what, expected),
                (2, HEARTBEAT, &[]),
            ],
        );
    }
}

#[test]
fn the_first_reason_to_close_stands() {
    play(
        &[],
        &[
            (0, Close, &["closed ClosedHere", "> +"]),
            (1, Disconnect, &[]),
            (2, Close, &[]),
            (9_000, Timer, &[]),
        ],
    );
    play(
        &[],
        &[(2_000, Timer, &["closed LoginTimeout", "> +"]), (2_000, Close, &[])],
    );
}

#[test]
fn last_words_say_cause_and_mend() {
    let mut rig = Rig::new(SoupConfig::default(), &[]);
    rig.happen(2_000 * MS, Timer);
    assert_eq!(&rig.session.poll_output()[2..14], b"+no login in");
    assert_eq!(rig.session.closed(), Some(CloseReason::LoginTimeout));
}

#[test]
fn a_full_output_stops_the_pull_and_nothing_is_lost() {
    let config = SoupConfig {
        packet_limit: 100,
        output_limit: 300,
        ..SoupConfig::default()
    };
    let stored: Vec<String> = (0..50).map(|number| format!("message {number:042}")).collect();
    let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
    let mut rig = Rig::new(config, &stored);
    rig.happen(0, login(1));
    rig.outcome(0);
    rig.session.accept(day(), SequenceNumber::FIRST).expect("a login waits");
    let mut output = Vec::new();
    // A socket that takes 7 bytes at a time, and an owner that gives at most 3 messages a turn.
    for _ in 0..1_000 {
        let pulled = rig.session.pull(&mut Stored(&rig.store), 3).expect("messages fit");
        assert!(pulled <= 3);
        assert!(
            rig.session.poll_output().len() <= 300,
            "{}",
            rig.session.poll_output().len()
        );
        let taken = rig.session.poll_output().len().min(7);
        output.extend_from_slice(&rig.session.poll_output()[..taken]);
        rig.session.handle_sent(1, taken);
    }
    let expected: Vec<String> = stored.iter().map(|message| format!("> S {message}")).collect();
    assert_eq!(packets(&output)[1..], expected);

    // A socket that takes nothing: the session asks no more, and direct sends are refused.
    rig.store.extend(std::iter::repeat_n(vec![b'x'; 99], 10));
    assert_eq!(rig.session.pull(&mut Stored(&rig.store), 100), Ok(2));
    assert_eq!(rig.session.next_wanted(), None);
    let next = SequenceNumber::new(53).expect("above 0");
    let full = Err(SessionError::OutputFull { limit: 300 });
    assert_eq!(rig.session.send_sequenced(next, &[b'x'; 99]), full);
    assert_eq!(rig.session.send_unsequenced(&[b'x'; 99]), full);
    // No heartbeat joins bytes that wait; they are heartbeat enough.
    rig.session.handle_timer(5_000 * MS);
    assert_eq!(rig.session.poll_output().len(), 2 * 102);
    rig.session.handle_sent(5_000 * MS, 204);
    assert_eq!(rig.session.next_wanted(), Some(next));
}

#[test]
fn a_busy_owner_is_not_a_silent_client() {
    let mut rig = Rig::new(SoupConfig::default(), &[]);
    rig.happen(0, login(1));
    rig.outcome(0);
    rig.happen(0, Accept);
    rig.outcome(0);
    // The owner polls no event for a minute: input backs up to its bound, and the session lives.
    let packet = client(ClientPacket::Unsequenced(b"order"));
    let mut taken = 0;
    while rig.session.handle_bytes(MS, &packet) == packet.len() {
        taken += 1;
        assert!(taken < 100_000, "input is bounded");
    }
    rig.session.handle_timer(60_000 * MS);
    assert_eq!(rig.session.closed(), None);
    let seen = rig.outcome(60_000 * MS);
    assert_eq!(seen.iter().filter(|event| *event == "message order").count(), taken);
    rig.session.handle_timer(74_999 * MS);
    assert_eq!(rig.session.closed(), None);
    rig.session.handle_timer(75_000 * MS);
    assert_eq!(rig.session.closed(), Some(CloseReason::Silence));
}

#[test]
fn the_owners_mistakes_are_errors() {
    let number = |number| SequenceNumber::new(number).expect("above 0");
    let mut rig = Rig::new(SoupConfig::default(), &[]);
    assert_eq!(
        rig.session.accept(day(), SequenceNumber::FIRST),
        Err(SessionError::NoLoginWaiting)
    );
    assert_eq!(
        rig.session.reject(LoginRejectCode::NotAuthorised),
        Err(SessionError::NoLoginWaiting)
    );
    assert_eq!(
        rig.session.send_sequenced(number(1), b"x"),
        Err(SessionError::NotLoggedIn)
    );
    assert_eq!(rig.session.send_unsequenced(b"x"), Err(SessionError::NotLoggedIn));
    assert_eq!(rig.session.end_session(), Err(SessionError::NotLoggedIn));
    assert_eq!(rig.session.next_wanted(), None);
    rig.happen(0, login(1));
    rig.outcome(0);
    rig.session.accept(day(), number(5)).expect("a login waits");
    assert_eq!(rig.session.accept(day(), number(5)), Err(SessionError::NoLoginWaiting));
    for given in [1, 4, 6] {
        let wrong = Err(SessionError::OutOfSequence {
            wanted: number(5),
            given: number(given),
        });
        assert_eq!(rig.session.send_sequenced(number(given), b"x"), wrong);
    }
    let too_long = Err(SessionError::MessageTooLong {
        length: 1_024,
        limit: 1_023,
    });
    assert_eq!(rig.session.send_sequenced(number(5), &[0; 1_024]), too_long);
    assert_eq!(rig.session.send_sequenced(number(5), &[0; 1_023]), Ok(()));
    assert_eq!(rig.session.send_unsequenced(b"aside"), Ok(()), "not counted");
    assert_eq!(rig.session.next_wanted(), Some(number(6)));

    // A client that leaves while the owner checks its password.
    let mut rig = Rig::new(SoupConfig::default(), &[]);
    rig.happen(0, login(1));
    rig.outcome(0);
    rig.session.handle_disconnect();
    assert_eq!(
        rig.session.accept(day(), SequenceNumber::FIRST),
        Err(SessionError::NoLoginWaiting)
    );
    assert_eq!(rig.outcome(0), ["closed Disconnected"]);
}

#[test]
fn the_smallest_configuration_still_takes_a_login() {
    let config = SoupConfig {
        packet_limit: 0,
        output_limit: 0,
        ..SoupConfig::default()
    };
    let mut rig = Rig::new(config, &["one"]);
    rig.happen(0, login(1));
    assert_eq!(rig.outcome(0), [FROM_1]);
    rig.happen(0, Accept);
    assert_eq!(rig.outcome(0), ["> A DAY1 1", "> S one"]);
}

#[test]
fn names_and_passwords_are_compared_without_case_and_passwords_not_shown() {
    for text in ["bob", "BOB", "Bob", " bob", "bob  "] {
        assert_eq!(
            UserName::new(text).expect("fits").normalised(),
            UserName::new("BOB").expect("fits"),
            "{text:?}"
        );
        let password = Password::new(text).expect("fits");
        assert_eq!(password.normalised(), Password::new("BOB").expect("fits"), "{text:?}");
        assert!(!format!("{password:?}").to_lowercase().contains("bob"));
    }
    assert_ne!(
        UserName::new("bo b").expect("fits").normalised(),
        UserName::new("BOB").expect("fits")
    );
}
