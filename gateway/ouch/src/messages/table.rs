//! The message table: one row per field (offset, width, name, type), written as the specification writes it.
//!
//! From the table come the struct, its `decode` and its `encode`; that the rows touch each other and end at the stated
//! length is checked when the crate is compiled. No message is laid out by hand anywhere else.

use alloc::vec::Vec;

use super::error::DecodeError;

/// A type with a fixed width on the wire.
pub(super) trait Field<const WIDTH: usize>: Copy {
    /// The value of these bytes.
    fn from_wire(bytes: [u8; WIDTH]) -> Result<Self, DecodeError>;
    /// The bytes of this value.
    fn to_wire(self) -> [u8; WIDTH];
}

/// Splits a message into its fixed part and what follows, and checks the type byte.
pub(super) fn fixed_part<'a, const LENGTH: usize>(
    message: &'static str,
    message_type: u8,
    bytes: &'a [u8],
) -> Result<(&'a [u8; LENGTH], &'a [u8]), DecodeError> {
    match bytes.first() {
        None => return Err(DecodeError::Empty),
        Some(&actual) if actual != message_type => {
            return Err(DecodeError::OtherType {
                message,
                expected: message_type,
                actual,
            });
        }
        Some(_) => {}
    }
    bytes.split_first_chunk().ok_or(DecodeError::WrongLength {
        message,
        expected: LENGTH,
        actual: bytes.len(),
    })
}

/// Checks the length of the whole message: the fixed part and what must follow it.
pub(super) fn whole(message: &'static str, expected: usize, bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.len() == expected {
        Ok(())
    } else {
        Err(DecodeError::WrongLength {
            message,
            expected,
            actual: bytes.len(),
        })
    }
}

/// Appends the fixed part and the appendage in one growth of the buffer.
pub(super) fn append(out: &mut Vec<u8>, fixed: &[u8], appendage: &[u8]) {
    out.reserve(fixed.len() + appendage.len());
    out.extend_from_slice(fixed);
    out.extend_from_slice(appendage);
}

