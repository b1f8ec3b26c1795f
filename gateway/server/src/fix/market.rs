//! Market data by FIX: MarketDataRequest(V) answered by snapshots (W), then increments (X), or a reject (Y).
//!
//! News take an outbound number like everything else, by a note in the stream. Until the note comes back news gather: a level
//! or an order that changed twice is told once, as it then is; trades are each told. So a slow or busy client costs one note at
//! a time, and its news are always of the moment at which they are sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rialto_fix::message::{FieldWriter, Message};
use rialto_fix::{MsgType, Tag, TimePrecision, UtcTimestamp, tags};
use rialto_model::{InstrumentId, Price, PublicRef, Side, Timestamp};

use super::orders::named;
use crate::depth::{Book, Change, Depth, Print};
use crate::directory::Directory;
use crate::limits::{MARKET_ENTRIES_MAX, PRINTS_MAX, SUBSCRIBED_INSTRUMENTS_MAX};

pub(super) const MD_REQ_ID: Tag = Tag(262);
const SUBSCRIPTION_REQUEST_TYPE: Tag = Tag(263);
const MARKET_DEPTH: Tag = Tag(264);
const MD_UPDATE_TYPE: Tag = Tag(265);
const AGGREGATED_BOOK: Tag = Tag(266);
const NO_MD_ENTRY_TYPES: Tag = Tag(267);
const NO_MD_ENTRIES: Tag = Tag(268);
const MD_ENTRY_TYPE: Tag = Tag(269);
const MD_ENTRY_PX: Tag = Tag(270);
const MD_ENTRY_SIZE: Tag = Tag(271);
const MD_ENTRY_DATE: Tag = Tag(272);
const MD_ENTRY_TIME: Tag = Tag(273);
const MD_ENTRY_ID: Tag = Tag(278);
const MD_UPDATE_ACTION: Tag = Tag(279);
const MD_REQ_REJ_REASON: Tag = Tag(281);
const NUMBER_OF_ORDERS: Tag = Tag(346);
const NO_RELATED_SYM: Tag = Tag(146);
const LAST_UPDATE_TIME: Tag = Tag(779);

/// Why a request is refused: MDReqRejReason(281), and in words.
pub(super) struct Refusal {
    pub(super) reason: u8,
    pub(super) text: &'static str,
}

/// What a request comes to.
pub(super) enum Asked {
    Begin(Subscription),
    /// No more of the one with this id.
    End(Vec<u8>),
}

/// A line of a book: a level, or an order on it.
type Key = (Side, Price, Option<PublicRef>);

/// What one request asked for, and how far it was told.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) request: Vec<u8>,
    /// News after the snapshot.
    pub(super) lasting: bool,
    /// News as whole snapshots.
    full: bool,
    /// Levels, not orders.
    aggregated: bool,
    /// Levels of a side; `usize::MAX` for all.
    depth: usize,
    bids: bool,
    asks: bool,
    trades: bool,
    pub(super) instruments: BTreeMap<InstrumentId, Told>,
    /// Instruments with something to tell.
    dirty: BTreeSet<InstrumentId>,
    prints: VecDeque<(InstrumentId, Print)>,
    /// More trades came than are kept.
    pub(super) overrun: bool,
}

/// What of an instrument the client has.
#[derive(Debug, Default)]
pub(super) struct Told {
    lines: BTreeMap<Key, u64>,
    /// Lines that may have changed; looked at where all levels are told.
    touched: BTreeSet<Key>,
    /// The snapshot was told: news go on from it.
    begun: bool,
}

