//! The graph of our own crates: which may name which, and the checked-in picture of it that makes a new edge a visible diff.

use crate::Fault;
use crate::manifest::{Crate, Use};

/// The crates that are stages: no one of them names another.
pub const STAGES: [&str; 4] = ["rialto-gateway", "rialto-sequencer", "rialto-engine", "rialto-feed"];

/// Where crates live that may name two stages: the composition root and what rebuilds or measures the whole.
const MAY_COMPOSE: [&str; 3] = ["replay/", "benches", "tools/"];

/// The layer whose crates are the end of the graph.
const LAST_LAYER: u8 = 5;

const BLESS: &str = "if it is meant: RIALTO_BLESS=1 cargo test -p rialto-house --test crate_graph, and commit tools/house/crate-graph.txt";

/// Holds every edge to the layers, and the stages apart.
pub fn faults(crates: &[Crate]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for one in crates {
        let place = format!("{}/Cargo.toml", one.folder);
        for (other, _) in named(one, crates) {
            let cause = format!("{} (L{}) names {} (L{})", one.name, one.layer, other.name, other.layer);
            if other.layer == LAST_LAYER {
                faults.push(Fault::new(
                    &place,
                    cause,
                    "move what both need to a crate of a smaller layer: nobody names the last",
                ));
            } else if other.layer >= one.layer {
                faults.push(Fault::new(
                    &place,
                    cause,
                    "name only crates of a smaller layer, or share through one",
                ));
            }
        }
        let mut stages: Vec<&str> = named(one, crates).map(|(other, _)| other.name.as_str()).collect();
        stages.retain(|name| STAGES.contains(name));
        stages.dedup();
        if stages.len() > 1 && !MAY_COMPOSE.iter().any(|folder| one.folder.starts_with(folder)) {
            let cause = format!("{} names the stages {}", one.name, stages.join(" and "));
            faults.push(Fault::new(
                &place,
                cause,
                "let tools/rialto, replay or benches put stages together",
            ));
        }
    }
    faults
}

/// The graph as text: one edge a line, from the top of the layers down.
pub fn picture(crates: &[Crate]) -> String {
    let mut order: Vec<&Crate> = crates.iter().collect();
    order.sort_by(|a, b| (a.layer, &a.name).cmp(&(b.layer, &b.name)));
    let mut text = String::from(
        "# Which crate of ours names which. Written by tools/house; see its test crate_graph before you change it.\n",
    );
    for one in order {
        for (other, kind) in named(one, crates) {
            let kind = match kind {
                Use::Normal => "",
                Use::Dev => " (tests)",
                Use::Build => " (build)",
            };
            text += &format!("L{} {} -> L{} {}{kind}\n", one.layer, one.name, other.layer, other.name);
        }
    }
    text
}

/// Every edge that is in one picture and not in the other.
pub fn changes(kept: &str, now: &str) -> Vec<Fault> {
    let missing_in = |text: &str, from: &str, sign: &str, cause: &str| -> Vec<Fault> {
        from.lines()
            .filter(|line| !line.starts_with('#') && !text.lines().any(|other| other == *line))
            .map(|line| Fault::new(format!("{sign} {line}"), cause, BLESS))
            .collect()
    };
    let mut faults = missing_in(kept, now, "+", "a new edge");
    faults.extend(missing_in(now, kept, "-", "an edge that is gone"));
    faults
}

fn named<'a>(one: &'a Crate, crates: &'a [Crate]) -> impl Iterator<Item = (&'a Crate, Use)> {
    let find = |name: &str| crates.iter().find(|other| other.name == name);
    one.names
        .iter()
        .filter_map(move |(name, kind)| Some((find(name)?, *kind)))
}
