//! The duty cycle: stages with a bounded unit of work, polled by a thread that idles by strategy. After the agents of
//! Agrona.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A part of the exchange that is given time now and then.
pub trait Stage: Send {
    /// What people call it.
    fn name(&self) -> &'static str;
    /// Does a bounded unit of work and returns how many messages it moved; zero lets the thread idle.
    fn poll(&mut self) -> usize;
    /// Whether no input waits, so that a thread that is asked to stop may. Asked only after a poll that moved nothing.
    fn is_drained(&self) -> bool;
}

/// What a thread does when none of its stages moved anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Looks again at once. Needs a core of its own: two spinning threads on one core take turns by the millisecond.
    Spin,
    /// Lets another thread run first.
    Yield,
    /// Spins, then yields, then sleeps, at most `max` at a time: a laptop stays cool, and latency grows by up to `max`.
    Park {
        /// The longest sleep.
        max: Duration,
    },
}

/// Rounds without work before [`Idle::Park`] yields, and then before it sleeps.
const PARK_SPINS: u32 = 64;
const PARK_YIELDS: u32 = 128;
/// The first sleep of [`Idle::Park`]; each further one is twice as long.
const PARK_FIRST: Duration = Duration::from_micros(20);

impl Idle {
    /// After the `rounds`-th round in a row without work.
    fn wait(self, rounds: u32) {
        match self {
            Self::Spin => std::hint::spin_loop(),
            Self::Yield => std::thread::yield_now(),
            Self::Park { .. } if rounds < PARK_SPINS => std::hint::spin_loop(),
            Self::Park { .. } if rounds < PARK_YIELDS => std::thread::yield_now(),
            Self::Park { max } => {
                let doublings = (rounds - PARK_YIELDS).min(16);
                std::thread::sleep(PARK_FIRST.saturating_mul(1 << doublings).min(max));
            }
        }
    }
}

const RUN: u8 = 0;
const DRAIN: u8 = 1;
const ABORT: u8 = 2;

/// Tells threads to stop, and why. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<StopState>);

#[derive(Debug, Default)]
struct StopState {
    phase: AtomicU8,
    failure: OnceLock<String>,
}

impl Stop {
    /// A thread that runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop once every input is drained.
    pub fn drain(&self) {
        self.0.phase.fetch_max(DRAIN, Ordering::AcqRel);
    }

    /// Asks to stop at once, because something broke. The first reason stays.
    pub fn fail(&self, reason: impl Into<String>) {
        let _ = self.0.failure.set(reason.into());
        self.0.phase.fetch_max(ABORT, Ordering::AcqRel);
    }

    /// Why, if something broke.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.0.failure.get().map(String::as_str)
    }

    /// Whether stopping was asked for in any way.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.phase.load(Ordering::Acquire) != RUN
    }

    fn phase(&self) -> u8 {
        self.0.phase.load(Ordering::Acquire)
    }
}

/// Polls `stages` in order, over and over, on the calling thread, until `stop` says so.
///
/// The stages stay the caller's: a thread returns them when it ends, so that their last state can be asked for.
pub fn run(stages: &mut [&mut dyn Stage], idle: Idle, stop: &Stop) {
    let mut idle_rounds = 0u32;
    loop {
        let moved: usize = stages.iter_mut().map(|stage| stage.poll()).sum();
        match stop.phase() {
            RUN => {}
            DRAIN if moved != 0 || !stages.iter().all(|stage| stage.is_drained()) => {}
            _ => return,
        }
        if moved == 0 {
            idle.wait(idle_rounds);
            idle_rounds = idle_rounds.saturating_add(1);
        } else {
            idle_rounds = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Countdown(usize);

    impl Stage for Countdown {
        fn name(&self) -> &'static str {
            "countdown"
        }
        fn poll(&mut self) -> usize {
            let moved = usize::from(self.0 > 0);
            self.0 -= moved;
            moved
        }
        fn is_drained(&self) -> bool {
            self.0 == 0
        }
    }

    #[test]
    fn a_drain_empties_every_stage_and_an_abort_none() {
        let stop = Stop::new();
        stop.drain();
        let (mut a, mut b) = (Countdown(3), Countdown(900));
        run(
            &mut [&mut a, &mut b],
            Idle::Park {
                max: Duration::from_micros(50),
            },
            &stop,
        );
        assert_eq!((a.0, b.0), (0, 0));

        let stop = Stop::new();
        stop.fail("disk on fire");
        stop.fail("later");
        let mut c = Countdown(5);
        run(&mut [&mut c], Idle::Yield, &stop);
        assert_eq!(c.0, 4, "one round, then out");
        assert_eq!(stop.failure(), Some("disk on fire"));
    }
}
