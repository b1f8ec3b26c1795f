//! Random order flow, a naive full book of it, and the judge of what a subscriber was told.
#![allow(dead_code, reason = "each test takes what it needs")]

use rialto_conflate::wire::{Cause, Message as Wire, Trade};
use rialto_conflate::{Books, Depth, Numbered, Told};
use rialto_itch::codes::{EventCode, Reserved, TradingState};
use rialto_itch::{
    AddOrder, Header, MatchNumber, Message, OrderCancel, OrderDelete, OrderExecuted, OrderReference, OrderReplace,
    Price4, Shares, Side, Stock, StockLocate, StockTradingAction, SystemEvent, TimeOfDay, TradingReason,
};
use std::collections::BTreeMap;

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// From 0 to `below` - 1.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    pub(crate) fn chance(&mut self, in_hundred: u64) -> bool {
        self.below(100) < in_hundred
    }
}

pub(crate) const INSTRUMENTS: usize = 3;
const PRICES: usize = 8;
const FIRST_PRICE: u32 = 10_000;

/// Shares at each price of each side of each instrument.
pub(crate) type Full = [[[u64; PRICES]; 2]; INSTRUMENTS];

/// A flow with what is true of it, command by command.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) commands: Vec<Vec<Numbered>>,
    /// The book behind each command, by its last number.
    pub(crate) books: BTreeMap<u64, Full>,
    pub(crate) trades: [Vec<Trade>; INSTRUMENTS],
    /// Numbers of messages that are told as they are.
    pub(crate) others: [Vec<u64>; INSTRUMENTS],
    pub(crate) system: Vec<u64>,
    /// Last numbers of the commands that changed the book.
    pub(crate) changes: [Vec<u64>; INSTRUMENTS],
    /// The first and the last number of each command.
    pub(crate) spans: Vec<(u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    reference: u64,
    instrument: usize,
    buys: bool,
    place: usize,
    shares: u32,
}

pub(crate) fn locate(instrument: usize) -> StockLocate {
    StockLocate(instrument as u16 + 1)
}

pub(crate) fn stock(instrument: usize) -> Stock {
    Stock::new(["ONE", "TWO", "THREE"][instrument]).unwrap()
}

pub(crate) fn price(place: usize) -> u32 {
    FIRST_PRICE + 100 * place as u32
}

fn side(buys: bool) -> Side {
    if buys { Side::Buy } else { Side::Sell }
}

