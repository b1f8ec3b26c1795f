//! Decimal text to a scaled integer and back, exact or not at all: no float, no rounding.

use alloc::vec::Vec;

/// Why a decimal cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not a FIX float: an optional `-`, digits, at most one point.
    #[error("not a decimal number: write digits with an optional leading '-' and at most one '.'")]
    Shape,
    /// A digit other than 0 stands behind the last place.
    #[error("more than {scale} decimals: round to {scale} decimals or fewer")]
    TooManyDecimals {
        /// Decimals that fit.
        scale: u32,
    },
    /// Does not fit 64 bits at this scale.
    #[error("number too large: it must stay below 2^63 units of the last of its {scale} decimals")]
    Overflow {
        /// Decimals asked for.
        scale: u32,
    },
}

/// Reads a decimal as an integer count of `10^-scale`. Zeros in front and behind cost nothing: `007.500` at scale 1 is 75.
///
/// # Errors
/// [`DecimalError`] where the value would not be exact.
pub fn parse_decimal(text: &[u8], scale: u32) -> Result<i64, DecimalError> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // Counted downwards, because the most negative number has no positive twin.
    let mut value: i64 = 0;
    let mut decimals: Option<u32> = None;
    let mut any_digit = false;
    let push = |value: i64, digit: u8| value.checked_mul(10)?.checked_sub(i64::from(digit));
    for &byte in unsigned {
        match (byte, decimals) {
            (b'.', None) => decimals = Some(0),
            (b'0'..=b'9', _) => {
                any_digit = true;
                let digit = byte - b'0';
                match decimals {
                    Some(places) if places >= scale => {
                        if digit != 0 {
                            return Err(DecimalError::TooManyDecimals { scale });
                        }
                        continue;
                    }
                    Some(places) => decimals = Some(places + 1),
                    None => {}
                }
                value = push(value, digit).ok_or(DecimalError::Overflow { scale })?;
            }
            _ => return Err(DecimalError::Shape),
        }
    }
    if !any_digit {
        return Err(DecimalError::Shape);
    }
    if value != 0 {
        for _ in decimals.unwrap_or(0)..scale {
            value = push(value, 0).ok_or(DecimalError::Overflow { scale })?;
        }
    }
    if negative {
        Ok(value)
    } else {
        value.checked_neg().ok_or(DecimalError::Overflow { scale })
    }
}

/// Appends `value` counted in `10^-scale`, without zeros behind the point: 75 at scale 1 is `7.5`, 70 is `7`.
pub fn write_decimal(value: i64, scale: u32, out: &mut Vec<u8>) {
    let mut magnitude = value.unsigned_abs();
    let mut places = scale;
    while places > 0 && magnitude.is_multiple_of(10) {
        magnitude /= 10;
        places -= 1;
    }
    if value < 0 {
        out.push(b'-');
    }
    let start = out.len();
    let mut written = 0;
    while magnitude > 0 || written <= places {
        if places > 0 && written == places {
            out.push(b'.');
        }
        out.push(b'0' + (magnitude % 10) as u8);
        magnitude /= 10;
        written += 1;
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// Appends an unsigned integer.
pub(crate) fn write_unsigned(mut value: u64, out: &mut Vec<u8>) {
    if value < 10 {
        return out.push(b'0' + value as u8);
    }
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_or_an_error() {
        let table: &[(&str, u32, Result<i64, DecimalError>)] = &[
            ("0", 4, Ok(0)),
            ("-0", 4, Ok(0)),
            ("100", 4, Ok(1_000_000)),
            ("100.25", 4, Ok(1_002_500)),
            ("002000.00", 0, Ok(2000)),
            ("-1.5", 1, Ok(-15)),
            (".5", 1, Ok(5)),
            ("5.", 1, Ok(50)),
            ("1.00010", 4, Ok(10_001)),
            ("0.000000000000000000000000000000", 4, Ok(0)),
            ("1.00001", 4, Err(DecimalError::TooManyDecimals { scale: 4 })),
            ("922337203685477.5807", 4, Ok(i64::MAX)),
            ("-922337203685477.5808", 4, Ok(i64::MIN)),
            ("922337203685477.5808", 4, Err(DecimalError::Overflow { scale: 4 })),
            ("99999999999999999999999", 0, Err(DecimalError::Overflow { scale: 0 })),
            ("1", 19, Err(DecimalError::Overflow { scale: 19 })),
            ("0", 4_000_000_000, Ok(0)),
            ("", 4, Err(DecimalError::Shape)),
            ("-", 4, Err(DecimalError::Shape)),
            (".", 4, Err(DecimalError::Shape)),
            ("+200.00", 4, Err(DecimalError::Shape)),
            ("1.2.3", 4, Err(DecimalError::Shape)),
            ("1e5", 4, Err(DecimalError::Shape)),
            ("1,5", 4, Err(DecimalError::Shape)),
            (" 1", 4, Err(DecimalError::Shape)),
            ("NaN", 4, Err(DecimalError::Shape)),
        ];
        for &(text, scale, expected) in table {
            assert_eq!(parse_decimal(text.as_bytes(), scale), expected, "{text} at {scale}");
        }
    }

    #[test]
    fn written_without_zeros_behind() {
        let table: &[(i64, u32, &str)] = &[
            (0, 4, "0"),
            (1_000_000, 4, "100"),
            (1_002_500, 4, "100.25"),
            (-15, 1, "-1.5"),
            (5, 4, "0.0005"),
            (12, 0, "12"),
            (100, 0, "100"),
            (i64::MIN, 4, "-922337203685477.5808"),
        ];
        for &(value, scale, text) in table {
            let mut out = Vec::new();
            write_decimal(value, scale, &mut out);
            assert_eq!(out.escape_ascii().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value: i64, scale in 0u32..=12) {
            let mut text = Vec::new();
            write_decimal(value, scale, &mut text);
            prop_assert_eq!(parse_decimal(&text, scale), Ok(value));
        }

        #[test]
        fn unsigned_is_as_the_standard_library_writes_it(value: u64) {
            let mut text = Vec::new();
            write_unsigned(value, &mut text);
            prop_assert_eq!(text, value.to_string().into_bytes());
        }
    }
}
