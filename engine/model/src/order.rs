//! What an order is made of, beside its identities, price and quantity.

use crate::codec::{DecodeError, Decoder, Encoder, Field, byte_enum};
use crate::ids::{OrderId, UserRef};

byte_enum! {
    /// The side of an order. Short selling is a mark beside it ([`ShortSale`]).
    Side {
        /// Buys: bid.
        Buy = 1,
        /// Sells: ask, offer.
        Sell = 2,
    }
}

byte_enum! {
    /// How a sell order is marked (FIX 54 = 5, 6; OUCH side T, E). A buy order has none.
    ShortSale {
        /// Not short.
        None = 0,
        /// Sell short.
        Short = 1,
        /// Sell short exempt.
        Exempt = 2,
    }
}

byte_enum! {
    /// What the order's price means (FIX 40).
    OrderKind {
        /// Trades at its price or better.
        Limit = 1,
        /// Trades at any price; what finds no counterpart is cancelled and never rests.
        Market = 2,
    }
}

byte_enum! {
    /// How long the order stands (FIX 59).
    TimeInForce {
        /// Until the end of the trading day.
        Day = 1,
        /// Until cancelled: carried over days under the same [`OrderId`].
        GoodTillCancel = 2,
        /// What does not trade at once is cancelled.
        ImmediateOrCancel = 3,
        /// Trades at once and in full, or not at all.
        FillOrKill = 4,
    }
}

byte_enum! {
    /// For whom the order is (FIX 528 and 47, OUCH capacity). Echoed, never acted on.
    Capacity {
        /// Not said.
        Unspecified = 0,
        /// For a customer.
        Agency = 1,
        /// For the firm itself.
        Principal = 2,
        /// Riskless principal.
        RisklessPrincipal = 3,
        /// OUCH "other".
        Other = 4,
    }
}

byte_enum! {
    /// The protocol that a session's orders come by.
    Door {
        /// The venue itself: operators, schedulers, ingest.
        Venue = 0,
        /// OUCH 5.0 over SoupBinTCP.
        Ouch = 1,
        /// FIX 4.4.
        Fix = 2,
    }
}

byte_enum! {
    /// Why a session was lost.
    LossCause {
        /// The client logged out or ended the session.
        Logout = 1,
        /// The connection closed or failed.
        Disconnected = 2,
        /// Nothing was heard for the door's time limit.
        Silent = 3,
        /// The client broke the protocol.
        ProtocolError = 4,
        /// The exchange stopped while the session was up; sequenced when it starts again.
        Recovery = 5,
        /// The exchange closed it in good order.
        Shutdown = 6,
        /// The stream was forked while the session was up: its connection is at the venue that the copy was taken from, and
        /// its orders, which are the market that was asked for, stay.
        Forked = 7,
    }
}

byte_enum! {
    /// What may be done in an instrument (FIX 340 and 625; ITCH 5.0 trading states).
    Phase {
        /// Orders trade as they come.
        Continuous = 0,
        /// Orders are collected for the opening; nothing is said of its price yet.
        PreOpen = 1,
        /// Orders are collected for the opening, and its price so far is published.
        OpeningAuction = 2,
        /// Orders are collected to find a price out of an interruption, and it is published.
        VolatilityAuction = 3,
        /// Nothing trades, orders are only taken off.
        Halt = 4,
        /// Orders are collected for the close, and its price so far is published.
        ClosingAuction = 5,
        /// The day's trading is over: orders are only taken off.
        Closed = 6,
        /// The venue has suspended the instrument: as a halt, for longer.
        Suspended = 7,
        /// The instrument is gone for good, and its orders with it.
        Delisted = 8,
    }
}

impl Phase {
    /// Whether orders are collected and nothing trades.
    #[must_use]
    pub const fn is_call(self) -> bool {
        matches!(
            self,
            Self::PreOpen | Self::OpeningAuction | Self::VolatilityAuction | Self::ClosingAuction
        )
    }

