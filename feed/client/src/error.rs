//! What can go wrong, and what to do about it.

use rialto_glimpse::FetchError;
use rialto_subscriber::Line;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// Why there is no market data, or no more.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A line cannot be joined.
    #[error("cannot join {group} on {interface}: {source}; name an interface of this machine that has multicast")]
    Group {
        /// The line.
        group: SocketAddrV4,
        /// Where.
        interface: Ipv4Addr,
        /// What the system said.
        source: io::Error,
    },
    /// The re-request server cannot be asked.
    #[error("the re-request server {server} cannot be reached from here: {source}")]
    Rerequest {
        /// The server.
        server: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A socket failed.
    #[error("line {line:?} of the feed failed: {source}")]
    Line {
        /// Which.
        line: Line,
        /// What the system said.
        source: io::Error,
    },
    /// The system cannot wait on sockets.
    #[error("cannot wait for packets: {0}")]
    Wait(io::Error),
    /// The bounds of the receiver.
    #[error(transparent)]
    Config(#[from] rialto_subscriber::ConfigError),
    /// No snapshot.
    #[error(transparent)]
    Snapshot(#[from] FetchError),
    /// The QUIC connection.
    #[error(transparent)]
    Quic(#[from] rialto_quic::ClientError),
    /// The server ended the subscription, and says why.
    #[error("the server ended the subscription: {0}")]
    Cut(String),
    /// What the server says does not fit what it said before.
    #[error("what the server says does not fit what it said before: {0}; subscribe again")]
    Conflated(#[from] rialto_conflate::BooksError),
}
