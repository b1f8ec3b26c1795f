//! Every order type on every side, in every phase, against every state of the book: what comes of it, as a table that is
//! complete because it is gone through and not drawn. Both engines agree on each cell, and on every pair of types.

mod support;

use rialto_matching::{Engine, Limits, Matching, reference};
use rialto_model::{Command, Phase};
use std::collections::{BTreeMap, BTreeSet};
use support::script::{World, world_commands};

/// How an order of thirty is written: `@` stands for its price.
const TYPES: [(&str, &str); 21] = [
    ("limit", "@"),
    ("limit gtc", "@ gtc"),
    ("limit gtd", "@ gtc until 900"),
    ("limit ioc", "@ ioc"),
    ("limit fok", "@ fok"),
    ("market", "market"),
    ("market ioc", "market ioc"),
    ("stop reached", "market stop 100"),
    ("stop-limit reached", "@ stop 100"),
    ("stop waiting", "market stop WAIT"),
    ("stop-limit waiting", "@ stop WAIT"),
    ("trailing stop", "market trailing stop 10"),
    ("iceberg", "@ display 10"),
    ("hidden", "@ hidden"),
    ("post-only", "@ post-only"),
    ("post-only slide", "@ post-only slide"),
    ("minimum quantity", "@ minimum 20"),
    ("primary peg", "@ hidden primary-peg"),
    ("midpoint peg", "@ hidden midpoint-peg"),
    ("at the open", "@ at-open"),
    ("at the close", "@ at-close"),
];

/// What stands on the other side, and on the order's own where it matters: displayed or hidden, far or near, little or much.
const BOOKS: [(&str, &[&str]); 6] = [
    ("empty", &[]),
    ("not reached", &["10 FAR"]),
    ("part of it", &["10 NEAR"]),
    ("all of it", &["20 NEAR", "50 NEAR"]),
    ("all, hidden", &["50 NEAR hidden"]),
    ("both sides", &["20 NEAR", "20 OWN"]),
];

const SIDES: [&str; 2] = ["buy", "sell"];

#[derive(Clone)]
struct Pair {
    world: World,
    fast: Engine,
    naive: reference::Engine,
}

impl Pair {
    /// A trading day with one trade at 100.
    fn new() -> Self {
        let mut pair = Self {
            world: World::default(),
            fast: Engine::new(Limits::default()),
            naive: reference::Engine::new(Limits::default()),
        };
        world_commands().into_iter().for_each(|command| {
            pair.apply(command);
        });
        for line in ["rulebook 1", "A sell 10 @100 #1", "C buy 10 @100 #1"] {
            pair.play(line);
        }
        pair
    }

    fn play(&mut self, line: &str) -> Vec<String> {
        let command = self.world.parse(line);
        self.apply(command)
    }

    fn apply(&mut self, command: Command) -> Vec<String> {
        let mut same = self.world.clone();
        let left = self.world.apply(&mut self.fast, command);
        assert_eq!(left, same.apply(&mut self.naive, command), "{command:?}");
        assert_eq!(self.fast.export(), self.naive.export(), "{command:?}");
        left
    }

    fn stand(&mut self, side: &str, book: &[&str]) {
        let other = if side == "buy" { "sell" } else { "buy" };
        for (at, order) in book.iter().enumerate() {
            // An order on the own side is the same firm's, and away from the other one.
            let (who, on, reference) = match order.contains("OWN") {
                true => ("B", side, 10 + at),
                false => ("C", other, 10 + at),
            };
            let near = if on == side { own_price(side) } else { "100" };
            let far = if side == "buy" { "@150" } else { "@50" };
            let order = order
                .replace("NEAR", "@100")
                .replace("FAR", far)
                .replace("OWN", &format!("@{near}"));
            self.play(&format!("{who} {on} {order} #{reference}"));
        }
    }

    fn enter(&mut self, who: &str, side: &str, words: &str, reference: u32) -> Vec<String> {
        let wait = if side == "buy" { "200" } else { "20" };
        let price = if side == "buy" { "@110" } else { "@90" };
        let words: Vec<&str> = words
            .split(' ')
            .map(|word| if word == "@" { price } else { word })
            .collect();
        let words = words.join(" ").replace("WAIT", wait);
        self.play(&format!("{who} {side} 30 {words} #{reference}"))
    }
}

