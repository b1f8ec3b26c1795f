//! The instruments on the feed, and their prices in ITCH's unit.

use alloc::sync::Arc;
use alloc::vec::Vec;

use rialto_itch::codes::TradingState;
use rialto_itch::{Price4, Shares, Stock, TradingReason};
use rialto_model::event::InstrumentListed;
use rialto_model::{InstrumentId, Price, PriceScale, Quantity};

use crate::collar::Collar;

/// The instruments listed so far, by id; at most as many as 16 bits number. Clones share them until one changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    listings: Arc<Vec<Option<Listing>>>,
    /// In the instruments' own units; kept over days, as the bounds are.
    collars: Arc<Vec<Collar>>,
}

/// An instrument that ITCH can state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing {
    pub(crate) stock: Stock,
    pub(crate) lot: Shares,
    pub(crate) state: State,
    pub(crate) tick: Price,
    pub(crate) price_max: Price,
    rescale: Rescale,
}

/// What may be done in an instrument while the market is not halted as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) trading: TradingState,
    pub(crate) reason: TradingReason,
    /// A limit state lasts: a pause that comes now is its end.
    pub(crate) is_at_limit: bool,
    /// Trading is paused, and an auction ends that.
    pub(crate) is_paused: bool,
}

/// How to come from an instrument's price unit to 0.0001.
#[derive(Clone, Copy, Debug)]
enum Rescale {
    Times(i64),
    Over(i64),
}

impl Directory {
    /// Takes an instrument in, or anew; `None` where ITCH cannot state it.
    pub(crate) fn list(&mut self, listed: &InstrumentListed) -> Option<&Listing> {
        let place = usize::from(listed.instrument.0);
        let listings = Arc::make_mut(&mut self.listings);
        if listings.len() <= place {
            listings.resize(place + 1, None);
        }
        let slot = listings.get_mut(place)?;
        *slot = Listing::new(listed);
        slot.as_ref()
    }

    /// The instrument, if it is on the feed.
    #[inline]
    pub(crate) fn get(&self, instrument: InstrumentId) -> Option<&Listing> {
        self.listings.get(usize::from(instrument.0))?.as_ref()
    }

    /// The same, to change its state.
    pub(crate) fn get_mut(&mut self, instrument: InstrumentId) -> Option<&mut Listing> {
        let place = usize::from(instrument.0);
        // Who is not there is no reason to part with whom one shares.
        self.listings.get(place)?.as_ref()?;
        Arc::make_mut(&mut self.listings).get_mut(place)?.as_mut()
    }

    /// All instruments on the feed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (InstrumentId, &Listing)> {
        let numbered = (0..=u16::MAX).zip(self.listings.iter());
        numbered.filter_map(|(id, listing)| Some((InstrumentId(id), listing.as_ref()?)))
    }

    pub(crate) fn collar(&self, instrument: InstrumentId) -> Collar {
        let collar = self.collars.get(usize::from(instrument.0));
        collar.copied().unwrap_or_default()
    }

    /// Another collar from here on.
    pub(crate) fn set_collar(&mut self, instrument: InstrumentId, collar: Collar) {
        if self.collar(instrument) == collar {
            return;
        }
        let place = usize::from(instrument.0);
        let collars = Arc::make_mut(&mut self.collars);
        if collars.len() <= place {
            collars.resize(place + 1, Collar::default());
        }
        if let Some(slot) = collars.get_mut(place) {
            *slot = collar;
        }
    }
}

impl State {
    fn listed(trading: bool) -> Self {
        Self {
            trading: if trading {
                TradingState::Trading
            } else {
                TradingState::Halted
            },
            reason: TradingReason::default(),
            is_at_limit: false,
            is_paused: false,
        }
    }
}

impl Listing {
    /// Every price of an instrument is a multiple of its tick and no higher than its highest: where these two fit, all do.
    fn new(listed: &InstrumentListed) -> Option<Self> {
        let rescale = Rescale::from_scale(listed.scale)?;
        rescale.exact(listed.tick)?;
        rescale.highest(listed.price_max)?;
        Some(Self {
            stock: Stock(listed.symbol.0),
            lot: shares(listed.lot)?,
            state: State::listed(listed.trading),
            tick: listed.tick,
            price_max: listed.price_max,
            rescale,
        })
    }

