//! What is known of one data folder: its files, and where it is live how far they may be read.

use super::member::By;
use super::{Act, Answer, Member, OPERATE_LOOK, OPERATE_MAX, Request, What, flags};
use crate::deploy::{DeployAct, Deployment};
use crate::exchange::stages::Stages;
use crate::exchange::store::StoreDesk;
use anyhow::{Context as _, Result, bail};
use rialto_gateway::FirmPorts;
use rialto_journal::{Frontier, OsDisk};
use rialto_model::{Command, Event, OrderId, SequenceNumber, UserRef};
use rialto_past::{Snapshots, StoreError, Stream, Visit, book, explain, find, history, member, order, stats};
use rialto_ring::FaultBoard;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Commands that one request may replay in a running exchange, so that no question occupies it for minutes. Beyond, the
/// request is refused with the advice to take a snapshot.
pub(super) const LIVE_REPLAY_MAX: u64 = 20_000_000;
/// The folder of snapshots in a data folder.
const SNAPSHOTS: &str = "snapshots";

/// A data folder, and the running exchange on it if this process is it.
pub(crate) struct World {
    data: PathBuf,
    live: Option<Live>,
    /// Who writes a snapshot holds it: the folder has one writer.
    taking: Mutex<()>,
}

/// What only the running exchange knows.
pub(crate) struct Live {
    pub(crate) frontier: Frontier,
    /// Puts a command of the venue's own into the stream.
    pub(crate) sequence: Box<dyn Fn(Command) -> Result<()> + Send + Sync>,
    /// What is kept of members.
    pub(crate) store: Arc<StoreDesk>,
    /// The processes that follow it.
    pub(crate) processes: flags::Processes,
    /// Other engines on the stream.
    pub(crate) deployment: Arc<Deployment>,
    /// What is broken on purpose.
    pub(crate) faults: FaultBoard,
    /// The ports of firms that are served apart.
    pub(crate) ports: FirmPorts,
    /// When orders were at each stage.
    pub(crate) stages: Arc<Stages>,
    /// More about it, as an object.
    pub(crate) status: Box<dyn Fn() -> Value + Send + Sync>,
}

impl World {
    /// The files of a folder that no exchange runs on.
    pub(crate) const fn at_rest(data: PathBuf) -> Self {
        Self {
            data,
            live: None,
            taking: Mutex::new(()),
        }
    }

    /// The folder that this process runs an exchange on.
    pub(crate) const fn live(data: PathBuf, live: Live) -> Self {
        Self {
            data,
            live: Some(live),
            taking: Mutex::new(()),
        }
    }

    /// Answers.
    pub(crate) fn answer(&self, request: &Request) -> Result<Answer> {
        match request {
            Request::Status => self.status(),
            Request::At { seq, what } => self.at(*seq, what),
            Request::Find { session, user_ref } => match find(&self.stream()?, session, UserRef(*user_ref))? {
                Some(order) => Answer::of(&[json!({ "order": order.0 })], Vec::new()),
                None => bail!("session {session:?} has called no order {user_ref}"),
            },
            Request::History { order } => {
                let told = history(&self.stream()?, OrderId(*order))?;
                let mut notes = Vec::new();
                if told.cut {
                    notes.push(format!("only the first {} changes are told", told.changes.len()));
                }
                if told.live {
                    notes.push(format!("it still rests at sequence number {}", told.up_to));
                }
                self.timed(Answer::of(&told.changes, notes)?)
            }
            Request::Explain { order } => {
                self.timed(Answer::of(&explain(&self.stream()?, OrderId(*order))?, Vec::new())?)
            }
            Request::SnapshotLs => self.snapshot_ls(),
            Request::SnapshotTake => self.snapshot_take(),
            Request::SnapshotDrop { seq } => {
                let seq = SequenceNumber(*seq);
                match self.snapshots()? {
                    Some(snapshots) => snapshots.drop_one(seq)?,
                    None => bail!("there is no folder of snapshots in {}", self.data.display()),
                }
                Answer::of(&[json!({ "seq": seq.0, "dropped": true })], Vec::new())
            }
            Request::FlagLs { seq } => {
                let state = self.stream()?.at(seq.map(SequenceNumber))?.past.state();
                let live = self.live.as_ref();
                let refused = live.map(|live| live.processes.refused()).unwrap_or_default();
                Answer::of(&flags::ls(Some(&state)), refused)
            }
            Request::FlagExplain { key, aim, seq } => {
                let state = self.stream()?.at(seq.map(SequenceNumber))?.past.state();
                Answer::of(&[flags::explain(&state, key, aim)?], Vec::new())
            }
            Request::FlagForget { name } => match &self.live {
                Some(live) => Answer::of(&[live.processes.forget(name)?], Vec::new()),
                None => bail!("no exchange runs on {}: it remembers nobody", self.data.display()),
            },
            Request::Faults => {
                let state = self.stream()?.at(None)?.past.state();
                let board = self.live.as_ref().map(|live| &live.faults);
                Answer::of(&super::fault::list(&state, board), Vec::new())
            }
            Request::Operate { act, who, why } => self.operate(act, &By::new(who, why)?),
            Request::Member {
                about: Member::Budget { changes, .. },
                ..
            } if changes.keys().any(|name| name != "weight")
                && self.live.as_ref().is_some_and(|live| live.deployment.has_lanes()) =>
            {
                bail!(
                    "a share of the sessions comes in by another process, which would judge a budget by itself: \
                 `rialto deploy door back` first"
                )
            }
            Request::Member { about, who, why } => self.member(about, &By::new(who, why)?),
            Request::Deploy {
                act: act @ DeployAct::Status,
            } => {
                let mut lines = self.deployment()?.act(act)?;
                let refused = self.live.as_ref().map(|live| live.processes.describe());
                if let Some(status) = lines.first_mut().and_then(Value::as_object_mut) {
                    status.insert("refused".to_owned(), refused.unwrap_or_default());
                }
                Answer::of(&lines, Vec::new())
            }
            Request::Deploy { act } => Answer::of(&self.deployment()?.act(act)?, Vec::new()),
            Request::Feeds { act } => Answer::of(&self.deployment()?.feeds_act(act)?, Vec::new()),
            Request::Doors { act } => Answer::of(&self.deployment()?.doors_act(act)?, Vec::new()),
            Request::Canary { act } => Answer::of(&self.deployment()?.canary(act)?, Vec::new()),
        }
    }

