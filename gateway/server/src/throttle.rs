//! How much a session may ask for: so many orders a second with so many at once, and cancels apart; within what its firm may
//! ask for by all of its sessions ([`crate::budget`]), where questions are apart as well. What passes has passed both.
//!
//! Time is that of the stream. What is over the rate is refused, and the refusals of a run are one record in the stream, so
//! that a flood of messages is no flood of records, and a replay has the same verdicts without judging anything. A run that goes
//! on stops the reading of the session until its budget is half full again; who is stopped too often in a row is put out.
//! Cancels are never refused: over their budget, the session is read later.

use rialto_model::{RejectReason, Timestamp};

use crate::budget::{FirmBudget, SharedBucket};
use crate::limits::{THROTTLE_REFUSALS_MAX, THROTTLE_STOPS_MAX};

/// A rate, and how much of it may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Messages a second; 0: no limit.
    pub per_second: u32,
    /// Messages that may come at once.
    pub burst: u32,
}

impl Rate {
    /// No limit.
    pub const NONE: Self = Self {
        per_second: 0,
        burst: 0,
    };
}

/// The limits of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttles {
    /// New orders, replaces and questions.
    pub orders: Rate,
    /// Cancels and reduces.
    pub cancels: Rate,
}

impl Default for Throttles {
    /// No limits.
    fn default() -> Self {
        Self {
            orders: Rate::NONE,
            cancels: Rate::NONE,
        }
    }
}

/// By the theoretical arrival time of the next message (the virtual scheduling form of the leaky bucket: ITU-T I.371).
#[derive(Clone, Copy, Debug)]
struct Bucket {
    interval_ns: u64,
    tolerance_ns: u64,
    arrival_ns: u64,
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        let interval_ns = 1_000_000_000_u64.checked_div(u64::from(rate.per_second)).unwrap_or(0);
        Self {
            interval_ns,
            tolerance_ns: interval_ns.saturating_mul(u64::from(rate.burst.max(1))),
            arrival_ns: 0,
        }
    }

    /// How far the next message would be ahead of its time.
    fn ahead_ns(&self, now_ns: u64) -> u64 {
        (self.arrival_ns.max(now_ns) - now_ns).saturating_add(self.interval_ns)
    }

    fn is_over(&self, now_ns: u64) -> bool {
        self.interval_ns > 0 && self.ahead_ns(now_ns) > self.tolerance_ns
    }

    fn take(&mut self, now_ns: u64) {
        self.arrival_ns = self.arrival_ns.max(now_ns).saturating_add(self.interval_ns);
    }

    fn is_full(&self, now_ns: u64) -> bool {
        self.arrival_ns <= now_ns
    }

    fn half_full_at_ns(&self) -> u64 {
        self.arrival_ns.saturating_sub(self.tolerance_ns / 2)
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    /// For this reason: over the session's rate, or over the firm's budget.
    Refuse(RejectReason),
    /// The session is put out.
    Lose,
}

/// The budget of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle {
    orders: Bucket,
    cancels: Bucket,
    /// Refused since the last that passed.
    refused: u32,
    /// Times that reading was stopped since the budget was last untouched.
    stops: u32,
    stopped_until_ns: u64,
}

impl Throttle {
    pub(crate) fn new(limits: Throttles) -> Self {
        Self {
            orders: Bucket::new(limits.orders),
            cancels: Bucket::new(limits.cancels),
            refused: 0,
            stops: 0,
            stopped_until_ns: 0,
        }
    }

    /// Whether the session is not read now.
    pub(crate) const fn is_stopped(&self, now: Timestamp) -> bool {
        now.0 < self.stopped_until_ns
    }

    pub(crate) fn order(&mut self, now: Timestamp, firm: &FirmBudget) -> Verdict {
        self.judge(now, &firm.orders)
    }

    /// One that the session's own rate counts as an order.
    pub(crate) fn question(&mut self, now: Timestamp, firm: &FirmBudget) -> Verdict {
        self.judge(now, &firm.questions)
    }

    fn judge(&mut self, now: Timestamp, firm: &SharedBucket) -> Verdict {
        let own = !self.orders.is_over(now.0);
        if own && firm.take(now) {
            if self.orders.is_full(now.0) && firm.is_full(now) {
                self.stops = 0;
            }
            self.orders.take(now.0);
            self.refused = 0;
            return Verdict::Pass;
        }
        let (reason, free_again_ns) = if own {
            (RejectReason::FirmOverRate, firm.half_full_at_ns())
        } else {
            (RejectReason::OverRate, self.orders.half_full_at_ns())
        };
        self.refused += 1;
        if self.refused >= THROTTLE_REFUSALS_MAX {
            self.refused = 0;
            if self.stop(now, free_again_ns) {
                return Verdict::Lose;
            }
        }
        Verdict::Refuse(reason)
    }

