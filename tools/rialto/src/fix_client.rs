//! A member's end of the FIX door on a real socket.
//!
//! The session is [`rialto_fix`]'s; here is nothing but its connection. One client is one connection: where it is lost,
//! [`FixClient::numbers`] are what the next one resumes from, and gets every report that this one missed.

use crate::tcp::{Connection, Reading};
use anyhow::Result;
use rialto_fix::client::{Client, ClientConfig, ClientEvent};
use rialto_fix::message::Message;
use rialto_fix::{Monotonic, MsgSeqNum, MsgType, Now, UtcTimestamp};
use std::net::SocketAddr;
#[cfg(test)]
use std::time::{Duration, Instant};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the owner of a client is told.
#[derive(Debug)]
pub(crate) enum FixEvent<'a> {
    /// Orders may be sent.
    LoggedOn,
    /// An application message or a Reject (35=3), in sequence.
    Message(Message<'a>),
    /// The acceptor ended the session. The last event.
    LoggedOut,
    /// The connection is gone or nothing came for too long. The last event.
    Lost,
}

/// The numbers of a session, to resume from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// The number to be sent next.
    pub(crate) next_outbound: MsgSeqNum,
    /// The number expected next.
    pub(crate) next_inbound: MsgSeqNum,
}

/// Most bytes that may wait to be sent; beyond it nothing more is taken.
const OUTPUT_MAX: usize = 64 * 1024;

/// One connection to the FIX door.
#[derive(Debug)]
pub(crate) struct FixClient {
    connection: Connection,
    client: Client,
    /// Bytes read and not yet taken by the session.
    inbound: Vec<u8>,
    /// The Logon was answered, and the session has not ended in good order since.
    resumable: bool,
    over: bool,
}

impl FixClient {
    /// Connects and says Logon; its answer comes as an event.
    pub(crate) fn connect(door: SocketAddr, config: ClientConfig) -> Result<Self> {
        let connection = Connection::open("FIX", door)?;
        let now = now(&connection);
        let mut client = Client::new(config, now);
        client.logon(now);
        let mut client = Self {
            connection,
            client,
            inbound: Vec::new(),
            resumable: false,
            over: false,
        };
        client.flush();
        Ok(client)
    }

