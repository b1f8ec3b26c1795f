//! `rialto follow`: the stream of an exchange from another process, from a snapshot or its first command to live.
//!
//! An engine of its own goes through every released command, so what is said here, how far it is and the hash of all events
//! so far, is worked out and not repeated. A connection that breaks is made again behind the last command; what could not
//! be applied once and in order would end it.

use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result, ensure};
use rialto_follow::wire::{Stand, Welcome};
use rialto_follow::{Follower, Key, News, Process, Reason, Refused};
use rialto_model::TableHash;
use rialto_model::flags::table_hash;
use rialto_model::{Epoch, SequenceNumber};
use rialto_past::{Past, Snapshot};
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest wait for news before the clock and Ctrl-C are looked at.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the exchange lets itself be followed, see `--follow-listen`
    address: SocketAddr,
    /// The exchange's key: its `follow.key`, or a copy that only you may read
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What it calls itself: the same when it comes again, for an exchange remembers whom it refused
    #[arg(long, value_name = "NAME", default_value = concat!("follow ", env!("CARGO_PKG_VERSION")))]
    name: String,
    /// Begin with the first command, also where there is a snapshot
    #[arg(long)]
    from_start: bool,
    /// Stop behind this command
    #[arg(long, value_name = "SEQ")]
    until: Option<u64>,
    /// Stop when the exchange has ended in good order and everything it released is here
    #[arg(long)]
    until_end: bool,
    /// Stop after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Seconds between two lines
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = pause)]
    every: f64,
    /// Say that this is another build's flag table: a rehearsal of a stale process, which is refused
    #[arg(long, value_name = "HASH", hide = true, value_parser = table)]
    flag_table: Option<TableHash>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

fn table(text: &str) -> Result<TableHash, String> {
    let hash = u64::from_str_radix(text, 16).map_err(|_| "give 16 hexadecimal digits".to_owned())?;
    Ok(TableHash(hash))
}

fn pause(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "give seconds".to_owned())?;
    let sensible = (0.01..=86_400.0).contains(&seconds);
    sensible
        .then_some(seconds)
        .ok_or_else(|| "give 0.01 to 86400".to_owned())
}

/// How far it is.
#[derive(Clone, Copy, Debug, Serialize)]
struct Standing {
    seq: u64,
    /// What the exchange has released, as far as it is known here.
    frontier: u64,
    behind: u64,
    epoch: u32,
    events: u64,
}

#[derive(Debug, Serialize)]
struct Connected {
    connected: bool,
    venue: u32,
    epoch: u32,
    /// The command behind which it goes on.
    after: u64,
    frontier: u64,
    from_snapshot: bool,
}

#[derive(Debug, Serialize)]
struct Lost {
    lost: bool,
    after: u64,
    why: String,
}

#[derive(Debug, Serialize)]
struct Following {
    following: bool,
    #[serde(flatten)]
    standing: Standing,
    event_hash: String,
}

#[derive(Debug, Serialize)]
struct Stopped {
    stopped: bool,
    #[serde(flatten)]
    standing: Standing,
    /// Commands that came, each the next of the one before.
    commands: u64,
    /// The snapshot that it began with; 0: the first command.
    from_snapshot: u64,
    /// Times that the connection was made again.
    reconnects: u64,
    event_hash: String,
    state_hash: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let key = Key::load(&args.key)?;
    let interrupt = Interrupt::listen()?;
    let begun = Instant::now();
    let deadline = args.seconds.map(Duration::from_secs);
    let every = Duration::from_secs_f64(args.every);
    let mut following = Mirror::new(args.json);
    let process = Process {
        table: args.flag_table.unwrap_or_else(table_hash),
        ..Process::this(&args.name)
    };
    let mut follower = Follower::new(args.address, key, Stand::default(), Epoch(0), !args.from_start).of(process);
    let mut due = begun + every;
    while !interrupt.is_set() && !out::is_closed() && deadline.is_none_or(|most| begun.elapsed() < most) {
        if let Some(news) = follower.next(LOOK)?
            && following.take(news)?
            && args.until_end
        {
            break;
        }
        if args.until.is_some_and(|until| following.past.seq().0 >= until) {
            break;
        }
        if Instant::now() >= due {
            following.say();
            due = Instant::now() + every;
        }
    }
    following.stop();
    Ok(())
}

