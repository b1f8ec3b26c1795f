//! Order books of all instruments, built from order messages alone.
//!
//! Orders are found by their reference in a hash map that is never iterated; levels and instruments lie in ordered maps.
//! A message that does not fit what came before it changes nothing, is counted and said: after one of those the books
//! are no longer the venue's.

use alloc::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rialto_itch::{Header, Message, OrderReference, Price4, Shares, Side, Stock, StockLocate};

use crate::book::Book;

/// A displayed order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its instrument.
    pub locate: StockLocate,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: Price4,
    /// What is left of it.
    pub shares: Shares,
}

/// Why a message was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// It is about an order that is not there.
    #[error("no order has reference {}; messages before this one are missing, take a snapshot", reference.0)]
    UnknownReference {
        /// The reference.
        reference: OrderReference,
    },
    /// It adds an order that is there already.
    #[error("an order has reference {} already; the feed repeats itself or the books were not cleared at the session's start", reference.0)]
    DuplicateReference {
        /// The reference.
        reference: OrderReference,
    },
    /// It takes more shares off an order than it has.
    #[error("{} shares cannot be taken off order {}, which has {}; messages before this one are missing, take a snapshot", shares.0, reference.0, left.0)]
    ExceedsRemainder {
        /// The order.
        reference: OrderReference,
        /// The shares stated.
        shares: Shares,
        /// What is left of the order.
        left: Shares,
    },
    /// It states another instrument than its order's.
    #[error("order {} is of instrument {}, the message of {}; messages before this one are missing, take a snapshot", reference.0, expected.0, stated.0)]
    WrongInstrument {
        /// The order.
        reference: OrderReference,
        /// The order's instrument.
        expected: StockLocate,
        /// The message's.
        stated: StockLocate,
    },
    /// It adds an order of no shares, or takes none off.
    #[error("the message about order {} states no shares; the sender must leave such messages out", reference.0)]
    NoShares {
        /// The order.
        reference: OrderReference,
    },
    /// There is no room for another order.
    #[error(
        "{orders_max} orders are held and no more may be; make the books with a higher orders_max and take a snapshot"
    )]
    Full {
        /// The bound.
        orders_max: usize,
    },
}

/// What the books have taken and refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookCounters {
    /// Messages that changed a book.
    pub applied: u64,
    /// Messages that leave books alone.
    pub passed: u64,
    /// Messages refused with a [`BookError`].
    pub refused: u64,
}

/// Order books of all instruments.
#[derive(Clone, Debug)]
pub struct Books {
    orders: HashMap<OrderReference, Order, FixedState>,
    books: BTreeMap<StockLocate, Book>,
    orders_max: usize,
    queues: bool,
    counters: BookCounters,
}

impl Books {
    /// No book yet. At most `orders_max` orders are held, and never 2^32 or more; one more is [`BookError::Full`].
    /// Instruments are bounded by their 16-bit number.
    #[must_use]
    pub fn new(orders_max: usize) -> Self {
        let orders_max = orders_max.min(u32::MAX as usize);
        Self {
            orders: HashMap::default(),
            books: BTreeMap::new(),
            orders_max,
            queues: false,
            counters: BookCounters::default(),
        }
    }

    /// The same, and each book also keeps its orders by priority ([`Book::orders`]), which costs more memory and time.
    #[must_use]
    pub fn with_queues(orders_max: usize) -> Self {
        Self {
            queues: true,
            ..Self::new(orders_max)
        }
    }

    /// Applies a message, and says which instrument's book it changed, if any.
    ///
    /// Trades, crosses and broken trades change no book, nor does anything about the day or the instruments; a Stock
    /// Directory message names its instrument.
    ///
    /// # Errors
    /// [`BookError`]: the message does not fit those before it. It is counted and the books are as they were.
    pub fn apply(&mut self, message: &Message) -> Result<Option<StockLocate>, BookError> {
        let outcome = match *message {
            Message::AddOrder(m) => self.add(&m.header, m.reference, m.side, m.shares, m.price, m.stock),
            Message::AddOrderAttributed(m) => self.add(&m.header, m.reference, m.side, m.shares, m.price, m.stock),
            Message::OrderExecuted(m) => self.reduce(&m.header, m.reference, m.shares),
            Message::OrderExecutedWithPrice(m) => self.reduce(&m.header, m.reference, m.shares),
            Message::OrderCancel(m) => self.reduce(&m.header, m.reference, m.shares),
            Message::OrderDelete(m) => self.delete(&m.header, m.reference),
            Message::OrderReplace(m) => {
                self.replace(&m.header, m.original_reference, m.new_reference, m.shares, m.price)
            }
            Message::StockDirectory(m) => {
                self.books.entry(m.header.locate).or_default().name(m.stock);
                self.counters.passed += 1;
                return Ok(None);
            }
            _ => {
                self.counters.passed += 1;
                return Ok(None);
            }
        };
        *if outcome.is_ok() {
            &mut self.counters.applied
        } else {
            &mut self.counters.refused
        } += 1;
        outcome.map(|()| Some(message.header().locate))
    }

