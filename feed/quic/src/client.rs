//! The subscriber's end, for who waits in turns: each call waits a bounded time and hands on what has come.

use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, TransportConfig, VarInt};
use rialto_itch::mold::{Packet, Session};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::certificate::{CertificateError, provider};
use crate::frames::{FrameError, Login, Mode, PROTOCOL, Recovery, Reject, ServerFrame, Start, split};
use crate::limits::{FORSAKEN_AFTER, IDLE_TIME};

/// What a client knows the server by.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Certificates as PEM: the server's own, or of who signed it.
    pub pem: String,
    /// The name the server must show.
    pub name: String,
}

/// Why there is no more to come.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The certificates of [`Trust`].
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The system.
    #[error("no QUIC socket: {0}")]
    System(#[from] std::io::Error),
    /// No connection came about.
    #[error("no QUIC server answers at {address}: {why}; is it up, and is its certificate the one given?")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// What happened.
        why: String,
    },
    /// The server refused the login.
    #[error("the server refused the login ({code}): {text}")]
    Rejected {
        /// `N`, `B` or `F`.
        code: char,
        /// In words.
        text: String,
    },
    /// The connection is over.
    #[error("the connection is over: {0}")]
    Over(String),
    /// It is another protocol.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// What keeps connections up: datagrams are taken in, acknowledged and answered while somebody waits on it, and not in between.
///
/// Each client has one of its own unless it is given one with [`Client::connect_on`]. Clients of one thread that are polled in
/// turns want one together: whoever of them is polled, the connections of all are kept up, so that nobody is idle for too long
/// because another one took its time.
#[derive(Clone, Debug)]
pub struct Reactor(Arc<Runtime>);

/// In the first the sockets are looked at, in the second what was there is handed to its connection, in the third to the reader.
const TURNS: usize = 3;

impl Reactor {
    /// One of its own.
    ///
    /// # Errors
    /// [`ClientError::System`].
    pub fn new() -> Result<Self, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self(Arc::new(runtime)))
    }

    /// Takes in what has come and sends what is due, of all its clients, without waiting.
    pub fn turn(&self) {
        self.0.block_on(async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        });
    }
}

/// A subscriber.
///
/// A server may send it on to another process of its machine, which tells it the same: it goes there by itself, and comes back
/// by itself, with what it has not been told yet, when that process is gone or silent.
#[derive(Debug)]
pub struct Client {
    reactor: Reactor,
    connection: Connection,
    /// Open as long as the subscription is wanted.
    _send: SendStream,
    receive: RecvStream,
    buffer: Vec<u8>,
    /// Where it was sent from, if it was.
    home: Option<Box<Home>>,
    /// When something came last.
    heard: Instant,
}

/// Where to go back to, and with what.
struct Home {
    address: SocketAddr,
    trust: Trust,
    login: Login,
    session: Option<Session>,
    /// The number that has not been told; zero: nothing was.
    next: u64,
}

/// The login has a password in it.
impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Home")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Home {
    /// Remembers how far it was told.
    fn note(&mut self, frame: &ServerFrame<'_>) {
        match frame {
            ServerFrame::Packet(bytes) => {
                if let Ok(packet) = Packet::parse(bytes) {
                    self.session = Some(packet.session());
                    self.next = packet.end().0;
                }
            }
            // Until it is over, its books are not whole.
            ServerFrame::SnapshotBegins { session, .. } => (self.session, self.next) = (Some(*session), 0),
            ServerFrame::SnapshotEnds { next } => self.next = *next,
            _ => {}
        }
    }

    /// With what to log in again.
    fn login(&self) -> Login {
        let mut login = self.login.clone();
        if let (Mode::Full, Some(session), 1..) = (login.mode, self.session, self.next) {
            login.start = Start::At {
                session,
                next: self.next,
            };
        }
        login
    }
}

/// What came of a login.
enum Entered {
    In(Client),
    /// Another process tells it, at this port.
    Elsewhere(u16),
}

const CONNECT_TIME: Duration = Duration::from_secs(10);
const READ_BYTES: usize = 64 << 10;

