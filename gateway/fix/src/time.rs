//! Times: what the caller passes in, and UTCTimestamp text to nanoseconds and back, in integers only.
//!
//! Must never read a clock. Days from dates follow the proleptic Gregorian calendar in eras of 400 years, each year
//! taken to start in March so that the leap day is its last.

use alloc::vec::Vec;

/// Local nanoseconds that never run backwards; only differences mean anything. Used for heartbeats and timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(pub u64);

/// UTC nanoseconds since 1970-01-01T00:00:00 (until the year 2554). Used for SendingTime(52).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTimestamp(pub u64);

/// The two times of a call, read once per batch by whoever owns the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For liveness.
    pub monotonic: Monotonic,
    /// For SendingTime(52).
    pub utc: UtcTimestamp,
}

/// Digits after the second that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimePrecision {
    /// `HH:MM:SS`
    Seconds,
    /// `HH:MM:SS.sss`
    Milliseconds,
    /// `HH:MM:SS.ssssss`
    Microseconds,
    /// `HH:MM:SS.sssssssss`
    Nanoseconds,
}

/// Why a text is no UTCTimestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Another shape.
    #[error("not a UTCTimestamp: write YYYYMMDD-HH:MM:SS with none, 3, 6, 9 or 12 digits after a point")]
    Shape,
    /// The shape, with a month, day or time of day that does not exist, or a date outside 1970 to 2554.
    #[error("no such UTC time: month, day, hour, minute or second is out of range, or the year is not in 1970..=2553")]
    Range,
}

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
const LAST_YEAR: u64 = 2553;

impl UtcTimestamp {
    /// Reads a UTCTimestamp. Second 60 (a leap second) is taken as the next minute's second 0; picoseconds are cut off.
    ///
    /// # Errors
    /// [`TimeError`]; nothing is guessed.
    pub fn parse(text: &[u8]) -> Result<Self, TimeError> {
        let Some((date_and_time, fraction)) = text.split_at_checked(17) else {
            return Err(TimeError::Shape);
        };
        let &[_, _, _, _, _, _, _, _, b'-', _, _, b':', _, _, b':', _, _] = date_and_time else {
            return Err(TimeError::Shape);
        };
        let number =
            |from: usize, to: usize| digits(date_and_time.get(from..to).unwrap_or(b"")).ok_or(TimeError::Shape);
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let (hour, minute, second) = (number(9, 11)?, number(12, 14)?, number(15, 17)?);
        let nanosecond = match fraction {
            [] => 0,
            [b'.', rest @ ..] if matches!(rest.len(), 3 | 6 | 9 | 12) => {
                let nanoseconds = rest.get(..rest.len().min(9)).unwrap_or(rest);
                if !rest.iter().all(u8::is_ascii_digit) {
                    return Err(TimeError::Shape);
                }
                let missing = 9 - nanoseconds.len() as u32;
                digits(nanoseconds).ok_or(TimeError::Shape)? * 10u64.pow(missing)
            }
            _ => return Err(TimeError::Shape),
        };
        if !(1970..=LAST_YEAR).contains(&year)
            || !(1..=12).contains(&month)
            || !(1..=days_in_month(year, month)).contains(&day)
            || hour > 23
            || minute > 59
            || second > 60
        {
            return Err(TimeError::Range);
        }
        let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
        Ok(Self(seconds * NANOSECONDS_PER_SECOND + nanosecond))
    }

