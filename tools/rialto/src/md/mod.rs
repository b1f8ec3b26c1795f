//! `rialto md`: market data by hand.

mod line;
mod quic;
mod stats;
mod tail;

use anyhow::Result;

/// What to do with market data.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Follow the feed from its packets alone: gaps are re-requested, books rebuilt, and the end is summed up
    Tail(tail::Args),
    /// Count what a feed team watches, a line a second and a sum at the end
    Stats(stats::Args),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Tail(args) => tail::run(&args),
        Command::Stats(args) => stats::run(&args),
    }
}