/// Reads a request.
pub(super) fn read(message: &Message<'_>, directory: &Directory) -> Result<Asked, Refusal> {
    let refuse = |reason, text| Err(Refusal { reason, text });
    let request = message.get(MD_REQ_ID).unwrap_or_default().to_vec();
    let lasting = match message.character(SUBSCRIPTION_REQUEST_TYPE) {
        Ok(b'0') => false,
        Ok(b'1') => true,
        _ => return Ok(Asked::End(request)),
    };
    let depth = match message.unsigned(MARKET_DEPTH) {
        Ok(0) => usize::MAX,
        Ok(depth @ 1..=1000) => depth as usize,
        _ => return refuse(b'5', "MarketDepth(264) is 0 for all levels, or up to 1000"),
    };
    let full = match message.get(MD_UPDATE_TYPE) {
        Some(b"0") => true,
        None | Some(b"1") => false,
        Some(_) => return refuse(b'6', "MDUpdateType(265) is 0 (whole snapshots) or 1 (increments)"),
    };
    let mut subscription = Subscription {
        request,
        lasting,
        full,
        aggregated: message.get(AGGREGATED_BOOK) != Some(b"N"),
        depth,
        bids: false,
        asks: false,
        trades: false,
        instruments: BTreeMap::new(),
        dirty: BTreeSet::new(),
        prints: VecDeque::new(),
        overrun: false,
    };
    for entry in message.group(NO_MD_ENTRY_TYPES, &[MD_ENTRY_TYPE]) {
        match entry.get(MD_ENTRY_TYPE) {
            Some(b"0") => subscription.bids = true,
            Some(b"1") => subscription.asks = true,
            Some(b"2") => subscription.trades = true,
            _ => return refuse(b'8', "MDEntryType(269) is 0 (bid), 1 (offer) or 2 (trade)"),
        }
    }
    // Every field behind 146 that names an instrument: entries may hold more that do not matter here.
    let behind = message.fields().skip_while(|field| field.tag != NO_RELATED_SYM);
    for symbol in behind.filter(|field| field.tag == tags::SYMBOL) {
        match named(symbol.value, directory) {
            Some((instrument, _)) => subscription.instruments.insert(instrument, Told::default()),
            None => {
                return refuse(
                    b'0',
                    "Symbol(55) is no instrument of this exchange: see the security list",
                );
            }
        };
    }
    if subscription.instruments.is_empty() {
        return refuse(b'0', "no Symbol(55): name at least one instrument");
    }
    if subscription.instruments.len() > SUBSCRIBED_INSTRUMENTS_MAX {
        return refuse(
            b'2',
            "more than SUBSCRIBED_INSTRUMENTS_MAX instruments: ask in several requests",
        );
    }
    Ok(Asked::Begin(subscription))
}

/// A MarketDataRequestReject.
pub(super) fn write_reject(request: &[u8], reason: u8, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    FieldWriter::new(&mut out)
        .text(tags::TEXT, text)
        .bytes(MD_REQ_ID, request)
        .character(MD_REQ_REJ_REASON, reason);
    out
}

impl Subscription {
    /// Notes what an event changed; whether there is something to tell.
    pub(super) fn note(&mut self, change: &Change) -> bool {
        match change {
            Change::Order(reference, shown) => {
                let Some(told) = self.instruments.get_mut(&shown.instrument).filter(|told| told.begun) else {
                    return false;
                };
                let wanted = match shown.side {
                    Side::Buy => self.bids,
                    Side::Sell => self.asks,
                };
                if !wanted {
                    return false;
                }
                let order = (!self.aggregated).then_some(*reference);
                told.touched.insert((shown.side, shown.price, order));
                self.dirty.insert(shown.instrument);
                true
            }
            Change::Print(instrument, print) => {
                let begun = self.instruments.get(instrument).is_some_and(|told| told.begun);
                if !self.trades || !begun {
                    return false;
                }
                if self.prints.len() >= PRINTS_MAX {
                    self.overrun = true;
                } else {
                    self.prints.push_back((*instrument, *print));
                }
                true
            }
            Change::All => {
                for (instrument, told) in self.instruments.iter_mut().filter(|(_, told)| told.begun) {
                    told.touched.extend(told.lines.keys());
                    self.dirty.insert(*instrument);
                }
                true
            }
            Change::Phase(_) => false,
        }
    }

    /// Whether there is something to tell.
    pub(super) fn has_news(&self) -> bool {
        self.overrun || !self.dirty.is_empty() || !self.prints.is_empty()
    }

    /// The lines of a book that this subscription shows.
    fn view(&self, instrument: InstrumentId, depth: &Depth) -> BTreeMap<Key, u64> {
        let mut view = BTreeMap::new();
        let Some(book) = depth.book(instrument) else {
            return view;
        };
        for side in self.sides() {
            for (price, level) in book.levels(side).take(self.depth) {
                if self.aggregated {
                    view.insert((side, price, None), level.quantity);
                }
            }
        }
        if !self.aggregated {
            let last = |side| book.levels(side).take(self.depth).last().map(|(price, _)| price);
            let (bid, ask) = (last(Side::Buy), last(Side::Sell));
            for (reference, shown) in depth.orders_of(instrument) {
                let inside = match shown.side {
                    Side::Buy => self.bids && bid.is_some_and(|bid| shown.price >= bid),
                    Side::Sell => self.asks && ask.is_some_and(|ask| shown.price <= ask),
                };
                if inside {
                    view.insert((shown.side, shown.price, Some(reference)), shown.quantity.0);
                }
            }
        }
        view
    }

