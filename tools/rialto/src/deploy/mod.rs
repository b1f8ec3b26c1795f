//! Two engines on one stream: the exchange's own (blue) and another build's (green), which is compared command by command
//! and, by commands of the stream, waited for. `engine/stage/SPEC.md` has how it works.
//!
//! - [`Deployment`]: who is there, and what the stream says of it. Its watch acts at once on what goes wrong.
//! - [`canary`]: takes a candidate from step to step; [`judge`] says whether it may go on, from evidence alone.
//! - [`ledger`]: what the stream says so far, live and in a replay.
//! - [`edge`]: what doors and feeds in other processes have in common, their seats above all; [`edge_run`] takes a candidate from
//!   share to share.
//! - [`doors`]: doors in other processes, and which sessions come in there.
//! - [`feeds`]: feeds in other processes, and which subscribers they tell; [`listen`] hears what really leaves of them, [`compare`]
//!   holds it against the exchange's own.
//! - [`affected`]: who and what a candidate has reached that is taken back.
//! - [`seat`]: where an engine process is received and heard.

mod affected;
mod attention;
pub(crate) mod build;
mod canary;
mod children;
mod cli;
mod compare;
mod doors;
mod edge;
mod edge_run;
mod feeds;
mod instructions;
mod judge;
pub(crate) mod ledger;
mod listen;
mod pick;
mod seat;
mod statistics;
mod watch;

pub(crate) use canary::CanaryAct;
pub(crate) use cli::{Canary, Deploy};
pub(crate) use doors::{DoorAct, Reception};
pub(crate) use feeds::FeedAct;
pub(crate) use listen::OwnFeed;
pub(crate) use seat::Office;

use crate::exchange::Venue;
use affected::{Affected, Kind};
use anyhow::{Context as _, Result, bail, ensure};
use ledger::Ledger;
use rialto_engine::Testimony;
use rialto_engine::talk::{Introduction, PassedOver};
use rialto_follow::Process;
use rialto_journal::Frontier;
use rialto_matching::EngineState;
use rialto_matching::state::{InstrumentState, SessionState};
use rialto_model::command::{CutOver, Judge, Quarantine, Route};
use rialto_model::{
    Budgets, Command, Cut, Finding, FirmId, InstrumentId, Output, Poison, SequenceNumber, SessionId, Text, Way,
};
use rialto_ring::Word;
use rialto_ring::spsc::{Consumer, Producer, RingBuffer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Testimonies between an engine's connection and who compares; a full ring stops the reading of that connection.
const TESTIMONY_RING: usize = 256;
/// Windows of cost kept: the oldest go.
const WINDOWS_MAX: usize = 16_384;
/// How long a switch may take to come back from the gate before it is said not to have.
const SWITCH_MAX: Duration = Duration::from_secs(30);
/// How often one looks for it.
const SWITCH_LOOK: Duration = Duration::from_micros(200);

/// What operators ask of engines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum DeployAct {
    /// How it stands.
    Status,
    /// From behind a command on, wait for the other engine's word; without a number from the next.
    CutOver { after: Option<u64> },
    /// Wait for it no more.
    Rollback,
    /// Wait for it on one instrument, or no more.
    Route { symbol: String, back: bool },
}

/// An engine that is there.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    introduction: Introduction,
    since: Instant,
    /// The last command that it says it has taken.
    taken: SequenceNumber,
    /// Bytes of memory, first and last.
    memory: Option<(u64, u64)>,
    /// Which arrival this is.
    generation: u64,
}

/// What is known, behind one lock that no stage takes.
#[derive(Debug, Default)]
struct State {
    ledger: Ledger,
    green: Option<Attached>,
    baseline: Option<Attached>,
    generation: u64,
    /// The build of the last candidate, also of one that might not join.
    candidate: u64,
    /// Why the last candidate went.
    farewell: Option<String>,
    /// The cost of each window: the candidate's, the old build's.
    costs: BTreeMap<u64, (Option<u64>, Option<u64>)>,
    /// The last return to this build's own word.
    returned: Option<Value>,
    silences: u64,
    /// The last command that was released before anybody waited for the candidate's word.
    waited_since: Option<SequenceNumber>,
    canary: Option<canary::Run>,
}

