//! A message of the feed for people and for programs.

use rialto_itch::{Message, Price4, Side};
use rialto_subscriber::Book;
use rust_decimal::Decimal;
use serde::Serialize;
use std::fmt;

/// A message as an object. Which keys it has depends on its type alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// MoldUDP64 number.
    pub(super) seq: u64,
    /// ITCH message type.
    #[serde(rename = "type")]
    pub(super) kind: char,
    /// Since midnight.
    pub(super) time_ns: u64,
    pub(super) locate: u16,
    /// Of the message, or as the directory named the locate; none for messages about the day.
    pub(super) symbol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new_reference: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shares: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) printable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attribution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) match_number: Option<u64>,
    /// Why trading is as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Which cross.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cross: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) imbalance: Option<u64>,
    /// On which side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) direction: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference_price: Option<Decimal>,
    /// Of an auction collar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) low: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) high: Option<Decimal>,
    /// Of the market-wide circuit breaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) levels: Option<[Decimal; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<char>,
    /// Of short sales.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restriction: Option<char>,
}

impl Line {
    /// The line of a message. `book` is its instrument's, for the symbol.
    pub(super) fn new(seq: u64, message: &Message, book: Option<&Book>) -> Self {
        let header = message.header();
        let named = book.and_then(Book::stock);
        let mut line = Self {
            seq,
            kind: char::from(message.message_type()),
            time_ns: header.timestamp.ns(),
            locate: header.locate.0,
            symbol: named.and_then(|stock| stock.as_str().map(str::to_owned)),
            event: None,
            state: None,
            reference: None,
            new_reference: None,
            side: None,
            shares: None,
            price: None,
            printable: None,
            attribution: None,
            match_number: None,
            reason: None,
            cross: None,
            imbalance: None,
            direction: None,
            reference_price: None,
            low: None,
            high: None,
            levels: None,
            level: None,
            restriction: None,
        };
        let symbol = match message {
            Message::StockDirectory(m) => Some(m.stock),
            Message::StockTradingAction(m) => Some(m.stock),
            Message::AddOrder(m) => Some(m.stock),
            Message::AddOrderAttributed(m) => Some(m.stock),
            Message::Trade(m) => Some(m.stock),
            Message::CrossTrade(m) => Some(m.stock),
            Message::NetOrderImbalance(m) => Some(m.stock),
            Message::LuldAuctionCollar(m) => Some(m.stock),
            Message::RegShoRestriction(m) => Some(m.stock),
            _ => None,
        };
        line.symbol = symbol
            .and_then(|stock| stock.as_str().map(str::to_owned))
            .or(line.symbol);
        line.fill(message);
        line
    }

    fn fill(&mut self, message: &Message) {
        match message {
            Message::SystemEvent(m) => self.event = Some(char::from(m.event.byte())),
            Message::StockTradingAction(m) => {
                self.state = Some(char::from(m.state.byte()));
                self.reason = m.reason.as_str().map(str::to_owned);
            }
            Message::CrossTrade(m) => {
                (self.shares, self.price) = (Some(m.shares.0), Some(decimal(m.price)));
                self.match_number = Some(m.match_number.0);
                self.cross = Some(char::from(m.cross_type.byte()));
            }
            Message::BrokenTrade(m) => self.match_number = Some(m.match_number.0),
            Message::NetOrderImbalance(m) => {
                (self.shares, self.price) = (Some(m.paired_shares.0), Some(decimal(m.near_price)));
                self.imbalance = Some(m.imbalance_shares.0);
                self.direction = Some(char::from(m.direction.byte()));
                self.reference_price = Some(decimal(m.reference_price));
                self.cross = Some(char::from(m.cross_type.byte()));
            }
            Message::LuldAuctionCollar(m) => {
                self.reference_price = Some(decimal(m.reference_price));
                (self.low, self.high) = (Some(decimal(m.lower_price)), Some(decimal(m.upper_price)));
            }
            Message::RegShoRestriction(m) => self.restriction = Some(char::from(m.action.byte())),
            Message::MwcbDeclineLevels(m) => {
                self.levels = Some(
                    [m.level_1, m.level_2, m.level_3].map(|level| Decimal::from_i128_with_scale(level.0.into(), 8)),
                );
            }
            Message::MwcbStatus(m) => self.level = Some(char::from(m.breached.byte())),
            Message::AddOrder(m) => self.order(m.reference.0, m.side, m.shares.0, m.price),
            Message::AddOrderAttributed(m) => {
                self.order(m.reference.0, m.side, m.shares.0, m.price);
                self.attribution = m.attribution.as_str().map(str::to_owned);
            }
            Message::OrderExecuted(m) => {
                (self.reference, self.shares) = (Some(m.reference.0), Some(m.shares.0.into()));
                self.match_number = Some(m.match_number.0);
            }
            Message::OrderExecutedWithPrice(m) => {
                (self.reference, self.shares) = (Some(m.reference.0), Some(m.shares.0.into()));
                (self.match_number, self.price) = (Some(m.match_number.0), Some(decimal(m.price)));
                self.printable = Some(m.printable == rialto_itch::codes::YesNo::Yes);
            }
            Message::OrderCancel(m) => {
                (self.reference, self.shares) = (Some(m.reference.0), Some(m.shares.0.into()));
            }
            Message::OrderDelete(m) => self.reference = Some(m.reference.0),
            Message::OrderReplace(m) => {
                (self.reference, self.new_reference) = (Some(m.original_reference.0), Some(m.new_reference.0));
                (self.shares, self.price) = (Some(m.shares.0.into()), Some(decimal(m.price)));
            }
            Message::Trade(m) => {
                self.order(m.reference.0, m.side, m.shares.0, m.price);
                self.match_number = Some(m.match_number.0);
            }
            _ => {}
        }
    }

