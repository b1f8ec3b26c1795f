//! The bounds of a publisher.

use rialto_itch::Message;
use rialto_itch::mold::{BLOCK_LENGTH_LEN, DATAGRAM_MAX_DEFAULT, DATAGRAM_MAX_LIMIT, HEADER_LEN};

use crate::store::Store;

/// The smallest datagram that carries any one message.
const DATAGRAM_MAX_LEAST: usize = HEADER_LEN + BLOCK_LENGTH_LEN + Message::LEN_MAX;

/// The bounds of a publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The largest downstream packet in bytes, from 72 to 65,507. By default 1,400: under an Ethernet frame.
    pub datagram_max: usize,
    /// The most bytes that the day's messages may take, claimed at once, and touched by
    /// [`touch`](crate::Publisher::touch) or as the day goes on. A message takes
    /// 56 at most, and no more than 2 GiB are used. When they are used up the oldest messages go, and can no longer be asked for. By default 64 MiB: 1.2 million
    /// messages.
    pub store_bytes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            datagram_max: DATAGRAM_MAX_DEFAULT,
            store_bytes_max: 64 << 20,
        }
    }
}

/// Why there is no publisher with such bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No datagram has this size, or no message fits it.
    #[error(
        "datagram_max is {datagram_max}, which cannot carry every message over UDP; choose {DATAGRAM_MAX_LEAST} to {DATAGRAM_MAX_LIMIT}"
    )]
    Datagram {
        /// What was set.
        datagram_max: usize,
    },
    /// Messages would be overwritten before they fill a packet.
    #[error(
        "store_bytes_max is {store_bytes_max}, less than a full packet's messages take; set at least {least} or lower datagram_max"
    )]
    Store {
        /// What was set.
        store_bytes_max: usize,
        /// The least for this datagram size.
        least: usize,
    },
}

impl Config {
    /// Whether a publisher can keep to it.
    pub(crate) fn check(self) -> Result<Self, ConfigError> {
        let Self {
            datagram_max,
            store_bytes_max,
        } = self;
        if !(DATAGRAM_MAX_LEAST..=DATAGRAM_MAX_LIMIT).contains(&datagram_max) {
            return Err(ConfigError::Datagram { datagram_max });
        }
        // A full packet, once more what one event may add, and more: no message is shorter than a block's two bytes.
        let least = Store::bytes_for(datagram_max / BLOCK_LENGTH_LEN);
        if store_bytes_max < least {
            return Err(ConfigError::Store { store_bytes_max, least });
        }
        Ok(self)
    }
}
