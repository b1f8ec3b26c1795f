//! For random flows, paces, depths, pauses and bounds: what a subscriber is told is what was.
//!
//! A case is one flow of 6 to 16 commands over up to three instruments, and one subscriber that joins somewhere in it, asks for
//! some depth at some pace, has an outbox that may be too small, and reads now and then. `RIALTO_CASES` sets how many.

mod common;

use common::{Dice, Flow, Judge, encode, messages, stock};
use rialto_conflate::wire::{Cause, Levels, Message as Wire, Update};
use rialto_conflate::{Books, BooksError, Conflation, Depth, Interest, Numbered, Pace, Settings};

const SEED: u64 = 0x5EED_2012_0621;
const CASES: u64 = 1_000_000;

fn cases() -> u64 {
    let asked = std::env::var("RIALTO_CASES").ok();
    asked.map_or(CASES, |asked| asked.parse().expect("RIALTO_CASES is a number"))
}

/// What a broken conflator does to what it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    DropTrade,
    RepeatTrade,
    MergeTrades,
    DropUpdate,
    ForgetLevel,
    StaleShares,
    MidCommand,
    TradeFirst,
    MissedCount,
    MissedVolume,
    MissedRange,
    SilentResync,
    RangeGap,
    FlagLies,
    NumberAhead,
}

const FAULTS: [Fault; 15] = [
    Fault::DropTrade,
    Fault::RepeatTrade,
    Fault::MergeTrades,
    Fault::DropUpdate,
    Fault::ForgetLevel,
    Fault::StaleShares,
    Fault::MidCommand,
    Fault::TradeFirst,
    Fault::MissedCount,
    Fault::MissedVolume,
    Fault::MissedRange,
    Fault::SilentResync,
    Fault::RangeGap,
    Fault::FlagLies,
    Fault::NumberAhead,
];

#[derive(Default)]
struct Outcome {
    /// Whether the fault found something to spoil.
    spoiled: bool,
    missed: u64,
    trades: u64,
    conflated: u64,
    resyncs: u64,
}

fn run(seed: u64, fault: Fault) -> (Outcome, Result<(), String>) {
    let mut dice = Dice(seed);
    let commands = 6 + dice.below(11);
    let flow = Flow::random(&mut dice, commands);
    let depth = match dice.below(3) {
        0 => Depth::Full,
        _ => Depth::Levels(1 + dice.below(3) as u16),
    };
    let pace = match dice.below(3) {
        0 => Pace::WhenSlow,
        1 => Pace::Interval {
            ns: 100_000 * (1 + dice.below(5)),
        },
        _ => Pace::Budget {
            bytes_per_second: 1_000 + dice.below(1_000_000),
        },
    };
    let outbox_bytes_max = if dice.chance(50) {
        1 + dice.below(300) as usize
    } else {
        1 << 20
    };
    let joins_at = if dice.chance(50) { 0 } else { dice.below(commands) };
    let reads = 10 + dice.below(90);
    let settings = Settings {
        depth,
        pace,
        interest: Interest::Stocks((0..common::INSTRUMENTS).map(stock).collect()),
        outbox_bytes_max,
    };
    let mut conflation = Conflation::new();
    let mut outcome = Outcome::default();
    let mut subscriber = None;
    let mut buffer = Vec::new();
    let mut now_ns = 0;
    let mut told: Vec<Vec<u8>> = Vec::new();
    let mut joined_at = 0;
    for (place, command) in flow.commands.iter().enumerate() {
        if place as u64 == joins_at {
            joined_at = conflation.market().sequence();
            subscriber = Some(conflation.join(settings.clone()).expect("settings that can be had"));
        }
        let middle = command.len() / 2;
        if fault == Fault::MidCommand && middle > 0 {
            outcome.spoiled = true;
            let (before, behind): (&[Numbered], &[Numbered]) = command.split_at(middle);
            conflation.follow(before);
            conflation.poll(now_ns);
            conflation.follow(behind);
        } else {
            conflation.follow(command);
        }
        now_ns += dice.below(400_000);
        if let Some(id) = subscriber {
            let (conflator, market) = conflation.subscriber(id).expect("it has joined");
            if dice.chance(80) {
                conflator.poll(market, now_ns);
            }
            if dice.chance(reads) && conflator.take(&mut buffer) {
                told.extend(messages(&buffer));
            }
        }
    }
    let id = subscriber.expect("it has joined");
    let (conflator, market) = conflation.subscriber(id).expect("it has joined");
    for _ in 0..100 {
        now_ns += 1_000_000_000;
        conflator.poll(market, now_ns);
        if conflator.take(&mut buffer) {
            told.extend(messages(&buffer));
        } else if conflator.is_current(market) {
            break;
        }
    }
    assert!(conflator.mark(market), "seed {seed}: not current at the end");
    let counters = *conflator.counters();
    (outcome.conflated, outcome.resyncs) = (counters.conflated, counters.resyncs);
    outcome.spoiled |= spoil(&mut told, fault, &mut dice, flow.last());
    let mut judge = Judge::new(&flow, depth, joined_at);
    let judged = told.iter().try_for_each(|message| judge.message(message));
    let judged = judged.and_then(|()| judge.finish());
    (outcome.missed, outcome.trades) = (judge.missed, judge.told);
    (outcome, judged)
}

