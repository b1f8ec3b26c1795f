//! The client against the session: two ends in memory, a clock that the test moves, wires that the test cuts.

use rialto_fix::client::{Client, ClientConfig, ClientEvent, Credentials};
use rialto_fix::message::FieldWriter;
use rialto_fix::session::{BoundedStore, Event, Session, SessionConfig};
use rialto_fix::{Monotonic, MsgSeqNum, MsgType, Now, UtcTimestamp, Version, tags};

const SECOND_NS: u64 = 1_000_000_000;

fn at(second: u64) -> Now {
    Now {
        monotonic: Monotonic(second * SECOND_NS),
        utc: UtcTimestamp((1_767_605_400 + second) * SECOND_NS),
    }
}

/// What both ends said, in order: `c` the client, `s` the session.
type Said = Vec<String>;

/// An acceptor that answers each order with two reports, and its client.
struct Ends {
    client: Client,
    session: Session<BoundedStore>,
    resume: Option<(MsgSeqNum, MsgSeqNum, BoundedStore)>,
    said: Said,
}

impl Ends {
    fn connect(config: ClientConfig, resume: (MsgSeqNum, MsgSeqNum, BoundedStore), second: u64) -> Self {
        let session = Session::new(SessionConfig::new(config.version), at(second));
        let mut client = Client::new(config, at(second));
        client.logon(at(second));
        Self {
            client,
            session,
            resume: Some(resume),
            said: Said::new(),
        }
    }

    fn fresh(config: ClientConfig) -> Self {
        Self::connect(config, (MsgSeqNum::FIRST, MsgSeqNum::FIRST, BoundedStore::default()), 0)
    }

    /// Lets both ends talk until neither has anything to say; `deaf` cuts what goes to the client.
    fn talk(&mut self, second: u64, deaf: bool) {
        let now = at(second);
        self.client.handle_timer(now);
        self.session.handle_timer(now);
        loop {
            let to_session = self.client.transmit().to_vec();
            assert_eq!(self.session.handle_bytes(&to_session), to_session.len());
            self.client.transmitted(to_session.len());
            self.serve(now);
            let to_client = self.session.transmit(now).to_vec();
            self.session.transmitted(to_client.len());
            if !deaf {
                assert_eq!(self.client.handle_bytes(&to_client), to_client.len());
            }
            while let Some(event) = self.client.poll_event(now) {
                self.said.push(match event {
                    ClientEvent::LoggedOn => "c logged on".to_owned(),
                    ClientEvent::Message(message) => {
                        format!(
                            "c {} {}",
                            message.msg_type(),
                            message.get(tags::EXEC_ID).unwrap_or(b"").escape_ascii()
                        )
                    }
                    ClientEvent::LoggedOut(text) => format!("c logged out {}", text.escape_ascii()),
                    ClientEvent::Silence => "c silence".to_owned(),
                    ClientEvent::Garbled(garbled) => format!("c {garbled}"),
                });
            }
            if to_session.is_empty() && to_client.is_empty() {
                return;
            }
        }
    }

    fn serve(&mut self, now: Now) {
        loop {
            let mut order = None;
            match self.session.poll_event(now) {
                None => return,
                Some(Event::Logon(request)) => {
                    let good = request.sender_comp_id() == b"FIRM1" && request.password() == Some(b"secret");
                    match self.resume.take() {
                        Some((inbound, outbound, store)) if good => {
                            self.session.accept_logon(now, inbound, outbound, store).unwrap();
                        }
                        _ => self.session.refuse_logon().unwrap(),
                    }
                }
                Some(Event::AdminWanted(_)) => _ = self.session.release_admin(now),
                Some(Event::Application(message)) => order = message.get(tags::CL_ORD_ID).map(<[u8]>::to_vec),
                Some(Event::Rejected(_) | Event::Garbled(_)) => self.said.push("s complained".to_owned()),
                Some(Event::Disconnect(reason)) => self.said.push(format!("s {reason}")),
            }
            if let Some(order) = order {
                self.said.push(format!("s order {}", order.escape_ascii()));
                for event in ["new", "fill"] {
                    let mut body = Vec::new();
                    FieldWriter::new(&mut body)
                        .bytes(tags::CL_ORD_ID, &order)
                        .bytes(tags::EXEC_ID, &[&order, event.as_bytes()].concat());
                    self.session.send(now, MsgType::EXECUTION_REPORT, b"", &body).unwrap();
                }
            }
        }
    }

    fn order(&mut self, second: u64, id: &str) {
        let mut body = Vec::new();
        FieldWriter::new(&mut body).text(tags::CL_ORD_ID, id);
        self.client.send(at(second), MsgType::NEW_ORDER_SINGLE, &body);
    }

    /// Ends the connection on both sides, and gives what the next one starts with.
    fn cut(self) -> (ClientConfig, (MsgSeqNum, MsgSeqNum, BoundedStore)) {
        let config = ClientConfig {
            next_inbound: self.client.next_inbound(),
            next_outbound: self.client.next_outbound(),
            ..config()
        };
        let numbers = (self.session.next_inbound(), self.session.next_outbound());
        (
            config,
            (numbers.0, numbers.1, self.session.into_store().expect("was logged on")),
        )
    }
}

