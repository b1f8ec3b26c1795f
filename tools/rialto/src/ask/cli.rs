//! `rialto at`, `rialto order history`, `rialto explain`, `rialto snapshot`, `rialto status`.

use super::fault::Wish;
use super::print::print;
use super::{Act, Answer, REJECTED, Request, What, World, admin};
use crate::out;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where, and how it is to be said.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Place {
    /// The data folder of an exchange, running or not
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

/// Levels of a side that are shown unless told otherwise.
const LEVELS: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// Behind this command; `end`: behind the last one
    #[arg(value_name = "SEQ", value_parser = place)]
    seq: Wanted,
    #[command(subcommand)]
    what: Of,
    #[command(flatten)]
    place: Place,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    json: bool,
}

/// A sequence number, or the end.
#[derive(Clone, Copy, Debug)]
struct Wanted(Option<u64>);

fn place(text: &str) -> Result<Wanted, String> {
    match text {
        "end" => Ok(Wanted(None)),
        number => number
            .parse()
            .map(|seq| Wanted(Some(seq)))
            .map_err(|_| "give a sequence number, or `end`".to_owned()),
    }
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Of {
    /// The price levels of one instrument, or of all
    Book {
        /// The instrument
        symbol: Option<String>,
        /// Levels of a side
        #[arg(long, value_name = "N", default_value_t = LEVELS)]
        levels: usize,
    },
    /// A resting order and its place in the queue
    Order {
        /// The venue's name of it: the sequence number of the command that entered it
        id: u64,
    },
    /// A member firm and its sessions
    Member {
        /// Its name, its identifier or one of its sessions
        name: String,
    },
    /// Hashes and counts
    Stats,
}

impl At {
    pub(crate) fn run(self) -> Result<()> {
        let what = match self.what {
            Of::Book { symbol, levels } => What::Book { symbol, levels },
            Of::Order { id } => What::Order { order: id },
            Of::Member { name } => What::Member { name },
            Of::Stats => What::Stats,
        };
        self.place.put(&Request::At { seq: self.seq.0, what }, self.json)
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct History {
    /// The venue's name of the order: the sequence number of the command that entered it
    id: u64,
    #[command(flatten)]
    place: Place,
}

impl History {
    pub(crate) fn run(&self, json: bool) -> Result<()> {
        self.place.put(&Request::History { order: self.id }, json)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The venue's name of the order: the sequence number of the command that entered it
    order: u64,
    #[command(flatten)]
    place: Place,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(self) -> Result<()> {
        self.place.put(&Request::Explain { order: self.order }, self.json)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    place: Place,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) fn run(self) -> Result<()> {
        self.place.put(&Request::Status, self.json)
    }
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Snapshot {
    /// List them, with what is wrong with any
    Ls(Folder),
    /// Take one behind the last command
    Take(Folder),
    /// Remove one; the journal has everything without it
    Drop {
        #[command(flatten)]
        folder: Folder,
        /// Its sequence number
        #[arg(long, value_name = "SEQ")]
        seq: u64,
    },
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Folder {
    /// The data folder of an exchange, running or not
    data: PathBuf,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Snapshot {
    pub(crate) fn run(self) -> Result<()> {
        let (folder, request) = match self {
            Self::Ls(folder) => (folder, Request::SnapshotLs),
            Self::Take(folder) => (folder, Request::SnapshotTake),
            Self::Drop { folder, seq } => (folder, Request::SnapshotDrop { seq }),
        };
        put(&folder.data, &request, folder.json)
    }
}

/// Acts of the venue's operator on an exchange that runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Operate {
    #[command(subcommand)]
    act: Deed,
    #[command(flatten)]
    place: Place,
    /// Who acts; it stands in the stream
    #[arg(long, global = true, default_value = "")]
    who: String,
    /// Why; it stands in the stream
    #[arg(long, global = true, default_value = "")]
    why: String,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Deed {
    /// Bring an instrument into another phase
    Phase {
        /// The instrument
        symbol: String,
        /// continuous, pre-open, opening-auction, volatility-auction, halt, closing-auction, closed, suspended or delisted
        phase: String,
    },
    /// Switch a firm off: its orders go, and nothing but cancels is taken from it
    Kill {
        /// Its name or its identifier
        firm: String,
    },
    /// Switch a firm on again
    Revive {
        /// Its name or its identifier
        firm: String,
    },
    /// Take orders off the books: all, or those of a firm, an instrument, a side
    Cancel {
        /// Only of this firm
        #[arg(long)]
        firm: Option<String>,
        /// Only on this instrument
        #[arg(long)]
        symbol: Option<String>,
        /// Only buy or sell
        #[arg(long)]
        side: Option<String>,
    },
    /// Change an instrument's rules; what is left out stays as it is
    Rules {
        /// The instrument
        symbol: String,
        /// A rulebook as JSON, for example {"offers":["LIMIT","DAY","ICEBERG"],"lot":100}
        rulebook: String,
    },
    /// Say what a firm may send within a window before it is killed as a runaway; without a limit: anything
    Limit {
        /// Its name or its identifier
        firm: String,
        /// The window in milliseconds, a multiple of 10
        #[arg(long, value_name = "MS", default_value_t = 0)]
        window: u32,
        /// Orders, new or replaced
        #[arg(long, value_name = "N", default_value_t = 0)]
        orders: u32,
        /// Price units times units of quantity
        #[arg(long, value_name = "N", default_value_t = 0)]
        notional: u64,
    },
    /// State a parent order for the day: orders whose client id begins with its name and / are its children
    Parent {
        /// Its firm's name or identifier
        firm: String,
        /// Its name
        name: String,
        /// What its children may ask for together; 0 takes it away
        quantity: u64,
    },
    /// Any other command of the venue's own
    Command {
        /// As `rialto journal tail --json` prints it: {"command":"SetTicks","fields":{..}}
        command: String,
    },
}

impl Operate {
    pub(crate) fn run(self) -> Result<()> {
        let json = |text: &str| serde_json::from_str(text).with_context(|| format!("{text:?} is no JSON"));
        let act = match self.act {
            Deed::Phase { symbol, phase } => Act::Phase { symbol, phase },
            Deed::Kill { firm } => Act::Kill { firm, killed: true },
            Deed::Revive { firm } => Act::Kill { firm, killed: false },
            Deed::Cancel { firm, symbol, side } => Act::Cancel { firm, symbol, side },
            Deed::Rules { symbol, rulebook } => Act::Rules {
                symbol,
                rulebook: json(&rulebook)?,
            },
            Deed::Limit {
                firm,
                window,
                orders,
                notional,
            } => Act::Limit {
                firm,
                window_ms: window,
                orders,
                notional,
            },
            Deed::Parent { firm, name, quantity } => Act::Parent { firm, name, quantity },
            Deed::Command { command } => Act::Command {
                command: json(&command)?,
            },
        };
        let request = Request::Operate {
            act,
            who: self.who,
            why: self.why,
        };
        self.place.put(&request, self.json)
    }
}

/// What is broken on purpose: named, seeded, and in the stream, so that a replay has it too.
#[derive(Debug, clap::Args)]
pub(crate) struct Fault {
    #[command(subcommand)]
    what: FaultDeed,
    #[command(flatten)]
    place: Place,
    /// Who acts; it stands in the stream
    #[arg(long, global = true, default_value = "")]
    who: String,
    /// Why; it stands in the stream
    #[arg(long, global = true, default_value = "")]
    why: String,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum FaultDeed {
    /// Break something
    Add(Wish),
    /// What is broken, and how often it has struck
    Ls,
    /// Mend it
    Rm {
        /// What it is called
        name: String,
    },
}

impl Fault {
    pub(crate) fn run(self) -> Result<()> {
        let request = match self.what {
            FaultDeed::Add(fault) => Request::Operate {
                act: Act::FaultAdd { fault },
                who: self.who,
                why: self.why,
            },
            FaultDeed::Ls => Request::Faults,
            FaultDeed::Rm { name } => Request::Operate {
                act: Act::FaultRemove { name },
                who: self.who,
                why: self.why,
            },
        };
        self.place.put(&request, self.json)
    }
}

impl Place {
    /// The data folder.
    pub(crate) fn folder(&self) -> Result<&Path> {
        self.data.as_deref().context("say which exchange: --data DIR")
    }

    /// Whether a folder is named.
    pub(crate) const fn is_named(&self) -> bool {
        self.data.is_some()
    }

    /// The answer's objects, for who goes on with them.
    pub(crate) fn lines(&self, request: &Request) -> Result<Vec<Value>> {
        Ok(answer(self.folder()?, request)?.lines)
    }

    pub(crate) fn put(&self, request: &Request, json: bool) -> Result<()> {
        let data = self.data.as_deref().context("say which exchange: --data DIR")?;
        put(data, request, json)
    }
}

/// Asks the exchange that runs on the folder, or where none does reads its files here.
fn answer(data: &Path, request: &Request) -> Result<Answer> {
    if let Some(answer) = admin::ask(data, request)? {
        return Ok(answer);
    }
    // Says what is wrong with the folder before anything else is.
    let _ = match request {
        Request::Status => crate::replay::filled_disk(data)?,
        _ => crate::replay::disk(data)?,
    };
    World::at_rest(data.to_owned()).answer(request)
}

fn put(data: &Path, request: &Request, json: bool) -> Result<()> {
    let answer = answer(data, request)?;
    for note in &answer.notes {
        out::complain(format_args!("{note}"));
    }
    for line in &answer.lines {
        if json {
            out::json_line(line);
        } else {
            print(request, line);
        }
    }
    let mut events = answer
        .lines
        .iter()
        .filter_map(|line| line["events"].as_array())
        .flatten();
    match events.find_map(|event| event.as_str()?.strip_prefix(REJECTED)) {
        Some(why) => bail!("the command is in the stream and was rejected: {why}"),
        None => Ok(()),
    }
}
