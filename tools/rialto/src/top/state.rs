//! What is shown, without a terminal or a socket.

use super::client::Told;
use serde::Deserialize;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Answers whose times are kept for the percentiles; older ones go.
const TIMES: usize = 256;
/// Rates are taken over at least this.
const WINDOW: Duration = Duration::from_millis(900);

/// What the gateway calls a picture; prices are whole numbers of 0.0001.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Picture {
    pub(super) day: String,
    /// The last command that the feed has told of.
    pub(super) seq: u64,
    pub(super) commands: u64,
    pub(super) doors: Vec<Door>,
    pub(super) feed: Feed,
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) instruments: Vec<Instrument>,
    pub(super) trades: Vec<Trade>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Door {
    pub(super) door: String,
    pub(super) sessions_up: u64,
    pub(super) frames_in: u64,
    pub(super) frames_out: u64,
    pub(super) rejects: u64,
    pub(super) held_back: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Feed {
    pub(super) session: Option<String>,
    pub(super) next: u64,
    pub(super) messages: u64,
    pub(super) gaps: u64,
    pub(super) lost: u64,
    pub(super) trouble: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Subscriber {
    pub(super) user: String,
    pub(super) full: bool,
    pub(super) behind: u64,
    pub(super) conflated: u64,
    pub(super) resyncs: u64,
    pub(super) missed_trades: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Instrument {
    pub(super) symbol: String,
    pub(super) last: Option<u32>,
    pub(super) change: Option<i64>,
    pub(super) volume: u64,
    pub(super) phase: String,
    pub(super) auction: Option<Auction>,
    /// Price, shares, orders; the best first.
    pub(super) bids: Vec<(u32, u64, u32)>,
    pub(super) asks: Vec<(u32, u64, u32)>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Auction {
    pub(super) price: u32,
    pub(super) paired: u64,
    pub(super) imbalance: u64,
    pub(super) side: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Trade {
    pub(super) symbol: String,
    pub(super) price: u32,
    pub(super) shares: u64,
    pub(super) taker: Option<String>,
    pub(super) time_ns: u64,
}

/// How the exchange stands, of what `rialto status` says.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Standing {
    pub(super) epoch: Option<u64>,
    /// The frontier.
    pub(super) released_up_to: Option<u64>,
}

/// How long orders took, as the exchange has measured it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Stages {
    pub(super) percentiles: Vec<f64>,
    pub(super) stages: Vec<StageTimes>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct StageTimes {
    pub(super) stage: String,
    pub(super) recent: Times,
    pub(super) all: Times,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Times {
    /// Since the gateway, by percentile; empty where no order was.
    pub(super) after_ns: Vec<u64>,
}

impl Stages {
    /// For each stage its name and how long after the gateway orders were through it: the last seconds' where there were any.
    pub(super) fn after(&self, of: [f64; 2]) -> Vec<(&str, [u64; 2])> {
        let at = of.map(|percent| self.percentiles.iter().position(|one| *one == percent));
        let recent = self.stages.iter().any(|one| !one.recent.after_ns.is_empty());
        let rows = self.stages.iter().filter_map(|one| {
            let times = if recent { &one.recent } else { &one.all };
            let [first, second] = at.map(|at| times.after_ns.get(at?).copied());
            Some((one.stage.as_str(), [first?, second?]))
        });
        rows.collect()
    }
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) picture: Picture,
    pub(super) standing: Standing,
    pub(super) stages: Stages,
    /// Commands and messages of the feed in a second.
    pub(super) rates: (u64, u64),
    since: Option<(Instant, u64, u64)>,
    times: VecDeque<Duration>,
    /// The chosen instrument, and the one that is wished for until it is there.
    pub(super) chosen: usize,
    wished: Option<String>,
    /// Why what is shown is old.
    pub(super) trouble: Option<String>,
}

impl State {
    pub(super) fn new(symbol: Option<String>) -> Self {
        Self {
            wished: symbol,
            ..Self::default()
        }
    }

    /// Takes what the exchange has told.
    pub(super) fn take(&mut self, told: Told) {
        let Told {
            picture,
            standing,
            stages,
            took,
        } = told;
        if self.times.len() == TIMES {
            self.times.pop_front();
        }
        self.times.push_back(took);
        let now = Instant::now();
        let counts = (picture.commands, picture.feed.messages);
        let (since, commands, messages) = *self.since.get_or_insert((now, counts.0, counts.1));
        let window = now - since;
        if window >= WINDOW {
            let rate = |now: u64, then: u64| (now.saturating_sub(then) as f64 / window.as_secs_f64()).round() as u64;
            self.rates = (rate(counts.0, commands), rate(counts.1, messages));
            self.since = Some((now, counts.0, counts.1));
        }
        let found = |symbol: &String| picture.instruments.iter().position(|one| one.symbol == *symbol);
        if let Some(index) = self.wished.as_ref().and_then(found) {
            self.chosen = index;
            self.wished = None;
        }
        self.chosen = self.chosen.min(picture.instruments.len().saturating_sub(1));
        self.trouble = picture.feed.trouble.clone();
        self.picture = picture;
        self.standing = standing;
        self.stages = stages;
    }

    /// Chooses another instrument, so many further down.
    pub(super) fn choose(&mut self, by: isize) {
        let last = self.picture.instruments.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
    }

    /// How many commands that are safe the feed has not told of; none where the frontier is not known.
    pub(super) fn lag(&self) -> Option<u64> {
        Some(self.standing.released_up_to?.saturating_sub(self.picture.seq))
    }

    /// How long answers took: the value below which these parts of a hundred lie.
    pub(super) fn percentiles<const N: usize>(&self, of: [usize; N]) -> [Duration; N] {
        let mut times: Vec<Duration> = self.times.iter().copied().collect();
        times.sort_unstable();
        of.map(|percent| {
            let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(at).copied().unwrap_or_default()
        })
    }
}
