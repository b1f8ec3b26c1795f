//! FIX 4.2, 4.4 and 5.0 SP2. The meanings that are this door's own are in `SPEC.md` beside this crate.

mod account;
mod answers;
pub(crate) mod codes;
mod connection;
mod dialect;
mod market;
mod name_table;
mod names;
mod news;
mod order_table;
mod orders;
mod protocol;
mod quotes;
mod reports;
mod requests;
mod store;
mod terms;
mod undone;

pub(crate) use protocol::Fix;
