//! All instruments as the full feed shows them, between two commands.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rialto_itch::codes::TradingState;
use rialto_itch::mold::Session;
use rialto_itch::{
    AddOrder, AddOrderAttributed, Header, Message, OrderReference, Price4, Shares, Side, Stock, StockLocate,
};

use crate::instrument::{Instrument, Order};
use crate::limits::ORDERS_MAX;
use crate::recency::Recency;
use crate::wire::{Trade, TradeKind};

/// A message of the full feed with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its MoldUDP64 number.
    pub sequence: u64,
    /// It.
    pub message: Message,
}

/// What of a command must be told at once and as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instant {
    /// A trade; its range is put in where it is told.
    Trade(Trade),
    /// A status, a definition or anything else that neither is a trade nor changes a book.
    Passed(Message),
}

/// Follows the full feed. What it holds is what any subscriber could hold.
#[derive(Clone, Debug)]
pub struct Market {
    instruments: Vec<Option<Box<Instrument>>>,
    /// Instruments by the last change of their book.
    recency: Recency,
    session: Option<Session>,
    /// The last number of the last whole command.
    sequence: u64,
    orders: usize,
    refused: u64,
    /// Instruments that the command at hand has changed.
    changing: Vec<StockLocate>,
    /// The last system event, and the day's market-wide levels and their breach.
    system: Option<Message>,
    breaker: [Option<Message>; 2],
}

impl Default for Market {
    fn default() -> Self {
        Self::new()
    }
}

