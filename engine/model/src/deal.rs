//! Money, and what is kept of a trade by who has to undo it.

use crate::codec::{DecodeError, Decoder, Encoder, Field, composite};
use crate::event::{Executed, TradeCorrected};
use crate::ids::{OrderId, SessionId, TradeId, UserRef};
use crate::order::Side;
use crate::price::{Price, Quantity};

/// A sum of money in hundredths of a price unit times a unit of quantity: with the default scale, millionths. What a member
/// pays is positive, what it is paid negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Money(pub i64);

/// A share of a trade's worth, in millionths: 100 are one basis point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Rate(pub i64);

macro_rules! field {
    ($Name:ident) => {
        impl Field for $Name {
            const SIZE: usize = 8;
            #[inline]
            fn put(&self, out: &mut Encoder<'_>) {
                self.0.put(out);
            }
            #[inline]
            fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                i64::get(input).map(Self)
            }
        }
        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
field!(Money);
field!(Rate);

composite! {
    /// What each side of a trade pays (maker-taker pricing: Nasdaq Equity 7, Section 118; NYSE Arca fee schedule). A fee is
    /// `quantity * unit + price * quantity * rate`, the second part rounded to [`Money`], halves away from zero, before the
    /// first is added. A negative one is a rebate.
    Fees {
        /// The resting order, for each unit of quantity.
        maker_unit: Money,
        /// The resting order, of the worth.
        maker_rate: Rate,
        /// The incoming order, for each unit of quantity.
        taker_unit: Money,
        /// The incoming order, of the worth.
        taker_rate: Rate,
        /// Each order of an uncross, for each unit of quantity.
        cross_unit: Money,
        /// Each order of an uncross, of the worth.
        cross_rate: Rate,
    }
}

/// The highest fee or rebate for a unit of quantity.
pub const FEE_UNIT_MAX: i64 = 1_000_000_000;
/// The highest fee or rebate of the worth: one per cent.
pub const FEE_RATE_MAX: i64 = 10_000;

composite! {
    /// A trade as its [`Executed`](crate::event::Executed) told it: what doors and feed need to undo it. The engine keeps no
    /// trades, so who sequences a bust or correction states it from the record.
    Deal {
        /// Which trade.
        trade: TradeId,
        /// The side of the incoming order.
        aggressor: Side,
        /// It was one of an uncross.
        cross: bool,
        /// At which price.
        price: Price,
        /// How much.
        quantity: Quantity,
        /// The resting order.
        maker: OrderId,
        /// Whose.
        maker_session: SessionId,
        /// The client's name of it then.
        maker_user_ref: UserRef,
        /// What it paid.
        maker_fee: Money,
        /// The incoming order.
        taker: OrderId,
        /// Whose.
        taker_session: SessionId,
        /// The client's name of it then.
        taker_user_ref: UserRef,
        /// What it paid.
        taker_fee: Money,
    }
}

impl Executed {
    /// What undoes it.
    #[must_use]
    pub const fn deal(&self) -> Deal {
        Deal {
            trade: self.trade,
            aggressor: self.aggressor,
            cross: self.cross,
            price: self.price,
            quantity: self.quantity,
            maker: self.maker,
            maker_session: self.maker_session,
            maker_user_ref: self.maker_user_ref,
            maker_fee: self.maker_fee,
            taker: self.taker,
            taker_session: self.taker_session,
            taker_user_ref: self.taker_user_ref,
            taker_fee: self.taker_fee,
        }
    }
}

impl TradeCorrected {
    /// What undoes the trade that stands now.
    #[must_use]
    pub const fn deal(&self) -> Deal {
        Deal {
            trade: self.trade,
            price: self.price,
            quantity: self.quantity,
            maker_fee: self.maker_fee,
            taker_fee: self.taker_fee,
            ..self.deal
        }
    }
}