    fn sides(&self) -> impl Iterator<Item = Side> + use<> {
        let (bids, asks) = (self.bids, self.asks);
        [(Side::Buy, bids), (Side::Sell, asks)]
            .into_iter()
            .filter_map(|(side, wanted)| wanted.then_some(side))
    }

    /// A snapshot of one instrument (W), from which the increments go on.
    /// `print`: the trade to tell with it, where it is not the last one.
    pub(super) fn snapshot(
        &mut self,
        instrument: InstrumentId,
        print: Option<Print>,
        depth: &Depth,
        directory: &Directory,
        time: Timestamp,
    ) -> Vec<u8> {
        let view = self.view(instrument, depth);
        let listed = directory.instrument(instrument);
        let scale = u32::from(listed.map(|listed| listed.scale).unwrap_or_default().0);
        let book = depth.book(instrument);
        let last = print.or_else(|| book?.last).filter(|_| self.trades);
        let count = view.len() + usize::from(last.is_some());
        let mut out = Vec::new();
        FieldWriter::new(&mut out)
            .text(
                tags::SYMBOL,
                listed.map(|listed| listed.symbol).unwrap_or_default().as_str(),
            )
            .bytes(MD_REQ_ID, &self.request)
            .group(NO_MD_ENTRIES, count as u64, |entries| {
                // The best first.
                let bids = view.iter().filter(|((side, ..), _)| *side == Side::Buy).rev();
                let asks = view.iter().filter(|((side, ..), _)| *side == Side::Sell);
                for (key, quantity) in bids.chain(asks) {
                    let (side, price, order) = *key;
                    entries.character(MD_ENTRY_TYPE, entry_type(side));
                    if let Some(order) = order {
                        entries.unsigned(MD_ENTRY_ID, order.0);
                    }
                    entries
                        .decimal(MD_ENTRY_PX, price.0, scale)
                        .unsigned(MD_ENTRY_SIZE, *quantity);
                    match order {
                        Some(order) => entries.unsigned(tags::ORDER_ID, order.0),
                        None => entries.unsigned(NUMBER_OF_ORDERS, orders_at(book, side, price)),
                    };
                }
                if let Some(last) = last {
                    entries.character(MD_ENTRY_TYPE, b'2');
                    write_print(entries, &last, scale);
                }
            })
            .timestamp(LAST_UPDATE_TIME, UtcTimestamp(time.0), TimePrecision::Milliseconds);
        self.dirty.remove(&instrument);
        if let Some(told) = self.instruments.get_mut(&instrument) {
            told.lines = view;
            told.touched.clear();
            told.begun = true;
        }
        out
    }

    /// The next news: a snapshot or increments, whichever was asked for. At most [`MARKET_ENTRIES_MAX`] increments at once.
    pub(super) fn news(
        &mut self,
        depth: &Depth,
        directory: &Directory,
        time: Timestamp,
    ) -> Option<(MsgType<'static>, Vec<u8>)> {
        if self.full {
            let (instrument, print) = match self.prints.pop_front() {
                Some((instrument, print)) => (instrument, Some(print)),
                None => (self.dirty.first().copied()?, None),
            };
            let body = self.snapshot(instrument, print, depth, directory, time);
            return Some((MsgType::MARKET_DATA_SNAPSHOT, body));
        }
        let mut increments = Increments::new(directory);
        while increments.count < MARKET_ENTRIES_MAX
            && let Some((instrument, print)) = self.prints.pop_front()
        {
            increments.print(instrument, &print);
        }
        while increments.count < MARKET_ENTRIES_MAX
            && let Some(instrument) = self.dirty.first().copied()
        {
            if self.increments(instrument, depth, &mut increments) {
                self.dirty.remove(&instrument);
            }
        }
        (increments.count > 0).then(|| {
            (
                MsgType::MARKET_DATA_INCREMENTAL_REFRESH,
                increments.finish(&self.request),
            )
        })
    }

    /// The changes of one instrument; whether they were all told.
    fn increments(&mut self, instrument: InstrumentId, depth: &Depth, out: &mut Increments<'_>) -> bool {
        let all_levels = self.depth == usize::MAX;
        let view = if all_levels {
            BTreeMap::new()
        } else {
            self.view(instrument, depth)
        };
        let Some(told) = self.instruments.get_mut(&instrument) else {
            return true;
        };
        if !all_levels {
            // A level that comes into view or leaves it was not touched itself.
            let changed = |key: &&Key| view.get(*key) != told.lines.get(*key);
            told.touched = view.keys().chain(told.lines.keys()).filter(changed).copied().collect();
        }
        while out.count < MARKET_ENTRIES_MAX
            && let Some(key) = told.touched.pop_first()
        {
            let now = if all_levels {
                standing(instrument, &key, depth)
            } else {
                view.get(&key).copied()
            };
            let action = match (told.lines.get(&key), now) {
                (None, None) => continue,
                (Some(before), Some(now)) if *before == now => continue,
                (None, Some(_)) => b'0',
                (Some(_), Some(_)) => b'1',
                (Some(_), None) => b'2',
            };
            match now {
                Some(now) => told.lines.insert(key, now),
                None => told.lines.remove(&key),
            };
            out.line(instrument, action, &key, now, depth.book(instrument));
        }
        told.touched.is_empty()
    }
}

