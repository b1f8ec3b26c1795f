//! The run of a candidate's door or feed: starts it and the old build's beside it, and gives it share after share for as long as
//! the judge lets it. It decides nothing itself.

use super::Deployment;
use super::attention::Attention;
use super::canary::Bake;
use super::children::Children;
use super::edge::{self, Edge, EdgeRun, HALF, LOOK, Phase, with};
use super::judge::{Bakes, Course, Found};
use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long both processes may take to come and catch up.
const JOIN_MAX: Duration = Duration::from_secs(60);
/// How many times its time a bake may take until there is enough to judge by, and how long beyond.
const LONGER_MAX: u32 = 4;
const LONGER_EXTRA: Duration = Duration::from_secs(20);
/// Steps of a run.
const STEPS_MAX: usize = 16;
/// What the processes of a run are called.
pub(super) const CANDIDATE: &str = "candidate";
pub(super) const BASELINE: &str = "baseline";

/// How a run goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The candidate's executable.
    pub(crate) build: PathBuf,
    /// In ten-thousandths, at most half.
    pub(crate) shares: Vec<u16>,
    pub(crate) bake: Bake,
    pub(crate) by_firm: bool,
    /// More arguments for the candidate's process.
    pub(crate) args: Vec<String>,
}

impl Deployment {
    /// Starts both processes and a thread that takes the candidate from share to share.
    pub(super) fn start_run<E: Edge>(self: &Arc<Self>, which: E::Which, plan: &Plan) -> Result<Value> {
        let (shares, role) = (&plan.shares, E::ROLE);
        ensure!(
            !shares.is_empty() && shares.len() <= STEPS_MAX && shares.iter().all(|share| (1..=HALF).contains(share)),
            "give 1 to {STEPS_MAX} shares of 0.01 to 50 per cent: the baseline has as much"
        );
        let Bake::Seconds(seconds) = plan.bake else {
            bail!("a {role} bakes for seconds, such as 30s");
        };
        E::may_start(self)?;
        let Some(follow) = &self.place()?.follow else {
            bail!("a {role} follows over a socket: start the exchange with --follow-listen");
        };
        let children = Children::default();
        let number = {
            let mut known = E::lock(self);
            ensure!(
                known.bench().seats.iter().all(Option::is_none),
                "another {role} is there: end it first, or `rialto deploy {role} back`"
            );
            // Of a candidate that is yet to come nothing was found.
            known.comes(edge::CANDIDATE);
            let bench = known.bench_mut();
            let number = bench.next_generation();
            (bench.farewell, bench.verdict) = (None, None);
            bench.run = Some(EdgeRun {
                number,
                phase: Phase::Starting,
                share: 0,
                done: Vec::new(),
                children: children.clone(),
            });
            number
        };
        let (address, key) = (follow.address.to_string(), follow.key.display().to_string());
        let common = ["--follow", &address, "--key", &key].map(str::to_owned);
        let common = [&common[..], &E::arguments(which)].concat();
        let candidate = [&common[..], &plan.args[..]].concat();
        let baseline = [&common[..], &["--baseline".to_owned()]].concat();
        let began = children
            .start(role, BASELINE, Path::new("/proc/self/exe"), &baseline)
            .and_then(|()| children.start(role, CANDIDATE, &plan.build, &candidate));
        if let Err(error) = began {
            children.end();
            E::lock(self).bench_mut().run = None;
            return Err(error);
        }
        let driver = Driver::<E> {
            deployment: Arc::clone(self),
            which,
            plan: plan.clone(),
            bake: Duration::from_secs_f64(seconds),
            children,
            number,
        };
        std::thread::Builder::new()
            .name(format!("{role} canary"))
            .spawn(move || driver.run())?;
        Ok(json!({ "build": plan.build, "shares": shares }))
    }
}

struct Driver<E: Edge> {
    deployment: Arc<Deployment>,
    which: E::Which,
    plan: Plan,
    bake: Duration,
    children: Children,
    number: u64,
}

/// Why a run ends early; nothing where that was said already.
type Ended = Option<String>;

impl<E: Edge> Driver<E> {
    fn run(self) {
        let ended = self.drive();
        let passed = ended.is_ok();
        if let Err(Some(why)) = ended {
            let found = E::lock(&self.deployment).find(self.which).wrong(&why);
            // A stream that takes nothing more ends the exchange.
            let _ = E::conclude(&self.deployment, self.which, &found);
        }
        let run = {
            let mut known = E::lock(&self.deployment);
            let Some(run) = known.bench_mut().run_mut(self.number) else {
                return;
            };
            if run.is_running() {
                run.phase = if passed { Phase::Passed } else { Phase::Ended };
            }
            run.clone()
        };
        E::let_go(&self.deployment, self.which, passed, &run);
    }

    /// From share to share.
    fn drive(&self) -> Result<(), Ended> {
        let mut attention = Attention::begin();
        while !E::lock(&self.deployment).bench().both(E::is_open) {
            self.goes_on()?;
            if attention.look() > JOIN_MAX {
                return Err(Some("missing data: it never caught up".to_owned()));
            }
            std::thread::sleep(LOOK);
        }
        for share in &self.plan.shares {
            E::share(&self.deployment, self.which, *share, self.plan.by_firm).map_err(said)?;
            if let Some(run) = E::lock(&self.deployment).bench_mut().run_mut(self.number)
                && run.is_running()
            {
                (run.phase, run.share) = (Phase::Baking, *share);
            }
            self.bake_share()?;
        }
        Ok(())
    }

    /// As many bakes as it takes until something is said.
    fn bake_share(&self) -> Result<(), Ended> {
        let mut bakes = Bakes::default();
        loop {
            self.bake()?;
            let found = E::lock(&self.deployment).find(self.which);
            let course = bakes.take(found.opinion);
            if course == Course::Again {
                E::lock(&self.deployment).measure_anew();
                continue;
            }
            let line = self.say(&found, course)?;
            if let Some(run) = E::lock(&self.deployment).bench_mut().run_mut(self.number) {
                run.done.push(with(line, json!({ "bakes": bakes.all() })));
            }
            return Ok(());
        }
    }

    fn say(&self, found: &Found, course: Course) -> Result<Value, Ended> {
        let on = course == Course::On;
        let line = E::conclude(&self.deployment, self.which, found).map_err(said)?;
        on.then_some(line).ok_or(None)
    }

    /// One bake: for its time, and for longer where there is too little to judge by.
    fn bake(&self) -> Result<(), Ended> {
        let mut attention = Attention::begin();
        let longest = self.bake * LONGER_MAX + LONGER_EXTRA;
        loop {
            let seen = attention.look();
            let is_done = seen >= self.bake && (seen >= longest || E::lock(&self.deployment).has_enough());
            if is_done {
                return Ok(());
            }
            self.goes_on()?;
            std::thread::sleep(LOOK);
        }
    }

    /// What has to hold at any moment.
    fn goes_on(&self) -> Result<(), Ended> {
        {
            let mut known = E::lock(&self.deployment);
            let bench = known.bench_mut();
            if bench.closed || bench.run_mut(self.number).is_none_or(|run| !run.is_running()) {
                return Err(None);
            }
        }
        if let Some(ended) = self.children.ended() {
            return Err(Some(ended));
        }
        E::lock(&self.deployment).held().map_err(Some)
    }
}

fn said(error: anyhow::Error) -> Ended {
    Some(format!("{error:#}"))
}
