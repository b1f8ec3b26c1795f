//! A member's end of the OUCH door on a real socket.
//!
//! The session is [`rialto_ouch`]'s; here is nothing but its connection. One client is one connection: where it is lost,
//! [`OuchClient::resume`] is the login of the next one, which gets every message that this one missed.

use crate::tcp::{Connection, Reading};
use anyhow::{Context as _, Result, bail};
use rialto_ouch::messages::{Inbound, Outbound};
use rialto_ouch::soup::{
    ClientEvent, ClientSession, CloseReason, LoginAccepted, LoginRequest, Password, RequestedSequence, SequenceNumber,
    SoupConfig, UserName,
};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Beyond what any day has said. Protocol analysers read the field as a signed number of 32 bits, so it is no more.
const FAR_AHEAD: u64 = i32::MAX as u64;

/// What the owner of a client is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OuchEvent<'a> {
    /// Orders may be sent; the next sequenced message has the number stated.
    LoggedIn(LoginAccepted),
    /// A message of the exchange.
    Message(Outbound<'a>),
    /// The session is over; it is the last event.
    Closed(CloseReason),
}

/// A login of `user` into the current session that asks for nothing of what was said in it before: a number beyond the
/// next one is answered with the next one.
pub(crate) fn login_for_new(user: &str, password: &str) -> Result<LoginRequest> {
    let far_ahead = SequenceNumber::new(FAR_AHEAD).unwrap_or(SequenceNumber::FIRST);
    Ok(LoginRequest {
        user: UserName::new(user).context("the user name")?,
        password: Password::new(password).context("the password")?,
        session: None,
        sequence: RequestedSequence::From(far_ahead),
    })
}

/// One connection to the OUCH door.
#[derive(Debug)]
pub(crate) struct OuchClient {
    connection: Connection,
    session: ClientSession,
    /// Bytes read and not yet taken by the session.
    inbound: Vec<u8>,
    message: Vec<u8>,
}

impl OuchClient {
    /// Connects and sends the login; its answer comes as an event.
    pub(crate) fn connect(door: SocketAddr, login: LoginRequest) -> Result<Self> {
        let connection = Connection::open("OUCH", door)?;
        let session = ClientSession::new(SoupConfig::default(), login, connection.now_ns());
        Ok(Self {
            connection,
            session,
            inbound: Vec::new(),
            message: Vec::new(),
        })
    }

    /// The login of the next connection: this session from the next message on.
    pub(crate) fn resume(&self) -> LoginRequest {
        self.session.resume()
    }

