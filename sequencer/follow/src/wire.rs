//! Frames and their bytes, as `SPEC.md` has them.

use crate::key::Nonce;
use crate::limits::{FAREWELL_TEXT_MAX, FRAME_BYTES_MAX, RECORDS_BYTES_MAX};
use crate::roster::Process;
use rialto_model::codec::{DecodeError, Decoder, Encoder, Field};
use rialto_model::limits::{MESSAGE_BYTES_MAX, TEXT_MAX};
use rialto_model::{Command, Epoch, SequenceNumber, Sequenced, Text, Timestamp, VenueId};
use xxhash_rust::xxh3::xxh3_64;

/// The version both ends must speak.
pub const VERSION: u32 = 2;
const MAGIC: [u8; 8] = *b"RIALTOFW";
/// Bytes of the length field.
pub const LENGTH: usize = 4;
/// Bytes of a `Challenge`'s body.
pub const CHALLENGE: usize = 28;
/// Bytes of a `Hello`'s body in front of its proof.
pub const HELLO: usize = 93;
/// Bytes of a `Welcome`'s body in front of its proof.
pub const WELCOME: usize = 44;
/// Bytes of a proof.
pub const PROOF: usize = 32;
/// Bytes of a `Records` body in front of its records.
pub const RECORDS: usize = 20;
/// Bytes of a record in front of its message.
pub const RECORD: usize = 18;
/// Bytes of a `Frontier`'s body.
pub const FRONTIER: usize = 12;
/// Bytes of a `Taken`'s body.
pub const TAKEN: usize = 8;

/// The first byte of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The server's first.
    Challenge = 1,
    /// The follower's answer.
    Hello = 2,
    /// The server's answer.
    Welcome = 3,
    /// A part of a snapshot.
    SnapshotPart = 4,
    /// Commands.
    Records = 5,
    /// How far the exchange is.
    Frontier = 6,
    /// How far the follower is.
    Taken = 7,
    /// The last frame, and why.
    Farewell = 8,
    /// A follower that is an engine says which.
    Introduce = 9,
    /// What it has to say of commands.
    Testify = 10,
    /// What the server has to say to an engine.
    Brief = 11,
}

impl Kind {
    /// From its byte.
    #[must_use]
    pub const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Challenge,
            2 => Self::Hello,
            3 => Self::Welcome,
            4 => Self::SnapshotPart,
            5 => Self::Records,
            6 => Self::Frontier,
            7 => Self::Taken,
            8 => Self::Farewell,
            9 => Self::Introduce,
            10 => Self::Testify,
            11 => Self::Brief,
            _ => return None,
        })
    }
}

/// Why a server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The exchange ends in good order.
    Ended = 1,
    /// As many followers as there may be.
    Full = 2,
    /// It took nothing for too long.
    Stalled = 3,
    /// Its proof is wrong.
    WrongKey = 4,
    /// Another version, or a broken frame.
    Protocol = 5,
    /// It is ahead of what is released.
    Ahead = 6,
    /// Its last command is not this stream's.
    OtherStream = 7,
    /// The journal begins later.
    TooOld = 8,
    /// The exchange failed or cannot read its journal.
    Failed = 9,
    /// It has another flag table.
    OtherTable = 11,
    /// It is an engine that may not join.
    Declined = 10,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::Ended,
        Self::Full,
        Self::Stalled,
        Self::WrongKey,
        Self::Protocol,
        Self::Ahead,
        Self::OtherStream,
        Self::TooOld,
        Self::Failed,
        Self::OtherTable,
        Self::Declined,
    ];

    /// Whether it is of use to come again.
    #[must_use]
    pub const fn may_come_again(self) -> bool {
        matches!(self, Self::Ended | Self::Full | Self::Stalled | Self::Failed)
    }
}

/// What the server opens with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Its version.
    pub version: u32,
    /// Its nonce.
    pub nonce: Nonce,
}

/// What the follower wants, without its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Its version.
    pub version: u32,
    /// Its nonce.
    pub nonce: Nonce,
    /// What it has.
    pub after: Stand,
    /// Whether it takes a snapshot.
    pub snapshot: bool,
    /// What it says of itself.
    pub process: Process,
}

/// How far a follower is: its last command, by number, stamp and [`link`]; zeros before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    /// The number.
    pub seq: SequenceNumber,
    /// The stamp.
    pub stamp: Timestamp,
    /// What it is.
    pub link: u64,
}

