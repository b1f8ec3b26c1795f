//! How much a firm may ask for, by all of its sessions at all doors together: more sessions buy nothing.
//!
//! The doors run on threads of their own and share one table. What a firm has used is one number for each class of message,
//! moved on by a compare-and-swap; a firm without budgets costs the load of a zero. Which budgets stand is said by the stream
//! (`BudgetsSet`), and each door hears of it in its own time: the later number wins.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rialto_model::event::BudgetsSet;
use rialto_model::{FirmId, SequenceNumber, Timestamp};

/// The budgets of all firms, shared by the doors of an exchange. It has an entry for each firm that has a session or a budget,
/// so no more than there are firms.
#[derive(Clone, Debug, Default)]
pub struct FirmBudgets(Arc<Mutex<BTreeMap<FirmId, Arc<FirmBudget>>>>);

impl FirmBudgets {
    /// What a firm has, to be kept by whoever asks often.
    pub(crate) fn of(&self, firm: FirmId) -> Arc<FirmBudget> {
        let mut firms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(firms.entry(firm).or_default())
    }

    /// The stream says what stands from here on.
    pub(crate) fn follow(&self, (seq, now): (SequenceNumber, Timestamp), event: &BudgetsSet) {
        let mut firms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let firm = firms.entry(event.firm).or_default();
        // Under the lock, so that a door that is behind undoes nothing.
        if firm.since.load(Ordering::Relaxed) >= seq.0 {
            return;
        }
        let set = &event.budgets;
        firm.since.store(seq.0, Ordering::Relaxed);
        firm.orders.set(set.orders_per_second, set.orders_burst, now);
        firm.cancels.set(set.cancels_per_second, set.cancels_burst, now);
        firm.questions.set(set.questions_per_second, set.questions_burst, now);
        firm.weight.store(u32::from(set.weight.max(1)), Ordering::Relaxed);
    }
}

impl FirmBudget {
    /// How many times as long as another's its turns are.
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }
}

/// What one firm may ask for, and what it has used.
#[derive(Debug)]
pub(crate) struct FirmBudget {
    /// By which command.
    since: AtomicU64,
    /// New orders, replaces, quotes.
    pub(crate) orders: SharedBucket,
    /// Cancels and reductions.
    pub(crate) cancels: SharedBucket,
    /// Questions.
    pub(crate) questions: SharedBucket,
    weight: AtomicU32,
}

impl Default for FirmBudget {
    fn default() -> Self {
        Self {
            since: AtomicU64::new(0),
            orders: SharedBucket::default(),
            cancels: SharedBucket::default(),
            questions: SharedBucket::default(),
            weight: AtomicU32::new(1),
        }
    }
}

/// As the bucket of a session ([`crate::throttle`]), by several threads.
#[derive(Debug, Default)]
pub(crate) struct SharedBucket {
    /// Zero: no limit.
    interval_ns: AtomicU64,
    tolerance_ns: AtomicU64,
    arrival_ns: AtomicU64,
}

impl SharedBucket {
    /// As many messages as were used stay used.
    fn set(&self, per_second: u32, burst: u32, now: Timestamp) {
        let interval_ns = 1_000_000_000_u64.checked_div(u64::from(per_second)).unwrap_or(0);
        let tolerance_ns = interval_ns.saturating_mul(u64::from(burst.max(1)));
        let ahead_ns = self.arrival_ns.load(Ordering::Relaxed).saturating_sub(now.0);
        let used = ahead_ns
            .checked_div(self.interval_ns.load(Ordering::Relaxed))
            .unwrap_or(0);
        let arrival_ns = now.0.saturating_add(used.saturating_mul(interval_ns));
        self.arrival_ns.store(arrival_ns, Ordering::Relaxed);
        self.tolerance_ns.store(tolerance_ns, Ordering::Relaxed);
        self.interval_ns.store(interval_ns, Ordering::Relaxed);
    }

