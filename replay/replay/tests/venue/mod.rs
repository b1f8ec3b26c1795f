//! A whole venue without doors on one thread, with a disk and a clock that a test holds.
#![allow(dead_code, reason = "each test file uses its part")]

use rialto_engine::{EngineStage, HashStage, Hashes};
use rialto_journal::{Config, Disk, Durability, Reader as JournalReader, Syncer, recover};
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::command::{
    DefineAccount, DefineFirm, DefineInstrument, DefineSession, Release, SessionUp, StartOfDay,
};
use rialto_model::{
    AccountId, Command, Door, Epoch, Event, EventHash, EventSink, FirmId, Incarnation, InstrumentId, Mpid, Output,
    Price, PriceScale, Quantity, SequenceNumber, Sequenced, SessionId, StateHash, Symbol, Text, Timestamp, TradingDay,
    VenueId,
};
use rialto_ring::broadcast::{Reader, broadcast};
use rialto_ring::spsc::{Producer, RingBuffer};
use rialto_ring::{Stage as _, Stop, VirtualClock};
use rialto_sequencer::{ReleaseGate, Sequencer, SequencerConfig, Standing};

/// One instrument, one firm with one session, which is up, and a day: seven commands, so that the first order is number 8.
pub(crate) fn opening() -> Vec<Command> {
    let name = Text::EMPTY;
    vec![
        Release {
            venue: VenueId(1),
            release: rialto_matching::CURRENT_RELEASE,
        }
        .into(),
        DefineInstrument {
            instrument: InstrumentId(1),
            symbol: Symbol::new("ACME").unwrap(),
            scale: PriceScale::DEFAULT,
            tick: Price(1),
            price_max: Price(1_000_000),
            lot: Quantity(1),
            quantity_max: Quantity(1_000_000),
        }
        .into(),
        DefineFirm {
            firm: FirmId(1),
            mpid: Mpid::new("ALFA").unwrap(),
            name,
        }
        .into(),
        DefineAccount {
            account: AccountId(1),
            firm: FirmId(1),
        }
        .into(),
        DefineSession {
            session: SessionId(1),
            firm: FirmId(1),
            account: AccountId(1),
            door: Door::Ouch,
            name,
        }
        .into(),
        StartOfDay {
            day: TradingDay(20_000),
            midnight: TradingDay(20_000).midnight_utc(),
        }
        .into(),
        SessionUp {
            session: SessionId(1),
            incarnation: Incarnation(1),
            ..Default::default()
        }
        .into(),
    ]
}

/// What was let out, without the epochs that a crash adds.
pub(crate) struct Released {
    pub(crate) outputs: Vec<Output>,
    pub(crate) state_hash: StateHash,
    pub(crate) event_hash: EventHash,
}

/// How large everything is that may not change an output.
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) commands: usize,
    pub(crate) events: usize,
    pub(crate) segment_bytes: u64,
    pub(crate) block_bytes: usize,
}

pub(crate) const SMALL: Sizes = Sizes {
    batch: 3,
    commands: 64,
    events: 1_024,
    segment_bytes: 4_096,
    block_bytes: 1_024,
};

pub(crate) struct Venue<D: Disk> {
    input: Producer<Command>,
    sequencer: Sequencer<VirtualClock, D>,
    engine: EngineStage<Engine>,
    gate: ReleaseGate,
    syncer: Syncer<D>,
    hash: HashStage,
    reader: Reader<Output>,
    outputs: Vec<Output>,
    clock: VirtualClock,
    stop: Stop,
}