    /// The price in ITCH's unit; `None` for one that the instrument's definition rules out.
    #[inline]
    pub(crate) fn price(&self, price: Price) -> Option<Price4> {
        self.rescale.exact(price)
    }
}

/// The quantity in ITCH's 32 bits, which [`QUANTITY_MAX`](rialto_model::limits::QUANTITY_MAX) keeps to.
#[inline]
pub(crate) fn shares(quantity: Quantity) -> Option<Shares> {
    u32::try_from(quantity.0).ok().map(Shares)
}

impl Rescale {
    fn from_scale(scale: PriceScale) -> Option<Self> {
        let digits = u32::from(scale.0.abs_diff(PriceScale::DEFAULT.0));
        let factor = 10i64.checked_pow(digits)?;
        Some(if scale > PriceScale::DEFAULT {
            Self::Over(factor)
        } else {
            Self::Times(factor)
        })
    }

    #[inline]
    fn exact(self, Price(units): Price) -> Option<Price4> {
        let units = match self {
            Self::Times(factor) => units.checked_mul(factor)?,
            Self::Over(factor) if units % factor == 0 => units / factor,
            Self::Over(_) => return None,
        };
        Price4::new(units).ok()
    }

    /// The highest price that is a whole number of ITCH's units.
    fn highest(self, Price(units): Price) -> Option<Price4> {
        match self {
            Self::Times(_) => self.exact(Price(units)),
            Self::Over(factor) => Price4::new(units / factor).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::limits::PRICE_MAX;

    #[test]
    fn an_instrument_is_on_the_feed_where_all_its_prices_are_exact() {
        const QUINTILLION: i64 = 1_000_000_000_000_000_000;
        for (scale, tick, price_max, lot, price) in [
            // scale, tick, highest price, lot, and what a price of three ticks is in units of 0.0001
            (4, 100, PRICE_MAX, 1, Some(300)),
            (4, 1, 2_000_000_000, 1, Some(3)),
            (4, 1, 2_000_000_001, 1, None),
            (2, 1, 19_999_999, 1, Some(300)),
            (2, 1, PRICE_MAX, 1, None),
            (0, 1, 200_000, 1, Some(30_000)),
            (0, 1, 200_001, 1, None),
            (6, 100, PRICE_MAX, 1, Some(3)),
            (6, 100, PRICE_MAX + 50, 1, Some(3)),
            (6, 50, PRICE_MAX, 1, None),
            (22, QUINTILLION, i64::MAX, 1, Some(3)),
            (23, QUINTILLION, i64::MAX, 1, None),
            (255, 1, 1, 1, None),
            (4, 1, PRICE_MAX, u32::MAX as u64, Some(3)),
            (4, 1, PRICE_MAX, u32::MAX as u64 + 1, None),
        ] {
            let listed = InstrumentListed {
                instrument: InstrumentId(7),
                scale: PriceScale(scale),
                tick: Price(tick),
                price_max: Price(price_max),
                lot: Quantity(lot),
                ..InstrumentListed::default()
            };
            let mut directory = Directory::default();
            directory.list(&listed);
            let said = directory
                .get(InstrumentId(7))
                .map(|listing| listing.price(Price(3 * tick)).map(Price4::units));
            assert_eq!(said, price.map(Some), "{listed:?}");
            assert!(directory.get(InstrumentId(6)).is_none() && directory.get(InstrumentId(8)).is_none());
        }
    }

    #[test]
    fn a_price_that_the_definition_rules_out_is_not_rounded() {
        let mut directory = Directory::default();
        let listing = directory
            .list(&InstrumentListed {
                scale: PriceScale(6),
                tick: Price(100),
                price_max: Price(PRICE_MAX),
                ..InstrumentListed::default()
            })
            .expect("on the feed");
        assert_eq!(listing.price(Price(150)), None);
        assert_eq!(listing.price(Price(-100)), None);
        assert_eq!(shares(Quantity(u64::MAX)), None);
    }
}