/// Both engines, as far as the exchange knows of them.
pub(crate) struct Deployment {
    word: Word,
    venue: Venue,
    testimony: Mutex<Producer<Testimony>>,
    state: Mutex<State>,
    doors: Mutex<doors::Doors>,
    feeds: Mutex<feeds::Feeds>,
    own_feed: OnceLock<OwnFeed>,
    stop: AtomicBool,
    /// What is only known once the exchange is open.
    place: OnceLock<Place>,
}

/// Where things are.
pub(crate) struct Place {
    pub(crate) frontier: Frontier,
    /// Where engines follow, and with which key.
    pub(crate) follow: Option<crate::exchange::followers::FollowAddress>,
    /// What a door in another process has to know, as JSON.
    pub(crate) doors: String,
    /// Symbols and firms behind the last command.
    pub(crate) names: Box<dyn Fn() -> Result<Names> + Send + Sync>,
}

/// Who and what there is by name, and who has orders on what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) symbols: BTreeMap<InstrumentId, String>,
    /// Sessions, each with its firm.
    pub(crate) sessions: BTreeMap<SessionId, (String, String)>,
    pub(crate) orders: BTreeMap<InstrumentId, BTreeSet<SessionId>>,
    /// Firms with budgets of messages.
    pub(crate) budgeted: Vec<String>,
}

impl Names {
    pub(crate) fn of(state: &EngineState) -> Self {
        let symbol = |one: &InstrumentState| (one.definition.instrument, one.definition.symbol.to_string());
        let firms = state
            .firms
            .iter()
            .map(|one| (one.definition.firm, one.definition.mpid.to_string()));
        let firms: BTreeMap<FirmId, String> = firms.collect();
        let session = |one: &SessionState| {
            let firm = firms.get(&one.definition.firm).cloned().unwrap_or_default();
            (one.definition.session, (one.definition.name.to_string(), firm))
        };
        let orders = |one: &InstrumentState| {
            let all = one.bids.iter().chain(&one.asks).map(|order| order.session);
            (one.definition.instrument, all.collect())
        };
        // A weight in waiting is every door's own affair.
        let limits = state
            .members
            .budgets
            .iter()
            .filter(|(_, budgets)| Budgets { weight: 0, ..*budgets } != Budgets::default());
        let budgeted = limits.filter_map(|(firm, _)| firms.get(firm).cloned());
        Self {
            symbols: state.instruments.iter().map(symbol).collect(),
            sessions: state.sessions.iter().map(session).collect(),
            orders: state.instruments.iter().map(orders).collect(),
            budgeted: budgeted.collect(),
        }
    }
}

impl Deployment {
    /// Nobody is there yet. Gives where what engines say is to be compared.
    pub(crate) fn new(venue: Venue, bound: Duration) -> (Arc<Self>, Consumer<Testimony>) {
        let (testimony, heard) = RingBuffer::new(TESTIMONY_RING);
        let deployment = Self {
            word: Word::new(bound),
            venue,
            testimony: Mutex::new(testimony),
            state: Mutex::default(),
            doors: Mutex::default(),
            feeds: Mutex::default(),
            own_feed: OnceLock::new(),
            stop: AtomicBool::new(false),
            place: OnceLock::new(),
        };
        (Arc::new(deployment), heard)
    }

    /// What the gate and who compares share.
    pub(crate) fn word(&self) -> Word {
        self.word.clone()
    }

    /// Takes in an event of the stream as it was found.
    pub(crate) fn replay(&self, output: &Output) {
        self.state().ledger.follow(output);
        self.doors().replay(output);
        self.feeds().replay(output);
    }

