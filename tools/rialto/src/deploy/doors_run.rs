//! The run of a candidate's door: starts it and the old build's beside it, and gives it share after share for as long as the
//! judge lets it. It decides nothing itself.

use super::Deployment;
use super::canary::{Bake, Children};
use super::doors::{DoorRun, DoorSeat, HALF, LOOK, StartDoor};
use super::judge::door_cost;
use crate::door::Which;
use anyhow::{Result, bail, ensure};
use rialto_model::Lane;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long both processes may take to come and catch up.
const JOIN_MAX: Duration = Duration::from_secs(60);
/// How many times its bake a step may take until there is enough to judge by, and how long beyond.
const BAKES_MAX: u32 = 4;
const BAKE_EXTRA: Duration = Duration::from_secs(20);
/// Steps of a run.
const STEPS_MAX: usize = 16;
const CANDIDATE: &str = "candidate";
const BASELINE: &str = "baseline";

impl Deployment {
    /// Starts both processes and a thread that takes the candidate from share to share.
    pub(super) fn start_doors(self: &Arc<Self>, start: &StartDoor) -> Result<Value> {
        let shares = &start.shares;
        ensure!(
            !shares.is_empty() && shares.len() <= STEPS_MAX && shares.iter().all(|share| (1..=HALF).contains(share)),
            "give 1 to {STEPS_MAX} shares of 0.01 to 50 per cent: the baseline has as much"
        );
        let Bake::Seconds(seconds) = start.bake else {
            bail!("a door bakes for seconds, such as 30s");
        };
        let Some(follow) = &self.place()?.follow else {
            bail!("a door follows over a socket: start the exchange with --follow-listen");
        };
        let children = Children::default();
        {
            let mut doors = self.doors();
            ensure!(
                doors.seats.iter().all(Option::is_none),
                "another door is there: end it first, or `rialto deploy door back`"
            );
            doors.farewell = None;
            doors.verdict = None;
            doors.forget_said();
            doors.run = Some(DoorRun {
                phase: "starting",
                share: 0,
                done: Vec::new(),
                children: children.clone(),
            });
        }
        let door = match start.door {
            Which::Ouch => "ouch",
            Which::Fix => "fix",
        };
        let (address, key) = (follow.address.to_string(), follow.key.display().to_string());
        let args = ["--follow", &address, "--key", &key, "--door", door].map(str::to_owned);
        let candidate = [&args[..], &start.args[..]].concat();
        let baseline = [&args[..], &["--baseline".to_owned()]].concat();
        let began = children
            .start("door", BASELINE, Path::new("/proc/self/exe"), &baseline)
            .and_then(|()| children.start("door", CANDIDATE, &start.build, &candidate));
        if let Err(error) = began {
            children.end();
            self.doors().run = None;
            return Err(error);
        }
        let (own, plan) = (Arc::clone(self), start.clone());
        let bake = Duration::from_secs_f64(seconds);
        std::thread::Builder::new()
            .name("door canary".to_owned())
            .spawn(move || {
                let ended = own.drive_doors(&plan, bake, &children);
                own.doors_ended(&plan, &children, ended);
            })?;
        Ok(json!({ "door": door, "build": start.build, "shares": shares }))
    }

    /// From share to share. `Err`: why it does not go on; nothing where that was said already.
    fn drive_doors(&self, start: &StartDoor, bake: Duration, children: &Children) -> Result<(), Option<String>> {
        let door = start.door.door();
        let begun = Instant::now();
        while !self
            .doors()
            .seats
            .iter()
            .all(|seat| seat.as_ref().is_some_and(|one| one.inlet.is_some()))
        {
            self.goes_on(children)?;
            if begun.elapsed() > JOIN_MAX {
                return Err(Some("missing data: it never caught up".to_owned()));
            }
            std::thread::sleep(LOOK);
        }
        for share in &start.shares {
            let said = |error: anyhow::Error| Some(format!("{error:#}"));
            self.share(door, *share, start.by_firm, "a canary's share")
                .map_err(said)?;
            if let Some(run) = &mut self.doors().run
                && run.phase != "ended"
            {
                (run.phase, run.share) = ("baking", *share);
            }
            let begun = Instant::now();
            let longest = bake * BAKES_MAX + BAKE_EXTRA;
            let has_enough = || {
                let doors = self.doors();
                door_cost(&doors.costs[0], &doors.costs[1]).is_some()
            };
            while begun.elapsed() < bake || (begun.elapsed() < longest && !has_enough()) {
                self.goes_on(children)?;
                std::thread::sleep(LOOK);
            }
            let found = self.judge_door(door).map_err(said)?;
            if found.get("passed") != Some(&Value::Bool(true)) {
                return Err(None);
            }
            if let Some(run) = &mut self.doors().run {
                run.done.push(found);
            }
        }
        Ok(())
    }

    /// What has to hold at any moment.
    fn goes_on(&self, children: &Children) -> Result<(), Option<String>> {
        if let Some(ended) = children.ended() {
            return Err(Some(ended));
        }
        let doors = self.doors();
        if doors.closed || doors.run.as_ref().is_none_or(|run| run.phase == "ended") {
            return Err(None);
        }
        let gone = doors.farewell.as_deref();
        doors.held(gone).map_err(Some)
    }

    fn doors_ended(&self, start: &StartDoor, children: &Children, ended: Result<(), Option<String>>) {
        let door = start.door.door();
        let passed = ended.is_ok();
        if let Err(Some(why)) = &ended {
            let lane = self.doors().lane(door);
            let back = self.back(door, why);
            let found = self.record_door(&lane, false, why, None).unwrap_or_default();
            let mut line = found;
            if let Some(line) = line.as_object_mut() {
                line.insert("back".to_owned(), back.unwrap_or_default());
            }
            self.doors().verdict = Some(line);
        }
        if !passed {
            children.end_one(CANDIDATE);
        }
        if let Some(run) = &mut self.doors().run {
            run.phase = match (passed, run.phase) {
                (true, _) => "passed",
                (false, "ended") => "ended",
                (false, _) => "stopped",
            };
        }
        // The measure is of no more use, but its members did nothing wrong: it goes when they have.
        if passed {
            let lane = self.doors().lane(door);
            let _ = self.turn(Lane { baseline: 0, ..lane }, "the measure is done with");
        }
        while self.measure_is_used() {
            std::thread::sleep(LOOK);
        }
        children.end_one(BASELINE);
    }

    /// Whether members are up by the baseline, and nobody has ended it.
    fn measure_is_used(&self) -> bool {
        let doors = self.doors();
        let up = doors.seats[1].as_ref().is_some_and(DoorSeat::is_used);
        up && !doors.closed && doors.run.as_ref().is_some_and(|run| run.phase != "ended")
    }

    pub(super) fn end_run(&self, why: &str) {
        let mut doors = self.doors();
        let children = doors.run.as_mut().map(|run| {
            run.phase = "ended";
            run.children.clone()
        });
        if children.is_some() {
            doors.farewell.get_or_insert_with(|| why.to_owned());
        }
        drop(doors);
        if let Some(children) = children {
            children.end();
        }
    }
}
