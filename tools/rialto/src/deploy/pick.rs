//! Which instruments take part at which step: test symbols, named ones, then a share by a stable hash.

use anyhow::{Result, bail, ensure};
use rialto_model::InstrumentId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// A step of a canary's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// The symbols that nobody means: those that begin with TEST, and Nasdaq's (Z?ZZT). Where there are none, the candidate is only compared.
    Test,
    /// One instrument.
    Symbol(String),
    /// So many in a hundred, at least one.
    Percent(u8),
}

impl FromStr for Step {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "test" {
            return Ok(Self::Test);
        }
        if let Ok(percent) = text.parse::<u8>() {
            ensure!(
                (1..=100).contains(&percent),
                "{percent} is no percentage of instruments"
            );
            return Ok(Self::Percent(percent));
        }
        if text.is_empty() || text.len() > 8 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("{text:?} is no step: use test, a symbol, or a percentage such as 5");
        }
        Ok(Self::Symbol(text.to_owned()))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test => f.write_str("test"),
            Self::Symbol(symbol) => f.write_str(symbol),
            Self::Percent(percent) => write!(f, "{percent}"),
        }
    }
}

impl Step {
    /// In percent, for the record.
    pub(super) const fn percent(&self) -> u8 {
        match self {
            Self::Percent(percent) => *percent,
            _ => 0,
        }
    }

    /// The instruments that take part.
    pub(super) fn instruments(&self, symbols: &BTreeMap<InstrumentId, String>) -> Result<BTreeSet<InstrumentId>> {
        let of = |wanted: &dyn Fn(&str) -> bool| -> BTreeSet<InstrumentId> {
            let found = symbols.iter().filter(|(_, symbol)| wanted(symbol));
            found.map(|(id, _)| *id).collect()
        };
        match self {
            Self::Test => Ok(of(&is_test)),
            Self::Symbol(name) => {
                let found = of(&|symbol| symbol == name);
                ensure!(!found.is_empty(), "no instrument is called {name:?}");
                Ok(found)
            }
            Self::Percent(percent) => {
                let mut ranked: Vec<InstrumentId> = symbols.keys().copied().collect();
                ranked.sort_by_key(|id| (stable(*id), *id));
                let count = (ranked.len() * usize::from(*percent)).div_ceil(100).max(1);
                Ok(ranked.into_iter().take(count).collect())
            }
        }
    }
}

fn is_test(symbol: &str) -> bool {
    symbol.starts_with("TEST") || symbol.len() == 5 && symbol.starts_with('Z') && symbol.ends_with("ZZT")
}

/// The same instrument, the same place, on every machine and for ever (the finaliser of SplitMix64, Steele and others 2014).
const fn stable(id: InstrumentId) -> u64 {
    let mut z = (id.0 as u64).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(count: u16) -> BTreeMap<InstrumentId, String> {
        let mut all: BTreeMap<InstrumentId, String> =
            (1..=count).map(|id| (InstrumentId(id), format!("S{id}"))).collect();
        all.insert(InstrumentId(3), "TESTA".to_owned());
        all.insert(InstrumentId(4), "ZXZZT".to_owned());
        all
    }

    #[test]
    fn steps_are_read_and_written_alike() {
        for text in ["test", "ACME", "1", "100"] {
            assert_eq!(text.parse::<Step>().unwrap().to_string(), text);
        }
        for wrong in ["", "0", "101", "NINELONGX", "A B"] {
            assert!(wrong.parse::<Step>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_are_stable_nested_and_never_empty() {
        let all = symbols(200);
        let share = |percent| Step::Percent(percent).instruments(&all).unwrap();
        assert_eq!([1, 5, 20, 100].map(|percent| share(percent).len()), [2, 10, 40, 200]);
        assert!(share(1).is_subset(&share(5)) && share(5).is_subset(&share(20)));
        assert_eq!(Step::Percent(1).instruments(&symbols(4)).unwrap().len(), 1);
        let first: Vec<u16> = share(5).iter().map(|id| id.0).collect();
        assert_eq!(first, GOLDEN, "moving an instrument to another place moves members");
    }

    const GOLDEN: [u16; 10] = [10, 21, 48, 68, 120, 133, 173, 179, 186, 196];

    #[test]
    fn test_symbols_and_named_ones_are_found() {
        let all = symbols(10);
        let ids = |step: Step| {
            step.instruments(&all)
                .map(|found| found.iter().map(|id| id.0).collect::<Vec<_>>())
        };
        assert_eq!(ids(Step::Test).unwrap(), [3, 4]);
        assert_eq!(ids(Step::Symbol("S7".to_owned())).unwrap(), [7]);
        assert!(ids(Step::Symbol("NONE".to_owned())).is_err());
    }
}
