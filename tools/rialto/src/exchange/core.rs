//! What every exchange has, with doors or without: sequencer, journal, engine, gate, hash.

use anyhow::{Context as _, Result, anyhow};
use rialto_engine::{EngineStage, HashStage, Hashes, Testimony, Witness};
use rialto_journal::{self as journal, Durability, Frontier, OsDisk, Reader, Recovered, Recovery, Syncer};
use rialto_matching::{Engine, EngineState, Limits, Matching as _};
use rialto_model::{
    Clock, Command, Event, EventHash, EventSink, Output, SequenceNumber, Sequenced, StateHash, VenueId,
};
use rialto_ring::broadcast::{Gate, Reader as EventReader, Writer as EventWriter};
use rialto_ring::spsc::{Consumer, RingBuffer};
use rialto_ring::{FaultBoard, Origin, Pen, Stage, Stop, Word};
use rialto_sequencer::{ReleaseGate, Sequencer, SequencerConfig};
use std::path::{Path, PathBuf};

/// Commands between one input and the sequencer; a full ring stops the reading of whoever fills it.
pub(crate) const INPUT_RING: usize = 4_096;
/// Commands between a door and the sequencer, likewise. No more than a poll or two can take, so that the ring stays in the cache.
pub(crate) const DOOR_RING: usize = 512;
/// Commands between sequencer and engine; a full ring makes the sequencer take nothing. Two batches, for the same reason.
const ENGINE_RING: usize = 512;
/// Events between the engine and everyone; a full ring makes the engine take nothing.
pub(crate) const EVENT_RING: usize = 65_536;
/// Commands in one commit block.
const BATCH: usize = 256;
/// Live orders that the engine has room for before it moves them all: addresses, until there are so many.
const ORDERS_RESERVED: u32 = 1 << 20;

/// Where the journal is and how it is written.
#[derive(Clone, Debug)]
pub(crate) struct JournalConfig {
    pub(crate) folder: PathBuf,
    pub(crate) venue: VenueId,
    pub(crate) journal: journal::Config,
}

impl JournalConfig {
    pub(crate) fn new(data: &Path, venue: VenueId, durability: &str, segment_bytes: u64) -> Result<Self> {
        let durability = match durability {
            "memory" => Durability::Memory,
            "disk" => Durability::Disk,
            other => return Err(anyhow!("no durability is called {other:?}: use memory or disk")),
        };
        let journal = journal::Config {
            durability,
            segment_bytes,
            ..journal::Config::default()
        };
        Ok(Self {
            folder: journal_folder(data),
            venue,
            journal,
        })
    }
}

/// Where in a data folder the journal lies.
pub(crate) fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

/// The stream as it was found: the journal is ours from here on, and the engine stands where the journal ends.
pub(crate) struct Rebuilt {
    recovered: Recovered<OsDisk>,
    engine: Engine,
    hashes: Hashes,
    config: journal::Config,
}

impl Rebuilt {
    /// Takes the journal and replays it, showing every event to `follow` as the gate would have.
    pub(crate) fn open(config: &JournalConfig, mut follow: impl FnMut(&Output)) -> Result<Self> {
        let disk = OsDisk::create_dir(&config.folder)?;
        let recovered = journal::recover(&disk, config.venue)?;
        let limits = Limits {
            orders_reserved: ORDERS_RESERVED,
            ..Limits::default()
        };
        let mut engine = Engine::new(limits);
        let mut hashes = Hashes::default();
        for record in Reader::open(&disk)? {
            let command = record?;
            apply_shown(&mut engine, &command, |output: &Output| {
                hashes.follow(output);
                follow(output);
            });
        }
        Ok(Self {
            recovered,
            engine,
            hashes,
            config: config.journal,
        })
    }

    pub(crate) fn recovery(&self) -> &Recovery {
        self.recovered.recovery()
    }

    pub(crate) fn state(&self) -> EngineState {
        self.engine.export()
    }
}

/// Applies a command and shows what comes of it as the gate would.
pub(crate) fn apply_shown(engine: &mut Engine, command: &Sequenced<Command>, show: impl FnMut(&Output)) {
    let mut sink = Rebuild {
        command,
        held: None,
        show,
    };
    engine.apply(command, &mut sink);
    sink.finish();
}

/// Gives a recovered command's events the envelope that the engine stage gives live ones.
struct Rebuild<'a, F> {
    command: &'a Sequenced<Command>,
    held: Option<Output>,
    show: F,
}

impl<F: FnMut(&Output)> Rebuild<'_, F> {
    fn finish(mut self) {
        if let Some(output) = self.held.take() {
            (self.show)(&Output { last: true, ..output });
        }
    }
}

impl<F: FnMut(&Output)> EventSink for Rebuild<'_, F> {
    fn emit(&mut self, event: Event) {
        let Sequenced { seq, stamp, epoch, .. } = *self.command;
        let output = Output {
            event: Sequenced {
                seq,
                stamp,
                epoch,
                body: event,
            },
            last: false,
        };
        if let Some(before) = self.held.replace(output) {
            (self.show)(&before);
        }
    }
}