    /// Forgets every order and instrument, as at the start of a session. The counters go on.
    pub fn clear(&mut self) {
        self.orders.clear();
        self.books.clear();
    }

    /// An instrument's book, once any message was about it.
    #[must_use]
    pub fn book(&self, locate: StockLocate) -> Option<&Book> {
        self.books.get(&locate)
    }

    /// All books by their instrument's number.
    pub fn iter(&self) -> impl Iterator<Item = (StockLocate, &Book)> {
        self.books.iter().map(|(&locate, book)| (locate, book))
    }

    /// A displayed order.
    #[must_use]
    pub fn order(&self, reference: OrderReference) -> Option<&Order> {
        self.orders.get(&reference)
    }

    /// How many orders are displayed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether no order is displayed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// What was taken and refused.
    #[must_use]
    pub const fn counters(&self) -> &BookCounters {
        &self.counters
    }

    fn add(
        &mut self,
        header: &Header,
        reference: OrderReference,
        side: Side,
        shares: Shares,
        price: Price4,
        stock: Stock,
    ) -> Result<(), BookError> {
        self.check_new(reference, shares)?;
        if self.orders.len() >= self.orders_max {
            return Err(BookError::Full {
                orders_max: self.orders_max,
            });
        }
        self.insert(
            reference,
            Order {
                locate: header.locate,
                side,
                price,
                shares,
            },
        )
        .name(stock);
        Ok(())
    }

    fn reduce(&mut self, header: &Header, reference: OrderReference, shares: Shares) -> Result<(), BookError> {
        let order = self.known(header, reference)?;
        if shares == Shares(0) {
            return Err(BookError::NoShares { reference });
        }
        let left = order.shares.0.checked_sub(shares.0).map(Shares);
        let left = left.ok_or(BookError::ExceedsRemainder {
            reference,
            shares,
            left: order.shares,
        })?;
        if left == Shares(0) {
            self.orders.remove(&reference);
        } else {
            self.orders.insert(reference, Order { shares: left, ..order });
        }
        self.take_off(reference, &order, shares, left == Shares(0));
        Ok(())
    }

    fn delete(&mut self, header: &Header, reference: OrderReference) -> Result<(), BookError> {
        let order = self.known(header, reference)?;
        self.orders.remove(&reference);
        self.take_off(reference, &order, order.shares, true);
        Ok(())
    }

    /// All or nothing: the original stays where the new order is refused.
    fn replace(
        &mut self,
        header: &Header,
        original: OrderReference,
        reference: OrderReference,
        shares: Shares,
        price: Price4,
    ) -> Result<(), BookError> {
        let order = self.known(header, original)?;
        self.check_new(reference, shares)?;
        self.orders.remove(&original);
        self.take_off(original, &order, order.shares, true);
        self.insert(reference, Order { price, shares, ..order });
        Ok(())
    }

    fn known(&self, header: &Header, reference: OrderReference) -> Result<Order, BookError> {
        let order = *self
            .orders
            .get(&reference)
            .ok_or(BookError::UnknownReference { reference })?;
        if order.locate != header.locate {
            return Err(BookError::WrongInstrument {
                reference,
                expected: order.locate,
                stated: header.locate,
            });
        }
        Ok(order)
    }

    fn check_new(&self, reference: OrderReference, shares: Shares) -> Result<(), BookError> {
        if self.orders.contains_key(&reference) {
            return Err(BookError::DuplicateReference { reference });
        }
        if shares == Shares(0) {
            return Err(BookError::NoShares { reference });
        }
        Ok(())
    }

    fn insert(&mut self, reference: OrderReference, order: Order) -> &mut Book {
        self.orders.insert(reference, order);
        let book = self.books.entry(order.locate).or_default();
        if self.queues {
            book.with_queues();
        }
        book.insert(order.side, order.price, order.shares);
        book.queue(reference, order.side, order.price, order.shares);
        book
    }

    fn take_off(&mut self, reference: OrderReference, order: &Order, shares: Shares, gone: bool) {
        if let Some(book) = self.books.get_mut(&order.locate) {
            book.reduce(order.side, order.price, shares, gone);
            let left = Shares(order.shares.0 - shares.0);
            book.queue(reference, order.side, order.price, left);
        }
    }
}
