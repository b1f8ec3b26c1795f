//! What doors and feeds in other processes have in common: a candidate and, as a measure beside it, the standing build, each in a
//! seat of one type with its kind's own part, and what is known of both.

use super::Deployment;
use super::children::Children;
use super::judge::Found;
use rialto_engine::talk::{Cost, Introduction, Role, Testify};
use rialto_follow::Seat;
use rialto_model::SequenceNumber;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

/// Windows of cost and of delay kept of each; the oldest go.
const WINDOWS_MAX: usize = 16_384;
/// How often one looks.
pub(super) const LOOK: Duration = Duration::from_millis(2);
/// The whole, in ten-thousandths; and the largest share beside which there is room for as large a measure.
pub(super) const WHOLE: u16 = 10_000;
pub(super) const HALF: u16 = WHOLE / 2;
/// Where each sits.
pub(super) const CANDIDATE: usize = 0;
pub(super) const BASELINE: usize = 1;

/// Doors, or feeds: what is known of them, behind a lock of their own.
pub(super) trait Edge: Sized + Send + 'static {
    /// As the command line calls it.
    const ROLE: &'static str;
    /// Whose settings it is told.
    const SETTINGS: &'static str;
    /// Why it has to be on the exchange's machine.
    const HERE: &'static str;
    /// What its seat has besides.
    type Part: Default + Debug + Send;
    /// Which of them, where there are several.
    type Which: Copy + Send + 'static;

    fn lock(deployment: &Deployment) -> MutexGuard<'_, Self>;
    fn bench(&self) -> &Bench<Self::Part>;
    fn bench_mut(&mut self) -> &mut Bench<Self::Part>;
    /// What it has to know, as JSON.
    fn settings(deployment: &Deployment) -> Result<String, String>;
    /// Whether it takes members or subscribers.
    fn is_open(part: &Self::Part) -> bool;
    /// One has come: nothing was found of it.
    fn comes(&mut self, place: usize);
    /// One that sits there says something that is its kind's own.
    fn hear(chair: &Chair<Self>, said: Testify) -> Result<(), String>;
    /// One is gone.
    fn goes(deployment: &Deployment, place: usize, gone: EdgeSeat<Self::Part>);

    // --- A run ---

    /// Whether one can be begun.
    fn may_start(deployment: &Deployment) -> anyhow::Result<()>;
    /// What the processes are told on their command lines besides.
    fn arguments(which: Self::Which) -> Vec<String>;
    /// Gives the candidate, and the baseline, a share.
    fn share(deployment: &Deployment, which: Self::Which, share: u16, by_firm: bool) -> anyhow::Result<()>;
    /// What must hold at any moment.
    fn held(&self) -> Result<(), String>;
    /// Whether there is enough to judge by.
    fn has_enough(&self) -> bool;
    /// What was measured so far is measured anew.
    fn measure_anew(&mut self);
    /// What is found by what is known now.
    fn find(&self, which: Self::Which) -> Found;
    /// Records what was found, and takes back a candidate that did not pass.
    fn conclude(deployment: &Deployment, which: Self::Which, found: &Found) -> anyhow::Result<Value>;
    /// A run has ended.
    fn let_go(deployment: &Deployment, which: Self::Which, passed: bool, run: &EdgeRun);
}

/// A process that is there.
#[derive(Debug)]
pub(super) struct EdgeSeat<P> {
    pub(super) introduction: Introduction,
    generation: u64,
    since: Instant,
    memory: Option<Memory>,
    /// Why it is to end with the next word that it says.
    pub(super) dismissed: Option<String>,
    pub(super) part: P,
}

/// Bytes that a process holds.
#[derive(Clone, Copy, Debug)]
struct Memory {
    first: u64,
    last: u64,
    /// The last command that it had taken by then.
    taken: SequenceNumber,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    Starting,
    Baking,
    Passed,
    Stopped,
    Ended,
}

/// A run, as far as it has come.
#[derive(Clone, Debug)]
pub(super) struct EdgeRun {
    pub(super) number: u64,
    pub(super) phase: Phase,
    pub(super) share: u16,
    pub(super) done: Vec<Value>,
    pub(super) children: Children,
}

impl EdgeRun {
    pub(super) const fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Baking)
    }
}

/// What is known of both.
#[derive(Debug)]
pub(super) struct Bench<P> {
    /// The candidate's and the baseline's.
    pub(super) seats: [Option<EdgeSeat<P>>; 2],
    /// Thread CPU of their windows since it was last measured anew.
    pub(super) costs: [Vec<f64>; 2],
    /// Arrivals and runs so far.
    generation: u64,
    /// The arrival of the last candidate.
    pub(super) candidate: u64,
    /// No more is taken of anybody.
    pub(super) closed: bool,
    pub(super) farewell: Option<String>,
    pub(super) run: Option<EdgeRun>,
    pub(super) verdict: Option<Value>,
}

impl<P> Default for Bench<P> {
    fn default() -> Self {
        Self {
            seats: [None, None],
            costs: Default::default(),
            generation: 0,
            candidate: 0,
            closed: false,
            farewell: None,
            run: None,
            verdict: None,
        }
    }
}

