//! A TCP connection that never makes its owner wait, unless it asks to.

use anyhow::{Result, anyhow};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;
/// The longest wait, so that whoever has heartbeats to send sends them in time.
const WAIT_MAX: Duration = Duration::from_millis(200);

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    start: Instant,
}

/// Whether more may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It may.
    Open,
    /// The other end closed, or the connection broke: what was read before was the last.
    Over,
}

impl Connection {
    /// Connects to a door, called `door` in the error.
    pub(crate) fn open(door: &str, address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).map_err(|error| {
            anyhow!("no {door} door answers at {address} ({error}): is the exchange up, and is this its {door} port?")
        })?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            start: Instant::now(),
        })
    }

    /// The socket itself, for whoever does without the rest.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Nanoseconds since the connection was made.
    pub(crate) fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Appends what has come, a bounded piece of it.
    pub(crate) fn read(&mut self, into: &mut Vec<u8>) -> Reading {
        let mut buffer = [0; READ_BYTES];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Reading::Over,
                Ok(count) => {
                    into.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    return Reading::Open;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Reading::Open,
                Err(_) => return Reading::Over,
            }
        }
    }

    /// How many of the bytes the connection takes now. A broken one takes none, and says so when it is read.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        loop {
            match self.stream.write(bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => return outcome.unwrap_or(0),
            }
        }
    }

    /// Waits until there is something to read, but no longer than `timeout` and never longer than a fraction of a second.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Result<()> {
        if timeout.is_zero() {
            return Ok(());
        }
        self.stream.set_nonblocking(false)?;
        self.stream.set_read_timeout(Some(timeout.min(WAIT_MAX)))?;
        // What has come stays for the next read, where an error would show again.
        let _ = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(true)?;
        Ok(())
    }
}
