//! The exchange's own stages on one thread from one seed: virtual time, a disk in memory that misbehaves, clients that send
//! again, a process that is killed, stopped and taken over from.
//!
//! A [`Plan`] is drawn from a seed: which stage has its turn, what clients send, what breaks, as one list of steps. It is
//! run over the production sequencer, journal, engine stage, release gate, hash follower and feed publisher; doors are a
//! model, as theirs are sockets. Checkers see only what went in, what was told, and the disk.
//! Which accidents a set of runs went through is counted ([`RarePath`]): a run that never gets there proves nothing.
//!
//! The simulator is no part of the exchange: nothing in it is ever wired into a server. A fault is injected into the disk,
//! the clock or the wiring ([`Wiring`]), never into a stage's code.
//!
//! ```
//! use rialto_simulator::{Wiring, simulate};
//!
//! let report = simulate(7, Wiring::Production);
//! assert_eq!(report.failure, None);
//! ```
#![forbid(unsafe_code)]

mod check;
mod client;
mod clock;
mod feed;
mod plan;
mod random;
mod rare;
mod shrink;
mod venue;
mod wiring;
mod world;

pub use check::Violation;
pub use plan::{Plan, Step, Turn, Wish};
pub use rare::{RarePath, RarePaths};
pub use wiring::Wiring;

/// What one seed came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// The accidents it went through.
    pub rare: RarePaths,
    /// The first rule that broke, if one did.
    pub failure: Option<Violation>,
}

/// Runs the plan of a seed.
#[must_use]
pub fn simulate(seed: u64, wiring: Wiring) -> Report {
    run(&Plan::of(seed), wiring)
}

/// Runs a plan.
#[must_use]
pub fn run(plan: &Plan, wiring: Wiring) -> Report {
    let (rare, outcome) = world::run(plan, wiring);
    Report {
        rare,
        failure: outcome.err(),
    }
}

/// The smallest part of a seed's plan that was found to break the same rule as all of it; `None` where none breaks.
#[must_use]
pub fn shrink(seed: u64, wiring: Wiring) -> Option<(Plan, Violation)> {
    let plan = Plan::of(seed);
    let rule = run(&plan, wiring).failure?.rule;
    let smallest = shrink::shrink(&plan, wiring, rule);
    let violation = run(&smallest, wiring).failure?;
    Some((smallest, violation))
}
