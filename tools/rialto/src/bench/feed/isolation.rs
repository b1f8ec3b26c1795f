//! `rialto bench isolation`: do 100 QUIC subscribers notice four that misbehave?
//!
//! Two kinds of runs in turn. In both, so many well-behaved subscribers of full depth are told of a paced feed, and each batch is
//! timed from the ring to the subscriber. In one kind there is nobody else; in the other one more reads at a hundredth of the
//! rate, one reads nothing, one logs in and says garbage, again and again, while a socket beside it sends the server datagrams that
//! are nothing, and one opens recovery streams without end. The quiet runs among themselves show
//! what the machine does by itself; where that is more than the bound, nothing can be said.

use super::crowd::{Crowd, Listener};
use super::load::Load;
use crate::bench::timing::rounded;
use crate::out;
use anyhow::Result;
use hdrhistogram::Histogram;
use rialto_itch::mold::Session;
use rialto_quic::frames::Recovery;
use rialto_quic::{Client, ClientError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two batches, and messages in one.
const EVERY: Duration = Duration::from_millis(10);
const BATCH: usize = 20;
/// Told before anybody joins.
const PRELUDE: usize = 12_000;
/// Between two looks at sockets that had nothing, and at the server's counters.
const IDLE: Duration = Duration::from_micros(100);
const MEMORY_EVERY: Duration = Duration::from_millis(100);
/// By how much the others' p99 may move.
const BOUND: f64 = 0.05;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Well-behaved subscribers
    #[arg(long, value_name = "N", default_value_t = 96)]
    subscribers: usize,
    /// Seconds of each run
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Pairs of a quiet run and one among misbehaving subscribers
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..=50))]
    pairs: u64,
    /// The seed of the flow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    subscribers: usize,
    seconds: u64,
    batches: u64,
    /// From the ring to a well-behaved subscriber, all of them, run by run.
    quiet_p50_us: Vec<u64>,
    quiet_p99_us: Vec<u64>,
    crowded_p50_us: Vec<u64>,
    crowded_p99_us: Vec<u64>,
    /// Batches that a well-behaved subscriber never got.
    late: u64,
    /// Median of pairs, less one: by how much p99 moved.
    moved: f64,
    /// Median over quiet runs that follow each other (A/A): by how much p99 moved with nothing changed, to either side.
    noise: f64,
    /// The most that two of them differed.
    noise_max: f64,
    /// `within`, `beyond` or `INCONCLUSIVE`: the noise is more than the bound.
    verdict: &'static str,
    /// The most memory that was kept for a well-behaved and for a misbehaving subscriber; the transport's windows are in it.
    memory_bytes_max: u64,
    hostile_memory_bytes_max: u64,
    /// The same of each misbehaving one.
    hostile_memory: BTreeMap<String, u64>,
    /// Recovery streams answered or refused; connections ended for garbage, and datagrams of it sent.
    streams: u64,
    garbage_connections: u64,
    garbage_datagrams: u64,
}

/// What the misbehaving ones did.
#[derive(Debug, Default)]
struct Deeds {
    streams: AtomicU64,
    garbage_connections: AtomicU64,
    garbage_datagrams: AtomicU64,
}

/// What one run showed.
struct Run {
    times: Histogram<u64>,
    batches: u64,
    /// Batches that a well-behaved subscriber did not get in time.
    late: u64,
    memory: u64,
    hostile_memory: BTreeMap<String, u64>,
}

impl Run {
    /// The most memory kept for each kind so far, the transport's windows in it.
    fn look(&mut self, crowd: &Crowd) {
        for one in crowd.subscribers() {
            let memory = one.memory_bytes_max
                + rialto_quic::limits::SEND_WINDOW
                + 2 * u64::from(rialto_quic::limits::RECEIVE_WINDOW);
            let most = if one.user == "bench" {
                &mut self.memory
            } else {
                self.hostile_memory.entry(one.user).or_default()
            };
            *most = (*most).max(memory);
        }
    }
}

