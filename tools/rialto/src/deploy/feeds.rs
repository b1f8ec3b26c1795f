//! Feeds in other processes: a candidate's, and the standing build's as a measure beside it.
//!
//! Which subscribers are told by them is the stream's to say (`RouteFeed`), and a subscriber's place never changes. The
//! exchange's own QUIC server sends a login that may be sent on to the candidate's port, once name and password are right
//! ([`Deployment::tells_elsewhere`]); there is nothing to hand over, for both make the same messages of the same stream. The way
//! back ends the candidate: its subscribers come again by themselves with the number that they have not been told.

use super::affected::{Kind, Reached};
use super::compare::Wrong;
use super::edge::{BASELINE, Bench, CANDIDATE, Chair, Edge, EdgeRun, EdgeSeat, HALF, Phase, WHOLE, keep, with};
use super::edge_run::Plan;
use super::judge::{self, Found, door_at_once, weigh};
use super::listen::{self, OwnFeed};
use super::{Deployment, build, millis, text};
use anyhow::{Context as _, Result, bail, ensure};
use rialto_engine::talk::Testify;
use rialto_itch::mold::Session;
use rialto_model::command::{JudgeFeed, RouteFeed};
use rialto_model::{Audience, Command, Event, Hearing, Output, Place};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

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
    Start { plan: Plan },
}

/// What a feed's seat has besides.
#[derive(Debug, Default)]
pub(super) struct FeedPart {
    /// Once it takes subscribers: where, and how many there are.
    port: Option<u16>,
    subscribers: u32,
    sent: u64,
}

/// What is known of feeds, behind a lock of its own: the QUIC server takes it for a login.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    bench: Bench<FeedPart>,
    /// How much later than the exchange's own their messages come, since it was last measured anew.
    delays: [Vec<f64>; 2],
    compared: [u64; 2],
    /// The last message of the exchange's own that was heard.
    heard: Option<(Session, u64)>,
    /// The arrival of the last candidate that a verdict was given against.
    condemned: u64,
    /// What the stream says.
    audience: Audience,
    /// Who was sent to the candidate since its share began, and the last message before the first of them.
    reached: Reached,
    told_after: Option<(Session, u64)>,
    /// Who was told something wrong, of which session and from which number on.
    misled: BTreeMap<String, (Session, u64)>,
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

    /// Who sits there and takes subscribers.
    fn takes(&self, place: usize) -> Option<(u64, u16)> {
        let seat = self.bench.seats.get(place)?.as_ref();
        let seat = seat.filter(|seat| seat.dismissed.is_none())?;
        Some((seat.introduction.build, seat.part.port?))
    }

    fn status(&self) -> Value {
        let seat = |place: usize| {
            let line = self.bench.shown(place, |part| {
                json!({
                    "open": part.port.is_some(),
                    "port": part.port,
                    "subscribers": part.subscribers,
                    "sent": part.sent,
                })
            });
            with(line, json!({ "compared": self.compared[place] }))
        };
        self.bench.status(json!({
            "candidate": seat(CANDIDATE),
            "baseline": seat(BASELINE),
            "audience": shown(&self.audience),
            "delays": [self.delays[0].len(), self.delays[1].len()],
        }))
    }
}

impl Edge for Feeds {
    const ROLE: &'static str = "feed";
    const SETTINGS: &'static str = "feed";
    const HERE: &'static str =
        "subscribers are sent to another port of the exchange's own machine, and so a feed has to be on it";
    type Part = FeedPart;
    type Which = ();

