//! Optional fields (OUCH 5.0, section 1.2 and Appendix B): TagValue elements, one after the other, in a message's
//! appendage.
//!
//! An element is a length byte (counting tag and value), a tag byte and the value. [`Appendage`] is the bytes as they
//! stand on the wire; [`Options`] is their meaning, each option at most once; [`Options::to_appendage`] is the way
//! back. Which options a message may carry is in that message's `OPTIONS`, for the owner to hold
//! ([`Options::outside`]).

use core::fmt;

use super::codes::{
    BboWeight, CustomerType, DiscretionPriceType, HandleInst, PostOnly, PriceType, SharesLocated, TradeNow,
};
use super::error::DecodeError;
use super::table::Field;
use super::value::{ExpireTime, Firm, GroupId, OrderReference, Price, Quantity, Route, SignedPrice};

/// Length byte and tag byte.
const ELEMENT_HEADER: usize = 2;

/// An appendage that divides into whole TagValue elements and is short enough for its u16 length. The values are not
/// yet read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Appendage<'a>(&'a [u8]);

impl<'a> Appendage<'a> {
    /// No options.
    pub const EMPTY: Self = Self(&[]);

    /// The bytes after the appendage length.
    ///
    /// # Errors
    /// [`DecodeError::BrokenAppendage`] where the bytes do not divide into elements, [`DecodeError::AppendageTooLong`]
    /// above 65,535.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > usize::from(u16::MAX) {
            return Err(DecodeError::AppendageTooLong { actual: bytes.len() });
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            (_, rest) = split_element(rest).ok_or(DecodeError::BrokenAppendage {
                at: bytes.len() - rest.len(),
            })?;
        }
        Ok(Self(bytes))
    }

    /// The elements as they stand on the wire.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is no option.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The options in wire order; an option that is unknown or has a bad value is an error in its place.
    #[must_use]
    pub const fn iter(self) -> TagValues<'a> {
        TagValues(self.0)
    }

    /// All options, each at most once.
    ///
    /// # Errors
    /// The first [`DecodeError`] of [`Appendage::iter`], or [`DecodeError::RepeatedOption`].
    pub fn options(self) -> Result<Options, DecodeError> {
        let mut options = Options::NONE;
        for option in self {
            let option = option?;
            if options.set(option).is_some() {
                return Err(DecodeError::RepeatedOption { tag: option.tag() });
            }
        }
        Ok(options)
    }

    /// The length that the message states. It fits by construction.
    pub(super) const fn stated_length(self) -> u16 {
        self.0.len() as u16
    }
}

impl fmt::Debug for Appendage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Appendage<'a> {
    type Item = Result<TagValue, DecodeError>;
    type IntoIter = TagValues<'a>;

    fn into_iter(self) -> TagValues<'a> {
        self.iter()
    }
}

/// The options of an appendage in wire order.
#[derive(Clone, Debug)]
pub struct TagValues<'a>(&'a [u8]);

impl Iterator for TagValues<'_> {
    type Item = Result<TagValue, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let ((tag, value), rest) = split_element(self.0)?;
        self.0 = rest;
        Some(TagValue::decode(tag, value))
    }
}

/// An element's tag and value.
type Element<'a> = (u8, &'a [u8]);

/// The first element and the bytes behind it; `None` where the bytes do not begin with a whole element.
fn split_element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (element, rest) = rest.split_at_checked(usize::from(length))?;
    let (&tag, value) = element.split_first()?;
    Some(((tag, value), rest))
}

/// An appendage that is being sent; large enough for every option once.
#[derive(Clone, Copy)]
pub struct AppendageBuffer {
    bytes: [u8; Options::MAX_LENGTH],
    length: usize,
}

impl AppendageBuffer {
    /// The appendage, to be put into a message.
    #[must_use]
    pub fn as_appendage(&self) -> Appendage<'_> {
        Appendage(self.bytes.get(..self.length).unwrap_or_default())
    }

    /// Appends one element. [`Options`] holds each option once, so that there is always room; without room nothing is
    /// written.
    fn push<const WIDTH: usize>(&mut self, tag: u8, value: [u8; WIDTH]) {
        let end = self.length + ELEMENT_HEADER + WIDTH;
        if let Some([length, tag_byte, room @ ..]) = self.bytes.get_mut(self.length..end) {
            *length = WIDTH as u8 + 1;
            *tag_byte = tag;
            room.copy_from_slice(&value);
            self.length = end;
        }
    }
}

