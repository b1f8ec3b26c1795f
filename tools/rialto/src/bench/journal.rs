//! `rialto bench journal`: what does it cost to keep a command, beside raw writes of the same bytes to the same disk?
//!
//! The load is the base flow, kept at 1, 16 and 256 commands a commit. Each round keeps them once by the journal and once
//! as bare pwrite(2) calls of as many bytes, with fdatasync(2) behind each in durability `disk`, in turn on files that were
//! written before. Then the journal is verified, beside a bare read of its files. Not inside: making segments ahead.

use super::timing::rounded;
use crate::out;
use anyhow::{Context as _, Result};
use rialto_flow::{Flow, Shape};
use rialto_journal::{Config, Durability, OsDisk, recover, verify};
use rialto_model::{Command, Sequenced, VenueId};
use serde::Serialize;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Commands a commit.
const BATCHES: [usize; 3] = [1, 16, 256];
/// Rounds, of which the median counts.
const ROUNDS: usize = 5;
/// Bytes of a segment: all that a round keeps, so that none is made meanwhile.
const SEGMENT_BYTES: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Commands a round in durability `memory`
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(256..=1_000_000))]
    ops: u64,
    /// Commits a round in durability `disk`
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    commits: u64,
    /// Where the files lie: the disk that is measured [default: the system's folder for temporary files]
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
struct Kept {
    durability: &'static str,
    batch: usize,
    commands: u64,
    bytes_per_command: f64,
    ns_per_command: f64,
    /// Bare writes of the same bytes in the same run.
    raw_ns_per_command: f64,
    /// How many times as long as those it takes.
    times_raw: f64,
}

#[derive(Debug, Serialize)]
struct Summary {
    seed: u64,
    dir: PathBuf,
    kept: Vec<Kept>,
    verified_bytes: u64,
    verify_bytes_per_second: u64,
    read_bytes_per_second: u64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let parent = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let folder = Scratch::new(&parent)?;
    let flow = Flow::new(Shape::Base, args.ops as usize, args.seed);
    let bar = out::progress((2 * BATCHES.len()) as u64 + 1, "steps", args.json);
    let mut kept = Vec::new();
    for durability in [Durability::Memory, Durability::Disk] {
        for batch in BATCHES {
            let most = match durability {
                Durability::Memory => flow.commands.len(),
                Durability::Disk => flow.commands.len().min(args.commits as usize * batch),
            };
            kept.push(keep(
                &folder.0,
                durability,
                batch,
                flow.commands.get(..most).unwrap_or_default(),
            )?);
            bar.inc(1);
        }
    }
    let (verified_bytes, verify_bytes_per_second, read_bytes_per_second) = check(&folder.0.join("memory-256-0"))?;
    bar.finish_and_clear();
    let summary = Summary {
        seed: args.seed,
        dir: parent,
        kept,
        verified_bytes,
        verify_bytes_per_second,
        read_bytes_per_second,
    };
    if args.json {
        out::json_line(&summary);
    } else {
        for kept in &summary.kept {
            out::say(format_args!("{}\n", out::pairs(kept)));
        }
        out::say(format_args!(
            "verify {} MB/s, bare read {} MB/s",
            verify_bytes_per_second >> 20,
            read_bytes_per_second >> 20
        ));
    }
    Ok(())
}

fn keep(folder: &Path, durability: Durability, batch: usize, commands: &[Sequenced<Command>]) -> Result<Kept> {
    let name = match durability {
        Durability::Memory => "memory",
        Durability::Disk => "disk",
    };
    let (mut own, mut raw, mut bytes) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let at = folder.join(format!("{name}-{batch}-{round}"));
        let (ns, written) = by_journal(&at, durability, batch, commands)?;
        bytes = written;
        own.push(ns);
        raw.push(by_hand(folder, durability, batch, commands.len(), written)?);
        // One is kept to be verified.
        if round > 0 || batch != 256 || durability == Durability::Disk {
            std::fs::remove_dir_all(&at)?;
        }
    }
    let count = commands.len() as f64;
    let (own, raw) = (median(own) / count, median(raw) / count);
    Ok(Kept {
        durability: name,
        batch,
        commands: commands.len() as u64,
        bytes_per_command: rounded(bytes as f64 / count),
        ns_per_command: rounded(own),
        raw_ns_per_command: rounded(raw),
        times_raw: rounded(own / raw.max(f64::MIN_POSITIVE)),
    })
}

/// Nanoseconds, and the bytes that the blocks took.
fn by_journal(at: &Path, durability: Durability, batch: usize, commands: &[Sequenced<Command>]) -> Result<(f64, u64)> {
    let disk = OsDisk::create_dir(at)?;
    let config = Config {
        durability,
        segment_bytes: SEGMENT_BYTES,
        reserve_segments: 1,
        ..Config::default()
    };
    let (mut writer, mut syncer) = recover(&disk, VenueId(1))?.into_writer(config)?;
    let begun = Instant::now();
    for commands in commands.chunks(batch) {
        for command in commands {
            let record = Sequenced {
                seq: writer.next_seq(),
                epoch: writer.epoch(),
                ..*command
            };
            writer.append(&record)?;
        }
        writer.commit()?;
        if durability == Durability::Disk {
            syncer.sync_now()?;
        }
    }
    let ns = begun.elapsed().as_nanos() as f64;
    Ok((ns, writer.bytes_written()))
}

/// As many bytes in as many writes, and as many syncs.
fn by_hand(folder: &Path, durability: Durability, batch: usize, commands: usize, bytes: u64) -> Result<f64> {
    let path = folder.join("raw");
    let file = File::create(&path)?;
    let commits = commands.div_ceil(batch).max(1);
    let block = vec![1; (bytes / commits as u64).max(1) as usize];
    for index in 0..commits {
        file.write_all_at(&block, (index * block.len()) as u64)?;
    }
    file.sync_all()?;
    let begun = Instant::now();
    for index in 0..commits {
        file.write_all_at(&block, (index * block.len()) as u64)?;
        if durability == Durability::Disk {
            file.sync_data()?;
        }
    }
    let ns = begun.elapsed().as_nanos() as f64;
    std::fs::remove_file(path)?;
    Ok(ns)
}

/// Bytes, and how many of them a second: verified, and only read.
fn check(journal: &Path) -> Result<(u64, u64, u64)> {
    let disk = OsDisk::open_dir(journal)?;
    let files = || -> Result<u64> {
        let (mut sum, mut buffer) = (0, vec![0; 1 << 20]);
        for entry in std::fs::read_dir(journal)? {
            let mut file = File::open(entry?.path())?;
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    came => sum += came as u64,
                }
            }
        }
        Ok(sum)
    };
    let bytes = files()?;
    let begun = Instant::now();
    files()?;
    let read = begun.elapsed();
    let begun = Instant::now();
    let report = verify(&disk)?;
    let verified = begun.elapsed();
    anyhow::ensure!(report.damage.is_none(), "the journal that was just written is damaged");
    let rate = |spent: std::time::Duration| (bytes as f64 / spent.as_secs_f64().max(f64::MIN_POSITIVE)) as u64;
    Ok((bytes, rate(verified), rate(read)))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A folder that goes when this does.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new(parent: &Path) -> Result<Self> {
        let folder = parent.join(format!("rialto-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
