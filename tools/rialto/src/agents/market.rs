//! What agents know of the market: what anybody can know from the feed.

use super::AgentInstrument;
use rialto_itch::codes::TradingState;
use rialto_itch::{Message, OrderReference, Price4, StockLocate};
use rialto_model::{Price, Side};
use rialto_subscriber::{Books, Delivery};

/// Displayed orders that are followed at most; more are not seen, and counted by the books.
const ORDERS_MAX: usize = 1 << 18;

/// The state of one instrument as agents see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quote {
    /// The best price to sell at.
    pub(super) bid: Option<Price>,
    /// The best price to buy at.
    pub(super) ask: Option<Price>,
    /// The price of the last trade.
    pub(super) last: Option<Price>,
    /// The best levels of a side, bids and asks, as price and shares; those that are not there have no shares.
    pub(super) levels: [[(Price, u64); LEVELS]; 2],
    /// What members may do.
    pub(super) stage: Stage,
}

/// Levels of a side that agents look at.
pub(super) const LEVELS: usize = 5;

/// What members of an instrument may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Orders trade as they come.
    #[default]
    Trading,
    /// Orders are collected for an auction; none is immediate.
    Collecting,
    /// Orders are only taken off.
    Halted,
}

impl Quote {
    /// The middle between bid and ask in halves of a price unit; none where a side is empty.
    pub(super) fn middle_halves(&self) -> Option<i64> {
        Some(self.bid?.0 + self.ask?.0)
    }

    /// The shares displayed at a price, as far as agents look.
    pub(super) fn shares_at(&self, side: Side, price: Price) -> u64 {
        let levels = &self.levels[usize::from(side == Side::Sell)];
        let found = levels.iter().find(|(at, shares)| *at == price && *shares > 0);
        found.map_or(0, |(_, shares)| *shares)
    }
}

/// The books of the agents' instruments, from packets.
#[derive(Debug)]
pub(super) struct Market {
    books: Books,
    /// By instrument: its symbol, padded as on the wire, and its number once the feed has said it.
    instruments: Vec<([u8; 8], Option<StockLocate>)>,
    quotes: Vec<Quote>,
}

impl Market {
    pub(super) fn new(instruments: &[AgentInstrument]) -> Self {
        Self {
            books: Books::new(ORDERS_MAX),
            instruments: instruments
                .iter()
                .map(|instrument| (instrument.symbol.0, None))
                .collect(),
            quotes: vec![Quote::default(); instruments.len()],
        }
    }

    /// The quotes of all instruments.
    pub(super) fn quotes(&self) -> &[Quote] {
        &self.quotes
    }

    /// Takes what the feed delivers. After a loss it goes on with what it has: an agent may be wrong, as anybody may.
    pub(super) fn handle(&mut self, delivery: Delivery<'_>) {
        match delivery {
            Delivery::Message { bytes, .. } => {
                if let Ok(message) = Message::decode(bytes) {
                    self.apply(&message);
                }
            }
            Delivery::SessionStarted(_) => {
                self.books.clear();
                self.quotes.fill(Quote::default());
            }
            Delivery::Lost { .. } | Delivery::SessionEnded { .. } => {}
        }
    }

    fn apply(&mut self, message: &Message) {
        let locate = message.header().locate;
        if let Message::StockDirectory(directory) = message {
            let stock = directory.stock.as_str().unwrap_or_default();
            for (symbol, known) in &mut self.instruments {
                if symbol.trim_ascii_end() == stock.as_bytes() {
                    *known = Some(locate);
                }
            }
        }
        let stage = match message {
            Message::StockTradingAction(m) => Some(match m.state {
                TradingState::Trading => Stage::Trading,
                TradingState::QuotationOnly | TradingState::Paused => Stage::Collecting,
                TradingState::Halted => Stage::Halted,
            }),
            _ => None,
        };
        let traded = match message {
            Message::OrderExecuted(m) => self.price_of(m.reference),
            Message::OrderExecutedWithPrice(m) => Some(m.price),
            Message::Trade(m) => Some(m.price),
            _ => None,
        };
        // A refused message leaves the books as they were.
        let _ = self.books.apply(message);
        let Some(index) = self.instruments.iter().position(|(_, known)| *known == Some(locate)) else {
            return;
        };
        let Some(quote) = self.quotes.get_mut(index) else {
            return;
        };
        if let Some(book) = self.books.book(locate) {
            let [bids, asks] = &mut quote.levels;
            fill(bids, book.bids().map(|level| (price(level.price), level.shares.0)));
            fill(asks, book.asks().map(|level| (price(level.price), level.shares.0)));
            quote.bid = book.bids().next().map(|level| price(level.price));
            quote.ask = book.asks().next().map(|level| price(level.price));
        }
        quote.stage = stage.unwrap_or(quote.stage);
        quote.last = traded.map(price).or(quote.last);
    }

