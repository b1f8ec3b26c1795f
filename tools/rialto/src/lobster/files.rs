//! Opening the files of a day: plain, gzip, or members of a zip archive.

use anyhow::{Context as _, Result, anyhow, bail};
use flate2::read::MultiGzDecoder;
use rialto_model::{Price, Quantity, Timestamp, TradingDay};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Price levels of one side in the order book file that stand for "nothing here".
const EMPTY_ASK: i64 = 9_999_999_999;
const EMPTY_BID: i64 = -9_999_999_999;

/// One price level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Its price.
    pub(super) price: Price,
    /// The total quantity at it.
    pub(super) quantity: Quantity,
}

/// The rows of an order book file, packed.
#[derive(Debug)]
pub(crate) struct BookRows {
    levels: usize,
    /// For each row: asks best first, then bids best first; price 0 where there is none.
    cells: Vec<Level>,
}

impl BookRows {
    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.cells.len() / (2 * self.levels)
    }

    /// How many levels a side.
    pub(super) const fn levels(&self) -> usize {
        self.levels
    }

    /// Whether row `row` (from 1) has exactly these asks and bids, best first, as far as the file shows levels.
    pub(super) fn equals(&self, row: usize, asks: &[Level], bids: &[Level]) -> bool {
        let Some(start) = row.checked_sub(1).map(|r| r * 2 * self.levels) else {
            return false;
        };
        let Some(cells) = self.cells.get(start..start + 2 * self.levels) else {
            return false;
        };
        let (file_asks, file_bids) = cells.split_at(self.levels);
        let same = |file: &[Level], book: &[Level]| {
            let shown = file.iter().take_while(|l| l.price.0 != 0).count();
            file.get(..shown) == book.get(..shown) && (shown == self.levels || book.len() == shown)
        };
        same(file_asks, asks) && same(file_bids, bids)
    }
}

/// A tape: plain or gzip.
pub(crate) fn open_tape(path: &Path) -> Result<Box<dyn BufRead>> {
    let file = File::open(path).with_context(|| format!("cannot open the tape {}", path.display()))?;
    let mut file = BufReader::new(file);
    let gzip = file.fill_buf()?.starts_with(&[0x1F, 0x8B]);
    Ok(if gzip {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
}

/// The order book rows, and the times of the message file where it stands beside them.
pub(crate) struct Day {
    pub(crate) day: Option<TradingDay>,
    pub(crate) rows: BookRows,
    /// Nanoseconds after midnight, a row each; empty without a message file.
    pub(crate) times: Vec<u64>,
}

/// Reads an archive that holds an order book file and a message file, or a plain or gzip order book file.
pub(crate) fn open_book(path: &Path, levels: usize) -> Result<Day> {
    let mut file = File::open(path).with_context(|| format!("cannot open the book {}", path.display()))?;
    let mut magic = [0; 4];
    let got = file.read(&mut magic)?;
    drop(file);
    if got == 4 && magic == *b"PK\x03\x04" {
        return open_archive(path, levels);
    }
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let rows = read_rows(open_tape(path)?, levels).with_context(|| name.clone())?;
    Ok(Day {
        day: date_in(&name),
        rows,
        times: Vec::new(),
    })
}

fn open_archive(path: &Path, levels: usize) -> Result<Day> {
    let mut archive = zip::ZipArchive::new(File::open(path)?)
        .with_context(|| format!("{} is not a readable zip archive", path.display()))?;
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let find = |part: &str| names.iter().find(|n| n.contains(part));
    let book = find("orderbook").ok_or_else(|| anyhow!("{} holds no file named *orderbook*", path.display()))?;
    let rows = read_rows(BufReader::new(archive.by_name(book)?), levels).with_context(|| book.clone())?;
    let times = match find("message") {
        Some(name) => read_times(BufReader::new(archive.by_name(name)?)).with_context(|| name.clone())?,
        None => Vec::new(),
    };
    if !times.is_empty() && times.len() != rows.len() {
        bail!(
            "{} messages but {} book rows: the files are not of one day",
            times.len(),
            rows.len()
        );
    }
    Ok(Day {
        day: date_in(book),
        rows,
        times,
    })
}

fn read_rows(input: impl BufRead, levels: usize) -> Result<BookRows> {
    let mut cells = Vec::new();
    for (number, line) in input.lines().enumerate() {
        let line = line?;
        let row = || format!("row {}", number + 1);
        let mut values = line.trim_end().split(',').map(str::parse::<i64>);
        let mut value = || -> Result<i64> {
            Ok(values
                .next()
                .ok_or_else(|| anyhow!("has fewer than {levels} levels"))??)
        };
        let mut asks = Vec::with_capacity(levels);
        let mut bids = Vec::with_capacity(levels);
        for _ in 0..levels {
            let ask: (i64, i64) = (value().with_context(row)?, value().with_context(row)?);
            let bid: (i64, i64) = (value().with_context(row)?, value().with_context(row)?);
            asks.push(level(ask, EMPTY_ASK));
            bids.push(level(bid, EMPTY_BID));
        }
        cells.extend(asks);
        cells.extend(bids);
    }
    Ok(BookRows { levels, cells })
}

fn level((price, quantity): (i64, i64), empty: i64) -> Level {
    if price == empty {
        Level {
            price: Price(0),
            quantity: Quantity(0),
        }
    } else {
        Level {
            price: Price(price),
            quantity: Quantity(u64::try_from(quantity).unwrap_or(0)),
        }
    }
}

/// The first column: seconds after midnight with up to nine decimals.
fn read_times(input: impl BufRead) -> Result<Vec<u64>> {
    input
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let line = line?;
            let text = line.split(',').next().unwrap_or_default();
            seconds_to_ns(text).ok_or_else(|| anyhow!("message {} has no time: {text:?}", number + 1))
        })
        .collect()
}

