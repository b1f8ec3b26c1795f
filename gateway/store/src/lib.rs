//! The member store: orders, fills, positions and fees of firms, kept in shards, from nothing but the released stream.
//!
//! - [`Store`]: give it every [`Output`](rialto_model::Output) with [`Store::take`], then ask. It holds no clock, thread or file.
//! - [`Directory`]: which shard keeps which firm or account. It is of the stream (`SetShard`), so every reader of the same
//!   number has the same one, and nobody computes a shard.
//! - [`Builder`]: one firm or account, built from the stream again: what a move puts into its new shard ([`Store::flip`]).
//! - [`plan`]: moves that even out the heat.
//!
//! Every question takes a [`Scoped`](rialto_members::Scoped) firm, which only an authentication gives; there is no other way in.
//! The answer of an account touches one shard, that of a firm exactly those the directory lists ([`Explained`]).
//!
//! What a question needs, and that nothing else will do:
//!
//! ```
//! use rialto_members::{Firm, Scoped};
//! use rialto_store::Store;
//! fn held(store: &Store, who: &Scoped<Firm>) -> usize {
//!     store.positions(who, None, None).map_or(0, |(rows, _)| rows.len())
//! }
//! ```
//! A firm's number out of a request is no firm to ask for:
//! ```compile_fail,E0308
//! use rialto_model::FirmId;
//! use rialto_store::Store;
//! fn held(store: &Store, who: FirmId) -> usize {
//!     store.positions(&who, None, None).map_or(0, |(rows, _)| rows.len())
//! }
//! ```
//! Nobody makes a scope but who has proved something:
//! ```compile_fail,E0451
//! use rialto_members::{Firm, Scoped};
//! use rialto_model::{FirmId, Role};
//! fn forge(what: Firm) -> Scoped<Firm> {
//!     Scoped { what, account: None, role: Role::Trader }
//! }
//! ```
//! ```compile_fail,E0423
//! use rialto_members::Firm;
//! use rialto_model::FirmId;
//! fn forge(firm: FirmId) -> Firm {
//!     Firm(firm)
//! }
//! ```
//! There is no way to the accounts around the questions:
//! ```compile_fail,E0616
//! use rialto_store::Store;
//! fn leak(store: &Store) -> usize {
//!     store.shards.len()
//! }
//! ```
#![forbid(unsafe_code)]

mod account;
mod directory;
mod executions;
pub mod limits;
mod plan;
mod router;
mod store;

pub use account::{Account, Fill, OrderRecord, Position};
pub use directory::{Directory, Place};
pub use executions::{Execution, Told};
pub use plan::{Heat, Move, plan};
pub use router::Owner;
pub use store::{Builder, Census, Explained, Held, Page, Part, Store, StoreError, is_flip};
