//! The bytes of a segment. `SPEC.md` holds the same as tables; golden bytes hold both.
//!
//! ```text
//! segment = header, block*, footer?, zeros
//! block   = block header, record*          the unit that is written, chained and, when torn, cut
//! record  = record header, message block, text?
//! ```
//!
//! All integers are little-endian, nothing is padded. Each header carries a CRC32C over itself; those behind the segment
//! header are seeded with segment id and epoch, so that what an earlier life of the file left there is never taken for
//! its own. Nothing here reads or writes a file.

use crate::crc;
use rialto_model::codec::{DecodeError, Decoder, Encoder, Field};
use rialto_model::{Epoch, SequenceNumber, Timestamp, TradingDay, VenueId};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What a segment begins with.
pub const MAGIC: [u8; 8] = *b"RIALTOJ\0";
/// The version of everything in this module. Magic, version and CRC keep their place, and the header its length, in
/// every version, so that an old build can say what it cannot read.
pub const FORMAT_VERSION: u32 = 1;
/// What a commit block begins with.
pub const BLOCK_MARKER: [u8; 4] = *b"RJBK";
/// What a footer begins with.
pub const FOOTER_MARKER: [u8; 4] = *b"RJFT";

/// Bytes of a segment header.
pub const SEGMENT_HEADER: usize = 80;
/// Bytes of a commit block's header.
pub const BLOCK_HEADER: usize = 48;
/// Bytes of a record's header.
pub const RECORD_HEADER: usize = 28;
/// Bytes of a footer.
pub const FOOTER: usize = 64;

pub(crate) const SEGMENT_CRC_AT: usize = 12;
const CRC_AT: usize = 4;
pub(crate) const RECORD_CRC_AT: usize = 0;
/// Where the part of a block begins that its chain hash covers: behind marker, CRC and the hash itself.
const BLOCK_CHAINED_AT: usize = 16;

/// The number of a segment: dense from 1 over a journal's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct SegmentId(pub u32);

/// The hash that chains commit blocks: of all blocks up to here. A journal begins with zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct ChainHash(pub u64);

/// Up to where the writer knew the stream to be safe when it wrote this, and in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Whether it was durable (a sync had returned) or only written.
    pub durable: bool,
    /// The last sequence number that was; below 2^63.
    pub up_to: SequenceNumber,
}

/// What seeds the checksums of a segment's blocks, records and footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u32);

macro_rules! wrapped {
    ($($Name:ident($inner:ty)),*) => {$(
        impl Field for $Name {
            const SIZE: usize = size_of::<$inner>();
            #[inline]
            fn put(&self, out: &mut Encoder<'_>) {
                self.0.put(out);
            }
            #[inline]
            fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                <$inner>::get(input).map(Self)
            }
        }
    )*};
}
wrapped!(SegmentId(u32), ChainHash(u64));

impl core::fmt::Display for SegmentId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::fmt::Display for ChainHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The highest bit says how, the others up to where.
const DURABLE: u64 = 1 << 63;

impl Field for Mark {
    const SIZE: usize = 8;
    fn put(&self, out: &mut Encoder<'_>) {
        let how = if self.durable { DURABLE } else { 0 };
        ((self.up_to.0 & !DURABLE) | how).put(out);
    }
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        u64::get(input).map(|bits| Self {
            durable: bits & DURABLE != 0,
            up_to: SequenceNumber(bits & !DURABLE),
        })
    }
}

impl Seed {
    /// The segment header is not seeded: it is what tells id and epoch.
    pub(crate) const UNSEEDED: Self = Self(0);

    /// The seed of a segment in an epoch.
    #[must_use]
    pub fn of(id: SegmentId, epoch: Epoch) -> Self {
        let crc = crc::append(0, &id.0.to_le_bytes());
        Self(crc::append(crc, &epoch.0.to_le_bytes()))
    }

    /// CRC32C of a header and what belongs to it, without the four bytes at `crc_at` that hold it.
    #[inline]
    fn crc(self, bytes: &[u8], crc_at: usize) -> u32 {
        let (before, rest) = bytes.split_at_checked(crc_at).unwrap_or((bytes, &[]));
        let behind = rest.get(size_of::<u32>()..).unwrap_or_default();
        let seed = match before {
            [] => self.0,
            before => crc::append(self.0, before),
        };
        crc::append(seed, behind)
    }

