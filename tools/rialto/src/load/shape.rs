//! When orders come.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The largest burst.
const BURST_MAX: u64 = 100_000;

/// How the moments of orders are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) enum Shape {
    /// One after the other, equally far apart.
    Constant,
    /// Independent of each other: exponential gaps.
    Poisson,
    /// So many at one moment, then none until the rate is kept again.
    Burst(u64),
}

impl Shape {
    /// The moments since the beginning, rising: a second that warms, and then as long as is wanted.
    pub(super) fn moments(self, rate: u64, lasts: Duration, seed: u64) -> Vec<Duration> {
        let count = rate * (lasts.as_secs() + 1);
        let gap = 1e9 / rate as f64;
        let mut random = seed;
        let mut at = 0.0;
        let moments = (0..count).map(|index| {
            let ns = match self {
                Self::Constant => index as f64 * gap,
                Self::Burst(size) => (index / size * size) as f64 * gap,
                Self::Poisson => {
                    at -= gap * unit(&mut random).ln();
                    at
                }
            };
            Duration::from_nanos(ns as u64)
        });
        moments.collect()
    }
}

/// Above 0, at most 1 (splitmix64).
fn unit(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    ((z >> 11) + 1) as f64 / (1u64 << 53) as f64
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            Self::Poisson => f.write_str("poisson"),
            Self::Burst(size) => write!(f, "burst:{size}"),
        }
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let size = text.strip_prefix("burst:").map(str::parse);
        match (text, size) {
            ("constant", _) => Ok(Self::Constant),
            ("poisson", _) => Ok(Self::Poisson),
            (_, Some(Ok(size))) if (1..=BURST_MAX).contains(&size) => Ok(Self::Burst(size)),
            _ => bail!("no shape is called {text:?}: use constant, poisson or burst:N with N up to {BURST_MAX}"),
        }
    }
}

impl From<Shape> for String {
    fn from(shape: Shape) -> Self {
        shape.to_string()
    }
}

impl TryFrom<String> for Shape {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_keeps_its_rate_and_repeats_from_its_seed() {
        for text in ["constant", "poisson", "burst:50"] {
            let shape: Shape = text.parse().unwrap();
            assert_eq!(shape.to_string(), text);
            let moments = shape.moments(1_000, Duration::from_secs(9), 7);
            assert_eq!(moments, shape.moments(1_000, Duration::from_secs(9), 7));
            assert_eq!(moments.len(), 10_000);
            assert!(moments.is_sorted());
            let last = moments.last().unwrap().as_secs_f64();
            assert!((9.5..10.5).contains(&last), "{text}: {last}");
        }
        for text in ["", "burst", "burst:0", "burst:x", "sine"] {
            let error = text.parse::<Shape>().unwrap_err().to_string();
            assert!(error.contains("use constant, poisson or burst:N"), "{error}");
        }
        let bursts = Shape::Burst(50).moments(1_000, Duration::from_secs(1), 1);
        assert_eq!(bursts[49], Duration::ZERO);
        assert_eq!(bursts[50], Duration::from_millis(50));
    }
}
