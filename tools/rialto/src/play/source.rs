//! Where a recorded day's rows come from: a LOBSTER tape with the times of its message file, or an ITCH 5.0 file, which has its
//! own.

use crate::itch_day::{Orders, Reader};
use crate::lobster::{Operation, Tape, open_tape};
use anyhow::{Context as _, Result, bail, ensure};
use rialto_itch::{Message, StockLocate};
use rialto_ouch::messages::Symbol;
use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

/// Instruments of one file that are played; a file with more needs a choice.
const INSTRUMENTS_MAX: usize = 16;
/// Where the instruments are looked for: a day names all of them before its first order.
const HEAD: u64 = 100_000;

/// What happens at one moment of the day.
pub(super) struct Row {
    /// Counted from 1: the row of the order book file, or the message.
    pub(super) number: usize,
    /// Since midnight, where it is known.
    pub(super) at_ns: Option<u64>,
    pub(super) symbol: Symbol,
    pub(super) operations: Vec<Operation>,
}

/// The rows, one by one.
pub(super) enum Source {
    Lobster(Lobster),
    Itch(Box<Itch>),
}

pub(super) struct Lobster {
    tape: Tape<Box<dyn BufRead>>,
    times: Vec<u64>,
    symbol: Symbol,
}

pub(super) struct Itch {
    reader: Reader,
    orders: Orders,
    wanted: Vec<String>,
    symbols: HashMap<StockLocate, Symbol>,
}

/// Whether a file holds ITCH messages: each stands behind its length in two bytes, of which the first is zero. A tape is text.
pub(crate) fn is_itch(path: &Path) -> Result<bool> {
    Ok(open_tape(path)?.fill_buf()?.first() == Some(&0))
}

/// The instruments of an ITCH file that are to be played.
pub(crate) fn listed(path: &Path, wanted: &[String]) -> Result<Vec<String>> {
    let mut reader = Reader::open(path)?;
    let mut found = Vec::new();
    while let Some((at, bytes)) = reader.next()? {
        let message = Message::decode(bytes).with_context(|| format!("message {at} is no ITCH 5.0"))?;
        if let Message::StockDirectory(m) = message {
            let name = m.stock.as_str().unwrap_or_default().trim_end().to_owned();
            if (wanted.is_empty() || wanted.contains(&name)) && !found.contains(&name) {
                found.push(name);
            }
        }
        if at >= HEAD {
            break;
        }
    }
    for one in wanted {
        ensure!(found.contains(one), "{} does not name {one}", path.display());
    }
    ensure!(!found.is_empty(), "{} names no instrument", path.display());
    ensure!(
        found.len() <= INSTRUMENTS_MAX,
        "{} has {} instruments, and at most {INSTRUMENTS_MAX} are played: choose with --day-symbol, once for each",
        path.display(),
        found.len()
    );
    Ok(found)
}

impl Source {
    pub(super) fn lobster(tape: &Path, times: Vec<u64>, symbol: &str) -> Result<Self> {
        Ok(Self::Lobster(Lobster {
            tape: Tape::new(open_tape(tape)?),
            times,
            symbol: Symbol::new(symbol).with_context(|| format!("{symbol:?} is no symbol"))?,
        }))
    }

    pub(super) fn itch(file: &Path, wanted: &[String]) -> Result<Self> {
        Ok(Self::Itch(Box::new(Itch {
            reader: Reader::open(file)?,
            orders: Orders::default(),
            wanted: wanted.to_vec(),
            symbols: HashMap::new(),
        })))
    }

    /// How many rows there are, where that is known before; otherwise zero.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Lobster(day) => day.times.len(),
            Self::Itch(_) => 0,
        }
    }

    /// Whether rows have times.
    pub(super) fn is_timed(&self) -> bool {
        match self {
            Self::Lobster(day) => !day.times.is_empty(),
            Self::Itch(_) => true,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        match self {
            Self::Lobster(day) => day.next(),
            Self::Itch(day) => day.next(),
        }
    }
}

impl Lobster {
    fn next(&mut self) -> Result<Option<Row>> {
        let mut operations = Vec::new();
        for operation in self.tape.by_ref() {
            let number = match operation? {
                Operation::Row(number) => number,
                other => {
                    operations.push(other);
                    continue;
                }
            };
            let at_ns = number.checked_sub(1).and_then(|at| self.times.get(at)).copied();
            if at_ns.is_none() && !self.times.is_empty() {
                bail!("the message file has no row {number}");
            }
            return Ok(Some(Row {
                number,
                at_ns,
                symbol: self.symbol,
                operations,
            }));
        }
        Ok(None)
    }
}

impl Itch {
    fn next(&mut self) -> Result<Option<Row>> {
        while let Some((at, bytes)) = self.reader.next()? {
            let message = Message::decode(bytes).with_context(|| format!("message {at} is no ITCH 5.0"))?;
            let header = message.header();
            if let Message::StockDirectory(m) = &message {
                let name = m.stock.as_str().unwrap_or_default().trim_end();
                if self.wanted.iter().any(|one| one == name) {
                    let symbol = Symbol::new(name).with_context(|| format!("{name:?} is no symbol"))?;
                    self.symbols.insert(header.locate, symbol);
                }
            }
            let Some(symbol) = self.symbols.get(&header.locate).copied() else {
                continue;
            };
            if let Some(operation) = self.orders.operation(&message) {
                return Ok(Some(Row {
                    number: usize::try_from(at).unwrap_or(usize::MAX),
                    at_ns: Some(header.timestamp.ns()),
                    symbol,
                    operations: vec![operation.rename(|id| id.to_string())],
                }));
            }
        }
        Ok(None)
    }
}
