//! Identities. Ids given by the venue and ids chosen by a client are different types and never mix.

use crate::codec::DecodeError;
use crate::codec::{Decoder, Encoder, Field};

macro_rules! id {
    ($(#[$doc:meta])* $Name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $Name(pub $inner);

        impl Field for $Name {
            const SIZE: usize = size_of::<$inner>();
            #[inline]
            fn put(&self, out: &mut Encoder<'_>) {
                self.0.put(out);
            }
            #[inline]
            fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                <$inner>::get(input).map(Self)
            }
        }

        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A venue: its own sequencer, engine, journal and clock. A private venue has an id of its own.
    VenueId(u32)
);
id!(
    /// A member firm, the tenant. Zero is the venue itself.
    FirmId(u32)
);
id!(
    /// An account of a firm. Zero on a command means the account of its session.
    AccountId(u32)
);
id!(
    /// An order-entry session, the same over all its connections. Zero is the venue itself.
    SessionId(u32)
);
id!(
    /// One connection of a session: counts up with each. A command of an ended incarnation is refused.
    Incarnation(u32)
);
id!(
    /// An instrument, dense from 1; on ITCH it is the stock locate, hence 16 bits.
    InstrumentId(u16)
);
id!(
    /// The client's own number of an order, unique per (session, trading day) and strictly increasing: OUCH UserRefNum;
    /// the FIX door numbers ClOrdIDs.
    UserRef(u32)
);
id!(
    /// The venue's name of an order chain, private to its firm: the sequence number of the command that entered it.
    /// It stays through replaces and over trading days. A side of a quote has that number times eight, and the place of the
    /// side in the command, with the highest bit set.
    OrderId(u64)
);
id!(
    /// The reference on the public feed: new at every insertion into a queue and never repeated in a venue's life.
    /// The instrument in the upper 16 bits, a count per instrument in the lower 48.
    PublicRef(u64)
);
id!(
    /// A trade (ITCH match number): the instrument in the upper 16 bits, a count per instrument in the lower 48.
    TradeId(u64)
);
id!(
    /// The global number of a command: dense, from 1.
    SequenceNumber(u64)
);
id!(
    /// The fencing number: who may extend the stream. Grows with each writer; part of no hash.
    Epoch(u32)
);
id!(
    /// A version of behaviour: an output-changing fix stands behind its release number.
    ReleaseNumber(u32)
);
id!(
    /// The client's inbound message number (FIX MsgSeqNum) that a command came under; zero where the door has none.
    MsgSeqNum(u32)
);

/// Bits of [`PublicRef`] and [`TradeId`] that count per instrument.
const COUNT_BITS: u32 = 48;

impl SequenceNumber {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl PublicRef {
    /// The `count`-th reference of an instrument. Counts stay below 2^48, which at ten million a second is 325 days of
    /// one instrument without a pause.
    #[must_use]
    pub const fn new(instrument: InstrumentId, count: u64) -> Self {
        Self(((instrument.0 as u64) << COUNT_BITS) | count)
    }

    /// Whose it is.
    #[must_use]
    pub const fn instrument(self) -> InstrumentId {
        InstrumentId((self.0 >> COUNT_BITS) as u16)
    }
}

impl OrderId {
    /// The highest bit.
    const QUOTE: u64 = 1 << 63;

    /// A side of a quote: `place` is below eight. Numbers stay below 2^60.
    #[must_use]
    pub const fn quote(seq: SequenceNumber, place: u64) -> Self {
        Self(Self::QUOTE | (seq.0 << 3) | place)
    }

    /// Whether this is a side of a quote.
    #[inline]
    #[must_use]
    pub const fn is_quote(self) -> bool {
        self.0 & Self::QUOTE != 0
    }

    /// The command that entered it.
    #[must_use]
    pub const fn command(self) -> SequenceNumber {
        if self.is_quote() {
            SequenceNumber((self.0 & !Self::QUOTE) >> 3)
        } else {
            SequenceNumber(self.0)
        }
    }
}

impl TradeId {
    /// The `count`-th trade of an instrument.
    #[must_use]
    pub const fn new(instrument: InstrumentId, count: u64) -> Self {
        Self(((instrument.0 as u64) << COUNT_BITS) | count)
    }
}
