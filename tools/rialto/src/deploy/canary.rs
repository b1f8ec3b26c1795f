//! The canary: starts a candidate and the old build beside it, and takes the candidate from step to step for as long as the
//! judge lets it. It decides nothing itself.
//!
//! A run is one thread. What goes wrong is seen within [`LOOK`], rolled back, recorded in the stream with its numbers, and
//! both processes are ended. One that has come through waits for an operator to promote it.
//!
//! A process may cost some per cent more or less than another of the same build for as long as it lives, by where its memory
//! happens to lie. So a candidate that is too dear by time goes back at once, but is believed to be so only when a second pair
//! of processes says it too. One that is so by instructions is at once.

use super::attention::Attention;
use super::children::{Children, Pair};
use super::edge_run::{BASELINE, CANDIDATE};
use super::instructions::{COUNT_MAX, Counting};
use super::judge::{Cost, Evidence, at_once, cost, is_dear};
use super::pick::Step;
use super::{Attached, Deployment, build, cut_over, millis, route};
use crate::engine::breath;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use nix::sys::signal::Signal;
use rialto_model::{Finding, InstrumentId, SequenceNumber};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a run looks.
const LOOK: Duration = Duration::from_millis(2);
/// How long both engines may take to come and catch up.
const JOIN_MAX: Duration = Duration::from_secs(60);
/// How close to the exchange is caught up, in commands.
const CAUGHT_UP: u64 = 2_000;
/// How many times its bake a step may take until there are enough pairs, and at least how long.
const BAKES_MAX: f64 = 4.0;
const BAKE_EXTRA: Duration = Duration::from_secs(20);
/// How long a process that has left may take to have ended.
const END_MAX: Duration = Duration::from_secs(2);
/// Steps of a run.
const STEPS_MAX: usize = 64;

/// What operators ask of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum CanaryAct {
    /// Begins one.
    Start(Start),
    /// How it stands.
    Status,
    /// Everything that is known of the last.
    Report,
    /// Waits for its word everywhere, once it has come through.
    Promote,
    /// Ends it.
    Rollback,
}

/// How a run goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The candidate's executable.
    pub(crate) build: PathBuf,
    pub(crate) steps: Vec<Step>,
    pub(crate) bake: Bake,
    /// More arguments for `engine`.
    pub(crate) args: Vec<String>,
    /// Whether instructions are counted too, where valgrind is at hand.
    pub(crate) instructions: bool,
}

/// How long a step lasts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bake {
    Seconds(f64),
    Commands(u64),
}

impl std::str::FromStr for Bake {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let of = |unit| text.strip_suffix(unit);
        if let Some(count) = of('c').and_then(|count| count.parse().ok()).filter(|count| *count > 0) {
            return Ok(Self::Commands(count));
        }
        if let Some(seconds) = of('s').and_then(|seconds| seconds.parse().ok())
            && (0.0..=1e6).contains(&seconds)
        {
            return Ok(Self::Seconds(seconds));
        }
        bail!("{text:?} is no time to bake: use seconds such as 30s, or commands such as 200000c")
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Starting,
    Baking,
    Passed,
    Promoted,
    Stopped,
    RolledBack,
}

/// A run, as far as it has come.
#[derive(Debug)]
pub(super) struct Run {
    start: Start,
    phase: Phase,
    step: Option<String>,
    done: Vec<Value>,
    verdict: Option<Value>,
    /// What a first pair of processes was found to cost.
    doubt: Option<String>,
    /// What both builds need for the same commands, or why that is not counted.
    instructions: Option<Value>,
    children: Children,
    number: u64,
}

impl Run {
    pub(super) const fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Baking)
    }

    pub(super) fn children(&mut self) -> Children {
        self.children.clone()
    }

    fn status(&self) -> Value {
        json!({
            "phase": self.phase,
            "build": self.start.build,
            "step": self.step,
            "steps": self.start.steps.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "passed": self.done.len(),
            "doubt": self.doubt,
            "instructions": self.instructions,
            "why": self.verdict.as_ref().and_then(|verdict| verdict.get("why")),
        })
    }
}

