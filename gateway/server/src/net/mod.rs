//! Sockets: who is connected, and bytes in and out. Knows no protocol.

mod entrances;
mod hub;
mod link;
mod turns;

pub(crate) use hub::{Connection, ConnectionId, Hub};