/// Where the stages of the core write when they were how far.
pub(crate) struct Pens {
    pub(crate) sequenced: Pen<Origin>,
    pub(crate) journaled: Pen,
    pub(crate) matched: Pen,
    pub(crate) released: Pen,
}

/// The stages.
pub(crate) struct Core<C> {
    pub(crate) sequencer: Sequencer<C, OsDisk>,
    pub(crate) engine: EngineStage<Engine>,
    pub(crate) gate: ReleaseGate,
    pub(crate) sync: SyncStage,
    pub(crate) hash: HashStage,
    /// Up to where followers outside the ring may read the journal.
    pub(crate) frontier: Frontier,
}

/// Where an exchange ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) last_seq: SequenceNumber,
    pub(crate) state_hash: StateHash,
    pub(crate) event_hash: EventHash,
    pub(crate) events: u64,
}

impl<C: Clock> Core<C> {
    /// Puts the stages together. This is where nothing leaves before it is safe: the gate opens by the journal's frontier.
    pub(crate) fn assemble(
        rebuilt: Rebuilt,
        inputs: Vec<Consumer<Command>>,
        events: (EventWriter<Output>, Gate<Output>, EventReader<Output>),
        clock: C,
        stop: &Stop,
        other: Option<(Word, Consumer<Testimony>)>,
    ) -> Result<Self> {
        let Recovery {
            last_seq, last_stamp, ..
        } = *rebuilt.recovered.recovery();
        let (journal, syncer) = rebuilt.recovered.into_writer(rebuilt.config)?;
        let (event_in, gate, hash_reader) = events;
        let (command_in, command_out) = RingBuffer::new(ENGINE_RING);
        let epoch = journal.epoch();
        let frontier = journal.frontier();
        let config = SequencerConfig {
            batch: BATCH,
            last_seq,
            last_stamp,
            epoch,
            cancel_only: rebuilt.engine.is_cancel_only(),
        };
        let hashes = rebuilt.hashes;
        // Who compares sees events before the gate does, for the gate waits for what it finds.
        let (gate, hash) = match other {
            None => (
                ReleaseGate::new(gate, frontier.clone(), epoch),
                HashStage::new(hash_reader, hashes),
            ),
            Some((word, testimony)) => {
                let early = gate.preview(hash_reader);
                let witness = Witness::new(word.clone(), testimony);
                (
                    ReleaseGate::new(gate, frontier.clone(), epoch).heeding(word),
                    HashStage::new(early, hashes).with_witness(witness),
                )
            }
        };
        Ok(Self {
            sequencer: Sequencer::new(config, inputs, command_in, journal, clock, stop.clone()),
            engine: EngineStage::new(rebuilt.engine, command_out, event_in),
            gate,
            sync: SyncStage {
                syncer,
                stop: stop.clone(),
                durability: rebuilt.config.durability,
                marks: None,
            },
            hash,
            frontier,
        })
    }

    /// Steps the clock and slows the disk as the faults say that stand.
    pub(crate) fn with_faults(self, faults: &FaultBoard) -> Self {
        let since = std::time::Instant::now();
        let monotonic = Box::new(move || since.elapsed().as_nanos() as u64);
        Self {
            sequencer: self.sequencer.with_faults(faults.clone()),
            gate: self.gate.slowed(faults.clone(), monotonic),
            ..self
        }
    }

    /// Writes when each stage was how far. A block that is written is safe in `memory`; in `disk` one that is synced.
    pub(crate) fn marking(self, pens: Pens) -> Self {
        let Pens {
            sequenced,
            journaled,
            matched,
            released,
        } = pens;
        let (written, synced) = match self.sync.durability {
            Durability::Memory => (Some(journaled), None),
            Durability::Disk => (None, Some(journaled)),
        };
        Self {
            sequencer: self.sequencer.marking(sequenced, written),
            engine: self.engine.marking(matched),
            gate: self.gate.marking(released),
            sync: SyncStage {
                marks: synced,
                ..self.sync
            },
            ..self
        }
    }

    /// Seals the journal once every stage is drained.
    pub(crate) fn close(self) -> Result<Ended> {
        let state_hash = self.engine.engine().state_hash();
        let closed = self
            .sequencer
            .into_journal()
            .close(self.sync.syncer)
            .context("cannot seal the journal")?;
        let hashes = self.hash.into_hashes();
        Ok(Ended {
            last_seq: closed.last_seq,
            state_hash,
            event_hash: hashes.total(),
            events: hashes.events(),
        })
    }
}

/// The journal's other half as a stage.
pub(crate) struct SyncStage {
    syncer: Syncer<OsDisk>,
    stop: Stop,
    durability: Durability,
    marks: Option<Pen>,
}

impl Stage for SyncStage {
    fn name(&self) -> &'static str {
        "journal sync"
    }

    fn poll(&mut self) -> usize {
        let moved = self.syncer.poll();
        if moved > 0
            && let Some(pen) = &mut self.marks
        {
            pen.note(self.syncer.frontier().released_up_to().1.0);
        }
        if moved == 0
            && let Some(failure) = self.syncer.failure()
        {
            self.stop.fail(failure.to_string());
        }
        moved
    }

    fn is_drained(&self) -> bool {
        self.syncer.is_drained()
    }
}
