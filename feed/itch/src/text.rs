//! The short texts of ITCH: ASCII, padded with spaces on the right.

use core::fmt;

use crate::error::ValueError;
use crate::wire::Field;

/// An instrument's symbol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stock(pub [u8; 8]);

/// A market participant's identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mpid(pub [u8; 4]);

/// Why an instrument's trading state changed; all spaces where no reason is given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TradingReason(pub [u8; 4]);

/// The kind of security below its classification.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssueSubType(pub [u8; 2]);

macro_rules! padded {
    ($($Name:ident, $width:literal;)*) => {$(
        impl $Name {
            /// From 1 to
            #[doc = stringify!($width)]
            /// printable ASCII characters, none of them a space.
            ///
            /// # Errors
            /// [`ValueError::Text`] for anything else.
            pub fn new(text: &str) -> Result<Self, ValueError> {
                let refused = ValueError::Text { max: $width };
                if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(refused);
                }
                let mut bytes = [b' '; $width];
                bytes.get_mut(..text.len()).ok_or(refused)?.copy_from_slice(text.as_bytes());
                Ok(Self(bytes))
            }

            /// Without the padding; `None` where the bytes that came are not UTF-8.
            #[must_use]
            pub fn as_str(&self) -> Option<&str> {
                core::str::from_utf8(self.0.trim_ascii_end()).ok()
            }
        }

        /// All spaces.
        impl Default for $Name {
            fn default() -> Self {
                Self([b' '; $width])
            }
        }

        impl Field for $Name {
            type Wire = [u8; $width];
            #[inline]
            fn to_wire(self) -> Self::Wire {
                self.0
            }
            #[inline]
            fn from_wire(wire: Self::Wire) -> Result<Self, u8> {
                Ok(Self(wire))
            }
        }

        /// Bytes that are not printable ASCII are shown escaped: the text may come from outside and go to a terminal.
        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.trim_ascii_end().escape_ascii().fmt(f)
            }
        }

        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "\"{self}\"")
            }
        }
    )*};
}
padded! {
    Stock, 8;
    Mpid, 4;
    TradingReason, 4;
    IssueSubType, 2;
}
