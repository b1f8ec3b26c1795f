//! `rialto ingest itch`: a recorded ITCH 5.0 day through sequencer, journal, engine, gate and feed, on virtual time.
//!
//! A file holds messages, each behind its length in two bytes (Nasdaq's BinaryFILE), plain or gzip. What the messages say of
//! displayed orders becomes orders of one session: an add an order, an execution an order of the other side that must meet
//! exactly the named order, a cancel a reduction, a replace a replace. After each of them the book that the engine has is
//! compared with the one that the messages themselves make. What no displayed order explains, non-displayed trades and
//! crosses, is counted and left out; an execution at another price than the order's own takes the shares off the book.

mod file;
mod orders;

pub(crate) use file::Reader;
pub(crate) use orders::Orders;

use crate::out;
use crate::recorded::{self, Flow, Folder, INCARNATION, Run, SESSION, Verdict};
use crate::serve::trading_day;
use anyhow::{Context as _, Result, ensure};
use orders::price;
use rialto_itch::{Message, Stock, StockLocate};
use rialto_model::command::DefineInstrument;
use rialto_model::limits::{LIVE_ORDERS_MAX, PRICE_MAX, QUANTITY_MAX};
use rialto_model::{Command, InstrumentId, Price, PriceScale, Quantity, Side, Symbol, Timestamp, TradingDay};
use rialto_subscriber::{Book, Books};
use serde::Serialize;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

/// Messages between two steps of the progress bar.
const BAR_STEP: u64 = 4_096;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file: messages behind their lengths, plain or gzip
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only these instruments; without it all
    #[arg(long, value_name = "SYMBOL")]
    symbol: Vec<String>,
    /// Stop behind so many messages
    #[arg(long, value_name = "N")]
    messages: Option<u64>,
    /// Levels a side that are compared after each message
    #[arg(long, default_value_t = 10)]
    levels: usize,
    /// The day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = trading_day, default_value = "1970-01-02")]
    trading_day: TradingDay,
    /// An empty or new folder for the journal; without it a temporary one that is removed in the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What makes an event safe to release
    #[arg(long, default_value = "memory", value_parser = crate::choices::DURABILITIES)]
    durability: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What an ingest came to.
#[derive(Debug, Default, Serialize)]
struct Summary {
    messages: u64,
    instruments: u64,
    /// Messages behind which the book was compared, and how often it was equal.
    books_compared: u64,
    books_equal: u64,
    wrong_fills: u64,
    crossing_adds: u64,
    refused: u64,
    /// Executions at another price than the order's own.
    repriced: u64,
    /// Messages of trades that no displayed order explains.
    hidden_trades: u64,
    /// Messages about orders that the file does not show entering, or that OUCH and ITCH do not allow here.
    left_out: u64,
    commands: u64,
    events: u64,
    last_seq: u64,
    state_hash: String,
    event_hash: String,
    seconds: f64,
    data: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let begun = Instant::now();
    let folder = Folder::open(args.data.clone())?;
    let mut day = Day::open(&folder, &args)?;
    let bar = out::progress(args.messages.unwrap_or(0), "messages", args.json);
    let mut reader = Reader::open(&args.file)?;
    while let Some((at, bytes)) = reader.next()? {
        let message = Message::decode(bytes).with_context(|| format!("message {at} is no ITCH 5.0"))?;
        day.take(&message).with_context(|| format!("message {at}"))?;
        if at.is_multiple_of(BAR_STEP) {
            bar.set_position(at);
        }
        if args.messages == Some(at) {
            break;
        }
    }
    bar.finish_and_clear();
    let mut summary = day.close()?;
    summary.messages = reader.messages();
    summary.seconds = begun.elapsed().as_secs_f64();
    summary.data = folder.kept();
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    let right = summary.wrong_fills == 0
        && summary.crossing_adds == 0
        && summary.refused == 0
        && summary.books_compared == summary.books_equal;
    ensure!(right, "the day did not come out as the file says; see the counts above");
    Ok(())
}

/// A day on its way through the exchange.
struct Day {
    run: Run,
    midnight: Timestamp,
    levels: usize,
    wanted: Vec<String>,
    /// Instruments by the file's number of them.
    instruments: HashMap<StockLocate, InstrumentId>,
    orders: Orders,
    flow: Flow<u64>,
    /// The books that the messages make.
    books: Books,
    summary: Summary,
}