impl Flow {
    pub(crate) fn random(dice: &mut Dice, commands: u64) -> Self {
        let mut flow = Self::default();
        let mut orders: Vec<Order> = Vec::new();
        let mut full = Full::default();
        let (mut sequence, mut reference) = (0, 0);
        flow.books.insert(0, full);
        let instruments = 1 + dice.below(INSTRUMENTS as u64) as usize;
        for _ in 0..commands {
            let mut command = Vec::new();
            let mut changed = [false; INSTRUMENTS];
            let first = sequence + 1;
            for _ in 0..1 + dice.below(4) {
                sequence += 1;
                let instrument = dice.below(instruments as u64) as usize;
                let header = |instrument| Header {
                    locate: locate(instrument),
                    timestamp: TimeOfDay::new(1_000 * sequence).unwrap(),
                    ..Header::default()
                };
                let roll = dice.below(100);
                let known = if orders.is_empty() {
                    None
                } else {
                    Some(dice.below(orders.len() as u64) as usize)
                };
                let message: Message = match (roll, known) {
                    (0..4, _) => {
                        flow.others[instrument].push(sequence);
                        StockTradingAction {
                            header: header(instrument),
                            stock: stock(instrument),
                            state: TradingState::Trading,
                            reserved: Reserved,
                            reason: TradingReason::default(),
                        }
                        .into()
                    }
                    (4..5, _) => {
                        flow.system.push(sequence);
                        let header = Header {
                            locate: StockLocate(0),
                            ..header(0)
                        };
                        SystemEvent {
                            header,
                            event: EventCode::StartOfMarketHours,
                        }
                        .into()
                    }
                    (40..60, Some(known)) => {
                        let order = &mut orders[known];
                        let shares = 1 + dice.below(order.shares.into()) as u32;
                        order.shares -= shares;
                        let order = *order;
                        full[order.instrument][usize::from(order.buys)][order.place] -= u64::from(shares);
                        changed[order.instrument] = true;
                        flow.trades[order.instrument].push(Trade {
                            locate: locate(order.instrument),
                            number: sequence,
                            time_ns: 1_000 * sequence,
                            match_number: sequence,
                            price: price(order.place),
                            shares: shares.into(),
                            side: Some(side(order.buys)),
                            printable: true,
                            ..Trade::default()
                        });
                        OrderExecuted {
                            header: header(order.instrument),
                            reference: OrderReference(order.reference),
                            shares: Shares(shares),
                            match_number: MatchNumber(sequence),
                        }
                        .into()
                    }
                    (60..70, Some(known)) => {
                        let order = orders.swap_remove(known);
                        full[order.instrument][usize::from(order.buys)][order.place] -= u64::from(order.shares);
                        changed[order.instrument] = true;
                        OrderDelete {
                            header: header(order.instrument),
                            reference: OrderReference(order.reference),
                        }
                        .into()
                    }
                    (70..76, Some(known)) if orders[known].shares > 1 => {
                        let order = &mut orders[known];
                        let shares = 1 + dice.below(u64::from(order.shares) - 1) as u32;
                        order.shares -= shares;
                        full[order.instrument][usize::from(order.buys)][order.place] -= u64::from(shares);
                        changed[order.instrument] = true;
                        OrderCancel {
                            header: header(order.instrument),
                            reference: OrderReference(order.reference),
                            shares: Shares(shares),
                        }
                        .into()
                    }
                    (76..84, Some(known)) => {
                        let old = orders.swap_remove(known);
                        reference += 1;
                        let new = Order {
                            reference,
                            place: dice.below(PRICES as u64) as usize,
                            shares: 1 + dice.below(9) as u32,
                            ..old
                        };
                        full[old.instrument][usize::from(old.buys)][old.place] -= u64::from(old.shares);
                        full[new.instrument][usize::from(new.buys)][new.place] += u64::from(new.shares);
                        changed[old.instrument] = true;
                        orders.push(new);
                        OrderReplace {
                            header: header(old.instrument),
                            original_reference: OrderReference(old.reference),
                            new_reference: OrderReference(reference),
                            shares: Shares(new.shares),
                            price: Price4::new(price(new.place).into()).unwrap(),
                        }
                        .into()
                    }
                    _ => {
                        reference += 1;
                        let order = Order {
                            reference,
                            instrument,
                            buys: dice.chance(50),
                            place: dice.below(PRICES as u64) as usize,
                            shares: 1 + dice.below(9) as u32,
                        };
                        full[instrument][usize::from(order.buys)][order.place] += u64::from(order.shares);
                        changed[instrument] = true;
                        orders.push(order);
                        AddOrder {
                            header: header(instrument),
                            reference: OrderReference(reference),
                            side: side(order.buys),
                            shares: Shares(order.shares),
                            stock: stock(instrument),
                            price: Price4::new(price(order.place).into()).unwrap(),
                        }
                        .into()
                    }
                };
                orders.retain(|order| order.shares > 0);
                command.push(Numbered { sequence, message });
            }
            for (instrument, changed) in changed.into_iter().enumerate() {
                if changed {
                    flow.changes[instrument].push(sequence);
                }
            }
            flow.spans.push((first, sequence));
            flow.books.insert(sequence, full);
            flow.commands.push(command);
        }
        flow
    }

    pub(crate) fn last(&self) -> u64 {
        self.spans.last().map_or(0, |span| span.1)
    }
}