fn config() -> ClientConfig {
    ClientConfig {
        credentials: Some(Credentials {
            username: b"trader".to_vec(),
            password: b"secret".to_vec(),
        }),
        heart_bt_int_seconds: 10,
        ..ClientConfig::new(Version::Fix44, "FIRM1", "RIALTO")
    }
}

#[test]
fn logon_order_logout() {
    let mut ends = Ends::fresh(config());
    ends.talk(0, false);
    assert!(ends.client.is_logged_on() && ends.session.is_logged_on());
    ends.order(1, "a");
    ends.talk(1, false);
    ends.client.logout(at(2));
    ends.talk(2, false);
    assert_eq!(
        ends.said,
        [
            "c logged on",
            "s order a",
            "c 8 anew",
            "c 8 afill",
            "s logged out",
            "c logged out "
        ]
    );
}

#[test]
fn every_version_logs_on() {
    for version in [Version::Fix42, Version::Fix44, Version::Fix50Sp2] {
        let mut client = Client::new(ClientConfig { version, ..config() }, at(0));
        let (config, _) = rialto_fix::echo::echo_config(version).unwrap();
        let mut session: Session<BoundedStore> = Session::new(config, at(0));
        client.logon(at(0));
        let taken = session.handle_bytes(client.transmit());
        assert_eq!(taken, client.transmit().len());
        assert!(
            matches!(session.poll_event(at(0)), Some(Event::Logon(_))),
            "{version:?}"
        );
    }
}

#[test]
fn a_wrong_password_is_refused_and_never_shown() {
    let mut ends = Ends::fresh(ClientConfig {
        credentials: Some(Credentials {
            username: b"trader".to_vec(),
            password: b"guess".to_vec(),
        }),
        ..config()
    });
    ends.talk(0, false);
    assert_eq!(ends.said, ["s the Logon was refused: check identity and credentials"]);
    assert!(!format!("{:?}", config()).contains("secret") && format!("{:?}", config()).contains("trader"));
}

#[test]
fn both_ends_stay_alive_and_notice_silence() {
    let mut ends = Ends::fresh(config());
    for second in 0..100 {
        ends.talk(second, false);
    }
    assert_eq!(ends.said, ["c logged on"]);
    for second in 100..160 {
        ends.talk(second, true);
    }
    assert_eq!(
        ends.said,
        ["c logged on", "c silence", "s silent for 2.4 times HeartBtInt(108)"]
    );
}

/// The wire breaks while an order is answered: after the next logon its reports come, each once, and no order is
/// entered twice.
#[test]
fn what_was_missed_comes_again_once() {
    let mut ends = Ends::fresh(config());
    ends.talk(0, false);
    ends.order(1, "a");
    ends.talk(1, false);
    ends.order(2, "b");
    ends.talk(2, true);
    assert_eq!(
        ends.said.split_off(1),
        ["s order a", "c 8 anew", "c 8 afill", "s order b"]
    );
    let (config, resume) = ends.cut();
    let mut ends = Ends::connect(config, resume, 3);
    ends.talk(3, false);
    ends.order(4, "c");
    ends.talk(4, false);
    let mut said = ends.said.clone();
    said.retain(|line| line != "c logged on");
    assert_eq!(said, ["c 8 bnew", "c 8 bfill", "s order c", "c 8 cnew", "c 8 cfill"]);
}

/// Two gaps in one connection: each is asked for.
#[test]
fn every_gap_is_closed() {
    let mut ends = Ends::fresh(config());
    ends.talk(0, false);
    for (second, id, deaf) in [(1, "a", true), (2, "b", false), (3, "c", true), (4, "d", false)] {
        ends.order(second, id);
        ends.talk(second, deaf);
    }
    ends.said.retain(|line| line.starts_with("c 8"));
    let expected = ["anew", "afill", "bnew", "bfill", "cnew", "cfill", "dnew", "dfill"];
    assert_eq!(ends.said, expected.map(|id| format!("c 8 {id}")));
}

/// An order that never arrived is not sent again by itself: the gap is filled, and the client's owner decides.
#[test]
fn a_lost_order_is_not_repeated() {
    let mut ends = Ends::fresh(config());
    ends.talk(0, false);
    ends.order(1, "lost");
    let length = ends.client.transmit().len();
    ends.client.transmitted(length);
    let (config, resume) = ends.cut();
    let mut ends = Ends::connect(config, resume, 2);
    ends.talk(2, false);
    ends.order(3, "next");
    ends.talk(3, false);
    assert_eq!(
        ends.said,
        ["c logged on", "s order next", "c 8 nextnew", "c 8 nextfill"]
    );
}

#[test]
fn numbers_restart_where_the_client_asks_for_it() {
    let mut ends = Ends::connect(
        ClientConfig {
            reset_numbers: true,
            ..config()
        },
        (MsgSeqNum(50), MsgSeqNum(70), BoundedStore::default()),
        0,
    );
    ends.talk(0, false);
    ends.order(1, "a");
    ends.talk(1, false);
    assert_eq!(ends.said, ["c logged on", "s order a", "c 8 anew", "c 8 afill"]);
    assert_eq!(
        (ends.session.next_inbound(), ends.session.next_outbound()),
        (MsgSeqNum(3), MsgSeqNum(4))
    );
}
