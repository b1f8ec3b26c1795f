//! The past of a running exchange, read from its journal up to the last command that has been told to everyone.

use super::picture::{Auction, Instrument, LEVELS, Trade};
use super::places::{Places, Stand};
use crate::exchange::core::journal_folder;
use rialto_feed::Progress;
use rialto_journal::OsDisk;
use rialto_matching::state::Outlook;
use rialto_model::order::Phase;
use rialto_model::{Event, InstrumentId, Output, Price, Quantity, SequenceNumber, Side};
use rialto_past::{Past, PastError, Stream};
use rialto_web::Refusal;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Commands that one answer may replay.
const REPLAY_MAX: u64 = 20_000_000;
/// The last trades that are told.
const TRADES: usize = 64;
/// How many commands a chart goes back, and how many pictures of them it holds at most.
const CHART_COMMANDS: u64 = 12_000;
const CHART_COLUMNS: u64 = 240;

/// The market behind one command. Prices are whole numbers of 0.0001 where the instrument's scale is the default.
#[derive(Debug, Serialize)]
struct Answer {
    seq: u64,
    /// The stamp of the command, ns since 1970.
    stamp_ns: u64,
    state_hash: String,
    instruments: Vec<Instrument>,
    trades: Vec<Trade>,
}

/// The way to a place: one instrument's book and trades at some of the commands before it.
#[derive(Debug, Serialize)]
struct Chart {
    seq: u64,
    symbol: String,
    columns: Vec<Column>,
}

/// One of them; levels are price and shares, the best first.
#[derive(Debug, Serialize)]
struct Column {
    seq: u64,
    last: Option<u32>,
    volume: u64,
    bids: Vec<(u32, u64)>,
    asks: Vec<(u32, u64)>,
}

/// Reads the journal, on from the nearest place that it keeps.
pub(super) struct Archive {
    journal: PathBuf,
    progress: Progress,
    places: Mutex<Places>,
}

