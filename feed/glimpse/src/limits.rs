//! The bounds of the GLIMPSE server, by name, and what happens at each.

use std::time::Duration;

/// Connections at one time; another one waits, unaccepted, in the system's own queue.
pub const CONNECTIONS_MAX: usize = 64;
/// Different snapshots in memory at one time: each takes some 40 bytes an order. Logins beyond wait for one to be read.
pub const SNAPSHOTS_MAX: usize = 4;
/// From the login to the end of what is read; after that the connection is closed.
pub const READ_TIME: Duration = Duration::from_secs(60);
/// How often an idle server looks at its ring and its sockets.
pub const LOOK: Duration = Duration::from_millis(1);
/// Messages taken from the ring before others have their turn.
pub const BATCH: usize = 4_096;
/// Messages put into one connection's buffer before others have their turn.
pub const PULLED_MAX: usize = 2_048;
