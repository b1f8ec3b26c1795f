//! OUCH 5.0 over SoupBinTCP. The meanings that are this door's own are in `SPEC.md` beside this crate.

mod account;
mod answers;
pub(crate) mod codes;
mod connection;
mod login;
mod orders;
mod protocol;

pub(crate) use protocol::Ouch;
