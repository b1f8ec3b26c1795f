//! What a subscriber is told.

use rialto_conflate::Book as ConflatedBook;
use rialto_itch::mold::Session;
use rialto_itch::{Message, OrderReference, Price4, Shares, Side, Stock};
use rialto_subscriber::Book;

/// How much of a book is kept, and which of its changes are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BookDepth {
    /// The best bid and offer: only their changes are told.
    Top,
    /// Every price: every change is told.
    #[default]
    Price,
    /// Every order by priority; over the conflated feed as by price.
    Orders,
}

/// Something happened to an instrument.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The instrument.
    pub symbol: Stock,
    /// The number of the message; of the last one that went into it on the conflated feed. In a snapshot its number.
    pub sequence: u64,
    /// What.
    pub what: What<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// The book stands so.
    Book(BookView<'a>),
    /// A trade.
    Trade(Trade),
    /// Anything else that was said about it: directory, trading action, imbalance, broken trade and the like.
    Status(&'a Message),
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Nanoseconds since midnight.
    pub time_ns: u64,
    /// At.
    pub price: Price4,
    /// Shares.
    pub shares: u64,
    /// The side of the resting order; none in a cross.
    pub side: Option<Side>,
    /// Its name, which a broken trade refers to.
    pub match_number: u64,
    /// Whether it counts in the day's volume.
    pub printable: bool,
}

/// Something happened to the stream as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A session begins, or its books are stated anew: forget what was told of them.
    Session(Session),
    /// Messages that will not come. Books are not to be relied upon until the next [`Session`](Self::Session), which follows at
    /// once where snapshots are to be had.
    Lost {
        /// The number of the first.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Over QUIC: from here on full depth, or conflated.
    Mode {
        /// Full depth.
        full: bool,
        /// `A` as asked, `S` fell behind, `U` has caught up.
        reason: char,
    },
    /// On the conflated feed: trades of an instrument that were not told one by one.
    Missed {
        /// The instrument.
        symbol: Stock,
        /// How many.
        trades: u64,
        /// Their shares.
        volume: u64,
    },
    /// The session is over.
    Ended,
}

/// Price and shares of the best level of a side, if there is one.
pub type Best = Option<(Price4, u64)>;

/// A book, wherever it came from.
#[derive(Clone, Copy, Debug)]
pub enum BookView<'a> {
    /// From every message.
    Full(&'a Book),
    /// From the conflated feed.
    Conflated(&'a ConflatedBook),
}

impl<'a> BookView<'a> {
    /// Price and shares of each level of a side, best first.
    pub fn levels(self, side: Side) -> Box<dyn Iterator<Item = (Price4, u64)> + 'a> {
        match self {
            Self::Full(book) => match side {
                Side::Buy => Box::new(book.bids().map(|level| (level.price, level.shares.0))),
                Side::Sell => Box::new(book.asks().map(|level| (level.price, level.shares.0))),
            },
            Self::Conflated(book) => Box::new(book.levels(side).map(|(price, shares)| {
                let price = Price4::new(price.into()).unwrap_or(Price4::MAX);
                (price, shares)
            })),
        }
    }

    /// The best bid and the best offer: price and shares.
    #[must_use]
    pub fn top(self) -> (Best, Best) {
        (self.levels(Side::Buy).next(), self.levels(Side::Sell).next())
    }

    /// The orders of a side, best price first and at one price by priority; none unless kept ([`BookDepth::Orders`]).
    pub fn orders(self, side: Side) -> Box<dyn Iterator<Item = (Price4, OrderReference, Shares)> + 'a> {
        match self {
            Self::Full(book) => Box::new(book.orders(side)),
            Self::Conflated(_) => Box::new(std::iter::empty()),
        }
    }
}