/// What is on a line now.
fn standing(instrument: InstrumentId, (side, price, order): &Key, depth: &Depth) -> Option<u64> {
    match order {
        Some(order) => depth.order(*order).map(|shown| shown.quantity.0),
        None => {
            let book = depth.book(instrument)?;
            let levels = match side {
                Side::Buy => &book.bids,
                Side::Sell => &book.asks,
            };
            levels.get(price).map(|level| level.quantity)
        }
    }
}

fn orders_at(book: Option<&Book>, side: Side, price: Price) -> u64 {
    let levels = book.map(|book| match side {
        Side::Buy => &book.bids,
        Side::Sell => &book.asks,
    });
    levels
        .and_then(|levels| levels.get(&price))
        .map_or(0, |level| level.orders)
}

const fn entry_type(side: Side) -> u8 {
    match side {
        Side::Buy => b'0',
        Side::Sell => b'1',
    }
}

/// Price, quantity, date and time of a trade.
fn write_print(entries: &mut FieldWriter<'_>, print: &Print, scale: u32) {
    let mut time = Vec::new();
    UtcTimestamp(print.time.0).write(TimePrecision::Milliseconds, &mut time);
    let (date, of_day) = time.split_at_checked(8).unwrap_or_default();
    entries
        .decimal(MD_ENTRY_PX, print.price.0, scale)
        .unsigned(MD_ENTRY_SIZE, print.quantity.0)
        .bytes(MD_ENTRY_DATE, date)
        .bytes(MD_ENTRY_TIME, of_day.get(1..).unwrap_or_default());
}

/// The entries of an X as they are gathered.
struct Increments<'a> {
    directory: &'a Directory,
    entries: Vec<u8>,
    count: usize,
}

impl<'a> Increments<'a> {
    const fn new(directory: &'a Directory) -> Self {
        Self {
            directory,
            entries: Vec::new(),
            count: 0,
        }
    }

    /// Begins an entry, and says in which unit its prices are.
    fn begin(&mut self, instrument: InstrumentId, action: u8, kind: u8, id: Option<u64>) -> u32 {
        self.count += 1;
        let listed = self.directory.instrument(instrument);
        // Each entry is a writer of its own: their tags begin anew.
        FieldWriter::new(&mut self.entries).character(MD_UPDATE_ACTION, action);
        FieldWriter::new(&mut self.entries).character(MD_ENTRY_TYPE, kind);
        if let Some(id) = id {
            FieldWriter::new(&mut self.entries).unsigned(MD_ENTRY_ID, id);
        }
        let symbol = listed.map(|listed| listed.symbol).unwrap_or_default();
        FieldWriter::new(&mut self.entries).text(tags::SYMBOL, symbol.as_str());
        u32::from(listed.map(|listed| listed.scale).unwrap_or_default().0)
    }

    fn print(&mut self, instrument: InstrumentId, print: &Print) {
        let scale = self.begin(instrument, b'0', b'2', Some(print.trade.0));
        write_print(&mut FieldWriter::new(&mut self.entries), print, scale);
    }

    fn line(&mut self, instrument: InstrumentId, action: u8, key: &Key, now: Option<u64>, book: Option<&Book>) {
        let (side, price, order) = *key;
        let scale = self.begin(instrument, action, entry_type(side), order.map(|order| order.0));
        let mut entry = FieldWriter::new(&mut self.entries);
        entry.decimal(MD_ENTRY_PX, price.0, scale);
        if let Some(now) = now {
            entry.unsigned(MD_ENTRY_SIZE, now);
            if order.is_none() {
                entry.unsigned(NUMBER_OF_ORDERS, orders_at(book, side, price));
            }
        }
    }

    fn finish(self, request: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        FieldWriter::new(&mut out)
            .bytes(MD_REQ_ID, request)
            .unsigned(NO_MD_ENTRIES, self.count as u64);
        out.extend_from_slice(&self.entries);
        out
    }
}
