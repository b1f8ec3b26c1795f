//! `rialto flag`: variants of behaviour that are switched while the exchange runs.

use crate::ask::flags::{Aim, Deed, ls};
use crate::ask::{Act, Place, Request, print_flag};
use crate::out;
use anyhow::Result;
use rialto_model::flags;
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    wish: Wish,
    #[command(flatten)]
    place: Place,
    /// Who does it, for the audit
    #[arg(long, global = true, default_value = "")]
    who: String,
    /// Why, for the audit
    #[arg(long, global = true, default_value = "")]
    why: String,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Wish {
    /// The flags of this build, and with --data how an exchange has them
    Ls {
        /// Behind this command; otherwise behind the last one
        #[arg(long, value_name = "SEQ")]
        at: Option<u64>,
    },
    /// Set a flag for everyone, or for whom it is aimed at; refused while a process does not know this build's flags
    Set {
        /// The flag
        key: String,
        /// What it is from the next command on: off, on, or the name of a variant
        value: String,
        #[command(flatten)]
        aim: Aim,
    },
    /// Take a rule of a flag away again
    Clear {
        /// The flag
        key: String,
        #[command(flatten)]
        aim: Aim,
    },
    /// Take every rule of a flag away, and take none any more: the step before its code goes
    Retire {
        /// The flag
        key: String,
    },
    /// Which answer a flag gives for an instrument or a session, why, and since which command
    Explain {
        /// The flag
        key: String,
        #[command(flatten)]
        aim: Aim,
        /// Behind this command; otherwise behind the last one
        #[arg(long, value_name = "SEQ")]
        at: Option<u64>,
    },
    /// Say that a process is gone for good that was refused because of its flag table
    Forget {
        /// Its name, as `rialto status` shows it; \"\": every one
        name: String,
    },
    /// The hash of this build's flag table: processes of one exchange share it
    Hash,
}

impl Command {
    pub(crate) fn run(self) -> Result<()> {
        let Self {
            wish,
            place,
            who,
            why,
            json,
        } = self;
        let act = |key, deed, aim, value| Request::Operate {
            act: Act::Flag { key, deed, aim, value },
            who: who.clone(),
            why: why.clone(),
        };
        let request = match wish {
            Wish::Hash => {
                hash(json);
                return Ok(());
            }
            Wish::Ls { .. } if !place.is_named() => {
                for line in ls(None) {
                    if json {
                        out::json_line(&line);
                    } else {
                        print_flag(&line);
                    }
                }
                return Ok(());
            }
            Wish::Ls { at } => Request::FlagLs { seq: at },
            Wish::Set { key, value, aim } => act(key, Deed::Set, aim, Some(value)),
            Wish::Clear { key, aim } => act(key, Deed::Clear, aim, None),
            Wish::Retire { key } => act(key, Deed::Retire, Aim::default(), None),
            Wish::Explain { key, aim, at } => Request::FlagExplain { key, aim, seq: at },
            Wish::Forget { name } => Request::FlagForget { name },
        };
        place.put(&request, json)
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
