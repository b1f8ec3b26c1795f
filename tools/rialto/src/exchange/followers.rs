//! What follows the journal beside the stages, each on threads of its own: snapshots, the feed's history and the
//! administration socket.
//!
//! None of it is part of the order's path: it reads the files up to the frontier, and no stage waits for it or knows of it.

use super::core::journal_folder;
use super::history::{Desk, HistoryThread};
use crate::ask::admin::Server;
use crate::ask::{Live, World};
use crate::config::Config;
use anyhow::Result;
use rialto_gateway::Say;
use rialto_journal::{Frontier, OsDisk};
use rialto_model::SequenceNumber;
use rialto_past::{FeedHistory, Snapshots, Snapshotter, Stream};
use serde_json::{Value, json};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a follower sleeps that stands at the frontier.
const LOOK: Duration = Duration::from_millis(10);

/// All of them, until dropped.
pub(crate) struct Followers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    _admin: Server,
}

/// How the snapshots stand.
#[derive(Debug, Default)]
struct Progress {
    followed: AtomicU64,
    newest: AtomicU64,
    problem: Mutex<Option<String>>,
}

impl Followers {
    /// Starts what the configuration asks for.
    pub(super) fn start(config: &Config, frontier: &Frontier, say: &Say, desks: Vec<Desk>) -> Result<Self> {
        let progress = Arc::new(Progress::default());
        let every = NonZeroU64::new(config.snapshot_every);
        let seen = Arc::clone(&progress);
        let status = move || json!({ "snapshot_every": every, "snapshots_follow": seen.describe() });
        let live = Live {
            frontier: frontier.clone(),
            status: Box::new(status),
        };
        let world = Arc::new(World::live(config.data.clone(), live));
        let mut followers = Self {
            stop: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
            _admin: Server::open(&config.data, Arc::clone(&world))?,
        };
        let stream = Stream {
            journal: OsDisk::open_dir(&journal_folder(&config.data))?,
            snapshots: Some(world.writing(|snapshots| Ok(snapshots.clone()))??),
            limit: None,
            replay_max: u64::MAX,
        };
        let released = frontier.clone();
        let history = HistoryThread {
            desks,
            history: FeedHistory::new(stream, move || released.released_up_to().1),
            say: say.clone(),
            stop: Arc::clone(&followers.stop),
        };
        let thread = std::thread::Builder::new().name("feed history".to_owned());
        followers.threads.push(thread.spawn(move || history.run())?);
        if let Some(every) = every {
            let snapshots = SnapshotThread {
                journal: OsDisk::open_dir(&journal_folder(&config.data))?,
                frontier: frontier.clone(),
                every,
                world,
                progress,
                say: say.clone(),
                stop: Arc::clone(&followers.stop),
            };
            let thread = std::thread::Builder::new().name("snapshots".to_owned());
            followers.threads.push(thread.spawn(move || snapshots.run())?);
        }
        Ok(followers)
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Progress {
    fn describe(&self) -> Value {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "seq": self.followed.load(Ordering::Relaxed),
            "newest": self.newest.load(Ordering::Relaxed),
            "problem": *problem,
        })
    }
}

/// Takes a snapshot every so many commands.
struct SnapshotThread {
    journal: OsDisk,
    frontier: Frontier,
    every: NonZeroU64,
    world: Arc<World>,
    progress: Arc<Progress>,
    say: Say,
    stop: Arc<AtomicBool>,
}

impl SnapshotThread {
    fn run(&self) {
        if let Err(error) = self.follow() {
            self.complain(format!("no more snapshots are taken, the exchange goes on: {error:#}"));
        }
    }

    fn follow(&self) -> Result<()> {
        let folder = self.world.writing(|snapshots| Ok(snapshots.clone()))??;
        let mut follower = Snapshotter::begin(self.journal.clone(), self.every, self.frontier.clone(), folder)?;
        while !self.stop.load(Ordering::Relaxed) {
            let (taken, due) = follower.step()?;
            self.progress.followed.store(follower.seq().0, Ordering::Relaxed);
            if due {
                self.take(&follower)?;
            }
            if taken == 0 {
                std::thread::sleep(LOOK);
            }
        }
        Ok(())
    }

    /// A disk that refuses costs this snapshot and is said; the next one is tried all the same.
    fn take(&self, follower: &Snapshotter<OsDisk>) -> Result<()> {
        let Some(snapshot) = follower.snapshot() else {
            return Ok(());
        };
        let seq: SequenceNumber = snapshot.seq;
        match self
            .world
            .writing(|snapshots: &Snapshots<OsDisk>| snapshots.take(&snapshot))?
        {
            Ok(()) => {
                self.progress.newest.store(seq.0, Ordering::Relaxed);
                *self.progress.problem.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            Err(error) => self.complain(format!(
                "no snapshot at sequence number {seq}, the journal has everything: {error}"
            )),
        }
        Ok(())
    }

    fn complain(&self, line: String) {
        *self.progress.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(line.clone());
        self.say.line(|| line);
    }
}
