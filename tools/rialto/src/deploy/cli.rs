//! `rialto deploy` and `rialto canary`: asked of a running exchange over its administration socket.

use super::DeployAct;
use super::canary::{Bake, CanaryAct, Start};
use super::pick::Step;
use crate::ask::{Place, Request};
use anyhow::Result;
use std::path::PathBuf;

/// Another build's engine on the stream of a running exchange.
#[derive(Debug, clap::Args)]
pub(crate) struct Deploy {
    #[command(subcommand)]
    act: Deed,
    #[command(flatten)]
    place: Place,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Deed {
    /// Up to where both engines agree, how far behind the other is, and the first difference
    Status,
    /// Release every event by the other engine's word from behind a command on
    CutOver {
        /// The last command that is released as before [default: the command of the cut-over itself]
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
    /// Go back to this exchange's own word everywhere
    Rollback,
    /// Release one instrument's events by the other engine's word
    Route {
        /// The instrument
        symbol: String,
        /// Go back to this exchange's own word there
        #[arg(long)]
        back: bool,
    },
}

impl Deploy {
    pub(crate) fn run(self) -> Result<()> {
        let act = match self.act {
            Deed::Status => DeployAct::Status,
            Deed::CutOver { after } => DeployAct::CutOver { after },
            Deed::Rollback => DeployAct::Rollback,
            Deed::Route { symbol, back } => DeployAct::Route { symbol, back },
        };
        self.place.put(&Request::Deploy { act }, self.json)
    }
}

/// A candidate that goes live instrument by instrument, and back by itself when it is wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct Canary {
    #[command(subcommand)]
    act: Move,
    #[command(flatten)]
    place: Place,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Move {
    /// Begin
    Start {
        /// The candidate's executable: a `rialto` of another build
        #[arg(long, value_name = "PATH")]
        build: PathBuf,
        /// test, symbols, and percentages of the instruments, in order
        #[arg(long, value_name = "STEP,STEP..", value_delimiter = ',', default_values = ["test", "1", "5", "20", "100"])]
        steps: Vec<Step>,
        /// How long each step lasts: seconds (30s) or commands (200000c)
        #[arg(long, default_value = "30s")]
        bake: Bake,
        /// More arguments for the candidate's `engine`; may be given more than once
        #[arg(long = "engine-arg", value_name = "ARG", allow_hyphen_values = true)]
        engine_args: Vec<String>,
    },
    /// How it stands
    Status,
    /// Everything that is known of the last one: steps, verdict and its numbers, who was affected
    Report,
    /// Release every event by its word, once it has come through
    Promote,
    /// End it, and go back everywhere
    Rollback,
}

impl Canary {
    pub(crate) fn run(self) -> Result<()> {
        let act = match self.act {
            Move::Start {
                build,
                steps,
                bake,
                engine_args,
            } => CanaryAct::Start(Start {
                build: std::path::absolute(build)?,
                steps,
                bake,
                args: engine_args,
            }),
            Move::Status => CanaryAct::Status,
            Move::Report => CanaryAct::Report,
            Move::Promote => CanaryAct::Promote,
            Move::Rollback => CanaryAct::Rollback,
        };
        self.place.put(&Request::Canary { act }, self.json)
    }
}
