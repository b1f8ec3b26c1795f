//! One record: a command with its number and stamp.
//!
//! ```text
//! CRC32C u32 | length u16 | schema u16 | seq u64 | stamp u64 | version u16 | block_len u16 | block | text?
//! ```
//!
//! The checksum stands first so that what it covers is one run of bytes: it is taken once a record, on the order path.

use crate::damage::Defect;
use crate::format::{RECORD_CRC_AT, RECORD_HEADER, RecordFields, Seed};
use crate::limits::RECORD_BYTES_MAX;
use rialto_model::codec::{Decoder, Encoder, Field};
use rialto_model::command::Tick;
use rialto_model::{Command, Epoch, Sequenced};

/// Where the length stands, behind the checksum.
const LENGTH_AT: usize = 4;

/// Appends a record at the start of `out`, which has room for the largest, and says how many bytes it took.
#[inline]
pub(crate) fn encode(out: &mut [u8], command: &Sequenced<Command>, seed: Seed) -> usize {
    let mut encoder = Encoder::new(out);
    0u32.put(&mut encoder);
    let fields = RecordFields {
        // Known behind the message.
        length: 0,
        schema: command.body.schema(),
        seq: command.seq,
        stamp: command.stamp,
        version: u16::from(Command::VERSION),
        block_len: command.body.block_len() as u16,
    };
    fields.put(&mut encoder);
    command.body.encode(&mut encoder);
    let len = encoder.len();
    if let Some(record) = out.get_mut(..len) {
        if let Some(length) = record.get_mut(LENGTH_AT..).and_then(<[u8]>::first_chunk_mut) {
            *length = (len as u16).to_le_bytes();
        }
        seed.seal(record, RECORD_CRC_AT);
    }
    len
}

/// The length that stands in the first record of `bytes`.
fn length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(LENGTH_AT..)?.first_chunk()?;
    Some(usize::from(u16::from_le_bytes(*length)))
}

/// Writes the checksum of the first of our own `records` anew, under another segment's seed, and returns the others.
pub(crate) fn reseal(records: &mut [u8], seed: Seed) -> &mut [u8] {
    let length = length(records).unwrap_or_default().max(RECORD_HEADER);
    match records.split_at_mut_checked(length) {
        Some((record, rest)) => {
            seed.seal(record, RECORD_CRC_AT);
            rest
        }
        None => &mut [],
    }
}

/// Takes the first record off `bytes` and puts it behind those in `into`. Sequence number and stamp are as they stand there:
/// whether they follow on what came before is the reader's to say.
///
/// # Errors
/// [`Defect`]: cut, of an impossible length, with a wrong checksum, or sound and not understood. What was then put into
/// `into` is not to be used.
#[inline]
pub(crate) fn decode<'a>(
    bytes: &mut &[u8],
    seed: Seed,
    epoch: Epoch,
    into: &'a mut Vec<Sequenced<Command>>,
) -> Result<&'a Sequenced<Command>, Defect> {
    let length = length(bytes).ok_or(Defect::RecordCut)?;
    if !(RECORD_HEADER..=RECORD_BYTES_MAX).contains(&length) {
        return Err(Defect::RecordLength { length });
    }
    let (record, rest) = bytes.split_at_checked(length).ok_or(Defect::RecordCut)?;
    if !seed.holds(record, RECORD_CRC_AT) {
        return Err(Defect::RecordChecksum);
    }
    let (header, message) = record.split_first_chunk::<RECORD_HEADER>().ok_or(Defect::RecordCut)?;
    let mut input = Decoder::new(header);
    let _crc = u32::get(&mut input)?;
    let fields = RecordFields::get(&mut input)?;
    *bytes = rest;
    // The message is read where it stays: it would be copied at every hand it goes through.
    let record = into.push_mut(Sequenced {
        seq: fields.seq,
        stamp: fields.stamp,
        epoch,
        body: Command::Tick(Tick {}),
    });
    record
        .body
        .decode_over(fields.schema, usize::from(fields.block_len), message)?;
    Ok(record)
}