    fn order(&mut self, reference: u64, side: Side, shares: u32, price: Price4) {
        self.reference = Some(reference);
        self.side = Some(side_name(side));
        self.shares = Some(shares.into());
        self.price = Some(decimal(price));
    }

    const fn verb(&self) -> &'static str {
        match self.kind {
            'S' => "day",
            'R' => "listed",
            'H' => "trading",
            'A' | 'F' => "add",
            'E' | 'C' => "executed",
            'X' => "reduced",
            'D' => "deleted",
            'U' => "replaced",
            'P' => "trade",
            'Q' => "cross",
            'B' => "broken",
            'I' => "auction",
            'J' => "collar",
            'Y' => "short",
            'V' | 'W' => "breaker",
            _ => "message",
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbol = self.symbol.as_deref().unwrap_or("-");
        write!(
            f,
            "{:>9}  {}  {symbol:<8}  {} {:<8}",
            self.seq,
            Clock(self.time_ns),
            self.kind,
            self.verb()
        )?;
        if let Some(side) = self.side {
            write!(f, " {side:<4}")?;
        }
        if let Some(shares) = self.shares {
            write!(f, " {shares}")?;
        }
        if let Some(price) = self.price {
            write!(f, " @ {price}")?;
        }
        if let Some(reference) = self.reference {
            write!(f, "  order {reference}")?;
        }
        if let Some(new_reference) = self.new_reference {
            write!(f, " now {new_reference}")?;
        }
        if let Some(match_number) = self.match_number {
            write!(f, "  trade {match_number}")?;
        }
        if let Some(attribution) = &self.attribution {
            write!(f, "  by {attribution}")?;
        }
        if let (Some(imbalance), Some(direction)) = (self.imbalance, self.direction) {
            write!(f, "  {imbalance} over {direction}")?;
        }
        if let (Some(low), Some(high)) = (self.low, self.high) {
            write!(f, " {low} to {high}")?;
        }
        if let Some(reference_price) = self.reference_price {
            write!(f, " around {reference_price}")?;
        }
        for level in self.levels.iter().flatten() {
            write!(f, " {level}")?;
        }
        let codes = [self.event, self.state, self.cross, self.level, self.restriction];
        for code in codes.iter().flatten() {
            write!(f, " {code}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, " {reason}")?;
        }
        Ok(())
    }
}

/// Nanoseconds since midnight as a time of day.
pub(super) struct Clock(pub(super) u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000_000_000;
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{hour:02}:{minute:02}:{second:02}.{:09}", self.0 % 1_000_000_000)
    }
}

/// A price with its four decimals.
pub(super) fn decimal(price: Price4) -> Decimal {
    Decimal::new(price.units().into(), 4)
}

