//! Prepared defects of a door, in a build with the feature `defects` alone: what its judge has to stop.

use super::cost::thread_cpu_ns;

/// What is wrong with a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Defect {
    /// Nothing.
    Correct,
    /// A turn with commands takes 50 % more thread CPU.
    Slow,
    /// Its first command is its last.
    Crash,
}

const SLOW_PERCENT: u64 = 50;

impl Defect {
    /// Behind a turn with commands that took so long.
    pub(super) fn turn(self, cpu_ns: u64) {
        match self {
            Self::Correct => {}
            Self::Slow => {
                let end = thread_cpu_ns() + cpu_ns * SLOW_PERCENT / 100;
                while thread_cpu_ns() < end {
                    std::hint::spin_loop();
                }
            }
            Self::Crash => panic!("a prepared crash of a door"),
        }
    }
}
