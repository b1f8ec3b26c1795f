//! `rialto bench`: what this build does on this machine, with what bounds it beside it.
//!
//! Counts repeat to the digit and may be gates; times are of this run alone.

mod counts;
mod engine;
mod timing;
mod wire;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The matching engine: decoded commands in, events to a ring out
    Engine(engine::Args),
    /// An order over a socket, from its sending to its acknowledgement, beside a bare TCP echo
    Wire(wire::Args),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Engine(args) => engine::run(args),
        Command::Wire(args) => wire::run(args),
    }
}
