//! Address and times of the server, and why it cannot start.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Address and times of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// How long a subscriber may not be current before it is cut.
    pub stale_max: Duration,
    /// Messages that a subscriber of full depth may be behind before it is conflated; at most
    /// [`LOG_MESSAGES_MAX`](crate::limits::LOG_MESSAGES_MAX).
    pub lag_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 26_403)),
            stale_max: Duration::from_secs(30),
            lag_max: 16_384,
        }
    }
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] crate::CertificateError),
    /// The socket.
    #[error("no QUIC socket at {address}: {source}; is the address in use?")]
    Socket {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bound of falling behind.
    #[error(
        "lag_max is {lag_max}; set 1 to LOG_MESSAGES_MAX ({})",
        crate::limits::LOG_MESSAGES_MAX
    )]
    Lag {
        /// What was set.
        lag_max: usize,
    },
    /// The thread.
    #[error("the system gives no thread for QUIC: {0}")]
    Thread(std::io::Error),
}
