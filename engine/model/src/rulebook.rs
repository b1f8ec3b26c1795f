//! The rules of an instrument as data: they arrive by sequenced command, each set under the version after the last.
//!
//! An instrument without a rulebook offers plain limit and market orders under its definition, and nothing else.

use crate::codec::{DecodeError, Decoder, Encoder, Field, bit_set, byte_enum, composite};
use crate::price::{Part, Price, Quantity};

bit_set! {
    /// What an instrument offers; whatever is left out is refused with a reason of its own.
    Offers(u32) {
        /// Limit orders (FIX 40 = 2).
        LIMIT = 0,
        /// Market orders (FIX 40 = 1).
        MARKET = 1,
        /// Stop orders: market orders with a trigger (FIX 40 = 3).
        STOP = 2,
        /// Stop-limit orders: limit orders with a trigger (FIX 40 = 4).
        STOP_LIMIT = 3,
        /// Trailing stops.
        TRAILING_STOP = 4,
        /// FIX 59 = 0.
        DAY = 8,
        /// FIX 59 = 1.
        GOOD_TILL_CANCEL = 9,
        /// FIX 59 = 6.
        GOOD_TILL_DATE = 10,
        /// FIX 59 = 3.
        IMMEDIATE_OR_CANCEL = 11,
        /// FIX 59 = 4.
        FILL_OR_KILL = 12,
        /// FIX 59 = 2.
        AT_THE_OPENING = 13,
        /// FIX 59 = 7.
        AT_THE_CLOSE = 14,
        /// Post-only, refused where it would trade.
        POST_ONLY = 16,
        /// Post-only that slides.
        SLIDE = 17,
        /// Hidden orders.
        HIDDEN = 18,
        /// Icebergs.
        ICEBERG = 19,
        /// A minimum quantity on entry.
        MINIMUM = 20,
        /// Primary pegs.
        PEG_PRIMARY = 21,
        /// Midpoint pegs.
        PEG_MIDPOINT = 22,
        /// Quotes of market makers (FIX 35 = i).
        QUOTES = 23,
    }
}

impl Offers {
    /// What an instrument without a rulebook offers.
    pub const PLAIN: Self = Self::LIMIT
        .with_const(Self::MARKET)
        .with_const(Self::DAY)
        .with_const(Self::GOOD_TILL_CANCEL)
        .with_const(Self::IMMEDIATE_OR_CANCEL)
        .with_const(Self::FILL_OR_KILL);