/// Defines a message by its table: `offset width name: Type`, in order, from the byte after the type. A last row
/// `offset 2 appendage [tags]` gives the message an appendage; the tags are the options that the specification lists
/// for it.
macro_rules! message {
    (
        $(#[$meta:meta])*
        $name:ident $type:literal $length:literal {
            $($(#[$row:meta])* $offset:literal $width:literal $field:ident: $ty:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$row])* pub $field: $ty,)*
        }

        crate::messages::table::layout!($name $type $length { $($offset $width $field)* });

        impl $name {
            /// Reads the whole message, type byte first.
            ///
            /// # Errors
            /// [`DecodeError`](crate::messages::DecodeError) names the length or the field that is wrong.
            pub fn decode(bytes: &[u8]) -> Result<Self, crate::messages::DecodeError> {
                use crate::messages::table;
                let (_fixed, _rest) = table::fixed_part::<$length>(Self::NAME, $type, bytes)?;
                table::whole(Self::NAME, $length, bytes)?;
                Ok(Self { $($field: table::Field::from_wire(crate::fixed::get::<$length, $offset, $width>(_fixed))?,)* })
            }

            /// Appends the whole message, type byte first.
            pub fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                use crate::messages::table;
                let mut fixed = [0; $length];
                fixed[0] = $type;
                $(crate::fixed::put::<$length, $offset, $width>(&mut fixed, table::Field::to_wire(self.$field));)*
                table::append(out, &fixed, &[]);
            }
        }
    };
    (
        $(#[$meta:meta])*
        $name:ident $type:literal $length:literal {
            $($(#[$row:meta])* $offset:literal $width:literal $field:ident: $ty:ty,)*
            @ $at:literal 2 appendage [$($tag:literal)*]
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a> {
            $($(#[$row])* pub $field: $ty,)*
            /// Optional fields.
            pub appendage: crate::messages::Appendage<'a>,
        }

        crate::messages::table::layout!($name<'_> $type $length { $($offset $width $field)* $at 2 appendage_length });

        impl<'a> $name<'a> {
            /// Tags of the options that the specification lists for this message.
            pub const OPTIONS: &'static [u8] = &[$($tag),*];

            /// Reads the whole message, type byte first. The appendage is checked to divide into elements; their values
            /// are read by [`Appendage::options`](crate::messages::Appendage::options).
            ///
            /// # Errors
            /// [`DecodeError`](crate::messages::DecodeError) names the length or the field that is wrong.
            pub fn decode(bytes: &'a [u8]) -> Result<Self, crate::messages::DecodeError> {
                use crate::messages::table;
                let (fixed, appendage) = table::fixed_part::<$length>(Self::NAME, $type, bytes)?;
                let stated = u16::from_be_bytes(crate::fixed::get::<$length, $at, 2>(fixed));
                table::whole(Self::NAME, $length + usize::from(stated), bytes)?;
                Ok(Self {
                    $($field: table::Field::from_wire(crate::fixed::get::<$length, $offset, $width>(fixed))?,)*
                    appendage: crate::messages::Appendage::new(appendage)?,
                })
            }

            /// Appends the whole message, type byte first.
            pub fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                use crate::messages::table;
                let mut fixed = [0; $length];
                fixed[0] = $type;
                $(crate::fixed::put::<$length, $offset, $width>(&mut fixed, table::Field::to_wire(self.$field));)*
                crate::fixed::put::<$length, $at, 2>(&mut fixed, self.appendage.stated_length().to_be_bytes());
                table::append(out, &fixed, self.appendage.as_bytes());
            }
        }
    };
}
pub(super) use message;

/// The constants of a message, and the compile-time proof that its rows follow each other without gap or overlap to its
/// end.
macro_rules! layout {
    ($name:ident $(<$life:lifetime>)? $type:literal $length:literal { $($offset:literal $width:literal $field:ident)* }) => {
        impl $name $(<$life>)? {
            /// The message's type byte.
            pub const TYPE: u8 = $type;
            /// Length of the fixed part in bytes: the type byte and, where there is an appendage, its u16 length
            /// included.
            pub const LENGTH: usize = $length;
            /// The table of the fixed part behind the type byte: offset, width and name of each field.
            pub const TABLE: &'static [(usize, usize, &'static str)] = &[$(($offset, $width, stringify!($field))),*];
            const NAME: &'static str = stringify!($name);
        }

        const _: () = {
            let end = 1;
            $(
                assert!($offset == end, "a row of the message table does not begin where the row before it ends");
                let end = $offset + $width;
            )*
            assert!(end == $length, "the rows of the message table do not end at the message's length");
        };
    };
}
pub(super) use layout;

/// Defines the enum of one direction: one variant per message, dispatched by type byte.
macro_rules! direction {
    ($(#[$meta:meta])* $name:ident($direction:ident) { $($(#[$row:meta])* $message:ident $(<$life:lifetime>)?,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name<'a> {
            $($(#[$row])* $message($message $(<$life>)?),)+
        }

        impl<'a> $name<'a> {
            /// Reads the whole message, type byte first.
            ///
            /// # Errors
            /// [`DecodeError`](crate::messages::DecodeError) names the type, the length or the field that is wrong.
            pub fn decode(bytes: &'a [u8]) -> Result<Self, crate::messages::DecodeError> {
                use crate::messages::{DecodeError, Direction};
                match bytes.first() {
                    None => Err(DecodeError::Empty),
                    $(Some(&$message::TYPE) => $message::decode(bytes).map(Self::$message),)+
                    Some(&message_type) => Err(DecodeError::UnknownType { direction: Direction::$direction, message_type }),
                }
            }

            /// Appends the whole message, type byte first.
            pub fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                match self {
                    $(Self::$message(message) => message.encode(out),)+
                }
            }
        }

        $(
            impl<'a> From<$message $(<$life>)?> for $name<'a> {
                fn from(message: $message $(<$life>)?) -> Self {
                    Self::$message(message)
                }
            }
        )+
    };
}
pub(super) use direction;
