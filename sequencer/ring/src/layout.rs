//! Which stages share a thread, and which thread gets which core.

use core_affinity::CoreId;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

/// How stages are laid onto threads. Hashes never depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Layout {
    /// Everything on one thread: tests, the simulator, a single core.
    One,
    /// Doors, sequencer, engine and gate on one thread; journal sync and feed on another that never spins.
    Two,
    /// A thread for the doors, the sequencer, the engine with the gate, the journal sync and the feed each.
    PerCore,
    /// By the cores this process may use: one, two or three, four and more.
    #[default]
    Auto,
}

/// A name that is no layout.
#[derive(Debug, thiserror::Error)]
#[error("no layout is called {0:?}: use one, two, per-core or auto")]
pub struct UnknownLayout(String);

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(name: &str) -> Result<Self, UnknownLayout> {
        match name {
            "one" => Ok(Self::One),
            "two" => Ok(Self::Two),
            "per-core" => Ok(Self::PerCore),
            "auto" => Ok(Self::Auto),
            other => Err(UnknownLayout(other.to_owned())),
        }
    }
}

impl Layout {
    /// What `auto` means with this many cores; every other layout is itself.
    #[must_use]
    pub const fn resolve(self, cores: usize) -> Self {
        match (self, cores) {
            (Self::Auto, 0 | 1) => Self::One,
            (Self::Auto, 2 | 3) => Self::Two,
            (Self::Auto, _) => Self::PerCore,
            (fixed, _) => fixed,
        }
    }

    /// How many threads it has.
    #[must_use]
    pub const fn threads(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two | Self::Auto => 2,
            Self::PerCore => 5,
        }
    }
}

/// The cores this process may use. Read once, before the first pin: afterwards only the pinned core is listed.
#[derive(Clone, Debug)]
pub struct Cores(Vec<CoreId>);

impl Cores {
    /// Asks the system.
    #[must_use]
    pub fn read() -> Self {
        Self(core_affinity::get_core_ids().unwrap_or_default())
    }

    /// How many there are; at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len().max(1)
    }

    /// Ties the calling thread to the `index`-th core, round and round. Whether the system agreed.
    #[must_use]
    pub fn pin(&self, index: usize) -> bool {
        !self.0.is_empty() && core_affinity::set_for_current(self.0[index % self.0.len()])
    }
}

/// How nice a thread beside the path of an order is (0 is usual, 19 the most): it has a tenth of what the path may have on a
/// core that both want.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Puts the calling thread behind those that carry orders and ticks: for followers, hashes of passwords, pictures, HTTP. It is
/// nicer, and it leaves the core of the doors and the engine, where there are others: a matching thread that yields would hand
/// its core over for a whole slice, however nice who takes it is. What only reads the stream is late where cores are scarce, and the
/// stream is not. A system that refuses costs latency alone. Threads that it makes later are as it is.
pub fn beside_the_path() {
    if KEPT_BESIDE.load(Ordering::Relaxed) {
        behind_the_path();
    }
}

static KEPT_BESIDE: AtomicBool = AtomicBool::new(true);

/// Whether threads that begin from here on are put beside the path when they ask to be. For who wants to see what it is like where
/// they are not: nothing else turns it off.
pub fn keep_beside(kept: bool) {
    KEPT_BESIDE.store(kept, Ordering::Relaxed);
}

/// Puts the calling thread off the cores of the path, no nicer than it is: for what the path waits for and what is measured against
/// that. Threads and processes that it makes later are as it is.
pub fn off_the_path() {
    #[cfg(target_os = "linux")]
    leave_the_path();
}

/// As [`beside_the_path`], whatever was said of others: for programs that are no part of an exchange and share its process.
pub fn behind_the_path() {
    // On Linux a nice value and the cores are a thread's own; elsewhere they would be the process's.
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::setpriority_process(None, NICE);
        leave_the_path();
    }
}

/// How many of so many cores are the path's alone: those of doors, sequencer and engine in the layout that `auto` means.
#[cfg(target_os = "linux")]
const fn cores_of_the_path(cores: usize) -> usize {
    match cores {
        0 | 1 => 0,
        2 | 3 => 1,
        _ => 3,
    }
}

/// The cores behind those of the path, in the order that [`Cores::pin`] counts. Whoever was tied down already has left.
#[cfg(target_os = "linux")]
fn leave_the_path() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    static ALL: std::sync::OnceLock<Vec<usize>> = std::sync::OnceLock::new();
    let all = ALL.get_or_init(|| {
        let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
    });
    let mut others = CpuSet::new();
    all.iter()
        .skip(cores_of_the_path(all.len()))
        .for_each(|core| others.set(*core));
    if others.count() > 0 {
        let _ = sched_setaffinity(None, &others);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_beside_the_path_leaves_its_cores() {
        assert_eq!([0, 1, 2, 3, 4, 64].map(cores_of_the_path), [0, 0, 1, 1, 3, 3]);
        let left = || {
            std::thread::spawn(|| {
                beside_the_path();
                // Twice is as once.
                beside_the_path();
                core_affinity::get_core_ids().unwrap_or_default()
            })
        };
        let all = Cores::read().0;
        let beside = left().join().unwrap();
        assert_eq!(beside, all[cores_of_the_path(all.len())..]);
        assert_eq!(Cores::read().0, all, "the others' cores are as they were");
    }

    #[test]
    fn auto_goes_by_the_cores_and_names_are_checked() {
        for (cores, layout) in [
            (0, Layout::One),
            (1, Layout::One),
            (2, Layout::Two),
            (3, Layout::Two),
            (4, Layout::PerCore),
        ] {
            assert_eq!(Layout::Auto.resolve(cores), layout, "{cores} cores");
        }
        assert_eq!("per-core".parse::<Layout>().unwrap(), Layout::PerCore);
        assert_eq!(Layout::One.resolve(64), Layout::One);
        assert!(
            "three"
                .parse::<Layout>()
                .unwrap_err()
                .to_string()
                .contains("use one, two")
        );
    }
}