/// What the server will send, without its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// Whose stream.
    pub venue: VenueId,
    /// The writer's epoch.
    pub epoch: Epoch,
    /// The number behind which records begin.
    pub after: SequenceNumber,
    /// What is released now.
    pub frontier: SequenceNumber,
    /// Bytes of the snapshot that comes first; zero: none.
    pub snapshot_bytes: u64,
}

/// What a command is, apart from its epoch.
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

impl Stand {
    /// Behind this command.
    #[must_use]
    pub fn behind(command: &Sequenced<Command>) -> Self {
        Self {
            seq: command.seq,
            stamp: command.stamp,
            link: link(command),
        }
    }
}

impl Challenge {
    /// Its body.
    #[must_use]
    pub fn encode(&self) -> [u8; CHALLENGE] {
        let mut body = [0; CHALLENGE];
        let mut out = Encoder::new(&mut body);
        out.put_bytes(&MAGIC);
        self.version.put(&mut out);
        out.put_bytes(&self.nonce);
        body
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`DecodeError`] where it is cut short or of another kind of server.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(body);
        if input.array()? != MAGIC {
            return Err(DecodeError::UnknownValue {
                kind: "follower's server",
                value: 0,
            });
        }
        let challenge = Self {
            version: Field::get(&mut input)?,
            nonce: input.array()?,
        };
        ended(&input)?;
        Ok(challenge)
    }
}

impl Hello {
    /// Its body in front of the proof.
    #[must_use]
    pub fn encode(&self) -> [u8; HELLO] {
        let mut body = [0; HELLO];
        let mut out = Encoder::new(&mut body);
        self.version.put(&mut out);
        out.put_bytes(&self.nonce);
        self.after.seq.put(&mut out);
        self.after.stamp.put(&mut out);
        self.after.link.put(&mut out);
        self.snapshot.put(&mut out);
        self.process.table.put(&mut out);
        let name = self.process.name.as_bytes();
        (name.len() as u8).put(&mut out);
        out.put_bytes(name);
        body
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(body);
        let hello = Self {
            version: Field::get(&mut input)?,
            nonce: input.array()?,
            after: Stand {
                seq: Field::get(&mut input)?,
                stamp: Field::get(&mut input)?,
                link: Field::get(&mut input)?,
            },
            snapshot: Field::get(&mut input)?,
            process: Process {
                table: Field::get(&mut input)?,
                name: Text::EMPTY,
            },
        };
        let len = usize::from(u8::get(&mut input)?);
        let room = input.take(TEXT_MAX)?;
        let name = room.get(..len).and_then(Text::new);
        let name = name.ok_or(DecodeError::TextTooLong { len })?;
        ended(&input)?;
        let process = Process { name, ..hello.process };
        Ok(Self { process, ..hello })
    }
}

impl Welcome {
    /// Its body in front of the proof.
    #[must_use]
    pub fn encode(&self) -> [u8; WELCOME] {
        let mut body = [0; WELCOME];
        let mut out = Encoder::new(&mut body);
        self.venue.put(&mut out);
        self.epoch.put(&mut out);
        self.after.put(&mut out);
        self.frontier.put(&mut out);
        self.snapshot_bytes.put(&mut out);
        out.put_bytes(&[0; 12]);
        body
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(body);
        let welcome = Self {
            venue: Field::get(&mut input)?,
            epoch: Field::get(&mut input)?,
            after: Field::get(&mut input)?,
            frontier: Field::get(&mut input)?,
            snapshot_bytes: Field::get(&mut input)?,
        };
        let _reserved: [u8; 12] = input.array()?;
        ended(&input)?;
        Ok(welcome)
    }
}

/// Builds the body of a `Records` frame.
#[derive(Debug)]
pub struct RecordsBuilder {
    body: Vec<u8>,
    count: u32,
}

impl Default for RecordsBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl RecordsBuilder {
    /// Without a record.
    #[must_use]
    pub fn new() -> Self {
        Self {
            body: vec![0; RECORDS],
            count: 0,
        }
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether it is time to send it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.body.len() >= RECORDS_BYTES_MAX
    }

