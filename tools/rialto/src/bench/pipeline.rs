//! `rialto bench pipeline`: an order from a member's socket to its acknowledgement, beside what bounds it.
//!
//! The exchange is the one of `rialto serve`, in this process, with its doors, journal and feed. One client on the calling
//! thread enters orders that rest. One outstanding: the time from write to acknowledgement, beside a bare TCP echo of as many
//! bytes, which in durability `disk` also writes and syncs them first. Many outstanding: orders a second, beside a floor that
//! does the same work around a toy book: the same protocol session, one write and sync a batch and one packed multicast
//! datagram, on one thread. Exchange and limit take turns. Not inside: logging on, and segments made ahead.

use super::journal::Scratch;
use super::member::{Member, Own, PATIENCE};
use super::timing::rounded;
use crate::out;
use anyhow::Result;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

mod floor;

/// Rounds, of which the median counts.
const ROUNDS: usize = 3;
/// Orders of one turn with one outstanding, and with many.
const TURN_ONE: u32 = 50;
const TURN_MANY: u32 = 5_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What makes an event safe to release
    #[arg(long, default_value = "memory", value_parser = crate::choices::DURABILITIES)]
    durability: String,
    /// Orders a round with one outstanding
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    ops: u32,
    /// Orders a round with many outstanding
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    flood: u32,
    /// How many are outstanding then
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(2..=4096))]
    window: u32,
    /// How stages are laid onto threads
    #[arg(long, default_value = "auto", value_parser = crate::choices::LAYOUTS)]
    layout: String,
    /// What an idle thread does
    #[arg(long, default_value = "yield", value_parser = crate::choices::IDLES)]
    idle: String,
    /// Where the journal lies: the disk that is measured [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    durability: String,
    layout: String,
    idle: String,
    one_outstanding: One,
    many_outstanding: Many,
}

/// Order to acknowledgement, nothing else under way.
#[derive(Debug, Serialize)]
struct One {
    orders: u32,
    p50_ns: u64,
    p99_ns: u64,
    /// A bare echo in the same run; in `disk` with the write and the sync.
    limit_p50_ns: u64,
    limit_p99_ns: u64,
    times_limit: f64,
}

#[derive(Debug, Serialize)]
struct Many {
    orders: u32,
    window: u32,
    orders_per_second: u64,
    /// The same work around a toy book.
    floor_orders_per_second: u64,
    share: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = Scratch::new(&args.dir.clone().unwrap_or_else(std::env::temp_dir))?;
    let disk = args.durability == "disk";
    let bar = out::progress(2 * ROUNDS as u64, "rounds", args.json);
    let floor = floor::Floor::start(&folder.0, disk)?;
    let echo = floor::Echo::start(&folder.0, disk)?;
    let own = Own {
        durability: args.durability.clone(),
        layout: args.layout.clone(),
        idle: args.idle.clone(),
    };
    let (one_outstanding, many_outstanding) = own.with(&folder.0, |door| measure(args, door, &floor, &echo, &bar))?;
    bar.finish_and_clear();
    let summary = Summary {
        durability: args.durability.clone(),
        layout: args.layout.clone(),
        idle: args.idle.clone(),
        one_outstanding,
        many_outstanding,
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary.one_outstanding)));
        out::say(format_args!("{}", out::pairs(&summary.many_outstanding)));
    }
    Ok(())
}

fn measure(
    args: &Args,
    door: SocketAddr,
    floor: &floor::Floor,
    echo: &floor::Echo,
    bar: &indicatif::ProgressBar,
) -> Result<(One, Many)> {
    let mut member = Member::log_on_own(door)?;
    let mut toy = Member::log_on_own(floor.address())?;
    let mut echoing = echo.connect()?;
    let (mut own, mut limit) = (Vec::new(), Vec::new());
    // The first round warms.
    for round in 0..=ROUNDS {
        for piece in pieces(args.ops, TURN_ONE) {
            let samples = member.one_by_one(piece)?;
            let bare = echoing.one_by_one(piece)?;
            toy.idle()?;
            if round > 0 {
                own.extend(samples);
                limit.extend(bare);
            }
        }
        bar.inc(u64::from(round > 0));
    }
    let (mut rates, mut floors) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (mut spent, mut toy_spent) = (Duration::ZERO, Duration::ZERO);
        for piece in pieces(args.flood, TURN_MANY) {
            spent += member.flood(piece, args.window)?;
            toy.idle()?;
            toy_spent += toy.flood(piece, args.window)?;
            member.idle()?;
        }
        if round > 0 {
            rates.push(per_second(args.flood, spent));
            floors.push(per_second(args.flood, toy_spent));
            bar.inc(1);
        }
    }
    let one = One {
        orders: args.ops * ROUNDS as u32,
        p50_ns: percentile(&mut own, 50),
        p99_ns: percentile(&mut own, 99),
        limit_p50_ns: percentile(&mut limit, 50),
        limit_p99_ns: percentile(&mut limit, 99),
        times_limit: 0.0,
    };
    let many = Many {
        orders: args.flood * ROUNDS as u32,
        window: args.window,
        orders_per_second: percentile(&mut rates, 50),
        floor_orders_per_second: percentile(&mut floors, 50),
        share: 0.0,
    };
    Ok((
        One {
            times_limit: rounded(one.p50_ns as f64 / one.limit_p50_ns.max(1) as f64),
            ..one
        },
        Many {
            share: rounded(many.orders_per_second as f64 / many.floor_orders_per_second.max(1) as f64),
            ..many
        },
    ))
}

/// Turns that are short enough for whoever waits to be able to say in time that he lives.
fn pieces(count: u32, most: u32) -> impl Iterator<Item = u32> {
    (0..count)
        .step_by(most as usize)
        .map(move |from| most.min(count - from))
}

fn per_second(count: u32, spent: Duration) -> u64 {
    (f64::from(count) / spent.as_secs_f64().max(f64::MIN_POSITIVE)) as u64
}

fn percentile(samples: &mut [u64], hundredths: usize) -> u64 {
    samples.sort_unstable();
    let at = samples.len() * hundredths / 100;
    samples
        .get(at.min(samples.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
