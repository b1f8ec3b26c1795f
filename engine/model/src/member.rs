//! Members: what a firm or account may risk, its share of the fees, its users, and where what is known of it is kept.

use crate::codec::{DecodeError, Decoder, Encoder, Field, byte_enum, composite};
use crate::price::{Price, Quantity};

/// A price times a quantity, in price units: with the default scale, ten-thousandths of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Notional(pub u64);

impl Notional {
    /// The worth of a quantity at a price, in 128 bits, where no product of the two overflows. A price below zero is worth
    /// nothing.
    #[must_use]
    pub const fn worth(price: Price, quantity: Quantity) -> u128 {
        if price.0 < 0 {
            0
        } else {
            price.0 as u128 * quantity.0 as u128
        }
    }
}

impl Field for Notional {
    const SIZE: usize = 8;
    fn put(&self, out: &mut Encoder<'_>) {
        self.0.put(out);
    }
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        u64::get(input).map(Self)
    }
}

impl core::fmt::Display for Notional {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $Name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $Name(pub $inner);

        impl Field for $Name {
            const SIZE: usize = size_of::<$inner>();
            fn put(&self, out: &mut Encoder<'_>) {
                self.0.put(out);
            }
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
    /// A person or program of a firm, or of the venue.
    UserId(u32)
);
id!(
    /// A part of the member store.
    ShardId(u16)
);

composite! {
    /// Pre-trade limits of a firm or an account (SEC Rule 15c3-5; ESMA RTS 6 Article 15, pre-trade controls). Zero: no such
    /// limit. What they are judged against is said at the engine's risk.
    RiskLimits {
        /// The highest quantity of one order.
        order_quantity: Quantity,
        /// The highest worth of one order.
        order_notional: Notional,
        /// How far a price may lie beyond the last trade's, in hundredths of a per cent of it.
        collar: u32,
        /// How many orders may stand.
        open_orders: u32,
        /// How much may be bought more than sold, or sold more than bought, on each instrument, if all that stands trades.
        position: Quantity,
        /// Nothing may be sold that is not held.
        long_only: bool,
        /// How much more may be paid than received in a day, if all that stands to buy trades.
        credit: Notional,
        /// For how many milliseconds an order like one before is refused.
        duplicate_window: u32,
    }
}

composite! {
    /// How many messages a firm may send, by all of its sessions at all doors together, by the time of the stream; and its
    /// share where firms wait for each other. Zero a second: no such limit. All zero: no budgets.
    Budgets {
        /// New orders, replaces and quotes, a second.
        orders_per_second: u32,
        /// How many of them at once; zero: one.
        orders_burst: u32,
        /// Cancels and reductions, a second: no fewer than orders.
        cancels_per_second: u32,
        /// How many of them at once; no fewer than orders.
        cancels_burst: u32,
        /// Questions: about orders, instruments, the market, a second.
        questions_per_second: u32,
        /// How many of them at once; zero: one.
        questions_burst: u32,
        /// Its turns of reading are so many times as long as those of a firm with 1; zero: 1.
        weight: u8,
    }
}

impl Budgets {
    /// Whether they can be kept to: no rate or burst above [`BUDGET_MAX`], no weight above [`WEIGHT_MAX`], no burst without a
    /// rate, and never fewer cancels than orders.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        let orders = is_rate(self.orders_per_second, self.orders_burst);
        let cancels = is_rate(self.cancels_per_second, self.cancels_burst);
        let questions = is_rate(self.questions_per_second, self.questions_burst);
        let more_cancels = self.cancels_per_second == 0
            || self.orders_per_second != 0
                && self.cancels_per_second >= self.orders_per_second
                && self.cancels_burst >= self.orders_burst;
        orders && cancels && questions && more_cancels && self.weight <= WEIGHT_MAX
    }
}

const fn is_rate(per_second: u32, burst: u32) -> bool {
    per_second <= BUDGET_MAX && burst <= BUDGET_MAX && (per_second > 0 || burst == 0)
}

composite! {
    /// A firm's fee tier: its part of an instrument's fees, in per cent, rounded to the nearest, halves away from zero.
    FeeTier {
        /// Of what the resting order pays or is paid.
        maker_percent: u16,
        /// Of what the incoming order pays or is paid.
        taker_percent: u16,
    }
}

impl FeeTier {
    /// The fees as they are.
    pub const WHOLE: Self = Self {
        maker_percent: 100,
        taker_percent: 100,
    };
}

/// The highest part of a fee tier, in per cent: five times the highest fee of a trade stays within 64 bits.
pub const FEE_TIER_MAX: u16 = 500;
/// The highest rate of a firm's budget, in messages a second, and how many may come at once.
pub const BUDGET_MAX: u32 = 1_000_000;
/// The highest weight of a firm.
pub const WEIGHT_MAX: u8 = 16;
/// The highest shard.
pub const SHARD_MAX: u16 = 1_023;
/// The highest user.
pub const USER_MAX: u32 = 1_048_575;
/// Orders that are remembered for the duplicate-order guard of a firm or account. Beyond it the oldest is forgotten.
pub const RECENT_ORDERS_MAX: usize = 256;

byte_enum! {
    /// What a user may do. Each may what the one before may.
    Role {
        /// Nothing any more.
        Barred = 1,
        /// Look.
        ReadOnly = 2,
        /// Enter and change orders.
        Trader = 3,
        /// Set limits and kill switches.
        Risk = 4,
        /// Run the venue.
        Operator = 5,
    }
}

byte_enum! {
    /// How a firm is served.
    Service {
        /// Shares door and member shard with others.
        Pool = 1,
        /// Has a port, limits and a member shard of its own.
        Bridge = 2,
    }
}
