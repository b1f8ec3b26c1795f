//! `rialto ingest lobster`: a recorded day through sequencer, journal, engine, gate and feed, on virtual time.
//!
//! One thread polls every stage to quiescence after each row, so the book between two rows is exactly the file's. Stamps
//! come from the message file, or count up by a fixed step without one; two runs give the same messages and hashes.

use super::files::{self, BookRows, Level};
use super::judge::{Judge, Told};
use super::tape::{Operation, Tape};
use crate::out;
use crate::recorded::{self, Flow, Folder, INCARNATION, Run, SESSION};
use anyhow::{Context as _, Result, bail, ensure};
use rialto_model::command::DefineInstrument;
use rialto_model::limits::{PRICE_MAX, QUANTITY_MAX};
use rialto_model::{Command, InstrumentId, Price, PriceScale, Quantity, Side, Symbol, Timestamp, TradingDay};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// When the day begins where no message file tells: half past nine.
const OPENING_NS: u64 = (9 * 3_600 + 30 * 60) * 1_000_000_000;
/// From one operation to the next where no message file tells.
const STEP_NS: u64 = 1_000;

const INSTRUMENT: InstrumentId = InstrumentId(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The tape: plain or gzip
    #[arg(long, value_name = "FILE")]
    tape: PathBuf,
    /// The order book file, plain or gzip, or the archive of a sample day: each row is checked
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    /// Levels a side in the order book file
    #[arg(long, default_value_t = 10)]
    levels: usize,
    /// An empty or new folder for the journal; without it a temporary one that is removed in the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The instrument's symbol; without it, as in the file's name
    #[arg(long)]
    symbol: Option<String>,
    /// What makes an event safe to release
    #[arg(long, default_value = "memory", value_parser = crate::choices::DURABILITIES)]
    durability: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What an ingest came to.
#[derive(Debug, Serialize)]
struct Summary {
    rows: u64,
    rows_equal: u64,
    wrong_fills: u64,
    crossing_adds: u64,
    refused: u64,
    commands: u64,
    events: u64,
    last_seq: u64,
    state_hash: String,
    event_hash: String,
    subscriber_rows_equal: u64,
    subscriber_gaps: u64,
    subscriber_messages: u64,
    subscriber_malformed: u64,
    feed_datagrams: u64,
    seconds: f64,
    data: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let begun = Instant::now();
    let book = args
        .book
        .as_ref()
        .map(|path| files::open_book(path, args.levels))
        .transpose()?;
    let named = args
        .symbol
        .clone()
        .or_else(|| args.book.iter().chain([&args.tape]).find_map(|p| files::symbol_in(p)));
    let named = named.unwrap_or_else(|| "TAPE".to_owned());
    let symbol = Symbol::new(&named).with_context(|| format!("symbol {named:?} is not 1 to 8 printable characters"))?;
    let day = book.as_ref().and_then(|b| b.day).unwrap_or(TradingDay(1));
    let folder = Folder::open(args.data.clone())?;
    let (rows, times) = book.map_or((None, Vec::new()), |book| (Some(Arc::new(book.rows)), book.times));

    let mut day_run = DayRun::open(&folder, &args.durability, day, symbol, rows, times)?;
    day_run.play(Tape::new(files::open_tape(&args.tape)?), args.json)?;
    let mut summary = day_run.close()?;
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
        && summary.rows == summary.rows_equal
        && (args.book.is_none() || summary.rows == summary.subscriber_rows_equal);
    ensure!(
        right,
        "the day did not come out as the tape and the book file say; see the counts above"
    );
    Ok(())
}

/// A day on its way through the exchange.
struct DayRun {
    run: Run,
    midnight: Timestamp,
    time: Timestamp,
    flow: Flow<String>,
    rows: Option<Arc<BookRows>>,
    times: Vec<u64>,
    judge: Option<Judge>,
    rows_seen: u64,
    rows_equal: u64,
}

impl DayRun {
    fn open(
        folder: &Folder,
        durability: &str,
        day: TradingDay,
        symbol: Symbol,
        rows: Option<Arc<BookRows>>,
        times: Vec<u64>,
    ) -> Result<Self> {
        let midnight = files::midnight(day);
        let time = Timestamp(midnight.0 + times.first().copied().unwrap_or(OPENING_NS));
        let run = Run::open(folder, durability, time)?;
        let judge = rows
            .as_ref()
            .map(|rows| {
                Judge::start(
                    run.pipeline.feed_addresses(),
                    rialto_itch::StockLocate(INSTRUMENT.0),
                    Arc::clone(rows),
                )
            })
            .transpose()?;
        let flow = Flow::new(SESSION, INCARNATION);
        let mut one = Self {
            run,
            midnight,
            time,
            flow,
            rows,
            times,
            judge,
            rows_seen: 0,
            rows_equal: 0,
        };
        for command in recorded::opening(day, &[listed(symbol)]) {
            one.send(command)?;
        }
        one.settle()?;
        Ok(one)
    }

    fn play(&mut self, tape: impl Iterator<Item = Result<Operation>>, quiet: bool) -> Result<()> {
        let bar = out::progress(self.times.len() as u64, "rows", quiet);
        let mut waiting = Vec::new();
        for operation in tape {
            match operation? {
                Operation::Row(row) => {
                    self.set_time(row, waiting.len());
                    for command in waiting.drain(..) {
                        self.send(command)?;
                    }
                    self.settle()?;
                    self.check(row)?;
                    bar.inc(1);
                }
                operation => waiting.push(self.flow.command(INSTRUMENT, operation)?),
            }
        }
        for command in waiting {
            self.send(command)?;
        }
        self.settle()?;
        bar.finish_and_clear();
        Ok(())
    }

    fn close(mut self) -> Result<Summary> {
        for command in recorded::ending() {
            self.send(command)?;
        }
        self.settle()?;
        let pipeline = &mut self.run.pipeline;
        let found = match self.judge.take() {
            Some(judge) => judge.finish(|| {
                pipeline.poll();
                std::thread::sleep(std::time::Duration::from_micros(200));
            })?,
            None => Default::default(),
        };
        let verdict = self.flow.verdict();
        let feed_datagrams = self.run.pipeline.feed_datagrams();
        let ended = self.run.pipeline.close()?;
        Ok(Summary {
            rows: self.rows_seen,
            rows_equal: self.rows_equal,
            wrong_fills: verdict.wrong_fills,
            crossing_adds: verdict.crossing_adds,
            refused: verdict.refused,
            commands: ended.last_seq.0,
            events: ended.events,
            last_seq: ended.last_seq.0,
            state_hash: ended.state_hash.to_string(),
            event_hash: ended.event_hash.to_string(),
            subscriber_rows_equal: found.rows_equal,
            subscriber_gaps: found.gaps,
            subscriber_messages: found.messages,
            subscriber_malformed: found.malformed,
            feed_datagrams,
            seconds: 0.0,
            data: None,
        })
    }

    /// The time of a row's operations: the row's own, or a step for each.
    fn set_time(&mut self, row: usize, operations: usize) {
        let told = row.checked_sub(1).and_then(|index| self.times.get(index));
        self.time = match told {
            Some(after_midnight) => Timestamp(self.midnight.0 + after_midnight),
            None => Timestamp(self.time.0 + STEP_NS * operations as u64),
        };
        self.run.clock.set(self.time);
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

    fn check(&mut self, row: usize) -> Result<()> {
        self.rows_seen += 1;
        let Some(rows) = &self.rows else {
            self.rows_equal += 1;
            return Ok(());
        };
        let side = |side| -> Vec<Level> {
            let levels = self.run.pipeline.depth(INSTRUMENT, side, rows.levels());
            levels
                .into_iter()
                .map(|(price, quantity)| Level { price, quantity })
                .collect()
        };
        self.rows_equal += u64::from(rows.equals(row, &side(Side::Sell), &side(Side::Buy)));
        if let Some(judge) = &self.judge
            && !judge.is_finished()
        {
            let mut told = Told {
                row,
                sequence: self.run.pipeline.feed_next_sequence() - 1,
            };
            // The channel is bounded: while it is full the feed goes on answering the judge's requests.
            while let Err(full) = judge.tell.try_send(told) {
                if full.is_disconnected() {
                    bail!("the judge of the feed ended before the day did");
                }
                told = full.into_inner();
                self.run.pipeline.poll();
            }
        }
        Ok(())
    }
}

/// The day's one instrument.
fn listed(symbol: Symbol) -> DefineInstrument {
    DefineInstrument {
        instrument: INSTRUMENT,
        symbol,
        scale: PriceScale::DEFAULT,
        tick: Price(100),
        price_max: Price(PRICE_MAX),
        lot: Quantity(1),
        quantity_max: Quantity(QUANTITY_MAX),
    }
}
