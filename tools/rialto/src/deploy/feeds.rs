//! Feeds in other processes: a candidate's, and the standing build's as a measure beside it.
//!
//! Which subscribers are told by them is the stream's to say (`RouteFeed`), and a subscriber's place never changes. The
//! exchange's own QUIC server sends a login that may be sent on to the candidate's port, once name and password are right
//! ([`Deployment::tells_elsewhere`]); there is nothing to hand over, for both make the same messages of the same stream. The way
//! back ends the candidate: its subscribers come again by themselves with the number that they have not been told.

use super::canary::{Bake, Children};
use super::compare::Wrong;
use super::judge::{Delay, DoorCost, delay, door_at_once, door_cost, is_door_dear, is_late};
use super::listen::{self, OwnFeed};
use super::seat::check_brief;
use super::{Deployment, build, millis, text};
use anyhow::{Context as _, Result, bail, ensure};
use rialto_engine::talk::{Introduction, Role, Testify};
use rialto_follow::Seat;
use rialto_itch::mold::Session;
use rialto_model::command::{JudgeFeed, RouteFeed};
use rialto_model::{Audience, Command, Event, Hearing, Output, Place};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

/// Windows of cost and of delay kept of each; the oldest go.
const WINDOWS_MAX: usize = 16_384;
/// Subscribers remembered by name; of more it is only known how many.
const NAMES_MAX: usize = 1_024;
/// The whole, in ten-thousandths; and the largest share beside which there is room for as large a measure.
const WHOLE: u16 = 10_000;
pub(super) const HALF: u16 = WHOLE / 2;

/// What operators ask of feeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "feeds", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FeedAct {
    /// How they stand.
    Status,
    /// Sends a share of new subscribers to the candidate that is there, and as large a one to the baseline if there is one.
    Share { ten_thousandths: u16, by_firm: bool },
    /// The exchange tells everybody again, and the candidate is dismissed.
    Back,
    /// Judges what is known, and records it; a verdict against the candidate dismisses it.
    Judge,
    /// Starts a candidate and a baseline, and takes the candidate from share to share for as long as the judge lets it.
    Start(StartFeed),
}

/// How a run goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StartFeed {
    /// The candidate's executable.
    pub(crate) build: PathBuf,
    /// In ten-thousandths, at most half.
    pub(crate) shares: Vec<u16>,
    pub(crate) bake: Bake,
    pub(crate) by_firm: bool,
    /// More arguments for `feed`.
    pub(crate) args: Vec<String>,
}

/// A feed that is there.
#[derive(Debug)]
pub(super) struct FeedSeat {
    introduction: Introduction,
    generation: u64,
    since: Instant,
    /// Once it takes subscribers: where, and how many there are.
    port: Option<u16>,
    subscribers: u32,
    sent: u64,
    memory: Option<(u64, u64)>,
    /// Why it is to end with the next word that it says.
    dismissed: Option<String>,
}

/// What is known of feeds, behind a lock of its own: the QUIC server takes it for a login.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    /// The candidate's and the baseline's.
    pub(super) seats: [Option<FeedSeat>; 2],
    /// Thread CPU of their windows, and how much later than the exchange's own their messages come, since the last change of share.
    pub(super) costs: [Vec<f64>; 2],
    pub(super) delays: [Vec<f64>; 2],
    compared: [u64; 2],
    generation: u64,
    /// The arrival of the last candidate, and of the last that a verdict was given against.
    candidate: u64,
    pub(super) condemned: u64,
    /// What the stream says.
    audience: Audience,
    /// Who was sent to the candidate since its share began.
    sent: BTreeSet<String>,
    more_sent: u64,
    /// Who was told something wrong, of which session and from which number on.
    misled: BTreeMap<String, (Session, u64)>,
    pub(super) closed: bool,
    pub(super) farewell: Option<String>,
    pub(super) run: Option<FeedRun>,
    pub(super) verdict: Option<Value>,
}

