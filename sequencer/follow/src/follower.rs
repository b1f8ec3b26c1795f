//! The follower's side over TCP: connects, and where the connection breaks connects again behind the last command it gave.

use crate::follower_session::{FollowerSession, Heard, Refused};
use crate::key::{Key, random};
use crate::limits::{HANDSHAKE_MAX, HEARTBEAT, RETRY_FIRST, RETRY_MAX};
use crate::roster::Process;
use crate::wire::{Stand, Welcome};
use rialto_model::{Command, Epoch, Monotonic, SequenceNumber, Sequenced, VenueId};
use std::io::{Error as IoError, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// What happens to a follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Connected, and both have proved that they have the key.
    Connected(Welcome),
    /// A snapshot: what was known before is void.
    Snapshot {
        /// Behind which command.
        seq: SequenceNumber,
        /// Its file.
        bytes: Vec<u8>,
    },
    /// The next command: one more than the last, or than the snapshot.
    Command(Sequenced<Command>),
    /// How far the exchange is; where the last command is, that is how far behind this is.
    Frontier(SequenceNumber),
    /// The exchange has something to say to an engine.
    Briefed(Vec<u8>),
    /// The connection is gone, and why; it is tried again.
    Lost(Refused),
}

/// Why nothing more will come.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It is of no use to try again.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Another exchange answers there.
    #[error("venue {found} answers where venue {expected} did")]
    Venue {
        /// Who answers.
        found: VenueId,
        /// Who did.
        expected: VenueId,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(IoError),
}

/// Follows one exchange.
pub struct Follower {
    address: SocketAddr,
    key: Key,
    begun: Instant,
    connection: Option<Connection>,
    /// The last command that was given out.
    after: Stand,
    epoch: Epoch,
    wants_snapshot: bool,
    process: Process,
    venue: Option<VenueId>,
    retry: Duration,
    next_try: Instant,
}

struct Connection {
    stream: TcpStream,
    session: FollowerSession,
    /// Why it ends, once everything that was heard is told.
    ends: Option<Refused>,
}

impl Follower {
    /// Will go on behind `after`, whose record was of `epoch`; zeros: from the first command, or with `snapshot` from the
    /// newest snapshot there is.
    #[must_use]
    pub fn new(address: SocketAddr, key: Key, after: Stand, epoch: Epoch, snapshot: bool) -> Self {
        let now = Instant::now();
        Self {
            address,
            key,
            begun: now,
            connection: None,
            after,
            epoch,
            wants_snapshot: snapshot,
            process: Process::this("follower"),
            venue: None,
            retry: Duration::ZERO,
            next_try: now,
        }
    }

    /// What it says of itself; otherwise a follower of this build.
    #[must_use]
    pub fn of(self, process: Process) -> Self {
        Self { process, ..self }
    }