    /// Whether there was one left, which is taken then.
    #[inline]
    pub(crate) fn take(&self, now: Timestamp) -> bool {
        let interval_ns = self.interval_ns.load(Ordering::Relaxed);
        if interval_ns == 0 {
            return true;
        }
        let tolerance_ns = self.tolerance_ns.load(Ordering::Relaxed);
        let taken = self
            .arrival_ns
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |arrival_ns| {
                let next_ns = arrival_ns.max(now.0).saturating_add(interval_ns);
                (next_ns - now.0 <= tolerance_ns).then_some(next_ns)
            });
        taken.is_ok()
    }

    /// Takes one, and says whether there was one left.
    pub(crate) fn charge(&self, now: Timestamp) -> bool {
        let interval_ns = self.interval_ns.load(Ordering::Relaxed);
        if interval_ns == 0 {
            return true;
        }
        let next = |arrival_ns: u64| arrival_ns.max(now.0).saturating_add(interval_ns);
        let before = self
            .arrival_ns
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |arrival_ns| {
                Some(next(arrival_ns))
            });
        let next_ns = next(before.unwrap_or_else(|same| same));
        next_ns - now.0 <= self.tolerance_ns.load(Ordering::Relaxed)
    }

    /// Whether nothing of it is used.
    pub(crate) fn is_full(&self, now: Timestamp) -> bool {
        self.arrival_ns.load(Ordering::Relaxed) <= now.0
    }

    /// When half of it is there again.
    pub(crate) fn half_full_at_ns(&self) -> u64 {
        let half_ns = self.tolerance_ns.load(Ordering::Relaxed) / 2;
        self.arrival_ns.load(Ordering::Relaxed).saturating_sub(half_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::Budgets;

    const SECOND: u64 = 1_000_000_000;

    fn at(seq: u64) -> (SequenceNumber, Timestamp) {
        (SequenceNumber(seq), Timestamp(SECOND))
    }

    fn set(per_second: u32, burst: u32) -> BudgetsSet {
        BudgetsSet {
            firm: FirmId(1),
            budgets: Budgets {
                orders_per_second: per_second,
                orders_burst: burst,
                ..Budgets::default()
            },
        }
    }

    #[test]
    fn several_threads_have_one_budget_between_them() {
        let budgets = FirmBudgets::default();
        budgets.follow(at(1), &set(10, 500));
        let passed: usize = std::thread::scope(|scope| {
            let takes = |_| {
                let firm = budgets.of(FirmId(1));
                scope.spawn(move || (0..1_000).filter(|_| firm.orders.take(Timestamp(SECOND))).count())
            };
            let threads: Vec<_> = (0..4).map(takes).collect();
            threads.into_iter().map(|one| one.join().expect("it counts")).sum()
        });
        assert_eq!(passed, 500);
        let firm = budgets.of(FirmId(1));
        assert!(firm.orders.take(Timestamp(2 * SECOND)), "a tenth of a second for each");
        assert!(
            budgets.of(FirmId(2)).orders.take(Timestamp(SECOND)),
            "another has its own"
        );
    }

    #[test]
    fn a_door_that_is_behind_undoes_nothing() {
        let budgets = FirmBudgets::default();
        budgets.follow(at(7), &set(10, 2));
        budgets.follow(at(3), &set(1_000, 1_000));
        let firm = budgets.of(FirmId(1));
        let now = Timestamp(SECOND);
        let passed = |count: usize| (0..count).filter(|_| firm.orders.take(now)).count();
        assert_eq!(passed(100), 2);
        budgets.follow(at(8), &set(10, 5));
        assert_eq!(passed(100), 3, "what was used stays used");
        budgets.follow(at(9), &set(1_000_000, 6));
        assert_eq!(passed(100), 1, "in messages, not in time");
        budgets.follow(at(10), &set(0, 0));
        assert_eq!(passed(100), 100);
    }

    #[test]
    fn what_is_charged_goes_into_debt() {
        let budgets = FirmBudgets::default();
        budgets.follow(at(1), &set(10, 10));
        let firm = budgets.of(FirmId(1));
        let now = Timestamp(SECOND);
        let left = (0..20).filter(|_| firm.orders.charge(now)).count();
        assert_eq!(left, 10);
        assert_eq!(firm.orders.half_full_at_ns(), 2 * SECOND + SECOND / 2);
        assert!(!firm.orders.is_full(Timestamp(2 * SECOND)) && firm.orders.is_full(Timestamp(3 * SECOND)));
    }
}
