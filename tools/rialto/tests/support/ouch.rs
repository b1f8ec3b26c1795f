//! A member at the OUCH door: one session over as many connections as it takes, nothing lost and nothing sent twice.

use rialto_ouch::messages::{EnterOrder, Outbound, UserRefNum};
use rialto_ouch::soup::{
    ClientEvent, ClientSession, LoginRequest, Password, RequestedSequence, SequenceNumber, SoupConfig, UserName,
};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long one look at the connection waits.
const LOOK: Duration = Duration::from_millis(2);

/// A session, on or off.
pub(crate) struct Member {
    begun: Instant,
    login: LoginRequest,
    line: Option<(TcpStream, ClientSession)>,
    /// Orders that nobody has answered yet, by reference: they are sent again with the next connection.
    pending: BTreeMap<u32, Vec<u8>>,
    /// Of the last sequenced message.
    number: u64,
    /// Logins that were accepted.
    pub(crate) logins: u64,
}

impl Member {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self {
            begun: Instant::now(),
            login: LoginRequest {
                user: UserName::new(user).expect("a user"),
                password: Password::new(password).expect("a password"),
                session: None,
                sequence: RequestedSequence::From(SequenceNumber::FIRST),
            },
            line: None,
            pending: BTreeMap::new(),
            number: 0,
            logins: 0,
        }
    }

    /// Orders that are on their way.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Enters an order; where the session is off, with its next connection.
    pub(crate) fn enter(&mut self, order: &EnterOrder<'_>) {
        let mut bytes = Vec::new();
        order.encode(&mut bytes);
        if let Some((_, session)) = self.line.as_mut().filter(|(_, session)| session.is_logged_in()) {
            session.send(&bytes).expect("little waits to be sent");
        }
        self.pending.insert(order.user_ref.0, bytes);
    }

    /// Hangs up without a word.
    pub(crate) fn hang_up(&mut self) {
        if let Some((_, session)) = self.line.take() {
            self.login = session.resume();
        }
    }

    /// Moves what can be moved, by this door where the session is off, and shows each message once and in order.
    pub(crate) fn poll(&mut self, door: SocketAddr, mut show: impl FnMut(&Outbound<'_>)) {
        let now_ns = u64::try_from(self.begun.elapsed().as_nanos()).expect("short");
        let Some((stream, session)) = &mut self.line else {
            // The door closes behind the session for a moment when a port is taken away: it is tried again.
            if let Ok(stream) = TcpStream::connect(door) {
                stream.set_read_timeout(Some(LOOK)).expect("a bound");
                stream.set_nodelay(true).expect("a socket");
                let session = ClientSession::new(SoupConfig::default(), self.login, now_ns);
                self.line = Some((stream, session));
            }
            return;
        };
        session.handle_timer(now_ns);
        let mut over = write(stream, session, now_ns).is_err();
        let mut bytes = [0; 4_096];
        let count = match stream.read(&mut bytes) {
            Ok(0) => {
                over = true;
                0
            }
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(_) => {
                over = true;
                0
            }
        };
        let mut rest = &bytes[..count];
        loop {
            let taken = session.handle_bytes(now_ns, rest);
            rest = &rest[taken..];
            let mut on = false;
            while let Some(event) = session.poll_event() {
                match event {
                    ClientEvent::LoggedIn(_) => {
                        self.logins += 1;
                        on = true;
                    }
                    ClientEvent::Sequenced(number, bytes) => {
                        assert_eq!(number.get(), self.number + 1, "no gap and no repeat");
                        self.number = number.get();
                        let message = Outbound::decode(bytes).expect("OUCH 5.0");
                        match &message {
                            Outbound::OrderAccepted(accepted) => drop(self.pending.remove(&accepted.user_ref.0)),
                            Outbound::OrderRejected(rejected) => panic!("{rejected:?}"),
                            _ => {}
                        }
                        show(&message);
                    }
                    ClientEvent::Closed(_) => over = true,
                    ClientEvent::Unsequenced(_) | ClientEvent::Debug(_) => {}
                }
            }
            if on {
                // What was taken in before is passed over by its reference.
                for order in self.pending.values() {
                    session.send(order).expect("little waits to be sent");
                }
            }
            if taken == 0 || rest.is_empty() {
                break;
            }
        }
        over |= write(stream, session, now_ns).is_err();
        if over {
            self.hang_up();
        }
    }
}

fn write(stream: &mut TcpStream, session: &mut ClientSession, now_ns: u64) -> std::io::Result<()> {
    while !session.poll_output().is_empty() {
        let count = session.poll_output().len();
        stream.write_all(session.poll_output())?;
        session.handle_sent(now_ns, count);
    }
    Ok(())
}

/// The reference of an order.
pub(crate) const fn reference(number: u32) -> UserRefNum {
    UserRefNum(number)
}