    /// Processes that were refused for another flag table than this build's, as the stream says. One whose table is this
    /// build's is not refused again.
    pub(crate) fn refused(&self) -> Vec<Process> {
        let state = self.state();
        let all = state.ledger.refused.iter();
        all.filter(|(_, table)| table.0 != build::flag_table())
            .map(|(name, table)| Process {
                name: *name,
                table: *table,
            })
            .collect()
    }

    /// What the stream has to be told first: whoever was waited for is gone with the last process.
    pub(crate) fn opening(&self) -> Vec<Command> {
        let state = self.state();
        let mut commands = Vec::new();
        if let Some(build) = state.ledger.live {
            commands.push(cut_over(
                build,
                SequenceNumber(0),
                false,
                "the exchange was started again",
            ));
        }
        if !state.ledger.routed.is_empty() {
            let build = state.ledger.routed_to;
            commands.push(route(build, InstrumentId(0), false, "the exchange was started again"));
        }
        commands.extend(self.doors().opening());
        commands.extend(self.feeds().opening());
        commands
    }

    /// Begins to watch.
    pub(crate) fn open(self: &Arc<Self>, place: Place) -> Result<()> {
        ensure!(self.place.set(place).is_ok(), "a deployment is opened once");
        watch::spawn(self)
    }