    pub(crate) fn cancel(&mut self, now: Timestamp, firm: &FirmBudget) -> Verdict {
        self.charge(now, &firm.cancels)
    }

    /// A question that cannot be refused, by a door that counts it among the session's cancels.
    pub(crate) fn late_question(&mut self, now: Timestamp, firm: &FirmBudget) -> Verdict {
        self.charge(now, &firm.questions)
    }

    fn charge(&mut self, now: Timestamp, firm: &SharedBucket) -> Verdict {
        let over = self.cancels.is_over(now.0);
        self.cancels.take(now.0);
        let firm_over = !firm.charge(now);
        if !over && !firm_over {
            return Verdict::Pass;
        }
        let own_ns = if over { self.cancels.half_full_at_ns() } else { 0 };
        let firm_ns = if firm_over { firm.half_full_at_ns() } else { 0 };
        if self.stop(now, own_ns.max(firm_ns)) {
            Verdict::Lose
        } else {
            Verdict::Pass
        }
    }

    /// Nothing is read until half of the budget is there again; whether that was once too often.
    fn stop(&mut self, now: Timestamp, free_again_ns: u64) -> bool {
        self.stops += 1;
        self.stopped_until_ns = free_again_ns.max(now.0);
        self.stops > THROTTLE_STOPS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// A firm without budgets.
    fn free() -> FirmBudget {
        FirmBudget::default()
    }

    fn limits(per_second: u32, burst: u32) -> Throttles {
        let rate = Rate { per_second, burst };
        Throttles {
            orders: rate,
            cancels: rate,
        }
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_does() {
        let mut throttle = Throttle::new(limits(10, 5));
        let start = 100 * SECOND;
        let passed = |throttle: &mut Throttle, at: u64, count: usize| {
            let verdicts = (0..count).map(|_| throttle.order(Timestamp(at), &free()));
            verdicts.filter(|verdict| *verdict == Verdict::Pass).count()
        };
        assert_eq!(passed(&mut throttle, start, 8), 5);
        assert_eq!(passed(&mut throttle, start + SECOND / 10, 8), 1);
        assert_eq!(
            passed(&mut throttle, start + SECOND, 8),
            5,
            "no more than a burst is saved up"
        );
        assert_eq!(
            passed(&mut throttle, start, 8),
            0,
            "a time that went back earns nothing"
        );
    }

    #[test]
    fn without_a_limit_everything_passes() {
        let mut throttle = Throttle::new(Throttles::default());
        assert!((0..10_000).all(|_| throttle.order(Timestamp(1), &free()) == Verdict::Pass));
        assert!((0..10_000).all(|_| throttle.cancel(Timestamp(1), &free()) == Verdict::Pass));
        assert!(!throttle.is_stopped(Timestamp(1)));
    }

    #[test]
    fn who_goes_on_is_not_read_and_then_put_out() {
        let mut throttle = Throttle::new(limits(10, 10));
        let (mut now, mut stops) = (SECOND, 0);
        loop {
            match throttle.order(Timestamp(now), &free()) {
                Verdict::Lose => break,
                _ if throttle.is_stopped(Timestamp(now)) => {
                    stops += 1;
                    while throttle.is_stopped(Timestamp(now)) {
                        now += SECOND / 100;
                    }
                }
                _ => {}
            }
        }
        assert_eq!(stops, THROTTLE_STOPS_MAX);
        // Whoever keeps to it afterwards starts anew.
        let mut throttle = Throttle::new(limits(10, 10));
        for second in 1..100 {
            let at = Timestamp(second * 3 * SECOND);
            for _ in 0..10 + THROTTLE_REFUSALS_MAX {
                assert_ne!(throttle.order(at, &free()), Verdict::Lose);
            }
        }
    }

    #[test]
    fn cancels_pass_and_are_read_later() {
        let mut throttle = Throttle::new(limits(10, 10));
        let now = Timestamp(SECOND);
        for _ in 0..10 {
            assert_eq!(throttle.cancel(now, &free()), Verdict::Pass);
            assert!(!throttle.is_stopped(now));
        }
        assert_eq!(throttle.cancel(now, &free()), Verdict::Pass);
        assert!(throttle.is_stopped(now));
        assert!(!throttle.is_stopped(Timestamp(2 * SECOND)));
        assert_eq!(
            throttle.order(Timestamp(2 * SECOND), &free()),
            Verdict::Pass,
            "orders have a budget of their own"
        );
    }
}