impl<P> Bench<P> {
    pub(super) fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    pub(super) fn part_mut(&mut self, place: usize) -> Option<&mut P> {
        Some(&mut self.seats.get_mut(place)?.as_mut()?.part)
    }

    /// Both are there, and this is so of each.
    pub(super) fn both(&self, is: impl Fn(&P) -> bool) -> bool {
        self.seats.iter().flatten().filter(|seat| is(&seat.part)).count() == self.seats.len()
    }

    /// The run of this number, while nobody has ended it or begun another.
    pub(super) fn run_mut(&mut self, number: u64) -> Option<&mut EdgeRun> {
        self.run.as_mut().filter(|run| run.number == number)
    }

    /// Why the candidate is gone, or is to go.
    pub(super) fn gone(&self) -> Option<&str> {
        match &self.seats[CANDIDATE] {
            None => self.farewell.as_deref(),
            Some(seat) => seat.dismissed.as_deref(),
        }
    }

    /// What was said last; a run whose candidate did not pass is over.
    pub(super) fn say(&mut self, passed: bool, line: &Value) {
        self.verdict = Some(line.clone());
        if let Some(run) = self.run.as_mut().filter(|run| !passed && run.is_running()) {
            run.phase = Phase::Stopped;
        }
    }

    fn hear_costs(&mut self, place: usize, costs: &[Cost]) {
        if let Some(all) = self.costs.get_mut(place) {
            keep(all, costs.iter().map(|cost| cost.cpu_ns as f64));
        }
    }

    /// Growth is counted of both from one moment on.
    fn hear_memory(&mut self, place: usize, taken: SequenceNumber, bytes: u64) {
        let begins = self
            .seats
            .get(place)
            .is_some_and(|seat| seat.as_ref().is_some_and(|one| one.memory.is_none()));
        for (at, seat) in self.seats.iter_mut().enumerate() {
            let Some(seat) = seat else { continue };
            if at == place {
                let first = seat.memory.map_or(bytes, |memory| memory.first);
                seat.memory = Some(Memory {
                    first,
                    last: bytes,
                    taken,
                });
            } else if begins && let Some(memory) = &mut seat.memory {
                memory.first = memory.last;
            }
        }
    }

    /// Memory that the candidate has taken beyond the baseline. Without a baseline nothing is known; and before the baseline has
    /// come to where the candidate is: a table that doubles does so behind the same command in both.
    pub(super) fn growth(&self) -> u64 {
        let memory = |place: usize| self.seats.get(place)?.as_ref()?.memory;
        let grown = |memory: Memory| memory.last.saturating_sub(memory.first);
        match (memory(CANDIDATE), memory(BASELINE)) {
            (Some(candidate), Some(baseline)) if baseline.taken >= candidate.taken => {
                grown(candidate).saturating_sub(grown(baseline))
            }
            _ => 0,
        }
    }

    /// What is shown of one of them.
    pub(super) fn shown(&self, place: usize, own: impl Fn(&P) -> Value) -> Value {
        let Some(Some(seat)) = self.seats.get(place) else {
            return Value::Null;
        };
        let line = json!({
            "name": seat.introduction.name,
            "build": super::build::name(seat.introduction.build),
            "pid": seat.introduction.pid,
            "seconds": seat.since.elapsed().as_secs_f64(),
            "memory": seat.memory.map(|memory| memory.last),
        });
        with(line, own(&seat.part))
    }

    /// What is shown of all of it.
    pub(super) fn status(&self, own: Value) -> Value {
        let line = json!({
            "windows": [self.costs[0].len(), self.costs[1].len()],
            "farewell": self.farewell,
            "run": self.run.as_ref().map(|run| json!({
                "phase": run.phase,
                "share": f64::from(run.share) / 100.0,
                "steps": run.done,
            })),
            "verdict": self.verdict,
        });
        with(line, own)
    }
}

impl<P> EdgeSeat<P> {
    /// Its memory is counted anew.
    pub(super) const fn forget_memory(&mut self) {
        self.memory = None;
    }
}

/// One object of two.
pub(super) fn with(mut line: Value, more: Value) -> Value {
    if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(more);
    }
    line
}

/// Keeps the newest.
pub(super) fn keep(all: &mut Vec<f64>, more: impl IntoIterator<Item = f64>) {
    all.extend(more);
    let over = all.len().saturating_sub(WINDOWS_MAX);
    all.drain(..over);
}

/// Where one is heard.
pub(super) struct Chair<E: Edge> {
    pub(super) deployment: Arc<Deployment>,
    pub(super) place: usize,
    pub(super) generation: u64,
    kind: PhantomData<fn() -> E>,
}

impl<E: Edge> Chair<E> {
    /// Its own seat's part, while it has it.
    pub(super) fn part<'a>(&self, known: &'a mut E) -> Option<&'a mut E::Part> {
        let seat = known.bench_mut().seats.get_mut(self.place)?.as_mut();
        seat.filter(|seat| seat.generation == self.generation)
            .map(|seat| &mut seat.part)
    }
}

