//! One life of the exchange: the production stages over the simulated disk and clock, put together as the composition
//! root does it, each polled by itself.

use crate::clock::SimClock;
use crate::plan::{CLIENTS, INSTRUMENTS, Plan, Turn};
use crate::wiring::Wiring;
use rialto_engine::{EngineStage, HashStage, Hashes};
use rialto_journal::{
    Config, DiskError, Frontier, LockError, MemDisk, OpenError, ReadError, Reader, RecoverError, Recovery, Syncer,
    recover,
};
use rialto_matching::{CURRENT_RELEASE, Engine, EngineState, Limits, Matching};
use rialto_model::command::{
    DefineAccount, DefineFirm, DefineInstrument, DefineSession, EndOfDay, Release, SessionLost, StartOfDay,
};
use rialto_model::{
    AccountId, Command, Door, Epoch, Event, EventSink, FirmId, InstrumentId, LossCause, Mpid, Output, Price,
    PriceScale, Quantity, SequenceNumber, Sequenced, SessionId, StateHash, Symbol, Text, TradingDay, VenueId,
};
use rialto_ring::broadcast::{Gate, Reader as EventReader, broadcast};
use rialto_ring::spsc::{Producer, RingBuffer};
use rialto_ring::{Stage, Stop};
use rialto_sequencer::{ReleaseGate, Sequencer, SequencerConfig};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const VENUE: VenueId = VenueId(1);
const FIRST_DAY: TradingDay = TradingDay(20_000);
/// Commands that the venue itself may have waiting.
const VENUE_RING: usize = 64;
/// Events that a follower takes in one turn.
const FOLLOW: usize = 64;
/// Bytes of a commit block.
const BLOCK_BYTES: usize = 1_024;

/// What a start found.
pub(crate) struct Past {
    pub(crate) commands: Vec<Sequenced<Command>>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) recovery: Recovery,
    pub(crate) state_hash: StateHash,
}

/// Why there is no life.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another has the journal.
    InUse,
    /// The disk has no room.
    Full,
    /// The disk failed, as it was told to.
    Disk,
    /// Something that was promised is not there, or cannot be read.
    Damaged(String),
}

fn refused(error: &DiskError) -> Refused {
    if error.source.kind() == ErrorKind::StorageFull {
        Refused::Full
    } else {
        Refused::Disk
    }
}

/// The stages that go on while an fsync is under way.
pub(crate) struct Front {
    sequencer: Sequencer<SimClock, MemDisk>,
    engine: EngineStage<Engine>,
    gate: GateStage,
    hash: HashStage,
}

/// The release gate, or what a broken build has in its place.
enum GateStage {
    Production(Box<ReleaseGate>),
    /// Releases whatever it is shown.
    Open(Gate<Output>),
}

impl GateStage {
    fn poll(&mut self) -> usize {
        match self {
            Self::Production(gate) => gate.poll(),
            Self::Open(gate) => gate.poll(FOLLOW, |_| true),
        }
    }

    fn is_drained(&self) -> bool {
        match self {
            Self::Production(gate) => gate.is_drained(),
            Self::Open(gate) => gate.is_drained(),
        }
    }
}

/// A life.
pub(crate) struct Venue {
    front: Arc<Mutex<Front>>,
    syncer: Syncer<MemDisk>,
    door: EventReader<Output>,
    feed: EventReader<Output>,
    inputs: Vec<Producer<Command>>,
    frontier: Frontier,
    stop: Stop,
    pub(crate) epoch: Epoch,
}

/// The input of the venue's own commands; clients have the ones behind it.
pub(crate) const VENUE_INPUT: usize = 0;

