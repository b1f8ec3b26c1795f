//! The run of a candidate's feed: starts it and the old build's beside it, and gives it share after share for as long as the
//! judge lets it. It decides nothing itself.

use super::Deployment;
use super::canary::{Bake, Children};
use super::feeds::{FeedRun, HALF, StartFeed, growth};
use super::judge::{WINDOWS_MIN, door_at_once};
use anyhow::{Result, bail, ensure};
use rialto_model::Audience;
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
/// How often one looks.
const LOOK: Duration = Duration::from_millis(2);
const CANDIDATE: &str = "candidate";
const BASELINE: &str = "baseline";

impl Deployment {
    /// Starts both processes and a thread that takes the candidate from share to share.
    pub(super) fn start_feeds(self: &Arc<Self>, start: &StartFeed) -> Result<Value> {
        let shares = &start.shares;
        ensure!(
            !shares.is_empty() && shares.len() <= STEPS_MAX && shares.iter().all(|share| (1..=HALF).contains(share)),
            "give 1 to {STEPS_MAX} shares of 0.01 to 50 per cent: the baseline has as much"
        );
        let Bake::Seconds(seconds) = start.bake else {
            bail!("a feed bakes for seconds, such as 30s");
        };
        self.own_feed()?;
        let Some(follow) = &self.place()?.follow else {
            bail!("a feed follows over a socket: start the exchange with --follow-listen");
        };
        let children = Children::default();
        {
            let mut feeds = self.feeds();
            ensure!(
                feeds.seats.iter().all(Option::is_none),
                "another feed is there: end it first, or `rialto deploy feed back`"
            );
            (feeds.farewell, feeds.verdict, feeds.condemned) = (None, None, 0);
            feeds.run = Some(FeedRun {
                phase: "starting",
                share: 0,
                done: Vec::new(),
                children: children.clone(),
            });
        }
        let (address, key) = (follow.address.to_string(), follow.key.display().to_string());
        let args = ["--follow", &address, "--key", &key].map(str::to_owned);
        let candidate = [&args[..], &start.args[..]].concat();
        let baseline = [&args[..], &["--baseline".to_owned()]].concat();
        let began = children
            .start("feed", BASELINE, Path::new("/proc/self/exe"), &baseline)
            .and_then(|()| children.start("feed", CANDIDATE, &start.build, &candidate));
        if let Err(error) = began {
            children.end();
            self.feeds().run = None;
            return Err(error);
        }
        let (own, plan) = (Arc::clone(self), start.clone());
        let bake = Duration::from_secs_f64(seconds);
        std::thread::Builder::new()
            .name("feed canary".to_owned())
            .spawn(move || {
                let ended = own.drive_feeds(&plan, bake, &children);
                own.feeds_ended(ended);
            })?;
        Ok(json!({ "build": start.build, "shares": shares }))
    }

    /// From share to share. `Err`: why it does not go on; nothing where that was said already.
    fn drive_feeds(&self, start: &StartFeed, bake: Duration, children: &Children) -> Result<(), Option<String>> {
        let begun = Instant::now();
        while !self.feeds().are_open() {
            self.feed_goes_on(children)?;
            if begun.elapsed() > JOIN_MAX {
                return Err(Some("missing data: it never caught up".to_owned()));
            }
            std::thread::sleep(LOOK);
        }
        for share in &start.shares {
            let said = |error: anyhow::Error| Some(format!("{error:#}"));
            self.share_feed(*share, start.by_firm, "a canary's share")
                .map_err(said)?;
            if let Some(run) = &mut self.feeds().run
                && matches!(run.phase, "starting" | "baking")
            {
                (run.phase, run.share) = ("baking", *share);
            }
            let begun = Instant::now();
            let longest = bake * BAKES_MAX + BAKE_EXTRA;
            let has_enough = || {
                let feeds = self.feeds();
                let all = feeds.costs.iter().chain(&feeds.delays);
                all.map(Vec::len).min().is_some_and(|least| least >= WINDOWS_MIN)
            };
            while begun.elapsed() < bake || (begun.elapsed() < longest && !has_enough()) {
                self.feed_goes_on(children)?;
                std::thread::sleep(LOOK);
            }
            let found = self.judge_feed().map_err(said)?;
            if found.get("passed") != Some(&Value::Bool(true)) {
                return Err(None);
            }
            if let Some(run) = &mut self.feeds().run {
                run.done.push(found);
            }
        }
        Ok(())
    }

    /// What has to hold at any moment.
    fn feed_goes_on(&self, children: &Children) -> Result<(), Option<String>> {
        {
            // What the listener has found it has said.
            let feeds = self.feeds();
            let runs = feeds.run.as_ref();
            if feeds.closed || runs.is_none_or(|run| !matches!(run.phase, "starting" | "baking")) {
                return Err(None);
            }
        }
        if let Some(ended) = children.ended() {
            return Err(Some(ended));
        }
        let feeds = self.feeds();
        door_at_once(feeds.farewell.as_deref(), growth(&feeds)).map_err(Some)
    }

    fn feeds_ended(&self, ended: Result<(), Option<String>>) {
        let passed = ended.is_ok();
        if let Err(Some(why)) = ended {
            let _ = self.condemn_feed(&why, None);
        }
        let baseline = {
            let mut feeds = self.feeds();
            if let Some(run) = &mut feeds.run
                && matches!(run.phase, "starting" | "baking")
            {
                run.phase = if passed { "passed" } else { "ended" };
            }
            passed.then(|| feeds.audience())
        };
        // The measure is done with: its subscribers come again, and are told by the exchange.
        if let Some(audience) = baseline {
            let _ = self.turn_feed(
                Audience {
                    baseline: 0,
                    ..audience
                },
                "the measure is done with",
            );
            self.dismiss_measure();
        }
    }
}
