//! What a login says: who, which session, from which number on, and the answer.

use core::fmt;
use core::num::NonZeroU64;

use super::packet::PacketError;
use crate::TextError;
use crate::text::{text, text_shown};

text! {
    /// A user name, padded on the right. Compared without case: compare [`UserName::normalised`].
    UserName, 6, "Username"
}

text! {
    /// A password, padded on the right. Compared without case: compare [`Password::normalised`]. Never shown by
    /// `Debug`.
    Password, 10, "Password"
}

text! {
    /// The name of a SoupBinTCP session: here, what one account is sent in one trading day. Padded on the left on the
    /// wire.
    SessionName, 10, "Session"
}

text_shown!(UserName, SessionName);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(not shown)")
    }
}

/// The text without the spaces around it, in ASCII upper case, padded on the right.
fn normalised<const WIDTH: usize>(mut bytes: [u8; WIDTH]) -> [u8; WIDTH] {
    let leading = bytes.iter().take_while(|&&byte| byte == b' ').count();
    bytes.rotate_left(leading);
    bytes.make_ascii_uppercase();
    bytes
}

impl UserName {
    /// The form in which names are compared: trimmed, in ASCII upper case.
    #[must_use]
    pub fn normalised(self) -> Self {
        Self(normalised(self.0))
    }
}

impl Password {
    /// The form in which passwords are compared (and hashed): trimmed, in ASCII upper case.
    #[must_use]
    pub fn normalised(self) -> Self {
        Self(normalised(self.0))
    }
}

impl SessionName {
    /// The name of a padded field, on whichever side the padding is; `None` where the field is blank.
    pub(super) fn from_padded(bytes: [u8; Self::WIDTH]) -> Result<Option<Self>, TextError> {
        let mut name = Self::from_wire(bytes)?;
        let leading = name.0.iter().take_while(|&&byte| byte == b' ').count();
        name.0.rotate_left(leading);
        Ok((name != Self::BLANK).then_some(name))
    }

    /// The name padded on the left.
    pub(super) fn left_padded(mut self) -> [u8; Self::WIDTH] {
        let trailing = Self::WIDTH - self.as_str().len();
        self.0.rotate_right(trailing);
        self.0
    }
}

/// The number of a sequenced message in its session. It is never sent with the message: both sides count. The first is
/// 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(NonZeroU64);

impl SequenceNumber {
    /// The first message of a session.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// `None` for 0, which is no message's number.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number, at least 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The number after this one. It stays at the last u64, which no session reaches.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Width of a number in ASCII.
pub(super) const NUMBER_WIDTH: usize = 20;

/// A number in ASCII, padded with spaces on either side.
pub(super) fn number_from_ascii(bytes: [u8; NUMBER_WIDTH]) -> Result<u64, PacketError> {
    let digits = bytes.trim_ascii();
    if digits.is_empty() {
        return Err(PacketError::BadNumber);
    }
    digits.iter().try_fold(0_u64, |number, byte| match byte {
        b'0'..=b'9' => number
            .checked_mul(10)
            .and_then(|number| number.checked_add(u64::from(byte - b'0')))
            .ok_or(PacketError::BadNumber),
        _ => Err(PacketError::BadNumber),
    })
}

/// A number in ASCII, padded on the left with spaces. Twenty digits hold every u64.
pub(super) fn number_to_ascii(mut number: u64) -> [u8; NUMBER_WIDTH] {
    let mut bytes = [b' '; NUMBER_WIDTH];
    for byte in bytes.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    bytes
}

/// From which message on a client wants to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedSequence {
    /// 0 on the wire: the most recent message.
    MostRecent,
    /// This message and all after it.
    From(SequenceNumber),
}

impl RequestedSequence {
    /// The first message to send where `next` is the number that the session's next new message will have.
    ///
    /// A number beyond `next` is answered with `next`: the answer states it, and the client sees that it knew of more
    /// than there is.
    #[must_use]
    pub fn resolve(self, next: SequenceNumber) -> SequenceNumber {
        match self {
            Self::MostRecent => SequenceNumber::new(next.get() - 1).unwrap_or(SequenceNumber::FIRST),
            Self::From(number) => number.min(next),
        }
    }
}

/// Login Request (`L`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    /// Who logs in.
    pub user: UserName,
    /// The password.
    pub password: Password,
    /// The session wanted; `None` (blank on the wire) is the current one.
    pub session: Option<SessionName>,
    /// The first message wanted.
    pub sequence: RequestedSequence,
}

/// Login Accepted (`A`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginAccepted {
    /// The session logged into.
    pub session: SessionName,
    /// The number of the sequenced message that comes next.
    pub next: SequenceNumber,
}

/// Why a login was rejected (`J`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginRejectCode {
    /// `A`: user name and password are not known together.
    #[error("not authorised (A): mend user name or password")]
    NotAuthorised,
    /// `S`: the session asked for is invalid or not available.
    #[error("session not available (S): ask for the current session by leaving the name blank")]
    SessionNotAvailable,
}

impl LoginRejectCode {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::NotAuthorised => b'A',
            Self::SessionNotAvailable => b'S',
        }
    }

    pub(super) const fn from_code(code: u8) -> Result<Self, PacketError> {
        match code {
            b'A' => Ok(Self::NotAuthorised),
            b'S' => Ok(Self::SessionNotAvailable),
            _ => Err(PacketError::UnknownRejectCode { code }),
        }
    }
}