    /// Ends a canary that runs, and waits for nobody any more.
    pub(crate) fn close(&self) {
        self.stop.store(true, Ordering::Release);
        self.word.detach();
        self.close_doors();
        self.close_feeds();
        let children = self.state().canary.as_mut().map(canary::Run::children);
        if let Some(children) = children {
            children.end();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self) -> Result<&Place> {
        self.place.get().context("the exchange is not open yet")
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// What operators ask.
    pub(crate) fn act(&self, act: &DeployAct) -> Result<Vec<Value>> {
        match act {
            DeployAct::Status => Ok(vec![self.status()]),
            DeployAct::CutOver { after } => {
                let build = self.promotable()?;
                let done = self.cut(
                    build,
                    after.map_or(SequenceNumber(0), SequenceNumber),
                    "an operator's cut-over",
                )?;
                Ok(vec![done])
            }
            DeployAct::Rollback => Ok(vec![self.roll_back("an operator's rollback")?]),
            DeployAct::Route { symbol, back } => {
                let names = (self.place()?.names)()?;
                let found = names.symbols.iter().find(|(_, name)| *name == symbol);
                let (instrument, _) = found.with_context(|| format!("no instrument is called {symbol:?}"))?;
                let build = if *back {
                    self.state().ledger.routed_to
                } else {
                    self.promotable()?
                };
                let done = self.route(build, &[*instrument], !back, "an operator's route")?;
                Ok(vec![done])
            }
        }
    }

    /// The build that is there, if it may be waited for.
    fn promotable(&self) -> Result<u64> {
        let state = self.state();
        let Some(green) = &state.green else {
            let last = state.farewell.as_ref().map(|why| format!(" any more ({why})"));
            bail!(
                "no other engine follows{}: start one with `rialto engine --follow`, or a canary",
                last.unwrap_or_default()
            );
        };
        let (name, build) = (&green.introduction.name, green.introduction.build);
        if let Some(found) = self.word.difference() {
            bail!(
                "{name} of build {} differed at {}: it cannot be promoted",
                build::name(build),
                found.seq
            );
        }
        if let Some(why) = state.ledger.wrong.get(&build) {
            bail!(
                "build {} was found wrong ({why}): it cannot be promoted",
                build::name(build)
            );
        }
        ensure!(
            self.word.agreed().0 > 0,
            "{name} has not caught up yet: it agrees to nothing so far"
        );
        Ok(build)
    }

    /// Cuts over, and waits until the gate knows.
    fn cut(&self, build: u64, after: SequenceNumber, why: &str) -> Result<Value> {
        let begun = Instant::now();
        let before = self.released();
        let seq = self.switch(&[cut_over(build, after, true, why)])?;
        self.state().waited_since.get_or_insert(before);
        Ok(json!({
            "cut_over": build::name(build),
            "after": after.max(seq).0,
            "seq": seq.0,
            "ms": millis(begun),
        }))
    }

    /// Routes instruments, and waits until the gate knows.
    fn route(&self, build: u64, instruments: &[InstrumentId], candidate: bool, why: &str) -> Result<Value> {
        let begun = Instant::now();
        let commands: Vec<Command> = instruments
            .iter()
            .map(|one| route(build, *one, candidate, why))
            .collect();
        let before = self.released();
        let seq = self.switch(&commands)?;
        if candidate {
            self.state().waited_since.get_or_insert(before);
        }
        Ok(json!({
            "build": build::name(build),
            "routed": instruments.len(),
            "candidate": candidate,
            "seq": seq.0,
            "ms": millis(begun),
        }))
    }

    /// Waits for the other engine no more, on no instrument. Says who was affected.
    fn roll_back(&self, why: &str) -> Result<Value> {
        let begun = Instant::now();
        let (live, routed, build) = {
            let state = self.state();
            let build = state.ledger.live.unwrap_or(state.ledger.routed_to);
            (state.ledger.live.is_some(), state.ledger.routed.clone(), build)
        };
        let released = self.word.counts().released;
        let mut commands = Vec::new();
        if live || routed.is_empty() {
            commands.push(cut_over(build, SequenceNumber(0), false, why));
        }
        if !routed.is_empty() {
            commands.push(route(build, InstrumentId(0), false, why));
        }
        let seq = self.switch(&commands)?;
        let ms = millis(begun);
        let affected = self.affected(live, &routed, seq);
        if live || !routed.is_empty() {
            self.recall(Kind::Engine, build, &affected, why)?;
        }
        let done = json!({
            "rolled_back": build::name(build),
            "why": why,
            "seq": seq.0,
            "ms": ms,
            "instruments": routed.len(),
            "was_live": live,
            "released_by_its_word": released,
            "affected": affected.line(),
        });
        self.state().returned = Some(done.clone());
        Ok(done)
    }

    /// Who and what there is by name; nobody where that is not known.
    fn names(&self) -> Names {
        let names = self.place.get().map(|place| (place.names)());
        names.and_then(Result::ok).unwrap_or_default()
    }

    /// The instruments whose events waited for the other engine, and who has orders there.
    fn affected(&self, live: bool, routed: &BTreeSet<InstrumentId>, up_to: SequenceNumber) -> Affected {
        let names = self.names();
        let of = |id: &&InstrumentId| live || routed.contains(id);
        let orders = names.orders.iter().filter(|(id, _)| of(id));
        let sessions: BTreeSet<&SessionId> = orders.flat_map(|(_, all)| all).collect();
        let sessions = || sessions.iter().filter_map(|id| names.sessions.get(*id));
        let symbols = names.symbols.iter().filter(|(id, _)| of(id));
        Affected {
            sessions: sessions().map(|(name, _)| name.clone()).collect(),
            firms: sessions().map(|(_, firm)| firm.clone()).collect(),
            instruments: symbols.map(|(_, symbol)| symbol.clone()).collect(),
            after: self.state().waited_since.take().unwrap_or(up_to),
            up_to,
        }
    }

    /// Sequences commands that change who waits, and waits until the gate has passed the last.
    fn switch(&self, commands: &[Command]) -> Result<SequenceNumber> {
        let before = self.word.switches();
        for command in commands {
            self.venue.sequence(*command)?;
        }
        // What is asked for holds from here on for who asks; the stream says it a moment later.
        let begun = Instant::now();
        while self.word.switches() < before + commands.len() as u64 {
            ensure!(
                begun.elapsed() < SWITCH_MAX,
                "the command did not come back within {SWITCH_MAX:?}: look at `rialto status`"
            );
            std::thread::sleep(SWITCH_LOOK);
        }
        let seq = self.word.switched();
        let mut state = self.state();
        for command in commands {
            let event = match *command {
                Command::CutOver(c) => c.into(),
                Command::Route(c) => c.into(),
                _ => continue,
            };
            let (stamp, epoch) = (Default::default(), Default::default());
            let event = rialto_model::Sequenced {
                seq,
                stamp,
                epoch,
                body: event,
            };
            state.ledger.follow(&Output { event, last: true });
        }
        Ok(seq)
    }

    /// Records a verdict in the stream.
    fn record(&self, finding: Finding, why: &str) -> Result<()> {
        if !finding.passed {
            self.state().ledger.wrong.insert(finding.build, why.to_owned());
        }
        self.venue.sequence(
            Judge {
                finding,
                why: text(why),
            }
            .into(),
        )
    }

    /// Has a build pass over a command from here on.
    fn pass_over(&self, build: u64, one: PassedOver) -> Result<()> {
        let (seq, instrument) = one;
        self.state().ledger.passed_over.entry(build).or_default().push(one);
        let poison = Poison { build, seq, instrument };
        self.venue.sequence(Quarantine { poison }.into())
    }

    /// How it stands.
    pub(crate) fn status(&self) -> Value {
        let state = self.state();
        let frontier = self.place.get().map_or(0, |place| place.frontier.released_up_to().1.0);
        let counts = self.word.counts();
        let agreed = self.word.agreed().0;
        let difference = self
            .word
            .difference()
            .map(|found| json!({ "seq": found.seq.0, "index": found.index, "blue": found.blue, "green": found.green }));
        let engine = |attached: &Attached| {
            json!({
                "name": attached.introduction.name,
                "build": build::name(attached.introduction.build),
                "pid": attached.introduction.pid,
                "taken": attached.taken.0,
                "seconds": attached.since.elapsed().as_secs_f64(),
                "memory": attached.memory.map(|(_, last)| last),
            })
        };
        let over = |all: &BTreeMap<u64, Vec<PassedOver>>| -> Vec<Value> {
            let each = all
                .iter()
                .flat_map(|(build, all)| all.iter().map(move |one| (build, one)));
            each.map(|(build, (seq, instrument))| {
                json!({ "build": build::name(*build), "seq": seq.0, "instrument": instrument.0 })
            })
            .collect()
        };
        json!({
            "build": build::name(build::id()),
            "flag_table": build::name(build::flag_table()),
            "green": state.green.as_ref().map(engine),
            "baseline": state.baseline.as_ref().map(engine),
            "live": state.ledger.live.map(build::name),
            "routed": state.ledger.routed.len(),
            "frontier": frontier,
            "agreed": agreed,
            "behind": frontier.saturating_sub(agreed),
            "compared": counts.compared,
            "missed": counts.missed,
            "difference": difference,
            "released_by_its_word": counts.released,
            "silences": state.silences,
            "longest_wait_ms": counts.longest_ns as f64 / 1e6,
            "bound_ms": self.word.bound().as_secs_f64() * 1e3,
            "windows": state.costs.len(),
            "quarantined": over(&state.ledger.passed_over),
            "wrong": state.ledger.wrong.iter().map(|(build, why)| (build::name(*build), json!(why))).collect::<serde_json::Map<_, _>>(),
            "farewell": state.farewell,
            "last_return": state.returned,
        })
    }
}

/// The command that changes whose word every event waits for.
fn cut_over(build: u64, after: SequenceNumber, green: bool, why: &str) -> Command {
    let standing = build::id();
    CutOver {
        cut: Cut {
            build,
            standing,
            after,
            green,
        },
        why: text(why),
    }
    .into()
}

/// The command that changes whose word an instrument's events wait for.
fn route(build: u64, instrument: InstrumentId, candidate: bool, why: &str) -> Command {
    Route {
        way: Way {
            build,
            instrument,
            candidate,
        },
        why: text(why),
    }
    .into()
}

/// As much of it as a text holds.
fn text(why: &str) -> Text {
    let mut end = why.len().min(39);
    while !why.is_char_boundary(end) {
        end -= 1;
    }
    Text::new(why.get(..end).unwrap_or_default().as_bytes()).unwrap_or_default()
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