    /// What the next connection resumes from.
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers {
            next_outbound: self.client.next_outbound(),
            next_inbound: self.client.next_inbound(),
        }
    }

    /// Whether there is a session that another connection can go on with: the Logon was answered, and nobody has logged out
    /// since.
    pub(crate) const fn is_resumable(&self) -> bool {
        self.resumable
    }

    /// Numbers and sends a message; what the connection does not take at once goes out with the next poll. Says whether it
    /// was sent: not before the Logon is answered, and not where too much waits to be sent already.
    pub(crate) fn send(&mut self, msg_type: MsgType<'_>, body: &[u8]) -> bool {
        let open = self.client.is_logged_on() && self.client.transmit().len() < OUTPUT_MAX;
        if open {
            self.client.send(now(&self.connection), msg_type, body);
            self.flush();
        }
        open
    }

    /// Asks the exchange to end the session.
    pub(crate) fn logout(&mut self) {
        if self.client.is_logged_on() {
            self.client.logout(now(&self.connection));
            self.flush();
        }
    }

    /// The time, for TransactTime(60).
    pub(crate) fn utc(&self) -> UtcTimestamp {
        now(&self.connection).utc
    }

    /// Moves what can be moved without waiting, and hands on what came of it. Returns how many events that was.
    pub(crate) fn poll(&mut self, sink: &mut impl FnMut(FixEvent<'_>)) -> usize {
        if self.over {
            return 0;
        }
        let reading = self.connection.read(&mut self.inbound);
        let mut count = self.work(sink);
        if reading == Reading::Over && !self.over {
            self.over = true;
            count += 1;
            sink(FixEvent::Lost);
        }
        self.client.handle_timer(now(&self.connection));
        self.flush();
        count
    }

    /// As [`FixClient::poll`], but where nothing has come it waits, for at most `timeout`.
    #[cfg(test)]
    fn wait(&mut self, timeout: Duration, sink: &mut impl FnMut(FixEvent<'_>)) -> Result<usize> {
        let begun = Instant::now();
        loop {
            let count = self.poll(sink);
            let left = timeout.saturating_sub(begun.elapsed());
            if count > 0 || left.is_zero() || self.over {
                return Ok(count);
            }
            self.connection.wait(left)?;
        }
    }

    fn work(&mut self, sink: &mut impl FnMut(FixEvent<'_>)) -> usize {
        let mut count = 0;
        loop {
            let taken = self.client.handle_bytes(&self.inbound);
            self.inbound.drain(..taken);
            let mut polled = 0;
            while !self.over
                && let Some(event) = self.client.poll_event(now(&self.connection))
            {
                polled += 1;
                let event = match event {
                    ClientEvent::LoggedOn => {
                        self.resumable = true;
                        FixEvent::LoggedOn
                    }
                    ClientEvent::Message(message) => FixEvent::Message(message),
                    ClientEvent::LoggedOut(_) => {
                        self.resumable = false;
                        FixEvent::LoggedOut
                    }
                    ClientEvent::Silence => FixEvent::Lost,
                    ClientEvent::Garbled(_) => continue,
                };
                self.over = matches!(event, FixEvent::LoggedOut | FixEvent::Lost);
                count += 1;
                sink(event);
            }
            if taken == 0 && polled == 0 || self.inbound.is_empty() || self.over {
                return count;
            }
        }
    }

    fn flush(&mut self) {
        loop {
            let output = self.client.transmit();
            let taken = if output.is_empty() {
                0
            } else {
                self.connection.write(output)
            };
            if taken == 0 {
                return;
            }
            self.client.transmitted(taken);
        }
    }
}

fn now(connection: &Connection) -> Now {
    let utc_ns = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64);
    Now {
        monotonic: Monotonic(connection.now_ns()),
        utc: UtcTimestamp(utc_ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_fix::Version;
    use rialto_fix::message::FieldWriter;
    use rialto_fix::session::{BoundedStore, Event, Session, SessionConfig};
    use rialto_fix::tags;
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};

    /// A generous bound: what is waited for is there within milliseconds.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn at(monotonic: u64) -> Now {
        let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        Now {
            monotonic: Monotonic(monotonic),
            utc: UtcTimestamp(utc),
        }
    }

    /// Plays the door for one connection: echoes the first order and hangs up. Returns the numbers it had then.
    fn serve(listener: &TcpListener, next_inbound: MsgSeqNum, next_outbound: MsgSeqNum) -> (MsgSeqNum, MsgSeqNum) {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut session = Session::new(SessionConfig::new(Version::Fix44), at(0));
        let mut buffer = [0; 4096];
        let mut echo: Option<Vec<u8>> = None;
        loop {
            let count = stream.read(&mut buffer).unwrap();
            assert_eq!(session.handle_bytes(&buffer[..count]), count);
            loop {
                let logon = match session.poll_event(at(0)) {
                    None => break,
                    Some(Event::Logon(_)) => true,
                    Some(Event::AdminWanted(_)) => false,
                    Some(Event::Application(message)) => {
                        echo = message.get(tags::CL_ORD_ID).map(<[u8]>::to_vec);
                        continue;
                    }
                    Some(other) => panic!("{other:?}"),
                };
                if logon {
                    session
                        .accept_logon(at(0), next_inbound, next_outbound, BoundedStore::default())
                        .unwrap();
                } else {
                    session.release_admin(at(0));
                }
            }
            if let Some(cl_ord_id) = &echo {
                let mut body = Vec::new();
                FieldWriter::new(&mut body).bytes(tags::CL_ORD_ID, cl_ord_id);
                session.send(at(0), MsgType::EXECUTION_REPORT, b"", &body).unwrap();
            }
            let length = session.transmit(at(0)).len();
            stream.write_all(session.transmit(at(0))).unwrap();
            session.transmitted(length);
            if echo.is_some() {
                return (session.next_inbound(), session.next_outbound());
            }
        }
    }

    /// Sends one order after the Logon, and plays until the connection is gone.
    fn order(client: &mut FixClient, name: &str) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        let begun = Instant::now();
        while seen.last().is_none_or(|last| last != "lost") && begun.elapsed() < PATIENCE {
            let mut logged_on = false;
            client
                .wait(PATIENCE, &mut |event| match event {
                    FixEvent::LoggedOn => {
                        logged_on = true;
                        seen.push("on".to_owned());
                    }
                    FixEvent::Message(message) => {
                        let name = message.get(tags::CL_ORD_ID).unwrap_or_default();
                        seen.push(format!("{} {}", message.msg_type(), name.escape_ascii()));
                    }
                    FixEvent::LoggedOut => panic!("logged out"),
                    FixEvent::Lost => seen.push("lost".to_owned()),
                })
                .unwrap();
            if logged_on {
                let mut body = Vec::new();
                FieldWriter::new(&mut body).text(tags::CL_ORD_ID, name);
                assert!(client.send(MsgType::NEW_ORDER_SINGLE, &body));
            }
        }
        seen
    }

    #[test]
    fn a_lost_connection_is_resumed_at_its_numbers() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let door = listener.local_addr().unwrap();
        let serving = std::thread::spawn(move || {
            let (next_inbound, next_outbound) = serve(&listener, MsgSeqNum::FIRST, MsgSeqNum::FIRST);
            serve(&listener, next_inbound, next_outbound)
        });
        let config = ClientConfig::new(Version::Fix44, "MEMBER", "RIALTO");
        let mut client = FixClient::connect(door, config.clone()).unwrap();
        assert_eq!(order(&mut client, "first"), ["on", "8 first", "lost"]);
        assert!(client.is_resumable());
        let Numbers {
            next_outbound,
            next_inbound,
        } = client.numbers();
        assert_eq!((next_outbound, next_inbound), (MsgSeqNum(3), MsgSeqNum(3)));
        let mut client = FixClient::connect(
            door,
            ClientConfig {
                next_outbound,
                next_inbound,
                ..config
            },
        )
        .unwrap();
        assert_eq!(order(&mut client, "second"), ["on", "8 second", "lost"]);
        assert_eq!(serving.join().unwrap(), (MsgSeqNum(5), MsgSeqNum(5)));
    }
}
