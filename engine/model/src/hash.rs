//! The one oracle: hashes that replay, snapshots, standbys, candidates and tests compare.
//!
//! Fixed with the first record: 64-bit xxh3. Events are chained, each under the hash before it as seed, over their
//! schema bytes ([`Event::encode_hashed`]); state is hashed over the canonical snapshot bytes with seed zero. Epochs,
//! batch bounds, internal handles and thread layout are in neither. Written as 16 hexadecimal digits.

use crate::codec::{Encoder, Field as _};
use crate::event::Event;
use crate::ids::InstrumentId;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::sequenced::Sequenced;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The running hash of a sequence of events: of a whole venue, or of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventHash(pub u64);

/// The hash of an engine's whole canonical state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StateHash(pub u64);

impl EventHash {
    /// Takes in one event. Done by who reads the ring, never by the matching thread.
    #[inline]
    pub fn update(&mut self, event: &Sequenced<Event>) {
        let mut bytes = [0; HASHED_BYTES_MAX];
        let len = event.encode_hashed(&mut bytes);
        self.update_encoded(bytes.get(..len).unwrap_or(&bytes));
    }

    /// Takes in one event by the bytes that [`Sequenced::encode_hashed`] gave: for who keeps several hashes of it.
    #[inline]
    pub fn update_encoded(&mut self, encoded: &[u8]) {
        self.0 = xxh3_64_with_seed(encoded, self.0);
    }
}

/// Room for one event with its envelope.
pub const HASHED_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 20;

impl StateHash {
    /// The hash of canonical snapshot bytes.
    #[must_use]
    pub fn of(canonical: &[u8]) -> Self {
        Self(xxh3_64(canonical))
    }
}

impl core::fmt::Display for EventHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl core::fmt::Display for StateHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Event {
    /// The instrument whose per-instrument hash this event is part of, if it is one's.
    #[must_use]
    pub const fn instrument(&self) -> Option<InstrumentId> {
        match self {
            Self::InstrumentListed(e) => Some(e.instrument),
            Self::Accepted(e) => Some(e.instrument),
            Self::Replaced(e) => Some(e.instrument),
            Self::Booked(e) => Some(e.instrument),
            Self::Reduced(e) => Some(e.instrument),
            Self::Cancelled(e) => Some(e.instrument),
            Self::Executed(e) => Some(e.instrument),
            Self::Rejected(e) => Some(e.instrument),
            Self::Restated(e) => Some(e.instrument),
            Self::RulebookSet(e) => Some(e.instrument),
            Self::TicksSet(e) => Some(e.instrument),
            Self::Instructed(e) => Some(e.instrument),
            Self::Triggered(e) => Some(e.instrument),
            Self::PhaseChanged(e) => Some(e.instrument),
            Self::Indicative(e) => Some(e.instrument),
            Self::Uncrossed(e) => Some(e.instrument),
            Self::OfficialPrice(e) => Some(e.instrument),
            Self::BandsSet(e) => Some(e.instrument),
            Self::PriceBands(e) => Some(e.instrument),
            Self::LimitStateChanged(e) => Some(e.instrument),
            Self::Pegged(e) => Some(e.instrument),
            Self::Quoted(e) => Some(e.instrument),
            Self::QuoteRejected(e) => Some(e.instrument),
            Self::ProtectionTripped(e) => Some(e.instrument),
            Self::ProtectionReset(e) => Some(e.instrument),
            Self::FeesSet(e) => Some(e.instrument),
            Self::AllocationSet(e) => Some(e.instrument),
            Self::TradeBusted(e) => Some(e.instrument),
            Self::TradeCorrected(e) => Some(e.instrument),
            _ => None,
        }
    }

    /// Appends the schema id, then block and text.
    #[inline]
    fn encode_with_schema(&self, out: &mut Encoder<'_>) {
        self.schema().put(out);
        self.encode(out);
    }
}

impl Sequenced<Event> {
    /// The bytes that the event hash takes in: sequence number, stamp, schema id, block, text. Returns their count.
    #[inline]
    pub fn encode_hashed(&self, out: &mut [u8; HASHED_BYTES_MAX]) -> usize {
        let mut out = Encoder::new(out);
        self.seq.put(&mut out);
        self.stamp.put(&mut out);
        self.body.encode_with_schema(&mut out);
        out.len()
    }
}
