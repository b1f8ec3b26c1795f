//! For how long the other end has said nothing, as far as this end has listened.
//!
//! Who does not look hears nothing: a stretch between two looks counts for [`HEARTBEAT`] at most. So a machine that stood still for
//! a minute, both ends with it, parts nobody; and an end that is stuck alone is still found within [`SILENCE_MAX`].

use crate::limits::{HEARTBEAT, SILENCE_MAX};
use rialto_model::Monotonic;

#[derive(Debug)]
pub(crate) struct Silence {
    looked_ns: u64,
    /// Of looking, since something was heard.
    lasted_ns: u64,
}

impl Silence {
    pub(crate) const fn new(now: Monotonic) -> Self {
        Self {
            looked_ns: now.0,
            lasted_ns: 0,
        }
    }

    pub(crate) const fn heard(&mut self, now: Monotonic) {
        (self.looked_ns, self.lasted_ns) = (now.0, 0);
    }

    /// A look: whether it has lasted for too long.
    pub(crate) fn is_over(&mut self, now: Monotonic) -> bool {
        let stretch_ns = now.0.saturating_sub(self.looked_ns);
        self.looked_ns = now.0;
        self.lasted_ns += stretch_ns.min(HEARTBEAT.as_nanos() as u64);
        self.lasted_ns > SILENCE_MAX.as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_listened_to_is_no_silence() {
        let second = |at: u64| Monotonic(at * 1_000_000_000);
        let mut silence = Silence::new(second(0));
        assert!(!silence.is_over(second(600)), "the machine stood still");
        let half = |at: u64| Monotonic(second(600).0 + at * 500_000_000);
        let over = (1..).find(|at| silence.is_over(half(*at)));
        assert_eq!(over, Some(20), "half a second of the first look, and ten of the others");
        silence.heard(half(20));
        assert!(!silence.is_over(half(21)));
    }
}
