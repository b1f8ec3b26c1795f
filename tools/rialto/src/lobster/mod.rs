//! A LOBSTER sample day as input: the tape of operations, the message file's times and the order book file's rows.
//!
//! Format of the two files: <https://lobsterdata.com/info/DataStructure.php>. The tape is the same day as order entry, one
//! operation a line, and says after which operation the book equals which row.

mod files;
mod ingest;
mod judge;
mod tape;

pub(crate) use files::{open_book, open_tape, symbol_in};
pub(crate) use ingest::{Args, run};
pub(crate) use tape::{Operation, Tape};
