//! The running event hashes, kept by a reader of the released stream.

use crate::witness::Witness;
use rialto_matching::EventHasher;
use rialto_model::{EventHash, Output, SequenceNumber};
use rialto_ring::Stage;
use rialto_ring::broadcast::Reader;

/// Events hashed in one poll at most.
const BATCH: usize = 1024;

/// What a follower knows of the stream so far.
#[derive(Clone, Debug, Default)]
pub struct Hashes {
    hasher: EventHasher,
    events: u64,
    last_seq: SequenceNumber,
}

impl Hashes {
    /// Goes on from what was kept behind command `last_seq`.
    #[must_use]
    pub const fn resume(hasher: EventHasher, events: u64, last_seq: SequenceNumber) -> Self {
        Self {
            hasher,
            events,
            last_seq,
        }
    }

    /// Takes in one event.
    #[inline]
    pub fn follow(&mut self, output: &Output) {
        self.hasher.update(&output.event);
        self.events += 1;
        self.last_seq = output.event.seq;
    }

    /// The hash over all events.
    #[must_use]
    pub fn total(&self) -> EventHash {
        self.hasher.total()
    }

    /// The hashes per instrument.
    #[must_use]
    pub const fn hasher(&self) -> &EventHasher {
        &self.hasher
    }

    /// How many events.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The number of the last command whose events were seen.
    #[must_use]
    pub const fn last_seq(&self) -> SequenceNumber {
        self.last_seq
    }
}

/// [`Hashes`] fed from the ring.
#[derive(Debug)]
pub struct HashStage {
    events: Reader<Output>,
    hashes: Hashes,
    witness: Option<Witness>,
    /// The next event is the first of its command.
    first: bool,
}

impl HashStage {
    /// Goes on from `hashes`, which a recovery may have begun.
    #[must_use]
    pub const fn new(events: Reader<Output>, hashes: Hashes) -> Self {
        Self {
            events,
            hashes,
            witness: None,
            first: true,
        }
    }

    /// Also compares with another engine, where one is.
    #[must_use]
    pub fn with_witness(self, witness: Witness) -> Self {
        Self {
            witness: Some(witness),
            ..self
        }
    }

    /// What is known so far.
    #[must_use]
    pub const fn hashes(&self) -> &Hashes {
        &self.hashes
    }

    /// What was known in the end.
    #[must_use]
    pub fn into_hashes(self) -> Hashes {
        self.hashes
    }
}

impl Stage for HashStage {
    fn name(&self) -> &'static str {
        "hash"
    }

    fn poll(&mut self) -> usize {
        let hashes = &mut self.hashes;
        let Some(witness) = &mut self.witness else {
            return self.events.poll(BATCH, |output| {
                hashes.follow(output);
                true
            });
        };
        let first = &mut self.first;
        let moved = self.events.poll(BATCH, |output| {
            hashes.follow(output);
            witness.note(output, *first, hashes.total());
            *first = output.last;
            true
        });
        moved + witness.compare()
    }

    fn is_drained(&self) -> bool {
        self.events.is_drained() && self.witness.as_ref().is_none_or(Witness::is_drained)
    }
}
