//! One subscription: a source, the books, and who is to be called.

use rialto_conflate::{Books as ConflatedBooks, Told};
use rialto_itch::mold::{Content, Packet, Session};
use rialto_itch::{Message, Price4, Stock, StockLocate};
use rialto_quic::frames::{Login, ServerFrame};
use rialto_quic::{Client, Trust};
use rialto_subscriber::{Books, Config, Delivery, Start};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::error::ClientError;
use crate::lines::{FeedAddresses, FeedClient, Glimpse};
use crate::update::{Best, BookDepth, BookView, Notice, Trade, Update, What};

/// Displayed orders that are followed at most.
const ORDERS_MAX: usize = 1 << 22;
/// How long a snapshot may take.
const SNAPSHOT_TIME: Duration = Duration::from_secs(30);

/// How to come by the feed on multicast.
#[derive(Clone)]
pub struct Multicast {
    /// Where it is.
    pub addresses: FeedAddresses,
    /// Where to take snapshots: to join by one, and to come back where messages are lost for good. Without it the day is asked
    /// for from its first message.
    pub glimpse: Option<Glimpse>,
    /// Bounds and times of the receiver.
    pub receiver: Config,
}

impl Multicast {
    /// With the receiver's bounds and times as they are by default.
    #[must_use]
    pub fn new(addresses: FeedAddresses, glimpse: Option<Glimpse>) -> Self {
        Self {
            addresses,
            glimpse,
            receiver: Config::default(),
        }
    }
}

enum Source {
    Multicast(Box<FeedClient>, Multicast),
    Quic(Box<Client>),
}

type Callback = Box<dyn FnMut(&Update<'_>)>;
type NoticeCallback = Box<dyn FnMut(&Notice)>;

/// What a subscription has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages of the full feed, snapshots included.
    pub messages: u64,
    /// Updates of the conflated feed whose checksum was found right.
    pub verified: u64,
    /// Messages that no book could take.
    pub refused: u64,
    /// Messages lost for good.
    pub lost: u64,
    /// Snapshots joined by.
    pub snapshots: u64,
    /// The last number told.
    pub sequence: u64,
}

/// Market data, and who wants it.
pub struct Subscription {
    source: Source,
    desk: Desk,
}

impl Subscription {
    /// Joins both lines: by a snapshot where one is to be had, else with the session's first message.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn multicast(multicast: Multicast, depth: BookDepth) -> Result<Self, ClientError> {
        let mut desk = Desk::new(depth);
        let Multicast {
            addresses, receiver, ..
        } = multicast;
        let client = match &multicast.glimpse {
            Some(glimpse) => {
                desk.counters.snapshots += 1;
                let take = &mut |delivery: Delivery<'_>| desk.deliver(delivery);
                FeedClient::join_by_snapshot(addresses, receiver, glimpse, SNAPSHOT_TIME, take)?
            }
            None => FeedClient::join_at(addresses, receiver, Start::Beginning)?,
        };
        let source = Source::Multicast(Box::new(client), multicast);
        Ok(Self { source, desk })
    }

    /// Logs in to the QUIC server, for full depth or the conflated feed as the login says.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn quic(server: SocketAddr, trust: &Trust, login: &Login, depth: BookDepth) -> Result<Self, ClientError> {
        let client = Client::connect(server, trust, login)?;
        Ok(Self {
            source: Source::Quic(Box::new(client)),
            desk: Desk::new(depth),
        })
    }

    /// Calls back for everything about an instrument.
    pub fn on(&mut self, symbol: Stock, callback: impl FnMut(&Update<'_>) + 'static) {
        self.desk.of.entry(symbol).or_default().push(Box::new(callback));
    }

    /// Calls back for everything about every instrument.
    pub fn on_any(&mut self, callback: impl FnMut(&Update<'_>) + 'static) {
        self.desk.any.push(Box::new(callback));
    }

    /// Calls back for what happens to the stream as a whole.
    pub fn on_notice(&mut self, callback: impl FnMut(&Notice) + 'static) {
        self.desk.notices.push(Box::new(callback));
    }

    /// Takes what has come, waiting at most `time` for it, and calls back. Returns how many packets or frames there were.
    ///
    /// # Errors
    /// [`ClientError`]: no more is to be had.
    pub fn poll(&mut self, time: Duration) -> Result<usize, ClientError> {
        let desk = &mut self.desk;
        let taken = match &mut self.source {
            Source::Multicast(client, multicast) => {
                let taken = client.poll(time, &mut |delivery| desk.deliver(delivery))?;
                if let Some(glimpse) = multicast.glimpse.as_ref().filter(|_| desk.astray) {
                    desk.counters.snapshots += 1;
                    client.rejoin(multicast.receiver, glimpse, SNAPSHOT_TIME, &mut |delivery| {
                        desk.deliver(delivery);
                    })?;
                }
                taken
            }
            Source::Quic(client) => {
                let polled = client.poll(time, &mut |frame| desk.frame(frame));
                if let Some(error) = desk.over.take() {
                    return Err(error);
                }
                polled?
            }
        };
        Ok(taken)
    }

    /// The book of an instrument as it stands.
    #[must_use]
    pub fn book(&self, symbol: Stock) -> Option<BookView<'_>> {
        self.desk.book(self.desk.locate(symbol)?)
    }

    /// What was seen.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            verified: self.desk.conflated.verified(),
            refused: self.desk.books.counters().refused + self.desk.undecodable,
            ..self.desk.counters
        }
    }
}