    /// Writes the CRC into its place.
    pub(crate) fn seal(self, bytes: &mut [u8], crc_at: usize) {
        let crc = self.crc(bytes, crc_at);
        if let Some(place) = bytes.get_mut(crc_at..crc_at + size_of::<u32>()) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
    }

    /// Whether the CRC in its place is right.
    #[inline]
    pub(crate) fn holds(self, bytes: &[u8], crc_at: usize) -> bool {
        bytes.get(crc_at..).and_then(|rest| rest.first_chunk()) == Some(&self.crc(bytes, crc_at).to_le_bytes())
    }
}

/// Declares a fixed run of fields.
macro_rules! layout {
    ($(#[$doc:meta])* $Name:ident = $size:expr, after $before:expr; { $($(#[$field_doc:meta])* $field:ident: $Type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $Name {
            $($(#[$field_doc])* pub $field: $Type,)*
        }

        const _: () = assert!($before $(+ <$Type as Field>::SIZE)* == $size);

        impl $Name {
            #[inline]
            pub(crate) fn put(&self, out: &mut Encoder<'_>) {
                $(self.$field.put(out);)*
            }

            #[inline]
            pub(crate) fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok(Self { $($field: <$Type>::get(input)?,)* })
            }
        }
    };
}

layout! {
    /// What a segment is, and where in the stream it begins.
    SegmentHeader = SEGMENT_HEADER, after MAGIC.len() + 4 + 4; {
        /// Bytes of this header: the first block stands behind them.
        header_bytes: u32,
        /// The segment's number.
        id: SegmentId,
        /// Who writes it.
        epoch: Epoch,
        /// Who wrote the segment before: less than `epoch` after a take-over, else equal. Zero in the first.
        previous_epoch: Epoch,
        /// Whose stream.
        venue: VenueId,
        /// The trading day in force; zero before the first.
        day: TradingDay,
        /// The number of the first record that can stand here: whatever an earlier epoch holds from it on is never read.
        first_seq: SequenceNumber,
        /// The stamp of the record before it; zero where there is none.
        last_stamp: Timestamp,
        /// The chain hash of everything before.
        chain: ChainHash,
        /// What was safe when this was written.
        mark: Mark,
        /// Bytes of the whole file.
        segment_bytes: u64,
    }
}

layout! {
    /// One commit: as many records as one write took. Without records it is an idle mark.
    BlockHeader = BLOCK_HEADER, after BLOCK_MARKER.len() + 4; {
        /// xxh3-64, seeded with the chain hash before, over everything in the block behind this field.
        chain: ChainHash,
        /// Bytes of the whole block.
        length: u32,
        /// Records in it.
        count: u32,
        /// Who wrote it.
        epoch: Epoch,
        /// The trading day in force behind its last record.
        day: TradingDay,
        /// The number of its first record; of the next one to come where it has none.
        first_seq: SequenceNumber,
        /// What was safe when this was written.
        mark: Mark,
    }
}

layout! {
    /// What stands in a record's header behind its CRC.
    RecordFields = RECORD_HEADER, after 4; {
        /// Bytes of the whole record.
        length: u16,
        /// Which message it holds.
        schema: u16,
        /// The global number.
        seq: SequenceNumber,
        /// The time it was stamped with.
        stamp: Timestamp,
        /// The version of the message.
        version: u16,
        /// Bytes of the message's fixed block.
        block_len: u16,
    }
}

layout! {
    /// Seals a segment: nothing stands behind it.
    Footer = FOOTER, after FOOTER_MARKER.len() + 4; {
        /// The chain hash behind the last block.
        chain: ChainHash,
        /// The first number in the segment; one above `last_seq` where it holds none.
        first_seq: SequenceNumber,
        /// The last number in the segment.
        last_seq: SequenceNumber,
        /// The last stamp.
        last_stamp: Timestamp,
        /// What was safe when this was written.
        mark: Mark,
        /// Records in the segment.
        records: u32,
        /// Blocks in the segment, idle marks among them.
        blocks: u32,
        /// Who wrote it.
        epoch: Epoch,
        /// The trading day in force behind the last record.
        day: TradingDay,
    }
}

/// Why a header is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderFault {
    /// Fewer bytes than it takes.
    Short,
    /// The checksum says otherwise.
    Checksum,
    /// Sound, and of a format version this build does not read.
    Version(u32),
}

