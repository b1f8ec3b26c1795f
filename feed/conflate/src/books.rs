//! The subscriber's side: messages in, books out, and every promise of the sender checked.

use alloc::collections::BTreeMap;

use rialto_itch::mold::Session;
use rialto_itch::{Side, Stock, StockLocate};

use crate::checksum::checksum;
use crate::wire::{Cause, Message, Passed, Range, Snapshot, Trade, Update, WireError};

/// The book of an instrument as far as the subscription goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    stock: Stock,
    bids: BTreeMap<u32, u64>,
    asks: BTreeMap<u32, u64>,
    /// The end of the last range that was closed, and the range that is open.
    last: u64,
    open: Option<Range>,
}

/// What a message came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// A session begins; every book is gone.
    Session(Session),
    /// A book stands at the end of this range and its checksum has been verified.
    Book {
        /// The instrument.
        locate: StockLocate,
        /// The range.
        range: Range,
        /// Whether more than one command went into it.
        conflated: bool,
    },
    /// A book is being stated anew, or the session left it behind; what was missed is in it.
    Snapshot(Snapshot),
    /// A trade.
    Trade(Trade),
    /// A message of the full feed.
    Passed(Passed<'a>),
    /// Part of a range.
    Part,
    /// Everything up to this number has been told.
    Position(u64),
}

/// What is wrong with a message: the sender broke a promise, or messages are missing. The books are not to be relied upon
/// any more; subscribe again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BooksError {
    /// It is none.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Its range does not follow the one before.
    #[error("instrument {}: the range {}..{} does not follow what was told up to {last}; subscribe again", locate.0, range.first, range.last)]
    Range {
        /// The instrument.
        locate: StockLocate,
        /// The range stated.
        range: Range,
        /// The end of what was told before.
        last: u64,
    },
    /// The book is another than the sender's.
    #[error("instrument {}: the book at {} has checksum {computed:016x}, the sender's {stated:016x}; subscribe again", locate.0, range.last)]
    Checksum {
        /// The instrument.
        locate: StockLocate,
        /// The range.
        range: Range,
        /// The sender's.
        stated: u64,
        /// Ours.
        computed: u64,
    },
}

/// The books of a conflated feed.
#[derive(Clone, Debug, Default)]
pub struct Books {
    books: BTreeMap<StockLocate, Book>,
    session: Option<Session>,
    verified: u64,
}

impl Books {
    /// No book yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a message.
    ///
    /// # Errors
    /// [`BooksError`].
    pub fn apply<'a>(&mut self, bytes: &'a [u8]) -> Result<Told<'a>, BooksError> {
        match Message::decode(bytes)? {
            Message::Session(session) => {
                self.books.clear();
                self.session = Some(session);
                Ok(Told::Session(session))
            }
            Message::Snapshot(snapshot) => self.snapshot(snapshot),
            Message::Update(update) => self.update(&update),
            Message::Trade(trade) => {
                self.book(trade.locate).open(trade.locate, trade.range)?;
                Ok(Told::Trade(trade))
            }
            Message::Passed(passed) => {
                self.book(passed.locate).open(passed.locate, passed.range)?;
                Ok(Told::Passed(passed))
            }
            Message::Position(last) => Ok(Told::Position(last)),
        }
    }

    /// An instrument's book, once anything was told of it.
    #[must_use]
    pub fn get(&self, locate: StockLocate) -> Option<&Book> {
        self.books.get(&locate)
    }

    /// All books.
    pub fn iter(&self) -> impl Iterator<Item = (StockLocate, &Book)> {
        self.books.iter().map(|(&locate, book)| (locate, book))
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> Option<Session> {
        self.session
    }

    /// Checksums that were compared and found equal.
    #[must_use]
    pub const fn verified(&self) -> u64 {
        self.verified
    }

    fn book(&mut self, locate: StockLocate) -> &mut Book {
        self.books.entry(locate).or_insert_with(|| Book {
            stock: Stock([b' '; 8]),
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            last: 0,
            open: None,
        })
    }

    fn snapshot(&mut self, snapshot: Snapshot) -> Result<Told<'static>, BooksError> {
        let Snapshot {
            locate, range, cause, ..
        } = snapshot;
        let book = self.book(locate);
        // What came of an open range before the sender ran out of room stays told.
        book.open = None;
        let first = if cause == Cause::Join { 1 } else { book.last + 1 };
        if range.first != first {
            return Err(BooksError::Range {
                locate,
                range,
                last: book.last,
            });
        }
        book.stock = snapshot.stock;
        if cause != Cause::Abandoned {
            book.bids.clear();
            book.asks.clear();
            book.open = Some(range);
        }
        Ok(Told::Snapshot(snapshot))
    }

    fn update(&mut self, update: &Update<'_>) -> Result<Told<'static>, BooksError> {
        let Update {
            locate,
            range,
            conflated,
            more,
            checksum: stated,
            levels,
        } = *update;
        let book = self.book(locate);
        book.open(locate, range)?;
        for (side, price, shares) in levels.iter() {
            let side = match side {
                Side::Buy => &mut book.bids,
                Side::Sell => &mut book.asks,
            };
            if shares == 0 {
                side.remove(&price);
            } else {
                side.insert(price, shares);
            }
        }
        if more {
            return Ok(Told::Part);
        }
        book.open = None;
        book.last = range.last;
        let computed = book.sum();
        if computed != stated {
            return Err(BooksError::Checksum {
                locate,
                range,
                stated,
                computed,
            });
        }
        self.verified += 1;
        Ok(Told::Book {
            locate,
            range,
            conflated,
        })
    }
}

impl Book {
    /// The symbol; spaces where it was not stated.
    #[must_use]
    pub const fn stock(&self) -> Stock {
        self.stock
    }

    /// The levels of a side, best first: price in units of 0.0001, shares.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (u32, u64)> + '_ {
        let (bids, asks) = match side {
            Side::Buy => (Some(self.bids.iter().rev()), None),
            Side::Sell => (None, Some(self.asks.iter())),
        };
        let both = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        both.map(|(&price, &shares)| (price, shares))
    }

    /// The number at which it stands.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    fn sum(&self) -> u64 {
        let levels = |side| self.levels(side).map(move |(price, shares)| (side, price, shares));
        checksum(levels(Side::Buy).chain(levels(Side::Sell)))
    }

    /// A message of this range has come: of the one that is open, or of the next.
    fn open(&mut self, locate: StockLocate, range: Range) -> Result<(), BooksError> {
        let follows = match self.open {
            Some(open) => open == range,
            None => range.first == self.last + 1 && range.last >= range.first,
        };
        if !follows {
            let last = self.last;
            return Err(BooksError::Range { locate, range, last });
        }
        self.open = Some(range);
        Ok(())
    }
}
