//! Bytes of commands and events: fixed blocks of little-endian fields, after the Simple Binary Encoding rule.
//!
//! A message is a *block* (its fields in order, no padding) and, where it has one, a text behind it. Whoever stores it
//! states schema id, version and block length beside it. A message changes by appending fields to its block and raising
//! its version, never otherwise: an old reader skips what a newer writer appended, a new reader takes the default of
//! what an old writer lacked. A block that ends inside a field is an error.

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the message does.
    #[error("message cut short: {wanted} more bytes wanted, {left} left; the record is damaged or was cut by hand")]
    Short {
        /// Bytes the next field takes.
        wanted: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// A schema id this build does not have.
    #[error("unknown schema {schema}: written by a newer build; read it with that build")]
    UnknownSchema {
        /// The id.
        schema: u16,
    },
    /// A value outside its list.
    #[error("{value} is no {kind}: written by a newer build, or damaged")]
    UnknownValue {
        /// The type of the field.
        kind: &'static str,
        /// What stands there.
        value: u8,
    },
    /// A text longer than [`TEXT_MAX`](crate::limits::TEXT_MAX).
    #[error("text of {len} bytes is over TEXT_MAX; the record is damaged")]
    TextTooLong {
        /// Its stated length.
        len: usize,
    },
    /// Bytes behind the message's end.
    #[error("{extra} bytes behind the end of the message; the record is damaged")]
    Trailing {
        /// How many.
        extra: usize,
    },
}

/// Writes fields one behind the other. The room is the caller's: [`MESSAGE_BYTES_MAX`](crate::limits::MESSAGE_BYTES_MAX)
/// holds every message, which each message asserts when it is compiled.
#[derive(Debug)]
pub struct Encoder<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Encoder<'a> {
    /// Begins at the start of `out`.
    #[inline]
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Bytes written so far.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends bytes as they are.
    ///
    /// # Panics
    /// When the room ends: the caller gave less than it had promised.
    #[inline]
    pub fn put_bytes(&mut self, bytes: &[u8]) {
        self.out[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// The next `N` bytes, to be filled by the caller: a whole block's room asked for once, not field by field.
    ///
    /// # Panics
    /// As [`Encoder::put_bytes`].
    #[inline]
    pub(crate) fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        let room = self.out[self.len..].first_chunk_mut();
        self.len += N;
        room.expect("the caller gives room for every message")
    }
}

/// Reads fields one behind the other and never beyond the end.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Begins at the start of `bytes`.
    #[inline]
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not read yet.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Short`] when there are fewer.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Short {
            wanted: len,
            left: self.rest.len(),
        })?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Short`] when there are fewer.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Short {
            wanted: N,
            left: self.rest.len(),
        })?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next field of a block: its default where an older writer ended the block before it.
    ///
    /// # Errors
    /// As [`Field::get`].
    #[inline]
    pub fn field<T: Field>(&mut self) -> Result<T, DecodeError> {
        if self.rest.is_empty() {
            Ok(T::default())
        } else {
            T::get(self)
        }
    }
}

/// The layout of one message, for documentation and tools.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Its id in records; never given twice.
    pub id: u16,
    /// Its name.
    pub name: &'static str,
    /// Name, type and bytes of each field of the block, in order.
    pub fields: &'static [(&'static str, &'static str, usize)],
    /// The name of the text behind the block, if there is one.
    pub text: &'static [&'static str],
}

impl Schema {
    /// Bytes of the block.
    #[must_use]
    pub fn block_len(&self) -> usize {
        self.fields.iter().map(|(_, _, size)| size).sum()
    }
}