/// Defines the options by their table: `tag width Name name: Type`.
macro_rules! options {
    ($($(#[$row:meta])* $tag:literal $width:literal $variant:ident $field:ident: $ty:ty,)+) => {
        /// One option.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum TagValue {
            $($(#[$row])* $variant($ty),)+
        }

        impl TagValue {
            /// The option's tag.
            #[must_use]
            pub const fn tag(self) -> u8 {
                match self {
                    $(Self::$variant(_) => $tag,)+
                }
            }

            fn decode(tag: u8, value: &[u8]) -> Result<Self, DecodeError> {
                match tag {
                    $($tag => {
                        let wire = <[u8; $width]>::try_from(value)
                            .map_err(|_| DecodeError::OptionLength { tag, expected: $width, actual: value.len() })?;
                        Field::from_wire(wire).map(Self::$variant)
                    })+
                    _ => Err(DecodeError::UnknownOption { tag }),
                }
            }
        }

        /// The optional fields of one message, each at most once.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Options {
            $($(#[$row])* pub $field: Option<$ty>,)+
        }

        impl Options {
            /// No option.
            pub const NONE: Self = Self { $($field: None,)+ };
            /// Length in bytes of an appendage with every option.
            pub const MAX_LENGTH: usize = 0 $(+ ELEMENT_HEADER + $width)+;

            /// Sets an option and gives back what it was before.
            pub fn set(&mut self, option: TagValue) -> Option<TagValue> {
                match option {
                    $(TagValue::$variant(value) => self.$field.replace(value).map(TagValue::$variant),)+
                }
            }

            /// The options that are set, ascending by tag.
            pub fn iter(&self) -> impl Iterator<Item = TagValue> + use<> {
                [$(self.$field.map(TagValue::$variant),)+].into_iter().flatten()
            }

            /// The options as an appendage, ascending by tag.
            #[must_use]
            pub fn to_appendage(&self) -> AppendageBuffer {
                let mut buffer = AppendageBuffer { bytes: [0; Self::MAX_LENGTH], length: 0 };
                $(if let Some(value) = self.$field {
                    buffer.push::<$width>($tag, Field::to_wire(value));
                })+
                buffer
            }
        }
    };
}

options! {
    /// Another public reference of the order, such as that of the displayed part of a reserve order.
    1 8 SecondaryOrderReference secondary_order_reference: OrderReference,
    /// The firm; blank is the account's default.
    2 4 Firm firm: Firm,
    /// The least that may trade at once; a round lot, 0 is no minimum.
    3 4 MinQuantity min_quantity: Quantity,
    /// Whether the order is a retail order.
    4 1 CustomerType customer_type: CustomerType,
    /// The part of the order to be displayed; 0 is all.
    5 4 MaxFloor max_floor: Quantity,
    /// To what the price is pegged.
    6 1 PriceType price_type: PriceType,
    /// Distance from the peg.
    7 4 PegOffset peg_offset: SignedPrice,
    /// The price to which the order may trade beyond its limit; 0 is none.
    9 8 DiscretionPrice discretion_price: Price,
    /// To what the discretion price is pegged.
    10 1 DiscretionPriceType discretion_price_type: DiscretionPriceType,
    /// Distance of the discretion price from its peg.
    11 4 DiscretionPegOffset discretion_peg_offset: SignedPrice,
    /// Whether the order must not remove liquidity.
    12 1 PostOnly post_only: PostOnly,
    /// Shares by which refills vary at random; 0 is none.
    13 4 RandomReserves random_reserves: Quantity,
    /// Where to route.
    14 4 Route route: Route,
    /// Seconds to live.
    15 4 ExpireTime expire_time: ExpireTime,
    /// Whether a resting order trades at once when it can.
    16 1 TradeNow trade_now: TradeNow,
    /// Handling instruction.
    17 1 HandleInst handle_inst: HandleInst,
    /// Weight of the order in the best price.
    18 1 BboWeight bbo_weight: BboWeight,
    /// The displayed quantity now (Order Restated only).
    22 4 DisplayQuantity display_quantity: Quantity,
    /// The displayed price now (Order Restated only).
    23 8 DisplayPrice display_price: Price,
    /// Customer group within the firm.
    24 2 GroupId group_id: GroupId,
    /// Whether the shares of a short sale are located.
    25 1 SharesLocated shares_located: SharesLocated,
}

impl Options {
    /// The first option that is not among `tags`, such as [`EnterOrder::OPTIONS`](super::EnterOrder::OPTIONS).
    #[must_use]
    pub fn outside(&self, tags: &[u8]) -> Option<TagValue> {
        self.iter().find(|option| !tags.contains(&option.tag()))
    }
}
