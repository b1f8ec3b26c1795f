//! Numbers from a seed: SplitMix64 (Steele, Lea, Flood, 2014).

#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// From 0 to `most`, both included.
    pub(crate) const fn up_to(&mut self, most: u64) -> u64 {
        match most.checked_add(1) {
            Some(below) => self.roll() % below,
            None => self.roll(),
        }
    }

    /// Whether a chance in parts of a million comes true.
    pub(crate) const fn chance(&mut self, ppm: u32) -> bool {
        self.roll() % crate::faults::PARTS as u64 >= (crate::faults::PARTS - ppm) as u64
    }
}
