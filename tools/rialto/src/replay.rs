//! `rialto replay`: rebuilds from a journal and prints the hashes.

use crate::deploy::build;
use crate::deploy::ledger::{Ledger, Range};
use crate::exchange::core::journal_folder;
use crate::out;
use anyhow::{Context as _, Result, ensure};
use indicatif::ProgressBar;
use rialto_journal::disk::Disk as _;
use rialto_journal::{OsDisk, ReadError, Reader};
use rialto_matching::{Engine, Limits};
use rialto_model::{Command, SequenceNumber, Sequenced};
use rialto_replay::Source;
use rialto_ring::Layout;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data folder of an exchange, or its journal folder
    data: PathBuf,
    /// Stop behind this sequence number
    #[arg(long, value_name = "SEQ")]
    until: Option<u64>,
    /// How stages are laid onto threads
    #[arg(long, default_value = "auto", value_parser = crate::choices::layout())]
    layout: Layout,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    commands: u64,
    events: u64,
    last_seq: u64,
    state_hash: String,
    event_hash: String,
    live_orders: usize,
    trading_day: String,
    seconds: f64,
    commands_per_second: f64,
    /// Whose word was live, where another engine's ever was.
    live: Vec<Live>,
}

/// Whose word was live from behind a command on.
#[derive(Debug, Serialize)]
struct Live {
    after: u64,
    /// The other engine's build; none: the exchange's own word again.
    green: Option<String>,
    /// The exchange's build.
    standing: String,
    /// Whether the build that was live is the one that replays.
    this_build: bool,
}

impl Live {
    fn of(range: &Range) -> Self {
        Self {
            after: range.after.0,
            green: range.green.map(build::name),
            standing: build::name(range.standing),
            this_build: range.green.unwrap_or(range.standing) == build::id(),
        }
    }

    /// What a person has to know.
    fn warn(&self) {
        if !self.this_build {
            out::complain(format_args!(
                "behind {} build {} was live, which is not at hand: what is replayed there is this build's, {}",
                self.after,
                self.green.as_ref().unwrap_or(&self.standing),
                build::name(build::id())
            ));
        }
    }
}

pub(crate) fn run(args: Args) -> Result<()> {
    let bar = out::progress(0, "commands", args.json);
    let mut ledger = Ledger::default();
    let source = Watched {
        journal: Reader::open(&filled_disk(&args.data)?)?,
        until: SequenceNumber(args.until.unwrap_or(u64::MAX)),
        bar: &bar,
        unsaid: 0,
        ledger: &mut ledger,
    };
    let begun = Instant::now();
    let replayed = rialto_replay::replay(Engine::new(Limits::default()), source, args.layout)?;
    let seconds = begun.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let live: Vec<Live> = ledger.ranges.iter().map(Live::of).collect();
    live.iter().for_each(Live::warn);
    let summary = Summary {
        live,
        commands: replayed.commands,
        events: replayed.hashes.events(),
        last_seq: replayed.state.last_seq.0,
        state_hash: replayed.state.state_hash().to_string(),
        event_hash: replayed.hashes.total().to_string(),
        live_orders: replayed.state.live_orders(),
        trading_day: replayed.state.day.to_string(),
        seconds,
        commands_per_second: replayed.commands as f64 / seconds.max(f64::MIN_POSITIVE),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

/// The commands of a journal up to a number, and what a person is told on the way.
struct Watched<'a> {
    journal: Reader<OsDisk>,
    until: SequenceNumber,
    bar: &'a ProgressBar,
    /// Commands that the bar does not show yet.
    unsaid: u64,
    ledger: &'a mut Ledger,
}

/// Commands between two movements of the bar.
const SAID_EVERY: u64 = 65_536;

impl Source for Watched<'_> {
    type Error = ReadError;

    fn fill(&mut self) -> Result<&[Sequenced<Command>], ReadError> {
        let commands = self.journal.fill()?;
        let wanted = commands.partition_point(|command| command.seq <= self.until);
        Ok(commands.get(..wanted).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        if let Ok(commands) = self.journal.fill() {
            for command in commands.iter().take(count) {
                if let Command::CutOver(c) = &command.body {
                    self.ledger.cut(command.seq, &c.cut);
                }
            }
        }
        self.journal.consume(count);
        self.unsaid += count as u64;
        if self.unsaid >= SAID_EVERY {
            self.bar.inc(self.unsaid);
            self.unsaid = 0;
        }
    }
}

/// The disk of a journal given by its own folder or by the data folder around it.
pub(crate) fn disk(path: &Path) -> Result<OsDisk> {
    let inner = journal_folder(path);
    let folder = if inner.is_dir() { inner } else { path.to_owned() };
    OsDisk::open_dir(&folder).with_context(|| format!("no journal at {}", path.display()))
}

/// The same, where a folder without a segment is the wrong one.
pub(crate) fn filled_disk(path: &Path) -> Result<OsDisk> {
    let disk = disk(path)?;
    let is_segment = |name: &String| name.ends_with(".journal");
    ensure!(
        disk.list()?.iter().any(is_segment),
        "no journal at {}: give the data folder of an exchange, as `rialto up` prints it",
        path.display()
    );
    Ok(disk)
}

/// The commands of a journal given by its own folder or by the data folder around it.
pub(crate) fn open(path: &Path) -> Result<impl Iterator<Item = Result<Sequenced<Command>, ReadError>> + Send> {
    Ok(Reader::open(&filled_disk(path)?)?)
}
