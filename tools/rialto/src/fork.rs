//! `rialto fork`: another stream from this one.

use crate::ask::admin;
use crate::exchange::core::journal_folder;
use crate::out;
use crate::replay::disk;
use crate::serve::credentials_path;
use anyhow::{Context as _, Result, bail, ensure};
use rialto_journal::OsDisk;
use rialto_model::SequenceNumber;
use rialto_past::{Edit, fork, text};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Segments of a copy.
pub(crate) const SEGMENT_BYTES: u64 = 16 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data folder of an exchange that is stopped
    data: PathBuf,
    /// The last command of the copy; an exchange that is started on it goes on from there
    #[arg(long, value_name = "SEQ")]
    at: u64,
    /// A new data folder for the copy
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// Leave this command out: a tick takes its place, so that no other number changes
    #[arg(long, value_name = "SEQ")]
    drop: Vec<u64>,
    /// Put the command in FILE in the place of this one: a line as `rialto journal tail --json` prints it
    #[arg(long, num_args = 2, value_names = ["SEQ", "FILE"])]
    replace: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    data: PathBuf,
    last_seq: u64,
    state_hash: String,
    event_hash: String,
    changed: usize,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let edits = edits(&args)?;
    let from = disk(&args.data)?;
    ensure!(
        admin::ask(&args.data, &crate::ask::Request::Status)?.is_none(),
        "an exchange runs on {}: stop it before its journal is copied",
        args.data.display()
    );
    let taken = args.into.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    ensure!(!taken, "{} is not empty: give a new folder", args.into.display());
    let into = OsDisk::create_dir(&journal_folder(&args.into))?;
    let forked = fork(&from, &into, SequenceNumber(args.at), &edits, SEGMENT_BYTES)?;
    copy_credentials(&args.data, &args.into)?;
    let summary = Summary {
        data: args.into,
        last_seq: forked.last_seq.0,
        state_hash: forked.state_hash.to_string(),
        event_hash: forked.event_hash.to_string(),
        changed: edits.len(),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

fn edits(args: &Args) -> Result<BTreeMap<SequenceNumber, Edit>> {
    let mut edits = BTreeMap::new();
    for seq in &args.drop {
        edits.insert(SequenceNumber(*seq), Edit::Drop);
    }
    for pair in args.replace.chunks(2) {
        let [seq, file] = pair else {
            bail!("--replace takes a sequence number and a file");
        };
        let seq = seq
            .parse()
            .with_context(|| format!("--replace {seq}: give a sequence number first"))?;
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let command = text::parse(&text).with_context(|| format!("in {file}"))?;
        edits.insert(SequenceNumber(seq), Edit::Replace(command));
    }
    Ok(edits)
}

/// The passwords of the sessions, where there are any, so that the copy can be traded on.
pub(crate) fn copy_credentials(from: &Path, into: &Path) -> Result<()> {
    let from = credentials_path(from);
    if from.exists() {
        std::fs::copy(&from, credentials_path(into)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
