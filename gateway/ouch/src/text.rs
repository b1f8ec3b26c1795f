//! Fixed-width text of both wire formats: printable ASCII, left-justified, padded on the right with spaces (OUCH 5.0,
//! section 1.2).
//!
//! A value of these types is printable by construction, so that no later reader (a log, a journal, a page) has to check
//! again. They never hold a control character, and never carry text that is wider than its field.

/// Why text does not fit a fixed-width field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More characters than the field is wide.
    #[error("{field} of {actual} characters is too long: shorten it to at most {limit}")]
    TooLong {
        /// The field's name.
        field: &'static str,
        /// The field's width in bytes.
        limit: usize,
        /// The characters given.
        actual: usize,
    },
    /// A byte outside printable ASCII (0x20 to 0x7e).
    #[error("{field} holds the byte {byte:#04x}: use printable ASCII only, padded on the right with spaces")]
    NotPrintable {
        /// The field's name.
        field: &'static str,
        /// The first byte that is not printable ASCII.
        byte: u8,
    },
}

/// Whether all bytes are printable ASCII. Every order carries text: the loop has no early exit, so that it becomes a few
/// vector instructions, and the error is made elsewhere.
#[inline(always)]
pub(crate) fn check<const WIDTH: usize>(field: &'static str, bytes: &[u8; WIDTH]) -> Result<(), TextError> {
    let all = bytes.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    if all { Ok(()) } else { Err(not_printable(field, bytes)) }
}

#[cold]
fn not_printable(field: &'static str, bytes: &[u8]) -> TextError {
    let byte = bytes
        .iter()
        .copied()
        .find(|byte| !matches!(byte, b' '..=b'~'))
        .unwrap_or_default();
    TextError::NotPrintable { field, byte }
}

/// `text` padded on the right with spaces to `WIDTH`.
pub(crate) fn padded<const WIDTH: usize>(field: &'static str, text: &[u8]) -> Result<[u8; WIDTH], TextError> {
    let mut bytes = [b' '; WIDTH];
    match bytes.get_mut(..text.len()) {
        Some(start) => start.copy_from_slice(text),
        None => {
            return Err(TextError::TooLong {
                field,
                limit: WIDTH,
                actual: text.len(),
            });
        }
    }
    check(field, &bytes)?;
    Ok(bytes)
}

/// The text without its padding. The bytes are printable ASCII by construction; should that be broken, the text is
/// empty.
pub(crate) fn trimmed(bytes: &[u8]) -> &str {
    core::str::from_utf8(trimmed_bytes(bytes)).unwrap_or_default()
}

/// The same as bytes, which need no second look at their characters.
pub(crate) fn trimmed_bytes(bytes: &[u8]) -> &[u8] {
    let padding = bytes.iter().rev().take_while(|&&byte| byte == b' ').count();
    bytes.get(..bytes.len() - padding).unwrap_or_default()
}

/// Defines a fixed-width text newtype. It has no `Debug`: see `text_shown` (a password must not be shown).
macro_rules! text {
    ($(#[$meta:meta])* $name:ident, $width:literal, $field:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $width]);

        impl $name {
            /// Width on the wire in bytes.
            pub const WIDTH: usize = $width;
            /// All spaces.
            pub const BLANK: Self = Self([b' '; $width]);

            /// The text, padded with spaces.
            ///
            /// # Errors
            /// [`TextError`](crate::TextError) where the text is wider than the field or not printable ASCII.
            pub fn new(text: &str) -> Result<Self, crate::TextError> {
                Self::from_bytes(text.as_bytes())
            }

            /// The same of bytes.
            ///
            /// # Errors
            /// As [`new`](Self::new).
            pub fn from_bytes(text: &[u8]) -> Result<Self, crate::TextError> {
                crate::text::padded($field, text).map(Self)
            }

            /// The field's bytes as they stood on the wire.
            ///
            /// # Errors
            /// [`TextError::NotPrintable`](crate::TextError::NotPrintable) where a byte is not printable ASCII.
            #[inline]
            pub fn from_wire(bytes: [u8; $width]) -> Result<Self, crate::TextError> {
                crate::text::check($field, &bytes)?;
                Ok(Self(bytes))
            }

            /// The field's bytes, padded with spaces.
            #[must_use]
            pub const fn to_wire(self) -> [u8; $width] {
                self.0
            }

            /// The text without its padding.
            #[must_use]
            pub fn as_str(&self) -> &str {
                crate::text::trimmed(&self.0)
            }

            /// The bytes of the text without its padding.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                crate::text::trimmed_bytes(&self.0)
            }
        }
    };
}
pub(crate) use text;

/// Shows the text without its padding.
macro_rules! text_shown {
    ($($name:ident),+) => {$(
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }
    )+};
}
pub(crate) use text_shown;
