//! `rialto flag`: variants of behaviour that are switched while the exchange runs.

use crate::out;
use anyhow::Result;
use rialto_model::flags;
use serde_json::json;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// The hash of this build's flag table: processes of one exchange share it
    Hash {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Hash { json } => hash(json),
        }
        Ok(())
    }
}

fn hash(json: bool) {
    let (hash, count) = (flags::table_hash(), flags::TABLE.len());
    if json {
        out::json_line(&json!({ "flag_table": hash.to_string(), "flags": count, "retired": flags::TOMBSTONES.len() }));
    } else {
        out::say(format_args!("{hash}"));
    }
}
