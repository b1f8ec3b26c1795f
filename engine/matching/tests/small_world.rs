//! A small world, gone through in full: three prices, two quantities, two owners. Every sequence of so many limit orders,
//! cancels and replaces is played on both engines; by symmetry the first is a buy order of the first owner.
//!
//! Four commands; `RIALTO_SMALL_WORLD=6` plays sequences of six.

mod support;

use rialto_matching::{Engine, Limits, Matching, reference};
use rialto_model::command::*;
use rialto_model::*;
use support::script::world_commands;

const PRICES: [i64; 3] = [50, 55, 60];
const QUANTITIES: [u64; 2] = [10, 20];
/// Session A of the first firm and C of the other.
const OWNERS: [u32; 2] = [1, 3];

#[derive(Clone)]
struct Node {
    fast: Engine,
    naive: reference::Engine,
    seq: u64,
    /// The next reference of each owner.
    refs: [u32; 2],
    /// Orders that were entered, with the place of their owner.
    entered: Vec<(usize, OrderId)>,
}

#[derive(Default)]
struct Counts {
    sequences: u64,
    commands: u64,
    trades: u64,
}

impl Node {
    fn choices(&self, first: bool) -> Vec<Command> {
        let mut choices: Vec<Command> = Vec::new();
        for (owner, session) in OWNERS.into_iter().enumerate() {
            for side in [Side::Buy, Side::Sell] {
                if first && (owner, side) != (0, Side::Buy) {
                    continue;
                }
                for (price, quantity) in offers() {
                    choices.push(
                        Enter {
                            session: SessionId(session),
                            incarnation: Incarnation(1),
                            user_ref: UserRef(self.refs[owner]),
                            instrument: InstrumentId(1),
                            side,
                            price,
                            quantity,
                            ..Enter::default()
                        }
                        .into(),
                    );
                }
            }
        }
        for (owner, order_id) in &self.entered {
            let session = SessionId(OWNERS[*owner]);
            let target = Target::OrderId(*order_id);
            choices.push(
                Cancel {
                    session,
                    incarnation: Incarnation(1),
                    target,
                    ..Cancel::default()
                }
                .into(),
            );
            for (price, quantity) in offers() {
                choices.push(
                    Replace {
                        session,
                        incarnation: Incarnation(1),
                        target,
                        user_ref: UserRef(self.refs[*owner]),
                        policy: Policy::KEEP_PRIORITY_ON_REDUCE.with(Policy::QUANTITY_COUNTS_EXECUTED),
                        price,
                        quantity,
                        ..Replace::default()
                    }
                    .into(),
                );
            }
        }
        choices
    }

    fn play(&mut self, command: Command, counts: &mut Counts) {
        self.seq += 1;
        match &command {
            Command::Enter(c) => {
                let owner = usize::from(c.session.0 != OWNERS[0]);
                self.refs[owner] += 1;
                self.entered.push((owner, OrderId(self.seq)));
            }
            Command::Replace(c) => self.refs[usize::from(c.session.0 != OWNERS[0])] += 1,
            _ => {}
        }
        let command = support::sequenced(self.seq, command);
        let events = support::apply(&mut self.fast, &command);
        assert_eq!(events, support::apply(&mut self.naive, &command), "{command:?}");
        counts.commands += 1;
        counts.trades += events
            .iter()
            .filter(|event| matches!(event, Event::Executed(_)))
            .count() as u64;
    }

    fn descend(&self, left: u32, first: bool, counts: &mut Counts) {
        for command in self.choices(first) {
            let mut next = self.clone();
            next.play(command, counts);
            if left > 1 {
                next.descend(left - 1, false, counts);
                continue;
            }
            counts.sequences += 1;
            if counts.sequences.is_multiple_of(16) {
                assert_eq!(next.fast.export(), next.naive.export(), "{command:?}");
            }
        }
    }
}

fn offers() -> impl Iterator<Item = (Price, Quantity)> {
    PRICES
        .into_iter()
        .flat_map(|price| QUANTITIES.map(|quantity| (Price(price), Quantity(quantity))))
}

#[test]
fn both_engines_agree_on_every_sequence_of_a_small_world() {
    let length = match std::env::var("RIALTO_SMALL_WORLD") {
        Ok(length) => length.parse().expect("a length"),
        Err(_) => 4,
    };
    let mut root = Node {
        fast: Engine::new(Limits::default()),
        naive: reference::Engine::new(Limits::default()),
        seq: 0,
        refs: [1, 1],
        entered: Vec::new(),
    };
    for command in world_commands() {
        root.seq += 1;
        let command = support::sequenced(root.seq, command);
        support::apply(&mut root.fast, &command);
        support::apply(&mut root.naive, &command);
    }
    let mut counts = Counts::default();
    root.descend(length, true, &mut counts);
    let Counts {
        sequences,
        commands,
        trades,
    } = counts;
    eprintln!("{sequences} sequences of {length}, {commands} commands, {trades} trades");
    assert!(sequences > 100_000 || length < 4);
}
