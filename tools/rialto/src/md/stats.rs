//! `rialto md stats`: what a feed team watches, counted at the subscriber.

use super::quic::{ConflatedSummary, Follower, QuicArgs, Via, say_pairs};
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result};
use rialto_client::{FeedAddresses, FeedClient};
use rialto_subscriber::{Config, Counters, Start};
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How it comes: by the multicast lines, or over QUIC
    #[arg(long, value_enum, default_value_t = Via::Multicast)]
    via: Via,
    #[command(flatten)]
    quic: QuicArgs,
    /// Multicast group and port of line A
    #[arg(long, value_name = "GROUP:PORT", required_if_eq("via", "multicast"), value_parser = crate::choices::group)]
    group: Option<SocketAddrV4>,
    /// Multicast group and port of line B
    #[arg(long, value_name = "GROUP:PORT", value_parser = crate::choices::group)]
    group_b: Option<SocketAddrV4>,
    /// The re-request server
    #[arg(long, value_name = "HOST:PORT", value_parser = crate::choices::address)]
    rerequest: Option<SocketAddr>,
    /// The interface to join on, by its address
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST)]
    interface: Ipv4Addr,
    /// Stop after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// What the lines brought.
#[derive(Debug, Serialize)]
struct Lines {
    summary: bool,
    packets_a: u64,
    packets_b: u64,
    packets_recovery: u64,
    heartbeats: u64,
    messages: u64,
    /// In the last second; over all the time in the summary.
    messages_per_second: u64,
    /// Since a message came that had not come before, or a heartbeat.
    silence_ms: u64,
    /// Messages that a line brought first, and numbers that it skipped.
    first_a: u64,
    first_b: u64,
    skipped_a: u64,
    skipped_b: u64,
    duplicates: u64,
    gaps: u64,
    /// The longest time that one was open.
    gap_us_max: u64,
    missing: u64,
    requests: u64,
    requested: u64,
    recovered: u64,
    lost: u64,
    held: u64,
    dropped: u64,
    malformed: u64,
    stale: u64,
    next_seq: u64,
}

impl Lines {
    fn new(summary: bool, counters: &Counters, next_seq: u64, pace: &Pace) -> Self {
        Self {
            summary,
            packets_a: counters.packets_a,
            packets_b: counters.packets_b,
            packets_recovery: counters.packets_recovery,
            heartbeats: counters.heartbeats,
            messages: counters.messages,
            messages_per_second: pace.rate(counters.messages),
            silence_ms: pace.heard.elapsed().as_millis() as u64,
            first_a: counters.first_a,
            first_b: counters.first_b,
            skipped_a: counters.skipped_a,
            skipped_b: counters.skipped_b,
            duplicates: counters.duplicates,
            gaps: counters.gaps,
            gap_us_max: counters.gap_ns_max / 1_000,
            missing: counters.missing,
            requests: counters.requests,
            requested: counters.requested,
            recovered: counters.missing.saturating_sub(counters.lost),
            lost: counters.lost,
            held: counters.held,
            dropped: counters.dropped,
            malformed: counters.malformed,
            stale: counters.stale,
            next_seq,
        }
    }
}

/// How fast messages come, and when the last one did.
#[derive(Debug)]
struct Pace {
    since: Instant,
    /// How many there were then.
    messages: u64,
    heard: Instant,
    /// Messages and heartbeats when something was last heard.
    count: u64,
}

impl Pace {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            since: now,
            messages: 0,
            heard: now,
            count: 0,
        }
    }

    fn hear(&mut self, count: u64) {
        if count != self.count {
            (self.heard, self.count) = (Instant::now(), count);
        }
    }

    fn rate(&self, messages: u64) -> u64 {
        let seconds = self.since.elapsed().as_secs_f64().max(f64::EPSILON);
        ((messages - self.messages) as f64 / seconds) as u64
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let begun = Instant::now();
    let is_over = || {
        let late = args
            .seconds
            .is_some_and(|seconds| begun.elapsed() >= Duration::from_secs(seconds));
        interrupt.is_set() || out::is_closed() || late
    };
    match args.via {
        Via::Multicast => lines(args, is_over),
        Via::Quic => quic(args, is_over),
    }
}

fn lines(args: &Args, is_over: impl Fn() -> bool) -> Result<()> {
    let addresses = FeedAddresses {
        line_a: args.group.context("--via multicast needs --group")?,
        line_b: args.group_b,
        rerequest: args.rerequest,
        interface: args.interface,
    };
    let mut client = FeedClient::join_at(addresses, Config::default(), Start::Live)?;
    let counted = |client: &FeedClient, summary, pace: &Pace| {
        let next = client.position().map_or(0, |(_, next)| next.0);
        Lines::new(summary, &client.counters(), next, pace)
    };
    let (whole, mut pace) = (Pace::new(), Pace::new());
    while !is_over() {
        client.poll(LOOK, &mut |_| {})?;
        let counters = client.counters();
        pace.hear(counters.messages + counters.heartbeats);
        if pace.since.elapsed() >= SECOND {
            line(args.json, &counted(&client, false, &pace));
            (pace.since, pace.messages) = (Instant::now(), counters.messages);
        }
    }
    let whole = Pace {
        heard: pace.heard,
        ..whole
    };
    say_pairs(args.json, &counted(&client, true, &whole));
    Ok(())
}

/// What came over QUIC, and how it came.
#[derive(Debug, Serialize)]
struct OverQuic<'a> {
    #[serde(flatten)]
    summary: &'a ConflatedSummary,
    /// Of full depth in the last second, or updates and trades of less; over all the time in the summary.
    messages_per_second: u64,
    /// Since anything came.
    silence_ms: u64,
}

fn quic(args: &Args, is_over: impl Fn() -> bool) -> Result<()> {
    fn told(summary: &ConflatedSummary) -> u64 {
        summary.full_messages + summary.updates + summary.trades
    }
    fn counted<'a>(summary: &'a ConflatedSummary, pace: &Pace) -> OverQuic<'a> {
        OverQuic {
            summary,
            messages_per_second: pace.rate(told(summary)),
            silence_ms: pace.heard.elapsed().as_millis() as u64,
        }
    }
    let mut client = args.quic.connect()?;
    let mut follower = Follower::new(None, None);
    let (whole, mut pace) = (Pace::new(), Pace::new());
    while !is_over() {
        follower.poll_quietly(&mut client)?;
        pace.hear(follower.summary.messages);
        if pace.since.elapsed() >= SECOND {
            follower.summary.summary = false;
            line(args.json, &counted(&follower.summary, &pace));
            (pace.since, pace.messages) = (Instant::now(), told(&follower.summary));
        }
    }
    let whole = Pace {
        heard: pace.heard,
        ..whole
    };
    follower.summary.summary = true;
    say_pairs(args.json, &counted(&follower.summary, &whole));
    Ok(())
}

/// One line, on the way.
fn line(json: bool, value: &impl Serialize) {
    if json {
        out::json_line(value);
    } else {
        let pairs = out::pairs(value);
        let words: Vec<String> = pairs
            .lines()
            .map(|pair| pair.split_whitespace().collect::<Vec<_>>().join("="))
            .collect();
        out::say(format_args!("{}", words.join(" ")));
    }
}