    /// What happens next; `None` where nothing does for `patience`.
    ///
    /// # Errors
    /// [`FollowError`]: nothing more will come.
    pub fn next(&mut self, patience: Duration) -> Result<Option<News>, FollowError> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(news) = self.told()? {
                return Ok(Some(news));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            match &mut self.connection {
                Some(connection) => {
                    let now = Monotonic(self.begun.elapsed().as_nanos() as u64);
                    connection.work(now, left.min(HEARTBEAT));
                }
                None => {
                    let wait = self.next_try.saturating_duration_since(Instant::now());
                    if wait > left {
                        std::thread::sleep(left);
                        return Ok(None);
                    }
                    std::thread::sleep(wait);
                    self.retry = (self.retry * 2).clamp(RETRY_FIRST, RETRY_MAX);
                    self.next_try = Instant::now() + self.retry;
                    self.connect()?;
                }
            }
        }
    }

    /// What has happened by now, without a wait for more. What was said before leaves.
    ///
    /// # Errors
    /// [`FollowError`]: nothing more will come.
    pub fn poll(&mut self) -> Result<Option<News>, FollowError> {
        if let Some(news) = self.told()? {
            return Ok(Some(news));
        }
        if let Some(connection) = &mut self.connection {
            let now = Monotonic(self.begun.elapsed().as_nanos() as u64);
            connection.work(now, Duration::ZERO);
        }
        self.told()
    }

    /// Says which engine this is: once behind each [`News::Connected`]. It leaves with the next call of
    /// [`next`](Self::next) that finds no news.
    pub fn introduce(&mut self, body: &[u8]) {
        if let Some(connection) = &mut self.connection {
            connection.session.introduce(body);
        }
    }

    /// Writes what is to be said without a look for news. A connection that takes nothing is found by
    /// [`next`](Self::next).
    pub fn flush(&mut self) {
        if let Some(connection) = &mut self.connection {
            let out = std::mem::take(connection.session.output());
            let _ = connection.stream.set_write_timeout(Some(HANDSHAKE_MAX));
            let _ = connection.stream.write_all(&out);
        }
    }

    /// Says what came of commands; leaves as [`introduce`](Self::introduce) does.
    pub fn testify(&mut self, body: &[u8]) {
        if let Some(connection) = &mut self.connection {
            connection.session.testify(body);
        }
    }

    fn connect(&mut self) -> Result<(), FollowError> {
        let Ok(stream) = TcpStream::connect_timeout(&self.address, HANDSHAKE_MAX) else {
            return Ok(());
        };
        let _ = stream.set_nodelay(true);
        let now = Monotonic(self.begun.elapsed().as_nanos() as u64);
        let nonce = random().map_err(FollowError::Random)?;
        // A snapshot is only to begin with: behind the first command the journal goes on.
        let snapshot = self.wants_snapshot && self.after.seq.0 == 0;
        let session =
            FollowerSession::new(self.key.clone(), nonce, self.after, self.epoch, snapshot, now).of(self.process);
        self.connection = Some(Connection {
            stream,
            session,
            ends: None,
        });
        Ok(())
    }

    /// What was heard already, and then the end of the connection.
    fn told(&mut self) -> Result<Option<News>, FollowError> {
        let Some(connection) = &mut self.connection else {
            return Ok(None);
        };
        let Some(heard) = connection.session.poll() else {
            let Some(ends) = connection.ends.take() else {
                return Ok(None);
            };
            self.connection = None;
            if !ends.may_come_again() {
                return Err(ends.into());
            }
            return Ok(Some(News::Lost(ends)));
        };
        Ok(Some(match heard {
            Heard::Welcome(welcome) => {
                let expected = *self.venue.get_or_insert(welcome.venue);
                if welcome.venue != expected {
                    let found = welcome.venue;
                    return Err(FollowError::Venue { found, expected });
                }
                self.retry = Duration::ZERO;
                News::Connected(welcome)
            }
            Heard::Snapshot { seq, bytes } => News::Snapshot { seq, bytes },
            Heard::Command(command) => {
                self.after = Stand::behind(&command);
                self.epoch = command.epoch;
                News::Command(command)
            }
            Heard::Frontier { up_to, .. } => News::Frontier(up_to),
            Heard::Briefed(body) => News::Briefed(body),
        }))
    }
}

impl Connection {
    /// One turn: says what is due, waits for what comes.
    fn work(&mut self, now: Monotonic, wait: Duration) {
        if let Err(ends) = self.turn(now, wait) {
            self.ends = Some(ends);
        }
    }

    fn turn(&mut self, now: Monotonic, wait: Duration) -> Result<(), Refused> {
        self.session.tick(now)?;
        let out = std::mem::take(self.session.output());
        let broken = |_| Refused::Broken("it was closed by the other end or by the network");
        self.stream.set_write_timeout(Some(HANDSHAKE_MAX)).map_err(broken)?;
        // What cannot be written is no matter before everything that came is read: it may say why.
        let written = self.stream.write_all(&out);
        let mut bytes = vec![0; READ_BYTES];
        let read = if wait.is_zero() {
            self.stream.set_nonblocking(true).map_err(broken)?;
            let read = self.stream.read(&mut bytes);
            self.stream.set_nonblocking(false).map_err(broken)?;
            read
        } else {
            let wait = wait.max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(wait)).map_err(broken)?;
            self.stream.read(&mut bytes)
        };
        match read {
            Ok(0) => Err(Refused::Broken("it was closed by the other end")),
            Ok(came) => self.session.handle_bytes(now, bytes.get(..came).unwrap_or_default()),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                written.map_err(broken)
            }
            Err(error) => Err(broken(error)),
        }
    }
}