/// Keeps the books and knows whom to call.
struct Desk {
    depth: BookDepth,
    books: Books,
    conflated: ConflatedBooks,
    is_conflated: bool,
    symbols: BTreeMap<StockLocate, Stock>,
    /// The best of each book as it was told last.
    told: BTreeMap<StockLocate, (Best, Best)>,
    of: BTreeMap<Stock, Vec<Callback>>,
    any: Vec<Callback>,
    notices: Vec<NoticeCallback>,
    session: Option<Session>,
    snapshot: u64,
    /// Messages were lost for good since the last snapshot.
    astray: bool,
    undecodable: u64,
    over: Option<ClientError>,
    counters: Counters,
}

impl Desk {
    fn new(depth: BookDepth) -> Self {
        Self {
            depth,
            books: match depth {
                BookDepth::Orders => Books::with_queues(ORDERS_MAX),
                BookDepth::Top | BookDepth::Price => Books::new(ORDERS_MAX),
            },
            conflated: ConflatedBooks::new(),
            is_conflated: false,
            symbols: BTreeMap::new(),
            told: BTreeMap::new(),
            of: BTreeMap::new(),
            any: Vec::new(),
            notices: Vec::new(),
            session: None,
            snapshot: 0,
            astray: false,
            undecodable: 0,
            over: None,
            counters: Counters::default(),
        }
    }

    fn locate(&self, symbol: Stock) -> Option<StockLocate> {
        let mut symbols = self.symbols.iter();
        symbols.find(|(_, one)| **one == symbol).map(|(locate, _)| *locate)
    }

    fn book(&self, locate: StockLocate) -> Option<BookView<'_>> {
        if self.is_conflated {
            self.conflated.get(locate).map(BookView::Conflated)
        } else {
            self.books.book(locate).map(BookView::Full)
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.notices.iter_mut().for_each(|call| call(notice));
    }

    /// A session begins, or is stated anew.
    fn begin(&mut self, session: Session) {
        self.books.clear();
        self.symbols.clear();
        self.told.clear();
        self.session = Some(session);
        self.astray = false;
        self.notice(&Notice::Session(session));
    }

    fn deliver(&mut self, delivery: Delivery<'_>) {
        match delivery {
            Delivery::SessionStarted(session) => self.begin(session),
            Delivery::Message { sequence, bytes } => self.message(sequence.0, bytes),
            Delivery::Lost { first, count } => {
                self.astray = true;
                self.counters.lost = self.counters.lost.saturating_add(count);
                self.notice(&Notice::Lost { first: first.0, count });
            }
            Delivery::SessionEnded { .. } => self.notice(&Notice::Ended),
        }
    }

    fn frame(&mut self, frame: ServerFrame<'_>) {
        match frame {
            ServerFrame::Mode { full, reason, .. } => {
                self.is_conflated = !full;
                let reason = reason.into();
                self.notice(&Notice::Mode { full, reason });
            }
            ServerFrame::Packet(bytes) => {
                // A packet of our own server's that is none would be a fault of its; the numbers show what is missing.
                let Ok(packet) = Packet::parse(bytes) else {
                    self.undecodable += 1;
                    return;
                };
                if self.session != Some(packet.session()) {
                    self.begin(packet.session());
                }
                if packet.content() == Content::EndOfSession {
                    self.notice(&Notice::Ended);
                }
                // What a firm may not see has its number and no bytes.
                for (sequence, bytes) in packet.blocks().filter(|(_, bytes)| !bytes.is_empty()) {
                    self.message(sequence.0, bytes);
                }
            }
            ServerFrame::SnapshotBegins { session, number } => {
                self.snapshot = number;
                self.counters.snapshots += 1;
                self.begin(session);
            }
            ServerFrame::SnapshotMessage(bytes) => self.message(self.snapshot, bytes),
            ServerFrame::Conflated(bytes) => self.conflated(bytes),
            ServerFrame::Cut(why) => {
                self.over = Some(ClientError::Cut(String::from_utf8_lossy(why).into_owned()));
            }
            _ => {}
        }
    }

