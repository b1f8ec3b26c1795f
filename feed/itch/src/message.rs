//! Any message: the type byte chooses.

use alloc::vec::Vec;

use crate::error::{DecodeError, EncodeError};
use crate::messages::{
    AddOrder, AddOrderAttributed, BrokenTrade, CapitalRaiseDiscovery, CrossTrade, IpoQuotingPeriod, LuldAuctionCollar,
    MarketParticipantPosition, MwcbDeclineLevels, MwcbStatus, NetOrderImbalance, OperationalHalt, OrderCancel,
    OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReplace, RegShoRestriction, RetailInterest,
    StockDirectory, StockTradingAction, SystemEvent, Trade,
};
use crate::values::Header;
use crate::wire::Encode;

macro_rules! any_message {
    ($($(#[$doc:meta])* $Name:ident,)*) => {
        /// Any ITCH 5.0 message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Message {
            $($(#[$doc])* $Name($Name),)*
        }

        impl Message {
            /// Type byte and length of every message there is.
            pub const TYPES: &[(u8, usize)] = &[$(($Name::TYPE, $Name::LEN),)*];

            /// The bytes of the longest message.
            pub const LEN_MAX: usize = {
                let mut longest = 0;
                $(if $Name::LEN > longest { longest = $Name::LEN; })*
                longest
            };

            /// Reads one message, which the bytes must hold exactly.
            ///
            /// # Errors
            /// [`DecodeError`]: no bytes, an unknown type, a length that is not the type's, a code that is not listed.
            #[inline]
            pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                match *bytes.first().ok_or(DecodeError::Empty)? {
                    $($Name::TYPE => $Name::decode(bytes).map(Self::$Name),)*
                    message_type => Err(DecodeError::UnknownType { message_type }),
                }
            }

            /// Writes the message at the start of `out` and says how many bytes it took.
            ///
            /// # Errors
            /// When `out` is shorter than [`Message::encoded_len`]; nothing is written then.
            #[inline]
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
                match self {
                    $(Self::$Name(message) => message.encode(out),)*
                }
            }

            /// Appends the message's bytes; allocates only where `out` has no room left.
            #[inline]
            pub fn append_to(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$Name(message) => out.extend_from_slice(&message.to_bytes()),)*
                }
            }

            /// The byte that names the message.
            #[inline]
            #[must_use]
            pub const fn message_type(&self) -> u8 {
                match self {
                    $(Self::$Name(_) => $Name::TYPE,)*
                }
            }

            /// How many bytes the message takes.
            #[inline]
            #[must_use]
            pub const fn encoded_len(&self) -> usize {
                match self {
                    $(Self::$Name(_) => $Name::LEN,)*
                }
            }

            /// What every message begins with.
            #[inline]
            #[must_use]
            pub const fn header(&self) -> &Header {
                match self {
                    $(Self::$Name(message) => &message.header,)*
                }
            }
        }

        impl Encode for Message {
            #[inline]
            fn encoded_len(&self) -> usize {
                self.encoded_len()
            }

            #[inline]
            fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
                self.encode(out)
            }
        }

        $(impl From<$Name> for Message {
            #[inline]
            fn from(message: $Name) -> Self {
                Self::$Name(message)
            }
        })*
    };
}

any_message! {
    /// `S`
    SystemEvent,
    /// `R`
    StockDirectory,
    /// `H`
    StockTradingAction,
    /// `Y`
    RegShoRestriction,
    /// `L`
    MarketParticipantPosition,
    /// `V`
    MwcbDeclineLevels,
    /// `W`
    MwcbStatus,
    /// `K`
    IpoQuotingPeriod,
    /// `J`
    LuldAuctionCollar,
    /// `h`
    OperationalHalt,
    /// `A`
    AddOrder,
    /// `F`
    AddOrderAttributed,
    /// `E`
    OrderExecuted,
    /// `C`
    OrderExecutedWithPrice,
    /// `X`
    OrderCancel,
    /// `D`
    OrderDelete,
    /// `U`
    OrderReplace,
    /// `P`
    Trade,
    /// `Q`
    CrossTrade,
    /// `B`
    BrokenTrade,
    /// `I`
    NetOrderImbalance,
    /// `N`
    RetailInterest,
    /// `O`
    CapitalRaiseDiscovery,
}
