//! The client's end, for who may wait: connects, takes one snapshot, and says where the feed goes on.

use rialto_itch::mold::{SequenceNumber, Session};
use rialto_ouch::soup::{
    ClientEvent, ClientSession, CloseReason, LoginRequest, Password, RequestedSequence, SequenceNumber as SoupNumber,
    SoupConfig, UserName,
};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::end::EndOfSnapshot;

/// How long one look at the socket waits.
const LOOK: Duration = Duration::from_millis(50);

/// Who joins.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The session's name, at most 6 characters.
    pub user: String,
    /// Its password, at most 10.
    pub password: String,
}

impl Login {
    /// Name and password.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }
}

/// Where the feed goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The MoldUDP64 session.
    pub session: Session,
    /// The number of the first message that the snapshot does not hold.
    pub next: SequenceNumber,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Name or password are none of this protocol.
    #[error("{what} does not fit SoupBinTCP: give a name of 1 to 6 and a password of 1 to 10 printable characters")]
    Login {
        /// Which.
        what: &'static str,
    },
    /// The connection.
    #[error("the GLIMPSE server {address}: {source}")]
    Io {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The session ended before the snapshot did.
    #[error("the GLIMPSE server {address} ended the session before the snapshot did: {reason}")]
    Closed {
        /// Where.
        address: SocketAddr,
        /// Why.
        reason: CloseReason,
    },
    /// It took too long.
    #[error("the GLIMPSE server {address} has not told a whole snapshot within {seconds} s")]
    Late {
        /// Where.
        address: SocketAddr,
        /// The bound.
        seconds: u64,
    },
}

/// Takes a snapshot within `time`, handing its ITCH messages on one by one. Join the lines first, so that what they bring
/// meanwhile waits in their buffers.
///
/// # Errors
/// [`FetchError`]; what was handed on is then of no use.
pub fn fetch(
    address: SocketAddr,
    login: &Login,
    time: Duration,
    mut sink: impl FnMut(&[u8]),
) -> Result<Joined, FetchError> {
    let io = |source| FetchError::Io { address, source };
    let request = LoginRequest {
        user: UserName::new(&login.user).map_err(|_| FetchError::Login { what: "the user name" })?,
        password: Password::new(&login.password).map_err(|_| FetchError::Login { what: "the password" })?,
        session: None,
        sequence: RequestedSequence::From(SoupNumber::FIRST),
    };
    let mut stream = TcpStream::connect_timeout(&address, time).map_err(io)?;
    stream.set_read_timeout(Some(LOOK)).map_err(io)?;
    stream.set_write_timeout(Some(time)).map_err(io)?;
    stream.set_nodelay(true).map_err(io)?;
    let begun = Instant::now();
    let now_ns = |begun: &Instant| begun.elapsed().as_nanos() as u64;
    let mut session = ClientSession::new(SoupConfig::default(), request, 0);
    let mut name = Session([b' '; 10]);
    let mut buffer = vec![0; 16 << 10];
    let mut joined = None;
    while begun.elapsed() < time {
        let output = session.poll_output();
        if !output.is_empty() {
            stream.write_all(output).map_err(io)?;
            let count = output.len();
            session.handle_sent(now_ns(&begun), count);
        }
        if let Some(joined) = joined {
            return Ok(joined);
        }
        let mut bytes = match stream.read(&mut buffer) {
            Ok(0) => {
                session.handle_disconnect();
                &[][..]
            }
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                &[]
            }
            Err(error) => return Err(io(error)),
        };
        loop {
            let taken = session.handle_bytes(now_ns(&begun), bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            while let Some(event) = session.poll_event() {
                match event {
                    ClientEvent::LoggedIn(accepted) => {
                        name.0.fill(b' ');
                        name.0
                            .iter_mut()
                            .zip(accepted.session.as_str().bytes())
                            .for_each(|(place, byte)| *place = byte);
                    }
                    ClientEvent::Sequenced(_, message) => match EndOfSnapshot::decode(message) {
                        Some(end) => {
                            joined = Some(Joined {
                                session: name,
                                next: SequenceNumber(end.next),
                            });
                        }
                        None => sink(message),
                    },
                    ClientEvent::Closed(reason) if joined.is_none() => {
                        return Err(FetchError::Closed { address, reason });
                    }
                    ClientEvent::Closed(_) | ClientEvent::Unsequenced(_) | ClientEvent::Debug(_) => {}
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        session.handle_timer(now_ns(&begun));
        if joined.is_some() {
            session.logout();
        }
    }
    Err(FetchError::Late {
        address,
        seconds: time.as_secs(),
    })
}
