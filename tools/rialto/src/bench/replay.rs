//! `rialto bench replay`: how fast does a journal become an engine again, beside the engine alone on the same commands?
//!
//! The load is a flow, kept in a journal first. Measured in the same run: the replay as `rialto replay` does it, with the
//! reader that hashes every event; the engine alone on commands in memory, with the same reader; the replay without
//! hashes; and the reading of the journal alone. Not inside: making the flow and writing the journal.

use super::journal::Scratch;
use super::timing::rounded;
use crate::out;
use anyhow::{Result, ensure};
use rialto_flow::{Flow, Lane, Shape};
use rialto_journal::{Config, Durability, OsDisk, Reader, recover};
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::{Command, Event, EventSink, Sequenced, VenueId};
use rialto_ring::Layout;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Commands in a commit block, as the exchange under load has them.
const BATCH: usize = 256;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flow: base (one book, 10,000 live), deep (one book, a million live) or multi (100 books)
    #[arg(long, default_value_t = Shape::Base)]
    flow: Shape,
    /// Commands behind those that fill the books
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    ops: u64,
    /// How stages are laid onto threads: one, two, per-core or auto
    #[arg(long, default_value = "auto")]
    layout: Layout,
    /// Where the journal lies [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The seed of the flow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    flow: &'static str,
    commands: u64,
    seed: u64,
    bytes_per_command: f64,
    replay_per_second: u64,
    engine_only_per_second: u64,
    /// Of the engine's own rate.
    share: f64,
    without_hashes_per_second: u64,
    read_only_per_second: u64,
    event_hash: String,
    state_hash: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = Scratch::new(&args.dir.clone().unwrap_or_else(std::env::temp_dir))?;
    let bar = out::progress(
        6,
        "steps: flow, journal, replay, engine, without hashes, reading",
        args.json,
    );
    let flow = Flow::new(args.flow, args.ops as usize, args.seed);
    let commands: Vec<Sequenced<Command>> = flow.prelude.into_iter().chain(flow.commands).collect();
    bar.inc(1);
    let disk = OsDisk::create_dir(&folder.0)?;
    let bytes = write(&disk, &commands)?;
    bar.inc(1);
    let count = commands.len() as u64;
    let rate = |begun: Instant| (count as f64 / begun.elapsed().as_secs_f64().max(f64::MIN_POSITIVE)) as u64;

    let begun = Instant::now();
    let replayed = rialto_replay::replay(Engine::new(Limits::default()), Reader::open(&disk)?, args.layout)?;
    let replay_per_second = rate(begun);
    bar.inc(1);
    let mut lane = Lane::new();
    let begun = Instant::now();
    lane.run(&commands);
    let engine_only_per_second = rate(begun);
    ensure!(
        lane.tally().event_hash() == replayed.hashes.total(),
        "the journal gives other events than the commands it was made of"
    );
    drop(lane);
    bar.inc(1);
    let mut engine = Engine::new(Limits::default());
    let begun = Instant::now();
    for record in Reader::open(&disk)? {
        engine.apply(&record?, &mut Nobody);
    }
    let without_hashes_per_second = rate(begun);
    bar.inc(1);
    let begun = Instant::now();
    let read = Reader::open(&disk)?.try_fold(0u64, |sum, record| record.map(|_| sum + 1))?;
    let read_only_per_second = rate(begun);
    ensure!(read == count, "{read} of {count} commands were read");
    bar.finish_and_clear();
    let summary = Summary {
        flow: args.flow.name(),
        commands: count,
        seed: args.seed,
        bytes_per_command: rounded(bytes as f64 / count as f64),
        replay_per_second,
        engine_only_per_second,
        share: rounded(replay_per_second as f64 / engine_only_per_second.max(1) as f64),
        without_hashes_per_second,
        read_only_per_second,
        event_hash: replayed.hashes.total().to_string(),
        state_hash: replayed.state.state_hash().to_string(),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

fn write(disk: &OsDisk, commands: &[Sequenced<Command>]) -> Result<u64> {
    let config = Config {
        durability: Durability::Memory,
        ..Config::default()
    };
    let (mut writer, mut syncer) = recover(disk, VenueId(1))?.into_writer(config)?;
    for block in commands.chunks(BATCH) {
        for command in block {
            writer.append(&Sequenced {
                epoch: writer.epoch(),
                ..*command
            })?;
        }
        while writer.commit().is_err() {
            ensure!(syncer.failure().is_none(), "the journal failed: is the disk full?");
            syncer.poll();
        }
    }
    let bytes = writer.bytes_written();
    writer.close(syncer)?;
    Ok(bytes)
}

/// Takes events and keeps none.
struct Nobody;

impl EventSink for Nobody {
    #[inline]
    fn emit(&mut self, event: Event) {
        std::hint::black_box(&event);
    }
}