    fn price_of(&self, reference: OrderReference) -> Option<Price4> {
        self.books.order(reference).map(|order| order.price)
    }
}

/// The best levels of a side, and nothing behind them.
pub(super) fn fill(levels: &mut [(Price, u64); LEVELS], best: impl Iterator<Item = (Price, u64)>) {
    *levels = Default::default();
    for (level, found) in levels.iter_mut().zip(best) {
        *level = found;
    }
}

fn price(price: Price4) -> Price {
    Price(i64::from(price.units()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::instruments;
    use super::*;
    use rialto_itch::mold::SequenceNumber;
    use rialto_itch::{AddOrder, Header, MatchNumber, OrderDelete, OrderExecuted, Shares, Side, Stock};

    #[test]
    fn quotes_follow_the_feed() {
        let instruments = instruments();
        let mut market = Market::new(&instruments);
        let header = Header {
            locate: StockLocate(9),
            ..Header::default()
        };
        let stock = Stock::new("BOLT").unwrap();
        let add = |reference: u64, side, units| {
            let (reference, shares) = (OrderReference(reference), Shares(100));
            AddOrder {
                header,
                reference,
                side,
                shares,
                stock,
                price: Price4::new(units).unwrap(),
            }
            .into()
        };
        let executed = |reference: u64, shares| {
            let (reference, shares, match_number) = (OrderReference(reference), Shares(shares), MatchNumber(1));
            OrderExecuted {
                header,
                reference,
                shares,
                match_number,
            }
            .into()
        };
        let quote = |bid: Option<i64>, ask: Option<i64>, last: Option<i64>| Quote {
            bid: bid.map(Price),
            ask: ask.map(Price),
            last: last.map(Price),
            ..Quote::default()
        };
        let script: Vec<(Message, Quote)> = vec![
            (super::super::tests::directory(header, stock), quote(None, None, None)),
            (add(1, Side::Buy, 1_000), quote(Some(1_000), None, None)),
            (add(2, Side::Sell, 1_200), quote(Some(1_000), Some(1_200), None)),
            (add(3, Side::Sell, 1_100), quote(Some(1_000), Some(1_100), None)),
            (executed(3, 40), quote(Some(1_000), Some(1_100), Some(1_100))),
            (executed(3, 60), quote(Some(1_000), Some(1_200), Some(1_100))),
            (
                OrderDelete {
                    header,
                    reference: OrderReference(1),
                }
                .into(),
                quote(None, Some(1_200), Some(1_100)),
            ),
        ];
        for (number, (message, expected)) in (1..).zip(script) {
            let mut bytes = Vec::new();
            message.append_to(&mut bytes);
            market.handle(Delivery::Message {
                sequence: SequenceNumber(number),
                bytes: &bytes,
            });
            let [other, bolt] = market.quotes() else {
                panic!("two instruments")
            };
            let told = Quote {
                levels: Default::default(),
                ..*bolt
            };
            assert_eq!((*other, told), (Quote::default(), expected), "after message {number}");
            let shares = expected.bid.map(|bid| bolt.shares_at(rialto_model::Side::Buy, bid));
            assert_eq!(shares.is_some(), shares.is_some_and(|shares| shares > 0));
        }
        market.handle(Delivery::SessionStarted(
            rialto_itch::mold::Session::new("NEXT").unwrap(),
        ));
        assert_eq!(market.quotes(), [Quote::default(); 2]);
    }
}