/// A value with a fixed number of bytes.
pub trait Field: Sized + Default {
    /// How many.
    const SIZE: usize;
    /// Appends them.
    fn put(&self, out: &mut Encoder<'_>);
    /// Reads them.
    ///
    /// # Errors
    /// [`DecodeError`] when they are cut short or no value of this type.
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError>;
}

macro_rules! integers {
    ($($Int:ty),*) => {$(
        impl Field for $Int {
            const SIZE: usize = size_of::<$Int>();
            #[inline]
            fn put(&self, out: &mut Encoder<'_>) {
                out.put_bytes(&self.to_le_bytes());
            }
            #[inline]
            fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                input.array().map(Self::from_le_bytes)
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, i64, i128);

impl Field for bool {
    const SIZE: usize = 1;
    #[inline]
    fn put(&self, out: &mut Encoder<'_>) {
        u8::from(*self).put(out);
    }
    #[inline]
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match u8::get(input)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::UnknownValue { kind: "bool", value }),
        }
    }
}

/// Declares an enum of one byte whose values are fixed for ever. The first variant is the default.
macro_rules! byte_enum {
    ($(#[$doc:meta])* $Name:ident { $(#[$fdoc:meta])* $First:ident = $first:literal, $($(#[$vdoc:meta])* $Variant:ident = $value:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $Name {
            $(#[$fdoc])* #[default] $First = $first,
            $($(#[$vdoc])* $Variant = $value,)*
        }

        impl $Name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[Self::$First, $(Self::$Variant),*];
        }

        impl $crate::codec::Field for $Name {
            const SIZE: usize = 1;
            #[inline]
            fn put(&self, out: &mut $crate::codec::Encoder<'_>) {
                out.put_bytes(&[*self as u8]);
            }
            #[inline]
            fn get(input: &mut $crate::codec::Decoder<'_>) -> Result<Self, $crate::codec::DecodeError> {
                match u8::get(input)? {
                    $first => Ok(Self::$First),
                    $($value => Ok(Self::$Variant),)*
                    value => Err($crate::codec::DecodeError::UnknownValue { kind: stringify!($Name), value }),
                }
            }
        }
    };
}
pub(crate) use byte_enum;

/// Declares a struct whose bytes are those of its fields in order: a field of several parts.
macro_rules! composite {
    ($(#[$doc:meta])* $Name:ident { $($(#[$field_doc:meta])* $field:ident: $Type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $Name {
            $($(#[$field_doc])* pub $field: $Type,)*
        }

        impl $Name {
            /// Name, type and bytes of each part, in order.
            pub const PARTS: &'static [(&'static str, &'static str, usize)] =
                &[$((stringify!($field), stringify!($Type), <$Type as $crate::codec::Field>::SIZE)),*];
        }

        impl $crate::codec::Field for $Name {
            const SIZE: usize = 0 $(+ <$Type as $crate::codec::Field>::SIZE)*;
            #[inline]
            fn put(&self, out: &mut $crate::codec::Encoder<'_>) {
                $($crate::codec::Field::put(&self.$field, out);)*
            }
            #[inline]
            fn get(input: &mut $crate::codec::Decoder<'_>) -> Result<Self, $crate::codec::DecodeError> {
                Ok(Self { $($field: $crate::codec::Field::get(input)?,)* })
            }
        }
    };
}
pub(crate) use composite;

/// Declares a set of named bits, fixed for ever. Bits without a name are kept as they come.
macro_rules! bit_set {
    ($(#[$doc:meta])* $Name:ident($int:ty) { $($(#[$bit_doc:meta])* $BIT:ident = $at:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $Name(pub $int);

        impl $Name {
            $($(#[$bit_doc])* pub const $BIT: Self = Self(1 << $at);)*
            /// No bit set.
            pub const NONE: Self = Self(0);
            /// Every bit that has a name.
            pub const ALL: Self = Self(0 $(| 1 << $at)*);
            /// The bits by their names.
            pub const NAMES: &'static [(&'static str, Self)] = &[$((stringify!($BIT), Self::$BIT)),*];

            /// Whether every bit of `other` is set.
            #[inline]
            #[must_use]
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The bits of both.
            #[inline]
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether no bit is set.
            #[inline]
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }
        }

        impl $crate::codec::Field for $Name {
            const SIZE: usize = size_of::<$int>();
            #[inline]
            fn put(&self, out: &mut $crate::codec::Encoder<'_>) {
                self.0.put(out);
            }
            #[inline]
            fn get(input: &mut $crate::codec::Decoder<'_>) -> Result<Self, $crate::codec::DecodeError> {
                <$int>::get(input).map(Self)
            }
        }
    };
}
pub(crate) use bit_set;

/// Declares a family of messages: a struct each, and one enum over them with its bytes.
macro_rules! messages {
    ($(#[$enum_doc:meta])* $Enum:ident {
        $(
            $(#[$doc:meta])*
            $Name:ident = $schema:literal { $($(#[$field_doc:meta])* $field:ident: $Type:ty),* $(,)? }
            $(+ $(#[$text_doc:meta])* $text:ident)?
        )*
    }) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $Name {
                $($(#[$field_doc])* pub $field: $Type,)*
                $($(#[$text_doc])* pub $text: $crate::text::Text,)?
            }

            impl $Name {
                /// The schema id in records; never given twice.
                pub const SCHEMA: u16 = $schema;
                /// Bytes of the fixed block.
                pub const BLOCK: usize = 0 $(+ <$Type as $crate::codec::Field>::SIZE)*;

                #[allow(unused_mut, unused_variables, reason = "a message may have no fields or no text")]
                #[inline]
                fn put(&self, out: &mut $crate::codec::Encoder<'_>) {
                    let mut block = $crate::codec::Encoder::new(out.room::<{ $Name::BLOCK }>());
                    $($crate::codec::Field::put(&self.$field, &mut block);)*
                    $(self.$text.put(out);)?
                }

                /// A block as long as this build writes it is read by fixed places; any other length is asked for field by
                /// field.
                #[inline]
                fn get(
                    block: &[u8],
                    rest: &mut $crate::codec::Decoder<'_>,
                ) -> Result<Self, $crate::codec::DecodeError> {
                    match block.first_chunk::<{ $Name::BLOCK }>() {
                        Some(whole) => Self::get_fields($crate::codec::Decoder::new(whole), rest),
                        None => Self::get_short(block, rest),
                    }
                }

                /// An older writer's.
                #[cold]
                fn get_short(
                    block: &[u8],
                    rest: &mut $crate::codec::Decoder<'_>,
                ) -> Result<Self, $crate::codec::DecodeError> {
                    Self::get_fields($crate::codec::Decoder::new(block), rest)
                }

                #[allow(unused_mut, unused_variables, reason = "a message may have no fields or no text")]
                #[inline(always)]
                fn get_fields(
                    mut block: $crate::codec::Decoder<'_>,
                    rest: &mut $crate::codec::Decoder<'_>,
                ) -> Result<Self, $crate::codec::DecodeError> {
                    Ok(Self {
                        $($field: block.field()?,)*
                        $($text: if rest.remaining() == 0 { $crate::text::Text::EMPTY } else { $crate::text::Text::get(rest)? },)?
                    })
                }
            }

            const _: () = assert!($Name::BLOCK + 1 + $crate::limits::TEXT_MAX <= $crate::limits::MESSAGE_BYTES_MAX);

            impl From<$Name> for $Enum {
                #[inline]
                fn from(message: $Name) -> Self {
                    Self::$Name(message)
                }
            }
        )*

        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Enum {
            $($(#[$doc])* $Name($Name),)*
        }

        impl $Enum {
            /// The version of every message as this build writes it.
            pub const VERSION: u8 = 1;
            /// Every message of this family, in order of declaration.
            pub const SCHEMAS: &'static [$crate::codec::Schema] = &[$($crate::codec::Schema {
                id: $schema,
                name: stringify!($Name),
                fields: &[$((stringify!($field), stringify!($Type), <$Type as $crate::codec::Field>::SIZE)),*],
                text: &[$(stringify!($text))?],
            }),*];

            /// The schema id of this message.
            #[inline]
            #[must_use]
            pub const fn schema(&self) -> u16 {
                match self {
                    $(Self::$Name(_) => $schema,)*
                }
            }

            /// Bytes of this message's fixed block.
            #[inline]
            #[must_use]
            pub const fn block_len(&self) -> usize {
                match self {
                    $(Self::$Name(_) => $Name::BLOCK,)*
                }
            }

            /// The name of this message's type.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$Name(_) => stringify!($Name),)*
                }
            }

            /// Appends block and text.
            #[inline]
            pub fn encode(&self, out: &mut $crate::codec::Encoder<'_>) {
                match self {
                    $(Self::$Name(message) => message.put(out),)*
                }
            }

            /// Reads a message of `schema` whose block takes the first `block_len` of `bytes`.
            ///
            /// # Errors
            /// [`DecodeError`](crate::codec::DecodeError) that says what is wrong with the bytes.
            pub fn decode(schema: u16, block_len: usize, bytes: &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                let mut message = Self::BLANK;
                message.decode_over(schema, block_len, bytes)?;
                Ok(message)
            }

            /// As [`decode`](Self::decode), in the place of this message: what is read into a list is not copied on its way.
            ///
            /// # Errors
            /// As [`decode`](Self::decode); what then stands here is not to be used.
            #[inline]
            pub fn decode_over(
                &mut self,
                schema: u16,
                block_len: usize,
                bytes: &[u8],
            ) -> Result<(), $crate::codec::DecodeError> {
                let mut rest = $crate::codec::Decoder::new(bytes);
                let block = rest.take(block_len)?;
                match schema {
                    $($schema => *self = Self::$Name($Name::get(block, &mut rest)?),)*
                    schema => return Err($crate::codec::DecodeError::UnknownSchema { schema }),
                }
                match rest.remaining() {
                    0 => Ok(()),
                    extra => Err($crate::codec::DecodeError::Trailing { extra }),
                }
            }
        }
    };
}
pub(crate) use messages;
