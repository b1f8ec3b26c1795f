//! Doors in other processes: a candidate's, and the standing build's as a measure beside it.
//!
//! Which sessions come in there is the stream's to say (`RouteDoor`), and a session's place never changes: so the same one
//! always lands at the same process while the share stands. The exchange's own door looks at the name that a new connection
//! begins with and hands the socket over ([`Reception`]); what it sends from there comes back as commands ([`sequence`]).
//! There is nothing to migrate in either direction, for a session's state is the stream.

use super::affected::{Kind, Reached};
use super::edge::{BASELINE, Bench, CANDIDATE, Chair, Edge, EdgeRun, EdgeSeat, HALF, LOOK, Phase, WHOLE, with};
use super::edge_run::{self, Plan};
use super::judge::{self, Found, door_at_once, weigh};
use super::{Deployment, build, millis, text};
use crate::door::{Which, hand};
use anyhow::{Result, bail, ensure};
use rialto_engine::talk::{Testify, Transcript};
use rialto_gateway::{Front, Handed};
use rialto_model::command::{JudgeDoor, RouteDoor, SessionLost};
use rialto_model::{
    Command, Door, Event, FirmId, Incarnation, InstrumentId, Lane, LossCause, Opinion, Output, Place, SessionId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a switch may take to be known at the door.
const SWITCH_MAX: Duration = Duration::from_secs(30);
/// Windows kept of what one has told and the other not yet; the oldest go.
const SAID_MAX: usize = 4_096;

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
    Start { door: Which, plan: Plan },
}

/// What a door's seat has besides.
#[derive(Debug, Default)]
pub(super) struct DoorPart {
    /// Once it takes sockets: which door, and where.
    inlet: Option<(Door, UnixDatagram)>,
    /// Sessions that it brought up and has not given up.
    up: BTreeMap<SessionId, Incarnation>,
    commands: u64,
    handed: u64,
}

/// What is known of doors, behind a lock of its own: the exchange's own doors take it for a connection's first look.
#[derive(Debug, Default)]
pub(super) struct Doors {
    bench: Bench<DoorPart>,
    /// What both have told all sessions by the ends of windows of commands, as far as the other has not said it yet.
    said: [BTreeMap<u64, u64>; 2],
    /// Windows that both have said, and the first by which they had told something else.
    compared: u64,
    differs: Option<u64>,
    /// Whom the candidate has reached since its share began.
    reached: Reached,
    /// What the stream says, by door.
    lanes: BTreeMap<u8, Lane>,
    /// Changes that the doors have seen.
    turned: u64,
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

    /// Takes in an event of the stream as it was found.
    pub(super) fn replay(&mut self, output: &Output) {
        if let Event::DoorRouted(e) = &output.event.body {
            self.lanes.insert(e.lane.door as u8, e.lane);
        }
    }

    /// What the stream has to be told first: the processes are gone with the last one of the exchange.
    pub(super) fn opening(&self) -> Vec<Command> {
        let standing = self.lanes.values().filter(|lane| lane.share > 0 || lane.baseline > 0);
        let back = |lane: &Lane| route_door(nobody(*lane), "the exchange was started again");
        standing.map(back).collect()
    }

    fn lane(&self, door: Door) -> Lane {
        let none = Lane {
            door,
            ..Lane::default()
        };
        self.lanes.get(&(door as u8)).copied().unwrap_or(none)
    }

    fn holder(&self, session: SessionId) -> Option<usize> {
        let has = |seat: &EdgeSeat<DoorPart>| seat.part.up.contains_key(&session);
        self.bench.seats.iter().position(|seat| seat.as_ref().is_some_and(has))
    }

    /// The build that sits there and takes sockets for this door.
    fn takes(&self, place: usize, door: Door) -> Option<u64> {
        let seat = self.bench.seats.get(place)?.as_ref()?;
        seat.part.inlet.as_ref().filter(|(one, _)| *one == door)?;
        Some(seat.introduction.build)
    }

    fn status(&self) -> Value {
        let seat = |place: usize| {
            self.bench.shown(place, |part| {
                json!({
                    "open": part.inlet.is_some(),
                    "sessions_up": part.up.len(),
                    "handed": part.handed,
                    "commands": part.commands,
                })
            })
        };
        self.bench.status(json!({
            "candidate": seat(CANDIDATE),
            "baseline": seat(BASELINE),
            "lanes": self.lanes.values().map(shown).collect::<Vec<_>>(),
            "compared": self.compared,
        }))
    }
}

