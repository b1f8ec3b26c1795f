//! How long does the engine take for a command, by the shape of the market?
//!
//! Load: the flows `base` and `multi` of `rialto-flow`, 2^18 commands after as many to warm; events are written to a
//! broadcast ring and published batch by batch. Excluded: making the flow, decode, journal, network, and the reader
//! that hashes the events, which works between two batches while the clock stands still. The deep flow takes a while to
//! make: `rialto bench engine --flow deep`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rialto_benches::SEED;
use rialto_flow::{BATCH, Flow, Lane, Shape};
use std::time::{Duration, Instant};

const OPS: usize = 1 << 18;

fn flows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(BATCH as u64)).sample_size(20);
    for shape in [Shape::Base, Shape::Multi] {
        group.bench_function(shape.name(), |bencher| {
            let flow = Flow::new(shape, 2 * OPS, SEED);
            bencher.iter_custom(|batches| {
                let mut spent = Duration::ZERO;
                let mut left = batches;
                while left > 0 {
                    let mut lane = Lane::new();
                    lane.run(&flow.prelude);
                    lane.run(&flow.commands[..OPS]);
                    for batch in flow.commands[OPS..].chunks(BATCH).take(left as usize) {
                        let begun = Instant::now();
                        lane.apply(batch);
                        spent += begun.elapsed();
                        lane.drain();
                        left -= 1;
                    }
                }
                spent
            });
        });
    }
    group.finish();
}

criterion_group!(benches, flows);
criterion_main!(benches);
