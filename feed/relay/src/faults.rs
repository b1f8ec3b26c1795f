//! How bad the network is.

/// A chance is so many parts of this.
pub const PARTS: u32 = 1_000_000;
/// The longest delay.
const DELAY_NS_MAX: u64 = 60_000_000_000;

/// How bad the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Chance of a packet to be lost by itself.
    pub loss_ppm: u32,
    /// Chance of a packet to begin a burst of loss.
    pub burst_ppm: u32,
    /// Packets in a burst, this one included.
    pub burst_packets: u32,
    /// Chance of a packet to come twice.
    pub duplicate_ppm: u32,
    /// Chance of a copy to be held back.
    pub reorder_ppm: u32,
    /// For how long at most.
    pub reorder_ns_max: u64,
    /// What every copy is delayed by.
    pub delay_ns: u64,
    /// And at most so much more, which by itself may change their order.
    pub jitter_ns_max: u64,
    /// Chance of a copy to have a byte changed.
    pub corrupt_ppm: u32,
    /// The network is parted for so long at the end of each period: nothing comes through.
    pub partition_ns: u64,
    /// The period; 0 for never.
    pub partition_period_ns: u64,
}

impl Faults {
    /// A network that does nothing to packets.
    pub const NONE: Self = Self {
        loss_ppm: 0,
        burst_ppm: 0,
        burst_packets: 0,
        duplicate_ppm: 0,
        reorder_ppm: 0,
        reorder_ns_max: 0,
        delay_ns: 0,
        jitter_ns_max: 0,
        corrupt_ppm: 0,
        partition_ns: 0,
        partition_period_ns: 0,
    };

    pub(crate) fn check(self) -> Result<Self, FaultsError> {
        for (name, ppm) in [
            ("loss", self.loss_ppm),
            ("burst", self.burst_ppm),
            ("duplicate", self.duplicate_ppm),
            ("reorder", self.reorder_ppm),
            ("corrupt", self.corrupt_ppm),
        ] {
            if ppm > PARTS {
                return Err(FaultsError::Chance { name, ppm });
            }
        }
        for (name, ns) in [
            ("reorder", self.reorder_ns_max),
            ("delay", self.delay_ns),
            ("jitter", self.jitter_ns_max),
        ] {
            if ns > DELAY_NS_MAX {
                return Err(FaultsError::Delay { name, ns });
            }
        }
        if self.partition_ns > self.partition_period_ns {
            return Err(FaultsError::Partition);
        }
        Ok(self)
    }
}

/// Why there is no such network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// A chance above certainty.
    #[error("the chance of {name} is {ppm} parts of a million; give at most {PARTS}")]
    Chance {
        /// Of what.
        name: &'static str,
        /// What was set.
        ppm: u32,
    },
    /// A delay beyond a minute.
    #[error("{name} is {ns} ns; give at most {DELAY_NS_MAX}, a minute")]
    Delay {
        /// Of what.
        name: &'static str,
        /// What was set.
        ns: u64,
    },
    /// Parted for longer than the period.
    #[error("the network would be parted for longer than the period; give a longer period")]
    Partition,
}
