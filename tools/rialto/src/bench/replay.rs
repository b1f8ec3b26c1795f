//! `rialto bench replay`: how fast does a journal become an engine again, beside the engine alone on the same commands?
//!
//! The load is a flow, kept in a journal first. Measured in turn, and the median of the rounds counts: the replay as
//! `rialto replay` does it, with the reader that hashes every event; the engine alone on commands in memory, with the same
//! reader; the replay without hashes; and the reading of the journal alone. Then a recovery: a snapshot behind the first
//! commands, which fill the books, and everything behind it. Not inside: making the flow, writing the journal, taking the
//! snapshot.

use super::journal::Scratch;
use super::timing::rounded;
use crate::out;
use anyhow::{Context as _, Result, ensure};
use rialto_flow::{Flow, Lane, Shape};
use rialto_journal::{Config, Durability, OsDisk, Reader, recover};
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::{Command, Event, EventHash, EventSink, SequenceNumber, Sequenced, StateHash, VenueId};
use rialto_past::{Snapshots, Stream};
use rialto_ring::Layout;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Commands in a commit block, as the exchange under load has them.
const BATCH: usize = 256;
/// How often each is measured, in turn with the others.
const ROUNDS: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flow: base (one book, 10,000 live), deep (one book, a million live) or multi (100 books)
    #[arg(long, default_value_t = Shape::Base)]
    flow: Shape,
    /// Commands behind those that fill the books
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    ops: u64,
    /// How stages are laid onto threads
    #[arg(long, default_value = "auto", value_parser = crate::choices::layout())]
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
    /// Of the engine's own rate: the median of the rounds' ratios, and the least and the most of them.
    share: f64,
    share_min: f64,
    share_max: f64,
    without_hashes_per_second: u64,
    read_only_per_second: u64,
    /// From a snapshot of so many live orders, and so many commands behind it.
    recovery_seconds: f64,
    recovery_live_orders: usize,
    recovery_commands: u64,
    event_hash: String,
    state_hash: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = Scratch::new(&args.dir.clone().unwrap_or_else(std::env::temp_dir))?;
    let bar = out::progress(ROUNDS as u64 + 3, "steps: flow, journal, rounds, recovery", args.json);
    let flow = Flow::new(args.flow, args.ops as usize, args.seed);
    let filled = flow.prelude.len();
    let commands: Vec<Sequenced<Command>> = flow.prelude.into_iter().chain(flow.commands).collect();
    bar.inc(1);
    let journal = OsDisk::create_dir(&folder.0.join("journal"))?;
    let bytes = write(&journal, &commands)?;
    bar.inc(1);
    let count = commands.len() as u64;
    let mut rounds = Vec::new();
    let mut hashes = None;
    for _ in 0..ROUNDS {
        let (round, found) = measure(&journal, &commands, args.layout)?;
        ensure!(
            hashes.is_none_or(|before| before == found),
            "two replays of one journal end otherwise"
        );
        hashes = Some(found);
        rounds.push(round);
        bar.inc(1);
    }
    let (event_hash, state_hash) = hashes.context("at least one round")?;
    let recovery = recover_from_snapshot(&folder.0, journal, filled, state_hash)?;
    bar.finish_and_clear();
    let rate = |of: fn(&Round) -> f64| (count as f64 / middle(&rounds, of).max(f64::MIN_POSITIVE)) as u64;
    let ratio = |round: &Round| round.engine / round.replay.max(f64::MIN_POSITIVE);
    let ratios = || rounds.iter().map(ratio);
    let summary = Summary {
        flow: args.flow.name(),
        commands: count,
        seed: args.seed,
        bytes_per_command: rounded(bytes as f64 / count as f64),
        replay_per_second: rate(|round| round.replay),
        engine_only_per_second: rate(|round| round.engine),
        share: rounded(middle(&rounds, ratio)),
        share_min: rounded(ratios().fold(f64::INFINITY, f64::min)),
        share_max: rounded(ratios().fold(0.0, f64::max)),
        without_hashes_per_second: rate(|round| round.without_hashes),
        read_only_per_second: rate(|round| round.reading),
        recovery_seconds: rounded(recovery.seconds),
        recovery_live_orders: recovery.live_orders,
        recovery_commands: recovery.commands,
        event_hash: event_hash.to_string(),
        state_hash: state_hash.to_string(),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

/// Seconds that each took.
#[derive(Clone, Copy, Debug)]
struct Round {
    replay: f64,
    engine: f64,
    without_hashes: f64,
    reading: f64,
}

/// The median of the rounds.
fn middle(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// One of each, and where the events and the state ended.
fn measure(
    journal: &OsDisk,
    commands: &[Sequenced<Command>],
    layout: Layout,
) -> Result<(Round, (EventHash, StateHash))> {
    let begun = Instant::now();
    let replayed = rialto_replay::replay(Engine::new(Limits::default()), Reader::open(journal)?, layout)?;
    let replay = begun.elapsed().as_secs_f64();
    let hashes = (replayed.hashes.total(), replayed.state.state_hash());
    drop(replayed);

    let mut lane = Lane::new();
    let begun = Instant::now();
    lane.run(commands);
    let engine = begun.elapsed().as_secs_f64();
    ensure!(
        lane.tally().event_hash() == hashes.0,
        "the journal gives other events than the commands it was made of"
    );
    drop(lane);

    let mut alone = Engine::new(Limits::default());
    let begun = Instant::now();
    each(journal, |command| alone.apply(command, &mut Nobody))?;
    let without_hashes = begun.elapsed().as_secs_f64();
    drop(alone);

    let mut read = 0;
    let begun = Instant::now();
    each(journal, |_| read += 1)?;
    let reading = begun.elapsed().as_secs_f64();
    ensure!(
        read == commands.len(),
        "{read} of {} commands were read",
        commands.len()
    );
    let round = Round {
        replay,
        engine,
        without_hashes,
        reading,
    };
    Ok((round, hashes))
}

/// Shows every command of a journal.
fn each(journal: &OsDisk, mut show: impl FnMut(&Sequenced<Command>)) -> Result<()> {
    let mut reader = Reader::open(journal)?;
    loop {
        let commands = reader.fill()?;
        if commands.is_empty() {
            return Ok(());
        }
        let count = commands.len();
        commands.iter().for_each(&mut show);
        reader.consume(count);
    }
}

/// What a recovery came to.
struct Recovery {
    seconds: f64,
    live_orders: usize,
    commands: u64,
}

/// Takes a snapshot behind the first `filled` commands, and then goes to the journal's end from there.
fn recover_from_snapshot(folder: &Path, journal: OsDisk, filled: usize, expected: StateHash) -> Result<Recovery> {
    let snapshots = Snapshots::new(OsDisk::create_dir(&folder.join("snapshots"))?);
    let stream = Stream::at_rest(journal, Some(snapshots.clone()));
    let snapshot = stream.at(Some(SequenceNumber(filled as u64)))?.past.snapshot();
    let snapshot = snapshot.context("a venue has a first command")?;
    let live_orders = snapshot.state.live_orders();
    snapshots.take(&snapshot)?;
    drop(snapshot);
    let begun = Instant::now();
    let visit = stream.at(None)?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(
        visit.past.state().state_hash() == expected,
        "from the snapshot on the state is another"
    );
    Ok(Recovery {
        seconds,
        live_orders,
        commands: visit.past.applied(),
    })
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