impl Venue {
    /// Takes the journal over and replays it.
    pub(crate) fn open(
        disk: &MemDisk,
        clock: &SimClock,
        plan: &Plan,
        wiring: Wiring,
    ) -> Result<(Self, Past, EngineState), Refused> {
        let recovered = recover(disk, VENUE).map_err(|error| match error {
            RecoverError::Lock(LockError::InUse { .. }) => Refused::InUse,
            RecoverError::Read(ReadError::Disk(error)) | RecoverError::Lock(LockError::Disk(error)) => refused(&error),
            other => Refused::Damaged(other.to_string()),
        })?;
        let mut engine = Engine::new(Limits::default());
        let mut hashes = Hashes::default();
        let mut past = Past {
            commands: Vec::new(),
            outputs: Vec::new(),
            recovery: recovered.recovery().clone(),
            state_hash: StateHash::default(),
        };
        for record in Reader::open(disk).map_err(|error| Refused::Damaged(error.to_string()))? {
            let command = record.map_err(|error| Refused::Damaged(error.to_string()))?;
            past.commands.push(command);
            past.outputs.extend(apply(&mut engine, &command));
        }
        past.state_hash = engine.state_hash();
        past.outputs.iter().for_each(|output| hashes.follow(output));
        if wiring == Wiring::RecoveryForgetsLast
            && let Some((_, all_but_last)) = past.commands.split_last()
        {
            engine = Engine::new(Limits::default());
            for command in all_but_last {
                apply(&mut engine, command);
            }
        }
        let state = engine.export();

        let (last_seq, last_stamp) = (past.recovery.last_seq, past.recovery.last_stamp);
        let config = Config {
            durability: plan.durability,
            segment_bytes: plan.segment_bytes,
            block_bytes: BLOCK_BYTES,
            reserve_segments: 2,
            bytes_max: None,
        };
        let (journal, syncer) = recovered.into_writer(config).map_err(|error| match error {
            OpenError::Disk(error) => refused(&error),
            other @ OpenError::Config(_) => Refused::Damaged(other.to_string()),
        })?;
        let (event_in, gate, readers) = broadcast(plan.event_ring, 3);
        let [door, feed, hash_reader] =
            <[EventReader<Output>; 3]>::try_from(readers).expect("three readers were asked for");
        let (inputs, input_ends) = (0..=CLIENTS as usize)
            .map(|input| {
                RingBuffer::new(if input == VENUE_INPUT {
                    VENUE_RING
                } else {
                    plan.input_ring
                })
            })
            .unzip();
        let (command_in, command_out) = RingBuffer::new(plan.engine_ring);
        let (epoch, frontier, stop) = (journal.epoch(), journal.frontier(), Stop::new());
        let config = SequencerConfig {
            batch: plan.batch,
            last_seq,
            last_stamp,
            epoch,
            cancel_only: engine.is_cancel_only(),
        };
        let front = Front {
            sequencer: Sequencer::new(config, input_ends, command_in, journal, clock.clone(), stop.clone()),
            engine: EngineStage::new(engine, command_out, event_in),
            // This is where nothing leaves before it is safe.
            gate: match wiring {
                Wiring::ReleaseBeforeDurable => GateStage::Open(gate),
                _ => GateStage::Production(Box::new(ReleaseGate::new(gate, frontier.clone(), epoch))),
            },
            hash: HashStage::new(hash_reader, hashes),
        };
        let venue = Self {
            front: Arc::new(Mutex::new(front)),
            syncer,
            door,
            feed,
            inputs,
            frontier,
            stop,
            epoch,
        };
        Ok((venue, past, state))
    }

    pub(crate) fn front(&self) -> MutexGuard<'_, Front> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a command in; `false` when the ring is full.
    pub(crate) fn send(&mut self, input: usize, command: Command) -> bool {
        self.inputs
            .get_mut(input)
            .is_some_and(|ring| ring.push(command).is_ok())
    }

    /// A turn of a stage; followers that need to be shown something have turns of their own.
    pub(crate) fn poll(&mut self, turn: Turn) -> usize {
        match turn {
            Turn::Syncer => {
                let moved = self.syncer.poll();
                if let Some(failure) = self.syncer.failure() {
                    self.stop.fail(failure.to_string());
                }
                moved
            }
            Turn::Door | Turn::Feed => 0,
            front => self.front().poll(front),
        }
    }

    pub(crate) fn follow(&mut self, turn: Turn, mut show: impl FnMut(&Output)) -> usize {
        let reader = if turn == Turn::Feed {
            &mut self.feed
        } else {
            &mut self.door
        };
        reader.poll(FOLLOW, |output| {
            show(output);
            true
        })
    }

    /// What goes on, in order, while an fsync is under way.
    pub(crate) fn meanwhile(&self, rounds: u8) -> impl FnOnce() + Send + use<> {
        let front = Arc::clone(&self.front);
        move || {
            let mut front = front.lock().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..rounds {
                for turn in [Turn::Sequencer, Turn::Engine, Turn::Gate, Turn::Hash] {
                    front.poll(turn);
                }
            }
        }
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.stop.failure()
    }

    pub(crate) fn released(&self) -> SequenceNumber {
        self.frontier.released_up_to().1
    }

    pub(crate) fn last_seq(&self) -> SequenceNumber {
        self.front().sequencer.last_seq()
    }

    /// Why no segment is ready, if the disk refused one.
    pub(crate) fn reserve_problem(&self) -> Option<String> {
        self.front().sequencer.journal().reserve_problem()
    }

    /// Whether everything that was handed in has come out everywhere.
    pub(crate) fn is_drained(&self) -> bool {
        let front = self.front();
        front.sequencer.is_drained()
            && front.engine.is_drained()
            && front.gate.is_drained()
            && front.hash.is_drained()
            && self.syncer.is_drained()
            && self.door.is_drained()
            && self.feed.is_drained()
    }

    pub(crate) fn hashes(&self) -> (rialto_model::EventHash, u64) {
        let front = self.front();
        let hashes = front.hash.hashes();
        (hashes.total(), hashes.events())
    }

