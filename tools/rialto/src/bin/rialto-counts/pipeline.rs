//! What an order costs between the door's ring and everybody who is told, in things that can be counted.

use anyhow::{Context as _, Result, bail, ensure};
use rialto_engine::{EngineStage, HashStage, Hashes, Witness};
use rialto_feed::{Config as FeedConfig, FeedStage};
use rialto_flow::{Flow, Shape};
use rialto_journal::disk::{Access, Disk, DiskFile};
use rialto_journal::{Config, Durability, LockError, OsDisk, Syncer, recover};
use rialto_matching::{Engine, Limits};
use rialto_model::command::{Route, SetBudgets, SetRiskLimits, SwitchFlag, Tick};
use rialto_model::flags::{self, Scope};
use rialto_model::member::BUDGET_MAX;
use rialto_model::{
    AccountId, Budgets, Clock, Command, FirmId, FlagAct, FlagChange, FlagTarget, InstrumentId, Monotonic, Notional,
    Output, Quantity, RiskLimits, SequenceNumber, Sequenced, Timestamp, VenueId, Way,
};
use rialto_ring::broadcast::{Reader, broadcast};
use rialto_ring::spsc::{Consumer, Producer, RingBuffer};
use rialto_ring::{Mark, Origin, Stage as _, Stop, SystemClock, Ticks, Word, pen};
use rialto_sequencer::{ReleaseGate, Sequencer, SequencerConfig};
use std::io::Result as IoResult;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Commands between two stages.
const RING: usize = 4_096;
const EVENTS: usize = 65_536;
/// Of the virtual clock, for each read of it.
const STEP_NS: u64 = 10;

/// What is counted besides allocations.
#[derive(Debug, Default)]
struct Counters {
    writes: AtomicU64,
    reads: AtomicU64,
    /// Those of them that were stores and loads, where the system lets a file be memory.
    stores: AtomicU64,
    loads: AtomicU64,
    syncs: AtomicU64,
    clock_reads: AtomicU64,
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The system's disk, counted: each is one call to the system, or none where the file is at hand.
#[derive(Clone)]
struct CountedDisk(OsDisk, Arc<Counters>);

struct CountedFile {
    file: <OsDisk as Disk>::File,
    counters: Arc<Counters>,
    at_hand: bool,
}

impl CountedFile {
    fn new(file: <OsDisk as Disk>::File, counters: &Arc<Counters>) -> Self {
        Self {
            file,
            counters: Arc::clone(counters),
            at_hand: false,
        }
    }
}

impl Disk for CountedDisk {
    type File = CountedFile;
    type Lock = <OsDisk as Disk>::Lock;

    fn place(&self) -> String {
        self.0.place()
    }

    fn list(&self) -> IoResult<Vec<String>> {
        self.0.list()
    }

    fn create(&self, name: &str) -> IoResult<CountedFile> {
        Ok(CountedFile::new(self.0.create(name)?, &self.1))
    }

    fn open(&self, name: &str, access: Access) -> IoResult<CountedFile> {
        Ok(CountedFile::new(self.0.open(name, access)?, &self.1))
    }

    fn rename(&self, from: &str, to: &str) -> IoResult<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> IoResult<()> {
        self.0.remove(name)
    }

    fn sync_dir(&self) -> IoResult<()> {
        self.0.sync_dir()
    }

    fn lock(&self, name: &str) -> Result<Self::Lock, LockError> {
        self.0.lock(name)
    }
}

impl DiskFile for CountedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> IoResult<usize> {
        let Counters { writes, stores, .. } = &*self.counters;
        add(if self.at_hand { stores } else { writes });
        self.file.write_at(offset, bytes)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> IoResult<usize> {
        let Counters { reads, loads, .. } = &*self.counters;
        add(if self.at_hand { loads } else { reads });
        self.file.read_at(offset, into)
    }

    fn len(&self) -> IoResult<u64> {
        self.file.len()
    }