    /// Appends `YYYYMMDD-HH:MM:SS` and the fraction of the precision, cut off, not rounded.
    pub fn write(self, precision: TimePrecision, out: &mut Vec<u8>) {
        let seconds = self.0 / NANOSECONDS_PER_SECOND;
        let nanosecond = self.0 % NANOSECONDS_PER_SECOND;
        let (year, month, day) = civil_from_days(seconds / SECONDS_PER_DAY);
        let second_of_day = seconds % SECONDS_PER_DAY;
        let (digits, unit) = match precision {
            TimePrecision::Seconds => (0, NANOSECONDS_PER_SECOND),
            TimePrecision::Milliseconds => (3, 1_000_000),
            TimePrecision::Microseconds => (6, 1_000),
            TimePrecision::Nanoseconds => (9, 1),
        };
        let mut text = *b"00000000-00:00:00.000000000";
        write_digits(&mut text[0..4], year);
        write_digits(&mut text[4..6], month);
        write_digits(&mut text[6..8], day);
        write_digits(&mut text[9..11], second_of_day / 3600);
        write_digits(&mut text[12..14], second_of_day / 60 % 60);
        write_digits(&mut text[15..17], second_of_day % 60);
        write_digits(&mut text[18..18 + digits], nanosecond / unit);
        let length = if digits == 0 { 17 } else { 18 + digits };
        out.extend_from_slice(&text[..length]);
    }

    /// The distance between two times in nanoseconds, whichever is later.
    #[must_use]
    pub const fn distance_ns(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }
}

/// The number of a non-empty run of at most 18 digits.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
    })
}

fn write_digits(out: &mut [u8], mut number: u64) {
    for byte in out.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Days of a month, 0 for a month that does not exist.
pub(crate) const fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

const DAYS_PER_ERA: u64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: u64 = 719_468;

/// Days since 1970-01-01 of a date not before it.
const fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH
}

/// The date of a count of days since 1970-01-01.
const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times() {
        let table: &[(&str, u64)] = &[
            ("19700101-00:00:00", 0),
            ("20000229-23:59:59.999", 951_868_799_999_000_000),
            ("20261124-03:16:05.123456", 1_795_490_165_123_456_000),
            ("20240229-12:00:00.000000001", 1_709_208_000_000_000_001),
            ("20161231-23:59:60", 1_483_228_800_000_000_000),
            ("20240229-12:00:00.000000001999", 1_709_208_000_000_000_001),
        ];
        for &(text, nanoseconds) in table {
            assert_eq!(
                UtcTimestamp::parse(text.as_bytes()),
                Ok(UtcTimestamp(nanoseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_times() {
        let table: &[(&str, TimeError)] = &[
            ("", TimeError::Shape),
            ("20040415", TimeError::Shape),
            ("20240101 00:00:00", TimeError::Shape),
            ("20240101-00:00:00.", TimeError::Shape),
            ("20240101-00:00:00.1", TimeError::Shape),
            ("20240101-00:00:00.12a", TimeError::Shape),
            ("20240101-00:00:00.123456789a12", TimeError::Shape),
            ("2024010a-00:00:00", TimeError::Shape),
            ("20230229-00:00:00", TimeError::Range),
            ("20241301-00:00:00", TimeError::Range),
            ("20240100-00:00:00", TimeError::Range),
            ("20240101-24:00:00", TimeError::Range),
            ("20240101-00:60:00", TimeError::Range),
            ("20240101-00:00:61", TimeError::Range),
            ("19691231-23:59:59", TimeError::Range),
            ("25540101-00:00:00", TimeError::Range),
        ];
        for &(text, error) in table {
            assert_eq!(UtcTimestamp::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanoseconds in 0..u64::from(u32::MAX) * 4 * NANOSECONDS_PER_SECOND) {
            for (precision, unit) in [
                (TimePrecision::Seconds, NANOSECONDS_PER_SECOND),
                (TimePrecision::Milliseconds, 1_000_000),
                (TimePrecision::Microseconds, 1_000),
                (TimePrecision::Nanoseconds, 1),
            ] {
                let mut text = Vec::new();
                UtcTimestamp(nanoseconds).write(precision, &mut text);
                prop_assert_eq!(UtcTimestamp::parse(&text), Ok(UtcTimestamp(nanoseconds / unit * unit)));
            }
        }
    }
}
