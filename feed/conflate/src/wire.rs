//! The messages of the conflated feed as bytes; `SPEC.md` has the tables.
//!
//! Encoding appends to a buffer; decoding borrows from one and refuses whatever is not exactly a message.

use alloc::vec::Vec;

use rialto_itch::mold::Session;
use rialto_itch::{Side, Stock, StockLocate};
use zerocopy::byteorder::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The length of each message's fixed part, and of a level.
pub const SESSION_LEN: usize = 11;
/// See [`SESSION_LEN`].
pub const SNAPSHOT_LEN: usize = 80;
/// See [`SESSION_LEN`].
pub const UPDATE_LEN: usize = 30;
/// See [`SESSION_LEN`].
pub const LEVEL_LEN: usize = 13;
/// See [`SESSION_LEN`].
pub const TRADE_LEN: usize = 66;
/// See [`SESSION_LEN`].
pub const PASSED_LEN: usize = 20;
/// See [`SESSION_LEN`].
pub const POSITION_LEN: usize = 9;

const CONFLATED: u8 = 1;
const MORE: u8 = 2;
const PRINTABLE: u8 = 4;

/// The numbers of the full feed that a message stands for, of one instrument: from behind the range before it up to the last
/// number of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

/// Why an instrument is stated anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The subscriber has joined.
    Join,
    /// What was told did not keep up, or was forgotten before it could be told.
    Resync,
    /// The session is over: what was missed, and no book.
    Abandoned,
}

/// What a subscriber was not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// The number of the first trade that was not told; 0 for none.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// How many trades.
    pub trades: u64,
    /// Their shares together.
    pub volume: u64,
    /// Other messages: statuses, broken trades, imbalances.
    pub others: u64,
}

/// An instrument is stated anew: forget its book. Updates with the same range follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Why.
    pub cause: Cause,
    /// The instrument.
    pub locate: StockLocate,
    /// Its symbol.
    pub stock: Stock,
    /// What it stands for.
    pub range: Range,
    /// What was not told of it.
    pub missed: Missed,
    /// How many levels follow.
    pub levels: u32,
}

/// Levels of an instrument, each with its absolute shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update<'a> {
    /// The instrument.
    pub locate: StockLocate,
    /// What it stands for.
    pub range: Range,
    /// Whether the changes of more than one command may have been put into one.
    pub conflated: bool,
    /// Whether more of the same range follows; the checksum holds behind the last of them.
    pub more: bool,
    /// The checksum of the subscriber's book at the end of the range.
    pub checksum: u64,
    /// The levels.
    pub levels: Levels<'a>,
}

/// The levels of an [`Update`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels<'a>(&'a [u8]);

/// What kind of trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum TradeKind {
    /// ITCH `E`.
    #[default]
    Executed = b'E',
    /// ITCH `C`.
    ExecutedWithPrice = b'C',
    /// ITCH `P`.
    NonDisplayed = b'P',
    /// ITCH `Q`.
    Cross = b'Q',
}

/// One trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trade {
    /// What kind.
    pub kind: TradeKind,
    /// The instrument.
    pub locate: StockLocate,
    /// The range it belongs to, which an update closes.
    pub range: Range,
    /// Its own number in the full feed.
    pub number: u64,
    /// Nanoseconds since midnight.
    pub time_ns: u64,
    /// The execution's name.
    pub match_number: u64,
    /// The price in units of 0.0001.
    pub price: u32,
    /// Shares.
    pub shares: u64,
    /// The side of the resting order; none in a cross.
    pub side: Option<Side>,
    /// Whether it counts in the day's volume.
    pub printable: bool,
}

/// A message of the full feed as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed<'a> {
    /// The instrument; 0 for the whole venue.
    pub locate: StockLocate,
    /// The range it belongs to, which an update closes.
    pub range: Range,
    /// ITCH 5.0.
    pub itch: &'a [u8],
}

