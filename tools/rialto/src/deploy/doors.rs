//! Doors in other processes: a candidate's, and the standing build's as a measure beside it.
//!
//! Which sessions come in there is the stream's to say (`RouteDoor`), and a session's place never changes: so the same one
//! always lands at the same process while the share stands. The exchange's own door looks at the name that a new connection
//! begins with and hands the socket over ([`Reception`]); what it sends from there comes back as commands ([`DoorChair`]).
//! There is nothing to migrate in either direction, for a session's state is the stream.

use super::canary::{Bake, Children};
use super::judge::{DoorCost, door_at_once, door_cost, is_door_dear};
use super::seat::check_brief;
use super::{Deployment, build, millis, text};
use crate::door::{Which, hand};
use anyhow::{Result, bail, ensure};

use rialto_engine::talk::{Introduction, Role, Testify, Transcript};
use rialto_follow::Seat;
use rialto_gateway::{Front, Handed};
use rialto_model::command::{JudgeDoor, RouteDoor, SessionLost};
use rialto_model::{Command, Door, Event, FirmId, Incarnation, Lane, LossCause, Opinion, Output, Place, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Windows of cost kept of each; the oldest go.
const WINDOWS_MAX: usize = 16_384;
/// How long a switch may take to be known at the door.
const SWITCH_MAX: Duration = Duration::from_secs(30);
/// Windows kept of what one has told and the other not yet; the oldest go.
const SAID_MAX: usize = 4_096;
/// How often one looks.
pub(super) const LOOK: Duration = Duration::from_millis(2);
/// The whole, in ten-thousandths; and the largest share beside which there is room for as large a measure.
const WHOLE: u16 = 10_000;
pub(super) const HALF: u16 = WHOLE / 2;

/// What operators ask of doors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "doors", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum DoorAct {
    /// How they stand.
    Status,
    /// Sends a share of new connections to the candidate that is there, and as large a one to the baseline if there is one.
    Share {
        door: Which,
        ten_thousandths: u16,
        by_firm: bool,
    },
    /// Everybody comes in by the exchange's own door from the next connection on.
    Back { door: Which },
    /// Judges what is known, and records it; a verdict against the candidate takes its share back.
    Judge { door: Which },
    /// Starts a candidate and a baseline, and takes the candidate from share to share for as long as the judge lets it.
    Start(StartDoor),
}

/// How a run goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StartDoor {
    pub(crate) door: Which,
    /// The candidate's executable.
    pub(crate) build: PathBuf,
    /// In ten-thousandths, at most half.
    pub(crate) shares: Vec<u16>,
    pub(crate) bake: Bake,
    pub(crate) by_firm: bool,
    /// More arguments for `door`.
    pub(crate) args: Vec<String>,
}

/// A door that is there.
#[derive(Debug)]
pub(super) struct DoorSeat {
    introduction: Introduction,
    generation: u64,
    since: Instant,
    /// Once it takes sockets: which door, and where.
    pub(super) inlet: Option<(Door, UnixDatagram)>,
    /// Sessions that it brought up and has not given up.
    up: BTreeMap<SessionId, Incarnation>,
    commands: u64,
    handed: u64,
    memory: Option<(u64, u64)>,
}

impl DoorSeat {
    pub(super) fn is_used(&self) -> bool {
        !self.up.is_empty()
    }
}

/// What is known of doors, behind a lock of its own: the exchange's own doors take it for a connection's first look.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// The candidate's and the baseline's.
    pub(super) seats: [Option<DoorSeat>; 2],
    /// Thread CPU of their windows since the last change of share.
    pub(super) costs: [Vec<f64>; 2],
    /// What both have told all sessions by the ends of windows of commands, as far as the other has not said it yet.
    said: [BTreeMap<u64, u64>; 2],
    /// Windows that both have said, and the first by which they had told something else.
    compared: u64,
    differs: Option<u64>,
    generation: u64,
    /// What the stream says, by door.
    lanes: BTreeMap<u8, Lane>,
    /// Changes that the doors have seen.
    turned: u64,
    /// No more is taken of anybody.
    pub(super) closed: bool,
    pub(super) farewell: Option<String>,
    pub(super) run: Option<DoorRun>,
    pub(super) verdict: Option<Value>,
}

