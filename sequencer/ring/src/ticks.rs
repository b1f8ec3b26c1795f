//! The processor's counter of time, for marks alone, and what its ticks are in nanoseconds.
//!
//! A stage that notes when it was how far pays for every look at a clock. The counter is one instruction, where the system's clock
//! is a call and sums; so a stage notes [`Ticks`], and who reads its marks makes nanoseconds of them with a [`Scale`], beside the path.
//! It is read where the kernel itself keeps its time by it; anywhere else ticks are the nanoseconds of [`SystemClock`].
//! No calibration stands at the start, as the crates for this have one of up to 0.2 s: a scale goes through the newest two moments
//! at which both clocks were read, so that it follows where the kernel corrects its own.

use crate::clock::SystemClock;
use rialto_model::Clock as _;

/// Two moments that a scale goes through lie at least so far apart: what a read takes is then a hundred thousandth of it.
const APART_NS: u64 = 5_000_000;
/// Reads for one moment; the quickest is taken, for an interrupted one is wrong by as much as it took.
const READS: usize = 4;

/// Reads the counter.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    clock: SystemClock,
    counted: bool,
}

impl Ticks {
    /// The processor's where the kernel trusts it, else nanoseconds of `clock`.
    #[must_use]
    pub fn new(clock: SystemClock) -> Self {
        Self {
            clock,
            counted: counter::is_trusted(),
        }
    }

    /// Now. Rises; its unit is what [`Scale`] knows.
    #[inline]
    pub fn now(&mut self) -> u64 {
        if self.counted {
            counter::read()
        } else {
            self.clock.monotonic().0
        }
    }
}

/// What the counter and the clock showed at once.
#[derive(Clone, Copy, Debug)]
struct Moment {
    ticks: u64,
    ns: u64,
}

/// Makes of ticks the local nanoseconds of the clock that they were made with.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    ticks: Ticks,
    older: Moment,
    newer: Moment,
}

impl Scale {
    /// A scale for these ticks. It needs one more [`look`](Self::look), 5 ms later or more; until then every tick is now.
    #[must_use]
    pub fn new(mut ticks: Ticks) -> Self {
        let now = moment(&mut ticks);
        Self {
            ticks,
            older: now,
            newer: now,
        }
    }

    /// Reads both clocks again, as often as marks are read; sooner than 5 ms after the last time it changes nothing.
    pub fn look(&mut self) {
        let now = moment(&mut self.ticks);
        if now.ns.saturating_sub(self.newer.ns) >= APART_NS && now.ticks > self.newer.ticks {
            self.older = std::mem::replace(&mut self.newer, now);
        }
    }

    /// When that was, in nanoseconds; from around the last two looks, where the line through them holds.
    #[must_use]
    pub fn ns(&self, ticks: u64) -> u64 {
        if self.ticks.counted {
            along(self.older, self.newer, ticks)
        } else {
            ticks
        }
    }
}

/// On the line through two moments.
fn along(older: Moment, newer: Moment, ticks: u64) -> u64 {
    let run = i128::from(newer.ticks) - i128::from(older.ticks);
    if run <= 0 {
        return newer.ns;
    }
    let rise = i128::from(newer.ns) - i128::from(older.ns);
    let behind = (i128::from(newer.ticks) - i128::from(ticks)) * rise / run;
    (i128::from(newer.ns) - behind).clamp(0, i128::from(u64::MAX)) as u64
}

fn moment(ticks: &mut Ticks) -> Moment {
    let mut best = (u64::MAX, Moment { ticks: 0, ns: 0 });
    for _ in 0..READS {
        let before = ticks.now();
        let ns = ticks.clock.monotonic().0;
        let took = ticks.now().saturating_sub(before);
        if took <= best.0 {
            let ticks = before + took / 2;
            best = (took, Moment { ticks, ns });
        }
    }
    best.1
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod counter {
    /// Whether the kernel keeps its time by the counter, which it does where that runs evenly on all cores.
    pub(super) fn is_trusted() -> bool {
        std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            .is_ok_and(|name| name.trim() == "tsc")
    }

    #[inline]
    #[allow(unsafe_code, reason = "the argument stands below")]
    pub(super) fn read() -> u64 {
        // SAFETY: it reads a register, touches no memory and is in every x86-64. A kernel that forbids it to processes says so by a
        // signal, and none that keeps its own time by it does: its vDSO reads it in the process.
        unsafe { core::arch::x86_64::_rdtsc() }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod counter {
    pub(super) const fn is_trusted() -> bool {
        false
    }

    pub(super) const fn read() -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn between_two_moments_and_around_them_time_is_a_line() {
        let (older, newer) = (
            Moment { ticks: 1_000, ns: 500 },
            Moment {
                ticks: 4_000,
                ns: 1_500,
            },
        );
        let line = |ticks| along(older, newer, ticks);
        assert_eq!([1_000, 2_500, 4_000, 4_300].map(line), [500, 1_000, 1_500, 1_600]);
        assert_eq!(line(0), 167);
        assert_eq!(
            along(older, Moment { ticks: 4_000, ns: 10 }, 60_000_000),
            0,
            "no time before the first"
        );
        assert_eq!(along(newer, newer, 7), 1_500, "nothing is known yet");
    }

    #[test]
    fn ticks_are_told_in_the_time_of_the_clock_they_were_made_with() {
        let mut clock = SystemClock::new();
        let mut ticks = Ticks::new(clock);
        let mut scale = Scale::new(ticks);
        // An interrupted look is wrong by as much as it took, the next is not; a wrong scale never comes out.
        let holds = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(6));
            scale.look();
            let before = clock.monotonic().0;
            let tick = ticks.now();
            let after = clock.monotonic().0;
            let ns = scale.ns(tick);
            before.saturating_sub(5_000) <= ns && ns <= after + 5_000
        });
        assert!(holds, "{scale:?}");
    }

    #[test]
    fn without_the_counter_ticks_are_nanoseconds() {
        let ticks = Ticks {
            clock: SystemClock::new(),
            counted: false,
        };
        assert_eq!(Scale::new(ticks).ns(123), 123);
    }
}
