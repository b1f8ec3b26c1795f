//! The running event hashes of a venue and of each of its instruments.
//!
//! Kept by who reads the events, never by the matching thread: hashing an event costs more than matching it.

use alloc::vec::Vec;
use rialto_model::hash::HASHED_BYTES_MAX;
use rialto_model::{Event, EventHash, InstrumentId, Sequenced};

/// One chain over all events, and one for each instrument over the events that name it.
///
/// An instrument's chain begins when it is listed. An event that names an instrument which is not listed (the refusal of
/// an order for it) is in the total alone, so a client's choice of ids claims no memory here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventHasher {
    total: EventHash,
    instruments: Vec<EventHash>,
}

impl EventHasher {
    /// Goes on from hashes that were kept: the total, and one for each listed instrument in order of id.
    #[must_use]
    pub const fn resume(total: EventHash, instruments: Vec<EventHash>) -> Self {
        Self { total, instruments }
    }

    /// Takes in the next event of the stream.
    #[inline]
    pub fn update(&mut self, event: &Sequenced<Event>) {
        let mut room = [0; HASHED_BYTES_MAX];
        let len = event.encode_hashed(&mut room);
        let encoded = room.get(..len).unwrap_or(&room);
        self.total.update_encoded(encoded);
        let Some(InstrumentId(id @ 1..)) = event.body.instrument() else {
            return;
        };
        let at = usize::from(id) - 1;
        if matches!(event.body, Event::InstrumentListed(_)) && self.instruments.len() <= at {
            self.instruments.resize(at + 1, EventHash::default());
        }
        if let Some(hash) = self.instruments.get_mut(at) {
            hash.update_encoded(encoded);
        }
    }

    /// The hash over all events.
    #[must_use]
    pub const fn total(&self) -> EventHash {
        self.total
    }

    /// The hash over an instrument's events; zero where there were none.
    #[must_use]
    pub fn instrument(&self, instrument: InstrumentId) -> EventHash {
        let at = usize::from(instrument.0).checked_sub(1);
        at.and_then(|at| self.instruments.get(at)).copied().unwrap_or_default()
    }

    /// Every listed instrument with its hash, in order of id.
    pub fn instruments(&self) -> impl Iterator<Item = (InstrumentId, EventHash)> + '_ {
        (1..).map(InstrumentId).zip(self.instruments.iter().copied())
    }
}
