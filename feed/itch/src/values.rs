//! The numbers of ITCH: identities, quantities, prices, time.

use zerocopy::byteorder::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::ValueError;
use crate::wire::Field;

/// The dense number of an instrument on this feed, given by its Stock Directory message and valid for one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StockLocate(pub u16);

/// The venue's own mark on a message; readers ignore it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackingNumber(pub u16);

/// The name of a displayed order on the feed, unique over the day and across instruments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderReference(pub u64);

/// The name of an execution, which a Broken Trade message refers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchNumber(pub u64);

/// Shares of one order or execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shares(pub u32);

/// Shares of many orders together, as in crosses and imbalances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TotalShares(pub u64);

/// Seconds since midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecondOfDay(pub u32);

/// A span in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u32);

/// How many times an exchange traded product moves as its index does, rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeverageFactor(pub u32);

/// Nanoseconds since midnight in a field of eight bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LongTimeOfDay(pub u64);

/// A price with eight implied decimals, used for index levels only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price8(pub u64);

/// A price with four implied decimals.
///
/// [`Price4::new`] keeps to the specification's range. Decoding takes whatever four bytes say, so that a reader of a
/// foreign feed sees what was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price4(u32);

/// Nanoseconds since midnight, in the 48 bits ITCH has for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u64);

/// What every message begins with, behind its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Header {
    /// The instrument; 0 where the message is about none.
    pub locate: StockLocate,
    /// The venue's own mark.
    pub tracking: TrackingNumber,
    /// When the venue made the message.
    pub timestamp: TimeOfDay,
}

impl core::fmt::Display for Price4 {
    /// With its four decimals.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let units = self.units();
        write!(f, "{}.{:04}", units / 10_000, units % 10_000)
    }
}

impl Price4 {
    /// 200,000.0000, the highest price the specification has.
    pub const MAX: Self = Self(2_000_000_000);

    /// A price of `units` times 0.0001.
    ///
    /// # Errors
    /// [`ValueError::Price`] below zero and above [`Price4::MAX`].
    #[inline]
    pub const fn new(units: i64) -> Result<Self, ValueError> {
        if units < 0 || units > Self::MAX.0 as i64 {
            return Err(ValueError::Price { units });
        }
        Ok(Self(units as u32))
    }

    /// The price in units of 0.0001.
    #[inline]
    #[must_use]
    pub const fn units(self) -> u32 {
        self.0
    }
}

impl TimeOfDay {
    /// The last nanosecond that 48 bits can state, more than three days after midnight.
    pub const MAX: Self = Self((1 << 48) - 1);

    /// `ns` nanoseconds since midnight.
    ///
    /// # Errors
    /// [`ValueError::Time`] above [`TimeOfDay::MAX`].
    #[inline]
    pub const fn new(ns: u64) -> Result<Self, ValueError> {
        if ns > Self::MAX.0 {
            return Err(ValueError::Time { ns });
        }
        Ok(Self(ns))
    }

    /// Nanoseconds since midnight.
    #[inline]
    #[must_use]
    pub const fn ns(self) -> u64 {
        self.0
    }
}

macro_rules! number {
    ($($Name:ident as $Wire:ty),* $(,)?) => {$(
        impl Field for $Name {
            type Wire = $Wire;
            #[inline]
            fn to_wire(self) -> $Wire {
                <$Wire>::new(self.0)
            }
            #[inline]
            fn from_wire(wire: $Wire) -> Result<Self, u8> {
                Ok(Self(wire.get()))
            }
        }
    )*};
}
number!(StockLocate as U16, TrackingNumber as U16);
number!(
    Shares as U32,
    SecondOfDay as U32,
    Seconds as U32,
    LeverageFactor as U32,
    Price4 as U32
);
number!(
    OrderReference as U64,
    MatchNumber as U64,
    TotalShares as U64,
    LongTimeOfDay as U64,
    Price8 as U64
);

/// High 16 bits and low 32: two loads instead of six.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct TimeWire(U16, U32);

impl Field for TimeOfDay {
    type Wire = TimeWire;
    #[inline]
    fn to_wire(self) -> TimeWire {
        TimeWire(U16::new((self.0 >> 32) as u16), U32::new(self.0 as u32))
    }
    #[inline]
    fn from_wire(TimeWire(high, low): TimeWire) -> Result<Self, u8> {
        Ok(Self(u64::from(high.get()) << 32 | u64::from(low.get())))
    }
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct HeaderWire {
    locate: U16,
    tracking: U16,
    timestamp: TimeWire,
}

impl Field for Header {
    type Wire = HeaderWire;
    #[inline]
    fn to_wire(self) -> HeaderWire {
        HeaderWire {
            locate: self.locate.to_wire(),
            tracking: self.tracking.to_wire(),
            timestamp: self.timestamp.to_wire(),
        }
    }
    #[inline]
    fn from_wire(wire: HeaderWire) -> Result<Self, u8> {
        Ok(Self {
            locate: Field::from_wire(wire.locate)?,
            tracking: Field::from_wire(wire.tracking)?,
            timestamp: Field::from_wire(wire.timestamp)?,
        })
    }
}