    pub(crate) fn is_cancel_only(&self) -> bool {
        self.front().engine.engine().is_cancel_only()
    }

    pub(crate) fn state_hash(&self) -> StateHash {
        self.front().engine.engine().state_hash()
    }

    /// Ends in good order.
    pub(crate) fn close(self) -> Result<SequenceNumber, String> {
        let front = Arc::into_inner(self.front).ok_or("an fsync is still under way")?;
        let front = front.into_inner().unwrap_or_else(PoisonError::into_inner);
        let closed = front.sequencer.into_journal().close(self.syncer);
        closed.map(|closed| closed.last_seq).map_err(|error| error.to_string())
    }
}

impl Front {
    pub(crate) fn poll(&mut self, turn: Turn) -> usize {
        match turn {
            Turn::Sequencer => self.sequencer.poll(),
            Turn::Engine => self.engine.poll(),
            Turn::Gate => self.gate.poll(),
            Turn::Hash => self.hash.poll(),
            Turn::Syncer | Turn::Door | Turn::Feed => 0,
        }
    }

    /// Whether events wait that the ring does not hold.
    pub(crate) fn has_spilled(&self) -> bool {
        self.engine.spilled() > 0
    }

    /// Whether records wait for a segment that is still being made.
    pub(crate) fn waits_for_segment(&self) -> bool {
        self.sequencer.journal().pending() > 0
    }

    /// The segment being written.
    pub(crate) fn segment(&self) -> u32 {
        self.sequencer.journal().segment().0
    }

    /// Whether input waits and the engine has no room for it.
    pub(crate) fn is_held_up(&self) -> bool {
        self.sequencer.is_held_up()
    }
}

/// The events of a command, in the envelope that the engine stage gives them.
pub(crate) fn apply(engine: &mut impl Matching, command: &Sequenced<Command>) -> Vec<Output> {
    struct Collect<'a>(&'a Sequenced<Command>, Vec<Output>);
    impl EventSink for Collect<'_> {
        fn emit(&mut self, event: Event) {
            let Sequenced { seq, stamp, epoch, .. } = *self.0;
            self.1.push(Output {
                event: Sequenced {
                    seq,
                    stamp,
                    epoch,
                    body: event,
                },
                last: false,
            });
        }
    }
    let mut collect = Collect(command, Vec::new());
    engine.apply(command, &mut collect);
    if let Some(last) = collect.1.last_mut() {
        last.last = true;
    }
    collect.1
}

/// What has to be sequenced first: the loss of every session that was up, and what is not defined yet.
pub(crate) fn opening(state: &EngineState) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for lost in state.sessions.iter().filter(|session| session.up) {
        commands.push(
            SessionLost {
                session: lost.definition.session,
                incarnation: lost.incarnation,
                cause: LossCause::Recovery,
            }
            .into(),
        );
    }
    if state.release.0 == 0 {
        commands.push(
            Release {
                venue: VENUE,
                release: CURRENT_RELEASE,
            }
            .into(),
        );
    }
    for id in state.instruments.len() as u16 + 1..=INSTRUMENTS as u16 {
        commands.push(
            DefineInstrument {
                instrument: InstrumentId(id),
                symbol: Symbol::new(&format!("SIM{id}")).expect("four letters"),
                scale: PriceScale::DEFAULT,
                tick: Price(1),
                price_max: Price(1_000),
                lot: Quantity(1),
                quantity_max: Quantity(1_000),
            }
            .into(),
        );
    }
    let firm = FirmId(1);
    if state.firms.is_empty() {
        commands.push(
            DefineFirm {
                firm,
                mpid: Mpid::new("SIMU").expect("four letters"),
                name: Text::EMPTY,
            }
            .into(),
        );
    }
    let account = AccountId(1);
    if state.accounts.is_empty() {
        commands.push(DefineAccount { account, firm }.into());
    }
    for id in state.sessions.len() as u32 + 1..=CLIENTS as u32 {
        commands.push(
            DefineSession {
                session: SessionId(id),
                firm,
                account,
                door: Door::Ouch,
                name: Text::EMPTY,
            }
            .into(),
        );
    }
    if !state.day_open {
        commands.push(start_of(state.day.max(TradingDay(FIRST_DAY.0 - 1))));
    }
    commands
}

/// Opens the day behind this one.
fn start_of(after: TradingDay) -> Command {
    let day = TradingDay(after.0 + 1);
    StartOfDay {
        day,
        midnight: day.midnight_utc(),
    }
    .into()
}

/// Ends this day and opens the next.
pub(crate) fn next_day(day: TradingDay) -> [Command; 2] {
    [EndOfDay {}.into(), start_of(day)]
}

/// When the first day begins.
pub(crate) fn first_morning() -> rialto_model::Timestamp {
    FIRST_DAY.midnight_utc()
}
