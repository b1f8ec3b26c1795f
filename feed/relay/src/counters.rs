//! What was done to the packets.

/// In packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Came in.
    pub packets: u64,
    /// Copies passed on, the second ones included.
    pub passed: u64,
    /// Lost one by one.
    pub lost: u64,
    /// Lost in bursts.
    pub lost_in_bursts: u64,
    /// Lost while the network was parted.
    pub parted: u64,
    /// Passed on twice.
    pub duplicated: u64,
    /// Copies held back so that later ones may overtake them.
    pub reordered: u64,
    /// Copies with a byte changed.
    pub corrupted: u64,
}