pub(super) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_itch::codes::{
        BreachedLevel, CrossType, EventCode, ImbalanceDirection, PriceVariation, Reserved, TradingState,
    };
    use rialto_itch::values::Seconds;
    use rialto_itch::{
        AddOrder, BrokenTrade, CrossTrade, Header, LuldAuctionCollar, MatchNumber, MwcbDeclineLevels, MwcbStatus,
        NetOrderImbalance, OrderDelete, OrderExecuted, OrderReference, OrderReplace, Price8, Shares, Stock,
        StockLocate, StockTradingAction, SystemEvent, TimeOfDay, TotalShares, TrackingNumber, TradingReason,
    };

    #[test]
    fn messages_become_lines_and_objects() {
        let header = |locate| Header {
            locate: StockLocate(locate),
            tracking: TrackingNumber(0),
            timestamp: TimeOfDay::new(34_200_000_000_001).unwrap(),
        };
        let (reference, shares) = (OrderReference(7), Shares(300));
        let price = Price4::new(1_234_500).unwrap();
        let stock = Stock::new("ACME").unwrap();
        let table: [(Message, &str, &str); 12] = [
            (
                StockTradingAction {
                    header: header(2),
                    stock,
                    state: TradingState::Paused,
                    reserved: Reserved,
                    reason: TradingReason(*b"LUDP"),
                }
                .into(),
                "        9  09:30:00.000000001  ACME      H trading  P LUDP",
                r#"{"seq":9,"type":"H","time_ns":34200000000001,"locate":2,"symbol":"ACME","state":"P","reason":"LUDP"}"#,
            ),
            (
                LuldAuctionCollar {
                    header: header(2),
                    stock,
                    reference_price: price,
                    upper_price: Price4::new(1_300_000).unwrap(),
                    lower_price: Price4::new(1_200_000).unwrap(),
                    extension: Seconds(0),
                }
                .into(),
                "        9  09:30:00.000000001  ACME      J collar   120.0000 to 130.0000 around 123.4500",
                r#"{"seq":9,"type":"J","time_ns":34200000000001,"locate":2,"symbol":"ACME","reference_price":"123.4500","low":"120.0000","high":"130.0000"}"#,
            ),
            (
                NetOrderImbalance {
                    header: header(2),
                    paired_shares: TotalShares(10),
                    imbalance_shares: TotalShares(5),
                    direction: ImbalanceDirection::Sell,
                    stock,
                    far_price: price,
                    near_price: price,
                    reference_price: price,
                    cross_type: CrossType::Opening,
                    variation: PriceVariation::Below1,
                }
                .into(),
                "        9  09:30:00.000000001  ACME      I auction  10 @ 123.4500  5 over S around 123.4500 O",
                r#"{"seq":9,"type":"I","time_ns":34200000000001,"locate":2,"symbol":"ACME","shares":10,"price":"123.4500","cross":"O","imbalance":5,"direction":"S","reference_price":"123.4500"}"#,
            ),
            (
                CrossTrade {
                    header: header(2),
                    shares: TotalShares(10),
                    stock,
                    price,
                    match_number: MatchNumber(5),
                    cross_type: CrossType::Opening,
                }
                .into(),
                "        9  09:30:00.000000001  ACME      Q cross    10 @ 123.4500  trade 5 O",
                r#"{"seq":9,"type":"Q","time_ns":34200000000001,"locate":2,"symbol":"ACME","shares":10,"price":"123.4500","match_number":5,"cross":"O"}"#,
            ),
            (
                BrokenTrade {
                    header: header(2),
                    match_number: MatchNumber(5),
                }
                .into(),
                "        9  09:30:00.000000001  -         B broken    trade 5",
                r#"{"seq":9,"type":"B","time_ns":34200000000001,"locate":2,"symbol":null,"match_number":5}"#,
            ),
            (
                MwcbDeclineLevels {
                    header: header(0),
                    level_1: Price8(9_300_000_000),
                    level_2: Price8(8_700_000_000),
                    level_3: Price8(8_000_000_000),
                }
                .into(),
                "        9  09:30:00.000000001  -         V breaker  93.00000000 87.00000000 80.00000000",
                r#"{"seq":9,"type":"V","time_ns":34200000000001,"locate":0,"symbol":null,"levels":["93.00000000","87.00000000","80.00000000"]}"#,
            ),
            (
                MwcbStatus {
                    header: header(0),
                    breached: BreachedLevel::Level1,
                }
                .into(),
                "        9  09:30:00.000000001  -         W breaker  1",
                r#"{"seq":9,"type":"W","time_ns":34200000000001,"locate":0,"symbol":null,"level":"1"}"#,
            ),
            (
                SystemEvent {
                    header: header(0),
                    event: EventCode::StartOfMessages,
                }
                .into(),
                "        9  09:30:00.000000001  -         S day      O",
                r#"{"seq":9,"type":"S","time_ns":34200000000001,"locate":0,"symbol":null,"event":"O"}"#,
            ),
            (
                AddOrder {
                    header: header(2),
                    reference,
                    side: Side::Sell,
                    shares,
                    stock,
                    price,
                }
                .into(),
                "        9  09:30:00.000000001  ACME      A add      sell 300 @ 123.4500  order 7",
                r#"{"seq":9,"type":"A","time_ns":34200000000001,"locate":2,"symbol":"ACME","reference":7,"side":"sell","shares":300,"price":"123.4500"}"#,
            ),
            (
                OrderExecuted {
                    header: header(2),
                    reference,
                    shares,
                    match_number: MatchNumber(5),
                }
                .into(),
                "        9  09:30:00.000000001  -         E executed 300  order 7  trade 5",
                r#"{"seq":9,"type":"E","time_ns":34200000000001,"locate":2,"symbol":null,"reference":7,"shares":300,"match_number":5}"#,
            ),
            (
                OrderDelete {
                    header: header(2),
                    reference,
                }
                .into(),
                "        9  09:30:00.000000001  -         D deleted   order 7",
                r#"{"seq":9,"type":"D","time_ns":34200000000001,"locate":2,"symbol":null,"reference":7}"#,
            ),
            (
                OrderReplace {
                    header: header(2),
                    original_reference: reference,
                    new_reference: OrderReference(8),
                    shares,
                    price,
                }
                .into(),
                "        9  09:30:00.000000001  -         U replaced 300 @ 123.4500  order 7 now 8",
                r#"{"seq":9,"type":"U","time_ns":34200000000001,"locate":2,"symbol":null,"reference":7,"new_reference":8,"shares":300,"price":"123.4500"}"#,
            ),
        ];
        for (message, text, object) in table {
            let line = Line::new(9, &message, None);
            assert_eq!(line.to_string(), text);
            assert_eq!(serde_json::to_string(&line).unwrap(), object);
        }
    }
}
