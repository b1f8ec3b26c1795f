//! The judge: evidence in, verdict out. It acts on nothing and knows nothing of steps or routes.
//!
//! What must hold at once, without statistics: every compared event is byte-equal (which holds the conservation of
//! quantities and the mix of reject codes too: the exchange's own are the measure), the table of flags is this exchange's,
//! and memory does not grow beyond the old build's. Cost is judged by pairs: a window of the same commands, in thread CPU
//! of the candidate and of the old build's own process, under one load at one time. Missing data is a failure.

use super::statistics::{median, rank_sum, signed_rank};
use rialto_ring::word::Difference;
use serde::Serialize;
use std::time::Duration;

/// Pairs of windows without which there is no verdict of cost.
pub(crate) const PAIRS_MIN: usize = 20;
/// A median ratio above this is too dear, where it is none of chance.
pub(crate) const RATIO_MAX: f64 = 1.08;
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
    /// Those of the step.
    pub(crate) of_step: Vec<(f64, f64)>,
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
pub(crate) fn cost(pairs: &[(f64, f64)]) -> Option<Cost> {
    if pairs.len() < PAIRS_MIN {
        return None;
    }
    let ratios: Vec<f64> = pairs.iter().map(|(new, old)| new / old).collect();
    Some(Cost {
        pairs: pairs.len(),
        median_ratio: median(&ratios)?,
        p: signed_rank(pairs).map_or(1.0, |test| test.p),
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

/// Windows of each door without which there is no verdict of cost.
pub(crate) const WINDOWS_MIN: usize = 20;
/// A door's window is dearer than the old build's by chance as often as not; above this it is dearer too often (a medium
/// effect by Vargha and Delaney 2000).
pub(crate) const DEARER_MAX: f64 = 0.64;

/// What a door's cost comes to, by Mann-Whitney's test: its windows are other commands than the old build's, so there are no
/// pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct DoorCost {
    pub(crate) median_ratio: f64,
    pub(crate) p: f64,
    /// The effect: how likely one of its windows is dearer than one of the old build's.
    pub(crate) dearer: f64,
}

/// What must hold of a door at any moment. Gives why it does not.
pub(crate) fn door_at_once(gone: Option<&str>, memory_growth: u64) -> Result<(), String> {
    let evidence = Evidence {
        gone: gone.map(str::to_owned),
        memory_growth,
        ..Evidence::default()
    };
    at_once(&evidence)
}

/// What a door costs beside the old build's own process; `None` while there is too little of either.
pub(crate) fn door_cost(candidate: &[f64], baseline: &[f64]) -> Option<DoorCost> {
    if candidate.len() < WINDOWS_MIN || baseline.len() < WINDOWS_MIN {
        return None;
    }
    let test = rank_sum(candidate, baseline)?;
    Some(DoorCost {
        median_ratio: median(candidate)? / median(baseline)?,
        p: test.p,
        dearer: test.u / (candidate.len() as f64 * baseline.len() as f64),
    })
}

/// How much later the medians of messages may come: below it one reads the listener's own looks.
pub(crate) const LATE_MAX_US: f64 = 2_000.0;

/// How much later than the baseline's a feed's messages come, by Mann-Whitney's test over windows of both, each measured from
/// when the exchange's own came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Delay {
    /// The difference of the medians; less than zero where they come earlier.
    pub(crate) later_us: f64,
    pub(crate) p: f64,
    /// The effect: how likely one of its windows is later than one of the baseline's.
    pub(crate) later: f64,
}

/// The delay; `None` while there is too little of either.
pub(crate) fn delay(candidate: &[f64], baseline: &[f64]) -> Option<Delay> {
    if candidate.len() < WINDOWS_MIN || baseline.len() < WINDOWS_MIN {
        return None;
    }
    let test = rank_sum(candidate, baseline)?;
    Some(Delay {
        later_us: median(candidate)? - median(baseline)?,
        p: test.p,
        later: test.u / (candidate.len() as f64 * baseline.len() as f64),
    })
}

/// Whether that is too late: by size, by effect and not by chance.
pub(crate) fn is_late(delay: &Delay) -> bool {
    delay.later_us > LATE_MAX_US && delay.later > DEARER_MAX && delay.p < P_MAX
}

/// Whether that is too dear: by size, by effect and not by chance.
pub(crate) fn is_door_dear(cost: &DoorCost) -> bool {
    cost.median_ratio > RATIO_MAX && cost.dearer > DEARER_MAX && cost.p < P_MAX
}

/// Windows of each half of the old build's without which they are not held against each other.
const HALF_MIN: usize = WINDOWS_MIN / 2;

/// What a bake of a door or a feed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// Nothing against it.
    Holds,
    /// It cannot stay, whatever it costs.
    Wrong,
    /// Too dear or too late. The machine's share in that is not known yet.
    Costly,
    /// It would be too dear or too late, were the old build's own windows not as far apart.
    Unclear,
}

