//! The versions of FIX that are spoken.

/// A session profile: what stands in BeginString(8), and which application messages go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// FIX 4.2
    Fix42,
    /// FIX 4.4
    Fix44,
    /// FIXT 1.1 with FIX 5.0 SP2
    Fix50Sp2,
}

impl Version {
    /// BeginString(8).
    #[must_use]
    pub const fn begin_string(self) -> &'static [u8] {
        match self {
            Self::Fix42 => b"FIX.4.2",
            Self::Fix44 => b"FIX.4.4",
            Self::Fix50Sp2 => b"FIXT.1.1",
        }
    }

    /// DefaultApplVerID(1137), which a FIXT Logon must carry; earlier versions have none.
    #[must_use]
    pub const fn default_appl_ver_id(self) -> Option<&'static [u8]> {
        match self {
            Self::Fix42 | Self::Fix44 => None,
            Self::Fix50Sp2 => Some(b"9"),
        }
    }

    /// The largest SessionRejectReason(373) the version defines; a Reject for a later reason goes without 373.
    #[must_use]
    pub const fn max_session_reject_reason(self) -> u8 {
        match self {
            Self::Fix42 => 11,
            Self::Fix44 | Self::Fix50Sp2 => 17,
        }
    }

    /// True where Logon defines Username(553) and Password(554).
    #[must_use]
    pub const fn has_credentials(self) -> bool {
        !matches!(self, Self::Fix42)
    }
}
