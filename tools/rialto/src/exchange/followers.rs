//! What follows the journal beside the stages, each on threads of its own: snapshots, the feed's history, the
//! administration socket, and the socket by which other processes follow.
//!
//! None of it is part of the order's path: it reads the files up to the frontier, and no stage waits for it or knows of it.

use super::core::journal_folder;
use super::history::{Desk, HistoryThread};
use super::runaway::RunawayThread;
use super::stages::StageThread;
use super::store::{StoreDesk, StoreThread};
use crate::ask::admin::Server;
use crate::ask::flags::{Processes, said};
use crate::ask::{Live, World};
use crate::config::{Config, FollowConfig};
use crate::deploy::{Deployment, Names, Office, Place};
use crate::retention::RetentionThread;
use anyhow::{Context as _, Result, anyhow};
use crossbeam_channel::Sender;
use rialto_follow::{Key, Server as FollowServer, Source, Statused};
use rialto_gateway::{FirmPorts, Say};
use rialto_journal::retention::Retention;
use rialto_journal::{Frontier, OsDisk};
use rialto_model::command::RefuseProcess;
use rialto_model::flags::table_hash;
use rialto_model::{Command, SequenceNumber, Text, VenueId};
use rialto_past::{FeedHistory, Snapshots, Snapshotter, Stream};
use rialto_ring::FaultBoard;
use rialto_sequencer::{Standing, StandingHandle};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a follower sleeps that stands at the frontier.
const LOOK: Duration = Duration::from_millis(10);

/// The key of followers in a data folder.
pub(crate) const FOLLOW_KEY: &str = "follow.key";

/// All of them, until dropped.
pub(crate) struct Followers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    world: Arc<World>,
    _admin: Server,
    follow: Option<(FollowServer, FollowAddress)>,
}

