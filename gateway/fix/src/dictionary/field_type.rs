//! The data types of FIX and the shape of their values.

use crate::message::parse_unsigned;
use crate::time::{UtcTimestamp, days_in_month};

/// How a field's value has to look (FIX 4.4 volume 1, data types). Types that restrict nothing further share one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// An integer, `-` permitted.
    Integer,
    /// An integer that is not negative: lengths, sequence numbers, group counts, tag numbers.
    Unsigned,
    /// A day of a month.
    DayOfMonth,
    /// A decimal: prices, quantities, amounts, percentages.
    Decimal,
    /// One character.
    Character,
    /// `Y` or `N`.
    Boolean,
    /// Any text: strings, currencies, countries, exchanges, languages, times with a zone.
    Text,
    /// Values separated by single spaces, each of which is one of the permitted.
    MultipleValue,
    /// Any bytes.
    Data,
    /// A date and time of day in UTC.
    UtcTimestamp,
    /// A time of day in UTC.
    UtcTime,
    /// A date `YYYYMMDD`.
    Date,
    /// `YYYYMM`, `YYYYMMDD` or `YYYYMMw1` to `w5`.
    MonthYear,
}

impl FieldType {
    /// The type of that FIX name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "INT" => Self::Integer,
            "LENGTH" | "SEQNUM" | "NUMINGROUP" | "TAGNUM" => Self::Unsigned,
            "DAYOFMONTH" => Self::DayOfMonth,
            "FLOAT" | "PRICE" | "PRICEOFFSET" | "QTY" | "AMT" | "PERCENTAGE" => Self::Decimal,
            "CHAR" => Self::Character,
            "BOOLEAN" => Self::Boolean,
            "STRING" | "CURRENCY" | "COUNTRY" | "EXCHANGE" | "LANGUAGE" | "XID" | "XIDREF" | "LOCALMKTTIME"
            | "TZTIMEONLY" | "TZTIMESTAMP" => Self::Text,
            "MULTIPLEVALUESTRING" | "MULTIPLECHARVALUE" | "MULTIPLESTRINGVALUE" => Self::MultipleValue,
            "DATA" | "XMLDATA" => Self::Data,
            "UTCTIMESTAMP" => Self::UtcTimestamp,
            "UTCTIMEONLY" => Self::UtcTime,
            "UTCDATE" | "UTCDATEONLY" | "LOCALMKTDATE" => Self::Date,
            "MONTHYEAR" => Self::MonthYear,
            _ => return None,
        })
    }

    /// True where the value has the shape. The value is not empty.
    pub(super) fn accepts(self, value: &[u8]) -> bool {
        match self {
            Self::Integer => is_digits(value.strip_prefix(b"-").unwrap_or(value)),
            Self::Unsigned => is_digits(value),
            Self::DayOfMonth => parse_unsigned(value).is_some_and(|day| (1..=31).contains(&day)),
            Self::Decimal => is_decimal(value),
            Self::Character => value.len() == 1,
            Self::Boolean => matches!(value, b"Y" | b"N"),
            Self::Text | Self::Data => true,
            Self::MultipleValue => value.split(|&byte| byte == b' ').all(|part| !part.is_empty()),
            Self::UtcTimestamp => UtcTimestamp::parse(value).is_ok(),
            Self::UtcTime => is_time(value),
            Self::Date => is_date(value),
            Self::MonthYear => is_month_year(value),
        }
    }
}

fn is_digits(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

/// The shape alone: what is too exact or too large is judged by whoever reads the number.
fn is_decimal(value: &[u8]) -> bool {
    let unsigned = value.strip_prefix(b"-").unwrap_or(value);
    let points = unsigned.iter().filter(|&&byte| byte == b'.').count();
    let digits = unsigned.iter().filter(|byte| byte.is_ascii_digit()).count();
    points <= 1 && digits >= 1 && points + digits == unsigned.len()
}

fn is_date(value: &[u8]) -> bool {
    let Some((year, month_and_day)) = value.split_at_checked(4) else {
        return false;
    };
    let Some((month, day)) = month_and_day.split_at_checked(2) else {
        return false;
    };
    day.len() == 2
        && match (parse_unsigned(year), parse_unsigned(month), parse_unsigned(day)) {
            (Some(year), Some(month), Some(day)) => (1..=days_in_month(year, month)).contains(&day),
            _ => false,
        }
}

fn is_month_year(value: &[u8]) -> bool {
    match value {
        [month @ .., b'w', b'1'..=b'5'] | month if month.len() == 6 => {
            is_digits(month) && parse_unsigned(month).is_some_and(|month| (1..=12).contains(&(month % 100)))
        }
        _ => is_date(value),
    }
}

/// A time of day is a timestamp of some day.
fn is_time(value: &[u8]) -> bool {
    const LONGEST: usize = b"HH:MM:SS.ssssssssssss".len();
    let mut timestamp = *b"19700101-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    if value.len() > LONGEST {
        return false;
    }
    let end = 9 + value.len();
    if let Some(place) = timestamp.get_mut(9..end) {
        place.copy_from_slice(value);
    }
    timestamp
        .get(..end)
        .is_some_and(|timestamp| UtcTimestamp::parse(timestamp).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let table: &[(FieldType, &[&str], &[&str])] = &[
            (
                FieldType::Integer,
                &["0", "-5", "00012", "99999999999999999999999"],
                &["+5", "", "-", "1.0", "a", "5-"],
            ),
            (FieldType::Unsigned, &["0", "12"], &["-1", "+1", "1 ", "x"]),
            (FieldType::DayOfMonth, &["1", "31", "07"], &["0", "32", "-1", "a"]),
            (
                FieldType::Decimal,
                &[
                    "0",
                    "-1.50",
                    "002000.00",
                    ".5",
                    "23.",
                    "1.23456789012345678901234567890",
                    "99999999999999999999999.5",
                ],
                &[
                    "+200.00",
                    "1e5",
                    "1.2.3",
                    ".",
                    "-",
                    "1.5x",
                    "99999999999999999999999x",
                    "1.1x",
                ],
            ),
            (FieldType::Character, &["1", "*"], &["", "12"]),
            (FieldType::Boolean, &["Y", "N"], &["y", "YN", "1", ""]),
            (FieldType::Text, &["any text"], &[]),
            (FieldType::MultipleValue, &["1", "1 G Q"], &["", " 1", "1  G", "1 "]),
            (
                FieldType::UtcTimestamp,
                &["20240101-00:00:00", "20240101-00:00:00.123"],
                &["20040415", "00:00:00"],
            ),
            (
                FieldType::UtcTime,
                &["23:59:59", "00:00:00.123456"],
                &["24:00:00", "00:00", "20240101-00:00:00", ""],
            ),
            (
                FieldType::Date,
                &["20240229"],
                &["20230229", "2024022", "202402290", "2024-2-29"],
            ),
            (
                FieldType::MonthYear,
                &["202402", "20240229", "202402w1"],
                &["202413", "202402w6", "2024", "20240230", "202400"],
            ),
        ];
        for (field_type, good, bad) in table {
            for value in *good {
                assert!(field_type.accepts(value.as_bytes()), "{field_type:?} {value}");
            }
            for value in *bad {
                assert!(!field_type.accepts(value.as_bytes()), "{field_type:?} {value}");
            }
        }
    }
}
