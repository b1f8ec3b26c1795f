//! A flow is what it says: its shares, its size, and the same again for the same seed.

use rialto_flow::{Flow, Lane, Shape};
use rialto_model::{Command, TimeInForce};

const SEED: u64 = 1;
const COUNT: usize = 40_000;

#[test]
fn the_shares_are_as_stated() {
    let flow = Flow::new(Shape::Base, COUNT, SEED);
    let (mut add, mut cancel, mut replace, mut marketable) = (0, 0, 0, 0);
    for command in &flow.commands {
        match &command.body {
            Command::Enter(enter) if enter.tif == TimeInForce::ImmediateOrCancel => marketable += 1,
            Command::Enter(_) => add += 1,
            Command::Cancel(_) => cancel += 1,
            Command::Replace(_) => replace += 1,
            other => panic!("not of a flow: {other:?}"),
        }
    }
    // Per thousand, with room for chance and for the orders that trades take off.
    let per_thousand = [add, cancel, replace, marketable].map(|count: usize| count * 1_000 / COUNT);
    let stated = [(475, 30), (425, 30), (50, 5), (50, 5)];
    for (share, (middle, room)) in per_thousand.into_iter().zip(stated) {
        assert!(
            share.abs_diff(middle) <= room,
            "{per_thousand:?} against {stated:?}, seed {SEED}"
        );
    }
}

#[test]
fn the_books_keep_their_size_and_trades_happen() {
    for shape in [Shape::Base, Shape::Multi] {
        let flow = Flow::new(shape, COUNT, SEED);
        let mut lane = Lane::new();
        lane.run(&flow.prelude);
        assert_eq!(lane.live_orders(), shape.live_orders(), "{shape}");
        let before = lane.tally().trades;
        lane.run(&flow.commands);
        let drift = lane.live_orders().abs_diff(shape.live_orders());
        assert!(drift < shape.live_orders() / 10, "{shape}: {drift} orders off");
        let trades = lane.tally().trades - before;
        assert!(trades > COUNT as u64 / 50, "{shape}: {trades} trades");
    }
}

#[test]
fn equal_arguments_give_equal_flows_and_batches_change_nothing() {
    let hash = |seed, sizes: &[usize]| {
        let flow = Flow::new(Shape::Base, 5_000, seed);
        let mut lane = Lane::new();
        lane.run(&flow.prelude);
        let mut rest = flow.commands.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(*size));
            lane.apply(now);
            lane.drain();
            rest = later;
        }
        lane.tally().event_hash()
    };
    let one = hash(SEED, &[256]);
    assert_eq!(hash(SEED, &[1, 7, 100]), one);
    assert_ne!(hash(SEED + 1, &[256]), one);
}

#[test]
fn names_of_shapes_are_read_back_and_others_refused() {
    for shape in Shape::ALL {
        assert_eq!(shape.to_string().parse::<Shape>().expect("its own name"), shape);
    }
    let refused = "wide".parse::<Shape>().expect_err("no shape").to_string();
    assert!(refused.contains("base, deep or multi"), "{refused}");
}
