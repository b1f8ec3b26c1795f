//! Prepared defects of a door, in a build with the feature `defects` alone: what its judge has to stop.

use super::cost::thread_cpu_ns;
use rialto_model::{Event, Output, RejectReason};

/// What is wrong with a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Defect {
    /// Nothing.
    Correct,
    /// A turn with commands takes 50 % more thread CPU.
    Slow,
    /// Orders are rejected to its members for another reason.
    RejectCode,
    /// Its first command is its last.
    Crash,
}

const SLOW_PERCENT: u64 = 50;

impl Defect {
    /// Behind a turn with commands that took so long.
    pub(super) fn turn(self, cpu_ns: u64) {
        match self {
            Self::Correct | Self::RejectCode => {}
            Self::Slow => {
                let end = thread_cpu_ns() + cpu_ns * SLOW_PERCENT / 100;
                while thread_cpu_ns() < end {
                    std::hint::spin_loop();
                }
            }
            Self::Crash => panic!("a prepared crash of a door"),
        }
    }

    /// What its door takes an event for.
    pub(super) fn shown(self, mut output: Output) -> Output {
        if let (Self::RejectCode, Event::Rejected(rejected)) = (self, &mut output.event.body) {
            rejected.reason = match rejected.reason {
                RejectReason::QuantityZero => RejectReason::PriceOffTick,
                _ => RejectReason::QuantityZero,
            };
        }
        output
    }
}
