//! Seeded bugs: an engine that is wrong in one named way, which the differential run has to catch.
//!
//! A bug changes what a command means before the fast engine sees it, or its state behind a command. So nothing of it is in
//! an ordinary build. What events merely repeat of a command is left out of the comparison: a bug is caught by what it does.

mod support;

use rialto_matching::state::{EngineState, OrderState};
use rialto_matching::{Engine, Limits, Matching, reference};
use rialto_model::*;
use support::flow::Flow;

const LIMITS: Limits = Limits {
    live_orders_max: 150,
    orders_reserved: 0,
};
/// Commands within which a bug is caught.
const COMMANDS: u32 = 120_000;

enum Bug {
    Command(fn(&mut Command)),
    State(fn(&mut EngineState)),
}

fn instructions(command: &mut Command, change: fn(&mut Instructions)) {
    match command {
        Command::EnterSpecial(c) => change(&mut c.instructions),
        Command::ReplaceSpecial(c) => change(&mut c.instructions),
        _ => {}
    }
}

fn policy(command: &mut Command, change: fn(&mut u16)) {
    match command {
        Command::Enter(c) => change(&mut c.policy.0),
        Command::EnterSpecial(c) => change(&mut c.policy.0),
        Command::Replace(c) => change(&mut c.policy.0),
        Command::ReplaceSpecial(c) => change(&mut c.policy.0),
        Command::Reduce(c) => change(&mut c.policy.0),
        Command::Cancel(c) => change(&mut c.policy.0),
        _ => {}
    }
}

fn lifetime(command: &mut Command, from: TimeInForce, to: TimeInForce) {
    let tif = match command {
        Command::Enter(c) => &mut c.tif,
        Command::EnterSpecial(c) => &mut c.tif,
        _ => return,
    };
    if *tif == from {
        *tif = to;
    }
}

fn each_order(state: &mut EngineState, change: fn(&mut OrderState)) {
    for listed in &mut state.instruments {
        let queues = [
            &mut listed.bids,
            &mut listed.asks,
            &mut listed.hidden_bids,
            &mut listed.hidden_asks,
        ];
        queues.into_iter().flatten().for_each(change);
    }
}

macro_rules! bands {
    ($field:ident) => {
        Bug::Command(|command| {
            if let Command::SetBands(c) = command {
                c.bands.$field = 0;
            }
        })
    };
}