    /// Appends a command; the caller sees to it that it is the next one.
    pub fn push(&mut self, command: &Sequenced<Command>) {
        let mut room = [0; RECORD + MESSAGE_BYTES_MAX];
        let mut out = Encoder::new(&mut room);
        command.stamp.put(&mut out);
        command.epoch.put(&mut out);
        command.body.schema().put(&mut out);
        (command.body.block_len() as u16).put(&mut out);
        0u16.put(&mut out);
        command.body.encode(&mut out);
        let len = out.len();
        let message = (len - RECORD) as u16;
        if let Some(place) = room.get_mut(RECORD - 2..RECORD) {
            place.copy_from_slice(&message.to_le_bytes());
        }
        if self.count == 0 {
            Encoder::new(&mut self.body).put_bytes(&command.seq.0.to_le_bytes());
        }
        self.count += 1;
        self.body.extend_from_slice(room.get(..len).unwrap_or_default());
    }

    /// The body, and begins another.
    pub fn finish(&mut self, frontier: SequenceNumber) -> Vec<u8> {
        let mut rest = [0; RECORDS - 8];
        let mut out = Encoder::new(&mut rest);
        self.count.put(&mut out);
        frontier.put(&mut out);
        if let Some(place) = self.body.get_mut(8..RECORDS) {
            place.copy_from_slice(&rest);
        }
        self.count = 0;
        core::mem::replace(&mut self.body, vec![0; RECORDS])
    }
}

/// Reads the body of a `Records` frame: its commands, and what is released.
///
/// # Errors
/// [`DecodeError`]. Whether they follow on what came before is the caller's to say.
pub fn decode_records(body: &[u8]) -> Result<(Vec<Sequenced<Command>>, SequenceNumber), DecodeError> {
    let mut input = Decoder::new(body);
    let first = u64::get(&mut input)?;
    let count = u32::get(&mut input)?;
    let frontier = Field::get(&mut input)?;
    let mut commands = Vec::with_capacity((count as usize).min(body.len() / RECORD));
    for index in 0..u64::from(count) {
        let (stamp, epoch) = (Field::get(&mut input)?, Field::get(&mut input)?);
        let (schema, block) = (u16::get(&mut input)?, u16::get(&mut input)?);
        let length = u16::get(&mut input)?;
        commands.push(Sequenced {
            seq: SequenceNumber(first.saturating_add(index)),
            stamp,
            epoch,
            body: Command::decode(schema, usize::from(block), input.take(usize::from(length))?)?,
        });
    }
    ended(&input)?;
    Ok((commands, frontier))
}

/// The body of a `Frontier`.
#[must_use]
pub fn encode_frontier(epoch: Epoch, frontier: SequenceNumber) -> [u8; FRONTIER] {
    let mut body = [0; FRONTIER];
    let mut out = Encoder::new(&mut body);
    epoch.put(&mut out);
    frontier.put(&mut out);
    body
}

/// Reads it back.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_frontier(body: &[u8]) -> Result<(Epoch, SequenceNumber), DecodeError> {
    let mut input = Decoder::new(body);
    let read = (Field::get(&mut input)?, Field::get(&mut input)?);
    ended(&input)?;
    Ok(read)
}

/// The body of a `Farewell`.
#[must_use]
pub fn encode_farewell(reason: Reason, text: &str) -> Vec<u8> {
    let mut end = text.len().min(FAREWELL_TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut body = vec![reason as u8];
    body.extend_from_slice(text.get(..end).unwrap_or_default().as_bytes());
    body
}

/// Reads it back.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_farewell(body: &[u8]) -> Result<(Reason, String), DecodeError> {
    let mut input = Decoder::new(body);
    let value = u8::get(&mut input)?;
    let reason = Reason::ALL.into_iter().find(|reason| *reason as u8 == value);
    let reason = reason.ok_or(DecodeError::UnknownValue { kind: "Reason", value })?;
    let text = input.take(input.remaining())?;
    let text = text.get(..text.len().min(FAREWELL_TEXT_MAX)).unwrap_or_default();
    Ok((reason, String::from_utf8_lossy(text).into_owned()))
}

fn ended(input: &Decoder<'_>) -> Result<(), DecodeError> {
    match input.remaining() {
        0 => Ok(()),
        extra => Err(DecodeError::Trailing { extra }),
    }
}

/// Cuts frames out of bytes as they come.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    read: usize,
}

impl Frames {
    /// Takes bytes in. Holds at most one frame and what came with it.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, without its length; `None` while it has not all come.
    ///
    /// # Errors
    /// The stated length, where it is none of a frame.
    pub fn take(&mut self) -> Result<Option<&[u8]>, usize> {
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk::<LENGTH>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        if !(1..=FRAME_BYTES_MAX).contains(&length) {
            return Err(length);
        }
        let Some(frame) = rest.get(..length) else {
            return Ok(None);
        };
        self.read += LENGTH + length;
        Ok(Some(frame))
    }
}
