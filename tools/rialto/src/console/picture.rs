//! The market as text: followed from the feed's packets on a thread of its own, written ten times a second.

use super::ahead::Ahead;
use super::health::Watch;
use crate::exchange::Controls;
use crate::market::Market;
use anyhow::Result;
use rialto_client::FeedClient;
use rialto_feed::CountersHandle as FeedCounters;
use rialto_gateway::Counts;
use rialto_itch::Side;
use rialto_itch::codes::TradingState;
use rialto_quic::CountersHandle as QuicCounters;
use rialto_ring::Stop;
use rialto_subscriber::Level;
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Between two pictures.
const EVERY: Duration = Duration::from_millis(100);
/// Levels a side.
pub(super) const LEVELS: usize = 12;

/// Prices are whole numbers of 0.0001.
#[derive(Debug, Serialize)]
struct Picture {
    day: String,
    /// The last command that the feed has told of.
    seq: u64,
    commands: u64,
    sessions_up: u64,
    doors: [DoorLine; 2],
    feed: Feed,
    subscribers: Vec<Subscriber>,
    instruments: Vec<Instrument>,
    trades: Vec<Trade>,
}

#[derive(Debug, Serialize)]
struct Feed {
    session: Option<String>,
    next: u64,
    messages: u64,
    packets: u64,
    gaps: u64,
    lost: u64,
    trouble: Option<String>,
}

/// What a door counts.
#[derive(Debug, Serialize)]
struct DoorLine {
    door: &'static str,
    sessions_up: u64,
    frames_in: u64,
    frames_out: u64,
    commands: u64,
    rejects: u64,
    held_back: u64,
}

/// Somebody who follows the feed by QUIC.
#[derive(Debug, Serialize)]
struct Subscriber {
    user: String,
    full: bool,
    behind: u64,
    conflated: u64,
    resyncs: u64,
    missed_trades: u64,
    memory_bytes: u64,
}

/// Subscribers that are shown.
const SUBSCRIBERS_MAX: usize = 16;

/// What an auction would do now.
#[derive(Debug, Serialize)]
pub(super) struct Auction {
    pub(super) price: u32,
    pub(super) paired: u64,
    pub(super) imbalance: u64,
    pub(super) side: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Instrument {
    pub(super) symbol: String,
    pub(super) last: Option<u32>,
    pub(super) change: Option<i64>,
    pub(super) volume: u64,
    /// What its members may do, in a word.
    pub(super) phase: &'static str,
    pub(super) auction: Option<Auction>,
    /// Price, shares, orders; the best first.
    pub(super) bids: Vec<(u32, u64, u32)>,
    pub(super) asks: Vec<(u32, u64, u32)>,
}

#[derive(Debug, Serialize)]
pub(super) struct Trade {
    pub(super) number: u64,
    pub(super) symbol: String,
    pub(super) price: u32,
    pub(super) shares: u64,
    /// `buy`, `sell`, or none in a cross.
    pub(super) taker: Option<&'static str>,
    /// Since midnight.
    pub(super) time_ns: u64,
}

/// Starts to follow.
pub(super) fn follow(
    controls: &Controls,
    watch: Arc<Watch>,
    ahead: Arc<Ahead>,
    stop: Stop,
) -> Result<(watch::Receiver<Arc<str>>, JoinHandle<()>)> {
    let client = FeedClient::join(controls.addresses.feed)?;
    let mut follower = Follower {
        client,
        market: Market::with_queues(),
        trouble: None,
        day: controls.day.to_string(),
        progress: controls.progress.clone(),
        ouch: Arc::clone(&controls.ouch),
        fix: Arc::clone(&controls.fix),
        feed: controls.feed.clone(),
        quic: controls.quic.clone(),
    };
    let (sender, receiver) = watch::channel(follower.picture());
    let body = move || {
        rialto_ring::layout::beside_the_path();
        let mut drawn = Instant::now();
        while !stop.is_set() {
            follower.poll();
            if drawn.elapsed() >= EVERY {
                drawn = Instant::now();
                watch.look();
                ahead.look(|order| follower.market.ahead(order));
                sender.send_replace(follower.picture());
            }
        }
    };
    let thread = Builder::new().name("pictures".to_owned()).spawn(body)?;
    Ok((receiver, thread))
}

struct Follower {
    client: FeedClient,
    market: Market,
    trouble: Option<String>,
    day: String,
    progress: rialto_feed::Progress,
    ouch: Arc<rialto_gateway::Counters>,
    fix: Arc<rialto_gateway::Counters>,
    feed: FeedCounters,
    quic: Option<QuicCounters>,
}

impl Follower {
    fn poll(&mut self) {
        let market = &mut self.market;
        let polled = self.client.poll(EVERY / 4, &mut |delivery| market.handle(delivery));
        self.trouble = polled.err().map(|error| format!("{error:#}"));
        if self.trouble.is_some() {
            std::thread::sleep(EVERY);
        }
    }

