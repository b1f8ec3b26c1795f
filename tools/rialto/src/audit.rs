//! `rialto audit`: who did what for the venue, when and why, from the stream alone.
//!
//! An act is announced by an `Act` command that names who, why, and the digest of what follows. Acts and administrative
//! commands are chained: the head is the BLAKE3 of the head before, the sequence number, the stamp, and the command's schema
//! and bytes, all integers little-endian, from 32 zero bytes on. A head that was written down elsewhere holds everything
//! before it. What the exchange defines when it opens comes from its configuration, and is chained without an act.

use crate::out;
use crate::replay::disk;
use anyhow::{Result, anyhow, bail};
use rialto_journal::Reader;
use rialto_model::codec::Encoder;
use rialto_model::limits::MESSAGE_BYTES_MAX;
use rialto_model::{Command as Sequenceable, Sequenced};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Acts that wait for their command; beyond it the oldest counts as one of a command that never came.
const WAITING_MAX: usize = 1_024;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check that every administrative act has its who and why, and print the head of the chain
    Verify {
        /// The data folder of an exchange, or its journal folder
        data: PathBuf,
        /// A head that was printed before: `SEQ:HEAD`
        #[arg(long, value_name = "SEQ:HEAD")]
        expect: Option<String>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// The last acts
    Tail {
        /// The data folder of an exchange, or its journal folder
        data: PathBuf,
        /// At most so many
        #[arg(long, short = 'n', default_value_t = 20)]
        count: usize,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
}

/// An administrative command, and who announced it.
struct Entry {
    line: Value,
    head: blake3::Hash,
    seq: u64,
    announced: bool,
    configured: bool,
}

/// Follows the acts of a stream.
struct Chain {
    head: blake3::Hash,
    waiting: VecDeque<(u16, u64, String, String)>,
    lost: u64,
}

impl Chain {
    const fn new() -> Self {
        Self {
            head: blake3::Hash::from_bytes([0; 32]),
            waiting: VecDeque::new(),
            lost: 0,
        }
    }

    fn take(&mut self, record: &Sequenced<Sequenceable>) -> Option<Entry> {
        let act = match &record.body {
            Sequenceable::Act(act) => Some(*act),
            body if body.is_administrative() => None,
            _ => return None,
        };
        self.link(record);
        let entry = |head, who: &str, why: &str, what: Value, announced, configured| Entry {
            line: json!({
                "seq": record.seq.0,
                "stamp_ns": record.stamp.0,
                "who": who,
                "why": why,
                "act": what,
                "head": blake3::Hash::to_hex(&head).to_string(),
            }),
            head,
            seq: record.seq.0,
            announced,
            configured,
        };
        if let Some(act) = act {
            let (who, why) = (
                act.actor.to_string(),
                String::from_utf8_lossy(act.why.as_bytes()).into_owned(),
            );
            if act.subject == 0 {
                let what = json!({"look_at_firm": act.digest});
                return Some(entry(self.head, &who, &why, what, true, false));
            }
            if self.waiting.len() >= WAITING_MAX {
                self.waiting.pop_front();
                self.lost += 1;
            }
            self.waiting.push_back((act.subject, act.digest, who, why));
            return None;
        }
        let (schema, digest) = (record.body.schema(), record.body.digest());
        let of_it = |waiting: &(u16, u64, String, String)| (waiting.0, waiting.1) == (schema, digest);
        let announced = self
            .waiting
            .iter()
            .position(of_it)
            .and_then(|at| self.waiting.remove(at));
        let configured = matches!(
            record.body,
            Sequenceable::DefineInstrument(_)
                | Sequenceable::DefineFirm(_)
                | Sequenceable::DefineAccount(_)
                | Sequenceable::DefineSession(_)
                | Sequenceable::SetRulebook(_)
                | Sequenceable::SetTicks(_)
                | Sequenceable::SetFees(_)
                | Sequenceable::SetBands(_)
                | Sequenceable::SetAllocation(_)
                | Sequenceable::SetPhase(_)
        );
        let what = json!({record.body.name(): rialto_past::text::fields(&record.body)});
        Some(match announced {
            Some((_, _, who, why)) => entry(self.head, &who, &why, what, true, false),
            None if configured => entry(self.head, "configuration", "", what, false, true),
            None => entry(self.head, "nobody", "", what, false, false),
        })
    }

    fn link(&mut self, record: &Sequenced<Sequenceable>) {
        let mut bytes = [0; MESSAGE_BYTES_MAX];
        let mut encoder = Encoder::new(&mut bytes);
        record.body.encode(&mut encoder);
        let len = encoder.len();
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.head.as_bytes());
        hasher.update(&record.seq.0.to_le_bytes());
        hasher.update(&record.stamp.0.to_le_bytes());
        hasher.update(&record.body.schema().to_le_bytes());
        hasher.update(bytes.get(..len).unwrap_or_default());
        self.head = hasher.finalize();
    }
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Verify { data, expect, json } => verify(&data, expect.as_deref(), json),
        Command::Tail { data, count, json } => tail(&data, count, json),
    }
}

fn verify(data: &Path, expect: Option<&str>, json: bool) -> Result<()> {
    let expected = match expect.map(|text| text.split_once(':')) {
        None => None,
        Some(Some((seq, head))) => Some((
            seq.parse::<u64>()?,
            blake3::Hash::from_hex(head).map_err(|_| anyhow!("{head:?} is no head: give its 64 digits"))?,
        )),
        Some(None) => bail!("--expect is SEQ:HEAD, as verify printed it"),
    };
    let (mut chain, mut met) = (Chain::new(), None);
    let (mut announced, mut configured, mut nobodys, mut last) = (0_u64, 0_u64, Vec::new(), 0);
    for record in Reader::open(&disk(data)?)? {
        let record = record?;
        let Some(entry) = chain.take(&record) else { continue };
        last = entry.seq;
        announced += u64::from(entry.announced);
        configured += u64::from(entry.configured);
        if !entry.announced && !entry.configured {
            nobodys.push(entry.seq);
        }
        if expected.is_some_and(|(seq, _)| seq == entry.seq) {
            met = Some(entry.head);
        }
    }
    let line = json!({
        "acts": announced,
        "configured": configured,
        "unannounced": nobodys,
        "without_command": chain.waiting.len() as u64 + chain.lost,
        "head": format!("{last}:{}", chain.head.to_hex()),
    });
    if json {
        out::json_line(&line);
    } else {
        out::say(format_args!("{}", out::pairs(&line)));
    }
    if let Some((seq, head)) = expected
        && met != Some(head)
    {
        bail!("the chain at {seq} is not the one that was written down: this journal was changed, or is another");
    }
    if !nobodys.is_empty() {
        bail!("acts without who and why: at sequence numbers {nobodys:?}");
    }
    Ok(())
}

fn tail(data: &Path, count: usize, json: bool) -> Result<()> {
    let mut chain = Chain::new();
    let mut last = VecDeque::new();
    for record in Reader::open(&disk(data)?)? {
        last.extend(chain.take(&record?));
        if last.len() > count {
            last.pop_front();
        }
    }
    for Entry { line, .. } in &last {
        if json {
            out::json_line(line);
        } else {
            out::say(format_args!("{}", out::pairs(line)));
        }
    }
    Ok(())
}