/// Does what the fault says to one message of those told. Whether there was one.
fn spoil(told: &mut Vec<Vec<u8>>, fault: Fault, dice: &mut Dice, last: u64) -> bool {
    // The flag of a snapshot's own updates says nothing.
    let anew = told.iter().filter_map(|bytes| match Wire::decode(bytes) {
        Ok(Wire::Snapshot(snapshot)) => Some((snapshot.locate, snapshot.range)),
        _ => None,
    });
    let anew: Vec<_> = anew.collect();
    let is = |bytes: &[u8]| match (fault, Wire::decode(bytes).expect("a message")) {
        (Fault::DropTrade | Fault::RepeatTrade | Fault::MergeTrades, Wire::Trade(_)) => true,
        (Fault::DropUpdate | Fault::ForgetLevel, Wire::Update(update)) => !update.levels.is_empty(),
        (Fault::StaleShares, Wire::Update(update)) => update.levels.iter().any(|level| level.2 > 0),
        (Fault::TradeFirst | Fault::RangeGap, Wire::Update(_)) => true,
        (Fault::FlagLies, Wire::Update(update)) => {
            update.locate.0 != 0 && !anew.contains(&(update.locate, update.range))
        }
        (Fault::NumberAhead, Wire::Update(update)) => update.range.last < last,
        (Fault::MissedCount | Fault::MissedVolume | Fault::MissedRange, Wire::Snapshot(snapshot)) => {
            snapshot.missed.trades > 0
        }
        (Fault::SilentResync, Wire::Snapshot(snapshot)) => {
            snapshot.cause == Cause::Resync && snapshot.missed.trades > 0
        }
        _ => false,
    };
    let places: Vec<usize> = (0..told.len()).filter(|&place| is(&told[place])).collect();
    if places.is_empty() {
        return false;
    }
    let place = places[dice.below(places.len() as u64) as usize];
    let bytes = told[place].clone();
    match (fault, Wire::decode(&bytes).expect("a message")) {
        (Fault::DropTrade, _) | (Fault::DropUpdate, _) => {
            told.remove(place);
        }
        (Fault::RepeatTrade, _) => told.insert(place, bytes),
        (Fault::MergeTrades, Wire::Trade(first)) => {
            let Some(next) = told.get(place + 1) else { return false };
            let Wire::Trade(second) = Wire::decode(next).expect("a message") else {
                return false;
            };
            let merged = encode(&Wire::Trade(rialto_conflate::wire::Trade {
                shares: first.shares + second.shares,
                ..second
            }));
            told[place] = merged;
            told.remove(place + 1);
        }
        (Fault::ForgetLevel | Fault::StaleShares, Wire::Update(update)) => {
            let mut levels: Vec<_> = update.levels.iter().collect();
            if fault == Fault::ForgetLevel {
                levels.remove(dice.below(levels.len() as u64) as usize);
            } else {
                let level = levels.iter_mut().find(|level| level.2 > 0).expect("a level");
                level.2 += 1;
            }
            let mut bytes = Vec::new();
            update.append_with(&levels, &mut bytes);
            told[place] = bytes;
            return sum_up(told);
        }
        (Fault::TradeFirst, Wire::Update(update)) => {
            let follows = told.get(place + 1).map(|next| Wire::decode(next).expect("a message"));
            let Some(Wire::Trade(trade)) = follows else {
                return false;
            };
            if trade.locate != update.locate {
                return false;
            }
            told.swap(place, place + 1);
        }
        (Fault::RangeGap, Wire::Update(mut update)) => {
            update.range.first += 1;
            let levels: Vec<_> = update.levels.iter().collect();
            let mut bytes = Vec::new();
            update.append_with(&levels, &mut bytes);
            told[place] = bytes;
        }
        (Fault::FlagLies, Wire::Update(update)) => {
            let levels: Vec<_> = update.levels.iter().collect();
            let mut bytes = Vec::new();
            let update = Update {
                conflated: !update.conflated,
                levels: Levels::NONE,
                ..update
            };
            update.append_with(&levels, &mut bytes);
            told[place] = bytes;
        }
        (Fault::NumberAhead, Wire::Update(mut update)) => {
            update.range.last += 1;
            let levels: Vec<_> = update.levels.iter().collect();
            let mut bytes = Vec::new();
            update.append_with(&levels, &mut bytes);
            told[place] = bytes;
        }
        (fault, Wire::Snapshot(mut snapshot)) => {
            match fault {
                Fault::MissedCount => snapshot.missed.trades += 1,
                Fault::MissedVolume => snapshot.missed.volume -= 1,
                Fault::MissedRange => snapshot.missed.last += 1,
                _ => snapshot.missed = rialto_conflate::wire::Missed::default(),
            }
            told[place] = encode(&Wire::Snapshot(snapshot));
        }
        _ => return false,
    }
    true
}

