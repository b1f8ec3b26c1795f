//! Between which prices a paused instrument reopens: what the engine's collar takes orders within.

use rialto_model::{Bands, InstrumentId, Price};

use crate::directory::Listing;

/// Basis points in a whole.
const WHOLE: i64 = 10_000;

/// The collar of an instrument, which the auction behind a pause keeps to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collar {
    /// How far from the reference, in basis points; zero: there is none.
    pub width: u32,
    /// The price it lies around; zero: not known yet.
    pub reference: Price,
}

/// What an instrument of a venue has from the days before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Which.
    pub instrument: InstrumentId,
    /// Its collar.
    pub collar: Collar,
}

impl Collar {
    /// New bounds; they leave the reference where they state none.
    pub(crate) const fn set(&mut self, bands: &Bands) {
        self.width = bands.collar;
        if bands.reference.0 > 0 {
            self.reference = bands.reference;
        }
    }

    /// An uncross sets the reference anew, if anything traded.
    pub(crate) const fn refer_to(&mut self, price: Price) {
        if price.0 > 0 {
            self.reference = price;
        }
    }

    /// The lowest price at which a seller and the highest at which a buyer is taken.
    pub(crate) fn prices(self, listing: &Listing) -> Option<(Price, Price)> {
        let (reference, tick) = (self.reference.0, listing.tick.0);
        if self.width == 0 || reference <= 0 || tick <= 0 {
            return None;
        }
        let width = reference.checked_mul(self.width.into())? / WHOLE;
        let highest = listing.price_max.0 / tick;
        let low = reference.saturating_sub(width).max(0);
        let high = reference.checked_add(width)?;
        let low = low / tick + i64::from(low % tick > 0);
        Some((Price(low * tick), Price((high / tick).min(highest) * tick)))
    }
}