    fn message(&mut self, sequence: u64, bytes: &[u8]) {
        self.counters.messages += 1;
        self.counters.sequence = sequence;
        let Ok(message) = Message::decode(bytes) else {
            self.undecodable += 1;
            return;
        };
        let locate = message.header().locate;
        let trade = self.trade(&message);
        // A refused message leaves the books as they were, and is counted there.
        let changed = self.books.apply(&message).ok().flatten();
        if let Message::StockDirectory(m) = message {
            self.symbols.insert(locate, m.stock);
        }
        if let Some(trade) = trade {
            self.tell(locate, sequence, What::Trade(trade));
        } else if changed.is_none() {
            self.tell(locate, sequence, What::Status(&message));
        }
        if let Some(locate) = changed {
            self.tell_book(locate, sequence);
        }
    }

    /// The trade that a message states, with what the book knows of the order.
    fn trade(&self, message: &Message) -> Option<Trade> {
        let time_ns = message.header().timestamp.ns();
        let order = |reference| self.books.order(reference);
        Some(match message {
            Message::OrderExecuted(m) => {
                let order = order(m.reference)?;
                Trade {
                    time_ns,
                    price: order.price,
                    shares: m.shares.0.into(),
                    side: Some(order.side),
                    match_number: m.match_number.0,
                    printable: true,
                }
            }
            Message::OrderExecutedWithPrice(m) => Trade {
                time_ns,
                price: m.price,
                shares: m.shares.0.into(),
                side: order(m.reference).map(|order| order.side),
                match_number: m.match_number.0,
                printable: m.printable == rialto_itch::codes::YesNo::Yes,
            },
            Message::Trade(m) => Trade {
                time_ns,
                price: m.price,
                shares: m.shares.0.into(),
                side: Some(m.side),
                match_number: m.match_number.0,
                printable: true,
            },
            Message::CrossTrade(m) => Trade {
                time_ns,
                price: m.price,
                shares: m.shares.0,
                side: None,
                match_number: m.match_number.0,
                printable: true,
            },
            _ => return None,
        })
    }

    fn conflated(&mut self, bytes: &[u8]) {
        let told = match self.conflated.apply(bytes) {
            Ok(told) => told,
            Err(error) => {
                self.over.get_or_insert(error.into());
                return;
            }
        };
        match told {
            Told::Session(session) => self.begin(session),
            Told::Book { locate, range, .. } => {
                self.counters.sequence = self.counters.sequence.max(range.last);
                self.name(locate);
                self.tell_book(locate, range.last);
            }
            Told::Snapshot(snapshot) => {
                self.counters.snapshots += 1;
                self.symbols.insert(snapshot.locate, snapshot.stock);
                let missed = snapshot.missed;
                if missed.trades > 0 {
                    let (symbol, trades, volume) = (snapshot.stock, missed.trades, missed.volume);
                    self.notice(&Notice::Missed { symbol, trades, volume });
                }
            }
            Told::Trade(trade) => {
                let what = What::Trade(Trade {
                    time_ns: trade.time_ns,
                    price: Price4::new(trade.price.into()).unwrap_or(Price4::MAX),
                    shares: trade.shares,
                    side: trade.side,
                    match_number: trade.match_number,
                    printable: trade.printable,
                });
                self.name(trade.locate);
                self.tell(trade.locate, trade.number, what);
            }
            Told::Passed(passed) => {
                if let Ok(message) = Message::decode(passed.itch) {
                    self.name(passed.locate);
                    self.tell(passed.locate, passed.range.last, What::Status(&message));
                }
            }
            Told::Position(last) => self.counters.sequence = last,
            Told::Part => {}
        }
    }

    fn name(&mut self, locate: StockLocate) {
        if let Some(book) = self.conflated.get(locate) {
            self.symbols.insert(locate, book.stock());
        }
    }

    fn tell_book(&mut self, locate: StockLocate, sequence: u64) {
        if self.depth == BookDepth::Top {
            let Some(top) = self.book(locate).map(BookView::top) else {
                return;
            };
            if self.told.insert(locate, top) == Some(top) {
                return;
            }
        }
        // Taken out while it is shown, so that callbacks and books can be borrowed side by side.
        let (mut of, mut any) = (std::mem::take(&mut self.of), std::mem::take(&mut self.any));
        if let (Some(&symbol), Some(book)) = (self.symbols.get(&locate), self.book(locate)) {
            let update = Update {
                symbol,
                sequence,
                what: What::Book(book),
            };
            call(&mut of, &mut any, &update);
        }
        (self.of, self.any) = (of, any);
    }

    fn tell(&mut self, locate: StockLocate, sequence: u64, what: What<'_>) {
        let symbol = self.symbols.get(&locate).copied().unwrap_or(Stock([b' '; 8]));
        let update = Update { symbol, sequence, what };
        call(&mut self.of, &mut self.any, &update);
    }
}

fn call(of: &mut BTreeMap<Stock, Vec<Callback>>, any: &mut [Callback], update: &Update<'_>) {
    let of = of.get_mut(&update.symbol).into_iter().flatten();
    of.chain(any).for_each(|call| call(update));
}