impl From<DecodeError> for HeaderFault {
    fn from(_: DecodeError) -> Self {
        Self::Short
    }
}

impl SegmentHeader {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        let mut out = Encoder::new(&mut bytes);
        out.put_bytes(&MAGIC);
        FORMAT_VERSION.put(&mut out);
        0u32.put(&mut out);
        self.put(&mut out);
        Seed::UNSEEDED.seal(&mut bytes, SEGMENT_CRC_AT);
        bytes
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`HeaderFault`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let bytes = bytes.get(..SEGMENT_HEADER).ok_or(HeaderFault::Short)?;
        let mut input = Decoder::new(bytes);
        if input.array()? != MAGIC || !Seed::UNSEEDED.holds(bytes, SEGMENT_CRC_AT) {
            return Err(HeaderFault::Checksum);
        }
        let version = u32::get(&mut input)?;
        if version != FORMAT_VERSION {
            return Err(HeaderFault::Version(version));
        }
        let _crc = u32::get(&mut input)?;
        Ok(Self::get(&mut input)?)
    }

    /// What seeds the checksums behind it.
    #[must_use]
    pub fn seed(&self) -> Seed {
        Seed::of(self.id, self.epoch)
    }
}

impl BlockHeader {
    /// Completes a block whose records stand in `block` behind room for the header: takes in the chain hash before it and
    /// leaves the new one in the header.
    pub fn seal(mut self, block: &mut [u8], before: ChainHash, seed: Seed) -> ChainHash {
        self.encode_into(block);
        let chained = block.get(BLOCK_CHAINED_AT..).unwrap_or_default();
        self.chain = ChainHash(xxh3_64_with_seed(chained, before.0));
        self.encode_into(block);
        if let Some(header) = block.get_mut(..BLOCK_HEADER) {
            seed.seal(header, CRC_AT);
        }
        self.chain
    }

    fn encode_into(&self, block: &mut [u8]) {
        let mut out = Encoder::new(block);
        out.put_bytes(&BLOCK_MARKER);
        0u32.put(&mut out);
        self.put(&mut out);
    }

    /// Reads it back, whatever stands behind it.
    ///
    /// # Errors
    /// [`HeaderFault`].
    pub fn decode(bytes: &[u8], seed: Seed) -> Result<Self, HeaderFault> {
        let bytes = bytes.get(..BLOCK_HEADER).ok_or(HeaderFault::Short)?;
        let mut input = Decoder::new(bytes);
        if input.array()? != BLOCK_MARKER || !seed.holds(bytes, CRC_AT) {
            return Err(HeaderFault::Checksum);
        }
        let _crc = u32::get(&mut input)?;
        Ok(Self::get(&mut input)?)
    }

    /// The chain hash that the bytes of a whole block have.
    #[must_use]
    pub fn chain_of(block: &[u8], before: ChainHash) -> ChainHash {
        let chained = block.get(BLOCK_CHAINED_AT..).unwrap_or_default();
        ChainHash(xxh3_64_with_seed(chained, before.0))
    }

    /// The number after its last record.
    #[must_use]
    pub const fn next_seq(&self) -> SequenceNumber {
        SequenceNumber(self.first_seq.0.saturating_add(self.count as u64))
    }
}

impl Footer {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self, seed: Seed) -> [u8; FOOTER] {
        let mut bytes = [0; FOOTER];
        let mut out = Encoder::new(&mut bytes);
        out.put_bytes(&FOOTER_MARKER);
        0u32.put(&mut out);
        self.put(&mut out);
        seed.seal(&mut bytes, CRC_AT);
        bytes
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`HeaderFault`].
    pub fn decode(bytes: &[u8], seed: Seed) -> Result<Self, HeaderFault> {
        let bytes = bytes.get(..FOOTER).ok_or(HeaderFault::Short)?;
        let mut input = Decoder::new(bytes);
        if input.array()? != FOOTER_MARKER || !seed.holds(bytes, CRC_AT) {
            return Err(HeaderFault::Checksum);
        }
        let _crc = u32::get(&mut input)?;
        Ok(Self::get(&mut input)?)
    }
}
