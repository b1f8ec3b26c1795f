//! `rialto journal`: integrity, contents, and knowing cuts.

use crate::out;
use crate::replay::disk;
use crate::retention::{self, PruneArgs};
use anyhow::{Result, bail};
use clap::Subcommand;
use rialto_journal::{Reader, repair_cut, verify};
use rialto_model::SequenceNumber;
use rialto_past::{BookAnswer, Outcome, diff, text};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check every byte; never writes and needs no lock
    Verify {
        /// The data folder of an exchange, or its journal folder
        data: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Find the first command in which two journals differ
    Diff {
        /// The data folder of an exchange, or its journal folder
        left: PathBuf,
        /// Another one
        right: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the commands
    Tail {
        /// The data folder of an exchange, or its journal folder
        data: PathBuf,
        /// Begin with this sequence number
        #[arg(long, value_name = "SEQ")]
        from: Option<u64>,
        /// At most so many, the last ones unless --from is given
        #[arg(long, short = 'n', default_value_t = 20)]
        count: u64,
        /// Print one JSON object a command
        #[arg(long)]
        json: bool,
    },
    /// List the segments, those in the archive too
    Ls {
        /// The data folder of an exchange, or its journal folder
        data: PathBuf,
        /// Print one JSON object a segment
        #[arg(long)]
        json: bool,
    },
    /// Move segments of days that are over, behind two snapshots, to the archive
    Prune(PruneArgs),
    /// Cut a damaged journal knowingly; what is removed is kept beside it
    Repair {
        /// The data folder of an exchange, or its journal folder
        data: PathBuf,
        /// The first sequence number to remove
        #[arg(long, value_name = "SEQ")]
        cut: u64,
    },
}

#[derive(Debug, Serialize)]
struct Verified {
    records: u64,
    first_seq: u64,
    last_seq: u64,
    gaps: u64,
    duplicates: u64,
    torn_bytes: u64,
    torn: Option<String>,
    damage: Option<String>,
    segments: u64,
    last_epoch: u32,
    durable_up_to: u64,
    chain_hash: String,
}

#[derive(Debug, Serialize)]
struct Compared {
    /// The last command that both have.
    common: u64,
    equal: bool,
    first_difference: Option<u64>,
    state_before: Option<String>,
    books_before: Vec<BookAnswer>,
    left: Option<Side>,
    right: Option<Side>,
}

#[derive(Debug, Serialize)]
struct Side {
    record: serde_json::Value,
    events: Vec<String>,
    state_after: String,
}

impl From<Outcome> for Side {
    fn from(outcome: Outcome) -> Self {
        Self {
            record: outcome.record,
            events: outcome.events,
            state_after: outcome.state_after.to_string(),
        }
    }
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Verify { data, json } => verify_journal(&data, json),
        Command::Tail {
            data,
            from,
            count,
            json,
        } => tail(&data, from, count, json),
        Command::Ls { data, json } => retention::ls(&data, json),
        Command::Prune(args) => retention::prune(&args),
        Command::Diff { left, right, json } => compare(&left, &right, json),
        Command::Repair { data, cut } => {
            let repair = repair_cut(&disk(&data)?, SequenceNumber(cut))?;
            out::say(format_args!("{repair}"));
            Ok(())
        }
    }
}

fn verify_journal(data: &Path, json: bool) -> Result<()> {
    let report = verify(&disk(data)?)?;
    let verified = Verified {
        records: report.records,
        first_seq: report.first_seq.0,
        last_seq: report.last_seq.0,
        gaps: report.gaps,
        duplicates: report.duplicates,
        torn_bytes: report.torn_bytes,
        torn: report.torn,
        damage: report.damage,
        segments: report.segments,
        last_epoch: report.last_epoch.0,
        durable_up_to: report.durable_up_to.0,
        chain_hash: report.chain_hash.to_string(),
    };
    if json {
        out::json_line(&verified);
    } else {
        out::say(format_args!("{}", out::pairs(&verified)));
    }
    match verified.damage {
        None => Ok(()),
        Some(damage) => bail!("the journal is damaged: {damage}"),
    }
}

/// Both journals are sound where they can be read; that they differ is an answer, and no failure.
fn compare(left: &Path, right: &Path, json: bool) -> Result<()> {
    let (common, difference) = diff(&disk(left)?, &disk(right)?)?;
    let equal = difference.is_none();
    let compared = match difference {
        None => Compared {
            common: common.0,
            equal,
            first_difference: None,
            state_before: None,
            books_before: Vec::new(),
            left: None,
            right: None,
        },
        Some(difference) => Compared {
            common: common.0,
            equal,
            first_difference: Some(difference.seq.0),
            state_before: Some(difference.state_before.to_string()),
            books_before: difference.books_before,
            left: difference.left.map(Side::from),
            right: difference.right.map(Side::from),
        },
    };
    if json {
        out::json_line(&compared);
    } else {
        out::say(format_args!("{}", out::pairs(&compared)));
    }
    Ok(())
}

fn tail(data: &Path, from: Option<u64>, count: u64, json: bool) -> Result<()> {
    let disk = disk(data)?;
    let from = match from {
        Some(from) => from,
        None => (verify(&disk)?.last_seq.0 + 1).saturating_sub(count),
    };
    let mut reader = Reader::open_at(&disk, SequenceNumber(from.max(1)))?;
    for _ in 0..count {
        let Some(record) = reader.read()? else { break };
        if json {
            out::json_line(&text::record(&record));
        } else {
            let fields = format!("{:?}", record.body);
            let name = record.body.name();
            let fields = fields.trim_start_matches(name);
            out::say(format_args!("{:>8}  {}  {name}{fields}", record.seq.0, record.stamp.0));
        }
        if out::is_closed() {
            break;
        }
    }
    Ok(())
}