/// A run, as far as it has come.
#[derive(Debug)]
pub(super) struct DoorRun {
    pub(super) phase: &'static str,
    pub(super) share: u16,
    pub(super) done: Vec<Value>,
    pub(super) children: Children,
}

impl Doors {
    /// Holds what one of them has told by the end of a window against the other's. Nothing of both is left to chance: whoever
    /// follows the stream tells every session the same, be it up there or not.
    fn hear_said(&mut self, place: usize, one: Transcript) {
        if let Some(other) = self.said[1 - place].remove(&one.window) {
            self.compared += 1;
            if other != one.hash {
                self.differs.get_or_insert(one.window);
            }
            return;
        }
        let own = &mut self.said[place];
        own.insert(one.window, one.hash);
        while own.len() > SAID_MAX {
            own.pop_first();
        }
    }

    /// Of a candidate that is yet to come nothing was found.
    pub(super) const fn forget_said(&mut self) {
        (self.compared, self.differs) = (0, None);
    }

    /// Why the candidate may not stay, whatever it costs.
    pub(super) fn held(&self, gone: Option<&str>) -> Result<(), String> {
        if let Some(window) = self.differs {
            return Err(format!("members are told otherwise by {}", window * 64 + 63));
        }
        door_at_once(gone, growth(self))
    }

    /// Takes in an event of the stream as it was found.
    pub(super) fn replay(&mut self, output: &Output) {
        if let Event::DoorRouted(e) = &output.event.body {
            self.lanes.insert(e.lane.door as u8, e.lane);
        }
    }

    /// What the stream has to be told first: the processes are gone with the last one of the exchange.
    pub(super) fn opening(&self) -> Vec<Command> {
        let standing = self.lanes.values().filter(|lane| lane.share > 0 || lane.baseline > 0);
        let back = |lane: &Lane| {
            route_door(
                Lane {
                    share: 0,
                    baseline: 0,
                    ..*lane
                },
                "the exchange was started again",
            )
        };
        standing.map(back).collect()
    }

    pub(super) fn lane(&self, door: Door) -> Lane {
        let none = Lane {
            door,
            ..Lane::default()
        };
        self.lanes.get(&(door as u8)).copied().unwrap_or(none)
    }

    fn holder(&self, session: SessionId) -> Option<usize> {
        self.seats
            .iter()
            .position(|seat| seat.as_ref().is_some_and(|seat| seat.up.contains_key(&session)))
    }

    fn status(&self) -> Value {
        let seat = |seat: &Option<DoorSeat>| {
            seat.as_ref().map(|one| {
                json!({
                    "name": one.introduction.name,
                    "build": build::name(one.introduction.build),
                    "pid": one.introduction.pid,
                    "seconds": one.since.elapsed().as_secs_f64(),
                    "open": one.inlet.is_some(),
                    "sessions_up": one.up.len(),
                    "handed": one.handed,
                    "commands": one.commands,
                    "memory": one.memory.map(|(_, last)| last),
                })
            })
        };
        let lanes = self.lanes.values().map(|lane| {
            json!({
                "door": name_of(lane.door),
                "build": build::name(lane.build),
                "share": f64::from(lane.share) / 100.0,
                "baseline": f64::from(lane.baseline) / 100.0,
                "by_firm": lane.by_firm,
            })
        });
        json!({
            "candidate": seat(&self.seats[0]),
            "baseline": seat(&self.seats[1]),
            "lanes": lanes.collect::<Vec<_>>(),
            "windows": [self.costs[0].len(), self.costs[1].len()],
            "compared": self.compared,
            "farewell": self.farewell,
            "run": self.run.as_ref().map(|run| json!({
                "phase": run.phase,
                "share": f64::from(run.share) / 100.0,
                "steps": run.done,
            })),
            "verdict": self.verdict,
        })
    }
}