impl<E: Edge> Seat for Chair<E> {
    fn hear(&mut self, testimony: &[u8]) -> Result<bool, String> {
        let said = Testify::decode(testimony).map_err(|error| format!("what it says cannot be read: {error}"))?;
        let mut known = E::lock(&self.deployment);
        let bench = known.bench_mut();
        let seat = bench.seats.get(self.place).and_then(Option::as_ref);
        let Some(seat) = seat.filter(|seat| seat.generation == self.generation) else {
            return Err("its seat is another's".to_owned());
        };
        if let Some(why) = &seat.dismissed {
            return Err(why.clone());
        }
        match said {
            Testify::Costs(costs) => bench.hear_costs(self.place, &costs),
            Testify::Health { taken, memory } => bench.hear_memory(self.place, taken, memory),
            said => {
                drop(known);
                E::hear(self, said)?;
            }
        }
        Ok(true)
    }
}

impl<E: Edge> Drop for Chair<E> {
    /// The connection is gone.
    fn drop(&mut self) {
        let mut known = E::lock(&self.deployment);
        let bench = known.bench_mut();
        let seat = bench.seats.get_mut(self.place);
        let Some(gone) = seat.and_then(|seat| seat.take_if(|one| one.generation == self.generation)) else {
            return;
        };
        if self.place == CANDIDATE {
            let why = gone.dismissed.as_deref().unwrap_or("the candidate is gone");
            bench.farewell.get_or_insert_with(|| why.to_owned());
        }
        drop(known);
        E::goes(&self.deployment, self.place, gone);
    }
}

impl Deployment {
    /// Receives a door or a feed. Gives its seat and what it has to know.
    pub(super) fn receive_edge<E: Edge>(
        self: &Arc<Self>,
        is_here: bool,
        introduction: &Introduction,
    ) -> Result<(Box<dyn Seat>, Vec<u8>), String> {
        if !is_here {
            return Err(E::HERE.to_owned());
        }
        let settings = E::settings(self)?;
        check_brief(&settings, E::SETTINGS, E::ROLE)?;
        let is_baseline = matches!(introduction.role, Role::BaselineDoor | Role::BaselineFeed);
        let place = usize::from(is_baseline);
        let mut known = E::lock(self);
        let bench = known.bench_mut();
        if bench.closed {
            return Err("the exchange ends".to_owned());
        }
        let generation = bench.next_generation();
        let Some(seat) = bench.seats.get_mut(place).filter(|seat| seat.is_none()) else {
            return Err(format!("another {} is in this place already", E::ROLE));
        };
        *seat = Some(EdgeSeat {
            introduction: introduction.clone(),
            generation,
            since: Instant::now(),
            memory: None,
            dismissed: None,
            part: E::Part::default(),
        });
        if place == CANDIDATE {
            bench.farewell = None;
            bench.candidate = generation;
        }
        known.comes(place);
        let chair = Chair::<E> {
            deployment: Arc::clone(self),
            place,
            generation,
            kind: PhantomData,
        };
        Ok((Box::new(chair), settings.into_bytes()))
    }
}

/// Whether what a process of this kind has to know, the exchange's settings of `what`, fits what a process is told.
fn check_brief(settings: &str, what: &str, kind: &str) -> Result<(), String> {
    let most = rialto_follow::limits::ENGINE_BYTES_MAX;
    if settings.len() > most {
        return Err(format!(
            "the settings of this exchange's {what} take {} bytes, and a {kind} is told {most} at most",
            settings.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat() -> Option<EdgeSeat<()>> {
        Some(EdgeSeat {
            introduction: Introduction {
                role: Role::Door,
                build: 1,
                table: 2,
                release: rialto_matching::CURRENT_RELEASE,
                pid: 3,
                name: "one".to_owned(),
            },
            generation: 1,
            since: Instant::now(),
            memory: None,
            dismissed: None,
            part: (),
        })
    }

    #[test]
    fn memory_is_compared_behind_the_same_commands_and_from_one_moment_on() {
        let mut bench: Bench<()> = Bench {
            seats: [seat(), None],
            ..Bench::default()
        };
        let mut hears = |place, taken, megabytes: u64| {
            bench.hear_memory(place, SequenceNumber(taken), megabytes << 20);
            bench.growth() >> 20
        };
        assert_eq!(hears(CANDIDATE, 10, 100), 0);
        assert_eq!(hears(CANDIDATE, 20, 200), 0, "without a baseline nothing is known");
        bench.seats[BASELINE] = seat();
        let mut hears = |place, taken, megabytes: u64| {
            bench.hear_memory(place, SequenceNumber(taken), megabytes << 20);
            bench.growth() >> 20
        };
        assert_eq!(
            hears(BASELINE, 20, 50),
            0,
            "what was before the baseline came is nobody's"
        );
        assert_eq!(hears(CANDIDATE, 30, 300), 0, "the baseline has not come so far");
        assert_eq!(hears(BASELINE, 30, 150), 0, "both have doubled");
        assert_eq!(hears(BASELINE, 40, 150), 0);
        assert_eq!(hears(CANDIDATE, 40, 370), 70);
    }
}