    /// Says of each change when its command was at each stage, as `stages`; null where that is not kept.
    fn timed(&self, mut answer: Answer) -> Result<Answer> {
        for line in &mut answer.lines {
            let seq = line["seq"].as_u64().unwrap_or_default();
            let told = self.live.as_ref().and_then(|live| live.stages.of(seq));
            if let Some(line) = line.as_object_mut() {
                line.insert("stages".to_owned(), serde_json::to_value(told)?);
            }
        }
        Ok(answer)
    }

    fn deployment(&self) -> Result<&Arc<Deployment>> {
        let live = self.live.as_ref();
        let live = live.with_context(|| format!("no exchange runs on {}: start it first", self.data.display()))?;
        Ok(&live.deployment)
    }

    /// The command of an operator's act, where the venue stands as it does, is carried out.
    fn operate(&self, act: &Act, by: &By) -> Result<Answer> {
        let state = self.stream()?.at(None)?.past.state();
        self.act(act.command(&state)?, by)
    }

    /// Sequences a command behind who acts and why, waits until it is released and tells the events that came of it.
    pub(super) fn act(&self, command: Command, by: &By) -> Result<Answer> {
        let act = command.act(by.actor, by.why).into();
        Answer::of(&[self.sequence(&[act, command])?], Vec::new())
    }

    /// Sequences a command behind who acts and why, and does not wait.
    pub(super) fn announced(&self, command: Command, by: &By) -> Result<()> {
        let live = self
            .running()
            .context("no exchange runs on this folder: start it first")?;
        (live.sequence)(command.act(by.actor, by.why).into())?;
        (live.sequence)(command)
    }

    /// Sequences commands and waits until the last is released: what came of that one.
    pub(super) fn sequence(&self, commands: &[Command]) -> Result<Value> {
        let Some(live) = &self.live else {
            bail!("no exchange runs on {}: start it first", self.data.display());
        };
        let wanted = commands.last().context("nothing to sequence")?;
        let mut visit = self.stream()?.at(None)?;
        if commands.iter().any(flags::turns_on) {
            live.processes.check()?;
        }
        for command in commands {
            (live.sequence)(*command)?;
        }
        let begun = Instant::now();
        while begun.elapsed() < OPERATE_MAX {
            visit.reach(live.frontier.released_up_to().1, true);
            while let Some(command) = visit.read()? {
                let outputs = visit.past.apply(&command);
                if command.body == *wanted {
                    let events = outputs.iter().map(|output| told(&output.event.body));
                    let line = json!({
                        "seq": command.seq.0,
                        "command": command.body.name(),
                        "events": events.collect::<Vec<_>>(),
                    });
                    if matches!(wanted, Command::AddFault(_) | Command::RemoveFault(_)) {
                        super::fault::show(&live.faults, &visit.past.state());
                    }
                    return Ok(line);
                }
            }
            std::thread::sleep(OPERATE_LOOK);
        }
        bail!("the command did not come back within {OPERATE_MAX:?}: look at `rialto status`")
    }

    /// The exchange that this process runs on the folder, if it does.
    pub(super) const fn running(&self) -> Option<&Live> {
        self.live.as_ref()
    }

    /// Up to which command everything was released, where the exchange runs.
    pub(crate) fn released(&self) -> Option<u64> {
        self.live.as_ref().map(|live| live.frontier.released_up_to().1.0)
    }

    /// When orders were at each stage, where the exchange runs.
    pub(crate) fn stages(&self) -> Option<&Arc<Stages>> {
        self.live.as_ref().map(|live| &live.stages)
    }

    /// What is kept of members, where the exchange runs.
    pub(crate) fn kept(&self) -> Option<Arc<StoreDesk>> {
        self.live.as_ref().map(|live| Arc::clone(&live.store))
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.data
    }

