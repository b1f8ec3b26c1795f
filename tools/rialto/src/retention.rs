//! How much of the past stays in the journal's folder: `rialto journal ls|prune`, and the thread of a running exchange.
//!
//! The rule is the journal's ([`rialto_journal::retention`]): segments of days that are over, behind which two snapshots are,
//! are moved to the archive once they are past the bounds; whoever opens the folder reads both as one.

use crate::ask::snapshot_numbers;
use crate::config::RetentionConfig;
use crate::exchange::core::journal_folder;
use crate::out;
use crate::replay::disk;
use anyhow::{Context as _, Result, ensure};
use rialto_gateway::Say;
use rialto_journal::retention::{Kept, Retention, Verdict, judge, move_out, segments};
use rialto_journal::{Disk as _, OsDisk};
use rialto_model::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Between two looks of the thread; a segment at most goes at each.
const LOOK: Duration = Duration::from_secs(1);
/// How soon the thread sees that it is to end.
const NAP: Duration = Duration::from_millis(50);
/// Taken for the right to write, as a writer does.
const LOCK: &str = "lock";

/// A segment as people are shown it.
#[derive(Debug, Serialize)]
struct Line {
    file: String,
    bytes: u64,
    first_seq: u64,
    /// None: it may still be written.
    last_seq: Option<u64>,
    trading_day: String,
    archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<bool>,
}

impl Line {
    fn of(kept: &Kept, verdict: Option<Verdict>) -> Self {
        Self {
            file: kept.file.clone(),
            bytes: kept.bytes,
            first_seq: kept.first_seq.0,
            last_seq: kept.end.map(|end| end.seq.0),
            trading_day: kept.day.to_string(),
            archived: kept.archived,
            verdict: verdict.map(Verdict::words),
            leaves: verdict.map(Verdict::leaves),
        }
    }

    fn print(&self, json: bool) {
        if json {
            return out::json_line(self);
        }
        let last = self.last_seq.map_or_else(|| "...".to_owned(), |seq| seq.to_string());
        let place = if self.archived { "archive" } else { "journal" };
        let Self {
            file,
            bytes,
            first_seq,
            trading_day,
            ..
        } = self;
        let verdict = self.verdict.unwrap_or_default();
        out::say(format_args!(
            "{file}  {place}  {bytes:>12}  {first_seq:>10} to {last:<10}  {trading_day}  {verdict}"
        ));
    }
}

/// `rialto journal ls`.
pub(crate) fn ls(data: &Path, json: bool) -> Result<()> {
    for kept in segments(&disk(data)?)? {
        Line::of(&kept, None).print(json);
    }
    Ok(())
}

/// What `rialto journal prune` is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct PruneArgs {
    /// The data folder of an exchange that does not run
    data: PathBuf,
    /// Segments older than so many days leave
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// The oldest segments leave while the folder's take more than so many bytes
    #[arg(long, value_name = "N")]
    bytes: Option<u64>,
    /// Where they go; not needed where the journal has an archive
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Say what would leave, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object a segment
    #[arg(long)]
    json: bool,
}

/// `rialto journal prune`.
pub(crate) fn prune(args: &PruneArgs) -> Result<()> {
    ensure!(
        args.days.is_some() || args.bytes.is_some(),
        "nothing says what is to leave: give --days or --bytes"
    );
    let retention = Retention {
        days: args.days,
        bytes: args.bytes,
    };
    let journal = disk(&args.data)?;
    // A running exchange prunes by itself.
    let _held = (!args.dry_run).then(|| journal.lock(LOCK)).transpose()?;
    let (kept, verdicts) = plan(&args.data, &journal, retention)?;
    for (kept, verdict) in kept.iter().zip(&verdicts) {
        Line::of(kept, Some(*verdict)).print(args.json);
    }
    if args.dry_run || !verdicts.iter().any(|verdict| verdict.leaves()) {
        return Ok(());
    }
    let journal = match &args.archive {
        Some(archive) => OsDisk::create_with_archive(journal.path(), archive)?,
        None => journal,
    };
    let archive = journal
        .archive()?
        .context("the journal has no archive yet: give --archive DIR")?;
    for (kept, verdict) in kept.iter().zip(&verdicts) {
        if verdict.leaves() {
            move_out(&journal, &archive, &kept.file)?;
        }
    }
    Ok(())
}

/// Every segment, and what becomes of it.
fn plan(data: &Path, journal: &OsDisk, retention: Retention) -> Result<(Vec<Kept>, Vec<Verdict>)> {
    let kept = segments(journal)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
    let verdicts = judge(&kept, retention, &snapshot_numbers(data)?, now);
    Ok((kept, verdicts))
}

/// Names the archive in the journal's folder, before anybody opens it.
pub(crate) fn prepare(data: &Path, retention: &RetentionConfig) -> Result<()> {
    OsDisk::create_with_archive(&journal_folder(data), &retention.archive)?;
    Ok(())
}

/// Moves what leaves, one segment at a look.
pub(crate) struct RetentionThread {
    pub(crate) data: PathBuf,
    pub(crate) retention: Retention,
    pub(crate) say: Say,
    pub(crate) stop: Arc<AtomicBool>,
}

impl RetentionThread {
    /// Until it is stopped. A disk that refuses is asked again at the next look, and it is said once.
    pub(crate) fn run(&self) {
        rialto_ring::layout::beside_the_path();
        let mut complained = false;
        let mut slept = LOOK;
        while !self.stop.load(Ordering::Relaxed) {
            if slept < LOOK {
                std::thread::sleep(NAP);
                slept += NAP;
                continue;
            }
            match self.look() {
                Ok(None) => slept = Duration::ZERO,
                // Perhaps there is more to do.
                Ok(Some(line)) => self.say.line(|| line),
                Err(error) => {
                    if !complained {
                        self.say
                            .line(|| format!("nothing leaves the journal's folder, the exchange goes on: {error:#}"));
                    }
                    (complained, slept) = (true, Duration::ZERO);
                }
            }
        }
    }

    /// Moves the oldest segment that leaves, and says so.
    fn look(&self) -> Result<Option<String>> {
        let journal = OsDisk::open_dir(&journal_folder(&self.data))?;
        let archive = journal.archive()?.context("the journal names no archive")?;
        let (kept, verdicts) = plan(&self.data, &journal, self.retention)?;
        let Some((kept, _)) = kept.iter().zip(&verdicts).find(|(_, verdict)| verdict.leaves()) else {
            return Ok(None);
        };
        move_out(&journal, &archive, &kept.file)?;
        let last = kept.end.map_or(kept.first_seq, |end| end.seq);
        Ok(Some(format!(
            "{} (sequence numbers {} to {last}) is in the archive {}",
            kept.file,
            kept.first_seq,
            archive.path().display()
        )))
    }
}