/// Any message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// `S`: a session begins; forget everything.
    Session(Session),
    /// `N`.
    Snapshot(Snapshot),
    /// `U`.
    Update(Update<'a>),
    /// `T`.
    Trade(Trade),
    /// `P`.
    Passed(Passed<'a>),
    /// `H`: everything up to this number has been told.
    Position(u64),
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Nothing.
    #[error("a message of no bytes; every message begins with its type")]
    Empty,
    /// No such type.
    #[error("no message of the conflated feed has type 0x{kind:02x}; is this another stream, or a newer sender?")]
    Kind {
        /// The type.
        kind: u8,
    },
    /// Not as long as its type.
    #[error("a message of type 0x{kind:02x} has {length} bytes, which its type cannot have; the framing is off")]
    Length {
        /// The type.
        kind: u8,
        /// The bytes.
        length: usize,
    },
    /// A code that is not listed.
    #[error("a message of type 0x{kind:02x} states 0x{byte:02x}, which is no code of its field")]
    Code {
        /// The type.
        kind: u8,
        /// The byte.
        byte: u8,
    },
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct SnapshotWire {
    kind: u8,
    cause: u8,
    locate: U16,
    stock: [u8; 8],
    first: U64,
    last: U64,
    missed_first: U64,
    missed_last: U64,
    missed_trades: U64,
    missed_volume: U64,
    missed_others: U64,
    levels: U32,
    reserved: [u8; 8],
}
const _: () = assert!(size_of::<SnapshotWire>() == SNAPSHOT_LEN);

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct UpdateWire {
    kind: u8,
    flags: u8,
    locate: U16,
    first: U64,
    last: U64,
    checksum: U64,
    count: U16,
}
const _: () = assert!(size_of::<UpdateWire>() == UPDATE_LEN);

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct LevelWire {
    side: u8,
    price: U32,
    shares: U64,
}
const _: () = assert!(size_of::<LevelWire>() == LEVEL_LEN);

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct TradeWire {
    kind: u8,
    trade: u8,
    locate: U16,
    first: U64,
    last: U64,
    number: U64,
    time_ns: U64,
    match_number: U64,
    price: U32,
    shares: U64,
    side: u8,
    flags: u8,
    reserved: [u8; 8],
}
const _: () = assert!(size_of::<TradeWire>() == TRADE_LEN);

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct PassedWire {
    kind: u8,
    reserved: u8,
    locate: U16,
    first: U64,
    last: U64,
}
const _: () = assert!(size_of::<PassedWire>() == PASSED_LEN);

impl Snapshot {
    /// Appends it.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let cause = match self.cause {
            Cause::Join => b'J',
            Cause::Resync => b'R',
            Cause::Abandoned => b'A',
        };
        let wire = SnapshotWire {
            kind: b'N',
            cause,
            locate: self.locate.0.into(),
            stock: self.stock.0,
            first: self.range.first.into(),
            last: self.range.last.into(),
            missed_first: self.missed.first.into(),
            missed_last: self.missed.last.into(),
            missed_trades: self.missed.trades.into(),
            missed_volume: self.missed.volume.into(),
            missed_others: self.missed.others.into(),
            levels: self.levels.into(),
            reserved: [0; 8],
        };
        out.extend_from_slice(wire.as_bytes());
    }
}

impl Update<'_> {
    /// Appends one of these levels; those of `self` are not looked at. At most 65,535.
    pub fn append_with(&self, levels: &[(Side, u32, u64)], out: &mut Vec<u8>) {
        let wire = UpdateWire {
            kind: b'U',
            flags: (u8::from(self.conflated) * CONFLATED) | (u8::from(self.more) * MORE),
            locate: self.locate.0.into(),
            first: self.range.first.into(),
            last: self.range.last.into(),
            checksum: self.checksum.into(),
            count: (levels.len() as u16).into(),
        };
        out.extend_from_slice(wire.as_bytes());
        for &(side, price, shares) in levels {
            let wire = LevelWire {
                side: side.byte(),
                price: price.into(),
                shares: shares.into(),
            };
            out.extend_from_slice(wire.as_bytes());
        }
    }
}

impl Levels<'_> {
    /// No levels.
    pub const NONE: Self = Self(&[]);

    /// Side, price in units of 0.0001, absolute shares: 0 where the level is gone, or out of the subscriber's depth.
    pub fn iter(&self) -> impl Iterator<Item = (Side, u32, u64)> + '_ {
        self.0.chunks_exact(LEVEL_LEN).filter_map(|chunk| {
            let wire = LevelWire::ref_from_bytes(chunk).ok()?;
            Some((Side::from_byte(wire.side)?, wire.price.get(), wire.shares.get()))
        })
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len() / LEVEL_LEN
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Trade {
    /// Appends it.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let wire = TradeWire {
            kind: b'T',
            trade: self.kind as u8,
            locate: self.locate.0.into(),
            first: self.range.first.into(),
            last: self.range.last.into(),
            number: self.number.into(),
            time_ns: self.time_ns.into(),
            match_number: self.match_number.into(),
            price: self.price.into(),
            shares: self.shares.into(),
            side: self.side.map_or(b' ', Side::byte),
            flags: MORE | (u8::from(self.printable) * PRINTABLE),
            reserved: [0; 8],
        };
        out.extend_from_slice(wire.as_bytes());
    }
}

