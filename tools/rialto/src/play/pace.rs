//! When the next row of a recorded day is due.

use anyhow::{Context as _, Result, bail};
use std::str::FromStr;
use std::time::Duration;

/// How fast a day goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Speed {
    /// So many times as fast as it was.
    Times(f64),
    /// As fast as the exchange takes it.
    Max,
    /// A row for each line of standard input, or as many as the line says.
    Step,
}

impl Speed {
    /// As fast as it was.
    pub(crate) const REAL: Self = Self::Times(1.0);
}

/// A day in a thousandth of a second, and a second in a day: beyond, a typing error is likelier than a wish.
const TIMES: std::ops::RangeInclusive<f64> = 1e-4..=1e8;

impl FromStr for Speed {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "real" => Self::Times(1.0),
            "max" => Self::Max,
            "step" => Self::Step,
            _ => {
                let times: f64 = text
                    .trim_end_matches('x')
                    .parse()
                    .with_context(|| format!("{text:?} is no speed: use real, max, step or a number such as 10"))?;
                if !TIMES.contains(&times) {
                    bail!(
                        "{text:?} is no speed: use a number from {} to {}",
                        TIMES.start(),
                        TIMES.end()
                    );
                }
                Self::Times(times)
            }
        })
    }
}

/// How long behind the beginning a row is due that came so many nanoseconds behind the first.
pub(super) fn due(times: f64, behind_ns: u64) -> Duration {
    Duration::from_secs_f64(behind_ns as f64 / 1e9 / times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_words_or_numbers() {
        let speed = |text: &str| text.parse::<Speed>().ok();
        assert_eq!(speed("real"), Some(Speed::Times(1.0)));
        assert_eq!(speed("10x"), Some(Speed::Times(10.0)));
        assert_eq!(speed("0.5"), Some(Speed::Times(0.5)));
        assert_eq!(speed("max"), Some(Speed::Max));
        assert_eq!(speed("step"), Some(Speed::Step));
        for bad in ["", "0", "-1", "inf", "NaN", "fast", "1e9"] {
            assert_eq!(speed(bad), None, "{bad:?}");
        }
        assert_eq!(due(10.0, 5_000_000_000), Duration::from_millis(500));
    }
}
