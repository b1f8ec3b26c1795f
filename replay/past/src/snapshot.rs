//! One snapshot: an engine's whole state behind one command, and the hashes that go on from there. `SPEC.md` has the table.

use crate::limits::SNAPSHOT_BYTES_MAX;
use rialto_matching::{EngineState, EventHasher, ImportError, StateBytesError};
use rialto_model::codec::{DecodeError, Decoder, Encoder, Field};
use rialto_model::limits::MESSAGE_BYTES_MAX;
use rialto_model::{Command, Epoch, EventHash, SequenceNumber, Sequenced, StateHash, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"RIALTOSN";
/// The version this build writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// Where the checksum stands: behind magic and version.
const CRC_AT: usize = 12;
/// Bytes in front of the hashes per instrument.
pub(crate) const HEADER: usize = 88;

/// An engine's state behind one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The command behind which it was taken.
    pub seq: SequenceNumber,
    /// Its stamp.
    pub stamp: Timestamp,
    /// The epoch of its record: with the number it names one record of the venue's life.
    pub epoch: Epoch,
    /// What its record is, see [`link`].
    pub link: u64,
    /// The hash of the state.
    pub state_hash: StateHash,
    /// How many events there were up to here.
    pub events: u64,
    /// Their hashes, in total and per instrument.
    pub hasher: EventHasher,
    /// The state.
    pub state: EngineState,
}

/// What a snapshot says of itself in front of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: SequenceNumber,
    pub(crate) state_hash: StateHash,
    pub(crate) event_hash: EventHash,
}

/// Why bytes are not a snapshot to go on from. The mend is the same for all: drop it, the journal has everything.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not what was written.
    #[error("the file is cut short or damaged: its checksum is wrong")]
    Damaged,
    /// Another format.
    #[error("format version {0}, where this build reads version {FORMAT_VERSION}")]
    Version(u32),
    /// Larger than anything this build writes.
    #[error("it has {0} bytes, over SNAPSHOT_BYTES_MAX")]
    TooLarge(u64),
    /// Sound, and not understood.
    #[error(transparent)]
    State(#[from] StateBytesError),
    /// The state is not the one that was hashed.
    #[error("its state has the hash {found}, it states {stated}")]
    Hash {
        /// What it states.
        stated: StateHash,
        /// What the state makes.
        found: StateHash,
    },
    /// The state contradicts itself.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Of another stream: a fork, or what stood in the journal before it was cut.
    #[error("it was taken behind another command {seq} than the journal has")]
    OfAnotherStream {
        /// The number it names.
        seq: SequenceNumber,
    },
}

impl From<DecodeError> for SnapshotError {
    fn from(_: DecodeError) -> Self {
        Self::Damaged
    }
}

/// What a record is, apart from its epoch: 64-bit xxh3 over number, stamp, schema id and message.
#[must_use]
pub fn link(command: &Sequenced<Command>) -> u64 {
    let mut room = [0; MESSAGE_BYTES_MAX + 18];
    let mut out = Encoder::new(&mut room);
    command.seq.put(&mut out);
    command.stamp.put(&mut out);
    command.body.schema().put(&mut out);
    command.body.encode(&mut out);
    let len = out.len();
    xxh3_64(room.get(..len).unwrap_or_default())
}

impl Snapshot {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let state = self.state.encode();
        let instruments: Vec<EventHash> = self.hasher.instruments().map(|(_, hash)| hash).collect();
        let mut bytes = vec![0; HEADER];
        bytes.reserve(instruments.len() * 8 + state.len());
        for hash in &instruments {
            bytes.extend_from_slice(&hash.0.to_le_bytes());
        }
        bytes.extend_from_slice(&state);
        let length = bytes.len() as u64;
        let mut out = Encoder::new(&mut bytes);
        out.put_bytes(&MAGIC);
        FORMAT_VERSION.put(&mut out);
        0u32.put(&mut out);
        length.put(&mut out);
        self.seq.put(&mut out);
        self.stamp.put(&mut out);
        self.epoch.put(&mut out);
        (instruments.len() as u32).put(&mut out);
        self.link.put(&mut out);
        self.state_hash.0.put(&mut out);
        self.hasher.total().0.put(&mut out);
        self.events.put(&mut out);
        (state.len() as u64).put(&mut out);
        let crc = checksum(&bytes);
        if let Some(place) = bytes.get_mut(CRC_AT..CRC_AT + 4) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        bytes
    }

    /// Reads it back and checks everything that it states of itself. Whether it is of a given journal is not in it.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut input = Decoder::new(bytes);
        let head = decode_head(&mut input, bytes)?;
        let instruments = (0..head.instruments)
            .map(|_| u64::get(&mut input).map(EventHash))
            .collect::<Result<Vec<_>, _>>()?;
        if input.remaining() as u64 != head.state_bytes {
            return Err(SnapshotError::Damaged);
        }
        let canonical = input.take(input.remaining())?;
        let found = StateHash::of(canonical);
        if found != head.head.state_hash {
            let stated = head.head.state_hash;
            return Err(SnapshotError::Hash { stated, found });
        }
        let state = EngineState::decode(canonical)?;
        if state.last_seq != head.head.seq {
            return Err(SnapshotError::Damaged);
        }
        Ok(Self {
            seq: head.head.seq,
            stamp: head.stamp,
            epoch: head.epoch,
            link: head.link,
            state_hash: head.head.state_hash,
            events: head.events,
            hasher: EventHasher::resume(head.head.event_hash, instruments),
            state,
        })
    }

    /// What the bytes state in front of their state, with the checksum over all of them.
    pub(crate) fn head(bytes: &[u8]) -> Result<Head, SnapshotError> {
        decode_head(&mut Decoder::new(bytes), bytes).map(|header| header.head)
    }
}

/// The header, read.
struct Header {
    head: Head,
    stamp: Timestamp,
    epoch: Epoch,
    instruments: u32,
    link: u64,
    events: u64,
    state_bytes: u64,
}

fn decode_head(input: &mut Decoder<'_>, bytes: &[u8]) -> Result<Header, SnapshotError> {
    if bytes.len() as u64 > SNAPSHOT_BYTES_MAX {
        return Err(SnapshotError::TooLarge(bytes.len() as u64));
    }
    if input.array()? != MAGIC {
        return Err(SnapshotError::Damaged);
    }
    let version = u32::get(input)?;
    let crc = u32::get(input)?;
    if crc != checksum(bytes) {
        return Err(SnapshotError::Damaged);
    }
    if version != FORMAT_VERSION {
        return Err(SnapshotError::Version(version));
    }
    if u64::get(input)? != bytes.len() as u64 {
        return Err(SnapshotError::Damaged);
    }
    let (seq, stamp, epoch) = (Field::get(input)?, Field::get(input)?, Field::get(input)?);
    let (instruments, link) = (Field::get(input)?, Field::get(input)?);
    let (state_hash, event_hash) = (StateHash(Field::get(input)?), EventHash(Field::get(input)?));
    Ok(Header {
        head: Head {
            seq,
            state_hash,
            event_hash,
        },
        stamp,
        epoch,
        instruments,
        link,
        events: Field::get(input)?,
        state_bytes: Field::get(input)?,
    })
}

/// CRC32C of everything but the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    let before = bytes.get(..CRC_AT).unwrap_or_default();
    let behind = bytes.get(CRC_AT + 4..).unwrap_or_default();
    crc32c::crc32c_append(crc32c::crc32c(before), behind)
}
