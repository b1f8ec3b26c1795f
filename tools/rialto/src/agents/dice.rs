//! The agents' chance: SplitMix64 (Steele, Lea, Flood 2014). The same seed and agent give the same stream for ever, on every
//! machine; it is for markets and never for secrets.

/// One agent's stream of chance.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// The stream of the `agent`-th agent under `seed`: streams of neighbours have nothing to do with each other.
    pub(super) fn new(seed: u64, agent: usize) -> Self {
        let mut dice = Self(seed);
        Self(dice.next() ^ mixed(agent as u64))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN_GAMMA);
        mixed(self.0)
    }

    /// A number below `bound`, or 0 where `bound` is 0. The bias is below one in 2^32 for the small bounds used here.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let high_half = self.next() >> 32;
        ((high_half * u64::from(bound)) >> 32) as u32
    }

    /// A number from `-reach` to `reach`.
    pub(super) fn step(&mut self, reach: u32) -> i64 {
        i64::from(self.below(2 * reach + 1)) - i64::from(reach)
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// A number from 0 up to and without 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A waiting time of a Poisson process of this intensity.
    pub(super) fn exponential(&mut self, intensity: f64) -> f64 {
        -(1.0 - self.unit()).ln() / intensity
    }

    /// Of mean 0 and variance 1, and nearly normal: the sum of twelve (Irwin and Hall), without tails beyond 6.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// At least 1, and above `x` with a probability of `x` to the power of minus `exponent` (Pareto).
    pub(super) fn tail(&mut self, exponent: f64) -> f64 {
        (1.0 - self.unit()).powf(-1.0 / exponent)
    }
}

const fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // The reference implementation's first outputs from state 1234567.
        let mut dice = Dice(1_234_567);
        let first = [dice.next(), dice.next(), dice.next()];
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn bounds_hold_and_agents_differ() {
        let mut dice = Dice::new(7, 0);
        let seen: Vec<u32> = (0..1_000).map(|_| dice.below(6)).collect();
        assert!((0..6).all(|face| seen.contains(&face)) && seen.iter().all(|&face| face < 6));
        assert!((0..1_000).all(|_| (-3..=3).contains(&dice.step(3))));
        assert_eq!((dice.below(0), dice.step(0)), (0, 0));
        assert_ne!(Dice::new(7, 0).next(), Dice::new(7, 1).next());
        assert_ne!(Dice::new(7, 0).next(), Dice::new(8, 0).next());
    }

    #[test]
    fn draws_have_the_moments_of_their_laws() {
        let mut dice = Dice::new(7, 0);
        let mut mean = |draw: &dyn Fn(&mut Dice) -> f64| (0..50_000).map(|_| draw(&mut dice)).sum::<f64>() / 50_000.0;
        let near =
            |found: f64, expected: f64| assert!((found - expected).abs() < 0.02 * expected, "{found}, not {expected}");
        near(mean(&Dice::unit), 0.5);
        near(mean(&|dice| dice.exponential(4.0)), 0.25);
        near(mean(&|dice| f64::from(u8::from(dice.chance(0.3)))), 0.3);
        near(mean(&|dice| dice.normal().powi(2)), 1.0);
        // Above 4 an eighth of the time where the exponent is 1.5.
        near(mean(&|dice| f64::from(u8::from(dice.tail(1.5) > 4.0))), 0.125);
    }
}