/// The venue as it is followed.
struct Mirror {
    past: Past,
    frontier: SequenceNumber,
    epoch: Epoch,
    commands: u64,
    connections: u64,
    json: bool,
}

impl Mirror {
    fn new(json: bool) -> Self {
        Self {
            past: Past::new(),
            frontier: SequenceNumber(0),
            epoch: Epoch(0),
            commands: 0,
            connections: 0,
            json,
        }
    }

    /// Takes news; whether the exchange has ended in good order.
    fn take(&mut self, news: News) -> Result<bool> {
        match news {
            News::Connected(welcome) => self.connected(&welcome)?,
            News::Snapshot { seq, bytes } => {
                let snapshot = Snapshot::decode(&bytes)
                    .with_context(|| format!("the exchange's snapshot at sequence number {seq}; try --from-start"))?;
                ensure!(
                    snapshot.seq == seq,
                    "the snapshot that came is of {}, and {seq} was announced; try --from-start",
                    snapshot.seq
                );
                self.past = Past::from_snapshot(&snapshot)?;
            }
            News::Command(command) => {
                // The protocol says so already; an engine that skipped one would be worse than none.
                ensure!(
                    command.seq == self.past.seq().next(),
                    "command {} came behind {}: the stream has a gap",
                    command.seq,
                    self.past.seq()
                );
                self.past.apply(&command);
                self.commands += 1;
                self.epoch = command.epoch;
                self.frontier = self.frontier.max(command.seq);
            }
            News::Frontier(up_to) => self.frontier = self.frontier.max(up_to),
            News::Briefed(_) => {}
            News::Lost(why) => {
                let after = self.past.seq();
                if self.json {
                    let why = why.to_string();
                    out::json_line(&Lost {
                        lost: true,
                        after: after.0,
                        why,
                    });
                } else {
                    out::complain(format_args!("behind sequence number {after}: {why}; it is tried again"));
                }
                return Ok(matches!(why, Refused::Farewell(Reason::Ended, _)));
            }
        }
        Ok(false)
    }

    fn connected(&mut self, welcome: &Welcome) -> Result<()> {
        let Welcome {
            venue,
            epoch,
            after,
            frontier,
            snapshot_bytes,
        } = *welcome;
        if snapshot_bytes == 0 && after != self.past.seq() {
            // Only a snapshot without a command behind it is not gone on from.
            ensure!(
                after.0 == 0 && self.past.applied() == 0,
                "it goes on behind {after}, and this is at {}",
                self.past.seq()
            );
            self.past = Past::new();
        }
        self.connections += 1;
        self.frontier = self.frontier.max(frontier);
        self.epoch = epoch;
        if self.json {
            out::json_line(&Connected {
                connected: true,
                venue: venue.0,
                epoch: epoch.0,
                after: after.0,
                frontier: frontier.0,
                from_snapshot: snapshot_bytes > 0,
            });
        } else {
            let from = if snapshot_bytes > 0 { ", by its snapshot" } else { "" };
            out::say(format_args!(
                "following venue {venue} of epoch {epoch} behind sequence number {after}{from}; {frontier} are released"
            ));
        }
        Ok(())
    }

    fn standing(&self) -> Standing {
        let seq = self.past.seq();
        Standing {
            seq: seq.0,
            frontier: self.frontier.0,
            behind: self.frontier.0.saturating_sub(seq.0),
            epoch: self.epoch.0,
            events: self.past.events(),
        }
    }

    fn say(&self) {
        let (standing, event_hash) = (self.standing(), self.past.event_hash().to_string());
        if self.json {
            out::json_line(&Following {
                following: true,
                standing,
                event_hash,
            });
        } else {
            let Standing {
                seq, behind, events, ..
            } = standing;
            out::say(format_args!(
                "{seq:>12}  {behind} behind  {events} events  {event_hash}"
            ));
        }
    }

    fn stop(&self) {
        let stopped = Stopped {
            stopped: true,
            standing: self.standing(),
            commands: self.commands,
            from_snapshot: self.past.begun().0,
            reconnects: self.connections.saturating_sub(1),
            event_hash: self.past.event_hash().to_string(),
            state_hash: self.past.state_hash().to_string(),
        };
        if self.json {
            out::json_line(&stopped);
        } else {
            out::say(format_args!("{}", out::pairs(&stopped)));
        }
    }
}