    const fn with_const(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

byte_enum! {
    /// What happens when an order would trade with another of its firm and group (self-trade or self-match prevention at
    /// CME, Nasdaq and ICE; "newest" is the incoming order).
    SelfTrade {
        /// They trade.
        Allowed = 0,
        /// What is left of the incoming order is cancelled.
        CancelNewest = 1,
        /// The resting order is cancelled.
        CancelOldest = 2,
        /// Both are cancelled.
        CancelBoth = 3,
        /// Both are lowered by the smaller one's open quantity, without a trade.
        Decrement = 4,
        /// The other way round: an order of a group trades with its firm's orders of that group alone, and nobody else's trade
        /// with it; those without a group trade with each other. Where both would cross, the order of a group stays: what
        /// stands in its way is cancelled, and so is the rest of what runs into it. A recorded day of which the trades have to
        /// come out as recorded is played so (the assumption of no market impact in historical simulation). Allocation on
        /// such an instrument is by time; an auction brings all together.
        Apart = 5,
    }
}

composite! {
    /// What is valid on an instrument. Its price unit, outer bounds and smallest tick stay those of its definition.
    Rulebook {
        /// Which orders and instructions are taken.
        offers: Offers,
        /// Every quantity is a multiple of it; itself a multiple of the definition's lot.
        lot: Quantity,
        /// The lowest quantity of an order; zero: one lot.
        quantity_min: Quantity,
        /// The highest, at most that of the definition.
        quantity_max: Quantity,
        /// Self-trade prevention for firms that have chosen none.
        self_trade: SelfTrade,
        /// How far from the best price of the other side a market order trades; zero: any distance.
        protection: Price,
    }
}

composite! {
    /// Price bounds of an instrument. Widths are in basis points of their reference, times in milliseconds; zero: none. All
    /// bounds are inclusive.
    Bands {
        /// The reference of the collar, and of the limit bands until there is a trade; zero leaves the one that stands. Each
        /// uncross sets it anew.
        reference: Price,
        /// The collar: no order to buy is taken above it and none to sell below it (ESMA RTS 7 Article 20, price collars; CME
        /// Globex price banding).
        collar: u32,
        /// The range around the last trade before an order within which it trades; where its next trade would lie outside,
        /// a volatility auction begins (Xetra Market Model Equities, volatility interruption, dynamic price range).
        interruption: u32,
        /// The limit bands: in continuous trading no order is taken or stands beyond them, and a bid at the upper or an offer
        /// at the lower one is a limit state (Plan to Address Extraordinary Market Volatility, sections V and VI).
        limit: u32,
        /// Over which time trades make the reference of the limit bands (the Plan: 300,000). A multiple of ten: the mean
        /// is taken every tenth of it.
        window: u32,
        /// How long a limit state lasts before trading pauses (the Plan: 15,000).
        limit_state: u32,
        /// How long the auction of a pause or interruption lasts (the Plan: 300,000).
        pause: u32,
    }
}

byte_enum! {
    /// How far the market has declined (NYSE Rule 7.12, Nasdaq Equity 4 Rule 4121: 7, 13 and 20 per cent). Who watches the
    /// index says it; the engine halts.
    BreakerLevel {
        /// Not broken: trading goes on.
        None = 0,
        /// Level 1.
        One = 1,
        /// Level 2.
        Two = 2,
        /// Level 3: for the rest of the day.
        Three = 3,
    }
}

byte_enum! {
    /// Who of those at the best price trades with an order that is not enough for all (CME Globex, matching algorithms). What
    /// an order could not fill of itself under a rule goes first in, first out.
    AllocationRule {
        /// In the order they came (CME F).
        Fifo = 0,
        /// By their size (CME C, pro-rata).
        ProRata = 1,
        /// The first order of the price, then the others by their size (CME A, allocation).
        TopProRata = 2,
        /// A share in the order they came, the rest by size (CME K, split FIFO and pro-rata).
        Split = 3,
    }
}

composite! {
    /// How displayed orders at one price share an incoming order that does not take them all. Hidden orders behind them, and
    /// the orders of an uncross, trade in the order they came under every rule.
    ///
    /// A share by size is what is left to share times an order's open displayed quantity over that of all, rounded down to
    /// whole lots; one below the minimum is none. What rounding leaves over goes to the orders in the order they came.
    Allocation {
        /// The rule.
        rule: AllocationRule,
        /// The least that an order gets by size (CME: 1 or 2 lots); less is nothing.
        minimum: Part,
        /// The most that the first order gets as such; zero: all it has.
        top_max: Part,
        /// The hundredths that go in the order they came, rounded down to lots, under the split rule.
        fifo_percent: u8,
    }
}

/// The widest of [`Bands`], in basis points.
pub const BAND_WIDTH_MAX: u32 = 10_000;
/// The longest time of [`Bands`], in milliseconds: a day.
pub const BAND_TIME_MAX: u32 = 86_400_000;

/// Rows of a [`TickTable`].
pub const TICK_ROWS: usize = 12;

/// From which price on which tick size holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TickRow {
    /// The lowest price of the row.
    pub from: u32,
    /// Every price from there on is a multiple of it; zero: the row is not used.
    pub tick: u32,
}

/// The tick size by price (ESMA RTS 11, SEC Rule 612): rows in rising order, the first from zero, unused ones behind. A row
/// begins at a multiple of both its own tick and that of the row before. A table without a row leaves the definition's tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TickTable(pub [TickRow; TICK_ROWS]);

impl TickTable {
    /// The rows in use.
    pub fn rows(&self) -> impl Iterator<Item = TickRow> + '_ {
        self.0.iter().copied().take_while(|row| row.tick > 0)
    }

    /// The tick size at a price; zero without a row.
    #[must_use]
    pub fn at(&self, price: u32) -> u32 {
        self.rows()
            .take_while(|row| row.from <= price)
            .last()
            .map_or(0, |row| row.tick)
    }
}

impl Field for TickTable {
    const SIZE: usize = 8 * TICK_ROWS;
    fn put(&self, out: &mut Encoder<'_>) {
        for row in &self.0 {
            row.from.put(out);
            row.tick.put(out);
        }
    }
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut table = Self::default();
        for row in &mut table.0 {
            *row = TickRow {
                from: Field::get(input)?,
                tick: Field::get(input)?,
            };
        }
        Ok(table)
    }
}