    fn sync_data(&self) -> IoResult<()> {
        add(&self.counters.syncs);
        self.file.sync_data()
    }

    fn keep_at_hand(&mut self, bytes: u64) -> bool {
        self.at_hand = self.file.keep_at_hand(bytes);
        self.at_hand
    }
}

/// A clock that goes on by being read, so that a run repeats.
#[derive(Clone)]
struct CountedClock(Arc<Counters>, Arc<AtomicU64>);

impl CountedClock {
    fn read(&self) -> u64 {
        add(&self.0.clock_reads);
        self.1.fetch_add(STEP_NS, Ordering::Relaxed)
    }
}

impl Clock for CountedClock {
    fn now(&mut self) -> Timestamp {
        Timestamp(self.read())
    }

    fn monotonic(&mut self) -> Monotonic {
        Monotonic(self.read())
    }
}

/// What stands beside the orders: `off`, or what it may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// Nothing: flags as they are by default, no other engine.
    Off,
    /// Every flag of the stream has another value than its default, for everyone.
    Flags,
    /// Another engine is compared, and nobody waits for it.
    Shadow,
    /// Every instrument's events wait for another engine that agrees to everything.
    Routed,
    /// Every firm has every pre-trade limit that nobody reaches, and budgets.
    Limits,
    /// Sequencer, engine and gate write when they were how far.
    Stages,
}

impl Beside {
    fn of(name: &str) -> Result<Self> {
        Ok(match name {
            "off" => Self::Off,
            "flags" => Self::Flags,
            "shadow" => Self::Shadow,
            "routed" => Self::Routed,
            "limits" => Self::Limits,
            "stages" => Self::Stages,
            other => bail!("nothing beside is called {other:?}: use off, flags, shadow, routed, limits or stages"),
        })
    }

    /// The commands that bring it about, as many whatever it is: ticks fill up.
    fn commands(self, firms: &[FirmId]) -> Vec<Command> {
        let sequenced: Vec<_> = flags::TABLE.iter().filter(|flag| flag.scope != Scope::Edge).collect();
        let switch = |flag: &&flags::Flag| {
            let change = FlagChange {
                flag: flag.number,
                act: FlagAct::Set,
                target: FlagTarget::Everyone,
                id: 0,
                value: 1,
                table: flags::table_hash(),
            };
            Command::from(SwitchFlag { change })
        };
        let mut commands = match self {
            Self::Off | Self::Shadow | Self::Stages => Vec::new(),
            Self::Limits => firms.iter().flat_map(|firm| limited(*firm)).collect(),
            Self::Flags => sequenced.iter().map(switch).collect(),
            Self::Routed => {
                let way = Way {
                    build: 1,
                    instrument: InstrumentId(0),
                    candidate: true,
                };
                vec![
                    Route {
                        way,
                        ..Route::default()
                    }
                    .into(),
                ]
            }
        };
        commands.resize(sequenced.len().max(2 * firms.len()), Tick {}.into());
        commands
    }
}

/// What a firm is limited by, far beyond what it does.
fn limited(firm: FirmId) -> [Command; 2] {
    let limits = RiskLimits {
        order_quantity: Quantity(u64::MAX >> 1),
        order_notional: Notional(u64::MAX >> 1),
        collar: 10_000_000,
        open_orders: u32::MAX >> 1,
        position: Quantity(u64::MAX >> 1),
        credit: Notional(u64::MAX >> 1),
        ..RiskLimits::default()
    };
    let budgets = Budgets {
        orders_per_second: BUDGET_MAX,
        orders_burst: BUDGET_MAX,
        cancels_per_second: BUDGET_MAX,
        cancels_burst: BUDGET_MAX,
        ..Budgets::default()
    };
    let account = AccountId(0);
    [
        SetRiskLimits { firm, account, limits }.into(),
        SetBudgets { firm, budgets }.into(),
    ]
}