impl Market {
    /// A market that has followed nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            instruments: Vec::new(),
            recency: Recency::new(),
            session: None,
            sequence: 0,
            orders: 0,
            refused: 0,
            changing: Vec::new(),
            system: None,
            breaker: [None; 2],
        }
    }

    /// The session, once one has begun.
    #[must_use]
    pub const fn session(&self) -> Option<Session> {
        self.session
    }

    /// The number at which the books stand: the last of a command, 0 before a session's first.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Messages that did not fit what came before them and changed nothing.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Orders displayed now.
    #[must_use]
    pub const fn orders(&self) -> usize {
        self.orders
    }

    /// The levels of an instrument, best first: price in units of 0.0001, shares.
    pub fn levels(&self, locate: StockLocate, side: Side) -> impl Iterator<Item = (u32, u64)> + '_ {
        let instrument = self.instrument(locate).into_iter();
        instrument.flat_map(move |one| one.levels.best(side).map(|level| (level.price, level.shares)))
    }

    /// The checksum of all levels of an instrument.
    #[must_use]
    pub fn checksum(&self, locate: StockLocate) -> u64 {
        self.instrument(locate).map_or(0, |one| one.levels.checksum())
    }

    /// The instruments by number.
    pub fn locates(&self) -> impl Iterator<Item = StockLocate> + '_ {
        let numbered = self.instruments.iter().enumerate();
        numbered.filter_map(|(place, one)| one.as_ref().map(|_| StockLocate(place as u16)))
    }

    /// An instrument's symbol; spaces where none was stated.
    #[must_use]
    pub fn stock(&self, locate: StockLocate) -> Stock {
        self.instrument(locate).map_or(Stock([b' '; 8]), |one| one.stock)
    }

    /// Shows the messages that state an instrument anew: its directory entry, its trading action, its short sale restriction
    /// and auction collar where there are any, and its displayed orders in the order of their references, at the number of [`sequence`](Self::sequence) (GLIMPSE 5.0). `time` stands in the order
    /// messages.
    pub fn restate(&self, locate: StockLocate, time: Header, mut show: impl FnMut(&Message)) {
        let Some(one) = self.instrument(locate) else { return };
        one.statuses().for_each(&mut show);
        for (&reference, order) in &one.orders {
            show(&restated(locate, time, one.stock, reference, order));
        }
    }

    /// What was last said about the market as a whole: the system event, and the day's market-wide circuit breaker levels and
    /// their breach where there are any.
    pub fn venue_wide(&self) -> impl Iterator<Item = &Message> {
        self.system.iter().chain(self.breaker.iter().flatten())
    }

    pub(crate) fn instrument(&self, locate: StockLocate) -> Option<&Instrument> {
        self.instruments.get(usize::from(locate.0))?.as_deref()
    }

    pub(crate) const fn stamp(&self) -> u64 {
        self.recency.stamp()
    }

    pub(crate) fn stamp_of(&self, locate: StockLocate) -> u64 {
        self.recency.stamp_of(locate.0.into())
    }

    /// Instruments whose book changed after `stamp`, the last first.
    pub(crate) fn changed_since(&self, stamp: u64) -> impl Iterator<Item = StockLocate> + '_ {
        self.recency.since(stamp).map(|locate| StockLocate(locate as u16))
    }

    /// A session begins: nothing of before holds.
    pub(crate) fn begin(&mut self, session: Session) {
        self.instruments.clear();
        self.recency.clear();
        self.changing.clear();
        self.session = Some(session);
        self.sequence = 0;
        self.orders = 0;
        self.system = None;
        self.breaker = [None; 2];
    }

    /// Applies one message of a command and gives what of it must be told at once. The market is in the middle of a command
    /// until [`commit`](Self::commit).
    pub(crate) fn apply(&mut self, numbered: &Numbered) -> Option<(StockLocate, Instant)> {
        let message = &numbered.message;
        let locate = message.header().locate;
        let trade = |kind, side: Option<Side>, price, shares: u64, match_number, printable| {
            let trade = Trade {
                kind,
                locate,
                number: numbered.sequence,
                time_ns: message.header().timestamp.ns(),
                match_number,
                price,
                shares,
                side,
                printable,
                ..Trade::default()
            };
            Some((locate, Instant::Trade(trade)))
        };
        match *message {
            Message::AddOrder(m) => self.add(locate, m.stock, m.reference, m.side, m.price, m.shares, None),
            Message::AddOrderAttributed(m) => {
                let attribution = Some(m.attribution);
                self.add(locate, m.stock, m.reference, m.side, m.price, m.shares, attribution);
            }
            Message::OrderExecuted(m) => {
                let order = self.take(locate, m.reference, Some(m.shares));
                let (side, price) = order.map_or((None, 0), |order| (Some(order.side), order.price));
                return trade(
                    TradeKind::Executed,
                    side,
                    price,
                    m.shares.0.into(),
                    m.match_number.0,
                    true,
                );
            }
            Message::OrderExecutedWithPrice(m) => {
                let side = self.take(locate, m.reference, Some(m.shares)).map(|order| order.side);
                let printable = m.printable == rialto_itch::codes::YesNo::Yes;
                let (price, shares) = (m.price.units(), m.shares.0.into());
                return trade(
                    TradeKind::ExecutedWithPrice,
                    side,
                    price,
                    shares,
                    m.match_number.0,
                    printable,
                );
            }
            Message::Trade(m) => {
                let (price, shares) = (m.price.units(), m.shares.0.into());
                return trade(
                    TradeKind::NonDisplayed,
                    Some(m.side),
                    price,
                    shares,
                    m.match_number.0,
                    true,
                );
            }
            Message::CrossTrade(m) => {
                return trade(
                    TradeKind::Cross,
                    None,
                    m.price.units(),
                    m.shares.0,
                    m.match_number.0,
                    true,
                );
            }
            Message::OrderCancel(m) => {
                self.take(locate, m.reference, Some(m.shares));
            }
            Message::OrderDelete(m) => {
                self.take(locate, m.reference, None);
            }
            Message::OrderReplace(m) => self.replace(locate, &m),
            passed => {
                match passed {
                    Message::StockDirectory(m) => {
                        let one = self.open(locate);
                        one.stock = m.stock;
                        one.directory = Some(passed);
                    }
                    Message::StockTradingAction(m) => {
                        let one = self.open(locate);
                        one.stock = m.stock;
                        one.action = Some(passed);
                        // A collar is that of a pause, and a broken level that of a halt for its sake.
                        if m.state != TradingState::Paused {
                            one.collar = None;
                        }
                        if !m.reason.0.starts_with(b"MWC") {
                            self.breaker[1] = None;
                        }
                    }
                    Message::RegShoRestriction(_) => self.open(locate).short_sale = Some(passed),
                    Message::LuldAuctionCollar(_) => self.open(locate).collar = Some(passed),
                    Message::SystemEvent(_) => self.system = Some(passed),
                    Message::MwcbDeclineLevels(_) => self.breaker[0] = Some(passed),
                    Message::MwcbStatus(_) => self.breaker[1] = Some(passed),
                    _ => {}
                }
                return Some((locate, Instant::Passed(passed)));
            }
        }
        None
    }

    /// The command is whole: the books stand at its last number.
    pub(crate) fn commit(&mut self, sequence: u64) {
        self.sequence = sequence;
        while let Some(locate) = self.changing.pop() {
            if let Some(one) = self.instruments.get_mut(usize::from(locate.0)).and_then(Option::as_mut) {
                one.changing = false;
                one.commands += 1;
                self.recency.touch(locate.0.into());
            }
        }
    }

    fn open(&mut self, locate: StockLocate) -> &mut Instrument {
        let place = usize::from(locate.0);
        if self.instruments.len() <= place {
            self.instruments.resize_with(place + 1, || None);
        }
        // The resize above made the place.
        self.instruments[place].get_or_insert_with(|| Box::new(Instrument::new()))
    }

    fn change(&mut self, locate: StockLocate) -> &mut Instrument {
        if !core::mem::replace(&mut self.open(locate).changing, true) {
            self.changing.push(locate);
        }
        self.open(locate)
    }

    #[expect(clippy::too_many_arguments, reason = "two messages with the same fields come here")]
    fn add(
        &mut self,
        locate: StockLocate,
        stock: Stock,
        reference: OrderReference,
        side: Side,
        price: Price4,
        shares: Shares,
        attribution: Option<rialto_itch::Mpid>,
    ) {
        let order = Order {
            side,
            price: price.units(),
            shares,
            attribution,
        };
        if self.orders >= ORDERS_MAX {
            self.refused += 1;
            return;
        }
        let one = self.change(locate);
        one.stock = stock;
        if one.add(reference, order) {
            self.orders += 1;
        } else {
            self.refused += 1;
        }
    }

    fn take(&mut self, locate: StockLocate, reference: OrderReference, shares: Option<Shares>) -> Option<Order> {
        let one = self.change(locate);
        let before = one.orders.len();
        let taken = one.take(reference, shares);
        self.orders -= before - one.orders.len();
        self.refused += u64::from(taken.is_none());
        taken
    }

    fn replace(&mut self, locate: StockLocate, m: &rialto_itch::OrderReplace) {
        let Some(order) = self.take(locate, m.original_reference, None) else {
            return;
        };
        let order = Order {
            price: m.price.units(),
            shares: m.shares,
            ..order
        };
        if self.change(locate).add(m.new_reference, order) {
            self.orders += 1;
        } else {
            self.refused += 1;
        }
    }
}

fn restated(locate: StockLocate, time: Header, stock: Stock, reference: OrderReference, order: &Order) -> Message {
    let header = Header { locate, ..time };
    let price = Price4::new(order.price.into()).unwrap_or(Price4::MAX);
    let Order { side, shares, .. } = *order;
    match order.attribution {
        None => AddOrder {
            header,
            reference,
            side,
            shares,
            stock,
            price,
        }
        .into(),
        Some(attribution) => AddOrderAttributed {
            header,
            reference,
            side,
            shares,
            stock,
            price,
            attribution,
        }
        .into(),
    }
}