    /// Sends a message; what the connection does not take at once goes out with the next poll.
    ///
    /// # Errors
    /// Nothing was sent: the session is not logged in, or so much waits to be sent already that no more is taken.
    pub(crate) fn send<'a>(&mut self, message: impl Into<Inbound<'a>>) -> Result<()> {
        self.queue(message)?;
        self.flush();
        Ok(())
    }

    /// As [`OuchClient::send`], but all that was queued goes out together, with the next poll.
    ///
    /// # Errors
    /// As [`OuchClient::send`].
    pub(crate) fn queue<'a>(&mut self, message: impl Into<Inbound<'a>>) -> Result<()> {
        self.message.clear();
        message.into().encode(&mut self.message);
        self.session.send(&self.message)?;
        Ok(())
    }

    /// Asks the exchange to end the session.
    pub(crate) fn logout(&mut self) {
        self.session.logout();
        self.flush();
    }

    /// Moves what can be moved without waiting, and hands on what came of it. Returns how many events that was.
    ///
    /// # Errors
    /// The exchange sent what is no OUCH message.
    pub(crate) fn poll(&mut self, sink: &mut impl FnMut(OuchEvent<'_>)) -> Result<usize> {
        let reading = self.connection.read(&mut self.inbound);
        let mut count = self.work(sink)?;
        if reading == Reading::Over {
            self.session.handle_disconnect();
            count += self.work(sink)?;
        }
        self.session.handle_timer(self.connection.now_ns());
        self.flush();
        Ok(count)
    }

    /// As [`OuchClient::poll`], but where nothing has come it waits, for at most `timeout`.
    ///
    /// # Errors
    /// As [`OuchClient::poll`].
    pub(crate) fn wait(&mut self, timeout: Duration, sink: &mut impl FnMut(OuchEvent<'_>)) -> Result<usize> {
        let begun = Instant::now();
        loop {
            let count = self.poll(sink)?;
            let left = timeout.saturating_sub(begun.elapsed());
            if count > 0 || left.is_zero() {
                return Ok(count);
            }
            self.connection.wait(left)?;
        }
    }

    /// Gives the session all that was read, and its owner all that comes of it.
    fn work(&mut self, sink: &mut impl FnMut(OuchEvent<'_>)) -> Result<usize> {
        let mut count = 0;
        loop {
            let taken = self.session.handle_bytes(self.connection.now_ns(), &self.inbound);
            self.inbound.drain(..taken);
            let mut polled = 0;
            while let Some(event) = self.session.poll_event() {
                polled += 1;
                sink(match event {
                    ClientEvent::LoggedIn(accepted) => OuchEvent::LoggedIn(accepted),
                    ClientEvent::Closed(reason) => OuchEvent::Closed(reason),
                    ClientEvent::Unsequenced(_) | ClientEvent::Debug(_) => continue,
                    ClientEvent::Sequenced(number, bytes) => match Outbound::decode(bytes) {
                        Ok(message) => OuchEvent::Message(message),
                        Err(error) => bail!("message {number} of the exchange is not OUCH 5.0: {error}"),
                    },
                });
                count += 1;
            }
            if taken == 0 && polled == 0 || self.inbound.is_empty() {
                return Ok(count);
            }
        }
    }

    fn flush(&mut self) {
        loop {
            let output = self.session.poll_output();
            let taken = if output.is_empty() {
                0
            } else {
                self.connection.write(output)
            };
            if taken == 0 {
                return;
            }
            self.session.handle_sent(self.connection.now_ns(), taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_ouch::messages::{AccountQuery, AccountQueryResponse, Timestamp, UserRefNum};
    use rialto_ouch::soup::{ServerEvent, ServerSession, SessionName};
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    /// A generous bound: what is waited for is there within milliseconds.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Plays the door for one connection: answers each query with a number counting up from `next`, and hangs up after
    /// `answers` of them. Returns which message the login asked for.
    fn serve(listener: &TcpListener, next: u64, answers: u64) -> RequestedSequence {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut session = ServerSession::new(SoupConfig::default(), 0);
        let mut asked = None;
        let mut number = SequenceNumber::new(next).unwrap();
        let end = SequenceNumber::new(next + answers).unwrap();
        let mut buffer = [0; 256];
        while number < end {
            let count = stream.read(&mut buffer).unwrap();
            assert_eq!(session.handle_bytes(0, &buffer[..count]), count);
            loop {
                match session.poll_event() {
                    Some(ServerEvent::Login(login)) => {
                        asked = Some(login.sequence);
                        session.accept(SessionName::new("DAY").unwrap(), number).unwrap();
                    }
                    Some(ServerEvent::Message(message)) => {
                        assert_eq!(message, b"Q");
                        let next_user_ref = UserRefNum(number.get() as u32);
                        let mut bytes = Vec::new();
                        AccountQueryResponse {
                            timestamp: Timestamp(0),
                            next_user_ref,
                        }
                        .encode(&mut bytes);
                        session.send_sequenced(number, &bytes).unwrap();
                        number = number.next();
                    }
                    Some(ServerEvent::Closed(reason)) => panic!("closed: {reason}"),
                    None => break,
                }
            }
            flush(&mut stream, &mut session);
        }
        asked.unwrap()
    }

    fn flush(stream: &mut TcpStream, session: &mut ServerSession) {
        let length = session.poll_output().len();
        stream.write_all(session.poll_output()).unwrap();
        session.handle_sent(0, length);
    }

    /// Asks once after the login, and plays until the connection is gone.
    fn ask(client: &mut OuchClient) -> Vec<String> {
        let mut seen = Vec::new();
        let begun = Instant::now();
        while seen.last().is_none_or(|last: &String| !last.starts_with("closed")) && begun.elapsed() < PATIENCE {
            let mut logged_in = false;
            client
                .wait(PATIENCE, &mut |event| match event {
                    OuchEvent::LoggedIn(accepted) => {
                        logged_in = true;
                        seen.push(format!("in at {}", accepted.next));
                    }
                    OuchEvent::Message(Outbound::AccountQueryResponse(answer)) => {
                        seen.push(format!("next {}", answer.next_user_ref.0));
                    }
                    OuchEvent::Message(other) => panic!("{other:?}"),
                    OuchEvent::Closed(reason) => seen.push(format!("closed {reason:?}")),
                })
                .unwrap();
            if logged_in {
                client.send(AccountQuery {}).unwrap();
            }
        }
        seen
    }

    #[test]
    fn a_lost_connection_is_resumed_at_the_next_message() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let door = listener.local_addr().unwrap();
        let serving = std::thread::spawn(move || [serve(&listener, 7, 1), serve(&listener, 8, 1)]);
        let mut client = OuchClient::connect(door, login_for_new("user", "secret").unwrap()).unwrap();
        assert_eq!(ask(&mut client), ["in at 7", "next 7", "closed Disconnected"]);
        let mut client = OuchClient::connect(door, client.resume()).unwrap();
        assert_eq!(ask(&mut client), ["in at 8", "next 8", "closed Disconnected"]);
        let asked = serving.join().unwrap();
        let from = |number| RequestedSequence::From(SequenceNumber::new(number).unwrap());
        assert_eq!(asked, [from(FAR_AHEAD), from(8)]);
    }

    #[test]
    fn nobody_at_the_door_is_said_with_a_mend() {
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap();
        let error = OuchClient::connect(closed, login_for_new("user", "secret").unwrap()).unwrap_err();
        assert!(format!("{error:#}").contains("is the exchange up"), "{error:#}");
    }
}
