//! Every bound of the gateway, and what happens at it.

use std::time::Duration;

/// Bytes of a request's body; a longer one is refused with 413.
pub const BODY_BYTES_MAX: usize = 4 * 1024;
/// Open WebSockets; one more is refused with 503.
pub const STREAMS_MAX: usize = 32;
/// Open WebSockets of members; one more is refused with 503.
pub const MEMBER_STREAMS_MAX: usize = 64;
/// How often a member's WebSocket looks whether its key still opens anything, where nothing comes.
pub const KEY_LOOK: Duration = Duration::from_secs(1);
/// How long a browser may take for one message before its WebSocket is closed. Pictures that it misses meanwhile are not
/// kept for it: the newest one is sent next.
pub const SEND_PATIENCE: Duration = Duration::from_secs(5);
/// Pictures on their way to a browser that says which it has drawn; the next one waits, and is then the newest.
pub const UNDRAWN_MAX: usize = 2;
/// Questions to desk and archive at a time; one more is refused with 503. Each occupies a thread while it waits.
pub const BLOCKING_MAX: usize = 8;
/// Replays of the past at a time; one more waits in its place among the questions.
pub const REPLAYS_MAX: usize = 1;
/// A follower that does not come for so long to where the stream stood then lags, and the gateway is not healthy.
pub const LATE_MAX: Duration = Duration::from_secs(3);
/// Without a new picture for so long the gateway is not healthy.
pub const PICTURE_AGE_MAX: Duration = Duration::from_secs(3);