/// As the command line calls it.
const fn name_of(door: Door) -> &'static str {
    match door {
        Door::Ouch => "ouch",
        Door::Fix => "fix",
        Door::Venue => "venue",
    }
}

fn route_door(lane: Lane, why: &str) -> Command {
    RouteDoor { lane, why: text(why) }.into()
}

/// Gives away what belongs to another process: the exchange's own doors ask it about new connections.
pub(crate) struct Reception(pub(crate) Arc<Deployment>);

impl Front for Reception {
    fn hand(&mut self, lane: &Lane, session: SessionId, firm: FirmId, socket: BorrowedFd<'_>) -> Handed {
        let mut doors = self.0.doors();
        // Who is up in one of them is refused, or waited for, there.
        let place = match (doors.holder(session), lane.place(session, firm)) {
            (Some(seat), _) => seat,
            (None, Place::Own) => return Handed::Own,
            (None, Place::Candidate) => 0,
            (None, Place::Baseline) => 1,
        };
        let Some(Some(seat)) = doors.seats.get_mut(place) else {
            return Handed::NotTaken;
        };
        match &seat.inlet {
            Some((door, inlet)) if *door == lane.door && hand::send(inlet, socket).is_ok() => {
                seat.handed += 1;
                Handed::Away
            }
            _ => Handed::NotTaken,
        }
    }

    fn turned(&mut self) {
        self.0.doors().turned += 1;
    }
}

impl Deployment {
    /// Whether a share of the sessions comes in by another process: firms may not be given budgets meanwhile.
    pub(crate) fn has_lanes(&self) -> bool {
        let doors = self.doors();
        doors.lanes.values().any(|lane| lane.share > 0 || lane.baseline > 0)
    }

    pub(super) fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives a door. Gives its seat and what it has to know.
    pub(super) fn receive_door(
        self: &Arc<Self>,
        is_here: bool,
        introduction: &Introduction,
    ) -> Result<(Box<dyn Seat>, Vec<u8>), String> {
        if !is_here {
            return Err("a door takes sockets, and so has to be on the machine of the exchange".to_owned());
        }
        let settings = self.place.get().map(|place| place.doors.clone());
        let settings = settings.ok_or_else(|| "the exchange is not open yet: come again".to_owned())?;
        check_brief(&settings, "sessions", "door")?;
        let place = usize::from(introduction.role == Role::BaselineDoor);
        let mut doors = self.doors();
        if doors.closed {
            return Err("the exchange ends".to_owned());
        }
        doors.generation += 1;
        let generation = doors.generation;
        let Some(seat) = doors.seats.get_mut(place).filter(|seat| seat.is_none()) else {
            return Err("another door is in this place already".to_owned());
        };
        *seat = Some(DoorSeat {
            introduction: introduction.clone(),
            generation,
            since: Instant::now(),
            inlet: None,
            up: BTreeMap::new(),
            commands: 0,
            handed: 0,
            memory: None,
        });
        doors.farewell = None;
        doors.said[place].clear();
        if place == 0 {
            doors.forget_said();
        }
        let chair = DoorChair {
            deployment: Arc::clone(self),
            place,
            generation,
        };
        Ok((Box::new(chair), settings.into_bytes()))
    }

    /// Ends what comes by other doors: the loss of every session that is up there is sequenced.
    pub(super) fn close_doors(&self) {
        let (children, up) = {
            let mut doors = self.doors();
            doors.closed = true;
            let children = doors.run.as_ref().map(|run| run.children.clone());
            let seats = doors.seats.iter_mut().flatten();
            let up: Vec<_> = seats.flat_map(|seat| std::mem::take(&mut seat.up)).collect();
            (children, up)
        };
        for (session, incarnation) in up {
            // A stream that takes nothing more ends the exchange, and recovery sequences the loss.
            let _ = self.venue.sequence(lost(session, incarnation, LossCause::Shutdown));
        }
        if let Some(children) = children {
            children.end();
        }
    }

