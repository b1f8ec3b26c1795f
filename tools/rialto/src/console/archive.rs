//! The past of a running exchange, read from its journal up to the last command that has been told to everyone.

use super::picture::{Auction, Instrument, LEVELS, Trade};
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

/// Commands that one answer may replay.
const REPLAY_MAX: u64 = 20_000_000;
/// The last trades that are told.
const TRADES: usize = 64;

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

/// Reads the journal anew for every question.
pub(super) struct Archive {
    journal: PathBuf,
    progress: Progress,
}

impl Archive {
    pub(super) fn new(data: &Path, progress: Progress) -> Self {
        Self {
            journal: journal_folder(data),
            progress,
        }
    }

    fn replay(&self, seq: SequenceNumber) -> Result<Answer, PastError> {
        let stream = Stream {
            journal: OsDisk::open_dir(&self.journal).map_err(rialto_journal::ReadError::from)?,
            snapshots: None,
            limit: Some(self.progress.followed()),
            replay_max: REPLAY_MAX,
        };
        let mut visit = stream.near(seq)?;
        let mut tape = Tape::default();
        while visit.past.seq() < seq {
            let Some(command) = visit.read()? else { break };
            visit.past.apply(&command).iter().for_each(|output| tape.take(output));
        }
        Ok(tape.answer(&visit.past))
    }
}

impl rialto_web::Archive for Archive {
    fn at(&self, seq: u64) -> Result<String, Refusal> {
        let last = self.progress.followed();
        if seq == 0 || seq > last.0 {
            return Err(Refusal {
                status: 404,
                detail: format!("there is no command {seq}: the stream goes from 1 to {last}"),
                mend: "choose a sequence number between them".to_owned(),
            });
        }
        let answer = self.replay(SequenceNumber(seq)).map_err(|error| Refusal {
            status: 500,
            detail: error.to_string(),
            mend: "look at the journal with `rialto journal verify`".to_owned(),
        })?;
        Ok(serde_json::to_string(&answer).unwrap_or_default())
    }
}

/// What was traded on the way.
#[derive(Default)]
struct Tape {
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
