//! What the owner fixes before a connection starts.

use alloc::sync::Arc;

use crate::dictionary::Validator;
use crate::time::TimePrecision;
use crate::version::Version;

/// One profile of sessions; cheap to clone.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The version spoken; a Logon of another is cut off.
    pub version: Version,
    /// The check of contents. Without one only what the session itself needs is checked.
    pub validator: Option<Arc<Validator>>,
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
            time_precision: TimePrecision::Milliseconds,
            sending_time_tolerance_ns: 120 * SECOND_NS,
            logon_timeout_ns: 10 * SECOND_NS,
            logout_timeout_ns: 2 * SECOND_NS,
        }
    }
}
