//! Makes a failing run smaller: leaves out steps as long as the same rule still breaks.

use crate::plan::Plan;
use crate::wiring::Wiring;
use crate::world;

/// Runs spent on making one failure smaller, at most.
const RUNS_MAX: usize = 600;

/// The smallest plan found that breaks `rule`.
pub(crate) fn shrink(plan: &Plan, wiring: Wiring, rule: &'static str) -> Plan {
    let mut best = plan.clone();
    let mut runs = 0;
    let mut chunk = best.steps.len().div_ceil(2);
    while chunk > 0 && runs < RUNS_MAX {
        let mut at = 0;
        let mut shorter = false;
        while at < best.steps.len() && runs < RUNS_MAX {
            let mut candidate = best.clone();
            let end = (at + chunk).min(candidate.steps.len());
            candidate.steps.drain(at..end);
            runs += 1;
            let (_, outcome) = world::run(&candidate, wiring);
            if outcome.is_err_and(|violation| violation.rule == rule) {
                best = candidate;
                shorter = true;
            } else {
                at = end;
            }
        }
        if !shorter || chunk > 1 {
            chunk /= 2;
        }
    }
    best
}