impl Edge for Doors {
    const ROLE: &'static str = "door";
    const SETTINGS: &'static str = "sessions";
    const HERE: &'static str = "a door takes sockets, and so has to be on the machine of the exchange";
    type Part = DoorPart;
    type Which = Which;

    fn lock(deployment: &Deployment) -> MutexGuard<'_, Self> {
        deployment.doors()
    }

    fn bench(&self) -> &Bench<DoorPart> {
        &self.bench
    }

    fn bench_mut(&mut self) -> &mut Bench<DoorPart> {
        &mut self.bench
    }

    fn settings(deployment: &Deployment) -> Result<String, String> {
        let settings = deployment.place.get().map(|place| place.doors.clone());
        settings.ok_or_else(|| "the exchange is not open yet: come again".to_owned())
    }

    fn is_open(part: &DoorPart) -> bool {
        part.inlet.is_some()
    }

    fn comes(&mut self, place: usize) {
        self.said[place].clear();
        if place == CANDIDATE {
            (self.compared, self.differs) = (0, None);
        }
    }

    fn hear(chair: &Chair<Self>, said: Testify) -> Result<(), String> {
        match said {
            Testify::Commands(commands) => sequence(chair, commands)?,
            Testify::Opens { door, path } => {
                let inlet = UnixDatagram::unbound().and_then(|inlet| {
                    inlet.connect(&path)?;
                    Ok(inlet)
                });
                let inlet = inlet.map_err(|error| format!("no socket can be handed over at {path}: {error}"))?;
                let mut doors = chair.deployment.doors();
                if let Some(part) = chair.part(&mut doors) {
                    part.inlet = Some((door, inlet));
                }
            }
            Testify::Said(windows) => {
                let mut doors = chair.deployment.doors();
                for one in windows {
                    doors.hear_said(chair.place, one);
                }
            }
            _ => return Err("a door is no engine and no feed".to_owned()),
        }
        Ok(())
    }

    /// Every session that was up behind it is lost.
    fn goes(deployment: &Deployment, _: usize, gone: EdgeSeat<DoorPart>) {
        for (session, incarnation) in gone.part.up {
            let command = lost(session, incarnation, LossCause::Disconnected);
            // Where the exchange ends meanwhile, recovery sequences it.
            while !deployment.doors().bench.closed && !deployment.venue.fits(command) {
                std::thread::sleep(LOOK);
            }
        }
    }

    fn may_start(_: &Deployment) -> Result<()> {
        Ok(())
    }

    fn arguments(which: Which) -> Vec<String> {
        vec!["--door".to_owned(), name_of(which.door()).to_owned()]
    }

    fn share(deployment: &Deployment, which: Which, share: u16, by_firm: bool) -> Result<()> {
        deployment
            .share(which.door(), share, by_firm, "a canary's share")
            .map(drop)
    }

    fn held(&self) -> Result<(), String> {
        if let Some(window) = self.differs {
            return Err(format!("members are told otherwise by {}", window * 64 + 63));
        }
        door_at_once(self.bench.gone(), self.bench.growth())
    }

    fn has_enough(&self) -> bool {
        weigh(&self.bench.costs, None).cost.is_some()
    }

    fn measure_anew(&mut self) {
        self.bench.costs = Default::default();
    }

    fn find(&self, _: Which) -> Found {
        let found = weigh(&self.bench.costs, None);
        match self.held() {
            Err(why) => found.wrong(&why),
            Ok(()) if self.bench.seats[CANDIDATE].is_none() => found.wrong("the candidate is gone"),
            Ok(()) if found.passed() && self.compared == 0 => found.wrong("missing data: nothing compared"),
            Ok(()) => found,
        }
    }

    fn conclude(deployment: &Deployment, which: Which, found: &Found) -> Result<Value> {
        let lane = deployment.doors().lane(which.door());
        let back = (!found.passed()).then(|| deployment.back(which.door(), &found.why));
        let line = deployment.record_door(&lane, found)?;
        let line = with(line, json!({ "back": back.transpose()? }));
        deployment.doors().bench.say(found.passed(), &line);
        Ok(line)
    }

    /// The measure is of no more use, but its members did nothing wrong: it goes when they have.
    fn let_go(deployment: &Deployment, which: Which, passed: bool, run: &EdgeRun) {
        if passed {
            let lane = deployment.doors().lane(which.door());
            let _ = deployment.turn(Lane { baseline: 0, ..lane }, "the measure is done with");
        } else {
            run.children.end_one(edge_run::CANDIDATE);
        }
        while deployment.measure_is_used(run.number) {
            std::thread::sleep(LOOK);
        }
        run.children.end_one(edge_run::BASELINE);
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

const fn nobody(lane: Lane) -> Lane {
    Lane {
        share: 0,
        baseline: 0,
        ..lane
    }
}

fn shown(lane: &Lane) -> Value {
    json!({
        "door": name_of(lane.door),
        "build": build::name(lane.build),
        "share": f64::from(lane.share) / 100.0,
        "baseline": f64::from(lane.baseline) / 100.0,
        "by_firm": lane.by_firm,
    })
}

fn route_door(lane: Lane, why: &str) -> Command {
    RouteDoor { lane, why: text(why) }.into()
}

fn lost(session: SessionId, incarnation: Incarnation, cause: LossCause) -> Command {
    SessionLost {
        session,
        incarnation,
        cause,
    }
    .into()
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
            (None, Place::Candidate) => CANDIDATE,
            (None, Place::Baseline) => BASELINE,
        };
        let Some(part) = doors.bench.part_mut(place) else {
            return Handed::NotTaken;
        };
        match &part.inlet {
            Some((door, inlet)) if *door == lane.door && hand::send(inlet, socket).is_ok() => part.handed += 1,
            _ => return Handed::NotTaken,
        }
        if place == CANDIDATE {
            let released = self.0.released();
            doors.reached.sessions.add(session);
            doors.reached.since.get_or_insert(released);
        }
        Handed::Away
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

    /// Ends what comes by other doors: the loss of every session that is up there is sequenced.
    pub(super) fn close_doors(&self) {
        let (children, up) = {
            let mut doors = self.doors();
            doors.bench.closed = true;
            let children = doors.bench.run.as_ref().map(|run| run.children.clone());
            let seats = doors.bench.seats.iter_mut().flatten();
            let up: Vec<_> = seats.flat_map(|seat| std::mem::take(&mut seat.part.up)).collect();
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
        let line = match act {
            DoorAct::Status => self.doors().status(),
            DoorAct::Share {
                door,
                ten_thousandths,
                by_firm,
            } => self.share(door.door(), *ten_thousandths, *by_firm, "an operator's share")?,
            DoorAct::Back { door } => {
                self.end_run("ended by an operator");
                self.back(door.door(), "an operator's way back")?
            }
            DoorAct::Judge { door } => self.judge_door(*door)?,
            DoorAct::Start { door, plan } => {
                let line = self.start_run::<Doors>(*door, plan)?;
                with(line, json!({ "door": name_of(door.door()) }))
            }
        };
        Ok(vec![line])
    }

    /// Sequences a share, and waits until the door knows of it.
    fn share(&self, door: Door, share: u16, by_firm: bool, why: &str) -> Result<Value> {
        ensure!(share > 0 && share <= WHOLE, "a share is 0.01 to 100 per cent");
        let budgeted = (self.place()?.names)()?.budgeted;
        ensure!(
            budgeted.is_empty(),
            "{} have budgets of messages, and a door judges them by what comes in by itself: with sessions in both they would have \
             them twice; take away what `rialto member limits show FIRM` names first, as by `rialto member limits set {} \
             --orders-per-second 0 --orders-burst 0`",
            budgeted.join(", "),
            budgeted.first().map_or("FIRM", String::as_str)
        );
        let lane = {
            let mut doors = self.doors();
            let Some(build) = doors.takes(CANDIDATE, door) else {
                bail!(
                    "no candidate takes sockets for this door: start one with `rialto door --follow`, or `rialto deploy door start`"
                );
            };
            let baseline = doors.takes(BASELINE, door).is_some();
            ensure!(
                !baseline || share <= HALF,
                "beside a baseline a candidate has half at most: there would be no room for an equal share"
            );
            doors.measure_anew();
            if doors.lane(door).share == 0 {
                doors.reached = Reached::default();
            }
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

    /// Everybody comes in by the exchange's own door again. Says whom the candidate has reached.
    fn back(&self, door: Door, why: &str) -> Result<Value> {
        let lane = self.doors().lane(door);
        let line = self.turn(nobody(lane), why)?;
        let reached = std::mem::take(&mut self.doors().reached);
        let affected = self.affected_at_door(&reached, self.released());
        if lane.share > 0 {
            self.recall(Kind::Door, lane.build, &affected, why)?;
        }
        Ok(with(line, json!({ "why": why, "affected": affected.line() })))
    }

    fn turn(&self, lane: Lane, why: &str) -> Result<Value> {
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
        let up: Vec<usize> = doors
            .bench
            .seats
            .iter()
            .flatten()
            .map(|seat| seat.part.up.len())
            .collect();
        drop(doors);
        Ok(with(
            shown(&lane),
            json!({ "ms": millis(begun), "sessions_up_elsewhere": up }),
        ))
    }

    /// What is known, judged; recorded, where it says something.
    fn judge_door(&self, which: Which) -> Result<Value> {
        let found = {
            let doors = self.doors();
            ensure!(
                doors.lane(which.door()).share > 0,
                "this door has no candidate with a share"
            );
            doors.find(which)
        };
        if found.opinion == judge::Opinion::Unclear {
            return Ok(json!({ "passed": null, "why": found.why, "cost": found.cost }));
        }
        Doors::conclude(self, which, &found)
    }

    fn record_door(&self, lane: &Lane, found: &Found) -> Result<Value> {
        let (windows, compared) = {
            let doors = self.doors();
            let costs = &doors.bench.costs;
            ([costs[0].len(), costs[1].len()], doors.compared)
        };
        let part = |value: f64, whole: f64| (value * whole) as u32;
        let cost = found.cost;
        let opinion = Opinion {
            build: lane.build,
            door: lane.door,
            share: lane.share,
            passed: found.passed(),
            windows: windows[0] as u32,
            baseline: windows[1] as u32,
            ratio_ppm: cost.map_or(0, |cost| part(cost.median_ratio, 1e6)),
            p_ppb: cost.map_or(0, |cost| part(cost.p, 1e9)),
            dearer_ppm: cost.map_or(0, |cost| part(cost.dearer, 1e6)),
        };
        let why = text(&found.why);
        self.venue.sequence(JudgeDoor { opinion, why }.into())?;
        Ok(json!({
            "door": name_of(lane.door),
            "build": build::name(lane.build),
            "share": f64::from(lane.share) / 100.0,
            "passed": found.passed(),
            "why": found.why,
            "compared": compared,
            "windows": windows,
            "cost": cost,
        }))
    }

    /// Whether members are up by the baseline of this run, and nobody has ended it.
    fn measure_is_used(&self, number: u64) -> bool {
        let mut doors = self.doors();
        let bench = &mut doors.bench;
        let up = bench.part_mut(BASELINE).is_some_and(|part| !part.up.is_empty());
        up && !bench.closed && bench.run_mut(number).is_some_and(|run| run.phase != Phase::Ended)
    }

    fn end_run(&self, why: &str) {
        let mut doors = self.doors();
        let children = doors.bench.run.as_mut().map(|run| {
            run.phase = Phase::Ended;
            run.children.clone()
        });
        if children.is_some() {
            doors.bench.farewell.get_or_insert_with(|| why.to_owned());
        }
        drop(doors);
        if let Some(children) = children {
            children.end();
        }
    }
}

/// Gives the stream what members ask for. What comes behind the exchange's end is not taken, and so never answered.
fn sequence(chair: &Chair<Doors>, commands: Vec<Command>) -> Result<(), String> {
    let mut left: VecDeque<Command> = commands.into();
    while let Some(command) = left.front().copied() {
        let mut doors = chair.deployment.doors();
        if doors.bench.closed {
            return Ok(());
        }
        let Some(session) = session_of(&command) else {
            return Err(format!("it sent {}, which no member asks for", command.name()));
        };
        if !chair.deployment.venue.fits(command) {
            drop(doors);
            std::thread::sleep(LOOK);
            continue;
        }
        left.pop_front();
        if chair.place == CANDIDATE
            && let Some(instrument) = instrument_of(&command)
        {
            doors.reached.instruments.add(instrument);
        }
        if let Some(part) = chair.part(&mut doors) {
            part.commands += 1;
            match command {
                Command::SessionUp(up) => {
                    part.up.insert(session, up.incarnation);
                }
                Command::SessionLost(_) => {
                    part.up.remove(&session);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The instrument that a member's order is on.
const fn instrument_of(command: &Command) -> Option<InstrumentId> {
    match command {
        Command::Enter(c) => Some(c.instrument),
        Command::EnterSpecial(c) => Some(c.instrument),
        Command::CancelQuotes(c) => Some(c.instrument),
        _ => None,
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