fn seconds_to_ns(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 {
        return None;
    }
    let ns = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<u64>().ok()? * 10u64.pow(9 - fraction.len() as u32)
    };
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(ns)
}

/// The first `yyyy-mm-dd` in a file name.
fn date_in(name: &str) -> Option<TradingDay> {
    name.split(['_', '/', '.']).find_map(|part| {
        let mut parts = part.split('-').map(str::parse::<u32>);
        let (Some(Ok(y)), Some(Ok(m)), Some(Ok(d)), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        TradingDay::from_civil(y, m, d)
    })
}

/// The name of the instrument in a LOBSTER file name: what stands before the date.
pub(crate) fn symbol_in(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let words: Vec<&str> = name.split('_').collect();
    let date = words.iter().position(|w| date_in(w).is_some())?;
    words.get(date.checked_sub(1)?).map(|s| (*s).to_owned())
}

/// Midnight of `day`. The files name no time zone: the venue's is taken as UTC.
pub(super) fn midnight(day: TradingDay) -> Timestamp {
    day.midnight_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_nanoseconds() {
        for (text, ns) in [
            ("34200.015105074", Some(34_200_015_105_074)),
            ("34200.05990197", Some(34_200_059_901_970)),
            ("34200", Some(34_200_000_000_000)),
            ("34200.0000000001", None),
            ("x", None),
            ("-1", None),
        ] {
            assert_eq!(seconds_to_ns(text), ns, "{text}");
        }
    }

    #[test]
    fn a_row_compares_as_far_as_the_file_shows_levels() {
        let rows = read_rows("101,5,100,7,9999999999,0,99,1\n".as_bytes(), 2).unwrap();
        let level = |price, quantity| Level {
            price: Price(price),
            quantity: Quantity(quantity),
        };
        assert!(rows.equals(1, &[level(101, 5)], &[level(100, 7), level(99, 1)]));
        assert!(
            !rows.equals(1, &[level(101, 5), level(102, 1)], &[level(100, 7), level(99, 1)]),
            "one ask too many"
        );
        assert!(!rows.equals(1, &[level(101, 5)], &[level(100, 7)]), "a bid is missing");
        assert!(
            !rows.equals(1, &[level(101, 4)], &[level(100, 7), level(99, 1)]),
            "wrong quantity"
        );
        assert!(!rows.equals(2, &[], &[]) && !rows.equals(0, &[], &[]), "no such row");
    }

    #[test]
    fn names_tell_instrument_and_day() {
        let path = Path::new("x/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip");
        assert_eq!(symbol_in(path).as_deref(), Some("GOOG"));
        assert_eq!(
            date_in("GOOG_2012-06-21_34200000.csv"),
            TradingDay::from_civil(2012, 6, 21)
        );
        assert_eq!(date_in("GOOG.csv"), None);
    }
}
