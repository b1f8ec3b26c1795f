//! `rialto md`: market data by hand.

mod line;
mod tail;

use anyhow::Result;

/// What to do with market data.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Follow the feed from its packets alone: gaps are re-requested, books rebuilt, and the end is summed up
    Tail(tail::Args),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Tail(args) => tail::run(&args),
    }
}
