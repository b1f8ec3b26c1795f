//! `rialto bench member`: what the machinery around members costs the order path, and what a refusal costs.
//!
//! One exchange, one session. Pieces of the same flow come in turn without limits and with all of them (budgets and every
//! pre-trade limit, none of which is ever met), in the order off, on, on, off, so that what drifts falls on both. Neighbouring
//! pieces are compared; those without limits among themselves are the noise.
//!
//! **The path** is what a member waits for, one order outstanding: from its bytes on the socket to the bytes of its
//! acknowledgement, through both kernels, the door, sequencer, journal, engine, gate and door again; of a piece the median.
//!
//! **The matching thread** is the same under load, 512 orders outstanding: its CPU time for an order, which is door, sequencer,
//! journal, engine and gate in the layouts `one` and `two`, and none of the kernel's or the feed's on other threads.
//!
//! **A refusal** is one over the budget, as a flood has them, a run in one record: a burst of which one order is within the budget
//! and the rest is over it, beside a burst of that one order alone, each within the same time; what the matching thread spends
//! more, by the refusals. Reading the message, judging it, its part of the record and telling the member are all in it. Beside it,
//! without a bound, the same of orders over a pre-trade limit: each is a command of the stream and an event, as an order is.

use super::member::{Member, Own};
use super::timing::rounded;
use crate::bench::journal::Scratch;
use crate::exchange::Controls;
use crate::out;
use anyhow::{Context as _, Result, ensure};
use nix::time::{ClockId, clock_gettime};
use rialto_model::command::{MassCancel, SetBudgets, SetRiskLimits};
use rialto_model::member::BUDGET_MAX;
use rialto_model::{AccountId, Budgets, FirmId, Notional, Quantity, RiskLimits};
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Orders outstanding: one alone hides anything.
const WINDOW: u32 = 512;
/// By how much the path may cost more.
const PATH_MAX: f64 = 1.05;
/// Nanoseconds that a refusal may cost.
const REFUSAL_MAX_NS: f64 = 200.0;
/// The firm of an exchange of [`Own`].
const FIRM: FirmId = FirmId(1);
/// A piece one outstanding has this part of the orders of one under load: its rate is lower by far more.
const ALONE_PART: u32 = 4;
/// Orders that pass before a piece that counts: the change before it has arrived everywhere then.
const BETWEEN: u32 = 64;
/// Refusals of one burst: reading would stop at `THROTTLE_REFUSALS_MAX`.
const REFUSED: u32 = rialto_gateway::limits::THROTTLE_REFUSALS_MAX - 1;
/// What a burst has, and a while before the next one in which the budget is whole again.
const BURST_TIME: Duration = Duration::from_millis(10);
/// The budget of which one order is there at a time.
const TIGHT: Budgets = Budgets {
    orders_per_second: 200,
    orders_burst: 1,
    cancels_per_second: 0,
    cancels_burst: 0,
    questions_per_second: 0,
    questions_burst: 0,
    weight: 0,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pairs of pieces
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pairs: u32,
    /// Orders of a piece
    #[arg(long, value_name = "N", default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(512..=100_000))]
    orders: u32,
    /// Pairs of bursts
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    bursts: u32,
    /// Where the journal lies [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Pieces without limits beside pieces with all of them.
#[derive(Debug, Default)]
struct Sides {
    off: Vec<f64>,
    on: Vec<f64>,
    times: Vec<f64>,
    noise: Vec<f64>,
}

/// What they come to.
#[derive(Debug, Serialize)]
struct Compared {
    /// Medians, in nanoseconds.
    off_ns: f64,
    on_ns: f64,
    /// Median over pairs: how many times as much with limits.
    times: f64,
    /// Median over neighbouring pieces without limits, the larger by the smaller.
    noise: f64,
    /// `within` or `beyond` a twentieth; `INCONCLUSIVE` where it is beyond and the noise is as much.
    verdict: &'static str,
}

impl Sides {
    fn add(&mut self, [off, on]: [f64; 2]) {
        // Every second time the piece without limits stands beside the one before.
        if self.off.len() % 2 == 1
            && let Some(before) = self.off.last()
        {
            self.noise.push((off / before).max(before / off));
        }
        self.off.push(off);
        self.on.push(on);
        self.times.push(on / off.max(1.0));
    }

    fn compare(mut self) -> Compared {
        let (times, noise) = (median(&mut self.times), median(&mut self.noise));
        let thousandths = |value: f64| (value * 1_000.0).round() / 1_000.0;
        Compared {
            off_ns: rounded(median(&mut self.off)),
            on_ns: rounded(median(&mut self.on)),
            times: thousandths(times),
            noise: thousandths(noise),
            verdict: if times <= PATH_MAX {
                "within"
            } else if noise > PATH_MAX {
                "INCONCLUSIVE"
            } else {
                "beyond"
            },
        }
    }
}

#[derive(Debug, Serialize)]
struct Summary {
    pairs: u32,
    orders_of_a_piece: u32,
    /// Order to acknowledgement, one outstanding.
    path: Compared,
    outstanding: u32,
    /// CPU time of the matching thread for an order.
    matching_thread: Compared,
    refusals: u32,
    /// CPU time of a refusal, median over pairs of bursts.
    refusal_ns: f64,
    /// `within` or `beyond` 200 ns.
    refusal: &'static str,
    /// The same of a refusal by a pre-trade limit.
    limit_refusal_ns: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = Scratch::new(&args.dir.clone().unwrap_or_else(std::env::temp_dir))?;
    let own = |idle: &str| Own {
        durability: "memory".to_owned(),
        layout: "two".to_owned(),
        idle: idle.to_owned(),
    };
    let bar = out::progress(u64::from(4 * args.pairs + 4 * args.bursts), "pieces", args.json);
    for part in ["path", "thread"] {
        std::fs::create_dir(folder.0.join(part)).context("cannot make a folder for the journal")?;
    }
    // As `bench wire` measures: nobody is woken. Elsewhere a thread that yields would spend what nobody asked for.
    let path = own("yield").with_controls(&folder.0.join("path"), |controls| {
        let mut member = Member::log_on_own(controls.addresses.ouch)?;
        let orders = (args.orders / ALONE_PART).max(BETWEEN);
        in_turn(args.pairs, controls, &mut member, &bar, |member| {
            let waits = member.one_by_one(orders)?;
            Ok(median(&mut waits.into_iter().map(|ns| ns as f64).collect::<Vec<_>>()))
        })
    })?;
    let (thread, refusal_ns, limit_refusal_ns) = own("park").with_controls(&folder.0.join("thread"), |controls| {
        let clock = matching_thread()?;
        let mut member = Member::log_on_own(controls.addresses.ouch)?;
        member.flood(args.orders, WINDOW)?;
        let thread = in_turn(args.pairs, controls, &mut member, &bar, |member| {
            let before = clock.spent()?;
            member.flood(args.orders, WINDOW)?;
            let spent = clock.spent()?.saturating_sub(before);
            Ok(spent.as_nanos() as f64 / f64::from(args.orders))
        })?;
        change(controls, false)?;
        budget(controls, TIGHT)?;
        // Where the machine was held up, the budget has more.
        let refusal_ns = refusal(args, &clock, &mut member, &bar, |more| (1, more))?;
        change(controls, false)?;
        let nothing = RiskLimits {
            order_quantity: Quantity(1),
            ..RiskLimits::default()
        };
        limit(controls, nothing)?;
        let limit_refusal_ns = refusal(args, &clock, &mut member, &bar, |more| (0, 1 + more))?;
        Ok((thread, refusal_ns, limit_refusal_ns))
    })?;
    bar.finish_and_clear();
    let summary = Summary {
        pairs: args.pairs,
        orders_of_a_piece: args.orders,
        path: path.compare(),
        outstanding: WINDOW,
        matching_thread: thread.compare(),
        refusals: args.bursts * REFUSED,
        refusal_ns: rounded(refusal_ns),
        refusal: if refusal_ns <= REFUSAL_MAX_NS {
            "within"
        } else {
            "beyond"
        },
        limit_refusal_ns: rounded(limit_refusal_ns),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

/// Pieces without limits and with all of them, in turn.
fn in_turn(
    pairs: u32,
    controls: &Controls,
    member: &mut Member,
    bar: &indicatif::ProgressBar,
    mut piece: impl FnMut(&mut Member) -> Result<f64>,
) -> Result<Sides> {
    let mut sides = Sides::default();
    for pair in 0..pairs {
        let mut costs = [0.0; 2];
        let turns = if pair % 2 == 0 { [false, true] } else { [true, false] };
        for limited in turns {
            // What stands is no more at the end than at the beginning: nobody has a hundred thousand orders open.
            sweep(controls)?;
            change(controls, limited)?;
            member.flood(BETWEEN, 1)?;
            costs[usize::from(limited)] = piece(member)?;
            bar.inc(1);
        }
        sides.add(costs);
    }
    Ok(sides)
}

/// Takes all orders off.
fn sweep(controls: &Controls) -> Result<()> {
    let all = MassCancel {
        whole_firm: true,
        firm: FIRM,
        ..MassCancel::default()
    };
    controls.act(all.into(), "bench", "a piece is over")
}

/// Gives the firm every limit, far beyond what it does, or none.
fn change(controls: &Controls, limited: bool) -> Result<()> {
    let far = u64::MAX >> 2;
    let (limits, budgets) = if limited {
        let limits = RiskLimits {
            order_quantity: Quantity(far),
            order_notional: Notional(far),
            collar: 10_000_000,
            open_orders: u32::MAX,
            position: Quantity(far),
            credit: Notional(far),
            ..RiskLimits::default()
        };
        let budgets = Budgets {
            orders_per_second: BUDGET_MAX,
            orders_burst: BUDGET_MAX,
            cancels_per_second: BUDGET_MAX,
            cancels_burst: BUDGET_MAX,
            ..Budgets::default()
        };
        (limits, budgets)
    } else {
        (RiskLimits::default(), Budgets::default())
    };
    limit(controls, limits)?;
    budget(controls, budgets)
}

fn limit(controls: &Controls, limits: RiskLimits) -> Result<()> {
    let limits = SetRiskLimits {
        firm: FIRM,
        account: AccountId(0),
        limits,
    };
    controls.act(limits.into(), "bench", "the cost of limits")
}

fn budget(controls: &Controls, budgets: Budgets) -> Result<()> {
    controls.act(
        SetBudgets { firm: FIRM, budgets }.into(),
        "bench",
        "the cost of budgets",
    )
}

/// What a refusal costs, in nanoseconds. `expected`: how many of a burst of one order and so many more are accepted, how many refused.
fn refusal(
    args: &Args,
    clock: &ThreadClock,
    member: &mut Member,
    bar: &indicatif::ProgressBar,
    expected: impl Fn(u32) -> (u32, u32),
) -> Result<f64> {
    let mut costs = Vec::new();
    let mut burst = |more: u32| {
        std::thread::sleep(BURST_TIME);
        let (begun, before) = (Instant::now(), clock.spent()?);
        let (accepted, refused) = member.burst(1 + more)?;
        std::thread::sleep(BURST_TIME.saturating_sub(begun.elapsed()));
        bar.inc(1);
        let spent = clock.spent()?.saturating_sub(before);
        Ok::<_, anyhow::Error>(((accepted, refused) == expected(more)).then_some(spent))
    };
    burst(0)?;
    for pair in 0..args.bursts {
        let (alone, refused) = if pair % 2 == 0 {
            let alone = burst(0)?;
            (alone, burst(REFUSED)?)
        } else {
            let refused = burst(REFUSED)?;
            (burst(0)?, refused)
        };
        if let (Some(alone), Some(refused)) = (alone, refused) {
            costs.push((refused.as_nanos() as f64 - alone.as_nanos() as f64) / f64::from(REFUSED));
        }
    }
    ensure!(
        !costs.is_empty(),
        "no burst was answered in its time: the machine does too much else"
    );
    Ok(median(&mut costs))
}

/// The CPU time of a thread of this process.
struct ThreadClock(ClockId);

impl ThreadClock {
    fn spent(&self) -> Result<Duration> {
        let time = clock_gettime(self.0).context("the system tells no CPU time of the matching thread")?;
        Ok(Duration::from(time))
    }
}

/// The thread that doors, sequencer and engine share.
fn matching_thread() -> Result<ThreadClock> {
    for entry in std::fs::read_dir("/proc/self/task").context("the system lists no threads")? {
        let entry = entry?;
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if name.trim_end() == "match" {
            let thread: i32 = entry.file_name().to_string_lossy().parse()?;
            // How Linux numbers the clock of a thread's CPU time (CPUCLOCK_PERTHREAD_MASK and CPUCLOCK_SCHED).
            return Ok(ThreadClock(ClockId::from_raw((!thread << 3) | 6)));
        }
    }
    anyhow::bail!("no thread of this process is called \"match\"")
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