impl Archive {
    pub(super) fn new(data: &Path, progress: Progress) -> Self {
        Self {
            journal: journal_folder(data),
            progress,
            places: Mutex::default(),
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes to a command from a place at or before `from`; every place behind that is shown.
    fn go(&self, from: u64, seq: SequenceNumber, show: &mut dyn FnMut(&Past, &Tape)) -> Result<Stand, PastError> {
        let stream = Stream {
            journal: OsDisk::open_dir(&self.journal).map_err(rialto_journal::ReadError::from)?,
            snapshots: None,
            limit: Some(self.progress.followed()),
            replay_max: REPLAY_MAX,
        };
        let Stand { past, mut tape } = self.places().before(from);
        let mut visit = match stream.onward(past, seq)? {
            Some(visit) => visit,
            None => {
                self.places().forget();
                tape = Tape::default();
                stream.near(seq)?
            }
        };
        while visit.past.seq() < seq {
            let Some(command) = visit.read()? else { break };
            visit.past.apply(&command).iter().for_each(|output| tape.take(output));
            let past = &visit.past;
            self.places().pass(command.seq.0, || Stand {
                past: past.clone(),
                tape: tape.clone(),
            });
            show(past, &tape);
        }
        let past = visit.into_past();
        Ok(Stand { past, tape })
    }

    fn chart(&self, seq: SequenceNumber, symbol: &str) -> Result<Chart, PastError> {
        let from = seq.0.saturating_sub(CHART_COMMANDS);
        let mut columns = Vec::new();
        let mut look = |past: &Past, tape: &Tape| {
            let here = past.seq().0;
            if here > from && (seq.0 - here).is_multiple_of(CHART_COMMANDS / CHART_COLUMNS) {
                columns.extend(tape.column(past, symbol));
            }
        };
        let stand = self.go(from, seq, &mut look)?;
        self.places().leave(stand);
        Ok(Chart {
            seq: seq.0,
            symbol: symbol.to_owned(),
            columns,
        })
    }

    /// The number, where there is such a command.
    fn known(&self, seq: u64) -> Result<SequenceNumber, Refusal> {
        let last = self.progress.followed();
        if seq == 0 || seq > last.0 {
            return Err(Refusal {
                status: 404,
                detail: format!("there is no command {seq}: the stream goes from 1 to {last}"),
                mend: "choose a sequence number between them".to_owned(),
            });
        }
        Ok(SequenceNumber(seq))
    }
}

impl rialto_web::Archive for Archive {
    fn at(&self, seq: u64) -> Result<String, Refusal> {
        let known = self.known(seq)?;
        let stand = self.go(seq, known, &mut |_, _| ()).map_err(unread)?;
        let answer = stand.tape.answer(&stand.past);
        self.places().leave(stand);
        Ok(serde_json::to_string(&answer).unwrap_or_default())
    }

    fn chart(&self, seq: u64, symbol: &str) -> Result<String, Refusal> {
        let chart = self.chart(self.known(seq)?, symbol).map_err(unread)?;
        if chart.columns.is_empty() {
            return Err(Refusal {
                status: 404,
                detail: format!("there is no instrument {symbol} behind command {seq}"),
                mend: "see the instruments of /api/v1/at/{seq}".to_owned(),
            });
        }
        Ok(serde_json::to_string(&chart).unwrap_or_default())
    }
}

fn unread(error: PastError) -> Refusal {
    Refusal {
        status: 500,
        detail: error.to_string(),
        mend: "look at the journal with `rialto journal verify`".to_owned(),
    }
}

/// What was traded on the way.
#[derive(Clone, Default)]
pub(super) struct Tape {
    midnight_ns: u64,
    totals: BTreeMap<InstrumentId, Totals>,
    trades: VecDeque<(u64, InstrumentId, Price, Quantity, Side, u64)>,
    printed: u64,
}

#[derive(Clone, Copy, Default)]
struct Totals {
    first: Option<i64>,
    last: Option<i64>,
    volume: u64,
}

impl Tape {
    fn take(&mut self, output: &Output) {
        match &output.event.body {
            // As on the feed, totals are of the day.
            Event::DayStarted(day) => {
                *self = Self {
                    midnight_ns: day.midnight.0,
                    ..Self::default()
                };
            }
            Event::Executed(e) => {
                let totals = self.totals.entry(e.instrument).or_default();
                totals.first = totals.first.or(Some(e.price.0));
                totals.last = Some(e.price.0);
                totals.volume += e.quantity.0;
                self.printed += 1;
                if self.trades.len() == TRADES {
                    self.trades.pop_front();
                }
                let time_ns = output.event.stamp.0.saturating_sub(self.midnight_ns);
                let trade = (self.printed, e.instrument, e.price, e.quantity, e.aggressor, time_ns);
                self.trades.push_back(trade);
            }
            _ => {}
        }
    }

    /// An instrument as it stands; `None` where there is none of that name.
    fn column(&self, past: &Past, symbol: &str) -> Option<Column> {
        let engine = past.engine();
        let one = engine
            .instruments()
            .find(|one| one.symbol.to_string() == symbol)?
            .instrument;
        let totals = self.totals.get(&one).copied().unwrap_or_default();
        let side = |side| {
            let levels = engine.depth(one, side, LEVELS);
            levels.map(|(price, quantity)| (units(price), quantity.0)).collect()
        };
        Some(Column {
            seq: past.seq().0,
            last: totals.last.map(|price| units(Price(price))),
            volume: totals.volume,
            bids: side(Side::Buy),
            asks: side(Side::Sell),
        })
    }

    fn answer(&self, past: &Past) -> Answer {
        let engine = past.engine();
        let phases: BTreeMap<InstrumentId, (Phase, Outlook)> = past
            .state()
            .instruments
            .iter()
            .map(|one| (one.definition.instrument, (one.phase, one.outlook)))
            .collect();
        let names: BTreeMap<InstrumentId, String> = engine
            .instruments()
            .map(|one| (one.instrument, one.symbol.to_string()))
            .collect();
        let side = |instrument, side| {
            let levels = engine.depth(instrument, side, LEVELS);
            levels.map(|(price, quantity)| (units(price), quantity.0, 0)).collect()
        };
        let instruments = names.iter().map(|(id, symbol)| {
            let totals = self.totals.get(id).copied().unwrap_or_default();
            let (phase, outlook) = phases.get(id).copied().unwrap_or_default();
            Instrument {
                symbol: symbol.clone(),
                last: totals.last.map(|price| units(Price(price))),
                change: totals.last.zip(totals.first).map(|(last, first)| last - first),
                volume: totals.volume,
                phase: word(phase),
                auction: phase.is_indicative().then(|| Auction {
                    price: units(outlook.price),
                    paired: outlook.volume.0,
                    imbalance: outlook.imbalance.0,
                    side: (!outlook.imbalance.is_zero()).then(|| side_word(outlook.side)),
                }),
                bids: side(*id, Side::Buy),
                asks: side(*id, Side::Sell),
            }
        });
        let trades = self
            .trades
            .iter()
            .map(|(number, id, price, quantity, taker, time_ns)| Trade {
                number: *number,
                symbol: names.get(id).cloned().unwrap_or_default(),
                price: units(*price),
                shares: quantity.0,
                taker: Some(side_word(*taker)),
                time_ns: *time_ns,
            });
        Answer {
            seq: past.seq().0,
            stamp_ns: past.last().map_or(0, |last| last.stamp.0),
            state_hash: past.state_hash().to_string(),
            instruments: instruments.collect(),
            trades: trades.collect(),
        }
    }
}

const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// As the feed tells phases apart.
const fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Continuous => "trading",
        Phase::PreOpen | Phase::OpeningAuction | Phase::ClosingAuction => "auction",
        Phase::VolatilityAuction => "paused",
        Phase::Halt | Phase::Closed | Phase::Suspended | Phase::Delisted => "halted",
    }
}

/// `limits.rs` keeps prices in 32 bits.
fn units(price: Price) -> u32 {
    u32::try_from(price.0).unwrap_or(u32::MAX)
}
