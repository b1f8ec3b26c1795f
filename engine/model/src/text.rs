//! Short texts kept inline: no allocation, no borrowed bytes in a ring.

use core::hash::{Hash, Hasher};

use crate::codec::{DecodeError, Decoder, Encoder, Field};
use crate::limits::TEXT_MAX;

/// Up to [`TEXT_MAX`] bytes chosen by a client or an operator (ClOrdID, a session's name), kept as they came.
/// On the wire it is a length byte and the bytes; it stands behind a record's fixed block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    len: u8,
    bytes: [u8; TEXT_MAX],
}

/// An instrument's symbol: eight bytes, padded with spaces on the right, as on ITCH and OUCH.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Symbol(pub [u8; 8]);

/// A firm's four-character market participant identifier, padded with spaces on the right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Mpid(pub [u8; 4]);

/// Who acts for the venue: sixteen bytes, padded with spaces on the right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Actor(pub [u8; 16]);

/// By what it says: the bytes behind are zeros in every text.
impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Text {
    /// No text.
    pub const EMPTY: Self = Self {
        len: 0,
        bytes: [0; TEXT_MAX],
    };

    /// The bytes as a text; `None` when they are more than [`TEXT_MAX`].
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; TEXT_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self {
            len: text.len() as u8,
            bytes,
        })
    }

    /// The bytes as they came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes this text takes on the wire.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        1 + self.len as usize
    }

    #[inline]
    pub(crate) fn put(&self, out: &mut Encoder<'_>) {
        out.put_bytes(&[self.len]);
        if !self.is_empty() {
            out.put_bytes(self.as_bytes());
        }
    }

    #[inline]
    pub(crate) fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match usize::from(u8::get(input)?) {
            // Most have none.
            0 => Ok(Self::EMPTY),
            len => Self::new(input.take(len)?).ok_or(DecodeError::TextTooLong { len }),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::EMPTY
    }
}

macro_rules! padded {
    ($Name:ident, $width:literal) => {
        impl $Name {
            /// From up to as many printable ASCII characters as it holds, none of them a space; `None` otherwise.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                let mut bytes = [b' '; $width];
                if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
                    return None;
                }
                bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
                Some(Self(bytes))
            }

            /// Without the padding.
            #[must_use]
            pub fn as_str(&self) -> &str {
                core::str::from_utf8(self.0.trim_ascii_end()).unwrap_or("?")
            }
        }
        impl Default for $Name {
            fn default() -> Self {
                Self([b' '; $width])
            }
        }
        impl Field for $Name {
            const SIZE: usize = $width;
            #[inline]
            fn put(&self, out: &mut Encoder<'_>) {
                out.put_bytes(&self.0);
            }
            #[inline]
            fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                input.array().map(Self)
            }
        }
        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl core::fmt::Debug for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}
padded!(Symbol, 8);
padded!(Mpid, 4);
padded!(Actor, 16);

impl core::fmt::Display for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_bytes().escape_ascii().fmt(f)
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}
