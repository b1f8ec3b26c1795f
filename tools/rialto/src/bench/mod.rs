//! `rialto bench`: what this build does on this machine, with what bounds it beside it.
//!
//! Counts repeat to the digit and may be gates; times are of this run alone.

mod counts;
mod engine;
mod feed;
pub(crate) mod journal;
mod machinery;
pub(crate) mod member;
mod neighbour;
mod pipeline;
mod replay;
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
    /// What members' limits and budgets cost the order path, and what a refusal costs
    Member(machinery::Args),
    /// A quiet firm beside a noisy one, with the venue's controls and without
    Neighbour(neighbour::Args),
    /// Run again what a report of `rialto load` says was run, and say whether it came out the same
    Verify(crate::load::verify::Args),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Engine(args) => engine::run(args),
        Command::Wire(args) => wire::run(args),
        Command::Journal(args) => journal::run(&args),
        Command::Pipeline(args) => pipeline::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Feed(args) => feed::run(args),
        Command::Isolation(args) => feed::isolation::run(args),
        Command::Member(args) => machinery::run(&args),
        Command::Neighbour(args) => neighbour::run(&args),
        Command::Verify(args) => crate::load::verify::run(&args),
    }
}
