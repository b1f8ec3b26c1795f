//! The judge: evidence in, verdict out. It acts on nothing and knows nothing of steps or routes.
//!
//! What must hold at once, without statistics: every compared event is byte-equal (which holds the conservation of
//! quantities and the mix of reject codes too: the exchange's own are the measure), the table of flags is this exchange's,
//! and memory does not grow beyond the old build's. Cost is judged by pairs: a window of the same commands, in thread CPU
//! of the candidate and of the old build's own process, under one load at one time. Missing data is a failure.

use super::statistics::{median, signed_rank};
use rialto_ring::word::Difference;
use serde::Serialize;
use std::time::Duration;

/// Pairs of windows without which there is no verdict of cost.
pub(crate) const PAIRS_MIN: usize = 20;
/// A median ratio above this is too dear, where it is none of chance.
pub(crate) const RATIO_MAX: f64 = 1.07;
/// What is taken for chance.
pub(crate) const P_MAX: f64 = 0.001;
/// Memory that a candidate may take more than the old build since both were first measured.
pub(crate) const MEMORY_MAX: u64 = 64 << 20;
/// How long a candidate may say nothing while the exchange goes on.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(5);

/// What is known of a candidate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) difference: Option<Difference>,
    /// Why it is gone, or may not come.
    pub(crate) gone: Option<String>,
    /// Commands that could not be compared.
    pub(crate) missed: u64,
    /// For how long nothing has been agreed although there was something to agree on.
    pub(crate) silent: Duration,
    /// Memory beyond the old build's, since both were first measured.
    pub(crate) memory_growth: u64,
    /// Thread CPU of windows: the candidate's and the old build's.
    pub(crate) pairs: Vec<(f64, f64)>,
}

/// What cost comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cost {
    pub(crate) pairs: usize,
    pub(crate) median_ratio: f64,
    pub(crate) p: f64,
}

/// What must hold at any moment. Gives why it does not.
pub(crate) fn at_once(evidence: &Evidence) -> Result<(), String> {
    if let Some(found) = &evidence.difference {
        return Err(format!("{} at {}", kind(found), found.seq));
    }
    if let Some(gone) = &evidence.gone {
        return Err(gone.clone());
    }
    if evidence.missed > 0 {
        return Err(format!("missing data: {} not compared", evidence.missed));
    }
    if evidence.silent > SILENCE_MAX {
        return Err(format!("missing data: silent for {} s", evidence.silent.as_secs()));
    }
    if evidence.memory_growth > MEMORY_MAX {
        return Err(format!("memory: {} MB more", evidence.memory_growth >> 20));
    }
    Ok(())
}

/// What it costs; `None` while there are too few pairs.
pub(crate) fn cost(evidence: &Evidence) -> Option<Cost> {
    if evidence.pairs.len() < PAIRS_MIN {
        return None;
    }
    let ratios: Vec<f64> = evidence.pairs.iter().map(|(new, old)| new / old).collect();
    Some(Cost {
        pairs: evidence.pairs.len(),
        median_ratio: median(&ratios)?,
        p: signed_rank(&evidence.pairs).map_or(1.0, |test| test.p),
    })
}

/// Whether that is too dear.
pub(crate) fn is_dear(cost: &Cost) -> bool {
    cost.median_ratio > RATIO_MAX && cost.p < P_MAX
}

/// What kind of difference it is, in a word.
fn kind(found: &Difference) -> &'static str {
    let name = |event: &Option<String>| {
        event
            .as_ref()
            .and_then(|event| event.split('(').next().map(str::to_owned))
    };
    match (name(&found.blue), name(&found.green)) {
        (Some(blue), Some(green)) if blue == green => match blue.as_str() {
            "Rejected" | "ChangeRejected" | "QuoteRejected" => "reject code differs",
            "Executed" => "trade differs",
            _ => "event differs",
        },
        (Some(_), None) => "event missing",
        (None, Some(_)) => "event too many",
        _ => "event differs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::SequenceNumber;

    fn costly(ratio: f64) -> Evidence {
        // Noise up to a quarter, as often on the one side as on the other.
        let noise = |index: usize| 1.0 + ((index * 7_919) % 101) as f64 / 400.0;
        let pair = |index: usize| {
            let (one, other) = (noise(index / 2), noise(index / 2 + 13));
            let (new, old) = if index.is_multiple_of(2) {
                (one, other)
            } else {
                (other, one)
            };
            (100.0 * ratio * new, 100.0 * old)
        };
        Evidence {
            pairs: (0..60).map(pair).collect(),
            ..Evidence::default()
        }
    }

    #[test]
    fn cost_is_judged_by_pairs_and_not_without_enough_of_them() {
        assert!(!is_dear(&cost(&costly(1.0)).unwrap()));
        assert!(!is_dear(&cost(&costly(1.03)).unwrap()));
        let dear = cost(&costly(1.15)).unwrap();
        assert!(is_dear(&dear) && (1.1..1.2).contains(&dear.median_ratio), "{dear:?}");
        let few = Evidence {
            pairs: vec![(2.0, 1.0); PAIRS_MIN - 1],
            ..Evidence::default()
        };
        assert_eq!(cost(&few), None);
    }

    #[test]
    fn what_must_hold_fails_at_once_and_says_what() {
        assert_eq!(at_once(&Evidence::default()), Ok(()));
        let difference = |blue: &str, green: &str| Evidence {
            difference: Some(Difference {
                seq: SequenceNumber(7),
                index: 0,
                blue: Some(blue.to_owned()),
                green: Some(green.to_owned()),
            }),
            ..Evidence::default()
        };
        let wrong = [
            (
                difference("Rejected(Rejected {1", "Rejected(Rejected {2"),
                "reject code differs at 7",
            ),
            (
                difference("Executed(Executed {1", "Executed(Executed {2"),
                "trade differs at 7",
            ),
            (difference("Booked(1", "Accepted(2"), "event differs at 7"),
            (
                Evidence {
                    gone: Some("it died".to_owned()),
                    ..Evidence::default()
                },
                "it died",
            ),
            (
                Evidence {
                    missed: 3,
                    ..Evidence::default()
                },
                "missing data: 3 not compared",
            ),
            (
                Evidence {
                    silent: Duration::from_secs(6),
                    ..Evidence::default()
                },
                "missing data: silent for 6 s",
            ),
            (
                Evidence {
                    memory_growth: 65 << 20,
                    ..Evidence::default()
                },
                "memory: 65 MB more",
            ),
        ];
        for (evidence, why) in wrong {
            assert_eq!(at_once(&evidence), Err(why.to_owned()));
        }
    }
}
