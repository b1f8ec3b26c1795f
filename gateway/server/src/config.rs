//! How a door is set up. Who may come in is not here: that is in the stream and in the credentials.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rialto_model::Policy;
use rialto_ouch::soup::SoupConfig;

use crate::guard::GuardConfig;
use crate::limits;
use crate::throttle::Throttles;

/// What holds for one session beside what the stream says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionSettings {
    /// Its DAY orders are cancelled when it is lost.
    pub cancel_on_disconnect: bool,
    /// How long after a loss it is not let in again, in nanoseconds. A logout in good order is no loss.
    pub reconnect_after_ns: u64,
    /// How much it may ask for.
    pub throttles: Throttles,
    /// FIX: it is told of every order of its firm, whoever sent it, and sends none.
    pub drop_copy: bool,
    /// FIX: every Logon restarts both numbers, as if it said 141=Y, and nothing of before is said again.
    pub reset_on_logon: bool,
    /// FIX: its name is enough; for test benches whose Logon has no password. It must not be reachable for others.
    pub no_password: bool,
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
    /// When the door is closed to an address; `None`: never.
    pub guard: Option<GuardConfig>,
    /// For sessions that have no settings of their own.
    pub default_settings: SessionSettings,
    /// Where a firm listens that is served apart, by its identifier; of whom nothing is said, on a port that the system picks.
    pub ports: BTreeMap<String, SocketAddr>,
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
            guard: Some(GuardConfig::default()),
            default_settings: SessionSettings::default(),
            ports: BTreeMap::new(),
            settings: BTreeMap::new(),
        }
    }

    /// What holds for a session.
    pub(crate) fn settings_of(&self, name: &[u8]) -> SessionSettings {
        let own = self
            .settings
            .iter()
            .find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
        own.map_or(self.default_settings, |(_, settings)| *settings)
    }
}

impl SessionSettings {
    /// The policy bits that they come to.
    pub(crate) const fn policy(&self) -> Policy {
        if self.cancel_on_disconnect {
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
            soup: SoupConfig {
                login_timeout_ns: limits::LOGON_TIMEOUT_NS,
                ..SoupConfig::default()
            },
        }
    }
}
