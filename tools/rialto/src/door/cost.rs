//! What commands cost a door, in thread CPU.
//!
//! Of the turns in which members sent something: bytes in, messages to commands, events to messages, bytes out. A window is
//! so many commands; its cost does not count idle turns, so a machine that is busy elsewhere does not show in it.

use nix::time::{ClockId, clock_gettime};
use rialto_engine::talk::Cost as Window;

/// Commands of one window.
const WINDOW: u64 = 64;

pub(super) struct Cost {
    begun_ns: u64,
    spent_ns: u64,
    commands: u64,
    next: u64,
    windows: Vec<Window>,
    #[cfg(feature = "defects")]
    defect: super::defect::Defect,
}

impl Cost {
    pub(super) const fn new(#[cfg(feature = "defects")] defect: super::defect::Defect) -> Self {
        Self {
            begun_ns: 0,
            spent_ns: 0,
            commands: 0,
            next: 0,
            windows: Vec::new(),
            #[cfg(feature = "defects")]
            defect,
        }
    }

    /// A turn begins.
    pub(super) fn begin(&mut self) {
        self.begun_ns = thread_cpu_ns();
    }

    /// It has ended, and so many commands came of it.
    pub(super) fn end(&mut self, commands: u64) {
        if commands == 0 {
            return;
        }
        #[cfg(feature = "defects")]
        self.defect.turn(thread_cpu_ns() - self.begun_ns);
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
    pub(super) fn take(&mut self) -> Vec<Window> {
        std::mem::take(&mut self.windows)
    }
}

/// What this thread has used of its cores.
pub(super) fn thread_cpu_ns() -> u64 {
    let spec = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    spec.map_or(0, |spec| spec.tv_sec() as u64 * 1_000_000_000 + spec.tv_nsec() as u64)
}
