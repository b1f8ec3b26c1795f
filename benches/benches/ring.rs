//! What does a hop between two stages cost, on one thread and between two cores?
//!
//! Load: commands through the single-producer single-consumer ring, outputs through the broadcast ring with its gate and
//! one reader. `one thread` moves 256 at a time and shows the copying alone; `there and back` sends one value to another
//! thread and waits for its answer, so half of it is a hop: it says how far apart the two cores are in this run, and
//! figures of anything on two cores mean little without it. Excluded: what a stage does with the value.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rialto_flow::{Flow, Shape};
use rialto_model::{Command, Output, Sequenced};
use rialto_ring::broadcast::broadcast;
use rialto_ring::spsc::RingBuffer;
use std::hint::{black_box, spin_loop};
use std::time::Instant;

const BATCH: usize = 256;
/// Rounds of a wait that spin; then the other thread gets the core, in case there is only one.
const SPINS: u32 = 10_000;

fn one_thread(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring, one thread");
    group.throughput(Throughput::Elements(BATCH as u64));
    let commands = Flow::new(Shape::Base, BATCH, rialto_benches::SEED).commands;
    group.bench_function("spsc", |bencher| {
        let (mut producer, mut consumer) = RingBuffer::<Sequenced<Command>>::new(BATCH);
        bencher.iter(|| {
            for command in black_box(&commands) {
                producer.push(*command).expect("the ring is empty");
            }
            while let Ok(command) = consumer.pop() {
                black_box(&command);
            }
        });
    });
    let events = rialto_benches::events(BATCH);
    group.bench_function("broadcast", |bencher| {
        let (mut writer, mut gate, mut readers) = broadcast::<Output>(BATCH, 1);
        bencher.iter(|| {
            for event in &black_box(&events)[..BATCH] {
                writer
                    .write(Output {
                        event: *event,
                        last: true,
                    })
                    .expect("the ring is empty");
            }
            writer.publish();
            gate.poll(BATCH, |output| black_box(output).last);
            readers[0].poll(BATCH, |output| black_box(output).last)
        });
    });
    group.finish();
}

fn two_threads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring, there and back");
    group.bench_function("spsc", |bencher| {
        bencher.iter_custom(|rounds| {
            let (mut there, mut arrived) = RingBuffer::<u64>::new(2);
            let (mut back, mut returned) = RingBuffer::<u64>::new(2);
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    for _ in 0..rounds {
                        let value = wait(|| arrived.pop().ok());
                        back.push(value).expect("one value is under way");
                    }
                });
                let begun = Instant::now();
                for round in 0..rounds {
                    there.push(round).expect("one value is under way");
                    assert_eq!(wait(|| returned.pop().ok()), round);
                }
                begun.elapsed()
            })
        });
    });
    group.bench_function("broadcast", |bencher| {
        bencher.iter_custom(|rounds| {
            let (mut writer, mut gate, mut readers) = broadcast::<u64>(2, 1);
            let (mut back, mut returned) = RingBuffer::<u64>::new(2);
            let mut reader = readers.remove(0);
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    for _ in 0..rounds {
                        let mut value = None;
                        let value = wait(|| {
                            reader.poll(1, |arrived| {
                                value = Some(*arrived);
                                true
                            });
                            value
                        });
                        back.push(value).expect("one value is under way");
                    }
                });
                let begun = Instant::now();
                for round in 0..rounds {
                    writer.write(round).expect("one value is under way");
                    writer.publish();
                    gate.poll(1, |_| true);
                    assert_eq!(wait(|| returned.pop().ok()), round);
                }
                begun.elapsed()
            })
        });
    });
    group.finish();
}

fn wait<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let mut spins = 0;
    loop {
        if let Some(value) = ask() {
            return value;
        }
        spins += 1;
        if spins < SPINS {
            spin_loop()
        } else {
            std::thread::yield_now()
        }
    }
}

criterion_group!(benches, one_thread, two_threads);
criterion_main!(benches);