    /// Whether the price at which orders would trade is published as it changes.
    #[must_use]
    pub const fn is_indicative(self) -> bool {
        self.is_call() && !matches!(self, Self::PreOpen)
    }

    /// Whether new orders are taken.
    #[must_use]
    pub const fn takes_orders(self) -> bool {
        self.is_call() || matches!(self, Self::Continuous)
    }
}

byte_enum! {
    /// Which orders a mass cancel means by side.
    SideFilter {
        /// Both sides.
        Both = 0,
        /// Buy orders.
        Buy = 1,
        /// Sell orders.
        Sell = 2,
    }
}

impl SideFilter {
    /// Whether an order of this side is meant.
    #[must_use]
    pub const fn takes(self, side: Side) -> bool {
        matches!(
            (self, side),
            (Self::Both, _) | (Self::Buy, Side::Buy) | (Self::Sell, Side::Sell)
        )
    }
}

impl Side {
    /// The side an order of this side trades with.
    #[inline]
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

impl TimeInForce {
    /// Whether what remains after entry stays in the book.
    #[inline]
    #[must_use]
    pub const fn rests(self) -> bool {
        matches!(self, Self::Day | Self::GoodTillCancel)
    }
}

/// Where doors differ in meaning, the door says with each command which meaning holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Policy(pub u16);

impl Policy {
    /// A replace that only lowers the quantity keeps its place in the queue (FIX venues; OUCH replace never does).
    pub const KEEP_PRIORITY_ON_REDUCE: Self = Self(1 << 0);
    /// An invalid replace cancels the original (OUCH 5.0 replace); without it the original stands and the replace is refused.
    pub const INVALID_REPLACE_CANCELS: Self = Self(1 << 1);
    /// A change to an order that is no more gets no answer (OUCH 5.0); without it the change is refused.
    pub const DEAD_ORDER_SILENT: Self = Self(1 << 2);
    /// A new quantity counts what has been executed already: order 10, filled 2, changed to 5 leaves 3 (FIX 38, OUCH);
    /// without it 5.
    pub const QUANTITY_COUNTS_EXECUTED: Self = Self(1 << 3);
    /// A DAY order is cancelled when its session is lost.
    pub const CANCEL_ON_DISCONNECT: Self = Self(1 << 4);
    /// The feed names the firm (ITCH `F`).
    pub const ATTRIBUTED: Self = Self(1 << 5);

    /// No bit set.
    pub const NONE: Self = Self(0);

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
}

impl Field for Policy {
    const SIZE: usize = 2;
    #[inline]
    fn put(&self, out: &mut Encoder<'_>) {
        self.0.put(out);
    }
    #[inline]
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        u16::get(input).map(Self)
    }
}

/// Which order a command means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// By the client's reference in the command's session and today's trading day.
    UserRef(UserRef),
    /// By the venue's name of the chain: orders carried over a day, operators, other sessions of the account.
    OrderId(OrderId),
}

impl Default for Target {
    fn default() -> Self {
        Self::UserRef(UserRef(0))
    }
}

/// One byte that tells which name follows, then eight bytes of it.
impl Field for Target {
    const SIZE: usize = 9;
    #[inline]
    fn put(&self, out: &mut Encoder<'_>) {
        let (kind, name) = match *self {
            Self::UserRef(user_ref) => (0u8, u64::from(user_ref.0)),
            Self::OrderId(order_id) => (1u8, order_id.0),
        };
        kind.put(out);
        name.put(out);
    }
    #[inline]
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let kind = u8::get(input)?;
        let name = u64::get(input)?;
        match kind {
            0 => u32::try_from(name)
                .map(|user_ref| Self::UserRef(UserRef(user_ref)))
                .map_err(|_| DecodeError::UnknownValue {
                    kind: "32-bit UserRef",
                    value: kind,
                }),
            1 => Ok(Self::OrderId(OrderId(name))),
            value => Err(DecodeError::UnknownValue { kind: "Target", value }),
        }
    }
}
