//! An exchange without doors, all on the calling thread: for recorded flow.

use super::core::{Core, EVENT_RING, Ended, INPUT_RING, JournalConfig, Rebuilt};
use anyhow::{Context as _, Result};
use rialto_client::FeedAddresses;
use rialto_feed::{Config as FeedConfig, FeedStage};
use rialto_model::{Clock, Command, InstrumentId, Output, Price, Quantity, Side, VenueId};
use rialto_ring::broadcast::{Reader, broadcast};
use rialto_ring::spsc::{Producer, RingBuffer};
use rialto_ring::{Stage as _, Stop, SystemClock};
use std::net::Ipv4Addr;
use std::path::Path;

/// Segments of a recorded day.
const SEGMENT_BYTES: u64 = 16 << 20;

/// How to open one.
pub(crate) struct PipelineConfig {
    journal: JournalConfig,
    feed: FeedConfig,
}

impl PipelineConfig {
    /// A venue of its own under `data`, with a feed on the loopback interface, ports that the system picks, and answers to
    /// requests without a budget.
    pub(crate) fn for_ingest(data: &Path, durability: &str) -> Result<Self> {
        let mut feed = FeedConfig {
            answer_bytes_per_second: u32::MAX.into(),
            ..FeedConfig::default()
        };
        feed.line_a.set_port(0);
        feed.line_b.iter_mut().for_each(|line| line.set_port(0));
        feed.rerequest.set_port(0);
        Ok(Self {
            journal: JournalConfig::new(data, VenueId(1), durability, SEGMENT_BYTES)?,
            feed,
        })
    }
}

/// The stages and the only input.
pub(crate) struct Pipeline<C: Clock> {
    input: Producer<Command>,
    core: Core<C>,
    feed: FeedStage<SystemClock>,
    released: Reader<Output>,
    stop: Stop,
}

impl<C: Clock + Send> Pipeline<C> {
    /// Opens it; a journal that is there is gone on with.
    pub(crate) fn open(config: PipelineConfig, clock: C) -> Result<Self> {
        let stop = Stop::new();
        let (event_in, gate, readers) = broadcast(EVENT_RING, 3);
        let [feed_reader, hash_reader, released] = <[Reader<Output>; 3]>::try_from(readers)
            .ok()
            .context("three readers were asked for")?;
        let mut feed = FeedStage::new(&config.feed, feed_reader, SystemClock::new())?;
        let rebuilt = Rebuilt::open(&config.journal, |output| feed.replay(output))?;
        let (input, commands) = RingBuffer::new(INPUT_RING);
        let core = Core::assemble(
            rebuilt,
            vec![commands],
            (event_in, gate, hash_reader),
            clock,
            &stop,
            None,
        )?;
        Ok(Self {
            input,
            core,
            feed,
            released,
            stop,
        })
    }

    /// Hands in a command; `false` when the ring is full: poll, then try again.
    pub(crate) fn send(&mut self, command: Command) -> bool {
        self.input.push(command).is_ok()
    }

    /// Gives every stage its turn.
    pub(crate) fn poll(&mut self) -> usize {
        let Core {
            sequencer,
            engine,
            gate,
            sync,
            hash,
            ..
        } = &mut self.core;
        sequencer.poll() + engine.poll() + gate.poll() + sync.poll() + hash.poll() + self.feed.poll()
    }

    /// Shows the released events.
    pub(crate) fn follow(&mut self, mut show: impl FnMut(&Output)) -> usize {
        self.released.poll(EVENT_RING, |output| {
            show(output);
            true
        })
    }

    /// Why it stands still, if something broke.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.stop.failure()
    }

    /// Whether every command that was handed in has come out everywhere.
    pub(crate) fn is_drained(&self) -> bool {
        let Core {
            sequencer,
            engine,
            gate,
            sync,
            hash,
            ..
        } = &self.core;
        sequencer.is_drained()
            && engine.is_drained()
            && gate.is_drained()
            && sync.is_drained()
            && hash.is_drained()
            && self.feed.is_drained()
            && self.released.is_drained()
    }

    /// The best `levels` of a side.
    pub(crate) fn depth(&self, instrument: InstrumentId, side: Side, levels: usize) -> Vec<(Price, Quantity)> {
        self.core.engine.engine().depth(instrument, side, levels).collect()
    }

    /// The MoldUDP64 number of the next message.
    pub(crate) fn feed_next_sequence(&self) -> u64 {
        self.feed.publisher().next_sequence().0
    }

    /// Datagrams sent so far: both lines and the answers to requests.
    pub(crate) fn feed_datagrams(&self) -> u64 {
        super::datagrams(&self.feed.counters())
    }

    /// Where a subscriber finds the feed.
    pub(crate) fn feed_addresses(&self) -> FeedAddresses {
        super::feed_addresses(&self.feed, Ipv4Addr::LOCALHOST)
    }

    /// Seals the journal.
    pub(crate) fn close(self) -> Result<Ended> {
        self.core.close()
    }
}