impl Day {
    fn open(folder: &Folder, args: &Args) -> Result<Self> {
        let midnight = args.trading_day.midnight_utc();
        let mut day = Self {
            run: Run::open(folder, &args.durability, midnight)?,
            midnight,
            levels: args.levels,
            wanted: args.symbol.clone(),
            instruments: HashMap::new(),
            orders: Orders::default(),
            flow: Flow::new(SESSION, INCARNATION),
            books: Books::new(LIVE_ORDERS_MAX as usize),
            summary: Summary::default(),
        };
        for command in recorded::opening(args.trading_day, &[]) {
            day.send(command)?;
        }
        day.settle()?;
        Ok(day)
    }

    /// Does what a message says, and compares the book that it is about.
    fn take(&mut self, message: &Message) -> Result<()> {
        let header = message.header();
        if let Message::StockDirectory(m) = message {
            self.list(header.locate, m.stock)?;
        }
        let Some(&instrument) = self.instruments.get(&header.locate) else {
            return Ok(());
        };
        self.run.clock.set(Timestamp(self.midnight.0 + header.timestamp.ns()));
        match message {
            Message::Trade(_) | Message::CrossTrade(_) => self.summary.hidden_trades += 1,
            _ => {}
        }
        let Some(operation) = self.orders.operation(message) else {
            return Ok(());
        };
        // A message that the books refuse is about an order that never came.
        if self.books.apply(message).is_err() {
            self.summary.left_out += 1;
            return Ok(());
        }
        let command = self.flow.command(instrument, operation)?;
        self.send(command)?;
        self.settle()?;
        self.compare(header.locate, instrument);
        Ok(())
    }

    fn list(&mut self, locate: StockLocate, stock: Stock) -> Result<()> {
        let name = stock.as_str().unwrap_or_default().trim_end();
        let wanted = self.wanted.is_empty() || self.wanted.iter().any(|one| one == name);
        if !wanted || self.instruments.contains_key(&locate) {
            return Ok(());
        }
        let number = u16::try_from(self.instruments.len() + 1).context("a venue has at most 65,535 instruments")?;
        let instrument = InstrumentId(number);
        self.send(
            DefineInstrument {
                instrument,
                symbol: Symbol::new(name).with_context(|| format!("{name:?} is no symbol"))?,
                scale: PriceScale::DEFAULT,
                tick: Price(1),
                price_max: Price(PRICE_MAX),
                lot: Quantity(1),
                quantity_max: Quantity(QUANTITY_MAX),
            }
            .into(),
        )?;
        self.instruments.insert(locate, instrument);
        self.summary.instruments += 1;
        self.settle()
    }

    fn compare(&mut self, locate: StockLocate, instrument: InstrumentId) {
        self.summary.books_compared += 1;
        let told = self.books.book(locate);
        let equal = [Side::Buy, Side::Sell].into_iter().all(|of| {
            let own = self.run.pipeline.depth(instrument, of, self.levels);
            own == told.map_or_else(Vec::new, |book| levels(book, of, self.levels))
        });
        self.summary.books_equal += u64::from(equal);
    }

    fn close(mut self) -> Result<Summary> {
        for command in recorded::ending() {
            self.send(command)?;
        }
        self.settle()?;
        let Verdict {
            wrong_fills,
            crossing_adds,
            refused,
        } = self.flow.verdict();
        let ended = self.run.pipeline.close()?;
        Ok(Summary {
            wrong_fills,
            crossing_adds,
            refused,
            repriced: self.orders.repriced,
            left_out: self.summary.left_out + self.orders.left_out,
            commands: ended.last_seq.0,
            events: ended.events,
            last_seq: ended.last_seq.0,
            state_hash: ended.state_hash.to_string(),
            event_hash: ended.event_hash.to_string(),
            ..self.summary
        })
    }

    fn send(&mut self, command: Command) -> Result<()> {
        let flow = &mut self.flow;
        self.run.send(command, &mut |output| flow.follow(output))
    }

    fn settle(&mut self) -> Result<()> {
        let flow = &mut self.flow;
        self.run.settle(&mut |output| flow.follow(output))?;
        self.flow.settle();
        Ok(())
    }
}

fn levels(book: &Book, of: Side, count: usize) -> Vec<(Price, Quantity)> {
    let level = |level: rialto_subscriber::Level| (price(level.price), Quantity(level.shares.0));
    match of {
        Side::Buy => book.bids().take(count).map(level).collect(),
        Side::Sell => book.asks().take(count).map(level).collect(),
    }
}