impl Deployment {
    /// What operators ask.
    pub(crate) fn canary(self: &Arc<Self>, act: &CanaryAct) -> Result<Vec<Value>> {
        match act {
            CanaryAct::Start(start) => self.begin(start),
            CanaryAct::Status => {
                let state = self.state();
                let run = state.canary.as_ref().map_or(Value::Null, Run::status);
                drop(state);
                let stands = self.status();
                let of = |name: &str| stands.get(name).cloned().unwrap_or_default();
                Ok(vec![json!({
                    "canary": run,
                    "routed": of("routed"),
                    "behind": of("behind"),
                    "compared": of("compared"),
                    "silences": of("silences"),
                    "longest_wait_ms": of("longest_wait_ms"),
                    "windows": of("windows"),
                })])
            }
            CanaryAct::Report => {
                let state = self.state();
                let run = state.canary.as_ref().context("there was no canary")?;
                let (steps, verdict, status) = (run.done.clone(), run.verdict.clone(), run.status());
                let returned = state.returned.clone();
                drop(state);
                Ok(vec![json!({
                    "canary": status,
                    "steps": steps,
                    "verdict": verdict,
                    "last_return": returned,
                    "deployment": self.status(),
                })])
            }
            CanaryAct::Promote => self.promote(),
            CanaryAct::Rollback => {
                let children = {
                    let mut state = self.state();
                    let run = state.canary.as_mut().context("there is no canary")?;
                    run.phase = Phase::RolledBack;
                    run.children()
                };
                let done = self.roll_back("an operator's rollback")?;
                children.end();
                Ok(vec![done])
            }
        }
    }

    fn begin(self: &Arc<Self>, start: &Start) -> Result<Vec<Value>> {
        ensure!(
            !start.steps.is_empty() && start.steps.len() <= STEPS_MAX,
            "give 1 to {STEPS_MAX} steps"
        );
        let place = self.place()?;
        let Some(follow) = &place.follow else {
            bail!("a canary follows over a socket: start the exchange with --follow-listen");
        };
        let names = (place.names)()?;
        for step in &start.steps {
            step.instruments(&names.symbols)?;
        }
        let children = Children::default();
        let pair = Pair {
            build: start.build.clone(),
            args: start.args.clone(),
            address: follow.address,
            key: follow.key.clone(),
        };
        let number = {
            let mut state = self.state();
            if state.canary.as_ref().is_some_and(Run::is_running) {
                bail!("a canary runs already: see `rialto canary status`");
            }
            ensure!(
                state.green.is_none(),
                "another engine is being compared: end it first, or `rialto canary rollback`"
            );
            state.costs.clear();
            state.farewell = None;
            let number = state.canary.as_ref().map_or(0, |run| run.number) + 1;
            state.canary = Some(Run {
                start: start.clone(),
                phase: Phase::Starting,
                step: None,
                done: Vec::new(),
                verdict: None,
                doubt: None,
                instructions: None,
                children: children.clone(),
                number,
            });
            number
        };
        if let Err(error) = pair.start(&children) {
            children.end();
            self.state().canary = None;
            return Err(error);
        }
        let driver = Driver {
            deployment: Arc::clone(self),
            start: start.clone(),
            pair,
            children,
            number,
            last_agreed: SequenceNumber(0),
            attention: Attention::begin(),
            agreed_at: Duration::ZERO,
            missed: 0,
            window: 0,
        };
        std::thread::Builder::new()
            .name("canary".to_owned())
            .spawn(move || driver.run())?;
        Ok(vec![json!({ "canary": number, "build": start.build })])
    }

    fn promote(&self) -> Result<Vec<Value>> {
        let children = {
            let state = self.state();
            let run = state.canary.as_ref().context("there is no canary")?;
            ensure!(
                run.phase == Phase::Passed,
                "only a canary that has come through can be promoted: see `rialto canary status`"
            );
            run.children.clone()
        };
        let build = self.promotable()?;
        let begun = Instant::now();
        let commands = [
            cut_over(build, SequenceNumber(0), true, "promoted"),
            route(build, InstrumentId(0), false, "promoted"),
        ];
        let seq = self.switch(&commands)?;
        children.end_one(BASELINE);
        if let Some(run) = self.state().canary.as_mut() {
            run.phase = Phase::Promoted;
        }
        Ok(vec![
            json!({ "promoted": build::name(build), "seq": seq.0, "ms": millis(begun) }),
        ])
    }
}

/// Why a run ends early.
enum Ended {
    /// The judge says so.
    Judged(String),
    /// The judge finds it too dear.
    Dear(String),
    /// An operator did it, or the exchange ends.
    Quietly,
}

struct Driver {
    deployment: Arc<Deployment>,
    start: Start,
    pair: Pair,
    children: Children,
    number: u64,
    last_agreed: SequenceNumber,
    attention: Attention,
    /// When, in attention, they last agreed.
    agreed_at: Duration,
    /// What was missed before both had caught up.
    missed: u64,
    /// The first window of the step.
    window: u64,
}