    fn lock(deployment: &Deployment) -> MutexGuard<'_, Self> {
        deployment.feeds()
    }

    fn bench(&self) -> &Bench<FeedPart> {
        &self.bench
    }

    fn bench_mut(&mut self) -> &mut Bench<FeedPart> {
        &mut self.bench
    }

    fn settings(deployment: &Deployment) -> Result<String, String> {
        let feed = deployment.own_feed().map_err(|error| error.to_string())?;
        Ok(feed.settings.clone())
    }

    fn is_open(part: &FeedPart) -> bool {
        part.port.is_some()
    }

    fn comes(&mut self, _: usize) {}

    fn hear(chair: &Chair<Self>, said: Testify) -> Result<(), String> {
        let Testify::Tells { port, subscribers } = said else {
            return Err("a feed is no engine and no door".to_owned());
        };
        let mut feeds = chair.deployment.feeds();
        let Some(Some(seat)) = feeds.bench.seats.get_mut(chair.place) else {
            return Ok(());
        };
        let begins = seat.part.port.is_none() && chair.place == CANDIDATE;
        // A subscriber takes memory, and two feeds never have the same ones: growth is what comes without them.
        if seat.part.subscribers != subscribers {
            seat.forget_memory();
        }
        (seat.part.port, seat.part.subscribers) = (Some(port), subscribers);
        drop(feeds);
        if begins {
            let listens = listen::spawn(&chair.deployment, chair.generation);
            listens.map_err(|error| format!("nobody can listen to it: {error}"))?;
        }
        Ok(())
    }

    /// A candidate that nobody had dismissed has left by itself, and whom it told is sent nowhere more.
    fn goes(deployment: &Deployment, place: usize, gone: EdgeSeat<FeedPart>) {
        let left = {
            let feeds = deployment.feeds();
            // A run says it itself.
            let runs = feeds.bench.run.as_ref().is_some_and(EdgeRun::is_running);
            gone.dismissed.is_none() && feeds.audience.share > 0 && !feeds.bench.closed && !runs
        };
        if place == CANDIDATE && left {
            let _ = deployment.condemn_feed("the candidate is gone", None);
        }
    }

    fn may_start(deployment: &Deployment) -> Result<()> {
        deployment.own_feed().map(drop)
    }

    fn arguments((): ()) -> Vec<String> {
        Vec::new()
    }

    fn share(deployment: &Deployment, (): (), share: u16, by_firm: bool) -> Result<()> {
        deployment.share_feed(share, by_firm, "a canary's share").map(drop)
    }

    fn held(&self) -> Result<(), String> {
        door_at_once(self.bench.gone(), self.bench.growth())
    }

    fn has_enough(&self) -> bool {
        let found = weigh(&self.bench.costs, Some(&self.delays));
        found.cost.is_some() && found.delay.is_some()
    }

    fn measure_anew(&mut self) {
        (self.bench.costs, self.delays) = Default::default();
    }

    fn find(&self, (): ()) -> Found {
        let found = weigh(&self.bench.costs, Some(&self.delays));
        match self.held() {
            Err(why) => found.wrong(&why),
            Ok(()) if self.bench.seats[CANDIDATE].is_none() => found.wrong("the candidate is gone"),
            Ok(()) => found,
        }
    }

    fn conclude(deployment: &Deployment, (): (), found: &Found) -> Result<Value> {
        deployment.say_of_feed(found, None)
    }

    /// The measure is done with: its subscribers come again, and are told by the exchange.
    fn let_go(deployment: &Deployment, (): (), passed: bool, _: &EdgeRun) {
        if !passed {
            return;
        }
        let audience = deployment.feeds().audience;
        let alone = Audience {
            baseline: 0,
            ..audience
        };
        let _ = deployment.turn_feed(alone, "the measure is done with");
        if let Some(seat) = &mut deployment.feeds().bench.seats[BASELINE] {
            let why = || "the measure is done with".to_owned();
            seat.dismissed.get_or_insert_with(why);
        }
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
            Place::Candidate => CANDIDATE,
            Place::Baseline => BASELINE,
        };
        let (_, port) = feeds.takes(place)?;
        feeds.bench.part_mut(place)?.sent += 1;
        if place == CANDIDATE {
            let (released, heard) = (self.released(), feeds.heard);
            feeds.reached.subscribers.add(user.to_owned());
            feeds.reached.firms.add(firm.to_owned());
            if feeds.reached.since.is_none() {
                (feeds.reached.since, feeds.told_after) = (Some(released), heard);
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

    /// Ends what is told by others: they say goodbye to their subscribers as the exchange does to its own.
    pub(super) fn close_feeds(&self) {
        let children = {
            let mut feeds = self.feeds();
            feeds.bench.closed = true;
            for seat in feeds.bench.seats.iter_mut().flatten() {
                seat.dismissed.get_or_insert_with(|| "the exchange ends".to_owned());
            }
            feeds.bench.run.as_ref().map(|run| run.children.clone())
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
            FeedAct::Start { plan } => self.start_run::<Feeds>((), plan)?,
        };
        Ok(vec![line])
    }

    /// Sequences a share. It holds for who logs in from here on; the stream says it a moment later.
    fn share_feed(&self, share: u16, by_firm: bool, why: &str) -> Result<Value> {
        ensure!(share > 0 && share <= WHOLE, "a share is 0.01 to 100 per cent");
        let begun = Instant::now();
        let audience = {
            let mut feeds = self.feeds();
            let Some((build, _)) = feeds.takes(CANDIDATE) else {
                bail!(
                    "no candidate takes subscribers: start one with `rialto feed --follow`, or `rialto deploy feed start`"
                );
            };
            let baseline = feeds.takes(BASELINE).is_some();
            ensure!(
                !baseline || share <= HALF,
                "beside a baseline a candidate has half at most: there would be no room for an equal share"
            );
            feeds.measure_anew();
            if feeds.audience.share == 0 {
                (feeds.reached, feeds.told_after) = Default::default();
            }
            Audience {
                build,
                share,
                baseline: if baseline { share } else { 0 },
                by_firm,
            }
        };
        self.turn_feed(audience, why)?;
        Ok(with(shown(&audience), json!({ "ms": millis(begun) })))
    }

    fn turn_feed(&self, audience: Audience, why: &str) -> Result<()> {
        self.venue.sequence(route(audience, why))?;
        self.feeds().audience = audience;
        Ok(())
    }

    /// The exchange tells everybody again: both processes end, with a goodbye to their subscribers, who come again. Says who.
    fn back_from_feeds(&self, why: &str) -> Result<Value> {
        let begun = Instant::now();
        let audience = self.feeds().audience;
        let stood = audience.share > 0 || audience.baseline > 0;
        if stood {
            self.turn_feed(nobody(audience), why)?;
        }
        let mut feeds = self.feeds();
        for seat in feeds.bench.seats.iter_mut().flatten() {
            seat.dismissed.get_or_insert_with(|| why.to_owned());
        }
        let reached = std::mem::take(&mut feeds.reached);
        let (told_after, told) = (feeds.told_after.take(), feeds.heard);
        let children = feeds.bench.run.as_mut().map(|run| {
            if run.is_running() || run.phase == Phase::Passed {
                run.phase = Phase::Ended;
            }
            run.children.clone()
        });
        drop(feeds);
        let ms = millis(begun);
        // Who does not hear of it is ended.
        if let Some(children) = children {
            children.let_go();
        }
        let affected = self.affected_at_feed(&reached, self.released());
        if stood {
            self.recall(Kind::Feed, audience.build, &affected, why)?;
        }
        let message = |at: Option<(Session, u64)>| at.map(|(session, number)| json!([session.to_string(), number]));
        Ok(json!({
            "back": true,
            "why": why,
            "ms": ms,
            "affected": with(affected.line(), json!({
                "after_message": message(told_after),
                "up_to_message": message(told),
            })),
        }))
    }

    /// What is known, judged; recorded, where it says something.
    fn judge_feed(&self) -> Result<Value> {
        let found = {
            let feeds = self.feeds();
            ensure!(
                feeds.audience.share > 0,
                "no candidate tells a share of the subscribers"
            );
            feeds.find(())
        };
        if found.opinion == judge::Opinion::Unclear {
            return Ok(json!({ "passed": null, "why": found.why, "cost": found.cost, "delay": found.delay }));
        }
        self.say_of_feed(&found, None)
    }

    /// A verdict against it, for what it does by itself.
    fn condemn_feed(&self, why: &str, wrong: Option<&Wrong>) -> Result<Value> {
        let found = self.feeds().find(()).wrong(why);
        self.say_of_feed(&found, wrong)
    }

    /// Takes the candidate back where it did not pass, and records what was found.
    fn say_of_feed(&self, found: &Found, wrong: Option<&Wrong>) -> Result<Value> {
        let first = wrong.and_then(|wrong| wrong.first);
        let (audience, compared, windows) = {
            let mut feeds = self.feeds();
            if !found.passed() {
                // Several find the same at one time: it is said once.
                let candidate = feeds.bench.candidate;
                if feeds.condemned == candidate && candidate > 0 {
                    return Ok(feeds.bench.verdict.clone().unwrap_or_default());
                }
                feeds.condemned = candidate;
                if let Some(run) = &mut feeds.bench.run {
                    run.phase = Phase::Stopped;
                }
            }
            if let Some(first) = first {
                let sent = feeds.reached.subscribers.kept.clone();
                feeds.misled = sent.into_iter().map(|user| (user, first)).collect();
            }
            let costs = &feeds.bench.costs;
            (
                feeds.audience,
                feeds.compared[CANDIDATE],
                [costs[0].len(), costs[1].len()],
            )
        };
        let back = (!found.passed())
            .then(|| self.back_from_feeds(&found.why))
            .transpose()?;
        let part = |value: f64, whole: f64| (value * whole) as u32;
        let hearing = Hearing {
            build: audience.build,
            share: audience.share,
            passed: found.passed(),
            compared,
            wrong: first.map_or(0, |(_, number)| number),
            windows: windows[0] as u32,
            baseline: windows[1] as u32,
            ratio_ppm: found.cost.map_or(0, |cost| part(cost.median_ratio, 1e6)),
            p_ppb: found.cost.map_or(0, |cost| part(cost.p, 1e9)),
            later_us: found.delay.map_or(0, |delay| delay.later_us.max(0.0) as u32),
            later_p_ppb: found.delay.map_or(0, |delay| part(delay.p, 1e9)),
        };
        let why = text(&found.why);
        self.venue.sequence(JudgeFeed { hearing, why }.into())?;
        let line = json!({
            "build": build::name(audience.build),
            "share": f64::from(audience.share) / 100.0,
            "passed": found.passed(),
            "why": found.why,
            "compared": compared,
            "windows": windows,
            "cost": found.cost,
            "delay": found.delay,
            "first_wrong": first.map(|(_, number)| number),
            "told": wrong.and_then(|wrong| wrong.told.clone()),
            "back": back,
        });
        self.feeds().bench.say(found.passed(), &line);
        Ok(line)
    }

    /// Whether the candidate of this arrival is to be listened to.
    pub(super) fn listens_to(&self, generation: u64) -> bool {
        let feeds = self.feeds();
        let bench = &feeds.bench;
        !bench.closed && bench.candidate == generation && feeds.takes(CANDIDATE).is_some()
    }

    pub(super) fn port_of(&self, place: usize) -> Option<u16> {
        self.feeds().takes(place).map(|(_, port)| port)
    }

    /// What was heard of one of them, and up to where the exchange's own was.
    pub(super) fn heard(&self, place: usize, (compared, windows): (u64, &[f64]), own: Option<(Session, u64)>) {
        let mut feeds = self.feeds();
        feeds.heard = own;
        if let Some(count) = feeds.compared.get_mut(place) {
            *count = compared;
        }
        if let Some(all) = feeds.delays.get_mut(place) {
            keep(all, windows.iter().copied());
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
