//! How a field lies in the bytes. Private: the layout is reached only through whole messages.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::EncodeError;

/// A value with a fixed place in a message.
pub(crate) trait Field: Copy {
    /// Its bytes: big-endian, without alignment.
    type Wire: FromBytes + IntoBytes + Immutable + KnownLayout + Unaligned + Copy;

    /// The value's bytes. Every value has some: what does not fit is refused when the value is made.
    fn to_wire(self) -> Self::Wire;

    /// The bytes' value, or the byte that stands for none.
    fn from_wire(wire: Self::Wire) -> Result<Self, u8>;
}

/// What can be written as a message: any one of them, or a [`Message`](crate::Message).
pub trait Encode {
    /// How many bytes the message takes.
    fn encoded_len(&self) -> usize;

    /// Writes the message at the start of `out` and says how many bytes it took.
    ///
    /// # Errors
    /// When `out` is shorter than the message; nothing is written then.
    fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError>;
}

/// Declares one message: its struct, its layout, and the assertion that the layout has the specification's length.
macro_rules! message {
    (
        $(#[$doc:meta])*
        $Name:ident = $message_type:literal, $len:literal {
            $($(#[$field_doc:meta])* $field:ident: $Value:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $Name {
            /// What every message begins with.
            pub header: $crate::values::Header,
            $($(#[$field_doc])* pub $field: $Value,)*
        }

        const _: () = {
            use $crate::error::{DecodeError, EncodeError};
            use $crate::values::Header;
            use $crate::wire::Field;

            #[derive(
                zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout, zerocopy::Unaligned,
            )]
            #[repr(C)]
            struct Wire {
                message_type: u8,
                header: <Header as Field>::Wire,
                $($field: <$Value as Field>::Wire,)*
            }
            assert!(size_of::<Wire>() == $len, "the fields do not add up to the specification's length");

            impl $Name {
                /// The byte that names this message.
                pub const TYPE: u8 = $message_type;
                /// Its length in bytes.
                pub const LEN: usize = $len;

                /// The message's bytes.
                #[inline]
                #[must_use]
                pub fn to_bytes(&self) -> [u8; Self::LEN] {
                    zerocopy::transmute!(Wire {
                        message_type: Self::TYPE,
                        header: self.header.to_wire(),
                        $($field: self.$field.to_wire(),)*
                    })
                }

                /// Writes the message at the start of `out` and says how many bytes it took.
                ///
                /// # Errors
                /// When `out` is shorter than the message; nothing is written then.
                #[inline]
                pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
                    let room = out.len();
                    let bytes = out.first_chunk_mut().ok_or(EncodeError { needed: Self::LEN, room })?;
                    *bytes = self.to_bytes();
                    Ok(Self::LEN)
                }

                /// Reads the message. The first byte is taken to be [`Self::TYPE`].
                #[inline]
                pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                    let wire = <Wire as zerocopy::FromBytes>::ref_from_bytes(bytes).map_err(|_| DecodeError::Length {
                        message_type: Self::TYPE,
                        expected: Self::LEN,
                        actual: bytes.len(),
                    })?;
                    let code = |field| move |byte| DecodeError::Code { message_type: Self::TYPE, field, byte };
                    Ok(Self {
                        header: Field::from_wire(wire.header).map_err(code("header"))?,
                        $($field: Field::from_wire(wire.$field).map_err(code(stringify!($field)))?,)*
                    })
                }
            }

            impl $crate::wire::Encode for $Name {
                #[inline]
                fn encoded_len(&self) -> usize {
                    Self::LEN
                }

                #[inline]
                fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
                    $Name::encode(self, out)
                }
            }
        };
    };
}
pub(crate) use message;
