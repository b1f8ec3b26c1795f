//! The message behind a snapshot: from where to go on.

const DIGITS: usize = 20;

/// End of Snapshot (`G`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndOfSnapshot {
    /// The number of the first message that the snapshot does not hold.
    pub next: u64,
}

impl EndOfSnapshot {
    /// The type byte.
    pub const TYPE: u8 = b'G';
    /// The bytes of the message.
    pub const LEN: usize = 1 + DIGITS;

    /// The bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [b' '; Self::LEN];
        bytes[0] = Self::TYPE;
        let mut rest = self.next;
        for place in bytes[1..].iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        bytes
    }

    /// Reads the message; `None`: the bytes are none. Padding may stand on either side of the digits.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().ok()?;
        let [Self::TYPE, digits @ ..] = bytes else { return None };
        let text = std::str::from_utf8(digits.trim_ascii()).ok()?;
        let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let next = text.parse().ok().filter(|_| all_digits)?;
        Some(Self { next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes_there_and_back() {
        for (next, bytes) in [
            (1, b"G                   1"),
            (4_711, b"G                4711"),
            (u64::MAX, b"G18446744073709551615"),
        ] {
            assert_eq!(&EndOfSnapshot { next }.to_bytes(), bytes);
            assert_eq!(EndOfSnapshot::decode(bytes), Some(EndOfSnapshot { next }));
        }
        let left = b"G4711                ";
        assert_eq!(EndOfSnapshot::decode(left), Some(EndOfSnapshot { next: 4_711 }));
        for bad in [
            &b"G                    "[..],
            b"G                  +1",
            b"G99999999999999999999",
            b"H                   1",
            b"G 1",
            b"",
        ] {
            assert_eq!(EndOfSnapshot::decode(bad), None, "{bad:?}");
        }
    }
}