/// What is found of a door or a feed, why, and by which numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) opinion: Opinion,
    pub(crate) why: String,
    pub(crate) cost: Option<DoorCost>,
    pub(crate) delay: Option<Delay>,
}

impl Found {
    /// It does something wrong by itself.
    pub(crate) fn wrong(self, why: &str) -> Self {
        Self {
            opinion: Opinion::Wrong,
            why: why.to_owned(),
            ..self
        }
    }

    pub(crate) fn passed(&self) -> bool {
        self.opinion == Opinion::Holds
    }
}

/// What windows of thread CPU say, and of a feed those of delay: the candidate's and the old build's.
pub(crate) fn weigh(costs: &[Vec<f64>; 2], delays: Option<&[Vec<f64>; 2]>) -> Found {
    let cost = door_cost(&costs[0], &costs[1]);
    let late = delays.and_then(|all| delay(&all[0], &all[1]));
    let missing = |all: &[Vec<f64>; 2], of: &str| format!("missing data: {} and {} {of}", all[0].len(), all[1].len());
    let (opinion, why) = match (&cost, &late, delays) {
        (None, ..) => (Opinion::Wrong, missing(costs, "windows")),
        (_, None, Some(delays)) => (Opinion::Wrong, missing(delays, "delays")),
        (Some(cost), ..) if is_door_dear(cost) => {
            let ratio = cost.median_ratio;
            let apart = halves_apart(&costs[1], |one, other| one / other >= ratio);
            against(apart, format!("too dear: {ratio:.2}, effect {:.2}", cost.dearer))
        }
        (_, Some(late), Some(delays)) if is_late(late) => {
            let apart = halves_apart(&delays[1], |one, other| one - other >= late.later_us);
            let ms = late.later_us / 1e3;
            against(apart, format!("too late: {ms:.1} ms, effect {:.2}", late.later))
        }
        (Some(cost), ..) => (Opinion::Holds, format!("goes on, effect {:.2}", cost.dearer)),
    };
    Found {
        opinion,
        why,
        cost,
        delay: late,
    }
}

fn against(apart: bool, why: String) -> (Opinion, String) {
    match apart {
        true => (
            Opinion::Unclear,
            format!("inconclusive: {why}, and so is the old build's other half"),
        ),
        false => (Opinion::Costly, why),
    }
}

/// Whether the halves of the old build's own windows, in the order that they came in, are so far apart, in whichever direction:
/// then the machine was not the same to everybody at every moment.
fn halves_apart(baseline: &[f64], far: impl Fn(f64, f64) -> bool) -> bool {
    let (early, late) = baseline.split_at(baseline.len() / 2);
    let is = |one: &[f64], other: &[f64]| {
        let (Some(test), Some(middle), Some(beside)) = (rank_sum(one, other), median(one), median(other)) else {
            return false;
        };
        far(middle, beside) && test.u / (one.len() as f64 * other.len() as f64) > DEARER_MAX
    };
    early.len() >= HALF_MIN && (is(early, late) || is(late, early))
}

/// Bakes of one share, until nothing is said at all.
const BAKES_MAX: u32 = 6;

/// The bakes of one share. What something costs is said by two of three of them, each with windows of its own: those of one bake
/// are neighbours in time, and whatever else the machine did then is in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bakes {
    holds: u32,
    costly: u32,
    all: u32,
}

/// How it goes on behind a bake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// With the next share.
    On,
    /// With another bake.
    Again,
    /// Not at all.
    Stop,
}

impl Bakes {
    pub(crate) const fn all(&self) -> u32 {
        self.all
    }

    /// Takes in what one says.
    pub(crate) const fn take(&mut self, opinion: Opinion) -> Course {
        self.all += 1;
        match opinion {
            Opinion::Holds => self.holds += 1,
            Opinion::Costly => self.costly += 1,
            Opinion::Unclear => {}
            Opinion::Wrong => return Course::Stop,
        }
        if self.holds > self.costly {
            Course::On
        } else if self.costly >= 2 || self.all >= BAKES_MAX {
            Course::Stop
        } else {
            Course::Again
        }
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
        assert!(!is_dear(&cost(&costly(1.0).pairs).unwrap()));
        assert!(!is_dear(&cost(&costly(1.03).pairs).unwrap()));
        let dear = cost(&costly(1.15).pairs).unwrap();
        assert!(is_dear(&dear) && (1.1..1.2).contains(&dear.median_ratio), "{dear:?}");
        let few = Evidence {
            pairs: vec![(2.0, 1.0); PAIRS_MIN - 1],
            ..Evidence::default()
        };
        assert_eq!(cost(&few.pairs), None);
    }

