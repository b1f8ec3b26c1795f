//! The bounds of the QUIC feed, by name, and what happens at each.

use std::time::Duration;

/// Connections at one time; another one is refused before anything is kept for it.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Connections at one time that have not logged in; another one is refused.
pub const WAITING_MAX: usize = 64;
/// From the connection to the login; after that it is closed.
pub const LOGIN_TIME: Duration = Duration::from_secs(5);
/// Streams that a client may have open at one time; the transport holds it to that.
pub const STREAMS_MAX: u32 = 4;
/// The longest frame a client may send; a longer one ends its stream.
pub const REQUEST_BYTES_MAX: usize = 4 << 10;
/// What the transport keeps of a client's unread bytes, a stream and all streams together.
pub const RECEIVE_WINDOW: u32 = 8 << 10;
/// What the transport keeps of what a client has not acknowledged.
pub const SEND_WINDOW: u64 = 64 << 10;
/// Packets that a client may acknowledge together, less one; below the first congestion window of 12, so that nobody waits for the
/// client's timer.
pub const ACKNOWLEDGED_TOGETHER: u32 = 8;
/// Symbols in one login.
pub const SYMBOLS_MAX: usize = 256;
/// Messages of the full feed that are kept for those behind; a subscriber further behind is conflated.
pub const LOG_MESSAGES_MAX: usize = 1 << 17;
/// Bytes written at once for one subscriber of full depth.
pub const CHUNK_BYTES: usize = 32 << 10;
/// Bytes of a packet of full depth, as on the multicast lines.
pub const PACKET_BYTES_MAX: usize = 1_400;
/// Messages that one recovery gets at most.
pub const RECOVERY_MESSAGES_MAX: u32 = 2_000;
/// Recoveries that a connection may ask for in a second; one more is refused and told when to ask again.
pub const RECOVERIES_PER_SECOND: u32 = 15;
/// Recoveries that wait for messages beyond memory at one time; another one is refused and told to ask again.
pub const HISTORY_WAITING_MAX: usize = 16;
/// When a recovery that found too many waiting is to ask again.
pub const HISTORY_RETRY: Duration = Duration::from_millis(500);
/// Snapshots of all orders in the making at one time: each takes as much memory as the orders. Others wait for their turn.
pub const SNAPSHOTS_MAX: usize = 4;
/// How long a subscriber that was moved to the conflated feed must have been current before it is moved back.
pub const RETURN_AFTER: Duration = Duration::from_secs(1);
/// Silence after which a heartbeat is sent.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// Silence of a client after which its connection is over.
pub const IDLE_TIME: Duration = Duration::from_secs(15);
/// Silence after which a client that was sent to another process goes back to where it was sent from.
pub const FORSAKEN_AFTER: Duration = Duration::from_secs(4);
/// How often an idle server looks at its ring.
pub const LOOK: Duration = Duration::from_millis(1);
/// Messages taken from the ring before others have their turn.
pub const BATCH: usize = 1_024;
