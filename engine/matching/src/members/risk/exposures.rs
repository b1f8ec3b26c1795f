//! What is held of each instrument, and what stands on each side of it.

use alloc::vec::Vec;
use rialto_model::{InstrumentId, Side};

/// What is held of an instrument, and what stands on each side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exposure {
    pub(super) position: i64,
    pub(super) buys: u64,
    pub(super) sells: u64,
}

impl Exposure {
    #[inline]
    pub(super) const fn side(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }
}

/// In order of instrument: a firm deals in few of them, and looks one up several times an order. At most one for each
/// instrument.
#[derive(Clone, Debug, Default)]
pub(super) struct Exposures(Vec<(InstrumentId, Exposure)>);

impl Exposures {
    #[inline]
    fn place(&self, instrument: InstrumentId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&instrument, |(of, _)| *of)
    }

    #[inline]
    pub(super) fn get(&self, instrument: InstrumentId) -> Exposure {
        let place = self.place(instrument).ok();
        place.map_or_else(Exposure::default, |at| self.0[at].1)
    }

    /// An instrument's, made where there is none.
    #[inline]
    pub(super) fn of(&mut self, instrument: InstrumentId) -> &mut Exposure {
        let at = match self.place(instrument) {
            Ok(at) => at,
            Err(at) => self.add(at, instrument),
        };
        &mut self.0[at].1
    }

    #[cold]
    fn add(&mut self, at: usize, instrument: InstrumentId) -> usize {
        self.0.insert(at, (instrument, Exposure::default()));
        at
    }

    /// Nothing stands.
    pub(super) fn forget_standing(&mut self) {
        for (_, exposure) in &mut self.0 {
            (exposure.buys, exposure.sells) = (0, 0);
        }
    }

    /// What is held, where it is not nothing.
    pub(super) fn positions(&self) -> impl Iterator<Item = (InstrumentId, i64)> {
        let held = self.0.iter().filter(|(_, exposure)| exposure.position != 0);
        held.map(|(instrument, exposure)| (*instrument, exposure.position))
    }

    /// Positions of a state, in order of instrument.
    pub(super) fn holding(positions: &[(InstrumentId, i64)]) -> Self {
        let exposure = |position| Exposure {
            position,
            ..Exposure::default()
        };
        Self(
            positions
                .iter()
                .map(|(instrument, position)| (*instrument, exposure(*position)))
                .collect(),
        )
    }
}