impl Driver {
    fn run(mut self) {
        let ended = self.drive();
        let deployment = Arc::clone(&self.deployment);
        match ended {
            Ok(()) => {
                self.set(|run| {
                    run.phase = Phase::Passed;
                    run.step = None;
                });
                let _ = self.record(100, true, "passed");
                self.children.end_one(BASELINE);
            }
            Err(Ended::Judged(why) | Ended::Dear(why)) => {
                let step = self.step();
                let rolled_back = deployment.roll_back(&why);
                let why = self.pinpoint().unwrap_or(why);
                let recorded = self.record(step, false, &why);
                self.set(|run| {
                    run.phase = Phase::Stopped;
                    let mut verdict = recorded.unwrap_or_default();
                    if let Some(verdict) = verdict.as_object_mut() {
                        verdict.insert(
                            "rollback".to_owned(),
                            rolled_back.unwrap_or_else(|error| json!(error.to_string())),
                        );
                    }
                    run.verdict = Some(verdict);
                });
                self.children.end();
            }
            Err(Ended::Quietly) => self.children.end(),
        }
    }

    /// Where the candidate has ended by a signal of its own making: on which command. That is passed over from here on, as one
    /// that it panicked on.
    fn pinpoint(&self) -> Option<String> {
        let begun = Instant::now();
        let signal = loop {
            if let Some(status) = self.children.status_of(CANDIDATE) {
                break status.signal()?;
            }
            if self.deployment.state().green.is_some() || begun.elapsed() > END_MAX {
                return None;
            }
            std::thread::sleep(LOOK);
        };
        let fatal = [
            Signal::SIGABRT,
            Signal::SIGSEGV,
            Signal::SIGBUS,
            Signal::SIGILL,
            Signal::SIGFPE,
        ];
        let signal = fatal.into_iter().find(|one| *one as i32 == signal)?;
        let key = &self.deployment.place().ok()?.follow.as_ref()?.key;
        let build = self.deployment.state().candidate;
        let left = breath::path(key, CANDIDATE);
        let unfinished = breath::unfinished(&left, build)?;
        // Said here, so that the next one has not to say it.
        let _ = std::fs::remove_file(left);
        let why = format!("crashed on {}: {signal}", unfinished.0);
        let mut state = self.deployment.state();
        state.farewell = Some(why.clone());
        drop(state);
        self.deployment.pass_over(build, unfinished).ok()?;
        Some(why)
    }

    fn drive(&mut self) -> Result<(), Ended> {
        self.join()?;
        self.count()?;
        for step in self.start.steps.clone() {
            self.set(|run| {
                run.phase = Phase::Baking;
                run.step = Some(step.to_string());
            });
            let done = match self.take(&step) {
                Err(Ended::Dear(why)) if self.doubt(&why) => {
                    self.begin_again(&why)?;
                    self.take(&step)?
                }
                done => done?,
            };
            self.set(|run| run.done.push(done));
            let _ = self.record(step.percent(), true, "goes on");
        }
        Ok(())
    }

    /// Has instructions counted, and meanwhile watches as always.
    fn count(&mut self) -> Result<(), Ended> {
        let wanted = self.start.instructions;
        let counting = wanted.then(|| Counting::start(&self.pair, self.frontier())).flatten();
        let Some(counting) = counting else { return Ok(()) };
        let begun = self.attention.look();
        let counted = match counting {
            Err(error) => Err(error),
            Ok(mut counting) => loop {
                if let Some(result) = counting.result() {
                    break result;
                }
                self.go_on()?;
                at_once(&self.evidence()).map_err(Ended::Judged)?;
                if self.attention.look() - begun > COUNT_MAX {
                    break Err(anyhow!("it took more than {COUNT_MAX:?}"));
                }
                std::thread::sleep(LOOK);
            },
        };
        let found = match &counted {
            Ok(counted) => json!(counted),
            Err(error) => json!({ "not_counted": format!("{error:#}") }),
        };
        self.set(|run| run.instructions = Some(found));
        match counted {
            Ok(counted) if counted.is_dear() => {
                let percent = (counted.ratio - 1.0) * 100.0;
                Err(Ended::Judged(format!("cost: {percent:.1} % more instructions")))
            }
            _ => Ok(()),
        }
    }

    /// Takes a step: its instruments are routed, and watched until it has baked.
    fn take(&mut self, step: &Step) -> Result<Value, Ended> {
        let (begun, from) = (Instant::now(), self.frontier());
        let routed = self.route(step).map_err(|error| Ended::Judged(format!("{error:#}")))?;
        let cost = self.bake(from)?;
        Ok(json!({
            "step": step.to_string(),
            "instruments": routed,
            "commands": self.frontier() - from,
            "seconds": begun.elapsed().as_secs_f64(),
            "cost": cost,
        }))
    }

