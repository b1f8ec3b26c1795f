//! Numbers and text of OUCH 5.0 (section 1.2). Numbers are big-endian and unsigned unless said otherwise.
//!
//! These are the client's words; the exchange's own identities live elsewhere and never appear here.

use super::error::DecodeError;
use super::table::Field;
use crate::text::{text, text_shown};

/// Defines a number newtype and its field.
macro_rules! number {
    ($($(#[$meta:meta])* $name:ident($inner:ty) $width:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl Field<$width> for $name {
            #[inline]
            fn from_wire(bytes: [u8; $width]) -> Result<Self, DecodeError> {
                Ok(Self(<$inner>::from_be_bytes(bytes)))
            }

            #[inline]
            fn to_wire(self) -> [u8; $width] {
                self.0.to_be_bytes()
            }
        }
    )+};
}

number! {
    /// The client's own reference of an order or transaction: strictly increasing for each account and trading day,
    /// gaps allowed.
    UserRefNum(u32) 4;
    /// A number of shares.
    Quantity(u32) 4;
    /// A price with four implied decimals: 1.0000 is 10,000.
    Price(u64) 8;
    /// A signed price difference with four implied decimals.
    SignedPrice(i32) 4;
    /// Nanoseconds since midnight of the trading day.
    Timestamp(u64) 8;
    /// The order's public reference on the market-data feed.
    OrderReference(u64) 8;
    /// The trade's number; both sides of a trade carry the same.
    MatchNumber(u64) 8;
    /// A customer group within the firm; 0 is none.
    GroupId(u16) 2;
    /// Seconds that the order lives; see [`ExpireTime::LIMIT`].
    ExpireTime(u32) 4;
    /// The self-match strategy that was applied. The specification lists no values, so the byte is kept as it is.
    AiqStrategy(u8) 1;
}

impl Quantity {
    /// The largest quantity of one order, and of one chain of replaces.
    pub const MAX: Self = Self(999_999);

    /// Whether an order may be entered with this quantity: above zero and at most [`Quantity::MAX`].
    #[must_use]
    pub const fn is_enterable(self) -> bool {
        self.0 > 0 && self.0 <= Self::MAX.0
    }
}

impl Price {
    /// The highest limit price: 199,999.9900.
    pub const MAX: Self = Self(1_999_999_900);
    /// Means a market order: 200,000.0000.
    pub const MARKET: Self = Self(2_000_000_000);
    /// Means a market order for a cross: 214,748.3647, the largest signed 32-bit number.
    pub const MARKET_FOR_CROSS: Self = Self(0x7fff_ffff);

    /// Whether this is one of the two prices that mean a market order.
    #[must_use]
    pub const fn is_market(self) -> bool {
        self.0 == Self::MARKET.0 || self.0 == Self::MARKET_FOR_CROSS.0
    }

    /// Whether this is a price that an order can be limited to: above zero and at most [`Price::MAX`].
    #[must_use]
    pub const fn is_limit(self) -> bool {
        self.0 > 0 && self.0 <= Self::MAX.0
    }
}

impl ExpireTime {
    /// The seconds of a day: an ExpireTime must be below.
    pub const LIMIT: Self = Self(86_400);
}

/// Defines a text newtype and its field.
macro_rules! text_field {
    ($($(#[$meta:meta])* $name:ident $width:literal $field:literal;)+) => {$(
        text!($(#[$meta])* $name, $width, $field);
        text_shown!($name);

        impl $name {
            /// The field's name, as errors state it.
            pub const FIELD: &'static str = $field;
        }

        impl Field<$width> for $name {
            #[inline]
            fn from_wire(bytes: [u8; $width]) -> Result<Self, DecodeError> {
                Ok(Self::from_wire(bytes)?)
            }

            fn to_wire(self) -> [u8; $width] {
                self.to_wire()
            }
        }
    )+};
}

text_field! {
    /// A stock symbol.
    Symbol 8 "Symbol";
    /// The client's order identifier: echoed, never checked for uniqueness. The specification speaks of letters, digits
    /// and spaces; all printable ASCII is taken, because clients use hyphens and the like.
    ClOrdId 14 "ClOrdID";
    /// The firm for which an order is entered; blank is the account's default.
    Firm 4 "Firm";
    /// A route destination.
    Route 4 "Route";
}
