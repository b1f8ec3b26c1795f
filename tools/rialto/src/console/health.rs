//! Whether what follows the stream is of use: how far each is behind what was released, and for how long.

use crate::ask::World;
use rialto_feed::Progress;
use rialto_web::Follower;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Firms with series of their own, the busiest first; the others are one together.
const FIRMS_MAX: usize = 100;

/// Where the stream stood at some time, which a follower has not come to yet.
#[derive(Clone, Copy)]
struct Mark {
    seq: u64,
    since: Instant,
}

impl Mark {
    /// How a follower at `seq` stands, where the stream stands at `released`.
    fn judge(
        &mut self,
        name: &'static str,
        seq: u64,
        released: u64,
        now: Instant,
        problem: Option<String>,
    ) -> Follower {
        if seq >= self.seq {
            *self = Self {
                seq: released,
                since: now,
            };
        }
        let late = if seq < self.seq {
            now.saturating_duration_since(self.since)
        } else {
            std::time::Duration::ZERO
        };
        Follower {
            name,
            seq,
            behind: released.saturating_sub(seq),
            late_ms: u64::try_from(late.as_millis()).unwrap_or(u64::MAX),
            problem,
        }
    }
}

/// Looks at the followers. To be asked often: what is late is measured between the looks.
pub(super) struct Watch {
    world: Arc<World>,
    feed: Progress,
    marks: Mutex<[Mark; 2]>,
}

impl Watch {
    pub(super) fn new(world: Arc<World>, feed: Progress) -> Self {
        let mark = Mark {
            seq: 0,
            since: Instant::now(),
        };
        Self {
            world,
            feed,
            marks: Mutex::new([mark; 2]),
        }
    }

    pub(super) fn look(&self) -> Vec<Follower> {
        let (Some(released), Some(store)) = (self.world.released(), self.world.kept()) else {
            return Vec::new();
        };
        let (kept, feed, now) = (store.read().seq().0, self.feed.followed().0, Instant::now());
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let [of_store, of_feed] = &mut *marks;
        vec![
            of_store.judge("member store", kept, released, now, store.problem()),
            of_feed.judge("feed", feed, released, now, None),
        ]
    }

    /// The stages in the Prometheus text format.
    pub(super) fn metrics(&self, text: &mut String) {
        let followers = self.look();
        let mut metric = |name: &str, help: &str, of: &dyn Fn(&Follower) -> u64| {
            let _ = writeln!(
                text,
                "# HELP rialto_stage_{name} {help}\n# TYPE rialto_stage_{name} gauge"
            );
            for one in &followers {
                let label = one.name.replace(' ', "_");
                let _ = writeln!(text, "rialto_stage_{name}{{stage=\"{label}\"}} {}", of(one));
            }
        };
        metric("seq", "The command behind which a stage stands.", &|one| one.seq);
        metric("behind", "Released commands that it has still to take.", &|one| {
            one.behind
        });
        metric(
            "late_ms",
            "For how long it has not come to where the stream stood then.",
            &|one| one.late_ms,
        );
    }

    /// Firms in the Prometheus text format. Firms are told by their numbers.
    pub(super) fn firms(&self) -> String {
        let Some(store) = self.world.kept() else {
            return String::new();
        };
        let mut census = store.read().census();
        census.sort_by_key(|one| std::cmp::Reverse(one.events));
        let rest = census.split_off(census.len().min(FIRMS_MAX));
        let mut rows: Vec<(String, [u64; 3])> = census
            .iter()
            .map(|one| (one.firm.to_string(), [one.events, one.executions, one.open_orders]))
            .collect();
        if !rest.is_empty() {
            let sum = |of: fn(&rialto_store::Census) -> u64| rest.iter().map(of).sum();
            let sums = [
                sum(|one| one.events),
                sum(|one| one.executions),
                sum(|one| one.open_orders),
            ];
            rows.push(("other".to_owned(), sums));
        }
        let mut text = String::new();
        for (index, (name, kind, help)) in [
            ("events_total", "counter", "Events of a firm."),
            ("executions_total", "counter", "What a firm was told of its orders."),
            ("open_orders", "gauge", "Orders of a firm that are open."),
        ]
        .into_iter()
        .enumerate()
        {
            let _ = writeln!(
                text,
                "# HELP rialto_firm_{name} {help}\n# TYPE rialto_firm_{name} {kind}"
            );
            for (firm, values) in &rows {
                let _ = writeln!(text, "rialto_firm_{name}{{firm=\"{firm}\"}} {}", values[index]);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A follower that stands still while the stream goes on is late by the time since the stream stood beyond it; one that comes on
    /// is not, however far it is behind.
    #[test]
    fn a_follower_that_stopped_is_late_and_one_that_comes_on_is_not() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let mut mark = Mark { seq: 0, since: begun };
        let table = [
            // now, follower, released, behind, late
            (0, 10, 10, 0, 0),
            (1_000, 10, 20, 10, 0),
            (5_000, 10, 30, 20, 4_000),
            (6_000, 15, 40, 25, 5_000),
            (7_000, 20, 50, 30, 0),
            (8_000, 45, 60, 15, 1_000),
            (9_000, 60, 60, 0, 0),
            (90_000, 60, 60, 0, 0),
        ];
        for (now, seq, released, behind, late_ms) in table {
            let told = mark.judge("store", seq, released, at(now), None);
            assert_eq!((told.behind, told.late_ms), (behind, late_ms), "at {now}");
        }
    }
}