impl<D: Disk> Venue<D>
where
    Sequencer<VirtualClock, D>: rialto_ring::Stage,
{
    pub(crate) fn open(disk: &D, durability: Durability) -> Result<Self, String> {
        Self::sized(disk, durability, &SMALL)
    }

    pub(crate) fn sized(disk: &D, durability: Durability, sizes: &Sizes) -> Result<Self, String> {
        let recovered = recover(disk, VenueId(1)).map_err(|e| e.to_string())?;
        let mut engine = Engine::new(Limits::default());
        let mut collect = Collect::default();
        let mut hashes = Hashes::default();
        for record in JournalReader::open(disk).map_err(|e| e.to_string())? {
            let command = record.map_err(|e| e.to_string())?;
            collect.command = Some(command);
            engine.apply(&command, &mut collect);
            if let Some(last) = collect.outputs.last_mut() {
                last.last = true;
            }
        }
        collect.outputs.iter().for_each(|output| hashes.follow(output));
        let (last_seq, last_stamp) = (recovered.recovery().last_seq, recovered.recovery().last_stamp);
        let config = Config {
            durability,
            segment_bytes: sizes.segment_bytes,
            block_bytes: sizes.block_bytes,
            reserve_segments: 2,
            bytes_max: None,
        };
        let (journal, syncer) = recovered.into_writer(config).map_err(|e| e.to_string())?;
        let (event_in, gate, mut readers) = broadcast(sizes.events, 2);
        let (input, inputs) = RingBuffer::new(sizes.commands);
        let (command_in, command_out) = RingBuffer::new(sizes.commands);
        let (epoch, frontier) = (journal.epoch(), journal.frontier());
        let stop = Stop::new();
        let clock = VirtualClock::at(last_stamp);
        let config = SequencerConfig {
            batch: sizes.batch,
            last_seq,
            last_stamp,
            epoch,
            cancel_only: engine.is_cancel_only(),
        };
        Ok(Self {
            input,
            sequencer: Sequencer::new(config, vec![inputs], command_in, journal, clock.clone(), stop.clone()),
            engine: EngineStage::new(engine, command_out, event_in),
            gate: ReleaseGate::new(gate, frontier, epoch),
            syncer,
            hash: HashStage::new(readers.remove(0), hashes),
            reader: readers.remove(0),
            outputs: collect.outputs,
            clock,
            stop,
        })
    }

    /// Everything that is handed in from here on comes at this moment.
    pub(crate) fn at(&self, moment: Timestamp) {
        self.clock.set(moment);
    }

    /// Plays commands one by one, a second apart by their number, each until everything is quiet.
    pub(crate) fn play(&mut self, commands: &[Command]) -> Result<(), String> {
        for command in commands {
            self.clock.set(Timestamp((self.last_seq().0 + 1) * 1_000_000_000));
            self.input.push(*command).map_err(|e| e.to_string())?;
            // Enough rounds for a segment to be made; a disk that has stopped ends the run by its error.
            for _ in 0..64 {
                let moved = self.poll();
                if let Some(failure) = self.stop.failure() {
                    return Err(failure.to_owned());
                }
                if moved == 0 && self.sequencer.is_drained() && self.gate.is_drained() {
                    break;
                }
            }
            // Idle marks are part of the journal's life, too.
            self.clock.advance_ns(20_000_000);
            self.poll();
        }
        Ok(())
    }

    /// Hands one command in, where the ring has room for it.
    pub(crate) fn offer(&mut self, command: Command) -> bool {
        self.input.push(command).is_ok()
    }

    /// What is taken, by the journal's room.
    pub(crate) fn standing(&self) -> Standing {
        self.sequencer.standing().read()
    }

    /// Records that wait for a segment.
    pub(crate) fn waiting(&self) -> u32 {
        self.sequencer.journal().pending()
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.stop.failure()
    }

    pub(crate) fn poll(&mut self) -> usize {
        let outputs = &mut self.outputs;
        let moved =
            self.sequencer.poll() + self.engine.poll() + self.syncer.poll() + self.gate.poll() + self.hash.poll();
        moved
            + self.reader.poll(1_024, |output| {
                let event = Sequenced {
                    epoch: Epoch(0),
                    ..output.event
                };
                outputs.push(Output {
                    event,
                    last: output.last,
                });
                true
            })
    }

    pub(crate) fn last_seq(&self) -> SequenceNumber {
        self.sequencer.last_seq()
    }

    /// What was let out so far, in this life and in those before it.
    pub(crate) fn released(&self) -> Vec<Output> {
        self.outputs.clone()
    }

    pub(crate) fn close(mut self) -> Result<Released, String> {
        while self.poll() != 0 {}
        let state_hash = self.engine.engine().state_hash();
        self.sequencer
            .into_journal()
            .close(self.syncer)
            .map_err(|e| e.to_string())?;
        Ok(Released {
            outputs: self.outputs,
            state_hash,
            event_hash: self.hash.hashes().total(),
        })
    }
}

#[derive(Default)]
struct Collect {
    command: Option<Sequenced<Command>>,
    outputs: Vec<Output>,
}

impl EventSink for Collect {
    fn emit(&mut self, event: Event) {
        let Some(Sequenced { seq, stamp, .. }) = self.command else {
            unreachable!("a command is being applied")
        };
        self.outputs.push(Output {
            event: Sequenced {
                seq,
                stamp,
                epoch: Epoch(0),
                body: event,
            },
            last: false,
        });
    }
}
