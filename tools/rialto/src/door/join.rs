//! How a door or a feed of its own process joins an exchange and follows it: it connects to where the stream is followed, says who
//! it is, is told what it has to know, and takes in every command from the first on. When that connection ends, so does it.

use super::cost::Cost;
use crate::deploy::build;
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Result, bail, ensure};
use rialto_engine::talk::{Introduction, Role, Testify};
use rialto_follow::wire::Stand;
use rialto_follow::{Follower, Key, News, Process, Reason, Refused};
use rialto_model::{Command, Epoch, SequenceNumber, Sequenced};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long it waits for the exchange.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long before it tries again.
const AGAIN: Duration = Duration::from_millis(100);

/// How long an idle turn sleeps: what a command, an answer or a message may wait for here.
pub(super) const IDLE: Duration = Duration::from_micros(100);
/// Commands of the stream followed in one turn.
const FOLLOWED: usize = 256;
/// Windows of cost said at once.
const COSTS: usize = 1_024;

/// Where it joins, and as what.
#[derive(Debug, clap::Args)]
pub(crate) struct Join {
    /// Where the exchange lets itself be followed, see `--follow-listen`; on this machine
    #[arg(long, value_name = "ADDR")]
    follow: SocketAddr,
    /// The exchange's key: its `follow.key`, or a copy that only you may read
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// What people call it [default: what it is]
    #[arg(long)]
    name: Option<String>,
    /// To be measured against: the old build once more
    #[arg(long)]
    baseline: bool,
}

/// One that has joined.
pub(crate) struct Joined {
    pub(crate) follower: Follower,
    /// What the exchange says that it has to know.
    pub(crate) brief: Vec<u8>,
    /// The commands that came before that.
    early: Vec<Sequenced<Command>>,
    /// Up to where was released by then.
    released: SequenceNumber,
}

impl Join {
    /// Joins, from the first command on, as a candidate or as what it is measured against.
    pub(crate) fn begin(&self, [candidate, baseline]: [Role; 2], interrupt: &Interrupt) -> Result<Joined> {
        let role = if self.baseline { baseline } else { candidate };
        let name = self
            .name
            .as_deref()
            .unwrap_or(if role.is_door() { "door" } else { "feed" });
        let introduction = Introduction {
            role,
            build: build::id(),
            table: build::flag_table(),
            release: rialto_matching::CURRENT_RELEASE,
            pid: std::process::id(),
            name: name.to_owned(),
        };
        let begun = Instant::now();
        let mut follower = self.connect(name)?;
        let mut early = Vec::new();
        let mut released = SequenceNumber(0);
        while !interrupt.is_set() {
            ensure!(begun.elapsed() < PATIENCE, "no exchange answered for {PATIENCE:?}");
            match follower.next(Duration::from_millis(20))? {
                Some(News::Connected(welcome)) => {
                    released = welcome.frontier;
                    follower.introduce(&introduction.encode());
                    follower.flush();
                }
                Some(News::Command(command)) => early.push(command),
                Some(News::Briefed(brief)) => {
                    return Ok(Joined {
                        follower,
                        brief,
                        early,
                        released,
                    });
                }
                Some(News::Lost(why)) => {
                    out::complain(format_args!("{why}; it is tried again"));
                    early.clear();
                    follower = self.connect(name)?;
                    std::thread::sleep(AGAIN);
                }
                Some(News::Snapshot { .. } | News::Frontier(_)) | None => {}
            }
        }
        bail!("interrupted")
    }

    fn connect(&self, name: &str) -> Result<Follower> {
        let key = Key::load(&self.key)?;
        let follower = Follower::new(self.follow, key, Stand::default(), Epoch(0), false);
        Ok(follower.of(Process::this(name)))
    }
}

/// What serves members or subscribers by what it follows.
pub(crate) trait Serves: Sized {
    /// What becomes of those it served when it has to end, for people.
    const AFTERWARDS: &'static str;

    /// Takes in the next command.
    fn follow(&mut self, command: &Sequenced<Command>);
    /// The last one.
    fn last(&self) -> SequenceNumber;
    /// Whether there is room for what comes of more.
    fn has_room(&self) -> bool;
    /// The past is over: whoever comes is served from here on.
    fn open(&mut self, follower: &mut Follower);
    /// Its work is measured.
    fn cost(&mut self) -> &mut Cost;
    /// Does what there is to do, with so many commands just followed; how much that was.
    fn turn(&mut self, follower: &mut Follower, followed: usize) -> usize;
    /// The exchange has ended in good order.
    fn leave(self, follower: &mut Follower) -> Result<()>;
    /// It is to end itself.
    fn close(self, follower: &mut Follower) -> Result<()>;

    /// Says what its work has cost and what it holds.
    fn say_health(&mut self, follower: &mut Follower) {
        let costs = self.cost().take();
        for costs in costs.chunks(COSTS) {
            follower.testify(&Testify::Costs(costs.to_vec()).encode());
        }
        let (taken, memory) = (self.last(), crate::engine::resident());
        follower.testify(&Testify::Health { taken, memory }.encode());
    }
}

impl Joined {
    /// Follows and serves until the exchange has ended, or this process is to.
    pub(crate) fn serve<S: Serves>(self, mut served: S, interrupt: &Interrupt) -> Result<()> {
        let Self {
            mut follower,
            early,
            released,
            ..
        } = self;
        early.iter().for_each(|command| served.follow(command));
        drop(early);
        let mut open = false;
        while !interrupt.is_set() && !out::is_closed() {
            served.cost().begin();
            let mut followed = 0;
            while followed < FOLLOWED
                && served.has_room()
                && let Some(news) = follower.poll()?
            {
                match news {
                    News::Command(command) => {
                        let last = served.last();
                        ensure!(command.seq == last.next(), "command {} came behind {last}", command.seq);
                        served.follow(&command);
                        followed += 1;
                    }
                    News::Lost(Refused::Farewell(Reason::Ended, _)) => return served.leave(&mut follower),
                    News::Lost(why) => bail!("behind {}: {why}; {}", served.last(), S::AFTERWARDS),
                    News::Snapshot { .. } => bail!("it begins with the first command, and a snapshot came"),
                    News::Connected(_) | News::Briefed(_) | News::Frontier(_) => {}
                }
            }
            if !open && served.last() >= released {
                open = true;
                served.open(&mut follower);
            }
            if served.turn(&mut follower, followed) + followed == 0 {
                std::thread::sleep(IDLE);
            }
        }
        served.close(&mut follower)
    }
}
