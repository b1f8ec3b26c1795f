//! SoupBinTCP 3.00 and 4.00: packets, framing, and the sessions of both ends.
//!
//! - [`ServerPacket`], [`ClientPacket`]: one packet, from bytes and to bytes.
//! - [`Framer`]: bytes in pieces to whole packets, bounded.
//! - [`ServerSession`], [`ClientSession`]: the rules of a connection, without a connection.
//!
//! A session is driven by verbs. Input: `handle_bytes`, `handle_timer`, `handle_sent`, `handle_disconnect`. Output:
//! `poll_event`, `poll_output`, `poll_timeout`. The loop of an owner, in this order:
//!
//! 1. `handle_bytes(now, bytes)` with what the socket gave; it takes as much as fits and says how much.
//! 2. `poll_event` until it gives `None`, or until the owner has no room for another event: what is not polled stays
//!    bounded in the
//!    session, `handle_bytes` then takes nothing, and the owner stops reading the socket.
//! 3. On the server, `pull` (or `next_wanted` and `send_sequenced`): the session asks for sequenced messages only while
//!    it has room.
//! 4. `handle_timer(now)` when `poll_timeout` is reached.
//! 5. `poll_output` to the socket, `handle_sent(now, count)` with what the socket took. After `Closed` the connection
//!    is closed as soon
//!    as the output is empty or the socket takes no more.
//!
//! Times are nanoseconds of one monotonic clock. A session never blocks, allocates beyond its bounds, or looks into a
//! message.

mod client;
mod frame;
mod link;
mod login;
mod packet;
mod server;

pub use client::{ClientEvent, ClientSession};
pub use frame::Framer;
pub use link::{CloseReason, SessionError, SoupConfig};
pub use login::{
    LoginAccepted, LoginRejectCode, LoginRequest, Password, RequestedSequence, SequenceNumber, SessionName, UserName,
};
pub use packet::{ClientPacket, PacketError, ServerPacket};
pub use server::{SequencedStore, ServerEvent, ServerSession};
