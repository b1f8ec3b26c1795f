//! What commands cost a door or a feed, in thread CPU.
//!
//! Of the turns in which there were any: for a door those that members sent, from bytes in to bytes out, for a feed those that it
//! followed. A window is so many commands; its cost does not count idle turns, so a machine that is busy elsewhere does not show
//! in it.

use nix::time::{ClockId, clock_gettime};
use rialto_engine::talk::Cost as Window;

/// Commands of one window.
const WINDOW: u64 = 64;

pub(crate) struct Cost {
    begun_ns: u64,
    spent_ns: u64,
    commands: u64,
    next: u64,
    windows: Vec<Window>,
}

impl Cost {
    pub(crate) const fn new() -> Self {
        Self {
            begun_ns: 0,
            spent_ns: 0,
            commands: 0,
            next: 0,
            windows: Vec::new(),
        }
    }

    /// A turn begins.
    pub(crate) fn begin(&mut self) {
        self.begun_ns = thread_cpu_ns();
    }

    /// What it has cost by now.
    #[cfg(feature = "defects")]
    pub(crate) fn so_far_ns(&self) -> u64 {
        thread_cpu_ns() - self.begun_ns
    }

    /// It has ended, and so many commands came of it.
    pub(crate) fn end(&mut self, commands: u64) {
        if commands == 0 {
            return;
        }
        self.spent_ns += thread_cpu_ns() - self.begun_ns;
        self.commands += commands;
        if self.commands >= WINDOW {
            let cpu_ns = self.spent_ns * WINDOW / self.commands;
            self.windows.push(Window {
                window: self.next,
                cpu_ns,
            });
            (self.next, self.spent_ns, self.commands) = (self.next + 1, 0, 0);
        }
    }

    /// The windows since this was last asked.
    pub(crate) fn take(&mut self) -> Vec<Window> {
        std::mem::take(&mut self.windows)
    }
}

/// What this thread has used of its cores.
pub(crate) fn thread_cpu_ns() -> u64 {
    let spec = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    spec.map_or(0, |spec| spec.tv_sec() as u64 * 1_000_000_000 + spec.tv_nsec() as u64)
}
