//! The market as the feed's packets tell it: books, and what was traded.

use rialto_itch::codes::{ImbalanceDirection, TradingState, YesNo};
use rialto_itch::{Message, OrderReference, Price4, Side, StockLocate};
use rialto_subscriber::{Book, Books, Delivery, Level};
use std::collections::{BTreeMap, VecDeque};

/// Displayed orders that are followed at most; more are not seen, and counted by the books.
const ORDERS_MAX: usize = 1 << 20;
/// The last trades that are kept; older ones go.
const PRINTS_MAX: usize = 64;

/// One instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) symbol: String,
    pub(crate) bid: Option<Level>,
    pub(crate) ask: Option<Level>,
    pub(crate) last: Option<Price4>,
    /// From the first trade of the feed's session to the last, in units of [`Price4`].
    pub(crate) change: Option<i64>,
    pub(crate) volume: u64,
    pub(crate) status: Status,
}

/// What an instrument's members may do, and what its auction would do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// None: nothing was said.
    pub(crate) state: Option<TradingState>,
    /// While orders are collected and the price is published.
    pub(crate) auction: Option<Auction>,
}

/// What an auction would do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Auction {
    /// At which price.
    pub(crate) price: Price4,
    /// How much would trade.
    pub(crate) paired: u64,
    /// How much would be left over.
    pub(crate) imbalance: u64,
    /// On which side; none where nothing would be.
    pub(crate) side: Option<Side>,
}

/// The best levels of one instrument, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Depth {
    pub(crate) bids: Vec<Level>,
    pub(crate) asks: Vec<Level>,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    /// How many came before it in the feed's session, and one.
    pub(crate) number: u64,
    pub(crate) locate: StockLocate,
    pub(crate) price: Price4,
    pub(crate) shares: u64,
    /// The side that took; none in a cross.
    pub(crate) taker: Option<Side>,
    /// Since midnight.
    pub(crate) time_ns: u64,
}

/// What was traded of one instrument in the feed's session. Broken trades stay counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tape {
    first: Option<Price4>,
    last: Option<Price4>,
    volume: u64,
}

/// Shares that traded, the price where it is known, and the side that took.
type Traded = (u64, Option<Price4>, Option<Side>);

/// All instruments, in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Market {
    books: Books,
    tapes: BTreeMap<StockLocate, Tape>,
    statuses: BTreeMap<StockLocate, Status>,
    prints: VecDeque<Print>,
    printed: u64,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            books: Books::new(ORDERS_MAX),
            tapes: BTreeMap::new(),
            statuses: BTreeMap::new(),
            prints: VecDeque::new(),
            printed: 0,
        }
    }
}

impl Market {
    /// One that also knows the order of each queue, which costs more memory and time.
    pub(crate) fn with_queues() -> Self {
        Self {
            books: Books::with_queues(ORDERS_MAX),
            ..Self::default()
        }
    }

    /// Shares that stand before a displayed order at its price; `None` where it is not displayed or queues are not kept.
    pub(crate) fn ahead(&self, reference: u64) -> Option<u64> {
        let wanted = OrderReference(reference);
        let order = self.books.order(wanted)?;
        let mut before = 0;
        for (price, reference, shares) in self.books.book(order.locate)?.orders(order.side) {
            if reference == wanted {
                return Some(before);
            }
            if price == order.price {
                before += u64::from(shares.0);
            }
        }
        None
    }

    /// Takes what the feed delivers. After a loss it goes on with what it has, and the view says so.
    pub(crate) fn handle(&mut self, delivery: Delivery<'_>) {
        match delivery {
            Delivery::Message { bytes, .. } => {
                if let Ok(message) = Message::decode(bytes) {
                    self.apply(&message);
                }
            }
            Delivery::SessionStarted(_) => {
                self.books.clear();
                self.tapes.clear();
                self.statuses.clear();
                self.prints.clear();
                self.printed = 0;
            }
            Delivery::Lost { .. } | Delivery::SessionEnded { .. } => {}
        }
    }

    /// How many instruments there are.
    pub(crate) fn len(&self) -> usize {
        self.books.iter().count()
    }

