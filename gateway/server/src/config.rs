//! How a door is set up. Who may come in is not here: that is in the stream and in the credentials.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rialto_model::Policy;
use rialto_ouch::soup::SoupConfig;

use crate::limits;

/// What holds for one session beside what the stream says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionSettings {
    /// Its DAY orders are cancelled when it is lost.
    pub cancel_on_disconnect: bool,
}

/// What every door has.
#[derive(Clone, Debug)]
pub struct DoorConfig {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Most connections at a time. Default [`limits::CONNECTIONS_MAX`].
    pub connections_max: usize,
    /// Most bytes of one session's outbound log. Default [`limits::LOG_BYTES_MAX`].
    pub log_bytes_max: usize,
    /// For sessions that have no settings of their own.
    pub default_settings: SessionSettings,
    /// By session name; names are compared without case.
    pub settings: BTreeMap<String, SessionSettings>,
}

impl DoorConfig {
    /// The defaults, listening there.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            connections_max: limits::CONNECTIONS_MAX,
            log_bytes_max: limits::LOG_BYTES_MAX,
            default_settings: SessionSettings::default(),
            settings: BTreeMap::new(),
        }
    }

    /// The policy bits that a session's settings come to.
    pub(crate) fn policy_of(&self, name: &[u8]) -> Policy {
        let own = self
            .settings
            .iter()
            .find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
        let settings = own.map_or(self.default_settings, |(_, settings)| *settings);
        if settings.cancel_on_disconnect {
            Policy::CANCEL_ON_DISCONNECT
        } else {
            Policy::NONE
        }
    }
}

/// The FIX door.
#[derive(Clone, Debug)]
pub struct FixConfig {
    /// What every door has.
    pub door: DoorConfig,
    /// What clients send as TargetCompID(56). Default `RIALTO`.
    pub comp_id: String,
}

impl FixConfig {
    /// The defaults, listening there.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            door: DoorConfig::new(listen),
            comp_id: "RIALTO".to_owned(),
        }
    }
}

/// The OUCH door.
#[derive(Clone, Debug)]
pub struct OuchConfig {
    /// What every door has.
    pub door: DoorConfig,
    /// Timers and bounds of SoupBinTCP.
    pub soup: SoupConfig,
}

impl OuchConfig {
    /// The defaults, listening there.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            door: DoorConfig::new(listen),
            soup: SoupConfig::default(),
        }
    }
}