pub(crate) fn run(args: Args) -> Result<()> {
    let bar = out::progress(2 * args.pairs + 1, "runs", args.json);
    let load = Load::new(PRELUDE + (args.seconds as usize + 2) * BATCH * 110, args.seed);
    let (mut quiet, mut crowded) = (Vec::new(), Vec::new());
    let deeds = Arc::new(Deeds::default());
    for _ in 0..args.pairs {
        quiet.push(one(&load, &args, None)?);
        bar.inc(1);
        crowded.push(one(&load, &args, Some(&deeds))?);
        bar.inc(1);
    }
    // Each run among misbehaving subscribers has a quiet one on either side, and these are compared with each other.
    quiet.push(one(&load, &args, None)?);
    bar.inc(1);
    bar.finish_and_clear();
    let at = |runs: &[Run], quantile: f64| -> Vec<u64> {
        runs.iter().map(|run| run.times.value_at_quantile(quantile)).collect()
    };
    let (quiet_p99_us, crowded_p99_us) = (at(&quiet, 0.99), at(&crowded, 0.99));
    let moved_from = |(before, after): (&u64, &u64)| *after as f64 / (*before).max(1) as f64 - 1.0;
    let (moved, _) = median_and_most(quiet_p99_us.iter().zip(&crowded_p99_us).map(moved_from));
    let again = quiet_p99_us.iter().zip(quiet_p99_us.iter().skip(1));
    let (noise, noise_max) = median_and_most(again.map(|pair| moved_from(pair).abs()));
    // What quiet runs differ by among themselves hides a move of less, to either side.
    let verdict = if noise > BOUND {
        "INCONCLUSIVE"
    } else if moved <= BOUND {
        "within"
    } else {
        "beyond"
    };
    let memory = |runs: &[Run], of: fn(&Run) -> u64| runs.iter().map(of).max().unwrap_or_default();
    let mut hostile_memory = BTreeMap::new();
    for (user, bytes) in crowded.iter().flat_map(|run| &run.hostile_memory) {
        let most: &mut u64 = hostile_memory.entry(user.clone()).or_default();
        *most = (*most).max(*bytes);
    }
    let summary = Summary {
        subscribers: args.subscribers,
        seconds: args.seconds,
        batches: crowded.iter().map(|run| run.batches).sum(),
        quiet_p50_us: at(&quiet, 0.5),
        quiet_p99_us,
        crowded_p50_us: at(&crowded, 0.5),
        crowded_p99_us,
        late: quiet.iter().chain(&crowded).map(|run| run.late).sum(),
        moved: rounded(moved),
        noise: rounded(noise),
        noise_max: rounded(noise_max),
        verdict,
        memory_bytes_max: memory(&crowded, |run| run.memory).max(memory(&quiet, |run| run.memory)),
        hostile_memory_bytes_max: hostile_memory.values().copied().max().unwrap_or_default(),
        hostile_memory,
        streams: deeds.streams.load(Ordering::Relaxed),
        garbage_connections: deeds.garbage_connections.load(Ordering::Relaxed),
        garbage_datagrams: deeds.garbage_datagrams.load(Ordering::Relaxed),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

/// Of these, the one in the middle and the last by size.
fn median_and_most(moves: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut moves: Vec<f64> = moves.collect();
    moves.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| moves.get(place).copied().unwrap_or_default();
    (at(moves.len() / 2), at(moves.len().saturating_sub(1)))
}

fn one(load: &Load, args: &Args, hostile: Option<&Arc<Deeds>>) -> Result<Run> {
    let mut crowd = Crowd::open(&load.mixed)?;
    crowd.tell(PRELUDE)?;
    crowd.join(args.subscribers, false)?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    if let Some(deeds) = hostile {
        // Two at once on each thread: waiting costs the machine nothing.
        let slow = crowd.another("slow")?;
        let deaf = crowd.another("deaf")?;
        let opener = crowd.another("opener")?;
        threads.push(spawn(&stop, move |stop| read_hardly(slow, deaf, stop))?);
        let (theirs, session) = (Arc::clone(deeds), crowd.session());
        threads.push(spawn(&stop, move |stop| {
            open_streams(opener, session, &theirs.streams, stop);
        })?);
        let (theirs, server) = (Arc::clone(deeds), crowd.address());
        threads.push(spawn(&stop, move |stop| {
            send_garbage(server, &theirs.garbage_datagrams, stop);
        })?);
        let (theirs, (server, trust, login)) = (Arc::clone(deeds), crowd.entrance("garbler"));
        threads.push(spawn(&stop, move |stop| {
            say_garbage(
                || Client::connect(server, &trust, &login),
                &theirs.garbage_connections,
                stop,
            );
        })?);
    }
    crowd.tell(1)?;
    crowd.read_all()?;

    let mut run = Run {
        // A minute at most: what took longer is stated as that.
        times: Histogram::new_with_bounds(1, 60_000_000, 3)?,
        batches: 0,
        late: 0,
        memory: 0,
        hostile_memory: BTreeMap::new(),
    };
    // When each batch was due, by its last number; what everybody has is forgotten.
    let mut due: Vec<(u64, Instant)> = Vec::new();
    let mut timed = vec![0; crowd.clients.len()];
    let begun = Instant::now();
    let time = Duration::from_secs(args.seconds);
    let (mut next, mut looked) = (begun, begun);
    while begun.elapsed() < time || timed.iter().any(|at| *at < due.len()) {
        if begun.elapsed() > time + Duration::from_secs(60) {
            break;
        }
        let now = Instant::now();
        if now >= next && begun.elapsed() < time && crowd.tell(BATCH)? > 0 {
            // From its scheduled time: a batch that came late is not let off.
            due.push((crowd.last(), next));
            run.batches += 1;
            next += EVERY;
        }
        let any = crowd.read()?;
        for (one, at) in crowd.clients.iter().zip(&mut timed) {
            let now = Instant::now();
            while let Some((_, since)) = due.get(*at).filter(|(last, _)| one.told() >= *last) {
                run.times
                    .saturating_record(now.duration_since(*since).as_micros() as u64);
                *at += 1;
            }
        }
        // Counters are stated now and then: asking more often would be noise of our own.
        if looked.elapsed() >= MEMORY_EVERY {
            looked = Instant::now();
            run.look(&crowd);
        }
        if !any {
            std::thread::sleep(IDLE);
        }
    }
    run.look(&crowd);
    run.late = timed.iter().map(|at| (due.len() - at) as u64).sum();
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        let _ = thread.join();
    }
    Ok(run)
}

fn spawn(stop: &Arc<AtomicBool>, body: impl FnOnce(&AtomicBool) + Send + 'static) -> Result<JoinHandle<()>> {
    let stop = Arc::clone(stop);
    Ok(std::thread::Builder::new()
        .name("hostile".to_owned())
        .spawn(move || body(&stop))?)
}

/// One takes a hundredth of what comes, the other keeps its connection and takes nothing. Either may be cut.
fn read_hardly(mut slow: Listener, mut deaf: Listener, stop: &AtomicBool) {
    // 2,000 messages a second are some 70 kB.
    const BYTES: usize = 70;
    while !stop.load(Ordering::Relaxed) {
        let _ = slow.client.poll_slowly(Duration::from_millis(1), BYTES);
        deaf.client.pause(Duration::from_millis(99));
    }
}

fn open_streams(mut opener: Listener, session: Session, streams: &AtomicU64, stop: &AtomicBool) {
    let mut first = 1;
    while !stop.load(Ordering::Relaxed) {
        let recovery = Recovery {
            session,
            first,
            count: 2_000,
        };
        if opener.client.recover(&recovery, &mut |_| {}).is_err() {
            return;
        }
        streams.fetch_add(1, Ordering::Relaxed);
        first = first % 8_000 + 1;
        let _ = opener.client.poll_slowly(Duration::ZERO, 1 << 16);
    }
}

/// Logs in, says what no subscriber says, and comes again when it is thrown out.
fn say_garbage(connect: impl Fn() -> Result<Client, ClientError>, ended: &AtomicU64, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        if let Ok(mut client) = connect() {
            ended.fetch_add(u64::from(client.say(b"\x00\x03abc").is_err()), Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Datagrams that are nothing, a thousand a second, from one socket.
fn send_garbage(server: SocketAddr, garbage: &AtomicU64, stop: &AtomicBool) {
    let Ok(socket) = UdpSocket::bind(("127.0.0.1", 0)) else {
        return;
    };
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    while !stop.load(Ordering::Relaxed) {
        let mut bytes = [0; 1_200];
        for byte in &mut bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
        garbage.fetch_add(u64::from(socket.send_to(&bytes, server).is_ok()), Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(1));
    }
}