    /// A row for each instrument.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let row = |(locate, book): (StockLocate, &Book)| {
            let tape = self.tapes.get(&locate).copied().unwrap_or_default();
            Row {
                symbol: symbol(locate, book),
                bid: book.bids().next(),
                ask: book.asks().next(),
                last: tape.last,
                change: tape
                    .last
                    .zip(tape.first)
                    .map(|(last, first)| i64::from(last.units()) - i64::from(first.units())),
                volume: tape.volume,
                status: self.statuses.get(&locate).copied().unwrap_or_default(),
            }
        };
        self.books.iter().map(row).collect()
    }

    /// The best `levels` of the instrument in row `index`.
    pub(crate) fn depth(&self, index: usize, levels: usize) -> Depth {
        let Some((_, book)) = self.books.iter().nth(index) else {
            return Depth::default();
        };
        Depth {
            bids: book.bids().take(levels).collect(),
            asks: book.asks().take(levels).collect(),
        }
    }

    /// The last trades, the oldest first, each with its instrument's name.
    pub(crate) fn prints(&self) -> impl Iterator<Item = (String, &Print)> {
        self.prints.iter().map(|print| {
            let mut books = self.books.iter();
            let book = books.find(|(locate, _)| *locate == print.locate);
            let name = book.map(|(locate, book)| symbol(locate, book));
            (name.unwrap_or_default(), print)
        })
    }

    fn apply(&mut self, message: &Message) {
        self.take_status(message);
        // Before the books forget the order that was executed.
        let traded = self.traded(message);
        // A refused message leaves the books as they were.
        let _ = self.books.apply(message);
        if let Some((shares, price, taker)) = traded {
            let header = message.header();
            let tape = self.tapes.entry(header.locate).or_default();
            tape.first = tape.first.or(price);
            tape.last = price.or(tape.last);
            tape.volume = tape.volume.saturating_add(shares);
            let Some(price) = price else { return };
            self.printed += 1;
            if self.prints.len() == PRINTS_MAX {
                self.prints.pop_front();
            }
            self.prints.push_back(Print {
                number: self.printed,
                locate: header.locate,
                price,
                shares,
                taker,
                time_ns: header.timestamp.ns(),
            });
        }
    }

    fn take_status(&mut self, message: &Message) {
        let status = self.statuses.entry(message.header().locate);
        match message {
            Message::StockTradingAction(m) => {
                *status.or_default() = Status {
                    state: Some(m.state),
                    auction: None,
                };
            }
            Message::NetOrderImbalance(m) => {
                status.or_default().auction = Some(Auction {
                    price: m.near_price,
                    paired: m.paired_shares.0,
                    imbalance: m.imbalance_shares.0,
                    side: match m.direction {
                        ImbalanceDirection::Buy => Some(Side::Buy),
                        ImbalanceDirection::Sell => Some(Side::Sell),
                        _ => None,
                    },
                });
            }
            _ => {}
        }
    }

    /// What a message adds to the tape. An execution that is not printable is told once more by the cross it is part of.
    fn traded(&self, message: &Message) -> Option<Traded> {
        let order = |reference: OrderReference| self.books.order(reference);
        let taker = |reference| order(reference).map(|order| other(order.side));
        match message {
            Message::OrderExecuted(m) => {
                let price = order(m.reference).map(|order| order.price);
                Some((m.shares.0.into(), price, taker(m.reference)))
            }
            Message::OrderExecutedWithPrice(m) if m.printable == YesNo::Yes => {
                Some((m.shares.0.into(), Some(m.price), taker(m.reference)))
            }
            // The side of a trade with a hidden order is that order's.
            Message::Trade(m) => Some((m.shares.0.into(), Some(m.price), Some(other(m.side)))),
            Message::CrossTrade(m) if m.shares.0 > 0 => Some((m.shares.0, Some(m.price), None)),
            _ => None,
        }
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    }
}

