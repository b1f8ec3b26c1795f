//! Every bound of the protocol and its ends, by name.

use std::time::Duration;

/// The largest frame, its length field not counted. A longer one ends the connection.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Bytes of records in one frame at most: a record more always fits behind them.
pub const RECORDS_BYTES_MAX: usize = 48 * 1024;
/// Bytes of a snapshot in one frame.
pub const SNAPSHOT_PART_BYTES: usize = 48 * 1024;
/// The largest snapshot a follower takes.
pub const SNAPSHOT_BYTES_MAX: u64 = 2 << 30;
/// Bytes of what an engine says at once.
pub const ENGINE_BYTES_MAX: usize = FRAME_BYTES_MAX - 64;
/// Bytes of the text of a farewell.
pub const FAREWELL_TEXT_MAX: usize = 512;
/// Refused processes that are remembered by name; what happens beyond is said at [`Roster::refuse`](crate::Roster::refuse).
pub const ROSTER_MAX: usize = 64;
/// Followers served at one time; another is told so and closed.
pub const FOLLOWERS_MAX: usize = 8;
/// How long a handshake may take.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// How long a follower may take nothing that waits for it; then it is cut off, and may come again.
pub const STALL_MAX: Duration = Duration::from_secs(30);
/// How often either end says something where there is nothing to say.
pub const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long an end may be silent before the other takes it for gone.
pub const SILENCE_MAX: Duration = Duration::from_secs(10);
/// The wait before the second attempt to connect; each further one is twice as long, up to [`RETRY_MAX`].
pub const RETRY_FIRST: Duration = Duration::from_millis(20);
/// The longest wait between two attempts.
pub const RETRY_MAX: Duration = Duration::from_secs(1);
