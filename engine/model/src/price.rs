//! Prices and quantities: integers in a stated unit. Decimals exist only at the edges.

use crate::codec::{DecodeError, Decoder, Encoder, Field};

/// A price in the instrument's fixed scale (default one ten-thousandth, [`PriceScale::DEFAULT`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Price(pub i64);

/// How many decimal digits a [`Price`] unit stands for: 4 means that `Price(1)` is 0.0001.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct PriceScale(pub u8);

/// A number of shares, contracts or other units of an instrument. At most
/// [`QUANTITY_MAX`](crate::limits::QUANTITY_MAX) in an accepted order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Quantity(pub u64);

/// A part of an order's quantity, in 32 bits: [`QUANTITY_MAX`](crate::limits::QUANTITY_MAX) fits them, and records with
/// instructions are tight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Part(pub u32);

impl Part {
    /// None.
    pub const ZERO: Self = Self(0);

    /// Whether there is none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// As a quantity.
    #[must_use]
    pub const fn quantity(self) -> Quantity {
        Quantity(self.0 as u64)
    }
}

impl PriceScale {
    /// Four digits, as OUCH and ITCH imply.
    pub const DEFAULT: Self = Self(4);
}

impl Default for PriceScale {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whether there is nothing left.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// What is left after taking `other`, never below zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

macro_rules! field {
    ($Name:ident($inner:ty)) => {
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
        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
field!(Price(i64));
field!(PriceScale(u8));
field!(Quantity(u64));
field!(Part(u32));
