//! `rialto bench pipeline`: an order from a member's socket to its acknowledgement, beside what bounds it.
//!
//! The exchange is the one of `rialto serve`, in this process, with its doors, journal and feed. One client on the calling
//! thread enters orders that rest. One outstanding: the time from write to acknowledgement, beside a bare TCP echo of as many
//! bytes, which in durability `disk` also writes and syncs them first. Many outstanding: orders a second, beside a floor that
//! does the same work around a toy book: the same protocol session, one write and sync a batch and one packed multicast
//! datagram, on one thread. Exchange and limit take turns. Not inside: logging on, and segments made ahead.

use super::journal::Scratch;
use super::timing::rounded;
use crate::config::Config;
use crate::exchange::{Exchange, today};
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use crate::out;
use anyhow::{Context as _, Result, bail, ensure};
use rialto_members::{Credentials, Password, Verifier};
use rialto_ouch::messages::{
    AccountQuery, Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, Outbound, Price,
    Quantity, Side, Symbol, TimeInForce, UserRefNum,
};
use serde::Serialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod floor;

/// Rounds, of which the median counts.
const ROUNDS: usize = 3;
/// How long the other end may take.
const PATIENCE: Duration = Duration::from_secs(30);
const USER: &str = "bench";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What makes an event safe to release: memory or disk
    #[arg(long, default_value = "memory")]
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
    /// How stages are laid onto threads: one, two, per-core or auto
    #[arg(long, default_value = "auto")]
    layout: String,
    /// What an idle thread does: park, yield or spin
    #[arg(long, default_value = "yield")]
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
    let config = config(&folder.0, args)?;
    let mut credentials = Credentials::new();
    credentials.add(USER, &Password::new(USER.as_bytes())?)?;
    let exchange = Exchange::open(&config, Verifier::start(credentials)?, today())?;
    let bar = out::progress(2 * ROUNDS as u64, "rounds", args.json);
    let floor = floor::Floor::start(&folder.0, disk)?;
    let echo = floor::Echo::start(&folder.0, disk)?;
    let mut measured = Err(anyhow::anyhow!("nothing was measured"));
    exchange.run(|controls| {
        measured = measure(args, controls.addresses.ouch, &floor, &echo, &bar);
        Ok(())
    })?;
    let (one_outstanding, many_outstanding) = measured?;
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
    let mut member = Member::log_on(door)?;
    let mut toy = Member::log_on(floor.address())?;
    let mut echoing = echo.connect()?;
    let (mut own, mut limit) = (Vec::new(), Vec::new());
    // The first round warms.
    for round in 0..=ROUNDS {
        let samples = member.one_by_one(args.ops)?;
        let bare = echoing.one_by_one(args.ops)?;
        if round > 0 {
            own.extend(samples);
            limit.extend(bare);
            bar.inc(1);
        }
    }
    let (mut rates, mut floors) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let rate = member.flood(args.flood, args.window)?;
        let toy_rate = toy.flood(args.flood, args.window)?;
        if round > 0 {
            rates.push(rate);
            floors.push(toy_rate);
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

fn percentile(samples: &mut [u64], hundredths: usize) -> u64 {
    samples.sort_unstable();
    let at = samples.len() * hundredths / 100;
    samples
        .get(at.min(samples.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// One instrument, one firm, one session; ports that the system picks.
fn config(data: &Path, args: &Args) -> Result<Config> {
    let text = r#"
        data = ""
        snapshot_every = 0
        ouch = { listen = "127.0.0.1:0" }
        fix = { listen = "127.0.0.1:0" }
        feed = { rerequest = "127.0.0.1:0", line_a = "239.192.77.1:0", line_b = "239.192.77.2:0" }
        [[instrument]]
        symbol = "ACME"
        [[firm]]
        name = "Bench"
        mpid = "BNCH"
        [[firm.session]]
        name = "bench"
        door = "ouch"
    "#;
    let mut config: Config = toml::from_str(text)?;
    config.data = data.to_owned();
    config.durability.clone_from(&args.durability);
    config.layout.clone_from(&args.layout);
    config.idle.clone_from(&args.idle);
    config.check()?;
    Ok(config)
}

/// A logged-on client.
struct Member {
    client: OuchClient,
    next: u32,
}

impl Member {
    fn log_on(door: SocketAddr) -> Result<Self> {
        let mut member = Self {
            client: OuchClient::connect(door, login_for_new(USER, USER)?)?,
            next: 1,
        };
        let begun = Instant::now();
        let (mut inside, mut asked, mut answered) = (false, false, None);
        while answered.is_none() {
            ensure!(begun.elapsed() < PATIENCE, "nobody lets the client in at {door}");
            member.client.wait(PATIENCE, &mut |event| match event {
                OuchEvent::LoggedIn(_) => inside = true,
                OuchEvent::Message(Outbound::AccountQueryResponse(answer)) => answered = Some(answer.next_user_ref.0),
                OuchEvent::Message(_) | OuchEvent::Closed(_) => {}
            })?;
            if inside && !asked {
                member.client.send(AccountQuery {})?;
                asked = true;
            }
        }
        member.next = answered.unwrap_or(1);
        Ok(member)
    }

    fn send(&mut self) -> Result<()> {
        let order = EnterOrder {
            user_ref: UserRefNum(self.next),
            side: Side::Buy,
            quantity: Quantity(100),
            symbol: Symbol::new("ACME").context("a symbol")?,
            // Some hundred levels, none of which ever trades.
            price: Price(500_000 + u64::from(self.next % 128) * 100),
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            capacity: Capacity::Principal,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            cl_ord_id: ClOrdId::BLANK,
            appendage: Appendage::EMPTY,
        };
        self.client.send(order)?;
        self.next += 1;
        Ok(())
    }

    /// How many were acknowledged, as far as has come.
    fn acknowledged(&mut self) -> Result<u32> {
        let (mut count, mut trouble) = (0, None);
        self.client.poll(&mut |event| match event {
            OuchEvent::Message(Outbound::OrderAccepted(_)) => count += 1,
            OuchEvent::Message(Outbound::OrderRejected(why)) => {
                trouble = Some(format!("an order was refused: {why:?}"))
            }
            OuchEvent::Closed(why) => trouble = Some(format!("the session ended: {why:?}")),
            OuchEvent::Message(_) | OuchEvent::LoggedIn(_) => {}
        })?;
        match trouble {
            Some(why) => bail!("{why}"),
            None => Ok(count),
        }
    }

    fn one_by_one(&mut self, count: u32) -> Result<Vec<u64>> {
        let mut samples = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let begun = Instant::now();
            self.send()?;
            while self.acknowledged()? == 0 {
                ensure!(begun.elapsed() < PATIENCE, "an order was not acknowledged");
                std::thread::yield_now();
            }
            samples.push(begun.elapsed().as_nanos() as u64);
        }
        Ok(samples)
    }

    /// Orders a second.
    fn flood(&mut self, count: u32, window: u32) -> Result<u64> {
        let begun = Instant::now();
        let (mut sent, mut done) = (0, 0);
        while done < count {
            while sent < count && sent - done < window {
                self.send()?;
                sent += 1;
            }
            let came = self.acknowledged()?;
            done += came;
            if came == 0 {
                ensure!(
                    begun.elapsed() < PATIENCE * 10,
                    "{done} of {count} orders were acknowledged"
                );
                std::thread::yield_now();
            }
        }
        Ok((f64::from(count) / begun.elapsed().as_secs_f64().max(f64::MIN_POSITIVE)) as u64)
    }
}