impl Client {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn connect(address: SocketAddr, trust: &Trust, login: &Login) -> Result<Self, ClientError> {
        Self::connect_on(&Reactor::new()?, address, trust, login)
    }

    /// Connects and logs in, and shares what keeps the connection up with others.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn connect_on(
        reactor: &Reactor,
        address: SocketAddr,
        trust: &Trust,
        login: &Login,
    ) -> Result<Self, ClientError> {
        let port = match Self::log_in(reactor, address, trust, login, true)? {
            Entered::In(client) => return Ok(client),
            Entered::Elsewhere(port) => port,
        };
        let there = SocketAddr::new(address.ip(), port);
        let Ok(Entered::In(mut client)) = Self::log_in(reactor, there, trust, login, false) else {
            return Self::stay(reactor, address, trust, login);
        };
        client.home = Some(Box::new(Home {
            address,
            trust: trust.clone(),
            login: login.clone(),
            session: None,
            next: 0,
        }));
        Ok(client)
    }

    /// Logs in and is sent nowhere.
    fn stay(reactor: &Reactor, address: SocketAddr, trust: &Trust, login: &Login) -> Result<Self, ClientError> {
        match Self::log_in(reactor, address, trust, login, false)? {
            Entered::In(client) => Ok(client),
            Entered::Elsewhere(_) => Err(ClientError::Over(
                "it was sent elsewhere, which it said it would not be".to_owned(),
            )),
        }
    }

    fn log_in(
        reactor: &Reactor,
        address: SocketAddr,
        trust: &Trust,
        login: &Login,
        movable: bool,
    ) -> Result<Entered, ClientError> {
        let config = client_config(trust)?;
        let any = match address {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let failed = |why: String| ClientError::Connect { address, why };
        let (connection, send, receive) = reactor.0.block_on(async {
            let mut endpoint = Endpoint::client(any)?;
            endpoint.set_default_client_config(config);
            let connecting = endpoint
                .connect(address, &trust.name)
                .map_err(|error| failed(error.to_string()))?;
            let connection = timeout(CONNECT_TIME, connecting)
                .await
                .map_err(|_| failed("no answer".to_owned()))?
                .map_err(|error| failed(error.to_string()))?;
            let (mut send, receive) = connection.open_bi().await.map_err(|error| failed(error.to_string()))?;
            let mut bytes = Vec::new();
            if movable {
                login.append_movable_to(&mut bytes);
            } else {
                login.append_to(&mut bytes);
            }
            send.write_all(&bytes)
                .await
                .map_err(|error| failed(error.to_string()))?;
            // The endpoint lives as long as its connection.
            Ok::<_, ClientError>((connection, send, receive))
        })?;
        let mut client = Self {
            reactor: reactor.clone(),
            connection,
            _send: send,
            receive,
            buffer: Vec::new(),
            home: None,
            heard: Instant::now(),
        };
        Ok(match client.enter()? {
            None => Entered::In(client),
            Some(port) => Entered::Elsewhere(port),
        })
    }

    /// Reads what came of the login: it is in, or sent to a port.
    fn enter(&mut self) -> Result<Option<u16>, ClientError> {
        while split(&self.buffer).is_none() {
            if !self.read(CONNECT_TIME)? {
                return Err(ClientError::Over("the login was not answered".to_owned()));
            }
        }
        let (frame, rest) = split(&self.buffer).unwrap_or_default();
        match ServerFrame::decode(frame)? {
            ServerFrame::Accepted => {}
            ServerFrame::Rejected { code, text } if code == Reject::Elsewhere as u8 => {
                let text = std::str::from_utf8(text).ok();
                let port = text.and_then(|text| text.parse().ok());
                return port
                    .map(Some)
                    .ok_or_else(|| ClientError::Over("it was sent to no port".to_owned()));
            }
            ServerFrame::Rejected { code, text } => {
                return Err(ClientError::Rejected {
                    code: code.into(),
                    text: String::from_utf8_lossy(text).into_owned(),
                });
            }
            _ => {
                return Err(ClientError::Over(
                    "the login was answered with something else".to_owned(),
                ));
            }
        }
        self.buffer = rest.to_vec();
        Ok(None)
    }

    /// Whether another process than the one it logged in to tells it.
    #[must_use]
    pub const fn is_elsewhere(&self) -> bool {
        self.home.is_some()
    }

    /// Goes back to where it was sent from; an error that is told where it was sent from nowhere.
    fn go_home(&mut self, why: ClientError) -> Result<(), ClientError> {
        let Some(home) = self.home.take() else { return Err(why) };
        let Home {
            address, trust, login, ..
        } = &*home;
        let gone_on = Self::stay(&self.reactor, *address, trust, &home.login());
        // What it has not been told may be there no more: then it begins anew.
        *self = match gone_on {
            Err(ClientError::Rejected { code: 'F', .. }) => Self::stay(&self.reactor, *address, trust, login)?,
            other => other?,
        };
        Ok(())
    }

    /// Hands on the frames that have come, waiting at most `time` for the first. Returns how many.
    ///
    /// # Errors
    /// [`ClientError`]: nothing more will come.
    pub fn poll(&mut self, time: Duration, sink: &mut impl FnMut(ServerFrame<'_>)) -> Result<usize, ClientError> {
        if split(&self.buffer).is_none() {
            match self.read(time) {
                Ok(true) => self.heard = Instant::now(),
                Ok(false) if self.home.is_some() && self.heard.elapsed() > FORSAKEN_AFTER => {
                    let silent = format!("nothing came for {FORSAKEN_AFTER:?}");
                    self.go_home(ClientError::Over(silent))?;
                }
                Ok(false) => {}
                Err(error) => self.go_home(error)?,
            }
        }
        self.hand_on(sink)
    }

    /// Hands on the frames that the last [`Reactor::turn`] brought, and does nothing for the connection: for many clients, after
    /// one turn for all of them. Returns how many.
    ///
    /// # Errors
    /// [`ClientError`]: nothing more will come.
    pub fn ready(&mut self, sink: &mut impl FnMut(ServerFrame<'_>)) -> Result<usize, ClientError> {
        if split(&self.buffer).is_none()
            && let Err(error) = self.read_now(READ_BYTES)
        {
            self.go_home(error)?;
        }
        self.hand_on(sink)
    }

    fn hand_on(&mut self, sink: &mut impl FnMut(ServerFrame<'_>)) -> Result<usize, ClientError> {
        let mut frames = 0;
        let mut rest = self.buffer.as_slice();
        while let Some((frame, more)) = split(rest) {
            let frame = ServerFrame::decode(frame)?;
            if let Some(home) = &mut self.home {
                home.note(&frame);
            }
            sink(frame);
            rest = more;
            frames += 1;
        }
        let used = self.buffer.len() - rest.len();
        self.buffer.drain(..used);
        Ok(frames)
    }

    /// Keeps the connection alive for a time without reading what comes.
    pub fn pause(&mut self, time: Duration) {
        self.reactor.0.block_on(async { tokio::time::sleep(time).await });
    }

    /// Reads at most so many bytes of what has come, and waits at most `time` for them: a slow reader.
    ///
    /// # Errors
    /// [`ClientError`]: nothing more will come.
    pub fn poll_slowly(&mut self, time: Duration, bytes: usize) -> Result<usize, ClientError> {
        let before = self.buffer.len();
        self.read_at_most(time, bytes)?;
        Ok(self.buffer.len() - before)
    }

    /// Asks for messages of the full feed once more, and hands on what the server answers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn recover(&mut self, recovery: &Recovery, sink: &mut impl FnMut(ServerFrame<'_>)) -> Result<(), ClientError> {
        let mut bytes = Vec::new();
        recovery.append_to(&mut bytes);
        let answer = self.say(&bytes)?;
        let mut rest = answer.as_slice();
        while let Some((frame, more)) = split(rest) {
            sink(ServerFrame::decode(frame)?);
            rest = more;
        }
        Ok(())
    }

    /// Says bytes as they are on a stream of their own, and gives what is answered: also what no subscriber says.
    ///
    /// # Errors
    /// [`ClientError`]: the server has ended the connection, or nothing was answered.
    pub fn say(&mut self, bytes: &[u8]) -> Result<Vec<u8>, ClientError> {
        let over = |error: String| ClientError::Over(error);
        self.reactor.0.block_on(async {
            let (mut send, mut receive) = self
                .connection
                .open_bi()
                .await
                .map_err(|error| over(error.to_string()))?;
            send.write_all(bytes).await.map_err(|error| over(error.to_string()))?;
            let _ = send.finish();
            let read = timeout(CONNECT_TIME, receive.read_to_end(1 << 20));
            read.await
                .map_err(|_| over("nothing was answered".to_owned()))?
                .map_err(|error| over(error.to_string()))
        })
    }

    fn read(&mut self, time: Duration) -> Result<bool, ClientError> {
        self.read_at_most(time, READ_BYTES)
    }

    fn read_at_most(&mut self, time: Duration, bytes: usize) -> Result<bool, ClientError> {
        self.reactor.turn();
        if self.read_now(bytes)? > 0 {
            return Ok(true);
        }
        // The timer counts whole milliseconds: who will not wait must not ask it.
        if time.is_zero() {
            return Ok(false);
        }
        let read = self.receive.read_chunk(bytes, true);
        let read = self.reactor.0.block_on(async { timeout(time, read).await });
        match read {
            Err(_) => Ok(false),
            Ok(Ok(Some(chunk))) => {
                self.buffer.extend_from_slice(&chunk.bytes);
                // An end behind it is told next time.
                let _ = self.read_now(bytes - chunk.bytes.len());
                Ok(true)
            }
            Ok(Ok(None)) => Err(self.over("the server ended the stream")),
            Ok(Err(error)) => Err(self.over(&error.to_string())),
        }
    }

    /// Takes over what is there, at most so many bytes, and says how many there were. An end behind them is told next time.
    fn read_now(&mut self, bytes: usize) -> Result<usize, ClientError> {
        // Who waits does so on the reactor.
        let mut context = Context::from_waker(Waker::noop());
        let mut count = 0;
        while count < bytes {
            let read = pin!(self.receive.read_chunk(bytes - count, true)).poll(&mut context);
            let why = match read {
                Poll::Pending => break,
                Poll::Ready(Ok(Some(chunk))) => {
                    count += chunk.bytes.len();
                    self.buffer.extend_from_slice(&chunk.bytes);
                    continue;
                }
                Poll::Ready(_) if count > 0 => break,
                Poll::Ready(Ok(None)) => "the server ended the stream".to_owned(),
                Poll::Ready(Err(error)) => error.to_string(),
            };
            return Err(self.over(&why));
        }
        Ok(count)
    }

    /// Why there is no more to come: what the connection says, if it is over.
    fn over(&self, text: &str) -> ClientError {
        ClientError::Over(match self.connection.close_reason() {
            Some(ConnectionError::Reset | ConnectionError::TimedOut) => format!(
                "the server has heard nothing for {} s or has been started anew; poll more often, or share a Reactor",
                IDLE_TIME.as_secs()
            ),
            Some(reason) => reason.to_string(),
            None => text.to_owned(),
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.close(VarInt::from_u32(0), b"");
        // The goodbye leaves with the next turn. Its answer is not waited for: the server would have to take its time first.
        self.reactor.turn();
    }
}

fn client_config(trust: &Trust) -> Result<ClientConfig, CertificateError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trust.pem.as_bytes()) {
        roots.add(certificate?)?;
    }
    let mut tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![PROTOCOL.to_vec()];
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls)
        .map_err(|error| CertificateError::Unfit(rustls::Error::General(error.to_string())))?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    let mut transport = TransportConfig::default();
    transport
        .keep_alive_interval(Some(IDLE_TIME / 3))
        .max_idle_timeout(quinn::IdleTimeout::try_from(IDLE_TIME).ok());
    config.transport_config(Arc::new(transport));
    Ok(config)
}