    /// Takes note of what a pair of processes was found to cost. Whether it was the first.
    fn doubt(&self, why: &str) -> bool {
        let mut first = false;
        self.set(|run| {
            first = run.doubt.is_none();
            run.doubt.get_or_insert_with(|| why.to_owned());
        });
        first
    }

    /// Takes the instruments back, and waits for a second pair of processes.
    fn begin_again(&mut self, why: &str) -> Result<(), Ended> {
        let judged = |error: anyhow::Error| Ended::Judged(format!("{error:#}"));
        self.deployment.roll_back(why).map_err(judged)?;
        for name in [CANDIDATE, BASELINE] {
            self.children.end_one(name);
        }
        let begun = self.attention.look();
        loop {
            self.go_on()?;
            let mut state = self.deployment.state();
            if state.green.is_none() && state.baseline.is_none() {
                state.costs.clear();
                state.farewell = None;
                break;
            }
            drop(state);
            if self.attention.look() - begun > JOIN_MAX {
                return Err(Ended::Judged("missing data: the first pair did not leave".to_owned()));
            }
            std::thread::sleep(LOOK);
        }
        self.pair.start(&self.children).map_err(judged)?;
        self.join()
    }

    /// Waits until both engines are there and have caught up.
    fn join(&mut self) -> Result<(), Ended> {
        let begun = self.attention.look();
        loop {
            self.go_on()?;
            let (both, farewell) = {
                let state = self.deployment.state();
                (
                    state.green.is_some() && state.baseline.is_some(),
                    state.farewell.clone(),
                )
            };
            if let Some(why) = farewell.or_else(|| self.children.ended()) {
                return Err(Ended::Judged(why));
            }
            let difference = self.deployment.word.difference();
            let evidence = Evidence {
                difference,
                ..Evidence::default()
            };
            at_once(&evidence).map_err(Ended::Judged)?;
            let agreed = self.deployment.word.agreed();
            if both && agreed.0 > 0 && self.frontier() < agreed.0 + CAUGHT_UP {
                self.missed = self.deployment.word.counts().missed;
                (self.last_agreed, self.agreed_at) = (agreed, self.attention.look());
                // What catching up cost, where one answers and the other does not, is no part of any step.
                self.deployment.state().costs.clear();
                return Ok(());
            }
            if self.attention.look() - begun > JOIN_MAX {
                return Err(Ended::Judged("missing data: it never caught up".to_owned()));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Routes a step's instruments that are not routed yet, or have returned.
    fn route(&self, step: &Step) -> Result<usize> {
        let names = (self.deployment.place()?.names)()?;
        let wanted = step.instruments(&names.symbols)?;
        let (routed, build, not) = {
            let state = self.deployment.state();
            let build = state.green.as_ref().map_or(0, |green| green.introduction.build);
            (state.ledger.routed.clone(), build, state.ledger.not_compared(build))
        };
        let new: BTreeSet<InstrumentId> = wanted
            .difference(&routed)
            .copied()
            .filter(|id| !not.contains(id))
            .collect();
        let new: Vec<InstrumentId> = new.into_iter().collect();
        if !new.is_empty() {
            self.deployment.route(build, &new, true, "canary")?;
        }
        Ok(wanted.len())
    }

    /// Watches a step until it has baked.
    fn bake(&mut self, from: u64) -> Result<Option<Cost>, Ended> {
        let last = self
            .deployment
            .state()
            .costs
            .last_key_value()
            .map(|(window, _)| *window);
        self.window = last.map_or(0, |last| last + 1);
        let (begun, mut over) = (self.attention.look(), None);
        loop {
            std::thread::sleep(LOOK);
            self.go_on()?;
            let evidence = self.evidence();
            at_once(&evidence).map_err(Ended::Judged)?;
            let seen = self.attention.look();
            let baked = match self.start.bake {
                Bake::Seconds(seconds) => (seen - begun).as_secs_f64() >= seconds,
                Bake::Commands(commands) => self.frontier() - from >= commands,
            };
            if !baked {
                continue;
            }
            let over = *over.get_or_insert(seen);
            // By all windows of this pair of processes, which are many, and by the step's own: those before them say how the
            // processes were when they were younger.
            if let Some(of_step) = cost(&evidence.of_step) {
                let dear = [Some(of_step), cost(&evidence.pairs)]
                    .into_iter()
                    .flatten()
                    .find(is_dear);
                if let Some(Cost { median_ratio, p, .. }) = dear {
                    let percent = (median_ratio - 1.0) * 100.0;
                    return Err(Ended::Dear(format!("cost: {percent:.1} % more, p {p:.0e}")));
                }
                return Ok(Some(of_step));
            }
            let extra = (over - begun).mul_f64(BAKES_MAX).max(BAKE_EXTRA);
            if seen - over > extra {
                let found = evidence.of_step.len();
                return Err(Ended::Judged(format!("missing data: {found} pairs of windows")));
            }
        }
    }

    /// Whether nobody has ended it.
    fn go_on(&self) -> Result<(), Ended> {
        let state = self.deployment.state();
        let run = state.canary.as_ref().filter(|run| run.number == self.number);
        match run {
            Some(run) if run.is_running() && !self.deployment.is_stopping() => Ok(()),
            _ => Err(Ended::Quietly),
        }
    }

    fn evidence(&mut self) -> Evidence {
        let word = &self.deployment.word;
        let (agreed, counts, difference) = (word.agreed(), word.counts(), word.difference());
        let (frontier, seen) = (self.frontier(), self.attention.look());
        if agreed != self.last_agreed || agreed.0 >= frontier {
            (self.last_agreed, self.agreed_at) = (agreed, seen);
        }
        let state = self.deployment.state();
        let gone = match (&state.green, &state.baseline) {
            (Some(_), Some(_)) => None,
            (None, _) => Some(state.farewell.clone().unwrap_or_else(|| "it is gone".to_owned())),
            (_, None) => Some("missing data: the baseline is gone".to_owned()),
        };
        let grown = |one: &Option<Attached>| {
            one.as_ref()
                .and_then(|one| one.memory)
                .map(|(first, last)| last.saturating_sub(first))
        };
        let memory_growth = match (grown(&state.green), grown(&state.baseline)) {
            (Some(green), Some(baseline)) => green.saturating_sub(baseline),
            _ => 0,
        };
        let pairs_from = |window: u64| {
            let both = |(new, old): &(Option<u64>, Option<u64>)| Some(((*new)? as f64, (*old)? as f64));
            let pairs = state.costs.range(window..).filter_map(move |(_, costs)| both(costs));
            pairs.filter(|(_, old)| *old > 0.0).collect()
        };
        Evidence {
            difference,
            gone,
            missed: counts.missed - self.missed.min(counts.missed),
            silent: seen - self.agreed_at,
            memory_growth,
            pairs: pairs_from(0),
            of_step: pairs_from(self.window),
        }
    }

    /// Puts a verdict and its numbers into the stream. Gives them as they stand there.
    fn record(&mut self, step: u8, passed: bool, why: &str) -> Result<Value> {
        let evidence = self.evidence();
        let cost = cost(&evidence.pairs).unwrap_or_default();
        let build = self.deployment.state().candidate;
        let millionths = |value: f64| (value * 1e6).clamp(0.0, f64::from(u32::MAX)) as u32;
        let finding = Finding {
            build,
            step,
            passed,
            compared: self.deployment.word.counts().compared,
            windows: cost.pairs as u32,
            ratio_ppm: millionths(cost.median_ratio),
            p_ppb: millionths(cost.p * 1e3),
            memory: evidence.memory_growth,
        };
        self.deployment.record(finding, why)?;
        let difference = evidence
            .difference
            .map(|found| json!({ "seq": found.seq.0, "index": found.index, "blue": found.blue, "green": found.green }));
        Ok(json!({
            "build": build::name(build),
            "step": self.step_name(),
            "passed": passed,
            "why": why,
            "compared": finding.compared,
            "cost": cost,
            "memory_growth": finding.memory,
            "difference": difference,
        }))
    }

    fn frontier(&self) -> u64 {
        self.deployment
            .place
            .get()
            .map_or(0, |place| place.frontier.released_up_to().1.0)
    }

    fn set(&self, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self
            .deployment
            .state()
            .canary
            .as_mut()
            .filter(|run| run.number == self.number)
        {
            change(run);
        }
    }

    fn step_name(&self) -> Option<String> {
        self.deployment.state().canary.as_ref().and_then(|run| run.step.clone())
    }

    fn step(&self) -> u8 {
        self.step_name()
            .and_then(|step| step.parse::<Step>().ok())
            .map_or(0, |step| step.percent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bakes_are_seconds_or_commands() {
        assert_eq!("30s".parse::<Bake>().unwrap(), Bake::Seconds(30.0));
        assert_eq!("200000c".parse::<Bake>().unwrap(), Bake::Commands(200_000));
        for wrong in ["", "30", "s", "0c", "-1s", "1h"] {
            assert!(wrong.parse::<Bake>().is_err(), "{wrong}");
        }
    }
}