/// Where other processes follow, and what they must have.
#[derive(Clone, Debug)]
pub(crate) struct FollowAddress {
    pub(crate) address: SocketAddr,
    pub(crate) key: PathBuf,
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
    pub(super) fn start(
        config: &Config,
        (frontier, standing): (&Frontier, &StandingHandle),
        (faults, operations, ports): (FaultBoard, Sender<Command>, FirmPorts),
        stage_thread: StageThread,
        desks: Vec<Desk>,
        deployment: &Arc<Deployment>,
        say: &Say,
    ) -> Result<Self> {
        let stages = stage_thread.stages();
        let progress = Arc::new(Progress::default());
        let every = NonZeroU64::new(config.snapshot_every);
        let seen = Arc::clone(&progress);
        let follow_statuses = Arc::new(OnceLock::<Statused>::new());
        let forget = operations.clone();
        let forgotten = move |name| {
            let sent = forget.try_send(no_longer_refused(name));
            sent.map_err(|_| anyhow!("the exchange has more operations to do than it keeps: try again in a moment"))
        };
        let processes = Processes::new(Arc::clone(&follow_statuses), Box::new(forgotten));
        let (statuses, refused) = (Arc::clone(&follow_statuses), processes.clone());
        let (record, sequence) = (operations.clone(), operations.clone());
        let (room, standing) = (frontier.clone(), standing.clone());
        let store = Arc::<StoreDesk>::default();
        let kept = Arc::clone(&store);
        let status = move || {
            json!({
                "takes": takes(standing.read()),
                "room_problem": room.reserve_problem(),
                "snapshot_every": every,
                "snapshots_follow": seen.describe(),
                "followers": statuses.get().map(describe),
                "members": members(&kept),
                "refused": refused.describe(),
            })
        };
        let live = Live {
            store: Arc::clone(&store),
            frontier: frontier.clone(),
            faults,
            ports,
            stages,
            sequence: Box::new(move |command| {
                sequence
                    .try_send(command)
                    .map_err(|_| anyhow!("the exchange has more operations to do than it keeps: try again in a moment"))
            }),
            processes,
            deployment: Arc::clone(deployment),
            status: Box::new(status),
        };
        let world = Arc::new(World::live(config.data.clone(), live));
        let follow = match &config.follow {
            Some(follow) => Some(open(config, follow, frontier, &world, deployment, record)?),
            None => None,
        };
        if let Some((server, _)) = &follow {
            let _ = follow_statuses.set(server.statuses());
        }
        let mut followers = Self {
            stop: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
            world: Arc::clone(&world),
            _admin: Server::open(&config.data, Arc::clone(&world))?,
            follow,
        };
        let named = Arc::clone(&world);
        deployment.open(Place {
            frontier: frontier.clone(),
            follow: followers.follow().cloned(),
            doors: serde_json::to_string(&config.of_doors())?,
            names: Box::new(move || Ok(Names::of(&named.stream()?.at(None)?.past.state()))),
        })?;
        let stream = Stream {
            journal: OsDisk::open_dir(&journal_folder(&config.data))?,
            snapshots: Some(world.writing(|snapshots| Ok(snapshots.clone()))??),
            limit: None,
            replay_max: u64::MAX,
        };
        let members = StoreThread {
            journal: OsDisk::open_dir(&journal_folder(&config.data))?,
            frontier: frontier.clone(),
            desk: store,
            stop: Arc::clone(&followers.stop),
        };
        let thread = std::thread::Builder::new().name("member store".to_owned());
        followers.threads.push(thread.spawn(move || members.run())?);
        let stop = Arc::clone(&followers.stop);
        let thread = std::thread::Builder::new().name("stage times".to_owned());
        followers.threads.push(thread.spawn(move || stage_thread.run(&stop))?);
        let released = frontier.clone();
        let history = HistoryThread {
            desks,
            history: FeedHistory::new(stream, move || released.released_up_to().1),
            say: say.clone(),
            stop: Arc::clone(&followers.stop),
        };
        let thread = std::thread::Builder::new().name("feed history".to_owned());
        followers.threads.push(thread.spawn(move || history.run())?);
        let stop = Arc::clone(&followers.stop);
        let (own, released) = (Arc::clone(&world), frontier.clone());
        let guard = RunawayThread::new(&config.data, released, own, operations, say.clone(), stop)?;
        let thread = std::thread::Builder::new().name("runaway guard".to_owned());
        followers.threads.push(thread.spawn(move || guard.run())?);
        if let Some(retention) = &config.retention {
            let thread = RetentionThread {
                data: config.data.clone(),
                retention: Retention {
                    days: retention.days,
                    bytes: retention.bytes,
                },
                say: say.clone(),
                stop: Arc::clone(&followers.stop),
            };
            let builder = std::thread::Builder::new().name("retention".to_owned());
            followers.threads.push(builder.spawn(move || thread.run())?);
        }
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

    /// Where other processes follow, if they may.
    pub(crate) fn follow(&self) -> Option<&FollowAddress> {
        self.follow.as_ref().map(|(_, address)| address)
    }
}

/// Lets other processes follow.
fn open(
    config: &Config,
    follow: &FollowConfig,
    frontier: &Frontier,
    world: &Arc<World>,
    deployment: &Arc<Deployment>,
    record: Sender<Command>,
) -> Result<(FollowServer, FollowAddress)> {
    let key = follow.key.clone().unwrap_or_else(|| config.data.join(FOLLOW_KEY));
    let secret = Key::load_or_make(&key)?;
    let world = Arc::clone(world);
    let admitted = record.clone();
    let source = Source {
        venue: VenueId(config.venue),
        journal: OsDisk::open_dir(&journal_folder(&config.data))?,
        frontier: frontier.clone(),
        // A folder that cannot be read costs the follower time: it begins with the first command.
        snapshot: Box::new(move |no_later| world.stream().ok()?.newest_snapshot(no_later).ok()?),
        table: table_hash(),
        // For the record alone: where there is no room for it now, the process is refused and remembered all the same.
        refused: Box::new(move |stale| {
            let _ = record.try_send(
                RefuseProcess {
                    table: stale.process.table,
                    wanted: table_hash(),
                    name: stale.process.name,
                }
                .into(),
            );
        }),
        stale: deployment.refused(),
        admitted: Box::new(move |process| {
            let _ = admitted.try_send(no_longer_refused(process.name));
        }),
        engines: Some(Arc::new(Office(Arc::clone(deployment)))),
    };
    let server = FollowServer::open(follow.listen, secret, source)
        .with_context(|| format!("cannot listen for followers on {}", follow.listen))?;
    let address = server.address();
    Ok((server, FollowAddress { address, key }))
}

/// A process that was refused has come with this build's table, or is gone for good: for the record.
fn no_longer_refused(name: Text) -> Command {
    let own = table_hash();
    RefuseProcess {
        table: own,
        wanted: own,
        name,
    }
    .into()
}

/// What the venue takes, in a word.
const fn takes(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "everything",
        Standing::CancelOnly => "cancels",
        Standing::Closed => "nothing",
    }
}

fn members(store: &StoreDesk) -> Value {
    let (seq, directory) = {
        let kept = store.read();
        (kept.seq().0, kept.directory().version())
    };
    json!({ "seq": seq, "directory": directory, "problem": store.problem() })
}

fn describe(statuses: &Statused) -> Value {
    let statuses = statuses.read();
    let followers = statuses.iter().map(|status| {
        json!({
            "peer": status.peer.to_string(),
            "sent": status.sent.0,
            "taken": status.taken.0,
            "process": status.process.map(|process| said(&process.name)),
            "flag_table": status.process.map(|process| process.table.to_string()),
        })
    });
    followers.collect()
}

impl Followers {
    /// Who answers questions about the exchange.
    pub(super) fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
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
        rialto_ring::layout::beside_the_path();
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