    /// What operators ask.
    pub(crate) fn doors_act(self: &Arc<Self>, act: &DoorAct) -> Result<Vec<Value>> {
        let one = |line| Ok(vec![line]);
        match act {
            DoorAct::Status => one(self.doors().status()),
            DoorAct::Share {
                door,
                ten_thousandths,
                by_firm,
            } => one(self.share(door.door(), *ten_thousandths, *by_firm, "an operator's share")?),
            DoorAct::Back { door } => {
                self.end_run("ended by an operator");
                one(self.back(door.door(), "an operator's way back")?)
            }
            DoorAct::Judge { door } => one(self.judge_door(door.door())?),
            DoorAct::Start(start) => one(self.start_doors(start)?),
        }
    }

    /// Sequences a share, and waits until the door knows of it.
    pub(super) fn share(&self, door: Door, share: u16, by_firm: bool, why: &str) -> Result<Value> {
        ensure!(share > 0 && share <= WHOLE, "a share is 0.01 to 100 per cent");
        let budgeted = (self.place()?.names)()?.budgeted;
        ensure!(
            budgeted.is_empty(),
            "{} have budgets of messages, and a door judges them by what comes in by itself: with sessions in both they would have \
             them twice; take the budgets away first (`rialto member budget`)",
            budgeted.join(", ")
        );
        let lane = {
            let mut doors = self.doors();
            let there = |seat: &Option<DoorSeat>| {
                let seat = seat.as_ref()?;
                seat.inlet.as_ref().filter(|(one, _)| *one == door)?;
                Some(seat.introduction.build)
            };
            let Some(build) = there(&doors.seats[0]) else {
                bail!(
                    "no candidate takes sockets for this door: start one with `rialto door --follow`, or `rialto deploy door start`"
                );
            };
            let baseline = there(&doors.seats[1]).is_some();
            ensure!(
                !baseline || share <= HALF,
                "beside a baseline a candidate has half at most: there would be no room for an equal share"
            );
            doors.costs = Default::default();
            Lane {
                build,
                door,
                share,
                baseline: if baseline { share } else { 0 },
                by_firm,
            }
        };
        self.turn(lane, why)
    }

    pub(super) fn back(&self, door: Door, why: &str) -> Result<Value> {
        let lane = self.doors().lane(door);
        self.turn(
            Lane {
                share: 0,
                baseline: 0,
                ..lane
            },
            why,
        )
    }

    pub(super) fn turn(&self, lane: Lane, why: &str) -> Result<Value> {
        let begun = Instant::now();
        let before = self.doors().turned;
        self.venue.sequence(route_door(lane, why))?;
        while self.doors().turned == before {
            ensure!(
                begun.elapsed() < SWITCH_MAX,
                "the command did not come back within {SWITCH_MAX:?}: look at `rialto status`"
            );
            std::thread::sleep(LOOK);
        }
        let mut doors = self.doors();
        doors.lanes.insert(lane.door as u8, lane);
        let up: Vec<usize> = doors.seats.iter().flatten().map(|seat| seat.up.len()).collect();
        drop(doors);
        Ok(json!({
            "door": name_of(lane.door),
            "build": build::name(lane.build),
            "share": f64::from(lane.share) / 100.0,
            "baseline": f64::from(lane.baseline) / 100.0,
            "by_firm": lane.by_firm,
            "ms": millis(begun),
            "sessions_up_elsewhere": up,
        }))
    }

