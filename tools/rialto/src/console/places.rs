//! Places of the past that are kept, so that whoever rewinds step by step or plays on from there does not replay the day each
//! time.

use super::archive::Tape;
use rialto_past::Past;
use std::collections::BTreeMap;

/// Places that are kept, each with an engine of its own; where one more comes, every second one goes and from then on they lie
/// twice as far apart.
const KEPT_MAX: usize = 6;
/// How many commands they lie apart at first.
const APART: u64 = 20_000;

/// The market at a place, and what was traded on the way there.
#[derive(Clone, Default)]
pub(super) struct Stand {
    pub(super) past: Past,
    pub(super) tape: Tape,
}

impl Stand {
    fn seq(&self) -> u64 {
        self.past.seq().0
    }
}

/// The places.
pub(super) struct Places {
    apart: u64,
    kept: BTreeMap<u64, Stand>,
    /// Where the last answer was given: who plays goes on from it, without a copy.
    newest: Option<Stand>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            apart: APART,
            kept: BTreeMap::new(),
            newest: None,
        }
    }
}

impl Places {
    /// The nearest place at or before `seq`; before the first command where there is none.
    pub(super) fn before(&mut self, seq: u64) -> Stand {
        let kept = self.kept.range(..=seq).next_back();
        let newest = self.newest.take_if(|newest| {
            let here = newest.seq();
            here <= seq && kept.is_none_or(|(kept, _)| *kept <= here)
        });
        newest
            .or_else(|| kept.map(|(_, stand)| stand.clone()))
            .unwrap_or_default()
    }

    /// Passes through a place, and keeps it if it is one to keep.
    pub(super) fn pass(&mut self, seq: u64, stand: impl FnOnce() -> Stand) {
        if seq == 0 || !seq.is_multiple_of(self.apart) || self.kept.contains_key(&seq) {
            return;
        }
        if self.kept.len() == KEPT_MAX {
            self.apart *= 2;
            let apart = self.apart;
            self.kept.retain(|kept, _| kept.is_multiple_of(apart));
        }
        if seq.is_multiple_of(self.apart) {
            self.kept.insert(seq, stand());
        }
    }

    /// The answer was given here.
    pub(super) fn leave(&mut self, stand: Stand) {
        self.newest = Some(stand);
    }

    /// The journal has none of these places: begin anew.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::command::Tick;
    use rialto_model::{Epoch, SequenceNumber, Sequenced, Timestamp};

    /// Goes on to a number through every place.
    fn go(places: &mut Places, stand: &mut Stand, until: u64) {
        while stand.seq() < until {
            let seq = stand.seq() + 1;
            stand.past.apply(&Sequenced {
                seq: SequenceNumber(seq),
                stamp: Timestamp(seq),
                epoch: Epoch(1),
                body: Tick {}.into(),
            });
            places.pass(seq, || stand.clone());
        }
    }

    #[test]
    fn the_nearest_place_is_found_and_they_stay_few() {
        let mut places = Places {
            apart: 10,
            ..Places::default()
        };
        let mut stand = places.before(500);
        assert_eq!(stand.seq(), 0);
        go(&mut places, &mut stand, 500);
        assert!((3..=KEPT_MAX).contains(&places.kept.len()), "{:?}", places.kept.keys());
        assert_eq!(places.apart, 80);
        let hash = stand.past.state_hash();
        places.leave(stand);
        // Back to a kept place, on from the last answer, and before all of them.
        assert_eq!(places.before(499).seq(), 480);
        assert_eq!(places.before(501).seq(), 500);
        assert_eq!(places.before(501).seq(), 480);
        assert_eq!(places.before(79).seq(), 0);
        let mut again = places.before(330);
        assert_eq!(again.seq(), 320);
        go(&mut places, &mut again, 500);
        assert_eq!(again.past.state_hash(), hash);
        places.forget();
        assert_eq!(places.before(501).seq(), 0);
    }
}
