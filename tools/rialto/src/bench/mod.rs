//! `rialto bench`: what this build does on this machine, with what bounds it beside it.
//!
//! Counts repeat to the digit and may be gates; times are of this run alone.

mod counts;
mod engine;
mod feed;
mod journal;
mod pipeline;
mod replay;
mod timing;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The matching engine: decoded commands in, events to a ring out
    Engine(engine::Args),
    /// The journal beside bare writes of the same bytes
    Journal(journal::Args),
    /// Order to acknowledgement over OUCH, beside a bare echo and a floor that does the same work around a toy book
    Pipeline(pipeline::Args),
    /// Journal to engine, beside the engine alone
    Replay(replay::Args),
    /// The feed: lines beside bare sends, and QUIC subscribers
    Feed(feed::Args),
    /// QUIC subscribers among some that misbehave, beside the same alone
    Isolation(feed::isolation::Args),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Engine(args) => engine::run(args),
        Command::Journal(args) => journal::run(&args),
        Command::Pipeline(args) => pipeline::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Feed(args) => feed::run(args),
        Command::Isolation(args) => feed::isolation::run(args),
    }
}
