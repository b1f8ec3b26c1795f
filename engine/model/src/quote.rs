//! Quotes of market makers: two orders of a session on an instrument, stated together.

use crate::codec::{DecodeError, Decoder, Encoder, Field, composite};
use crate::ids::InstrumentId;
use crate::price::Part;

composite! {
    /// Both sides of a quote. A side without a quantity is none; what stands of it goes.
    Quote {
        /// On which instrument; zero: this entry is not used.
        instrument: InstrumentId,
        /// The price to buy at.
        bid: u32,
        /// How much to buy.
        bid_quantity: Part,
        /// The price to sell at.
        ask: u32,
        /// How much to sell.
        ask_quantity: Part,
    }
}

/// Entries of a [`Quotes`].
pub const QUOTES_MAX: usize = 3;

/// Some quotes in one message (FIX 35 = i, of which a door makes as many as it needs).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quotes(pub [Quote; QUOTES_MAX]);

impl Field for Quotes {
    const SIZE: usize = QUOTES_MAX * Quote::SIZE;
    fn put(&self, out: &mut Encoder<'_>) {
        for quote in &self.0 {
            quote.put(out);
        }
    }
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut quotes = Self::default();
        for quote in &mut quotes.0 {
            *quote = Field::get(input)?;
        }
        Ok(quotes)
    }
}

composite! {
    /// Market-maker protection of a session (CME Globex Market Maker Protections; Eurex Advanced Market Maker Protection): what
    /// its quotes on one instrument may trade within a window of sequenced time. A limit that is reached takes all its
    /// quotes there off, behind the command that reached it. Zero: no such limit.
    QuoteLimits {
        /// How long a trade counts, in milliseconds.
        window: u32,
        /// How much may trade.
        quantity: Part,
        /// In how many trades.
        count: u32,
        /// How much more may be bought than sold, or sold than bought.
        delta: Part,
    }
}
