//! Every bound of this crate, and what happens at it.

/// Longest inbound message in bytes, `8=` to the end of `10=`. A longer one is garbled: dropped, its number not consumed.
pub const MAX_FRAME_BYTES: usize = 32 * 1024;

/// Most fields in one message. A message with more is garbled.
pub const MAX_FIELDS: usize = 512;

/// Bytes that wait to be framed. When full, `handle_bytes` takes no more: back-pressure on the connection.
pub const MAX_INBOUND_BYTES: usize = 2 * MAX_FRAME_BYTES;

/// Messages held behind a gap. Past it a message is dropped, and asked for again once the gap has closed.
pub const MAX_HELD_MESSAGES: usize = 1024;

/// Bytes held behind a gap; the same rule.
pub const MAX_HELD_BYTES: usize = 1024 * 1024;

/// Administrative messages that wait for their number. When full, no further inbound message is read until one is released.
pub const MAX_PENDING_ADMIN: usize = 64;

/// Resend requests being answered at once. When full, no further inbound message is read until one is done.
pub const MAX_RESENDS: usize = 8;

/// Bytes encoded and not yet taken by the owner. Past it the session is cut: the peer does not read.
pub const MAX_TRANSMIT_BYTES: usize = 4 * 1024 * 1024;

/// A resend is encoded only while fewer bytes than this wait, so that a large one costs no memory.
pub const TRANSMIT_CHUNK_BYTES: usize = 64 * 1024;

/// Longest SenderCompID(49) or TargetCompID(56). A Logon with a longer one is cut off.
pub const MAX_COMP_ID_BYTES: usize = 64;

/// Largest HeartBtInt(108) in seconds (a day). A Logon with a larger one is cut off.
pub const MAX_HEART_BT_INT_SECONDS: u64 = 86_400;

/// Largest tag a dictionary may define; larger ones are unknown to every version.
pub const MAX_DICTIONARY_TAG: u32 = 65_535;

/// Application messages that [`crate::session::BoundedStore`] keeps by default; the oldest goes first and is gap-filled from then on.
pub const MAX_STORED_MESSAGES: usize = 65_536;

/// Bytes that [`crate::session::BoundedStore`] keeps by default; the same rule.
pub const MAX_STORED_BYTES: usize = 16 * 1024 * 1024;