/// A run, as far as it has come.
#[derive(Debug)]
pub(super) struct FeedRun {
    pub(super) phase: &'static str,
    pub(super) share: u16,
    pub(super) done: Vec<Value>,
    pub(super) children: Children,
}

impl Feeds {
    /// Takes in an event of the stream as it was found.
    pub(super) const fn replay(&mut self, output: &Output) {
        if let Event::FeedRouted(e) = &output.event.body {
            self.audience = e.audience;
        }
    }

    /// What the stream has to be told first: the processes are gone with the last one of the exchange.
    pub(super) fn opening(&self) -> Option<Command> {
        let stands = self.audience.share > 0 || self.audience.baseline > 0;
        stands.then(|| route(nobody(self.audience), "the exchange was started again"))
    }

    pub(super) fn audience(&self) -> Audience {
        self.audience
    }

    /// Both take subscribers.
    pub(super) fn are_open(&self) -> bool {
        let open = |seat: &Option<FeedSeat>| seat.as_ref().is_some_and(|one| one.port.is_some());
        self.seats.iter().all(open)
    }

    fn status(&self) -> Value {
        let seat = |place: usize| {
            self.seats.get(place)?.as_ref().map(|one| {
                json!({
                    "name": one.introduction.name,
                    "build": build::name(one.introduction.build),
                    "pid": one.introduction.pid,
                    "seconds": one.since.elapsed().as_secs_f64(),
                    "open": one.port.is_some(),
                    "port": one.port,
                    "subscribers": one.subscribers,
                    "sent": one.sent,
                    "compared": self.compared.get(place),
                    "memory": one.memory.map(|(_, last)| last),
                })
            })
        };
        json!({
            "candidate": seat(0),
            "baseline": seat(1),
            "audience": shown(&self.audience),
            "windows": [self.costs[0].len(), self.costs[1].len()],
            "delays": [self.delays[0].len(), self.delays[1].len()],
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

fn shown(audience: &Audience) -> Value {
    json!({
        "build": build::name(audience.build),
        "share": f64::from(audience.share) / 100.0,
        "baseline": f64::from(audience.baseline) / 100.0,
        "by_firm": audience.by_firm,
    })
}

const fn nobody(audience: Audience) -> Audience {
    Audience {
        share: 0,
        baseline: 0,
        ..audience
    }
}

fn route(audience: Audience, why: &str) -> Command {
    RouteFeed {
        audience,
        why: text(why),
    }
    .into()
}

/// Memory that the candidate has taken beyond the baseline, of each since its last subscriber came or went. Without a baseline
/// nothing is known.
pub(super) fn growth(feeds: &Feeds) -> u64 {
    let grown = |seat: &Option<FeedSeat>| {
        let (first, last) = seat.as_ref()?.memory?;
        Some(last.saturating_sub(first))
    };
    match (grown(&feeds.seats[0]), grown(&feeds.seats[1])) {
        (Some(candidate), Some(baseline)) => candidate.saturating_sub(baseline),
        _ => 0,
    }
}

/// What is found of a candidate: whether it goes on, why, and by which numbers.
struct Found {
    passed: bool,
    why: String,
    cost: Option<DoorCost>,
    delay: Option<Delay>,
}

/// By what is known now.
fn find(feeds: &Feeds) -> Found {
    let gone = match &feeds.seats[0] {
        None => Some(feeds.farewell.as_deref().unwrap_or("the candidate is gone")),
        Some(seat) => seat.dismissed.as_deref(),
    };
    let (cost, delay) = (
        door_cost(&feeds.costs[0], &feeds.costs[1]),
        delay(&feeds.delays[0], &feeds.delays[1]),
    );
    let held = door_at_once(gone, growth(feeds));
    let (passed, why) = match (held, &cost, &delay) {
        (Err(why), ..) => (false, why),
        (Ok(()), Some(cost), _) if is_door_dear(cost) => (
            false,
            format!("too dear: {:.2}, effect {:.2}", cost.median_ratio, cost.dearer),
        ),
        (Ok(()), _, Some(delay)) if is_late(delay) => (
            false,
            format!("too late: {:.1} ms, effect {:.2}", delay.later_us / 1e3, delay.later),
        ),
        (Ok(()), Some(cost), Some(_)) => (true, format!("goes on, effect {:.2}", cost.dearer)),
        (Ok(()), None, _) => {
            let [candidate, baseline] = &feeds.costs;
            let (candidate, baseline) = (candidate.len(), baseline.len());
            (false, format!("missing data: {candidate} and {baseline} windows"))
        }
        (Ok(()), Some(_), None) => {
            let [candidate, baseline] = &feeds.delays;
            let (candidate, baseline) = (candidate.len(), baseline.len());
            (false, format!("missing data: {candidate} and {baseline} delays"))
        }
    };
    Found {
        passed,
        why,
        cost,
        delay,
    }
}

impl Deployment {
    pub(super) fn feeds(&self) -> MutexGuard<'_, Feeds> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The exchange has a QUIC server of its own.
    pub(crate) fn has_own_feed(&self, feed: OwnFeed) -> Result<()> {
        ensure!(self.own_feed.set(feed).is_ok(), "an exchange has one feed");
        Ok(())
    }

    pub(super) fn own_feed(&self) -> Result<&OwnFeed> {
        let none = "this exchange has no QUIC server, and subscribers are sent on by it: configure [quic]";
        self.own_feed.get().context(none)
    }

    /// The port of the process that tells a subscriber, where it is another.
    pub(crate) fn tells_elsewhere(&self, user: &str, firm: &str) -> Option<u16> {
        let mut feeds = self.feeds();
        let place = match feeds.audience.place(user, firm) {
            Place::Own => return None,
            Place::Candidate => 0,
            Place::Baseline => 1,
        };
        let seat = feeds.seats.get_mut(place)?.as_mut();
        let seat = seat.filter(|seat| seat.dismissed.is_none())?;
        let port = seat.port?;
        seat.sent += 1;
        if place == 0 {
            if feeds.sent.len() < NAMES_MAX {
                feeds.sent.insert(user.to_owned());
            } else if !feeds.sent.contains(user) {
                feeds.more_sent += 1;
            }
        }
        Some(port)
    }

    /// Whether a subscriber was told something wrong before this number.
    pub(crate) fn is_misled(&self, user: &str, session: Session, next: u64) -> bool {
        let mut feeds = self.feeds();
        let since = feeds
            .misled
            .get(user)
            .is_some_and(|(of, first)| *of == session && next > *first);
        if since {
            feeds.misled.remove(user);
        }
        since
    }

    /// Receives a feed. Gives its seat and what it has to know.
    pub(super) fn receive_feed(
        self: &Arc<Self>,
        is_here: bool,
        introduction: &Introduction,
    ) -> Result<(Box<dyn Seat>, Vec<u8>), String> {
        if !is_here {
            return Err(
                "subscribers are sent to another port of the exchange's own machine, and so a feed has to be on it"
                    .to_owned(),
            );
        }
        let settings = self.own_feed().map_err(|error| error.to_string())?.settings.clone();
        check_brief(&settings, "feed", "feed")?;
        let place = usize::from(introduction.role == Role::BaselineFeed);
        let mut feeds = self.feeds();
        if feeds.closed {
            return Err("the exchange ends".to_owned());
        }
        feeds.generation += 1;
        let generation = feeds.generation;
        let Some(seat) = feeds.seats.get_mut(place).filter(|seat| seat.is_none()) else {
            return Err("another feed is in this place already".to_owned());
        };
        *seat = Some(FeedSeat {
            introduction: introduction.clone(),
            generation,
            since: Instant::now(),
            port: None,
            subscribers: 0,
            sent: 0,
            memory: None,
            dismissed: None,
        });
        if place == 0 {
            feeds.farewell = None;
            feeds.candidate = generation;
        }
        let chair = FeedChair {
            deployment: Arc::clone(self),
            place,
            generation,
        };
        Ok((Box::new(chair), settings.into_bytes()))
    }

    /// Ends what is told by others: they say goodbye to their subscribers as the exchange does to its own.
    pub(super) fn close_feeds(&self) {
        let children = {
            let mut feeds = self.feeds();
            feeds.closed = true;
            for seat in feeds.seats.iter_mut().flatten() {
                seat.dismissed.get_or_insert_with(|| "the exchange ends".to_owned());
            }
            feeds.run.as_ref().map(|run| run.children.clone())
        };
        if let Some(children) = children {
            children.let_go();
        }
    }

    /// What operators ask.
    pub(crate) fn feeds_act(self: &Arc<Self>, act: &FeedAct) -> Result<Vec<Value>> {
        let line = match act {
            FeedAct::Status => self.feeds().status(),
            FeedAct::Share {
                ten_thousandths,
                by_firm,
            } => self.share_feed(*ten_thousandths, *by_firm, "an operator's share")?,
            FeedAct::Back => self.back_from_feeds("an operator's way back")?,
            FeedAct::Judge => self.judge_feed()?,
            FeedAct::Start(start) => self.start_feeds(start)?,
        };
        Ok(vec![line])
    }

    /// Sequences a share. It holds for who logs in from here on; the stream says it a moment later.
    pub(super) fn share_feed(&self, share: u16, by_firm: bool, why: &str) -> Result<Value> {
        ensure!(share > 0 && share <= WHOLE, "a share is 0.01 to 100 per cent");
        let begun = Instant::now();
        let audience = {
            let mut feeds = self.feeds();
            let there = |seat: &Option<FeedSeat>| {
                let seat = seat.as_ref().filter(|seat| seat.dismissed.is_none())?;
                seat.port.map(|_| seat.introduction.build)
            };
            let Some(build) = there(&feeds.seats[0]) else {
                bail!(
                    "no candidate takes subscribers: start one with `rialto feed --follow`, or `rialto deploy feed start`"
                );
            };
            let baseline = there(&feeds.seats[1]).is_some();
            ensure!(
                !baseline || share <= HALF,
                "beside a baseline a candidate has half at most: there would be no room for an equal share"
            );
            (feeds.costs, feeds.delays) = Default::default();
            if feeds.audience.share == 0 {
                feeds.sent.clear();
                feeds.more_sent = 0;
            }
            Audience {
                build,
                share,
                baseline: if baseline { share } else { 0 },
                by_firm,
            }
        };
        self.turn_feed(audience, why)?;
        let mut line = shown(&audience);
        if let Some(line) = line.as_object_mut() {
            line.insert("ms".to_owned(), json!(millis(begun)));
        }
        Ok(line)
    }

    pub(super) fn turn_feed(&self, audience: Audience, why: &str) -> Result<()> {
        self.venue.sequence(route(audience, why))?;
        self.feeds().audience = audience;
        Ok(())
    }

    /// The exchange tells everybody again: both processes end, with a goodbye to their subscribers, who come again. Says who.
    pub(super) fn back_from_feeds(&self, why: &str) -> Result<Value> {
        let begun = Instant::now();
        let audience = self.feeds().audience;
        if audience.share > 0 || audience.baseline > 0 {
            self.turn_feed(nobody(audience), why)?;
        }
        let mut feeds = self.feeds();
        for seat in feeds.seats.iter_mut().flatten() {
            seat.dismissed.get_or_insert_with(|| why.to_owned());
        }
        let affected: Vec<String> = std::mem::take(&mut feeds.sent).into_iter().collect();
        let more = std::mem::take(&mut feeds.more_sent);
        let children = feeds.run.as_mut().map(|run| {
            if matches!(run.phase, "starting" | "baking" | "passed") {
                run.phase = "ended";
            }
            run.children.clone()
        });
        drop(feeds);
        let ms = millis(begun);
        // Who does not hear of it is ended.
        if let Some(children) = children {
            children.let_go();
        }
        Ok(json!({
            "back": true,
            "why": why,
            "ms": ms,
            "affected": affected,
            "more_affected": more,
        }))
    }

    /// The baseline ends, with a goodbye to its subscribers.
    pub(super) fn dismiss_measure(&self) {
        let mut feeds = self.feeds();
        if let Some(seat) = &mut feeds.seats[1] {
            seat.dismissed
                .get_or_insert_with(|| "the measure is done with".to_owned());
        }
    }

    /// What is known, judged and recorded.
    pub(super) fn judge_feed(&self) -> Result<Value> {
        let found = {
            let feeds = self.feeds();
            ensure!(
                feeds.audience.share > 0,
                "no candidate tells a share of the subscribers"
            );
            find(&feeds)
        };
        self.say_of_feed(&found, None)
    }

    /// A verdict against it, for what it does by itself.
    pub(super) fn condemn_feed(&self, why: &str, wrong: Option<&Wrong>) -> Result<Value> {
        let mut found = find(&self.feeds());
        (found.passed, found.why) = (false, why.to_owned());
        self.say_of_feed(&found, wrong)
    }

    /// Takes the candidate back where it did not pass, and records what was found.
    fn say_of_feed(&self, found: &Found, wrong: Option<&Wrong>) -> Result<Value> {
        let first = wrong.and_then(|wrong| wrong.first);
        let (audience, compared, windows) = {
            let mut feeds = self.feeds();
            if !found.passed {
                // Several find the same at one time: it is said once.
                if feeds.condemned == feeds.candidate && feeds.candidate > 0 {
                    return Ok(feeds.verdict.clone().unwrap_or_default());
                }
                feeds.condemned = feeds.candidate;
                if let Some(run) = &mut feeds.run {
                    run.phase = "stopped";
                }
            }
            if let Some(first) = first {
                let sent: Vec<String> = feeds.sent.iter().cloned().collect();
                feeds.misled = sent.into_iter().map(|user| (user, first)).collect();
            }
            (
                feeds.audience,
                feeds.compared[0],
                [feeds.costs[0].len(), feeds.costs[1].len()],
            )
        };
        let back = (!found.passed).then(|| self.back_from_feeds(&found.why)).transpose()?;
        let part = |value: f64, whole: f64| (value * whole) as u32;
        let hearing = Hearing {
            build: audience.build,
            share: audience.share,
            passed: found.passed,
            compared,
            wrong: first.map_or(0, |(_, number)| number),
            windows: windows[0] as u32,
            baseline: windows[1] as u32,
            ratio_ppm: found.cost.map_or(0, |cost| part(cost.median_ratio, 1e6)),
            p_ppb: found.cost.map_or(0, |cost| part(cost.p, 1e9)),
            later_us: found.delay.map_or(0, |delay| delay.later_us.max(0.0) as u32),
            later_p_ppb: found.delay.map_or(0, |delay| part(delay.p, 1e9)),
        };
        self.venue.sequence(
            JudgeFeed {
                hearing,
                why: text(&found.why),
            }
            .into(),
        )?;
        let line = json!({
            "build": build::name(audience.build),
            "share": f64::from(audience.share) / 100.0,
            "passed": found.passed,
            "why": found.why,
            "compared": compared,
            "windows": windows,
            "cost": found.cost,
            "delay": found.delay,
            "first_wrong": first.map(|(_, number)| number),
            "told": wrong.and_then(|wrong| wrong.told.clone()),
            "back": back,
        });
        self.feeds().verdict = Some(line.clone());
        Ok(line)
    }

    /// Whether the candidate of this arrival is to be listened to.
    pub(super) fn listens_to(&self, generation: u64) -> bool {
        let feeds = self.feeds();
        let seat = feeds.seats[0].as_ref();
        !feeds.closed && seat.is_some_and(|seat| seat.generation == generation && seat.dismissed.is_none())
    }

    pub(super) fn port_of(&self, place: usize) -> Option<u16> {
        let feeds = self.feeds();
        let seat = feeds.seats.get(place)?.as_ref().filter(|seat| seat.dismissed.is_none());
        seat?.port
    }

    /// What was heard of one of them.
    pub(super) fn heard(&self, place: usize, compared: u64, windows: &[f64]) {
        let mut feeds = self.feeds();
        if let Some(count) = feeds.compared.get_mut(place) {
            *count = compared;
        }
        if let Some(all) = feeds.delays.get_mut(place).filter(|_| !windows.is_empty()) {
            all.extend(windows);
            let over = all.len().saturating_sub(WINDOWS_MAX);
            all.drain(..over);
        }
    }

    /// What was heard is not the exchange's: it is said at once.
    pub(super) fn feed_is_wrong(&self, generation: u64, wrong: &Wrong) {
        if self.listens_to(generation) {
            // A stream that takes nothing more ends the exchange.
            let _ = self.condemn_feed(&wrong.why, Some(wrong));
        }
    }
}

/// Where one feed is heard.
struct FeedChair {
    deployment: Arc<Deployment>,
    place: usize,
    generation: u64,
}

impl Seat for FeedChair {
    fn hear(&mut self, testimony: &[u8]) -> Result<bool, String> {
        let said = Testify::decode(testimony).map_err(|error| format!("what it says cannot be read: {error}"))?;
        let mut feeds = self.deployment.feeds();
        let Some(seat) = feeds.seats.get_mut(self.place).and_then(Option::as_mut) else {
            return Err("its seat is another's".to_owned());
        };
        if seat.generation != self.generation {
            return Err("its seat is another's".to_owned());
        }
        if let Some(why) = &seat.dismissed {
            return Err(why.clone());
        }
        match said {
            Testify::Tells { port, subscribers } => {
                let begins = seat.port.is_none() && self.place == 0;
                // A subscriber takes memory, and two feeds never have the same ones: growth is what comes without them.
                if seat.subscribers != subscribers {
                    seat.memory = None;
                }
                (seat.port, seat.subscribers) = (Some(port), subscribers);
                drop(feeds);
                if begins {
                    let listens = listen::spawn(&self.deployment, self.generation);
                    listens.map_err(|error| format!("nobody can listen to it: {error}"))?;
                }
            }
            Testify::Costs(costs) => {
                if let Some(all) = feeds.costs.get_mut(self.place) {
                    all.extend(costs.iter().map(|cost| cost.cpu_ns as f64));
                    let over = all.len().saturating_sub(WINDOWS_MAX);
                    all.drain(..over);
                }
            }
            Testify::Health { memory, .. } => {
                seat.memory = Some((seat.memory.map_or(memory, |(first, _)| first), memory));
            }
            Testify::Answers(_)
            | Testify::Died { .. }
            | Testify::Commands(_)
            | Testify::Opens { .. }
            | Testify::Said(_) => {
                return Err("a feed is no engine and no door".to_owned());
            }
        }
        Ok(true)
    }
}

impl Drop for FeedChair {
    /// The connection is gone. A candidate that nobody had dismissed has left by itself, and whom it told is sent nowhere more.
    fn drop(&mut self) {
        let mut feeds = self.deployment.feeds();
        let Some(gone) = feeds.seats.get_mut(self.place).and_then(Option::take) else {
            return;
        };
        if gone.generation != self.generation {
            feeds.seats[self.place] = Some(gone);
            return;
        }
        if self.place > 0 {
            return;
        }
        feeds.farewell.get_or_insert_with(|| {
            gone.dismissed
                .clone()
                .unwrap_or_else(|| "the candidate is gone".to_owned())
        });
        let left = gone.dismissed.is_none() && feeds.audience.share > 0 && !feeds.closed;
        let runs = feeds.run.as_ref().is_some_and(|run| run.phase == "baking");
        drop(feeds);
        // A run says it itself.
        if left && !runs {
            let _ = self.deployment.condemn_feed("the candidate is gone", None);
        }
    }
}
