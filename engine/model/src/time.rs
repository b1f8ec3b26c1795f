//! Time: stamped by the sequencer ([`Timestamp`]) or read locally ([`Monotonic`]), and never the one for the other.

use crate::codec::{DecodeError, Decoder, Encoder, Field};

/// Venue time in nanoseconds since 1970-01-01 UTC, stamped by the sequencer and part of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Timestamp(pub u64);

/// Local time in nanoseconds since an arbitrary start, for heartbeats and timeouts. Never in a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Monotonic(pub u64);

/// A trading day, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct TradingDay(pub u32);

/// Where a stage takes time from: the machine, or a test.
pub trait Clock {
    /// Venue time. May step back; the sequencer does not.
    fn now(&mut self) -> Timestamp;
    /// Local time for timeouts. Never steps back.
    fn monotonic(&mut self) -> Monotonic;
}

/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000_000_000;
/// Nanoseconds in a day.
pub const DAY_NS: u64 = 86_400 * SECOND_NS;

impl Timestamp {
    /// Nanoseconds since `midnight`, as ITCH and OUCH state time; 0 before it.
    #[must_use]
    pub const fn since(self, midnight: Self) -> u64 {
        self.0.saturating_sub(midnight.0)
    }
}

impl TradingDay {
    /// The day that holds `time` in UTC.
    #[must_use]
    pub const fn of(time: Timestamp) -> Self {
        Self((time.0 / DAY_NS) as u32)
    }

    /// The UTC midnight that begins this day.
    #[must_use]
    pub const fn midnight_utc(self) -> Timestamp {
        Timestamp(self.0 as u64 * DAY_NS)
    }

    /// From a civil date; `None` where there is no such date since 1970.
    #[must_use]
    pub const fn from_civil(year: u32, month: u32, day: u32) -> Option<Self> {
        if year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days_from_civil.
        let y = if month <= 2 { year - 1 } else { year };
        let era = y / 400;
        let yoe = y - era * 400;
        let shifted = if month > 2 { month - 3 } else { month + 9 };
        let doy = (153 * shifted + 2) / 5 + day - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        Some(Self(era * 146_097 + doe - 719_468))
    }

    /// The civil date as (year, month, day).
    #[must_use]
    pub const fn civil(self) -> (u32, u32, u32) {
        // The same source: civil_from_days.
        let z = self.0 as u64 + 719_468;
        let era = z / 146_097;
        let doe = z - era * 146_097;
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + (month <= 2) as u64;
        (year as u32, month as u32, day as u32)
    }
}

const fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `yyyy-mm-dd`.
impl core::fmt::Display for TradingDay {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl core::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! field {
    ($Name:ident($inner:ty)) => {
        impl Field for $Name {
            const SIZE: usize = size_of::<$inner>();
            #[inline]
            fn put(&self, out: &mut Encoder<'_>) {
                self.0.put(out);
            }
            #[inline]
            fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                <$inner>::get(input).map(Self)
            }
        }
    };
}
field!(Timestamp(u64));
field!(TradingDay(u32));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_round_trip_over_two_centuries() {
        for day in 0..73_000 {
            let (y, m, d) = TradingDay(day).civil();
            assert_eq!(TradingDay::from_civil(y, m, d), Some(TradingDay(day)));
        }
        assert_eq!(TradingDay::from_civil(2012, 6, 21).map(|d| d.0), Some(15_512));
        assert_eq!(TradingDay(15_512).to_string(), "2012-06-21");
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for (y, m, d) in [
            (1969, 12, 31),
            (2023, 2, 29),
            (1900, 2, 29),
            (2024, 13, 1),
            (2024, 4, 31),
            (2024, 1, 0),
        ] {
            assert_eq!(TradingDay::from_civil(y, m, d), None, "{y}-{m}-{d}");
        }
    }
}
