//! What the owner fixes before a connection starts.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::dictionary::Validator;
use crate::time::TimePrecision;
use crate::version::Version;
use crate::words::MsgType;

/// Writes the body of an application message, given as its owner and the store keep it, in the words of a version. An owner
/// whose store outlives a connection keeps bodies in one form for all versions, because nobody knows who asks for them next.
pub type Translate = fn(Version, MsgType<'_>, &[u8], &mut Vec<u8>);

/// One profile of sessions; cheap to clone.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The version spoken; a Logon of another is cut off.
    pub version: Version,
    /// The check of contents. Without one only what the session itself needs is checked.
    pub validator: Option<Arc<Validator>>,
    /// From the form in which bodies are given and kept to that of the version; without it they go out as they are.
    pub translate: Option<Translate>,
    /// Digits of SendingTime(52).
    pub time_precision: TimePrecision,
    /// How far the peer's SendingTime(52) may be from ours, in nanoseconds.
    pub sending_time_tolerance_ns: u64,
    /// How long a connection may be silent before its Logon, in nanoseconds.
    pub logon_timeout_ns: u64,
    /// How long the peer has to answer our Logout, in nanoseconds.
    pub logout_timeout_ns: u64,
}

const SECOND_NS: u64 = 1_000_000_000;

impl SessionConfig {
    /// The usual values: milliseconds, 120 s of tolerance (the suites' value), 10 s to log on, 2 s to log out, no validation.
    #[must_use]
    pub const fn new(version: Version) -> Self {
        Self {
            version,
            validator: None,
            translate: None,
            time_precision: TimePrecision::Milliseconds,
            sending_time_tolerance_ns: 120 * SECOND_NS,
            logon_timeout_ns: 10 * SECOND_NS,
            logout_timeout_ns: 2 * SECOND_NS,
        }
    }
}
