//! What does it cost to keep a command in the journal, by the size of a commit?
//!
//! Load: 4,096 order commands of the base flow, appended and committed 1, 64 or 512 at a time, durability `memory`: a
//! commit is one write. On the disk in memory the format alone is measured (encoding, checksum, chain hash, copy); on a
//! file in the system's folder for temporary files also write(2) into the page cache. Excluded: fdatasync (durability
//! `disk`), and making and prewriting the segment.

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rialto_benches::SEED;
use rialto_flow::{Flow, Shape};
use rialto_journal::{Config, Disk, Durability, MemDisk, OsDisk, Syncer, Writer, recover};
use rialto_model::{Command, Sequenced, Timestamp, VenueId};

const COMMANDS: usize = 4_096;
const CONFIG: Config = Config {
    durability: Durability::Memory,
    segment_bytes: 2 * 1024 * 1024,
    block_bytes: 128 * 1024,
    reserve_segments: 1,
    bytes_max: None,
};

/// An empty journal. The syncer holds its lock.
fn open<D: Disk>(disk: &D) -> (Writer<D>, Syncer<D>) {
    let recovered = recover(disk, VenueId(1)).expect("an empty folder");
    recovered.into_writer(CONFIG).expect("room for two segments")
}

fn keep<D: Disk>(writer: &mut Writer<D>, commands: &[Sequenced<Command>], commit: usize) {
    for commands in commands.chunks(commit) {
        for command in commands {
            let (seq, epoch) = (writer.next_seq(), writer.epoch());
            let record = Sequenced {
                seq,
                epoch,
                stamp: Timestamp(seq.0),
                body: command.body,
            };
            writer.append(&record).expect("a commit fits a block");
        }
        writer.commit().expect("room in the segment");
    }
}

fn bench<D: Disk, Home>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, make: impl Fn() -> (D, Home)) {
    let flow = Flow::new(Shape::Base, COMMANDS, SEED);
    for commit in [1, 64, 512] {
        group.bench_with_input(BenchmarkId::new(name, commit), &commit, |bencher, &commit| {
            let setup = || {
                let (disk, home) = make();
                (open(&disk), home)
            };
            let run = |((mut writer, syncer), home)| {
                keep(&mut writer, &flow.commands, commit);
                (writer, syncer, home)
            };
            bencher.iter_batched(setup, run, BatchSize::PerIteration);
        });
    }
}

fn journal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("journal");
    group.throughput(Throughput::Elements(COMMANDS as u64)).sample_size(20);
    bench(&mut group, "memory disk", || (MemDisk::new(), ()));
    bench(&mut group, "file", || {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        (OsDisk::create_dir(folder.path()).expect("a journal folder"), folder)
    });
    group.finish();
}

criterion_group!(benches, journal);
criterion_main!(benches);
