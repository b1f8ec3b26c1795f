//! An engine of its own at one place of the stream, with the hashes of everything before it.

use crate::snapshot::{Snapshot, SnapshotError, link};
use rialto_engine::Hashes;
use rialto_matching::{Engine, EngineState, Limits, Matching as _};
use rialto_model::{Command, Event, EventHash, EventSink, Output, SequenceNumber, Sequenced, StateHash};

/// The venue as it was behind one command.
#[derive(Clone, Debug)]
pub struct Past {
    engine: Engine,
    hashes: Hashes,
    last: Option<Last>,
    begun: SequenceNumber,
    applied: u64,
    outputs: Vec<Output>,
}

/// The last command, as far as a snapshot names it.
#[derive(Clone, Copy, Debug)]
struct Last {
    command: Sequenced<()>,
    what: What,
}

/// What the last command was: itself, or what a snapshot kept of it.
#[derive(Clone, Copy, Debug)]
enum What {
    Command(Command),
    Link(u64),
}

impl Default for Past {
    fn default() -> Self {
        Self::new()
    }
}

impl Past {
    /// Before the first command.
    #[must_use]
    pub fn new() -> Self {
        Self {
            engine: Engine::new(Limits::default()),
            hashes: Hashes::default(),
            last: None,
            begun: SequenceNumber(0),
            applied: 0,
            outputs: Vec::new(),
        }
    }

    /// Where a snapshot was taken.
    ///
    /// # Errors
    /// [`SnapshotError::Import`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, SnapshotError> {
        let Snapshot { seq, stamp, epoch, .. } = *snapshot;
        Ok(Self {
            engine: Engine::import(&snapshot.state)?,
            hashes: Hashes::resume(snapshot.hasher.clone(), snapshot.events, seq),
            last: Some(Last {
                command: Sequenced {
                    seq,
                    stamp,
                    epoch,
                    body: (),
                },
                what: What::Link(snapshot.link),
            }),
            begun: seq,
            applied: 0,
            outputs: Vec::new(),
        })
    }

    /// Goes on by one command and gives what came of it, until the next one.
    ///
    /// # Panics
    /// When the number is not above that of the command before: a journal's reader has made sure of it.
    pub fn apply(&mut self, command: &Sequenced<Command>) -> &[Output] {
        self.outputs.clear();
        let mut sink = Sink {
            command,
            outputs: &mut self.outputs,
        };
        self.engine.apply(command, &mut sink);
        if let Some(last) = self.outputs.last_mut() {
            last.last = true;
        }
        for output in &self.outputs {
            self.hashes.follow(output);
        }
        let Sequenced { seq, stamp, epoch, .. } = *command;
        self.last = Some(Last {
            command: Sequenced {
                seq,
                stamp,
                epoch,
                body: (),
            },
            what: What::Command(command.body),
        });
        self.applied += 1;
        &self.outputs
    }

    /// The number of the last command; zero before the first.
    #[must_use]
    pub fn seq(&self) -> SequenceNumber {
        self.last.map_or(SequenceNumber(0), |last| last.command.seq)
    }

    /// Number, stamp and epoch of the last command; `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<Sequenced<()>> {
        self.last.map(|last| last.command)
    }

    /// What the last command is, for who goes on elsewhere; zero before the first.
    #[must_use]
    pub fn link(&self) -> u64 {
        self.last.map_or(0, |last| last.link())
    }

    /// The number of the snapshot it began from; zero where it began with the first command.
    #[must_use]
    pub const fn begun(&self) -> SequenceNumber {
        self.begun
    }

    /// How many commands were applied since.
    #[must_use]
    pub const fn applied(&self) -> u64 {
        self.applied
    }

    /// The engine, for questions.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The whole state.
    #[must_use]
    pub fn state(&self) -> EngineState {
        self.engine.export()
    }

    /// Its hash.
    #[must_use]
    pub fn state_hash(&self) -> StateHash {
        self.engine.state_hash()
    }

    /// The hash over all events since the first command of the venue's life.
    #[must_use]
    pub fn event_hash(&self) -> EventHash {
        self.hashes.total()
    }

    /// How many events there were.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.hashes.events()
    }

    /// What a snapshot of this place holds; `None` before the first command.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        let last = self.last?;
        let command = last.command;
        let state = self.state();
        Some(Snapshot {
            seq: command.seq,
            stamp: command.stamp,
            epoch: command.epoch,
            link: last.link(),
            state_hash: state.state_hash(),
            events: self.hashes.events(),
            hasher: self.hashes.hasher().clone(),
            state,
        })
    }
}

impl Last {
    fn link(&self) -> u64 {
        let Sequenced { seq, stamp, epoch, .. } = self.command;
        match self.what {
            What::Link(link) => link,
            What::Command(body) => link(&Sequenced {
                seq,
                stamp,
                epoch,
                body,
            }),
        }
    }
}

/// Puts a command's envelope around its events.
struct Sink<'a> {
    command: &'a Sequenced<Command>,
    outputs: &'a mut Vec<Output>,
}

impl EventSink for Sink<'_> {
    fn emit(&mut self, event: Event) {
        let Sequenced { seq, stamp, epoch, .. } = *self.command;
        self.outputs.push(Output {
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
