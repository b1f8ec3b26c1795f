//! The fate of one packet after another.

use crate::counters::Counters;
use crate::dice::Dice;
use crate::faults::{Faults, FaultsError};

/// Decides what becomes of packets.
#[derive(Clone, Debug)]
pub struct Relay {
    faults: Faults,
    dice: Dice,
    /// Packets left of a burst of loss.
    burst: u32,
    counters: Counters,
}

/// One copy to pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// After so long.
    pub delay_ns: u64,
    /// With this byte changed: its place, and what it is combined with by exclusive or.
    pub corrupt: Option<(usize, u8)>,
}

/// What becomes of a packet: no copy, one, or two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate([Option<Copy>; 2]);

impl Fate {
    /// The copies to pass on.
    pub fn copies(&self) -> impl Iterator<Item = Copy> {
        self.0.into_iter().flatten()
    }
}

impl Relay {
    /// A network as bad as this. Equal seeds and equal packets at equal times have equal fates.
    ///
    /// # Errors
    /// [`FaultsError`].
    pub fn new(faults: Faults, seed: u64) -> Result<Self, FaultsError> {
        Ok(Self {
            faults: faults.check()?,
            dice: Dice::new(seed),
            burst: 0,
            counters: Counters::default(),
        })
    }

    /// Decides what becomes of a packet of `length` bytes that comes at `now_ns`.
    pub fn decide(&mut self, now_ns: u64, length: usize) -> Fate {
        let Faults {
            loss_ppm,
            burst_ppm,
            burst_packets,
            duplicate_ppm,
            partition_ns,
            partition_period_ns,
            ..
        } = self.faults;
        self.counters.packets += 1;
        // Every packet takes as many rolls whatever becomes of it, so that one fault more changes no other.
        let lost = self.dice.chance(loss_ppm);
        let bursts = self.dice.chance(burst_ppm);
        let twice = self.dice.chance(duplicate_ppm);
        let copies = [self.copy(length), self.copy(length)];
        let whole = partition_period_ns.saturating_sub(partition_ns);
        if now_ns
            .checked_rem(partition_period_ns)
            .is_some_and(|into| into >= whole)
        {
            self.counters.parted += 1;
            return Fate::default();
        }
        if bursts && self.burst == 0 {
            self.burst = burst_packets;
        }
        if self.burst > 0 {
            self.burst -= 1;
            self.counters.lost_in_bursts += 1;
            return Fate::default();
        }
        if lost {
            self.counters.lost += 1;
            return Fate::default();
        }
        self.counters.duplicated += u64::from(twice);
        let [first, second] = copies;
        let fate = Fate([Some(first), twice.then_some(second)]);
        for copy in fate.copies() {
            self.counters.passed += 1;
            self.counters.reordered += u64::from(copy.delay_ns > self.faults.delay_ns);
            self.counters.corrupted += u64::from(copy.corrupt.is_some());
        }
        fate
    }

    /// What was done so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    fn copy(&mut self, length: usize) -> Copy {
        let dice = &mut self.dice;
        let held = dice.chance(self.faults.reorder_ppm);
        let (hold, jitter) = (
            dice.up_to(self.faults.reorder_ns_max),
            dice.up_to(self.faults.jitter_ns_max),
        );
        let spoiled = dice.chance(self.faults.corrupt_ppm);
        let (place, bits) = (dice.roll(), dice.up_to(254) as u8 + 1);
        let place = (place as usize).checked_rem(length);
        Copy {
            delay_ns: self.faults.delay_ns + jitter + if held { hold } else { 0 },
            corrupt: place.filter(|_| spoiled).map(|place| (place, bits)),
        }
    }
}