const BUGS: &[(&str, Bug)] = &[
    (
        "post-only takes",
        Bug::Command(|c| instructions(c, |asked| asked.handling.0 &= !3)),
    ),
    (
        "a slide is refused",
        Bug::Command(|c| instructions(c, |asked| asked.handling.0 &= !Handling::SLIDE.0)),
    ),
    (
        "hidden orders are shown",
        Bug::Command(|c| {
            instructions(c, |asked| {
                if asked.handling == Handling::HIDDEN {
                    asked.handling = Handling::NONE;
                }
            })
        }),
    ),
    (
        "icebergs show all",
        Bug::Command(|c| instructions(c, |asked| asked.display = Part(0))),
    ),
    (
        "a minimum is forgotten",
        Bug::Command(|c| instructions(c, |asked| asked.minimum = Part(0))),
    ),
    (
        "a stop is live at once",
        Bug::Command(|c| {
            instructions(c, |asked| {
                asked.trigger = Price(0);
                asked.handling.0 &= !Handling::TRAILING.0;
            })
        }),
    ),
    (
        "a trailing stop keeps its price",
        Bug::State(|state| {
            for listed in &mut state.instruments {
                for one in &mut listed.aside {
                    if let Some(special) = &mut one.order.special
                        && special.instructions.handling.has(Handling::TRAILING)
                    {
                        special.trigger.0 += if one.side == Side::Buy { 1_000 } else { -1_000 };
                    }
                }
            }
        }),
    ),
    (
        "a date never comes",
        Bug::Command(|c| instructions(c, |asked| asked.expires.0 = asked.expires.0.saturating_mul(1_000))),
    ),
    (
        "self-trade groups are one",
        Bug::Command(|c| instructions(c, |asked| asked.group = 0)),
    ),
    (
        "a midpoint peg is a primary one",
        Bug::Command(|c| {
            instructions(c, |asked| {
                if asked.handling.has(Handling::PEG_MIDPOINT) {
                    asked.handling = Handling::HIDDEN.with(Handling::PEG_PRIMARY);
                }
            })
        }),
    ),
    (
        "orders for the close come at once",
        Bug::Command(|c| {
            instructions(c, |asked| {
                if asked.auction == AuctionOnly::Closing {
                    asked.auction = AuctionOnly::Any;
                }
            })
        }),
    ),
    (
        "fill-or-kill fills in part",
        Bug::Command(|c| lifetime(c, TimeInForce::FillOrKill, TimeInForce::ImmediateOrCancel)),
    ),
    (
        "immediate-or-cancel rests",
        Bug::Command(|c| lifetime(c, TimeInForce::ImmediateOrCancel, TimeInForce::Day)),
    ),
    (
        "good-till-cancel ends with its day",
        Bug::Command(|c| lifetime(c, TimeInForce::GoodTillCancel, TimeInForce::Day)),
    ),
    (
        "every replace keeps its place",
        Bug::Command(|c| policy(c, |bits| *bits |= Policy::KEEP_PRIORITY_ON_REDUCE.0)),
    ),
    (
        "executed quantity does not count",
        Bug::Command(|c| policy(c, |bits| *bits &= !Policy::QUANTITY_COUNTS_EXECUTED.0)),
    ),
    (
        "dead orders are answered",
        Bug::Command(|c| policy(c, |bits| *bits &= !Policy::DEAD_ORDER_SILENT.0)),
    ),
    (
        "an invalid replace leaves the order",
        Bug::Command(|c| policy(c, |bits| *bits &= !Policy::INVALID_REPLACE_CANCELS.0)),
    ),
    (
        "orders outlive their session",
        Bug::Command(|c| policy(c, |bits| *bits &= !Policy::CANCEL_ON_DISCONNECT.0)),
    ),
    (
        "a mass cancel takes both sides",
        Bug::Command(|command| {
            if let Command::MassCancel(c) = command {
                c.side = SideFilter::Both;
            }
        }),
    ),
    (
        "a kill switch does nothing",
        Bug::Command(|command| {
            if let Command::SetKillSwitch(c) = command {
                c.killed = false;
            }
        }),
    ),
    (
        "the newest goes where the oldest should",
        Bug::Command(|command| {
            if let Command::SetSelfTrade(c) = command
                && c.mode == SelfTrade::CancelOldest
            {
                c.mode = SelfTrade::CancelNewest;
            }
        }),
    ),
    (
        "market orders trade at any price",
        Bug::Command(|command| {
            if let Command::SetRulebook(c) = command {
                c.rulebook.protection = Price(0);
            }
        }),
    ),
    (
        "there is no lowest quantity",
        Bug::Command(|command| {
            if let Command::SetRulebook(c) = command {
                c.rulebook.quantity_min.0 /= 2;
            }
        }),
    ),
    ("a collar is forgotten", bands!(collar)),
    ("trading is never interrupted", bands!(interruption)),
    ("limit bands are forgotten", bands!(limit)),
    (
        "the market goes on under a broken circuit",
        Bug::Command(|command| {
            if let Command::BreakCircuit(c) = command {
                c.level = BreakerLevel::None;
            }
        }),
    ),
    (
        "maker and taker pay each other's fee",
        Bug::Command(|command| {
            if let Command::SetFees(c) = command {
                (c.fees.maker_unit, c.fees.taker_unit) = (c.fees.taker_unit, c.fees.maker_unit);
            }
        }),
    ),
    (
        "pro-rata is first in, first out",
        Bug::Command(|command| {
            if let Command::SetAllocation(c) = command {
                c.allocation = Allocation::default();
            }
        }),
    ),
    (
        "protection counts no trades",
        Bug::Command(|command| {
            if let Command::SetProtection(c) = command {
                c.limits.count = c.limits.count.saturating_mul(1_000);
            }
        }),
    ),
    (
        "the executed part is forgotten",
        Bug::State(|state| each_order(state, |order| order.executed = Quantity(0))),
    ),
    (
        "the last trade is forgotten",
        Bug::State(|state| {
            state
                .instruments
                .iter_mut()
                .for_each(|listed| listed.last_price = Price(0));
        }),
    ),
    (
        "the younger of two goes first",
        Bug::State(|state| {
            for listed in &mut state.instruments {
                if let [first, second, ..] = &mut listed.bids[..]
                    && first.price == second.price
                {
                    core::mem::swap(first, second);
                    core::mem::swap(&mut first.public_ref, &mut second.public_ref);
                }
            }
        }),
    ),
];

/// What an event says of what was done, without what it repeats of a command.
fn done(event: Event) -> Option<Event> {
    match event {
        Event::Accepted(mut e) => {
            (e.policy, e.tif) = (Policy::NONE, TimeInForce::Day);
            Some(e.into())
        }
        Event::Replaced(mut e) => {
            (e.policy, e.tif) = (Policy::NONE, TimeInForce::Day);
            Some(e.into())
        }
        Event::Instructed(_)
        | Event::RulebookSet(_)
        | Event::SelfTradeSet(_)
        | Event::KillSwitchSet(_)
        | Event::BandsSet(_)
        | Event::FeesSet(_)
        | Event::AllocationSet(_)
        | Event::ProtectionSet(_)
        | Event::CircuitBroken(_)
        | Event::CommandRejected(_) => None,
        event => Some(event),
    }
}

/// After how many commands a bug shows.
fn caught(bug: &Bug, seed: u64) -> Option<u32> {
    let mut flow = Flow::ruled(seed);
    let mut naive = reference::Engine::new(LIMITS);
    let mut wrong = Engine::new(LIMITS);
    for step in 0..COMMANDS {
        let command = flow.next();
        let right: Vec<Event> = support::apply(&mut naive, &command);
        right.iter().for_each(|event| flow.learn(event));
        let mut other = command;
        if let Bug::Command(change) = bug {
            change(&mut other.body);
        }
        let left = support::apply(&mut wrong, &other);
        let (left, right) = (left.into_iter().filter_map(done), right.into_iter().filter_map(done));
        if !left.eq(right) {
            return Some(step);
        }
        if let Bug::State(change) = bug {
            let mut state = wrong.export();
            change(&mut state);
            if let Ok(engine) = Engine::import(&state) {
                wrong = engine;
            }
        }
    }
    None
}

#[test]
fn every_seeded_bug_is_caught() {
    assert!(BUGS.len() >= 30);
    let mut missed = Vec::new();
    for (name, bug) in BUGS {
        match [2, 6, 10].into_iter().find_map(|seed| caught(bug, seed)) {
            Some(step) => eprintln!("{step:>7}  {name}"),
            None => missed.push(name),
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
