//! The subscriber's end, for who waits in turns: each call waits a bounded time and hands on what has come.

use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream, TransportConfig, VarInt};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::certificate::{CertificateError, provider};
use crate::frames::{FrameError, Login, PROTOCOL, Recovery, ServerFrame, split};
use crate::limits::IDLE_TIME;

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

/// A subscriber.
#[derive(Debug)]
pub struct Client {
    runtime: Runtime,
    connection: Connection,
    endpoint: Endpoint,
    /// Open as long as the subscription is wanted.
    _send: SendStream,
    receive: RecvStream,
    buffer: Vec<u8>,
}

const CONNECT_TIME: Duration = Duration::from_secs(10);
const READ_BYTES: usize = 64 << 10;

impl Client {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn connect(address: SocketAddr, trust: &Trust, login: &Login) -> Result<Self, ClientError> {
        let config = client_config(trust)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let any = match address {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let failed = |why: String| ClientError::Connect { address, why };
        let (endpoint, connection, send, receive) = runtime.block_on(async {
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
            login.append_to(&mut bytes);
            send.write_all(&bytes)
                .await
                .map_err(|error| failed(error.to_string()))?;
            Ok::<_, ClientError>((endpoint, connection, send, receive))
        })?;
        let mut client = Self {
            runtime,
            connection,
            endpoint,
            _send: send,
            receive,
            buffer: Vec::new(),
        };
        client.enter()?;
        Ok(client)
    }

    fn enter(&mut self) -> Result<(), ClientError> {
        while split(&self.buffer).is_none() {
            if !self.read(CONNECT_TIME)? {
                return Err(ClientError::Over("the login was not answered".to_owned()));
            }
        }
        let (frame, rest) = split(&self.buffer).unwrap_or_default();
        match ServerFrame::decode(frame)? {
            ServerFrame::Accepted => {}
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
        Ok(())
    }

    /// Hands on the frames that have come, waiting at most `time` for the first. Returns how many.
    ///
    /// # Errors
    /// [`ClientError`]: nothing more will come.
    pub fn poll(&mut self, time: Duration, sink: &mut impl FnMut(ServerFrame<'_>)) -> Result<usize, ClientError> {
        if split(&self.buffer).is_none() {
            self.read(time)?;
        }
        let mut frames = 0;
        let mut rest = self.buffer.as_slice();
        while let Some((frame, more)) = split(rest) {
            sink(ServerFrame::decode(frame)?);
            rest = more;
            frames += 1;
        }
        let used = self.buffer.len() - rest.len();
        self.buffer.drain(..used);
        Ok(frames)
    }

    /// Keeps the connection alive for a time without reading what comes.
    pub fn pause(&mut self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
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
        self.runtime.block_on(async {
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
        let start = self.buffer.len();
        self.buffer.resize(start + bytes, 0);
        let into = self.buffer.get_mut(start..).unwrap_or_default();
        let receive = &mut self.receive;
        let read = self.runtime.block_on(async { timeout(time, receive.read(into)).await });
        let (count, outcome) = match read {
            Err(_) => (0, Ok(false)),
            Ok(Ok(Some(count))) => (count, Ok(true)),
            Ok(Ok(None)) => (0, Err("the server ended the stream".to_owned())),
            Ok(Err(error)) => (0, Err(error.to_string())),
        };
        self.buffer.truncate(start + count);
        let closed = |text: String| match self.connection.close_reason() {
            Some(reason) => reason.to_string(),
            None => text,
        };
        outcome.map_err(|text| ClientError::Over(closed(text)))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.close(VarInt::from_u32(0), b"");
        let endpoint = self.endpoint.clone();
        self.runtime.block_on(async {
            let _ = timeout(Duration::from_millis(200), endpoint.wait_idle()).await;
        });
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