struct Pipeline {
    input: Producer<Command>,
    sequencer: Sequencer<CountedClock, CountedDisk>,
    syncer: Syncer<CountedDisk>,
    engine: EngineStage<Engine>,
    gate: ReleaseGate,
    hash: HashStage,
    feed: FeedStage<CountedClock>,
    stop: Stop,
    marks: Option<Marks>,
}

/// Where the marks of the stages are read.
type Marks = (Consumer<Mark<Origin>>, [Consumer<Mark>; 3]);

impl Pipeline {
    fn open(
        folder: &Path,
        durability: Durability,
        batch: usize,
        counters: &Arc<Counters>,
        beside: Beside,
    ) -> Result<Self> {
        let disk = CountedDisk(OsDisk::create_dir(folder)?, Arc::clone(counters));
        let config = Config {
            durability,
            segment_bytes: 64 << 20,
            reserve_segments: 1,
            ..Config::default()
        };
        let (journal, syncer) = recover(&disk, VenueId(1))?.into_writer(config)?;
        let (event_in, gate, readers) = broadcast(EVENTS, 2);
        let [hash, feed] = <[Reader<Output>; 2]>::try_from(readers)
            .ok()
            .context("two readers were asked for")?;
        let (input, inputs) = RingBuffer::new(RING);
        let (command_in, command_out) = RingBuffer::new(RING);
        let clock = CountedClock(Arc::clone(counters), Arc::default());
        let (epoch, frontier, stop) = (journal.epoch(), journal.frontier(), Stop::new());
        let config = SequencerConfig {
            batch,
            last_seq: SequenceNumber(0),
            last_stamp: Timestamp(0),
            epoch,
            cancel_only: false,
        };
        let mut lines = FeedConfig::default();
        lines.line_a.set_port(0);
        lines.line_b.iter_mut().for_each(|line| line.set_port(0));
        lines.rerequest.set_port(0);
        // As in the exchange, where both look at it whether another engine is there or not.
        let word = Word::new(Duration::from_secs(3_600));
        if matches!(beside, Beside::Shadow | Beside::Routed) {
            word.attach();
            word.agree(SequenceNumber(u64::MAX));
        }
        let hash = gate.preview(hash);
        let witness = Witness::new(word.clone(), RingBuffer::new(1).1);
        let mut sequencer = Sequencer::new(config, vec![inputs], command_in, journal, clock.clone(), stop.clone());
        let mut engine = EngineStage::new(Engine::new(Limits::default()), command_out, event_in);
        let mut gate = ReleaseGate::new(gate, frontier, epoch).heeding(word);
        let mut marks = None;
        if beside == Beside::Stages {
            let time = Ticks::new(SystemClock::new());
            let (sequenced, of_sequencer) = pen(time, 0);
            let [written, matched, released] = std::array::from_fn(|_| pen(time, 0));
            sequencer = sequencer.marking(sequenced, Some(written.0));
            engine = engine.marking(matched.0);
            gate = gate.marking(released.0);
            marks = Some((of_sequencer, [written.1, matched.1, released.1]));
        }
        Ok(Self {
            input,
            sequencer,
            syncer,
            engine,
            gate,
            hash: HashStage::new(hash, Hashes::default()).with_witness(witness),
            feed: FeedStage::new(&lines, feed, clock)?,
            stop,
            marks,
        })
    }

    /// A function of its own under any optimization, so that instructions can be counted in it alone.
    #[inline(never)]
    fn order_path(&mut self) {
        // One turn, unless more was given than a batch.
        while !self.sequencer.is_drained() && self.stop.failure().is_none() {
            self.sequencer.poll();
        }
        self.engine.poll();
    }

    /// The end of it, likewise.
    #[inline(never)]
    fn release(&mut self) {
        self.gate.poll();
    }

