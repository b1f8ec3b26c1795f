//! Packets that do not leave, on purpose.

use rialto_model::FaultKind;
use rialto_relay::{Faults, Relay};
use rialto_ring::faults::{FaultSight, StandingFault};

/// The kinds of faults that the lines have to do with.
pub(crate) const KINDS: &[FaultKind] = &[FaultKind::MulticastGap];

/// The faults that stand, each with a chance of its own for either line.
#[derive(Debug)]
pub(crate) struct Gaps(Vec<(StandingFault, [Option<Relay>; 2])>);

impl Gaps {
    /// Those that are seen; `None` where none is.
    pub(crate) fn of(sight: &FaultSight) -> Option<Self> {
        let gaps: Vec<_> = sight.faults().iter().map(|one| (one.clone(), relays(one))).collect();
        (!gaps.is_empty()).then_some(Self(gaps))
    }

    /// Whether the next packet leaves by line A, and by line B.
    pub(crate) fn decide(&mut self, length: usize) -> [bool; 2] {
        let mut leaves = [true; 2];
        for (standing, relays) in &mut self.0 {
            for (relay, leaves) in relays.iter_mut().zip(&mut leaves) {
                if let Some(relay) = relay
                    && relay.decide(0, length).copies().next().is_none()
                {
                    *leaves = false;
                    standing.strike();
                }
            }
        }
        leaves
    }
}

fn relays(one: &StandingFault) -> [Option<Relay>; 2] {
    let faults = Faults {
        loss_ppm: one.fault.chance,
        ..Faults::NONE
    };
    [1, 2].map(|line| {
        let is_of = one.fault.line == 0 || one.fault.line == line;
        let seed = one.fault.seed.wrapping_add(line.into());
        is_of.then(|| Relay::new(faults, seed).ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::Text;
    use rialto_model::command::AddFault;
    use rialto_ring::FaultBoard;

    #[test]
    fn each_line_has_gaps_of_its_own_until_they_are_mended() {
        let board = FaultBoard::default();
        let mut sight = FaultSight::new(board.clone(), KINDS);
        let mut left = |line| {
            let gap = AddFault {
                kind: FaultKind::MulticastGap,
                chance: 500_000,
                seed: 4,
                line,
                ..AddFault::default()
            };
            board.set([(gap, Text::EMPTY)]);
            sight.look();
            let mut gaps = Gaps::of(&sight).unwrap();
            (0..1_000).map(|_| gaps.decide(100)).collect::<Vec<_>>()
        };
        let both = left(0);
        assert!(both.contains(&[true, false]) && both.contains(&[false, true]) && both.contains(&[false, false]));
        assert!(left(1).iter().all(|[_, b]| *b) && left(1).contains(&[false, true]));
        assert!(left(2).iter().all(|[a, _]| *a) && left(2).contains(&[true, false]));
        assert_eq!(both, left(0), "a seed decides");
        board.set([]);
        sight.look();
        assert!(Gaps::of(&sight).is_none());
    }
}