    fn picture(&self) -> Arc<str> {
        let (ouch, fix, feed) = (self.ouch.read(), self.fix.read(), self.feed.read());
        let counters = self.client.counters();
        let place = self.client.position();
        let rows = self.market.rows();
        let instruments = rows.into_iter().enumerate().map(|(index, row)| {
            let depth = self.market.depth(index, LEVELS);
            Instrument {
                symbol: row.symbol,
                last: row.last.map(rialto_itch::Price4::units),
                change: row.change,
                volume: row.volume,
                phase: row.status.state.map_or("trading", phase),
                auction: row.status.auction.map(|auction| Auction {
                    price: auction.price.units(),
                    paired: auction.paired,
                    imbalance: auction.imbalance,
                    side: auction.side.map(side),
                }),
                bids: depth.bids.iter().map(level).collect(),
                asks: depth.asks.iter().map(level).collect(),
            }
        });
        let trades = self.market.prints().map(|(symbol, print)| Trade {
            number: print.number,
            symbol,
            price: print.price.units(),
            shares: print.shares,
            taker: print.taker.map(side),
            time_ns: print.time_ns,
        });
        let picture = Picture {
            day: self.day.clone(),
            seq: self.progress.followed().0,
            commands: ouch.commands + fix.commands,
            sessions_up: ouch.sessions_up + fix.sessions_up,
            doors: [door("OUCH", &ouch), door("FIX", &fix)],
            subscribers: self.quic.as_ref().map(subscribers).unwrap_or_default(),
            feed: Feed {
                session: place.map(|(session, _)| session.to_string()),
                next: place.map_or(0, |(_, next)| next.0),
                messages: feed.messages,
                packets: feed.packets,
                gaps: counters.gaps,
                lost: counters.lost,
                trouble: self.trouble.clone(),
            },
            instruments: instruments.collect(),
            trades: trades.collect(),
        };
        serde_json::to_string(&picture).unwrap_or_default().into()
    }
}

fn level(level: &Level) -> (u32, u64, u32) {
    (level.price.units(), level.shares.0, level.orders)
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

const fn phase(state: TradingState) -> &'static str {
    match state {
        TradingState::Trading => "trading",
        TradingState::QuotationOnly => "auction",
        TradingState::Paused => "paused",
        TradingState::Halted => "halted",
    }
}

const fn door(door: &'static str, counts: &Counts) -> DoorLine {
    DoorLine {
        door,
        sessions_up: counts.sessions_up,
        frames_in: counts.frames_in,
        frames_out: counts.frames_out,
        commands: counts.commands,
        rejects: counts.rejects,
        held_back: counts.held_back,
    }
}

fn subscribers(quic: &QuicCounters) -> Vec<Subscriber> {
    let all = quic.read().subscribers.into_iter().take(SUBSCRIBERS_MAX);
    // Anybody may look at the picture, and a name says whose program it is.
    all.zip(1..)
        .map(|(one, number)| Subscriber {
            user: format!("subscriber {number}"),
            full: one.full,
            behind: one.behind,
            conflated: one.conflated.conflated,
            resyncs: one.conflated.resyncs,
            missed_trades: one.conflated.missed_trades,
            memory_bytes: one.memory_bytes,
        })
        .collect()
}

/// Counters in the Prometheus text format.
pub(super) fn metrics(ouch: &Counts, fix: &Counts, feed: &FeedCounters) -> String {
    let feed = feed.read();
    let mut text = String::new();
    let doors = [("ouch", ouch), ("fix", fix)];
    let mut metric = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
        let _ = writeln!(text, "# HELP rialto_{name} {help}\n# TYPE rialto_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "rialto_{name}{labels} {value}");
        }
    };
    let by_door = |of: fn(&Counts) -> u64| doors.map(|(door, counters)| (format!("{{door=\"{door}\"}}"), of(counters)));
    metric(
        "door_commands_total",
        "counter",
        "Commands that a door has sequenced.",
        &by_door(|c| c.commands),
    );
    metric(
        "door_rejects_total",
        "counter",
        "Answers to members that say no.",
        &by_door(|c| c.rejects),
    );
    metric(
        "door_throttled_total",
        "counter",
        "Messages refused because their session was over its rate.",
        &by_door(|c| c.throttled),
    );
    metric(
        "door_held_back_total",
        "counter",
        "Times a connection was not read because the ring of commands had no room.",
        &by_door(|c| c.held_back),
    );
    metric(
        "door_sessions_up",
        "gauge",
        "Sessions that are logged in.",
        &by_door(|c| c.sessions_up),
    );
    metric(
        "door_frames_out_total",
        "counter",
        "Messages that a door has written.",
        &by_door(|c| c.frames_out),
    );
    let one = |value| [(String::new(), value)];
    metric(
        "feed_messages_total",
        "counter",
        "ITCH messages sent.",
        &one(feed.messages),
    );
    metric(
        "feed_packets_total",
        "counter",
        "MoldUDP64 packets sent on a line.",
        &one(feed.packets),
    );
    text
}