/// States the checksums of what is told, as a conflator would that keeps the wrong book. Whether any had to change.
fn sum_up(told: &mut [Vec<u8>]) -> bool {
    let mut books = Books::new();
    let mut changed = false;
    for bytes in told {
        let Err(BooksError::Checksum { computed, .. }) = books.apply(bytes) else {
            continue;
        };
        changed = true;
        let copy = bytes.clone();
        let Wire::Update(update) = Wire::decode(&copy).expect("a message") else {
            continue;
        };
        let levels: Vec<_> = update.levels.iter().collect();
        bytes.clear();
        Update {
            checksum: computed,
            levels: Levels::NONE,
            ..update
        }
        .append_with(&levels, bytes);
    }
    changed
}

#[test]
fn what_is_told_is_what_was() {
    let cases = cases();
    let half = |from: u64, to: u64| {
        let mut sums = [0u64; 4];
        for case in from..to {
            let (outcome, judged) = run(SEED + case, Fault::None);
            if let Err(complaint) = judged {
                panic!("seed {}: {complaint}", SEED + case);
            }
            let counts = [outcome.trades, outcome.missed, outcome.conflated, outcome.resyncs];
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        sums
    };
    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(|| half(0, cases / 2));
        let b = half(cases / 2, cases);
        (a.join(), b)
    });
    let a = a.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let [trades, missed, conflated, resyncs] = std::array::from_fn(|place| a[place] + b[place]);
    println!(
        "{cases} cases from seed {SEED:#x}: {trades} trades told, {missed} stated as missed, {conflated} updates conflated, {resyncs} resyncs"
    );
    assert!(trades > cases && missed > cases / 100 && conflated > cases / 100 && resyncs > cases / 100);
}

#[test]
fn a_broken_conflator_is_caught() {
    for fault in FAULTS {
        let (mut spoiled, mut caught) = (0, 0);
        for case in 0..3_000 {
            let (outcome, judged) = run(SEED + case, fault);
            if outcome.spoiled {
                spoiled += 1;
                caught += u64::from(judged.is_err());
            }
        }
        println!("{fault:?}: caught {caught} of {spoiled}");
        assert!(spoiled > 20, "{fault:?} found nothing to spoil");
        assert!(
            caught * 10 >= spoiled * 9,
            "{fault:?}: caught only {caught} of {spoiled}"
        );
    }
}