impl Passed<'_> {
    /// Appends it.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let wire = PassedWire {
            kind: b'P',
            reserved: 0,
            locate: self.locate.0.into(),
            first: self.range.first.into(),
            last: self.range.last.into(),
        };
        out.extend_from_slice(wire.as_bytes());
        out.extend_from_slice(self.itch);
    }
}

impl<'a> Message<'a> {
    /// Appends it.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Session(session) => {
                out.push(b'S');
                out.extend_from_slice(&session.0);
            }
            Self::Snapshot(snapshot) => snapshot.append_to(out),
            Self::Update(update) => {
                let levels: Vec<_> = update.levels.iter().collect();
                update.append_with(&levels, out);
            }
            Self::Trade(trade) => trade.append_to(out),
            Self::Passed(passed) => passed.append_to(out),
            Self::Position(last) => {
                out.push(b'H');
                out.extend_from_slice(&last.to_be_bytes());
            }
        }
    }

    /// Reads the message that these bytes are.
    ///
    /// # Errors
    /// [`WireError`]: they are none.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, WireError> {
        let kind = *bytes.first().ok_or(WireError::Empty)?;
        let length = WireError::Length {
            kind,
            length: bytes.len(),
        };
        let code = |byte| WireError::Code { kind, byte };
        match kind {
            b'S' => {
                let name = bytes.get(1..).and_then(|name| name.try_into().ok()).ok_or(length)?;
                Ok(Self::Session(Session(name)))
            }
            b'N' => {
                let wire = SnapshotWire::read_from_bytes(bytes).map_err(|_| length)?;
                let cause = match wire.cause {
                    b'J' => Cause::Join,
                    b'R' => Cause::Resync,
                    b'A' => Cause::Abandoned,
                    byte => return Err(code(byte)),
                };
                Ok(Self::Snapshot(Snapshot {
                    cause,
                    locate: StockLocate(wire.locate.get()),
                    stock: Stock(wire.stock),
                    range: range(wire.first, wire.last),
                    missed: Missed {
                        first: wire.missed_first.get(),
                        last: wire.missed_last.get(),
                        trades: wire.missed_trades.get(),
                        volume: wire.missed_volume.get(),
                        others: wire.missed_others.get(),
                    },
                    levels: wire.levels.get(),
                }))
            }
            b'U' => {
                let (wire, levels) = UpdateWire::read_from_prefix(bytes).map_err(|_| length)?;
                if levels.len() != usize::from(wire.count.get()) * LEVEL_LEN {
                    return Err(length);
                }
                let sides = levels.chunks_exact(LEVEL_LEN).filter_map(|level| level.first());
                if let Some(&byte) = sides.clone().find(|&&side| Side::from_byte(side).is_none()) {
                    return Err(code(byte));
                }
                Ok(Self::Update(Update {
                    locate: StockLocate(wire.locate.get()),
                    range: range(wire.first, wire.last),
                    conflated: wire.flags & CONFLATED != 0,
                    more: wire.flags & MORE != 0,
                    checksum: wire.checksum.get(),
                    levels: Levels(levels),
                }))
            }
            b'T' => {
                let wire = TradeWire::read_from_bytes(bytes).map_err(|_| length)?;
                let kind = match wire.trade {
                    b'E' => TradeKind::Executed,
                    b'C' => TradeKind::ExecutedWithPrice,
                    b'P' => TradeKind::NonDisplayed,
                    b'Q' => TradeKind::Cross,
                    byte => return Err(code(byte)),
                };
                let side = match wire.side {
                    b' ' => None,
                    byte => Some(Side::from_byte(byte).ok_or(code(byte))?),
                };
                Ok(Self::Trade(Trade {
                    kind,
                    locate: StockLocate(wire.locate.get()),
                    range: range(wire.first, wire.last),
                    number: wire.number.get(),
                    time_ns: wire.time_ns.get(),
                    match_number: wire.match_number.get(),
                    price: wire.price.get(),
                    shares: wire.shares.get(),
                    side,
                    printable: wire.flags & PRINTABLE != 0,
                }))
            }
            b'P' => {
                let (wire, itch) = PassedWire::read_from_prefix(bytes).map_err(|_| length)?;
                if itch.is_empty() {
                    return Err(length);
                }
                Ok(Self::Passed(Passed {
                    locate: StockLocate(wire.locate.get()),
                    range: range(wire.first, wire.last),
                    itch,
                }))
            }
            b'H' => {
                let last = bytes.get(1..).and_then(|last| last.try_into().ok()).ok_or(length)?;
                Ok(Self::Position(u64::from_be_bytes(last)))
            }
            kind => Err(WireError::Kind { kind }),
        }
    }
}

const fn range(first: U64, last: U64) -> Range {
    Range {
        first: first.get(),
        last: last.get(),
    }
}
