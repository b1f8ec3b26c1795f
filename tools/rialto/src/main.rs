//! The rialto command line and composition root.
//!
//! Each command is a module with its arguments and a `run`; [`exchange`] alone puts stages together.
#![forbid(unsafe_code)]

mod agents;
mod announce;
mod ask;
mod audit;
mod bench;
mod callgrind;
mod certify;
mod completions;
mod config;
mod console;
mod definitions;
mod deploy;
mod doctor;
mod door;
mod edge;
mod engine;
mod exchange;
mod facts;
mod feed;
mod fix_client;
mod flag;
mod follow;
mod fork;
mod itch_day;
mod journal;
mod load;
mod lobster;
mod market;
mod md;
mod member;
mod order;
mod ouch_client;
mod out;
mod play;
mod recorded;
mod relay;
mod replay;
mod retention;
mod serve;
mod shutdown;
mod simulate;
mod tcp;
mod top;
mod up;
mod venue;
mod view;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The exchange you can run on a laptop, break on purpose, and rewind.
#[derive(Debug, Parser)]
#[command(name = "rialto", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A development exchange with a market that moves, in one process
    Up(up::Args),
    /// The exchange, configured
    Serve(serve::Args),
    /// Real order flow through sequencer, journal, engine and feed
    #[command(subcommand)]
    Ingest(Ingest),
    /// A recorded day into a running exchange, in company
    Play(play::Args),
    /// Rebuild from a journal and print the hashes
    Replay(replay::Args),
    /// What kind of market a journal holds, beside what is known of real ones
    Facts(facts::Args),
    /// The exchange from a seed, on a disk and a clock that misbehave
    Simulate(simulate::Args),
    /// Look at a journal
    #[command(subcommand)]
    Journal(journal::Command),
    /// The past: the venue behind any command
    At(ask::At),
    /// Why an order fared as it did
    Explain(ask::Explain),
    /// Snapshots of the past, which save time and nothing else
    #[command(subcommand)]
    Snapshot(ask::Snapshot),
    /// Copy a stream up to a moment, with single commands changed
    Fork(fork::Args),
    /// Private venues: made by one command, thrown away by another
    Venue(venue::Args),
    /// Follow the stream of an exchange from another process
    Follow(follow::Args),
    /// An engine process of this build on the stream of an exchange, to be compared with the exchange's own
    Engine(engine::Args),
    /// A door process of this build, for a share of an exchange's sessions
    Door(door::Args),
    /// A feed process of this build, for a share of an exchange's QUIC subscribers
    Feed(feed::Args),
    /// How an exchange stands
    Status(ask::Status),
    /// Another build's engine on an exchange's stream: compared, cut over to, rolled back
    Deploy(deploy::Deploy),
    /// A candidate that goes live instrument by instrument, and back by itself when it is wrong
    Canary(deploy::Canary),
    /// Act as the venue's operator: phases, rules, kill switches
    Operate(ask::Operate),
    /// Flags: variants of behaviour that are switched while the exchange runs
    Flag(flag::Command),
    /// Break a running exchange on purpose, and mend it
    Fault(ask::Fault),
    /// Members: what is kept of them, their limits, users and shards
    Member(Box<member::Command>),
    /// Who did what for the venue, when and why
    #[command(subcommand)]
    Audit(audit::Command),
    /// Send an order by hand, or see what became of one
    Order(order::Args),
    /// Market data
    #[command(subcommand)]
    Md(md::Command),
    /// A bad network between two ends: loss, duplicates, reordering and worse, from a seed
    Relay(relay::Args),
    /// Scripted cases against a client under test: pass, fail and why
    Certify(certify::Args),
    /// Open-loop load at a chosen rate, and its latency, corrected for coordinated omission
    Load(load::Args),
    /// Measurements: time, latency and counts
    #[command(subcommand)]
    Bench(bench::Command),
    /// The console's essentials in a terminal
    Top(top::Args),
    /// Completions for a shell
    Completions(completions::Args),
    /// What this machine lacks for low latency, and how to mend it
    Doctor(doctor::Args),
}

#[derive(Debug, Subcommand)]
enum Ingest {
    /// A LOBSTER day
    Lobster(lobster::Args),
    /// An ITCH 5.0 day
    Itch(itch_day::Args),
}

impl Command {
    /// What one waits for before it prints anything; none where that is for it to show.
    const fn work(&self) -> Option<&'static str> {
        Some(match self {
            Self::Up(_) | Self::Serve(_) => "opening the exchange",
            Self::Journal(_) | Self::Audit(_) => "reading the journal",
            Self::At(_) | Self::Explain(_) | Self::Snapshot(_) => "replaying the journal",
            Self::Fork(_) => "copying the stream",
            Self::Doctor(_) => "looking at this machine",
            Self::Bench(_) | Self::Load(_) => "measuring",
            Self::Ingest(_) | Self::Play(_) => "reading the day",
            Self::Replay(_) | Self::Facts(_) | Self::Simulate(_) => "at work",
            Self::Venue(_)
            | Self::Status(_)
            | Self::Deploy(_)
            | Self::Canary(_)
            | Self::Operate(_)
            | Self::Flag(_)
            | Self::Fault(_)
            | Self::Member(_)
            | Self::Order(_)
            | Self::Certify(_) => "waiting for an answer",
            Self::Top(_)
            | Self::Md(_)
            | Self::Follow(_)
            | Self::Engine(_)
            | Self::Door(_)
            | Self::Feed(_)
            | Self::Relay(_)
            | Self::Completions(_) => return None,
        })
    }
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    if let Some(work) = command.work() {
        out::wait(work);
    }
    let result: Result<()> = match command {
        Command::Up(args) => up::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Ingest(Ingest::Lobster(args)) => lobster::run(args),
        Command::Ingest(Ingest::Itch(args)) => itch_day::run(args),
        Command::Play(args) => play::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Facts(args) => facts::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Journal(command) => journal::run(command),
        Command::At(at) => at.run(),
        Command::Explain(explain) => explain.run(),
        Command::Snapshot(snapshot) => snapshot.run(),
        Command::Fork(args) => fork::run(args),
        Command::Venue(args) => venue::run(args),
        Command::Follow(args) => follow::run(&args),
        Command::Engine(args) => engine::run(&args),
        Command::Door(args) => door::run(&args),
        Command::Feed(args) => feed::run(&args),
        Command::Status(status) => status.run(),
        Command::Deploy(deploy) => deploy.run(),
        Command::Canary(canary) => canary.run(),
        Command::Operate(operate) => operate.run(),
        Command::Fault(fault) => fault.run(),
        Command::Completions(args) => args.run(),
        Command::Flag(command) => command.run(),
        Command::Member(member) => member.run(),
        Command::Audit(command) => audit::run(command),
        Command::Order(args) => order::run(args),
        Command::Md(command) => md::run(command),
        Command::Relay(args) => relay::run(&args),
        Command::Certify(args) => certify::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Bench(command) => bench::run(command),
        Command::Doctor(args) => doctor::run(args),
    };
    out::hush();
    match result.and_then(|()| out::finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::complain(format_args!("rialto: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