/// What an instrument is called.
fn symbol(locate: StockLocate, book: &Book) -> String {
    let stock = book.stock().and_then(|stock| stock.as_str().map(str::to_owned));
    stock.unwrap_or_else(|| format!("#{}", locate.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_itch::mold::{SequenceNumber, Session};
    use rialto_itch::{
        AddOrder, Header, MatchNumber, OrderExecuted, OrderExecutedWithPrice, OrderReplace, Shares, Side, Stock,
    };

    fn price(units: i64) -> Price4 {
        Price4::new(units).unwrap()
    }

    fn take(market: &mut Market, message: &Message) {
        let mut bytes = Vec::new();
        message.append_to(&mut bytes);
        market.handle(Delivery::Message {
            sequence: SequenceNumber(1),
            bytes: &bytes,
        });
    }

    /// Best bid, best ask, last trade, change, volume of the first row.
    fn first_row(market: &Market) -> (Option<u32>, Option<u32>, Option<u32>, Option<i64>, u64) {
        let row = market.rows().remove(0);
        let best = |level: Option<Level>| level.map(|level| level.price.units());
        (
            best(row.bid),
            best(row.ask),
            row.last.map(Price4::units),
            row.change,
            row.volume,
        )
    }

    #[test]
    fn rows_and_depth_follow_the_feed() {
        let header = Header {
            locate: StockLocate(3),
            ..Header::default()
        };
        let stock = Stock::new("BOLT").unwrap();
        let add = |reference, side, shares, units| {
            let (reference, shares) = (OrderReference(reference), Shares(shares));
            Message::from(AddOrder {
                header,
                reference,
                side,
                shares,
                stock,
                price: price(units),
            })
        };
        let executed = |reference, shares| {
            let (reference, shares, match_number) = (OrderReference(reference), Shares(shares), MatchNumber(1));
            Message::from(OrderExecuted {
                header,
                reference,
                shares,
                match_number,
            })
        };
        let at_price = |reference, shares, printable, units| {
            let (reference, shares, match_number) = (OrderReference(reference), Shares(shares), MatchNumber(1));
            let price = price(units);
            Message::from(OrderExecutedWithPrice {
                header,
                reference,
                shares,
                match_number,
                printable,
                price,
            })
        };
        let replace = |original, new, shares, units| {
            let (original_reference, new_reference) = (OrderReference(original), OrderReference(new));
            let (shares, price) = (Shares(shares), price(units));
            Message::from(OrderReplace {
                header,
                original_reference,
                new_reference,
                shares,
                price,
            })
        };
        let script = [
            (add(1, Side::Buy, 100, 1_000), (Some(1_000), None, None, None, 0)),
            (
                add(2, Side::Sell, 100, 1_200),
                (Some(1_000), Some(1_200), None, None, 0),
            ),
            (executed(2, 30), (Some(1_000), Some(1_200), Some(1_200), Some(0), 30)),
            (
                replace(1, 3, 50, 1_100),
                (Some(1_100), Some(1_200), Some(1_200), Some(0), 30),
            ),
            (executed(3, 50), (None, Some(1_200), Some(1_100), Some(-100), 80)),
            (
                at_price(2, 10, YesNo::Yes, 1_300),
                (None, Some(1_200), Some(1_300), Some(100), 90),
            ),
            (
                at_price(2, 10, YesNo::No, 1_400),
                (None, Some(1_200), Some(1_300), Some(100), 90),
            ),
            // Of an order whose entry was lost: volume without a price.
            (executed(99, 5), (None, Some(1_200), Some(1_300), Some(100), 95)),
        ];
        let mut market = Market::default();
        for (message, expected) in script {
            take(&mut market, &message);
            assert_eq!(first_row(&market), expected, "after {message:?}");
        }
        assert_eq!(market.rows().remove(0).symbol, "BOLT");
        let prints = market
            .prints()
            .map(|(symbol, p)| (symbol, p.number, p.price.units(), p.shares, p.taker));
        let expected = [
            (1, 1_200, 30, Side::Buy),
            (2, 1_100, 50, Side::Sell),
            (3, 1_300, 10, Side::Buy),
        ];
        let expected =
            expected.map(|(number, units, shares, taker)| ("BOLT".to_owned(), number, units, shares, Some(taker)));
        assert!(prints.eq(expected));

        for reference in 10..20 {
            take(
                &mut market,
                &add(
                    reference,
                    Side::Sell,
                    7,
                    1_200 + 100 * i64::try_from(reference).unwrap(),
                ),
            );
        }
        let asks: Vec<_> = market
            .depth(0, 5)
            .asks
            .iter()
            .map(|level| (level.price.units(), level.shares.0))
            .collect();
        assert_eq!(asks, [(1_200, 50), (2_200, 7), (2_300, 7), (2_400, 7), (2_500, 7)]);
        assert_eq!(market.depth(1, 5), Depth::default());

        // The queues were not asked for.
        assert_eq!(market.ahead(10), None);

        market.handle(Delivery::SessionStarted(Session::new("NEXT").unwrap()));
        assert_eq!((market.len(), market.tapes.len()), (0, 0));
    }

    #[test]
    fn shares_before_an_order_are_those_at_its_price_that_came_before() {
        let header = Header::default();
        let stock = Stock::new("ACME").unwrap();
        let mut market = Market::with_queues();
        let orders = [(1, 1_000, 300), (2, 1_100, 50), (3, 1_000, 100), (4, 1_000, 70)];
        for (reference, units, shares) in orders {
            let add = AddOrder {
                header,
                reference: OrderReference(reference),
                side: Side::Buy,
                shares: Shares(shares),
                stock,
                price: price(units),
            };
            take(&mut market, &add.into());
        }
        let told = |market: &Market| [1, 2, 3, 4, 9].map(|reference| market.ahead(reference));
        assert_eq!(told(&market), [Some(0), Some(0), Some(300), Some(400), None]);
        let executed = OrderExecuted {
            header,
            reference: OrderReference(1),
            shares: Shares(120),
            match_number: MatchNumber(1),
        };
        take(&mut market, &executed.into());
        assert_eq!(told(&market), [Some(0), Some(0), Some(180), Some(280), None]);
        // Whoever is replaced goes to the end.
        let replaced = OrderReplace {
            header,
            original_reference: OrderReference(1),
            new_reference: OrderReference(9),
            shares: Shares(10),
            price: price(1_000),
        };
        take(&mut market, &replaced.into());
        assert_eq!(told(&market), [None, Some(0), Some(0), Some(100), Some(170)]);
    }
}