    /// What is known, judged and recorded.
    pub(super) fn judge_door(&self, door: Door) -> Result<Value> {
        let (lane, verdict) = {
            let doors = self.doors();
            let lane = doors.lane(door);
            ensure!(lane.share > 0, "this door has no candidate with a share");
            let gone = doors.seats[0].is_none().then(|| self.farewell_of(&doors));
            let [candidate, baseline] = &doors.costs;
            let cost = door_cost(candidate, baseline);
            let held = doors.held(gone.as_deref());
            let verdict = match (held, cost) {
                (Err(why), cost) => (false, why, cost),
                (Ok(()), None) => (
                    false,
                    format!("missing data: {} and {} windows", candidate.len(), baseline.len()),
                    None,
                ),
                (Ok(()), Some(cost)) if is_door_dear(&cost) => (
                    false,
                    format!("too dear: {:.2}, effect {:.2}", cost.median_ratio, cost.dearer),
                    Some(cost),
                ),
                (Ok(()), cost) if door == Door::Ouch && doors.compared == 0 => {
                    (false, "missing data: nothing compared".to_owned(), cost)
                }
                (Ok(()), Some(cost)) => (true, format!("goes on, effect {:.2}", cost.dearer), Some(cost)),
            };
            (lane, verdict)
        };
        let (passed, why, cost) = verdict;
        let back = (!passed).then(|| self.back(door, &why)).transpose()?;
        let found = self.record_door(&lane, passed, &why, cost)?;
        let mut line = found;
        if let Some(line) = line.as_object_mut() {
            line.insert("back".to_owned(), back.unwrap_or_default());
        }
        self.doors().verdict = Some(line.clone());
        Ok(line)
    }

    fn farewell_of(&self, doors: &Doors) -> String {
        doors
            .farewell
            .clone()
            .unwrap_or_else(|| "the candidate is gone".to_owned())
    }

    pub(super) fn record_door(&self, lane: &Lane, passed: bool, why: &str, cost: Option<DoorCost>) -> Result<Value> {
        let windows = {
            let doors = self.doors();
            [doors.costs[0].len(), doors.costs[1].len()]
        };
        let part = |value: f64, whole: f64| (value * whole) as u32;
        let opinion = Opinion {
            build: lane.build,
            door: lane.door,
            share: lane.share,
            passed,
            windows: windows[0] as u32,
            baseline: windows[1] as u32,
            ratio_ppm: cost.map_or(0, |cost| part(cost.median_ratio, 1e6)),
            p_ppb: cost.map_or(0, |cost| part(cost.p, 1e9)),
            dearer_ppm: cost.map_or(0, |cost| part(cost.dearer, 1e6)),
        };
        self.venue.sequence(
            JudgeDoor {
                opinion,
                why: text(why),
            }
            .into(),
        )?;
        Ok(json!({
            "door": name_of(lane.door),
            "build": build::name(lane.build),
            "share": f64::from(lane.share) / 100.0,
            "passed": passed,
            "why": why,
            "windows": windows,
            "cost": cost,
        }))
    }
}

/// Memory that the candidate has taken beyond the baseline, since both were first measured.
fn growth(doors: &Doors) -> u64 {
    let grown = |seat: &Option<DoorSeat>| {
        let memory = seat.as_ref().and_then(|seat| seat.memory);
        memory.map_or(0, |(first, last)| last.saturating_sub(first))
    };
    grown(&doors.seats[0]).saturating_sub(grown(&doors.seats[1]))
}

fn lost(session: SessionId, incarnation: Incarnation, cause: LossCause) -> Command {
    SessionLost {
        session,
        incarnation,
        cause,
    }
    .into()
}

/// Where one door is heard.
struct DoorChair {
    deployment: Arc<Deployment>,
    place: usize,
    generation: u64,
}

impl DoorChair {
    /// Its own seat, while it has it.
    fn with<T>(&self, doors: &mut Doors, act: impl FnOnce(&mut DoorSeat) -> T) -> Option<T> {
        let seat = doors.seats.get_mut(self.place)?.as_mut();
        seat.filter(|seat| seat.generation == self.generation).map(act)
    }