/// Judges what one subscriber is told against the flow.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    flow: &'a Flow,
    depth: usize,
    pub(crate) books: Books,
    /// The next trade and the next other message that are owed.
    trades: [usize; INSTRUMENTS],
    others: [usize; INSTRUMENTS],
    /// A snapshot's own messages follow.
    restating: [bool; INSTRUMENTS],
    open: [bool; INSTRUMENTS],
    pub(crate) joined: [bool; INSTRUMENTS],
    pub(crate) missed: u64,
    pub(crate) told: u64,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(flow: &'a Flow, depth: Depth, joined_at: u64) -> Self {
        let depth = match depth {
            Depth::Levels(levels) => levels.into(),
            Depth::Full => usize::MAX,
        };
        // An instrument that nobody has heard of by then needs no snapshot.
        let heard = |instrument: usize| {
            let before = |message: &Numbered| {
                message.sequence <= joined_at && message.message.header().locate == locate(instrument)
            };
            flow.commands.iter().flatten().any(before)
        };
        Self {
            flow,
            depth,
            books: Books::new(),
            trades: [0; INSTRUMENTS],
            others: [0; INSTRUMENTS],
            restating: [false; INSTRUMENTS],
            open: [false; INSTRUMENTS],
            joined: std::array::from_fn(|instrument| !heard(instrument)),
            missed: 0,
            told: 0,
        }
    }

    /// Takes everything in a buffer of framed messages.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
            let (message, rest) = rest.split_at(u16::from_be_bytes(*length).into());
            self.message(message)?;
            bytes = rest;
        }
        Ok(())
    }

    pub(crate) fn message(&mut self, bytes: &[u8]) -> Result<(), String> {
        let told = self.books.apply(bytes).map_err(|error| error.to_string())?;
        match told {
            Told::Session(_) | Told::Part | Told::Position(_) => {}
            Told::Trade(trade) => {
                let one = usize::from(trade.locate.0) - 1;
                self.before_instant(one, trade.number)?;
                let expected = self.flow.trades[one]
                    .get(self.trades[one])
                    .ok_or("a trade that never was")?;
                let expected = Trade {
                    range: trade.range,
                    ..*expected
                };
                self.same(trade == expected, format!("{trade:?}, and it was {expected:?}"))?;
                self.inside(trade.number, trade.range.first, trade.range.last)?;
                self.trades[one] += 1;
                self.told += 1;
            }
            Told::Passed(passed) if passed.locate.0 == 0 => {}
            Told::Passed(passed) => {
                let one = usize::from(passed.locate.0) - 1;
                if self.restating[one] {
                    return Ok(());
                }
                let message = Message::decode(passed.itch).map_err(|error| error.to_string())?;
                let number = message.header().timestamp.ns() / 1_000;
                self.before_instant(one, number)?;
                let expected = self.flow.others[one].get(self.others[one]);
                self.same(
                    expected == Some(&number),
                    format!("{number} was told, not {expected:?}"),
                )?;
                self.others[one] += 1;
            }
            Told::Snapshot(snapshot) if snapshot.locate.0 == 0 => {}
            Told::Snapshot(snapshot) => {
                let one = usize::from(snapshot.locate.0) - 1;
                self.restating[one] = true;
                let last = snapshot.range.last;
                if snapshot.cause == Cause::Join {
                    self.same(!self.joined[one], "joined twice".to_owned())?;
                    self.joined[one] = true;
                    self.trades[one] = self.flow.trades[one].partition_point(|trade| trade.number <= last);
                    self.others[one] = self.flow.others[one].partition_point(|&number| number <= last);
                    return self.same(snapshot.missed.trades == 0, "nothing is owed before a join".to_owned());
                }
                let missed = snapshot.missed;
                let from = self.trades[one];
                let to = self.flow.trades[one].partition_point(|trade| trade.number <= last);
                let owed = &self.flow.trades[one][from..to];
                let volume: u64 = owed.iter().map(|trade| trade.shares).sum();
                let ends = (
                    owed.first().map_or(0, |trade| trade.number),
                    owed.last().map_or(0, |trade| trade.number),
                );
                let stated = (missed.trades, missed.volume, (missed.first, missed.last));
                let expected = (owed.len() as u64, volume, ends);
                self.same(
                    stated == expected,
                    format!("missed {stated:?}, and it was {expected:?}"),
                )?;
                let to_others = self.flow.others[one].partition_point(|&number| number <= last);
                let others = (to_others - self.others[one]) as u64;
                self.same(
                    missed.others == others,
                    format!("{} others missed, not {others}", missed.others),
                )?;
                self.trades[one] = to;
                self.others[one] = to_others;
                self.missed += missed.trades;
            }
            Told::Book {
                locate,
                range,
                conflated,
            } => {
                if locate.0 == 0 {
                    return Ok(());
                }
                let one = usize::from(locate.0) - 1;
                self.equals(one, range.last)?;
                let within = |&&number: &&u64| (range.first..=range.last).contains(&number);
                let commands = self.flow.changes[one].iter().filter(within).count();
                if !self.restating[one] {
                    let truth = commands > 1;
                    self.same(
                        conflated == truth,
                        format!("conflated is {conflated}, of {commands} commands"),
                    )?;
                }
                self.restating[one] = false;
                self.open[one] = false;
                self.same(self.joined[one], "a book before its snapshot".to_owned())?;
                // Everything that the range covers has been told by its end.
                let owed = self.flow.trades[one].get(self.trades[one]);
                let silent = owed.is_none_or(|trade| trade.number > range.last);
                self.same(silent, format!("{owed:?} was passed over by {range:?}"))?;
                let owed = self.flow.others[one].get(self.others[one]);
                let silent = owed.is_none_or(|&number| number > range.last);
                self.same(silent, format!("{owed:?} was passed over by {range:?}"))?;
            }
        }
        Ok(())
    }

    /// At the end, when everything has been told.
    pub(crate) fn finish(&self) -> Result<(), String> {
        for one in 0..INSTRUMENTS {
            let owed = (self.flow.trades[one].len(), self.flow.others[one].len());
            let told = (self.trades[one], self.others[one]);
            self.same(
                owed == told,
                format!("{told:?} of {owed:?} trades and others were told"),
            )?;
            if self.books.get(locate(one)).is_some() {
                self.equals(one, self.flow.last())?;
            }
        }
        Ok(())
    }

    /// Before the first trade or status of a command the book as it was before the command must have been told.
    fn before_instant(&mut self, one: usize, number: u64) -> Result<(), String> {
        if std::mem::replace(&mut self.open[one], true) {
            return Ok(());
        }
        let place = self.flow.spans.partition_point(|span| span.1 < number);
        let (first, _) = *self.flow.spans.get(place).ok_or("a number that never was")?;
        self.equals(one, first - 1)
    }

    fn inside(&self, number: u64, first: u64, last: u64) -> Result<(), String> {
        self.same(
            (first..=last).contains(&number),
            format!("{number} is not in {first}..{last}"),
        )
    }

    /// The subscriber's book equals the full book at this number as far as its depth goes.
    fn equals(&self, one: usize, at: u64) -> Result<(), String> {
        let full = self
            .flow
            .books
            .get(&at)
            .ok_or_else(|| format!("{at} is in the middle of a command"))?;
        let levels = |buys: bool| {
            let shares = full[one][usize::from(buys)];
            let mut levels: Vec<_> = (0..PRICES).map(|place| (price(place), shares[place])).collect();
            if buys {
                levels.reverse();
            }
            levels.retain(|level| level.1 > 0);
            levels.truncate(self.depth);
            levels
        };
        for buys in [true, false] {
            let book = self.books.get(locate(one));
            let told: Vec<_> = book.into_iter().flat_map(|book| book.levels(side(buys))).collect();
            let expected = levels(buys);
            self.same(
                told == expected,
                format!("at {at} the book is {told:?}, not {expected:?}"),
            )?;
        }
        Ok(())
    }

    fn same(&self, holds: bool, complaint: String) -> Result<(), String> {
        if holds { Ok(()) } else { Err(complaint) }
    }
}

/// The messages of a buffer.
pub(crate) fn messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (message, rest) = rest.split_at(u16::from_be_bytes(*length).into());
        all.push(message.to_vec());
        bytes = rest;
    }
    all
}

/// A message written anew.
pub(crate) fn encode(message: &Wire<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.append_to(&mut bytes);
    bytes
}