const fn own_price(side: &str) -> &'static str {
    match side.as_bytes() {
        b"buy" => "60",
        _ => "140",
    }
}

/// What became of the order that the first of these events is about.
fn outcome(events: &[String]) -> String {
    let Some((first, rest)) = events.split_first() else {
        return "nothing".to_owned();
    };
    if let Some((_, reason)) = first.split_once(" rejected ") {
        return format!("refused {reason}");
    }
    let name = first.split(' ').next().expect("a name");
    let mut said = BTreeSet::new();
    if first.ends_with("rests") {
        said.insert("rests".to_owned());
    }
    for event in rest {
        let of_it = event.starts_with(&format!("{name} "));
        if event.contains("trade ") && event.contains(name) {
            said.insert("trades".to_owned());
        } else if of_it && event.contains(" cancelled ") {
            let reason = event.split(' ').nth(3).expect("a reason");
            said.insert(format!("cancelled {reason}"));
        } else if of_it && event.contains(" booked ") {
            said.insert("rests".to_owned());
        } else if of_it && event.contains(" triggered ") {
            said.insert("live".to_owned());
        } else if of_it && event.contains(" follows nothing ") {
            said.insert("follows nothing".to_owned());
        }
    }
    if said.is_empty() {
        "stands unseen".to_owned()
    } else {
        said.into_iter().collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn every_type_on_every_side_in_every_phase_against_every_book() {
    let start = Pair::new();
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    let mut cells = 0;
    for phase in Phase::ALL {
        for (book_name, book) in BOOKS {
            for side in SIDES {
                let mut ready = start.clone();
                ready.stand(side, book);
                if *phase != Phase::Continuous {
                    ready.play(&format!("phase {phase:?}"));
                }
                for (name, words) in TYPES {
                    let mut cell = ready.clone();
                    let events = cell.enter("A", side, words, 20);
                    let outcome = outcome(&events);
                    eprintln!("{phase:?} | {book_name} | {side} | {name} | {outcome}");
                    *outcomes.entry(outcome).or_default() += 1;
                    cells += 1;
                    // Whatever stands goes on into trading, and off again.
                    if !matches!(phase, Phase::Continuous | Phase::Delisted) {
                        cell.play("phase Continuous");
                    }
                    cell.play("V mass");
                }
            }
        }
    }
    for (outcome, count) in &outcomes {
        eprintln!("{count:>6}  {outcome}");
    }
    assert_eq!(cells, Phase::ALL.len() * BOOKS.len() * SIDES.len() * TYPES.len());
    let wanted = [
        "rests",
        "rests, trades",
        "trades",
        "cancelled Unfilled",
        "cancelled Unfilled, trades",
        "cancelled NotFillable",
        "cancelled MinimumNotMet",
        "live, rests",
        "live, trades",
        "follows nothing",
        "stands unseen",
        "refused NotInThisPhase",
        "refused PostOnlyWouldTrade",
    ];
    for outcome in wanted {
        assert!(outcomes.contains_key(outcome), "never {outcome}: {outcomes:?}");
    }
}

#[test]
fn every_pair_of_types_on_every_book() {
    let start = Pair::new();
    let mut pairs = 0;
    for phase in [Phase::Continuous, Phase::OpeningAuction, Phase::ClosingAuction] {
        for (_, book) in BOOKS {
            let mut ready = start.clone();
            ready.stand("buy", book);
            if phase != Phase::Continuous {
                ready.play(&format!("phase {phase:?}"));
            }
            for (_, first) in TYPES {
                let mut one = ready.clone();
                one.enter("A", "buy", first, 20);
                for (_, second) in TYPES {
                    for (who, side) in [("C", "sell"), ("C", "buy"), ("B", "sell")] {
                        let mut two = one.clone();
                        two.enter(who, side, second, 20);
                        two.play("V mass sells");
                        pairs += 1;
                    }
                }
            }
        }
    }
    eprintln!("{pairs} pairs");
}
