//! What does the oracle cost: the running hash over events that every reader of the ring may keep?
//!
//! Load: the events of 1,024 commands of the base flow, their schema bytes encoded and chained by xxh3, in total and per
//! instrument. Excluded: the engine and the ring. This work is the reader's, never the matching thread's.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rialto_matching::EventHasher;
use std::hint::black_box;

fn hashing(criterion: &mut Criterion) {
    let events = rialto_benches::events(1_024);
    let mut group = criterion.benchmark_group("hashing");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("events", |bencher| {
        let mut hasher = EventHasher::default();
        bencher.iter(|| {
            for event in black_box(&events) {
                hasher.update(event);
            }
            hasher.total()
        });
    });
    group.finish();
}

criterion_group!(benches, hashing);
criterion_main!(benches);
