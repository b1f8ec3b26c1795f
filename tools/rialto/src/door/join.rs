//! How a door or a feed of its own process joins an exchange: it connects to where the stream is followed, says who it is, and is
//! told what it has to know.

use crate::deploy::build;
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Result, bail, ensure};
use rialto_engine::talk::{Introduction, Role};
use rialto_follow::wire::Stand;
use rialto_follow::{Follower, Key, News, Process};
use rialto_model::{Command, Epoch, SequenceNumber, Sequenced};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long it waits for the exchange.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long before it tries again.
const AGAIN: Duration = Duration::from_millis(100);

/// Who joins, and where.
pub(crate) struct Join<'a> {
    pub(crate) follow: SocketAddr,
    pub(crate) key: &'a Path,
    pub(crate) name: &'a str,
    pub(crate) role: Role,
}

/// One that has joined.
pub(crate) struct Joined {
    pub(crate) follower: Follower,
    /// What the exchange says that it has to know.
    pub(crate) brief: Vec<u8>,
    /// The commands that came before that.
    pub(crate) early: Vec<Sequenced<Command>>,
    /// Up to where was released by then.
    pub(crate) released: SequenceNumber,
}

impl Join<'_> {
    /// Joins, from the first command on.
    pub(crate) fn begin(&self, interrupt: &Interrupt) -> Result<Joined> {
        let introduction = Introduction {
            role: self.role,
            build: build::id(),
            table: build::flag_table(),
            release: rialto_matching::CURRENT_RELEASE,
            pid: std::process::id(),
            name: self.name.to_owned(),
        };
        let begun = Instant::now();
        let mut follower = self.connect()?;
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
                    follower = self.connect()?;
                    std::thread::sleep(AGAIN);
                }
                Some(News::Snapshot { .. } | News::Frontier(_)) | None => {}
            }
        }
        bail!("interrupted")
    }

    fn connect(&self) -> Result<Follower> {
        let key = Key::load(self.key)?;
        let follower = Follower::new(self.follow, key, Stand::default(), Epoch(0), false);
        Ok(follower.of(Process::this(self.name)))
    }
}