    #[test]
    fn a_door_is_judged_by_size_effect_and_chance_and_never_without_data() {
        // Costs that scatter by 20 %.
        let windows = |factor: f64, n: usize| -> Vec<f64> {
            (0..n).map(|at| factor * (100.0 + (at * 7 % 41) as f64 / 2.0)).collect()
        };
        assert_eq!(door_cost(&windows(1.0, 19), &windows(1.0, 500)), None);
        assert_eq!(door_cost(&windows(1.0, 500), &windows(1.0, 19)), None);
        let same = door_cost(&windows(1.0, 100), &windows(1.0, 100)).unwrap();
        assert!(!is_door_dear(&same) && (same.dearer - 0.5).abs() < 1e-9, "{same:?}");
        let little = door_cost(&windows(1.03, 400), &windows(1.0, 400)).unwrap();
        assert!(!is_door_dear(&little), "sure, and small: {little:?}");
        let dear = door_cost(&windows(1.15, 100), &windows(1.0, 100)).unwrap();
        assert!(is_door_dear(&dear), "{dear:?}");
        let cheap = door_cost(&windows(0.8, 100), &windows(1.0, 100)).unwrap();
        assert!(!is_door_dear(&cheap) && cheap.dearer < 0.1, "{cheap:?}");
        assert_eq!(door_at_once(Some("it died"), 0), Err("it died".to_owned()));
        assert!(door_at_once(None, 65 << 20).is_err() && door_at_once(None, 0).is_ok());
    }

    #[test]
    fn a_feed_is_late_by_size_effect_and_chance_and_never_without_data() {
        let windows = |later_us: f64, n: usize| -> Vec<f64> {
            (0..n)
                .map(|at| later_us - 300.0 + (at * 7 % 41) as f64 * 20.0)
                .collect()
        };
        assert_eq!(delay(&windows(0.0, 19), &windows(0.0, 500)), None);
        assert_eq!(delay(&windows(0.0, 500), &windows(0.0, 19)), None);
        assert!(!is_late(&delay(&windows(0.0, 100), &windows(0.0, 100)).unwrap()));
        let little = delay(&windows(1_000.0, 400), &windows(0.0, 400)).unwrap();
        assert!(little.later > 0.9 && !is_late(&little), "sure, and small: {little:?}");
        assert!(is_late(&delay(&windows(5_000.0, 100), &windows(0.0, 100)).unwrap()));
        assert!(!is_late(&delay(&windows(-5_000.0, 100), &windows(0.0, 100)).unwrap()));
    }

    #[test]
    fn what_a_busy_machine_does_to_the_old_build_too_is_no_verdict() {
        let windows = |factor: f64, n: usize| (0..n).map(move |at| factor * (100.0 + (at * 7 % 41) as f64 / 2.0));
        let all = |factor: f64| windows(factor, 80).collect::<Vec<_>>();
        // The old build itself was half as dear again for a while.
        let uneven: Vec<f64> = windows(1.0, 40).chain(windows(1.5, 40)).collect();
        let opinion = |costs: &[Vec<f64>; 2]| weigh(costs, None).opinion;
        assert_eq!(opinion(&[all(1.0), all(1.0)]), Opinion::Holds);
        assert_eq!(opinion(&[all(1.5), all(1.0)]), Opinion::Costly);
        assert_eq!(opinion(&[all(1.5), uneven.clone()]), Opinion::Unclear);
        assert_eq!(
            opinion(&[all(3.0), uneven]),
            Opinion::Costly,
            "it never was as bad as that"
        );
        assert_eq!(opinion(&[all(1.0), Vec::new()]), Opinion::Wrong);

        let even = [all(1.0), all(1.0)];
        let late = |candidate: Vec<f64>, baseline: Vec<f64>| weigh(&even, Some(&[candidate, baseline]));
        assert_eq!(late(all(100.0), all(10.0)).opinion, Opinion::Costly);
        let uneven: Vec<f64> = windows(10.0, 60).chain(windows(150.0, 20)).collect();
        let found = late(all(50.0), uneven);
        assert_eq!(found.opinion, Opinion::Unclear, "{found:?}");
        assert!(found.why.starts_with("inconclusive: too late"), "{found:?}");
        assert_eq!(late(all(1.0), Vec::new()).why, "missing data: 80 and 0 delays");
    }

    #[test]
    fn cost_is_said_by_two_bakes_of_three_and_nothing_is_said_for_ever() {
        use Opinion::{Costly, Holds, Unclear, Wrong};
        let goes = |said: &[Opinion]| {
            let mut bakes = Bakes::default();
            said.iter().map(|one| bakes.take(*one)).collect::<Vec<_>>()
        };
        assert_eq!(goes(&[Holds]), [Course::On]);
        assert_eq!(goes(&[Wrong]), [Course::Stop]);
        assert_eq!(goes(&[Costly, Costly]), [Course::Again, Course::Stop]);
        assert_eq!(
            goes(&[Costly, Holds, Holds]),
            [Course::Again, Course::Again, Course::On]
        );
        assert_eq!(goes(&[Unclear, Costly, Holds, Costly])[3], Course::Stop);
        assert_eq!(
            goes(&[Unclear; BAKES_MAX as usize]),
            [
                Course::Again,
                Course::Again,
                Course::Again,
                Course::Again,
                Course::Again,
                Course::Stop
            ]
        );
        assert_eq!(goes(&[Unclear, Holds])[1], Course::On);
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