    /// Gives the stream what members ask for. What comes behind the exchange's end is not taken, and so never answered.
    fn sequence(&self, commands: Vec<Command>) -> Result<(), String> {
        let mut left: VecDeque<Command> = commands.into();
        while let Some(command) = left.front().copied() {
            let mut doors = self.deployment.doors();
            if doors.closed {
                return Ok(());
            }
            let Some(name) = self.with(&mut doors, |seat| seat.introduction.name.clone()) else {
                return Err("its seat is another's".to_owned());
            };
            let session = session_of(&command);
            let Some(session) = session else {
                return Err(format!("{name} sent {}, which no member asks for", command.name()));
            };
            if !self.deployment.venue.fits(command) {
                drop(doors);
                std::thread::sleep(LOOK);
                continue;
            }
            left.pop_front();
            self.with(&mut doors, |seat| {
                seat.commands += 1;
                match command {
                    Command::SessionUp(up) => {
                        seat.up.insert(session, up.incarnation);
                    }
                    Command::SessionLost(_) => {
                        seat.up.remove(&session);
                    }
                    _ => {}
                }
            });
        }
        Ok(())
    }
}

/// The session of a command that a door may send; `None` for every other command.
fn session_of(command: &Command) -> Option<SessionId> {
    let session = match command {
        Command::SessionUp(c) => c.session,
        Command::SessionLost(c) => c.session,
        Command::SessionNote(c) => c.session,
        Command::Enter(c) => c.session,
        Command::EnterSpecial(c) => c.session,
        Command::Replace(c) => c.session,
        Command::ReplaceSpecial(c) => c.session,
        Command::Reduce(c) => c.session,
        Command::Cancel(c) => c.session,
        Command::MassCancel(c) => c.session,
        Command::MassQuote(c) => c.session,
        Command::CancelQuotes(c) => c.session,
        Command::Refuse(c) => c.session,
        _ => return None,
    };
    (session.0 > 0).then_some(session)
}

impl Seat for DoorChair {
    fn hear(&mut self, testimony: &[u8]) -> Result<bool, String> {
        let said = Testify::decode(testimony).map_err(|error| format!("what it says cannot be read: {error}"))?;
        match said {
            Testify::Commands(commands) => self.sequence(commands)?,
            Testify::Opens { door, path } => {
                let inlet = UnixDatagram::unbound().and_then(|inlet| {
                    inlet.connect(&path)?;
                    Ok(inlet)
                });
                let inlet = inlet.map_err(|error| format!("no socket can be handed over at {path}: {error}"))?;
                let mut doors = self.deployment.doors();
                self.with(&mut doors, |seat| seat.inlet = Some((door, inlet)));
            }
            Testify::Costs(costs) => {
                let mut doors = self.deployment.doors();
                if let Some(all) = doors.costs.get_mut(self.place) {
                    all.extend(costs.iter().map(|cost| cost.cpu_ns as f64));
                    let over = all.len().saturating_sub(WINDOWS_MAX);
                    all.drain(..over);
                }
            }
            Testify::Said(windows) => {
                let mut doors = self.deployment.doors();
                for one in windows {
                    doors.hear_said(self.place, one);
                }
            }
            Testify::Health { memory, .. } => {
                let mut doors = self.deployment.doors();
                self.with(&mut doors, |seat| {
                    seat.memory = Some((seat.memory.map_or(memory, |(first, _)| first), memory));
                });
            }
            Testify::Answers(_) | Testify::Died { .. } | Testify::Tells { .. } => {
                return Err("a door is no engine and no feed".to_owned());
            }
        }
        Ok(true)
    }
}

impl Drop for DoorChair {
    /// The connection is gone, and every session that was up behind it is lost.
    fn drop(&mut self) {
        let mut doors = self.deployment.doors();
        let Some(gone) = doors.seats.get_mut(self.place).and_then(Option::take) else {
            return;
        };
        if gone.generation != self.generation {
            doors.seats[self.place] = Some(gone);
            return;
        }
        if self.place == 0 {
            doors.farewell.get_or_insert_with(|| "the candidate is gone".to_owned());
        }
        drop(doors);
        for (session, incarnation) in gone.up {
            let command = lost(session, incarnation, LossCause::Disconnected);
            // Where the exchange ends meanwhile, recovery sequences it.
            while !self.deployment.doors().closed && !self.deployment.venue.fits(command) {
                std::thread::sleep(LOOK);
            }
        }
    }
}
