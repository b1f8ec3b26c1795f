//! Instructions that ride on a basic order: what makes a stop, an iceberg, a hidden or a post-only order of a limit or
//! market order. Whether an instrument offers one is in its [`Rulebook`](crate::rulebook::Rulebook).

use crate::codec::{Field, bit_set, byte_enum, composite};
use crate::price::{Part, Price};
use crate::time::Timestamp;

bit_set! {
    /// Instructions without a value.
    Handling(u16) {
        /// Never takes liquidity: an order that would trade on entry is refused (FIX 18 = 6, participate don't initiate).
        POST_ONLY = 0,
        /// Post-only that is moved to the best price at which it does not trade instead of being refused (as Nasdaq and Cboe
        /// slide post-only orders).
        SLIDE = 1,
        /// Not on the feed, and behind displayed orders of its price (ITCH 5.0, non-displayable orders; OUCH 5.0 display `N`).
        HIDDEN = 2,
        /// The stop price follows the market at the distance in `trigger` (FIX 40 = P, peg to the last trade).
        TRAILING = 3,
        /// The price follows the best displayed one of the order's side (FIX 18 = R, primary peg), up to its limit.
        PEG_PRIMARY = 4,
        /// The price follows the mean of the best displayed ones (FIX 18 = M, midpoint peg), up to its limit.
        PEG_MIDPOINT = 5,
        /// A price beyond the order's that it trades at in secret (FIX 388). Offered nowhere, and refused by this name.
        DISCRETION = 6,
    }
}

byte_enum! {
    /// In which auction alone the order takes part.
    AuctionOnly {
        /// Not bound to an auction.
        Any = 0,
        /// The opening auction (FIX 59 = 2, at the opening).
        Opening = 1,
        /// The closing auction (FIX 59 = 7, at the close).
        Closing = 2,
    }
}

composite! {
    /// What an order asks for beyond side, price, quantity and time in force. All zero: nothing.
    Instructions {
        /// Instructions without a value.
        handling: Handling,
        /// In which auction alone it takes part.
        auction: AuctionOnly,
        /// The owner's self-trade group within its firm: only orders of one group are kept from each other.
        group: u16,
        /// The quantity to display at a time (FIX 111, 1138); zero displays all.
        display: Part,
        /// The least that must trade at once on entry, or the order is cancelled (FIX 110); zero: none.
        minimum: Part,
        /// The price of the last trade at which a stop order becomes live (FIX 99), or the distance of a trailing one;
        /// zero: not a stop order.
        trigger: Price,
        /// Until when the order stands (FIX 126); zero: as its time in force says. With good-till-cancel only.
        expires: Timestamp,
    }
}

impl Instructions {
    /// Nothing beyond the basic order.
    pub const NONE: Self = Self {
        handling: Handling::NONE,
        auction: AuctionOnly::Any,
        group: 0,
        display: Part::ZERO,
        minimum: Part::ZERO,
        trigger: Price(0),
        expires: Timestamp(0),
    };

    /// Whether there are none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Bytes of all instructions.
    pub const BYTES: usize = <Self as Field>::SIZE;
}