    fn at(&self, seq: Option<u64>, what: &What) -> Result<Answer> {
        let Visit { past, passed_over, .. } = self.stream()?.at(seq.map(SequenceNumber))?;
        match what {
            What::Book { symbol, levels } => Answer::of(&book(&past, symbol.as_deref(), *levels)?, passed_over),
            What::Order { order: id } => Answer::of(&[order(&past, OrderId(*id))?], passed_over),
            What::Member { name } => Answer::of(&[member(&past, name)?], passed_over),
            What::Stats => Answer::of(&[stats(&past)], passed_over),
        }
    }

    fn status(&self) -> Result<Answer> {
        let numbers = match self.snapshots()? {
            Some(snapshots) => snapshots.numbers()?,
            None => Vec::new(),
        };
        let mut line = json!({
            "live": self.live.is_some(),
            "data": self.data,
            "snapshots": numbers.len(),
            "newest_snapshot": numbers.last().map(|seq| seq.0),
            "flag_table": rialto_model::flags::table_hash().to_string(),
        });
        if let (Some(live), Some(object)) = (&self.live, line.as_object_mut()) {
            let (epoch, safe) = live.frontier.released_up_to();
            object.insert("pid".to_owned(), std::process::id().into());
            object.insert("epoch".to_owned(), epoch.0.into());
            object.insert("released_up_to".to_owned(), safe.0.into());
            if let Value::Object(more) = (live.status)() {
                object.extend(more);
            }
        }
        Answer::of(&[line], Vec::new())
    }

    fn snapshot_ls(&self) -> Result<Answer> {
        let listed = match self.snapshots()? {
            Some(snapshots) => snapshots.ls()?,
            None => Vec::new(),
        };
        let lines: Vec<Value> = listed
            .iter()
            .map(|one| {
                let hashes = one.hashes.as_ref();
                json!({
                    "seq": one.seq.0,
                    "bytes": one.bytes,
                    "state_hash": hashes.ok().map(|(state, _)| state.to_string()),
                    "event_hash": hashes.ok().map(|(_, events)| events.to_string()),
                    "damage": hashes.err().map(ToString::to_string),
                    "file": one.file,
                })
            })
            .collect();
        Answer::of(&lines, Vec::new())
    }

    fn snapshot_take(&self) -> Result<Answer> {
        let Visit { past, passed_over, .. } = self.stream()?.at(None)?;
        let snapshot = past
            .snapshot()
            .context("there is no command to take a snapshot behind")?;
        self.writing(|snapshots| snapshots.take(&snapshot))??;
        let line = json!({
            "seq": snapshot.seq.0,
            "state_hash": snapshot.state_hash.to_string(),
            "event_hash": past.event_hash().to_string(),
        });
        Answer::of(&[line], passed_over)
    }

    /// Gives the folder of snapshots, made where there is none, to who alone may write in it.
    pub(crate) fn writing<T>(
        &self,
        write: impl FnOnce(&Snapshots<OsDisk>) -> Result<T, StoreError>,
    ) -> Result<Result<T, StoreError>> {
        let _alone = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
        let disk = OsDisk::create_dir(&snapshots_folder(&self.data))?;
        Ok(write(&Snapshots::new(disk)))
    }

    /// The snapshots, where there is a folder of them.
    fn snapshots(&self) -> Result<Option<Snapshots<OsDisk>>> {
        let folder = snapshots_folder(&self.data);
        if !folder.is_dir() {
            return Ok(None);
        }
        Ok(Some(Snapshots::new(OsDisk::open_dir(&folder)?)))
    }

    /// The stream as far as it may be read.
    pub(crate) fn stream(&self) -> Result<Stream<OsDisk>> {
        let journal = crate::replay::disk(&self.data)?;
        let stream = Stream::at_rest(journal, self.snapshots()?);
        Ok(match &self.live {
            None => stream,
            Some(live) => Stream {
                limit: Some(live.frontier.released_up_to().1),
                replay_max: LIVE_REPLAY_MAX,
                ..stream
            },
        })
    }
}

/// How the word of a rejected command begins; the reason follows.
pub(crate) const REJECTED: &str = "CommandRejected: ";

/// An event of an operator's command, in a word or with its reason.
fn told(event: &Event) -> String {
    match event {
        Event::CommandRejected(refused) => format!("{REJECTED}{}", refused.reason.text()),
        _ => event.name().to_owned(),
    }
}

/// Where in a data folder the snapshots lie.
/// The numbers behind which there is a snapshot, rising.
pub(crate) fn snapshot_numbers(data: &Path) -> Result<Vec<SequenceNumber>> {
    let folder = snapshots_folder(data);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    Ok(Snapshots::new(OsDisk::open_dir(&folder)?).numbers()?)
}

fn snapshots_folder(data: &Path) -> PathBuf {
    data.join(SNAPSHOTS)
}

impl Answer {
    pub(super) fn of(lines: &[impl Serialize], notes: Vec<String>) -> Result<Self> {
        let lines = lines.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
        Ok(Self { lines, notes })
    }
}
