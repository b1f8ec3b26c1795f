//! FIX 4.4. The meanings that are this door's own are in `SPEC.md` beside this crate.

mod account;
mod answers;
mod codes;
mod connection;
mod names;
mod order_table;
mod orders;
mod protocol;
mod reports;
mod store;

pub(crate) use protocol::Fix;