    /// Each stage has one turn for each batch, as on one thread under load.
    fn run(&mut self, commands: &[Sequenced<Command>], batch: usize) -> Result<()> {
        for commands in commands.chunks(batch) {
            for command in commands {
                ensure!(self.input.push(command.body).is_ok(), "a batch is larger than the ring");
            }
            self.order_path();
            self.syncer.poll();
            self.release();
            self.hash.poll();
            self.feed.poll();
            if let Some((sequenced, others)) = &mut self.marks {
                while sequenced.pop().is_ok() {}
                others.iter_mut().for_each(|marks| while marks.pop().is_ok() {});
            }
            if let Some(failure) = self.stop.failure() {
                bail!("{failure}");
            }
        }
        Ok(())
    }
}

/// `memory|disk BATCH SEED OPS FOLDER [BESIDE]`: the counts over the second half of the flow.
pub(crate) fn count(args: &[&str], allocations: &dyn Fn() -> u64) -> Result<serde_json::Value> {
    let (args, beside) = match args {
        [args @ .., beside] if args.len() == 5 => (args, Beside::of(beside)?),
        args => (args, Beside::Off),
    };
    let [durability, batch, seed, ops, folder] = args else {
        bail!(
            "usage: rialto-counts pipeline memory|disk BATCH SEED OPS FOLDER [off|flags|shadow|routed|limits|stages]"
        );
    };
    let durability = match *durability {
        "memory" => Durability::Memory,
        "disk" => Durability::Disk,
        other => bail!("no durability is called {other:?}: use memory or disk"),
    };
    let batch: usize = batch.parse().context("BATCH is a number")?;
    let seed: u64 = seed.parse().context("SEED is a number")?;
    let ops: usize = ops.parse().context("OPS is a number")?;
    ensure!((1..=1_024).contains(&batch), "BATCH is 1 to 1024");
    // A segment holds them all, so that no other has to be made meanwhile.
    ensure!((2 * batch..=200_000).contains(&ops), "OPS is two batches to 200000");

    let flow = Flow::new(Shape::Base, ops, seed);
    let counters = Arc::new(Counters::default());
    let mut pipeline = Pipeline::open(Path::new(folder), durability, batch, &counters, beside)?;
    let (warm, counted) = flow.commands.split_at(ops / 2);
    pipeline.run(&flow.prelude, 256)?;
    let at = flow.prelude.last().copied().context("a flow begins with a venue")?;
    let firms = flow.prelude.iter().filter_map(|command| match &command.body {
        Command::DefineFirm(c) => Some(c.firm),
        _ => None,
    });
    let asked: Vec<_> = beside
        .commands(&firms.collect::<Vec<_>>())
        .into_iter()
        .map(|body| Sequenced { body, ..at })
        .collect();
    pipeline.run(&asked, 256)?;
    while pipeline.syncer.poll() > 0 {}
    pipeline.run(warm, batch)?;
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let datagrams = |pipeline: &Pipeline| {
        let counts = pipeline.feed.counters().read();
        (counts.datagrams_a, counts.datagrams_b)
    };
    let all = [
        &counters.writes,
        &counters.reads,
        &counters.syncs,
        &counters.clock_reads,
        &counters.stores,
        &counters.loads,
    ];
    let before = all.map(of);
    let (sent, allocated) = (datagrams(&pipeline), allocations());
    pipeline.run(counted, batch)?;
    let allocated = allocations() - allocated;
    let after = all.map(of);
    let now = datagrams(&pipeline);
    let spent: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    Ok(serde_json::json!({
        "orders": counted.len(),
        "batches": counted.len().div_ceil(batch),
        "writes": spent.first(),
        "reads": spent.get(1),
        "fdatasyncs": spent.get(2),
        "clock_reads": spent.get(3),
        "stores": spent.get(4),
        "loads": spent.get(5),
        "allocations": allocated,
        "datagrams_a": now.0 - sent.0,
        "datagrams_b": now.1 - sent.1,
        "event_hash": pipeline.hash.hashes().total().to_string(),
    }))
}
