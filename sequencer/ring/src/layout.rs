//! Which stages share a thread, and which thread gets which core.

use core_affinity::CoreId;
use std::str::FromStr;

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

/// Puts the calling thread behind those that carry orders and ticks: for followers, hashes of passwords, pictures.
/// What only reads the stream is late where cores are scarce, and the stream is not. A system that refuses costs latency alone.
pub fn beside_the_path() {
    // On Linux a nice value is a thread's own; elsewhere it would be the process's.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(test)]
mod tests {
    use super::*;

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
