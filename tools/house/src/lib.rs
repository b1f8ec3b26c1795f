//! The house rules, each as a function from text to the [`Fault`]s it finds there.
//!
//! `tests/` runs every rule twice: over this repository, where it must find nothing, and over a seeded bad input, where it must find that.
//! A rule never reads a file, asks the network or judges by time: that is left to its test, which gives it the text. [`map`] alone is handed
//! the [`Tree`], to look up what a page names.
//!
//! | module | rule |
//! |---|---|
//! | [`graph`] | a crate names only crates of a smaller layer; stages do not name each other; a new edge is a visible diff |
//! | [`outside`] | core crates carry no network, TLS, database or async dependency |
//! | [`purity`] | pure crates have no clock, float, hash-map order, shared memory or operating system in them |
//! | [`unsafe_code`] | `unsafe` lives in few places and is argued for in each |
//! | [`shape`] | file sizes, opening words, specifications, names at the top level |
//! | [`map`] | what ARCHITECTURE.md names exists; README.md names the two commands |
//! | [`words`] | the project speaks of itself alone |

#![forbid(unsafe_code)]

pub mod fault;
pub mod graph;
pub mod manifest;
pub mod map;
pub mod outside;
pub mod purity;
pub mod shape;
pub mod source;
pub mod tree;
pub mod unsafe_code;
pub mod words;

pub use fault::{Fault, assert_none};
pub use tree::Tree;
