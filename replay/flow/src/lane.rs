//! An engine between commands in memory and a ring, as in the exchange: what is measured stands in [`Lane::apply`], what
//! is not in [`Lane::drain`].

use rialto_matching::{Engine, EventHasher, Limits, Matching};
use rialto_model::{Command, Event, EventHash, EventSink, Output, Sequenced};
use rialto_ring::broadcast::{Gate, Reader, Writer, broadcast};

/// Commands applied between two publications at most, as the engine's stage does it.
pub const BATCH: usize = 256;
/// Events in the ring: some three for each command of a batch.
const RING: usize = 1_024;

/// One engine, one ring, one reader.
#[derive(Debug)]
pub struct Lane {
    engine: Engine,
    ring: Writer<Output>,
    gate: Gate<Output>,
    reader: Reader<Output>,
    tally: Tally,
}

/// What the reader has seen.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    hasher: EventHasher,
    /// Events of any kind.
    pub events: u64,
    /// Executions.
    pub trades: u64,
}

impl Tally {
    /// The hash over all events so far.
    #[must_use]
    pub const fn event_hash(&self) -> EventHash {
        self.hasher.total()
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self::new()
    }
}

impl Lane {
    /// A venue before its first command.
    #[must_use]
    pub fn new() -> Self {
        let (ring, gate, mut readers) = broadcast(RING, 1);
        let reader = readers.remove(0);
        Self {
            engine: Engine::new(Limits::default()),
            ring,
            gate,
            reader,
            tally: Tally::default(),
        }
    }

    /// Applies up to [`BATCH`] commands, writes their events to the ring and publishes them: what is measured. A
    /// function of its own under any optimization, so that instructions can be counted in it alone.
    ///
    /// # Panics
    /// When the ring is full: a batch of this crate's flows causes some three hundred events. Call
    /// [`Lane::drain`] after every batch.
    #[inline(never)]
    pub fn apply(&mut self, commands: &[Sequenced<Command>]) {
        for command in commands {
            self.engine.apply(
                command,
                &mut Sink {
                    command,
                    ring: &mut self.ring,
                },
            );
            if let Some(output) = self.ring.unpublished() {
                output.last = true;
            }
        }
        self.ring.publish();
    }

    /// Releases, reads and hashes what was published: the work of others in the exchange.
    #[inline(never)]
    pub fn drain(&mut self) {
        self.gate.poll(RING, |_| true);
        let Self { reader, tally, .. } = self;
        reader.poll(RING, |output| {
            tally.events += 1;
            tally.trades += u64::from(matches!(output.event.body, Event::Executed(_)));
            tally.hasher.update(&output.event);
            true
        });
    }

    /// Applies any number of commands, batch by batch, and reads what comes of them.
    pub fn run(&mut self, commands: &[Sequenced<Command>]) {
        for batch in commands.chunks(BATCH) {
            self.apply(batch);
            self.drain();
        }
    }

    /// What the reader has seen so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many orders rest.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.engine.live_orders()
    }
}

/// Puts a command's envelope around its events.
struct Sink<'a> {
    command: &'a Sequenced<Command>,
    ring: &'a mut Writer<Output>,
}

impl EventSink for Sink<'_> {
    #[inline]
    fn emit(&mut self, event: Event) {
        let Sequenced { seq, stamp, epoch, .. } = *self.command;
        let event = Sequenced {
            seq,
            stamp,
            epoch,
            body: event,
        };
        assert!(
            self.ring.write(Output { event, last: false }).is_ok(),
            "a ring holds the events of a batch"
        );
    }
}
