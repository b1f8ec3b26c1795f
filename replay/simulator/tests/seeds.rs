//! Some hundred seeds, what they must have gone through, and broken builds that they must find.

use rialto_simulator::{RarePaths, Wiring, shrink, simulate};

/// Seeds of the default run; `RIALTO_SEEDS` sets another number.
const SEEDS: u64 = 400;

fn seeds() -> u64 {
    let given = std::env::var("RIALTO_SEEDS").ok();
    given.map_or(SEEDS, |given| given.parse().expect("RIALTO_SEEDS is a number"))
}

#[test]
fn no_rule_breaks_and_every_rare_path_is_reached() {
    let mut rare = RarePaths::default();
    let mut failed = Vec::new();
    for seed in 1..=seeds() {
        let report = simulate(seed, Wiring::Production);
        rare.add(&report.rare);
        if let Some(violation) = report.failure {
            println!("seed {seed}: {}: {}", violation.rule, violation.what);
            failed.push(seed);
        }
    }
    assert!(failed.is_empty(), "seeds {failed:?}: run `rialto simulate --seed S`");
    for path in rialto_simulator::RarePath::ALL {
        println!("{:>6} {}", rare.count(*path), path.name());
    }
    let missed: Vec<&str> = rare.missed().map(|path| path.name()).collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
}

#[test]
fn a_build_that_is_broken_on_purpose_is_found_and_made_small() {
    for (wiring, rules) in [
        (Wiring::ReleaseBeforeDurable, &["durable"][..]),
        (Wiring::LyingSync, &["durable", "start", "lost"]),
        (Wiring::RecoveryForgetsLast, &["dense", "hash", "lost"]),
    ] {
        let found = (1..=20).find_map(|seed| shrink(seed, wiring).map(|found| (seed, found)));
        let (seed, (plan, violation)) = found.unwrap_or_else(|| panic!("{} was not found", wiring.name()));
        println!(
            "{}: seed {seed}, {} steps: {violation:?}",
            wiring.name(),
            plan.steps.len()
        );
        assert!(rules.contains(&violation.rule), "{}: {violation:?}", wiring.name());
        assert!(plan.steps.len() < 20, "{}: {} steps", wiring.name(), plan.steps.len());
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 30, 300] {
        let (one, two) = (simulate(seed, Wiring::Production), simulate(seed, Wiring::Production));
        assert_eq!((one.rare, one.failure), (two.rare, two.failure));
    }
}
