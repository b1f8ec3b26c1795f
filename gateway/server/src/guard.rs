//! Bad logons by remote address: after so many the door is closed to the address for a while, before any password of its is
//! hashed. Sessions that are up are not touched, and who was in before and knows the password comes in all the same.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use crate::limits::GUARDED_ADDRESSES_MAX;

/// How many bad logons close the door, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardConfig {
    /// Bad logons of one address within the window that close the door to it.
    pub bad_max: usize,
    /// The window, in nanoseconds: an address is free again when its oldest counted logon is older.
    pub window_ns: u64,
}

impl Default for GuardConfig {
    /// Five in 60 seconds.
    fn default() -> Self {
        Self {
            bad_max: 5,
            window_ns: 60_000_000_000,
        }
    }
}

/// The bad logons of late. At [`GUARDED_ADDRESSES_MAX`] addresses the one whose last is the oldest is forgotten.
#[derive(Debug)]
pub(crate) struct Guard {
    config: Option<GuardConfig>,
    bad: HashMap<IpAddr, VecDeque<u64>>,
}

impl Guard {
    pub(crate) fn new(config: Option<GuardConfig>) -> Self {
        Self {
            config,
            bad: HashMap::new(),
        }
    }

    /// Whether the door is closed to an address.
    pub(crate) fn is_closed(&self, address: IpAddr, now_ns: u64) -> bool {
        let Some(config) = self.config else {
            return false;
        };
        let Some(bad) = self.bad.get(&address) else {
            return false;
        };
        let late = bad.iter().filter(|at| now_ns.saturating_sub(**at) < config.window_ns);
        late.count() >= config.bad_max
    }

    /// Counts a bad logon.
    pub(crate) fn count(&mut self, address: IpAddr, now_ns: u64) {
        let Some(config) = self.config else {
            return;
        };
        if !self.bad.contains_key(&address) && self.bad.len() >= GUARDED_ADDRESSES_MAX {
            let oldest = self.bad.iter().min_by_key(|(_, bad)| bad.back().copied());
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                self.bad.remove(&oldest);
            }
        }
        let bad = self.bad.entry(address).or_default();
        bad.push_back(now_ns);
        while bad.len() > config.bad_max {
            bad.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    #[test]
    fn five_bad_logons_close_the_door_to_their_address_for_a_minute() {
        let mut guard = Guard::new(Some(GuardConfig::default()));
        for second in 0..4 {
            guard.count(address(1), second * SECOND);
        }
        assert!(!guard.is_closed(address(1), 4 * SECOND));
        guard.count(address(1), 4 * SECOND);
        assert!(guard.is_closed(address(1), 4 * SECOND));
        assert!(!guard.is_closed(address(2), 4 * SECOND), "not to others");
        assert!(guard.is_closed(address(1), 59 * SECOND));
        assert!(!guard.is_closed(address(1), 60 * SECOND), "the first is forgotten");
        guard.count(address(1), 61 * SECOND);
        assert!(!guard.is_closed(address(1), 61 * SECOND), "four since 1");
    }

    #[test]
    fn the_table_is_bounded_and_off_is_off() {
        let mut guard = Guard::new(Some(GuardConfig::default()));
        for number in 0..(GUARDED_ADDRESSES_MAX as u32 + 10) {
            guard.count(IpAddr::from((0x0a00_0000 + number).to_be_bytes()), u64::from(number));
        }
        assert_eq!(guard.bad.len(), GUARDED_ADDRESSES_MAX);
        let mut off = Guard::new(None);
        (0..100).for_each(|_| off.count(address(1), 0));
        assert!(!off.is_closed(address(1), 0) && off.bad.is_empty());
    }
}
